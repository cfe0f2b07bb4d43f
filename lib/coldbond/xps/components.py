"""Core levels and chemical states that are fitted in each XPS region: data of components.toml.

The bundled file lies beside this module and describes its keys. A file of the user's own adds to it (`load`). A region
whose core level has no components is fitted with a free number of lines (`free_lines`), each of which is "unassigned".
"""

import re
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields, replace
from math import inf, isfinite
from pathlib import Path
from typing import Any, NamedTuple

#: Core level, sample and number in the name of a region.
REGION = re.compile(r"^(.*?)((?:, .*?)?)(?: \(\d+\))?$")
#: Name of a core level: element, shell, and the level of a doublet where a program writes it.
LEVEL = re.compile(r"^[A-Z][a-z]? [1-7][spdf](?:\d/2)?$")
UNASSIGNED = "unassigned"  # a line that no component explains: its label, and its key with a number


@dataclass(frozen=True)
class Line:
    """A core level: the properties that are common to all its components.

    Attributes
    ----------
    splitting, ratio : float
        Distance [eV] of the spin-orbit partner at higher binding energy and its area relative to the main line; 0 for a
        singlet.
    sensitivity : float or None
        Cross-section of the main line relative to C 1s.
    fwhm : (float, float)
        Usual full width at half maximum at usual pass energies and its standard uncertainty, eV.
    lorentzian : (float, float)
        Lorentzian width from the lifetime of the core hole and its standard uncertainty, eV.
    asymmetry : (float, float) or None
        Asymmetry of metals in the shape "doniach" and its standard uncertainty; None where lines are symmetric.
    energies : (float, float) or None
        Lowest and highest binding energy of the main line in any compound, eV; None where unknown.
    """

    splitting: float = 0.0
    ratio: float = 0.0
    sensitivity: float | None = None
    fwhm: tuple[float, float] = (1.2, 0.3)
    lorentzian: tuple[float, float] = (0.1, 0.1)
    asymmetry: tuple[float, float] | None = None
    energies: tuple[float, float] | None = None


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
        Of the position: which other states lie at the same energy, or where the literature disagrees.
    fwhm : (float, float) or None
        A width of its own with its standard uncertainty, eV; None for that of the region.
    width : str
        Components that name the same width share it; by default one with a `fwhm` of its own shares it with none.
    lines : tuple of (float, float)
        Further lines tied to this one: distance [eV] and area relative to it.
    level : str
        Another core level than that of the region, or a plasmon: it has no spin-orbit partner beside `lines`, and its
        area does not count in the shares of the region.
    lorentzian, asymmetry : (float, float) or None
        Lorentzian width [eV] and asymmetry of its own with their standard uncertainties; None for those of the level.
    needs : (str, str, float) or None
        Another region and its component that belong to the same compound, and the number of atoms of this region's
        element for one of the other's.
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
    width: str = ""
    lines: tuple[tuple[float, float], ...] = ()
    level: str = ""
    lorentzian: tuple[float, float] | None = None
    asymmetry: tuple[float, float] | None = None
    needs: tuple[str, str, float] | None = None
    with_region: str = ""
    without_region: str = ""

    def __post_init__(self) -> None:
        if self.key == "partner":
            raise ValueError(
                f"component {self.key}: parameters of all spin-orbit partners have this name; give it another"
            )

    @property
    def tolerance(self) -> float:
        """Distance from the position beyond which a line is not this state, eV: two standard uncertainties."""
        return 2 * self.uncertainty

    @property
    def width_name(self) -> str:
        """The name of the parameter of the width."""
        return f"{self.width or self.key}_fwhm" if self.fwhm or self.width else "fwhm"

    def partners(self, line: Line) -> list[tuple[float, float]]:
        """Return distance [eV] and relative area of each line of the component, the main line first."""
        spin_orbit = [(line.splitting, line.ratio)] if line.ratio and not self.level else []
        tied = [(0.0, 1.0), *self.lines]
        return [*tied, *((distance + more, area * ratio) for more, ratio in spin_orbit for distance, area in tied)]


class Table(NamedTuple):
    """Core levels and their components, as `load` returns them.

    Attributes
    ----------
    lines : dict of str to Line
    components : dict of str to tuple of Component
        Of the core levels that have any.
    """

    lines: Mapping[str, Line]
    components: Mapping[str, tuple[Component, ...]]

    def line(self, region: str) -> Line:
        """Return the core level of a region; a singlet where the table does not hold it."""
        return self.lines.get(level(region), Line())

    def expected(self, region: str, regions: Collection[str]) -> tuple[Component, ...]:
        """Return the components that may be in a region of a recording that holds these regions; none if unknown."""
        sample = REGION.sub(r"\2", region)
        held = {level(other) for other in regions if REGION.sub(r"\2", other) == sample}
        return tuple(
            c
            for c in self.components.get(level(region), ())
            if (not c.with_region or c.with_region in held) and (not c.without_region or c.without_region not in held)
        )


@dataclass
class _Entry:
    """A core level of a file: what it states of the line, and its components by key."""

    stated: dict[str, Any] = field(default_factory=dict)
    components: dict[str, Component] = field(default_factory=dict)


def load(path: Path | None = None) -> Table:
    """Return the bundled core levels and components, with those of a file of one's own.

    Parameters
    ----------
    path : pathlib.Path, optional
        A file like the bundled components.toml. Its components are added; one with a key of the bundled file replaces
        it; `only = true` drops all bundled ones of a core level.

    Raises
    ------
    ValueError
        The file is not like that; the message names file, core level, component and key.
    """
    entries = _entries(Path(__file__).with_name("components.toml"), {})
    if path is not None:
        entries = _entries(path, entries)
    lines = {name: Line(**entry.stated) for name, entry in entries.items()}
    return Table(lines, {name: tuple(e.components.values()) for name, e in entries.items() if e.components})


