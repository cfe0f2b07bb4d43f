"""Binary files of photoelectron spectrometers that are recognised but not read, and what to export instead."""

OLE, SQLITE = b"\xd0\xcf\x11\xe0", b"SQLite format 3\0"
#: Names in the file, in its whole length, that tell the format apart from others with the same start.
AVANTAGE, SCIENTA, SPECS = "VGData".encode("utf-16-le"), b"[SES]", b"Schedule"
SPECS_XML, XML_WITHIN = b"RegionGroupSeq", 1 << 16


def refusal(data: bytes) -> tuple[str, str] | None:
    """Return reason and remedy for a file that is known and not read; None for all others."""
    if data.startswith(OLE) and AVANTAGE in data:
        return "a data space of Thermo Avantage (.vgd)", "export it from Avantage as an Excel workbook (.xlsx)"
    if data.startswith(SQLITE) and SPECS in data:
        return "an experiment of SPECS SpecsLab Prodigy (.sle)", "export it from Prodigy as .xy"
    if SPECS_XML in data[:XML_WITHIN]:
        return "an experiment of SPECS SpecsLab2 (.xml)", "export it from SpecsLab2 as .xy"
    if b"\0" in data[:XML_WITHIN] and SCIENTA in data:
        return "a binary file of Scienta SES (.ibw, .pxt)", "export it from SES as text, one slice per region"
    return None
