"""Raman spectra of garnets, coatings, wafers and lamps, as other laboratories record them.

A vibration scatters as a damped oscillator in thermal equilibrium, spread over a distribution of surroundings. The
light is blurred by a slit in wavelength, integrated over pixels, modulated by the interference within the detector
(etaloning), and counted in several exposures that end at the converter's limit. The axis is that of a pixel scale whose
offset and dispersion are off, or that of a lamp. Positions of InN follow Wang et al. (2006, doi 10.1063/1.2364884).
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import xarray as xr
from scipy.ndimage import gaussian_filter1d

from independent import Case, Kind, Made, raman

KT = 207.2  # 1/cm, thermal energy at 298 K
LIMIT = 65535.0  # of the converter, counts
SILICON = 520.45

#: Oscillators: position, damping, spread of the surroundings (standard deviation) [1/cm], height.
Oscillator = tuple[float, float, float, float]
GARNET: tuple[Oscillator, ...] = (
    (251.0, 38.0, 17.0, 55.0), (372.0, 36.0, 20.0, 70.0), (418.0, 30.0, 12.0, 16.0), (512.0, 38.0, 16.0, 12.0),
    (643.0, 36.0, 18.0, 100.0), (731.0, 34.0, 14.0, 32.0),
)  # fmt: skip
ZIRCONATE: tuple[Oscillator, ...] = (
    (299.5, 12.0, 3.0, 100.0), (393.0, 14.0, 4.0, 30.0), (493.0, 12.0, 4.0, 30.0), (517.0, 14.0, 4.0, 38.0),
    (589.0, 16.0, 5.0, 4.0),
)  # fmt: skip
OXIDE: tuple[Oscillator, ...] = (
    (109.0, 5.0, 1.0, 25.0), (132.0, 5.0, 1.0, 90.0), (306.5, 9.0, 3.0, 100.0), (366.0, 10.0, 3.0, 40.0),
    (495.5, 10.0, 4.0, 45.0), (590.0, 14.0, 4.0, 7.0), (629.0, 12.0, 4.0, 50.0),
)  # fmt: skip
#: Strong lines of neon and argon, nm in air, with their strengths.
NEON = {
    540.05618: 40, 576.44188: 9, 582.01558: 8, 585.24879: 100, 588.18952: 45, 594.48342: 60, 602.99969: 30,
    607.43377: 70, 609.61631: 90, 614.30626: 100, 616.35939: 50, 621.72812: 45, 626.6495: 80, 633.44278: 80,
    638.29917: 90, 640.2248: 100, 650.65281: 90, 653.28822: 30, 659.89529: 60, 667.82762: 80, 671.7043: 60,
    692.94673: 70, 703.24131: 100, 717.39381: 30, 724.51666: 60, 743.88981: 30, 748.88712: 20, 753.57741: 15,
    783.90529: 0.5, 792.71177: 1.5, 793.69961: 3, 794.31814: 8, 808.2458: 6, 811.85492: 5, 812.89108: 2,
    813.64054: 12, 825.9379: 3, 826.60772: 6, 830.03258: 20, 836.57466: 5, 837.7608: 60, 841.84274: 14,
    846.33575: 4, 849.53598: 30, 854.46958: 2, 857.13524: 3, 859.12584: 16, 863.4647: 18, 865.43831: 20,
    867.94925: 5, 868.19211: 5, 870.41116: 3, 878.06226: 25, 885.38668: 12, 891.95006: 4,
}  # fmt: skip
ARGON = {
    415.859: 40, 416.418: 5, 418.1884: 5, 419.8317: 40, 420.0674: 42, 425.9362: 25, 426.6286: 10, 427.2169: 18,
    430.0101: 15, 433.3561: 12, 434.5168: 6,
}  # fmt: skip


class Instrument(NamedTuple):
    """A spectrometer with its camera: lengths in nm, resolution as full width at half maximum."""

    laser: float = 532.0
    nominal: float = 532.0
    resolution: float = 0.12
    pixel: float = 0.05
    first: float = 534.6
    pixels: int = 900
    offset: float = 0.0
    scale: float = 0.0
    exposures: int = 5
    read_noise: float = 5.0
    etalon: float = 0.0
    period: float = 2.0

    @property
    def centres(self) -> np.ndarray:
        """Wavelength in air at the middle of each pixel, nm."""
        return self.first + self.pixel * np.arange(self.pixels) - 4e-7 * self.pixel * np.arange(self.pixels) ** 2

    def axis(self) -> np.ndarray:
        """Raman shift that the software assigns to each pixel, 1/cm."""
        true = wavenumber(self.nominal) - wavenumber(self.centres)
        return true + self.offset + self.scale * (true - 500.0)


def refraction(air: float | np.ndarray) -> float | np.ndarray:
    """Return the refractive index of air less 1 (Edlen 1966, doi 10.1088/0026-1394/2/2/002)."""
    square = (1e3 / np.asarray(air)) ** 2
    return 1e-8 * (8342.13 + 2406030 / (130 - square) + 15997 / (38.9 - square))


def wavenumber(air: float | np.ndarray) -> float | np.ndarray:
    """Return the wavenumber in vacuum, 1/cm, of a wavelength in air, nm."""
    return 1e7 / (np.asarray(air) * (1 + refraction(air)))


def scattered(shift: np.ndarray, oscillators: Sequence[Oscillator]) -> np.ndarray:
    """Return the spectrum of damped oscillators in thermal equilibrium, each of its height at its position."""
    light = np.zeros(shift.size)
    nodes, weights = np.polynomial.hermite_e.hermegauss(15)
    for position, damping, spread, height in oscillators:
        line = np.zeros(shift.size)
        for node, weight in zip(nodes, weights, strict=True):
            at = position + spread * node
            response = at * damping * shift / ((at**2 - shift**2) ** 2 + (damping * shift) ** 2)
            line += weight * response / -np.expm1(-np.maximum(shift, 1.0) / KT)
        light += height * line / np.interp(position, shift, line)
    return light


def recorded(
    rng: np.random.Generator, of: Instrument, light: np.ndarray, oversampled: int, rays: Sequence[tuple] = ()
) -> np.ndarray:
    """Return the mean counts of a pixel over the exposures, of light per exposure on a finer grid."""
    blurred = gaussian_filter1d(light, of.resolution / of.pixel * oversampled / 2.3548, mode="nearest")
    mean = blurred.reshape(-1, oversampled).mean(1)
    mean = mean * (1 + of.etalon * np.sin(2 * np.pi * of.centres / of.period + rng.uniform(0, 2 * np.pi)))
    total = np.zeros(of.pixels)
    struck = {int(exposure): (at, counts) for exposure, at, counts in rays}
    for exposure in range(of.exposures):
        counts = rng.poisson(np.maximum(mean, 0)) + rng.normal(0, of.read_noise, of.pixels)
        if exposure in struck:
            at, energies = struck[exposure]
            counts[at : at + len(energies)] += energies
        total += np.minimum(np.round(counts), LIMIT)
    return total / of.exposures


def fine(of: Instrument, oversampled: int = 8) -> np.ndarray:
    """Return the true Raman shift on a grid within the pixels, 1/cm."""
    pixel = np.arange(of.pixels * oversampled) / oversampled + (0.5 / oversampled - 0.5)
    return wavenumber(of.laser) - wavenumber(np.interp(pixel, np.arange(of.pixels), of.centres))


def spectrum(
    rng: np.random.Generator,
    of: Instrument,
    oscillators: Sequence[Oscillator],
    *,
    scale: float = 30.0,
    fluorescence: float = 3000.0,
    rays: Sequence[tuple] = (),
) -> xr.Dataset:
    """Return a recording of a surface: oscillators, and fluorescence as two wide log-normal bands."""
    shift = fine(of)
    light = scale * scattered(shift, oscillators)
    for centre, width in ((1500.0, 0.9), (400.0, 1.6)):
        light += 0.5 * fluorescence * np.exp(-0.5 * (np.log(np.maximum(shift, 5.0) / centre) / width) ** 2)
    return raman(of.axis(), recorded(rng, of, light, 8, rays), of.nominal)


def lamp(rng: np.random.Generator, of: Instrument, lines: dict[float, float], brightest: float = 90000.0) -> xr.Dataset:
    """Return a recording of a lamp, whose lines are as wide as the slit."""
    pixel = np.arange(of.pixels * 8) / 8 - 0.4375
    grid = np.interp(pixel, np.arange(of.pixels), of.centres)
    light = np.full(grid.size, 20.0)
    for line, strength in lines.items():
        place = np.argmin(np.abs(grid - line))
        if 0 < place < grid.size - 1:
            light += brightest * strength / 100 * np.exp(-0.5 * ((grid - line) / (of.pixel * 0.3)) ** 2) * 3
    return raman(of.axis(), recorded(rng, of, light, 8), of.nominal)


def inn(rng: np.random.Generator, height: float, ratio: float = 1.2) -> tuple[Oscillator, ...]:
    """Return both modes of a sputtered film, strained by up to 0.3 GPa."""
    stress = rng.uniform(-0.3, 0.3)
    damping = rng.uniform(8.0, 16.0)
    return (
        (490.1 + 9.0 * stress, damping, 3.0, height),
        (585.4 + 8.4 * stress, damping + 6.0, 6.0, ratio * height),
    )


def _made(sample: str, one: xr.Dataset, state: str = "pristine") -> Made:
    return Made("raman", sample, state, one, {})


def _off(rng: np.random.Generator, **of: float) -> Instrument:
    """Return an instrument of some resolution whose axis is off."""
    resolution = rng.uniform(0.04, 0.25)  # 1.4 to 9 1/cm
    drawn = Instrument(resolution=resolution, offset=rng.normal(0, 2.0), scale=rng.normal(0, 0.003))
    return drawn._replace(**of)


def _present(sample: str = "X") -> tuple[str, str, str]:
    return sample, "pristine", "InN_Raman_mode_present"


def coated(seed: int) -> Case:
    """InN on garnet, both modes, on an axis that nothing calibrates."""
    rng = np.random.default_rng([seed, 1])
    modes = inn(rng, rng.uniform(30.0, 90.0))
    one = spectrum(rng, _off(rng), (*GARNET, *modes), fluorescence=rng.uniform(500, 6000))
    return Case([_made("X", one)], {_present(): True, **_where(modes)})


def middle(mode: Oscillator) -> float:
    """Return the middle between the half maxima of a mode's light, 1/cm."""
    shift = np.arange(mode[0] - 60.0, mode[0] + 60.0, 0.02)
    light = scattered(shift, [mode])
    above = shift[light > light.max() / 2]
    return float(above[0] + above[-1]) / 2


