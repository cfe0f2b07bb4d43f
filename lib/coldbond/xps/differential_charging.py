"""Whether two lines of a region may be one line, twice: parts of a surface that charge differently shift apart.

Differential charging copies all lines of a recording alike. A region that is not doubled excludes it.
"""

from collections.abc import Sequence

import xarray as xr

from coldbond.xps.components import Table, level
from coldbond.xps.free_lines import Found, fit_of_free_lines, found_lines, strong_ones

SAME = 0.3  # eV, within which two distances are the same
SPREAD = 3.0  # factor by which the ratio of the two copies may differ between elements, which may be spread unevenly
RESOLVED = 0.7  # distance in units of the width of a line, below which a region cannot show that it is not doubled


def lines_by_region(recording: xr.DataTree, table: Table, regions: Sequence[str]) -> dict[str, list[Found]]:
    """Return the lines of regions, fitted with a free number of lines."""
    return {
        name: found_lines(
            fit_of_free_lines(recording[name].to_dataset(), table.line(name), broad=level(name) != "C 1s")
        )
        for name in regions
    }


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
    least = max((one.limit for one in lines), default=0.0)

    def area(at: float) -> float:
        return max([least, *(one.area for one in lines if abs(one.position - at) < SAME)])

    return all(
        area(one.position + distance) >= ratio / SPREAD * one.area
        or area(one.position - distance) >= one.area / (ratio * SPREAD)
        for one in strong_ones(lines)
    )


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
    C 1s is looked at first, then regions of few points first. A region says nothing where its lines are too wide to
    show the copies apart.
    """
    others = [str(name) for name in recording.children if name != besides and table.line(str(name)).sensitivity]
    for name in sorted(others, key=lambda name: (level(name) != "C 1s", recording[name].sizes["binding_energy"])):
        lines = lines_by_region(recording, table, [name])[name]
        resolved = strong_ones(lines) and distance > RESOLVED * min(one.width for one in strong_ones(lines))
        if resolved and not is_copied(lines, distance, ratio):
            return name
    return ""
