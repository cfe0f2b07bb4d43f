"""One powder pattern from fit to findings: main phase, phases beside it, and the peaks that no phase explains."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import xarray as xr
from lmfit.minimizer import MinimizerResult
from scipy import stats

from coldbond.bundle import raw
from coldbond.bundle.findings import finding
from coldbond.xrd import pawley, peaks, phases
from coldbond.xrd.reference_match import match
from coldbond.xrd.residual_pattern import Remainder, remainder
from coldbond.xrd.structures import STRUCTURES, Structure

PLACE = 0.02  # degree: by how much more than its error a peak may miss a line, such as from another height of a film


@dataclass(frozen=True)
class Analysis:
    """What a pattern holds.

    Attributes
    ----------
    pattern : xarray.Dataset
        As `raw.recordings` gives it.
    main : Structure
    fits : dict of str to MinimizerResult
        From `pawley.geometries`, the phases that were found in them.
    rest : Remainder
        Of that fit which `geometry` names.
    peaks : xarray.Dataset
        From `peaks.search`.
    verdicts : dict of str to phases.Verdict
    geometry : {"displacement", "zero"}
        As for `pawley.fit`.
    """

    pattern: xr.Dataset
    main: Structure
    fits: dict[str, MinimizerResult]
    rest: Remainder
    peaks: xr.Dataset
    verdicts: dict[str, phases.Verdict]
    geometry: str = "displacement"

    @property
    def fit(self) -> MinimizerResult:
        """The fit that all is judged on but the cell, which both geometries bound."""
        return self.fits[self.geometry]

    @property
    def whose(self) -> dict[str, str]:
        """Sample and state, for a finding."""
        return {key: self.pattern.attrs[key] for key in ("sample", "state")}

    @property
    def strongest(self) -> float:
        """Area of the main phase's strongest line, intensity x degree: reflections at one angle are one line."""
        found = self.fit.reflections
        _, line = np.unique(np.round(found.two_theta.to_numpy(), 1), return_inverse=True)
        return float(np.bincount(line, found.area.to_numpy()).max())

    @property
    def strays(self) -> xr.Dataset:
        """The peaks that are no flank of a main reflection."""
        return self.peaks.isel(peak=~self.peaks.flank.to_numpy())


def analyse(
    pattern: xr.Dataset,
    main: str,
    looked_for: Sequence[str],
    instrument: pawley.Instrument | None = None,
    geometry: str = "displacement",
) -> Analysis:
    """Return what a pattern holds.

    Parameters
    ----------
    pattern : xarray.Dataset
        As `raw.recordings` gives it.
    main : str
        Main phase, of `structures.STRUCTURES`.
    looked_for : sequence of str
        Phases looked for beside it.
    instrument : pawley.Instrument, optional
    geometry : {"displacement", "zero"}
        Which error of the angles the findings are made with; the interval of the cell holds both.

    Raises
    ------
    ValueError
        A phase is not known, the pattern is not of the main phase, or as `pawley.fit`.

    Notes
    -----
    The first fit, of the main phase alone, shows what else there may be; the second has it in, so that the main phase's
    widths and areas no longer make up for it, and the verdicts are made on what this one leaves. A phase is believed
    only if one of its lines stands out as a peak: all its lines together may add up small misfits of the profiles.
    """
    if main not in STRUCTURES:
        raise ValueError(f"no structure of {main}; there are {', '.join(STRUCTURES)}")
    structure = STRUCTURES[main]
    looked_for = [name for name in looked_for if name != main]
    first = pawley.fit(pattern, structure, geometry=geometry, instrument=instrument, rough=True)
    _check_main(first, main)
    suspects = phases.look_for(remainder(pattern, first), looked_for, exclude=False)
    others, breadths = [], {}
    for name, verdict in suspects.items():
        if verdict.present:
            others.append(stretched(verdict))
            breadths[name] = verdict.breadth
    options = dict(instrument=instrument, others=others, breadths=breadths)
    best = pawley.fit(pattern, structure, geometry=geometry, start=first, **options)
    fits = {
        name: best if name == geometry else pawley.fit(pattern, structure, geometry=name, start=best, **options)
        for name in pawley.GEOMETRIES
    }
    rest = remainder(pattern, fits[geometry])
    found = Analysis(pattern, structure, fits, rest, peaks.search(rest), phases.look_for(rest, looked_for), geometry)
    seen = {line.split()[0] for row in explanations(found) for line in row["explains"]}
    for name, verdict in found.verdicts.items():
        verdict.present = verdict.present and name in seen  # its limit stays: the upper end of its interval
    return found


