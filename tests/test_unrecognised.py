"""A refusal names the kind of file and what to export instead; no remedy is to save binary data as utf-8."""

import io
import struct
import zipfile

import pytest

from coldbond.files import ReadError, read

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)


def archive(*members: str) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as file:
        for member in members:
            file.writestr(member, "x")
    return data.getvalue()


def igor() -> bytes:
    header = bytearray(384)
    header[:2] = struct.pack("<h", 5)
    header[16:20] = b"wave"
    total = sum(struct.unpack("<192h", header))
    header[2:4] = struct.pack("<H", -total % (1 << 16))
    return bytes(header) + bytes(800)


FILES = {
    "old.xls": (OLE + "Workbook".encode("utf-16-le"), "an Excel workbook in the old format", "save it as .xlsx"),
    "a.vgd": (
        OLE + "VGData".encode("utf-16-le"),
        "a Thermo Avantage .vgd",
        "export it from Avantage as .xlsx or VAMAS",
    ),
    "a.doc": (OLE + "WordDocument".encode("utf-16-le"), "a Word document", "the file that the instrument"),
    "ole.bin": (OLE, "an OLE document", "names the columns and their units, or as .xlsx"),
    "a.h5": (b"\x89HDF\r\n\x1a\n" + bytes(99), "an HDF5 file (NeXus", "names the columns and their units"),
    "a.nc": (b"CDF\x01" + bytes(99), "a NetCDF file", "names the columns"),
    "a.mat": (b"MATLAB 5.0 MAT-file, Platform" + bytes(200), "a MATLAB .mat file", "names the columns"),
    "a.npy": (b"\x93NUMPY\x01\x00" + bytes(90), "a NumPy array", "names the columns"),
    "a.ibw": (igor(), "an Igor .ibw", "Save Delimited Text"),
    "a.pxt": (b"\x02\x00" + bytes(range(200)), "a binary file, by its name an Igor .pxt", "VAMAS"),
    "a.spe": (bytes(4098) + b"UU" + bytes(99), "a Princeton Instruments .spe", "JCAMP-DX"),
    "a.res": (
        b"\x00\x01\x00\x00Standard Jet DB\x00" + bytes(99),
        "an Access database, such as Arbin .res",
        ".csv or .xlsx",
    ),
    "a.idf": (b"\x01\x20\x06" + bytes(99), "by its name an Ivium .idf", "export it from IviumSoft as text"),
    "a.db": (b"SQLite format 3\x00" + bytes(99), "an SQLite database", "names the columns"),
    "raw1.raw": (b"RAW " + bytes(200), "a Bruker RAW file", "technique='xrd', wavelength="),
    "raw2.raw": (b"RAW2" + bytes(200), "a Bruker RAW file", "technique='xrd', wavelength="),
    "a.rd": (b"V3RD" + bytes(200), "a Philips or PANalytical .rd", ".xrdml"),
    "a.0": (b"\n\n\xfe\xfe" + bytes(200), "a Bruker OPUS file", "JCAMP-DX"),
    "a.wip": (b"WIT_PR06" + bytes(200), "a WITec project", "as text"),
    "a.opj": (b"CPYA 4.3380 188\n" + bytes(99), "an Origin project (.opj)", "names the columns"),
    "a.opju": (b"CPYUA 4.3380 188\n" + bytes(99), "an Origin project (.opju)", "names the columns"),
    "a.png": (b"\x89PNG\r\n\x1a\n" + bytes(99), "a picture", "the file that the instrument"),
    "a.pdf": (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "a PDF", "the file that the instrument"),
    "a.docx": (archive("[Content_Types].xml", "word/document.xml"), "a Word document", "the file that the instrument"),
    "a.ods": (archive("mimetype", "content.xml"), "an OpenDocument file", "save it as .xlsx"),
    "a.npz": (archive("a.npy"), "an archive of NumPy arrays", "names the columns"),
    "a.zip": (archive("land.csv"), "a zip archive", "unpack it"),
    "a.gz": (b"\x1f\x8b\x08" + bytes(99), "a compressed file", "unpack it"),
    "a.html": (b"<!DOCTYPE html>\n<html></html>", "a web page", "download the file itself"),
    "a.json": (b'{"data": [1, 2]}', "a JSON document", "names the columns"),
    "lfs.csv": (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n",
        "a pointer of Git LFS",
        "git lfs",
    ),
    "unknown": (bytes(range(256)) * 9, "a binary file of a kind that is not known", "names the columns"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_known_file_that_is_not_read_is_named_with_what_to_export(tmp_path, name):
    data, kind, remedy = FILES[name]
    (tmp_path / name).write_bytes(data)
    with pytest.raises(ReadError) as caught:
        read(tmp_path / name)
    assert kind in caught.value.reason
    assert remedy in caught.value.remedy
    assert "utf-8" not in str(caught.value)
