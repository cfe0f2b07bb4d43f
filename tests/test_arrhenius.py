"""Straight lines, kinks, jumps and curves over 1/T, against resistances whose course is known."""

from collections.abc import Callable

import numpy as np
import pytest
import xarray as xr
from matplotlib.figure import Figure
from scipy.constants import zero_Celsius

from coldbond.impedance.conductivity import arrhenius, ionic, plots
from coldbond.impedance.conductivity.findings import arrhenius_findings, compared_findings
from coldbond.interval import NORMAL, Interval
from independent import pellets

KELVIN = pellets.CELSIUS + zero_Celsius
QUANTITY = "activation_energy_of_conductivity_times_temperature"


def line(
    course: Callable, seed: int, *, own: float = 0.004, stated: float = 0.3, true: float = 0.3, kelvin=KELVIN
) -> arrhenius.Line:
    rng = np.random.default_rng(seed)
    resistance = (
        50 * course(kelvin + true * rng.normal(size=kelvin.size), rng) * np.exp(own * rng.normal(size=kelvin.size))
    )
    half = np.exp(NORMAL * own)
    return arrhenius.line(kelvin, [Interval(r, r / half, r * half) for r in resistance], stated, 1)


def one(resistance: float, celsius: float, half: float = 0.01) -> ionic.Ionic:
    attrs = dict(sample="pellet", state="pristine", temperature_C=celsius, thickness_cm=0.04, area_cm2=0.785)
    spectrum = xr.Dataset(attrs=attrs)
    return ionic.Ionic(spectrum, None, {}, Interval(resistance, resistance * (1 - half), resistance * (1 + half)))


def heated_over(course: Callable, kelvin: np.ndarray = KELVIN) -> dict[str, ionic.Ionic]:
    rng = np.random.default_rng(0)
    return {f"{t:g}": one(50 * float(course(np.array([t]), rng)[0]), t - zero_Celsius) for t in kelvin}


def rows_of(course: Callable) -> dict[tuple[str, str], dict]:
    heated = heated_over(course)
    rows = arrhenius_findings(arrhenius.lines(heated, 0.3), heated, 0.36, 5e-4, 0.01)
    return {(row["quantity"], row["state"]): row for row in rows}


@pytest.mark.parametrize("points", [4, 6, 8])
def test_a_straight_line_is_called_straight(points):
    """40 lines; of a thermostat as good as is stated 5 % may be called otherwise."""
    lines = [line(pellets.straight, seed, kelvin=KELVIN[:points]) for seed in range(40)]
    assert sum(found.shape.is_straight is not True for found in lines) <= 5
    assert sum(found.shape.is_straight is False for found in lines) <= 2


@pytest.mark.parametrize(("course", "kinds"), [("kink", {"kink"}), ("doubling", {"jump"}), ("curve", {"bend", "kink"})])
def test_what_is_not_straight_is_found_and_where(course, kinds):
    lines = [line(pellets.COURSES[course][0], seed, true=0.1, stated=0.1) for seed in range(20)]
    assert all(found.shape.probability < 0.05 for found in lines)
    named = [found for found in lines if found.shape.kind in kinds]
    assert len(named) >= 17
    if course != "curve":
        assert all(found.shape.first == 4 for found in named)  # between 45 and 55 °C


def test_the_branches_of_a_kink_have_their_energies():
    found = [line(pellets.kinked, seed, true=0.1, stated=0.1) for seed in range(20)]
    branches = [one.branches for one in found if one.branches]
    truths = 0.45, 0.25
    covered = [
        of.energy.low <= truth <= of.energy.high for two in branches for of, truth in zip(two, truths, strict=True)
    ]
    assert np.mean(covered) >= 0.85


