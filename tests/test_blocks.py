"""What is found in a recording does not depend on how many records are read or looked at together."""

import re

import numpy as np
import pytest
import xarray as xr

from cells import dataset, galvanostatic
from coldbond import files
from coldbond.cells import ccd, cycling, long_cycling, shorts
from coldbond.cells.findings import long_cycling as long_cycling_findings
from coldbond.files import ReadError, read
from coldbond.files.electrochemistry import counters, cycler_text
from cycler_files import bdf_csv, land_rows, landt_csv
from test_read_damage import LANDT_DAMAGE

LONG = dict(half_cycle=1800, every=5)  # 360 records a half cycle


def cells() -> dict[str, xr.Dataset]:
    """Cells that last, short hard or softly, rest, run into the limit; some records are lost."""
    failing = np.repeat(0.1, 20) + np.where(np.arange(20) >= 15, 1e-6, 0)
    return {
        "lasts": galvanostatic([0.1, *[0.5] * 20], **LONG, rest=60),
        "shorts hard": galvanostatic(failing, hard=0.1000005, **LONG),
        "shorts softly": galvanostatic(np.arange(1, 12) / 10, soft=0.8, lost=0.1),
        "at the limit": galvanostatic(np.arange(1, 12) / 10, limit=0.09, rest=60, current_digit=1e-4),
    }


@pytest.mark.parametrize("block", [1, 2, 5, 16])
def test_a_current_that_changes_its_level_is_cut_alike(block, monkeypatch):
    """Levels of few records, beside turns: what a cut needs to know lies up to two records beyond it."""
    rng = np.random.default_rng(1)
    lengths = rng.choice([1, 1, 2, 3, 9], 4000)
    levels = rng.choice([-3e-3, -2e-3, -1e-3, 0, 1e-3, 2e-3, 3e-3], lengths.size)
    current = np.repeat(levels, lengths) + rng.normal(0, 1e-6, lengths.sum())
    recording = dataset(np.arange(current.size) * 10.0, 0 * current, current)
    whole = cycling.segments(recording), cycling.half_cycles(recording)
    monkeypatch.setattr(cycling, "BLOCK", block)
    xr.testing.assert_identical(cycling.segments(recording), whole[0])
    xr.testing.assert_identical(cycling.half_cycles(recording), whole[1])


