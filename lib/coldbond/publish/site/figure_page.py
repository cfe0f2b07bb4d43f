"""The page of a figure, as a notebook: what it shows on top, and below it the analysis that drew it."""

import json
import re
from collections.abc import Iterator
from html import escape
from typing import Any

from coldbond.bundle import manifest
from coldbond.publish.contents import Figure, Number
from coldbond.publish.site import html

#: Folders of the site, seen from the page of a figure.
DATA, NOTEBOOKS = "../source_data", "../notebooks"
CONSTANTS = {
    "area_cm2": "area / cm²",
    "thickness_cm": "thickness / cm",
    "active_mass_mg": "active mass / mg",
    "temperature_C": "temperature / °C",
}


def heading(figure: Figure, is_own: bool) -> str:
    """Return the title of the page; only the figures of the paper have its numbers."""
    return f"{figure.number}. {figure.title}" if is_own else figure.title


def short(figure: Figure, is_own: bool, repeated: bool) -> str:
    """Return the title in the list of pages, with the samples where it repeats that of an earlier figure."""
    number = re.sub("^Figures? ", "", figure.number) if is_own else ""
    others = [*figure.samples, *_panel(figure)] if repeated else []
    title = figure.title.partition(": ")[0]
    return f"{number} {title}{': ' if others else ''}{', '.join(others)}".strip()


def subtitle(figure: Figure) -> str:
    """Return the samples, what is drawn of them if the notebook has a choice, and whether they are synthetic."""
    return ", ".join([*figure.samples, *_panel(figure)])


def _panel(figure: Figure) -> list[str]:
    return [one.value.strip('"') for one in figure.parameters if one.name == "panel"]


def notebook(figure: Figure, is_own: bool, size: tuple[int, int]) -> dict[str, Any]:
    """Return the page as a notebook.

    Parameters
    ----------
    figure : Figure
    is_own : bool
        Whether the recordings are the bundle's own.
    size : tuple of int
        Width and height of the picture, pixels.
    """
    drawn = json.loads((figure.executed or figure.notebook).read_text(encoding="utf-8"))
    top = {"cell_type": "markdown", "metadata": {}, "source": "\n\n".join(_page(figure, is_own, size)), "id": "page"}
    return _notebook([top, *_steps(drawn["cells"])])


def to_download(figure: Figure) -> dict[str, Any]:
    """Return the notebook with its outputs, without what names a time or a folder of the machine that ran it."""
    cells = json.loads((figure.executed or figure.notebook).read_text(encoding="utf-8"))["cells"]
    for cell in cells:
        cell["metadata"] = {name: value for name, value in cell["metadata"].items() if name == "tags"}
        if cell["cell_type"] == "code":
            cell["outputs"] = [one for one in cell["outputs"] if one.get("name") != "stderr"]
    return _notebook(cells)


