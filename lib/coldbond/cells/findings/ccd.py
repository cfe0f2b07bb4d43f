"""Findings of critical-current-density runs, and a table of their steps."""

from collections.abc import Mapping

import pandas as pd
import xarray as xr

from coldbond.bundle.findings import finding, item, whose
from coldbond.cells import ccd, shorts
from coldbond.cells.shorts import CONDUCTIVITY, METALLIC, RETAINED, UNDECIDED
from coldbond.interval import Interval

#: The thresholds in plain words, and their units.
THRESHOLDS = {
    "retained": ("retained share of the expected overpotential", ""),
    "metallic": ("resistance of a hard short", "ohm cm2"),
    "conductivity": ("highest conductivity of the electrolyte", "S/cm"),
}


def findings(
    recordings: Mapping[str, xr.Dataset],
    retained: float = RETAINED,
    metallic: float = METALLIC,
    area_uncertainty: float = 0.02,
    conductivity: float = CONDUCTIVITY,
) -> list[dict]:
    """Return critical current density, mode and time of failure, and the charge passed until then.

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
    ]
    return [row | whose(recording) for row in rows]


def table(steps: Mapping[str, xr.Dataset]) -> pd.DataFrame:
    """Return resistance and kind of every step as text: a row for each current density, a column for each cell.

    Parameters
    ----------
    steps : mapping of str to xarray.Dataset
        From `ccd.steps`.
    """
    columns = {
        label: pd.Series(
            [
                f"{resistance:.0f} Ω cm², {kind}"
                for resistance, kind in zip(cell.resistance.to_numpy(), cell.kind.to_numpy(), strict=True)
            ],
            index=cell.setpoint.to_numpy(),
        )
        for label, cell in steps.items()
    }
    shown = pd.DataFrame(columns).fillna("")
    decimals = max([2, *(len(f"{density:g}".partition(".")[2]) for density in shown.index)])
    return shown.set_axis([f"{density:.{decimals}f}" for density in shown.index]).rename_axis("mA/cm2")


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
