"""What `coldbond init` proposes for a file of a folder."""

from dataclasses import dataclass, field


@dataclass
class Proposed:
    """What is proposed for a file.

    Attributes
    ----------
    file : str
        Path below the folder.
    kind : {"new", "listed", "left out", "gone"}
        A new row; a row that the manifest has; a file that gets no row; a row whose file is not there.
    what : str
        What the file is: its format and what the data show; of a file that is left out, the reason.
    row : dict of str to str
        By column of the manifest; empty where no row is written.
    fill : list of str
        Columns to fill in, "role" among them where neither data nor names decide.
    remarks : list of str
        What to check, and why.
    """

    file: str
    kind: str
    what: str
    row: dict[str, str] = field(default_factory=dict)
    fill: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
