"""The role of a recording: what the data allow, with names as a second witness.

Where names contradict the data, or neither decides, the role stays empty and the reason says what to choose from.
"""

from collections import defaultdict
from collections.abc import Sequence

from coldbond.cli.look import Look
from coldbond.cli.naming import Name

#: Roles of cells, and what a name that stands for one of them may also be called by.
SYMMETRIC, FULL = ("ccd", "long-cycling"), ("full-cell", "rate")
AGREEING = {
    "ccd": {"ccd", "symmetric", "rate"},
    "long-cycling": {"long-cycling", "symmetric"},
    "full-cell": {"full-cell", "long-cycling"},
    "rate": {"rate", "full-cell"},
}
#: Most channels of an instrument, and fewest different numbers that are cycles.
MOST_CHANNELS, LEAST_CYCLES = 16, 3
#: Fewest temperatures of one sample that are a series.
TEMPERATURES = 3
#: Temperatures [degC] at which a cell or a pellet is measured; others belong to the history of the sample.
MEASURED_AT = (-100.0, 300.0)
#: A number with C above which it is a temperature, not a C rate.
HIGHEST_RATE = 12.0


def celsius(look: Look, name: Name) -> float | None:
    """Return the temperature of a measurement, as its file or its name states it."""
    if "temperature_C" in look.constants:
        return float(look.constants["temperature_C"])
    value = _celsius(look, name)
    is_measured = look.technique in ("eis", "dc", "cycling")
    return value if value is not None and is_measured and MEASURED_AT[0] <= value <= MEASURED_AT[1] else None


def _celsius(look: Look, name: Name) -> float | None:
    """Return the temperature that a name states; "2C" is one of an impedance spectrum, and a C rate of a cell."""
    bare = name.bare_c
    if name.celsius is None and bare is not None and (look.technique in ("eis", "dc") or bare > HIGHEST_RATE):
        return bare
    return name.celsius


def roles(looks: Sequence[Look], names: Sequence[Name]) -> list[tuple[str, str]]:
    """Return the role of each recording and, where it is empty, what to choose from and why."""
    _set_cycles(looks, names)
    temperatures: dict[str, set[float]] = defaultdict(set)
    kinds: dict[str, set[str]] = defaultdict(set)
    for look, name in zip(looks, names, strict=True):
        value = celsius(look, name)
        if look.technique == "eis" and value is not None and name.cycle is None:
            temperatures[name.sample].add(value)
        if look.technique == "cycling" and len(look.possible) == 1:
            kinds[name.sample].add("symmetric" if look.possible[0] in SYMMETRIC else "full")
    return [
        _role(look, name, len(temperatures[name.sample]) >= TEMPERATURES, kinds[name.sample])
        for look, name in zip(looks, names, strict=True)
    ]


def _set_cycles(looks: Sequence[Look], names: Sequence[Name]) -> None:
    """Take "c50" for a cycle where the numbers of a sample's spectra reach beyond the channels of an instrument."""
    numbers: dict[str, list[Name]] = defaultdict(list)
    for look, name in zip(looks, names, strict=True):
        if look.technique == "eis" and name.cycle is None and name.numbered_c is not None:
            numbers[name.sample].append(name)
    for group in numbers.values():
        different = {name.numbered_c or 0 for name in group}
        if len(different) >= LEAST_CYCLES and max(different) > MOST_CHANNELS:
            for name in group:
                name.cycle = name.numbered_c


def _role(look: Look, name: Name, is_series: bool, kinds: set[str]) -> tuple[str, str]:
    if not look.possible:
        return "", ""
    if look.technique == "cycling":
        return _of_cell(look, name)
    if look.technique == "eis":
        return _of_impedance(look, name, is_series, kinds)
    is_cycled = name.is_cycled or bool(name.cycle)
    if look.technique == "xrd":
        if look.lines in ("Si", "LaB6"):
            return "instrument", ""
        if look.lines == "Li" or name.sample.casefold() in ("li", "lithium") or "lithium" in name.roles:
            return "lithium", ""
        if "instrument" in name.roles:
            why = "its name says a standard, its lines are not those of Si or LaB6 alone: choose phase or instrument"
            return "", why
        return ("cycled-phase" if is_cycled else "phase"), ""
    if look.technique == "xps":
        return ("cycled-surface" if is_cycled else "surface"), ""
    return look.possible[0], ""


def _of_cell(look: Look, name: Name) -> tuple[str, str]:
    named = name.roles & {"ccd", "long-cycling", "full-cell", "rate", "symmetric"}
    agreeing = [role for role in look.possible if not named or named & AGREEING[role]]
    if len(look.possible) == 1:
        role = look.possible[0]
        if agreeing:
            return role, ""
        return "", f"the data show {role}, its name says {' and '.join(sorted(named))}: choose the role"
    if named and len(agreeing) == 1:
        return agreeing[0], ""
    return "", f"choose {' or '.join(look.possible)}"


def _of_impedance(look: Look, name: Name, is_series: bool, kinds: set[str]) -> tuple[str, str]:
    at_temperature = celsius(look, name) is not None
    pellet = "arrhenius" if at_temperature and (is_series or "arrhenius" in name.roles) else "conductivity"
    of_pellet = name.roles & {"conductivity", "arrhenius"}
    of_cell = name.roles & {"interface", "symmetric", "full-cell"}
    if look.blocks:
        if of_cell and not of_pellet:
            said = " and ".join(sorted(of_cell))
            return "", f"its electrodes block, its name says {said}: choose conductivity, or an interface role"
        return pellet, ""
    if (of_pellet and not of_cell) or (is_series and at_temperature and name.cycle is None and not of_cell):
        return pellet, ""
    if cycle(name) is None:
        return "", "no name says a cycle: choose interface or full-cell-interface, with a state such as 'cycle 1'"
    if "full-cell" in of_cell:
        return "full-cell-interface", ""
    if of_cell:
        return "interface", ""
    if kinds == {"symmetric"}:
        return "interface", ""
    if kinds == {"full"}:
        return "full-cell-interface", ""
    return "", "no name says which cell: choose interface (symmetric cell) or full-cell-interface"


def cycle(name: Name) -> int | None:
    """Return the cycle at which a cell was measured; 0 where its name says that it was not cycled yet."""
    if name.cycle is None and {"pristine", "before cycling"} & set(name.states):
        return 0
    return name.cycle


def state(look: Look, name: Name, role: str) -> str:
    """Return the state of a sample, or the condition of its test, as the names say it."""
    if role in ("interface", "full-cell-interface"):
        return f"cycle {cycle(name)}"
    if look.technique == "eis" and not role and name.cycle is not None:
        return f"cycle {name.cycle}"
    if look.lines == "Ne":
        return "lamp"
    said = []
    value = _celsius(look, name)
    if look.technique == "cycling":
        if name.current:
            said.append(name.current)
        if name.bare_c is not None and 0 < name.bare_c <= HIGHEST_RATE:
            said.append(f"{name.bare_c:g}C")
    elif name.is_cycled or name.cycle:
        said.append(f"after {name.cycle} cycles" if name.cycle else "after cycling")
    if value is not None:
        said.append(f"{value:g} °C")
    return ", ".join([*said, *(one for one in name.states if one not in said)])
