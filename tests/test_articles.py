"""Examples: what every run leaves behind, how one is started, resumed and refused."""

from __future__ import annotations

import csv
import importlib
import json
import os
import subprocess
import sys
import types
from pathlib import Path

import numpy as np
import pytest

import lstmcast as lc
from lstmcast import articles, store
from lstmcast.articles import EXAMPLES, Example, runs
from lstmcast.articles.measures import Measure, training_seconds
from lstmcast.articles.own import Takes
from lstmcast.articles.runs import ExampleRun
from lstmcast.cli.app import main
from lstmcast.errors import DataError, MissingExtraError, OutputError, UsageError
from lstmcast.model.inputs import Transformed
from lstmcast.model.network import NetworkConfig
from lstmcast.training_config import TrainingConfig, Windows
from lstmcast.util import fonts

pytest.importorskip("torch")
PNG = b"\x89PNG"


def tiny(epochs: int = 3) -> lc.LSTMForecaster:
    network = NetworkConfig(inputs=Transformed(), layers=(4,), head="point", horizon=1)
    training = TrainingConfig(epochs=epochs, batching=Windows(4))
    return lc.LSTMForecaster(2, weights="scratch", network=network, training=training)


def panel() -> lc.Panel:
    return lc.Panel.from_arrays(np.sin(np.arange(40.0)))


@pytest.fixture
def example(monkeypatch):
    """Two examples of the given functions take the place of all."""

    def install(first, second=lambda to, faithful, seed: [Measure("RMSE", 2.0, 1.0)]):
        module = types.SimpleNamespace(
            first=first, second=second, JAPANESE={"step": "ステップ"}
        )
        monkeypatch.setitem(sys.modules, "lstmcast.articles.fake", module)
        monkeypatch.setattr(
            articles,
            "EXAMPLES",
            {
                name: Example("fake", name, f"the {name}", Takes(values=1))
                for name in ("first", "second")
            },
        )
        return install

    return install


def rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))


