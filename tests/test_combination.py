"""The forecast combination: its weights, what they may know, and that a saved model goes on with
the same ones."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

import lstmcast as lc
from builders import with_open_ends
from lstmcast.data.examples import airline
from lstmcast.data.origins import Origins
from lstmcast.errors import ModelError, UsageError
from lstmcast.evaluation.baselines import HoltWinters, SeasonalNaive, SeasonalNaiveDrift
from lstmcast.evaluation.candidates import Drift, Given, Last, candidates_of
from lstmcast.evaluation.combination import (
    Errors,
    drawn_together,
    least,
    shares_of,
)
from lstmcast.evaluation.linear import Linear
from lstmcast.evaluation.methods import checked_candidates, checked_method
from lstmcast.evaluation.weights import FADE

EIGHTH = np.array([1 / 8])  # of the trust in the network


def panel_of(values: dict, frequency: str = "D", **options) -> lc.Panel:
    return lc.Panel.from_arrays(
        values, frequency=frequency, start="2020-01-06", **options
    )


def shops(count: int = 3, days: int = 400, seed: int = 0) -> lc.Panel:
    """Daily series with a week, of different lengths and sizes."""
    rng, series = np.random.default_rng(seed), {}
    for k in range(count):
        t = np.arange(days - 37 * k)
        week = 5 + np.sin(2 * np.pi * t / 7) + 0.002 * t
        series[f"s{k}"] = 10.0**k * week * np.exp(rng.normal(0, 0.1, len(t)))
    return panel_of(series)


def hours(days: int = 60, seed: int = 3) -> lc.Panel:
    """Hourly values with a day that the network has to feed its answers back for."""
    t, rng = np.arange(24 * days), np.random.default_rng(seed)
    day = np.where((t % 24 > 7) & (t % 24 < 19), 5.0, 1.0) * np.where(
        t // 24 % 7 < 5, 1.0, 0.4
    )
    return panel_of({"h": day * np.exp(rng.normal(0, 0.05, len(t)))}, "h")


# ---------------------------------------------------------------- weights


def test_weights_by_hand():
    """Half the error weighs 2⁸ times as much, the network 8 times as much as the same error."""
    shares = shares_of(np.log([[0.5, 1.0, 2.0]]), np.full(3, 1 / 8))[0]
    weights = np.array([2.0**8, 1.0, 2.0**-8])
    np.testing.assert_allclose(shares, weights / (8 + weights.sum()), rtol=1e-12)
    assert least(np.log([[0.9, 0.8, 1.0]])).tolist() == [[0, 1, 0]]


def test_few_windows_are_drawn_to_the_others_and_those_to_nothing():
    ratio = np.array([[1.0], [2.0], [3.0]])
    windows = np.array([[4.0], [4.0], [0.0]])
    drawn = drawn_together(ratio, windows, [np.arange(3)])[:, 0]
    first = (4 * 1 + 2 * (4 * 2 / (4 + 2))) / (4 + 2)
    assert drawn[0] == pytest.approx(first)
    assert drawn[2] == pytest.approx((4 * 1 + 4 * 2) / (8 + 2))  # nothing of its own


def test_too_few_windows_in_all_weigh_nothing():
    drawn = drawn_together(np.array([[-0.3]]), np.array([[2.9]]), [np.arange(1)])
    assert shares_of(drawn, EIGHTH).tolist() == [[0.0]] and least(drawn).tolist() == [
        [0.0]
    ]
    pulled = drawn_together(np.array([[-0.3]]), np.array([[3.0]]), [np.arange(1)])
    assert shares_of(pulled, EIGHTH) > 0.3


def test_one_window_is_enough_for_a_clear_difference():
    ratio, windows = (
        np.log(np.array([[0.45], [0.55], [0.45]])),
        np.array([[1.0], [1.0], [0.9]]),
    )
    weighed = [
        drawn_together(ratio[[k]], windows[[k]], [np.arange(1)])[0, 0] for k in range(3)
    ]
    assert weighed[0] == pytest.approx(np.log(0.45) / 3)
    assert weighed[1:] == [np.inf, np.inf]


def test_newer_cutoffs_weigh_more():
    """Of two cutoffs, the network erred at the newer one, the candidate at the older one."""
    errors = Errors(
        network_OJ=np.array([[3.0, 1.0]]),
        candidates_NOJ=np.array([[[1.0, 3.0]]]),
        count_OJ=np.array([[2, 2]]),
        windows_O=np.array([4.0]),
    )
    ratio_ON, windows_ON = errors.relative(np.ones((1, 2), bool))
    expected = np.log((1 + 3 * FADE) / (3 + FADE))
    np.testing.assert_allclose(ratio_ON, [[expected]])
    assert expected < 0 and windows_ON.tolist() == [[4.0]]


def months(changed_season, after: int, seed: int) -> tuple[lc.Panel, np.ndarray]:
    """Five years of months whose season changed so many months before their end, and the next
    year."""
    rng, t = np.random.default_rng(seed), np.arange(72)
    season = 0.5 * np.sin(2 * np.pi * t / 12)
    season = np.where(t < 60 - after, season, changed_season(t))
    values = 100 * (1 + season) * (1 + 0.03 * rng.normal(size=72))
    return panel_of({"m": values[:60]}, "MS"), values[60:]


@pytest.mark.parametrize(
    ("changed_season", "after", "most"),
    [
        (lambda t: 0.0 * t, 18, 1.5),
        (lambda t: 0.5 * np.sin(2 * np.pi * (t + 3) / 12), 24, 4.0),
    ],
    ids=["it vanished", "it comes three months earlier"],
)
def test_a_season_that_changed_is_not_carried_on(changed_season, after, most):
    """Over seeds, the network alone errs four and six times as much as the last year does."""
    error = naive_error = 0.0
    for seed in range(4):
        panel, actual = months(changed_season, after, seed)
        forecast = lc.LSTMForecaster(12).predict(panel)
        error += np.abs(forecast.point[0] - actual).mean()
        naive_error += np.abs(panel.values[-12:] - actual).mean()
    assert error < most * naive_error


def test_what_comes_once_a_year_is_foretold():
    """Eleven of twelve values are 0, as is the network's median nearly."""
    rng, t = np.random.default_rng(0), np.arange(120)
    values = np.where(t % 12 == 3, 9000 * np.exp(rng.normal(0, 0.05, 120)), 0.0)
    point = lc.LSTMForecaster(12).predict(panel_of({"a": values}, "MS")).point[0]
    assert point[3] > 4000 and np.delete(point, 3).max() < 10


