"""Online: ticks one by one are one pass, rows are apart, a saved stream goes on alike, nothing
looks ahead."""

from __future__ import annotations

import json
import logging

import numpy as np
import pytest
import torch

import lstmcast as lc
from builders import drawn_network, plain_config
from lstmcast import store
from lstmcast.errors import DataError, MissingExtraError, ModelError, UsageError
from lstmcast.model.network import Network, NetworkConfig
from lstmcast.streaming.rows import Rows
from lstmcast.streaming.scaling import Running
from lstmcast.streaming.stream import Learning, Online
from lstmcast.training.module import module_from_arrays
from lstmcast.training_config import Loss, TrainingConfig, WholeSequence
from lstmcast.transforms import Difference, Log1p, MeanAbs, Standard

IDS = ["a", "b", "c", "d"]


def network(seed=0, members=1, **chosen):
    return drawn_network(plain_config(**{"layers": (5, 4)} | chosen), members, seed)


def walks(ticks=40, rows=4, seed=1, columns=None):
    shape = (ticks, rows) if columns is None else (ticks, rows, columns)
    return 100 + np.cumsum(np.random.default_rng(seed).normal(size=shape), axis=0)


def online(learning=Learning(chunk=4), scaling=Running("changes"), ids=IDS, **chosen):  # noqa: B008
    return Online(network(**chosen), ids, learning=learning, scaling=scaling)


def followed(stream, values_TS):
    """What was predicted for each tick, (T, S)."""
    predicted = []
    for values_S in values_TS:
        predicted.append(stream.predict())
        stream.observe(values_S)
    return np.array(predicted)


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
    values, net = walks(), network()
    predicted = followed(
        Online(net, IDS, learning=None, scaling=Running("changes", limit=None)), values
    )
    changes, decay = np.diff(values, axis=0), np.exp(-np.arange(39) / 250)
    scale = [
        np.sqrt(decay[: t + 1] @ changes[t::-1] ** 2 / decay[: t + 1].sum()) for t in range(39)
    ]
    answers = by_hand(net, (changes / scale)[..., None])[..., 0]
    assert np.isnan(predicted[:2]).all()
    np.testing.assert_allclose(predicted[2:], values[1:-1] + (answers * scale)[:-1], rtol=1e-6)


MODEL = {
    "weights": "scratch",
    "network": NetworkConfig((4,), inputs="plain", head="point"),
    "transforms": (Difference(), Standard()),
    "training": TrainingConfig(epochs=2, batching=WholeSequence(), validation=None),
}


def test_a_fitted_forecaster_goes_on_as_it_predicts():
    values = walks(60, 2)
    panel = lc.Panel.from_arrays({"a": values[:, 0], "b": values[:, 1]})
    model = lc.LSTMForecaster(1, **MODEL).fit(panel)
    expected = model.predict(panel, mode="one-step").point[:, 0].reshape(2, -1).T
    predicted = followed(Online(model, ["a", "b"], learning=None), values)
    np.testing.assert_allclose(predicted[2:], expected, rtol=1e-6)
    learns = Online(model, ["a", "b"], learning=Learning(learning_rate=1e-2))
    assert not np.allclose(followed(learns, values)[2:], expected)
    with pytest.raises(UsageError, match=r"not fitted to 'c'.*scaling=Running\(\)"):
        learns.join(["c"])
    assert learns.ids == ["a", "b"] and len(learns.predict()) == 2


def test_missing_ticks_of_a_fitted_forecaster_are_read_as_it_reads_them():
    values = walks(60, 1)
    values[[20, 21, 40]] = np.nan
    panel = lc.Panel.from_arrays({"a": values[:, 0]})
    model = lc.LSTMForecaster(1, **MODEL).fit(panel)
    expected = model.predict(panel, mode="one-step").point[:, 0]
    np.testing.assert_allclose(
        followed(Online(model, ["a"], learning=None), values)[2:, 0], expected, rtol=1e-6
    )


