"""Course of the resistance of a symmetric cell over its half cycles: does it bend downwards?

An interface that forms improves fast at first and ever more slowly; it never improves by more in a stretch of time than
in the stretch of the same length before. A path through the electrolyte that grows does: the cell leaves a level that
it held. So does a cell that warms up, which is why a bend alone is no short.
"""

import numpy as np

from coldbond.cells import cycling
from coldbond.interval import CONFIDENCE

#: Least bend, as a share of the resistance, that makes an onset vague: that of a cell which warms up by one kelvin
#: (activation energy 0.36 eV) ...
VAGUE = 0.05
#: ... and the least as a multiple of the largest bend that the recording showed before: a room whose temperature
#: wanders bends the course again and again. No other value was tried.
VAGUE_RATIO = 1.5

#: Half cycles from which on a level shows how it wanders.
LEVEL = 8


class Course:
    """Resistances [ohm cm2] of the sustained half cycles of one direction, in the order of time."""

    def __init__(self) -> None:
        self.resistances: list[float] = []
        self._lowest = np.empty(LEVEL)  # running minimum, with room for more
        self.bends: list[float] = []  # bend at each half cycle
        self.indices: list[int] = []

    def append(self, resistance: float, index: int) -> None:
        """Add a sustained half cycle and its index among all half cycles."""
        self.bends.append(self.bend(resistance))
        at = len(self.resistances)
        if at == self._lowest.size:
            self._lowest = np.concatenate([self._lowest, np.empty(at)])
        self._lowest[at] = min(resistance, self._lowest[at - 1]) if at else resistance
        self.resistances.append(resistance)
        self.indices.append(index)

    def bend(self, resistance: float) -> float:
        """Return by which share a next half cycle lies below what an interface that forms could reach.

        The most over stretches of all lengths: how much more it lost in the last stretch than in the one before. 0 for
        the first two half cycles.
        """
        return float(_bends(self._lowest[: len(self.resistances)], resistance).max(initial=0.0))

    def last_level(self, resistance: float | None) -> int | None:
        """Return the index of the last half cycle before the course bent downwards; None where it does not.

        Parameters
        ----------
        resistance : float or None
            Of the next half cycle, which has been found to bend too much; without it the course must bend by more than
            it ever did before.
        """
        course = np.array(self.resistances)
        value, level = (course[-1:], course[:-1]) if resistance is None else (np.array([resistance]), course)
        if level.size < 2:
            return None
        bends = _bends(np.minimum.accumulate(level), float(value[0]))
        typical = float(cycling.median(level))
        tolerance = max(0.01, 2 * float(cycling.median(np.abs(np.diff(level)))) / typical)
        stretch = int(np.argmax(bends >= bends.max() - tolerance)) + 1
        bent = level.size - stretch
        before = max(self.bends[: bent + 1], default=0.0)
        if resistance is None and bends.max() < max(VAGUE, VAGUE_RATIO * before):
            return None
        return self.indices[_last_on(level, max(bent - stretch, 0), bent, tolerance)]


def _last_on(course: np.ndarray, first: int, bent: int, tolerance: float) -> int:
    """Return the last position of a course that is surely on the level it had from `first` to `bent`.

    A level wanders. A course that has left it may do so unseen until it has fallen by as much as it wanders: the last
    one on the level is the last that lies above 95 % of it, as seen from the trend of the level.
    """
    own = course[first : bent + 1]
    if own.size < LEVEL:
        return int(np.flatnonzero(course >= min(float(cycling.median(own)), course[bent]) * (1 - tolerance))[-1])
    place = np.arange(own.size)
    slope = min(float(np.polyfit(place, own, 1)[0]), 0.0)
    above = own - slope * place
    return first + int(np.flatnonzero(above >= np.quantile(above, CONFIDENCE))[-1])


def _bends(lowest: np.ndarray, resistance: float) -> np.ndarray:
    """Return the bend over stretches of 1, 2, ... half cycles, as shares of the resistance before the last stretch.

    Parameters
    ----------
    lowest : array, shape (n,)
        Running minimum of the resistance.
    resistance : float
        Of the next half cycle.
    """
    stretches = np.arange(1, lowest.size // 2 + 1)
    before, middle = lowest[lowest.size - 2 * stretches], lowest[lowest.size - stretches]
    return ((middle - resistance) - (before - middle)) / np.where(middle > 0, middle, np.inf)
