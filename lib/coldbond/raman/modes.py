"""What decomposed spectra say of the modes that were looked for."""

from collections.abc import Mapping

import numpy as np
import xarray as xr

from coldbond.bundle.findings import finding
from coldbond.raman.decomposition import SIGNIFICANCE
from coldbond.raman.spikes import places


def findings(decomposed: Mapping[str, xr.Dataset]) -> list[dict]:
    """Return of every sample which modes it shows, where and how high, or how high they can be at most.

    Parameters
    ----------
    decomposed : mapping of str to xarray.Dataset
        From `decomposition.decompose`.

    Returns
    -------
    list of dict
        As `findings.finding` gives them.
    """
    found = []
    for spectrum in decomposed.values():
        whose = {key: spectrum.attrs[key] for key in ("sample", "state")}
        modes = spectrum.isel(band=spectrum.looked_for.to_numpy())
        names = [str(name) for name in modes.band.to_numpy()]
        present = [name for name in names if modes.present.sel(band=name)]
        phases = {name.split()[0] for name in names}
        quantity = f"{phases.pop()}_Raman_mode_present" if len(phases) == 1 else "a_looked_for_mode_present"
        note = f"found: {', '.join(present) or 'none'}; looked for: {', '.join(names)}"
        found.append(finding(quantity, bool(present), **whose, note=note))
        for name in names:
            found += _of_mode(modes.sel(band=name), name, whose)
        hits = places(spectrum.raman_shift.to_numpy(), spectrum.struck.to_numpy())
        note = "left out, at " + ", ".join(f"{hit:.0f}" for hit in hits) + " 1/cm" if hits else ""
        found.append(finding("cosmic_spikes", len(hits), **whose, note=note))
    return found


def _of_mode(mode: xr.Dataset, name: str, whose: Mapping[str, str]) -> list[dict]:
    p, gain, place = float(mode.p), float(mode.gain), float(mode.expected)
    degrees = ", ".join(map(str, mode.degrees))
    evidence = f"F test {f'p = {p:.1g}' if p > 1e-10 else 'p < 1e-10'}, BIC {gain:+.0f}"
    points = int((~mode.struck).sum())
    evidence += f", the least of baselines of degree {degrees}; {points} points are worth {mode.effective:.0f}"
    _, low, high = (float(x) for x in mode.height)
    unit = mode.height.units
    of = f"per cent of the band at {mode.relative_to} 1/cm" if mode.relative_to else ""
    if not mode.present:
        edge = "; what is at the edge of the searched range is a neighbour's" if p < SIGNIFICANCE else ""
        note = f"height below {_digits(high)} {of or unit} (95 %); {evidence}{edge}"
        absent = finding(f"{name}_present", False, **whose, note=note)
        of = f"upper limit, {of}" if of else "upper limit"
        return [absent, finding(f"height_of_{name}", None, low, high, unit, **whose, note=of)]
    note = f"height {_digits(low)} to {_digits(high)} {of or unit} (95 %); {evidence}"
    laser = mode.attrs.get("laser_share")
    share = f", {1.96 * laser:.2f} from the laser's wavelength" if laser else ""
    where = f"expected at {place:g}; the axis' share of the half width is {1.96 * mode.axis_uncertainty:.2f}{share}"
    near = mode.struck[np.abs(mode.raman_shift - mode.position[0]) < mode.width.fillna(0)[0]]
    if near.any():
        where += f"; {float(near.mean()):.0%} of its points were struck by a cosmic ray and are left out"
    return [
        finding(f"{name}_present", True, **whose, note=note),
        finding(f"raman_shift_of_{name}", *map(_known, mode.position), "1/cm", **whose, note=where),
        finding(f"width_of_{name}", *map(_known, mode.width), "1/cm", **whose, note="instrument's part included"),
        finding(f"height_of_{name}", *map(_known, mode.height), unit, **whose, note=of),
    ]


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _digits(value: float) -> str:
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"
