"""The claims table for a notebook, as CSV and for the terminal; and its changes since a commit."""

import csv
import subprocess
from collections import Counter
from collections.abc import Mapping, Sequence
from io import StringIO
from pathlib import Path
from textwrap import shorten, wrap

import pandas as pd

from coldbond.bundle.claims import statements
from coldbond.bundle.claims.statements import OUTSIDE, Statement
from coldbond.bundle.claims.verdicts import AGREES, NO_DATA, UNDECIDED

WIDTH = 120  # of the terminal, characters


def recomputed(row: pd.Series | dict) -> str:
    """Return the recomputed value with its interval: "55.2 (55.0 to 55.4)", "> 2000.17", "yes" or ""."""
    value, low, high = (row[key] for key in ("value", "low", "high"))
    if not low and not high:
        return value
    interval = f"{low} to {high}" if low and high else f"> {low}" if low else f"< {high}"
    return f"{value} ({interval})" if value else interval


def stated(one: Statement) -> str:
    """Return what is stated, with its unit; answers that differ between samples with these: "LLZ: no; Li: yes"."""
    return _by_sample(one, [with_unit(row["paper"], row["unit"]) for row in one.findings])


def found(one: Statement) -> str:
    """Return what was found for a statement, with the interval; what differs between findings with their samples."""
    return _by_sample(one, [recomputed(row) or "—" for row in one.findings])


def _by_sample(one: Statement, texts: Sequence[str]) -> str:
    if len(set(texts)) == 1:
        return texts[0]
    pairs = zip((row["sample"] for row in one.findings), texts, strict=True)
    return "; ".join(dict.fromkeys(f"{sample}: {text}" if sample else text for sample, text in pairs))


def holds_in(one: Statement) -> str:
    """Return in how many runs of `make multiverse` the findings of a statement agree: "12 of 15", summed over them."""
    counted = [row["holds_in"].split(" of ") for row in one.findings if row.get("holds_in")]
    return " of ".join(str(sum(map(int, column))) for column in zip(*counted, strict=True))


def table(listed: Sequence[Statement], group: str) -> pd.DataFrame:
    """Return the statements of a group as the notebook shows them."""
    of_group = [one for one in listed if one.group == group]
    columns = {
        "panel": [one.panel for one in of_group],
        "statement": [one.statement for one in of_group],
        "stated": [stated(one) for one in of_group],
        "found (95 % interval)": [found(one) for one in of_group],
        "evidence": [one.evidence for one in of_group],
        "verdict": [one.shown for one in of_group],
        "holds in": [holds_in(one) for one in of_group],
    }
    if group == OUTSIDE:  # the arithmetic of a comparison, and what is behind a disagreement
        columns["note"] = [reason(one) if one.against or one.verdict != AGREES else "" for one in of_group]
    if group == UNDECIDED:
        columns["would decide"] = [one.would_decide for one in of_group]
    if group == NO_DATA:
        columns["reason"] = [reason(one) for one in of_group]
    return pd.DataFrame(columns).set_index("panel")


def reason(one: Statement) -> str:
    """Return the notes of the findings of a statement, each once."""
    return "; ".join(dict.fromkeys(row["note"] for row in one.findings if row["note"]))


def with_unit(text: str, unit: str) -> str:
    """Return a number with its unit; an answer, yes or no, has none."""
    return text if text in ("yes", "no") else f"{text} {unit}".strip()


def as_csv(listed: Sequence[Statement]) -> str:
    """Return the findings of all statements as CSV: the columns of `verdicts.table` after group and verdict of each."""
    rows = [{"group": one.group, "statement_verdict": one.verdict, **row} for one in listed for row in one.findings]
    return pd.DataFrame(rows, dtype=str).to_csv(index=False, lineterminator="\n")


# ---- the terminal ---------------------------------------------------------------------------------------------------

#: The columns that identify a row, when two versions of the table are compared.
KEY = ("claim", "sample", "state", "quantity", "figure")


def as_text(rows: Sequence[Mapping[str, str]]) -> str:
    """Return the rows of claims.csv as text for a terminal: a line for each statement, by group.

    Below a statement that disagrees or is not decided stand its findings, with their notes.
    """
    listed = statements.of(rows)
    heading = ("panel", "statement", "stated", "found (95 %)", "evidence", "verdict")
    most = (8, 24, 12, 32, 10, 13)
    whole = {one.claim: _cells(one) for one in listed}
    columns = zip(heading, *(cells for lines in whole.values() for cells in lines), strict=True)
    widths = [min(limit, max(map(len, column))) for limit, column in zip(most, columns, strict=True)]
    lines = [_line(heading, widths), _line(["-" * width for width in widths], widths)]
    for key, total in statements.tally(listed).items():
        lines += ["", f"{statements.GROUPS[key].title}: {total}"]
        for one in listed:
            if one.group == key:
                lines += [*(_line(cells, widths) for cells in whole[one.claim]), *_remarks(one)]
    number = Counter(one.group for one in listed)
    parts = ", ".join(f"{number[key]} {group.brief}" for key, group in statements.GROUPS.items())
    return "\n".join([*lines, "", *wrap(f"{len(listed)} statements: {parts}.", WIDTH)])


def _cells(one: Statement) -> list[tuple[str, ...]]:
    """Return the cells of a statement's line, and those of its findings where they do not say the same."""
    own = (one.panel, one.claim)
    end = (one.evidence.removesuffix(" (closure)"), one.shown)
    texts = [(with_unit(row["paper"], row["unit"]), recomputed(row) or "—") for row in one.findings]
    if len(set(texts)) == 1:
        return [(*own, *texts[0], *end)]
    below = [
        ("", f"  {row['sample']}", *text, "", statements.shown(row["verdict"], row["evidence"]))
        for row, text in zip(one.findings, texts, strict=True)
    ]
    return [(*own, "", "", *end), *dict.fromkeys(below)]


def _remarks(one: Statement) -> list[str]:
    """Return the lines below a statement that does not agree."""
    if one.verdict == AGREES:
        texts = {}
    elif one.verdict == UNDECIDED:
        texts = {f"would decide: {one.would_decide}": None}
    else:
        rows = [row for row in one.findings if row["verdict"] == one.verdict and row["note"]]
        of = [", ".join(filter(None, (row["sample"], row["state"]))) if len(one.findings) > 1 else "" for row in rows]
        texts = {f"{whose}: {row['note']}" if whose else row["note"]: None for whose, row in zip(of, rows, strict=True)}
    return [line for text in texts for line in wrap(text, WIDTH, initial_indent=" " * 10, subsequent_indent=" " * 12)]


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
    """Return one line for each row whose verdict differs, or that exists in one of the two tables only.

    That what was measured is now synthetic is a change too: what agreed is only recovered.
    """
    old, new = ({tuple(row[key] for key in KEY): row for row in rows} for rows in (before, now))
    lines = []
    for key in dict.fromkeys([*old, *new]):
        was, is_now = (
            statements.shown(rows[key]["verdict"], rows[key]["evidence"]) if key in rows else "no row"
            for rows in (old, new)
        )
        if was != is_now:
            what = ", ".join(filter(None, key))
            lines.append(shorten(f"{what}: {was} -> {is_now}", 1000))
    return lines
