"""Core levels and chemical states that are fitted in each XPS region, with their reference positions.

Positions are binding energies of the main line (3d5/2 of a 3d) in eV, after Chen et al. (2023,
doi 10.1002/adma.202212096) unless another source is given. `uncertainty` is the standard uncertainty of the position of
that compound between laboratories and samples. A fit uses both as a prior, and reports where the spectrum adds nothing
to it. `conflict` says which other states lie at the same energy, or where the literature disagrees.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from math import inf

#: Core level, sample and number in the name of a region.
REGION = re.compile(r"^(.*?)((?:, .*?)?)(?: \(\d+\))?$")


@dataclass(frozen=True)
class Line:
    """A core level: the properties that are common to all its components.

    Attributes
    ----------
    splitting, ratio : float
        Distance [eV] of the spin-orbit partner at higher binding energy and its area relative to the main line; 0 for a
        singlet.
    sensitivity : float or None
        Scofield's cross-section of the main line for Al K-alpha, relative to C 1s (Scofield 1976, J. Electron
        Spectrosc. 8, 129, doi 10.1016/0368-2048(76)80015-1).
    fwhm : (float, float)
        Usual full width at half maximum at usual pass energies and its standard uncertainty, eV.
    lorentzian : (float, float)
        Lorentzian width from the lifetime of the core hole and its standard uncertainty, eV, rounded from Campbell and
        Papp (2001, At. Data Nucl. Data Tables 77, 1, doi 10.1006/adnd.2000.0848).
    asymmetry : (float, float) or None
        Asymmetry of metals in the shape "doniach" and its standard uncertainty; None where lines are symmetric.
    """

    splitting: float = 0.0
    ratio: float = 0.0
    sensitivity: float | None = None
    fwhm: tuple[float, float] = (1.2, 0.3)
    lorentzian: tuple[float, float] = (0.1, 0.1)
    asymmetry: tuple[float, float] | None = None


@dataclass(frozen=True)
class Component:
    """A chemical state that a region may show.

    Attributes
    ----------
    key, label : str
        In names of parameters, and in figures.
    position, uncertainty : float
        Reference position and its standard uncertainty, eV; infinite where nothing is known.
    source, conflict : str
        Of the position.
    fwhm : (float, float) or None
        A width of its own with its standard uncertainty, eV; None for that of the region.
    level : str
        Another core level than that of the region, whose area does not count in the shares of the region.
    asymmetry : (float, float) or None
        Its own in the shape "doniach", with its standard uncertainty; None for that of the core level.
    with_region, without_region : str
        The component is fitted only where the recording has this region, or only where it does not.
    """

    key: str
    label: str
    position: float
    uncertainty: float = inf
    source: str = ""
    conflict: str = ""
    fwhm: tuple[float, float] | None = None
    level: str = ""
    asymmetry: tuple[float, float] | None = None
    with_region: str = ""
    without_region: str = ""

    @property
    def tolerance(self) -> float:
        return 3 * self.uncertainty


#: Splittings after Moulder et al. (1992, Handbook of X-ray Photoelectron Spectroscopy): In 3d 7.5 eV, Zr 3d 2.4 eV.
#: Area ratios are those of the multiplicities, 2 : 3 for a 3d.
LINES: Mapping[str, Line] = {
    "Li 1s": Line(sensitivity=0.0568, lorentzian=(0.05, 0.05)),
    "C 1s": Line(sensitivity=1.0),
    "N 1s": Line(sensitivity=1.80),
    "O 1s": Line(sensitivity=2.93, fwhm=(1.5, 0.4), lorentzian=(0.15, 0.1)),
    "In 3d": Line(splitting=7.55, ratio=2 / 3, sensitivity=13.32, lorentzian=(0.4, 0.15), asymmetry=(0.05, 0.1)),
    "Zr 3d": Line(splitting=2.4, ratio=2 / 3, sensitivity=4.17),
    "La 3d": Line(sensitivity=28.12),
    "Ta 4f": Line(sensitivity=4.82),
}

COMPONENTS: Mapping[str, tuple[Component, ...]] = {
    "Li 1s": (
        Component(
            "Li0",
            "Li⁰",
            54.7,
            0.15,
            "lithium metal, 54.6 to 54.8 eV on the Au-referenced scale",
            "52.5 eV on the scale of C 1s at 284.8 eV; within 0.5 eV of Li3N and of Li2CO3 (55.1 eV)",
            asymmetry=(0.1, 0.1),
        ),
        Component(
            "Li3N",
            "Li₃N",
            55.2,
            0.1,
            "Chen et al. 2023",
            "lattice Li of a garnet and Li2CO3 (55.1 eV) lie at the same energy: Li 1s alone does not prove Li3N",
            with_region="N 1s",
        ),
        Component(
            "LiO",
            "garnet",
            55.0,
            0.15,
            "Li2CO3 55.1 eV on the Au-referenced scale",
            "Li3N (55.2 eV) lies at the same energy and is fitted only where there is an N 1s region",
            without_region="N 1s",
        ),
        Component(
            "Li2O",
            "Li₂O",
            55.9,
            0.1,
            "Chen et al. 2023; 55.8 eV on the Au-referenced scale",
            "53.7 eV on the scale of C 1s at 284.8 eV, below Li3N; LiOH (55.8 eV) lies at the same energy",
        ),
        Component(
            "Zr4s",
            "Zr 4s",
            52.0,
            0.4,
            "Moulder et al. 1992",
            "overlaps Li metal on the scale of C 1s at 284.8 eV (52.5 eV)",
            fwhm=(2.5, 0.5),
            level="Zr 4s",
        ),
    ),
    "In 3d": (
        Component(
            "InN",
            "InN",
            443.5,
            0.15,
            "443.4 to 443.5 eV",
            "In metal lies at 443.75 eV, too near for 3d5/2 alone to distinguish them; In2O3 lies at 444.7 eV",
        ),
        Component(
            "LiIn",
            "Li–In",
            442.9,
            0.25,
            "below InN (Chen et al. 2023); the position falls with the lithium content",
            "no accepted reference position",
        ),
    ),
    "N 1s": (
        Component(
            "InN",
            "InN",
            396.4,
            0.25,
            "396 to 397 eV",
            "Li3N lies at 396.1 eV in Nat. Commun. 2023 (doi 10.1038/s41467-023-41441-0): a peak here may be either",
        ),
        Component(
            "Li3N",
            "Li₃N",
            398.5,
            0.25,
            "Chen et al. 2023",
            "396.1 eV in Nat. Commun. 2023 (doi 10.1038/s41467-023-41441-0); imides and amides lie at 398.5 eV",
        ),
    ),
    "Zr 3d": (
        Component("Zr4", "Zr⁴⁺", 182.0, 0.2, "181.7 to 182.2 eV in garnets; ZrO2 182.3 eV"),
        Component(
            "ZrReduced",
            "reduced Zr",
            180.3,
            0.4,
            "suboxides 179 to 181.8 eV, metal 178.9 eV",
            "the oxidation state does not follow from the position alone",
            asymmetry=(0.05, 0.1),
        ),
    ),
    "O 1s": (
        Component("O2", "O²⁻", 529.3, 0.8, "oxides 528.5 (Li2O) to 530 eV"),
        Component("OC", "CO₃²⁻, OH", 531.8, 0.5, "carbonates, hydroxides 531 to 532 eV", fwhm=(1.5, 0.3)),
    ),
    "C 1s": (
        Component("CC", "C–C, C–H", 284.8, 0.1, "convention; adventitious carbon lies at 284.0 to 286.7 eV"),
        Component("CO", "C–O", 286.3, 0.2, "Moulder et al. 1992"),
        Component("CO3", "CO₃²⁻, O–C=O", 289.4, 0.5, "carbonates 289 to 290 eV, carboxyls 288.5 to 289 eV"),
    ),
}

#: Other positions reported for a compound, drawn beside the reference: region, component, eV, source.
OTHER_POSITIONS = (
    ("N 1s", "Li3N", 396.1, "Nat. Commun. 2023, doi 10.1038/s41467-023-41441-0"),
    ("Li 1s", "Li0", 52.5, "C 1s at 284.8 eV"),
    ("Li 1s", "Li2O", 53.7, "C 1s at 284.8 eV"),
)


def level(region: str) -> str:
    """Return the core level of a region: "C 1s" of "C 1s, LLZ (2)", the second of a sample in a file of several."""
    return REGION.sub(r"\1", region)


def expected_components(region: str, regions: Collection[str]) -> tuple[Component, ...]:
    """Return the components that are fitted in a region of a recording that holds these regions."""
    sample = REGION.sub(r"\2", region)
    held = {level(other) for other in regions if REGION.sub(r"\2", other) == sample}
    return tuple(
        c
        for c in COMPONENTS[level(region)]
        if (not c.with_region or c.with_region in held) and (not c.without_region or c.without_region not in held)
    )
