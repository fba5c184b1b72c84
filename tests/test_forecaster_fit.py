"""LSTMForecaster.fit: from scratch, fine-tuned, on transformed series; saved, loaded, gone on
with."""

from __future__ import annotations

import json
import pickle
from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest

import lstmcast as lc
from builders import waves
from lstmcast import store
from lstmcast.errors import DataError, MissingExtraError, ModelError, UsageError
from lstmcast.evaluation.resuming import facts
from lstmcast.model.heads import Point
from lstmcast.model.inputs import Transformed
from lstmcast.model.network import NetworkConfig
from lstmcast.training_config import (
    Optimiser,
    TrainingConfig,
    Validation,
    WholeSequence,
    Windows,
)
from lstmcast.transforms import Chain, Difference, Log1p, MinMax, Standard

pytest.importorskip("torch", reason="needs the train extra")

SMALL = replace(
    TrainingConfig.from_scratch(), epochs=2, steps_per_epoch=2, batch_size=8
)
SCALED = Transformed(Standard())
PLAIN = NetworkConfig(layers=(4,), inputs=SCALED, head="point", horizon=1)
WAVES = TrainingConfig(
    epochs=2, batching=Windows(length=8), validation=Validation(steps=12)
)


def scratch(horizon=6, **chosen):
    settings = {
        "weights": "scratch",
        "network": NetworkConfig(layers=(8,)),
        "training": SMALL,
    }
    return lc.LSTMForecaster(horizon, **{**settings, **chosen})


def plain(horizon=6, **chosen):
    settings = {"weights": "scratch", "network": PLAIN, "training": WAVES}
    return lc.LSTMForecaster(horizon, **{**settings, **chosen})


MODELS = {
    "causal": scratch,
    "plain": plain,
    "plain direct": lambda: plain(network=replace(PLAIN, horizon=6)),
    "normal": lambda: plain(network=replace(PLAIN, head="normal", horizon=6)),
    "recursive normal": lambda: plain(
        network=replace(PLAIN, head="normal", inputs=Transformed(Log1p(), Difference()))
    ),
    "whole sequence": lambda: plain(training=replace(WAVES, batching=WholeSequence())),
    "members": lambda: scratch(training=replace(SMALL, members=2)),
}


@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
class TestEveryKind:
    def test_it_forecasts_with_intervals_and_two_fits_are_one(self, make):
        model = make().fit(waves())
        forecast = model.predict()
        assert forecast.point.shape == (3, 6) and np.isfinite(forecast.quantiles).all()
        assert (np.diff(forecast.quantiles, axis=2) >= 0).all()
        assert (forecast.interval(95).upper > forecast.interval(95).lower).all()
        np.testing.assert_array_equal(
            model.fit(waves()).predict().quantiles, forecast.quantiles
        )
        assert len(model.history) >= 2 and model.trained_ends is not None

    def test_it_can_be_sent_to_another_process(self, make):
        unfitted = pickle.loads(pickle.dumps(make()))
        fitted = unfitted.fit(waves())
        assert fitted.record.initial_weights == "scratch"
        again = pickle.loads(pickle.dumps(fitted))
        np.testing.assert_array_equal(
            again.predict().quantiles, make().fit(waves()).predict().quantiles
        )

    def test_a_saved_model_forecasts_the_same_and_goes_on(self, make, tmp_path):
        data = waves()
        model = make().fit(data.until([50, 50, 50]))
        model.save(tmp_path / "model")
        loaded = lc.load(tmp_path / "model")
        np.testing.assert_array_equal(
            loaded.predict().quantiles, model.predict().quantiles
        )
        assert (
            loaded.trained_ends == model.trained_ends
            and loaded.record.initial_weights == "scratch"
        )
        assert loaded.history.frame()["train_loss"].tolist() == pytest.approx(
            model.history.frame()["train_loss"].tolist(), nan_ok=True
        )
        newer = lc.Panel.from_arrays(
            {name: data.series(i)[50:] for i, name in enumerate(data.ids)},
            frequency="MS",
            start="2019-03",
        )
        np.testing.assert_allclose(
            loaded.predict(newer).point, model.predict(data).point, rtol=1e-6
        )

    def test_the_order_of_the_series_does_not_matter(self, make):
        data = waves()
        one, other = make().fit(data), make().fit(data.select(["s2", "s0", "s1"]))
        np.testing.assert_allclose(
            one.predict(data).point, other.predict(data).point, rtol=1e-5
        )

    def test_modes_and_cutoffs(self, make):
        data = waves()
        model = make().fit(data)
        counts = np.array([[48, 54]] * 3)
        at_cutoffs = model.predict(data, cutoffs=counts)
        assert at_cutoffs.point.shape == (6, 6)
        alone = model.predict(data.until([48] * 3))
        np.testing.assert_allclose(at_cutoffs.point[::2], alone.point, rtol=1e-4)
        observed = model.predict(data, mode="one-step")
        assert observed.horizon == 1 and np.isfinite(observed.point).all()
        assert model.predict(data, 20, mode="recursive").point.shape == (3, 20)


