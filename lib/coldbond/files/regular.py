"""What `read` opens: regular files of a size that memory holds."""

import stat
from collections.abc import Callable
from pathlib import Path

from coldbond.files.encoding import HEAD, UTF_16
from coldbond.files.errors import ReadError

#: Sizes [bytes] of the largest files that are read as a whole: text of spectra, which takes 36 times as much memory,
#: and other files, which take a few times as much. Tables of cycling records in text may be larger.
MOST_TEXT, MOST_BYTES = 50_000_000, 1 << 28
KINDS = {
    stat.S_ISDIR: ("a folder", "name a file in it"),
    stat.S_ISFIFO: ("a pipe", "write what comes out of it to a file, and read that"),
    stat.S_ISSOCK: ("a socket", "name the recording"),
    stat.S_ISCHR: ("a device", "name the recording"),
    stat.S_ISBLK: ("a device", "name the recording"),
}


def size(path: Path) -> int:
    """Return the size of a file without opening it: opening a pipe waits for ever, and a device has no end.

    Raises
    ------
    ReadError
        It is no regular file.
    OSError
        There is none.
    """
    found = path.stat()
    if stat.S_ISREG(found.st_mode):
        return found.st_size
    kind, remedy = next(
        (text for test, text in KINDS.items() if test(found.st_mode)), ("no file", "name the recording")
    )
    raise ReadError(path, None, f"{kind}, not a file", remedy)


def check_size(path: Path, length: int, is_cycling: Callable[[bytes], bool]) -> None:
    """Refuse a file that does not fit into memory and cannot be read a block at a time.

    Parameters
    ----------
    path : pathlib.Path
    length : int
        Its size in bytes.
    is_cycling : callable
        Given the start of the file, returns whether it is of a format of cyclers.

    Raises
    ------
    ReadError
        Such a file.
    """
    with path.open("rb") as file:
        start = file.read(HEAD)
    is_binary = b"\0" in start and not start.startswith(UTF_16)
    whole = is_binary or is_cycling(start)
    most, what = (MOST_BYTES, "files of this kind") if whole else (MOST_TEXT, "text other than cycling records")
    if length > most:
        reason = f"a file of {length / 1e6:.0f} MB; {what} may have {most / 1e6:.0f} MB at most"
        remedy = "export fewer cycles, scans or spectra at a time; a table of cycling records may be larger"
        raise ReadError(path, None, reason, remedy)