@pytest.mark.parametrize(
    "transforms",
    [
        (Difference(), Standard()),
        # of the second one, more is unknown than of the values
        (Difference(), Difference(4), Standard()),
        {"a": (Log1p(), Difference(3), MeanAbs()), "b": (Difference(4), Difference(), Standard())},
        {"a": Standard(), "b": (Difference(2), Standard())},
    ],
)
def test_a_gap_of_any_length_is_passed_as_the_forecaster_passes_it(tmp_path, transforms):
    """A gap of 25 ticks, single ones, and one shorter than the longest lag; saved and loaded in
    the first of them."""
    values = walks(90, 2)
    values[30:55], values[[60, 62, 63], 0], values[70:73, 1] = np.nan, np.nan, np.nan
    panel = lc.Panel.from_arrays({"a": values[:, 0], "b": values[:, 1]})
    model = lc.LSTMForecaster(1, **MODEL | {"transforms": transforms}).fit(panel)
    expected = model.predict(panel, mode="one-step").point[:, 0].reshape(2, -1).T
    stream = Online(model, ["a", "b"], learning=None)
    before = followed(stream, values[:40])
    stream.save(tmp_path / "stream")
    predicted = np.concatenate([before, followed(Online.load(tmp_path / "stream"), values[40:])])
    assert np.isfinite(expected[20:]).all()
    np.testing.assert_allclose(predicted[-len(expected) :], expected, rtol=1e-6)


@pytest.mark.parametrize("of", ["values", "changes", "returns"])
@pytest.mark.parametrize("learning", [None, Learning(learning_rate=1e-2, chunk=3)])
def test_nothing_after_a_tick_is_used_at_it(of, learning):
    values = walks()
    other = values.copy()
    other[20:] = 3 * other[20:] + 7
    one, two = (followed(online(learning, Running(of)), given) for given in (values, other))
    # the prediction for tick 20 was made before it
    np.testing.assert_array_equal(one[:21], two[:21])
    assert (one[22:] != two[22:]).all()


@pytest.mark.parametrize("of", ["values", "changes"])
def test_units_do_not_matter(of):
    values = walks()
    predicted, larger = (
        followed(online(scaling=Running(of)), given) for given in (values, 1000 * values - 5000)
    )
    np.testing.assert_allclose(larger[2:], 1000 * predicted[2:] - 5000, rtol=1e-4)


def test_quantiles_surround_the_prediction():
    stream = online(head="normal")
    followed(stream, walks())
    quantiles = stream.quantiles()
    assert quantiles.shape == (4, 7)
    assert (np.diff(quantiles, axis=1) > 0).all()
    np.testing.assert_array_equal(quantiles[:, 3], stream.predict())
    with pytest.raises(UsageError, match="no quantiles"):
        online().quantiles()


def test_several_columns_are_read_together():
    values = walks(30, 2, columns=3)
    stream = Online(
        network(channels=3), ["a", "b"], learning=Learning(chunk=4), scaling=Running("changes")
    )
    predicted = followed(stream, values)
    assert predicted.shape == (30, 2, 3)
    values[10:, :, 2] += 50  # the third column moves what is said of the first
    assert (
        followed(
            Online(network(channels=3), ["a", "b"], scaling=Running("changes"), learning=None),
            values,
        )[12:, :, 0]
        != predicted[12:, :, 0]
    ).all()


def test_members_are_averaged_and_each_learns():
    together = online(members=2)
    before = [own["head.bias"].copy() for own in together.network.members]
    followed(together, walks())
    assert all(
        (own["head.bias"] != old).all()
        for own, old in zip(together.network.members, before, strict=True)
    )
    net = network(members=2)
    alone = [Network(net.config, [own]) for own in net.members]
    first, second, both = (
        followed(Online(one, IDS, learning=None, scaling=Running("changes")), walks())
        for one in (*alone, net)
    )
    np.testing.assert_allclose(both, (first + second) / 2, rtol=1e-6)


# ---------------------------------------------------------------- rows


