"""The recordings of raw/xrd: the specimen, the time and the description of each."""

from functools import partial

from twin import crystals
from twin.diffractometer import Specimen, simulate
from twin.recording import Recording
from twin.rigaku import ras


def scan(name: str, role: str, sample: str, state: str, specimen: Specimen, start: str, note: str) -> Recording:
    """Return the recording of a scan as a .ras file."""
    export = partial(ras, sample=name, start=start, comment=state, operator="analysis room 2")
    constants = {"temperature_C": "25"}
    return Recording(
        f"xrd/{name}.ras", "xrd", role, sample, state, partial(simulate, specimen), export, note, constants
    )


PELLET = "Rigaku .ras; surface of a sintered pellet, 5 deg/min"
CYCLED = "Rigaku .ras; pellet from a symmetric cell, lithium removed, carried in air, 5 deg/min"
FOIL = "Rigaku .ras; lithium under a polyimide film, 5 deg/min"
POWDER = "Rigaku .ras; powder in a glass holder, 10 deg/min"
STANDARD = "Rigaku .ras; silicon powder free of strain, for the breadth that the instrument gives, 5 deg/min"

RECORDINGS = [
    scan("LLZ", "phase", "LLZ", "pristine", crystals.LLZ, "2022-01-11T10:21:35", PELLET),
    scan("InN-LLZ", "phase", "InN-LLZ", "pristine", crystals.INN_LLZ, "2022-01-11T10:44:08", PELLET),
    scan("LLZ-powder", "phase", "LLZ-powder", "before sintering", crystals.POWDER, "2021-12-20T16:05:51", POWDER),
    scan("Si", "instrument", "Si", "standard powder", crystals.STANDARD, "2022-01-10T17:32:10", STANDARD),
    scan("Li-before", "lithium", "Li", "before reaction", crystals.LITHIUM, "2022-02-15T14:02:44", FOIL),
    scan("Li-after", "lithium", "Li", "after reaction", crystals.LITHIUM_AFTER, "2022-02-17T15:48:29", FOIL),
    scan("LLZ-cycled", "cycled-phase", "LLZ", "after 200 cycles", crystals.CYCLED_LLZ, "2022-06-13T09:37:16", CYCLED),
    scan(
        "RT-MCL-LLZ-cycled",
        "cycled-phase",
        "RT-MCL-LLZ",
        "after 200 cycles",
        crystals.CYCLED_RT_MCL_LLZ,
        "2022-06-13T10:01:52",
        CYCLED,
    ),
]