def run_cli(capsys, *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(["example", *arguments])
    printed = capsys.readouterr()
    return int(ended.value.code or 0), printed.out, printed.err


# What a run leaves behind


def test_a_run_fills_its_folder(tmp_path, capsys):
    to = ExampleRun(tmp_path / "new" / "folder", quiet=True)
    forecaster = tiny()
    fitted = to.fit(forecaster, panel())
    assert forecaster.fitted is None and fitted.fitted is not None
    to.model(fitted)
    with to.figure("line") as figure:
        figure.subplots().plot([1, 2], label="a")
    assert (to.folder / "line.png").read_bytes().startswith(PNG)
    assert lc.load(to.folder / "model").predict().horizon == 2
    log = (to.folder / "log.txt").read_text()
    assert [line.split()[0] for line in log.splitlines()] == ["epoch", "1", "2", "3"]
    assert capsys.readouterr() == ("", "")


def test_what_is_said_is_printed_and_logged(tmp_path, capsys):
    to = ExampleRun(tmp_path)
    to.say("Read 3 rows.")
    to.log("For the log.")
    assert capsys.readouterr().out == "Read 3 rows.\n"
    assert (tmp_path / "log.txt").read_text() == "Read 3 rows.\nFor the log.\n"


def test_tables_hold_words_dates_and_numbers(tmp_path):
    dates = np.datetime64("2020-01-01") + np.arange(2)
    path = ExampleRun(tmp_path, quiet=True).table(
        "t", {"name": ["a, b", "c"], "date": dates, "x": np.array([1.5, np.nan])}
    )
    assert path.read_text() == 'name,date,x\n"a, b",2020-01-01,1.5\nc,2020-01-02,\n'


def test_a_picture_that_fails_leaves_nothing(tmp_path):
    to = ExampleRun(tmp_path, quiet=True)
    with pytest.raises(ZeroDivisionError), to.figure("broken"):
        raise ZeroDivisionError
    assert not list(tmp_path.glob("*.png"))


def test_a_new_run_writes_a_new_log_and_removes_old_networks_only(tmp_path):
    to = ExampleRun(tmp_path, quiet=True)
    to.say("old")
    folder = to.saved_networks("best")
    store.save(
        folder / "model001", {"kind": "network"}, {"weights": {"a": np.zeros(1)}}
    )
    (folder / "mine.txt").write_text("kept")
    to.finish({})
    again = ExampleRun(tmp_path, quiet=True)
    assert again.saved_networks("best") == folder and [
        path.name for path in folder.iterdir()
    ] == ["mine.txt"]
    assert (tmp_path / "log.txt").read_text() == ""


# Starting and refusing


def test_summary_and_table_of_an_example(example, tmp_path, capsys):
    example(
        lambda to, faithful, seed: [
            Measure("RMSE, one", np.float64(0.01234567), 1.25),
            Measure("ticks", 45678, 0),
        ]
    )
    status, out, err = run_cli(
        capsys, "first", "--out", str(tmp_path / "o"), "--faithful"
    )
    assert status == 0 and err == f"written: {tmp_path / 'o'}\n"
    assert (
        out
        == "measure      value  seconds\nRMSE, one  0.01235      1.2\nticks       45,678      0.0\n"
    )
    assert rows(tmp_path / "o" / "summary.csv") == [
        {
            "example": "first",
            "mode": "faithful",
            "measure": "RMSE, one",
            "value": "0.01234567",
            "seconds": "1.25",
        },
        {
            "example": "first",
            "mode": "faithful",
            "measure": "ticks",
            "value": "45678.0",
            "seconds": "0.0",
        },
    ]
    assert not (tmp_path / "o" / "checkpoints").exists()


def test_the_folder_is_named_after_the_example(example, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    example(lambda to, faithful, seed: [Measure(f"{faithful} {seed}", 1.0, 0.0)])
    assert run_cli(capsys, "first", "--seed", "7", "--quiet")[1:] == (
        "measure  value  seconds\nFalse 7      1      0.0\n",
        "",
    )
    assert (tmp_path / "lstmcast-first" / "summary.csv").exists()


def test_all_runs_each_into_a_folder_and_compares(example, tmp_path, capsys):
    example(
        lambda to, faithful, seed: [
            Measure("RMSE", 0.5, 3.0),
            Measure("other", 9.0, 0.0),
        ]
    )
    status, out, _ = run_cli(capsys, "all", "--out", str(tmp_path), "--quiet")
    assert status == 0
    assert out.splitlines() == [
        "example  predicted   error  seconds",
        "first    the first     0.5      3.0",
        "second   the second      2      1.0",
    ]
    assert [row["example"] for row in rows(tmp_path / "summary.csv")] == [
        "first",
        "first",
        "second",
    ]
    assert rows(tmp_path / "second" / "summary.csv")[0]["value"] == "2.0"


def test_all_goes_on_after_an_interruption(example, tmp_path):
    runs_of_first = []

    def first(to, faithful, seed):
        runs_of_first.append(seed)
        return [Measure("RMSE", 0.5, 3.0)]

    def stop(to, faithful, seed):
        raise KeyboardInterrupt

    install = example(first, stop)
    with pytest.raises(KeyboardInterrupt):
        articles.run_all(out=tmp_path, quiet=True)
    install(first)
    done = articles.run_all(out=tmp_path, quiet=True)
    assert runs_of_first == [0] and done["first"] == [Measure("RMSE", 0.5, 3.0)]
    articles.run_all(out=tmp_path, quiet=True)
    assert runs_of_first == [0, 0]  # a run that ended is done again from the start


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (
            ["airlines"],
            2,
            "example 'airlines' is not known. Did you mean 'airline'? Choose one of",
        ),
        (
            ["airline", "--labels", "de"],
            2,
            "--labels 'de' is not known. Choose one of: en, ja.",
        ),
        (["airline", "--seed", "-1"], 2, "at least 0, got -1"),
        (
            ["airline", "--out", "taken"],
            1,
            "'taken' cannot be written: a file of that name already exists",
        ),
    ],
)
def test_bad_input_is_refused_before_anything_is_written(
    arguments, status, said, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    Path("taken").write_text("")
    code, out, err = run_cli(capsys, *arguments)
    assert (code, out) == (status, "") and said in err
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]


