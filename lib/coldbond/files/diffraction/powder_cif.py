"""Powder patterns in CIF (pdCIF, International Tables for Crystallography G, 2005, chapter 3.3).

File structure
--------------
Data blocks of tags and loops. The measured pattern is a loop of intensities, with a loop of angles or a start and a
step. Calculated patterns beside it are not read. The block states the number of points or the end of the range; without
one of them a loop that was cut off looks complete, and the file is refused.

Schema
------
xarray.Dataset: `intensity` over `two_theta` [degree], with the attrs `wavelength_kalpha1`, `wavelength_kalpha2`
[angstrom], `kalpha2_ratio`, `anode`, `instrument`, `detector`, `goniometer_radius` [mm] and `sample_name`. Where the
file names the anode and no wavelength, that of Hoelzer et al. 1997 is taken and `wavelength_source` says so.

Uncertainties
-------------
`one_count` is 1 for `_pd_meas_counts_total`. Rates are counts N in an unknown time t; the time of each region is found
from the weights, or from the standard uncertainties, where these are t^2 / (N + 1) (Mendenhall 2018, doi
10.1017/S0885715618000726) or t^2 / N. It is kept where all rates then are whole counts.
"""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from coldbond.files.diffraction.scans import wavelengths
from coldbond.files.encoding import HEAD
from coldbond.files.errors import NO_LINE_BREAK, ReadError
from coldbond.files.format import Checked, Format, Stated
from coldbond.files.numerals import number
from coldbond.files.spectrum import spectrum
from coldbond.files.stated import KALPHA

if TYPE_CHECKING:
    from gemmi import cif

ANGLES = ("_pd_meas_2theta_scan", "_pd_proc_2theta_corrected")
RANGES = ("_pd_meas_2theta_range", "_pd_proc_2theta_range")  # of which _min and _inc give the angles
#: Measured intensities and their units, where the dictionary fixes one.
INTENSITIES = {"_pd_meas_counts_total": "count", "_pd_meas_intensity_total": "", "_pd_proc_intensity_total": ""}
#: A region of a scan, counted for one time, ends where the step exceeds this many times its median, or where ln t
#: changes by more than this: weights of few digits give the times of neighbours to a few per cent.
GAP = 3.0
NEW_TIME = 0.1
#: Decimals [s] of a count time that are tried, and the deviation from a whole number of counts that is accepted beyond
#: the rounding of the rate.
TIME_DECIMALS = (0, 1, 2, 3)
COUNT_ROUNDING = 0.02
AGAIN = "export the complete file again"


def is_powder_cif(data: bytes) -> bool:
    """Return whether the file is a CIF with intensities of a powder pattern."""
    if not re.search(rb"(?m)^\s*data_[^\s]+\b", data[:HEAD]):  # the rest of a long file of another kind is not searched
        return False
    return re.search(rf"(?m)^\s*({'|'.join(INTENSITIES)})\b".encode(), data) is not None


def read_powder_cif(path: Path, data: bytes, stated: Stated) -> xr.Dataset:
    """Read the measured pattern."""
    from gemmi import cif

    if not data[-1:].isspace():
        raise ReadError(path, data.count(b"\n") + 1, *NO_LINE_BREAK)
    try:
        document = cif.read_string(data.decode())
    except (ValueError, RuntimeError) as error:
        line = re.search(r":(\d+)[:(]", str(error))
        raise ReadError(path, int(line[1]) if line else None, f"not a complete CIF ({error})", AGAIN) from None
    found = [(block, *names) for block in document if (names := _names(block)) is not None]
    if len(found) != 1:
        reason = f"the file holds {len(found)} measured patterns ({', '.join(block.name for block, *_ in found)})"
        raise ReadError(path, None, reason, "leave one of them in the file")
    block, angle, intensity = found[0]
    intensities = np.array([cif.as_number(cell) for cell in block.find_values(intensity)])
    if angle in ANGLES:
        angles = np.array([cif.as_number(cell) for cell in block.find_values(angle)])
    else:
        start, step = (number(path, block.find_value(f"{angle}_{key}"), f"{angle}_{key}") for key in ("min", "inc"))
        angles = start + step * np.arange(intensities.size)
    _check_points(path, block, angles)
    units = "count"
    one_count: np.ndarray | None = np.ones(intensities.size)
    if INTENSITIES[intensity] != units:
        time = _count_times(block, angles, intensities, intensity)
        units, one_count = ("arbitrary", None) if time is None else ("count/s", 1 / time)
    unknown = "the file does not say that its intensities are counts or count rates"
    attrs = {"format": "powder-cif"} | _attrs(path, document, block)
    return spectrum(path, "xrd", angles, intensities, units=units, one_count=one_count, unknown=unknown, attrs=attrs)


def _names(block: "cif.Block") -> tuple[str, str] | None:
    """Return the tags of a block's angles and measured intensities; None where it holds no measured pattern."""
    listed = (key for key in ANGLES if len(block.find_values(key)) > 1)
    angle = next(listed, next((key for key in RANGES if block.find_value(f"{key}_inc")), None))
    intensity = next((key for key in INTENSITIES if len(block.find_values(key)) > 1), None)
    calculated = f"{block.name}|{block.find_value('_pd_block_id') or ''}|".lower()
    if angle is None or intensity is None or re.search(r"[_|]calc[|]", calculated):
        return None
    return angle, intensity


