"""PANalytical diffractometers: .xrdml."""

from pathlib import Path
from xml.etree.ElementTree import Element

import numpy as np
import xarray as xr

from coldbond.files.archive import text, xml
from coldbond.files.errors import ReadError
from coldbond.files.scans import check_axis, number, numbers, pattern, unit, wavelengths
from coldbond.files.spectrum import spectrum

AGAIN = "export it again"


def is_xrdml(data: bytes) -> bool:
    """Whether the file's first element is that of .xrdml."""
    return b"<xrdMeasurements" in data[:4096]


def read_xrdml(path: Path, data: bytes) -> xr.Dataset:
    """Read an .xrdml of version 1.x or 2.x: every scan of every measurement in it.

    `intensities` are corrected for the beam attenuator, `counts` are not (XRDML schema 2.0, PANalytical).

    Returns
    -------
    xarray.Dataset
        See `coldbond.files.read`.

    Raises
    ------
    ReadError
        The file cannot be read without guessing.
    """
    root = xml(path, data)
    scans = [
        _scan(path, root, measurement, scan)
        for measurement in root.iterfind("{*}xrdMeasurement")
        for scan in measurement.iterfind("{*}scan")
    ]
    return pattern(path, scans)


def _scan(path: Path, root: Element, measurement: Element, scan: Element) -> xr.Dataset:
    check_axis(path, scan.get("scanAxis"))
    if scan.get("status", "Completed") != "Completed":
        reason = f"a scan of status {scan.get('status')!r}, whose end may be that planned, not that reached"
        raise ReadError(path, None, reason, "let the scan complete, or export the points as a table")
    points = scan.find("{*}dataPoints")
    found = [(kind, points.find(f"{{*}}{kind}")) for kind in ("counts", "intensities")] if points is not None else []
    kind, element = next(((kind, element) for kind, element in found if element is not None), (None, None))
    if element is None:
        raise ReadError(path, None, "a scan without counts or intensities", AGAIN)
    if kind == "counts" and any("ivergenceCorrection" in child.tag for child in points):
        raise ReadError(path, None, "counts with a divergence correction yet to be made", "export intensities")
    values = numbers(path, (element.text or "").split(), "the intensity")
    if values.size < 2:
        raise ReadError(path, None, f"a scan of {values.size} points", AGAIN)
    units = unit(path, element.get("unit"))
    factor = _each(path, points, "BeamAttenuationFactor", "beamAttenuationFactors", values.size)
    factor = np.ones(values.size) if factor is None else factor
    time = _each(path, points, "CountingTime", "countingTimes", values.size)
    attrs = _attrs(path, root, measurement, scan)
    intensity = values * factor if kind == "counts" else values
    one_count = factor
    if time is not None and np.ptp(time) > 0:
        if units == "count":
            units, intensity = "count/s", intensity / time
    elif time is not None:
        attrs["count_time"] = float(time[0])
    if units == "count/s":
        one_count = None if time is None else factor / time
    angle = _positions(path, points, values.size)
    attrs["step"] = round(abs(float(angle[-1] - angle[0])) / (angle.size - 1), 6)
    unknown = "the file does not state the count time of its rates"
    return spectrum(path, "xrd", angle, intensity, units=units, one_count=one_count, unknown=unknown, attrs=attrs)


def _each(path: Path, points: Element, common: str, listed: str, size: int) -> np.ndarray | None:
    """A positive quantity of every point, listed or common to all; None where the file has neither."""
    cells = (text(points, listed) or text(points, f"common{common}") or "").split()
    if not cells:
        return None
    values = numbers(path, cells, listed)
    if text(points, listed) is not None and values.size != size:
        raise ReadError(path, None, f"{values.size} {listed} for {size} points", AGAIN)
    if (values <= 0).any():
        raise ReadError(path, None, f"{listed} that are not above 0", AGAIN)
    return np.broadcast_to(values, size)


def _positions(path: Path, points: Element, size: int) -> np.ndarray:
    """2θ of every point."""
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
    ends = (number(path, text(positions, f"{end}Position"), f"{end}Position of 2Theta") for end in ("start", "end"))
    return np.linspace(*ends, size)


def _attrs(path: Path, root: Element, measurement: Element, scan: Element) -> dict:
    """What the file says of the measurement."""
    used = measurement.find("{*}usedWavelength")
    if used is not None and used.get("intended", "K-Alpha") not in ("K-Alpha", "K-Alpha 1"):
        reason = f"measured with {used.get('intended')}, not K-Alpha"
        raise ReadError(path, None, reason, "give a scan with K-Alpha radiation")
    for element in used if used is not None else ():
        if element.get("unit", "Angstrom") != "Angstrom":
            raise ReadError(path, None, f"a wavelength in {element.get('unit')}", "export it in angstrom")
    kalpha1, kalpha2 = (number(path, text(used, f"kAlpha{line}"), f"kAlpha{line}") for line in (1, 2))
    ratio = number(path, text(used, "ratioKAlpha2KAlpha1"), "ratioKAlpha2KAlpha1")
    beam = measurement.find("{*}incidentBeamPath")
    attrs = {"format": "panalytical-xrdml"} | wavelengths(path, kalpha1, kalpha2, ratio)
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
