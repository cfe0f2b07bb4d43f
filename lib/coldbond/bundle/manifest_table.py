"""The table of a manifest as it lies on the disk: manifest.csv or manifest.xlsx, as lines of text.

Standard library only, because make reads the manifest before any package is installed.
"""

import codecs
import csv
import io
import os
import re
import stat
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from coldbond.bundle import workbook

CSV, WORKBOOK = "manifest.csv", "manifest.xlsx"
SEPARATORS = (",", ";", "\t")
#: Size [bytes] that no manifest has: a line of 1000 bytes for each of 64 000 recordings.
MOST_BYTES = 1 << 26


class ManifestError(ValueError):
    """A manifest that cannot be used.

    Attributes
    ----------
    problems : list of str
        One line each, which names file, line, column and remedy, in the order of the lines. The text of the error is
        all of them.
    """

    def __init__(self, *problems: str) -> None:
        super().__init__(*problems)
        self.problems = list(problems)

    def __str__(self) -> str:
        return "\n".join(self.problems)


@dataclass(frozen=True)
class Table:
    """The lines of a manifest that are not empty.

    Attributes
    ----------
    path : str
        The file.
    line : str
        What its lines are called in messages: "line", or "row" of a workbook.
    first : int
        Number of the header's line.
    names : list of str
        The columns as the header has them.
    lines : list of tuple
        Number and fields of each line below the header.
    separator : str
        Between the fields of a text; "" for a workbook.
    texts : list of str
        Each line of a text as it stands there, with its end, in the order of the file; the header and empty lines too.
    """

    path: str
    line: str
    first: int
    names: list[str]
    lines: list[tuple[int, list[str]]]
    separator: str = ""
    texts: list[str] = field(default_factory=list)


def path(raw: str | os.PathLike[str]) -> str:
    """Return the path of the manifest of a folder: manifest.xlsx where there is one, else manifest.csv.

    Raises
    ------
    ManifestError
        There are both.
    """
    text, book = (os.path.join(raw, name) for name in (CSV, WORKBOOK))
    if not os.path.lexists(book):
        return text
    if os.path.lexists(text):
        raise ManifestError(f"{text}: there is {WORKBOOK} too: keep the one that you edit, and delete the other")
    return book


def read(raw: str | os.PathLike[str], known: Iterable[str]) -> Table:
    """Return the table of a folder's manifest.

    Parameters
    ----------
    raw : path
        Folder of the recordings.
    known : iterable of str
        Names of columns, in lower case. The separator of a text is the one that finds most of them in the header.

    Raises
    ------
    ManifestError
        There is no manifest, or it cannot be read.
    """
    file = path(raw)
    try:
        found = os.stat(file)  # before it is opened: opening a pipe waits for ever
    except FileNotFoundError:
        raise ManifestError(
            f"{file}: there is no such file; raw/README.md describes it, `coldbond init` writes one"
        ) from None
    if not stat.S_ISREG(found.st_mode):
        raise ManifestError(f"{file}: no regular file: put a table in its place; raw/README.md describes it")
    if found.st_size > MOST_BYTES:
        raise ManifestError(f"{file}: larger than {MOST_BYTES >> 20} MB, which no table of recordings is: restore it")
    return _workbook(file) if file.endswith(WORKBOOK) else _text(file, set(known))


def append(
    raw: str | os.PathLike[str],
    rows: Sequence[Mapping[str, str]],
    columns: Sequence[str],
    known: Iterable[str],
    numbers: Collection[str],
) -> None:
    """Add rows to manifest.csv, which is made where there is none, and replaced whole.

    Parameters
    ----------
    raw : path
        Folder of the recordings.
    rows : sequence of mapping of str to str
        Texts by column.
    columns : sequence of str
        The keys of the rows, in the order in which a new manifest has them.
    known : iterable of str
        As for `read`.
    numbers : collection of str
        Columns of numbers, which have decimal commas where semicolons separate.

    Raises
    ------
    ManifestError
        The manifest that is there cannot be read, or is a workbook.
    """
    if not rows:
        return
    file = path(raw)
    if file.endswith(WORKBOOK):
        raise ManifestError(
            f"{file}: rows can be added to {CSV} only: save the table as 'CSV UTF-8' under that name and delete this"
        )
    if os.path.lexists(file):
        table, mark = read(raw, known), _has_mark(file)
    else:
        # A spreadsheet program takes a text without the mark for one of another encoding.
        table, mark = Table(file, "line", 1, [], [], ","), not all(f"{row}".isascii() for row in rows)
    text = _extended(table, rows, columns, numbers)
    part = f"{os.path.join(raw, f'.{CSV}')}.{os.getpid()}"
    with open(part, "wb") as opened:
        opened.write(text.encode("utf-8-sig" if mark else "utf-8"))
    os.replace(part, file)


