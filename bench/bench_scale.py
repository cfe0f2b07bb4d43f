"""How time and memory grow with the records of one recording and with the cells of a folder; writes docs/scale.*.

The twin writes recordings of one cell of up to 1e8 records and a folder of 500 cells into a temporary folder (TMPDIR
says where), which is removed at the end. Each is summarised in a process of its own; what its children use counts too.
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

from coldbond.bundle import figures
from coldbond.multiverse.plots import save
from twin import many
from twin.manifest import write_manifest

DOCS = Path(__file__).resolve().parents[1] / "docs"
ROWS = {1_000_000: 3, 3_000_000: 3, 10_000_000: 3, 30_000_000: 1, 100_000_000: 1}  # records: repeats
CELLS = {1: 3, 3: 3, 10: 3, 30: 3, 100: 2, 500: 2}
FITTED = {"rows": 1, "cells": 3}  # from which n on: of one cell a second worker does nothing, not even its imports
DISK = 20e9  # bytes: the text of 1e8 records, and their values while they are summarised
OF_TRUTH = {  # the twin's name of a quantity: the table's
    "critical_current_density": "critical_current_density_mA_cm2",
    "lifetime": "lifetime_h",
    "first_capacity": "first_capacity",
    "retention": "retention_percent",
}


def summarise(path: str) -> None:
    """Print what the library finds in a long-cycling recording."""
    from coldbond import read
    from coldbond.cells import long_cycling
    from coldbond.cells.findings import long_cycling as long_cycling_findings

    recording = read(path).assign_attrs(area_cm2=0.785, sample="cell", state="")
    halves = long_cycling.half_cycles(recording)
    found = {one["quantity"]: one for one in long_cycling_findings.findings({"": recording}, {"": halves})}
    bounds = {name: [found[name][key] for key in ("value", "low", "high")] for name in found}
    print(json.dumps({"records": recording.sizes["record"], "half_cycles": halves.sizes["segment"], "found": bounds}))


def measured(command: Sequence[str], folder: Path) -> tuple[dict[str, float], str]:
    """Wall and processor time [s] and peak resident memory [bytes], children included, of a process; its output."""
    start, peak, done = time.perf_counter(), 0, threading.Event()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ | {"TMPDIR": str(folder)})

    def watch() -> None:
        nonlocal peak
        while not done.wait(0.05):
            try:
                family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
                peak = max(peak, sum(one.memory_info().rss for one in family))
            except psutil.Error:  # one has just ended
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
    """Measure a command and say how it went."""
    points = []
    for _ in range(repeats):
        point, output = measured(command, folder)
        points.append({"n": n} | point)
        print(
            f"{n:>11,} {what}: {point['wall']:.1f} s, {point['cpu']:.1f} s of a core, "
            f"{point['system']:.1f} of them the system's, {point['peak'] / 1e6:.0f} MB",
            flush=True,
        )
    return points, output


def of_rows(folder: Path) -> dict:
    """Measure recordings of growing length."""
    points, recordings = [], {}
    path = folder / "long.csv"
    for rows, repeats in ROWS.items():
        print(f"{rows:>11,} records are being written", flush=True)
        truth = many.long_recording(rows, path)
        command = [sys.executable, __file__, "--summarise", str(path)]
        of_rows, output = repeated(rows, repeats, "records", command, folder)
        size = path.stat().st_size
        recordings[rows] = json.loads(output) | {"time_to_failure_truth": truth, "bytes": size}
        points += [one | {"n": recordings[rows]["records"]} for one in of_rows]
        path.unlink()
    return {"points": points, "recordings": recordings}


def of_cells(folder: Path) -> dict:
    """Measure folders of a growing number of cells."""
    cells = list(many.recordings(max(CELLS)))
    (folder / "cycling").mkdir()
    print(f"{len(cells):>11,} cells are being written", flush=True)
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
    """How often an interval held the truth, for each quantity; and which cells it missed."""
    found = {"failed": sum(bool(row["failed"]) for row in rows)}
    for quantity, name in OF_TRUTH.items():
        held, missed, reached = 0, [], 0
        for row, truth in zip(rows, truths, strict=True):
            if quantity not in truth:
                continue
            low, high = (float(row[name + end] or bound) for end, bound in (("_low", "-inf"), ("_high", "inf")))
            # A cell that outlived its test has no upper bound, and must not be given one.
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
    """Fit a + b n**p to processor times, their scatter taken as a share of each; 95 % intervals by Student's t."""
    n, seconds = (np.array([point[name] for point in points], dtype=float) for name in ("n", "cpu"))

    def curve(n: np.ndarray, log_a: float, log_b: float, p: float) -> np.ndarray:
        return np.log(np.exp(log_a) + np.exp(log_b) * n**p)

    start = (np.log(seconds.min() / 2), np.log(seconds.max() / n.max()), 1.0)
    best, covariance = optimize.curve_fit(curve, n, np.log(seconds), p0=start)
    half = stats.t.ppf(0.975, n.size - 3) * np.sqrt(np.diag(covariance))
    return {
        "start_s": float(np.exp(best[0])),
        "each_s": float(np.exp(best[1])),
        "exponent": [round(float(x), 3) for x in (best[2], best[2] - half[2], best[2] + half[2])],
    }


