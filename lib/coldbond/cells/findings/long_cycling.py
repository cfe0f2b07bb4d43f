"""Findings of symmetric cells that were cycled over hundreds of hours."""

from collections.abc import Mapping

import xarray as xr

from coldbond.bundle.findings import finding, item, whose
from coldbond.cells import long_cycling
from coldbond.cells.findings.ccd import THRESHOLDS
from coldbond.cells.shorts import CONDUCTIVITY, METALLIC, RETAINED

#: Unit of what `long_cycling.means` returns, and over which part of the half cycles it is taken.
MEANS = {
    "overpotential": ("mV", "middle half of the half cycles; mean"),
    "overpotential_at_start": ("mV", "from 2 to 10 % of the half cycles; mean"),
    "overpotential_at_end": ("mV", "last 5 % of the half cycles; mean"),
    "hysteresis": ("mV", "between the plateaus of the two directions; mean"),
    "area_specific_resistance": ("ohm cm2", "middle half of the half cycles; mean"),
    "drift": ("mV per 1000 h", "slope of the plateau overpotential against the hours of current"),
}

#: Share of the overpotential that the drift takes away until the end, from which on the life is doubted in words: the
#: least loss that a record of a short shows (`verdicts.INTACT_SHARE`).
NOTED_LOSS = 0.1


def findings(
    recordings: Mapping[str, xr.Dataset],
    half_cycles: Mapping[str, xr.Dataset],
    settling: int = 50,
    tester_uncertainty: float = 0.001,
    area_uncertainty: float = 0.02,
    retained: float = RETAINED,
    metallic: float = METALLIC,
    conductivity: float = CONDUCTIVITY,
) -> list[dict]:
    """Return time to failure, overpotential, resistance and drift, and the charge passed.

    Parameters
    ----------
    recordings : mapping of str to xarray.Dataset
        As `raw.recordings` returns them.
    half_cycles : mapping of str to xarray.Dataset
        From `long_cycling.half_cycles`, with the same keys.
    settling : int
        Cycles at the beginning of a stretch of one current that means and drift leave out while the interface settles;
        a stretch of less than twice as many is taken whole.
    tester_uncertainty, area_uncertainty : float
        Relative standard uncertainties of the tester's voltage and current, and of the electrode area.
    retained, metallic, conductivity : float
        Thresholds that gave the half cycles.

    Returns
    -------
    list of dict
        As `bundle.findings.finding` returns them. Where the current changes during the test, each stretch has rows of
        its own, such as `overpotential_at_0.5_mA_cm2`; the rows without a current are of the longest stretch, but for
        life and charge, which are of the whole test.
    """
    choices = (settling, tester_uncertainty, area_uncertainty, retained, metallic, conductivity)
    return [row for label, one in recordings.items() for row in of_cell(one, half_cycles[label], *choices)]


def of_cell(
    recording: xr.Dataset,
    half_cycles: xr.Dataset,
    settling: int = 50,
    tester_uncertainty: float = 0.001,
    area_uncertainty: float = 0.02,
    retained: float = RETAINED,
    metallic: float = METALLIC,
    conductivity: float = CONDUCTIVITY,
) -> list[dict]:
    """Return the findings of one cell, as `findings` does of several."""
    uncertainties = tester_uncertainty, area_uncertainty
    thresholds = {"retained": retained, "metallic": metallic, "conductivity": conductivity}
    stretches = long_cycling.stretches(half_cycles)
    main = long_cycling.longest(half_cycles)
    several = len(stretches) > 1
    failure = long_cycling.first_failure(half_cycles)
    at_main = f"at {_density(main)}, the longest stretch; " if several else ""
    averages = _means(half_cycles, main, settling, uncertainties, at_main)
    life = finding(
        "time_to_failure",
        long_cycling.time_to_failure(recording, half_cycles),
        unit="h",
        evidence=[
            item("time on the clock", long_cycling.clock_time_to_failure(recording, half_cycles), "h"),
            *_standstills(half_cycles),
        ],
        threshold=[item(THRESHOLDS[name][0], value, THRESHOLDS[name][1]) for name, value in thresholds.items()],
        alternatives=[
            _alternative(one) for one in long_cycling.with_other_thresholds(recording, half_cycles, **thresholds)
        ],
        note="; ".join([_mode_of_failure(half_cycles, failure), *_doubts(half_cycles, averages)]),
    )
    until = "the end of the test" if failure is None else "the failure"
    passed = finding(
        "charge_passed",
        long_cycling.charge_until_failure(recording, half_cycles, *uncertainties),
        unit="mAh/cm2",
        note=f"both directions added up, until {until}",
    )
    rows = [life, *averages, passed]
    for number, stretch in enumerate(stretches if several else [], start=1):
        rows += _of_stretch(recording, half_cycles, stretch, stretches[: number - 1], settling, uncertainties)
    return [row | whose(recording) for row in rows]


