"""Writing tables of energies and listing them in raw/manifest.csv."""

import csv
import io
from hashlib import sha256
from pathlib import Path

#: The note of the committed manifest. Changing it would change raw/manifest.csv without changing a recording.
NOTE = "energies of relaxed crystals at 0 K by a pretrained potential; make energies computes them anew"


def write(path: Path, rows: list[dict[str, str]]) -> None:
    """Write a table atomically."""
    text = io.StringIO()
    table = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".part")
    partial.write_text(text.getvalue(), encoding="utf-8", newline="")
    partial.replace(path)


def list_in_manifest(raw: Path, file: str, label: str) -> None:
    """Add a table to the manifest or replace its row there; all other rows stay unchanged."""
    path = raw / "manifest.csv"
    rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))
    own = dict.fromkeys(rows[0], "") | {
        "file": file,
        "technique": "energies",
        "role": "energies",
        "sample": label,
        "origin": "computed",
        "sha256": sha256((raw / file).read_bytes()).hexdigest(),
        "note": NOTE,
    }
    place = next((at for at, row in enumerate(rows) if row["file"] == file), len(rows))
    write(path, [*rows[:place], own, *rows[place + 1 :]])
