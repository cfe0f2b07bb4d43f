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
``eis``       Dataset                   `frequency` [Hz]             `impedance` [ohm], complex; `time` [s], `sweep`
``dc``        Dataset                   `time` [s]                   `current` [A]
``xrd``       Dataset                   `two_theta` [degree]         `intensity`, `one_count` [count or count/s]
``xps``       DataTree, a child per     `binding_energy` [eV]        `intensity`, `one_count`, `transmission`
              region: "In 3d", and
              "In 3d (2)" where it was
              measured again
``raman``     Dataset                   `raman_shift` [1/cm]         `intensity`
``energies``  Dataset                   `structure`, text            `energy` [eV], `volume` [angstrom^3] per atom
============  ========================  ===========================  ==================================================

Attrs of every recording: `technique`; `format`; `source`, the name of the file; `sha256`; where the file states it,
`start` (ISO 8601); and `unread`, the parts of the file that were not read. Each reader's module lists the attrs of its
format.

cycling
    `time` starts with the test and never decreases. `current` is positive during charge; its attr `sign` says where the
    sign comes from, "recorded" or "step state". `cycle` and `step` are int64, the tester's numbers. Each variable has
    `resolution`, its last digit in its own unit. The capacity counters have `resets`: when they start from zero again
    ("step", "cycle", "never" or "undetermined"). Further attrs, where the file states them: `lost_records`, the number
    of missing records, and `header`, the text above the column names.
eis
    The frequencies are in the order recorded. Im(Z) < 0 for a capacitor; the attr `sign` says how the sign was
    determined. `impedance` has `significant_digits`, those in the file. `sweep`, counted from 1, where there are
    several; `unfinished` where a sweep ended early; `amplitude` [V].
dc
    A current at constant voltage, the attr `applied_voltage` [V]. The current has the sign of the file and
    `resolution`. The time repeats only where the file has too few digits for it.
xrd, xps, raman
    The coordinate ascends. `intensity` has the attr `counting`: "known", or "unknown: " and the reason. Where it is
    known, `one_count` is the intensity of one count in the same unit, and the variance of the intensity is `one_count`
    times its expectation.
xrd
    Attrs `wavelength_kalpha1` and, unless the radiation is monochromatic, `wavelength_kalpha2` [angstrom].
xps
    Binding energies are as recorded; no charge correction is applied. Attrs of a region: `energy_scale`, "kinetic"
    where the energies were subtracted from `photon_energy` [eV], else "binding"; and, where the file states them,
    `pass_energy` [eV], `dwell_time` [s], `sweeps` and `charge_reference`.
raman
    Attr `excitation` [nm], where the file states it.

What cannot be read without guessing is refused: a missing unit, a decreasing time, a row with another number of fields,
a file that was cut off. `ReadError` names the file, the line, the reason and the remedy. Nothing is left out silently.

Adding a format
---------------
A format is a module with two functions and a line in `FORMATS`.

1. Write the module, named after the format or the vendor. Its docstring states in this order which files it reads, the
   structure of the file, the schema that results and where each uncertainty comes from.
2. ``is_NAME(data: bytes) -> bool`` recognises the format by its content, never by its name. It may be given the first
   64 kB of the file only, and must not raise an exception.
3. ``read_NAME(path: Path, data: bytes)`` returns the recording in the data model. `path` is only for errors. Hand the
   columns to what the formats of a technique share, which checks them and makes the object: `cycler.dataset` (cycling),
   `impedance.spectrum`, `impedance_columns.named_columns` or `impedance.transient`, `spectrum.spectrum` and
   `scans.pattern` (diffraction), `spectrum.spectrum` and `regions.tree` (photoelectrons), `spectrum.spectrum` (Raman).
   `encoding`, `archive`, `numerals` and `errors` have what files of any kind need. Packages that are slow to import
   are imported within the function.
4. Add the line to `FORMATS`, before every format that would recognise the file too: the first that does reads it.
5. Test it in tests/test_read_NAME.py: a file written by hand with known values; each damage with its line and reason;
   every truncation, which must be refused or give the same values. Where there is a recording from an instrument, test
   it in tests/test_real_*.py against values taken from the file by other means.
"""

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from os import PathLike
from pathlib import Path
from typing import NamedTuple

import xarray as xr

from coldbond.files import (
    avantage,
    bruker,
    bwtek,
    chi,
    cycler_text,
    cycler_workbook,
    ec_lab,
    energies,
    generic_text,
    jcamp,
    panalytical,
    powder_cif,
    rigaku,
    unrecognised,
    vamas,
)
from coldbond.files.encoding import HEAD, UTF_16
from coldbond.files.errors import ReadError

__all__ = ["ReadError", "read"]


class Format(NamedTuple):
    """A format: what it is called, whether a file's bytes are of it, and its reader."""

    name: str
    recognises: Callable[[bytes], bool]
    read: Callable[[Path, bytes], xr.Dataset | xr.DataTree]


