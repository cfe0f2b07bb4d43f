"""Formats of powder diffractometers."""

from coldbond.files.diffraction import bruker, panalytical, powder_cif, rigaku

FORMATS = (rigaku.RAS, rigaku.RASX, rigaku.ASC, panalytical.FORMAT, bruker.FORMAT, powder_cif.FORMAT)
