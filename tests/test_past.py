"""Columns that are only read: networks with transformed inputs that see them, and saved models of
these."""

from __future__ import annotations

import json
import logging

import numpy as np
import pytest

import lstmcast as lc
from builders import FEATURES, drawn_network, market, plain_config
from lstmcast.data.features import warn_once
from lstmcast.errors import DataError, UsageError
from lstmcast.model.network import NetworkConfig

SCHEMES = {
    "windows": lc.Windows(length=8),
    "windows, every": lc.Windows(length=8, loss="every"),
    "whole sequence": lc.WholeSequence(),
    "whole sequence, chunks": lc.WholeSequence(chunk=30),
    "stateful": lc.Stateful(chunk=10),
}


def changed(panel, name, change):
    """The panel with another column beside the target."""
    past = {
        own: dict(zip(panel.ids, _split(panel, own), strict=True)) for own in FEATURES
    }
    past[name] = {key: change(array.copy()) for key, array in past[name].items()}
    values = {key: panel.series(i) for i, key in enumerate(panel.ids)}
    return lc.Panel.from_arrays(values, frequency="D", start="2023-01-01", past=past)


def _split(panel, name):
    return np.split(panel.covariates.past[name], panel.offsets[1:-1])


def forecaster(past=("f0",), batching=None, horizon=1, epochs=30, **chosen):
    inputs = lc.Transformed(lc.Standard(), past=past)
    usual = {"layers": (8,), "inputs": inputs, "head": "point", "horizon": horizon}
    training = lc.TrainingConfig(
        epochs=epochs,
        batching=batching or lc.Windows(length=8),
        batch_size=16,
        validation=None,
        optimiser=lc.Optimiser(learning_rate=0.02, clip=1.0),
    )
    network = NetworkConfig(**usual | chosen)
    return lc.LSTMForecaster(
        horizon, weights="scratch", network=network, training=training
    )


def drawn(past=FEATURES, **chosen):
    """A network of drawn weights whose transforms learn from what each forecast knows."""
    config = plain_config(inputs=lc.Transformed(lc.Standard(), past=past), **chosen)
    return lc.LSTMForecaster(config.steps, weights=drawn_network(config))


def held_out(model, panel, last=30):
    """The mean absolute error one step ahead of the last values, which were not trained on."""
    fitted = model.fit(panel.until(panel.lengths - last))
    cutoffs = panel.lengths[:, None] - last + np.arange(last)
    forecast = fitted.predict(panel, 1, cutoffs=cutoffs).point.reshape(len(panel), last)
    actual = np.stack([panel.series(i)[-last:] for i in range(len(panel))])
    return np.abs(forecast - actual).mean()


# ---------------------------------------------------------------- what it is for


@pytest.fixture(scope="module")
def blind():
    """The error of a network that does not see what the values follow."""
    pytest.importorskip("torch", reason="needs the train extra")
    return held_out(forecaster(past=None), market())


@pytest.mark.parametrize("name", SCHEMES)
def test_a_network_that_sees_what_values_follow_is_far_better(name, blind):
    pytest.importorskip("torch", reason="needs the train extra")
    assert (
        held_out(forecaster(batching=SCHEMES[name], epochs=40), market()) < 0.3 * blind
    )


def test_eight_columns_of_several_products_are_read_by_one_network(blind):
    pytest.importorskip("torch", reason="needs the train extra")
    panel = market(products=3)
    model = forecaster(past=FEATURES, epochs=25)
    assert held_out(model, panel) < 0.5 * blind
    assert model.network.config.width == 9 and len(model.network.members) == 1


def test_several_steps_are_answered_at_once():
    """Where values follow three steps later, so many are known in advance."""
    pytest.importorskip("torch", reason="needs the train extra")
    panel = market(lag=3, length=240)
    fitted = forecaster(horizon=3, epochs=40).fit(panel.until([200]))
    cutoffs = np.arange(200, 236)[None]
    forecast = fitted.predict(panel, cutoffs=cutoffs).point
    actual = panel.values[cutoffs.T + np.arange(3)]
    assert (np.abs(forecast - actual).mean(axis=0) < 1.5).all()  # of a spread of 5


# ---------------------------------------------------------------- what a forecast knows


