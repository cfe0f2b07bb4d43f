"""Impedance spectra and current transients of CH Instruments: every value as written, and the sign of Im(Z)."""

import numpy as np
import pytest

from impedance_files import (
    CHI_HEADER,
    CHI_NAMES,
    FREQUENCY,
    IMPEDANCE,
    ROUNDED,
    chi,
    chi_it,
    chi_rows,
    digits,
    saved,
    short,
)
from test_read_damage import refused


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
        (CHI_NAMES, 1, 1, 'as the column Z"/ohm and the phase say, and as in a passive cell'),
        (CHI_NAMES, -1, 1, 'as in a passive cell, the opposite of what the column Z"/ohm says'),
        (CHI_NAMES, 1, -1, 'as the column Z"/ohm says, and as in a passive cell'),
        (CHI_NAMES, -1, -1, 'as in a passive cell, the opposite of what the column Z"/ohm and the phase say'),
        (CHI_NAMES.replace('Z"', "-Z''"), -1, 1, "as the column -Z''/ohm and the phase say, and as in a passive"),
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
    wrong = float(cells[column]) * 1.02 + (column == 4) * 0.5
    cells[column] = f"{wrong:.1f}" if column == 4 else short(wrong)
    error = refused(tmp_path / "a.txt", chi(rows=[*rows[:20], ", ".join(cells), *rows[21:]]))
    assert error.line == chi().split("\n").index(rows[20]) + 1
    assert "modulus or phase contradict Re(Z) and Im(Z)" in error.reason


@pytest.mark.parametrize(("kept", "unfinished"), [(37, None), (30, "ends at 1.468 Hz, 0.1 Hz was set")])
def test_a_sweep_that_ends_early_says_so(tmp_path, kept, unfinished):
    read_as = saved(tmp_path / "a.txt", chi(rows=chi_rows(IMPEDANCE)[:kept]))
    assert read_as.attrs.get("unfinished") == unfinished


@pytest.mark.parametrize("technique", ["Impedance - Time", "Impedance - Potential", "Cyclic Voltammetry"])
def test_other_techniques_of_chi_are_refused_by_name(tmp_path, technique):
    error = refused(tmp_path / "a.txt", chi(CHI_HEADER.replace("A.C. Impedance", technique)))
    assert repr(technique) in error.reason and "A.C. Impedance" in error.remedy


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
    assert "states no 'Init E (V)'" in refused(tmp_path / "a.txt", text.replace("Init E (V)", "Init E")).reason
    assert "no current in A among" in refused(tmp_path / "a.txt", text.replace("Current/A", "Current/uA")).reason
    read_as = saved(tmp_path / "a.txt", text.replace("/A\n", "/A, Charge/C\n").replace("e-6\n", "e-6, 1e-6\n"))
    assert read_as.attrs["unread"] == "Charge/C"


@pytest.mark.parametrize("row", ["\t".join, " ".join, ";".join, ",\t".join])
@pytest.mark.parametrize("decimal", [".", ","])
def test_rows_of_chi_with_other_separators_below_names_with_commas(tmp_path, row, decimal):
    """Some versions write tabs between the numbers, and decimal commas."""
    rows = [row(cell.replace(".", decimal) for cell in line.split(", ")) for line in chi_rows(IMPEDANCE)]
    if decimal == "," and row == " ".join:
        assert "is not 5 numbers" in refused(tmp_path / "a.txt", chi(rows=rows)).reason
        return
    np.testing.assert_array_equal(saved(tmp_path / "a.txt", chi(rows=rows)).impedance, ROUNDED)


@pytest.mark.parametrize("at", [0, 3])
def test_a_control_character_before_a_number_of_chi(tmp_path, at):
    lines = chi().split("\n")
    row = lines.index(CHI_NAMES) + 2 + at
    lines[row] = "\x1c" + lines[row]
    error = refused(tmp_path / "a.txt", "\n".join(lines))
    assert error.line == row + 1 and "is not 5 numbers" in error.reason


def test_a_bipotentiostat_of_chi(tmp_path):
    time, current = np.arange(1.0, 13), 1e-6 + 1e-7 / np.arange(1, 13)
    text = chi_it(time, current, "Time/sec, i1/A, i2/A").replace("e-6\n", "e-6, 9.000e-9\n")
    read_as = saved(tmp_path / "a.txt", text)
    np.testing.assert_array_equal(read_as.current, digits(current, 4))
    assert read_as.attrs["unread"] == "i2/A" and read_as.attrs["applied_voltage"] == -0.5


CA_HEADER = """June 3, 2021   09:05:00
Chronoamperometry
Instrument Model:  CHI660E

Init E (V) = 0
High E (V) = 0.5
Low E (V) = -0.2
Init P/N = P
Step = 1
Pulse Width (sec) = 20
Sample Interval (s) = 1
Quiet Time (sec) = 2

Time/sec, Current/A

"""
TIME, CURRENT = np.arange(1.0, 21), 1e-6 + 1e-6 * np.exp(-np.arange(20) / 5)
CA = CA_HEADER + "".join(f"{at:.3f}, {ampere:.3e}\n" for at, ampere in zip(TIME, CURRENT, strict=True))


@pytest.mark.parametrize(("polarity", "voltage"), [("P", 0.5), ("N", -0.2)])
def test_one_step_of_chronoamperometry_of_chi(tmp_path, polarity, voltage):
    read_as = saved(tmp_path / "a.txt", CA.replace("Init P/N = P", f"Init P/N = {polarity}"))
    np.testing.assert_array_equal(read_as.current, digits(CURRENT, 4))
    np.testing.assert_array_equal(read_as.time, TIME)
    expected = {"technique": "dc", "format": "chi-ca", "applied_voltage": voltage, "run_time": 20}
    assert {name: read_as.attrs.get(name) for name in expected} == expected
    assert "unfinished" not in read_as.attrs