#: All formats. The first that recognises a file reads it.
FORMATS = (
    Format("VAMAS (XPS)", vamas.is_vamas, vamas.read_vamas),
    Format("JCAMP-DX (Raman)", jcamp.is_jcamp, jcamp.read_jcamp),
    Format("B&W Tek text (Raman)", bwtek.is_bwtek, bwtek.read_bwtek),
    Format("CH Instruments text (impedance, current at constant voltage)", chi.is_chi, chi.read_chi),
    Format("BioLogic EC-Lab .mpt (impedance)", ec_lab.is_ec_lab, ec_lab.read_ec_lab),
    Format("table of computed energies", energies.is_energies, energies.read_energies),
    Format("Thermo Avantage workbook (XPS)", avantage.is_avantage, avantage.read_avantage),  # before other workbooks
    Format("LANDdt and LANHE workbooks (cycling)", cycler_workbook.is_workbook, cycler_workbook.read_workbook),
    Format("Rigaku .ras (diffraction)", rigaku.is_ras, rigaku.read_ras),
    Format("Rigaku .rasx (diffraction)", rigaku.is_rasx, rigaku.read_rasx),
    Format("Rigaku .asc (diffraction)", rigaku.is_asc, rigaku.read_asc),
    Format("PANalytical .xrdml (diffraction)", panalytical.is_xrdml, panalytical.read_xrdml),
    Format("Bruker .brml (diffraction)", bruker.is_brml, bruker.read_brml),
    Format("powder CIF (diffraction)", powder_cif.is_powder_cif, powder_cif.read_powder_cif),
    Format("LAND CSV (cycling)", cycler_text.is_stack, cycler_text.read_stack),
    Format("Landt CSV and Battery Data Format CSV (cycling)", cycler_text.is_table, cycler_text.read_table),
    Format(
        "text with named columns (diffraction, XPS, Raman, impedance, current at constant voltage)",
        generic_text.is_generic_text,
        generic_text.read_generic_text,
    ),
)

#: Size [bytes] from which a table of text is read a block at a time and its values stay on disk.
LONG = 1 << 28


def read(path: str | PathLike[str]) -> xr.Dataset | xr.DataTree:
    """Read a recording in any of the formats, which is recognised by the content of the file.

    - Cycling: Landt CSV, LAND CSV with its stacked tables, LANDdt and LANHE workbooks in English and Chinese, Battery
      Data Format CSV.
    - Diffraction: Rigaku .ras, .rasx and .asc, PANalytical .xrdml, Bruker .brml, powder CIF.
    - Photoelectrons: VAMAS (ISO 14976) with regular and irregular scans, workbooks of Thermo Avantage.
    - Raman: JCAMP-DX 4.24 and 5, text of B&W Tek.
    - Impedance: CH Instruments .txt ("A.C. Impedance"; also "Amperometric i-t Curve", the current at constant voltage),
      BioLogic EC-Lab .mpt.
    - All techniques but cycling: delimited text whose header names the columns and states what the numbers cannot: the
      wavelength of a diffraction pattern, the photon energy of kinetic energies, the voltage that drove a current.

    Text may be in utf-8 with or without byte-order mark, utf-16 with one, or gb18030; that of Rigaku in Shift-JIS. The
    values of a Landt CSV or a Battery Data Format CSV of 256 MB and more stay in temporary files (in the folder TMPDIR)
    and xarray loads what is needed.

    Parameters
    ----------
    path : str or path-like
        The file.

    Returns
    -------
    xarray.Dataset or xarray.DataTree
        In the data model that the docstring of `coldbond.files` describes.

    Raises
    ------
    ReadError
        The file cannot be read without guessing.
    OSError
        The file does not exist or may not be opened.
    """
    path = Path(path)
    if path.stat().st_size >= LONG and _is_long_table(path):
        long_digest = hashlib.sha256()
        recording: xr.Dataset | xr.DataTree = cycler_text.read_long_table(path, long_digest)
        recording.attrs |= {"source": path.name, "sha256": long_digest.hexdigest()}
        return recording
    data = path.read_bytes()
    if not data or data.isspace():
        raise ReadError(path, None, "the file is empty", "export or copy it again")
    for form in FORMATS:
        if form.recognises(data):
            with ThreadPoolExecutor(1) as pool:  # hashing takes a tenth of the time of parsing
                digest = pool.submit(hashlib.sha256, data)
                recording = form.read(path, data)
                recording.attrs |= {"source": path.name, "sha256": digest.result().hexdigest()}
                return recording
    raise unrecognised.refusal(path, data, ", ".join(form.name for form in FORMATS))


def _is_long_table(path: Path) -> bool:
    """Return whether a file starts like a table of text, which may be cut at any line break."""
    with path.open("rb") as file:
        start = file.read(HEAD)
    reader = next((form.read for form in FORMATS if form.recognises(start)), None)
    return reader is cycler_text.read_table and not start.startswith(UTF_16)
