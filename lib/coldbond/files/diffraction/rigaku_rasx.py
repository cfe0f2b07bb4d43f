"""Powder patterns of Rigaku's SmartLab Studio II (.rasx).

File structure
--------------
A zip archive: `Data*/Profile*.txt` with rows of angle, intensity and attenuation factor, and
`Data*/MesurementConditions*.xml` (spelled so) with the header.

Schema and uncertainties are those of `rigaku`.
"""

import re
from pathlib import Path

import xarray as xr

from coldbond.files.archive import member, members, xml
from coldbond.files.diffraction.rigaku import Header, lines_of, scan
from coldbond.files.diffraction.scans import pattern
from coldbond.files.format import Checked, Format, Stated

PROFILE = r"Data[0-9]+/Profile[0-9]+\.txt"


def is_rasx(data: bytes) -> bool:
    """Return whether the file is an archive with a profile."""
    return bool(members(data, PROFILE))


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
        scans.append(scan(Header(path, "rasx", fields, None), lines_of(path, member(path, data, name)), 1))
    return pattern(path, scans)


FORMAT = Format(
    name="Rigaku .rasx",
    vendors="Rigaku",
    techniques=("xrd",),
    extensions=(".rasx",),
    recognise=is_rasx,
    read=read_rasx,
    reads="scans of 2theta, joined to one pattern",
    checked=(
        Checked("xrd-rigaku-rasx-powder/TwoTheta_scan_powder.rasx", "Apache-2.0", "geddes"),
        Checked("xrd-zno-counts-rasx/ZnO-ALD-training_001_1_0-000_0-000.rasx", "Apache-2.0", "a plain parse"),
    ),
)
