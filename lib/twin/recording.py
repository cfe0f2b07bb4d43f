"""A file of raw/: which truth it was made from, how it was simulated and exported, and what the manifest says of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zlib import crc32


@dataclass(frozen=True)
class Recording:
    """One file of raw/ and what the manifest says of it."""

    file: str
    technique: str
    role: str
    sample: str
    state: str
    simulate: Callable[..., Any]  # of a seed
    export: Callable[[Any, Path], None]
    note: str
    constants: Mapping[str, str] = field(default_factory=dict)  # area_cm2, ..., as the manifest shows them

    def write(self, raw: Path) -> None:
        """Write the file below `raw`. The seed is the name's alone: no recording depends on another."""
        self.export(self.simulate(seed=crc32(self.file.encode())), raw / self.file)
