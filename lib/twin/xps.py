"""The recordings of raw/xps: the surface and the export format of each."""

from collections.abc import Callable
from functools import partial

from twin.avantage import avantage
from twin.photoemission import spectra
from twin.recording import Recording
from twin.surfaces import SURFACES
from twin.vamas import vamas


def surface(sample: str, state: str, extension: str, export: Callable[..., None], note: str) -> Recording:
    """Return the recording of the photoelectron spectra of a sample."""
    role = "surface" if state == "pristine" else "cycled-surface"
    truth = SURFACES[sample, state]
    return Recording(
        f"xps/{role}-{sample}.{extension}",
        "xps",
        role,
        sample,
        state,
        partial(spectra, truth),
        partial(export, sample=sample),
        f"{note}; Al K-alpha, pass energy {truth.pass_energy:g} eV",
        {"temperature_C": "25"},
    )


RECORDINGS = [
    surface(
        "LLZ",
        "pristine",
        "vms",
        partial(vamas, start="2022-07-12 09:41:30", transmission=True),
        "VAMAS over kinetic energy, with the transmission of the analyser",
    ),
    surface(
        "InN-LLZ",
        "pristine",
        "vms",
        partial(vamas, start="2022-07-12 13:20:05", axis="binding"),
        "VAMAS over binding energy",
    ),
    surface(
        "HT-MCL-LLZ",
        "pristine",
        "xlsx",
        partial(avantage, start="2022-07-13 10:02:44", carbon=284.83),
        "Avantage workbook in count/s, its energy scale set by that program",
    ),
    surface(
        "RT-MCL-LLZ",
        "pristine",
        "vms",
        partial(vamas, start="2022-07-13 15:31:12"),
        "VAMAS over kinetic energy",
    ),
    surface(
        "LLZ",
        "after 200 cycles",
        "vms",
        partial(vamas, start="2022-08-16 09:15:50", irregular=True),
        "VAMAS, irregular: kinetic energy of each point, fewer of them beside the lines",
    ),
    surface(
        "RT-MCL-LLZ",
        "after 200 cycles",
        "vms",
        partial(vamas, start="2022-08-16 14:08:27", axis="binding"),
        "VAMAS over binding energy; the pellet's side of the interface",
    ),
    surface(
        "Li",
        "after 200 cycles",
        "vms",
        partial(vamas, start="2022-08-16 17:46:33"),
        "VAMAS over kinetic energy; the foil's side of the interface with RT-MCL-LLZ",
    ),
]
