"""Powder patterns of a laboratory diffractometer, line by line from what broadens a line.

A line is the product, in Fourier space, of the emission spectrum (Hoelzer et al. 1997), the apertures of the
instrument, axial divergence (Finger, Cox and Jephcoat 1994), the flat specimen, transparency, crystallites (spheres of
lognormal diameters) and strain (a stable distribution, from Lorentzian to Gaussian). Structure factors are gemmi's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import gamma
from typing import NamedTuple

import gemmi
import numpy as np
from scipy.fft import irfft, rfft, rfftfreq

HC = 12398.41984  # eV angstrom
STEP, POINTS = 0.0025, 8192  # degree; grid on which a line is calculated
WEAKEST = 1e-4  # of the strongest line of a phase

# Energy [eV], full width [eV], area. Cu: Hoelzer et al. 1997, doi 10.1103/PhysRevA.56.4554, with the satellites of
# Cheary and Coelho 1992. Co: K-alpha1 and K-alpha2 of the same paper, each as one line.
EMISSION = {
    "Cu": (
        (8047.837, 2.285, 0.579),
        (8045.367, 3.358, 0.080),
        (8027.993, 2.666, 0.236),
        (8026.504, 3.571, 0.105),
        (8078.4, 19.4, 0.008),
    ),
    "Co": ((6930.38, 2.33, 0.66), (6915.54, 3.2, 0.34)),
}
EMISSION["Cu K-alpha1"] = EMISSION["Cu"][:2]
#: K-alpha1 and K-alpha2 as the software of a diffractometer states them, angstrom.
WAVELENGTHS = {"Cu": (1.540593, 1.544414), "Co": (1.789007, 1.792894), "Cu K-alpha1": (1.540593, None)}


class Atom(NamedTuple):
    """An atom of the asymmetric unit: element, fractional coordinates, occupancy, B [angstrom^2]."""

    element: str
    x: float
    y: float
    z: float
    occupancy: float = 1.0
    b: float = 0.5


class Crystal(NamedTuple):
    """A structure: symbol of its space group, a, b, c [angstrom], alpha, beta, gamma [degree], asymmetric unit."""

    space_group: str
    cell: tuple[float, float, float, float, float, float]
    atoms: tuple[Atom, ...]

    def of_cell(self, *lengths: float) -> "Crystal":
        """Return the structure with another a, or a and c, or a, b and c [angstrom]."""
        a, b, c = {1: lengths * 3, 2: (lengths[0], *lengths), 3: lengths}[len(lengths)]
        return self._replace(cell=(a, b, c, *self.cell[3:]))


def _cubic(a: float) -> tuple[float, float, float, float, float, float]:
    return a, a, a, 90.0, 90.0, 90.0


def _hexagonal(a: float, c: float) -> tuple[float, float, float, float, float, float]:
    return a, a, c, 90.0, 90.0, 120.0


CRYSTALS = {
    "garnet": Crystal(  # Li6.4La3Zr1.4Ta0.6O12; Buschmann et al. 2011, doi 10.1039/c1cp22108f
        "I a -3 d",
        _cubic(12.955),
        (
            Atom("La", 1 / 8, 0, 1 / 4, b=0.55),
            Atom("Zr", 0, 0, 0, 0.7, 0.40),
            Atom("Ta", 0, 0, 0, 0.3, 0.40),
            Atom("Li", 3 / 8, 0, 1 / 4, 0.50, 1.2),
            Atom("Li", 0.0970, 0.6850, 0.5780, 0.41, 1.8),
            Atom("O", -0.0318, 0.0551, 0.1500, b=0.8),
        ),
    ),
    "tetragonal garnet": Crystal(  # Li7La3Zr2O12; Awaka et al. 2009, doi 10.1016/j.jssc.2009.05.020
        "I 41/a c d :2",
        (13.134, 13.134, 12.663, 90.0, 90.0, 90.0),
        (
            Atom("La", 0, 1 / 4, 1 / 8),
            Atom("La", 0.1270, 0, 1 / 4),
            Atom("Zr", 0, 0, 0, b=0.40),
            Atom("Li", 0, 1 / 4, 3 / 8, b=1.2),
            Atom("Li", 0.1813, 0.4313, 1 / 8, b=1.5),
            Atom("Li", 0.0796, 0.0863, 0.8099, b=1.8),
            Atom("O", -0.0335, 0.0547, 0.1528, b=0.8),
            Atom("O", 0.0531, 0.8523, 0.5346, b=0.8),
            Atom("O", 0.1499, 0.0275, 0.4467, b=0.8),
        ),
    ),
    "InN": Crystal(  # Paszkowicz et al. 2003
        "P 63 m c", _hexagonal(3.5378, 5.7033), (Atom("In", 1 / 3, 2 / 3, 0), Atom("N", 1 / 3, 2 / 3, 0.3769, b=0.7))
    ),
    "ZnO": Crystal(  # Kihara and Donnay 1985
        "P 63 m c", _hexagonal(3.2498, 5.2066), (Atom("Zn", 1 / 3, 2 / 3, 0), Atom("O", 1 / 3, 2 / 3, 0.3821))
    ),
    "Al2O3": Crystal(  # Lewis, Schwarzenbach and Flack 1982; cell of NIST SRM 676
        "R -3 c :H",
        _hexagonal(4.7591, 12.9919),
        (Atom("Al", 0, 0, 0.35217, b=0.20), Atom("O", 0.30633, 0, 1 / 4, b=0.24)),
    ),
    "CaF2": Crystal("F m -3 m", _cubic(5.4631), (Atom("Ca", 0, 0, 0), Atom("F", 1 / 4, 1 / 4, 1 / 4, b=0.7))),
    "Si": Crystal("F d -3 m :2", _cubic(5.43118), (Atom("Si", 1 / 8, 1 / 8, 1 / 8, b=0.52),)),
    "LaB6": Crystal(
        "P m -3 m", _cubic(4.156826), (Atom("La", 0, 0, 0, b=0.45), Atom("B", 0.1993, 1 / 2, 1 / 2, b=0.3))
    ),
    "La2Zr2O7": Crystal(  # Tabira et al. 2000
        "F d -3 m :2",
        _cubic(10.798),
        (
            Atom("La", 1 / 2, 1 / 2, 1 / 2),
            Atom("Zr", 0, 0, 0, b=0.3),
            Atom("O", 0.3320, 1 / 8, 1 / 8, b=0.8),
            Atom("O", 3 / 8, 3 / 8, 3 / 8, b=0.6),
        ),
    ),
    "Li2CO3": Crystal(  # Effenberger and Zemann 1979
        "C 1 2/c 1",
        (8.3593, 4.9725, 6.1975, 90.0, 114.83, 90.0),
        (
            Atom("Li", 0.1965, 0.4487, 0.8345, b=1.2),
            Atom("C", 0, 0.0657, 1 / 4, b=0.8),
            Atom("O", 0, 0.3216, 1 / 4, b=1.1),
            Atom("O", 0.1459, -0.0663, 0.3126, b=1.1),
        ),
    ),
    "In": Crystal("I 4/m m m", (3.2525, 3.2525, 4.9465, 90.0, 90.0, 90.0), (Atom("In", 0, 0, 0, b=1.8),)),
    "Li3N": Crystal(  # Rabenau and Schulz 1976
        "P 6/m m m",
        _hexagonal(3.648, 3.875),
        (Atom("N", 0, 0, 0, b=1.0), Atom("Li", 0, 0, 1 / 2, b=1.4), Atom("Li", 1 / 3, 2 / 3, 0, b=1.6)),
    ),
    "fluorapatite": Crystal(  # Hughes, Cameron and Crowley 1989
        "P 63/m",
        _hexagonal(9.3718, 6.8859),
        (
            Atom("Ca", 1 / 3, 2 / 3, 0.0010),
            Atom("Ca", -0.00712, 0.24227, 1 / 4),
            Atom("P", 0.39809, 0.36895, 1 / 4, b=0.4),
            Atom("O", 0.3262, 0.4843, 1 / 4, b=0.8),
            Atom("O", 0.5880, 0.4668, 1 / 4, b=0.8),
            Atom("O", 0.3415, 0.2569, 0.0704, b=0.9),
            Atom("F", 0, 0, 1 / 4, b=1.2),
        ),
    ),
}


@dataclass(frozen=True)
class Phase:
    """A phase as it is in a specimen.

    Attributes
    ----------
    crystal : Crystal
    fraction : float
        Of the weight; only ratios count.
    size : float
        Volume-weighted mean column length, nm: the size of Scherrer's equation with the integral breadth.
    spread : float
        Standard deviation of ln(diameter) of the crystallites.
    strain : float
        Integral breadth over 4 tan(theta).
    power : float
        Of the stable distribution of strain: 1 Lorentzian, 2 Gaussian.
    march, axis : float, tuple
        March coefficient, and the planes that lie parallel to the surface where it is below 1.
    """

    crystal: Crystal
    fraction: float = 1.0
    size: float = 200.0
    spread: float = 0.3
    strain: float = 2e-4
    power: float = 1.6
    march: float = 1.0
    axis: tuple[int, int, int] = (0, 0, 1)


@dataclass(frozen=True)
class Diffractometer:
    """A diffractometer with flat specimen and fixed slits; lengths in mm, angles in degree.

    Attributes
    ----------
    anode : {"Cu", "Co", "Cu K-alpha1"}
    radius : float
    divergence : float
        Of the beam in the equatorial plane.
    slit : float
        Receiving slit or strip of the detector, along two theta.
    focus : float
        Gaussian full width of all else: focus, alignment, defocusing.
    axial : tuple of float
        Half length of the specimen and of the detector's slit over the radius.
    monochromator : float
        Two theta of a monochromator in the diffracted beam; 0 without one.
    zero : float
        Reading where two theta is 0.
    """

    anode: str = "Cu"
    radius: float = 240.0
    divergence: float = 0.5
    slit: float = 0.15
    focus: float = 0.03
    axial: tuple[float, float] = (0.02, 0.025)
    monochromator: float = 0.0
    zero: float = 0.0


def expected(
    phases: Sequence[Phase],
    instrument: Diffractometer = Diffractometer(),
    *,
    low: float = 15.0,
    high: float = 80.0,
    step: float = 0.02,
    height: float = 10_000.0,
    displacement: float = 0.0,
    depth: float = 0.01,
    background: float = 150.0,
    air: float = 100.0,
    humps: Sequence[tuple[float, float, float]] = (),
) -> tuple[np.ndarray, np.ndarray]:
    """Return two theta [degree] and the expected counts, shape (n,) each.

    Parameters
    ----------
    phases, instrument
    low, high, step : float
        Scan, degree.
    height : float
        Counts at the strongest point above the background.
    displacement : float
        Of the specimen's surface below the axis, mm.
    depth : float
        Mean depth of diffraction over sin(theta), 1 / (2 mu), mm.
    background, air : float
        Counts, constant and at 20 degree of what decays with the angle.
    humps : sequence of (float, float, float)
        Amorphous: counts, centre and full width at half maximum [degree].
    """
    two_theta = np.round(low + step * np.arange(round((high - low) / step) + 1), 6)
    counts = peaks(phases, instrument, two_theta, displacement, depth)
    counts *= height / counts.max()
    counts += background + air * np.exp(-(two_theta - 20) / 12)
    for most, centre, fwhm in humps:
        counts += most / np.cosh(1.7627 * (two_theta - centre) / fwhm) ** 2
    return two_theta, counts


def counted(seed: int, *described: object, **options: object) -> tuple[np.ndarray, np.ndarray]:
    """Return two theta [degree] and counts with counting noise; arguments as of `expected`."""
    two_theta, counts = expected(*described, **options)
    return two_theta, np.random.default_rng(seed).poisson(counts)


def peaks(
    phases: Sequence[Phase],
    instrument: Diffractometer,
    two_theta: np.ndarray,
    displacement: float = 0.0,
    depth: float = 0.01,
) -> np.ndarray:
    """Return all lines at some angles, shape (n,), in a common arbitrary unit of intensity."""
    f = rfftfreq(POINTS, STEP)  # 1/degree
    total = np.zeros(two_theta.size)
    offsets = STEP * (np.arange(POINTS) - POINTS // 2)
    longest = WAVELENGTHS[instrument.anode][0]
    shortest = longest / 2 / np.sin(np.radians(min(two_theta[-1] + 3, 175)) / 2)
    for phase in phases:
        for d, area in zip(*lines(phase, instrument.anode, instrument.monochromator, shortest), strict=True):
            theta = np.arcsin(longest / 2 / d)
            at = np.degrees(2 * theta)
            if at < two_theta[0] - 3:
                continue
            profile = _instrument(f, theta, d, instrument, np.median(np.diff(two_theta)), depth)
            profile = profile * broadening(f, theta, longest, phase)
            moved = instrument.zero - np.degrees(2 * displacement * np.cos(theta) / instrument.radius)
            curve = np.roll(irfft(profile, POINTS), POINTS // 2) / STEP
            near = np.abs(two_theta - at - moved) < offsets[-1]
            total[near] += area * np.interp(two_theta[near] - at - moved, offsets, curve)
    return total


def broadening(f: np.ndarray, theta: float, wavelength: float, phase: Phase) -> np.ndarray:
    """Return the Fourier transform of the broadening by the specimen at frequencies [1/degree]."""
    column = np.degrees(f) * wavelength / np.cos(theta) / 10  # nm
    turns = f * np.degrees(4 * phase.strain * np.tan(theta)) * 2 * gamma(1 + 1 / phase.power)
    return _columns(column / phase.size, phase.spread) * np.exp(-(turns**phase.power))


def integral_breadth(phase: Phase, two_theta: np.ndarray, anode: str = "Cu") -> np.ndarray:
    """Return the integral breadth [degree] of a phase's lines without the instrument."""
    f = np.concatenate([[0], np.geomspace(1e-3, 1e4, 4000)])
    wavelength = WAVELENGTHS[anode][0]
    of = [np.trapezoid(broadening(f, t, wavelength, phase), f) for t in np.radians(np.atleast_1d(two_theta)) / 2]
    return 1 / (2 * np.array(of))


