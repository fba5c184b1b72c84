"""Transformed inputs: the network reads transformed values of one or several columns, and of
past covariates.

Transforms are fitted to the training part of each series, and their parameters are kept by series
id. The inverse of a difference continues from the last values that it received, so a gap may have
any length.

    S series · N observations · B rows that the network reads: a series, or K columns together,
    and P past covariates · C input channels, which are K + P
    T steps · D differences of a chain · L longest lag · H horizon · X one point, quantiles or paths
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from lstmcast.context import Whole
from lstmcast.data.panel import Panel
from lstmcast.data.ragged import offsets_of
from lstmcast.errors import UsageError
from lstmcast.fit_data import TransformedData
from lstmcast.model.inputs.base import Grid, Seen
from lstmcast.model.inputs.past import PastColumns
from lstmcast.model.inputs.transformedparts import (
    FittedTransforms,
    TransformedKnown,
    TransformedState,
    WholeRows,
    column_names,
    differences_and_longest,
    known_after,
    read_columns,
    require_nothing_learned,
    same_rows,
)
from lstmcast.model.inputs.transformedreading import advanced, training_data
from lstmcast.transforms import Transforms
from lstmcast.util.config import is_whole


@dataclass(frozen=True, init=False)
class Transformed:
    """Transformed inputs: `Transformed(Log1p(), Difference(12), Standard())`.

    Args:
        steps: transforms in order, a `Chain`, or a mapping from series ids to either.
        columns: K, number of series that are read together, each predicted from all.
        past: names of past covariates: a list, each transformed by `Standard()`, or a mapping to
            their transforms. The data must have them: `lstmcast.read(…, past=…)`.

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
        transforms = steps[0] if len(steps) == 1 else steps
        object.__setattr__(self, "transforms", Transforms.of(transforms))
        object.__setattr__(self, "columns", int(columns))
        object.__setattr__(self, "beside", PastColumns.of(past))

    def __repr__(self) -> str:
        chain = self.transforms.chain
        arguments = [repr(self.transforms)]
        if chain is not None and not chain.apart and not self.transforms.by_series:
            arguments = [repr(step) for step in chain.steps]
        if self.columns > 1:
            arguments.append(f"columns={self.columns}")
        if self.beside:
            arguments.append(f"past={self.beside}")
        return f"Transformed({', '.join(arguments)})"

    def with_transforms(self, transforms: Transforms) -> Transformed:
        """The same columns with other transforms of the target."""
        past = dict(self.beside.columns)
        return Transformed(transforms, columns=self.columns, past=past)

    @property
    def past(self) -> tuple[str, ...]:
        """Names of past covariates."""
        return self.beside.names

    @property
    def skips(self) -> bool:
        """False: like networks of Keras and PyTorch, it has no path besides its layers."""
        return False

    def width(self, horizon: int) -> int:
        """C: one channel for each column and each past covariate."""
        return self.columns + len(self.beside)

    def described(self) -> dict[str, Any]:
        """The inputs as JSON values."""
        about: dict[str, Any] = {
            "kind": self.kind,
            "columns": self.columns,
            "transforms": self.transforms.described(),
        }
        if self.beside:
            about["past"] = self.beside.described()
        return about

    @classmethod
    def from_described(cls, about: Mapping[str, Any]) -> Transformed:
        """Rebuild the inputs from `described`; UsageError (a ValueError) if it is invalid."""
        past = dict(PastColumns.from_described(about.get("past", ())).columns)
        return cls(
            Transforms.from_json(about["transforms"]),
            columns=about["columns"],
            past=past,
        )

    @property
    def from_context(self) -> bool:
        """False: values are transformed as whole series."""
        return False

    @property
    def fewest(self) -> int:
        """One more than the number of values without a transformed one."""
        return 1 + max(self.lag, self.beside.lag)

    @property
    def learns(self) -> bool:
        """Whether any transform has fitted parameters."""
        all_transforms = (self.transforms, *self.beside.transforms)
        return any(transforms.learns for transforms in all_transforms)

    @property
    def pooled(self) -> bool:
        """Whether any transform is fitted to all series together."""
        all_transforms = (self.transforms, *self.beside.transforms)
        return any(transforms.pooled for transforms in all_transforms)

    def context(self, periods: tuple[int, ...]) -> Whole:
        """The whole series is read."""
        return Whole()

    def adds_up(self, horizon: int) -> bool:
        """Whether a transform, such as a difference, adds up answers of this many steps in
        inversion."""
        return self.transforms.adds_up(horizon)

    def check(self, values_RK: NDArray, ids: NDArray) -> None:
        """Transforms raise their own errors."""

    @property
    def lag(self) -> int:
        """Number of observations at the start of a series without a transformed value."""
        return max((chain.lag for chain in self.transforms.chains), default=0)

    def fit(self, panel: Panel, ends: NDArray) -> FittedTransforms:
        """Fit the transforms to the first `ends` (S,) values of each series."""
        known_panel = panel.until(np.maximum(ends, 1))
        state = self.transforms.fit(
            known_panel.values, known_panel.offsets, known_panel.ids
        )
        return FittedTransforms(self.transforms, state, self.beside.fit(known_panel))

    def fitted_to(
        self, panel: Panel, fitted: FittedTransforms | None
    ) -> FittedTransforms:
        """The fitted transforms for the series of a panel; unknown series are fitted to the
        panel."""
        if fitted is None:
            return self.fit(panel, panel.lengths)
        state = self.transforms.align(
            fitted.state, panel.values, panel.offsets, panel.ids
        )
        return FittedTransforms(self.transforms, state, fitted.past.align(panel))

    def data(
        self,
        panel: Panel,
        ends: NDArray,
        horizon: int | None = None,
        fitted: FittedTransforms | None = None,
    ) -> tuple[TransformedData, FittedTransforms]:
        """Training data and fitted transforms.

        Transforms are fitted to the first `ends` (S,) values of series that are not in `fitted`.

        Raises:
            UsageError: Labels are not a linear function of inputs.
        """
        return training_data(self, panel, ends, fitted)

    def fitted_from(
        self, arrays: Mapping[str, NDArray], ids: NDArray
    ) -> FittedTransforms:
        """Rebuild fitted transforms of series with these ids from their arrays; KeyError if one is
        missing."""
        state = self.transforms.state_from_arrays(arrays, ids)
        past = self.beside.from_arrays(arrays, ids)
        return FittedTransforms(self.transforms, state, past)

    def of_rows(
        self, fitted: FittedTransforms | None, ids: list[Any]
    ) -> FittedTransforms:
        """The fitted transforms of the rows of a stream.

        Raises:
            UsageError: The transforms of a row are not fitted.
        """
        if self.columns > 1 and fitted is not None:
            return same_rows(fitted, len(ids), self.columns)
        names = column_names(ids, self.columns)
        chains = (*self.transforms.chains, *self.beside.chains)
        require_nothing_learned(names, fitted, chains)
        unknown = np.full(len(names), np.nan)
        offsets = np.arange(len(names) + 1)
        if fitted is None:
            state = self.transforms.fit(unknown, offsets, names)
            past = self.beside.of_rows(names, None)
        else:
            state = self.transforms.align(fitted.state, unknown, offsets, names)
            past = self.beside.of_rows(names, fitted.past)
        return FittedTransforms(self.transforms, state, past)

    def rows(self, panel: Panel) -> NDArray:
        """Indices of the series that the network reads together, row by row (R, K). Raises
        DataError if the series of the panel do not form such rows."""
        if self.columns > 1:
            return panel.rows(self.columns)
        return np.arange(len(panel))[:, None]

    def whole(self, panel: Panel, fitted: FittedTransforms) -> WholeRows:
        """All rows of a panel, each from start to end."""
        applied = self.transforms.apply(panel.values, panel.offsets, fitted.state)
        rows = self.rows(panel)
        offsets = offsets_of(panel.lengths[rows[:, 0]])
        values_NC = read_columns(applied.values, panel, rows, fitted, bool(self.beside))
        return WholeRows.of(values_NC, offsets, rows, applied)

    def start(
        self, grid: Grid, rows: int, fitted: FittedTransforms | None = None
    ) -> TransformedState:
        """State before the first value of each row; rows are those of `fitted` in order."""
        assert fitted is not None
        differences, longest = differences_and_longest(self.transforms.chains)
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
        """Read T more values of each row (NaN = missing); `known` (B, T, P): values of past
        covariates."""
        return advanced(self, state, values_BTK, known)

    def known(self, state: TransformedState) -> TransformedKnown:
        """The values needed to invert answers after the newest values of each row."""
        return known_after(state)

    def place(self, answer_NHKX: NDArray, known: TransformedKnown | None) -> NDArray:
        """Answers unchanged: labels follow each other as they are."""
        return answer_NHKX

    def widths_of(self, known: TransformedKnown | None) -> None:
        """None: the head's widths are used."""

    def around(self, known: TransformedKnown | None) -> tuple[NDArray, NDArray]:
        """0 and 1: labels are already scaled."""
        return np.zeros((1, 1, 1)), np.ones((1, 1, 1))

    def feed(
        self, point_NHK: NDArray, state: TransformedState
    ) -> tuple[Seen, TransformedState]:
        """Read labels as inputs: the same numbers unless the two are scaled separately."""
        # past covariates are unknown there; decoding raises an error before
        assert not self.beside
        columns = [
            self.transforms.as_input(
                point_NHK[:, :, column], state.series_BK[:, column], state.fitted.state
            )
            for column in range(self.columns)
        ]
        x_NHC = np.stack(columns, axis=2).astype(np.float32)
        return Seen(x_NHC, np.ones(x_NHC.shape[:2], bool), None), state

    def units(
        self,
        z_NHKX: NDArray,
        known: TransformedKnown,
        paths: bool = False,
        moves: bool = True,
    ) -> NDArray:
        """Labels of all steps after the N positions, inverted from the values before them."""
        columns = [
            self.transforms.invert(
                z_NHKX[:, :, column],
                known.series_NK[:, column],
                known.counts_N,
                known.applied,
                known.fitted,
                paths=paths,
            )
            for column in range(z_NHKX.shape[2])
        ]
        return np.stack(columns, axis=2)
