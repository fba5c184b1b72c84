"""The loop and the fit: the best epoch is kept, the same seed gives the same bits, nothing is
lost."""

from __future__ import annotations

import math
import os
import re
import signal
import subprocess
import sys
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lstmcast import store
from lstmcast.data.panel import Panel
from lstmcast.errors import ModelError, UsageError
from lstmcast.fit_data import AdaptiveData, TransformedData
from lstmcast.model.inputs import Adaptive, Transformed
from lstmcast.model.network import Network, NetworkConfig

torch = pytest.importorskip("torch", reason="needs the train extra")

from lstmcast.training import batching, environment, loop  # noqa: E402
from lstmcast.training.fitting import fit_network  # noqa: E402
from lstmcast.training.optim import rate  # noqa: E402
from lstmcast.training_config import (  # noqa: E402
    SWA,
    Ema,
    Optimiser,
    Rollout,
    Schedule,
    Stateful,
    TrainingConfig,
    Validation,
    WholeSequence,
    Windows,
)

SRC = Path(__file__).parents[1] / "src"
PLAIN = NetworkConfig(layers=(4, 3), inputs=Transformed(), head="point", horizon=1)
ADAPTIVE = NetworkConfig(layers=(5, 5), horizon=4, inputs=Adaptive(window=4))
QUICK = TrainingConfig(
    epochs=6, batching=Windows(6), batch_size=8, optimiser=Optimiser(learning_rate=1e-2)
)


class Interrupted(Exception):
    """Stands for whatever ends a run."""


def plain_data(lengths=(40, 25), back=8, ids=None):
    values, offsets = [], np.cumsum([0, *lengths])
    for k, length in enumerate(lengths):
        values.append(
            np.sin(np.arange(length) * 0.5 + k) + 0.1 * np.cos(np.arange(length) ** 2)
        )
    y = np.concatenate(values)[:, None]
    names = np.array(ids or [f"s{k}" for k in range(len(lengths))], object)
    return TransformedData(y, y, offsets, np.array(lengths) - back, names)


def adaptive_data():
    rng = np.random.default_rng(0)
    series = {
        f"s{k}": 50 + 10 * np.sin(np.arange(40 + k) / 2) + rng.normal(size=40 + k)
        for k in range(3)
    }
    panel = Panel.from_arrays(series, frequency="MS", start="2020-01")
    return AdaptiveData(panel, np.asarray(panel.lengths) - 8)


def same_bits(one, other):
    assert len(one.members) == len(other.members)
    for a, b in zip(one.members, other.members, strict=True):
        assert a.keys() == b.keys() and all(
            np.array_equal(a[name], b[name]) for name in a
        )
    return True


def differs(one, other):
    return any(
        (a[name] != b[name]).any()
        for a, b in zip(one.members, other.members, strict=True)
        for name in a
    )


def rows_without_seconds(history):
    return repr([row._replace(seconds=0.0) for row in history.epochs])


# The best epoch


def test_the_best_epoch_is_kept():
    taken = {}

    def keep(report):
        taken[report.epoch] = (report.validation_loss, report.network())

    # too fast: losses go up and down
    config = replace(QUICK, epochs=12, optimiser=Optimiser(learning_rate=0.3))
    fitted = fit_network(PLAIN, plain_data(), config, callbacks=[keep])
    best = min(taken, key=lambda epoch: taken[epoch][0])
    assert best < 12
    assert same_bits(fitted.network, taken[best][1])
    assert [row.epoch for row in fitted.history.epochs if row.best] == [best]


def test_without_validation_the_last_epoch_is_kept():
    last = []
    config = replace(QUICK, validation=None)
    fitted = fit_network(
        PLAIN,
        plain_data(back=0),
        config,
        callbacks=[lambda report: last.append(report.network())],
    )
    assert same_bits(fitted.network, last[-1]) and differs(last[-1], last[-2])
    assert np.isnan(fitted.history.columns()["validation_loss"]).all()


def test_patience_counts_epochs_without_a_new_best():
    config = replace(
        QUICK, epochs=200, patience=3, optimiser=Optimiser(learning_rate=0.2)
    )
    epochs = fit_network(PLAIN, plain_data(), config).history.epochs
    (best,) = [row.epoch for row in epochs if row.best]
    assert len(epochs) == best + 3 < 200


def test_a_callback_stops_the_training():
    fitted = fit_network(
        PLAIN,
        plain_data(),
        QUICK,
        callbacks=[lambda report: report.epoch == 2, lambda report: None],
    )
    assert len(fitted.history) == 2


def test_the_loss_goes_down_in_every_batching_scheme():
    for scheme in (
        Windows(6, loss="every"),
        WholeSequence(),
        WholeSequence(10),
        Stateful(10),
        Rollout(8, support=4),
    ):
        config = replace(
            QUICK, epochs=12, batching=scheme, optimiser=Optimiser(learning_rate=3e-2)
        )
        losses = fit_network(PLAIN, plain_data(), config).history.columns()[
            "train_loss"
        ]
        assert losses[-1] < 0.8 * losses[0], scheme


