"""A user's own crystal structures: files in the folder structures/ beside the manifest, one phase a file.

structures/corundum.cif, as a database or a refinement program writes it, is the phase "corundum".
structures/corundum.toml states what the CIF lacks, or the whole structure where there is no CIF:

    space_group = "R -3 c:H"
    cell = [4.7589, 4.7589, 12.991, 90, 90, 120]             # angstrom, degree
    atoms = [["Al", 0, 0, 0.3522], ["O", 0.3062, 0, 0.25]]   # element, x, y, z, occupancy unless it is 1
    cell_tolerance = 0.005       # relative range in which the cell of a phase is looked for, on either side
    displacement = 0.008         # mean square displacement of atoms without their own, angstrom^2
    texture_axis = [0, 0, 1]     # normal of the planes of its platelets, or axis of its needles
    source = "doi"

A structure with the name of a built-in one replaces it.
"""

import hashlib
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from coldbond.xrd import structures
from coldbond.xrd.structures import STRUCTURES, Site, Structure

if TYPE_CHECKING:
    import gemmi

FOLDER = "structures"
#: Where no file states it: cells of a compound vary by so much with composition, temperature and strain.
CELL_TOLERANCE = 0.005
#: Mean square displacements of a CIF that are used, angstrom^2: others are placeholders, such as 0, or of a disordered
#: atom whose spread is no vibration.
LEAST_DISPLACEMENT, MOST_DISPLACEMENT = 1e-4, 0.2
ONE_PLACE = 0.5  # angstrom: atoms that are nearer share one place
FULL = 1.02  # occupancy of a place: more is a mistake, not rounding
KEYS = ("space_group", "cell", "atoms", "cell_tolerance", "displacement", "texture_axis", "source")
WHOLE = KEYS[:3]  # what a table without a CIF must hold
#: Space groups that a symbol alone leaves open: it has an origin at a point of high symmetry, and one at the centre.
TWO_ORIGINS = "state its symmetry operations (_space_group_symop_operation_xyz), or the origin as in 'F d -3 m :2'"


class StructureError(ValueError):
    """A file of a structure that cannot be used; the message names file, reason and remedy."""


class Structures(Mapping[str, Structure]):
    """The built-in structures and those of a folder, by name. A file is read when its phase is asked for.

    Parameters
    ----------
    raw : Path
        Folder of the manifest.
    """

    def __init__(self, raw: Path) -> None:
        found = sorted(path for path in Path(raw, FOLDER).glob("*") if path.suffix.lower() in (".cif", ".toml"))
        self.files: dict[str, list[Path]] = defaultdict(list)
        for path in found:
            self.files[path.stem].append(path)
        self._held: dict[str, Structure] = {}

    def __getitem__(self, name: str) -> Structure:
        if name not in self._held:
            is_own = name in self.files
            self._held[name] = read(*self.files[name]) if is_own else structures.find(name, self)
        return self._held[name]

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys([*self.files, *STRUCTURES]))

    def __len__(self) -> int:
        return len(list(iter(self)))

    def inputs(self, *names: str) -> dict[str, str]:
        """Return the sha256 of each file that the structures of these names were read from."""
        return {f"{FOLDER}/{file}": sha256 for name in names for file, sha256 in self[name].files}


def read(*files: Path) -> Structure:
    """Return the structure of a CIF, of a table (TOML), or of a CIF with a table of what it lacks.

    Parameters
    ----------
    *files : Path
        Of one phase: NAME.cif, NAME.toml, or both.

    Raises
    ------
    StructureError
        A file is damaged, lacks space group, cell or atoms, holds several structures, or contradicts itself.
    """
    by_suffix = {path.suffix.lower(): path for path in files}
    cif, table = by_suffix.get(".cif"), by_suffix.get(".toml")
    stated = _table(table, needed=not cif) if table else {}
    path = cif or table
    if path is None:
        raise StructureError(f"{', '.join(map(str, files))}: a structure is a .cif or a .toml file")
    held = _of_cif(cif) if cif else {}
    held["uncertainty"] = stated.get("cell_tolerance", CELL_TOLERANCE)
    held |= {name: stated[name] for name in ("space_group", "source", "displacement") if name in stated}
    if "cell" in stated:
        held["cell"] = tuple(map(float, stated["cell"]))
    if "texture_axis" in stated:
        held["texture_axis"] = tuple(stated["texture_axis"])
    if "atoms" in stated:
        held["sites"] = tuple(_site(table or path, number, row) for number, row in enumerate(stated["atoms"], start=1))
    hashes = tuple((each.name, hashlib.sha256(each.read_bytes()).hexdigest()) for each in (cif, table) if each)
    structure = Structure(path.stem, files=hashes, **{"source": path.name, **held})
    return _checked(path, structure)


