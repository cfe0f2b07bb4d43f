"""The notebooks on new noise: truths found again, decisions right. `make closure` runs it at length."""

import pytest
from scipy import stats

from closure import FIGURES, judged, of_seed, truths


@pytest.mark.parametrize("figure", FIGURES)
def test_decisions_are_right_and_intervals_cover(figure):
    true = truths() | of_seed(figure, 1)
    verdicts = [verdict for seed in (1, 2) for verdict in judged(figure, seed)]
    wrong = [" ".join(key) for key, good in verdicts if isinstance(true[key], bool) and good is False]
    assert not wrong
    covered = [good for key, good in verdicts if not isinstance(true[key], bool)]
    # Intervals that cover 95 in 100 do worse than this in fewer than one of ten such counts: 6 of 8 fails.
    assert covered and sum(covered) >= stats.binom.ppf(0.1, len(covered), 0.95)
