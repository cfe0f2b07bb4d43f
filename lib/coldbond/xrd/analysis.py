"""Analysis of one powder pattern: main phase, minor phases, and the peaks that no phase explains.

A first whole-pattern fit of the main phase shows which other phases may be present. They are included in a second fit,
so that widths and areas of the main phase no longer compensate for them, the strong ones with a cell and a breadth of
their own; the results are those of its residuals. A
phase counts as present only if one of its lines stands out as a peak by itself: all of its lines together may add up
small misfits of the profile function. It is absent only if its upper limit is below the share that matters.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import xarray as xr
from lmfit.minimizer import MinimizerResult

from coldbond.interval import Interval
from coldbond.xrd import likely_cause, line_evidence, main_phase, pawley, peaks, phases, symmetry
from coldbond.xrd.lattice import lattice_parameters
from coldbond.xrd.peak_assignment import Candidate, assign
from coldbond.xrd.phase_lines import Detection, lines
from coldbond.xrd.residual_pattern import ResidualPattern, residual_pattern
from coldbond.xrd.rietveld import Mixture
from coldbond.xrd.structures import Structure, find
from coldbond.xrd.symmetry import Symmetry
from coldbond.xrd.varieties import BREADTH, SHARE, Variety

#: Weight fraction that matters where none is stated, percent. Chosen: routine powder diffraction finds a few percent.
SMALLEST_SHARE = 5.0
#: Significance above which the whole-pattern fit refines the cell and the breadth of a phase beside the main one: an
#: error of its cell would otherwise move the main phase's reflections.
REFINED_SIGNIFICANCE = 20.0
#: Relative standard uncertainty of a weight fraction from calculated structure factors: displacements and occupancies
#: of the atoms, and profiles. Of the order of the spread in the round robin of Madsen et al. 2001, doi
#: 10.1107/S0021889801007476; `tests/independent` has phases of other parameters.
STRUCTURE_UNCERTAINTY = 0.05
SAME_ANGLE = 1  # decimals of two theta [degree]: reflections with equal ones are one line


@dataclass(frozen=True)
class Analysis:
    """What a pattern holds.

    Attributes
    ----------
    pattern : xarray.Dataset
        As `coldbond.read` returns it.
    main : Structure
    fits : dict of str to MinimizerResult
        From `pawley.fit_geometries`, with the phases that were found.
    residuals : ResidualPattern
        Of the fit with `geometry`.
    peaks : xarray.Dataset
        From `peaks.search`.
    detections : dict of str to Detection
    geometry : {"displacement", "zero"}
        As for `pawley.fit`.
    beside : dict of str to Structure
        Phases in the fits beside the main one, with the texture that they have there.
    symmetry : Symmetry or None
        Where a tetragonal variety of the main phase was looked for.
    """

    pattern: xr.Dataset
    main: Structure
    fits: dict[str, MinimizerResult]
    residuals: ResidualPattern
    peaks: xr.Dataset
    detections: dict[str, Detection]
    geometry: str = "displacement"
    beside: dict[str, Structure] = field(default_factory=dict)
    symmetry: Symmetry | None = None

    @property
    def fit(self) -> MinimizerResult:
        """The fit with `geometry`; only the lattice parameters are taken from both."""
        return self.fits[self.geometry]

    @property
    def strongest_area(self) -> float:
        """Area of the main phase's strongest line [intensity x degree]: reflections at one angle are one line."""
        found = self.fit.reflections
        _, line = np.unique(np.round(found.two_theta.to_numpy(), SAME_ANGLE), return_inverse=True)
        return float(np.bincount(line, found.area.to_numpy()).max())

    @property
    def stray_peaks(self) -> xr.Dataset:
        """The peaks that are no flanks of main reflections."""
        return self.peaks.isel(peak=~self.peaks.flank.to_numpy())

    def assignments(self) -> list[list[Candidate]]:
        """Return the candidates for each stray peak."""
        return assign(self.stray_peaks, self.detections, self.residuals)


