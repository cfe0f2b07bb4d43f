"""Findings and tables of impedance spectra: circuits, their parameters, resistances and their course."""

from collections.abc import Mapping
from math import isfinite

import numpy as np
import pandas as pd
import xarray as xr
from lmfit.minimizer import MinimizerResult

from coldbond.bundle import paths
from coldbond.bundle.findings import Whose, finding, item, whose
from coldbond.constants import optional
from coldbond.impedance import circuits, fit, kramers_kronig, resistance, sweeps
from coldbond.impedance.resistance import Measured
from coldbond.impedance.trend import FEWEST_CYCLES, SIGNIFICANCE, STABLE_SHARE, Trend
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
    """Return points, fit and residuals of a spectrum; residuals of a test that was not done are NaN."""
    z, fitted = best.impedance, best.model
    off = 100 * (fitted - z) / np.abs(z)
    untested = np.full(z.size, np.nan)
    columns = {
        "frequency / Hz": best.frequency,
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
        note = "; ".join(filter(None, [f"circuit {one.best.circuit}", few, sweep, untested(one.test, spectrum.sizes)]))
        rows.append(_determined("total_resistance", one.total, "ohm", own, note, residuals))
        rows.append(_determined("interface_resistance", one.interface, "ohm", own, sweep))
        rows += quality_findings(one.test, one.best, own, sweep)
        area = optional(spectrum, "area_cm2")
        if spectrum.attrs["role"] == "interface" and isfinite(area):
            specific = resistance.area_specific(one.interface, area, area_uncertainty)
            note = "; ".join(filter(None, ["of one of two interfaces", sweep]))
            rows.append(_determined("area_specific_resistance", specific, "ohm cm2", own, note))
    return rows + course_findings(found, part)


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
    residual = (best.model - best.impedance) / np.abs(best.impedance)
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
        test = [item("p against a straight line", float(f"{course.probability:.2g}"))]
        if course.break_cycle is not None:
            rows.append(
                finding("break_cycle", course.break_cycle, **labels, evidence=test, threshold=limits, note=note)
            )
            level = course.level.numbers[0]
            share = course.change.scaled(100 / level) if level > 0 else Interval(None)
            rows.append(finding("change_after_break", share, "%", **labels))
        ratios = []
        if against:
            ratios = [
                item(f"cycles that {reference} has too", against.cycles),
                item(f"least ratio to {reference}", float(f"{against.least:.2g}")),
                item("largest ratio", float(f"{against.most:.2g}")),
            ]
            rows.append(finding(f"always_higher_than_{reference}", against.higher, **labels, evidence=ratios))
        rows.append(
            finding("falls_then_stable", course.falls_then_stable, **labels, evidence=test, threshold=limits, note=note)
        )
        rises = course.falls_then_rises
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


def _in_words(course: Trend) -> str:
    """The course, such as "falls from 67 to 25.4 ohm (-62 %) until cycle 44, then stays within 2 %"."""
    level, fall, most_fall = course.level.numbers[0], course.fall.numbers[0], course.fall.numbers[2]
    start = level + fall
    if min(level, start, level + most_fall) <= 0:  # a line through scattered points, extrapolated below zero
        return "the scatter between cycles is too large for a course"
    if course.break_cycle is None:
        excluded = 100 * max(most_fall, 0.0) / (level + max(most_fall, 0.0))
        return f"no break is seen; an early fall by more than {excluded:.2g} % is excluded"
    until = f"until cycle {course.break_cycle.numbers[0]:.0f}"
    first = f"{'falls' if fall > 0 else 'rises'} from {start:.3g} to {level:.3g} ohm ({-100 * fall / start:+.0f} %)"
    change, low, high = (100 * x / level for x in course.change.numbers)
    largest = max(abs(low), abs(high))
    if largest <= 100 * STABLE_SHARE:
        then = f"then stays within {largest:.2g} %"
    else:
        then = f"then changes by {change:+.0f} % ({low:+.0f} to {high:+.0f} %)"
    return f"{first} {until}, {then} (model: {course.model})"


def _determined(
    quantity: str, interval: Interval, unit: str, labels: Whose, note: str = "", evidence: list[dict] | None = None
) -> dict:
    """A finding; without a value where the spectrum bounds it on neither side."""
    if interval.low is None and interval.high is None:
        note = "; ".join(filter(None, ["the spectrum does not determine it", note]))
        interval = Interval(None)
    return finding(quantity, interval, unit, **labels, evidence=evidence or [], note=note)
