"""Writer of VAMAS files (ISO 14976): photoelectron spectra, one block per region.

The order of the lines is the standard's (Dench, Hazell and Seah 1988, Surf. Interface Anal. 13, 63, doi
10.1002/sia.740130202); 1E+37 stands for an unknown value. Kinetic energies are above the Fermi level, as
spectrometers give them, so that the work function in the header does not enter the binding energy.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from twin.photoemission import PHOTON_ENERGY, Spectrum
from twin.recording import write_whole

UNKNOWN = "1E+37"
COMMENT = (
    "SYNTHETIC RECORDING: computed by lib/twin of this bundle, measured by no instrument",
    "Layout as of a Thermo Escalab 250Xi with monochromatic Al K-alpha",
)


def vamas(
    spectra: Sequence[Spectrum],
    path: Path,
    start: str,
    *,
    sample: str,
    axis: str = "kinetic",
    transmission: bool = False,
    irregular: bool = False,
) -> None:
    """Write the spectra of one sample.

    Parameters
    ----------
    spectra : sequence of Spectrum
        In the order in which they were recorded.
    path : pathlib.Path
        The file.
    start : str
        Date and time of the first region, ISO 8601.
    sample : str
        Its name in the file.
    axis : {"kinetic", "binding"}
        Energy of the abscissa; kinetic energies ascend and binding energies descend, as the spectrometer scans.
    transmission : bool
        Whether to write the transmission of the analyser too.
    irregular : bool
        Whether to write the energy of each point.
    """
    lines: list[object] = ["VAMAS Surface Chemical Analysis Standard Data Transfer Format 1988 May 4"]
    lines += ["Not Specified", "Escalab 250Xi (simulated)", "Not Specified", sample]
    lines += [len(COMMENT), *COMMENT, "NORM", "IRREGULAR" if irregular else "REGULAR", len(spectra)]
    lines += [0, 0, 0, 0, 0, len(spectra)]  # no variables, list, manual items or future entries; the blocks
    moment = datetime.fromisoformat(start)
    for spectrum in spectra:
        lines += _block(spectrum, sample, moment, axis, transmission, irregular)
        scan = spectrum.scan
        moment += timedelta(seconds=round(scan.sweeps * (scan.dwell * spectrum.counts.size + 2.0)))
    lines.append("end of experiment")
    data = "".join(f"{line}\r\n" for line in lines).encode("ascii")
    write_whole(path, data)


def _block(
    spectrum: Spectrum, sample: str, moment: datetime, axis: str, transmission: bool, irregular: bool
) -> list[object]:
    """Return the lines of a block."""
    scan = spectrum.scan
    species, transition = scan.region.split()
    energies, label = (
        (PHOTON_ENERGY - spectrum.binding_energy, "Kinetic Energy")
        if axis == "kinetic"
        else (spectrum.binding_energy, "Binding Energy")
    )
    columns: dict[str, Sequence[Any] | np.ndarray] = {"Intensity": spectrum.counts[::-1]}
    if transmission:
        columns["Transmission"] = [f"{value:.6g}" for value in spectrum.transmission[::-1]]
    energy = [f"{value:.6g}" for value in np.round(energies[::-1], 4)]
    abscissa: list[object] = [label, "eV", energy[0], scan.step if axis == "kinetic" else -scan.step]
    units = dict.fromkeys(columns, "d")
    if irregular:
        columns, units, abscissa = {label: energy, **columns}, {label: "eV", **units}, []
    return [
        *(scan.region, sample, moment.year, moment.month, moment.day, moment.hour, moment.minute, moment.second, 8),
        *(1, COMMENT[0], "XPS"),
        *("Al K-alpha mono", PHOTON_ENERGY, 150, 500, 500, UNKNOWN, UNKNOWN),  # W and micrometre
        *("FAT", f"{spectrum.pass_energy:g}", UNKNOWN, 4.3, 0, UNKNOWN, UNKNOWN, 0, 0),
        *(species, transition, -1),
        *abscissa,
        *(len(columns), *(line for name in columns for line in (name, units[name]))),
        *("pulse counting", scan.dwell, scan.sweeps, 0, 0, 0, 0, 0),
        len(columns) * spectrum.counts.size,
        *(f"{bound:g}" for column in columns.values() for bound in _bounds(column)),
        *(value for point in zip(*columns.values(), strict=True) for value in point),
    ]


def _bounds(column: Sequence[Any] | np.ndarray) -> tuple[float, float]:
    """Return the least and the greatest value of a column."""
    values = np.asarray(column, float)
    return values.min(), values.max()
