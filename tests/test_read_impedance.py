"""Impedance spectra and current transients: every value as written, the sign of Im(Z), and what is refused."""

import os
import random
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from coldbond import paths, raw
from coldbond.reading import ReadError, read
from coldbond.reading.impedance import last_digit, settled_sign, significant_digits
from cycler_files import bdf_csv
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


# Named columns


def table(columns: dict[str, np.ndarray], separator: str = ",", decimal: str = ".", form: str = ".9g") -> str:
    rows = [
        separator.join(f"{x:{form}}" for x in row).replace(".", decimal) for row in zip(*columns.values(), strict=True)
    ]
    return "\n".join([separator.join(columns), *rows, ""])


def named(*names: str, sign: int = 1, scale: float = 1.0) -> dict[str, np.ndarray]:
    parts = FREQUENCY, IMPEDANCE.real / scale, sign * IMPEDANCE.imag / scale
    return dict(zip(names, parts, strict=True))


@pytest.mark.parametrize(
    "columns",
    [
        named("frequency/Hz", "Re(Z)/ohm", "-Im(Z)/ohm", sign=-1),
        named("frequency/Hz", "Z_real/ohm", "Z_imag/ohm"),
        named("frequency/Hz", "Z_real/ohm", "Z_imag/ohm", sign=-1),
        named("freq/Hz", "Zreal (ohm)", "-Zimag (ohm)", sign=-1),
        named("Frequency (Hz)", "Z' (Ω)", "-Z'' (Ω)", sign=-1),
        named("Frequency (Hz)", "Z' (Ω)", "Z'' (Ω)"),
        named("Frequency (Hz)", "Z' (\u2126)", "Z'' (\u2126)", sign=-1),
        named("f/Hz", "Z'/Ohm", 'Z"/Ohm'),
        named("Freq [Hz]", "Z′ [Ohm]", "−Z″ [Ohm]", sign=-1),
        named("frequency_Hz", "Z_re_ohm", "Z_im_ohm"),
        named("Frequency (Hz)", "Real (Ohm)", "Imag (Ohm)"),
        named("freq/Hz", "Zre/kohm", "-Zim/kohm", sign=-1, scale=1e3),
        named("freq/Hz", "Zre/kΩ", "-Zim/kΩ", sign=-1, scale=1e3),
        named("freq/Hz", "Zre/mohm", "Zim/mohm", scale=1e-3),
        named("freq/Hz", "Zre/Mohm", "Zim/MOhm", scale=1e6),
        {"freq/kHz": FREQUENCY / 1e3, "ReZ/ohm": IMPEDANCE.real, "ImZ/ohm": IMPEDANCE.imag},
        {"freq/Hz": FREQUENCY, "|Z|/Ohm": np.abs(IMPEDANCE), "Phase(Z)/deg": np.degrees(np.angle(IMPEDANCE))},
        {"freq/Hz": FREQUENCY, "|Z|/Ohm": np.abs(IMPEDANCE), "-Phase (°)": -np.degrees(np.angle(IMPEDANCE))},
        {"freq/Hz": FREQUENCY, "Zmod/Ohm": np.abs(IMPEDANCE), "theta/rad": np.angle(IMPEDANCE)},
    ],
    ids=",".join,
)
def test_named_columns(tmp_path, columns):
    read_as = saved(tmp_path / "a.csv", table(columns))
    np.testing.assert_allclose(read_as.impedance, IMPEDANCE, rtol=1e-8)
    np.testing.assert_allclose(read_as.frequency, FREQUENCY, rtol=1e-8)
    assert read_as.attrs["technique"] == "eis" and read_as.attrs["format"] == "eis-text"
    assert read_as.impedance.attrs["significant_digits"] == 9


