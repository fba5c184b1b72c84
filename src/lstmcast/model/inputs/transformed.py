"""Transformed inputs: the network reads what a chain of transforms makes of the values, one column
or several, and of columns that are only read.

What transforms learn is fitted on the training part of each series and kept by its id. The way back
of a difference continues after the last values that it was given, so that a gap may have any
length.

    S series · N observations · B rows, what the network reads: a series, or K columns together,
    and P columns beside them that are only read · C input channels, which are K + P
    T steps · D differences of a chain · L longest lag · H horizon · X one point, quantiles or paths
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.context import Whole
from lstmcast.data.panel import Panel
from lstmcast.data.ragged import carried, newest_known, offsets_of, subset
from lstmcast.errors import UsageError
from lstmcast.model.inputs.base import LARGEST, Grid, Seen, require_size, too_large
from lstmcast.model.inputs.past import FittedColumns, PastColumns, PastState
from lstmcast.transforms import Chain, Transforms, TransformsState
from lstmcast.transforms.chain import Applied
from lstmcast.transforms.per_series import AppliedTransforms
from lstmcast.util.config import is_whole
from lstmcast.util.objects import objects
from lstmcast.windows import TransformedData


@dataclass(frozen=True, eq=False)
class FittedTransforms:
    """Transforms and what they learned of the series of a panel, and of the columns beside them."""

    transforms: Transforms
    state: TransformsState
    past: FittedColumns = field(default_factory=FittedColumns)

    def arrays(self) -> dict[str, NDArray]:
        """What was learned, for the store; `Transformed.fitted_from` reads it."""
        return self.transforms.arrays(self.state) | self.past.arrays()

    def of(self, series_S: NDArray) -> TransformsState:
        """What was learned of some series, by number, in that order."""
        return self.state.rows(series_S)


class TransformedKnown(NamedTuple):
    """What the way back needs at N positions: which series each column is, and the values
    before."""

    fitted: TransformsState
    applied: AppliedTransforms
    series_NK: NDArray
    counts_N: NDArray  # known observations of these series

    def rows(self, rows: NDArray) -> TransformedKnown:
        """Some of the positions."""
        return self._replace(series_NK=self.series_NK[rows], counts_N=self.counts_N[rows])


class TransformedState(NamedTuple):
    """The newest values of each row: those that the next transformed one is made of."""

    fitted: FittedTransforms
    series_BK: NDArray  # of `fitted`
    newest_BKL: NDArray  # raw values, as many as the longest chain of lags and one more
    before_BKDL: NDArray  # the last values that each difference was given
    x_BK: NDArray  # the newest input that is known
    past: PastState | None = None


class WholeRows(NamedTuple):
    """A panel as a network reads it, from the beginning of every row to its end."""

    x_NC: NDArray  # float32; missing values carried forward
    begun_N: NDArray  # whether every column has had a value
    offsets: NDArray  # (R+1,)
    rows_RK: NDArray  # numbers of the series that are read together
    applied: AppliedTransforms

    def places(self) -> tuple[NDArray, NDArray]:
        """The row (S,) and the column (S,) in which each series is read."""
        row_S, column_S = (np.empty(self.rows_RK.size, np.int64) for _ in range(2))
        row_S[self.rows_RK], column_S[self.rows_RK] = np.indices(self.rows_RK.shape)
        return row_S, column_S


@dataclass(frozen=True, init=False)
class Transformed:
    """What transforms give, in order: `Transformed(Log1p(), Difference(12), Standard())`.

    Args:
        steps: transforms in order, one `Chain`, or a mapping of series ids to either.
        columns: K, series that are read together, each predicted from all.
        past: columns that are only read, by name: a list, each read by `Standard()`, or a mapping
            to transforms of their own. The data must have them: `lstmcast.read(…, past=…)`.

    >>> from lstmcast.transforms import Difference, Log1p
    >>> Transformed(Log1p(), Difference(12))
    Transformed(Log1p(), Difference(lag=12))
    >>> Transformed(Difference(), past=["volume", "index"]).width(horizon=1)
    3
    """

    transforms: Transforms
    columns: int
    beside: PastColumns
    kind: Literal["transformed"] = "transformed"

    def __init__(self, *steps: Any, columns: int = 1, past: Any = None) -> None:
        if not is_whole(columns, 1):
            raise UsageError(f"{columns=} must be a whole number of at least 1.")
        given = steps[0] if len(steps) == 1 else steps
        object.__setattr__(self, "transforms", Transforms.of(given))
        object.__setattr__(self, "columns", int(columns))
        object.__setattr__(self, "beside", PastColumns.of(past))

    def __repr__(self) -> str:
        chain = self.transforms.chain
        simple = not self.transforms.by_series and chain is not None and not chain.apart
        parts = list(map(repr, chain.steps)) if simple and chain else [repr(self.transforms)]
        parts += [f"columns={self.columns}"] if self.columns > 1 else []
        parts += [f"past={self.beside}"] if self.beside else []
        return f"Transformed({', '.join(parts)})"

    def with_transforms(self, transforms: Transforms) -> Transformed:
        """The same columns with other transforms of the target."""
        past = dict(self.beside.columns)
        return Transformed(transforms, columns=self.columns, past=past)

    @property
    def past(self) -> tuple[str, ...]:
        """Names of the columns that are only read."""
        return self.beside.names

    @property
    def skips(self) -> bool:
        """The network has its layers alone, as networks of Keras and PyTorch have."""
        return False

    def width(self, horizon: int) -> int:
        """C: one channel for each column, and for each that is only read."""
        return self.columns + len(self.beside)

    def described(self) -> dict[str, Any]:
        """As JSON values."""
        about = {
            "kind": self.kind,
            "columns": self.columns,
            "transforms": self.transforms.described(),
        }
        return about | ({"past": self.beside.described()} if self.beside else {})

    @classmethod
    def from_described(cls, about: Mapping[str, Any]) -> Transformed:
        """What `described` gave; UsageError (a ValueError) where that is none."""
        past = dict(PastColumns.from_described(about.get("past", ())).columns)
        return cls(Transforms.from_json(about["transforms"]), columns=about["columns"], past=past)

    @property
    def from_context(self) -> bool:
        """What is read is made of whole series."""
        return False

    @property
    def fewest(self) -> int:
        """One more than have no transformed value."""
        return 1 + max(self.lag, self.beside.lag)

    @property
    def learns(self) -> bool:
        """Whether any transform learns something from the data."""
        return any(each.learns for each in (self.transforms, *self.beside.transforms))

    @property
    def pooled(self) -> bool:
        """Whether any transform learns from all series together."""
        return any(each.pooled for each in (self.transforms, *self.beside.transforms))

    def context(self, periods: tuple[int, ...]) -> Whole:
        """Everything."""
        return Whole()

    def adds_up(self, horizon: int) -> bool:
        """Whether a transform, such as a difference, adds up so many steps on the way back."""
        return self.transforms.adds_up(horizon)

    def check(self, values_RK: NDArray, ids: NDArray) -> None:
        """Transforms say themselves what they cannot be applied to."""

    @property
    def lag(self) -> int:
        """Observations at the beginning of a series that have no transformed value."""
        return max((chain.lag for chain in self.transforms.chains), default=0)

    def fit(self, panel: Panel, ends: NDArray) -> FittedTransforms:
        """What the transforms learn from the first `ends` (S,) values of each series."""
        known = panel.until(np.maximum(ends, 1))
        state = self.transforms.fit(known.values, known.offsets, known.ids)
        return FittedTransforms(self.transforms, state, self.beside.fit(known))

    def fitted_to(self, panel: Panel, fitted: FittedTransforms | None) -> FittedTransforms:
        """What is known of the series of a panel: as learned, or from the panel where nothing
        was."""
        if fitted is None:
            return self.fit(panel, panel.lengths)
        state = self.transforms.align(fitted.state, panel.values, panel.offsets, panel.ids)
        return FittedTransforms(self.transforms, state, fitted.past.align(panel))

    def _refitted(self, panel: Panel, ends: NDArray, fitted: FittedTransforms) -> FittedTransforms:
        """As learned before, and for new series from the first `ends` (S,) values of each."""
        return self.fitted_to(panel.until(np.maximum(ends, 1)), fitted)

    def data(
        self,
        panel: Panel,
        ends: NDArray,
        horizon: int | None = None,
        fitted: FittedTransforms | None = None,
    ) -> tuple[TransformedData, FittedTransforms]:
        """What a network learns from, and what the transforms learned: from the first `ends` (S,)
        values, but for series of which something was `fitted` before.

        Raises:
            UsageError: where labels become inputs in another way than by a straight line.
        """
        fitted = self.fit(panel, ends) if fitted is None else self._refitted(panel, ends, fitted)
        inputs_N, labels_N = (
            self.transforms.apply(panel.values, panel.offsets, fitted.state, as_labels).values
            for as_labels in (False, True)
        )
        require_size(labels_N, panel)
        ways = _label_to_input(fitted, len(panel)) if self.transforms.apart else (None, None)
        rows = self.rows(panel)
        offsets = offsets_of(panel.lengths[rows[:, 0]])
        scale, shift = (None if way is None else way[rows] for way in ways)
        data = TransformedData(
            self._read(inputs_N, panel, rows, fitted),
            self._side_by_side(labels_N, panel, rows),
            offsets,
            ends[rows].min(axis=1),
            panel.ids if self.columns == 1 else _row_names(panel.ids, rows),
            scale,
            shift,
        )
        return data, fitted

    def _read(
        self, inputs_N: NDArray, panel: Panel, rows_RK: NDArray, fitted: FittedTransforms
    ) -> NDArray:
        """What the network reads of all rows (N, C), NaN where a value is missing."""
        require_size(inputs_N, panel)
        read_NK = self._side_by_side(inputs_N, panel, rows_RK)
        if not self.beside:
            return read_NK
        return np.concatenate([read_NK, fitted.past.applied(panel, rows_RK)], axis=1)

    def _side_by_side(self, values_N: NDArray, panel: Panel, rows_RK: NDArray) -> NDArray:
        """The columns of all rows beside each other, the rows one after the other (N, K)."""
        columns = [subset(values_N, panel.offsets, rows_R)[0] for rows_R in rows_RK.T]
        return np.stack(columns, axis=1)

    def fitted_from(self, arrays: Mapping[str, NDArray], ids: NDArray) -> FittedTransforms:
        """What `FittedTransforms.arrays` gave, of series with these ids; KeyError where one is
        missing."""
        state = self.transforms.state_from_arrays(arrays, ids)
        past = self.beside.from_arrays(arrays, ids)
        return FittedTransforms(self.transforms, state, past)

    def of_rows(self, fitted: FittedTransforms | None, ids: list[Any]) -> FittedTransforms:
        """What is known of the rows of a stream with these names.

        Raises:
            UsageError: for a row of which something had to be learned, and was not.
        """
        known = set() if fitted is None else set(fitted.state.ids.tolist())
        named = objects(ids)
        if self.columns > 1 and fitted is not None:
            return _same_rows(fitted, len(ids), self.columns)
        if self.columns > 1:
            named = objects(f"{name}/{k}" for name in ids for k in range(self.columns))
        new = [name for name in named if name not in known]
        chains = [*self.transforms.chains, *self.beside.chains]
        if new and any(_learns_by_series(chain) for chain in chains):
            raise UsageError(
                f"The forecaster was not fitted to {new[0]!r}: its transforms know nothing of it. "
                "Fit it with that series, scale by Standard(per='panel'), or use Running() inputs."
            )
        nothing, offsets = np.full(len(named), np.nan), np.arange(len(named) + 1)
        past = self.beside.of_rows(named, None if fitted is None else fitted.past)
        if fitted is None:
            state = self.transforms.fit(nothing, offsets, named)
        else:
            state = self.transforms.align(fitted.state, nothing, offsets, named)
        return FittedTransforms(self.transforms, state, past)

    def rows(self, panel: Panel) -> NDArray:
        """Numbers of the series that the network reads together, one row after the other (R, K).

        DataError where the series of the panel do not make such rows.
        """
        return panel.rows(self.columns) if self.columns > 1 else np.arange(len(panel))[:, None]

    def whole(self, panel: Panel, fitted: FittedTransforms) -> WholeRows:
        """All rows of a panel, each from its beginning to its end."""
        applied = self.transforms.apply(panel.values, panel.offsets, fitted.state)
        rows = self.rows(panel)
        offsets = offsets_of(panel.lengths[rows[:, 0]])
        values_NC = self._read(applied.values, panel, rows, fitted)
        newest_NC = newest_known(values_NC, offsets)
        filled_NC = np.take_along_axis(values_NC, np.maximum(newest_NC, 0), axis=0)
        x_NC = np.where(newest_NC >= 0, filled_NC, 0.0).astype(np.float32)
        return WholeRows(
            x_NC, np.logical_and.reduce(newest_NC >= 0, axis=1), offsets, rows, applied
        )

    def start(
        self, grid: Grid, rows: int, fitted: FittedTransforms | None = None
    ) -> TransformedState:
        """State before the first value of so many rows, which are those of `fitted` in order."""
        assert fitted is not None
        lags = [[step.lag for step in chain.steps if step.lag] for chain in self.transforms.chains]
        differences = max(map(len, lags), default=0)
        longest = max((lag for own in lags for lag in own), default=0)
        shape = (rows, self.columns)
        return TransformedState(
            fitted,
            np.arange(rows * self.columns).reshape(shape),
            np.full((*shape, self.lag + 1), np.nan),
            np.full((*shape, differences, longest), np.nan),
            np.full(shape, np.nan),
            self.beside.start(rows),
        )

    def advance(
        self, state: TransformedState, values_BTK: NDArray, known: NDArray | None = None
    ) -> tuple[Seen, TransformedState]:
        """Read T more values of each row (NaN = missing); `known` (B, T, P): those of the columns
        that are only read."""
        B, T, K = values_BTK.shape
        kept = state.newest_BKL.shape[2]
        raw_BKU = np.concatenate([state.newest_BKL, values_BTK.transpose(0, 2, 1)], axis=2)
        fitted, offsets = state.fitted.of(state.series_BK.ravel()), _even(B * K, kept + T)
        inputs, labels = (
            self.transforms.apply(raw_BKU.ravel(), offsets, fitted, as_labels)
            for as_labels in (False, True)
        )
        x_BTK, label_BTK = (
            applied.values.reshape(B, K, kept + T)[:, :, kept:].transpose(0, 2, 1)
            for applied in (inputs, labels)
        )
        _require_sizes(label_BTK, state)
        read_BTC, newest_BC, past = x_BTK, state.x_BK, state.past
        if past is not None:
            assert known is not None  # whoever reads asks the inputs for the columns' names
            past_BTP, past = state.fitted.past.advance(state.series_BK[:, 0], past, known)
            read_BTC = np.concatenate([x_BTK, past_BTP], axis=2)
            newest_BC = np.concatenate([state.x_BK, past.x_BP], axis=1)
        _require_sizes(read_BTC, state)
        filled_BTC = _carried_on(newest_BC, read_BTC)
        begun_BT = np.logical_and.reduce(np.isfinite(filled_BTC), axis=2)
        x_BTC = np.where(begun_BT[:, :, None], filled_BTC, 0.0).astype(np.float32)
        before_SDL = self._before(
            state.before_BKDL.reshape(B * K, *state.before_BKDL.shape[2:]), inputs, fitted, T
        )
        after = TransformedState(
            state.fitted,
            state.series_BK,
            raw_BKU[:, :, -kept:],
            before_SDL.reshape(state.before_BKDL.shape),
            filled_BTC[:, -1, :K],
            past and past._replace(x_BP=filled_BTC[:, -1, K:]),
        )
        return Seen(x_BTC, begun_BT, None, label_BTK), after

    def known(self, state: TransformedState) -> TransformedKnown:
        """What the way back needs after the newest values of each row."""
        B, K, _, L = state.before_BKDL.shape
        fitted = state.fitted.of(state.series_BK.ravel())
        before_SDL = state.before_BKDL.reshape(B * K, *state.before_BKDL.shape[2:])
        parts = []
        for g, chain in enumerate(fitted.chains):
            own_SDL = before_SDL[fitted.group_S == g]
            given = {k: own_SDL[:, d].ravel() for d, k in enumerate(_differences(chain))}
            before = tuple(given.get(k) for k in range(len(chain.steps)))
            parts.append(Applied(np.empty(0), _even(len(own_SDL), L), before))
        applied = AppliedTransforms(np.empty(0), tuple(parts))
        return TransformedKnown(fitted, applied, np.arange(B * K).reshape(B, K), np.full(B, L))

    def place(self, answer_NHKX: NDArray, known: TransformedKnown | None) -> NDArray:
        """Answers are labels, and these follow each other as they are."""
        return answer_NHKX

    def widths_of(self, known: TransformedKnown | None) -> None:
        """As the head says them."""

    def around(self, known: TransformedKnown | None) -> tuple[NDArray, NDArray]:
        """0 and 1: labels are scaled already."""
        return np.zeros((1, 1, 1)), np.ones((1, 1, 1))

    def feed(self, point_NHK: NDArray, state: TransformedState) -> tuple[Seen, TransformedState]:
        """Read labels as inputs: the same numbers unless the two are scaled apart."""
        assert not self.beside  # of which nothing is known there: decoding says so
        columns = [
            self.transforms.as_input(point_NHK[:, :, k], state.series_BK[:, k], state.fitted.state)
            for k in range(self.columns)
        ]
        x_NHC = np.stack(columns, axis=2).astype(np.float32)
        return Seen(x_NHC, np.ones(x_NHC.shape[:2], bool), None), state

    def units(
        self, z_NHKX: NDArray, known: TransformedKnown, paths: bool = False, moves: bool = True
    ) -> NDArray:
        """Labels of all steps after the N positions, inverted after the values before."""
        columns = [
            self.transforms.invert(
                z_NHKX[:, :, k],
                known.series_NK[:, k],
                known.counts_N,
                known.applied,
                known.fitted,
                paths=paths,
            )
            for k in range(z_NHKX.shape[2])
        ]
        return np.stack(columns, axis=2)

    def _before(
        self, before_SDL: NDArray, applied: AppliedTransforms, fitted: TransformsState, steps: int
    ) -> NDArray:
        """What the differences were given, so many steps later: a missing one is the one a lag
        before."""
        result_SDL, L = before_SDL.copy(), before_SDL.shape[2]
        for g, (chain, part) in enumerate(zip(fitted.chains, applied.parts, strict=True)):
            own = np.flatnonzero(fitted.group_S == g)
            if not len(own):  # a tick of other rows
                continue
            for d, k in enumerate(_differences(chain)):
                given = part.before[k]
                assert given is not None
                newest_ST = given.reshape(len(own), -1)[:, -steps:]
                both = np.concatenate([before_SDL[own, d], newest_ST], axis=1)
                filled = carried(both.ravel(), _even(len(own), both.shape[1]), chain.steps[k].lag)
                result_SDL[own, d] = filled.reshape(both.shape)[:, both.shape[1] - L :]
        return result_SDL


def _label_to_input(fitted: FittedTransforms, series: int) -> tuple[NDArray, NDArray]:
    """Scale and shift (S,) by which a label becomes an input, where they are scaled apart."""
    rows = np.arange(series)
    at_0, at_half, at_1 = (
        fitted.transforms.as_input(np.full(series, x), rows, fitted.state) for x in (0.0, 0.5, 1.0)
    )
    if not np.allclose(at_0 + at_1, 2 * at_half, equal_nan=True):
        raise UsageError(
            "Only scalings can be fitted apart for inputs and labels; move the other transforms "
            "before them."
        )
    return at_1 - at_0, at_0


def _row_names(ids: NDArray, rows_RK: NDArray) -> NDArray:
    """What each row is called where something is to be said of it."""
    return objects(" and ".join(map(str, ids[rows_K[:3]])) for rows_K in rows_RK)


def _require_sizes(values_BTK: NDArray, state: TransformedState) -> None:
    """The same for the values of some rows of a stream."""
    large = np.argwhere(np.abs(values_BTK) > LARGEST)
    if len(large):
        b, t, k = large[0]
        series_B = state.series_BK[:, min(k, state.series_BK.shape[1] - 1)]
        raise too_large(state.fitted.state.ids[series_B[b]], values_BTK[b, t, k])


def _carried_on(newest_BC: NDArray, values_BTC: NDArray) -> NDArray:
    """Each missing value becomes the newest known one of its column, or `newest`."""
    known_BTC = ~np.isnan(values_BTC)
    steps_T11 = np.arange(1, values_BTC.shape[1] + 1)[:, None]
    place_BTC = np.maximum.accumulate(np.where(known_BTC, steps_T11, 0), axis=1)
    both = np.concatenate([newest_BC[:, None], values_BTC], axis=1)
    return np.take_along_axis(both, place_BTC, axis=1)


def _even(rows: int, length: int) -> NDArray:
    """Offsets of rows of one length."""
    return length * np.arange(rows + 1)


def _same_rows(fitted: FittedTransforms, rows: int, columns: int) -> FittedTransforms:
    """What was learned of rows of several columns, in their order; UsageError for another number
    of rows."""
    learned = len(fitted.state.ids) // columns
    if rows != learned:
        raise UsageError(
            f"The forecaster was fitted to {learned} row(s) of {columns} columns, and {rows} are "
            "given. Give as many, in the same order."
        )
    return fitted


def _learns_by_series(chain: Chain) -> bool:
    """Whether it learns something of each series by itself."""
    return any(
        step.learns._fields and getattr(step, "per", "series") == "series" for step in chain.steps
    )


def _differences(chain: Chain) -> list[int]:
    """Which steps of it are differences."""
    return [k for k, step in enumerate(chain.steps) if step.lag]
