"""Measured spectra: every value, and circuits, whose truth other means give."""

import numpy as np
import pytest

import of_others
from coldbond import read
from coldbond.impedance import fit, intervals, resistance, sweeps
from coldbond.impedance.findings import fit_table

CHI = "chi660e-eis/exampleDataCHInstruments.txt"
PELLET = "lpscl-ionblocking-eis/PEIS_LPSCl_IonBlocking_-25C.txt"
CELL = "ssb-eis/Sample2_PEIS_AtRest.csv"
BLOCKING = ("L-R-Q", "L-R-RQ-Q", "L-R-RQ-RQ-Q")


def test_the_chi_660e_reads_exactly():
    path = of_others.file(CHI)
    read_as = read(path)
    assert read_as.sizes["frequency"] == 73
    assert read_as.impedance[0] == 98.91 - 2.748j and read_as.impedance[-1] == 5685 - 15860j
    rows = [line.split(",") for line in path.read_text().splitlines() if line.count(",") == 4 and line[0].isdigit()]
    np.testing.assert_array_equal(read_as.frequency, [float(row[0]) for row in rows])
    np.testing.assert_array_equal(read_as.impedance, [complex(float(row[1]), float(row[2])) for row in rows])
    expected = {"start": "2020-02-20T15:55:08", "instrument": "CHI660E", "amplitude": 0.025, "high_frequency": 2e6}
    assert {name: read_as.attrs[name] for name in expected} == expected
    assert read_as.impedance.attrs["significant_digits"] == 4


@pytest.mark.parametrize(
    ("file", "points", "skipped", "first"),
    [
        ("chi660e-eis/exampleDataBioLogic.mpt", 43, 61, 65.470886 - 0.38998979j),
        (PELLET, 79, 65, 359.24146 - 290.92038j),
    ],
)
def test_ec_lab_reads_exactly(file, points, skipped, first):
    read_as = read(of_others.file(file))
    plain = np.loadtxt(of_others.file(file), skiprows=skipped, encoding="latin-1")
    assert read_as.sizes["frequency"] == points and read_as.impedance[0] == first
    np.testing.assert_array_equal(read_as.impedance, plain[:, 1] - 1j * plain[:, 2])
    np.testing.assert_array_equal(read_as.frequency, plain[:, 0])
    np.testing.assert_array_equal(read_as.time, plain[:, 5])
    np.testing.assert_allclose(np.abs(read_as.impedance), plain[:, 3], rtol=1e-6)
    np.testing.assert_allclose(np.degrees(np.angle(read_as.impedance)), plain[:, 4], rtol=0, atol=1e-4)
    assert ("unfinished" in read_as.attrs) == (points == 43)


def test_loops_of_a_solid_state_cell():
    path = of_others.file(CELL)
    read_as = read(path)
    plain = np.genfromtxt(path, delimiter=",", skip_header=1)
    measured = plain[plain[:, 1] > 0]
    assert len(plain) - len(measured) == 10 and "10 rows of zeros" in read_as.attrs["unread"]
    np.testing.assert_allclose(read_as.impedance, measured[:, 2] * np.exp(1j * np.radians(measured[:, 3])), rtol=1e-14)
    np.testing.assert_array_equal(read_as.time, measured[:, 0])
    np.testing.assert_array_equal(read_as.sweep, measured[:, 6] + 1)
    assert int(read_as.sweep.max()) == 10


def test_a_resistance_that_the_spectrum_does_not_determine_has_no_number():
    """The spectrum still rises at 0.1 Hz: how large the slow arc's resistance is cannot be told."""
    results = fit.candidates(read(of_others.file(CHI)), ("R-RQ", "R-RWQ", "R-RQ-W", "R-RQ-Q", "R-RQ-RQ-Q"))
    best = next(iter(results.values()))
    assert best.circuit == "R-RQ-RQ-Q"
    assert intervals.profile(best, "R2").high is None
    for part in ("interface", "total"):
        assert tuple(intervals.of_part(results, part, 1e-5))[1:] == (None, None)
    electrolyte = intervals.of_part(results, "electrolyte", 1e-5)
    assert electrolyte.low < 98.91 < electrolyte.high  # the real part of its first point
    assert electrolyte.high / electrolyte.low < 1.25
    assert fit.misfit(best)[1] > 2  # said, not hidden: no circuit of these describes it


def test_a_pellet_between_blocking_electrodes():
    """Its total resistance lies where the imaginary part is least, between grain boundaries and electrodes."""
    one = read(of_others.file(PELLET))
    inner = (one.frequency.to_numpy() > 1e3) & (one.frequency.to_numpy() < 1e6)
    at = np.flatnonzero(inner)[np.argmin(-one.impedance.to_numpy().imag[inner])]
    assert float(one.frequency[at]) == pytest.approx(54e3, rel=0.02)
    crossing = float(one.impedance.to_numpy().real[at])
    found = intervals.of_part(fit.candidates(one, BLOCKING), "electrolyte", 1e-5)
    assert found.value == pytest.approx(1400, rel=0.05)
    assert found.low < crossing < found.high
    assert found.high / found.low < 1.1


def test_a_cell_with_a_composite_electrode_fits_with_a_misfit_that_is_said():
    one = read(of_others.file(CELL))
    assert int(one.sweep.max()) == 10
    last = sweeps.one(one)
    measured = resistance.measure(one, ("L-R-RQ-RQ", "L-R-RQ-RQ-RQ", "L-R-RQ-RQ-RQ-RQ"), "modulus")
    rms, largest = fit.misfit(measured.best)
    assert rms < 0.6
    assert 2 < largest < 3
    total = measured.total
    slowest = float(last.impedance.to_numpy().real[np.argmin(last.frequency.to_numpy())])
    assert total.high > slowest > total.low * 0.9
    table = fit_table({"cell": measured})
    assert table.loc["cell", "largest / %"] == f"{largest:.1f}"


def test_sweeps_of_a_cell_at_rest_agree():
    """Ten sweeps one after the other: their fits differ by less than their intervals."""
    one = read(of_others.file(CELL))
    values, half = [], []
    for number in range(1, 11, 3):
        sweep = one.isel(frequency=(one.sweep == number).to_numpy())
        interval = intervals.of_part(fit.candidates(sweep, ("L-R-RQ-RQ-RQ", "L-R-RQ-RQ-RQ-RQ")), "total", 1e-5)
        values.append(interval.value)
        half.append((interval.high - interval.low) / 2)
    assert np.ptp(values) < 2 * min(half)
