"""Findings of critical-current-density runs, and a table of their steps."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import xarray as xr

from coldbond.bundle.findings import finding, item, text, whose
from coldbond.cells import ccd, shorts
from coldbond.cells.shorts import CONDUCTIVITY, METALLIC, RETAINED, UNDECIDED
from coldbond.interval import Interval

#: The thresholds in plain words, and their units.
THRESHOLDS = {
    "retained": ("retained share of the expected overpotential", ""),
    "metallic": ("resistance of a hard short", "ohm cm2"),
    "conductivity": ("highest conductivity of the electrolyte", "S/cm"),
}

#: Quantities of the last sustained step: their names among the findings and in `ccd.steps`, and their units.
BEFORE_FAILURE = (
    ("area_specific_resistance_before_failure", "resistance", "ohm cm2"),
    ("capacity_per_half_cycle", "capacity", "mAh/cm2"),
)


def findings(
    recordings: Mapping[str, xr.Dataset],
    retained: float = RETAINED,
    metallic: float = METALLIC,
    area_uncertainty: float = 0.02,
    conductivity: float = CONDUCTIVITY,
) -> list[dict]:
    """Return critical current density, time and mode of failure, and what was before: charge, resistance, capacity.

    Parameters
    ----------
    recordings : mapping of str to xarray.Dataset
        As `raw.recordings` returns them.
    retained, metallic, conductivity : float
        As for `shorts.classify_segments`.
    area_uncertainty : float
        Relative standard uncertainty of the electrode area.

    Returns
    -------
    list of dict
        As `bundle.findings.finding` returns them.
    """
    return [
        row for one in recordings.values() for row in of_cell(one, retained, metallic, area_uncertainty, conductivity)
    ]


def of_cell(
    recording: xr.Dataset,
    retained: float = RETAINED,
    metallic: float = METALLIC,
    area_uncertainty: float = 0.02,
    conductivity: float = CONDUCTIVITY,
) -> list[dict]:
    """Return the findings of one cell, as `findings` does of several."""
    thresholds = dict(retained=retained, metallic=metallic, conductivity=conductivity)
    steps = ccd.steps(recording, **thresholds)
    doubted, certain = shorts.first_failure(steps.kind)
    note = "no failure: the duration of the test is a lower bound" if doubted is None else ""
    if doubted != certain:
        note = "it cannot be told when the failure began, or whether it did"
    rows = [
        _critical(recording, steps, thresholds, area_uncertainty),
        finding("time_of_failure", ccd.time_of_failure(recording, steps), unit="h", note=note),
        finding(
            "charge_passed_until_failure",
            ccd.charge_until_failure(recording, steps, area_uncertainty),
            unit="mAh/cm2",
            note=f"both directions added up{', until the end of the test' if doubted is None else ''}",
        ),
        *(
            finding(
                quantity,
                ccd.before_failure(steps, name, area_uncertainty),
                unit=unit,
                note="last sustained step" if steps.kind.item(0) == "sustained" else "no step was sustained",
            )
            for quantity, name, unit in BEFORE_FAILURE
        ),
    ]
    return [row | whose(recording) for row in rows]


def summary(recordings: Mapping[str, xr.Dataset], values: Sequence[dict]) -> pd.DataFrame:
    """Return what a comparison of CCDs needs beside them, as text: a row for each cell.

    Parameters
    ----------
    recordings : mapping of str to xarray.Dataset
        As `raw.recordings` returns them.
    values : sequence of dict
        From `findings`.
    """
    rows = {}
    for label, recording in recordings.items():
        own = dict(whose(recording))
        of_cells = [row for row in values if "n" not in row and "higher" not in row]  # without conditions
        found = {row["quantity"]: row for row in of_cells if all(row.get(key) == name for key, name in own.items())}
        critical = found["critical_current_density"]
        thickness, temperature = (recording.attrs.get(name, np.nan) for name in ("thickness_cm", "temperature_C"))
        rows[label] = {
            "CCD / mA cm⁻²": text(critical["value"], critical),
            "between": f"{text(critical['low'], critical)} and {text(critical['high'], critical)}",
            "with the area's uncertainty": critical["evidence"][0]["value"].removesuffix(" mA/cm2"),
            "failure": critical["note"].partition(";")[0],
            "capacity per half cycle / mAh cm⁻²": _value(found["capacity_per_half_cycle"]),
            "resistance before / Ω cm²": _value(found["area_specific_resistance_before_failure"]),
            "temperature / °C": "—" if np.isnan(temperature) else f"{temperature:g}",
            "thickness / cm": "—" if np.isnan(thickness) else f"{thickness:g}",
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def _value(row: dict) -> str:
    bounds = "" if row["value"] is None else f" ({text(row['low'], row)} to {text(row['high'], row)})"
    return f"{text(row['value'], row)}{bounds}"


def table(steps: Mapping[str, xr.Dataset]) -> pd.DataFrame:
    """Return resistance and kind of every step as text: a row for each current density, a column for each cell.

    Parameters
    ----------
    steps : mapping of str to xarray.Dataset
        From `ccd.steps`.
    """
    columns = {}
    for label, cell in steps.items():
        setpoint = cell.setpoint.to_series()
        words = [
            f"{resistance:.0f} Ω cm², {kind}"
            for resistance, kind in zip(cell.resistance.to_numpy(), cell.kind.to_numpy(), strict=True)
        ]
        # A current density may come again, such as 0 while the tester holds its limit.
        columns[label] = pd.Series(words, index=[setpoint.to_numpy(), setpoint.groupby(setpoint).cumcount()])
    shown = pd.DataFrame(columns).fillna("")
    decimals = max([2, *(len(f"{density:g}".partition(".")[2]) for density, _ in shown.index)])
    names = [f"{density:.{decimals}f}{f' ({again + 1})' if again else ''}" for density, again in shown.index]
    return shown.set_axis(names).rename_axis("mA/cm2")


def _critical(recording: xr.Dataset, steps: xr.Dataset, thresholds: dict[str, float], area_uncertainty: float) -> dict:
    critical = ccd.critical_current_density(steps)
    notes = [_mode_of_failure(steps)]
    with_area = ccd.with_area(critical, area_uncertainty)
    bounds = f"{with_area.low:.3g} to {'—' if with_area.high is None else f'{with_area.high:.3g}'} mA/cm2"
    evidence = [item(f"interval with the uncertainty of the area, {100 * area_uncertainty:g} %:", bounds)]
    if ccd.hides_steps(recording, steps):
        evidence.append(item("last digit of the current density", ccd.last_digit(recording), "mA/cm2"))
        notes.append("finer steps cannot be told from the current")
    return finding(
        "critical_current_density",
        critical,
        unit="mA/cm2",
        evidence=evidence,
        threshold=[item(THRESHOLDS[name][0], value, THRESHOLDS[name][1]) for name, value in thresholds.items()],
        alternatives=[_alternative(one) for one in ccd.with_other_thresholds(recording, **thresholds)],
        note="; ".join(notes),
    )


def _alternative(one: ccd.Alternative) -> dict:
    name, unit = THRESHOLDS[one.threshold]
    span = f"{one.lowest:.2g}" if one.lowest == one.highest else f"{one.lowest:.2g} to {one.highest:.2g}"
    critical = one.critical if one.critical.value is not None else Interval(None, None, one.critical.high)
    return item(" ".join(filter(None, [name, span, unit])), critical, "mA/cm2")


def _mode_of_failure(steps: xr.Dataset) -> str:
    failed = ccd.failed_steps(steps)
    if not failed.sizes["step"]:
        return "no failure, so there is no upper bound"
    first = failed.setpoint.item(0)
    kinds = list(dict.fromkeys(failed.kind.to_numpy()))[:2]
    mode = f"{', then '.join(kinds)}; at {first:g} mA/cm2 {failed.reason.item(0)}"
    certain = shorts.first_failure(steps.kind)[1]
    if certain is None:
        return f"{mode}; no value and no upper bound"
    if kinds[0] == UNDECIDED:
        return f"{mode}; at {steps.setpoint.item(certain):g} mA/cm2 {steps.reason.item(certain)}"
    if ccd.critical_current_density(steps).high is None:
        return f"{mode}; this is less than the cell had sustained before: no upper bound"
    return mode
