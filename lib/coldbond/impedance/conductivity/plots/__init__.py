"""Blocking-electrode spectra, Arrhenius lines and current transients, drawn."""

from coldbond.impedance.conductivity.plots.figure import draw, height

__all__ = ["draw", "height"]
