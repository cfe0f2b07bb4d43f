"""The analysis of one cell, as a row of the table."""

from collections.abc import Callable, Mapping
from pathlib import Path

import xarray as xr

from coldbond.bundle import raw
from coldbond.bundle.findings import rendered
from coldbond.bundle.manifest import REPLICATE
from coldbond.cells import capacity, long_cycling
from coldbond.cells.findings import ccd as ccd_findings
from coldbond.cells.findings import full_cell as full_cell_findings
from coldbond.cells.findings import long_cycling as long_cycling_findings
from coldbond.multiverse.library import IMPORTED, require

#: Columns of the table and the quantities of their findings. The unit of a capacity depends on whether a mass is known.
QUANTITIES = {
    "critical_current_density_mA_cm2": "critical_current_density",
    "lifetime_h": "time_to_failure",
    "overpotential_mV": "overpotential",
    "drift_mV_per_1000_h": "drift",
    "first_capacity": "discharge_capacity_first_cycle",
    "retention_percent": "retention_against_first",
    "coulombic_efficiency_percent": "coulombic_efficiency",
}
IDENTITY = ("file", "role", "sample", "state", "origin")
COLUMNS = (
    *IDENTITY,
    *(f"{name}{bound}" for name in QUANTITIES for bound in ("", "_low", "_high")),
    "capacity_unit",
    "note",
    "failed",
)


def _of_ccd(recording: xr.Dataset) -> list[dict]:
    return ccd_findings.findings({"": recording})


def _of_long_cycling(recording: xr.Dataset) -> list[dict]:
    return long_cycling_findings.findings({"": recording}, {"": long_cycling.half_cycles(recording)})


def _of_full_cell(recording: xr.Dataset) -> list[dict]:
    return full_cell_findings.findings(capacity.cycles(recording))


#: The analysis of each role.
ANALYSES: dict[str, Callable[[xr.Dataset], list[dict]]] = {
    "ccd": _of_ccd,
    "long-cycling": _of_long_cycling,
    "full-cell": _of_full_cell,
}


def row(listed: Mapping[str, str], folder: str, library: str = IMPORTED) -> tuple[dict[str, str], list[dict]]:
    """Analyse a cell and return its row, and the findings that the row is made of.

    Parameters
    ----------
    listed : mapping of str to str
        Row of the cell in the manifest; its role is one of `ANALYSES`.
    folder : str
        Folder of the manifest.
    library : str
        Hash of the library that the row was planned for.

    Returns
    -------
    row : dict of str to str
        Some of `COLUMNS`: values and bounds of 95 % intervals, as far as the data determine them; `note`, the evidence
        of the first finding; or `failed`, the reason why there are no values.
    findings : list of dict
        Of `QUANTITIES`, with sample, state and replicate of the manifest; none of a cell that failed.

    Raises
    ------
    RuntimeError
        This worker has imported another version of the library.
    """
    require(library)
    try:
        recording = raw.recording(listed, Path(folder))
        if isinstance(recording, xr.DataTree):
            raise TypeError(f"{listed['file']} holds photoelectron spectra")
        found = ANALYSES[listed["role"]](recording)
    except Exception as error:  # whatever the reason, a cell that cannot be analysed must not stop the others
        return failed(listed, error), []
    by_quantity = {one["quantity"]: one for one in found}
    of_cell = {name: listed[name] for name in IDENTITY}
    for name, quantity in QUANTITIES.items():
        one = by_quantity.get(quantity, {})
        numbers = {name: one.get("value"), f"{name}_low": one.get("low"), f"{name}_high": one.get("high")}
        of_cell |= {column: repr(number) for column, number in numbers.items() if number is not None}
        if name == "first_capacity" and one:
            of_cell["capacity_unit"] = one["unit"]
    whose = {name: listed[name] for name in ("sample", "state", REPLICATE) if listed[name] or name != REPLICATE}
    return of_cell | {"note": rendered(found[0])}, [
        one | whose for name, one in by_quantity.items() if name in QUANTITIES.values()
    ]


def failed(listed: Mapping[str, str], error: BaseException) -> dict[str, str]:
    """Return the row of a cell that could not be analysed."""
    reason = " ".join(str(error).split())
    return {name: listed[name] for name in IDENTITY} | {"failed": f"{type(error).__name__}: {reason}"}
