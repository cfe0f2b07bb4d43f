"""The manifest as spreadsheet programs save it, and rows that are added to one."""

import datetime
import os
import zipfile
from pathlib import Path

import pytest
import xlsxwriter

from coldbond.bundle import manifest
from coldbond.bundle.manifest import ManifestError, rows

HEADER = ("file", "role", "sample", "state", "area_cm2")
A = ("a.csv", "ccd", "A", "new", "0.785")


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    for name in ("a.csv", "b.csv", "电池.csv"):
        (tmp_path / name).touch()
    return tmp_path


def text(raw: Path, content: str, encoding: str = "utf-8") -> Path:
    (raw / "manifest.csv").write_bytes(content.encode(encoding))
    return raw


def book(raw: Path, *lines: tuple, **sheets: list[tuple]) -> Path:
    with xlsxwriter.Workbook(raw / "manifest.xlsx", {"default_date_format": "yyyy-mm-dd"}) as workbook:
        for name, content in {"recordings": lines, **sheets}.items():
            sheet = workbook.add_worksheet(name)
            for number, line in enumerate(content):
                for place, cell in enumerate(line):
                    if cell is not None:
                        sheet.write(number, place, cell)
    return raw


def repacked(raw: Path, part: str, change) -> None:
    """Write the workbook anew with one of its parts changed."""
    path = raw / "manifest.xlsx"
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts[part] = change(parts[part])
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)


def short(row: dict[str, str]) -> tuple[str, ...]:
    return tuple(row[name] for name in HEADER)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("before", ["", "\ufeff", "\r\n", "sep={}\r\n"])
def test_the_separator_is_that_of_the_header(raw, separator, before):
    header = separator.join((*HEADER, '"a, b; c, d; e"'))
    lines = [header, separator.join((*A, "x"))]
    assert [short(row) for row in rows(text(raw, before.format(separator) + "\r\n".join(lines)))] == [A]


@pytest.mark.parametrize(("separator", "area"), [(";", "0.785"), ("\t", None), (",", None)])
def test_a_decimal_comma_is_one_where_semicolons_separate_and_a_problem_elsewhere(raw, separator, area):
    line = separator.join(("a.csv", "ccd", "A", "", '"0,785"'))
    text(raw, separator.join(HEADER) + "\n" + line)
    if area:
        assert rows(raw)[0]["area_cm2"] == area
    else:
        assert "line 2, column area_cm2: '0,785' is not a positive number" in manifest.problems(raw)[0]


def test_columns_without_name_and_content_are_not_there(raw):
    lines = [",".join((*HEADER, "", "")), ",".join((*A, "", "", "")), ",".join(A).replace("a.csv", "b.csv") + "2"]
    assert len(rows(text(raw, "\n".join(lines).replace(",ccd,A,new,0.7852", ",ccd,B,new,0.785")))) == 2
    with pytest.raises(ManifestError, match="line 2: 7 fields in 5 columns: put a text that contains ',' in double"):
        rows(text(raw, "\n".join([",".join((*HEADER, "", "")), ",".join((*A, "", "x"))])))


def test_cells_of_several_lines_count_as_one_row(raw):
    text(raw, 'file,role,"sample",state\n\na.csv,ccd,"A\n2",x\nlost.csv,ccd,B,x\n')
    assert manifest.load(raw).rows[0]["sample"] == "A 2"
    assert "line 5, column file" in manifest.problems(raw)[0]


def test_a_workbook_is_read_as_the_text_is(raw):
    lines = [(), HEADER, ("a.csv", "ccd", "A", None, 0.785), (), ("电池.csv", "CCD", 12, True, 1.1)]
    found = rows(book(raw, *lines, other=[("x",)]))
    assert [short(row) for row in found] == [
        ("a.csv", "ccd", "A", "", "0.785"),
        ("电池.csv", "ccd", "12", "TRUE", "1.1"),
    ]
    assert [manifest.label(row) for row in found] == ["A", "12, TRUE"]


