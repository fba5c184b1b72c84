"""Transformed inputs as a graph: from the values of whole series to what the network reads, and
back.

The way back is that of `transforms`, whose formulas take symbols too. Where a transform cannot be
applied to a value, the graph reads it as missing; `predict` refuses it.

    B rows of a batch · T steps · K columns · C input channels, K and those that are only read
    H horizon · X quantiles, or one point · S series · L lag
"""

from __future__ import annotations

from collections.abc import Sequence
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

Steps = tuple[list[Symbol], list[Symbol]]  # what a step of a scan gives: states, outputs


class Column(NamedTuple):
    """A column of each row of a batch on its way to the network."""

    chain: Chain
    inputs: tuple[tuple[Symbol, ...], ...]  # what its steps learned, of inputs, each (B,) or (1,)
    labels: tuple[tuple[Symbol, ...], ...]
    before: tuple[Symbol | None, ...] = ()  # what each difference was given (B, T)


def is_by_series(inputs: Transformed, fitted: FittedTransforms | None) -> bool:
    """Whether transforms know something of each series by itself, so that a graph must be told
    which it reads."""
    if fitted is None or len(fitted.state.ids) == inputs.columns:
        return False
    return any(not _is_shared(side) for side in (fitted.state, *fitted.past.states))


def _is_shared(state: TransformsState) -> bool:
    """Whether all series have one chain, and that the same numbers."""
    arrays = [array for own in state.states for side in own for part in side for array in part]
    same = all(np.all(array == array[:1]) for array in arrays)
    return len(state.chains) == 1 and same


def require_in_graph(inputs: Transformed, fitted: FittedTransforms | None) -> None:
    """UsageError for inputs that cannot be a graph."""
    if fitted is None and inputs.learns:
        raise UsageError(
            f"{inputs!r} learns from each series that it is given, which a graph cannot. Fit the "
            "forecaster first, so that what it learned is in the graph, or export the network "
            "alone: --part network."
        )
    sides = [] if fitted is None else [fitted.state, *fitted.past.states]
    if any(len(side.chains) > 1 for side in sides):
        raise UsageError(
            f"{inputs!r} has other transforms for some series than for others, which one graph "
            "cannot. Export a model of each, or the network alone: --part network."
        )


def columns_of(
    inputs: Transformed, fitted: FittedTransforms, graph: Graph, rows_B: Symbol | None
) -> list[Column]:
    """The columns of a row, those that are only read last, with what was learned of the rows."""
    by_column = [(fitted.state, k) for k in range(inputs.columns)]
    by_column += [(state, None) for state in fitted.past.states]
    return [
        _column(state, graph, _numbers(inputs, len(state.ids), k), rows_B) for state, k in by_column
    ]


def _numbers(inputs: Transformed, series: int, column: int | None) -> NDArray:
    """The number of the series of each row that is a column of it: of a column that is only read,
    its row's first one."""
    return np.arange(0 if column is None else column, max(series, 1), inputs.columns)


def _column(
    state: TransformsState, graph: Graph, series_R: NDArray, rows_B: Symbol | None
) -> Column:
    chain, learned = state.chains[0], state.states[0]

    def known(part: State) -> tuple[Symbol, ...]:
        own = [graph.constant(np.asarray(array, float)[series_R]) for array in part]
        return tuple(one[:1] if rows_B is None else one.take(rows_B) for one in own)

    return Column(chain, *(tuple(known(part) for part in side) for side in learned))


def applied(column: Column, values_BT: Symbol) -> tuple[Symbol, Column]:
    """The transformed values, and the column with what its differences were given."""
    before: list[Symbol | None] = []
    for step, state in zip(column.chain.steps, column.inputs, strict=True):
        before.append(values_BT if step.lag else None)
        values_BT = _step(step, values_BT, state)
    return values_BT, column._replace(before=tuple(before))


def _step(step: Any, y_BT: Symbol, state: Sequence[Symbol]) -> Symbol:
    """One transform; NaN outside of its domain."""
    if isinstance(step, Difference):
        return y_BT - _lagged(y_BT, step.lag)
    if isinstance(step, Log1p):
        return np.where(y_BT > -1.0, np.log1p(y_BT), np.nan)
    if isinstance(step, BoxCox):
        return np.where(y_BT > 0.0, power(np.log(y_BT), state[0][:, None]), np.nan)
    if isinstance(step, Logit):
        inside = (y_BT > step.low) & (y_BT < step.high)
        return np.where(inside, np.log(y_BT - step.low) - np.log(step.high - y_BT), np.nan)
    assert isinstance(step, (Standard, MinMax, Robust, MeanAbs))
    centre, scale = state
    unit_BT = (y_BT - centre[:, None]) / scale[:, None]
    if isinstance(step, MinMax):
        return step.low + (step.high - step.low) * unit_BT
    return unit_BT


def _lagged(y_BT: Symbol, lag: int) -> Symbol:
    """The values so many steps earlier, NaN before them."""
    nothing = y_BT.filled(np.nan, (y_BT.length(0), lag))
    return np.concatenate([nothing, y_BT], axis=1)[:, :-lag]


def inverted(column: Column, answer_BHX: Symbol, horizon: int) -> Symbol:
    """Labels (B, H, X) in the units of the data, after the newest values of each row."""
    steps = zip(column.chain.steps, column.labels, column.before, strict=True)
    for step, state, before_BT in reversed(list(steps)):
        if before_BT is None:
            answer_BHX = step.invert(answer_BHX, state, np.empty((0, 0)))
        else:
            answer_BHX = _summed(answer_BHX, _tail(before_BT, step.lag), step.lag, horizon)
    return answer_BHX


def _tail(before_BT: Symbol, lag: int) -> Symbol:
    """The newest values of each phase (B, L): a missing one is the one a lag before."""

    def step(body: Graph, states: list[Symbol], now: list[Symbol]) -> Steps:
        newest_B1 = now[0][:, None]
        kept_B1 = np.where(np.isnan(newest_B1), states[0][:, :1], newest_B1)
        return [np.concatenate([states[0][:, 1:], kept_B1], axis=1)], []

    unknown = before_BT.filled(np.nan, (before_BT.length(0), lag))
    return before_BT.graph.scan(step, [unknown], [before_BT])[0][0]


def _summed(change_BHX: Symbol, tail_BL: Symbol, lag: int, horizon: int) -> Symbol:
    """What `Difference.invert` gives: sums from the newest values on."""
    before_BLX, parts = tail_BL[:, :, None], []
    for start in range(0, horizon, lag):
        steps = min(lag, horizon - start)
        before_BLX = before_BLX[:, :steps] + change_BHX[:, start : start + steps]
        parts.append(before_BLX)
    return np.concatenate(parts, axis=1)


def carried(values_BTC: Symbol) -> tuple[Symbol, Symbol]:
    """Missing values as the newest known one of their column, and where all columns had one
    (B, T, 1)."""

    def step(body: Graph, states: list[Symbol], now: list[Symbol]) -> Steps:
        newest_BC = np.where(np.isnan(now[0]), states[0], now[0])
        unknown_BC = np.isnan(newest_BC)
        some_B1 = reduced(unknown_BC.astype(float), 1) == 0.0
        read_BC = np.where(unknown_BC, 0.0, newest_BC).astype(np.float32)
        return [newest_BC], [read_BC, some_B1]

    columns = values_BTC.length(2)
    unknown = values_BTC.filled(np.nan, (values_BTC.length(0), columns))
    x_BTC, begun_BT1 = values_BTC.graph.scan(step, [unknown], [values_BTC])[1]
    return x_BTC, begun_BT1