def draw(result: Mapping, path: Path) -> None:
    """Draw time and memory against records and against cells."""
    with figures.new("double", 110) as fig:
        axes = fig.subplots(2, 2, sharex="col")
        for (top, bottom), name, label in zip(axes.T, ("rows", "cells"), ("Records of one cell", "Cells"), strict=True):
            _times(result[name], FITTED[name], top)
            points = result[name]["points"]
            bottom.loglog([p["n"] for p in points], [p["peak"] / 1e9 for p in points], "o", color="C0")
            bottom.set(xlabel=label, ylabel="Peak memory / GB", ylim=(0.1, 10))
            bottom.axhline(2, color="0.6", linewidth=0.6, linestyle="--")
            bottom.text(0.02, 2.1, "2 GB", color="0.4", transform=bottom.get_yaxis_transform(), va="bottom")
        figures.letters(axes.flat)
        save(fig, path)


def _times(measured: Mapping, least: int, ax: Axes) -> None:
    points, found = measured["points"], measured["fit"]
    n = np.array([point["n"] for point in points])
    grid = np.geomspace(max(n.min(), least), n.max(), 200)
    power = found["each_s"] * grid ** found["exponent"][0]
    ax.loglog(grid, found["start_s"] + power, color="C0")
    ax.loglog(grid, power, color="C0", linewidth=0.6, linestyle=":")
    ax.loglog(n, [point["cpu"] for point in points], "o", color="C0", label="of all cores")
    ax.loglog(n, [point["wall"] for point in points], "o", color="C1", markerfacecolor="none", label="by the clock")
    p, low, high = found["exponent"]
    text = f"$a + b\\,n^p$\n$p$ = {p:.2f} ({low:.2f} to {high:.2f})\n$a$ = {found['start_s']:.1f} s"
    ax.text(0.97, 0.05, text, transform=ax.transAxes, ha="right", va="bottom")
    ax.set(ylabel="Time / s", ylim=(min(2.0, 0.8 * min(p["wall"] for p in points)), None))
    ax.yaxis.set_minor_formatter(NullFormatter())
    ax.legend(loc="upper left")