def test_training_reaches_a_known_optimum():
    """An AR(1) series: the error of the best forecast is the variance of its noise."""
    rng = np.random.default_rng(0)
    y = np.zeros(600)
    for t in range(1, 600):
        y[t] = 0.8 * y[t - 1] + rng.normal()
    y = y[:, None] / 2
    data = TransformedData(
        y, y, np.array([0, 600]), np.array([450]), np.array(["a"], object)
    )
    config = replace(
        QUICK, epochs=25, batch_size=64, batching=Windows(12, loss="every")
    )
    rows = fit_network(PLAIN, data, config).history.epochs
    assert min(row.validation_loss for row in rows) == pytest.approx(0.25, rel=0.15)


# The same bits


@pytest.mark.parametrize(
    "network", [PLAIN, replace(PLAIN, dropout=0.3)], ids=["", "dropout"]
)
def test_one_seed_gives_the_same_bits(network):
    fitted = [
        fit_network(network, plain_data(), QUICK, seed=seed) for seed in (3, 3, 4)
    ]
    assert same_bits(fitted[0].network, fitted[1].network) and differs(
        fitted[0].network, fitted[2].network
    )
    assert rows_without_seconds(fitted[0].history) == rows_without_seconds(
        fitted[1].history
    )


def test_training_leaves_the_random_numbers_and_threads_of_others_alone():
    torch.manual_seed(1)
    expected, threads = torch.rand(3), torch.get_num_threads()
    torch.manual_seed(1)
    fit_network(PLAIN, plain_data(), replace(QUICK, epochs=1), threads=threads + 1)
    assert torch.equal(torch.rand(3), expected) and torch.get_num_threads() == threads


@pytest.mark.parametrize(
    "batching", [Windows(6), WholeSequence(), Stateful(7), Rollout(6, 2)]
)
def test_the_order_of_series_does_not_matter(batching):
    data = plain_data((40, 25))
    a, b = (slice(data.offsets[k], data.offsets[k + 1]) for k in (0, 1))
    turned = np.concatenate([data.inputs[b], data.inputs[a]])
    other = TransformedData(
        turned, turned, np.array([0, 25, 65]), data.ends[::-1], data.ids[::-1]
    )
    config = replace(QUICK, batching=batching)
    assert same_bits(
        fit_network(PLAIN, data, config).network,
        fit_network(PLAIN, other, config).network,
    )


@pytest.mark.parametrize("ends", [0.0, -3.0])
@pytest.mark.parametrize("batching", [Windows(12), WholeSequence()])
def test_values_of_zero_and_less_may_come_after_positive_ones(ends, batching, recwarn):
    rng = np.random.default_rng(0)
    series = {
        f"s{k}": np.append(50 + rng.normal(size=40), np.full(4, ends)) for k in range(3)
    }
    panel = Panel.from_arrays(series, frequency="D", start="2020-01-01")
    data = AdaptiveData(panel, np.asarray(panel.lengths) - 2)
    history = fit_network(
        ADAPTIVE, data, replace(QUICK, epochs=2, batching=batching)
    ).history.frame()
    assert (
        np.isfinite(history["train_loss"]).all()
        and np.isfinite(history["validation_loss"]).all()
    )
    assert not [
        warning for warning in recwarn if issubclass(warning.category, RuntimeWarning)
    ]


def test_checkpoints_make_way_for_a_new_run_and_other_things_stay(tmp_path):
    fit_network(PLAIN, plain_data(), QUICK, folder=tmp_path)
    store.save(tmp_path / "sales", {"kind": "forecaster"}, {})
    with pytest.raises(Interrupted):
        fit_network(
            PLAIN, plain_data(), QUICK, folder=tmp_path, callbacks=[interrupt(1)]
        )
    assert [path.name for path in tmp_path.iterdir()] == ["sales"]


# Nothing is lost


def interrupt(epoch, member=0):
    def callback(report):
        if (report.member, report.epoch) == (member, epoch):
            raise Interrupted

    return callback


RESUMED = [
    (PLAIN, QUICK),
    (
        replace(PLAIN, dropout=0.2),
        replace(QUICK, average=Ema(0.9), optimiser=Optimiser("adamw", 1e-2, clip=0.5)),
    ),
    (
        PLAIN,
        replace(
            QUICK,
            batching=WholeSequence(9),
            average=SWA(3),
            optimiser=Optimiser("rmsprop", 1e-2),
        ),
    ),
    (PLAIN, replace(QUICK, batching=Stateful(7, reset="never"), batch_size=1)),
    (
        PLAIN,
        replace(
            QUICK,
            batching=Rollout(6, 6, 0, 0.5),
            optimiser=Optimiser("sgd", 1e-2, momentum=0.9),
        ),
    ),
    (
        PLAIN,
        replace(
            QUICK,
            optimiser=Optimiser(
                learning_rate=0.2, schedule=Schedule("plateau", every=1)
            ),
        ),
    ),
    (ADAPTIVE, replace(QUICK, epochs=4, average=Ema(0.9), members=2)),
]


