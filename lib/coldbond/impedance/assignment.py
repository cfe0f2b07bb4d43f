"""Which arcs of a spectrum belong to the electrolyte and which to the interfaces.

An arc of resistance R and time constant tau has the capacitance tau / R (Hsu and Mansfeld 2001, doi 10.5006/1.3280607).
Capacitances of bulk and grain boundaries follow the geometry of the pellet, those of interfaces its area, and they
differ by orders of magnitude (Irvine, Sinclair and West 1990, doi 10.1002/adma.19900020304, table 1). Where a surface
layer or a poor contact has the capacitance of a grain boundary, only the resistance of the electrolyte decides, which
is known from a pellet (`electrolyte`).
"""

from collections.abc import Mapping
from math import hypot, inf, isfinite, pi
from typing import NamedTuple

import numpy as np
from lmfit.minimizer import MinimizerResult

from coldbond.impedance import circuits, intervals
from coldbond.impedance.electrolyte import Known
from coldbond.interval import Interval

#: Largest capacitances of a pellet's bulk with minor phases, and of its grain boundaries, F/cm, for a pellet 1 cm thick
#: and 1 cm2 large (Irvine, Sinclair and West 1990): with less an arc is the electrolyte's, with more an interface's.
BULK, GRAIN_BOUNDARY = 1e-11, 1e-8
#: Area over thickness [cm] of common pellets, least and greatest, for cells of unknown dimensions.
COMMON_SHAPES = 2.0, 50.0
#: Arcs of a smaller share of the total resistance decide nothing: a fit places them anywhere.
NEGLIGIBLE = 0.005
#: Margin between a boundary and the arcs beside it: a share of 1 % of an arc counts to the other side.
MARGIN = 3.0
#: Largest share of the interface's resistance in arcs of which it is not known to whom they belong, for a value.
DOUBTFUL = 0.1
#: Half widths of its interval by which the resistance of the electrolyte may differ from what is expected: three
#: standard uncertainties, so that one cell of 400 is refused for nothing.
BEYOND = 1.5


class Arc(NamedTuple):
    """Resistance [ohm] and time constant [s] of an arc."""

    resistance: float
    time: float


class Split(NamedTuple):
    """Where the arcs of the electrolyte end and those of the interfaces begin.

    Attributes
    ----------
    first, usual, last : float
        Least, most plausible and greatest time constant [s] of the boundary between them.
    doubtful : float
        Resistance [ohm] of the arcs between the least and the greatest.
    overlap : bool
        The resistance that is known of the electrolyte ends within one of these arcs.
    contradiction : str
        Why the resistance that is known of the electrolyte is not that of the spectrum; "" where it is, or where none
        is known.
    leaks : bool
        There is a contradiction, and the electrolyte has less resistance than expected.
    """

    first: float
    usual: float
    last: float
    doubtful: float
    overlap: bool
    contradiction: str
    leaks: bool


def arcs(circuit: str, values: Mapping[str, float]) -> tuple[float, list[Arc]]:
    """Return the resistance [ohm] of a circuit's resistors, and its arcs by their time constants."""
    resistors, found = 0.0, []
    for kind, own in circuits.elements(circuit):
        if kind == "R":
            resistors += values[own[0]]
        elif kind in circuits.ARCS:
            found.append(Arc(values[own[0]], values[own[1]]))
    return resistors, sorted(found, key=lambda arc: arc.time)


def split(result: MinimizerResult, area: float, thickness: float, known: Known | None) -> Split | None:
    """Return between which time constants the boundary of electrolyte and interfaces lies.

    Parameters
    ----------
    result : lmfit.minimizer.MinimizerResult
        The best circuit, from `fit.candidates`.
    area, thickness : float
        Of the cell, cm2 and cm; NaN where they are not known.
    known : Known or None
        What is known of its electrolyte.

    Returns
    -------
    Split or None
        None where all arcs may belong to the electrolyte and its resistance is not known.
    """
    resistors, found = arcs(result.circuit, result.params.valuesdict())
    slowest = 1 / (2 * pi * result.frequency.min())
    ended = [arc for arc in found if arc.time < slowest]
    whole = resistors + sum(arc.resistance for arc in ended)
    found = [arc for arc in ended if arc.resistance > NEGLIGIBLE * whole]
    shapes = (area / thickness,) * 2 if isfinite(area) and isfinite(thickness) else COMMON_SHAPES
    capacitances = [arc.time / arc.resistance for arc in found]
    # Cuts are numbers of arcs that belong to the electrolyte: from those that must to those that may.
    least = next((at for at, size in enumerate(capacitances) if size > BULK * shapes[0]), len(found))
    most = max((at + 1 for at, size in enumerate(capacitances) if size <= GRAIN_BOUNDARY * shapes[1]), default=0)
    cuts = range(min(least, most), most + 1)
    sums = resistors + np.cumsum([0.0, *(arc.resistance for arc in found)])
    edges = [1 / (2 * pi * result.frequency.max()) / MARGIN**2, *(arc.time for arc in found), slowest * MARGIN**2]

    cut, overlap, contradiction, leaks = cuts[-1], False, "", False
    if known is None:
        if cut == len(found):
            return None
    else:
        value, low, high = known.resistance.numbers
        cut = min(cuts, key=lambda at: abs(sums[at] - value))
        overlap = bool(sums[cuts[0]] < low and high < sums[cuts[-1]]) and not low <= sums[cut] <= high
        if not overlap:
            contradiction = _contradiction(sums[cut], known)
            leaks = bool(contradiction) and bool(sums[cut] < low)
    usual = float(np.sqrt(edges[cut] * edges[cut + 1]))
    clear = edges[cut + 1] > MARGIN**2 * edges[cut]  # nothing lies about the boundary: it need not vary
    first = usual if clear and cut == cuts[0] else _gap(edges, cuts[0])[0]
    last = usual if clear and cut == cuts[-1] else _gap(edges, cuts[-1])[1]
    return Split(first, usual, last, float(sums[cuts[-1]] - sums[cuts[0]]), overlap, contradiction, leaks)


