"""Where the seconds of `make figures` go, on a machine that does nothing else.

    python -m bench.profile

Prints Markdown: what each notebook's cells take, run one after another, and what the whole build takes of all cores.
"""

import os
import time
from collections.abc import Iterator
from pathlib import Path

from bench.build import durations, folders, run


def busy() -> float:
    """Return the seconds that all cores together have worked since the machine was started."""
    user, nice, system = map(int, Path("/proc/stat").read_text().split()[1:4])
    return (user + nice + system) / os.sysconf("SC_CLK_TCK")


def built(*options: str) -> tuple[float, float, dict[str, list[float]]]:
    """Return the wall time and the work of a build from nothing, and the cells of its figures."""
    with folders() as (out, _):
        started, worked = time.perf_counter(), busy()
        run(["make", "figures", f"OUT={out}", *options])
        seconds, work = time.perf_counter() - started, busy() - worked
        return seconds, work, durations(out)


def table() -> Iterator[str]:
    built()  # so that the server is there and everything is compiled
    _, _, figures = built("-j1")
    seconds, work, _ = built()
    yield "| figure | cells, s | of them drawing and saving, s |"
    yield "|---|---|---|"
    for name, seconds_of in sorted(figures.items(), key=lambda item: -sum(item[1])):
        yield f"| {name} | {sum(seconds_of):.2f} | {seconds_of[-1]:.2f} |"
    computing = sum(map(sum, figures.values()))
    drawing = sum(seconds_of[-1] for seconds_of in figures.values())
    yield f"| **all {len(figures)}** | **{computing:.1f}** | **{drawing:.1f}** |"
    yield ""
    yield f"| of `make figures` on {os.cpu_count()} cores | s of a core |"
    yield "|---|---|"
    yield f"| cells | {computing:.1f} |"
    yield f"| papermill, kernels, make | {work - computing:.1f} |"
    yield f"| cores that wait: kernels start, claims table alone at the end | {seconds * os.cpu_count() - work:.1f} |"
    yield f"| **{seconds:.1f} s of {os.cpu_count()} cores** | **{seconds * os.cpu_count():.1f}** |"


if __name__ == "__main__":
    print(*table(), sep="\n")
