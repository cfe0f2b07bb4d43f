"""The version of the library that a process has imported, as a hash; a long-running worker may have an older one."""

import hashlib
from functools import cache
from pathlib import Path

from coldbond.bundle import paths


@cache
def hash_of_library() -> str:
    """Return a hash of the source files of the library and of the locked packages."""
    files = sorted((paths.ROOT / "lib" / "coldbond").rglob("*.py"))
    files = [file for file in files if file.parent.name != "claims"]  # no run depends on verdicts
    files.append(paths.ROOT / "lock" / "multiverse.txt")
    return hashlib.sha256(b"".join(sha256(file).encode() for file in files)).hexdigest()


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


IMPORTED = hash_of_library()


def require(wanted: str) -> None:
    """Raise RuntimeError if this process, a worker, has not imported the version of the library with that hash."""
    if wanted != IMPORTED:
        raise RuntimeError("this worker has imported another version of the library: restart it")
