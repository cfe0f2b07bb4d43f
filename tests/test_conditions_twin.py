"""Three cells of each of two samples, from their files to mean, median and comparison, against the truth."""

from functools import partial

import pytest

from coldbond.bundle import conditions, manifest, paths, raw
from coldbond.bundle.findings import whose
from coldbond.cells import capacity
from coldbond.cells.findings import ccd as ccd_findings
from coldbond.cells.findings import full_cell as full_cell_findings
from coldbond.survey import cell
from coldbond.survey import conditions as survey_conditions
from twin import full_cell, land, many, symmetric
from twin.cells import IN_LLZ
from twin.full_cell import FullCell
from twin.manifest import write_manifest
from twin.recording import Recording
from twin.tester import Cycler

#: The last step that each cell holds, mA/cm2, and its first capacity, mAh/g: the cells of a sample scatter.
CCD = {"bare": (0.3, 0.4, 0.3), "coated": (1.1, 0.9, 1.0)}
CAPACITY = {"bare": (131.0, 128.0, 134.0), "coated": (164.0, 161.0, 166.0)}
TRUE_MASS = (1.01, 0.99, 1.0)  # of the weighed one


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder of twelve cells, of which the second bare full cell is damaged."""
    folder = tmp_path_factory.mktemp("replicates")
    (folder / "cycling").mkdir()
    recordings = []
    for sample in CCD:
        for n, (density, capacity_, mass) in enumerate(zip(CCD[sample], CAPACITY[sample], TRUE_MASS, strict=True)):
            run = partial(symmetric.ccd_run, density, IN_LLZ, last=1.6, cycler=Cycler(every=30.0))
            recordings.append(_recording("ccd", sample, n, run, many.CELL))
            one = FullCell(capacity=capacity_, retention=0.9, retention_cycle=12, mass=many.MASS * mass)
            run = partial(full_cell.run, [0.2] * 12, one, cycler=Cycler(every=300.0, dv=0.02))
            constants = many.CELL | {"active_mass_mg": str(many.MASS)}
            recordings.append(_recording("full-cell", sample, n, run, constants))
    for one in recordings:
        one.write(folder)
    write_manifest(folder, recordings)
    return folder


def _recording(role, sample, n, run, constants):
    file = f"cycling/{role}-{sample}-{n}.csv"
    columns = {**constants, "active_mass_mg": constants.get("active_mass_mg", ""), "replicate": str(n + 1)}
    return Recording(file, "cycling", role, sample, "pristine", run, land.landt_csv, "three cells", columns)


def holds(row, truth):
    return (row["low"] is None or row["low"] <= truth) and (row["high"] is None or truth <= row["high"])


def test_conditions_hold_the_truth_of_their_samples(folder, monkeypatch):
    monkeypatch.setattr(paths, "RAW", folder)
    cells = raw.recordings("ccd")
    assert [len(labels) for labels in conditions.groups(cells).values()] == [3, 3]
    values = [row | whose(one) for one in cells.values() for row in ccd_findings.findings({"": one})]
    found = {(row["quantity"], row["sample"]): row for row in conditions.findings(values)}
    for sample, steps in CCD.items():
        row = found["critical_current_density", sample]
        assert (row["n"], row["median"]) == (3, sorted(steps)[1])
        assert holds(row, sorted(steps)[1] + 0.05)  # a cell that holds 0.3 and not 0.4 mA/cm2 fails somewhere between
    ratio = found["critical_current_density_over_bare", "coated"]
    assert ratio["higher"] is True and holds(ratio, 1.05 / 0.38)

    values = [
        row | whose(one)
        for one in raw.recordings("full-cell").values()
        for row in full_cell_findings.findings(capacity.cycles(one))
    ]
    found = {(row["quantity"], row["sample"]): row for row in conditions.findings(values)}
    for sample, capacities in CAPACITY.items():
        row = found["discharge_capacity_first_cycle", sample]
        assert row["n"] == 3 and holds(row, sum(capacities) / 3)
        assert row["mean"] == pytest.approx(sum(capacities) / 3, rel=0.02)
        assert row["high"] - row["mean"] > 0.03 * row["mean"]  # the mass, 2 %, may be off alike in all of them
        assert found["retention_against_first", sample]["mean"] == pytest.approx(90.0, abs=0.5)
    assert found["discharge_capacity_first_cycle_over_bare", "coated"]["higher"] is True
    assert found["retention_against_first_minus_bare", "coated"]["higher"] is None


def test_the_survey_counts_the_cells_that_could_be_analysed(folder, tmp_path):
    damaged = folder / "cycling" / "full-cell-bare-1.csv"
    text = damaged.read_text()
    try:
        damaged.write_text(text.replace("0.", "0.0", 1))
        listed = [one for one in manifest.rows(folder) if one["role"] in cell.ANALYSES]
        rows, found = zip(*(cell.row(one, str(folder)) for one in listed), strict=True)
    finally:
        damaged.write_text(text)
    table, comparisons = survey_conditions.added(listed, rows, found)
    assert [row["kind"] for row in table] == 12 * ["cell"] + 4 * ["condition"]
    assert all(set(row) <= set(survey_conditions.WITH_CONDITIONS) for row in table)
    assert [row["replicate"] for row in table[:4]] == ["1", "1", "2", "2"]
    of = {(row["role"], row["sample"]): row for row in table[12:]}
    assert of["ccd", "bare"]["n"] == "3" and of["ccd", "bare"]["critical_current_density_mA_cm2_sd"] == "0.0577"
    assert of["full-cell", "bare"]["n"] == "2" and of["full-cell", "coated"]["n"] == "3"
    assert "1 of 3 cells failed and not counted: replicate 2" in of["full-cell", "bare"]["note"]
    assert "failed" in table[3] and "failed" not in of["full-cell", "bare"]
    assert float(of["full-cell", "coated"]["first_capacity"]) == pytest.approx(163.7, rel=0.02)
    assert of["full-cell", "coated"]["capacity_unit"] == "mAh/g"
    (ccd,) = [one for one in comparisons if one["role"] == "ccd"]
    assert (ccd["sample"], ccd["against"], ccd["higher"], ccd["unit"]) == ("coated", "bare", "yes", "1")
    assert all(set(one) == set(survey_conditions.COMPARISON) for one in comparisons)

    plain = [one | {"replicate": ""} for one in listed]
    assert survey_conditions.added(plain, rows, found) == (list(rows), [])
