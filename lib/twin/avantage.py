"""Writer of workbooks as Thermo Avantage exports them: photoelectron spectra, a sheet per region.

The cells are where public parsers of such exports (PyExpLabSys among others) expect them: number of points in D7,
acquisition parameters from H1, names in row 15, units in row 16, values from row 17.
"""

import io
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import numpy as np
import xlsxwriter

from twin.photoemission import Spectrum
from twin.recording import write_whole


def avantage(spectra: Sequence[Spectrum], path: Path, start: str, *, sample: str, carbon: float) -> None:
    """Write the spectra of one sample, as count rates.

    Parameters
    ----------
    spectra : sequence of Spectrum
        In the order in which they were recorded.
    path : pathlib.Path
        The file.
    start : str
        Date and time, ISO 8601.
    sample : str
        Its name in the file.
    carbon : float
        Binding energy [eV] that the sheet of titles states for C 1s.
    """
    made = datetime.fromisoformat(start)
    data = io.BytesIO()
    with xlsxwriter.Workbook(data, {"in_memory": True}) as book:
        book.set_properties({"created": made})  # so that its bytes do not depend on when it is written
        titles = book.add_worksheet("Titles")
        titles.write_column("A1", ["Sample", "Carbon BE", "Date", "Remark"])
        remark = "SYNTHETIC RECORDING: computed by lib/twin of this bundle, measured by no instrument"
        titles.write_column("B1", [sample, carbon, f"{made:%d/%m/%Y %H:%M:%S}", remark])
        for spectrum in spectra:
            _region(book.add_worksheet(f"{spectrum.scan.region.replace(' ', '')} Scan"), spectrum, sample)
        _peak_table(book.add_worksheet("Peak Table"), spectra)
    write_whole(path, data.getvalue())


def _region(sheet: xlsxwriter.worksheet.Worksheet, spectrum: Spectrum, sample: str) -> None:
    """Write the sheet of a region."""
    scan, size = spectrum.scan, spectrum.counts.size
    minutes, seconds = divmod(scan.sweeps * size * scan.dwell, 60)
    sheet.write_column("A1", ["Experiment Descriptions :", "", f"{sample}\\{scan.region.replace(' ', '')} Scan"])
    sheet.write_row("A6", ["Data Axes :"])
    sheet.write_row("A7", ["Axis", "Energy", "Elements=", size])
    parameters = {
        "Total acquisition time": f"{minutes:.0f} mins {seconds:.1f} secs",
        "Number of Scans": scan.sweeps,
        "Source Type": "Al K Alpha",
        "Spot Size": "500 µm",
        "Lens Mode": "Standard",
        "Analyser Mode": f"CAE : Pass Energy {spectrum.pass_energy:.1f} eV",
        "Energy Step Size": f"{scan.step:.3f} eV",
        "Number of Energy Steps": size,
    }
    sheet.write("H1", "Acquisition Parameters :")
    sheet.write_column("H3", ["Parameters", *parameters])
    sheet.write_column("I4", list(parameters.values()))
    sheet.write("A15", "Binding Energy (E)")
    sheet.write_row("A16", ["eV", "", "Counts / s"])
    sheet.write_column("A17", spectrum.binding_energy[::-1].tolist())
    rate = np.round(spectrum.counts[::-1] / (scan.dwell * scan.sweeps), 6)
    sheet.write_column("C17", rate.tolist())


def _peak_table(sheet: xlsxwriter.worksheet.Worksheet, spectra: Sequence[Spectrum]) -> None:
    """Write the table of peaks: the maximum of each region and its height above the low end."""
    sheet.write("A1", "Peak Table : ")
    sheet.write_row("A2", ["Name", "Start BE", "Peak BE", "End BE", "Height CPS"])
    for row, spectrum in enumerate(spectra, start=2):
        energy, counts, scan = spectrum.binding_energy, spectrum.counts, spectrum.scan
        height = (counts.max() - counts[:10].mean()) / (scan.dwell * scan.sweeps)
        name = scan.region.replace(" ", "")
        sheet.write_row(row, 0, [name, energy[-1], energy[counts.argmax()], energy[0], round(float(height), 2)])
