"""The default circuits on cells whose low-frequency end is diffusion or a porous electrode, none of them a circuit."""

import pytest

from coldbond.impedance import circuits, fit, intervals
from independent.impedance_tails import KINDS

BOUNDARY, DRIFT = 1e-8, 1e-3  # the electrolyte of these cells is a resistor
FULL = "tail: porous electrode"
TWO, WALL, INFINITE = (
    f"tail: {name}" for name in ("diffusion between two electrodes", "diffusion to a wall", "semi-infinite diffusion")
)


@pytest.mark.parametrize(("kind", "seed"), [(TWO, 0), (WALL, 0), (WALL, 1), (INFINITE, 0), (FULL, 0)])
def test_interface_beside_a_tail(kind, seed):
    """Without diffusion in the circuits it had no bounds, or an interval that held the diffusion as well."""
    case = KINDS[kind](seed)
    results = fit.candidates(case.made[0].recording, circuits.FULL_CELL if kind == FULL else circuits.SYMMETRIC)
    for part in ("interface", "total"):
        (truth,) = (value for key, value in case.truths.items() if key[-1] == f"{part}_resistance")
        value, low, high = intervals.of_part(results, part, BOUNDARY, DRIFT)
        assert low <= truth <= high
        assert low <= value <= high <= 1.3 * low


def test_a_loop_asks_for_no_diffusion():
    assert not fit.asks_for_diffusion(KINDS["tail: inductive loop"](0).made[0].recording)
