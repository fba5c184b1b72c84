"""Jobs as a server runs them: values in, values out, nothing printed, files whole or absent."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import FrozenInstanceError
from pathlib import Path

import numpy as np
import pytest

from lstmcast import forecaster
from lstmcast.data.panel import Panel, ReadOptions
from lstmcast.errors import DataError, ModelError, OutputError, UsageError
from lstmcast.evaluation.baselines import SeasonalNaive
from lstmcast.forecaster import LSTMForecaster
from lstmcast.jobs import (
    BacktestJob,
    CheckJob,
    DataJoined,
    DataRead,
    FitJob,
    ForecastJob,
    NewerRead,
    Note,
    PredictJob,
    Source,
)
from lstmcast.loading import load
from lstmcast.model.network import NetworkConfig
from lstmcast.output.places import Outputs
from lstmcast.training_config import TrainingConfig

AIRLINE = Path(__file__).parents[1] / "examples" / "airline.csv"
MONTHS = {"ds": [f"{2015 + i // 12}-{i % 12 + 1:02}" for i in range(60)]}
SALES = {**MONTHS, "y": [100.0 + i + 20 * (i % 12 == 11) for i in range(60)]}
UNEQUAL = {
    "ds": ["2020-01", "2020-02", "2020-02", "2020-03"],
    "y": [1.0, 2.0, 3.0, 4.0],
}


@pytest.fixture(autouse=True)
def silent(capsys):
    """Whatever a job does, it prints nothing."""
    yield
    printed = capsys.readouterr()
    assert printed.out == printed.err == ""


def watched():
    """A list that grows, and the `notify` that lets it."""
    events: list = []
    return events, events.append


def small(**training) -> LSTMForecaster:
    network = NetworkConfig(layers=(4,))
    config = TrainingConfig(epochs=2, **training)
    return LSTMForecaster(6, weights="scratch", network=network, training=config)


# ---------------------------------------------------------------- forecast


def test_a_forecast_is_a_value_with_all_that_led_to_it():
    events, notify = watched()
    result = ForecastJob(SeasonalNaive(6), Source(SALES), cutoffs=2).run(notify)
    assert result.forecast.point.tolist() == [
        [148.0, 149.0, 150.0, 151.0, 152.0, 153.0]
    ]
    assert result.backtest is not None and result.backtest.counts.tolist() == [[48, 54]]
    assert result.written == ((), ())
    assert events == [DataRead(result.panel)] and len(result.panel.values) == 60
    document = json.loads(json.dumps(result.document(), allow_nan=False))
    assert document["data"]["end"] == "2019-12-01" and document["files"] == []
    assert (
        document["accuracy"]["model"] == "seasonal naive"
        and len(document["forecast"]["ds"]) == 6
    )


def test_a_panel_is_taken_as_it_is():
    panel = Panel.from_arrays(SALES["y"], frequency="MS", start="2015-01")
    assert ForecastJob(SeasonalNaive(6), Source(panel), cutoffs=0).run().panel is panel


def test_nothing_is_measured_with_no_cutoff():
    result = ForecastJob(SeasonalNaive(6), Source(SALES), cutoffs=0).run()
    assert result.backtest is None and result.document()["accuracy"] is None


def test_every_place_is_filled(tmp_path):
    outputs = Outputs(
        tmp_path / "f.csv",
        tmp_path / "f.png",
        tmp_path / "f.html",
        tmp_path / "m",
        "the server",
    )
    result = ForecastJob(
        LSTMForecaster(3), Source(SALES), cutoffs=1, outputs=outputs
    ).run()
    names = ["f.csv", "f.png", "f.html", "m"]
    assert result.written.files == tuple(str(tmp_path / name) for name in names)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names)
    assert "the server" in (tmp_path / "f.html").read_text(encoding="utf-8")
    assert load(tmp_path / "m").horizon == 3


@pytest.mark.parametrize(
    "outputs",
    [
        Outputs(table="no/f.csv"),
        Outputs(plot="f.txt"),
        Outputs(report="f.pdf"),
        Outputs(model="."),
    ],
    ids=str,
)
def test_a_place_that_cannot_be_filled_is_refused_before_anything_is_read(
    outputs, tmp_path, monkeypatch
):
    (tmp_path / "mine.txt").write_text("mine")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(OutputError):
        ForecastJob(SeasonalNaive(3), Source("nowhere.csv"), outputs=outputs).run()
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_data_are_never_written_over(tmp_path):
    path = tmp_path / "sales.csv"
    path.write_bytes(AIRLINE.read_bytes())
    for data in (path, str(path), [path]):
        job = ForecastJob(
            SeasonalNaive(3), Source(data), outputs=Outputs(table=str(path))
        )
        with pytest.raises(UsageError, match="is the data file"):
            job.run()
    assert path.read_bytes() == AIRLINE.read_bytes()


def test_a_sheet_without_room_is_refused_before_the_forecast(tmp_path):
    outputs = Outputs(table=tmp_path / "f.xlsx")
    panel = Panel.from_arrays(np.ones((20, 12)))
    with pytest.raises(OutputError, match="2,000,000 rows"):
        ForecastJob(SeasonalNaive(100_000), Source(panel), outputs=outputs).run()


def test_requests_do_not_change():
    with pytest.raises(FrozenInstanceError):
        ForecastJob(SeasonalNaive(6), Source(SALES)).cutoffs = 3  # pyright: ignore


# ---------------------------------------------------------------- the command says the same


def test_documents_are_those_of_the_commands(run, tmp_path):
    source = Source(str(AIRLINE))
    forecast = ForecastJob(
        LSTMForecaster(6), source, outputs=Outputs(model=tmp_path / "m")
    ).run()
    backtest = BacktestJob(LSTMForecaster(6), source, cutoffs=2).run()
    check = CheckJob(source).run()
    predict = PredictJob(tmp_path / "m", source).run()
    commands = {
        ("forecast", AIRLINE, "-H", 6, "--save", tmp_path / "m"): forecast,
        ("backtest", AIRLINE, "-H", 6, "--cutoffs", 2): backtest,
        ("check", AIRLINE): check,
        ("predict", AIRLINE, "-m", tmp_path / "m"): predict,
    }
    for command, result in commands.items():
        assert run(*command, "--json").json == result.document()


# ---------------------------------------------------------------- check


def test_a_check_needs_no_good_data():
    result = CheckJob(Source(UNEQUAL)).run()
    assert result.inspection.panel is None
    document = result.document()
    assert document["data"] == {"source": "dict of arrays", "rows": 4, "usable": False}
    assert document["findings"][0]["rule"] == "duplicate times"
    with pytest.raises(DataError, match="2020-02"):
        ForecastJob(SeasonalNaive(3), Source(UNEQUAL)).run()


def test_options_say_how_data_are_read():
    source = Source(UNEQUAL, ReadOptions(duplicates="sum"))
    panel = CheckJob(source).run().inspection.panel
    assert panel is not None and panel.values.tolist() == [1.0, 5.0, 4.0]
    assert source.read().values.tolist() == [1.0, 5.0, 4.0]


def test_columns_are_chosen():
    both = {**MONTHS, "price": np.arange(60.0), "sales": np.arange(60.0) * 2}
    assert Source(both, target="sales").read().values[-1] == 118.0


# ---------------------------------------------------------------- predict


@pytest.fixture
def saved(tmp_path) -> Path:
    older = {name: column[:48] for name, column in SALES.items()}
    LSTMForecaster(3).save(tmp_path / "model", older)
    return tmp_path / "model"


def test_newer_data_are_joined(saved):
    events, notify = watched()
    newer = {name: column[48:] for name, column in SALES.items()}
    result = PredictJob(saved, Source(newer), horizon=2).run(notify)
    assert result.newer is not None and result.continuation is not None
    assert events == [NewerRead(result.newer), DataJoined(result.continuation)]
    whole = ForecastJob(LSTMForecaster(2), Source(SALES), cutoffs=0).run()
    assert (result.forecast.point == whole.forecast.point).all()
    document = result.document()
    assert document["continued"]["continued"] == ["y"] and document["model"] == str(
        saved
    )
    assert document["data"]["values"] == 12 and document["panel"]["values"] == 60


def test_without_data_a_saved_model_goes_on_from_what_it_has_seen(saved):
    events, notify = watched()
    result = PredictJob(saved, quantiles=(0.25, 0.75)).run(notify)
    assert events == [] and result.newer is None and result.continuation is None
    assert str(result.forecast.times[0, 0])[:10] == "2019-01-01"
    assert result.forecast.quantile_levels == (0.25, 0.75)
    assert result.document()["data"] is None


def test_no_model_is_no_forecast(tmp_path):
    with pytest.raises(ModelError, match="there is no folder"):
        PredictJob(
            tmp_path / "nowhere", outputs=Outputs(table=tmp_path / "f.csv")
        ).run()
    assert list(tmp_path.iterdir()) == []


def test_blanks_do_not_replace_an_older_forecast(tmp_path):
    panel = Panel.from_arrays({"a": [1.0] * 12})
    unknown = Panel.from_arrays({"a": [np.nan] * 12})
    place = tmp_path / "f.csv"
    model = SeasonalNaive(2)
    ForecastJob(model, Source(panel), cutoffs=0, outputs=Outputs(table=place)).run()
    before = place.read_bytes()
    with pytest.raises(DataError, match="no series has a forecast"):
        ForecastJob(
            model, Source(unknown), cutoffs=0, outputs=Outputs(table=place)
        ).run()
    assert place.read_bytes() == before


# ---------------------------------------------------------------- backtest


def test_a_backtest_writes_what_was_held_out(tmp_path):
    events, notify = watched()
    job = BacktestJob(
        SeasonalNaive(6), Source(SALES), cutoffs=2, table=tmp_path / "held.csv"
    )
    result = job.run(notify)
    assert not job.trains and events == [DataRead(result.panel)]
    assert result.written.files == (str(tmp_path / "held.csv"),)
    assert (tmp_path / "held.csv").read_text(encoding="utf-8").count("\n") == 13


def test_a_backtest_of_too_little_data_writes_nothing(tmp_path):
    short = {name: column[:5] for name, column in SALES.items()}
    table = tmp_path / "held.csv"
    result = BacktestJob(SeasonalNaive(6), Source(short), table=table).run()
    assert result.backtest.reason and result.written.files == () and not table.exists()
    assert result.written.notes == (f"nothing written: {result.backtest.reason}",)


def test_a_backtest_that_trains_says_how_far_it_is():
    pytest.importorskip("torch", reason="needs the train extra")
    events, notify = watched()
    job = BacktestJob(small(), Source(SALES), cutoffs=2, fit_options={"threads": 1})
    result = job.run(notify)
    assert job.trains and result.backtest.refit == "once"
    first, *progress = events
    assert first == DataRead(result.panel)
    assert [event.done for event in progress] == list(range(1, progress[-1].total + 1))
    assert "lstmcast" in {event.job.model for event in progress}


# ---------------------------------------------------------------- fit


def test_a_fit_leaves_a_model_and_what_became_of_it(tmp_path):
    pytest.importorskip("torch", reason="needs the train extra")
    events, notify = watched()
    epochs = []
    job = FitJob(
        small(),
        Source(SALES),
        tmp_path / "model",
        plot=tmp_path / "curve.svg",
        callbacks=[lambda report: epochs.append(report.epoch)],
    )
    result = job.run(notify)
    first, after = events
    assert first == DataRead(result.panel) and epochs == [1, 2]
    # what takes a while after the last epoch is said
    assert "the model is saved in" in after.text
    assert not result.interrupted and not result.resumable
    assert result.written.files == (
        str(tmp_path / "model"),
        str(tmp_path / "curve.svg"),
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["curve.svg", "model"]
    assert (
        result.backtest is not None
        and "selected the best epoch" in result.backtest.notes[-1]
    )
    document = json.loads(json.dumps(result.document(), allow_nan=False))
    assert document["training"]["epoch"] == [1, 2]
    assert (load(job.folder).predict().point == result.model.predict().point).all()


def test_a_fit_that_was_to_go_on_says_that_it_could_not(tmp_path):
    pytest.importorskip("torch", reason="needs the train extra")
    events, notify = watched()
    FitJob(small(), Source(SALES), tmp_path / "model", resume=True).run(notify)
    note = events[1]
    assert (
        isinstance(note, Note)
        and note.urgent
        and "no interrupted or kept training" in note.text
    )


def test_a_fit_on_everything_is_not_measured(tmp_path):
    pytest.importorskip("torch", reason="needs the train extra")
    result = FitJob(small(refit=True), Source(SALES), tmp_path / "model").run()
    assert result.backtest is None and result.document()["accuracy"] is None


# ---------------------------------------------------------------- what it takes


def test_jobs_load_what_they_need_alone():
    code = (
        "import sys; from lstmcast import jobs; jobs.CheckJob(jobs.Source([1.0] * 9)).run()\n"
        "heavy = {'typer', 'torch', 'matplotlib', 'lstmcast.forecaster'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_what_a_forecast_was_made_of_is_saved_and_not_measured_again(
    tmp_path, monkeypatch
):
    panel = Panel.from_arrays(100 + np.arange(48) % 12, frequency="MS", start="2020-01")
    LSTMForecaster(3).save(tmp_path / "measured", panel)
    monkeypatch.setattr(forecaster, "combination_of", None)
    job = ForecastJob(
        LSTMForecaster(3), Source(panel), 0, outputs=Outputs(model=tmp_path / "m")
    )
    job.run()
    saved = [
        (tmp_path / name / "manifest.json").read_text() for name in ("measured", "m")
    ]
    assert saved[0] == saved[1] and "naive" in saved[0]
