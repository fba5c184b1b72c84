"""Article 1: its pairs, its scaling, its two kinds of prediction, and the numbers to reach."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import lstmcast as lc
from lstmcast import articles, windows
from lstmcast.articles import airline
from lstmcast.articles.airline import HELD_BACK, INPUTS, TRAINING, Choice, held_back, own_choices
from lstmcast.articles.airline_pictures import JAPANESE, Scaled
from lstmcast.articles.runs import ExampleRun
from lstmcast.data.examples import airline as passengers

pytest.importorskip("torch")
ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared" / "data" / "international-airline-passengers.csv"
X = passengers().values
D = np.diff(X)


def learning_data():
    ends = TRAINING.validation.training_ends(passengers().lengths, 1)
    return INPUTS.data(passengers(), ends)[0]


def quick(monkeypatch, epochs: int = 3) -> None:
    monkeypatch.setattr(airline, "TRAINING", replace(TRAINING, epochs=epochs))
    monkeypatch.setattr(
        airline,
        "own_choices",
        lambda panel: {
            name: Choice(choice.inputs, 4, choice.window, epochs)
            for name, choice in own_choices(panel).items()
        },
    )


# The article's arithmetic


def test_the_split_is_99_and_43_pairs():
    parts = windows.split_of(learning_data())
    train, back = windows.whole(parts), windows.validation_whole(parts, fresh_state=True)
    assert (train.lengths.tolist(), back.lengths.tolist()) == ([99], [43])
    # D(i) stands at step i + 1: inputs D(0)…D(98) and D(99)…D(141), the last label is D(142)
    assert (train.first.tolist(), back.first.tolist(), back.stop.tolist()) == ([1], [100], [143])


def test_inputs_and_labels_are_scaled_apart_on_the_training_part():
    data = learning_data()
    inputs, labels = data.inputs[:, 0], data.labels[:, 0]
    np.testing.assert_allclose(inputs[1:], (D - D[:99].min()) / np.ptp(D[:99]))
    np.testing.assert_allclose(labels[1:], (D - D[1:100].min()) / np.ptp(D[1:100]))
    assert (inputs[1:100].min(), inputs[1:100].max()) == (0, 1)
    assert inputs[100:].max() > 1  # what is held back is outside: nothing of it was used


def test_the_settings_are_those_of_chainer():
    optimiser = TRAINING.optimiser
    assert (optimiser.name, optimiser.learning_rate, optimiser.decay, optimiser.epsilon) == (
        "rmsprop",
        1e-2,
        0.99,
        1e-8,
    )
    assert (TRAINING.epochs, TRAINING.initialiser, TRAINING.average) == (1000, "chainer1", None)
    assert airline.NETWORK.layers == (5, 4, 3)


def test_the_file_is_the_one_of_2017(tmp_path):
    panel = airline._read(ExampleRun(tmp_path, quiet=True))
    assert panel.values.tolist() == X.tolist()
    assert "3 lines are not data: line 146 (blank), line 147" in str(panel.check())
    assert (tmp_path / "airline.csv").read_bytes() == (
        ROOT / "examples" / "airline.csv"
    ).read_bytes()


@pytest.mark.skipif(not SHARED.exists(), reason="the file as downloaded is not here")
def test_the_file_as_downloaded_gives_the_same_series():
    assert lc.read(SHARED).values.tolist() == X.tolist()


# What a run gives


@pytest.fixture(scope="module")
def faithful(tmp_path_factory):
    """A short run of the article's network: the run, and its measures."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        quick(monkeypatch)
        to = ExampleRun(tmp_path_factory.mktemp("airline"), quiet=True)
        return to, airline.run(to, faithful=True, seed=0)


def test_everything_is_written(faithful):
    to, measures = faithful
    pictures = {
        "series",
        "differences",
        "inputs-and-labels",
        "learning-curve",
        "scaled-observed",
        "scaled-fed-back",
        "differences-predicted",
        "prediction-observed",
        "prediction-fed-back",
        "preprocessing",
    }
    assert {path.stem for path in to.folder.glob("*.png")} == pictures
    assert {path.stem for path in to.folder.glob("*.csv")} == {
        "airline",
        "history",
        "predictions",
        "errors",
    }
    snapshots = {path.name for path in (to.folder / "snapshots").iterdir()}
    assert snapshots == {"model_epoch-1", "model_epoch-2", "model_epoch-3"}
    assert "lstm 2        (batch, time, 3)          96" in (to.folder / "log.txt").read_text()
    assert [measure.measure.split(",")[0] for measure in measures] == [
        "RMSE of 43 months fed back",
        "RMSE of 43 months with observations",
        "RMSE of 43 months fed back from the last observed value",
        "RMSE of 43 months fed back",
        "RMSE of 43 months with observations",
    ]


def test_142_predictions_with_observations_and_43_fed_back(faithful):
    to, measures = faithful
    table = lc.read(to.folder / "predictions.csv", target="*", time="time")
    names = {str(name): i for i, name in enumerate(table.ids)}
    observed, free, own = (
        table.series(names[f"{kind}, {airline.ARTICLE}"])
        for kind in ("with observations", "fed back", "fed back from its own last value")
    )
    assert np.isfinite(observed).sum() == 142 and np.isfinite(free).sum() == HELD_BACK
    # both have seen the training part only
    assert free[-HELD_BACK] == pytest.approx(observed[-HELD_BACK])
    # X̂(101) = D̂(100) + X̂(100), with the predicted X̂(100)
    np.testing.assert_allclose(own[-43:], free[-43:] + observed[-44] - X[-44])
    for measure, predicted in zip(measures, (own, observed, free), strict=False):
        assert measure.value == pytest.approx(np.sqrt(np.mean((predicted[-43:] - X[-43:]) ** 2)))


