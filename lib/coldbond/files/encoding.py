"""Decoding of text exports: utf-8, utf-16, gb18030 of Chinese cyclers, or cp1252 of Windows in western Europe.

Nearly all bytes are text in gb18030 and in cp1252, whereas text in another encoding is hardly ever valid utf-8 by
chance. The encoding of other text is found from its runs of bytes above 127. A Chinese word is a run of pairs of such
bytes, and its characters are among the 6763 of GB 2312, most of them among the frequent ones at its start. In western
text such a byte stands alone, or next to one other, and is one of a few dozen letters and signs. Bytes that fit neither
are refused, since the same bytes are other text in Japanese, Polish or Russian.
"""

import codecs
import re
from functools import lru_cache
from pathlib import Path

from coldbond.files.errors import ReadError

#: Bytes at the start of a file by which its format is recognised.
HEAD = 1 << 16
#: Bytes that are decoded at a time.
CHUNK = 1 << 22
#: Bytes of text that are looked at for the encoding, from the first that is not ASCII.
LOOKED_AT = 1 << 24
#: Letters and signs of western European text beyond ASCII. Signs alone never are a word.
SIGNS = "µ°²³·¹±×÷§«»‘’“”–—…€£"
WESTERN = SIGNS + "ÄÖÜßäöüÀÁÂÃÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÕØÙÚÛàáâãåæçèéêëìíîïñòóôõøùúûýœŒŠšŽž¿¡º"
#: First bytes of the signs of GB 2312 and of its 3755 frequent characters.
FREQUENT = (*range(0xA1, 0xAA), *range(0xB0, 0xD8))
HOW = "state it, for example with read(path, encoding='cp1252'), or save the file as utf-8"
#: Control characters that no line of text has.
NO_TEXT = set(range(32)) - set(b"\t\n\r\f")
UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def head(data: bytes) -> list[str]:
    """Return the first lines of a file, to recognise its format; undecodable bytes are replaced."""
    return list(_lines(data[:HEAD]))


@lru_cache(maxsize=2)  # some forty formats look at the lines of a file before one reads it
def _lines(start: bytes) -> tuple[str, ...]:
    """Return the lines of the start of a file."""
    if _encoding_of_mark(start) is None:
        start = start[: start.rfind(b"\n") + 1] or start  # up to a line break, so that no character is cut in half
    text = start.decode(recognised(start) or "cp1252", "replace").removeprefix("\ufeff")
    # splitlines() would split at control characters too.
    return tuple(re.split(r"\r\n|\r|\n", text.removesuffix("\n")))


def as_utf8(path: Path, data: bytes) -> bytes:
    """Return the text of a file in utf-8 without byte-order mark; `data` itself where it is that already.

    Parameters
    ----------
    path : pathlib.Path
        For the error.
    data : bytes
        Text in utf-8 with or without byte-order mark, utf-16 with one, gb18030 or cp1252.

    Raises
    ------
    ReadError
        The bytes are not text in any of these encodings, or several of them are possible.
    """
    encoding = recognised(data)
    nul = data.find(b"\0") if encoding != "utf-16" else -1
    if nul >= 0:
        reason, remedy = "holds a NUL byte, so it is damaged or no text", "export it again"
        raise ReadError(path, data.count(b"\n", 0, nul) + 1, reason, remedy)
    if encoding == "ascii":
        return data
    at = [_undecodable(data, name) for name in ([encoding] if encoding else ["utf-8", "gb18030"])]
    if encoding is None or at[0] is not None:
        position = max(place for place in at if place is not None)
        line = data[:position].decode(encoding or "latin-1", "ignore").count("\n") + 1
        tried = encoding or "utf-8 or gb18030, and not western European text in cp1252"
        raise ReadError(path, line, f"holds bytes that are not text in {tried}", HOW)
    if encoding in ("ascii", "utf-8"):
        return data.removeprefix(codecs.BOM_UTF8)
    return data.decode(encoding).removeprefix("\ufeff").encode("utf-8")


def recognised(data: bytes) -> str | None:
    """Return the encoding of text: "ascii", "utf-8", "utf-16", "gb18030" or "cp1252"; None where it is unknown."""
    if data.isascii():
        return "ascii"
    if mark := _encoding_of_mark(data):
        return mark
    if is_utf8(data):
        return "utf-8"
    first = re.search(rb"[\x80-\xff]", data)
    sample = data[first.start() : first.start() + LOOKED_AT] if first else b""
    runs = set(re.findall(rb"[\x80-\xff]+", sample))
    if 2 * sum(is_utf8(run) for run in runs) > len(runs):
        return None  # utf-8 with a damaged character
    chinese = {run for run in runs if _undecodable(run, "gb2312") is None}
    western = {run for run in runs if len(run) < 3 and set(run.decode("cp1252", "replace")) <= set(WESTERN)}
    if western == runs:
        leads = [lead for run in chinese for lead in run[::2] if not set(run.decode("cp1252", "replace")) <= set(SIGNS)]
        are_words = chinese == runs and 2 * sum(lead in FREQUENT for lead in leads) > len(leads)
        return "gb18030" if are_words else "cp1252"
    if _undecodable(data, "gb18030") is not None:
        return None
    characters = {character for character in sample.decode("gb18030", "ignore") if not character.isascii()}
    known = characters & set("".join(characters).encode("gb2312", "ignore").decode("gb2312"))
    return "gb18030" if 2 * len(known) > len(characters) else None


def from_utf16(path: Path, data: bytes) -> bytes:
    """Return text in utf-16, with or without byte-order mark, in utf-8, and all other data as they are.

    Raises
    ------
    ReadError
        As `as_utf8`.
    """
    marked = _utf16(data)
    return as_utf8(path, marked) if marked else data


def _utf16(data: bytes) -> bytes | None:
    """Return text in utf-16 with its byte-order mark; None where the data are no such text."""
    start = data[:1024]
    for mark, letters, zeros in ((UTF_16[0], start[::2], start[1::2]), (UTF_16[1], start[1::2], start[::2])):
        has_mark = data.startswith(mark)
        if has_mark or (zeros and zeros.count(0) > 0.8 * len(zeros)):
            control = {letter for letter, zero in zip(letters, zeros, strict=False) if zero == 0} & NO_TEXT
            return None if control else data if has_mark else mark + data
    return None


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


def not_utf8(data: bytes) -> str | None:
    """Return the encoding of text that is not utf-8; None of utf-8 and of binary data."""
    if _utf16(data):
        return "utf-16"
    encoding = None if b"\0" in data[:HEAD] or data.startswith(b"PK") else recognised(data)
    return encoding if encoding not in ("ascii", "utf-8") else None
