"""docs/validation.md: the comparisons, each with both numbers, what the other one is, and the verdict."""

from collections import Counter
from collections.abc import Mapping
from statistics import median
from typing import Any

from coldbond.bundle.findings import text
from coldbond.validation.matrix import KINDS, TECHNIQUES, Comparison, Matrix
from coldbond.validation.recordings import HOST, Recording
from coldbond.validation.verdicts import AGREES, VERDICTS, Judgement, judged

Results = Mapping[str, Mapping[str, Any]]

HEAD = """\
# Numbers of recordings of others

`make validation` analyses recordings of other laboratories whose right answers are known from elsewhere, with the
notebooks and functions that everyone uses, and writes this page. [validation.toml](../validation.toml) lists the
comparisons, [validation.json](validation.json) holds the results. Every recording has a pinned address and a hash;
`make validation DATA=FOLDER` takes local copies.

{counts}

![Difference between coldbond and others, over the combined standard uncertainty](validation.png)

A point is the difference between coldbond and the other number over the combined standard uncertainty of both. That of
coldbond is the distance of the bound that faces the other number, over 1.96. Within the grey band, ±1.96, they agree.
"""

SPREAD = """\
Half of the differences are within {median:.2f} combined standard uncertainties. It would be 0.67 if all uncertainties
were of the right size; less says that they are too wide, or that both numbers share errors, as those of one file do."""


def page(of: Matrix, results: Results) -> str:
    """Return the page.

    Raises
    ------
    KeyError
        A comparison has no result.
    """
    judgements = {one.name: judged(one, results[one.name]) for one in of.comparisons}
    parts = [HEAD.format(counts=_counts(of, judgements)), _words()]
    for technique, title in TECHNIQUES.items():
        if rows := [one for one in of.comparisons if of.runs[one.run].technique == technique]:
            parts.append(_section(title, rows, of, results, judgements))
    parts += [_sources(of), _recordings(of)]
    return "\n".join(parts)


def _counts(of: Matrix, judgements: Mapping[str, Judgement]) -> str:
    lines = [f"| technique | comparisons | {' | '.join(VERDICTS)} |", "|---|---|" + "---|" * len(VERDICTS)]
    for technique, title in [*TECHNIQUES.items(), ("", "together")]:
        rows = [one for one in of.comparisons if technique in ("", of.runs[one.run].technique)]
        count = Counter(judgements[one.name].verdict for one in rows)
        lines.append(f"| {title} | {len(rows)} | {' | '.join(str(count[verdict]) for verdict in VERDICTS)} |")
    scores = [abs(one.score) for one in judgements.values() if one.score is not None]
    if scores:
        lines += ["", SPREAD.format(median=median(scores))]
    return "\n".join(lines)


def _words() -> str:
    verdicts = [f"- **{word}**: {meaning}." for word, meaning in VERDICTS.items()]
    kinds = [f"- **{kind}**: {meaning}." for kind, meaning in KINDS.items()]
    return "\n".join(["Verdicts:", "", *verdicts, "", "What the other number is:", "", *kinds, ""])


def _section(
    title: str, rows: list[Comparison], of: Matrix, results: Results, judgements: Mapping[str, Judgement]
) -> str:
    lines = [f"## {title}", "", "| comparison | coldbond | other | what it is | difference / uncertainty | verdict |"]
    lines.append("|---|---|---|---|---|---|")
    for one in rows:
        judgement = judgements[one.name]
        verdict = judgement.verdict if judgement.verdict == AGREES else f"**{judgement.verdict}**"
        score = "—" if judgement.score is None else f"{judgement.score:+.1f}"
        kind = f"{one.kind}: {one.source}"
        cells = (one.name, ours(one, results[one.name]), theirs(one), kind, score, verdict)
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    losing = [one for one in rows if judgements[one.name].verdict != AGREES]
    for one in losing:
        why = results[one.name].get("failed") or one.reason
        lines += ["", f"**{one.name}** {judgements[one.name].verdict}: {why}."]
    return "\n".join([*lines, ""])


def ours(one: Comparison, found: Mapping[str, Any], interval: bool = True) -> str:
    """Return the number of coldbond, with its unit and 95 % interval or alone."""
    if "failed" in found:
        return "—"
    value, low, high = (text(found[key], found) for key in ("value", "low", "high"))
    bounds = "" if low == high == "—" else f" ({low} to {high})"
    return f"{value}{bounds} {one.unit}".rstrip() if interval else value


def theirs(one: Comparison, uncertainty: bool = True) -> str:
    """Return the number of the others, with its unit and standard uncertainty or alone."""
    value = f"{one.value:.7g}"
    spread = f" ± {one.uncertainty:.2g}" if one.uncertainty else ""
    return f"{value}{spread} {one.unit}".rstrip() if uncertainty else value


def _sources(of: Matrix) -> str:
    lines = ["## What is computed", "", "| comparisons | from | how |", "|---|---|---|"]
    for name, run in of.runs.items():
        names = "; ".join(one.name for one in of.comparisons if one.run == name)
        files = ", ".join(f"`{one['file']}`" for one in run.recordings) or "`raw/energies/*.csv`, computed"
        lines.append(f"| {names} | {files} | {run.how} |".replace("Li|", "Li\\|"))
    return "\n".join([*lines, ""])


def _recordings(of: Matrix) -> str:
    used = list(dict.fromkeys(one["file"] for run in of.runs.values() for one in run.recordings))
    lines = ["## Recordings", "", "| file | repository | licence | sha256 |", "|---|---|---|---|"]
    for name in used:
        one = of.recordings[name]
        lines.append(f"| [{name}]({address(one)}) | {one.repository} | {one.licence} | `{one.sha256[:16]}…` |")
    return "\n".join([*lines, ""])


def address(one: Recording) -> str:
    """Return the pinned address of a recording, with nothing in it that ends a link of Markdown."""
    return f"{HOST}/{one.page}".replace("(", "%28").replace(")", "%29")
