"""Cycling, transients and mixed files of EC-Lab, as text."""

import numpy as np
import pytest

from coldbond.files import ReadError, read
from ec_lab_files import COUNT, GCPL, TIMES, modulo_bat, mpt, records
from impedance_files import saved
from test_read_damage import refused

RECORDS = records()


def without(*names: str) -> dict[str, np.ndarray]:
    return {name: column for name, column in RECORDS.items() if name not in names}


def renamed(old: str, new: str, scale: float = 1.0) -> dict[str, np.ndarray]:
    return {new if name == old else name: column * scale if name == old else column for name, column in RECORDS.items()}


def save(path, text: str, technique: str | None = None, encoding: str = "latin-1"):
    path.write_bytes(text.encode(encoding))
    return read(path, technique=technique)


@pytest.mark.parametrize("decimal", [".", ","])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("encoding", ["latin-1", "utf-8", "utf-8-sig", "utf-16"])
def test_cycling_of_ec_lab(tmp_path, decimal, end, encoding):
    text = mpt(RECORDS, more=("Electrode surface area : 0.001 cm²",), end=end)
    head, _, body = text.partition("cycle number")
    read_as = save(tmp_path / "a.mpt", f"{head}cycle number{body.replace('.', decimal)}{end}", encoding=encoding)
    np.testing.assert_array_equal(read_as.time, TIMES)
    np.testing.assert_allclose(read_as.voltage, RECORDS["Ewe/V"], rtol=5e-8)
    np.testing.assert_allclose(read_as.current, RECORDS["<I>/mA"] / 1000, rtol=1e-15)
    np.testing.assert_array_equal(read_as.cycle, RECORDS["cycle number"])
    np.testing.assert_array_equal(read_as.step, RECORDS["Ns"])
    expected = {
        "technique": "cycling",
        "format": "ec-lab-mpt",
        "start": "2024-01-10T11:02:29",
        "instrument": "SP-300 (SN 1854)",
        "ec_lab_technique": GCPL,
        "unread": "mode, ox/red, control/V/mA, dq/mA.h, (Q-Qo)/mA.h, half cycle",
    }
    assert {name: read_as.attrs.get(name) for name in expected} == expected
    assert read_as.current.attrs["sign"] == "recorded"
    assert read_as.current.attrs["positive"] == "oxidation of the working electrode"
    assert read_as.voltage.attrs["column"] == "Ewe/V" and read_as.voltage.attrs["resolution"] == pytest.approx(1e-7)


def test_the_order_of_the_columns_is_that_of_the_names(tmp_path):
    shuffled = dict(sorted(RECORDS.items()))
    one, other = (save(tmp_path / f"{name}.mpt", mpt(table)) for name, table in (("a", RECORDS), ("b", shuffled)))
    for name in ("time", "voltage", "current", "cycle", "step"):
        np.testing.assert_array_equal(one[name], other[name])


@pytest.mark.parametrize(
    ("old", "new", "scale"),
    [
        ("<I>/mA", "I/mA", 1.0),
        ("<I>/mA", "I/A", 1e-3),
        ("<I>/mA", "<I>/µA", 1e3),
        ("Ewe/V", "Ecell/V", 1.0),
        ("Ewe/V", "<Ewe>/V", 1.0),
        ("Ewe/V", "<Ewe/V>", 1.0),
        ("Ewe/V", "Ewe-Ece/V", 1.0),
        ("Ewe/V", "Ewe/mV", 1e3),
        ("time/s", "time/h", 1 / 3600),
    ],
)
def test_units_and_names_of_ec_lab(tmp_path, old, new, scale):
    read_as = save(tmp_path / "a.mpt", mpt(renamed(old, new, scale)))
    np.testing.assert_allclose(read_as.time, TIMES, rtol=1e-12)
    np.testing.assert_allclose(read_as.voltage, RECORDS["Ewe/V"], rtol=1e-7)
    np.testing.assert_allclose(read_as.current, RECORDS["<I>/mA"] / 1000, rtol=1e-6)


@pytest.mark.parametrize("charge", ["dq/mA.h", "(Q-Qo)/mA.h", "(Q-Qo)/C", "(Q-Qo)/A.h", "dq/µA.h"])
def test_the_current_of_gcpl_from_its_charge(tmp_path, charge):
    scale = {"C": 3.6, "A.h": 1e-3, "µA.h": 1e3}.get(charge.partition("/")[2], 1.0)
    quantity = charge.partition("/")[0] + "/mA.h"
    columns = without("<I>/mA", "dq/mA.h", "(Q-Qo)/mA.h") | {charge: RECORDS[quantity] * scale}
    read_as = save(tmp_path / "a.mpt", mpt(columns))
    np.testing.assert_allclose(read_as.current, RECORDS["<I>/mA"] / 1000, atol=1e-15)
    assert read_as.current.attrs["derived"] == f"mean current between two records, from {charge}"
    assert read_as.current.attrs["column"] == charge


