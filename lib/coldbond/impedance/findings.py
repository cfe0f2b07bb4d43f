"""Findings and tables of impedance spectra: circuits, their parameters, resistances and their course."""

from collections.abc import Mapping
from math import isfinite

import numpy as np
import pandas as pd
import xarray as xr
from lmfit.minimizer import MinimizerResult

from coldbond.bundle import paths, raw
from coldbond.bundle.findings import Whose, finding, item, whose
from coldbond.bundle.raw import Recordings, Results
from coldbond.constants import optional
from coldbond.impedance import circuits, electrolyte, fit, kramers_kronig, resistance, sweeps
from coldbond.impedance.conductivity.ionic import Ionic
from coldbond.impedance.electrolyte import Known
from coldbond.impedance.resistance import Measured
from coldbond.impedance.trend import FALL_SHARE, FEWEST_CYCLES, SIGNIFICANCE, STABLE_SHARE, Trend
from coldbond.interval import Interval

OBEYS, DESCRIBES = "obeys_kramers_kronig", "circuit_describes_the_spectrum"
#: Deviation of a point [%] that the Kramers-Kronig test must see: a resistance that is off by less hardly matters.
LEAST_SEEN = 5.0
LEAST_P = 1e-6


def fit_table(measured: Mapping[str, Measured]) -> pd.DataFrame:
    """Return the best circuit of each spectrum, the criterion of the others, and the residuals."""
    rows = {}
    for label, one in measured.items():
        lowest = min(result.bic for result in one.results.values())
        others = [f"{circuit} +{r.bic - lowest:.0f}" for circuit, r in one.results.items() if r.bic > lowest]
        rms, largest = fit.misfit(one.best)
        rows[label] = {
            "circuit": next(iter(one.results)),
            "BIC of the others": ", ".join(others),
            "misfit / %": f"{rms:.2f}",
            "largest / %": f"{largest:.1f}",
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def parameter_table(measured: Mapping[str, Measured]) -> pd.DataFrame:
    """Return every parameter of the best circuit of the first spectrum of each cell with its interval."""
    firsts = {resistance.cell_of(one.spectrum.attrs): label for label, one in reversed([*measured.items()])}
    rows = {}
    for label in reversed([*firsts.values()]):
        for name, found in measured[label].parameters.items():
            bounds = " to ".join("—" if bound is None else f"{bound:.3g}" for bound in (found.low, found.high))
            rows[label, name] = {
                "value": f"{found.value:.4g}" if found.is_bounded else "not determined",
                "95 % interval": bounds,
                "unit": circuits.unit(name),
            }
    return pd.DataFrame.from_dict(rows, orient="index")


def tables(measured: Mapping[str, Measured], found: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return what a journal asks for beside the figure: spectra with their fits, parameters, resistances.

    Parameters
    ----------
    measured : mapping of str to Measured
    found : pandas.DataFrame
        From `resistance.resistances`.

    Returns
    -------
    dict of str to pandas.DataFrame
        Empty where no pictures are drawn: the profiles of all parameters take a third of the time of the fits.
    """
    if not paths.PICTURES:
        return {}
    of_parameters = [
        {**_named(one.spectrum), "circuit": one.best.circuit, "parameter": name}
        | _in_columns("value", interval)
        | {"unit": circuits.unit(name)}
        for one in measured.values()
        for name, interval in one.parameters.items()
    ]
    course = [
        {key: row[key] for key in ("sample", "state", "replicate", "cycle")}
        | {
            key: value
            for part in ("interface", "total")
            for key, value in _in_columns(f"{part} resistance", row[part], " / ohm").items()
        }
        for row in found.to_dict("records")
    ]
    return {
        "spectra": pd.concat(
            [spectrum_table(one.spectrum, one.best, one.test) for one in measured.values()], ignore_index=True
        ),
        "parameters": pd.DataFrame(of_parameters),
        "resistances": pd.DataFrame(course),
    }


def _named(spectrum: xr.Dataset) -> dict[str, str]:
    attrs = spectrum.attrs
    return {key: attrs.get(key, "") for key in ("sample", "state", "replicate")} | {"sweep": sweeps.name(spectrum)}


def _in_columns(name: str, interval: Interval, unit: str = "") -> dict[str, float | None]:
    value, low, high = interval
    return {f"{name}{unit}": value, f"{name}, low{unit}": low, f"{name}, high{unit}": high}


def spectrum_table(spectrum: xr.Dataset, best: MinimizerResult, test: xr.Dataset | None) -> pd.DataFrame:
    """Return points, fit and residuals of a spectrum; residuals of a test that was not done are NaN.

    Points that were not fitted are among them.
    """
    frequency, z = spectrum.frequency.to_numpy(), spectrum.impedance.to_numpy()
    fitted = circuits.impedance(best.circuit, best.params.valuesdict(), frequency)
    off = 100 * (fitted - z) / np.abs(z)
    untested = np.full(z.size, np.nan)
    columns = {
        "frequency / Hz": frequency,
        "Re Z / ohm": z.real,
        "Im Z / ohm": z.imag,
        "fitted Re Z / ohm": fitted.real,
        "fitted Im Z / ohm": fitted.imag,
        "fit less measured, Re / % of modulus": off.real,
        "fit less measured, Im / % of modulus": off.imag,
        "Kramers-Kronig residual, Re / % of modulus": untested if test is None else test.residual_real.to_numpy(),
        "Kramers-Kronig residual, Im / % of modulus": untested if test is None else test.residual_imag.to_numpy(),
        "fails Kramers-Kronig": None if test is None else test.fails.to_numpy(),
    }
    return pd.DataFrame(_named(spectrum) | columns)


def pellets() -> Recordings:
    """Return the pellets between blocking electrodes that the manifest holds, which tell the electrolyte of the cells.

    Their labels are those of `raw.recordings` with ", pellet" behind, since a cell may have the same.
    """
    found = raw.recordings("conductivity", optional=True)
    named = Recordings({f"{label}, pellet": one for label, one in found.items()}, needed=False)
    named.left_out = {f"{label}, pellet": why for label, why in found.left_out.items()}
    return named


def electrolytes(
    cells: Mapping[str, xr.Dataset],
    pellets: Mapping[str, Ionic],
    thickness_uncertainty: float,
    area_uncertainty: float,
    pellet_uncertainty: float,
) -> Results[Known | None]:
    """Return what is known of the electrolyte of each cell, by label: see `electrolyte.expected`."""
    uncertainties = thickness_uncertainty, area_uncertainty, pellet_uncertainty
    return Results({label: electrolyte.expected(one, pellets.values(), *uncertainties) for label, one in cells.items()})


def findings(measured: Mapping[str, Measured], found: pd.DataFrame, part: str, area_uncertainty: float) -> list[dict]:
    """Return resistances and their course over the cycles.

    Parameters
    ----------
    measured : mapping of str to Measured
    found : pandas.DataFrame
        From `resistance.resistances`, with the same labels.
    part : {"interface", "total"}
        Whose course over the cycles is judged. The first sample is the reference of the others.
    area_uncertainty : float
        Relative standard uncertainty of the electrode area.

    Returns
    -------
    list of dict
        As `bundle.findings.finding` returns them.
    """
    rows = []
    for one in measured.values():
        spectrum, own = one.spectrum, whose(one.spectrum)
        sweep = sweeps.name(spectrum)
        rms, largest = fit.misfit(one.best)
        residuals = [
            item("residuals (rms)", float(f"{rms:.2g}"), "%"),
            item("largest residual", float(f"{largest:.2g}"), "%"),
        ]
        few = f"too few points for {' and '.join(one.too_large)}" if one.too_large else ""
        told, why = _parts(one)
        lost = one.why if one.total.value is None else ""
        notes = [f"circuit {one.best.circuit}", few, _left_out(one), lost, sweep, untested(one.test, spectrum.sizes)]
        note = "; ".join(filter(None, notes))
        rows.append(_determined("total_resistance", one.total, "ohm", own, note, residuals))
        note = "; ".join(filter(None, [why, sweep]))
        rows.append(_determined("interface_resistance", one.interface, "ohm", own, note, told))
        rows += quality_findings(one.test, one.best, own, sweep)
        area = optional(spectrum, "area_cm2")
        if spectrum.attrs["role"] == "interface" and isfinite(area):
            specific = resistance.area_specific(one.interface, area, area_uncertainty)
            lost = why if specific.value is None else ""
            note = "; ".join(filter(None, ["of one of two interfaces", lost, sweep]))
            rows.append(_determined("area_specific_resistance", specific, "ohm cm2", own, note))
    return rows + course_findings(found, part)


def _parts(one: Measured) -> tuple[list[dict], str]:
    """What tells the interface from the electrolyte, and in words what the data leave open."""
    told = [item("change during the sweep", one.drift.scaled(100), "%")]
    if isfinite(one.before):
        told.append(item("change from the sweep before", float(f"{100 * one.before:.2g}"), "%"))
    if one.known is not None:
        told.append(item(f"electrolyte expected from the pellet {one.known.pellet}", one.known.resistance, "ohm"))
    if one.split is not None:
        told.append(item("interfaces are slower than", float(f"{one.split.usual:.2g}"), "s"))
        if one.split.doubtful:
            doubtful = float(f"{one.split.doubtful:.2g}")
            told.append(item("arcs whose capacitance fits electrolyte and interface", doubtful, "ohm"))
    return told, one.why


def _left_out(one: Measured) -> str:
    if not one.left_out.size:
        return ""
    where = ", ".join(f"{frequency:.3g}" for frequency in one.left_out)
    return f"not fitted, since they fail the Kramers-Kronig test by themselves: points at {where} Hz"


def quality_findings(test: xr.Dataset | None, best: MinimizerResult, labels: Whose, sweep: str = "") -> list[dict]:
    """Return whether a spectrum obeys the Kramers-Kronig relations, and whether the circuit describes it.

    Parameters
    ----------
    test : xarray.Dataset or None
        From `kramers_kronig.test_if_long_enough`.
    best : lmfit.minimizer.MinimizerResult
        Fit of the circuit.
    labels : Whose
    sweep : str
        Which sweep it is, from `sweeps.name`.
    """
    if test is None:
        note = _joined(untested(test, {"frequency": best.frequency.size}), sweep)
        return [finding(name, None, **labels, note=note) for name in (OBEYS, DESCRIBES)]
    failing = test.frequency.to_numpy()[test.fails.to_numpy()]
    seen = float(f"{test.seen:.2g}")
    evidence = [_p(test.probability), item("noise", float(f"{test.noise:.2g}"), "%")]
    obeys: bool | None = not failing.size
    if failing.size:
        ends = " to ".join(dict.fromkeys(f"{end:.3g}" for end in (failing.max(), failing.min())))
        note = f"{failing.size} of {test.fails.size} points fail, at {ends} Hz"
    else:
        note = f"a point off by less than {seen:g} % would not be seen"
        if seen > LEAST_SEEN:
            obeys, note = None, f"cannot be told: too few points, {note}"
        elif test.doubtful.any():
            ends = " and ".join(f"{end:.3g}" for end in test.frequency.to_numpy()[test.doubtful.to_numpy()])
            reason = f"at {ends} Hz, an end of the sweep, the point deviates or the noise is larger than beside it"
            obeys, note = None, f"cannot be told: {reason}; {note}"
    residual = np.zeros(test.sizes["frequency"], complex)  # of points that fail and were not fitted it is not used
    fitted = np.isin(test.frequency, best.frequency)
    residual[fitted] = (best.model - best.impedance) / np.abs(best.impedance)
    ratio, probability = kramers_kronig.excess(test, residual, best.nvarys)
    described = probability > kramers_kronig.FALSE_ALARMS
    beside = f"residual {ratio * test.noise:.2g} % beside {test.noise:.2g} % noise"
    if not described:
        beside += ": the circuit does not describe the spectrum within its noise"
    return [
        finding(OBEYS, obeys, **labels, evidence=evidence, note=_joined(note, sweep)),
        finding(DESCRIBES, described, **labels, evidence=[_p(probability)], note=_joined(beside, sweep)),
    ]


def _p(probability: float) -> dict:
    """An item with p; below 1e-6 its size depends on the last digits of the computation."""
    return item("p" if probability >= LEAST_P else "p below", float(f"{max(probability, LEAST_P):.2g}"))


def _joined(*notes: str) -> str:
    return "; ".join(filter(None, notes))


def untested(test: object, sizes: Mapping) -> str:
    """Return why a spectrum was not tested; "" where it was."""
    few = f"{sizes['frequency']} points, {kramers_kronig.FEWEST_POINTS} are needed"
    return f"Kramers-Kronig relations not tested: {few}" if test is None else ""


def course_findings(found: pd.DataFrame, part: str) -> list[dict]:
    """Return of each cell where its resistance breaks, and whether it falls and is then stable, or rises.

    Parameters
    ----------
    found : pandas.DataFrame
        From `resistance.resistances`. The first sample is the reference of the others.
    part : {"interface", "total"}
    """
    rows = []
    reference = str(found["sample"].iloc[0]) if len(found) else ""
    courses = resistance.trends(found, part)
    for cell, own in found.groupby("cell", sort=False):
        sample, replicate = str(own["sample"].iloc[0]), str(own["replicate"].iloc[0])
        of_sample = found[found["sample"] == sample]
        labels = Whose(sample=sample, state=_range(of_sample))  # the same for all cells of a sample
        if replicate:
            labels["replicate"] = replicate
        limits = [item("stable within", 100 * STABLE_SHARE, "%"), item("p for a break below", SIGNIFICANCE)]
        against = None if sample == reference else resistance.compared(found, str(cell), reference, part)
        rising = f"higher_than_{reference}_falls_then_rises" if against else "falls_then_rises"
        if cell not in courses:
            note = f"{part} resistance: {_too_few(own, part)}"
            rows += [
                finding(quantity, None, **labels, threshold=limits, note=note)
                for quantity in ("falls_then_stable", rising)
            ]
            continue
        course = courses[str(cell)]
        note = f"{part} resistance: {_in_words(course)}"
        if _range(own) != labels["state"]:
            note += f"; measured: {_range(own)}"
        lost, open_end = _not_told(own, part)
        note = "; ".join(filter(None, [note, lost]))
        test = [item("p against a straight line", float(f"{course.probability:.2g}"))]
        scatter = [item("scatter from one measurement to the next", float(f"{100 * course.scatter:.2g}"), "%")]
        if course.break_cycle is not None and course.settling_cycle is not None:
            place = _break_in_words(course.break_cycle)
            rows.append(
                finding(
                    "break_cycle",
                    course.break_cycle,
                    **labels,
                    evidence=test + scatter,
                    threshold=limits,
                    note="; ".join(filter(None, [place, note])),
                )
            )
            over = "" if course.settling_cycle.high is not None else "it may not be over by the last cycle"
            if course.settling_cycle.value is None:
                over = "; ".join(filter(None, ["cannot be told: the first measurement alone may show it", over]))
            share = f"{100 * FALL_SHARE:.0f} % of the {'fall' if course.fall.numbers[0] > 0 else 'rise'} is over"
            rows.append(
                finding("settling_cycle", course.settling_cycle, **labels, note="; ".join(filter(None, [share, over])))
            )
            level = course.level.numbers[0]
            share_changed = course.change.scaled(100 / level) if level > 0 else Interval(None)
            rows.append(
                finding(
                    "change_after_break", share_changed, "%", **labels, note=f"from cycle {course.turn:g} to the last"
                )
            )
        at_the_end = "" if course.minimum.is_bounded else "the last cycle may have the lowest"
        rows.append(
            finding(
                "cycle_of_minimum",
                course.minimum,
                **labels,
                evidence=scatter,
                note="; ".join(filter(None, [f"lowest {part} resistance measured; no curve is assumed", at_the_end])),
            )
        )
        ratios = []
        if against:
            ratios = [
                item(f"cycles that {reference} has too", against.cycles),
                item(f"least ratio to {reference}", float(f"{against.least:.2g}")),
                item("largest ratio", float(f"{against.most:.2g}")),
            ]
            rows.append(finding(f"always_higher_than_{reference}", against.higher, **labels, evidence=ratios))
        stable, rises = course.falls_then_stable, course.falls_then_rises
        if open_end:  # what was measured last says nothing of the resistance: it may have risen
            stable, rises = stable and None, rises or None
        rows.append(finding("falls_then_stable", stable, **labels, evidence=test, threshold=limits, note=note))
        if against and rises is not None:
            rises = None if rises and against.higher is None else rises and against.higher
        rows.append(finding(rising, rises, **labels, evidence=test + ratios, threshold=limits, note=note))
    return rows


def _range(own: pd.DataFrame) -> str:
    """First and last state, by cycle where the states name one: "cycle 1 to cycle 200"."""
    known = own[own.cycle.notna()].sort_values("cycle", kind="stable")
    states = list(dict.fromkeys((known if len(known) else own).state))
    return " to ".join(dict.fromkeys([states[0], states[-1]]))


def _too_few(own: pd.DataFrame, part: str) -> str:
    """Why a cell has no course: "cannot be told: 3 cycles, 6 are needed"."""
    unnamed = own[own.cycle.isna()].state
    states = ", ".join(repr(state) for state in dict.fromkeys(unnamed))
    if len(unnamed) == len(own):
        return f"cannot be told: no number of cycles in the state {states}; write it like 'cycle 50'"
    cycles, bounded = own.cycle.nunique(), resistance.bounded(own, part).cycle.nunique()
    told = f"cannot be told: {cycles} cycle{'s' if cycles > 1 else ''}, {FEWEST_CYCLES} are needed"
    if bounded < cycles:
        told = f"cannot be told: {bounded} of {cycles} cycles with an interval, {FEWEST_CYCLES} are needed"
    return told + (f"; no number of cycles in the state {states}" if states else "")


def _not_told(own: pd.DataFrame, part: str) -> tuple[str, bool]:
    """Cycles without an interval, which the course leaves out, and whether the last cycle is one of them."""
    told = resistance.bounded(own, part).cycle
    lost = sorted(set(own.cycle.dropna()) - set(told))
    if not lost:
        return "", False
    cycles = ", ".join(f"{cycle:g}" for cycle in lost)
    return f"left out, because their resistance cannot be told: cycle {cycles}", lost[-1] > told.max()


def _in_words(course: Trend) -> str:
    """The course, such as "falls from 67 to 23 ohm (-65 %); stays within 6 % from cycle 75 on"."""
    level, fall = course.level.numbers[0], course.fall.numbers
    start = level + fall[0]
    if min(level, start) <= 0 or not course.describes:
        return f"no curve describes the course: the cycles deviate from the best by {100 * course.misfit:.0f} %"
    if course.break_cycle is None:
        shares = [-100 * x / start for x in fall]
        return f"no break is seen; until cycle {course.turn:g} it changes by {_change(*shares)}"
    verb = "falls" if fall[0] > 0 else "rises"
    first = f"{verb} from {start:.3g} to {level:.3g} ohm ({-100 * fall[0] / start:+.0f} %)"
    change, low, high = (100 * x / level for x in course.change.numbers)
    largest = max(abs(low), abs(high))
    if not fall[0]:
        told = f"changes by {_change(change, low, high)} from the first to the last cycle"
    elif largest <= 100 * STABLE_SHARE:
        told = f"{first}; stays within {largest:.2g} % from cycle {course.turn:g} on"
    else:
        told = f"{first} until cycle {course.turn:g}, then changes by {_change(change, low, high)}"
    return f"{told} (model: {course.model})"


def _change(value: float, *bounds: float) -> str:
    return f"{value:+.0f} % ({min(bounds):+.0f} to {max(bounds):+.0f} %)"


def _break_in_words(place: Interval) -> str:
    """Why the cycle of a break is not told."""
    if place.value is not None:
        return ""
    least, most = (None if x is None else f"{x:.0f}" for x in (place.low, place.high))
    between = " and ".join(filter(None, [least and f"after cycle {least}", most and f"before cycle {most}"]))
    return "cannot be told: a curve without a break describes the course too, or a single measurement may make it" + (
        f"; if there is a break, it lies {between}" if between else ""
    )


def _determined(
    quantity: str, interval: Interval, unit: str, labels: Whose, note: str = "", evidence: list[dict] | None = None
) -> dict:
    """A finding; without a value where the spectrum bounds it on neither side."""
    if interval.low is None and interval.high is None:
        note = "; ".join(filter(None, ["the spectrum does not determine it", note]))
        interval = Interval(None)
    return finding(quantity, interval, unit, **labels, evidence=evidence or [], note=note)
