"""Findings and tables of impedance spectra: circuits, their parameters, resistances and their course."""

from collections.abc import Mapping
from math import isfinite

import pandas as pd
import xarray as xr

from coldbond.bundle.findings import Whose, finding, item
from coldbond.constants import optional
from coldbond.impedance import circuits, fit, intervals, resistance, sweeps
from coldbond.impedance.resistance import Fits
from coldbond.impedance.trend import SIGNIFICANCE, STABLE_SHARE, Trend
from coldbond.interval import Interval


def fit_table(fitted: Fits) -> pd.DataFrame:
    """Return the best circuit of each spectrum, the criterion of the others, and the residuals."""
    rows = {}
    for label, results in fitted.items():
        lowest = min(result.bic for result in results.values())
        others = [f"{circuit} +{r.bic - lowest:.0f}" for circuit, r in results.items() if r.bic > lowest]
        rms, largest = fit.misfit(next(iter(results.values())))
        rows[label] = {
            "circuit": next(iter(results)),
            "BIC of the others": ", ".join(others),
            "misfit / %": f"{rms:.2f}",
            "largest / %": f"{largest:.1f}",
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def parameter_table(fitted: Fits) -> pd.DataFrame:
    """Return every parameter of the best circuit of each recording with its interval."""
    rows = {}
    for label, results in fitted.items():
        circuit, result = next(iter(results.items()))
        for _, own in circuits.elements(circuit):
            for name in own:
                found = intervals.profile(result, name)
                bounds = " to ".join("—" if bound is None else f"{bound:.3g}" for bound in (found.low, found.high))
                rows[label, name] = {
                    "value": f"{found.value:.4g}" if found.is_bounded else "not determined",
                    "95 % interval": bounds,
                    "unit": circuits.UNITS[name.rstrip("0123456789")],
                }
    return pd.DataFrame.from_dict(rows, orient="index")


def findings(
    recordings: Mapping[str, xr.Dataset], fitted: Fits, found: pd.DataFrame, part: str, area_uncertainty: float
) -> list[dict]:
    """Return resistances and their course over the cycles.

    Parameters
    ----------
    recordings : mapping of str to xarray.Dataset
    fitted : mapping
        From `resistance.fits`.
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
    for label, row in found.iterrows():
        whose = dict(sample=row["sample"], state=row["state"])
        recording, best = recordings[str(label)], next(iter(fitted[str(label)].values()))
        sweep = sweeps.name(recording)
        rms, largest = fit.misfit(best)
        residuals = [
            item("residuals (rms)", float(f"{rms:.2g}"), "%"),
            item("largest residual", float(f"{largest:.2g}"), "%"),
        ]
        note = "; ".join(filter(None, [f"circuit {best.circuit}", sweep]))
        total = _determined("total_resistance", row["total"], "ohm", note, residuals)
        rows += [total | whose, _determined("interface_resistance", row["interface"], "ohm", sweep) | whose]
        area = optional(recording, "area_cm2")
        if recording.attrs["role"] == "interface" and isfinite(area):
            specific = resistance.area_specific(row["interface"], area, area_uncertainty)
            note = "; ".join(filter(None, ["of one of two interfaces", sweep]))
            rows.append(_determined("area_specific_resistance", specific, "ohm cm2", note) | whose)
    return rows + course_findings(found, part)


def course_findings(found: pd.DataFrame, part: str) -> list[dict]:
    """Return of each sample where its resistance breaks, and whether it falls and is then stable, or rises.

    Parameters
    ----------
    found : pandas.DataFrame
        From `resistance.resistances`. The first sample is the reference of the others.
    part : {"interface", "total"}
    """
    rows = []
    reference = str(found["sample"].iloc[0]) if len(found) else ""
    for sample, course in resistance.trends(found, part).items():
        own = found[found["sample"] == sample]
        whose = Whose(sample=sample, state=f"{own.state.iloc[0]} to {own.state.iloc[-1]}")
        note = f"{part} resistance: {_in_words(course)}"
        test = [item("p against a straight line", float(f"{course.probability:.2g}"))]
        limits = [item("stable within", 100 * STABLE_SHARE, "%"), item("p for a break below", SIGNIFICANCE)]
        if course.break_cycle is not None:
            rows.append(finding("break_cycle", course.break_cycle, **whose, evidence=test, threshold=limits, note=note))
            share = course.change.scaled(100 / course.level.numbers[0])
            rows.append(finding("change_after_break", share, "%", **whose))
        against = None if sample == reference else resistance.compared(found, sample, reference, part)
        ratios = []
        if against:
            ratios = [
                item(f"cycles that {reference} has too", against.cycles),
                item(f"least ratio to {reference}", float(f"{against.least:.2g}")),
                item("largest ratio", float(f"{against.most:.2g}")),
            ]
            rows.append(finding(f"always_higher_than_{reference}", against.higher, **whose, evidence=ratios))
        rows.append(
            finding("falls_then_stable", course.falls_then_stable, **whose, evidence=test, threshold=limits, note=note)
        )
        rises = course.falls_then_rises
        if against and rises is not None:
            rises = None if rises and against.higher is None else rises and against.higher
        name = f"higher_than_{reference}_falls_then_rises" if against else "falls_then_rises"
        rows.append(finding(name, rises, **whose, evidence=test + ratios, threshold=limits, note=note))
    return rows


def _in_words(course: Trend) -> str:
    """The course, such as "falls from 67 to 25.4 ohm (-62 %) until cycle 44, then stays within 2 %"."""
    level, fall, most_fall = course.level.numbers[0], course.fall.numbers[0], course.fall.numbers[2]
    if course.break_cycle is None:
        excluded = 100 * max(most_fall, 0.0) / (level + max(most_fall, 0.0))
        return f"no break is seen; an early fall by more than {excluded:.2g} % is excluded"
    start = level + fall
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
    quantity: str, interval: Interval, unit: str, note: str = "", evidence: list[dict] | None = None
) -> dict:
    """A finding; without a value where the spectrum bounds it on neither side."""
    if interval.low is None and interval.high is None:
        note = "; ".join(filter(None, ["the spectrum does not determine it", note]))
        return finding(quantity, None, unit, evidence=evidence or [], note=note)
    return finding(quantity, interval, unit, evidence=evidence or [], note=note)
