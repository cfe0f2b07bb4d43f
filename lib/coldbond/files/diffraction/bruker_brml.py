"""Powder patterns of Bruker diffractometers, written by DIFFRAC.SUITE (.brml).

File structure
--------------
A zip archive of XML documents. `Experiment*/RawData*.xml` holds the measuring conditions and, in each `DataRoute`, the
points (`Datum`): rows of numbers, whose meaning the `DataViews` of the route describe. `DataContainer.xml` lists the
raw data that belong to the experiment. The counts are corrected for the absorber, whose factor stands beside them.

Schema
------
xarray.Dataset: `intensity` over `two_theta` [degree], the measured routes joined to one pattern (see `scans.pattern`),
with the attrs `wavelength_kalpha1`, `wavelength_kalpha2` [angstrom], `kalpha2_ratio`, `anode`, `instrument`,
`detector`, `scan_axis`, `scan_mode`, `step` [degree], `count_time` [s], `goniometer_radius` [mm] and `sample_name`.

Uncertainties
-------------
`one_count` is the absorber's factor for counts. Where the measured times of the points differ the intensity is a rate,
count/s, and `one_count` is the factor divided by the time.
"""

from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import numpy as np
import xarray as xr

from coldbond.files.archive import member, members, text, xml
from coldbond.files.diffraction.scans import check_axis, pattern, wavelengths
from coldbond.files.errors import ReadError
from coldbond.files.format import Checked, Format, Stated
from coldbond.files.numerals import AGAIN, number, numbers
from coldbond.files.spectrum import spectrum

RAW = r"Experiment[0-9]+/RawData[0-9]+\.xml"
TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
#: Relative spread of the measured times of points that count as equal.
SAME_TIME = 1e-3
#: Decimals of a step [degree].
STEP_DECIMALS = 6


def is_brml(data: bytes) -> bool:
    """Return whether the file is an archive with raw data of an experiment."""
    return bool(members(data, RAW))


def read_brml(path: Path, data: bytes, stated: Stated) -> xr.Dataset:
    """Read the measured scans of all raw data."""
    names = members(data, RAW)
    for container in members(data, r"Experiment[0-9]+/DataContainer\.xml"):
        listed = xml(path, member(path, data, container), container).iterfind(".//RawDataReferenceList/string")
        for missing in {element.text for element in listed} - set(names):
            raise ReadError(path, None, f"the archive lacks {missing}, which {container} lists", AGAIN)
    scans = []
    for name in names:
        root = xml(path, member(path, data, name), name)
        routes = root.findall("DataRoutes/DataRoute")
        measured = [route for route in routes if route.get("RouteFlag", "Measured") == "Measured"]
        if not measured:
            raise ReadError(path, None, f"no measured data in {name}", AGAIN)
        scans += [_scan(path, name, root, route) for route in measured]
    return pattern(path, scans)


def _scan(path: Path, name: str, root: Element, route: Element) -> xr.Dataset:
    """Return one scan, the points of a data route."""
    axes = [axis.get("AxisId") or "" for axis in route.iterfind("ScanInformation/ScanAxes/ScanAxisInfo")]
    check_axis(path, "TwoTheta" if "TwoTheta" in axes else next(iter(axes), None))
    columns, width = _columns(path, name, route)
    rows = [(datum.text or "").split(",") for datum in route.iterfind("Datum")]
    widths = {len(row) for row in rows}
    if len(rows) < 2 or widths != {width}:
        reason = f"{len(rows)} points of {sorted(widths)} numbers in {name}, which describes {width}"
        raise ReadError(path, None, reason, AGAIN)
    steps = [step.get("MeasuredSteps") for step in route.iterfind("SubScans/SubScanInfo")]
    counts = steps or [text(route, "MeasurementPoints")]
    expected = sum(number(path, count, "MeasurementPoints") for count in counts)
    if len(rows) != expected:
        raise ReadError(path, None, f"{len(rows)} points in {name}, which says {expected:g}", AGAIN)

    def column(key: str) -> np.ndarray:
        return numbers(path, [row[columns[key]] for row in rows], key)

    angle, intensity, time, absorption = map(column, ("TwoTheta", "counts", "MeasuredTime", "AbsorptionFactor"))
    if (time <= 0).any() or (absorption <= 0).any():
        raise ReadError(path, None, f"a measured time or absorption factor in {name} that is not positive", AGAIN)
    attrs = _attrs(path, root, route) | {"scan_axis": "-".join(axes)}
    units, one_count = "count", absorption
    if np.ptp(time) > SAME_TIME * time.max():
        units, one_count, intensity = "count/s", absorption / time, intensity / time
    else:
        attrs["count_time"] = number(path, text(route, "TimePerStepEffective") or str(time[0]), "TimePerStepEffective")
    attrs["step"] = round(float(np.median(np.abs(np.diff(angle)))), STEP_DECIMALS)
    scan = spectrum(path, "xrd", angle, intensity, units=units, one_count=one_count, attrs=attrs)
    if units == "count/s" and "one_count" not in scan:
        # Counts that were scaled to one time are no whole multiples of the factor any more.
        reason = f"the times of the points in {name} differ, and their counts may have been scaled to one time"
        raise ReadError(path, None, reason, "export a scan with one time for all points")
    return scan


