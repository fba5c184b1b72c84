"""Parts of transformed inputs: fitted transforms, states of rows, whole rows.

S series · N observations · B rows of K columns, and P past covariates · C input channels
T steps · D differences of a chain · L longest lag
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.data.panel import Panel
from lstmcast.data.ragged import carried, newest_known, subset
from lstmcast.errors import UsageError
from lstmcast.model.inputs.base import LARGEST, require_size, too_large
from lstmcast.model.inputs.past import FittedColumns, PastState
from lstmcast.transforms import Chain, Transforms, TransformsState
from lstmcast.transforms.chain import Applied
from lstmcast.transforms.per_series import AppliedTransforms
from lstmcast.util.objects import objects
from lstmcast.util.text import are, counted


@dataclass(frozen=True, eq=False)
class FittedTransforms:
    """Transforms fitted to the series of a panel, and those of past covariates."""

    transforms: Transforms
    state: TransformsState
    past: FittedColumns = field(default_factory=FittedColumns)

    def arrays(self) -> dict[str, NDArray]:
        """Fitted parameters for the store; `Transformed.fitted_from` reads them."""
        return self.transforms.arrays(self.state) | self.past.arrays()

    def of(self, series_S: NDArray) -> TransformsState:
        """The fitted parameters of some series, by index, in that order."""
        return self.state.rows(series_S)


class TransformedKnown(NamedTuple):
    """Values needed for inversion at N positions: the series of each column, and the values
    before."""

    fitted: TransformsState
    applied: AppliedTransforms
    series_NK: NDArray
    counts_N: NDArray  # number of known observations of these series

    def rows(self, rows: NDArray) -> TransformedKnown:
        """A subset of the positions."""
        return self._replace(
            series_NK=self.series_NK[rows], counts_N=self.counts_N[rows]
        )


class TransformedState(NamedTuple):
    """The newest values of each row, from which the next transformed one is computed."""

    fitted: FittedTransforms
    series_BK: NDArray  # indices into `fitted`
    newest_BKL: NDArray  # raw values, one more than the longest lag of a chain
    before_BKDL: NDArray  # the last values that each difference received
    x_BK: NDArray  # the newest known input
    past: PastState | None = None


def known_after(state: TransformedState) -> TransformedKnown:
    """The values needed for inversion after the newest values of each row."""
    B, K, _, L = state.before_BKDL.shape
    fitted = state.fitted.of(state.series_BK.ravel())
    before_SDL = state.before_BKDL.reshape(B * K, *state.before_BKDL.shape[2:])
    applied_chains = []
    for group, chain in enumerate(fitted.chains):
        own_SDL = before_SDL[fitted.group_S == group]
        before_steps: list[NDArray | None] = [None] * len(chain.steps)
        for number, step in enumerate(differences_of(chain)):
            before_steps[step] = own_SDL[:, number].ravel()
        offsets = even_offsets(len(own_SDL), L)
        applied_chains.append(Applied(np.empty(0), offsets, tuple(before_steps)))
    applied = AppliedTransforms(np.empty(0), tuple(applied_chains))
    series_BK = np.arange(B * K).reshape(B, K)
    return TransformedKnown(fitted, applied, series_BK, np.full(B, L))


def before_later(
    before_BKDL: NDArray,
    applied: AppliedTransforms,
    fitted: TransformsState,
    steps: int,
) -> NDArray:
    """The last values that the differences received, some steps later; a missing one repeats the
    value one lag before."""
    B, K, D, longest = before_BKDL.shape
    before_SDL = before_BKDL.reshape(B * K, D, longest)
    result_SDL = before_SDL.copy()
    for group, chain in enumerate(fitted.chains):
        series_R = np.flatnonzero(fitted.group_S == group)
        if not len(series_R):  # a tick without these rows
            continue
        for number, step in enumerate(differences_of(chain)):
            given_S = applied.parts[group].before[step]
            assert given_S is not None
            newest_ST = given_S.reshape(len(series_R), -1)[:, -steps:]
            both_SU = np.concatenate([before_SDL[series_R, number], newest_ST], axis=1)
            offsets = even_offsets(len(series_R), both_SU.shape[1])
            filled_U = carried(both_SU.ravel(), offsets, chain.steps[step].lag)
            first = both_SU.shape[1] - longest
            result_SDL[series_R, number] = filled_U.reshape(both_SU.shape)[:, first:]
    return result_SDL.reshape(before_BKDL.shape)


def with_past_read(
    state: TransformedState, read_BTC: NDArray, known_BTP: NDArray | None
) -> tuple[NDArray, NDArray, PastState | None]:
    """Inputs with past covariates appended; the newest inputs before them; and the state of the
    past covariates after them."""
    if state.past is None:
        return read_BTC, state.x_BK, None
    assert known_BTP is not None  # the caller passes the columns named by the inputs
    past_BTP, past = state.fitted.past.advance(
        state.series_BK[:, 0], state.past, known_BTP
    )
    newest_BC = np.concatenate([state.x_BK, past.x_BP], axis=1)
    return np.concatenate([read_BTC, past_BTP], axis=2), newest_BC, past


class WholeRows(NamedTuple):
    """A panel as a network reads it, every row from start to end."""

    x_NC: NDArray  # float32; missing values carried forward
    begun_N: NDArray  # whether every column has had a value
    offsets: NDArray  # (R+1,)
    rows_RK: NDArray  # indices of the series that are read together
    applied: AppliedTransforms

    def places(self) -> tuple[NDArray, NDArray]:
        """The row (S,) and the column (S,) of each series."""
        row_S, column_S = (np.empty(self.rows_RK.size, np.int64) for _ in range(2))
        row_S[self.rows_RK], column_S[self.rows_RK] = np.indices(self.rows_RK.shape)
        return row_S, column_S

    @classmethod
    def of(
        cls,
        values_NC: NDArray,
        offsets: NDArray,
        rows_RK: NDArray,
        applied: AppliedTransforms,
    ) -> WholeRows:
        """Rows with these inputs; NaN = missing."""
        newest_NC = newest_known(values_NC, offsets)
        filled_NC = np.take_along_axis(values_NC, np.maximum(newest_NC, 0), axis=0)
        x_NC = np.where(newest_NC >= 0, filled_NC, 0.0).astype(np.float32)
        begun_N = np.logical_and.reduce(newest_NC >= 0, axis=1)
        return cls(x_NC, begun_N, offsets, rows_RK, applied)


def label_to_input(fitted: FittedTransforms, series: int) -> tuple[NDArray, NDArray]:
    """Scale and shift (S,) that turn a label into an input, if they are scaled separately."""
    rows = np.arange(series)
    at_0, at_half, at_1 = (
        fitted.transforms.as_input(np.full(series, label), rows, fitted.state)
        for label in (0.0, 0.5, 1.0)
    )
    if not np.allclose(at_0 + at_1, 2 * at_half, equal_nan=True):
        raise UsageError(
            "Only scalings can be fitted apart for inputs and labels; move the other transforms "
            "before them."
        )
    return at_1 - at_0, at_0


def column_names(ids: list[Any], columns: int) -> NDArray:
    """Names of the series of a stream's rows, the columns of a row one after the other."""
    if columns == 1:
        return objects(ids)
    return objects(f"{name}/{column}" for name in ids for column in range(columns))


