"""Properties of a cycling recording that are derived from its records, since the export does not state them.

These are the sign of the current and the number of lost records. A long recording is read in parts: `summarise` reduces
each part to what these need, and the other functions combine the summaries. `clocks` and `counters` have the others.
"""

import itertools
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from coldbond.files.electrochemistry import clocks, testers
from coldbond.files.electrochemistry.table import Table
from coldbond.files.electrochemistry.vocabulary import COUNTERS, normalised
from coldbond.files.errors import ReadError

#: Step states, normalised as by `direction`: LAND's CCC, CVD, RateC, C_CC, CCCV_C, 恒流充电; Landt's `charge CC`; the
#: Battery Data Format's CC_CHG. LAND's plain CC is a charge or a discharge.
DISCHARGE = re.compile(r".*(dis|dch|dsg|放电).*|[a-z]+_d|d_[a-z]+|(cc|cv|cp|cr|rate)+d|d(cc|cv|cp|cr|rate)+")
CHARGE = re.compile(r".*(chg|charge|充电).*|[a-z]+_c|c_[a-z]+|(cc|cv|cp|cr|rate)+c|c(cc|cv|cp|cr|rate)+")
REST = re.compile(r"r|.*(rest|pause|wait|stop|idle|ocv|静置|搁置|休眠|暂停|停止).*")

#: Step states of Maccor, one letter each.
MACCOR = {"c": 1, "d": -1, "r": 0, "p": 0, "s": 0}
#: Last digits, and part of the largest voltage, that a negative voltage must have to be that of the other direction. A
#: shorted cell is at zero but for noise.
SIGN_DIGITS = 2
SIGN_PART = 0.1
#: Fall of the voltage [V] at a constant, positive current that is no charge of a cell.
FALL_IN_CHARGE = 1.0
#: Voltage [V] below which a cell may be shorted: its voltage falls in charge.
SHORTED = 0.5
#: Stands for a step state that tells no direction.
AMBIGUOUS = 9
#: Relative change of a current that is constant.
CONSTANT = 0.02


def direction(state: str, kind: str = "") -> int | None:
    """Return 1 for a step state that charges, -1 for one that discharges, 0 for a rest, None for an ambiguous one.

    `kind` is the format: only Maccor writes single letters.
    """
    if kind == "maccor-text" and state.strip().casefold() in MACCOR:
        return MACCOR[state.strip().casefold()]
    words = re.sub(r"[\s-]+", "_", unicodedata.normalize("NFKC", state).strip().casefold())
    for pattern, sign in ((DISCHARGE, -1), (CHARGE, 1), (REST, 0)):
        if pattern.fullmatch(words):
            return sign
    return None


@dataclass(frozen=True)
class Summary:
    """What is needed of one part of a recording to derive the properties of the whole.

    Attributes
    ----------
    negative : bool
        Some current is negative, or something else shows that a positive current charges: see `_is_signed`.
    never_negative : bool
        No current is negative, and there are no step states.
    negative_in_discharge, positive_in_discharge : bool
        Some current in a discharging step is negative, or positive.
    ambiguous : ReadError or None
        The error for the first positive current in a step whose state is neither charge, discharge nor rest.
    contradictory : ReadError or None
        The error for the first negative current in a charging step.
    discharged : ReadError or None
        The error for a voltage that a positive current cannot cause.
    records : (int, int)
        Pairs of neighbouring records, and those of them whose step numbers differ by one.
    numbers : (float, float) or None
        The number of the first and of the last record; None where the numbers do not ascend.
    blank : set of str
        Counters of which every cell is empty.
    clocks : Samples
    unread : list of str
    preamble : str
    """

    negative: bool
    never_negative: bool
    negative_in_discharge: bool
    positive_in_discharge: bool
    ambiguous: ReadError | None
    contradictory: ReadError | None
    discharged: ReadError | None
    records: tuple[int, int]
    numbers: tuple[float, float] | None
    blank: set[str]
    clocks: clocks.Samples
    unread: list[str]
    preamble: str


