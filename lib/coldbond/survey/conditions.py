"""Rows of the table for conditions of several cells, and the comparison of their samples.

Without replicates in the manifest there are neither, and the table has the columns of single cells alone.
"""

from collections.abc import Mapping, Sequence

from coldbond.bundle import conditions
from coldbond.bundle.findings import rendered
from coldbond.bundle.manifest import REPLICATE
from coldbond.survey.cell import COLUMNS, IDENTITY, QUANTITIES

#: Columns of a table with replicates. A row is of the kind "cell" or "condition"; the standard deviation is that of a
#: condition.
WITH_CONDITIONS = (
    "kind",
    *IDENTITY[:4],
    REPLICATE,
    *IDENTITY[4:],
    "n",
    *(f"{name}{end}" for name in QUANTITIES for end in ("", "_low", "_high", "_sd")),
    *COLUMNS[-3:],
)
COMPARISON = ("role", "state", "quantity", "sample", "against", "value", "low", "high", "unit", "higher", "note")


def added(
    listed: Sequence[Mapping[str, str]], rows: Sequence[dict[str, str]], found: Sequence[Sequence[dict]]
) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """Return the rows of cells and conditions, and the comparisons of samples.

    Parameters
    ----------
    listed : sequence of mapping
        Rows of the cells in the manifest.
    rows, found : sequence
        Row and findings of each cell, from `cell.row`.

    Returns
    -------
    rows, comparisons : list of dict of str to str
        Some of `WITH_CONDITIONS`, and `COMPARISON`; where no cell has a replicate, `rows` as they were and no
        comparison.
    """
    if not any(one[REPLICATE] for one in listed):
        return list(rows), []
    table = [{"kind": "cell", REPLICATE: one[REPLICATE]} | row for one, row in zip(listed, rows, strict=True)]
    comparisons = []
    for role in dict.fromkeys(one["role"] for one in listed):
        of_role = [place for place, one in enumerate(listed) if one["role"] == role]
        combined = conditions.findings([one for place in of_role for one in found[place]])
        for sample, state in dict.fromkeys((listed[place]["sample"], listed[place]["state"]) for place in of_role):
            cells = [
                row
                for row in table
                if (row["role"], row["sample"], row["state"], row["kind"]) == (role, sample, state, "cell")
            ]
            own = [one for one in combined if (one["sample"], one["state"]) == (sample, state) and "n" in one]
            if own:
                table.append(_condition(cells, own))
        comparisons += [_comparison(role, one) for one in combined if "higher" in one]
    return table, comparisons


def _condition(cells: Sequence[dict[str, str]], combined: Sequence[dict]) -> dict[str, str]:
    analysed = [row for row in cells if "failed" not in row]
    row = {key: cells[0][key] for key in ("role", "sample", "state")}
    origins = {one["origin"] for one in analysed}
    row |= {"kind": "condition", "origin": origins.pop() if len(origins) == 1 else "mixed", "n": str(len(analysed))}
    notes = []
    lost = [one[REPLICATE] for one in cells if "failed" in one]
    if lost:
        notes.append(f"{len(lost)} of {len(cells)} cells failed and not counted: replicate {', '.join(lost)}")
    for name, quantity in QUANTITIES.items():
        own = [one for one in combined if one["quantity"] == quantity]
        if len({one["unit"] for one in own}) > 1:
            notes.append(f"{name}: the cells differ in its unit")
            continue
        for one in own:
            numbers = {"": one["value"], "_low": one["low"], "_high": one["high"], "_sd": one["standard_deviation"]}
            row |= {f"{name}{end}": repr(number) for end, number in numbers.items() if number is not None}
            notes.append(f"{name}: {rendered(one)}")
            if name == "first_capacity":
                row["capacity_unit"] = one["unit"]
    return row | {"note": "; ".join(notes)}


def _comparison(role: str, one: Mapping) -> dict[str, str]:
    numbers = {key: "" if one[key] is None else repr(one[key]) for key in ("value", "low", "high")}
    words = {True: "yes", False: "no", None: ""}
    of = {"role": role, "quantity": one["quantity"], "against": one["against"], "higher": words[one["higher"]]}
    return of | numbers | {key: one[key] for key in ("state", "sample", "unit", "note")}
