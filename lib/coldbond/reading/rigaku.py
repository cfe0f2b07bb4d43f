"""Rigaku diffractometers: .ras (SmartLab, MiniFlex), .rasx (SmartLab Studio II) and .asc (RINT, Ultima)."""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import xarray as xr

from coldbond.reading.archive import member, members, text, xml
from coldbond.reading.errors import ReadError
from coldbond.reading.scans import check_axis, number, numbers, pattern, unit, wavelengths
from coldbond.reading.spectrum import spectrum

PROFILE = r"Data[0-9]+/Profile[0-9]+\.txt"
CUT = "cut off: no line {} follows"
AGAIN = "export it again, whole"
#: Counters that see one angle at a time; the others add up what many channels saw, for a time that no file states.
POINT_COUNTER = r"(?i)(sc\b|sc[-_ ]?[0-9]|.*scintill|.*proportional)"
#: Elements of .rasx and the keys of .ras that say the same.
RASX = {
    "SampleName": "*FILE_SAMPLE",
    "TargetName": "*HW_XG_TARGET_NAME",
    "WavelengthKalpha1": "*HW_XG_WAVE_LENGTH_ALPHA1",
    "WavelengthKalpha2": "*HW_XG_WAVE_LENGTH_ALPHA2",
    "WaveType": "*MEAS_COND_XG_WAVE_TYPE",
    "AxisName": "*MEAS_SCAN_AXIS_X_INTERNAL",
    "DataCount": "*MEAS_DATA_COUNT",
    "IntensityUnit": "*MEAS_SCAN_UNIT_Y",
    "Mode": "*MEAS_SCAN_MODE",
    "Speed": "*MEAS_SCAN_SPEED",
    "SpeedUnit": "*MEAS_SCAN_SPEED_UNIT",
    "Start": "*MEAS_SCAN_START",
    "Step": "*MEAS_SCAN_STEP",
    "Stop": "*MEAS_SCAN_STOP",
    "PositionUnit": "*MEAS_SCAN_UNIT_X",
    "UnequalySpaced": "*MEAS_SCAN_UNEQUALY_SPACED",
}
#: Keys of .asc likewise.
ASC = {
    "SAMPLE": "*FILE_SAMPLE",
    "WAVE_LENGTH1": "*HW_XG_WAVE_LENGTH_ALPHA1",
    "WAVE_LENGTH2": "*HW_XG_WAVE_LENGTH_ALPHA2",
    "COUNTER": "*HW_COUNTER_SELECT_NAME",
    "SCAN_AXIS": "*MEAS_SCAN_AXIS_X_INTERNAL",
    "COUNT": "*MEAS_DATA_COUNT",
    "YUNIT": "*MEAS_SCAN_UNIT_Y",
    "MEAS_MODE": "*MEAS_SCAN_MODE",
    "SPEED": "*MEAS_SCAN_SPEED",
    "SPEED_DIM": "*MEAS_SCAN_SPEED_UNIT",
    "START": "*MEAS_SCAN_START",
    "STEP": "*MEAS_SCAN_STEP",
    "STOP": "*MEAS_SCAN_STOP",
    "XUNIT": "*MEAS_SCAN_UNIT_X",
}
TARGETS = {"24": "Cr", "26": "Fe", "27": "Co", "29": "Cu", "42": "Mo", "47": "Ag"}


class Header(dict):
    """Text by key of .ras; `line` is where it starts, for errors, and `keys_of` what its own file calls the keys."""

    def __init__(self, path: Path, fields: dict[str, str], line: int | None, keys_of: dict[str, str] | None = None):
        names = {ras: own for own, ras in (keys_of or {}).items()}
        super().__init__({key: value for key, value in fields.items() if value})
        self.path, self.line, self.names = path, line, names

    def number(self, key: str) -> float:
        return number(self.path, self.get(key), self.names.get(key, key), self.line)


def is_ras(data: bytes) -> bool:
    """Whether the file starts as .ras does."""
    return re.match(rb"(\xef\xbb\xbf)?\s*\*RAS_DATA_START", data) is not None


def is_asc(data: bytes) -> bool:
    """Whether the file starts as .asc does."""
    return re.match(rb"(\xef\xbb\xbf)?\s*\*TYPE\s*=", data) is not None


def is_rasx(data: bytes) -> bool:
    """Whether the file is an archive with a profile in it."""
    return bool(members(data, PROFILE))


def read_ras(path: Path, data: bytes) -> xr.Dataset:
    """Read a .ras: header and points of every scan, which stand for intensity x attenuation factor.

    Returns
    -------
    xarray.Dataset
        See `coldbond.reading.read`.

    Raises
    ------
    ReadError
        The file cannot be read without guessing.
    """
    lines = _lines(path, data)
    marks = [(at, line.strip()) for at, line in enumerate(lines) if line.startswith("*RAS_")]
    order = ["*RAS_HEADER_START", "*RAS_HEADER_END", "*RAS_INT_START", "*RAS_INT_END"]
    expected, scans, places = order[0], [], {}
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
            scans.append(_scan(path, Header(path, fields, places[order[0]] + 1), lines[start:at], start + 1, "ras"))
    raise ReadError(path, len(lines), CUT.format("*RAS_DATA_END" if expected == order[0] else expected), AGAIN)


