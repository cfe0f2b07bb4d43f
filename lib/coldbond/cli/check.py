"""All problems of a folder of recordings at once, each with its remedy.

The manifest is checked, every file that it lists is read, and what the figures of its role need is looked for: the
constants, the words in the state, cycles that can be analysed. What only costs a detail is a note.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from math import isnan
from pathlib import Path

import numpy as np
import xarray as xr

from coldbond.build import figures_table
from coldbond.bundle import manifest, paths, raw
from coldbond.cells import capacity, ccd, long_cycling
from coldbond.cli import look
from coldbond.cli.requirements import FEWEST, NEEDED, OVER_CYCLES, WANTED, Constant
from coldbond.constants import CONSTANTS
from coldbond.files import ReadError
from coldbond.impedance.conductivity import electronic
from coldbond.impedance.resistance import cycle_of
from coldbond.xps.reference import require_one_sample

#: What distinguishes a cell from another in a name, not one sample or state from another.
NUMBERED = re.compile(
    r"(?i)^(.*?)[\s_,;#-]*(?:(?:cell|replicate|rep|no\.?|nr\.?|#|电池|平行)[\s_.-]*)?(\d{1,2}|[a-c])$"
)
IN_WORDS = re.compile(r"(?i)(cell|replicate|\brep|\bno\.?|\bnr\.?|#|电池|平行)[\s_.-]*(\d{1,2}|[a-z])$")
MOST_NAMED = 4  # names in one line


class Rank(IntEnum):
    """How bad a problem is, the worst first."""

    MANIFEST = 0
    FILE = 1
    CONSTANT = 2
    STATE = 3
    ANALYSIS = 4
    DUPLICATE = 5
    NOTE = 6


@dataclass(frozen=True)
class Problem:
    """One line of the report.

    Attributes
    ----------
    rank : Rank
    where : str
        File and recording, or the manifest; "" where the text says so itself.
    text : str
        What is wrong.
    remedy : str
        How to correct it; "" where the text says so.
    """

    rank: Rank
    where: str
    text: str
    remedy: str

    @property
    def is_problem(self) -> bool:
        """Whether it is more than a note."""
        return self.rank != Rank.NOTE

    def __str__(self) -> str:
        kind = "problem" if self.is_problem else "note   "
        return f"{kind}  " + ": ".join(filter(None, (self.where, self.text, self.remedy)))


@dataclass(frozen=True)
class Checked:
    """What was found in a folder.

    Attributes
    ----------
    folder : Path
    manifest : str
        Path of the manifest.
    count : int
        Rows of the manifest.
    problems : list of Problem
        The worst first.
    figures : list of str
        One line for the figures that can be drawn and one for each that lacks recordings.
    """

    folder: Path
    manifest: str
    count: int
    problems: list[Problem]
    figures: list[str]


def check(folder: Path) -> Checked:
    """Read a manifest and all files that it lists, and return everything that is wrong with them.

    Parameters
    ----------
    folder : Path
        Folder with a manifest.
    """
    path = manifest.path(folder)
    try:
        found = manifest.load(folder)
    except manifest.ManifestError as error:
        return Checked(folder, path, 0, [Problem(Rank.MANIFEST, "", text, "") for text in error.problems], [])
    problems = [Problem(Rank.MANIFEST, "", text, "") for text in found.problems]
    usable, hashes = [], {}
    for row in found.rows:
        own = list(_state(row))
        lacks = bool(_missing(row, NEEDED))
        try:
            recording = raw.recording(row, folder)
        except ReadError as error:
            own.append(_unreadable(row, folder, error))
        except OSError as error:
            own.append(Problem(Rank.FILE, _where(row), error.strerror or str(error), "restore it, or delete its row"))
        else:
            hashes[id(row)] = str(recording.attrs["sha256"])
            own += [] if lacks else _analysed(row, recording)
        # Of a cell that lacks its constants no figure is drawn.
        if not any(one.rank in (Rank.FILE, Rank.ANALYSIS) for one in own) and not (
            lacks and row["technique"] == "cycling"
        ):
            usable.append(row)
        problems += own
    problems += list(_constants(found.rows))
    problems += _duplicates(found.rows, hashes) + _few(found.rows) + _unnumbered(found.rows)
    problems += [Problem(Rank.NOTE, "", text, "") for text in found.notes]
    problems += _unlisted(folder, found.listed)
    return Checked(
        folder, path, len(found.listed), sorted(problems, key=lambda one: one.rank), _figures(usable, folder)
    )


def report(checked: Checked) -> str:
    """Return what was found as text, a line each."""
    problems = sum(one.is_problem for one in checked.problems)
    notes = len(checked.problems) - problems
    head = f"{checked.manifest}: {_counted(checked.count, 'recording')}, {_counted(problems, 'problem')}, "
    lines = [f"{head}{_counted(notes, 'note')}", *map(str, checked.problems), *checked.figures]
    return "\n".join(lines)


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _named(names: Sequence[str]) -> str:
    """Return names in one line, the first few of many."""
    more = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _where(row: Mapping[str, str]) -> str:
    return f"{row['file']} ({row['role']}, {manifest.label(row)})"


def _unreadable(row: Mapping[str, str], folder: Path, error: ReadError) -> Problem:
    try:  # under another technique than that of its role
        technique = raw.recording({**row, "technique": ""}, folder).attrs["technique"]
    except (ReadError, OSError):
        technique = row["technique"]
    if technique != row["technique"]:
        roles = ", ".join(role for role, of_role in manifest.TECHNIQUES.items() if of_role == technique)
        text = f"a recording of {technique}, but its role is one of {row['technique']}"
        return Problem(Rank.FILE, _where(row), text, f"write another role ({roles}), or another file")
    place = f", line {error.line}" if error.line is not None else ""
    return Problem(Rank.FILE, _where(row) + place, error.reason, error.remedy)


def _missing(row: Mapping[str, str], wanted: Mapping[str, tuple[Constant, ...]]) -> tuple[Constant, ...]:
    return tuple(one for one in wanted.get(row["role"], ()) if not row[one.column])


def _constants(rows: Sequence[Mapping[str, str]]) -> Iterator[Problem]:
    """Yield one problem or note for all recordings of a role that lack the same constants."""
    for rank, wanted in ((Rank.CONSTANT, NEEDED), (Rank.NOTE, WANTED)):
        lacking: dict[tuple[str, tuple[Constant, ...]], list[Mapping[str, str]]] = {}
        for row in rows:
            if missing := _missing(row, wanted):
                lacking.setdefault((row["role"], missing), []).append(row)
        for (_, missing), of in lacking.items():
            names = " and ".join(CONSTANTS[one.column][0] for one in missing)
            columns = " and ".join(one.column for one in missing)
            verb = "is" if len(missing) == 1 else "are"
            where = _named([_where(row) for row in of])
            yield Problem(rank, where, f"{names} {verb} not known: {missing[0].without}", f"fill {columns}")


def _state(row: Mapping[str, str]) -> Iterator[Problem]:
    if row["role"] in OVER_CYCLES and isnan(cycle_of(row["state"])):
        text = f"the state {row['state']!r} does not name one cycle" if row["state"] else "no state names the cycle"
        yield Problem(Rank.STATE, _where(row), text, "write a state such as 'cycle 50'")


def _analysed(row: Mapping[str, str], recording: xr.Dataset | xr.DataTree) -> list[Problem]:
    """Return why a recording cannot be analysed, as far as a quick analysis shows it."""
    try:
        if isinstance(recording, xr.DataTree):
            require_one_sample(recording)
            return []
        match row["role"]:
            case "ccd":
                steps = ccd.steps(recording)
                if np.unique(steps.setpoint).size < 2:
                    raise ValueError("the current does not rise: there is one current density only")
            case "long-cycling":
                if long_cycling.overpotentials(long_cycling.half_cycles(recording)).sizes["pair"] < 2:
                    raise ValueError("fewer than two cycles were sustained")
            case "full-cell" | "rate":
                if not (capacity.cycles(recording).finished == 1).any():
                    raise ValueError("no half cycle is complete")
            case "electronic":
                electronic.steady(recording, 0.0)
    except (ValueError, LookupError) as error:
        remedy = "" if "manifest.csv" in str(error) else "correct its role, or delete its row"
        return [Problem(Rank.ANALYSIS, _where(row), f"cannot be analysed: {error}", remedy)]
    return []


def _duplicates(rows: Sequence[dict[str, str]], hashes: Mapping[int, str]) -> list[Problem]:
    first: dict[tuple[str, ...], str] = {}
    found = []
    for row in rows:
        if id(row) not in hashes:
            continue
        same = (hashes[id(row)], row["role"], row["sweep"], row["sample_in_file"])
        before = first.setdefault(same, row["file"])
        if before != row["file"]:
            found.append(Problem(Rank.DUPLICATE, _where(row), f"the same as {before}", "delete one of the two rows"))
    return found


def _few(rows: Sequence[Mapping[str, str]]) -> list[Problem]:
    """Return a note for samples with fewer recordings of a role than a result needs."""
    held: dict[tuple[str, str, str], set[str]] = {}
    for row in rows:
        held.setdefault((row["role"], row["sample"], row["replicate"]), set()).add(row["state"])
    found = []
    for (role, sample, replicate), states in held.items():
        fewest, without = FEWEST.get(role, (0, ""))
        if len(states) < fewest:
            name = sample + (f", replicate {replicate}" if replicate else "")
            text = f"{_counted(len(states), 'recording')}, {fewest} are needed: {without}"
            found.append(Problem(Rank.NOTE, f"{role}, {name}", text, ""))
    return found


def _unnumbered(rows: Sequence[Mapping[str, str]]) -> list[Problem]:
    """Return a note for recordings that look like cells of one condition, but have no replicate."""
    held: dict[tuple[str, str, str], list[str]] = {}
    for row in rows:
        if row["replicate"] or row["role"] == "energies":
            continue
        if match := IN_WORDS.search(row["state"]):
            key = (row["role"], row["sample"], row["state"][: match.start()].strip(" ,;_-"))
            held.setdefault(key, []).append(row["state"])
        elif match := NUMBERED.match(row["sample"]):
            key = (row["role"], match[1], row["state"])
            held.setdefault(key, []).append(row["sample"])
    found = []
    for (role, sample, state), names in held.items():
        different = list(dict.fromkeys(names))
        if sample and len(different) > 1:
            remedy = f"if so, write the sample {sample}" + (f" and the state {state}" if state else "")
            text = f"{_named(different)} look like cells of one condition"
            found.append(Problem(Rank.NOTE, role, text, f"{remedy}, and number them in the column replicate"))
    return found


def _unlisted(folder: Path, rows: Sequence[Mapping[str, str]]) -> list[Problem]:
    listed = {row["file"] for row in rows}
    files = [file for file, reason in look.files(folder) if not reason and file not in listed]
    if not files:
        return []
    return [
        Problem(Rank.NOTE, "", f"no row lists {_named(files)}", f"coldbond init {folder} adds those that can be read")
    ]


def _figures(rows: Sequence[Mapping[str, str]], folder: Path) -> list[str]:
    """Return which figures the readable recordings allow, and what the others lack."""
    if not (paths.ROOT / "figures.toml").is_file():
        return []
    plans = figures_table.plan(figures_table.load(), rows, of_paper=folder.resolve() == (paths.ROOT / "raw").resolve())
    drawn = [name for name, plan in plans.items() if not plan.missing]
    # A figure that needs one of the paper's samples says nothing to a folder with others.
    lacking = [
        f"{name} ({', '.join(plan.missing)})"
        for name, plan in plans.items()
        if plan.missing and not any(":" in one for one in plan.missing)
    ]
    lines = [f"can be drawn: {', '.join(drawn) or 'no figure'}"]
    return lines + ([f"not drawn, for want of recordings of the role: {', '.join(lacking)}"] if lacking else [])
