"""Callbacks: what they are told, and what they leave on the disk and on the screen."""

from __future__ import annotations

import io
import math
import re
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import lstmcast as lc
from builders import drawn_network, waves
from lstmcast import store
from lstmcast.cli import console
from lstmcast.errors import MissingExtraError, ModelError, UsageError
from lstmcast.model.inputs import Transformed
from lstmcast.model.network import NetworkConfig, load_network
from lstmcast.training.callbacks import (
    EpochReport,
    PrintTable,
    ProgressLine,
    SaveBest,
    SaveEvery,
    TensorBoard,
)
from lstmcast.training_config import TrainingConfig, Windows
from lstmcast.transforms import Difference, MinMax, Standard

PLAIN = NetworkConfig(layers=(3,), inputs=Transformed(), head="point", horizon=1)


def network():
    return drawn_network(PLAIN, size=1.0)


def report(epoch, improved=True, **changes):
    told = {
        "member": 0,
        "members": 1,
        "epoch": epoch,
        "epochs": 20,
        "step": 4 * epoch,
        "train_loss": 1 / epoch,
        "validation_loss": 2 / epoch,
        "best_epoch": epoch,
        "learning_rate": 1e-3,
        "seconds": 3.0 * epoch,
        "improved": improved,
        "network": network,
    }
    return EpochReport(**(told | changes))


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_network_is_saved_at_each_improvement_with_losses_in_its_name(tmp_path):
    save = SaveBest(tmp_path)
    for epoch, improved in ((1, True), (2, False), (4, True)):
        assert save(report(epoch, improved)) is None
    assert names(tmp_path) == [
        "model001-loss1.000-vloss2.000",
        "model004-loss0.250-vloss0.500",
    ]
    loaded, manifest = load_network(tmp_path / "model004-loss0.250-vloss0.500")
    assert manifest["snapshot"]["epoch"] == 4
    assert manifest["snapshot"]["loss"] == {"train": 0.25, "validation": 0.5}
    for name, array in report(4).arrays().items():
        np.testing.assert_array_equal(loaded.members[0][name], array)


def test_only_the_best_is_kept(tmp_path):
    save = SaveBest(tmp_path, only=True)
    for epoch, improved in ((1, True), (2, True), (3, False)):
        save(report(epoch, improved, validation_loss=math.nan))
    assert names(tmp_path) == ["best"]
    assert load_network(tmp_path / "best")[1]["snapshot"]["epoch"] == 2


def test_snapshots_are_saved_every_few_epochs(tmp_path):
    save = SaveEvery(tmp_path, epochs=3, name="m{member}-e{epoch:02d}-s{step}")
    for epoch in range(1, 8):
        save(report(epoch, improved=False))
    assert names(tmp_path) == ["m0-e03-s12", "m0-e06-s24"]


def test_names_tell_the_member_where_there_are_several(tmp_path):
    for save in (
        SaveBest(tmp_path / "best"),
        SaveEvery(tmp_path / "every", 1),
        SaveEvery(tmp_path / "own", 1, "e"),
    ):
        for member in (0, 1):
            save(report(1, member=member, members=2))
    assert names(tmp_path / "best") == [
        f"member{k}-model001-loss1.000-vloss2.000" for k in (0, 1)
    ]
    assert names(tmp_path / "every") == ["member0-snapshot0001", "member1-snapshot0001"]
    assert names(tmp_path / "own") == ["member0-e", "member1-e"]
    SaveEvery(tmp_path / "theirs", 1, "m{member}/e{epoch}")(
        report(1, member=1, members=2)
    )
    # as it was asked for
    assert (tmp_path / "theirs" / "m1" / "e1" / "manifest.json").exists()


def losses_of(save, *told):
    """Tell of epochs (member, epoch, loss) of three members; the losses that were saved as the
    best, one by one."""
    kept, lowest = [], {}
    for member, epoch, loss in told:
        improved = math.isnan(loss) or loss < lowest.get(member, math.inf)
        lowest[member] = min(loss, lowest.get(member, math.inf))
        save(report(epoch, improved, member=member, members=3, validation_loss=loss))
        kept.append(best_loss(save.folder, "validation"))
    return kept


