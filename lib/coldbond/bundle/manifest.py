"""The manifest of a folder of recordings: what each file is, its sample, and the constants of its cell.

This module imports the standard library only, because make reads the manifest before the environment exists.
"""

import csv
import os
import re
import stat
from collections.abc import Mapping
from math import isfinite

#: The names of `coldbond.constants.CONSTANTS`, which cannot be imported here; a test holds the two equal.
CONSTANTS = ("area_cm2", "thickness_cm", "active_mass_mg", "temperature_C")
COLUMNS = ("file", "technique", "role", "sample", "state", "origin", "sha256", *CONSTANTS, "note")
#: Optional columns: what the file of a recording does not say, as the arguments of `coldbond.read`. Wavelengths are one
#: number, or K-alpha1 and K-alpha2 with a blank between them.
STATED = {
    "wavelength_angstrom": "wavelength",
    "photon_energy_eV": "photon_energy",
    "excitation_nm": "excitation",
    "sweep": "sweep",
    "sample_in_file": "sample",
    "encoding": "encoding",
}
#: Optional column that tells recordings of one sample and state apart, such as the cells of one condition.
REPLICATE = "replicate"
STATED_NUMBERS = ("wavelength_angstrom", "photon_energy_eV", "excitation_nm", "sweep")

#: The values that a column may have. A new role is added here.
KNOWN = {
    "technique": ("xrd", "xps", "raman", "eis", "cycling", "dc", "energies"),
    "role": (
        "phase",
        "instrument",
        "cycled-phase",
        "lithium",
        "surface",
        "cycled-surface",
        "raman",
        "ccd",
        "long-cycling",
        "full-cell",
        "rate",
        "interface",
        "full-cell-interface",
        "conductivity",
        "arrhenius",
        "electronic",
        "energies",
    ),
    "origin": ("synthetic", "measured", "computed"),
}
#: Size [bytes] that no manifest has: a line of 1000 bytes for each of 64 000 recordings.
MOST_BYTES = 1 << 26
POSITIVE = CONSTANTS[:3]  # a temperature in °C may be negative


class ManifestError(ValueError):
    """A manifest that cannot be used; the message names file, line, column and remedy."""


def rows(raw: str | os.PathLike[str]) -> list[dict[str, str]]:
    """Return the checked rows of the manifest of a folder of recordings.

    Parameters
    ----------
    raw : path
        Folder laid out like raw/. Its manifest.csv is UTF-8, separated by commas, or by semicolons (with decimal points
        or commas) as spreadsheet programs of many European locales save it.

    Returns
    -------
    list of dict of str to str
        One dict for each recording, in file order, keyed by the manifest's columns. Numbers are strings that `float`
        accepts, in the unit of the column's name; a value that is not given is "".

    Raises
    ------
    ManifestError
        There is no manifest, or one of its rows cannot be used.
    """
    raw = os.fspath(raw)
    path = os.path.join(raw, "manifest.csv")
    checked: list[dict[str, str]] = []
    listed: set[tuple[str, ...]] = set()
    labels: set[tuple[str, str]] = set()
    inside = _Inside(raw)
    for number, row in _table(path):
        _check(row, inside, f"{path}, line {number}")
        # A file of several samples or sweeps may be listed once for each.
        recording = (row["file"], row["role"], row["sample_in_file"], row["sweep"])
        named = (row["role"], label(row))
        if recording in listed:
            raise ManifestError(
                f"{path}, line {number}, column file: {row['file']} is listed twice with the role {row['role']}: "
                "delete one row"
            )
        # Notebooks address a recording by role and label, so a label must be unique within its role.
        if named in labels:
            raise ManifestError(
                f"{path}, line {number}, column state: {label(row)} has another {row['role']} recording above: "
                "number the two in the column replicate, or give them different states"
            )
        checked.append(row)
        listed.add(recording)
        labels.add(named)
    return checked


class _Inside:
    """Whether files lie in the folder of the recordings, wherever links lead; each of its folders is looked up once."""

    def __init__(self, raw: str) -> None:
        self.raw = raw
        self._top = os.path.join(os.path.realpath(raw), "")
        self._folders: dict[str, str] = {}

    def holds(self, file: str) -> bool:
        folder, name = os.path.split(os.path.join(self.raw, file))
        if folder not in self._folders:
            self._folders[folder] = os.path.realpath(folder)
        path = os.path.join(self._folders[folder], name)
        return (os.path.realpath(path) if os.path.islink(path) else path).startswith(self._top)


def label(row: Mapping[str, str]) -> str:
    """Return the name of a recording in figures and messages: sample, state and replicate, as far as given."""
    replicate = f"replicate {row[REPLICATE]}" if row[REPLICATE] else ""
    return ", ".join(filter(None, (row["sample"], row["state"], replicate)))


