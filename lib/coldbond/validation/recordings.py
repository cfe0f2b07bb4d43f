"""Recordings of others: a local copy, or a download from a pinned address, either with a checked hash."""

import hashlib
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from coldbond.bundle import paths

FILE = paths.ROOT / "validation.toml"
#: Where the files of a public repository lie at one commit.
HOST = "https://raw.githubusercontent.com"
#: Time [s] after which a server that does not answer counts as unreachable.
PATIENCE = 20


class RecordingError(Exception):
    """A recording that cannot be had; the message names file, reason and remedy."""


class Recording(NamedTuple):
    """A file of another laboratory.

    Attributes
    ----------
    name : str
        FOLDER/FILE, as in a folder of local copies.
    sha256 : str
    repository, commit, path, licence : str
        Where it is published; all empty if no pinned address is known.
    """

    name: str
    sha256: str
    repository: str = ""
    commit: str = ""
    path: str = ""
    licence: str = ""

    @property
    def page(self) -> str:
        """Path of the pinned file, below the host."""
        return f"{self.repository}/{self.commit}/{quote(self.path)}"


def table(path: Path = FILE) -> dict[str, Any]:
    """Return validation.toml as it stands."""
    return tomllib.loads(path.read_text(encoding="utf-8"))


def listed(matrix: Mapping[str, Any]) -> dict[str, Recording]:
    """Return the recordings that validation.toml lists, by name."""
    found = {}
    for name, row in matrix["recordings"].items():
        of = matrix["repositories"][row["repository"]] if "repository" in row else {}
        found[name] = Recording(name, **(dict(row) | dict(of)))
    return found


def local(one: Recording, folder: Path) -> Path:
    """Return the local copy of a recording.

    Raises
    ------
    RecordingError
        It is not there, or is another file.
    """
    path = folder / one.name
    if not path.is_file():
        raise RecordingError(f"{path} is not there: put it there, or leave DATA out to fetch it from its address")
    if hashlib.sha256(path.read_bytes()).hexdigest() != one.sha256:
        raise RecordingError(f"{path} is not the file that validation.toml means: its sha256 differs; fetch it anew")
    return path


def fetched(one: Recording, cache: Path | None = None, host: str = HOST) -> Path:
    """Return a recording from the cache of downloads, to which it is fetched the first time.

    Raises
    ------
    RecordingError
        No address is known, the server does not answer, the file there is another one, or the cache cannot be written.
    """
    if not one.path:
        raise RecordingError(f"{one.name}: no pinned address is known: put it into a folder and name that, DATA=FOLDER")
    import pooch  # takes 0.4 s, and local copies do not need it
    import requests

    pooch.get_logger().setLevel("WARNING")
    address = f"{host}/{one.page}"
    cache = cache or Path(pooch.os_cache("coldbond"))
    try:
        return Path(
            pooch.retrieve(
                address,
                known_hash=f"sha256:{one.sha256}",
                fname=Path(one.name).name,
                path=cache / Path(one.name).parent,
                downloader=pooch.HTTPDownloader(timeout=PATIENCE),
            )
        )
    except requests.RequestException as error:
        answer = getattr(error, "response", None)  # its text would repeat the address thrice
        reason = "no answer" if answer is None else f"HTTP status {answer.status_code}"
        remedy = "connect to the network, or name a folder of local copies: make validation DATA=FOLDER"
        raise RecordingError(f"{one.name} cannot be fetched from {address} ({reason}): {remedy}") from error
    except OSError as error:
        raise RecordingError(f"{one.name} cannot be kept in {cache} ({error.strerror}): make room or rights") from error
    except ValueError as error:  # pooch's word for another hash
        raise RecordingError(f"{one.name}: the file at {address} is not the one that validation.toml means") from error


def path(one: Recording, folder: Path | None) -> Path:
    """Return a recording from a folder of local copies if there is one, else from its address."""
    return local(one, folder) if folder else fetched(one)
