"""Write OUT/ro-crate.zip: recordings, notebooks, package and figures with a machine-readable account of the run.

python -m coldbond.publish.crate --raw FOLDER --out FOLDER

ro-crate-metadata.json follows RO-Crate 1.1 (https://w3id.org/ro/crate/1.1) and the profiles Process Run Crate and
Workflow Run Crate 0.5 (https://w3id.org/ro/wfrun/workflow/0.5): the Makefile is the workflow, each notebook a tool, and
each figure an action with its recordings and parameters as objects and its files as results. The same inputs give the
same bytes, so the time of the run is not recorded.
"""

import argparse
import hashlib
import json
import os
import shutil
import sys
import zipfile
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import papermill
import yaml
from rocrate.model.contextentity import ContextEntity
from rocrate.model.entity import Entity
from rocrate.rocrate import ROCrate

import coldbond
from coldbond.build.notebooks import papermill_path
from coldbond.bundle import manifest, paths
from coldbond.publish.contents import Contents, load
from coldbond.publish.software import versions

#: What of the bundle the crate holds, so that make can build the figures from what is unpacked.
FOLDERS = ("lib", "lock", "notebooks", "scripts")
FILES = (
    *("Makefile", "figures.toml", "style.toml", "pyproject.toml", "environment.yml"),
    *("README.md", "LICENSE", "CITATION.cff", "codemeta.json", ".zenodo.json"),
)
#: What lies beside the manifest and is no recording: explanations and terms, and what a user may state.
BESIDE = ("README.md", "LICENSE", "claims.yml", "style.toml", "components.toml", "raman.toml", "structures/*")
#: The files of a figure NAME in its folder, except for its source data.
RESULTS = ("{}.pdf", "{}.png", "{}.json", "{}.csv", "{}.html", "print/{}.*")
MULTIVERSE = ("multiverse/multiverse.json", "multiverse/overview.png")
FORMATS = {
    "": "text/plain",
    ".cff": "application/yaml",
    ".cif": "chemical/x-cif",
    ".css": "text/css",
    ".csv": "text/csv",
    ".html": "text/html",
    ".ipynb": "application/x-ipynb+json",
    ".js": "text/javascript",
    ".json": "application/json",
    ".md": "text/markdown",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".py": "text/x-python",
    ".sh": "text/x-shellscript",
    ".svg": "image/svg+xml",
    ".toml": "application/toml",
    ".txt": "text/plain",
    ".typ": "text/plain",
    ".typed": "text/plain",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".yml": "application/yaml",
}
#: schema.org's types of the parameters of a notebook; a list is written as JSON.
TYPES = {"bool": "Boolean", "int": "Integer", "float": "Float", "dict": "PropertyValue"}
ORIGINS = {
    "synthetic": "simulated, not measured",
    "measured": "as the manifest says or implies",
    "computed": "computed, not measured",
}
MIT, CC0 = "https://spdx.org/licenses/MIT", "https://spdx.org/licenses/CC0-1.0"
RO_CRATE = "https://w3id.org/ro/crate/1.1"
WORKFLOW_RO_CRATE = "https://w3id.org/workflowhub/workflow-ro-crate/1.0"
PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": ("Process Run Crate", "0.5"),
    "https://w3id.org/ro/wfrun/workflow/0.5": ("Workflow Run Crate", "0.5"),
    WORKFLOW_RO_CRATE: ("Workflow RO-Crate", "1.0"),
}


@dataclass
class Crate:
    """A crate while it is put together.

    Attributes
    ----------
    contents : Contents
        The figures and their recordings.
    metadata : ROCrate
        What ro-crate-metadata.json will say.
    sources : dict of str to Path
        The file on the disk of each path in the crate.
    """

    contents: Contents
    metadata: ROCrate = field(default_factory=lambda: ROCrate(version="1.1"))
    sources: dict[str, Path] = field(default_factory=dict)

    def file(self, path: str, source: Path, *types: str, **said: Any) -> Entity:
        """Return the file of a path in the crate; add it if it is not there."""
        if path in self.sources:
            return self.metadata.get(quote(path))
        self.sources[path] = source
        with source.open("rb") as opened:
            digest = hashlib.file_digest(opened, "sha256").hexdigest()
        said = {"name": path, "sha256": digest, "contentSize": str(source.stat().st_size)} | said
        if types:
            said["@type"] = ["File", *types]
        if form := FORMATS.get(source.suffix.lower()):
            said["encodingFormat"] = form
        return self.metadata.add_file(source, path, properties=said)

    def thing(self, identifier: str, kind: str, **said: Any) -> Entity:
        """Add what is no file, such as a licence, a program or a run."""
        return self.metadata.add(ContextEntity(self.metadata, identifier, properties={"@type": kind} | said))

    def recording(self, file: str) -> tuple[str, Path]:
        """Return the path in the crate, and on the disk, of a file of the folder of recordings."""
        return f"{'raw' if self.contents.is_own else 'recordings'}/{file}", self.contents.raw / file


