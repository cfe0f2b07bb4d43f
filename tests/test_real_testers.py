"""Recordings from testers; the truth is taken from them by other means."""

import csv
from datetime import datetime

import numpy as np
import polars as pl
import pytest

import of_others
from coldbond.files import ReadError, read

FORMATS = "formats-electrochemistry"
NEWARE = "cycling-neware-fullcell-150/nw4-120-1-6-53"


def rows_of(name: str, header: int, delimiter: str = ",") -> list[dict[str, str]]:
    """Rows below the line `header`, counted from 1, as csv reads them."""
    lines = of_others.file(FORMATS, name).read_text("utf-8-sig", errors="replace").split("\n")
    return list(csv.DictReader(lines[header - 1 :], delimiter=delimiter))


def seconds(duration: str) -> float:
    hours, minutes, rest = duration.split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(rest)


PLAIN = {
    "sample_data_arbin.csv": (
        (1, ","),
        {
            "time": ("Test Time (s)", 1),
            "voltage": ("Voltage (V)", 1),
            "current": ("Current (A)", 1),
            "cycle": ("Cycle Index", 1),
            "step": ("Step Index", 1),
            "charge_capacity": ("Charge Capacity (Ah)", 1),
            "discharge_capacity": ("Discharge Capacity (Ah)", 1),
        },
    ),
    "sample_data_novonix.csv": (
        (21, ","),
        {
            "time": ("Run Time (h)", 3600),
            "voltage": ("Potential (V)", 1),
            "current": ("Current (A)", 1),
            "cycle": ("Cycle Number", 1),
            "step": ("Step Number", 1),
            "capacity": ("Capacity (Ah)", 1),
        },
    ),
    "sample_data_basytec.txt": (
        (13, "\t"),
        {
            "time": ("~Time[s]", 1),
            "voltage": ("U[V]", 1),
            "current": ("I[A]", 1),
            "cycle": ("Cyc-Count", 1),
            "step": ("Line", 1),
            "capacity": ("Ah-Step", 1),
        },
    ),
    "neware_uio_first4000.csv": (
        (1, ","),
        {
            "time": ("Cumulative Time", 0),
            "voltage": ("Voltage(V)", 1),
            "current": ("Current(A)", 1),
            "cycle": ("Cycle Index", 1),
            "step": ("Step Index", 1),
            "charge_capacity": ("Chg. Cap.(Ah)", 1),
            "discharge_capacity": ("DChg. Cap.(Ah)", 1),
        },
    ),
}


@pytest.mark.parametrize("name", PLAIN)
def test_every_record_of_a_text_export_is_in_its_place(name):
    (header, delimiter), columns = PLAIN[name]
    rows = rows_of(name, header, delimiter)
    recording = read(of_others.file(FORMATS, name))
    assert recording.sizes["record"] == len(rows)
    for variable, (column, scale) in columns.items():
        expected = [float(row[column]) * scale if scale else seconds(row[column]) for row in rows]
        np.testing.assert_allclose(recording[variable], expected, rtol=1e-14, err_msg=variable)


def test_neware_report_against_its_own_rows_of_steps():
    name = "neware_layered_first4000.csv"
    lines = of_others.file(FORMATS, name).read_text("utf-8").split("\n")
    rows = [line.split(",")[2:] for line in lines[3:] if line.startswith(",,")]
    recording = read(of_others.file(FORMATS, name))
    assert recording.sizes["record"] == len(rows) == 3954
    np.testing.assert_array_equal(recording.time, [seconds(row[2]) for row in rows])
    np.testing.assert_array_equal(recording.current, [float(row[3]) for row in rows])
    np.testing.assert_array_equal(recording.voltage, [float(row[4]) for row in rows])
    steps = [line.split(",") for line in lines[4:] if line.startswith(",") and line[1] not in ",\r"]
    for cells in steps[:-1]:  # the last was cut off
        own = recording.where(recording.step == int(cells[2]), drop=True)
        assert float(own.capacity.max()) == pytest.approx(float(cells[5]), abs=6e-6)
        sign = {"CC Chg": 1, "CC DChg": -1, "Rest": 0}[cells[3]]
        assert np.sign(float(own.current.mean())) == sign
    assert recording.cycle.to_numpy()[[0, -1]].tolist() == [1, 9]


def test_neware_binary_equals_the_vendors_own_export():
    binary, export = read(of_others.file(f"{NEWARE}.ndax")), pl.read_parquet(of_others.file(f"{NEWARE}.parquet"))
    assert binary.sizes["record"] == export.height == 18700
    columns = {
        "time": ("Total Time", 1, 0),
        "voltage": ("Voltage(mV)", 1e-3, 0.6e-4),  # the export rounds to 0.1 mV, 1 uA and 1e-4 mAs
        "current": ("Current(uA)", 1e-6, 0.6e-6),
        "cycle": ("Cycle Index", 1, 0),
        "step": ("Step Count", 1, 0),
        "capacity": ("Capacity(mAs)", 1 / 3.6e6, 3e-10),
    }
    for variable, (column, scale, rounding) in columns.items():
        expected = export[column].cast(float).to_numpy() * scale
        np.testing.assert_allclose(binary[variable], expected, rtol=1e-12, atol=rounding, err_msg=variable)
    started = datetime.fromisoformat(binary.attrs["start"])
    assert (started.minute, started.second) == (48, 21) and started.tzinfo is not None


