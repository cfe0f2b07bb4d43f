"""Data analysis of the cold-bonding paper: read recordings, analyse them, draw the figures.

Two lines analyse a file:

    cell = coldbond.read("my-cell.csv")
    coldbond.critical_current_density(cell, area_cm2=0.785)

`coldbond.analyses` has one such function for each kind of recording, and all of them are available here.
"""

from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from coldbond.analyses import (
        capacities,
        composition,
        critical_current_density,
        electronic_conductivity,
        ionic_conductivity,
        long_cycling,
        phases,
        raman_bands,
        rate_capability,
        resistances,
    )
    from coldbond.files import ReadError, read

__all__ = [
    "ReadError",
    "capacities",
    "composition",
    "critical_current_density",
    "electronic_conductivity",
    "ionic_conductivity",
    "long_cycling",
    "phases",
    "raman_bands",
    "rate_capability",
    "read",
    "resistances",
]


def __getattr__(name: str) -> object:
    # Readers and analyses are imported on first use. They need packages, and make reads the manifest and figures.toml
    # with coldbond.bundle before any package is installed.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("coldbond.files" if name in ("ReadError", "read") else "coldbond.analyses"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
