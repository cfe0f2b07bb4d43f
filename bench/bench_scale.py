"""Time and memory as functions of the records of a recording and of the cells of a folder; writes docs/scale.*.

The twin writes recordings with up to 1e8 records and a folder of 500 cells into a temporary folder (in TMPDIR), which
is removed at the end. Each recording is summarised in its own process; time and memory of child processes are included.
"""

import csv
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import psutil
from matplotlib.axes import Axes
from matplotlib.ticker import NullFormatter
from scipy import optimize, stats

from coldbond import interval
from coldbond.bundle import figures, style
from coldbond.multiverse.plots import save
from twin import many
from twin.manifest import write_manifest

DOCS = Path(__file__).resolve().parents[1] / "docs"
ROWS = {1_000_000: 3, 3_000_000: 3, 10_000_000: 3, 30_000_000: 1, 100_000_000: 1}  # number of records: repeats
CELLS = {1: 3, 3: 3, 10: 3, 30: 3, 100: 2, 500: 2}  # number of cells: repeats
FITTED = {"rows": 1, "cells": 3}  # smallest n of the fit; for one cell the second worker is idle and imports nothing
DISK = 20e9  # bytes needed for the text of 1e8 records and for their values while they are summarised
OF_TRUTH = {  # quantity in the twin: column of the survey
    "critical_current_density": "critical_current_density_mA_cm2",
    "lifetime": "lifetime_h",
    "first_capacity": "first_capacity",
    "retention": "retention_percent",
}


def summarise(path: str) -> None:
    """Analyse a long-cycling recording and print the findings as JSON."""
    from coldbond import read
    from coldbond.cells import long_cycling
    from coldbond.cells.findings import long_cycling as long_cycling_findings

    recording = read(path).assign_attrs(area_cm2=0.785, sample="cell", state="")
    halves = long_cycling.half_cycles(recording)
    found = {one["quantity"]: one for one in long_cycling_findings.findings({"": recording}, {"": halves})}
    bounds = {name: [found[name][key] for key in ("value", "low", "high")] for name in found}
    print(json.dumps({"records": recording.sizes["record"], "half_cycles": halves.sizes["segment"], "found": bounds}))


def measured(command: Sequence[str], folder: Path) -> tuple[dict[str, float], str]:
    """Run a command; return wall and processor time [s] and peak memory [bytes] with its children, and its output."""
    start, peak, done = time.perf_counter(), 0, threading.Event()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ | {"TMPDIR": str(folder)})

    def watch() -> None:
        nonlocal peak
        while not done.wait(0.05):
            try:
                family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
                peak = max(peak, sum(one.memory_info().rss for one in family))
            except psutil.Error:  # a process of the family has just ended
                continue

    watcher = threading.Thread(target=watch)
    watcher.start()
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    done.set()
    watcher.join()
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} failed")
    alone = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    cpu = {"cpu": usage.ru_utime + usage.ru_stime, "system": usage.ru_stime}
    seconds = {"wall": time.perf_counter() - start} | cpu
    return {name: round(value, 2) for name, value in seconds.items()} | {"peak": max(peak, alone)}, output


def repeated(n: int, repeats: int, what: str, command: Sequence[str], folder: Path) -> tuple[list[dict], str]:
    """Measure a command several times and print each result."""
    points = []
    for _ in range(repeats):
        point, output = measured(command, folder)
        points.append({"n": n} | point)
        print(
            f"{n:>11,} {what}: {point['wall']:.1f} s, processor time {point['cpu']:.1f} s, "
            f"of which {point['system']:.1f} s in the system, {point['peak'] / 1e6:.0f} MB",
            flush=True,
        )
    return points, output


