"""Cyclers' exports of known content, in every format, encoding, language, unit and style of duration."""

import datetime
import hashlib

import numpy as np
import pytest
import xarray as xr
import xlsxwriter

from coldbond.files import read
from cycler_files import (
    BDF_HEADER,
    LAND_HEADER,
    RECORDS,
    bdf_csv,
    duration,
    land_csv,
    land_rows,
    landt_csv,
    moment,
    variable,
)


def same(recording: xr.Dataset, *names: str, rtol: float = 1e-15, atol: float = 0.0) -> None:
    for name in ("time", "voltage", "current", *names):
        np.testing.assert_allclose(recording[name], variable(name), rtol, atol, err_msg=name)


def written(path, text: str, encoding: str = "utf-8"):
    path.write_bytes(text.encode(encoding))
    return path


def workbook(path, sheets: dict[str, list[list]], formats: dict[int, str] | None = None):
    """Write rows of cells to sheets; columns given a number format hold dates or durations."""
    with xlsxwriter.Workbook(path) as book:
        styles = {column: book.add_format({"num_format": style}) for column, style in (formats or {}).items()}
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for r, row in enumerate(rows):
                for c, cell in enumerate(row):
                    sheet.write(r, c, cell, styles.get(c) if r else None)
    return path


def landdt_rows(header: str, states: dict[str, str], hours: bool = True) -> list[list]:
    """Cells of a LANDdt sheet in the order of `header`: record, time, current, capacity, voltage, empty, ..."""
    return [
        header.split(","),
        *(
            [
                *(n, round(r.time / 3600, 7) if hours else r.time, r.current * 1e3, r.capacity * 1e3, r.voltage, "-"),
                *(moment(datetime.datetime(2022, 3, 7, 9, 30, 1), r), r.cycle, r.step, states[r.state]),
            ]
            for n, r in enumerate(RECORDS, start=1)
        ),
    ]


ENGLISH = "Record,TestTime/h,Current/mA,Capacity/mAh,Voltage/V,AuxTemp/dC.,SysTime,Cycle-Index,Step-Index,Step-State"
CHINESE = "记录序号,测试时间/Sec,电流/mA,容量/mAh,电压/V,温度/℃,系统时间,循环序号,步骤序号,工作模式"
RATES = {"rest": "R", "charge": "RateC", "discharge": "RateD"}
MODES = {"rest": "静置", "charge": "恒流充电", "discharge": "恒流放电"}


def test_landt_csv_with_a_comma_more_in_its_rows_than_in_its_header(tmp_path):
    path = written(tmp_path / "landt.csv", landt_csv())
    recording = read(path)
    same(recording, "charge_capacity", "discharge_capacity")
    assert recording.cycle.dtype == recording.step.dtype == np.int64
    np.testing.assert_array_equal(recording.cycle, variable("cycle"))
    np.testing.assert_array_equal(recording.step, variable("step"))
    assert recording.sizes == {"record": 9}
    unread = recording.attrs.pop("unread")
    assert unread.startswith("step_time_s, discharge_energy_Wh") and "test_time_s" not in unread
    assert recording.attrs == {
        "technique": "cycling",
        "format": "landt-csv",
        "start": "2024-04-30T14:33:19",
        "lost_records": 0,
        "header": "cell id: K7",
        "source": "landt.csv",
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
    }


def test_every_variable_says_what_it_is_and_how_finely_it_is_resolved(tmp_path):
    recording = read(written(tmp_path / "landt.csv", landt_csv()))
    told = {name: (v.attrs["units"], v.attrs["resolution"]) for name, v in recording.items()}
    assert told == {
        "time": ("s", 1e-3),
        "voltage": ("V", 1e-4),
        "current": ("A", 1e-6),
        "cycle": ("1", 1.0),
        "step": ("1", 1.0),
        "charge_capacity": ("Ah", 1e-6),
        "discharge_capacity": ("Ah", 1e-6),
    }
    assert all(v.attrs["long_name"] for v in recording.values())
    assert all(v.dtype == float for name, v in recording.items() if name not in ("cycle", "step"))
    assert recording.current.attrs["sign"] == "recorded"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16-le", "utf-16-be", "gb18030"])
