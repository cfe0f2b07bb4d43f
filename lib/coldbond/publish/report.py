"""Typeset OUT/report.pdf: recordings, every figure at print size with its numbers, statements, choices and provenance.

python -m coldbond.publish.report --raw FOLDER --out FOLDER

The text is written as JSON, which report.typ prints: names and notes of recordings never become code of the typesetter.
The fonts are those that typst and matplotlib bring along, and the PDF has no date, so the same inputs give the same
bytes on every machine.
"""

import argparse
import csv
import json
import os
import re
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence, Set
from pathlib import Path
from typing import Any, TypeVar

import typst
import yaml

import coldbond
from coldbond.bundle import manifest, paths
from coldbond.bundle.claims import report as claims
from coldbond.bundle.claims import statements
from coldbond.publish import choices
from coldbond.publish.contents import Contents, Figure, load
from coldbond.publish.printable import FONTS, Printable
from coldbond.publish.software import versions

Result = TypeVar("Result")
TEMPLATE = Path(__file__).with_name("report.typ")
#: Constants of the manifest as they are printed.
CONSTANTS = {"area_cm2": "cm²", "thickness_cm": "cm thick", "active_mass_mg": "mg", "temperature_C": "°C"}


def document(contents: Contents, printable: Printable) -> tuple[dict[str, Any], dict[str, Path]]:
    """Return what the report says, as report.typ takes it, and its pictures by the names that it uses.

    Parameters
    ----------
    contents : Contents
        The figures and their recordings.
    printable : Printable
        Makes the texts printable.

    Raises
    ------
    ValueError, OSError
        A figure or the claims table has not been built.
    """
    citation = yaml.safe_load((paths.ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    listed = _statements(contents)
    pictures = {f"{figure.name}.pdf": figure.picture.with_suffix(".pdf") for figure in contents.figures}
    used = versions(contents)
    text = {
        "title": "Figures, numbers and statements",
        "subtitle": _subtitle(contents, citation),
        "running": f"coldbond report, {_number(len(contents.figures), 'figure')}",
        "made-by": f"made with coldbond {coldbond.__version__}",
        "authors": [author["name"] for author in citation["authors"]] if contents.is_own else [],
        "keywords": citation["keywords"] if contents.is_own else [],
        "summary": _summary(contents, listed, used),
        "recordings": _recordings(contents),
        "figures": [_figure(figure, printable) for figure in contents.figures],
        "statements": _printed_statements(contents, listed),
        "choices": choices.printed(contents, {one.claim: one.statement for one in listed}),
        "left-out": _left_out(contents),
        "provenance": _provenance(contents, used),
    }
    if any(one.group != statements.NO_DATA for one in listed):
        pictures["claims.pdf"] = contents.out / "claims.pdf"
        text["statements"]["file"] = "claims.pdf"
    if (overview := contents.out / "multiverse" / "overview.png").is_file() and text["choices"]["rows"]:
        pictures["choices.png"] = overview
        text["choices"]["file"] = "choices.png"
    text = _made_printable(text, printable)
    text["warnings"] = _warnings(contents, printable.missing)
    return text, pictures


def _made_printable(value: Any, printable: Printable) -> Any:
    """Make every text printable, except for the runs of the captions, which are."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, list | tuple):
        return [_made_printable(one, printable) for one in value]
    if isinstance(value, Mapping):
        kept = ("caption", "file")
        return {key: one if key in kept else _made_printable(one, printable) for key, one in value.items()}
    return value


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}{'s' * (count != 1)}"


def _subtitle(contents: Contents, citation: Mapping[str, Any]) -> list[str]:
    if contents.is_own:
        paper = citation["references"][0]
        first = paper["authors"][0]["family-names"]
        title = " ".join(paper["title"].split())
        return [f"Recomputed for {first} et al., {title}, {paper['journal']} {paper['year']}", f"doi {paper['doi']}"]
    samples = dict.fromkeys(row["sample"] for row in contents.recordings if row["sample"])
    return [f"Samples: {', '.join(samples)}"]


def _warnings(contents: Contents, missing: Set[str]) -> list[tuple[str, str]]:
    found = []
    synthetic = len({row["file"] for row in contents.recordings if row["origin"] == "synthetic"})
    every = len({row["file"] for row in contents.recordings})
    if synthetic:
        told = f"{synthetic} of {_number(every, 'recording')} were simulated, not measured."
        told += " What is found in them tests the analysis and confirms no experiment."
        found.append(("Synthetic data.", told))
    if missing:
        signs = " ".join(f"U+{ord(sign):04X}" for sign in sorted(missing))
        told = f"Its fonts lack {len(missing)}, which stand as Unicode numbers in ⟨ ⟩: {signs}."
        found.append(("Characters that this report cannot print.", told))
    return found


def _summary(
    contents: Contents, listed: Sequence[statements.Statement], used: Sequence[tuple[str, str]]
) -> list[tuple[str, list[str]]]:
    origins = Counter({row["file"]: row["origin"] for row in contents.recordings}.values())
    numbers = [number for figure in contents.figures for number in figure.numbers]
    with_interval = sum(bool(number.interval) for number in numbers)
    tally = statements.tally(listed)
    left_out = len(_left_out(contents))
    figures = [f"{len(contents.figures)} drawn"]
    figures += [f"{len(contents.not_drawn)} not drawn"] if contents.not_drawn else []
    figures += [f"{len(contents.skipped)} without recordings"] if contents.skipped else []
    return [
        ("Figures", [", ".join(figures)]),
        ("Recordings", [", ".join(f"{count} {origin}" for origin, count in sorted(origins.items()))]),
        ("Numbers", [f"{len(numbers)}, {with_interval} of them with a 95 % interval"]),
        (
            "Statements",
            [f"{group.title}: {tally[key]}" for key, group in statements.GROUPS.items()] if listed else ["none"],
        ),
        ("Left out", ["nothing" if not left_out else f"{left_out}: see the section near the end"]),
        ("Software", [", ".join(f"{name} {version}" for name, version in used[:2])]),
    ]


def _recordings(contents: Contents) -> dict[str, Any]:
    rows = [
        [
            row["file"],
            row["role"],
            manifest.label(row),
            row["origin"],
            ", ".join(f"{row[key]} {unit}" for key, unit in CONSTANTS.items() if row[key]),
            row["note"],
        ]
        for row in contents.recordings
    ]
    text = "What the manifest of the recordings says of each. Hashes of the files are in the last section."
    return {"text": text, "rows": rows}


def _figure(figure: Figure, printable: Printable) -> dict[str, Any]:
    samples = [*figure.samples[:4], *(["..."] if len(figure.samples) > 4 else [])]
    of = f": {', '.join(samples)}" if samples else ""
    origins = ", ".join(figure.origins)
    caption = "\n\n".join(filter(None, [figure.caption, figure.variant, figure.drawing]))
    return {
        "title": f"{figure.number}. {figure.title}{of}",
        "number": figure.number[:1].lower() + figure.number[1:],
        "file": f"{figure.name}.pdf",
        "caption": printable.markdown(caption),
        "made-of": f"Drawn by notebooks/{figure.notebook.name} from {_number(len(figure.inputs), 'file')} "
        f"({origins}): {', '.join(figure.inputs)}",
        "left-out": figure.left_out,
        "numbers": [
            [one.quantity, one.condition, _signed(one.value), _signed(one.interval), one.unit, one.note]
            for one in figure.numbers
        ],
        "parameters": [
            [one.name, one.value, one.meaning, one.default if one.differs else "the same"] for one in figure.parameters
        ],
    }


def _signed(number: str) -> str:
    """Return a number with a minus sign in place of the hyphen."""
    return re.sub(r"(?<![\w.])-(?=\d)", "−", number)


def _statements(contents: Contents) -> list[statements.Statement]:
    """Return the statements of the claims table; of a group's recordings, not those of the paper on other samples."""
    path = contents.out / "claims.csv"
    try:
        with path.open(encoding="utf-8", newline="") as file:
            listed = statements.of(list(csv.DictReader(file)))
    except FileNotFoundError:
        raise ValueError(f"there is no {path}: run make figures") from None
    except (KeyError, ValueError) as error:
        raise ValueError(f"{path} is no table of claims ({error!r}): run make claims") from None
    return [one for one in listed if not _papers(contents) or any(row["figure"] for row in one.findings)]


def _papers(contents: Contents) -> bool:
    """Return whether a group's recordings are compared with the statements of the paper."""
    return not contents.is_own and not (contents.raw / "claims.yml").is_file()


def _printed_statements(contents: Contents, listed: Sequence[statements.Statement]) -> dict[str, Any]:
    tally = statements.tally(listed)
    remarks = {
        statements.OUTSIDE: ("Evidence", lambda one: f"{one.evidence}: {claims.reason(one)}"),
        statements.RECOVERED: ("Samples", _samples),
        statements.UNDECIDED: ("Would decide", lambda one: one.would_decide),
        statements.NO_DATA: ("Reason", claims.reason),
    }
    groups = [
        {
            "title": group.title,
            "says": group.says,
            "tally": tally[key][:1].upper() + tally[key][1:] + ".",
            "remark": remarks[key][0],
            "rows": [
                [
                    *(one.panel, one.statement, claims.stated(one), claims.found(one), one.shown),
                    *(claims.holds_in(one), remarks[key][1](one)),
                ]
                for one in listed
                if one.group == key
            ],
        }
        for key, group in statements.GROUPS.items()
    ]
    text = (
        f"{_number(len(listed), 'statement')}, in four groups by what the evidence is worth. A number agrees if it "
        "lies in the recomputed 95 % interval, widened by the rounding of the stated number. “Holds in” counts the "
        "runs with other choices of the analysis in which the findings agree."
    )
    if _papers(contents):
        others = "The statements of the paper about other samples are not listed. A claims.yml beside the manifest "
        others += "states others."
        text = f"{text} {others}" if listed else f"None is tested. {others}"
    return {"text": text, "groups": groups if listed else [], "file": "", "caption": []}


def _samples(one: statements.Statement) -> str:
    return ", ".join(dict.fromkeys(row["sample"] for row in one.findings))


def _left_out(contents: Contents) -> list[list[str]]:
    lines = [[name, f"not drawn: {reason}"] for name, reason in contents.not_drawn.items()]
    lines += [
        [name, f"not drawn, for want of recordings: {', '.join(missing)}"] for name, missing in contents.skipped.items()
    ]
    lines += [[figure.name, line] for figure in contents.figures for line in figure.left_out]
    return lines + [["manifest", line] for line in contents.unusable]


def _provenance(contents: Contents, used: Sequence[tuple[str, str]]) -> dict[str, Any]:
    shown: dict[tuple[str, str], list[str]] = {}
    for figure in contents.figures:
        for file, digest in figure.inputs.items():
            shown.setdefault((file, digest), []).append(figure.name)
    folders = "" if contents.is_own else " RAW=... OUT=..."
    return {
        "text": f"make report{folders} builds the figures and this report anew. The same inputs give the same bytes.",
        "versions": [[name, version] for name, version in used],
        "files-text": "The files that the figures were drawn from.",
        "files": [[file, digest, ", ".join(names)] for (file, digest), names in sorted(shown.items())],
    }


def compiled(text: Mapping[str, Any], pictures: Mapping[str, Path], use: Callable[[typst.Compiler], Result]) -> Result:
    """Return what a function makes of the typesetter that has the report before it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for inside, path in pictures.items():
            shutil.copy(path, folder / inside)
        shutil.copy(TEMPLATE, folder)
        (folder / "report.json").write_text(json.dumps(text), encoding="utf-8")
        return use(typst.Compiler(folder / TEMPLATE.name, root=folder, font_paths=[FONTS], ignore_system_fonts=True))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m coldbond.publish.report", description=__doc__.split("\n")[0])
    parser.add_argument("--raw", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    path = given.out / "report.pdf"
    printable = Printable()
    try:
        text, pictures = document(load(given.raw, given.out), printable)
        pdf = compiled(text, pictures, lambda report: report.compile(format="pdf"))
    except (ValueError, OSError) as error:
        print(f"{path} is not written: {error}", file=sys.stderr)
        return 1
    except typst.TypstError as error:  # a picture is no PDF
        print(f"{path} is not written: {str(error).splitlines()[0]}: run make figures again", file=sys.stderr)
        return 1
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.write_bytes(pdf)
    os.replace(part, path)
    print(f"the report is {path}")
    if printable.missing:
        signs = "".join(sorted(printable.missing))
        print(f"its fonts lack {signs}: their Unicode numbers are printed in ⟨ ⟩", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