def test_a_charge_that_starts_again(tmp_path):
    """After other techniques of a sequence (Q-Qo) starts from zero: the header says so, else the file is refused."""
    half = RECORDS["(Q-Qo)/mA.h"][:COUNT]
    columns = without("<I>/mA", "dq/mA.h", "(Q-Qo)/mA.h") | {"(Q-Qo)/mA.h": np.append(half + 1.0, half)}
    error = refused(tmp_path / "a.mpt", mpt(columns))
    assert error.reason == "(Q-Qo)/mA.h starts again here, and there is no column of the current"
    loops = ("Number of loops : 2", "Loop 0 from point number 0 to 19", f"Loop 1 from point number {COUNT} to 39")
    read_as = save(tmp_path / "a.mpt", mpt(columns, more=loops))
    np.testing.assert_allclose(read_as.current[COUNT:], RECORDS["<I>/mA"][:COUNT] / 1000, atol=1e-15)
    assert read_as.attrs["interrupted"] == f"other techniques ran before the records {COUNT + 1}"
    restored = save(tmp_path / "b.mpt", mpt(columns | {"<I>/mA": RECORDS["<I>/mA"]}))  # as the remedy says
    np.testing.assert_allclose(restored.current, RECORDS["<I>/mA"] / 1000, rtol=1e-15)


def test_a_repeated_time_has_the_current_before_it(tmp_path):
    columns = {name: np.insert(column, 7, column[6]) for name, column in without("<I>/mA").items()}
    columns["dq/mA.h"][7] = 0
    read_as = save(tmp_path / "a.mpt", mpt(columns))
    np.testing.assert_allclose(read_as.current, np.insert(RECORDS["<I>/mA"], 7, 0.2) / 1000, atol=1e-15)


def test_without_a_cycle_number_two_half_cycles_are_one_cycle(tmp_path):
    read_as = save(tmp_path / "a.mpt", mpt(without("cycle number")))
    np.testing.assert_array_equal(read_as.cycle, np.repeat([0, 1], COUNT))
    assert read_as.cycle.attrs["derived"] == "half cycle divided by two"


def test_open_circuit_has_no_current(tmp_path):
    columns = {"mode": np.full(TIMES.size, 3), "time/s": TIMES, "Ewe/V": RECORDS["Ewe/V"]}
    for table in (columns, {name: columns[name] for name in ("time/s", "Ewe/V")}):
        read_as = save(tmp_path / "a.mpt", mpt(table, "Open Circuit Voltage"))
        np.testing.assert_array_equal(read_as.current, np.zeros(TIMES.size))
        assert read_as.current.attrs["derived"] == "zero at open circuit"
    without_mode = {name: columns[name] for name in ("time/s", "Ewe/V")}
    assert "no column of the current" in refused(tmp_path / "a.mpt", mpt(without_mode)).reason


@pytest.mark.parametrize("title", ["Chronopotentiometry", "Constant Current", ""])
def test_other_techniques_of_ec_lab_are_cycling(tmp_path, title):
    """CH Instruments has a technique of the first name too."""
    read_as = save(tmp_path / "a.mpt", mpt(RECORDS, title))
    np.testing.assert_array_equal(read_as.time, TIMES)
    assert read_as.attrs.get("ec_lab_technique", "") == title and read_as.attrs["format"] == "ec-lab-mpt"


def test_dates_as_time(tmp_path):
    """EC-Lab writes month, day and year where the time is exported as absolute."""
    lines = mpt(RECORDS).split("\r\n")
    first = next(at for at, line in enumerate(lines) if line.startswith("mode")) + 1
    place = list(RECORDS).index("time/s")
    start = np.datetime64("2024-01-31T23:59:40.5")
    for at, line in enumerate(lines[first:], start=first):
        cells = line.split("\t")
        moment = (start + np.timedelta64(int(1e3 * TIMES[at - first]), "ms")).item()
        cells[place] = f"{moment:%m/%d/%Y %H:%M:%S.%f}"
        lines[at] = "\t".join(cells)
    read_as = save(tmp_path / "a.mpt", "\r\n".join(lines))
    np.testing.assert_allclose(read_as.time, TIMES - TIMES[0], atol=1e-9)
    assert read_as.attrs["start"] == "2024-01-31T23:59:50.500"
    error = refused(tmp_path / "a.mpt", "\r\n".join(lines).replace("02/01/2024", "13/01/2024"))
    assert "neither seconds nor a date" in error.reason


