"""Reference lines: lamps and standards that calibrate an axis, and other phases whose lines lie near those looked for.

They stand in reference.toml beside this module. A raman.toml in the folder of recordings adds to them.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

BUNDLED = Path(__file__).with_name("reference.toml")
NAME = "raman.toml"
#: Keys of an entry in each table of the file.
KEYS = {
    "lamps": {"source", "lines"},
    "standards": {"source", "shift", "uncertainty"},
    "phases": {"source", "lines", "spread"},
}
LARGEST_SHIFT = 5000.0  # 1/cm
AIR_WAVELENGTHS = (200.0, 2000.0)  # nm, over which the dispersion formula of air holds


@dataclass(frozen=True)
class Lamp:
    """A lamp: `lines` are wavelengths in standard air, nm."""

    name: str
    source: str
    lines: tuple[float, ...]


@dataclass(frozen=True)
class Standard:
    """A sample with one sharp line: its Raman `shift` and the standard `uncertainty` of it, 1/cm."""

    name: str
    source: str
    shift: float
    uncertainty: float


@dataclass(frozen=True)
class Phase:
    """A phase that a sample may contain.

    Attributes
    ----------
    name, source : str
    lines : dict of float to float
        Heights by Raman shift [1/cm], in per cent of the strongest line.
    spread : float
        Factor by which the ratio of two heights differs between samples, lasers and polarisations.
    """

    name: str
    source: str
    lines: Mapping[float, float]
    spread: float


@dataclass(frozen=True)
class Reference:
    """All lamps, standards and phases by name."""

    lamps: Mapping[str, Lamp]
    standards: Mapping[str, Standard]
    phases: Mapping[str, Phase]

    def calibration(self, name: str) -> Lamp | Standard:
        """Return the lamp or the standard of a name; ValueError where there is none."""
        known: dict[str, Lamp | Standard] = {**self.lamps, **self.standards}
        if name not in known:
            raise ValueError(_unknown("calibration", name, known, "[lamps.NAME] or [standards.NAME]"))
        return known[name]

    def rivals(self, names: Sequence[str]) -> list[Phase]:
        """Return the phases of some names; ValueError where one is not known."""
        for name in names:
            if name not in self.phases:
                raise ValueError(_unknown("rivals", name, self.phases, "[phases.NAME]"))
        return [self.phases[name] for name in names]


def load(own: Path | None = None) -> Reference:
    """Return the bundled reference lines with those of a raman.toml.

    Parameters
    ----------
    own : Path, optional
        The file, which lies beside the manifest.

    Raises
    ------
    ValueError
        The file is no TOML, or an entry lacks a key, has an unknown one, or a value out of range.
    """
    tables: dict[str, dict[str, Any]] = {table: {} for table in KEYS}
    for path in filter(None, (BUNDLED, own)):
        for table, entries in _read(path).items():
            tables[table] |= entries
    return Reference(**tables)


def _read(path: Path) -> dict[str, dict[str, Any]]:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: not TOML in UTF-8: {error}") from error
    found: dict[str, dict[str, Any]] = {}
    for table, entries in content.items():
        if table not in KEYS or not isinstance(entries, dict):
            raise ValueError(f"{path}: [{table}] is not known; known are {', '.join(f'[{one}.NAME]' for one in KEYS)}")
        found[table] = {name: _entry(f"{path}, [{table}.{name}]", table, name, of) for name, of in entries.items()}
    return found


def _entry(where: str, table: str, name: str, of: object) -> Lamp | Standard | Phase:
    wanted = KEYS[table]
    if not isinstance(of, dict) or {*of} != wanted:
        raise ValueError(f"{where}: its keys must be {', '.join(sorted(wanted))}")
    source = str(of["source"])
    if table == "standards":
        shift, uncertainty = (_number(where, key, of[key], 0.0, LARGEST_SHIFT) for key in ("shift", "uncertainty"))
        return Standard(name, source, shift, uncertainty)
    lines = of["lines"]
    if table == "lamps":
        if not isinstance(lines, list) or not lines:
            raise ValueError(f"{where}: lines must be a list of wavelengths in air, nm")
        return Lamp(name, source, tuple(sorted(_number(where, "lines", line, *AIR_WAVELENGTHS) for line in lines)))
    if not isinstance(lines, dict) or not lines:
        raise ValueError(
            f"{where}: lines must be a table such as {{ 299 = 100, 492 = 25 }}: shift, 1/cm, and height, %"
        )
    heights = {_shift(where, key): _number(where, key, height, 0.0, 100.0) for key, height in _flat(lines).items()}
    return Phase(name, source, heights, _number(where, "spread", of["spread"], 1.0, 1000.0))


def _flat(lines: Mapping[str, Any]) -> dict[str, Any]:
    """Return lines by their shift; TOML reads the key 298.5 as a table 298 with a key 5."""
    flat: dict[str, Any] = {}
    for key, value in lines.items():
        flat |= {f"{key}.{part}": of for part, of in value.items()} if isinstance(value, dict) else {key: value}
    return flat


def _shift(where: str, key: str) -> float:
    try:
        shift = float(key)
    except ValueError as error:
        raise ValueError(f"{where}: {key!r} is not a Raman shift in 1/cm") from error
    return _number(where, key, shift, 0.0, LARGEST_SHIFT)


def _number(where: str, key: str, value: object, least: float, most: float) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not least < value <= most:
        raise ValueError(f"{where}: {key} = {value!r} must be a number above {least:g}, at most {most:g}")
    return float(value)


def _unknown(parameter: str, name: str, known: Mapping[str, object], entry: str) -> str:
    return (
        f"{parameter}: {name!r} is not known; known are {', '.join(sorted(known))}. To add one, write {entry} into "
        f"{NAME} beside manifest.csv, in the form of {BUNDLED.name} of coldbond.raman"
    )
