"""`ReadError`, the one exception that readers raise, and the refusals that several formats share."""

from os import PathLike
from pathlib import Path

#: Reason and remedy where the file ends within a line, so that its last row may be incomplete.
NO_LINE_BREAK = (
    "the last row has no line break, so it may be cut off",
    "export it again, or copy the complete file again",
)
#: Reason and remedy where column names are the last thing in the file.
NO_ROWS = ("a header, but no rows below it", "export it again with its data")
#: Reason and remedy where a reader fails at a file, which it should not.
UNFORESEEN = "a damaged file of the format {}; its reader failed with {}"
TELL = "export or copy it again; if it is a whole file, its reader has a fault: report it with the file"


class ReadError(ValueError):
    """A file cannot be read without guessing.

    The text of the error is one line that names the file, the place in it, the reason and the remedy.

    Attributes
    ----------
    path : pathlib.Path
        The file.
    line : int or None
        The line of the file, or the row of the sheet, counted from 1; None where no single line is at fault.
    reason, remedy : str
        What is wrong, and how to correct it.
    sheet : str or None
        The sheet of a workbook.
    """

    def __init__(
        self, path: str | PathLike[str], line: int | None, reason: str, remedy: str, sheet: str | None = None
    ) -> None:
        super().__init__(path, line, reason, remedy, sheet)  # all arguments, so that the error can be pickled
        self.path, self.line, self.reason, self.remedy, self.sheet = Path(path), line, reason, remedy, sheet

    def __str__(self) -> str:
        sheet = f", sheet {self.sheet!r}" if self.sheet is not None else ""
        line = f", {'row' if sheet else 'line'} {self.line}" if self.line is not None else ""
        # A quoted cell may contain line breaks; the message has none.
        return " ".join(f"{self.path.name}{sheet}{line}: {self.reason}. Remedy: {self.remedy}.".split())