def _columns(path: Path, name: str, route: Element) -> tuple[dict[str | None, int], int]:
    """Return the position of each quantity in a point (axes, time, absorption factor, `counts`), and its length."""
    columns: dict[str | None, int] = {}
    counters: list[tuple[int, int, Element]] = []
    width = 0
    for view in route.iterfind("DataViews/RawDataView"):
        start, length = (int(number(path, view.get(key), key)) for key in ("Start", "Length"))
        width = max(width, start + length)
        if view.get(TYPE) == "FixedRawDataView":
            columns[view.get("LogicName")] = start
        elif view.get(TYPE) == "VaryingRawDataView":
            for place, field in enumerate(view.iterfind("Varying/FieldDefinitions")):
                columns[field.get("AxisId")] = start + place
        elif view.get(TYPE) == "RecordedRawDataView":
            counters.append((start, length, view))
    if len(counters) != 1 or counters[0][1] != 1:
        reason = f"{name} records {len(counters)} counters of {[length for _, length, _ in counters]} channels, not one"
        raise ReadError(path, None, reason, "export the scan with one intensity per point")
    unit = counters[0][2].find("Recording/Unit")
    if unit is None or unit.get("Base") != "Counts":
        reason = f"the unit of the intensities is {unit.get('Base') if unit is not None else None!r}"
        raise ReadError(path, None, reason, "export them in counts")
    columns["counts"] = counters[0][0]
    for key in ("TwoTheta", "MeasuredTime", "AbsorptionFactor"):
        if not 0 <= columns.get(key, -1) < width:
            raise ReadError(path, None, f"{name} has no column {key}", AGAIN)
    return columns, width


def _attrs(path: Path, root: Element, route: Element) -> dict[str, Any]:
    """Return the measuring conditions under the names of the data model."""
    lines: dict[str, float] = {}
    for key in ("WaveLengthAlpha1", "WaveLengthAlpha2", "WaveLengthRatio"):
        element = root.find(f".//Tube/{key}")
        if element is not None and (key == "WaveLengthRatio" or element.get("Unit") == "Å"):
            lines[key] = number(path, element.get("Value"), key)
    radius = root.find(".//PrimaryTracks/TrackInfoData/Radius")
    sample = next((item for item in root.iterfind(".//InfoItem") if item.get("Name") == "SampleName"), None)
    detector = root.find(".//Detectors/InfoData")
    attrs: dict[str, Any] = {"format": "bruker-brml"} | wavelengths(
        lines.get("WaveLengthAlpha1"), lines.get("WaveLengthAlpha2"), lines.get("WaveLengthRatio")
    )
    attrs |= {
        "anode": text(root, "TubeMaterial"),
        "instrument": " ".join(filter(None, ["Bruker", text(root, "GoniometerType")])),
        "detector": detector.get("VisibleName") if detector is not None else None,
        "scan_mode": text(route, "ScanMode"),
        "sample_name": sample.get("Value") if sample is not None else None,
    }
    if radius is not None and radius.get("Unit") == "mm":
        attrs["goniometer_radius"] = number(path, radius.get("Value"), "Radius")
    return {key: value for key, value in attrs.items() if value}


FORMAT = Format(
    name="Bruker .brml",
    vendors="Bruker",
    techniques=("xrd",),
    extensions=(".brml",),
    recognise=is_brml,
    read=read_brml,
    reads="measured scans of 2theta, joined to one pattern",
    checked=(Checked("xrd-bruker-brml/23-012-AG.brml", "Apache-2.0", "geddes"),),
)
