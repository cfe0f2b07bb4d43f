"""Powder patterns in CIF (pdCIF, International Tables for Crystallography G, 2005, chapter 3.3)."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from coldbond.files.errors import ReadError
from coldbond.files.scans import number, wavelengths
from coldbond.files.spectrum import spectrum

if TYPE_CHECKING:
    from gemmi import cif

ANGLES = ("_pd_meas_2theta_scan", "_pd_proc_2theta_corrected")
RANGES = ("_pd_meas_2theta_range", "_pd_proc_2theta_range")  # of which _min and _inc give the angles
#: Measured intensities and their units, where the dictionary fixes one.
INTENSITIES = {"_pd_meas_counts_total": "count", "_pd_meas_intensity_total": "", "_pd_proc_intensity_total": ""}
#: Lines of anodes whose name is all that a file gives [angstrom]: Hoelzer et al. 1997, doi 10.1103/PhysRevA.56.4554.
KALPHA = {"Cu": (1.5405929, 1.5444274)}
AGAIN = "export it again, whole"


def is_powder_cif(data: bytes) -> bool:
    """Whether the file is a CIF with intensities of a powder pattern in it."""
    names = (r"data_[^\s]+", "|".join(INTENSITIES))
    return all(re.search(rf"(?m)^\s*({name})\b".encode(), data) for name in names)


def read_powder_cif(path: Path, data: bytes) -> xr.Dataset:
    """Read the one measured pattern of a CIF; calculated ones beside it are left out.

    Counting statistics are taken from counts, or from the weights or standard uncertainties of rates where these are
    those of whole counts N in a time t: t^2 / (N + 1) (Mendenhall 2018, doi 10.1017/S0885715618000726) or t^2 / N.

    Returns
    -------
    xarray.Dataset
        See `coldbond.files.read`.

    Raises
    ------
    ReadError
        The file cannot be read without guessing.
    """
    from gemmi import cif

    if not data[-1:].isspace():
        reason = "the last line has no line break, so nothing tells whether it was cut off"
        raise ReadError(
            path, data.count(b"\n") + 1, reason, "export it again, or end it with a line break if it is whole"
        )
    try:
        document = cif.read_string(data.decode())
    except (ValueError, RuntimeError) as error:
        line = re.search(r":(\d+)[:(]", str(error))
        raise ReadError(path, int(line[1]) if line else None, f"no whole CIF ({error})", AGAIN) from None
    found = [(block, *names) for block in document if (names := _names(block)) is not None]
    if len(found) != 1:
        reason = f"{len(found)} measured patterns in it ({', '.join(block.name for block, *_ in found)})"
        raise ReadError(path, None, reason, "leave one in the file")
    block, angle, intensity = found[0]
    intensities = np.array([cif.as_number(cell) for cell in block.find_values(intensity)])
    if angle in ANGLES:
        angles = np.array([cif.as_number(cell) for cell in block.find_values(angle)])
    else:
        start, step = (number(path, block.find_value(f"{angle}_{key}"), f"{angle}_{key}") for key in ("min", "inc"))
        angles = start + step * np.arange(intensities.size)
    _check_points(path, block, angles)
    units, one_count = INTENSITIES[intensity] or "arbitrary", 1.0
    if units != "count":
        time = _count_times(block, angles, intensities, intensity)
        units, one_count = ("arbitrary", None) if time is None else ("count/s", 1 / time)
    unknown = "its intensities are not known to be counts or rates of counts"
    attrs = {"format": "powder-cif"} | _attrs(path, document, block)
    return spectrum(path, "xrd", angles, intensities, units=units, one_count=one_count, unknown=unknown, attrs=attrs)


def _names(block: "cif.Block") -> tuple[str, str] | None:
    """The keys of a block's angles and measured intensities, None where it has none or holds a calculated pattern."""
    listed = (key for key in ANGLES if len(block.find_values(key)) > 1)
    angle = next(listed, next((key for key in RANGES if block.find_value(f"{key}_inc")), None))
    intensity = next((key for key in INTENSITIES if len(block.find_values(key)) > 1), None)
    calculated = f"{block.name}|{block.find_value('_pd_block_id') or ''}|".lower()
    if angle is None or intensity is None or re.search(r"[_|]calc[|]", calculated):
        return None
    return angle, intensity


