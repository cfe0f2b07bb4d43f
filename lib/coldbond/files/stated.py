"""Completing a recording with what the user states beside the file, and refusing what nobody states.

What is stated counts, also where the file says something else: headers can be wrong, and a recording is never edited.
The attr `stated` then names both.
"""

import codecs
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from coldbond.files.errors import ReadError
from coldbond.files.format import Recording, Stated
from coldbond.files.samples import of_sample

KNOWN_TECHNIQUES = ("cycling", "eis", "dc", "xrd", "xps", "raman", "energies")
#: Reason and remedy where energies are kinetic and nobody states what makes them binding energies.
NO_PHOTON_ENERGY = (
    "the energies are kinetic, and no photon energy is stated",
    "state it with read(path, photon_energy=1486.6) or in the column photon_energy_eV of manifest.csv",
)
#: Options of `read` that only recordings of some techniques can use.
TECHNIQUES = {
    "wavelength": ("xrd",),
    "photon_energy": ("xps",),
    "excitation": ("raman",),
    "sweep": ("eis",),
    "sample": ("xps",),
}
#: K-alpha1 and K-alpha2 [angstrom] of the usual anodes (Hölzer et al. 1997, doi 10.1103/PhysRevA.56.4554; Mo and Ag:
#: Deslattes et al. 2003, doi 10.1103/RevModPhys.75.35).
KALPHA = {
    "Cr": (2.289726, 2.293651),
    "Fe": (1.936041, 1.939973),
    "Co": (1.788996, 1.792835),
    "Cu": (1.5405929, 1.5444274),
    "Mo": (0.709317, 0.713607),
    "Ag": (0.559422, 0.563813),
}
#: K-alpha2 divided by K-alpha1, which is from 1.002 (Cr) to 1.008 (Ag); other ratios are no doublet.
KALPHA2_TO_KALPHA1 = (1.0, 1.03)
#: Deviation [angstrom] from the mean of a doublet within which one wavelength is that mean. The mean is 0.0013 from
#: K-alpha1, and is written with four decimals or more.
MEAN_WITHIN = 3e-4
#: Wavelengths [angstrom] that diffraction uses; others are in another unit or damaged.
WAVELENGTHS = (0.1, 5.0)
#: Difference of temperature [K] beyond which two sweeps are two measurements: thermostats drift by less.
APART = 2.0
#: Wavelengths [nm] of lasers that Raman spectrometers have; others are in another unit.
LASERS = (190.0, 1700.0)
#: Energies above the Fermi level [eV] that spectra reach at most: valence bands start a few, surveys a few tens of eV
#: above it. A wrong photon energy is off by more: Mg K-alpha by 233 eV from Al K-alpha.
ABOVE_FERMI = 50.0
#: Decimals of a binding energy [eV] that is computed from another.
ENERGY_DECIMALS = 9
#: Relative difference beyond which what is stated is not what the file says.
SAME = 1e-4
#: The same for photon energies, from which kinetic energies are subtracted: 1486.6 and 1486.7 eV are not the same.
SAME_ENERGY = 1e-7


def check(stated: Stated) -> None:
    """Refuse what cannot be stated of any file.

    Raises
    ------
    ValueError
        A technique or an encoding is unknown, or a number is not positive.
    """
    if stated.technique not in (None, *KNOWN_TECHNIQUES):
        raise ValueError(f"technique={stated.technique!r}: use one of {', '.join(KNOWN_TECHNIQUES)}")
    numbers = {"photon_energy": stated.photon_energy, "excitation": stated.excitation, "sweep": stated.sweep}
    numbers |= {f"wavelength[{place}]": value for place, value in enumerate(stated.wavelength)}
    for name, value in numbers.items():
        if value is not None and not (math.isfinite(value) and value > 0):
            raise ValueError(f"{name}={value!r}: use a positive number")
    if stated.excitation is not None and not LASERS[0] <= stated.excitation <= LASERS[1]:
        raise ValueError(f"excitation={stated.excitation!r}: use the wavelength of the laser in nm, 532 for example")
    if stated.wavelength and not (
        all(WAVELENGTHS[0] < value < WAVELENGTHS[1] for value in stated.wavelength)
        and list(stated.wavelength) == sorted(stated.wavelength)[:2]
    ):
        raise ValueError(f"wavelength={stated.wavelength}: use K-alpha1 and K-alpha2, or one line, in angstrom")
    if stated.encoding is not None:
        try:
            codecs.lookup(stated.encoding)
        except LookupError:
            raise ValueError(f"encoding={stated.encoding!r} is unknown: use utf-8, cp1252, gb18030, ...") from None


