"""Readers of instruments' own export formats: `read` recognises a file by its content."""

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from os import PathLike
from pathlib import Path

import xarray as xr

from coldbond.files import (
    avantage,
    bruker,
    bwtek,
    chi,
    delimited,
    ec_lab,
    energies,
    jcamp,
    panalytical,
    powder_cif,
    rigaku,
    two_columns,
    unrecognised,
    vamas,
    workbook,
)
from coldbond.files.encoding import HEAD, UTF_16
from coldbond.files.errors import ReadError

__all__ = ["ReadError", "read"]

#: Each format: whether a file's bytes are of it, and its reader. The first that recognises a file reads it.
READERS: tuple[tuple[Callable[[bytes], bool], Callable[[Path, bytes], xr.Dataset | xr.DataTree]], ...] = (
    (vamas.is_vamas, vamas.read_vamas),
    (jcamp.is_jcamp, jcamp.read_jcamp),
    (bwtek.is_bwtek, bwtek.read_bwtek),
    (chi.is_chi, chi.read_chi),
    (ec_lab.is_ec_lab, ec_lab.read_ec_lab),
    (energies.is_energies, energies.read_energies),
    (avantage.is_avantage, avantage.read_avantage),  # a workbook too
    (workbook.is_workbook, workbook.read_workbook),
    (rigaku.is_ras, rigaku.read_ras),
    (rigaku.is_rasx, rigaku.read_rasx),
    (rigaku.is_asc, rigaku.read_asc),
    (panalytical.is_xrdml, panalytical.read_xrdml),
    (bruker.is_brml, bruker.read_brml),
    (powder_cif.is_powder_cif, powder_cif.read_powder_cif),
    (delimited.is_stack, delimited.read_stack),
    (delimited.is_table, delimited.read_table),
    (two_columns.is_two_columns, two_columns.read_two_columns),
)

#: Bytes from which on a table of text is read a block at a time.
LONG = 1 << 28


def read(path: str | PathLike) -> xr.Dataset | xr.DataTree:
    """Read an instrument's file, of whichever format its content shows it to be.

    - Cycling: Landt CSV, LAND CSV with its stacked tables, LANDdt and LANHE workbooks in English and Chinese, Battery
      Data Format CSV.
    - Diffraction: Rigaku .ras, .rasx and .asc, PANalytical .xrdml, Bruker .brml, powder CIF.
    - Photoelectrons: VAMAS (ISO 14976) with regular and irregular scans, workbooks of Thermo Avantage.
    - Raman: JCAMP-DX 4.24 and 5, text of B&W Tek.
    - Impedance: CH Instruments .txt ("A.C. Impedance"; also "Amperometric i-t Curve", the current at constant voltage),
      BioLogic EC-Lab .mpt.
    - Of these four also delimited text of two or more columns, whose header must name the columns and state what the
      numbers cannot: the wavelength of a diffraction pattern, the photon energy where energies are kinetic, the voltage
      that drove a current.

    The values of a Landt CSV or a Battery Data Format CSV of 256 MB and more stay on disk, in temporary files (TMPDIR
    says where): xarray takes into memory what is asked for.

    Text may be in utf-8 with or without byte-order mark, utf-16 with one, or gb18030; Rigaku's in Shift-JIS.

    Parameters
    ----------
    path : str or path-like
        The file.

    Returns
    -------
    xarray.Dataset or xarray.DataTree
        The attrs of all: `technique`, `format`, `source` (the file's name), `sha256`; where the file tells, `start`
        (ISO 8601), and `unread`, what of it was left out. Each variable has `units` and `long_name`.

        Of cyclers ("cycling"), dimension `record`, float64 unless said otherwise:

        - `time` [s] from the start of the test, never decreasing, `voltage` [V], `current` [A], charge positive;
        - `cycle` and `step`, int64, the tester's numbers, where the file has them;
        - `capacity`, or `charge_capacity` and `discharge_capacity` [Ah], the tester's counters, where it has them,
          with `resets`: when they fall back to zero ("step", "cycle", "never" or "undetermined").

        Each has `resolution`, its last digit in its own unit; the current `sign`, whence its sign is: "recorded" or
        "step state". Further attrs, where the file tells: `lost_records` (how many numbers are missing) and `header`
        (what stands before the columns' names).

        Of spectra, float64 over one coordinate that ascends:

        - `intensity`, with the attr `counting`: "known", or "unknown: " and why;
        - `one_count`, where the counting is known: the intensity of one count, in the same unit, so that the variance
          of the intensity is `one_count` times its expectation.

        They are a Dataset over `two_theta` [degree] ("xrd") with the attrs `wavelength_kalpha1` and, unless
        monochromatic, `wavelength_kalpha2` [angstrom], or over `raman_shift` [1/cm] ("raman") with `excitation` [nm]
        where the file states it. Photoelectrons ("xps") are a DataTree, a child for each region, such as "In 3d" or,
        where it was measured again, "In 3d (2)", over `binding_energy` [eV] as recorded: no shift for charging is
        applied. A child has `transmission` where it was recorded, and the attrs `energy_scale` ("kinetic" where the
        energies were subtracted from the `photon_energy` [eV], else "binding") and, where the file states them,
        `pass_energy` [eV], `dwell_time` [s], `sweeps` and `charge_reference`.

        An impedance spectrum ("eis") is a Dataset with `impedance` [ohm], complex, Im < 0 for a capacitor, over
        `frequency` [Hz] in the order recorded; `time` [s] where it is recorded, `sweep`, from 1, where there are
        several. The attr `sign` says how the sign of the imaginary part was settled, `unfinished` where a sweep ended
        early, `amplitude` [V] where the file states it. `impedance` has `significant_digits`, those in the file.

        A transient ("dc") is a Dataset with `current` [A] over `time` [s], which repeats only where the file has too
        few digits for it, and the attr `applied_voltage` [V]. The current has the sign of the file and `resolution`.

    Raises
    ------
    ReadError
        The file cannot be read without guessing.
    OSError
        The file is not there or may not be opened.
    """
    path = Path(path)
    if path.stat().st_size >= LONG and _is_table(path):
        digest = hashlib.sha256()
        recording = delimited.read_long_table(path, digest)
        recording.attrs |= {"source": path.name, "sha256": digest.hexdigest()}
        return recording
    data = path.read_bytes()
    if not data or data.isspace():
        raise ReadError(path, None, "the file is empty", "export or copy it again")
    for recognises, reader in READERS:
        if recognises(data):
            with ThreadPoolExecutor(1) as pool:  # hashing takes a tenth of the time of reading
                digest = pool.submit(hashlib.sha256, data)
                recording = reader(path, data)
                recording.attrs |= {"source": path.name, "sha256": digest.result().hexdigest()}
                return recording
    raise unrecognised.refusal(path, data)


def _is_table(path: Path) -> bool:
    """Whether a file is a table of text that can be cut at line breaks, as its beginning shows."""
    with path.open("rb") as file:
        start = file.read(HEAD)
    readers = (reader for recognises, reader in READERS if recognises(start))
    return next(readers, None) is delimited.read_table and not start.startswith(UTF_16)
