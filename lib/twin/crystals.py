"""True values of the diffraction recordings; those of the paper (doi 10.1002/adma.202212096) are marked P.

The analysis must recover them and never reads this file.
"""

from dataclasses import replace

from twin.diffraction import Crystal, Phase, Site
from twin.diffractometer import Layer, Specimen


def atom(symbol: str, x: float, y: float, z: float, b: float, occupancy: float = 1.0) -> Site:
    """Return a site with one element."""
    return Site(((symbol, occupancy),), (x, y, z), b)


def cubic(space_group: str, a: float, *sites: Site) -> Crystal:
    """Return a cubic crystal."""
    return Crystal(space_group, (a, a, a, 90.0, 90.0, 90.0), sites)


# --- crystals ----------------------------------------------------------------------------------------------------

GARNET_SITES = (
    atom("La", 1 / 8, 0, 1 / 4, 0.6),
    Site((("Zr", 0.7), ("Ta", 0.3)), (0, 0, 0), 0.4),
    atom("Li", 3 / 8, 0, 1 / 4, 1.5, 0.54),
    atom("Li", 0.0971, 0.6853, 0.5769, 1.5, 0.40),
    atom("O", -0.0319, 0.0546, 0.1499, 0.8),
)


def garnet(a: float) -> Crystal:
    """Return cubic Li6.4La3Zr1.4Ta0.6O12; positions of Awaka et al. 2011 (doi 10.1246/cl.2011.60)."""
    return cubic("I a -3 d", a, *GARNET_SITES)


SILICON = cubic("F d -3 m:2", 5.43118, atom("Si", 1 / 8, 1 / 8, 1 / 8, 0.46))
# Effenberger and Zemann (1979) Z. Kristallogr. 150, 133, doi 10.1524/zkri.1979.150.14.133
CARBONATE = Crystal(
    "C 1 2/c 1",
    (8.3593, 4.9725, 6.1975, 90.0, 114.83, 90.0),
    (
        atom("Li", 0.1965, 0.4484, 0.8343, 1.1),
        atom("C", 0, 0.0657, 1 / 4, 0.9),
        atom("O", 0, 0.3216, 1 / 4, 1.2),
        atom("O", 0.1460, -0.0657, 0.3125, 1.2),
    ),
)
ZIRCONATE = cubic(
    "F d -3 m:2",
    10.806,
    atom("La", 1 / 2, 1 / 2, 1 / 2, 0.6),
    atom("Zr", 0, 0, 0, 0.4),
    atom("O", 0.3325, 1 / 8, 1 / 8, 0.8),
    atom("O", 3 / 8, 3 / 8, 3 / 8, 0.8),
)
# A sputtered film is strained: a little larger than the bulk (3.538, 5.703 A).
NITRIDE = Crystal(
    "P 63 m c",
    (3.545, 3.545, 5.722, 90.0, 90.0, 120.0),
    (atom("In", 1 / 3, 2 / 3, 0, 0.5), atom("N", 1 / 3, 2 / 3, 0.379, 0.6)),
)

# In dissolves in Li (P) and widens its lattice, by Vegard's rule with the atomic volumes of the metals, 21.6 and 26.2
# A3: 0.07 % of a per at.% In. (Li-rich compounds such as Li13In3 are denser than Li; the paper is followed.)
LI_A, DISSOLVED = 3.5100, 0.020
LI_AFTER_A = LI_A * (1 + DISSOLVED * (26.16 / 21.62 - 1)) ** (1 / 3)


def lithium(a: float, indium: float) -> Crystal:
    """Return lithium with a mole fraction of indium on its sites."""
    return cubic("I m -3 m", a, Site((("Li", 1 - indium), ("In", indium)), (0, 0, 0), 4.5))


# --- samples -----------------------------------------------------------------------------------------------------

PELLET = Phase(garnet(12.9385), size=160.0, strain=2.5e-4, preferred=(2, 1, 1), march=0.93)
CARBONATE_CRUST = Phase(CARBONATE, size=45.0, strain=5e-4, preferred=(0, 0, 1), march=0.8)

LLZ = Specimen((Layer((PELLET,)),), displacement=0.052, extent=11.5)

# 130 nm (P), less than half of it crystalline, with the c axis preferably along the surface normal.
FILM = Layer((Phase(NITRIDE, size=14.0, spread=0.3, strain=2e-3, march=0.80),), thickness=130e-6, packing=0.45)
INN_LLZ = Specimen((FILM, Layer((PELLET,))), displacement=-0.034, extent=11.5)

POWDER = Specimen(
    (Layer((Phase(garnet(12.9472), size=42.0, spread=0.45, strain=6e-4),), packing=0.55),),
    displacement=0.096,
    speed=10.0,
)

STANDARD = Specimen((Layer((Phase(SILICON, size=1500.0, strain=2e-5),), packing=0.6),), displacement=0.021)

# Rolled foil of 450 um (P) under a film of polyimide: X-rays penetrate all of it.
COVER = ((1500.0, 15.0, 3.6), (1100.0, 22.5, 5.0))
LITHIUM = Specimen(
    (Layer((Phase(lithium(LI_A, 0.0), size=250.0, strain=2e-4, preferred=(1, 1, 0), march=0.72),), thickness=0.45),),
    displacement=-0.11,
    extent=11.0,
    fluorescence=60.0,
    air=1500.0,
    humps=COVER,
)
LITHIUM_AFTER = replace(
    LITHIUM,
    layers=(
        Layer(
            (Phase(lithium(LI_AFTER_A, DISSOLVED), size=120.0, strain=6e-4, preferred=(1, 1, 0), march=0.80),),
            thickness=0.45,
        ),
    ),
    displacement=0.15,
)

# Bare LLZ loses its crystallinity and grows other phases; the cold-bonded one keeps both (P).
DAMAGED = Phase(garnet(12.9512), fraction=0.95, size=38.0, spread=0.45, strain=1.1e-3)
ZIRCONATE_GRAINS = Phase(ZIRCONATE, fraction=0.05, size=22.0, strain=1e-3)
CYCLED_LLZ = Specimen(
    (Layer((CARBONATE_CRUST,), thickness=1.5e-3), Layer((DAMAGED, ZIRCONATE_GRAINS))),
    displacement=0.118,
    extent=11.5,
    unknown=((2.170, 160.0, 25.0),),
)
KEPT = replace(PELLET, crystal=garnet(12.9401), size=130.0, strain=3.2e-4)
CYCLED_RT_MCL_LLZ = Specimen(
    (Layer((CARBONATE_CRUST,), thickness=0.25e-3), Layer((KEPT,))), displacement=-0.071, extent=11.5
)
