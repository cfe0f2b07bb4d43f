"""Which library a process has imported: a worker that has been up for long may hold an older one."""

import hashlib
from functools import cache
from pathlib import Path

from coldbond import paths


@cache
def hash_of_library() -> str:
    """Return a hash of the library as it lies on the disk, and of the packages that it is run with."""
    files = sorted((paths.ROOT / "lib" / "coldbond").rglob("*.py"))
    files = [file for file in files if file.parent.name != "claims"]  # verdicts are made anew each time
    files += [paths.ROOT / "lib" / "multiverse" / "run.py", paths.ROOT / "lock" / "multiverse.txt"]
    return hashlib.sha256(b"".join(sha256(file).encode() for file in files)).hexdigest()


def sha256(path: Path) -> str:
    """Return the hash of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