@pytest.mark.parametrize(("network", "config"), RESUMED)
@pytest.mark.parametrize("epoch", [1, 3])
def test_a_resumed_run_gives_the_same_bits(
    network, config, epoch, tmp_path, monkeypatch
):
    data = adaptive_data() if isinstance(network.inputs, Adaptive) else plain_data()
    whole = fit_network(network, data, config)
    monkeypatch.setattr(
        "lstmcast.training.checkpoint.Keeper.due", lambda self: self.folder is not None
    )
    with pytest.raises(Interrupted):
        fit_network(
            network,
            data,
            config,
            folder=tmp_path,
            callbacks=[interrupt(epoch, config.members - 1)],
        )
    seen = []
    resumed = fit_network(
        network, data, config, folder=tmp_path, resume=True, callbacks=[seen.append]
    )
    # the epoch that was lost
    assert (seen[0].member, seen[0].epoch) == (config.members - 1, epoch)
    assert same_bits(whole.network, resumed.network)
    assert rows_without_seconds(whole.history) == rows_without_seconds(resumed.history)


def test_another_number_of_threads_may_resume(tmp_path, monkeypatch):
    """The bits of orthogonal kernels of so many units depend on it, and those a run started from
    with them."""
    monkeypatch.setattr(
        "lstmcast.training.checkpoint.Keeper.due", lambda self: self.folder is not None
    )
    network, config = replace(PLAIN, layers=(300,)), replace(QUICK, epochs=2)
    with pytest.raises(Interrupted):
        fit_network(
            network,
            plain_data(),
            config,
            folder=tmp_path,
            threads=1,
            callbacks=[interrupt(2)],
        )
    seen = []
    fit_network(
        network,
        plain_data(),
        config,
        folder=tmp_path,
        resume=True,
        threads=2,
        callbacks=[seen.append],
    )
    assert [report.epoch for report in seen] == [2]


def test_an_epoch_that_was_cut_short_is_repeated(tmp_path, monkeypatch):
    whole = fit_network(PLAIN, plain_data(), QUICK)
    monkeypatch.setattr(
        "lstmcast.training.checkpoint.Keeper.due", lambda self: self.folder is not None
    )
    updates = batching.TransformedWindows.updates

    def cut_short(self, reader, epoch, rng):
        for k, update in enumerate(updates(self, reader, epoch, rng)):
            if (epoch, k) == (4, 2):
                raise Interrupted
            yield update

    with monkeypatch.context() as patch, pytest.raises(Interrupted):
        patch.setattr(batching.TransformedWindows, "updates", cut_short)
        fit_network(PLAIN, plain_data(), QUICK, folder=tmp_path)
    assert same_bits(
        whole.network,
        fit_network(PLAIN, plain_data(), QUICK, folder=tmp_path, resume=True).network,
    )


def test_time_decides_how_often_checkpoints_are_written(tmp_path):
    with pytest.raises(Interrupted):
        fit_network(
            PLAIN, plain_data(), QUICK, folder=tmp_path / "a", callbacks=[interrupt(4)]
        )
    # the next ones came within a moment
    assert store.read_manifest(tmp_path / "a" / "member-0")["state"]["epoch"] == 1
    fit_network(PLAIN, plain_data(), QUICK, folder=tmp_path / "a", resume=True)
    assert store.read_manifest(tmp_path / "a" / "member-0")["state"]["epoch"] == 6


@pytest.mark.parametrize("ends", [None, Interrupted])
def test_callbacks_are_closed_however_the_training_ends(ends):
    closed = []

    class Closing:
        def __call__(self, report):
            if ends:
                raise ends

        def close(self):
            closed.append(self)

    with pytest.raises(ends) if ends else nullcontext():
        fit_network(
            PLAIN, plain_data(), QUICK, callbacks=[Closing(), lambda report: None]
        )
    assert len(closed) == 1


def test_a_run_with_another_loss_of_ones_own_is_another_run(tmp_path):
    fit_network(PLAIN, plain_data(), QUICK, folder=tmp_path)
    with pytest.raises(ModelError, match=r"its own loss is , not .*absolute"):
        fit_network(
            PLAIN, plain_data(), QUICK, folder=tmp_path, resume=True, loss=absolute
        )


def absolute(point, target):
    return (point - target).abs()


@pytest.mark.parametrize("said", [True, np.True_])
def test_a_callback_stops_by_saying_true_of_either_kind(said):
    assert (
        len(
            fit_network(
                PLAIN, plain_data(), QUICK, callbacks=[lambda report: said]
            ).history
        )
        == 1
    )


