"""VAMAS files of photoelectron spectroscopy, ISO 14976:1998 (.vms, .npl).

File structure
--------------
Text with one value per line: a header, and one block per spectrum. The header says which parameters stand only in the
first block and hold for all. A block gives its parameters in a fixed order, then the ordinates. In a regular scan the
abscissa is a start and an increment; in an irregular scan it is one of the corresponding variables, whose ordinates
alternate. `end of experiment` closes the file. Only experiments of mode NORM are read.

Schema
------
xarray.DataTree, a child per block: `intensity` over `binding_energy` [eV] and, where it was recorded, `transmission`.
Attrs: `energy_scale`, `photon_energy` [eV], `pass_energy` [eV] (or `retard_ratio`), `dwell_time` [s], `sweeps`,
`work_function` [eV], `source_label`, `sample_name`, `block`, `instrument`, `start`, and `experimental_variables` where
they tell the blocks apart, as etch times do. The second "C 1s" of a sample is "C 1s (2)". Fits and calibrations that
CasaXPS wrote into the comments are not applied; `unread` and `charge_reference` name them.

Uncertainties
-------------
`one_count` is 1 for pulse counting in counts, and 1 / (dwell time x sweeps) for counts per second. The statistics of an
analogue signal are unknown.
"""

import contextlib
import re
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from coldbond.files.encoding import as_utf8
from coldbond.files.errors import ReadError
from coldbond.files.format import Checked, Format, Stated
from coldbond.files.numerals import numbers
from coldbond.files.photoelectrons.regions import RATE, energies, region, region_name, tree
from coldbond.files.stated import NO_PHOTON_ENERGY

IDENTIFIER = "VAMAS Surface Chemical Analysis Standard Data Transfer Format 1988 May 4"
#: Bytes within which it must stand.
IDENTIFIER_WITHIN = 1 << 12
END = "end of experiment"
#: The value that stands for a missing number.
MISSING = 1e37
#: Parameters of a block in an experiment of mode NORM, in the order of ISO 14976:1998: the number by which the header's
#: list of parameters names it, its name, its number of lines, and whether they are numbers. 0 lines: as the header
#: says. -n lines: a line with the number of entries stands before them, and each entry has n lines.
BLOCK = (
    *((number, name, 1, True) for number, name in enumerate(("year", "month", "day", "hour", "minute", "second"), 1)),
    (7, "hours ahead of GMT", 1, True),
    (8, "comment", -1, False),
    (9, "technique", 1, False),
    (11, "experimental variables", 0, True),
    (12, "source label", 1, False),
    (14, "photon energy", 1, True),
    (15, "source strength", 1, True),
    (16, "source width", 2, True),
    (19, "angle of incidence", 1, True),
    (20, "azimuth of the source", 1, True),
    (21, "analyser mode", 1, False),
    (22, "pass energy", 1, True),
    (24, "magnification", 1, True),
    (25, "work function", 1, True),
    (26, "target bias", 1, True),
    (27, "analysis width", 2, True),
    (28, "take-off angles", 2, True),
    (29, "species", 1, False),
    (30, "transition", 1, False),
    (30, "charge of the particle", 1, True),
    (31, "abscissa", 0, False),
    (31, "start and increment", 0, True),
    (32, "corresponding variables", -2, False),
    (33, "signal mode", 1, False),
    (34, "dwell time", 1, True),
    (35, "sweeps", 1, True),
    (36, "signal time correction", 1, True),
    (38, "tilt", 2, True),
    (39, "rotation", 1, True),
    (40, "additional parameters", -3, False),
)
AGAIN = "export or copy the file again"