@pytest.mark.parametrize("steps", [1, 2])
def test_nothing_after_the_cutoff_changes_a_forecast(steps):
    panel, cutoffs = market(products=2), np.array([[60, 100]] * 2)
    model = drawn(
        past={"f0": lc.Standard(), "f1": (lc.Difference(), lc.Standard())},
        horizon=steps,
    )
    expected = model.predict(panel, steps, cutoffs=cutoffs).point

    def later(array):
        array[100:] = np.where(np.arange(60) % 3, 1e3, np.nan)
        return array

    for name in ("f0", "f1"):
        other = changed(panel, name, later)
        np.testing.assert_array_equal(
            model.predict(other, steps, cutoffs=cutoffs).point, expected
        )
        seen = model.predict(other, steps).point
        # so that this test can fail
        assert (seen != model.predict(panel, steps).point).all()
    values = {key: later(panel.series(i).copy()) for i, key in enumerate(panel.ids)}
    past = {
        name: dict(zip(panel.ids, _split(panel, name), strict=True))
        for name in FEATURES
    }
    other = lc.Panel.from_arrays(values, frequency="D", start="2023-01-01", past=past)
    np.testing.assert_array_equal(
        model.predict(other, steps, cutoffs=cutoffs).point, expected
    )


def test_what_is_held_back_teaches_the_transforms_nothing():
    panel = market()
    inputs = lc.Transformed(lc.Standard(), past=["f0"])

    def later(array):
        array[100:] *= 50
        return array

    ends = np.array([100])
    (data, fitted), (other_data, other) = (
        inputs.data(given, ends) for given in (panel, changed(panel, "f0", later))
    )
    np.testing.assert_array_equal(data.inputs[:100], other_data.inputs[:100])
    assert (data.inputs[100:, 1] != other_data.inputs[100:, 1]).all()
    for mine, theirs in zip(
        fitted.arrays().values(), other.arrays().values(), strict=True
    ):
        np.testing.assert_array_equal(mine, theirs)


def test_all_cutoffs_in_one_pass_are_each_by_itself():
    panel, model = market(products=2), drawn()
    counts = np.arange(20, 60)
    at_once = model.predict(panel, 1, cutoffs=np.stack([counts, counts])).point.reshape(
        2, -1
    )
    for place in (0, 11, 39):
        alone = model.predict(panel.until([counts[place]] * 2), 1).point
        np.testing.assert_allclose(at_once[:, place], alone[:, 0], rtol=1e-6)


def test_products_are_apart():
    """Each is a row with columns of its own: what is beside one of them is not seen by others."""
    panel, model = market(products=3), drawn()
    expected = model.predict(panel, 1).point
    other = model.predict(panel.select(["p2", "p0"]), 1).point
    np.testing.assert_allclose(other, expected[[2, 0]], rtol=1e-6)
    values = {key: panel.series(i) for i, key in enumerate(panel.ids)}
    past = {
        name: dict(zip(panel.ids, _split(panel, name), strict=True))
        for name in FEATURES
    }
    past["f3"]["p1"] = past["f3"]["p1"][::-1]
    moved = lc.Panel.from_arrays(values, frequency="D", start="2023-01-01", past=past)
    differs = (model.predict(moved, 1).point != expected).ravel()
    assert differs.tolist() == [False, True, False]


def test_a_missing_value_is_read_as_the_newest_known_one():
    panel, model = market(), drawn(past={"f0": ()})

    def without(array):
        array[[40, 80, 81, 159]] = np.nan
        return array

    def carried(array):
        array[[40, 80, 81, 159]] = array[[39, 79, 79, 158]]
        return array

    gappy, filled = (
        model.predict(changed(panel, "f0", f), 1).point for f in (without, carried)
    )
    np.testing.assert_array_equal(gappy, filled)
    assert (filled != model.predict(panel, 1).point).all()


def test_a_series_of_whose_column_nothing_is_known_has_no_forecast(caplog):
    panel, model = market(products=2), drawn(past=["f0"])
    values = {key: panel.series(i) for i, key in enumerate(panel.ids)}
    past = {"f0": dict(zip(panel.ids, _split(panel, "f0"), strict=True))}
    past["f0"]["p1"] = np.full(160, np.nan)
    absent = lc.Panel.from_arrays(values, frequency="D", start="2023-01-01", past=past)
    forecast = model.predict(absent, 1).point
    assert np.isfinite(forecast[0]).all() and np.isnan(forecast[1]).all()
    assert "1 known value is needed before the cutoff, of 'f0' as well" in caplog.text


def test_columns_that_are_forecast_together_share_what_is_only_read():
    rng = np.random.default_rng(0)
    stores = {key: 50 + rng.normal(size=(40, 2)) for key in "ab"}
    visits = {key: 9 + rng.normal(size=40) for key in "ab"}
    panel = lc.Panel.from_arrays(
        stores, columns=["price", "sold"], past={"visits": visits}
    )
    inputs = lc.Transformed(lc.Standard(), columns=2, past=["visits"])
    config = plain_config(inputs=inputs)
    assert config.width == 3
    model = lc.LSTMForecaster(1, weights=drawn_network(config))
    assert np.isfinite(model.predict(panel).point).all()
    apart = {"visits": {"price": visits["a"], "sold": visits["b"]}}
    columns = {"price": stores["a"][:, 0], "sold": stores["a"][:, 1]}
    with pytest.raises(
        DataError, match=r"past column 'visits': it differs between series 'price'"
    ):
        model.predict(lc.Panel.from_arrays(columns, past=apart))


