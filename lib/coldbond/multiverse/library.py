"""Which library a process has imported: a worker that has been up for long may hold an older one."""

import hashlib
from functools import cache
from pathlib import Path

from coldbond.bundle import paths


@cache
def hash_of_library() -> str:
    """Return a hash of the library as it lies on the disk, and of the packages that it is run with."""
    files = sorted((paths.ROOT / "lib" / "coldbond").rglob("*.py"))
    files = [file for file in files if file.parent.name != "claims"]  # verdicts are made anew each time
    files.append(paths.ROOT / "lock" / "multiverse.txt")
    return hashlib.sha256(b"".join(sha256(file).encode() for file in files)).hexdigest()


def sha256(path: Path) -> str:
    """Return the hash of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


IMPORTED = hash_of_library()


def require(wanted: str) -> None:
    """Raise RuntimeError where this process, a worker, has imported another library than the one of that hash."""
    if wanted != IMPORTED:
        raise RuntimeError("the worker has imported another library than the one that lies here: start it anew")
