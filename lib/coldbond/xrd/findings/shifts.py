"""Findings and table of shifts of reflections between patterns: how far, and whether the lattice changed."""

from collections.abc import Mapping

import pandas as pd

from coldbond.bundle.findings import finding, item
from coldbond.interval import Interval
from coldbond.xrd import shift
from coldbond.xrd.findings.common import recording, significant, upper_limit
from coldbond.xrd.shift import Comparison

NEGLIGIBLE = 1e-6  # p value below which its size says nothing
MODELS = {"lattice": "lattice alone", "displacement": "height alone", "both": "both"}


def shift_table(comparisons: Mapping[str, Comparison]) -> pd.DataFrame:
    """Return the models of the shifts: a row for each pattern and model."""
    rows = [
        {
            "recording": f"{label} from {compared.first}",
            "model": MODELS[name],
            "lattice parameter": "" if model.strain is None else _text(model.strain.scaled(100), " %"),
            "height, down / mm": "" if model.displacement is None else _text(model.displacement),
            "χ²": f"{model.chi_square:.3g}",
            "degrees of freedom": model.freedom,
            "p": f"{model.p_value:.2g}",
        }
        for label, compared in comparisons.items()
        for name, model in compared.models.items()
    ]
    return pd.DataFrame(rows or [{"recording": "nothing to compare"}]).set_index("recording")


def _text(interval: Interval, unit: str = "") -> str:
    value, low, high = interval
    return f"{value:+.3f}{unit} ({low:+.3f} to {high:+.3f})"


def shift_findings(comparisons: Mapping[str, Comparison]) -> list[dict]:
    """Return the mean shift of the reflections, whether the lattice expanded, and the change of its parameter."""
    rows = []
    for compared in comparisons.values():
        whose, models = recording(compared.after), compared.models
        since, both = f"relative to {compared.first}", models["both"]
        strain = both.strain or Interval(None)
        tests = [
            item(f"χ² with {MODELS[name]}", f"{model.chi_square:.3g} for {model.freedom} degrees of freedom")
            for name, model in models.items()
        ]
        change, by_geometry = shift.lattice_parameter_change(compared)
        undetermined = "" if by_geometry else "; a pattern does not determine it"
        p_value = models["displacement"].p_value
        shown = upper_limit(NEGLIGIBLE) if p_value < NEGLIGIBLE else significant(p_value)
        rows += [
            finding(
                "reflection_shift",
                shift.mean_shift(compared.moved),
                unit="degree",
                **whose,
                note=f"weighted mean {since}",
            ),
            finding(
                "lattice_expanded",
                shift.is_lattice_change(models) and (strain.value or 0.0) > 0,
                **whose,
                evidence=[
                    item("relative change of the lattice parameter, height free", strain.scaled(100), "%"),
                    item("p value of height alone", shown),
                    *tests,
                ],
                threshold=[item("p value of height alone below", shift.REJECTED)],
                note=f"{since}; assumes that X-rays penetrate both samples equally deep",
            ),
            finding(
                "lattice_parameter_change",
                change,
                unit="angstrom",
                **whose,
                alternatives=[
                    item(f"{'a displacement' if name == 'displacement' else 'a zero error'} alone", value, "angstrom")
                    for name, value in by_geometry.items()
                ],
                note=f"{since}, from whole-pattern fits{undetermined}",
            ),
        ]
    return rows
