"""Atomic fractions of a surface from the areas of its regions."""

from collections.abc import Mapping

import numpy as np
import xarray as xr

from coldbond.bundle.findings import finding
from coldbond.xps.component_selection import NORMAL, Composition, total_area
from coldbond.xps.components import LINES

AL_KALPHA = 1486.6  # eV, where the file does not say


def fractions(
    recordings: Mapping[str, xr.DataTree],
    found: Mapping[str, Mapping[str, Composition]],
    exponent: float = 0.75,
    sensitivity_uncertainty: float = 0.1,
) -> list[dict]:
    """Return the atomic fractions of the elements whose regions were fitted, as if the surface were homogeneous.

    Parameters
    ----------
    recordings : mapping of str to xarray.DataTree
        As `reference.referenced` gives them.
    found : mapping of str to mapping of str to Composition
        From `surface.compositions`.
    exponent : float
        The electrons' escape depth goes with kinetic energy to this power (Seah and Dench 1979, Surf. Interface Anal.
        1, 2, doi 10.1002/sia.740010103, give 0.5 far above 75 eV; 0.75 is that of Tanuma, Powell and Penn 1994, Surf.
        Interface Anal. 21, 165, doi 10.1002/sia.740210302, for most solids); 0 for no correction.
    sensitivity_uncertainty : float
        Relative standard uncertainty of each sensitivity factor.

    Returns
    -------
    list of dict
        As `findings.finding` gives them, of each recording in which at least two elements are present; carbon left
        out. Areas are those of the main lines, over Scofield's cross-section for Al K-alpha, the transmission where the
        file gives it, and the time of counting.
    """
    values = []
    for label, regions in found.items():
        recording = recordings[label]
        amounts, relative, transmitted = {}, {}, True
        for name, composition in regions.items():
            area, deviation = total_area(composition)
            if not area > 0 or name == "C 1s" or not LINES[name].sensitivity:
                continue
            region = recording[name]
            factor = LINES[name].sensitivity * _seconds(region)
            kinetic = region.attrs.get("photon_energy", AL_KALPHA) - float(region.binding_energy.mean())
            factor *= (kinetic / 1000) ** exponent
            transmitted &= "transmission" in region
            factor *= float(region.transmission.mean()) if "transmission" in region else 1.0
            amounts[name] = area / factor
            relative[name] = np.hypot(deviation / area, sensitivity_uncertainty)
        if len(amounts) < 2:
            continue
        whole = sum(amounts.values())
        note = f"homogeneous surface; escape depth ~ kinetic energy^{exponent:g}"
        note += "; the file's transmission" if transmitted else "; no transmission in the file, none applied"
        for name, amount in amounts.items():
            share = amount / whole
            others = sum((n * relative[other] / whole) ** 2 for other, n in amounts.items() if other != name)
            half = NORMAL * share * float(np.sqrt(((1 - share) * relative[name]) ** 2 + others))
            whose = {key: recording.attrs[key] for key in ("sample", "state")}
            quantity = f"atomic_fraction_{name.split()[0]}"
            bounds = max(share - half, 0.0), min(share + half, 1.0)
            values.append(finding(quantity, share, *bounds, **whose, note=f"of {', '.join(amounts)}; {note}"))
    return values


def _seconds(region: xr.DataTree) -> float:
    """Time of counting at each energy, s, by which counts are divided; 1 where the file gives a rate."""
    if region.intensity.attrs.get("units") != "count":
        return 1.0
    return float(region.attrs.get("dwell_time", 1.0)) * float(region.attrs.get("sweeps", 1.0))
