"""Files of photoelectron spectrometers that are recognised but not read, and what to export instead.

`coldbond.files.signatures` has those that a signature at the start of the file tells apart.
"""

from coldbond.files.signatures import Kind

SQLITE = b"SQLite format 3\0"
#: Names within the files: a table of Prodigy, the notes of SES, an element of SpecsLab2's XML.
SPECS, SCIENTA, SPECS_XML = b"Schedule", b"[SES]", b"RegionGroupSeq"
#: Bytes at the start of a file that show whether it is binary, or the XML of SpecsLab2.
START = 1 << 16


def kind(data: bytes) -> Kind | None:
    """Return what a file is, with the remedy; None for all others."""
    if data.startswith(SQLITE) and SPECS in data:
        return Kind("an experiment of SPECS SpecsLab Prodigy (.sle)", "export it from Prodigy as .xy")
    if SPECS_XML in data[:START]:
        return Kind("an experiment of SPECS SpecsLab2 (.xml)", "export it from SpecsLab2 as .xy")
    if b"\0" in data[:START] and SCIENTA in data:
        return Kind("a binary file of Scienta SES (.ibw, .pxt)", "export it from SES as text, one slice per region")
    return None
