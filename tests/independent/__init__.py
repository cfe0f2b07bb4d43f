"""Forward models of cells and spectra, apart from lib/twin: other functional forms, other flaws, cells of other labs.

A module for each subject. Its dict `KINDS` holds a function for each kind of cell, which draws the properties of a cell
and the noise at random from a seed, and returns recordings with what an analysis should find in them. Nothing here
imports coldbond or lib/twin. `tests/closure.py` runs the notebooks over the kinds and counts what they find.
"""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import xarray as xr

__all__ = ["Case", "Kind", "Made", "cycling", "spectrum", "transient", "write", "write_raw"]


class Made(NamedTuple):
    """One recording.

    Attributes
    ----------
    role, sample, state : str
        As in the manifest.
    recording : xarray.Dataset
        As `coldbond.read` returns it: `time` [s], `voltage` [V], `current` [A], positive during charge, over `record`,
        with the attr `resolution` of each, and where the tester has them `cycle`, `step`, `charge_capacity` and
        `discharge_capacity` [Ah]; or `impedance` [ohm] over `frequency` [Hz]; or `current` over
        `time` with the attr `applied_voltage` [V]. See `cycling`, `spectrum` and `transient`.
    constants : dict of str to float
        Further columns of the manifest: area_cm2, thickness_cm, active_mass_mg, temperature_C.
    """

    role: str
    sample: str
    state: str
    recording: xr.Dataset
    constants: dict[str, float]


class Case(NamedTuple):
    """Recordings that a figure shows together, and what it should find.

    Attributes
    ----------
    made : list of Made
    truths : dict of (str, str, str) to float, bool or None
        Keyed by sample, state and quantity. None: the right answer is "cannot be told".
    """

    made: list[Made]
    truths: dict[tuple[str, str, str], float | bool | None]


#: Returns the recordings of a seed, and their truths.
Kind = Callable[[int], Case]

#: Columns of the file by the name of the variable, with the resolution where the recording states none. The names are
#: those of the Battery Data Format, whose counts are the tester's own.
COLUMNS = {
    "time": ("test_time_second", 1e-3),
    "voltage": ("voltage_volt", 1e-4),
    "current": ("current_ampere", 1e-7),
    "cycle": ("cycle_count", 1.0),
    "step": ("step_count", 1.0),
    "charge_capacity": ("charging_capacity_ah", 1e-8),
    "discharge_capacity": ("discharging_capacity_ah", 1e-8),
}
UNITS = {"time": "s", "voltage": "V", "current": "A", "charge_capacity": "Ah", "discharge_capacity": "Ah"}


def cycling(
    time: np.ndarray,
    voltage: np.ndarray,
    current: np.ndarray,
    *,
    voltage_resolution: float = 1e-4,
    current_resolution: float = 1e-7,
    **others: np.ndarray,
) -> xr.Dataset:
    """Return a cycler's recording, each channel rounded to its resolution.

    Parameters
    ----------
    time, voltage, current : array, shape (n,)
        In s, V and A; the current is positive during charge.
    voltage_resolution, current_resolution : float
        Powers of ten [V, A]: a file shows no other resolution.
    **others : array, shape (n,)
        `cycle`, `step`, `charge_capacity` and `discharge_capacity` [Ah], where the tester writes them.
    """
    channels = {"time": time, "voltage": voltage, "current": current, **others}
    stated = {"voltage": voltage_resolution, "current": current_resolution}
    recording = xr.Dataset(attrs={"technique": "cycling"})
    for name, values in channels.items():
        digit = stated.get(name, COLUMNS[name][1])
        rounded = np.round(values, _decimals(digit)) + 0.0  # + 0.0: no negative zero
        recording[name] = ("record", rounded, {"units": UNITS.get(name, "1"), "resolution": digit})
    return recording


def spectrum(frequency: np.ndarray, impedance: np.ndarray, digits: int = 5) -> xr.Dataset:
    """Return an impedance spectrum [ohm] over frequency [Hz], shape (n,) each, to a number of significant digits."""
    frequency = np.array([float(f"{one:.5e}") for one in frequency])
    real, imaginary = ([float(f"{one:.{digits - 1}e}") for one in part] for part in (impedance.real, impedance.imag))
    rounded = np.array(real) + 1j * np.array(imaginary)
    return xr.Dataset({"impedance": ("frequency", rounded)}, {"frequency": frequency}, {"technique": "eis"})


def transient(time: np.ndarray, current: np.ndarray, voltage: float, digits: int = 5) -> xr.Dataset:
    """Return the current [A] over time [s], shape (n,) each, at a constant voltage [V]."""
    rounded = [float(f"{one:.{digits - 1}e}") for one in current]
    attrs = {"technique": "dc", "applied_voltage": voltage}
    return xr.Dataset({"current": ("time", rounded)}, {"time": np.round(time, 3)}, attrs)


def write(made: Made, path: Path) -> None:
    """Write a recording as text that `coldbond.read` reads: cycling as Battery Data Format, the others with names."""
    recording = made.recording
    if recording.attrs.get("technique") == "eis" or "impedance" in recording:
        z = recording.impedance.to_numpy()
        header, formats = "frequency/Hz,Re(Z)/ohm,Im(Z)/ohm", "%.7g"
        columns = [recording.frequency.to_numpy(), z.real, z.imag]
    elif recording.attrs.get("technique") == "dc":
        header = f"# applied_voltage: {recording.attrs['applied_voltage']:g} V\ntime/s,current/A"
        formats, columns = "%.9g", [recording["time"].to_numpy(), recording["current"].to_numpy()]
    else:
        names = [name for name in COLUMNS if name in recording]
        header = ",".join(COLUMNS[name][0] for name in names)
        digits = [recording[name].attrs.get("resolution", COLUMNS[name][1]) for name in names]
        formats = [f"%.{_decimals(digit)}f" for digit in digits]
        columns = [recording[name].to_numpy() for name in names]
    np.savetxt(path, np.column_stack(columns), formats, ",", header=header, comments="", encoding="utf-8")


def write_raw(case: Case, folder: Path) -> None:
    """Write the recordings of a case and their manifest into a folder, laid out like raw/."""
    constants = sorted({name for made in case.made for name in made.constants})
    with (folder / "manifest.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["file", "role", "sample", "state", "origin", *constants])
        for number, made in enumerate(case.made, start=1):
            name = f"{made.role}-{number}.csv"
            write(made, folder / name)
            row = [name, made.role, made.sample, made.state, "synthetic"]
            table.writerow([*row, *(made.constants.get(constant, "") for constant in constants)])


def _decimals(resolution: float) -> int:
    return max(0, round(-np.log10(resolution)))
