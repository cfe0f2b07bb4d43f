"""The help texts of the page, from help.toml."""

import re
import tomllib
from functools import cache
from pathlib import Path


@cache
def _texts() -> dict[str, dict[str, str]]:
    return tomllib.loads(Path(__file__).with_name("help.toml").read_text(encoding="utf-8"))


def control(label: str) -> str:
    """Return what a control does; LookupError if help.toml has no text for its label."""
    return _texts()["controls"][label]


def readout(label: str) -> str:
    """Return what a row or a column of the tables means, "" where nothing is written of it.

    Labels with numbers, such as "R2" or "retention, cycle 9 against 1", share a text.
    """
    known = _texts()["readouts"]
    shared = (label, label.split(",")[0], re.sub(r"\d+$", "", label))
    return next((known[one] for one in shared if one in known), "")


def field(name: str) -> str:
    """Return what a constant of a cell, or what a file may lack, means."""
    return _texts()["fields"][name]
