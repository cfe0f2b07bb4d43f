"""The version of the library, as a hash: what a stored run depends on, and what a long-running worker has imported."""

import hashlib
import re
from collections.abc import Collection
from functools import cache
from pathlib import Path

from coldbond.bundle import paths

LIBRARY = paths.ROOT / "lib" / "coldbond"
#: Techniques do not import each other, and a notebook imports no program (the contracts in pyproject.toml).
TECHNIQUES = frozenset({"cells", "impedance", "raman", "reaction_energy", "xps", "xrd"})
PROGRAMS = frozenset({"analyses", "cli", "energies", "explore", "publish", "survey", "validation"})


@cache
def hash_of_library() -> str:
    """Return a hash of the files of the library and of the locked packages."""
    return _hash(without=())


@cache
def hash_for(code: str) -> str:
    """Return a hash of the locked packages and of what a notebook can import, from the source of its code cells."""
    if re.search(r"import coldbond\b(?!\.)", code):  # its functions are of all techniques
        return hash_of_library()
    return _hash(without=PROGRAMS | {one for one in TECHNIQUES if f"coldbond.{one}" not in code})


def _hash(without: Collection[str]) -> str:
    files = [file for file in LIBRARY.rglob("*") if file.is_file() and file.suffix != ".pyc"]
    files = [file for file in files if file.relative_to(LIBRARY).parts[0] not in without]
    files = [file for file in files if file.parent.name != "claims"]  # no run depends on verdicts
    files = [*sorted(files), paths.ROOT / "lock" / "multiverse.txt"]
    return hashlib.sha256(b"".join(sha256(file).encode() for file in files)).hexdigest()


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


IMPORTED = hash_of_library()


def require(wanted: str) -> None:
    """Raise RuntimeError if this process, a worker, has not imported the version of the library with that hash."""
    if wanted != IMPORTED:
        raise RuntimeError("this worker has imported another version of the library: restart it")
