"""Tables of computed energies, as `make energies` writes them."""

import csv
from pathlib import Path

import numpy as np
import xarray as xr

from coldbond.files.encoding import as_utf8
from coldbond.files.errors import ReadError

NAMES = ("structure", "formula", "energy_eV_per_atom", "volume_A3_per_atom")
AGAIN = "make energies writes it anew"


def is_energies(data: bytes) -> bool:
    """Whether the first line names a structure, its formula and its energy."""
    return data.startswith(b"structure,formula,") and b"energy_eV_per_atom" in data.split(b"\n", 1)[0]


def read_energies(path: Path, data: bytes) -> xr.Dataset:
    """Read a table of energies, a row a crystal.

    Returns
    -------
    xarray.Dataset
        Over `structure`: `energy` [eV] and `volume` [angstrom^3], both for one atom, and every other column as text.

    Raises
    ------
    ReadError
        A row is cut off, a number is none, or a structure stands there twice.
    """
    text = as_utf8(path, data).decode()
    if not text.endswith("\n"):
        raise ReadError(path, text.count("\n") + 1, "the last row has no line break: it may be cut off", AGAIN)
    names, *rows = csv.reader(text.splitlines())
    if missing := [name for name in NAMES if name not in names]:
        raise ReadError(path, 1, f"no column named {', '.join(missing)}", AGAIN)
    for number, row in enumerate(rows, start=2):
        if len(row) != len(names):
            raise ReadError(path, number, f"{len(row)} fields under {len(names)} column names", AGAIN)
    columns = {name: [row[at] for row in rows] for at, name in enumerate(names)}
    if not rows or len(set(columns["structure"])) != len(rows):
        raise ReadError(path, None, "no row, or one structure twice", AGAIN)
    numbers = {}
    for name, quantity, unit in (
        ("energy_eV_per_atom", "energy", "eV"),
        ("volume_A3_per_atom", "volume", "angstrom^3"),
    ):
        values = np.array([_number(path, at, name, cell) for at, cell in enumerate(columns.pop(name), start=2)])
        numbers[quantity] = ("structure", values, {"units": unit, "long_name": f"{quantity} for one atom"})
    structures = columns.pop("structure")
    others = {name: ("structure", np.array(cells, object)) for name, cells in columns.items()}
    return xr.Dataset(
        numbers | others,
        {"structure": ("structure", np.array(structures, object), {"long_name": "structure"})},
        {"technique": "energies", "format": "energies-csv"},
    )


def _number(path: Path, line: int, name: str, cell: str) -> float:
    try:
        value = float(cell)
    except ValueError:
        value = np.nan
    if not np.isfinite(value):
        raise ReadError(path, line, f"{name} is {cell!r}, not a number", AGAIN)
    return value
