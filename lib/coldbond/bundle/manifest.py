"""The manifest of a folder of recordings: what each file is, its sample, and the constants of its cell.

This module imports the standard library only, because make reads the manifest before the environment exists.
"""

import os
import posixpath
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from math import isfinite

from coldbond.bundle import manifest_table
from coldbond.bundle.manifest_table import ManifestError, Table, path
from coldbond.bundle.workbook import Unreadable

__all__ = ["COLUMNS", "CONSTANTS", "ManifestError", "label", "load", "path", "problems", "rows", "write"]

#: The names of `coldbond.constants.CONSTANTS`, which cannot be imported here; a test holds the two equal.
CONSTANTS = ("area_cm2", "thickness_cm", "active_mass_mg", "temperature_C")
COLUMNS = ("file", "technique", "role", "sample", "state", "origin", "sha256", *CONSTANTS, "note")
#: The columns that a manifest cannot do without.
NEEDED = ("file", "role", "sample")
#: Columns for what the file of a recording does not say, as the arguments of `coldbond.read`. Wavelengths are one
#: number, or K-alpha1 and K-alpha2 with a blank between them.
STATED = {
    "wavelength_angstrom": "wavelength",
    "photon_energy_eV": "photon_energy",
    "excitation_nm": "excitation",
    "sweep": "sweep",
    "sample_in_file": "sample",
    "encoding": "encoding",
}
#: Column that tells recordings of one sample and state apart, such as the cells of one condition.
REPLICATE = "replicate"
STATED_NUMBERS = ("wavelength_angstrom", "photon_energy_eV", "excitation_nm", "sweep")
NUMBERS = (*CONSTANTS, *STATED_NUMBERS)
#: The keys of a row.
KEYS = (*COLUMNS, REPLICATE, *STATED)

#: The technique of the recordings of each role. A new role is added here.
TECHNIQUES = {
    "phase": "xrd",
    "instrument": "xrd",
    "cycled-phase": "xrd",
    "lithium": "xrd",
    "surface": "xps",
    "cycled-surface": "xps",
    "raman": "raman",
    "ccd": "cycling",
    "long-cycling": "cycling",
    "full-cell": "cycling",
    "rate": "cycling",
    "interface": "eis",
    "full-cell-interface": "eis",
    "conductivity": "eis",
    "arrhenius": "eis",
    "electronic": "dc",
    "energies": "energies",
}
#: The values that a column may have.
KNOWN = {
    "technique": ("xrd", "xps", "raman", "eis", "cycling", "dc", "energies"),
    "role": tuple(TECHNIQUES),
    "origin": ("synthetic", "measured", "computed"),
}
POSITIVE = CONSTANTS[:3]  # a temperature in °C may be negative
_CANONICAL = {name.casefold(): name for name in KEYS}


@dataclass(frozen=True)
class Unusable:
    """A row of the manifest that cannot be used.

    Attributes
    ----------
    row : dict of str to str
        As in `Manifest.rows`, its values as they are.
    line : int
        Its line in the manifest.
    problems : tuple of str
        One line each, with file, line, column and remedy.
    """

    row: dict[str, str]
    line: int
    problems: tuple[str, ...]


@dataclass(frozen=True)
class Manifest:
    """What the manifest of a folder lists.

    Attributes
    ----------
    path : str
        manifest.csv or manifest.xlsx in the folder.
    rows : list of dict of str to str
        The rows that can be used, as `rows` returns them.
    unusable : list of Unusable
        The others.
    listed : list of dict of str to str
        All of them, in the order of the file.
    notes : list of str
        One line each about what is ignored.
    """

    path: str
    rows: list[dict[str, str]]
    unusable: list[Unusable]
    listed: list[dict[str, str]]
    notes: list[str]

    @property
    def problems(self) -> list[str]:
        """All problems of all rows, in the order of the lines."""
        return [problem for one in self.unusable for problem in one.problems]


def rows(raw: str | os.PathLike[str]) -> list[dict[str, str]]:
    """Return the rows of the manifest of a folder of recordings, every one of which can be used.

    Parameters
    ----------
    raw : path
        Folder with manifest.csv or manifest.xlsx. A text is UTF-8, separated by commas, tabs, or by semicolons (with
        decimal points or commas) as spreadsheet programs of many European locales save it.

    Returns
    -------
    list of dict of str to str
        One dict for each recording, in file order, with the keys `KEYS`. Numbers are strings that `float` accepts, in
        the unit of the column's name; a value that is not given is "". A technique that is not given is that of the
        role, an origin "measured". Other columns are ignored.

    Raises
    ------
    ManifestError
        There is no manifest, or it has problems: all of them are named.
    """
    found = load(raw)
    if found.unusable:
        raise ManifestError(*found.problems)
    return found.rows