def test_a_file_of_cycling_and_impedance_needs_the_technique(tmp_path):
    columns = modulo_bat()
    error = refused(tmp_path / "a.mpt", mpt(columns, "Modulo Bat"))
    assert error.reason == "Modulo Bat holds 32 records of impedance and 10 of current and voltage"
    assert "technique='eis'" in error.remedy and "manifest.csv" in error.remedy and "'cycling'" in error.remedy
    cycling = read(tmp_path / "a.mpt", technique="cycling")
    np.testing.assert_array_equal(cycling.time, columns["time/s"][columns["freq/Hz"] == 0])
    np.testing.assert_array_equal(cycling.voltage, np.full(10, 3.7))
    assert cycling.attrs["unread"].startswith("mode, freq/Hz") and "32 records of impedance" in cycling.attrs["unread"]
    spectrum = read(tmp_path / "a.mpt", technique="eis")
    np.testing.assert_array_equal(spectrum.sweep, np.repeat([1, 2], 16))
    np.testing.assert_allclose(spectrum.impedance.real, columns["Re(Z)/Ohm"][columns["freq/Hz"] > 0], rtol=1e-7)
    assert "10 records without impedance" in spectrum.attrs["unread"]


def test_a_modulo_bat_without_impedance_is_cycling(tmp_path):
    columns = {name: column[:5] for name, column in modulo_bat().items()}
    assert save(tmp_path / "a.mpt", mpt(columns, "Modulo Bat")).attrs["technique"] == "cycling"


def chronoamperometry() -> dict[str, np.ndarray]:
    current = 0.01 + 0.02 * np.exp(-TIMES / 100)
    size = TIMES.size
    return {"mode": np.full(size, 2), "time/s": TIMES, "control/V": np.full(size, 0.5), "Ewe/V": np.full(size, 0.5)} | {
        "I/mA": current
    }


def test_chronoamperometry_is_cycling_or_a_transient_as_stated(tmp_path):
    title = "Chronoamperometry / Chronocoulometry"
    assert save(tmp_path / "a.mpt", mpt(chronoamperometry(), title)).attrs["technique"] == "cycling"
    transient = read(tmp_path / "a.mpt", technique="dc")
    np.testing.assert_allclose(transient.current, chronoamperometry()["I/mA"] / 1000, rtol=1e-7)
    np.testing.assert_array_equal(transient.time, TIMES)
    assert transient.attrs["applied_voltage"] == 0.5 and transient.attrs["technique"] == "dc"
    assert transient.attrs["current_sign"] == "oxidation of the working electrode"


@pytest.mark.parametrize(
    ("name", "value", "reason"), [("control/V", 0.6, "the voltage is 0.6 V here"), ("mode", 3, "not")]
)
def test_a_transient_at_more_than_one_voltage_is_refused(tmp_path, name, value, reason):
    columns = chronoamperometry()
    columns[name] = columns[name].astype(float)
    columns[name][20:] = value
    save(tmp_path / "a.mpt", mpt(columns, ""))
    with pytest.raises(ReadError, match=reason) as caught:
        read(tmp_path / "a.mpt", technique="dc")
    assert caught.value.line == 5 + 20 and "technique='cycling'" in caught.value.remedy


@pytest.mark.parametrize("title", ["Cyclic Voltammetry", "Linear Sweep Voltammetry", "Cyclic Voltammetry Advanced"])
def test_voltammetry_is_refused_by_name_unless_cycling_is_stated(tmp_path, title):
    error = refused(tmp_path / "a.mpt", mpt(RECORDS, title))
    assert f"EC-Lab {title}" in error.reason and "technique='cycling'" in error.remedy
    np.testing.assert_array_equal(read(tmp_path / "a.mpt", technique="cycling").time, TIMES)


