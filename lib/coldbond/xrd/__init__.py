"""Powder diffraction: whole-pattern fits, reflections of expected phases, breadths."""
