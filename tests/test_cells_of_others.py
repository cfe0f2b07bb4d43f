"""A folder of recordings with cells of other labs: every figure is drawn, and says the right thing of each cell."""

import json
from pathlib import Path

import pytest

import closure
import independent
from coldbond.build import figures_table
from coldbond.bundle import manifest, paths
from in_process import executed

#: What is odd with each cell, and the kind of tests/independent that it is a realisation of.
CELLS = {
    "dead": "shorts/ccd-dead",
    "thin": "shorts/ccd-thin",
    "held voltage": "shorts/ccd-voltage-held",
    "formation": "full_cells/checked up",
    "missing cycles": "full_cells/lost cycles",
    "tail": "interfaces/interface: diffusion tail",
    "leak": "interfaces/interface: leak",
}
SEED = 5


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Return truths, findings and pictures of a folder that holds all of the cells."""
    folder, out = tmp_path_factory.mktemp("their raw"), tmp_path_factory.mktemp("figures")
    made, truths = [], {}
    for sample, kind in CELLS.items():
        case = closure.kinds()[kind](SEED)
        assert len({one.sample for one in case.made}) == 1
        made += [one._replace(sample=sample) for one in case.made]
        truths |= {(sample, *key[1:]): true for key, true in case.truths.items()}
    independent.write_raw(independent.Case(made, truths), folder)
    found = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(paths, "RAW", folder)
        for figure, plan in figures_table.plan(closure.TABLE, manifest.rows(folder), of_paper=False).items():
            if not plan.missing:
                executed(figure, out, patch, **plan.parameters)
                numbers = json.loads((out / f"{figure}.json").read_text(encoding="utf-8"))
                assert not numbers.get("left_out"), figure
                found += numbers["values"]
    return truths, found, out


def test_every_figure_is_drawn(built):
    *_, out = built
    drawn = {path.stem for path in Path(out).glob("*.png")}
    assert drawn == {"fig4b", "fig4e", "fig4f", "figS18", "figS3"}


@pytest.mark.parametrize("sample", CELLS)
def test_each_cell_is_called_what_it_is(built, sample):
    truths, found, _ = built
    of_cell = {key: true for key, true in truths.items() if key[0] == sample}
    rows = {(row["sample"], row["state"], row["quantity"]): row for row in found}
    said = {key: closure.verdict(true, rows.get(key)) for key, true in of_cell.items()}
    assert set(said.values()) == {"right"}, said