@pytest.mark.parametrize(
    ("separator", "decimal"), [(",", "."), (";", "."), (";", ","), ("\t", ","), ("\t", "."), ("  ", ".")]
)
@pytest.mark.parametrize("before", ["", "# sample: LLZ\n# time: 12:00\n", "Cell 3;;\n\n"])
def test_separators_decimals_and_comments(tmp_path, separator, decimal, before):
    text = table(named("freq/Hz", "Zre/ohm", "-Zim/ohm", sign=-1), separator, decimal)
    read_as = saved(tmp_path / "a.txt", before + text.replace("\n", "\n# a remark\n", 4))
    np.testing.assert_allclose(read_as.impedance, IMPEDANCE, rtol=1e-8)
    assert read_as.attrs.get("sample_name") == ("LLZ" if "LLZ" in before else None)


def test_time_and_other_columns(tmp_path):
    columns = {"time/min": np.arange(37.0), **named("f/Hz", "Zre/ohm", "Zim/ohm"), "Ewe/V": np.full(37, 3.1)}
    read_as = saved(tmp_path / "a.csv", table(columns))
    np.testing.assert_array_equal(read_as.time, 60 * np.arange(37.0))
    assert read_as.attrs["unread"] == "Ewe/V"


def loops(
    count: int, down_and_up: bool = False, numbered: bool = False, last: int | None = None
) -> dict[str, np.ndarray]:
    order = [np.arange(37)[:: -1 if down_and_up and loop % 2 else 1] for loop in range(count)]
    order[-1] = order[-1][:last]
    points = np.concatenate(order)
    columns = {name: column[points] for name, column in named("f/Hz", "Zre/ohm", "-Zim/ohm", sign=-1).items()}
    number = np.repeat(np.arange(count), [part.size for part in order])
    return columns | ({"loop_index": number} if numbered else {})


@pytest.mark.parametrize(
    ("columns", "sizes"),
    [
        (loops(3), [37, 37, 37]),
        (loops(3, last=9), [37, 37, 9]),
        (loops(2, down_and_up=True), [37, 37]),
        (loops(3, numbered=True, last=2), [37, 37, 2]),
    ],
)
def test_sweeps(tmp_path, columns, sizes):
    read_as = saved(tmp_path / "a.csv", table(columns))
    np.testing.assert_array_equal(read_as.sweep, np.repeat(1 + np.arange(len(sizes)), sizes))
    assert read_as.sweep.dtype.kind == "i"


def test_rows_of_zeros_are_left_out_and_counted(tmp_path):
    lines = table(loops(2, numbered=True)).split("\n")
    text = "\n".join([*lines[:38], "0,0.0,0,0", *lines[38:]])
    read_as = saved(tmp_path / "a.csv", text)
    assert read_as.sizes["frequency"] == 74 and read_as.attrs["unread"] == "1 rows of zeros"
    error = refused(tmp_path / "b.csv", text.replace("0,0.0,0,0", "0,0.1,0,0"))
    assert error.line == 39 and error.reason == "the frequency is no positive number"
    assert "all rows are zeros" in refused(tmp_path / "c.csv", "freq/Hz,Zre/ohm,Zim/ohm\n" + "0,0,0\n" * 9).reason


@pytest.mark.parametrize("at", [3, 20, 35])
@pytest.mark.parametrize("factor", [0.01, 0.3, 1.0, 30.0])
def test_a_frequency_out_of_order_is_no_new_sweep(tmp_path, at, factor):
    columns = named("f/Hz", "Zre/ohm", "-Zim/ohm", sign=-1)
    frequency = FREQUENCY.copy()
    frequency[at] = factor * frequency[at - 1]
    error = refused(tmp_path / "a.csv", table(columns | {"f/Hz": frequency}))
    assert "neither one sweep nor several" in error.reason and error.line in range(at + 2, at + 4)


