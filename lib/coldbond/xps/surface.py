"""What the regions of a surface say: compositions, findings, and what cannot be told apart."""

from collections.abc import Mapping, Sequence
from math import isfinite

import numpy as np
import pandas as pd
import xarray as xr

from coldbond.bundle.findings import finding
from coldbond.xps import component_selection
from coldbond.xps.component_selection import NORMAL, Composition
from coldbond.xps.components import COMPONENTS, LINES, looked_for


def compositions(
    recordings: Mapping[str, xr.DataTree],
    regions: Sequence[str],
    backgrounds: Sequence[str] = ("active shirley", "active tougaard"),
    shape: str = "doniach",
    significance: float = 0.05,
    model_uncertainty: float = 0.02,
) -> dict[str, dict[str, Composition]]:
    """Decide what each region of each recording holds.

    Parameters
    ----------
    recordings : mapping of str to xarray.DataTree
        As `reference.referenced` gives them.
    regions : sequence of str
        Those wanted, such as "Li 1s"; of each recording those that it holds.
    backgrounds, shape, significance, model_uncertainty
        As for `evidence.composition`.

    Returns
    -------
    dict of str to dict of str to Composition
        By recording and region.

    Raises
    ------
    LookupError
        A region for which no components are known, or no recording holds any of them.
    """
    unknown = [region for region in regions if region not in COMPONENTS]
    if unknown:
        raise LookupError(f"no components are known for {', '.join(unknown)}; there are {', '.join(COMPONENTS)}")
    held = {name for recording in recordings.values() for name in recording.children}
    if not held & set(regions):
        raise LookupError(f"no recording holds {' or '.join(regions)}; they hold {', '.join(sorted(held))}")
    return {
        label: {
            region: component_selection.composition(
                recording[region].to_dataset(),
                looked_for(region, recording.children),
                line=LINES[region],
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


def scales(recordings: Mapping[str, xr.DataTree]) -> pd.DataFrame:
    """Return where the energy scale of each recording comes from, as a table."""
    rows = {
        label: {
            "binding energies": recording.attrs["energy_reference"],
            "shift / eV": f"{recording.attrs['energy_shift']:+.2f}",
            "standard uncertainty / eV": f"{recording.attrs['energy_uncertainty']:.2f}",
        }
        for label, recording in recordings.items()
    }
    return pd.DataFrame.from_dict(rows, orient="index")


def table(found: Mapping[str, Mapping[str, Composition]]) -> pd.DataFrame:
    """Return the evidence for every component as a table to read, its numbers already text."""
    rows = {}
    for label, regions in found.items():
        for region, composition in regions.items():
            for key, row in composition.table.iterrows():
                rows[label, region, key] = {
                    "present": ("yes" if row.present else "no") if row.decided else "cannot be told",
                    "position / eV": f"{row.position:.2f}" if row.present else "",
                    "share / %": _percent(row) if row.present else f"< {100 * _hidden(composition, row):.2g}",
                    "F": _rounded(row.f),
                    "p": f"{row.p:.1g}" if row.p >= 1e-4 else "< 1e-4",
                    "ΔBIC": _rounded(row.bic),
                    "background": ", ".join(f"{name} {weight:.2f}" for name, weight in composition.weights.items()),
                    "χ²/ν": f"{composition.best.redchi:.2f}",
                    "at a bound": ", ".join(composition.best.at_bound),
                }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis(["sample", "region", "component"])


def _rounded(value: float) -> str:
    return f"{value:.1f}" if abs(value) < 100 else f"{value:.2g}"


def _percent(row: pd.Series) -> str:
    return f"{100 * max(row.share_low, 0):.3g} to {100 * min(row.share_high, 1):.3g}"


def _hidden(composition: Composition, row: pd.Series) -> float:
    """The limit as a share of the region's areas."""
    whole = composition.table.area.sum()
    return min(row.limit / whole, 1.0) if whole > 0 else 1.0


def conflicts(regions: Sequence[str]) -> pd.DataFrame:
    """Return the reference positions with their sources and with what else lies there, as a table."""
    rows = {
        (region, c.key): {
            "position / eV": f"{c.position:.1f} ± {c.uncertainty:g}",
            "source": c.source,
            "but": c.conflict,
        }
        for region in regions
        for c in COMPONENTS[region]
    }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis(["region", "component"])


def findings(
    recordings: Mapping[str, xr.DataTree], found: Mapping[str, Mapping[str, Composition]], before: str = "InN-LLZ"
) -> list[dict]:
    """Return what the regions say of each sample, with 95 % intervals.

    Parameters
    ----------
    recordings : mapping of str to xarray.DataTree
        As `reference.referenced` gives them.
    found : mapping of str to mapping of str to Composition
        From `compositions`.
    before : str
        The recording against which the shift of In 3d is taken; without it none is given.

    Returns
    -------
    list of dict
        As `findings.finding` gives them: of every component whether it is present, and where it is, its binding energy
        and its share of the region.
    """
    values = []
    for label, regions in found.items():
        attrs = recordings[label].attrs
        whose = {key: attrs[key] for key in ("sample", "state")}
        for region, composition in regions.items():
            for key, row in composition.table.iterrows():
                name = f"{region}_{key}".replace(" ", "_")
                note = _evidence(composition, row)
                present = bool(row.present) if row.decided else None
                values.append(finding(f"{name}_present", present, **whose, note=note))
                if not row.present:
                    continue
                values.append(_position(name, row) | whose)
                if row.share_low < 1 and row.share_high - row.share_low > 1e-9:
                    values.append(_share(name, row, composition) | whose)
    return values + _shifts(recordings, found, before)


def _evidence(composition: Composition, row: pd.Series) -> str:
    p = f"p = {row.p:.1g}" if row.p >= 1e-4 else "p < 0.0001"
    said = f"F = {_rounded(row.f)}, {p} (best of all places), ΔBIC = {_rounded(row.bic)}"
    if not row.present:
        said += f"; at most {100 * _hidden(composition, row):.2g} % of the region at 95 %"
    if not row.decided:
        said = f"not separable from what is there: {said}"
    return said


def _position(name: str, row: pd.Series) -> dict:
    if row.determined and isfinite(row.position_high):
        note = "the energy scale's uncertainty is in the interval"
        return finding(f"{name}_binding_energy", row.position, row.position_low, row.position_high, "eV", note=note)
    note = "not determined: held by its reference, the spectrum adds nothing to that"
    return finding(f"{name}_binding_energy", None, row.position_low, row.position_high, "eV", note=note)


def _share(name: str, row: pd.Series, composition: Composition) -> dict:
    key = str(row.name)
    note = "statistics, background choice and the model's own shortcomings in the interval"
    apart = [text for text in composition.inseparable if key in text.split(":")[0].split(" and ")]
    note += f"; not separable: {'; '.join(apart)}" if apart else ""
    low, high = max(row.share_low, 0.0), min(row.share_high, 1.0)
    return finding(f"{name}_share", min(max(row.share, low), high), low, high, note=note)


def _shifts(
    recordings: Mapping[str, xr.DataTree], found: Mapping[str, Mapping[str, Composition]], before: str
) -> list[dict]:
    """The mean position of In 3d5/2 against that before the reaction, with both energy scales' uncertainties."""
    held = {label: regions["In 3d"] for label, regions in found.items() if "In 3d" in regions}
    if before not in held:
        return []
    positions = {
        label: (value, float(np.hypot(deviation, recordings[label].attrs["energy_uncertainty"])))
        for label, (value, deviation) in ((k, component_selection.mean_position(c)) for k, c in held.items())
    }
    values = []
    for label, (value, deviation) in positions.items():
        if label == before:
            continue
        shift, half = value - positions[before][0], NORMAL * np.hypot(deviation, positions[before][1])
        attrs = recordings[label].attrs
        whose = {key: attrs[key] for key in ("sample", "state")}
        note = f"mean position of 3d5/2 against {before}; {'; '.join(held[label].inseparable) or 'a single component'}"
        values.append(finding("In_3d_shift", shift, shift - half, shift + half, "eV", **whose, note=note))
        note = f"the shift's 95 % interval is {shift - half:.2f} to {shift + half:.2f} eV"
        others = [
            f"{value - other:+.2f} ± {NORMAL * np.hypot(deviation, spread):.2f} eV against {name}"
            for name, (other, spread) in positions.items()
            if name not in (label, before)
        ]
        note += f"; {', '.join(others)}" if others else ""
        lower = bool(shift + half < 0)
        values.append(finding("In_3d_at_lower_binding_energy", lower, **whose, note=note))
    return values
