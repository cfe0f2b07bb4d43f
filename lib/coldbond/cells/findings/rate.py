"""Findings of rate tests, and a table of their rates."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import xarray as xr
from lmfit.model import ModelResult

from coldbond.bundle import style
from coldbond.bundle.findings import finding, item, whose
from coldbond.cells import rate, rate_model
from coldbond.cells.findings.full_cell import cycles_of
from coldbond.cells.findings.half_cycles import with_identity
from coldbond.interval import NORMAL, Interval

#: Quantity, unit and factor to it of each parameter of the model; the unit of the capacity is that of the cell's.
PARAMETERS = {
    "capacity": ("low_rate_capacity", "", 1.0),
    "tau": ("characteristic_time", "s", 3600.0),
    "n": ("rate_exponent", "1", 1.0),
}

#: Share of the charge passed at less than the current from which on that is said.
TAPERED = 0.01


def findings(levels: xr.Dataset, found: xr.Dataset, fitted: Mapping[float | None, ModelResult]) -> list[dict]:
    """Return capacity and polarisation at each rate, recovery, and the parameters of the rate model.

    Parameters
    ----------
    levels, found, fitted
        From `rate.plateaus`, `rate.discharges` and `rate.fits`.

    Returns
    -------
    list of dict
        As `bundle.findings.finding` returns them.
    """
    rows = []
    for number in range(levels.sizes["group"]):
        level = levels.isel(group=number)
        name = level.label.item().replace(" ", "_") + "_again" * level.again.item()
        rows.append(_capacity(f"discharge_capacity_{name}", found.sel(cycle=found.group == number), level))
        polarization = Interval.from_bounds(
            1e3 * float(level.polarization),
            1e3 * float(level.polarization - level.polarization_half_width),
            1e3 * float(level.polarization + level.polarization_half_width),
        )
        note = "between charge and discharge at half capacity"
        if polarization.value is None:
            recorded = np.isfinite(found.charged_at.sel(cycle=found.group == number)).any()
            note = (
                "half of the charge passed at less than the applied current" if recorded else "no charge was recorded"
            )
        elif not abs(float(level.charged_at) / float(level.current) - 1) < rate.SAME_CURRENT:
            charged, discharged = (1e3 * float(level[which]) for which in ("charged_at", "current"))
            note += f"; charged at {charged:.3g} mA, discharged at {discharged:.3g} mA"
        rows.append(finding(f"polarization_{name}", polarization, unit="mV", note=note))
    rows += [_recovery(levels), *_model(levels, fitted)]
    return [row | whose(levels) for row in rows]


def of_cell(recording: xr.Dataset, test: rate.RateTest) -> list[dict]:
    """Return the findings of a cell from its recording and analysis, as `raw.Recordings.analysed` calls it."""
    return findings(test.levels, test.found, test.fitted)


def every_cycle(tests: Mapping[str, rate.RateTest]) -> pd.DataFrame:
    """Return every cycle of each cell with its rate, with units in the names of the columns."""
    frames = []
    for test in tests.values():
        names = dict(
            zip(
                test.found.cycle.to_numpy().tolist(),
                test.levels.label.to_numpy()[test.found.group.to_numpy()],
                strict=True,
            )
        )
        outliers = test.found.cycle.to_numpy()[test.found.outlier.to_numpy()]
        frame = cycles_of(test.table)
        frames.append(frame.assign(Rate=frame.Cycle.map(names), Outlier=frame.Cycle.isin(outliers)))
    return pd.concat(frames, ignore_index=True)


def rates(tests: Mapping[str, rate.RateTest]) -> pd.DataFrame:
    """Return the mean at each rate of each cell, with units in the names of the columns."""
    frames = []
    for test in tests.values():
        levels, unit = test.levels, style.unit(test.levels.capacity.attrs["units"])
        columns = {
            "Rate": levels.label,
            "Current / mA": 1e3 * levels.current,
            "Current over capacity / h⁻¹": levels.rate,
            "Cycles": levels.cycles,
            f"Discharge capacity / {unit}": levels.capacity,
            f"Half of its 95 % interval / {unit}": levels.capacity_half_width,
            "Polarisation at half capacity / mV": 1e3 * levels.polarization,
            "Polarisation, half of its 95 % interval / mV": 1e3 * levels.polarization_half_width,
        }
        frame = pd.DataFrame({name: np.asarray(values) for name, values in columns.items()})
        frames.append(with_identity(frame, levels))
    return pd.concat(frames, ignore_index=True)


def table(levels: Mapping[str, xr.Dataset]) -> pd.DataFrame:
    """Return the plateaus of each cell as text: a row for each rate, in the order of the test.

    Parameters
    ----------
    levels : mapping of str to xarray.Dataset
        From `rate.plateaus`.
    """
    rows = []
    for label, cell in levels.items():
        unit = cell.capacity.attrs["units"]
        for level in (cell.isel(group=number) for number in range(cell.sizes["group"])):
            rows.append(
                {
                    "cell": label,
                    "rate": level.label.item(),
                    "current": f"{1e3 * float(level.current):.4f} mA",
                    "cycles": int(level.cycles),
                    "capacity": f"{float(level.capacity):.1f} ± {float(level.capacity_half_width):.1g} {unit}",
                    "discharge takes": f"{60 / float(level.rate):.1f} min",
                }
            )
    return pd.DataFrame(rows).set_index(["cell", "rate"])


def _capacity(quantity: str, members: xr.Dataset, level: xr.Dataset) -> dict:
    unit, value = members.capacity.attrs["units"], float(level.capacity)
    evidence, note = [], "a single cycle, of which it is not known whether it repeats"
    if level.cycles > 1:
        evidence = [
            item("number of cycles", float(level.cycles)),
            item("half width from the scatter of the cycles", _two_digits(float(level.capacity_half_width)), unit),
        ]
        note = "mean of the cycles; the rest of the interval is common to all rates"
    for number in members.cycle[members.outlier.to_numpy()].to_numpy():
        first = " (the first at this rate, which has not settled)" if number == members.cycle[0] else ""
        evidence.append(item("outlier, left out: cycle", f"{number}{first}"))
    if level.tapered > TAPERED:
        evidence.append(item("passed at less than this current", _two_digits(100 * float(level.tapered)), "%"))
        note += "; not all of it at this rate"
    half_width = float(np.hypot(level.capacity_half_width, NORMAL * level.attrs["common"] * value))
    interval = Interval.from_bounds(value, max(value - half_width, 0.0), value + half_width)
    return finding(quantity, interval, unit=unit, evidence=evidence, note=note)


def _recovery(levels: xr.Dataset) -> dict:
    value = rate.recovery(levels)
    if value is None:
        return finding("capacity_recovery", None, unit="%", note="the test does not return to an earlier rate")
    back = levels.sel(group=levels.again).label.to_numpy()[-1]
    evidence = [item("rate", str(back))]
    note = "capacity back at this rate over that of the first cycles at it"
    return finding("capacity_recovery", value, unit="%", evidence=evidence, note=note)


def _model(levels: xr.Dataset, fitted: Mapping[float | None, ModelResult]) -> list[dict]:
    capacity_unit = levels.capacity.attrs["units"]
    rates = item("number of rates", float((~levels.again).sum()))
    rows = []
    if None not in fitted:
        note = "too few rates to determine the three parameters of the model and to test it"
        rows = [
            finding(quantity, None, unit=unit or capacity_unit, evidence=[rates], note=note)
            for quantity, unit, _ in PARAMETERS.values()
        ]
    for exponent, result in fitted.items():
        residual = _two_digits(float(np.abs(result.data - result.best_fit).max()))
        evidence = [rates, item("largest residual", residual, capacity_unit)]
        process = "" if exponent is None else f" for a cell that {rate_model.LIMITS[exponent]} alone limits"
        note = f"capacity-rate model of Tian et al. (2019){process}"
        if exponent is not None:
            evidence = [item("exponent held at", exponent), *evidence]
        for name, value in rate_model.intervals(result).items():
            quantity, unit, factor = PARAMETERS[name]
            quantity += "" if exponent is None else f"_n_{exponent:g}"
            nominal = levels.attrs["nominal_capacity"]
            notes, shown = [note], evidence
            if name == "capacity":
                if capacity_unit == "mAh/g" and (value.value or 0.0) > nominal:
                    notes.append("more than the nominal capacity: the model extrapolates")
                    shown = [*evidence, item("nominal capacity", nominal, "mAh/g")]
                value = value.widened(levels.attrs["common"] * (value.value or 0.0))
            value = value.scaled(factor)
            if not value.is_bounded:
                notes = ["these rates do not determine it", *notes]
                value = Interval(None, *(None if end is None else _two_digits(end) for end in (value.low, value.high)))
            rows.append(finding(quantity, value, unit=unit or capacity_unit, evidence=shown, note="; ".join(notes)))
    return rows


def _two_digits(number: float) -> float:
    return float(f"{number:.2g}")
