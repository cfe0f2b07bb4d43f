"""Resistances of cells from their spectra, and how they go with the number of cycles."""

import re
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import xarray as xr
from lmfit.minimizer import MinimizerResult
from scipy import stats

from coldbond.bundle.findings import finding
from coldbond.impedance import circuits, fit, intervals, trend
from coldbond.impedance.intervals import Interval

REFERENCE = "RT-MCL-LLZ"

Fits = Mapping[str, Mapping[str, MinimizerResult]]


def fits(
    recordings: Mapping[str, xr.Dataset], of: Sequence[str], weighting: str = "modulus"
) -> dict[str, dict[str, MinimizerResult]]:
    """Return the fits of each recording by circuit, the best first; of several sweeps the last is taken."""
    return {label: fit.candidates(last_sweep(spectrum), of, weighting) for label, spectrum in recordings.items()}


def last_sweep(spectrum: xr.Dataset) -> xr.Dataset:
    """Return the last sweep of a recording."""
    return (
        spectrum.isel(frequency=(spectrum.sweep == spectrum.sweep.max()).to_numpy())
        if "sweep" in spectrum
        else spectrum
    )


def fit_table(fitted: Fits) -> pd.DataFrame:
    """Return which circuit describes each spectrum, how far above its criterion the others lie, and what is left."""
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
    """Return every parameter of the best circuit of each recording, or that the spectrum does not determine it."""
    rows = {}
    for label, results in fitted.items():
        circuit, result = next(iter(results.items()))
        for _, own in circuits.elements(circuit):
            for name in own:
                value, low, high = intervals.profile(result, name)
                known = low is not None and high is not None
                shown = f"{value:.4g}" if known else "not determined"
                bounds = " to ".join("—" if bound is None else f"{bound:.3g}" for bound in (low, high))
                unit = circuits.UNITS[name.rstrip("0123456789")]
                rows[label, name] = {"value": shown, "95 % interval": bounds, "unit": unit}
    return pd.DataFrame.from_dict(rows, orient="index")


