"""Binary files of EC-Lab: every value as stored, and each damage refused."""

import struct

import numpy as np
import pytest

from coldbond.files import ReadError, read
from ec_lab_files import BINARY, GCPL, TIMES, module, modulo_bat, mpr, mpt, peis_settings, records
from test_read_damage import refused

RECORDS = records()
VALUES = ("time", "voltage", "current", "cycle", "step")


def save(path, data: bytes, technique: str | None = None):
    path.write_bytes(data)
    return read(path, technique=technique)


@pytest.mark.parametrize("version", [2, 3, 11])
def test_cycling(tmp_path, version):
    """The file has no current: it is the mean between two records."""
    read_as = save(tmp_path / "a.mpr", mpr(RECORDS, version=version))
    np.testing.assert_array_equal(read_as.time, TIMES)
    np.testing.assert_allclose(read_as.voltage, RECORDS["Ewe/V"], rtol=5e-8)
    np.testing.assert_allclose(read_as.current, RECORDS["<I>/mA"] / 1000, atol=1e-15)
    np.testing.assert_array_equal(read_as.cycle, RECORDS["cycle number"])
    np.testing.assert_array_equal(read_as.step, RECORDS["Ns"])
    expected = {
        "technique": "cycling",
        "format": "ec-lab-mpr",
        "start": "2024-01-10T06:00:00.000",
        "ec_lab_technique": GCPL,
        "unread": "mode, ox/red, control/V/mA, (Q-Qo)/mA.h, half cycle",
    }
    assert {name: read_as.attrs.get(name) for name in expected} == expected
    assert read_as.current.attrs["derived"] == "mean current between two records, from dq/mA.h"


@pytest.mark.parametrize("version", [3, 11])
def test_binary_and_text_are_equal(tmp_path, version):
    columns = {name: column for name, column in RECORDS.items() if name != "<I>/mA"}
    columns["I/mA"] = RECORDS["<I>/mA"] + 0.0123456789
    binary = save(tmp_path / "a.mpr", mpr(columns, version=version))
    columns["I/mA"] = columns["I/mA"].astype(np.float32)
    text = save(tmp_path / "a.mpt", mpt(columns).encode("latin-1"))
    for name in VALUES:
        np.testing.assert_array_equal(binary[name], text[name], err_msg=name)
        assert binary[name].attrs["resolution"] == text[name].attrs["resolution"]


def test_a_file_of_cycling_and_impedance(tmp_path):
    columns = modulo_bat()
    error = refused(tmp_path / "a.mpr", mpr(columns, 0x7F))
    assert "Modulo Bat holds 32 records of impedance and 10 of current" in error.reason and error.sheet is None
    np.testing.assert_array_equal(read(tmp_path / "a.mpr", technique="cycling").voltage, np.full(10, 3.7))
    spectrum = read(tmp_path / "a.mpr", technique="eis")
    np.testing.assert_allclose(spectrum.impedance.imag, -columns["-Im(Z)/Ohm"][columns["freq/Hz"] > 0], rtol=1e-7)
    assert spectrum.impedance.attrs["significant_digits"] == 8 and spectrum.sweep.max() == 2


def spectrum(count: int = 16) -> dict[str, np.ndarray]:
    columns = modulo_bat()
    measured = np.flatnonzero(columns["freq/Hz"] > 0)[:count]
    return {name: column[measured] for name, column in columns.items()}


@pytest.mark.parametrize("version", [3, 11])
@pytest.mark.parametrize(("count", "unfinished"), [(16, None), (12, "ends at 21.5443 Hz, 1 Hz was set")])
def test_the_settings_of_a_spectrum(tmp_path, version, count, unfinished):
    settings = peis_settings(version == 11, 100.0, 1, 1000.0, 3, 7.1)
    read_as = save(tmp_path / "a.mpr", mpr(spectrum(count), 0x1D, version, settings=settings))
    expected = {"amplitude": 0.0071, "low_frequency": 1.0, "unfinished": unfinished}
    assert {name: read_as.attrs.get(name) for name in expected} == expected


@pytest.mark.parametrize("first", [90000.0, 0.0, np.nan])
def test_settings_that_do_not_fit_the_spectrum_are_not_taken(tmp_path, first):
    settings = peis_settings(False, first, 1, 1000.0, 3, 7.1)
    read_as = save(tmp_path / "a.mpr", mpr(spectrum(), 0x1D, settings=settings))
    assert not {"amplitude", "low_frequency", "unfinished"} & read_as.attrs.keys()


def test_the_flags_share_one_byte(tmp_path):
    """The mode is in the two lowest bits: in a transient all records are potentiostatic."""
    size = TIMES.size
    columns = {"mode": np.full(size, 2), "ox/red": np.ones(size), "time/s": TIMES, "control/V/mA": np.full(size, 0.5)}
    columns |= {"Ewe/V": np.full(size, 0.5), "I/mA": 0.01 + 0.01 * np.exp(-TIMES / 100)}
    transient = save(tmp_path / "a.mpr", mpr(columns, 0x18), "dc")
    np.testing.assert_allclose(transient.current, columns["I/mA"] / 1000, rtol=1e-7)
    assert transient.attrs["applied_voltage"] == 0.5


