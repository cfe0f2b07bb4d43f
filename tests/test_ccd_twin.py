"""The critical current density of the twin's cells, whose physics the analysis does not know."""

from dataclasses import replace

import pytest

from cells import dataset
from coldbond.cells import ccd
from twin import cells
from twin.symmetric import ccd_run
from twin.tester import Cycler

RT, HT, IN, LLZ = cells.RT_MCL_LLZ, cells.HT_MCL_LLZ, cells.IN_LLZ, cells.LLZ


@pytest.mark.parametrize(
    ("run", "answer", "failures"),
    [
        (dict(ccd=0.4, cell=LLZ), (0.4, 0.4, 0.5), {0.5: "hard short"}),
        (dict(ccd=2.1, cell=replace(RT, void_current=2.3)), (2.1, 2.1, 2.2), {2.2: "hard short"}),
        (dict(ccd=None, cell=replace(RT, void_current=4)), (2.5, 2.5, None), {}),
        (dict(ccd=0, cell=LLZ, hard_at=0.0), (None, 0.0, 0.1), {0.1: "hard short"}),
        (dict(ccd=0.6, cell=IN, soft_at=0.1, hard_at=1.2), (0.6, 0.6, 0.7), {0.7: "soft short", 0.8: "hard short"}),
        (dict(ccd=None, cell=HT, contact_loss=1.0), (0.9, 0.9, 1.0), {1.0: "voltage limit"}),
        (dict(ccd=0.35, cell=IN, step=0.05, half_cycle=1800, rest=300), (0.35, 0.35, 0.4), {0.4: "hard short"}),
        (dict(ccd=0.5, cell=RT, cycler=Cycler(every=10, dv=0.005, voltage_noise=2e-3)), (0.5, 0.5, 0.6), {}),
        (dict(ccd=0.5, cell=RT, cycler=Cycler(every=10, dv=0.005, lost=300)), (0.5, 0.5, 0.6), {}),
    ],
    ids=[
        "0.4",
        "2.1",
        "never",
        "from the start",
        "soft before hard",
        "voltage limit",
        "steps of 0.05",
        "noise",
        "lost",
    ],
)
@pytest.mark.parametrize("seed", [0, 1])
def test_ccd_of_the_twin(run, answer, failures, seed):
    records = ccd_run(**run, seed=seed)
    steps = ccd.steps(dataset(records["time"], records["voltage"], records["current"]))
    assert tuple(ccd.critical_current_density(steps)) == answer
    kinds = dict(zip(steps.setpoint.to_numpy(), steps.kind.to_numpy(), strict=True))
    assert {density: kinds[density] for density in failures} == failures