def test_a_season_that_the_network_misses_is_taken_from_the_last_cycles():
    """A cycle of 26 steps with 26 levels, no two alike."""
    t, rng = np.arange(800), np.random.default_rng(0)
    values = np.exp(np.random.default_rng(1).normal(0, 1, 26))[t % 26]
    panel = panel_of(
        {"a": values * np.exp(rng.normal(0, 0.01, 800))}, "h", periods=(24, 26)
    )
    alone = lc.backtest(lc.LSTMForecaster(48, method="network"), panel).scores[
        "lstmcast"
    ]["mae"]
    model = lc.LSTMForecaster(48)
    assert lc.backtest(model, panel).scores["lstmcast"]["mae"] < 0.5 * alone
    made = model.predict(panel).combination
    assert made is not None
    shares = made.as_dict()
    assert (
        shares["mean of 3 cycles of 26 steps"] + shares["seasonal naive of 26 steps"]
        > 0.9
    )
    assert "of 26 steps" in str(made).split(",")[0]


def test_the_default_is_the_combination_for_the_shipped_network_only():
    panel, given = shops(), lc.LSTMForecaster(7).network
    combined, alone = lc.LSTMForecaster(7), lc.LSTMForecaster(7, weights=given)
    assert (combined.method, alone.method) == ("combined", "network")
    own = lc.LSTMForecaster(7, method="network").predict(panel)
    np.testing.assert_array_equal(alone.predict(panel).point, own.point)
    assert own.combination is None and alone.predict(panel).combination is None
    asked = lc.LSTMForecaster(7, weights=given, method="combined").predict(panel)
    np.testing.assert_array_equal(asked.point, combined.predict(panel).point)
    assert np.abs(asked.point / own.point - 1).max() > 1e-3


def test_shares_add_up_and_are_held_for_the_chosen_origins():
    forecast = lc.LSTMForecaster(7).predict(
        shops(), cutoffs=np.full((3, 2), [[200, 300]])
    )
    made = forecast.combination
    assert made is not None and made.shares.shape == (6, len(made.names))
    np.testing.assert_allclose(made.shares.sum(axis=1), 1)
    assert forecast.select("s1").combination.shares.shape[0] == 2
    assert sum(made.as_dict().values()) == pytest.approx(1, abs=1e-3)