@pytest.mark.parametrize(
    "make", [scratch, plain, lambda: lc.LSTMForecaster(6, training=SMALL)]
)
class TestFitInPlace:
    """`fit` sets what was fitted and nothing else."""

    def test_the_forecaster_itself_is_fitted_and_returned(self, make):
        model = make()
        assert model.fitted is None and model.record is None
        fitted = model.fit(waves())
        assert fitted is model and not model.needs_fit
        assert model.network is model.fitted.network
        assert model.network is not model.start.network
        assert model.saved_context.panel.ids.tolist() == ["s0", "s1", "s2"]

    def test_a_second_fit_starts_from_the_configured_weights(self, make):
        twice, once = make().fit(waves(2, 50)).fit(waves()), make().fit(waves())
        for ours, theirs in zip(
            twice.network.members, once.network.members, strict=True
        ):
            for name, array in ours.items():
                np.testing.assert_array_equal(array, theirs[name], err_msg=name)
        np.testing.assert_array_equal(
            twice.predict().quantiles, once.predict().quantiles
        )
        np.testing.assert_array_equal(twice.fitted.factors_HI, once.fitted.factors_HI)
        assert twice.trained_ends == once.trained_ends

    def test_the_specification_stays(self, make):
        model = make()
        before = (model.specification, model.training, model.transforms, model.horizon)
        model.fit(waves())
        assert before == (
            model.specification,
            model.training,
            model.transforms,
            model.horizon,
        )
        assert model == make() and hash(model) == hash(make())
        assert model.unfitted().fitted is None and model.fitted is not None
        assert model.replace(horizon=3).fitted is None


def test_a_fit_that_fails_leaves_what_was_fitted_before():
    model = scratch().fit(waves())
    before = model.fitted
    with pytest.raises(DataError, match="long enough"):
        model.fit(lc.Panel.from_arrays([1.0, 2.0, 3.0]))
    assert model.fitted is before


def test_what_was_fitted_cannot_be_changed_by_accident():
    model = lc.LSTMForecaster(6, training=SMALL).fit(waves())
    for holder, name in ((model, "horizon"), (model, "training"), (model, "network")):
        with pytest.raises(AttributeError):
            setattr(holder, name, None)
    for frozen in (model.fitted, model.record, model.specification):
        with pytest.raises(FrozenInstanceError):
            frozen.notes = ()


def test_the_former_name_of_the_record_is_taken_with_a_note():
    model = scratch().fit(waves())
    with pytest.warns(DeprecationWarning, match="now called record"):
        assert model.learned is model.record


def test_what_comes_after_the_training_part_changes_nothing_but_the_validation():
    data, model = waves(), scratch(training=replace(SMALL, validation=None, epochs=3))
    whole = model.fit(data.until([48] * 3))
    held = scratch(
        training=replace(SMALL, validation=Validation(steps=12), epochs=3)
    ).fit(data)
    assert whole.trained_ends == held.trained_ends
    losses = [part.history.columns()["train_loss"] for part in (whole, held)]
    np.testing.assert_array_equal(*losses)


