"""Formats of cyclers, potentiostats and impedance analysers."""

from coldbond.files.electrochemistry import (
    arbin,
    basytec,
    battery_data_format,
    chi,
    cycler_workbook,
    cycling_parquet,
    cycling_table,
    ec_lab,
    land,
    landt,
    maccor,
    neware_report,
    neware_text,
    novonix,
)

FORMATS = (
    chi.FORMAT,
    ec_lab.FORMAT,
    cycler_workbook.FORMAT,
    cycling_parquet.FORMAT,
    neware_report.FORMAT,
    neware_text.FORMAT,
    maccor.FORMAT,
    arbin.FORMAT,
    novonix.FORMAT,
    basytec.FORMAT,
    landt.FORMAT,
    battery_data_format.FORMAT,
    land.FORMAT,
    cycling_table.FORMAT,
)
