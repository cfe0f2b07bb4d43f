"""Findings on what was done with a full cell: which cycles are the test, what kind of cell it is, whether it failed."""

from collections.abc import Sequence

import numpy as np
import xarray as xr

from coldbond.bundle.findings import finding, item
from coldbond.cells import cycle_numbers, full_cell
from coldbond.cells.failure import Failure
from coldbond.interval import Interval

#: Share of the charge at constant voltage from which on a charge counts as one at constant current and voltage: less
#: than the current's regulation at a cut-off makes.
HELD = 0.005


def cycles(table: xr.Dataset, steady: xr.Dataset) -> list[dict]:
    """Return how many cycles were completed, and which are not those of the test, with the reason."""
    rows = [
        finding(
            "complete_cycles", float(full_cell.comparable_numbers(table).size), unit="1", evidence=_apart(table, steady)
        )
    ]
    words = [table.attrs["numbering"]] if table.attrs["numbering"] else []
    if table.attrs["begins"] > 1:
        words.append(f"the recording begins with the tester's cycle {table.attrs['begins']}")
    rows[0]["note"] = "; ".join(words)
    return rows


def _apart(table: xr.Dataset, steady: xr.Dataset) -> list[dict]:
    """Return which cycles are missing, of other rates, unfinished, paused or outliers."""
    number = table.cycle.to_numpy()
    shown = []
    lost = [f"{a} to {b}" if b > a else f"{a}" for a, b in cycle_numbers.missing(number)]
    shown += [item("not in the recording: cycle", ", ".join(lost))] if lost else []
    apart = ~table.test.to_numpy()
    for kind in dict.fromkeys(table.kind.to_numpy()[apart].tolist()):
        own = table.sel(cycle=table.kind == kind)
        currents = [1e3 * np.abs(own.applied.sel(half=half).to_numpy()) for half in ("charge", "discharge")]
        text = " and ".join(
            f"{half} {np.nanmedian(one):.3g} mA"
            for half, one in zip(("charge", "discharge"), currents, strict=True)
            if np.isfinite(one).any()
        )
        shown.append(item(f"not of the test, {text}: cycle", spans(own.cycle.to_numpy())))
    if apart.any():
        shown.append(item("current of the test", f"{_current(table)} mA in cycle {_first_and_last(table)}"))
    kinds = {
        "unfinished, left out: cycle": (table.finished == 0).any("half"),
        "begun half way, left out: cycle": (table.begun == 0).any("half"),
        "paused, charge counted across the pause: cycle": (table.rests > 0).any("half"),
        "charge passed at several currents: cycle": (table.stepped > HELD).any("half"),
    }
    for what, which in kinds.items():
        if which.any():
            shown.append(item(what, spans(number[which.to_numpy()])))
    outliers = steady.cycle[steady.outlier.to_numpy()].to_numpy()
    shown += [item("outlier, left out of means and trends: cycle", spans(outliers))] if outliers.size else []
    shown += [item("pulses left out", float(table.attrs["pulses"]))] if table.attrs["pulses"] else []
    return shown


def cell(table: xr.Dataset, steady: xr.Dataset) -> list[dict]:
    """Return what the recording shows of the kind of cell and of how it was charged."""
    middle = table.middle.to_numpy()
    voltage = (
        item("median voltage at half of the capacity", float(np.nanmedian(middle)), "V")
        if np.isfinite(middle).any()
        else item("voltage at half of the capacity", "not recorded at a constant current")
    )
    of_anode = table.attrs["delivered"] == "charge"
    note = "the capacity is that of the charge, the efficiency charge over the discharge before it" if of_anode else ""
    rows = [finding("working_electrode_is_anode", of_anode, evidence=[voltage], note=note)]
    held = table.held.sel(
        half="charge", cycle=table.test & (table.finished.sel(half="charge", drop=True) == 1)
    ).to_numpy()
    if held.size:
        shown = [
            item(f"share of the charge at constant voltage, {which} cycle", round(100 * float(one), 1), "%")
            for which, one in (("first", held[0]), ("last", held[-1]))
        ]
        rows.append(finding("constant_voltage_charge", bool(np.median(held) > HELD), evidence=shown))
    if full_cell.comparable_numbers(table).size and not of_anode:
        share, limited = full_cell.inventory_share(steady)
        evidence = (
            [item("charge lost in a cycle that costs no capacity, share", share)] if share.value is not None else []
        )
        note = {
            True: "lithium that was lost is missing from the next cycle: an anode-free or lithium-ion cell",
            False: "the charge that was lost costs no capacity: an excess of lithium",
            None: "the loss in a cycle is too small beside the calibration of the tester, or too few cycles show it",
        }[limited]
        rows.append(finding("lithium_inventory_limits", limited, evidence=evidence, note=note))
    return rows


def failed(found: Failure, limits: Sequence[dict]) -> dict:
    """Return the finding of the failure of a cell."""
    evidence = []
    if found.disturbed:
        evidence.append(item("recovered from, cycle", spans(np.array(found.disturbed))))
    notes = {
        True: f"shown by {found.words}",
        False: f"{found.words} until the last cycle",
        None: found.words,
    }
    cycle = found.cycle
    if found.failed is False:
        cycle = Interval(None, cycle.low)
    return finding("failure_cycle", cycle, unit="1", evidence=evidence, threshold=limits, note=notes[found.failed])


def spans(numbers: np.ndarray) -> str:
    """Return numbers of cycles as text, more than two in a row by the first and the last of them."""
    runs = np.split(numbers, np.flatnonzero(np.diff(numbers) != 1) + 1)
    words = [[str(int(n)) for n in run] if run.size < 3 else [f"{int(run[0])} to {int(run[-1])}"] for run in runs]
    return ", ".join(word for run in words for word in run)


def _current(table: xr.Dataset) -> str:
    own = table.applied.sel(cycle=table.test)
    sizes = [1e3 * float(np.nanmedian(np.abs(own.sel(half=half)))) for half in ("charge", "discharge")]
    return f"{sizes[0]:.3g} and {sizes[1]:.3g}" if abs(sizes[0] / sizes[1] - 1) > 0.05 else f"{sizes[1]:.3g}"


def _first_and_last(table: xr.Dataset) -> str:
    own = table.cycle[table.test.to_numpy()].to_numpy()
    return f"{own[0]} to {own[-1]}"
