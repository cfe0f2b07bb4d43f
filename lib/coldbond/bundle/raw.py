"""Reading the recordings that the manifest lists.

A notebook asks for a role ("ccd") and for samples, never for a file. It gets what `coldbond.read` returns, checked
against the manifest (hash, technique) and with the manifest's columns and constants in the attrs.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from math import nan
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd
import xarray as xr

from coldbond.bundle import manifest, paths, style_file
from coldbond.constants import CONSTANTS
from coldbond.files import ReadError, read
from coldbond.files.regular import size

Result = TypeVar("Result")


class Recordings(dict[str, Any]):
    """The recordings of a figure by label, as `recordings` returns them.

    Attributes
    ----------
    left_out : dict of str to str
        Why a recording of the manifest is not among them, by label.
    """

    def __init__(self, held: Mapping[str, xr.Dataset | xr.DataTree], left_out: Mapping[str, str] | None = None) -> None:
        super().__init__(held)
        self.left_out = dict(left_out or {})

    def __or__(self, other: Mapping[str, Any]) -> "Recordings":  # type: ignore[override]
        return Recordings({**self, **other}, self.left_out | getattr(other, "left_out", {}))

    def analysed(self, analysis: Callable[..., Result], *arguments: Any, **named: Any) -> dict[str, Result]:
        """Return the result of an analysis of each recording, by label.

        With another folder of recordings than the bundle's own, a recording that cannot be analysed moves to
        `left_out`, and the figure shows the others.
        """
        return {label: analysis(one, *arguments, **named) for label, one in self.items()}


def recordings(role: str, samples: Sequence[str] = ()) -> Recordings:
    """Read all recordings of a role.

    Parameters
    ----------
    role : str
        What the recordings are used for, as in the manifest's column `role`: "ccd", "long-cycling", ...
    samples : sequence of str
        Samples in the order wanted; empty for all samples of the role, in the order of style.toml and the manifest.

    Returns
    -------
    Recordings
        As returned by `coldbond.read`, keyed by sample, or by `manifest.label` ("sample, state, replicate 2") where a
        sample has several recordings of this role. The attrs contain the manifest's columns; a constant that the
        manifest leaves empty is NaN.

    Raises
    ------
    LookupError
        The manifest lists no recording of this role, or none for one of the samples.
    coldbond.ReadError
        A file cannot be read, does not have the sha256 of the manifest, or belongs to another technique.
    """
    rows = [row for row in manifest.rows(paths.RAW) if row["role"] == role]
    held = list(dict.fromkeys(row["sample"] for row in rows))
    missing = [sample for sample in samples if sample not in held]
    if not rows or missing:
        raise LookupError(
            f"{paths.RAW / 'manifest.csv'}: no recording of role {role!r}"
            + (f" for {', '.join(missing)}; it holds {', '.join(held)}" if rows else "")
        )
    wanted = [
        row for sample in samples or style_file.current().ordered(held) for row in rows if row["sample"] == sample
    ]
    several = {sample for sample in held if sum(row["sample"] == sample for row in rows) > 1}
    return Recordings(
        {manifest.label(row) if row["sample"] in several else row["sample"]: recording(row) for row in wanted}
    )


def table(recordings: Mapping[str, xr.Dataset | xr.DataTree]) -> pd.DataFrame:
    """Return a table of recordings: file, format, origin, extent, and each constant that at least one of them has."""
    rows = {
        label: {
            "file": recording.attrs["file"],
            "format": recording.attrs["format"],
            "origin": recording.attrs["origin"],
            **_extent(recording),
        }
        | {
            " / ".join(name.rsplit("_", 1)).replace("_", " "): f"{recording.attrs[name]:g}".replace("nan", "")
            for name in CONSTANTS
        }
        for label, recording in recordings.items()
    }
    shown = pd.DataFrame.from_dict(rows, orient="index")
    return shown.loc[:, (shown != "").any()]


def _extent(recording: xr.Dataset | xr.DataTree) -> dict[str, str | int]:
    """Return the regions of a photoelectron recording, records and duration of cycling, else points and range."""
    if isinstance(recording, xr.DataTree):
        return {"regions": ", ".join(recording.children)}
    if "record" in recording.sizes:
        hours = float(recording.time[-1] - recording.time[0]) / 3600
        return {"records": recording.sizes["record"], "duration / h": f"{hours:.1f}"}
    ((dimension, points),) = recording.sizes.items()
    axis = recording[dimension]
    if axis.dtype.kind not in "fi":  # names, such as the crystals of a table of energies
        return {f"{dimension}s": points}
    ends = axis.to_numpy()[[0, -1]]
    extent: dict[str, str | int] = {"points": points}
    extent[f"{axis.attrs['long_name']} / {axis.attrs['units']}"] = "{:g} to {:g}".format(*ends)
    if "sweep" in recording:
        extent["sweeps"] = int(recording["sweep"].max())
    if "sweeps" in recording.attrs and recording.attrs["technique"] == "eis":
        extent["sweeps"] = f"{recording.attrs['sweep']} of {recording.attrs['sweeps']}"
    if "intensity" in recording:
        extent["counting"] = recording.intensity.attrs["counting"]
    return extent


def stated(row: Mapping[str, str]) -> dict[str, Any]:
    """Return what a row of the manifest states about its file, as arguments of `coldbond.read`."""
    kinds = {"sweep": int, "photon_energy": float, "excitation": float}
    arguments: dict[str, Any] = {}
    for column, argument in (("technique", "technique"), *manifest.STATED.items()):
        cell = row.get(column, "")
        if cell and argument == "wavelength":
            arguments[argument] = [float(number) for number in cell.split()]
        elif cell:
            arguments[argument] = kinds.get(argument, str)(cell)
    return arguments


def recording(row: Mapping[str, str], folder: Path | None = None) -> xr.Dataset | xr.DataTree:
    """Read the recording of one row of the manifest, as `recordings` does.

    Parameters
    ----------
    row : mapping of str to str
        From `manifest.rows`.
    folder : Path, optional
        Folder of the manifest; by default `paths.RAW`.

    Raises
    ------
    coldbond.ReadError
        As `recordings`.
    """
    path = (folder or paths.RAW) / row["file"]
    if row["sha256"]:
        size(path)  # of a pipe, which would never end, it is an error
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != row["sha256"].lower():
            raise ReadError(
                path,
                None,
                f"its sha256 is {found[:12]}..., the manifest states {row['sha256'][:12]}...",
                "restore the recording, or leave its sha256 in manifest.csv empty if the change is intended",
            )
    recording = read(path, **stated(row))
    constants = {name: float(row[name]) if row[name] else nan for name in CONSTANTS}
    recording.attrs |= {key: row[key] for key in ("file", "role", "sample", "state", "replicate", "origin")} | constants
    return recording
