"""Heads of counts and amounts with columns that are known in advance: these multiply the mean."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import lstmcast as lc
from lstmcast.covariates.effects import effects_of, without_known
from lstmcast.covariates.uplift import LARGEST, SMALLEST, per_log, uplift_of
from lstmcast.data.origins import Origins, origins_of
from lstmcast.errors import UsageError
from lstmcast.fit_data import AdaptiveData, TransformedData
from lstmcast.model.count_heads import COUNT_HEADS
from lstmcast.model.inputs import Adaptive, Transformed
from lstmcast.model.inputs.axis import LINEAR, LOG, ROOT
from lstmcast.model.network import NetworkConfig
from lstmcast.training_config import Rollout, TrainingConfig, WholeSequence, Windows

H, KNOWN = 4, 182
COUNTING = [head for head in COUNT_HEADS if head.values == "count"]
pytest.importorskip("torch", reason="needs the train extra")


@pytest.fixture(params=COUNT_HEADS, ids=lambda head: head.name)
def head(request):
    return request.param


def shop(products=3, seed=0, sale=None):
    """Products that sell twice as often while they are on sale, and not at all on closed days."""
    rng, t = np.random.default_rng(seed), np.arange(KNOWN + 3 * H)
    closed = t % 10 == 9
    series, sales, opened = {}, {}, {}
    for product in range(products):
        name = f"product {product}"
        sales[name] = (rng.random(len(t)) < 0.3).astype(float)
        sales[name][KNOWN:] = t[KNOWN:] % 2 if sale is None else sale
        rate = (2.0 + 3.0 * product) * (1.0 + sales[name]) * ~closed
        series[name] = rng.poisson(rate[:KNOWN]).astype(float)
        opened[name] = (~closed).astype(float)
    future = {"sale": sales, "open": opened}
    return lc.Panel.from_arrays(
        series, frequency="D", start="2024-01-01", future=future, kind="count"
    )


def forecaster(head, inputs=None, steps=None, epochs=4, horizon=H):
    training = replace(TrainingConfig.from_scratch(), epochs=epochs, steps_per_epoch=6)
    if isinstance(inputs, Transformed):
        training = TrainingConfig(epochs=epochs, batching=Windows(14))
    network = NetworkConfig(
        (6,), inputs=inputs or Adaptive(window=7), head=head, horizon=steps
    )
    return lc.LSTMForecaster(
        horizon, weights="scratch", network=network, training=training
    )


@pytest.fixture(scope="module")
def fitted():
    return forecaster("negative_binomial").fit(shop())


def decoded(model, panel, horizon=H, cutoffs=None):
    return model.model.decode(panel, origins_of(panel, cutoffs), horizon)


def assert_counts(quantiles):
    known = quantiles[np.isfinite(quantiles)]
    assert (known == np.rint(known)).all()
    assert (known >= 0).all()


# ---------------------------------------------------------------- how many times


@pytest.mark.parametrize("axis", [LOG, ROOT, LINEAR])
def test_nothing_happens_without_an_effect_and_more_with_a_larger_one(axis):
    effect = np.linspace(-3, 3, 61)
    uplift = uplift_of(effect, axis, 2.0)
    assert uplift[30] == 1.0
    assert (np.diff(uplift) >= 0).all()
    assert uplift.min() >= SMALLEST
    assert uplift.max() <= LARGEST


@pytest.mark.parametrize("mean", [0.05, 0.5, 4.0, 60.0])
def test_a_mean_of_square_roots_becomes_the_ratio_of_counts(mean):
    rng = np.random.default_rng(3)
    level, higher = (
        np.sqrt(rng.poisson(lam, 400_000)).mean() for lam in (mean, 2 * mean)
    )
    assert uplift_of(np.array([higher - level]), ROOT, level)[0] == pytest.approx(
        2, rel=0.15
    )


def test_a_small_effect_is_told_in_logarithms():
    for level in (0.05, 0.8, 7.0):
        small = 1e-5 * per_log(ROOT, level)
        assert np.log(uplift_of(np.array([small]), ROOT, level)[0]) == pytest.approx(
            1e-5, rel=1e-3
        )
    assert per_log(LINEAR, 3.0) == per_log(ROOT, 0.0) == 0.0


def test_what_lies_at_nothing_is_not_multiplied():
    assert uplift_of(np.array([0.5]), ROOT, 0.0).tolist() == [1.0]
    assert uplift_of(np.array([0.5]), LINEAR, -2.0).tolist() == [1.0]


def test_a_head_multiplies_its_mean_with_location_and_scale(head):
    rng = np.random.default_rng(5)
    raw = rng.normal(0, 1, (50, head.outputs))
    location, scale = rng.uniform(0, 20, 50), rng.uniform(0.5, 4, 50)
    uplift = rng.uniform(0.1, 5, 50)
    mean = head.point(raw, location, scale, np)
    lifted = head.point(raw, location * uplift, scale * uplift, np)
    np.testing.assert_allclose(lifted, mean * uplift, rtol=1e-9)


# ---------------------------------------------------------------- learning


def test_a_network_reads_values_without_the_uplift_and_learns_the_values_with_it():
    panel = shop()
    read = effects_of(panel).at_base
    on_sale = panel.covariates.future.columns["sale"][:KNOWN] == 1
    late = np.arange(KNOWN) > 120
    uplift = read.uplift_N[:KNOWN]
    assert 1.5 < uplift[on_sale & late].mean() / uplift[~on_sale & late].mean() < 2.5
    is_closed = np.isnan(read.panel.values)
    assert (panel.values[is_closed] == 0).all()
    back = read.panel.values * read.uplift_N
    np.testing.assert_allclose(back[~is_closed], panel.values[~is_closed])


@pytest.mark.parametrize("inputs", [Adaptive(window=7), Transformed()], ids=repr)
def test_targets_are_counts_and_stand_where_their_mean_is_multiplied(inputs):
    from lstmcast.training.batch import Group
    from lstmcast.training.feeds import AdaptiveFeed
    from lstmcast.training.transformedfeed import TransformedFeed
    from lstmcast.windows import split_of, whole

    panel = shop(1)
    read = effects_of(panel).at_base
    data, _ = inputs.data(read.panel, panel.lengths)
    data = replace(data, uplift=read.uplift_N)
    network = NetworkConfig((4,), inputs=inputs, head="negative_binomial", horizon=2)
    segments = whole(split_of(data))
    if isinstance(data, AdaptiveData):
        feed = AdaptiveFeed(data, network, "cpu", affine=False)
        batch = feed.batch(feed.groups(segments)[0])
    else:
        assert isinstance(data, TransformedData)
        batch = TransformedFeed(data, network, "cpu").batch(Group(segments))
    target = batch.target.numpy().ravel()
    known = target[np.isfinite(target)]
    np.testing.assert_allclose(known, np.rint(known), atol=1e-5)
    assert known.max() == np.nanmax(panel.values)
    assert batch.around is not None
    _, scale = batch.around
    assert scale.shape[-2:] == (2, 1)
    assert len(np.unique(scale.numpy())) > 1


@pytest.mark.parametrize(
    ("inputs", "batching"),
    [
        (Adaptive(window=7), Windows(60)),
        (Adaptive(window=7), WholeSequence()),
        (Transformed(), WholeSequence()),
        (Transformed(lc.MeanAbs()), Windows(14)),
        (Transformed(), Rollout(6, support=4)),
    ],
    ids=repr,
)
def test_every_way_of_training_reads_known_columns(inputs, batching):
    name = "tweedie" if isinstance(inputs, Transformed) else "zero_inflated"
    steps = 1 if isinstance(batching, Rollout) else None
    few = 3 if isinstance(batching, (Rollout, Windows)) else None
    model = forecaster(name, inputs, steps)
    model = lc.LSTMForecaster(
        H,
        weights="scratch",
        network=model.specification.network,
        training=TrainingConfig(
            epochs=2, steps_per_epoch=few, batching=batching, batch_size=4
        ),
    ).fit(shop())
    assert np.isfinite(model.history.columns()["train_loss"]).all()
    forecast = model.predict()
    assert np.isfinite(forecast.quantiles).all()
    assert (forecast.quantiles >= 0).all()


def test_columns_that_say_nothing_change_nothing():
    with_columns = shop()
    future = with_columns.covariates.future
    nothing = {name: np.zeros_like(values) for name, values in future.columns.items()}
    covariates = replace(
        with_columns.covariates, future=replace(future, columns=nothing)
    )
    panel = replace(with_columns, covariates=covariates).apart()
    model = forecaster("negative_binomial", epochs=1).fit(panel)
    plain = forecaster("negative_binomial", epochs=1).fit(without_known(panel))
    if not any(
        s.coefficients_P.any() for one in effects_of(panel).solutions_S for s in one
    ):
        np.testing.assert_array_equal(
            model.predict().quantiles, plain.predict().quantiles
        )


# ---------------------------------------------------------------- answering


def test_a_sale_multiplies_the_counts_that_stay_counts(fitted):
    on_sale, not_on_sale = (decoded(fitted, shop(sale=sale)) for sale in (1.0, 0.0))
    assert_counts(on_sale)
    assert_counts(not_on_sale)
    assert 1.4 < np.nansum(on_sale) / np.nansum(not_on_sale) < 2.6


def test_a_level_that_may_hold_after_a_surprise_is_a_count_too(fitted):
    panel = shop()
    values = panel.values.copy()
    for last in panel.offsets[1:]:
        values[last - 2 : last] = 307.0
    surprised = replace(panel, values=values)
    quantiles = decoded(fitted, surprised)
    assert_counts(quantiles)
    assert np.nanmax(quantiles) > 100


def test_closed_days_are_0(fitted):
    forecast = fitted.predict(horizon=3 * H)
    is_closed = np.arange(KNOWN, KNOWN + 3 * H) % 10 == 9
    assert (forecast.quantiles[:, is_closed] == 0).all()
    assert (forecast.point[:, ~is_closed] > 0).any()
    assert (forecast.paths()[:, :, is_closed] == 0).all()


@pytest.mark.parametrize("inputs", [Adaptive(window=7), Transformed()], ids=repr)
def test_further_than_the_network_answers_paths_are_multiplied(inputs):
    model = forecaster("negative_binomial", inputs, steps=2).fit(shop())
    on_sale, not_on_sale = (decoded(model, shop(sale=sale), 6) for sale in (1.0, 0.0))
    assert_counts(on_sale)
    ratio = np.nansum(on_sale, axis=(0, 2)) / np.nansum(not_on_sale, axis=(0, 2))
    assert (ratio > 1.2).all()
    assert (ratio < 3.5).all()


def test_each_step_ahead_is_multiplied_too(fitted):
    forecast = fitted.predict(shop(), mode="one-step")
    first = forecast.point[forecast.ids == "product 2"][-80:, 0]
    actual = shop().series(2)[-80:]
    on_sale = (
        shop().covariates.future.columns["sale"][-KNOWN - 3 * H :][:KNOWN][-80:] == 1
    )
    is_closed = np.arange(KNOWN)[-80:] % 10 == 9
    assert (first[is_closed] == 0).all()
    assert np.corrcoef(first, actual)[0, 1] > 0.5
    assert (
        first[on_sale & ~is_closed].mean() > 1.4 * first[~on_sale & ~is_closed].mean()
    )


def test_nothing_after_a_cutoff_has_a_say(fitted):
    panel = shop()
    counts = np.full((3, 1), KNOWN - 20)
    whole = decoded(fitted, panel, cutoffs=counts)
    until = decoded(fitted, panel.until(counts[:, 0]))
    np.testing.assert_array_equal(whole, until)


def test_which_others_are_forecast_does_not_matter(fitted):
    panel = shop()
    origins = Origins(np.array([2, 0, 2]), np.array([KNOWN, KNOWN - 9, KNOWN - 31]))
    together = fitted.model.decode(panel, origins, H)
    for place in range(3):
        alone = Origins(origins.series[[place]], origins.counts[[place]])
        np.testing.assert_allclose(
            fitted.model.decode(panel, alone, H)[0], together[place]
        )


def test_sums_and_service_levels_follow(fitted):
    def order(sale):
        forecast = fitted.predict(shop(sale=sale))
        return forecast.total("horizon", service_level=95).order

    assert (order(1.0) > order(0.0)).all()
    assert (order(0.0) == np.rint(order(0.0))).all()


def test_what_columns_add_is_the_forecast_together(fitted):
    forecast = fitted.predict()
    bare, added = forecast.known.in_units(forecast.point)
    np.testing.assert_allclose(bare + added.sum(axis=2), forecast.point)
    place = forecast.known.names.index("sale")
    on_sale = np.arange(KNOWN, KNOWN + H) % 2 == 1
    assert added[1:, on_sale, place].mean() > added[1:, ~on_sale, place].mean()
    assert (bare >= 0).all()


def test_scenarios_are_compared(fitted):
    compared = lc.compare_scenarios(
        fitted, {"no sale": shop(sale=0.0), "sale": shop(sale=1.0)}
    )
    assert (compared.differences["sale"][..., 0].sum(axis=1) > 0).all()


def test_what_columns_explain_is_no_anomaly(fitted):
    panel = shop()
    values = panel.values.copy()
    values[panel.offsets[1] - 5] = 90.0  # of the first product, which sells two to four
    found = lc.anomalies(replace(panel, values=values), fitted, rate=0.01)
    assert found.scores[panel.offsets[1] - 5] > 0.98
    is_closed = np.arange(KNOWN) % 10 == 9
    assert np.isnan(found.scores[-KNOWN:][is_closed][8:]).all()


# ---------------------------------------------------------------- models


def test_it_is_saved_and_goes_on(fitted, tmp_path):
    fitted.save(tmp_path / "model")
    loaded = lc.load(tmp_path / "model")
    np.testing.assert_array_equal(
        loaded.predict().quantiles, fitted.predict().quantiles
    )
    training = replace(TrainingConfig.from_scratch(), epochs=1, steps_per_epoch=2)
    tuned = lc.LSTMForecaster(H, weights=loaded.network, training=training).fit(shop())
    assert (tuned.predict().quantiles >= 0).all()
    backtest = lc.backtest(loaded, shop(), cutoffs=1, refit="never", baselines=False)
    assert np.isfinite(backtest.forecasts[backtest.model].point).all()


def test_weights_that_were_not_trained_on_the_data_weigh_the_columns(fitted):
    given = lc.LSTMForecaster(H, weights=fitted.network)
    forecast = given.predict(shop())
    assert "without known columns" in forecast.combination.names
    assert (forecast.quantiles >= 0).all()


@pytest.mark.parametrize("kept", [lc.Standard(), lc.Log1p()], ids=repr)
def test_transforms_that_keep_no_ratios_are_refused(kept):
    model = forecaster("tweedie", Transformed(kept))
    with pytest.raises(
        UsageError, match=r"\('sale', 'open'\) multiply, and .* keeps no ratios"
    ):
        model.fit(shop())


def test_several_columns_together_are_refused():
    model = forecaster("negative_binomial", Transformed(columns=3))
    with pytest.raises(UsageError, match="reads 3 columns together, and its head="):
        model.fit(shop())


def test_a_stream_says_at_once_that_it_reads_none(fitted):
    with pytest.raises(
        UsageError,
        match="a stream cannot use columns that are known in advance with it",
    ):
        lc.Stream(fitted, shop())
