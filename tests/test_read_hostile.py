"""Archives, workbooks and XML made to take all memory, and paths that are no files: each is refused at once."""

import io
import os
import re
import socket
import struct
import zipfile
from pathlib import Path

import pytest

import samples
from coldbond.files import ReadError, archive, read, regular, workbook
from diffractometer_files import brml, rasx, xrdml


def refused(path, data: bytes | None = None) -> ReadError:
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(ReadError) as caught:
        read(path)
    assert "its reader failed" not in caught.value.reason
    return caught.value


def packed(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", method) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return data.getvalue()


def unpacked(data: bytes) -> dict[str, bytes]:
    file = zipfile.ZipFile(io.BytesIO(data))
    return {name: file.read(name) for name in file.namelist()}


def with_stated_size(data: bytes, name: bytes, size: int) -> bytes:
    """Return an archive that states another size of a member in its directory."""
    at = data.rindex(b"PK\1\2", 0, data.rindex(name))
    return data[: at + 24] + struct.pack("<I", size) + data[at + 28 :]


ARCHIVES = {
    "brml": (brml(), "Experiment0/RawData0.xml"),
    "rasx": (rasx(), "Data0/Profile0.txt"),
    "xlsx": (samples.landt_workbook(), "xl/worksheets/sheet1.xml"),
}


@pytest.mark.parametrize("kind", ARCHIVES)
def test_an_archive_that_unpacks_to_more_than_memory_holds(tmp_path, monkeypatch, kind):
    data, name = ARCHIVES[kind]
    members = unpacked(data)
    bomb = packed(members | {name: members[name] + bytes(5_000_000)})
    assert len(bomb) < 50_000
    monkeypatch.setattr(archive, "MOST_BYTES", 2_000_000)
    monkeypatch.setattr(archive, "MOST_UNPACKED", 4_000_000)
    assert "unpacks to" in refused(tmp_path / "a", bomb).reason
    # The directory of the archive may understate the size; what it states is all that is unpacked.
    lying = with_stated_size(bomb, name.encode(), 1000)
    assert "damaged: its size or checksum is not the one stated" in refused(tmp_path / "b", lying).reason


@pytest.mark.parametrize("kind", ARCHIVES)
def test_an_archive_of_a_method_that_unpacks_all_at_once(tmp_path, kind):
    members = unpacked(ARCHIVES[kind][0])
    for method in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        assert "method" in refused(tmp_path / "a", packed(members, method)).reason
    stored = packed(members, zipfile.ZIP_STORED)
    (tmp_path / "b").write_bytes(stored)
    read(tmp_path / "b")


def test_an_archive_of_too_many_members(tmp_path):
    members = unpacked(brml()) | {f"{number}": b"" for number in range(archive.MOST_MEMBERS)}
    assert "more than 10000 members" in refused(tmp_path / "a.brml", packed(members)).reason


@pytest.mark.parametrize("digits", ["1" * 4301, "9" * 300])
def test_a_member_whose_name_is_a_number_of_many_digits(tmp_path, digits):
    members = unpacked(brml())
    members = {name.replace("RawData0", f"RawData{digits}"): content for name, content in members.items()}
    assert "name has more than 255 characters" in refused(tmp_path / "a.brml", packed(members)).reason


def test_members_are_in_the_order_of_their_numbers():
    names = ["Data10/x", "Data9/x", "Data009/y", "Data0/x", f"Data{'1' * 200}/x"]
    found = archive.members(packed(dict.fromkeys(names, b"")), r"Data[0-9]+/.")
    assert [name[:6] for name in found] == ["Data0/", "Data9/", "Data00", "Data10", "Data11"]


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_entities_are_not_expanded(tmp_path, encoding):
    head, body = xrdml().decode().split("?>", 1)
    text = f'{head}?><!DOCTYPE x [<!ENTITY l0 "ha">{LAUGHS}]>{body}'.replace("Pre-set time", "&l9;")
    error = refused(tmp_path / "a.xrdml", text.replace("utf-8", encoding).encode(encoding))
    assert "entities" in error.reason or "XML" in error.reason


def test_xml_that_is_deep_or_wide(tmp_path, monkeypatch):
    head, body = xrdml().decode().split("?>", 1)
    end = body.rindex("</")
    deep = f"{head}?>{body[:end]}{'<a>' * 200_000}{'</a>' * 200_000}{body[end:]}"
    (tmp_path / "a.xrdml").write_text(deep)
    try:
        read(tmp_path / "a.xrdml")  # elements that are not looked for do no harm
    except ReadError as error:
        assert "its reader failed" not in error.reason
    monkeypatch.setattr(archive, "MOST_ELEMENTS", 100_000)
    assert "more than 100000 elements and attributes" in refused(tmp_path / "b.xrdml", deep.encode()).reason


def sheet(rows: str, before: str = "", **members: str) -> bytes:
    """Return a workbook whose sheet has these rows; `members` replaces others, by the end of their names."""
    files = unpacked(samples.workbook({"Record": [["a"]]}))
    name = "xl/worksheets/sheet1.xml"
    namespace = b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    start = b'<worksheet xmlns="' + namespace + b'" xmlns:x="' + namespace + b'">'
    files[name] = start + before.encode() + b"<sheetData>" + rows.encode() + b"</sheetData></worksheet>"
    for end, text in members.items():
        files[next(name for name in files if name.endswith(end + ".xml"))] = text.encode()
    return packed(files)


ROW = '<row r="1">{}</row>'
CELLS = {
    "last cell": ROW.format('<c r="XFD1048576"><v>1</v></c>'),
    "beyond the last cell": ROW.format('<c r="ZZZZZZ1"><v>1</v></c>'),
    "row beyond the last": ROW.format('<c r="A999999999"><v>1</v></c>'),
    "lower case": ROW.format('<c r="xfd1048576"><v>1</v></c>'),
    "single quotes": ROW.format("<c r='XFD1048576'><v>1</v></c>"),
    "blanks": ROW.format('<c  r = "XFD1048576" ><v>1</v></c>'),
    "line breaks": ROW.format('<c\n\tr="XFD1048576"><v>1</v></c>'),
    "prefix": '<x:row r="1"><x:c r="XFD1048576"><x:v>1</x:v></x:c></x:row>',
    "place within another attribute": ROW.format("""<c x=' r="A1"' r="XFD1048576"><v>1</v></c>"""),
    "end of a tag within an attribute": ROW.format("""<c x='>' r="XFD1048576"><v>1</v></c>"""),
    "cells without a place": '<row r="1048576">' + "<c><v>1</v></c>" * 16384 + "</row>",
    "far row of a cell without a place": '<row r="1048576"><c r="A1"/><c/></row>' + ROW.format("<c/>" * 16384),
    "place as an entity": ROW.format('<c r="&#88;FD1048576"><v>1</v></c>'),
}


@pytest.mark.parametrize("name", CELLS)
def test_a_far_cell_is_found_before_the_library_makes_the_table(tmp_path, name):
    error = refused(tmp_path / "a.xlsx", sheet(CELLS[name]))
    assert "cells up to row" in error.reason or "not written as XML is" in error.reason


SIZES = {
    "dimension": sheet(ROW.format('<c r="A1"><v>1</v></c>'), '<dimension ref="A1:XFD1048576"/>'),
    "texts": sheet("", sharedStrings='<sst count="1" uniqueCount="4000000000"><si><t>a</t></si></sst>'),
    "formats": sheet("", styles='<styleSheet><cellXfs count="4000000000"><xf numFmtId="1"/></cellXfs></styleSheet>'),
}


@pytest.mark.parametrize("name", SIZES)
def test_a_stated_size_is_not_believed(tmp_path, name):
    refused(tmp_path / "a.xlsx", SIZES[name])


def test_one_long_text_in_many_cells(tmp_path):
    texts = f"<sst><si><t>{'x' * 1_000_000}</t></si></sst>"
    rows = "".join(f'<row r="{n}"><c r="A{n}" t="s"><v>0</v></c></row>' for n in range(1, 2000))
    error = refused(tmp_path / "a.xlsx", sheet(rows, sharedStrings=texts))
    assert "more than 512 MB of text" in error.reason


def test_a_duration_that_no_date_holds(tmp_path):
    styles = '<styleSheet><cellXfs count="1"><xf numFmtId="46"/></cellXfs></styleSheet>'
    error = refused(tmp_path / "a.xlsx", sheet(ROW.format('<c r="A1" s="0"><v>1e300</v></c>'), styles=styles))
    assert "damaged workbook" in error.reason


def test_a_sheet_of_many_columns_is_read_as_before():
    header = [f"Aux {n}" for n in range(40)] + ["Test Time/s", "Voltage/V", "Current/mA"]
    data = samples.workbook({"Record": [header, *([0.5] * 40 + [n, 3.5, 0.1] for n in range(9))]})
    rows = workbook.sheets(Path("a.xlsx"), data, re.compile(""))["Record"]
    assert len(rows) == 10 and len(rows[0]) == 43 and rows[9][40] == 8


def test_only_regular_files_are_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("/dev/zero")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket"))
    for name, kind in (("pipe", "a pipe"), ("link", "a device"), ("socket", "a socket"), (".", "a folder")):
        assert f"{kind}, not a file" in refused(tmp_path / name).reason


def test_explore_refuses_them_too(tmp_path):
    from coldbond.explore.views import opened

    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ReadError, match="a pipe, not a file"):
        opened(tmp_path / "pipe")


def test_a_file_larger_than_memory_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "pattern.xy"
    path.write_text("# two_theta/degree, counts, wavelength: 1.5406\n" + "10.00, 5\n" * 10_000)
    with path.open("ab") as file:
        file.truncate(1 << 38)
    error = refused(path)
    assert f"{(1 << 38) / 1e6:.0f} MB" in error.reason and f"{regular.MOST_TEXT / 1e6:.0f} MB" in error.reason
