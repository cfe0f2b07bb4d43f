"""The one error that reading raises."""

from os import PathLike
from pathlib import Path

#: Reason and mend where the last row may be but the beginning of one.
UNENDED = (
    "the last row has no line break, so nothing tells whether it was cut off",
    "delete the row, or end it with a line break if it is whole",
)


class ReadError(ValueError):
    """A file cannot be read without guessing; its text is one line that says which, where, why and what would mend it.

    Attributes
    ----------
    path : pathlib.Path
        The file.
    line : int or None
        The line of the file, or the row of the sheet, counted from 1; None where the fault lies in no single one.
    reason, mend : str
        What is wrong, and what to do about it.
    sheet : str or None
        The sheet of a workbook.
    """

    def __init__(
        self, path: str | PathLike, line: int | None, reason: str, mend: str, sheet: str | None = None
    ) -> None:
        super().__init__(path, line, reason, mend, sheet)  # all of them, so that the error can be pickled
        self.path, self.line, self.reason, self.mend, self.sheet = Path(path), line, reason, mend, sheet

    def __str__(self) -> str:
        sheet = f", sheet {self.sheet!r}" if self.sheet is not None else ""
        line = f", {'row' if sheet else 'line'} {self.line}" if self.line is not None else ""
        # One line, even where it quotes a cell that has several.
        return " ".join(f"{self.path.name}{sheet}{line}: {self.reason}. Mend: {self.mend}.".split())
