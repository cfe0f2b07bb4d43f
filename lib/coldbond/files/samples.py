"""Samples in a photoelectron file of several: the names of their regions, and the choice of one of them."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import xarray as xr

from coldbond.files.errors import ReadError


def node_name(text: str) -> str:
    """Return a text as part of the name of a region, in which a tree allows no slash and no lone points."""
    return text.strip().replace("/", "-").strip(".").strip()


def samples(recording: xr.DataTree) -> list[str]:
    """Return the samples whose regions a recording has, in the order of the file; "" for those without a name."""
    return list(dict.fromkeys(str(region.attrs.get("sample_name", "")) for region in recording.children.values()))


def how_to_state(names: Iterable[str]) -> str:
    """Return the remedy that names both ways to state a sample."""
    first = next(iter(names))
    return f"state one with read(path, sample={first!r}) or in the column sample_in_file of manifest.csv"


def named_by_sample(
    regions: Iterable[tuple[str, xr.Dataset]], attrs: dict[str, Any]
) -> Iterator[tuple[str, xr.Dataset]]:
    """Add the sample to the names of the regions where there are several, and all samples to `attrs`."""
    regions = list(regions)
    found = list(dict.fromkeys(str(region.attrs.get("sample_name", "")) for _, region in regions))
    if any(found):
        attrs["sample_name"] = ", ".join(filter(None, found))
    for name, region in regions:
        sample = node_name(str(region.attrs.get("sample_name", "")))
        yield (f"{name}, {sample or 'unnamed'}" if len(found) > 1 else name), region


def of_sample(path: Path, recording: xr.DataTree, sample: str | None) -> xr.DataTree:
    """Return the regions of one sample under their plain names; all regions where none is stated.

    Parameters
    ----------
    path : pathlib.Path
        For the error.
    recording : xarray.DataTree
        From `regions.tree`.
    sample : str or None
        As the file names it, in capitals or not.

    Raises
    ------
    ReadError
        The file has no sample of this name.
    """
    if sample is None:
        return recording
    held = samples(recording)
    same = [name for name in held if name == sample.strip()]
    same = same or [name for name in held if name.casefold() == sample.strip().casefold()]
    if len(same) != 1 or not same[0]:
        found = f"its samples are {', '.join(map(repr, held))}" if any(held) else "it does not name its samples"
        remedy = how_to_state(filter(None, held)) if any(held) else "state no sample, here or in the manifest"
        raise ReadError(path, None, f"the file has no sample {sample!r}: {found}", remedy)
    suffix = re.compile(rf", {re.escape(node_name(same[0]))}(?=( \(\d+\))?$)") if len(held) > 1 else re.compile("$")
    named = {
        suffix.sub("", name, count=1): region.to_dataset()
        for name, region in recording.children.items()
        if region.attrs.get("sample_name") == same[0]
    }
    return xr.DataTree.from_dict({"/": xr.Dataset(attrs=recording.attrs | {"sample_name": same[0]}), **named})
