"""The claims table as a web page: a row for each statement, in four groups, its findings folded below it.

The page needs no script: one adds the filters by panel, technique and verdict. It loads nothing but the pictures of the
figures.
"""

import os
import re
from collections import Counter
from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from coldbond.bundle import paths, style
from coldbond.bundle.claims import report, statements
from coldbond.bundle.claims.statements import GROUPS, NOT_RECOVERED, RECOVERED, Statement
from coldbond.bundle.claims.verdicts import AGREES, DISAGREES, NO_DATA, UNDECIDED

#: Shown beside the colour of a verdict, for readers who cannot tell the colours apart.
SHAPES = {AGREES: "●", DISAGREES: "✕", RECOVERED: "◆", NOT_RECOVERED: "✕", UNDECIDED: "○", NO_DATA: "–"}
#: Names of the techniques of the manifest.
TECHNIQUES = {
    "xrd": "XRD",
    "xps": "XPS",
    "raman": "Raman",
    "eis": "impedance",
    "cycling": "cycling",
    "dc": "DC polarisation",
    "energies": "computed energies",
}
LEGEND = (
    "A statement agrees if all of its findings do, and disagrees if one of them does. A number agrees if it lies in "
    "the 95 % interval, widened by the rounding of its last digit. Click a statement to see its findings."
)
TITLE = "Claims against evidence"
#: Style of the page around the table, where it is not a part of a web site.
ALONE = """\
body { max-width: 78rem; margin: 1.2rem auto; padding: 0 1rem; }
body { font: 15px/1.45 system-ui, sans-serif; color: #1a1a1a; background: #fff; }
h1 { font-size: 1.4rem; }
a { color: #00568a; }
"""


class Fragment(NamedTuple):
    """A part of a web page.

    Attributes
    ----------
    body : str
        HTML of one `<div class="claims">`; its headings are `<h2>`.
    style, script : str
        CSS, all of whose rules are about `.claims`, and JavaScript to be run after the body.
    """

    body: str
    style: str
    script: str


def body(
    listed: Sequence[Statement],
    link: Callable[[str], str],
    picture: Callable[[str], str],
    source: str = "",
) -> Fragment:
    """Return the table as a part of a web page.

    Parameters
    ----------
    listed : sequence of Statement
        From `statements.of`, for instance of the rows of claims.csv.
    link : function of str
        Address of a figure's page, from its name.
    picture : function of str
        Address of a figure's picture, from its name.
    source : str
        Where the statements are taken from.
    """
    tallies = statements.tally(listed)
    numbers = Counter(one.group for one in listed)
    tiles, sections = "", ""
    for key, group in GROUPS.items():
        name = key.replace(" ", "-")
        counted = f"<small>{tallies[key]}</small>" if len(group.words) > 1 and numbers[key] else ""
        tiles += (
            f'<li class="{_css(group.words[0])}"><a href="#claims-{name}"><b>{numbers[key]}</b> '
            f"{escape(group.title)}{counted}</a></li>\n"
        )
        rows = "".join(_article(one, listed, link, picture) for one in listed if one.group == key)
        sections += (
            f'<section id="claims-{name}">\n<h2>{escape(group.title)}: {tallies[key]}</h2>\n'
            f"<p>{escape(group.says)}</p>\n{rows}</section>\n"
        )
    of = f"{escape(source)}. " if source else ""
    head = f"<p>{of}{len(listed)} statements, {statements.findings(listed)} findings that test them.</p>"
    content = f'{head}\n<ul class="tiles">\n{tiles}</ul>\n<p>{LEGEND}</p>\n{_filters(listed)}\n{sections}'
    return Fragment(f'<div class="claims">\n{content}</div>', _beside("page.css"), _beside("page.js"))


