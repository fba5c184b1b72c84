"""`lstmcast fit` as a person meets it: files, words, exit statuses, and what is left when it is
stopped."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from lstmcast import jobs
from lstmcast.cli.options.training import Training
from lstmcast.errors import OutputError
from lstmcast.forecaster import LSTMForecaster
from lstmcast.model.inputs import Transformed
from lstmcast.model.network import NetworkConfig
from lstmcast.training.callbacks import SaveEvery
from lstmcast.training_config import TrainingConfig, Windows
from lstmcast.transforms import Difference, MinMax

pytest.importorskip("torch", reason="needs the train extra")

ROOT = Path(__file__).parents[1]
SMALL = ("--weights", "scratch", "--layers", "4", "--epochs", "2")


@pytest.fixture
def run(run):
    """Run a command in this process, which finds no defect."""

    def invoke(*arguments):
        done = run(*arguments)
        assert "defect" not in done.err
        return done

    return invoke


def sales(place: Path, values=None) -> Path:
    """Sixty months with a trend and a season, or these values; None is an empty cell."""
    t = np.arange(60)
    values = (
        (100 + t + 20 * np.sin(t * np.pi / 6)).round(2) if values is None else values
    )
    cells = ["" if value is None else f"{value}" for value in values]
    rows = [
        f"{2015 + i // 12}-{i % 12 + 1:02}-01,{cell}" for i, cell in enumerate(cells)
    ]
    place.write_text("\n".join(["month,sales", *rows]) + "\n", encoding="utf-8")
    return place


@pytest.fixture
def data(tmp_path):
    return sales(tmp_path / "sales.csv")


@pytest.fixture
def model(tmp_path):
    return tmp_path / "sales.model"


# ---------------------------------------------------------------- what it writes and says


def test_a_fit_writes_a_model_and_says_what_became_of_it(run, data, model):
    done = run("fit", data, "-H", 6, "--model", model, *SMALL)
    assert done.status == 0
    assert (
        "History(1 member, 2 epochs" in done.out
        and "Accuracy on held-out data" in done.out
    )
    assert "epoch 2 of 2" in done.err and f"written: {model}" in done.err
    assert sorted(path.name for path in model.iterdir()) == [
        "fitted.safetensors",
        "manifest.json",
        "state.safetensors",
        "weights.safetensors",
    ]
    assert [
        path.name for path in model.parent.iterdir() if "checkpoints" in path.name
    ] == []
    assert run("info", model).out.count("layers: 4") == 1
    forecast = run("predict", "--model", model, "--horizon", 2)
    assert [line.split()[0] for line in forecast.out.splitlines()] == [
        "month",
        "2020-01-01",
        "2020-02-01",
    ]


def test_info_tells_of_a_training_that_was_done(run, data, model, tmp_path):
    run("fit", data, "-H", 6, "-m", model, *SMALL)
    run("forecast", data, "-H", 6, "--cutoffs", 0, "--save", tmp_path / "untrained")
    assert "learning_rate" in run("info", model).out
    assert "learning_rate" not in run("info", tmp_path / "untrained").out


def test_a_snapshot_is_predicted_with_and_says_what_it_is(run, data, tmp_path):
    training = TrainingConfig(epochs=2, batching=Windows(length=8))
    network = NetworkConfig(
        layers=(3,), inputs=Transformed(Difference(), MinMax()), head="point"
    )
    forecaster = LSTMForecaster(
        2, weights="scratch", network=network, training=training
    )
    forecaster.fit(str(data), callbacks=[SaveEvery(tmp_path / "snapshots", 1)])
    first = tmp_path / "snapshots" / "snapshot0001"
    done = run("predict", "--model", first)
    values = [float(line.split()[1]) for line in done.out.splitlines()[1:]]
    assert done.status == 0 and len(values) == 2
    assert all(100 < value < 220 for value in values)  # as the data are
    assert ": a snapshot of epoch 1 of 2, saved by" in run("info", first).out


def test_a_fitted_model_goes_on_with_newer_data(run, data, model):
    run("fit", data, "-H", 3, "-m", model, *SMALL)
    newer = data.with_name("newer.csv")
    newer.write_text("month,sales\n2020-01-01,161\n", encoding="utf-8")
    done = run("predict", "-m", model, newer)
    assert "2020-02-01" in done.out and "continued from the saved state" in done.err


def test_options_of_training_make_a_forecaster_with_the_quantiles_asked_for():
    made = Training(weights="scratch", epochs=3).forecaster(6, (0.2, 0.8))
    assert made.quantiles == (0.2, 0.8) and made.training.epochs == 3


def test_quiet_says_nothing_but_the_result(run, data, model):
    done = run("fit", data, "-H", 6, "-m", model, *SMALL, "--quiet")
    assert done.err == "" and done.out.startswith("History(")


def test_one_json_document(run, data, model):
    done = run("fit", data, "-H", 6, "-m", model, *SMALL, "--json", "--quiet")
    document = done.json
    assert (
        done.err == "" and document["files"] == [str(model)] and document["notes"] == []
    )
    assert document["data"]["values"] == 60 and document["training"]["epoch"] == [1, 2]
    assert len(document["training"]["validation_loss"]) == 2
    assert np.isfinite(document["accuracy"]["scores"]["lstmcast"]["mae"])


def test_a_learning_curve_and_a_report(run, data, model, tmp_path):
    plot, report = tmp_path / "curve.png", tmp_path / "report.html"
    done = run(
        "fit", data, "-H", 6, "-m", model, *SMALL, "--plot", plot, "--report", report
    )
    assert plot.read_bytes().startswith(b"\x89PNG") and f"{plot}, {report}" in done.err
    page = report.read_text(encoding="utf-8")
    assert "lstmcast fit" in page and "Learning curve" in page


def test_a_model_trained_on_everything_has_no_accuracy_on_a_part_held_back(
    run, data, model
):
    done = run("fit", data, "-H", 6, "-m", model, *SMALL, "--everything")
    assert "retrained on all data" in done.err and "Accuracy" not in done.out
    assert run("info", model, "--json").json["model"]["training"]["refit"] is True


def test_mixed_precision_is_kept_with_the_model(run, data, model):
    assert (
        run("fit", data, "-H", 6, "-m", model, *SMALL, "--precision", "mixed").status
        == 0
    )
    assert (
        run("info", model, "--json").json["model"]["training"]["precision"] == "mixed"
    )


def test_the_shipped_network_is_fine_tuned(run, data, model):
    done = run("fit", data, "-H", 6, "-m", model, "--epochs", 1, "--json")
    assert done.json["training"]["epoch"] == [0, 1] * 2
    first = np.array(done.json["training"]["validation_loss"]).reshape(2, 2)
    best = np.array(done.json["training"]["best"]).reshape(2, 2)
    assert (first[best] <= first[:, 0]).all()


def test_training_goes_on_from_a_saved_model(run, data, model, tmp_path):
    run("fit", data, "-H", 6, "-m", model, *SMALL)
    longer = sales(tmp_path / "sales.csv", np.arange(80) % 12 + 10)
    done = run(
        "fit",
        longer,
        "-H",
        6,
        "-m",
        tmp_path / "next",
        "--weights",
        model,
        "--epochs",
        1,
    )
    assert done.status == 0 and json.loads(
        (tmp_path / "next/manifest.json").read_text()
    )["network"]["layers"] == [4]


# ---------------------------------------------------------------- wrong usage


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["--weights", "scratch", "--layers", "a,b"], 2, "such as 64,64, got 'a,b'"),
        (["--weights", "scratch", "--layers", "8,0"], 2, "such as 64,64, got '8,0'"),
        (["--weights", "scratch", "--layers", ""], 2, "such as 64,64, got ''"),
        (["--layers", "8"], 2, "--weights scratch"),
        (["--members", "3"], 2, "--weights scratch"),
        (["--epochs", "0"], 2, "--epochs must be at least 1, got 0"),
        (["--batch-size", "0"], 2, "--batch-size must be at least 1, got 0"),
        (["--patience", "-3"], 2, "--patience must be at least 1, got -3"),
        (["--threads", "0"], 2, "--threads must be at least 1, got 0"),
        (
            ["--learning-rate", "-1"],
            2,
            "--learning-rate must be a number above 0, such as 0.001, got -1",
        ),
        (
            ["--learning-rate", "nan"],
            2,
            "--learning-rate must be a number above 0, such as 0.001, got nan",
        ),
        (
            ["--learning-rate", "inf"],
            2,
            "--learning-rate must be a number above 0, such as 0.001, got inf",
        ),
        (["--seed", "-1"], 2, "--seed must be at least 0, got -1"),
        (["--device", "tpu"], 2, "--device 'tpu' is not known"),
        (
            ["--precision", "half"],
            2,
            "--precision 'half' is not known. Choose one of: full, mixed.",
        ),
        (["--weights", "nowhere"], 1, "there is no folder 'nowhere'"),
        (["--weights", "sales.csv"], 1, "'sales.csv' is a file"),
        (["--plot", "curve.txt"], 1, ".png or .svg or .pdf"),
        (["--report", "report.pdf"], 1, "ends in .html"),
        (["--model", "sales.csv"], 1, "is a file, not a saved model"),
        (["--model", "."], 1, "is left alone"),
        (["--model", ""], 2, "'' is not a folder. Name one"),
    ],
    ids=lambda part: "_".join(part) if isinstance(part, list) else "",
)
def test_wrong_options_are_refused_before_anything_is_read(
    run, data, monkeypatch, arguments, status, message
):
    monkeypatch.chdir(data.parent)
    monkeypatch.setattr(
        jobs.Source, "read", lambda *_: pytest.fail("the data were read")
    )
    folder = () if "--model" in arguments else ("-m", "model")
    done = run("fit", "sales.csv", "-H", 6, *folder, *arguments)
    assert done.status == status and done.out == "" and message in done.err
    assert done.err.count("lstmcast:") == 1 and not Path("model").exists()


def test_an_empty_folder_that_one_is_in_is_refused(run, data, tmp_path, monkeypatch):
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    done = run("fit", data, "-H", 6, "-m", ".", *SMALL)
    assert done.status == 1 and "is the current folder" in done.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty", "sales.csv"]


def test_a_model_by_the_name_of_a_link_has_its_checkpoints_beside_it(
    run, data, tmp_path, monkeypatch
):
    (tmp_path / "models" / "new").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "models" / "new")
    used, fit = [], LSTMForecaster.fit
    monkeypatch.setattr(
        LSTMForecaster,
        "fit",
        lambda *args, **given: (used.append(given), fit(*args, **given))[1],
    )
    for name in ("link", "models/new/../new"):
        assert run("fit", data, "-H", 6, "-m", tmp_path / name, *SMALL).status == 0
    assert [given["folder"] for given in used] == [
        tmp_path / "models" / "new.checkpoints"
    ] * 2
    assert (tmp_path / "link").is_symlink()


def test_cuda_without_a_gpu_is_refused(run, data, model, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    done = run("fit", data, "-H", 6, "-m", model, *SMALL, "--device", "cuda")
    assert done.status == 2 and "no CUDA device" in done.err and not model.exists()
    done = run("backtest", data, "-H", 6, *SMALL, "--device", "cuda")
    assert (
        done.status == 2
        and "fitting for cutoff 1 of 5" in done.err
        and "no CUDA device" in done.err
    )


def test_a_backtest_trains_with_the_threads_it_is_given(run, data, monkeypatch):
    used, fit = [], LSTMForecaster.fit
    monkeypatch.setattr(
        LSTMForecaster,
        "fit",
        lambda *args, **given: (used.append(given), fit(*args, **given))[1],
    )
    assert (
        run("backtest", data, "-H", 6, "--cutoffs", 2, *SMALL, "--threads", 1).status
        == 0
    )
    assert used == [{"device": "cpu", "threads": 1}]


def test_a_place_that_cannot_be_written_is_found_before_training(
    run, data, model, monkeypatch
):
    # for root, every folder is writable
    monkeypatch.setattr(os, "access", lambda *_: False)
    monkeypatch.setattr(
        jobs.Source, "read", lambda *_: pytest.fail("the data were read")
    )
    done = run("fit", data, "-H", 6, "-m", model, *SMALL)
    assert (
        done.status == 1
        and f"{str(model)!r} cannot be written" in done.err
        and not model.exists()
    )


# ---------------------------------------------------------------- data


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([3], "only one value"),
        ([3, 4, 6], "long enough"),
        ([None] * 60, "no numeric column"),
        (["1e300"] * 60, "up to 1e+100"),
        ([None] * 59 + [4], "only one value"),
    ],
    ids=["one", "three", "empty", "huge", "last"],
)
def test_data_that_cannot_be_trained_on(run, data, model, values, message):
    done = run("fit", sales(data, values), "-H", 6, "-m", model, *SMALL)
    assert done.status == 1 and message in done.err and not model.exists()


@pytest.mark.parametrize("text", ["", "month,sales\n"], ids=["nothing", "a header"])
def test_an_empty_file(run, data, model, text):
    data.write_text(text)
    done = run("fit", data, "-H", 6, "-m", model, *SMALL)
    assert done.status == 1 and re.search("is empty|no rows", done.err)


def test_repeated_times(run, data, model):
    lines = data.read_text().splitlines()
    data.write_text("\n".join([*lines[:9], *lines[8:]]))
    done = run("fit", data, "-H", 6, "-m", model, *SMALL)
    assert done.status == 1 and "two rows for 2015-08-01" in done.err
    assert (
        run("fit", data, "-H", 6, "-m", model, *SMALL, "--duplicates", "mean").status
        == 0
    )


@pytest.mark.parametrize(
    "values",
    [
        [5] * 60,
        [0] * 60,
        np.arange(60) - 90,
        np.arange(60) * 1e90,
        [None] * 30 + [4, 5, 7] * 10,
    ],
    ids=["constant", "zeros", "negative", "large", "half"],
)
def test_strange_data_still_give_a_model(run, data, model, values):
    assert run("fit", sales(data, values), "-H", 6, "-m", model, *SMALL).status == 0
    forecast = run("predict", "-m", model, "--json").json["forecast"]
    assert np.isfinite(forecast["forecast"]).all()


def test_a_constant_series_stays_constant(run, data, model):
    run("fit", sales(data, [5] * 60), "-H", 2, "-m", model, *SMALL)
    assert re.findall(r"2020-\d\d-01 +5 +5 … 5", run("predict", "-m", model).out)


def test_short_series_are_left_out_with_a_note(run, data, model):
    rows = [
        f"{2015 + i // 12}-{i % 12 + 1:02}-01,{s},{i % 12}"
        for s, n in (("a", 40), ("b", 4))
        for i in range(n)
    ]
    data.write_text("\n".join(["month,shop,sales", *rows]))
    done = run("fit", data, "-H", 3, "-m", model, *SMALL)
    assert done.status == 0 and "1 of 2 series" in done.err
    assert run("predict", "-m", model).out.count("2015-05-01") == 1


# ---------------------------------------------------------------- memory, and packages that are
# missing


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: 9 bytes"),
    ],
)
def test_a_batch_that_does_not_fit_in_memory(run, data, model, monkeypatch, error):
    def fail(*_):
        raise error

    monkeypatch.setattr("lstmcast.training.loop.train_epoch", fail)
    done = run("fit", data, "-H", 6, "-m", model, *SMALL, "--batch-size", 128)
    assert (
        done.status == 1
        and "A batch of 128 does not fit in memory" in done.err
        and "example 32" in done.err
    )
    assert not model.exists()


@pytest.mark.parametrize(
    "options",
    [("--epochs", 5), ("--workers", 2), ("--refit", "never", "--seed", 3)],
    ids=str,
)
def test_options_of_a_training_that_is_not_done_are_refused(run, data, options):
    done = run("backtest", data, "-H", 3, *options)
    assert (
        done.status == 2
        and "would have no effect" in done.err
        and "--refit once" in done.err
    )


@pytest.mark.parametrize(
    "options",
    [("--refit", "once"), ("--weights", "scratch"), (*SMALL, "--refit", "once")],
    ids=str,
)
def test_workers_are_refused_where_there_is_one_training(run, data, options):
    done = run("backtest", data, "-H", 3, *options, "--workers", 4)
    assert (
        done.status == 2
        and "--workers would have no effect" in done.err
        and "Give --refit each" in done.err
    )


def test_it_is_said_that_the_part_held_back_decided_something(run, data, tmp_path):
    done = run("fit", data, "-H", 3, "-m", tmp_path / "m", *SMALL)
    assert "coverage is not a test" in done.out


def test_steps_that_could_not_be_compared_are_left_out_and_said(run, data, tmp_path):
    done = run("fit", data, "-H", 50, "-m", tmp_path / "m", *SMALL)
    steps = re.findall(r"^(\d+) +[\d.]+ ", done.out, re.MULTILINE)
    assert steps and f"Only steps up to {steps[-1]} of 50 could be compared" in done.out


def test_a_network_that_does_not_fit_in_memory(data, model):
    """For real: 64 GB of addresses are more than PyTorch takes, and far less than such layers
    need."""
    resource = pytest.importorskip("resource", reason="limits are those of Unix")

    def limited():
        resource.setrlimit(resource.RLIMIT_AS, (64 << 30, 64 << 30))

    wide = ("--weights", "scratch", "--layers", "300000")
    done = subprocess.run(
        [sys.executable, "-m", "lstmcast", "fit", data, "-H", "6", "-m", model, *wide],
        capture_output=True,
        text=True,
        timeout=120,
        preexec_fn=limited,
        env=os.environ | {"PYTHONPATH": str(ROOT / "src")},
    )
    assert (
        done.returncode == 1
        and "does not fit in memory" in done.stderr
        and "smaller network" in done.stderr
    )
    assert "Traceback" not in done.stderr and not model.exists()


def test_without_pytorch_the_extra_is_named_and_forecasts_go_on(data, model, tmp_path):
    blocker = (
        "from importlib.machinery import PathFinder\nfind = PathFinder.find_spec\nhidden = lambda "
        "cls, name, *where: None if name.split('.')[0] == 'torch' else find(name, *where)\n"
        "PathFinder.find_spec = classmethod(hidden)\n"
    )
    (tmp_path / "sitecustomize.py").write_text(blocker)
    path = os.pathsep.join([str(tmp_path), str(ROOT / "src")])
    settings = {
        "capture_output": True,
        "text": True,
        "timeout": 120,
        "env": os.environ | {"PYTHONPATH": path},
    }
    command = [sys.executable, "-m", "lstmcast"]
    done = subprocess.run(
        [*command, "fit", data, "-H", "6", "-m", model, *SMALL], **settings
    )
    assert (
        done.returncode == 1
        and "pip install 'lstmcast[train]'" in done.stderr
        and "Traceback" not in done.stderr
    )
    done = subprocess.run(
        [*command, "forecast", data, "-H", "2", "--cutoffs", "0"], **settings
    )
    assert done.returncode == 0 and "2020-02-01" in done.stdout


# ---------------------------------------------------------------- interruptions


SLOW = """
import sys, time
from lstmcast.cli import app as cli
from lstmcast.cli.options.training import Training
from lstmcast.training import checkpoint, loop
checkpoint.Keeper.__init__.__defaults__ = (0.0, time.monotonic)  # at every epoch
epoch = loop.train_epoch
def slower(run, number):
    time.sleep(0.2 * (number > 5))
    return epoch(run, number)