def test_one_rows_reset_leaves_the_others_as_they_were():
    values, one, two = walks(), online(None), online(None)
    for stream in (one, two):
        followed(stream, values[:20])
    two.reset(["b"])
    assert np.isnan(two.predict()[1])
    rest, other = followed(one, values[20:]), followed(two, values[20:])
    np.testing.assert_array_equal(np.delete(other, 1, axis=1), np.delete(rest, 1, axis=1))
    np.testing.assert_allclose(
        other[:, 1], followed(online(None, ids=["b"]), values[20:, 1:2])[:, 0], rtol=1e-6
    )


def test_while_learning_a_reset_touches_one_row_only():
    stream = online()
    followed(stream, walks())
    before = {name: array.copy() for name, array in stream.rows.arrays().items()}
    stream.reset(["b"])
    for name, array in stream.rows.arrays().items():
        np.testing.assert_array_equal(
            np.delete(array, 1, axis=0), np.delete(before[name], 1, axis=0)
        )
    assert stream.rows["count"].tolist() == [39, 0, 39, 39]
    followed(stream, walks())  # windows of unequal lengths are learned from
    assert np.isfinite(stream.predict()).all() and not stream.skipped


def test_the_order_of_rows_does_not_matter():
    values, order = walks(), [2, 0, 3, 1]
    straight = followed(online(), values)
    shuffled = followed(online(ids=[IDS[k] for k in order]), values[:, order])
    np.testing.assert_allclose(shuffled, straight[:, order], rtol=1e-5)


def test_rows_join_and_leave():
    values, stream = walks(), online(None, ids=["a", "b"])
    followed(stream, values[:10, :2])
    stream.join(["new", 7])
    stream.leave(["a"])
    assert stream.ids == ["b", "new", 7]
    with pytest.raises(UsageError, match="'a'"):
        stream.observe([1.0], ["a"])
    predicted = followed(stream, values[10:, 1:4])
    np.testing.assert_allclose(predicted[:, 0], followed(online(None), values)[10:, 1], rtol=1e-6)
    np.testing.assert_allclose(
        predicted[:, 1], followed(online(None, ids=["x"]), values[10:, 2:3])[:, 0], rtol=1e-6
    )


def test_there_may_be_no_rows_yet():
    stream = online(ids=[])
    assert stream.observe([]).shape == stream.predict().shape == (0,)
    stream.join(["a"])
    assert np.isfinite(_after(stream, walks(rows=1))).all() and stream.updates


def test_rows_that_are_not_named_have_no_tick():
    values, stream = walks(), online(None)
    followed(stream, values[:10])
    before = stream.predict()
    for value in values[10:20, 2]:
        errors = stream.observe([value], ["c"])
    assert errors.shape == (1,)
    np.testing.assert_array_equal(np.delete(stream.predict(), 2), np.delete(before, 2))
    np.testing.assert_allclose(stream.predict()[2], _after(online(None), values[:20])[2], rtol=1e-6)


def _after(stream, values):
    followed(stream, values)
    return stream.predict()


@pytest.mark.parametrize("kind", ["dict", "pandas"])
def test_values_that_name_their_rows_go_to_these(kind):
    named, placed = online(None), online(None)
    for row in walks()[:6]:
        values = dict(zip(IDS[::-1], row[::-1].tolist(), strict=True))
        if kind == "pandas":
            values = pytest.importorskip("pandas").Series(values)
        np.testing.assert_array_equal(named.observe(values)[::-1], placed.observe(row))
    np.testing.assert_array_equal(named.predict(), placed.predict())
    with pytest.raises(UsageError, match="The values name their rows, and ids= names them again"):
        named.observe(values, ids=IDS)
    with pytest.raises(UsageError, match="'x'"):
        named.observe({"a": 1.0, "x": 2.0})


def test_an_index_that_only_counts_names_no_rows():
    pandas = pytest.importorskip("pandas")
    row = walks()[0]
    np.testing.assert_array_equal(
        online(None).observe(pandas.Series(row)), online(None).observe(row)
    )


