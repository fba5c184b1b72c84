"""A search for the settings of `fit` that suit a panel: trials, one after the other, up to a time
or a number of them.

Each trial trains on the data before some held-out cutoffs and is compared there. No trial sees the
last part of the data, the test part: it measures the accuracy of the best one. Then a network with
the best settings is trained on all data, as `fit` would.
"""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Unpack

from lstmcast.data.origins import checked_horizon
from lstmcast.data.words import Words
from lstmcast.errors import ModelError, OutputError, UsageError
from lstmcast.evaluation.resuming import facts
from lstmcast.forecaster import LSTMForecaster
from lstmcast.training_config import require_torch
from lstmcast.tuning.effects import effects_in
from lstmcast.tuning.measure import Clock, Laboratory, OutOfTime
from lstmcast.tuning.result import SHIPPED_NAME, TUNED_NAME, Tuned
from lstmcast.tuning.space import in_words
from lstmcast.tuning.suggest import Suggestions, require_optuna
from lstmcast.tuning.trials import FAILED, FORMAT, STOPPED, Trial, TrialFile, best_of
from lstmcast.tuning.trials import FILE as TRIALS
from lstmcast.util.config import checked_seed, is_whole
from lstmcast.util.files import checked_path, locked
from lstmcast.util.text import number, percent

USUAL_MINUTES = 10.0
# times the seconds of the best trial are reserved for the training after the search
ROOM = 1.2
Progress = Callable[[str], object]


def tune(
    data: Any,
    horizon: int,
    *,
    minutes: float | None = None,
    trials: int | None = None,
    folder: str | Path | None = None,
    seed: int = 0,
    device: str = "cpu",
    progress: Progress | None = None,
    clock: Clock = time.monotonic,
    **words: Unpack[Words],
) -> Tuned:
    """Search for the best settings of `fit` at held-out cutoffs.

    Args:
        data: A Panel or anything that `lstmcast.read` reads.
        horizon: Steps to forecast.
        minutes: Total time. Defaults to 10 unless a number of trials is given.
        trials: Maximum number of trials.
        folder: Folder for trials, the model and its settings. A stopped search continues from it;
            time already spent counts.
        seed: Random seed of the search and of the trainings.
        device: "cpu" or "cuda".
        progress: Function called with a sentence after each step.
        clock: Function that returns the time in seconds.
        words: Keyword arguments of `lstmcast.read`.

    Raises:
        MissingExtraError: PyTorch or optuna is not installed.
        UsageError: Arguments are invalid, or the time is too short for one trial.
        DataError: The history is too short to hold anything out.
        ModelError: The folder holds another search, or no trial was completed.
    """
    from lstmcast.data.read import as_panel

    checked_horizon(horizon)
    budget = _budget(minutes, trials, clock)
    require_torch()
    require_optuna()
    seed = checked_seed(seed)
    panel = as_panel(data, (), words)
    place = None if folder is None else checked_path(folder)
    laboratory = Laboratory.of(panel, horizon, seed, device, clock)
    with _claimed(place):
        tuned = _Search(laboratory, budget, place, progress or _unheard).result()
        if place is not None:
            tuned.save(place)
    return tuned


def _budget(minutes: float | None, trials: int | None, clock: Clock) -> _Budget:
    """The time and the number of trials; UsageError if one is invalid."""
    if minutes is None and trials is None:
        minutes = USUAL_MINUTES
    if trials is not None and not is_whole(trials, 1):
        raise UsageError(
            f"trials must be a whole number of at least 1, got {trials!r}."
        )
    if minutes is None:
        return _Budget(math.inf, trials, clock)
    if not isinstance(minutes, (int, float)) or not 0 < minutes < math.inf:
        raise UsageError(f"minutes must be a number above 0, got {minutes!r}.")
    return _Budget(60 * minutes, trials, clock)


def _unheard(_: str) -> None:
    """Ignore a progress message."""


@contextmanager
def _claimed(place: Path | None) -> Any:
    """Lock the folder of a search; OutputError if another search is writing to it."""
    if place is None:
        yield
        return
    with locked(place / ".lock") as is_locked:
        if not is_locked:
            raise OutputError(
                f"Another search is writing to {str(place)!r}. Wait until it ends, or name "
                "another folder."
            )
        yield


@dataclass(frozen=True, eq=False)
class _Budget:
    """The time that a search may take, and the number of its trials."""

    seconds: float
    trials: int | None
    clock: Clock
    began: float = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "began", self.clock())

    def left(self, earlier: float) -> float:
        """The seconds that are left; `earlier`: the seconds that previous runs took."""
        return self.seconds - earlier - (self.clock() - self.began)

    def allows(self, count: int) -> bool:
        """Whether the number of trials allows another one."""
        return self.trials is None or count < self.trials

    def text(self, seconds_left: float) -> str:
        """The time that is left, in words."""
        if not math.isfinite(seconds_left):
            return ""
        minutes = max(seconds_left, 0.0) / 60
        return (
            f"; about {minutes:.0f} min left"
            if minutes >= 1
            else "; under a minute left"
        )