def problems(raw: str | os.PathLike[str]) -> list[str]:
    """Return all problems of the manifest of a folder, one line each; none if every row can be used."""
    try:
        return load(raw).problems
    except ManifestError as error:
        return error.problems


def load(raw: str | os.PathLike[str]) -> Manifest:
    """Return what the manifest of a folder lists, the rows that can be used apart from the others.

    Raises
    ------
    ManifestError
        There is no manifest, it cannot be read, or it lacks a column that is needed.
    """
    raw = os.fspath(raw)
    table = manifest_table.read(raw, _CANONICAL)
    columns, notes = _columns(table)
    checks = _Checks(raw)
    good, unusable, listed = [], [], []
    last = max(place for place, name in enumerate(table.names, 1) if name)
    empty = dict.fromkeys(KEYS, "")
    for number, fields in table.lines:
        where = f"{table.path}, {table.line} {number}"
        row = empty | {name: fields[place] for name, place in columns.items() if place < len(fields)}
        if row["file"] and not row["role"]:  # as `coldbond init` writes it where neither data nor names decide
            notes.append(
                f"{where}, column role: empty, so {row['file']} is not used: use one of {', '.join(TECHNIQUES)}"
            )
            listed.append(row)
            continue
        found = [f"{where}{problem}" for problem in (*_width(table, fields, last), *checks.of(row, table.separator))]
        listed.append(row)
        if found:
            unusable.append(Unusable(row, number, tuple(found)))
        else:
            good.append(row)
    return Manifest(table.path, good, unusable, listed, notes + _spelt_twice(table.path, good))


def write(raw: str | os.PathLike[str], added: Sequence[Mapping[str, str]]) -> None:
    """Write rows into the manifest.csv of a folder, whole or not at all.

    Parameters
    ----------
    raw : path
        Folder of the recordings.
    added : sequence of mapping of str to str
        Rows, keyed by column; other columns than `KEYS` are written too. A new manifest has the columns that are keys
        of any of them, filled or not. A row whose file, role, sample_in_file and sweep are in the manifest is left out.

    Raises
    ------
    ManifestError
        The manifest that is there cannot be read, or is a workbook.

    Notes
    -----
    What is there stays byte for byte, rows that cannot be used too; only a column that the new rows need and that is
    missing is added at the end of each line.
    """
    there = load(raw).listed if os.path.lexists(path(raw)) else []
    held = {_identity(row) for row in there}
    new = [row for row in added if _identity(row) not in held]
    given = dict.fromkeys(name for row in new for name in row)
    columns = [*(name for name in KEYS if name in given), *(name for name in given if name not in KEYS)]
    manifest_table.append(raw, new, columns, _CANONICAL, NUMBERS)


