"""Fitted models in the hands of clumsy users: what does not go together is refused, and nothing
is silently wrong."""

from __future__ import annotations

import logging
from dataclasses import replace

import numpy as np
import pytest

import lstmcast as lc
from lstmcast.errors import DataError, ModelError, UsageError
from lstmcast.model.heads import Point
from lstmcast.training_config import Optimiser, TrainingConfig, Validation, Windows

pytest.importorskip("torch", reason="needs the train extra")

TREND = 100 + np.arange(60) + 20 * np.sin(np.arange(60) * np.pi / 6)
CAUSAL = TrainingConfig(
    epochs=2,
    steps_per_epoch=2,
    batch_size=8,
    batching=Windows(length=24, loss="every"),
    optimiser=Optimiser(clip=1.0),
)
SCALED = lc.Transformed(lc.Standard())
PLAIN = lc.NetworkConfig(layers=(4,), inputs=SCALED, head="point", horizon=1)
GROWING = lc.Transforms.of((lc.Difference(12), lc.Standard()))


def panel(start="2015-01", **series):
    return lc.Panel.from_arrays(
        series or {"a": TREND, "b": TREND[::-1]}, frequency="MS", start=start
    )


def causal(**chosen):
    settings = {
        "weights": "scratch",
        "network": lc.NetworkConfig(layers=(4,)),
        "training": CAUSAL,
    }
    return lc.LSTMForecaster(6, **settings | chosen)


def plain(**chosen):
    training = TrainingConfig(epochs=2, batching=Windows(length=8))
    settings = {"weights": "scratch", "network": PLAIN, "training": training}
    return lc.LSTMForecaster(6, **settings | chosen)


def reading(*steps, **chosen):
    """`plain` with other transforms."""
    return plain(network=replace(PLAIN, inputs=lc.Transformed(*steps), **chosen))


class Half(Point):
    name = "half"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: lc.Optimiser("adam", momentum=0.9),
            r"Optimiser\('adam', momentum=0.9\): momentum is of",
        ),
        (
            lambda: lc.Optimiser("sgd", betas=(0.5, 0.9)),
            "betas is of 'adam' and 'adamw' only. Leave it out",
        ),
        (
            lambda: lc.Schedule("cosine", warmup=0.5),
            "warmup is of 'warmup_cosine' only",
        ),
        (lambda: lc.Schedule(every=3), "every is of 'step' and 'plateau' only"),
        (
            lambda: TrainingConfig(loss=lc.Loss("mse", level=0.9)),
            "level is of 'pinball' only",
        ),
        (
            lambda: replace(PLAIN, activation="relu"),
            "activation='relu' is for dense layers",
        ),
        (lambda: replace(PLAIN, residual=True), "needs layers of equal width"),
        (lambda: lc.Adaptive(window=1), r"Adaptive\(window=1\)"),
        (lambda: lc.Transformed(columns=0), "columns=0 must be a whole number"),
        (lambda: lc.NetworkConfig(inputs=lc.Standard()), "are not inputs"),
        (
            lambda: lc.LSTMForecaster(6, head=Half()),
            "the shipped network has a head of its own",
        ),
        (
            lambda: lc.SaveBest("x", name="mine{epoch}", only=True),
            "only=True keeps one forecaster",
        ),
        (lambda: lc.SaveBest("x", name=5, only=True), "name=5 is not a valid name"),
        (lambda: lc.SaveBest(5), "5 is not a path"),
        (lambda: lc.SaveEvery(None), "None is not a path"),
        (lambda: lc.PrintTable("log.txt"), "stream='log.txt' cannot be written to"),
        (lambda: lc.Stream("x", ["a"]), "'x' cannot be streamed"),
        (
            lambda: lc.Stream(PLAIN, ["a"], learning=True),
            "learning=True is not a setting of learning",
        ),
        (lambda: lc.Stream(PLAIN, ["a"], seed=-1), "at least 0, got -1"),
    ],
)
def test_settings_that_would_do_nothing_are_refused(make, message):
    with pytest.raises(UsageError, match=message):
        make()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"callbacks": [lc.PrintTable]},
            r"\['PrintTable'\] are classes: objects of them are expected",
        ),
        ({"folder": 5}, "5 is not a path"),
        ({"threads": True}, "at least 1, got True"),
    ],
)
def test_arguments_of_fit_of_another_kind(arguments, message):
    with pytest.raises(UsageError, match=message):
        plain().fit(panel(), **arguments)