def test_a_read_only_folder_is_refused(tmp_path, monkeypatch):
    # root may write anywhere
    monkeypatch.setattr(os, "access", lambda place, mode: False)
    with pytest.raises(OutputError, match="permission to write there is missing"):
        ExampleRun(tmp_path, quiet=True)


def test_without_pytorch_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"pip install 'lstmcast\[train\]'"):
        articles.run("airline", out=tmp_path / "o", quiet=True)
    assert not (tmp_path / "o").exists()


def test_checkpoints_of_something_else_are_left_alone(tmp_path):
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "theirs").write_text("precious")
    for summary in ("", "example,mode,measure,value,seconds\n"):
        if summary:
            (tmp_path / "summary.csv").write_text(summary)
        with pytest.raises(
            OutputError, match=r"has other things in it.*empty or a new one"
        ):
            ExampleRun(tmp_path, quiet=True)
    assert (tmp_path / "checkpoints" / "theirs").read_text() == "precious"


def test_a_folder_with_other_things_is_left_alone_and_ones_own_is_filled_again(
    tmp_path,
):
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "log.txt").write_text("precious")
    with pytest.raises(OutputError, match=r"has other things in it \(log.txt\)"):
        ExampleRun(theirs, quiet=True)
    assert (theirs / "log.txt").read_text() == "precious"
    for _ in range(2):
        to = ExampleRun(tmp_path / "own", example="a", quiet=True)
        to.finish({"a": [Measure("RMSE", 0.5, 1.0)]})


# Going on


def interrupting(report):
    if report.epoch == 2:
        raise KeyboardInterrupt


def test_ctrl_c_ends_the_example_and_the_same_command_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr("lstmcast.training.checkpoint.Keeper.due", lambda keeper: True)
    to = ExampleRun(tmp_path, example="a", quiet=True)
    with pytest.raises(KeyboardInterrupt):
        to.fit(tiny(), panel(), callbacks=[interrupting])
    assert "note: interrupted" in (tmp_path / "log.txt").read_text()
    again = ExampleRun(tmp_path, example="a", quiet=True)
    assert again.resumed and "interrupted" in (tmp_path / "log.txt").read_text()
    whole = ExampleRun(tmp_path / "other", example="a", quiet=True)
    one, other = (run.fit(tiny(), panel()) for run in (again, whole))
    epochs = [
        line.split()[0] for line in (tmp_path / "log.txt").read_text().splitlines()
    ]
    assert epochs == ["epoch", "1", "2", "note:", "epoch", "2", "3"]
    np.testing.assert_array_equal(one.predict().point, other.predict().point)


def test_checkpoints_of_another_seed_are_not_taken_up(tmp_path):
    ExampleRun(tmp_path, example="a", seed=1, quiet=True).checkpoints.joinpath(
        "fit"
    ).mkdir()
    to = ExampleRun(tmp_path, example="a", seed=2, quiet=True)
    assert not to.resumed and not (to.checkpoints / "fit").exists()
    assert json.loads((to.checkpoints / runs.MARKER).read_text())["seed"] == 2


def test_seconds_of_training_add_up_over_members():
    fitted = lc.LSTMForecaster(
        2,
        weights="scratch",
        network=tiny().config,
        training=TrainingConfig(epochs=2, members=2, batching=Windows(4)),
    ).fit(panel())
    columns = fitted.history.columns()
    assert training_seconds(fitted.history) == pytest.approx(
        columns["seconds"][[1, 3]].sum()
    )


# Labels


def test_labels_are_translated_where_a_font_has_the_letters(tmp_path, monkeypatch):
    monkeypatch.setattr(fonts, "_covering", lambda families, letters: (families, set()))
    to = ExampleRun(tmp_path, quiet=True, language="ja", japanese={"step": "ステップ"})
    assert (to.text("step"), to.text("other")) == ("ステップ", "other")


