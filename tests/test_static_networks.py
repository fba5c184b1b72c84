"""Networks that read static columns: in training and forecasts alike, saved, and refused where the
columns are missing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import lstmcast as lc
from builders import drawn_network
from lstmcast.data.origins import Origins
from lstmcast.decoding import Reader, decode, hidden_states
from lstmcast.errors import DataError, UsageError
from lstmcast.model.inputs import Adaptive, Transformed
from lstmcast.model.network import NetworkConfig
from lstmcast.model.static import StaticColumn, codes_of, learned, static_of
from lstmcast.training_config import (
    Optimiser,
    Rollout,
    Stateful,
    TrainingConfig,
    WholeSequence,
    Windows,
)

H = 3
COLUMNS = (
    StaticColumn("group", ("cold", "dry"), units=2),
    StaticColumn("size", mean=2.0, scale=0.5),
    StaticColumn("each series", ("a", "b"), units=2),
)


def shop(count: int = 6, length: int = 60, **static) -> lc.Panel:
    """Values that say nothing about what follows them: 5 in one group, 1 in the other."""
    rng = np.random.default_rng(0)
    names = [f"s{k}" for k in range(count)]
    groups = {name: ("cold", "dry")[k % 2] for k, name in enumerate(names)}
    sizes = {name: 1.0 + k for k, name in enumerate(names)}
    values = {
        name: np.where(groups[name] == "cold", 5.0, 1.0) + rng.normal(0, 0.1, length)
        for name in names
    }
    static = static or {"group": groups, "size": sizes}
    return lc.Panel.from_arrays(
        values, frequency="D", start="2024-01-01", static=static
    )


def config(inputs=None, static=COLUMNS, **settings) -> NetworkConfig:
    usual = {"layers": (4,), "inputs": inputs or Adaptive(window=4), "horizon": H}
    return NetworkConfig(**usual | {"static": static} | settings)


def ends(panel):
    return Origins(np.arange(len(panel)), panel.lengths)


def test_columns_learn_their_categories_and_scale():
    columns = learned(static_of(["*", "each series"]), shop())
    group, size, each = columns
    assert group.levels == ("cold", "dry")
    assert group.units == 2
    assert (size.mean, round(size.scale, 2), size.units) == (3.5, 1.71, 0)
    assert each.levels == tuple(f"s{k}" for k in range(6))
    codes = codes_of(columns, shop())
    np.testing.assert_array_equal(codes[:, 0], [0, 1, 0, 1, 0, 1])
    np.testing.assert_array_equal(codes[:, 2], np.arange(6))
    np.testing.assert_allclose(codes[:, 1].mean(), 0, atol=1e-6)


def test_what_is_unknown_has_a_code_of_its_own():
    panel = shop(2, group={"s0": "warm", "s1": "dry"}, size={"s0": np.nan, "s1": 3.0})
    codes = codes_of(COLUMNS, panel)
    np.testing.assert_array_equal(codes, [[-1, 0, -1], [1, 2, -1]])


def test_an_unknown_category_is_the_mean_of_the_known_ones():
    network = drawn_network(config(Transformed(), head="point", horizon=1))
    x = np.zeros((1, 3, 4), np.float32)
    x[0, :, 1] = [0, 1, -1]
    outs, _ = network.run(x, np.ones((1, 3), bool), network.start(3))
    embedded = network.members[0]["static.0.weight"]
    other = drawn_network(config(Transformed(), head="point", horizon=1))
    other.members[0]["static.0.weight"][:] = embedded.mean(axis=0)
    theirs, _ = other.run(x, np.ones((1, 3), bool), other.start(3))
    np.testing.assert_allclose(outs[0][0, 2], theirs[0][0, 2], rtol=1e-6)
    assert not np.allclose(outs[0][0, 0], outs[0][0, 1])


@pytest.mark.parametrize("inputs", [Adaptive(window=4), Transformed()], ids=repr)
def test_pytorch_computes_the_same(inputs):
    torch = pytest.importorskip("torch", reason="needs the train extra")
    from lstmcast.training.module import module_from_arrays

    network = drawn_network(config(inputs))
    rng = np.random.default_rng(1)
    x_TBC = rng.normal(size=(5, 4, network.config.width)).astype(np.float32)
    x_TBC[..., -3] = [0, 1, -1, 0]
    x_TBC[..., -1] = [1, -1, 0, 0]
    outs, _ = network.run(x_TBC, np.ones((5, 4), bool), network.start(4))
    (raw,) = network.raw([outs[0][-1]], x_TBC[-1])
    module = module_from_arrays(network.members[0], network.config)
    with torch.no_grad():
        x_BTC = torch.from_numpy(np.ascontiguousarray(x_TBC.transpose(1, 0, 2)))
        hidden, _ = module.hidden(x_BTC)
        theirs = module.raw(hidden[:, -1], x_BTC[:, -1])
        state = [(torch.zeros(4, 4), torch.zeros(4, 4))]
        for t in range(5):
            step, state = module.step(x_BTC[:, t], module.cells(), state)
    np.testing.assert_allclose(theirs.numpy(), raw, atol=1e-5)
    np.testing.assert_allclose(step.numpy(), outs[0][-1], atol=1e-5)


@pytest.mark.parametrize("inputs", [Adaptive(window=4), Transformed()], ids=repr)
@pytest.mark.parametrize("horizon", [H, 2 * H + 1])
def test_forecasts_follow_the_attributes_of_each_series(inputs, horizon):
    network = drawn_network(config(inputs, head="quantiles"), size=0.8)
    panel = shop(4)
    values = np.tile(panel.values[:60], 4)
    alike = replace(panel, values=values)
    answers = decode(Reader(network), alike, ends(alike), horizon)
    np.testing.assert_allclose(
        answers[1],
        decode(
            Reader(network),
            alike.select(["s1"]),
            Origins(np.array([0]), np.array([60])),
            horizon,
        )[0],
        rtol=1e-5,
    )
    assert not np.allclose(answers[0], answers[1])


SCHEMES = [
    (Transformed(lc.Standard(per="panel")), Windows(10)),
    (Transformed(lc.Standard(per="panel")), WholeSequence(15)),
    (Transformed(lc.Standard(per="panel")), Stateful(10)),
    (Transformed(lc.Standard(per="panel")), Rollout(8, support=2)),
    (Adaptive(window=4), WholeSequence()),
    (Adaptive(window=4), Windows(30)),
]


@pytest.mark.parametrize("scheme", SCHEMES, ids=lambda one: f"{type(one[1]).__name__}")
def test_every_batching_scheme_trains_embeddings(scheme, tmp_path):
    pytest.importorskip("torch", reason="needs the train extra")
    inputs, batching = scheme
    ahead = 1 if isinstance(batching, Rollout) else None
    few = 3 if isinstance(batching, (Rollout, Windows)) else None
    network = NetworkConfig(
        (6,), inputs=inputs, static=["*", "each series"], horizon=ahead
    )
    training = TrainingConfig(
        epochs=2,
        steps_per_epoch=few,
        batching=batching,
        batch_size=4,
        optimiser=Optimiser(learning_rate=0.01),
        validation=None,
    )
    panel = shop()
    model = lc.LSTMForecaster(
        H, weights="scratch", network=network, training=training
    ).fit(panel)
    config, arrays = model.network.config, model.network.members[0]
    assert [column.name for column in config.static] == ["group", "size", "each series"]
    assert np.isfinite(model.history.columns()["train_loss"]).all()
    fresh = lc.LSTMForecaster(
        H,
        weights="scratch",
        network=network,
        training=replace(training, epochs=1),
        seed=0,
    ).fit(panel)
    start = fresh.network.members[0]["static.0.weight"]
    assert not np.allclose(arrays["static.0.weight"], start)
    model.save(tmp_path / "model")
    loaded = lc.load(tmp_path / "model")
    np.testing.assert_array_equal(loaded.predict().point, model.predict().point)
    assert loaded.network.config.static == config.static


def test_a_new_series_gets_the_level_of_its_group():
    pytest.importorskip("torch", reason="needs the train extra")
    inputs = Transformed(lc.Standard(per="panel"))
    network = NetworkConfig(
        (8,), inputs=inputs, static=["group"], horizon=1, head="point"
    )
    training = TrainingConfig(
        epochs=12,
        batching=Windows(2),
        batch_size=32,
        optimiser=Optimiser(learning_rate=0.1),
    )
    rng = np.random.default_rng(3)
    groups = {f"s{k}": ("cold", "dry")[k % 2] for k in range(8)}
    # noise but for the group: what was before says nothing
    values = {
        name: np.where(group == "cold", 8.0, 2.0) + rng.normal(0, 1.5, 60)
        for name, group in groups.items()
    }
    panel = lc.Panel.from_arrays(values, static={"group": groups})
    model = lc.LSTMForecaster(
        1, weights="scratch", network=network, training=training
    ).fit(panel)
    new = {"x": np.array([5.0, 5.0]), "y": np.array([5.0, 5.0])}
    coming = lc.Panel.from_arrays(new, static={"group": {"x": "cold", "y": "dry"}})
    answers = decode(model.model.reader, coming, ends(coming), 1)[:, 0, 0]
    assert answers[0] > answers[1] + 2


def test_fine_tuning_keeps_what_was_learned_of_the_columns():
    pytest.importorskip("torch", reason="needs the train extra")
    training = TrainingConfig(epochs=1)
    network = NetworkConfig((4,), static=["group"])
    first = lc.LSTMForecaster(
        H, weights="scratch", network=network, training=training
    ).fit(shop())
    again = lc.LSTMForecaster(H, weights=first.network, training=training).fit(shop(4))
    assert again.network.config.static == first.network.config.static


def test_a_backtest_fits_and_forecasts_with_them():
    pytest.importorskip("torch", reason="needs the train extra")
    network = NetworkConfig((4,), static=["group", "size"])
    model = lc.LSTMForecaster(
        H, weights="scratch", network=network, training=TrainingConfig(epochs=1)
    )
    tested = lc.backtest(model, shop(), cutoffs=2, baselines=False)
    assert np.isfinite(tested.scores["lstmcast"]["mae"])


def test_states_are_those_of_each_series():
    network = drawn_network(config(Transformed(), head="point", horizon=1))
    panel = shop(2)
    both = replace(panel, values=np.tile(panel.values[:60], 2))
    first, second = hidden_states(Reader(network), both)
    assert not np.allclose(first[0][0], second[0][0])


# ---------------------------------------------------------------- what is refused


def fitted(panel, static=("group",)):
    pytest.importorskip("torch", reason="needs the train extra")
    network = NetworkConfig((4,), static=list(static))
    return lc.LSTMForecaster(
        H, weights="scratch", network=network, training=TrainingConfig(epochs=1)
    ).fit(panel)


def test_a_missing_column_is_named():
    with pytest.raises(
        DataError, match=r"static column 'shelf', which .* do not have \(there are"
    ):
        fitted(shop(), ["shelf"])
    model = fitted(shop())
    without = lc.Panel.from_arrays(
        {"s0": np.ones(20)}, frequency="D", start="2024-01-01"
    )
    alone = lc.LSTMForecaster(H, weights=model.network)
    with pytest.raises(
        DataError, match=r"'group', .*\(there are none\)\. Name it with static='gro"
    ):
        alone.predict(without)
    bare = lc.Panel.from_arrays({"a": np.ones(20)})
    with pytest.raises(DataError, match="have no static columns to read"):
        fitted(bare, ["*"])


def test_a_saved_model_asks_for_the_column_of_new_series(tmp_path):
    fitted(shop()).save(tmp_path / "model")
    loaded = lc.load(tmp_path / "model")
    days = [f"2024-03-{day:02d}" for day in range(1, 5)]
    newer = {"ds": days, "y": [1.0, 2.0, 1.0, 2.0], "unique_id": ["new"] * 4}
    with pytest.raises(
        DataError, match=r"static column 'group', .* for the new series 'new'"
    ):
        loaded.predict(newer)
    told = loaded.predict(newer | {"group": ["dry"] * 4}, static="group")
    assert np.isfinite(told.point).all()
    remembered = newer | {"unique_id": ["s0"] * 4}
    assert np.isfinite(loaded.predict(remembered).point).all()


def test_numbers_and_categories_are_not_mixed_up():
    model = lc.LSTMForecaster(H, weights=fitted(shop()).network)
    numbers = shop(2, group={"s0": 1.0, "s1": 2.0})
    with pytest.raises(
        DataError, match="holds numbers, but the model was trained with categories"
    ):
        model.predict(numbers)


def test_a_graph_refuses():
    pytest.importorskip("onnx", reason="needs the onnx extra")
    from lstmcast.export.onnx import network_graph

    with pytest.raises(UsageError, match="which an ONNX graph does not have"):
        network_graph(drawn_network(config()))


def test_keras_refuses():
    network = drawn_network(config(Transformed(), head="point", horizon=1))
    with pytest.raises(
        lc.ModelError, match=r"reads static columns .* cannot be written for Keras"
    ):
        lc.to_keras(network)


def test_a_stream_refuses():
    network = drawn_network(config())
    with pytest.raises(
        UsageError, match=r"reads static columns .'group', 'size' and 'each"
    ):
        lc.Stream(network, ["a"])


@pytest.mark.parametrize(
    ("static", "message"),
    [
        (3, "are not column names"),
        ([4], "4 is not a name"),
        (["a", "a"], "named twice"),
    ],
)
def test_senseless_names_are_refused(static, message):
    with pytest.raises(UsageError, match=message):
        NetworkConfig((4,), static=static)


def test_networks_without_them_are_described_as_before():
    assert "static" not in NetworkConfig((4,)).described()
    about = config().described()
    assert NetworkConfig(**about) == config()


def test_columns_of_unknown_words_are_refused():
    with pytest.raises(
        lc.UsageError, match=r"static: \{'nme': 'size'\} is not a name of a column"
    ):
        lc.NetworkConfig(static=[{"nme": "size"}])
