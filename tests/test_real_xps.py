"""Real XPS recordings: clean gold, and FeO beside CasaXPS."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import of_others
from coldbond import read
from coldbond.files.spectrum import spectrum
from coldbond.interval import NORMAL
from coldbond.xps.components import Component, Line
from coldbond.xps.fit import fit

GOLD = "xps-au4f-lmfitxps/clean_Au_4f.csv"
FEO = "xps-vamas-kratos-specs/FeO_analyzed.vms"

#: CasaXPS 2.3.25 on the same file: binding energies of 2p3/2, its satellite, 2p1/2, its satellite.
CASA = {"main": 709.03, "satellite": 715.73, "main_1_2": 722.18, "second": 730.22}


@pytest.fixture(scope="module")
def gold() -> xr.Dataset:
    """Counts over the kinetic energy at a photon energy of 180 eV; the absolute scale is not calibrated."""
    kinetic, counts = np.loadtxt(of_others.file(GOLD), delimiter=",").T
    return spectrum(Path(GOLD), "xps", 180 - kinetic, counts, one_count=1.0)


def doublet(region: xr.Dataset, background: str, shape: str) -> tuple[float, float, float, float]:
    """Splitting and area ratio of Au 4f, each with its standard deviation."""
    top = float(region.binding_energy[region.intensity.to_numpy().argmax()])
    both = [Component("f7", "4f7/2", top), Component("f5", "4f5/2", top + 3.5)]
    line = Line(fwhm=(0.5, 0.3), lorentzian=(0.3, 0.1), asymmetry=(0.05, 0.05))
    result = fit(region, both, background, shape, line=line)

    def covariance(kind: str) -> np.ndarray:
        at = [result.var_names.index(f"{key}_{kind}") for key in ("f5", "f7")]
        return result.covar[np.ix_(at, at)]

    apart = result.params["f5_position"].value - result.params["f7_position"].value
    ratio = result.params["f5_area"].value / result.params["f7_area"].value
    slope = np.array([1, -ratio]) / result.params["f7_area"].value
    deviations = np.sqrt([np.array([1, -1]) @ covariance("position") @ [1, -1], slope @ covariance("area") @ slope])
    return apart, float(deviations[0]), ratio, float(deviations[1])


@pytest.mark.parametrize("shape", ["doniach", "voigt", "gl sum"])
@pytest.mark.parametrize("background", ["active shirley", "active tougaard"])
def test_splitting_of_clean_gold(gold, background, shape):
    apart, deviation, _, _ = doublet(gold, background, shape)
    assert apart == pytest.approx(3.67, abs=0.01)
    assert abs(apart - 3.67) < NORMAL * deviation < 0.04  # residuals of 20 times the counting


def test_area_ratio_of_clean_gold(gold):
    """0.70, not the 3 : 4 of the multiplicities, whichever the background: at 180 eV it need not be.

    The two lines leave with about 92 and 88 eV. So near threshold their cross-sections, the analyser's transmission
    and photoelectron diffraction differ, and the surface's own line, 0.4 eV lower and unresolved here (hence residuals
    of 20 times the counting), is another share of each. A trial fit with lmfitxps gave 0.702(7).
    """
    found = [doublet(gold, background, "doniach")[2:] for background in ("active shirley", "active tougaard")]
    for ratio, deviation in found:
        assert ratio == pytest.approx(0.702, abs=NORMAL * np.hypot(deviation, 0.007))
        assert deviation < 0.05
    (shirley, deviation), (tougaard, _) = found
    assert 0 < tougaard - shirley < 4 * deviation  # the background moves it as far as its own uncertainty


@pytest.fixture(scope="module")
def iron() -> xr.Dataset:
    region = read(of_others.file(FEO))["Fe 2p"].to_dataset()
    window = region.sel(binding_energy=slice(699.85, 749.1))  # of the analysis in the file
    return window.coarsen(binding_energy=5, boundary="trim").mean(keep_attrs=True)


def positions(region: xr.Dataset, shape: str, asymmetry: tuple[float, float] | None = None) -> dict[str, float]:
    given = [Component(key, key, CASA[key], 1.0, fwhm=(w, 1.0)) for key, w in zip(CASA, (3.9, 8, 4.8, 8), strict=True)]
    line = Line(lorentzian=(0.8, 0.05), asymmetry=asymmetry)
    result = fit(region, given, "active shirley", shape, line=line, reference_uncertainty=0.5)
    return {key: result.params[f"{key}_position"].value for key in CASA}


def test_iron_beside_casaxps(iron):
    """The lines are tailed multiplets, and where one lies depends on the shape that stands for them.

    CasaXPS took asymmetric Lorentzians for the main lines and symmetric ones for the satellites, whose widths (at most
    8 eV) and positions it held between limits. A symmetric shape puts the main lines where they are highest, 0.1 to
    1.2 eV above; with a tail of its own each they come to within 1 eV. The satellites trade against the tails: 3 eV
    is what they are worth.
    """
    symmetric = positions(iron, "gl sum")
    tailed = positions(iron, "doniach", (0.2, 0.1))
    for key in ("main", "main_1_2"):
        assert 0.1 < symmetric[key] - CASA[key] < 1.3
        assert abs(tailed[key] - CASA[key]) < 1.0
    for key in ("satellite", "second"):
        assert abs(symmetric[key] - CASA[key]) < 3.1 and abs(tailed[key] - CASA[key]) < 3.1
    for found in (symmetric, tailed):
        assert found["main_1_2"] - found["main"] == pytest.approx(CASA["main_1_2"] - CASA["main"], abs=1.2)