def test_a_finished_run_is_read_and_not_trained_again(tmp_path):
    first = fit_network(PLAIN, plain_data(), QUICK, folder=tmp_path)
    again = fit_network(
        PLAIN,
        plain_data(),
        QUICK,
        folder=tmp_path,
        resume=True,
        callbacks=[interrupt(1)],
    )
    assert same_bits(first.network, again.network)
    with pytest.raises(Interrupted):  # without resume it begins anew
        fit_network(
            PLAIN, plain_data(), QUICK, folder=tmp_path, callbacks=[interrupt(1)]
        )


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (
            {"start": replace(PLAIN, layers=(5, 3))},
            r"network.layers is \[4, 3\], not \[5, 3\]",
        ),
        ({"config": replace(QUICK, batch_size=7)}, "training.batch_size is 8, not 7"),
        ({"data": plain_data((40, 26))}, "other data"),
        ({"seed": 1}, "its seed is 0, not 1"),
    ],
)
def test_a_checkpoint_of_another_run_is_refused(tmp_path, change, named):
    given = {"start": PLAIN, "data": plain_data(), "config": QUICK, "seed": 0}
    fit_network(given["start"], given["data"], given["config"], seed=0, folder=tmp_path)
    given |= change
    with pytest.raises(
        ModelError, match=rf"belongs to another run: .*{named}.*start again"
    ):
        fit_network(
            given["start"],
            given["data"],
            given["config"],
            seed=given["seed"],
            folder=tmp_path,
            resume=True,
        )


# A training is prolonged

REFITTED = replace(QUICK, refit=True, optimiser=Optimiser(learning_rate=0.1))
PACED = [
    replace(QUICK, optimiser=Optimiser(schedule=Schedule("cosine"))),
    replace(
        QUICK, optimiser=Optimiser(schedule=Schedule("warmup_cosine")), validation=None
    ),
    replace(QUICK, batching=Rollout(6, 6, support_end=0)),
]


