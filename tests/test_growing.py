"""Data that grow between two sittings of a training: what goes on, what is kept or refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import lstmcast as lc
from builders import market, waves
from lstmcast import store
from lstmcast.errors import DataError, ModelError, UsageError
from lstmcast.model.inputs import Transformed
from lstmcast.model.network import NetworkConfig
from lstmcast.training_config import (
    Optimiser,
    Schedule,
    Stateful,
    TrainingConfig,
    Validation,
    Windows,
)
from lstmcast.transforms import Difference, MinMax, Standard

pytest.importorskip("torch", reason="needs the train extra")

NETWORK = NetworkConfig(
    layers=(4,), inputs=Transformed(Difference(), MinMax()), head="point", horizon=1
)
TRAINING = TrainingConfig(
    epochs=3, batching=Windows(), optimiser=Optimiser(learning_rate=0.01), batch_size=8
)
OLD = waves().until([48] * 3)


def forecaster(epochs=3, network=NETWORK, **changes):
    training = replace(TRAINING, epochs=epochs, **changes)
    return lc.LSTMForecaster(4, weights="scratch", network=network, training=training)


def adaptive(epochs):
    return forecaster(epochs, NetworkConfig(layers=(4,)), steps_per_epoch=2)


def gone_on(tmp_path, newer, epochs=6, old=OLD, make=forecaster, **options):
    """A model that was trained for three epochs on old data, then on newer ones; and the first."""
    first = make(3).fit(old, folder=tmp_path)
    return make(epochs).fit(newer, folder=tmp_path, resume=True, **options), first


def same_weights(one, other):
    ours, theirs = one.network.members, other.network.members
    return all(
        np.array_equal(a[name], b[name])
        for a, b in zip(ours, theirs, strict=True)
        for name in a
    )


def test_a_training_goes_on_with_data_that_have_grown(tmp_path):
    told = []
    model, first = gone_on(tmp_path, waves(), callbacks=[told.append])
    assert [report.epoch for report in told] == [4, 5, 6]
    old, new = (each.history.columns() for each in (first, model))
    np.testing.assert_array_equal(new["train_loss"][:3], old["train_loss"])
    assert new["train_loss"][3] < old["train_loss"][0]  # not from fresh weights
    assert (np.diff(new["step"]) > 0).all() and new["step"][3] - new["step"][2] > old[
        "step"
    ][0]
    assert {str(end)[:7] for end in model.trained_ends.values()} == {"2019-08"}
    (note,) = (
        text for text in model.record.notes if text.startswith("continued after")
    )
    assert "after epoch 3 with more data (36 new values of 3 of 3 series)" in note
    assert "the optimiser state and the fitted transforms are kept" in note
    assert model.predict().times[0, 0] == np.datetime64("2020-01-01")


def test_transforms_keep_what_they_had_learned_and_windows_their_length(tmp_path):
    model, first = gone_on(tmp_path, waves())
    ours, theirs = (each.fitted.inputs.arrays() for each in (model, first))
    assert ours.keys() == theirs.keys()
    for name, array in ours.items():
        np.testing.assert_array_equal(array, theirs[name])
    assert model.record.training.batching == first.record.training.batching
    fresh = forecaster(6).fit(waves())
    assert fresh.record.training.batching.length > first.record.training.batching.length
    assert any(
        (fresh.fitted.inputs.arrays()[name] != ours[name]).any() for name in ours
    )


def test_the_best_weights_so_far_are_validated_on_what_is_held_back_now(tmp_path):
    hot = {
        "optimiser": Optimiser(
            learning_rate=0.01, schedule=Schedule("step", every=3, factor=0.9)
        )
    }
    model, first = gone_on(
        tmp_path, waves(), make=lambda epochs: forecaster(epochs, **hot)
    )
    rows, old = model.history.columns(), first.history.columns()
    best = int(old["epoch"][old["best"]][0])
    assert rows["validation_loss"][best - 1] != old["validation_loss"][best - 1]
    others = np.delete(np.arange(3), best - 1)
    np.testing.assert_array_equal(
        rows["validation_loss"][others], old["validation_loss"][others]
    )
    compared = [rows["validation_loss"][best - 1], *rows["validation_loss"][3:]]
    assert rows["validation_loss"][rows["best"]][0] == min(compared)


def test_weights_that_were_better_before_the_growth_are_kept(tmp_path):
    first = forecaster(3).fit(OLD, folder=tmp_path)
    manifest, groups = store.load(tmp_path / "member-0")
    wild = {name: array + 50 for name, array in groups["weights"].items()}
    store.save(tmp_path / "member-0", manifest, {**groups, "weights": wild})
    model = forecaster(4).fit(waves(), folder=tmp_path, resume=True)
    assert same_weights(model, first)
    assert model.history.columns()["best"].tolist()[-1] is False


@pytest.mark.parametrize("make", [forecaster, adaptive])
def test_new_series_may_come_and_series_may_grow_apart(tmp_path, make):
    old = waves(2).until([48, 40])
    model, first = gone_on(tmp_path, waves(3).until([48, 60, 50]), old=old, make=make)
    assert "(20 new values of 1 of 3 series, 1 new series)" in " ".join(
        model.record.notes
    )
    assert set(model.trained_ends) == {"s0", "s1", "s2"}
    assert (
        model.predict().point.shape == (3, 4)
        and np.isfinite(model.predict().point).all()
    )
    assert len(model.history) == len(first.history) + 3


def test_a_training_on_grown_data_can_be_interrupted_and_prolonged(tmp_path):
    whole, _ = gone_on(tmp_path / "whole", waves(), epochs=7)

    def interrupt(report):
        if report.epoch == 5:
            raise KeyboardInterrupt

    gone_on(tmp_path / "parts", waves(), callbacks=[interrupt])
    forecaster(6).fit(waves(), folder=tmp_path / "parts", resume=True)
    model = forecaster(7).fit(waves(), folder=tmp_path / "parts", resume=True)
    assert same_weights(model, whole)
    assert model.record.notes == whole.record.notes
    np.testing.assert_array_equal(model.predict().quantiles, whole.predict().quantiles)


def test_data_may_grow_again(tmp_path):
    gone_on(tmp_path, waves().until([54] * 3), epochs=4)
    model = forecaster(5).fit(waves(), folder=tmp_path, resume=True)
    assert (
        sum(note.startswith("continued after epoch") for note in model.record.notes)
        == 2
    )
    assert "epoch 4 with more data (18 new values" in " ".join(model.record.notes)


def test_each_member_goes_on(tmp_path):
    model, _ = gone_on(
        tmp_path, waves(), make=lambda epochs: forecaster(epochs, members=2)
    )
    assert model.history.columns()["epoch"].tolist() == [*range(1, 7)] * 2
    assert sum(note.startswith("continued after") for note in model.record.notes) in (
        1,
        2,
    )


def test_the_same_data_and_fewer_left_epochs_are_as_before(tmp_path):
    model, first = gone_on(tmp_path, OLD, epochs=3)
    assert same_weights(model, first) and model.record.notes == first.record.notes


def test_one_series_without_a_name_is_the_same_in_another_file(tmp_path):
    first, second = (tmp_path / f"until-{year}.csv" for year in (2018, 2019))
    rows = [f"{2015 + t // 12}-{t % 12 + 1:02},{t + t % 12}" for t in range(60)]
    first.write_text("\n".join(["month,sales", *rows[:48]]))
    second.write_text("\n".join(["month,sales", *rows]))
    model, _ = gone_on(tmp_path / "kept", str(second), old=str(first))
    assert "(12 new values of 1 of 1 series)" in " ".join(model.record.notes)
    assert list(model.trained_ends) == ["until-2018"]
    assert model.predict().times[0, 0] == np.datetime64("2020-01-01")


def test_nothing_is_learned_from_grown_data_without_epochs_left(tmp_path):
    with pytest.raises(
        UsageError, match=r"data have grown.* finished its 3 epochs.*epochs=6"
    ):
        gone_on(tmp_path, waves(), epochs=3)
    # nothing is lost
    assert len(forecaster(3).fit(OLD, folder=tmp_path, resume=True).history) == 3


def test_patience_begins_anew_with_grown_data(tmp_path):
    def make(epochs):
        hot = Optimiser(learning_rate=0.5)
        return forecaster(60, patience=2, optimiser=hot)

    model, first = gone_on(tmp_path, waves(), make=make)
    assert len(first.history) < 58  # the same call again, with newer data
    assert len(model.history) >= len(first.history) + 2


def test_a_state_that_is_never_reset_begins_anew_with_other_rows(tmp_path):
    stateful = {"batching": Stateful(10, reset="never"), "batch_size": 4}
    model, _ = gone_on(
        tmp_path,
        waves(3),
        old=waves(2).until([48] * 2),
        make=lambda epochs: forecaster(epochs, **stateful),
    )
    assert len(model.history) == 6


def test_windows_that_are_held_back_by_chance_are_drawn_anew(tmp_path):
    chance = {"validation": Validation(share=0.3, by="windows")}
    model, _ = gone_on(
        tmp_path, waves(), make=lambda epochs: forecaster(epochs, **chance)
    )
    assert "in the validation data were trained on before" in " ".join(
        model.record.notes
    )


def test_a_refit_of_grown_data_begins_anew(tmp_path):
    model, _ = gone_on(
        tmp_path, waves(), make=lambda epochs: forecaster(epochs, refit=True)
    )
    rows = model.history.columns()
    best = int(rows["epoch"][rows["best"]][0])
    refitted, _ = store.load(tmp_path / "refit-0")
    assert refitted["state"]["epoch"] == best and refitted["state"]["notes"] == []
    assert {str(end)[:7] for end in model.trained_ends.values()} == {"2019-12"}


@pytest.mark.parametrize(
    ("newer", "said"),
    [
        (
            lambda: waves().until([48, 48, 47]),
            r"series 's2' has 47 values, fewer than the 48 then",
        ),
        (lambda: waves(2), r"series 's2' is missing"),
        (
            lambda: lc.Panel.from_arrays(
                {name: waves().series(s)[1:] for s, name in enumerate(waves().ids)},
                frequency="MS",
                start="2015-02",
            ),
            r"series 's0' begins at another time, 2015-02-01, and 2 more",
        ),
        (
            lambda: lc.Panel.from_arrays(
                {
                    name: np.r_[waves().series(s)[:10], 1.0, waves().series(s)[11:]]
                    for s, name in enumerate(waves().ids)
                },
                frequency="MS",
                start="2015-01",
            ),
            r"series 's0' has changed values up to 2018-12-01, and 2 more",
        ),
        (
            lambda: lc.Panel.from_arrays(
                {"s0": waves().series(0)}, frequency="D", start="2015-01"
            ),
            r"their frequency is D, not MS",
        ),
    ],
)
@pytest.mark.parametrize("make", [forecaster, adaptive])
def test_data_that_changed_in_their_past_are_refused(tmp_path, make, newer, said):
    with pytest.raises(
        ModelError, match=rf"trained on other data \({said}\)\. Series may gain"
    ):
        gone_on(tmp_path, newer(), make=make)


def test_another_horizon_is_another_run(tmp_path):
    with pytest.raises(ModelError, match=r"their horizon is 6, not 4"):
        forecaster(3).fit(OLD, folder=tmp_path)
        forecaster(6).replace(horizon=6).fit(waves(), folder=tmp_path, resume=True)


def test_other_transforms_are_another_run(tmp_path):
    with pytest.raises(
        ModelError, match=r"belongs to another run: its network\.inputs"
    ):
        forecaster(3).fit(OLD, folder=tmp_path)
        other = replace(NETWORK, inputs=Transformed(Standard()))
        forecaster(6, other).fit(waves(), folder=tmp_path, resume=True)


def test_checkpoints_without_a_record_go_on_with_the_same_data_only(tmp_path):
    first = adaptive(3).fit(OLD, folder=tmp_path)
    (tmp_path / "data").rename(tmp_path / "away")
    with pytest.raises(ModelError, match="it was trained on other data"):
        adaptive(6).fit(waves(), folder=tmp_path, resume=True)
    assert same_weights(adaptive(3).fit(OLD, folder=tmp_path, resume=True), first)
    assert (tmp_path / "data").exists()


def test_a_damaged_record_is_named(tmp_path):
    forecaster(3).fit(OLD, folder=tmp_path)
    (tmp_path / "data" / "series.safetensors").write_bytes(b"")
    with pytest.raises(
        ModelError, match=r"'.*data' is damaged: series(.|\n)*start again, or leave"
    ):
        forecaster(6).fit(OLD, folder=tmp_path, resume=True)


def test_a_record_of_a_training_that_did_not_begin_is_no_past(tmp_path):
    forecaster(3).fit(OLD, folder=tmp_path)
    (tmp_path / "member-0").rename(tmp_path / "away")
    model = forecaster(3).fit(waves(), folder=tmp_path, resume=True)
    assert same_weights(model, forecaster(3).fit(waves()))


def reader_of_columns(epochs):
    inputs = Transformed(Standard(), past=["f0", "f1"])
    return forecaster(
        epochs, NetworkConfig(layers=(4,), inputs=inputs, head="point", horizon=4)
    )


def test_columns_that_are_read_grow_with_the_target(tmp_path):
    whole = market(length=60)
    model, first = gone_on(
        tmp_path, whole, old=whole.until([48]), make=reader_of_columns
    )
    assert any("12 new values" in note for note in model.record.notes)
    ours, theirs = (each.fitted.inputs.arrays() for each in (model, first))
    assert any(name.startswith("past") for name in ours)
    for name, array in ours.items():
        np.testing.assert_array_equal(array, theirs[name])


def with_a_change(panel, column):
    columns = {name: values.copy() for name, values in panel.covariates.past.items()}
    columns[column][5] += 1
    return replace(panel, covariates=replace(panel.covariates, past=columns))


def test_a_changed_past_of_a_column_is_refused_where_it_is_read(tmp_path):
    whole = market(length=60)
    with pytest.raises(ModelError, match=r"series 'p0' has changed values"):
        gone_on(
            tmp_path,
            with_a_change(whole, "f1"),
            old=whole.until([48]),
            make=reader_of_columns,
        )
    reader_of_columns(6).fit(with_a_change(whole, "f7"), folder=tmp_path, resume=True)


def test_data_without_a_column_that_is_read_are_refused(tmp_path):
    whole = market(length=60)
    without = replace(whole, covariates=replace(whole.covariates, past={}))
    with pytest.raises(DataError, match="'f0'"):
        gone_on(tmp_path, without, old=whole.until([48]), make=reader_of_columns)
