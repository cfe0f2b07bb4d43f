"""Energies of crystals from pretrained interatomic potentials, for `make energies`; needs torch and chgnet."""
