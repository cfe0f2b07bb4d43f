"""What the shipped diffraction patterns are said to hold, by whichever of them the manifest has."""

import numpy as np
import pytest

from coldbond.bundle import raw
from coldbond.xrd import analysis, line_broadening, shift, single_peak

BESIDE = ["InN", "In", "La2Zr2O7", "Li2O", "Li2CO3", "Li3N", "LiIn"]


def analysed(role, main, sample, instrument=None):
    found = raw.recordings(role, [sample])
    return {label: analysis.analyse(scan, main, BESIDE, instrument) for label, scan in found.items()}


def present(found):
    return {name for name, verdict in found.verdicts.items() if verdict.present}


@pytest.mark.parametrize(("sample", "expected"), [("LLZ", set()), ("InN-LLZ", {"InN"}), ("LLZ-powder", set())])
def test_phases_of_the_electrolyte(sample, expected):
    (found,) = analysed("phase", "LLZTO", sample).values()
    assert present(found) == expected
    assert analysis.unexplained_area(found) == 0
    rows = {row["quantity"]: row for row in analysis.findings({sample: found}, "Li5La3Nb2O12")}
    assert rows["matches_reference"]["value"] is True
    assert rows["InN_present"]["value"] is ("InN" in expected)


def test_cycled_electrolyte():
    recording, instrument = analysis.instrument("Si")
    assert list(recording) == ["Si"]
    found = {s: analysed("cycled-phase", "LLZTO", s, instrument)[s] for s in ("LLZ", "RT-MCL-LLZ")}
    assert present(found["LLZ"]) == {"La2Zr2O7", "Li2CO3"}
    assert present(found["RT-MCL-LLZ"]) <= {"La2Zr2O7", "Li2CO3"}
    lines = {label: single_peak.reflections(one.pattern, one.fit) for label, one in found.items()}
    rows = line_broadening.findings(lines, {label: one.whose for label, one in found.items()}, instrument)
    rows += analysis.stray_comparison(found)
    decisions = {row["claim"]: row["value"] for row in rows if row["claim"]}
    assert decisions == {"xrd_broadening": True, "xrd_stray": True}


def test_lithium_expands():
    found = analysed("lithium", "Li", "Li")
    assert [present(one) for one in found.values()] == [set(), set()]
    rows = {row["claim"]: row for row in shift.findings(shift.compare(found))}
    assert rows["xrd_li_shift"]["value"] is True
    assert np.all([one.strays.sizes["peak"] == 0 for one in found.values()])  # K-beta and W L-alpha are no peaks
