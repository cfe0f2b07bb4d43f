"""What is found in a recording does not depend on how many records are read or looked at together."""

import numpy as np
import pytest
import xarray as xr

from cells import galvanostatic
from coldbond import ccd, cycling, long_cycling, shorts

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


def found(recording: xr.Dataset) -> tuple:
    judged = long_cycling.half_cycles(recording)
    charge = shorts.charge_passed(recording, float(recording.time[recording.sizes["record"] // 2]))
    rows = long_cycling.findings({"cell": recording}, {"cell": judged}, settled=2)
    return judged, cycling.half_cycles(recording), ccd.steps(recording), rows, charge


@pytest.mark.parametrize("block", [1, 7, 360, 1000, 4096])
@pytest.mark.parametrize("name", cells())
def test_the_same_is_found_for_any_number_of_records_at_a_time(name, block, monkeypatch):
    recording = cells()[name]
    whole = found(recording)
    monkeypatch.setattr(cycling, "BLOCK", block)
    for one, other in zip(whole, found(recording), strict=True):
        if isinstance(one, xr.Dataset):
            xr.testing.assert_identical(one, other)
        else:
            assert one == other
