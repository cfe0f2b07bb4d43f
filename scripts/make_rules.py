"""Write the rules by which make builds the figures, from figures.toml, a manifest and the records of earlier runs.

    python scripts/make_rules.py write RAW OUT PARAMETERS    # writes OUT/executed/rules.mk, which the Makefile includes
    python scripts/make_rules.py summary RAW OUT NAME ...    # prints what RAW's figures lack; an error if they do
    python scripts/make_rules.py list                        # prints the figures of each notebook
    python scripts/make_rules.py near NAME                   # prints which figures have a similar name

A figure depends on its notebook, its recordings and the manifest, the lock of the packages, and the modules that its
last run imported. The last are in OUT/executed/NAME.d, which scripts/run_notebook.py writes, as compilers do for make.
Its second line has size and time of each recording, because an older file in place of a damaged one is not newer than
the figure.

With the bundle's own raw/ every error ends the build of a figure. With another RAW, what cannot be used is left out: a
recording, a row of the manifest, or a figure. `summary` says so at the end of each make, and fails.

Standard library only, in Python 3.11: make runs this script before any package is installed.
"""

import argparse
import json
import os
import re
import sys
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from shlex import quote

LIB = Path(__file__).resolve().parents[1] / "lib"
sys.path.insert(0, str(LIB))

from coldbond.build import figures_table  # noqa: E402
from coldbond.bundle import manifest  # noqa: E402

CLAIMS = "notebooks/claims.ipynb"
#: Characters that a rule of make cannot hold in the name of a file, even escaped.
FORBIDDEN = re.compile(r'[\t\n:;|*?"\\\[\]~]')


class RulesError(Exception):
    """Why there are no rules, in one line."""


def escaped(path: str) -> str:
    """Return a path as it is written in a rule of make."""
    return re.sub("([ #])", r"\\\1", path).replace("$", "$$")


def escaped_target(path: str) -> str:
    """Return a path as it is written before the colon of a rule, where a % would make it a pattern."""
    return escaped(path).replace("%", r"\%")


def record_header(notebook: str, raw: str, parameters: list[str]) -> str:
    """Return the first line of OUT/executed/NAME.d: how the figure was built. If it changes, the figure is rebuilt."""
    return f"# {json.dumps([notebook, raw, *_stated(raw, notebook), *parameters])}"


#: What a user may state beside the manifest, by the part of the name of the notebooks that read it.
STATED = {"": "style.toml", "_xrd": "structures/*", "_xps": "components.toml", "_raman": "raman.toml"}


def _stated(raw: str, notebook: str) -> list[str]:
    """Return what is stated beside the manifest for a notebook: style, crystal structures, components, Raman lines."""
    return sorted(str(path) for part, name in STATED.items() if part in notebook for path in Path(raw).glob(name))


