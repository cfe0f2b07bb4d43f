"""Compare the speed of this bundle with that of other programs for the same tasks, and print a Markdown table.

    python -m bench [--repeats N] [SUBJECT ...]

Each contender runs in its own process. All contenders of a subject run once in each round, so that other load on the
machine affects them alike, and ratios are taken within a round. A contender first does a small task, so that its
imports are not timed. Contenders that win or fail are listed like the others.
"""

import argparse
import importlib
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator

from tqdm import tqdm

SUBJECTS = ("build", "reading", "xps", "impedance", "diffraction")
OURS = "coldbond"  # beginning of the names of this bundle's contenders; the first one is the reference of the ratios


def contenders(subject: str) -> dict:
    """Return, by name, the function that measures a contender, and its largest number of rounds.

    The function takes a seed and returns the measurements by task (see `timing`).
    """
    return importlib.import_module(f"bench.{subject}").CONTENDERS


def measured(subject: str, name: str, seed: int) -> dict[str, dict]:
    """Measure one contender in its own process."""
    command = [sys.executable, "-m", "bench", "--one", subject, name, str(seed)]
    run = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(run.stdout.splitlines()[-1])


def rounds(subjects: list[str], repeats: int) -> dict[tuple[str, str], list[dict]]:
    """Return the measurements of all rounds by task and contender."""
    plan = [
        (subject, name, seed)
        for subject in subjects
        for seed in range(1, repeats + 1)
        for name, (_, most) in contenders(subject).items()
        if seed <= most
    ]
    found: dict[tuple[str, str], list[dict]] = {}
    for subject, name, seed in (bar := tqdm(plan)):
        bar.set_description(f"{subject}, {name}")
        for task, result in measured(subject, name, seed).items():
            found.setdefault((task, name), []).append(result)
    return found


def table(found: dict[tuple[str, str], list[dict]]) -> Iterator[str]:
    """Yield the lines of the table: medians with minimum and maximum."""
    machine = f"{os.cpu_count()} cores with {memory_gb()} GB of memory"
    yield f"Wall time on {machine}: median (minimum to maximum) of the rounds."
    yield ""
    yield "| | seconds | times coldbond's | found | rounds |"
    yield "|---|---|---|---|---|"
    for task in dict.fromkeys(task for task, _ in found):
        yield f"| **{task}** | | | | |"
        rows = {name: runs for (of, name), runs in found.items() if of == task}
        ours = next(runs for name, runs in rows.items() if name.startswith(OURS))
        for name, runs in rows.items():
            if failed := [run["fails"] for run in runs if "fails" in run]:
                yield f"| {name} | fails: {failed[0]} | | | {len(runs)} |"
                continue
            seconds = spread([run["seconds"] for run in runs], 2)
            pairs = zip(runs, ours, strict=False)
            ratio = "" if runs is ours else spread([theirs["seconds"] / own["seconds"] for theirs, own in pairs], 2)
            values = [run["found"] for run in runs if run["found"] is not None]
            yield f"| {name} | {seconds} | {ratio} | {spread(values, 4) if values else ''} | {len(runs)} |"


def spread(values: list[float], digits: int) -> str:
    """Return the median with minimum and maximum."""
    least, middle, most = (rounded(f(values), digits) for f in (min, statistics.median, max))
    return least if least == most else f"{middle} ({least} to {most})"


def rounded(value: float, digits: int) -> str:
    """Return a number with so many significant digits; a count keeps all of them."""
    if isinstance(value, int) or abs(value) >= 10**digits:
        return f"{value:,.0f}"
    return f"{value:#.{digits}g}".rstrip(".")


def memory_gb() -> int:
    """Return the memory of this machine in GB."""
    return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__.splitlines()[0])
    parser.add_argument("subjects", nargs="*", metavar="SUBJECT", help=", ".join(SUBJECTS))
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--one", nargs=3, metavar=("SUBJECT", "CONTENDER", "SEED"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        subject, name, seed = given.one
        print(json.dumps(contenders(subject)[name][0](int(seed))))
    else:
        print(*table(rounds(given.subjects or list(SUBJECTS), given.repeats)), sep="\n")


if __name__ == "__main__":
    main()
