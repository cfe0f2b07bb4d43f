"""Writing a file whole or not at all."""

import os
from collections.abc import Callable
from pathlib import Path


def write(path: Path, writer: Callable[[Path], object]) -> None:
    """Write a file under another name beside it, and rename it when it is complete.

    Parameters
    ----------
    path : Path
    writer : callable
        Writes the file whose path it is given.

    Raises
    ------
    FileNotFoundError
        There is no such folder.
    """
    if not path.parent.is_dir():
        raise FileNotFoundError(f"{path}: there is no folder {path.parent}: make it first")
    part = path.with_name(f".{os.getpid()}.{path.name}")
    try:
        writer(part)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