def _check_points(path: Path, block: "cif.Block", angles: np.ndarray) -> None:
    """Compare the points with what the block states: the end of a loop does not show whether it was cut off."""
    ends = [block.find_value(f"_pd_{kind}_2theta_range_max") for kind in ("proc", "meas")]
    end = next((cell for cell in ends if cell), None)
    counts = [block.find_value(f"_pd_{kind}_number_of_points") for kind in ("proc", "meas")]
    count = next((cell for cell in counts if cell), None)
    if count is None and end is None:
        reason = (
            "it has neither _pd_proc_number_of_points nor _pd_proc_2theta_range_max, so that the loop may be incomplete"
        )
        raise ReadError(path, None, reason, "add one of them")
    if count is not None and number(path, count, "_pd_proc_number_of_points") != angles.size:
        raise ReadError(path, None, f"{angles.size} points where _pd_proc_number_of_points is {count}", AGAIN)
    if end is not None and angles.size > 1:
        reached, last = number(path, end, "_pd_proc_2theta_range_max"), max(angles[0], angles[-1])
        if not abs(reached - last) < 0.5 * abs(angles[-1] - angles[-2]):
            raise ReadError(path, None, f"the points end at {last:g} degree, not at the stated {reached:g}", AGAIN)


def _count_times(block: "cif.Block", angles: np.ndarray, rates: np.ndarray, key: str) -> np.ndarray | None:
    """Return the count time [s] of every point from the weights or uncertainties; None where these do not give it."""
    from gemmi import cif

    cells = list(block.find_values(key))
    weights = np.array([cif.as_number(cell) for cell in block.find_values("_pd_proc_ls_weight")])
    if weights.size == 0:
        weights = np.array([_uncertainty(cell) for cell in cells]) ** -2.0
    if weights.size != rates.size or not ((weights > 0) & np.isfinite(weights)).all() or angles.size < 2:
        return None
    half_a_digit = 0.5 * 10.0 ** -max(len(re.sub(r".*\.|\(.*|[eE].*", "", cell)) * ("." in cell) for cell in cells)
    steps = np.abs(np.diff(angles))
    for surplus in (1, 0):
        # weight = t^2 / (rate t + surplus), solved for t
        times = (weights * rates + np.sqrt((weights * rates) ** 2 + 4 * weights * surplus)) / 2
        if not (times > 0).all():
            continue
        new = np.flatnonzero((steps > GAP * np.median(steps)) | (np.abs(np.diff(np.log(times))) > NEW_TIME)) + 1
        for decimals in TIME_DECIMALS:
            regions = np.split(times, new)
            time = np.concatenate([np.full(part.size, np.median(part).round(decimals)) for part in regions])
            counts = np.rint(rates * time)
            if (time > 0).all() and (np.abs(rates * time - counts) <= half_a_digit * time + COUNT_ROUNDING).all():
                # The rate is rounded, so that the time is counts / rate to the last bit.
                return np.where(counts > 0, counts / np.where(rates > 0, rates, 1), time)
    return None


def _uncertainty(cell: str) -> float:
    """Return the standard uncertainty, in brackets in units of the last digit; NaN where none is given."""
    parts = re.fullmatch(r"[-+]?[0-9]*\.?([0-9]*)\(([0-9]+)\)(?:[eE]([-+]?[0-9]+))?", cell)
    return int(parts[2]) * 10.0 ** (int(parts[3] or 0) - len(parts[1])) if parts else np.nan


def _attrs(path: Path, document: "cif.Document", block: "cif.Block") -> dict[str, Any]:
    """Return the measuring conditions from all blocks; the identity of the instrument is in the pattern's block."""
    from gemmi import cif

    def first(*keys: str) -> str | None:
        cells = (cif.as_string(cell) for key in keys for block in document for cell in block.find_values(key))
        return next((cell for cell in cells if cell), None)

    given, shares = (
        [cif.as_number(cell) for block in document for cell in block.find_values(key)]
        for key in ("_diffrn_radiation_wavelength", "_diffrn_radiation_wavelength_wt")
    )
    radiation = first("_diffrn_radiation_type") or ""
    named = re.fullmatch(r"([A-Z][a-z]?) ?K\\a(lpha)?", radiation)
    anode = named[1] if named else None
    attrs: dict[str, Any] = {}
    if len(given) > 2 or not np.isfinite(given).all():
        raise ReadError(path, None, f"_diffrn_radiation_wavelength is {given}", "state K-alpha1 and K-alpha2, or one")
    if given:
        ratio = shares[1] / shares[0] if len(shares) == 2 else None
        attrs |= wavelengths(given[0], given[1] if len(given) == 2 else None, ratio, alone=len(given) == 1)
    elif anode in KALPHA:
        attrs |= wavelengths(*KALPHA[anode])
        source = "Deslattes 2003" if anode in ("Mo", "Ag") else "Hoelzer 1997"
        attrs["wavelength_source"] = f"{source}, for {radiation}: the file gives none"
    radius = first("_pd_instr_dist_spec/detc")
    identity = (block.find_value("_pd_block_id") or "").split("|")  # time, name, creator, instrument
    attrs |= {
        "anode": anode,
        "instrument": first("_diffrn_measurement_device_type") or " ".join(identity[2:4]),
        "detector": first("_diffrn_detector_type", "_diffrn_detector"),
        "sample_name": first("_pd_phase_name", "_pd_spec_description"),
        "goniometer_radius": number(path, radius, "_pd_instr_dist_spec/detc") if radius else None,
    }
    return {name: value for name, value in attrs.items() if value}


FORMAT = Format(
    name="powder CIF",
    vendors="any",
    techniques=("xrd",),
    extensions=(".cif",),
    recognise=is_powder_cif,
    read=read_powder_cif,
    reads="a measured pattern, one block",
    checked=(
        Checked(
            "xrd-nist-lab6-660c/nist_srm660c_100a.cif", "United States Government", "geddes and the certified lattice"
        ),
    ),
)
