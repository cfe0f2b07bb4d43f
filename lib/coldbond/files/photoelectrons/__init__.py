"""Formats of photoelectron spectrometers."""

from coldbond.files.photoelectrons import avantage, vamas

FORMATS = (vamas.FORMAT, avantage.FORMAT)