def read_rasx(path: Path, data: bytes) -> xr.Dataset:
    """Read a .rasx: the profile and the measuring conditions of every scan; see `read_ras`."""
    scans = []
    for name in members(data, PROFILE):
        conditions = re.sub(r"Profile([0-9]+)\.txt", r"MesurementConditions\1.xml", name)  # sic
        root = xml(path, member(path, data, conditions), conditions)
        pairs = [[string.text or "" for string in pair] for pair in root.iterfind(".//Pair")]
        fields = {pair[0]: pair[1] for pair in pairs if len(pair) == 2}
        for place in ("GeneralInformation", "HWConfigurations/XrayGenerator", "ScanInformation"):
            for element in root.find(place) if root.find(place) is not None else ():
                if element.tag in RASX:
                    fields[RASX[element.tag]] = (element.text or "").strip()
        distances = {(d.get("From"), d.get("To")): d.get("Value") for d in root.iterfind(".//Distance")}
        radius = distances.get(("XrayGenerator", "AttachmentStage"))
        fields |= {"instrument": text(root, "SystemName"), "radius": radius}
        lines = _lines(path, member(path, data, name))
        scans.append(_scan(path, Header(path, fields, None, RASX), lines, None, "rasx"))
    return pattern(path, scans)


def read_asc(path: Path, data: bytes) -> xr.Dataset:
    """Read a .asc: its groups' intensities, whose angles are the header's start and step; see `read_ras`."""
    general: dict[str, str] = {}
    group, rows, at = general, None, None
    scans, ended = [], False
    for line, content in enumerate(_lines(path, data), start=1):
        content = content.strip()
        field = re.fullmatch(r"\*(\w+)\s*=\s*(.*)", content)
        if content == "*END":
            if rows is None:
                raise ReadError(path, line, "a group of points ends that had no *COUNT", AGAIN)
            fields = {ASC[key]: value for key, value in group.items() if key in ASC}
            fields["*HW_XG_TARGET_NAME"] = TARGETS.get(group.get("TARGET", ""), "")
            scans.append(_scan(path, Header(path, fields, at, ASC), rows, None, "asc"))
            group, rows = general, None
        elif content == "*EOF":
            ended = True
        elif content == "*BEGIN":
            group, at = dict(general), line
        elif field:
            group[field[1]] = field[2]
            rows = [] if field[1] == "COUNT" else rows
        elif rows is not None and content:
            cells = [cell for cell in re.split(r"[,\s]+", content) if cell]
            rows.extend(numbers(path, cells, "an intensity", [line] * len(cells)))
    if rows is not None or not ended or str(len(scans)) != general.get("GROUP_COUNT", str(len(scans))):
        raise ReadError(path, line, CUT.format("*EOF" if rows is None else "*END"), AGAIN)
    return pattern(path, scans)


def _lines(path: Path, data: bytes) -> list[str]:
    for encoding in ("utf-8-sig", "cp932"):  # hardly any Shift-JIS is utf-8 by chance
        try:
            return re.split(r"\r\n|\n|\r", data.decode(encoding))
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
    raise ReadError(path, line, "holds bytes that are no text in utf-8 or Shift-JIS", AGAIN)


def _scan(path: Path, header: Header, rows: Sequence[str | float], line: int | None, kind: str) -> xr.Dataset:
    """One scan.

    Parameters
    ----------
    rows : sequence
        Lines of angle, intensity and attenuation factor; of .asc, intensities.
    line : int or None
        Of the first row.
    """
    axis = header.get("*MEAS_SCAN_AXIS_X_INTERNAL", header.get("*MEAS_SCAN_AXIS_X"))
    check_axis(path, axis, header.line)
    if not header.get("*MEAS_SCAN_UNIT_X", "deg").startswith("deg"):
        raise ReadError(path, header.line, "the angles are not in degrees", "export them in degrees")
    lines = None
    if kind == "asc":
        intensity, factor = np.array(rows), np.ones(len(rows))
        angle = header.number("*MEAS_SCAN_START") + header.number("*MEAS_SCAN_STEP") * np.arange(len(rows))
    else:
        at = [number for number, row in enumerate(rows) if row.strip()]
        cells = [rows[number].split() for number in at]
        lines = [number + line for number in at] if line is not None else [number + 1 for number in at]
        for row, of in zip(cells, lines, strict=True):
            if len(row) != 3:
                raise ReadError(path, of, f"{len(row)} columns, not angle, intensity and attenuation factor", AGAIN)
        angle, intensity, factor = (
            numbers(path, [row[column] for row in cells], name, lines)
            for column, name in enumerate(("the angle", "the intensity", "the attenuation factor"))
        )
        if (factor <= 0).any():
            raise ReadError(
                path, lines[int((factor <= 0).argmax())], "an attenuation factor that is not above 0", AGAIN
            )
    _check_points(path, header, angle, lines)
    units = unit(path, header.get("*MEAS_SCAN_UNIT_Y"), header.line)
    attrs = _attrs(path, header, kind)
    attrs["scan_axis"] = axis
    unknown = "the count time of a detector with many channels is not stated"
    one_count = factor
    if units == "count/s":
        one_count = factor / attrs["count_time"] if "count_time" in attrs else None
    return spectrum(
        path,
        "xrd",
        angle,
        intensity * factor,
        units=units,
        one_count=one_count,
        unknown=unknown,
        attrs=attrs,
        lines=lines,
    )


