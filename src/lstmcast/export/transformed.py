"""Transformed inputs as a graph: from the values of whole series to the network's inputs, and back.

The inverse uses `transforms`, whose formulas accept symbols too. A value that a transform cannot be
applied to is missing in the graph; `predict` raises an error.

    B rows of a batch · T steps · K columns · C input channels, K and those that are only read
    H horizon · X quantiles, or one point · S series · L lag
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.errors import UsageError
from lstmcast.export.graphs import Graph, Symbol, reduced
from lstmcast.model.inputs import FittedTransforms, Transformed
from lstmcast.transforms import Chain, TransformsState
from lstmcast.transforms.base import State
from lstmcast.transforms.differencing import Difference
from lstmcast.transforms.scaling import MeanAbs, MinMax, Robust, Standard
from lstmcast.transforms.stabilising import BoxCox, Log1p, Logit, power

Steps = tuple[list[Symbol], list[Symbol]]  # the result of a step of a scan: states, outputs


class Column(NamedTuple):
    """A column of each row of a batch on its way to the network."""

    chain: Chain
    inputs: tuple[tuple[Symbol, ...], ...]  # fitted states of the steps, each (B,) or (1,)
    labels: tuple[tuple[Symbol, ...], ...]
    undifferenced: tuple[Symbol | None, ...] = ()  # the input of each difference (B, T)


def is_by_series(inputs: Transformed, fitted: FittedTransforms | None) -> bool:
    """Whether transforms were fitted to each series, so that a graph needs the number of the
    series."""
    if fitted is None or len(fitted.state.ids) == inputs.columns:
        return False
    return any(not _is_shared(side) for side in (fitted.state, *fitted.past.states))


def _is_shared(state: TransformsState) -> bool:
    """Whether all series have the same transforms with the same numbers."""
    if len(state.chains) != 1:
        return False
    sides = chain.from_iterable(state.states)
    steps = chain.from_iterable(sides)
    arrays = chain.from_iterable(steps)
    return all(np.all(array == array[:1]) for array in arrays)


def require_in_graph(inputs: Transformed, fitted: FittedTransforms | None) -> None:
    """Raise UsageError for inputs that cannot be a graph."""
    if fitted is None and inputs.learns:
        raise UsageError(
            f"{inputs!r} is fitted to each series, which a graph cannot do. Fit the "
            "forecaster first, so that the graph includes the fitted transforms, or export "
            "only the network: --part network."
        )
    sides = [] if fitted is None else [fitted.state, *fitted.past.states]
    if any(len(side.chains) > 1 for side in sides):
        raise UsageError(
            f"{inputs!r} has different transforms for different series, which one graph cannot "
            "express. Export a model for each, or only the network: --part network."
        )


def columns_of(
    inputs: Transformed, fitted: FittedTransforms, graph: Graph, rows_B: Symbol | None
) -> list[Column]:
    """The columns of a row, with the fitted states of the rows; columns only read come last."""
    columns = []
    for number in range(inputs.columns):
        series_R = _numbers(inputs, fitted.state, number)
        columns.append(_column(fitted.state, graph, series_R, rows_B))
    for state in fitted.past.states:
        # the state of a column that is only read is stored with its row's first series
        columns.append(_column(state, graph, _numbers(inputs, state, 0), rows_B))
    return columns


def _numbers(inputs: Transformed, state: TransformsState, column: int) -> NDArray:
    """The number, for each row, of the series that is this column."""
    return np.arange(column, max(len(state.ids), 1), inputs.columns)


def _column(
    state: TransformsState, graph: Graph, series_R: NDArray, rows_B: Symbol | None
) -> Column:
    def of_rows(array: NDArray) -> Symbol:
        numbers_R = graph.constant(np.asarray(array, float)[series_R])
        return numbers_R[:1] if rows_B is None else numbers_R.take(rows_B)

    def of_steps(states: Sequence[State]) -> tuple[tuple[Symbol, ...], ...]:
        return tuple(tuple(map(of_rows, step_state)) for step_state in states)

    inputs, labels = state.states[0]
    return Column(state.chains[0], of_steps(inputs), of_steps(labels))


def applied(column: Column, values_BT: Symbol) -> tuple[Symbol, Column]:
    """The transformed values, and the column with the inputs of its differences."""
    undifferenced: list[Symbol | None] = []
    for step, state in zip(column.chain.steps, column.inputs, strict=True):
        given_BT = values_BT if step.lag else None
        undifferenced.append(given_BT)
        values_BT = _step(step, values_BT, state)
    return values_BT, column._replace(undifferenced=tuple(undifferenced))


def _step(step: Any, y_BT: Symbol, state: Sequence[Symbol]) -> Symbol:
    """The result of one transform; NaN outside of its domain."""
    if isinstance(step, Difference):
        return y_BT - _lagged(y_BT, step.lag)
    if isinstance(step, Log1p):
        return np.where(y_BT > -1.0, np.log1p(y_BT), np.nan)
    if isinstance(step, BoxCox):
        return np.where(y_BT > 0.0, power(np.log(y_BT), state[0][:, None]), np.nan)
    if isinstance(step, Logit):
        is_inside = (y_BT > step.low) & (y_BT < step.high)
        logit_BT = np.log(y_BT - step.low) - np.log(step.high - y_BT)
        return np.where(is_inside, logit_BT, np.nan)
    assert isinstance(step, (Standard, MinMax, Robust, MeanAbs))
    centre, scale = state
    unit_BT = (y_BT - centre[:, None]) / scale[:, None]
    if isinstance(step, MinMax):
        return step.low + (step.high - step.low) * unit_BT
    return unit_BT


def _lagged(y_BT: Symbol, lag: int) -> Symbol:
    """The values `lag` steps earlier, NaN before the first."""
    unknown = y_BT.filled(np.nan, (y_BT.length(0), lag))
    return np.concatenate([unknown, y_BT], axis=1)[:, :-lag]


def inverted(column: Column, answer_BHX: Symbol, horizon: int) -> Symbol:
    """Labels (B, H, X) in the units of the data, after the newest values of each row."""
    steps = zip(column.chain.steps, column.labels, column.undifferenced, strict=True)
    for step, state, values_BT in reversed(list(steps)):
        if values_BT is None:
            answer_BHX = step.invert(answer_BHX, state, np.empty((0, 0)))
        else:
            tail_BL = _tail(values_BT, step.lag)
            answer_BHX = _summed(answer_BHX, tail_BL, step.lag, horizon)
    return answer_BHX


def _tail(values_BT: Symbol, lag: int) -> Symbol:
    """The newest value of each phase (B, L); a missing one is replaced by the one a lag before."""

    def step(body: Graph, states: list[Symbol], values: list[Symbol]) -> Steps:
        [tail_BL] = states
        value_B1 = values[0][:, None]
        newest_B1 = np.where(np.isnan(value_B1), tail_BL[:, :1], value_B1)
        return [np.concatenate([tail_BL[:, 1:], newest_B1], axis=1)], []

    unknown = values_BT.filled(np.nan, (values_BT.length(0), lag))
    [tail_BL], _ = values_BT.graph.scan(step, [unknown], [values_BT])
    return tail_BL


def _summed(change_BHX: Symbol, tail_BL: Symbol, lag: int, horizon: int) -> Symbol:
    """The result of `Difference.invert`: cumulative sums from the newest values."""
    cycle_BLX, cycles = tail_BL[:, :, None], []
    for start in range(0, horizon, lag):
        steps = min(lag, horizon - start)
        cycle_BLX = cycle_BLX[:, :steps] + change_BHX[:, start : start + steps]
        cycles.append(cycle_BLX)
    return np.concatenate(cycles, axis=1)


def carried(values_BTC: Symbol) -> tuple[Symbol, Symbol]:
    """Values filled forward in each column, and where every column has had a known value
    (B, T, 1)."""

    def step(body: Graph, states: list[Symbol], values: list[Symbol]) -> Steps:
        [previous_BC], [value_BC] = states, values
        newest_BC = np.where(np.isnan(value_BC), previous_BC, value_BC)
        is_unknown_BC = np.isnan(newest_BC)
        begun_B1 = reduced(is_unknown_BC.astype(float), 1) == 0.0
        read_BC = np.where(is_unknown_BC, 0.0, newest_BC).astype(np.float32)
        return [newest_BC], [read_BC, begun_B1]

    rows, columns = values_BTC.length(0), values_BTC.length(2)
    unknown = values_BTC.filled(np.nan, (rows, columns))
    _, [x_BTC, begun_BT1] = values_BTC.graph.scan(step, [unknown], [values_BTC])
    return x_BTC, begun_BT1