def summarise(table: Table, values: Mapping[str, np.ndarray]) -> Summary:
    """Return the summary of a part, given the values of its columns in the data model's units."""
    current, states = values["current"], table.cells.get("state")
    directions = _directions(table)
    discharging, charging = directions == -1, directions == 1
    ambiguous = (current > 0) & (directions == AMBIGUOUS)
    contradictory = charging & (current < 0)
    of_ambiguous = of_contradictory = None
    if ambiguous.any():
        row = int(ambiguous.argmax())
        state = "no column of step states" if states is None else f"the step state {states[row]!r} does not"
        tells = "tells" if states is None else "tell"
        reason = (
            f"the current of this {testers.NAMES[table.format]} has no sign, and {state} {tells} charge from discharge"
        )
        remedy = "export it with signed currents, or with step states (Step-State, State, Md, 工作模式)"
        of_ambiguous = table.error(row, reason, remedy)
    if contradictory.any():
        reason = "the current is negative in a charging step and positive in discharging ones"
        remedy = "export it with a positive current during charge"
        of_contradictory = table.error(int(contradictory.argmax()), reason, remedy)
    negative = bool((current < 0).any())
    steps = np.diff(values["step"]) if "step" in values else np.zeros(0)
    return Summary(
        negative=negative or (states is None and _is_signed(table, values)),
        never_negative=states is None and not negative,
        negative_in_discharge=bool((current[discharging] < 0).any()),
        positive_in_discharge=bool((current[discharging] > 0).any()),
        ambiguous=of_ambiguous,
        contradictory=of_contradictory,
        discharged=_discharged(table, values) if states is None and not negative else None,
        records=(steps.size, int(np.count_nonzero(steps == 1))),
        numbers=_numbers(table),
        blank={name for name in COUNTERS if name in values and np.isnan(values[name]).all()},
        clocks=clocks.samples(table, values["time"]),
        unread=table.unread,
        preamble=table.preamble,
    )


def _is_signed(table: Table, values: Mapping[str, np.ndarray]) -> bool:
    """Return whether a positive current is known to charge without a negative one or a step state.

    The format defines it, or a counter of charge grows with the current beside one of discharge that does not.
    """
    if table.format in testers.SIGNED:
        return True
    if not {"charge_capacity", "discharge_capacity"} <= values.keys():
        return False
    both = (values["current"][1:] > 0) & (values["current"][:-1] > 0)
    grown = [np.diff(np.abs(values[name]))[both] for name in ("charge_capacity", "discharge_capacity")]
    in_charge, in_discharge = (float(part[part > 0].sum()) for part in grown)
    return in_charge > 0 and in_discharge == 0


def _discharged(table: Table, values: Mapping[str, np.ndarray]) -> ReadError | None:
    """Return the error for currents that are all positive under voltages that show a discharge.

    These are voltages of both signs under current, as of a symmetric cell, and a fall at constant current that no
    charge shows.
    """
    current, voltage = values["current"], values["voltage"]
    under = current > 0
    largest = float(voltage[under].max(initial=0.0))
    least = max(SIGN_DIGITS * 10.0 ** -table.decimals["voltage"], SIGN_PART * largest)
    row = None
    if largest >= least and (voltage[under] < -least).any():
        row = int((under & (voltage < -least)).argmax())
        what = "the voltage has both signs under it"
    elif under.any() and float(np.ptp(voltage[under])) > FALL_IN_CHARGE:
        row = _fallen(current, voltage)
        what = f"the voltage falls by more than {FALL_IN_CHARGE:g} V while it is constant"
    if row is None:
        return None
    reason = f"the current of this {testers.NAMES[table.format]} is never negative, and {what}"
    remedy = "export it with signed currents, or with step states"
    return table.error(row, reason, remedy)