def test_land_csv_reads_its_table_of_records_in_any_encoding(tmp_path, encoding):
    mark = "\ufeff" if encoding.startswith("utf-16") else ""
    text = mark + land_csv(land_rows(rest="静置", charge="恒流充电", discharge="恒流放电"))
    recording = read(written(tmp_path / "land.csv", text, encoding))
    same(recording, "capacity")
    np.testing.assert_array_equal(recording.step, variable("step"))
    assert recording.format == "land-csv"
    assert recording.start == "2023-01-05T09:05:01"
    assert recording.unread == "table Cycle, table Step"
    assert recording.time.resolution == 1e-3
    assert recording.current.resolution == 1e-6
    assert recording.capacity.resolution == 1e-6


def test_land_csv_whose_records_come_in_several_tables(tmp_path):
    rows = land_rows()
    lines = []
    for step, stretch in (("1", rows[:2]), ("2", rows[2:5]), ("3", rows[5:7]), ("4", rows[7:])):
        lines += ["Step,CycleNo,Mode", f"{step},1,R", LAND_HEADER, *stretch, ""]
    recording = read(written(tmp_path / "land.csv", "\n".join(lines)))
    same(recording, "capacity")
    assert recording.start == "2023-01-05T09:05:01"


def test_land_csv_in_chinese_separated_by_tabs(tmp_path):
    header = "记录,测试时间,电流/mA,电压/V,容量/mAh,系统时间,循环号,工步号,状态".replace(",", "\t")
    rows = [row.replace(",", "\t") for row in land_rows()]
    text = "\n".join(["循环\t充电容量/mAh", "1\t0.624", header, *rows, ""])
    same(read(written(tmp_path / "land.txt", text, "gb18030")), "capacity", "cycle", "step")


def test_a_table_without_record_numbers(tmp_path):
    rows = [f"{r.time:.3f},{r.current:.6f},{r.voltage:.4f}" for r in RECORDS]
    recording = read(written(tmp_path / "table.csv", "\n".join(["测试时间/Sec,电流/A,电压/V", *rows, ""]), "gb18030"))
    same(recording)
    assert recording.format == "land-csv"
    assert set(recording.data_vars) == {"time", "voltage", "current"}
    assert "start" not in recording.attrs and "lost_records" not in recording.attrs


def test_battery_data_format_with_machine_readable_names(tmp_path):
    recording = read(written(tmp_path / "a.bdf.csv", bdf_csv()))
    same(recording, "cycle", "step", "charge_capacity")
    assert recording.format == "bdf-csv"
    assert recording.unread == "power_watt"


def test_battery_data_format_with_labels_and_a_clock(tmp_path):
    labels = "Test Time / s,Voltage / mV,Current / A,Cycle Count / 1,Step Count / 1,Step Index / 1,Unix Time / s"
    rows = [
        f'"{r.time}",{r.voltage * 1e3:.1f},{r.current},{r.cycle},{r.step},{r.step % 2},{1700000000 + r.time}'
        for r in RECORDS
    ]
    recording = read(written(tmp_path / "a.bdf.csv", "\n".join([labels, *rows, ""])))
    same(recording, "cycle", "step")
    assert recording.format == "bdf-csv"
    assert recording.start == "2023-11-14T22:13:20.020000+00:00"
    assert recording.voltage.resolution == 1e-4
    assert recording.unread == "Step Index / 1"