def test_the_sign_where_the_spectrum_does_not_tell(tmp_path):
    """A cable: the inductance stands for one sign, but so little of it is seen beside noise that it settles nothing."""
    noise = np.random.default_rng(5).normal(0, 0.05, (2, 37))
    parts = FREQUENCY, 12 + noise[0], noise[1]
    with pytest.raises(ReadError, match=r"nothing tells whether Z''/ohm is Im\(Z\) or -Im\(Z\)") as caught:
        saved(tmp_path / "a.csv", table(dict(zip(("f/Hz", "Z'/ohm", "Z''/ohm"), parts, strict=True))))
    for name, sign in (("-Im(Z)/ohm", -1), ("Im(Z)/ohm", 1), ("Zimag/ohm", 1)):
        read_as = saved(tmp_path / "a.csv", table(dict(zip(("f/Hz", "Z'/ohm", name), parts, strict=True))))
        np.testing.assert_allclose(read_as.impedance.imag, sign * noise[1], rtol=1e-7)
        assert read_as.attrs["sign"] == f"as the column {name} says; its course does not tell"
    mended = table(dict(zip(caught.value.mend.split("'")[1].split(", "), parts, strict=True)))
    assert saved(tmp_path / "a.csv", mended).sizes["frequency"] == 37


def test_a_minus_that_no_passive_cell_has(tmp_path):
    error = refused(tmp_path / "a.csv", table(named("f/Hz", "Zre/ohm", "-Zim/ohm")))
    assert "spectrum of no passive cell" in error.reason and "'Zim/ohm'" in error.mend
    columns = named("f/Hz", "Zre/ohm", "-Zim/ohm") | {"phase/deg": -np.degrees(np.angle(IMPEDANCE))}
    read_as = saved(tmp_path / "a.csv", table(columns))  # two columns that agree are believed
    np.testing.assert_allclose(read_as.impedance, IMPEDANCE.conj(), rtol=1e-7)
    assert read_as.attrs["sign"] == "as the column -Zim/ohm and the phase say; its course does not tell"


@pytest.mark.parametrize(
    ("z", "frequency"),
    [
        (IMPEDANCE, FREQUENCY),
        (IMPEDANCE[20:], FREQUENCY[20:]),
        (20 + 100 / np.sqrt(1j * FREQUENCY), FREQUENCY),
        (30 + 1e-6 * 2j * np.pi * FREQUENCY + 5 / (1 + 2j * np.pi * FREQUENCY * 1e-2), FREQUENCY),
        (50 + 1 / (2j * np.pi * FREQUENCY * 1e-6), FREQUENCY),
    ],
    ids=["cell", "its lower half", "Warburg", "cable and interface", "capacitor"],
)
@pytest.mark.parametrize("noise", [0.0, 0.003, 0.02])
def test_settled_sign(z, frequency, noise):
    """Whatever the noise, the sign is never settled wrongly, and nearly always settled where the phase is clear."""
    generator = np.random.default_rng(7)
    found = [
        settled_sign(frequency, z * (1 + noise * (generator.normal(size=z.size) + 1j * generator.normal(size=z.size))))
        for _ in range(20)
    ]
    assert min(found) >= 0
    assert np.mean(found) > (0.9 if noise < 0.01 else 0.5)
    assert settled_sign(frequency, z) == 1 and settled_sign(frequency, z.conj()) == -1


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        (named("f/Hz", "Zre", "Zim/ohm"), "the unit of 'Zre' is not given"),
        (named("f/mhz", "Zre/ohm", "Zim/ohm"), "the unit of 'f/mhz'"),
        (named("frequency", "Zre/ohm", "Zim/ohm"), "the unit of 'frequency' is not given"),
        (named("f/Hz", "Zre/ohm.cm2", "Zim/ohm"), "the unit of 'Zre/ohm.cm2'"),
        (named("f/Hz", "Zre/ohm", "Ewe/V"), "neither Re(Z) and Im(Z) nor |Z| and phase are named"),
        (named("f/Hz", "Zre/ohm", "Zim/ohm") | {"Im(Z)/ohm": FREQUENCY}, "'Zim/ohm' and 'Im(Z)/ohm' are of one"),
        (named("f/Hz", "Zre/ohm", "Zim/ohm") | {"|Z|/ohm": FREQUENCY}, "modulus or phase are not those of"),
        (
            {name: column[:4] for name, column in named("f/Hz", "Zre/ohm", "Zim/ohm").items()},
            "4 points are no spectrum",
        ),
        (named("f/Hz", "Zre/ohm", "Zim/ohm") | {"f/Hz": -FREQUENCY}, "the frequency is no positive number"),
        ({name: 0 * c if "Z" in name else c for name, c in named("f/Hz", "Zre/ohm", "Zim/ohm").items()}, "is zero"),
    ],
)
def test_columns_that_do_not_say_enough(tmp_path, columns, reason):
    assert reason in refused(tmp_path / "a.csv", table(columns)).reason


