"""Which expected phases a pattern shows beside its main phase, how much of them, and what they leave unexplained."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from scipy import optimize, special, stats

from coldbond.xrd.reflections import march, reflections
from coldbond.xrd.residual_pattern import SIZES, SMALLEST, Remainder
from coldbond.xrd.structures import STRUCTURES, Structure

FALSE_ALARM = 0.01  # probability that noise alone has any phase claimed which is not there
#: Lines of a phase that must be seen: those above this share of the one that speaks most for it, and of its strongest.
STRONG = (0.2, 0.3)
TEXTURE = 3.0  # factor by which preferred orientation that is not fitted may weaken a line against the others
WEAKEST = 2.0  # lines below this of 100 are left out
TEXTURES = (0.3, 2.0)  # of March's coefficient, what platelets and needles reach
STEP = 1e-6  # of numerical derivatives
SAME = 9.0  # difference of chi square below which two phases explain the same peaks alike: three standard deviations


@dataclass(frozen=True)
class Lines:
    """A phase as it would lie in the pattern.

    Attributes
    ----------
    structure : Structure
    d : array, shape (n,)
        Angstrom.
    hkl : list of str
    powder : array, shape (n,)
        Intensity without texture, strongest = 1.
    cosine_squared : array, shape (n, planes)
        As in `reflections.reflections`.
    absolute, volume, mass : float
        Of the strongest line and of the cell, as in `reflections.reflections`.
    """

    structure: Structure
    d: np.ndarray
    hkl: list[str]
    powder: np.ndarray
    cosine_squared: np.ndarray
    absolute: float
    volume: float
    mass: float

    def positions(self, rest: Remainder, strain: float) -> np.ndarray:
        """Return where the lines lie in the pattern [degree] if the cell is larger by a relative strain."""
        sine = np.minimum(rest.wavelengths[0] / (2 * self.d * (1 + strain)), 1.0)
        bragg = np.degrees(2 * np.arcsin(sine))
        return bragg + np.interp(bragg, rest.two_theta, rest.shift)

    def intensity(self, texture: float) -> np.ndarray:
        """Return the intensities with a texture about the structure's axis, shape (n,); the strongest without is 1."""
        return self.powder * march(self.cosine_squared, texture)

    def pattern(self, rest: Remainder, strain: float, breadth: float, texture: float = 1.0) -> np.ndarray:
        """Return the lines over the uncertainty, shape (m,), for an area of 1 of the strongest without texture."""
        return rest.patterns(self.positions(rest, strain)[None], [breadth], self.intensity(texture)[None])[:, 0]


def lines(structure: Structure, rest: Remainder) -> Lines:
    """Return the lines of a phase that lie in a pattern and are not too weak to matter."""
    return _lines(structure, rest.wavelengths[0], (float(rest.two_theta[0]), float(rest.two_theta[-1])))


@lru_cache
def _lines(structure: Structure, wavelength: float, span: tuple[float, float]) -> Lines:
    found = reflections(structure, wavelength, span)
    found = found.isel(reflection=(found.relative_intensity >= WEAKEST).to_numpy())
    names = ["".join(str(i) for i in hkl) for hkl in zip(*(found[n].to_numpy() for n in "hkl"), strict=True)]
    return Lines(
        structure,
        found.d.to_numpy(),
        names,
        found.relative_intensity.to_numpy() / 100,
        found.cosine_squared.to_numpy(),
        float(found.absolute_intensity.max()),
        found.attrs["volume"],
        found.attrs["mass"],
    )


@dataclass
class Verdict:
    """What a pattern says of one phase.

    Attributes
    ----------
    lines : Lines
    present : bool
    area, low, high : float
        That its strongest line would have without texture [intensity x degree], and its 95 % interval.
    limit : float
        95 % upper limit of `area`, whichever cell and breadth in their range.
    strain, breadth, texture : float
        Relative change of its cell, x of its Lorentzian breadth x / cos [degree], March's coefficient.
    significance : float
        Standard deviations, of the best cell and breadth; `needed`: what noise reaches in `FALSE_ALARM` of patterns.
    rivals : dict of str to float
        Phases that explain the same peaks, by how much worse in chi square.
    undecided : list of str
        Phases from which the pattern does not tell this one: one of them is there.
    missing : list of str
        Lines that exclude the phase: too weak for it even with texture.
    """

    lines: Lines
    present: bool = False
    area: float = 0.0
    low: float = 0.0
    high: float = np.inf
    limit: float = np.inf
    strain: float = 0.0
    breadth: float = 0.0
    texture: float = 1.0
    significance: float = 0.0
    needed: float = 0.0
    rivals: dict[str, float] = field(default_factory=dict)
    undecided: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    @property
    def shape(self) -> tuple[float, float, float]:
        """Strain, breadth and texture."""
        return self.strain, self.breadth, self.texture


