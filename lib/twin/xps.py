"""The recordings of raw/xps: which surface, which export format."""

from collections.abc import Callable
from functools import partial

from twin.avantage import avantage
from twin.photoemission import spectra
from twin.recording import Recording
from twin.surfaces import SURFACES
from twin.vamas import vamas


def surface(sample: str, state: str, role: str, extension: str, export: Callable, note: str, **options) -> Recording:
    """The photoelectron spectra of a sample."""
    truth = SURFACES[sample, state]
    return Recording(
        f"xps/{role}-{sample}.{extension}",
        "xps",
        role,
        sample,
        state,
        partial(spectra, truth),
        partial(export, sample=sample, **options),
        f"{note}; Al K-alpha, pass energy {truth.pass_energy:g} eV",
        {"temperature_C": "25"},
    )


FRESH, CYCLED = "pristine", "after 200 cycles"

RECORDINGS = [
    surface(
        *("LLZ", FRESH, "surface", "vms", vamas),
        "VAMAS, kinetic energy, with the transmission",
        start="2022-07-12 09:41:30",
        transmission=True,
    ),
    surface(
        *("InN-LLZ", FRESH, "surface", "vms", vamas),
        "VAMAS, binding energy",
        start="2022-07-12 13:20:05",
        axis="binding",
    ),
    surface(
        *("HT-MCL-LLZ", FRESH, "surface", "xlsx", avantage),
        "Avantage workbook in count/s, its energy scale moved by that program",
        start="2022-07-13 10:02:44",
        carbon=284.83,
    ),
    surface(
        *("RT-MCL-LLZ", FRESH, "surface", "vms", vamas),
        "VAMAS, kinetic energy",
        start="2022-07-13 15:31:12",
    ),
    surface(
        *("LLZ", CYCLED, "cycled-surface", "vms", vamas),
        "VAMAS, irregular: kinetic energy of each point, steps finer at the lines",
        start="2022-08-16 09:15:50",
        irregular=True,
    ),
    surface(
        *("RT-MCL-LLZ", CYCLED, "cycled-surface", "vms", vamas),
        "VAMAS, binding energy",
        start="2022-08-16 14:08:27",
        axis="binding",
    ),
    surface(
        *("Li", CYCLED, "cycled-surface", "vms", vamas),
        "VAMAS, kinetic energy; the foil's side of RT-MCL-LLZ",
        start="2022-08-16 17:46:33",
    ),
]