def test_fine_tuning_is_never_worse_than_its_start_on_validation():
    hot = replace(
        TrainingConfig.fine_tuning(),
        epochs=1,
        steps_per_epoch=1,
        batch_size=4,
        optimiser=Optimiser(learning_rate=9.0),
    )
    model = lc.LSTMForecaster(6, training=hot).fit(waves())
    assert "2 of 2 members keep them" in " ".join(model.record.notes)
    shipped = lc.LSTMForecaster(6)
    for ours, theirs in zip(
        model.network.members, shipped.network.members, strict=True
    ):
        for name, array in ours.items():
            np.testing.assert_array_equal(array, theirs[name], err_msg=name)


def test_a_users_own_head_and_loss():
    class Twice(Point):
        name = "twice"

        def point(self, raw, location, scale, xp):
            return location + 2 * scale * raw[..., 0]

    seen = []

    def loss(point, target):
        seen.append(tuple(point.shape))
        return (point - target).abs()

    model = plain(head=Twice(), network=replace(PLAIN, horizon=6)).fit(
        waves(), loss=loss
    )
    assert seen and np.isfinite(model.predict().point).all()


def test_callbacks_are_told_and_may_stop():
    reports = []

    def stop_after_two(report):
        reports.append(report)
        return report.epoch == 2

    model = scratch(training=replace(SMALL, epochs=9)).fit(
        waves(), callbacks=[stop_after_two]
    )
    assert [report.epoch for report in reports] == [1, 2] and model.history.columns()[
        "epoch"
    ].max() == 2


def test_a_refit_uses_everything():
    model = scratch(training=replace(SMALL, refit=True)).fit(waves())
    assert {str(end)[:7] for end in model.trained_ends.values()} == {"2019-12"}
    assert model.model.held_back_from(waves()) is None


def test_backtests_fit_a_model_that_needs_it():
    tested = lc.backtest(scratch(), waves(), cutoffs=2)
    assert tested.refit == "once" and np.isfinite(tested.scores["lstmcast"]["mae"])
    fitted = scratch().fit(waves())
    with pytest.raises(UsageError, match="the end of the training data"):
        lc.backtest(fitted, waves(), cutoffs=4, refit="never")
    held_back = fitted.model.held_back_from(waves())
    assert np.isfinite(
        lc.backtest(fitted, waves(), cutoffs=held_back[:, None], refit="never").scores[
            "lstmcast"
        ]["mae"]
    )


@pytest.mark.parametrize("refit", [None, "once", "each"])
def test_backtests_fit_copies(refit):
    model, other = scratch(3), lc.LSTMForecaster(3, training=SMALL)
    lc.backtest(model, waves(1), cutoffs=2, refit=refit, baselines=[other])
    assert model.fitted is None and other.fitted is None
    before = model.fit(waves(1)).fitted
    lc.backtest(model, waves(1), cutoffs=2, refit="once", baselines=False)
    assert model.fitted is before


def test_a_backtest_goes_on_whatever_the_model_was_fitted_to_meanwhile(tmp_path):
    model, data, told = scratch(3), waves(1), []
    arguments = {
        "cutoffs": 2,
        "refit": "each",
        "baselines": False,
        "folder": tmp_path / "kept",
    }
    first = lc.backtest(model, data, **arguments)
    model.fit(data)
    again = lc.backtest(model, data, **arguments, progress=told.append)
    assert [part.kept for part in told] == [True, True]
    assert again.scores == first.scores


def test_a_model_that_was_trained_again_to_the_same_bits_is_the_same_to_a_backtest():
    one, same = (scratch().fit(waves()) for _ in range(2))
    other = scratch(seed=1).fit(waves())
    assert facts(one) == facts(same) != facts(other)


def test_a_backtest_in_several_processes_is_that_of_one():
    data, model = waves(1), scratch(3, training=replace(SMALL, epochs=1))
    given = {
        "cutoffs": 2,
        "refit": "each",
        "baselines": False,
        "fit_options": {"threads": 1},
    }
    alone, spread = (
        lc.backtest(model, data, workers=workers, **given) for workers in (None, 2)
    )
    np.testing.assert_array_equal(
        alone.forecasts["lstmcast"].quantiles, spread.forecasts["lstmcast"].quantiles
    )


