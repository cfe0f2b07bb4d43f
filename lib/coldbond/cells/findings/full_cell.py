"""Findings of full cells, and a table of their cycles."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from coldbond.bundle import style
from coldbond.bundle.findings import finding, item, whose
from coldbond.cells import capacity, cycle_numbers, differential, failure, full_cell
from coldbond.cells.failure import Failure
from coldbond.cells.findings import protocol
from coldbond.cells.findings.half_cycles import with_identity
from coldbond.interval import NORMAL, Interval

EFFICIENCY = {"discharge": "discharge over the charge before it", "charge": "charge over the discharge before it"}

#: References of a retention, in words.
REFERENCES = {"first": "first cycle", "best": "best cycle", "mean_of_first_three": "mean of the first three cycles"}

#: Why a retention has no value where the capacity more than doubled.
NO_TEST = "the capacity more than doubled: half cycles of such different lengths are not the cycles of a test"


def findings(
    table: xr.Dataset,
    panel: str = "capacity",
    settling: int = 5,
    outlier: float = capacity.OUTLIER,
    capacity_after: int = 100,
    retention_after: int = 110,
    stable_within: float = 0.1,
    retention_against: str = "first",
    failed_efficiency: float = 0.9,
    failed_capacity: float = 0.5,
    theoretical_capacity: float = 170.0,
) -> list[dict]:
    """Return what was found in one full cell.

    Parameters
    ----------
    table : xarray.Dataset
        From `capacity.cycles`.
    panel : {"capacity", "polarization", "differential"}
        Which findings; those of "differential" need the recording, see `of_cell`.
    settling, outlier
        As for `full_cell.steady_cycles`.
    capacity_after, retention_after : int
        Cycles of which the capacity and the retention are findings of their own.
    stable_within : float
        Largest change over the test, as a share, of a polarisation that is called stable.
    retention_against : {"first", "best", "mean_of_first_three"}
        Cycle or cycles that the retention after `retention_after` cycles refers to.
    failed_efficiency, failed_capacity, theoretical_capacity : float
        Limits of a failure, see `failure.failure`.

    Returns
    -------
    list of dict
        As `bundle.findings.finding` returns them.
    """
    if panel not in ("capacity", "polarization", "differential"):
        raise ValueError(f"panel is {panel!r}: give capacity, polarization or differential")
    lost = failure.failure(table, failed_efficiency, failed_capacity, theoretical_capacity)
    before = lost.cycle.low if lost.failed else None
    steady = full_cell.steady_cycles(table, settling, outlier, before)
    limits = [
        item("least coulombic efficiency", 100 * failed_efficiency, "%"),
        item("least capacity against the cycles before", 100 * failed_capacity, "%"),
        *([item("theoretical capacity", theoretical_capacity, "mAh/g")] if _has_mass(table) else []),
    ]
    rows = []
    if panel == "polarization":
        rows = [*_polarization(table, steady, stable_within, lost), protocol.failed(lost, limits)]
    elif panel == "capacity":
        rows = [
            *_capacities(table),
            *protocol.cycles(table, steady),
            *_retention(table, steady, capacity_after, retention_after, retention_against, lost),
            *_trends(table, steady, lost),
            protocol.failed(lost, limits),
            *protocol.cell(table, steady),
        ]
    return [row | whose(table) for row in rows]


def of_cell(
    recording: xr.Dataset, table: xr.Dataset, panel: str = "capacity", voltage_step: float = 0.005, *options: Any
) -> list[dict]:
    """Return the findings of a cell from its recording and table, as `raw.Recordings.analysed` calls it.

    With the panel "differential", the voltages of the highest peak of dQ/dV in the first and the last cycle of the
    test, see `differential.peak`; the other options are those of `findings`.
    """
    rows = findings(table, panel, *options)
    numbers = full_cell.comparable_numbers(table)
    for name, place in (("first", slice(0, 1)), ("last", slice(-1, None))) if panel == "differential" else ():
        for number in numbers[place]:
            for half in ("charge", "discharge"):
                value = differential.peak(recording, table.sel(cycle=number, half=half), voltage_step)
                shown = [item("cycle", float(number)), item("voltage step", voltage_step, "V")]
                quantity = f"differential_capacity_peak_{half}_{name}_cycle"
                rows.append(finding(quantity, value, unit="V", evidence=shown) | whose(table))
    return rows


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


def _has_mass(table: xr.Dataset) -> bool:
    return bool(table.capacity.attrs["units"] == "mAh/g")


def _capacities(table: xr.Dataset) -> list[dict]:
    first, of_anode = full_cell.first_of_test(table), table.attrs["delivered"] == "charge"
    rows = []
    if table.attrs["begins"] == 1 and (table.attrs["lone"] != of_anode):
        rows = _formation(table)
    for half in ("charge", "discharge"):
        quantity = f"{half}_capacity_first_cycle"
        if table.attrs["begins"] > 1:
            rows.append(finding(quantity, None, unit=table.capacity.attrs["units"], note=_absent(table, 1)))
        else:
            rows.append(_capacity(quantity, table, half, first))
    if table.attrs["counted"]:
        rows += [_integral(table, half) for half in ("charge", "discharge")]
    return rows


def _formation(table: xr.Dataset) -> list[dict]:
    """Return the capacity of a first discharge and the efficiency of the charge after it."""
    start = int(table.attrs["lone"])
    if start >= table.sizes["cycle"] or not full_cell.is_finished(table, "charge", int(table.cycle[start])):
        return []
    efficiency = full_cell.initial_efficiency(table)
    if efficiency.low is not None and efficiency.low > 100:
        # A formation takes up at least what the charge after it gives back. This may be a pulse or the rest of a cycle.
        first, then = (
            item(name, full_cell.cycle_capacity(table, half, int(table.cycle[i])), table.capacity.attrs["units"])
            for name, half, i in (("first discharge", "discharge", 0), ("first charge", "charge", start))
        )
        note = "the first discharge is no formation: the charge after it holds more"
        unit = table.capacity.attrs["units"]
        return [
            finding("formation_discharge_capacity", None, unit, evidence=[first, then], note=note),
            finding("initial_coulombic_efficiency", None, "%", evidence=[first, then], note=note),
        ]
    note = "first charge over the discharge before it, as is usual where the first step is a discharge"
    return [
        _capacity("formation_discharge_capacity", table, "discharge", int(table.cycle[0])),
        _efficiency("initial_coulombic_efficiency", table, efficiency, [], note),
    ]


def _capacity(
    quantity: str, table: xr.Dataset, half: str, cycle: int, scatter: float = 0.0, evidence: Sequence[dict] = ()
) -> dict:
    unit = table.capacity.attrs["units"]
    if not full_cell.is_finished(table, half, cycle):
        return finding(quantity, None, unit=unit, note=_absent(table, cycle))
    sources = "mass and current" if unit == "mAh/g" else "current"
    common = f"half width common to all capacities ({sources})"
    shown = [item(common, _two_digits(100 * NORMAL * table.attrs["common"]), "%"), *evidence]
    if "tester_cycle" in table:
        number = int(table.tester_cycle.sel(half=half, cycle=cycle))
        shown += [item("cycle number of the tester", float(number))] if number != cycle else []
    if quantity.endswith("_first_cycle") and cycle != 1:
        shown.append(item("first cycle of the test: cycle", float(cycle)))
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


def _absent(table: xr.Dataset, cycle: int) -> str:
    """Return why a cycle has no value."""
    number = table.cycle.to_numpy()
    if cycle > number[-1]:
        return f"the cycle is not in this recording, whose last is cycle {number[-1]}"
    if cycle > table.attrs["sure_until"]:
        return table.attrs["numbering"]
    if cycle < number[0]:
        return f"the cycle is not in this recording, which begins with cycle {number[0]}"
    for first, last in cycle_numbers.missing(number):
        if first <= cycle <= last:
            return f"the cycle is not in this recording, from which cycles {first} to {last} are missing"
    return "the cycle is unfinished, or not of the test"


def _retention(
    table: xr.Dataset,
    steady: xr.Dataset,
    capacity_after: int,
    retention_after: int,
    retention_against: str,
    lost: Failure,
) -> list[dict]:
    complete = full_cell.comparable_numbers(table)
    scatter = full_cell.cycle_scatter(steady)
    begins = table.attrs["begins"] == 1
    last = complete
    if lost.failed and lost.cycle.low is not None and (complete < lost.cycle.low).any():
        last = complete[complete < lost.cycle.low]
    rows = []
    for name, value in (full_cell.retention(table, last[-1], scatter) if complete.size and begins else {}).items():
        cycle = item(_of_last(lost), float(last[-1]))
        note = _against(name, table) if value.value is not None else NO_TEST
        rows.append(finding(f"retention_against_{name}", value, unit="%", evidence=[cycle], note=note))
    if complete.size and not begins:
        rows = [finding(f"retention_against_{name}", None, unit="%", note=_absent(table, 1)) for name in REFERENCES]
    quantity, evidence = f"retention_cycle_{retention_after}", []
    found = full_cell.nearest(table, retention_after)
    value = full_cell.retention(table, found, scatter)[retention_against] if found is not None else Interval(None)
    if found is not None and begins and value.value is not None:
        unit = table.capacity.attrs["units"]
        reached = full_cell.cycle_capacity(table, table.attrs["delivered"], found)
        reference = reached.scaled(100 / (value.value or 1.0))
        evidence = [
            item(f"{table.attrs['delivered']} capacity of the {REFERENCES[retention_against]}", reference, unit),
            item(f"{table.attrs['delivered']} capacity of cycle {found}", reached, unit),
        ]
        note = _against(retention_against, table) + _instead(found, retention_after) + _after(found, lost)
        rows.append(finding(quantity, value, unit="%", evidence=evidence, note=note))
        evidence = [item(f"retention of cycle {found}", value, "%"), *evidence]
    else:
        note = _absent(table, 1 if found is not None else retention_after) if not begins or found is None else NO_TEST
        rows.append(finding(quantity, None, unit="%", note=note))
    quantity = f"discharge_capacity_cycle_{capacity_after}"
    found = full_cell.nearest(table, capacity_after)
    if found is None and capacity_after <= table.attrs["sure_until"]:
        found = capacity_after  # a discharge without its charge has a capacity
    if found is None or (found == capacity_after and capacity_after in table.cycle and not _of_test(table, found)):
        unit = table.capacity.attrs["units"]
        return [*rows, finding(quantity, None, unit=unit, note=_absent(table, capacity_after))]
    row = _capacity(quantity, table, "discharge", found, scatter, evidence)
    row["note"] += (_instead(found, capacity_after) + _after(found, lost)) if row["value"] is not None else ""
    return [*rows, row]


def _of_test(table: xr.Dataset, cycle: int) -> bool:
    return bool(table.test.sel(cycle=cycle))


def _of_last(lost: Failure) -> str:
    return "last complete cycle before the failure" if lost.failed else "last complete cycle"


def _against(name: str, table: xr.Dataset) -> str:
    """Return what a retention refers to; which cycle that is, where the test does not begin with the first."""
    complete = full_cell.comparable_numbers(table)
    of = "" if complete[0] == 1 else f" of the test (cycle {complete[0]})"
    return f"against the {REFERENCES[name]}{of if name == 'first' else of.replace('cycle', 'from cycle') if of else ''}"


def _instead(found: int, asked: int) -> str:
    return f"; of cycle {found}: cycle {asked} is not one of the test, or unfinished" if found != asked else ""


def _after(found: int, lost: Failure) -> str:
    failed = bool(lost.failed and lost.cycle.low is not None and found >= lost.cycle.low)
    return "; after the cell had failed" if failed else ""


def _trends(table: xr.Dataset, steady: xr.Dataset, lost: Failure) -> list[dict]:
    if not table.complete.any():
        return []
    delivered, until = table.attrs["delivered"], _until(lost)
    of_fade = (~steady.outlier) & (steady.cycle <= table.attrs["sure_until"])
    counts = [
        item("number of complete cycles after settling", float(which.sum())) for which in (of_fade, ~steady.outlier)
    ]
    used = [item("cycle", protocol.spans(steady.cycle[~steady.outlier].to_numpy()))] if _is_part(table, steady) else []
    fade = (
        "slope of a straight line through the cycles after settling, relative to the first "
        f"{delivered} capacity{' of the test' if full_cell.first_of_test(table) != 1 else ''}{until}"
    )
    mean = f"{EFFICIENCY[delivered]}; mean over the cycles after settling{until}"
    first = table.cycle[table.complete.to_numpy()][0].item()
    of_first = [] if first == 1 else [item("cycle", float(first))]
    efficiency = (
        _efficiency(
            "coulombic_efficiency_first_cycle",
            table,
            full_cell.first_efficiency(table),
            of_first,
            EFFICIENCY[delivered],
        )
        if table.attrs["begins"] == 1
        else finding("coulombic_efficiency_first_cycle", None, unit="%", note=_absent(table, 1))
    )
    slope = full_cell.fade_per_cycle(table, steady) if full_cell.comparable_numbers(table).size else Interval(None)
    return [
        finding("capacity_fade_per_cycle", slope, unit="%", evidence=[counts[0], *used], note=fade),
        efficiency,
        _efficiency("coulombic_efficiency", table, full_cell.mean_efficiency(table, steady), [counts[1], *used], mean),
    ]


def _until(lost: Failure) -> str:
    low = lost.cycle.low
    return f", before the failure (from cycle {low:.0f} on)" if lost.failed and low is not None else ""


def _is_part(table: xr.Dataset, steady: xr.Dataset) -> bool:
    """Return whether cycles between the first and the last that are used are not used."""
    return bool(not table.test.all() or cycle_numbers.missing(table.cycle.to_numpy()))


def _polarization(table: xr.Dataset, steady: xr.Dataset, stable_within: float, lost: Failure) -> list[dict]:
    complete = full_cell.comparable(table)
    if lost.failed and lost.cycle.low is not None:
        complete = complete.sel(cycle=complete.cycle < lost.cycle.low)
    known = complete.sel(cycle=np.isfinite(complete.polarization))
    kept = steady.sel(cycle=~steady.outlier & np.isfinite(steady.polarization))
    rows = []
    for name, place in (("first", slice(0, 1)), ("last", slice(-1, None))):
        for number in known.cycle[place].to_numpy():
            one = known.sel(cycle=number)
            interval = Interval.symmetric(1e3 * float(one.polarization), 1e3 * float(one.polarization_half_width))
            cycle = item("cycle", float(number))
            rows.append(finding(f"polarization_{name}_cycle", interval, unit="mV", evidence=[cycle]))
    count = item("number of complete cycles after settling", float(kept.sizes["cycle"]))
    if kept.sizes["cycle"] < 3:
        held = complete.sizes["cycle"] - known.sizes["cycle"] >= 3
        note = "half of the charge passed at less than the applied current" if held else "too few cycles for a trend"
        return [*rows, finding("polarization_stable", None, evidence=[count], note=note + _until(lost))]
    change = full_cell.polarization_change(steady)
    span = f"change over {int(kept.cycle[-1] - kept.cycle[0])} cycles"
    mean, until = full_cell.mean_polarization(table, steady), _until(lost)
    note = f"mean over the cycles after settling{until}"
    line = f"slope of a straight line times the number of cycles{until}"
    return [
        *rows,
        finding("polarization", mean, unit="mV", evidence=[count], note=note),
        finding("polarization_change", change, unit="%", evidence=[count], note=line),
        finding(
            "polarization_stable",
            full_cell.is_stable(change, stable_within),
            evidence=[item(span, change, "%")],
            threshold=[item("largest change", 100 * stable_within, "%")],
            note=until.removeprefix(", "),
        ),
    ]


def _two_digits(number: float) -> float:
    return float(f"{number:.2g}")