def test_more_names_than_columns(tmp_path):
    """EC-Lab does so where columns of derived quantities were selected; five columns show that they are in place."""
    columns = {
        name: column[column != 0] for name, column in modulo_bat().items() if name.endswith(("Ohm", "Hz", "deg"))
    }
    columns |= {"time/s": np.arange(32.0), "<Ewe>/V": np.full(32, 3.7)}
    lines = mpt(columns, "Potentio Electrochemical Impedance Spectroscopy").split("\r\n")
    at = next(number for number, line in enumerate(lines) if line.startswith("freq/Hz"))
    lines[at] = lines[at].rstrip("\t") + "\tRe(Y)/Ohm-1\t\tEwe-Ece/V\t"
    read_as = save(tmp_path / "a.mpt", "\r\n".join(lines))
    np.testing.assert_allclose(read_as.frequency, columns["freq/Hz"], rtol=1e-7)
    assert "EC-Lab wrote 10 names over 7 columns" in read_as.attrs["unread"] and "time" not in read_as
    cells = lines[at].split("\t")
    lines[at] = "\t".join(["cycle number", *cells])  # names before those of the spectrum: which column is which?
    error = refused(tmp_path / "a.mpt", "\r\n".join(lines))
    assert "11 names over 7 columns" in error.reason and "select only freq/Hz" in error.remedy


def test_more_names_than_columns_of_cycling(tmp_path):
    text = mpt(RECORDS).replace("\t<I>/mA\t", "\tP/W\t<I>/mA\t")
    error = refused(tmp_path / "a.mpt", text)
    assert "12 names over 11 columns" in error.reason and "select fewer columns" in error.remedy


@pytest.mark.parametrize(
    ("start", "kind"), [("EC-Lab LOG FILE", ".mpl"), ("BT-Lab LOG FILE", ".mpl"), ("EC-LAB SETTING FILE", ".mps")]
)
def test_files_that_accompany_a_recording_are_refused_by_name(tmp_path, start, kind):
    error = refused(tmp_path / "a.txt", f"{start}\r\n\r\nModulo Bat\r\n")
    assert kind in error.reason and ".mpr" in error.remedy


WHOLE = mpt(RECORDS)
FIRST = len(WHOLE.split("\r\n")) - TIMES.size + 1  # line of the first record


@pytest.mark.parametrize(
    ("damaged", "line", "reason"),
    [
        (WHOLE.replace("Ewe/V", "Ece/V"), FIRST - 1, f"EC-Lab {GCPL} with no column of voltage"),
        (WHOLE.replace("time/s", "step time/s"), FIRST - 1, "no column of time"),
        (
            WHOLE.replace("<I>/mA", "<I>/furlong").replace("dq/mA.h", "x").replace("(Q-Qo)/mA.h", "y"),
            FIRST - 1,
            "no column",
        ),
        (WHOLE.replace("<I>/mA\t", "Ewe/V\t"), FIRST - 1, "two columns are named Ewe/V"),
        (WHOLE.replace("<I>/mA\t", "Ewe/mV\t"), FIRST - 1, "the columns Ewe/V and Ewe/mV hold the same quantity"),
        (WHOLE.replace("7.000000000000000E+001", "1.000000000000000E+000", 1), FIRST + 2, "the test time decreases"),
        (WHOLE.replace("1.000000000000000E+001", "1.000000000000000E+O01", 1), FIRST, "not a number"),
        (WHOLE.replace("7.000000000000000E+001", "nan", 1), FIRST + 2, "time/s is 'nan', not a number"),
        (
            WHOLE.replace("7.000000000000000E+001", "7.00000000000000E+001", 1),
            FIRST + 2,
            "not a number like",
        ),
        (WHOLE.replace("\r\n3\t", "\r\n\r\n3\t", 2), FIRST, "an empty line between the records"),
        (WHOLE.replace("\t", ";"), FIRST - 1, "does not name columns separated by tabs"),
        (WHOLE + "\r\n1\t0\t1", FIRST + TIMES.size, "cut off, or not a row: 3 fields, other rows have 11"),
    ],
)
def test_damaged_cycling_of_ec_lab(tmp_path, damaged, line, reason):
    error = refused(tmp_path / "a.mpt", damaged.encode("latin-1"))
    assert reason in error.reason and error.line == line


def test_every_truncation_is_refused_or_gives_the_same_values(tmp_path):
    whole = saved(tmp_path / "whole.mpt", WHOLE.encode())
    for size in range(len(WHOLE) - 900, len(WHOLE)):
        try:
            cut = save(tmp_path / "a.mpt", WHOLE[:size])
        except ReadError:
            continue
        for name in ("time", "voltage", "current", "cycle", "step"):
            np.testing.assert_array_equal(cut[name], whole[name][: cut.sizes["record"]], err_msg=f"{size}, {name}")
