"""Findings of full cells, and a table of their cycles."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from coldbond.bundle import style
from coldbond.bundle.findings import finding, item, whose
from coldbond.cells import capacity, full_cell
from coldbond.cells.findings.half_cycles import with_identity
from coldbond.interval import NORMAL, Interval

ABSENT = "the cycle is not in this recording, or unfinished"
EFFICIENCY = "discharge over the charge before it"


def findings(
    table: xr.Dataset,
    panel: str = "capacity",
    settling: int = 5,
    outlier: float = capacity.OUTLIER,
    capacity_after: int = 100,
    retention_after: int = 110,
    stable_within: float = 0.1,
    retention_against: str = "first",
) -> list[dict]:
    """Return what was found in one full cell.

    Parameters
    ----------
    table : xarray.Dataset
        From `capacity.cycles`.
    panel : {"capacity", "polarization"}
        Which findings.
    settling, outlier
        As for `full_cell.steady_cycles`.
    capacity_after, retention_after : int
        Cycles of which the capacity and the retention are findings of their own.
    stable_within : float
        Largest change over the test, as a share, of a polarisation that is called stable.
    retention_against : {"first", "best", "mean_of_first_three"}
        Cycle or cycles that the retention after `retention_after` cycles refers to.

    Returns
    -------
    list of dict
        As `bundle.findings.finding` returns them.
    """
    if panel not in ("capacity", "polarization"):
        raise ValueError(f"panel is {panel!r}: give capacity or polarization")
    steady = full_cell.steady_cycles(table, settling, outlier)
    if panel == "polarization":
        rows = _polarization(table, steady, stable_within)
    else:
        rows = [
            *_capacities(table),
            *_retention(table, steady, capacity_after, retention_after, retention_against),
            *_trends(table, steady),
        ]
    return [row | whose(table) for row in rows]


def of_cell(recording: xr.Dataset, table: xr.Dataset, *options: Any) -> list[dict]:
    """Return the findings of a cell from its recording and table, as `raw.Recordings.analysed` calls it."""
    return findings(table, *options)


def every_cycle(tables: Mapping[str, xr.Dataset]) -> pd.DataFrame:
    """Return every cycle of each cell, with units in the names of the columns.

    Parameters
    ----------
    tables : mapping of str to xarray.Dataset
        From `capacity.cycles`.
    """
    return pd.concat([cycles_of(one) for one in tables.values()], ignore_index=True)


def cycles_of(table: xr.Dataset) -> pd.DataFrame:
    """Return the rows of one cell."""
    unit = style.unit(table.capacity.attrs["units"])
    charge, discharge = (table.sel(half=half) for half in ("charge", "discharge"))
    columns = {
        "Cycle": table.cycle,
        "Charge current / mA": 1e3 * charge.current,
        "Discharge current / mA": 1e3 * discharge.current,
        f"Charge capacity / {unit}": charge.capacity,
        f"Discharge capacity / {unit}": discharge.capacity,
        "Coulombic efficiency / %": table.coulombic_efficiency,
        "Polarisation at half capacity / mV": 1e3 * table.polarization,
        "Charge finished": charge.finished == 1,
        "Discharge finished": discharge.finished == 1,
    }
    return with_identity(pd.DataFrame({name: np.asarray(values) for name, values in columns.items()}), table)


def table(tables: Mapping[str, xr.Dataset], shown: Sequence[int]) -> pd.DataFrame:
    """Return capacities, coulombic efficiency and polarisation of the shown cycles of each cell, as text."""
    rows = {}
    for label, cycles in tables.items():
        unit = cycles.capacity.attrs["units"]
        for n in [n for n in (0, *shown) if n in cycles.cycle]:
            one = cycles.sel(cycle=n)
            charge, discharge = one.capacity.to_numpy()
            rows[label, n] = {
                "charge": f"{charge:.4g} {unit}",
                "discharge": f"{discharge:.4g} {unit}",
                "efficiency": f"{float(one.coulombic_efficiency):.2f} %",
                "polarisation": f"{1e3 * float(one.polarization):.1f} mV",
            }
    found = pd.DataFrame.from_dict(rows, orient="index").rename_axis(["cell", "cycle"])
    return found.replace(r"^nan .*", "—", regex=True)


def _capacities(table: xr.Dataset) -> list[dict]:
    rows = []
    if table.cycle[0] == 0:  # the formation of a cell that starts with a discharge
        rows = _formation(table)
    rows += [_capacity(f"{half}_capacity_first_cycle", table, half, 1) for half in ("charge", "discharge")]
    if table.attrs["counted"]:
        rows += [_integral(table, half) for half in ("charge", "discharge")]
    return rows


def _formation(table: xr.Dataset) -> list[dict]:
    """Return the capacity of a first discharge and the efficiency of the charge after it."""
    efficiency = full_cell.initial_efficiency(table)
    if efficiency.low is not None and efficiency.low > 100:
        # A formation takes up at least what the charge after it gives back. This may be a pulse or the rest of a cycle.
        first, then = (
            item(name, full_cell.cycle_capacity(table, half, cycle), table.capacity.attrs["units"])
            for name, half, cycle in (("first discharge", "discharge", 0), ("first charge", "charge", 1))
        )
        note = "the first discharge is no formation: the charge after it holds more"
        unit = table.capacity.attrs["units"]
        return [
            finding("formation_discharge_capacity", None, unit, evidence=[first, then], note=note),
            finding("initial_coulombic_efficiency", None, "%", evidence=[first, then], note=note),
        ]
    note = "first charge over the discharge before it, as is usual where the working electrode is an anode"
    return [
        _capacity("formation_discharge_capacity", table, "discharge", 0),
        _efficiency("initial_coulombic_efficiency", table, efficiency, [], note),
    ]


def _capacity(
    quantity: str, table: xr.Dataset, half: str, cycle: int, scatter: float = 0.0, evidence: Sequence[dict] = ()
) -> dict:
    unit = table.capacity.attrs["units"]
    if not full_cell.is_finished(table, half, cycle):
        return finding(quantity, None, unit=unit, note=ABSENT)
    sources = "mass and current" if unit == "mAh/g" else "current"
    common = f"half width common to all capacities ({sources})"
    shown = [item(common, _two_digits(100 * NORMAL * table.attrs["common"]), "%"), *evidence]
    if "tester_cycle" in table:
        number = int(table.tester_cycle.sel(half=half, cycle=cycle))
        shown += [item("cycle number of the tester", float(number))] if number != cycle else []
    return finding(
        quantity,
        full_cell.cycle_capacity(table, half, cycle, scatter),
        unit=unit,
        evidence=shown,
        note="from the tester's counter" if table.attrs["counted"] else "from the integral of the current",
    )


def _integral(table: xr.Dataset, half: str) -> dict:
    cycle = full_cell.first_recorded(table, half)
    current, digit = abs(float(table.current.sel(half=half, cycle=cycle))), table.attrs["current_digit"]
    return finding(
        f"{half}_capacity_by_integral",
        full_cell.integral_capacity(table, half, cycle),
        unit=table.capacity.attrs["units"],
        evidence=[
            item("cycle", float(cycle)),
            item("current as recorded", Interval.symmetric(1e3 * current, 1e3 * digit / 2), "mA"),
        ],
        note="for comparison with the counter; the rounding of the current does not average out over the records",
    )


def _efficiency(quantity: str, table: xr.Dataset, value: Interval, evidence: Sequence[dict], note: str) -> dict:
    calibration = _two_digits(full_cell.calibration_half_width(table, value))
    return finding(
        quantity,
        value,
        unit="%",
        evidence=[*evidence, item("half width from the calibration of the tester", calibration, "%")],
        note=f"{note}; the calibration may differ between charge and discharge",
    )


def _retention(
    table: xr.Dataset, steady: xr.Dataset, capacity_after: int, retention_after: int, retention_against: str
) -> list[dict]:
    complete = table.cycle[table.complete.to_numpy()].to_numpy()
    scatter = full_cell.cycle_scatter(steady)
    rows = [finding("complete_cycles", float(complete.size), unit="1", evidence=_left_out(table, steady))]
    for name, value in (full_cell.retention(table, complete[-1], scatter) if complete.size else {}).items():
        last = item("last complete cycle", float(complete[-1]))
        rows.append(
            finding(f"retention_against_{name}", value, unit="%", evidence=[last], note=f"against the {_words(name)}")
        )
    quantity, evidence = f"retention_cycle_{retention_after}", []
    if retention_after in complete:
        unit = table.capacity.attrs["units"]
        value = full_cell.retention(table, retention_after, scatter)[retention_against]
        reached = full_cell.cycle_capacity(table, "discharge", retention_after)
        reference = reached.scaled(100 / (value.value or 1.0))
        evidence = [
            item(f"discharge capacity of the {_words(retention_against)}", reference, unit),
            item(f"discharge capacity of cycle {retention_after}", reached, unit),
        ]
        note = f"against the {_words(retention_against)}"
        rows.append(finding(quantity, value, unit="%", evidence=evidence, note=note))
        evidence = [item(f"retention of cycle {retention_after}", value, "%"), *evidence]
    else:
        rows.append(finding(quantity, None, unit="%", note=ABSENT))
    quantity = f"discharge_capacity_cycle_{capacity_after}"
    return [*rows, _capacity(quantity, table, "discharge", capacity_after, scatter, evidence)]


def _left_out(table: xr.Dataset, steady: xr.Dataset) -> list[dict]:
    """Return which cycles are unfinished, paused or outliers."""
    kinds = {
        "unfinished, left out: cycle": table.cycle[(table.finished == 0).any("half").to_numpy()],
        "paused, charge counted across the pause: cycle": table.cycle[(table.rests > 0).any("half").to_numpy()],
        "outlier, left out of means and trends: cycle": steady.cycle[steady.outlier.to_numpy()],
    }
    return [item(kind, ", ".join(str(int(n)) for n in cycles)) for kind, cycles in kinds.items() if cycles.size]


def _trends(table: xr.Dataset, steady: xr.Dataset) -> list[dict]:
    if not table.complete.any():
        return []
    count = item("number of complete cycles after settling", float((~steady.outlier).sum()))
    fade = "slope of a straight line through the cycles after settling, relative to the first discharge capacity"
    mean = f"{EFFICIENCY}; mean over the cycles after settling"
    return [
        finding(
            "capacity_fade_per_cycle", full_cell.fade_per_cycle(table, steady), unit="%", evidence=[count], note=fade
        ),
        _efficiency("coulombic_efficiency_first_cycle", table, full_cell.first_efficiency(table), [], EFFICIENCY),
        _efficiency("coulombic_efficiency", table, full_cell.mean_efficiency(table, steady), [count], mean),
    ]


def _polarization(table: xr.Dataset, steady: xr.Dataset, stable_within: float) -> list[dict]:
    complete, kept = table.sel(cycle=table.complete), steady.sel(cycle=~steady.outlier)
    digits = 1e3 * table.attrs["polarization_half_width"]
    rows = []
    for name, place in (("first", slice(0, 1)), ("last", slice(-1, None))):
        for number, value in zip(complete.cycle[place], complete.polarization[place], strict=True):
            interval = Interval.symmetric(1e3 * float(value), digits)
            cycle = item("cycle", float(number))
            rows.append(finding(f"polarization_{name}_cycle", interval, unit="mV", evidence=[cycle]))
    count = item("number of complete cycles after settling", float(kept.sizes["cycle"]))
    if kept.sizes["cycle"] < 3:
        return [*rows, finding("polarization_stable", None, evidence=[count], note="too few cycles for a trend")]
    change = full_cell.polarization_change(steady)
    span = f"change over {int(kept.cycle[-1] - kept.cycle[0])} cycles"
    return [
        *rows,
        finding(
            "polarization",
            full_cell.mean_polarization(table, steady),
            unit="mV",
            evidence=[count],
            note="mean over the cycles after settling",
        ),
        finding(
            "polarization_change",
            change,
            unit="%",
            evidence=[count],
            note="slope of a straight line times the number of cycles",
        ),
        finding(
            "polarization_stable",
            full_cell.is_stable(change, stable_within),
            evidence=[item(span, change, "%")],
            threshold=[item("largest change", 100 * stable_within, "%")],
        ),
    ]


def _words(name: str) -> str:
    return {
        "first": "first cycle",
        "best": "best cycle",
        "mean_of_first_three": "mean of the first three cycles",
    }[name]


def _two_digits(number: float) -> float:
    return float(f"{number:.2g}")
