"""Findings of Raman spectra: the axis, and the modes that are present."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import xarray as xr

from coldbond.bundle.findings import finding, item, whose
from coldbond.interval import NORMAL, Interval
from coldbond.raman.bands import MODE
from coldbond.raman.decomposition import Band, Decomposition
from coldbond.raman.neon import axis_correction
from coldbond.raman.spikes import positions

LEAST_P = 1e-10  # smaller probabilities are shown as an upper limit


def axis_findings(calibration: xr.Dataset | None, modes: Mapping[str, float]) -> list[dict]:
    """Return the correction of the recorded axis at the expected position of each mode, the laser left out.

    Parameters
    ----------
    calibration : xarray.Dataset or None
        From `neon.only_calibration`; without one there are no findings.
    modes : mapping of str to float
        Names and expected positions of the modes, 1/cm.
    """
    if calibration is None:
        return []
    verdicts = calibration.verdict.to_numpy()
    evidence = [
        item("neon lines used", float((verdicts == "used").sum())),
        item("degree of the polynomial", float(calibration.sizes["power"] - 1)),
        item("standard deviation of the lines", round(calibration.scatter * 1e3, 1), "pm"),
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
        present = [name for name, mode in modes.items() if mode.present]
        phases = {name.split()[0] for name in modes}
        quantity = f"{phases.pop()}_Raman_mode_present" if len(phases) == 1 else "a_looked_for_mode_present"
        note = f"found: {', '.join(present) or 'none'}; looked for: {', '.join(modes) or 'none'}"
        if spectrum.outside:
            note += f"; outside the recorded range, not fitted: {', '.join(spectrum.outside)}"
        rows = [finding(quantity, bool(present) if modes else None, note=note)]
        for name, mode in modes.items():
            rows += _present(spectrum, name, mode) if mode.present else _absent(spectrum, name, mode)
        spikes = positions(spectrum.curves.raman_shift.to_numpy(), spectrum.curves.struck.to_numpy())
        evidence = [item("spike at", float(round(position)), "1/cm") for position in spikes]
        note = "points of the spikes are left out" if spikes else ""
        rows.append(finding("cosmic_spikes", len(spikes), evidence=evidence, note=note))
        found += [row | whose(spectrum.curves) for row in rows]
    return found


def band_table(decomposed: Mapping[str, Decomposition]) -> pd.DataFrame:
    """Return every band and mode of each spectrum with its 95 % intervals: a row a band, numbers with units."""
    rows = []
    for label, spectrum in decomposed.items():
        for name, band in spectrum.bands.items():
            row = {"spectrum": label, "band": name, "looked for": band.looked_for, "present": band.present}
            row["expected position / cm⁻¹"] = band.expected
            for what, unit in (("position", "cm⁻¹"), ("width", "cm⁻¹"), ("height", spectrum.height_unit)):
                value, low, high = getattr(band, what)
                row |= {f"{what} / {unit}": value, f"{what}, low / {unit}": low, f"{what}, high / {unit}": high}
            row["height relative to the band at / cm⁻¹"] = spectrum.relative_to
            rows.append(row | {"p of the F test": band.p, "gain in BIC": band.bic_gain})
    return pd.DataFrame(rows)


def fit_table(decomposed: Mapping[str, Decomposition]) -> pd.DataFrame:
    """Return what belongs to each spectrum as a whole: baselines, points, noise, spikes, axis."""
    return pd.DataFrame(
        {
            "spectrum": label,
            "degrees of the baselines": ", ".join(map(str, one.degrees)),
            "points": int((~one.curves.struck).sum()),
            "independent points": one.effective,
            f"noise / {one.curves.intensity.attrs.get('units', '')}": one.noise,
            "cosmic spikes": len(positions(one.curves.raman_shift.to_numpy(), one.curves.struck.to_numpy())),
            "standard uncertainty of the axis / cm⁻¹": one.curves.attrs["axis_uncertainty"],
            "outside the recorded range": ", ".join(one.outside),
        }
        for label, one in decomposed.items()
    )


def _absent(spectrum: Decomposition, name: str, mode: Band) -> list[dict]:
    unit, relative = spectrum.height_unit, _relative(spectrum)
    height = finding(f"height_of_{name}", mode.height, unit=unit, note=_joined("upper limit", relative))
    limit = Interval(None, None, height["high"])  # as rounded there
    passes = mode.p is not None and mode.p < spectrum.significance
    narrow = _narrow(spectrum, mode)
    edge = "intensity at the edge of the searched range is attributed to a neighbouring band"
    evidence = [item("height", limit, unit), *_tests(spectrum, mode)]
    note = _joined(relative, narrow or (edge if passes else ""))
    return [finding(f"{name}_present", False, evidence=evidence, threshold=_threshold(spectrum), note=note), height]


def _present(spectrum: Decomposition, name: str, mode: Band) -> list[dict]:
    curves = spectrum.curves
    evidence = [item("height", mode.height, spectrum.height_unit), *_tests(spectrum, mode)]
    axis = [
        item("expected position", mode.expected, "1/cm"),
        item("half width from the axis", round(NORMAL * curves.attrs["axis_uncertainty"], 2), "1/cm"),
    ]
    if curves.attrs.get("laser_share"):
        laser = round(NORMAL * curves.attrs["laser_share"], 2)
        axis.append(item("of which from the wavelength of the laser", laser, "1/cm"))
    struck = _struck_share(curves, mode)
    if struck:
        axis.append(item("points of the mode struck by a cosmic ray and left out", round(100 * struck), "%"))
    unit = spectrum.height_unit
    return [
        finding(f"{name}_present", True, evidence=evidence, threshold=_threshold(spectrum), note=_relative(spectrum)),
        finding(f"raman_shift_of_{name}", mode.position, unit="1/cm", evidence=axis),
        finding(f"width_of_{name}", mode.width, unit="1/cm", note="includes the width of the instrument"),
        finding(f"height_of_{name}", mode.height, unit=unit, note=_relative(spectrum)),
    ]


def _tests(spectrum: Decomposition, mode: Band) -> list[dict]:
    """Return the evidence of the tests against the fits without a mode, the least of all baselines."""
    degrees = ", ".join(map(str, spectrum.degrees))
    rows = [
        item("points", float((~spectrum.curves.struck).sum())),
        item("of which independent", float(round(spectrum.effective))),
        item("degrees of the baselines", degrees),
    ]
    if mode.p is not None and mode.bic_gain is not None:
        p = float(f"{mode.p:.1g}") if mode.p > LEAST_P else Interval(None, None, LEAST_P)
        rows = [item("p of the F test", p), item("gain in BIC", float(round(mode.bic_gain))), *rows]
    return rows


def _threshold(spectrum: Decomposition) -> list[dict]:
    return [item("p of the F test", spectrum.significance)]


def _struck_share(curves: xr.Dataset, mode: Band) -> float:
    """Return the share of the points within a width of a mode that a cosmic ray struck."""
    if mode.position.value is None:
        return 0.0
    near = np.abs(curves.raman_shift.to_numpy() - mode.position.value) < (mode.width.value or 0.0)
    return float(curves.struck.to_numpy()[near].mean()) if near.any() else 0.0


def _narrow(spectrum: Decomposition, mode: Band) -> str:
    """Return where a peak stands that is too narrow for a line of this instrument and too wide for a cosmic ray."""
    near = [at for at in spectrum.ambiguous if abs(at - mode.expected) <= MODE.distance]
    places = ", ".join(f"{at:.0f}" for at in near)
    return f"the peak at {places} 1/cm is two to three pixels wide: a line or a cosmic ray, not a mode" if near else ""


def _relative(spectrum: Decomposition) -> str:
    return f"height relative to the band at {spectrum.relative_to} 1/cm" if spectrum.relative_to else ""


def _joined(*parts: str) -> str:
    return "; ".join(part for part in parts if part)