def test_without_such_a_font_labels_are_english_and_a_note_says_so(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(
        fonts, "_covering", lambda families, letters: (families, letters)
    )
    to = ExampleRun(tmp_path, quiet=True, language="ja", japanese={"step": "ステップ"})
    assert to.text("step") == "step"
    assert (
        "no installed font has Japanese letters" in (tmp_path / "log.txt").read_text()
    )


def test_the_font_of_a_package_is_found_without_importing_it():
    pytest.importorskip("matplotlib_fontja")
    code = (
        "import sys; from lstmcast.util.fonts import fonts_with\n"
        "with fonts_with(set('学習曲線')) as missing:\n"
        "    print(missing, 'matplotlib_fontja' in sys.modules)\n"
        "import matplotlib; print(matplotlib.rcParams['font.family'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "set() False\n['sans-serif']\n" and done.stderr == ""


def test_every_example_is_there_and_has_japanese_words():
    for example in EXAMPLES.values():
        module = articles._module(example)
        assert callable(getattr(module, example.function))
        assert all(
            english and japanese for english, japanese in module.JAPANESE.items()
        )


def test_an_unknown_language_is_refused(tmp_path):
    with pytest.raises(UsageError, match="language='fr' is not known"):
        ExampleRun(tmp_path / "o", language="fr")


# The benchmark


def test_the_benchmark_takes_the_median_over_seeds(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).resolve().parents[1] / "benchmarks"))
    benchmark = importlib.import_module("articles")
    for seed, value in enumerate((0.05, 0.01, 0.02, 0.04, 0.03)):
        to = ExampleRun(tmp_path / f"sine-default-{seed}", example="sine", quiet=True)
        to.finish({"sine": [Measure("RMSE", value, 10.0 * seed)]})
    given = types.SimpleNamespace(runs=tmp_path, again=False, long=False)
    seeds = benchmark._seeds("sine", "default", given)
    (row,) = benchmark._rows("sine", "default", seeds, given)
    assert (row["value"], row["seconds"], row["low"], row["high"], row["seeds"]) == (
        0.03,
        20.0,
        0.01,
        0.05,
        5,
    )
    assert (
        benchmark._missed(row)
        == "missed: sine, default, RMSE: value 0.03 > 0.003, seconds 20 > 12"
    )
    assert {name for name, _ in benchmark.GOALS} <= set(EXAMPLES)


def test_the_benchmark_takes_of_long_runs_those_that_ended(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).resolve().parents[1] / "benchmarks"))
    benchmark = importlib.import_module("articles")
    given = types.SimpleNamespace(runs=tmp_path, again=False, long=False)
    assert benchmark._seeds("sine", "faithful", given) == ()
    for seed in (1, 3):
        to = ExampleRun(tmp_path / f"sine-faithful-{seed}", example="sine", quiet=True)
        to.finish({"sine": [Measure("RMSE", 0.1 * seed, 10.0)]})
    assert benchmark._seeds("sine", "faithful", given) == (1, 3)
    given.long = True
    assert benchmark._seeds("sine", "faithful", given) == (0, 1, 2, 3, 4)
    assert benchmark._seeds("beats", "faithful", given) == (0,)


# History


def test_epochs_metrics_and_updates_are_rows_of_tables(tmp_path):
    to = ExampleRun(tmp_path, quiet=True)
    metrics = {
        "weights": lambda network: sum(a.size for a in network.members[0].values())
    }
    fitted = to.fit(tiny(), panel(), "one", metrics=metrics, updates=True)
    to.fit(tiny(2), panel(), "two")
    history = rows(tmp_path / "history.csv")
    assert [(row["network"], row["epoch"]) for row in history] == [
        ("one", "1"),
        ("one", "2"),
        ("one", "3"),
        ("two", "1"),
        ("two", "2"),
    ]
    columns = fitted.history.columns()
    assert [float(row["train_loss"]) for row in history[:3]] == columns[
        "train_loss"
    ].tolist()
    assert float(history[0]["weights"]) > 0 and history[3]["weights"] == ""
    updates = rows(tmp_path / "updates.csv")
    assert [int(row["update"]) for row in updates] == list(
        range(1, int(columns["step"][-1]) + 1)
    )
    of_last = [float(row["train_loss"]) for row in updates if row["epoch"] == "3"]
    assert np.isfinite(of_last).all() and len(set(of_last)) == len(of_last)


def test_the_root_of_a_squared_error_is_in_the_history(tmp_path):
    training = TrainingConfig(epochs=1, batching=Windows(4), loss="mse")
    ExampleRun(tmp_path, quiet=True).fit(tiny().replace(training=training), panel())
    (row,) = rows(tmp_path / "history.csv")
    assert float(row["validation_rmse"]) == pytest.approx(
        float(row["validation_loss"]) ** 0.5
    )


