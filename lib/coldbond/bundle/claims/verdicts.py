"""Does a finding agree with a claim? One row for every finding that tests one, and for every claim that none tests."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from os import PathLike
from pathlib import Path

import pandas as pd
import xarray as xr

from coldbond.bundle import paths
from coldbond.bundle.claims import paper
from coldbond.bundle.claims.paper import Claim, Paper
from coldbond.bundle.findings import rendered, text

AGREES, DISAGREES, UNTESTED = VERDICTS = ("agrees", "disagrees", "not testable here")
EVIDENCE = {
    "measured": "measured",
    "computed": "computed",
    "synthetic": "synthetic (closure)",
    "mixed": "synthetic (closure)",  # no stronger than the weakest of what it was drawn from
}


def built(names: Sequence[str] = (), folder: str | PathLike[str] | None = None) -> dict[str, dict]:
    """Return the numbers of figures, as figures/NAME.json holds them.

    Parameters
    ----------
    names : sequence of str
        The figures; without them, all that lie in the folder but the claims table.
    folder : path, optional
        Where they lie; without it, where make builds them.

    Returns
    -------
    dict of str to dict
        By the figure's name. `sha256` is that of the file.

    Raises
    ------
    ValueError
        A file does not hold a figure's numbers, or there is none.
    """
    folder = Path(folder or paths.BUILT)
    files = sorted([folder / f"{name}.json" for name in names] or folder.glob("*.json"))
    found = {}
    for path in files:
        content = path.read_bytes()
        try:
            numbers = json.loads(content)
            if numbers["notebook"] != "claims":
                found[path.stem] = numbers | {"sha256": hashlib.sha256(content).hexdigest()}
                EVIDENCE[numbers["origin"]], [value["quantity"] for value in numbers["values"]]
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{path.name}: these are no numbers of a figure ({error!r}): make {path.stem}") from None
    if not found:
        raise ValueError(f"no figure has been built in {folder.name}: make figures")
    return found


def sources(found: Mapping[str, dict], stated: Paper) -> dict[str, xr.Dataset]:
    """Return what the table was made from, in the form that `figures.save` takes recordings in."""
    synthetic = [name for name, one in found.items() if EVIDENCE[one["origin"]] == EVIDENCE["synthetic"]]
    inputs = {name: (f"{name}.json", one["sha256"], name in synthetic) for name, one in found.items()}
    # What the paper states is no recording: it is stamped, or not, as the figures are.
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
    """Return whether a finding agrees with a claim, and why nothing follows where nothing does.

    Parameters
    ----------
    claim : Claim
    finding : mapping
        As `findings.finding` returns it.

    Returns
    -------
    verdict, reason : str
        One of VERDICTS. A number agrees where it lies in the 95 % interval, widened by the number's own `margin`. A
        step agrees where the interval begins at it: where it ends, the cell failed. A bound agrees where the whole
        interval keeps it, and disagrees where none of it does. An interval that is open on a side can only disagree.

    Raises
    ------
    ValueError
        A number was found for a yes/no claim, or yes or no for a number.
    """
    value = finding["value"]
    low, high = (None if finding[end] is None else Decimal(str(finding[end])) for end in ("low", "high"))
    if value is not None and isinstance(value, bool) != (claim.kind == "qualitative"):
        raise ValueError(f"{finding['quantity']} of {finding['sample']} is {value}: claim {claim.id} is {claim.kind}")
    if claim.samples and finding["sample"] not in claim.samples:
        return UNTESTED, f"the paper states it of {', '.join(claim.samples)}"
    if value is None and low is None and high is None:
        return UNTESTED, "the data do not decide it"
    if claim.kind == "qualitative":
        return (AGREES if value == (claim.expected.get(finding["sample"], "yes") == "yes") else DISAGREES), ""
    if finding["unit"] != claim.unit:
        return UNTESTED, f"it was found in {finding['unit'] or 'no unit'}, not in {claim.unit}"
    if claim.kind == "bound":
        return _of_bound(claim, low, high)
    number, margin = claim.number, claim.margin
    last = None if high is None else high - margin if claim.kind == "step" else high + margin
    if (low is not None and number < low - margin) or (last is not None and number > last):
        return DISAGREES, ""
    if claim.kind == "step" and number == last:
        return DISAGREES, ""
    if low is None or high is None:
        return UNTESTED, f"the data give no {'lower' if low is None else 'upper'} bound"
    return AGREES, ""


def _of_bound(claim: Claim, low: Decimal | None, high: Decimal | None) -> tuple[str, str]:
    sign = -1 if claim.relation in ("<", "<=") else 1  # of a negative number "at most" is "at least"
    worst, best = (None if end is None else sign * end for end in ((low, high) if sign == 1 else (high, low)))
    bound = sign * claim.number - claim.margin
    strict = "=" not in claim.relation
    if worst is not None and (worst > bound or (worst == bound and not strict)):
        return AGREES, ""
    if best is not None and (best < bound or (best == bound and strict)):
        return DISAGREES, ""
    return UNTESTED, "the stated bound lies inside the interval"


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
        In the order of claims.yml; contradictions last. All of it is text; `value`, `low` and `high` are numbers that
        `float` takes, or value is yes or no. A field that has nothing to say is "".

    Raises
    ------
    ValueError
        A finding is of another kind than the claim that it tests.
    """
    rows = [row for claim in stated.claims.values() for row in _of_claim(claim, found)]
    return pd.DataFrame(rows + [_of_contradiction(stated, entry) for entry in stated.contradictions], dtype=str)