def test_only_rows_with_news_are_learned_from():
    """A row without a tick between two updates does not count again."""
    values = walks()
    one, two = online(), online(ids=["c"])
    for stream in (one, two):
        stream.reset()
    for value in values[:, 2]:
        one.observe([value], ["c"])
        two.observe([value])
    np.testing.assert_allclose(
        one.network.members[0]["head.weight"], two.network.members[0]["head.weight"], rtol=1e-4
    )


def test_a_missing_value_is_no_error_and_teaches_nothing():
    values = walks()
    values[15, 1] = np.nan
    stream = online()
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
    stream = online(Learning(learning_rate=0.1, chunk=3, every=1, clip=None, optimiser="sgd"))
    followed(stream, values[:20])
    arrays = {name: array.copy() for name, array in stream.network.members[0].items()}
    count, rows = stream.rows["count"], stream.rows
    slots = (count[0] - 3 + np.arange(3)) % 3
    x, label = rows["x"][:, slots].copy(), rows["label"][:, slots].copy()
    state = [
        tuple(rows[f"before_0_{k}_{part}"][:, slots[0]].copy() for part in "hc") for k in (0, 1)
    ]
    scale = np.sqrt(rows["scaling_square"] / rows["scaling_weight"])
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
    expected = arrays["lstm.0.weight_hh"] - 0.1 * module.lstm[0].weight_hh_l0.grad.numpy()
    np.testing.assert_allclose(
        stream.network.members[0]["lstm.0.weight_hh"], expected, rtol=1e-4, atol=1e-6
    )


def turning(ticks=300, rows=30, change=150, share=0.8):
    """Changes that go on, and from `change` on turn round."""
    rng, changes = np.random.default_rng(0), np.zeros((ticks, rows))
    for t in range(1, ticks):
        changes[t] = (share if t < change else -share) * changes[t - 1] + rng.normal(size=rows)
    return 100 + np.cumsum(changes, axis=0)


def test_it_learns_and_learns_anew_where_a_frozen_copy_does_not():
    values, ids = turning(), range(30)
    config = NetworkConfig((8,), inputs="plain", head="point", horizon=1)
    stream = Online(config, ids, learning=Learning(learning_rate=1e-2), scaling=Running("changes"))
    followed(stream, values[:150])
    frozen = stream.frozen()
    naive = np.abs(np.diff(values[149:], axis=0))[75:].mean()
    learned, stayed = (
        np.abs(followed(one, values[150:]) - values[150:])[75:].mean() for one in (stream, frozen)
    )
    assert learned < 0.75 * naive < naive < stayed
    assert frozen.updates == 0 and stream.updates > 250


def test_every_chunk_updates_less_often():
    stream = online(Learning(chunk=5, every=5))
    followed(stream, walks(41))
    assert stream.updates == 8


@pytest.mark.parametrize(
    "learning", [Learning(chunk=1), Learning(optimiser="sgd"), Learning(loss="huber", clip=None)]
)
def test_other_ways_to_learn(learning):
    stream = online(learning)
    before = stream.network.members[0]["lstm.0.weight_ih"].copy()
    followed(stream, walks())
    assert stream.updates == 38  # from the third tick on something was predicted from a known scale
    assert (stream.network.members[0]["lstm.0.weight_ih"] != before).any()


def test_the_network_that_was_given_stays_as_it_is():
    net = network()
    before = net.members[0]["head.bias"].copy()
    followed(Online(net, IDS, scaling=Running("changes")), walks())
    np.testing.assert_array_equal(net.members[0]["head.bias"], before)


@pytest.mark.parametrize("when", [6, 30])  # before and after it is known what gradients are usual
def test_an_update_that_explodes_is_skipped_and_said(caplog, when):
    values = walks()
    stream = online(Learning(chunk=4), Running("values", limit=None))
    followed(stream, values[:when])
    before = {name: array.copy() for name, array in stream.network.members[0].items()}
    wild = values[when].copy()
    wild[2] = 1e30
    with caplog.at_level(logging.WARNING, "lstmcast"):
        stream.observe(wild)
    assert stream.skipped == 1
    assert f"tick {when}: the network did not learn" in caplog.text and "row 'c'" in caplog.text
    for name, array in stream.network.members[0].items():
        np.testing.assert_array_equal(array, before[name])
    assert np.isfinite(stream.predict()).all()