def test_two_steps_of_chronoamperometry_are_refused_and_the_advice_works(tmp_path):
    error = refused(tmp_path / "a.txt", CA.replace("Step = 1", "Step = 2"))
    assert "2 steps" in error.reason
    lines = [line for line in error.remedy.split("'") if "/" in line or "voltage" in line]
    assert lines == ["# applied_voltage: 0.5 V", "time/s, current/A"]
    read_as = saved(tmp_path / "b.txt", "\n".join(lines) + CA[len(CA_HEADER) - 1 :])
    np.testing.assert_array_equal(read_as.current, digits(CURRENT, 4))
    assert read_as.attrs["applied_voltage"] == 0.5


@pytest.mark.parametrize("name", ["Init P/N", "Step", "High E (V)"])
def test_chronoamperometry_of_chi_without_a_setting(tmp_path, name):
    assert repr(name) in refused(tmp_path / "a.txt", CA.replace(f"{name} =", "Other =")).reason


CP_HEADER = """Jan. 27, 2022   13:43:22
Chronopotentiometry
Instrument Model:  CHI760E

Cathodic Current (A) = 0.002
Anodic Current (A) = 0.001
High E Limit (V) = 1
Low E Limit (V) = -1
Cathodic Time (s) = 10
Anodic Time (s) = 20
Init P/N = N
Data Storage Interval (s) = 2
Segment = 3
Quiet Time (sec) = 2

Time/sec, Potential/V

"""
#: Cathodic to the limit, anodic for its time, cathodic for its time.
CP_TIME = np.arange(0.0, 38, 2)
CP_SEGMENT = np.repeat([1, 2, 3], [4, 10, 5])
CP_POTENTIAL = np.concatenate([[-0.5, -0.7, -0.9, -1.1], np.linspace(0.3, 0.9, 10), np.linspace(-0.2, -0.6, 5)])
CP = CP_HEADER + "".join(f"{at:.4f}, {volt:.4f}\n" for at, volt in zip(CP_TIME, CP_POTENTIAL, strict=True))


def test_chronopotentiometry_of_chi_has_the_currents_that_were_set(tmp_path):
    read_as = saved(tmp_path / "a.txt", CP)
    np.testing.assert_array_equal(read_as.time, CP_TIME)
    np.testing.assert_allclose(read_as.voltage, CP_POTENTIAL, atol=5e-5)
    np.testing.assert_array_equal(read_as.step, CP_SEGMENT)
    np.testing.assert_array_equal(read_as.current, np.array([-0.002, 0.001, -0.002])[CP_SEGMENT - 1])
    assert read_as.attrs["technique"] == "cycling" and read_as.attrs["format"] == "chi-cp"
    assert read_as.attrs["start"] == "2022-01-27T13:43:22"
    assert read_as.current.attrs["derived"] == "as set, anodic positive"


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("Segment = 3", "Segment = 4", "of 4 segments, of which the potentials and times that were set give 3"),
        ("Low E Limit (V) = -1", "Low E Limit (V) = -2", "is unknown"),
        ("Init P/N = N", "Init P/N = P", "is unknown"),
        ("Init P/N = N", "Init = N", "'Init P/N'"),
        ("Low E Limit", "High E Hold Time (s) = 5\nLow E Limit", "current of the hold"),
        ("Anodic Current (A) = 0.001", "", "'Anodic Current (A)'"),
        ("Potential/V", "Charge/C", "no potential in V"),
    ],
)
def test_chronopotentiometry_of_chi_whose_current_is_unknown(tmp_path, old, new, reason):
    assert reason in refused(tmp_path / "a.txt", CP.replace(old, new)).reason


def test_open_circuit_of_chi(tmp_path):
    text = CP.replace("Chronopotentiometry", "Open Circuit Potential - Time")
    read_as = saved(tmp_path / "a.txt", text)
    np.testing.assert_array_equal(read_as.current, np.zeros(CP_TIME.size))
    assert read_as.attrs["format"] == "chi-ocp" and read_as.current.attrs["derived"] == "zero at open circuit"


@pytest.mark.parametrize(("polarity", "current"), [("P", 0.001), ("N", -0.002)])
def test_a_single_segment_of_chronopotentiometry_of_chi(tmp_path, polarity, current):
    header = CP_HEADER.replace("Init P/N = N", f"Init P/N = {polarity}").replace("Segment = 3", "Segment = 1")
    rows = "".join(f"{at:.4f}, {0.1 + 0.01 * at:.4f}\n" for at in np.arange(0.0, 9, 2))
    read_as = saved(tmp_path / "a.txt", header + rows)
    np.testing.assert_array_equal(read_as.current, np.full(5, current))


@pytest.mark.parametrize(("old", "new"), [("1.801e-6", "1.8016"), ("1.801e-6", "1.81e-6"), ("1.801e-6", "0")])
def test_a_number_of_chi_that_is_not_written_like_the_others(tmp_path, old, new):
    text = chi_it(0.4 * np.arange(1, 13), 1e-6 + 1e-6 * np.exp(-np.arange(12) / 9))
    text = text.replace(text.split("\n")[-3].split(", ")[1], old)
    assert "not written like the other" in refused(tmp_path / "a.txt", text.replace(old, new)).reason


def test_an_empty_line_between_the_points_of_chi(tmp_path):
    lines = chi().split("\n")
    lines[-10] = ""
    error = refused(tmp_path / "a.txt", "\n".join(lines))
    assert "an empty line between the points" in error.reason and error.line == len(lines) - 9