def test_points_that_scatter_or_one_that_is_wrong_are_no_verdict():
    """A thermostat twelve times worse than stated; and one spectrum of another contact."""
    worse = [line(pellets.straight, seed, stated=0.05, true=0.6) for seed in range(20)]
    assert sum(found.shape.is_straight is False for found in worse) <= 2
    assert sum(found.shape.kind == "scatter" for found in worse) >= 15

    def other_contact(kelvin: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        return pellets.straight(kelvin, rng) * np.where(kelvin == KELVIN[3], 1.3, 1)

    one_off = line(other_contact, 0, true=0.0)
    assert (one_off.shape.kind, one_off.shape.first, one_off.shape.is_straight) == ("point", 3, None)


def test_a_doubling_has_no_activation_energy_but_those_of_its_branches():
    rows = rows_of(pellets.doubled)
    whole = rows[QUANTITY, "15 to 85 °C"]
    assert whole["value"] is None and "a jump between 45 and 55 °C" in whole["note"]
    straight = rows["straight_over_inverse_temperature", "15 to 85 °C"]
    assert straight["value"] is False and straight["note"] == whole["note"]
    for state in ("15 to 45 °C", "55 to 85 °C"):
        assert rows[QUANTITY, state]["low"] < 0.36 < rows[QUANTITY, state]["high"]
    at_room = rows["ionic_conductivity_on_the_line", "25 °C"]
    assert at_room["low"] < 0.04 / 0.785 / 50 / pellets.straight(np.array([298.15]), None)[0] < at_room["high"]


def test_a_curve_is_described_by_its_ends():
    rows = rows_of(pellets.curved)
    note = rows[QUANTITY, "15 to 85 °C"]["note"]
    assert rows[QUANTITY, "15 to 85 °C"]["value"] is None and "the activation energy changes from" in note
    assert rows["ionic_conductivity_on_the_line", "25 °C"]["value"] is None


def test_too_few_temperatures_are_no_verdict():
    heated = heated_over(pellets.straight, KELVIN[:3])
    rows = arrhenius_findings(arrhenius.lines(heated, 0.3), heated, 0.36, 5e-4, 0.01)
    (straight,) = [row for row in rows if row["quantity"] == "straight_over_inverse_temperature"]
    assert straight["value"] is None and "3 points at 3 temperatures, 4 at 3 are needed" in straight["note"]


def test_the_spectrum_at_room_temperature_is_held_against_the_line():
    """The same pellet; one whose resistance has grown by 30 %; one of another thickness; one of unknown temperature."""
    lines = arrhenius.lines(heated_over(pellets.straight), 0.3)
    room = 50 * float(pellets.straight(np.float64(298.15), None))
    same, aged, thicker, unknown = (
        one(r, t) for r, t in ((room, 25.0), (1.3 * room, 25.0), (room, 25.0), (room, np.nan))
    )
    thicker.spectrum.attrs["thickness_cm"] = 0.05
    found = [compared_findings(lines, {"pellet": of}, 0.3)[0] for of in (same, aged, thicker, unknown)]
    assert [row["value"] for row in found] == [True, False, None, None]
    (ratio,) = found[1]["evidence"]
    assert ratio["low"] < 1 / 1.3 < ratio["high"] < 1
    assert (
        "were not the same" in found[1]["note"]
        and "thickness" in found[2]["note"]
        and "temperature_C" in found[3]["note"]
    )
    assert compared_findings(arrhenius.lines({}, 0.3), {"pellet": same}, 0.3) == []


@pytest.mark.parametrize("course", pellets.COURSES)
def test_every_course_is_drawn(course):
    heated = {
        f"{t:g}": one(50 * float(pellets.COURSES[course][0](np.array([t]), None)[0]), t - zero_Celsius) for t in KELVIN
    }
    lines = arrhenius.lines(heated, 0.3)
    fig = Figure(figsize=(7, 3), layout="constrained")
    plots.draw(fig, {}, lines, {})
    drawn = [curve for ax in fig.axes for curve in ax.get_lines() if curve.get_label().endswith(", line")]
    assert len(drawn) == {"kink": 2, "doubling": 2}.get(course, 1)
    assert all((curve.get_linestyle() == "--") == (course == "curve") for curve in drawn)
    fig.draw_without_rendering()
