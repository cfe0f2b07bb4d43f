"""Reading the recordings that the manifest lists.

A notebook asks for a role ("ccd") and for samples, never for a file. It gets what `coldbond.read` returns, checked
against the manifest (hash, technique) and with the manifest's columns and constants in the attrs.
"""

import hashlib
import os
import sys
import traceback
from collections import Counter
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
LIBRARY = Path(__file__).parents[1]
IDENTITY = ("file", "sample", "state", "replicate")


class NoRecordings(ValueError):
    """No recording of a figure is left; the message names each with the reason."""


class AnalysisError(ValueError):
    """The analysis of a recording failed; the message names sample and file."""


class Results(dict[str, Result]):
    """Results of an analysis by the label of the recording.

    As an argument of `Recordings.analysed`, each recording is analysed with its own result.
    """


class Reason(str):
    """Why a recording is left out.

    Attributes
    ----------
    row : dict of str to str
        File, sample, state and replicate of the recording, as in the manifest.
    """

    row: dict[str, str]

    def __new__(cls, why: str, row: Mapping[str, Any]) -> "Reason":
        """Return the reason for a recording of this row of the manifest."""
        made = super().__new__(cls, why)
        made.row = {name: str(row.get(name, "")) for name in IDENTITY}
        return made


class Recordings(dict[str, Any]):
    """The recordings of a figure by label, as `recordings` returns them.

    With the bundle's own recordings every error is an error. With another folder of recordings, one that cannot be read
    or analysed is left out, and the figure shows the others.

    Parameters
    ----------
    held : mapping of str to xarray.Dataset or xarray.DataTree
    left_out : mapping of str to Reason, optional
        Why a recording of the manifest is not among them, by label.
    needed : bool
        Whether there is no figure without any of them.
    """

    def __init__(
        self,
        held: Mapping[str, xr.Dataset | xr.DataTree],
        left_out: Mapping[str, Reason] | None = None,
        needed: bool = True,
    ) -> None:
        super().__init__(held)
        self.left_out = dict(left_out or {})
        self.needed = needed

    def __or__(self, other: Mapping[str, Any]) -> "Recordings":  # type: ignore[override]
        theirs = other if isinstance(other, Recordings) else Recordings(other, needed=False)
        return Recordings({**self, **theirs}, self.left_out | theirs.left_out, self.needed or theirs.needed)

    def __ror__(self, other: Mapping[str, Any]) -> "Recordings":  # type: ignore[override]
        return Recordings(other, needed=False) | self

    def analysed(self, analysis: Callable[..., Result], *arguments: Any, **named: Any) -> Results[Result]:
        """Return the result of an analysis of each recording, by label.

        Parameters
        ----------
        analysis : callable
            Called with a recording and the arguments. Of an argument that is the `Results` of another analysis, a
            recording is given its own result.

        Raises
        ------
        AnalysisError
            It failed for one of the bundle's own recordings.
        NoRecordings
            It failed for all recordings of another folder.

        Notes
        -----
        With another folder of recordings than the bundle's own, a recording whose analysis fails moves to `left_out`.
        The traceback is printed, and so stays in the executed notebook.
        """
        results: Results[Result] = Results()
        for label, one in list(self.items()):
            own = [value[label] if isinstance(value, Results) else value for value in arguments]
            also = {name: value[label] if isinstance(value, Results) else value for name, value in named.items()}
            try:
                results[label] = analysis(one, *own, **also)
            except Exception as error:
                why = reason(error).removeprefix(f"{one.attrs.get('source')}: ")
                if is_own():
                    raise AnalysisError(f"the analysis of {label} ({one.attrs['file']}) failed: {why}") from error
                traceback.print_exception(error)
                print(f"left out: {label} ({one.attrs['file']}): {why}", file=sys.stderr)
                self.leave_out(label, f"its analysis failed: {why}")
        self.require()
        return results

    def leave_out(self, label: str, why: str) -> None:
        """Move a recording to `left_out`."""
        self.left_out[label] = Reason(why, self.pop(label).attrs)

    def require(self) -> None:
        """Raise NoRecordings if none is left of recordings that a figure needs."""
        if self.needed and self.left_out and not self:
            each = (f"{_named(label, why)}: {why}" for label, why in self.left_out.items())
            raise NoRecordings(f"no recording is left: {'; '.join(each)}")

    def rows_left_out(self) -> list[dict[str, str]]:
        """Return file, sample, state, replicate and reason of each recording that is left out."""
        return [why.row | {"reason": str(why)} for why in self.left_out.values()]


