"""Damaged and foreign files: each is refused with the file, the true line and a mend; none is read wrong in silence."""

import io
import pickle
import zipfile

import numpy as np
import pytest
import xlsxwriter

from coldbond.files import ReadError, read
from cycler_files import BDF_HEADER, LAND_HEADER, LANDT_HEADER, RECORDS, bdf_csv, land_csv, land_rows, landt_csv

FIRST_ROW = 8  # line of the first record in landt_csv()


def refused(path, data: bytes | str) -> ReadError:
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    with pytest.raises(ReadError) as caught:
        read(path)
    error = caught.value
    assert error.path == path and error.reason and error.remedy
    assert "\n" not in str(error) and str(error).startswith(path.name) and "Remedy: " in str(error)
    return error


def replaced(text: str, line: int, old: str, new: str) -> str:
    lines = text.split("\n")
    assert old in lines[line - 1]
    lines[line - 1] = lines[line - 1].replace(old, new, 1)
    return "\n".join(lines)


LANDT_DAMAGE = {
    "text in a number": (replaced(landt_csv(), 12, "0.0657", "0.06S7"), 12, "voltage_V is '0.06S7', not a number"),
    "decimal comma": (
        landt_csv().replace(",", ";").replace("0.020", "0,020", 1),
        8,
        "current_A is '0.000000', in a file with decimal commas",
    ),
    "not finite": (replaced(landt_csv(), 12, "0.0657", "nan"), 12, "voltage_V is 'nan', not a finite number"),
    "infinite": (replaced(landt_csv(), 12, "0.000312", "1e999"), 12, "current_A is 'inf', not a finite number"),
    "empty": (replaced(landt_csv(), 12, "0.0657", ""), 12, "voltage_V is empty"),
    "dash": (replaced(landt_csv(), 10, "0.000312", "-"), 10, "current_A is empty"),
    "half a cycle": (replaced(landt_csv(), 9, "2,1,1", "2,1.5,1"), 9, "cycle_index is '1.5', not a whole number"),
    "huge step": (replaced(landt_csv(), 9, "2,1,1", "2,1,1e300"), 9, "step_index is '1e+300', not a whole number"),
    "text in a counter": (replaced(landt_csv(), 12, "0.000624", "full"), 12, "charge_capacity_Ah is 'full'"),
    "test time decreases": (replaced(landt_csv(), 14, "14410.250", "10.250"), 14, "from 7210.125 s to 10.25 s"),
    "row too short": (replaced(landt_csv(), 12, "0.0657,", ""), 12, "17 fields where most rows have 18"),
    "row too long": (replaced(landt_csv(), 12, "0.0657", "0.0657,1"), 12, "19 fields where most rows have 18"),
    "separator in quotes": (replaced(landt_csv(), 12, "0.0657", '"0,0657"'), 12, "19 fields where most rows have 18"),
    "blank row": (replaced(landt_csv(), 12, "\n".join(landt_csv().split("\n")[11:12]), ""), 12, "1 fields where"),
    "cut off": (landt_csv()[:-30], 16, "cut off: "),
    "more fields than names": (landt_csv().replace(",\n", ",7\n"), 8, "more fields than the 17 column names"),
    "more names than fields": (landt_csv().replace("step_name", "step_name,a,b"), 8, "18 fields under 19 column names"),
    "no unit": (landt_csv().replace("current_A", "current"), 7, "column 7 (current) has no unit"),
    "empty unit": (landt_csv().replace("voltage_V", "voltage_"), 7, "column 8 (voltage_) has no unit"),
    "no unit of a counter": (landt_csv().replace("charge_capacity_Ah", "charge_capacity"), 7, "has no unit"),
    "no unit of the time": (landt_csv().replace("test_time_s", "test_time"), 8, "column 5 (test_time) has no unit"),
    "unknown unit": (landt_csv().replace("current_A", "current_mW"), 7, "has the unknown unit 'mW'"),
    "no current": (landt_csv().replace("current_A", "flow_A"), 7, "names no column for current"),
    "current twice": (landt_csv().replace("Pressure_Psi", "current_mA"), 7, "column 7 (current_A) and column 13"),
    "header alone": (LANDT_HEADER + "\n", 1, "no rows"),
    "header and blank lines": (LANDT_HEADER + "\n\n \r\n", 1, "no rows"),
    "undecodable": (landt_csv().encode().replace(b"K7", b"\xff\xff\x20"), 2, "not text in utf-8 or gb18030"),
    "NUL": (landt_csv().encode() + b"17,\0,", 17, "NUL"),
}


