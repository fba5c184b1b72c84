"""What known columns add to a backtest."""

from __future__ import annotations

import numpy as np

import lstmcast as lc
from lstmcast.updating import remembering


def test_a_fitted_model_is_measured_without_the_columns_that_it_remembers():
    rng = np.random.default_rng(0)
    sale = (rng.random(134) < 0.3) * 1.0
    sold = 50 * np.exp(0.5 * sale[:120] + rng.normal(0, 0.05, 120))
    panel = lc.Panel.from_arrays(
        sold, frequency="D", start="2024-01-01", future={"sale": sale}
    )
    model = lc.LSTMForecaster(7)
    kept = remembering(model.with_fitted(model.model), panel.until([90]))
    found = lc.backtest(kept, panel, cutoffs=2, baselines=False).added
    plain = lc.backtest(model, panel, cutoffs=2, baselines=False).added
    assert found.without_any > 1.3 * found.with_all
    assert (found.with_all, found.without_any) == (plain.with_all, plain.without_any)
    assert not lc.backtest(model, panel, cutoffs=2, baselines=False, added=False).added


def test_what_a_model_remembers_is_replaced():
    panel = lc.Panel.from_arrays(np.arange(40.0), frequency="D", start="2024-01-01")
    model = lc.LSTMForecaster(2).with_fitted(lc.LSTMForecaster(2).model)
    kept = remembering(model, panel)
    np.testing.assert_array_equal(kept.predict().point, model.predict(panel).point)
    assert remembering(kept, None).saved_context is None