def _where(modes: Sequence[Oscillator]) -> dict[tuple[str, str, str], float]:
    return {("X", "pristine", f"raman_shift_of_InN {name}"): middle(mode) for name, mode in _named(modes)}


def _named(modes: Sequence[Oscillator]) -> list[tuple[str, Oscillator]]:
    return list(zip(("E2(high)", "A1(LO)"), modes, strict=True))


def bare(seed: int) -> Case:
    """Garnet alone, at a signal that shows its absence."""
    rng = np.random.default_rng([seed, 2])
    one = spectrum(rng, _off(rng), GARNET, scale=60.0, fluorescence=rng.uniform(500, 3000))
    return Case([_made("X", one)], {_present(): False})


def zirconate(seed: int) -> Case:
    """La2Zr2O7 beside garnet: its lines at 493 and 589 1/cm overlap those of InN."""
    rng = np.random.default_rng([seed, 3])
    share = np.exp(rng.uniform(np.log(0.1), np.log(3.0)))
    lines = [(*line[:3], share * line[3]) for line in ZIRCONATE]
    return Case([_made("X", spectrum(rng, _off(rng), (*GARNET, *lines)))], {_present(): False})


def oxide(seed: int) -> Case:
    """In2O3 on garnet."""
    rng = np.random.default_rng([seed, 4])
    share = np.exp(rng.uniform(np.log(0.1), np.log(3.0)))
    lines = [(*line[:3], share * line[3]) for line in OXIDE]
    return Case([_made("X", spectrum(rng, _off(rng), (*GARNET, *lines)))], {_present(): False})


