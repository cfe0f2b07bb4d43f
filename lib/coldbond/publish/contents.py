"""What a folder of built figures holds: titles, captions, numbers, recordings, parameters and files, ready to print.

`load(raw, out)` reads the numbers of every figure (OUT/NAME.json), the notebook that drew it, and the manifest of the
recordings, and returns one `Contents`. Titles and captions are the Markdown of the notebook. Numbers are texts with the
digits that their interval supports, as `bundle.findings` writes them in the notebooks.
"""

import ast
import csv
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import papermill

from coldbond.build import figures_table
from coldbond.build.notebooks import papermill_path
from coldbond.bundle import findings, manifest, paths

#: Columns of the manifest that identify a recording. The constants of its cell follow where the manifest has them.
IDENTITY = ("file", "technique", "role", "sample", "state", "replicate", "origin")
#: Sentences of a notebook about the further figures that it draws ("Figure S16 is this notebook with ...").
OTHER_FIGURES = re.compile(r"Figure \w+ is this notebook")


class ContentsError(ValueError):
    """A folder of figures that cannot be published: one line with the file and the remedy."""


@dataclass(frozen=True)
class Number:
    """One finding, its numbers as text.

    Attributes
    ----------
    quantity, sample, state, replicate, unit : str
    value : str
        "1.8", "yes", "no", or "—" where the data give no value.
    interval : str
        The 95 % interval: "1.7 to 1.9", "at least 1.7", "at most 1.9", or "" where there is none.
    note : str
        Evidence, thresholds, alternatives and note in words.
    """

    quantity: str
    sample: str
    state: str
    replicate: str
    value: str
    interval: str
    unit: str
    note: str

    @property
    def condition(self) -> str:
        """Sample, state and replicate, as figures name a recording."""
        return manifest.label({"sample": self.sample, "state": self.state, "replicate": self.replicate})


@dataclass(frozen=True)
class Parameter:
    """A parameter of the notebook.

    Attributes
    ----------
    name, meaning : str
        The meaning is the comment of its line in the notebook.
    value, default : str
        The value of this figure and that of the notebook, as JSON.
    """

    name: str
    value: str
    default: str
    meaning: str

    @property
    def differs(self) -> bool:
        """Whether the figure has another value than the notebook."""
        return json.loads(self.value) != json.loads(self.default)


@dataclass(frozen=True)
class Data:
    """A file of the source data.

    Attributes
    ----------
    path : Path
    what : str
        The panel or table, and the series in it.
    """

    path: Path
    what: str


@dataclass(frozen=True)
class Figure:
    """A built figure.

    Attributes
    ----------
    name : str
        As in figures.toml: "figS16".
    number : str
        As the paper counts it: "Figure S16".
    title : str
        Title of the notebook without the number.
    samples : tuple of str
        Samples of the recordings that the figure cannot be drawn without, each once, in its order.
    caption : str
        Markdown: what is shown and why, from the first cell of the notebook.
    variant : str
        Markdown: how this figure differs from the first one of its notebook; "" for the first.
    drawing : str
        Markdown: how to read the picture, from the notebook's section about it.
    notebook : Path
        The stored notebook.
    executed : Path or None
        The executed one, where it lies in OUT.
    picture : Path
        PNG; the PDF has the same name with the suffix .pdf.
    numbers : list of Number
    origins : tuple of str
        Origins of the recordings: "synthetic", "measured", "computed".
    recordings : list of dict of str to str
        The keys `IDENTITY`, "sha256", "format" (recognised by the reader; "" if unknown) and the constants given.
    inputs : dict of str to str
        sha256 of each file of RAW that the figure was made from, structures and the like included.
    parameters : list of Parameter
    source_data : list of Data
    left_out : list of str
        One line for each recording that could not be used, with the reason.
    """

    name: str
    number: str
    title: str
    samples: tuple[str, ...]
    caption: str
    variant: str
    drawing: str
    notebook: Path
    executed: Path | None
    picture: Path
    numbers: list[Number]
    origins: tuple[str, ...]
    recordings: list[dict[str, str]]
    inputs: dict[str, str]
    parameters: list[Parameter]
    source_data: list[Data]
    left_out: list[str]


