"""Origins: from where forecasts are made, and what is known there."""

from __future__ import annotations

import numpy as np
import pytest

from lstmcast.data.origins import (
    Origins,
    checked_horizon,
    last_known,
    mean_changes,
    origin_times,
    origins_of,
)
from lstmcast.data.panel import Panel
from lstmcast.errors import UsageError


@pytest.fixture
def panel() -> Panel:
    return Panel.from_arrays(
        {"a": np.arange(6.0), "b": np.arange(4.0)}, frequency="MS", start="2024-01"
    )


@pytest.fixture
def holed() -> Panel:
    return Panel.from_arrays(
        {"a": [1.0, np.nan, 4.0, 2.0], "b": [np.nan, np.nan, 1e-9, 3e-9]}
    )


def every_origin(panel: Panel) -> Origins:
    pairs = [
        (s, n + 1) for s, length in enumerate(panel.lengths) for n in range(length)
    ]
    return Origins(*np.array(pairs).T)


def changes_by_hand(panel: Panel, origins: Origins, lag: int, measure) -> list[float]:
    known = (panel.series(s)[:n] for s, n in zip(*origins, strict=True))
    changes = (
        measure(values[lag:] - values[: max(len(values) - lag, 0)]) for values in known
    )
    return [np.nan if np.isnan(one).all() else np.nanmean(one) for one in changes]


def test_times_of_origins_are_the_last_known_one_and_those_after_it(panel):
    cutoffs, times = origin_times(panel, Origins(np.array([1]), np.array([4])), 2)
    assert cutoffs.astype("datetime64[M]").astype(str).tolist() == ["2024-04"]
    assert times.astype("datetime64[M]").astype(str).tolist() == [
        ["2024-05", "2024-06"]
    ]


def test_the_last_known_value_is_that_of_the_series_itself(holed):
    known = last_known(holed, every_origin(holed))
    np.testing.assert_array_equal(known, [1, 1, 4, 2, np.nan, np.nan, 1e-9, 3e-9])


@pytest.mark.parametrize("lag", [1, 2, 9])
@pytest.mark.parametrize("measure", [np.abs, np.square, np.positive])
def test_mean_changes_are_those_of_each_history_alone(holed, lag, measure):
    origins = every_origin(holed)
    mean, pairs = mean_changes(holed, origins, lag, measure=measure)
    expected = changes_by_hand(holed, origins, lag, measure)
    np.testing.assert_allclose(mean, expected, rtol=1e-15)
    assert ((pairs > 0) == ~np.isnan(expected)).all()


def test_small_changes_keep_their_digits_beside_large_ones():
    panel = Panel.from_arrays({"large": [0.0, 1e15, 0.0], "small": [0.0, 1e-5, 0.0]})
    assert mean_changes(panel, origins_of(panel))[0].tolist() == [1e15, 1e-5]


def test_changes_of_other_values_than_the_panels(holed):
    mean, pairs = mean_changes(holed, origins_of(holed), values_N=np.arange(8.0))
    assert (mean.tolist(), pairs.tolist()) == ([1, 1], [3, 3])


def test_origins_are_series_major_and_end_at_the_last_value(panel):
    assert origins_of(panel).counts.tolist() == [6, 4]
    origins = origins_of(panel, np.array([[2, 6], [1, 4]]))
    assert origins.series.tolist() == [0, 0, 1, 1]
    assert origins.counts.tolist() == [2, 6, 1, 4]


@pytest.mark.parametrize("cutoffs", [[[2, 7], [1, 1]], [[0, 1], [1, 1]]])
def test_a_cutoff_outside_of_its_series_is_refused_by_name(panel, cutoffs):
    with pytest.raises(
        UsageError,
        match=r"series 'a': [07] known observations cannot be a cutoff; from 1 to 6",
    ):
        origins_of(panel, np.array(cutoffs))


@pytest.mark.parametrize("cutoffs", [[1, 2], [[1]], [[1.0], [2.0]]])
def test_cutoffs_of_another_shape_or_type_are_refused(panel, cutoffs):
    with pytest.raises(
        UsageError, match=r"whole numbers of shape \(2, K\) are expected"
    ):
        origins_of(panel, np.array(cutoffs))


@pytest.mark.parametrize("horizon", [0, -1, 2.5, True, "12", 10**9])
def test_a_senseless_horizon_is_refused(horizon):
    with pytest.raises(UsageError, match="a whole number of steps from 1 to 100,000"):
        checked_horizon(horizon)


def test_the_horizon_asked_for_comes_before_the_own():
    assert checked_horizon(np.int64(3), 12) == 3
    assert checked_horizon(None, 12) == 12
    with pytest.raises(UsageError, match="No horizon is given"):
        checked_horizon(None)
