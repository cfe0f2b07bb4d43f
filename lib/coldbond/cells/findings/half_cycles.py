"""Every half cycle of symmetric cells, as a table for a journal."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import xarray as xr

from coldbond.bundle.findings import whose
from coldbond.cells.long_cycling import SPANS


def table(segments: Mapping[str, xr.Dataset]) -> pd.DataFrame:
    """Return every half cycle of each cell, with units in the names of the columns.

    Parameters
    ----------
    segments : mapping of str to xarray.Dataset
        From `shorts.classify_segments` or `long_cycling.half_cycles`.

    Returns
    -------
    pandas.DataFrame
        Current density and voltages are negative in discharge. Measured and expected voltage are medians of the middle
        half of the half cycle; the class follows from their comparison. Overpotentials, where `segments` has them, are
        unsigned.
    """
    return pd.concat([of_cell(one) for one in segments.values()], ignore_index=True)


def of_cell(segments: xr.Dataset) -> pd.DataFrame:
    """Return the rows of one cell."""
    count, signed = segments.sizes["segment"], np.sign(segments.current) * segments.current_density
    columns = {
        "Half cycle": np.arange(1, count + 1),
        "Start / h": segments.begin / 3600,
        "End / h": segments.end / 3600,
        "Current density / mA cm⁻²": signed,
        "Capacity / mAh cm⁻²": 1e3 * np.abs(segments.charge) / segments.attrs["area_cm2"],
        "Expected voltage / V": 1e-3 * signed * segments.expected,
        "Measured voltage / V": 1e-3 * signed * segments.resistance,
        "Area-specific resistance / Ω cm²": segments.resistance,
    }
    for name, (low, high) in SPANS.items():
        if name in segments:
            part = f"{100 * low:g} to {100 * high:g} %"
            columns[f"Overpotential, {part} of the half cycle / mV"] = 1e3 * segments[name]
    columns |= {"Class": segments.kind, "Failed after / h": segments.onset / 3600}
    frame = pd.DataFrame({name: np.asarray(values) for name, values in columns.items()})
    return with_identity(frame, segments)


def with_identity(frame: pd.DataFrame, recording: xr.Dataset) -> pd.DataFrame:
    """Return a table with sample, state and replicate of its recording as first columns, as far as given."""
    of = {name.capitalize(): text for name, text in whose(recording).items() if text}
    return frame.assign(**of)[[*of, *frame.columns]]
