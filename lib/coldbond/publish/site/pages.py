"""The pages beside those of the figures, as Markdown: home, figures, recordings, choices, and the lists of pages."""

import json
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path

import coldbond
from coldbond.bundle import manifest
from coldbond.bundle.claims import page
from coldbond.bundle.claims.statements import GROUPS, Statement, tally
from coldbond.publish.contents import Contents
from coldbond.publish.site import figure_page, html

#: Pages of docs/ and of the folder itself, and under which heading and title they are listed.
DOCUMENTS = {
    "How far to trust it": {"docs/validation": "Validation", "docs/coverage": "Coverage of the intervals"},
    "Use it": {
        "docs/your-own-data": "Your own data",
        "docs/formats": "Formats",
        "raw/README": "The manifest",
        "docs/claims": "Statements and verdicts",
    },
    "How it is made": {
        "ARCHITECTURE": "Architecture",
        "api/index": "API",
        "CONTRIBUTING": "Contributing",
        "docs/speed": "Speed",
        "docs/scale": "Large recordings",
        "docs/fuzz": "Damaged files",
        "docs/licences": "Licences of the packages",
        "CHANGELOG": "Changes",
    },
}


def home(contents: Contents, title: str, pages: Sequence[str], tested: Sequence[Statement]) -> str:
    """Return the first page, with the lists of all pages, which the margin shows.

    Parameters
    ----------
    contents : Contents
    title : str
        Name of the site.
    pages : sequence of str
        The pages that there are, without the suffix.
    tested : sequence of Statement
        What the claims page shows.
    """
    said = _of_bundle(contents, pages, tested) if contents.is_own else _of_folder(contents, tested)
    results = {
        "claims": "Claims",
        "choices": "Choices of the analysis",
        "recordings": "Recordings",
    }
    listed = {page for pages in DOCUMENTS.values() for page in pages}
    new = {page: "" for page in pages if page.startswith("docs/") and "." not in page and page not in listed}
    sections = [("Results", results), *DOCUMENTS.items(), ("More", new)]
    seen: set[str] = set()
    figures = {}
    for one in contents.figures:
        figures[f"figures/{one.name}"] = figure_page.short(one, contents.is_own, one.title in seen)
        seen.add(one.title)
    sections.insert(1, ("Figures", figures))
    return "\n\n".join([f"# {title}", *said, *_toctrees(sections, pages)]) + "\n"


def _toctrees(sections: Sequence[tuple[str, Mapping[str, str]]], pages: Sequence[str]) -> Iterator[str]:
    for caption, listed in sections:
        lines = [f"{name} <{page}>" if name else page for page, name in listed.items() if page in pages]
        if lines:
            yield "\n".join(["```{toctree}", ":hidden:", f":caption: {caption}", "", *lines, "```"])


def _of_bundle(contents: Contents, pages: Sequence[str], tested: Sequence[Statement]) -> Iterator[str]:
    yield Path(__file__).with_name("home.md").read_text(encoding="utf-8")
    found = [_counted_claims(tested)] if tested else []
    if "docs/validation" in pages:
        found.append("- [Validation](docs/validation.md): known values in recordings of other laboratories")
    if "docs/coverage" in pages:
        found.append("- [Coverage](docs/coverage.md): how often the intervals hold the truth of simulated recordings")
    if "choices" in pages:
        found.append("- [Choices](choices.md): which verdict depends on a choice of the analysis")
    found.append("- [Your own data](docs/your-own-data.md): the same figures of your own recordings")
    yield "\n".join(found)
    if "docs/validation.png" in pages:
        yield "## Validation"
        yield "![Difference between found and known values of recordings of other laboratories](docs/validation.png)"
        yield "*Recordings of other laboratories whose values are known: [every row](docs/validation.md).*"
    yield "## Figures"
    yield _gallery(contents)
    yield "## Rebuild it"
    yield (
        "    make figures    # draw all figures, with their numbers and the claims table\n"
        "    make site       # make this site of them"
    )
    yield (
        "`make site RAW=your/recordings OUT=your/figures` makes the site of your own recordings. It is a folder of "
        "files, which opens without a server and without network."
    )


def _counted_claims(tested: Sequence[Statement]) -> str:
    counts = [f"{group.brief}: {count}" for group, count in zip(GROUPS.values(), tally(tested).values(), strict=True)]
    return f"- [Claims](claims.md), {_counted(len(tested), 'statement')}: {'; '.join(counts)}"


def _of_folder(contents: Contents, tested: Sequence[Statement]) -> Iterator[str]:
    samples = dict.fromkeys(row["sample"] for row in contents.recordings if row["sample"])
    yield (
        f'<p class="lead">{_counted(len(contents.figures), "figure")} of '
        f"{_counted(len(contents.recordings), 'recording')} of {_counted(len(samples), 'sample')}, with the numbers, "
        "their 95 % intervals and the source data.</p>"
    )
    yield from _problems(contents)
    if tested:
        yield _counted_claims(tested)
    yield _gallery(contents)
    if contents.skipped:
        yield "## Not among the recordings"
        yield "The manifest has no recordings for these figures:"
        rows = [[f"<code>{name}</code>", escape(", ".join(roles))] for name, roles in contents.skipped.items()]
        yield html.table(["figure", "role that it needs"], rows)
    yield f"*Made by coldbond {coldbond.__version__} with `make site`.*"


