"""Writers of the text files of a CHI 660D: A.C. Impedance and Amperometric i-t Curve, with four digits."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

import numpy as np

from twin.impedance import Spectrum, Transient
from twin.recording import write_whole

MONTHS = ("Jan.", "Feb.", "March", "April", "May", "June", "July", "Aug.", "Sept.", "Oct.", "Nov.", "Dec.")


def impedance(spectrum: Spectrum, path: Path, *, start: str, note: str = "synthetic") -> None:
    """Write an impedance spectrum."""
    settings = {
        "Init E (V)": "0",
        "High Frequency (Hz)": "1e+6",
        "Low Frequency (Hz)": "0.1",
        "Imp SF": None,
        "Amplitude (V)": "0.01",
        "Quiet Time (sec)": "2",
        "Cycles (.1-1Hz)": "1",
    }
    modulus, phase = np.abs(spectrum.impedance), np.degrees(np.angle(spectrum.impedance))
    columns = spectrum.frequency, spectrum.impedance.real, spectrum.impedance.imag, modulus
    rows = zip(*(map(_number, column) for column in columns), (f"{angle:.1f}" for angle in phase), strict=True)
    _write(path, start, "A.C. Impedance", note, settings, "Freq/Hz, Z'/ohm, Z\"/ohm, Z/ohm, Phase/deg", rows)


def transient(transient: Transient, path: Path, *, start: str, note: str = "synthetic") -> None:
    """Write a current at constant voltage."""
    settings = {
        "Init E (V)": f"{transient.voltage:g}",
        "Sample Interval (s)": f"{transient.time[1] - transient.time[0]:g}",
        "Run Time (sec)": f"{transient.time[-1]:g}",
        "Quiet Time (sec)": "0",
        "Sensitivity (A/V)": "1e-6",
    }
    rows = zip(map(_number, transient.time), map(_number, transient.current), strict=True)
    _write(path, start, "Amperometric i-t Curve", note, settings, "Time/sec, Current/A", rows)


def _number(value: float) -> str:
    """Return a number with four digits and no leading zeros in its exponent: 9.961e+4."""
    mantissa, exponent = f"{value:.3e}".split("e")
    return f"{mantissa}e{int(exponent):+d}"


def _write(
    path: Path,
    start: str,
    technique: str,
    note: str,
    settings: Mapping[str, str | None],
    names: str,
    rows: Iterable[Sequence[str]],
) -> None:
    """Write the header, the settings and the rows of a file."""
    begun = datetime.fromisoformat(start)
    lines = [
        f"{MONTHS[begun.month - 1]} {begun.day}, {begun.year}   {begun:%H:%M:%S}",
        technique,
        f"File: {path.stem}.bin",
        "Data Source:  Experiment",
        "Instrument Model:  CHI660D",
        "Header: ",
        f"Note: {note}",
        "",
        *(name if value is None else f"{name} = {value}" for name, value in settings.items()),
        "",
        names,
        "",
        *(", ".join(row) for row in rows),
        "",
    ]
    write_whole(path, "\r\n".join(lines).encode("latin-1"))