class Lines:
    """The lines of a file, taken one after the other.

    Attributes
    ----------
    at : int
        How many lines have been taken.
    within : str
        The part of the file that is being read, for errors.
    """

    def __init__(self, path: Path, text: str) -> None:
        self.path = path
        self.lines = [line.strip() for line in text.rstrip().split("\n")]
        self.at = next(number for number, line in enumerate(self.lines) if line)
        self.within = "the header"

    def take(self, count: int, what: str) -> list[str]:
        """Return the next `count` lines."""
        if count < 0 or self.at + count > len(self.lines):
            reason = f"{self.within} should have {count} lines of {what}, and the file ends"
            raise ReadError(self.path, len(self.lines), reason, AGAIN)
        self.at += count
        return self.lines[self.at - count : self.at]

    def numbers(self, count: int, what: str) -> list[float]:
        """Return the next `count` lines as numbers."""
        cells = self.take(count, what)
        at = range(self.at - count + 1, self.at + 1)
        return numbers(self.path, cells, f"{what} of {self.within}", at, AGAIN).tolist()

    def whole(self, what: str) -> int:
        """Return the next line as a whole number."""
        (number,) = self.numbers(1, what)
        if not number.is_integer():
            raise self.error(f"{what} of {self.within} is {number:g}, not a whole number")
        return int(number)

    def error(self, reason: str, remedy: str = AGAIN) -> ReadError:
        """Return the error for the line last taken."""
        return ReadError(self.path, self.at, reason, remedy)


class Header(NamedTuple):
    """What the header says about all blocks.

    Attributes
    ----------
    instrument : str
    regular : bool
        Whether the abscissa is a start and an increment.
    variables : tuple of (str, str)
        Names and units of experimental variables, such as an etch time.
    shared : frozenset of int
        Parameters, by their number in `BLOCK`, that only the first block holds.
    future : int
        Lines in each block for entries that a later standard may define.
    blocks : int
    """

    instrument: str
    regular: bool
    variables: tuple[tuple[str, str], ...]
    shared: frozenset[int]
    future: int
    blocks: int


def is_vamas(data: bytes) -> bool:
    """Return whether the first line that is not blank is the identifier of the format."""
    start = data[:IDENTIFIER_WITHIN].removeprefix(b"\xef\xbb\xbf").lstrip()
    return start.upper().startswith(b"VAMAS SURFACE CHEMICAL ANALYSIS")


def read_vamas(path: Path, data: bytes, stated: Stated) -> xr.DataTree:
    """Read every block as a region."""
    data = re.sub(rb"\0+(?=[ \t\0]*\r?\n)", b"", data)  # MultiPak ends texts of two characters with it
    lines = Lines(path, as_utf8(path, data).decode())
    header = _header(lines)
    blocks: list[dict[str, Any]] = []
    regions = []
    for number in range(1, header.blocks + 1):
        lines.within = f"block {number}"
        blocks.append(_block(lines, header, blocks[0] if blocks else None))
        regions.append(_region(lines, header, blocks[-1], stated))
    lines.within = "the file"
    if lines.take(1, "its end")[0].lower() != END or lines.at != len(lines.lines):
        reason = f"{lines.lines[lines.at - 1]!r} where {END!r} should close the file after {header.blocks} blocks"
        raise lines.error(reason)
    if len({tuple(block["experimental variables"]) for block in blocks}) > 1:
        for one, block in zip(regions, blocks, strict=True):
            pairs = zip(header.variables, block["experimental variables"], strict=True)
            shown = (f"{name} {value:g} {unit}" for (name, unit), value in pairs if value < MISSING)
            one.attrs["experimental_variables"] = ", ".join(shown)
    names = [region_name(_label(block)) for block in blocks]
    attrs = {"format": "vamas", "instrument": header.instrument}
    return tree(zip(names, regions, strict=True), attrs)


def _header(lines: Lines) -> Header:
    """Read the header."""
    if lines.take(1, "identifier")[0] != IDENTIFIER:
        raise lines.error(f"the identifier is not {IDENTIFIER!r}", "export it as VAMAS, ISO 14976")
    _, instrument, _, _ = lines.take(4, "identifiers")
    lines.take(lines.whole("number of comment lines"), "comment")
    mode, scan = lines.take(2, "experiment mode and scan mode")
    if mode != "NORM" or scan not in ("REGULAR", "IRREGULAR"):
        reason = f"an experiment of mode {mode} with a scan of mode {scan}"
        raise lines.error(reason, "export spectra: NORM, and REGULAR or IRREGULAR")
    lines.whole("number of regions")
    cells = lines.take(2 * lines.whole("number of experimental variables"), "experimental variables")
    variables = tuple(zip(cells[::2], cells[1::2], strict=True))
    listed = lines.whole("number of parameters in the list")
    named = {int(number) for number in lines.numbers(abs(listed), "list of parameters")}
    known = {number for number, *_ in BLOCK}
    lines.take(lines.whole("number of items entered by hand"), "items entered by hand")
    experiment, block = lines.whole("number of future entries"), lines.whole("number of future block entries")
    lines.take(experiment, "future entries")
    blocks = lines.whole("number of blocks")
    if blocks < 1:
        raise lines.error("the file holds no block", "export it with its spectra")
    shared = frozenset(known - named if listed > 0 else named)
    return Header(instrument, scan == "REGULAR", variables, shared, block, blocks)


