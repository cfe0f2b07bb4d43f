"""Exports of known content of Maccor, Neware, Arbin, Novonix, Basytec and others: text, workbooks and Parquet."""

import numpy as np
import polars as pl
import pytest
import xarray as xr
import xlsxwriter

from coldbond.files import FORMATS, ReadError, read
from cycler_files import RECORDS, bdf_csv, land_csv, landt_csv, variable
from tester_files import (
    ARBIN,
    FILES,
    arbin_rows,
    maccor_csv,
    maccor_text,
    neware_report,
    neware_text,
)

TEXTS = {name: text for name, (text, *_) in FILES.items()}
TEXTS |= {"Landt": landt_csv(), "LAND": land_csv(), "Battery Data Format": bdf_csv()}


def same(recording: xr.Dataset, names: list[str], rtol: float = 1e-12, atol: float = 1e-15) -> None:
    for name in ("time", "voltage", "current", *names):
        np.testing.assert_allclose(recording[name], variable(name), rtol, atol, err_msg=name)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("name", FILES)
def test_every_record_is_in_its_place(tmp_path, name, encoding):
    text, kind, sign, names = FILES[name]
    if name == "Novonix" and encoding == "utf-16":
        pytest.skip("its long line fills the head of a file in utf-16")
    path = tmp_path / "unnamed"
    path.write_bytes(text.encode(encoding))
    recording = read(path)
    same(recording, names, atol=2e-6 if kind == "novonix-csv" else 1e-15)
    assert recording.attrs["format"] == kind
    assert recording.current.attrs["sign"] == sign
    assert recording.current.attrs["resolution"] == pytest.approx(1e-6)
    if kind in ("maccor-text", "arbin-csv", "novonix-csv", "neware-text", "neware-report"):
        assert recording.attrs["start"].startswith("2024-04-30T14:33:19")
        assert recording.attrs.get("lost_records", 0) == 0


@pytest.mark.parametrize("name", TEXTS)
def test_one_format_recognises_a_file(name):
    data = TEXTS[name].encode()
    assert len([form.name for form in FORMATS[:-1] if form.recognise(data)]) == 1


@pytest.mark.parametrize("name", [name for name in FILES if name != "Novonix"])
def test_a_file_cut_anywhere_is_refused_or_gives_whole_rows(tmp_path, name):
    path = tmp_path / "a.csv"
    data = TEXTS[name].encode()
    path.write_bytes(data)
    whole = read(path)
    for size in range(data.rindex(b"\n", 0, data.rindex(b"\n", 0, -2)), len(data)):
        path.write_bytes(data[:size])
        try:
            recording = read(path)
        except ReadError:
            continue
        rows = recording.sizes["record"]
        for variable_name in ("time", "voltage", "current"):
            np.testing.assert_array_equal(recording[variable_name], whole[variable_name][:rows], err_msg=f"byte {size}")


@pytest.mark.parametrize("scale", [1.0, 60.0, 3600.0])
@pytest.mark.parametrize("date", ["%d-%b-%y %I:%M:%S %p", "%d %B %Y %I:%M:%S %p", "%m/%d/%Y %H:%M:%S"])
def test_the_date_tells_the_unit_of_maccors_test_time(tmp_path, scale, date):
    path = tmp_path / "a.csv"
    path.write_text(maccor_csv(scale=scale, date=date))
    recording = read(path)
    np.testing.assert_allclose(recording.time, variable("time"), atol=2e-6 * scale)
    assert recording.time.attrs["resolution"] == pytest.approx(1e-6 * scale)
    path.write_text(maccor_csv(scale=scale, date="no date"))
    with pytest.raises(ReadError, match=r"\(TestTime\) has no unit"):
        read(path)