@dataclass(frozen=True)
class Contents:
    """What a folder of figures holds.

    Attributes
    ----------
    raw, out : Path
        Folders of the recordings and of the figures.
    is_own : bool
        Whether the recordings are the bundle's own, raw/.
    figures : list of Figure
        In the order of figures.toml.
    not_drawn : dict of str to str
        Why a figure could not be drawn, by name.
    skipped : dict of str to list of str
        Roles, or "role:sample", that the manifest lacks for a figure, by name.
    recordings : list of dict of str to str
        Rows of the manifest that can be used.
    unusable : list of str
        Problems of the other rows, one line each.
    """

    raw: Path
    out: Path
    is_own: bool
    figures: list[Figure]
    not_drawn: dict[str, str]
    skipped: dict[str, list[str]]
    recordings: list[dict[str, str]]
    unusable: list[str]


def load(raw: str | os.PathLike[str], out: str | os.PathLike[str]) -> Contents:
    """Return what the figures of a folder of recordings show.

    Parameters
    ----------
    raw, out : path
        The folders of the recordings and of their figures, as in `make figures RAW=... OUT=...`.

    Raises
    ------
    ContentsError
        A figure of these recordings has not been built.
    ManifestError, TableError
        The manifest or figures.toml cannot be used.
    """
    raw, out = Path(raw), Path(out)
    is_own = os.path.samefile(raw, paths.ROOT / "raw")
    table = figures_table.load()
    listed = manifest.load(raw)
    plans = figures_table.plan(table, listed.listed, of_paper=is_own)
    firsts = {one.notebook: name for name, one in reversed(table.items())}
    texts = {notebook: _Text(paths.ROOT / "notebooks" / f"{notebook}.ipynb") for notebook in firsts}
    figures, not_drawn = [], {}
    for name, plan in plans.items():
        if plan.missing:
            continue
        numbers = _numbers(out / f"{name}.json", raw, out)
        if "not_drawn" in numbers:
            not_drawn[name] = numbers["not_drawn"]
            continue
        one = table[name]
        number = "" if firsts[one.notebook] == name else f"Figure {name.removeprefix('fig')}"
        figures.append(_figure(name, number, numbers, texts[one.notebook], one, listed.listed, out))
    skipped = {name: plan.missing for name, plan in plans.items() if plan.missing}
    return Contents(raw, out, is_own, figures, not_drawn, skipped, listed.rows, listed.problems)


def _numbers(path: Path, raw: Path, out: Path) -> dict[str, Any]:
    folders = "" if (raw, out) == (Path("raw"), Path("figures")) else f" RAW={raw} OUT={out}"
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ContentsError(f"{path}: there is no such file: run make figures{folders}") from None
    except ValueError as error:
        raise ContentsError(f"{path} is not JSON ({error}): delete it and run make figures{folders}") from None


class _Text:
    """What a stored notebook says of its figures."""

    def __init__(self, notebook: Path) -> None:
        self.notebook = notebook
        cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
        markdown = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown"]
        heading, _, body = markdown[0].partition("\n")
        self.number, _, self.title = heading.removeprefix("# ").partition(". ")
        paragraphs = [one.strip() for one in body.strip().split("\n\n")]
        self.others = "\n\n".join(one for one in paragraphs if OTHER_FIGURES.match(one))
        self.caption = "\n\n".join(one for one in paragraphs if not OTHER_FIGURES.match(one))
        sections = [one.partition("\n") for one in markdown[1:]]
        self.drawing = next((text.strip() for head, _, text in sections if head in ("## The figure", "## Figure")), "")
        self.parameters = papermill.inspect_notebook(papermill_path(notebook))