def _check_main(fit: MinimizerResult, main: str) -> None:
    """Refuse a main phase that leaves the strongest line of the pattern unexplained: the rest would mean nothing."""
    strongest = fit.curves.isel(two_theta=int((fit.curves.intensity - fit.curves.background).to_numpy().argmax()))
    explained = float(strongest.fit - strongest.background)
    if explained < 0.5 * float(strongest.intensity - strongest.background):
        raise ValueError(
            f"the strongest line of the pattern, at {float(strongest.two_theta):.2f} degree, is none of {main}: "
            f"give its phase as parameter main, one of {', '.join(STRUCTURES)}"
        )


def stretched(verdict: phases.Verdict) -> Structure:
    """Return a phase's structure with the cell and the texture that it was found with."""
    structure = verdict.lines.structure
    cell = tuple(x * (1 + verdict.strain) for x in structure.cell[:3]) + structure.cell[3:]
    return replace(structure, cell=cell, texture=verdict.texture)


def explanations(found: Analysis) -> list[dict[str, list[str]]]:
    """Return, for each stray peak, which phases with a line there are "explains", "could" or "excluded".

    A candidate has a line where the peak is, within the peak's error, the range of the candidate's cell and `PLACE`.
    One that is not present could still be part of the peak up to its upper limit.
    """
    strays = found.strays
    rows = []
    for two_theta, error, area in zip(
        strays.two_theta.values, strays.two_theta_error.values, strays.area.values, strict=True
    ):
        row = {"explains": [], "could": [], "excluded": []}
        for name, verdict in found.verdicts.items():
            here = verdict.lines.positions(found.rest, verdict.strain if verdict.present else 0.0)
            free = 0.0005 if verdict.present else verdict.lines.structure.uncertainty
            tolerance = 1.96 * error + PLACE + 2 * np.degrees(free * np.tan(np.radians(here) / 2))
            hits = np.flatnonzero(np.abs(here - two_theta) < tolerance)
            if not hits.size:
                continue
            intensity = verdict.lines.intensity(verdict.texture)
            hit = hits[intensity[hits].argmax()]
            line, share = f"{name} {verdict.lines.hkl[hit]}", verdict.limit * intensity[hit] / area
            worse = [v.rivals[name] for v in found.verdicts.values() if name in v.rivals]
            if verdict.present and share * phases.TEXTURE > 0.5:
                row["explains"].append(line)
            elif verdict.missing:
                row["excluded"].append(f"{line} ({', '.join(verdict.missing[:2])} missing)")
            elif worse and worse[0] < phases.SAME:
                row["could"].append(f"{line} (as well, χ² {_about(worse[0])})")
            elif share > 0.5:
                row["could"].append(line)
            else:
                reason = f"χ² {_about(worse[0])}" if worse else f"at most {100 * share:.0f} % of it"
                row["excluded"].append(f"{line} ({reason})")
        rows.append(row)
    return rows


def _about(chi_square: float) -> str:
    """Return a difference of chi square to two digits, which is all that it says."""
    return f"{float(f'{chi_square:.2g}'):+.0f}"


