"""Zip archives and XML documents, in which diffractometers and cyclers wrap their data.

A small archive can unpack to more than any computer holds, and a short XML document can name sizes that nothing has.
Numbers and sizes are therefore checked before anything is unpacked, and only the two methods of compression are
unpacked that give their output piece by piece.
"""

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from xml.etree import ElementTree

from coldbond.files.encoding import UTF_16
from coldbond.files.errors import ReadError

REMEDY = "copy the complete file again, or export it again"
#: Members of an archive. A workbook or a scan has tens, a long series of scans hundreds.
MOST_MEMBERS = 10_000
#: Characters of a member's name: as many as a file may have.
LONGEST_NAME = 255
#: Bytes to which a member that is held in memory may unpack: as many as a file of one scan may have.
MOST_BYTES = 1 << 28
#: Bytes to which all members together may unpack. A workbook with the most rows that Excel writes has about half.
MOST_UNPACKED = 1 << 30
#: Elements and attributes of an XML document; in memory each takes up to 300 bytes.
MOST_ELEMENTS = 4_000_000
#: Bytes that are unpacked at a time, and bytes of the archive that are unpacked for them.
PIECE, PACKED_PIECE = 1 << 22, 1 << 16
#: What zipfile raises where an archive is damaged.
DAMAGES = (zipfile.BadZipFile, zlib.error, struct.error, NotImplementedError, EOFError, OSError, ValueError)


def members(data: bytes, pattern: str) -> list[str]:
    """Return the members of a zip archive whose whole name matches, in the order of the numbers in their names."""
    found = (name for name in dict.fromkeys(names(data)) if re.fullmatch(pattern, name))
    # By number, since Data10 follows Data9 and not Data1; not with int(), which refuses long ones.
    return sorted(found, key=lambda name: [(len(n), n) for n in re.findall("0*([0-9]+)", name)])


def names(data: bytes) -> list[str]:
    """Return the names of all members of a zip archive; none of what is no archive, or one that `check` refuses."""
    archive = _opened(data) if data.startswith(b"PK") else ""
    return [] if isinstance(archive, str) else archive.namelist()


def check(path: Path, data: bytes) -> zipfile.ZipFile:
    """Refuse a zip archive that is damaged, has too many members, or unpacks to more than memory holds.

    Whoever hands an archive to a library calls this first, since a library may unpack without any limit.

    Returns
    -------
    zipfile.ZipFile
        Its directory. Its members are unpacked with `pieces`.
    """
    archive = _opened(data)
    if isinstance(archive, str):
        raise ReadError(path, None, archive, REMEDY)
    size = sum(info.file_size for info in archive.infolist())
    if size > MOST_UNPACKED:
        reason = f"the archive unpacks to {size / 1e9:.1f} GB, more than {MOST_UNPACKED / 1e9:.1f} GB"
        raise ReadError(path, None, reason, "export fewer records at a time, or as text")
    return archive


def member(path: Path, data: bytes, name: str) -> bytes:
    """Return the content of a member of a zip archive, whose size and checksum are verified."""
    archive = check(path, data)
    try:
        info = archive.getinfo(name)
    except KeyError:
        raise ReadError(path, None, f"the archive lacks {name}", REMEDY) from None
    if info.file_size > MOST_BYTES:
        reason = f"{name} in the archive unpacks to {info.file_size / 1e9:.1f} GB, more than {MOST_BYTES / 1e9:.1f} GB"
        raise ReadError(path, None, reason, "export fewer scans at a time")
    return b"".join(pieces(path, data, info))


def pieces(path: Path, data: bytes, info: zipfile.ZipInfo) -> Iterator[bytes]:
    """Unpack a member of a zip archive piece by piece; size and checksum are verified at its end.

    zipfile stops at the size that the archive states, and other libraries do not. Here a member that unpacks to another
    size is refused, so that what was checked is all that a library can find.
    """
    size = checksum = 0
    try:
        for piece in _unpacked(data, info):
            size, checksum = size + len(piece), zlib.crc32(piece, checksum)
            if size > info.file_size:
                break
            yield piece
        if (size, checksum) != (info.file_size, info.CRC):
            raise zipfile.BadZipFile("its size or checksum is not the one stated")
    except DAMAGES as error:
        raise ReadError(path, None, f"{info.filename} in the archive is damaged: {error}", REMEDY) from None


