"""Raman spectra: axis calibration by a neon lamp, bands on a fluorescent background, detection of modes."""
