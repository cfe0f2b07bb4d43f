"""What one cell's recording says, as a row of the table."""

from collections.abc import Callable, Mapping
from pathlib import Path

import xarray as xr

from coldbond.bundle import raw
from coldbond.bundle.findings import rendered
from coldbond.cells import capacity, long_cycling
from coldbond.cells.findings import ccd as ccd_findings
from coldbond.cells.findings import full_cell as full_cell_findings
from coldbond.cells.findings import long_cycling as long_cycling_findings
from coldbond.multiverse.library import IMPORTED, require

#: The columns of a finding: what the library calls it, and its unit; that of a capacity depends on the cell's mass.
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


#: The analysis that a role of the manifest asks for.
ANALYSES: dict[str, Callable[[xr.Dataset], list[dict]]] = {
    "ccd": _of_ccd,
    "long-cycling": _of_long_cycling,
    "full-cell": _of_full_cell,
}


def row(listed: Mapping[str, str], folder: str, library: str = IMPORTED) -> dict[str, str]:
    """Return the row of a cell.

    Parameters
    ----------
    listed : mapping of str to str
        Its row in the manifest, with a role of `ANALYSES`.
    folder : str
        The folder of the manifest.
    library : str
        Hash of the library that the row is meant for.

    Returns
    -------
    dict of str to str
        Some of `COLUMNS`: values and bounds of 95 % intervals as numbers that JSON would hold, left out where the data
        give none; `note`, the evidence; `failed`, why there are no values.

    Raises
    ------
    RuntimeError
        This worker has another library: start it anew.
    """
    require(library)
    try:
        found = ANALYSES[listed["role"]](raw.recording(listed, Path(folder)))
    except Exception as error:  # a cell that cannot be analysed, for whatever reason, must not stop the others
        return failed(listed, error)
    by_quantity = {one["quantity"]: one for one in found}
    of_cell = {name: listed[name] for name in IDENTITY}
    for name, quantity in QUANTITIES.items():
        one = by_quantity.get(quantity, {})
        numbers = {name: one.get("value"), f"{name}_low": one.get("low"), f"{name}_high": one.get("high")}
        of_cell |= {column: repr(number) for column, number in numbers.items() if number is not None}
        if name == "first_capacity" and one:
            of_cell["capacity_unit"] = one["unit"]
    return of_cell | {"note": rendered(found[0])}


def failed(listed: Mapping[str, str], error: BaseException) -> dict[str, str]:
    """Return the row of a cell that could not be analysed."""
    reason = " ".join(str(error).split())
    return {name: listed[name] for name in IDENTITY} | {"failed": f"{type(error).__name__}: {reason}"}
