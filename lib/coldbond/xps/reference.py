"""Energy scale of a recording: as recorded, or set by adventitious carbon.

An insulating surface charges, which shifts all its lines alike. The C 1s region is fitted with the usual components of
adventitious carbon, and the whole scale is shifted so that the C-C component lies at a stated energy.
"""

import numpy as np
import xarray as xr

from coldbond.files.samples import how_to_state, samples
from coldbond.xps.components import COMPONENTS, LINES
from coldbond.xps.fit import fit

#: Standard deviation of the shifts of insulators under a flood gun, eV: the prior of the common shift of the C 1s
#: components. A convention; shifts of a few eV are usual.
CHARGING = 2.0
LEAST_SIGNIFICANCE = 5.0  # area of the C-C component over its standard error, below which it cannot set the scale


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
    recording: xr.DataTree, energy: float | None = 284.8, uncertainty: float = 0.1, background: str = "active shirley"
) -> xr.DataTree:
    """Return a recording on a stated scale of binding energy.

    Parameters
    ----------
    recording : xarray.DataTree
        As `coldbond.read` returns it, regions as children.
    energy : float or None
        Energy to which the C-C component of the C 1s region is shifted, eV; None leaves the scale as recorded.
    uncertainty : float
        Standard uncertainty of that energy, eV. That of adventitious carbon is 0.1 to 0.2 eV on one kind of sample, and
        much larger between kinds (Greczynski and Hultman 2020, Prog. Mater. Sci. 107, 100591,
        doi 10.1016/j.pmatsci.2019.100591).
    background : str
        Of the C 1s region, as for `fit.fit`.

    Returns
    -------
    xarray.DataTree
        With these attrs: `energy_shift`, the shift that was added [eV]; `energy_uncertainty`, the standard uncertainty
        of the scale [eV], which is common to all regions and cancels in differences within the recording;
        `energy_reference`, a description with what the file itself states.

    Raises
    ------
    ValueError
        There is a C 1s region without a significant C-C line, or the regions are of several samples.
    """
    if energy is not None:
        require_one_sample(recording)
    stated = recording.attrs.get("charge_reference")
    stated = f"; the file states {stated!r}" if stated else ""
    shift, deviation = 0.0, uncertainty
    if energy is None:
        description = f"as recorded{stated}"
    elif "C 1s" not in recording.children:
        description = f"as recorded: no C 1s region{stated}"
    else:
        result = fit(
            recording["C 1s"].to_dataset(),
            COMPONENTS["C 1s"],
            background,
            line=LINES["C 1s"],
            reference_uncertainty=CHARGING,
        )
        position, area = (result.params[f"CC_{name}"] for name in ("position", "area"))
        if not (position.stderr and area.stderr and area.value > LEAST_SIGNIFICANCE * area.stderr):
            raise ValueError(
                "the C 1s region has no C-C line to set the energy scale by: leave the energies as recorded"
            )
        shift = energy - position.value
        deviation = float(np.hypot(uncertainty, position.stderr))
        description = f"C–C of C 1s shifted from {position.value:.2f} to {energy:.2f} eV{stated}"
    moved = {
        name: region.to_dataset().assign_coords(
            binding_energy=("binding_energy", region.binding_energy.to_numpy() + shift, region.binding_energy.attrs)
        )
        for name, region in recording.children.items()
    }
    tree = xr.DataTree.from_dict(moved)
    tree.attrs = recording.attrs | {
        "energy_shift": shift,
        "energy_uncertainty": deviation,
        "energy_reference": description,
    }
    return tree
