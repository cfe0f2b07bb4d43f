"""Component selection in all regions of several recordings, and the shift of a region between recordings."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from coldbond.interval import Interval
from coldbond.xps import reference, relations
from coldbond.xps.amounts import Estimate, mean_position
from coldbond.xps.component_selection import Composition, composition
from coldbond.xps.components import COMPONENTS, LINES, Component, expected_components, level
from coldbond.xps.reference import require_one_sample


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
    **options: Any,
) -> Surface:
    """Set the energy scale of a recording, and return the composition of its regions.

    Parameters
    ----------
    recording : xarray.DataTree
        As `coldbond.read` returns it.
    regions : sequence of str
        As for `compositions`.
    reference_energy, reference_uncertainty
        As `energy` and `uncertainty` of `reference.referenced`.
    **options
        As for `component_selection.composition`.

    Raises
    ------
    LookupError, ValueError
        As `reference.referenced` and `compositions`.
    """
    on_scale = reference.referenced(recording, reference_energy, reference_uncertainty)
    return Surface(on_scale, compositions(on_scale, regions, **options))


def compositions(
    recording: xr.DataTree,
    regions: Sequence[str],
    **options: Any,
) -> dict[str, Composition]:
    """Return the composition of each region of a recording, with what the regions say of each other.

    Parameters
    ----------
    recording : xarray.DataTree
        As `reference.referenced` returns it.
    regions : sequence of str
        Regions wanted, such as "Li 1s"; those that the recording has.
    **options
        As for `component_selection.composition`.

    Returns
    -------
    dict of str to Composition
        Empty where the recording has none of the regions.

    Raises
    ------
    LookupError
        No components are known for a region.
    ValueError
        A region is wanted of a recording of several samples, and the name does not say of which; a region has too few
        points, or none of its lines lies in its range.
    """
    unknown = [region for region in regions if level(region) not in COMPONENTS]
    if unknown:
        raise LookupError(f"no components are known for {', '.join(unknown)}; there are {', '.join(COMPONENTS)}")
    levels = {level(name) for name in recording.children} - set(recording.children)
    if levels & set(regions):
        require_one_sample(recording)
    found = {}
    for region in (region for region in regions if region in recording.children):
        data, components = recording[region].to_dataset(), expected_components(region, recording.children)
        try:
            _check(data, components)
            found[region] = composition(
                data,
                components,
                line=LINES[level(region)],
                reference_uncertainty=recording.attrs["energy_uncertainty"],
                **options,
            )
        except (ValueError, np.linalg.LinAlgError) as error:
            raise ValueError(f"region {region}: {error}") from error
    return relations.joined(recording, found)


def _check(region: xr.Dataset, components: Sequence[Component]) -> None:
    """Refuse a region without a signal, and one that lies elsewhere."""
    energy, intensity = region.binding_energy.to_numpy(), region.intensity.to_numpy()
    if np.ptp(intensity) == 0:
        raise ValueError(f"its intensity is {intensity[0]:g} at every point: export it again, or leave the region out")
    if intensity.max() <= 0:
        raise ValueError("no intensity is positive: export what the analyser counted, before any subtraction")
    if not any(energy.min() <= c.position <= energy.max() for c in components):
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
