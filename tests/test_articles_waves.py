"""Article 2: what it leaves behind, that nothing of the truth is seen by a free run, and the
errors aimed at."""

from __future__ import annotations

import csv
from dataclasses import replace

import numpy as np
import pytest

import lstmcast as lc
from example_runs import Listening, undrawn
from lstmcast.articles.runs import ExampleRun

pytest.importorskip("torch", reason="needs the train extra")

from lstmcast.articles import waves
from lstmcast.model.lstm import Cell
from lstmcast.training.callbacks import SaveBest
from lstmcast.training_config import Initialiser, Rollout, Windows


def small(forecaster, **training):
    """The same with four units, and trained for a moment."""
    network = replace(forecaster.config, layers=(4,))
    return lc.LSTMForecaster(
        forecaster.horizon,
        weights="scratch",
        network=network,
        training=replace(forecaster.training, **training),
    )


def read(path):
    with open(path, encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    return {name: np.array([float(row[name]) for row in rows]) for name in rows[0]}


@pytest.fixture(scope="module")
def short_run(tmp_path_factory):
    to = Listening(tmp_path_factory.mktemp("sine"), quiet=True)
    forecaster = small(waves.our_own(0), epochs=2, steps_per_epoch=2)
    return to, waves.run(to, "sine", forecaster, [SaveBest(to.folder / "improvements")])


def test_what_a_run_leaves_behind(short_run):
    to, measures = short_run
    assert [row.measure for row in measures] == [
        "RMSE of 200 steps fed back",
        "RMSE of the last 50 of them",
        "best epoch",
        "epochs trained",
    ]
    assert {path.name for path in to.folder.glob("*.png")} == {
        "series.png",
        "free-run.png",
        "learning-curve.png",
    }
    table = read(to.folder / "free-run.csv")
    assert list(table) == ["step", "true", "predicted"]
    error = table["predicted"] - table["true"]
    assert len(error) == 200 and measures[0].value == pytest.approx(
        np.sqrt(np.mean(error**2))
    )
    assert measures[1].value == pytest.approx(np.sqrt(np.mean(error[-50:] ** 2)))
    log = (to.folder / "log.txt").read_text(encoding="utf-8")
    assert "lstm 0" in log and "train loss" in log


def test_improvements_carry_epoch_and_losses_in_their_names(short_run):
    to, measures = short_run
    names = sorted(path.name for path in (to.folder / "improvements").iterdir())
    assert names and all(
        name.startswith("model00") and "-loss" in name and "-vloss" in name
        for name in names
    )
    assert names[-1].startswith(f"model{int(measures[2].value):03d}")


def test_the_saved_model_goes_on_with_the_wave(short_run):
    to, _ = short_run
    again = lc.load(to.folder / "model").predict(horizon=200, mode="recursive").point[0]
    np.testing.assert_allclose(
        again, read(to.folder / "free-run.csv")["predicted"], rtol=1e-5, atol=1e-6
    )


def test_the_truth_of_the_table_continues_the_data(short_run):
    to, _ = short_run
    true = read(to.folder / "free-run.csv")["true"]
    # 50 whole cycles lie behind
    np.testing.assert_allclose(true[:80], waves.data("sine").values[:80], atol=1e-9)


def test_the_second_exercise_prints_its_first_100_predictions(tmp_path):
    to = ExampleRun(tmp_path, quiet=True)
    with undrawn():
        waves.run(to, "beats", small(waves.our_own(0), epochs=1, steps_per_epoch=1))
    first, whole = read(tmp_path / "first-100.csv"), read(tmp_path / "free-run.csv")
    assert len(first["step"]) == 100
    np.testing.assert_array_equal(first["predicted"], whole["predicted"][:100])
    lines = (tmp_path / "log.txt").read_text(encoding="utf-8").splitlines()
    begin = lines.index("the first 100 predictions") + 1
    printed = np.array([line.split() for line in lines[begin : begin + 10]], float)
    np.testing.assert_allclose(printed.ravel(), first["predicted"], atol=1e-4)


def test_a_readers_own_series_goes_through_the_same_system(tmp_path):
    own = lc.Panel.from_arrays({"own": np.arange(700) % 7.0})
    to = ExampleRun(tmp_path, quiet=True, own=own)
    with undrawn():
        waves.run(to, "sine", small(waves.our_own(0), epochs=1, steps_per_epoch=1))
    np.testing.assert_array_equal(
        read(tmp_path / "free-run.csv")["true"], np.arange(500, 700) % 7
    )
    assert lc.load(tmp_path / "model").predict(horizon=1).times[0, 0] == 501


def test_data_of_the_article():
    sine, beats = waves.data("sine"), waves.data("beats")
    assert sine.lengths.tolist() == [4000] and beats.lengths.tolist() == [16000]
    assert abs(sine.values).max() == 1.0 and 7.5 < abs(beats.values).max() <= 8.0
    np.testing.assert_allclose(beats.values[:80], beats.values[80:160], atol=1e-9)


def test_as_in_the_article():
    forecaster = waves.as_in_the_article(0)
    training = forecaster.training
    assert (
        forecaster.config.layers == (300,)
        and forecaster.config.head == "point"
        and forecaster.config.horizon == 1
    )
    assert forecaster.config.cell == Cell(recurrent_activation="hard_sigmoid")
    assert training.batching == Windows(80, loss="last", shuffle="once")
    assert (training.batch_size, training.epochs) == (256, 1000)
    assert (training.validation.share, training.validation.by, training.patience) == (
        0.3,
        "windows",
        20,
    )
    start = training.initialiser
    assert start == Initialiser(bias=start.bias, forget_bias=start.bias)
    # np.random.seed(0), first draw / 10
    assert start.bias == pytest.approx(0.0549, abs=5e-5)
    assert waves.as_in_the_article(1).training.initialiser != training.initialiser
    assert isinstance(waves.our_own(0).training.batching, Rollout)


def test_faithful_free_runs_read_the_80_newest_values_of_which_some_are_their_own(
    tmp_path,
):
    to = ExampleRun(tmp_path, quiet=True)
    forecaster = small(waves.as_in_the_article(0), epochs=1, batch_size=2000)
    saving = SaveBest(to.saved_networks("improvements"))
    with undrawn():
        measures = waves.run(to, "sine", forecaster, [saving])
    assert (
        measures[3].value == 1 and len(list((tmp_path / "improvements").iterdir())) == 1
    )
    fitted = lc.load(tmp_path / "model")
    values = waves.data("sine").values
    for _ in range(3):  # one step at a time, from the window alone
        step = lc.LSTMForecaster(
            1, weights=fitted.network, training=forecaster.training
        )
        newest = step.predict(lc.Panel.from_arrays(values[-80:])).point[0, 0]
        values = np.append(values, newest)
    np.testing.assert_allclose(
        values[-3:],
        read(tmp_path / "free-run.csv")["predicted"][:3],
        rtol=1e-5,
        atol=1e-6,
    )


def test_pictures_in_japanese_have_a_word_for_everything(short_run):
    to, _ = short_run
    assert to.asked == set(waves.JAPANESE)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "goal"), [("sine", 0.006), ("beats", 0.04)])
def test_errors_aimed_at(tmp_path, name, goal):
    with undrawn():
        measures = waves.run(
            ExampleRun(tmp_path, quiet=True), name, waves.our_own(0, name)
        )
    assert measures[0].value <= goal