def completed(path: Path, recording: Recording, stated: Stated) -> Recording:
    """Return the recording that a reader returned, with what the user states.

    Raises
    ------
    ReadError
        The recording is of another technique than stated, what is stated does not apply to it, the sweep does not
        exist, the wavelength of a diffraction pattern is missing or the mean of two lines, a photoelectron file lacks
        the sample, or its binding energies are not within the photon energy.
    """
    technique = recording.attrs["technique"]
    if stated.technique not in (None, technique):
        reason = f"this is a recording of {technique}, not of {stated.technique} as stated"
        raise ReadError(path, None, reason, f"state {technique} (in manifest.csv with its role), or use another file")
    for name in stated.names():
        if technique not in TECHNIQUES.get(name, (technique,)):
            reason = f"{name} is stated, which a recording of {technique} does not have"
            raise ReadError(path, None, reason, f"state no {name}, here or in the manifest")
    if isinstance(recording, xr.DataTree):
        recording = of_sample(path, recording, stated.sample)
        for name, region in recording.children.items():
            _set_photon_energy(path, name, region, stated.photon_energy)
        if notes := dict.fromkeys(one.attrs["stated"] for one in recording.children.values() if "stated" in one.attrs):
            recording.attrs["stated"] = "; ".join(notes)
    elif isinstance(recording, xr.Dataset):
        if technique == "xrd":
            _set_wavelengths(path, recording, stated.wavelength)
        if technique == "raman" and stated.excitation is not None:
            set_stated(recording.attrs, "excitation", stated.excitation, "nm")
        if stated.sweep is None:
            _require_one_temperature(path, recording)
        else:
            return _sweep(path, recording, stated.sweep)
    return recording


def _set_photon_energy(path: Path, name: str, region: xr.DataTree, stated: float | None) -> None:
    """Set the photon energy of a region to that stated, and refuse binding energies that it cannot give."""
    found = region.attrs.get("photon_energy")
    energy = region.binding_energy
    if stated is not None:
        if region.attrs.get("energy_scale") == "kinetic" and found is not None:
            moved = np.round(energy.to_numpy() + (stated - float(found)), ENERGY_DECIMALS)
            region.dataset = region.to_dataset().assign_coords(binding_energy=("binding_energy", moved, energy.attrs))
            energy = region.binding_energy
        set_stated(region.attrs, "photon_energy", stated, "eV", SAME_ENERGY)
    photon_energy = region.attrs.get("photon_energy", math.inf)
    least, most = (float(energy[end]) for end in (0, -1))
    if not (most <= photon_energy and least >= -ABOVE_FERMI and most > 0):
        reason = f"{name} has binding energies from {least:.7g} to {most:.7g} eV"
        if math.isfinite(photon_energy):
            reason += f" at a photon energy of {photon_energy:.7g} eV"
        remedy = f"if the energies are kinetic, {NO_PHOTON_ENERGY[1]}; otherwise export it over binding energy"
        raise ReadError(path, None, reason, remedy)


def set_stated(attrs: dict[Any, Any], name: str, value: float, unit: str, same: float = SAME) -> None:
    """Set an attr to what is stated, and note where the file says something else."""
    found = attrs.get(name)
    if found is not None and not math.isclose(float(found), value, rel_tol=same):
        _note(attrs, f"{name} {value:.9g} {unit}, the file says {float(found):.9g} {unit}")
    attrs[name] = value


