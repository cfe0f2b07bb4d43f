"""Impedance spectra and current transients of CH Instruments and EC-Lab: every value as written, or refused."""

import numpy as np
import pytest
import xarray as xr

from coldbond.reading import read
from impedance_files import (
    CHI_HEADER,
    CHI_NAMES,
    EC_LAB_NAMES,
    FREQUENCY,
    IMPEDANCE,
    chi,
    chi_it,
    chi_rows,
    ec_lab,
)
from test_read_damage import refused


def saved(path, text: str | bytes) -> xr.Dataset:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read(path)


def digits(numbers: np.ndarray, count: int) -> np.ndarray:
    return np.array([float(f"{number:.{count - 1}e}") for number in numbers])


ROUNDED = digits(IMPEDANCE.real, 4) + 1j * digits(IMPEDANCE.imag, 4)


# CH Instruments


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1", "gb18030"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_chi_in_any_encoding(tmp_path, encoding, end):
    note = {"latin-1": "20 µm, 25 °C", "gb18030": "试样"}.get(encoding, "20 µm, 试样")
    text = chi(CHI_HEADER.replace("Note: ", f"Note: {note}")).replace("\n", end)
    read_as = saved(tmp_path / "a.txt", text.encode(encoding))
    np.testing.assert_array_equal(read_as.impedance, ROUNDED)
    np.testing.assert_array_equal(read_as.frequency, digits(FREQUENCY, 4))
    assert read_as.impedance.dtype == np.complex128
    assert read_as.impedance.attrs["significant_digits"] == 4
    expected = {
        "technique": "eis",
        "format": "chi-eis",
        "start": "2020-02-20T15:55:08",
        "instrument": "CHI660E",
        "initial_potential": 0.05,
        "amplitude": 0.025,
        "quiet_time": 2,
        "low_frequency": 0.1,
        "high_frequency": 2e6,
    }
    assert {name: read_as.attrs.get(name) for name in expected} == expected
    assert not {"unfinished", "unread"} & read_as.attrs.keys() and "sweep" not in read_as


@pytest.mark.parametrize(
    ("header", "start"),
    [
        (CHI_HEADER.replace("Feb.", "June"), "2020-06-20T15:55:08"),
        (CHI_HEADER.replace("Feb.", "Sept."), "2020-09-20T15:55:08"),
        (CHI_HEADER.replace("Feb. 20, 2020   ", "Dec. 9, 2025   0"[:-1]), "2025-12-09T15:55:08"),
        (CHI_HEADER.replace("Feb. 20", "Feb. 31"), None),  # no such day: the rest is whole
        (CHI_HEADER.replace("Instrument Model:  CHI660E\n", ""), "2020-02-20T15:55:08"),
        (CHI_HEADER.replace("Header: \nNote: \n", "Header:\nNote:\n"), "2020-02-20T15:55:08"),
        (CHI_HEADER.split("\n", 1)[1], None),
        ("A.C. Impedance\n\n", None),
    ],
)
def test_headers_of_chi_vary(tmp_path, header, start):
    read_as = saved(tmp_path / "a.txt", chi(header))
    np.testing.assert_array_equal(read_as.impedance, ROUNDED)
    assert read_as.attrs["format"] == "chi-eis" and read_as.attrs.get("start") == start


def test_the_bare_settings_of_chi_are_read_by_the_names_of_the_columns(tmp_path):
    """The program can leave out technique and instrument."""
    read_as = saved(tmp_path / "a.txt", chi("Init E (V) = 0.2\nImp SF\n\n"))
    np.testing.assert_array_equal(read_as.impedance, ROUNDED)
    assert read_as.attrs["format"] == "eis-text"