def best_loss(folder, kind):
    return load_network(folder / "best")[1]["snapshot"]["loss"][kind]


def test_only_the_best_of_all_members_is_kept(tmp_path):
    save = SaveBest(tmp_path, only=True)
    told = (
        (0, 1, 0.5),
        (0, 2, 0.3),
        (1, 1, 0.6),
        (1, 2, 0.4),
        (2, 1, 0.25),
        (2, 2, 0.35),
    )
    assert losses_of(save, *told) == [0.5, 0.3, 0.3, 0.3, 0.25, 0.25]
    # another fit begins anew
    assert losses_of(save, (0, 1, 0.9), (1, 1, 0.8), (2, 1, 0.85)) == [0.9, 0.8, 0.8]
    assert names(tmp_path) == ["best"]


def test_a_fit_that_goes_on_knows_the_best_of_its_earlier_members(tmp_path):
    losses_of(SaveBest(tmp_path, only=True), (0, 1, 0.5), (0, 2, 0.3), (1, 1, 0.4))
    goes_on = SaveBest(tmp_path, only=True)
    assert losses_of(goes_on, (1, 2, 0.35), (1, 3, 0.2), (2, 1, 0.4)) == [0.3, 0.2, 0.2]


def test_what_an_earlier_fit_saved_is_not_compared_with(tmp_path):
    """Member 0 never becomes better than what it started from, so that member 1 is the first to
    be saved."""
    save = SaveBest(tmp_path, only=True)
    losses_of(save, (0, 1, 0.1))
    save(report(1, improved=False, members=3, validation_loss=0.9))
    assert losses_of(save, (1, 1, 0.8)) == [0.8]


def test_members_are_compared_by_the_training_loss_where_nothing_is_held_back(tmp_path):
    save, kept = SaveBest(tmp_path, only=True), []
    for member, epoch, loss in (
        (0, 1, 0.5),
        (0, 2, 0.4),
        (1, 1, 0.6),
        (1, 2, 0.3),
        (1, 3, 0.45),
    ):
        save(
            report(
                epoch,
                member=member,
                members=2,
                train_loss=loss,
                validation_loss=math.nan,
            )
        )
        kept.append(best_loss(tmp_path, "train"))
    assert kept == [0.5, 0.4, 0.4, 0.3, 0.3]


@pytest.mark.parametrize(("members", "epochs"), [(1, 3), (2, 3)])
def test_the_best_that_is_kept_is_the_best_of_the_fit(tmp_path, members, epochs):
    panel = lc.Panel.from_arrays({"a": np.sin(np.arange(60.0)) + np.arange(60) % 7})
    training = TrainingConfig(
        epochs=epochs, members=members, batching=Windows(length=8)
    )
    network = replace(PLAIN, inputs=Transformed(Standard()))
    model = lc.LSTMForecaster(1, weights="scratch", network=network, training=training)
    callbacks = [
        SaveBest(tmp_path / "only", only=True),
        SaveEvery(tmp_path / "every", 1),
    ]
    fitted = model.fit(panel, callbacks=callbacks)
    best = np.nanmin(fitted.history.columns()["validation_loss"])
    assert best_loss(tmp_path / "only", "validation") == best
    assert len(names(tmp_path / "every")) == members * epochs


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        (lambda: SaveEvery("x", 0), r"epochs=0 must be a whole number of epochs"),
        (lambda: SaveEvery("x", 2.5), r"epochs=2.5 must be a whole number"),
        (lambda: PrintTable(every=0), r"every=0 must be a whole number of epochs"),
        (
            lambda: SaveBest("x", "m{foo}"),
            r"'m\{foo\}' is not a valid name .*foo.*may contain member, epoch, step, loss",
        ),
        (lambda: SaveBest("x", "m{}"), r"is not a valid name"),
        (lambda: SaveEvery("x", 1, "m{epoch"), r"is not a valid name"),
        (lambda: SaveEvery("x", 1, "m{loss:d}"), r"is not a valid name"),
        (
            lambda: SaveEvery("x", 1, 5),
            r"name=5 is not a valid name .* text is expected",
        ),
    ],
)
def test_what_could_not_be_saved_is_refused_before_training(wrong, text):
    with pytest.raises(UsageError, match=text):
        wrong()


