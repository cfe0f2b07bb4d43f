"""A small file of every format, made by the writers of the tests: what fuzz.py mutates.

A new format adds a sample here: a function without arguments that returns the file, and what must be stated to read it.
test_samples.py holds that every format has one, which it and no other recognises.
"""

import io
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import xlsxwriter

import cycler_files
import diffractometer_files
import impedance_files
import photoelectron_files
import test_read_generic_text
import test_read_raman
import test_read_raman_binary
import test_read_raman_text
import test_read_xps
from coldbond.files import FORMATS, generic_text


class Sample(NamedTuple):
    """A file, and the arguments of `read` beside its path."""

    data: bytes
    stated: dict[str, Any]


def landt_workbook() -> bytes:
    """Return a LANDdt workbook in English, with a sheet beside that of the records."""
    data = io.BytesIO()
    with xlsxwriter.Workbook(data) as book:
        sheet = book.add_worksheet("Record")
        sheet.write_row(0, 0, ["Record", "Test Time/Hour", "Current/mA", "Voltage/V", "Cycle", "Step", "Note"])
        for row, r in enumerate(cycler_files.RECORDS, start=1):
            sheet.write_row(row, 0, [row, r.time / 3600, r.current * 1e3, r.voltage, r.cycle, r.step, "µ"])
        book.add_worksheet("Cycle").write_row(0, 0, ["Cycle", "CapC/mAh"])
    return data.getvalue()


def energies() -> bytes:
    """Return a table of computed energies."""
    names = "structure,formula,energy_eV_per_atom,volume_A3_per_atom,atoms,model,source_of_structure\n"
    return (names + "Li,Li,-2.3844,19.779,1,PBE,Stöhr\nLi fcc,Li,-2.3814,20.296,1,PBE,x\n").encode()


def named_spectrum(technique: str, names: str) -> Callable[[], str]:
    return lambda: names + "\n" + test_read_generic_text.rows(technique)


#: Writers of files, and what is stated to read them.
WRITERS: list[tuple[Callable[[], str | bytes], dict[str, Any]]] = [
    (cycler_files.landt_csv, {}),
    (cycler_files.land_csv, {}),
    (cycler_files.bdf_csv, {}),
    (landt_workbook, {}),
    (energies, {}),
    *((writer, {}) for writer in diffractometer_files.FILES.values()),
    *(((lambda text=text: text), {}) for text in impedance_files.WHOLE.values()),
    (lambda: test_read_xps.TWO, {}),
    (test_read_xps.avantage, {}),
    (lambda: photoelectron_files.avantage_dump().encode(), {}),
    (lambda: photoelectron_files.specs("Kinetic").encode(), {}),
    (lambda: photoelectron_files.scienta("Kinetic", ("C 1s", "O 1s")).encode(), {}),
    (lambda: photoelectron_files.casa_columns(fit=True).encode(), {}),
    (lambda: photoelectron_files.casa_rows().encode(), {}),
    (photoelectron_files.phi, {}),
    *(((lambda table=table: test_read_raman.jcamp(table)), {}) for table in test_read_raman.TABLES.values()),
    (test_read_raman.bwtek, {}),
    *(((lambda text=text: text), {}) for text in test_read_raman_text.FILES.values()),
    *(((lambda text=text: text), {"excitation": 532.0}) for text in test_read_raman_text.WITHOUT_LASER.values()),
    *(((lambda data=data: data), {}) for data, _, _ in test_read_raman_binary.FILES.values()),
    (named_spectrum("xrd", test_read_generic_text.WAVELENGTH + "# two_theta/degree,counts"), {}),
    (named_spectrum("xps", "binding_energy/eV,counts"), {}),
    (named_spectrum("raman", "raman_shift/cm-1,intensity"), {}),
]


def _written(writer: Callable[[], str | bytes]) -> bytes:
    data = writer()
    return data.encode() if isinstance(data, str) else data


def recognised(data: bytes) -> list[str]:
    """Return the formats that recognise a file, other than text with named columns where there is another."""
    found = [form.name for form in FORMATS if form is not generic_text.FORMAT and form.recognise(data)]
    return found or [form.name for form in FORMATS if form.recognise(data)]


@cache
def samples() -> dict[str, list[Sample]]:
    """Return the samples of each format."""
    found: dict[str, list[Sample]] = {form.name: [] for form in FORMATS}
    for writer, stated in WRITERS:
        data = _written(writer)
        for name in recognised(data)[:1]:
            found[name].append(Sample(data, stated))
    return {name: held for name, held in found.items() if held}
