"""Fitted models in the hands of clumsy users: what does not go together is refused, and nothing is silently wrong."""

from __future__ import annotations

import logging
from dataclasses import replace

import numpy as np
import pytest

import lstmcast as lc
from lstmcast.errors import DataError, ModelError, UsageError
from lstmcast.model.heads import Point
from lstmcast.training.config import Optimiser, TrainingConfig, Validation, Windows

pytest.importorskip("torch", reason="needs the train extra")

TREND = 100 + np.arange(60) + 20 * np.sin(np.arange(60) * np.pi / 6)
CAUSAL = TrainingConfig(
    epochs=2, steps_per_epoch=2, batch_size=8, regime=Windows(length=24, loss="every"), optimiser=Optimiser(clip=1.0)
)
PLAIN = lc.NetworkConfig(layers=(4,), inputs="plain", head="point", horizon=1)
GROWING = (lc.Difference(12), lc.Standard())


def panel(start="2015-01", **series):
    return lc.Panel.from_arrays(series or {"a": TREND, "b": TREND[::-1]}, frequency="MS", start=start)


def causal(**chosen):
    settings = {"weights": "scratch", "network": lc.NetworkConfig(layers=(4,)), "training": CAUSAL}
    return lc.LSTMForecaster(6, **settings | chosen)


def plain(**chosen):
    training = TrainingConfig(epochs=2, regime=Windows(length=8))
    settings = {"weights": "scratch", "network": PLAIN, "training": training, "transforms": lc.Standard()}
    return lc.LSTMForecaster(6, **settings | chosen)


class Half(Point):
    name = "half"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"weights": None}, "no weights"),
        ({"weights": 3}, "no weights"),
        ({"network": (32,)}, r"NetworkConfig\(layers"),
        ({"network": {"layers": (32,)}}, r"NetworkConfig\(layers"),
        ({"training": {"epochs": 3}}, r"TrainingConfig\(epochs"),
        ({"head": 3}, "lacks name"),
        ({"head": Half}, "class"),
        ({"seed": -1}, "seed=-1"),
        ({"seed": 1.5}, "seed=1.5"),
        ({"seed": "x"}, "seed='x'"),
    ],
    ids=str,
)
def test_arguments_of_another_kind_are_named(arguments, message):
    with pytest.raises(UsageError, match=message):
        causal(**arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"threads": -1}, "threads=-1"),
        ({"threads": 0}, "threads=0"),
        ({"threads": "2"}, "threads='2'"),
        ({"callbacks": [3]}, "callbacks"),
        ({"callbacks": print}, "A list of functions"),
        ({"loss": "mse"}, r"TrainingConfig\(loss='mse'\)"),
        ({"resume": True}, "folder="),
        ({"device": "mps"}, "'cpu' or 'cuda'"),
    ],
    ids=str,
)
def test_arguments_of_fit_are_looked_at_first(arguments, message):
    with pytest.raises(UsageError, match=message):
        causal().fit(panel(), **arguments)


def test_members_are_those_of_the_weights():
    with pytest.raises(UsageError, match="have 2 members"):
        lc.LSTMForecaster(6, training=replace(TrainingConfig.fine_tuning(), members=3))
    assert lc.LSTMForecaster(6, training=replace(TrainingConfig.fine_tuning(), members=2)).training.members == 2


@pytest.mark.parametrize("head", ["quantiles", "normal"])
def test_quantiles_that_would_be_added_up_are_refused_before_training(head):
    with pytest.raises(UsageError, match="sums of quantiles"):
        plain(network=replace(PLAIN, head=head, horizon=6), transforms=lc.Difference())
    plain(network=replace(PLAIN, head=head, horizon=6), transforms=lc.Difference(6))


class TestMemory:
    """A fitted or saved model forecasts from what it remembers what it forecasts from the whole data."""

    @pytest.mark.parametrize("transforms", [lc.Standard(), lc.Difference(), GROWING], ids=["scaled", "lag", "season"])
    @pytest.mark.parametrize("unknown", [slice(50, 60), slice(44, 52)], ids=["at the end", "within"])
    def test_missing_values_are_read_across(self, transforms, unknown):
        values = TREND.copy()
        values[unknown] = np.nan
        data = panel(a=values)
        fitted = plain(transforms=transforms).fit(data)
        remembered = fitted.predict()
        fitted.memory = None
        np.testing.assert_array_equal(remembered.quantiles, fitted.predict(data).quantiles)
        assert np.isfinite(remembered.quantiles).all()

    def test_transforms_that_were_not_fitted_need_all_of_the_data(self, tmp_path):
        network = plain().fit(panel()).network
        regime = TrainingConfig(regime=Windows(length=8))
        given = lc.LSTMForecaster(6, weights=network, transforms=lc.Standard(), training=regime)
        given.save(tmp_path / "model", panel())
        np.testing.assert_array_equal(lc.load(tmp_path / "model").predict().point, given.predict(panel()).point)


class TestSeriesThatCannotBeForecast:
    @pytest.mark.parametrize("transforms", [(), lc.Standard()], ids=["none", "scaled"])
    def test_a_series_without_values_has_no_forecast(self, transforms, caplog):
        fitted = plain(transforms=transforms).fit(panel(a=TREND, void=np.full(60, np.nan)))
        with caplog.at_level(logging.WARNING, "lstmcast"):
            forecast = fitted.predict()
        assert np.isfinite(forecast.quantiles[0]).all() and np.isnan(forecast.quantiles[1]).all()
        assert "1 of 2 series ('void'): 1 known value is needed" in caplog.text

    def test_a_series_shorter_than_a_lag_is_named(self, caplog):
        fitted = plain(transforms=GROWING).fit(panel(a=TREND, short=TREND[:4]))
        with caplog.at_level(logging.WARNING, "lstmcast"):
            forecast = fitted.predict()
        assert np.isfinite(forecast.point[0]).all() and np.isnan(forecast.point[1]).all()
        assert "'short'): 13 known values are needed" in caplog.text


