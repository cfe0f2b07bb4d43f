"""Findings of symmetric cells that were cycled over hundreds of hours."""

from collections.abc import Mapping

import xarray as xr

from coldbond.bundle.findings import finding, whose
from coldbond.cells import long_cycling

#: Unit of what `long_cycling.means` returns, and over which part of the half cycles it is taken.
MEANS = {
    "overpotential": ("mV", "middle half of the half cycles; mean"),
    "overpotential_at_start": ("mV", "from 2 to 10 % of the half cycles; mean"),
    "overpotential_at_end": ("mV", "last 5 % of the half cycles; mean"),
    "hysteresis": ("mV", "between the plateaus of the two directions; mean"),
    "area_specific_resistance": ("ohm cm2", "middle half of the half cycles; mean"),
    "drift": ("mV per 1000 h", "slope of the plateau overpotential"),
}


def findings(
    recordings: Mapping[str, xr.Dataset],
    half_cycles: Mapping[str, xr.Dataset],
    settling: int = 50,
    tester_uncertainty: float = 0.001,
    area_uncertainty: float = 0.02,
) -> list[dict]:
    """Return time to failure, overpotential, resistance and drift, and the charge passed.

    Parameters
    ----------
    recordings : mapping of str to xarray.Dataset
        As `raw.recordings` returns them.
    half_cycles : mapping of str to xarray.Dataset
        From `long_cycling.half_cycles`, with the same keys.
    settling : int
        Cycles at the beginning that means and drift leave out while the interface settles; a test of less than twice as
        many is taken whole.
    tester_uncertainty, area_uncertainty : float
        Relative standard uncertainties of the tester's voltage and current, and of the electrode area.

    Returns
    -------
    list of dict
        As `bundle.findings.finding` returns them.
    """
    found = []
    for label, recording in recordings.items():
        found += of_cell(recording, half_cycles[label], settling, tester_uncertainty, area_uncertainty)
    return found


def of_cell(
    recording: xr.Dataset,
    half_cycles: xr.Dataset,
    settling: int = 50,
    tester_uncertainty: float = 0.001,
    area_uncertainty: float = 0.02,
) -> list[dict]:
    """Return the findings of one cell, as `findings` does of several."""
    tester, area = tester_uncertainty, area_uncertainty
    pairs = long_cycling.overpotentials(half_cycles)
    settled = long_cycling.after_settling(pairs, settling)
    over = f"after the first {settling} cycles" if settled.sizes["pair"] < pairs.sizes["pair"] else "over all cycles"
    failure = long_cycling.first_failure(half_cycles)
    until = "the end of the test" if failure is None else "the failure"
    means = long_cycling.means(settled, tester, area) if settled.sizes["pair"] > 1 else {}
    rows = [
        finding(
            "time_to_failure",
            long_cycling.time_to_failure(recording, half_cycles),
            unit="h",
            note=_mode_of_failure(half_cycles, failure),
        ),
        *(
            finding(quantity, value, unit=MEANS[quantity][0], note=f"{MEANS[quantity][1]} {over}")
            for quantity, value in means.items()
            if value.is_bounded
        ),
        finding(
            "charge_passed",
            long_cycling.charge_until_failure(recording, half_cycles, tester, area),
            unit="mAh/cm2",
            note=f"both directions added up, until {until}",
        ),
    ]
    return [row | whose(recording) for row in rows]


def _mode_of_failure(half_cycles: xr.Dataset, failure: int | None) -> str:
    if failure is None:
        return "no failure: the duration of the test is a lower bound"
    kinds = dict.fromkeys(half_cycles.kind.to_numpy()[failure:])
    return ", then ".join(kind for kind in kinds if kind not in ("sustained", "unfinished"))
