"""Draw the pictures of docs/your-own-data.md: run its commands on the folder of `python -m twin.example`.

.venv/bin/python scripts/docs_pictures.py
"""

import re
import subprocess
import sys
from pathlib import Path
from shutil import copyfile
from tempfile import TemporaryDirectory

from PIL import Image

from coldbond.bundle import manifest, paths
from coldbond.cli import init, show
from twin import example

DOCS = paths.ROOT / "docs"
PAGE = DOCS / "your-own-data.md"
#: Columns that the page fills in.
AREA, MASS = "0.785", "1.57"
NOT_READ = {"file": "CCD/coated cell 4.csv", "role": "ccd", "sample": "coated", "replicate": "4"}
COLORS = 128  # of the palette, which makes a picture small


def block(name: str) -> str:
    """Return the text in a block of the page, which a comment with its name precedes."""
    found = re.search(rf"<!-- {name} -->\n```\w*\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    if not found:
        raise ValueError(f"{PAGE}: there is no block {name}")
    return found[1]


def fill_in(folder: Path) -> None:
    """Fill in the manifest as the page says."""
    rows = manifest.load(folder).listed
    for row in rows:
        row |= {"area_cm2": AREA, "origin": "synthetic", "sample": row["sample"].removesuffix("-LFP")}
        row["active_mass_mg"] = MASS if row["role"] == "full-cell" else ""
    rows.append(NOT_READ | {"area_cm2": AREA, "origin": "synthetic"})
    Path(manifest.path(folder)).unlink()
    manifest.write(folder, rows)


def make(folder: Path, goal: str) -> None:
    """Draw figures; make ends with an error, since a recording is left out."""
    command = ["make", goal, f"RAW={folder / 'my-data'}", f"OUT={folder / 'my-figures'}"]
    if subprocess.run(command, cwd=paths.ROOT, stdout=sys.stderr).returncode != 2:
        raise RuntimeError(f"{goal}: one recording should have been left out")


def main() -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        data, figures = folder / "my-data", folder / "my-figures"
        example.write(data)
        init.run(data, print)
        fill_in(data)
        make(folder, "figures")
        copyfile(figures / "fig4b.png", DOCS / "your-own-data-ccd.png")
        copyfile(figures / "fig4f.png", DOCS / "your-own-data-capacity.png")
        row, where, _ = show.listed(data / "CCD" / "coated cell 1.csv")
        show.show(row, where, folder / "cell.png")
        with Image.open(folder / "cell.png") as picture:
            small = picture.convert("RGB").reduce(2).quantize(COLORS, dither=Image.Dither.NONE)
            small.save(DOCS / "your-own-data-show.png", optimize=True)
        (data / "style.toml").write_text(block("style"), encoding="utf-8")
        make(folder, "fig4b")
        copyfile(figures / "fig4b.png", DOCS / "your-own-data-style.png")


if __name__ == "__main__":
    main()