def test_of_two_losses_one_is_refused():
    model = plain(
        training=TrainingConfig(epochs=1, batching=Windows(length=8), loss="mae")
    )
    with pytest.raises(UsageError, match="only one can be minimised"):
        model.fit(panel(), loss=lambda point, target: (point - target) ** 2)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"batching": Windows(24, stride=10)},
            r"Windows\(stride=10\) is for transformed inputs",
        ),
        (
            {"batching": Windows(24, shuffle=False)},
            r"Windows\(shuffle=False\) is for transformed inputs",
        ),
        (
            {"validation": Validation(share=0.3, by="windows")},
            "by='windows'.* is for transformed inputs",
        ),
    ],
)
def test_windows_of_causal_inputs_end_at_random(changes, message):
    with pytest.raises(UsageError, match=message):
        causal(training=replace(CAUSAL, **changes)).fit(panel())


def test_intervals_that_were_not_measured_are_said(tmp_path):
    noted = "no end of a series was held back to measure intervals"
    for validation, said in (
        (Validation(), False),
        (None, True),
        (Validation(share=0.3, by="windows"), True),
    ):
        training = TrainingConfig(
            epochs=1, batching=Windows(length=8), validation=validation
        )
        notes = plain(training=training).fit(panel()).record.notes
        assert any(noted in note for note in notes) == said


def test_transforms_of_series_that_are_not_there_are_said():
    transforms = lc.Transforms(
        lc.Chain((lc.Standard(),)),
        {"b": lc.Chain(), "airlnie": lc.Chain((lc.Log1p(),))},
    )
    notes = reading(transforms).fit(panel()).record.notes
    assert (
        "transforms are given for series that the data do not have: 'airlnie'" in notes
    )


def test_a_head_for_a_network_that_has_another_is_refused(tmp_path):
    model = plain().fit(panel())
    model.save(tmp_path / "model")
    for use in (
        lambda: lc.load(tmp_path / "model", head=Half()),
        lambda: lc.LSTMForecaster(6, weights=model.network, head=Half()),
        lambda: lc.LSTMForecaster(6, weights=tmp_path / "model", head=Half()),
        lambda: lc.Stream(model.network, ["a"], head=Half()),
    ):
        with pytest.raises(
            UsageError, match="is named 'half', and the network's head is 'point'"
        ):
            use()


def test_what_a_network_reads_before_it_forecasts_does_not_hang_on_how_it_is_to_be_trained(
    tmp_path,
):
    training = TrainingConfig(epochs=2, batching=Windows(length=6))
    model = plain(training=training).fit(
        panel(), callbacks=[lc.SaveBest(tmp_path / "networks", only=True)]
    )
    model.save(tmp_path / "model")
    usual = lc.LSTMForecaster(6, weights=tmp_path / "model").predict(panel()).point
    other = lc.LSTMForecaster(
        6, weights=tmp_path / "model", training=TrainingConfig(epochs=5)
    )
    np.testing.assert_array_equal(other.predict(panel()).point, usual)
    other.save(tmp_path / "other", panel())
    np.testing.assert_array_equal(lc.load(tmp_path / "other").predict().point, usual)
    best = lc.LSTMForecaster(6, weights=tmp_path / "networks" / "best")
    np.testing.assert_array_equal(best.predict(panel()).point, usual)


def test_one_step_ahead_is_no_longer_forecast():
    with pytest.raises(
        UsageError, match="one step ahead: horizon=24 has no effect in it"
    ):
        causal().fit(panel()).predict(horizon=24, mode="one-step")


