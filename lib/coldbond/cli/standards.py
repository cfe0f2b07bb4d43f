"""What spectra show by themselves: a standard of diffraction, lithium or a neon lamp by their lines, and whether the
electrodes of an impedance spectrum block.

Names play no part here. A pattern is that of a standard where all of its strong lines within the range are there and
every strong peak is one of them.
"""

from dataclasses import dataclass

import numpy as np
import xarray as xr
from scipy.signal import find_peaks

from coldbond.raman.neon import LINES, vacuum

#: Lattice [angstrom] of the standards (NIST SRM 640 and 660) and reflections (h^2 + k^2 + l^2) by their strength.
SILICON, LANTHANUM_BORIDE, LITHIUM = 5.4312, 4.1568, 3.51
STRONG = {
    "Si": (SILICON, (3, 8, 11, 16, 19, 24)),
    "LaB6": (LANTHANUM_BORIDE, (1, 2, 3, 4, 5, 6, 9, 10, 11, 13, 14)),
    "Li": (LITHIUM, (2, 4, 6)),
}
#: All lines that a pattern of the standard can have.
ALLOWED = {
    "Si": (3, 8, 11, 16, 19, 24, 27, 32, 35, 40, 43, 48, 51, 56, 59),
    "LaB6": tuple(n for n in range(1, 54) if n not in (7, 15, 23, 28, 31, 39, 47)),
    "Li": (2, 4, 6, 8, 10),
}
#: Distance [degree] of a peak from a line of a standard: displacement of the sample and zero shift are smaller.
NEAR = 0.25
#: Share of the highest peak above which a peak must be a line of the standard, and above which a line is looked for.
STRONG_SHARE, LINE_SHARE = 0.12, 0.02
#: Sharp peaks of a pattern that are looked at, and the share of neon's lines among the peaks of a lamp.
MOST_PEAKS, NEON_SHARE = 12, 0.7
#: Offset [1/cm] of an axis that is not calibrated, and distance of a peak from a line once the offset is subtracted.
AXIS_OFFSET, AXIS_NEAR = 15.0, 3.0
#: Phase [degree] at the lowest frequencies below which electrodes block.
BLOCKING_PHASE = -60.0
#: Lasers [nm] that are tried where the file does not state one.
USUAL_LASERS = (532.0, 633.0, 785.0, 514.5, 488.0)


@dataclass(frozen=True)
class Impedance:
    """What an impedance spectrum shows at its low frequencies.

    Attributes
    ----------
    blocks : bool
        Whether its electrodes block: a capacitor remains.
    has_tail : bool
        Whether -Im(Z) rises again towards the lowest frequencies, as diffusion in an electrode makes it.
    """

    blocks: bool
    has_tail: bool


def standard(pattern: xr.Dataset) -> str:
    """Return the standard whose lines a diffraction pattern shows, "Si" or "LaB6", "Li" of lithium metal, else "".

    Parameters
    ----------
    pattern : xarray.Dataset
        `intensity` over `two_theta` [degree]; attrs `wavelength_kalpha1` [angstrom].
    """
    two_theta, heights = _peaks(pattern)
    if two_theta.size == 0:
        return ""
    wavelength = float(pattern.attrs["wavelength_kalpha1"])
    low, high = (float(pattern.two_theta[end]) for end in (0, -1))
    for name, (lattice, strong) in STRONG.items():
        lines = _angles(lattice, strong, wavelength, low + 0.5, high - 0.5)
        allowed = _angles(lattice, ALLOWED[name], wavelength, low, high)
        if lines.size < 2:
            continue
        # Lithium reacts in air, and what covers it has lines too: its own three must be the highest.
        share = 0.5 if name == "Li" else STRONG_SHARE
        tall = two_theta[heights >= share * heights.max()]
        all_there = all(np.abs(two_theta - line).min() < NEAR for line in lines[: 1 if name == "Li" else 6])
        if all_there and all(np.abs(allowed - peak).min() < NEAR for peak in tall):
            return name
    return ""


