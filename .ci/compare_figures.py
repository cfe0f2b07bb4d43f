"""Compare the figures that were just built with the committed ones: numbers exactly, pictures within a small RMS."""

import subprocess
import sys
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

# Of channel values from 0 to 255. Another processor's rounding flips single pixels, which comes to some 0.1 in all; a
# curve or a line of text that moved is beyond it.
LIMIT = 1.0
COMMITTED = (".png", ".json", ".csv", ".html")  # the latter two of the claims table


def main() -> int:
    listed = subprocess.run(["git", "ls-tree", "--name-only", "HEAD", "figures/"], capture_output=True, check=True)
    committed = [path for path in listed.stdout.decode().split("\n") if path.endswith(COMMITTED)]
    built = [str(path) for suffix in COMMITTED for path in Path("figures").glob(f"*{suffix}")]
    verdicts = {path: _verdict(Path(path), path in committed) for path in sorted({*committed, *built})}
    for path, (good, words) in verdicts.items():
        print(f"{'ok  ' if good else 'FAIL'} {path:<24} {words}")
    if not verdicts:
        print("FAIL no figure is committed, none was built")
    return int(not verdicts or not all(good for good, _ in verdicts.values()))


def _verdict(path: Path, committed: bool) -> tuple[bool, str]:
    """Return whether a file is as committed, or near enough, and in words how it differs."""
    if not committed:
        return False, "is not committed"
    # make removes nothing: a committed figure that the table no longer has is known by its missing PDF.
    if not path.is_file() or not path.with_suffix(".pdf").is_file():
        return False, "is committed but was not built"
    blob = subprocess.run(["git", "show", f"HEAD:{path}"], capture_output=True, check=True).stdout
    if path.read_bytes() == blob:
        return True, "the same bytes"
    if path.suffix != ".png":
        return False, "other numbers"
    before, after = (np.asarray(Image.open(source).convert("RGB"), float) for source in (BytesIO(blob), path))
    if before.shape != after.shape:
        return False, "another size"
    rms = np.sqrt(np.mean((before - after) ** 2))
    return bool(rms <= LIMIT), f"{rms:.2f} of 255 RMS apart, {LIMIT} is allowed"


if __name__ == "__main__":
    sys.exit(main())
