"""The role that the data of a cycler's recording show, on cells that share nothing with lib/twin."""

import numpy as np
import pytest

from coldbond.cli.protocols import protocol
from protocol_cells import Cell, Step, cycles, run, square, symmetric

C = 1e-3  # A, the current that charges the cell in one hour


def ccd(step=0.05e-3, levels=12, seconds=600.0, rest=0.0, count=2):
    return [one for n in range(1, levels + 1) for one in square(n * step, seconds, count, rest)]


def one_way(levels: int) -> list[Step]:
    return [one for n in range(1, levels + 1) for one in (Step(n * 1e-4, 600.0), Step(0.0, 60.0))]


def held() -> list[Step]:
    volts = [3.0 + n / 10 for n in (*range(1, 9), *range(7, 0, -1))] * 2
    return [one for value in volts for one in (Step(0.0, 60.0), Step(held=value, seconds=3600.0))]


CASES = {
    "ccd of 0.05 steps": (symmetric, ccd(), "ccd"),
    "ccd of 0.1 steps, rests": (symmetric, ccd(0.1e-3, 10, rest=60.0), "ccd"),
    "ccd of hours": (symmetric, ccd(0.1e-3, 8, seconds=3600.0), "ccd"),
    "ccd, three cycles a step": (symmetric, ccd(0.1e-3, 8, count=6), "ccd"),
    "ccd after ten formation cycles": (symmetric, square(0.05e-3, 1800.0, 20) + ccd(0.1e-3, 8), "ccd"),
    "ccd after formation above its first step": (symmetric, square(0.2e-3, 1800.0, 6) + ccd(0.1e-3, 8), "ccd"),
    "ccd, then back to a low current": (symmetric, ccd(0.1e-3, 8) + square(0.1e-3, 600.0, 4), "ccd"),
    "ccd in one direction": (symmetric, one_way(8), "ccd"),
    "ccd of four steps": (symmetric, ccd(0.2e-3, 4), "ccd"),
    "long cycling": (symmetric, square(0.2e-3, 3600.0, 200), "long-cycling"),
    "long cycling, rests": (symmetric, square(0.2e-3, 1800.0, 60, rest=300.0), "long-cycling"),
    "long cycling, another current at 300 h": (
        symmetric, square(0.2e-3, 3600.0, 300) + square(0.4e-3, 3600.0, 100), "long-cycling",
    ),
    "long cycling at four currents for 100 h each": (
        symmetric, [one for n in (1, 2, 3, 5) for one in square(n * 1e-4, 3600.0, 100)], "long-cycling",
    ),
    "long cycling after three activation steps": (
        symmetric, [one for n in (1, 2, 3) for one in square(n * 1e-4, 3600.0, 4)] + square(5e-4, 3600.0, 300),
        "long-cycling",
    ),
    "full cell": (Cell, cycles(C / 5, C / 5, 12), "full-cell"),
    "full cell, constant voltage at the top": (Cell, cycles(C / 2, C / 2, 12, hold=True, rest=300.0), "full-cell"),
    "full cell, one formation cycle at C/20 then C/3": (
        Cell, cycles(C / 20, C / 20, 1) + cycles(C / 3, C / 3, 20), "full-cell",
    ),
    "full cell, two formation cycles at C/20, two at C/10, then C/3": (
        Cell, cycles(C / 20, C / 20, 2) + cycles(C / 10, C / 10, 2) + cycles(C / 3, C / 3, 30), "full-cell",
    ),
    "full cell with a check at C/10 every ten cycles": (
        Cell, (cycles(C / 10, C / 10, 1) + cycles(C / 2, C / 2, 10)) * 4, "full-cell",
    ),
    "full cell, slow charge and fast discharge": (Cell, cycles(C / 5, C / 2, 12), "full-cell"),
    "half cell, discharge first": (
        lambda: Cell(low=0.05, high=0.6, charge=1e-3), cycles(C / 5, C / 5, 8, low=0.1, high=0.9, first="discharge"),
        "full-cell",
    ),
    "rate test back to C/10": (
        Cell, [one for n in (0.1, 0.2, 0.5, 1.0, 2.0, 0.1) for one in cycles(n * C, n * C, 5)], "rate",
    ),
    "rate test, charge always at C/5": (
        Cell, [one for n in (0.2, 0.5, 1.0, 2.0) for one in cycles(C / 5, n * C, 3, hold=True)], "rate",
    ),
    "rate test of the charge": (Cell, [one for n in (0.2, 0.5, 1.0, 2.0) for one in cycles(n * C, C / 5, 3)], "rate"),
    "two rates, five cycles each": (Cell, cycles(C / 10, C / 10, 5) + cycles(C, C, 5), "rate"),
    "rate test after formation": (
        Cell, cycles(C / 20, C / 20, 2) + [one for n in (0.2, 0.5, 1.0) for one in cycles(n * C, n * C, 5)], "rate",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_the_role_that_the_data_show(name: str):
    cell, steps, role = CASES[name]
    assert protocol(run(cell(), steps)).possible == (role,)


def gitt() -> list[Step]:
    up = [Step(C / 10, 1200), Step(0.0, 3600)] * 25
    return [*up, *[Step(-one.current, one.seconds) for one in up]] * 3


NEITHER = {
    "pseudo-OCV": (Cell, cycles(C / 20, C / 20, 1), "pseudo-OCV"),
    "GITT": (Cell, gitt(), "pulses"),
    "constant voltage in steps": (
        Cell, held(), "constant voltage",
    ),
    "open circuit": (Cell, [Step(0.0, 36000)], "open circuit"),
    "charge alone": (Cell, [Step(C / 5, cutoff=4.1)], "charge only"),
    "short pulses": (Cell, [Step(0.0, 60), Step(C, 10), Step(0.0, 40), Step(-C, 10)] * 6, "pulses"),
}  # fmt: skip


@pytest.mark.parametrize("name", NEITHER)
def test_what_no_figure_uses_is_named(name: str):
    cell, steps, word = NEITHER[name]
    half_full = cell()
    half_full.charge = 0.4e-3 if name in ("short pulses", "constant voltage in steps") else 0.0
    found = protocol(run(half_full, steps))
    assert found.possible == ()
    assert word in found.what


@pytest.mark.parametrize(
    ("cell", "steps", "roles"),
    [
        (symmetric, square(0.2e-3, 600.0, 3), {"ccd", "long-cycling"}),
        (Cell, cycles(C / 2, C / 2, 2), {"full-cell", "rate"}),
    ],
)
def test_what_is_too_short_is_left_open(cell, steps, roles):
    assert {*protocol(run(cell(), steps)).possible} == roles


def test_a_short_does_not_hide_the_protocol():
    recording = run(symmetric(), ccd(0.1e-3, 10))
    recording.voltage[recording.sizes["record"] // 2 :] *= 0.02
    assert protocol(recording).possible == ("ccd",)


def test_the_offset_of_a_tester_does_not_hide_a_symmetric_cell():
    recording = run(symmetric(), square(0.2e-3, 3600.0, 50))
    recording["voltage"] = recording.voltage + 0.005
    assert protocol(recording).possible == ("long-cycling",)


def test_a_finely_rounded_current_does_not_make_steps():
    recording = run(symmetric(), square(0.2e-3, 1800.0, 60))
    recording["current"] = np.round(recording.current, 5).assign_attrs(recording.current.attrs | {"resolution": 1e-5})
    assert protocol(recording).possible == ("long-cycling",)
