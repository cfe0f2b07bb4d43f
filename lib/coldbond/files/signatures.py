"""Signatures of files that are not read: what each is, and what to export instead.

The signatures are those that the programs' own documents, or the tools that tell files apart, give (Freedesktop's
shared-mime-info, the magic files of `file`). Each remedy names an export that this package reads.
"""

import re
import struct
from pathlib import Path
from typing import NamedTuple


class Kind(NamedTuple):
    """What a file is, and the remedy."""

    name: str
    remedy: str


NAMED_COLUMNS = "as text, with a first line that names the columns and their units"
XPS = "export it as VAMAS (.vms)"
RAMAN = "export the spectrum as text with wavenumbers in 1/cm, or as JCAMP-DX"
CYCLER = "export the records as .csv or .xlsx, with test time, voltage and current"
DIFFRACTION = "export it as RAW4.00, .uxd or .xy; of plain columns state read(path, technique='xrd', wavelength=...)"
NO_RECORDING = "use the file that the instrument or its program exported"
PACKED = "unpack it, and read the files within"

#: Patterns at the start of a file.
STARTS: dict[bytes, Kind] = {
    rb"\A\x89HDF\r\n\x1a\n": Kind("an HDF5 file (NeXus, NetCDF 4, .h5)", f"export one recording of it {NAMED_COLUMNS}"),
    rb"\ACDF[\x01\x02\x05]": Kind("a NetCDF file", f"export one recording of it {NAMED_COLUMNS}"),
    rb"\AMATLAB [57]": Kind("a MATLAB .mat file", f"write one recording of it {NAMED_COLUMNS} (writetable)"),
    rb"\A\x93NUMPY": Kind("a NumPy array (.npy)", f"write it {NAMED_COLUMNS} (numpy.savetxt with a header)"),
    rb"\APAR1": Kind("a Parquet file without the columns of the Battery Data Format", CYCLER),
    rb"\ASQLite format 3\0": Kind("an SQLite database", f"export one recording of it {NAMED_COLUMNS}"),
    rb"\A\x00\x01\x00\x00Standard (Jet|ACE) DB": Kind("an Access database, such as Arbin .res", CYCLER),
    rb"\ANEWARE": Kind(
        "a Neware .nda that is damaged or of an unknown version", "export it from BTSDA as .csv or .xlsx"
    ),
    rb"\ABIO-LOGIC MODULAR FILE": Kind("a BioLogic .mpr file", "export it from EC-Lab as text (.mpt)"),
    rb"\ARAW_1": Kind("a STOE .raw file", "export it from WinXPOW as .xy, and state technique and wavelength"),
    rb"\ARAW[ 0-9]": Kind("a Bruker RAW file of another version than 1.01 and 4.00", DIFFRACTION),
    rb"\AV[35]RD": Kind("a Philips or PANalytical .rd or .sd file", "export it from HighScore or X'Pert as .xrdml"),
    rb"\A\n\n\xfe\xfe": Kind("a Bruker OPUS file", "save it in OPUS as JCAMP-DX (.dx)"),
    rb"\AWIT_|\AWIT\^": Kind("a WITec project (.wip)", "export the spectrum as text (Export > Table)"),
    rb"\AWDF1": Kind("a Renishaw .wdf file that is damaged or holds a map", "export one spectrum from WiRE as text"),
    rb"\A.?.?.?.?1?-?NGSNextGen": Kind("a Horiba LabSpec .ngs file", "export the spectrum from LabSpec as text"),
    rb"\ASpectral Data File": Kind("a Thermo OMNIC file that is damaged or no Raman spectrum", RAMAN),
    rb"\ACPYUA": Kind("an Origin project (.opju)", f"export the worksheet {NAMED_COLUMNS}"),
    rb"\ACPYA": Kind("an Origin project (.opj)", f"export the worksheet {NAMED_COLUMNS}"),
    rb"\A(II\*\0|MM\0\*)": Kind("a TIFF picture", NO_RECORDING),
    rb"\A(\x89PNG|\xff\xd8\xff|GIF8|BM....\0\0\0\0|RIFF....WEBP)": Kind("a picture", NO_RECORDING),
    rb"\A%!?P[DS][F-]": Kind("a PDF or PostScript document", NO_RECORDING),
    rb"\A\{\\rtf": Kind("a text document (RTF)", "save it as plain text (.txt), or use the file that was exported"),
    rb"\A(\x1f\x8b|BZh|\xfd7zXZ\0|7z\xbc\xaf'\x1c|Rar!|\x28\xb5\x2f\xfd)": Kind("a compressed file or archive", PACKED),
    rb"\A(MZ|\x7fELF)": Kind("a program", NO_RECORDING),
    rb"\A\s*(?i:<!DOCTYPE html|<html)": Kind("a web page", "download the file itself ('raw'), not the page about it"),
    rb"\Aversion https://git-lfs": Kind("a pointer of Git LFS, not the file", "fetch the file itself: git lfs pull"),
    rb"\A\s*<\?xml|\A\s*<\w": Kind("an XML document of another kind than .xrdml", f"export it {NAMED_COLUMNS}"),
    rb"\A(\xff\xfe|\xef\xbb\xbf)?\s*[{\[]\s*[\"{\[\]}]": Kind("a JSON document", f"write it {NAMED_COLUMNS}"),
    rb"(?m)^(_diffrn|_cell_length|loop_)": Kind("a CIF without a powder pattern", "use the recording of the pattern"),
}
#: Names of streams that say what an OLE document is (in utf-16), the first that occurs.
OLE = {
    "VGData": Kind("a Thermo Avantage .vgd file", "export it from Avantage as .xlsx or VAMAS (.vms)"),
    "Workbook": Kind("an Excel workbook in the old format (.xls)", "save it as .xlsx"),
    "Book": Kind("an Excel workbook in the old format (.xls)", "save it as .xlsx"),
    "WordDocument": Kind("a Word document (.doc)", NO_RECORDING),
    "EncryptedPackage": Kind("an Office document protected by a password", "save it without the password"),
    "": Kind("an OLE document (.xls, .doc or of an instrument's program)", f"export it {NAMED_COLUMNS}, or as .xlsx"),
}
#: Members of zip archives that give away their program.
MEMBERS = {
    r"xl/.*": Kind("a damaged Excel workbook", "save or export it again as .xlsx"),
    r"word/.*": Kind("a Word document", NO_RECORDING),
    r"ppt/.*": Kind("a PowerPoint document", NO_RECORDING),
    r"content\.xml": Kind("an OpenDocument file (.ods, .odt)", "save it as .xlsx, or export the table as .csv"),
    r".*\.ndc": Kind(
        "a Neware .ndax that is damaged or of an unknown version", "export it from BTSDA as .csv or .xlsx"
    ),
    r".*\.npy": Kind("an archive of NumPy arrays (.npz)", f"write one recording of it {NAMED_COLUMNS}"),
    r"Experiment[0-9]+/.*": Kind("a Bruker .brml without raw data", "export the scan again from DIFFRAC.SUITE"),
    r"Data[0-9]+/.*": Kind("a Rigaku .rasx without a profile", "export it again from SmartLab Studio as .rasx or .ras"),
    r".*": Kind("a zip archive", PACKED),
}
#: What files without a signature are, by their name. It is a hint in the advice, nothing is read by it.
EXTENSIONS = {
    ".idf": Kind("an Ivium .idf", "export it from IviumSoft as text (Export to ASCII)"),
    ".ids": Kind("an Ivium .ids", "export it from IviumSoft as text (Export to ASCII)"),
    ".res": Kind("an Arbin .res", CYCLER),
    ".nox": Kind("an Autolab NOVA .nox", "export it from NOVA as ASCII, with names of columns"),
    ".ism": Kind("a Zahner .ism", f"export it {NAMED_COLUMNS}"),
    ".l6s": Kind("a Horiba LabSpec .l6s", "export the spectrum from LabSpec as text"),
    ".pxt": Kind("an Igor .pxt", f"{XPS}, or {NAMED_COLUMNS} (Save Waves > Save Delimited Text)"),
    ".ibw": Kind("an Igor .ibw", f"export it {NAMED_COLUMNS} (Save Waves > Save Delimited Text)"),
    ".bin": Kind(
        "a binary export, such as that of CH Instruments", "convert it to text in the program (Convert to Text)"
    ),
    ".sd": Kind("a Philips .sd", "export it from HighScore or X'Pert as .xrdml"),
    ".raw": Kind("a .raw", DIFFRACTION),
}


def kind(path: Path, data: bytes) -> Kind | None:
    """Return what a file is by its signature; None of a file without one."""
    start = data[:4096]
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        return next(found for name, found in OLE.items() if name.encode("utf-16-le") in data)
    for pattern, found in STARTS.items():
        if re.search(pattern, start, re.DOTALL):
            return found
    if data[257:262] == b"ustar":
        return Kind("an archive (.tar)", PACKED)
    if data[4098:4100] == b"UU" and b"\0" in start:
        return Kind("a Princeton Instruments .spe file", RAMAN)
    if len(data) >= 384 and _is_igor(data[:384]):
        return EXTENSIONS[".ibw"]
    return None


def _is_igor(header: bytes) -> bool:
    """Return whether a header of 384 bytes is that of an Igor wave of version 5: its 16-bit words add up to zero."""
    return any(
        struct.unpack(order + "h", header[:2]) == (5,) and sum(struct.unpack(order + "192h", header)) % (1 << 16) == 0
        for order in "<>"
    )