def test_an_interrupted_run_keeps_the_epochs_that_it_recorded(tmp_path, monkeypatch):
    monkeypatch.setattr("lstmcast.training.checkpoint.Keeper.due", lambda keeper: True)
    metrics = {"ones": lambda network: 1.0}
    for callbacks in ([interrupting], []):
        to = ExampleRun(tmp_path, example="a", quiet=True)
        try:
            to.fit(tiny(), panel(), callbacks=callbacks, metrics=metrics, updates=True)
        except KeyboardInterrupt:
            assert [row["epoch"] for row in rows(tmp_path / "history.csv")] == [
                "1",
                "2",
            ]
    history, updates = rows(tmp_path / "history.csv"), rows(tmp_path / "updates.csv")
    assert [row["ones"] for row in history] == ["1.0"] * 3
    steps = [int(row["update"]) for row in updates]
    assert steps == sorted(set(steps)) and {row["epoch"] for row in updates} == {
        "1",
        "2",
        "3",
    }


def test_epochs_are_printed_where_the_article_prints_them(tmp_path, capsys):
    for quiet in (False, True):
        ExampleRun(tmp_path / str(quiet), quiet=quiet).fit(
            tiny(2), panel(), printed=True
        )
        out, err = capsys.readouterr()
        assert err == "" and [line.split()[0] for line in out.splitlines()] == (
            [] if quiet else ["epoch", "1", "2"]
        )


def test_a_number_of_epochs_takes_the_place_of_the_examples(tmp_path):
    to = ExampleRun(tmp_path, quiet=True, epochs=2)
    assert len(to.fit(tiny(5), panel()).history) == 2


# Several seeds


def of_seed(to, faithful, seed):
    to.table("seed", {"seed": [seed]})
    return [Measure("RMSE", float(seed), 1.0)]


def test_several_seeds_give_medians_and_ranges(example, tmp_path, capsys):
    example(of_seed)
    out = str(tmp_path / "o")
    arguments = ("first", "--out", out, "--seed", "4", "--seeds", "3", "--quiet")
    assert run_cli(capsys, *arguments)[:2] == (
        0,
        "measure  value  lowest  highest  seconds\nRMSE         5       4        6      1.0\n",
    )
    (row,) = rows(tmp_path / "o" / "summary.csv")
    assert [row[name] for name in ("value", "lowest", "highest", "seeds")] == [
        "5.0",
        "4.0",
        "6.0",
        "3",
    ]
    assert rows(tmp_path / "o" / "seed6" / "seed.csv") == [{"seed": "6"}]
    # again
    assert articles.run("first", out=out, seed=4, seeds=3, quiet=True)[0].value == 5.0
    done = articles.run_all(out=tmp_path / "all", seeds=2, quiet=True)
    assert articles.compared(done)[0][-4:] == ["error", "lowest", "highest", "seconds"]


def test_seeds_that_ended_are_not_run_again(example, tmp_path):
    ran, stopped = [], [True]

    def first(to, faithful, seed):
        ran.append(seed)
        if seed == 1 and stopped.pop():
            raise KeyboardInterrupt
        return of_seed(to, faithful, seed)

    example(first)
    with pytest.raises(KeyboardInterrupt):
        articles.run("first", out=tmp_path, seeds=2, quiet=True)
    stopped.append(False)
    (measure,) = articles.run("first", out=tmp_path, seeds=2, quiet=True)
    assert ran == [0, 1, 1] and (measure.value, measure.seeds) == (0.5, 2)


# A reader's own data


def days(many):
    return np.datetime64("2024-01-01") + np.arange(many)


@pytest.fixture
def taking(monkeypatch):
    """An example that takes the data that `takes` describes, and measures how many there are."""

    def install(takes):
        def run(to, faithful, seed):
            return [Measure("values", len(to.panel(panel).values), 0.0)]

        monkeypatch.setitem(
            sys.modules,
            "lstmcast.articles.fake",
            types.SimpleNamespace(run=run, JAPANESE={}),
        )
        monkeypatch.setattr(
            articles, "EXAMPLES", {"a": Example("fake", "run", "an a", takes)}
        )

    return install