# ---------------------------------------------------------------- what they may know


@pytest.mark.parametrize(
    "method", ["combined", "best", "linear map", "seasonal naive with drift"]
)
def test_nothing_later_changes_a_forecast(method):
    """Neither of its own series, nor of another one at its own cutoff."""
    panel, model = shops(), lc.LSTMForecaster(7, method=method)
    cutoffs = np.array([[210, 280]] * 3)
    before = model.predict(panel, cutoffs=cutoffs)
    values = panel.values.copy()
    for begin in panel.offsets[:-1]:
        values[begin + 280 : begin + 300] *= 50
    after = model.predict(replace(panel, values=values), cutoffs=cutoffs)
    np.testing.assert_array_equal(before.point, after.point)
    np.testing.assert_array_equal(before.quantiles, after.quantiles)
    assert before.combination and after.combination
    np.testing.assert_array_equal(before.combination.shares, after.combination.shares)
    until = model.predict(panel.until(np.full(3, 210)))
    np.testing.assert_allclose(until.point, before.point[::2], rtol=1e-6)


def test_a_saved_model_goes_on_to_the_last_bit(tmp_path):
    """Over several starting points of the context, and what it was made of is renewed."""
    panel = shops(days=2900)
    model = lc.LSTMForecaster(7)
    model.save(tmp_path / "m", panel.until(panel.lengths - 180))
    went_on = lc.load(tmp_path / "m")
    assert went_on.method == "combined"
    assert len(went_on.saved_context.panel.values) < len(panel.values)
    newer = panel.since(panel.lengths - 180)
    whole, joined = model.predict(panel), went_on.predict(newer)
    np.testing.assert_array_equal(joined.point, whole.point)
    np.testing.assert_array_equal(joined.quantiles, whole.quantiles)
    assert joined.combination and whole.combination
    assert joined.combination.names == whole.combination.names
    np.testing.assert_array_equal(joined.combination.shares, whole.combination.shares)
    saved = json.loads((tmp_path / "m" / "manifest.json").read_text())
    assert saved["method"] == "combined"
    assert saved["combination"] == went_on.predict().combination.as_dict()
    assert saved["combination"] != joined.combination.as_dict()


def test_an_hourly_model_goes_on_to_the_last_bit(tmp_path):
    panel = hours(days=80)
    model = lc.LSTMForecaster(48)
    model.save(tmp_path / "m", panel.until(panel.lengths - 100))
    joined = lc.load(tmp_path / "m").predict(panel.since(panel.lengths - 100))
    np.testing.assert_array_equal(joined.point, model.predict(panel).point)
    assert joined.combination and len(joined.combination.names) > 5


def test_models_of_older_versions_answer_alone(tmp_path):
    panel = shops(1)
    model = lc.LSTMForecaster(7)
    model.save(tmp_path / "m", panel)
    manifest, groups = lc.store.load(tmp_path / "m")
    for name in ("method", "combination", *lc.store.OWN_KEYS):
        manifest.pop(name, None)
    lc.store.save(tmp_path / "old", manifest, groups)
    old = lc.load(tmp_path / "old")
    alone = lc.LSTMForecaster(7, method="network").predict(panel)
    np.testing.assert_array_equal(old.predict().point, alone.point)
    assert lc.load(tmp_path / "old", method="combined").predict().combination


# ---------------------------------------------------------------- series that are not like others


def test_one_tiny_series_is_the_network_s():
    panel = panel_of({"a": np.array([3.0, 5.0, 4.0, 6.0, 5.0])})
    made = lc.LSTMForecaster(3).predict(panel)
    np.testing.assert_array_equal(
        made.point, lc.LSTMForecaster(3, method="network").predict(panel).point
    )
    assert str(made.combination) == "network 100%"


def test_constants_missing_ends_and_counts():
    rng = np.random.default_rng(0)
    missing = 5 + np.sin(np.arange(300) * 2 * np.pi / 7) + rng.normal(0, 0.1, 300)
    missing[-9:] = np.nan
    values = {
        "constant": np.full(300, 7.0),
        "ends unknown": missing,
        "counts": np.where(rng.random(300) < 0.1, rng.integers(1, 4, 300), 0).astype(
            float
        ),
        "unknown": np.full(300, np.nan),
    }
    days = np.datetime64("2020-01-01") + np.arange(300)
    ids, joined = np.repeat(list(values), 300), np.concatenate(list(values.values()))
    panel = lc.read({"id": ids, "ds": np.tile(days, 4), "y": joined}, series="id")
    forecast = lc.LSTMForecaster(7).predict(panel)
    point = dict(zip(forecast.ids, forecast.point, strict=True))
    np.testing.assert_allclose(point["constant"], 7.0, rtol=1e-6)
    assert np.isfinite(point["ends unknown"]).all()
    alone = lc.LSTMForecaster(7, method="network").predict(panel).select("counts")
    np.testing.assert_array_equal(forecast.select("counts").point, alone.point)
    if "unknown" in point:
        assert np.isnan(point["unknown"]).all()