def build(raw: Path, out: Path) -> Crate:
    """Return the crate of the figures of a folder of recordings, and of all recordings that its manifest lists.

    Parameters
    ----------
    raw, out : Path
        The folders of the recordings and of the figures.

    Raises
    ------
    ValueError, OSError
        A figure has not been built, or was made of another recording than lies in `raw`.
    """
    contents = load(raw, out)
    crate = Crate(contents)
    citation = yaml.safe_load((paths.ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    author = crate.thing("#authors", "Organization", name=citation["authors"][0]["name"])
    mit = crate.thing(MIT, "CreativeWork", name="MIT License", description="For the code.")
    terms = _recordings(crate)
    program = _program(crate, author, mit)
    _code(crate, mit)
    runs = _runs(crate, program)
    workflow = crate.metadata.get("Makefile")
    workflow["author"] = author

    origins = Counter(row["origin"] for row in contents.recordings)
    counted = ", ".join(f"{number} {origin} ({ORIGINS[origin]})" for origin, number in sorted(origins.items()))
    said: dict[str, Any] = {
        "name": citation["title"] if contents.is_own else "Recordings, and the figures that coldbond drew from them",
        "description": f"{len(contents.figures)} figures with their numbers and 95 % intervals. Recordings: {counted}."
        + ("" if contents.is_own else " The figures are built anew with: make figures RAW=recordings OUT=figures"),
        "datePublished": _date(citation),
        "license": [terms, mit],
        "keywords": ", ".join([*citation["keywords"], *(["synthetic data"] if origins["synthetic"] else [])]),
        "mainEntity": workflow,
        "mentions": runs,
        "conformsTo": [
            crate.thing(profile, "CreativeWork", name=name, version=version)
            for profile, (name, version) in PROFILES.items()
        ],
    }
    if contents.is_own:
        said |= {"author": author, "citation": _paper(crate, citation["references"][0])}
    for name, value in said.items():
        crate.metadata.root_dataset[name] = value
    descriptor = crate.metadata.metadata
    descriptor["conformsTo"] = [{"@id": RO_CRATE}, {"@id": WORKFLOW_RO_CRATE}]
    descriptor.extra_terms["sha256"] = "http://schema.org/sha256"  # which is not in the context of RO-Crate 1.1
    return crate


def _date(citation: Mapping[str, Any]) -> str:
    """Return the date of publication, which the format requires: the one stated, or that of the release of coldbond."""
    stated = os.environ.get("SOURCE_DATE_EPOCH")
    return str(datetime.fromtimestamp(int(stated), UTC).date() if stated else citation["date-released"])


def _paper(crate: Crate, reference: Mapping[str, Any]) -> Entity:
    authors = ", ".join(f"{one['given-names']} {one['family-names']}" for one in reference["authors"])
    doi = f"https://doi.org/{reference['doi']}"
    return crate.thing(doi, "ScholarlyArticle", name=reference["title"], description=authors)


def _recordings(crate: Crate) -> Entity:
    """Add the manifest, the recordings that it lists and what lies beside it; return their terms.

    A file of the folder that the manifest does not list stays out: its owner may not mean to publish it.
    """
    contents = crate.contents
    licence = {}
    if contents.is_own:
        terms = crate.thing(CC0, "CreativeWork", name="CC0 1.0 Universal", description="For the recordings in raw/.")
        licence = {"license": terms}
    else:
        unknown = "Nobody has stated on which terms the recordings and the figures may be used. Ask their owners."
        terms = crate.thing("#no-licence", "CreativeWork", name="No licence is stated", description=unknown)
    table = Path(manifest.path(contents.raw))
    crate.file(*crate.recording(table.name), description="What each recording is", **licence)
    for path in sorted(path for name in BESIDE for path in contents.raw.glob(name) if path.is_file()):
        crate.file(*crate.recording(path.relative_to(contents.raw).as_posix()), **licence)
    of_file: dict[tuple[str, str], list[str]] = {}
    for row in contents.recordings:
        what = ", ".join(filter(None, [manifest.label(row), row["role"], row["note"]]))
        of_file.setdefault((row["file"], row["origin"]), []).append(what)
    for (file, origin), told in of_file.items():
        crate.file(
            *crate.recording(file),
            description=f"{origin} ({ORIGINS[origin]}): {'; '.join(told)}",
            additionalProperty=crate.thing(f"#origin/{origin}", "PropertyValue", name="origin", value=origin),
            **licence,
        )
    return terms


def _program(crate: Crate, author: Entity, mit: Entity) -> Entity:
    """Add the software that built the figures, and return coldbond."""
    program, *used = (
        crate.thing(f"#software/{name}-{version}", "SoftwareApplication", name=name, softwareVersion=version)
        for name, version in versions(crate.contents)
    )
    for name, value in {"softwareRequirements": used, "license": mit, "author": author}.items():
        program[name] = value
    return program


def _code(crate: Crate, mit: Entity) -> None:
    """Add what make needs to build the figures."""
    files = [path for name in FILES if (path := paths.ROOT / name).is_file()]
    for folder in FOLDERS:
        files += [path for path in (paths.ROOT / folder).rglob("*") if path.is_file()]
    for path in sorted(files):
        inside = path.relative_to(paths.ROOT)
        if any(part == "__pycache__" or part.endswith(".egg-info") for part in inside.parts) or path.suffix == ".pyc":
            continue
        types = ["SoftwareSourceCode"] * (inside.name == "Makefile" or inside.suffix == ".ipynb")
        types += ["ComputationalWorkflow"] * (inside.name == "Makefile")
        said = {"version": coldbond.__version__} if types else {}
        said |= {"about": crate.metadata.root_dataset} if inside.name == "README.md" else {}
        crate.file(inside.as_posix(), path, *types, license=mit, **said)
    if not crate.contents.is_own:  # make takes the paper's statements where the recordings have none of their own
        crate.file("raw/claims.yml", paths.ROOT / "raw" / "claims.yml")


def _runs(crate: Crate, program: Entity) -> list[Entity]:
    """Add the run of a notebook for each figure, and that of make; return these runs."""
    contents = crate.contents
    if not (contents.out / "claims.json").is_file():
        raise ValueError(f"there is no {contents.out / 'claims.json'}: run make figures again")
    names = [*(figure.name for figure in contents.figures), *contents.not_drawn, "claims"]
    built = {name: json.loads((contents.out / f"{name}.json").read_text(encoding="utf-8")) for name in names}
    tools = {name: _tool(crate, name, program) for name in dict.fromkeys(one["notebook"] for one in built.values())}
    runs = [_run(crate, name, numbers, tools[numbers["notebook"]], names) for name, numbers in built.items()]
    for name in MULTIVERSE:
        if (path := contents.out / name).is_file():
            crate.file(f"figures/{name}", path)

    makefile = crate.metadata.get("Makefile")
    language = crate.thing("#make", "ComputerLanguage", name="GNU Make", url="https://www.gnu.org/software/make/")
    workflow = {
        "programmingLanguage": language,
        "description": "make figures builds the figures by rules that scripts/make_rules.py writes from figures.toml",
        "softwareRequirements": program,
        "hasPart": list(tools.values()),
    }
    for name, value in workflow.items():
        makefile[name] = value
    results = {one.id: one for run in runs for one in run["result"]}
    used = {one.id: one for run in runs for one in run["object"] if "File" in one.type and one.id not in results}
    whole = crate.thing(
        "#run",
        "CreateAction",
        name="All figures and the claims table",
        description="make figures",
        instrument=makefile,
        object=[crate.metadata.get("figures.toml"), *used.values()],
        result=list(results.values()),
    )
    return [whole, *runs]


def _tool(crate: Crate, name: str, program: Entity) -> Entity:
    """Say of a notebook which parameters it has, and return it."""
    notebook = crate.metadata.get(f"notebooks/{name}.ipynb")
    known = papermill.inspect_notebook(papermill_path(crate.sources[f"notebooks/{name}.ipynb"]))
    notebook["input"] = [
        crate.thing(
            f"#parameter/{name}/{one['name']}",
            "FormalParameter",
            name=one["name"],
            additionalType=TYPES.get(one["inferred_type_name"], "Text"),
            description=one["help"],
            defaultValue=one["default"],
        )
        for one in known.values()
    ]
    notebook["programmingLanguage"] = crate.thing("#python", "ComputerLanguage", name="Python")
    notebook["softwareRequirements"] = program
    return notebook


def _run(crate: Crate, name: str, numbers: Mapping[str, Any], notebook: Entity, names: Iterable[str]) -> Entity:
    """Add the run of a notebook that made a figure."""
    out = crate.contents.out
    values = [
        crate.thing(
            f"#value/{name}/{parameter}",
            "PropertyValue",
            name=parameter,
            value=value if isinstance(value, bool | int | float | str) else json.dumps(value, ensure_ascii=False),
            exampleOfWork={"@id": f"#parameter/{numbers['notebook']}/{parameter}"},
        )
        for parameter, value in numbers["parameters"].items()
    ]
    left_out = [f"left out: {manifest.named(one)}: {one['reason']}" for one in numbers.get("left_out", ())]
    said: dict[str, Any] = {
        "name": f"{name} of {numbers['notebook']}",
        "description": "; ".join([f"make {name}", *left_out]),
        "instrument": notebook,
        "object": [*(_input(crate, name, file, digest) for file, digest in numbers["inputs"].items()), *values],
        "result": [crate.file(f"figures/{path}", out / path) for path in _results(out, name, names)],
        "actionStatus": "http://schema.org/CompletedActionStatus",
    }
    if "not_drawn" in numbers:
        said |= {"actionStatus": "http://schema.org/FailedActionStatus", "error": numbers["not_drawn"]}
    return crate.thing(f"#run/{name}", "CreateAction", **said)


def _input(crate: Crate, name: str, file: str, digest: str) -> Entity:
    """Return a file that a figure was made of: of RAW, or for the claims table the numbers of a figure."""
    inside, source = crate.recording(file)
    if name == "claims" and file == "claims.yml" and not source.is_file():
        inside, source = f"raw/{file}", paths.ROOT / "raw" / file
    elif name == "claims" and file != "claims.yml":
        inside, source = f"figures/{file}", crate.contents.out / file
    entity = crate.file(inside, source)
    if entity["sha256"] != digest:
        raise ValueError(f"{crate.contents.out / name}.json was made of another {source}: run make figures again")
    return entity


def _results(out: Path, name: str, names: Iterable[str]) -> list[str]:
    """Return the files of a figure in its folder."""
    found = {path for pattern in RESULTS for path in out.glob(pattern.format(name))}
    for path in out.glob(f"source_data/{name}_*.csv"):
        owner = max((one for one in names if path.name.startswith(f"{one}_")), key=len)
        found |= {path} if owner == name else set()
    return sorted(path.relative_to(out).as_posix() for path in found)


def write(crate: Crate, path: Path) -> None:
    """Write the crate as a zip file, whole or not at all; its bytes depend on names and contents of the files alone."""
    part = path.with_name(f".{path.name}.{os.getpid()}")
    described = json.dumps(crate.metadata.metadata.generate(), indent=1, sort_keys=True, ensure_ascii=False)
    try:
        with zipfile.ZipFile(part, "w") as archive:
            archive.writestr(_entry("ro-crate-metadata.json", runs=False), described + "\n")
            for inside, source in sorted(crate.sources.items()):
                entry = _entry(inside, runs=os.access(source, os.X_OK))
                with source.open("rb") as read, archive.open(entry, "w", force_zip64=True) as written:
                    shutil.copyfileobj(read, written, 1 << 20)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def _entry(name: str, runs: bool) -> zipfile.ZipInfo:
    """Return the head of a file in the archive, with the date that zipfile gives where none is stated, 1980-01-01."""
    entry = zipfile.ZipInfo(name)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.create_system = 3  # Unix, whose permissions follow: make starts scripts/set_up.sh
    entry.external_attr = (0o100755 if runs else 0o100644) << 16
    return entry


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m coldbond.publish.crate", description=__doc__.split("\n")[0])
    parser.add_argument("--raw", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    path = given.out / "ro-crate.zip"
    try:
        crate = build(given.raw, given.out)
        write(crate, path)
    except (ValueError, OSError) as error:
        print(f"{path} is not written: {error}", file=sys.stderr)
        return 1
    date = crate.metadata.root_dataset["datePublished"]
    print(f"{path} holds {len(crate.sources)} files. It states {date} as its date; SOURCE_DATE_EPOCH gives another.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
