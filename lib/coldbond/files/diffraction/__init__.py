"""Formats of powder diffractometers."""

from coldbond.files.diffraction import (
    bruker_brml,
    bruker_raw1,
    bruker_raw4,
    bruker_uxd,
    bruker_xy,
    fit2d,
    fullprof,
    gsas,
    panalytical_csv,
    panalytical_xrdml,
    philips_udf,
    powder_cif,
    rigaku_asc,
    rigaku_ras,
    rigaku_rasx,
)

FORMATS = (
    rigaku_ras.FORMAT,
    rigaku_rasx.FORMAT,
    rigaku_asc.FORMAT,
    panalytical_xrdml.FORMAT,
    panalytical_csv.FORMAT,
    philips_udf.FORMAT,
    bruker_brml.FORMAT,
    bruker_raw1.FORMAT,
    bruker_raw4.FORMAT,
    bruker_xy.FORMAT,
    bruker_uxd.FORMAT,
    powder_cif.FORMAT,
    gsas.FORMAT,
    fit2d.FORMAT,
    fullprof.FORMAT,
)