# ---------------------------------------------------------------- what is refused, and what is said


def test_a_column_that_is_missing_is_named():
    panel = market()
    without = lc.Panel.from_arrays(
        {"p0": panel.values}, frequency="D", start="2023-01-01"
    )
    for call in (drawn(past=["f0", "f1"]).predict, drawn(past=["f0"]).fit):
        with pytest.raises(
            DataError, match=r"arrays: .*'f0', which the network reads, is missing"
        ):
            call(without)


def test_what_cannot_be_transformed_is_told_with_its_column():
    panel = changed(market(), "f1", lambda array: array - 100)
    with pytest.raises(DataError, match=r"past column 'f1': Log1p.*series 'p0' has"):
        drawn(past={"f1": lc.Log1p()}).predict(panel, 1)
    with pytest.raises(
        DataError, match=r"'f1': series 'p0': the network would read .*Standard"
    ):
        drawn(past={"f1": ()}).predict(
            changed(market(), "f1", lambda array: array * 1e40), 1
        )


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (7, "past=7 does not name columns"),
        ([""], "does not name columns"),
        (["a", "a"], "names a column twice"),
        ({"a": "standard"}, "are not transforms"),
        ({"a": lc.Chain((lc.Standard(),), apart=True)}, "scales labels separately"),
    ],
)
def test_columns_that_are_no_columns(given, words):
    with pytest.raises(UsageError, match=words):
        lc.Transformed(past=given)


def test_forecasts_are_not_fed_back_beside_columns_of_which_nothing_is_known():
    words = r"recursive, but the network also reads 'f0', whose values after the data are unknown"
    with pytest.raises(UsageError, match=rf"{words}.*It answers 1 step at once"):
        lc.LSTMForecaster(
            3,
            weights="scratch",
            network=plain_config(inputs=lc.Transformed(past=["f0"])),
        )
    panel, model = market(), drawn(past=["f0"], horizon=3)
    assert model.predict(panel, 3).point.shape == (1, 3)
    with pytest.raises(UsageError, match=rf"{words}.*horizon=4"):
        model.predict(panel, 4)
    with pytest.raises(UsageError, match=rf"{words}.*mode='direct'"):
        model.predict(panel, 2, mode="recursive")
    one = model.predict(panel, 1, mode="recursive").point
    np.testing.assert_array_equal(one, model.predict(panel, 1).point)
    assert len(model.predict(panel, mode="one-step").point) == 159


def test_rollouts_and_sums_of_quantiles_have_no_place():
    pytest.importorskip("torch", reason="needs the train extra")
    with pytest.raises(
        UsageError, match=r"Rollout trains a network to continue from its own"
    ):
        forecaster(batching=lc.Rollout(length=6, support=3)).fit(market())
    inputs = lc.Transformed(lc.Difference(), past=["f0"])
    with pytest.raises(
        UsageError, match=r"Use head='point', or differences over a lag of at le"
    ):
        lc.LSTMForecaster(3, weights="scratch", network=NetworkConfig(inputs=inputs))


def test_columns_that_a_network_does_not_read_are_told(caplog):
    panel = market()
    warn_once.cache_clear()
    with caplog.at_level(logging.WARNING, "lstmcast"):
        lc.backtest(drawn(past=["f0"]), panel, cutoffs=4, baselines=False)
    assert caplog.text.count("\n") == 1  # of many forecasts
    assert "this network does not read 'f1', 'f2'" in caplog.text
    caplog.clear()
    drawn().predict(panel, 1)
    assert not caplog.text
    lc.LSTMForecaster(2, method="network").predict(panel)  # the shipped one
    assert "does not read 'f0', 'f1'" in caplog.text
    caplog.clear()
    warn_once.cache_clear()
    # with simple forecasts, of which a linear map reads them
    lc.LSTMForecaster(2).predict(panel)
    assert not caplog.text


def test_a_fit_notes_what_it_does_not_read():
    pytest.importorskip("torch", reason="needs the train extra")
    model = forecaster(epochs=1).fit(market())
    assert any("'f1', 'f2'" in note for note in model.record.notes)
    only = market().covariates.only(["f0"])
    assert not any(
        "does not read" in n for n in forecaster(epochs=1).fit(_with(only)).record.notes
    )


def _with(covariates):
    from dataclasses import replace

    return replace(market(), covariates=covariates)