def as_text(result: Mapping) -> str:
    """What was measured, in words: docs/scale.md."""
    rows, cells, covered = result["rows"], result["cells"], result["cells"]["coverage"]
    longest = rows["recordings"][max(rows["recordings"], key=int)]
    low, high = longest["found"]["time_to_failure"][1:]
    table = ["| n | by the clock / s | of all cores / s | peak memory / MB |", "|---|---|---|---|"]

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
    soft = sum(one["note"].startswith("soft") for one in covered["lifetime"]["missed"])
    of_ccd, life = covered["critical_current_density"], covered["lifetime"]
    return f"""# How far it scales

`make scale` measures this anew and writes this page. Measured on {result["cores"]} cores and {result["memory_GB"]} GB
of memory, which other work may have shared: the time of all cores says more than that by the clock.

![Time and peak memory against records and against cells, in logarithmic scales](scale.png)

*Top: processor time of all cores (full) and time by the clock (open); the line is the fit of a + b nᵖ to the full
points, dotted without a, the start of Python, imports and workers. Bottom: peak memory, children included.*

{chr(10).join(table)}

Medians where a size was measured several times.

- **Records.** One long-cycling recording, as a Landt CSV of five records a second, is read with every check of
  `coldbond.read`, described and judged half cycle by half cycle, and summed up (overpotential, drift, life, charge).
  Time grows with the power {exponent("rows")} of the records beside a start of {rows["fit"]["start_s"]:.1f} s; of
  the longest one's, {system:.0f} s are the system's, for files and pages of memory. A file of 256 MB
  and more is read in blocks and its values wait on disk (56 bytes a record), so that memory does not grow with it; a
  smaller one is held whole. In the longest, {longest["records"]:,} records ({longest["bytes"] / 1e9:.1f} GB) and
  {longest["half_cycles"]:,} half cycles, the cell failed after {longest["time_to_failure_truth"]:.4f} h; found:
  {low:.4f} to {high:.4f} h.
- **Cells.** `make survey` on a folder of cells of which a third each are critical current densities (0.1 to 2.5
  mA/cm2), 200 h of long cycling and full cells of 30 to 60 cycles, on {result["cores"]} workers of this machine. Time
  grows with the power {exponent("cells")} of the cells beside a start of {cells["fit"]["start_s"]:.1f} s, which is
  that of the workers and outweighs the cells up to some thirty. One cell is left out of the fit: it starts one worker.

## Do the intervals hold the truth?

The twin knows it of the 500 cells. In brackets the 95 % interval of the share (binomial).

| | interval holds the truth |
|---|---|
| critical current density | {share("critical_current_density")}, the value itself right in {of_ccd["exact"]} |
| life under a constant current | {share("lifetime")}; of these {life["cells"] - life["reached"]} outlived their test |
| first discharge capacity | {share("first_capacity")} |
| retention | {share("retention")} |

The life's interval misses {life["cells"] - life["held"]} cells, {soft} of them soft shorts: such a path opens and
closes at random, and may have begun before it shows. The interval allows for that as often as it is open later. Where
it misses, it begins {np.median(late):.0f} s after the truth in the median, at most {max(late):.0f} s (a record every
120 s, and one more where the voltage jumps).

{covered["failed"]} cells failed to be analysed. The twin's cells are the kinds that the analysis was written for; what
another laboratory's cells do, they do not tell. The critical current density is a bracket between two steps
rather than an estimate that scatters, and should nearly always hold; the interval of the capacity is that of a mass
weighed to 2 %, by which the twin's masses are off.
"""


def main() -> None:
    result = {"cores": os.cpu_count(), "memory_GB": round(psutil.virtual_memory().total / 2**30)}
    with tempfile.TemporaryDirectory(prefix="coldbond-scale-") as name:
        folder = Path(name)
        if shutil.disk_usage(folder).free < DISK:
            raise SystemExit(f"{folder} has less than {DISK / 1e9:.0f} GB left: name another folder by TMPDIR")
        parts: dict[str, Callable[[Path], dict]] = {"cells": of_cells, "rows": of_rows}
        for part, measure in parts.items():
            result[part] = measure(folder)
            points = result[part]["points"]
            result[part]["fit"] = fit([point for point in points if point["n"] >= FITTED[part]])
    DOCS.joinpath("scale.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    write_docs()


def write_docs() -> None:
    """Draw and describe what docs/scale.json holds."""
    result = json.loads(DOCS.joinpath("scale.json").read_text(encoding="utf-8"))
    draw(result, DOCS / "scale.png")
    DOCS.joinpath("scale.md").write_text(as_text(result), encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--summarise"]:
        summarise(sys.argv[2])
    else:
        main()
