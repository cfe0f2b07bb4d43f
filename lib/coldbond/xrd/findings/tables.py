"""Tables of diffraction that a journal asks for: cells and quality of the fits, phases, peaks; numbers with units."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from coldbond.interval import NORMAL
from coldbond.xrd.agreement import agreement
from coldbond.xrd.analysis import SMALLEST_SHARE, Analysis, is_present, weight_fraction
from coldbond.xrd.lattice import lattice_parameters
from coldbond.xrd.peak_assignment import explaining_phases
from coldbond.xrd.rietveld import Mixture

PRESENCE = {True: "yes", False: "no", None: "cannot be told"}
ENDS = ("", ", low", ", high")  # of a 95 % interval


def journal_tables(
    analyses: Mapping[str, Analysis],
    smallest_share: float = SMALLEST_SHARE,
    mixtures: Mapping[str, Mixture] | None = None,
) -> dict[str, pd.DataFrame]:
    """Return the tables "patterns", "phases", "reflections" and "peaks", a row for each of these.

    Parameters
    ----------
    analyses : mapping of str to Analysis
    smallest_share : float
        Weight fraction that matters, percent, as for `pattern_findings`.
    mixtures : mapping of str to Mixture, optional
        Of which a table "mixtures" has a row for each phase.
    """
    rows = [row for label, found in (mixtures or {}).items() for row in _of_mixture(label, found)]
    shares = [row for label, found in analyses.items() for row in _phases(label, found, smallest_share)]
    return ({"mixtures": pd.DataFrame(rows)} if rows else {}) | {
        "patterns": pd.DataFrame([_pattern(label, found) for label, found in analyses.items()]),
        "phases": pd.DataFrame(shares),
        "reflections": pd.concat([_reflections(label, found) for label, found in analyses.items()], ignore_index=True),
        "peaks": pd.concat([_peaks(label, found) for label, found in analyses.items()], ignore_index=True),
    }


def _pattern(label: str, found: Analysis) -> dict[str, object]:
    row: dict[str, object] = {"recording": label, "main phase": found.main.name}
    for name, interval in lattice_parameters(found.fits).intervals.items():
        unit = "Å" if name in "abc" else "degree"
        row |= {f"{name}{end} / {unit}": value for end, value in zip(ENDS, interval, strict=True)}
    angle = found.pattern.two_theta.to_numpy()
    fit, quality = found.fit, agreement(found.pattern, found.fit)
    return row | {
        "Rwp / %": quality.weighted,
        "Rexp / %": quality.expected,
        "chi square": fit.chisqr,
        "degrees of freedom": fit.nfree,
        "reduced chi square": quality.reduced_chi_square,
        "polynomials of the background": fit.background_terms,
        "error of the angles": found.geometry,
        "first angle / degree": angle[0],
        "last angle / degree": angle[-1],
        "points": angle.size,
        "wavelengths / Å": " ".join(f"{wavelength:g}" for wavelength in found.residuals.wavelengths),
    }


def _of_mixture(label: str, found: Mixture) -> list[dict[str, object]]:
    rows = []
    for i, (name, share) in enumerate(found.shares.items()):
        row: dict[str, object] = {"recording": label, "phase": name}
        row |= {f"share{end} / wt%": x for end, x in zip(ENDS, share, strict=True)}
        for parameter, unit in (("a", "Å"), ("b", "Å"), ("c", "Å"), ("alpha", "degree"), ("beta", "degree")):
            if param := found.fit.params.get(f"{parameter}_{i}"):
                row |= {f"{parameter} / {unit}": param.value, f"{parameter}, standard error / {unit}": param.stderr}
        row |= {"March coefficient": found.fit.params[f"texture_{i}"].value, "lines": found.lines[name]}
        rows.append(row | {"scatter of its lines / %": 100 * found.scatter[name]})
    return rows


def _phases(label: str, found: Analysis, smallest_share: float) -> list[dict[str, object]]:
    return [
        {
            "recording": label,
            "phase": name,
            "present": PRESENCE[is_present(found, name, smallest_share)[0]],
            **{f"share{end} / wt%": x for end, x in zip(ENDS, weight_fraction(found, name), strict=True)},
            "significance / standard deviations": one.significance,
            "missing lines": ", ".join(one.missing),
        }
        for name, one in found.detections.items()
    ]


def _reflections(label: str, found: Analysis) -> pd.DataFrame:
    lines = found.fit.reflections
    columns = {"2θ / degree": "two_theta", "area / intensity degree": "area"}
    columns |= {"area, standard error / intensity degree": "area_error", "FWHM / degree": "fwhm"}
    hkl = [" ".join(f"{int(i)}" for i in row) for row in np.stack([lines[n] for n in "hkl"], axis=1)]
    held = {name: lines[variable].to_numpy() for name, variable in columns.items()}
    return pd.DataFrame({"recording": label, "phase": found.main.name, "h k l": hkl, **held})


def _peaks(label: str, found: Analysis) -> pd.DataFrame:
    strays = found.stray_peaks
    area, error = (100 / found.strongest_area * strays[name].to_numpy() for name in ("area", "area_error"))
    explained = [", ".join(explaining_phases(candidates)) for candidates in found.assignments()]
    return pd.DataFrame(
        {
            "recording": [label] * strays.sizes["peak"],
            "2θ / degree": strays.two_theta.to_numpy(),
            "area / % of the strongest line": area,
            "area, low / % of the strongest line": area - NORMAL * error,
            "area, high / % of the strongest line": area + NORMAL * error,
            "FWHM / degree": strays.fwhm.to_numpy(),
            "explained by": explained,
        }
    )