def look_for(rest: Remainder, names: Sequence[str], *, exclude: bool = True) -> dict[str, Verdict]:
    """Return what a pattern says of each phase that is looked for.

    Parameters
    ----------
    rest : Remainder
        From `remainder.remainder`.
    names : sequence of str
        Of `structures.STRUCTURES`.
    exclude : bool
        Whether a phase whose lines are missing is excluded.

    Returns
    -------
    dict of str to Verdict
        Without the phases that have no line in the pattern's range.

    Raises
    ------
    ValueError
        A phase of that name is not known.

    Notes
    -----
    Each phase is held against the remainder as a whole pattern of lines, for every cell within its structure's
    uncertainty and several crystallite sizes. The best is believed if noise alone would reach it, in any of these
    trials, with a probability of `FALSE_ALARM` at most, and if none of its lines is missing. The phase that explains
    most is taken out and the others are held against what it leaves: what is then no longer needed was its rival.
    """
    unknown = [name for name in names if name not in STRUCTURES]
    if unknown:
        raise ValueError(f"no structure of {', '.join(unknown)}; there are {', '.join(STRUCTURES)}")
    verdicts = {}
    for name in names:
        try:
            verdicts[name] = Verdict(lines(STRUCTURES[name], rest))
        except ValueError:
            continue  # no line in the range
    trials = {name: _Trials(rest, verdict.lines, FALSE_ALARM / len(names)) for name, verdict in verdicts.items()}
    chosen: list[str] = []
    doubted: set[str] = set()
    left = rest
    while True:
        best = {name: trial.best(left) for name, trial in trials.items() if name not in chosen}
        for name, trial in best.items():
            verdict = verdicts[name]
            if not verdict.missing:
                (verdict.significance, verdict.strain, verdict.breadth), verdict.needed = trial, trials[name].needed
        seen = [
            name
            for name in best
            if best[name][0] > trials[name].needed and not verdicts[name].missing and name not in doubted
        ]
        if not seen:
            break
        first = max(seen, key=lambda name: best[name][0])
        verdict = verdicts[first]
        _fit(left, [verdict], intervals=False)
        verdict.missing = _missing(left, verdict) if exclude else []
        if verdict.missing:
            continue
        if _in_the_open(left, verdict) < verdict.needed or verdict.breadth > 0.97 * left.breadth(SMALLEST):
            doubted.add(first)
            continue
        verdict.present = True
        chosen.append(first)
        left = left.without(_family(left, verdict))
        for name in seen:
            if name != first and trials[name].best(left)[0] <= trials[name].needed:
                verdict.rivals[name] = best[first][0] ** 2 - best[name][0] ** 2
    if chosen:
        _fit(rest, [verdicts[name] for name in chosen])
    for name in chosen:
        for rival, worse in verdicts[name].rivals.items():
            if worse < SAME:
                verdicts[name].undecided.append(rival)
                verdicts[rival].undecided.append(name)
    for name, verdict in verdicts.items():
        if verdict.present:
            verdict.limit = verdict.high
        else:
            verdict.area, verdict.limit = trials[name].limit(left)
    return verdicts


