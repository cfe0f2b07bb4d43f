"""A small file of every format, made by the writers of the tests: what fuzz.py mutates.

A new format adds a sample to `WRITERS`: a function without arguments that returns the file, and what must be stated to
read it. test_samples.py holds that every format has one, which it and no other recognises.
"""

import io
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import xlsxwriter

import cycler_files
import diffractometer_files
import ec_lab_files
import impedance_exports
import impedance_files
import of_others
import photoelectron_files
import test_read_generic_text
import test_read_raman
import test_read_raman_binary
import test_read_raman_text
import test_read_testers
import test_read_xps
import test_read_xrd_formats
import tester_files
from coldbond.files import FORMATS, generic_text
from coldbond.files.electrochemistry import cycler_workbook

#: Size [bytes] of recordings that stand in for the samples of formats that no test writes.
SMALL = 400_000
#: Formats that take what no other does: text with named columns, and workbooks.
LAST = (generic_text.FORMAT.name, cycler_workbook.FORMAT.name)


class Sample(NamedTuple):
    """A file, and the arguments of `read` beside its path."""

    data: bytes
    stated: dict[str, Any]


def workbook(sheets: dict[str, list[list]]) -> bytes:
    """Return a workbook with rows of cells in its sheets."""
    data = io.BytesIO()
    with xlsxwriter.Workbook(data) as book:
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for number, row in enumerate(rows):
                sheet.write_row(number, 0, row)
    return data.getvalue()


def landt_workbook() -> bytes:
    """Return a LANDdt workbook in English, with a sheet beside that of the records."""
    header = ["Record", "Test Time/Hour", "Current/mA", "Voltage/V", "Cycle", "Step", "Note"]
    rows = [
        [n, r.time / 3600, r.current * 1e3, r.voltage, r.cycle, r.step, "µ"]
        for n, r in enumerate(cycler_files.RECORDS, start=1)
    ]
    return workbook({"Record": [header, *rows], "Cycle": [["Cycle", "CapC/mAh"], [1, 0.5]]})


def arbin_workbook() -> bytes:
    """Return an Arbin workbook."""
    header, rows = tester_files.ARBIN.split(","), tester_files.arbin_rows()
    return workbook({"Channel_1-006": [header, *rows], "Statistics_1-006": test_read_testers.STATISTICS})


def neware_workbook() -> bytes:
    """Return a Neware workbook, whose cells are numbers where they look like them."""
    rows = [line.split(",") for line in tester_files.neware_text().split("\n")[:-1]]
    for row in rows[1:]:
        row[6:-1] = [float(cell) if cell.replace(".", "").replace("-", "").isdigit() else cell for cell in row[6:-1]]
    return workbook({"unit": [["Channel"]], "cycle": [["Cycle Index"], [1]], "record": rows})


def parquet() -> bytes:
    """Return a Battery Data Format Parquet file."""
    data = io.BytesIO()
    test_read_testers.frame().write_parquet(data)
    return data.getvalue()


def gcpl() -> str:
    """Return galvanostatic cycling as text of EC-Lab."""
    return ec_lab_files.mpt(ec_lab_files.records())


def mpr() -> bytes:
    """Return galvanostatic cycling as a binary file of EC-Lab."""
    return ec_lab_files.mpr(ec_lab_files.records())


def energies() -> bytes:
    """Return a table of computed energies."""
    names = "structure,formula,energy_eV_per_atom,volume_A3_per_atom,atoms,model,source_of_structure\n"
    return (names + "Li,Li,-2.3844,19.779,1,PBE,Stöhr\nLi fcc,Li,-2.3814,20.296,1,PBE,x\n").encode()


def named_spectrum(technique: str, names: str) -> Callable[[], str]:
    return lambda: names + "\n" + test_read_generic_text.rows(technique)


def given(files: dict[str, Any]) -> list[tuple[Callable[[], str | bytes], dict[str, Any]]]:
    """Return writers of files that a test module has written already."""
    return [((lambda data=data: data), {}) for data in files.values()]


#: Writers of files, and what is stated to read them.
WRITERS: list[tuple[Callable[[], str | bytes], dict[str, Any]]] = [
    (cycler_files.landt_csv, {}),
    (cycler_files.land_csv, {}),
    (cycler_files.bdf_csv, {}),
    (landt_workbook, {}),
    (arbin_workbook, {}),
    (neware_workbook, {}),
    (parquet, {}),
    *given({name: file[0] for name, file in tester_files.FILES.items()}),
    (gcpl, {}),
    (mpr, {}),
    (energies, {}),
    *((writer, {}) for writer in diffractometer_files.FILES.values()),
    *(((lambda file=file: file[0]), file[2]) for file in test_read_xrd_formats.FILES.values()),
    *given(impedance_files.WHOLE),
    *given(impedance_exports.EXPORTS),
    *given(impedance_exports.VARIANTS),
    (lambda: test_read_xps.TWO, {}),
    (test_read_xps.avantage, {}),
    (photoelectron_files.specs, {}),
    (lambda: photoelectron_files.avantage_dump().encode(), {}),
    (lambda: photoelectron_files.specs("Kinetic").encode(), {}),
    (lambda: photoelectron_files.scienta("Kinetic", ("C 1s", "O 1s")).encode(), {}),
    (lambda: photoelectron_files.casa_columns(fit=True).encode(), {}),
    (lambda: photoelectron_files.casa_rows().encode(), {}),
    (photoelectron_files.phi, {}),
    *(((lambda table=table: test_read_raman.jcamp(table)), {}) for table in test_read_raman.TABLES.values()),
    (test_read_raman.bwtek, {}),
    *given(test_read_raman_text.FILES),
    *((writer, {"excitation": 532.0}) for writer, _ in given(test_read_raman_text.WITHOUT_LASER)),
    *given({name: file[0] for name, file in test_read_raman_binary.FILES.items()}),
    (named_spectrum("xrd", test_read_generic_text.WAVELENGTH + "# two_theta/degree,counts"), {}),
    (named_spectrum("xps", "binding_energy/eV,counts"), {}),
    (named_spectrum("raman", "raman_shift/cm-1,intensity"), {}),
]


def _written(writer: Callable[[], str | bytes]) -> bytes:
    data = writer()
    return data.encode() if isinstance(data, str) else data


def recognised(data: bytes) -> list[str]:
    """Return the formats that recognise a file; those that take what no other does only where no other does."""
    found = [form.name for form in FORMATS if form.recognise(data)]
    return [name for name in found if name not in LAST] or found[:1]


@cache
def samples() -> dict[str, list[Sample]]:
    """Return the samples of each format that has any; a small recording where tests write none."""
    found: dict[str, list[Sample]] = {form.name: [] for form in FORMATS}
    for writer, stated in WRITERS:
        data = _written(writer)
        found[(recognised(data) or [generic_text.FORMAT.name])[0]].append(Sample(data, stated))
    for form in FORMATS:
        paths = [of_others.found(checked.recording) for checked in form.checked if not found[form.name]]
        small = [path for path in paths if isinstance(path, Path) and path.stat().st_size < SMALL]
        found[form.name] += [Sample(path.read_bytes(), {}) for path in small]
    return {name: held for name, held in found.items() if held}