# ---------------------------------------------------------------- as a specification


def test_past_columns_are_written_as_they_are_given():
    inputs = lc.Transformed(
        lc.Log1p(),
        past={"volume": (lc.Log1p(), lc.Standard()), "index": lc.Difference(5)},
    )
    again = eval(repr(inputs), vars(lc))
    assert again == inputs and again.past == ("volume", "index")
    assert repr(lc.Transformed(past="volume")) == "Transformed(past=['volume'])"
    turned = lc.Transformed(
        lc.Log1p(), past=dict(reversed(list(_given(inputs).items())))
    )
    assert turned != inputs  # the order is that of the network's inputs
    model = lc.LSTMForecaster(
        1, weights="scratch", network=NetworkConfig(inputs=inputs)
    )
    assert lc.LSTMForecaster.from_json(model.to_json()) == model
    about = json.loads(json.dumps(inputs.described()))
    assert [column["name"] for column in about["past"]] == ["volume", "index"]
    assert "past" not in lc.Transformed(lc.Log1p()).described()  # as before


def _given(inputs):
    return dict(inputs.beside.columns)


# ---------------------------------------------------------------- saved models


@pytest.fixture(scope="module")
def fitted():
    pytest.importorskip("torch", reason="needs the train extra")
    return forecaster(
        past={"f0": lc.Standard(), "f1": (lc.Difference(), lc.Standard())}, epochs=3
    )


def test_a_saved_model_reads_its_columns_from_newer_data(fitted, tmp_path):
    panel = market(products=2)
    fitted.fit(panel.until([150, 150])).save(tmp_path / "model")
    model = lc.load(tmp_path / "model")
    assert model.past == ("f0", "f1")
    remembered = model.saved_context.panel
    assert (
        list(remembered.covariates.past) == ["f0", "f1"]
        and len(remembered.values) < 300
    )
    np.testing.assert_array_equal(model.predict().point, fitted.predict().point)

    newer = panel.since([150, 150])
    rows = {
        "ds": np.concatenate([newer.times(i) for i in range(2)]),
        "unique_id": np.repeat(newer.ids, newer.lengths),
        "y": newer.values,
        **newer.covariates.past,
    }
    forecast = model.predict(rows)  # no column has to be named again
    np.testing.assert_array_equal(forecast.point, fitted.predict(panel).point)
    with pytest.raises(DataError, match=r"no column 'f1' for the past covariate"):
        model.predict({name: column for name, column in rows.items() if name != "f1"})
    with pytest.raises(DataError, match=r"'f0', which the network reads, is missing"):
        model.predict(lc.read({name: rows[name] for name in ("ds", "unique_id", "y")}))


def test_a_model_that_reads_nothing_beside_remembers_nothing_beside(tmp_path):
    panel = market()
    lc.LSTMForecaster(2, method="network").save(tmp_path / "model", panel)
    model = lc.load(tmp_path / "model", method="network")
    assert not model.saved_context.panel.covariates
    bare = lc.Panel.from_arrays({"p0": panel.values}, frequency="D", start="2023-01-01")
    np.testing.assert_array_equal(model.predict(bare).point, model.predict(panel).point)


def test_a_gap_beside_the_target_keeps_what_is_read_in_its_place(fitted, tmp_path):
    def late(array):
        array[60:] = np.nan
        return array

    panel = changed(market(), "f0", late)
    model = forecaster(epochs=1).fit(panel)
    model.save(tmp_path / "model")
    loaded = lc.load(tmp_path / "model")
    np.testing.assert_array_equal(loaded.predict().point, model.predict().point)


# ---------------------------------------------------------------- backtests


def test_a_backtest_reads_the_columns_of_its_model(tmp_path):
    panel, model = market(products=2), drawn(past=["f0"])
    rows = {
        "day": np.concatenate([panel.times(i) for i in range(2)]),
        "product": np.repeat(panel.ids, panel.lengths),
        "value": panel.values,
        "f0": panel.covariates.past["f0"],
    }
    of_rows = lc.backtest(model, rows, horizon=1, cutoffs=4, baselines=False)
    of_panel = lc.backtest(model, panel, horizon=1, cutoffs=4, baselines=False)
    assert of_rows.scores == of_panel.scores


def test_a_backtest_with_other_columns_is_another_backtest(tmp_path):
    panel, model = market(), drawn(past=["f0"])
    options = {
        "horizon": 1,
        "cutoffs": 2,
        "baselines": False,
        "folder": tmp_path / "kept",
    }
    lc.backtest(model, panel, **options)
    with pytest.raises(lc.ModelError, match="another backtest"):
        lc.backtest(model, changed(panel, "f0", lambda array: -array), **options)
