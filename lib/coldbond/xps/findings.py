"""Findings and display tables of XPS surfaces."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
import pandas as pd
import xarray as xr

from coldbond.bundle import conditions
from coldbond.bundle.findings import finding, item, whose
from coldbond.interval import Interval
from coldbond.xps.amounts import covariance
from coldbond.xps.component_selection import Composition, Inseparable, Selected, is_alone
from coldbond.xps.components import BUNDLED, UNASSIGNED, Table, level
from coldbond.xps.fit import widths
from coldbond.xps.quantification import AtomicFractions
from coldbond.xps.surface import shifts

#: Number of a region that the file has several times, at the end of its name.
REPEATED = re.compile(r" \(\d+\)$")
NOT_TOLD = "cannot be told: the spectrum is described with it and without it"
NO_LINE = "cannot be told: the region has no line whose share it could be"
UNEXPLAINED = "no component lies at this energy within its tolerance"
UNKNOWN = "no components of this core level are known"
LEAST_P = 1e-4  # smaller probabilities are shown as an upper limit


def scale_table(recordings: Mapping[str, xr.DataTree]) -> pd.DataFrame:
    """Return the origin of the energy scale of each recording, as a table."""
    rows = {
        label: {
            "binding energies": recording.attrs["energy_reference"],
            "shift / eV": f"{recording.attrs['energy_shift']:+.2f}",
            "standard uncertainty / eV": f"{recording.attrs['energy_uncertainty']:.2f}".replace("inf", "unknown"),
        }
        for label, recording in recordings.items()
    }
    return pd.DataFrame.from_dict(rows, orient="index")


def composition_table(found: Mapping[str, Mapping[str, Composition]]) -> pd.DataFrame:
    """Return the evidence for every component as a table, its numbers already text."""
    rows = {}
    for label, regions in found.items():
        for region, composition in regions.items():
            for key, one in composition.components.items():
                rows[label, region, key] = {
                    "present": ("yes" if one.present else "no") if one.decided else "undecided",
                    "position / eV": f"{one.position.value:.2f}" if one.present else "",
                    "share / %": "" if one.present and is_alone(composition, key) else _percent(one),
                    "Δχ²": _rounded(one.gain),
                    "p": f"{one.p:.1g}" if one.p >= LEAST_P else "< 1e-4",
                    "fits (weight)": _weights(composition),
                    "χ²/ν": f"{composition.best.redchi:.2f}",
                    "variance scale": f"{composition.best.variance_scale:.1f}",
                    "at a bound": ", ".join(composition.best.at_bound),
                    "note": _note(composition, key, one),
                }
            for c, why in composition.withheld.items():
                rows[label, region, c.key] = {"present": "cannot be told", "note": why}
    return pd.DataFrame.from_dict(rows, orient="index").fillna("").rename_axis(["sample", "region", "component"])


def component_table(
    recordings: Mapping[str, xr.DataTree], found: Mapping[str, Mapping[str, Composition]]
) -> pd.DataFrame:
    """Return every component of each region, a row a component: 95 % intervals, and the quality of the fit.

    Shares are those of the best fit of all components with the bounds of all fits that the data admit; the width is the
    full width at half maximum of the line in the best fit.
    """
    rows: list[dict[str, object]] = []
    for label, regions in found.items():
        for region, composition in regions.items():
            best = composition.best
            width = widths(best)
            unit = best.model.region.intensity.attrs.get("units", "")
            for key, one in composition.components.items():
                row: dict[str, object] = {"recording": label, "region": region, "component": key}
                row["present"] = ("yes" if one.present else "no") if one.decided else "undecided"
                for what, interval, of in (
                    ("position", one.position, "eV"),
                    ("area", one.area, f"{unit} eV"),
                    ("share of the core level", one.share.scaled(100), "%"),
                ):
                    ends = zip(("", ", low", ", high"), interval, strict=True)
                    row |= {f"{what}{end} / {of}": value for end, value in ends}
                row["full width at half maximum / eV"] = width[key] if one.present else None
                row |= {"fall of chi square": one.gain, "p": one.p, "note": _note(composition, key, one)}
                row["fits and their weights"] = _weights(composition)
                row["variance scale"] = best.variance_scale
                row |= {"chi square": best.chisqr, "degrees of freedom": best.nfree, "line shape": best.model.tail}
                row["energy scale"] = recordings[label].attrs["energy_reference"]
                rows.append(row)
    return pd.DataFrame(rows)


def _weights(composition: Composition) -> str:
    return ", ".join(f"{name} {weight:.2f}" for name, weight in composition.weights.items())


def reference_table(regions: Sequence[str], table: Table = BUNDLED) -> pd.DataFrame:
    """Return the reference positions of components.toml with their sources and conflicts, as a table."""
    rows = {
        (region, c.key): {
            "position / eV": f"{c.position:.1f} ± {c.tolerance:g}",
            "source": c.source,
            "conflict": c.conflict,
        }
        for region in regions
        for c in table.components.get(level(region), ())
    }
    rows |= {
        (region, ""): {"position / eV": "", "source": "no components are known: lines are unassigned", "conflict": ""}
        for region in regions
        if level(region) not in table.components
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
        From `surface.compositions`, of each recording.
    before : str
        The sample, or the recording, that the shift of a region is relative to, the mean of its replicates where there
        are several; without it no shift is given.
    shifted : str
        The region whose shift is given.

    Returns
    -------
    list of dict
        From `findings.finding`: for every component whether it is present, its share of the core level or the upper
        limit of that, and if it is present its binding energy.
    """
    values = []
    for label, regions in found.items():
        of = whose(recordings[label])
        for region, composition in regions.items():
            again = sum(REPEATED.sub("", other) == region for other in recordings[label].children)
            first = f"the first of {again} regions of this name in the file" if again > 1 else ""
            for key, one in composition.components.items():
                name = f"{region}_{key}".replace(" ", "_")
                values.append(
                    finding(
                        f"{name}_present",
                        one.present if one.decided else None,
                        **of,
                        evidence=_evidence(composition, one),
                        threshold=_threshold(composition, one),
                        note="; ".join(filter(None, [first, _note(composition, key, one)])),
                    )
                )
                if one.present:
                    values.append(_position(name, one, _unknown_scale(recordings[label])) | of)
                values += [row | of for row in _share(name, key, one, composition)]
            values += _withheld(region, composition, recordings[label])
    return values + _shift_findings(recordings, found, before, shifted)