@pytest.mark.parametrize(
    ("network", "config"),
    [
        *(pair for pair in RESUMED if not pair[1].paced_by_epochs),
        (PLAIN, replace(QUICK, validation=None)),
        (PLAIN, replace(QUICK, members=2)),
        (PLAIN, REFITTED),
        (PLAIN, replace(QUICK, patience=2, optimiser=Optimiser(learning_rate=0.3))),
        (
            PLAIN,
            replace(QUICK, optimiser=Optimiser(schedule=Schedule("step", every=2))),
        ),
    ],
)
def test_a_prolonged_training_is_that_of_all_epochs_at_once(network, config, tmp_path):
    data = adaptive_data() if isinstance(network.inputs, Adaptive) else plain_data()
    epochs, told = config.epochs, []
    half = replace(config, epochs=epochs // 2)
    fit_network(network, data, half, folder=tmp_path)
    longer = fit_network(
        network, data, config, folder=tmp_path, resume=True, callbacks=[told.append]
    )
    at_once = fit_network(network, data, config)
    assert same_bits(longer.network, at_once.network)
    assert same_bits(longer.validated, at_once.validated)
    assert rows_without_seconds(longer.history) == rows_without_seconds(at_once.history)
    assert longer.notes == at_once.notes
    if config.patience is None:
        assert [report.epoch for report in told if not report.member] == list(
            range(half.epochs + 1, epochs + 1)
        )
        assert {report.epochs for report in told} == {epochs}


def test_a_training_is_prolonged_again_and_again(tmp_path):
    for epochs in (1, 2, 5):
        config = replace(QUICK, epochs=epochs)
        last = fit_network(PLAIN, plain_data(), config, folder=tmp_path, resume=True)
    assert same_bits(
        last.network, fit_network(PLAIN, plain_data(), replace(QUICK, epochs=5)).network
    )


def test_a_training_that_lost_patience_goes_on_with_more_of_it(tmp_path):
    config = replace(
        QUICK, epochs=40, patience=1, optimiser=Optimiser(learning_rate=0.3)
    )
    first = fit_network(PLAIN, plain_data(), config, folder=tmp_path)
    longer = replace(config, epochs=50)
    again = fit_network(PLAIN, plain_data(), longer, folder=tmp_path, resume=True)
    # 50 at once would have stopped there, too
    assert len(first.history) == len(again.history) < 40
    patient = replace(longer, patience=4)
    gone_on = fit_network(PLAIN, plain_data(), patient, folder=tmp_path, resume=True)
    at_once = fit_network(PLAIN, plain_data(), patient)
    assert same_bits(gone_on.network, at_once.network)
    assert len(gone_on.history) == len(at_once.history) > len(first.history)


def test_what_a_callback_stopped_goes_on_when_more_epochs_are_asked_for(tmp_path):
    three = replace(QUICK, epochs=3)
    stopped = fit_network(
        PLAIN,
        plain_data(),
        three,
        folder=tmp_path,
        callbacks=[lambda report: report.epoch == 2],
    )
    again = fit_network(PLAIN, plain_data(), three, folder=tmp_path, resume=True)
    assert len(stopped.history) == len(again.history) == 2
    longer = fit_network(PLAIN, plain_data(), QUICK, folder=tmp_path, resume=True)
    assert same_bits(longer.network, fit_network(PLAIN, plain_data(), QUICK).network)


@pytest.mark.parametrize("config", PACED)
def test_a_schedule_over_all_epochs_goes_on_as_of_the_longer_training_and_says_so(
    config, tmp_path
):
    fit_network(PLAIN, plain_data(), replace(config, epochs=3), folder=tmp_path)
    longer = fit_network(PLAIN, plain_data(), config, folder=tmp_path, resume=True)
    at_once = fit_network(PLAIN, plain_data(), config)
    rates = [
        fitted.history.columns()["learning_rate"][3:] for fitted in (longer, at_once)
    ]
    np.testing.assert_array_equal(*rates)
    assert differs(longer.network, at_once.network)
    said = "continued after epoch 3 of 3: .* differs from 6 epochs at once"
    assert [bool(re.match(said, note)) for note in longer.notes].count(True) == 1
    again = fit_network(PLAIN, plain_data(), config, folder=tmp_path, resume=True)
    assert again.notes == longer.notes


def test_a_refit_of_a_prolonged_cosine_begins_anew(tmp_path):
    config = replace(PACED[0], refit=True)
    fit_network(PLAIN, plain_data(), replace(config, epochs=3), folder=tmp_path)
    longer = fit_network(PLAIN, plain_data(), config, folder=tmp_path, resume=True)
    best = [row.epoch for row in longer.history.epochs if row.best]
    everything = replace(config, refit=False, validation=None)
    # the same schedule, up to the best epoch
    stop = [lambda report: report.epoch == best[0]]
    alone = fit_network(PLAIN, plain_data().everything(), everything, callbacks=stop)
    assert same_bits(longer.network, alone.network)


def test_a_training_is_not_taken_back(tmp_path):
    fit_network(PLAIN, plain_data(), QUICK, folder=tmp_path)
    with pytest.raises(
        ModelError, match=r"already been trained for 6 epochs, more than the 4 given"
    ):
        fit_network(
            PLAIN, plain_data(), replace(QUICK, epochs=4), folder=tmp_path, resume=True
        )


def test_a_damaged_checkpoint_is_named(tmp_path):
    fit_network(PLAIN, plain_data(), QUICK, folder=tmp_path)
    file = tmp_path / "member-0" / "optimiser.safetensors"
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(ModelError, match=r"optimiser\.safetensors"):
        fit_network(PLAIN, plain_data(), QUICK, folder=tmp_path, resume=True)


KILLED = """
import os, signal, sys
sys.path.insert(0, sys.argv[2])
import test_training_fitting as here
from lstmcast.training import checkpoint
checkpoint.Keeper.due = lambda self: self.folder is not None

def callback(report):
    if report.epoch == 4:
        os.kill(os.getpid(), signal.SIGKILL)

folder = sys.argv[1]
here.fit_network(here.PLAIN, here.plain_data(), here.QUICK, folder=folder, callbacks=[callback])
"""


def test_a_killed_run_goes_on_to_the_same_bits(tmp_path):
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            KILLED,
            str(tmp_path / "run"),
            str(Path(__file__).parent),
        ],
        env={**os.environ, "PYTHONPATH": str(SRC)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    seen = []
    resumed = fit_network(
        PLAIN,
        plain_data(),
        QUICK,
        folder=tmp_path / "run",
        resume=True,
        callbacks=[seen.append],
    )
    assert seen[0].epoch == 4
    assert same_bits(resumed.network, fit_network(PLAIN, plain_data(), QUICK).network)


def ctrl_c(epoch, member=0):
    def callback(report):
        if (report.member, report.epoch) == (member, epoch):
            raise KeyboardInterrupt

    return callback


# as of Ctrl-C, of SIGTERM, of a defect
@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit, RuntimeError])
def test_whatever_stops_a_run_after_an_epoch_leaves_a_checkpoint(tmp_path, stop):
    """However short the epoch: the second and later ones are kept now and then."""

    def callback(report):
        if report.epoch == 2:
            raise stop

    with nullcontext() if stop is KeyboardInterrupt else pytest.raises(stop):
        fit_network(PLAIN, plain_data(), QUICK, folder=tmp_path, callbacks=[callback])
    seen = []
    resumed = fit_network(
        PLAIN,
        plain_data(),
        QUICK,
        folder=tmp_path,
        resume=True,
        callbacks=[seen.append],
    )
    assert [report.epoch for report in seen] == [2, 3, 4, 5, 6]
    assert same_bits(resumed.network, fit_network(PLAIN, plain_data(), QUICK).network)


def test_ctrl_c_gives_the_best_so_far():
    short = fit_network(PLAIN, plain_data(), replace(QUICK, epochs=3))
    fitted = fit_network(PLAIN, plain_data(), QUICK, callbacks=[ctrl_c(3)])
    assert same_bits(fitted.network, short.network)  # the schedule is constant
    assert fitted.notes == ("interrupted after epoch 3: the best epoch is kept",)