def test_scaled_and_shifted_series_have_scaled_and_shifted_forecasts():
    panel = shops()
    model = lc.LSTMForecaster(7)
    first = model.predict(panel).point
    scaled = model.predict(replace(panel, values=4 * panel.values)).point
    np.testing.assert_allclose(scaled, 4 * first, rtol=1e-6)
    linear = replace(panel, values=panel.values - 1e4)
    shifted = model.predict(replace(linear, values=2 * linear.values + 64)).point
    np.testing.assert_allclose(shifted, 2 * model.predict(linear).point + 64, rtol=1e-5)


def test_a_candidate_that_breaks_loose_is_held():
    """A last value that is a hundred times too large does not carry the forecast with it."""
    panel = panel_of({"a": 100 + np.cumsum(np.random.default_rng(0).normal(0, 1, 400))})
    model = lc.LSTMForecaster(5)
    made = model.predict(panel).combination
    assert made is not None and made.as_dict()["naive"] > 0.05
    values = panel.values.copy()
    values[-1] *= 100
    jumped = replace(panel, values=values)
    alone = lc.LSTMForecaster(5, method="network").predict(jumped).point
    assert np.abs(model.predict(jumped).point - alone).max() < 100


# ---------------------------------------------------------------- names


def test_a_forecast_by_its_name():
    panel = airline()
    last = lc.LSTMForecaster(12, method="seasonal naive").predict(panel)
    np.testing.assert_allclose(last.point[0], panel.values[-12:], rtol=1e-9)
    assert str(last.combination) == "seasonal naive of one year 100%"
    assert (last.interval(80).lower < last.point).all()
    assert lc.LSTMForecaster(12, method="Naive").predict(panel).point[
        0, 3
    ] == pytest.approx(432)


def test_the_best_is_one_of_them():
    panel = hours()
    made = lc.LSTMForecaster(48, method="best").predict(panel).combination
    assert made is not None and sorted(made.shares[0])[-2:] == [0.0, 1.0]


def test_names_that_are_not_there():
    with pytest.raises(
        UsageError, match=r"method='foo' is not known.*'combined'.*'linear map'"
    ):
        lc.LSTMForecaster(12, method="foo")
    with pytest.raises(
        UsageError, match=r"not a forecast for these data.*naive of one year'"
    ):
        lc.LSTMForecaster(12, method="seasonal naive of one day").predict(airline())
    with pytest.raises(UsageError, match="no series is long enough for 'linear map"):
        lc.LSTMForecaster(3, method="linear map").predict(
            airline().until(np.array([9]))
        )
    with pytest.raises(UsageError, match=r"Did you mean 'network'\? Use one of"):
        lc.LSTMForecaster(12, method="netwrk")
    with pytest.raises(UsageError, match="method=3 is not known"):
        checked_method(3, ())
    with pytest.raises(UsageError, match="not a list of forecasters"):
        lc.LSTMForecaster(12, candidates="AutoETS")
    with pytest.raises(UsageError, match="3 is not a forecaster"):
        lc.LSTMForecaster(12, candidates=[3])
    with pytest.raises(UsageError, match="same name"):
        checked_candidates([HoltWinters(), HoltWinters()])


def test_a_forecaster_of_one_s_own_joins(tmp_path):
    class Oracle:
        """Knows the season that comes."""

        name = "oracle"

        def predict(self, panel, horizon=None, *, cutoffs=None):
            return SeasonalNaive(period=3).predict(panel, horizon, cutoffs=cutoffs)

    noise = np.random.default_rng(0).normal(0, 0.1, (2, 240))
    panel = panel_of({k: np.tile([1.0, 9.0, 4.0], 80) + noise[k] for k in range(2)})
    model = lc.LSTMForecaster(12, candidates=[Oracle()])
    made = model.predict(panel).combination
    assert made is not None and made.as_dict()["oracle"] > 0.3
    assert (
        lc.LSTMForecaster(12, candidates=[Oracle()], method="oracle").method == "oracle"
    )
    with pytest.raises(UsageError, match="cannot be stored as text"):
        model.save(tmp_path / "m", panel)
    named = lc.LSTMForecaster(12, candidates=["Holt–Winters"])
    named.save(tmp_path / "m", panel)
    again = lc.load(tmp_path / "m")
    assert again.specification.candidates == ("Holt–Winters",)
    assert "Holt–Winters" in again.predict().combination.names
    assert lc.LSTMForecaster.from_json(named.to_json()) == named


