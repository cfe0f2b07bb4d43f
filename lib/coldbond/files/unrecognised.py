"""The refusal of a file that no reader recognises: what the file seems to be, and what can be read."""

import re
from pathlib import Path

from coldbond.files import archive, generic_text, signatures
from coldbond.files.electrochemistry import vocabulary
from coldbond.files.encoding import UTF_16, head, recognised
from coldbond.files.errors import ReadError
from coldbond.files.photoelectrons import closed
from coldbond.files.signatures import NAMED_COLUMNS, Kind

#: Bytes at the start of a file that show whether it is text, and control characters that text does not have.
START = 4096
CONTROL = re.compile(rb"[\x01-\x08\x0e-\x1a\x1c-\x1f]")


def refusal(path: Path, data: bytes) -> ReadError:
    """Return the error for a file that no reader recognises."""
    if known := closed.kind(data):
        return _refused(path, known)
    if data.startswith(b"PK"):
        try:
            names = archive.check(path, data).namelist()
        except ReadError as error:
            return error
        found = next(
            kind for name, kind in signatures.MEMBERS.items() if any(re.fullmatch(name, n) for n in [*names, ""])
        )
        return _refused(path, found)
    if kind := signatures.kind(path, data):
        return _refused(path, kind)
    start = data[:START]
    if (b"\0" in start and not start.startswith(UTF_16)) or (CONTROL.search(start) and recognised(start) is None):
        named = signatures.EXTENSIONS.get(path.suffix.lower())
        if named:
            return ReadError(path, None, f"a binary file, by its name {named.name}, which is not read", named.remedy)
        return ReadError(path, None, "a binary file of a kind that is not known here", f"export it {NAMED_COLUMNS}")
    return _text(path, head(data))


def _refused(path: Path, kind: Kind) -> ReadError:
    return ReadError(path, None, f"{kind.name}, which this version does not read", kind.remedy)


def _text(path: Path, lines: list[str]) -> ReadError:
    """Return the error for text that has no header, or whose header names no recording."""
    rows = [re.split(r"[,;\t]", line) for line in lines]
    closest = min(range(len(rows)), key=lambda number: len(vocabulary.missing(rows[number])))
    missing = vocabulary.missing(rows[closest])
    if len(missing) == 1:
        reason = f"this header names no column for {missing[0]}"
        return ReadError(path, closest + 1, reason, "export it with test time, voltage and current")
    at = generic_text.first_row(lines)
    if at is not None:
        return ReadError(path, at + 1, "numbers without a header that says what they are", generic_text.REMEDY)
    return ReadError(path, None, "no recording in a format that this version reads", f"export it {NAMED_COLUMNS}")
