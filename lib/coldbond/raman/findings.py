"""Findings of Raman spectra: the axis, and the modes that are present."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import xarray as xr

from coldbond.bundle.findings import finding, item, whose
from coldbond.interval import NORMAL, Interval
from coldbond.raman.assignment import Band
from coldbond.raman.axis import axis_correction
from coldbond.raman.confidence_intervals import LIMIT_WIDTHS, axis_uncertainty_at
from coldbond.raman.decomposition import Decomposition
from coldbond.raman.spikes import positions

LEAST_P = 1e-10  # smaller probabilities are shown as an upper limit


def axis_findings(calibration: xr.Dataset | None, modes: Mapping[str, float]) -> list[dict]:
    """Return the correction of the recorded axis at the expected position of each mode, the laser left out.

    Parameters
    ----------
    calibration : xarray.Dataset or None
        From `axis.only_calibration`; without one there are no findings.
    modes : mapping of str to float
        Names and expected positions of the modes, 1/cm.
    """
    if calibration is None:
        return []
    if "standard" in calibration.attrs:
        evidence = [
            item(f"recorded position of {calibration.standard}", round(calibration.recorded, 3), "1/cm"),
            item("known position", calibration.known, "1/cm"),
            item("standard uncertainty there", round(calibration.uncertainty, 2), "1/cm"),
            item("standard uncertainty of a distance from it", round(100 * calibration.axis_slope, 2), "%"),
        ]
    else:
        verdicts = calibration.verdict.to_numpy()
        evidence = [
            item(f"{calibration.element} lines used", float((verdicts == "used").sum())),
            item("degree of the polynomial", float(calibration.sizes["power"] - 1)),
            item("standard deviation of the lines", round(calibration.scatter * 1e3, 1), "pm"),
            item("resolution, from the width of the lines", round(calibration.resolution, 1), "1/cm"),
            *(item(f"{why} lines left out", float((verdicts == why).sum())) for why in sorted({*verdicts} - {"used"})),
        ]
    return [
        finding(
            f"axis_correction_at_{name}",
            axis_correction(calibration, position),
            unit="1/cm",
            sample=calibration.attrs["sample"],
            state=calibration.attrs["state"],
            evidence=evidence,
        )
        for name, position in modes.items()
    ]


def mode_findings(decomposed: Mapping[str, Decomposition]) -> list[dict]:
    """Return which modes each sample has, with their positions, widths and heights, or the upper limit of the height.

    Parameters
    ----------
    decomposed : mapping of str to Decomposition
        From `decomposition.decompose`.

    Raises
    ------
    ValueError
        There is none.
    """
    if not decomposed:
        raise ValueError("no spectrum of a sample can be decomposed; the reason for each stands with its name above")
    found = []
    for spectrum in decomposed.values():
        modes = spectrum.modes
        rows = [_phases(spectrum)]
        for name, mode in modes.items():
            rows += _found(spectrum, name, mode) if mode.found else _not_found(spectrum, name, mode)
        shift = spectrum.curves.raman_shift.to_numpy()
        spikes = positions(shift, spectrum.curves.struck.to_numpy())
        evidence = [item("spike at", float(round(position)), "1/cm") for position in spikes]
        note = "points of the spikes are left out" if spikes else ""
        rows.append(finding("cosmic_spikes", len(spikes), evidence=evidence, note=note))
        full = spectrum.curves.saturated.to_numpy()
        if full.any():
            note = "left out: the detector was full; record the spectrum with less light"
            evidence = [item("top at", float(round(place)), "1/cm") for place in positions(shift, full)]
            rows.append(finding("saturated_points", int(full.sum()), evidence=evidence, note=note))
        found += [row | whose(spectrum.curves) for row in rows]
    return found


def _phases(spectrum: Decomposition) -> dict:
    """Return whether the phase is present whose modes are looked for; of several, whether any of them is."""
    modes, verdicts = spectrum.modes, spectrum.verdicts
    quantity = f"{next(iter(verdicts))}_Raman_mode_present" if len(verdicts) == 1 else "a_looked_for_mode_present"
    decided = [present for present, _ in verdicts.values()]
    value = True if True in decided else None if None in decided or not decided else False
    seen = [name for name, mode in modes.items() if mode.found]
    note = f"found: {', '.join(seen) or 'none'}; looked for: {', '.join(modes) or 'none'}"
    if value is None and modes:
        note = f"cannot be told: {'; '.join(reason for _, reason in verdicts.values() if reason)}; {note}"
    if spectrum.outside:
        note += f"; outside the recorded range, not fitted: {', '.join(spectrum.outside)}"
    return finding(quantity, value, note=note)


def band_table(decomposed: Mapping[str, Decomposition]) -> pd.DataFrame:
    """Return every band and mode of each spectrum with its 95 % intervals: a row a band, numbers with units."""
    rows = []
    for label, spectrum in decomposed.items():
        for name, band in spectrum.bands.items():
            row = {"spectrum": label, "band": name, "looked for": band.looked_for, "found": band.found}
            row["present"] = {True: "yes", False: "no", None: "cannot be told"}[band.present]
            row["expected position / cm⁻¹"] = band.expected
            for what, unit in (("position", "cm⁻¹"), ("width", "cm⁻¹"), ("height", spectrum.height_unit)):
                value, low, high = getattr(band, what)
                row |= {f"{what} / {unit}": value, f"{what}, low / {unit}": low, f"{what}, high / {unit}": high}
            row["height relative to the band at / cm⁻¹"] = spectrum.relative_to
            rows.append(row | {"p of the F test": band.p, "gain in BIC": band.bic_gain, "why": band.reason})
    return pd.DataFrame(rows)


def fit_table(decomposed: Mapping[str, Decomposition]) -> pd.DataFrame:
    """Return what belongs to each spectrum as a whole: baselines, points, noise, spikes, axis."""
    return pd.DataFrame(
        {
            "spectrum": label,
            "degrees of the baselines": ", ".join(map(str, one.degrees)),
            "points": int((~one.curves.struck & ~one.curves.saturated).sum()),
            "independent points": one.effective,
            f"noise / {one.curves.intensity.attrs.get('units', '')}": one.noise,
            "cosmic spikes": len(positions(one.curves.raman_shift.to_numpy(), one.curves.struck.to_numpy())),
            "saturated points": int(one.curves.saturated.sum()),
            "standard uncertainty of the axis / cm⁻¹": one.curves.attrs["axis_uncertainty"],
            "outside the recorded range": ", ".join(one.outside),
        }
        for label, one in decomposed.items()
    )


def _not_found(spectrum: Decomposition, name: str, mode: Band) -> list[dict]:
    unit, relative = spectrum.height_unit, _relative(spectrum)
    height = finding(f"height_of_{name}", mode.height, unit=unit, note=_joined("upper limit", relative))
    limit = Interval(None, None, height["high"])  # as rounded there
    evidence = [item("height", limit, unit), *_tests(spectrum, mode)]
    threshold = [*_threshold(spectrum), item("height that matters", spectrum.relevant, "%")]
    told = f"cannot be told: {mode.reason}" if mode.present is None else ""
    widest = f"of a band up to {max(LIMIT_WIDTHS):g} 1/cm wide" if mode.present is False else ""
    note = _joined(told, widest, relative)
    return [finding(f"{name}_present", mode.present, evidence=evidence, threshold=threshold, note=note), height]


def _found(spectrum: Decomposition, name: str, mode: Band) -> list[dict]:
    curves, place = spectrum.curves, mode.position.value or mode.expected
    evidence = [item("height", mode.height, spectrum.height_unit), *_tests(spectrum, mode)]
    if mode.is_cut:
        evidence = evidence[1:]
    axis = [
        item("expected position", mode.expected, "1/cm"),
        item("half width from the axis", round(NORMAL * axis_uncertainty_at(curves.attrs, place), 2), "1/cm"),
    ]
    if curves.attrs.get("laser_share"):
        laser = round(NORMAL * curves.attrs["laser_share"], 2)
        axis.append(item("of which from the wavelength of the laser", laser, "1/cm"))
    struck = _left_out_share(curves, mode)
    if struck:
        axis.append(
            item("points of the mode struck by a cosmic ray or saturated, and left out", round(100 * struck), "%")
        )
    unit = spectrum.height_unit
    told = f"cannot be told: {mode.reason}" if mode.present is None else ""
    cut = "the top is saturated and was not recorded: fitted to the sides" if mode.is_cut else ""
    assigned = "a band is found, but it need not be this mode" if mode.present is None else ""
    relative = _relative(spectrum)
    note = _joined(told, cut, relative)
    return [
        finding(f"{name}_present", mode.present, evidence=evidence, threshold=_threshold(spectrum), note=note),
        finding(f"raman_shift_of_{name}", mode.position, unit="1/cm", evidence=axis, note=_joined(assigned, cut)),
        finding(f"width_of_{name}", mode.width, unit="1/cm", note=_joined("includes the width of the instrument", cut)),
        finding(f"height_of_{name}", mode.height, unit=unit, note=_joined(cut, relative)),
    ]


def _tests(spectrum: Decomposition, mode: Band) -> list[dict]:
    """Return the evidence of the tests against the fits without a mode, the least of all baselines."""
    degrees = ", ".join(map(str, spectrum.degrees))
    rows = [
        item("points", float((~spectrum.curves.struck & ~spectrum.curves.saturated).sum())),
        item("of which independent", float(round(spectrum.effective))),
        item("degrees of the baselines", degrees),
    ]
    if mode.p is not None and mode.bic_gain is not None:
        p = float(f"{mode.p:.1g}") if mode.p > LEAST_P else Interval(None, None, LEAST_P)
        rows = [item("p of the F test", p), item("gain in BIC", float(round(mode.bic_gain))), *rows]
    return rows


def _threshold(spectrum: Decomposition) -> list[dict]:
    return [item("p of the F test", spectrum.significance)]


def _left_out_share(curves: xr.Dataset, mode: Band) -> float:
    """Return the share of the points within a width of a mode that are left out."""
    if mode.position.value is None:
        return 0.0
    near = np.abs(curves.raman_shift.to_numpy() - mode.position.value) < (mode.width.value or 0.0)
    return float((curves.struck | curves.saturated).to_numpy()[near].mean()) if near.any() else 0.0


def _relative(spectrum: Decomposition) -> str:
    return f"height relative to the band at {spectrum.relative_to} 1/cm" if spectrum.relative_to else ""


def _joined(*parts: str) -> str:
    return "; ".join(part for part in parts if part)
