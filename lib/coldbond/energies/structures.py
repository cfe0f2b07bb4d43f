"""Crystals whose energies are compared: prototype, space group, cell and sites.

Each crystal names the source of its cell. "recalled" means that the cell was written down from memory and not checked
against the source; it is only the starting point of the relaxation. In superstructures of the body-centred cubic
lattice the atoms start at the ideal positions of that lattice.

These compounds are missing because their structures are disordered, too large, or not known with certainty: Li2Zn3,
LiZn2, Li2Zn5, LiZn4; Li9Ag4 and Li10Ag3 (gamma brasses); Li9Al4; LiSi, Li12Si7, Li7Si3, Li13Si4, Li17Si4; LiGe, Li7Ge3
and similar ones; Li2Sn5, LiSn, Li7Sn3, Li13Sn5, Li7Sn2, Li17Sn4; Li4Au5. Li and Mg form solid solutions, which LiMg
represents. Li3AlN2 and other nitrides of two metals are missing because the reactions considered form Li3N.
"""

from itertools import cycle
from typing import NamedTuple

Site = tuple[str, float, float, float]


class Crystal(NamedTuple):
    """A crystal before relaxation: cell in angstrom and degree, and the sites of its asymmetric unit.

    If a space group has two origins, the first one is used.
    """

    prototype: str
    group: str
    cell: tuple[float, float, float, float, float, float]
    sites: tuple[Site, ...]
    source: str


WYCKOFF = "Wyckoff 1963, Crystal Structures vol. 1"
RECALLED = "recalled"


def _cubic(prototype: str, group: str, a: float, sites: tuple[Site, ...], source: str = RECALLED) -> Crystal:
    return Crystal(prototype, group, (a, a, a, 90, 90, 90), sites, source)


def _hexagonal(
    prototype: str, group: str, a: float, c: float, sites: tuple[Site, ...], source: str = RECALLED
) -> Crystal:
    return Crystal(prototype, group, (a, a, c, 90, 90, 120), sites, source)


def _caesium_chloride(metal: str, a: float, source: str = RECALLED) -> Crystal:
    return _cubic("CsCl", "Pm-3m", a, (("Li", 0, 0, 0), (metal, 0.5, 0.5, 0.5)), source)


def _zintl(metal: str, a: float, source: str) -> Crystal:
    """Return the NaTl structure: two interpenetrating diamond lattices."""
    return _cubic("NaTl", "Fd-3m", a, (("Li", 0, 0, 0), (metal, 0.5, 0.5, 0.5)), source)


def _layers(metal: str, counts: tuple[int, ...], a: float, c: float, prototype: str, source: str) -> Crystal:
    """Return a stack of layers of the body-centred cubic lattice along [111], in the hexagonal setting.

    `counts` are the numbers of adjacent layers of lithium, of the metal, of lithium, and so on.
    """
    kinds = [kind for kind, count in zip(cycle(("Li", metal)), counts, strict=False) for _ in range(count)]
    if len(kinds) % 3:
        kinds *= 3  # the stacking A, B, C of the layers repeats after three
    columns = cycle(((0.0, 0.0), (2 / 3, 1 / 3), (1 / 3, 2 / 3)))
    sites = tuple((kind, x, y, at / len(kinds)) for at, (kind, (x, y)) in enumerate(zip(kinds, columns, strict=False)))
    return _hexagonal(prototype, "P1", a, c, sites, source)


def _li2ga(metal: str, a: float, b: float, c: float, source: str) -> Crystal:
    sites = ((metal, 0, 1 / 12, 0.25), ("Li", 0, 5 / 12, 0.25), ("Li", 0, 9 / 12, 0.25))
    return Crystal("Li2Ga", "Cmcm", (a, b, c, 90, 90, 90), sites, source)


def _cu15si4(metal: str, a: float, source: str) -> Crystal:
    sites = (("Li", 0.375, 0, 0.25), ("Li", 0.12, 0.16, 0.96), (metal, 0.208, 0.208, 0.208))
    return _cubic("Cu15Si4", "I-43d", a, sites, source)


def _copper(metal: str, a: float) -> Crystal:
    return _cubic("Cu", "Fm-3m", a, ((metal, 0, 0, 0),), WYCKOFF)


def _diamond(metal: str, a: float) -> Crystal:
    return _cubic("C (diamond)", "Fd-3m", a, ((metal, 0, 0, 0),), WYCKOFF)


def _magnesium(metal: str, a: float, c: float) -> Crystal:
    return _hexagonal("Mg", "P6_3/mmc", a, c, ((metal, 1 / 3, 2 / 3, 0.25),), WYCKOFF)


def _wurtzite(metal: str, a: float, c: float, source: str) -> Crystal:
    sites = ((metal, 1 / 3, 2 / 3, 0), ("N", 1 / 3, 2 / 3, 0.379))
    return _hexagonal("ZnS (wurtzite)", "P6_3mc", a, c, sites, source)


STOEHR = "Stöhr and Schäfer 1979, Z. Anorg. Allg. Chem. 453, 5, recalled"
STOEHR_33 = "Stöhr et al. 1978, Z. Naturforsch. 33b, 1434; cell recalled"
STOEHR_34 = "Stöhr et al. 1979, Z. Naturforsch. 34b, 653; cell recalled"
ZINTL = "Zintl and Brauer 1933, Z. Phys. Chem. B 20, 245; cell recalled"

