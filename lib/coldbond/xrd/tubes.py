"""Emission lines of the anodes of laboratory X-ray tubes."""

#: K-alpha1, K-alpha2 and K-beta1,3, angstrom: Deslattes et al. 2003, doi 10.1103/RevModPhys.75.35; those of copper:
#: Hoelzer et al. 1997, doi 10.1103/PhysRevA.56.4554.
TUBES = {
    "Cr": (2.289726, 2.293651, 2.084881),
    "Fe": (1.936041, 1.939973, 1.756604),
    "Co": (1.788996, 1.792835, 1.620826),
    "Cu": (1.5405929, 1.5444274, 1.392234),
    "Mo": (0.7093172, 0.713607, 0.632303),
    "Ag": (0.5594218, 0.5638131, 0.4970817),
}
SAME_WAVELENGTH = 2e-3  # relative: the mean of K-alpha1 and K-alpha2 is 8e-4 above K-alpha1


def anode(wavelength: float) -> str | None:
    """Return the anode whose K-alpha1 a wavelength [angstrom] is; None where there is none."""
    return next((name for name, (first, *_) in TUBES.items() if abs(wavelength / first - 1) < SAME_WAVELENGTH), None)
