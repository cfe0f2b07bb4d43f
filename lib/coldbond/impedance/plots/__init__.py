"""Figures of impedance."""

from coldbond.impedance.plots.spectra import draw_resistances, draw_spectra, height

__all__ = ["draw_resistances", "draw_spectra", "height"]
