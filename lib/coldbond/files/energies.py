"""Tables of computed energies, as `make energies` writes them (.csv).

File structure
--------------
A header and one row per crystal, separated by commas: `structure`, a unique name, `formula`, `energy_eV_per_atom` and
`volume_A3_per_atom`; further columns are kept as text.

Schema
------
xarray.Dataset over `structure`: `energy` [eV] and `volume` [angstrom^3], both per atom, and the other columns as text.

Uncertainties
-------------
The file states none. The model that computed the energies stands in their columns, and its error is the analysis's.
"""

import codecs
import csv
import io
from pathlib import Path

import numpy as np
import xarray as xr

from coldbond.files.encoding import as_utf8
from coldbond.files.errors import NO_LINE_BREAK, ReadError
from coldbond.files.format import Format, Stated
from coldbond.files.numerals import number

NAMES = ("structure", "formula", "energy_eV_per_atom", "volume_A3_per_atom")
#: Energies [eV] and volumes [angstrom^3] of an atom. All electrons of uranium bind with 0.76 MeV; an atom of caesium
#: takes 116 cubic angstrom.
POSSIBLE = {"energy_eV_per_atom": (-1e6, 1e3), "volume_A3_per_atom": (0.1, 1e3)}
AGAIN = "run make energies to write it again"


def is_energies(data: bytes) -> bool:
    """Return whether the first line names structure, formula and energy."""
    data = data.removeprefix(codecs.BOM_UTF8)
    return data.startswith(b"structure,formula,") and b"energy_eV_per_atom" in data.split(b"\n", 1)[0]


def read_energies(path: Path, data: bytes, stated: Stated) -> xr.Dataset:
    """Read a table of energies, one row per crystal."""
    text = as_utf8(path, data).decode()
    if not text.endswith("\n"):
        raise ReadError(path, text.count("\n") + 1, NO_LINE_BREAK[0], AGAIN)
    try:
        names, *rows = csv.reader(io.StringIO(text), strict=True)
    except csv.Error as error:
        raise ReadError(path, None, f"no table of fields separated by commas ({error})", AGAIN) from None
    if missing := [name for name in NAMES if name not in names]:
        raise ReadError(path, 1, f"no column named {', '.join(missing)}", AGAIN)
    for line, row in enumerate(rows, start=2):
        if len(row) != len(names):
            raise ReadError(path, line, f"{len(row)} fields under {len(names)} column names", AGAIN)
    columns = {name: [row[at] for row in rows] for at, name in enumerate(names)}
    if not rows or len(set(columns["structure"])) != len(rows):
        raise ReadError(path, None, "no row, or a structure that occurs twice", AGAIN)
    numbers = {}
    for name, quantity, unit in (
        ("energy_eV_per_atom", "energy", "eV"),
        ("volume_A3_per_atom", "volume", "angstrom^3"),
    ):
        values = np.array([_number(path, at, name, cell) for at, cell in enumerate(columns.pop(name), start=2)])
        numbers[quantity] = ("structure", values, {"units": unit, "long_name": f"{quantity} per atom"})
    structures = columns.pop("structure")
    others = {name: ("structure", np.array(cells, object)) for name, cells in columns.items()}
    return xr.Dataset(
        numbers | others,
        {"structure": ("structure", np.array(structures, object), {"long_name": "structure"})},
        {"technique": "energies", "format": "energies-csv"},
    )


def _number(path: Path, line: int, name: str, cell: str) -> float:
    low, high = POSSIBLE[name]
    value = number(path, cell, name, line)
    if not low <= value <= high:
        raise ReadError(path, line, f"{name} is {cell!r}, which is not between {low:g} and {high:g}", AGAIN)
    return value


FORMAT = Format(
    name="table of computed energies",
    vendors="coldbond",
    techniques=("energies",),
    extensions=(".csv",),
    recognise=is_energies,
    read=read_energies,
    reads="crystals with their energies, written by make energies",
)
