"""Energies of crystals by pretrained potentials, as `make energies` writes them; needs torch and chgnet."""