def found(recording: xr.Dataset) -> tuple:
    halves = long_cycling.half_cycles(recording)
    charge = shorts.charge_passed(recording, float(recording.time[recording.sizes["record"] // 2]))
    rows = long_cycling_findings.findings({"cell": recording}, {"cell": halves}, settling=2)
    return halves, cycling.half_cycles(recording), ccd.steps(recording), rows, charge


@pytest.mark.parametrize(
    ("name", "block"), [("at the limit", 1), *((name, block) for name in cells() for block in (7, 360, 1000))]
)
def test_the_same_is_found_for_any_number_of_records_at_a_time(name, block, monkeypatch):
    recording = cells()[name]
    whole = found(recording)
    monkeypatch.setattr(cycling, "BLOCK", block)
    for one, other in zip(whole, found(recording), strict=True):
        if isinstance(one, xr.Dataset):
            xr.testing.assert_identical(one, other)
        else:
            assert one == other


def in_blocks(monkeypatch, size: int) -> None:
    monkeypatch.setattr(files, "LONG", 1)
    monkeypatch.setattr(cycler_text, "BLOCK", size)
    monkeypatch.setattr(counters, "BLOCK", 1)


LAND_WITHOUT_NUMBERS = "测试时间/Sec,电流/mA,电压/V,容量/mAh,系统时间,循环序号,步骤序号,工作模式\n"
LAND_ROWS = [
    row.split(",", 1)[1] + "\n" for row in land_rows(True, rest="静置", charge="恒流充电", discharge="恒流放电")
]
FILES = {
    "Landt": landt_csv(),
    "Landt, carriage returns and blank lines at its end": landt_csv().replace("\n", "\r\n") + "\r\n\r\n",
    "Landt, quoted": landt_csv().replace("charge CC", '"charge CC"'),
    "Landt without numbers of records": landt_csv().replace("channel_index", "channel"),
    "Landt, numbers that start anew": re.sub(r"^(\d+),(?=\d+,(\d+),)", r"\2,", landt_csv(), flags=re.MULTILINE),
    "Landt, signs by its states": landt_csv().replace("-0.000312", "0.000312"),
    "Landt, dashes in a counter": landt_csv().replace(",0.000624,0,0,0", ",-,0,0,0"),
    "Battery Data Format": bdf_csv(),
    "Battery Data Format, byte-order mark": "\ufeff" + bdf_csv(),
    "LAND, gb18030": (LAND_WITHOUT_NUMBERS + "".join(LAND_ROWS)).encode("gb18030"),
}


@pytest.mark.parametrize("size", [1, 100, 150, 400, 1000])
@pytest.mark.parametrize("name", FILES)
def test_a_file_read_in_blocks_gives_the_same_recording(name, size, tmp_path, monkeypatch):
    path = tmp_path / "cell.csv"
    path.write_bytes(FILES[name] if isinstance(FILES[name], bytes) else FILES[name].encode())
    whole = read(path)
    in_blocks(monkeypatch, size)
    recording = read(path)
    assert not recording.time.variable._in_memory
    xr.testing.assert_identical(recording, whole)
    xr.testing.assert_identical(recording.isel(record=slice(8, 2, -3)), whole.isel(record=slice(8, 2, -3)))
    assert float(recording.time[-1]) == float(whole.time[-1])


MORE_DAMAGE = {
    "test time decreases at a line's end": landt_csv().replace("14410.250", "7210.124", 1),
    "blank line in the middle": landt_csv().replace("\n3,", "\n\n\n3,"),
    "cut off at a comma": landt_csv().rstrip("\n").rstrip(","),
    "no line break at the end": "\n".join(line.rsplit(",", 1)[0] for line in bdf_csv().split("\n")[:-1]),
    "signs that contradict the states": landt_csv().replace("-0.000312", "0.000312").replace("0.000311", "-0.000311"),
    "no sign and no telling state": landt_csv().replace("-0.000312", "0.000312").replace("charge CC", "CC"),
}


@pytest.mark.parametrize("size", [1, 100, 400, 1000])
@pytest.mark.parametrize("damage", [*LANDT_DAMAGE, *MORE_DAMAGE])
def test_a_damaged_file_read_in_blocks_is_refused_with_the_same_words(damage, size, tmp_path, monkeypatch):
    path, text = tmp_path / "landt.csv", MORE_DAMAGE.get(damage) or LANDT_DAMAGE[damage][0]
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ReadError) as whole:
        read(path)
    in_blocks(monkeypatch, size)
    with pytest.raises(ReadError) as caught:
        read(path)
    assert str(caught.value) == str(whole.value)


def test_text_in_two_encodings_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "cell.csv"
    rows = [f"{n},0.312,0.05,0.1,,1,1,恒流充电\n" for n in range(4000)]
    path.write_bytes((LAND_WITHOUT_NUMBERS + "".join(rows[:-1])).encode() + rows[-1].encode("gb18030"))
    in_blocks(monkeypatch, 5000)
    with pytest.raises(ReadError, match=r"cell.csv, line \d{4}: holds text in gb18030, and above in another encoding"):
        read(path)


@pytest.mark.parametrize("block", [100, 4096])
def test_what_lies_on_disk_is_judged_as_what_is_in_memory(block, tmp_path, monkeypatch):
    recording = cells()["shorts hard"]
    path = tmp_path / "cell.csv"
    columns = [recording[name].to_numpy() for name in ("time", "voltage", "current")]
    rows = [f"{t:.3f},{v:.4f},{i:.6f},\n" for t, v, i in zip(*columns, strict=True)]
    path.write_text("test_time_second,voltage_volt,current_ampere,note\n" + "".join(rows))
    constants = {"area_cm2": 0.785, "sample": "LLZ", "state": ""}
    whole = found(read(path).assign_attrs(constants))
    in_blocks(monkeypatch, 5000)
    monkeypatch.setattr(cycling, "BLOCK", block)
    for one, other in zip(whole, found(read(path).assign_attrs(constants)), strict=True):
        if isinstance(one, xr.Dataset):
            xr.testing.assert_identical(one, other)
        else:
            assert one == other
    assert whole[3][0]["quantity"] == "time_to_failure" and whole[3][0]["value"] is not None
