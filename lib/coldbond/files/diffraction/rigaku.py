"""Powder patterns of Rigaku diffractometers: .ras (SmartLab, MiniFlex), .rasx (Studio II), .asc (RINT, Ultima).

File structure
--------------
.ras is text: for each scan a header of lines `*KEY "value"`, then rows of angle, intensity and attenuation factor.
.rasx is a zip archive: `Data*/Profile*.txt` with such rows, and `Data*/MesurementConditions*.xml` (spelled so) with the
header. .asc is text: groups of lines `*KEY = value` and of intensities alone, whose angles follow from `*START` and
`*STEP`. Text is in utf-8 or Shift-JIS.

Schema
------
xarray.Dataset: `intensity` over `two_theta` [degree], all scans joined to one pattern (see `scans.pattern`), with the
attrs `wavelength_kalpha1`, `wavelength_kalpha2` [angstrom] (only K-alpha1 behind a monochromator), `anode`,
`instrument`, `detector`, `scan_axis`, `scan_mode`, `step` [degree], `scan_speed` [degree/min], `count_time` [s],
`goniometer_radius` [mm] and `sample_name`. The intensity is that of the file times the attenuation factor.

Uncertainties
-------------
`one_count` is the attenuation factor for counts, and this factor divided by the count time for rates. The count time
follows from step and speed for a detector that sees one angle at a time. For strip detectors, which add what many
channels saw, no file states the time, and the statistics of a rate are unknown.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from coldbond.files.archive import member, members, xml
from coldbond.files.diffraction.scans import check_axis, pattern, unit, wavelengths
from coldbond.files.errors import ReadError
from coldbond.files.format import Format, Stated
from coldbond.files.numerals import number, numbers
from coldbond.files.spectrum import spectrum

PROFILE = r"Data[0-9]+/Profile[0-9]+\.txt"
CUT_OFF = "cut off: no line {} follows"
AGAIN = "export the complete file again"
#: Detectors that see one angle at a time.
POINT_COUNTER = r"(?i)(sc\b|sc[-_ ]?[0-9]|.*scintill|.*proportional)"
#: The key of a field in each of `FORMATS`; .rasx also holds some under the keys of .ras.
KEYS = {
    "sample_name": ("*FILE_SAMPLE", "SampleName", "*SAMPLE"),
    "anode": ("*HW_XG_TARGET_NAME", "TargetName", ""),
    "detector": ("*HW_COUNTER_SELECT_NAME", "", "*COUNTER"),
    "kalpha1": ("*HW_XG_WAVE_LENGTH_ALPHA1", "WavelengthKalpha1", "*WAVE_LENGTH1"),
    "kalpha2": ("*HW_XG_WAVE_LENGTH_ALPHA2", "WavelengthKalpha2", "*WAVE_LENGTH2"),
    "length": ("*HW_XG_WAVE_LENGTH_UNIT", "", ""),
    "line": ("*MEAS_COND_XG_WAVE_TYPE", "WaveType", ""),
    "points": ("*MEAS_DATA_COUNT", "DataCount", "*COUNT"),
    "axis": ("*MEAS_SCAN_AXIS_X_INTERNAL", "AxisName", "*SCAN_AXIS"),
    "shown_axis": ("*MEAS_SCAN_AXIS_X", "", ""),
    "scan_mode": ("*MEAS_SCAN_MODE", "Mode", "*MEAS_MODE"),
    "speed": ("*MEAS_SCAN_SPEED", "Speed", "*SPEED"),
    "per": ("*MEAS_SCAN_SPEED_UNIT", "SpeedUnit", "*SPEED_DIM"),
    "start": ("*MEAS_SCAN_START", "Start", "*START"),
    "step": ("*MEAS_SCAN_STEP", "Step", "*STEP"),
    "stop": ("*MEAS_SCAN_STOP", "Stop", "*STOP"),
    "uneven": ("*MEAS_SCAN_UNEQUALY_SPACED", "UnequalySpaced", ""),
    "angle": ("*MEAS_SCAN_UNIT_X", "PositionUnit", "*XUNIT"),
    "intensity": ("*MEAS_SCAN_UNIT_Y", "IntensityUnit", "*YUNIT"),
    # A .ras numbers the distances that a .rasx names: the fourth is source to sample, the sixth sample to slit.
    "goniometer_radius": ("*HW_GONIOMETER_RADIUS-3", "radius", ""),
    "slit": ("*HW_GONIOMETER_RADIUS-5", "radius", ""),
    "instrument": ("", "SystemName", ""),
}
FORMATS = ("ras", "rasx", "asc")
#: Anodes by their atomic number, which .asc states.
TARGETS = {"24": "Cr", "26": "Fe", "27": "Co", "29": "Cu", "42": "Mo", "47": "Ag"}


class Header(dict[str, str]):
    """Header fields of a scan as text, by the names of `KEYS`.

    Parameters
    ----------
    path : pathlib.Path
    kind : {"ras", "rasx", "asc"}
    fields : dict of str to str
        By the keys of the format.
    line : int or None
        The line where the header starts, for errors.
    """

    def __init__(self, path: Path, kind: str, fields: dict[str, str], line: int | None) -> None:
        self.path, self.kind, self.line = path, kind, line
        self.keys_here = {name: keys[FORMATS.index(kind)] or keys[0] for name, keys in KEYS.items()}
        super().__init__({name: fields[key] for name, key in self.keys_here.items() if fields.get(key)})

    def number(self, name: str) -> float:
        """Return a field as a number."""
        return number(self.path, self.get(name), self.keys_here[name], self.line)


def is_ras(data: bytes) -> bool:
    """Return whether the file starts like a .ras."""
    return re.match(rb"(\xef\xbb\xbf)?\s*\*RAS_DATA_START", data) is not None


def is_asc(data: bytes) -> bool:
    """Return whether the file starts like an .asc."""
    return re.match(rb"(\xef\xbb\xbf)?\s*\*TYPE\s*=", data) is not None


def is_rasx(data: bytes) -> bool:
    """Return whether the file is an archive with a profile."""
    return bool(members(data, PROFILE))


def read_ras(path: Path, data: bytes, stated: Stated) -> xr.Dataset:
    """Read the scans of a .ras."""
    lines = _lines(path, data)
    marks = [(at, line.strip()) for at, line in enumerate(lines) if line.startswith("*RAS_")]
    order = ["*RAS_HEADER_START", "*RAS_HEADER_END", "*RAS_INT_START", "*RAS_INT_END"]
    expected, places = order[0], dict[str, int]()
    scans: list[xr.Dataset] = []
    for at, mark in marks[1:]:
        if mark == "*RAS_DATA_END" and expected == order[0]:
            return pattern(path, scans)
        if mark != expected:
            raise ReadError(path, at + 1, f"{mark} where {expected} should stand", AGAIN)
        places[mark] = at
        expected = order[(order.index(mark) + 1) % 4]
        if mark == order[3]:
            head = "\n".join(lines[places[order[0]] + 1 : places[order[1]]])
            fields = dict(re.findall(r'^(\*\S+) "(.*?)"[ \t]*$', head, re.MULTILINE | re.DOTALL))
            start = places[order[2]] + 1
            scans.append(_scan(Header(path, "ras", fields, places[order[0]] + 1), lines[start:at], start + 1))
    raise ReadError(path, len(lines), CUT_OFF.format("*RAS_DATA_END" if expected == order[0] else expected), AGAIN)


def read_rasx(path: Path, data: bytes, stated: Stated) -> xr.Dataset:
    """Read the scans of a .rasx."""
    scans = []
    for name in members(data, PROFILE):
        conditions = re.sub(r"Profile([0-9]+)\.txt", r"MesurementConditions\1.xml", name)  # sic
        root = xml(path, member(path, data, conditions), conditions)
        strings = [string.text or "" for string in root.iterfind("RASHeader/Pair/string")]
        fields = dict(zip(strings[::2], strings[1::2], strict=False))
        for place in ("GeneralInformation/*", "HWConfigurations/XrayGenerator/*", "ScanInformation/*"):
            fields |= {element.tag: (element.text or "").strip() for element in root.iterfind(place)}
        source = root.find(".//Distance[@From='XrayGenerator'][@To='AttachmentStage'][@Unit='mm']")
        fields["radius"] = source.get("Value", "") if source is not None else ""
        scans.append(_scan(Header(path, "rasx", fields, None), _lines(path, member(path, data, name)), 1))
    return pattern(path, scans)


def read_asc(path: Path, data: bytes, stated: Stated) -> xr.Dataset:
    """Read the scans of an .asc, a group each."""
    general: dict[str, str] = {}
    group, at, line = general, 0, 0
    rows: list[float] | None = None
    scans, ended = [], False
    for line, content in enumerate(_lines(path, data), start=1):
        content = content.strip()
        field = re.fullmatch(r"(\*\w+)\s*=\s*(.*)", content)
        if content == "*BEGIN":
            group, at = dict(general), line
        elif content == "*END" and rows is not None:
            group["*HW_XG_TARGET_NAME"] = TARGETS.get(group.get("*TARGET", ""), "")
            scans.append(_scan(Header(path, "asc", group, at), rows))
            group, rows = general, None
        elif content == "*EOF":
            ended = True
        elif field:
            group[field[1]] = field[2]
            rows = [] if field[1] == "*COUNT" else rows
        elif content and rows is not None:
            cells = [cell for cell in re.split(r"[,\s]+", content) if cell]
            rows.extend(numbers(path, cells, "an intensity", [line] * len(cells)).tolist())
    if rows is not None or not ended or general.get("*GROUP_COUNT", str(len(scans))) != str(len(scans)):
        raise ReadError(path, line, CUT_OFF.format("*EOF" if rows is None else "*END"), AGAIN)
    return pattern(path, scans)


def _lines(path: Path, data: bytes) -> list[str]:
    """Return the lines of a text in utf-8 or Shift-JIS (cp932), which is hardly ever valid utf-8 by chance."""
    line = 1
    for encoding in ("utf-8-sig", "cp932"):
        try:
            return re.split(r"\r\n|\n|\r", data.decode(encoding))
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
    raise ReadError(path, line, "holds bytes that are not text in utf-8 or Shift-JIS", AGAIN)


def _scan(header: Header, rows: Sequence[str] | Sequence[float], line: int = 1) -> xr.Dataset:
    """Return one scan.

    Parameters
    ----------
    header : Header
    rows : sequence
        Lines of angle, intensity and attenuation factor; of .asc, intensities.
    line : int
        The line of the file in which the rows start.
    """
    path = header.path
    axis = header.get("axis", header.get("shown_axis"))
    check_axis(path, axis, header.line)
    if not header.get("angle", "deg").startswith("deg"):
        raise ReadError(path, header.line, f"the angles are in {header['angle']!r}", "export them in degrees")
    lines: list[int] | None = None
    if header.kind == "asc":
        angle = header.number("start") + header.number("step") * np.arange(len(rows))
        intensity, factor = np.array(rows, float), np.ones(len(rows))
    else:
        angle, intensity, factor, lines = _columns(path, list(map(str, rows)), line)
    _check_points(header, angle, lines)
    attrs = _attrs(header) | {"scan_axis": axis}
    units = unit(path, header.get("intensity"), header.line)
    one_count: np.ndarray | None = factor
    if units == "count/s":
        one_count = factor / attrs["count_time"] if "count_time" in attrs else None
    return spectrum(
        path,
        "xrd",
        angle,
        intensity * factor,
        units=units,
        one_count=one_count,
        unknown="the file does not state how long its detector counted at one angle",
        attrs=attrs,
        lines=lines,
    )


def _columns(path: Path, rows: Sequence[str], line: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[int]]:
    """Return angle, intensity, attenuation factor and line of every point."""
    lines = [number for number, row in enumerate(rows, start=line) if row.strip()]
    cells = [row.split() for row in rows if row.strip()]
    for at, row in zip(lines, cells, strict=True):
        if len(row) != 3:
            raise ReadError(path, at, f"{len(row)} columns, not angle, intensity and attenuation factor", AGAIN)
    names = ("the angle", "the intensity", "the attenuation factor")
    angle, intensity, factor = (numbers(path, [row[at] for row in cells], name, lines) for at, name in enumerate(names))
    if (factor <= 0).any():
        raise ReadError(path, lines[int((factor <= 0).argmax())], "an attenuation factor that is not positive", AGAIN)
    return angle, intensity, factor, lines


def _check_points(header: Header, angle: np.ndarray, lines: list[int] | None) -> None:
    """Compare the points with what the header states of them."""

    def error(at: int, reason: str) -> ReadError:
        return ReadError(header.path, lines[at] if lines else header.line, reason, AGAIN)

    if "points" in header and (count := header.number("points")) != angle.size:
        reason = f"{angle.size} points where the header says {count:g}"
        raise ReadError(header.path, header.line, reason, AGAIN)
    if "step" not in header or not angle.size or header.get("uneven", "False").lower() == "true":
        return
    step, start = header.number("step"), header.number("start") if "start" in header else angle[0]
    off = ~(np.abs(np.abs(angle - start) - step * np.arange(angle.size)) <= step / 2)
    if off.any():
        at = int(off.argmax())
        raise error(at, f"point {at + 1} at {angle[at]:g} degree, off the grid of the header's start and step")
    if "stop" in header and abs(angle[-1] - header.number("stop")) > 1.5 * step:
        raise error(-1, f"the points end at {angle[-1]:g} degree, not at the header's stop")


def _attrs(header: Header) -> dict[str, Any]:
    """Return the measuring conditions under the names of the data model."""
    line = header.get("line", "Ka").replace("α", "a")
    if line not in ("Ka", "Ka1", "Kalpha", "Kalpha1"):
        reason = f"measured with {line!r}, not K-alpha"
        raise ReadError(header.path, header.line, reason, "use a scan with K-alpha radiation")
    if header.get("length", "Angstrom") not in ("Angstrom", "Å"):
        raise ReadError(header.path, header.line, "the wavelengths are not in angstrom", "export them in angstrom")
    kalpha1, kalpha2 = header.number("kalpha1"), None if line.endswith("1") else header.number("kalpha2")
    attrs: dict[str, Any] = {"format": f"rigaku-{header.kind}"} | wavelengths(header.path, kalpha1, kalpha2)
    attrs["instrument"] = f"Rigaku {header.get('instrument', '')}".strip()
    attrs |= {name: header[name] for name in ("anode", "detector", "scan_mode", "sample_name") if name in header}
    if "step" in header:
        attrs["step"] = header.number("step")
    if "goniometer_radius" in header and header["goniometer_radius"] == header.get(
        "slit"
    ):  # a focusing circle: both distances are its radius
        attrs["goniometer_radius"] = header.number("goniometer_radius")
    speed, per = header.number("speed") if "speed" in header else 0, header.get("per", "").lower()
    if speed > 0 and per.startswith("sec"):
        attrs["count_time"] = speed
    elif speed > 0 and re.match(r"deg\w*\.?/min", per):
        attrs["scan_speed"] = speed
        if "step" in attrs and re.match(POINT_COUNTER, attrs.get("detector", "")):
            attrs["count_time"] = 60 * attrs["step"] / speed
    return attrs


RAS = Format(
    name="Rigaku .ras",
    vendors="Rigaku",
    techniques=("xrd",),
    extensions=(".ras",),
    recognise=is_ras,
    read=read_ras,
    reads="scans of 2theta, joined to one pattern",
)


RASX = Format(
    name="Rigaku .rasx",
    vendors="Rigaku",
    techniques=("xrd",),
    extensions=(".rasx",),
    recognise=is_rasx,
    read=read_rasx,
    reads="scans of 2theta, joined to one pattern",
)


ASC = Format(
    name="Rigaku .asc",
    vendors="Rigaku",
    techniques=("xrd",),
    extensions=(".asc",),
    recognise=is_asc,
    read=read_asc,
    reads="scans of 2theta, joined to one pattern",
)