def _fallen(current: np.ndarray, voltage: np.ndarray) -> int | None:
    """Return the first record where the voltage has fallen at a constant current as in a discharge."""
    changes = np.abs(np.diff(current, prepend=0.0)) > CONSTANT * current
    bounds = [*np.flatnonzero(changes), current.size]
    for first, last in itertools.pairwise(bounds):
        stretch = voltage[first:last]
        if current[first] <= 0 or stretch.size < 2 or float(np.ptp(stretch)) <= FALL_IN_CHARGE:
            continue
        fallen = (np.maximum.accumulate(stretch) - stretch > FALL_IN_CHARGE) & (stretch > SHORTED)
        if fallen.any():
            return int(first + fallen.argmax())
    return None


def counts_records(table: Table, parts: Sequence[Summary]) -> bool:
    """Return whether the column of the step numbers the records in each step.

    The Battery Data Format's Step Index does so from version 1.2 on, where Step ID is the step. Older files have the
    step in it.
    """
    pairs, ascending = (sum(part.records[place] for part in parts) for place in (0, 1))
    name = normalised(table.columns["step"].header.partition("/")[0]) if "step" in table.columns else ""
    return name == "stepindex" and table.format.startswith("bdf") and 2 * ascending > pairs


def sign(parts: Sequence[Summary]) -> str:
    """Return where the sign of the current comes from: "recorded" or "step state".

    Some LAND exports give the magnitude of the current alone. A recording whose current is positive in discharging
    steps and never negative in one is such an export, and its discharge currents must be negated. Otherwise the sign is
    as recorded.

    Raises
    ------
    ReadError
        The current has no sign and a step state is ambiguous, or the signs contradict the step states.
    """
    unsigned = any(part.positive_in_discharge for part in parts) and not any(
        part.negative_in_discharge for part in parts
    )
    doubtful = unsigned or not any(part.negative for part in parts)
    errors = [part.ambiguous for part in parts if doubtful] + [part.contradictory for part in parts if unsigned]
    errors += [part.discharged for part in parts if all(each.never_negative for each in parts)]
    for error in filter(None, errors):
        raise error
    return "step state" if unsigned else "recorded"


def with_negative_discharge(table: Table, current: np.ndarray) -> np.ndarray:
    """Return the current of a table, negated in discharging steps."""
    discharging = _directions(table) == -1
    return np.where(discharging, -current, current) if discharging.any() else current


def _directions(table: Table) -> np.ndarray:
    """Return for each record the direction of its step state, `AMBIGUOUS` where there is none."""
    import polars as pl

    states = table.cells.get("state")
    if states is None:
        return np.full(table.size, AMBIGUOUS, np.int8)
    words = {word: direction(word, table.format) for word in states.unique() if word}
    known = {word: sign for word, sign in words.items() if sign is not None}
    if not known:
        return np.full(table.size, AMBIGUOUS, np.int8)
    return states.replace_strict(known, default=AMBIGUOUS, return_dtype=pl.Int8).to_numpy()


def lost_records(parts: Sequence[Summary], size: int) -> int | None:
    """Return how many records are missing between the first and the last; None where the file does not number them."""
    numbers: list[float] = []
    for part in parts:
        # A channel number, or a number that starts again with each step, does not number the records.
        if part.numbers is None or (numbers and part.numbers[0] <= numbers[-1]):
            return None
        numbers += part.numbers
    return int(numbers[-1] - numbers[0]) + 1 - size


def _numbers(table: Table) -> tuple[float, float] | None:
    """Return the number of the first and of the last record; None where there are none or they do not ascend."""
    import polars as pl

    if "record" not in table.cells:
        return None
    numbers = table.cells["record"].cast(pl.Float64, strict=False).to_numpy()
    return None if np.isnan(numbers).any() or (np.diff(numbers) <= 0).any() else (numbers[0], numbers[-1])