loop.train_epoch = slower
cli.main(sys.argv[1:])
"""
LONG = ("--weights", "scratch", "--layers", "4", "--epochs", "15", "--threads", "1")


def started(*arguments) -> subprocess.Popen:
    """A training of its own process that has just written a checkpoint of an epoch after the
    fifth."""
    env = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    command = [sys.executable, "-c", SLOW, *map(str, arguments)]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env
    )
    manifest = (
        checkpoints(arguments[arguments.index("-m") + 1]) / "member-0/manifest.json"
    )
    until = time.monotonic() + 60
    while epochs_done(manifest) < 6:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until, "no checkpoint was written"
        time.sleep(0.02)
    return process


def checkpoints(model: Path) -> Path:
    return model.with_name(f"{model.name}.checkpoints")


def epochs_done(manifest: Path) -> int:
    try:
        return json.loads(manifest.read_text(encoding="utf-8"))["state"]["epoch"]
    except FileNotFoundError:  # not yet, or just being replaced
        return 0


def test_a_killed_training_goes_on_to_the_same_bits_and_a_living_one_is_alone(
    run, data, model, tmp_path
):
    process = started("fit", data, "-H", 6, "-m", model, *LONG)
    refused = run("fit", data, "-H", 6, "-m", model, *SMALL)
    assert (
        refused.status == 1
        and f"Another training is running with checkpoints in '{model}" in refused.err
        and "Wait until it has ended" in refused.err
        and "is started again" not in refused.err
    )
    with pytest.raises(OutputError, match="Another training is running"):
        forecaster = LSTMForecaster(
            6, weights="scratch", network=NetworkConfig(layers=(4,))
        )
        forecaster.fit(data, folder=checkpoints(model))
    process.kill()  # a dead one blocks nobody
    process.communicate()
    assert not model.exists()
    assert 5 < epochs_done(checkpoints(model) / "member-0/manifest.json") < 15
    # what is there where it was killed in the middle of a save
    unfinished = checkpoints(model) / ".member-0.new-a1b2c3d4"
    unfinished.mkdir()
    (unfinished / "weights.safetensors").write_bytes(b"half")
    assert run("fit", data, "-H", 6, "-m", model, *LONG, "--resume").status == 0
    assert run("fit", data, "-H", 6, "-m", tmp_path / "whole", *LONG).status == 0
    weights = [
        (folder / "weights.safetensors").read_bytes()
        for folder in (model, tmp_path / "whole")
    ]
    assert weights[0] == weights[1]
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "sales.csv",
        "sales.model",
        "whole",
    ]


def test_ctrl_c_keeps_the_best_so_far(run, data, model):
    process = started("fit", data, "-H", 6, "-m", model, *LONG)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    epoch = int(re.search(r"interrupted after epoch (\d+)", err)[1])
    assert (
        5 < epoch < 15
        and "History(1 member" in out
        and f"written: {model}" in err
        and "Traceback" not in err
    )
    assert "--resume" in err
    assert run("predict", "-m", model).status == 0
    assert run("fit", data, "-H", 6, "-m", model, *LONG, "--resume").status == 0
    assert json.loads((model / "manifest.json").read_text())["trained"]["epochs"] == 15


def test_terminated_it_leaves_what_it_can_go_on_from(run, data, model):
    process = started("fit", data, "-H", 6, "-m", model, *LONG)
    process.terminate()
    _, err = process.communicate(timeout=60)
    assert process.returncode == 143 and not model.exists() and "Traceback" not in err
    done = run("fit", data, "-H", 6, "-m", model, *LONG, "--resume")
    assert done.status == 0 and model.exists()


def test_checkpoints_of_a_training_that_began_since_are_left_to_it(tmp_path):
    from lstmcast import store
    from lstmcast.training.checkpoint import claimed, discard

    store.save(tmp_path / "runs" / "member-0", {"kind": "checkpoint"}, {})
    with claimed(tmp_path / "runs"):
        discard(tmp_path / "runs")
        assert (tmp_path / "runs" / "member-0").exists()
    discard(tmp_path / "runs")
    assert not (tmp_path / "runs").exists()


@pytest.fixture
def interrupted(run, data, model, monkeypatch):
    """The checkpoints of a training that the system ended in its seventh epoch."""
    from lstmcast.training import loop

    train_epoch = loop.train_epoch

    def ended(training, number):
        if number > 6:
            raise SystemExit(143)
        return train_epoch(training, number)

    with monkeypatch.context() as patch:
        patch.setattr(loop, "train_epoch", ended)
        assert run("fit", data, "-H", 6, "-m", model, *LONG).status == 143
    assert epochs_done(checkpoints(model) / "member-0/manifest.json") >= 1
    return checkpoints(model)


def test_checkpoints_of_another_run_are_refused_and_say_why(
    run, data, model, interrupted
):
    def resumed(*changes, layers=4):
        options = ["--weights", "scratch", "--epochs", 15, "--threads", 1]
        options += ["--layers", layers, *changes]
        done = run("fit", data, "-H", 6, "-m", model, *options, "--resume")
        assert (
            done.status == 1
            and "belongs to another run" in done.err
            and not model.exists()
        )
        return done.err

    assert "training.batch_size is 64, not 8" in resumed("--batch-size", 8)
    assert "seed is 0, not 1" in resumed("--seed", 1)
    assert "network.layers is [4], not [5]" in resumed(layers=5)
    sales(data, np.arange(60))
    assert "other data" in resumed()
    assert interrupted.exists()
    done = run("fit", data, "-H", 6, "-m", model, *LONG)
    assert (
        done.status == 0
        and "is started again; use --resume to continue it instead" in done.err
    )


def test_a_kept_training_is_prolonged_and_goes_on_with_newer_data(run, data, model):
    def fit(epochs, *options):
        given = ("--weights", "scratch", "--layers", "4", "--epochs", epochs)
        return run("fit", data, "-H", 6, "-m", model, *given, *options)

    assert fit(1, "--keep-checkpoints").status == 0 and checkpoints(model).exists()
    longer = fit(2, "--keep-checkpoints", "--resume")
    assert "epoch 2 of 2" in longer.err and "epoch 1 of 2" not in longer.err
    assert "continued after epoch 1 of 1" in longer.err  # along another cosine
    t = np.arange(66)
    sales(data, (100 + t + 20 * np.sin(t * np.pi / 6)).round(2))
    assert "have grown" in fit(2, "--resume").err
    grown = fit(3, "--resume")
    assert grown.status == 0 and "(6 new values of 1 of 1 series)" in grown.err
    assert "2020-07-01" in run("predict", "-m", model, "-H", 1).out
    assert not checkpoints(model).exists()  # it was not asked to keep them


def test_a_series_without_a_name_is_the_same_in_a_report_on_a_newer_file(
    run, data, model, tmp_path
):
    given = (
        "-H",
        6,
        "-m",
        model,
        "--weights",
        "scratch",
        "--layers",
        "4",
        "--keep-checkpoints",
    )
    assert run("fit", data, *given, "--epochs", 1).status == 0
    newer, page = data.with_name("newer.csv"), tmp_path / "page.html"
    t = np.arange(66)
    sales(newer, (100 + t + 20 * np.sin(t * np.pi / 6)).round(2))
    done = run("fit", newer, *given, "--epochs", 2, "--resume", "--report", page)
    assert done.status == 0 and page.exists()
    assert "Accuracy on held-out data: not judged" not in done.out


def test_a_damaged_checkpoint_is_named(run, data, model, interrupted):
    (interrupted / "member-0" / "weights.safetensors").write_bytes(b"")
    done = run("fit", data, "-H", 6, "-m", model, *LONG, "--resume")
    assert (
        done.status == 1
        and f"The checkpoint in '{interrupted}/member-0' is damaged: weights.safetensors"
        in done.err
    )
    assert (
        f"Remove the folder '{interrupted}' to start again, or leave out --resume"
        in done.err
    )
    assert "Save the model again" not in done.err
    (interrupted / "member-0" / "manifest.json").write_bytes(b"")
    done = run("fit", data, "-H", 6, "-m", model, *LONG, "--resume")
    assert (
        done.status == 1
        and "manifest.json: it is not JSON" in done.err
        and "leave out --resume" in done.err
    )
    assert (
        run("fit", data, "-H", 6, "-m", model, *LONG).status == 0
        and not interrupted.exists()
    )


def test_what_else_lies_beside_the_checkpoints_is_left_alone(run, data, model):
    notes = checkpoints(model) / "notes.txt"
    notes.parent.mkdir()
    notes.write_text("mine")
    assert run("fit", data, "-H", 6, "-m", model, *SMALL).status == 0
    assert [path.name for path in notes.parent.iterdir()] == [
        "notes.txt"
    ] and notes.read_text() == "mine"


def test_a_model_that_is_damaged_can_be_trained_again(run, data, model):
    run("fit", data, "-H", 6, "-m", model, *SMALL)
    os.truncate(model / "manifest.json", 100)
    assert "Save the model again" in run("predict", "-m", model).err
    assert run("fit", data, "-H", 6, "-m", model, *SMALL).status == 0
    assert run("predict", "-m", model).status == 0


@pytest.mark.parametrize(
    "folder", [False, True], ids=["nothing", "a folder without checkpoints"]
)
def test_nothing_to_resume_is_said_however_quiet(run, data, model, folder):
    if folder:
        checkpoints(model).mkdir()
    done = run("fit", data, "-H", 6, "-m", model, *SMALL, "--resume", "--quiet")
    assert (
        done.status == 0
        and f"there is no interrupted or kept training in {checkpoints(model)}"
        in done.err
    )
    checkpoints(model).mkdir()
    assert "is started again" not in run("fit", data, "-H", 6, "-m", model, *SMALL).err


@pytest.mark.parametrize(
    ("at", "said"),
    [
        (1, "No epoch was finished, so --resume has nothing to continue from"),
        (2, "To continue, run"),
    ],
)
def test_ctrl_c_promises_what_resume_can_do(run, data, model, monkeypatch, at, said):
    from lstmcast.training import loop

    epoch = loop.train_epoch

    def interrupted(run, number):
        if number == at:
            raise KeyboardInterrupt
        return epoch(run, number)

    monkeypatch.setattr(loop, "train_epoch", interrupted)
    # fine-tuning: the start is a model already
    done = run("fit", data, "-H", 6, "-m", model, "--epochs", 3)
    assert (
        done.status == 130
        and model.exists()
        and said in done.err
        and done.err.count("--resume") == 1
    )
    assert checkpoints(model).exists() == (at == 2)
    monkeypatch.setattr(loop, "train_epoch", epoch)
    again = run("fit", data, "-H", 6, "-m", model, "--epochs", 3, "--resume")
    assert again.status == 0 and (
        "there is no interrupted or kept training" in again.err
    ) == (at == 1)