def _figure(
    name: str,
    number: str,
    numbers: dict[str, Any],
    text: _Text,
    stated: figures_table.Figure,
    listed: list[dict[str, str]],
    out: Path,
) -> Figure:
    executed = out / "executed" / f"{name}.ipynb"
    recordings = _recordings(numbers, listed, stated.roles, out / "source_data" / f"{name}_recordings.csv")
    needed = {one.role for one in stated.selections if one.needed}
    return Figure(
        name=name,
        number=number or text.number,
        title=text.title,
        samples=tuple(dict.fromkeys(one["sample"] for one in recordings if one["sample"] and one["role"] in needed)),
        caption=text.caption,
        variant=text.others if number and number.lower() in text.others.lower() else "",
        drawing=text.drawing,
        notebook=text.notebook,
        executed=executed if executed.is_file() else None,
        picture=out / f"{name}.png",
        numbers=[number_of(row) for row in numbers["values"]],
        origins=tuple(sorted({one["origin"] for one in recordings if one["origin"]})),
        recordings=recordings,
        inputs=numbers["inputs"],
        parameters=[
            Parameter(key, _json(numbers["parameters"][key]), _json(ast.literal_eval(one["default"])), one["help"])
            for key, one in text.parameters.items()
            if key in numbers["parameters"]
        ],
        source_data=_source_data(out / "source_data" / f"{name}_contents.csv"),
        left_out=[f"{manifest.named(one)}: {one['reason']}" for one in numbers.get("left_out", ())],
    )


def number_of(row: Mapping[str, Any]) -> Number:
    """Return a finding of NAME.json with its numbers as text."""
    value, low, high = (findings.text(row[key], row) for key in ("value", "low", "high"))
    ends = {
        (False, False): "",
        (True, False): f"at least {low}",
        (False, True): f"at most {high}",
        (True, True): f"{low} to {high}",
    }
    return Number(
        quantity=row["quantity"].replace("_", " "),
        sample=row["sample"],
        state=row["state"],
        replicate=row.get("replicate", ""),
        value=value,
        interval=ends[row["low"] is not None, row["high"] is not None],
        unit=row["unit"],
        note=findings.rendered(row),
    )


def _recordings(
    numbers: Mapping[str, Any], listed: list[dict[str, str]], roles: tuple[str, ...], drawn: Path
) -> list[dict[str, str]]:
    """Return the rows of the manifest that a figure was drawn from, in the order in which its parameters name them."""
    formats = {row["file"]: row["format"] for row in _rows(drawn)}
    named = {sample: at for at, sample in enumerate(numbers["parameters"].get("samples", ()))}
    used = [row for row in listed if row["file"] in numbers["inputs"] and row["role"] in roles]
    return [
        {key: row.get(key, "") for key in (*IDENTITY, *manifest.CONSTANTS)}
        | {"sha256": numbers["inputs"][row["file"]], "format": formats.get(row["file"], "")}
        for row in sorted(used, key=lambda row: named.get(row["sample"], len(named)))
    ]


def _source_data(contents: Path) -> list[Data]:
    """Return the files that NAME_contents.csv lists, and itself, each once."""
    what: dict[str, list[str]] = {}
    for row in _rows(contents):
        if not row["file"]:
            continue
        panel = f"panel {row['panel']}: " if row["panel"] else ""
        told = what.setdefault(row["file"], [])
        told.append((panel if not told else "") + (row["series"] or row["drawn_as"]))
    files = {contents.parent / file: ", ".join(dict.fromkeys(told)) for file, told in what.items()}
    if files:
        files[contents] = "the columns of these files, with the axes and the kind of each series"
    return [Data(path, told) for path, told in files.items() if path.is_file()]


def _rows(path: Path) -> list[dict[str, str]]:
    if not path.is_file():
        return []
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
