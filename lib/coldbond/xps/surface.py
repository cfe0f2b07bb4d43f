"""Component selection in all regions of several recordings, and the shift of a region between recordings."""

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr

from coldbond.interval import Interval
from coldbond.xps.amounts import Estimate, mean_position
from coldbond.xps.component_selection import Composition, composition
from coldbond.xps.components import COMPONENTS, LINES, expected_components, level
from coldbond.xps.reference import require_one_sample


def compositions(
    recordings: Mapping[str, xr.DataTree],
    regions: Sequence[str],
    backgrounds: Sequence[str] = ("active shirley", "active tougaard"),
    shape: str = "doniach",
    significance: float = 0.05,
    model_uncertainty: float = 0.02,
) -> dict[str, dict[str, Composition]]:
    """Return the composition of each region of each recording.

    Parameters
    ----------
    recordings : mapping of str to xarray.DataTree
        As `reference.referenced` returns them.
    regions : sequence of str
        Regions wanted, such as "Li 1s"; of each recording those that it has.
    backgrounds, shape, significance, model_uncertainty
        As for `component_selection.composition`.

    Returns
    -------
    dict of str to dict of str to Composition
        By recording and region.

    Raises
    ------
    LookupError
        No components are known for a region, or no recording has any of the regions.
    ValueError
        A region is wanted of a recording of several samples, and the name does not say of which.
    """
    unknown = [region for region in regions if level(region) not in COMPONENTS]
    if unknown:
        raise LookupError(f"no components are known for {', '.join(unknown)}; there are {', '.join(COMPONENTS)}")
    held = {name for recording in recordings.values() for name in recording.children}
    for label, recording in recordings.items():
        levels = {level(name) for name in recording.children} - set(recording.children)
        if levels & set(regions):
            require_one_sample(recording, label)
    if not held & set(regions):
        raise LookupError(f"no recording has {' or '.join(regions)}; they have {', '.join(sorted(held))}")
    return {
        label: {
            region: composition(
                recording[region].to_dataset(),
                expected_components(region, recording.children),
                line=LINES[level(region)],
                backgrounds=backgrounds,
                shape=shape,
                reference_uncertainty=recording.attrs["energy_uncertainty"],
                significance=significance,
                model_uncertainty=model_uncertainty,
            )
            for region in regions
            if region in recording.children
        }
        for label, recording in recordings.items()
    }


def shifts(
    recordings: Mapping[str, xr.DataTree], found: Mapping[str, Mapping[str, Composition]], region: str, label: str
) -> dict[str, Interval]:
    """Return how far the mean position of a region lies above that in each other recording, eV.

    The uncertainties of both energy scales are included.

    Parameters
    ----------
    recordings : mapping of str to xarray.DataTree
        As `reference.referenced` returns them.
    found : mapping of str to mapping of str to Composition
        From `compositions`.
    region : str
        Such as "In 3d".
    label : str
        A recording that has the region.
    """
    positions = {}
    for name, regions in found.items():
        if region in regions:
            value, deviation = mean_position(regions[region].full_fits, regions[region].weights)
            scale = recordings[name].attrs["energy_uncertainty"]
            positions[name] = Estimate(value, float(np.hypot(deviation, scale)))
    value, deviation = positions[label]
    return {
        name: Interval.from_standard_error(value - other.value, float(np.hypot(deviation, other.standard_uncertainty)))
        for name, other in positions.items()
        if name != label
    }
