"""Real cyclers' files; the truth is taken from them by other means."""

import csv
import itertools

import numpy as np
import pytest

import of_others
from coldbond.files import ReadError, read

LANDT = "sintef-landt-ligr/SINTEF__LiGrR2032__2024-04-30__25degC__Landt.csv"
#: Folders whose files are of other techniques, or notes about them.
OTHERS = (
    "chi660e-eis",
    "lfp-rate-digitised",
    "lpscl-ionblocking-eis",
    "raman-jcampdx",
    "raman-si-532-bwtek",
    "ssb-eis",
    "xps-au4f-lmfitxps",
    "xps-vamas-axis",
    "xps-vamas-kratos-specs",
    "xrd-bruker-brml",
    "xrd-nist-lab6-660c",
    "xrd-panalytical-xrdml",
    "xrd-rigaku-ras-nims",
    "xrd-rigaku-rasx-powder",
)
RATES = ("0.2C", "0.5C", "1C", "2C", "5C", "10C")
NEWARE = "sintef-rate-neware/SINTEF__SLPBA842124HV__2024-10-23__Rate_25degC__Neware__Time_Bug.bdf.csv"


@pytest.fixture(scope="module")
def landt():
    return read(of_others.file(LANDT))


def test_landt_file_has_every_row_in_its_place(landt):
    with of_others.file(LANDT).open(newline="") as file:
        rows = list(csv.reader(itertools.islice(file, 7, None)))
    assert landt.sizes["record"] == len(rows) == 25162
    fields = {
        "cycle": 1,
        "step": 2,
        "time": 4,
        "current": 6,
        "voltage": 7,
        "discharge_capacity": 8,
        "charge_capacity": 9,
    }
    assert set(landt.data_vars) == set(fields)
    for name, field in fields.items():
        np.testing.assert_array_equal(landt[name], [float(row[field]) for row in rows], err_msg=name)


def test_landt_file_is_what_its_source_note_says(landt):
    first, last = landt.isel(record=0), landt.isel(record=-1)
    assert (float(first.time), float(first.voltage), float(first.current)) == (0.02, 2.9215, 0.0)
    assert (float(last.time), float(last.voltage), float(last.current)) == (262657.764, 0.1086, -0.0002)
    assert float(last.time) / 3600 == pytest.approx(73, abs=0.05)
    assert float(landt.voltage.min()) == pytest.approx(0.01) and float(landt.voltage.max()) == pytest.approx(
        2.92, abs=2e-3
    )
    first_cycle = landt.where(landt.cycle == 1, drop=True)
    assert float(first_cycle.charge_capacity.max()) == 0.0032
    assert float(first_cycle.discharge_capacity.max()) == 0.0063


def test_landt_file_shows_how_coarse_its_channels_are(landt):
    resolution = {name: landt[name].attrs["resolution"] for name in landt.data_vars}
    assert resolution == {
        "time": 1e-3,
        "voltage": 1e-4,
        "current": 1e-4,
        "cycle": 1,
        "step": 1,
        "charge_capacity": 1e-4,
        "discharge_capacity": 1e-4,
    }
    assert float(abs(landt.current).max()) == 2e-4  # twice the last digit: its integral cannot be better
    assert landt.charge_capacity.attrs["resets"] == landt.discharge_capacity.attrs["resets"] == "step"
    assert landt.attrs["start"] == "2024-04-30T14:33:19"
    assert landt.attrs["lost_records"] == 0
    assert landt.attrs["format"] == "landt-csv"


def test_a_test_time_that_decreases_is_refused_at_its_first_line():
    path = of_others.file(NEWARE)
    with path.open(newline="") as file:
        times = [float(row["test_time_second"]) for row in csv.DictReader(file)]
    jumps = [n for n in range(1, len(times)) if times[n] < times[n - 1]]
    assert len(jumps) == 19
    with pytest.raises(ReadError, match="the test time decreases from 7200 s to 0 s") as caught:
        read(path)
    assert caught.value.line == jumps[0] + 2 == 724  # one for the header, one for counting from 1


def test_up_to_its_first_jump_the_same_file_reads(tmp_path):
    lines = of_others.file(NEWARE).read_text().splitlines(keepends=True)
    part = tmp_path / "part.bdf.csv"
    part.write_text("".join(lines[:723]))
    recording = read(part)
    assert recording.sizes["record"] == 722
    assert float(recording.time[-1]) == 7200
    assert recording.attrs["format"] == "bdf-csv"


@pytest.mark.parametrize("folder", OTHERS)
def test_a_file_of_another_technique_is_not_read_as_cycling(folder):
    others = of_others.folder(folder)
    assert others
    for path in others:
        try:
            technique = read(path).attrs["technique"]
        except ReadError as error:
            assert error.remedy, path
        else:
            assert technique in ("xrd", "xps", "raman", "eis"), path


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        *((f"lfp-rate-digitised/{rate}.csv", "numbers without a header") for rate in RATES),
    ],
)
def test_an_unreadable_file_is_refused_by_its_content(tmp_path, file, reason):
    copy = tmp_path / "unnamed"  # so that the name cannot decide
    copy.write_bytes(of_others.file(file).read_bytes())
    with pytest.raises(ReadError) as caught:
        read(copy)
    assert reason in caught.value.reason
