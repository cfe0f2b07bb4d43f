"""Circuits of measured spectra, where COLDBOND_REAL names their folder; the truth is taken from them by other means."""

import os
from pathlib import Path

import numpy as np
import pytest

from coldbond import read
from coldbond.impedance import fit, intervals, resistance

REAL = os.environ.get("COLDBOND_REAL")
pytestmark = pytest.mark.skipif(not REAL, reason="COLDBOND_REAL is not set: no real recordings to read")
CHI = "chi660e-eis/exampleDataCHInstruments.txt"
PELLET = "lpscl-ionblocking-eis/PEIS_LPSCl_IonBlocking_-25C.txt"
CELL = "ssb-eis/Sample2_PEIS_AtRest.csv"
BLOCKING = ("L-R-Q", "L-R-RQ-Q", "L-R-RQ-RQ-Q")


def test_a_resistance_that_the_spectrum_does_not_determine_has_no_number():
    """The spectrum still rises at 0.1 Hz: how large the slow arc's resistance is cannot be told."""
    results = fit.candidates(read(Path(REAL, CHI)), ("R-RQ", "R-RWQ", "R-RQ-W", "R-RQ-Q", "R-RQ-RQ-Q"))
    best = next(iter(results.values()))
    assert best.circuit == "R-RQ-RQ-Q"
    assert intervals.profile(best, "R2").high is None
    for part in ("interface", "total"):
        assert intervals.of_part(results, part, 1e-5)[1:] == (None, None)
    electrolyte = intervals.of_part(results, "electrolyte", 1e-5)
    assert electrolyte.low < 98.91 < electrolyte.high  # the real part of its first point
    assert electrolyte.high / electrolyte.low < 1.25
    assert fit.misfit(best)[1] > 2  # said, not hidden: no circuit of these describes it


def test_a_pellet_between_blocking_electrodes():
    """Its total resistance lies where the imaginary part is least, between grain boundaries and electrodes."""
    one = read(Path(REAL, PELLET))
    inner = (one.frequency.to_numpy() > 1e3) & (one.frequency.to_numpy() < 1e6)
    at = np.flatnonzero(inner)[np.argmin(-one.impedance.to_numpy().imag[inner])]
    assert float(one.frequency[at]) == pytest.approx(54e3, rel=0.02)
    crossing = float(one.impedance.to_numpy().real[at])
    found = intervals.of_part(fit.candidates(one, BLOCKING), "electrolyte", 1e-5)
    assert found.value == pytest.approx(1400, rel=0.05)
    assert found.low < crossing < found.high
    assert found.high / found.low < 1.1


def test_a_cell_with_a_composite_electrode_fits_with_a_misfit_that_is_said():
    one = read(Path(REAL, CELL))
    assert int(one.sweep.max()) == 10
    last = resistance.last_sweep(one)
    results = fit.candidates(last, ("L-R-RQ-RQ", "L-R-RQ-RQ-RQ", "L-R-RQ-RQ-RQ-RQ"))
    rms, largest = fit.misfit(next(iter(results.values())))
    assert rms < 0.6
    assert 2 < largest < 3
    total = intervals.of_part(results, "total", 1e-5)
    slowest = float(last.impedance.to_numpy().real[np.argmin(last.frequency.to_numpy())])
    assert total.high > slowest > total.low * 0.9
    table = resistance.fit_table({"cell": results})
    assert table.loc["cell", "largest / %"] == f"{largest:.1f}"


def test_sweeps_of_a_cell_at_rest_agree():
    """Ten sweeps one after the other: their fits differ by less than their intervals."""
    one = read(Path(REAL, CELL))
    values, half = [], []
    for number in range(1, 11, 3):
        sweep = one.isel(frequency=(one.sweep == number).to_numpy())
        interval = intervals.of_part(fit.candidates(sweep, ("L-R-RQ-RQ-RQ", "L-R-RQ-RQ-RQ-RQ")), "total", 1e-5)
        values.append(interval.value)
        half.append((interval.high - interval.low) / 2)
    assert np.ptp(values) < 2 * min(half)
