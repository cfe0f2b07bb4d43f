"""`python -m twin [folder]` writes all synthetic recordings and their manifest; the folder is raw/ unless named."""

import csv
import io
import sys
import time
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from twin.recording import Recording
from twin.recordings import RECORDINGS

RAW = Path(__file__).resolve().parents[2] / "raw"


def manifest_row(recording: Recording, raw: Path) -> dict[str, str]:
    """The manifest's row of a recording that stands in `raw`."""
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


def write_manifest(raw: Path, recordings: Sequence[Recording] = RECORDINGS) -> None:
    """Write raw/manifest.csv, whole or not at all; rows of recordings that are not synthetic stay, after the others."""
    text = io.StringIO()
    rows = [manifest_row(recording, raw) for recording in recordings]
    manifest = raw / "manifest.csv"
    if manifest.is_file():
        before = csv.DictReader(io.StringIO(manifest.read_text(encoding="utf-8")))
        rows += [row for row in before if row["origin"] != "synthetic"]
    table = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    partial = raw / "manifest.csv.part"
    partial.write_text(text.getvalue(), encoding="utf-8", newline="")
    partial.replace(manifest)


def main(raw: Path) -> None:
    """Write all recordings and the manifest into the folder."""
    for recording in RECORDINGS:
        begun = time.perf_counter()
        path = raw / recording.file
        path.parent.mkdir(parents=True, exist_ok=True)
        recording.write(raw)
        print(f"{recording.file}  {path.stat().st_size / 1e3:.0f} kB  {time.perf_counter() - begun:.1f} s", flush=True)
    write_manifest(raw)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else RAW)
