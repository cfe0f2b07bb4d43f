"""Compare the analyses with recordings of others, and write docs/validation.md, .json and .png.

python -m coldbond.validation [--data FOLDER]
"""

import argparse
import hashlib
import json
import os
import sys
from pathlib import Path

from coldbond.bundle import paths, pictures
from coldbond.validation import matrix, page, plots, recordings, run
from coldbond.validation.verdicts import AGREES, judged

DOCS = paths.ROOT / "docs"
#: Of the plot on the screen, relative to a figure.
ZOOM = 1.5


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m coldbond.validation", description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, help="folder of local copies; without it recordings are fetched")
    given = parser.parse_args(arguments)
    try:
        of = matrix.load()
        found = run.results(of, lambda name: recordings.path(of.recordings[name], given.data), print)
    except (matrix.MatrixError, recordings.RecordingError) as error:
        print(error, file=sys.stderr)
        return 1
    text = json.dumps(found, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    write({"validation.json": text.encode(), **drawn(of, found, text)}, DOCS)
    judgements = {one.name: judged(one, found[one.name]) for one in of.comparisons}
    for name, (verdict, score) in judgements.items():
        if verdict != AGREES:
            print(f"{verdict}: {name}" + ("" if score is None else f" ({score:+.1f})"))
    agreeing = sum(one.verdict == AGREES for one in judgements.values())
    print(f"{agreeing} of {len(judgements)} comparisons agree: docs/validation.md")
    return 0


def drawn(of: matrix.Matrix, found: page.Results, text: str) -> dict[str, bytes]:
    """Return page and plot of results, by their names."""
    picture = pictures.for_screen(pictures.drawn(plots.forest(of, found), ZOOM))
    return {
        "validation.md": page.page(of, found).encode(),
        "validation.png": pictures.png(picture, pictures.SCREEN * ZOOM, digest(of, text)),
    }


def digest(of: matrix.Matrix, text: str) -> str:
    """Return a hash of all that the plot shows, which it carries: the results and the comparisons."""
    return hashlib.sha256(f"{text}{of.comparisons}".encode()).hexdigest()


def write(files: dict[str, bytes], folder: Path) -> None:
    """Write files beside their places first, so that either all are replaced or none."""
    parts = {folder / name: folder / f".{name}.{os.getpid()}" for name in files}
    try:
        for part, content in zip(parts.values(), files.values(), strict=True):
            part.write_bytes(content)
        for path, part in parts.items():
            os.replace(part, path)
    finally:
        for part in parts.values():
            part.unlink(missing_ok=True)


if __name__ == "__main__":
    sys.exit(main())
