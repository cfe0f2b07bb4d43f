"""Powder patterns, Raman and photoelectron spectra."""

from collections.abc import Mapping, Sequence

import xarray as xr

from coldbond.analyses.arguments import checked
from coldbond.raman import decomposition
from coldbond.raman.decomposition import Decomposition
from coldbond.xps import reference, surface
from coldbond.xps.component_selection import Composition
from coldbond.xps.components import COMPONENTS, level
from coldbond.xrd import analysis
from coldbond.xrd.analysis import Analysis
from coldbond.xrd.structures import Structure

#: Phases that may stand beside a garnet after coating, sintering or cycling.
BESIDE_GARNET = ("InN", "In", "La2Zr2O7", "Li2O", "Li2CO3", "Li3N", "LiIn")
#: Bands of a garnet and modes of InN, 1/cm.
GARNET_BANDS = (250.0, 370.0, 415.0, 515.0, 640.0, 730.0)
INN_MODES = {"InN E2(high)": 490.1, "InN A1(LO)": 585.4}


def phases(
    pattern: xr.Dataset,
    main: str | Structure = "LLZTO",
    looked_for: Sequence[str | Structure] = BESIDE_GARNET,
    geometry: str = "displacement",
) -> Analysis:
    """Return the phases, lattice parameters and unexplained peaks of a diffraction pattern.

    Parameters
    ----------
    pattern : xarray.Dataset
        Diffraction.
    main : str or Structure
        Main phase, by its name in `coldbond.xrd.structures.STRUCTURES`; `coldbond.xrd.structure_files.read` returns the
        structure of a CIF.
    looked_for : sequence of str or Structure
        Phases that may stand beside it.
    geometry : {"displacement", "zero"}
        Error of the angles: displacement of the sample or zero of the circle.

    Returns
    -------
    coldbond.xrd.analysis.Analysis
        `fits` (lmfit), `detections` by phase, `peaks`.

    Raises
    ------
    ValueError
        As `coldbond.xrd.analysis.analyse`.

    Examples
    --------
    >>> import coldbond
    >>> found = coldbond.phases(coldbond.read("raw/xrd/InN-LLZ.ras"), looked_for=["InN", "La2Zr2O7"])
    >>> {name: detection.present for name, detection in found.detections.items()}
    {'InN': True, 'La2Zr2O7': False}
    """
    return analysis.analyse(checked("xrd", pattern), main, looked_for, geometry=geometry)


def raman_bands(
    spectrum: xr.Dataset,
    bands: Sequence[float] = GARNET_BANDS,
    modes: Mapping[str, float] = INN_MODES,
    window: Sequence[float] = (160.0, 900.0),
    axis_uncertainty: float = 0.5,
) -> Decomposition:
    """Return the bands of a Raman spectrum, and which of the modes looked for are present.

    Parameters
    ----------
    spectrum : xarray.Dataset
        Raman. `coldbond.raman.neon.calibrated_spectra` calibrates its axis with a neon lamp.
    bands : sequence of float
        Where the bands of the sample are expected, 1/cm.
    modes : mapping of str to float
        Modes that are looked for, and where, 1/cm.
    window : (float, float)
        Range of the fit, 1/cm.
    axis_uncertainty : float
        Standard uncertainty of the axis, 1/cm, unless the spectrum has one from its calibration.

    Returns
    -------
    coldbond.raman.decomposition.Decomposition

    Raises
    ------
    ValueError
        The window has too few points, or does not contain all bands.

    Examples
    --------
    >>> import coldbond
    >>> found = coldbond.raman_bands(coldbond.read("raw/raman/InN-LLZ.jdx"))
    >>> found.bands["InN A1(LO)"].present
    True
    """
    spectrum = checked("raman", spectrum)
    if "axis_uncertainty" not in spectrum.attrs:
        spectrum = spectrum.assign_attrs(axis_uncertainty=axis_uncertainty)
    return decomposition.decompose(spectrum, bands, modes, window)


def composition(
    recording: xr.DataTree,
    regions: Sequence[str] = (),
    reference_energy: float | None = 284.8,
    reference_uncertainty: float = 0.1,
) -> dict[str, Composition]:
    """Return the components of the regions of a photoelectron recording.

    Parameters
    ----------
    recording : xarray.DataTree
        Photoelectrons.
    regions : sequence of str
        Such as "In 3d"; by default all whose components are known.
    reference_energy : float or None
        Energy of the C-C component of C 1s, to which the scale is shifted, eV; None leaves it as recorded.
    reference_uncertainty : float
        Standard uncertainty of that energy, eV.

    Returns
    -------
    dict of str to coldbond.xps.component_selection.Composition
        By region.

    Raises
    ------
    LookupError
        No components are known for a region, or the recording lacks all of them.
    ValueError
        The recording is of several samples, or C 1s has no C-C component.

    Examples
    --------
    >>> import coldbond
    >>> found = coldbond.composition(coldbond.read("raw/xps/surface-InN-LLZ.vms"), ["N 1s"])
    >>> [key for key, one in found["N 1s"].components.items() if one.present]
    ['InN']
    """
    recording = checked("xps", recording)
    wanted = list(regions) or [str(name) for name in recording.children if level(str(name)) in COMPONENTS]
    scaled = reference.referenced(recording, reference_energy, reference_uncertainty)
    return surface.compositions(scaled, wanted)