def test_a_gradient_beyond_what_is_usual_is_skipped_until_it_is_usual(caplog):
    stream = online(Learning(chunk=1), Running("values", limit=None))
    followed(stream, walks())
    far = walks()[-1] + 1e6  # finite, but a million times what came before
    with caplog.at_level(logging.WARNING, "lstmcast"):
        stream.observe(far)
    assert stream.skipped == 1 and "is usual" in caplog.text
    updates = stream.updates
    followed(stream, far + walks())
    assert stream.updates > updates + 20


def test_a_gradient_is_clipped():
    """Plain gradient descent with a rate of 1 moves the weights by at most the clip."""
    stream = online(Learning(learning_rate=1.0, clip=1e-3, optimiser="sgd"))
    followed(stream, walks(20))
    before = np.concatenate([array.ravel() for array in stream.network.members[0].values()])
    stream.observe(walks(21)[-1])
    after = np.concatenate([array.ravel() for array in stream.network.members[0].values()])
    assert np.linalg.norm(after - before) == pytest.approx(1e-3, rel=1e-2)


def test_a_wrong_tick_does_little_where_there_is_a_limit():
    values, stream = walks(200), online(None)
    wrong = values.copy()
    wrong[100, 2] = 1e12
    usual, other = followed(stream, values), followed(online(None), wrong)
    np.testing.assert_allclose(other[110:, 2], usual[110:, 2], atol=5.0)
    np.testing.assert_array_equal(np.delete(other, 2, axis=1), np.delete(usual, 2, axis=1))


# ---------------------------------------------------------------- saving


@pytest.mark.parametrize("ticks", [1, 17])
@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_a_saved_stream_goes_on_with_the_same_bits(tmp_path, ticks, dropout):
    values = walks(50)
    stream = online(Learning(learning_rate=1e-2, chunk=6, every=2), dropout=dropout)
    followed(stream, values[:ticks])
    stream.reset(["d"])
    stream.save(tmp_path / "stream")
    torch.rand(7)  # draws elsewhere do not matter
    loaded = Online.load(tmp_path / "stream")
    np.testing.assert_array_equal(
        followed(loaded, values[ticks:]), followed(stream, values[ticks:])
    )
    for name, array in stream.network.members[0].items():
        np.testing.assert_array_equal(array, loaded.network.members[0][name])
    assert loaded.learners[0].usual == stream.learners[0].usual
    assert (loaded.ticks, loaded.updates, loaded.ids) == (50, stream.updates, IDS)
    assert loaded.learning == stream.learning and loaded.scaling == stream.scaling


def test_a_fitted_one_is_saved_with_its_transforms(tmp_path):
    values = walks(60, 2)
    panel = lc.Panel.from_arrays({"a": values[:, 0], "b": values[:, 1]})
    model = lc.LSTMForecaster(
        1, **MODEL | {"transforms": {"a": Standard(), "b": (Difference(), Standard())}}
    ).fit(panel)
    stream = Online(model, ["b", "a"])
    followed(stream, values[:30, ::-1])
    stream.save(tmp_path / "stream")
    loaded = Online.load(tmp_path / "stream")
    np.testing.assert_array_equal(
        followed(loaded, values[30:, ::-1]), followed(stream, values[30:, ::-1])
    )


def test_loaded_without_learning_it_is_the_frozen_copy(tmp_path):
    values, stream = walks(50), online()
    followed(stream, values[:20])
    stream.save(tmp_path / "stream")
    frozen, loaded = stream.frozen(), Online.load(tmp_path / "stream", learns=False)
    followed(stream, values[20:])  # what goes on learning does not move its copies
    np.testing.assert_array_equal(followed(frozen, values[20:]), followed(loaded, values[20:]))
    assert "not learning" in repr(frozen) and frozen.ids == IDS


