"""The text of an exported file, whatever encoding the tester's computer wrote it in."""

import codecs
from pathlib import Path

from coldbond.files.errors import ReadError

HEAD = 1 << 16
CHUNK = 1 << 22
UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def head(data: bytes) -> list[str]:
    """The first lines of a file, to recognise it by; what cannot be decoded is replaced."""
    start = data[:HEAD]
    marked = _marked(start)
    if marked:
        return start.decode(marked, "replace").removeprefix("\ufeff").splitlines()
    start = start[: start.rfind(b"\n") + 1] or start  # at a line break, to cut no character in half
    return start.decode("utf-8" if _undecodable(start, "utf-8") is None else "gb18030", "replace").splitlines()


def as_utf8(path: Path, data: bytes) -> bytes:
    """The file's text in utf-8, without byte-order mark: `data` itself where it is that already.

    Parameters
    ----------
    path : pathlib.Path
        For the error.
    data : bytes
        In utf-8 with or without byte-order mark, utf-16 with one, or gb18030.

    Raises
    ------
    ReadError
        The bytes are text in none of these encodings.
    """
    encoding = _marked(data)
    if encoding is None:
        nul = data.find(b"\0")
        if nul >= 0:
            reason = "holds a NUL byte: not text, or utf-16 without its byte-order mark"
            raise ReadError(path, data.count(b"\n", 0, nul) + 1, reason, "export it again, or save it as utf-8")
        if is_utf8(data):
            return data
        encoding = "gb18030"
    at = _undecodable(data, encoding)
    if at is not None:
        line = data[:at].decode(encoding, "ignore").count("\n") + 1
        named = "utf-8 or gb18030" if encoding == "gb18030" else encoding
        raise ReadError(path, line, f"holds bytes that are no text in {named}", "save it as utf-8")
    return data.removeprefix(codecs.BOM_UTF8) if encoding == "utf-8" else data.decode(encoding).encode("utf-8")


def is_utf8(data: bytes) -> bool:
    """Whether bytes are text in utf-8."""
    return data.isascii() or _undecodable(data, "utf-8") is None


def _marked(data: bytes) -> str | None:
    """The encoding that a byte-order mark shows."""
    if data.startswith(codecs.BOM_UTF8):
        return "utf-8"
    return "utf-16" if data.startswith(UTF_16) else None


def _undecodable(data: bytes, encoding: str) -> int | None:
    """Where the first bytes stand that are no text in this encoding; in chunks, to hold no second copy of the file."""
    decoder = codecs.getincrementaldecoder(encoding)()
    for start in range(0, len(data), CHUNK):
        pending = len(decoder.getstate()[0])
        try:
            decoder.decode(data[start : start + CHUNK], final=start + CHUNK >= len(data))
        except UnicodeDecodeError as error:
            return start - pending + error.start
    return None
