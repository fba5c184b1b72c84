"""The verdict on a model compared with simple forecasts: one reference, one error, one rule.

The error is the mean absolute error for one series, and for several its mean relative to each
series' scale (MASE). The reference is the simple forecast with the smallest error. The verdict, the
skill in every table, and the tiles and colour of a report all follow from these two.
"""

# H horizon

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal, NamedTuple

import numpy as np

from lstmcast.util.text import number, percent

# well-known simple forecasts; the first available one is shown next to the reference
SEASONAL, PLAIN = "seasonal naive", "naive"
TIED = 1e-9  # relative difference of two errors that is only rounding
SLIGHTLY = "under 1%"  # a difference that would be printed as 0%
Standing = Literal["best", "middle", "poor", "unknown"]


class Verdict(NamedTuple):
    """The verdict as one or two sentences; the standing of the model; and the simple forecast that
    is better, if there is one."""

    text: str
    standing: Standing
    better: str = ""


class Compared(NamedTuple):
    """The errors of a model and of simple forecasts, by name: overall, and at each step (H,)."""

    model: str
    overall: Mapping[str, float]
    by_step: Mapping[str, np.ndarray]
    measure: str = "MAE"


def reference_of(model: str, errors: Mapping[str, float]) -> str | None:
    """The simple forecast with the smallest error, the simplest in case of ties; None without
    baselines.

    >>> reference_of("lstmcast", {"lstmcast": 1.0, "naive": 3.0, "Holt–Winters": 1.2})
    'Holt–Winters'
    """
    simple = {
        name: error
        for name, error in errors.items()
        if name != model and math.isfinite(error)
    }
    if not simple:
        return None
    smallest = min(simple.values())
    equal = [name for name, error in simple.items() if error <= smallest * (1 + TIED)]
    for name in (PLAIN, SEASONAL):
        if name in equal:
            return name
    return equal[0]


def familiar_of(
    model: str, reference: str | None, errors: Mapping[str, float]
) -> str | None:
    """The well-known forecast to show next to the reference, if that is a different one."""
    for name in (SEASONAL, PLAIN):
        if name in errors and name != model:
            reference_error = errors.get(reference or "", math.nan)
            is_equal = name == reference or _tied(errors[name], reference_error)
            return None if is_equal else name
    return None


def skill_of(error: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """1 − error / reference; 0 if both are perfect, NaN if only the reference is."""
    error = np.asarray(error, float)
    reference = np.asarray(reference, float)
    has_error = reference > 0
    ratio = np.where(has_error, error, np.nan) / np.where(has_error, reference, 1)
    are_perfect = (error == 0) & (reference == 0)
    return 1 - np.where(are_perfect, 1.0, ratio)


def judge(compared: Compared) -> Verdict:
    """Judge whether the model has a smaller error than every simple forecast.

    >>> errors = {"lstmcast": 1.0, "naive": 4.0, "Holt–Winters": 2.0}
    >>> by_step = {name: np.array([error]) for name, error in errors.items()}
    >>> judge(Compared("lstmcast", errors, by_step)).text
    'better than every simple forecast: 50% less error than Holt–Winters, the best of them, ...'
    """
    model = compared.model
    errors = compared.overall
    reference = reference_of(model, errors)
    if reference is None:
        return Verdict("no simple baseline to compare with.", "unknown")
    familiar = familiar_of(model, reference, errors)
    error = errors[model]
    reference_error = errors[reference]
    if _is_less(error, reference_error):
        return Verdict(_best(compared, reference, familiar), "best")
    against = f"{compared.measure} {number(reference_error)} against {number(error)}"
    if familiar is not None and _is_less(error, errors[familiar]):
        less = _less(error, errors[familiar])
        rival = f"{reference} is {_how_much_better(reference_error, error)}"
        text = f"better than {familiar} by {less}, but {rival} ({against})."
        return Verdict(text, "middle", reference)
    if _tied(error, reference_error):
        text = (
            f"no better than {reference}: both have {compared.measure} {number(error)}."
        )
        return Verdict(text, "poor", reference)
    text = f"no better than {familiar or reference}: use the {reference} forecast ({against})."
    return Verdict(text, "poor", reference)


def _best(compared: Compared, reference: str, familiar: str | None) -> str:
    """The verdict on a model with a smaller error than all simple forecasts."""
    errors = compared.overall
    error = errors[compared.model]
    less = _less(error, errors[reference])
    text = f"better than {reference}: {less} less error."
    if len(errors) > 2:
        comparison = f"{less} less error than {reference}, the best of them"
        if familiar is not None:
            comparison += f", and {_less(error, errors[familiar])} less than {familiar}"
        text = f"better than every simple forecast: {comparison}."
    model_H = compared.by_step[compared.model]
    reference_H = compared.by_step[reference]
    is_worse_H = np.isfinite(reference_H) & (model_H > reference_H * (1 + TIED))
    worse = np.flatnonzero(is_worse_H) + 1
    if not len(worse):
        return text
    steps = f"step{'s' * (len(worse) > 1)} {ranges(worse)}"
    subject = reference[:1].upper() + reference[1:]
    return f"{text} {subject} was better at {steps}."


def _less(error: float, larger: float) -> str:
    """The relative difference to a larger error, as in the skill column."""
    share = 1 - error / larger
    return percent(share) if share >= 0.005 else SLIGHTLY


def _how_much_better(reference_error: float, error: float) -> str:
    """In words: another forecast may be as good, or better by next to nothing."""
    if _tied(error, reference_error):
        return "as good"
    less = _less(reference_error, error)
    return f"better by {less}" if less == SLIGHTLY else "better still"


def _is_less(error: float, larger: float) -> bool:
    return error < larger and not _tied(error, larger)


def _tied(first: float, second: float) -> bool:
    return abs(first - second) <= TIED * max(abs(first), abs(second))


def ranges(steps: np.ndarray) -> str:
    """A readable list of numbers with ranges.

    >>> ranges(np.array([1, 2, 3, 7]))
    '1–3, 7'
    """
    texts = []
    for run in np.split(steps, np.flatnonzero(np.diff(steps) > 1) + 1):
        text = f"{run[0]}–{run[-1]}"
        if len(run) == 1:
            text = f"{run[0]}"
        texts.append(text)
    return ", ".join(texts)
