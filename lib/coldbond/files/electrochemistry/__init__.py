"""Formats of cyclers, potentiostats and impedance analysers."""

from coldbond.files.electrochemistry import (
    chi,
    cycler_text,
    cycler_workbook,
    ec_lab,
    ec_lab_mpr,
    gamry,
    nova,
    novocontrol,
    powersuite,
    versastudio,
    zplot,
)

#: One line each: whoever adds a format changes no other line.
FORMATS = (
    chi.FORMAT,
    ec_lab.FORMAT,
    ec_lab_mpr.FORMAT,
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
