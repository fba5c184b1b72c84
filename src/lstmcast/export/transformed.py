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
from lstmcast.export.graphs import Graph
from lstmcast.export.symbols import Symbol, reduced
from lstmcast.model.inputs import FittedTransforms, Transformed
from lstmcast.transforms import Chain, TransformsState
from lstmcast.transforms.base import State
from lstmcast.transforms.differencing import Difference
from lstmcast.transforms.scaling import MeanAbs, MinMax, Robust, Standard
from lstmcast.transforms.stabilising import BoxCox, Log1p, Logit, power

# the result of a step of a scan: states, outputs
Steps = tuple[list[Symbol], list[Symbol]]


class Column(NamedTuple):
    """A column of each row of a batch on its way to the network."""

    chain: Chain
    # fitted states of the steps, each (B,) or (1,)
    inputs: tuple[tuple[Symbol, ...], ...]
    labels: tuple[tuple[Symbol, ...], ...]
    undifferenced: tuple[Symbol | None, ...] = ()  # the input of each difference (B, T)


def is_by_series(inputs: Transformed, fitted: FittedTransforms | None) -> bool:
    """Whether transforms were fitted to each series, so that a graph needs the number of the
    series."""
    if fitted is None:
        return False
    if len(fitted.state.ids) == inputs.columns:
        return False
    states = [fitted.state, *fitted.past.states]
    return not all(map(_is_shared, states))


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
            "only the network with --part network."
        )
    if fitted is None:
        return
    states = [fitted.state, *fitted.past.states]
    if any(len(state.chains) > 1 for state in states):
        raise UsageError(
            f"{inputs!r} has different transforms for different series, which one graph cannot "
            "express. Export a model for each, or only the network with --part network."
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
        series_R = _numbers(inputs, state, 0)
        columns.append(_column(state, graph, series_R, rows_B))
    return columns


def _numbers(inputs: Transformed, state: TransformsState, column: int) -> NDArray:
    """The number, for each row, of the series that is this column."""
    series = max(len(state.ids), 1)
    return np.arange(column, series, inputs.columns)


def _column(
    state: TransformsState, graph: Graph, series_R: NDArray, rows_B: Symbol | None
) -> Column:
    def of_rows(array_S: NDArray) -> Symbol:
        numbers_S = np.asarray(array_S, float)
        numbers_R = graph.constant(numbers_S[series_R])
        if rows_B is None:
            return numbers_R[:1]
        return numbers_R.take(rows_B)

    def of_steps(states: Sequence[State]) -> tuple[tuple[Symbol, ...], ...]:
        symbols = []
        for step_state in states:
            symbols.append(tuple(map(of_rows, step_state)))
        return tuple(symbols)

    inputs, labels = state.states[0]
    input_symbols = of_steps(inputs)
    label_symbols = of_steps(labels)
    return Column(state.chains[0], input_symbols, label_symbols)


def applied(column: Column, values_BT: Symbol) -> tuple[Symbol, Column]:
    """The transformed values, and the column with the inputs of its differences."""
    undifferenced: list[Symbol | None] = []
    for step, state in zip(column.chain.steps, column.inputs, strict=True):
        undifferenced_BT = values_BT if step.lag else None
        undifferenced.append(undifferenced_BT)
        values_BT = _step(step, values_BT, state)
    column = column._replace(undifferenced=tuple(undifferenced))
    return values_BT, column


def _step(step: Any, y_BT: Symbol, state: Sequence[Symbol]) -> Symbol:
    """The result of one transform; NaN outside of its domain."""
    if isinstance(step, Difference):
        earlier_BT = _lagged(y_BT, step.lag)
        return y_BT - earlier_BT
    if isinstance(step, Log1p):
        is_inside_BT = y_BT > -1.0
        return np.where(is_inside_BT, np.log1p(y_BT), np.nan)
    if isinstance(step, BoxCox):
        [lmbda_B] = state
        is_inside_BT = y_BT > 0.0
        power_BT = power(np.log(y_BT), lmbda_B[:, None])
        return np.where(is_inside_BT, power_BT, np.nan)
    if isinstance(step, Logit):
        is_inside_BT = (y_BT > step.low) & (y_BT < step.high)
        above_low_BT = np.log(y_BT - step.low)
        below_high_BT = np.log(step.high - y_BT)
        return np.where(is_inside_BT, above_low_BT - below_high_BT, np.nan)
    assert isinstance(step, (Standard, MinMax, Robust, MeanAbs))
    return _scaled(step, y_BT, state)


def _scaled(
    step: Standard | MinMax | Robust | MeanAbs, y_BT: Symbol, state: Sequence[Symbol]
) -> Symbol:
    centre_B, scale_B = state
    distance_BT = y_BT - centre_B[:, None]
    unit_BT = distance_BT / scale_B[:, None]
    if not isinstance(step, MinMax):
        return unit_BT
    span = step.high - step.low
    return step.low + span * unit_BT


def _lagged(y_BT: Symbol, lag: int) -> Symbol:
    """The values `lag` steps earlier, NaN before the first."""
    rows = y_BT.length(0)
    unknown_BL = y_BT.filled(np.nan, (rows, lag))
    shifted = np.concatenate([unknown_BL, y_BT], axis=1)
    return shifted[:, :-lag]


def inverted(column: Column, answer_BHX: Symbol, horizon: int) -> Symbol:
    """Labels (B, H, X) in the units of the data, after the newest values of each row."""
    no_tail = np.empty((0, 0))
    steps = zip(column.chain.steps, column.labels, column.undifferenced, strict=True)
    for step, state, values_BT in reversed(list(steps)):
        if values_BT is None:
            answer_BHX = step.invert(answer_BHX, state, no_tail)
        else:
            tail_BL = _tail(values_BT, step.lag)
            answer_BHX = _summed(answer_BHX, tail_BL, step.lag, horizon)
    return answer_BHX


def _tail(values_BT: Symbol, lag: int) -> Symbol:
    """The newest value of each phase (B, L); a missing one is replaced by the one a lag before."""

    def step(body: Graph, states: list[Symbol], values: list[Symbol]) -> Steps:
        [tail_BL] = states
        [value_B] = values
        value_B1 = value_B[:, None]
        is_unknown_B1 = np.isnan(value_B1)
        oldest_B1 = tail_BL[:, :1]
        newest_B1 = np.where(is_unknown_B1, oldest_B1, value_B1)
        later = tail_BL[:, 1:]
        tail_BL = np.concatenate([later, newest_B1], axis=1)
        return [tail_BL], []

    rows = values_BT.length(0)
    unknown_BL = values_BT.filled(np.nan, (rows, lag))
    [tail_BL], _ = values_BT.graph.scan(step, [unknown_BL], [values_BT])
    return tail_BL


def _summed(change_BHX: Symbol, tail_BL: Symbol, lag: int, horizon: int) -> Symbol:
    """The result of `Difference.invert`: cumulative sums from the newest values."""
    cycles = []
    cycle_BLX = tail_BL[:, :, None]
    for start in range(0, horizon, lag):
        steps = min(lag, horizon - start)
        end = start + steps
        changes = change_BHX[:, start:end]
        cycle_BLX = cycle_BLX[:, :steps] + changes
        cycles.append(cycle_BLX)
    return np.concatenate(cycles, axis=1)


def carried(values_BTC: Symbol) -> tuple[Symbol, Symbol]:
    """Values filled forward in each column, and where every column has had a known value
    (B, T, 1)."""

    def step(body: Graph, states: list[Symbol], values: list[Symbol]) -> Steps:
        [previous_BC] = states
        [value_BC] = values
        is_missing_BC = np.isnan(value_BC)
        newest_BC = np.where(is_missing_BC, previous_BC, value_BC)
        is_unknown_BC = np.isnan(newest_BC)
        unknown_B1 = reduced(is_unknown_BC.astype(float), 1)
        begun_B1 = unknown_B1 == 0.0
        read_BC = np.where(is_unknown_BC, 0.0, newest_BC)
        read_BC = read_BC.astype(np.float32)
        return [newest_BC], [read_BC, begun_B1]

    rows = values_BTC.length(0)
    columns = values_BTC.length(2)
    unknown_BC = values_BTC.filled(np.nan, (rows, columns))
    _, outputs = values_BTC.graph.scan(step, [unknown_BC], [values_BTC])
    x_BTC, begun_BT1 = outputs
    return x_BTC, begun_BT1