def test_the_progress_line_follows_a_refit_and_other_callbacks_do_not(capsys):
    told = []
    training = TrainingConfig(epochs=2, batching=Windows(length=8), refit=True)
    plain(training=training).fit(
        panel(), callbacks=[lc.ProgressLine(), lambda report: told.append(report.refit)]
    )
    err = capsys.readouterr().err
    assert told == [False, False] and "on everything, epoch " in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"weights": None}, "are not weights"),
        ({"weights": 3}, "are not weights"),
        ({"network": (32,)}, r"NetworkConfig\(layers"),
        ({"network": {"layers": (32,)}}, r"NetworkConfig\(layers"),
        ({"training": {"epochs": 3}}, r"TrainingConfig\(epochs"),
        ({"head": 3}, "lacks name"),
        ({"head": Half}, "class"),
        ({"seed": -1}, "at least 0, got -1"),
        ({"seed": 1.5}, "at least 0, got 1.5"),
        ({"seed": "x"}, "at least 0, got 'x'"),
    ],
    ids=str,
)
def test_arguments_of_another_kind_are_named(arguments, message):
    with pytest.raises(UsageError, match=message):
        causal(**arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"threads": -1}, "at least 1, got -1"),
        ({"threads": 0}, "at least 1, got 0"),
        ({"threads": "2"}, "at least 1, got '2'"),
        ({"callbacks": [3]}, "callbacks"),
        ({"callbacks": print}, "A list of functions"),
        ({"loss": "mse"}, r"TrainingConfig\(loss='mse'\)"),
        ({"resume": True}, "folder="),
        ({"device": "mps"}, "'cpu' or 'cuda'"),
    ],
    ids=str,
)
def test_arguments_of_fit_are_looked_at_first(arguments, message):
    with pytest.raises(UsageError, match=message):
        causal().fit(panel(), **arguments)


def test_members_are_those_of_the_weights():
    with pytest.raises(UsageError, match="have 2 members"):
        lc.LSTMForecaster(6, training=replace(TrainingConfig.fine_tuning(), members=3))
    assert (
        lc.LSTMForecaster(
            6, training=replace(TrainingConfig.fine_tuning(), members=2)
        ).training.members
        == 2
    )


@pytest.mark.parametrize("head", ["quantiles", "normal"])
def test_quantiles_that_would_be_added_up_are_refused_before_training(head):
    with pytest.raises(UsageError, match="sums of quantiles"):
        reading(lc.Difference(), head=head, horizon=6)
    reading(lc.Difference(6), head=head, horizon=6)


class TestMemory:
    """A fitted or saved model forecasts from what it remembers what it forecasts from the whole
    data."""

    @pytest.mark.parametrize(
        "transforms",
        [lc.Standard(), lc.Difference(), GROWING],
        ids=["scaled", "lag", "season"],
    )
    @pytest.mark.parametrize(
        "unknown", [slice(50, 60), slice(44, 52)], ids=["at the end", "within"]
    )
    def test_missing_values_are_read_across(self, transforms, unknown):
        values = TREND.copy()
        values[unknown] = np.nan
        data = panel(a=values)
        fitted = reading(transforms).fit(data)
        remembered = fitted.predict()
        fitted.fitted = replace(fitted.fitted, saved_context=None)
        np.testing.assert_array_equal(
            remembered.quantiles, fitted.predict(data).quantiles
        )
        assert np.isfinite(remembered.quantiles).all()

    @pytest.mark.parametrize(
        "transforms",
        [lc.Standard(), lc.Difference(), GROWING],
        ids=["scaled", "lag", "season"],
    )
    @pytest.mark.parametrize("gap", [1, 3, 7])
    def test_steps_missing_before_newer_data_are_read_across(
        self, transforms, gap, tmp_path
    ):
        fitted = reading(transforms).fit(panel(a=TREND[:45]))
        fitted.save(tmp_path / "model")
        loaded = lc.load(tmp_path / "model")
        values = TREND.copy()
        values[45 : 45 + gap] = np.nan
        start = str(panel(a=TREND).times(0)[45 + gap])[:7]
        went_on = loaded.predict(panel(start, a=TREND[45 + gap :]))
        fitted.fitted = replace(fitted.fitted, saved_context=None)
        np.testing.assert_array_equal(
            went_on.quantiles, fitted.predict(panel(a=values)).quantiles
        )

    def test_transforms_that_were_not_fitted_need_all_of_the_data(self, tmp_path):
        network = plain().fit(panel()).network
        batching = TrainingConfig(batching=Windows(length=8))
        given = lc.LSTMForecaster(6, weights=network, training=batching)
        given.save(tmp_path / "model", panel())
        np.testing.assert_array_equal(
            lc.load(tmp_path / "model").predict().point, given.predict(panel()).point
        )


