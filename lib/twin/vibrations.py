"""True values of the Raman recordings; the analysis must recover them and never reads this file.

The paper (doi 10.1002/adma.202212096, figure 2g) shows the bands of LLZ on both surfaces and an InN peak on one,
without positions. Those of the garnet follow Tietz et al. (2013, doi 10.1016/j.ssi.2012.10.021). Those of InN are the
strain-free 490.1 and 585.4 1/cm (Wang et al. 2006, doi 10.1063/1.2364884), lowered as in sputtered films, whose A1(LO)
lies at 578 to 583 1/cm (Amirhoseiny et al. 2011, doi 10.1155/2011/579427), and broad as in small crystallites.
"""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Band:
    """A band of a Raman spectrum before the instrument broadens it."""

    position: float  # of the maximum, 1/cm
    width: float  # full width at half maximum, 1/cm
    height: float  # electrons per pixel in the whole exposure
    skew: float = 0.0  # of the width, cm; positive for a tail to lower shifts (Stancik & Brauns 2008)


GARNET = (
    Band(108.0, 13.0, 5200.0),
    Band(122.5, 15.0, 4100.0),
    Band(248.0, 66.0, 3300.0, 0.006),
    Band(367.0, 66.0, 4300.0, 0.005),
    Band(416.0, 48.0, 1100.0),
    Band(514.0, 60.0, 750.0),
    Band(641.5, 62.0, 6000.0, 0.007),
    Band(728.0, 50.0, 1900.0, -0.004),
)

INN = {"E2(high)": Band(487.8, 15.0, 1500.0), "A1(LO)": Band(583.2, 29.0, 1900.0)}


@dataclass(frozen=True)
class Surface:
    """The light of a surface under the laser."""

    bands: tuple[Band, ...]
    fluorescence: tuple[float, float, float]  # maximum [electrons per pixel], its shift and width [1/cm]


LLZ = Surface(GARNET, (11000.0, 2300.0, 1700.0))
# 130 nm of InN (from the paper) absorb most of the green light on its way to the garnet and back.
INN_LLZ = Surface(
    (*(replace(band, height=0.38 * band.height) for band in GARNET), *INN.values()), (8200.0, 2700.0, 2100.0)
)

LASER = 532.006  # nm in air; the instrument assumes 532.00