def _notebook(cells: list[dict[str, Any]]) -> dict[str, Any]:
    metadata = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    return {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def _page(figure: Figure, is_own: bool, size: tuple[int, int]) -> Iterator[str]:
    yield f"# {heading(figure, is_own)}"
    yield f'<p class="samples">{escape(subtitle(figure))}{_synthetic(figure)}</p>'
    yield html.picture(f"{figure.name}.print.png", f"{heading(figure, is_own)}: {subtitle(figure)}", size)
    if figure.drawing:
        yield f'<div class="caption">\n\n{html.with_links(figure.drawing)}\n\n</div>'
    yield _downloads(figure)
    yield from _warnings(figure)
    yield html.with_links(figure.caption)
    if figure.variant:
        yield html.with_links(figure.variant)
    if not is_own:
        yield f"*The text is that of the notebook {figure.notebook.stem}, which draws {figure.number} of the paper.*"
    yield "## Numbers"
    yield "With 95 % intervals; \u2014: the recordings do not tell." if figure.numbers else "No number was found."
    yield numbers(figure.numbers)
    yield "## Recordings"
    yield recordings(figure.recordings)
    further = {
        file: sha for file, sha in figure.inputs.items() if file not in {one["file"] for one in figure.recordings}
    }
    if further:
        yield "Further files that the figure depends on:"
        yield html.table(["file", "sha256"], [[escape(file), _hash(sha)] for file, sha in further.items()])
    yield "## Parameters"
    yield "Those of the notebook; in bold where this figure has another value than the notebook itself."
    yield parameters(figure)
    if figure.source_data:
        yield "## Source data"
        yield "What each panel shows, as CSV files."
        rows = [
            [f'<a href="{DATA}/{escape(one.path.name)}" download>{escape(one.path.name)}</a>', escape(one.what)]
            for one in figure.source_data
        ]
        yield html.table(["file", "holds"], rows)
    yield "## The analysis, step by step"
    yield "The notebook that drew this figure, with its tables. The code is folded."


def _downloads(figure: Figure) -> str:
    files = {
        "PDF": f"{figure.name}.pdf",
        "PNG, 300 dpi": f"{figure.name}.print.png",
        "numbers (JSON)": f"{figure.name}.json",
    }
    files |= {"notebook": f"{NOTEBOOKS}/{figure.name}.ipynb"}
    links = "".join(f'<li><a href="{escape(file)}" download>{name}</a></li>' for name, file in files.items())
    return f'<ul class="downloads">{links}</ul>'


def _synthetic(figure: Figure) -> str:
    if "synthetic" not in figure.origins:
        return ""
    some = "synthetic data" if len(figure.origins) == 1 else "partly synthetic data"
    return f' <span class="synthetic">{some}: the numbers test the analysis, not an experiment</span>'


def _warnings(figure: Figure) -> Iterator[str]:
    if figure.left_out:
        lines = "".join(f"<li>{escape(line)}</li>" for line in figure.left_out)
        yield (
            '<div class="admonition warning"><p class="admonition-title">Recordings that could not be used are left '
            f"out</p><ul>{lines}</ul></div>"
        )


def numbers(listed: list[Number]) -> str:
    """Return findings as a table, below a heading for each sample and state."""
    if not listed:
        return ""
    groups: dict[str, list[list[str]]] = {}
    for one in listed:
        unit = escape(html.unit(one.unit))
        value = f"<b>{escape(one.value)}</b> {unit if one.value != '—' else ''}"
        interval = f"{escape(one.interval)} {unit}" if one.interval else ""
        row = [escape(one.quantity), value, interval, html.folded(one.note, "evidence")]
        groups.setdefault(one.condition, []).append(row)
    return html.grouped_table(["quantity", "value", "95 % interval", "note"], groups, "numbers")


def recordings(rows: list[dict[str, str]]) -> str:
    """Return recordings as a table, with what the manifest says of each."""
    headings = ["sample", "state", "replicate", "role", "file", "origin", "format", *CONSTANTS.values(), "sha256"]
    keys = ["sample", "state", manifest.REPLICATE, "role", "file", "origin", "format", *CONSTANTS]
    return html.table(headings, [[*(escape(row.get(key, "")) for key in keys), _hash(row["sha256"])] for row in rows])


def _hash(text: str) -> str:
    return f'<code title="{escape(text)}">{escape(text[:10])}</code>'


def parameters(figure: Figure) -> str:
    rows = []
    for one in figure.parameters:
        value = f"<code>{escape(one.value)}</code>"
        default = f"<code>{escape(one.default)}</code>" if one.differs else ""
        value = f"<b>{value}</b>" if one.differs else value
        rows.append([f"<code>{one.name}</code>", value, default, escape(one.meaning)])
    return html.table(["parameter", "value", "in the notebook", "meaning"], rows)


def _steps(cells: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield the cells of the notebook without its title and without the picture, which the page shows on top."""
    for number, cell in enumerate(cells[1:]):
        source = "".join(cell["source"])
        made = {"cell_type": cell["cell_type"], "source": source, "id": f"step-{number}", "metadata": {}}
        if cell["cell_type"] == "markdown":
            yield made | {"source": html.with_links(re.sub("^##", "###", source, flags=re.MULTILINE))}
        elif cell["cell_type"] == "code":
            outputs = [kept for one in cell["outputs"] if (kept := _output(one))]
            yield made | {"metadata": {"tags": ["hide-input"]}, "outputs": outputs, "execution_count": None}


def _output(output: dict[str, Any]) -> dict[str, Any] | None:
    """Return a table or text of a cell; None for a picture, and for a warning, which names folders of the machine."""
    data = {kind: text for kind, text in output.get("data", {}).items() if kind.startswith("text/")}
    if output["output_type"] == "stream":
        return output if output["name"] == "stdout" else None
    if not data or any(kind.startswith("image/") for kind in output["data"]):
        return None
    return {"output_type": "display_data", "data": data, "metadata": {}}
