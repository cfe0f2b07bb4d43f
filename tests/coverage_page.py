"""docs/coverage.json and docs/coverage.md: how often findings held the truth. tests/closure.py writes both."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from scipy import stats

DOCS = Path(__file__).parents[1] / "docs"
VERDICTS = ("right", "wrong", "silent", "failed")
#: Coverage of a single quantity below which it falls short. Of 50 intervals that cover 95 in 100, fewer than 45 cover
#: the truth in 4 of 100 cases.
LEAST = 0.90
#: Decisions of a test at the 5 % level, of which 5 in 100 are wrong.
TESTS = ("obeys_kramers_kronig", "circuit_describes_the_spectrum", "straight_over_inverse_temperature")
#: Coverage of all quantities of a family together for which "95 %" is right.
TOGETHER = (0.93, 0.98)
FAMILIES = {
    "twin": "Recordings of lib/twin",
    "independent": "Cells of other making: tests/independent",
}

Key = tuple[str, str, str]  # sample, state, quantity
Truth = float | bool | None
Record = dict[str, Any]


class Judgement(NamedTuple):
    """What the notebooks say of one realisation, beside the truth.

    Attributes
    ----------
    verdicts : dict of Key to str
        "right", "wrong", "silent" (a null where the truth is known) or "failed" (no finding at all).
    truths : dict of Key to float, bool or None
    untold : list of Key
        Findings without a known truth.
    """

    verdicts: dict[Key, str]
    truths: dict[Key, Truth]
    untold: list[Key]


def counted(judgements: Sequence[Judgement | str], by_state: bool) -> Record:
    """Count verdicts over realisations.

    Parameters
    ----------
    judgements : sequence of Judgement or str
        One a realisation; a text says why a notebook failed, which counts as "failed" for every quantity.
    by_state : bool
        Whether states of a sample are counted apart.

    Returns
    -------
    dict
        `rows`, one for each sample, state and quantity, with the counts; `untold`, quantities without a known truth;
        `failures`, why notebooks failed.
    """
    counts: dict[tuple[str, str, str, str], Counter] = {}
    untold: dict[str, None] = {}
    for one in judgements:
        if isinstance(one, str):
            continue
        for (sample, state, quantity), verdict in one.verdicts.items():
            key = sample, state if by_state else "", quantity, _truth(one.truths[sample, state, quantity])
            counts.setdefault(key, Counter())[verdict] += 1
        untold |= {", ".join(key if by_state else (key[0], key[2])): None for key in one.untold}
    failures = [one for one in judgements if isinstance(one, str)]
    whole = len(judgements) - len(failures)
    rows = []
    for key, count in counts.items():
        row: Record = dict(zip(("sample", "state", "quantity", "truth"), key, strict=True))
        row |= {name: count[name] for name in VERDICTS}
        row["failed"] += round(len(failures) * count.total() / whole)  # as often as in a realisation that was analysed
        rows.append(row)
    return {"rows": rows, "untold": list(untold), "failures": failures}


def _truth(truth: Truth) -> str:
    return {type(None): "cannot be told", bool: "yes or no"}.get(type(truth), "number")


def publish(family: str, name: str, record: Record, docs: Path = DOCS) -> None:
    """Put the counts of a figure or a kind into the JSON, in place of those it held, and write the page anew."""
    path = docs / "coverage.json"
    held = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    held.setdefault(family, {})[name] = record
    path.write_text(json.dumps(held, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")
    (docs / "coverage.md").write_text(page(held), encoding="utf-8")


def share(row: Mapping) -> tuple[float, float, float] | None:
    """Return the share of right answers among those given, with its 95 % interval (Wilson 1927)."""
    given = row["right"] + row["wrong"]
    if not given:
        return None
    interval = stats.binomtest(row["right"], given).proportion_ci(method="wilson")
    return row["right"] / given, float(interval.low), float(interval.high)


def shortcoming(row: Mapping) -> str:
    """Return in what a quantity falls short; "" where it does not."""
    found = []
    if row["truth"] == "number" or row["quantity"] in TESTS:
        covered = share(row)
        found += [f"covers less than {100 * LEAST:.0f} %"] if covered and covered[0] < LEAST else []
    elif row["wrong"]:
        found += ["wrong"]
    return ", ".join([*found, *(["no finding"] if row["failed"] else [])])


def printed(name: str, record: Record) -> str:
    """Return the counts of a figure or a kind as text for a terminal."""
    lines = [f"{name:<84} right wrong  null failed"]
    for row in record["rows"]:
        label = " ".join(filter(None, (row["sample"], row["state"], row["quantity"])))
        lines.append(
            f"{label:<84} {row['right']:5} {row['wrong']:5} {row['silent']:5} {row['failed']:6}  {shortcoming(row)}"
        )
    lines += [f"without a known truth: {one}" for one in record["untold"]]
    return "\n".join([*lines, *(f"failed: {one}" for one in record["failures"])])


def page(held: Mapping[str, Mapping[str, Record]]) -> str:
    """Return docs/coverage.md."""
    parts = [INTRODUCTION, *_overview(held)]
    for family, title in FAMILIES.items():
        parts.append(f"## {title}\n")
        for name, record in sorted(held.get(family, {}).items()):
            parts += _section(name, record)
    return "\n".join(parts)


INTRODUCTION = """\
# How often the intervals hold the truth

