"""How fast `coldbond.read` reads a Landt CSV, with all its checks on, beside pandas and batterydf.

Writes a file of a million rows to a temporary folder and reads it with each in turn, every time in a process of its
own, which first reads a small file so that imports and thread pools are not counted. Prints one table.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

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
STEP = 3600  # records


def coldbond(path: str) -> int:
    from coldbond.reading import read

    return read(path).sizes["record"]


def pandas(path: str) -> int:
    import pandas as pd

    # Without index_col=False the comma at the rows' ends shifts every column by one.
    return len(pd.read_csv(path, skiprows=HEADER.count("\n") - 1, index_col=False))


def batterydf(path: str) -> int:
    import bdf

    return len(bdf.read(path))


#: Each reader, what it checks, and whether it takes part in every repeat or, being slow, in two.
READERS: dict[str, tuple[Callable[[str], int], str, bool]] = {
    "coldbond.read": (coldbond, "fields, numbers, clock, units, sha256", True),
    "pandas.read_csv": (pandas, "none", True),
    "batterydf": (batterydf, "none; values stay text", False),
}


def write_landt_csv(path: Path, rows: int) -> None:
    """Charge and discharge in turn, a record every 10 s, as a Landt tester exports them."""
    with path.open("w") as file:
        file.write(HEADER)
        for n in range(rows):
            step, record = divmod(n, STEP)
            charge = step % 2 == 0
            capacity = f"{0.0002 * record / 360:.4f}"
            counters = f"0,{capacity}" if charge else f"{capacity},0"
            file.write(
                f"{n + 1},{step // 2 + 1},{step + 1},05/{n // 8640 % 28 + 1:02d}/2024 {n // 360 % 24:02d}:"
                f"{n // 6 % 60:02d}:{n % 6 * 10:02d},{10 * n + 0.02:.3f},{10 * record + 0.02:.3f},"
                f"{0.0002 if charge else -0.0002:.4f},{3 + (record if charge else STEP - record) / STEP:.4f},"
                f"{counters},0,0.0002,0,0,0,0,{'charge CC' if charge else 'discharge CC'},\n"
            )


def measured(reader: str, small: Path, large: Path) -> dict[str, float]:
    """Seconds and peak memory [bytes] of one reader in a process of its own."""
    command = [sys.executable, __file__, "--one", reader, str(small), str(large)]
    run = subprocess.run(command, capture_output=True, text=True)
    if run.returncode:
        raise SystemExit(f"{reader} failed:\n{run.stderr}")
    return json.loads(run.stdout.splitlines()[-1])


def measure(reader: str, small: str, large: str) -> None:
    read = READERS[reader][0]
    read(small)
    unit = 1 if sys.platform == "darwin" else 1024
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.perf_counter()
    rows = read(large)
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    print(json.dumps({"rows": rows, "seconds": seconds, "peak": peak * unit}))


def spread(values: list[float]) -> str:
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def compare(rows: int, repeats: int) -> None:
    """Measure all readers, round by round so that what else the machine does hits all alike, and print the table."""
    with tempfile.TemporaryDirectory() as folder:
        small, large = Path(folder, "small.csv"), Path(folder, "large.csv")
        write_landt_csv(small, 1000)
        write_landt_csv(large, rows)
        size = large.stat().st_size
        runs: dict[str, list[dict[str, float]]] = {reader: [] for reader in READERS}
        for repeat in range(repeats):
            for reader, (_, _, always) in READERS.items():
                if always or repeat < 2:
                    runs[reader].append(measured(reader, small, large))
    print(f"Landt CSV of {rows:,} rows, {size / 1e6:.0f} MB; median (least to most) of the repeats\n")
    print(f"{'':16} {'repeats':>7}  {'million rows/s':22} {'times coldbond':22} {'peak memory / file':19} checks")
    for reader, (_, checks, _) in READERS.items():
        assert all(run["rows"] == rows for run in runs[reader]), f"{reader} lost rows"
        speed = [rows / run["seconds"] / 1e6 for run in runs[reader]]
        ratio = [
            ours["seconds"] / run["seconds"] for ours, run in zip(runs["coldbond.read"], runs[reader], strict=False)
        ]
        memory = max(run["peak"] for run in runs[reader]) / size
        print(f"{reader:16} {len(speed):7}  {spread(speed):22} {spread(ratio):22} {memory:<19.1f} {checks}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--one", nargs=3, metavar=("READER", "SMALL", "LARGE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        measure(*options.one)
    else:
        compare(options.rows, options.repeats)
