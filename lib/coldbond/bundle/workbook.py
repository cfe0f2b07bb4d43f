"""The first sheet of an .xlsx workbook as text, for a manifest that is kept in a spreadsheet program.

Standard library only, because make reads the manifest before any package is installed. Sizes are checked before
anything is unpacked: a small archive can unpack to more than any computer holds.
"""

import os
import re
import zipfile
import zlib
from collections.abc import Iterator
from xml.etree import ElementTree

#: Bytes to which a part of the workbook may unpack, and XML tags in it: as many as a table of 64 000 recordings has.
MOST_BYTES, MOST_TAGS = 1 << 26, 8_000_000
MOST_PARTS, MOST_COLUMNS = 1000, 1000
#: Built-in number formats that show a date or a time (ECMA-376, 18.8.30).
DATES = {*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)}
DAMAGES = (zipfile.BadZipFile, zlib.error, ElementTree.ParseError, RuntimeError, NotImplementedError, EOFError)
CELL = re.compile("([A-Z]{1,3})([0-9]{1,7})")


class WorkbookError(ValueError):
    """A workbook that cannot be read; the message names the place and the remedy."""


class Unreadable(str):
    """The reason why the value of a cell is not known, in place of its text."""


def rows(path: str | os.PathLike[str]) -> Iterator[tuple[int, list[str]]]:
    """Yield number and cells of each row of the first sheet, from column A on; an empty cell is "".

    A number has the digits that are needed to tell it from others. A cell that holds a date, an error or a formula
    without a value is `Unreadable`.

    Raises
    ------
    WorkbookError
        The file is damaged, too large or no workbook, or cells of the sheet are merged.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            if len(archive.infolist()) > MOST_PARTS:
                raise WorkbookError(f"more than {MOST_PARTS} parts: save the table as a workbook of its own")
            sheet = _xml(archive, _first_sheet(archive))
            texts = [_text(one) for one in _optional(archive, "xl/sharedStrings.xml")]
            dates = _date_styles(_optional(archive, "xl/styles.xml"))
    except DAMAGES as error:
        raise WorkbookError(f"no workbook that can be read ({error}): save it again as .xlsx or as CSV UTF-8") from None
    if (merged := sheet.find(".//{*}mergeCell")) is not None:
        raise WorkbookError(f"the cells {merged.get('ref')} are merged: unmerge them, and fill each of them")
    number = 0
    for row in sheet.iterfind("{*}sheetData/{*}row"):
        number = int(row.get("r", number + 1))
        cells: list[str] = []
        for cell in row.iterfind("{*}c"):
            place = CELL.fullmatch(cell.get("r", ""))
            column = _index(place[1]) if place else len(cells)
            if not len(cells) <= column < MOST_COLUMNS:
                raise WorkbookError(f"row {number} has a cell out of place or beyond column {MOST_COLUMNS}: delete it")
            cells += [""] * (column - len(cells)) + [_value(cell, texts, dates)]
        yield number, cells


def _index(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1


def _value(cell: ElementTree.Element, texts: list[str], dates: set[int]) -> str:
    kind, at = cell.get("t", "n"), cell.get("r", "a cell")
    if kind == "inlineStr":
        return "".join(_text(one) for one in cell.iterfind("{*}is"))
    value = cell.findtext("{*}v")
    if value is None:
        missing = f"{at} holds a formula without a value: open the table in a spreadsheet program and save it"
        return Unreadable(missing) if cell.find("{*}f") is not None else ""
    if kind == "e":
        return Unreadable(f"{at} holds the error {value}: correct it")
    try:
        if kind == "s":
            return texts[int(value)]
        if kind in ("str", "b"):
            return value if kind == "str" else ("FALSE", "TRUE")[int(value)]
        if kind == "d" or int(cell.get("s", 0)) in dates:
            return Unreadable(f"{at} holds a date: give the cell the format Text, and write it again")
        number = float(value)
        return str(int(number)) if number.is_integer() and abs(number) < 1e15 else repr(number)
    except (ValueError, IndexError):
        raise WorkbookError(f"the value of {at} is damaged: save it again") from None


def _text(element: ElementTree.Element) -> str:
    """Return the text of a cell without its phonetic guide, which Japanese workbooks have."""
    parts = [*element.iterfind("{*}t"), *element.iterfind("{*}r/{*}t")]
    return "".join(part.text or "" for part in parts)


def _date_styles(styles: ElementTree.Element | list) -> set[int]:
    """Return the cell styles that show a number as a date or a time."""
    if isinstance(styles, list):
        return set()
    dates = set(DATES)
    for one in styles.iterfind("{*}numFmts/{*}numFmt"):
        code = re.sub(r'"[^"]*"|\\.|\[(?!h|m|s)[^\]]*\]|General', "", one.get("formatCode", ""), flags=re.IGNORECASE)
        if re.search("[dmyhs]", code, re.IGNORECASE):
            dates.add(int(one.get("numFmtId", -1)))
    styled = styles.iterfind("{*}cellXfs/{*}xf")
    return {place for place, one in enumerate(styled) if int(one.get("numFmtId", 0)) in dates}


def _first_sheet(archive: zipfile.ZipFile) -> str:
    sheet = _xml(archive, "xl/workbook.xml").find("{*}sheets/{*}sheet")
    wanted = next((value for name, value in sheet.items() if name.endswith("}id")), "") if sheet is not None else ""
    for one in _xml(archive, "xl/_rels/workbook.xml.rels"):
        if one.get("Id") == wanted:
            target = one.get("Target", "")
            return target.lstrip("/") if target.startswith("/") else f"xl/{target}"
    raise WorkbookError("a workbook without sheets: save the table again")


def _optional(archive: zipfile.ZipFile, name: str) -> ElementTree.Element | list:
    return _xml(archive, name) if name in archive.namelist() else []


def _xml(archive: zipfile.ZipFile, name: str) -> ElementTree.Element:
    try:
        info = archive.getinfo(name)
    except KeyError:
        raise WorkbookError(f"no workbook, it lacks {name}: save the table again as .xlsx") from None
    # The other methods of compression unpack without any limit.
    if info.file_size > MOST_BYTES or info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise WorkbookError(f"{name} is larger than any table of recordings: save the table as CSV UTF-8")
    with archive.open(info) as part:
        text = part.read(MOST_BYTES)  # at most so much is unpacked, whatever size the archive states
    if text.count(b"<") > MOST_TAGS or b"<!" in text or b"\0" in text[:1000]:  # entities can expand to any size
        raise WorkbookError(f"{name} is not what a spreadsheet program writes: save the table as CSV UTF-8")
    return ElementTree.fromstring(text)