def test_what_is_not_a_stream_is_refused(tmp_path):
    store.save(tmp_path / "other", {"kind": "forecaster"}, {"weights": {}})
    with pytest.raises(ModelError, match="holds a forecaster"):
        Online.load(tmp_path / "other")
    store.save(tmp_path / "half", {"kind": "online"}, {"weights": {}})
    with pytest.raises(ModelError, match="incomplete"):
        Online.load(tmp_path / "half")


def test_settings_go_through_json():
    learning = Learning(chunk=3, loss=Loss("pinball", level=0.9))
    from dataclasses import asdict

    assert Learning(**json.loads(json.dumps(asdict(learning)))) == learning


# ---------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("values", "ids", "error", "text"),
    [
        ([1.0, 2.0], None, UsageError, r"shape \(2,\).*\(4,\)"),
        ([1.0, 2.0, np.inf, 4.0], None, DataError, "Row 'c' has an infinite value"),
        (["x", 2.0, 3.0, 4.0], None, DataError, "not numbers"),
        ([1.0], ["z"], UsageError, r"no rows 'z'.*join"),
        ([1.0, 2.0], ["a", "a"], UsageError, "'a' are given more than once"),
        (
            [1.0, -2.0, 3.0, 0.0],
            None,
            DataError,
            "Row 'b' has the value -2.0, and 2 rows .* positive",
        ),
    ],
)
def test_a_tick_that_cannot_be_used_changes_nothing(values, ids, error, text):
    stream = online(scaling=Running("returns"))
    followed(stream, walks(10))
    before = {name: array.copy() for name, array in stream.rows.arrays().items()}
    with pytest.raises(error, match=text):
        stream.observe(values, ids)
    for name, array in stream.rows.arrays().items():
        np.testing.assert_array_equal(array, before[name])
    assert stream.ticks == 10


def test_networks_that_cannot_read_ticks_are_refused():
    for config in (NetworkConfig((4,), horizon=1), NetworkConfig((4,), inputs="plain", horizon=3)):
        with pytest.raises(UsageError, match=r"Use NetworkConfig\(inputs='plain', horizon=1\)"):
            Online(config, IDS)
    scratch = lc.LSTMForecaster(1, weights="scratch", network=NetworkConfig((4,), inputs="plain"))
    with pytest.raises(UsageError, match="fit it first"):
        Online(scratch, IDS)
    with pytest.raises(UsageError, match="here already"):
        online().join(["a"])


@pytest.mark.parametrize("ids", [5, None])
def test_ids_that_name_no_rows_are_refused(ids):
    with pytest.raises(
        UsageError, match=rf"ids={ids} does not name rows: a list of texts or whole numbers"
    ):
        online(ids=ids)
    stream = online()
    # reset() is of all rows
    for call in (stream.join, *([stream.leave, stream.reset] if ids else [])):
        with pytest.raises(UsageError, match="does not name rows"):
            call(ids)
    assert stream.ids == IDS


def test_without_pytorch_it_predicts_and_says_what_learning_needs(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert np.isfinite(_after(online(None), walks())).all()
    with pytest.raises(MissingExtraError, match=r"lstmcast\[train\]"):
        online()


def test_a_constant_row_is_expected_to_stay():
    stream = online(scaling=Running("values"))
    followed(stream, np.full((30, 4), 5.0))
    np.testing.assert_array_equal(stream.predict(), np.full(4, 5.0))


def test_rows_keep_whole_numbers_and_texts_apart():
    rows = Rows([np.int64(1), "1"])
    assert rows.ids.tolist() == [1, "1"] and rows.at(["1"]).tolist() == [1]


@pytest.mark.parametrize("around", [torch.no_grad, torch.inference_mode])
def test_a_stream_learns_alike_inside_of_no_grad(around, tmp_path):
    values = walks()
    expected = followed(online(), values)
    with around():
        stream = online()
        first = followed(stream, values[:20])
        stream.save(tmp_path / "stream")
        rest = followed(lc.Online.load(tmp_path / "stream"), values[20:])
    np.testing.assert_array_equal(np.concatenate([first, rest]), expected)