def _unpacked(data: bytes, info: zipfile.ZipInfo) -> Iterator[bytes]:
    """Unpack a member without regard of the size that the archive states."""
    start = max(info.header_offset, 0)
    signature, flags, method, name, extra = struct.unpack_from("<4s2xHH16xHH", data, start)
    if signature != b"PK\3\4":
        raise zipfile.BadZipFile("it does not start where the archive says")
    if flags & 1:
        raise zipfile.BadZipFile("it is protected by a password: save it without")
    start += 30 + name + extra
    packed = memoryview(data)[start : start + info.compress_size]
    if method != info.compress_type or method not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise zipfile.BadZipFile(f"method {method} of compression, where instruments use 0 and 8")
    if method == zipfile.ZIP_STORED:
        yield from (bytes(packed[at : at + PIECE]) for at in range(0, len(packed), PIECE))
        return
    engine = zlib.decompressobj(-zlib.MAX_WBITS)
    for at in range(0, len(packed), PACKED_PIECE):
        rest: bytes | memoryview = packed[at : at + PACKED_PIECE]
        piece = b""
        while rest or len(piece) == PIECE:
            piece = engine.decompress(rest, PIECE)
            rest = engine.unconsumed_tail
            yield piece
    if not engine.eof:
        raise zipfile.BadZipFile("it was cut off")


@lru_cache(maxsize=1)
def _opened(data: bytes) -> zipfile.ZipFile | str:
    """Return the directory of an archive, read once for all formats that look into it; the reason where it is none."""
    if data.count(b"PK\1\2") > MOST_MEMBERS:  # an entry of its directory each
        return f"an archive of more than {MOST_MEMBERS} members, which no instrument writes"
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except DAMAGES as error:
        return f"a damaged zip archive ({error})"
    if any(len(name) > LONGEST_NAME for name in archive.namelist()):
        return f"an archive with a member whose name has more than {LONGEST_NAME} characters"
    return archive


def forget() -> None:
    """Let go of the archive that was opened last."""
    _opened.cache_clear()


def xml(path: Path, text: bytes, name: str | None = None) -> ElementTree.Element:
    """Return the root of an XML document: the file itself, or its member `name`."""
    what = f"{name} in the archive" if name else "the file"
    if text.count(b"<") + text.count(b"=") > MOST_ELEMENTS:
        reason = f"{what} has more than {MOST_ELEMENTS} elements and attributes"
        raise ReadError(path, None, reason, "export fewer scans at a time")
    try:
        # Entities can expand to any size. They are looked for in utf-8, since in utf-16 a zero follows each letter.
        document = text.decode("utf-16").encode() if text.startswith(UTF_16) else text
        if b"<!ENTITY" in document:
            raise LookupError("it defines entities, which no instrument does")
        # `read` hands on a file in utf-16 in utf-8, and its declaration is wrong then.
        was_utf16 = document is not text or re.match(rb"<\?xml[^>]*encoding=.utf-16", document, re.IGNORECASE)
        return ElementTree.fromstring(document, ElementTree.XMLParser(encoding="utf-8" if was_utf16 else None))
    except (ElementTree.ParseError, LookupError, ValueError) as error:
        line = None if name else getattr(error, "position", (None,))[0]
        raise ReadError(path, line, f"{what} is not a complete XML document ({error})", REMEDY) from None


def text(element: ElementTree.Element | None, tag: str) -> str | None:
    """Return the text of the first descendant with this tag in any namespace; None where there is none."""
    found = element.find(f".//{{*}}{tag}") if element is not None else None
    return (found.text or "").strip() or None if found is not None else None
