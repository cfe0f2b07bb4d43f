"""Loss of overpotential within one half cycle of a symmetric cell: how large, how sudden, and whether it fluctuates.

Everything is a ratio to the expected overpotential at the same share of the half cycle, so that the charging of the
double layer and a plateau that rises while voids form do not count. The constants were varied alone on the simulated
cells of tests/test_ccd.py, tests/test_ccd_twin.py, tests/test_long_cycling.py and tests/independent/shorts.py.
"""

import numpy as np
from scipy.ndimage import median_filter

from coldbond.cells import cycling
from coldbond.interval import CONFIDENCE

#: Equidistant shares of a segment at which it is evaluated. Testers may record more often while the voltage changes;
#: on a grid these moments have no more weight.
GRID = np.linspace(0, 1, 201)

#: First share of a segment that is not evaluated, since the double layer is still charging. Set on closure: with
#: 0.01, the twin's cells short a step too early; with 0.15 the results were the same.
CHARGING_SHARE = 0.05

#: Share of a segment for which the overpotential must be too low. Closure was the same with 0.005 and 0.08: the
#: running median of `without_stray` already removes stray records, whether a segment has 10 or 120.
SHORT_SHARE = 0.02

#: Share of the expected overpotential below which a segment has shorted hard. Closure was the same with 0.03 and 0.25.
HARD_RETAINED = 0.1

#: Standard deviations of the noise by which the overpotential must be too low. Set on closure: with 2, sustained cells
#: with noisy records read as shorted; with 10 the results were the same.
NOISE_SIGMA = 5.0

#: Factor by which the scatter about the running median must exceed the largest before for a fluctuating path.
#: Closure was the same with 2 and 10.
FLUCTUATION_RATIO = 5.0

#: Scatter about the running median, as a share of the overpotential, above which a path fluctuates. Set on closure:
#: with 0.02, sustained cells with noisy records read as shorted; with 0.1, soft shorts are missed.
FLUCTUATION_SHARE = 0.05

#: A loss is sudden where half of it or more falls between two neighbouring records that are at most so many seconds
#: apart. A cell in air or in a chamber follows a temperature with a time constant of ten minutes or more: it then makes
#: 39 % of its change in five minutes. An interface relaxes from the current before within the charging share.
SUDDEN_SHARE, SUDDEN = 0.5, 300.0


def without_stray(values: np.ndarray) -> np.ndarray:
    """Return the running median of three; the last value is the median of the last three.

    The running median removes stray records and leaves a step where it is; the last record may be one that was taken
    while the tester switched.
    """
    if values.size <= 4:
        return values
    before, here, after = values[:-2], values[1:-1], values[2:]
    running = np.maximum(np.minimum(before, here), np.minimum(np.maximum(before, here), after))
    return np.concatenate([values[:1], running, cycling.median(values[-3:])[np.newaxis]])


def noise(values: np.ndarray) -> float:
    """Return the standard deviation of the noise of one record, in the unit of the records.

    The median difference between neighbouring records is `MEDIAN_DEVIATION` times sqrt(2) standard deviations, and a
    trend hardly changes it.
    """
    if values.size < 2:
        return 0.0
    return float(cycling.median(np.abs(np.diff(values)))) / (np.sqrt(2) * cycling.MEDIAN_DEVIATION)


def scatter(profile: np.ndarray) -> float:
    """Return the standard deviation of a profile about its running median over a tenth of the segment."""
    return float(np.sqrt(np.mean(_deviation(profile)[GRID >= CHARGING_SHARE] ** 2)))


def fluctuates(profile: np.ndarray, scatter: float, usual: float) -> bool:
    """Return whether the scatter of a profile is that of a path which opens and closes.

    Parameters
    ----------
    profile : array
        On `GRID`.
    scatter, usual : float
        Scatter of the profile, and the largest of the segments before, in the unit of the profile.
    """
    least = FLUCTUATION_SHARE * float(cycling.median(np.abs(profile)))
    return scatter > FLUCTUATION_RATIO * usual and scatter > least


def first_fluctuation(profile: np.ndarray) -> float:
    """Return the share of the segment after which a profile leaves its running median by `FLUCTUATION_SHARE`."""
    evaluated = GRID >= CHARGING_SHARE
    return float(GRID[np.argmax(evaluated & (_deviation(profile) > FLUCTUATION_SHARE * np.abs(profile)))])


def first_sudden(ratios: np.ndarray, seconds: np.ndarray, sigma: float, retained: float) -> int | None:
    """Return the first record after a sudden loss; None where there is none.

    Parameters
    ----------
    ratios : array, shape (n,)
        Resistance over the expected one, record by record, without stray records.
    seconds : array, shape (n - 1,)
        Time between neighbouring records.
    sigma : float
        Standard deviation of the noise of one ratio.
    retained : float
        Share of the level before that the level after must not exceed. A level before counts at most as the expected
        one: where a resistance rose and falls back to the expected one, nothing is lost.

    Notes
    -----
    The level before is the median of the last five records, the level after that of the next three or that of all that
    follow, so that neither a short that heals nor one that fluctuates is missed.
    """
    falls = ratios[:-1] - ratios[1:]
    for after in np.flatnonzero((falls > SUDDEN_SHARE * (1 - retained) * ratios[1:]) & (seconds <= SUDDEN)) + 1:
        if ratios.size - after < 2:
            break
        levels = ratios[max(after - 5, 0) : after]
        before = min(1.0, float(cycling.median(levels)))
        for count in (3, ratios.size):
            following = ratios[after : after + count]
            loss = before - float(cycling.median(following))
            uncertainty = sigma * np.hypot(levels.size**-0.5, following.size**-0.5)
            if (
                loss > (1 - retained) * before
                and falls[after - 1] >= SUDDEN_SHARE * loss
                and loss > NOISE_SIGMA * uncertainty
            ):
                return int(after)
    return None


def hidden_records(intact: np.ndarray) -> int:
    """Return how many records after the onset of a short may still be intact, with a probability of 95 %.

    A path that opens and closes at random is open in the first records as often as in those that follow, a share p of
    them: n intact records in a row have the probability p^n.
    """
    share = float(np.mean(intact)) if intact.size else 0.0
    return int(np.ceil(np.log(1 - CONFIDENCE) / np.log(share))) if 0 < share < 1 else 0


def _deviation(profile: np.ndarray) -> np.ndarray:
    return np.abs(profile - median_filter(profile, GRID.size // 10, mode="nearest"))
