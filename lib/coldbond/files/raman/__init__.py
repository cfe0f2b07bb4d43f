"""Formats of Raman spectrometers."""

from coldbond.files.raman import (
    bwtek,
    jcamp,
    labspec,
    ocean,
    omnic_csv,
    omnic_spa,
    spc,
    wavelength_text,
    wire_text,
    wire_wdf,
    witec,
)

FORMATS = (
    jcamp.FORMAT,
    bwtek.FORMAT,
    labspec.FORMAT,
    ocean.FORMAT,
    omnic_csv.FORMAT,
    omnic_spa.FORMAT,
    spc.FORMAT,
    wavelength_text.FORMAT,
    wire_text.FORMAT,
    wire_wdf.FORMAT,
    witec.FORMAT,
)