@pytest.mark.parametrize("sheets", [["Record"], ["Cycle", "Record"], ["Cycle", "Record", "Record(2)"]])
def test_landdt_workbook(tmp_path, sheets):
    header, *rows = landdt_rows(ENGLISH, RATES)
    parts = {
        "Cycle": [["Cycle", "CapC/mAh"], [1, 0.6]],
        "Record": [header, *rows[:4]],
        "Record(2)": [header, *rows[4:]],
    }
    if "Record(2)" not in sheets:
        parts["Record"] = [header, *rows]
    recording = read(workbook(tmp_path / "a.xlsx", {name: parts[name] for name in sheets}, {6: "yyyy-mm-dd hh:mm:ss"}))
    same(recording, "capacity", "cycle", "step", rtol=1e-12, atol=2e-4)
    assert recording.format == "landdt-xlsx"
    assert recording.start == "2022-03-07T09:30:01"
    assert recording.current.resolution == recording.capacity.resolution == 1e-6
    assert recording.voltage.resolution == 1e-4
    assert recording.time.resolution == pytest.approx(3.6e-4)
    assert ("sheet Cycle" in recording.unread) == ("Cycle" in sheets)


def test_workbook_in_chinese_with_system_time_as_text(tmp_path):
    rows = landdt_rows(CHINESE, MODES, hours=False)
    for row in rows[1:]:
        row[6] = f"{row[6]:%Y-%m-%d %H:%M:%S}"
    recording = read(workbook(tmp_path / "a.xlsx", {"循环": [["循环序号"], [1]], "记录表": rows}))
    same(recording, "capacity", "cycle", "step")
    assert recording.start == "2022-03-07T09:30:01"
    assert recording.unread == "温度/℃, sheet 循环"


def test_lanhe_workbook_below_lines_about_the_test(tmp_path):
    header = ["Record", "SysTime", "Cycle", "Step", "TestTime", "Voltage/V", "Current/uA", "Capacity/uAh"]
    start = datetime.datetime(2022, 3, 7, 9, 30)
    rows = [
        [
            n,
            f"{moment(start, r)}.500",
            r.cycle,
            r.step,
            duration(r.time, " "),
            r.voltage,
            r.current * 1e6,
            r.capacity * 1e6,
        ]
        for n, r in enumerate(RECORDS, start=1)
    ]
    sheets = {"Test information": [["Test name"], ["K7"]], "Ch1_DefaultGroup": [["Channel", "1_2"], [], header, *rows]}
    recording = read(workbook(tmp_path / "a.xlsx", sheets))
    same(recording, "capacity", "cycle", "step")
    assert recording.format == "lanhe-xlsx"
    assert recording.start == "2022-03-07T09:30:00.500000"
    assert recording.current.resolution == 1e-6


def test_workbook_with_durations_as_spreadsheets_hold_them(tmp_path):
    header = ["TestTime", "Voltage/V", "Current/mA", "Step-State"]
    rows = [[datetime.timedelta(seconds=r.time), r.voltage, r.current * 1e3, RATES[r.state]] for r in RECORDS]
    recording = read(workbook(tmp_path / "a.xlsx", {"Sheet1": [header, *rows]}, {0: "[h]:mm:ss.000"}))
    same(recording, atol=2e-6)
    clock = [[datetime.time(1, 2, n), 0.1, 1.0, "RateC"] for n in range(3)]
    recording = read(workbook(tmp_path / "b.xlsx", {"Sheet1": [header, *clock]}, {0: "hh:mm:ss"}))
    np.testing.assert_array_equal(recording.time, [3720, 3721, 3722])


def test_workbook_of_fewer_digits_than_nine_bounds_the_resolution(tmp_path):
    rows = [[n, 1 / 3, 2e-7 * n, "R"] for n in range(3)]
    header = ["TestTime/Sec", "Voltage/V", "Current/mA", "Step-State"]
    recording = read(workbook(tmp_path / "a.xlsx", {"Sheet1": [header, *[[*row[:3], "RateC"] for row in rows]]}))
    assert recording.voltage.resolution == 1e-9
    assert recording.current.resolution == pytest.approx(1e-10)
    np.testing.assert_allclose(recording.current, [0, 2e-10, 4e-10])


def test_rows_that_show_nothing_may_end_a_sheet(tmp_path):
    with xlsxwriter.Workbook(tmp_path / "a.xlsx") as book:
        sheet = book.add_worksheet()
        for number, row in enumerate([["TestTime/Sec", "Voltage/V", "Current/A", "State"], [0, 3.1, 1, "RateC"]]):
            sheet.write_row(number, 0, row)
        for number in range(2, 5):
            sheet.write_formula(number, 0, '=" "', None, " ")
    assert read(tmp_path / "a.xlsx").sizes["record"] == 1


