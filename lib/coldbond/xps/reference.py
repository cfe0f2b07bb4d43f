"""Energy scale of a recording: as recorded, or set by the line of a reference.

An insulating surface charges, which shifts all its lines alike, by volts. The whole scale is shifted so that the C-C
component of adventitious carbon, or the main line of another reference such as Au 4f, lies at a stated energy. Without
a reference, and where its lines can be read in several ways, the scale is unknown: energies stay as recorded, and no
state can be assigned by its absolute energy.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import xarray as xr

from coldbond.files.samples import how_to_state, samples
from coldbond.xps import carbon, differential_charging
from coldbond.xps.carbon import Reading
from coldbond.xps.components import BUNDLED, Component, Table, level, unassigned
from coldbond.xps.fit import fit
from coldbond.xps.free_lines import Found, fit_of_free_lines, found_lines, strong_ones

CARBON = "C 1s"
#: Standard deviation of the common shift of the C 1s components from where their lines were found, eV.
REFINEMENT = 0.3
AGREEMENT = 0.4  # eV, within which two readings give the same scale
LEAST_LINE = 1 / 3  # area relative to the main line of a reference, from which on another line makes it ambiguous
AS_RECORDED = "as recorded"


class Scale(NamedTuple):
    """What is known of the energy scale.

    Attributes
    ----------
    shift : float
        To be added to the recorded energies, eV; 0 where it is unknown.
    uncertainty : float
        Standard uncertainty of the scale, eV; infinite where it is unknown.
    description : str
        Of the reference.
    unknown : str
        Why the scale is unknown; empty where it is known.
    lines : tuple of Found
        Of the region of the reference, at recorded energies.
    """

    shift: float
    uncertainty: float
    description: str
    unknown: str = ""
    lines: tuple[Found, ...] = ()


def require_one_sample(recording: xr.DataTree, label: str = "") -> None:
    """Refuse a recording whose regions are of several samples.

    Raises
    ------
    ValueError
        It names the samples and both ways to state one.
    """
    label = label or recording.attrs.get("file") or recording.attrs.get("source") or "the recording"
    held = samples(recording)
    if len(held) > 1:
        names = ", ".join(map(repr, held))
        raise ValueError(f"{label} has the samples {names} in one file: {how_to_state(filter(None, held))}")


def referenced(
    recording: xr.DataTree,
    energy: float | None = 284.8,
    uncertainty: float = 0.1,
    background: str = "active shirley",
    region: str = CARBON,
    table: Table = BUNDLED,
) -> xr.DataTree:
    """Return a recording on a stated scale of binding energy.

    Parameters
    ----------
    recording : xarray.DataTree
        As `coldbond.read` returns it, regions as children.
    energy : float or None
        Energy to which the line of the reference is shifted, eV: C-C of C 1s, or the strongest line of another region,
        such as 83.96 for Au 4f. None states that the recorded energies are calibrated.
    uncertainty : float
        Standard uncertainty of that energy, eV. That of adventitious carbon is 0.1 to 0.2 eV on one kind of sample, and
        much larger between kinds (Greczynski and Hultman 2020, Prog. Mater. Sci. 107, 100591,
        doi 10.1016/j.pmatsci.2019.100591).
    background : str
        Of the reference, as for `fit.fit`.
    region : str
        Of the reference.
    table : Table
        Core levels and components.

    Returns
    -------
    xarray.DataTree
        With these attrs: `energy_shift`, the shift that was added [eV]; `energy_uncertainty`, the standard uncertainty
        of the scale [eV], which is common to all regions and cancels in differences within the recording, infinite
        where the scale is unknown; `energy_reference`, a description with what the file itself states;
        `energy_unknown`, why the scale is unknown, empty where it is known; `energy_calibrated`, whether the recorded
        energies are stated to be right; `reference_lines`, the lines of the reference by its region.

    Raises
    ------
    ValueError
        The regions are of several samples.
    """
    if energy is not None:
        require_one_sample(recording)
    stated = recording.attrs.get("charge_reference")
    stated = f"; the file states {stated!r}" if stated else ""
    if energy is None:
        scale = Scale(0.0, uncertainty, AS_RECORDED)
    elif region not in recording.children:
        scale = Scale(0.0, np.inf, f"{AS_RECORDED}: no {region} region", f"there is no {region} region")
    else:
        result = fit_of_free_lines(recording[region].to_dataset(), table.line(region), background, broad=False)
        lines = tuple(found_lines(result))
        scale = _scale(recording, lines, energy, uncertainty, background, region, table)._replace(
            lines=lines if result.redchi < differential_charging.DESCRIBED else ()
        )
    moved = {
        name: one.to_dataset().assign_coords(
            binding_energy=("binding_energy", one.binding_energy.to_numpy() + scale.shift, one.binding_energy.attrs)
        )
        for name, one in recording.children.items()
    }
    tree = xr.DataTree.from_dict(moved)
    tree.attrs = recording.attrs | {
        "energy_shift": scale.shift,
        "energy_uncertainty": scale.uncertainty,
        "energy_reference": f"{scale.description}{stated}",
        "energy_unknown": scale.unknown,
        "energy_calibrated": energy is None,
        "reference_lines": {region: scale.lines} if scale.lines else {},
    }
    return tree


def _scale(
    recording: xr.DataTree,
    lines: Sequence[Found],
    energy: float,
    uncertainty: float,
    background: str,
    region: str,
    table: Table,
) -> Scale:
    """Return the scale that the lines of a reference give."""
    data = recording[region].to_dataset()
    if not lines:
        return _unknown(f"the {region} region shows no line")
    positions = ", ".join(f"{one.position:.1f}" for one in strong_ones(lines))
    if level(region) != CARBON:
        main = max(lines, key=lambda one: one.area)
        if any(one.area > LEAST_LINE * main.area for one in lines if one is not main):
            return _unknown(f"{region} shows several lines ({positions} eV)")
        return _from_line(f"{region}", main, energy, uncertainty)
    given = carbon.readings(lines, energy)
    left, excluding = carbon.allowed(given, recording, table)
    left = [one for one in left if not _may_be_copies(one, lines, recording, table)]
    if not left:
        why = f"the lines of C 1s ({positions} eV as recorded) are no adventitious carbon"
        if _has_copies(lines):
            why += "; they may be doubled by differential charging"
        elif given and excluding:
            why = f"C 1s ({positions} eV as recorded) and {' and '.join(excluding)} contradict each other"
        return _unknown(why)
    shifts = [one.shift for one in left]
    if max(shifts) - min(shifts) > AGREEMENT:
        named = ", ".join(f"{one.name} at {one.line.position:.1f} eV, a shift of {one.shift:+.1f} eV" for one in left)
        return _unknown(f"C 1s can be read in several ways ({named})")
    (reading, *_) = left
    if reading.name == "carbide":
        return _unknown("C 1s shows a carbide only, whose energy is not known well enough")
    if reading.name == "carbonate":
        at, deviation = carbon.CARBONATE
        return _from_line(
            "carbonate in C 1s", reading.line, at + energy - carbon.C_C, float(np.hypot(uncertainty, deviation))
        )
    return _from_line("C–C of C 1s", _refined(data, reading, lines, background, table), energy, uncertainty)


def _unknown(why: str) -> Scale:
    return Scale(0.0, np.inf, f"{AS_RECORDED}: {why}", why)


def _from_line(name: str, line: Found, energy: float, uncertainty: float) -> Scale:
    deviation = float(np.hypot(uncertainty, line.position_error))
    return Scale(energy - line.position, deviation, f"{name} shifted from {line.position:.2f} to {energy:.2f} eV")


def _refined(region: xr.Dataset, reading: Reading, lines: Sequence[Found], background: str, table: Table) -> Found:
    """Return the C-C line from a fit of the components of adventitious carbon and of the lines that are none of them.

    Where C-O is not resolved the components hold it apart from C-C, which free lines cannot do.
    """
    known = table.components[CARBON]
    at = next(c.position for c in known if c.key == "CC")
    moved = [replace(c, position=c.position - at + reading.line.position) for c in known]
    others: list[Component] = [
        unassigned(i, one.position)
        for i, one in enumerate(lines, 1)
        if all(abs(one.position - c.position) > 2 * c.tolerance for c in moved)
    ]
    result = fit(region, [*moved, *others], background, line=table.line(CARBON), reference_uncertainty=REFINEMENT)
    position, area = (result.params[f"CC_{name}"] for name in ("position", "area"))
    if not (position.stderr and area.value > 0 and abs(position.value - reading.line.position) < AGREEMENT):
        return reading.line
    return reading.line._replace(position=position.value, position_error=position.stderr)


def _may_be_copies(reading: Reading, lines: Sequence[Found], recording: xr.DataTree, table: Table) -> bool:
    """Return whether what a reading calls a carbide may be C-C of a part of the surface that charges less."""
    if reading.name != "C–C":
        return False
    below = [one for one in strong_ones(lines) if one.position < reading.line.position]
    return any(
        differential_charging.is_copied(lines, reading.line.position - one.position, reading.line.area / one.area)
        and not differential_charging.excluding_region(
            recording, table, reading.line.position - one.position, reading.line.area / one.area, CARBON
        )
        for one in below
    )


def _has_copies(lines: Sequence[Found]) -> bool:
    """Return whether the lines may be two copies of one spectrum."""
    strong = strong_ones(lines)
    pairs = [(lower, upper) for i, lower in enumerate(strong) for upper in strong[i + 1 :]]
    return any(
        differential_charging.is_copied(lines, upper.position - lower.position, upper.area / lower.area)
        for lower, upper in pairs
    )