class TestSeriesThatCannotBeForecast:
    @pytest.mark.parametrize("transforms", [(), lc.Standard()], ids=["none", "scaled"])
    def test_a_series_without_values_has_no_forecast(self, transforms, caplog):
        fitted = reading(transforms).fit(panel(a=TREND, void=np.full(60, np.nan)))
        with caplog.at_level(logging.WARNING, "lstmcast"):
            forecast = fitted.predict()
        assert (
            np.isfinite(forecast.quantiles[0]).all()
            and np.isnan(forecast.quantiles[1]).all()
        )
        assert "1 of 2 series ('void'): 1 known value is needed" in caplog.text

    def test_a_series_shorter_than_a_lag_is_named(self, caplog):
        fitted = reading(GROWING).fit(panel(a=TREND, short=TREND[:4]))
        with caplog.at_level(logging.WARNING, "lstmcast"):
            forecast = fitted.predict()
        assert (
            np.isfinite(forecast.point[0]).all() and np.isnan(forecast.point[1]).all()
        )
        assert "'short'): 13 known values are needed" in caplog.text


def test_values_that_32_bits_cannot_hold_are_refused():
    huge = panel(a=TREND, wild=TREND * 1e95)
    with pytest.raises(DataError, match=r"'wild'.*Standard"):
        reading().fit(huge)
    with pytest.raises(DataError, match=r"'wild'.*Standard"):
        reading().fit(panel()).predict(huge)
    assert np.isfinite(plain().fit(huge).predict().quantiles).all()


