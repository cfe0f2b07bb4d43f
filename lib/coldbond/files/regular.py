"""What `read` opens: regular files of a size that memory holds."""

import stat
from pathlib import Path

from coldbond.files.errors import ReadError

#: Size [bytes] of the largest file that is read into memory as a whole, other than a table of cycling records. As
#: text it takes up to 20 times as much there. It is ten times the size of the largest pattern that was found in
#: public collections.
MOST_BYTES = 100_000_000
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


def too_large(path: Path, length: int) -> ReadError:
    """Return the refusal of a file that does not fit into memory and cannot be read a block at a time."""
    reason = f"a file of {length / 1e6:.0f} MB; only tables of cycling records in text may be larger than "
    reason += f"{MOST_BYTES / 1e6:.0f} MB"
    remedy = "export fewer scans or spectra at a time; a table of cycling records as utf-8, and state no encoding"
    return ReadError(path, None, reason, remedy)