def test_the_table_has_a_row_for_each_epoch():
    stream = io.StringIO()
    table = PrintTable(stream, every=2)
    for epoch in range(1, 5):
        table(report(epoch, improved=epoch == 4))
    lines = stream.getvalue().splitlines()
    assert lines[0].split() == [
        "epoch",
        "train",
        "loss",
        "validation",
        "rate",
        "seconds",
    ]
    assert [line.split() for line in lines[1:]] == [
        ["2", "0.5", "1", "0.001", "6.0"],
        ["4", "0.25", "0.5", "0.001", "12.0", "*"],
    ]


class Terminal(io.StringIO):
    def isatty(self):
        return True


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def test_the_progress_line_is_rewritten_on_a_terminal():
    stream, clock = Terminal(), Clock()
    line = ProgressLine(stream, clock)
    for epoch, clock.now in ((1, 0.0), (2, 0.05), (20, 0.06)):
        line(report(epoch))
    first, last = stream.getvalue().split("\r")[1:]
    assert first == "epoch 1 of 20, loss 1, validation 2 (best in epoch 1), 57 s left"
    assert (
        last.rstrip(" \n")
        == "epoch 20 of 20, loss 0.05, validation 0.1 (best in epoch 20), 60.0 s"
    )
    # what was longer is written over
    assert last.endswith("\n") and len(last) > len(first) - 1


def test_the_line_of_a_training_that_was_stopped_ends_with_its_newest_epoch():
    stream, clock = Terminal(), Clock()
    line = ProgressLine(stream, clock)
    for epoch, clock.now in ((1, 0.0), (2, 0.01), (3, 0.02)):
        line(report(epoch))
    line.close()
    line.close()
    assert (
        stream.getvalue().split("\r")[-1].startswith("epoch 3 of 20")
        and stream.getvalue().count("\n") == 1
    )


def test_elsewhere_a_line_comes_now_and_then():
    stream, clock = io.StringIO(), Clock()
    line = ProgressLine(stream, clock)
    for epoch, clock.now in ((1, 0.0), (2, 9.0), (3, 11.0), (4, 12.0)):
        line(report(epoch, members=2, validation_loss=math.nan))
    assert stream.getvalue().splitlines() == [
        "member 1 of 2, epoch 1 of 20, loss 1, 57 s left",
        "member 1 of 2, epoch 3 of 20, loss 0.3333, 51 s left",
    ]