def _table(path: Path, needed: bool) -> dict[str, Any]:
    """Return the contents of a table of one structure, or of what a CIF lacks."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise StructureError(f"{_named(path)}: {error}") from None
    if unknown := [key for key in table if key not in KEYS]:
        raise StructureError(f"{_named(path)}: {unknown[0]} is unknown: write one of {', '.join(KEYS)}")
    if needed and (missing := [key for key in WHOLE if key not in table]):
        raise StructureError(
            f"{_named(path)}: {' and '.join(missing)} are missing: state {', '.join(WHOLE)}, or put a CIF "
            f"{path.stem}.cif beside it"
        )
    kinds: dict[str, tuple[str, Any]] = {
        "space_group": ('a symbol such as "R -3 c:H"', lambda x: isinstance(x, str)),
        "source": ("a text", lambda x: isinstance(x, str)),
        "cell": ("six numbers, [a, b, c, alpha, beta, gamma] in angstrom and degree", lambda x: _numbers(x, 6)),
        "atoms": ('rows such as ["Al", 0, 0, 0.3522]', lambda x: isinstance(x, list) and len(x) > 0),
        "cell_tolerance": ("a number between 0 and 0.05", lambda x: _numbers([x], 1) and 0 < x <= 0.05),
        "displacement": ("a number between 0 and 0.2 [angstrom^2]", lambda x: _numbers([x], 1) and 0 <= x <= 0.2),
        "texture_axis": (
            "three integers such as [0, 0, 1]",
            lambda x: _numbers(x, 3) and all(isinstance(i, int) for i in x) and any(x),
        ),
    }
    for key, value in table.items():
        what, fits = kinds[key]
        if not fits(value):
            raise StructureError(f"{_named(path)}: {key} = {value!r}: write {what}")
    return table


def _numbers(values: object, count: int) -> bool:
    return (
        isinstance(values, list)
        and len(values) == count
        and all(isinstance(x, int | float) and not isinstance(x, bool) and isfinite(x) for x in values)
    )


def _site(path: Path, number: int, row: object) -> Site:
    import gemmi

    if not (
        isinstance(row, list) and len(row) in (4, 5) and isinstance(row[0], str) and _numbers(row[1:], len(row) - 1)
    ):
        raise StructureError(
            f"{_named(path)}, atom {number}: {row!r}: write element, x, y, z, and the occupancy where it is not 1, "
            'such as ["Al", 0, 0, 0.3522]'
        )
    element, x, y, z, *occupancy = row
    if gemmi.Element(element).atomic_number == 0:
        raise StructureError(f"{_named(path)}, atom {number}: {element!r} is no element: write its symbol, such as Al")
    return Site(
        f"{element}{number}", {element: float(occupancy[0]) if occupancy else 1.0}, float(x), float(y), float(z)
    )


def _of_cif(path: Path) -> dict[str, Any]:
    """Return space group, cell and sites of the one structure of a CIF, and its source where it states one."""
    import gemmi

    raw = path.read_bytes()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    try:
        document = gemmi.cif.read_string(text)
    except ValueError as error:
        line = str(error).removeprefix("string:")
        raise StructureError(f"{_named(path)}, line {line}: this is no CIF: export it again") from None
    # Blocks of bibliography, of a powder pattern or of the whole publication hold no structure.
    blocks = [block for block in document if any(block.find_values("_atom_site_fract_x"))]
    if not blocks:
        raise StructureError(
            f"{_named(path)}: it has no atoms (_atom_site_fract_x): take the CIF of the structure, not of a pattern"
        )
    if len(blocks) > 1:
        raise StructureError(
            f"{_named(path)}: it holds {len(blocks)} structures ({', '.join(block.name for block in blocks)}): save "
            "each as a file of its own"
        )
    (block,) = blocks
    try:
        small = gemmi.make_small_structure_from_block(block)
    except ValueError as error:
        raise StructureError(f"{_named(path)}: {error}: export it again") from None
    cell = small.cell.parameters
    if any(block.find_value(f"_cell_length_{axis}") is None for axis in "abc") or not min(cell[:3]) > 1:
        raise StructureError(f"{_named(path)}: it states no cell (_cell_length_a, ...): add it, or export it again")
    found = {"space_group": _space_group(path, small), "cell": cell}
    sites = tuple(_site_of_cif(path, atom, small.cell) for atom in small.sites)
    doi = block.find_value("_journal_paper_doi") or block.find_value("_citation_doi")
    if doi and gemmi.cif.as_string(doi):
        found["source"] = f"doi {gemmi.cif.as_string(doi)}"
    return found | {"sites": sites}


def _space_group(path: Path, small: "gemmi.SmallStructure") -> str:
    """Return the symbol of the space group and setting that a CIF states."""
    symbol = small.spacegroup_hm or (f"number {small.spacegroup_number}" if small.spacegroup_number else "")
    remedy = "state symmetry operations and cell of a setting of the International Tables, or export it again"
    if small.symops:
        small.determine_and_set_spacegroup("s")
        if small.spacegroup is None:
            raise StructureError(
                f"{_named(path)}: its {len(small.symops)} symmetry operations are those of no known setting of a space "
                f"group ({symbol or 'no symbol'}): {remedy}"
            )
    if small.spacegroup is None:
        what = f"the space group {symbol} is unknown" if symbol else "it states no space group"
        raise StructureError(f"{_named(path)}: {what}: {remedy}")
    group = small.spacegroup
    stated_origin = small.symops or small.spacegroup_hall or ":" in small.spacegroup_hm
    if group.ext in ("1", "2") and not stated_origin:
        raise StructureError(f"{_named(path)}: the space group {group.hm} has two origins: {TWO_ORIGINS}")
    return str(group.xhm())


def _site_of_cif(path: Path, atom: "gemmi.SmallStructure.Site", cell: "gemmi.UnitCell") -> Site:
    position = atom.fract.x, atom.fract.y, atom.fract.z
    if not all(map(isfinite, position)):
        raise StructureError(f"{_named(path)}: atom {atom.label} has no coordinates: state them, or delete its row")
    if atom.element.atomic_number == 0:
        raise StructureError(
            f"{_named(path)}: atom {atom.label} is of no element: state its symbol (_atom_site_type_symbol)"
        )
    mean_square = atom.u_iso
    if atom.aniso.nonzero():
        mean_square = cell.calculate_u_eq(atom.aniso)
    known = LEAST_DISPLACEMENT <= mean_square <= MOST_DISPLACEMENT
    return Site(atom.label, {atom.element.name: atom.occ}, *position, mean_square if known else None)


def _checked(path: Path, structure: Structure) -> Structure:
    """Return a structure that is consistent: cell with space group, at most one atom a place."""
    import gemmi

    try:
        group = gemmi.SpaceGroup(structure.space_group)
    except ValueError:
        raise StructureError(
            f"{_named(path)}: the space group {structure.space_group!r} is unknown: write its full symbol, such as "
            "'P 1 21/c 1'"
        ) from None
    structure = replace(structure, space_group=group.xhm())
    cell = gemmi.UnitCell(*structure.cell)
    lengths = "a = {:g}, b = {:g}, c = {:g}, alpha = {:g}, beta = {:g}, gamma = {:g}".format(*structure.cell)
    if not (min(structure.cell) > 1 and max(structure.cell[3:]) < 180 and cell.volume > 1):
        raise StructureError(f"{_named(path)}: no crystal has the cell {lengths}: correct it")
    if not cell.is_compatible_with_spacegroup(group):
        raise StructureError(
            f"{_named(path)}: the cell {lengths} is not that of {group.xhm()}: correct one of them, or state the "
            "setting, such as 'R -3 c:R' for rhombohedral axes"
        )
    _check_occupancies(path, structure, cell, group)
    return structure


def _check_occupancies(path: Path, structure: Structure, cell: "gemmi.UnitCell", group: "gemmi.SpaceGroup") -> None:
    """Refuse occupancies below 0, and places that hold more than one atom."""
    images = np.array(
        [
            [operation.apply_to_xyz([site.x, site.y, site.z]) for operation in group.operations()]
            for site in structure.sites
        ]
    )
    metric = np.array(cell.orth.mat.tolist())
    for site, of_site in zip(structure.sites, images, strict=True):
        occupancy = sum(site.elements.values())
        if not 0 <= occupancy <= FULL:
            raise StructureError(f"{_named(path)}: atom {site.label} has the occupancy {occupancy:g}: correct it")
        apart = images - of_site[0]
        distances = np.linalg.norm((apart - np.round(apart)) @ metric.T, axis=-1).min(axis=1)
        near = [other for other, distance in zip(structure.sites, distances, strict=True) if distance < ONE_PLACE]
        total = sum(sum(other.elements.values()) for other in near)
        if total > FULL:
            names = ", ".join(other.label for other in near)
            raise StructureError(
                f"{_named(path)}: the atoms {names} share one place with occupancies that add up to {total:g}: correct "
                "them, or the origin of the space group"
            )


def _named(path: Path) -> str:
    """Return how errors name a file: with its folder, which does not depend on where the bundle lies."""
    return f"{path.parent.name}/{path.name}"
