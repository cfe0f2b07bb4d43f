"""Formats of cyclers, potentiostats and impedance analysers."""

from coldbond.files.electrochemistry import chi, cycler_text, cycler_workbook, ec_lab, ec_lab_mpr

FORMATS = (chi.FORMAT, ec_lab.FORMAT, ec_lab_mpr.FORMAT, cycler_workbook.FORMAT, cycler_text.LAND, cycler_text.TABLE)