def _identity(row: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(row.get(name, "") for name in ("file", "role", "sample_in_file", "sweep"))


def label(row: Mapping[str, str]) -> str:
    """Return the name of a recording in figures and messages: sample, state and replicate, as far as given."""
    replicate = f"replicate {row[REPLICATE]}" if row[REPLICATE] else ""
    return ", ".join(filter(None, (row["sample"], row["state"], replicate)))


def named(row: Mapping[str, str]) -> str:
    """Return label and file of a recording, for messages."""
    return f"{label(row)} ({row['file']})" if label(row) and row["file"] else label(row) or row["file"]


def _columns(table: Table) -> tuple[dict[str, int], list[str]]:
    """Return the place of each known column, and notes on the others."""
    names = [_CANONICAL.get(name.casefold(), "") for name in table.names]
    unknown = {name: _resembles(name) for name, known in zip(table.names, names, strict=True) if name and not known}
    wrong = []
    for column in KEYS:
        if names.count(column) > 1 or (column in NEEDED and column not in names):
            meant = next((f": rename the column {name!r}" for name, known in unknown.items() if known == column), "")
            wrong.append(
                f"{table.path}, {table.line} {table.first}: exactly one column must be named {column}{meant}; "
                f"needed are {', '.join(NEEDED)}"
            )
    if wrong:
        raise ManifestError(*wrong)
    notes = []
    for name, known in unknown.items():
        meant = f"; name it {known} if it is that" if known and known not in names else ""
        notes.append(f"{table.path}: the column {name!r} is ignored{meant}")
    return {name: place for place, name in enumerate(names) if name}, notes


def _resembles(name: str) -> str:
    """Return the known column that a name resembles, such as area_cm2 for "Area (cm²)"; "" if there is none."""
    plain = re.sub(r"[^a-z0-9]+", "_", unicodedata.normalize("NFKC", name).casefold()).strip("_")
    collapsed = {known.replace("_", ""): column for known, column in _CANONICAL.items()}
    # The quantity without its unit: a thickness in µm is to be given in cm.
    quantities = {known.rpartition("_")[0]: column for known, column in _CANONICAL.items() if column in NUMBERS}
    of_quantity = [column for quantity, column in quantities.items() if quantity and plain.startswith(quantity)]
    similar = get_close_matches(plain.replace("_", ""), collapsed, n=1, cutoff=0.75)
    return next(iter([*of_quantity, *(collapsed[one] for one in similar)]), "")


def _width(table: Table, fields: list[str], last: int) -> Iterator[str]:
    """Yield the problem of a line that has another number of fields than the header has names."""
    if len(fields) == last or not table.separator:
        return
    if len(fields) < last:
        remedy = f"write a {table.separator!r} for an empty field too, or save the table as {manifest_table.WORKBOOK}"
        yield f": {len(fields)} fields in {last} columns: {remedy}"
    elif any(fields[last:]):
        remedy = f"put a text that contains {table.separator!r} in double quotes"
        yield f": {len(fields)} fields in {last} columns: {remedy}"


def _spelt_twice(file: str, listed: list[dict[str, str]]) -> list[str]:
    """Return a note for samples whose names differ in case only."""
    spellings: dict[str, list[str]] = {}
    for sample in dict.fromkeys(row["sample"] for row in listed):
        spellings.setdefault(sample.casefold(), []).append(sample)
    return [
        f"{file}: the samples {' and '.join(names)} differ in case only; they are shown as several"
        for names in spellings.values()
        if len(names) > 1
    ]


class _Checks:
    """The checks of the rows of one manifest, which also normalise what is only another way of writing."""

    def __init__(self, raw: str) -> None:
        self.folder = _Folder(raw)
        self._listed: set[tuple[str, ...]] = set()
        self._labels: set[tuple[str, str]] = set()

    def of(self, row: dict[str, str], separator: str) -> Iterator[str]:
        """Yield the problems of a row, each from behind the number of its line on; normalise the row."""
        unreadable = {}
        if not separator:  # a workbook
            unreadable = {column: value for column, value in row.items() if isinstance(value, Unreadable)}
            row |= dict.fromkeys(unreadable, "")
            unreadable.pop("note", "")
        for column in ("sample", "state", REPLICATE):
            row[column] = " ".join(row[column].split())  # a cell of a spreadsheet may have several lines
        if separator == ";":  # locales that separate by semicolons write decimal commas
            row |= {column: row[column].replace(",", ".") for column in NUMBERS}
        yield from (f", column {column}: {reason}" for column, reason in unreadable.items())
        for column, problem in (*self._words(row), *_numbers(row), *self._file(row)):
            if column not in unreadable:
                yield f", column {column}: {problem}"

    def _words(self, row: dict[str, str]) -> Iterator[tuple[str, str]]:
        for column, known in KNOWN.items():
            given = row[column].casefold()
            if given in known:
                row[column] = given
            elif given or column == "role":
                similar = get_close_matches(given, known, n=1)
                meant = f" (did you mean {similar[0]}?)" if similar else ""
                yield column, f"{row[column]!r} is unknown{meant}: use one of {', '.join(known)}"
        of_role = TECHNIQUES.get(row["role"], "")
        row["technique"] = row["technique"] or of_role
        row["origin"] = row["origin"] or "measured"
        if of_role and row["technique"] in KNOWN["technique"] and row["technique"] != of_role:
            remedy = f"write {of_role}, or another role"
            yield "technique", f"{row['technique']} is not that of the role {row['role']}: {remedy}"
        if not row["sample"]:
            yield "sample", "empty: name the sample"
        if row["sha256"] and not re.fullmatch("[0-9a-fA-F]{64}", row["sha256"]):
            yield "sha256", "not 64 hexadecimal digits: correct it or leave it empty"

    def _file(self, row: dict[str, str]) -> Iterator[tuple[str, str]]:
        row["file"], problem = self.folder.find(row["file"])
        if problem:
            yield "file", problem
        # A file of several samples or sweeps may be listed once for each.
        recording = (row["file"], row["role"], row["sample_in_file"], row["sweep"])
        named = (row["role"], label(row))
        if row["file"] and recording in self._listed:
            yield "file", f"{row['file']} is listed twice with the role {row['role']}: delete one row"
        # Notebooks address a recording by role and label, so a label must be unique within its role.
        elif row["sample"] and named in self._labels:
            yield (
                "state",
                f"{label(row)} has another {row['role']} recording above: "
                "number the two in the column replicate, or give them different states",
            )
        self._listed.add(recording)
        self._labels.add(named)


def _numbers(row: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for column in filter(row.get, CONSTANTS):
        if not _is_number(row[column], positive=column in POSITIVE):
            kind = "positive number" if column in POSITIVE else "number"
            yield column, f"{row[column]!r} is not a {kind}: write one like 0.785"
    for column in filter(row.get, STATED_NUMBERS):
        numbers = row[column].split()
        most = 2 if column == "wavelength_angstrom" else 1
        if len(numbers) > most or not all(_is_number(number, positive=True) for number in numbers):
            example = {"wavelength_angstrom": "1.540593 1.544427", "sweep": "3"}.get(column, "532")
            yield column, f"{row[column]!r} is not a positive number: write {example}"
        elif column == "sweep" and not row[column].isdecimal():
            yield column, f"{row[column]!r} is not a whole number: write 3"


def _is_number(text: str, positive: bool) -> bool:
    try:
        number = float(text)
    except ValueError:
        return False
    return isfinite(number) and (number > 0 or not positive) and "_" not in text


class _Folder:
    """The files in a folder of recordings; each of its folders is looked up once."""

    def __init__(self, raw: str) -> None:
        self.raw = raw
        self._top = os.path.join(os.path.realpath(raw), "")
        self._real: dict[str, str] = {}
        self._names: dict[str, dict[str, list[str]]] = {}

    def find(self, file: str) -> tuple[str, str]:
        """Return the path of a file in the folder as the disk spells it, with /; and why it cannot be used, or ""."""
        if not file:
            return "", "empty: write the path of the recording, relative to the folder of the manifest"
        if os.path.isabs(file) or ".." in re.split(r"[/\\]", file):
            return file, f"{file} is outside of the folder of the manifest: put the recording into that folder"
        given = posixpath.normpath(file.replace("\\", "/"))
        if not os.path.isfile(os.path.join(self.raw, given)):  # of a pipe or a device too
            spelt = self._spelt(given)
            if len(spelt) > 1:
                return given, f"{given!r} may be {' or '.join(spelt)}: write it as one of them"
            if not spelt or not os.path.isfile(os.path.join(self.raw, spelt[0])):
                remedy = "write its path relative to that folder, with /"
                return given, f"{given!r} is no file in the folder of the manifest: {remedy}"
            given = spelt[0]
        if not self._holds(given):
            return given, f"{given} is a link out of the folder of the manifest: copy the recording into that folder"
        return given, ""

    def _spelt(self, file: str) -> list[str]:
        """Return the paths on the disk that differ from a path in case, or in the form of their accents, only."""
        found = [""]
        for part in file.split("/"):
            found = [posixpath.join(one, name) for one in found for name in self._listing(one).get(_folded(part), ())]
        return found

    def _listing(self, folder: str) -> dict[str, list[str]]:
        if folder not in self._names:
            names: dict[str, list[str]] = {}
            path = os.path.join(self.raw, folder)
            for name in sorted(os.listdir(path)) if os.path.isdir(path) else ():
                names.setdefault(_folded(name), []).append(name)
            self._names[folder] = names
        return self._names[folder]

    def _holds(self, file: str) -> bool:
        """Return whether a file lies in the folder, wherever links lead."""
        folder, name = os.path.split(os.path.join(self.raw, file))
        if folder not in self._real:
            self._real[folder] = os.path.join(os.path.realpath(folder), "")
        path = self._real[folder] + name
        return (os.path.realpath(path) if os.path.islink(path) else path).startswith(self._top)


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()
