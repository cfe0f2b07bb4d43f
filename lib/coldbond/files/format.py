"""`Format`, which describes one format, and `Stated`, what a user states beside a file."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path

import xarray as xr

#: What `read` returns.
Recording = xr.Dataset | xr.DataTree


@dataclass(frozen=True)
class Stated:
    """What the user states about a file because the file does not say it: the arguments of `coldbond.files.read`.

    Attributes
    ----------
    technique : str or None
        A technique of the data model. It chooses among the recordings of one file, and says what columns without a
        header are.
    wavelength : tuple of float
        K-alpha1 and K-alpha2, or the one line of monochromatic radiation, in angstrom; empty where not stated.
    photon_energy : float or None
        In eV.
    excitation : float or None
        Wavelength of the laser in nm.
    sweep : int or None
        Number of a sweep in an impedance recording, counted from 1.
    sample : str or None
        Sample in a file of several.
    encoding : str or None
        Encoding of a text file, a name that Python knows.
    """

    technique: str | None = None
    wavelength: tuple[float, ...] = ()
    photon_energy: float | None = None
    excitation: float | None = None
    sweep: int | None = None
    sample: str | None = None
    encoding: str | None = None

    def names(self) -> list[str]:
        """Return the names of what is stated."""
        return [field.name for field in fields(self) if getattr(self, field.name) not in (None, ())]


#: Nothing is stated.
NOTHING = Stated()


@dataclass(frozen=True)
class Checked:
    """A recording from an instrument against which a format was checked.

    Attributes
    ----------
    recording : str
        Its path within the collection of real recordings that tests find in `COLDBOND_REAL`; "" where none was at hand.
    licence : str
        Of the repository that it is from.
    against : str
        What the values were compared with: "a plain parse", "the vendor's own export", the name of another program.
    """

    recording: str
    licence: str
    against: str


@dataclass(frozen=True)
class Format:
    """A format of recordings. Each has a module of its own, which ends with this object, named `FORMAT`.

    Attributes
    ----------
    name : str
        As error messages and docs/formats.md call it: "Gamry .DTA".
    vendors : str
        Who makes the instrument or the program.
    techniques : tuple of str
        Techniques of the data model that are read.
    extensions : tuple of str
        In lower case with a point. They are for the documentation: files are recognised by their content.
    recognise : callable
        Given the bytes of a file, or its first 64 kB, returns whether they are of this format. Raises no exception.
    read : callable
        Given the path (for errors only), all bytes and what is stated, returns the recording.
    reads : str
        What is read, for docs/formats.md: techniques of the instrument, corrections, what is left unread or refused.
    checked : tuple of Checked
        Real recordings that a test reads.
    """

    name: str
    vendors: str
    techniques: tuple[str, ...]
    extensions: tuple[str, ...]
    recognise: Callable[[bytes], bool]
    read: Callable[[Path, bytes, Stated], Recording]
    reads: str
    checked: tuple[Checked, ...] = ()