def _of_stretch(
    recording: xr.Dataset,
    half_cycles: xr.Dataset,
    stretch: long_cycling.Stretch,
    before: list[long_cycling.Stretch],
    settling: int,
    uncertainties: tuple[float, float],
) -> list[dict]:
    """Return the findings of one of several stretches of constant current."""
    failure = long_cycling.first_failure(half_cycles)
    if failure is not None and failure < stretch.first:
        return []
    again = sum(_density(one) == _density(stretch) for one in before)
    name = f"_at_{_density(stretch).replace(' ', '_').replace('/', '_')}" + (f"_stretch_{again + 1}" if again else "")
    survived = failure is None or failure > stretch.last
    words = f"at {_density(stretch)}; "
    rows = [
        finding(
            "time_to_failure",
            long_cycling.time_to_failure(recording, half_cycles, stretch),
            unit="h",
            note=f"hours of current {words}{'no failure at this current' if survived else 'until the failure'}",
        ),
        *_means(half_cycles, stretch, settling, uncertainties, words),
        finding(
            "charge_passed",
            long_cycling.charge_until_failure(recording, half_cycles, *uncertainties, stretch),
            unit="mAh/cm2",
            note=f"{words}both directions added up",
        ),
    ]
    return [row | {"quantity": row["quantity"] + name} for row in rows]


def _means(
    half_cycles: xr.Dataset,
    stretch: long_cycling.Stretch,
    settling: int,
    uncertainties: tuple[float, float],
    words: str,
) -> list[dict]:
    pairs = long_cycling.overpotentials(half_cycles, stretch)
    settled = long_cycling.after_settling(pairs, settling)
    if settled.sizes["pair"] < 2:
        return []
    every = long_cycling.overpotentials(half_cycles, stretch, doubted=True)
    further = every.sizes["pair"] - pairs.sizes["pair"]
    over = f"over the {pairs.sizes['pair']} cycles before a short may have begun" if further else "over all cycles"
    if settled.sizes["pair"] < pairs.sizes["pair"]:
        over = f"after the first {settling} cycles" + (" until a short may have begun" if further else "")
    if further:
        over += f"; the interval holds the value with the {further} further cycles of which that cannot be told"
    return [
        finding(quantity, value, unit=MEANS[quantity][0], note=f"{words}{MEANS[quantity][1]} {over}")
        if value.value is not None
        else finding(quantity, value, unit=MEANS[quantity][0], note=f"{words}no records there: {MEANS[quantity][1]}")
        for quantity, value in long_cycling.averages(half_cycles, stretch, settling, *uncertainties).items()
        if value.is_bounded or value.value is None
    ]


def _density(stretch: long_cycling.Stretch) -> str:
    return f"{stretch.density:.3g} mA/cm2"


def _alternative(one: long_cycling.Alternative) -> dict:
    name, unit = THRESHOLDS[one.threshold]
    return item(" ".join(filter(None, [name, f"{one.value:.2g}", unit])), one.life, "h")


def _standstills(half_cycles: xr.Dataset) -> list[dict]:
    """Return hours without records: those in which the tester stood still, and those that cannot be told."""
    undecided = float((half_cycles.undecided + half_cycles.lost_undecided).sum()) / 3600
    lost = float(half_cycles.lost.sum()) / 3600
    found = []
    if lost > 0.1:
        found.append(item("current went on without records for", lost, "h"))
    if undecided:
        found.append(item("without records, and whether the current went on cannot be told, for", undecided, "h"))
    return found


def _doubts(half_cycles: xr.Dataset, averages: list[dict]) -> list[str]:
    """Return in words that the overpotential falls so far that the failure may have begun before it was found."""
    by = {row["quantity"]: row for row in averages}
    if "drift" not in by or not by["overpotential"]["value"]:
        return []
    hours = float(half_cycles.flowed.sum()) / 3600
    drift, level = by["drift"], by["overpotential"]["value"]
    if drift["high"] is None or drift["high"] >= 0 or -drift["value"] * hours / 1000 < NOTED_LOSS * level:
        return []
    share = 100 * -drift["value"] * hours / 1000 / level
    return [
        f"the overpotential drifts by {drift['value']:g} mV per 1000 h, {share:.0f} % of it over the test: an "
        "electronic path may have grown before the failure was found"
    ]


def _mode_of_failure(half_cycles: xr.Dataset, failure: int | None) -> str:
    if failure is None:
        return "no failure: the hours of current are a lower bound"
    kinds = dict.fromkeys(half_cycles.kind.to_numpy()[failure:])
    mode = ", then ".join(kind for kind in kinds if kind not in ("sustained", "unfinished"))
    return f"{mode}: {half_cycles.reason.to_numpy()[failure]}"
