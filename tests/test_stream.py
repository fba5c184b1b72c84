"""Stream: it forecasts what `predict` forecasts, rows are apart, a saved one goes on alike,
nothing looks ahead."""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, replace

import numpy as np
import pytest
import torch

import lstmcast as lc
from lstmcast import store
from lstmcast.context import Newest
from lstmcast.data.origins import Origins
from lstmcast.decoding import Reader, decode
from lstmcast.errors import DataError, MissingExtraError, ModelError, UsageError
from lstmcast.model.inputs import Running, Transformed
from lstmcast.model.network import Network, NetworkConfig, array_shapes
from lstmcast.streaming.learning import Learning
from lstmcast.streaming.rows import Rows
from lstmcast.streaming.saving import described_stream
from lstmcast.streaming.stream import Stream
from lstmcast.training.module import module_from_arrays
from lstmcast.training_config import Loss, TrainingConfig, WholeSequence, Windows
from lstmcast.transforms import Chain, Difference, Log1p, MeanAbs, MinMax, Standard

IDS = ["a", "b", "c", "d"]


def network(seed=0, members=1, **chosen):
    config = NetworkConfig(
        **{
            "layers": (5, 4),
            "inputs": Running("changes"),
            "head": "point",
            "horizon": 1,
        }
        | chosen
    )
    rng = np.random.default_rng(seed)
    arrays = [
        {
            name: rng.normal(0, 0.4, shape).astype(np.float32)
            for name, shape in array_shapes(config).items()
        }
        for _ in range(members)
    ]
    return Network(config, arrays)


def walks(ticks=40, rows=4, seed=1, columns=None):
    shape = (ticks, rows) if columns is None else (ticks, rows, columns)
    return 100 + np.cumsum(np.random.default_rng(seed).normal(size=shape), axis=0)


def learner(
    learning=Learning(chunk=4),  # noqa: B008
    inputs=Running("changes"),  # noqa: B008
    ids=IDS,
    alerts=None,
    **chosen,
):
    network_of_rows = network(inputs=inputs, **chosen)
    return Stream(network_of_rows, ids, learning=learning, alerts=alerts)


def followed(stream, values_TS):
    """What was predicted for each tick, (T, S)."""
    predicted = []
    for values_S in values_TS:
        predicted.append(stream.predict())
        stream.observe(values_S)
    return np.array(predicted)


# ---------------------------------------------------------------- the shipped network

SHIPPED = lc.LSTMForecaster(horizon=30)


