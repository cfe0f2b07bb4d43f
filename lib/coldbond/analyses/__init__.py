"""The standard analysis of one recording of each technique, with the constants of the cell as arguments.

Each function takes what `coldbond.read` returns and is available as `coldbond.NAME`. The modules of a technique have
the single steps and their options; the defaults here are those of the notebooks. A constant that is not given is taken
from the attrs of the recording, where a manifest has put it.
"""

from coldbond.analyses.cells import capacities, critical_current_density, long_cycling, rate_capability
from coldbond.analyses.resistance import Resistances, electronic_conductivity, ionic_conductivity, resistances
from coldbond.analyses.spectra import composition, phases, raman_bands

__all__ = [
    "Resistances",
    "capacities",
    "composition",
    "critical_current_density",
    "electronic_conductivity",
    "ionic_conductivity",
    "long_cycling",
    "phases",
    "raman_bands",
    "rate_capability",
    "resistances",
]
