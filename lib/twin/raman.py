"""The recordings of raw/raman: the surface or lamp, and the form of JCAMP-DX of each."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from twin import jcamp, vibrations
from twin.microscope import Spectrum, lamp, surface
from twin.recording import Recording


def _recording(
    file: str,
    sample: str,
    state: str,
    simulate: partial[Spectrum],
    export: Callable[[Spectrum, Path], None],
    note: str,
) -> Recording:
    """Return a recording of raw/raman."""
    return Recording(file, "raman", "raman", sample, state, simulate, export, note, {"temperature_C": "25"})


RECORDINGS = [
    _recording(
        "raman/LLZ.jdx",
        "LLZ",
        "pristine",
        partial(surface, "LLZ", vibrations.LLZ),
        partial(jcamp.xy, date="2022/03/02", time="15:21:44"),
        "JCAMP-DX, (XY..XY) a pixel; 532 nm, 20 exposures of 3 s",
    ),
    _recording(
        "raman/InN-LLZ.jdx",
        "InN-LLZ",
        "pristine",
        partial(surface, "InN-LLZ", vibrations.INN_LLZ, 0.9642),
        partial(jcamp.even, date="2022/03/02", time="15:47:10"),
        "JCAMP-DX, (X++(Y..Y)) interpolated by the software; 532 nm, 20 exposures of 3 s",
    ),
    _recording(
        "raman/Ne.jdx",
        "Ne",
        "lamp",
        partial(lamp, "Ne"),
        partial(jcamp.xy, date="2022/03/02", time="14:58:03"),
        "JCAMP-DX, (XY..XY) a pixel; neon lamp on the same axis, strong lines saturated",
    ),
]