def _evidence(composition: Composition, one: Selected) -> list[dict]:
    p = Interval(None, None, LEAST_P) if one.p < LEAST_P else float(f"{one.p:.1g}")
    rows = [item("fall of chi square", float(_rounded(one.gain))), item("p with the trials factor", p)]
    if not one.present:
        limit = float(f"{100 * one.upper_limit:.2g}")
        rows.append(item("share of the region", Interval(None, None, limit), "%"))
    return rows


def _note(composition: Composition, key: str, one: Selected) -> str:
    """Return what is known of a component beside its numbers, and why its presence is undecided."""
    notes = [one.note]
    if key.startswith(UNASSIGNED):
        known = any(not other.startswith(UNASSIGNED) for other in composition.components)
        notes.append(next(iter(composition.withheld.values()), UNEXPLAINED if known else UNKNOWN))
    if not one.decided and not one.note:
        has_line = any(other.present for other in composition.components.values())
        notes.append(NOT_TOLD if has_line else NO_LINE)
    return "; ".join(filter(None, notes))


def _threshold(composition: Composition, one: Selected) -> list[dict]:
    """Limits that decide: those of presence, or where a component is left out that of absence."""
    if one.present:
        return [item("p", composition.significance)]
    return [item("share of the region", 100 * composition.absent_below, "%")]


def _position(name: str, one: Selected, unknown: str) -> dict:
    if unknown:
        return finding(f"{name}_recorded_energy", one.position, unit="eV", note=unknown)
    quantity = f"{name}_binding_energy"
    if one.position_determined and one.position.is_bounded:
        note = "the interval includes the uncertainty of the energy scale"
        return finding(quantity, one.position, unit="eV", note=note)
    note = "not determined by the spectrum: the interval is that of the reference position"
    return finding(quantity, Interval(None, one.position.low, one.position.high), unit="eV", note=note)


def _share(name: str, key: str, one: Selected, composition: Composition) -> list[dict]:
    """Return the share of a component or its limits, unless it is alone in its core level."""
    if is_alone(composition, key):
        return []
    value, low, high = one.share
    note = "of the profile likelihood over all backgrounds and line shapes that the spectrum admits"
    if any(other.startswith(UNASSIGNED) for other in composition.components):
        note += "; the share of all lines, unassigned ones included"
    if not one.present:
        value, low = None, low or 0.0
        note = "upper limit" if one.decided or not low else "not told from zero"
    return [
        finding(
            f"{name}_share",
            Interval(value, low, high),
            evidence=[_correlation(pair) for pair in composition.inseparable if key in pair[:2]],
            note="; ".join(filter(None, [note, one.note])),
        )
    ]