def _contradiction(found: float, known: Known) -> str:
    value, low, high = known.resistance.numbers
    if value - BEYOND * (value - low) <= found <= value + BEYOND * (high - value):
        return ""
    than = f"than the {low:.3g} to {high:.3g} ohm that are expected from the pellet {known.pellet}"
    if found < low:
        cause = "a path for electrons, a soft short beside it, or another electrolyte than the pellet's"
        return f"the electrolyte has {found:.3g} ohm in the spectrum, less {than}: {cause}"
    cause = "a constriction at the contacts, or another electrolyte than the pellet's"
    return f"the electrolyte has {found:.3g} ohm in the spectrum, more {than}: {cause}"


def _gap(edges: list[float], cut: int) -> tuple[float, float]:
    """Range of the boundary between two arcs: apart from both, or all between them where they are near."""
    before, after = edges[cut], edges[cut + 1]
    return (before * MARGIN, after / MARGIN) if after > MARGIN**2 * before else (before, after)


class Told(NamedTuple):
    """Resistance of the interfaces.

    Attributes
    ----------
    interval : Interval
        In ohm. Without a value where it cannot be told; the bounds then hold whatever the doubtful arcs are.
    course : Interval
        With the most plausible boundary alone: what the boundary leaves open is the same at each cycle of a cell, and
        no scatter of its course.
    why : str
        How it was told from the electrolyte, or why it was not.
    """

    interval: Interval
    course: Interval
    why: str


def interface(
    results: Mapping[str, MinimizerResult],
    split: Split | None,
    total: Interval,
    known: Known | None,
    model_uncertainty: float,
) -> Told:
    """Return the resistance of the interfaces.

    Parameters
    ----------
    results : mapping of str to lmfit.minimizer.MinimizerResult
        By circuit, from `fit.candidates`.
    split : Split or None
        From `split`.
    total : Interval
        Resistance of the cell, ohm.
    known : Known or None
        What is known of the electrolyte.
    model_uncertainty : float
        As for `intervals.of_part`.
    """
    nothing = Interval(None)
    if split is None:
        told = "each arc may be the electrolyte's by its capacitance, and its resistance is not known from a pellet"
        return Told(Interval(None, None, total.high), nothing, f"cannot be told: {told}")
    boundaries = {split.first, split.usual, split.last}
    each = {one: intervals.of_part(results, "interface", one, model_uncertainty) for one in sorted(boundaries)}
    usual = each[split.usual]
    from_spectrum = Interval(usual.value, each[split.last].low, each[split.first].high)
    if usual.value is None:
        return Told(from_spectrum, nothing, "cannot be told: the spectrum gives no value beyond the electrolyte")
    value = usual.value
    if known is None:
        if split.doubtful > DOUBTFUL * value:
            told = f"arcs of {split.doubtful:.3g} ohm have a capacitance of grain boundaries as well as of a layer"
            told += ", and the resistance of the electrolyte is not known from a pellet"
            return Told(Interval(None, from_spectrum.low, from_spectrum.high), nothing, f"cannot be told: {told}")
        return Told(from_spectrum, usual, "told from the electrolyte by the capacitance of the arcs, without a pellet")
    from_pellet = less(total, known.resistance)
    low = max((x for x in (from_spectrum.low, from_pellet.low) if x is not None), default=None)
    high = min((x for x in (from_spectrum.high, from_pellet.high) if x is not None), default=None)
    if split.contradiction or (low or 0.0) > (inf if high is None else high):
        why = split.contradiction or "spectrum and pellet give different resistances"
        either = Interval.hull(None, [from_spectrum, from_pellet])
        if split.leaks:  # a path beside the cell makes all of its resistances appear smaller: no upper bound
            either = Interval(None, from_spectrum.low, None)
        return Told(either, nothing, f"cannot be told: {why}")
    why = f"electrolyte as expected from the pellet {known.pellet}"
    if split.overlap:
        why = f"electrolyte from the pellet {known.pellet}: arcs of both overlap"
        value = from_pellet.value or value
    found = Interval(min(max(value, low or 0.0), inf if high is None else high), low, high)
    return Told(found, found if split.overlap else usual, why)


def less(total: Interval, electrolyte: Interval) -> Interval:
    """Return total less electrolyte [ohm]; what would be negative is no bound."""
    value, low, high = electrolyte.numbers
    if total.value is None:
        least = None if total.low is None else total.low - high
        most = None if total.high is None else total.high - low
        return Interval(None, None if least is None or least <= 0 else least, most)
    found = total.value - value
    least = None if total.low is None else found - hypot(total.value - total.low, high - value)
    most = None if total.high is None else found + hypot(total.high - total.value, value - low)
    return Interval(found, None if least is None or least <= 0 else least, most)
