"""Energies of crystals by a pretrained potential, written to raw/energies by `make energies`; needs torch and chgnet."""
