"""Parts of pages as HTML. None has an empty line, which would end a block of HTML in Markdown."""

import re
from collections.abc import Mapping, Sequence
from html import escape

from coldbond.bundle import style

#: Longest note that is shown without being unfolded, characters.
SHORT = 90
#: A link, or a doi outside of one.
DOI = re.compile(r"(\[[^]]*]\([^)]*\))|(?<![\w/])(?:doi )?(10\.\d{4,9}/[^\s,;]*[^\s,;.)])")


def with_links(markdown: str) -> str:
    """Return Markdown in which each doi is a link."""
    return DOI.sub(lambda found: found[1] or f"[doi {found[2]}](https://doi.org/{found[2]})", markdown)


def table(headings: Sequence[str], rows: Sequence[Sequence[str]], kind: str = "") -> str:
    """Return a table whose rows become cards on a narrow screen.

    Parameters
    ----------
    headings : sequence of str
        Text; a column in which every cell is empty is left out.
    rows : sequence of sequence of str
        Cells, as HTML.
    kind : str
        Class of the table.
    """
    kept = [i for i in range(len(headings)) if any(row[i] for row in rows)]
    head = "".join(f"<th>{escape(headings[i])}</th>" for i in kept)
    body = "\n".join(_row([headings[i] for i in kept], [row[i] for i in kept]) for row in rows)
    return _scrolled(f'<table class="cards {kind}"><thead><tr>{head}</tr></thead><tbody>\n{body}\n</tbody></table>')


def grouped_table(headings: Sequence[str], groups: Mapping[str, Sequence[Sequence[str]]], kind: str = "") -> str:
    """Return such a table with a heading above the rows of each group; a group without name has none."""
    head = "".join(f"<th>{escape(name)}</th>" for name in headings)
    bodies = []
    for name, rows in groups.items():
        above = f'<tr class="group"><th colspan="{len(headings)}">{escape(name)}</th></tr>' if name else ""
        bodies.append(f"<tbody>{above}\n" + "\n".join(_row(headings, row) for row in rows) + "\n</tbody>")
    return _scrolled(f'<table class="cards {kind}"><thead><tr>{head}</tr></thead>\n' + "\n".join(bodies) + "</table>")


def _scrolled(made: str) -> str:
    return f'<div class="scrolled">{made}</div>'


def _row(headings: Sequence[str], cells: Sequence[str]) -> str:
    texts = zip(headings, cells, strict=True)
    made = (f'<td data-label="{escape(name)}">{cell and f"<div>{cell}</div>"}</td>' for name, cell in texts)
    return f"<tr>{''.join(made)}</tr>"


def unit(text: str) -> str:
    """Return a unit in the notation of the figures."""
    signs = {"ohm": "Ω", "angstrom": "Å", "degree": "°", "cm2": "cm²"}
    made = style.unit(text).removeprefix("1").strip()
    return re.sub("|".join(signs), lambda found: signs[found[0]], made)


def folded(note: str, summary: str) -> str:
    """Return a note, folded below a summary if it is long."""
    if len(note) <= SHORT:
        return escape(note)
    items = "".join(f"<li>{escape(one)}</li>" for one in note.split("; "))
    return f"<details><summary>{escape(summary)}</summary><ul>{items}</ul></details>"


def picture(source: str, alt: str, size: tuple[int, int]) -> str:
    """Return a picture that opens enlarged when it is clicked."""
    width, height = size
    return (
        f'<a class="zoom" href="{escape(source)}"><img src="{escape(source)}" alt="{escape(alt)}" width="{width}" '
        f'height="{height}" /></a>'
    )


def card(link: str, source: str, title: str, below: str) -> str:
    """Return an entry of a gallery: a picture that links to a page, with a title and a line below it."""
    small = f"<small>{escape(below)}</small>" if below else ""
    return (
        f'<li><a href="{escape(link)}"><img src="{escape(source)}" alt="" loading="lazy" />'
        f"<b>{escape(title)}</b>{small}</a></li>"
    )


def gallery(cards: Sequence[str]) -> str:
    return '<ul class="gallery">\n' + "\n".join(cards) + "\n</ul>"