def _correlation(pair: Inseparable) -> dict:
    return item(f"correlation of the areas of {pair.first} and {pair.second}", round(pair.correlation, 2))


def _shift_findings(
    recordings: Mapping[str, xr.DataTree], found: Mapping[str, Mapping[str, Composition]], before: str, region: str
) -> list[dict]:
    """Return the shift of the mean position of a region relative to one condition, and whether it is negative."""
    groups = conditions.groups({label: recordings[label] for label, regions in found.items() if region in regions})
    held = {name if len(labels) > 1 else labels[0]: labels for name, labels in groups.items()}
    references = [condition for condition, labels in held.items() if _is_of(before, condition, recordings[labels[0]])]
    values = []
    for condition, label in ((c, label) for c, labels in held.items() for label in labels):
        if not references or condition == references[0]:
            continue
        unknown = [recordings[one].attrs["energy_unknown"] for one in (label, *held[references[0]])]
        if any(unknown):
            name, of = region.replace(" ", "_"), whose(recordings[label])
            why = f"the energy scale is unknown: {next(filter(None, unknown))}"
            values += [
                finding(f"{name}_shift", None, unit="eV", **of, note=why),
                finding(f"{name}_at_lower_binding_energy", None, **of, note=why),
            ]
            continue
        others = shifts(recordings, found, region, label, {c: held[c] for c in held if c != condition})
        shift = others.pop(references[0])
        name, of = region.replace(" ", "_"), whose(recordings[label])
        inseparable = found[label][region].inseparable
        values += [
            finding(
                f"{name}_shift",
                shift,
                unit="eV",
                **of,
                evidence=[_correlation(pair) for pair in inseparable],
                note=f"mean position relative to {references[0]}",
            ),
            finding(
                f"{name}_at_lower_binding_energy",
                shift.high is not None and shift.high < 0,
                **of,
                evidence=[item(f"shift relative to {references[0]}", shift, "eV")],
                threshold=[item("shift", 0.0, "eV")],
                alternatives=[item(f"{other} as reference", value, "eV") for other, value in others.items()],
            ),
        ]
    return values


def _is_of(before: str, condition: str, recording: xr.DataTree) -> bool:
    """Return whether a condition is the one that is asked for, by its name or by its sample."""
    return before in (condition, recording.attrs["sample"])


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
        transmission = "transmission of the file" if of.transmission_known else "no transmission in the file"
        for region, fraction in of.fractions.items():
            values.append(
                finding(
                    f"atomic_fraction_{region.split()[0]}",
                    fraction,
                    **whose(recordings[label]),
                    evidence=[item("exponent of the kinetic energy in the escape depth", exponent)],
                    note=f"relative to {', '.join(of.fractions)}; homogeneous surface; {transmission}",
                )
            )
    return values


def _rounded(value: float) -> str:
    return f"{value:.1f}" if abs(value) < 100 else f"{value:.2g}"


def _percent(one: Selected) -> str:
    high = f"{100 * one.upper_limit:.3g}"
    return f"{100 * (one.share.low or 0):.3g} to {high}" if one.present else f"< {high}"


def _unknown_scale(recording: xr.DataTree) -> str:
    """Return why the energies of a recording are as recorded; empty where the scale is known."""
    why = recording.attrs["energy_unknown"]
    return f"energy as recorded, the scale is unknown: {why}" if why else ""


def _withheld(region: str, composition: Composition, recording: xr.DataTree) -> list[dict]:
    """Return null findings of each component that cannot be told, and the distances between unassigned lines.

    Distances within one region do not depend on the energy scale.
    """
    of, name = whose(recording), region.replace(" ", "_")
    levels = Counter(c.level for c in composition.withheld)
    values = []
    for c, why in composition.withheld.items():
        values.append(finding(f"{name}_{c.key}_present", None, **of, note=why))
        if levels[c.level] > 1:
            values.append(finding(f"{name}_{c.key}_share", None, **of, note=why))
    present = [key for key, one in composition.components.items() if one.present and key.startswith(UNASSIGNED)]
    result = composition.best
    for pair in pairwise(present):
        names = [f"{key}_position" for key in pair]
        distance = result.params[names[1]].value - result.params[names[0]].value
        both = covariance(result, names)
        deviation = float(np.sqrt(both[0, 0] + both[1, 1] - 2 * both[0, 1]))
        note = "a difference within the region: it does not depend on the energy scale"
        between = Interval.from_standard_error(distance, deviation)
        values.append(finding(f"{name}_{pair[1]}_above_{pair[0]}", between, unit="eV", **of, note=note))
    return values
