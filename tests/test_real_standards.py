"""The whole-pattern fit on measured standards whose lattice parameters others have certified."""

import numpy as np
import pytest

import of_others
from coldbond import read
from coldbond.xrd import pawley
from coldbond.xrd.lattice import lattice_parameters
from coldbond.xrd.structures import STRUCTURES

LAB6 = 4.156780  # angstrom: NIST's own value of this data set, at 20.85 degree C
SI = 5.43118  # angstrom: SRM 640e, certificate 2015; that this sample is of like purity is assumed


@pytest.fixture(scope="module")
def lab6():
    pattern = read(of_others.file("xrd-nist-lab6-660c", "nist_srm660c_100a.cif"))
    return pattern, pawley.fit_geometries(pattern, STRUCTURES["LaB6"])


@pytest.fixture(scope="module")
def silicon():
    pattern = read(of_others.file("xrd-rigaku-ras-nims", "XRD_RIGAKU.ras"))
    return pattern, pawley.fit_geometries(pattern, STRUCTURES["Si"])


def test_lattice_parameter_of_nist_lab6(lab6):
    """SRM 660c, certified on the wavelengths of Hoelzer 1997, as the file's are."""
    pattern, fits = lab6
    assert pattern.attrs["wavelength_kalpha1"] == 1.5405929
    lattice = lattice_parameters(fits)
    (value, low, high), found = lattice.intervals["a"], lattice.by_geometry
    assert abs(value - LAB6) < 2e-4
    assert low < LAB6 < high
    assert high - low < 8e-4  # nothing of the goniometer's zero is known
    assert found.weight.sel(geometry="displacement").item() > 0.95  # 130 degree tell it from a zero shift
    # NIST's analysis of the same file has the sample 0.079 mm too low or high; the sign is a convention
    assert abs(found["displacement"].sel(geometry="displacement").item()) == pytest.approx(0.0788, abs=0.015)


def test_pattern_of_nist_lab6_is_explained(lab6):
    _, fits = lab6
    curves = fits["displacement"].curves
    misfit, whole = (
        float(((part / curves.standard_uncertainty) ** 2).sum())
        for part in (curves.intensity - curves.fit, curves.intensity)
    )
    assert np.sqrt(misfit / whole) < 0.1  # the weighted R factor
    found = fits["displacement"].reflections
    strongest = found.isel(reflection=int(np.argmax(found.area.to_numpy())))
    assert [int(strongest[name]) for name in "hkl"] == [1, 1, 0]
    assert found.fwhm.to_numpy() == pytest.approx(np.sort(found.fwhm.to_numpy()), abs=0.01)  # wider at higher angles


def test_lattice_parameter_of_silicon(silicon):
    """Three reflections, 25 to 60 degree: the interval is mostly the choice between displacement and zero shift."""
    _, fits = silicon
    lattice = lattice_parameters(fits)
    (_, low, high), found = lattice.intervals["a"], lattice.by_geometry
    assert low < SI < high
    assert high - low < 3e-3  # three lines do not tell the shift by a flat specimen from the cell
    found = found.sel(geometry=["displacement", "zero"])
    assert (found.weight > 0.05).all()
    spread = abs(found.estimate.diff("geometry").item())
    assert spread > found.standard_error.max().item() / 2  # the error of one fit says too little
    assert fits["displacement"].redchi == pytest.approx(1.1, abs=0.15)
