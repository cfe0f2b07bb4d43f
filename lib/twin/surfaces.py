"""True values of the XPS recordings; those of the paper (doi 10.1002/adma.202212096) are marked P.

The analysis must recover them and never reads this file. Where the literature conflicts with the paper (N 1s of
Li3N, which others find at 396.1 eV: doi 10.1038/s41467-023-41441-0; the order of Li3N and Li2O), the paper is
followed. Cross-sections are Scofield's for Al K-alpha relative to C 1s (J. Electron Spectrosc. 8, 129, 1976, doi
10.1016/0368-2048(76)80015-1); natural widths are about those of Campbell and Papp (2001, doi 10.1006/adnd.2000.0848),
the lower partner of a doublet being the broader one for its Coster-Kronig decay.

Amounts are relative numbers of atoms within a surface. The paper gives no fractions; they are chosen such that what it
states of each spectrum can be found by a fit but not by eye.
"""

from dataclasses import replace
from typing import Any

from twin.photoemission import Level, Line, Medium, Scan, Surface

LI_1S = Level("Li 1s", 0.0568, (0.05,))
C_1S = Level("C 1s", 1.0, (0.10,))
N_1S = Level("N 1s", 1.80, (0.12,))
O_1S = Level("O 1s", 2.93, (0.16,))
ZR_4S = Level("Zr 4s", 0.40, (2.0,))
ZR_3D = Level("Zr 3d", 7.04, (0.09, 0.15), splitting=2.40, share=4.17 / 7.04)
IN_3D = Level("In 3d", 22.54, (0.36, 0.42), splitting=7.55, share=13.32 / 22.54)

# Gaps and oscillators [eV] after the loss functions of an oxide, of InN (plasmon 15.5), of Li-In (about 9.5, between
# Li's 7.1 and In's 11.4) in Li3N, and of Li under its oxide, all broad; none is measured on these samples.
GARNET = Medium(5.5, ((13.5, 6.0, 0.25), (25.0, 13.0, 1.0), (38.0, 15.0, 0.35)), path=1.9)
NITRIDE = Medium(0.7, ((6.0, 10.0, 0.4), (15.5, 7.0, 1.0), (26.0, 14.0, 0.5)), path=2.0)
MIXED = Medium(0.3, ((5.0, 9.0, 0.18), (9.5, 6.5, 0.3), (19.0, 10.0, 1.0), (32.0, 16.0, 0.4)), path=2.6)
LITHIUM = Medium(0.3, ((7.3, 4.0, 0.35), (18.0, 9.0, 1.0)), path=3.0)


def carbon(hydrocarbon: float, ether: float, carbonate: float) -> tuple[Line, ...]:
    """Return adventitious carbon, the reference of the energy scale, and its oxidised states."""
    return (
        Line(C_1S, "C-C", 284.8, hydrocarbon, gaussian=0.95, in_carbon=True),
        Line(C_1S, "C-O", 286.3, ether, gaussian=1.05, in_carbon=True),
        Line(C_1S, "carbonate", 289.8, carbonate, gaussian=1.05, in_carbon=True),
    )


def li3n(amount: float) -> Line:
    """Return Li of Li3N (P) and of Li-In, which the paper does not distinguish."""
    return Line(LI_1S, "Li3N", 55.2, amount, gaussian=0.58)


def li2o(amount: float, deep: float = 6.0) -> Line:
    """Return Li of the oxide (P), near the surface."""
    return Line(LI_1S, "Li2O", 55.9, amount, gaussian=0.62, layer=(0.0, deep))


def li0(amount: float) -> Line:
    """Return metallic Li, at lower energy than Li3N as in the paper; less asymmetric than bulk Li (reported: 0.23)."""
    return Line(LI_1S, "Li0", 54.6, amount, gaussian=0.48, asymmetry=0.10)


def zr4(amount: float, **where: Any) -> tuple[Line, Line]:
    """Return Zr4+ of the garnet: the 3d doublet, and 4s, which lies in the region of Li 1s."""
    return (
        Line(ZR_3D, "Zr4+", 181.9, amount, gaussian=0.95, **where),
        Line(ZR_4S, "Zr 4s", 51.9, amount, gaussian=1.2, **where),
    )


# In 3d5/2 of InN, and of Li-In at lower energy: the lower the more Li it holds (P: "to varying degrees", without
# values; shifts of some tenths of an eV to 1 eV are reported for Li-In). InN is slightly asymmetric, since it is
# degenerate.
IN_INN = Line(IN_3D, "InN", 443.5, 0.0, gaussian=0.62, asymmetry=0.03)
IN_LI_IN = Line(IN_3D, "Li-In", 442.8, 0.0, gaussian=0.55, asymmetry=0.07)
N_INN = Line(N_1S, "InN", 396.4, 0.0, gaussian=0.80)
N_LI3N = Line(N_1S, "Li3N", 398.5, 0.0, gaussian=1.00)  # P
O_LATTICE = Line(O_1S, "lattice", 529.4, 0.0, gaussian=1.00)
O_LI2O = Line(O_1S, "Li2O", 528.6, 0.0, gaussian=0.95)
O_CARBONATE = Line(O_1S, "carbonate", 531.8, 0.0, gaussian=1.25)


def scans(*regions: str, **changed: dict[str, Any]) -> tuple[Scan, ...]:
    """Return the regions of one file with the usual settings, changed by keywords such as `Li_1s={"low": 45.0}`."""
    usual = {
        "C 1s": Scan("C 1s", 279.0, 295.0, 0.1, sweeps=8, dwell=0.1),
        "Li 1s": Scan("Li 1s", 49.0, 62.0, 0.05, sweeps=40, dwell=0.1),
        "N 1s": Scan("N 1s", 391.0, 404.0, 0.1, sweeps=12, dwell=0.1),
        "O 1s": Scan("O 1s", 524.0, 538.0, 0.1, sweeps=3, dwell=0.1),
        "In 3d": Scan("In 3d", 438.0, 455.5, 0.1, sweeps=2, dwell=0.1),
        "Zr 3d": Scan("Zr 3d", 175.0, 189.0, 0.05, sweeps=8, dwell=0.1),
    }
    return tuple(replace(usual[region], **changed.get(region.replace(" ", "_"), {})) for region in regions)


