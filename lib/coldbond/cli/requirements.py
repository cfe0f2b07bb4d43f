"""What the figures need of the recordings of each role: constants, and words in the state.

The technique of a role is in `coldbond.bundle.manifest.TECHNIQUES`, and docs of the roles in raw/README.md.
"""

from typing import NamedTuple

from coldbond.impedance.trend import FEWEST_CYCLES

__all__ = ["FEWEST", "NEEDED", "OVER_CYCLES", "WANTED", "Constant", "columns"]


class Constant(NamedTuple):
    """A constant of the manifest that an analysis uses.

    Attributes
    ----------
    column : str
        Of the manifest.
    without : str
        What is missing without it.
    """

    column: str
    without: str


_DENSITY = Constant("area_cm2", "there is no current density, and no figure")
_CONDUCTIVITY = (
    Constant("area_cm2", "there is a resistance but no conductivity"),
    Constant("thickness_cm", "there is a resistance but no conductivity"),
)
#: Without these a figure lacks what it is drawn for.
NEEDED: dict[str, tuple[Constant, ...]] = {
    "ccd": (_DENSITY,),
    "long-cycling": (_DENSITY,),
    "conductivity": _CONDUCTIVITY,
    "electronic": _CONDUCTIVITY,
    "arrhenius": (Constant("temperature_C", "there is no activation energy"),),
}
#: Without these a figure shows less.
WANTED: dict[str, tuple[Constant, ...]] = {
    "full-cell": (Constant("active_mass_mg", "capacities are in mAh, not in mAh/g"),),
    "rate": (Constant("active_mass_mg", "capacities are in mAh, not in mAh/g, and there are no C rates"),),
    "interface": (Constant("area_cm2", "resistances are in ohm, not in ohm cm2"),),
    "conductivity": (Constant("temperature_C", "the conductivity is at an unknown temperature"),),
    "arrhenius": _CONDUCTIVITY,
}
#: Roles whose state names the cycle.
OVER_CYCLES = ("interface", "full-cell-interface")
#: Fewest recordings of a sample, of different states, that a result needs: role, number, what is missing with fewer.
FEWEST = {
    "interface": (FEWEST_CYCLES, "the course of the resistance over the cycles is not judged"),
    "full-cell-interface": (FEWEST_CYCLES, "the course of the resistance over the cycles is not judged"),
    "arrhenius": (2, "there is no activation energy"),
}


def columns(role: str) -> tuple[str, ...]:
    """Return the columns of the constants that the figures of a role use."""
    return tuple(one.column for of_role in (NEEDED, WANTED) for one in of_role.get(role, ()))
