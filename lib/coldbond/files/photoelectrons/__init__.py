"""Formats of photoelectron spectrometers."""

from coldbond.files.photoelectrons import avantage, casaxps, phi, scienta, specs, vamas

FORMATS = (vamas.FORMAT, phi.FORMAT, specs.FORMAT, scienta.FORMAT, casaxps.FORMAT, avantage.FORMAT)