class _Trials:
    """The patterns of one phase that are tried: every cell within its uncertainty, several breadths.

    They are held against one remainder after another, each with more taken out. What noise reaches with the best of
    them is bounded by how far they turn (Davies 1987, doi 10.1093/biomet/74.1.33).
    """

    def __init__(self, rest: Remainder, lines: Lines, false_alarm: float) -> None:
        steepest = 2 * np.degrees(np.tan(np.radians(rest.two_theta[-1]) / 2))
        self.trials, patterns = [], []
        for i, breadth in enumerate(map(rest.breadth, SIZES)):
            fwhm = float(rest.fwhm(rest.two_theta[-1], breadth)[0])
            count = 2 * int(np.ceil(lines.structure.uncertainty * steepest / (0.5 * fwhm))) + 1
            # To and fro over the cells: each pattern is like the one before.
            strains = np.linspace(-1, 1, min(count, 41))[:: (-1) ** i] * lines.structure.uncertainty
            places = np.array([lines.positions(rest, strain) for strain in strains])
            breadths = np.full(strains.size, breadth)
            self.trials += zip(strains, breadths, strict=True)
            patterns.append(rest.patterns(places, breadths, np.tile(lines.powder, (strains.size, 1))))
        self.patterns = np.hstack(patterns)
        matrix, _ = rest.normal(self.patterns)
        self.whole, self.left = (self.patterns**2).sum(axis=0), np.diag(matrix)
        self.taken = rest.taken.shape[1]
        sizes = self._sizes(rest)
        alike = np.diag(matrix, 1) / (sizes[1:] * sizes[:-1])
        length = np.arccos(np.clip(alike, -1, 1))[alike != 0].sum()

        def reached(score: float) -> float:
            return special.ndtr(-score) + length / (2 * np.pi) * np.exp(-(score**2) / 2)

        self.needed = optimize.brentq(lambda score: reached(score) - false_alarm, 0, 40)

    def best(self, rest: Remainder) -> tuple[float, float, float]:
        """Return the best trial's significance, strain and breadth."""
        score = self.patterns.T @ rest.residual / self._sizes(rest)
        at = int(score.argmax())
        return float(score[at]), *self.trials[at]

    def limit(self, rest: Remainder) -> tuple[float, float]:
        """Return the area of the phase as tabulated, and the 95 % upper limit of the area over all trials."""
        sizes = self._sizes(rest)
        areas, errors = self.patterns.T @ rest.residual / sizes**2, 1 / sizes
        at = min(range(sizes.size), key=lambda i: (abs(self.trials[i][0]), self.trials[i][1]))
        highest = np.maximum(areas, 0) + stats.norm.ppf(0.95) * errors
        return float(areas[at]), float(highest.max())

    def _sizes(self, rest: Remainder) -> np.ndarray:
        """Norms of the patterns as `Remainder.free` leaves them; infinite where that is next to nothing."""
        self.left = self.left - ((rest.taken[:, self.taken :].T @ self.patterns) ** 2).sum(axis=0)
        self.taken = rest.taken.shape[1]
        return np.sqrt(np.where(self.left < 1e-6 * self.whole, np.inf, self.left))


def _fit(rest: Remainder, verdicts: Sequence[Verdict], *, intervals: bool = True) -> None:
    """Fit area, cell, breadth and texture of some phases together, from where they stand."""
    start, bounds = [], []
    for verdict in verdicts:
        strained, broadest = verdict.lines.structure.uncertainty, rest.breadth(SMALLEST)
        start += [verdict.strain, min(verdict.breadth, 0.95 * broadest), verdict.texture]
        bounds += [(-strained, strained), (0, broadest), TEXTURES]

    def columns(at):
        return [_tangents(rest, verdict, *shape) for verdict, shape in zip(verdicts, at.reshape(-1, 3), strict=True)]

    at = rest.fitted(columns, np.array(start), np.array(bounds))
    here = np.column_stack([part[:, 0] for part in columns(at)])
    matrix, products = rest.normal(here)
    areas = np.linalg.lstsq(matrix, products, rcond=1e-12)[0]
    for verdict, area, shape in zip(verdicts, areas, at.reshape(-1, 3), strict=True):
        verdict.area = float(area)
        verdict.strain, verdict.breadth, verdict.texture = map(float, shape)
    for verdict in verdicts if intervals else ():
        others = [_tangents(rest, other, *other.shape) for other in verdicts if other is not verdict]
        left = rest.without(np.hstack(others)) if others else rest
        # its breadth is tried, so what an error of that adds is left out
        low, high = left.interval(
            lambda breadth, v=verdict: _tangents(rest, v, v.strain, breadth, v.texture)[:, [0, 1, 3]], verdict.breadth
        )
        verdict.low, verdict.high = min(low, verdict.area), max(high, verdict.area)


