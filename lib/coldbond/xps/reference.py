"""The energy scale of a recording: as recorded, or set by its adventitious carbon."""

import numpy as np
import xarray as xr

from coldbond.xps.components import COMPONENTS, LINES
from coldbond.xps.fit import fit

CHARGING = 2.0  # eV: standard deviation of the shifts that insulators show under a flood gun, to start from


def referenced(
    recording: xr.DataTree, energy: float | None = 284.8, uncertainty: float = 0.1, background: str = "active shirley"
) -> xr.DataTree:
    """Return a recording on a stated scale of binding energy.

    Parameters
    ----------
    recording : xarray.DataTree
        As `coldbond.read` gives it, regions as children.
    energy : float or None
        Where the C-C component of the C 1s region is put, eV; None leaves the scale as it was recorded.
    uncertainty : float
        Standard uncertainty of that energy, eV. That of adventitious carbon is 0.1 to 0.2 eV on one kind of sample, and
        much more between kinds (Greczynski and Hultman 2020, Prog. Mater. Sci. 107, 100591,
        doi 10.1016/j.pmatsci.2019.100591).
    background : str
        Of the C 1s region, as for `fit.fit`.

    Returns
    -------
    xarray.DataTree
        Attrs more: `energy_shift`, what was added [eV]; `energy_uncertainty`, the standard uncertainty of the scale
        [eV], common to all regions and so absent from differences within the recording; `energy_reference`, both in
        words, with what the file itself states.

    Raises
    ------
    ValueError
        There is a C 1s region, but no C-C line in it.
    """
    stated = recording.attrs.get("charge_reference")
    stated = f"; the file states {stated!r}" if stated else ""
    shift, deviation = 0.0, uncertainty
    if energy is None:
        said = f"as recorded{stated}"
    elif "C 1s" not in recording.children:
        said = f"as recorded: there is no C 1s region{stated}"
    else:
        result = fit(
            recording["C 1s"].to_dataset(),
            COMPONENTS["C 1s"],
            background,
            line=LINES["C 1s"],
            reference_uncertainty=CHARGING,
        )
        position, area = (result.params[f"CC_{name}"] for name in ("position", "area"))
        if not (position.stderr and area.stderr and area.value > 5 * area.stderr):
            raise ValueError(
                "the C 1s region shows no C-C line to set the energy scale by: leave the energies as recorded"
            )
        shift = energy - position.value
        deviation = float(np.hypot(uncertainty, position.stderr))
        said = f"C–C of C 1s set from {position.value:.2f} to {energy:.2f} eV{stated}"
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
        "energy_reference": said,
    }
    return tree