@pytest.mark.parametrize(
    ("unit", "factor"),
    [("A", 1), ("mA", 1e3), ("uA", 1e6), ("µA", 1e6), ("μA", 1e6), ("nA", 1e9)],
)
def test_units_of_the_current_come_from_the_header(tmp_path, unit, factor):
    rows = [f"{r.time},{r.current * factor:.6f},{r.voltage}" for r in RECORDS]
    text = "\n".join([f"test_time_s,current_{unit},voltage_V", *rows, ""])
    recording = read(written(tmp_path / "a.csv", text))
    np.testing.assert_allclose(recording.current, variable("current"), rtol=1e-12)
    assert recording.current.resolution == pytest.approx(1e-6 / factor)


@pytest.mark.parametrize(
    ("header", "factor"),
    [
        ("TestTime/Sec", 1),
        ("TestTime/Sec.", 1),
        ("TestTime(s)", 1),
        ("测试时间（秒）", 1),
        ("Test Time / ms", 1e-3),
        ("TestTime/min", 60),
        ("TestTime/h", 3600),
        ("TestTime[d]", 86400),
    ],
)
def test_units_of_the_time_come_from_the_header(tmp_path, header, factor):
    rows = [f"{n},{n / 10},{n / 100},CCC" for n in range(1, 4)]
    recording = read(written(tmp_path / "a.csv", "\n".join([f"{header},Voltage(mV),电流(mA),State", *rows, ""])))
    np.testing.assert_allclose(recording.time, np.arange(1, 4) * factor)
    np.testing.assert_allclose(recording.voltage, [1e-4, 2e-4, 3e-4])
    assert recording.time.resolution == factor
    assert recording.voltage.resolution == 1e-4


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0:00:01", 1.0),
        ("26:03:04.5", 93784.5),
        ("1-02:03:04", 93784.0),
        ("1.02:03:04", 93784.0),
        ("1d 02:03:04.25", 93784.25),
        ("1 days 02:03:04", 93784.0),
        ("1 02:03:04", 93784.0),
        ("1天02:03:04", 93784.0),
        (" 100-00:00:00.001 ", 8640000.001),
    ],
)
def test_durations(tmp_path, text, seconds):
    rows = ["1,0:00:00,0,0,R", f"2,{text},0,0,R", ""]
    recording = read(written(tmp_path / "a.csv", "\n".join(["Record,TestTime,Current/mA,Voltage/V,State", *rows])))
    np.testing.assert_array_equal(recording.time, [0, seconds])
    assert recording.time.resolution == 10.0 ** -len(text.strip().partition(":")[2].partition(".")[2])


def test_a_digit_that_shows_late_in_a_long_file_counts(tmp_path):
    header = "test_time_second,voltage_volt,current_ampere,cycle_count"
    rows = [f"{n},{3.5 if n != 2500 else 3.50125},{n / 1e4:.4f},1" for n in range(3000)]
    recording = read(written(tmp_path / "a.csv", "\n".join([header, *rows, ""])))
    resolution = {name: v.attrs["resolution"] for name, v in recording.items()}
    assert resolution == {"time": 1.0, "voltage": 1e-5, "current": 1e-4, "cycle": 1.0}


def test_a_number_in_scientific_notation_shows_its_last_digit(tmp_path):
    text = "test_time_second,voltage_volt,current_ampere\n0,1,-1.25E-05\n1,2e0,3e+2\n"
    recording = read(written(tmp_path / "a.csv", text))
    np.testing.assert_array_equal(recording.current, [-1.25e-5, 300])
    assert recording.current.resolution == 1e-7
    assert recording.voltage.resolution == 1.0