def unseen(seed: int) -> Case:
    """Garnet below strong fluorescence: its noise exceeds the bands, and nothing can be told."""
    rng = np.random.default_rng([seed, 5])
    one = spectrum(rng, _off(rng), GARNET, scale=0.3, fluorescence=30000.0)
    return Case([_made("X", one)], {_present(): None})


def one_mode(seed: int) -> Case:
    """A polarisation that suppresses A1(LO): one band alone proves nothing."""
    rng = np.random.default_rng([seed, 6])
    return Case([_made("X", spectrum(rng, _off(rng), (*GARNET, *inn(rng, 60.0)[:1])))], {_present(): None})


def amorphous(seed: int) -> Case:
    """Amorphous InN: a hump over both modes, which is neither a mode nor its absence."""
    rng = np.random.default_rng([seed, 7])
    hump = ((500.0, 90.0, 40.0, rng.uniform(40, 90)), (595.0, 80.0, 30.0, rng.uniform(20, 60)))
    return Case([_made("X", spectrum(rng, _off(rng), (*GARNET, *hump)))], {_present(): None})


def etalon(seed: int) -> Case:
    """A back-thinned camera at 785 nm, whose fringes look like bands."""
    rng = np.random.default_rng([seed, 8])
    of = _infrared(rng)._replace(etalon=rng.uniform(0.02, 0.06), period=rng.uniform(3.0, 6.0))
    return Case([_made("X", spectrum(rng, of, GARNET, fluorescence=8000.0))], {_present(): False})


