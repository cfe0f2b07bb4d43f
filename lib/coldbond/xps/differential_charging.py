"""Whether two lines of a region may be one line, twice: parts of a surface that charge differently shift apart.

Differential charging copies all lines of a recording alike. A region that is not doubled excludes it.
"""

from collections.abc import Sequence

import xarray as xr

from coldbond.xps.components import Table, level
from coldbond.xps.free_lines import Found, fit_of_free_lines, found_lines

SAME = 0.4  # eV, within which two distances are the same
SPREAD = 3.0  # factor by which the ratio of the two copies may differ between elements, which may be spread unevenly
RESOLVED = 0.7  # distance in units of the width of a line, below which a region cannot show that it is not doubled
LEAST_DISTANCE = 0.9  # eV: nearer copies widen lines of C 1s, about 1 eV wide, and do not double them
STRONG = 0.2  # area relative to the largest, from which on a line must have a copy
KNOWN = 2.0  # area over that of a line that would not be found, from which on an area is well known
SEVERAL = 3  # strong lines of C 1s that all have copies or are some: this is no chance, and no other region excludes it
DESCRIBED = 3.0  # reduced chi square above which free lines do not describe a region, so that it says nothing


def is_copied(lines: Sequence[Found], distance: float, ratio: float) -> bool:
    """Return whether the lines of a region may be two copies of one spectrum: every strong line has a copy, or is one.

    Parameters
    ----------
    lines : sequence of Found
    distance : float
        Of the upper copy from the lower one, eV.
    ratio : float
        Area of the upper copy relative to the lower one; a third to three times that counts.
    """
    held = merged(lines)
    least = min((one.limit for one in held), default=0.0)

    def area(at: float) -> float:
        return max([least, *(one.area for one in held if abs(one.position - at) < SAME)])

    return all(
        area(one.position + distance) >= ratio / SPREAD * one.area
        or area(one.position - distance) >= one.area / (ratio * SPREAD)
        for one in _clear(held)
    )


def _clear(lines: Sequence[Found]) -> list[Found]:
    """Return the strong lines whose areas are well known."""
    most = max((one.area for one in lines), default=0.0)
    return [one for one in lines if one.area >= max(STRONG * most, KNOWN * one.limit)]


def merged(lines: Sequence[Found]) -> list[Found]:
    """Return lines with those that are too near to each other to be told from the shape of one line put together."""
    held: list[Found] = []
    for one in sorted(lines):
        if held and one.position - held[-1].position < RESOLVED * min(one.width, held[-1].width):
            last = held.pop()
            whole = last.area + one.area
            at = (last.position * last.area + one.position * one.area) / whole
            error = min(last.area_error, one.area_error)
            held.append(Found(at, last.position_error, whole, error, max(last.width, one.width)))
        else:
            held.append(one)
    return held


def excluding_region(recording: xr.DataTree, table: Table, distance: float, ratio: float, besides: str = "") -> str:
    """Return the name of a region that excludes two copies at this distance; "" where none does.

    Parameters
    ----------
    recording : xarray.DataTree
    table : Table
    distance, ratio : float
        As for `is_copied`.
    besides : str
        The region whose lines are in question.

    Notes
    -----
    C 1s is looked at first, and decides where several of its lines are copied; then regions of few points. A region
    says nothing where its lines are too wide to show the copies apart.
    """
    others = [str(name) for name in recording.children if name != besides and table.line(str(name)).sensitivity]
    for name in sorted(others, key=lambda name: (level(name) != "C 1s", recording[name].sizes["binding_energy"])):
        lines = recording.attrs.get("reference_lines", {}).get(name) or _lines(
            recording[name].to_dataset(), table, name
        )
        says = lines and distance > RESOLVED * max(lines, key=lambda one: one.area).width
        if says and not is_copied(lines, distance, ratio):
            return name
        if says and level(name) == "C 1s" and len(_clear(merged(lines))) >= SEVERAL:
            return ""
    return ""


def _lines(region: xr.Dataset, table: Table, name: str) -> list[Found]:
    """Return the lines of a region, none where free lines do not describe it."""
    result = fit_of_free_lines(region, table.line(name), broad=level(name) != "C 1s")
    return found_lines(result) if result.redchi < DESCRIBED else []
