"""Export of what a reader returns: a table as .csv or .parquet, or the whole data model as netCDF (.nc).

A table has the coordinate and every variable as a column whose name ends with the unit, "voltage / V". Complex numbers
become two columns. The regions of a photoelectron recording stand one below the other, named in the first column.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

import coldbond
from coldbond.cli import files

#: Parts of complex numbers: how a column and a variable of a netCDF file are named, and how they are taken.
PARTS = (("Re({})", "{}_real", np.real), ("Im({})", "{}_imag", np.imag))
#: Symbols that columns of complex numbers are named with, so that `coldbond.read` knows them.
SYMBOLS = {"impedance": "Z"}
REGION = "region"


def export(recording: xr.Dataset | xr.DataTree, path: Path) -> None:
    """Write a recording to a file, in the format of its suffix.

    Parameters
    ----------
    recording : xarray.Dataset or xarray.DataTree
        As `coldbond.read` returns it.
    path : Path
        Ends with .csv (comments that start with # above the header), .parquet (units and attrs as JSON in the metadata
        "coldbond") or .nc (HDF5; a group for each region).

    Raises
    ------
    ValueError
        Another suffix.
    FileExistsError
        There is a file already: it could be a recording.
    """
    suffix = path.suffix.lower()
    if suffix not in WRITERS:
        raise ValueError(f"{path}: the format {suffix!r} is not written: end the name with {', '.join(WRITERS)}")
    if path.exists():
        raise FileExistsError(f"{path}: exists already, and could be a recording: delete it, or write another name")
    files.write(path, lambda part: WRITERS[suffix](recording, part))


def table(recording: xr.Dataset | xr.DataTree) -> pd.DataFrame:
    """Return a recording as one table with units in the names of its columns."""
    if isinstance(recording, xr.Dataset):
        return pd.DataFrame(_columns(recording))
    parts = []
    for name, region in recording.children.items():
        columns = pd.DataFrame(_columns(region.to_dataset()))
        columns.insert(0, REGION, name)
        parts.append(columns)
    return pd.concat(parts, ignore_index=True)


def _columns(recording: xr.Dataset) -> dict[str, np.ndarray]:
    columns: dict[str, np.ndarray] = {}
    for name in (*recording.coords, *recording.data_vars):
        variable = recording[name]
        units = variable.attrs.get("units", "")
        unit = f" / {units}" if units not in ("", "1") else ""
        if variable.dtype.kind == "c":
            symbol = SYMBOLS.get(str(name), name)
            columns |= {f"{title.format(symbol)}{unit}": part(variable.to_numpy()) for title, _, part in PARTS}
        else:
            columns[f"{name}{unit}"] = variable.to_numpy()
    return columns


def attributes(recording: xr.Dataset | xr.DataTree) -> dict[str, Any]:
    """Return the attrs of a recording, of its regions and of its variables, as JSON can hold them.

    Those of a variable are under its name: "voltage.resolution"; those of a region too: "In 3d.pass_energy".
    """
    found = {str(key): _plain(value) for key, value in recording.attrs.items()}
    if isinstance(recording, xr.DataTree):
        parts: dict[str, Any] = {name: region.to_dataset() for name, region in recording.children.items()}
        return found | {f"{name}.{key}": value for name, one in parts.items() for key, value in attributes(one).items()}
    parts = {str(name): recording[name] for name in (*recording.coords, *recording.data_vars)}
    return found | {f"{name}.{key}": _plain(value) for name, one in parts.items() for key, value in one.attrs.items()}


def _plain(value: Any) -> Any:
    """Return the value of an attr as JSON and netCDF can hold it."""
    if isinstance(value, bool | np.bool_):
        return int(value)
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    return value if isinstance(value, str | int | float) else json.dumps(value, ensure_ascii=False, default=str)


def _write_csv(recording: xr.Dataset | xr.DataTree, path: Path) -> None:
    lines = [f"{name}: {' '.join(str(value).split())}" for name, value in attributes(recording).items()]
    count = len(lines) + 1
    first = (
        f"coldbond {coldbond.__version__}: {count} lines of comments, read it with pandas.read_csv(skiprows={count})"
    )
    with path.open("w", encoding="utf-8", newline="") as file:
        file.writelines(f"# {line}\n" for line in (first, *lines))
        table(recording).to_csv(file, index=False, lineterminator="\n")


def _write_parquet(recording: xr.Dataset | xr.DataTree, path: Path) -> None:
    import polars

    columns = {name: column.to_numpy() for name, column in table(recording).items()}
    described = json.dumps(attributes(recording), ensure_ascii=False)
    polars.DataFrame(columns).write_parquet(path, metadata={"coldbond": described})


def _write_netcdf(recording: xr.Dataset | xr.DataTree, path: Path) -> None:
    if isinstance(recording, xr.Dataset):
        _real(recording).to_netcdf(path, engine="h5netcdf")
        return
    regions = {f"/{name}": _real(region.to_dataset()) for name, region in recording.children.items()}
    xr.DataTree.from_dict({"/": _real(recording.to_dataset())} | regions).to_netcdf(path, engine="h5netcdf")


def _real(recording: xr.Dataset) -> xr.Dataset:
    """Return a dataset without complex numbers, with attrs that netCDF can hold."""
    variables = {}
    for name in (*recording.coords, *recording.data_vars):
        variable = recording[name].variable
        attrs = {key: _plain(value) for key, value in variable.attrs.items()}
        if variable.dtype.kind == "c":
            for _, title, part in PARTS:
                variables[title.format(name)] = (variable.dims, part(variable.to_numpy()), attrs)
        else:
            variables[str(name)] = (variable.dims, variable.to_numpy(), attrs)
    coords = [str(name) for name in recording.coords]
    attrs = {key: _plain(value) for key, value in recording.attrs.items()}
    return xr.Dataset(variables, attrs=attrs).set_coords(coords)


WRITERS = {".csv": _write_csv, ".parquet": _write_parquet, ".nc": _write_netcdf}
