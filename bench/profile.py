"""Profile of `make figures` on an otherwise idle machine, as Markdown tables.

    python -m bench.profile

The first table has the time of each notebook's cells, run one after another; the second compares their sum with the
processor time of the whole build.
"""

import os
import time
from collections.abc import Iterator
from pathlib import Path

from bench.build import durations, folders, run


def busy() -> float:
    """Return the processor time [s] of all cores since the machine was started."""
    user, nice, system = map(int, Path("/proc/stat").read_text().split()[1:4])
    return (user + nice + system) / os.sysconf("SC_CLK_TCK")


def built(*options: str) -> tuple[float, float, dict[str, list[float]]]:
    """Build all figures from nothing; return wall time [s], processor time [s] and the durations of all cells."""
    with folders() as (out, _):
        started, worked = time.perf_counter(), busy()
        run(["make", "figures", f"OUT={out}", *options])
        seconds, work = time.perf_counter() - started, busy() - worked
        return seconds, work, durations(out)


def table() -> Iterator[str]:
    """Yield the lines of both tables."""
    built()  # starts the server of warm kernels and compiles all modules
    _, _, figures = built("-j1")
    seconds, work, _ = built()
    yield "| figure | all cells / s | drawing and saving / s |"
    yield "|---|---|---|"
    for name, seconds_of in sorted(figures.items(), key=lambda item: -sum(item[1])):
        yield f"| {name} | {sum(seconds_of):.2f} | {seconds_of[-1]:.2f} |"
    computing = sum(map(sum, figures.values()))
    drawing = sum(seconds_of[-1] for seconds_of in figures.values())
    yield f"| **all {len(figures)}** | **{computing:.1f}** | **{drawing:.1f}** |"
    yield ""
    yield f"| `make figures` on {os.cpu_count()} cores | processor time / s |"
    yield "|---|---|"
    yield f"| cells | {computing:.1f} |"
    yield f"| papermill, kernels, make | {work - computing:.1f} |"
    cores = os.cpu_count() or 1
    yield f"| idle: waiting for kernels, and the claims table at the end | {seconds * cores - work:.1f} |"
    yield f"| **{seconds:.1f} s on {cores} cores** | **{seconds * cores:.1f}** |"


if __name__ == "__main__":
    print(*table(), sep="\n")