def test_ctrl_c_in_a_later_member_keeps_those_before():
    config = replace(QUICK, members=3)
    whole = fit_network(PLAIN, plain_data(), config)
    fitted = fit_network(PLAIN, plain_data(), config, callbacks=[ctrl_c(2, member=1)])
    assert (
        len(fitted.network.members) == 2
        and "interrupted in member 2 of 3, after epoch 2" in fitted.notes[0]
    )
    assert same_bits(
        Network(PLAIN, fitted.network.members[:1]),
        Network(PLAIN, whole.network.members[:1]),
    )


def test_ctrl_c_before_anything_was_trained_is_what_it_is(monkeypatch):
    def at_once(run, epoch):
        raise KeyboardInterrupt

    monkeypatch.setattr(loop, "train_epoch", at_once)
    with pytest.raises(KeyboardInterrupt):
        fit_network(PLAIN, plain_data(), QUICK)


@pytest.mark.parametrize("where", ["train", "validation"])
def test_a_loss_that_is_no_number_names_series_and_says_what_to_try(where):
    data = plain_data((40, 25), ids=["good", "bad"])
    data.inputs[40 + (5 if where == "train" else 20)] = 1e30
    config = replace(QUICK, batching=WholeSequence())
    with pytest.raises(
        ModelError,
        match=r"in epoch 1, update 1, .* 2 series; .* 'bad' \(up to 1e\+30\), 'good'",
    ):
        fit_network(PLAIN, data, config)
    with pytest.raises(
        ModelError,
        match=r"Try a lower learning rate \(it is 1e\+30\), gradient clipping",
    ):
        fit_network(
            PLAIN, plain_data(), replace(config, optimiser=Optimiser("sgd", 1e30))
        )


def test_weights_that_are_no_numbers_are_no_network():
    """The only loss is that of the weights before the update, and finite: its gradient is not."""
    data = plain_data((40, 25), ids=["small", "large"])
    data.inputs[40:] *= 100
    config = replace(QUICK, epochs=1, batch_size=1000, validation=None)
    with pytest.raises(
        ModelError,
        match=r"The weights are no longer finite numbers after epoch 1, update 1, which read "
        r"2 series; .* 'large' \(up to [\d.]+\), 'small' .*\n.*a lower learning rate",
    ):
        fit_network(
            PLAIN,
            data,
            config,
            loss=lambda point, target: (0 * (point - target)).sqrt(),
        )


@contextmanager
def float64_as_default():
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(torch.float32)


AROUND = {
    "float64": float64_as_default,
    "no gradients": torch.no_grad,
    "inference": torch.inference_mode,
    "another device": lambda: torch.device("meta"),
    "autocast": lambda: torch.autocast("cpu", torch.bfloat16),
}


@pytest.mark.parametrize("around", AROUND.values(), ids=AROUND)
@pytest.mark.parametrize(
    "network", [PLAIN, replace(ADAPTIVE, dropout=0.3)], ids=["transformed", "adaptive"]
)
def test_what_pytorch_is_set_to_around_a_training_changes_nothing(network, around):
    data = adaptive_data() if network.inputs.skips else plain_data()
    config = replace(
        QUICK, epochs=2, batching=Windows(20, loss="every"), average=Ema(0.9)
    )
    expected = fit_network(network, data, config)
    with around():
        before = (
            torch.get_default_dtype(),
            torch.is_grad_enabled(),
            torch.is_inference_mode_enabled(),
        )
        fitted = fit_network(network, data, config)
        again = fit_network(fitted.network, data, config)
        after = (
            torch.get_default_dtype(),
            torch.is_grad_enabled(),
            torch.is_inference_mode_enabled(),
        )
    assert before == after and same_bits(fitted.network, expected.network)
    assert rows_without_seconds(fitted.history) == rows_without_seconds(
        expected.history
    )
    assert same_bits(again.network, fit_network(expected.network, data, config).network)


# Averages, schedules, ensembles, fine-tuning


def test_an_ema_is_the_average_of_the_weights_over_updates():
    """One update an epoch: callbacks of a run without average see the weights that the other
    averages."""
    moving, averaged = [], []
    config = replace(QUICK, batching=WholeSequence(), validation=None)
    fit_network(
        PLAIN,
        plain_data(),
        config,
        callbacks=[lambda r: moving.append(r.arrays()["head.weight"])],
    )
    fitted = fit_network(
        PLAIN,
        plain_data(),
        replace(config, average=Ema(0.4)),
        callbacks=[lambda r: averaged.append(r.arrays())],
    )
    # the start is 9/10 of nothing that can be seen: begin with the first
    expected = averaged[0]["head.weight"]
    for step in range(2, 7):
        decay = min(0.4, step / (step + 9))
        expected = decay * expected + (1 - decay) * moving[step - 1]
    np.testing.assert_allclose(
        fitted.network.members[0]["head.weight"], expected, rtol=1e-5
    )


