"""Regions of a photoelectron recording: names, units, binding energies, counting statistics, and their tree."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from math import inf, log
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from coldbond.files.errors import ReadError
from coldbond.files.format import Stated
from coldbond.files.numerals import AGAIN, NUMBER
from coldbond.files.samples import named_by_sample, node_name
from coldbond.files.spectrum import spectrum
from coldbond.files.stated import NO_PHOTON_ENERGY

CORE_LEVEL = re.compile(r"(?<![A-Za-z])([A-Z][a-z]?)[ _-]?([1-7][spdf])(?![a-z])")
RATE = re.compile(r"\b(counts?|c) ?(/|per) ?s|\bcps\b", re.IGNORECASE)
#: Decimals of a binding energy [eV] that is computed from a kinetic energy: 694 eV, not 693.9999999999999 eV.
ENERGY_DECIMALS = 9
#: Units of header fields, each as a multiple of eV or s. A unit is written as here, in capitals or not, except that MeV
#: is not meV.
UNITS = {"eV": {"eV": 1.0, "keV": 1e3, "meV": 1e-3}, "s": {"s": 1.0, "sec": 1.0, "ms": 1e-3, "msec": 1e-3, "min": 60.0}}
DECIMAL_COMMA = re.compile(r"[-+]?[0-9]+,[0-9]+([eE][-+]?[0-9]+)?")
#: Probability that counts share a divisor by chance, below which it is no chance.
DIVISOR_BY_CHANCE = 1e-5


def quantity(path: Path, cell: str | None, name: str, unit: str, line: int | None = None) -> float | None:
    """Return a header field in eV or s, whatever unit it is written with; without one it is in eV or s.

    Parameters
    ----------
    path : pathlib.Path
        For the error.
    cell : str or None
        "1.4866 keV". None, an empty text and zero mean that the file does not say; the result is then None.
    name : str
        What it is, for the error.
    unit : {"eV", "s"}
    line : int, optional

    Raises
    ------
    ReadError
        The field is no number, is negative, or has a unit that is not known.
    """
    if cell is None or not cell.strip():
        return None
    if DECIMAL_COMMA.match(cell.strip()) and "." not in cell:
        cell = cell.replace(",", ".")
    number, _, written = cell.strip().replace("\t", " ").partition(" ")
    if attached := re.fullmatch(rf"({NUMBER.pattern})([a-zA-Z]+)", number):
        number, written = attached[1], attached[4] + written
    written = written.strip(" []()")
    exact = UNITS[unit].get(written)
    same = [factor for known, factor in UNITS[unit].items() if known.lower() == written.lower()]
    factor = exact or (same[0] if same and not written.startswith("M") else None)
    if not NUMBER.fullmatch(number) or (written and factor is None) or not 0 <= float(number) < inf:
        reason = f"{name} is {cell.strip()!r}, not a number of {' or '.join(UNITS[unit])}"
        raise ReadError(path, line, reason, AGAIN)
    return float(f"{float(number) * (factor or 1.0):.12g}") or None


def with_points(path: Path, rows: list[list[str]], lines: Sequence[int] | None = None) -> list[list[str]]:
    """Return the cells of a table with decimal points instead of decimal commas.

    Raises
    ------
    ReadError
        Some numbers have decimal commas and some decimal points.
    """
    comma = next((at for at, row in enumerate(rows) if any(DECIMAL_COMMA.fullmatch(cell) for cell in row)), None)
    if comma is None:
        return rows
    if any(NUMBER.fullmatch(cell) and "." in cell for row in rows for cell in row):
        line = lines[comma] if lines is not None else comma + 1
        raise ReadError(path, line, "decimal commas and decimal points in one file", "export it with one of them")
    return [[cell.replace(",", ".") if DECIMAL_COMMA.fullmatch(cell) else cell for cell in row] for row in rows]


def region_name(label: str) -> str:
    """Return the name of a region: "C 1s" for "C1s Scan" or "InPET_C1s".

    A label that does not name exactly one core level is returned as it is.
    """
    levels = {" ".join(level) for level in CORE_LEVEL.findall(label)}
    return levels.pop() if len(levels) == 1 else node_name(label) or "region"


def binding_energy(kinetic_energy: np.ndarray, photon_energy: float) -> np.ndarray:
    """Return the binding energy [eV] below the Fermi level.

    Analysers write the kinetic energy above the Fermi level, to which the work function of the analyser has already
    been added. Checked on a measured Pt 4f7/2: without a further correction it comes to the tabulated 71.1 eV.
    """
    return np.round(photon_energy - np.asarray(kinetic_energy, float), ENERGY_DECIMALS) + 0.0  # no -0


def energies(
    path: Path,
    energy: np.ndarray,
    scale: str,
    photon_energy: float | None,
    stated: Stated,
    line: int | None = None,
) -> tuple[np.ndarray, dict[str, Any]]:
    """Return binding energies, and the attrs `energy_scale` and `photon_energy`.

    `stated.completed` puts the energies right afterwards where another photon energy is stated than that of the file.

    Parameters
    ----------
    path : pathlib.Path
        For the error.
    energy : numpy.ndarray
        As in the file, eV.
    scale : {"kinetic", "binding"}
    photon_energy : float or None
        As in the file, eV.
    stated : Stated
        Whose photon energy is taken where the file states none.
    line : int, optional
        For the error.

    Raises
    ------
    ReadError
        The energies are kinetic, and nobody states the photon energy.
    """
    photon_energy = photon_energy or stated.photon_energy
    attrs: dict[str, Any] = {"energy_scale": scale}
    if photon_energy is not None:
        attrs["photon_energy"] = photon_energy
    if scale == "binding":
        return np.asarray(energy, float), attrs
    if photon_energy is None:
        raise ReadError(path, line, *NO_PHOTON_ENERGY)
    return binding_energy(energy, photon_energy), attrs


def counting(unit: str, attrs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the counting arguments of `spectrum` for the unit that a file states.

    Parameters
    ----------
    unit : str
        What the file calls the unit of the intensity, which is that of all sweeps together.
    attrs : mapping
        With `sweeps` and the `dwell_time` [s] of one sweep, where they are known.

    Returns
    -------
    dict
        `units`, and either `one_count` or `unknown`, the reason why that is not known.
    """
    if RATE.search(unit):
        if {"dwell_time", "sweeps"} <= attrs.keys():
            return {"units": "count/s", "one_count": 1 / (attrs["dwell_time"] * attrs["sweeps"])}
        return {"units": "count/s", "unknown": "the file gives a rate without dwell time and number of sweeps"}
    if re.search(r"\bcounts?\b", unit, re.IGNORECASE):
        return {"units": "count", "one_count": 1.0}
    why = f"calls the intensity {unit!r}, not counts" if unit else "gives the intensity no unit"
    return {"units": "arbitrary units", "unknown": f"the file {why}"}