def _of_claim(claim: Claim, found: Mapping[str, dict]) -> Iterator[dict]:
    tested = []
    for figure, numbers in found.items():
        for one in numbers["values"]:
            if tests(claim, numbers, one):
                tested.append(one["sample"])
                word, reason = verdict(claim, one)
                mixed = "drawn from recordings of several origins" if numbers["origin"] == "mixed" else ""
                note = "; ".join(filter(None, [reason, rendered(one), claim.note, mixed]))
                yield _row(claim, one, EVIDENCE[numbers["origin"]], word, note) | {"figure": figure}
    for sample in [one for one in claim.samples if one not in tested] or ([""] if not tested else []):
        reason = claim.untestable or f"no figure here {'shows it of this sample' if tested else 'tests it'}"
        nothing = dict(quantity="", sample=sample, state="", value=None, low=None, high=None)
        yield _row(claim, nothing, "", UNTESTED, "; ".join(filter(None, [reason, claim.note])))


def tests(claim: Claim, numbers: Mapping, one: Mapping) -> bool:
    """Return whether a finding of a figure tests a claim, by the quantity, sample, state and role that the claim names.

    Parameters
    ----------
    claim : Claim
    numbers : mapping
        The figure's, as figures/NAME.json holds them; its parameters have the role of the recordings where a notebook
        is for several.
    one : mapping
        One of its values.
    """
    by = claim.findings
    return (
        one["quantity"] in by.get("quantity", ())
        and (not claim.samples or one["sample"] in claim.samples)
        and one["state"] == by.get("state", one["state"])
        and by.get("role") in (None, numbers["parameters"].get("role"))
    )


def _of_contradiction(stated: Paper, entry: Mapping[str, str]) -> dict:
    """Return the row of a claim that other numbers speak to, of the paper or of others."""
    against = (stated.claims | stated.numbers)[entry["against"]]
    one = paper.computed(stated, entry)
    claim = Claim(entry["id"], against.where or "text", against.kind, entry["statement"], against.value, against.unit)
    word, reason = verdict(claim, one)
    row = _row(claim, one, "computed", word, "; ".join(filter(None, [reason, rendered(one)])))
    return row | {"kind": "contradiction", "quantity": ""}


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
        "state": one["state"],
        "quantity": one["quantity"],
        "paper": stands,
        **shown,
        "unit": one.get("unit") or claim.unit,
        "evidence": evidence,
        "verdict": word,
        "figure": "",
        "note": note,
    }