`make closure` runs the notebooks on simulated recordings whose truth is known, and writes this page from
`coverage.json`. There are two families of recordings: those of `lib/twin`, simulated like the recordings in `raw/`, and
those of `tests/independent`, written apart from it with other equations and other flaws. Each realisation has new
noise. Constants in the manifest (area, thickness, mass) and the calibration of the tester deviate from the true ones
as much as the parameters of the notebook say.

- **right**: the 95 % interval, or the bound, holds the true number; the decision is the true one; or there is no value
  where the recording cannot tell it.
- **wrong**: it does not. **null**: no value though there is a truth. **failed**: no finding, because the notebook or
  the analysis of the cell ended with an error.
- **coverage**: right / (right + wrong), with its own 95 % interval (Wilson).
- **falls short**: less than 90 % of the intervals of a quantity hold the truth, a decision is wrong (of a test at the
  5 % level: more than 10 %), a value is given that the recording cannot tell, or there is no finding.
"""


def _overview(held: Mapping[str, Mapping[str, Record]]) -> Iterable[str]:
    low, high = TOGETHER
    wanted = f"{100 * low:.0f} to {100 * high:.0f} %"
    yield f"All quantities together; of intervals of 95 %, {wanted} should hold the truth.\n"
    yield "| family | truth | right | wrong | null | failed | coverage | |"
    yield "|---|---|---|---|---|---|---|---|"
    for family, title in FAMILIES.items():
        rows = [row for record in held.get(family, {}).values() for row in record["rows"]]
        for truth in ("number", "yes or no", "cannot be told"):
            of_truth = [row for row in rows if row["truth"] == truth]
            if of_truth:
                summed = {name: sum(row[name] for row in of_truth) for name in VERDICTS}
                found = share(summed)
                remark = ""
                if truth == "number" and found:
                    remark = "too few" if found[2] < low else "too many: too wide" if found[1] > high else ""
                yield _line(title, truth, *(summed[name] for name in VERDICTS), _percent(found), remark)
    yield ""


def _section(name: str, record: Record) -> Iterable[str]:
    first, last = record["seeds"]
    yield f"### {name}\n"
    yield f"{last - first + 1} realisations, seeds {first} to {last}, {record['date']}, commit {record['commit']}.\n"
    yield "| sample | state | quantity | truth | right | wrong | null | failed | coverage | falls short |"
    yield "|---|---|---|---|---|---|---|---|---|---|"
    for row in record["rows"]:
        counts = (row[verdict] for verdict in VERDICTS)
        labels = (row[label] for label in ("sample", "state", "quantity", "truth"))
        yield _line(*labels, *counts, _percent(share(row)), shortcoming(row))
    yield ""
    if record["untold"]:
        yield f"Without a known truth: {'; '.join(record['untold'])}.\n"
    if record["failures"]:
        yield f"The notebook failed in {len(record['failures'])} realisations, first: {record['failures'][0]}\n"


def _line(*cells: object) -> str:
    return f"| {' | '.join(str(cell) for cell in cells)} |"


def _percent(found: tuple[float, float, float] | None) -> str:
    return "—" if found is None else f"{found[0]:.1%} ({found[1]:.1%} to {found[2]:.1%})".replace("%", " %")