@pytest.mark.parametrize("damage", LANDT_DAMAGE)
def test_landt_csv_damaged(tmp_path, damage):
    text, line, reason = LANDT_DAMAGE[damage]
    error = refused(tmp_path / "landt.csv", text)
    assert reason in error.reason
    assert error.line == line
    assert f"line {line}: " in str(error)


@pytest.mark.parametrize("row", [0, 12345, 29999])
def test_the_line_is_true_deep_in_a_long_file(tmp_path, row):
    """Two megabytes: more than one chunk of the count of fields, and more than the rows sampled for decimals."""
    rows = [f"{n}.5,3.1415926,-0.000125,{'x' * 40},7\n" for n in range(30000)]
    header = "test_time_second,voltage_volt,current_ampere,note,cycle_count\n"
    for old, new, reason in ((",7", "", "4 fields"), (",7", ",7,7", "6 fields"), ("3.14", "3.l4", "'3.l415926'")):
        damaged = [*rows[:row], rows[row].replace(old, new), *rows[row + 1 :]]
        error = refused(tmp_path / "a.csv", "".join([header, *damaged]))
        assert reason in error.reason
        assert error.line == row + 2


LAND_DAMAGE = {
    "text in a number": (replaced(land_csv(), 14, "0.0657", "O.0657"), 14, "Voltage/V is 'O.0657'"),
    "duration": (replaced(land_csv(), 14, "02:00:10.125", "02:60:10.125"), 14, "not a duration h:mm:ss"),
    "duration of two parts": (replaced(land_csv(), 14, "02:00:10.125", "00:10"), 14, "not a duration h:mm:ss"),
    "test time decreases": (replaced(land_csv(), 18, "1-02", "02"), 18, "from 14410.25 s to 7210.5 s"),
    "cut off": (land_csv()[:-20], 18, "cut off: "),
    "cut off in its last field": (land_csv()[:-3], 18, "no line break"),
    "two headers that differ": (
        land_csv([*land_rows()[:4], LAND_HEADER.replace("Current/mA", "Current/uA"), *land_rows()[4:]]),
        15,
        "other columns than the first",
    ),
    "records without a current": (
        land_csv(header=LAND_HEADER.replace("Current/mA", "Flow/mA")),
        9,
        "no column for current",
    ),
    "no records in the table": (LAND_HEADER + "\nCycle,CapC/mAh\n1,0.5\n", 1, "no rows"),
    "no sign, no state": (
        land_csv(land_rows(unsigned=True), LAND_HEADER.replace("StepStatus", "Note")),
        12,
        "no column of step states tells charge from discharge",
    ),
    "no sign, unknown state": (
        land_csv(land_rows(unsigned=True, charge="CC", discharge="CC")),
        12,
        "the step state 'CC' does not tell",
    ),
    "no sign, one state unknown": (land_csv(land_rows(unsigned=True, charge="CC")), 12, "the step state 'CC' does not"),
    "sign against the state": (
        land_csv(land_rows(charge="CCD", discharge="CCC")),
        15,
        "negative in a charging step",
    ),
}


@pytest.mark.parametrize("damage", LAND_DAMAGE)
def test_land_csv_damaged(tmp_path, damage):
    text, line, reason = LAND_DAMAGE[damage]
    error = refused(tmp_path / "land.csv", text)
    assert reason in error.reason
    assert error.line == line


def test_land_csv_without_records(tmp_path):
    error = refused(tmp_path / "land.csv", "Cycle,CapC/mAh\n1,0.5\nStep,CycleNo\n1,1\n")
    assert error.reason == "no table of records, only table Cycle, table Step"


