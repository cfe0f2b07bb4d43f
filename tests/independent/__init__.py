"""Forward models of cells and spectra, apart from lib/twin: other functional forms, other flaws, cells of other labs.

A module for each subject. Its dict `KINDS` holds a function for each kind of cell, which draws the properties of a cell
and the noise at random from a seed, and returns recordings with what an analysis should find in them. Nothing here
imports coldbond or lib/twin. `tests/closure.py` runs the notebooks over the kinds and counts what they find.
"""

import csv
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

__all__ = [
    "Case",
    "Kind",
    "Made",
    "cycling",
    "pattern",
    "photoelectrons",
    "raman",
    "spectrum",
    "transient",
    "write",
    "write_raw",
]


class Made(NamedTuple):
    """One recording.

    Attributes
    ----------
    role, sample, state : str
        As in the manifest.
    recording : xarray.Dataset
        As `coldbond.read` returns it: `time` [s], `voltage` [V], `current` [A], positive during charge, over `record`,
        with the attr `resolution` of each, and where the tester has them `cycle`, `step`, and `capacity`, or
        `charge_capacity` and `discharge_capacity` [Ah]; or `impedance` [ohm] over `frequency` [Hz]; or `current` over
        `time` with the attr `applied_voltage` [V]; or `intensity` [count] over `two_theta` [degree] or `raman_shift`
        [1/cm]; or for photoelectrons an xarray.DataTree with a node for each region, `intensity` [count] over
        `binding_energy` [eV]. See `cycling`, `spectrum`, `transient`, `pattern`, `raman` and `photoelectrons`.
    constants : dict of str to float
        Further columns of the manifest: area_cm2, thickness_cm, active_mass_mg, temperature_C.
    """

    role: str
    sample: str
    state: str
    recording: xr.Dataset | xr.DataTree
    constants: dict[str, float]


class Case(NamedTuple):
    """Recordings that a figure shows together, and what it should find.

    Attributes
    ----------
    made : list of Made
    truths : dict of (str, str, str) to float, bool or None
        Keyed by sample, state and quantity. None: the right answer is "cannot be told".
    parameters : mapping
        Of the notebooks, where the quantities need others than those that stand in them.
    """

    made: list[Made]
    truths: dict[tuple[str, str, str], float | bool | None]
    parameters: Mapping[str, Any] = MappingProxyType({})


#: Cu K-alpha1 and K-alpha2, angstrom (Hoelzer et al. 1997, doi 10.1103/PhysRevA.56.4554).
CU_KALPHA = (1.5405929, 1.5444274)
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
    "capacity": ("capacity_ah", 1e-8),
    "charge_capacity": ("charging_capacity_ah", 1e-8),
    "discharge_capacity": ("discharging_capacity_ah", 1e-8),
}
UNITS = {"time": "s", "voltage": "V", "current": "A"} | dict.fromkeys(
    ("capacity", "charge_capacity", "discharge_capacity"), "Ah"
)


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
        `cycle`, `step`, `capacity`, `charge_capacity` and `discharge_capacity` [Ah], where the tester writes them.
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


def pattern(two_theta: np.ndarray, counts: np.ndarray, wavelengths: Sequence[float] = CU_KALPHA) -> xr.Dataset:
    """Return a diffraction pattern [count] over two theta [degree], shape (n,) each, at one or two wavelengths [A]."""
    attrs = {"technique": "xrd"} | {f"wavelength_kalpha{n}": one for n, one in enumerate(wavelengths, start=1)}
    return xr.Dataset({"intensity": ("two_theta", np.rint(counts))}, {"two_theta": np.round(two_theta, 5)}, attrs)


def raman(raman_shift: np.ndarray, counts: np.ndarray, excitation: float) -> xr.Dataset:
    """Return a Raman spectrum [count] over the shift [1/cm], shape (n,) each, for a laser [nm]."""
    attrs = {"technique": "raman", "excitation": excitation}
    return xr.Dataset({"intensity": ("raman_shift", np.rint(counts))}, {"raman_shift": np.round(raman_shift, 4)}, attrs)


def photoelectrons(
    regions: Mapping[str, tuple[np.ndarray, np.ndarray]],
    *,
    photon_energy: float = 1486.6,
    pass_energy: float = 20.0,
    dwell_time: float = 0.1,
    sweeps: int = 10,
) -> xr.DataTree:
    """Return photoelectron spectra: by region ("In 3d") binding energies [eV], equally spaced, and counts, shape (n,).

    Parameters
    ----------
    regions : mapping of str to pair of array
    photon_energy, pass_energy : float
        In eV.
    dwell_time : float
        Of a point in one sweep, s.
    sweeps : int
    """
    attrs = {"technique": "xps", "photon_energy": photon_energy, "pass_energy": pass_energy}
    attrs |= {"dwell_time": dwell_time, "sweeps": sweeps}
    return xr.DataTree(
        xr.Dataset(attrs=attrs),
        {
            name: xr.DataTree(
                xr.Dataset({"intensity": ("binding_energy", np.rint(counts))}, {"binding_energy": np.round(energy, 4)})
            )
            for name, (energy, counts) in regions.items()
        },
    )


