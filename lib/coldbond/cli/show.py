"""The standard analysis of one file as a picture and as text: what the explore page shows, without a browser."""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from math import ceil
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.figure import Figure, FigureBase

from coldbond import analyses
from coldbond.bundle import figures, manifest, paths, raw, style
from coldbond.cli import files, protocols, standards
from coldbond.constants import CONSTANTS
from coldbond.explore import spectra
from coldbond.explore.controls import View, defaults, numbers
from coldbond.explore.views import views
from coldbond.interval import Interval
from coldbond.xrd.structures import REMEDY

#: inch; dots per inch of a PNG.
SIZE, DPI = (5.2, 3.9), 200
#: Errors of recordings and constants, whose message is for the user.
EXPECTED = (ValueError, LookupError, OSError)
SUFFIXES = (".png", ".pdf", ".svg")
#: Options of the command in place of what the messages of an analysis name.
NO_PELLET = "not known: state --area and --thickness, or fill area_cm2 and thickness_cm of the manifest"
NO_BANDS = (
    "its bands are not known: write --role raman for those of a garnet and InN, or name yours in Python: "
    "coldbond.raman_bands(coldbond.read(FILE), bands=[520], modes={}, window=[400, 600])"
)
OPTIONS = {"area_cm2": "--area", "active_mass_mg": "--mass", "thickness_cm": "--thickness"}


def listed(file: Path, role: str = "") -> tuple[dict[str, str], Path, str]:
    """Return the row of the nearest manifest that lists a file.

    Parameters
    ----------
    file : Path
    role : str
        Of the rows of this file, the first of this role; by default the first.

    Returns
    -------
    row : dict of str to str
        Without constants, sample and state, if no manifest lists the file.
    folder : Path
        To which the row's file is relative.
    note : str
        Where the row comes from, or why there is none.
    """
    whole = file.resolve()
    empty = dict.fromkeys(manifest.KEYS, "") | {"file": whole.name, "sample": file.stem, "origin": "measured"}
    for folder in whole.parents:
        if not Path(manifest.path(folder)).is_file():
            continue
        try:
            found = manifest.load(folder)
        except manifest.ManifestError as error:
            return empty, whole.parent, f"its manifest is not used: {error.problems[0]}"
        name = whole.relative_to(folder).as_posix()
        rows = [row for row in found.rows if row["file"] == name and role in ("", row["role"])]
        if rows:
            others = f", the first of {len(rows)} rows" if len(rows) > 1 else ""
            return rows[0], folder, f"{rows[0]['role']}, {manifest.label(rows[0])} in {found.path}{others}"
        return empty, whole.parent, f"no row of {found.path} that can be used lists it"
    return empty, whole.parent, "no manifest: its constants are those of the options"


def show(row: Mapping[str, str], folder: Path, output: Path | None, phase: str = "") -> tuple[list[str], bool]:
    """Analyse a recording and draw it.

    Parameters
    ----------
    row : mapping of str to str
        As in the manifest.
    folder : Path
        To which its file is relative.
    output : Path or None
        Picture to be written: .png, .pdf or .svg.
    phase : str
        Main phase of a diffraction pattern; by default a garnet, or the sample if that is the name of a structure.

    Returns
    -------
    text : list of str
        The numbers, in paragraphs.
    analysed : bool
        Whether every part of the recording could be analysed.

    Raises
    ------
    ValueError
        The picture has another suffix.
    coldbond.ReadError, OSError
        The file cannot be read, or the picture not be written.
    """
    if output and output.suffix.lower() not in SUFFIXES:
        raise ValueError(f"{output}: no picture is written in this format: end the name with {', '.join(SUFFIXES)}")
    recording = raw.recording(row, folder)
    guessed, phase = ("", phase) if row["role"] else _guessed(recording, phase)
    known = {name: recording.attrs[name] for name in CONSTANTS if np.isfinite(recording.attrs[name])}
    constants = [f"{value:g} {CONSTANTS[name][1]} {CONSTANTS[name][0]}" for name, value in known.items()]
    text = [", ".join([f"{recording.attrs['technique']}, {recording.attrs['format']}", *constants])]
    text += [guessed] if guessed else []
    text += [f"stated: {recording.attrs['stated']}"] if "stated" in recording.attrs else []
    text += [f"not read: {recording.attrs['unread']}"] if "unread" in recording.attrs else []
    with _style_of(folder):
        made = views(recording)
        parts = made if isinstance(recording, xr.DataTree) else dict([next(iter(made.items()))])
        fig, panels = _figure(len(parts))
        reasons = []
        for panel, (name, make) in zip(panels, parts.items(), strict=False):
            own = recording[name].to_dataset() if isinstance(recording, xr.DataTree) else recording
            paragraph, reason = _drawn(panel, name, make, own, phase)
            text.append(paragraph)
            reasons += [reason] if reason else []
        if recording.attrs["origin"] == "synthetic":
            figures.stamp(fig, {"": recording})
        if output and recording.attrs["technique"] == "energies":
            raise ValueError(f"{output}: a table of energies has no picture: leave -o out")
        if output:
            suffix = output.suffix[1:].lower()
            # Without the time and the version, so that the same recording gives the same bytes.
            metadata: dict[str, Any] = {"svg": {"Date": None}, "pdf": dict.fromkeys(["CreationDate", "Producer"])}
            arguments = {"format": suffix, "dpi": DPI, "metadata": metadata.get(suffix, {"Software": None})}
            with mpl.rc_context({"svg.hashsalt": "coldbond"}):
                files.write(output, lambda part: fig.savefig(part, **arguments))
            text.append(f"{output} is written")
    return text, not reasons


