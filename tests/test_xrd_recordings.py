"""What the shipped diffraction patterns are said to hold, by whichever of them the manifest has."""

import numpy as np
import pytest

from coldbond.bundle import raw
from coldbond.xrd import analysis, findings, line_broadening, pawley, shift
from coldbond.xrd.stray_peaks import unexplained_area
from coldbond.xrd.structures import STRUCTURES

BESIDE = ["InN", "In", "La2Zr2O7", "Li2O", "Li2CO3", "Li3N", "LiIn"]


def analysed(role, main, sample, instrument=None):
    found = raw.recordings(role, [sample])
    return {label: analysis.analyse(scan, main, BESIDE, instrument) for label, scan in found.items()}


def present(found):
    return {name for name, detection in found.detections.items() if detection.present}


@pytest.mark.parametrize(("sample", "expected"), [("LLZ", set()), ("InN-LLZ", {"InN"}), ("LLZ-powder", set())])
def test_phases_of_the_electrolyte(sample, expected):
    (found,) = analysed("phase", "LLZTO", sample).values()
    assert present(found) == expected
    assert unexplained_area(found) == 0
    rows = {row["quantity"]: row for row in findings.pattern_findings({sample: found}, "Li5La3Nb2O12")}
    assert rows["matches_reference"]["value"] is True
    assert rows["InN_present"]["value"] is ("InN" in expected)


def test_cycled_electrolyte():
    standard = raw.recordings("instrument")["Si"]
    instrument = pawley.instrument_profile(standard, STRUCTURES["Si"])
    found = {s: analysed("cycled-phase", "LLZTO", s, instrument)[s] for s in ("LLZ", "RT-MCL-LLZ")}
    assert present(found["LLZ"]) == {"La2Zr2O7", "Li2CO3"}
    assert present(found["RT-MCL-LLZ"]) <= {"La2Zr2O7", "Li2CO3"}
    broadenings = line_broadening.of_samples(found, instrument, 1000.0)
    rows = findings.broadening_findings(found, broadenings, instrument) + findings.stray_comparison(found)
    decisions = {row["quantity"]: row["value"] for row in rows if isinstance(row["value"], bool)}
    assert decisions == {"broader_than_RT-MCL-LLZ": True, "more_stray_peaks_than_RT-MCL-LLZ": True}


def test_lithium_expands():
    found = analysed("lithium", "Li", "Li")
    assert [present(one) for one in found.values()] == [set(), set()]
    rows = {row["quantity"]: row for row in findings.shift_findings(shift.compare(found))}
    assert rows["lattice_expanded"]["value"] is True
    assert np.all([one.stray_peaks.sizes["peak"] == 0 for one in found.values()])  # K-beta and W L-alpha are no peaks