def test_snapshots_average_the_newest_epochs():
    moving = []
    config = replace(QUICK, validation=None)
    fit_network(
        PLAIN,
        plain_data(),
        config,
        callbacks=[lambda r: moving.append(r.arrays()["lstm.0.weight_hh"])],
    )
    fitted = fit_network(PLAIN, plain_data(), replace(config, average=SWA(3)))
    np.testing.assert_allclose(
        fitted.network.members[0]["lstm.0.weight_hh"],
        np.mean(moving[-3:], axis=0),
        rtol=1e-5,
    )


def test_what_is_validated_is_what_is_kept():
    """The validation loss of the best epoch is that of the averaged weights: training on finds
    it in epoch 0."""
    for average in (Ema(0.5), SWA(2)):
        fitted = fit_network(PLAIN, plain_data(), replace(QUICK, average=average))
        (best,) = [row for row in fitted.history.epochs if row.best]
        again = fit_network(fitted.network, plain_data(), replace(QUICK, epochs=1))
        assert again.history.epochs[0].validation_loss == pytest.approx(
            best.validation_loss, rel=1e-5
        )


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        (Schedule(), [1, 1, 1, 1]),
        (Schedule("cosine"), [1, 0.75, 0.5, 0.25]),
        (Schedule("warmup_cosine", warmup=1 / 3), [0.01, 1, 0.75, 0.25]),
        (Schedule("step", factor=0.1, every=2), [1, 1, 0.1, 0.1]),
    ],
)
def test_the_learning_rate_follows_its_schedule(schedule, expected):
    config = replace(
        QUICK,
        epochs=4,
        batching=WholeSequence(),
        optimiser=Optimiser(learning_rate=1.0, schedule=schedule),
    )
    if schedule.kind == "cosine":
        done = [0, 1 / 3, 1 / 2, 2 / 3]
        assert [rate(schedule, d, 0, 0) for d in done] == pytest.approx(expected)
    elif schedule.kind == "warmup_cosine":
        assert [
            rate(schedule, d, 0, 0) for d in (0, 1 / 3, 5 / 9, 7 / 9)
        ] == pytest.approx(expected)
    else:
        rates = fit_network(PLAIN, plain_data(), config).history.columns()[
            "learning_rate"
        ]
        assert rates.tolist() == pytest.approx(expected)


def test_the_rate_drops_on_a_plateau(monkeypatch):
    losses = iter([5.0, 4.0, 4.0, 4.5, 4.0, 3.0, 3.0, 3.0, 3.0])
    monkeypatch.setattr(loop, "validate", lambda run: next(losses))
    schedule = Schedule("plateau", factor=0.5, every=2)
    config = replace(
        QUICK, epochs=9, optimiser=Optimiser(learning_rate=1.0, schedule=schedule)
    )
    rates = fit_network(PLAIN, plain_data(), config).history.columns()["learning_rate"]
    assert rates.tolist() == [1, 1, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.25]


def test_members_differ_by_their_seed_and_the_first_is_that_of_a_fit_of_one():
    fitted = fit_network(PLAIN, plain_data(), replace(QUICK, members=2))
    assert len(fitted.network.members) == 2
    assert (
        fitted.network.members[0]["head.weight"]
        != fitted.network.members[1]["head.weight"]
    ).any()
    alone = fit_network(PLAIN, plain_data(), QUICK).network
    assert same_bits(alone, Network(PLAIN, fitted.network.members[:1]))
    assert set(fitted.history.columns()["member"]) == {0, 1}


def test_fine_tuning_is_never_worse_than_its_start_and_says_when_it_kept_it():
    start = fit_network(
        ADAPTIVE, adaptive_data(), replace(QUICK, epochs=3, members=2)
    ).network
    harmful = replace(QUICK, epochs=2, optimiser=Optimiser("sgd", 5.0))
    fitted = fit_network(start, adaptive_data(), harmful)
    assert same_bits(start, fitted.network)
    assert "2 of 2 members keep them" in fitted.notes[0]
    assert [row.epoch for row in fitted.history.member(1).epochs] == [0, 1, 2]
    gentle = replace(TrainingConfig.fine_tuning(), epochs=4)
    better = fit_network(start, adaptive_data(), gentle)
    for rows in (better.history.member(m).epochs for m in (0, 1)):
        assert (
            min(row.validation_loss for row in rows) < rows[0].validation_loss
            and not rows[0].best
        )


def test_a_refit_repeats_the_training_on_everything_up_to_the_best_epoch():
    config = replace(
        QUICK, epochs=8, optimiser=Optimiser(learning_rate=0.2), refit=True
    )
    fitted = fit_network(PLAIN, plain_data(), config)
    (best,) = [row.epoch for row in fitted.history.epochs if row.best]
    said = f"retrained on all data, up to the best epoch ({best})"
    assert fitted.refitted and fitted.notes == (said,)
    alone = fit_network(
        PLAIN,
        plain_data().everything(),
        replace(config, validation=None, refit=False, epochs=best),
    )
    assert same_bits(fitted.network, alone.network)
    without = replace(config, refit=False, epochs=1)
    assert not fit_network(PLAIN, plain_data(), without).refitted


