"""Analysis of one powder pattern: main phase, minor phases, and the peaks that no phase explains.

A first whole-pattern fit of the main phase shows which other phases may be present. They are included in a second fit,
so that widths and areas of the main phase no longer compensate for them; the results are those of its residuals. A
phase counts as present only if one of its lines stands out as a peak by itself: all of its lines together may add up
small misfits of the profile function.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import xarray as xr
from lmfit.minimizer import MinimizerResult

from coldbond.interval import Interval
from coldbond.xrd import likely_cause, main_phase, pawley, peaks, phases, symmetry
from coldbond.xrd.peak_assignment import Candidate, assign, explaining_phases
from coldbond.xrd.residual_pattern import ResidualPattern, residual_pattern
from coldbond.xrd.structures import Structure, find
from coldbond.xrd.symmetry import Symmetry
from coldbond.xrd.varieties import SHARE, Variety

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
    detections : dict of str to phases.Detection
    geometry : {"displacement", "zero"}
        As for `pawley.fit`.
    symmetry : Symmetry or None
        Where a tetragonal variety of the main phase was looked for.
    """

    pattern: xr.Dataset
    main: Structure
    fits: dict[str, MinimizerResult]
    residuals: ResidualPattern
    peaks: xr.Dataset
    detections: dict[str, phases.Detection]
    geometry: str = "displacement"
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
    variety = symmetry.variety_of(structure, tetragonal)
    try:
        main_phase.check_lines(pattern, structure, variety)
        first = pawley.fit(pattern, structure, geometry=geometry, instrument=instrument, rough=True)
        likely_cause.check_doublet(first, pattern, structure)
        garnet, first = symmetry.first_look(pattern, structure, variety, first, geometry, instrument)
        main_phase.check_fit(first, main)
        main_phase.check_parameters(first, pattern, main)
        likely_cause.check_misfit(first, structure, likely_cause.REFUSED_ALONE)
    except main_phase.NotDescribed as error:
        raise likely_cause.explained(error, pattern, structure, searched) from error
    suspected = phases.look_for(residual_pattern(pattern, first), searched, exclude=False)
    present = {name: detection for name, detection in suspected.items() if detection.present}
    beside = [fitted_structure(detection) for detection in present.values()]
    breadths = {name: detection.breadth for name, detection in present.items()}

    def fit(name: str, start: MinimizerResult, own: Variety | None = None) -> MinimizerResult:
        return pawley.fit(
            pattern,
            structure,
            geometry=name,
            start=start,
            instrument=instrument,
            others=beside,
            breadths=breadths,
            variety=own,
        )

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
            own, first = Variety(described.varied, float(described.params[SHARE].value)), described
        best = fit(geometry, first, own)
        residuals = residual_pattern(pattern, best)
    try:
        likely_cause.check_misfit(best, structure)
    except main_phase.NotDescribed as error:
        raise likely_cause.explained(error, pattern, structure, searched) from error
    fits = {name: best if name == geometry else fit(name, best, own) for name in (*pawley.GEOMETRIES, pawley.BOTH)}
    for each in fits.values():
        main_phase.check_parameters(each, pattern, main)
    stray, detections = peaks.search(residuals), phases.look_for(residuals, searched)
    found = Analysis(pattern, structure, fits, residuals, stray, detections, geometry, garnet)
    seen = {phase for candidates in found.assignments() for phase in explaining_phases(candidates)}
    for name, detection in detections.items():
        detection.present = detection.present and name in seen  # its upper limit stays that of the fitted area
    return found


def fitted_structure(detection: phases.Detection) -> Structure:
    """Return the structure of a phase with the cell and the texture that were fitted."""
    structure = detection.lines.structure
    a, b, c, *angles = structure.cell
    alpha, beta, gamma = angles
    factor = 1 + detection.strain
    cell = (a * factor, b * factor, c * factor, alpha, beta, gamma)
    return replace(structure, cell=cell, texture=detection.texture)


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
    proportional to scale times mass times volume of its cell. This assumes a homogeneous, fine-grained powder without
    texture. The interval is widened by the disagreement of the phase's lines, which texture causes.
    """
    detection = found.detections[name]
    own = phases.lines(found.main, found.residuals)
    of_main = float(found.fit.scales.scale[0]) / own.absolute * own.volume * own.mass
    per_area = detection.lines.volume * detection.lines.mass / detection.lines.absolute / of_main

    def percent(area: float) -> float:
        return float(100 * per_area * max(area, 0.0) / (1 + per_area * max(area, 0.0)))

    if not of_main > 0 or not np.isfinite(detection.limit):
        return Interval(None)  # the main phase has no intensity, or hides all lines of this one
    if not detection.present:
        return Interval(None, 0.0, percent(detection.limit))
    factor = phases.disagreement(found.residuals, detection)
    area, low, high = detection.area
    if area is None or low is None or high is None:
        return Interval(None)
    return Interval(percent(area), *(percent(area + factor * (bound - area)) for bound in (low, high)))