def _note(attrs: dict[Any, Any], note: str) -> None:
    """Add to the attr `stated` what is stated and what the file says."""
    attrs["stated"] = "; ".join(filter(None, [attrs.get("stated"), note]))


def _set_wavelengths(path: Path, recording: xr.Dataset, stated: Sequence[float]) -> None:
    """Set the wavelengths of a pattern to those stated, else require those of the file."""
    attrs = recording.attrs
    names = ("wavelength_kalpha1", "wavelength_kalpha2")
    if stated:
        seconds = "wavelength_kalpha2" in attrs, len(stated) == 2
        if seconds == (True, False):
            _note(attrs, f"one wavelength, the file says a second, {attrs.pop(names[1]):.9g} angstrom")
            attrs.pop("kalpha2_ratio", None)
        elif seconds == (False, True) and names[0] in attrs:
            _note(attrs, f"wavelength_kalpha2 {stated[1]:.9g} angstrom, the file says one wavelength")
        for name, value in zip(names, stated, strict=False):
            set_stated(attrs, name, value, "angstrom")
        attrs.pop("wavelength_source", None)
    values = [float(attrs[name]) for name in names if name in attrs]
    anode = str(attrs["anode"]) if attrs.get("anode") in KALPHA else "Cu"
    if not values:
        raise ReadError(
            path, None, "a diffraction pattern whose file states no wavelength", how_to_state_wavelengths(anode)
        )
    shortest, longest = WAVELENGTHS
    equal, far = KALPHA2_TO_KALPHA1
    if not all(shortest < value < longest for value in values):
        reason = f"{_listed(values)} is not a wavelength in angstrom"
        raise ReadError(path, None, reason, how_to_state_wavelengths(anode))
    if len(values) == 2 and not equal < values[1] / values[0] < far:
        raise ReadError(
            path, None, f"{_listed(values)} angstrom are not K-alpha1 and K-alpha2", how_to_state_wavelengths(anode)
        )
    for element, (first, second) in KALPHA.items():
        if abs(values[0] - (2 * first + second) / 3) < MEAN_WITHIN:
            what = "the one wavelength" if len(values) == 1 else "the first wavelength"
            reason = f"{what}, {values[0]:.9g} angstrom, is the mean of {element} K-alpha1 and K-alpha2"
            raise ReadError(path, None, reason, how_to_state_wavelengths(element))


def _listed(values: Sequence[float]) -> str:
    return " and ".join(f"{value:.9g}" for value in values)


def how_to_state_wavelengths(anode: str) -> str:
    """Return the remedy that names both ways to state wavelengths."""
    first, second = KALPHA[anode]
    return (
        f"state the lines, for {anode} with read(path, wavelength=({first}, {second})), or {first} {second} in the "
        "column wavelength_angstrom of manifest.csv; a single number where K-alpha2 is filtered out"
    )


def _require_one_temperature(path: Path, recording: xr.Dataset) -> None:
    """Refuse an impedance recording whose sweeps were measured at several temperatures."""
    if not {"sweep", "temperature"} <= {*recording.variables}:
        return
    means = recording["temperature"].groupby(recording["sweep"]).mean().to_numpy()
    if np.ptp(means) > APART:
        reason = f"{means.size} sweeps at temperatures from {means.min():.4g} to {means.max():.4g} °C"
        remedy = "state one with read(path, sweep=1) or in the column sweep of manifest.csv"
        raise ReadError(path, None, reason, remedy)


def _sweep(path: Path, recording: xr.Dataset, number: int) -> xr.Dataset:
    """Return one sweep of an impedance recording."""
    sweeps = recording["sweep"].to_numpy() if "sweep" in recording else np.ones(recording.sizes["frequency"], int)
    if number not in sweeps:
        reason = f"there is no sweep {number}, only 1 to {sweeps.max()}"
        raise ReadError(path, None, reason, "state one of these, or none")
    chosen = recording.isel(frequency=sweeps == number).drop_vars("sweep", errors="ignore")
    if sweeps.max() > 1:
        chosen.attrs |= {"sweep": number, "sweeps": int(sweeps.max())}
    return chosen
