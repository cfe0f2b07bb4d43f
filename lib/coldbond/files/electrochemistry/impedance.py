"""Impedance spectra and current transients in the data model.

Readers hand their columns to `spectrum` or `transient`. Real and imaginary part are compared with modulus and phase
where a file has all four, to within the digits that they are written with. The sign of Im(Z) is negative for a
capacitor in the data model, but files are written with either sign. It is therefore determined three times: from the
column's name, from the phase, and from a fit of a passive cell with either sign (the measurement model of Agarwal,
Orazem and Garcia-Rubio 1992, doi 10.1149/1.2069522). Where these contradict each other the file is refused or the attr
`sign` says what decided.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from coldbond.files.errors import ReadError
from coldbond.files.spectrum import MIN_POINTS

AGAIN = "export the complete file again"
#: Numbers of a column from which its number of digits is estimated.
DIGITS_SAMPLE = 2000
#: Numbers of which the largest number of digits is taken: the first of a recording of many sweeps.
MOST_WRITTEN = 20000
#: Share of these numbers [%] that have at most the estimated digits. Few numbers end in zeros, and a single longer
#: number was not written by the program.
DIGITS_PERCENTILE = 90
#: Points above which a file is no impedance recording: a thousand sweeps of a hundred points are fewer.
MOST_POINTS = 200_000
#: Two sweeps cover one range if their ends differ by less than this factor.
SAME_RANGE = 2.0
#: Factor between the lowest frequency, or the time, that was set and that was reached, beyond which a run ended early.
UNFINISHED = 1.3
#: The residual of a passive cell must be this many times larger with one sign of Im(Z) than with the other to decide.
DECISIVE_RATIO = 2.0
#: Residual of each point, relative to |Z|, above which the passive cell does not describe the spectrum at all.
MAX_RESIDUAL = 0.2
#: Two columns are |Z| and phase, not real and imaginary part, where the residual as such is below the first number and
#: this many times smaller than that of the other.
MAX_POLAR = 0.05
POLAR_RATIO = 3.0
#: Relaxation times of the passive cell for each decade of frequency, and decades by which they extend the measured
#: range at each end.
TIMES_PER_DECADE = 4
DECADES_BEYOND = 1.0
#: Points to which the passive cell is fitted.
MOST_FITTED = 2000
#: Iterations of the non-negative least squares, far more than its number of elements.
MAX_ITERATIONS = 10**4
#: Relative rounding error of programs that compute with 32 bits.
SINGLE_PRECISION = 2e-6
#: Phase of an impedance [degree] beyond which it is in another unit; a little is left for rounding.
HALF_TURN = 180.5
#: Largest number of a phase in radians, a right angle.
MOST_RADIANS = 1.6
#: Change of ln |Z| that a phase of so few degrees does not explain: over ten decades it explains 0.4.
LEAST_CHANGE = 0.7
MINUS = re.compile(r"\W*(?:[-−–]|(?:neg(?:ative)?|minus)\b\.?\s*)", re.IGNORECASE)
SAYS_IMAGINARY = re.compile(r"(?i:im|phase)")
NAMED = "'frequency/Hz, Re(Z)/ohm, -Im(Z)/ohm'"


class Column(NamedTuple):
    """A column of numbers.

    Attributes
    ----------
    values : array
        In the base unit.
    last : array
        The size of the last digit that each number was written with, in the base unit.
    digits : int
        The largest number of significant digits.
    """

    values: np.ndarray
    last: np.ndarray
    digits: int


def spectrum(
    path: Path,
    frequency: np.ndarray,
    columns: Mapping[str, Column],
    name: str,
    attrs: Mapping[str, Any],
    lines: Sequence[int],
    sweep: np.ndarray | None = None,
    known_sign: bool = False,
) -> xr.Dataset:
    """Return an impedance spectrum in the data model.

    Parameters
    ----------
    path : pathlib.Path
        For the error.
    frequency : array, shape (n,)
        In Hz, in the order recorded.
    columns : mapping of str to Column
        "real" and "imaginary" in ohm, or "modulus" in ohm and "phase" in degree. Further columns of these must agree
        with the first two. "time" in s.
    name : str
        The name in the file of the column that carries the sign of Im(Z).
    attrs : mapping
        Header fields, with `format`.
    lines : sequence of int
        The line of each point.
    sweep : array, shape (n,), optional
        The number that the instrument gives to the sweep of each point. A sweep also starts where the frequency turns
        back.
    known_sign : bool
        Whether the program that wrote the file gives the imaginary part one sign in all its files, which then counts
        also where a passive cell has the other: an inductive loop at low frequencies is none.

    Returns
    -------
    xarray.Dataset
        `impedance` over `frequency`; `time` where it is recorded; `sweep`, counted from 1, where there are several. The
        attr `sign` says how the sign of Im(Z) was determined.

    Raises
    ------
    ReadError
        A frequency is not positive, a modulus is zero, the columns contradict each other, the frequency changes
        direction within a sweep, there are too few points, or the sign of Im(Z) is unknown.
    """
    if frequency.size < MIN_POINTS:
        raise ReadError(path, None, f"{frequency.size} points are not a spectrum", AGAIN)
    require_few(path, frequency.size)
    _refuse(path, frequency <= 0, lines, "the frequency is not a positive number")
    if {"real", "imaginary"} <= columns.keys():
        impedance, written = columns["real"].values + 1j * columns["imaginary"].values, "real"
    else:
        _check_phase(path, frequency, columns["modulus"].values, columns["phase"].values, name, lines)
        phase = np.radians(columns["phase"].values)
        impedance, written = columns["modulus"].values * np.exp(1j * phase), "modulus"
    _refuse(path, impedance == 0, lines, "the impedance is zero")
    phase_sign = _check_columns(path, impedance, columns, lines) if written == "real" else 0
    if not {"modulus", "phase"} & columns.keys():
        _require_cartesian(path, frequency, impedance)
    sweeps = _sweeps(path, frequency, sweep, lines)
    impedance, sign = _signed(path, frequency, impedance, name, phase_sign, known_sign)
    recording = xr.Dataset(
        {"impedance": ("frequency", impedance, {"units": "ohm", "long_name": "impedance Z"})},
        {"frequency": ("frequency", frequency, {"units": "Hz", "long_name": "frequency"})},
        {"technique": "eis", **attrs, "sign": sign},
    )
    recording.impedance.attrs["significant_digits"] = columns[written].digits
    if "time" in columns:
        recording["time"] = ("frequency", columns["time"].values, {"units": "s", "long_name": "time"})
    if sweeps[-1] > 1:
        recording["sweep"] = ("frequency", sweeps, {"units": "1", "long_name": "number of the sweep"})
    return recording


def transient(
    path: Path, time: np.ndarray, current: np.ndarray, voltage: float, attrs: Mapping[str, Any], lines: Sequence[int]
) -> xr.Dataset:
    """Return the current [A] over time [s] at a constant voltage [V] in the data model.

    The time may repeat only where it is written with too few digits for the interval of the points.
    """
    if time.size < MIN_POINTS:
        raise ReadError(path, None, f"{time.size} points are too few", AGAIN)
    steps = np.diff(time)
    interval = np.min(steps, where=steps > 0, initial=np.inf)
    # A last digit larger than the shortest interval, to within the rounding of a float64.
    rounded = last_digit(time)[1:] > interval * (1 + 1e-6)
    _refuse(path, np.append(False, (steps < 0) | ((steps == 0) & ~rounded)), lines, "the time does not increase")
    shown = {"units": "A", "long_name": "current", "resolution": float(last_digit(current).max())}
    return xr.Dataset(
        {"current": ("time", current, shown)},
        {"time": ("time", time, {"units": "s", "long_name": "time"})},
        {"technique": "dc", **attrs, "applied_voltage": float(voltage)},
    )


def marked_unfinished(recording: xr.Dataset, lowest: float) -> xr.Dataset:
    """Return a spectrum, with the attr `unfinished` where it ends above the lowest frequency [Hz] that was set."""
    reached = float(recording.frequency.min())
    if reached > UNFINISHED * lowest:
        recording.attrs["unfinished"] = f"ends at {reached:g} Hz, {lowest:g} Hz was set"
    return recording


def require_few(path: Path, points: int) -> None:
    """Refuse a file of more points than impedance recordings have."""
    if points > MOST_POINTS:
        raise ReadError(path, None, f"{points} points are no impedance recording", "export fewer sweeps at a time")


def require_finite(path: Path, values: np.ndarray, lines: Sequence[int]) -> None:
    """Refuse a row of a table, shape (rows, columns), with a number that is too large for a float64."""
    _refuse(path, ~np.isfinite(values).all(axis=1), lines, "a number is not finite")


def significant_digits(numbers: Iterable[float]) -> int:
    """Return the largest number of significant digits that one of the numbers is written with."""
    return max(digits for digits, _ in _written(islice(numbers, MOST_WRITTEN)))


def last_digit(numbers: np.ndarray) -> np.ndarray:
    """Return the size of the last digit of each number in a column.

    Programs write a column with a fixed number of significant digits or of decimals; the larger of the two last digits
    is returned.
    """
    sample = numbers[:: 1 + numbers.size // DIGITS_SAMPLE]
    counts = np.array(_written(sample), float)
    digits, decimals = np.percentile(counts, DIGITS_PERCENTILE, axis=0, method="nearest")
    exponent = np.floor(np.log10(np.abs(numbers), where=numbers != 0, out=np.full(numbers.size, -300.0)))
    return np.maximum(10.0 ** (exponent + 1 - digits), 10.0**-decimals)


def _written(numbers: Iterable[float]) -> list[tuple[int, int]]:
    """Return the significant digits and the decimals of each number."""
    written = (Decimal(repr(float(number))).normalize().as_tuple() for number in numbers)
    return [(len(number.digits), -int(number.exponent)) for number in written]


def passive_sign(frequency: np.ndarray, impedance: np.ndarray) -> int:
    """Return 1 where Im(Z) has the sign of a passive cell, -1 where it has the opposite, 0 where neither is clear.

    A spectrum with the wrong sign leaves large residuals in the fit of a passive cell, see `_passive_residuals`.
    """
    residuals = _passive_residuals(frequency, impedance)
    if min(residuals) > MAX_RESIDUAL or max(residuals) < DECISIVE_RATIO * min(residuals):
        return 0
    return 1 if residuals[0] < residuals[1] else -1


def _passive_residuals(frequency: np.ndarray, impedance: np.ndarray) -> tuple[float, float]:
    """Return the residuals (rms, relative to |Z|) of a passive cell fitted to Z and to its complex conjugate.

    A resistance, an inductance, a capacitance and relaxations at fixed times are fitted by non-negative least squares:
    no element of a passive cell is negative.
    """
    from scipy.optimize import nnls  # takes 0.9 s: imported only where a spectrum is read

    if frequency.size > MOST_FITTED:  # of many sweeps, points spread over all frequencies
        some = np.argsort(frequency, kind="stable")[np.linspace(0, frequency.size - 1, MOST_FITTED).astype(int)]
        frequency, impedance = frequency[some], impedance[some]
    omega = 2 * np.pi * frequency
    decades = np.log10(omega.max() / omega.min())
    beyond = 10**DECADES_BEYOND
    count = int(TIMES_PER_DECADE * (decades + 2 * DECADES_BEYOND))
    times = np.geomspace(1 / (beyond * omega.max()), beyond / omega.min(), count)
    ends = np.ones(omega.size), 1j * omega / omega.max(), -1j * omega.min() / omega
    relaxations = 1 / (1 + 1j * times[:, None] * omega)
    elements = np.stack([*ends, *relaxations], axis=1) / np.abs(impedance)[:, None]
    matrix = np.concatenate([elements.real, elements.imag])
    matrix /= np.linalg.norm(matrix, axis=0)
    target = impedance / np.abs(impedance)
    first, second = (
        float(nnls(matrix, np.concatenate([target.real, sign * target.imag]), maxiter=MAX_ITERATIONS)[1])
        for sign in (1, -1)
    )
    return first / np.sqrt(omega.size), second / np.sqrt(omega.size)


def _refuse(path: Path, bad: np.ndarray, lines: Sequence[int], reason: str, remedy: str = AGAIN) -> None:
    if bad.any():
        raise ReadError(path, lines[int(bad.argmax())], reason, remedy)


def _check_columns(path: Path, impedance: np.ndarray, columns: Mapping[str, Column], lines: Sequence[int]) -> int:
    """Refuse modulus or phase that contradict the real and imaginary part.

    Returns
    -------
    int
        1 where the phase has the sign of Im(Z), -1 where it has the opposite, 0 where there is no phase.
    """
    modulus = np.abs(impedance)
    rounding = columns["real"].last + columns["imaginary"].last + SINGLE_PRECISION * modulus
    off, agrees = np.zeros(impedance.size, bool), 0
    if "modulus" in columns:
        off |= np.abs(modulus - columns["modulus"].values) > rounding + columns["modulus"].last
    if "phase" in columns:
        phase = columns["phase"]
        agrees = 1 if np.sum(np.sign(impedance.imag) * np.sign(phase.values)) >= 0 else -1
        difference = (np.degrees(np.angle(impedance)) - agrees * phase.values + 180) % 360 - 180
        off |= np.abs(difference) > phase.last + np.degrees(rounding / modulus)
    _refuse(path, off, lines, "modulus or phase contradict Re(Z) and Im(Z)", "export it again, or leave them out")
    return agrees


def _check_phase(
    path: Path, frequency: np.ndarray, modulus: np.ndarray, phase: np.ndarray, name: str, lines: Sequence[int]
) -> None:
    """Refuse a phase [degree] in another unit than its column states.

    By Bode's relation the modulus changes by a factor of f^(phase / 90 degrees): one that changes under a phase of one
    degree was read in degrees and is in radians.
    """
    remedy = "export the phase in degrees, or Re(Z) and Im(Z)"
    _refuse(path, np.abs(phase) > HALF_TURN, lines, f"{name} is larger than half a turn", remedy)
    most = float(np.abs(phase).max())
    change = float(np.log(modulus.max() / modulus.min())) if modulus.min() > 0 else 0.0
    if most <= MOST_RADIANS and change > LEAST_CHANGE:
        reason = f"{name} is at most {most:.2g} degrees, while |Z| changes by a factor of {np.exp(change):.2g}"
        raise ReadError(path, None, f"{reason}: it is in radians", remedy)


def _require_cartesian(path: Path, frequency: np.ndarray, impedance: np.ndarray) -> None:
    """Refuse |Z| and phase in degrees that are called real and imaginary part."""
    if (impedance.real <= 0).any() or np.abs(impedance.imag).max() > HALF_TURN:
        return
    polar = impedance.real * np.exp(1j * np.radians(impedance.imag))
    as_polar = min(_passive_residuals(frequency, polar))
    if as_polar < MAX_POLAR and min(_passive_residuals(frequency, impedance)) > POLAR_RATIO * as_polar:
        reason = "as real and imaginary part the columns are not those of a passive cell, as |Z| and phase they are"
        raise ReadError(path, None, reason, "name them: 'frequency/Hz, |Z|/ohm, phase/deg'")


def _signed(
    path: Path, frequency: np.ndarray, impedance: np.ndarray, name: str, phase: int, known: bool
) -> tuple[np.ndarray, str]:
    """Return the impedance with Im(Z) < 0 for a capacitor, and how its sign was determined."""
    found = passive_sign(frequency, impedance)
    says = f"the column {name} and the phase say" if phase > 0 else f"the column {name} says"
    if found > 0:
        return impedance, f"as {says}, and as in a passive cell"
    if found < 0 and known and phase >= 0:
        return impedance, f"as {says}, which this format fixes; it is not that of a passive cell"
    if found < 0 and MINUS.match(name) and phase <= 0:
        reason = f"with the minus of {name} the spectrum is not that of a passive cell; without it, it is"
        raise ReadError(path, None, reason, f"name the column {re.sub(MINUS, '', name)!r} if that is what it holds")
    if found < 0 and not MINUS.match(name):
        return impedance.conj(), f"as in a passive cell, the opposite of what {says}"
    if phase < 0:
        return impedance.conj(), f"as the phase says, the opposite of what the column {name} says"
    if phase > 0 or MINUS.match(name) or SAYS_IMAGINARY.search(name):
        return impedance, f"as {says}; the spectrum does not decide"
    reason = f"it is unknown whether {name} is Im(Z) or -Im(Z)"
    raise ReadError(path, None, reason, f"name the column: {NAMED}")


def _sweeps(path: Path, frequency: np.ndarray, stated: np.ndarray | None, lines: Sequence[int]) -> np.ndarray:
    """Return the number of the sweep of each point, counted from 1.

    A sweep starts where the instrument's number changes or the frequency turns back. Where it turns back without a
    number, all sweeps must cover one range: a wrong digit of a frequency looks like a turn.
    """
    starts, turns, direction = [0], [], 0.0
    for point, step in enumerate(np.sign(np.diff(frequency)), start=1):
        numbered = stated is not None and stated[point] != stated[point - 1]
        if numbered or step == 0 or (direction and step != direction):
            starts.append(point)
            turns += [] if numbered else [point]
            direction = 0.0
        else:
            direction = step
    parts = np.split(frequency, starts[1:])
    first, last = parts[0], len(parts) - 1
    for number, (start, part) in enumerate(zip(starts, parts, strict=True) if turns else ()):
        same_direction = (part[-1] < part[0]) == (first[-1] < first[0])
        low, high = part.min() / first.min(), part.max() / first.max()
        if number == last:  # the last sweep may end early
            low, high = min(low, 1), max(high, 1)
        ends = [part[0] / first[0 if same_direction else -1], low, high]
        if part.size < MIN_POINTS or np.abs(np.log(ends)).max() > np.log(SAME_RANGE):
            at = next((turn for turn in turns if turn >= start), turns[-1])
            reason = f"the frequency turns back to {frequency[at]:g} Hz: neither one sweep nor several over one range"
            raise ReadError(path, lines[at], reason, "export each sweep by itself, or with a column that numbers them")
    return np.searchsorted(starts, np.arange(frequency.size), side="right")