def series(
    recordings: Mapping[str, xr.Dataset], fitted: Fits, boundary: float, model_uncertainty: float
) -> pd.DataFrame:
    """Return the resistances of all recordings.

    Parameters
    ----------
    recordings : mapping of str to xarray.Dataset
        As `raw.recordings` gives them. The state of each names its cycle, as in "cycle 50".
    fitted : mapping
        From `fits`.
    boundary : float
        Time constant [s] between arcs of the electrolyte and those of interfaces.
    model_uncertainty : float
        See `intervals.of_part`.

    Returns
    -------
    pandas.DataFrame
        A row a recording: sample, state, cycle (NaN where the state names none), and an `Interval` [ohm] under
        "interface" and "total".
    """
    rows = {}
    for label, spectrum in recordings.items():
        number = re.search(r"\bcycle\s*(\d+)", spectrum.attrs["state"])
        rows[label] = {
            "sample": spectrum.attrs["sample"],
            "state": spectrum.attrs["state"],
            "cycle": float(number[1]) if number else np.nan,
        } | {
            part: intervals.of_part(fitted[label], part, boundary, model_uncertainty) for part in ("interface", "total")
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def trends(resistances: pd.DataFrame, part: str) -> dict[str, trend.Trend]:
    """Return the course of a part's resistance over the cycles, of each sample that has six of them."""
    found = {}
    for sample, own in resistances.groupby("sample", sort=False):
        known = own[own.cycle.notna() & own[part].map(lambda interval: None not in interval)].sort_values("cycle")
        if known.cycle.nunique() >= 6:
            found[str(sample)] = trend.breakpoint(known.cycle.to_numpy(), *np.array([*known[part]]).T)
    return found


def values(
    recordings: Mapping[str, xr.Dataset], fitted: Fits, resistances: pd.DataFrame, part: str, area_uncertainty: float
) -> list[dict]:
    """Return what the spectra say, as findings.

    Parameters
    ----------
    recordings, fitted, resistances
        The recordings, their fits and their resistances, by the same labels.
    part : {"interface", "total"}
        Whose course over the cycles is judged.
    area_uncertainty : float
        Relative standard uncertainty of the electrode's area.
    """
    rows = []
    for label, row in resistances.iterrows():
        whose = dict(sample=row["sample"], state=row["state"])
        role, area = recordings[label].attrs["role"], recordings[label].attrs["area_cm2"]
        rms, largest = fit.misfit(next(iter(fitted[label].values())))
        note = f"circuit {next(iter(fitted[label]))}; residuals {rms:.2f} % (rms), {largest:.1f} % at most"
        rows.append(_row("total_resistance", row["total"], "ohm", **whose, note=note))
        rows.append(_row("interface_resistance", row["interface"], "ohm", **whose))
        if role == "interface" and not np.isnan(area):
            half = Interval(*(None if x is None else x * area / 2 for x in row["interface"]))
            note = "of one of two interfaces, with the uncertainty of the area"
            asr = _widened(half, area_uncertainty)
            rows.append(_row("area_specific_resistance", asr, "ohm cm2", **whose, note=note))
    return rows + _courses(recordings, resistances, part)


def _courses(recordings: Mapping[str, xr.Dataset], resistances: pd.DataFrame, part: str) -> list[dict]:
    rows = []
    for sample, course in trends(resistances, part).items():
        own = resistances[resistances["sample"] == sample]
        whose = dict(sample=sample, state=f"{own.state.iloc[0]} to {own.state.iloc[-1]}")
        note = f"of the {part} resistance: {course.evidence}"
        if course.break_cycle is not None:
            rows.append(_row("break_cycle", course.break_cycle, "", **whose, note=note))
            share = Interval(*(100 * x / course.level.value for x in course.change))
            rows.append(_row("change_after_break", share, "%", **whose))
        higher, by = _higher(resistances, sample, part) if sample != REFERENCE else (None, "")
        if by:
            rows.append(finding(f"always_higher_than_{REFERENCE}", higher, **whose, note=by))
        rises = course.falls_then_rises
        if by and rises is not None:
            rises = None if rises and higher is None else rises and higher
        rows.append(finding("falls_then_stable", course.falls_then_stable, **whose, note=note))
        both = f"{note}; {by}" if by else note
        name = f"higher_than_{REFERENCE}_falls_then_rises" if by else "falls_then_rises"
        rows.append(finding(name, rises, **whose, note=both))
    return rows


def _higher(resistances: pd.DataFrame, sample: str, part: str) -> tuple[bool | None, str]:
    """Whether a sample's resistance lies above that of the reference at every cycle that both have."""
    by_cycle = {
        name: resistances[resistances["sample"] == name].set_index("cycle")[part] for name in (sample, REFERENCE)
    }
    shared = by_cycle[sample].index.intersection(by_cycle[REFERENCE].index).dropna()
    pairs = [(by_cycle[sample][cycle], by_cycle[REFERENCE][cycle]) for cycle in shared]
    if not pairs or any(None in interval for pair in pairs for interval in pair):
        return None, ""
    ratios = [own.value / other.value for own, other in pairs]
    text = f"{min(ratios):.0f} to {max(ratios):.0f} times that of {REFERENCE} at {len(pairs)} cycles"
    if all(own.low > other.high for own, other in pairs):
        return True, text
    return False if any(own.high < other.low for own, other in pairs) else None, text


def _widened(interval: Interval, relative: float) -> Interval:
    """The interval with a relative standard uncertainty more."""
    value, low, high = interval
    extra = stats.norm.ppf(intervals.CONFIDENCE) * relative * value
    low = None if low is None else value - float(np.hypot(value - low, extra))
    return Interval(value, low, None if high is None else value + float(np.hypot(high - value, extra)))


def _row(quantity: str, interval: Interval, unit: str, **other) -> dict:
    """A finding; without a value where the data bound it on neither side."""
    value, low, high = interval
    if low is None and high is None:
        note = "; ".join(filter(None, ["the spectrum does not determine it", other.pop("note", "")]))
        return finding(quantity, None, None, None, unit, note=note, **other)
    return finding(quantity, value, low, high, unit, **other)
