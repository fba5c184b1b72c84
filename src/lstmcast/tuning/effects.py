"""Which settings mattered: the share of the variance between trials that each explains, and its
best value.

Trials are grouped by the value of a setting, numbers by thirds. The share that a setting explains
is the adjusted one, ε² (Kelley 1935): for settings without effect it is 0 on average, however many
groups there are. Errors are compared as logarithms.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstmcast.tuning.space import Choice, Setting, Space
from lstmcast.tuning.trials import DONE, Trial
from lstmcast.util.language import ENGLISH, Words
from lstmcast.util.lines import aligned
from lstmcast.util.text import number, percent

FEWEST = 6  # completed trials that are needed
TINY = 1e-12  # lower limit of errors, as 0 has no logarithm


@dataclass(frozen=True)
class SettingEffect:
    """The effect of a setting.

    `explains`: the share of the variance between trials · `best`: the value, or the range of
    numbers, with the lowest error · `error`: the median error with it, and `others` without it.
    """

    setting: str
    explains: float
    best: str
    error: float
    others: float


def effects_in(trials: Sequence[Trial], space: Space) -> tuple[SettingEffect, ...]:
    """The effect of each setting, the largest first; empty if too few trials are done."""
    done_trials = [trial for trial in trials if trial.state == DONE]
    effects = []
    for setting in space.settings():
        effect = _effect(setting, done_trials)
        if effect is not None:
            effects.append(effect)
    effects.sort(key=_explains, reverse=True)
    return tuple(effects)


def _explains(effect: SettingEffect) -> float:
    return effect.explains


def _effect(setting: Setting, done_trials: Sequence[Trial]) -> SettingEffect | None:
    """The effect of one setting; None if too few trials have it, or all have the same value."""
    with_setting = [trial for trial in done_trials if setting.name in trial.settings]
    if len(with_setting) < FEWEST:
        return None
    values = [trial.settings[setting.name] for trial in with_setting]
    groups, names = _grouped(setting, values)
    if len(names) < 2:
        return None
    errors = np.array([trial.error for trial in with_setting])
    medians = []
    for group in range(len(names)):
        medians.append(_median(errors[groups == group]))
    best_group = int(np.argmin(medians))
    return SettingEffect(
        setting=setting.title,
        explains=explained(np.log(errors + TINY), groups),
        best=names[best_group],
        error=medians[best_group],
        others=_median(errors[groups != best_group]),
    )


def _median(errors: NDArray) -> float:
    return float(np.median(errors))


def _grouped(setting: Setting, values: Sequence[Any]) -> tuple[NDArray, list[str]]:
    """The group of each value, and the names of the groups."""
    if isinstance(setting, Choice):
        categories = [value for value in setting.values if value in values]
        places = [categories.index(value) for value in values]
        return np.array(places), [str(value) for value in categories]
    numbers = np.array(values)
    bounds = np.quantile(numbers, [1 / 3, 2 / 3])
    thirds = np.searchsorted(bounds, numbers)
    _, groups = np.unique(thirds, return_inverse=True)
    names = []
    for group in np.unique(groups):
        third = numbers[groups == group]
        names.append(f"{third.min():.2g} … {third.max():.2g}")
    return groups, names


def explained(values: NDArray, groups: NDArray) -> float:
    """The share of the variance of values that groups explain, adjusted for their number.

    >>> explained(np.array([1.0, 1.0, 2.0, 2.0]), np.array([0, 0, 1, 1]))
    1.0
    """
    total = _squares(values)
    numbers = np.unique(groups)
    within = 0.0
    for group in numbers:
        within += _squares(values[groups == group])
    degrees = len(values) - len(numbers)
    if total <= 0 or degrees <= 0:
        return 0.0
    by_chance = (len(numbers) - 1) * within / degrees
    share = (total - within - by_chance) / total
    return max(0.0, share)


def _squares(values: NDArray) -> float:
    """The sum of squares around the mean."""
    away = values - values.mean()
    return float((away**2).sum())


def table_of(
    effects: Sequence[SettingEffect], measure: str, words: Words = ENGLISH
) -> str:
    """The effects as a text table."""
    setting_title = words("importance of settings")
    value_title = words("best")
    header = [
        setting_title,
        words("explains"),
        value_title,
        measure,
        words(f"{measure} of others"),
    ]
    rows = []
    for effect in effects:
        row = [
            words(effect.setting),
            percent(effect.explains),
            words(effect.best),
            number(effect.error),
            number(effect.others),
        ]
        rows.append(row)
    return aligned(header, rows, left_aligned=[setting_title, value_title])
