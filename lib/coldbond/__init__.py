"""Data analysis of the cold-bonding paper: read recordings, analyse them, draw the figures."""

from coldbond.files import ReadError, read

__all__ = ["ReadError", "read"]
__version__ = "0.1.0"
