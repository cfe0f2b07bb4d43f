"""A synthetic recording: how it is simulated and exported, and what the manifest says about it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zlib import crc32


@dataclass(frozen=True)
class Recording:
    """One file of raw/.

    Attributes
    ----------
    file : str
        Path below raw/.
    technique, role, sample, state, note : str
        Columns of the manifest.
    simulate : callable
        Takes a keyword `seed` and returns what `export` writes.
    export : callable
        Takes the simulated data and the path.
    constants : mapping of str to str
        Further columns of the manifest, such as `area_cm2`.
    """

    file: str
    technique: str
    role: str
    sample: str
    state: str
    simulate: Callable[..., Any]
    export: Callable[[Any, Path], None]
    note: str
    constants: Mapping[str, str] = field(default_factory=dict)

    def write(self, raw: Path) -> None:
        """Write the file below `raw`. The seed follows from the name alone, so that no recording depends on another."""
        self.export(self.simulate(seed=crc32(self.file.encode())), raw / self.file)


def write_whole(path: Path, data: bytes) -> None:
    """Write a file completely or not at all."""
    partial = path.with_name(path.name + ".part")
    try:
        partial.write_bytes(data)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
