"""Training settings: checked when made, the same after JSON, and a history that can be read as a
frame."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

import lstmcast
from lstmcast import training_config as settings
from lstmcast.errors import MissingExtraError, UsageError
from lstmcast.training_config import (
    SWA,
    Ema,
    Initialiser,
    Loss,
    Optimiser,
    Rollout,
    Schedule,
    Stateful,
    TrainingConfig,
    Validation,
    WholeSequence,
    Windows,
    to_json,
    training_from_json,
)
from lstmcast.training_history import Epoch, History, kept
from lstmcast.util import config as util_config

CONFIGS = [
    TrainingConfig(),
    TrainingConfig.fine_tuning(),
    TrainingConfig.from_scratch(),
    TrainingConfig.transformed(),
    TrainingConfig(
        batching=WholeSequence(chunk=7), average=Ema(0.9), loss="mae", members=3
    ),
    TrainingConfig(
        batching=Stateful(7, reset="never", stride=1), average=SWA(3), validation=None
    ),
    TrainingConfig(
        batching=Rollout(10, 10, support_end=0, probability=0.5),
        loss=Loss("pinball", level=0.9),
    ),
    TrainingConfig(
        batching=Windows(8),
        validation=Validation(share=0.3, by="windows"),
        patience=2,
        refit=True,
    ),
    TrainingConfig(initialiser="chainer1"),
    TrainingConfig(initialiser=Initialiser("ones", bias=0.05, dense="lecun_normal")),
    TrainingConfig(
        optimiser=Optimiser("rmsprop", schedule="step"),
        steps_per_epoch=4,
        precision="mixed",
    ),
]


@pytest.mark.parametrize("config", CONFIGS)
def test_a_config_is_the_same_after_json(config):
    assert training_from_json(json.dumps(to_json(config))) == config
    assert training_from_json(to_json(config)) == config


def test_names_stand_for_their_settings():
    assert Optimiser(schedule="cosine").schedule == Schedule("cosine")
    assert TrainingConfig(loss="huber").loss == Loss("huber")


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (
            lambda: TrainingConfig(epochs=0),
            r"TrainingConfig\(epochs=0\): must be at least 1",
        ),
        (
            lambda: Windows(lenght=3),
            r"there is no setting 'lenght'. Did you mean 'length'\?",
        ),  # pyright: ignore
        (lambda: Rollout(length=1, support=0), r"Rollout\(length=1\)"),
        (
            lambda: Rollout(10, support=8, support_end=2, support_from=3),
            "support_from of at most 2",
        ),
        (lambda: Optimiser(schedule="cos"), r"schedule.kind='cos'\): .*'plateau'"),
        (
            lambda: Validation(share=0.1, steps=3),
            "either the share or the number of steps",
        ),
        (lambda: Validation(by="windows"), "needs a share"),
        (lambda: Stateful(5, stride=6), r"^stride=6 would leave out steps"),
        (
            lambda: TrainingConfig(batching=WholeSequence(), steps_per_epoch=9),
            r"^steps_per_epoch=9 is for Windows",
        ),
        (
            lambda: TrainingConfig(batching=Stateful(9), steps_per_epoch=9),
            r"^steps_per_epoch=9 is for Windows",
        ),
        (
            lambda: TrainingConfig(patience=3, validation=None),
            r"^patience=3 needs a validation loss",
        ),
        (
            lambda: TrainingConfig(
                optimiser=Optimiser(schedule="plateau"), validation=None
            ),
            "'plateau' needs",
        ),
        (
            lambda: TrainingConfig(optimiser=Optimiser(schedule="plateau"), refit=True),
            "refit=True",
        ),
        (
            lambda: TrainingConfig(
                batching=WholeSequence(), validation=Validation(share=0.3, by="windows")
            ),
            r"needs batching=Windows",
        ),
        (
            lambda: training_from_json({"batching": {"kind": "windows", "x": 1}}),
            r"cannot be used.*batching.windows.x=1",
        ),
        (lambda: training_from_json("{"), "cannot be used"),
    ],
)
def test_settings_that_make_no_sense_are_refused(make, said):
    with pytest.raises(UsageError, match=said):
        make()


def test_support_and_probability_move_on_a_line():
    batching = Rollout(
        10, support=10, support_end=0, probability=0.0, probability_end=1.0
    )
    assert [batching.at(done) for done in (0, 0.5, 1)] == [
        (10, 0.0),
        (5, 0.5),
        (0, 1.0),
    ]
    assert Rollout(10, support=4).at(0.7) == (4, 1.0)


def test_the_missing_extra_is_named(monkeypatch):
    settings.require_torch()
    monkeypatch.setattr(settings.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"pip install 'lstmcast\[train\]'"):
        settings.require_torch()


ROWS = (
    Epoch(0, 0, 0, math.nan, 0.7, 0.0, 0.0, False),
    Epoch(0, 1, 4, 0.5, 0.6, 1e-3, 0.1, False),
    Epoch(1, 1, 4, 0.4, 0.5, 1e-3, 0.2, False),
)


def test_a_history_reads_as_columns_and_frames():
    history = History(kept(ROWS[:2], 1) + ROWS[2:])
    columns = history.columns()
    assert (
        columns["best"].tolist() == [False, True, False]
        and columns["epoch"].dtype == np.int64
    )
    frame = history.frame("pandas")
    assert list(frame.columns) == list(Epoch._fields) and len(frame) == 3
    assert history.frame()["validation_loss"].tolist() == [0.7, 0.6, 0.5]
    assert (
        repr(history)
        == "History(2 members, 2 epochs, best validation loss 0.6 in epoch 1)"
    )
    assert len(history.member(1)) == 1


def test_a_frame_of_another_kind_is_refused():
    with pytest.raises(
        UsageError,
        match=r"kind='foo' is not a kind of frame.*'arrays', 'pandas', 'polars', 'pyarrow'",
    ):
        History(ROWS).frame("foo")
    assert History(ROWS).frame("arrays")["epoch"].tolist() == [0, 1, 1]


def test_a_history_is_the_same_after_json_and_columns():
    history = History(ROWS)
    described = json.loads(json.dumps(history.to_json(), allow_nan=False))
    for again in (
        History.from_json(described),
        History.from_columns(history.columns()),
    ):
        assert repr(again.epochs) == repr(history.epochs)  # NaN is not equal to itself
    assert described["train_loss"][0] is None


def test_a_history_counts_epochs_not_rows():
    rows = tuple(
        Epoch(m, e, e, 0.5, float("nan"), 1e-3, 1.0, e == 2)
        for m in (0, 1)
        for e in (0, 1, 2)
    )
    assert repr(History(rows)) == "History(2 members, 4 epochs)"
    assert repr(History(rows[:2])) == "History(1 member, 1 epoch)"


def test_the_old_names_are_taken_with_a_note():
    with pytest.warns(
        DeprecationWarning, match=r"TrainingConfig\(regime=…\) is now called batching="
    ) as told:
        config = TrainingConfig(regime=WholeSequence())
    assert told[0].filename == __file__  # where the old name is
    assert config == TrainingConfig(batching=WholeSequence())
    with pytest.warns(DeprecationWarning, match=r"Snapshots is now called SWA"):
        assert lstmcast.Snapshots is SWA
    with pytest.warns(
        DeprecationWarning, match=r"TrainingConfig\.plain is now called transformed"
    ):
        assert TrainingConfig.plain() == TrainingConfig.transformed()


def test_settings_of_format_1_are_read():
    described = to_json(TrainingConfig(batching=WholeSequence(), average=SWA(3)))
    described["regime"] = described.pop("batching")
    described["average"]["kind"] = "snapshots"
    assert training_from_json(described) == TrainingConfig(
        batching=WholeSequence(), average=SWA(3)
    )


def test_what_reads_settings_is_made_once(monkeypatch):
    """It takes longer to make than all else that loading a model does."""
    made = []

    usual = util_config.TypeAdapter

    def counted(settings_class):
        made.append(settings_class)
        return usual(settings_class)

    util_config.adapter.cache_clear()
    monkeypatch.setattr(util_config, "TypeAdapter", counted)
    for settings_of in CONFIGS[:2]:
        assert training_from_json(to_json(settings_of)) == settings_of
    util_config.adapter.cache_clear()
    assert made.count(TrainingConfig) == 1
