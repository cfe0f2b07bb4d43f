"""Findings and table of mixtures of crystalline powders: the weight fraction of each phase by a Rietveld fit."""

from collections.abc import Mapping

import pandas as pd

from coldbond.bundle.findings import finding, item, whose
from coldbond.xrd.agreement import agreement, in_words
from coldbond.xrd.findings.common import significant
from coldbond.xrd.rietveld import Mixture


def mixture_findings(mixtures: Mapping[str, Mixture]) -> list[dict]:
    """Return the weight fraction of each phase of each mixture."""
    rows = []
    for found in mixtures.values():
        fit = agreement(found.pattern, found.fit)
        for name, share in found.shares.items():
            evidence = [
                item("lines that tell it", found.lines[name]),
                item("scatter of its lines about the structure", significant(100 * found.scatter[name]), "%"),
                item("Rwp of the Rietveld fit", significant(fit.weighted, 3), "%"),
            ]
            if fit.reduced_chi_square is not None:
                evidence.append(item("its reduced chi square", significant(fit.reduced_chi_square, 3)))
            note = f"Rietveld fit; percent of {', '.join(found.shares)}: amorphous parts and other phases do not count"
            if share.value is None:
                note = f"95 % upper limit; {note}"
            rows.append(
                finding(
                    f"{name}_weight_fraction", share, unit="%", **whose(found.pattern), evidence=evidence, note=note
                )
            )
    return rows


def mixture_table(mixtures: Mapping[str, Mixture]) -> pd.DataFrame:
    """Return the weight fractions of each mixture: a row a phase, and one for the fit; a column a recording."""
    columns = {}
    for label, found in mixtures.items():
        column = {"Rietveld fit": in_words(agreement(found.pattern, found.fit))}
        for name, (value, low, high) in found.shares.items():
            column[name] = f"below {high:.2g} wt%" if value is None else f"{value:.3g} ({low:.3g} to {high:.3g}) wt%"
        columns[label] = pd.Series(column)
    if not columns:
        return pd.DataFrame({"": {"no mixture": "the parameter powders is false"}})
    return pd.DataFrame(columns).rename_axis("phase")
