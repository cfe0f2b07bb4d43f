"""Numbers of the cycles of a test: the tester's own where it counts cycles, else counted from the first.

A tester's numbers show which cycles are missing from a recording. They are not used where they do not count cycles:
some testers count half cycles, steps, or nothing at all. Where a test was restarted they begin again, and are counted
on. Without them a hole in the records leaves it open how many cycles ran in it.
"""

from typing import NamedTuple

import numpy as np


class Numbers(NamedTuple):
    """Numbers of cycles, and how they were found.

    Attributes
    ----------
    numbers : array of int, shape (n,)
        Strictly increasing.
    by_tester : bool
        Whether they are the tester's.
    words : str
        What differs from a plain count, in words; "" where nothing does.
    sure_until : int
        Last number of which it is known; the last of all where there is no hole.
    """

    numbers: np.ndarray
    by_tester: bool
    words: str
    sure_until: int


def numbered(own: np.ndarray | None, hole: np.ndarray, counted_from: int) -> Numbers:
    """Return the number of each cycle.

    Parameters
    ----------
    own : array of int, shape (n,), or None
        The tester's number at the first half of each cycle; None where the recording has none.
    hole : array of bool, shape (n,)
        Whether a cycle may have run unrecorded before or within this one.
    counted_from : int
        Number of the first cycle where they are counted: 0 for half a cycle before the first whole one.
    """
    counted = counted_from + np.arange(hole.size)
    if own is not None:
        whole = own[1 - counted_from :]  # the tester may give half a cycle the number of the first whole one
        found = _of_tester(whole)
        if found is not None:
            numbers, words = found
            lone = [numbers[0] - 1] if counted_from == 0 else []
            return Numbers(np.concatenate([lone, numbers]).astype(int), True, words, int(numbers[-1]))
    if hole.any():
        first = int(np.argmax(hole))
        sure = int(counted[first - 1]) if first else counted_from - 1
        words = (
            f"records are lost before cycle {counted[first]}, and with them perhaps cycles: its number may be higher"
        )
        return Numbers(counted, False, words, sure)
    words = "the tester's numbers are not those of cycles: counted from the first" if own is not None else ""
    return Numbers(counted, False, words if own is not None and np.ptp(own) else "", int(counted[-1]))


def missing(numbers: np.ndarray) -> list[tuple[int, int]]:
    """Return the first and the last of each stretch of numbers that is missing."""
    steps = np.flatnonzero(np.diff(numbers) > 1)
    return [(int(numbers[i]) + 1, int(numbers[i + 1]) - 1) for i in steps]


def _of_tester(own: np.ndarray) -> tuple[np.ndarray, str] | None:
    """Return the tester's numbers, counted on where they begin again, and words on that; None if they do not count."""
    if not own.size:
        return None
    steps = np.diff(own)
    up = steps[steps > 0]
    if (steps == 0).any() or (steps.size and (not up.size or np.median(up) != 1)):
        return None
    said = []
    numbers = own.astype(int).copy()
    if numbers[0] == 0:
        numbers += 1
        said.append("the tester counts from 0: its numbers are one less")
    for i in np.flatnonzero(steps < 0) + 1:
        said.append(f"the tester's numbers begin again at {own[i]} after cycle {numbers[i - 1]}: counted on from there")
        numbers[i:] += numbers[i - 1] + 1 - numbers[i]
    return numbers, "; ".join(said)