def _peaks(pattern: xr.Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Return positions [degree] and heights of the sharp peaks above a running background."""
    axis, counts = pattern.two_theta.to_numpy(), pattern.intensity.to_numpy().astype(float)
    step = float(np.median(np.diff(axis)))
    if axis.size < 50 or not step > 0:
        return np.empty(0), np.empty(0)
    broad = max(3, round(1.5 / step))
    narrow = max(1, round(0.04 / step))
    smooth = np.convolve(counts, np.ones(narrow) / narrow, mode="same")
    coarse = smooth[:: max(1, broad // 16)]
    window = min(coarse.size, 33)
    padded = np.pad(coarse, window // 2, mode="edge")
    base = np.array([np.quantile(padded[i : i + window], 0.3) for i in range(coarse.size)])
    base = np.interp(np.arange(smooth.size), np.arange(coarse.size) * max(1, broad // 16), base)
    above = smooth - base
    noise = float(np.median(np.abs(np.diff(smooth)))) + 1e-12
    least = max(LINE_SHARE * above.max(), 6 * noise)
    found, _ = find_peaks(above, height=least, prominence=least, distance=max(1, round(0.3 / step)))
    # Not the halo of glass or film, which is several degrees wide.
    kept = [at for at in found if _width(above, at) * step < 1.2]
    return axis[kept], above[kept]


def _width(values: np.ndarray, at: int) -> int:
    """Return the number of points around a peak that are above half of it."""
    half = values[at] / 2
    low = high = at
    while low > 0 and values[low] > half:
        low -= 1
    while high < values.size - 1 and values[high] > half:
        high += 1
    return high - low


def _angles(lattice: float, squares: tuple[int, ...], wavelength: float, low: float, high: float) -> np.ndarray:
    sines = wavelength * np.sqrt(np.array(squares, float)) / (2 * lattice)
    angles = 2 * np.degrees(np.arcsin(sines[sines < 1]))
    return angles[(angles > low) & (angles < high)]


def is_neon(spectrum: xr.Dataset) -> bool:
    """Return whether a Raman recording is that of a neon lamp.

    Parameters
    ----------
    spectrum : xarray.Dataset
        `intensity` over `raman_shift` [1/cm]; attr `excitation` [nm], else the usual lasers are tried.
    """
    axis, counts = spectrum.raman_shift.to_numpy(), spectrum.intensity.to_numpy().astype(float)
    if axis.size < 100:
        return False
    base = float(np.median(counts))
    noise = 1.4826 * float(np.median(np.abs(counts - base))) + 1e-12
    least = max(0.02 * float(counts.max() - base), 8 * noise)
    step = float(np.median(np.abs(np.diff(axis))))
    found, _ = find_peaks(counts, height=base + least, prominence=least, distance=max(1, round(8 / step)))
    # A lamp has narrow lines on a dark background; the bands of a sample are wider.
    found = np.array([at for at in found if _width(counts - base, int(at)) * step < 25], int)
    found = found[np.argsort(counts[found])[::-1][: 3 * MOST_PEAKS]]
    if found.size < 6:
        return False
    stated = spectrum.attrs.get("excitation")
    for laser in (float(stated),) if stated is not None else USUAL_LASERS:
        lines = (1 / vacuum(laser) - 1 / vacuum(np.array(LINES))) * 1e7
        lines = lines[(lines > axis.min()) & (lines < axis.max())]
        if lines.size < 5:
            continue
        nearest = np.array([lines[np.argmin(np.abs(lines - peak))] - peak for peak in axis[found]])
        offset = float(np.median(nearest[np.abs(nearest) < AXIS_OFFSET])) if (abs(nearest) < AXIS_OFFSET).any() else 0.0
        if float((np.abs(nearest - offset) < AXIS_NEAR + 2 * step).mean()) >= NEON_SHARE:
            return True
    return False


def impedance(spectrum: xr.Dataset) -> Impedance:
    """Return what the low frequencies of an impedance spectrum show.

    Parameters
    ----------
    spectrum : xarray.Dataset
        `impedance` [ohm] over `frequency` [Hz]; the last sweep where there are several.
    """
    frequency, z = spectrum.frequency.to_numpy(), spectrum.impedance.to_numpy()
    if "sweep" in spectrum:
        last = spectrum.sweep.to_numpy() == spectrum.sweep.to_numpy().max()
        frequency, z = frequency[last], z[last]
    z = z[np.argsort(frequency)]
    lowest = z[: min(5, z.size)]
    middle = complex(np.median(lowest.real), np.median(lowest.imag))
    phase = float(np.degrees(np.angle(middle)))
    minus = -z.imag
    valley = float(minus[: max(2, z.size // 2)].min())
    has_tail = (
        float(np.median(minus[:3])) > max(1.5 * valley, 0.01 * abs(middle)) and int(minus[: z.size // 2].argmin()) > 1
    )
    return Impedance(blocks=phase < BLOCKING_PHASE, has_tail=has_tail)