class _Search:
    """A search: trials one after the other, then the best model."""

    def __init__(
        self, laboratory: Laboratory, budget: _Budget, place: Path | None, say: Progress
    ) -> None:
        self.laboratory = laboratory
        self.budget = budget
        self.say = say
        path = None if place is None else place / TRIALS
        self.file = TrialFile(path, _about(laboratory))
        self.trials = self.file.read()
        self.earlier = sum(trial.seconds for trial in self.trials)

    def result(self) -> Tuned:
        self._announce()
        split = self.laboratory.split
        measure, shipped_error = split.error(LSTMForecaster(self.laboratory.horizon))
        self.say(
            f"the shipped network without training: {measure} {number(shipped_error)}"
        )
        self._run(measure)
        best_trial = best_of(self.trials)
        if best_trial is None:
            raise self._nothing_done()
        test = self._test(best_trial) if split.tests.size else {}
        self.say("training a network with the best settings on all data …")
        model = self.laboratory.trained(dict(best_trial.settings), split.panel)
        effects = effects_in(self.trials, self.laboratory.space)
        trials = tuple(self.trials)
        return Tuned(
            model,
            best_trial,
            trials,
            measure,
            shipped_error,
            test,
            effects,
            split.panel,
        )

    def _announce(self) -> None:
        split = self.laboratory.split
        tests = split.tests.shape[1]
        test = (
            f"the test part has {tests} later ones"
            if tests
            else "none is left for a test"
        )
        cutoffs = f"trials are compared at {split.counts.shape[1]} held-out cutoffs"
        self.say(f"{len(split.panel):,} series; {cutoffs}, {test}")
        if self.trials:
            self.say(f"{len(self.trials)} trials of an earlier run are reused")

    def _run(self, measure: str) -> None:
        """Run trials until their time or number is used up."""
        laboratory = self.laboratory
        suggestions = Suggestions(laboratory.space, laboratory.seed, self.trials)
        while self.budget.allows(len(self.trials)):
            seconds_left = self.budget.left(self.earlier) - self._reserve()
            typical = statistics.median(
                [trial_before.seconds for trial_before in self.trials] or [0.0]
            )
            if seconds_left < typical:
                break
            suggestion = suggestions.next()
            try:
                trial = laboratory.trial(suggestion, laboratory.clock() + seconds_left)
            except OutOfTime as over:
                self._require_one(over.share)
                break
            suggestion.tell(trial)
            self.file.keep(trial)
            self.trials.append(trial)
            self._told(trial, measure)

    def _reserve(self) -> float:
        """The seconds that are reserved for trainings after the search."""
        best_trial = best_of(self.trials)
        if best_trial is None:
            return 0.0
        trainings = 2 if self.laboratory.split.tests.size else 1
        return trainings * ROOM * best_trial.seconds

    def _told(self, trial: Trial, measure: str) -> None:
        came = {STOPPED: "stopped early", FAILED: f"failed: {trial.note}"}
        outcome = came.get(trial.state, f"{measure} {number(trial.error)}")
        if best_of(self.trials) is trial:
            outcome += ", the best so far"
        time_left = self.budget.text(self.budget.left(self.earlier))
        settings = in_words(trial.settings)
        took = f"{trial.seconds:.0f} s"
        self.say(f"trial {trial.number + 1}: {settings}: {outcome}; {took}{time_left}")

    def _require_one(self, share: float) -> None:
        """Raise UsageError if the time ran out before any trial was done."""
        if best_of(self.trials) is not None:
            return
        spent = self.budget.clock() - self.budget.began
        needed = (spent / share if share else 10 * spent) * (1 + 2 * ROOM)
        minutes = math.ceil(max(needed / 60, 1.0))
        raise UsageError(
            f"{self.budget.seconds / 60:.3g} minutes are too short for one trial, which was "
            f"{percent(share)} done. Give at least about {minutes} minutes with --minutes "
            f"{minutes}, and a multiple of that for several trials."
        )

    def _nothing_done(self) -> ModelError | UsageError:
        failed = [trial for trial in self.trials if trial.state == FAILED]
        if not failed:
            return UsageError("There was no time for a trial. Give more minutes.")
        return ModelError(f"No trial was completed. The first one: {failed[0].note}")

    def _test(self, trial: Trial) -> dict[str, float]:
        """Errors on the test part, of a network trained on all data before it."""
        self.say("evaluating the best settings on the test data …")
        split = self.laboratory.split
        model = self.laboratory.trained(dict(trial.settings), split.searched)
        tuned, *simple = split.test_errors(model).items()
        shipped, *_ = split.test_errors(LSTMForecaster(self.laboratory.horizon)).items()
        return {TUNED_NAME: tuned[1], SHIPPED_NAME: shipped[1], **dict(simple)}


def _about(laboratory: Laboratory) -> dict[str, Any]:
    """What trials depend on, as JSON values."""
    panel = laboratory.split.panel
    covariates = panel.covariates
    data = {
        "values": panel.values,
        "offsets": panel.offsets,
        "ids": panel.ids,
        "starts": panel.starts,
        "past": dict(covariates.past),
        "future": dict(covariates.future.columns),
        "static": dict(covariates.static),
    }
    return {
        "format": FORMAT,
        "horizon": laboratory.horizon,
        "seed": laboratory.seed,
        "data": facts(data),
    }