def test_a_maccor_export_without_sign_and_state_is_refused_and_its_advice_works(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text(maccor_text(state=False))
    with pytest.raises(ReadError, match="the current of this Maccor export has no sign, and no column of step states"):
        read(path)
    for advised in (maccor_text(), maccor_text(signed=True, state=False)):
        path.write_text(advised)
        same(read(path), [])


def test_a_single_letter_is_no_state_of_another_tester(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("time/s,voltage/V,current/A,state\n0,1,1,C\n1,1,1,D\n")
    with pytest.raises(ReadError, match="the step state 'C' does not tell charge from discharge"):
        read(path)


def test_a_report_whose_records_have_no_step_above_them(tmp_path):
    path = tmp_path / "a.csv"
    lines = neware_report().split("\n")
    path.write_text("\n".join([*lines[:3], *lines[4:]]))
    with pytest.raises(ReadError, match="without rows of its cycle and step") as caught:
        read(path)
    assert caught.value.line == 4


def test_a_row_of_a_step_that_was_cut_off(tmp_path):
    path = tmp_path / "a.csv"
    lines = neware_report().split("\n")
    at = next(number for number, line in enumerate(lines) if line.startswith(",") and number > 4 and line[1] != ",")
    lines[at] = lines[at].rsplit(",", 1)[0]
    path.write_text("\n".join(lines))
    with pytest.raises(ReadError, match="this row of a step has not 4 fields") as caught:
        read(path)
    assert caught.value.line == at + 1


def book(path, sheets: dict[str, list[list]]):
    with xlsxwriter.Workbook(path) as workbook:
        for name, rows in sheets.items():
            sheet = workbook.add_worksheet(name)
            for number, row in enumerate(rows):
                sheet.write_row(number, 0, row)
    return path


STATISTICS = [["Cycle_Index", "Test_Time(s)", "Current(A)", "Voltage(V)"], [1, 14410.25, 0, 0]]


def test_arbin_workbook_in_two_sheets(tmp_path):
    header, rows = ARBIN.split(","), arbin_rows()
    sheets = {
        "Info": [["TEST REPORT"]],
        "Channel_1-006": [header, *rows[:4]],
        "Channel_1-006_1": [header, *rows[4:]],
        "Statistics_1-006": STATISTICS,
    }
    recording = read(book(tmp_path / "a.xlsx", sheets))
    same(recording, ["cycle", "step", "charge_capacity", "discharge_capacity"])
    assert recording.attrs["format"] == "arbin-xlsx"
    assert "sheet Statistics_1-006" in recording.attrs["unread"]
    sheets["Channel_2-007"] = sheets.pop("Channel_1-006_1")
    with pytest.raises(ReadError, match="2 channels: Channel_1-006, Channel_2-007"):
        read(book(tmp_path / "b.xlsx", sheets))


def test_neware_workbook(tmp_path):
    rows = [line.split(",") for line in neware_text().split("\n")[:-1]]
    cells = [
        rows[0],
        *(
            [float(cell) if cell.replace(".", "").replace("-", "").isdigit() else cell for cell in row]
            for row in rows[1:]
        ),
    ]
    for row, line in zip(cells[1:], rows[1:], strict=True):
        row[4:6] = line[4:6]
        row[-1] = line[-1]
    sheets = {"unit": [["Channel"]], "cycle": [["Cycle Index"], [1]], "record": cells}
    recording = read(book(tmp_path / "a.xlsx", sheets))
    same(recording, ["cycle", "step", "capacity", "charge_capacity"])
    assert recording.attrs["format"] == "neware-xlsx"
    assert "sheet cycle" in recording.attrs["unread"]


def frame() -> pl.DataFrame:
    return pl.DataFrame(
        {
            "test_time_millisecond": [round(r.time * 1000) for r in RECORDS],
            "current_ampere": [r.current for r in RECORDS],
            "voltage_volt": pl.Series([r.voltage for r in RECORDS], dtype=pl.Float32),
            "cycle_dimensionless": [r.cycle for r in RECORDS],
            "date_time_millisecond": [1719933538046 + round(r.time * 1000) for r in RECORDS],
            "ambient_temperature_celsius": [25.0] * len(RECORDS),
        }
    )


def test_battery_data_format_as_parquet(tmp_path):
    frame().write_parquet(tmp_path / "a.bdf.parquet")
    recording = read(tmp_path / "a.bdf.parquet")
    same(recording, ["cycle"])
    assert recording.attrs["format"] == "bdf-parquet"
    assert recording.attrs["unread"] == "ambient_temperature_celsius"
    assert recording.voltage.attrs["resolution"] == 1e-4
    assert recording.attrs["start"].startswith("2024-07-02T15:18:58.066")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            lambda f: f.with_columns(pl.col("test_time_millisecond") * 60),
            "spans 5616628.8 s, and date_time_millisecond",
        ),
        (lambda f: f.drop("current_ampere"), "without columns for current"),
        (lambda f: f.with_columns(pl.lit("x").alias("current_ampere")), "current_ampere does not hold numbers"),
        (
            lambda f: f.with_columns(pl.col("voltage_volt").replace(pl.Series([-0.0671], dtype=pl.Float32), None)),
            "voltage_volt is empty",
        ),
        (lambda f: f.head(0), "of 0 records"),
        (lambda f: f.reverse(), "the test time decreases"),
    ],
)
def test_parquet_that_is_refused(tmp_path, change, reason):
    change(frame()).write_parquet(tmp_path / "a.parquet")
    with pytest.raises(ReadError, match=reason):
        read(tmp_path / "a.parquet")


def test_parquet_cut_off_anywhere_is_refused(tmp_path):
    frame().write_parquet(tmp_path / "a.parquet")
    data = (tmp_path / "a.parquet").read_bytes()
    for size in range(4, len(data), 37):
        (tmp_path / "b.parquet").write_bytes(data[:size])
        with pytest.raises(ReadError, match="Parquet file"):
            read(tmp_path / "b.parquet")
