"""Text and binary files of photoelectron spectrometers, written for tests with known values."""

import struct

import numpy as np

COUNTS = np.array([411, 388, 402, 655, 1207, 903, 455, 377, 371, 390, 384, 401])
STEP, PHOTONS = 0.5, 1253.6  # eV; Mg K-alpha
ENDS = {"C 1s": 290.0, "O 1s": 536.0}  # highest binding energies, eV
DWELL = 0.25  # s


def binding(region: str) -> np.ndarray:
    """Binding energies in descending order."""
    return ENDS[region] - STEP * np.arange(COUNTS.size)


def settings(axis="Binding", rate="Counts per Second", scans="no", channels="no") -> str:
    """The head of a SPECS file."""
    return (
        "# Created by:        SpecsLab Prodigy, Version 4.100.1-r111001 \n#\n# XY-Serializer Export Settings:\n"
        f"#   Comment Prefix:           #\n#   Energy Axis:              {axis} Energy\n"
        f"#   Count Rate:               {rate}\n#   Separate Scan Data:       {scans}\n"
        f"#   Separate Channel Data:    {channels}\n#   External Channel Data:    yes\n#\n"
    )


def specs_region(name="C1s", axis="Binding", photons=f"{PHOTONS}", dwell=f"{DWELL}", scans=1, **other) -> str:
    """The acquisition parameters of a region in a SPECS file."""
    energy = binding(other.pop("level", "C 1s"))[0]
    start = energy if axis == "Binding" else PHOTONS - energy
    fields = {
        "Region": name,
        "Acquisition Date": "08/24/23 14:19:47 UTC",
        "Analysis Method": "XPS",
        "Values/Curve": COUNTS.size,
        "Dwell Time": dwell,
        "Excitation Energy": photons,
        f"{axis} Energy": f"{start:g}",
        "Pass Energy": "20",
        "Source": "XR 50",
    } | {key.replace("_", " "): value for key, value in other.items()}
    lines = "".join(f"# {key + ':':<30}{value}\n" for key, value in fields.items())
    return f"{lines}\n# Cycle: 0\n#\n# Number of Scans: {scans}\n\n"


def specs_rows(
    axis="Binding", level="C 1s", at="Cycle: 0, Curve: 0", label="counts/s", factor=1 / DWELL, more=""
) -> str:
    """The rows of a curve in a SPECS file; `more` is a further column's label and number."""
    energy = binding(level) if axis == "Binding" else PHOTONS - binding(level)
    extra = f"  {more.split()[1]}" if more else ""
    rows = "".join(f"{e:.8g}  {c * factor:.8g}{extra}\n" for e, c in zip(energy, COUNTS, strict=True))
    return f"# {at}\n#\n# ColumnLabels:                 energy {label} {more.split()[0] if more else ''}\n#\n{rows}\n"


def specs(axis="Binding", **region) -> str:
    """A SPECS file of one region."""
    return (
        settings(axis)
        + "# Group:                        LLZ\n#\n"
        + specs_region(axis=axis, **region)
        + specs_rows(axis)
    )


def scienta(axis="Binding", regions=("C 1s",), photons=f"{PHOTONS}", sample="LLZ", **fields) -> str:
    """A file of Scienta SES."""
    text = f"[Info]\nNumber of Regions={len(regions):04d}\nVersion=1.3.1\n\n"
    for number, level in enumerate(regions, start=1):
        energy = binding(level) if axis == "Binding" else PHOTONS - binding(level)
        kinetic = PHOTONS - binding(level)
        info = {
            "Region Name": level.replace(" ", ""),
            "Pass Energy": 50,
            "Number of Sweeps": 2,
            "Excitation Energy": photons,
            "Energy Scale": axis,
            "Acquisition Mode": "Swept",
            "Energy Unit": "Kinetic",
            "Low Energy": f"{kinetic[0]:g}",
            "High Energy": f"{kinetic[-1]:g}",
            "Energy Step": STEP,
            "Sample": sample,
            "Date": "2023-03-08",
            "Time": "15:24:35",
        } | fields
        text += f"[Region {number}]\nRegion Name={level}\nDimension 1 name={axis} Energy [eV]\n"
        text += f"Dimension 1 size={energy.size}\nDimension 1 scale={' '.join(f'{e:.8g}' for e in energy)}\n\n"
        text += f"[Info {number}]\n" + "".join(f"{key}={value}\n" for key, value in info.items() if value is not None)
        text += f"[Run Mode Information {number}]\n\n[Data {number}]\n"
        text += "".join(f" {e:.14E}  {c / 7:.14E}\n" for e, c in zip(energy, COUNTS, strict=True)) + "\n"
    return text


def casa_columns(titles=("Cycle 0:LLZ:C1s",), shift=0.0, mark="\t", fit=False, time=DWELL) -> str:
    """A text of CasaXPS in columns of tables; B.E. is shifted against the recorded energy."""
    text = ""
    for title in titles:
        energy = binding("O 1s" if "O1s" in title else "C 1s")
        own = (["A", "Background"], ["A", "Background CPS"]) if fit else ([], [])
        text += f"{title}\n" + mark.join(["", "Characteristic Energy eV", f"{PHOTONS:.6e}"])
        text += mark + mark.join(["Acquisition Time s", f"{time:.6e}"]) + "\n"
        text += "".join(mark.join([name, "", ""]) + "\n" for name in ("Name", "Position", "FWHM", "Area", "Lineshape"))
        text += mark.join(["K.E.", "Counts", *own[0], "", "B.E.", "CPS", *own[1]]) + "\n"
        for e, c in zip(energy, COUNTS, strict=True):
            fitted = [f"{c / 2:.6e}", "1.0e+001"] if fit else []
            cells = [PHOTONS - e, c, e + shift, c / time]
            kinetic, counts, shown, rate = (f"{cell:.6e}" for cell in cells)
            text += mark.join([kinetic, counts, *fitted, "", shown, rate, *fitted]) + "\n"
    return text


