"""Powder patterns of PANalytical diffractometers, schema versions 1.x and 2.x (.xrdml).

File structure
--------------
One XML document: `xrdMeasurement` holds the wavelengths, the beam path and the scans, each with its positions and
either `counts` or `intensities`. Positions, counting times and attenuation factors are listed or common to all points.
By the schema, `intensities` are corrected for the beam attenuator and `counts` are not.

Schema
------
xarray.Dataset: `intensity` over `two_theta` [degree], all scans joined to one pattern (see `scans.pattern`), with the
attrs `wavelength_kalpha1`, `wavelength_kalpha2` [angstrom], `kalpha2_ratio`, `anode`, `instrument`, `detector`,
`scan_axis`, `scan_mode`, `step` [degree], `count_time` [s], `goniometer_radius` [mm] and `sample_name`.

Uncertainties
-------------
`one_count` is the attenuation factor for counts, and this factor divided by the counting time for rates. Counts whose
counting times differ from point to point become count/s.
"""

import math
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import numpy as np
import xarray as xr

from coldbond.files.archive import text, xml
from coldbond.files.diffraction.scans import check_axis, pattern, unit, wavelengths
from coldbond.files.errors import ReadError
from coldbond.files.format import Checked, Format, Stated
from coldbond.files.numerals import AGAIN, number, numbers
from coldbond.files.spectrum import spectrum

#: Bytes within which the root element must stand.
ROOT_WITHIN = 4096
#: Decimals of a step [degree].
STEP_DECIMALS = 6
#: Last digit of the angles [degree] that the file states, and the digit to which steps are set.
ANGLE_DIGIT = 1e-8
ROUND_STEP = 1e-5
#: Points from which a step is known well enough to tell these apart from others.
MANY_POINTS = 500
#: Width [mm] of a strip of the detectors PIXcel and X'Celerator, and the parts of it by which scans step. Checked on
#: scans at radii of 145 and 240 mm, whose steps are a half and one of atan(0.055 mm / radius).
STRIPS = (0.055, 0.07)
PARTS = (1, 2, 3, 4)
#: Numbers of points that may be missing, or too many.
MISSING = (1, 2, 3, 4, 5, -1, -2)


def is_xrdml(data: bytes) -> bool:
    """Return whether the root element is that of .xrdml."""
    return b"<xrdMeasurements" in data[:ROOT_WITHIN]


def read_xrdml(path: Path, data: bytes, stated: Stated) -> xr.Dataset:
    """Read every scan of every measurement."""
    root = xml(path, data)
    scans = [
        _scan(path, root, measurement, scan)
        for measurement in root.iterfind("{*}xrdMeasurement")
        for scan in measurement.iterfind("{*}scan")
    ]
    return pattern(path, scans)


def _scan(path: Path, root: Element, measurement: Element, scan: Element) -> xr.Dataset:
    """Return one scan."""
    check_axis(path, scan.get("scanAxis"))
    if scan.get("status", "Completed") != "Completed":
        reason = (
            f"a scan of status {scan.get('status')!r}, which may state the planned end and not the end that was reached"
        )
        raise ReadError(path, None, reason, "let the scan complete, or export the points as a table")
    points = scan.find("{*}dataPoints")
    counts = points.find("{*}counts") if points is not None else None
    element = points.find("{*}intensities") if points is not None and counts is None else counts
    if points is None or element is None:
        raise ReadError(path, None, "a scan without counts or intensities", AGAIN)
    if counts is not None and any("ivergenceCorrection" in child.tag for child in points):
        raise ReadError(
            path, None, "counts that are still to be corrected for the divergence slit", "export intensities"
        )
    values = numbers(path, (element.text or "").split(), "the intensity")
    if values.size < 2:
        raise ReadError(path, None, f"a scan of {values.size} points", AGAIN)
    units = unit(path, element.get("unit"))
    attenuation = _each(path, points, "BeamAttenuationFactor", "beamAttenuationFactors", values.size)
    factor = np.ones(values.size) if attenuation is None else attenuation
    time = _each(path, points, "CountingTime", "countingTimes", values.size)
    attrs = _attrs(path, root, measurement, scan)
    intensity = values * factor if counts is not None else values
    one_count: np.ndarray | None = factor
    if time is not None and np.ptp(time) > 0:
        if units == "count":
            units, intensity = "count/s", intensity / time
    elif time is not None:
        attrs["count_time"] = float(time[0])
    if units == "count/s":
        one_count = None if time is None else factor / time
    angle = _positions(path, points, values.size)
    if text(points, "listPositions") is None:
        _check_step(path, float(abs(angle[-1] - angle[0])), values.size, attrs.get("goniometer_radius"))
    attrs["step"] = round(abs(float(angle[-1] - angle[0])) / (angle.size - 1), STEP_DECIMALS)
    unknown = "the file does not state the count time of its rates"
    return spectrum(path, "xrd", angle, intensity, units=units, one_count=one_count, unknown=unknown, attrs=attrs)


def _each(path: Path, points: Element, common: str, listed: str, size: int) -> np.ndarray | None:
    """Return a positive quantity of every point, listed or common to all; None where the file has neither."""
    cells = (text(points, listed) or text(points, f"common{common}") or "").split()
    if not cells:
        return None
    values = numbers(path, cells, listed)
    if text(points, listed) is not None and values.size != size:
        raise ReadError(path, None, f"{values.size} {listed} for {size} points", AGAIN)
    if (values <= 0).any():
        raise ReadError(path, None, f"{listed} that are not positive", AGAIN)
    return np.broadcast_to(values, size)


