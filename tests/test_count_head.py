"""A user's own head that does not just shift and stretch: counts, from a negative binomial."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

import lstmcast as lc
from lstmcast.data.origins import Origins
from lstmcast.decoding import Reader, decode
from lstmcast.errors import UsageError
from lstmcast.model.heads import HEAD_QUANTILES, MEDIAN
from lstmcast.model.inputs import Adaptive, Grid, Running, Transformed
from lstmcast.model.network import Network, NetworkConfig, array_shapes
from lstmcast.training_config import TrainingConfig

H = 3


class NegativeBinomial:
    """Counts with mean m and variance m + a·m²."""

    name, outputs, center = "negative_binomial", 2, 0
    spreads, affine = True, False

    def _mean(self, raw, location, scale, xp):
        return softplus(location + scale * raw[..., 0], xp) + 1e-3

    def _shape(self, raw, xp):
        """1/a, which numpy calls n."""
        return 1 / (softplus(raw[..., 1], xp) + 1e-3)

    def point(self, raw, location, scale, xp):
        return self._mean(raw, location, scale, xp)

    def quantiles(self, raw, location, scale, xp):
        """From a table of cumulative probabilities; NumPy alone."""
        mean, r = self._mean(raw, location, scale, np), self._shape(raw, np)
        r = np.broadcast_to(r, mean.shape)
        logs = r * np.log(r / (r + mean))
        below = np.exp(logs)
        count = np.zeros((*mean.shape, len(HEAD_QUANTILES)))
        for k in range(100_000):
            further = below[..., None] < HEAD_QUANTILES
            if not further.any():
                return count
            count += further
            logs = logs + np.log((k + r) / (k + 1) * mean / (r + mean))
            below = below + np.exp(logs)
        raise AssertionError("too large for a table")

    def loss(self, raw, target, location, scale, xp):
        lgamma = np.vectorize(math.lgamma) if xp is np else xp.lgamma
        mean, r = self._mean(raw, location, scale, xp), self._shape(raw, xp)
        choices = lgamma(target + r) - lgamma(r) - lgamma(target + 1)
        return -(
            choices + r * xp.log(r / (r + mean)) + target * xp.log(mean / (r + mean))
        )

    def sample(self, raw, location, scale, rng):
        mean, r = self._mean(raw, location, scale, np), self._shape(raw, np)
        return rng.negative_binomial(r, r / (r + mean)).astype(float)

    def initial(self, horizon):
        return np.tile([0.0, -1.0], (horizon, 1))


def softplus(a, xp):
    return xp.logaddexp(a, xp.zeros_like(a))


HEAD = NegativeBinomial()
NETWORK = NetworkConfig(layers=(8,), inputs=Adaptive(window=7), horizon=H)
# few and many, so that some would be read as logarithms by a head that is affine
MEANS = (0.3, 2.0, 40.0, 300.0)


def counts(length=90):
    rng, t = np.random.default_rng(4), np.arange(length)
    season = 1 + 0.6 * np.sin(2 * np.pi * t / 7)
    series = {
        f"about {mean:g}": rng.poisson(mean * season).astype(float) for mean in MEANS
    }
    return lc.Panel.from_arrays(series, frequency="D", start="2024-01-01")


def drawn(config=NETWORK, members=1, size=0.2):
    rng = np.random.default_rng(3)
    shapes = array_shapes(replace(config, head=HEAD.name), HEAD)
    arrays = [
        {
            name: rng.normal(0, size, shape).astype(np.float32)
            for name, shape in shapes.items()
        }
        for _ in range(members)
    ]
    return Network(replace(config, head=HEAD.name), arrays, HEAD)


def assert_counts(quantiles):
    np.testing.assert_array_equal(quantiles, np.round(quantiles))
    assert (quantiles >= 0).all() and (np.diff(quantiles, axis=-1) >= 0).all()


def ends(panel, count=90):
    return Origins(np.arange(len(panel)), np.full(len(panel), count))


def test_the_head_of_these_tests_is_scipys_negative_binomial():
    stats = pytest.importorskip("scipy.stats", reason="compared with scipy's")
    raw, location, scale = (
        np.array([[0.3, -0.5], [-1.0, 1.0]]),
        np.array([4.0, 20]),
        np.array(2.0),
    )
    r, mean = HEAD._shape(raw, np), HEAD.point(raw, location, scale, np)
    theirs = stats.nbinom(r, r / (r + mean))
    expected = np.stack([theirs.ppf(level) for level in HEAD_QUANTILES], axis=-1)
    np.testing.assert_array_equal(HEAD.quantiles(raw, location, scale, np), expected)
    target = np.array([3.0, 25])
    loss = HEAD.loss(raw, target, location, scale, np)
    np.testing.assert_allclose(loss, -theirs.logpmf(target), rtol=1e-9)


def test_numpy_and_pytorch_agree():
    torch = pytest.importorskip("torch", reason="needs the train extra")
    rng = np.random.default_rng(1)
    raw, target = rng.normal(size=(5, H, 1, 2)), rng.poisson(9, (5, H, 1)).astype(float)
    location, scale = rng.normal(9, 3, (5, H, 1)), rng.uniform(1, 3, (5, 1, 1))
    tensors = [torch.from_numpy(part) for part in (raw, target, location, scale)]
    for ours, theirs in (
        (
            HEAD.point(raw, location, scale, np),
            HEAD.point(tensors[0], *tensors[2:], torch),
        ),
        (HEAD.loss(raw, target, location, scale, np), HEAD.loss(*tensors, torch)),
    ):
        np.testing.assert_allclose(theirs.numpy(), ours, rtol=1e-9)


def test_counts_are_learned_forecast_saved_and_loaded(tmp_path):
    pytest.importorskip("torch", reason="needs the train extra")
    panel = counts()
    training = replace(TrainingConfig.from_scratch(), epochs=6, steps_per_epoch=8)
    forecaster = lc.LSTMForecaster(
        H, weights="scratch", network=NETWORK, head=HEAD, training=training
    )
    model = forecaster.fit(panel)
    losses = model.history.columns()["train_loss"]
    assert losses[-1] < losses[0]
    quantiles = decode(Reader(model.network), panel, ends(panel), H)
    assert_counts(quantiles)
    # each about as large as its series
    middle = quantiles[..., MEDIAN].mean(axis=1)
    assert (np.abs(middle - MEANS) < 2 + np.array(MEANS)).all()
    assert (quantiles[1:, :, -1] > quantiles[1:, :, 0]).all()
    model.save(tmp_path / "model")
    loaded = lc.load(tmp_path / "model", head=HEAD)
    np.testing.assert_array_equal(
        decode(Reader(loaded.network), panel, ends(panel), H), quantiles
    )
    np.testing.assert_array_equal(
        loaded.predict(panel).point, model.predict(panel).point
    )


def test_training_tells_the_head_the_values_and_where_they_stand():
    pytest.importorskip("torch", reason="needs the train extra")
    from lstmcast.model.inputs.axis import LINEAR
    from lstmcast.training.feeds import AdaptiveFeed
    from lstmcast.windows import split_of, whole

    panel = counts()
    network = drawn()
    data, _ = NETWORK.inputs.data(panel, panel.lengths, H)
    feed = AdaptiveFeed(data, network.config, "cpu", affine=False)
    (group,) = feed.groups(whole(split_of(data)))  # all on one axis, that of the values
    assert group.axis == LINEAR
    batch = feed.batch(group)
    assert batch.positions_N is not None and batch.around is not None
    row_N, step_N = np.divmod(batch.positions_N.numpy(), batch.x_BTC.shape[1])
    values_BT = panel.values.reshape(len(panel), -1)[group.segments.series]
    ahead = np.append(values_BT, np.full((len(panel), H), np.nan), axis=1)
    expected = ahead[row_N[:, None], step_N[:, None] + 1 + np.arange(H)]
    np.testing.assert_array_equal(batch.target.numpy()[:, :, 0], expected)
    grid = Grid(H, panel.periods, panel.frequency.family)
    inputs = NETWORK.inputs
    seen, _ = inputs.advance(inputs.start(grid, len(panel)), values_BT[:, :, None])
    level_N, scale_N = (
        part[row_N, step_N] for part in (seen.known.level, seen.known.scale)
    )
    location, scale = (part.numpy() for part in batch.around)
    seasonal_NH = seen.known.seasonal[row_N, step_N]
    np.testing.assert_allclose(
        location[:, :, 0], level_N[:, None] + seasonal_NH, rtol=1e-5
    )
    np.testing.assert_allclose(scale[:, 0, 0], scale_N, rtol=1e-5)
    few = feed.batch(group, np.random.default_rng(0), most_positions=10)
    assert few.around is not None
    assert [len(part) for part in (few.target, *few.around)] == [10, 10, 10]


def test_adaptive_inputs_say_where_answers_stand():
    values_BT = counts().values.reshape(len(MEANS), -1)
    inputs = NETWORK.inputs
    _, state = inputs.advance(
        inputs.start(Grid(H, (7,)), len(MEANS)), values_BT[:, :, None]
    )
    known = inputs.known(state)
    location, scale = inputs.around(known)
    answer = np.random.default_rng(2).normal(size=(len(MEANS), H, 1, 5))
    expected = location[..., None] + scale[..., None] * answer
    np.testing.assert_allclose(inputs.place(answer, known), expected, rtol=1e-12)


@pytest.mark.parametrize("inputs", [Transformed(), Running()], ids=repr)
def test_elsewhere_labels_are_the_units(inputs):
    location, scale = inputs.around(None)
    answer = np.ones((2, H, 1, 4))
    np.testing.assert_array_equal(
        location[..., None] + scale[..., None] * answer, inputs.place(answer, None)
    )


def test_answers_are_those_of_the_head_at_the_level_and_scale_of_the_series():
    panel, network = counts(), drawn()
    quantiles = decode(Reader(network), panel, ends(panel), H)
    assert_counts(quantiles)
    inputs = network.config.inputs
    state = inputs.start(Grid(H, panel.periods, panel.frequency.family), len(panel))
    seen, state = inputs.advance(state, panel.values.reshape(len(panel), -1, 1))
    x_TBC = np.ascontiguousarray(seen.x_BTC.transpose(1, 0, 2))
    hidden, _ = network.run(x_TBC, seen.begun_BT.T, network.start(len(panel)))
    (raw,) = network.raw([hidden[0][-1]], seen.x_BTC[:, -1])
    expected = HEAD.quantiles(raw, *inputs.around(inputs.known(state)), np)
    np.testing.assert_array_equal(quantiles, expected[:, :, 0])


def test_members_are_averaged_in_the_units_of_the_data():
    panel, both = counts(), drawn(members=2)
    alone = [Network(both.config, [arrays], HEAD) for arrays in both.members]
    one, other = (decode(Reader(net), panel, ends(panel), H) for net in alone)
    np.testing.assert_array_equal(
        decode(Reader(both), panel, ends(panel), H), (one + other) / 2
    )
    assert not np.array_equal(one, other)


@pytest.mark.parametrize("inputs", [Adaptive(window=7), Transformed()], ids=repr)
@pytest.mark.parametrize("feed", [None, "median"])
def test_further_than_the_network_answers_there_are_sample_paths_of_counts(
    inputs, feed
):
    panel, network = counts(), drawn(replace(NETWORK, inputs=inputs))
    quantiles = decode(Reader(network), panel, ends(panel), 2 * H + 1, feed=feed)
    assert_counts(quantiles)
    assert quantiles.shape == (len(panel), 2 * H + 1, len(HEAD_QUANTILES))


@pytest.mark.parametrize("known", [1, 2, 3, 5])
def test_short_series_and_constant_ones_are_forecast_by_counts_too(known):
    values = {"falls": [9.0, 4, 1, 0, 0], "constant": [6.0] * 5, "zero": [0.0] * 5}
    panel = lc.Panel.from_arrays({name: v[:known] for name, v in values.items()})
    network = drawn()
    for horizon in (H, H + 2):
        assert_counts(decode(Reader(network), panel, ends(panel, known), horizon))


def test_a_stream_of_counts_forecasts_as_a_panel_does():
    panel, network = counts(), drawn()
    stream = lc.Stream(network, panel.ids, frequency="D", head=HEAD)
    for tick in panel.values.reshape(len(panel), -1).T:
        stream.observe(tick)
    expected = decode(Reader(network), panel, ends(panel), H)
    np.testing.assert_allclose(stream.quantiles(H), expected)
    assert_counts(stream.quantiles(H))
    with pytest.raises(UsageError, match="Use a horizon of at most 3, or a forecaster"):
        stream.predict(H + 1)
