"""Recordings of other laboratories: in the folder that COLDBOND_REAL names, or from their pinned addresses.

`validation.toml` lists them. Without the folder they are fetched into a cache once; a test that cannot have its
recording is skipped and says why. In the public workflow, where there is a network, it fails.
"""

import os
from functools import cache
from pathlib import Path

import pytest
import requests

from coldbond.validation import recordings

FOLDER = os.environ.get("COLDBOND_REAL", "")
#: Why no address can be reached, once that is known: other recordings need not wait for it again.
UNREACHABLE: list[str] = []


@cache
def listed() -> dict[str, recordings.Recording]:
    return recordings.listed(recordings.table())


@cache
def found(name: str) -> Path | str:
    """Where a recording lies, or why it cannot be had."""
    if FOLDER:
        path = Path(FOLDER, name)
        return path if path.is_file() else f"{path} is not there"
    if not listed()[name].path:
        return f"{name}: no pinned address is known, and COLDBOND_REAL names no folder that has it"
    if UNREACHABLE:
        return UNREACHABLE[0]
    try:
        return recordings.fetched(listed()[name])
    except recordings.RecordingError as error:
        if isinstance(error.__cause__, requests.ConnectionError | requests.Timeout):
            UNREACHABLE.append(str(error))
        return str(error)


def file(*parts: str) -> Path:
    """Return the path of a recording, FOLDER/FILE, or skip the test."""
    name = "/".join(parts)
    path = found(name)
    if isinstance(path, Path):
        return path
    if os.environ.get("GITHUB_ACTIONS") and listed()[name].path:
        pytest.fail(path)
    pytest.skip(path)


def folder(name: str) -> list[Path]:
    """Return the paths of all recordings of a folder, or skip the test."""
    return [file(one) for one in listed() if one.startswith(f"{name}/")]


def case(*parts: str) -> Path:
    """Return the path of a case, which lies beside the folder that COLDBOND_REAL names, or skip the test."""
    path = Path(FOLDER).parent.joinpath("cases", *parts)
    if not FOLDER or not path.exists():
        pytest.skip("the folder of cases is not beside one that COLDBOND_REAL names")
    return path
