"""Pattern of a layered sample in a Bragg-Brentano diffractometer: emission lines, aberrations, background, counts.

A line is the tube's emission spectrum, convolved with one aberration after another as in the fundamental-parameters
approach (Cheary, Coelho and Cline 2004, J. Res. NIST 109, 1, doi 10.6028/jres.109.002), and broadened by crystallites
and strain. The convolutions are products of Fourier transforms over the scattering angle.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft, rfftfreq
from scipy.special import erfc

from twin.diffraction import HC, Phase, absorption, lorentz_polarisation, reflections
from twin.tester import rng

FINE = 10  # points of the calculation per step of the scan
BEYOND = 4.0  # degree, by which the calculation extends beyond the scan
REACH = 1.6  # degree, largest shift by an aberration

# Energy [eV], full width [eV] and area (K-alpha sums to 1) of Lorentzians. Cu K-alpha and K-beta: Hoelzer et al. (1997)
# Phys. Rev. A 56, 4554, doi 10.1103/PhysRevA.56.4554; the maximum of K-alpha1 is 1.540593 A, the instrument's. The
# satellites (K-alpha3,4) as in Cheary and Coelho (1992) J. Appl. Cryst. 25, 109; W L-alpha1 is the filament's, on the
# anode of a tube of some age.
K_ALPHA = ((8047.837, 2.285, 0.579), (8045.367, 3.358, 0.080), (8027.993, 2.666, 0.236), (8026.504, 3.571, 0.105))
SATELLITES = ((8078.4, 19.4, 0.0085),)
K_BETA = ((8905.532, 3.52, 0.66), (8903.109, 3.52, 0.34))  # its two strongest components
W_L_ALPHA = ((8397.6, 6.5, 1.0),)


@dataclass(frozen=True)
class Diffractometer:
    """A Rigaku Ultima IV with a one-dimensional detector and a nickel filter. Lengths in mm, angles in degree."""

    radius: float = 285.0
    divergence: float = 0.5  # of the equatorial divergence slit
    focus: float = 0.04  # width of the focus as the sample sees it
    pixel: float = 0.1  # of the detector, along 2theta
    soller: float = 2.5  # largest axial angle that the Soller slits pass, both sides of the sample
    source_length: float = 12.0  # axial, as are the next two
    sample_length: float = 10.0
    detector_length: float = 12.0
    k_beta: float = 0.003  # intensity behind the filter, relative to K-alpha
    tungsten: float = 0.0015
    zero: float = 0.0
    brightness: float = 1.5e4  # count/s x degree for a scattering power of 1/angstrom4 in 1 mm of depth

    @property
    def emission(self) -> np.ndarray:
        """Energy [eV], full width [eV] and area of every line of the tube, shape (n, 3)."""
        weak = [(*line[:2], line[2] * self.k_beta) for line in K_BETA]
        weak += [(*line[:2], line[2] * self.tungsten) for line in W_L_ALPHA]
        return np.array([*K_ALPHA, *SATELLITES, *weak])


@dataclass(frozen=True)
class Layer:
    """A layer of a sample."""

    phases: tuple[Phase, ...]
    thickness: float = 1.0  # mm
    packing: float = 1.0  # volume of crystals in the volume of the layer


@dataclass(frozen=True)
class Specimen:
    """A sample as it was mounted and scanned."""

    layers: tuple[Layer, ...]  # the top one first
    displacement: float = 0.0  # mm, of the surface away from the focusing circle: lines move to lower angles
    extent: float = 20.0  # mm, along the beam
    fluorescence: float = 400.0  # count/s, with the noise of the detector
    air: float = 900.0  # count/s at 10 degree, scattered by air
    humps: tuple[tuple[float, float, float], ...] = ()  # count/s, centre and standard deviation [degree]: amorphous
    unknown: tuple[tuple[float, float, float], ...] = ()  # spacing [angstrom], count/s x degree, size [nm]
    start: float = 10.0  # degree
    stop: float = 80.0  # degree
    step: float = 0.02  # degree
    speed: float = 5.0  # degree/min
    instrument: Diffractometer = Diffractometer()


@dataclass(frozen=True)
class Scan:
    """A recorded scan."""

    two_theta: np.ndarray  # degree
    counts: np.ndarray  # whole
    speed: float  # degree/min
    instrument: Diffractometer


def simulate(specimen: Specimen, seed: int) -> Scan:
    """Return a scan of a specimen: Poisson counts about the expectation, which is cached."""
    two_theta, expected = expectation(specimen)
    return Scan(two_theta, rng(seed).poisson(expected), specimen.speed, specimen.instrument)


@lru_cache(maxsize=32)
def expectation(specimen: Specimen) -> tuple[np.ndarray, np.ndarray]:
    """Return the scattering angles [degree] of a scan and the expected counts."""
    points = round((specimen.stop - specimen.start) / specimen.step) + 1
    two_theta = specimen.start + specimen.step * np.arange(points)
    seconds = specimen.step / specimen.speed * 60
    return two_theta, seconds * (peaks(specimen, points) + background(specimen, two_theta))


def background(specimen: Specimen, two_theta: np.ndarray) -> np.ndarray:
    """Return the background [count/s].

    Fluorescence is that of La L: the edges of Ta lie above Cu K-alpha. It decreases at low angles, where the beam
    is wider than the sample. Air scatters where the beam passes close to the detector.
    """
    rate = specimen.fluorescence * footprint(specimen, np.radians(two_theta) / 2)
    rate = rate + specimen.air * (10 / two_theta) ** 2
    for height, centre, width in specimen.humps:
        rate = rate + height * np.exp(-0.5 * ((two_theta - centre) / width) ** 2)
    return rate


def footprint(specimen: Specimen, theta: np.ndarray) -> np.ndarray:
    """Return the share of the beam that hits the sample; `theta` [rad]."""
    beam = specimen.instrument.radius * np.radians(specimen.instrument.divergence) / np.sin(theta)
    return np.minimum(1.0, specimen.extent / beam)


def peaks(specimen: Specimen, points: int) -> np.ndarray:
    """Return the count rate [count/s] of all reflections at the points of the scan."""
    instrument = specimen.instrument
    fine = specimen.step / FINE
    margin = round(BEYOND / specimen.step) * FINE
    length = next_fast_len((points - 1) * FINE + 1 + 2 * margin, real=True)
    grid = np.radians(specimen.start + fine * (np.arange(length) - margin))
    omega = 2 * np.pi * rfftfreq(length, np.radians(fine))  # conjugate to 2theta [rad]
    edges = np.append(grid, 2 * grid[-1] - grid[-2]) - np.radians(fine) / 2
    rest = _fixed_aberrations(specimen, omega)
    longest = HC / instrument.emission[0, 0]
    total = np.zeros(omega.size, complex)
    for area, d, layer, size, spread, strain in lines(specimen):
        theta = np.arcsin(longest / (2 * d))
        kernel = rfft(aberrations(specimen, layer, theta, np.radians(fine)), length)
        # Shift by zero error and displacement (2 s cos(theta) / R); the zero of the kernel is its middle.
        moved = instrument.zero * np.pi / 180 - 2 * specimen.displacement * np.cos(theta) / instrument.radius
        moved -= (round(REACH / fine)) * np.radians(fine)
        shape = column_lengths(omega * longest / 10 / (2 * np.pi * np.cos(theta)), size, spread)
        shape *= np.exp(-0.5 * (2 * strain * np.tan(theta) * omega) ** 2)
        total += area * rfft(emitted(instrument.emission, d, edges)) * kernel * shape * np.exp(-1j * omega * moved)
    rate = irfft(total * rest, length) / fine
    return rate[margin : margin + points * FINE : FINE]


def _fixed_aberrations(specimen: Specimen, omega: np.ndarray) -> np.ndarray:
    """Return the Fourier transform of what is equal at all angles: focus, pixel, motion of the arm."""
    instrument = specimen.instrument
    widths = np.array([instrument.focus / instrument.radius, instrument.pixel / instrument.radius])
    boxes = np.append(widths, np.radians(specimen.step))
    return np.prod([np.sinc(omega * width / (2 * np.pi)) for width in boxes], axis=0)


def lines(specimen: Specimen) -> list[tuple[float, float, int, float, float, float]]:
    """Return all lines of a specimen: area [count/s x degree], d [angstrom], layer, size [nm], spread, strain."""
    instrument = specimen.instrument
    shortest = HC / instrument.emission[0, 0] / 2 / np.sin(np.radians(specimen.stop + BEYOND / 2) / 2)
    absorptions = [layer_absorption(layer) for layer in specimen.layers]
    optical = [mu * layer.thickness for mu, layer in zip(absorptions, specimen.layers, strict=True)]
    found = []
    for number, layer in enumerate(specimen.layers):
        for phase in layer.phases:
            d, power = reflections(phase, shortest)
            theta = np.arcsin(HC / instrument.emission[0, 0] / (2 * d))
            way = 2 / np.sin(theta)  # path in and out of the sample per depth
            depth = -np.expm1(-optical[number] * way) / (2 * absorptions[number])
            depth = depth * np.exp(-sum(optical[:number]) * way) * footprint(specimen, theta)
            area = instrument.brightness * layer.packing * phase.fraction * power * depth
            area = area * lorentz_polarisation(theta)
            found += [
                (a, spacing, number, phase.size, phase.spread, phase.strain)
                for a, spacing in zip(area.tolist(), d.tolist(), strict=True)
            ]
    return found + [(area, d, 0, size, 0.35, 0.0) for d, area, size in specimen.unknown]


def layer_absorption(layer: Layer) -> float:
    """Return the linear absorption coefficient [1/mm] of a layer."""
    return layer.packing * sum(phase.fraction * absorption(phase.crystal) for phase in layer.phases)


def emitted(emission: np.ndarray, d: float, edges: np.ndarray) -> np.ndarray:
    """Return the share of the emission that a spacing d [angstrom] diffracts between `edges` of 2theta [rad].

    Bragg's law is applied to the whole spectrum, which gives the spectral broadening with the angle.
    """
    energy = HC / (2 * d * np.sin(edges / 2))
    total = np.zeros(energy.size)
    for centre, width, area in emission:
        total += area * np.arctan(2 * (energy - centre) / width)
    return -np.diff(total) / np.pi


def aberrations(specimen: Specimen, layer: int, theta: float, fine: float) -> np.ndarray:
    """Return the distribution of shifts of 2theta on a grid of spacing `fine` [rad], whose middle is no shift.

    Axial divergence, the flat surface under a diverging beam, and the depth at which the layer diffracts.
    """
    half = round(np.radians(REACH) / fine)
    edges = (np.arange(-half, half + 2) - 0.5) * fine
    instrument = specimen.instrument
    divergence = min(np.radians(instrument.divergence), specimen.extent * np.sin(theta) / instrument.radius)
    kernel = np.convolve(axial(instrument, theta, fine, half), np.diff(flat_surface(edges, theta, divergence)), "same")
    thickness, mu = specimen.layers[layer].thickness, layer_absorption(specimen.layers[layer])
    depth = np.diff(transparency(edges, theta, 2 * mu, thickness, instrument.radius))
    return np.convolve(kernel, depth, "same")


def flat_surface(shift: np.ndarray, theta: float, divergence: float) -> np.ndarray:
    """Return the distribution function of the shift [rad] by a flat sample (Cheary and Coelho 1992)."""
    furthest = divergence**2 / 4 / np.tan(theta)
    return 1 - np.sqrt(np.clip(-shift / furthest, 0, 1))


def transparency(shift: np.ndarray, theta: float, twice_mu: float, thickness: float, radius: float) -> np.ndarray:
    """Return the distribution function of the shift [rad] by the diffracting depth, weighted by absorption."""
    depth = np.clip(-shift * radius / (2 * np.cos(theta)), 0, thickness)
    decay = twice_mu / np.sin(theta)
    return 1 - np.expm1(-decay * depth) / np.expm1(-decay * thickness)


@lru_cache(maxsize=4)
def axial_rays(instrument: Diffractometer) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return axial angles [rad] of rays before and after the sample, and the share that the Soller slits transmit."""
    source, sample, detector = ((np.arange(n) + 0.5) / n - 0.5 for n in (28, 24, 28))
    source, sample, detector = np.meshgrid(
        source * instrument.source_length, sample * instrument.sample_length, detector * instrument.detector_length
    )
    before, after = (sample - source) / instrument.radius, (detector - sample) / instrument.radius
    limit = np.radians(instrument.soller)
    weight = np.maximum(0, 1 - np.abs(before) / limit) * np.maximum(0, 1 - np.abs(after) / limit)
    passed = weight > 0
    return before[passed], after[passed], weight[passed] / weight.sum()