def _infrared(rng: np.random.Generator) -> Instrument:
    of = Instrument(laser=785.0 + rng.normal(0, 0.005), nominal=785.0, resolution=rng.uniform(0.2, 0.4), pixel=0.12)
    return of._replace(first=790.5, pixels=700, offset=rng.normal(0, 3.0), scale=rng.normal(0, 0.002))


def infrared(seed: int) -> Case:
    """785 nm with its neon lamp."""
    rng = np.random.default_rng([seed, 9])
    of, modes = _infrared(rng), inn(rng, 80.0)
    made = [_made("X", spectrum(rng, of, (*GARNET, *modes))), _made("Ne", lamp(rng, of, NEON), "lamp")]
    return Case(made, {_present(): True, **_where(modes)})


def violet(seed: int) -> Case:
    """405 nm with an argon lamp."""
    rng = np.random.default_rng([seed, 10])
    of = Instrument(405.0 + rng.normal(0, 0.002), 405.0, 0.05, 0.025, 407.0, 1200, rng.normal(0, 3.0))
    modes = inn(rng, 80.0)
    made = [_made("X", spectrum(rng, of, (*GARNET, *modes))), _made("Ar", lamp(rng, of, ARGON), "lamp")]
    return Case(made, {_present(): True, **_where(modes)}, {"lamp": "Ar", "calibration": "argon"})


def wafer_calibrated(seed: int) -> Case:
    """A silicon wafer on the axis of the spectrum calibrates it at one point."""
    rng = np.random.default_rng([seed, 11])
    of, modes = _off(rng, resolution=0.1), inn(rng, 80.0)
    silicon = spectrum(rng, of, [(SILICON, 2.8, 0.3, 900.0)], fluorescence=200.0)
    made = [_made("X", spectrum(rng, of, (*GARNET, *modes))), _made("Si", silicon, "wafer")]
    return Case(made, {_present(): True, **_where(modes)}, {"lamp": "Si", "calibration": "silicon"})


WAFER = {"bands": [], "modes": {"Si": SILICON}, "window": [440, 600], "rivals": []}


def narrow(seed: int) -> Case:
    """Silicon, 3 to 5 per cm wide, on pixels of 0.9 to 1.8 per cm."""
    rng = np.random.default_rng([seed, 12])
    pixel = rng.uniform(0.025, 0.05)
    resolution = max(rng.uniform(0.03, 0.06), 1.3 * pixel)
    of = _off(rng, pixel=pixel, resolution=resolution, pixels=round(45 / pixel))
    one = spectrum(rng, of, [(SILICON, 2.8, 0.3, 10 ** rng.uniform(1.5, 3))], fluorescence=300.0)
    truths = {("X", "pristine", "Si_Raman_mode_present"): True, ("X", "pristine", "raman_shift_of_Si"): SILICON}
    return Case([_made("X", one)], truths, WAFER | {"resolution": resolution * 1e7 / 547.0**2})


def saturated(seed: int) -> Case:
    """Silicon whose top is cut off at the converter's limit."""
    rng = np.random.default_rng([seed, 13])
    of = _off(rng, resolution=0.15)
    one = spectrum(rng, of, [(SILICON, 2.8, 0.3, 10000.0)], fluorescence=300.0)
    truths = {("X", "pristine", "raman_shift_of_Si"): SILICON, ("X", "pristine", "height_of_Si"): None}
    return Case([_made("X", one)], truths, WAFER)


def struck(seed: int) -> Case:
    """A cosmic ray where E2(high) stands, on garnet: no mode, and nothing said that is wrong."""
    rng = np.random.default_rng([seed, 14])
    of = _off(rng)
    at = int(np.argmin(np.abs(fine(of)[4::8] - rng.uniform(482, 498))))
    ray = (rng.integers(5), at, [rng.uniform(500, 20000), *rng.uniform(0, 5000, rng.integers(2))])
    return Case([_made("X", spectrum(rng, of, GARNET, scale=60.0, rays=[ray]))], {_present(): False})


KINDS: dict[str, Kind] = {
    "InN on garnet": coated,
    "bare garnet": bare,
    "La2Zr2O7 beside garnet": zirconate,
    "In2O3 on garnet": oxide,
    "hidden by fluorescence": unseen,
    "one mode of two": one_mode,
    "amorphous InN": amorphous,
    "fringes at 785 nm": etalon,
    "785 nm with neon": infrared,
    "405 nm with argon": violet,
    "axis from silicon": wafer_calibrated,
    "narrow silicon": narrow,
    "saturated silicon": saturated,
    "cosmic ray at a mode": struck,
}