def row_names(ids: NDArray, rows_RK: NDArray) -> NDArray:
    """The name of each row for messages."""
    return objects(" and ".join(map(str, ids[rows_K[:3]])) for rows_K in rows_RK)


def require_sizes(values_BTK: NDArray, state: TransformedState) -> None:
    """`require_size` for the values of some rows of a stream."""
    large = np.argwhere(np.abs(values_BTK) > LARGEST)
    if len(large):
        row, step, column = large[0]
        series_B = state.series_BK[:, min(column, state.series_BK.shape[1] - 1)]
        raise too_large(
            state.fitted.state.ids[series_B[row]], values_BTK[row, step, column]
        )


def carried_on(newest_BC: NDArray, values_BTC: NDArray) -> NDArray:
    """Replace each missing value by the newest known one of its column, initially `newest_BC`."""
    known_BTC = ~np.isnan(values_BTC)
    steps_T11 = np.arange(1, values_BTC.shape[1] + 1)[:, None]
    place_BTC = np.maximum.accumulate(np.where(known_BTC, steps_T11, 0), axis=1)
    both_BUC = np.concatenate([newest_BC[:, None], values_BTC], axis=1)
    return np.take_along_axis(both_BUC, place_BTC, axis=1)


def even_offsets(rows: int, length: int) -> NDArray:
    """Offsets of rows of equal length."""
    return length * np.arange(rows + 1)


def same_rows(fitted: FittedTransforms, rows: int, columns: int) -> FittedTransforms:
    """Fitted parameters of rows of several columns, in order; UsageError for a different number of
    rows."""
    learned = len(fitted.state.ids) // columns
    if rows != learned:
        raise UsageError(
            f"The forecaster was fitted to {counted(learned, 'row')} of "
            f"{counted(columns, 'column')}, but {rows:,} {are(rows)} given. Give the same number "
            "in the same order."
        )
    return fitted


def learns_by_series(chain: Chain) -> bool:
    """Whether the chain has parameters fitted to each series separately."""
    return any(
        step.learns._fields and getattr(step, "per", "series") == "series"
        for step in chain.steps
    )


def differences_of(chain: Chain) -> list[int]:
    """The steps of the chain that are differences."""
    return [place for place, step in enumerate(chain.steps) if step.lag]


def side_by_side(values_N: NDArray, panel: Panel, rows_RK: NDArray) -> NDArray:
    """The columns of all rows side by side, with the rows one after the other (N, K)."""
    columns = [subset(values_N, panel.offsets, rows_R)[0] for rows_R in rows_RK.T]
    return np.stack(columns, axis=1)


def read_columns(
    inputs_N: NDArray,
    panel: Panel,
    rows_RK: NDArray,
    fitted: FittedTransforms,
    with_past: bool,
) -> NDArray:
    """What the network reads of all rows (N, C), NaN where a value is missing; `beside`: including
    past covariates."""
    require_size(inputs_N, panel)
    read_NK = side_by_side(inputs_N, panel, rows_RK)
    if not with_past:
        return read_NK
    return np.concatenate([read_NK, fitted.past.applied(panel, rows_RK)], axis=1)


def require_nothing_learned(
    names: NDArray, fitted: FittedTransforms | None, chains: Iterable[Chain]
) -> None:
    """Raise UsageError for new rows if the chains have fitted parameters."""
    fitted_ids = set() if fitted is None else set(fitted.state.ids.tolist())
    new_names = [name for name in names if name not in fitted_ids]
    if new_names and any(learns_by_series(chain) for chain in chains):
        raise UsageError(
            f"The forecaster was not fitted to series {new_names[0]!r}, so the transforms of "
            "this series are unknown. Fit the forecaster with it, scale by "
            "Standard(per='panel'), or use Running() inputs."
        )


def differences_and_longest(chains: Iterable[Chain]) -> tuple[int, int]:
    """The largest number of differences in a chain, and the longest lag."""
    lags = [[step.lag for step in chain.steps if step.lag] for chain in chains]
    longest = max((lag for chain_lags in lags for lag in chain_lags), default=0)
    return max(map(len, lags), default=0), longest