def test_positive_series_stay_positive_whatever_a_candidate_says():
    class Below:
        name = "below"

        def predict(self, panel, horizon=None, *, cutoffs=None):
            forecast = SeasonalNaive().predict(panel, horizon, cutoffs=cutoffs)
            return replace(forecast, point=-forecast.point)

    model = lc.LSTMForecaster(14, candidates=[Below()], quantiles=(0.01, 0.5, 0.99))
    forecast = model.predict(shops(2, 200))
    assert forecast.quantiles.min() > 0
    assert (
        forecast.combination is not None
        and forecast.combination.as_dict()["below"] == 0
    )


def test_a_forecaster_that_answers_in_another_shape_is_refused():
    class Odd:
        def predict(self, panel, horizon=None, *, cutoffs=None):
            return lc.LSTMForecaster(2).predict(panel)

    with pytest.raises(ModelError, match="Odd gives forecasts of shape"):
        lc.LSTMForecaster(3, candidates=[Odd()]).predict(airline())


def test_streams_answer_with_the_network_alone():
    panel = shops(2, 120)
    stream = lc.Stream(lc.LSTMForecaster(7), panel)
    alone = lc.LSTMForecaster(7, method="network").predict(panel)
    np.testing.assert_allclose(stream.predict(7), alone.point, rtol=1e-6)
    with pytest.raises(UsageError, match="a stream uses only the network"):
        lc.Stream(lc.LSTMForecaster(7, method="combined"), panel)


# ---------------------------------------------------------------- candidates


def test_candidates_of_a_grid():
    def names(frequency, **options):
        return [
            one.name
            for one in candidates_of(panel_of({"a": np.ones(9)}, frequency, **options))
        ]

    assert names("YS") == ["naive", "seasonal naive with drift", "linear map"]
    assert "seasonal naive of 52 weeks" in names(
        "D"
    ) and "seasonal naive of 52 weeks" in names("B")
    assert names("h")[1:3] == [
        "seasonal naive of one day",
        "seasonal naive of one week",
    ]
    assert "seasonal naive of 23 steps" in names("h", periods=(23,))


def test_a_candidate_and_the_baseline_of_its_name_agree():
    panel = airline()
    origins = Origins(np.zeros(3, int), np.array([30, 99, 144]))
    cutoffs = origins.counts[None]
    drift = SeasonalNaiveDrift().predict(panel, 15, cutoffs=cutoffs).point
    np.testing.assert_allclose(Drift(12).points(panel, origins, 15), drift, rtol=1e-12)
    given = Given(SeasonalNaiveDrift()).points(panel, origins, 15)
    np.testing.assert_array_equal(given, drift)


def test_the_last_value_is_not_sought_beyond_its_reach():
    panel = with_open_ends({"a": np.array([3.0, np.nan, np.nan])})
    origins = Origins(np.array([0]), np.array([3]))
    assert Last(3).points(panel, origins, 1) == 3
    assert np.isnan(Last(2).points(panel, origins, 1))


def test_the_linear_map_is_ridge_regression():
    """Beside the normal equations, written out."""
    rng = np.random.default_rng(0)
    y = np.cumsum(rng.normal(0, 1, 64)) + 3 * np.sin(np.arange(64) * np.pi / 6)
    panel = panel_of({"a": y}, "MS")
    ours = Linear((12,)).points(panel, Origins(np.array([0]), np.array([64])), 3)[0]
    rows = np.arange(24, 64 - 3 + 1)

    def read(t, h):
        base = y[t - 8 : t].mean()
        return np.r_[y[t - 8 : t][::-1], y[t - 12 + h], y[t - 24 + h]] - base

    square = sum((read(t, h)[:8] ** 2).sum() / 3 + (read(t, h)[8:] ** 2).sum() / 3
                 for t in rows for h in range(3))  # fmt: skip
    for h in range(3):
        x = np.array([read(t, h) for t in rows])
        target = np.array([y[t + h] - y[t - 8 : t].mean() for t in rows])
        weights = np.linalg.solve(
            x.T @ x + 0.1 * square / 10 * np.eye(10), x.T @ target
        )
        assert ours[h] == pytest.approx(y[-8:].mean() + read(64, h) @ weights, rel=1e-9)


