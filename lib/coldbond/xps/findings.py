"""Findings and display tables of XPS surfaces."""

import re
from collections.abc import Mapping, Sequence

import pandas as pd
import xarray as xr

from coldbond.bundle.findings import finding, item
from coldbond.interval import Interval
from coldbond.xps.component_selection import STRONG_EVIDENCE, UNDECIDED_SHARE, Composition, Inseparable, Selected
from coldbond.xps.components import COMPONENTS, level
from coldbond.xps.quantification import AtomicFractions
from coldbond.xps.surface import shifts

#: Number of a region that the file has several times, at the end of its name.
REPEATED = re.compile(r" \(\d+\)$")
INSEPARABLE = "not separable from the components that are present"
LEAST_P = 1e-4  # smaller probabilities are shown as an upper limit
LEAST_WIDTH = 1e-9  # of the interval of a share; it is zero where the component is alone in its core level


def scale_table(recordings: Mapping[str, xr.DataTree]) -> pd.DataFrame:
    """Return the origin of the energy scale of each recording, as a table."""
    rows = {
        label: {
            "binding energies": recording.attrs["energy_reference"],
            "shift / eV": f"{recording.attrs['energy_shift']:+.2f}",
            "standard uncertainty / eV": f"{recording.attrs['energy_uncertainty']:.2f}",
        }
        for label, recording in recordings.items()
    }
    return pd.DataFrame.from_dict(rows, orient="index")


def composition_table(found: Mapping[str, Mapping[str, Composition]]) -> pd.DataFrame:
    """Return the evidence for every component as a table, its numbers already text."""
    rows = {}
    for label, regions in found.items():
        for region, composition in regions.items():
            weights = ", ".join(f"{name} {weight:.2f}" for name, weight in composition.weights.items())
            for key, one in composition.components.items():
                hidden = f"< {100 * _limit_share(composition, one):.2g}"
                rows[label, region, key] = {
                    "present": ("yes" if one.present else "no") if one.decided else "undecided",
                    "position / eV": f"{one.position.value:.2f}" if one.present else "",
                    "share / %": _percent(one.share) if one.present else hidden,
                    "F": _rounded(one.f),
                    "p": f"{one.p:.1g}" if one.p >= LEAST_P else "< 1e-4",
                    "ΔBIC": _rounded(one.bic_gain),
                    "background (weight)": weights,
                    "χ²/ν": f"{composition.best.redchi:.2f}",
                    "at a bound": ", ".join(composition.best.at_bound),
                }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis(["sample", "region", "component"])


def reference_table(regions: Sequence[str]) -> pd.DataFrame:
    """Return the reference positions with their sources and conflicts, as a table."""
    rows = {
        (region, c.key): {
            "position / eV": f"{c.position:.1f} ± {c.uncertainty:g}",
            "source": c.source,
            "conflict": c.conflict,
        }
        for region in regions
        for c in COMPONENTS[level(region)]
    }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis(["region", "component"])


def composition_findings(
    recordings: Mapping[str, xr.DataTree],
    found: Mapping[str, Mapping[str, Composition]],
    before: str = "",
    shifted: str = "In 3d",
) -> list[dict]:
    """Return which components each surface has, with their binding energies and shares.

    Parameters
    ----------
    recordings : mapping of str to xarray.DataTree
        As `reference.referenced` returns them.
    found : mapping of str to mapping of str to Composition
        From `surface.compositions`.
    before : str
        The recording that the shift of a region is relative to; without it no shift is given.
    shifted : str
        The region whose shift is given.

    Returns
    -------
    list of dict
        From `findings.finding`: for every component whether it is present, and if it is, its binding energy and its
        share of the region.
    """
    values = []
    for label, regions in found.items():
        sample, state = (recordings[label].attrs[key] for key in ("sample", "state"))
        for region, composition in regions.items():
            again = sum(REPEATED.sub("", other) == region for other in recordings[label].children)
            first = f"the first of {again} regions of this name in the file" if again > 1 else ""
            for key, one in composition.components.items():
                name = f"{region}_{key}".replace(" ", "_")
                values.append(
                    finding(
                        f"{name}_present",
                        one.present if one.decided else None,
                        sample=sample,
                        state=state,
                        evidence=_evidence(composition, one),
                        threshold=_threshold(composition, one),
                        note="; ".join(filter(None, [first, "" if one.decided else INSEPARABLE])),
                    )
                )
                if one.present:
                    values.append(_position(name, one) | {"sample": sample, "state": state})
                    values += [row | {"sample": sample, "state": state} for row in _share(name, key, one, composition)]
    return values + _shift_findings(recordings, found, before, shifted)