def test_values_that_32_bits_cannot_hold_are_refused():
    huge = panel(a=TREND, wild=TREND * 1e95)
    with pytest.raises(DataError, match=r"'wild'.*Standard"):
        plain(transforms=()).fit(huge)
    with pytest.raises(DataError, match=r"'wild'.*Standard"):
        plain(transforms=()).fit(panel()).predict(huge)
    assert np.isfinite(plain().fit(huge).predict().quantiles).all()


def test_columns_that_are_read_together_keep_their_order():
    fitted = plain(network=replace(PLAIN, channels=2)).fit(panel())
    with pytest.raises(DataError, match=r"columns a, b together.*select\(\['a', 'b'\]\)"):
        fitted.predict(panel().select(["b", "a"]))
    others = panel(x=TREND, y=TREND[::-1])
    np.testing.assert_allclose(fitted.predict(others).point, fitted.predict(panel()).point, rtol=0.2)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("seen") / "model"
    causal().fit(panel()).save(folder)
    return folder


class TestWeightsThatHaveSeenTheData:
    """What was trained on the future may not be judged on it, however the weights came here."""

    @pytest.mark.parametrize("refit", [None, "never", "once", "each"])
    def test_backtests_are_refused(self, folder, refit):
        for model in (lc.load(folder), lc.LSTMForecaster(6, weights=folder, training=CAUSAL)):
            with pytest.raises(UsageError, match=r"(have|has) seen"):
                lc.backtest(model, panel(), horizon=6, cutoffs=2, refit=refit, baselines=False)

    def test_they_may_go_on_with_newer_data_and_remember_both(self, folder, tmp_path):
        newer = panel(a=np.append(TREND, TREND + 60), c=TREND)
        fitted = lc.LSTMForecaster(6, weights=folder, training=CAUSAL).fit(newer)
        assert not fitted.learned.notes or "seen" not in " ".join(fitted.learned.notes)
        fitted.save(tmp_path / "next")
        known = {name: str(end)[:7] for name, end in lc.load(tmp_path / "next").trained_ends.items()}
        assert known == {"a": "2024-06", "b": "2019-06", "c": "2019-06"}

    def test_validation_on_what_was_seen_is_said(self, folder):
        again = lc.LSTMForecaster(6, weights=folder, training=replace(CAUSAL, validation=Validation(steps=20)))
        assert "2 of 2 series" in " ".join(again.fit(panel()).learned.notes)

    def test_other_series_are_free(self, folder):
        tested = lc.backtest(lc.load(folder), panel(other=TREND), cutoffs=2, refit="never", baselines=False)
        assert np.isfinite(tested.scores["lstmcast"]["mae"])


def test_transforms_and_regime_come_with_the_weights_of_a_folder(tmp_path):
    fitted = lc.LSTMForecaster(
        6, weights="scratch", network=PLAIN, transforms=(lc.Log1p(), lc.Standard()),
        training=TrainingConfig(epochs=2, regime=lc.Windows(9, loss="every")),
    ).fit(panel())  # fmt: skip
    fitted.save(tmp_path / "mine")
    again = lc.LSTMForecaster(6, weights=tmp_path / "mine")
    assert again.transforms == fitted.transforms and again.training.regime == fitted.learned.training.regime
    assert again.training.epochs == TrainingConfig.plain().epochs
    np.testing.assert_allclose(again.predict(panel()).point, fitted.predict(panel()).point, rtol=0.2)
    other = lc.LSTMForecaster(6, weights=tmp_path / "mine", transforms=lc.MinMax(), training=TrainingConfig())
    assert other.transforms != fitted.transforms and other.training == TrainingConfig()


def test_a_fitted_model_forecasts_what_it_was_fitted_to_as_if_it_were_given_it(tmp_path):
    fitted, cutoffs = plain().fit(panel()), np.array([[10, 40], [20, 54]])
    for chosen in ({"mode": "observed"}, {"cutoffs": cutoffs}, {}):
        remembered, given = fitted.predict(**chosen), fitted.predict(panel(), **chosen)
        np.testing.assert_array_equal(remembered.times, given.times)
        np.testing.assert_array_equal(remembered.quantiles, given.quantiles)
    fitted.save(tmp_path / "m")
    loaded = lc.load(tmp_path / "m")
    assert len(loaded.memory.panel.values) < len(panel().values)
    np.testing.assert_array_equal(loaded.predict().quantiles, fitted.predict().quantiles)


def test_the_seed_is_saved(tmp_path):
    causal(seed=7).fit(panel()).save(tmp_path / "model")
    assert lc.load(tmp_path / "model").seed == 7


def test_another_frequency_is_refused_and_new_series_start_afresh(caplog):
    fitted = causal().fit(panel())
    with pytest.raises(ModelError, match="daily"):
        fitted.predict(lc.Panel.from_arrays({"a": TREND}, frequency="D", start="2020-01-01"))
    with caplog.at_level(logging.INFO, "lstmcast"):
        forecast = fitted.predict(panel("2020-01", a=TREND[:3], c=TREND))
    assert "'a': continued" in caplog.text and "'c': started afresh, they are new" in caplog.text
    np.testing.assert_allclose(forecast.point[1], causal().fit(panel()).predict(panel("2020-01", c=TREND)).point[0])