def test_the_vendors_parquet_itself():
    recording, export = read(of_others.file(f"{NEWARE}.parquet")), pl.read_parquet(of_others.file(f"{NEWARE}.parquet"))
    np.testing.assert_array_equal(recording.time, export["Total Time"])
    np.testing.assert_allclose(recording.voltage * 1e3, export["Voltage(mV)"].cast(float), rtol=1e-7)
    np.testing.assert_allclose(recording.current * 1e6, export["Current(uA)"].cast(float), rtol=1e-7)
    assert recording.attrs["format"] == "neware-parquet"


def test_battery_data_format_as_parquet():
    path = of_others.file(FORMATS, "legacy.bdf.parquet")
    recording, frame = read(path), pl.read_parquet(path)
    np.testing.assert_array_equal(recording.time, frame["test_time_millisecond"].to_numpy() / 1000)
    np.testing.assert_array_equal(recording.voltage, frame["voltage_volt"])
    np.testing.assert_array_equal(recording.current, frame["current_ampere"])


@pytest.mark.parametrize(("name", "records"), [("test.nda", 439), ("test.ndax", 1464)])
def test_neware_binary_of_other_versions(tmp_path, name, records):
    recording = read(of_others.file(FORMATS, name))
    assert recording.sizes["record"] == records
    assert recording.attrs["format"] == "neware-binary"
    data = of_others.file(FORMATS, name).read_bytes()
    for size in [*range(7, len(data) - 1, len(data) // 12), len(data) - 1]:
        (tmp_path / name).write_bytes(data[:size])
        with pytest.raises(ReadError):
            read(tmp_path / name)


def test_maccor_export_is_cut_off_and_reads_up_to_there(tmp_path):
    lines = of_others.file(FORMATS, "maccor_two.txt").read_text().rstrip("\n").split("\n")
    with pytest.raises(ReadError, match="cut off") as caught:
        read(of_others.file(FORMATS, "maccor_two.txt"))
    assert caught.value.line == len(lines)
    (tmp_path / "a.txt").write_text("\n".join(lines[:-1]) + "\n")
    recording = read(tmp_path / "a.txt")
    rows = [line.replace(",", ".").split("\t") for line in lines[15:-1]]
    np.testing.assert_allclose(recording.time, [60 * float(row[4]) for row in rows])  # minutes, as its dates tell
    np.testing.assert_array_equal(recording.voltage, [float(row[9]) for row in rows])
    np.testing.assert_array_equal(recording.cycle, [int(row[2]) for row in rows])


REFUSED = {
    f"{FORMATS}/sample_data_maccor.csv": "has no unit in this Maccor export",
    "cycling-dlr-lnmo-pocv/DLR__LiLNMOHydra0b__20221125__POCV__25degC__Basytec.bdf.csv": "spans 147342 h",
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_would_be_read_wrongly_is_refused(name):
    with pytest.raises(ReadError, match=REFUSED[name]):
        read(of_others.file(name))


CASES = {
    "01_unsigned_current_no_state.csv": "this Maccor export has no sign",
    "04_bdf_time_ms_labelled_s.bdf.csv": "spans 3570000 s",
}
READ = {
    "03_bdf_step_index_is_record_counter.bdf.csv": lambda r: r.step.to_numpy()[::20].tolist() == [1, 2, 1, 2, 1, 2],
    "16_neware_cumulative_time.csv": lambda r: r.time.to_numpy()[:3].tolist() == [0, 60, 120],
    "18_neware_layered.csv": lambda r: float(r.current.max()) == 0.5 and int(r.step[-1]) == 3,
    "19_maccor.txt": lambda r: float(r.current[2]) == -0.50401,
    "20_maccor_state_C_D.csv": lambda r: r.current.to_numpy()[[0, 20]].tolist() == [1e-4, -1e-4],
    "25_latin1_micro.csv": lambda r: r.current.to_numpy()[[0, 59]].tolist() == [1e-4, -1e-4],
    "24_columns_of_eclab_csv.csv": lambda r: r.current.to_numpy()[[0, 59]].tolist() == [1e-4, -1e-4],
}


@pytest.mark.parametrize("name", [*CASES, *READ])
def test_the_cases_give_what_their_note_says(name):
    path = of_others.case("files-electrochemistry", name)
    if name in CASES:
        with pytest.raises(ReadError, match=CASES[name]):
            read(path)
    else:
        assert READ[name](read(path))


def test_battery_data_format_converted_from_the_binary_file():
    converted, binary = read(of_others.file(f"{NEWARE}.converted.bdf.csv")), read(of_others.file(f"{NEWARE}.ndax"))
    for name in ("time", "voltage", "current"):
        digit = max(float(recording[name].attrs["resolution"]) for recording in (converted, binary))
        np.testing.assert_allclose(converted[name], binary[name], rtol=1e-6, atol=digit)
