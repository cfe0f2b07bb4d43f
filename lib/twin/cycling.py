"""The recordings of raw/cycling: the cell, the settings of the tester and the export format of each."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pandas as pd

from twin import cells, full_cell, land, symmetric
from twin.recording import Recording
from twin.tester import Cycler

CELL = {"area_cm2": "0.785", "thickness_cm": "0.040", "temperature_C": "25"}
FULL = CELL | {"active_mass_mg": "1.57"}
FINE = Cycler(current_decimals=7, current_noise=5e-8)  # the tester's 1 mA range

Export = Callable[[pd.DataFrame, Path], None]


def ccd(sample: str, extension: str, cycler: Cycler, export: Export, note: str) -> Recording:
    """Return the critical-current-density run of a sample."""
    simulate = partial(symmetric.ccd_run, **cells.CCD[sample], cycler=cycler)
    file = f"cycling/ccd-{sample}.{extension}"
    return Recording(file, "cycling", "ccd", sample, "pristine", simulate, export, note, CELL)


def long_cycling(sample: str, density: str, extension: str, cycler: Cycler, export: Export, note: str) -> Recording:
    """Return the run of a sample at one current density [mA/cm2]."""
    simulate = partial(symmetric.long_cycling, **cells.LONG_CYCLING[sample, density], cycler=cycler)
    file = f"cycling/long-cycling-{sample}-{density}.{extension}"
    state = f"{density} mA/cm2"
    return Recording(file, "cycling", "long-cycling", sample, state, simulate, export, note, CELL)


RECORDINGS = [
    ccd(
        "LLZ",
        "csv",
        Cycler(every=30.0, dv=0.01),
        partial(land.land_csv, start="2022-03-07 10:12:40"),
        "LAND CSV with tables of cycles, steps and records; 10 min charge, 10 min discharge, rests of 1 min",
    ),
    ccd(
        "In-LLZ",
        "xlsx",
        Cycler(every=30.0, dv=0.005, counter="cycle"),
        partial(land.landdt_xlsx, start="2022-03-10 15:47:03"),
        "LANDdt workbook; 10 min charge, 10 min discharge, no rests",
    ),
    ccd(
        "HT-MCL-LLZ",
        "xlsx",
        replace(FINE, every=30.0, dv=0.005, counter="never", voltage_offset=-2e-4),
        partial(land.lanhe_xlsx, start="2022-03-16 09:05:21", name="HT-MCL-LLZ_CCD"),
        "LANHE workbook in microampere; 10 min charge, 10 min discharge, rests of 1 min",
    ),
    ccd(
        "RT-MCL-LLZ",
        "csv",
        Cycler(every=30.0, dv=0.005),
        partial(land.landt_csv, start="2022-03-21 18:30:55"),
        "Landt CSV; 10 min charge, 10 min discharge, no rests",
    ),
    long_cycling(
        "RT-MCL-LLZ",
        "0.5",
        "xlsx",
        Cycler(every=240.0, dv=0.01),
        partial(land.landdt_xlsx, start="2022-03-28 11:20:08"),
        "LANDdt workbook; half cycles of 1 h, no rests",
    ),
    long_cycling(
        "RT-MCL-LLZ",
        "0.7",
        "csv",
        Cycler(every=180.0, dv=0.01, counter="never", lost=37),
        partial(land.land_csv, start="2022-06-24 16:02:47", encoding="gb18030", chinese=True, milliseconds=False),
        "LAND CSV with Chinese step states, in gb18030; half cycles of 1 h, no rests; some records were lost",
    ),
    long_cycling(
        "HT-MCL-LLZ",
        "0.1",
        "xlsx",
        replace(FINE, every=60.0, dv=0.002),
        partial(land.chinese_xlsx, start="2022-04-02 20:14:30"),
        "LAND workbook in Chinese; half cycles of 0.5 h, no rests",
    ),
    Recording(
        "cycling/full-cell-RT-MCL-LLZ.xlsx",
        "cycling",
        "full-cell",
        "RT-MCL-LLZ",
        "0.2C",
        partial(
            full_cell.run, [0.2] * 113, cells.FULL_CELL, unfinished=0.6, cycler=replace(FINE, every=600.0, dv=0.02)
        ),
        partial(land.landdt_xlsx, start="2022-05-05 14:41:12", mass=cells.FULL_CELL.mass),
        "LANDdt workbook; Li|RT-MCL-LLZ|LiFePO4 at 0.2C between 2.4 and 4.2 V, rests of 5 min",
        FULL,
    ),
    Recording(
        "cycling/rate-RT-MCL-LLZ.csv",
        "cycling",
        "rate",
        "RT-MCL-LLZ",
        "0.2C to 1C",
        partial(
            full_cell.run,
            cells.RATES,
            cells.RATE_CELL,
            rest=0.0,
            cycler=replace(FINE, every=120.0, dv=0.02, counter="cycle"),
        ),
        partial(land.land_csv, start="2022-06-27 10:33:29", encoding="utf-16", current_decimals=4),
        "LAND CSV in utf-16; Li|RT-MCL-LLZ|LiFePO4, five cycles each at 0.2, 0.5 and 1C, five more at 0.2C",
        FULL,
    ),
]
