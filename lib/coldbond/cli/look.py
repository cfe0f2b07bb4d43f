"""Looking at every file of a folder: whether it can be read, of which technique it is, and what its data show.

Of each recording only a summary is kept, so that a folder of any size can be looked at.
"""

import hashlib
import os
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import xarray as xr

from coldbond.cli import protocols, standards
from coldbond.files import ReadError, read
from coldbond.files.encoding import HEAD, head
from coldbond.files.samples import samples
from coldbond.files.stated import KALPHA

#: Files and folders that no instrument writes a recording into, by their name.
PASSED_OVER = (
    (re.compile(r"(?i)manifest(\.[\w-]+)?\.(csv|xlsx)|style\.toml|claims\.yml"), "part of the bundle"),
    (re.compile(r"(?i)~\$.*|\..*|thumbs\.db|desktop\.ini|.*\.(tmp|bak|swp|lock|part)"), "written by the system"),
    (
        re.compile(r"(?i)(readme|licen[cs]e|copying|changelog|source|sources)(\.\w+)?|.*\.(md|rst)"),
        "notes, not a recording",
    ),
    (re.compile(r"(?i).*\.(png|jpe?g|gif|bmp|tiff?|svg|webp|eps|heic)"), "a picture"),
    (re.compile(r"(?i).*\.(pdf|docx?|pptx?|odt|odp|rtf|tex|html?)"), "a document"),
    (re.compile(r"(?i).*\.(py|ipynb|m|r|jl|sh|bat|exe|dll|toml|ya?ml|ini|cfg|json|log)"), "a program or its settings"),
    (re.compile(r"(?i).*\.(zip|7z|rar|gz|bz2|xz|tar|zst)"), "an archive: unpack it"),
)
#: Folders that are not searched: crystal structures are no recordings.
NOT_SEARCHED = re.compile(r"(?i)\..*|__macosx|__pycache__|source_data|structures")
#: Places at which two recordings are compared, and the relative difference that the rounding of an export makes.
PLACES, ROUNDED = 64, 6e-4
#: Attrs in which an instrument's operator may have written the name of the sample.
NAME_ATTRS = ("sample_name", "sample", "title", "comment")
#: Lines of a header, split at semicolons, that name the sample.
NAME_LINES = re.compile(
    r"(?i)~?(?:note|cell|battery|sample(?: name)?|description|name of test|备注|样品(?:名称)?)\s*[:=]\s*(.+)"
)
#: Refusals that a statement in the manifest resolves, with the column, and the values that the file is tried with,
#: only to see what it is.
STATEMENTS = (
    ("wavelength_angstrom", re.compile("wavelength"), {"wavelength": KALPHA["Cu"]}),
    ("excitation_nm", re.compile("excitation"), {"excitation": 532.0}),
    ("photon_energy_eV", re.compile("photon energy"), {"photon_energy": 1486.6}),
)


#: What the columns of a file without a header are taken for, by technique.
COLUMNS = {
    "xrd": "2theta [degree] and intensity",
    "raman": "Raman shift [1/cm] and intensity",
    "xps": "binding energy [eV] and intensity",
    "eis": "frequency [Hz], Re(Z) and Im(Z) [ohm]",
}


