"""The recordings of the bundle, found by role and sample, never by file name."""

import hashlib
from collections.abc import Mapping, Sequence
from math import nan
from pathlib import Path

import pandas as pd
import xarray as xr

from coldbond.bundle import manifest, paths
from coldbond.files import ReadError, read

CONSTANTS = ("area_cm2", "thickness_cm", "active_mass_mg", "temperature_C")


def recordings(role: str, samples: Sequence[str] = ()) -> dict[str, xr.Dataset | xr.DataTree]:
    """Read every recording that the manifest holds for a role.

    Parameters
    ----------
    role : str
        What the recordings are for, as in the manifest's column `role`: "ccd", "long-cycling", ...
    samples : sequence of str
        The samples wanted, in the order wanted; empty for all that the manifest holds, in its order.

    Returns
    -------
    dict of str to xarray.Dataset or xarray.DataTree
        As `coldbond.read` gives them, keyed by the sample, or by "sample, state" where a sample has several recordings
        of this role. The manifest's columns are in the attrs; a constant that the manifest leaves empty is NaN there.

    Raises
    ------
    LookupError
        The manifest holds no recording of this role, or none of one of the samples.
    coldbond.ReadError
        A file is not the one whose sha256 the manifest states, is of another technique, or cannot be read.
    """
    rows = [row for row in manifest.rows(paths.RAW) if row["role"] == role]
    held = list(dict.fromkeys(row["sample"] for row in rows))
    missing = [sample for sample in samples if sample not in held]
    if not rows or missing:
        raise LookupError(
            f"{paths.RAW / 'manifest.csv'}: no recording of role {role!r}"
            + (f" for {', '.join(missing)}; it holds {', '.join(held)}" if rows else "")
        )
    wanted = [row for sample in samples or held for row in rows if row["sample"] == sample]
    several = {sample for sample in held if sum(row["sample"] == sample for row in rows) > 1}
    return {
        f"{row['sample']}, {row['state']}" if row["sample"] in several else row["sample"]: recording(row)
        for row in wanted
    }


def table(recordings: Mapping[str, xr.Dataset | xr.DataTree]) -> pd.DataFrame:
    """Return the recordings as a table: file, format, origin, what it holds, and the constants that any of them has."""
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
    """What a recording holds: its regions, its records and how long they took, or its points and their range."""
    if isinstance(recording, xr.DataTree):
        return {"regions": ", ".join(recording.children)}
    if "record" in recording.sizes:
        hours = float(recording.time[-1] - recording.time[0]) / 3600
        return {"records": recording.sizes["record"], "duration / h": f"{hours:.1f}"}
    ((axis, points),) = recording.sizes.items()
    if recording[axis].dtype.kind not in "fi":
        return {f"{axis}s": points}
    ends = recording[axis].to_numpy()[[0, -1]]
    extent = {
        "points": points,
        f"{recording[axis].attrs['long_name']} / {recording[axis].attrs['units']}": "{:g} to {:g}".format(*ends),
    }
    return extent | ({"counting": recording.intensity.attrs["counting"]} if "intensity" in recording else {})


def recording(row: Mapping[str, str], folder: Path | None = None) -> xr.Dataset | xr.DataTree:
    """Read the recording of one row of the manifest, as `recordings` gives it.

    Parameters
    ----------
    row : mapping of str to str
        From `manifest.rows`.
    folder : Path, optional
        Of the manifest; `paths.RAW` unless given.

    Raises
    ------
    coldbond.ReadError
        As `recordings`.
    """
    path = (folder or paths.RAW) / row["file"]
    if row["sha256"]:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != row["sha256"].lower():
            raise ReadError(
                path,
                None,
                f"its sha256 is {found[:12]}..., the manifest states {row['sha256'][:12]}...",
                "restore the recording, or empty its sha256 in manifest.csv if the change is meant",
            )
    recording = read(path)
    if recording.attrs["technique"] != row["technique"]:
        raise ReadError(
            path,
            None,
            f"this is a recording of {recording.attrs['technique']}, the manifest says {row['technique']}",
            "correct its technique and role in manifest.csv",
        )
    constants = {name: float(row[name]) if row[name] else nan for name in CONSTANTS}
    recording.attrs |= {key: row[key] for key in ("file", "role", "sample", "state", "origin")} | constants
    return recording
