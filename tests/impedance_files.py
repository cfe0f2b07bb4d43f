"""Impedance spectra and current transients as text, as instruments' programs write it or under named columns."""

import numpy as np
import xarray as xr

from coldbond.files import read

FREQUENCY = np.geomspace(1e5, 0.1, 37)
OMEGA = 2j * np.pi * FREQUENCY
#: Electrolyte, interface and electrodes that block.
IMPEDANCE = 35 + 400 / (1 + (OMEGA * 2e-4) ** 0.85) + 1 / (2e-4 * OMEGA**0.9)

CHI_HEADER = """Feb. 20, 2020   15:55:08
A.C. Impedance
File: c:\\data\\cell.bin
Data Source:  Experiment
Instrument Model:  CHI660E
Header: 
Note: 

Init E (V) = 0.05
High Frequency (Hz) = 2e+6
Low Frequency (Hz) = 0.1
Imp SF
Amplitude (V) = 0.025
Quiet Time (sec) = 2
Cycles (.1-1Hz) = 1

"""
CHI_NAMES = "Freq/Hz, Z'/ohm, Z\"/ohm, Z/ohm, Phase/deg"
IT_HEADER = """June 3, 2021   09:05:00
Amperometric i-t Curve
File: it.bin
Data Source:  Experiment
Instrument Model:  CHI660E
Header: 
Note: 

Init E (V) = -0.5
Sample Interval (s) = 0.4
Run Time (sec) = 1200
Quiet Time (sec) = 0
Sensitivity (A/V) = 1e-6

tp = 107.60s
ip = 7.068e-9A

"""
EC_LAB = """EC-Lab ASCII FILE
Nb header lines : 19                          

Potentio Electrochemical Impedance Spectroscopy

Run on channel : 1 (SN 30924)
Acquisition started on : 02/04/2018 10:02:46.125
Saved on :
\tFile : cell.mpr
Device : SP-150 (SN 10791079)
Electrode surface area : 0.001 cm\xb2
E (V)               0.0000              
fi                  100.000             
unit fi             kHz                 
ff                  100.000             
unit ff             mHz                 
Va (mV)             10.0                

"""
EC_LAB_NAMES = ("freq/Hz", "Re(Z)/Ohm", "-Im(Z)/Ohm", "|Z|/Ohm", "Phase(Z)/deg", "time/s", "cycle number", "I Range")


def short(number: float) -> str:
    """Four digits, the exponent without leading zeros: 9.961e+4."""
    mantissa, exponent = f"{number:.3e}".split("e")
    return f"{mantissa}e{int(exponent):+d}"


def chi_rows(z: np.ndarray, column: int = 1, phase: int = 1) -> list[str]:
    """Rows of a spectrum; `column` and `phase` are the signs that the imaginary part and the phase are written with."""
    parts = FREQUENCY, z.real, column * z.imag, np.abs(z)
    angles = phase * np.degrees(np.angle(z))
    return [", ".join([*map(short, row), f"{angle:.1f}"]) for *row, angle in zip(*parts, angles, strict=True)]


def chi(header: str = CHI_HEADER, names: str = CHI_NAMES, rows: list[str] | None = None) -> str:
    return header + "\n".join([names, "", *(chi_rows(IMPEDANCE) if rows is None else rows), ""])


def chi_it(time: np.ndarray, current: np.ndarray, names: str = "Time/sec, Current/A") -> str:
    rows = [f"{short(at)}, {short(ampere)}" for at, ampere in zip(time, current, strict=True)]
    return IT_HEADER + "\n".join([names, "", *rows, ""])


def ec_lab(sweeps: int = 1, decimal: str = ".", names: tuple[str, ...] = EC_LAB_NAMES, every: int = 1) -> str:
    """EC-Lab ends its last row without a line break."""
    rows = []
    for sweep in range(sweeps):
        z = IMPEDANCE * (1 + 0.01 * sweep)
        time = 3.0 + 7.0 * np.arange(z.size) + 1e3 * sweep
        angle = np.degrees(np.angle(z))
        number, current_range = np.full(z.size, sweep + 1.0), np.full(z.size, 11.0)
        columns = (FREQUENCY, z.real, -z.imag, np.abs(z), angle, time, number, current_range)
        table = dict(zip(EC_LAB_NAMES, columns, strict=True))
        points = zip(*(table[name][::every] for name in names), strict=True)
        rows += ["\t".join(f"{x:.7E}" for x in point) for point in points]
    return EC_LAB + ("\t".join(names) + "\t\n" + "\n".join(rows)).replace(".", decimal)


def table(columns: dict[str, np.ndarray], separator: str = ",", decimal: str = ".", form: str = ".9g") -> str:
    rows = [
        separator.join(f"{x:{form}}" for x in row).replace(".", decimal) for row in zip(*columns.values(), strict=True)
    ]
    return "\n".join([separator.join(columns), *rows, ""])


def named(*names: str, sign: int = 1, scale: float = 1.0) -> dict[str, np.ndarray]:
    parts = FREQUENCY, IMPEDANCE.real / scale, sign * IMPEDANCE.imag / scale
    return dict(zip(names, parts, strict=True))


TRANSIENT = {"time/s": np.arange(1.0, 21), "current/A": -2e-6 - 1e-6 * np.exp(-np.arange(20) / 5)}
FEW = slice(None, None, 4)
#: A short file of each kind.
WHOLE = {
    "chi": chi(rows=chi_rows(IMPEDANCE)[FEW]),
    "chi-it": chi_it(0.4 * np.arange(1, 13), 1e-6 + 1e-6 * np.exp(-np.arange(12) / 9)),
    "ec-lab": ec_lab(every=4),
    "ec-lab, all columns read": ec_lab(sweeps=2, names=EC_LAB_NAMES[:-1], every=5) + "\n",
    "eis-text": table({name: column[FEW] for name, column in named("f/Hz", "Zre/ohm", "-Zim/ohm", sign=-1).items()}),
    "dc-text": "# voltage: 1 V\n" + table(TRANSIENT),
}


def saved(path, text: str | bytes) -> xr.Dataset:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read(path)


def digits(numbers: np.ndarray, count: int) -> np.ndarray:
    return np.array([float(f"{number:.{count - 1}e}") for number in numbers])


ROUNDED = digits(IMPEDANCE.real, 4) + 1j * digits(IMPEDANCE.imag, 4)