def test_tensorboard_is_named_where_it_is_missing(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(MissingExtraError, match="pip install tensorboard"):
        TensorBoard(tmp_path)


def test_tensorboard_is_told_what_was_measured(tmp_path, monkeypatch):
    written = []

    class Writer:
        def __init__(self, folder):
            self.folder = folder

        def add_scalar(self, name, value, epoch):
            written.append((name, value, epoch))

        def flush(self):
            written.append("flushed")

    class Module:
        SummaryWriter = Writer

    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", Module)
    TensorBoard(tmp_path)(report(2, members=2, validation_loss=math.nan))
    assert written == [
        ("member_0/loss/train", 0.5, 2),
        ("member_0/rate", 1e-3, 2),
        "flushed",
    ]


# A snapshot is a model

SCALED = replace(PLAIN, inputs=Transformed(Difference(), MinMax()))
TRAINING = TrainingConfig(epochs=3, batching=Windows(length=8))
MODELS = {
    "transformed": {"network": SCALED, "training": TRAINING},
    "adaptive": {
        "network": NetworkConfig(layers=(3,)),
        "training": TrainingConfig(epochs=2, steps_per_epoch=1, batch_size=4),
    },
}


def scratch(horizon=4, **chosen):
    return lc.LSTMForecaster(
        horizon, weights="scratch", **{**MODELS["transformed"], **chosen}
    )


def as_once_written(folder):
    """Leave of a snapshot what older versions wrote."""
    manifest, groups = store.load(folder)
    about = {
        name: manifest[name]
        for name in ("inputs_version", "network", "members", "training")
    }
    store.save(
        folder, {"kind": "network", **about, "epoch": 3}, {"weights": groups["weights"]}
    )


@pytest.mark.parametrize("settings", MODELS.values(), ids=MODELS)
def test_a_snapshot_of_the_last_epoch_is_the_forecaster_that_is_saved_then(
    tmp_path, settings
):
    # so that the last epoch is kept
    without = replace(settings["training"], validation=None)
    model = scratch(
        **{**settings, "training": without}, quantiles=(0.2, 0.5, 0.8), seed=7
    )
    model.fit(waves(), callbacks=[SaveEvery(tmp_path, 1)])
    snapshot = lc.load(tmp_path / names(tmp_path)[-1])
    np.testing.assert_array_equal(
        snapshot.predict().quantiles, model.predict().quantiles
    )
    np.testing.assert_array_equal(
        snapshot.predict(waves()).point, model.predict(waves()).point
    )
    assert (snapshot.seed, snapshot.training) == (7, model.record.training)
    assert snapshot.trained_ends == model.trained_ends
    model.save(tmp_path / "saved")
    one, other = (
        store.read_manifest(tmp_path / name) for name in (names(tmp_path)[-2], "saved")
    )
    assert (
        one.keys() - other.keys() == {"snapshot"} and one["columns"] == other["columns"]
    )


@pytest.mark.parametrize("settings", MODELS.values(), ids=MODELS)
def test_snapshots_have_intervals_and_a_history_of_their_own(tmp_path, settings):
    model = scratch(**settings).fit(waves(), callbacks=[SaveEvery(tmp_path, 1)])
    snapshots = [lc.load(tmp_path / name) for name in names(tmp_path)]
    for epoch, snapshot in enumerate(snapshots, 1):
        assert snapshot.history.columns()["epoch"].tolist() == list(range(1, epoch + 1))
        assert snapshot.history.columns()["best"].tolist() == [False] * (epoch - 1) + [
            True
        ]
        assert (
            snapshot.record.notes[0]
            == f"a snapshot of epoch {epoch} of {len(snapshots)}"
        )
    kept = snapshots[
        int(model.history.columns()["epoch"][model.history.columns()["best"]][0]) - 1
    ]
    np.testing.assert_array_equal(kept.fitted.factors_HI, model.fitted.factors_HI)
    np.testing.assert_array_equal(kept.predict().quantiles, model.predict().quantiles)
    assert (np.ptp([each.predict().point[0, 0] for each in snapshots])) > 0


def test_the_best_of_several_members_is_a_model_of_one(tmp_path):
    training = replace(TRAINING, members=2)
    scratch(training=training).fit(waves(), callbacks=[SaveBest(tmp_path, only=True)])
    best = lc.load(tmp_path / "best")
    assert len(best.network.members) == 1 and np.isfinite(best.predict().point).all()
    assert best.replace(horizon=2).horizon == 2
    told = console.snapshot(store.read_manifest(tmp_path / "best"))
    assert re.match(r"a snapshot of member [12] of 2, epoch [123] of 3, $", told)


def test_weights_of_a_snapshot_forecast_with_what_its_transforms_had_learned(tmp_path):
    model = scratch(training=replace(TRAINING, validation=None)).fit(
        waves(), callbacks=[SaveEvery(tmp_path, 3, "s")]
    )
    later = waves().until([40] * 3)  # of another smallest and largest difference
    unfitted = lc.LSTMForecaster(4, weights=tmp_path / "s")
    np.testing.assert_array_equal(
        unfitted.predict(later).point, model.predict(later).point
    )
    unfitted.save(tmp_path / "again", later)
    again = lc.load(tmp_path / "again")
    np.testing.assert_array_equal(again.predict().point, model.predict(later).point)
    # transforms learn from what it is given
    other = lc.LSTMForecaster(4, weights=model.network)
    assert (other.predict(later).point != model.predict(later).point).all()


def test_a_report_saves_the_forecaster_for_callbacks_of_ones_own(tmp_path):
    model = scratch()
    model.fit(
        waves(), callbacks=[lambda report: report.save(tmp_path / f"e{report.epoch}")]
    )
    assert names(tmp_path) == ["e1", "e2", "e3"]
    assert lc.load(tmp_path / "e2").predict().point.shape == (3, 4)


def test_a_report_of_a_refit_saves_what_has_seen_everything(tmp_path):
    class Saving:
        follows_refit = True

        def __call__(self, report):
            report.save(tmp_path / f"refit{report.refit}-{report.epoch}")

    model = scratch(training=replace(TRAINING, refit=True)).fit(
        waves(), callbacks=[Saving()]
    )
    newest = [name for name in names(tmp_path) if "refitTrue" in name][-1]
    saved = lc.load(tmp_path / newest)
    assert saved.trained_ends == model.trained_ends
    np.testing.assert_array_equal(saved.predict().quantiles, model.predict().quantiles)


def test_snapshots_are_on_the_disk_when_the_training_ends(tmp_path, monkeypatch):
    synced = []
    monkeypatch.setattr(store, "to_disk", synced.append)
    monkeypatch.setattr(
        "lstmcast.util.folders.make_durable",
        lambda path: pytest.fail(f"waited for {path}"),
    )
    scratch().fit(waves(), callbacks=[SaveEvery(tmp_path, 1)])
    assert {path.parent.name for path in synced if path.suffix} == {"snapshot0003"}
    assert tmp_path / "snapshot0003" in synced and tmp_path in synced


def test_a_snapshot_that_was_removed_meanwhile_does_not_end_a_training(tmp_path):
    save = SaveEvery(tmp_path / "s", 1)
    save(report(1))
    (tmp_path / "s").rename(tmp_path / "t")
    save.close()
    SaveBest(tmp_path).close()  # nothing was saved


def test_snapshots_of_older_versions_say_what_they_are(tmp_path):
    scratch().fit(waves(), callbacks=[SaveEvery(tmp_path, 3, "s")])
    as_once_written(tmp_path / "s")
    with pytest.raises(
        ModelError, match=r"a snapshot of an older lstmcast: .*weights='.*s'"
    ):
        lc.load(tmp_path / "s")
    told = console.snapshot(store.read_manifest(tmp_path / "s"))
    assert told == "a snapshot of epoch 3, its network alone, "
    bare = lc.LSTMForecaster(4, weights=tmp_path / "s").predict(waves())
    assert bare.point.min() > 30 and bare.point.max() < 100  # in the units of the data
    manifest, groups = store.load(tmp_path / "s")
    network = {**manifest["network"], "inputs": "plain"}  # of format 1
    store.save(tmp_path / "s", {**manifest, "network": network}, groups)
    with pytest.raises(
        ModelError, match=r"did not keep the transforms .* not be in the units"
    ):
        lc.LSTMForecaster(4, weights=tmp_path / "s")


def test_a_network_says_how_it_can_be_used(tmp_path):
    report(1).save(tmp_path / "bare")
    with pytest.raises(
        ModelError, match=r"holds a network, not a saved forecaster.*weights='"
    ):
        lc.load(tmp_path / "bare")


def test_what_comes_after_the_last_epoch_is_said():
    told = io.StringIO()
    ProgressLine(told).stage("intervals are measured")
    assert told.getvalue() == "intervals are measured …\n"