def _problems(contents: Contents) -> Iterator[str]:
    """Yield what could not be used: figures, recordings, rows of the manifest."""
    lines = [f"{name} is not drawn: {reason}" for name, reason in contents.not_drawn.items()]
    left_out: dict[str, list[str]] = {}
    for figure in contents.figures:
        for line in figure.left_out:
            left_out.setdefault(line, []).append(figure.name)
    lines += [f"{', '.join(names)}: left out: {line}" for line, names in left_out.items()]
    lines += contents.unusable
    if lines:
        items = "".join(f"<li>{escape(line)}</li>" for line in lines)
        yield (
            '<div class="admonition warning"><p class="admonition-title">What could not be used</p>'
            f"<ul>{items}</ul></div>"
        )


def _gallery(contents: Contents) -> str:
    cards = [
        html.card(
            f"figures/{one.name}.html",
            f"figures/{one.name}.png",
            figure_page.heading(one, contents.is_own),
            figure_page.subtitle(one),
        )
        for one in contents.figures
    ]
    return html.gallery(cards)


def recordings(contents: Contents) -> str:
    """Return the page with all recordings and the figures that show each."""
    shown: dict[str, list[str]] = {}
    for figure in contents.figures:
        for one in figure.recordings:
            shown.setdefault(one["file"], []).append(f'<a href="figures/{figure.name}.html">{figure.name}</a>')
    headings = ["sample", "state", "replicate", "role", "file", "origin", *figure_page.CONSTANTS.values(), "figures"]
    keys = ["sample", "state", manifest.REPLICATE, "role", "file", "origin", *figure_page.CONSTANTS]
    rows = [
        [*(escape(row.get(key, "")) for key in keys), ", ".join(shown.get(row["file"], []))]
        for row in contents.recordings
    ]
    note = "What the manifest says of each recording, and which figures show it. The files are not on this site."
    return "\n\n".join(["# Recordings", note, *_problems(contents), html.table(headings, rows), ""])


def claims(contents: Contents, listed: Sequence[Statement], source: str) -> str:
    """Return the page of the claims, which `bundle.claims` makes; each finding links to the page of its figure.

    Parameters
    ----------
    contents : Contents
    listed : sequence of Statement
    source : str
        Where the statements are taken from.
    """
    there = {figure.name for figure in contents.figures}
    part = page.body(
        listed,
        lambda name: f"figures/{name}.html" if name in there else "index.html",
        lambda name: f"figures/{name}.png" if name in there else "_static/file.png",
        source,
    )
    made = f"<style>\n{part.style}</style>\n{part.body}\n<script>\n{part.script}</script>"
    return f"# {page.TITLE}\n\n``````{{raw}} html\n{made}\n``````\n"


def choices(contents: Contents, statements: Mapping[str, str]) -> str:
    """Return the page of the multiverse.

    Parameters
    ----------
    contents : Contents
    statements : mapping of str to str
        What each claim states, by its name.
    """
    found = json.loads((contents.out / "multiverse" / "multiverse.json").read_text(encoding="utf-8"))
    runs = sum(len(one["runs"]) for one in found["figures"].values())
    failed = sum(len(one["failed"]) for one in found["figures"].values())
    there = {figure.name for figure in contents.figures}
    parts = [
        "# Choices of the analysis",
        "An analysis has choices that a referee could dispute, from the threshold of a short to the background of a "
        f"photoemission line. `make multiverse` repeats it with other defensible ones: {runs} runs of "
        f"{len(found['figures'])} figures, of which {failed or 'none'} failed.",
        "## In how many runs a statement holds",
    ]
    if (contents.out / "multiverse" / "overview.png").is_file():
        parts.append("![Share of the runs with each verdict, for each statement](multiverse/overview.png)")
    rows = []
    for name, one in found["claims"].items():
        for row in one["rows"]:
            alone = "".join(f"<li>{escape(choice)}: {escape(word)}</li>" for choice, word in row["alone"].items())
            figure = row["figure"]
            rows.append(
                [
                    escape(statements.get(name, name)) + (f" <i>{escape(row['sample'])}</i>" if row["sample"] else ""),
                    f'<a href="figures/{figure}.html">{figure}</a>' if figure in there else figure,
                    f"{row['n']} of {row['N']}",
                    f"<ul>{alone}</ul>" if alone else "",
                ]
            )
    parts.append(html.table(["statement", "figure", "holds in", "choices that alone change the verdict"], rows))
    parts.append("## The choices of each figure")
    alike: dict[str, list[str]] = {}
    for figure, of_figure in found["figures"].items():
        alike.setdefault(_json(of_figure["choices"]), []).append(figure)
    for stated, names in alike.items():
        listed = {
            name: [[f"<code>{escape(_json(one['value']))}</code>", escape(one["why"])] for one in values]
            for name, values in json.loads(stated).items()
        }
        if listed:
            parts += [f"### {', '.join(names)}", html.grouped_table(["value", "reason to prefer it"], listed)]
    failures = {reason for one in found["figures"].values() for reason in one["failed"].values()}
    if failures:
        parts += ["## Runs that failed", "\n".join(f"- {reason}" for reason in sorted(failures))]
    return "\n\n".join(parts) + "\n"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _counted(number: int, name: str) -> str:
    return f"{number} {name}{'s' * (number != 1)}"
