"""Run every figure's notebook under other defensible choices, and see which statements hold.

python -m coldbond.multiverse [--raw FOLDER] [--out FOLDER] [--scheduler ADDRESS] [FIGURE ...]
"""

import argparse
import sys
import time
from pathlib import Path

import matplotlib as mpl

from coldbond.bundle import figures as style
from coldbond.bundle import paths
from coldbond.bundle.claims import paper, verdicts
from coldbond.multiverse import grid, plots, summary
from coldbond.multiverse.gather import gather


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m coldbond.multiverse", description=__doc__.split("\n")[0])
    parser.add_argument("figures", nargs="*", help="those that are run; without them, all that have been built")
    parser.add_argument("--raw", type=Path, default=Path("raw"))
    parser.add_argument("--out", type=Path, default=Path("figures"))
    parser.add_argument(
        "--scheduler", help="tcp://host:port of a dask scheduler; without it, the cores of this machine"
    )
    given = parser.parse_args()
    started = time.monotonic()
    paths.RAW = given.raw.absolute()
    built = verdicts.built(given.figures, given.out)
    stated = grid.load()
    runs = grid.runs(built, given.raw, stated)
    folder = given.out / "multiverse"
    earlier = sum((folder / "runs" / f"{run.key}.json").exists() for run in runs)
    found = gather(runs, given.raw, folder / "runs", given.scheduler)
    seconds = sum(one.get("seconds", 0.0) for one in found.values()) / len(runs)
    paper_ = paper.load()
    result = summary.summarise(runs, found, built, paper_, stated)
    print(summary.as_text(result))
    minutes = (time.monotonic() - started) / 60
    print(f"{earlier} of them kept from before; {minutes:.1f} min, a run {seconds:.1f} s of a core")
    if given.figures:
        print("Of some figures only: nothing is written.")
    else:
        summary.write(result, folder / "multiverse.json")
        draw(result, paper_, folder)
    other = summary.differences(runs, found, built)
    if other:
        print(f"{', '.join(other)}: as built, other numbers here than its JSON holds: make figures", file=sys.stderr)
    return 1 if other else 0


def draw(result: dict, claimed: paper.Paper, folder: Path) -> None:
    """Draw the pictures of all statements and of each."""
    with mpl.rc_context(style.STYLE):
        plots.save(plots.overview(result), folder / "overview.png")
        for name, one in result["claims"].items():
            plots.save(plots.curves(claimed.claims[name], one, result), folder / f"{name}.png")


if __name__ == "__main__":
    sys.exit(main())
