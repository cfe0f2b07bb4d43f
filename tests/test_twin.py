"""The synthetic recordings: reproducible to the byte, independent of the analysis, and true to what they stand for."""

import ast
import zipfile
import zlib
from dataclasses import replace
from datetime import datetime
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import of_others
from twin import cells, full_cell, land, symmetric
from twin.__main__ import main
from twin.recordings import RECORDINGS
from twin.tester import Cycler

ROOT = Path(__file__).parents[1]
AREA = 0.785


@pytest.fixture(scope="module")
def rewritten(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("raw")
    main(folder)
    return folder


def half_cycles(records: pd.DataFrame) -> list[pd.DataFrame]:
    """The steps of records that carry current."""
    return [rows for _, rows in records[records["state"] != "rest"].groupby("step")]


def density(half: pd.DataFrame) -> float:
    return half["current"].mean() * 1e3 / AREA


def specific(records: pd.DataFrame, state: str, rate: float, cell: full_cell.FullCell) -> np.ndarray:
    """Capacity [mAh/g] of each cycle in one direction."""
    rows = records[records["state"] == state]
    hours = rows.groupby("step")["step_time"].max().groupby(rows.groupby("step")["cycle"].first()).sum() / 3600
    return hours.to_numpy() * rate * cell.one_c


# --- the files ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("file", [recording.file for recording in RECORDINGS])
def test_rewriting_gives_the_committed_bytes(rewritten, file):
    old, new = (ROOT / "raw" / file).read_bytes(), (rewritten / file).read_bytes()
    if old != new and file.endswith("xlsx") and "ng" in zlib.ZLIB_RUNTIME_VERSION:
        # zlib-ng deflates the same content to other bytes.
        old, new = (
            [(name, book.read(name)) for name in book.namelist()]
            for book in (zipfile.ZipFile(BytesIO(old)), zipfile.ZipFile(BytesIO(new)))
        )
    assert old == new


@pytest.mark.skipif("ng" in zlib.ZLIB_RUNTIME_VERSION, reason="zlib-ng deflates to other bytes: other sha256")
def test_manifest_holds_the_rows_that_rewriting_gives(rewritten):
    committed = (ROOT / "raw/manifest.csv").read_text(encoding="utf-8").splitlines()
    new = (rewritten / "manifest.csv").read_text(encoding="utf-8").splitlines()
    assert committed[: len(new)] == new
    assert not any(",synthetic," in row for row in committed[len(new) :])


def test_no_recording_depends_on_another(tmp_path):
    (tmp_path / "cycling").mkdir()
    for recording in [r for r in RECORDINGS if r.role == "ccd"][::-1]:
        recording.write(tmp_path)
        assert (tmp_path / recording.file).read_bytes() == (ROOT / "raw" / recording.file).read_bytes()


def test_notes_hold_no_truth():
    assert not any(word in r.note.lower() for r in RECORDINGS for word in ("short", "ccd", "fail", "retention"))


def test_recordings_are_small():
    sizes = [(ROOT / "raw" / recording.file).stat().st_size for recording in RECORDINGS]
    assert max(sizes) < 3e6
    assert sum(sizes) < 8e6


@pytest.mark.parametrize(("package", "stranger"), [("twin", "coldbond"), ("coldbond", "twin")])
def test_twin_and_analysis_do_not_know_each_other(package, stranger):
    modules = list((ROOT / "lib" / package).rglob("*.py"))
    assert modules
    for module in modules:
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not any(name.split(".")[0] == stranger for name in names), module


# --- symmetric cells ---------------------------------------------------------------------------------------------


def test_half_cycle_passes_current_times_time_times_area():
    records = symmetric.ccd_run(None, cells.RT_MCL_LLZ, step=0.5, last=1.5, half_cycle=900.0, rest=60.0)
    halves = half_cycles(records)
    assert len(halves) == 6
    for half, level in zip(halves, np.repeat([0.5, 1.0, 1.5], 2), strict=True):
        expected = level * 1e-3 * AREA * 900 / 3600
        assert half["capacity"].iloc[-1] == pytest.approx(expected, rel=1e-9)
        assert np.trapezoid(np.abs(half["current"]), half["time"]) / 3600 == pytest.approx(expected, rel=2e-3)


def test_settled_rt_cell_has_the_overpotential_of_the_paper():
    records = symmetric.long_cycling(0.7, 300, cells.RT_MCL_LLZ, seed=3)
    settled = [half for half in half_cycles(records) if half["cycle"].iloc[0] > 100]
    plateaus = [half["voltage"].abs()[half["step_time"] > 600].mean() for half in settled]
    assert np.mean(plateaus) == pytest.approx(0.050, abs=0.003)
    assert np.std(plateaus) > 1e-3, "the room's temperature shows"


def test_fresh_cell_falls_to_its_settled_resistance():
    records = symmetric.long_cycling(0.5, 400, cells.RT_MCL_LLZ)
    end = np.array([abs(half["voltage"].iloc[-1] / density(half)) * 1e3 for half in half_cycles(records)])
    assert end[:4].mean() == pytest.approx(cells.RT_MCL_LLZ.bulk + cells.RT_MCL_LLZ.fresh, rel=0.15)
    assert end[200:].mean() == pytest.approx(cells.RT_MCL_LLZ.bulk + cells.RT_MCL_LLZ.settled, rel=0.05)


@pytest.mark.parametrize("sample", cells.CCD)
def test_ccd_run_holds_its_step_and_shorts_after_it(sample):
    truth = cells.CCD[sample]
    records = symmetric.ccd_run(**truth, seed=1)
    held = [half for half in half_cycles(records) if abs(density(half)) < truth["ccd"] + 0.02]
    assert len(held) == 2 * round(truth["ccd"] / 0.1)
    bulk = truth["cell"].bulk * 1e-3
    assert all(half["voltage"].abs().iloc[-5:].min() > abs(density(half)) * bulk for half in held)
    last = half_cycles(records)[-1]
    assert last["voltage"].abs().median() < 0.006 * abs(density(last))


def test_soft_short_one_step_before_the_hard_one_loses_part_of_the_voltage():
    run = {"cell": cells.IN_LLZ, "seed": 5}
    short = half_cycles(symmetric.ccd_run(0.4, soft_at=0.1, hard_at=1.2, **run))
    whole = half_cycles(symmetric.ccd_run(None, **run))
    soft, hard = (
        short[2 * step + 1]["voltage"].abs().median() / whole[2 * step + 1]["voltage"].abs().median() for step in (4, 5)
    )
    assert 0.2 < soft < 0.95
    assert hard < 0.05


def test_cell_shorted_from_the_start_and_cell_that_never_shorts():
    shorted = half_cycles(symmetric.ccd_run(0, cells.LLZ, hard_at=0.0))
    assert all(half["voltage"].abs().median() < 0.006 * abs(density(half)) + 3e-4 for half in shorted)
    whole = half_cycles(symmetric.ccd_run(None, cells.RT_MCL_LLZ))
    assert abs(density(whole[-1])) == pytest.approx(2.5, abs=0.01)
    assert whole[-1]["voltage"].abs().iloc[-1] > 0.1


def test_lost_contact_ends_the_test_at_the_limit_without_a_short():
    records = symmetric.ccd_run(None, cells.RT_MCL_LLZ, contact_loss=1.0, cycler=Cycler(limit=5.0))
    assert abs(records["current"].iloc[-1]) * 1e3 / AREA == pytest.approx(1.0, abs=0.01)
    assert (records["voltage"].abs() > 5.0).sum() == 1
    assert records["voltage"].iloc[-1] > 5.0


def test_long_cycling_fails_when_it_is_told_to():
    records = symmetric.long_cycling(0.3, 30, cells.RT_MCL_LLZ, soft_from=15, hard_from=20, rest=120.0)
    by_hour = records[records["state"] != "rest"].groupby(records["time"] // 3600)["voltage"]
    assert by_hour.apply(lambda v: v.abs().median())[3:14].min() > 0.02
    assert by_hour.apply(lambda v: v.abs().median())[21:].max() < 0.003


def test_drift_raises_the_resistance():
    steady, drifting = (
        symmetric.long_cycling(0.5, 200, replace(cells.RT_MCL_LLZ, drift=drift), seed=2)["voltage"]
        .abs()
        .iloc[-10:]
        .mean()
        for drift in (0.0, 100.0)
    )
    assert drifting - steady == pytest.approx(0.5e-3 * 100 * 0.2, rel=0.15)


# --- the tester --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("counter", "resets"), [("step", 9), ("cycle", 4), ("never", 0)])
def test_capacity_counter_resets_as_set(counter, resets):
    records = symmetric.ccd_run(None, cells.LLZ, last=0.5, rest=0.0, cycler=Cycler(counter=counter))
    assert (np.diff(records["capacity"]) < -1e-7).sum() == resets


def test_records_are_triggered_by_time_and_by_voltage():
    records = symmetric.ccd_run(None, cells.LLZ, last=0.5, cycler=Cycler(every=60.0, dv=0.01))
    within = records["step"].diff() == 0
    assert records["time"].diff()[within].max() <= 60.0 + 1e-9
    early = within & (records["time"].diff() < 59.9) & within.shift(-1, fill_value=False)
    assert early.any()
    assert records["voltage"].diff().abs()[early].min() > 0.01 - 1.01e-4
    first = records.groupby("step")["step_time"].min()
    assert (first == 0.02).all()


def test_channels_are_quantised_and_points_can_be_lost():
    kept, lost = (
        symmetric.ccd_run(None, cells.LLZ, last=0.5, cycler=Cycler(lost=n, voltage_decimals=3, current_decimals=5))
        for n in (0, 20)
    )
    assert len(kept) - len(lost) == 20
    assert np.allclose(kept["voltage"] * 1e3, np.round(kept["voltage"] * 1e3), atol=1e-9)
    assert np.allclose(kept["current"] * 1e5, np.round(kept["current"] * 1e5), atol=1e-9)
    assert lost.groupby("step")["step_time"].max().equals(kept.groupby("step")["step_time"].max())


# --- full cells --------------------------------------------------------------------------------------------------


def test_full_cell_has_its_capacity_retention_and_efficiency():
    records = full_cell.run([0.2] * 111, cells.FULL_CELL, seed=4)
    charge, discharge = (specific(records, state, 0.2, cells.FULL_CELL) for state in ("charge", "discharge"))
    assert discharge[0] == pytest.approx(165.5, abs=0.01)
    assert discharge[109] / discharge[0] == pytest.approx(0.924, abs=1e-4)
    assert discharge[0] / charge[0] == pytest.approx(0.96, abs=1e-4)
    assert (discharge / charge)[10:].mean() == pytest.approx(0.998, abs=2e-4)
    ends = records[records["state"] != "rest"].groupby("step")["voltage"].last().to_numpy()
    assert ends == pytest.approx(np.resize([4.2, 2.4], len(ends)), abs=4e-4)


def test_retention_can_be_any():
    cell = full_cell.FullCell(capacity=140.0, retention=0.8, retention_cycle=50, efficiency=0.99)
    records = full_cell.run([0.2] * 50, cell, first="discharge")
    charge, discharge = (specific(records, state, 0.2, cell) for state in ("charge", "discharge"))
    assert records.loc[records["state"] != "rest", "state"].iloc[0] == "discharge"
    assert discharge[-1] / discharge[0] == pytest.approx(0.8, abs=1e-4)
    assert (charge / discharge)[10:].mean() == pytest.approx(0.99, abs=3e-4)


def test_capacity_falls_with_rate_and_recovers():
    records = full_cell.run(cells.RATES, cells.RATE_CELL, rest=0.0)
    rows = records[records["state"] == "discharge"].groupby("step")
    capacity = rows["capacity"].agg(np.ptp).to_numpy() * 1e3 / (cells.RATE_CELL.mass * 1e-3)
    means = capacity.reshape(4, 5).mean(axis=1)
    assert means == pytest.approx([165.5, 153.9, 130.5, 165.5], abs=0.3)


def test_plateau_is_flat_and_its_gap_grows_with_current():
    gaps = []
    for rate in (0.2, 0.5):
        records = full_cell.run([rate] * 2, cells.RATE_CELL)
        middle = {}
        for state in ("charge", "discharge"):
            rows = records[(records["state"] == state) & (records["cycle"] == 2)]
            share = rows["step_time"] / rows["step_time"].max()
            assert np.ptp(rows["voltage"][share.between(0.3, 0.6)]) < 0.05
            middle[state] = rows["voltage"][share.between(0.25, 0.35)].mean()
        gaps.append(middle["charge"] - middle["discharge"])
    ampere = 0.3 * cells.RATE_CELL.one_c * cells.RATE_CELL.mass * 1e-6
    assert gaps[1] - gaps[0] == pytest.approx(2 * ampere * 300, rel=0.15)


def test_pause_and_unfinished_cycle():
    records = full_cell.run([0.5] * 3, pause=(2, 5.0), unfinished=0.5, rest=0.0)
    paused = records[(records["cycle"] == 2) & (records["state"] != "charge")]
    assert paused.groupby("step")["state"].first().tolist() == ["discharge", "rest", "discharge"]
    assert paused.loc[paused["state"] == "rest", "step_time"].max() == 5 * 3600
    whole = specific(records, "discharge", 0.5, full_cell.FullCell())
    assert whole[1] == pytest.approx(153.9, abs=1.0)
    assert set(records.loc[records["cycle"] == 3, "state"]) == {"charge"}
    assert specific(records, "charge", 0.5, full_cell.FullCell())[2] == pytest.approx(77, abs=2)


# --- the formats -------------------------------------------------------------------------------------------------


@pytest.fixture
def short_run() -> pd.DataFrame:
    return symmetric.ccd_run(0.2, cells.LLZ, last=0.4, after=0, seed=9)


def test_landt_csv_has_the_header_of_a_real_one(short_run, tmp_path):
    real = of_others.file("sintef-landt-ligr/SINTEF__LiGrR2032__2024-04-30__25degC__Landt.csv")
    land.landt_csv(short_run, tmp_path / "a.csv")
    lines = (tmp_path / "a.csv").read_text().splitlines()
    with real.open() as theirs:
        assert lines[:7] == [next(theirs).rstrip("\n") for _ in range(7)]
        assert lines[7].count(",") == next(theirs).count(",")


def test_landt_csv_holds_the_records(short_run, tmp_path):
    land.landt_csv(short_run, tmp_path / "a.csv", start="2024-02-28 23:59:59")
    table = pd.read_csv(tmp_path / "a.csv", skiprows=6, index_col=False)
    assert table["date_time_iso_string"][0] == "02/28/2024 23:59:59"
    np.testing.assert_allclose(table["test_time_s"], short_run["time"], atol=1e-9)
    np.testing.assert_allclose(table["current_A"], short_run["current"], atol=1e-12)
    np.testing.assert_allclose(table["voltage_V"], short_run["voltage"], atol=1e-9)
    both = table["charge_capacity_Ah"] + table["discharge_capacity_Ah"]
    np.testing.assert_allclose(both, short_run["capacity"].where(short_run["state"] != "rest", 0), atol=1e-8)


@pytest.mark.parametrize(
    ("encoding", "mark"), [("utf-8-sig", b"\xef\xbb\xbf"), ("utf-16", b"\xff\xfe"), ("gb18030", b"Cycle")]
)
def test_land_csv_holds_three_tables(short_run, tmp_path, encoding, mark):
    land.land_csv(short_run, tmp_path / "a.csv", encoding=encoding, chinese=encoding == "gb18030")
    assert (tmp_path / "a.csv").read_bytes().startswith(mark)
    lines = (tmp_path / "a.csv").read_text(encoding=encoding).splitlines()
    heads = [i for i, line in enumerate(lines) if line.split(",")[0] in ("Cycle", "Step", "Record")]
    assert [lines[i].split(",")[0] for i in heads] == ["Cycle", "Step", "Record"]
    assert heads[1] - heads[0] - 1 == short_run["cycle"].nunique()
    assert heads[2] - heads[1] - 1 == short_run["step"].nunique()
    assert len(lines) - heads[2] - 1 == len(short_run)
    assert {line.count(",") for line in lines[heads[2] :]} == {8}
    assert ("恒流充电" in "".join(lines)) == (encoding == "gb18030")


def test_workbooks_hold_the_records(short_run, tmp_path):
    land.landdt_xlsx(short_run, tmp_path / "a.xlsx", mass=2.0)
    land.lanhe_xlsx(short_run, tmp_path / "b.xlsx")
    land.chinese_xlsx(short_run, tmp_path / "c.xlsx")
    english = pd.read_excel(tmp_path / "a.xlsx", sheet_name="Record", engine="calamine")
    lanhe = pd.read_excel(tmp_path / "b.xlsx", sheet_name="Ch1_DefaultGroup", engine="calamine")
    chinese = pd.read_excel(tmp_path / "c.xlsx", sheet_name="记录表", engine="calamine")
    for table, current, factor in ((english, "Current/mA", 1e3), (lanhe, "Current/uA", 1e6), (chinese, "电流/mA", 1e3)):
        np.testing.assert_allclose(table[current], short_run["current"] * factor, atol=1e-9)
    np.testing.assert_allclose(english["TestTime/h"] * 3600, short_run["time"], atol=2e-3)
    np.testing.assert_allclose(chinese["测试时间/Sec"], short_run["time"], atol=1e-9)
    np.testing.assert_allclose(english["SpeCap/mAh/g"], short_run["capacity"] * 1e3 / 2e-3, atol=5.1e-3)
    assert set(chinese["工作模式"]) == {"静置", "恒流充电", "恒流放电"}
    assert set(english["Step-State"]) == {"R", "RateC", "RateD"}
    assert english["SysTime"].iloc[0] == datetime.fromisoformat(land.START).replace(microsecond=20000)


@pytest.mark.parametrize(
    ("seconds", "milliseconds", "days", "always", "text"),
    [
        (59.9996, True, "-", False, "00:01:00.000"),
        (86399.4, False, "-", False, "23:59:59"),
        (86400.0, False, "-", False, "1-00:00:00"),
        (3 * 86400 + 3661.5, True, " ", True, "3 01:01:01.500"),
        (0.02, True, " ", True, "0 00:00:00.020"),
    ],
)
def test_durations_carry_their_days(seconds, milliseconds, days, always, text):
    assert land._duration(seconds, milliseconds, days, always) == text


def test_nothing_half_written_stays(short_run, tmp_path):
    land.land_csv(short_run, tmp_path / "a.csv")
    before = (tmp_path / "a.csv").read_bytes()
    with pytest.raises(LookupError):
        land.land_csv(short_run, tmp_path / "a.csv", encoding="no such encoding")
    assert (tmp_path / "a.csv").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]