@pytest.mark.parametrize(
    ("names", "column", "phase", "sign"),
    [
        (CHI_NAMES, 1, 1, 'as the column Z"/ohm and the phase say, and as it is in a passive cell'),
        (CHI_NAMES, -1, 1, 'as it is in a passive cell: the opposite of what the column Z"/ohm says'),
        (CHI_NAMES, 1, -1, 'as the column Z"/ohm says, and as it is in a passive cell'),
        (CHI_NAMES, -1, -1, 'as it is in a passive cell: the opposite of what the column Z"/ohm and the phase say'),
        (CHI_NAMES.replace('Z"', "-Z''"), -1, 1, "as the column -Z''/ohm and the phase say, and as it is in a passive"),
    ],
)
def test_the_sign_is_that_of_a_passive_cell(tmp_path, names, column, phase, sign):
    read_as = saved(tmp_path / "a.txt", chi(names=names, rows=chi_rows(IMPEDANCE, column, phase)))
    np.testing.assert_array_equal(read_as.impedance, ROUNDED)
    assert read_as.attrs["sign"].startswith(sign)


@pytest.mark.parametrize("column", [1, 2, 3, 4])
def test_columns_of_chi_that_contradict_each_other(tmp_path, column):
    rows = chi_rows(IMPEDANCE)
    cells = rows[20].split(", ")
    cells[column] = f"{float(cells[column]) * 1.02 + (column == 4) * 0.5:g}"
    error = refused(tmp_path / "a.txt", chi(rows=[*rows[:20], ", ".join(cells), *rows[21:]]))
    assert error.line == chi().split("\n").index(rows[20]) + 1
    assert "modulus or phase are not those of Re(Z) and Im(Z)" in error.reason


@pytest.mark.parametrize(("kept", "unfinished"), [(37, None), (30, "ends at 1.468 Hz, 0.1 Hz was set")])
def test_a_sweep_that_ends_early_says_so(tmp_path, kept, unfinished):
    read_as = saved(tmp_path / "a.txt", chi(rows=chi_rows(IMPEDANCE)[:kept]))
    assert read_as.attrs.get("unfinished") == unfinished


@pytest.mark.parametrize("technique", ["Impedance - Time", "Impedance - Potential", "Cyclic Voltammetry"])
def test_other_techniques_of_chi_are_refused_by_name(tmp_path, technique):
    error = refused(tmp_path / "a.txt", chi(CHI_HEADER.replace("A.C. Impedance", technique)))
    assert repr(technique) in error.reason and "A.C. Impedance" in error.mend


def test_a_current_transient_of_chi(tmp_path):
    """Its time has four digits, so that beyond 1000 s it repeats; the sign of its current is kept."""
    time = 0.4 * np.arange(1, 3001)
    current = -1e-6 - 1e-6 * np.exp(-time / 100)
    read_as = saved(tmp_path / "a.txt", chi_it(time, current))
    np.testing.assert_array_equal(read_as.time, digits(time, 4))
    np.testing.assert_array_equal(read_as.current, digits(current, 4))
    assert np.any(np.diff(read_as.time) == 0)
    expected = {
        "technique": "dc",
        "format": "chi-it",
        "applied_voltage": -0.5,
        "start": "2021-06-03T09:05:00",
        "sample_interval": 0.4,
        "run_time": 1200,
        "current_sign": "as exported",
    }
    assert {name: read_as.attrs.get(name) for name in expected} == expected
    assert read_as.current.attrs["resolution"] == pytest.approx(1e-9) and read_as.current.attrs["units"] == "A"
    assert "unfinished" not in read_as.attrs
    cut = saved(tmp_path / "b.txt", chi_it(time[:900], current[:900], "Time/sec, Current/A"))
    assert cut.attrs["unfinished"] == "ends at 360 s, 1200 s were set"


@pytest.mark.parametrize(("at", "time"), [(40, 15.6), (50, 3.2)])
def test_a_time_that_stands_still_without_need_or_runs_back(tmp_path, at, time):
    times = 0.4 * np.arange(1, 101)
    times[at] = time  # that of the point before, or an earlier one
    text = chi_it(times, 1e-6 + 1e-6 * np.exp(-times))
    first = text.split("\n").index("Time/sec, Current/A") + 3
    error = refused(tmp_path / "a.txt", text)
    assert error.reason == "the time does not increase" and error.line == first + at


def test_a_transient_of_chi_without_its_voltage_or_current(tmp_path):
    text = chi_it(np.arange(1.0, 9), np.linspace(2e-6, 1e-6, 8))
    for damaged in (text.replace("Init E (V)", "Init E"), text.replace("Current/A", "Current/uA")):
        assert "no current in A, or no 'Init E (V)'" in refused(tmp_path / "a.txt", damaged).reason
    read_as = saved(tmp_path / "a.txt", text.replace("/A\n", "/A, Charge/C\n").replace("e-6\n", "e-6, 1e-6\n"))
    assert read_as.attrs["unread"] == "Charge/C"


