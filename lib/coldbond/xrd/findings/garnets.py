"""Findings on the symmetry of a garnet: cubic, tetragonal, a mixture, two cubic cells, or what cannot be told."""

from collections.abc import Mapping

import pandas as pd

from coldbond.bundle.findings import finding, item
from coldbond.interval import Interval
from coldbond.xrd import symmetry
from coldbond.xrd.analysis import Analysis
from coldbond.xrd.findings.common import recording
from coldbond.xrd.lattice import lattice_parameters
from coldbond.xrd.varieties import SUFFIX

SMALLEST_SHARE = 2.0  # weight percent of all garnet, of a variety that matters where none is stated


def garnet_findings(analyses: Mapping[str, Analysis], smallest_share: float = SMALLEST_SHARE) -> list[dict]:
    """Return which garnets each pattern shows, their shares and the cell of the second one.

    Parameters
    ----------
    analyses : mapping of str to Analysis
        With a tetragonal variety of the main phase; the others have no rows.
    smallest_share : float
        Weight percent of all garnet below which its upper limit must be for a variety to count as absent.
    """
    return [
        row for found in analyses.values() if found.symmetry for row in _rows(found, found.symmetry, smallest_share)
    ]


def _rows(found: Analysis, garnet: symmetry.Symmetry, smallest_share: float) -> list[dict]:
    whose, share = recording(found), garnet.tetragonal.scaled(100)
    ratios = f"c / a from {symmetry.RATIOS[0]:.3f} to {symmetry.RATIOS[-1]:.3f}"
    evidence = [item("share of the garnet", share, "wt%")] + [
        item(f"information criterion, {name}", f"{value:.0f} above the best")
        for name, value in garnet.criterion.items()
        if value > 0
    ]
    threshold = [
        item("another description is better by", symmetry.VERY_STRONG),
        item("upper limit of what is absent", smallest_share, "wt%"),
    ]
    present = garnet.has_tetragonal(smallest_share / 100)
    rows = [
        finding(
            "tetragonal_garnet_present",
            present,
            **whose,
            evidence=evidence,
            threshold=threshold,
            note=_why(garnet, present, share.high, ratios),
        ),
        finding(
            "cubic_garnet_present",
            garnet.has_cubic(smallest_share / 100),
            **whose,
            evidence=evidence,
            threshold=threshold,
            note="" if garnet.has_cubic(smallest_share / 100) is not None else "a small share may lie under its lines",
        ),
        finding("tetragonal_garnet_share", share, unit="wt%", **whose, note=f"of all garnet; {ratios}"),
        _two_cells(garnet, whose),
    ]
    if garnet.best in (symmetry.MIXTURE, symmetry.TWO_CELLS):
        name = "tetragonal_lattice_parameter" if garnet.best == symmetry.MIXTURE else "second_lattice_parameter"
        rows += [
            finding(f"{name}_{of}", interval, unit="angstrom", **whose)
            for of, interval in lattice_parameters(found.fits, SUFFIX).intervals.items()
        ]
    return rows


def _why(garnet: symmetry.Symmetry, present: bool | None, limit: float | None, ratios: str) -> str:
    if present is None and len(garnet.left) > 1:
        return f"the pattern does not tell {' from '.join(garnet.left)}"
    if present is None and garnet.hint[symmetry.MIXTURE] > symmetry.HINT:
        return f"the residuals hint at some, at most {limit:.2g} wt% ({ratios})"
    if present is None:
        return f"up to {limit:.2g} wt% could hide under the lines of the cubic garnet ({ratios})"
    return "" if present else f"{ratios}; nearer to 1 it cannot be told from cubic"


def _two_cells(garnet: symmetry.Symmetry, whose: Mapping) -> dict:
    value = garnet.has_second_cell()
    note = "" if value is not None else "the lines are broader or more asymmetric than one cell makes them"
    if garnet.unresolved:
        note = "two cells or a range of cells: their lines are not resolved"
    evidence = [item("share of the second cell", garnet.second.scaled(100), "wt%")]
    return finding("two_cubic_garnets", value, **whose, evidence=evidence, note=note)


def garnet_table(analyses: Mapping[str, Analysis], smallest_share: float = SMALLEST_SHARE) -> pd.DataFrame:
    """Return a row for each pattern: what its garnet is, the tetragonal share, and the cells."""
    rows = []
    for label, found in analyses.items():
        if found.symmetry is None:
            continue
        cells = {f"{name}": _text(one) for name, one in lattice_parameters(found.fits).intervals.items()}
        cells |= {f"{name}, 2nd": _text(one) for name, one in lattice_parameters(found.fits, SUFFIX).intervals.items()}
        share = found.symmetry.tetragonal.scaled(100)
        rows.append(
            {
                "recording": label,
                "garnet": verdict(found.symmetry, smallest_share),
                "tetragonal / wt%": f"below {share.high:.2g}" if share.value is None else _text(share, 2),
                **{f"{name} / Å": text for name, text in cells.items()},
            }
        )
    return pd.DataFrame(rows or [{"recording": "no variety was looked for"}]).set_index("recording").fillna("")


def verdict(garnet: symmetry.Symmetry, smallest_share: float = SMALLEST_SHARE) -> str:
    """Return in words what the garnet is."""
    tetragonal, cubic = (decide(smallest_share / 100) for decide in (garnet.has_tetragonal, garnet.has_cubic))
    if garnet.has_second_cell():
        return "two cubic cells"
    if len(garnet.left) > 1:
        return f"cannot be told: {' or '.join(garnet.left)}"
    if tetragonal and cubic:
        return "cubic and tetragonal"
    if tetragonal:
        return "tetragonal" if cubic is False else "tetragonal; a little cubic cannot be excluded"
    return "cubic" if tetragonal is False else "cubic; a little tetragonal cannot be excluded"


def _text(interval: Interval, digits: int = 5) -> str:
    value, low, high = interval
    if value is None:
        return "not determined" if low is None or high is None else f"{low:.{digits}g} to {high:.{digits}g}"
    return f"{value:.{digits + 1}g} ({low:.{digits + 1}g} to {high:.{digits + 1}g})"