@dataclass
class Look:
    """What was seen of one recording, or of one sample or sweep in a file of several.

    Attributes
    ----------
    file : str
        Path below the folder, with slashes.
    technique, format, sha256 : str
        As `read` gives them; "" where the file could not be read.
    possible : tuple of str
        Roles that the data allow.
    what : str
        What the data show, in words.
    names : list of str
        What the file calls its sample.
    missing : tuple of str
        Columns of the manifest without which the file cannot be read.
    left_out : str
        Why the file is not for the manifest; "" where it is.
    constants : dict of str to str
        Constants that the file states.
    sample_in_file, sweep : str
        Which part of the file.
    current : float
        Current [A] of a cycler's recording.
    is_synthetic : bool
        Whether the file says that it was simulated.
    lines : str
        Standard whose lines it shows: "Si", "LaB6", "Li", "Ne".
    blocks, has_tail : bool
        Of an impedance spectrum.
    start : str
        When it was measured, where the file states it.
    says : int
        Number of fields that the file states, to choose between two exports of a measurement.
    values : array
        At `PLACES` places, to tell whether two files are the same measurement; there are `size` points, and `level` is
        the sum of the absolute values.
    """

    file: str
    technique: str = ""
    format: str = ""
    sha256: str = ""
    possible: tuple[str, ...] = ()
    what: str = ""
    names: list[str] = field(default_factory=list)
    missing: tuple[str, ...] = ()
    left_out: str = ""
    constants: dict[str, str] = field(default_factory=dict)
    sample_in_file: str = ""
    sweep: str = ""
    current: float = 0.0
    is_synthetic: bool = False
    lines: str = ""
    blocks: bool = False
    has_tail: bool = False
    says: int = 0
    size: int = 0
    level: float = 0.0
    start: str = ""
    values: np.ndarray = field(default_factory=lambda: np.empty(0))


