"""A single event, such as one failed month in six years, does not decide how wide intervals are."""

from __future__ import annotations

import numpy as np
import pytest

import lstmcast as lc
from lstmcast.evaluation.rare import events


def sales(count, season=0.2, seed=1):
    t, noise = np.arange(count), np.random.default_rng(seed).normal(0, 0.03, count)
    return (100 + 0.3 * t) * (1 + season * np.sin(2 * np.pi * t / 12)) * np.exp(noise)


def changed(values, *at, times=0.3):
    values = values.copy()
    values[list(at)] *= times
    return values


@pytest.mark.parametrize(
    ("values", "found"),
    [
        (sales(96), []),
        (changed(sales(96), 82), [82]),
        (changed(sales(96), 82, times=0), [82]),
        (changed(sales(96), 50, times=4), [50]),
        (changed(sales(96), 50, 71), [50, 71]),
        (changed(sales(96), 40, 50, 71), []),  # more than one in forty
        (changed(sales(96), 93), [93]),  # over since, as the next change is an ordinary one
        (changed(sales(96), 94, 95), []),  # perhaps a new level
        (changed(sales(96), 95), []),
        (changed(sales(96), *range(60, 96)), []),  # a level
        (changed(sales(30), 20), []),  # one in thirty
        (np.full(60, 7.0), []),
        (np.full(60, np.nan), []),
    ],
)
def test_an_event_is_unlike_all_others_and_over(values, found):
    assert np.flatnonzero(events(values, 12)).tolist() == found


@pytest.mark.parametrize(("at", "times"), [(46, 0.5), (46, 0), (52, 3.0), (55, 0.2)])
def test_intervals_are_as_wide_as_without_an_event(at, times):
    model = lc.LSTMForecaster(12)

    def widths(values):
        panel = lc.Panel.from_arrays(values, frequency="MS", start="2015-01")
        quantiles = model.predict(panel).quantiles[0]
        return quantiles[:, -1] - quantiles[:, 0]

    with_event = widths(changed(sales(60), at, times=times)) / widths(sales(60))
    assert with_event.max() < 1.8  # more than 4 where the event is a held-out value
