"""A value with its 95 % interval, and the quantiles that such intervals are made of.

Every interval of the package is an `Interval`, and every quantile of the normal, Student's t and chi-square
distributions that belongs to 95 % stands in this module alone.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import hypot, isfinite
from typing import Self

from scipy import special

CONFIDENCE = 0.95

#: Standard uncertainties on each side of a two-sided 95 % interval of a normal distribution: 1.95996.
NORMAL = float(special.ndtri((1 + CONFIDENCE) / 2))

#: Standard uncertainties between an estimate and its one-sided 95 % limit: 1.64485.
NORMAL_ONE_SIDED = float(special.ndtri(CONFIDENCE))


def student(freedom: float) -> float:
    """Return the quantile of Student's t for a two-sided 95 % interval with so many degrees of freedom."""
    return float(special.stdtrit(freedom, (1 + CONFIDENCE) / 2))


def student_one_sided(freedom: float) -> float:
    """Return the quantile of Student's t for a one-sided 95 % limit with so many degrees of freedom."""
    return float(special.stdtrit(freedom, CONFIDENCE))


def chi_square(freedom: float = 1) -> float:
    """Return what chi square exceeds by chance in 5 of 100 cases; for one parameter, its rise to a bound (3.84)."""
    return float(special.chdtri(freedom, 1 - CONFIDENCE))


@dataclass(frozen=True, slots=True)
class Interval:
    """A value with its 95 % interval; it unpacks into `value, low, high`.

    Attributes
    ----------
    value : float or None
        The estimate; None where the data do not determine it.
    low, high : float or None
        Bounds of the interval; None where the data give no bound on that side.
    """

    value: float | None
    low: float | None = None
    high: float | None = None

    @classmethod
    def from_bounds(cls, value: float, low: float, high: float) -> Self:
        """Return the interval between two bounds, such as those of a profile; what is not finite is not known."""
        return cls(*(float(x) if isfinite(x) else None for x in (value, low, high)))

    @classmethod
    def symmetric(cls, value: float, half_width: float) -> Self:
        """Return the interval of a value and half of its width."""
        return cls.from_bounds(value, value - half_width, value + half_width)

    @classmethod
    def from_standard_error(cls, value: float, standard_error: float, freedom: float | None = None) -> Self:
        """Return the interval of an estimate.

        Parameters
        ----------
        value, standard_error : float
            In the same unit.
        freedom : float, optional
            Degrees of freedom of a standard error that was estimated from the scatter of the data (Student's t);
            without it the standard error counts as known (normal distribution).
        """
        return cls.symmetric(value, standard_error * (NORMAL if freedom is None else student(freedom)))

    @classmethod
    def hull(cls, value: float | None, intervals: Iterable["Interval"]) -> Self:
        """Return the narrowest interval that holds all of the others; unbounded where one of them is."""
        others = list(intervals)
        lows, highs = [one.low for one in others], [one.high for one in others]
        known_lows, known_highs = [x for x in lows if x is not None], [x for x in highs if x is not None]
        return cls(
            value,
            min(known_lows) if known_lows and len(known_lows) == len(lows) else None,
            max(known_highs) if known_highs and len(known_highs) == len(highs) else None,
        )

    def __iter__(self) -> Iterator[float | None]:
        return iter((self.value, self.low, self.high))

    @property
    def half_width(self) -> float | None:
        """Half of the distance between the bounds; None where one is missing."""
        return None if self.low is None or self.high is None else (self.high - self.low) / 2

    @property
    def is_bounded(self) -> bool:
        """Whether both bounds are known."""
        return self.low is not None and self.high is not None

    @property
    def numbers(self) -> tuple[float, float, float]:
        """Value and both bounds, for arithmetic that needs all three; ValueError where one is missing."""
        if self.value is None or self.low is None or self.high is None:
            raise ValueError(f"{self}: its value or one of its bounds is not determined")
        return self.value, self.low, self.high

    def scaled(self, factor: float) -> "Interval":
        """Return the interval in another unit: value and bounds times a factor, which may be negative."""
        value, low, high = (None if x is None else x * factor for x in self)
        return Interval(value, low, high) if factor >= 0 else Interval(value, high, low)

    def widened(self, standard_uncertainty: float) -> "Interval":
        """Return the interval with one more, independent, standard uncertainty: half widths add in quadrature."""
        if self.value is None:
            return self
        extra = NORMAL * standard_uncertainty
        low = None if self.low is None else self.value - hypot(self.value - self.low, extra)
        high = None if self.high is None else self.value + hypot(self.high - self.value, extra)
        return Interval(self.value, low, high)