# EC-Lab


@pytest.mark.parametrize("decimal", [".", ","])
@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
def test_ec_lab(tmp_path, decimal, ending):
    text = ec_lab(decimal=decimal) + ending
    read_as = saved(tmp_path / "a.mpt", text.replace("\n", ending or "\n").encode("latin-1"))
    np.testing.assert_array_equal(read_as.impedance, digits(IMPEDANCE.real, 8) + 1j * digits(IMPEDANCE.imag, 8))
    np.testing.assert_array_equal(read_as.frequency, digits(FREQUENCY, 8))
    np.testing.assert_array_equal(read_as.time, 3.0 + 7.0 * np.arange(FREQUENCY.size))
    expected = {
        "technique": "eis",
        "format": "ec-lab-mpt",
        "amplitude": 0.01,
        "low_frequency": 0.1,
        "instrument": "SP-150 (SN 10791079)",
        "start": "2018-02-04T10:02:46",
        "unread": "I Range",
        "sign": "as the column -Im(Z)/Ohm and the phase say, and as it is in a passive cell",
    }
    assert {name: read_as.attrs.get(name) for name in expected} == expected
    assert read_as.impedance.attrs["significant_digits"] == 8 and read_as.time.attrs["units"] == "s"
    assert "sweep" not in read_as and "unfinished" not in read_as.attrs


def test_cycles_of_ec_lab_are_sweeps(tmp_path):
    read_as = saved(tmp_path / "a.mpt", ec_lab(sweeps=3).encode("latin-1"))
    np.testing.assert_array_equal(read_as.sweep, np.repeat([1, 2, 3], FREQUENCY.size))
    np.testing.assert_allclose(read_as.impedance[read_as.sweep == 3], IMPEDANCE * 1.02, rtol=1e-7)


@pytest.mark.parametrize(
    ("stated", "start"),
    [
        ("12-31-2020 10:32:02", "2020-12-31T10:32:02"),
        ("12/31/2020 10.32.02.5", "2020-12-31T10:32:02"),
        ("31/12/2020 10:32:02", None),
    ],
)
def test_start_of_ec_lab(tmp_path, stated, start):
    text = ec_lab().replace("02/04/2018 10:02:46.125", stated)
    assert saved(tmp_path / "a.mpt", text.encode("latin-1")).attrs.get("start") == start


EC_LAB_DAMAGE = {
    "wrong count of header lines": (ec_lab().replace(" 19  ", " 18  "), 18, "no column named freq/Hz"),
    "more header lines than lines": (ec_lab().replace(" 19  ", " 999 "), 2, "no number of header lines"),
    "no count": (ec_lab().replace("Nb header", "Header"), 2, "no number of header lines"),
    "not impedance": (ec_lab().replace("-Im(Z)", "Im(Y)"), 19, "no column named -Im(Z)/Ohm"),
    "no rows": (ec_lab()[: ec_lab().index("I Range") + 9], 19, "a header, but no rows below it"),
    "fields lost": (ec_lab() + "\n1.0\t2.0\n", 57, "cut off, or not numbers"),
    "no number": (ec_lab().replace("E+005\t", "E+OO5\t", 1).replace("1.0000000E+05", "XXX"), 20, "not numbers in freq"),
    "last column cut off": (ec_lab(names=EC_LAB_NAMES[:-1]), 56, "no line break"),
    "imaginary part of another sign than the phase": (
        ec_lab().replace(f"\t{-IMPEDANCE[9].imag:.7E}", f"\t{IMPEDANCE[9].imag:.7E}"),
        29,
        "modulus or phase are not those of",
    ),
}


@pytest.mark.parametrize("damage", EC_LAB_DAMAGE)
def test_ec_lab_damaged(tmp_path, damage):
    text, line, reason = EC_LAB_DAMAGE[damage]
    error = refused(tmp_path / "a.mpt", text.encode("latin-1"))
    assert reason in error.reason and error.line == line