def _evidence(composition: Composition, one: Selected) -> list[dict]:
    p = Interval(None, None, LEAST_P) if one.p < LEAST_P else float(f"{one.p:.1g}")
    rows = [
        item("F", float(_rounded(one.f))),
        item("p with the trials factor", p),
        item("gain in BIC", float(_rounded(one.bic_gain))),
    ]
    if not one.present:
        limit = float(f"{100 * _limit_share(composition, one):.2g}")
        rows.append(item("share of the region", Interval(None, None, limit), "%"))
    return rows


def _threshold(composition: Composition, one: Selected) -> list[dict]:
    """Limits that decide: those of presence, or where a component is left out that of absence."""
    if one.present:
        return [item("p", composition.significance), item("gain in BIC", STRONG_EVIDENCE)]
    return [item("share of the region", 100 * UNDECIDED_SHARE, "%")]


def _position(name: str, one: Selected) -> dict:
    quantity = f"{name}_binding_energy"
    if one.position_determined and one.position.is_bounded:
        note = "the interval includes the uncertainty of the energy scale"
        return finding(quantity, one.position, unit="eV", note=note)
    note = "not determined by the spectrum: the interval is that of the reference position"
    return finding(quantity, Interval(None, one.position.low, one.position.high), unit="eV", note=note)


def _share(name: str, key: str, one: Selected, composition: Composition) -> list[dict]:
    """Return the share of a component, unless it is alone in its core level and its share is 1 by definition."""
    value, low, high = one.share
    if value is None or low is None or high is None or low >= 1 or high - low < LEAST_WIDTH:
        return []
    low, high = max(low, 0.0), min(high, 1.0)
    return [
        finding(
            f"{name}_share",
            Interval(min(max(value, low), high), low, high),
            evidence=[_correlation(pair) for pair in composition.inseparable if key in pair[:2]],
            note="the interval includes counting statistics, choice of background and model uncertainty",
        )
    ]


def _correlation(pair: Inseparable) -> dict:
    return item(f"correlation of the areas of {pair.first} and {pair.second}", round(pair.correlation, 2))


def _shift_findings(
    recordings: Mapping[str, xr.DataTree], found: Mapping[str, Mapping[str, Composition]], before: str, region: str
) -> list[dict]:
    """Return the shift of the mean position of a region relative to one recording, and whether it is negative."""
    held = {label: regions[region] for label, regions in found.items() if region in regions}
    values = []
    for label, composition in held.items() if before in held else ():
        if label == before:
            continue
        others = shifts(recordings, found, region, label)
        shift = others.pop(before)
        sample, state = (recordings[label].attrs[key] for key in ("sample", "state"))
        name = region.replace(" ", "_")
        values += [
            finding(
                f"{name}_shift",
                shift,
                unit="eV",
                sample=sample,
                state=state,
                evidence=[_correlation(pair) for pair in composition.inseparable],
                note=f"mean position relative to {before}",
            ),
            finding(
                f"{name}_at_lower_binding_energy",
                shift.high is not None and shift.high < 0,
                sample=sample,
                state=state,
                evidence=[item(f"shift relative to {before}", shift, "eV")],
                threshold=[item("shift", 0.0, "eV")],
                alternatives=[item(f"{other} as reference", value, "eV") for other, value in others.items()],
            ),
        ]
    return values


def atomic_fraction_findings(
    recordings: Mapping[str, xr.DataTree], fractions: Mapping[str, AtomicFractions], exponent: float
) -> list[dict]:
    """Return the atomic fractions of each surface.

    Parameters
    ----------
    recordings : mapping of str to xarray.DataTree
    fractions : mapping of str to AtomicFractions
        From `quantification.atomic_fractions`.
    exponent : float
        The exponent that they were computed with.
    """
    values = []
    for label, of in fractions.items():
        sample, state = (recordings[label].attrs[key] for key in ("sample", "state"))
        transmission = "transmission of the file" if of.transmission_known else "no transmission in the file"
        for region, fraction in of.fractions.items():
            values.append(
                finding(
                    f"atomic_fraction_{region.split()[0]}",
                    fraction,
                    sample=sample,
                    state=state,
                    evidence=[item("exponent of the kinetic energy in the escape depth", exponent)],
                    note=f"relative to {', '.join(of.fractions)}; homogeneous surface; {transmission}",
                )
            )
    return values


def _rounded(value: float) -> str:
    return f"{value:.1f}" if abs(value) < 100 else f"{value:.2g}"


def _percent(share: Interval) -> str:
    if share.low is None or share.high is None:
        return ""
    return f"{100 * max(share.low, 0):.3g} to {100 * min(share.high, 1):.3g}"


def _limit_share(composition: Composition, one: Selected) -> float:
    """Return the upper limit as a share of all areas of the region."""
    whole = composition.total_area
    return min(one.upper_limit / whole, 1.0) if whole > 0 else 1.0