def _guessed(recording: xr.Dataset | xr.DataTree, phase: str) -> tuple[str, str]:
    """Give a recording that no manifest lists the role that its data show; return what was taken, and the phase."""
    attrs, technique = recording.attrs, recording.attrs["technique"]
    if not isinstance(recording, xr.Dataset):
        return "", phase
    if technique == "xrd":
        found = standards.standard(recording)
        phase = phase or found
        return (f"main phase {found}, whose lines alone it shows (--phase says otherwise)" if found else ""), phase
    if technique == "raman" and standards.is_neon(recording):
        attrs["state"] = "lamp"
        return "a neon lamp, by its lines", phase
    if technique == "cycling":
        seen = protocols.protocol(recording)
        attrs["role"], what = next(iter(seen.possible), ""), seen.what
    elif technique == "eis":
        blocks = standards.impedance(recording).blocks
        attrs["role"] = "conductivity" if blocks else "interface"
        what = "its electrodes block" if blocks else "its electrodes do not block"
    else:
        attrs["role"], what = {"dc": ("electronic", "a current at constant voltage")}.get(technique, ("", ""))
    return (f"taken as {attrs['role']}: {what} (--role says otherwise)" if attrs["role"] else what), phase


@contextmanager
def _style_of(folder: Path) -> Iterator[None]:
    """Draw in the style and the colours of a folder, whatever settings of matplotlib the user has."""
    before = paths.RAW
    paths.RAW = folder
    try:
        with mpl.rc_context(mpl.rcParamsDefault), mpl.rc_context(style.rc()):
            yield
    finally:
        paths.RAW = before


def _figure(count: int) -> tuple[Figure, list[FigureBase]]:
    if count == 1:
        fig = Figure(figsize=SIZE, layout="constrained")
        return fig, [fig]
    columns = 2
    rows = ceil(count / columns)
    fig = Figure(figsize=(1.4 * SIZE[0], 0.8 * SIZE[1] * rows), layout="constrained")
    return fig, list(np.ravel(fig.subfigures(rows, columns, squeeze=False)))


def _drawn(
    panel: FigureBase, name: str, make: Callable[[], View], recording: xr.Dataset, phase: str
) -> tuple[str, str]:
    """Draw one view; return its numbers, and the reason if the recording could not be analysed."""
    try:
        view = make()
        if isinstance(view, spectra.Raman) and recording.attrs["role"] == "" and recording.attrs["state"] != "lamp":
            raise ValueError(NO_BANDS)
        settings = defaults(view)
        tables = _diffraction(view, panel, settings, phase) or view.draw(panel, **settings)  # type: ignore[arg-type]
        tables.append(_of_role(recording))
    except EXPECTED as error:
        reason = _for_options(str(error))
        panel.clear()
        _plain(panel, recording)
        return f"{name}: not analysed: {reason}", reason
    heading = [] if name == recording.attrs["technique"] else [name]
    return "\n".join([*heading, *filter(None, map(_text, tables))]), ""


