"""Readers of instruments' export formats: `read` recognises a file by its content and returns it in one data model.

Data model
----------
`read` returns an xarray object. Every variable has the attrs `units` and `long_name`; coordinates and variables are
float64 unless stated otherwise.

============  ========================  ===========================  ==================================================
technique     object                    coordinate [unit]            variables [unit]
============  ========================  ===========================  ==================================================
``cycling``   Dataset                   `record`, without values     `time` [s], `voltage` [V], `current` [A], `cycle`,
                                                                     `step`, `capacity` or `charge_capacity` and
                                                                     `discharge_capacity` [Ah]
``eis``       Dataset                   `frequency` [Hz]             `impedance` [ohm], complex; `time` [s], `sweep`,
                                                                     `temperature` [degC]
``dc``        Dataset                   `time` [s]                   `current` [A]
``xrd``       Dataset                   `two_theta` [degree]         `intensity`, `one_count` [count or count/s]
``xps``       DataTree, a child per     `binding_energy` [eV]        `intensity`, `one_count`, `transmission`
              region: "In 3d",
              "In 3d (2)" if measured
              again, "In 3d, LLZ" of a
              sample if the file has
              several
``raman``     Dataset                   `raman_shift` [1/cm]         `intensity`
``energies``  Dataset                   `structure`, text            `energy` [eV], `volume` [angstrom^3] per atom
============  ========================  ===========================  ==================================================

Attrs of every recording: `technique`; `format`; `source`, the name of the file; `sha256`; where the file states it,
`start` (ISO 8601); `encoding` of text that is not utf-8; `stated`, where the user's word replaced that of the file; and
`unread`, the parts of the file that were not read. Each reader's module lists the attrs of its format.

cycling
    `time` starts with the test and never decreases; it agrees with the date, the time of the step and the capacity
    counters where the file has them. `current` is positive during charge; its attr `sign` says where the sign comes
    from, "recorded" or "step state". The attr `derived` of a variable says how it was computed where the
    file has no column of it. `cycle` and `step` are int64, the tester's numbers. Each variable has
    `resolution`, its last digit in its own unit. The capacity counters have `resets`: when they start from zero again
    ("step", "cycle", "never" or "undetermined"). Further attrs, where the file states them: `lost_records`, the number
    of missing records, and `header`, the text above the column names.
eis
    The frequencies are in the order recorded. Im(Z) < 0 for a capacitor; the attr `sign` says how the sign was
    determined. `impedance` has `significant_digits`, those in the file. `sweep`, counted from 1, where there are
    several; `unfinished` where a sweep ended early; `amplitude` [V]. Sweeps at several temperatures are refused unless
    one is stated.
dc
    A current at constant voltage, the attr `applied_voltage` [V]. The current has the sign of the file and
    `resolution`. The time repeats only where the file has too few digits for it.
xrd, xps, raman
    The coordinate ascends; the attr `gaps` says where rows may be missing from a text with equal steps. `intensity` has
    the attr `counting`: "known", or "unknown: " and the reason. Where it is known, `one_count` is the intensity of one
    count in the same unit, and the variance of the intensity is `one_count` times its expectation.
xrd
    Attrs `wavelength_kalpha1` and, unless the radiation is monochromatic, `wavelength_kalpha2` [angstrom];
    `joined_scans`, the ranges of several scans that were joined; `unfinished` where a scan ended early.
xps
    Binding energies are as recorded; no charge correction is applied. Attrs of a region: `energy_scale`, "kinetic"
    where the energies were subtracted from `photon_energy` [eV], else "binding"; and, where the file states them,
    `pass_energy` [eV], `dwell_time` [s], `sweeps`, `sample_name` and `charge_reference`. The names of regions contain
    the sample where the file has several and none of them is stated.
raman
    Attr `excitation` [nm], where the file states it.

What cannot be read without guessing is refused: a missing unit, a decreasing time, a row with another number of fields,
a file that was cut off. `ReadError` names the file, the line, the reason and the remedy. Nothing is left out silently.

Adding a format
---------------
A format is one module with one object, `FORMAT`, in the package of its technique: `electrochemistry`, `diffraction`,
`photoelectrons` or `raman`.

1. Write the module, named after the format or the vendor. Its docstring states in this order which files it reads, the
   structure of the file, the schema that results and where each uncertainty comes from.
2. ``is_NAME(data: bytes) -> bool`` recognises the format by its content, never by its name. It may be given the first
   64 kB of the file only, and must not raise an exception. No other format recognises the same file, except
   `generic_text`, which comes last.
3. ``read_NAME(path: Path, data: bytes, stated: Stated)`` returns the recording in the data model. `path` is only for
   errors; `stated` is what the user says beside the file. Hand the columns to what the formats of a technique share,
   which checks them and makes the object: `cycler.dataset` (cycling), `impedance.spectrum`,
   `impedance_columns.named_columns` or `impedance.transient`, `spectrum.spectrum` and `scans.pattern` (diffraction),
   `regions.quantity` (units of header fields), `regions.energies`, `regions.region` and `regions.tree`
   (photoelectrons), `spectrum.spectrum` (Raman). `encoding`, `archive`, `numerals` and `errors` have what files of any
   kind need. What the user states is completed after the reader, by `stated.completed`: wavelengths, the photon energy,
   the excitation, and the choice of a sweep or a sample. Packages that are slow to import are imported within
   the function. What cannot be read is refused by the name of the format, with what to export instead.
4. End the module with ``FORMAT = Format(...)`` and add it to `FORMATS` in the package's `__init__`.
5. Test it in tests/test_read_NAME.py: a file written by hand with known values; each damage with its line and reason;
   every truncation, which must be refused or give the same values. Where there is a recording from an instrument, name
   it in `checked` and test it in tests/test_real_*.py against values taken from the file by other means.
   Add the file to `WRITERS` in tests/samples.py: `make fuzz` mutates it.
"""

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from os import PathLike
from pathlib import Path