def _positions(path: Path, points: Element, size: int) -> np.ndarray:
    """Return 2θ [degree] of every point."""
    positions = next((element for element in points.iterfind("{*}positions") if element.get("axis") == "2Theta"), None)
    if positions is None:
        raise ReadError(path, None, "a scan without positions of 2Theta", AGAIN)
    if positions.get("unit") != "deg":
        raise ReadError(path, None, f"2Theta in {positions.get('unit')!r}", "export it in degrees")
    if (listed := text(positions, "listPositions")) is not None:
        angles = numbers(path, listed.split(), "2Theta")
        if angles.size != size:
            raise ReadError(path, None, f"{angles.size} listed positions for {size} points", AGAIN)
        return angles
    start, end = (
        number(path, text(positions, f"{end}Position"), f"{end}Position of 2Theta") for end in ("start", "end")
    )
    return np.linspace(start, end, size)


def _check_step(path: Path, extent: float, size: int, radius: float | None) -> None:
    """Refuse a scan of which intensities are missing: the file states its ends and not the number of its points.

    The step then is none that an instrument makes, and it would be one with a few points more or fewer. Instruments
    step by decimal numbers, or by whole fractions of the angle that a strip of their detector spans.
    """

    strips = [math.degrees(math.atan(strip / radius)) / part for strip in STRIPS for part in PARTS] if radius else []

    def is_usual(points: int) -> bool:
        if points < 2 or not extent < 360:
            return False
        step, error = extent / (points - 1), ANGLE_DIGIT / (points - 1)
        digit = ANGLE_DIGIT if abs(points - size) <= 1 and points > MANY_POINTS else ROUND_STEP
        decimal = abs(step - digit * round(step / digit)) <= error
        return decimal or any(
            points > MANY_POINTS
            and round(step / strip) > 0
            and abs(step / strip / round(step / strip) - 1) < 0.25 / points
            for strip in strips
        )

    other = next((size + more for more in MISSING if is_usual(size + more)), None)
    if not is_usual(size) and other is not None:
        reason = f"{size} intensities over {extent:g} degree, where the step of the instrument gives {other}"
        raise ReadError(path, None, reason, AGAIN)


def _attrs(path: Path, root: Element, measurement: Element, scan: Element) -> dict[str, Any]:
    """Return the measuring conditions under the names of the data model."""
    used = measurement.find("{*}usedWavelength")
    if used is not None and used.get("intended", "K-Alpha") not in ("K-Alpha", "K-Alpha 1"):
        reason = f"measured with {used.get('intended')}, not K-Alpha"
        raise ReadError(path, None, reason, "use a scan with K-Alpha radiation")
    lines: dict[str, float] = {}
    for name in ("kAlpha1", "kAlpha2", "ratioKAlpha2KAlpha1"):
        element = used.find(f"{{*}}{name}") if used is not None else None
        if element is not None and (element.text or "").strip() and element.get("unit", "Angstrom") == "Angstrom":
            lines[name] = number(path, element.text, name)
    # "K-Alpha 1" is also the name by which d-values are computed where both lines are there.
    alone = used is not None and used.get("intended") == "K-Alpha 1" and used.find("{*}kAlpha2") is None
    beam = measurement.find("{*}incidentBeamPath")
    attrs: dict[str, Any] = {"format": "panalytical-xrdml"} | wavelengths(
        lines.get("kAlpha1"), lines.get("kAlpha2"), lines.get("ratioKAlpha2KAlpha1"), alone=alone
    )
    attrs |= {
        "anode": text(beam, "anodeMaterial"),
        "instrument": " ".join(filter(None, ["PANalytical", text(scan, "instrumentControlSoftware")])),
        "scan_axis": scan.get("scanAxis"),
        "scan_mode": scan.get("mode"),
        "sample_name": text(root.find("{*}sample"), "name"),
    }
    detector = measurement.find(".//{*}detector")
    if detector is not None:
        attrs["detector"] = detector.get("name")
    radius = beam.find("{*}radius") if beam is not None else None
    if radius is not None and radius.get("unit") == "mm":
        attrs["goniometer_radius"] = number(path, radius.text, "radius")
    return {name: value for name, value in attrs.items() if value}


FORMAT = Format(
    name="PANalytical .xrdml",
    vendors="Malvern Panalytical",
    techniques=("xrd",),
    extensions=(".xrdml",),
    recognise=is_xrdml,
    read=read_xrdml,
    reads="scans of 2theta, joined to one pattern; scans that did not complete are refused",
    checked=(
        Checked("xrd-panalytical-xrdml/XRD-918-16_10.xrdml", "Apache-2.0", "geddes"),
        *(
            Checked(f"xrd-dara-mixtures/{mixture}--8min.xrdml", "MIT", "a plain parse")
            for mixture in (
                "In2O3_0p3022-La(OH)3_0p5014-TiO2_0p2004",
                "Li2CO3_0p9001-ZrO2_0p1000",
                "V2O5_0p2013-La(OH)3_0p5000-ZrO2_0p3001",
            )
        ),
    ),
)
