"""Writer of Raman spectra in JCAMP-DX 4.24 (McDonald and Wilks 1988, doi 10.1366/0003702884428734), in both forms."""

from pathlib import Path

import numpy as np

from twin.microscope import Spectrum

YFACTOR = 0.01  # of (X++(Y..Y)), whose ordinates are whole numbers
LINE = 76  # characters; the standard allows 80


def xy(spectrum: Spectrum, path: Path, *, date: str, time: str) -> None:
    """Write pairs of shift and counts, one per line."""
    x, y = np.round(spectrum.shift, 3), np.round(spectrum.counts, 2)
    rows = [f"{a:.3f}, {b:.2f}" for a, b in zip(x, y, strict=True)]
    head = _header(spectrum, x, y, 1.0, date, time)
    _write(path, [*head, "##XYDATA= (XY..XY)", *rows, "##END="])


def even(spectrum: Spectrum, path: Path, *, date: str, time: str) -> None:
    """Write evenly spaced shifts: the first of each line, and as many whole ordinates as fit into it."""
    x, y = spectrum.shift, np.rint(spectrum.counts / YFACTOR).astype(int)
    head = _header(spectrum, x, y * YFACTOR, YFACTOR, date, time)
    head.append(f"##DELTAX= {(x[-1] - x[0]) / (x.size - 1):.6f}")
    rows: list[str] = []
    row = ""
    for a, b in zip(x, y, strict=True):
        if not row or len(row) + len(f"{b:+d}") > LINE:
            rows, row = [*rows, row], f"{a:.4f}"
        row += f"{b:+d}"
    _write(path, [*head, "##XYDATA= (X++(Y..Y))", *rows[1:], row, "##END="])


def _header(spectrum: Spectrum, x: np.ndarray, y: np.ndarray, yfactor: float, date: str, time: str) -> list[str]:
    """Return the labelled records above the table."""
    return [
        f"##TITLE= {spectrum.title}",
        "##JCAMP-DX= 4.24",
        "##DATA TYPE= RAMAN SPECTRUM",
        "##ORIGIN= synthetic, written by lib/twin",
        "##OWNER= coldbond",
        f"##DATE= {date[2:]}",
        f"##TIME= {time}",
        "##SPECTROMETER/DATA SYSTEM= DXR Raman microscope",
        "##RESOLUTION= 5.0",
        "##$LASER WAVELENGTH= 532.00 nm",
        f"##$EXPOSURE TIME= {spectrum.exposure:.1f} s",
        f"##$NUMBER OF EXPOSURES= {spectrum.exposures}",
        "##XUNITS= 1/CM",
        "##YUNITS= ARBITRARY UNITS",
        "##XFACTOR= 1.0",
        f"##YFACTOR= {yfactor:g}",
        f"##FIRSTX= {x[0]:.4f}",
        f"##LASTX= {x[-1]:.4f}",
        f"##MAXX= {x.max():.4f}",
        f"##MINX= {x.min():.4f}",
        f"##MAXY= {y.max():.2f}",
        f"##MINY= {y.min():.2f}",
        f"##FIRSTY= {y[0]:.2f}",
        f"##NPOINTS= {x.size}",
    ]


def _write(path: Path, lines: list[str]) -> None:
    path.write_bytes("\r\n".join([*lines, ""]).encode("ascii"))