def casa_rows(mark="\t") -> str:
    """A text of CasaXPS in rows of tables: C 1s in counts per second with its fit, beside O 1s, two points shorter."""
    text = "".join(mark.join([name, "", "A", "", name, "", ""]) + "\n" for name in ("Name", "Position", "FWHM"))
    text += "\n" + mark.join(["B.E.", "Cycle 0:LLZ:C1s:CPS", "C1s:A", "", "B.E.", "Cycle 0:LLZ:O1s:Counts", ""]) + "\n"
    for at, c in enumerate(COUNTS):
        other = [f"{binding('O 1s')[at]:.6e}", f"{c:.6e}"] if at < COUNTS.size - 2 else ["", ""]
        text += mark.join([f"{binding('C 1s')[at]:.6e}", f"{c / DWELL:.6e}", "1.0e+000", "", *other, ""]) + "\n"
    return text


def avantage_dump(axes=1, label="Counts", **fields) -> str:
    """A dump of a data space of Avantage."""
    properties = {
        "EXT_SUPROPID_TITLE": "VT_BSTR = 'C1s Scan'",
        "EXT_SUPROPID_SUBJECT": "VT_BSTR = 'LLZ'",
        "GEPROPID_INSTRUMENT": "VT_BSTR = 'K-Alpha+'",
        "GEPROPID_VALUE_LABEL": f"VT_BSTR = '{label}'",
        "SOPROPID_ENERGY": f"VT_R4   = {PHOTONS:f}",
        "ANPROPID_PASS": "VT_R4   = 20.000000",
        "ACPROPID_ACQ_TIME": f"VT_R4   = {DWELL:f}",
        "ACPROPID_PERIODS": "VT_I4   = 2",
    } | fields
    text = ";Dump of DataSpace 'C1s Scan.VGD'\n$FORMAT=4\n$PROPERTIES=STD\n"
    text += "".join(f"DS_{name:<30}: {value}\n" for name, value in properties.items() if value)
    start = PHOTONS - binding("C 1s")[0]
    text += f"$DATAAXES={axes},#empty#\n    0=  0, {COUNTS.size - 1}, 1\n$SPACEAXES={axes}\n"
    text += f"    0=  {start:f}, {STEP:f}, {COUNTS.size}, ENERGY, LINEAR, 'E', 'eV', 'Energy'\n"
    text += "".join(f"    {axis}=  0.0, 5.0, 3, ETCHTIME, LINEAR, 'T', 's', 'Time'\n" for axis in range(1, axes))
    rows = range(0, COUNTS.size, 4)
    cells = [", ".join(f"{count:.6f}" for count in COUNTS[at : at + 4]) for at in rows]
    return text + "$DATA=*\n" + "".join(f"LIST@ {at:3d}= {row}\n" for at, row in zip(rows, cells, strict=True))


def phi(regions=("C 1s",), kind="f4", end=b"\r\n", old=False, **fields) -> bytes:
    """A PHI .spe; in an old one the ends of the spectra are given, and the time per point follows each."""
    header = {
        "Technique": "XPS",
        "FileType": "SPECTRUM",
        "FileDesc": "(1, LLZ)",
        "InstrumentModel": "VersaProbe 4",
        "AcqFileDate": "2024 1 22",
        "EnergyReference": "none 0.0",
        "AnalyserWorkFcn": "4.506 eV",
        "IntensityRecal": "no",
        "EnergyRecal": "no",
        "NoSpectralReg": len(regions),
        "XraySource": f"Mg {PHOTONS} std",
    } | fields
    lines = ["SOFH", *(f"{key}: {value}" for key, value in header.items())]
    for number, level in enumerate(regions, start=1):
        energy = binding(level)
        lines.append(
            f"SpectralRegDef: {number} 1 {level.replace(' ', '')} 6 {energy.size} -{STEP:.4f} {energy[0]:.4f} "
            f"{energy[-1]:.4f} {energy[0]:.4f} {energy[-1]:.4f} {DWELL:.6f} 23.50 AREA"
        )
    size, first = COUNTS.size * int(kind[1]), 16 + 96 * len(regions)
    head = struct.pack("<4I", 1, len(regions), 96 * len(regions), 16)
    data = b""
    for number in range(1, len(regions) + 1):
        start = first + len(data)
        data += (COUNTS / DWELL).astype(f"<{kind}").tobytes() + (struct.pack("<f", DWELL) if old else b"")
        where = (0, 0, 0, start + size) if old else (start, 0, 0, 0)
        texts = (b"pnt", b"\1", b"sar", b"", b"", b"\1", b"c/s", b"", b"", b"", kind.encode())
        head += struct.pack("<8I", number, 1, 1, number, 1, COUNTS.size, 1, 1)
        head += b"".join(text.ljust(4, b"\0") for text in texts) + struct.pack("<5I", size, *where)
    return end.join(line.encode() for line in [*lines, "EOFH"]) + end + head + data
