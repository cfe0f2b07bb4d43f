"""What the regions of a recording say of each other: a compound has lines of all its elements.

A component that `needs` another one, such as Li3N in Li 1s that in N 1s, has no more atoms than the other region allows
by the composition of the compound. Both regions look into the same depth to some ten per cent, and sensitivity factors
are known to some ten per cent; both are allowed for.
"""

from collections.abc import Mapping
from dataclasses import replace
from math import exp

import xarray as xr

from coldbond.interval import NORMAL, Interval
from coldbond.xps.component_selection import Composition, Selected
from coldbond.xps.components import BUNDLED, REGION, Component, Table
from coldbond.xps.profile import area_limit
from coldbond.xps.quantification import area_of_an_atom

#: Relative standard uncertainty of the ratio of two sensitivity factors, of Scofield's cross-sections with the
#: transmission and the depth of a homogeneous surface.
RATIO_UNCERTAINTY = 0.2
EXPONENT = 0.75  # of the kinetic energy in the escape depth (Tanuma, Powell and Penn 1994, doi 10.1002/sia.740210302)


def joined(recording: xr.DataTree, found: Mapping[str, Composition], table: Table = BUNDLED) -> dict[str, Composition]:
    """Return the compositions of the regions of a recording with the limits that they set each other.

    Parameters
    ----------
    recording : xarray.DataTree
        As `reference.referenced` returns it.
    found : dict of str to Composition
        From `component_selection.composition`, by region.
    table : Table
        Core levels, from `components.load`.
    """
    return {region: _limited(recording, found, region, table) for region in found}


def _limited(recording: xr.DataTree, found: Mapping[str, Composition], region: str, table: Table) -> Composition:
    composition = found[region]
    changed = dict(composition.components)
    for c in composition.best.model.components:
        if c.needs is None:
            continue
        other_level, key, atoms = c.needs
        other = REGION.sub(rf"{other_level}\2", region)
        if other not in found or key not in found[other].components:
            continue
        own, theirs = (_atoms(recording, found[name], name, table) for name in (region, other))
        if own is None or theirs is None or not own[0] > 0:
            continue
        margin = exp(NORMAL * RATIO_UNCERTAINTY)
        there = found[other].components[key]
        most = theirs[1][key] * atoms * margin / own[0]
        least = (there.share.low or 0.0) * theirs[0] * atoms / margin / own[0] if there.present else 0.0
        changed[c.key] = _within(changed[c.key], c, other, min(least, 1.0), most, composition.absent_below)
    if changed == dict(composition.components):
        return composition
    return replace(composition, components=_adding_up(changed, composition))


def _atoms(
    recording: xr.DataTree, composition: Composition, region: str, table: Table
) -> tuple[float, dict[str, float]] | None:
    """Return the atoms of a core level and the most atoms of each of its components; None without a sensitivity."""
    sensitivity = table.line(region).sensitivity
    if not sensitivity:
        return None
    unit = area_of_an_atom(recording[region].to_dataset(), sensitivity, EXPONENT)
    result = composition.best
    areas = {c.key: result.params[f"{c.key}_area"].value for c in result.model.components if not c.level}
    whole = sum(areas.values())
    if any(one.present for key, one in composition.components.items() if key in areas):
        most = {key: composition.components[key].upper_limit * whole for key in areas}
    else:
        most = {key: area_limit(result, key) for key in areas}
    return whole / unit, {key: area / unit for key, area in most.items()}


def _within(one: Selected, c: Component, other: str, least: float, most: float, absent_below: float) -> Selected:
    """Return a component with the share that another region asks for, or absent where the other region excludes it.

    A line may hold more atoms than the other region allows the compound: another compound then lies at its energy. The
    share stays that of the line, and the note says so.
    """
    value, low, high = one.share.numbers
    if most < absent_below:
        note = f"{other} allows {c.label} at most {100 * most:.2g} % of the line"
        note += ": another compound lies at this energy" if value > most else ""
        limited = Interval(min(value, most), min(low, most) if low <= most else 0.0, min(high, most))
        return replace(one, share=limited, present=False, decided=True, note=note)
    notes = []
    if most < low:
        notes.append(f"{other} allows {c.label} at most {100 * most:.2g} %: another compound lies at this energy too")
    present = one.present
    if least > low or (least > 0 and not one.present):
        notes.append(f"{other} asks for {c.label} in at least {100 * least:.2g} % of the line")
        low, present = max(low, min(least, high)), low > 0 or least > absent_below
    share = Interval(min(max(value, low), high), low, high)
    return replace(one, share=share, present=present, decided=one.decided or present, note="; ".join(notes))


def _adding_up(components: Mapping[str, Selected], composition: Composition) -> dict[str, Selected]:
    """Return components whose intervals allow each other: the shares of the lines of a core level add up to 1.

    A compound that another region excludes may still have its line's share, which is then that of another compound.
    """
    levels = {c.key: c.level for c in composition.best.model.components}
    found = dict(components)
    for key, one in components.items():
        others = [other for other in components if levels[other] == levels[key] and other != key]
        if not others:
            continue
        if one.decided and not one.present:
            continue
        value, low, high = one.share.numbers
        low = min(max(low, 1 - sum(composition.components[other].upper_limit for other in others)), 1.0)
        high = max(min(high, 1 - sum(components[other].share.low or 0.0 for other in others)), low)
        absent = not one.present and high < composition.absent_below
        share = Interval(min(max(value, low), high), low, high)
        found[key] = replace(one, share=share, decided=one.decided or absent)
    return found
