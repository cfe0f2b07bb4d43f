"""The table that `coldbond init` prints, in 100 columns of a terminal; a Chinese character takes two of them."""

import os
import textwrap
import unicodedata
from collections import Counter
from collections.abc import Sequence

from coldbond.cli.proposed import Proposed

#: Columns of a terminal, and those of the table.
WIDTH = 100
WIDTHS = (38, 19, 19, 18)


def width(text: str) -> int:
    """Return the columns that a text takes."""
    return sum(
        0 if unicodedata.combining(sign) else 2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text
    )


def _fitted(text: str, columns: int) -> str:
    """Return a text of exactly this width; a long one loses its middle."""
    if width(text) > columns:
        head, tail = "", ""
        while width(head) + width(tail) < columns - 2:
            if width(head) <= width(tail) // 2:
                head += text[len(head)]
            else:
                tail = text[-len(tail) - 1 :]
        while width(head) + width(tail) > columns - 1:
            tail = tail[1:]
        text = f"{head}…{tail}"
    return text + " " * (columns - width(text))


def _wrapped(text: str, indent: int) -> list[str]:
    """Return the lines of a text, indented."""
    lines, line = [], ""
    for word in text.split():
        while width(word) > WIDTH - indent:
            at = next(n for n in range(len(word), 0, -1) if width(word[:n]) <= WIDTH - indent)
            lines += [line] if line else []
            line, word = word[:at], word[at:]
        if line and width(line) + 1 + width(word) > WIDTH - indent:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}".strip()
    return textwrap.indent("\n".join([*lines, line]), " " * indent).split("\n")


def table(proposed: Sequence[Proposed]) -> str:
    """Return what is proposed, as text: rows, what to fill in, files that are left out, and sums.

    Parameters
    ----------
    proposed : sequence of Proposed
        From `init.proposal`.
    """
    lines: list[str] = []
    of = {kind: [one for one in proposed if one.kind == kind] for kind in ("new", "listed", "gone", "left out")}
    if of["new"]:
        lines += [
            "",
            "  ".join(_fitted(name, n) for name, n in zip(("file", "role", "sample", "state"), WIDTHS, strict=True)),
        ]
        lines.append("-" * WIDTH)
    folder = ""
    for one in of["new"]:
        above, name = os.path.split(one.file)
        if above != folder:
            lines += _wrapped(f"{above}/", 0)
            folder = above
        state = ", ".join(
            filter(None, (one.row["state"], f"replicate {one.row['replicate']}" * bool(one.row["replicate"])))
        )
        cells = (name, one.row["role"] or "?", one.row["sample"], state)
        lines.append("  ".join(_fitted(cell, n) for cell, n in zip(cells, WIDTHS, strict=True)).rstrip())
        fill = [f"fill in {', '.join(one.fill)}"] if one.fill else []
        lines += _wrapped("; ".join([one.what, *fill, *one.remarks]), 4)
    for kind, title in (("gone", "Rows whose file is gone"), ("left out", "Left out")):
        if of[kind]:
            lines += ["", title, "-" * WIDTH]
        for one in of[kind]:
            lines += _wrapped(f"{one.file}: {one.what}", 0)
    missing = Counter(column for one in of["new"] for column in one.fill)
    lines += ["", f"{len(of['new'])} new rows, {len(of['listed'])} as listed, {len(of['left out'])} files left out"]
    lines += [f"  fill in {column} in {count} row{'s' * (count > 1)}" for column, count in sorted(missing.items())]
    if any(one.row["origin"] == "measured" for one in of["new"]):
        lines.append("  origin is measured where no file says otherwise: write synthetic or computed where it is not")
    # A name that is no text is printed with the codes of its bytes.
    return ("\n".join(lines).lstrip("\n") + "\n").encode("utf-8", "backslashreplace").decode()