def files(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield each file of a folder, with slashes, and the reason why it is passed over; in the order of names."""
    unread: list[OSError] = []
    for top, folders, names in os.walk(folder, onerror=unread.append):
        links = [name for name in folders if Path(top, name).is_symlink()]
        folders[:] = sorted(name for name in folders if not NOT_SEARCHED.fullmatch(name) and name not in links)
        for name in sorted([*names, *links]):
            path = Path(top, name)
            file = path.relative_to(folder).as_posix()
            yield file, _reason(folder, path, file)
    for error in unread:
        yield Path(error.filename).relative_to(folder).as_posix(), f"a folder that cannot be read: {error.strerror}"


def _reason(folder: Path, path: Path, file: str) -> str:
    """Return why a file is passed over without being opened; "" where it is not."""
    for pattern, reason in PASSED_OVER:
        if pattern.fullmatch(path.name):
            return reason
    if path.is_symlink() and not path.resolve().is_relative_to(folder.resolve()):
        return "a link out of the folder: copy what it leads to into the folder"
    if not path.is_file():
        return "a link to a folder: copy the folder here" if path.is_dir() else "not a regular file"
    if file != file.strip() or any(unicodedata.category(sign) in ("Cc", "Cs") for sign in file):
        return "its name begins or ends with a blank, or has signs that are no text: rename it"
    return ""


def look(folder: Path, file: str) -> list[Look]:
    """Read a file and return what it is; several where it holds several samples, or sweeps at several temperatures."""
    path = folder / file
    try:
        return _seen(folder, file, read(path))
    except ReadError as error:
        return _refused(folder, file, error)
    except OSError as error:
        return [Look(file, left_out=error.strerror or str(error))]


def _refused(folder: Path, file: str, error: ReadError) -> list[Look]:
    """Return what a file is that cannot be read as it stands."""
    reason = f"{error.reason}. {error.remedy}"
    path = folder / file
    for column, pattern, stated in STATEMENTS:
        if pattern.search(error.reason) and column in error.remedy:
            try:
                seen = _seen(folder, file, read(path, **stated))
            except (ReadError, ValueError):
                continue
            for one in seen:
                one.missing = (column,)
            return seen
    if "several temperatures" in error.reason or "sweeps at temperatures" in error.reason:
        return _each_sweep(folder, file)
    if "numbers without a header" in error.reason:
        return [Look(file, sha256=_sha256(path), missing=("technique",), what=f"{error.reason}", left_out="")]
    if "technique" in error.remedy and "column technique" in error.remedy:
        return [Look(file, sha256=_sha256(path), missing=("technique",), what=error.reason)]
    return [Look(file, left_out=reason)]


def with_technique(folder: Path, seen: Look, technique: str) -> Look | None:
    """Return what a file without a header is where its names state a technique; None where it does not fit."""
    stated: dict[str, dict] = {"xrd": {"wavelength": KALPHA["Cu"]}, "raman": {}, "eis": {}, "xps": {}}
    if technique not in stated:
        return None
    try:
        found = _seen(folder, seen.file, read(folder / seen.file, technique=technique, **stated[technique]))[0]
    except (ReadError, ValueError):
        return None
    found.missing = ("wavelength_angstrom",) if technique == "xrd" else ()
    return found


def _each_sweep(folder: Path, file: str) -> list[Look]:
    seen: list[Look] = []
    for number in range(1, 1000):
        try:
            found = _seen(folder, file, read(folder / file, sweep=number))
        except ReadError:
            break
        for one in found:
            one.sweep = str(number)
        seen += found
    return seen or [Look(file, left_out="sweeps at several temperatures, none of which can be read alone")]


def _seen(folder: Path, file: str, recording: xr.Dataset | xr.DataTree) -> list[Look]:
    attrs = recording.attrs
    technique = str(attrs["technique"])
    seen = Look(file, technique, str(attrs["format"]), str(attrs["sha256"]))
    seen.start = str(attrs.get("start", ""))
    seen.says = len(set(attrs) - {"unread", "encoding", "sign", "source"})
    seen.names = [str(attrs[name]) for name in NAME_ATTRS if attrs.get(name)]
    lines = str(attrs.get("header", "")).split("; ")
    seen.names += [match[1] for line in lines if (match := NAME_LINES.fullmatch(line.strip()))]
    said = " ".join([*map(str, attrs.values())])
    seen.is_synthetic = bool(re.search(r"(?i)\bsynthetic\b|\bsimulated\b", said)) or technique == "energies"
    seen.constants = _constants(folder / file, recording)
    if isinstance(recording, xr.DataTree):
        return _regions(seen, recording)
    if technique == "cycling":
        found = protocols.protocol(recording)
        seen.possible, seen.what, seen.current = found.possible, found.what, found.current
        if not found.possible:
            seen.left_out = f"{found.what}: no figure uses it"
        values = [recording[name] for name in ("voltage", "current")]
    elif technique == "eis":
        shown = standards.impedance(recording)
        seen.blocks, seen.has_tail = shown.blocks, shown.has_tail
        seen.possible = ("conductivity", "arrhenius") if shown.blocks else ("interface", "full-cell-interface")
        if shown.has_tail and not shown.blocks:
            seen.possible += ("conductivity", "arrhenius")
        sweeps = int(recording.sweep.max()) if "sweep" in recording and not seen.sweep else 1
        seen.what = "impedance, " + ("blocking electrodes" if shown.blocks else "electrodes do not block")
        seen.what += f", {sweeps} sweeps: the last is used" if sweeps > 1 else ""
        if "temperature" in recording:
            seen.constants["temperature_C"] = f"{float(recording.temperature.mean()):.4g}"
        values = [recording.frequency, np.real(recording.impedance), np.imag(recording.impedance)]
    elif technique == "xrd":
        seen.lines = standards.standard(recording)
        seen.possible = {"Si": ("instrument",), "LaB6": ("instrument",), "Li": ("lithium",)}.get(
            seen.lines, ("phase", "cycled-phase")
        )
        seen.what = "diffraction pattern" + (f", the lines of {seen.lines} alone" if seen.lines else "")
        values = [recording.two_theta, recording.intensity]
    elif technique == "raman":
        seen.lines = "Ne" if standards.is_neon(recording) else ""
        seen.possible, seen.what = ("raman",), "neon lamp, by its lines" if seen.lines else "Raman spectrum"
        values = [recording.raman_shift, recording.intensity]
    elif technique == "dc":
        seen.possible, seen.what = ("electronic",), "current at constant voltage"
        values = [recording.time, recording.current]
    else:
        seen.possible, seen.what = (technique,), "table of energies"
        values = []
    _keep(seen, values)
    return [seen]


def _regions(seen: Look, recording: xr.DataTree) -> list[Look]:
    """Return what a photoelectron file is, once for each of its samples."""
    seen.possible = ("surface", "cycled-surface")
    seen.what = f"XPS: {', '.join(recording.children)}"
    _keep(seen, [region.intensity for region in recording.children.values()])
    held = samples(recording)
    if len(held) < 2:
        return [seen]
    named = [name for name in held if name]
    parts = []
    for name in named:
        regions = [key for key, region in recording.children.items() if region.attrs.get("sample_name") == name]
        parts.append(
            Look(
                **{
                    **vars(seen),
                    "names": [name],
                    "sample_in_file": name,
                    "what": f"XPS: {', '.join(key.split(', ')[0] for key in regions)}",
                    "size": 0,
                }
            )
        )
    return parts


def _keep(seen: Look, values: list) -> None:
    """Keep the number of points, and the values at places that are spread over them."""
    if not values:
        return
    size = min(int(one.size) for one in values)
    taken = np.unique(np.linspace(0, size - 1, PLACES).astype(int))
    columns = [np.asarray(one[taken] if one.size == size else one[:size][taken], float) for one in values]
    seen.size, seen.values = size, np.array(columns)
    seen.level = float(np.abs(seen.values).sum())


def same(one: Look, other: Look) -> bool:
    """Return whether two files are exports of the same measurement.

    Two files of one format are it only where their values are equal: a spectrum that was measured again may be very
    similar.
    """
    if one.sha256 == other.sha256:
        return one.sample_in_file == other.sample_in_file and one.sweep == other.sweep
    if one.technique != other.technique or not one.size or one.values.shape != other.values.shape:
        return False
    if one.size != other.size or abs(one.level - other.level) > ROUNDED * max(one.level, other.level):
        return False
    if one.start and other.start and one.start[:10] != other.start[:10]:
        return False
    if one.format == other.format:
        return bool(np.array_equal(one.values, other.values))
    scale = np.ptp(one.values, axis=1, keepdims=True)
    # Frequencies and impedances extend over decades: each value is compared with itself.
    if one.technique == "eis":
        modulus = np.hypot(one.values[1], one.values[2])
        scale = np.array([np.abs(one.values[0]), modulus, modulus])
    return bool((np.abs(one.values - other.values) <= ROUNDED * scale).all())


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


#: Constants that headers state: column, name, units with their factors, and values that programs write where nobody
#: filled them in.
HEADERS: tuple[tuple[str, str, dict[str, float]], ...] = (
    (
        "area_cm2",
        r"(?:electrode surface area|sample area|electrode area|active area|area)",
        {"cm2": 1.0, "cm²": 1.0, "cm^2": 1.0, "mm2": 0.01, "mm²": 0.01, "mm^2": 0.01},
    ),
    ("thickness_cm", r"(?:sample |pellet )?thickness", {"cm": 1.0, "mm": 0.1, "µm": 1e-4, "um": 1e-4, "μm": 1e-4}),
    ("active_mass_mg", r"(?:mass of active material|active mass|active material mass|mass)", {"mg": 1.0, "g": 1e3}),
)
DEFAULTS = (0.0, 1.0, 0.001)


def _constants(path: Path, recording: xr.Dataset | xr.DataTree) -> dict[str, str]:
    """Return the constants that the header of a text file states with their unit."""
    if recording.attrs["technique"] not in ("cycling", "eis", "dc"):
        return {}
    with path.open("rb") as file:
        start = file.read(HEAD)
    text = "\n".join(head(start)) if b"\0" not in start[:64] else ""
    text = "\n".join([text, *str(recording.attrs.get("header", "")).split("; ")])
    found = {}
    for column, name, units in HEADERS:
        unit = "|".join(map(re.escape, sorted(units, key=len, reverse=True)))
        patterns = (
            rf"(?im)^[~#\s]*{name}\s*\((?P<unit>{unit})\)\s*[:=,\t]\s*(?P<value>\d+(?:[.,]\d+)?)\s*$",
            rf"(?im)^[~#\s]*{name}\s*[:=\t]\s*(?P<value>\d+(?:[.,]\d+)?)\s*(?P<unit>{unit})\b",
            rf"(?im)^\w*AREA\tQUANT\t(?P<value>[\d.E+-]+)\t[^\t]*\((?P<unit>{unit})\)",
        )
        for pattern in patterns if column == "area_cm2" else patterns[:2]:
            if match := re.search(pattern, text):
                value = float(match["value"].replace(",", "."))
                if value not in DEFAULTS:
                    found[column] = f"{value * units[match['unit']]:.9g}"
                break
    return found