def test_the_way_back_adds_to_what_is_known(faithful):
    """① X̂(t+1) = D̂(t) + X(t); ② X̂(t+1) = D̂(t) + X̂(t), by hand from the network's own
    answers."""
    model = lc.load(faithful[0].folder / "model")
    data, network = learning_data(), model.network
    x_TBC = data.inputs[1:, None].astype(np.float32)
    low, width = D[1:100].min(), np.ptp(D[1:100])

    def answers(x_TBC, state):
        (hidden_TBD,), state = network.run(x_TBC, np.ones(x_TBC.shape[:2], bool), state)
        (raw_NHKR,) = network.raw([hidden_TBD[:, 0]], np.empty(0))
        return raw_NHKR[:, 0, 0, 0] * width + low, state

    steps, _ = answers(x_TBC[:-1], network.start(1))
    observed = model.predict(passengers(), mode="one-step").point[:, 0]
    np.testing.assert_allclose(observed, X[1:-1] + steps, atol=1e-3)
    step, state = answers(x_TBC[:100], network.start(1))
    path = [X[100] + step[-1]]
    for _ in range(42):
        fed = (step[-1] - D[:99].min()) / np.ptp(D[:99])
        step, state = answers(np.full((1, 1, 1), fed, np.float32), state)
        path.append(path[-1] + step[-1])
    free = model.predict(passengers(), 43, cutoffs=np.array([[101]]), mode="recursive").point[0]
    np.testing.assert_allclose(free, path, atol=2e-3)


def test_by_default_no_forecaster_has_seen_the_part_held_back(tmp_path, monkeypatch):
    quick(monkeypatch)
    first = airline.run(ExampleRun(tmp_path / "a", quiet=True), faithful=False, seed=0)
    changed = X.copy()
    changed[-1] = 5000
    panel = lc.Panel.from_arrays({"airline": changed}, frequency="MS", start="1949-01-01")
    monkeypatch.setattr(airline, "_read", lambda to: panel)
    airline.run(ExampleRun(tmp_path / "b", quiet=True), faithful=False, seed=0)
    one, other = (
        lc.read(tmp_path / run / "predictions.csv", target="*", time="time") for run in "ab"
    )
    for i, name in enumerate(one.ids):
        if name != "passengers":
            np.testing.assert_array_equal(one.series(i), other.series(i))
    assert len(first) == 10


def test_the_numbers_to_reach(tmp_path, monkeypatch):
    """The shipped network, fine-tuned and as it is: quick settings for the others change
    nothing."""
    quick(monkeypatch)
    tuned, tuned_one, shipped, shipped_one, *_ = airline.run(
        ExampleRun(tmp_path, quiet=True), faithful=False, seed=0
    )
    assert tuned.measure == "RMSE of 43 months fed back, shipped network, fine-tuned"
    assert tuned.value <= 24 and tuned_one.value <= 15.3
    assert shipped.measure == "RMSE of 43 months fed back, shipped network"
    assert shipped.value <= 24 and shipped_one.value <= 15.3


def test_all_words_of_the_pictures_are_translated(tmp_path, monkeypatch):
    quick(monkeypatch)
    asked = []
    monkeypatch.setattr(ExampleRun, "text", lambda to, english: asked.append(english) or english)
    for faithful in (False, True):
        run = ExampleRun(tmp_path / str(faithful), quiet=True)
        airline.run(run, faithful=faithful, seed=0)
    assert set(asked) == set(JAPANESE)


def test_the_pictures_show_what_the_article_scales():
    data, scaled = learning_data(), Scaled(X, HELD_BACK)
    np.testing.assert_allclose(scaled.inputs, data.inputs[1:-1, 0])
    np.testing.assert_allclose(scaled.labels, data.labels[2:, 0])


@pytest.mark.parametrize("faithful", [False, True])
def test_a_series_of_ones_own_goes_through_the_same_system(faithful, tmp_path, monkeypatch):
    quick(monkeypatch)
    days = np.datetime64("2024-01-01") + np.arange(60)
    values = np.sin(np.arange(60) / 3) - 0.5  # no logarithms, and no year
    own = {"day": days, "sales": values}
    measures = articles.run("airline", data=own, faithful=faithful, out=tmp_path, quiet=True)
    assert measures[0].measure.startswith(f"RMSE of {held_back(60)} steps fed back")
    assert all(np.isfinite(measure.value) for measure in measures)
    assert not (tmp_path / "airline.csv").exists()


@pytest.mark.slow
def test_what_helps_against_growing_swings(tmp_path):
    """Yearly differences of logarithms, one step ahead; the network that arrives trained, when its
    predictions are fed back."""
    found = {
        m.measure.removeprefix("RMSE of 43 months "): m.value
        for m in airline.run(ExampleRun(tmp_path, quiet=True), faithful=False, seed=0)
    }
    plain, _, yearly = (found[f"with observations, {name}"] for name in own_choices(passengers()))
    assert yearly < 0.75 * plain
    own = [found[f"fed back, {name}"] for name in own_choices(passengers())]
    assert found["fed back, shipped network, fine-tuned"] < 0.75 * min(own)


@pytest.mark.slow
def test_the_article_in_full(tmp_path):
    fed_back, observed, _, plain, _ = airline.run(
        ExampleRun(tmp_path, quiet=True), faithful=True, seed=1
    )
    assert observed.value < fed_back.value < plain.value  # as the article reports
    assert observed.value < np.sqrt(np.mean(D[-43:] ** 2))  # better than the last month again