#: Crystals by formula; a word distinguishes two crystals of the same formula.
CRYSTALS = {
    "Li": _cubic("W", "Im-3m", 3.51, (("Li", 0, 0, 0),), WYCKOFF),
    "Li fcc": _copper("Li", 4.33)._replace(source="Berliner et al. 1989, Phys. Rev. B 40, 12086, recalled"),
    "Au": _copper("Au", 4.078),
    "Ag": _copper("Ag", 4.086),
    "Al": _copper("Al", 4.050),
    "Cu": _copper("Cu", 3.615),
    "Fe": _cubic("W", "Im-3m", 2.866, (("Fe", 0, 0, 0),), WYCKOFF),
    "Zn": _magnesium("Zn", 2.665, 4.947),
    "Mg": _magnesium("Mg", 3.209, 5.211),
    "In": Crystal("In", "I4/mmm", (3.253, 3.253, 4.946, 90, 90, 90), (("In", 0, 0, 0),), WYCKOFF),
    "Sn alpha": _diamond("Sn", 6.489),
    "Sn beta": Crystal("Sn", "I4_1/amd", (5.831, 5.831, 3.182, 90, 90, 90), (("Sn", 0, 0, 0),), WYCKOFF),
    "Si": _diamond("Si", 5.431),
    "Ge": _diamond("Ge", 5.658),
    "LiAu3": _cubic("Cu3Au", "Pm-3m", 3.97, (("Li", 0, 0, 0), ("Au", 0, 0.5, 0.5))),
    "LiAu": _caesium_chloride("Au", 3.10),
    "Li3Au": _cubic(
        "BiF3", "Fm-3m", 6.30, (("Au", 0, 0, 0), ("Li", 0.25, 0.25, 0.25), ("Li", 0.5, 0.5, 0.5)), RECALLED
    ),
    "Li15Au4": _cu15si4("Au", 10.76, RECALLED),
    "LiAg": _caesium_chloride("Ag", 3.17),
    "LiZn": _zintl("Zn", 6.21, ZINTL),
    "LiMg": _caesium_chloride("Mg", 3.49),
    "LiFe": _caesium_chloride("Fe", 2.95, "not known to exist"),
    "LiAl": _zintl("Al", 6.37, ZINTL),
    "Li3Al2": _layers("Al", (3, 2), 4.508, 14.26, "Li3Al2", "Tebbe et al. 2007, Z. Naturforsch. 62b, 1457, recalled"),
    "Li2Al": _li2ga("Al", 4.658, 9.767, 4.490, "Puhakainen et al. 2010, J. Solid State Chem.; cell recalled"),
    "LiIn": _zintl("In", 6.80, ZINTL),
    "Li5In4": _layers("In", (3, 2, 2, 2), 4.75, 8.95, "Li5Ga4", STOEHR),
    "Li3In2": _layers("In", (3, 2), 4.76, 14.75, "Li3Al2", STOEHR_34),
    "Li2In": _li2ga("In", 4.763, 10.026, 4.761, STOEHR_33),
    "Li13In3": _cubic(
        "Li13In3",
        "Fd-3m",
        13.556,
        (
            ("In", 0.5, 0.5, 0.5),
            ("In", 0.125, 0.125, 0.125),
            ("Li", 0, 0, 0),
            ("Li", 0.625, 0.625, 0.625),
            ("Li", 0.375, 0.375, 0.375),
            ("Li", 0.25, 0, 0),
        ),
        STOEHR_33,
    ),
    "Li5Sn2": _layers("Sn", (5, 2), 4.74, 19.83, "Li5Sn2", "Frank et al. 1975, Z. Naturforsch. 30b, recalled"),
    "Li15Si4": _cu15si4("Si", 10.63, "Obrovac and Christensen 2004, doi 10.1149/1.1652421"),
    "Li15Ge4": _cu15si4("Ge", 10.78, "Johnson et al. 1965, Acta Cryst. 18, 131, recalled"),
    "Li3N": _hexagonal(
        "Li3N",
        "P6/mmm",
        3.648,
        3.875,
        (("N", 0, 0, 0), ("Li", 0, 0, 0.5), ("Li", 1 / 3, 2 / 3, 0)),
        "Rabenau and Schulz 1976, doi 10.1016/0022-5088(76)90263-0",
    ),
    "InN": _wurtzite("In", 3.538, 5.703, "Paszkowicz et al. 2003, recalled"),
    "AlN": _wurtzite("Al", 3.111, 4.978, WYCKOFF),
    "Cu3N": _cubic("ReO3 (anti)", "Pm-3m", 3.819, (("N", 0, 0, 0), ("Cu", 0.5, 0, 0)), RECALLED),
    "Sn3N4": _cubic(
        "MgAl2O4",
        "Fd-3m",
        9.037,
        (("Sn", 0, 0, 0), ("Sn", 0.625, 0.625, 0.625), ("N", 0.3824, 0.3824, 0.3824)),
        "Scotti et al. 1999, Z. Anorg. Allg. Chem. 625, 1435, recalled",
    ),
}
