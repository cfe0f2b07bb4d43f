"""Zip archives and XML documents, in which diffractometers and cyclers wrap their data."""

import io
import re
import zipfile
import zlib
from pathlib import Path
from xml.etree import ElementTree

from coldbond.files.errors import ReadError

REMEDY = "copy the complete file again, or export it again"


def members(data: bytes, pattern: str) -> list[str]:
    """Return the members of a zip archive whose whole name matches, in the order of the numbers in their names."""
    if not data.startswith(b"PK"):
        return []
    try:
        names = zipfile.ZipFile(io.BytesIO(data)).namelist()
    except (zipfile.BadZipFile, NotImplementedError):
        return []
    found = (name for name in dict.fromkeys(names) if re.fullmatch(pattern, name))
    # By number, since Data10 follows Data9 and not Data1.
    return sorted(found, key=lambda name: [int(digits) for digits in re.findall("[0-9]+", name)])


def member(path: Path, data: bytes, name: str) -> bytes:
    """Return the content of a member of a zip archive; zipfile verifies its checksum."""
    try:
        return zipfile.ZipFile(io.BytesIO(data)).read(name)
    except KeyError:
        raise ReadError(path, None, f"the archive lacks {name}", REMEDY) from None
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError) as error:
        raise ReadError(path, None, f"{name} in the archive is damaged: {error}", REMEDY) from None


def xml(path: Path, text: bytes, name: str | None = None) -> ElementTree.Element:
    """Return the root of an XML document: the file itself, or its member `name`."""
    try:
        return ElementTree.fromstring(text)
    except (ElementTree.ParseError, LookupError, ValueError) as error:
        line, what = (None, f"{name} in the archive") if name else (getattr(error, "position", (None,))[0], "the file")
        raise ReadError(path, line, f"{what} is not a complete XML document ({error})", REMEDY) from None


def text(element: ElementTree.Element | None, tag: str) -> str | None:
    """Return the text of the first descendant with this tag in any namespace; None where there is none."""
    found = element.find(f".//{{*}}{tag}") if element is not None else None
    return (found.text or "").strip() or None if found is not None else None
