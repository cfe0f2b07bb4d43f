"""Formats of cyclers, potentiostats and impedance analysers."""

from coldbond.files.electrochemistry import chi, cycler_text, cycler_workbook, ec_lab

FORMATS = (chi.FORMAT, ec_lab.FORMAT, cycler_workbook.FORMAT, cycler_text.LAND, cycler_text.TABLE)
