"""How much a trained network uses of what columns that are known in advance say: as much as helped
the shipped network at held-out cutoffs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import lstmcast as lc
from lstmcast.covariates.effects import effects_of, using_share
from lstmcast.data.origins import Origins, origins_of
from lstmcast.evaluation.trust import known_share, share_notes
from lstmcast.model.heads import MEDIAN
from lstmcast.model.network import NetworkConfig
from lstmcast.training_config import TrainingConfig

H, DAYS, START = 7, 260, "2023-01-02"
DECODE = lc.LSTMForecaster(horizon=H).model.decode


def shop(useful, days=DAYS):
    """Sales, and a column that moves them throughout, or in the first half alone."""
    rng = np.random.default_rng(5)
    steps = np.arange(DAYS + 2 * H)
    weather = rng.normal(size=len(steps))
    moves = useful | (steps < DAYS // 2)
    log = 4 + 0.2 * np.sin(2 * np.pi * steps / 7) + 0.3 * weather * moves
    sales = np.exp(log + rng.normal(0, 0.05, len(steps)))
    return lc.Panel.from_arrays(
        {"shop": sales[:days]}, frequency="D", start=START, future={"weather": weather}
    )


def trained(panel, epochs=2, **options):
    training = replace(TrainingConfig.from_scratch(), epochs=epochs, steps_per_epoch=2)
    network = NetworkConfig(layers=(4,))
    model = lc.LSTMForecaster(H, weights="scratch", network=network, training=training)
    return model.fit(panel, **options)


@pytest.fixture(scope="module")
def misled():
    pytest.importorskip("torch", reason="needs the train extra")
    return trained(shop(useful=False))


def decoded(model, panel, count):
    """Quantiles (H, Q) of the network after so many values."""
    origins = Origins(np.zeros(1, int), np.array([count]))
    return model.model.decode(using_share(panel, model.model.known_share), origins, H)[
        0
    ]


def test_columns_that_help_are_used_and_others_hardly():
    assert known_share(DECODE, shop(useful=True), H) > 0.95
    assert known_share(DECODE, shop(useful=False), H) < 0.2


def test_cutoffs_at_which_nothing_is_known_of_effects_say_nothing():
    short = shop(useful=False, days=30)
    assert known_share(DECODE, short, H) == 1


@pytest.mark.parametrize("share", [0.0, 0.25])
def test_a_share_of_the_effects_is_taken_out_and_put_back(share):
    panel = shop(useful=True)
    shared, steps = using_share(panel, share), np.arange(DAYS, DAYS + H)
    whole, part = (effects_of(one).solution(0, DAYS) for one in (panel, shared))
    np.testing.assert_allclose(
        part.effect(steps), share * whole.effect(steps), atol=1e-12
    )
    again = using_share(shared, 1.0)
    np.testing.assert_array_equal(
        effects_of(again).adjusted.values, effects_of(panel).adjusted.values
    )


def test_a_training_keeps_the_share_and_says_so(misled):
    assert misled.model.known_share < 0.2
    assert any(
        "of the effects of the columns" in note for note in misled.model.record.notes
    )
    assert share_notes(shop(useful=True)) == ()


def test_forecasts_use_the_share_after_saving_too(misled, tmp_path):
    panel = shop(useful=False)
    misled.save(tmp_path / "model")
    forecast = lc.load(tmp_path / "model").predict()
    np.testing.assert_array_equal(forecast.quantiles, misled.predict(panel).quantiles)
    middle = decoded(misled, panel, DAYS)[:, MEDIAN]
    whole = misled.model.decode(panel, origins_of(panel), H)[0, :, MEDIAN]
    point = misled.predict(panel).point[0]
    assert np.abs(point - middle).max() < 0.2 * np.abs(point - whole).max()


def test_nothing_after_a_cutoff_changes_its_forecast(misled):
    panel = shop(useful=False)
    changed = replace(
        panel, values=np.where(np.arange(DAYS) < DAYS - H, panel.values, 1.0)
    )
    cutoffs = [[DAYS - H]]
    first, second = (
        lc.backtest(misled, one, cutoffs=cutoffs, baselines=False, added=False)
        for one in (panel, changed)
    )
    name = first.model
    np.testing.assert_array_equal(
        first.forecasts[name].quantiles, second.forecasts[name].quantiles
    )


@pytest.mark.parametrize("history", [0, DAYS - 20])
def test_a_stream_uses_the_share(misled, history, tmp_path):
    panel = shop(useful=False)
    weather = panel.covariates.future.columns["weather"]
    if history:
        stream = lc.Stream(misled, panel.until([history]))
    else:
        stream = lc.Stream(misled, [], frequency="D", future=["weather"])
        stream.join(["shop"], {"shop": START})
    for step in range(history, DAYS):
        stream.observe(
            [panel.values[step]],
            future={"weather": [weather[step : step + H + 1].tolist()]},
        )
    expected = decoded(misled, panel, DAYS)
    np.testing.assert_allclose(stream.quantiles(H)[0], expected, rtol=1e-5)
    stream.save(tmp_path / "stream")
    again = lc.Stream.load(tmp_path / "stream")
    np.testing.assert_array_equal(again.quantiles(H), stream.quantiles(H))


def test_a_training_that_goes_on_keeps_the_share(tmp_path):
    pytest.importorskip("torch", reason="needs the train extra")
    first = trained(shop(useful=False, days=DAYS - H), folder=tmp_path)
    second = trained(shop(useful=False), epochs=3, folder=tmp_path, resume=True)
    assert second.model.known_share == first.model.known_share
