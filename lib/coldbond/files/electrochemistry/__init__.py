"""Formats of cyclers, potentiostats and impedance analysers."""

from coldbond.files.electrochemistry import (
    chi,
    cycler_text,
    cycler_workbook,
    ec_lab,
    ec_lab_mpr,
    gamry,
    keysight,
    nova,
    novocontrol,
    palmsens,
    parstat,
    powersuite,
    solartron,
    versastudio,
    zahner,
    zplot,
)

#: One line each: whoever adds a format changes no other line.
FORMATS = (
    chi.FORMAT,
    ec_lab.FORMAT,
    ec_lab_mpr.FORMAT,
    gamry.FORMAT,
    keysight.FORMAT,
    nova.FORMAT,
    novocontrol.FORMAT,
    palmsens.FORMAT,
    parstat.FORMAT,
    powersuite.FORMAT,
    solartron.FORMAT,
    versastudio.FORMAT,
    zahner.FORMAT,
    zplot.FORMAT,
    cycler_workbook.FORMAT,
    cycler_text.LAND,
    cycler_text.TABLE,
)
