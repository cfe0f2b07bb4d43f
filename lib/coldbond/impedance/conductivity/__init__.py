"""Conductivity of pellets: of ions from impedance spectra and their temperatures, of electrons from direct current."""