def _columns(ratio: np.ndarray, spread: float) -> np.ndarray:
    """Return the overlap of spheres with copies that are shifted, by the shift over the mean column length.

    The volume of the crystallites is summed over a lognormal distribution of their diameters.
    """
    deviation = np.linspace(-4, 4, 81)
    share = np.exp(-0.5 * deviation**2)
    share /= share.sum()
    # By volume the logarithm of the diameter is normal again; its mean makes 3/4 of the mean diameter one.
    diameter = 4 / 3 * np.exp(spread * deviation) / np.sum(share * np.exp(spread * deviation))
    at = np.append(np.linspace(0, 2, 101), np.geomspace(2.05, max(2.1, diameter.max()), 60))
    x = np.minimum(at[:, None] / diameter, 1)
    return np.interp(ratio, at, (1 - 1.5 * x + 0.5 * x**3) @ share, right=0.0)


def _instrument(
    f: np.ndarray, theta: float, d: float, instrument: Diffractometer, step: float, depth: float
) -> np.ndarray:
    """Return the Fourier transform of emission spectrum and instrument about the angle of K-alpha1."""
    tangent = np.tan(theta)
    emitted = np.zeros(f.size, complex)
    for energy, width, share in EMISSION[instrument.anode]:
        sine = HC / energy / 2 / d
        if sine < 1:
            moved = np.degrees(2 * (np.arcsin(sine) - theta))
            fwhm = np.degrees(2 * width / energy * tangent)
            emitted += share * np.exp(-np.pi * f * (2j * moved + fwhm))
    narrow = np.sinc(f * np.degrees(instrument.slit / instrument.radius)) * np.sinc(f * step)
    narrow *= np.exp(-((np.pi * f * instrument.focus) ** 2) / (4 * np.log(2)))
    emitted *= narrow / (1 - 2j * np.pi * f * np.degrees(np.sin(2 * theta) * depth / instrument.radius))
    # The flat specimen leaves the focusing circle by the square of the distance from its middle.
    away = np.linspace(-1, 1, 101) * np.radians(instrument.divergence) / 2
    return emitted * _shifts(-2 * away**2 / tangent) * _axial(theta, instrument.axial)


