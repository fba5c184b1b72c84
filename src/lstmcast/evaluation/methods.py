"""The methods of a forecaster: a combination, the network alone, or a named forecast."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from lstmcast.advice import advise
from lstmcast.data.panel import Panel
from lstmcast.errors import UsageError
from lstmcast.evaluation.baselines import (
    baseline_named,
    baseline_names,
    without_quantiles,
)
from lstmcast.evaluation.candidates import NAMES, TIME_OF_DAY, Candidate, Given
from lstmcast.forecast import NETWORK
from lstmcast.util.spelling import did_you_mean

# Methods other than names of candidates. "auto" is the combination for the shipped network
# before fine-tuning, and the network alone otherwise.
AUTO, COMBINED, BEST = "auto", "combined", "best"
METHODS = (AUTO, COMBINED, NETWORK, BEST)


def checked_method(method: Any, candidates: Sequence[Given]) -> str:
    """A valid method; UsageError for one that is impossible for any data.

    >>> checked_method("seasonal naive", ())
    'seasonal naive'
    """
    if isinstance(method, str) and (
        method in METHODS or _is_candidate(method, candidates)
    ):
        return method
    meant = did_you_mean(method, (*METHODS, *NAMES, *baseline_names()))
    names = ", ".join(f"'{name}'" for name in (*METHODS, *NAMES))
    label = advise("method", method) if isinstance(method, str) else f"{method=}"
    raise UsageError(
        f"{label} is not known.{meant} Use one of: {names}, or the name of a baseline, such as "
        "'AutoETS'."
    )


def _is_candidate(method: str, candidates: Sequence[Given]) -> bool:
    """Whether it can be the name of a candidate; for built-in ones, a prefix is enough."""
    lowered = method.lower()
    names = [candidate.name.lower() for candidate in candidates]
    return (
        lowered.startswith(NAMES)
        or lowered in names
        or baseline_named(method) is not None
    )


def needs_columns(method: str) -> bool:
    """Whether it is a forecast that requires future columns."""
    return method.lower() == TIME_OF_DAY


def name_of(method: str) -> str:
    """The name of a forecaster in tables: the name of its method, if that is a single forecast.

    >>> name_of("auto"), name_of("best"), name_of("holt-winters")
    ('lstmcast', 'lstmcast', 'Holt–Winters')
    """
    if method in METHODS:
        return "lstmcast"
    baseline = baseline_named(method)
    return baseline.name if baseline else method


def checked_candidates(candidates: Any) -> tuple[Given, ...]:
    """User-defined forecasters as candidates; UsageError for objects that cannot forecast."""
    if isinstance(candidates, str) or not isinstance(candidates, Iterable):
        raise UsageError(
            f"{candidates=} is not a list of forecasters. Give one, such as ['AutoETS'] or "
            "[HoltWinters()]."
        )
    checked = tuple(_candidate(candidate) for candidate in candidates)
    names = [candidate.name for candidate in checked]
    if len(set(names)) < len(names):
        raise UsageError(
            f"candidates: {names} have the same name. Give each a unique name."
        )
    return checked


def _candidate(candidate: Any) -> Given:
    """A user-defined forecaster, or a baseline by name, as a candidate."""
    if isinstance(candidate, Given):
        return candidate
    label = candidate if isinstance(candidate, str) else None
    forecaster = candidate if label is None else baseline_named(label)
    if not callable(getattr(forecaster, "predict", None)):
        raise UsageError(
            f"candidates: {candidate!r} is not a forecaster. Give an object with a method "
            "predict, or the name of a baseline, such as 'AutoETS'."
        )
    return Given(without_quantiles(forecaster), label)


def named(name: str, candidates: Sequence[Candidate], panel: Panel) -> Candidate:
    """A candidate by its name or a prefix ("seasonal naive"); UsageError lists the names."""
    lowered = name.lower()
    for candidate in candidates:
        if candidate.name.lower() == lowered:
            return candidate
    for candidate in candidates:
        if candidate.name.lower().startswith(f"{lowered} of "):
            return candidate
    baseline = baseline_named(name)
    if baseline is not None:
        return Given(baseline)
    names = ", ".join(repr(candidate.name) for candidate in candidates)
    raise UsageError(
        f"{advise('method', name)} is not a forecast for these data ({panel.frequency.name}). Use "
        f"'auto', 'network', 'combined', 'best' or one of: {names}."
    )
