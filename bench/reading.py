"""Reading: a Landt CSV of 10⁶ rows. coldbond also checks fields, numbers, clock and units, and hashes the file."""

import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.timing import timed

TASK = "read a Landt CSV of 10⁶ rows; rows found"
ROWS = 1_000_000
HEADER = """cell model:,,,,,,,,,,,,,,,,
cell id: ,,,,,,,,,,,,,,,,
test: ,,,,,,,,,,,,,,,,
checkpoint: ,,,,,,,,,,,,,,,,
Nominal capacity used to define the C rate:Ah,,,,,,,,,,,,,,,,
Nominal energy used to define the E rate: Wh,,,,,,,,,,,,,,,,
channel_index,cycle_index,step_index,date_time_iso_string,test_time_s,step_time_s,current_A,voltage_V,\
discharge_capacity_Ah,charge_capacity_Ah,discharge_energy_Wh,charge_energy_Wh,Pressure_Psi,temperature_1_C,\
temperature_2_C,temperature_3_C,step_name
"""
STEP = 3600  # records in a half cycle
START, EVERY = datetime(2024, 5, 1), timedelta(seconds=10)


def with_coldbond(path: str) -> int:
    from coldbond.files import read

    return read(path).sizes["record"]


def with_pandas(path: str) -> int:
    import pandas as pd

    # Without index_col=False the comma at the end of each row shifts all columns by one.
    return len(pd.read_csv(path, skiprows=HEADER.count("\n") - 1, index_col=False))


def with_batterydf(path: str) -> int:
    import bdf

    return len(bdf.read(path))


def write_landt_csv(path: Path, rows: int) -> None:
    """Write alternating charge and discharge, one record every 10 s, in the format of a Landt tester."""
    with path.open("w") as file:
        file.write(HEADER)
        for n in range(rows):
            step, record = divmod(n, STEP)
            charge = step % 2 == 0
            capacity = f"{0.0002 * record / 360:.4f}"
            counters = f"0,{capacity}" if charge else f"{capacity},0"
            file.write(
                f"{n + 1},{step // 2 + 1},{step + 1},{START + n * EVERY:%m/%d/%Y %H:%M:%S},"
                f"{10 * n + 0.02:.3f},{10 * record + 0.02:.3f},"
                f"{0.0002 if charge else -0.0002:.4f},{3 + (record if charge else STEP - record) / STEP:.4f},"
                f"{counters},0,0.0002,0,0,0,0,{'charge CC' if charge else 'discharge CC'},\n"
            )


def contender(read: Callable[[str], int]) -> Callable[[int], dict]:
    def measure(seed: int) -> dict:
        with TemporaryDirectory() as folder:
            small, large = Path(folder, "small.csv"), Path(folder, "large.csv")
            write_landt_csv(small, 1000)
            write_landt_csv(large, ROWS)
            return {TASK: timed(read, str(large), first=(str(small),))}

    return measure


CONTENDERS = {
    "coldbond.read, with all its checks": (contender(with_coldbond), sys.maxsize),
    "pandas.read_csv, no checks": (contender(with_pandas), sys.maxsize),
    "batterydf, no checks, values stay text": (contender(with_batterydf), 2),
}