def write(made: Made, path: Path) -> None:
    """Write a recording as text that `coldbond.read` reads.

    Cycling is in the Battery Data Format, photoelectrons are in VAMAS, the others have named columns.
    """
    recording = made.recording
    if isinstance(recording, xr.DataTree):
        path.write_text(_vamas(recording, made.sample), encoding="ascii", newline="\r\n")
        return
    if recording.attrs.get("technique") == "eis" or "impedance" in recording:
        z = recording.impedance.to_numpy()
        header, formats = "frequency/Hz,Re(Z)/ohm,Im(Z)/ohm", "%.7g"
        columns = [recording.frequency.to_numpy(), z.real, z.imag]
    elif recording.attrs.get("technique") == "dc":
        header = f"# applied_voltage: {recording.attrs['applied_voltage']:g} V\ntime/s,current/A"
        formats, columns = "%.9g", [recording["time"].to_numpy(), recording["current"].to_numpy()]
    elif recording.attrs["technique"] == "xrd":
        lengths = ", ".join(f"{recording.attrs[name]:.7f}" for name in recording.attrs if name.startswith("wavelength"))
        header, formats = f"# wavelength: {lengths} angstrom\ntwo_theta/degree,counts", "%.9g"
        columns = [recording.two_theta.to_numpy(), recording.intensity.to_numpy()]
    elif recording.attrs["technique"] == "raman":
        header = f"# excitation: {recording.attrs['excitation']:g} nm\nraman_shift/cm-1,counts"
        formats, columns = "%.9g", [recording.raman_shift.to_numpy(), recording.intensity.to_numpy()]
    else:
        names = [name for name in COLUMNS if name in recording]
        if unknown := {*recording.data_vars} - {*names}:
            raise ValueError(f"{path.name}: no column for {', '.join(sorted(map(str, unknown)))}")
        header = ",".join(COLUMNS[name][0] for name in names)
        digits = [recording[name].attrs.get("resolution", COLUMNS[name][1]) for name in names]
        formats = [f"%.{_decimals(digit)}f" for digit in digits]
        columns = [recording[name].to_numpy() for name in names]
    np.savetxt(path, np.column_stack(columns), formats, ",", header=header, comments="", encoding="utf-8")


def _vamas(recording: xr.DataTree, sample: str) -> str:
    """Return photoelectron spectra as ISO 14976 (1998), regular scans over the binding energy, descending."""
    attrs, unknown = recording.attrs, "1E+37"
    lines: list[object] = ["VAMAS Surface Chemical Analysis Standard Data Transfer Format 1988 May 4"]
    lines += ["not specified", "simulated", "not specified", sample, 1, "simulated by tests/independent"]
    lines += ["NORM", "REGULAR", len(recording.children), 0, 0, 0, 0, 0, len(recording.children)]
    for name, region in recording.children.items():
        energy = region.binding_energy.to_numpy()
        counts = region.intensity.to_numpy()[np.argsort(-energy)]
        step = (energy.max() - energy.min()) / (energy.size - 1)
        species, transition = name.split(maxsplit=1)
        lines += [name, sample, 2024, 5, 6, 7, 8, 9, 0, 0, "XPS", "Al K-alpha", attrs["photon_energy"]]
        lines += [100, 400, 400, 54, 45, "FAT", attrs["pass_energy"], unknown, 0, 0, unknown, unknown, 45, 0]
        lines += [species, transition, -1, "Binding Energy", "eV", f"{energy.max():.4f}", f"{-step:.6f}"]
        lines += [1, "Intensity", "d", "pulse counting", attrs["dwell_time"], attrs["sweeps"], 0, 0, 0, 0, 0]
        lines += [counts.size, f"{counts.min():.0f}", f"{counts.max():.0f}", *(f"{one:.0f}" for one in counts)]
    return "".join(f"{line}\n" for line in [*lines, "end of experiment"])


def write_raw(case: Case, folder: Path) -> None:
    """Write the recordings of a case and their manifest into a folder, laid out like raw/."""
    constants = sorted({name for made in case.made for name in made.constants})
    with (folder / "manifest.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["file", "role", "sample", "state", "origin", *constants])
        for number, made in enumerate(case.made, start=1):
            name = f"{made.role}-{number}.{'vms' if isinstance(made.recording, xr.DataTree) else 'csv'}"
            write(made, folder / name)
            row = [name, made.role, made.sample, made.state, "synthetic"]
            table.writerow([*row, *(made.constants.get(constant, "") for constant in constants)])


def _decimals(resolution: float) -> int:
    return max(0, round(-np.log10(resolution)))
