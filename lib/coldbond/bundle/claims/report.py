"""The claims table for a notebook, as CSV, as an HTML page and for the terminal; and its changes since a commit."""

import csv
import os
import re
import subprocess
from collections import Counter
from collections.abc import Sequence
from html import escape
from io import StringIO
from pathlib import Path
from string import Template
from textwrap import shorten, wrap

import pandas as pd

from coldbond.bundle import paths
from coldbond.bundle.claims.verdicts import AGREES, DISAGREES, UNTESTED, VERDICTS

WIDTH = 120  # of the terminal, characters
#: Shown beside the colour of a verdict, for readers who cannot tell the colours apart.
SHAPES = {AGREES: "●", DISAGREES: "✕", UNTESTED: "○"}
LEGEND = (
    "There is a row for every finding that tests a statement, and for every statement that no finding tests. A number "
    "agrees if it lies in the 95 % interval, widened by the rounding of its last digit. Synthetic (closure): the "
    "recordings were simulated from the paper's own values, so agreement tests the analysis and does not confirm the "
    "experiment. Holds in: number of runs with other defensible choices of the analysis in which the statement holds "
    "(make multiverse)."
)


def recomputed(row: pd.Series | dict) -> str:
    """Return the recomputed value with its interval: "55.2 (55.0 to 55.4)", "> 2000.17", "yes" or ""."""
    value, low, high = (row[key] for key in ("value", "low", "high"))
    if not low and not high:
        return value
    interval = f"{low} to {high}" if low and high else f"> {low}" if low else f"< {high}"
    return f"{value} ({interval})" if value else interval


def shown(table: pd.DataFrame) -> pd.DataFrame:
    """Return the columns of the table that the notebook shows."""
    columns = {
        "panel": table.panel,
        "statement": table.statement.str.cat(table["sample"].map(lambda sample: f" [{sample}]" if sample else "")),
        "paper": [with_unit(row.paper, row.unit) for row in table.itertuples()],
        "recomputed (95 % interval)": [recomputed(row) for row in table.to_dict("records")],
        "evidence": table.evidence,
        "verdict": table.verdict,
        "holds in": table.get("holds_in", pd.Series("", index=table.index)),
        "note": table.note,
    }
    return pd.DataFrame(columns).set_index("panel")


def counts(table: pd.DataFrame) -> pd.DataFrame:
    """Return the number of rows by evidence and verdict, and the number of statements."""
    kinds = table.assign(evidence=table.evidence.replace("", "none"))
    found = pd.crosstab(kinds.evidence, kinds.verdict).reindex(columns=list(VERDICTS), fill_value=0)
    return found.assign(statements=kinds.groupby("evidence").claim.nunique())


def with_unit(text: str, unit: str) -> str:
    """Return a number with its unit; an answer, yes or no, has none."""
    return text if text in ("yes", "no") else f"{text} {unit}".strip()


def as_csv(table: pd.DataFrame) -> str:
    """Return all columns of `verdicts.table` as CSV."""
    return table.to_csv(index=False, lineterminator="\n")


def as_html(table: pd.DataFrame, folder: str = "") -> str:
    """Return the table as an HTML page that can be sorted and links to the pictures and executed notebooks.

    Parameters
    ----------
    table : pandas.DataFrame
        From `verdicts.table`.
    folder : str
        Path from the page to the figures, "" or ending in "/".
    """
    template = Template(Path(__file__).with_name("page.html").read_text(encoding="utf-8"))
    number = Counter(table.verdict)
    summary = ", ".join(f"{SHAPES[word]} {number[word]} {word}" for word in VERDICTS)
    rows = "\n".join(_html_row(row, folder) for row in table.to_dict("records"))
    return template.substitute(summary=escape(summary), legend=escape(LEGEND), rows=rows)


