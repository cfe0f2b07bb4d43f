"""Measured energies of the same reactions, to compare computed ones with.

They are calorimetric enthalpies of formation at 298 K, or free energies at 25 degree Celsius from the equilibrium
voltages of an alloy electrode against lithium, E = -V for one lithium. Enthalpies at 298 K and energies at 0 K differ
by some 0.01 to 0.02 eV/atom.
"""

from typing import NamedTuple

import xarray as xr

from coldbond.reaction_energy.reactions import composition, hull, reactions

KJ = 1 / 96.485  # eV per atom in 1 kJ/mol
LI3N = -164.6  # kJ/mol, enthalpy of formation of Li3N: J. Chem. Thermodyn. 1978, heat capacity of Li3N


class Measured(NamedTuple):
    """A measured energy of the products of a reaction [eV per atom of the products]."""

    product: str
    energy: float
    source: str
    disputed: bool = False


def _exchange(nitride: str, enthalpy: float, source: str, disputed: bool = False) -> Measured:
    """Return the energy of MN + 3 Li -> Li3N + M, five atoms, from the enthalpy of formation of MN [kJ/mol]."""
    return Measured(
        nitride, (LI3N - enthalpy) * KJ / 5, f"{nitride} {enthalpy:.1f}, Li3N {LI3N} kJ/mol: {source}", disputed
    )


#: Enthalpies of formation at 298 K, or free energies at 25 °C where the source gives voltages.
MEASURED = (
    Measured("LiIn", -0.62 / 2, "0.62 V: Santhosha et al. 2019, doi 10.1002/batt.201800149"),
    Measured("LiZn", -15.3 * KJ, "-15.3(5) kJ/mol of atoms: J. Chem. Thermodyn. 103, 374 (2016)"),
    Measured("LiAg", -12.1 * KJ, "-12.1(3) kJ/mol of atoms: Dębski et al. 2018, J. Alloys Compd."),
    Measured("LiAl", -20.7 * KJ, "-20.7(5) kJ/mol of atoms: J. Alloys Compd. 586, 703 (2014)"),
    Measured("Li3Al2", -19.1 * KJ, "-19.1(4) kJ/mol of atoms: J. Alloys Compd. 586, 703 (2014)"),
    Measured(
        "Li5Sn2",
        -(0.4 * 0.760 + 0.6 * 0.660 + 4 / 3 * 0.530 + 1 / 6 * 0.485) / 3.5,
        "0.760, 0.660, 0.530, 0.485 V: Huggins 2011, doi 10.1002/9783527637188.ch14",
    ),
    _exchange("InN", -28.6, "calorimetry, Ranade et al. 2001, doi 10.1557/JMR.2001.0389"),
    _exchange("InN", -36.3, "decomposition at high pressure, J. Cryst. Growth 310, 473 (2008)"),
    _exchange("InN", -138.0, "decomposition at low pressure, older tables, recalled", disputed=True),
    _exchange("AlN", -311.1, "calorimetry, McHale et al. 1999, doi 10.1021/cm981096n"),
)


def computed(energies: xr.Dataset, product: str) -> float:
    """Return the computed energy [eV/atom] of a compound, or of Li3N and the metal that a nitride reacts to."""
    (partner,) = set(composition(product)) - {"Li", "N"}
    if "N" in composition(product):
        return reactions(energies, product)["first"].per("atom")
    return float(hull(energies, partner).formation[product])
