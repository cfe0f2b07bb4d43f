"""Decoding of text exports: utf-8 with or without byte-order mark, utf-16 with one, or gb18030.

Chinese cyclers write gb18030. It is tried last, since nearly all bytes are text in it, whereas text in another encoding
is hardly ever valid utf-8 by chance.
"""

import codecs
from pathlib import Path

from coldbond.files.errors import ReadError

#: Bytes at the start of a file by which its format is recognised.
HEAD = 1 << 16
#: Bytes that are decoded at a time.
CHUNK = 1 << 22
UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def head(data: bytes) -> list[str]:
    """Return the first lines of a file, to recognise its format; undecodable bytes are replaced."""
    start = data[:HEAD]
    encoding = _encoding_of_mark(start)
    if encoding:
        return start.decode(encoding, "replace").removeprefix("\ufeff").splitlines()
    start = start[: start.rfind(b"\n") + 1] or start  # up to a line break, so that no character is cut in half
    return start.decode("utf-8" if _undecodable(start, "utf-8") is None else "gb18030", "replace").splitlines()


def as_utf8(path: Path, data: bytes) -> bytes:
    """Return the text of a file in utf-8 without byte-order mark; `data` itself where it is that already.

    Parameters
    ----------
    path : pathlib.Path
        For the error.
    data : bytes
        Text in utf-8 with or without byte-order mark, utf-16 with one, or gb18030.

    Raises
    ------
    ReadError
        The bytes are not text in any of these encodings.
    """
    encoding = _encoding_of_mark(data)
    if encoding is None:
        nul = data.find(b"\0")
        if nul >= 0:
            reason = "holds a NUL byte: not text, or utf-16 without byte-order mark"
            raise ReadError(path, data.count(b"\n", 0, nul) + 1, reason, "export it again, or save it as utf-8")
        if is_utf8(data):
            return data
        encoding = "gb18030"
    position = _undecodable(data, encoding)
    if position is not None:
        line = data[:position].decode(encoding, "ignore").count("\n") + 1
        tried = "utf-8 or gb18030" if encoding == "gb18030" else encoding
        raise ReadError(path, line, f"holds bytes that are not text in {tried}", "save it as utf-8")
    return data.removeprefix(codecs.BOM_UTF8) if encoding == "utf-8" else data.decode(encoding).encode("utf-8")


def is_utf8(data: bytes) -> bool:
    """Return whether bytes are text in utf-8."""
    return data.isascii() or _undecodable(data, "utf-8") is None


def _encoding_of_mark(data: bytes) -> str | None:
    """Return the encoding that a byte-order mark announces."""
    if data.startswith(codecs.BOM_UTF8):
        return "utf-8"
    return "utf-16" if data.startswith(UTF_16) else None


def _undecodable(data: bytes, encoding: str) -> int | None:
    """Return the position of the first bytes that are not text in this encoding.

    The file is decoded in chunks, since a second copy of a long recording would not fit into memory.
    """
    decoder = codecs.getincrementaldecoder(encoding)()
    for start in range(0, len(data), CHUNK):
        pending = len(decoder.getstate()[0])  # bytes of a character that the chunk before cut in half
        try:
            decoder.decode(data[start : start + CHUNK], final=start + CHUNK >= len(data))
        except UnicodeDecodeError as error:
            return start - pending + error.start
    return None


def from_encoding(path: Path, data: bytes, encoding: str) -> bytes:
    """Return the text of a file in utf-8, given its encoding.

    Raises
    ------
    ReadError
        The bytes are not text in this encoding.
    """
    try:
        return data.decode(encoding).removeprefix("\ufeff").encode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        reason = f"holds bytes that are not text in {encoding}, the encoding stated"
        raise ReadError(path, line, reason, "state the encoding in which it was saved, or none") from None
