"""The tables of energies and their rows in raw/manifest.csv."""

import csv
import io
from hashlib import sha256
from pathlib import Path


def write(path: Path, rows: list[dict[str, str]]) -> None:
    """Write a table, whole or not at all."""
    text = io.StringIO()
    table = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".part")
    partial.write_text(text.getvalue(), encoding="utf-8", newline="")
    partial.replace(path)


def list_in_manifest(raw: Path, file: str, label: str) -> None:
    """Put a table into the manifest, or renew its row there; all other rows stay as they are."""
    path = raw / "manifest.csv"
    rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))
    own = dict.fromkeys(rows[0], "") | {
        "file": file,
        "technique": "energies",
        "role": "energies",
        "sample": label,
        "origin": "computed",
        "sha256": sha256((raw / file).read_bytes()).hexdigest(),
        "note": "energies of relaxed crystals at 0 K by a pretrained potential; make energies computes them anew",
    }
    place = next((at for at, row in enumerate(rows) if row["file"] == file), len(rows))
    write(path, [*rows[:place], own, *rows[place + 1 :]])