def _block(lines: Lines, header: Header, first: dict[str, Any] | None) -> dict[str, Any]:
    """Return a block's parameters by name, lists of text or numbers, and its ordinates (points, variables)."""
    label, sample = lines.take(2, "identifiers")
    lines.within = f"{lines.within} ({label})"
    block: dict[str, Any] = {"label": label, "sample": sample, "line": lines.at - 1}
    lengths = {"experimental variables": len(header.variables)}
    for number, name, count, numeric in BLOCK:
        if first is not None and number in header.shared:
            block[name] = first[name]
            continue
        if count == 0:
            count = lengths.get(name, 2 if header.regular else 0)
        elif count < 0:
            count *= -lines.whole(f"number of {name}")
        block[name] = (lines.numbers if numeric else lines.take)(count, name)
        if name == "technique" and block[name][0] not in ("XPS", "UPS"):
            raise lines.error(f"{lines.within} is of the technique {block[name][0]!r}", "export the XPS blocks alone")
        if name == "signal mode" and block[name][0] not in ("analogue", "pulse counting"):
            raise lines.error(f"the signal mode of {lines.within} is {block[name][0]!r}")
    lines.take(header.future, "future entries")
    number, width = lines.whole("number of ordinates"), len(block["corresponding variables"]) // 2
    if not width or number % width:
        raise lines.error(f"{lines.within} has {number} ordinates of {width} corresponding variables")
    lines.numbers(2 * width, "least or greatest ordinate")  # not compared: programs leave them at 0 and 1
    block["first"] = lines.at + 1
    block["ordinates"] = np.array(lines.numbers(number, "ordinate")).reshape(-1, width)
    return block


def _region(lines: Lines, header: Header, block: dict[str, Any], stated: Stated) -> xr.Dataset:
    """Return the spectrum of a block over binding energy."""
    path, within = lines.path, lines.within
    labels, units = block["corresponding variables"][::2], block["corresponding variables"][1::2]
    ordinates, first = block["ordinates"], block["first"]
    for point, column in np.argwhere(np.abs(ordinates) >= MISSING):
        reason = f"{labels[column]} of point {point + 1} of {within} is 1e+37, which means missing"
        raise ReadError(path, first + int(point) * len(labels) + int(column), reason, "export it without the gap")
    transmission, axis = _column(labels, "transmission"), None
    if header.regular:
        scale, unit = block["abscissa"]
        start, step = block["start and increment"]
        energy = start + step * np.arange(len(ordinates))
    else:
        axis = _column(labels, "energy")
        scale, unit = (labels[axis], units[axis]) if axis is not None else ("", "")
        energy = ordinates[:, axis or 0]
    kind = re.match("kinetic|binding", scale, re.IGNORECASE)
    if not kind or unit != "eV":
        reason = f"the abscissa of {within} is {scale!r} in {unit!r}"
        raise ReadError(path, block["line"], reason, "export it over kinetic or binding energy in eV")
    attrs = _attrs(block) | {"instrument": header.instrument}
    if kind[0].lower() == "kinetic" and "photon_energy" not in attrs and stated.photon_energy is None:
        reason = f"{within} is over kinetic energy, and its photon energy is missing"
        raise ReadError(path, block["line"], reason, NO_PHOTON_ENERGY[1])
    energy, scale_attrs = energies(path, energy, kind[0].lower(), attrs.get("photon_energy"), stated, block["line"])
    attrs |= scale_attrs
    others = [column for column in range(len(labels)) if column not in (transmission, axis)]
    if not others:
        reason = f"{within} has no ordinates but {', '.join(labels)}"
        raise ReadError(path, block["line"], reason, "export it with its intensities")
    at = others[0]
    unread = [labels[column] for column in others[1:]]
    unread += ["fit by CasaXPS"] if any(line.startswith("CASA comp") for line in block["comment"]) else []
    attrs |= {"unread": ", ".join(unread)} if unread else {}
    points = range(first, first + ordinates.size, len(labels))
    found = region(path, energy, ordinates[:, at], _unit(block, labels[at], units[at]), attrs, points)
    if transmission is not None:
        values = ordinates[np.argsort(energy), transmission]
        shown = {"units": "1", "long_name": "transmission of the analyser"}
        found["transmission"] = ("binding_energy", values, shown)
    return found