def test_an_example_learns_from_a_readers_own_column(
    taking, tmp_path, monkeypatch, capsys
):
    taking(Takes(values=3))
    monkeypatch.chdir(tmp_path)
    days = "".join(f"2024-01-0{day},{day},{2 * day}\n" for day in range(1, 7))
    Path("own.csv").write_text(f"day,a,b\n{days}")
    status, out, _ = run_cli(
        capsys, "a", "--data", "own.csv", "--column", "b", "--quiet"
    )
    assert status == 0 and out.split()[-2:] == ["6", "0.0"]
    (measure,) = articles.run("a", out="other", quiet=True)
    assert measure.value == 40
    Path("rows.csv").write_text("a\n1\n2\n5\n")
    (measure,) = articles.run(
        "a", data="rows.csv", time="index", out="third", quiet=True
    )
    assert measure.value == 3
    status, _, err = run_cli(capsys, "a", "--data", "own.csv")
    assert status == 1 and "Choose one with --column a, or" in err


@pytest.mark.parametrize(
    ("takes", "arguments", "error", "said"),
    [
        (
            Takes(3),
            {"column": "b"},
            UsageError,
            "names a column of data, but no data are given",
        ),
        (
            Takes(10),
            {"data": np.ones(9)},
            DataError,
            "at least 10 values, and series .* has 9",
        ),
        (
            Takes(3),
            {"data": lc.Panel.from_arrays({"x": np.ones(9), "y": np.ones(9)})},
            DataError,
            "learns from 1 series, and .* has 2: 'x', 'y'. Name one",
        ),
        (
            Takes(3, fewest=2, most=None),
            {"data": np.ones(9)},
            DataError,
            "at least 2 series, and .* has 1",
        ),
        (
            Takes(3, 2, None, together=True),
            {"data": lc.Panel.from_arrays({"x": np.ones(9), "y": np.ones(8)})},
            DataError,
            "do not begin and end at the same times",
        ),
        (
            Takes(3, most=None, prices=True),
            {
                "data": {"day": days(5), "x": np.ones(5), "y": [1, 2, 0, 4, -1]},
                "column": "*",
            },
            DataError,
            r"returns, which need prices above 0, but series 'y' of .* is 0 at "
            r"2024-01-03, and 1 more value is not above 0\. Name other columns",
        ),
        (
            Takes(5, most=None, prices=True),
            {"data": lc.Panel.from_arrays({"x": [1, 2, 3, np.nan, 4], "y": [1, 2]})},
            DataError,
            "at least 5 prices of a series, and the longest of .*, 'x', has 4",
        ),
        (
            Takes(3),
            {"data": panel(), "column": "b"},
            UsageError,
            "a Panel has series, not columns",
        ),
        (Takes(3), {"data": "none.csv"}, DataError, "there is no file 'none.csv'"),
        (
            Takes(3),
            {"epochs": 0},
            UsageError,
            "epochs=0 must be a whole number of at least 1",
        ),
        (
            Takes(3),
            {"seeds": 0},
            UsageError,
            "seeds=0 must be a whole number of at least 1",
        ),
        (Takes(3), {"device": "tpu"}, UsageError, "device='tpu' is not known"),
    ],
)
def test_data_and_settings_that_do_not_fit_are_refused(
    taking, takes, arguments, error, said, tmp_path
):
    taking(takes)
    with pytest.raises(error, match=said):
        articles.run("a", out=tmp_path / "o", quiet=True, **arguments)
    assert not (tmp_path / "o").exists()


def test_checkpoints_of_other_data_are_not_taken_up(tmp_path):
    own = panel()
    ExampleRun(tmp_path, example="a", own=own, quiet=True)
    assert ExampleRun(tmp_path, example="a", own=own, quiet=True).resumed
    other = lc.Panel.from_arrays(np.cos(np.arange(40.0)))
    assert not ExampleRun(tmp_path, example="a", own=other, quiet=True).resumed


def test_one_file_is_not_for_all_examples(capsys):
    status, _, err = run_cli(capsys, "all", "--data", "own.csv")
    assert status == 2 and "--data, --column and --time are for a single example" in err