def rules(raw: str, out: str, given: str) -> str:
    """Return the rules for all figures and for the claims table.

    Parameters
    ----------
    raw, out : str
        The folders of the recordings and of the figures.
    given : str
        The parameters that make was given on its command line.

    Raises
    ------
    RulesError
        No figure can be built from `raw`, or make cannot handle the name of a file.
    """
    if re.search(r"[%#$]", out) or FORBIDDEN.search(out):
        raise RulesError(f'{out}: make cannot handle an OUT with any of % # $ : ; | * ? " \\ [ ] ~')
    if FORBIDDEN.search(raw):
        raise RulesError(f'{raw}: make cannot handle a RAW with any of : ; | * ? " \\ [ ] ~ in it: rename it')
    listed = manifest.load(raw)
    if is_own(raw) and listed.unusable:
        raise manifest.ManifestError(*listed.problems)
    figures = figures_table.load("figures.toml")
    plans = figures_table.plan(figures, listed.listed, of_paper=is_own(raw))
    built = [name for name, plan in plans.items() if not plan.missing]
    if not built:
        raise RulesError(f"none of the figures can be built from {raw}")
    first = sorted(built, key=lambda name: not figures[name].slow)
    skipped = {name: " ".join(plan.missing).replace("$", "$$") for name, plan in plans.items() if plan.missing}

    lines = [
        f"# Written by scripts/make_rules.py from figures.toml and {listed.path}. Do not edit it.",
        f"out := {escaped(out)}",
        f"drawn := {' '.join(built)} claims",
        "" if is_own(raw) else "summary = $(make_rules) summary $(call quoted,$(RAW)) $(call quoted,$(OUT))",
        "",
        "define notes",
        *(note.replace("$", "$$") for note in listed.notes),
        *(f"{name} is left out: $(RAW) holds no recording of {missing}" for name, missing in skipped.items()),
        "endef",
        "",
        "# The slow figures first: otherwise one of them would run alone at the end.",
        f"figures claims multiverse site report crate: {' '.join(f'$(out)/{name}.pdf' for name in (*first, 'claims'))}",
    ]
    for name in built:
        notebook = f"notebooks/{figures[name].notebook}.ipynb"
        parameters = json.dumps(plans[name].parameters, ensure_ascii=False)
        inputs = [listed.path, *(path for path in recordings_of(raw, plans[name]) if not FORBIDDEN.search(path))]
        lines += ["", f".PHONY: {name}", f"{name}: $(out)/{name}.pdf ; $(built)"]
        lines += _rule(name, notebook, inputs, raw, out, [parameters, given])
    for name, missing in skipped.items():
        lines += ["", f".PHONY: {name}", f"{name}: ; $(error {name}: $(RAW) holds no recording of {missing})"]

    # The claims table is made from the numbers of all figures and from what the paper, or a claims.yml in RAW, states.
    claims = os.path.join(raw, "claims.yml")
    multiverse = os.path.join(out, "multiverse", "multiverse.json")
    inputs = [claims if os.path.isfile(claims) else "raw/claims.yml"]
    inputs += [multiverse] if os.path.isfile(multiverse) else []
    lines += ["", f"$(out)/claims.pdf: {' '.join(f'$(out)/{name}.pdf' for name in built)}"]
    lines += _rule("claims", CLAIMS, inputs, raw, out, [json.dumps({"tested": built})])
    lines += ["", "renew-claims: | $(out)/claims.pdf"]
    return "\n".join(lines) + "\n"


def is_own(raw: str) -> bool:
    """Return whether the recordings are the bundle's own, of which every error is an error."""
    return os.path.samefile(raw, "raw")


def recordings_of(raw: str, plan: figures_table.Plan) -> list[str]:
    """Return the paths of a figure's recordings that exist, each once."""
    return [
        path for path in (os.path.join(raw, file) for file in dict.fromkeys(plan.recordings)) if os.path.isfile(path)
    ]