def peak_table(analyses: Mapping[str, Analysis]) -> pd.DataFrame:
    """Return every peak beside the main phase: where, how strong, and what explains it, could, or is excluded."""
    rows = []
    for label, found in analyses.items():
        strays = found.strays
        for i, row in enumerate(explanations(found)):
            area, error = (100 * float(strays[name][i]) / found.strongest for name in ("area", "area_error"))
            rows.append(
                {
                    "recording": label,
                    "2θ / °": f"{float(strays.two_theta[i]):.2f}",
                    "area / % of strongest": f"{area:.1f} ± {1.96 * error:.1f}",
                    "explained by": "; ".join(row["explains"]) or "nothing looked for",
                    "could also be": "; ".join(row["could"]),
                    "excluded": "; ".join(row["excluded"]),
                }
            )
    return pd.DataFrame(rows or [{"recording": "no peak beside the main phase"}]).set_index("recording")


def weight_fraction(found: Analysis, name: str) -> tuple[float | None, float, float]:
    """Return the weight fraction of a phase with its 95 % interval, or None, 0 and the 95 % upper limit.

    Parameters
    ----------
    found : Analysis
    name : str
        A phase that was looked for.

    Returns
    -------
    value, low, high : float or None
        In percent of this phase and the main one.

    Notes
    -----
    From calculated structure factors (Hill and Howard 1987, doi 10.1107/S0021889887086199), for a fine-grained mixture
    without texture. The interval is widened by how far the phase's lines disagree on its amount, as texture makes them.
    """
    verdict = found.verdicts[name]
    own = phases.lines(found.main, found.rest)
    of_main = float(found.fit.scales.scale[0]) / own.absolute * own.volume * own.mass
    per_area = verdict.lines.volume * verdict.lines.mass / verdict.lines.absolute / of_main

    def percent(area: float) -> float:
        return float(100 * per_area * max(area, 0.0) / (1 + per_area * max(area, 0.0)))

    if not verdict.present:
        return None, 0.0, percent(verdict.limit)
    wider = phases.disagreement(found.rest, verdict)
    low, high = (verdict.area + wider * (end - verdict.area) for end in (verdict.low, verdict.high))
    return percent(verdict.area), percent(low), percent(high)


def phase_table(analyses: Mapping[str, Analysis]) -> pd.DataFrame:
    """Return the verdict on every phase looked for: a row a phase, a column a recording."""
    columns = {}
    for label, found in analyses.items():
        column = {}
        for name in found.verdicts:
            value, low, high = weight_fraction(found, name)
            column[name] = f"below {high:.2g} wt%" if value is None else f"{value:.2g} ({low:.2g} to {high:.2g}) wt%"
            if found.verdicts[name].undecided:
                column[name] += f", not to be told from {', '.join(found.verdicts[name].undecided)}"
        columns[label] = pd.Series(column)
    return pd.DataFrame(columns).fillna("no line in the range").rename_axis("phase")


def findings(analyses: Mapping[str, Analysis], reference: str) -> list[dict]:
    """Return lattice parameter, likeness to a reference, phases and stray peaks of each pattern.

    Parameters
    ----------
    analyses : mapping of str to Analysis
    reference : str
        Structure that the main phase is held against, of `structures.STRUCTURES`; the main phase itself for nothing.

    Returns
    -------
    list of dict
        As `findings.finding` gives them.
    """
    rows, faintest = [], max(map(detectable, analyses.values()))
    for found in analyses.values():
        rows += _lattice(found)
        if reference != found.main.name:
            rows += _likeness(found, reference)
        for name in found.verdicts:
            rows += _phase(found, name)
        rows += stray_findings(found, faintest)
    first = next(iter(analyses))
    for label in list(analyses)[1:]:
        if reference != analyses[label].main.name:
            rows.append(_same(analyses[first], analyses[label], first, reference))
    return rows


