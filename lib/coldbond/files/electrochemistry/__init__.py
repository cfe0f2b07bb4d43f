"""Formats of cyclers, potentiostats and impedance analysers."""

from coldbond.files.electrochemistry import (
    chi,
    cycler_text,
    cycler_workbook,
    ec_lab,
    gamry,
    nova,
    novocontrol,
    powersuite,
    versastudio,
    zplot,
)

FORMATS = (
    chi.FORMAT,
    ec_lab.FORMAT,
    gamry.FORMAT,
    nova.FORMAT,
    novocontrol.FORMAT,
    powersuite.FORMAT,
    versastudio.FORMAT,
    zplot.FORMAT,
    cycler_workbook.FORMAT,
    cycler_text.LAND,
    cycler_text.TABLE,
)