def test_an_unknown_column_is_refused_by_its_number(tmp_path):
    error = refused(tmp_path / "a.mpr", mpr(RECORDS, numbers=BINARY | {"dq/mA.h": (599, "<f8")}))
    assert error.reason == "column 599 of BioLogic's data module is unknown" and ".mpt" in error.remedy
    text = save(tmp_path / "a.mpt", mpt(RECORDS).encode("latin-1"))  # as the remedy says
    np.testing.assert_array_equal(text.time, TIMES)


@pytest.mark.parametrize(
    ("numbers", "read_as"), [(((498, "<f8"), (499, "<f8")), True), (((498, "<f4"), (499, "<f4")), False)]
)
def test_numbers_with_two_meanings_are_decided_by_the_length(tmp_path, numbers, read_as):
    columns = {name: RECORDS[name] for name in ("time/s", "Ewe/V", "dq/mA.h", "Ns")}
    passed = RECORDS["dq/mA.h"]
    columns |= {"Q charge/mA.h": np.cumsum(passed.clip(0)), "Q discharge/mA.h": np.cumsum((-passed).clip(0))}
    named = dict(zip(("Q charge/mA.h", "Q discharge/mA.h"), numbers, strict=True))
    recording = save(tmp_path / "a.mpr", mpr(columns, numbers=BINARY | named))
    np.testing.assert_allclose(recording.current, RECORDS["<I>/mA"] / 1000, atol=1e-15)
    assert ("charge_capacity" in recording) == read_as


def test_voltammetry_is_refused_by_name(tmp_path):
    assert "EC-Lab Cyclic Voltammetry" in refused(tmp_path / "a.mpr", mpr(RECORDS, 0x06)).reason


def test_other_modules_are_listed(tmp_path):
    read_as = save(tmp_path / "a.mpr", mpr(RECORDS, more=module("VMP loop", 0, bytes(8), new=False)))
    assert read_as.attrs["unread"].endswith("module VMP loop")


def test_a_start_far_from_the_date_of_the_settings_is_not_taken(tmp_path):
    data = mpr(RECORDS).replace(struct.pack("<d", 45301.25), struct.pack("<d", 44301.25))
    assert "start" not in save(tmp_path / "a.mpr", data).attrs


WHOLE = mpr(RECORDS)
DATA = WHOLE.index(b"MODULE", 60) + 57


def patched(at: int, value: bytes) -> bytes:
    return WHOLE[:at] + value + WHOLE[at + len(value) :]


@pytest.mark.parametrize(
    ("damaged", "reason"),
    [
        (patched(DATA, struct.pack("<I", TIMES.size + 1)), "are not 41 records"),
        (patched(DATA, struct.pack("<I", 0xFFFFFFFF)), "are not 4294967295 records"),
        (patched(DATA, struct.pack("<I", 0)), "a header, but no rows"),
        (patched(DATA + 4, bytes([9])), "are not 40 records"),
        (patched(DATA + 4, bytes([255])), "the data module has 255 columns"),
        (patched(DATA - 12, struct.pack("<I", 7)), "version 7 of BioLogic's data module"),
        (patched(DATA - 16, struct.pack("<I", 1 << 31)), "bytes are missing at the end"),
        (patched(DATA - 16, struct.pack("<I", 300)), "no module of a BioLogic .mpr file at byte"),
        (patched(DATA + 406 + 3, struct.pack("<d", np.nan)), "time/s is nan, not a finite number"),
        (patched(DATA + 406 + 3, struct.pack("<d", 1e9)), "the test time decreases"),
        (WHOLE + b"\0", "no module of a BioLogic .mpr file"),
        (WHOLE.replace(b"VMP data  ", b"VMP else  "), "no modules of data"),
        (mpr({name: RECORDS[name] for name in ("time/s", "Ewe/V")}), "no column of the current"),
        (mpr({name: RECORDS[name] for name in ("time/s", "dq/mA.h")}), "no column of voltage"),
    ],
)
def test_damaged(tmp_path, damaged, reason):
    assert reason in refused(tmp_path / "a.mpr", damaged).reason


@pytest.mark.parametrize("version", [3, 11])
def test_every_truncation_is_refused(tmp_path, version):
    data = mpr(RECORDS, version=version)
    ends = {data.index(b"MODULE", data.index(b"VMP data"))}  # without the log the file is whole
    for size in range(23, len(data), 7):
        if size not in ends:
            refused(tmp_path / "a.mpr", data[:size])
    no_log = save(tmp_path / "a.mpr", data[: ends.pop()])
    np.testing.assert_array_equal(no_log.time, TIMES)
    assert "start" not in no_log.attrs


def test_mutations_give_a_value_or_a_read_error(tmp_path):
    random = np.random.default_rng(5)
    for _ in range(300):
        data = bytearray(WHOLE)
        for at in random.integers(0, len(data), 3):
            data[at] = random.integers(0, 256)
        try:
            save(tmp_path / "a.mpr", bytes(data))
        except ReadError:
            continue
