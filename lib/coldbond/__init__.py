"""Data analysis of the cold-bonding paper: read recordings, analyse them, draw the figures."""

__version__ = "0.1.0"
