"""Compare findings with claims.

A number agrees if the stated value lies in the 95 % interval of the finding, widened by the rounding error of the
stated value. A bound agrees if the whole interval satisfies it and disagrees if no part of it does. A claim about the
last sustained step of a staircase agrees if the interval starts at that step. Where the interval allows both outcomes
the verdict is "undecided", with what would decide it: an interval that is too wide to contradict a statement does not
confirm it either. Where nothing was found that can be compared, it is "no data", with the reason. The table of findings
has a row for every finding that tests a claim and for every claim that no finding tests; `statements` sums them up.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import cache
from os import PathLike
from pathlib import Path

import pandas as pd
import xarray as xr

from coldbond.bundle import manifest, paths
from coldbond.bundle.claims import deciding, paper, techniques
from coldbond.bundle.claims.paper import Claim, Paper
from coldbond.bundle.findings import rendered, text

AGREES, DISAGREES, UNDECIDED, NO_DATA = VERDICTS = ("agrees", "disagrees", "undecided", "no data")
CLOSURE = "synthetic (closure)"
LITERATURE, ARITHMETIC = "literature", "arithmetic"  # what a number of the paper is compared with
EVIDENCE = {
    "measured": "measured",
    "computed": "computed",
    "synthetic": CLOSURE,
    "mixed": CLOSURE,  # a figure is no stronger evidence than its weakest recording
}


class Built(dict[str, dict]):
    """Numbers of figures by name; `not_drawn` has the reason for each figure that could not be drawn."""

    def __init__(self, numbers: Mapping[str, dict], not_drawn: Mapping[str, str]) -> None:
        super().__init__(numbers)
        self.not_drawn = dict(not_drawn)


def built(names: Sequence[str] = (), folder: str | PathLike[str] | None = None) -> Built:
    """Read the numbers of figures from figures/NAME.json.

    Parameters
    ----------
    names : sequence of str
        Names of the figures; empty for all figures in the folder except the claims table.
    folder : path, optional
        Folder of the figures; by default the one that make builds into.

    Returns
    -------
    Built
        Contents of each file by the name of the figure, with the hash of the file as `sha256`.

    Raises
    ------
    ValueError
        A file does not contain the numbers of a figure, or no figure has been built.
    """
    folder = Path(folder or paths.BUILT)
    files = sorted([folder / f"{name}.json" for name in names] or folder.glob("*.json"))
    found, not_drawn = {}, {}
    for path in files:
        content = path.read_bytes()
        try:
            numbers = json.loads(content)
            if "not_drawn" in numbers:
                not_drawn[path.stem] = str(numbers["not_drawn"])
            elif numbers["notebook"] != "claims":
                found[path.stem] = numbers | {"sha256": hashlib.sha256(content).hexdigest()}
                EVIDENCE[numbers["origin"]], [value["quantity"] for value in numbers["values"]]
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{path.name} does not contain a figure's numbers ({error!r}): make {path.stem}") from None
    if not found:
        why = "".join(f"; {name} was not drawn: {reason}" for name, reason in not_drawn.items())
        raise ValueError(f"no figure has been built in {folder.name}: make figures{why}")
    return Built(found, not_drawn)


def sources(found: Mapping[str, dict], stated: Paper) -> dict[str, xr.Dataset]:
    """Return the figures and claims.yml in the form in which `figures.save` takes recordings."""
    synthetic = [name for name, one in found.items() if EVIDENCE[one["origin"]] == CLOSURE]
    inputs = {name: (f"{name}.json", one["sha256"], name in synthetic) for name, one in found.items()}
    # claims.yml is not a recording: it counts as synthetic only if all of the figures are.
    inputs["claims"] = (
        "claims.yml",
        hashlib.sha256(stated.path.read_bytes()).hexdigest(),
        len(synthetic) == len(found),
    )
    return {
        name: xr.Dataset(attrs=dict(file=file, sha256=sha256, origin="synthetic" if stamped else "measured"))
        for name, (file, sha256, stamped) in inputs.items()
    }


def verdict(claim: Claim, finding: Mapping) -> tuple[str, str]:
    """Compare a finding with a claim.

    Parameters
    ----------
    claim : Claim
    finding : mapping
        As returned by `findings.finding`.

    Returns
    -------
    verdict, reason : str
        One of VERDICTS, and the reason if the finding does not decide the claim.

    Raises
    ------
    ValueError
        The finding is a number and the claim a yes/no statement, or the reverse.
    """
    value = finding["value"]
    low, high = (None if finding[end] is None else Decimal(str(finding[end])) for end in ("low", "high"))
    if value is not None and isinstance(value, bool) != (claim.kind == "qualitative"):
        raise ValueError(f"{finding['quantity']} of {finding['sample']} is {value}: claim {claim.id} is {claim.kind}")
    if claim.samples and finding["sample"] not in claim.samples:
        return NO_DATA, f"the paper states it for {', '.join(claim.samples)}"
    if value is None and low is None and high is None:
        return UNDECIDED, "the data do not decide it"
    if claim.kind == "qualitative":
        return (AGREES if value == (claim.expected.get(finding["sample"], "yes") == "yes") else DISAGREES), ""
    if finding["unit"] != claim.unit:
        return NO_DATA, f"it was found in {finding['unit'] or 'no unit'}, not in {claim.unit}"
    if claim.kind == "bound":
        return _bound_verdict(claim, low, high)
    number, margin = claim.number, claim.margin
    # The interval of a staircase goes from the last sustained step to the one that failed. A stated step must be below
    # the failed one by more than its margin; any other number may lie outside the interval by its margin.
    last = None if high is None else high - margin if claim.kind == "step" else high + margin
    if (low is not None and number < low - margin) or (last is not None and number > last):
        return DISAGREES, ""
    if claim.kind == "step" and number == last:
        return DISAGREES, ""
    # An interval without a bound on one side can exclude a number, but cannot confirm it.
    if low is None or high is None:
        return UNDECIDED, f"the data give no {'lower' if low is None else 'upper'} bound"
    return AGREES, ""


def _bound_verdict(claim: Claim, low: Decimal | None, high: Decimal | None) -> tuple[str, str]:
    sign = -1 if claim.relation in ("<", "<=") else 1  # an upper bound is a lower bound of the negative number
    worst, best = (None if end is None else sign * end for end in ((low, high) if sign == 1 else (high, low)))
    bound = sign * claim.number - claim.margin
    strict = "=" not in claim.relation
    if worst is not None and (worst > bound or (worst == bound and not strict)):
        return AGREES, ""
    if best is not None and (best < bound or (best == bound and strict)):
        return DISAGREES, ""
    return UNDECIDED, "the stated bound lies inside the interval"


def table(stated: Paper, found: Mapping[str, dict]) -> pd.DataFrame:
    """Return the claims table.

    Parameters
    ----------
    stated : Paper
        From `paper.load`.
    found : mapping of str to dict
        From `built`.

    Returns
    -------
    pandas.DataFrame
        A row for each finding, in the order of claims.yml, contradictions last. All cells are text: `low`, `high` and
        `value` are numbers that `float` accepts, or `value` is "yes" or "no". Empty fields are "". `against` is the
        claim or number with which a contradiction compares another.

    Raises
    ------
    ValueError
        A finding is of another kind than the claim that it tests.
    """
    own = {path.stem: _committed(path.stem) for path in (paths.ROOT / "figures").glob("*.json")}
    own.pop("claims", None)
    of_figures = techniques.of_figures(own, paths.ROOT / "raw") | techniques.of_figures(found, paths.RAW)
    rows = [row for claim in stated.claims.values() for row in _claim_rows(claim, found)]
    for row in rows:
        could = (name for name, numbers in own.items() if _could_test(stated.claims[row["claim"]], numbers))
        row["technique"] = techniques.joined(of_figures[name] for name in ([row["figure"]] if row["figure"] else could))
    of_claims = {row["claim"]: row["technique"] for row in rows}
    rows += [_contradiction_row(stated, entry, of_claims) for entry in stated.contradictions]
    return pd.DataFrame(rows, dtype=str)


def _claim_rows(claim: Claim, found: Mapping[str, dict]) -> Iterator[dict[str, str]]:
    tested = []
    for figure, numbers in found.items():
        rows = [one for one in numbers["values"] if tests(claim, numbers, one)]
        for one in rows:
            of_one = [row for row in rows if all(row[key] == one[key] for key in ("quantity", "sample", "state"))]
            # A claim is about the condition: its replicates do not test it one by one.
            if _is_of_condition(one) or not any(map(_is_of_condition, of_one)):
                tested.append(one["sample"])
                word, reason = _verdict_of_condition(claim, one, [row for row in of_one if row is not one])
                mixed = "the figure uses recordings of several origins" if numbers["origin"] == "mixed" else ""
                said = rendered(one | {"note": deciding.stated(one["note"])[0]})
                note = "; ".join(filter(None, [reason, said, claim.note, mixed]))
                yield _row(claim, one, EVIDENCE[numbers["origin"]], word, note) | {"figure": figure}
    for sample in [one for one in claim.samples if one not in tested] or ([""] if not tested else []):
        reason = claim.untestable or _why_untested(claim, sample, found)
        nothing = dict(quantity="", sample=sample, state="", value=None, low=None, high=None)
        yield _row(claim, nothing, "", NO_DATA, "; ".join(filter(None, [reason, claim.note])))


def _is_of_condition(one: Mapping) -> bool:
    return "n" in one or "higher" in one


def _verdict_of_condition(claim: Claim, one: Mapping, replicates: Sequence[Mapping]) -> tuple[str, str]:
    """Return the verdict of a finding, or of its replicates if they have one and do not bound their median at all.

    Three cells that outlast a test do not bound the median life, but a statement about each of them is tested.
    """
    word, reason = verdict(claim, one)
    if word == UNDECIDED and "median" in one and one["value"] is one["low"] is one["high"] is None:
        words = {verdict(claim, row)[0] for row in replicates}
        if len(words) == 1 and words != {UNDECIDED}:
            return words.pop(), f"in each of {one['n']} replicates, which do not bound the median"
    return word, reason


def _why_untested(claim: Claim, sample: str, found: Mapping[str, dict]) -> str:
    """Say which condition of a claim no finding meets, so that a misspelt one in claims.yml is noticed."""
    by = claim.findings
    if by is None:
        return "claims.yml names no finding that tests it"
    quantities = " or ".join(by.quantities)
    of_quantity = [
        (one, numbers) for numbers in found.values() for one in numbers["values"] if one["quantity"] in by.quantities
    ]
    of_sample = [(one, numbers) for one, numbers in of_quantity if not sample or one["sample"] == sample]
    if not of_quantity:
        reason = f"no figure has found the quantity {quantities}"
    elif not of_sample:
        reason = f"no figure has found {quantities} for this sample"
    elif by.state is not None and by.state not in {one["state"] for one, _ in of_sample}:
        reason = f"no figure has found {quantities} in the state {by.state!r}"
    else:
        reason = f"no figure has found {quantities} for recordings of the role {by.role!r}"
    return "; ".join([reason, *_lost(claim, sample, found)])


def _lost(claim: Claim, sample: str, found: Mapping[str, dict]) -> Iterator[str]:
    """Yield which figures and recordings that could test a claim could not be used, with the reason.

    Which quantities a figure finds is known from those that it has found, or from the committed ones.
    """
    for name, numbers in found.items():
        for one in numbers.get("left_out", ()):
            if sample in ("", one["sample"]) and (_could_test(claim, numbers) or _could_test(claim, _committed(name))):
                yield f"{manifest.named(one)} is left out of {name}: {one['reason']}"
    for name, reason in getattr(found, "not_drawn", {}).items():
        if _could_test(claim, _committed(name)):
            yield f"{name} was not drawn: {reason}"


def _could_test(claim: Claim, numbers: Mapping) -> bool:
    anyone = replace(claim, samples=())
    return any(tests(anyone, numbers, one) for one in numbers["values"])


@cache
def _committed(name: str) -> dict:
    """Return the numbers that the bundle's own recordings give for a figure; without values where it has none."""
    try:
        return json.loads((paths.ROOT / "figures" / f"{name}.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {"values": []}


def tests(claim: Claim, numbers: Mapping, one: Mapping) -> bool:
    """Return whether a finding tests a claim: whether quantity, sample, state and role are those that the claim names.

    Parameters
    ----------
    claim : Claim
    numbers : mapping
        Contents of figures/NAME.json. Its parameters include the role, if the notebook is used for several roles.
    one : mapping
        One of the findings in `numbers`.
    """
    by = claim.findings
    return (
        by is not None
        and one["quantity"] in by.quantities
        and (not claim.samples or one["sample"] in claim.samples)
        and by.state in (None, one["state"])
        and by.role in (None, numbers["parameters"].get("role"))
    )


def _contradiction_row(stated: Paper, entry: Mapping[str, str], of_claims: Mapping[str, str]) -> dict[str, str]:
    """Return the row that compares a number of the paper with other numbers of the paper or of the literature.

    `of_claims` has the techniques of each claim.
    """
    against = (stated.claims | stated.numbers)[entry["against"]]
    one = paper.computed(stated, entry)
    claim = Claim(entry["id"], against.where or "text", against.kind, entry["statement"], against.value, against.unit)
    word, reason = verdict(claim, one)
    terms = {*re.findall(r"[A-Za-z_]\w*", entry["formula"]), entry["against"]}
    elsewhere = any(not one.where for name, one in stated.numbers.items() if name in terms)
    evidence = LITERATURE if elsewhere else ARITHMETIC
    row = _row(claim, one, evidence, word, "; ".join(filter(None, [reason, rendered(one)])))
    compared = {"kind": "contradiction", "quantity": "", "against": entry["against"]}
    return row | compared | {"technique": of_claims.get(entry["against"], "")}


def _row(claim: Claim, one: Mapping, evidence: str, word: str, note: str) -> dict[str, str]:
    shown = {end: "" if one[end] is None else text(one[end], one) for end in ("value", "low", "high")}
    stands = claim.value or claim.expected.get(one["sample"], "yes")
    stands = f"≈ {stands}" if claim.kind == "approx" else stands
    return {
        "panel": claim.where,
        "claim": claim.id,
        "kind": claim.kind,
        "statement": claim.statement,
        "sample": one["sample"],
        "state": ", ".join(filter(None, (one["state"], f"replicate {one['replicate']}" if "replicate" in one else ""))),
        "quantity": one["quantity"],
        "paper": stands,
        **shown,
        "unit": one.get("unit") or claim.unit,
        "technique": "",
        "evidence": evidence,
        "verdict": word,
        "would_decide": deciding.wanted(claim, one) if word == UNDECIDED else "",
        "figure": "",
        "against": "",
        "note": note,
    }