def test_the_shipped_network_is_known_in_another_process():
    tuned = pickle.loads(
        pickle.dumps(lc.LSTMForecaster(3, training=replace(SMALL, epochs=1)))
    ).fit(waves(1))
    assert tuned.record.initial_weights == "pretrained"


def test_the_shipped_network_and_its_fine_tuned_self_are_compared():
    tuned = lc.LSTMForecaster(3, training=replace(SMALL, epochs=1))
    scores = lc.backtest(
        tuned, waves(1), cutoffs=1, refit="once", baselines=[lc.LSTMForecaster(3)]
    ).scores
    assert (
        list(scores) == ["lstmcast", "lstmcast (2)"]
        and scores["lstmcast"] != scores["lstmcast (2)"]
    )


def test_columns_read_together():
    t = np.arange(80)
    data = lc.Panel.from_arrays({"sin": np.sin(t / 4), "cos": np.cos(t / 4)})
    model = plain(
        network=replace(PLAIN, inputs=Transformed(MinMax(), columns=2), before=(4,))
    ).fit(data)
    forecast = model.predict(data, 5)
    assert forecast.point.shape == (2, 5)
    states = model.states(data)
    assert (
        states["sin"][0][0].shape == (80, 4)
        and states["cos"][0][0] is states["sin"][0][0]
    )


def test_article_1_in_a_few_lines():
    """Differences, min-max of inputs and labels apart, 5-4-3 units over the whole sequence."""
    inputs = Transformed(Chain((Difference(), MinMax()), apart=True))
    model = lc.LSTMForecaster(
        43,
        weights="scratch",
        network=NetworkConfig(layers=(5, 4, 3), inputs=inputs, head="point", horizon=1),
        training=TrainingConfig(
            epochs=3, batching=WholeSequence(), validation=Validation(steps=43)
        ),
    ).fit("examples/airline.csv")
    ends = next(iter(model.trained_ends.values()))
    assert str(ends)[:7] == "1957-05"
    forecast = model.predict(
        "examples/airline.csv", cutoffs=np.array([[101]]), mode="recursive"
    )
    assert (
        forecast.point.shape == (1, 43) and str(forecast.times[0, 0])[:7] == "1957-06"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"network": NetworkConfig(layers=(8,))}, "weights='scratch'"),
        ({"head": "normal"}, "weights='scratch'"),
        ({"weights": "scratch", "head": "other"}, "head='other' is not known"),
    ],
    ids=str,
)
def test_what_does_not_go_together_is_refused_at_once(arguments, message):
    with pytest.raises(UsageError, match=message):
        lc.LSTMForecaster(6, **arguments)


def formerly(*arguments, transforms, **chosen):
    """A forecaster that is given transforms as they were given before they were inputs."""
    with pytest.warns(
        DeprecationWarning, match=r"inputs: network=.*Transformed"
    ) as warned:
        model = lc.LSTMForecaster(*arguments, transforms=transforms, **chosen)
    assert warned[0].filename == __file__
    return model


