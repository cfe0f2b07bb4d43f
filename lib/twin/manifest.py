"""The manifest of a folder of synthetic recordings."""

import csv
import io
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from twin.recording import Recording, write_whole


def manifest_row(recording: Recording, raw: Path) -> dict[str, str]:
    """Return the row of a recording that has been written below `raw`."""
    constants = dict.fromkeys(("area_cm2", "thickness_cm", "active_mass_mg", "temperature_C"), "")
    return {
        "file": recording.file,
        "technique": recording.technique,
        "role": recording.role,
        "sample": recording.sample,
        "state": recording.state,
        "origin": "synthetic",
        "sha256": sha256((raw / recording.file).read_bytes()).hexdigest(),
        **constants,
        **recording.constants,
        "note": recording.note,
    }


def write_manifest(raw: Path, recordings: Sequence[Recording]) -> None:
    """Write the manifest of a folder; rows of recordings that are not synthetic are kept at its end."""
    text = io.StringIO()
    rows = [manifest_row(recording, raw) for recording in recordings]
    manifest = raw / "manifest.csv"
    if manifest.is_file():
        before = csv.DictReader(io.StringIO(manifest.read_text(encoding="utf-8")))
        rows += [row for row in before if row["origin"] != "synthetic"]
    table = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    write_whole(manifest, text.getvalue().encode())