def of_rows(folder: Path) -> dict:
    """Measure recordings of increasing length."""
    points, recordings = [], {}
    path = folder / "long.csv"
    for rows, repeats in ROWS.items():
        print(f"writing {rows:,} records", flush=True)
        truth = many.long_recording(rows, path)
        command = [sys.executable, __file__, "--summarise", str(path)]
        of_rows, output = repeated(rows, repeats, "records", command, folder)
        size = path.stat().st_size
        recordings[rows] = json.loads(output) | {"time_to_failure_truth": truth, "bytes": size}
        points += [one | {"n": recordings[rows]["records"]} for one in of_rows]
        path.unlink()
    return {"points": points, "recordings": recordings}


def of_cells(folder: Path) -> dict:
    """Measure folders with an increasing number of cells."""
    cells = list(many.recordings(max(CELLS)))
    (folder / "cycling").mkdir()
    print(f"writing {len(cells):,} cells", flush=True)
    for recording, _ in cells:
        recording.write(folder)
    points = []
    for number, repeats in CELLS.items():
        some = folder / str(number)
        some.mkdir()
        (some / "cycling").symlink_to(folder / "cycling")
        write_manifest(some, [recording for recording, _ in cells[:number]])
        command = [sys.executable, "-m", "coldbond.survey", "--raw", str(some), "--out", str(some)]
        points += repeated(number, repeats, "cells", command, folder)[0]
    with (some / "survey.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {"points": points, "coverage": coverage(rows, [truth for _, truth in cells])}


def coverage(rows: Sequence[Mapping[str, str]], truths: Sequence[Mapping]) -> dict:
    """Return for each quantity how many intervals contain the true value, and the cells whose interval does not."""
    found = {"failed": sum(bool(row["failed"]) for row in rows)}
    for quantity, name in OF_TRUTH.items():
        held, missed, reached = 0, [], 0
        for row, truth in zip(rows, truths, strict=True):
            if quantity not in truth:
                continue
            low, high = (float(row[name + end] or bound) for end, bound in (("_low", "-inf"), ("_high", "inf")))
            # The interval of a cell that did not fail during its test must have no upper bound.
            holds = high == np.inf if truth[quantity] is None else low <= truth[quantity] <= high
            held += holds
            reached += truth[quantity] is not None
            if not holds:
                missed.append({"truth": truth[quantity], "low": low, "high": high, "note": row["note"]})
        n = held + len(missed)
        bounds = [round(float(x), 3) for x in stats.binomtest(held, n).proportion_ci(method="exact")]
        found[quantity] = {"cells": n, "reached": reached, "held": held, "interval": bounds, "missed": missed}
        if quantity == "critical_current_density":
            values = [
                (row[name], truth[quantity]) for row, truth in zip(rows, truths, strict=True) if quantity in truth
            ]
            found[quantity]["exact"] = sum(value != "" and float(value) == truth for value, truth in values)
    return found


def fit(points: Sequence[Mapping]) -> dict:
    """Fit a + b n**p to the logarithm of processor times, with the 95 % interval of p by Student's t."""
    n, seconds = (np.array([point[name] for point in points], dtype=float) for name in ("n", "cpu"))

    def curve(n: np.ndarray, log_a: float, log_b: float, p: float) -> np.ndarray:
        return np.log(np.exp(log_a) + np.exp(log_b) * n**p)

    start = (np.log(seconds.min() / 2), np.log(seconds.max() / n.max()), 1.0)
    best, covariance = optimize.curve_fit(curve, n, np.log(seconds), p0=start)
    half = interval.student(n.size - 3) * np.sqrt(np.diag(covariance))
    return {
        "start_s": float(np.exp(best[0])),
        "each_s": float(np.exp(best[1])),
        "exponent": [round(float(x), 3) for x in (best[2], best[2] - half[2], best[2] + half[2])],
    }


def draw(result: Mapping, path: Path) -> None:
    """Draw time and memory as functions of records and of cells."""
    with figures.new("double", 110) as fig:
        axes = fig.subplots(2, 2, sharex="col")
        for (top, bottom), name, label in zip(axes.T, ("rows", "cells"), ("Records of one cell", "Cells"), strict=True):
            _times(result[name], FITTED[name], top)
            points = result[name]["points"]
            bottom.loglog([p["n"] for p in points], [p["peak"] / 1e9 for p in points], "o", color="C0")
            bottom.set(xlabel=label, ylabel="Peak memory / GB", ylim=(0.1, 10))
            bottom.axhline(2, color="0.6", linewidth=0.6, linestyle="--")
            bottom.text(0.02, 2.1, "2 GB", color="0.4", transform=bottom.get_yaxis_transform(), va="bottom")
        style.letters(axes.flat)
        save(fig, path)


def _times(measured: Mapping, least: int, ax: Axes) -> None:
    points, found = measured["points"], measured["fit"]
    n = np.array([point["n"] for point in points])
    grid = np.geomspace(max(n.min(), least), n.max(), 200)
    power = found["each_s"] * grid ** found["exponent"][0]
    ax.loglog(grid, found["start_s"] + power, color="C0")
    ax.loglog(grid, power, color="C0", linewidth=0.6, linestyle=":")
    ax.loglog(n, [point["cpu"] for point in points], "o", color="C0", label="processor time")
    ax.loglog(n, [point["wall"] for point in points], "o", color="C1", markerfacecolor="none", label="wall time")
    p, low, high = found["exponent"]
    text = f"$a + b\\,n^p$\n$p$ = {p:.2f} ({low:.2f} to {high:.2f})\n$a$ = {found['start_s']:.1f} s"
    ax.text(0.97, 0.05, text, transform=ax.transAxes, ha="right", va="bottom")
    ax.set(ylabel="Time / s", ylim=(min(2.0, 0.8 * min(p["wall"] for p in points)), None))
    ax.yaxis.set_minor_formatter(NullFormatter())
    ax.legend(loc="upper left")


def as_text(result: Mapping) -> str:
    """Return the text of docs/scale.md."""
    rows, cells, covered = result["rows"], result["cells"], result["cells"]["coverage"]
    longest = rows["recordings"][max(rows["recordings"], key=int)]
    low, high = longest["found"]["time_to_failure"][1:]
    table = ["| n | wall time / s | processor time / s | peak memory / MB |", "|---|---|---|---|"]

    def median(points: Sequence[Mapping], name: str) -> float:
        return float(np.median([point[name] for point in points]))

    for name in ("rows", "cells"):
        sizes = dict.fromkeys(point["n"] for point in result[name]["points"])
        for n in sizes:
            same = [point for point in result[name]["points"] if point["n"] == n]
            unit = "records" if name == "rows" else "cells" if n > 1 else "cell"
            times = " | ".join(f"{median(same, key):.1f}" for key in ("wall", "cpu"))
            table.append(f"| {n:,} {unit} | {times} | {median(same, 'peak') / 1e6:.0f} |")

    def exponent(name: str) -> str:
        p, low, high = result[name]["fit"]["exponent"]
        return f"{p:.2f} (95 % interval {low:.2f} to {high:.2f})"

    def share(name: str) -> str:
        one = covered[name]
        return "{held} of {cells} ({:.0%} to {:.0%})".format(*one["interval"], **one)

    system = max(rows["points"], key=lambda point: point["n"])["system"]
    late = [3600 * (one["low"] - one["truth"]) for one in covered["lifetime"]["missed"] if one["truth"] is not None]
    soft = sum("soft" in one["note"] for one in covered["lifetime"]["missed"])
    of_ccd, life = covered["critical_current_density"], covered["lifetime"]
    return f"""# Scaling with the amount of data

`make scale` repeats these measurements and writes this page. They were made on {result["cores"]} cores with
{result["memory_GB"]} GB of memory. Other programs may have been running, so processor time is more reliable than wall
time.

![Time and peak memory against records and against cells, in logarithmic scales](scale.png)

*Top: processor time of all cores (filled) and wall time (open). The line is the fit of a + b nᵖ to the processor times;
the dotted line is the same without a, the start of Python, imports and workers. Bottom: peak memory of all processes.*

{chr(10).join(table)}

Sizes that were measured several times show the median.

- **Records.** A long-cycling recording, a Landt CSV with five records per second, is read with all checks of
  `coldbond.read`. Its half cycles are classified and summarised (overpotential, drift, life, charge). The time grows as
  the number of records to the power {exponent("rows")}, plus {rows["fit"]["start_s"]:.1f} s to start. For
  the longest recording, {system:.0f} s of the processor time are spent by the operating system on files and memory
  pages. Files of 256 MB or more are read in blocks and their values are kept on disk (56 bytes per record), so that
  memory does not grow with the file; smaller files are held in memory. The longest recording has
  {longest["records"]:,} records ({longest["bytes"] / 1e9:.1f} GB) and {longest["half_cycles"]:,} half cycles; its cell
  failed after {longest["time_to_failure_truth"]:.4f} h, and the analysis found {low:.4f} to {high:.4f} h.
- **Cells.** `make survey` on folders of cells, on {result["cores"]} workers of this machine: one third each are
  critical-current tests (0.1 to 2.5 mA/cm2), 200 h of long cycling, and full cells with 30 to 60 cycles. The time grows
  as the number of cells to the power {exponent("cells")}, plus {cells["fit"]["start_s"]:.1f} s to
  start the workers, which dominates below about thirty cells. The measurement with one cell is not part of the fit,
  because it starts only one worker.

## Coverage of the intervals

The true values of the 500 simulated cells are known. The brackets contain the 95 % interval of the share (binomial).

| quantity | intervals that contain the true value |
|---|---|
| critical current density | {share("critical_current_density")}; the value itself is right in {of_ccd["exact"]} |
| life at constant current | {share("lifetime")}; {life["cells"] - life["reached"]} of these outlived their test |
| first discharge capacity | {share("first_capacity")} |
| retention | {share("retention")} |

The interval of the life misses {life["cells"] - life["held"]} cells, {soft} of which failed by a soft short. A soft
short opens and closes at random, so it may have existed before it became visible; the interval allows for this by the
share of time in which it is open afterwards. Where it misses, it starts {np.median(late):.0f} s too late in the median
and {max(late):.0f} s at most (there is a record every 120 s, and one at each jump of the voltage).

{covered["failed"]} cells could not be analysed. The simulated cells are of the kinds that the analysis was written for,
so these shares do not transfer to cells that behave differently. The critical current density lies between two steps of
the current rather than scattering about an estimate, so its interval should nearly always contain the true value. The
interval of the capacity is dominated by the uncertainty of the mass, 2 %, and the simulated masses are off by as much.
"""


def main() -> None:
    result = {"cores": os.cpu_count(), "memory_GB": round(psutil.virtual_memory().total / 2**30)}
    with tempfile.TemporaryDirectory(prefix="coldbond-scale-") as name:
        folder = Path(name)
        if shutil.disk_usage(folder).free < DISK:
            raise SystemExit(f"{folder} has less than {DISK / 1e9:.0f} GB of free space: set TMPDIR to another folder")
        parts: dict[str, Callable[[Path], dict]] = {"cells": of_cells, "rows": of_rows}
        for part, measure in parts.items():
            result[part] = measure(folder)
            points = result[part]["points"]
            result[part]["fit"] = fit([point for point in points if point["n"] >= FITTED[part]])
    DOCS.joinpath("scale.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    write_docs()


def write_docs() -> None:
    """Write docs/scale.png and docs/scale.md from docs/scale.json."""
    result = json.loads(DOCS.joinpath("scale.json").read_text(encoding="utf-8"))
    draw(result, DOCS / "scale.png")
    DOCS.joinpath("scale.md").write_text(as_text(result), encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--summarise"]:
        summarise(sys.argv[2])
    else:
        main()
