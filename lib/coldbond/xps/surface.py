"""Component selection in all regions of several recordings, and the shift of a region between recordings."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from coldbond.interval import Interval
from coldbond.xps import differential_charging, reference, relations
from coldbond.xps.amounts import Estimate, mean_position
from coldbond.xps.component_selection import Composition, composition
from coldbond.xps.components import BUNDLED, UNASSIGNED, Component, Table, level
from coldbond.xps.free_lines import free_lines
from coldbond.xps.reference import require_one_sample

LARGEST_CHARGING = 12.0  # eV, by which a region may lie elsewhere where the energy scale is unknown


class Surface(NamedTuple):
    """One recording, analysed.

    Attributes
    ----------
    recording : xarray.DataTree
        On the scale of `reference.referenced`.
    regions : dict of str to Composition
    """

    recording: xr.DataTree
    regions: dict[str, Composition]


def analyse(
    recording: xr.DataTree,
    regions: Sequence[str],
    reference_energy: float | None = 284.8,
    reference_uncertainty: float = 0.1,
    reference_region: str = reference.CARBON,
    table: Table = BUNDLED,
    **options: Any,
) -> Surface:
    """Set the energy scale of a recording, and return the composition of its regions.

    Parameters
    ----------
    recording : xarray.DataTree
        As `coldbond.read` returns it.
    regions : sequence of str
        As for `compositions`.
    reference_energy, reference_uncertainty, reference_region
        As `energy`, `uncertainty` and `region` of `reference.referenced`.
    table : Table
        Core levels and components, from `components.load`.
    **options
        As for `component_selection.composition`.

    Raises
    ------
    ValueError
        As `reference.referenced` and `compositions`.
    """
    on_scale = reference.referenced(
        recording, reference_energy, reference_uncertainty, region=reference_region, table=table
    )
    return Surface(on_scale, compositions(on_scale, regions, table, **options))


def compositions(
    recording: xr.DataTree, regions: Sequence[str], table: Table = BUNDLED, **options: Any
) -> dict[str, Composition]:
    """Return the composition of each region of a recording, with what the regions say of each other.

    Parameters
    ----------
    recording : xarray.DataTree
        As `reference.referenced` returns it.
    regions : sequence of str
        Regions wanted, such as "Li 1s"; those that the recording has.
    table : Table
        Core levels and components, from `components.load`.
    **options
        As for `component_selection.composition`.

    Returns
    -------
    dict of str to Composition
        Empty where the recording has none of the regions. A region is described by unassigned lines (`free_lines`)
        where its components are not known, where the energy scale is unknown, and where differential charging may have
        doubled its lines; the components that cannot be told for this reason are `Composition.withheld`.

    Raises
    ------
    ValueError
        A region is wanted of a recording of several samples, and the name does not say of which; a region has too few
        points, or none of its lines lies in its range.
    """
    levels = {level(name) for name in recording.children} - set(recording.children)
    if levels & set(regions):
        require_one_sample(recording)
    found = {}
    for region in (region for region in regions if region in recording.children):
        try:
            found[region] = _of_region(recording, region, table, options)
        except (ValueError, np.linalg.LinAlgError) as error:
            raise ValueError(f"region {region}: {error}") from error
    return relations.joined(recording, found, table)


def _of_region(recording: xr.DataTree, region: str, table: Table, options: Mapping[str, Any]) -> Composition:
    """Return the composition of one region."""
    data, line = recording[region].to_dataset(), table.line(region)
    expected, unknown = table.expected(region, recording.children), recording.attrs["energy_unknown"]
    _check(data, expected, LARGEST_CHARGING if unknown else 0.0)
    why = f"the energy scale is unknown: {unknown}" if unknown else ""
    if expected and not unknown:
        uncertainty = recording.attrs["energy_uncertainty"]
        found = composition(data, expected, line=line, reference_uncertainty=uncertainty, **options)
        why = _copies(recording, region, found, table)
        if not why:
            return found
    uncertainty = 0.0 if unknown else recording.attrs["energy_uncertainty"]
    lines = free_lines(data, line)
    found = composition(data, lines, line=line, reference_uncertainty=uncertainty, **options)
    kept = [c for c in lines if found.components[c.key].present]
    if kept and len(kept) < len(lines):  # the others describe the background
        kept = [replace(c, key=f"{UNASSIGNED}{i}") for i, c in enumerate(kept, 1)]
        found = composition(data, kept, line=line, reference_uncertainty=uncertainty, **options)
    return replace(found, withheld=dict.fromkeys(expected, why))


def _copies(recording: xr.DataTree, region: str, found: Composition, table: Table) -> str:
    """Return why the states of a region may be one state in parts that charge differently; "" where it is excluded."""
    # The lines of the reference were read when the scale was put on them: where that is ambiguous, it is unknown.
    if recording.attrs["energy_calibrated"] or region in recording.attrs["reference_lines"]:
        return ""
    (result, *_) = found.full_fits.values()
    own = {c.key for c in result.model.components if not c.level}
    lines = sorted(
        (one.position.value, one.area.value)
        for key, one in found.components.items()
        if one.present and key in own and one.position.value is not None and one.area.value
    )
    for i, (lower, of_lower) in enumerate(lines):
        for upper, of_upper in lines[i + 1 :]:
            distance, ratio = upper - lower, of_upper / of_lower
            if distance < differential_charging.LEAST_DISTANCE or not ratio > 0:
                continue
            if not differential_charging.excluding_region(recording, table, distance, ratio, region):
                return (
                    f"its lines {distance:.1f} eV apart may be one line, doubled by differential charging: no other "
                    "region excludes it"
                )
    return ""


def _check(region: xr.Dataset, components: Sequence[Component], margin: float) -> None:
    """Refuse a region without a signal, and one that lies farther than a margin [eV] from all its components."""
    energy, intensity = region.binding_energy.to_numpy(), region.intensity.to_numpy()
    if np.ptp(intensity) == 0:
        raise ValueError(f"its intensity is {intensity[0]:g} at every point: export it again, or leave the region out")
    if intensity.max() <= 0:
        raise ValueError("no intensity is positive: export what the analyser counted, before any subtraction")
    if components and not any(energy.min() - margin <= c.position <= energy.max() + margin for c in components):
        lines = ", ".join(f"{c.key} {c.position:g}" for c in components)
        raise ValueError(
            f"its energies, {energy.min():.1f} to {energy.max():.1f} eV, hold none of its lines ({lines} eV): check "
            "the name of the region, the photon energy and the reference of the energy scale"
        )


def shifts(
    recordings: Mapping[str, xr.DataTree],
    found: Mapping[str, Mapping[str, Composition]],
    region: str,
    label: str,
    others: Mapping[str, Sequence[str]],
) -> dict[str, Interval]:
    """Return how far the mean position of a region lies above those of other conditions, eV.

    Parameters
    ----------
    recordings : mapping of str to xarray.DataTree
        As `reference.referenced` returns them.
    found : mapping of str to mapping of str to Composition
        From `compositions`, of each recording.
    region : str
        Such as "In 3d".
    label : str
        A recording that has the region.
    others : mapping of str to sequence of str
        Recordings that have the region, by the name of their condition: one, or replicates, whose mean counts.

    Notes
    -----
    The uncertainties of all energy scales are included. That of a mean of replicates is the larger one of what their
    own uncertainties and what their scatter give.
    """

    def position(name: str) -> Estimate:
        value, deviation = mean_position(found[name][region].full_fits, found[name][region].weights)
        return Estimate(value, float(np.hypot(deviation, recordings[name].attrs["energy_uncertainty"])))

    value, deviation = position(label)
    between = {}
    for condition, labels in others.items():
        values, deviations = np.array([position(name) for name in labels]).T
        scatter = values.std(ddof=1) if len(labels) > 1 else 0.0
        uncertainty = max(float(np.sqrt(np.mean(deviations**2))), scatter) / np.sqrt(len(labels))
        between[condition] = Interval.from_standard_error(
            value - float(values.mean()), float(np.hypot(deviation, uncertainty))
        )
    return between
