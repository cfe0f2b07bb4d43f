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

from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import numpy as np
import xarray as xr

from coldbond.files.archive import text, xml
from coldbond.files.diffraction.scans import check_axis, pattern, unit, wavelengths
from coldbond.files.errors import ReadError
from coldbond.files.format import Format, Stated
from coldbond.files.numerals import AGAIN, number, numbers
from coldbond.files.spectrum import spectrum

#: Bytes within which the root element must stand.
ROOT_WITHIN = 4096
#: Decimals of a step [degree].
STEP_DECIMALS = 6


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


def _attrs(path: Path, root: Element, measurement: Element, scan: Element) -> dict[str, Any]:
    """Return the measuring conditions under the names of the data model."""
    used = measurement.find("{*}usedWavelength")
    if used is not None and used.get("intended", "K-Alpha") not in ("K-Alpha", "K-Alpha 1"):
        reason = f"measured with {used.get('intended')}, not K-Alpha"
        raise ReadError(path, None, reason, "use a scan with K-Alpha radiation")
    for element in used if used is not None else ():
        if element.get("unit", "Angstrom") != "Angstrom":
            raise ReadError(path, None, f"a wavelength in {element.get('unit')}", "export it in angstrom")
    kalpha1, kalpha2 = (number(path, text(used, f"kAlpha{line}"), f"kAlpha{line}") for line in (1, 2))
    ratio = number(path, text(used, "ratioKAlpha2KAlpha1"), "ratioKAlpha2KAlpha1")
    beam = measurement.find("{*}incidentBeamPath")
    attrs: dict[str, Any] = {"format": "panalytical-xrdml"} | wavelengths(path, kalpha1, kalpha2, ratio)
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
    reads="scans of 2theta, joined to one pattern",
)
