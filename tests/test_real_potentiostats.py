"""Impedance spectra as potentiostats write them, where COLDBOND_REAL names their folder."""

import os
from pathlib import Path

import numpy as np
import pytest

from coldbond.reading import ReadError, read

REAL = os.environ.get("COLDBOND_REAL")
pytestmark = pytest.mark.skipif(not REAL, reason="COLDBOND_REAL is not set: no real recordings to read")


def test_the_chi_660e_reads_exactly():
    path = Path(REAL, "chi660e-eis/exampleDataCHInstruments.txt")
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
        ("lpscl-ionblocking-eis/PEIS_LPSCl_IonBlocking_-25C.txt", 79, 65, 359.24146 - 290.92038j),
    ],
)
def test_ec_lab_reads_exactly(file, points, skipped, first):
    read_as = read(Path(REAL, file))
    plain = np.loadtxt(Path(REAL, file), skiprows=skipped, encoding="latin-1")
    assert read_as.sizes["frequency"] == points and read_as.impedance[0] == first
    np.testing.assert_array_equal(read_as.impedance, plain[:, 1] - 1j * plain[:, 2])
    np.testing.assert_array_equal(read_as.frequency, plain[:, 0])
    np.testing.assert_array_equal(read_as.time, plain[:, 5])
    np.testing.assert_allclose(np.abs(read_as.impedance), plain[:, 3], rtol=1e-6)
    np.testing.assert_allclose(np.degrees(np.angle(read_as.impedance)), plain[:, 4], rtol=0, atol=1e-4)
    assert ("unfinished" in read_as.attrs) == (points == 43)


def test_loops_of_a_solid_state_cell():
    path = Path(REAL, "ssb-eis/Sample2_PEIS_AtRest.csv")
    read_as = read(path)
    plain = np.genfromtxt(path, delimiter=",", skip_header=1)
    measured = plain[plain[:, 1] > 0]
    assert len(plain) - len(measured) == 10 and "10 rows of zeros" in read_as.attrs["unread"]
    np.testing.assert_allclose(read_as.impedance, measured[:, 2] * np.exp(1j * np.radians(measured[:, 3])), rtol=1e-14)
    np.testing.assert_array_equal(read_as.time, measured[:, 0])
    np.testing.assert_array_equal(read_as.sweep, measured[:, 6] + 1)
    assert int(read_as.sweep.max()) == 10


@pytest.mark.parametrize(
    "file", ["ssb-eis/Sample1_PEIS_EndOfDischarge.mpr", "lpscl-ionblocking-eis/PEIS_LPSCl_IonBlocking_-25C.mpr"]
)
def test_the_binary_file_of_ec_lab_is_refused_with_what_would_mend_it(file):
    with pytest.raises(ReadError, match=r"\.mpr file \(EC-Lab exports it as \.mpt\)"):
        read(Path(REAL, file))