from coldbond.files import (
    archive,
    diffraction,
    electrochemistry,
    energies,
    errors,
    generic_text,
    photoelectrons,
    raman,
    unrecognised,
)
from coldbond.files.electrochemistry import cycler_text, land
from coldbond.files.encoding import HEAD, UTF_16, from_encoding, from_utf16, not_utf8
from coldbond.files.errors import ReadError
from coldbond.files.format import Format, Recording, Stated
from coldbond.files.regular import MOST_TEXT, check_size, size
from coldbond.files.stated import check, completed

__all__ = ["FORMATS", "ReadError", "read"]

#: All formats. The first that recognises a file reads it; text with named columns comes last.
FORMATS: tuple[Format, ...] = (
    *photoelectrons.FORMATS,
    *raman.FORMATS,
    *diffraction.FORMATS,
    energies.FORMAT,
    *electrochemistry.FORMATS,
    generic_text.FORMAT,
)

#: Size [bytes] from which a table of text is read a block at a time and its values stay on disk.
LONG = 1 << 28


def read(
    path: str | PathLike[str],
    *,
    technique: str | None = None,
    wavelength: float | Sequence[float] | None = None,
    photon_energy: float | None = None,
    excitation: float | None = None,
    sweep: int | None = None,
    sample: str | None = None,
    encoding: str | None = None,
) -> Recording:
    """Read a recording in any of the formats, which is recognised by the content of the file.

    docs/formats.md lists the formats. The arguments beside `path` state what a file does not say. They count also where
    the file says something else, and the attr `stated` then names both.

    Parameters
    ----------
    path : str or path-like
        The file.
    technique : {"cycling", "eis", "dc", "xrd", "xps", "raman", "energies"}, optional
        What the file is a recording of. It chooses where a file holds recordings of several techniques, and it is
        needed for columns of numbers without a header.
    wavelength : float or sequence of two floats, optional
        K-alpha1 and K-alpha2 of a diffraction pattern, or the one wavelength of monochromatic radiation [angstrom].
    photon_energy : float, optional
        Of a photoelectron spectrum [eV].
    excitation : float, optional
        Wavelength of the laser of a Raman spectrum [nm].
    sweep : int, optional
        The sweep of an impedance recording to return, counted from 1; by default all.
    sample : str, optional
        The sample whose regions are returned of a photoelectron file of several samples.
    encoding : str, optional
        Encoding of a text file. By default it is recognised: utf-8, utf-16, gb18030, cp1252, or Shift-JIS in files of
        Rigaku. What is not utf-8 is named by the attr `encoding`.

    Returns
    -------
    xarray.Dataset or xarray.DataTree
        In the data model that the docstring of `coldbond.files` describes.

    Raises
    ------
    ReadError
        The file cannot be read without guessing, or what is stated does not fit it.
    ValueError
        An argument is not of the kind that is described here.
    OSError
        The file does not exist or may not be opened.

    Notes
    -----
    The values of a long table of text, 256 MB and more, stay in temporary files (in the folder TMPDIR). xarray loads
    what is needed.
    """
    path = Path(path)
    lines = (wavelength,) if isinstance(wavelength, int | float) else tuple(wavelength or ())
    stated = Stated(technique, lines, photon_energy, excitation, sweep, sample, encoding)
    check(stated)
    length = size(path)
    is_table = length >= min(LONG, MOST_TEXT) and encoding is None and _is_table(path)
    if length >= LONG and is_table:
        long_digest = hashlib.sha256()
        recording: Recording = cycler_text.read_long_table(path, long_digest)
        recording.attrs |= {"source": path.name, "sha256": long_digest.hexdigest()}
        with path.open("rb") as file:
            start = file.read(HEAD)
        if name := not_utf8(start[: start.rfind(b"\n") + 1]):
            recording.attrs["encoding"] = name
        return completed(path, recording, stated)
    if length > MOST_TEXT and not is_table:
        check_size(path, length, _is_cycling)
    data = path.read_bytes()
    if not data or data.isspace():
        raise ReadError(path, None, "the file is empty", "export or copy it again")
    text = from_encoding(path, data, encoding) if encoding is not None else from_utf16(path, data)
    try:
        form = next((form for form in FORMATS if form.recognise(text)), None)
        if form is None and generic_text.are_columns_of(text, stated):
            form = generic_text.FORMAT
        if form is None:
            raise unrecognised.refusal(path, text)
        with ThreadPoolExecutor(1) as pool:  # hashing takes a tenth of the time of parsing
            digest = pool.submit(hashlib.sha256, data)
            recording = completed(path, _read(form, path, text, stated), stated)
            recording.attrs |= {"source": path.name, "sha256": digest.result().hexdigest()}
    finally:
        archive.forget()
    if encoding is None and (name := not_utf8(data)):
        recording.attrs.setdefault("encoding", name)
    return recording


def _read(form: Format, path: Path, data: bytes, stated: Stated) -> Recording:
    """Return what the reader of a format makes of a file; whatever else it raises is a refusal too."""
    try:
        return form.read(path, data, stated)
    except (ReadError, OSError):
        raise
    except Exception as error:
        raise ReadError(path, None, errors.UNFORESEEN.format(form.name, repr(error)[:100]), errors.TELL) from error


def _is_cycling(start: bytes) -> bool:
    """Return whether a file that starts so is of a format of cyclers."""
    return any("cycling" in form.techniques and form.recognise(start) for form in FORMATS)


def _is_table(path: Path) -> bool:
    """Return whether a file starts like a table of text, which may be cut at any line break."""
    with path.open("rb") as file:
        start = file.read(HEAD)
    is_table = cycler_text.table_format(start) is not None and not land.is_stack(start)
    return is_table and not start.startswith(UTF_16)
