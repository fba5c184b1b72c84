"""Columns that are only read, tick by tick: what a stream is given, and what it makes of it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import lstmcast as lc
from builders import drawn_network, market, plain_config
from lstmcast.data.features import warn_once
from lstmcast.errors import DataError, UsageError


def ticks(panel, step):
    """What comes at a step: values of the rows, and of the columns beside them by name."""
    at = panel.offsets[:-1] + step
    return panel.values[at], {
        name: array[at] for name, array in panel.covariates.past.items()
    }


@pytest.mark.parametrize("name", ["whole sequence", "windows"])
def test_a_stream_forecasts_what_predict_does(name):
    pytest.importorskip("torch", reason="needs the train extra")
    panel = market(products=3)
    past = {"f0": lc.Standard(), "f1": (lc.Difference(), lc.Standard())}
    batching = lc.Windows(length=8) if name == "windows" else lc.WholeSequence()
    model = lc.LSTMForecaster(
        2,
        weights="scratch",
        network=plain_config(
            inputs=lc.Transformed(lc.Standard(), past=past), horizon=2
        ),
        training=lc.TrainingConfig(epochs=1, batching=batching),
    ).fit(panel.until([80] * 3))
    stream = lc.Stream(model, panel.until([100] * 3))
    for step in range(100, 130):
        values, past = ticks(panel, step)
        stream.observe(values, past={name: past[name] for name in model.past})
    known = panel.until([130] * 3)
    expected = model.predict(known, 2).point
    np.testing.assert_allclose(stream.predict(2), expected, rtol=1e-5)
    with pytest.raises(
        UsageError, match="recursive, but the network also reads 'f0' and 'f1'"
    ):
        stream.predict(3)


def rows_beside(learning=None):
    config = plain_config(inputs=lc.Transformed(past={"f0": (), "f1": ()}))
    return lc.Stream(drawn_network(config), ["a", "b"], learning=learning)


def test_a_tick_brings_its_columns_in_any_form():
    streams = [rows_beside() for _ in range(5)]
    forms = [
        {"f0": [1.0, 2.0], "f1": [3.0, np.nan]},
        {"f1": {"b": np.nan, "a": 3.0}, "f0": {"b": 2.0, "a": 1.0}},
        pd.DataFrame({"f1": [3.0, np.nan], "f0": [1.0, 2.0]}, index=["a", "b"]),
        pd.DataFrame({"f0": [2.0, 1.0], "f1": [np.nan, 3.0]}, index=["b", "a"]),
        np.array([[1.0, 3.0], [2.0, np.nan]]),
    ]
    for stream, form in zip(streams, forms, strict=True):
        stream.observe([5.0, 6.0], past=form)
        np.testing.assert_array_equal(stream.predict(), streams[0].predict())
        assert np.isfinite(stream.predict()).tolist() == [True, False]
    streams[0].observe({"b": 6.0}, past={"f0": {"b": 2.0}, "f1": [4.0]})
    assert np.isfinite(streams[0].predict()).all()


@pytest.mark.parametrize(
    ("past", "error", "words"),
    [
        (None, UsageError, r"reads 'f0' and 'f1' with the values of each row"),
        (
            {"f0": [1, 2]},
            UsageError,
            r"'f1' is missing. Exactly the columns 'f0' and 'f1'",
        ),
        ({"f0": [1, 2], "f1": [1, 2], "f2": [1, 2]}, UsageError, r"'f2' is not read"),
        ({"f0": [1], "f1": [1, 2]}, UsageError, r"'f0' has the shape \(1,\)"),
        ({"f0": {"a": 1}, "f1": [1, 2]}, UsageError, r"'f0' has no value for row 'b'"),
        ({"f0": ["x", 1], "f1": [1, 2]}, DataError, r"'f0' holds no numbers"),
        ([[1, 2, 3]], UsageError, r"past= has the shape \(1, 3\)"),
        (
            {"f0": [1, np.inf], "f1": [1, 2]},
            DataError,
            r"Row 'b' has an infinite value",
        ),
    ],
)
def test_a_tick_without_its_columns_is_refused(past, error, words):
    stream = rows_beside()
    stream.observe([5.0, 6.0], past=np.ones((2, 2)))
    before = stream.predict()
    with pytest.raises(error, match=words):
        stream.observe([1.0, 2.0], past=past)
    np.testing.assert_array_equal(stream.predict(), before)
    assert stream.ticks == 1


def test_columns_are_for_networks_that_read_them():
    stream = lc.Stream(drawn_network(plain_config()), ["a"])
    with pytest.raises(UsageError, match="this network reads no past covariates"):
        stream.observe([1.0], past={"f0": [1.0]})
    panel = lc.Panel.from_arrays({"a": [1.0, 2.0, 3.0]})
    network = drawn_network(plain_config(inputs=lc.Transformed(past=["f0"])))
    with pytest.raises(DataError, match="'f0', which the network reads, is missing"):
        lc.Stream(network, panel)


def test_columns_that_a_stream_does_not_read_are_told(caplog):
    warn_once.cache_clear()
    lc.Stream(lc.LSTMForecaster(2), market())
    assert "does not read 'f0', 'f1'" in caplog.text


def test_a_row_of_which_nothing_was_learned_cannot_join():
    network = drawn_network(plain_config(inputs=lc.Transformed(past=["f0"])))
    with pytest.raises(
        UsageError,
        match="not fitted to series 'a', so the transforms of this series are unknown",
    ):
        lc.Stream(network, ["a"])


def test_a_stream_learns_from_its_columns_and_goes_on_after_it_was_saved(tmp_path):
    pytest.importorskip("torch", reason="needs the train extra")
    rng = np.random.default_rng(0)
    seen = rng.normal(size=(400, 20))
    values = np.concatenate([np.zeros((1, 20)), seen[:-1]]) + 0.05 * rng.normal(
        size=seen.shape
    )
    ids = [f"r{k}" for k in range(20)]
    errors = {}
    for past in ({"f0": ()}, None):
        config = plain_config(layers=(8,), inputs=lc.Transformed(past=past))
        learning = lc.Learning(learning_rate=2e-2, chunk=4)
        stream = lc.Stream(config, ids, learning=learning)
        told = [
            stream.observe(values[t], past={"f0": seen[t]} if past else None)
            for t in range(400)
        ]
        errors[bool(past)] = np.sqrt(np.mean(np.square(told[300:])))
        if past:
            stream.save(tmp_path / "stream")
            again = lc.Stream.load(tmp_path / "stream")
            one, other = (s.observe(values[9], past=seen[9]) for s in (stream, again))
            np.testing.assert_array_equal(one, other)
            np.testing.assert_array_equal(stream.predict(), again.predict())
    assert errors[True] < 0.4 * errors[False]
