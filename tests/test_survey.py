"""The table of many cells: one row each, with intervals that contain the true values, or why it failed."""

import csv
import dataclasses

import pytest

from coldbond.bundle import manifest
from coldbond.survey import cell
from twin import many
from twin.manifest import write_manifest

#: Quantity in the twin: column of the table.
NAMES = {
    "critical_current_density": "critical_current_density_mA_cm2",
    "lifetime": "lifetime_h",
    "first_capacity": "first_capacity",
    "retention": "retention_percent",
}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Return a folder of nine cells, of which the last three are damaged, and their true values by file."""
    folder = tmp_path_factory.mktemp("many")
    (folder / "cycling").mkdir()
    cells = list(many.recordings(9))
    for recording, _ in cells:
        recording.write(folder)
    other = dataclasses.replace(cells[0][0], role="rate", sample="other")
    write_manifest(folder, [*(recording for recording, _ in cells), other])
    for n, damage in ((6, ("voltage_V", "voltage")), (7, (",charge CC,\n", ",charge\n")), (8, ("0.", "0.0"))):
        path = folder / cells[n][0].file
        path.write_text(path.read_text().replace(*damage, 1))
    text = (folder / "manifest.csv").read_text().splitlines()
    for n in (7, 8):  # the first two damaged files have no sha256
        text[n] = text[n].replace(text[n].split(",")[6], "")
    (folder / "manifest.csv").write_text("\n".join(text) + "\n")
    return folder, {recording.file: truth for recording, truth in cells}


def test_rows_contain_the_true_values_or_the_reason_of_a_failure(written):
    folder, truths = written
    listed = [row for row in manifest.rows(folder) if row["role"] in cell.ANALYSES]
    rows = [cell.row(one, str(folder))[0] for one in listed]
    assert [row["file"] for row in rows] == list(truths)
    assert all(set(row) <= set(cell.COLUMNS) for row in rows)
    for row in rows[:6]:
        assert "failed" not in row and row["note"]
        for quantity, truth in truths[row["file"]].items():
            name = NAMES[quantity]
            if truth is None:
                assert name not in row and f"{name}_high" not in row and float(row[f"{name}_low"]) >= 200
            else:
                assert float(row[f"{name}_low"]) <= truth <= float(row[f"{name}_high"])
    assert [row["failed"].split(": ", 2)[1] for row in rows[6:8]] == [
        "ccd-cell-007.csv, line 7",
        "long-cycling-cell-008.csv, line 14",
    ]
    assert "the manifest states" in rows[8]["failed"] and not any("note" in row for row in rows[6:])


def test_a_cell_without_area_or_mass_says_so(written):
    folder, _ = written
    of_ccd, _, of_full_cell = manifest.rows(folder)[:3]
    assert "area_cm2 of manifest.csv" in cell.row(of_ccd | {"area_cm2": ""}, str(folder))[0]["failed"]
    assert cell.row(of_full_cell, str(folder))[0]["capacity_unit"] == "mAh/g"
    assert cell.row(of_full_cell | {"active_mass_mg": ""}, str(folder))[0]["capacity_unit"] == "mAh"


def test_a_worker_with_another_version_of_the_library_refuses(written):
    folder, _ = written
    with pytest.raises(RuntimeError, match="another version of the library"):
        cell.row(manifest.rows(folder)[0], str(folder), library="older")


# ---- on a cluster: make test-multiverse -----------------------------------------------------------------------------


def test_the_table_does_not_depend_on_the_workers(written, tmp_path, monkeypatch, capsys):
    distributed = pytest.importorskip("distributed", reason="dask has an environment of its own: make test-multiverse")
    from coldbond.survey.__main__ import main, survey, write

    folder, truths = written
    tables = []
    for workers in (1, 2):
        with distributed.LocalCluster(
            n_workers=workers, threads_per_worker=workers, dashboard_address="127.0.0.1:0"
        ) as cluster:
            write(survey(folder, cluster.scheduler_address)[0], tmp_path / "survey.csv", cell.COLUMNS)
        tables.append((tmp_path / "survey.csv").read_bytes())
    assert tables[0] == tables[1]
    rows = list(csv.DictReader(tables[0].decode().splitlines()))
    assert [row["file"] for row in rows] == list(truths)  # without the role `rate`
    assert [bool(row["failed"]) for row in rows] == 6 * [False] + 3 * [True]
    assert rows[0]["critical_current_density_mA_cm2"] and not rows[0]["lifetime_h"]

    # Six cells of two samples, of which one fails: conditions of two and of one cell, and nothing to compare.
    manifest_csv = folder / "manifest.csv"
    header, *lines = manifest_csv.read_text().splitlines()
    conditions = [f"{header},replicate"]
    for n, line in enumerate(line for line in lines if ",rate," not in line):
        fields = line.split(",")
        conditions.append(",".join([*fields[:3], "AB"[n == 3], *fields[4:], str(n // 3 + 1)]))
    # A row that cannot be used is a cell that failed.
    role = lines[0].split(",")[2]
    conditions.append(",".join(["cycling/gone.csv", "cycling", role, "C", *lines[0].split(",")[4:], "1"]))
    text = manifest_csv.read_text()
    out = tmp_path / "out"
    out.mkdir()
    (out / "survey_comparisons.csv").write_text("of an earlier run\n")
    try:
        manifest_csv.write_text("\n".join(conditions) + "\n")
        with distributed.LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address="127.0.0.1:0") as cluster:
            address = cluster.scheduler_address
            arguments = ["survey", "--raw", str(folder), "--out", str(out), "--scheduler", address]
            monkeypatch.setattr("sys.argv", arguments)
            assert main() == 0
    finally:
        manifest_csv.write_text(text)
    assert "10 cells, of which 4 failed; 2 conditions of several cells" in capsys.readouterr().out
    table = list(csv.DictReader((out / "survey.csv").read_text().splitlines()))
    assert [row["kind"] for row in table] == 10 * ["cell"] + 2 * ["condition"]
    assert [(row["role"], row["sample"], row["n"]) for row in table[10:]] == [
        ("long-cycling", "A", "2"),
        ("full-cell", "A", "2"),
    ]
    assert table[9]["file"] == "cycling/gone.csv" and "is no file in" in table[9]["failed"]
    assert "failed and not counted: replicate 3" in table[10]["note"]
    assert not (out / "survey_comparisons.csv").exists()

    def interrupted():
        yield rows[0]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write(interrupted(), tmp_path / "survey.csv", cell.COLUMNS)
    assert (tmp_path / "survey.csv").read_bytes() == tables[0]

    (folder / "empty").mkdir()
    (folder / "empty" / "manifest.csv").write_text(",".join(manifest.COLUMNS) + "\n")
    with pytest.raises(LookupError, match="no recording has a role among ccd, long-cycling, full-cell"):
        survey(folder / "empty")