def _same(one: Analysis, other: Analysis, first: str, reference: str) -> dict:
    """Return whether two patterns are of one phase: alike to the reference, cells as near as one phase's may be."""
    quantity = f"same_phase_as_{first.replace(', ', '_').replace(' ', '_')}"
    try:
        alike = [match(found.fit, STRUCTURES[reference], unexplained_area(found)).matches for found in (one, other)]
    except ValueError as error:
        return finding(quantity, None, **other.whose, note=str(error))
    strain = other.fit.params["a"].value / one.fit.params["a"].value - 1
    near = bool(abs(strain) < 2 * one.main.uncertainty)
    note = (
        f"{'both match' if all(alike) else 'not both match'} {reference}; the cells differ by {100 * strain:+.2f} %, "
    )
    note += f"a {one.main.name} varies by {100 * one.main.uncertainty:.1f} % either way"
    return finding(quantity, all(alike) and near, **other.whose, note=note)


def _lattice(found: Analysis) -> list[dict]:
    known = pawley.lattice(found.fits)
    shift, error = float(known["shift"][0]), float(known["shift_error"][0])
    rows = []
    for name in known.parameter.to_numpy():
        at = known.sel(parameter=name)
        note = (
            f"either a sample displacement ({shift:.3f} ± {1.96 * error:.3f} mm) or a zero shift: "
            + " or ".join(f"{float(at.estimate.sel(geometry=g)):.4f}" for g in known.geometry.to_numpy())
            + f", correlation with it {float(at.correlation[0]):.2f}"
        )
        numbers = (float(at.value), float(at.low), float(at.high)) if np.isfinite(at.value) else (None, None, None)
        rows.append(finding(f"lattice_parameter_{name}", *numbers, "angstrom", **found.whose, note=note))
    return rows


def _likeness(found: Analysis, reference: str) -> list[dict]:
    try:
        like = match(found.fit, STRUCTURES[reference], unexplained_area(found))
    except ValueError as error:
        return [finding("matches_reference", None, **found.whose, note=str(error))]
    note = (
        f"{reference}: all lines above 10 of 100 "
        + (f"but {', '.join(like.missing)} seen" if like.missing else "seen")
        + f", intensities correlate {like.correlation:.2f} ({like.low:.2f} to {like.high:.2f}; "
        + f"by chance p < {like.chance:.1g})"
        + f", {100 * like.unexplained:.1f} % of the intensity in peaks that nothing explains"
        + f"; the cell is {100 * like.strain:+.2f} % off the reference's, so its lines lie elsewhere"
    )
    return [finding("matches_reference", like.matches, **found.whose, note=note)]


def unexplained_area(found: Analysis) -> float:
    """Return the area of the stray peaks that no phase explains, intensity x degree."""
    areas = found.strays.area.to_numpy()
    return float(sum(area for area, row in zip(areas, explanations(found), strict=True) if not row["explains"]))


def _phase(found: Analysis, name: str) -> list[dict]:
    verdict, whose = found.verdicts[name], found.whose
    area, below, above = (100 * a / found.strongest for a in (verdict.area, verdict.low, verdict.high))
    strongest = verdict.lines.hkl[int(verdict.lines.powder.argmax())]
    value, low, high = weight_fraction(found, name)
    if verdict.present:
        note = f"its {strongest} has {area:.2f} ({below:.2f} to {above:.2f}) % of the main phase's strongest line"
        note += f" (without its texture, r = {verdict.texture:.2f})" if verdict.texture != 1 else ""
        note += ", "
        note += f"{verdict.significance:.0f} standard deviations where noise reaches {verdict.needed:.1f}"
        worse = [f"{rival} (χ² {_about(w)})" for rival, w in verdict.rivals.items() if w >= phases.SAME]
        note += f"; explain the same peaks worse: {', '.join(worse)}" if worse else ""
        amount = "as if mixed in: less is needed of a film on top; interval by how far its lines disagree"
    else:
        limit = 100 * verdict.limit / found.strongest
        note = f"its {strongest} is below {limit:.2f} % of the main phase's strongest line (95 %)"
        note += f"; {', '.join(verdict.missing[:3])} missing" if verdict.missing else ""
        amount = "95 % upper limit, for any cell and breadth in its range"
    if verdict.undecided:
        note += f"; not to be told from {', '.join(verdict.undecided)}: one of them is there"
    return [
        finding(f"{name}_present", None if verdict.undecided else verdict.present, **found.whose, note=note),
        finding(f"{name}_weight_fraction", value, low, high, "%", **whose, note=amount),
    ]


