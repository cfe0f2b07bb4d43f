"""Raman spectra: the axis from a neon lamp, bands on a fluorescent background, modes that are looked for."""
