"""Crystal structures, as published, of the phases that diffraction of a coated and cycled garnet may show.

Each structure holds space group, cell and asymmetric unit; `reflections` calculates its powder pattern. Two standards
for the profile of the instrument, Si and LaB6, stand beside them. Half widths of the lattice parameters
(`uncertainty`) and displacements are typical values, each with its reason. `structure_files` reads further structures
from files.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple


class Site(NamedTuple):
    """Atoms on one crystallographic position.

    Attributes
    ----------
    label : str
        Element and Wyckoff position.
    elements : dict of str to float
        Occupancy by element.
    x, y, z : float
        Fractional coordinates of one of its atoms.
    displacement : float, optional
        Isotropic mean square displacement [angstrom^2]; None for that of the structure.
    """

    label: str
    elements: dict[str, float]
    x: float
    y: float
    z: float
    displacement: float | None = None


@dataclass(frozen=True, eq=False)  # compared by identity: hashable, so that reflections can be cached by structure
class Structure:
    """A crystal structure at room temperature.

    Attributes
    ----------
    name : str
        Formula.
    space_group : str
        Hermann-Mauguin symbol as gemmi knows it, with origin choice 2 (at the inversion centre) where there are two.
    cell : tuple of float
        a, b, c [angstrom], alpha, beta, gamma [degree].
    sites : tuple of Site
        The asymmetric unit.
    source : str
        Author, year, and doi or journal.
    uncertainty : float
        Relative half width of the range in which the lattice parameters of such a phase lie in practice, because of
        composition, temperature and strain.
    displacement : float
        Isotropic mean square displacement of the atoms [angstrom^2], typical of the class of compounds.
    texture_axis : tuple of int, optional
        Normal of the lattice planes that tend to lie parallel to the surface; None where no habit is known.
    texture : float
        March coefficient about that axis: 1 without texture, below 1 where the planes lie parallel to the surface.
    files : tuple of (str, str)
        Name and sha256 of each file that the structure was read from.
    """

    name: str
    space_group: str
    cell: tuple[float, float, float, float, float, float]
    sites: tuple[Site, ...]
    source: str
    uncertainty: float = 0.002
    displacement: float = 0.008
    texture_axis: tuple[int, int, int] | None = None
    texture: float = 1.0
    files: tuple[tuple[str, str], ...] = ()


def _cubic(a: float) -> tuple[float, float, float, float, float, float]:
    return a, a, a, 90.0, 90.0, 90.0


STRUCTURES: dict[str, Structure] = {
    structure.name: structure
    for structure in (
        Structure(
            "LLZTO",
            "I a -3 d",
            _cubic(12.96),
            (
                Site("La 24c", {"La": 1.0}, 0.125, 0.0, 0.25),
                Site("Zr 16a", {"Zr": 0.7, "Ta": 0.3}, 0.0, 0.0, 0.0),
                Site("Li 24d", {"Li": 0.54}, 0.375, 0.0, 0.25),
                Site("Li 96h", {"Li": 0.40}, 0.0971, 0.6853, 0.5769),
                Site("O 96h", {"O": 1.0}, -0.0319, 0.0546, 0.1499),
            ),
            "positions of cubic Li7La3Zr2O12, Awaka et al. 2011, doi 10.1246/cl.2011.60; "
            "occupancies and cell of Li6.4La3Zr1.4Ta0.6O12",
            uncertainty=0.003,  # 12.93 to 13.00 angstrom with Ta and Al content
        ),
        Structure(
            "t-Li7La3Zr2O12",
            "I 41/a c d :2",
            (13.134, 13.134, 12.663, 90.0, 90.0, 90.0),
            (
                Site("La 8b", {"La": 1.0}, 0.0, 0.25, 0.125),
                Site("La 16e", {"La": 1.0}, 0.1265, 0.0, 0.25),
                Site("Zr 16c", {"Zr": 1.0}, 0.0, 0.0, 0.0),
                Site("Li 8a", {"Li": 1.0}, 0.0, 0.25, 0.375),
                Site("Li 16f", {"Li": 1.0}, 0.1813, 0.4313, 0.125),
                Site("Li 32g", {"Li": 1.0}, 0.0796, 0.0869, 0.8048),
                Site("O1 32g", {"O": 1.0}, -0.0335, 0.0546, 0.1528),
                Site("O2 32g", {"O": 1.0}, 0.0535, 0.8525, 0.5343),
                Site("O3 32g", {"O": 1.0}, 0.1500, 0.0280, 0.4461),
            ),
            "tetragonal garnet, Awaka et al. 2009, doi 10.1016/j.jssc.2009.05.020",
            uncertainty=0.003,  # c / a comes nearer to 1 with Al and Ta content
        ),
        Structure(
            "Li5La3Nb2O12",
            "I a -3 d",
            _cubic(12.797),
            (
                Site("La 24c", {"La": 1.0}, 0.125, 0.0, 0.25),
                Site("Nb 16a", {"Nb": 1.0}, 0.0, 0.0, 0.0),
                Site("Li 24d", {"Li": 0.80}, 0.375, 0.0, 0.25),
                Site("Li 96h", {"Li": 0.22}, 0.0971, 0.6853, 0.5769),
                Site("O 96h", {"O": 1.0}, -0.0300, 0.0520, 0.1430),  # Nb-O 1.99 angstrom
            ),
            "garnet type, Cussen 2006, doi 10.1039/b514640b; cell of Hyooma and Hayashi 1988, "
            "doi 10.1016/0025-5408(88)90264-4; oxygen placed for Nb-O of 1.99 angstrom",
        ),
        Structure(
            "InN",
            "P 63 m c",
            (3.538, 3.538, 5.703, 90.0, 90.0, 120.0),
            (
                Site("In 2b", {"In": 1.0}, 1 / 3, 2 / 3, 0.0),
                Site("N 2b", {"N": 1.0}, 1 / 3, 2 / 3, 0.377),
            ),
            "Paszkowicz 1999, doi 10.1080/01418619908210352",
            uncertainty=0.006,  # sputtered films: strain, oxygen
            texture_axis=(0, 0, 1),  # growth direction of sputtered films
        ),
        Structure(
            "In",
            "I 4/m m m",
            (3.253, 3.253, 4.946, 90.0, 90.0, 90.0),
            (Site("In 2a", {"In": 1.0}, 0.0, 0.0, 0.0),),
            "Deshpande and Pawar 1969, doi 10.1107/S0567739469000830",
            uncertainty=0.003,  # dissolves a little lithium
            displacement=0.025,
            texture_axis=(1, 0, 1),  # closest-packed planes of a film
        ),
        Structure(
            "Li",
            "I m -3 m",
            _cubic(3.51),
            (Site("Li 2a", {"Li": 1.0}, 0.0, 0.0, 0.0),),
            "Nadler and Kempter 1959, Anal. Chem. 31, 2109",
            uncertainty=0.003,  # dissolves a little indium
            displacement=0.05,
        ),
        Structure(
            "La2Zr2O7",
            "F d -3 m :2",
            _cubic(10.805),
            (
                Site("La 16d", {"La": 1.0}, 0.5, 0.5, 0.5),
                Site("Zr 16c", {"Zr": 1.0}, 0.0, 0.0, 0.0),
                Site("O 48f", {"O": 1.0}, 0.3317, 0.125, 0.125),
                Site("O 8b", {"O": 1.0}, 0.375, 0.375, 0.375),
            ),
            "Harvey et al. 2005, J. Solid State Chem. 178, 800",
            uncertainty=0.004,  # 10.79 to 10.81 angstrom, smaller with Ta
        ),
        Structure(
            "Li2CO3",
            "C 1 2/c 1",
            (8.3593, 4.9725, 6.1975, 90.0, 114.83, 90.0),
            (
                Site("Li 8f", {"Li": 1.0}, 0.1965, 0.4487, 0.8345),
                Site("C 4e", {"C": 1.0}, 0.0, 0.0657, 0.25),
                Site("O 4e", {"O": 1.0}, 0.0, 0.3216, 0.25),
                Site("O 8f", {"O": 1.0}, 0.1459, -0.0663, 0.3126),
            ),
            "Effenberger and Zemann 1979, doi 10.1524/zkri.1979.150.14.133",
            displacement=0.015,
            texture_axis=(0, 0, 1),  # normal of its platelets
        ),
        Structure(
            "Li3N",
            "P 6/m m m",
            (3.648, 3.648, 3.875, 90.0, 90.0, 120.0),
            (
                Site("N 1a", {"N": 1.0}, 0.0, 0.0, 0.0),
                Site("Li 1b", {"Li": 1.0}, 0.0, 0.0, 0.5),
                Site("Li 2c", {"Li": 1.0}, 1 / 3, 2 / 3, 0.0),
            ),
            "Rabenau and Schulz 1976, doi 10.1016/0022-5088(76)90263-0",
            displacement=0.02,
            texture_axis=(0, 0, 1),  # layers of Li2N
        ),
        Structure(
            "Li2O",
            "F m -3 m",
            _cubic(4.619),
            (
                Site("O 4a", {"O": 1.0}, 0.0, 0.0, 0.0),
                Site("Li 8c", {"Li": 1.0}, 0.25, 0.25, 0.25),
            ),
            "Zintl, Harder and Dauth 1934, Z. Elektrochem. 40, 588",
        ),
        Structure(
            "LiIn",
            "F d -3 m :2",
            _cubic(6.786),
            (
                Site("Li 8a", {"Li": 1.0}, 0.125, 0.125, 0.125),
                Site("In 8b", {"In": 1.0}, 0.375, 0.375, 0.375),
            ),
            "NaTl type, Zintl and Brauer 1933, Z. Phys. Chem. B 20, 245",
            uncertainty=0.005,  # a wide range of compositions about LiIn
            displacement=0.02,
        ),
        Structure(
            "Si",
            "F d -3 m :2",
            _cubic(5.43118),
            (Site("Si 8a", {"Si": 1.0}, 0.125, 0.125, 0.125),),
            "NIST SRM 640e, certificate 2015, at 22.5 degree C",
            uncertainty=0.0001,
            displacement=0.0065,
        ),
        Structure(
            "LaB6",
            "P m -3 m",
            _cubic(4.156826),
            (
                Site("La 1a", {"La": 1.0}, 0.0, 0.0, 0.0),
                Site("B 6f", {"B": 1.0}, 0.1993, 0.5, 0.5),
            ),
            "NIST SRM 660c, Black et al. 2020, Powder Diffr. 35, 17, at 22.5 degree C",
            uncertainty=0.0001,
            displacement=0.006,
        ),
    )
}

#: What to do where the structure of a phase is not known.
REMEDY = (
    "add your own as structures/NAME.cif beside manifest.csv, or space group, cell and atoms as structures/NAME.toml "
    "(docs/your-own-data.md), and name it NAME"
)


def find(phase: str | Structure, known: Iterable[str] = STRUCTURES) -> Structure:
    """Return the structure of a phase: one of `STRUCTURES` by its name; a structure is returned as it is.

    Parameters
    ----------
    phase : str or Structure
    known : iterable of str
        The names that the error lists.

    Raises
    ------
    ValueError
        No structure has this name; the message lists the names, and says how to add a structure.
    """
    if isinstance(phase, Structure):
        return phase
    if phase not in STRUCTURES:
        raise ValueError(f"no structure of {phase}; there are {', '.join(known)}: {REMEDY}")
    return STRUCTURES[phase]