@pytest.mark.parametrize(
    ("encoding", "mark"), [("gb18030", b""), ("utf-16-le", b"\xff\xfe"), ("utf-8", b"\xef\xbb\xbf")]
)
def test_bytes_of_no_text_are_found_in_any_encoding(tmp_path, encoding, mark):
    lines = land_csv(land_rows(rest="静置弊")).split("\n")  # 弊 has the byte of a line break in utf-16
    before, after = ("\n".join(part).encode(encoding) for part in (lines[:10], lines[10:]))
    broken = b"\x00\xd8" if encoding == "utf-16-le" else b"\xff"
    newline = "\n".encode(encoding)
    error = refused(tmp_path / "land.csv", mark + before + newline + broken + after)
    assert error.line == 11
    assert "not text in" in error.reason


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_its_mark_is_recognised(tmp_path, encoding):
    path = tmp_path / "a.csv"
    path.write_bytes(landt_csv().encode(encoding))
    recording = read(path)
    assert recording.attrs["encoding"] == "utf-16"
    path.write_text(landt_csv(), newline="")
    assert recording.equals(read(path))


@pytest.mark.parametrize("text", [landt_csv(), land_csv(), bdf_csv()], ids=["landt", "land", "bdf"])
def test_a_file_cut_anywhere_is_refused_or_gives_whole_rows(tmp_path, text):
    """Cut behind every byte. BDF's last column is not read, so a cut in it harms no value that is."""
    path = tmp_path / "whole.csv"
    path.write_text(text, newline="")
    whole = read(path)
    data, cut, read_rows = text.encode(), tmp_path / "cut.csv", set()
    for size in range(len(data) + 1):
        cut.write_bytes(data[:size])
        try:
            recording = read(cut)
        except ReadError:
            continue
        rows = recording.sizes["record"]
        read_rows.add(rows)
        last = data[:size].rstrip(b"\r\n").rsplit(b"\n", 1)[-1]
        assert last.count(b",") == data.splitlines()[-1].count(b",")
        for name in whole.data_vars:
            np.testing.assert_array_equal(recording[name], whole[name][:rows], err_msg=f"{name}, cut at byte {size}")
    assert read_rows == set(range(1, len(RECORDS) + 1))


@pytest.mark.parametrize("data", [b"", b"\n", b" \r\n\t\n" * 9])
def test_empty_file(tmp_path, data):
    assert "empty" in refused(tmp_path / "a.csv", data).reason


def archive(*members: str) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as file:
        for member in members:
            file.writestr(member, "x")
    return data.getvalue()


FOREIGN = {
    "zip archive": archive("notes.txt"),
    "damaged zip": archive("root.xml")[:-5],
    "damaged workbook": archive("xl/workbook.xml"),
    "CIF without a powder pattern": b"data_x\n_cell_length_a 4.15\n",
    "'Cyclic Voltammetry' of CH Instruments": b"Feb. 2, 2020   1:02:03\nCyclic Voltammetry\nInstrument Model: CHI6\n",
    ".mpr": b"BIO-LOGIC MODULAR FILE\x1a\x00\x00",
    "no column of the current": b"EC-Lab ASCII FILE\nNb header lines : 4\n\ntime/s\tEwe/V\n1\t2\n",
    "no columns are named as Re(Z) and Im(Z) or as |Z| and phase": b"time/s,freq/Hz,|Z|/Ohm,I/A,Ewe/V\n1,2,3,4,5\n",
    "of current among time/s, Potential/V": b"time/s,Potential/V\n1,2\n",
    "old format": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "Workbook".encode("utf-16-le") + bytes(600),
    "without a header": b"0.00000,4.17607\n3.40000,3.46396\n",
    "no recording in a format": b"Dear reader,\nthis is a letter, not a recording.\n",
    "binary": bytes(range(256)),
}


@pytest.mark.parametrize("kind", FOREIGN)
def test_a_file_of_another_kind_is_refused_and_named(tmp_path, kind):
    assert kind in refused(tmp_path / "a.dat", FOREIGN[kind]).reason


def book(rows: list[list], name: str = "Record") -> bytes:
    data = io.BytesIO()
    with xlsxwriter.Workbook(data) as workbook:
        workbook.add_worksheet("Cycle").write_row(0, 0, ["Cycle", "CapC/mAh"])
        sheet = workbook.add_worksheet(name)
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
    return data.getvalue()