def test_texts_of_a_workbook_may_be_rich_inline_or_have_a_phonetic_guide(raw):
    book(raw, HEADER, A, ("b.csv", "ccd", "B", "new", 1))
    rich = b"<si><r><t>A</t></r><r><rPr/><t>-1</t></r><rPh sb='0' eb='1'><t>spoken</t></rPh></si>"
    repacked(raw, "xl/sharedStrings.xml", lambda part: part.replace(b"<si><t>A</t></si>", rich))
    inline = b'<c r="C3" t="inlineStr"><is><t>B 2</t></is></c>'

    def replaced(part: bytes) -> bytes:
        start = part.index(b'<c r="C3"')
        end = part.index(b"</c>", start) + 4
        return part[:start] + inline + part[end:]

    repacked(raw, "xl/worksheets/sheet1.xml", replaced)
    assert [row["sample"] for row in rows(raw)] == ["A-1", "B 2"]


def test_a_date_an_error_and_a_formula_without_a_value_are_refused_with_their_cells(raw):
    date = datetime.date(2024, 3, 4)
    book(
        raw, (*HEADER, "measured on"), ("a.csv", "ccd", date, "x", 0.5, date), ("b.csv", "ccd", "B", "x", "=1/0", date)
    )
    sheet = "xl/worksheets/sheet1.xml"
    problems = manifest.problems(raw)
    assert f"{raw}/manifest.xlsx, row 2, column sample: C2 holds a date: give the cell the format Text" in problems[0]
    assert len(problems) == 2  # the other is the value 0 that xlsxwriter gives a formula
    repacked(raw, sheet, lambda part: part.replace(b"<f>1/0</f><v>0</v>", b"<f>1/0</f>"))
    assert "row 3, column area_cm2: E3 holds a formula without a value: open" in manifest.problems(raw)[1]
    error = b'<c r="E3" t="e"><f>1/0</f><v>#DIV/0!</v>'
    repacked(raw, sheet, lambda part: part.replace(b'<c r="E3"><f>1/0</f>', error))
    assert "row 3, column area_cm2: E3 holds the error #DIV/0!: correct it" in manifest.problems(raw)[1]


def test_only_formats_of_dates_make_a_number_a_date(raw):
    with xlsxwriter.Workbook(raw / "manifest.xlsx") as workbook:
        sheet = workbook.add_worksheet()
        sheet.write_row(0, 0, (*HEADER, "temperature_C"))
        formats = [workbook.add_format({"num_format": code}) for code in ('0.00 "mm dd"', "[Red]0.00", "[h]:mm")]
        for number, (name, one) in enumerate(zip("abc", formats, strict=True), 1):
            sheet.write_row(number, 0, (f"{name}.csv", "ccd", name, "x", 0.5))
            sheet.write(number, 5, 25, one)
            (raw / f"{name}.csv").touch()
    (problem,) = manifest.problems(raw)
    assert "row 4, column temperature_C: F4 holds a date" in problem


def test_merged_cells_are_refused(raw):
    with xlsxwriter.Workbook(raw / "manifest.xlsx") as workbook:
        sheet = workbook.add_worksheet()
        sheet.write_row(0, 0, HEADER)
        sheet.write_row(1, 0, A)
        sheet.merge_range("D2:D3", "new")
    assert manifest.problems(raw) == [
        f"{raw}/manifest.xlsx: the cells D2:D3 are merged: unmerge them, and fill each of them"
    ]


def test_the_text_and_the_workbook_at_once_are_an_error(raw):
    book(text(raw, "file,role,sample\n"), HEADER, A)
    (problem,) = manifest.problems(raw)
    assert "there is manifest.xlsx too: keep the one that you edit, and delete the other" in problem


@pytest.mark.parametrize(
    ("part", "change", "said"),
    [
        ("xl/workbook.xml", lambda part: part[:-40], "no workbook that can be read"),
        (
            "xl/worksheets/sheet1.xml",
            lambda part: b"<!DOCTYPE x []>" + part,
            "is not what a spreadsheet program writes",
        ),
        ("xl/worksheets/sheet1.xml", lambda part: b" " * (1 << 26) + b"  ", "larger than any table of recordings"),
        ("xl/worksheets/sheet1.xml", lambda part: part.replace(b'"A2"', b'"XFD2"'), "a cell out of place or beyond"),
        ("xl/worksheets/sheet1.xml", lambda part: part.replace(b"<v>0</v>", b"<v>99</v>"), "is damaged: save it again"),
        ("xl/workbook.xml", lambda part: part.replace(b"<sheet ", b"<leaf "), "without sheets"),
    ],
)
def test_a_damaged_or_hostile_workbook_is_refused_in_one_line(raw, part, change, said):
    book(raw, HEADER, A)
    repacked(raw, part, change)
    (problem,) = manifest.problems(raw)
    assert said in problem and "\n" not in problem