def test_a_number_that_no_float_holds(tmp_path):
    text = table(named("f/Hz", "Zre/ohm", "Zim/ohm"), form=".4e")
    error = refused(tmp_path / "a.csv", text.replace("e+02", "e+999", 1))
    assert error.reason == "a number is not finite"


TRANSIENT = {"time/s": np.arange(1.0, 21), "current/A": -2e-6 - 1e-6 * np.exp(-np.arange(20) / 5)}


@pytest.mark.parametrize(
    ("line", "voltage"),
    [
        ("# applied_voltage: 1.0 V", 1.0),
        ("# voltage: -50 mV", -0.05),
        ("# Potential (V) = 0,5", 0.5),
        ("# applied_voltage_V: 1e-2", 0.01),
        ("sample: LLZ\nvoltage = 2 V; 25 °C", 2.0),
    ],
)
@pytest.mark.parametrize(
    "names", [("time/s", "current/A"), ("Elapsed time (h)", "I/µA"), ("Test Time [min]", "Current [nA]")]
)
def test_a_named_transient(tmp_path, line, voltage, names):
    read_as = saved(tmp_path / "a.csv", f"{line}\n" + table(dict(zip(names, TRANSIENT.values(), strict=True)), "\t"))
    unit = {"s": 1, "h": 3600, "n": 60}[names[0].strip("])")[-1]]
    ampere = {"t/A": 1, "µA": 1e-6, "nA": 1e-9}[names[1].strip("]")[-3:].lstrip("/[")]
    np.testing.assert_allclose(read_as.time, TRANSIENT["time/s"] * unit)
    np.testing.assert_allclose(read_as.current, TRANSIENT["current/A"] * ampere, rtol=1e-7)
    assert read_as.attrs["applied_voltage"] == pytest.approx(voltage, rel=1e-12)
    assert read_as.attrs["technique"] == "dc" and read_as.attrs["format"] == "dc-text"


@pytest.mark.parametrize("line", ["", "# voltage: 1 kV\n", "# voltage: 1\n", "# voltage range: 10 V 20 V\n"])
def test_the_line_that_a_transient_lacks_is_printed(tmp_path, line):
    error = refused(tmp_path / "a.csv", line + table(TRANSIENT))
    assert "states no voltage in V or mV" in error.reason
    added = saved(tmp_path / "a.csv", error.mend.split("'")[1] + "\n" + table(TRANSIENT))
    assert added.attrs["applied_voltage"] == 1.0


def test_a_cycler_keeps_its_files(tmp_path):
    assert saved(tmp_path / "a.csv", bdf_csv()).attrs["technique"] == "cycling"
    named = {"test_time_s": np.arange(9.0), "current_A": np.full(9, 1e-3), "voltage_V": np.linspace(0, 1, 9)}
    assert saved(tmp_path / "a.csv", table(named)).attrs["technique"] == "cycling"
    assert (
        "not one column of time and one of current"
        in refused(tmp_path / "a.csv", table({"time/s": np.arange(9.0), "voltage/V": np.arange(9.0)})).reason
    )


# Damage

