"""The tables of a view as the page shows them, and as rows of numbers for CSV and JSON."""

import csv
import io
import re
from typing import Any

import pandas as pd

from coldbond.explore import help
from coldbond.explore.controls import Reading, View

#: A number and its unit.
NUMBER = re.compile(r"([-−]?\d[\d.]*(?:e[-+]?\d+)?)(?: ([^\s\d(,]\S*))?")
COLUMNS = ("quantity", "column", "value", "low", "high", "unit", "text")


def shown(table: pd.DataFrame, view: View) -> dict[str, Any]:
    """Return a table as the page shows it, with a help text for each row, or for each column where it has several."""
    single = list(table.columns) == [""]
    cells = [["—" if x is None or x != x else str(x) for x in table.iloc[:, place]] for place in range(table.shape[1])]
    columns = [_without_unit(str(name), own) for name, own in zip(table.columns, cells, strict=True)]
    alone = single or not any(map(help.readout, map(str, table.columns)))
    about = [
        {
            "label": str(label),
            "help": (help.readout(str(label)) or help.readout(getattr(view, "unnamed", "?"))) if alone else "",
            "cells": list(row) if single else [own[place] for _, own in columns],
        }
        for place, (label, row) in enumerate(zip(table.index, zip(*cells, strict=True), strict=True))
    ]
    heads = [
        {"label": shown, "help": "" if alone else help.readout(str(name))}
        for name, (shown, _) in zip(table.columns, columns, strict=True)
    ]
    corner = str(table.index.name or "").replace("cm2", "cm²")
    return {"corner": corner, "columns": [] if single else heads, "rows": about}


def _without_unit(name: str, cells: list[str]) -> tuple[str, list[str]]:
    """Move the unit that all numbers of a column have to its name, for narrow screens."""
    numbers = [NUMBER.fullmatch(cell) for cell in cells if cell not in ("", "—")]
    units = {(number[2] or "") if number else "" for number in numbers}
    if len(units) != 1 or units == {""}:
        return name, cells
    (unit,) = units
    return f"{name} / {unit}", [cell.removesuffix(f" {unit}") for cell in cells]


def rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the cells of a table as rows of quantity, value, interval and unit."""
    found = []
    for label, row in table.to_dict("index").items():
        for name, cell in row.items():
            number = cell if isinstance(cell, Reading) else _reading(str(cell))
            if str(cell):
                of = {"quantity": str(label), "column": str(name), "value": number.value, "low": number.low}
                found.append(of | {"high": number.high, "unit": number.unit, "text": number.text})
    return found


def _reading(text: str) -> Reading:
    number = NUMBER.fullmatch(text)
    return Reading(text, float(number[1].replace("−", "-")), unit=number[2] or "") if number else Reading(text, None)


def as_csv(rows: list[dict[str, Any]]) -> str:
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({name: _harmless(value) for name, value in row.items()})
    return buffer.getvalue()


def _harmless(value: Any) -> Any:
    """Return a cell that no spreadsheet takes for a formula: a file may be called =HYPERLINK(...)."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t") else value