def test_columns_that_are_read_together_keep_their_order():
    fitted = plain(
        network=replace(PLAIN, inputs=lc.Transformed(lc.Standard(), columns=2))
    ).fit(panel())
    with pytest.raises(
        DataError, match=r"columns a, b together.*select\(\['a', 'b'\]\)"
    ):
        fitted.predict(panel().select(["b", "a"]))
    others = panel(x=TREND, y=TREND[::-1])
    np.testing.assert_allclose(
        fitted.predict(others).point, fitted.predict(panel()).point, rtol=0.2
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("seen") / "model"
    causal().fit(panel()).save(folder)
    return folder


class TestWeightsThatHaveSeenTheData:
    """What was trained on the future may not be judged on it, however the weights came here."""

    @pytest.mark.parametrize("refit", [None, "never", "once", "each"])
    def test_backtests_are_refused(self, folder, refit):
        for model in (
            lc.load(folder),
            lc.LSTMForecaster(6, weights=folder, training=CAUSAL),
        ):
            with pytest.raises(UsageError, match=r"(have|has) seen"):
                lc.backtest(
                    model, panel(), horizon=6, cutoffs=2, refit=refit, baselines=False
                )

    def test_they_may_go_on_with_newer_data_and_remember_both(self, folder, tmp_path):
        newer = panel(a=np.append(TREND, TREND + 60), c=TREND)
        fitted = lc.LSTMForecaster(6, weights=folder, training=CAUSAL).fit(newer)
        assert not fitted.record.notes or "seen" not in " ".join(fitted.record.notes)
        fitted.save(tmp_path / "next")
        known = {
            name: str(end)[:7]
            for name, end in lc.load(tmp_path / "next").trained_ends.items()
        }
        assert known == {"a": "2024-06", "b": "2019-06", "c": "2019-06"}

    def test_validation_on_what_was_seen_is_said(self, folder):
        again = lc.LSTMForecaster(
            6, weights=folder, training=replace(CAUSAL, validation=Validation(steps=20))
        )
        assert "2 of 2 series" in " ".join(again.fit(panel()).record.notes)

    def test_other_series_are_free(self, folder):
        tested = lc.backtest(
            lc.load(folder),
            panel(other=TREND),
            cutoffs=2,
            refit="never",
            baselines=False,
        )
        assert np.isfinite(tested.scores["lstmcast"]["mae"])


def test_transforms_and_batching_come_with_the_weights_of_a_folder(tmp_path):
    fitted = lc.LSTMForecaster(
        6,
        weights="scratch",
        network=replace(PLAIN, inputs=lc.Transformed(lc.Log1p(), lc.Standard())),
        training=TrainingConfig(epochs=2, batching=lc.Windows(9, loss="every")),
    ).fit(panel())
    fitted.save(tmp_path / "mine")
    again = lc.LSTMForecaster(6, weights=tmp_path / "mine")
    assert (
        again.transforms == fitted.transforms
        and again.training.batching == fitted.record.training.batching
    )
    assert again.training.epochs == TrainingConfig.transformed().epochs
    np.testing.assert_allclose(
        again.predict(panel()).point, fitted.predict(panel()).point, rtol=0.2
    )
    other = lc.LSTMForecaster(
        6,
        weights=fitted.network.with_inputs(lc.Transformed(lc.MinMax())),
        training=TrainingConfig(),
    )
    assert other.transforms != fitted.transforms and other.training == TrainingConfig()


def test_a_fitted_model_forecasts_what_it_was_fitted_to_as_if_it_were_given_it(
    tmp_path,
):
    fitted, cutoffs = plain().fit(panel()), np.array([[10, 40], [20, 54]])
    for chosen in ({"mode": "one-step"}, {"cutoffs": cutoffs}, {}):
        remembered, given = fitted.predict(**chosen), fitted.predict(panel(), **chosen)
        np.testing.assert_array_equal(remembered.times, given.times)
        np.testing.assert_array_equal(remembered.quantiles, given.quantiles)
    fitted.save(tmp_path / "m")
    loaded = lc.load(tmp_path / "m")
    assert len(loaded.saved_context.panel.values) < len(panel().values)
    np.testing.assert_array_equal(
        loaded.predict().quantiles, fitted.predict().quantiles
    )


def test_the_seed_is_saved(tmp_path):
    causal(seed=7).fit(panel()).save(tmp_path / "model")
    assert lc.load(tmp_path / "model").seed == 7


def test_another_frequency_is_refused_and_new_series_start_afresh(caplog):
    fitted = causal().fit(panel())
    with pytest.raises(ModelError, match="daily"):
        fitted.predict(
            lc.Panel.from_arrays({"a": TREND}, frequency="D", start="2020-01-01")
        )
    with caplog.at_level(logging.INFO, "lstmcast"):
        forecast = fitted.predict(panel("2020-01", a=TREND[:3], c=TREND))
    assert "'a': continued" in caplog.text
    assert "'c': started from scratch, they are new" in caplog.text
    np.testing.assert_allclose(
        forecast.point[1],
        causal().fit(panel()).predict(panel("2020-01", c=TREND)).point[0],
    )


@pytest.mark.parametrize("rate, failed", [(1e6, True), (0.01, False)])
def test_a_training_that_failed_says_so(rate, failed):
    optimiser = lc.Optimiser(learning_rate=rate)
    training = TrainingConfig(
        epochs=20, batching=Windows(length=8), optimiser=optimiser
    )
    network = replace(PLAIN, inputs=lc.Transformed(lc.Standard()))
    fitted = plain(network=network, training=training).fit(panel())
    assert (
        any("the training has failed" in note for note in fitted.record.notes) == failed
    )