def analyse(
    pattern: xr.Dataset,
    main: str | Structure,
    looked_for: Sequence[str | Structure],
    instrument: pawley.Instrument | None = None,
    geometry: str = "displacement",
    mixture: Mixture | None = None,
    tetragonal: str | Structure = "",
) -> Analysis:
    """Return what a pattern holds.

    Parameters
    ----------
    pattern : xarray.Dataset
        As `coldbond.read` returns it.
    main : str or Structure
        Main phase, by its name in `structures.STRUCTURES`, or its structure.
    looked_for : sequence of str or Structure
        Phases looked for beside it.
    instrument : pawley.Instrument, optional
        From `pawley.instrument_profile`.
    geometry : {"displacement", "zero"}
        Error of the angles with which phases and peaks are searched; lattice parameters use both.
    mixture : Mixture, optional
        From `rietveld.fit` of this pattern: the phases beside the main one are in its first fit already.
    tetragonal : str or Structure
        Tetragonal variety of a cubic main phase that is looked for, in its place and beside it; "" for none.

    Raises
    ------
    ValueError
        A phase is not in `structures.STRUCTURES`, the main phase does not describe the pattern, or as `pawley.fit`.
    """
    structure, others = find(main), [find(phase) for phase in looked_for]
    main = structure.name
    if np.ptp(pattern.intensity.to_numpy()) == 0:
        raise ValueError(f"the intensity is {float(pattern.intensity[0]):g} at every angle: record or export it again")
    searched = [phase for phase in others if phase.name != main]
    pawley.check(pattern, geometry)
    mixed = {} if mixture is None else {phase.name: phase for phase in mixture.beside() if phase.name != main}
    variety = symmetry.variety_of(structure, tetragonal)
    try:
        main_phase.check_lines(pattern, structure, variety)
        first = pawley.fit(
            pattern, structure, geometry=geometry, instrument=instrument, others=list(mixed.values()), rough=True
        )
        likely_cause.check_doublet(first, pattern, structure)
        garnet, first = symmetry.first_look(pattern, structure, variety, first, geometry, instrument)
        main_phase.check_fit(first, main)
        main_phase.check_parameters(first, pattern, main)
        likely_cause.check_misfit(first, structure, likely_cause.REFUSED_ALONE)
    except main_phase.NotDescribed as error:
        raise likely_cause.explained(error, pattern, structure, searched) from error
    suspected = phases.look_for(residual_pattern(pattern, first), searched, exclude=False)
    present = {name: detection for name, detection in suspected.items() if detection.present}
    beside = {name: mixed.get(name, fitted_structure(detection)) for name, detection in present.items()}
    options: dict[str, Any] = {
        "others": list(beside.values()),
        "breadths": {name: detection.breadth for name, detection in present.items()},
        "refined": [name for name, detection in present.items() if detection.significance > REFINED_SIGNIFICANCE],
        "instrument": instrument,
    }

    def fit(name: str, start: MinimizerResult, own: Variety | None = None) -> MinimizerResult:
        return pawley.fit(pattern, structure, geometry=name, start=start, variety=own, **options)

    if garnet is None:
        best = fit(geometry, first)
        residuals = residual_pattern(pattern, best)
        if variety is not None:
            of_others = (best.curves.phases.to_numpy()[1:] / residuals.uncertainty).T
            garnet = symmetry.describe(
                pattern,
                variety,
                structure,
                best,
                residuals.with_nuisance(of_others) if beside else residuals,
                lambda own, start: fit(geometry, start, own),
            )
    own = None
    if garnet is not None and garnet.best != symmetry.CUBIC:
        described = garnet.fits[garnet.best]
        if garnet.best == symmetry.TETRAGONAL:  # its intensities are free from here on
            structure = described.varied
            first = pawley.fit(pattern, structure, geometry=geometry, instrument=instrument, rough=True)
        else:
            own, first = (
                Variety(
                    described.varied, float(described.params[SHARE].value), own_breadth=BREADTH in described.params
                ),
                described,
            )
        best = fit(geometry, first, own)
        residuals = residual_pattern(pattern, best)
    try:
        likely_cause.check_misfit(best, structure)
    except main_phase.NotDescribed as error:
        raise likely_cause.explained(error, pattern, structure, searched) from error
    fits = {name: best if name == geometry else fit(name, best, own) for name in (*pawley.GEOMETRIES, pawley.BOTH)}
    for each in fits.values():
        main_phase.check_parameters(each, pattern, main)
    refined = {
        name: replace(present[name].lines.structure, cell=pawley.cell_of(best, other, f"_{i}"))
        for i, (name, other) in enumerate(beside.items(), start=1)
        if f"size_{i}" in best.params
    }
    stray, detections = peaks.search(residuals), phases.look_for(residuals, searched, refined=refined)
    for detection in detections.values():
        if detection.present and not line_evidence.stands_out(residuals, detection, stray.attrs["threshold"]):
            detection.present = False  # its upper limit stays that of the fitted area
            detection.doubt = "its lines together are significant, but none stands out as a peak"
    return Analysis(pattern, structure, fits, residuals, stray, detections, geometry, beside, garnet)