def _tangents(rest: Remainder, verdict: Verdict, strain: float, breadth: float, texture: float) -> np.ndarray:
    """Return a phase's pattern, and how it changes with its cell, its breadth and its texture, shape (m, 4)."""
    lines, textured = verdict.lines, verdict.lines.structure.texture_axis is not None
    here, moved = lines.positions(rest, strain), lines.positions(rest, strain + STEP)
    usual, turned = lines.intensity(texture), lines.intensity(texture + STEP * textured)
    breadths = np.array([breadth, breadth, breadth + STEP, breadth])
    first, *changed = rest.patterns(np.array([here, moved, here, here]), breadths, np.array([usual] * 3 + [turned])).T
    return np.column_stack([first, *((pattern - first) / STEP for pattern in changed)])


def _family(rest: Remainder, verdict: Verdict) -> np.ndarray:
    """Return a phase's pattern, line by line so that texture is taken up too, with what errors of its places add."""
    lines, step = verdict.lines, 2e-4
    strong = lines.powder > 0.1
    at = [rest.peaks(lines.positions(rest, verdict.strain + s)[strong], verdict.breadth) for s in (-step, 0, step)]
    wider = rest.peaks(lines.positions(rest, verdict.strain)[strong], 1.3 * verdict.breadth + 0.02)
    return np.hstack([part.toarray() for part in (*at, wider)])


def amplitudes(rest: Remainder, verdict: Verdict) -> tuple[np.ndarray, np.ndarray]:
    """Return area and standard error of each line of a phase, each fitted alone [intensity x degree]."""
    peaks = rest.peaks(verdict.lines.positions(rest, verdict.strain), verdict.breadth)
    sizes = np.maximum(rest.sizes(peaks), 1e-12)
    return peaks.T @ rest.residual / sizes**2, 1 / sizes


def disagreement(rest: Remainder, verdict: Verdict) -> float:
    """Return by what to widen the interval of a phase's area: 1 where its lines agree on it, else more."""
    areas, errors = amplitudes(rest, verdict)
    expected = verdict.area * verdict.lines.intensity(verdict.texture)
    telling = (expected > 2 * errors) & ~rest.under(verdict.lines.positions(rest, verdict.strain), expected)
    freedom = int(telling.sum()) - 1
    if freedom < 1:
        return 1.0
    scatter = np.sum(((areas - expected) / errors)[telling] ** 2) / freedom
    if scatter < stats.chi2.ppf(0.95, freedom) / freedom:
        return 1.0
    return float(stats.t.ppf(0.975, freedom) / stats.norm.ppf(0.975) * np.sqrt(scatter))


def _in_the_open(rest: Remainder, verdict: Verdict) -> float:
    """Return the significance of those lines of a phase that are no flanks of the main phase's reflections."""
    areas, errors = amplitudes(rest, verdict)
    intensity = verdict.lines.intensity(verdict.texture)
    under = rest.under(verdict.lines.positions(rest, verdict.strain), verdict.area * intensity)
    weight = np.where(under, 0.0, (intensity / errors) ** 2)
    return float(np.sum(weight * areas / intensity) / np.sqrt(weight.sum())) if weight.any() else 0.0


def _missing(rest: Remainder, verdict: Verdict) -> list[str]:
    """Return lines that the phase must show, were it there, and that the pattern does not."""
    areas, errors = amplitudes(rest, verdict)
    intensity = verdict.lines.intensity(verdict.texture)
    telling = (intensity * areas / errors**2).argmax()  # the line that speaks most for the phase
    area = max(verdict.area, (areas[telling] - stats.norm.ppf(0.95) * errors[telling]) / intensity[telling])
    places = verdict.lines.positions(rest, verdict.strain)
    strong = (intensity > STRONG[0] * intensity[telling]) | (verdict.lines.powder > STRONG[1])
    judged = strong & ~rest.under(places, area * intensity)
    judged[telling] = False
    absent = judged & (areas + 3 * errors < area * intensity / TEXTURE)
    weight = np.where(judged, (intensity / errors) ** 2, 0.0)
    if not absent.any() and weight.sum() > 0:  # none alone, but all together
        together = np.sum(np.where(judged, intensity * areas / errors**2, 0.0)) / weight.sum()
        if together + 3 / np.sqrt(weight.sum()) < area / TEXTURE:
            absent = judged
    return [hkl for hkl, out in zip(verdict.lines.hkl, absent, strict=True) if out]
