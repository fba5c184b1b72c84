"""Errors of free runs by horizon: against errors worked out by hand, with a model whose
forecasts are known."""

from __future__ import annotations

import numpy as np
import pytest

from lstmcast import LSTMForecaster
from lstmcast.data.origins import checked_horizon, origins_of
from lstmcast.data.panel import Panel
from lstmcast.errors import UsageError
from lstmcast.evaluation.by_horizon import errors_by_horizon
from lstmcast.fitted import Fitted
from lstmcast.forecast import Forecast
from lstmcast.saved_context import SavedContext


class LastValue:
    """Says the last value that it has seen for ever; remembers how much it was shown."""

    def __init__(self):
        self.shown = []

    def predict(self, data, horizon=None, *, cutoffs=None, mode="direct"):
        assert mode == "recursive"
        self.shown.append(data.lengths.tolist())
        origins = origins_of(data, cutoffs)
        last = data.values[data.offsets[origins.series] + origins.counts - 1]
        point = np.repeat(last[:, None], checked_horizon(horizon), axis=1)
        return Forecast.at_origins(
            data, origins, point, np.empty((*point.shape, 0)), ()
        )


PANEL = Panel.from_arrays({"up": np.arange(10.0), "square": np.arange(10.0) ** 2})


@pytest.mark.parametrize("observed", [None, 1, 3])
def test_errors_of_the_last_value(observed):
    errors = errors_by_horizon(LastValue(), PANEL, 2, cutoffs=[4, 7], observed=observed)
    assert list(errors) == ["horizon", "up", "square", "total"]
    np.testing.assert_array_equal(errors["horizon"], [1, 2])
    np.testing.assert_allclose(errors["up"], [1, 2])
    # after 4 the square is 9 → 16, 25; after 7 it is 36 → 49, 64
    expected = np.array([[7.0, 16.0], [13.0, 28.0]])
    np.testing.assert_allclose(errors["square"], np.sqrt((expected**2).mean(axis=0)))
    together = np.concatenate([expected, [[1, 2], [1, 2]]])
    np.testing.assert_allclose(errors["total"], np.sqrt((together**2).mean(axis=0)))


def test_a_model_is_shown_only_what_is_observed():
    model = LastValue()
    errors_by_horizon(model, PANEL, 2, cutoffs=[4, 7], observed=3)
    assert model.shown == [[3, 3], [3, 3]]


def test_a_fitted_model_does_not_join_segments_to_what_it_remembers():
    values = 10 + np.sin(np.arange(60) / 2) + np.linspace(0, 3, 60)
    panel = Panel.from_arrays({"y": values})
    model = LSTMForecaster(3)
    fresh = errors_by_horizon(model, panel, 3, cutoffs=[40, 50], observed=12)
    remembering = LSTMForecaster(3)
    context = SavedContext.of(panel.until([45]))
    remembering.fitted = Fitted(remembering.network, saved_context=context)
    assert remembering.continued(panel).continued == ()
    np.testing.assert_array_equal(
        errors_by_horizon(remembering, panel, 3, cutoffs=[40, 50], observed=12)[
            "total"
        ],
        fresh["total"],
    )


def test_steps_past_the_end_do_not_count():
    errors = errors_by_horizon(LastValue(), PANEL, 3, cutoffs=[8, 9])
    np.testing.assert_allclose(errors["up"][:2], [1, 2])
    assert np.isnan(errors["up"][2])


@pytest.mark.parametrize(
    ("cutoffs", "observed"),
    [([], None), ([0], None), ([10], None), ([4], 5), ([[4]], None)],
)
def test_cutoffs_that_do_not_fit(cutoffs, observed):
    with pytest.raises(UsageError, match="do not fit these data"):
        errors_by_horizon(LastValue(), PANEL, 2, cutoffs=cutoffs, observed=observed)


def test_series_named_like_a_column():
    with pytest.raises(
        UsageError, match=r"name of another column of the table: \['total'\]"
    ):
        errors_by_horizon(
            LastValue(), Panel.from_arrays({"total": np.arange(9.0)}), 2, cutoffs=[4]
        )