def of(line: Line, amount: float, **changed: Any) -> Line:
    """Return a line with an amount."""
    return replace(line, amount=amount, **changed)


# By sample and state. Bare LLZ carries carbonate, formed in air.
SURFACES = {
    ("LLZ", "pristine"): Surface(
        GARNET,
        (
            *carbon(1.5, 0.45, 0.65),
            Line(LI_1S, "Li2CO3", 55.1, 2.0, gaussian=0.95, layer=(0.0, 2.0)),
            Line(LI_1S, "LLZ", 54.9, 0.72, gaussian=1.0),
            *zr4(0.16),
            of(O_LATTICE, 1.37),
            of(O_CARBONATE, 2.6, layer=(0.0, 2.0)),
        ),
        scans("C 1s", "O 1s", "Li 1s", "Zr 3d", Li_1s={"low": 45.0}),
        carbon=0.9,
        pass_energy=20.0,
        charge=0.55,
        uneven=0.08,
        flux=9000.0,
    ),
    ("InN-LLZ", "pristine"): Surface(
        NITRIDE,
        (*carbon(1.5, 0.35, 0.10), of(IN_INN, 0.36), of(N_INN, 0.36)),
        scans("C 1s", "In 3d", "N 1s"),
        carbon=0.7,
        charge=0.12,
        uneven=0.03,
    ),
    # A part of the InN remains (P), the same share of its In and of its N; and there is Li0 (P).
    ("HT-MCL-LLZ", "pristine"): Surface(
        MIXED,
        (
            *carbon(1.4, 0.40, 0.30),
            li0(0.17),
            li3n(0.40),
            li2o(0.40),
            of(IN_INN, 0.042),
            of(IN_LI_IN, 0.098, position=443.0),
            of(N_INN, 0.042),
            of(N_LI3N, 0.098),
            of(O_LI2O, 0.20, layer=(0.0, 6.0)),
            of(O_CARBONATE, 0.12, layer=(0.0, 4.0)),
        ),
        scans("C 1s", "Li 1s", "In 3d", "N 1s", "O 1s"),
        pass_energy=20.0,
        charge=-0.02,  # the remainder: Avantage set C 1s, with its uneven charge, to 284.83
        uneven=0.05,
        flux=7000.0,
    ),
    ("RT-MCL-LLZ", "pristine"): Surface(
        MIXED,
        (
            *carbon(1.4, 0.35, 0.25),
            li3n(0.55),
            li2o(0.38),
            of(IN_LI_IN, 0.14),
            of(N_LI3N, 0.14),
            of(O_LI2O, 0.19, layer=(0.0, 6.0)),
            of(O_CARBONATE, 0.10, layer=(0.0, 4.0)),
        ),
        scans("C 1s", "Li 1s", "In 3d", "N 1s", "O 1s"),
        pass_energy=20.0,
        charge=0.42,
        uneven=0.05,
        flux=7000.0,
    ),
    # A quarter of the Zr is reduced (P: present).
    ("LLZ", "after 200 cycles"): Surface(
        GARNET,
        (
            *carbon(1.6, 0.50, 0.75),
            li0(0.25),
            Line(LI_1S, "Li2CO3", 55.1, 1.6, gaussian=0.95, layer=(0.0, 2.0)),
            li2o(0.8, deep=3.0),
            *zr4(0.12),
            Line(ZR_3D, "reduced Zr", 180.4, 0.04, gaussian=1.05),
            of(O_LATTICE, 1.2),
            of(O_CARBONATE, 2.2, layer=(0.0, 2.0)),
        ),
        scans(
            "C 1s",
            "Zr 3d",
            "O 1s",
            "Li 1s",
            C_1s={"fine": (282.5, 292.5)},
            Zr_3d={"fine": (178.5, 188.0)},
            O_1s={"fine": (527.0, 535.0)},
            Li_1s={"low": 45.0, "fine": (49.0, 59.0)},
        ),
        charge=0.71,
        uneven=0.12,
        flux=9000.0,
    ),
    # Zr lies below the rest of the layer; all of it is Zr4+ (P).
    ("RT-MCL-LLZ", "after 200 cycles"): Surface(
        MIXED,
        (
            *carbon(1.5, 0.40, 0.35),
            li3n(0.60),
            li2o(0.45),
            of(IN_LI_IN, 0.11, position=442.9),
            of(N_LI3N, 0.13),
            *zr4(0.20, layer=(3.0, float("inf"))),
        ),
        scans("C 1s", "Li 1s", "In 3d", "N 1s", "Zr 3d", Li_1s={"low": 45.0}, Zr_3d={"sweeps": 12}),
        pass_energy=20.0,
        charge=0.36,
        uneven=0.06,
        flux=7000.0,
    ),
    # The foil conducts: no charging. The layer on it is thin enough to see the metal.
    ("Li", "after 200 cycles"): Surface(
        LITHIUM,
        (
            *carbon(1.5, 0.35, 0.50),
            li0(0.40),
            li3n(0.55),
            li2o(0.70),
            of(IN_LI_IN, 0.030, position=442.7),
            of(N_LI3N, 0.11),
        ),
        scans("C 1s", "Li 1s", "In 3d", "N 1s"),
        pass_energy=20.0,
    ),
}