@pytest.mark.parametrize(
    ("charge", "discharge"),
    [
        ("CCC", "CCD"),
        ("C_CC", "D_CC"),
        ("RateC", "RateD"),
        ("CCCV_C", "CC_D"),
        ("CC_CHG", "CC_DCH"),
        ("charge CC", "discharge CC"),
        ("恒流充电", "恒流放电"),
        ("CC Chg", "CC DChg"),
    ],
)
def test_a_current_without_sign_takes_it_from_the_step_states(tmp_path, charge, discharge):
    text = land_csv(land_rows(unsigned=True, charge=charge, discharge=discharge))
    recording = read(written(tmp_path / "a.csv", text))
    same(recording)
    assert recording.current.attrs["sign"] == "step state"


def test_a_recording_that_only_charges_needs_no_negative_current(tmp_path):
    rows = land_rows()[:5]
    recording = read(written(tmp_path / "a.csv", land_csv(rows)))
    np.testing.assert_allclose(recording.current, variable("current")[:5])
    assert recording.current.attrs["sign"] == "recorded"


def test_states_are_asked_for_no_sign_where_the_current_has_it(tmp_path):
    rows = land_rows(charge="step seven", discharge="step eight")
    same(read(written(tmp_path / "a.csv", land_csv(rows))))


def capacities(reset: str) -> list[str]:
    """Three cycles of charge, rest, discharge, 1 mAh each, with a counter that resets as told."""
    lines, time, counter = [], 0, 0.0
    for cycle in (1, 2, 3):
        if reset == "cycle":
            counter = 0.0
        for step, (current, state) in enumerate([(1, "CCC"), (0, "R"), (-1, "CCD")], start=3 * cycle - 2):
            if reset == "step":
                counter = 0.0
            for _ in range(4):
                time += 900
                counter += abs(current) * 0.25
                lines.append(f"{time},{current},0.1,{counter:.4f},{cycle},{step},{state}")
    return lines


@pytest.mark.parametrize("reset", ["step", "cycle", "never"])
@pytest.mark.parametrize("steps", [True, False])
def test_when_the_counter_resets_is_found_in_the_records(tmp_path, reset, steps):
    header = "TestTime/Sec,Current/mA,Voltage/V,Capacity/mAh,CycleNo," + ("StepNo" if steps else "AuxVolt") + ",State"
    recording = read(written(tmp_path / "a.csv", "\n".join([header, *capacities(reset), ""])))
    assert recording.capacity.attrs["resets"] == reset
    assert ("step" in recording) == steps


@pytest.mark.parametrize(
    ("counter", "steps"),
    [
        pytest.param([0.1, 0.2, 0.3, 0.4, 0.5, 0.6], [1, 1, 1, 1, 1, 1], id="one step"),
        pytest.param([0, 0, 0, 0, 0.1, 0.2], [1, 1, 2, 2, 3, 3], id="no step ends with charge on it"),
        pytest.param([0.1, 0.2, 0.1, 0.2, 0.3, 0.4], [1, 1, 1, 2, 2, 2], id="falls within a step"),
        pytest.param([0.1, 0.2, 0.0, 0.1, 0.2, 0.3], [1, 1, 2, 2, 3, 3], id="now and then"),
    ],
)
def test_when_the_counter_resets_is_left_open_where_the_records_do_not_tell(tmp_path, counter, steps):
    rows = [f"{n / 10},1,0.1,{q:.4f},{s}" for n, (q, s) in enumerate(zip(counter, steps, strict=True))]
    header = "Test Time / h,Current / mA,Voltage / V,Step Capacity / mAh,Step Count / 1"
    recording = read(written(tmp_path / "a.csv", "\n".join([header, *rows, ""])))
    assert recording.capacity.attrs["resets"] == "undetermined"


def test_counters_of_both_directions_are_judged_together(tmp_path):
    """The counter of charge alone cannot tell a reset with the step from one with the cycle: it ends with both."""
    rows = [
        "0,1,0.1,1,1,0.0,0.0",
        "1,-1,0.1,1,2,0.0,0.5",
        "2,1,0.1,1,3,0.5,0.5",
        "3,-1,0.1,2,4,0.0,0.5",
        "4,1,0.1,2,5,0.5,0.5",
    ]
    header = "test_time_h,current_mA,voltage_V,cycle_index,step_index,charge_capacity_mAh,discharge_capacity_mAh"
    recording = read(written(tmp_path / "a.csv", "\n".join([header, *rows, ""])))
    assert recording.charge_capacity.attrs["resets"] == recording.discharge_capacity.attrs["resets"] == "undetermined"
    rows[3] = "3,-1,0.1,2,4,0.0,0.0"
    recording = read(written(tmp_path / "a.csv", "\n".join([header, *rows, ""])))
    assert recording.charge_capacity.attrs["resets"] == "cycle"


