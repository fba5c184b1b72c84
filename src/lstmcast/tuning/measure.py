"""One trial: a network is trained on the data before the held-out cutoffs, and measured there.

S series · K held-out cutoffs
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstmcast.data.panel import Panel
from lstmcast.errors import DataError, LstmcastError, MissingExtraError, UsageError
from lstmcast.evaluation.backtest import backtest, spaced_cutoffs
from lstmcast.forecaster import LSTMForecaster
from lstmcast.tuning.space import Space, kind_of
from lstmcast.tuning.suggest import Suggestion
from lstmcast.tuning.trials import DONE, FAILED, STOPPED, Trial

SEARCHED = 3  # cutoffs at which trials are compared, if the history is long enough
TESTED = 2  # later cutoffs that no trial sees, at which the best one is tested
PARTS = 4  # parts of a training, which may be stopped after each but the last
PLACES = 10  # places per kind of network, at which validation losses can be compared

Clock = Callable[[], float]


class OutOfTime(Exception):
    """The time ran out during a trial. `share`: the completed share of it."""

    def __init__(self, share: float) -> None:
        super().__init__(share)
        self.share = share


class _Poor(Exception):
    """A trial is worse than earlier ones at the same place."""


@dataclass(frozen=True, eq=False)
class Split:
    """A panel in three parts: training data of trials, cutoffs that compare them, and later cutoffs
    that test the best one.

    `searched`: the panel up to the first test cutoff · `counts` (S, K): the cutoffs of trials ·
    `tests` (S, K): the test cutoffs, without columns if the history is too short for any.
    """

    panel: Panel
    searched: Panel
    counts: NDArray
    tests: NDArray
    views: dict[Any, Panel] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, panel: Panel, horizon: int) -> Split:
        """Split a panel. Raises DataError if nothing can be held out."""
        fewest = max(2 * int(panel.periods[0]), 2 * horizon, 8)
        lengths = panel.lengths
        for number in range(TESTED, -1, -1):
            test_counts = np.zeros((len(panel), 0), np.int64)
            if number:
                test_counts = spaced_cutoffs(
                    lengths, horizon, number, horizon, fewest + horizon
                )
            searched = panel.until(_first(test_counts, panel))
            counts = spaced_cutoffs(searched.lengths, horizon, SEARCHED, minimum=fewest)
            if counts.any():
                return cls(panel, searched, counts, test_counts)
        longest = int(lengths.max(initial=0))
        raise DataError(
            f"{panel.report.source}: the longest series has {longest} values, but a search needs "
            f"{fewest + horizon} to hold out {horizon} of them. Give a shorter horizon, or use "
            "the shipped network without training: lstmcast forecast."
        )

    @property
    def before(self) -> Panel:
        """The training data of trials."""
        return self.searched.until(_first(self.counts, self.searched))

    def error(self, model: LSTMForecaster) -> tuple[str, float]:
        """The error of a model at the cutoffs of trials: the name of the measure, and its value."""
        tested = backtest(
            model,
            self.view(self.searched, model),
            cutoffs=self.counts,
            baselines=False,
            refit="never",
            added=False,
        )
        measure = _measure(self.panel)
        scores = tested.scores[tested.model]
        return measure.upper(), scores[measure]

    def test_errors(self, model: LSTMForecaster) -> dict[str, float]:
        """Errors at the test cutoffs, of a model first and then of simple forecasts."""
        tested = backtest(
            model,
            self.view(self.panel, model),
            cutoffs=self.tests,
            refit="never",
            added=False,
        )
        measure = _measure(self.panel)
        return {name: scores[measure] for name, scores in tested.scores.items()}

    def view(self, panel: Panel, model: LSTMForecaster) -> Panel:
        """A panel without past columns that a model does not read, to avoid a note in each trial;
        always the same object, as effects of known columns are cached for it."""
        if set(panel.covariates.past) <= set(model.past):
            return panel
        key = id(panel), model.past
        if key not in self.views:
            read = panel.covariates.only(model.past)
            self.views[key] = replace(panel, covariates=read)
        return self.views[key]


def _first(counts: NDArray, panel: Panel) -> NDArray:
    """The first cutoff of each series (S,), or its end if it has none."""
    first = np.array(panel.lengths)
    for counts_S in counts.T:
        first = np.where(counts_S > 0, np.minimum(counts_S, first), first)
    return first


def _measure(panel: Panel) -> str:
    return "mase" if len(panel) > 1 else "mae"


@dataclass(frozen=True, eq=False)
class Laboratory:
    """Makes trials. `ends`: the time of the clock at which a trial is abandoned."""

    split: Split
    space: Space
    horizon: int
    seed: int
    device: str = "cpu"
    clock: Clock = time.monotonic
    before: Panel = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "before", self.split.before)

    @classmethod
    def of(
        cls, panel: Panel, horizon: int, seed: int, device: str, clock: Clock
    ) -> Laboratory:
        """The laboratory for a panel. Raises DataError if nothing can be held out."""
        split = Split.of(panel, horizon)
        space = Space.of(split.before)
        return cls(split, space, horizon, seed, device, clock)

    def trial(self, suggestion: Suggestion, ends: float) -> Trial:
        """Run a trial. Raises OutOfTime, KeyboardInterrupt."""
        began = self.clock()
        trial = Trial(suggestion.number, suggestion.settings, DONE)
        try:
            error = self._error(suggestion, ends)
            trial = replace(trial, error=error)
        except _Poor:
            trial = replace(trial, state=STOPPED)
        except (UsageError, MissingExtraError):
            raise  # every trial would fail
        except LstmcastError as problem:
            trial = replace(trial, state=FAILED, note=problem.message)
        if trial.state == DONE and not np.isfinite(trial.error):
            trial = replace(trial, state=FAILED, note="no error could be measured")
        losses = dict(suggestion.losses)
        seconds = self.clock() - began
        return replace(trial, losses=losses, seconds=seconds)

    def trained(
        self, settings: dict[str, Any], panel: Panel, callbacks: Any = ()
    ) -> LSTMForecaster:
        """A forecaster with these settings, trained on a panel."""
        model = self.space.forecaster(settings, self.horizon, self.seed)
        model.fit(
            self.split.view(panel, model), callbacks=list(callbacks), device=self.device
        )
        if model.record is not None and model.record.interrupted:
            raise KeyboardInterrupt
        return model

    def _error(self, suggestion: Suggestion, ends: float) -> float:
        watch = _Watch(suggestion, ends, self.clock)
        model = self.trained(suggestion.settings, self.before, [watch])
        return self.split.error(model)[1]


@dataclass(frozen=True, eq=False)
class _Watch:
    """A callback that abandons a training if time has run out or if it is poor."""

    suggestion: Suggestion
    ends: float
    clock: Clock
    best: list[float] = field(default_factory=list)

    def __call__(self, report: Any) -> None:
        if self.clock() >= self.ends:
            epochs_done = report.member * report.epochs + report.epoch
            raise OutOfTime(epochs_done / (report.members * report.epochs))
        if report.member or not np.isfinite(report.validation_loss):
            return
        self.best.append(report.validation_loss)
        quarter = PARTS * report.epoch // report.epochs
        if 0 < quarter < PARTS:
            self._judge(quarter)

    def _judge(self, quarter: int) -> None:
        """Stop a poor training after this part of it; each part is judged once."""
        kind = kind_of(self.suggestion.settings)
        place = PLACES * kind + quarter
        if place in self.suggestion.losses:
            return
        if self.suggestion.poor(place, min(self.best)):
            raise _Poor