def own_cell(found: Analysis, name: str) -> dict[str, Interval]:
    """Return the lattice parameters of a phase beside the main one [angstrom or degree]; empty where not refined."""
    suffix = _suffix(found, name)
    return lattice_parameters(found.fits, suffix=suffix).intervals if suffix else {}


def _suffix(found: Analysis, name: str) -> str:
    """Return the suffix of the parameters of a refined phase beside the main one; "" where it is not refined."""
    suffix = f"_{1 + list(found.beside).index(name)}" if name in found.beside else ""
    return suffix if suffix and f"size{suffix}" in found.fit.params else ""


def fitted_structure(detection: Detection) -> Structure:
    """Return the structure of a phase with the cell and the texture that were fitted."""
    structure = detection.lines.structure
    a, b, c, *angles = structure.cell
    alpha, beta, gamma = angles
    factor = 1 + detection.strain
    cell = (a * factor, b * factor, c * factor, alpha, beta, gamma)
    return replace(structure, cell=cell, texture=detection.texture)


def is_present(found: Analysis, name: str, smallest_share: float = SMALLEST_SHARE) -> tuple[bool | None, str]:
    """Return whether a phase is present, and why it cannot be told where that is None.

    Parameters
    ----------
    found : Analysis
    name : str
        A phase that was looked for.
    smallest_share : float
        Weight fraction that matters, percent: a phase is absent where its upper limit is smaller.
    """
    detection = found.detections[name]
    if detection.indistinguishable:
        return None, f"not distinguishable from {', '.join(detection.indistinguishable)}: one of them is present"
    if detection.present:
        return True, ""
    high = weight_fraction(found, name).high
    if high is None:
        return None, "all of its lines lie under those of the main phase, or none is in the range"
    if detection.doubt:
        return None, detection.doubt
    if high >= smallest_share:
        return None, f"up to {high:.2g} wt% could hide in the pattern, more than the {smallest_share:g} wt% that matter"
    return False, ""


def weight_fraction(found: Analysis, name: str) -> Interval:
    """Return the weight fraction of a phase, percent of this phase and the main one.

    Parameters
    ----------
    found : Analysis
    name : str
        A phase that was looked for.

    Returns
    -------
    Interval
        Without a value and from 0 to the 95 % upper limit where the phase is not present.

    Notes
    -----
    From calculated structure factors (Hill and Howard 1987, doi 10.1107/S0021889887086199): the weight of a phase is
    proportional to scale times mass times volume of its cell; a phase with a cell of its own has its scale from the
    whole-pattern fit. This assumes a homogeneous, fine-grained powder without
    texture. The interval is widened by the disagreement of the phase's lines, which texture causes.
    """
    detection = found.detections[name]
    own = lines(found.main, found.residuals)
    of_main = float(found.fit.scales.scale[0]) / own.absolute * own.volume * own.mass
    per_area = detection.lines.volume * detection.lines.mass / detection.lines.absolute / of_main

    def percent(area: float) -> float:
        return float(100 * per_area * max(area, 0.0) / (1 + per_area * max(area, 0.0)))

    if not of_main > 0 or not np.isfinite(detection.limit):
        return Interval(None)  # the main phase has no intensity, or hides all lines of this one
    if not detection.present:
        return Interval(None, 0.0, percent(detection.limit))
    factor = line_evidence.disagreement(found.residuals, detection)
    area, low, high = detection.area
    if area and _suffix(found, name):
        # Its profile in the whole-pattern fit is that of the main phase: tails that both lack cancel in the ratio.
        texture = found.beside[name].texture
        own_scale = float(found.fit.scales.scale.sel(phase=name)) / detection.lines.intensity(texture).max()
        area, low, high = Interval(area, low, high).scaled(own_scale / area)
    if area is None or low is None or high is None:
        return Interval(None)
    widened = Interval(area, *(area + factor * (bound - area) for bound in (low, high)))
    return Interval(*map(percent, widened.widened(STRUCTURE_UNCERTAINTY * area).numbers))
