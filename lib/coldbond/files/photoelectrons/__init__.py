"""Formats of photoelectron spectrometers."""

from coldbond.files.photoelectrons import avantage, avantage_dump, casaxps, phi, scienta, specs, vamas

FORMATS = (
    vamas.FORMAT,
    phi.FORMAT,
    specs.FORMAT,
    scienta.FORMAT,
    casaxps.FORMAT,
    avantage_dump.FORMAT,
    avantage.FORMAT,
)