def _html_row(row: dict[str, str], folder: str) -> str:
    figure = row["figure"]
    links = (
        f'<a href="{folder}{figure}.png">{figure}</a> <a href="{folder}executed/{figure}.ipynb">notebook</a>'
        if figure
        else ""
    )
    condition = ", ".join(filter(None, [row["sample"], row["state"], row["quantity"].replace("_", " ")]))
    cells = [
        escape(row["panel"]),
        f"{escape(row['statement'])}<small>{escape(condition)}</small>",
        escape(with_unit(row["paper"], row["unit"])),
        escape(recomputed(row)),
        escape(row["evidence"]),
        f"{SHAPES[row['verdict']]} {row['verdict']}",
        escape(row.get("holds_in", "")),
        links,
        escape(row["note"]),
    ]
    kind = row["verdict"].split()[0]
    return f'<tr class="{kind}" id="row-{_anchor(row)}">' + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def _anchor(row: dict[str, str]) -> str:
    return re.sub(r"\W+", "-", "-".join(row[key] for key in KEY if row[key]))


def write(table: pd.DataFrame, name: str = "claims") -> None:
    """Write NAME.csv and NAME.html into the folder that `figures.save` writes to."""
    paths.FIGURES.mkdir(parents=True, exist_ok=True)
    # A table built by make is moved beside the figures afterwards; a draft stays in its own folder.
    folder = "" if "COLDBOND_BUILT" in os.environ else f"{os.path.relpath(paths.BUILT, paths.FIGURES)}/"
    for suffix, content in ((".csv", as_csv(table)), (".html", as_html(table, folder))):
        part = paths.FIGURES / f".{name}{suffix}.{os.getpid()}"
        part.write_text(content, encoding="utf-8", newline="")
        os.replace(part, paths.FIGURES / f"{name}{suffix}")


# ---- the terminal ---------------------------------------------------------------------------------------------------

#: The columns that identify a row, when two versions of the table are compared.
KEY = ("claim", "sample", "state", "quantity", "figure")


def as_text(rows: Sequence[dict[str, str]]) -> str:
    """Return the rows of claims.csv as text for a terminal, with the note of each row that does not agree."""
    cells = [
        (
            row["panel"],
            row["claim"],
            row["sample"],
            with_unit(row["paper"], row["unit"]),
            recomputed(row),
            row["evidence"].removesuffix(" (closure)"),
            row["verdict"],
        )
        for row in rows
    ]
    heading = ("panel", "claim", "sample", "paper", "recomputed (95 %)", "evidence", "verdict")
    most = (8, 22, 10, 12, 30, 9, 17)
    widths = [
        min(limit, max(map(len, column))) for limit, column in zip(most, zip(heading, *cells, strict=True), strict=True)
    ]
    lines = [_line(heading, widths), _line(["-" * width for width in widths], widths)]
    for row, texts in zip(rows, cells, strict=True):
        lines.append(_line(texts, widths))
        if row["verdict"] != AGREES:
            lines += wrap(row["note"], WIDTH, initial_indent=" " * 10, subsequent_indent=" " * 10)
    number = Counter(row["verdict"] for row in rows)
    total = ", ".join(f"{number[word]} {word}" for word in VERDICTS)
    return "\n".join([*lines, "", *wrap(LEGEND, WIDTH), f"{len(rows)} rows: {total}."])


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    texts = [cell if len(cell) <= width else f"{cell[: width - 1]}…" for cell, width in zip(cells, widths, strict=True)]
    return "  ".join(text.ljust(width) for text, width in zip(texts, widths, strict=True)).rstrip()


def rows_of(text: str) -> list[dict[str, str]]:
    """Return the rows of claims.csv."""
    return list(csv.DictReader(StringIO(text, newline="")))


def committed(path: Path) -> str | None:
    """Return the contents of a file in git's HEAD, or None without git or without the file in HEAD."""
    try:
        shown = subprocess.run(["git", "show", f"HEAD:./{path.name}"], cwd=path.parent, capture_output=True)
    except FileNotFoundError:
        return None
    return shown.stdout.decode() if shown.returncode == 0 else None


def changes(before: Sequence[dict[str, str]], now: Sequence[dict[str, str]]) -> list[str]:
    """Return one line for each row whose verdict differs, or that exists in one of the two tables only."""
    old, new = ({tuple(row[key] for key in KEY): row for row in rows} for rows in (before, now))
    lines = []
    for key in dict.fromkeys([*old, *new]):
        was, is_now = (rows[key]["verdict"] if key in rows else "no row" for rows in (old, new))
        if was != is_now:
            what = ", ".join(filter(None, key))
            lines.append(shorten(f"{what}: {was} -> {is_now}", 1000))
    return lines