def _diffraction(view: View, panel: FigureBase, settings: dict, phase: str) -> list[pd.DataFrame] | None:
    """Draw a pattern with its whole-pattern fit and the phases that were found; None for another view."""
    if not isinstance(view, spectra.Diffraction):
        return None
    names = ", ".join(view.structures)
    if phase and phase not in view.structures:
        raise ValueError(f"the phase {phase!r} is unknown: use one of {names}, or {REMEDY}")
    main = phase or (settings["main"] if view.pattern.attrs["role"] else "")
    if not main:  # a fit with the wrong phase takes minutes and says nothing
        raise ValueError(f"its main phase is not known: state it with --phase, one of {names}")
    found = view.whole_pattern(main)
    present = [name for name, detection in found.detections.items() if detection.present]
    settings |= {"main": main, "phases": (main, *present), "fitted": True}
    tables = view.draw(panel, **settings)  # type: ignore[arg-type]
    absent = {name: "not found" for name, detection in found.detections.items() if not detection.present}
    return [*tables, pd.DataFrame({"": absent})] if absent else tables


def _of_role(recording: xr.Dataset) -> pd.DataFrame:
    """Return what the figure of an impedance spectrum or of a transient states beside its fit."""
    role, rows = recording.attrs.get("role", ""), {}
    known = all(np.isfinite(recording.attrs.get(name, np.nan)) for name in ("area_cm2", "thickness_cm"))
    if role in ("interface", "full-cell-interface"):
        found = analyses.resistances(recording)
        rows = {"interface, all circuits": _interval(found.interface, "Ω"), "total": _interval(found.total, "Ω")}
    elif role in ("conductivity", "arrhenius"):
        rows = {"ionic conductivity": NO_PELLET}
        if known:
            rows = {"ionic conductivity": _interval(analyses.ionic_conductivity(recording), "S/cm")}
    elif role == "electronic":
        rows = {"electronic conductivity": NO_PELLET}
        if known:
            rows = {"electronic conductivity": _interval(analyses.electronic_conductivity(recording), "S/cm")}
    return numbers(rows)


def _interval(found: Interval, unit: str) -> str:
    value, low, high = ("—" if number is None else f"{number:.3g}" for number in found)
    return f"{value} {unit} ({low} to {high})"


def _plain(panel: FigureBase, recording: xr.Dataset) -> None:
    """Draw a recording that could not be analysed."""
    technique = recording.attrs.get("technique", "xps")
    if technique == "cycling":
        top, below = panel.subplots(2, sharex=True)
        hours = recording.time.to_numpy() / 3600
        top.plot(hours, recording.voltage.to_numpy(), color="k", linewidth=0.6)
        below.plot(hours, 1e3 * recording.current.to_numpy(), color="0.4", linewidth=0.6)
        top.set_ylabel("Voltage / V")
        below.set(xlabel="Time / h", ylabel="Current / mA")
        return
    ax = panel.subplots()
    if technique == "eis":
        z = recording.impedance.to_numpy()
        ax.plot(z.real, -z.imag, "o", color="k", markersize=2.5, markerfacecolor="none")
        ax.set(xlabel="Re Z / Ω", ylabel="−Im Z / Ω", aspect="equal")
        return
    (dimension,) = recording.dims
    shown = recording["current" if technique == "dc" else "intensity"]
    ax.plot(recording[dimension].to_numpy(), shown.to_numpy(), color="k", linewidth=0.6)
    for label, one in ((ax.set_xlabel, recording[dimension]), (ax.set_ylabel, shown)):
        label(f"{one.attrs['long_name']} / {one.attrs['units']}")
    if "binding_energy" in recording.dims:
        ax.invert_xaxis()


def _text(table: pd.DataFrame) -> str:
    table = table[(table.map(str) != "").any(axis="columns")]
    if table.empty:
        return ""
    with pd.option_context("display.unicode.east_asian_width", True):
        return table.to_string(header=bool("".join(map(str, table.columns))), max_colwidth=100)


def _for_options(message: str) -> str:
    """Return the message of an analysis with the option of this command in place of a call in Python."""
    call = re.compile(r"\.assign_attrs\((\w+)=\.\.\.\)")
    return call.sub(lambda found: OPTIONS.get(found[1], "manifest.csv"), " ".join(message.split()))