def _check_points(path: Path, block: "cif.Block", angles: np.ndarray) -> None:
    """Hold the points against what the block says of them: the end of a loop does not show whether it was cut off."""
    ends = [block.find_value(f"_pd_{kind}_2theta_range_max") for kind in ("proc", "meas")]
    end = next((cell for cell in ends if cell), None)
    counts = [block.find_value(f"_pd_{kind}_number_of_points") for kind in ("proc", "meas")]
    count = next((cell for cell in counts if cell), None)
    if count is None and end is None:
        reason = "neither _pd_proc_number_of_points nor _pd_proc_2theta_range_max tells whether the loop is whole"
        raise ReadError(path, None, reason, "add one of them")
    if count is not None and number(path, count, "_pd_proc_number_of_points") != angles.size:
        raise ReadError(path, None, f"{angles.size} points where _pd_proc_number_of_points is {count}", AGAIN)
    if end is not None and angles.size > 1:
        reached, last = number(path, end, "_pd_proc_2theta_range_max"), max(angles[0], angles[-1])
        if not abs(reached - last) < 0.5 * abs(angles[-1] - angles[-2]):
            raise ReadError(path, None, f"the points end at {last:g} degree, not at the stated {reached:g}", AGAIN)


def _count_times(block: "cif.Block", angles: np.ndarray, rates: np.ndarray, key: str) -> np.ndarray | None:
    """For how long every point was counted [s], told from weights or uncertainties; None where they do not tell."""
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
        # weight = t^2 / (rate x t + surplus), solved for t
        times = (weights * rates + np.sqrt((weights * rates) ** 2 + 4 * weights * surplus)) / 2
        if not (times > 0).all():
            continue
        # Regions, each of one time; rounded weights tell those of two neighbours to a few per cent.
        new = np.flatnonzero((steps > 3 * np.median(steps)) | (np.abs(np.diff(np.log(times))) > 0.1)) + 1
        for decimals in (0, 1, 2, 3):
            regions = np.split(times, new)
            time = np.concatenate([np.full(part.size, np.median(part).round(decimals)) for part in regions])
            counts = np.rint(rates * time)
            if (time > 0).all() and (np.abs(rates * time - counts) <= half_a_digit * time + 0.02).all():
                return np.where(counts > 0, counts / np.where(rates > 0, rates, 1), time)
    return None


def _uncertainty(cell: str) -> float:
    """The standard uncertainty that CIF writes in brackets, in units of the last digit; NaN where there is none."""
    parts = re.fullmatch(r"[-+]?[0-9]*\.?([0-9]*)\(([0-9]+)\)(?:[eE]([-+]?[0-9]+))?", cell)
    return int(parts[2]) * 10.0 ** (int(parts[3] or 0) - len(parts[1])) if parts else np.nan


def _attrs(path: Path, document: "cif.Document", block: "cif.Block") -> dict:
    """What the file says of the measurement, in whichever block; the pattern's own block names the instrument."""
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
    attrs = {}
    if len(given) > 2 or not np.isfinite(given).all():
        raise ReadError(path, None, f"_diffrn_radiation_wavelength is {given}", "state K-alpha1 and K-alpha2, or one")
    if given:
        ratio = shares[1] / shares[0] if len(shares) == 2 else None
        attrs = wavelengths(path, given[0], given[1] if len(given) == 2 else None, ratio)
    elif anode in KALPHA:
        attrs = wavelengths(path, *KALPHA[anode]) | {
            "wavelength_source": f"Hoelzer 1997, for {radiation}: the file gives none"
        }
    else:
        number(path, None, "_diffrn_radiation_wavelength")  # says that it is missing
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
