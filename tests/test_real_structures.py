"""Measured patterns with nothing but a CIF: cells that others refined, and fractions that others weighed."""

import pytest

import of_others
from coldbond.files import read
from coldbond.xrd import analysis, pawley, rietveld
from coldbond.xrd.lattice import lattice_parameters
from coldbond.xrd.structure_files import Structures
from independent.powder import CRYSTALS, cif

NAMES = {"corundum": "Al2O3", "fluorite": "CaF2", "zincite": "ZnO", "fluorapatite": "fluorapatite", "silicon": "Si"}
CU = (1.5405929, 1.5444274)
#: Cells: Kihara and Donnay 1985; GSAS, at its wavelengths; NIST SRM 676 and 640. Angstrom.
CELLS = {
    "zincite": ("xrd-cpd-roundrobin/zincite.prn", CU, {"a": 3.2499, "c": 5.2066}),
    "fluorapatite": ("xrd-fluorapatite-gsas/FAP.XRA", (1.5405, 1.5443), {"a": 9.371724, "c": 6.885867}),
    "silicon": ("xrd-rigaku-ras-nims/XRD_RIGAKU.ras", None, {"a": 5.4311}),
}
#: Weighed, percent: Madsen et al. 2001, J. Appl. Cryst. 34, 409.
WEIGHED = {
    "1e": {"corundum": 55.12, "zincite": 15.25, "fluorite": 29.62},
    "1g": {"corundum": 31.37, "zincite": 34.21, "fluorite": 34.42},
}


@pytest.fixture(scope="module")
def known(tmp_path_factory):
    folder = tmp_path_factory.mktemp("raw")
    (folder / "structures").mkdir()
    for name, crystal in NAMES.items():
        (folder / "structures" / f"{name}.cif").write_text(cif(CRYSTALS[crystal], name))
    return Structures(folder)


@pytest.mark.parametrize("name", CELLS)
def test_a_cif_gives_the_cell_that_others_refined(name, known):
    file, wavelength, cell = CELLS[name]
    options = {"technique": "xrd", "wavelength": wavelength} if wavelength else {}
    found = lattice_parameters(pawley.fit_geometries(read(of_others.file(file), **options), known[name])).intervals
    for parameter, truth in cell.items():
        _, low, high = found[parameter]
        assert low <= truth <= high and high - low < 8e-4 * truth, parameter


@pytest.mark.parametrize("mixture", WEIGHED)
def test_weighed_mixtures(mixture, known):
    scan = read(of_others.file(f"xrd-cpd-roundrobin/cpd-{mixture}.prn"), technique="xrd", wavelength=CU)
    weighed = WEIGHED[mixture]
    found = rietveld.fit(scan, [known[name] for name in weighed], monochromator=26.6)
    for name, truth in weighed.items():
        _, low, high = found.shares[name]
        assert low <= truth <= high and high - low < 6, name
    if mixture == "1e":
        cell = lattice_parameters(
            analysis.analyse(
                scan.sel(two_theta=slice(20, 100)),
                known["corundum"],
                [known["zincite"], known["fluorite"]],
                mixture=found,
            ).fits
        ).intervals
        assert cell["a"].low <= 4.7592 <= cell["a"].high and cell["c"].low <= 12.992 <= cell["c"].high