def kinds(ticks, seed=0):
    """Series on either axis, on one after the other, and with little or nothing to see."""
    rng, t = np.random.default_rng(seed), np.arange(ticks)
    noise = rng.normal(size=(14, ticks))
    return {
        "positive": np.exp(
            0.02 * np.cumsum(noise[0]) + 0.3 * np.sin(2 * np.pi * t / 7)
        ),
        "across zero": np.cumsum(noise[1]) + 5 * np.sin(2 * np.pi * t / 7),
        "changes its sign": np.where(t < ticks // 2, 10.0, 0)
        + 5 * np.sin(t)
        + noise[2] / 2,
        "nearly flat": 1000 + 0.01 * noise[3],
        "constant": np.full(ticks, 3.0),
        "with gaps": np.where(rng.random(ticks) < 0.2, np.nan, 50 + noise[4]),
        "begins late": np.where(t < ticks // 3, np.nan, 50 + noise[5]),
        "zeros first": np.where(t < ticks // 5, 0.0, 1 + np.abs(noise[6])),
        "zeros": np.zeros(ticks),
        "huge": 1e200 * np.cumsum(noise[7]),
        "the largest": 1.7e308 * np.tanh(noise[8]),
        "tiny": 1e-200 * np.cumsum(noise[9]),
        "grows": np.where(t < ticks // 2, 1.0, 1e150) * np.abs(noise[10]) * (-1.0) ** t,
        "shrinks": np.where(t < ticks // 2, 1.0, 1e-3) * noise[11],
        "zeros, then tiny": np.where(t < ticks // 5, 0.0, 1e-200 * noise[12]),
        "never": np.full(ticks, np.nan),
    }


def panel_of(series, **chosen):
    return lc.Panel.from_arrays(
        series, **{"frequency": "D", "start": "2000-01-01"} | chosen
    )


def assert_forecasts_as_decoded(stream, panel, counts, horizon=30):
    """Within 1e-6 of what is usual in each series: its standard deviation and the width of the
    interval."""
    counts = np.broadcast_to(counts, len(panel))
    origins = Origins(np.arange(len(panel)), counts)
    expected = decode(Reader(stream.network), panel, origins, horizon)
    quantiles = stream.quantiles(horizon)
    for s, name in enumerate(panel.ids):
        known = panel.values[panel.offsets[s] : panel.offsets[s] + counts[s]]
        known = known[~np.isnan(known)]
        size = np.abs(known).max(initial=1e-300)
        usual = np.std(known / size) if len(known) else 0.0
        usual = usual + (expected[s, :, -1] / size - expected[s, :, 0] / size)[:, None]
        # Where the largest logarithm that is used cuts an interval off, its width says nothing.
        usual = usual + (np.abs(expected[s]) >= np.exp(709.0)).any()
        error = np.abs(quantiles[s] / size - expected[s] / size)
        assert not (error > 1e-6 * usual + 1e-14).any(), (
            f"{name} at {counts[s]}: {error.max()}"
        )
        assert np.isnan(quantiles[s]).all() == (not len(known)), name
    np.testing.assert_array_equal(stream.predict(horizon), quantiles[:, :, 3])
    np.testing.assert_array_equal(stream.predict(), quantiles[:, 0, 3])


@pytest.fixture
def short_contexts(monkeypatch):
    """Contexts begin at multiples of 32 observations."""
    monkeypatch.setattr("lstmcast.context.CONTEXT", 64)


@pytest.mark.usefixtures("short_contexts")
def test_tick_by_tick_the_shipped_network_forecasts_as_predict_does():
    panel = panel_of(kinds(130))
    values_ST = panel.values.reshape(len(panel), -1)
    stream = Stream(SHIPPED, panel.ids, frequency="D")
    assert stream.context.length == 32
    around = {1, 4, 5, 31, 32, 33, 44, 45, 63, 64, 65, 66, 95, 96, 97, 130}
    for tick in range(130):
        errors = stream.observe(values_ST[:, tick])
        assert errors.shape == (len(panel),)
        if tick + 1 in around:
            assert_forecasts_as_decoded(stream, panel, tick + 1)


def test_a_history_given_at_once_goes_on_as_predict_does():
    """Rows of all lengths where a context begins or is about to."""
    lengths = [1, 4, 510, 511, 1022, 1023, 1024, 1535, 1698]
    series = {
        f"{name}, {length}": values[: length + 2]
        for length in lengths
        for name, values in kinds(length + 2, length).items()
        if name in ("positive", "changes its sign", "with gaps", "begins late")
    }
    panel = panel_of(series)
    known = panel.until(panel.lengths - 2)
    stream = Stream(SHIPPED, known)
    assert stream.grid.periods == panel.periods and stream.ids == panel.ids.tolist()
    assert_forecasts_as_decoded(stream, panel, panel.lengths - 2)
    for left in (1, 0):
        stream.observe(panel.values[panel.offsets[1:] - left - 1])
        assert_forecasts_as_decoded(stream, panel, panel.lengths - left)


@pytest.mark.parametrize("length", [1, 511, 512, 1024])
def test_a_history_at_once_is_one_tick_by_tick(length):
    """The last four of them, and three more."""
    series = {
        name: kinds(length + 3)[name]
        for name in ("positive", "with gaps", "changes its sign")
    }
    panel, earlier = panel_of(series), max(length - 4, 1)
    values_TS = np.array(list(series.values())).T
    one, two = (
        Stream(SHIPPED, panel.until(np.full(3, count))) for count in (length, earlier)
    )
    for values_S in values_TS[earlier:length]:
        two.observe(values_S)
    for values_S in values_TS[length:]:
        assert one.rows["count"].tolist() == two.rows["count"].tolist()
        np.testing.assert_allclose(one.predict(9), two.predict(9), rtol=2e-6, atol=1e-5)
        one.observe(values_S)
        two.observe(values_S)


def test_the_forecasts_are_those_of_the_forecaster():
    """Also with periods of its own, and beyond the horizon of the network."""
    model = lc.LSTMForecaster(horizon=5, method="network")
    rng = np.random.default_rng(3)
    series = {
        "a": 50 + np.tile([0, 4, 9.0, 1, 3], 12) + rng.normal(size=60),
        "b": walks(60, 1)[:, 0],
    }
    for chosen in ({"frequency": "MS"}, {"frequency": "h", "periods": 5}):
        panel = panel_of(series, **chosen)
        stream = Stream(model, ["a", "b"], **chosen)
        for tick in range(60):
            stream.observe([series["a"][tick], series["b"][tick]])
        for horizon in (1, 5, 14):
            expected = model.predict(panel, horizon).point
            np.testing.assert_allclose(stream.predict(horizon), expected, rtol=1e-6)
            np.testing.assert_allclose(
                Stream(model, panel).predict(horizon), expected, rtol=1e-6
            )
    other = Stream(model, panel, periods=(7,))
    assert np.abs(other.predict(5) - stream.predict(5)).max() > 0.1


@pytest.mark.usefixtures("short_contexts")
def test_a_forecaster_opens_its_stream():
    panel = panel_of({"a": walks(40, 1)[:, 0]})
    stream = SHIPPED.stream(panel, alerts=lc.Alerts(), conformal=lc.Conformal())
    np.testing.assert_array_equal(stream.predict(9), Stream(SHIPPED, panel).predict(9))
    assert stream.alerts == lc.Alerts() and stream.conformal == lc.Conformal()
    named = SHIPPED.stream(["b"], frequency="h", periods=[12], kind="count")
    assert (named.grid.periods, named.ids) == ((12,), ["b"])


def test_rows_of_the_shipped_network_have_ticks_of_their_own():
    """Each tick is of some rows only, and in any order."""
    names = ("positive", "across zero", "changes its sign", "with gaps")
    series = {name: kinds(110)[name] for name in names}
    panel, rng = panel_of(series), np.random.default_rng(5)
    stream, counts = Stream(SHIPPED, names, frequency="D"), np.zeros(4, int)
    for tick in range(140):
        share = 1.0 if tick == 0 else 0.7
        chosen = [
            k for k in rng.permutation(4) if rng.random() < share and counts[k] < 110
        ]
        stream.observe({names[k]: series[names[k]][counts[k]] for k in chosen})
        counts[chosen] += 1
        if tick % 20 == 5:
            assert_forecasts_as_decoded(stream, panel, counts)
    assert len(set(counts)) > 1 and counts.min() > 80 and stream.ticks == 140


@pytest.mark.usefixtures("short_contexts")
def test_rows_of_the_shipped_network_join_leave_and_begin_anew():
    series = kinds(150)
    panel = panel_of(
        {name: series[name][:70] for name in ("positive", "across zero", "with gaps")}
    )
    stream = Stream(SHIPPED, panel)
    stream.leave(["positive"])
    stream.join(["changes its sign"])
    stream.reset(["with gaps"])
    assert np.isnan(stream.predict()).tolist() == [False, True, True]
    fresh = Stream(SHIPPED, ["with gaps", "changes its sign"], frequency="D")
    stays = Stream(SHIPPED, panel)
    for tick in range(70, 140):
        stream.observe([series[name][tick] for name in stream.ids])
        fresh.observe([series[name][tick] for name in fresh.ids])
        stays.observe([series["across zero"][tick]], ["across zero"])
    assert stream.ids == ["across zero", "with gaps", "changes its sign"]
    np.testing.assert_allclose(stream.predict(9)[1:], fresh.predict(9), rtol=1e-5)
    np.testing.assert_allclose(
        stream.predict(9)[0], stays.predict(9)[1], rtol=1e-5, atol=1e-5
    )
    everything = Stream(SHIPPED, panel)
    everything.reset()
    assert np.isnan(everything.predict(3)).all()


@pytest.mark.usefixtures("short_contexts")
@pytest.mark.parametrize("ticks", [0, 60, 61, 64])
def test_a_saved_stream_of_the_shipped_network_goes_on_with_the_same_bits(
    tmp_path, ticks
):
    names = ("positive", "changes its sign", "with gaps", "begins late", "grows")
    values_TS = np.array([kinds(100)[name] for name in names]).T
    stream = Stream(SHIPPED, names, frequency="D")
    for values_S in values_TS[:ticks]:
        stream.observe(values_S)
    stream.save(tmp_path / "stream")
    loaded, frozen = Stream.load(tmp_path / "stream"), stream.frozen()
    assert (loaded.grid.periods, loaded.context, loaded.ids) == (
        (7,),
        stream.context,
        [*names],
    )
    for values_S in values_TS[ticks : ticks + 10]:
        errors = stream.observe(values_S)
        for copy in (loaded, frozen):
            np.testing.assert_array_equal(copy.observe(values_S), errors)
            np.testing.assert_array_equal(copy.quantiles(5), stream.quantiles(5))


@pytest.mark.usefixtures("short_contexts")
def test_rows_are_read_and_answered_alike_in_parts_and_at_different_turns(monkeypatch):
    """Younger states read at turns of their rows, and rows some after the others."""
    monkeypatch.setattr("lstmcast.streaming.reading.ROWS_TOGETHER", 2)
    monkeypatch.setattr("lstmcast.streaming.lanes.AT_ONCE", 4)
    monkeypatch.setattr("lstmcast.streaming.lanes.FEWEST_AT_ONCE", 3)
    monkeypatch.setattr("lstmcast.streaming.answers.TOGETHER", 5)
    series = kinds(100)
    panel, stream = panel_of(series), Stream(SHIPPED, series, frequency="D")
    for tick in range(100):
        stream.observe([values[tick] for values in series.values()])
        if tick == 92:
            waiting_S = stream.rows["count"] - stream.rows["newer count"]
            assert len(set(waiting_S.tolist())) > 1 and waiting_S.max() < 8
        if tick in (63, 64, 92, 99):
            assert_forecasts_as_decoded(stream, panel, tick + 1)


@pytest.mark.usefixtures("short_contexts")
def test_a_stream_of_an_older_version_whose_younger_states_waited_for_nothing_goes_on(
    tmp_path,
):
    series = {
        name: kinds(100)[name] for name in ("positive", "across zero", "with gaps")
    }
    # a panel leaves out what is missing at its end, and 100 ticks are read
    panel = panel_of({name: np.append(values, 1.0) for name, values in series.items()})
    stream = Stream(SHIPPED, series, frequency="D")
    for tick in range(77):
        stream.observe([values[tick] for values in series.values()])
    manifest, groups = described_stream(stream)
    del groups["rows"]["newer count"]
    store.save(tmp_path / "older", manifest, groups)
    loaded = Stream.load(tmp_path / "older")
    for tick in range(77, 100):
        loaded.observe([values[tick] for values in series.values()])
    assert_forecasts_as_decoded(loaded, panel, 100)


@pytest.mark.usefixtures("short_contexts")
def test_errors_are_the_same_bits_whatever_was_asked_before():
    values = kinds(70)["positive"]
    asked, silent = (Stream(SHIPPED, ["a"], frequency="D") for _ in range(2))
    for value in values:
        far = asked.quantiles(30)
        np.testing.assert_array_equal(asked.quantiles(7), far[:, :7])
        np.testing.assert_array_equal(asked.observe([value]), silent.observe([value]))


def test_positive_values_may_grow_beyond_all_squares():
    """Their logarithms are forecast alike."""
    values = np.exp(np.random.default_rng(8).normal(size=40)) * np.where(
        np.arange(40) < 20, 1, 1e150
    )
    stream, panel = Stream(SHIPPED, ["a"], frequency="D"), panel_of({"a": values})
    for tick, value in enumerate(values):
        stream.observe([value])
        expected = decode(
            Reader(SHIPPED.network),
            panel,
            Origins(np.array([0]), np.array([tick + 1])),
            5,
        )
        np.testing.assert_allclose(
            np.log(stream.quantiles(5)), np.log(expected), atol=1e-4
        )


MOST, LEAST = float(np.finfo(float).max), 5e-324


@pytest.mark.parametrize(
    ("frequency", "values"),
    [
        ("h", [-1.7e308]),
        ("h", [MOST]),
        ("h", [-1e200, 1.7e308, 1.7e308, np.nan, 1.7e308, 50.0, 1.7e308]),
        ("h", [-1.7e308, *[1.7e308] * 4]),
        ("D", [-LEAST, -LEAST, -LEAST, MOST]),
        ("D", [MOST, -MOST, np.nan, LEAST, 0.0]),
        ("MS", [LEAST, 1.7e308, -1.7e308, np.nan, 0.0, 1e154]),
    ],
)
def test_values_at_the_ends_of_the_numbers_are_answered(frequency, values):
    """Without a warning, in order, and with numbers, also where all else watches."""
    stream = Stream(
        SHIPPED,
        ["a"],
        frequency=frequency,
        alerts=lc.Alerts(),
        conformal=lc.Conformal(),
    )
    for value in values:
        stream.observe([value])
        for horizon in (1, 24, 30):
            quantiles = stream.quantiles(horizon, adjusted=False)
            assert not np.isnan(quantiles).any(), (value, horizon)
            assert (quantiles[..., 1:] >= quantiles[..., :-1]).all(), (value, horizon)
            assert np.isfinite(stream.predict(horizon)).all()


def test_a_stream_of_the_shipped_network_may_be_empty():
    stream = Stream(SHIPPED, [], frequency="D")
    assert stream.observe([]).shape == stream.predict().shape == (0,)
    assert stream.predict(3).shape == (0, 3) and stream.quantiles(2).shape == (0, 2, 7)
    stream.join(["a"])
    for value in (3.0, 4.0, 5.0):
        stream.observe([value])
    assert stream.predict() == pytest.approx([5.0])  # of so few, the last one


def test_an_infinite_value_is_refused_and_nothing_has_changed():
    stream = Stream(SHIPPED, ["a", "b"], frequency="D")
    stream.observe([1.0, 2.0])
    before = {name: array.copy() for name, array in stream.rows.arrays().items()}
    with pytest.raises(DataError, match="Row 'b' has an infinite value"):
        stream.observe([1.0, -np.inf])
    for name, array in stream.rows.arrays().items():
        np.testing.assert_array_equal(array, before[name])


def test_horizons_that_are_none_are_refused():
    stream = Stream(SHIPPED, ["a"], frequency="D")
    for horizon in (0, -1, 2.5, "all"):
        with pytest.raises(UsageError, match="horizon"):
            stream.predict(horizon)


# ---------------------------------------------------------------- reading


def by_hand(net, x_TSK):
    """One pass of the PyTorch module over whole sequences: what comes after each tick (T, S, K)."""
    module = module_from_arrays(net.members[0], net.config)
    x_STK = torch.from_numpy(x_TSK.transpose(1, 0, 2).astype(np.float32))
    with torch.no_grad():
        hidden, _ = module.hidden(x_STK)
        return module.raw(hidden, x_STK)[:, :, 0, :, 0].numpy().transpose(1, 0, 2)


def test_ticks_one_by_one_are_one_pass():
    """By hand: changes over the root of their decayed mean square, this change included; PyTorch
    reads them at once."""
    values, net = walks(), network(inputs=Running("changes", limit=None))
    predicted = followed(Stream(net, IDS), values)
    changes, decay = np.diff(values, axis=0), np.exp(-np.arange(39) / 250)
    scale = [
        np.sqrt(decay[: t + 1] @ changes[t::-1] ** 2 / decay[: t + 1].sum())
        for t in range(39)
    ]
    answers = by_hand(net, (changes / scale)[..., None])[..., 0]
    assert np.isnan(predicted[:2]).all()
    np.testing.assert_allclose(
        predicted[2:], values[1:-1] + (answers * scale)[:-1], rtol=1e-6
    )


MODEL = {
    "weights": "scratch",
    "network": NetworkConfig(
        (4,), inputs=Transformed(Difference(), Standard()), head="point"
    ),
    "training": TrainingConfig(epochs=2, batching=WholeSequence(), validation=None),
}


def test_a_fitted_forecaster_goes_on_as_it_predicts():
    values = walks(60, 2)
    panel = lc.Panel.from_arrays({"a": values[:, 0], "b": values[:, 1]})
    model = lc.LSTMForecaster(1, **MODEL).fit(panel)
    expected = model.predict(panel, mode="one-step").point[:, 0].reshape(2, -1).T
    predicted = followed(Stream(model, ["a", "b"]), values)
    np.testing.assert_allclose(predicted[2:], expected, rtol=1e-6)
    learns = Stream(model, ["a", "b"], learning=Learning(learning_rate=1e-2))
    assert not np.allclose(followed(learns, values)[2:], expected)
    with pytest.raises(
        UsageError, match=r"not fitted to series 'c'.*Running\(\) inputs"
    ):
        learns.join(["c"])
    assert learns.ids == ["a", "b"] and len(learns.predict()) == 2


def test_missing_ticks_of_a_fitted_forecaster_are_read_as_it_reads_them():
    values = walks(60, 1)
    values[[20, 21, 40]] = np.nan
    panel = lc.Panel.from_arrays({"a": values[:, 0]})
    model = lc.LSTMForecaster(1, **MODEL).fit(panel)
    expected = model.predict(panel, mode="one-step").point[:, 0]
    np.testing.assert_allclose(
        followed(Stream(model, ["a"]), values)[2:, 0], expected, rtol=1e-6
    )


@pytest.mark.parametrize(
    "transforms",
    [
        (Difference(), Standard()),
        # of the second one, more is unknown than of the values
        (Difference(), Difference(4), Standard()),
        {
            "a": (Log1p(), Difference(3), MeanAbs()),
            "b": (Difference(4), Difference(), Standard()),
        },
        {"a": Standard(), "b": (Difference(2), Standard())},
    ],
)
def test_a_gap_of_any_length_is_passed_as_the_forecaster_passes_it(
    tmp_path, transforms
):
    """A gap of 25 ticks, single ones, and one shorter than the longest lag; saved and loaded in
    the first of them."""
    values = walks(90, 2)
    values[30:55], values[[60, 62, 63], 0], values[70:73, 1] = np.nan, np.nan, np.nan
    panel = lc.Panel.from_arrays({"a": values[:, 0], "b": values[:, 1]})
    network = replace(MODEL["network"], inputs=Transformed(transforms))
    model = lc.LSTMForecaster(1, **MODEL | {"network": network}).fit(panel)
    expected = model.predict(panel, mode="one-step").point[:, 0].reshape(2, -1).T
    stream = Stream(model, ["a", "b"])
    before = followed(stream, values[:40])
    stream.save(tmp_path / "stream")
    predicted = np.concatenate(
        [before, followed(Stream.load(tmp_path / "stream"), values[40:])]
    )
    assert np.isfinite(expected[20:]).all()
    np.testing.assert_allclose(predicted[-len(expected) :], expected, rtol=1e-6)


WINDOWS = TrainingConfig(epochs=1, batching=Windows(length=9), validation=None)
WHOLE = TrainingConfig(epochs=1, batching=WholeSequence(), validation=None)


@pytest.mark.parametrize(
    ("training", "head", "transforms", "steps"),
    [
        (WINDOWS, "point", Standard(), 1),
        (WINDOWS, "point", (Difference(), Standard()), 3),
        (WHOLE, "point", (Log1p(), Difference(4), Difference(), Standard()), 1),
        (WHOLE, "point", Chain((MeanAbs(), MinMax()), apart=True), 2),
        (WINDOWS, "quantiles", (Log1p(), Standard()), 3),
        (WHOLE, "normal", (Difference(), Standard(per="panel")), 1),
    ],
)
def test_a_transformed_network_forecasts_as_its_forecaster(
    training, head, transforms, steps
):
    """Far ahead where it answers points; otherwise as far as the network answers at once."""
    values = walks(50, 2)
    values[[7, 30, 31], 0] = np.nan
    panel = panel_of({"a": values[:, 0], "b": values[:, 1]})
    network = NetworkConfig((4,), Transformed(transforms), head, horizon=steps)
    chosen = {"weights": "scratch", "network": network}
    model = lc.LSTMForecaster(steps, **chosen, training=training).fit(
        panel.until(np.full(2, 40))
    )
    stream, at_once = Stream(model, ["b", "a"]), Stream(model, panel)
    for values_S in values[:, ::-1]:
        stream.observe(values_S)
    for horizon in (1, steps, 8) if head == "point" else (steps,):
        expected = model.predict(panel, horizon).point
        np.testing.assert_allclose(stream.predict(horizon)[::-1], expected, rtol=1e-6)
        np.testing.assert_allclose(at_once.predict(horizon), expected, rtol=1e-6)
    np.testing.assert_array_equal(stream.predict(), stream.predict(1)[:, 0])


def test_a_window_of_newest_steps_is_kept(tmp_path):
    """Ragged rows, some of which are shorter than the window; saved on the way."""
    values = walks(60, 3)
    panel = panel_of({"a": values[:50, 0], "b": values[:5, 1], "c": values[:20, 2]})
    network = NetworkConfig((4,), Transformed(MeanAbs()), "point")
    model = lc.LSTMForecaster(
        1, weights="scratch", network=network, training=WINDOWS
    ).fit(panel)
    stream = Stream(model, panel)
    assert stream.context == Newest(9)
    stream.save(tmp_path / "stream")
    stream = Stream.load(tmp_path / "stream")
    np.testing.assert_allclose(
        stream.predict(6), model.predict(panel, 6).point, rtol=1e-6
    )
    for more in range(3):
        stream.observe(values[[50 + more, 5 + more, 20 + more], [0, 1, 2]])
    longer = panel_of({"a": values[:53, 0], "b": values[:8, 1], "c": values[:23, 2]})
    np.testing.assert_allclose(
        stream.predict(6), model.predict(longer, 6).point, rtol=1e-6
    )


def test_sums_of_quantiles_are_refused():
    panel = panel_of({"a": walks(30, 1)[:, 0]})
    network = NetworkConfig((4,), Transformed(Difference()), "normal")
    model = lc.LSTMForecaster(1, weights="scratch", network=network, training=WHOLE)
    stream = Stream(model.fit(panel), panel)
    assert (np.diff(stream.quantiles(1)[:, 0]) > 0).all()
    for ask in (stream.predict, stream.quantiles):
        with pytest.raises(
            UsageError, match="quantiles of a sum are not sums of quantiles"
        ):
            ask(2)


@pytest.mark.parametrize("training", [WINDOWS, WHOLE])
def test_columns_that_are_read_together_are_forecast_as_their_forecaster_does(training):
    values = walks(50, 2)
    panel = panel_of({"price": values[:, 0], "sales": values[:, 1]})
    inputs = Transformed(Difference(), Standard(), columns=2)
    network = NetworkConfig((4,), inputs, "point", horizon=2)
    model = lc.LSTMForecaster(
        2, weights="scratch", network=network, training=training
    ).fit(panel)
    stream = Stream(model, ["shop"])
    assert np.isnan(stream.predict(3)).all() and stream.predict(3).shape == (1, 3, 2)
    for values_K in values:
        assert stream.observe(values_K[None]).shape == (1, 2)
    for horizon in (1, 2, 7):
        expected = model.predict(panel, horizon).point
        np.testing.assert_allclose(stream.predict(horizon)[0].T, expected, rtol=1e-6)
    with pytest.raises(
        UsageError, match=r"fitted to 1 row of 2 columns, but 2 are given"
    ):
        stream.join(["another"])
    with pytest.raises(
        UsageError, match=r"this network reads 2 together\. Name the rows"
    ):
        Stream(model, panel)


def test_rows_of_several_columns_are_apart():
    """Whatever a network of columns reads of one row, the others do not move."""
    net = network(inputs=Transformed(Difference(), columns=2))
    values, stream = walks(30, 3, columns=2), Stream(net, ["a", "b", "c"])
    together = followed(stream, values)
    for s, name in enumerate("abc"):
        alone = followed(Stream(net, [name]), values[:, s : s + 1])
        np.testing.assert_allclose(together[:, s], alone[:, 0], rtol=1e-6)
    assert stream.predict(4).shape == (3, 4, 2)
    np.testing.assert_array_equal(stream.predict(4)[:, 0], stream.predict())


def test_rows_with_transforms_of_their_own_may_tick_one_by_one():
    net = network(
        inputs=Transformed({"a": (Difference(), Difference(3)), "b": Log1p(), "c": ()})
    )
    values, together, apart = (
        walks(20, 3),
        Stream(net, ["a", "b", "c"]),
        Stream(net, ["c", "a", "b"]),
    )
    for values_S in values:
        together.observe(values_S)
        for name, value in zip("abc", values_S, strict=True):
            apart.observe([value], [name])
    expected = together.predict(5)
    np.testing.assert_allclose(
        apart.predict(5)[[1, 2, 0]], expected, rtol=1e-6, atol=1e-6
    )


@pytest.mark.parametrize("columns", [1, 2])
def test_what_was_given_to_the_caller_may_be_changed(columns):
    values = walks(12, 3, columns=columns).squeeze()
    stream = Stream(
        network(inputs=Running("changes", columns=columns)), ["a", "b", "c"]
    )
    followed(stream, values[:-1])
    predicted = stream.predict()
    expected = values[-1] - predicted
    predicted[:], stream.predict(1)[:] = 0, 0
    np.testing.assert_array_equal(stream.observe(values[-1]), expected)


def test_a_value_that_has_no_transform_is_refused_and_nothing_has_changed():
    stream = Stream(network(inputs=Transformed(Log1p(), Difference())), ["a", "b"])
    followed(stream, walks(5, 2))
    before = {name: array.copy() for name, array in stream.rows.arrays().items()}
    with pytest.raises(DataError, match="'b'"):
        stream.observe([3.0, -2.0])
    for name, array in stream.rows.arrays().items():
        np.testing.assert_array_equal(array, before[name])
    assert stream.ticks == 5


def test_a_value_too_large_for_the_network_is_refused():
    stream = Stream(network(inputs=Transformed(Difference())), ["a", "b"])
    followed(stream, walks(5, 2))
    before = stream.predict()
    with pytest.raises(DataError, match=r"'b'.*1e\+200"):
        stream.observe([3.0, 1e200])
    np.testing.assert_array_equal(stream.predict(), before)


def test_running_inputs_are_fed_back_in_their_own_units():
    """Changes go on from the newest value; a history that is given at once is the same."""
    values, net = walks(30, 2), network(inputs=Running("changes"))
    stream = Stream(net, ["a", "b"])
    followed(stream, values)
    far = stream.predict(5)
    np.testing.assert_array_equal(far[:, 0], stream.predict())
    known = stream.rows["older"].inputs
    scale = np.sqrt(known.square_BK / known.weight_BK)[:, 0]
    x = np.diff(far, axis=1, prepend=values[-1][:, None]) / scale[:, None]
    state, expected = stream.rows["older"].recurrent, []
    for step in range(4):
        hidden, state = net.run(
            x[None, :, step, None].astype(np.float32), np.ones((1, 2), bool), state
        )
        expected.append(net.answer([hidden[0][0]], np.empty(0))[:, 0, 0, 0])
    np.testing.assert_allclose(x[:, 1:], np.transpose(expected), rtol=1e-4, atol=1e-6)
    at_once = Stream(net, panel_of({"a": values[:, 0], "b": values[:, 1]}))
    np.testing.assert_allclose(at_once.predict(5), far, rtol=1e-6)


def test_a_stream_learns_on_from_a_history():
    values = walks(40)
    panel = panel_of({name: values[:20, k] for k, name in enumerate(IDS)})
    stream = Stream(network(), panel, learning=Learning(chunk=4))
    assert stream.updates == 0 and np.isfinite(stream.predict()).all()
    first = stream.predict()
    np.testing.assert_allclose(first, _after(learner(None), values[:20]), rtol=1e-6)
    followed(stream, values[20:])
    # the first tick has nothing before it
    assert stream.updates == 19 and not stream.skipped


EAGER = Learning(learning_rate=1e-2, chunk=6, every=2, replay=1)


def test_learning_may_begin_on_an_open_stream(tmp_path):
    """Before the first tick it is learning from the opening on; saved, it goes on alike."""
    values = walks(60)
    opened, begun = learner(EAGER), learner(None)
    begun.learn(EAGER)
    assert begun.learning == EAGER and "0 updates" in repr(begun)
    np.testing.assert_array_equal(
        followed(opened, values[:30]), followed(begun, values[:30])
    )
    begun.save(tmp_path / "stream")
    loaded = Stream.load(tmp_path / "stream")
    expected = followed(opened, values[30:])
    np.testing.assert_array_equal(followed(begun, values[30:]), expected)
    np.testing.assert_array_equal(followed(loaded, values[30:]), expected)
    assert begun.updates == loaded.updates == opened.updates > 20


def test_learning_begins_after_some_ticks_and_ends():
    values = walks(60)
    stream, still = learner(None, alerts=lc.Alerts()), learner(None)
    followed(stream, values[:20])
    followed(still, values[:20])
    stream.note["offset"] = 20
    scores = stream.scores
    stream.learn(EAGER)
    np.testing.assert_array_equal(stream.predict(), still.predict())
    np.testing.assert_array_equal(stream.scores, scores)
    assert (stream.ticks, stream.note, stream.updates) == (20, {"offset": 20}, 0)
    followed(stream, values[20:40])
    followed(still, values[20:40])
    assert stream.updates == 9  # its first tick has nothing before it
    assert (stream.predict() != still.predict()).all()

    frozen = stream.frozen()
    stream.learn(None)
    assert stream.learning is None and stream.ticks == 40
    np.testing.assert_array_equal(
        followed(stream, values[40:]), followed(frozen, values[40:])
    )


def test_other_settings_of_learning_begin_anew():
    values = walks(40)
    stream = learner(EAGER)
    followed(stream, values[:20])
    before = stream.predict()
    stream.learn(Learning(chunk=3, optimiser="sgd"))
    np.testing.assert_array_equal(stream.predict(), before)
    followed(stream, values[20:])
    # the first tick has nothing before it
    assert stream.updates == 19


def test_a_network_fitted_on_windows_learns_on_from_the_newest_one():
    values = walks(60, 2)
    panel = panel_of({"a": values[:40, 0], "b": values[:12, 1]})
    network = NetworkConfig((4,), Transformed((Difference(), Standard())), "point")
    model = lc.LSTMForecaster(
        1, weights="scratch", network=network, training=WINDOWS
    ).fit(panel)
    opened, begun = Stream(model, panel, learning=EAGER), Stream(model, panel)
    begun.learn(EAGER)
    np.testing.assert_allclose(
        begun.predict(), model.predict(panel, 1).point[:, 0], rtol=1e-6
    )
    ticks = values[40:]
    np.testing.assert_array_equal(followed(opened, ticks), followed(begun, ticks))
    assert begun.updates == 9


def test_a_stream_that_cannot_learn_stays_as_it_is():
    stream = Stream(SHIPPED, ["a"], frequency="D")
    stream.observe([3.0])
    with pytest.raises(UsageError, match="must forecast one step"):
        stream.learn(Learning())
    with pytest.raises(UsageError, match="learning=True is not a setting of learning"):
        stream.learn(True)
    stream.learn(None)
    assert stream.ticks == 1 and stream.learning is None
    assert stream.predict().tolist() == [3.0]


@pytest.mark.parametrize("of", ["values", "changes", "returns"])
@pytest.mark.parametrize("learning", [None, Learning(learning_rate=1e-2, chunk=3)])
def test_nothing_after_a_tick_is_used_at_it(of, learning):
    values = walks()
    other = values.copy()
    other[20:] = 3 * other[20:] + 7
    one, two = (
        followed(learner(learning, Running(of)), given) for given in (values, other)
    )
    # the prediction for tick 20 was made before it
    np.testing.assert_array_equal(one[:21], two[:21])
    assert (one[22:] != two[22:]).all()


@pytest.mark.parametrize("of", ["values", "changes"])
def test_units_do_not_matter(of):
    values = walks()
    predicted, larger = (
        followed(learner(inputs=Running(of)), given)
        for given in (values, 1000 * values - 5000)
    )
    np.testing.assert_allclose(larger[2:], 1000 * predicted[2:] - 5000, rtol=1e-4)


def test_quantiles_surround_the_prediction():
    stream = learner(head="normal")
    followed(stream, walks())
    quantiles = stream.quantiles()
    assert quantiles.shape == (4, 7)
    assert (np.diff(quantiles, axis=1) > 0).all()
    np.testing.assert_array_equal(quantiles[:, 3], stream.predict())
    with pytest.raises(UsageError, match="no quantiles"):
        learner().quantiles()


def test_several_columns_are_read_together():
    values = walks(30, 2, columns=3)
    net = network(inputs=Running("changes", columns=3))
    stream = Stream(net, ["a", "b"], learning=Learning(chunk=4))
    predicted = followed(stream, values)
    assert predicted.shape == (30, 2, 3)
    values[10:, :, 2] += 50  # the third column moves what is said of the first
    moved = followed(Stream(net, ["a", "b"]), values)
    assert (moved[12:, :, 0] != predicted[12:, :, 0]).all()


def test_members_are_averaged_and_each_learns():
    together = learner(members=2)
    before = [own["head.bias"].copy() for own in together.network.members]
    followed(together, walks())
    assert all(
        (own["head.bias"] != old).all()
        for own, old in zip(together.network.members, before, strict=True)
    )
    net = network(members=2)
    alone = [Network(net.config, [own]) for own in net.members]
    first, second, both = (followed(Stream(one, IDS), walks()) for one in (*alone, net))
    np.testing.assert_allclose(both, (first + second) / 2, rtol=1e-6)


# ---------------------------------------------------------------- rows


def test_one_rows_reset_leaves_the_others_as_they_were():
    values, one, two = walks(), learner(None), learner(None)
    followed(one, values[:20])
    followed(two, values[:20])
    two.reset(["b"])
    assert np.isnan(two.predict()[1])
    rest, other = followed(one, values[20:]), followed(two, values[20:])
    np.testing.assert_array_equal(
        np.delete(other, 1, axis=1), np.delete(rest, 1, axis=1)
    )
    np.testing.assert_allclose(
        other[:, 1],
        followed(learner(None, ids=["b"]), values[20:, 1:2])[:, 0],
        rtol=1e-6,
    )


def test_while_learning_a_reset_touches_one_row_only():
    stream = learner()
    followed(stream, walks())
    before = {name: array.copy() for name, array in stream.rows.arrays().items()}
    stream.reset(["b"])
    for name, array in stream.rows.arrays().items():
        np.testing.assert_array_equal(
            np.delete(array, 1, axis=0), np.delete(before[name], 1, axis=0)
        )
    assert stream.rows["memory"].count_S.tolist() == [39, 0, 39, 39]
    followed(stream, walks())  # windows of unequal lengths are learned from
    assert np.isfinite(stream.predict()).all() and not stream.skipped


def test_the_order_of_rows_does_not_matter():
    values, order = walks(), [2, 0, 3, 1]
    straight = followed(learner(), values)
    shuffled = followed(learner(ids=[IDS[k] for k in order]), values[:, order])
    np.testing.assert_allclose(shuffled, straight[:, order], rtol=1e-5)


def test_rows_join_and_leave():
    values, stream = walks(), learner(None, ids=["a", "b"])
    followed(stream, values[:10, :2])
    stream.join(["new", 7])
    stream.leave(["a"])
    assert stream.ids == ["b", "new", 7]
    with pytest.raises(UsageError, match="'a'"):
        stream.observe([1.0], ["a"])
    predicted = followed(stream, values[10:, 1:4])
    np.testing.assert_allclose(
        predicted[:, 0], followed(learner(None), values)[10:, 1], rtol=1e-6
    )
    np.testing.assert_allclose(
        predicted[:, 1],
        followed(learner(None, ids=["x"]), values[10:, 2:3])[:, 0],
        rtol=1e-6,
    )


def test_there_may_be_no_rows_yet():
    stream = learner(ids=[])
    assert stream.observe([]).shape == stream.predict().shape == (0,)
    stream.join(["a"])
    assert np.isfinite(_after(stream, walks(rows=1))).all() and stream.updates


def test_rows_that_are_not_named_have_no_tick():
    values, stream = walks(), learner(None)
    followed(stream, values[:10])
    before = stream.predict()
    for value in values[10:20, 2]:
        errors = stream.observe([value], ["c"])
    assert errors.shape == (1,)
    np.testing.assert_array_equal(np.delete(stream.predict(), 2), np.delete(before, 2))
    np.testing.assert_allclose(
        stream.predict()[2], _after(learner(None), values[:20])[2], rtol=1e-6
    )


def _after(stream, values):
    followed(stream, values)
    return stream.predict()


@pytest.mark.parametrize("kind", ["dict", "pandas"])
def test_values_that_name_their_rows_go_to_these(kind):
    named, placed = learner(None), learner(None)
    for row in walks()[:6]:
        values = dict(zip(IDS[::-1], row[::-1].tolist(), strict=True))
        if kind == "pandas":
            values = pytest.importorskip("pandas").Series(values)
        np.testing.assert_array_equal(named.observe(values)[::-1], placed.observe(row))
    np.testing.assert_array_equal(named.predict(), placed.predict())
    with pytest.raises(
        UsageError, match="The values name their rows, and so does ids="
    ):
        named.observe(values, ids=IDS)
    with pytest.raises(UsageError, match="'x'"):
        named.observe({"a": 1.0, "x": 2.0})


def test_an_index_that_only_counts_names_no_rows():
    pandas = pytest.importorskip("pandas")
    row = walks()[0]
    np.testing.assert_array_equal(
        learner(None).observe(pandas.Series(row)), learner(None).observe(row)
    )


def test_only_rows_with_news_are_learned_from():
    """A row without a tick between two updates does not count again."""
    values = walks()
    one, two = learner(), learner(ids=["c"])
    for stream in (one, two):
        stream.reset()
    for value in values[:, 2]:
        one.observe([value], ["c"])
        two.observe([value])
    np.testing.assert_allclose(
        one.network.members[0]["head.weight"],
        two.network.members[0]["head.weight"],
        rtol=1e-4,
    )


def test_a_missing_value_is_no_error_and_teaches_nothing():
    values = walks()
    values[15, 1] = np.nan
    stream = learner()
    followed(stream, values[:15])
    errors = stream.observe(values[15])
    assert np.isnan(errors).tolist() == [False, True, False, False]
    updates = stream.updates
    stream.observe([np.nan] * 4)
    assert stream.updates == updates
    followed(stream, values[17:])
    assert np.isfinite(stream.predict()).all() and not stream.skipped


# ---------------------------------------------------------------- learning


def test_an_update_is_the_gradient_of_the_newest_chunk():
    """One step of plain gradient descent by hand: three ticks, the state before them as it was."""
    values = walks(30)
    stream = learner(
        Learning(learning_rate=0.1, chunk=3, every=1, clip=None, optimiser="sgd")
    )
    followed(stream, values[:20])
    arrays = {name: array.copy() for name, array in stream.network.members[0].items()}
    memory, known = stream.rows["memory"], stream.rows["older"].inputs
    slots = (memory.count_S[0] - 3 + np.arange(3)) % 3
    x, label = memory.x_SLC[:, slots].copy(), memory.label_SLK[:, slots].copy()
    state = [
        tuple(part[:, slots[0]].copy() for part in layer) for layer in memory.before[0]
    ]
    scale = np.sqrt(known.square_BK / known.weight_BK)
    label[:, 2] = np.clip((values[20][:, None] - values[19][:, None]) / scale, -10, 10)
    stream.observe(values[20])

    module = module_from_arrays(arrays, stream.network.config)
    before = [tuple(torch.from_numpy(part)[None] for part in pair) for pair in state]
    hidden, _ = module.hidden(torch.from_numpy(x), before)
    answer = module.raw(hidden, torch.from_numpy(x))[:, :, 0, :, 0]
    ((torch.from_numpy(label).float() - answer) ** 2).mean().backward()
    expected = arrays["head.weight"] - 0.1 * module.head.weight.grad.numpy()
    np.testing.assert_allclose(
        stream.network.members[0]["head.weight"], expected, rtol=1e-4, atol=1e-6
    )
    expected = (
        arrays["lstm.0.weight_hh"] - 0.1 * module.lstm[0].weight_hh_l0.grad.numpy()
    )
    np.testing.assert_allclose(
        stream.network.members[0]["lstm.0.weight_hh"], expected, rtol=1e-4, atol=1e-6
    )


def turning(ticks=300, rows=30, change=150, share=0.8):
    """Changes that go on, and from `change` on turn round."""
    rng, changes = np.random.default_rng(0), np.zeros((ticks, rows))
    for t in range(1, ticks):
        changes[t] = (share if t < change else -share) * changes[t - 1] + rng.normal(
            size=rows
        )
    return 100 + np.cumsum(changes, axis=0)


def test_it_learns_and_learns_anew_where_a_frozen_copy_does_not():
    values, ids = turning(), range(30)
    config = NetworkConfig((8,), inputs=Running("changes"), head="point", horizon=1)
    stream = Stream(config, ids, learning=Learning(learning_rate=1e-2))
    followed(stream, values[:150])
    frozen = stream.frozen()
    naive = np.abs(np.diff(values[149:], axis=0))[75:].mean()
    learned, stayed = (
        np.abs(followed(one, values[150:]) - values[150:])[75:].mean()
        for one in (stream, frozen)
    )
    assert learned < 0.75 * naive < naive < stayed
    assert frozen.updates == 0 and stream.updates > 250


def test_every_chunk_updates_less_often():
    stream = learner(Learning(chunk=5, every=5))
    followed(stream, walks(41))
    assert stream.updates == 8


@pytest.mark.parametrize(
    "learning",
    [Learning(chunk=1), Learning(optimiser="sgd"), Learning(loss="huber", clip=None)],
)
def test_other_ways_to_learn(learning):
    stream = learner(learning)
    before = stream.network.members[0]["lstm.0.weight_ih"].copy()
    followed(stream, walks())
    # from the third tick on something was predicted from a known scale
    assert stream.updates == 38
    assert (stream.network.members[0]["lstm.0.weight_ih"] != before).any()


def test_the_network_that_was_given_stays_as_it_is():
    net = network()
    before = net.members[0]["head.bias"].copy()
    followed(Stream(net, IDS, learning=Learning()), walks())
    np.testing.assert_array_equal(net.members[0]["head.bias"], before)


# before and after it is known what gradients are usual
@pytest.mark.parametrize("when", [6, 30])
def test_an_update_that_explodes_is_skipped_and_said(caplog, when):
    values = walks()
    stream = learner(Learning(chunk=4), Running("values", limit=None))
    followed(stream, values[:when])
    before = {name: array.copy() for name, array in stream.network.members[0].items()}
    wild = values[when].copy()
    wild[2] = 1e30
    with caplog.at_level(logging.WARNING, "lstmcast"):
        stream.observe(wild)
    assert stream.skipped == 1
    assert (
        f"tick {when}: the network did not learn" in caplog.text
        and "row 'c'" in caplog.text
    )
    for name, array in stream.network.members[0].items():
        np.testing.assert_array_equal(array, before[name])
    assert np.isfinite(stream.predict()).all()


def test_a_gradient_beyond_what_is_usual_is_skipped_until_it_is_usual(caplog):
    stream = learner(Learning(chunk=1), Running("values", limit=None))
    followed(stream, walks())
    far = walks()[-1] + 1e6  # finite, but a million times what came before
    with caplog.at_level(logging.WARNING, "lstmcast"):
        stream.observe(far)
    assert stream.skipped == 1 and "typically" in caplog.text
    updates = stream.updates
    followed(stream, far + walks())
    assert stream.updates > updates + 20


def test_a_gradient_is_clipped():
    """Plain gradient descent with a rate of 1 moves the weights by at most the clip."""
    stream = learner(Learning(learning_rate=1.0, clip=1e-3, optimiser="sgd"))
    followed(stream, walks(20))
    before = np.concatenate(
        [array.ravel() for array in stream.network.members[0].values()]
    )
    stream.observe(walks(21)[-1])
    after = np.concatenate(
        [array.ravel() for array in stream.network.members[0].values()]
    )
    assert np.linalg.norm(after - before) == pytest.approx(1e-3, rel=1e-2)


def test_a_wrong_tick_does_little_where_there_is_a_limit():
    values, stream = walks(200), learner(None)
    wrong = values.copy()
    wrong[100, 2] = 1e12
    usual, other = followed(stream, values), followed(learner(None), wrong)
    np.testing.assert_allclose(other[110:, 2], usual[110:, 2], atol=5.0)
    np.testing.assert_array_equal(
        np.delete(other, 2, axis=1), np.delete(usual, 2, axis=1)
    )


# ---------------------------------------------------------------- saving


@pytest.mark.parametrize("ticks", [1, 17])
@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_a_saved_stream_goes_on_with_the_same_bits(tmp_path, ticks, dropout):
    values = walks(50)
    stream = learner(Learning(learning_rate=1e-2, chunk=6, every=2), dropout=dropout)
    followed(stream, values[:ticks])
    stream.reset(["d"])
    stream.save(tmp_path / "stream")
    torch.rand(7)  # draws elsewhere do not matter
    loaded = Stream.load(tmp_path / "stream")
    np.testing.assert_array_equal(
        followed(loaded, values[ticks:]), followed(stream, values[ticks:])
    )
    for name, array in stream.network.members[0].items():
        np.testing.assert_array_equal(array, loaded.network.members[0][name])
    assert loaded.learner.learners[0].usual == stream.learner.learners[0].usual
    assert (loaded.ticks, loaded.updates, loaded.ids) == (50, stream.updates, IDS)
    assert loaded.learning == stream.learning
    assert loaded.network.config == stream.network.config


def test_a_fitted_one_is_saved_with_its_transforms(tmp_path):
    values = walks(60, 2)
    panel = lc.Panel.from_arrays({"a": values[:, 0], "b": values[:, 1]})
    inputs = Transformed({"a": Standard(), "b": (Difference(), Standard())})
    network = replace(MODEL["network"], inputs=inputs)
    model = lc.LSTMForecaster(1, **MODEL | {"network": network}).fit(panel)
    stream = Stream(model, ["b", "a"], learning=Learning())
    followed(stream, values[:30, ::-1])
    stream.save(tmp_path / "stream")
    loaded = Stream.load(tmp_path / "stream")
    np.testing.assert_array_equal(
        followed(loaded, values[30:, ::-1]), followed(stream, values[30:, ::-1])
    )


def test_loaded_without_learning_it_is_the_frozen_copy(tmp_path):
    values, stream = walks(50), learner()
    followed(stream, values[:20])
    stream.save(tmp_path / "stream")
    frozen, loaded = stream.frozen(), Stream.load(tmp_path / "stream", learns=False)
    followed(stream, values[20:])  # what goes on learning does not move its copies
    np.testing.assert_array_equal(
        followed(frozen, values[20:]), followed(loaded, values[20:])
    )
    assert "updates" not in repr(frozen) and frozen.ids == IDS


def test_what_is_not_a_stream_is_refused(tmp_path):
    store.save(tmp_path / "other", {"kind": "forecaster"}, {"weights": {}})
    with pytest.raises(ModelError, match="holds a saved forecaster"):
        Stream.load(tmp_path / "other")
    store.save(tmp_path / "old", {"kind": "online"}, {"weights": {}})
    with pytest.raises(ModelError, match="written by Online of an older lstmcast"):
        Stream.load(tmp_path / "old")
    store.save(tmp_path / "half", {"kind": "stream"}, {"weights": {}})
    with pytest.raises(ModelError, match="incomplete"):
        Stream.load(tmp_path / "half")


def test_settings_go_through_json():
    learning = Learning(chunk=3, loss=Loss("pinball", level=0.9))
    assert Learning(**json.loads(json.dumps(asdict(learning)))) == learning


# ---------------------------------------------------------------- the old name


@pytest.mark.parametrize(
    "start",
    [
        NetworkConfig((4,), Transformed(), "point", horizon=1),
        network(inputs=Transformed()),
    ],
)
def test_online_is_a_stream_that_learns_under_its_old_name(start):
    with pytest.warns(
        DeprecationWarning, match=r"is now called Stream\(…, learning=Learning\(\)\)"
    ):
        old = lc.Online(start, IDS, scaling=Running("changes"), seed=3)
    config = start if isinstance(start, NetworkConfig) else start.config
    inputs = Running("changes")
    given = (
        replace(config, inputs=inputs) if start is config else start.with_inputs(inputs)
    )
    new = Stream(given, IDS, learning=Learning(), seed=3)
    np.testing.assert_array_equal(followed(old, walks(15)), followed(new, walks(15)))
    assert old.updates == new.updates > 10
    with pytest.warns(DeprecationWarning):
        usual = lc.Online(start, IDS, learning=None)
    assert usual.network.config.inputs == Running() and usual.learning is None


def test_online_goes_on_from_a_forecaster_as_it_did():
    """By its transforms, or by a scaling that is given."""
    values = walks(60, 2)
    model = lc.LSTMForecaster(1, **MODEL).fit(
        panel_of({"a": values[:, 0], "b": values[:, 1]})
    )
    with pytest.warns(DeprecationWarning):
        old, other = (
            lc.Online(model, ["a", "b"]),
            lc.Online(model, ["x"], scaling=Running("changes")),
        )
    new = Stream(model, ["a", "b"], learning=Learning())
    np.testing.assert_array_equal(followed(old, values), followed(new, values))
    assert other.network.config.inputs == Running("changes")
    with (
        pytest.warns(DeprecationWarning),
        pytest.raises(UsageError, match="learns from a stream"),
    ):
        lc.Online(SHIPPED, ["a"])


# ---------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("values", "ids", "error", "text"),
    [
        ([1.0, 2.0], None, UsageError, r"shape \(2,\).*\(4,\)"),
        ([1.0, 2.0, np.inf, 4.0], None, DataError, "Row 'c' has an infinite value"),
        (["x", 2.0, 3.0, 4.0], None, DataError, "not numbers"),
        ([1.0], ["z"], UsageError, r"no row 'z'.*join"),
        ([1.0, 2.0], ["a", "a"], UsageError, "'a' is given more than once"),
        (
            [1.0, -2.0, 3.0, 0.0],
            None,
            DataError,
            "Row 'b' has the value -2.0 .one of 2 such rows .* positive",
        ),
    ],
)
def test_a_tick_that_cannot_be_used_changes_nothing(values, ids, error, text):
    stream = learner(inputs=Running("returns"))
    followed(stream, walks(10))
    before = {name: array.copy() for name, array in stream.rows.arrays().items()}
    with pytest.raises(error, match=text):
        stream.observe(values, ids)
    for name, array in stream.rows.arrays().items():
        np.testing.assert_array_equal(array, before[name])
    assert stream.ticks == 10


def test_networks_that_cannot_learn_from_ticks_are_refused():
    for config in (
        NetworkConfig((4,), horizon=1),
        NetworkConfig((4,), inputs=Transformed(), horizon=3),
    ):
        with pytest.raises(
            UsageError, match=r"Use NetworkConfig\(inputs=Running\(\), horizon=1\)"
        ):
            Stream(config, IDS, learning=Learning())
    scratch = lc.LSTMForecaster(
        1, weights="scratch", network=NetworkConfig((4,), inputs=Transformed())
    )
    with pytest.raises(UsageError, match=r"Call fit\(data\) first"):
        Stream(scratch, IDS)
    with pytest.raises(UsageError, match="cannot be streamed"):
        Stream("shipped", IDS)
    for name in ("learning", "alerts", "conformal"):
        with pytest.raises(UsageError, match=f"{name}=True is not a setting of {name}"):
            Stream(network(), IDS, **{name: True})
    with pytest.raises(UsageError, match="already exist"):
        learner().join(["a"])


@pytest.mark.parametrize("ids", [5, None])
def test_ids_that_name_no_rows_are_refused(ids):
    with pytest.raises(
        UsageError,
        match=rf"ids={ids} does not name rows. A list of texts or whole numbers",
    ):
        learner(ids=ids)
    stream = learner()
    # reset() is of all rows
    for call in (stream.join, *([stream.leave, stream.reset] if ids else [])):
        with pytest.raises(UsageError, match="does not name rows"):
            call(ids)
    assert stream.ids == IDS


def test_without_pytorch_it_predicts_and_says_what_learning_needs(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert np.isfinite(_after(learner(None), walks())).all()
    with pytest.raises(MissingExtraError, match=r"lstmcast\[train\]"):
        learner()


def test_a_constant_row_is_expected_to_stay():
    stream = learner(inputs=Running("values"))
    followed(stream, np.full((30, 4), 5.0))
    np.testing.assert_array_equal(stream.predict(), np.full(4, 5.0))


def test_rows_keep_whole_numbers_and_texts_apart():
    rows = Rows([np.int64(1), "1"])
    assert rows.ids.tolist() == [1, "1"] and rows.at(["1"]).tolist() == [1]


# ---------------------------------------------------------------- what values can be


def demand(rate, length=60, seed=0):
    """Whole numbers with many zeros, whose bounds would be negative without a rule."""
    return np.random.default_rng(seed).poisson(rate, length).astype(float)


def test_rows_of_a_stream_stop_where_series_do():
    values = demand(0.4, 40)
    panel = lc.read({"a": values[:30], "b": values[:30] - 1})
    model = lc.LSTMForecaster(6, method="network")
    stream = Stream(model, panel)
    for value in values[30:]:
        stream.observe([value, value - 1])
    whole = lc.read({"a": values, "b": values - 1})
    np.testing.assert_allclose(stream.predict(6), model.predict(whole).point, atol=1e-6)
    low = stream.quantiles(6)[..., 0]
    assert low[0].min() == 0 and low[1].min() < 0


def test_a_row_above_0_stops_there_once_it_touches_it():
    values = np.append(demand(3, 30) + 40.5, [0.0, 3.5, 0.0, 0.0])
    stream, whole = (
        Stream(lc.LSTMForecaster(6), lc.read({"a": values[:30]})),
        {"a": values},
    )
    assert stream.quantiles(6).min() > 0
    for value in values[30:]:
        stream.observe([value])
    assert (
        stream.quantiles(6).min()
        == 0
        == lc.LSTMForecaster(6).predict(whole).quantiles.min()
    )
    stream.observe([-1.0])
    assert stream.quantiles(6).min() < 0


def test_a_tick_below_0_takes_back_what_was_recognised(tmp_path):
    stream = Stream(lc.LSTMForecaster(6), lc.read({"a": demand(0.4), "b": demand(0.5)}))
    assert (stream.quantiles(6) >= 0).all()
    stream.observe([-2.0, 0.0])
    stream.save(tmp_path / "stream")
    for each in (stream, stream.frozen(), Stream.load(tmp_path / "stream")):
        low = each.quantiles(6)[..., 0]
        assert low[0].min() < 0 <= low[1].min()
    stream.reset(["a"])
    stream.observe([1.0, 0.0])
    assert (stream.quantiles(6) >= 0).all()


def test_a_stream_of_declared_counts_refuses_what_is_below_0():
    stream = Stream(lc.LSTMForecaster(6), ["a", 7], frequency="D", kind="count")
    for value in demand(0.4):
        stream.observe([value, 0.0])
    before = stream.quantiles(6)
    assert (before >= 0).all()
    with pytest.raises(
        DataError, match="Row 7 has -1, but its values are declared not"
    ):
        stream.observe([1.0, -1.0])
    np.testing.assert_array_equal(stream.quantiles(6), before)
    stream.join(["new"])
    stream.observe([0.0, 1.0, 0.0])
    assert (stream.quantiles(6) >= 0).all()


def test_a_stream_takes_a_word_or_what_its_forecaster_remembers(tmp_path):
    counts, falling = (
        lc.read({"a": demand(0.4)}),
        lc.read({"a": np.arange(40.0, -1, -1)}),
    )
    assert Stream(lc.LSTMForecaster(6), falling).quantiles(6).min() == 0
    assert Stream(lc.LSTMForecaster(6), falling, kind="real").quantiles(6).min() < 0
    with pytest.raises(UsageError, match="Choose one of"):
        Stream(lc.LSTMForecaster(6), counts, kind="whole")
    with pytest.raises(DataError, match="-1 is negative"):
        Stream(lc.LSTMForecaster(6), lc.Panel.from_arrays([1.0, -1.0]), kind="positive")
    lc.LSTMForecaster(6).save(tmp_path / "counts", counts)
    model = lc.load(tmp_path / "counts")
    arrays = lc.Panel.from_arrays({"x": demand(0.5), "y": demand(0.5) - 1})
    low = Stream(model, arrays).quantiles(6)[..., 0]
    assert low[0].min() == 0 > low[1].min()
    stream = Stream(model, ["x"])
    for value in demand(0.5):
        stream.observe([value])
    assert stream.quantiles(6).min() == 0


def test_a_stream_that_older_inputs_saved_reads_its_newest_values_again(tmp_path):
    panel = panel_of(
        {"a": np.random.default_rng(2).normal(100, 3, 700), "b": demand(0.4)}
    )
    stream = Stream(SHIPPED, panel)
    stream.join(["c"])
    manifest, groups = described_stream(stream)
    rows = groups["rows"]
    for name in [name for name in rows if "surprises" in name or "root" in name]:
        del rows[name]
    store.save(tmp_path / "old", manifest, groups)
    again = Stream.load(tmp_path / "old")
    np.testing.assert_allclose(
        again.quantiles(6), stream.quantiles(6), rtol=1e-5, atol=1e-6
    )
    for each in (again, stream):
        each.observe([101.0, 0.0, 5.0])
    np.testing.assert_allclose(
        again.quantiles(6), stream.quantiles(6), rtol=1e-5, atol=1e-6
    )


def test_a_saved_stream_of_an_older_lstmcast_stops_nowhere(tmp_path):
    stream = Stream(lc.LSTMForecaster(6), lc.read({"a": np.arange(40.0, -1, -1)}))
    manifest, groups = described_stream(stream)
    del manifest["stops"], groups["rows"]["stops"]
    store.save(tmp_path / "old", manifest, groups)
    assert Stream.load(tmp_path / "old").quantiles(6).min() < 0
