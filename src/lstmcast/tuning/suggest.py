"""Suggestions of optuna: the next settings, and which trials to stop.

The study is in memory and consists of the trials so far. Its sampler is seeded for each trial from
the seed and the trial's number, so an interrupted search continues as if it had not been stopped.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from lstmcast.errors import MissingExtraError
from lstmcast.tuning.space import Choice, Setting, Space
from lstmcast.tuning.trials import DONE, STOPPED, Trial

if TYPE_CHECKING:
    import optuna

RANDOM_TRIALS = 8  # random trials before the sampler learns from the results
FEWEST_TO_STOP = 4  # completed trials before one is stopped early


def require_optuna() -> None:
    """Raise MissingExtraError unless optuna is installed; called before anything is read."""
    if importlib.util.find_spec("optuna") is None:
        raise MissingExtraError(
            "A search for settings needs optuna. Install it with pip install 'lstmcast[tune]'."
        )


class Suggestions:
    """The optuna study of a search."""

    def __init__(self, space: Space, seed: int, trials: Sequence[Trial]) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self.space = space
        self.seed = seed
        # trials worse than the median are stopped, once a few are done
        pruner = optuna.pruners.MedianPruner(
            n_startup_trials=FEWEST_TO_STOP,
            n_warmup_steps=0,
        )
        self._study = optuna.create_study(pruner=pruner)
        self._kinds = {
            setting.name: _distribution(setting) for setting in space.settings()
        }
        for trial in trials:
            self._study.add_trial(self._rebuilt(trial))

    def next(self) -> Suggestion:
        """The settings of the next trial."""
        number = len(self._study.trials)
        first_settings = self.space.usual()
        self._study.sampler = self._sampler(number)
        if number < len(first_settings):
            self._study.enqueue_trial(first_settings[number])
        trial = self._study.ask()

        def ask(setting: Setting) -> Any:
            name = setting.name
            if isinstance(setting, Choice):
                return trial.suggest_categorical(name, setting.values)
            return trial.suggest_float(name, setting.low, setting.high, log=True)

        settings = self.space.asked(ask)
        return Suggestion(number, settings, trial, self._study)

    def _sampler(self, number: int) -> Any:
        """The sampler of a trial, by its number."""
        import optuna

        seeds = np.random.SeedSequence([self.seed, number]).generate_state(1)
        return optuna.samplers.TPESampler(
            n_startup_trials=RANDOM_TRIALS,
            seed=int(seeds[0]),
        )

    def _rebuilt(self, trial: Trial) -> Any:
        """A trial as an object of optuna."""
        import optuna

        distributions = {}
        for name in trial.settings:
            distributions[name] = self._kinds[name]
        error = trial.error if trial.state == DONE else None
        return optuna.trial.create_trial(
            state=_state(trial),
            params=dict(trial.settings),
            distributions=distributions,
            value=error,
            intermediate_values=dict(trial.losses),
        )


class Suggestion:
    """Settings to try, and the feedback on their trial."""

    def __init__(
        self,
        number: int,
        settings: dict[str, Any],
        trial: optuna.Trial,
        study: optuna.Study,
    ) -> None:
        self.number = number
        self.settings = settings
        self.losses: dict[int, float] = {}
        self._asked = trial
        self._study = study

    def poor(self, place: int, loss: float) -> bool:
        """Whether the trial should be stopped, given its validation loss at a place."""
        self.losses[place] = loss
        self._asked.report(loss, place)
        return self._asked.should_prune()

    def tell(self, trial: Trial) -> None:
        """Report the result of the trial."""
        error = trial.error if trial.state == DONE else None
        self._study.tell(self._asked, error, _state(trial))


def _state(trial: Trial) -> Any:
    """The state of a trial in optuna."""
    from optuna.trial import TrialState

    if trial.state == DONE:
        return TrialState.COMPLETE
    if trial.state == STOPPED:
        return TrialState.PRUNED
    return TrialState.FAIL


def _distribution(setting: Setting) -> Any:
    import optuna

    if isinstance(setting, Choice):
        return optuna.distributions.CategoricalDistribution(setting.values)
    return optuna.distributions.FloatDistribution(setting.low, setting.high, log=True)