def _named(label: str, why: Reason) -> str:
    return label if why.row["file"] in ("", label) else f"{label} ({why.row['file']})"


def is_own() -> bool:
    """Return whether the recordings are the bundle's own, of which every error is an error."""
    try:
        return os.path.samefile(paths.RAW, paths.ROOT / "raw")
    except OSError:
        return False


def reason(error: BaseException) -> str:
    """Return in one line why a recording cannot be read or analysed; without the folder it lies in."""
    text = " ".join(str(error).split()).replace(os.path.join(paths.RAW, ""), "")
    if isinstance(error, ReadError):
        return text.removeprefix(error.path.name).lstrip(",: ")
    raised_in = traceback.extract_tb(error.__traceback__)[-1:]
    by_us = isinstance(error, ValueError) and any(Path(one.filename).is_relative_to(LIBRARY) for one in raised_in)
    return text if by_us and text else f"{type(error).__name__}: {text}".rstrip(": ")


def recordings(role: str, samples: Sequence[str] = (), optional: bool = False) -> Recordings:
    """Read all recordings of a role.

    Parameters
    ----------
    role : str
        What the recordings are used for, as in the manifest's column `role`: "ccd", "long-cycling", ...
    samples : sequence of str
        Samples in the order wanted; empty for all samples of the role, in the order of style.toml and the manifest.
    optional : bool
        Whether a figure can be drawn without them: then there may be none, and samples that the manifest lacks are
        no error.

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
        A file of the bundle's own recordings cannot be read, does not have the sha256 of the manifest, or belongs to
        another technique.
    NoRecordings
        The same for all files of another folder of recordings; a single one is left out.
    """
    listed = manifest.load(paths.RAW)
    if listed.unusable and is_own():
        raise manifest.ManifestError(*listed.problems)
    unusable = {id(one.row): one.problems for one in listed.unusable}
    rows = [row for row in listed.listed if row["role"] == role]
    held = list(dict.fromkeys(row["sample"] for row in rows))
    missing = [] if optional else [sample for sample in samples if sample not in held]
    if missing or not (rows or optional):
        raise LookupError(
            f"{listed.path}: no recording of role {role!r}"
            + (f" for {', '.join(missing)}; it holds {', '.join(held)}" if rows else "")
        )
    found = Recordings({}, needed=not optional)
    of_sample = Counter(row["sample"] for row in rows)
    names = [manifest.label(row) if of_sample[row["sample"]] > 1 else row["sample"] for row in rows]
    labels = {
        # A row may be unusable because another one has its name.
        id(row): f"{name}, {row['file']}".strip(", ") if id(row) in unusable and names.count(name) > 1 else name
        for row, name in zip(rows, names, strict=True)
    }
    samples = samples or style_file.current().ordered(held)
    for row in (row for sample in samples for row in rows if row["sample"] == sample):
        label = labels[id(row)]
        try:
            if id(row) in unusable:
                raise manifest.ManifestError(*unusable[id(row)])
            found[label] = recording(row)
        except Exception as error:
            if is_own():
                raise
            if not isinstance(error, ReadError | manifest.ManifestError):
                traceback.print_exception(error)
            why = found.left_out[label] = Reason(reason(error), row)
            print(f"left out: {_named(label, why)}: {why}", file=sys.stderr)
    found.require()
    return found


def beside(name: str) -> Path | None:
    """Return a file of the user's own beside the manifest, such as components.toml; None where there is none."""
    path = paths.RAW / name
    return path if path.is_file() else None


def inputs(*names: str) -> dict[str, str]:
    """Return the sha256 of the files of these names beside the manifest, of those that there are."""
    found = {name: path for name in names if (path := beside(name))}
    return {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in found.items()}


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
