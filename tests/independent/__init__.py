"""A second family of forward models: cells and spectra that were not made by lib/twin, with their truths."""

from typing import NamedTuple

import xarray as xr


class Made(NamedTuple):
    """One recording, as `coldbond.read` returns it, with what the manifest says of it."""

    role: str
    sample: str
    state: str
    recording: xr.Dataset
    constants: dict[str, float]


class Case(NamedTuple):
    """Recordings and the truths (sample, state, quantity) behind them; None: the right answer is no value."""

    made: list[Made]
    truths: dict[tuple[str, str, str], float | bool | None]