def test_a_part_that_unpacks_to_more_than_it_states_is_not_unpacked(raw):
    """A workbook of 260 kB whose sheet has 256 MB and states 1 kB."""
    book(raw, HEADER, A)
    repacked(raw, "xl/worksheets/sheet1.xml", lambda part: b" " * (1 << 26) * 4)
    path = raw / "manifest.xlsx"
    content = path.read_bytes()
    path.write_bytes(content.replace((1 << 28).to_bytes(4, "little"), (1000).to_bytes(4, "little")))
    assert path.stat().st_size < 1 << 19
    (problem,) = manifest.problems(raw)
    assert "no workbook that can be read" in problem


def test_what_is_no_archive_is_no_workbook(raw):
    (raw / "manifest.xlsx").write_bytes(b"file,role,sample\n")
    assert "no workbook that can be read (File is not a zip file)" in manifest.problems(raw)[0]


def test_ten_thousand_rows_of_a_workbook(raw):
    """Counted in steps of the interpreter would be better; the bound is four times what it takes."""
    book(raw, HEADER, *(("a.csv", "ccd", f"cell {number}", "new", 0.785) for number in range(10_000)))
    assert len(manifest.load(raw).listed) == 10_000


def new(file: str, sample: str, **more: str) -> dict[str, str]:
    return {"file": file, "role": "ccd", "sample": sample, "area_cm2": "", **more}


def test_a_new_manifest_has_the_columns_of_its_rows(raw):
    manifest.write(raw, [new("a.csv", "A", found="by hand"), new("b.csv", 'B, "2"')])
    expected = 'file,role,sample,area_cm2,found\na.csv,ccd,A,,by hand\nb.csv,ccd,"B, ""2""",,\n'
    assert (raw / "manifest.csv").read_bytes() == expected.encode()
    assert [row["sample"] for row in rows(raw)] == ["A", 'B, "2"']
    assert not [path for path in os.listdir(raw) if path.startswith(".")]


def test_a_new_manifest_that_is_not_ascii_has_the_mark_that_excel_needs(raw):
    manifest.write(raw, [new("电池.csv", "A")])
    assert (raw / "manifest.csv").read_bytes().startswith(b"\xef\xbb\xbffile")
    assert rows(raw)[0]["file"] == "电池.csv"


@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_rows_that_are_there_stay_byte_for_byte_even_if_they_cannot_be_used(raw, mark):
    before = mark + 'Sample;FILE;Role;mine;area_cm2\r\n"A\r\n1";A.CSV;CCD;"x;y";0,50\r\n\r\nlost;lost.csv;cdc;;'
    text(raw, before)
    manifest.write(raw, [new("a.csv", "other"), new("b.csv", "B", area_cm2="0.785", mine="z")])
    assert (raw / "manifest.csv").read_bytes().decode() == before + "\r\nB;b.csv;ccd;z;0,785\r\n"
    assert [(row["sample"], row["area_cm2"]) for row in manifest.load(raw).rows] == [("A 1", "0.50"), ("B", "0.785")]
    again = (raw / "manifest.csv").read_bytes()
    manifest.write(raw, [new("b.csv", "B")])
    assert (raw / "manifest.csv").read_bytes() == again


def test_a_column_that_new_rows_fill_is_added_at_the_end_of_each_line(raw):
    text(raw, 'sep=,\nfile,role,sample\na.csv,ccd,"A\n1"\n\n')
    manifest.write(raw, [new("b.csv", "B", replicate="2", state="")])
    expected = 'sep=,\nfile,role,sample,replicate\na.csv,ccd,"A\n1",\n\nb.csv,ccd,B,2\n'
    assert (raw / "manifest.csv").read_text() == expected
    assert [manifest.label(row) for row in rows(raw)] == ["A 1", "B, replicate 2"]


def test_nothing_is_written_where_the_manifest_cannot_be_read_or_is_a_workbook(raw):
    text(raw, "file;role\n")
    for _ in range(2):
        before = {path: path.read_bytes() for path in raw.iterdir()}
        with pytest.raises(ManifestError):
            manifest.write(raw, [new("a.csv", "A")])
        assert {path: path.read_bytes() for path in raw.iterdir()} == before
        (raw / "manifest.csv").unlink(missing_ok=True)
        book(raw, HEADER)