def _unit(block: dict[str, Any], label: str, unit: str) -> str:
    """Return what the file calls the unit of an ordinate."""
    if block["signal mode"] != ["pulse counting"]:
        return "analogue signal"
    # The standard's units are d, a pure number, and c/s. Programs write d for rates too, and say so in a name.
    rate = next((text for text in (unit, label, block["label"]) if RATE.search(text)), None)
    return rate or ("counts" if unit == "d" else unit)


def _attrs(block: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters of a block under the names of the data model; missing or zero ones are left out."""
    resolving = "pass_energy" if block["analyser mode"] == ["FAT"] else "retard_ratio"
    numbers = {
        "photon_energy": block["photon energy"][0],
        resolving: block["pass energy"][0],
        "dwell_time": block["dwell time"][0],
        "sweeps": block["sweeps"][0],
    }
    attrs: dict[str, Any] = {name: number for name, number in numbers.items() if 0 < number < MISSING}
    if block["work function"][0] < MISSING:
        attrs["work_function"] = block["work function"][0]
    clock = [block[name][0] for name in ("year", "month", "day", "hour", "minute", "second")]
    with contextlib.suppress(ValueError, OverflowError):  # the date was not recorded, or has second 60
        year, month, day, hour, minute, second = map(int, clock)
        attrs["start"] = datetime(year, month, day, hour, minute, second).isoformat()
    calibrations = [line for line in block["comment"] if line.startswith("Calib")]
    if calibrations:
        attrs["charge_reference"] = f"CasaXPS, not applied here: {'; '.join(calibrations)}"
    return attrs | {"source_label": block["source label"][0], "sample_name": block["sample"], "block": block["label"]}


def _label(block: dict[str, Any]) -> str:
    """Return species and transition, or the label of the block where these are not specified."""
    words = [word for word in (*block["species"], *block["transition"]) if word and word.lower() != "not specified"]
    return " ".join(words) or block["label"]


def _column(labels: Sequence[str], word: str) -> int | None:
    """Return the index of the first label that contains a word."""
    return next((number for number, label in enumerate(labels) if word in label.lower()), None)


FORMAT = Format(
    name="VAMAS (ISO 14976)",
    vendors="any, CasaXPS, Kratos, PHI, SPECS",
    techniques=("xps",),
    extensions=(".vms", ".npl"),
    recognise=is_vamas,
    read=read_vamas,
    reads="experiments of mode NORM, regular and irregular scans of XPS and UPS, of several samples; fits of CasaXPS "
    "are named in `unread`",
    checked=(
        Checked("xps-phi-vamas-npl/Mutlipak_vms.npl", "MIT", "a plain parse"),
        Checked("xps-pt4f-vamas/Pt4f.vms", "BSD-3-Clause (readme alone)", "tabulated Pt 4f"),
        Checked("xps-vamas-axis/0-150W.vms", "MIT", "a plain parse"),
        Checked("xps-vamas-kratos-specs/FeO_analyzed.vms", "Apache-2.0", "CasaXPS"),
        Checked("xps-vamas-kratos-specs/regular.vms", "Apache-2.0", "the irregular scan of the same spectrum"),
    ),
)