def _entries(path: Path, known: Mapping[str, _Entry]) -> dict[str, _Entry]:
    """Return the core levels of a file, added to those that are known."""
    try:
        held = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path.name}: not a TOML file in UTF-8: {error}") from error
    found = {name: replace(entry) for name, entry in known.items()}
    for name, stated in held.items():
        where = f"{path.name}, {name}"
        if not (LEVEL.match(name) and isinstance(stated, dict)):
            raise ValueError(f'{where}: no core level; write a table such as ["Pt 4f"], element and shell')
        rows, only = stated.pop("component", []), stated.pop("only", False)
        entry = found.get(name, _Entry())
        keys = {f.name for f in fields(Line)}
        own = {key: _value(value, key, where) for key, value in _known(stated, keys | {"component", "only"}, where)}
        components = {} if only else dict(entry.components)
        for row in rows:
            c = _component(row, where)
            components[c.key] = c
        found[name] = _Entry(entry.stated | own, components)
        if bool(Line(**found[name].stated).splitting) != bool(Line(**found[name].stated).ratio):
            raise ValueError(f"{where}: a doublet needs both splitting and ratio")
    return found


def _known(stated: Mapping[str, Any], keys: Collection[str], where: str) -> Collection[tuple[str, Any]]:
    """Return the keys and values of a table, which must be among these."""
    for key in stated:
        if key not in keys:
            raise ValueError(f"{where}: no key {key!r}; there are {', '.join(sorted(keys))}")
    return stated.items()


#: Keys whose value is a number with its standard uncertainty, or a range; keys that are numbers; and texts.
PAIRS = ("fwhm", "lorentzian", "asymmetry", "energies")
NUMBERS = ("splitting", "ratio", "sensitivity", "position", "tolerance")


def _value(value: Any, key: str, where: str) -> Any:
    """Return a value of the type that its key has."""
    if key in NUMBERS:
        return _number(value, key, where)
    if key == "needs":
        if not (isinstance(value, list) and len(value) == 3 and all(isinstance(one, str) for one in value[:2])):
            raise ValueError(f'{where}: needs = {value!r} is not like ["N 1s", "Li3N", 3.0]')
        return value[0], value[1], _number(value[2], key, where)
    if key in PAIRS:
        if not (isinstance(value, list) and len(value) == 2):
            raise ValueError(f"{where}: {key} = {value!r} is no pair of numbers, such as [1.2, 0.3]")
        return _number(value[0], key, where), _number(value[1], key, where)
    if key == "lines":
        if not (isinstance(value, list) and all(isinstance(one, list) and len(one) == 2 for one in value)):
            raise ValueError(f"{where}: lines = {value!r} is no list of pairs [distance in eV, relative area]")
        return tuple((_number(one[0], key, where), _number(one[1], key, where)) for one in value)
    if not isinstance(value, str):
        raise ValueError(f"{where}: {key} = {value!r} is no text")
    return value


def _number(value: Any, key: str, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        raise ValueError(f"{where}: {key} = {value!r} is no number")
    return float(value)


def _component(row: Any, where: str) -> Component:
    """Return the component that a table of a file describes."""
    if not isinstance(row, dict):
        raise ValueError(f'{where}: write a component as a table of its own, [["{where.split(", ")[-1]}".component]]')
    where = f"{where}, component {row.get('key', '')}".rstrip()
    keys = {f.name for f in fields(Component)} - {"uncertainty"} | {"tolerance"}
    stated = {key: _value(value, key, where) for key, value in _known(row, keys, where)}
    if missing := [key for key in ("key", "position", "tolerance") if key not in stated]:
        raise ValueError(f"{where}: it lacks {', '.join(missing)}")
    if not stated["key"].isidentifier() or stated["key"].startswith(UNASSIGNED):
        raise ValueError(f"{where}: the key may hold letters, digits and _ only, and not start with {UNASSIGNED!r}")
    if not stated["tolerance"] > 0:
        raise ValueError(f"{where}: tolerance = {stated['tolerance']:g} is not above 0 eV")
    stated["uncertainty"] = stated.pop("tolerance") / 2
    return Component(**{"label": stated["key"]} | stated)


def unassigned(number: int, position: float) -> Component:
    """Return a component for a line at a position that only the spectrum determines, eV."""
    return Component(f"{UNASSIGNED}{number}", UNASSIGNED, position)


def level(region: str) -> str:
    """Return the core level of a region: "C 1s" of "C 1s, LLZ (2)", the second of a sample in a file of several."""
    return REGION.sub(r"\1", region)


BUNDLED = load()
LINES, COMPONENTS = BUNDLED

#: Other positions reported for a compound, drawn beside the reference: region, component, eV, source.
OTHER_POSITIONS = (
    ("N 1s", "Li3N", 396.1, "Nat. Commun. 2023, doi 10.1038/s41467-023-41441-0"),
    ("Li 1s", "Li0", 52.5, "C 1s at 284.8 eV"),
    ("Li 1s", "Li2O", 53.7, "C 1s at 284.8 eV"),
)


def expected_components(region: str, regions: Collection[str]) -> tuple[Component, ...]:
    """Return the bundled components that may be in a region of a recording that holds these regions."""
    return BUNDLED.expected(region, regions)