FEW = slice(None, None, 4)
WHOLE = {
    "chi": chi(rows=chi_rows(IMPEDANCE)[FEW]),
    "chi-it": chi_it(0.4 * np.arange(1, 13), 1e-6 + 1e-6 * np.exp(-np.arange(12) / 9)),
    "ec-lab": ec_lab(every=4),
    "ec-lab, all columns read": ec_lab(sweeps=2, names=EC_LAB_NAMES[:-1], every=5) + "\n",
    "eis-text": table({name: column[FEW] for name, column in named("f/Hz", "Zre/ohm", "-Zim/ohm", sign=-1).items()}),
    "dc-text": "# voltage: 1 V\n" + table(TRANSIENT),
}


@pytest.mark.parametrize("kind", WHOLE)
def test_a_file_cut_anywhere_is_refused_or_gives_whole_rows(tmp_path, kind):
    data = WHOLE[kind].encode("latin-1")
    whole, lengths = saved(tmp_path / "whole.txt", data), set()
    (variable,) = (name for name in whole.data_vars if name in ("impedance", "current"))
    (axis,) = whole.sizes
    body = data.rindex(b"/")  # where the names of the columns are still whole
    for size in [*range(0, body, 7), *range(body, len(data) + 1)]:
        try:
            cut = saved(tmp_path / "cut.txt", data[:size])
        except ReadError:
            continue
        points = cut.sizes[axis]
        lengths.add(points)
        for name in (axis, variable):
            np.testing.assert_array_equal(cut[name], whole[name][:points], err_msg=f"{name}, cut at byte {size}")
    assert {whole.sizes[axis], whole.sizes[axis] - 1} <= lengths


@pytest.mark.parametrize(("kind", "tolerance"), [("chi", 3e-3), ("ec-lab", 1e-5)])
def test_a_wrong_byte_is_refused_or_harms_no_impedance(tmp_path, kind, tolerance):
    """Modulus and phase tell; of a frequency, which stands in the file but once, only the order does."""
    data, generator = WHOLE[kind].encode("latin-1"), random.Random(11)
    whole, read_on = saved(tmp_path / "whole.txt", data), 0
    for _ in range(600):
        at, byte = generator.randrange(len(data)), generator.choice(b"0123456789.,-+eE xZ\n\t\"'")
        try:
            read_as = saved(tmp_path / "damaged.txt", data[:at] + bytes([byte]) + data[at + 1 :])
        except ReadError:
            continue
        assert read_as.sizes["frequency"] == whole.sizes["frequency"], (at, byte)
        off = np.abs(read_as.impedance.to_numpy() - whole.impedance.to_numpy()) / np.abs(whole.impedance.to_numpy())
        assert off.max() < tolerance, (at, byte)
        assert np.sum(read_as.frequency.to_numpy() != whole.frequency.to_numpy()) <= 1
        read_on += 1
    assert read_on > 50


@pytest.mark.parametrize(
    ("numbers", "digits_", "last"),
    [
        ([9.891e1, 1.603, 7.538e-1], 4, [1e-2, 1e-3, 1e-4]),
        ([1234.56, 0.12, 7.0], 6, [1e-2, 1e-2, 1e-2]),
        ([99610.0, 8252.0], 4, [10, 1]),
        ([0.0, 2.5], 2, [0.1, 0.1]),
    ],
)
def test_digits(numbers, digits_, last):
    assert significant_digits(numbers) == digits_
    np.testing.assert_allclose(last_digit(np.array(numbers)), last)


def test_recordings_as_a_table(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "RAW", tmp_path)
    (tmp_path / "a.txt").write_text(WHOLE["chi"])
    (tmp_path / "b.txt").write_text(WHOLE["chi-it"])
    columns = "file,technique,role,sample,state,origin,sha256,area_cm2,thickness_cm,active_mass_mg,temperature_C,note"
    rows = "a.txt,eis,full-cell-interface,LLZ,cycle 1,measured,,0.5,,,25,\nb.txt,dc,electronic,LLZ,,measured,,0.5,,,,\n"
    (tmp_path / "manifest.csv").write_text(f"{columns}\n{rows}")
    spectra, transients = raw.recordings("full-cell-interface"), raw.recordings("electronic")
    shown = raw.table(spectra)
    assert shown.loc["LLZ", ["format", "points", "frequency / Hz"]].tolist() == ["chi-eis", 10, "100000 to 0.1"]
    shown = raw.table(transients)
    assert shown.loc["LLZ", ["format", "points", "time / s"]].tolist() == ["chi-it", 12, "0.4 to 4.8"]


