"""Impedance spectra: equivalent circuits, the Kramers-Kronig test, relaxation times, resistance against cycle."""
