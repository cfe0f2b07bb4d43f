"""Energies of the reactions of metals and nitrides with lithium, from computed energies of crystals."""
