"""Findings of critical-current-density runs, and a table of their steps."""

from collections.abc import Mapping

import pandas as pd
import xarray as xr

from coldbond.bundle.findings import finding, item, whose
from coldbond.cells import ccd
from coldbond.cells.shorts import METALLIC, RETAINED
from coldbond.interval import Interval

#: The thresholds in plain words, and their units.
THRESHOLDS = {
    "retained": ("retained share of the expected overpotential", ""),
    "metallic": ("resistance of a hard short", "ohm cm2"),
}


def findings(
    recordings: Mapping[str, xr.Dataset],
    retained: float = RETAINED,
    metallic: float = METALLIC,
    area_uncertainty: float = 0.02,
) -> list[dict]:
    """Return critical current density, mode and time of failure, and the charge passed until then.

    Parameters
    ----------
    recordings : mapping of str to xarray.Dataset
        As `raw.recordings` returns them.
    retained, metallic : float
        As for `shorts.classify_segments`.
    area_uncertainty : float
        Relative standard uncertainty of the electrode area.

    Returns
    -------
    list of dict
        As `bundle.findings.finding` returns them.
    """
    return [row for one in recordings.values() for row in of_cell(one, retained, metallic, area_uncertainty)]


def of_cell(
    recording: xr.Dataset, retained: float = RETAINED, metallic: float = METALLIC, area_uncertainty: float = 0.02
) -> list[dict]:
    """Return the findings of one cell, as `findings` does of several."""
    steps = ccd.steps(recording, retained, metallic)
    has_failed = bool(ccd.failed_steps(steps).sizes["step"])
    until_end = "" if has_failed else ", until the end of the test"
    rows = [
        _critical(recording, steps, retained, metallic),
        finding(
            "time_of_failure",
            ccd.time_of_failure(recording, steps),
            unit="h",
            note="" if has_failed else "no failure: the duration of the test is a lower bound",
        ),
        finding(
            "charge_passed_until_failure",
            ccd.charge_until_failure(recording, steps, area_uncertainty),
            unit="mAh/cm2",
            note=f"both directions added up{until_end}",
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


def _critical(recording: xr.Dataset, steps: xr.Dataset, retained: float, metallic: float) -> dict:
    notes, evidence = [_mode_of_failure(steps)], []
    if ccd.hides_steps(recording, steps):
        evidence = [item("last digit of the current density", ccd.last_digit(recording), "mA/cm2")]
        notes.append("finer steps cannot be told from the current")
    return finding(
        "critical_current_density",
        ccd.critical_current_density(steps),
        unit="mA/cm2",
        evidence=evidence,
        threshold=[
            item(name, value, unit)
            for (name, unit), value in zip(THRESHOLDS.values(), (retained, metallic), strict=True)
        ],
        alternatives=[_alternative(one) for one in ccd.with_other_thresholds(recording, retained, metallic)],
        note="; ".join(notes),
    )


def _alternative(one: ccd.Alternative) -> dict:
    name, unit = THRESHOLDS[one.threshold]
    span = f"{one.lowest:.2g}" if one.lowest == one.highest else f"{one.lowest:.2g} to {one.highest:.2g}"
    critical = one.critical if one.critical.value is not None else Interval(None, None, one.critical.high)
    return item(" ".join(filter(None, [name, span, unit])), critical, "mA/cm2")


def _mode_of_failure(steps: xr.Dataset) -> str:
    failed = ccd.failed_steps(steps)
    kinds = failed.kind.to_numpy()
    if not kinds.size:
        return "no failure, so there is no upper bound"
    mode = ", then ".join([kinds[0], *[kind for kind in kinds if kind != kinds[0]][:1]])
    if ccd.critical_current_density(steps).high is not None:
        return mode
    return f"{mode} at {failed.setpoint.item(0):g} mA/cm2, less than the cell had sustained before: no upper bound"