class TestTransformsOfAForecaster:
    """Their former place keeps working: they go where they belong now."""

    def test_from_scratch_they_are_the_inputs_of_the_network(self):
        chosen = {"weights": "scratch", "training": WAVES}
        bare = replace(PLAIN, inputs=Transformed())
        old, new = formerly(6, transforms=Standard(), network=bare, **chosen), plain()
        assert old == new and repr(old) == repr(new) and old.to_json() == new.to_json()
        assert old.replace(seed=2) == new.replace(seed=2)
        old, new = old.fit(waves()).predict(), new.fit(waves()).predict()
        np.testing.assert_array_equal(old.quantiles, new.quantiles)
        assert (
            formerly(6, transforms=(), network=bare, **chosen).specification.network
            == bare
        )

    def test_given_weights_get_them(self):
        network = plain().fit(waves()).network
        other = network.with_inputs(Transformed(MinMax()))
        old = formerly(6, weights=network, transforms=MinMax())
        new = lc.LSTMForecaster(6, weights=other)
        assert old == new
        np.testing.assert_array_equal(
            old.predict(waves()).quantiles, new.predict(waves()).quantiles
        )

    def test_those_of_a_folder_are_its_own_unless_others_are_given(self, tmp_path):
        plain().fit(waves()).save(tmp_path)
        usual = lc.LSTMForecaster(6, weights=tmp_path)
        assert formerly(6, weights=tmp_path, transforms=Standard()) == usual
        other = formerly(6, weights=tmp_path, transforms=MinMax())
        network = usual.network.with_inputs(Transformed(MinMax()))
        assert other == lc.LSTMForecaster(6, weights=network)
        assert (
            other.training == usual.training
            and other.trained_ends == usual.trained_ends
        )
        old = json.loads(usual.to_json()) | {
            "transforms": Transformed(MinMax()).transforms.described()
        }
        assert lc.LSTMForecaster.from_json(old) == other

    def test_other_inputs_have_no_place_for_them(self):
        assert formerly(6, transforms=()) == lc.LSTMForecaster(6)
        for given, message in (
            (Difference(), "transformed inputs"),
            ("log", "not transforms"),
        ):
            with (
                pytest.warns(DeprecationWarning),
                pytest.raises(UsageError, match=message),
            ):
                lc.LSTMForecaster(6, transforms=given)


def test_nothing_is_forecast_before_the_fit():
    with pytest.raises(UsageError, match=r"starts from scratch.*fit"):
        scratch().predict(waves())
    with pytest.raises(UsageError, match="fit"):
        scratch().save("nowhere", waves())


def test_series_that_are_too_short_are_named():
    with pytest.raises(DataError, match="long enough"):
        scratch().fit(lc.Panel.from_arrays([1.0, 2.0, 3.0]))
    with pytest.raises(DataError):
        plain().fit(lc.Panel.from_arrays([1.0, 2.0, 3.0]))


def test_without_pytorch_the_extra_is_named(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"lstmcast\[train\]"):
        scratch().fit(waves())


def test_a_damaged_part_of_a_trained_model_is_noticed(tmp_path):
    plain().fit(waves()).save(tmp_path / "model")
    (tmp_path / "model" / "fitted.safetensors").unlink()
    with pytest.raises(ModelError, match=r"fitted\.safetensors"):
        lc.load(tmp_path / "model")


@pytest.mark.parametrize("lost", ["seen.ends", "is_date"])
def test_an_incomplete_part_of_a_trained_model_is_noticed(lost, tmp_path):
    plain().fit(waves()).save(tmp_path / "model")
    manifest, groups = store.load(tmp_path / "model")
    del groups["fitted"][lost]
    store.save(tmp_path / "model", manifest, groups)
    for use in (lc.load, lambda folder: lc.LSTMForecaster(6, weights=folder)):
        with pytest.raises(ModelError, match=f"incomplete.*{lost}"):
            use(tmp_path / "model")


def test_the_manifest_can_be_read_by_people(tmp_path):
    plain().fit(waves()).save(tmp_path / "model")
    manifest = json.loads((tmp_path / "model" / "manifest.json").read_text())
    assert (
        manifest["network"]["layers"] == [4]
        and manifest["training"]["batching"]["length"] == 8
    )
    assert (
        manifest["network"]["inputs"]["transforms"]["chain"]["steps"][0]["name"]
        == "standard"
        and manifest["trained"]["epochs"] == 2
    )


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        (
            lambda point, target: (point - target).abs().mean(),
            r"a tensor of shape \(\)",
        ),
        (lambda point, target: 0.5, "a float"),
    ],
    ids=["one number", "no tensor"],
)
def test_a_loss_that_is_not_of_each_value_is_refused(loss, message):
    with pytest.raises(
        UsageError, match=f"Your own loss returns {message}.*each value"
    ):
        plain().fit(waves(), loss=loss)


def test_a_network_that_does_not_fit_in_memory_is_said_to():
    huge = plain(
        network=NetworkConfig(
            layers=(2_000_000,), inputs=Transformed(), head="point", horizon=1
        )
    )
    with pytest.raises(ModelError, match="does not fit in memory"):
        huge.fit(waves())