def _has_mark(file: str) -> bool:
    with open(file, "rb") as opened:
        return opened.read(3) == codecs.BOM_UTF8


def _extended(table: Table, rows: Sequence[Mapping[str, str]], columns: Sequence[str], numbers: Collection[str]) -> str:
    """Return the text of a table with rows added to it."""
    held = {name.casefold() for name in table.names}
    missing = [name for name in columns if name.casefold() not in held and (not held or any(map(_get(name), rows)))]
    texts = list(table.texts)
    end = "\r\n" if texts and texts[0].endswith("\r\n") else "\n"
    if texts and not texts[-1].endswith(("\r", "\n")):
        texts[-1] += end
    if held and missing:
        filled = [place for place, text in enumerate(texts) if text.strip(f" \t\r\n{table.separator}")]
        header = filled[1] if texts[filled[0]].startswith("sep=") else filled[0]
        for place in filled[filled.index(header) :]:
            line = texts[place].rstrip("\r\n")
            more = _line(missing if place == header else [""] * len(missing), table.separator)
            texts[place] = line + table.separator + more + texts[place][len(line) :]
    names = [*table.names, *missing]
    if not held:
        texts.append(_line(names, table.separator) + end)
    spelt = {name.casefold(): name for name in columns}
    for row in rows:
        fields = {name: row.get(spelt.get(name.casefold(), ""), "") for name in names}
        if table.separator == ";":
            for name in {name for name in fields if spelt.get(name.casefold()) in numbers}:
                fields[name] = fields[name].replace(".", ",")
        texts.append(_line([fields[name] for name in names], table.separator) + end)
    return "".join(texts)


def _get(name: str) -> Callable[[Mapping[str, str]], str]:
    return lambda row: row.get(name, "")


def _line(fields: Sequence[str], separator: str) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=separator, lineterminator="").writerow(fields)
    return buffer.getvalue() if any(fields) or len(fields) > 1 else ""


def _workbook(file: str) -> Table:
    try:
        rows = [(number, cells) for number, cells in workbook.rows(file) if any(map(str.strip, cells))]
    except workbook.WorkbookError as error:
        raise ManifestError(f"{file}: {error}") from None
    stripped = [(n, [c if isinstance(c, workbook.Unreadable) else c.strip() for c in cells]) for n, cells in rows]
    names = stripped[0][1] if stripped else []
    return Table(file, "row", stripped[0][0] if stripped else 1, names, stripped[1:])


def _text(file: str, known: set[str]) -> Table:
    with open(file, "rb") as opened:
        content = opened.read()
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ManifestError(f"{file}: not UTF-8 at byte {error.start}: save it as 'CSV UTF-8'") from None
    lines = list(io.StringIO(text.removeprefix("\ufeff"), newline=""))
    # "sep=;" is a line that Excel reads, and other programs write for it.
    told = re.fullmatch("sep=([,;\t|])\r?\n?", lines[0]) if lines else None
    first = next((line for line in lines[bool(told) :] if line.strip(" \t\r\n,;")), "")
    separator = told[1] if told else max(SEPARATORS, key=lambda one: len(known & _names(first, one)))
    reader = csv.reader(lines[bool(told) :], delimiter=separator, strict=True)
    texts = ["".join(lines[: bool(told)])] if told else []
    table, before = [], int(bool(told))
    try:
        for fields in reader:
            now = reader.line_num + bool(told)
            texts.append("".join(lines[before:now]))
            table.append((now, [field.strip() for field in fields]))
            before = now
    except csv.Error as error:
        number = reader.line_num + bool(told)
        raise ManifestError(f"{file}, line {number}: {error}: save it as 'CSV UTF-8'") from None
    filled = [(number, fields) for number, fields in table if any(fields)]
    header, names = filled[0] if filled else (1, [])
    return Table(file, "line", header, names, filled[1:], separator, texts)


def _names(header: str, separator: str) -> set[str]:
    return {name.strip().strip('"').strip().casefold() for name in header.split(separator)}