def _axial(theta: float, axial: tuple[float, float]) -> np.ndarray:
    """Return the transform of the shifts where a cone meets a slit above or below the plane (Finger et al. 1994)."""
    specimen, slit = (half * np.linspace(-1, 1, 41) for half in axial)
    height = (specimen[:, None] - slit).ravel()
    cosine = np.clip(np.cos(2 * theta) * np.sqrt(1 + height**2), -1, 1)
    return _shifts(np.arccos(cosine) - 2 * theta)


def _shifts(shift: np.ndarray) -> np.ndarray:
    """Return the Fourier transform of shifts [radian] of equal weight."""
    place = np.degrees(shift) / STEP
    lower = np.floor(place).astype(int)
    upper = place - lower
    count = np.bincount(lower % POINTS, 1 - upper, POINTS) + np.bincount((lower + 1) % POINTS, upper, POINTS)
    return rfft(count / shift.size)


@lru_cache(maxsize=64)
def lines(phase: Phase, anode: str, monochromator: float, shortest: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the spacings d [angstrom] of a phase's lines, and their areas for its fraction of the weight."""
    crystal, wavelength = phase.crystal, WAVELENGTHS[anode][0]
    small, group = small_structure(crystal), gemmi.SpaceGroup(crystal.space_group)
    weight = len(group.operations()) * sum(site.occ * site.element.weight for site in small.sites)
    calculator = gemmi.StructureFactorCalculatorX(small.cell)
    for atom in crystal.atoms:
        element = gemmi.Element(atom.element)
        calculator.addends.set(element, gemmi.cromer_liberman(element.atomic_number, HC / wavelength)[0])
    hkl = gemmi.make_miller_array(small.cell, group, shortest)
    d = np.array([small.cell.calculate_d(list(index)) for index in hkl.tolist()])
    square = np.array([abs(calculator.calculate_sf_from_small_structure(small, list(i))) ** 2 for i in hkl.tolist()])
    theta = np.arcsin(wavelength / 2 / d)
    polarised = np.cos(np.radians(monochromator)) ** 2
    lorentz = (1 + polarised * np.cos(2 * theta) ** 2) / (1 + polarised) / np.sin(theta) ** 2 / np.cos(theta)
    volume = small.cell.volume
    area = square * lorentz * np.array([_multiplicity(phase, group, small.cell, index) for index in hkl])
    area *= phase.fraction * volume / weight / volume**2  # volume of the phase by its density, scattering per volume
    strong = area > WEAKEST * area.max()
    return d[strong], area[strong]


def _multiplicity(phase: Phase, group: gemmi.SpaceGroup, cell: gemmi.UnitCell, index: np.ndarray) -> float:
    """Return the sum of the March-Dollase densities over the planes equivalent to one."""
    planes = {tuple(op.apply_to_hkl(index.tolist())) for op in group.operations().sym_ops}
    planes |= {tuple(-i for i in plane) for plane in planes}
    if phase.march == 1:
        return len(planes)
    reciprocal = np.array(cell.frac.mat.tolist())
    normal, along = np.array(sorted(planes)) @ reciprocal, np.array(phase.axis) @ reciprocal
    cosine = (normal @ along) ** 2 / (normal**2).sum(axis=1) / (along @ along)
    return float(np.sum((phase.march**2 * cosine + (1 - cosine) / phase.march) ** -1.5))


def small_structure(crystal: Crystal) -> gemmi.SmallStructure:
    """Return a structure as gemmi has it."""
    small = gemmi.SmallStructure()
    small.cell = gemmi.UnitCell(*crystal.cell)
    small.spacegroup = gemmi.SpaceGroup(crystal.space_group)
    for number, atom in enumerate(crystal.atoms, start=1):
        site = gemmi.SmallStructure.Site()
        site.label, site.element = f"{atom.element}{number}", gemmi.Element(atom.element)
        site.fract, site.occ = gemmi.Fractional(*atom[1:4]), atom.occupancy
        site.u_iso = atom.b / (8 * np.pi**2)
        small.add_site(site)
    small.setup_cell_images()
    small.change_occupancies_to_crystallographic()
    return small


def cif(crystal: Crystal, name: str) -> str:
    """Return a structure as text of a CIF."""
    names = ("length_a", "length_b", "length_c", "angle_alpha", "angle_beta", "angle_gamma")
    text = [f"data_{name}", *(f"_cell_{key} {value}" for key, value in zip(names, crystal.cell, strict=True))]
    text += [f"_space_group_name_H-M_alt '{crystal.space_group}'", "loop_", "_atom_site_label"]
    text += ["_atom_site_type_symbol", "_atom_site_fract_x", "_atom_site_fract_y", "_atom_site_fract_z"]
    text += ["_atom_site_occupancy", "_atom_site_B_iso_or_equiv"]
    for number, atom in enumerate(crystal.atoms, start=1):
        values = " ".join(f"{value:.6g}" for value in atom[1:])
        text.append(f"{atom.element}{number} {atom.element} {values}")
    return "\n".join(text) + "\n"
