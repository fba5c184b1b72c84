"""Article 3: tables, pictures, snapshots that are read back, a run that goes on, and the error
aimed at."""

from __future__ import annotations

import csv
from dataclasses import replace

import numpy as np
import pytest

import lstmcast as lc
from example_runs import Listening, undrawn
from lstmcast.articles.runs import ExampleRun

pytest.importorskip("torch", reason="needs the train extra")

from lstmcast.articles import sine_cosine
from lstmcast.training.callbacks import SaveEvery
from lstmcast.training_config import Rollout


def small(epochs=20):
    """Our own with four units, trained for a moment."""
    forecaster = sine_cosine.our_own(0)
    return lc.LSTMForecaster(
        forecaster.horizon,
        weights="scratch",
        network=replace(forecaster.config, layers=(4,)),
        training=replace(forecaster.training, epochs=epochs, steps_per_epoch=1),
    )


def read(path):
    with open(path, encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    return {
        name: np.array([float(row[name] or "nan") for row in rows]) for name in rows[0]
    }


@pytest.fixture(scope="module")
def short_run(tmp_path_factory):
    to = Listening(tmp_path_factory.mktemp("sine-cosine"), quiet=True)
    return to, sine_cosine.train_and_judge(to, small(), sine_cosine.OURS)


def test_what_a_run_leaves_behind(short_run):
    to, measures = short_run
    pictures = {
        "series",
        "errors",
        "errors-of-snapshots",
        "prediction",
        "learning-curve",
    }
    assert {path.stem for path in to.folder.glob("*.png")} == pictures
    assert {path.name for path in (to.folder / "snapshots").iterdir()} == {
        "snapshot0010",
        "snapshot0020",
    }
    assert [row.measure for row in measures] == [
        f"RMSE of 20 steps fed back, {after}, {name}"
        for name in ("total", "sine", "cosine")
        for after in ("after 10 observed steps", "after one observed step")
    ]


def test_every_update_has_a_line_in_the_log_of_losses(short_run):
    to, _ = short_run
    with open(to.folder / "updates.csv", encoding="utf-8", newline="") as lines:
        updates = list(csv.DictReader(lines))
    # one in each epoch
    assert [int(row["update"]) for row in updates] == list(range(1, 21))
    assert all(float(row["train_loss"]) > 0 for row in updates)
    assert (
        len((to.folder / "history.csv").read_text(encoding="utf-8").splitlines()) == 21
    )


def test_one_row_for_each_horizon_and_a_column_for_each_variable(short_run):
    to, measures = short_run
    for observed, measure in ((10, measures[0]), (1, measures[1])):
        errors = read(to.folder / f"errors-after-{observed}.csv")
        assert list(errors) == ["horizon", "sine", "cosine", "total"]
        np.testing.assert_array_equal(errors["horizon"], np.arange(1, 21))
        np.testing.assert_allclose(
            errors["total"] ** 2, (errors["sine"] ** 2 + errors["cosine"] ** 2) / 2
        )
        assert measure.value == pytest.approx(np.sqrt(np.mean(errors["total"] ** 2)))


def test_snapshots_are_read_back(short_run):
    to, _ = short_run
    of_snapshots = read(to.folder / "errors-of-snapshots.csv")
    assert list(of_snapshots) == ["horizon", "snapshot0010", "snapshot0020"]
    # the last snapshot is the model
    np.testing.assert_allclose(
        of_snapshots["snapshot0020"],
        read(to.folder / "errors-after-10.csv")["total"],
        rtol=1e-6,
    )
    assert abs(of_snapshots["snapshot0010"] - of_snapshots["snapshot0020"]).max() > 1e-4


@pytest.mark.parametrize(("observed", "offsets"), [(1, 28), (10, 19)])
def test_each_row_of_the_errors_is_a_free_run_after_the_observed_steps(
    short_run, observed, offsets
):
    to, _ = short_run
    model, panel = lc.load(to.folder / "model"), sine_cosine.data()
    runs = []
    for begin in range(150, 150 + offsets):
        known = sine_cosine.steps_of(panel, begin, begin + observed)
        free = model.predict(known, 20, mode="recursive").point
        first = begin + observed
        truth = np.stack([panel.series(s)[first : first + 20] for s in (0, 1)])
        runs.append(free - truth)
    expected = np.sqrt(np.mean(np.square(runs), axis=0))
    errors = read(to.folder / f"errors-after-{observed}.csv")
    np.testing.assert_allclose([errors["sine"], errors["cosine"]], expected, rtol=1e-5)


def test_predictions_use_the_truth_while_there_is_truth(short_run):
    to, _ = short_run
    model, panel = lc.load(to.folder / "model"), sine_cosine.data()
    table = sine_cosine.predict(model, panel, begin=100, observed=4, steps=8)
    np.testing.assert_array_equal(table["step"], np.arange(101, 109))
    for s, name in enumerate(("sine", "cosine")):
        np.testing.assert_array_equal(table[f"{name} true"], panel.series(s)[101:109])
    values = np.stack([panel.series(s)[100:104] for s in (0, 1)])
    for k in range(8):  # by hand, one step at a time
        seen = values[:, : k + 1]
        named = lc.Panel.from_arrays({"sine": seen[0], "cosine": seen[1]})
        following = model.predict(named, 1).point[:, 0]
        predicted = [table[f"{name} predicted"][k] for name in ("sine", "cosine")]
        np.testing.assert_allclose(following, predicted, rtol=1e-5, atol=1e-6)
        if k >= 3:
            values = np.column_stack([values, following])


def test_predictions_go_on_past_the_end_of_the_data(short_run):
    to, _ = short_run
    for observed in (1, 26):
        table = read(to.folder / f"prediction-after-{observed}.csv")
        assert table["step"].tolist() == list(range(161, 211))
        for name in ("sine", "cosine"):
            assert np.isfinite(table[f"{name} predicted"]).all()
            assert np.isfinite(table[f"{name} true"]).sum() == 39


def test_a_run_that_was_interrupted_goes_on(short_run, tmp_path, monkeypatch):
    class Impatient(SaveEvery):
        def __call__(self, report):
            super().__call__(report)
            if report.epoch == 13:
                raise KeyboardInterrupt

    monkeypatch.setattr(sine_cosine, "SaveEvery", Impatient)
    monkeypatch.setattr("lstmcast.training.checkpoint.EVERY", 0.0)
    with pytest.raises(KeyboardInterrupt):
        sine_cosine.train_and_judge(
            ExampleRun(tmp_path, quiet=True), small(), sine_cosine.OURS
        )
    assert not (tmp_path / "errors-after-1.csv").exists()
    monkeypatch.undo()
    to = ExampleRun(tmp_path, quiet=True)
    assert to.resumed
    with undrawn():
        sine_cosine.train_and_judge(to, small(), sine_cosine.OURS)
    whole, _ = short_run
    for name in ("errors-after-1.csv", "errors-of-snapshots.csv", "updates.csv"):
        assert (tmp_path / name).read_bytes() == (whole.folder / name).read_bytes()


def test_as_in_the_article():
    forecaster = sine_cosine.as_in_the_article(0)
    network, training = forecaster.config, forecaster.training
    assert (
        network.before,
        network.layers,
        network.inputs.columns,
        network.activation,
    ) == (
        (100,),
        (100,),
        2,
        "linear",
    )
    assert training.batching == Rollout(length=10, support=10) and (
        training.batch_size,
        training.epochs,
    ) == (10, 100)
    assert training.optimiser.name == "adam" and training.initialiser == "chainer"
    assert training.steps_per_epoch == 15  # 150 rows, ten in each update
    panel = sine_cosine.data()
    assert panel.lengths.tolist() == [200, 200] and abs(panel.values).max() == 0.8


def test_pictures_in_japanese_have_a_word_for_everything(short_run):
    to, _ = short_run
    assert to.asked == set(sine_cosine.JAPANESE)


def test_a_readers_own_columns_go_through_the_same_system(tmp_path):
    steps = np.arange(160)
    own = lc.Panel.from_arrays({"a": np.sin(steps / 6), "b": np.cos(steps / 6)})
    to = ExampleRun(tmp_path, quiet=True, own=own)
    with undrawn():
        sine_cosine.train_and_judge(to, small(epochs=10), sine_cosine.OURS)
    assert list(read(tmp_path / "errors-after-1.csv")) == ["horizon", "a", "b", "total"]
    table = read(tmp_path / "prediction-after-1.csv")
    assert table["step"][0] == 121 and np.isfinite(table["a true"]).sum() == 39


@pytest.mark.slow
def test_errors_aimed_at(tmp_path):
    with undrawn():
        measures = sine_cosine.run(
            ExampleRun(tmp_path, quiet=True), faithful=False, seed=0
        )
    assert measures[0].value <= 0.01 and measures[1].value <= 0.06
