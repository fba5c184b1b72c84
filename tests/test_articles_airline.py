"""Article 1: its pairs, its scaling, its two kinds of prediction, and the numbers to reach."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

import lstmcast as lc
from example_runs import undrawn
from lstmcast import articles, windows
from lstmcast.articles import airline
from lstmcast.articles.airline import (
    HELD_BACK,
    INPUTS,
    TRAINING,
    Choice,
    held_back,
    own_choices,
)
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
    train, back = (
        windows.whole(parts),
        windows.validation_whole(parts, fresh_state=True),
    )
    assert (train.lengths.tolist(), back.lengths.tolist()) == ([99], [43])
    # D(i) stands at step i + 1: inputs D(0)…D(98) and D(99)…D(141), the last label is D(142)
    assert (train.first.tolist(), back.first.tolist(), back.stop.tolist()) == (
        [1],
        [100],
        [143],
    )


def test_inputs_and_labels_are_scaled_apart_on_the_training_part():
    data = learning_data()
    inputs, labels = data.inputs[:, 0], data.labels[:, 0]
    np.testing.assert_allclose(inputs[1:], (D - D[:99].min()) / np.ptp(D[:99]))
    np.testing.assert_allclose(labels[1:], (D - D[1:100].min()) / np.ptp(D[1:100]))
    assert (inputs[1:100].min(), inputs[1:100].max()) == (0, 1)
    # what is held back is outside: nothing of it was used
    assert inputs[100:].max() > 1


def test_the_settings_are_those_of_chainer():
    optimiser = TRAINING.optimiser
    assert (
        optimiser.name,
        optimiser.learning_rate,
        optimiser.decay,
        optimiser.epsilon,
    ) == (
        "rmsprop",
        1e-2,
        0.99,
        1e-8,
    )
    assert (TRAINING.epochs, TRAINING.initialiser, TRAINING.average) == (
        1000,
        "chainer1",
        None,
    )
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


class Run(NamedTuple):
    """A short run of the system, its measures, and the words that its pictures asked for."""

    to: ExampleRun
    measures: list
    asked: set


def short_run(folder: Path, *, faithful: bool) -> Run:
    asked = set()
    with pytest.MonkeyPatch.context() as monkeypatch:
        quick(monkeypatch)
        monkeypatch.setattr(
            ExampleRun, "text", lambda to, word: asked.add(word) or word
        )
        to = ExampleRun(folder, quiet=True, epochs=3)
        return Run(to, airline.run(to, faithful=faithful, seed=0), asked)


@pytest.fixture(scope="module")
def faithful(tmp_path_factory):
    """That of the article's network."""
    return short_run(tmp_path_factory.mktemp("airline"), faithful=True)


@pytest.fixture(scope="module")
def default(tmp_path_factory):
    """That without --faithful."""
    with undrawn():
        return short_run(tmp_path_factory.mktemp("airline"), faithful=False)


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    """The measures of a run in full, without --faithful."""
    to = ExampleRun(tmp_path_factory.mktemp("airline"), quiet=True)
    with undrawn():
        return airline.run(to, faithful=False, seed=0)


def test_everything_is_written(faithful):
    to, measures, _ = faithful
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
    assert (
        "lstm 2        (batch, time, 3)          96"
        in (to.folder / "log.txt").read_text()
    )
    assert [measure.measure.split(",")[0] for measure in measures] == [
        "RMSE of 43 months fed back",
        "RMSE of 43 months with observations",
        "RMSE of 43 months fed back from the last observed value",
        "RMSE of 43 months fed back",
        "RMSE of 43 months with observations",
    ]


def test_142_predictions_with_observations_and_43_fed_back(faithful):
    to, measures, _ = faithful
    table = lc.read(to.folder / "predictions.csv", target="*", time="time")
    names = {str(name): i for i, name in enumerate(table.ids)}
    observed, free, own = (
        table.series(names[f"{kind}, {airline.ARTICLE}"])
        for kind in (
            "with observations",
            "fed back",
            "fed back from its own last value",
        )
    )
    assert np.isfinite(observed).sum() == 142 and np.isfinite(free).sum() == HELD_BACK
    # both have seen the training part only
    assert free[-HELD_BACK] == pytest.approx(observed[-HELD_BACK])
    # X̂(101) = D̂(100) + X̂(100), with the predicted X̂(100)
    np.testing.assert_allclose(own[-43:], free[-43:] + observed[-44] - X[-44])
    for measure, predicted in zip(measures, (own, observed, free), strict=False):
        assert measure.value == pytest.approx(
            np.sqrt(np.mean((predicted[-43:] - X[-43:]) ** 2))
        )


