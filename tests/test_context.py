"""Where cutoffs are held out."""

import numpy as np
import pytest

from lstmcast.context import farthest_held_out, held_out_counts


@pytest.mark.parametrize(
    "periods", [(1,), (7,), (12,), (24, 168), (52,), (288, 2016), (5,)]
)
def test_held_out_cutoffs_lie_in_the_later_half_of_what_is_known(periods):
    counts = np.array([1, 8, 9, 20, 150, 999, 100_000])
    held_out, apart = held_out_counts(counts, periods, 24)
    some = held_out > 0
    latest = np.maximum(counts // 2, 8)[:, None]
    assert (held_out[some] >= np.broadcast_to(latest, held_out.shape)[some]).all()
    assert not some[:2].any() and some[4:].any(axis=1).all() and some[-1].all()
    assert (np.diff(held_out[-1]) == -apart[-1]).all() and 24 * apart[
        -1
    ] == farthest_held_out(periods)


def test_a_part_of_a_long_history_has_the_cutoffs_of_the_whole():
    """As a saved model keeps so much of it, and more comes."""
    for periods in [(1,), (7,), (12,), (24, 168), (52,), (288, 2016)]:
        kept = 2 * farthest_held_out(periods)
        for lost in (512, 5000):
            for more in (0, 1, 777):
                whole, apart = held_out_counts(
                    np.array([kept + lost + more]), periods, 24
                )
                part, own = held_out_counts(np.array([kept + more]), periods, 24)
                np.testing.assert_array_equal(whole - lost, part)
                assert own == apart
