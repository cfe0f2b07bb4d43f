"""Scans of Rigaku diffractometers: what .ras, .rasx and .asc have in common.

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

from coldbond.files.diffraction.scans import check_axis, unit, wavelengths
from coldbond.files.errors import ReadError
from coldbond.files.numerals import number, numbers
from coldbond.files.spectrum import spectrum

CUT_OFF = "cut off: no line {} follows"
AGAIN = "export the complete file again"
#: Detectors that see one angle at a time.
POINT_COUNTER = r"(?i)(sc\b|sc[-_ ]?[0-9]|.*scintill|.*proportional)"
#: The key of a field in each of `KINDS`; .rasx also holds some under the keys of .ras.
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
KINDS = ("ras", "rasx", "asc")


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
        self.keys_here = {name: keys[KINDS.index(kind)] or keys[0] for name, keys in KEYS.items()}
        super().__init__({name: fields[key] for name, key in self.keys_here.items() if fields.get(key)})

    def number(self, name: str) -> float:
        """Return a field as a number."""
        return number(self.path, self.get(name), self.keys_here[name], self.line)


def lines_of(path: Path, data: bytes) -> list[str]:
    """Return the lines of a text in utf-8 or Shift-JIS (cp932), which is hardly ever valid utf-8 by chance."""
    line = 1
    for encoding in ("utf-8-sig", "cp932"):
        try:
            return re.split(r"\r\n|\n|\r", data.decode(encoding))
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
    raise ReadError(path, line, "holds bytes that are not text in utf-8 or Shift-JIS", AGAIN)


def scan(header: Header, rows: Sequence[str] | Sequence[float], line: int = 1) -> xr.Dataset:
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
    attrs: dict[str, Any] = {"format": f"rigaku-{header.kind}"}
    if header.get("length", "Angstrom") in ("Angstrom", "Å"):
        kalpha1, kalpha2 = (header.number(name) if name in header else None for name in ("kalpha1", "kalpha2"))
        attrs |= wavelengths(kalpha1, kalpha2, alone=line.endswith("1"))
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