def html(listed: Sequence[Statement], folder: str = "", source: str = "") -> str:
    """Return the table as a page of its own, which links to the pictures of the figures.

    Parameters
    ----------
    listed : sequence of Statement
        From `statements.of`.
    folder : str
        Path from the page to the figures, "" or ending in "/".
    source : str
        Where the statements are taken from.
    """
    part = body(listed, lambda name: f"{folder}{name}.png", lambda name: f"{folder}{name}.png", source)
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8" />
<meta name="viewport" content="width=device-width, initial-scale=1" />
<title>{TITLE}</title>
<style>
{ALONE}{part.style}</style>
</head>
<body>
<h1>{TITLE}</h1>
{part.body}
<script>
{part.script}</script>
</body>
</html>
"""


def write(listed: Sequence[Statement], name: str = "claims", source: str = "") -> None:
    """Write NAME.csv and NAME.html into the folder that `figures.save` writes to."""
    paths.FIGURES.mkdir(parents=True, exist_ok=True)
    # A table built by make is moved beside the figures afterwards; a draft stays in its own folder.
    folder = "" if "COLDBOND_BUILT" in os.environ else f"{os.path.relpath(paths.BUILT, paths.FIGURES)}/"
    for suffix, content in ((".csv", report.as_csv(listed)), (".html", html(listed, folder, source))):
        part = paths.FIGURES / f".{name}{suffix}.{os.getpid()}"
        part.write_text(content, encoding="utf-8", newline="")
        os.replace(part, paths.FIGURES / f"{name}{suffix}")


def _beside(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


def _filters(listed: Sequence[Statement]) -> str:
    """Return the form of the filters, which the script shows."""
    panels = sorted({one.panel for one in listed}, key=_natural)
    used = {name for one in listed for name in _techniques(one)}
    words = [word for group in GROUPS.values() for word in group.words if any(one.shown == word for one in listed)]
    chosen = {
        "panel": [(panel, panel) for panel in panels],
        "technique": [(name, label) for name, label in TECHNIQUES.items() if name in used],
        "verdict": [(word, word) for word in words],
    }
    selects = ""
    for name, options in chosen.items():
        listed_options = "".join(
            f'<option value="{escape(value)}">{escape(label)}</option>' for value, label in options
        )
        selects += (
            f'<label>{name}<select name="{name}"><option value="">all</option>{listed_options}</select></label>\n'
        )
    return f'<form hidden="hidden">\n{selects}<button type="reset">show all</button>\n<output></output>\n</form>'


def _natural(text: str) -> list[tuple[bool, int, str]]:
    """Return a key that sorts 2g, 4b, 11a, S4, S16, text."""
    parts = re.findall(r"\d+|\D+", text)
    return [(not part.isdigit(), int(part) if part.isdigit() else 0, part) for part in parts]


def _techniques(one: Statement) -> list[str]:
    return one.technique.split(", ") if one.technique else []


def _article(
    one: Statement, listed: Sequence[Statement], link: Callable[[str], str], picture: Callable[[str], str]
) -> str:
    figure = next((row["figure"] for row in one.findings if row["figure"]), "")
    thumbnail = (
        f'<a class="thumbnail" href="{escape(link(figure))}"><img src="{escape(picture(figure))}" alt="" '
        f'loading="lazy" /><span>{escape(figure)}</span></a>\n'
        if figure
        else ""
    )
    lines = {"stated": report.stated(one), "found": _found(one)}
    lines |= {"evidence": one.evidence} if one.group in (statements.OUTSIDE, UNDECIDED) else {}
    held = report.holds_in(one)
    if held and len({*held.split(" of ")}) > 1:
        lines["choices"] = f"holds in {held} runs with other choices of the analysis"
    said = "".join(f"<i>{name}</i><span>{_text(text)}</span>" for name, text in lines.items())
    more = "".join(f'<span class="more">{text}</span>\n' for text in _more(one, listed))
    findings = "\n".join(_finding(row, link) for row in one.findings)
    return f"""<article id="{escape(_anchor(one.claim))}" class="{_css(one.shown)}" data-panel="{escape(one.panel)}" \
data-technique="{"|".join(_techniques(one))}" data-verdict="{one.shown}">
<details><summary>
<span class="verdict own"><span>{SHAPES[one.shown]} {one.shown}</span></span>
<span class="what"><span class="panel">{escape(one.panel)}</span><span>{_text(one.statement)}</span></span>
<span class="said">{said}</span>
{more}</summary>
<ul class="findings">
{findings}
</ul></details>
{thumbnail}</article>
"""


def _found(one: Statement) -> str:
    text = report.found(one)
    return text if len(text) < 120 else f"{len(one.findings)} findings"


def _more(one: Statement, listed: Sequence[Statement]) -> list[str]:
    """Return what is said below a statement without unfolding it, as HTML."""
    lines = []
    if one.against and one.verdict == DISAGREES:
        lines.append(f"{_text(report.reason(one))}.")
    if one.would_decide:
        lines.append(f"Would decide: {_text(one.would_decide)}.")
    if one.group == NO_DATA:
        lines.append(f"{_text(report.reason(one))}.")
    compared = [other for other in listed if other.against == one.claim]
    links = ", ".join(
        f'<a href="#{quote(_anchor(other.claim))}">{_text(other.statement)}: {other.shown}</a>' for other in compared
    )
    return [*lines, *([f"Compared with other numbers: {links}."] if links else [])]


def _finding(row: dict[str, str], link: Callable[[str], str]) -> str:
    word = statements.shown(row["verdict"], row["evidence"])
    whose = ", ".join(filter(None, [row["sample"], row["state"], row["quantity"].replace("_", " ")]))
    figure = row["figure"]
    said = [
        f"stated: {report.with_unit(row['paper'], row['unit'])}",
        f"found: {report.recomputed(row) or '—'}",
        f"evidence: {row['evidence']}" if row["evidence"] else "",
        f"agrees in {row['holds_in']} runs with other choices of the analysis" if row.get("holds_in") else "",
        f"would decide: {row['would_decide']}" if row["would_decide"] else "",
    ]
    lines = [_text(text) for text in said if text]
    lines += [f'figure: <a href="{escape(link(figure))}">{escape(figure)}</a>'] if figure else []
    notes = "".join(f"<li>{_text(note)}</li>" for note in row["note"].split("; ") if note)
    title = f" {_text(whose)}" if whose else ""
    return (
        f'<li class="{_css(word)}"><p><span class="verdict"><span>{SHAPES[word]} {word}</span></span>{title}</p>'
        f"<p>{'; '.join(lines)}</p>" + (f"<ul>{notes}</ul>" if notes else "") + "</li>"
    )


def _text(text: str) -> str:
    """Return text for HTML, with signs and units in the notation of the figures."""
    text = re.sub(r"mA/cm2|mAh/g|S/cm|ohm cm2", lambda found: style.unit(found[0]), text)
    return escape(text.replace(">=", "≥").replace("<=", "≤"))


def _css(word: str) -> str:
    return word.replace(" ", "-")


def _anchor(claim: str) -> str:
    return f"claim-{'-'.join(claim.split())}"