def axial(instrument: Diffractometer, theta: float, fine: float, half: int) -> np.ndarray:
    """Return the distribution of the shift by axial divergence on the grid of `aberrations`.

    It is a tail to low angles below 90 degree and to high angles above.

    A ray with small axial angles a before and b after the sample meets Bragg's law off the equator: it is seen at
    2theta + (a b - (a^2 + b^2) / 2 cos 2theta) / sin 2theta. The sum runs over all rays; no profile function is
    assumed.
    """
    before, after, weight = axial_rays(instrument)
    shift = (before * after - (before**2 + after**2) / 2 * np.cos(2 * theta)) / np.sin(2 * theta)
    place = np.clip(shift / fine + half, 0, 2 * half - 1e-9)
    lower = place.astype(int)
    upper = place - lower
    size = 2 * half + 1
    return np.bincount(lower, weight * (1 - upper), size) + np.bincount(lower + 1, weight * upper, size)


def column_lengths(length: np.ndarray, median: float, spread: float) -> np.ndarray:
    """Return the Fourier transform of the size profile: overlap of spheres with copies shifted by `length` [nm].

    Diameters are lognormal by number; the volume average has a closed form (Scardi and Leoni 2001, Acta Cryst. A57,
    604, doi 10.1107/S0108767301008881).
    """
    mean = np.log(median)
    log = np.log(np.maximum(length, 1e-12))

    def above(order: int) -> np.ndarray:
        return erfc((log - mean - order * spread**2) / (spread * np.sqrt(2))) / 2

    linear = length * np.exp(-mean - 2.5 * spread**2)
    cubic = np.exp(3 * log - 3 * mean - 4.5 * spread**2)
    return above(3) - 1.5 * linear * above(2) + 0.5 * cubic * above(0)
