"""Formats of Raman spectrometers."""

from coldbond.files.raman import bwtek, jcamp

FORMATS = (jcamp.FORMAT, bwtek.FORMAT)
