"""Workbooks (.xlsx): what their XML says of their size, before a library opens them.

The library that reads the sheets makes a table from the first cell to the last. One cell in the last column and row of
a sheet, or a stated number of texts that nothing holds, asks for more memory than there is, and the whole process is
aborted. No `except` helps then, so the sizes are looked up first.
"""

import io
import re
import weakref
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from coldbond.files import archive
from coldbond.files.errors import ReadError

#: Sheets, of which a workbook of photoelectron spectra has a hundred.
MOST_SHEETS = 500
#: Cells of a sheet from the first to the last, which take 90 bytes each in memory.
MOST_CELLS = 16_000_000
#: Bytes of all texts of a sheet; a text that stands in many cells counts for each.
MOST_TEXT = 1 << 29
#: Bytes between two tags, or of one tag; a cell holds 32 767 characters.
LONGEST = 1 << 24
#: Digits of a stated number of texts, formats, ... from which on it asks for gigabytes.
COUNT = re.compile(rb"ount\s*=\s*[\"']\s*0*([0-9]{8,})")
#: A cell that is not written as all programs write it, within 26 columns and 599 999 rows; such a sheet is within
#: `MOST_CELLS`. Only the cells of other sheets are looked up one by one, which takes some time.
UNUSUAL = re.compile(rb"<c(?=[\s/>])(?! r=\"[A-Z](?:[1-9][0-9]{0,4}|[1-5][0-9]{5})\"(?: [a-z]+=\"\w*\")*/?>)|:c[\s/>]")
#: The tag of a row or a cell; without attributes where they are not written as XML is.
TAG = re.compile(
    rb"<(?:[\w.-]+:)?(?P<name>c|row)(?=[\s/>])"
    rb"(?:(?P<attributes>(?:\s+[\w:.-]+\s*=\s*(?:\"[^\"<>]*\"|'[^'<>]*'))*)\s*/?>)?"
)
ATTRIBUTE = re.compile(rb"\s+([\w:.-]+)\s*=\s*(\"[^\"<>]*\"|'[^'<>]*')")
PLACE = re.compile(rb"[\"']([A-Za-z]{0,9})([0-9]{1,9})[\"']")
TEXT_END = re.compile(rb"</(?:[\w.-]+:)?si\s*>")
SHARED = re.compile(rb"\st\s*=\s*[\"']s[\"'][^<]*<[^<]*>([0-9]{1,9})<")
#: The workbook that was checked last, which several formats look into.
_checked: weakref.WeakSet[zipfile.ZipFile] = weakref.WeakSet()
AGAIN = "export fewer records at a time, or as text (.csv)"


def check(path: Path, data: bytes) -> None:
    """Refuse a workbook whose sheets, or the sizes that it states, do not fit into memory.

    Raises
    ------
    ReadError
        Such a workbook, or a damaged archive.
    """
    longest = texts = 0
    lengths: list[int] = []
    directory = archive.check(path, data)
    if directory in _checked:
        return
    infos = directory.infolist()
    for info in infos:
        unusual = False
        for piece in _tags(path, data, info):
            if count := COUNT.search(piece):
                reason = f"{info.filename} states a size of {count[1][:20].decode()}, more than a workbook has"
                raise ReadError(path, None, reason, archive.REMEDY)
            unusual = unusual or UNUSUAL.search(piece) is not None
            texts += piece.count(b'"s"') + piece.count(b"'s'")
        if unusual:
            _check_places(path, data, info)
        if info.filename.lower().endswith("sharedstrings.xml"):
            lengths = [len(part) for part in TEXT_END.split(archive.member(path, data, info.filename))]
            longest = max(lengths)
    if longest * texts > MOST_TEXT:  # the exact sum takes longer
        found = (SHARED.findall(piece) for info in infos for piece in _tags(path, data, info))
        if sum(lengths[int(at)] for piece in found for at in piece if int(at) < len(lengths)) > MOST_TEXT:
            raise ReadError(path, None, f"a workbook of more than {MOST_TEXT >> 20} MB of text", AGAIN)
    _checked.add(directory)


def sheets(path: Path, data: bytes, names: re.Pattern[str]) -> dict[str, list[list[Any]]]:
    """Return the rows of the sheets of a workbook whose names contain a match.

    Raises
    ------
    ReadError
        The workbook is damaged, or larger than memory allows.
    """
    check(path, data)
    import python_calamine  # here and not above, since few recordings are workbooks

    try:
        book = python_calamine.load_workbook(io.BytesIO(data))
        wanted = [name for name in book.sheet_names if names.search(name)]
        if len(wanted) > MOST_SHEETS:
            raise ReadError(path, None, f"a workbook of {len(wanted)} sheets, more than {MOST_SHEETS}", AGAIN)
        found, cells = {}, 0
        for name in wanted:
            sheet = book.get_sheet_by_name(name)
            cells += sheet.total_height * sheet.total_width
            if cells > MOST_CELLS:
                reason = f"a workbook with more than {MOST_CELLS} cells, which is the most that is read"
                raise ReadError(path, None, reason, AGAIN)
            found[name] = sheet.to_python(skip_empty_area=False)
        return found
    except ReadError:
        raise
    except (python_calamine.CalamineError, zipfile.BadZipFile, ArithmeticError, ValueError) as error:
        raise ReadError(path, None, f"a damaged workbook ({error})", "export or copy it again") from error
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # the library gave up; no other name of its type is to be had
            raise
        raise ReadError(path, None, f"a damaged workbook ({error})", "export or copy it again") from None


def _tags(path: Path, data: bytes, info: zipfile.ZipInfo) -> Iterator[bytes]:
    """Unpack a member in pieces that do not end within a tag."""
    rest = b""
    for piece in archive.pieces(path, data, info):
        whole = rest + piece
        cut = max(whole.rfind(b"<"), 0)
        rest = whole[cut:]
        if len(rest) > LONGEST:
            raise ReadError(path, None, f"{info.filename} has a text of more than {LONGEST >> 20} MB", archive.REMEDY)
        yield whole[:cut]
    yield rest


def _check_places(path: Path, data: bytes, info: zipfile.ZipInfo) -> None:
    """Look up the place of every cell of a sheet; one that states none follows the cell before, or starts its row."""
    last_row = last_column = row = column = 0
    for piece in _tags(path, data, info):
        for tag in TAG.finditer(piece):
            attributes = dict(ATTRIBUTE.findall(tag["attributes"] or b""))
            place = PLACE.fullmatch(attributes.get(b"r", b""))
            if tag["attributes"] is None or (place is None and b"r" in attributes):
                raise ReadError(path, None, f"{info.filename} has a tag that is not written as XML is", archive.REMEDY)
            if tag["name"] == b"row":
                row, column = int(place[2]) if place else row + 1, 0
                continue
            column = _number(place[1]) if place else column + 1
            last_row = max(last_row, int(place[2]) if place else row)
            last_column = max(last_column, column)
            if last_row * last_column > MOST_CELLS:
                reason = f"{info.filename} has cells up to row {last_row} and column {last_column}"
                raise ReadError(path, None, f"{reason}, and {MOST_CELLS} cells are the most that are read", AGAIN)


def _number(letters: bytes) -> int:
    """Return the number of a column, 28 of AB."""
    number = 0
    for letter in letters.upper():
        number = 26 * number + letter - 64
    return number