def test_the_way_back_adds_to_what_is_known(faithful):
    """① X̂(t+1) = D̂(t) + X(t); ② X̂(t+1) = D̂(t) + X̂(t), by hand from the network's own
    answers."""
    model = lc.load(faithful.to.folder / "model")
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
    free = model.predict(
        passengers(), 43, cutoffs=np.array([[101]]), mode="recursive"
    ).point[0]
    np.testing.assert_allclose(free, path, atol=2e-3)


def test_by_default_no_forecaster_has_seen_the_part_held_back(
    default, tmp_path, monkeypatch
):
    quick(monkeypatch)
    changed = X.copy()
    changed[-1] = 5000
    panel = lc.Panel.from_arrays(
        {"airline": changed}, frequency="MS", start="1949-01-01"
    )
    monkeypatch.setattr(airline, "_read", lambda to: panel)
    with undrawn():
        airline.run(ExampleRun(tmp_path, quiet=True, epochs=3), faithful=False, seed=0)
    one, other = (
        lc.read(folder / "predictions.csv", target="*", time="time")
        for folder in (default.to.folder, tmp_path)
    )
    for i, name in enumerate(one.ids):
        if name != "passengers":
            np.testing.assert_array_equal(one.series(i), other.series(i))
    assert len(default.measures) == 10


@pytest.mark.slow
def test_the_numbers_to_reach(full):
    """The shipped network, fine-tuned and as it is."""
    tuned, tuned_one, shipped, shipped_one, *_ = full
    assert tuned.measure == "RMSE of 43 months fed back, shipped network, fine-tuned"
    assert tuned.value <= 24 and tuned_one.value <= 15.3
    assert shipped.measure == "RMSE of 43 months fed back, shipped network"
    assert shipped.value <= 24 and shipped_one.value <= 15.3


def test_all_words_of_the_pictures_are_translated(default, faithful):
    assert default.asked | faithful.asked == set(JAPANESE)


def test_the_pictures_show_what_the_article_scales():
    data, scaled = learning_data(), Scaled(X, HELD_BACK)
    np.testing.assert_allclose(scaled.inputs, data.inputs[1:-1, 0])
    np.testing.assert_allclose(scaled.labels, data.labels[2:, 0])


@pytest.mark.parametrize("faithful", [False, True])
def test_a_series_of_ones_own_goes_through_the_same_system(
    faithful, tmp_path, monkeypatch
):
    quick(monkeypatch)
    days = np.datetime64("2024-01-01") + np.arange(60)
    values = np.sin(np.arange(60) / 3) - 0.5  # no logarithms, and no year
    own = {"day": days, "sales": values}
    given = {"faithful": faithful, "epochs": 3, "out": tmp_path, "quiet": True}
    with undrawn():
        measures = articles.run("airline", data=own, **given)
    assert measures[0].measure.startswith(f"RMSE of {held_back(60)} steps fed back")
    assert all(np.isfinite(measure.value) for measure in measures)
    assert not (tmp_path / "airline.csv").exists()


@pytest.mark.slow
def test_what_helps_against_growing_swings(full):
    """Yearly differences of logarithms, one step ahead; the network that arrives trained, when its
    predictions are fed back."""
    found = {m.measure.removeprefix("RMSE of 43 months "): m.value for m in full}
    plain, _, yearly = (
        found[f"with observations, {name}"] for name in own_choices(passengers())
    )
    assert yearly < 0.75 * plain
    own = [found[f"fed back, {name}"] for name in own_choices(passengers())]
    assert found["fed back, shipped network, fine-tuned"] < 0.75 * min(own)


@pytest.mark.slow
def test_the_article_in_full(tmp_path, monkeypatch):
    # a snapshot of each epoch takes as long as its training; three are tested above
    monkeypatch.setattr(airline, "SaveEvery", lambda *_: lambda report: None)
    with undrawn():
        fed_back, observed, _, plain, _ = airline.run(
            ExampleRun(tmp_path, quiet=True), faithful=True, seed=1
        )
    assert observed.value < fed_back.value < plain.value  # as the article reports
    # better than the last month again
    assert observed.value < np.sqrt(np.mean(D[-43:] ** 2))
