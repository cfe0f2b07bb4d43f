"""This bundle beside what a user would run instead, in one run and one table.

    python -m bench [--repeats N] [SUBJECT ...]

Every contender runs in a process of its own, round after round so that what else the machine does hits all alike, and
does small work first where imports would be counted. A ratio is of the same round. Prints Markdown; peers that win or
fail stand in it like the others.
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

SUBJECTS = ("build", "reading", "xps", "impedance")
OURS = "coldbond"  # how the names of this bundle's contenders begin; the first of them is what others are held against


def contenders(subject: str) -> dict:
    """Return, by name, what is run and how often at most; it returns what it measured, by task (see `timing`)."""
    return importlib.import_module(f"bench.{subject}").CONTENDERS


def measured(subject: str, name: str, seed: int) -> dict[str, dict]:
    """Run one contender in a process of its own."""
    command = [sys.executable, "-m", "bench", "--one", subject, name, str(seed)]
    run = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(run.stdout.splitlines()[-1])


def rounds(subjects: list[str], repeats: int) -> dict[tuple[str, str], list[dict]]:
    """Return what was measured, by task and contender, a round each."""
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
    """Give the lines of the table: medians, and in brackets the least and the most."""
    yield f"Wall time on {os.cpu_count()} cores with {memory_gb()} GB of memory: median (least to most) of the rounds."
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
    least, middle, most = (rounded(f(values), digits) for f in (min, statistics.median, max))
    return least if least == most else f"{middle} ({least} to {most})"


def rounded(value: float, digits: int) -> str:
    if isinstance(value, int) or abs(value) >= 10**digits:
        return f"{value:,.0f}"
    return f"{value:#.{digits}g}".rstrip(".")


def memory_gb() -> int:
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
