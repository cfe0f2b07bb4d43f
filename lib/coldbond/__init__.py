"""Data analysis of the cold-bonding paper: read recordings, analyse them, draw the figures."""

from typing import TYPE_CHECKING

__all__ = ["ReadError", "read"]
__version__ = "0.1.0"

if TYPE_CHECKING:
    from coldbond.files import ReadError, read
else:

    def __getattr__(name: str) -> object:
        # The readers are imported on first use. They need xarray, and make reads the manifest and figures.toml with
        # coldbond.bundle before any package is installed.
        if name in __all__:
            from coldbond import files

            return getattr(files, name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
