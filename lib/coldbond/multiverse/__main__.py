"""Run the notebooks with other defensible choices of the analysis, and count which statements still hold.

python -m coldbond.multiverse [--raw FOLDER] [--out FOLDER] [--scheduler ADDRESS] [FIGURE ...]
"""

import argparse
import sys
import time
from pathlib import Path

import matplotlib as mpl

from coldbond.bundle import paths, style
from coldbond.bundle.claims import paper, verdicts
from coldbond.multiverse import grid, plots, summary
from coldbond.multiverse.gather import gather


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m coldbond.multiverse", description=__doc__.split("\n")[0])
    parser.add_argument("figures", nargs="*", help="figures to run; by default all that have been built")
    parser.add_argument("--raw", type=Path, default=Path("raw"))
    parser.add_argument("--out", type=Path, default=Path("figures"))
    parser.add_argument(
        "--scheduler", help="tcp://host:port of a dask scheduler; by default all cores of this machine are used"
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
    print(f"{earlier} of them reused from earlier; {minutes:.1f} min, {seconds:.1f} s of processor time per run")
    if given.figures:
        print("Only some of the figures were run, so nothing is written.")
    else:
        summary.write(result, folder / "multiverse.json")
        draw(result, paper_, folder)
    other = summary.differences(runs, found, built)
    if other:
        print(f"{', '.join(other)}: the run as built differs from its JSON file: make figures", file=sys.stderr)
    return 1 if other else 0


def draw(result: dict, claimed: paper.Paper, folder: Path) -> None:
    """Draw the overview of all statements and the specification curves of each."""
    with mpl.rc_context(style.rc()):
        plots.save(plots.overview(result), folder / "overview.png")
        for name, one in result["claims"].items():
            plots.save(plots.curves(claimed.claims[name], one, result), folder / f"{name}.png")


if __name__ == "__main__":
    sys.exit(main())