#: Relative standard uncertainty of the summed area of stray peaks, beside that of counting: as far as it moved (6 % at
#: most) when the lines of the main phase, whose tails they stand on, were followed to other distances.
STRAY = 0.035


def stray_findings(found: Analysis, faintest: float) -> list[dict]:
    """Return number and summed area of the peaks beside the main phase.

    Parameters
    ----------
    found : Analysis
    faintest : float
        Percent of the main phase's strongest line below which a peak is not counted, so that patterns of different
        noise compare: the largest `detectable` of them.
    """
    strays, whose = found.strays, found.whose
    areas, errors = (100 * strays[name].to_numpy() / found.strongest for name in ("area", "area_error"))
    count, low, high = (int(np.sum(areas + sign * 1.96 * errors > faintest)) for sign in (0, -1, 1))
    kept = areas > faintest
    stray = sum(bool(k) and not row["explains"] for k, row in zip(kept, explanations(found), strict=True))
    total = areas[kept].sum()
    half = stats.norm.ppf(0.975) * np.hypot(np.sqrt(np.sum(errors[kept] ** 2)), STRAY * total)
    note = f"above {faintest:.2f} % of the strongest line's area, which all patterns here could show; "
    note += f"{stray} of them explained by no phase looked for"
    of = "of the strongest line's area" + ("" if kept.any() else "; up to one peak that is just too weak to be seen")
    return [
        finding("stray_peaks", count, low, high, "", **whose, note=note),
        finding("stray_intensity", total, max(total - half, 0.0), max(total + half, faintest), "%", **whose, note=of),
    ]


def stray_comparison(analyses: Mapping[str, Analysis]) -> list[dict]:
    """Return whether the first pattern has more peaks beside its main phase than each of the others."""
    faintest = max(map(detectable, analyses.values()))
    first, *others = analyses
    count, intensity = stray_findings(analyses[first], faintest)
    rows = []
    for label in others:
        other_count, other_intensity = stray_findings(analyses[label], faintest)
        more = count["low"] > other_count["high"] and intensity["low"] > other_intensity["high"]
        note = "; ".join(
            f"{name}: {n['value']:g} ({n['low']:g} to {n['high']:g}) peaks, together {i['value']:.3g} "
            f"({i['low']:.3g} to {i['high']:.3g}) % of the strongest line's area"
            for name, n, i in ((first, count, intensity), (label, other_count, other_intensity))
        )
        quantity = f"more_stray_peaks_than_{label.replace(', ', '_').replace(' ', '_')}"
        rows.append(finding(quantity, more, **analyses[first].whose, note=note))
    return rows


def instrument(standard: str) -> tuple[dict[str, xr.Dataset], pawley.Instrument | None]:
    """Return the recording of a standard, and what it says the instrument adds to every profile.

    Parameters
    ----------
    standard : str
        The standard's structure, of `structures.STRUCTURES`.

    Returns
    -------
    dict of str to xarray.Dataset
        The first recording of role "instrument"; empty where the manifest holds none.
    pawley.Instrument or None
        None where the manifest holds none.
    """
    try:
        held = raw.recordings("instrument")
    except LookupError:
        return {}, None
    label = next(iter(held))
    return {label: held[label]}, pawley.instrument(held[label], STRUCTURES[standard])


def detectable(found: Analysis) -> float:
    """Return the area that a peak in the open needs to be seen, percent of the main phase's strongest line."""
    grid = np.linspace(found.rest.two_theta[0] + 1, found.rest.two_theta[-1] - 1, 200)
    breadth = found.rest.breadth(30.0)
    errors = 1 / found.rest.sizes(found.rest.peaks(grid, breadth))
    return float(100 * found.peaks.attrs["threshold"] * np.median(errors) / found.strongest)
