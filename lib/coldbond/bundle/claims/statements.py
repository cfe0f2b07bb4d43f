"""The claims table by statement, in four groups of what the evidence is worth.

A statement is a claim of claims.yml, or a comparison of one of its numbers with other numbers (a contradiction). Its
verdict follows from those of its findings:

1. A finding from synthetic recordings does not count for a sample of which there is evidence from outside the paper:
   measured recordings, computation, the literature or arithmetic.
2. Of the findings that count, one that disagrees makes the statement disagree. If all agree, it agrees. If all are
   without data, it has no data. Otherwise it is undecided.

A statement that disagrees has the evidence of the findings that disagree, from outside if any of them is. One that
agrees is no better tested than its weakest finding: it is recovered from synthetic recordings if one of the findings
that count is.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import pandas as pd

from coldbond.bundle.claims.verdicts import AGREES, CLOSURE, DISAGREES, NO_DATA, UNDECIDED, VERDICTS

OUTSIDE, RECOVERED = "outside", "recovered"
NOT_RECOVERED = "not recovered"


@dataclass(frozen=True)
class Group:
    """A group of statements.

    Attributes
    ----------
    title, brief : str
        The heading, and the same as a part of a sentence.
    says : str
        What belongs to it, in a sentence or two.
    words : tuple of str
        Its verdicts, as they are shown.
    """

    title: str
    brief: str
    says: str
    words: tuple[str, ...]


#: In the order in which they are shown.
GROUPS = {
    OUTSIDE: Group(
        "Tested by evidence from outside the paper",
        "tested by evidence from outside the paper",
        "Measured recordings, computation, numbers of the literature, and arithmetic between the paper's own numbers.",
        (AGREES, DISAGREES),
    ),
    RECOVERED: Group(
        "Recovered from synthetic recordings (a test of the analysis, not of the paper)",
        "tested on synthetic recordings, which tests the analysis only",
        "These recordings were simulated from the paper's own values. That the analysis finds the values again tests "
        "the analysis; it does not confirm the experiment.",
        (RECOVERED, NOT_RECOVERED),
    ),
    UNDECIDED: Group(
        "Undecided",
        "undecided",
        "The data allow both outcomes, or a part of the statement has no data. Each row says what would decide it.",
        (UNDECIDED,),
    ),
    NO_DATA: Group("No data", "without data", "Nothing was found that tests these statements.", (NO_DATA,)),
}


@dataclass(frozen=True)
class Statement:
    """A statement with the findings that test it.

    Attributes
    ----------
    claim, panel, kind, statement, unit : str
        As in the rows.
    group : str
        Key of `GROUPS`.
    verdict : str
        One of `VERDICTS`.
    evidence : str
        Kinds of evidence that the verdict follows from.
    technique : str
        Techniques of the findings, such as "eis, dc".
    would_decide : str
        For an undecided statement.
    against : str
        The claim that a comparison is about, "" for a claim.
    findings : tuple of dict of str to str
        Rows of `verdicts.table`, all of them.
    """

    claim: str
    panel: str
    kind: str
    statement: str
    unit: str
    group: str
    verdict: str
    evidence: str
    technique: str
    would_decide: str
    against: str
    findings: tuple[dict[str, str], ...]

    @property
    def shown(self) -> str:
        """The verdict as it is shown: what synthetic recordings agree with is recovered."""
        return shown(self.verdict, self.evidence)


def shown(verdict: str, evidence: str) -> str:
    """Return a verdict as it is shown beside its evidence."""
    return {AGREES: RECOVERED, DISAGREES: NOT_RECOVERED}.get(verdict, verdict) if evidence == CLOSURE else verdict


def of(rows: Sequence[Mapping[str, str]]) -> list[Statement]:
    """Return the statements of a table, in the order of the groups and within each in that of claims.yml.

    Parameters
    ----------
    rows : sequence of mapping
        Rows of `verdicts.table`, or of claims.csv.
    """
    of_claims: dict[str, list[dict[str, str]]] = {}
    for row in rows:
        of_claims.setdefault(row["claim"], []).append(dict(row))
    every = map(_statement, of_claims.values())
    return sorted(every, key=lambda one: list(GROUPS).index(one.group))  # a stable sort keeps the order of claims.yml


def _statement(findings: list[dict[str, str]]) -> Statement:
    counted = _counted(findings)
    words = {row["verdict"] for row in counted}
    if DISAGREES in words:
        verdict = DISAGREES
    elif len(words) == 1:
        (verdict,) = words
    else:
        verdict = UNDECIDED
    deciding = [row for row in counted if row["verdict"] == verdict or verdict == UNDECIDED]
    kinds = list(dict.fromkeys(row["evidence"] for row in deciding if row["evidence"]))
    outside = [kind for kind in kinds if kind != CLOSURE]
    if verdict == AGREES and CLOSURE in kinds:
        kinds = [CLOSURE]
    elif verdict == DISAGREES and outside:
        kinds = outside
    evidence = ", ".join(kinds)
    decided = OUTSIDE if evidence != CLOSURE else RECOVERED
    wanted = [
        row["would_decide"] or f"data for {row['sample']}" for row in counted if row["verdict"] in (UNDECIDED, NO_DATA)
    ]
    first = findings[0]
    techniques = ", ".join(row["technique"] for row in findings if row["technique"]).split(", ")
    return Statement(
        **{key: first[key] for key in ("claim", "panel", "kind", "statement", "unit", "against")},
        group=decided if verdict in (AGREES, DISAGREES) else verdict,
        verdict=verdict,
        evidence=evidence,
        technique=", ".join(dict.fromkeys(filter(None, techniques))),
        would_decide="; ".join(dict.fromkeys(wanted)) if verdict == UNDECIDED else "",
        findings=tuple(findings),
    )


def _counted(findings: Sequence[Mapping[str, str]]) -> list[Mapping[str, str]]:
    outside = {row["sample"] for row in findings if row["evidence"] not in ("", CLOSURE)}
    return [row for row in findings if row["evidence"] != CLOSURE or row["sample"] not in outside]


def tally(statements: Sequence[Statement]) -> dict[str, str]:
    """Return the number of statements in each group in words: "2 agree, 5 disagree", "3" or "none"."""
    number = Counter(one.shown for one in statements)
    return {key: _in_words({word: number[word] for word in group.words}) for key, group in GROUPS.items()}


def _in_words(number: Mapping[str, int]) -> str:
    if not any(number.values()):
        return "none"
    if len(number) == 1:
        return str(*number.values())
    return ", ".join(f"{n} {word if n == 1 else word.removesuffix('s')}" for word, n in number.items())


def records(statements: Sequence[Statement]) -> list[dict]:
    """Return the statements as figures/claims.json holds them, each with its findings."""
    return [asdict(one) for one in statements]


def findings(statements: Sequence[Statement]) -> int:
    """Return the number of findings of statements, without the rows that only say that there is none."""
    return sum(bool(row["evidence"]) for one in statements for row in one.findings)


def counts(statements: Sequence[Statement]) -> pd.DataFrame:
    """Return the number of statements with each verdict, and of their findings, by group."""
    rows = {
        group.title: {word: sum(one.group == key and one.verdict == word for one in statements) for word in VERDICTS}
        | {"findings": findings([one for one in statements if one.group == key])}
        for key, group in GROUPS.items()
    }
    return pd.DataFrame.from_dict(rows, orient="index")