def state(path: str) -> list[int] | None:
    """Return size and time of change [ns] of a file; None where there is none."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return [found.st_size, found.st_mtime_ns]


def _is_current(record: Path, header: str, raw: str) -> bool:
    """Return whether a figure was built in this way, from recordings that are the same files still."""
    try:
        with record.open(encoding="utf-8", errors="surrogateescape") as file:
            first, second = file.readline(), file.readline()
    except FileNotFoundError:
        return False
    read = json.loads(second.removeprefix("# ")) if second.startswith("# ") else {}
    return first == f"{header}\n" and all(state(os.path.join(raw, name)) == was for name, was in read.items())


def summary(raw: str, out: str, names: list[str]) -> tuple[str, bool]:
    """Return what figures of another folder of recordings lack, in lines, and whether they lack nothing.

    Parameters
    ----------
    raw, out : str
        The folders of the recordings and of the figures.
    names : list of str
        The figures; with "claims" among them also what no figure shows of the manifest.
    """
    lines, drawn = [], 0
    for name in names:
        try:
            numbers = json.loads(Path(out, f"{name}.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            numbers = {"not_drawn": f"there is no {os.path.join(out, name)}.json"}
        if "not_drawn" in numbers:
            lines.append(f"{name} is not drawn: {numbers['not_drawn']}")
        else:
            drawn += name != "claims"
            lines += [left_out(name, one) for one in numbers.get("left_out", ())]
    if "claims" not in names:
        return "\n".join(
            [*lines, *(f"{name} lies in {out}/{name}.pdf, .png and .json" for name in names[:drawn])]
        ), not lines
    listed, table = manifest.load(raw), figures_table.load("figures.toml")
    plans = figures_table.plan(table, listed.listed, of_paper=False)
    shown = {
        (role, file) for name in names if name in plans for role in table[name].roles for file in plans[name].recordings
    }
    for one in listed.unusable:  # what is no figure's to say
        lines += [] if (one.row["role"], one.row["file"]) in shown else one.problems
    figures = f"{drawn} figure{'s' * (drawn != 1)} drawn"
    return "\n".join([*lines, f"{figures}, {len(lines)} problem{'s' * (len(lines) != 1)}"]), not lines


def left_out(name: str, one: dict[str, str]) -> str:
    """Return the line that says why a recording is left out of a figure."""
    return f"{name}: {manifest.named(one)} is left out: {one['reason']}"


def _rule(name: str, notebook: str, inputs: list[str], raw: str, out: str, parameters: list[str]) -> Iterator[str]:
    """Yield the rule of one figure, and the inclusion of what its last run recorded."""
    record = Path(out, "executed", f"{name}.d")
    header = record_header(notebook, raw, parameters)
    stated = [path for path in _stated(raw, notebook) if not FORBIDDEN.search(path)]
    needed = ["style.toml", *stated, notebook, *inputs]
    given = [quote(text).replace("$", "$$") for text in parameters]
    yield f"$(out)/{name}.pdf: {' '.join(map(escaped, needed))} $(always)"
    yield f"\t$(build) {notebook} {name} $(folders) --parameters {' '.join(given)}"
    # A figure whose notebook, recordings or parameters are others than in its last run is out of date.
    is_current = _is_current(record, header, raw)
    yield f"-include $(out)/executed/{name}.d" if is_current else f"$(out)/{name}.pdf: FORCE"


def write(raw: str, out: str, given: str) -> None:
    """Write OUT/executed/rules.mk as a whole: another make may be reading it."""
    text = rules(raw, out, given)
    folder = Path(out, "executed")
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / f"rules.mk.{os.getpid()}"
    partial.write_text(text, encoding="utf-8", errors="surrogateescape")
    partial.replace(folder / "rules.mk")


def listing() -> str:
    """Return the figures of each notebook, for `make help`."""
    of_notebook: dict[str, list[str]] = {}
    for name, figure in figures_table.load("figures.toml").items():
        of_notebook.setdefault(figure.notebook, []).append(name)
    return "\n".join(f"{notebook:<23} {' '.join(names)}" for notebook, names in of_notebook.items())


def near(name: str) -> str:
    """Return a sentence with the figures whose names are similar to a name; "" if there are none."""
    similar = get_close_matches(name, figures_table.load("figures.toml"), n=4, cutoff=0.5)
    return f" Did you mean {', '.join(similar)}?" if similar else ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    writing = commands.add_parser("write")
    for name in ("raw", "out", "parameters"):
        writing.add_argument(name)
    ending = commands.add_parser("summary")
    for name in ("raw", "out"):
        ending.add_argument(name)
    ending.add_argument("names", nargs="+")
    commands.add_parser("list")
    commands.add_parser("near").add_argument("name")
    asked = parser.parse_args()
    try:
        if asked.command == "write":
            write(asked.raw, asked.out, asked.parameters)
        elif asked.command == "summary":
            text, whole = summary(asked.raw, asked.out, asked.names)
            print(text, file=sys.stdout if whole else sys.stderr)
            return 0 if whole else 1
        else:
            print(listing() if asked.command == "list" else near(asked.name))
    except (manifest.ManifestError, figures_table.TableError, RulesError, OSError) as error:
        lines = str(error).splitlines()
        if len(lines) > 1:
            print("\n".join(lines), file=sys.stderr)
            lines = [f"the manifest in {asked.raw} has {len(lines)} problems"]
        print(lines[0], file=sys.stdout if asked.command == "write" else sys.stderr)  # the Makefile shows it
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
