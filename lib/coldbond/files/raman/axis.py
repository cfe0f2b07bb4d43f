"""Abscissae of Raman spectra: their units, the wavelength of the laser, and the Raman shift of a wavelength.

The Raman shift is 1e7 (1 / excitation - 1 / wavelength), both in nm and in the same medium: 0 at the laser, negative on
the anti-Stokes side. A laser is written in nm, um, m or as a wavenumber. These numbers do not overlap, so that one
without a unit has one meaning.
"""

import re
from pathlib import Path

import numpy as np

from coldbond.files.errors import ReadError
from coldbond.files.format import Stated
from coldbond.files.stated import LASERS

#: 1/cm times nm: a wavenumber is this over a wavelength.
NM = 1e7
#: Wavelengths [nm] of the light that detectors of Raman spectrometers see.
LIGHT = (150.0, 5000.0)
#: Raman shifts [1/cm] that occur: the largest fundamental, of H2, is 4161 on either side, and software continues the
#: axis over the overtones. Wavenumbers that are all larger than `LARGEST` are those of the light itself.
LARGEST = 5000.0
LARGEST_AXIS = 12000.0
UNITS = {
    "1/cm": r"1/cm|cm\^?\(?-1|wavenumber|ramanshift",
    "nm": r"(?<![a-z])nm(?![a-z])|nanomet",
    "um": r"(?<![a-z])[uµμ]m(?![a-z])|micromet|micron",
    "eV": r"(?<![a-z])m?ev(?![a-z])|electronvolt",
}
NUMBER_AND_UNIT = re.compile(
    r"(?<![\d.,])(\d+(?:[.,]\d+)?(?:e[-+]?\d+)?)\s*((?:[nuµμ]?m|cm\^?-1|cm⁻¹|1/cm)(?![a-z]))?(\s*[a-z%])?",
    re.IGNORECASE,
)
NO_EXCITATION = (
    "the axis is in {unit}, and no excitation is stated",
    "state it with read(path, excitation=532) or in the column excitation_nm of manifest.csv",
)
CAMERA = "a camera's counts are not single photons"
#: Ordinates of infrared and optical spectra.
ABSORPTION = r"absorb|transmi|reflec|log\(1/r\)|kubelka|single ?beam|interferogram|photoacoustic|%t\b"
USE_RAMAN = "use the Raman spectrum of the sample, which has an intensity over Raman shift"


def unit(text: str) -> str | None:
    """Return the unit that the name of an axis states: "1/cm", "nm", "um", "eV", or None."""
    plain = text.lower().replace("⁻", "-").replace("−", "-").replace("¹", "1")
    plain = re.sub(r"[\s_]", "", plain)
    found = [name for name, pattern in UNITS.items() if re.search(pattern, plain)]
    # "Raman shift (nm)" is in nm.
    return found[-1] if found else None


def laser(text: str, *, bare: bool = True) -> float | None:
    """Return the wavelength [nm] of a laser written as "532nm_Edge", "0.785 um", "18796.99 cm-1" or "632.8".

    None where there is no such number, or several; with `bare=False` the number must have a unit.
    """
    with_unit: set[float] = set()
    without: set[float] = set()
    for number, written, other in NUMBER_AND_UNIT.findall(text):
        value = float(number.replace(",", "."))
        if other and not written:  # "20 mW", "50 %"; but "532 or 785" is in doubt
            bare &= not LASERS[0] <= value <= LASERS[1]
            continue
        factors = {"nm": value, "um": value * 1e3, "m": value * 1e9, "1/cm": NM / value if value else 0.0}
        named = "m" if written.lower() == "m" else unit(written) if written else None
        usual = {one for key, one in factors.items() if key == (named or key) and LASERS[0] <= one <= LASERS[1]}
        (with_unit if named else without).update(usual)
    found = with_unit or (without if bare else set())
    return found.pop() if len(found) == 1 else None


def shift(
    path: Path,
    values: np.ndarray,
    axis_unit: str | None,
    excitation: float | None,
    name: str = "",
    line: int | None = None,
) -> np.ndarray:
    """Return Raman shifts [1/cm].

    Parameters
    ----------
    path : pathlib.Path
        For the error.
    values : array
        The axis as recorded.
    axis_unit : {"1/cm", "nm", "um"} or None
        From `unit`.
    excitation : float or None
        Wavelength of the laser, nm.
    name : str, optional
        The axis as the file calls it, for the error.
    line : int, optional

    Raises
    ------
    ReadError
        The unit is another one, no excitation is stated where one is needed, or it does not fit the axis.
    """
    if axis_unit not in ("1/cm", "nm", "um"):
        reason = f"the axis {name!r} is in {axis_unit}" if axis_unit else f"the axis {name!r} has no unit"
        raise ReadError(path, line, reason, "export it over Raman shift in 1/cm")
    light = values * 1e3 if axis_unit == "um" else values
    absolute = axis_unit == "1/cm" and values.size > 0 and bool((values > LARGEST).all())
    if axis_unit == "1/cm" and not absolute:
        found = values
    else:
        if absolute:
            light = NM / values
        if not ((light > LIGHT[0]) & (light < LIGHT[1])).all():
            raise ReadError(path, line, f"the axis in {axis_unit} is not one of light", "export it over Raman shift")
        if excitation is None:
            reason, remedy = NO_EXCITATION
            raise ReadError(path, line, reason.format(unit="absolute wavenumbers" if absolute else axis_unit), remedy)
        found = NM / excitation - NM / light
    if found.size and (found.min() < -LARGEST or found.max() > LARGEST_AXIS):
        whose = "" if found is values else f" for an excitation of {excitation:g} nm"
        reason = f"Raman shifts from {found.min():.0f} to {found.max():.0f} 1/cm{whose} do not occur"
        raise ReadError(
            path, line, reason, "state the excitation of this recording, or export it over Raman shift in 1/cm"
        )
    return found


def floats(data: bytes) -> np.ndarray:
    """Return little-endian float32 as float64; what is no number stays none."""
    with np.errstate(invalid="ignore"):  # a signalling nan
        return np.frombuffer(data, "<f4").astype(float)


def excitation(stated: Stated, found: float | None) -> float | None:
    """Return the wavelength of the laser [nm] that the user states, else that of the file."""
    return stated.excitation if stated.excitation is not None else found