HEADER = ["Record", "TestTime/Sec", "Current/mA", "Voltage/V", "Step-State"]
ROWS = [[1, 0.0, 1.0, 0.1, "RateC"], [2, 10.0, 1.0, 0.1, "RateC"], [3, 20.0, -1.0, -0.1, "RateD"]]
WORKBOOK_DAMAGE = {
    "text": ([HEADER, *ROWS[:2], [3, 20.0, "one", 0.1, "RateC"]], 4, "Current/mA is 'one', not a number"),
    "empty": ([HEADER, ROWS[0], [2, 10.0, "", 0.1, "RateC"], ROWS[2]], 3, "Current/mA is empty"),
    "blank row": ([HEADER, ROWS[0], [], ROWS[2], []], 3, "TestTime/Sec is empty"),
    "clock": ([["a test"], [], HEADER, ROWS[1], ROWS[0]], 5, "the test time decreases from 10 s to 0 s"),
    "no rows": ([HEADER], 1, "no rows"),
    "no unit": ([["Record", "TestTime/Sec", "Current", "Voltage/V"], *ROWS], 1, "column 3 (Current) has no unit"),
    "side by side": ([["Cycle-1"], HEADER * 2, *(row * 2 for row in ROWS)], 2, "have the same name"),
    "no voltage": ([["Record", "TestTime/Sec", "Current/mA"], *ROWS], 1, "no column for voltage"),
    "nothing": ([], 1, "no column for time and voltage and current"),
    "unit of two lines": ([["TestTime/\nSec.", "Current/\nmW", "Voltage/V"], *ROWS], 1, "unknown unit 'mW'"),
    "date for a duration": ([["TestTime", *HEADER[2:]], ["1900-01-01 02:03:04", 1, 1, "R"]], 2, "not a duration"),
}


@pytest.mark.parametrize("damage", WORKBOOK_DAMAGE)
def test_workbook_damaged(tmp_path, damage):
    rows, row, reason = WORKBOOK_DAMAGE[damage]
    error = refused(tmp_path / "a.xlsx", book(rows))
    assert reason in error.reason
    assert (error.sheet, error.line) == ("Record", row)
    assert str(error).startswith(f"a.xlsx, sheet 'Record', row {row}: ")


def test_an_error_in_the_second_sheet_of_records_names_it(tmp_path):
    data = io.BytesIO()
    with xlsxwriter.Workbook(data) as workbook:
        for name, rows in (("Record", [HEADER, *ROWS]), ("Record(2)", [HEADER, *ROWS])):
            sheet = workbook.add_worksheet(name)
            for number, row in enumerate(rows):
                sheet.write_row(number, 0, row)
    error = refused(tmp_path / "a.xlsx", data.getvalue())
    assert "the test time decreases from 20 s to 0 s" in error.reason
    assert (error.sheet, error.line) == ("Record(2)", 2)


def test_a_workbook_of_something_else(tmp_path):
    error = refused(tmp_path / "a.xlsx", book([["Axis", "Energy", "Elements=", 200]], "O1s Scan"))
    assert "without a sheet of a cycler's records; its sheets: Cycle, O1s Scan" in error.reason


def test_a_workbook_cut_off(tmp_path):
    data = book([HEADER, *ROWS])
    for size in range(4, len(data), 97):
        refused(tmp_path / "a.xlsx", data[:size])


def test_a_missing_file_is_no_read_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "none.csv")


def test_the_error_survives_pickling_and_is_a_value_error():
    error = ReadError("folder/a.csv", 7, "a reason", "a remedy", "Record")
    copy = pickle.loads(pickle.dumps(error))
    assert isinstance(copy, ValueError)
    assert str(copy) == str(error) == "a.csv, sheet 'Record', row 7: a reason. Remedy: a remedy."
    assert vars(copy) == vars(error)
    assert str(ReadError("a.csv", None, "a reason", "a remedy")) == "a.csv: a reason. Remedy: a remedy."


def test_a_column_named_twice_is_told_from_two_names_of_one_quantity(tmp_path):
    error = refused(tmp_path / "a.csv", bdf_csv().replace("power_watt", "current_ampere"))
    assert error.line == 1 and "column 3 (current_ampere) and column 7 (current_ampere)" in error.reason
    (tmp_path / "b.csv").write_text(bdf_csv().replace(BDF_HEADER, BDF_HEADER.replace("power_watt", "step_index")))
    assert read(tmp_path / "b.csv").unread == "step_index"