def _check_points(path: Path, header: Header, angle: np.ndarray, lines: list[int] | None) -> None:
    """Hold the points against what the header says of them."""
    if "*MEAS_DATA_COUNT" in header and (count := header.number("*MEAS_DATA_COUNT")) != angle.size:
        raise ReadError(path, header.line, f"{angle.size} points where the header says {count:g}", AGAIN)
    if "*MEAS_SCAN_STEP" not in header or header.get("*MEAS_SCAN_UNEQUALY_SPACED", "False").lower() == "true":
        return
    step = header.number("*MEAS_SCAN_STEP")
    if step <= 0:
        raise ReadError(path, header.line, f"a step of {step:g} degree", AGAIN)
    start = header.number("*MEAS_SCAN_START") if "*MEAS_SCAN_START" in header else angle[:1].sum()
    off = np.abs(np.abs(angle - start) - step * np.arange(angle.size)) > step / 2
    if off.any():
        at = int(off.argmax())
        reason = f"point {at + 1} at {angle[at]:g} degree, off the header's start and step"
        raise ReadError(path, lines[at] if lines else header.line, reason, AGAIN)
    if "*MEAS_SCAN_STOP" in header and abs(angle[-1] - header.number("*MEAS_SCAN_STOP")) > 1.5 * step:
        reason = f"the points end at {angle[-1]:g} degree, before the header's stop"
        raise ReadError(path, lines[-1] if lines else header.line, reason, AGAIN)


def _attrs(path: Path, header: Header, kind: str) -> dict:
    """What a header says of the measurement."""
    wave = header.get("*MEAS_COND_XG_WAVE_TYPE", "Ka").replace("α", "a")
    if wave not in ("Ka", "Ka1", "Kalpha", "Kalpha1"):
        raise ReadError(path, header.line, f"measured with {wave!r}, not K-alpha", "give a scan with K-alpha radiation")
    if header.get("*HW_XG_WAVE_LENGTH_UNIT", "Angstrom") not in ("Angstrom", "Å"):
        raise ReadError(path, header.line, "the wavelengths are not in angstrom", "export them in angstrom")
    kalpha1 = header.number("*HW_XG_WAVE_LENGTH_ALPHA1")
    kalpha2 = None if wave.endswith("1") else header.number("*HW_XG_WAVE_LENGTH_ALPHA2")
    attrs = {"format": f"rigaku-{kind}"} | wavelengths(kalpha1, kalpha2 or None)
    attrs["instrument"] = " ".join(filter(None, ["Rigaku", header.get("instrument")]))
    named = {
        "anode": "*HW_XG_TARGET_NAME",
        "detector": "*HW_COUNTER_SELECT_NAME",
        "scan_mode": "*MEAS_SCAN_MODE",
        "sample_name": "*FILE_SAMPLE",
    }
    attrs |= {name: header[key] for name, key in named.items() if key in header}
    if "*MEAS_SCAN_STEP" in header:
        attrs["step"] = header.number("*MEAS_SCAN_STEP")
    # Distances of a .ras run as those that a .rasx names: the fourth is source to sample, the sixth sample to slit.
    source, slit = (header.get(f"*HW_GONIOMETER_RADIUS-{place}") for place in (3, 5))
    radius = header.get("radius") or (source if source == slit and "*HW_GONIOMETER_RADIUS-7" in header else None)
    if radius:
        attrs["goniometer_radius"] = number(path, radius, "goniometer radius", header.line)
    if "*MEAS_SCAN_SPEED" in header:
        speed, per = header.number("*MEAS_SCAN_SPEED"), header.get("*MEAS_SCAN_SPEED_UNIT", "").lower()
        if speed > 0 and per.startswith("sec"):
            attrs["count_time"] = speed
        elif speed > 0 and re.match(r"deg\w*\.?/min", per):
            attrs["scan_speed"] = speed  # degree/min
            if "step" in attrs and re.match(POINT_COUNTER, attrs.get("detector", "")):
                attrs["count_time"] = 60 * attrs["step"] / speed
    return attrs