def _table(path: str) -> list[tuple[int, dict[str, str]]]:
    """Return line number and row of each line below the header that is not empty."""
    try:
        found = os.stat(path)  # before it is opened: opening a pipe waits for ever
        if not stat.S_ISREG(found.st_mode):
            raise ManifestError(f"{path}: no regular file: put a table in its place; raw/README.md describes it")
        if found.st_size > MOST_BYTES:
            raise ManifestError(
                f"{path}: larger than {MOST_BYTES >> 20} MB, which no table of recordings is: restore it"
            )
        with open(path, encoding="utf-8-sig", newline="") as file:
            header = file.readline()
            separator = ";" if header.count(";") > header.count(",") else ","
            file.seek(0)
            reader = csv.reader(file, delimiter=separator, strict=True)
            lines = [(reader.line_num, [field.strip() for field in fields]) for fields in reader]
    except FileNotFoundError:
        raise ManifestError(f"{path}: there is no such file; raw/README.md describes its columns") from None
    except UnicodeDecodeError as error:
        raise ManifestError(f"{path}: not UTF-8 at byte {error.start}: save it as 'CSV UTF-8'") from None
    except csv.Error as error:
        raise ManifestError(f"{path}, line {reader.line_num}: {error}: save it as 'CSV UTF-8'") from None
    lines = [(number, fields) for number, fields in lines if any(fields)]
    names = lines[0][1] if lines else []
    missing = [name for name in COLUMNS if names.count(name) != 1]
    missing += [name for name in (REPLICATE, *STATED) if names.count(name) > 1]
    if missing:
        raise ManifestError(f"{path}, line 1: exactly one column must be named {missing[0]}: {','.join(COLUMNS)}")
    table = []
    for number, fields in lines[1:]:
        if len(fields) != len(names):
            quote = f"put a text that contains {separator!r} in double quotes"
            remedy = quote if len(fields) > len(names) else f"write a {separator!r} for an empty field too"
            raise ManifestError(f"{path}, line {number}: {len(fields)} fields in {len(names)} columns: {remedy}")
        row = dict(zip(names, fields, strict=True))
        row = {**row, **{name: row.get(name, "") for name in (REPLICATE, *STATED)}}
        if separator == ";":  # locales that separate by semicolons write decimal commas
            row |= {column: row[column].replace(",", ".") for column in (*CONSTANTS, *STATED_NUMBERS)}
        table.append((number, row))
    return table


def _check(row: dict[str, str], inside: _Inside, where: str) -> None:
    for column, known in KNOWN.items():
        if row[column] not in known:
            raise ManifestError(f"{where}, column {column}: {row[column]!r} is unknown: use one of {', '.join(known)}")
    for column in CONSTANTS:
        if row[column] and not _is_number(row[column], positive=column in POSITIVE):
            kind = "positive number" if column in POSITIVE else "number"
            raise ManifestError(f"{where}, column {column}: {row[column]!r} is not a {kind}: write one like 0.785")
    for column in STATED_NUMBERS:
        numbers = row[column].split()
        most = 2 if column == "wavelength_angstrom" else 1
        if len(numbers) > most or not all(_is_number(number, positive=True) for number in numbers):
            example = {"wavelength_angstrom": "1.540593 1.544427", "sweep": "3"}.get(column, "532")
            raise ManifestError(f"{where}, column {column}: {row[column]!r} is not a positive number: write {example}")
    if row["sweep"] and not row["sweep"].isdecimal():
        raise ManifestError(f"{where}, column sweep: {row['sweep']!r} is not a whole number: write 3")
    if not row["sample"]:
        raise ManifestError(f"{where}, column sample: empty: name the sample")
    if row["sha256"] and not re.fullmatch("[0-9a-fA-F]{64}", row["sha256"]):
        raise ManifestError(f"{where}, column sha256: not 64 hexadecimal digits: correct it or leave it empty")
    raw = inside.raw
    if os.path.isabs(row["file"]) or ".." in re.split(r"[/\\]", row["file"]):
        raise ManifestError(f"{where}, column file: {row['file']} is outside {raw}: put the recording into that folder")
    if not os.path.isfile(os.path.join(raw, row["file"])):  # of a pipe or a device too
        raise ManifestError(
            f"{where}, column file: {row['file']!r} is no file in {raw}: write its path relative to that folder, with /"
        )
    if not inside.holds(row["file"]):
        raise ManifestError(
            f"{where}, column file: {row['file']} is a link out of {raw}: copy the recording into that folder"
        )


def _is_number(text: str, positive: bool) -> bool:
    try:
        number = float(text)
    except ValueError:
        return False
    return isfinite(number) and (number > 0 or not positive)