def region(
    path: Path,
    energy: ArrayLike,
    intensity: ArrayLike,
    unit: str,
    attrs: Mapping[str, Any],
    lines: Sequence[int | None] | None = None,
) -> xr.Dataset:
    """Return a region, whose counting statistics are known where unit and attrs say so and the intensities agree.

    All intensities may be multiples of several counts: scans were added up where the file's numbers say that they were
    averaged, or the dwell time is not that of one scan. It is then not known what one count is.

    Parameters
    ----------
    path : pathlib.Path
        For the error.
    energy : array_like, shape (n,)
        Binding energies, eV.
    intensity : array_like, shape (n,)
    unit : str
        As for `counting`.
    attrs : mapping
        Header fields, as for `counting`.
    lines : sequence of int, optional
        The line of each point, for the error.
    """
    known = counting(unit, attrs)
    if "one_count" in known:
        with np.errstate(all="ignore"):
            counts = np.rint(np.asarray(intensity, float) / known["one_count"])
        counts = counts[(counts > 0) & (counts < np.iinfo(np.int64).max / 2)].astype(np.int64)
        divisor = int(np.gcd.reduce(counts)) if counts.size else 1
        if divisor > 1 and counts.size * log(divisor) > -log(DIVISOR_BY_CHANCE):
            reason = f"all intensities are multiples of {divisor} counts, by dwell time and sweeps of the file"
            known = {"units": known["units"], "unknown": reason}
    return spectrum(path, "xps", energy, intensity, **known, attrs=attrs, lines=lines)


def tree(regions: Iterable[tuple[str, xr.Dataset]], attrs: Mapping[str, Any]) -> xr.DataTree:
    """Return the regions as a tree with a unique name for each.

    The second "C 1s" becomes "C 1s (2)". Where the regions have several samples, in their attr `sample_name`, it
    follows their name: "C 1s, LLZ".

    Parameters
    ----------
    regions : iterable of (str, xarray.Dataset)
        In the order of the file.
    attrs : mapping
        Of the recording as a whole.
    """
    attrs = {"technique": "xps", **attrs}
    named: dict[str, xr.Dataset] = {}
    repeats: Counter[str] = Counter()
    for name, one in named_by_sample(regions, attrs):
        repeats[name] += 1
        named[name if repeats[name] == 1 else f"{name} ({repeats[name]})"] = one
    return xr.DataTree.from_dict({"/": xr.Dataset(attrs=attrs), **named})
