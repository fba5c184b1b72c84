"""Article 5: three sets of windows, callbacks, a kernel of zeros, five steps ahead."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import lstmcast as lc
from example_runs import undrawn
from lstmcast import articles, store
from lstmcast.articles import temperature
from lstmcast.articles.runs import ExampleRun
from lstmcast.articles.temperature import AHEAD, FEW, Settings, settings, temperatures

torch = pytest.importorskip("torch")
JENA = (
    Path(__file__).resolve().parents[2] / "shared" / "data" / "jena_first4000.parquet"
)


@pytest.fixture(scope="module")
def faithful(tmp_path_factory):
    to = ExampleRun(tmp_path_factory.mktemp("temperature"), quiet=True)
    return to, temperature.run(to, faithful=True, seed=0)


def test_the_settings_are_those_of_the_course():
    network, training = settings(faithful=True, days=FEW)
    assert (network.layers, network.after, network.head) == ((20,), (), "point")
    assert (training.batching.length, training.batching.loss, training.patience) == (
        20,
        "last",
        2,
    )
    assert (training.initialiser, training.loss.name) == ("zeros", "mse")


def test_everything_is_written_and_said(faithful):
    to, _ = faithful
    assert {path.stem for path in to.folder.glob("*.png")} == {
        "series",
        "learning-curve",
        "errors",
        "next-five",
    }
    assert {path.stem for path in to.folder.glob("*.csv")} == {
        "temperature",
        "history",
        "errors",
        "next-five",
    }
    assert [path.name for path in (to.folder / "best-network").iterdir()] == ["best"]
    log = (to.folder / "log.txt").read_text()
    assert (
        "lstm 0        (batch, time, 20)       1,760" in log
        and "1,781 parameters" in log
    )
    table = (to.folder / "next-five.csv").read_text().splitlines()
    assert len(table) == 1 + AHEAD
    _, predicted, true, _ = table[-1].split(",")
    assert f"{float(predicted):>10.2f}{float(true):>10.2f}" in log


def test_the_best_network_is_the_one_that_is_kept(faithful):
    to, _ = faithful
    model = lc.load(to.folder / "model")
    (best,) = [row for row in model.history.epochs if row.best]
    snapshot = to.folder / "best-network" / "best"
    assert store.read_manifest(snapshot)["snapshot"]["epoch"] == best.epoch
    for name, array in lc.load(snapshot).network.members[0].items():
        np.testing.assert_array_equal(array, model.network.members[0][name])


def test_training_stops_two_epochs_after_the_best(faithful):
    rows = lc.load(faithful[0].folder / "model").history.epochs
    (best,) = [row.epoch for row in rows if row.best]
    assert rows[-1].epoch == best + 2 < 100


def test_a_kernel_of_zeros_learns(faithful):
    kernel = lc.load(faithful[0].folder / "model").network.members[0][
        "lstm.0.weight_ih"
    ]
    assert np.abs(kernel).max() > 1e-3


def test_scaled_by_the_training_part_alone(tmp_path):
    """The last two fifths, five degrees warmer, change neither mean nor deviation."""
    chosen = settings(faithful=True, days=FEW)
    chosen = chosen._replace(training=replace(chosen.training, epochs=1))
    values = temperatures(FEW)[1]
    states = []
    for warmer, name in ((0.0, "a"), (5.0, "b")):
        later = values + warmer * (np.arange(FEW) >= FEW - 2 * (FEW // 5))
        panel = lc.Panel.from_arrays(later, frequency="D", start="2020-06-06")
        with undrawn():
            temperature.forecast_five(
                ExampleRun(tmp_path / name, quiet=True), panel, chosen
            )
        model = lc.load(tmp_path / name / "model")
        states.append(model.fitted.inputs.arrays())
    assert states[0] and all(
        np.array_equal(states[0][name], states[1][name]) for name in states[0]
    )
    train = values[: FEW - 2 * (FEW // 5)]
    assert any(np.allclose(array, train.mean()) for array in states[0].values())


def test_all_words_of_the_pictures_are_translated(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(
        ExampleRun, "text", lambda to, english: asked.append(english) or english
    )
    own = lc.Panel.from_arrays(temperatures(FEW)[1])
    for place, given in (("a", None), ("b", own)):
        to = ExampleRun(tmp_path / place, quiet=True, own=given, epochs=1)
        with undrawn():
            temperature.run(to, faithful=True, seed=0)
    assert set(asked) == set(temperature.JAPANESE)


def test_the_metric_of_the_course_is_in_the_history(faithful):
    """The mean absolute error of the windows, by hand from forecasts one step ahead."""
    to, _ = faithful
    with (to.folder / "history.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    (best,) = [row for row in rows if row["best"] == "true"]
    model = lc.load(to.folder / "model")
    values, trained, known = temperatures(FEW)[1], FEW - 2 * (FEW // 5), FEW - FEW // 5
    panel = lc.Panel.from_arrays(
        {"temperature": values}, frequency="D", start="2020-06-06"
    )
    cutoffs = np.arange(20, known)[None]
    point = model.predict(panel, 1, cutoffs=cutoffs, mode="recursive").point[:, 0]
    errors = np.abs(point - values[20:known])
    for part, chosen in (
        ("train", slice(trained - 20)),
        ("validation", slice(trained - 20, None)),
    ):
        assert float(best[f"{part}_mae"]) == pytest.approx(
            errors[chosen].mean(), rel=1e-4
        )
    assert float(best["validation_rmse"]) == pytest.approx(
        float(best["validation_loss"]) ** 0.5
    )


def test_a_column_of_ones_own_goes_through_the_same_system(tmp_path):
    minutes = np.datetime64("2009-01-01T00:10") + 10 * np.arange(200) * np.timedelta64(
        1, "m"
    )
    own = {
        "date": minutes,
        "T (degC)": np.sin(np.arange(200) / 9),
        "p (mbar)": np.ones(200),
    }
    measures = articles.run(
        "temperature", data=own, column="T (degC)", epochs=1, out=tmp_path, quiet=True
    )
    assert measures[0].measure == "RMSE of five steps, each fed back"
    assert np.isfinite([measure.value for measure in measures]).all()
    assert (tmp_path / "next-five.csv").read_text().count("2009-01-02 ") == AHEAD
    assert not (tmp_path / "temperature.csv").exists()


def test_the_same_days_for_the_same_seed():
    assert (
        temperatures(50, 3)[1].tolist()
        == temperatures(50, 3)[1].tolist()
        != temperatures(50, 4)[1].tolist()
    )
    values = temperatures(4 * 365)[1]
    # late July, late January
    assert 24 < values[40:60].mean() < 28 and 4 < values[222:242].mean() < 8


def test_better_than_the_last_known_value(tmp_path):
    to = ExampleRun(tmp_path, quiet=True)
    with undrawn():
        network, naive, *_ = temperature.run(to, faithful=False, seed=0)
    assert network.value < 0.97 * naive.value


@pytest.mark.slow
@pytest.mark.skipif(not JENA.exists(), reason="the weather of Jena is not here")
def test_the_weather_of_jena(tmp_path):
    panel = lc.read(JENA, target="T (degC)")
    chosen: Settings = settings(faithful=False, days=len(panel.values))
    to = ExampleRun(tmp_path, quiet=True)
    with undrawn():
        network, naive, *_ = temperature.forecast_five(to, panel, chosen)
    assert network.value < naive.value