def test_a_linear_map_of_too_little_says_nothing():
    panel = panel_of({"a": np.arange(20.0), "b": np.full(20, np.nan)})
    points = Linear((7,)).points(
        panel, Origins(np.array([0, 0, 1]), np.array([17, 20, 20])), 4
    )
    assert np.isnan(points[[0, 2]]).all() and np.isfinite(points[1]).all()


# ---------------------------------------------------------------- networks that were fitted


@pytest.mark.parametrize(
    "inputs", [lc.Adaptive(window=6), lc.Transformed(lc.Standard())]
)
def test_a_fitted_network_combines_where_it_is_asked(tmp_path, inputs):
    """By weights that were measured on what it had not seen, and are kept."""
    pytest.importorskip("torch")
    config = lc.NetworkConfig(layers=(4,), inputs=inputs, head="quantiles", horizon=7)
    training = lc.TrainingConfig(epochs=1)
    options = {"weights": "scratch", "network": config, "training": training}
    panel = shops(3, 300)
    alone = lc.LSTMForecaster(7, **options).fit(panel)
    assert alone.method == "network" and alone.predict().combination is None
    model = lc.LSTMForecaster(7, **options, method="combined").fit(panel)
    made = model.predict().combination
    assert made is not None and made.as_dict()["network"] < 0.5
    assert np.ptp(made.shares, axis=0).max() == 0  # one for all series
    model.save(tmp_path / "m")
    again = lc.load(tmp_path / "m")
    assert again.method == "combined"
    np.testing.assert_array_equal(again.predict().quantiles, model.predict().quantiles)
    saved = json.loads((tmp_path / "m" / "manifest.json").read_text())
    assert saved["combination"]["network"] == pytest.approx(
        made.as_dict()["network"], abs=1e-3
    )
    with pytest.raises(UsageError, match="was fitted with method='combined'"):
        lc.load(tmp_path / "m", method="network").predict()
    longer = shops(3, 320)
    joined = again.predict(longer.since(longer.lengths - 20))
    assert np.isfinite(joined.point).all()


def test_a_fitted_network_gives_way_to_a_forecast_by_its_name():
    pytest.importorskip("torch")
    config, training = lc.NetworkConfig(layers=(4,)), lc.TrainingConfig(epochs=1)
    panel = shops(2, 200)
    for method, name in (
        ("best", None),
        ("seasonal naive", "seasonal naive of one week"),
    ):
        model = lc.LSTMForecaster(
            7, weights="scratch", network=config, training=training, method=method
        ).fit(panel)
        made = model.predict().combination
        assert made is not None and made.shares.max() == 1
        if name is not None:
            assert str(made) == f"{name} 100%"
            np.testing.assert_allclose(
                model.predict().point[0], panel.series(0)[-7:], rtol=1e-9
            )


def test_too_little_held_back_leaves_a_fitted_network_alone():
    pytest.importorskip("torch")
    config = lc.NetworkConfig(layers=(4,))
    training = lc.TrainingConfig(epochs=1, validation=None)
    model = lc.LSTMForecaster(
        7, weights="scratch", network=config, training=training, method="combined"
    ).fit(shops(2, 120))
    assert model.predict().combination is None and model.method == "combined"


def test_intervals_of_series_with_zeros_still_contain_the_zeros():
    days = np.arange(28 * 12)
    rng = np.random.default_rng(0)
    shop = np.where(
        days % 7 == 6, 0.0, np.round(rng.gamma(4, 10, len(days)) * (1 + days % 7))
    )
    panel = lc.Panel.from_arrays({"shop": shop}, frequency="D", start="2024-01-01")
    forecast = lc.LSTMForecaster(28, method="combined").predict(
        panel.until(np.array([308]))
    )
    lower = forecast.interval(80).lower[0]
    assert (lower[shop[308:] == 0] == 0).mean() > 0.7


def test_the_intervals_of_a_candidate_are_not_computed():
    (given,) = checked_candidates([HoltWinters(3)])
    assert given.forecaster == HoltWinters(3, quantiles=())
