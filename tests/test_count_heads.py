"""Heads of demand: their distributions, how they are trained, and what they refuse."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import lstmcast as lc
from lstmcast.errors import DataError, UsageError
from lstmcast.model.count_heads import COUNT_HEADS, MOST_ZEROS, Tweedie
from lstmcast.model.distributions import (
    amount_quantiles,
    gamma_quantiles,
    log_bessel,
    log_gamma,
    negative_binomial_quantiles,
)
from lstmcast.model.heads import HEAD_QUANTILES, HEADS, MEDIAN, check_head
from lstmcast.model.inputs import Adaptive, Running, Transformed
from lstmcast.model.network import NetworkConfig
from lstmcast.training_config import (
    Rollout,
    Stateful,
    TrainingConfig,
    WholeSequence,
    Windows,
)

LEVELS = np.array(HEAD_QUANTILES)
H = 3


@pytest.fixture(params=COUNT_HEADS, ids=lambda head: head.name)
def head(request):
    return request.param


def drawn(head, size, seed=0):
    """Raw numbers, and where answers stand."""
    rng = np.random.default_rng(seed)
    raw = rng.normal(0, 1, (size, head.outputs))
    return raw, rng.uniform(0, 20, size), rng.uniform(0.3, 4, size)


def demand(length=90):
    rng, t = np.random.default_rng(4), np.arange(length)
    season = 1 + 0.6 * np.sin(2 * np.pi * t / 7)
    series = {
        f"about {m:g}": rng.poisson(m * season).astype(float) for m in (0.3, 2.0, 40.0)
    }
    return lc.Panel.from_arrays(series, frequency="D", start="2024-01-01")


# ---------------------------------------------------------------- distributions


def test_quantiles_of_the_gamma_distribution():
    stats = pytest.importorskip("scipy.stats", reason="compared with scipy's")
    shape = np.exp(np.linspace(np.log(0.05), np.log(5000), 300))
    ours = gamma_quantiles(shape, np.broadcast_to(LEVELS, (300, len(LEVELS))))
    theirs = stats.gamma.ppf(LEVELS, shape[:, None])
    np.testing.assert_allclose(
        ours, theirs, atol=0.01 * np.sqrt(shape)[:, None].max(), rtol=0.02
    )


def test_quantiles_of_counts():
    stats = pytest.importorskip("scipy.stats", reason="compared with scipy's")
    rng = np.random.default_rng(1)
    mean, shape = np.exp(rng.uniform(-4, 8, 500)), np.exp(rng.uniform(-2, 6, 500))
    theirs = stats.nbinom(shape[:, None], (shape / (shape + mean))[:, None]).ppf(LEVELS)
    ours = negative_binomial_quantiles(mean, shape, LEVELS)
    small = mean <= 50
    np.testing.assert_array_equal(ours[small], theirs[small])
    deviation = np.sqrt(mean + mean**2 / shape)[:, None]
    apart = np.abs(ours - theirs)
    assert ((apart <= 1) | (apart <= 0.02 * deviation))[~small].all()


def test_quantiles_of_amounts():
    stats = pytest.importorskip("scipy.stats", reason="compared with scipy's")
    number = np.exp(np.linspace(np.log(0.05), np.log(900), 200))
    theirs = stats.ncx2(1e-12, 2 * number[:, None]).ppf(LEVELS) / 2
    apart = np.abs(amount_quantiles(number) - theirs) / np.sqrt(2 * number)[:, None]
    assert np.nanmax(apart) < 0.03


def test_most_zeros_and_few_large_counts():
    # of shapes below the table, where nearly all is 0
    level = np.array([0.5, 0.975])
    found = negative_binomial_quantiles(
        np.array([100.0, 100.0]), np.array([1e-3, 1e-2]), level
    )
    assert found[0].tolist() == [0, 0]
    np.testing.assert_allclose(found[1], [0, 471], rtol=0.02)


def test_what_is_unknown_stays_unknown(head):
    raw = np.full((2, 1, head.outputs), np.nan)
    raw[0] = 0.0
    with np.errstate(invalid="ignore"):
        found = head.quantiles(raw, np.ones((2, 1)), np.ones((2, 1)), np)
    assert np.isfinite(found[0]).all()
    assert np.isnan(found[1]).all()


def test_functions_of_the_likelihoods():
    special = pytest.importorskip("scipy.special", reason="compared with scipy's")
    z = np.exp(np.linspace(-6, 8, 200))
    np.testing.assert_allclose(log_bessel(z, np), np.log(special.ive(1, z)), atol=1e-6)
    np.testing.assert_allclose(
        log_gamma(z, np), special.gammaln(z), rtol=1e-10, atol=1e-10
    )


# ---------------------------------------------------------------- heads


def test_each_is_a_head(head):
    check_head(head)
    assert HEADS[head.name] is head
    assert not head.affine


def test_chances_add_up_to_1(head):
    x = (
        np.linspace(1e-6, 300, 600_000)
        if head.values == "positive"
        else np.arange(4000.0)
    )
    raw = np.broadcast_to([0.3, 0.2, -0.4][: head.outputs], (len(x), head.outputs))
    around = np.array(3.0), np.array(2.0)
    chance = np.exp(-head.loss(raw, x, *around, np))
    total = chance.sum()
    if head.values == "positive":
        nothing = np.exp(-head.loss(raw[:1], np.zeros(1), *around, np))[0]
        total = chance.sum() * (x[1] - x[0]) + nothing
    assert total == pytest.approx(1, abs=1e-4)


def test_draws_have_the_mean_and_the_quantiles_that_it_says(head):
    raw, location, scale = drawn(head, 6)
    many = np.broadcast_to(raw[:, None], (6, 40_000, head.outputs))
    draws = head.sample(
        many, location[:, None], scale[:, None], np.random.default_rng(0)
    )
    width = draws.std(axis=1)
    mean = head.point(raw, location, scale, np)
    np.testing.assert_allclose((draws.mean(axis=1) - mean) / width, 0, atol=0.03)
    said = head.quantiles(raw, location, scale, np)
    below = (draws[..., None] < said[:, None] - 1e-9).mean(axis=1)
    not_above = (draws[..., None] <= said[:, None] + 1e-9).mean(axis=1)
    assert (below < LEVELS + 0.015).all()
    assert (not_above > LEVELS - 0.015).all()
    assert (np.diff(said, axis=1) >= 0).all()
    assert (said >= 0).all()


def test_numpy_and_pytorch_agree(head):
    torch = pytest.importorskip("torch", reason="needs the train extra")
    raw, location, scale = drawn(head, 50)
    target = head.sample(raw, location, scale, np.random.default_rng(1))
    tensors = [torch.from_numpy(part) for part in (raw, target, location, scale)]
    theirs = head.loss(*tensors, torch).numpy()
    np.testing.assert_allclose(
        theirs, head.loss(raw, target, location, scale, np), rtol=1e-9
    )
    raw_tensor, _, *around = tensors
    point = head.point(raw_tensor, *around, torch).numpy()
    np.testing.assert_allclose(point, head.point(raw, location, scale, np), rtol=1e-9)


@pytest.mark.parametrize("size", [-300.0, 300.0])
def test_extreme_raw_numbers_give_numbers_and_gradients(head, size):
    torch = pytest.importorskip("torch", reason="needs the train extra")
    raw = torch.full((2, head.outputs), size, requires_grad=True)
    target = torch.tensor([0.0, 5.0])
    loss = head.loss(raw, target, torch.zeros(()), torch.ones(()), torch)
    loss.sum().backward()
    assert torch.isfinite(loss).all()
    assert torch.isfinite(raw.grad).all()
    said = head.quantiles(raw.detach().numpy(), np.zeros(()), np.ones(()), np)
    assert np.isfinite(said).all()


def test_additional_zeros_are_zeros():
    head = HEADS["zero_inflated"]
    raw = np.array([[2.0, -3.0, 30.0]])
    said = head.quantiles(raw, np.array([30.0]), np.array([1.0]), np)[0]
    assert (said == 0).all()
    assert head.point(raw, np.array([30.0]), np.array([1.0]), np)[0] == pytest.approx(
        32, abs=0.01
    )
    assert np.exp(-head.loss(raw, np.zeros(1), np.array([30.0]), np.array([1.0]), np))[
        0
    ] == pytest.approx(MOST_ZEROS, abs=0.01)


def test_units_of_amounts_do_not_matter():
    raw, location, scale = drawn(Tweedie(), 20)
    said = Tweedie().quantiles(raw, location, scale, np)
    cents = Tweedie().quantiles(raw, 100 * location, 100 * scale, np)
    np.testing.assert_allclose(cents, 100 * said)


# ---------------------------------------------------------------- training

SCHEMES = [
    (Transformed(), Windows(10)),
    (Transformed(), WholeSequence()),
    (Transformed(), Stateful(10)),
    (Transformed(), Rollout(6, support=4)),
    (Adaptive(window=7), WholeSequence()),
    (Adaptive(window=7), Windows(30)),
]


@pytest.mark.parametrize(
    "scheme", SCHEMES, ids=lambda one: f"{one[0]!r}-{type(one[1]).__name__}"
)
def test_every_batching_scheme_trains_it(head, scheme):
    pytest.importorskip("torch", reason="needs the train extra")
    inputs, batching = scheme
    ahead = 1 if isinstance(batching, Rollout) else None
    model = lc.LSTMForecaster(
        H,
        weights="scratch",
        network=NetworkConfig((6,), inputs=inputs, head=head.name, horizon=ahead),
        training=TrainingConfig(epochs=3, batching=batching, batch_size=4),
    ).fit(demand())
    losses = model.history.columns()["train_loss"]
    assert np.isfinite(losses).all()
    forecast = model.predict(demand())
    assert np.isfinite(forecast.quantiles).all()
    assert (forecast.quantiles >= 0).all()


def test_it_learns_is_saved_and_goes_on(head, tmp_path):
    pytest.importorskip("torch", reason="needs the train extra")
    panel = demand()
    training = replace(TrainingConfig.from_scratch(), epochs=6, steps_per_epoch=8)
    network = NetworkConfig((8,), inputs=Adaptive(window=7), head=head.name)
    model = lc.LSTMForecaster(
        H, weights="scratch", network=network, training=training
    ).fit(panel)
    losses = model.history.columns()["train_loss"]
    assert losses[-1] < losses[0]
    model.save(tmp_path / "model")
    loaded = lc.load(tmp_path / "model")
    np.testing.assert_array_equal(
        loaded.predict(panel).quantiles, model.predict(panel).quantiles
    )
    assert loaded.network.head is head
    tuned = lc.LSTMForecaster(
        H, weights=loaded.network, training=replace(training, epochs=1)
    )
    assert np.isfinite(tuned.fit(panel).predict().point).all()


def test_missing_values_are_no_zeros(head):
    pytest.importorskip("torch", reason="needs the train extra")
    values = np.full(80, 5.0)
    values[20:50] = np.nan  # out of stock
    panel = lc.Panel.from_arrays({"a": values}, frequency="D", start="2024-01-01")
    training = replace(TrainingConfig.from_scratch(), epochs=8, steps_per_epoch=8)
    network = NetworkConfig((4,), inputs=Adaptive(window=7), head=head.name)
    model = lc.LSTMForecaster(
        H, weights="scratch", network=network, training=training
    ).fit(panel)
    point = lc.LSTMForecaster(H, weights=model.network).predict(panel).point
    assert (point > 2.5).all()


# ---------------------------------------------------------------- what is refused


def fitted(values, head, **network):
    pytest.importorskip("torch", reason="needs the train extra")
    panel = lc.Panel.from_arrays(
        {"a": np.ones(40), "b": values}, frequency="D", start="2024-01-01"
    )
    config = NetworkConfig((4,), head=head, **network)
    training = TrainingConfig(epochs=1)
    return lc.LSTMForecaster(
        2, weights="scratch", network=config, training=training
    ).fit(panel)


def test_negative_values_are_refused(head):
    values = np.ones(40)
    values[4] = -3
    with pytest.raises(
        DataError, match=r"series 'b', step 5: -3 is negative, and head=.*missing"
    ):
        fitted(values, head.name)


def test_negative_values_are_refused_where_they_are_forecast(head):
    model = lc.LSTMForecaster(2, weights=fitted(np.ones(40), head.name).network)
    values = np.ones(40)
    values[4] = -3
    with pytest.raises(
        DataError, match=r"series 'returns', step 5: -3 is negative, and head="
    ):
        model.predict(
            lc.Panel.from_arrays({"returns": values}, frequency="D", start="2024-01-01")
        )


@pytest.mark.parametrize("name", ["negative_binomial", "zero_inflated"])
def test_fractions_are_no_counts(name):
    values = np.ones(40)
    values[6] = 0.5
    with pytest.raises(
        DataError, match=r"step 7: 0.5 is not a whole number, .* Use head='tweedie'"
    ):
        fitted(values, name)
    fitted(values, "tweedie")


def test_transforms_that_make_values_negative_are_refused(head):
    values = np.arange(40.0)
    with pytest.raises(DataError, match=r"after its transforms, and head="):
        fitted(values, head.name, inputs=Transformed(lc.Standard()))


def test_running_inputs_are_refused(head):
    with pytest.raises(UsageError, match="running inputs are scaled by their recent"):
        NetworkConfig((4,), inputs=Running(), head=head.name, horizon=1)


def test_the_median_is_the_point():
    raw, location, scale = drawn(COUNT_HEADS[0], 5)
    said = COUNT_HEADS[0].quantiles(raw, location, scale, np)
    assert (said[:, MEDIAN] == np.round(said[:, MEDIAN])).all()
