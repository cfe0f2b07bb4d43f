"""Forward models of other functional forms than lib/twin; they import neither lib/twin nor coldbond."""

from typing import NamedTuple

import xarray as xr


class Made(NamedTuple):
    """One recording, as `coldbond.read` returns it, with its row of the manifest."""

    role: str
    sample: str
    state: str
    recording: xr.Dataset
    constants: dict[str, float]


class Case(NamedTuple):
    """Recordings and truths by (sample, state, quantity); None: the right answer is "cannot be told"."""

    made: list[Made]
    truths: dict[tuple[str, str, str], float | bool | None]
