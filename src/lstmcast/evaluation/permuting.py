"""Permutations of a panel: of parts of the past, and of columns.

Each value is replaced by another one of the series, or for a static column by one of another
series: values over time come from another time of the same series, which keeps their distribution.

    S series
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Any, Literal

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from lstmcast.covariates.effects import with_effects_of
from lstmcast.data.panel import Panel

KNOWN, PAST, STATIC, LAGS = "known in advance", "past column", "static column", "lags"
Role = Literal["known in advance", "past column", "static column", "lags"]
Change = Callable[[Panel, Generator], Panel]
FEWEST_IN_SEASON = 4  # steps: series without a season have parts of the past too


def changes(model: Any, panel: Panel, horizon: int) -> dict[tuple[str, Role], Change]:
    """The parts that can be permuted for a model, by name and role."""
    possible: dict[tuple[str, Role], Change] = {}
    covariates = panel.covariates
    if getattr(model, "reads_future", False):
        for name in covariates.future.columns:
            possible[name, KNOWN] = _coming_from_elsewhere(name, horizon)
    for name in getattr(model, "past", ()):
        possible[name, PAST] = _moved(name)
    config = getattr(model, "config", None)
    for column in getattr(config, "static", ()):
        if column.name in covariates.static:
            possible[column.name, STATIC] = _from_other_series(column.name)
    for newest, oldest in blocks(int(panel.periods[0])):
        possible[_called(newest, oldest), LAGS] = _lags_from_elsewhere(newest, oldest)
    return possible


def blocks(period: int) -> list[tuple[int, int | None]]:
    """Parts of the past, by their first and last step before the cutoff: the last value, the rest
    of a season, three more seasons, and older values.

    >>> blocks(7)
    [(1, 1), (2, 7), (8, 28), (29, None)]
    """
    season = max(period, FEWEST_IN_SEASON)
    seasons = 4 * season
    return [
        (1, 1),
        (2, season),
        (season + 1, seasons),
        (seasons + 1, None),
    ]


def _called(newest: int, oldest: int | None) -> str:
    if newest == oldest:
        return f"step {newest}"
    if oldest is None:
        return f"steps {newest} and older"
    return f"steps {newest} to {oldest}"


def unchanged(panel: Panel, _: Generator) -> Panel:
    """The panel itself."""
    return panel


def _spans(offsets: NDArray) -> Iterator[tuple[int, int]]:
    """The start and end of each series."""
    yield from pairwise(offsets.tolist())


def _stretch(values: NDArray, count: int, rng: Generator) -> NDArray:
    """Consecutive values from a random position of a series, which continues at its start after its
    end."""
    place = rng.integers(len(values))
    steps = np.arange(place, place + count)
    return np.take(values, steps, mode="wrap")


def _lags_from_elsewhere(newest: int, oldest: int | None) -> Change:
    """The values of these steps before the cutoff, from another time of the same series."""

    def change(panel: Panel, rng: Generator) -> Panel:
        values = panel.values.copy()
        for begin, end in _spans(panel.offsets):
            series = panel.values[begin:end]
            longest = len(series)
            if oldest is not None:
                longest = min(oldest, longest)
            count = longest - newest + 1
            if count > 0:
                start = end - longest
                stop = start + count
                values[start:stop] = _stretch(series, count, rng)
        return replace(panel, values=values)

    return change


def _moved(name: str) -> Change:
    """Shift a past covariate of each series by a random number of steps."""

    def change(panel: Panel, rng: Generator) -> Panel:
        past = dict(panel.covariates.past)
        column = past[name].copy()
        for begin, end in _spans(panel.offsets):
            series = column[begin:end]
            column[begin:end] = _stretch(series, end - begin, rng)
        past[name] = column
        return _with_covariates(panel, past=past)

    return change


def _coming_from_elsewhere(name: str, horizon: int) -> Change:
    """Replace the coming values of a column by those of another time of the same series; past
    values are unchanged."""

    def change(panel: Panel, rng: Generator) -> Panel:
        future = panel.covariates.future
        columns = dict(future.columns)
        column = columns[name].copy()
        spans = _spans(future.offsets)
        for (begin, end), length in zip(spans, panel.lengths, strict=True):
            start = begin + length
            stop = min(start + horizon, end)
            if stop > start:
                series = columns[name][begin:end]
                column[start:stop] = _stretch(series, stop - start, rng)
        columns[name] = column
        changed = replace(future, columns=columns)
        return with_effects_of(_with_covariates(panel, future=changed), panel)

    return change


def _from_other_series(name: str) -> Change:
    """Permute a static column among the series."""

    def change(panel: Panel, rng: Generator) -> Panel:
        static = dict(panel.covariates.static)
        static[name] = rng.permutation(static[name])
        return _with_covariates(panel, static=static)

    return change


def _with_covariates(panel: Panel, **changed: Any) -> Panel:
    covariates = replace(panel.covariates, **changed)
    return replace(panel, covariates=covariates)
