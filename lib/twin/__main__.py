"""`python -m twin [folder]` writes all synthetic recordings and their manifest, into raw/ unless a folder is named."""

import sys
import time
from pathlib import Path

from twin.manifest import write_manifest
from twin.recordings import RECORDINGS

RAW = Path(__file__).resolve().parents[2] / "raw"


def main(raw: Path) -> None:
    """Write all recordings and the manifest into the folder."""
    for recording in RECORDINGS:
        begun = time.perf_counter()
        path = raw / recording.file
        path.parent.mkdir(parents=True, exist_ok=True)
        recording.write(raw)
        print(f"{recording.file}  {path.stat().st_size / 1e3:.0f} kB  {time.perf_counter() - begun:.1f} s", flush=True)
    write_manifest(raw, RECORDINGS)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else RAW)