# Real recordings

REAL = os.environ.get("COLDBOND_REAL")
real = pytest.mark.skipif(not REAL, reason="COLDBOND_REAL is not set: no real recordings to read")


@real
def test_the_chi_660e_reads_exactly():
    path = Path(REAL, "chi660e-eis/exampleDataCHInstruments.txt")
    read_as = read(path)
    assert read_as.sizes["frequency"] == 73
    assert read_as.impedance[0] == 98.91 - 2.748j and read_as.impedance[-1] == 5685 - 15860j
    rows = [line.split(",") for line in path.read_text().splitlines() if line.count(",") == 4 and line[0].isdigit()]
    np.testing.assert_array_equal(read_as.frequency, [float(row[0]) for row in rows])
    np.testing.assert_array_equal(read_as.impedance, [complex(float(row[1]), float(row[2])) for row in rows])
    expected = {"start": "2020-02-20T15:55:08", "instrument": "CHI660E", "amplitude": 0.025, "high_frequency": 2e6}
    assert {name: read_as.attrs[name] for name in expected} == expected
    assert read_as.impedance.attrs["significant_digits"] == 4


@real
@pytest.mark.parametrize(
    ("file", "points", "skipped", "first"),
    [
        ("chi660e-eis/exampleDataBioLogic.mpt", 43, 61, 65.470886 - 0.38998979j),
        ("lpscl-ionblocking-eis/PEIS_LPSCl_IonBlocking_-25C.txt", 79, 65, 359.24146 - 290.92038j),
    ],
)
def test_ec_lab_reads_exactly(file, points, skipped, first):
    read_as = read(Path(REAL, file))
    plain = np.loadtxt(Path(REAL, file), skiprows=skipped, encoding="latin-1")
    assert read_as.sizes["frequency"] == points and read_as.impedance[0] == first
    np.testing.assert_array_equal(read_as.impedance, plain[:, 1] - 1j * plain[:, 2])
    np.testing.assert_array_equal(read_as.frequency, plain[:, 0])
    np.testing.assert_array_equal(read_as.time, plain[:, 5])
    np.testing.assert_allclose(np.abs(read_as.impedance), plain[:, 3], rtol=1e-6)
    np.testing.assert_allclose(np.degrees(np.angle(read_as.impedance)), plain[:, 4], rtol=0, atol=1e-4)
    assert ("unfinished" in read_as.attrs) == (points == 43)


@real
def test_loops_of_a_solid_state_cell():
    path = Path(REAL, "ssb-eis/Sample2_PEIS_AtRest.csv")
    read_as = read(path)
    plain = np.genfromtxt(path, delimiter=",", skip_header=1)
    measured = plain[plain[:, 1] > 0]
    assert len(plain) - len(measured) == 10 and "10 rows of zeros" in read_as.attrs["unread"]
    np.testing.assert_allclose(read_as.impedance, measured[:, 2] * np.exp(1j * np.radians(measured[:, 3])), rtol=1e-14)
    np.testing.assert_array_equal(read_as.time, measured[:, 0])
    np.testing.assert_array_equal(read_as.sweep, measured[:, 6] + 1)
    assert int(read_as.sweep.max()) == 10


@real
@pytest.mark.parametrize(
    "file", ["ssb-eis/Sample1_PEIS_EndOfDischarge.mpr", "lpscl-ionblocking-eis/PEIS_LPSCl_IonBlocking_-25C.mpr"]
)
def test_the_binary_file_of_ec_lab_is_refused_with_what_would_mend_it(file):
    with pytest.raises(ReadError, match=r"\.mpr file \(EC-Lab exports it as \.mpt\)"):
        read(Path(REAL, file))
