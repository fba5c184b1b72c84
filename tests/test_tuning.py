"""The search for settings: trials, how it goes on, what it says of them."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

import lstmcast as lc
from builders import weeks
from lstmcast.cli.app import app
from lstmcast.errors import (
    DataError,
    MissingExtraError,
    ModelError,
    OutputError,
    UsageError,
)
from lstmcast.tuning import measure, search, suggest
from lstmcast.tuning.effects import effects_in, explained
from lstmcast.tuning.measure import Laboratory, OutOfTime, Split, _Poor, _Watch
from lstmcast.tuning.settings import read_settings, write_settings
from lstmcast.tuning.space import SCRATCH, TUNED, Space, kind_of
from lstmcast.tuning.suggest import Suggestions
from lstmcast.tuning.trials import DONE, STOPPED, Trial, TrialFile, best_of
from lstmcast.updating import remembering
from lstmcast.util.files import locked
from lstmcast.util.language import words_of

pytest.importorskip("torch", reason="needs the train extra")
pytest.importorskip("optuna", reason="needs the tune extra")

H = 4


def panel(count: int = 2, length: int = 70) -> lc.Panel:
    return weeks(count, length)


def bowl(settings) -> float:
    """An error that is least at a learning rate of 0.002, and larger from scratch."""
    away = abs(math.log(settings["learning_rate"] / 0.002))
    return 1.0 + 0.1 * away + 0.3 * (settings["start"] == SCRATCH)


@pytest.fixture
def quick(monkeypatch):
    """Trials whose error is known, in place of trainings; the settings that were tried."""
    tried = []

    def error(self, suggestion, ends):
        tried.append(suggestion.settings)
        loss = bowl(suggestion.settings)
        if suggestion.poor(10 * kind_of(suggestion.settings) + 1, loss):
            raise _Poor
        return loss

    def trained(self, settings, panel, callbacks=()):
        return remembering(lc.LSTMForecaster(self.horizon), panel)

    monkeypatch.setattr(Laboratory, "_error", error)
    monkeypatch.setattr(Laboratory, "trained", trained)
    monkeypatch.setattr(Split, "error", lambda self, model: ("MASE", 1.2))
    monkeypatch.setattr(
        Split, "test_errors", lambda self, model: {"lstmcast": 1.1, "naive": 2.0}
    )
    return tried


# ---------------------------------------------------------------- what is held out


def test_no_trial_sees_the_test_part():
    data = panel(length=100)
    split = Split.of(data, H)
    assert split.tests.shape == (2, 2)
    np.testing.assert_array_equal(split.tests[:, -1], data.lengths - H)
    np.testing.assert_array_equal(split.searched.lengths, split.tests[:, 0])
    assert (split.counts[:, -1] + H <= split.tests[:, 0]).all()
    np.testing.assert_array_equal(split.before.lengths, split.counts[:, 0])


def test_short_histories_have_no_test_part_and_shorter_ones_nothing():
    split = Split.of(panel(length=19), H)
    assert split.tests.shape == (2, 0)
    assert split.counts.any()
    with pytest.raises(
        DataError, match="longest series has 15 values, but a search needs 18"
    ):
        Split.of(panel(length=15), H)


# ---------------------------------------------------------------- trials


def test_the_first_trials_are_what_fit_does():
    space = Space.of(panel())
    assert space.forecaster(space.usual()[0], H, 0).training.optimiser == (
        lc.TrainingConfig.fine_tuning().optimiser
    )
    scratch = space.forecaster(space.usual()[1], H, 0)
    assert scratch.config.layers == (64, 64)
    assert scratch.training.optimiser == lc.TrainingConfig.from_scratch().optimiser


def test_the_same_seed_makes_the_same_trials_and_a_stopped_search_goes_on(
    quick, tmp_path
):
    whole = lc.tune(panel(), H, trials=14, seed=3)
    first = list(quick)
    quick.clear()
    lc.tune(panel(), H, trials=9, seed=3, folder=tmp_path / "kept")
    told = []
    went_on = lc.tune(
        panel(), H, trials=14, seed=3, folder=tmp_path / "kept", progress=told.append
    )
    assert quick == first
    assert "9 trials of an earlier run are reused" in told
    assert [one.error for one in went_on.trials if one.state == DONE] == (
        [one.error for one in whole.trials if one.state == DONE]
    )
    quick.clear()
    lc.tune(panel(), H, trials=14, seed=4)
    assert quick[:2] == first[:2]  # what fit does
    assert quick[2:] != first[2:]


def test_a_trial_that_was_cut_off_is_made_again(quick, tmp_path, monkeypatch):
    lc.tune(panel(), H, trials=3, folder=tmp_path)
    first = list(quick)
    with (tmp_path / "trials.jsonl").open("ab") as file:
        file.write(b'{"number": 3, "sett')
    quick.clear()
    lc.tune(panel(), H, trials=4, folder=tmp_path)
    assert len(quick) == 1
    quick.clear()
    lc.tune(panel(), H, trials=4)
    assert quick[:3] == first
    lines = (tmp_path / "trials.jsonl").read_text().splitlines()
    assert len([json.loads(line) for line in lines]) == 5


def test_poor_trials_are_stopped_early_and_the_search_finds_the_bowl(quick):
    found = lc.tune(panel(), H, trials=30)
    states = [one.state for one in found.trials]
    assert STOPPED in states
    assert found.best.settings["start"] == TUNED
    assert 0.0008 < found.best.settings["learning_rate"] < 0.005
    mattered = {one.setting: one for one in found.effects}
    start = mattered["fine-tuned or from scratch"]
    assert start.best == TUNED
    assert start.error < start.others
    assert start.explains > mattered["batch size"].explains
    frame = found.frame("pandas")
    assert len(frame) == 30
    assert {"trial", "state", "error", "seconds", "learning_rate", "hidden"} <= set(
        frame
    )
    assert found.test == {"tuned": 1.1, "shipped network": 1.1, "naive": 2.0}


def test_the_time_is_kept_and_counts_earlier_runs(quick, monkeypatch, tmp_path):
    now = [0.0]

    def trial(self, suggestion, ends):
        now[0] += 10.0
        return Trial(
            suggestion.number,
            suggestion.settings,
            DONE,
            bowl(suggestion.settings),
            {},
            10.0,
        )

    monkeypatch.setattr(Laboratory, "trial", trial)
    told = []
    how = {"folder": tmp_path, "clock": lambda: now[0]}
    found = lc.tune(panel(), H, minutes=2, progress=told.append, **how)
    # two trainings of 12 seconds are kept for the end, and no trial begins that would not be done
    assert len(found.trials) == 9
    assert any("about 1 min left" in text for text in told)
    assert any("under a minute left" in text for text in told)
    again = lc.tune(panel(), H, minutes=3, **how)
    assert len(again.trials) == 15


def test_a_budget_that_is_too_small_for_one_trial_says_so(quick, monkeypatch):
    now = [0.0]

    def trial(self, suggestion, ends):
        now[0] += 30.0
        raise OutOfTime(0.25)

    monkeypatch.setattr(Laboratory, "trial", trial)
    with pytest.raises(
        UsageError, match=r"0\.5 minutes are too short .* 25% done.*minutes=7"
    ):
        lc.tune(panel(), H, minutes=0.5, clock=lambda: now[0])


def test_a_training_is_watched():
    from types import SimpleNamespace

    now, space = [0.0], Space.of(panel())
    done = [Trial(k, space.usual()[0], DONE, 1.0, {1: 0.5, 2: 0.4}) for k in range(4)]
    suggestion = Suggestions(space, 0, done).next()
    suggestion.settings = space.usual()[0]
    watch = _Watch(suggestion, 100.0, lambda: now[0])

    def report(epoch, loss, member=0):
        return SimpleNamespace(
            member=member, members=2, epoch=epoch, epochs=8, validation_loss=loss
        )

    watch(report(1, 0.9))
    watch(report(2, 0.45))
    assert suggestion.losses == {1: 0.45}
    watch(report(3, 0.9))
    with pytest.raises(_Poor):
        watch(report(4, 0.9))
    assert suggestion.losses == {1: 0.45, 2: 0.45}
    watch(report(4, 9.0, member=1))
    now[0] = 100.0
    with pytest.raises(OutOfTime) as over:
        watch(report(4, 0.3, member=1))
    assert over.value.share == 0.75


def test_trials_that_cannot_be_trained_fail_and_are_told(quick, monkeypatch, tmp_path):
    def error(self, suggestion, ends):
        raise ModelError("no numbers")

    monkeypatch.setattr(Laboratory, "_error", error)
    with pytest.raises(
        ModelError, match=r"No trial was completed\. The first one: no numbers"
    ):
        lc.tune(panel(), H, trials=2, folder=tmp_path)
    kept = TrialFile(tmp_path / "trials.jsonl", {}).read()
    assert [one.note for one in kept] == ["no numbers"] * 2
    assert best_of(kept) is None


def test_ctrl_c_ends_the_search_and_not_one_training(monkeypatch):
    class Interrupted:
        record = type("R", (), {"interrupted": True})
        past = ()

        def fit(self, *args, **words):
            return self

    monkeypatch.setattr(Space, "forecaster", lambda *args: Interrupted())
    monkeypatch.setattr(Split, "error", lambda self, model: ("MASE", 1.2))
    with pytest.raises(KeyboardInterrupt):
        lc.tune(panel(), H, trials=2)


# ---------------------------------------------------------------- what mattered


def test_settings_that_do_nothing_explain_nothing():
    rng = np.random.default_rng(0)
    values, groups = rng.normal(size=4000), rng.integers(0, 4, 4000)
    assert explained(values, groups) < 0.01
    assert explained(values + groups, groups) == pytest.approx(
        np.var(groups) / (1 + np.var(groups)), abs=0.03
    )
    assert explained(np.ones(4), np.array([0, 0, 1, 1])) == 0.0


def test_little_is_said_of_few_trials(quick):
    found = lc.tune(panel(), H, trials=3)
    assert found.effects == ()
    assert "3 trials are done, too few to measure the importance of settings." in str(
        found
    )
    space = Space.of(panel())
    assert effects_in([], space) == ()


# ---------------------------------------------------------------- bad input


def test_another_search_in_the_folder_is_refused(quick, tmp_path):
    lc.tune(panel(), H, trials=1, folder=tmp_path)
    with pytest.raises(ModelError, match="holds trials of another search: seed differ"):
        lc.tune(panel(), H, trials=2, seed=1, folder=tmp_path)
    with pytest.raises(ModelError, match="data differ"):
        lc.tune(panel(length=71), H, trials=2, folder=tmp_path)
    (tmp_path / "trials.jsonl").write_text("no json\n")
    with pytest.raises(ModelError, match="is damaged"):
        lc.tune(panel(), H, trials=2, folder=tmp_path)


def test_two_searches_do_not_share_a_folder(quick, tmp_path):
    with (
        locked(tmp_path / ".lock"),
        pytest.raises(OutputError, match="Another search is writing"),
    ):
        lc.tune(panel(), H, trials=1, folder=tmp_path)


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ({"minutes": 0}, "minutes must be a number above 0, got 0"),
        ({"minutes": "ten"}, "minutes must be"),
        ({"trials": 0}, "trials must be a whole number of at least 1"),
        ({"trials": 1, "seed": -1}, "seed must be"),
    ],
)
def test_words_that_make_no_sense(words, text):
    with pytest.raises(UsageError, match=text):
        lc.tune(panel(), H, **words)


def test_without_optuna_it_says_how_to_install_it(monkeypatch):
    monkeypatch.setattr(suggest.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"pip install 'lstmcast\[tune\]'"):
        suggest.require_optuna()


# ---------------------------------------------------------------- settings, the command


def test_settings_become_a_file_and_come_back(tmp_path):
    space = replace(Space.of(panel()), past=("price",))
    sizes = {"inputs": "transformed", "hidden": 16, "layers": 2, "dropout": 0.1}
    for settings in (*space.usual(), space.usual()[1] | sizes):
        model = space.forecaster(settings, H, 5)
        write_settings(model, tmp_path / "settings.toml", "what it is\nof")
        assert read_settings(tmp_path / "settings.toml") == model
    for text, why in (("[", "are not TOML"), ("horizon = 0", "horizon must be")):
        (tmp_path / "wrong.toml").write_text(text)
        with pytest.raises(UsageError, match=why):
            read_settings(tmp_path / "wrong.toml")
    with pytest.raises(UsageError, match="cannot be read"):
        read_settings(tmp_path / "none.toml")


def run(*arguments):
    return CliRunner().invoke(app, [str(one) for one in arguments])


@pytest.mark.slow
def test_the_command_and_the_same_training_by_fit(tmp_path, monkeypatch):
    monkeypatch.setattr(
        Space,
        "usual",
        lambda self: [
            {"start": TUNED, "learning_rate": 1e-3, "weight_decay": 1e-4, "epochs": 8}
            | {"batch_size": 64, "window": max(self.window.values)}
        ],
    )
    rows = [
        f"{np.datetime64('2024-01-01') + t},{10 + t % 7 + t % 3}" for t in range(60)
    ]
    data = tmp_path / "sold.csv"
    data.write_text("\n".join(["day,sold", *rows]))
    said = (data, "--horizon", 4)
    done = run("tune", *said, "--trials", 1, "--out", tmp_path / "found")
    assert done.exit_code == 0, done.output
    assert "1 trials: 1 done" in done.stdout
    assert "on the test part" in done.stdout
    again = run(
        "tune", *said, "--trials", 1, "--out", tmp_path / "found", "--json", "--quiet"
    )
    document = json.loads(again.stdout)
    assert document["search"]["trials"] == {"done": 1, "stopped": 0, "failed": 0}
    settings = tmp_path / "found" / "settings.toml"
    fitted = run(
        "fit", data, "--settings", settings, "--model", tmp_path / "again", "--quiet"
    )
    assert fitted.exit_code == 0, fitted.output
    tuned, same = lc.load(tmp_path / "found" / "model"), lc.load(tmp_path / "again")
    np.testing.assert_array_equal(tuned.predict().point, same.predict().point)


def test_fit_with_settings_refuses_what_they_decide(tmp_path):
    write_settings(lc.LSTMForecaster(H), tmp_path / "s.toml")
    data = tmp_path / "sold.csv"
    data.write_text("day,sold\n2024-01-01,1\n")
    said = ("fit", data, "--model", tmp_path / "m", "--settings", tmp_path / "s.toml")
    idle = run(*said, "--epochs", 3)
    assert "--epochs would have no effect" in idle.exception.message
    other = run(*said, "--horizon", 9)
    assert "--horizon 9:" in other.exception.message
    assert "was made for 4 steps" in str(other.exception)
    both = run(*said, "--preset", "best")
    assert "--settings would have no effect" in str(both.exception)


def test_a_search_speaks_japanese(quick):
    told = []
    found = lc.tune(panel(), H, trials=12, minutes=1000, progress=told.append)
    words = words_of("ja")
    assert not [text for text in told if not re.search("[ぁ-ん]", words(text))]
    text = found.text("ja")
    assert "最良：試行" in text and "学習率" in text
    left = [line for line in text.splitlines() if re.search("[a-z]{4}", line)]
    assert not left


def test_the_command_says_how_it_goes_on(tmp_path, monkeypatch):
    def stopped(*args, **words):
        raise KeyboardInterrupt

    monkeypatch.setattr(search, "tune", stopped)
    data = tmp_path / "sold.csv"
    data.write_text(
        "day,sold\n" + "\n".join(f"2024-01-{d:02d},{d}" for d in range(1, 29))
    )
    done = run("tune", data, "--horizon", 2, "--out", tmp_path / "found", "--quiet")
    assert done.exit_code == 130
    assert "The same command continues" in done.stderr


def test_places_are_counted_by_kind():
    space = Space.of(panel())
    assert [kind_of(one) for one in space.usual()] == [0, 1]
    assert measure.PLACES > measure.PARTS