def test_a_capacity_channel_that_is_not_there_or_not_always(tmp_path):
    rows = [row.split(",") for row in land_rows()]
    for row in rows:
        row[4] = "-"
    recording = read(written(tmp_path / "a.csv", land_csv([",".join(row) for row in rows])))
    assert "capacity" not in recording and "Capacity/mAh" in recording.unread
    rows[4][4] = "0.624"
    recording = read(written(tmp_path / "a.csv", land_csv([",".join(row) for row in rows])))
    np.testing.assert_array_equal(recording.capacity, [np.nan] * 4 + [0.000624] + [np.nan] * 4)


def test_lost_records_are_counted_and_no_error(tmp_path):
    rows = land_rows()
    del rows[3:5]
    assert read(written(tmp_path / "a.csv", land_csv(rows))).lost_records == 2


def test_record_numbers_that_start_anew_count_nothing(tmp_path):
    rows = [f"{1 + n % 3}," + row.split(",", 1)[1] for n, row in enumerate(land_rows())]
    assert "lost_records" not in read(written(tmp_path / "a.csv", land_csv(rows))).attrs


@pytest.mark.parametrize(
    ("first", "last", "took", "start"),
    [
        ("04/30/2024 14:33:19", "04/30/2024 15:33:19", 3600, "2024-04-30T14:33:19"),
        ("30/04/2024 14:33:19", "30/04/2024 15:33:19", 3600, "2024-04-30T14:33:19"),
        ("04/05/2024 00:00:00", "04/06/2024 00:00:00", 86400, "2024-04-05T00:00:00"),
        ("04/05/2024 00:00:00", "05/05/2024 00:00:00", 86400, "2024-05-04T00:00:00"),
        ("04/05/2024 14:33:19", "04/05/2024 15:33:19", 3600, None),
        ("2023/1/5 9:05", "2023/1/5 10:05", 3600, "2023-01-05T09:05:00"),
        ("2023-01-05T09:05:06.5", "2023-01-05T09:05:06.5", 0, "2023-01-05T09:05:06.500000"),
        ("last Monday", "last Tuesday", 3600, None),
        ("2023-13-05 09:05:06", "2023-13-05 10:05:06", 3600, None),
    ],
)
def test_the_start_is_told_only_where_its_date_can_be_one_only(tmp_path, first, last, took, start):
    text = f"date_time_iso_string,test_time_s,current_A,voltage_V\n{first},0,0,1\n{last},{took},0,1\n"
    recording = read(written(tmp_path / "a.csv", text))
    assert recording.attrs.get("start") == start
    assert (recording.attrs.get("unread") == "date_time_iso_string") == (start is None)


def test_cells_padded_with_blanks_and_a_header_with_commas_at_its_end(tmp_path):
    rows = [f" {r.time:.3f} , {r.voltage:.4f}, {r.current:.6f} ,," for r in RECORDS]
    text = "\n".join(["test_time_second, voltage_volt, current_ampere,,,", *rows, "", "", ""])
    recording = read(written(tmp_path / "a.csv", text))
    same(recording)
    assert recording.current.resolution == 1e-6


def test_the_last_row_needs_no_line_break_where_its_last_field_is_not_read(tmp_path):
    same(read(written(tmp_path / "a.csv", landt_csv().rstrip("\n"))))
    same(read(written(tmp_path / "b.csv", bdf_csv().rstrip("\n"))))


def test_a_path_may_be_text(tmp_path):
    same(read(str(written(tmp_path / "a.csv", bdf_csv()))))
    assert BDF_HEADER.split(",")[0] == "test_time_second"