def test_an_own_loss_is_minimised():
    """Ten times dearer from below than from above: forecasts lie above most values."""

    def own(point, target):
        return torch.where(target > point, 10.0, 1.0) * (target - point).abs()

    noise = np.random.default_rng(0).normal(size=(300, 1))
    data = TransformedData(
        noise, noise, np.array([0, 300]), np.array([250]), np.array(["a"], object)
    )
    config = replace(
        QUICK,
        epochs=6,
        batching=Windows(6, loss="every"),
        batch_size=32,
        optimiser=Optimiser(learning_rate=5e-2),
    )
    high, middle = (
        fit_network(PLAIN, data, config, loss=loss).network.members[0]
        for loss in (own, None)
    )
    assert high["head.bias"][0] > middle["head.bias"][0] + 0.15


def test_nothing_held_back_is_noted():
    fitted = fit_network(PLAIN, plain_data(back=0), QUICK)
    assert fitted.notes == (
        "nothing could be held back for validation, so the weights of the last epoch are kept",
    )
    assert fitted.history.epochs[-1].best


# Devices and memory


def test_devices_that_are_not_there_are_refused(monkeypatch):
    with pytest.raises(UsageError, match="'gpu' is not known"):
        fit_network(PLAIN, plain_data(), QUICK, device="gpu")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UsageError, match="PyTorch finds no CUDA device"):
        fit_network(PLAIN, plain_data(), QUICK, device="cuda")


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory"),
    ],
)
def test_a_batch_that_does_not_fit_is_named(monkeypatch, error):
    def too_much(run, epoch):
        raise error

    monkeypatch.setattr(loop, "train_epoch", too_much)
    with pytest.raises(
        ModelError, match=r"A batch of 8 does not fit in memory .*\n.* for example 2"
    ):
        fit_network(PLAIN, plain_data(), QUICK)


def test_other_errors_are_left_as_they_are(monkeypatch):
    def broken(run, epoch):
        raise RuntimeError("something else")

    monkeypatch.setattr(loop, "train_epoch", broken)
    with pytest.raises(RuntimeError, match="something else"):
        fit_network(PLAIN, plain_data(), QUICK)


def test_small_networks_are_trained_by_one_thread():
    assert (
        environment.default_threads(
            NetworkConfig(layers=(5, 4, 3), inputs=Transformed(), horizon=1), QUICK
        )
        == 1
    )
    large = NetworkConfig(layers=(128, 128), inputs=Transformed(), horizon=1)
    assert environment.default_threads(large, replace(QUICK, batch_size=128)) == (
        os.cpu_count() or 1
    )


REGIMES = (
    WholeSequence(),
    Windows(6),
    Windows(6, loss="every"),
    Stateful(chunk=6),
    Rollout(length=12, support=4),
)


@pytest.mark.parametrize("batching", REGIMES, ids=lambda batching: batching.kind)
def test_mixed_precision_reaches_about_the_loss_of_full(batching):
    config = replace(QUICK, epochs=6, batching=batching, validation=Validation(steps=8))
    full, mixed = (
        fit_network(PLAIN, plain_data(), replace(config, precision=p))
        for p in ("full", "mixed")
    )
    assert differs(full.network, mixed.network)
    losses = [fitted.history.epochs[-1].validation_loss for fitted in (full, mixed)]
    assert math.isclose(*losses, rel_tol=0.3)
    again = fit_network(PLAIN, plain_data(), replace(config, precision="mixed"))
    assert same_bits(again.network, mixed.network)


def test_mixed_precision_trains_causal_networks_too():
    config = replace(QUICK, batching=Windows(16, loss="every"))
    losses = [
        fit_network(ADAPTIVE, adaptive_data(), replace(config, precision=p))
        .history.epochs[-1]
        .validation_loss
        for p in ("full", "mixed")
    ]
    assert losses[0] != losses[1] and math.isclose(*losses, rel_tol=0.1)


def test_a_processor_without_bfloat16_is_noted(monkeypatch):
    for able, noted in (
        ({"avx2": True, "avx512_bf16": False}, True),
        ({"amx_bf16": True}, False),
    ):
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda able=able: able)
        notes = fit_network(
            PLAIN, plain_data(), replace(QUICK, precision="mixed")
        ).notes
        assert any("no bfloat16 instructions" in note for note in notes) == noted
    assert not fit_network(PLAIN, plain_data(), QUICK).notes


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("precision", ["full", "mixed"])
def test_cuda_reaches_the_loss_of_the_cpu(precision):
    config = replace(QUICK, epochs=15, validation=Validation(steps=8))
    losses = [
        fit_network(PLAIN, plain_data(), replace(config, precision=p), device=device)
        .history.epochs[-1]
        .validation_loss
        for device, p in (("cpu", "full"), ("cuda", precision))
    ]
    assert math.isclose(*losses, rel_tol=1e-3 if precision == "full" else 0.3)
