"""Past covariates of transformed inputs, each with its own transforms, without inversion.

A missing value is read as the newest known one, as for targets.

    S series · N observations · B rows of a batch · R rows of a panel · K target columns
    P past covariates · T steps · L longest lag of a chain, plus one
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.data.features import listed
from lstmcast.data.panel import Panel
from lstmcast.data.ragged import subset
from lstmcast.errors import DataError, UsageError
from lstmcast.model.inputs.base import require_size
from lstmcast.transforms import Chain, Standard, Transforms, TransformsState
from lstmcast.util.text import brief


class PastState(NamedTuple):
    """The newest values of each row, from which the next transformed one is computed."""

    newest_BPL: NDArray
    x_BP: NDArray  # the newest known input


class PastColumn(NamedTuple):
    """A past covariate and its transforms."""

    name: str
    transforms: Transforms


@dataclass(frozen=True)
class PastColumns:
    """Past covariates, in the order in which a network reads them.

    >>> PastColumns.of(["volume", "index"])
    ['volume', 'index']
    """

    columns: tuple[PastColumn, ...] = ()

    @classmethod
    def of(cls, columns_or_names: Any) -> PastColumns:
        """Past covariates from what users write: names, each transformed by `Standard()`, or {name:
        transforms}; UsageError for anything else."""
        if columns_or_names is None:
            return cls()
        names = (
            [columns_or_names]
            if isinstance(columns_or_names, str)
            else columns_or_names
        )
        if not isinstance(names, (Mapping, Sequence)) or not all(
            isinstance(name, str) and name for name in names
        ):
            raise UsageError(
                f"past={brief(columns_or_names)} does not name columns. Give names, such as "
                "past=['volume'], or {name: transforms}, such as past={'volume': (Log1p(), "
                "Standard())}."
            )
        if len(set(names)) < len(names):
            raise UsageError(
                f"past={columns_or_names!r} names a column twice. Give each name once."
            )
        by_name = (
            names if isinstance(names, Mapping) else dict.fromkeys(names, Standard())
        )
        columns = tuple(
            PastColumn(name, Transforms.of(steps)) for name, steps in by_name.items()
        )
        scaled_apart = [column.name for column in columns if column.transforms.apart]
        if scaled_apart:
            raise UsageError(
                f"past={{{scaled_apart[0]!r}: …}}: apart=True scales labels separately, but a "
                "past covariate has none. Leave it out."
            )
        return cls(columns)

    def __len__(self) -> int:
        return len(self.columns)

    def __repr__(self) -> str:
        """The columns as Python code."""
        if all(
            column.transforms == Transforms.of(Standard()) for column in self.columns
        ):
            return repr(list(self.names))
        entries = ", ".join(
            f"{name!r}: {_steps(steps)}" for name, steps in self.columns
        )
        return f"{{{entries}}}"

    @property
    def names(self) -> tuple[str, ...]:
        """Column names in the data."""
        return tuple(column.name for column in self.columns)

    @property
    def transforms(self) -> tuple[Transforms, ...]:
        """The transforms of each column."""
        return tuple(column.transforms for column in self.columns)

    @property
    def chains(self) -> list[Chain]:
        """All chains that are applied to any column."""
        return [chain for transforms in self.transforms for chain in transforms.chains]

    @property
    def lag(self) -> int:
        """Number of values at the start of a series without a transformed value in some column."""
        return max((chain.lag for chain in self.chains), default=0)

    def described(self) -> list[dict[str, Any]]:
        """The columns as JSON values."""
        return [
            {"name": name, "transforms": steps.described()}
            for name, steps in self.columns
        ]

    @classmethod
    def from_described(cls, about: Sequence[Mapping[str, Any]]) -> PastColumns:
        """The inverse of `described`."""
        return cls.of(
            {
                column["name"]: Transforms.from_json(column["transforms"])
                for column in about
            }
        )

    def fit(self, panel: Panel) -> FittedColumns:
        """Fit the transforms to the series of a panel; DataError if a column is missing."""
        panel.covariates.require(self.names, panel.report.source)
        states = []
        for name, transforms in self.columns:
            with _of_column(name):
                values_N = panel.covariates.past[name]
                states.append(transforms.fit(values_N, panel.offsets, panel.ids))
        return FittedColumns(self, tuple(states))

    def of_rows(self, ids: NDArray, fitted: FittedColumns | None) -> FittedColumns:
        """Fitted columns for the rows of a stream that has not started."""
        unknown_R = np.full(len(ids), np.nan)
        offsets = np.arange(len(ids) + 1)
        if fitted is not None:
            return fitted.aligned([unknown_R] * len(self), offsets, ids)
        states = tuple(
            transforms.fit(unknown_R, offsets, ids) for transforms in self.transforms
        )
        return FittedColumns(self, states)

    def from_arrays(self, arrays: Mapping[str, NDArray], ids: NDArray) -> FittedColumns:
        """The inverse of `FittedColumns.arrays`, for series with these ids; ModelError if an array
        is missing."""
        states = []
        for number, transforms in enumerate(self.transforms):
            prefix = f"past{number}."
            column_arrays = {
                name.removeprefix(prefix): array
                for name, array in arrays.items()
                if name.startswith(prefix)
            }
            states.append(transforms.state_from_arrays(column_arrays, ids))
        return FittedColumns(self, tuple(states))

    def start(self, rows: int) -> PastState | None:
        """The state before the first value of this number of rows; None without columns."""
        if not self.columns:
            return None
        unknown_BPL = np.full((rows, len(self), self.lag + 1), np.nan)
        return PastState(unknown_BPL, unknown_BPL[:, :, 0])


@dataclass(frozen=True, eq=False)
class FittedColumns:
    """Past covariates with their transforms, fitted to the series of a panel."""

    columns: PastColumns = field(default_factory=PastColumns)
    states: tuple[TransformsState, ...] = ()

    def align(self, panel: Panel) -> FittedColumns:
        """The same for the series of another panel: fitted parameters are kept for known series,
        and fitted for others."""
        panel.covariates.require(self.columns.names, panel.report.source)
        values_PN = [panel.covariates.past[name] for name in self.columns.names]
        return self.aligned(values_PN, panel.offsets, panel.ids)

    def aligned(
        self, values_PN: Sequence[NDArray], offsets: NDArray, ids: NDArray
    ) -> FittedColumns:
        """The same for series with these ids and values."""
        states = []
        for (name, transforms), state, values_N in zip(
            self.columns.columns, self.states, values_PN, strict=True
        ):
            with _of_column(name):
                states.append(transforms.align(state, values_N, offsets, ids))
        return FittedColumns(self.columns, tuple(states))

    def applied(self, panel: Panel, rows_RK: NDArray) -> NDArray:
        """What the network reads of the rows of a panel, concatenated (N, P)."""
        columns = []
        for (name, transforms), state in zip(
            self.columns.columns, self.states, strict=True
        ):
            values_N = panel.covariates.past[name]
            with _of_column(name):
                _require_shared(values_N, panel, rows_RK)
                applied_N = transforms.apply(values_N, panel.offsets, state).values
                require_size(applied_N, panel)
            columns.append(subset(applied_N, panel.offsets, rows_RK[:, 0])[0])
        return np.stack(columns, axis=1)

    def advance(
        self, series_B: NDArray, state: PastState, known_BTP: NDArray
    ) -> tuple[NDArray, PastState]:
        """Transform T more values of each row (B, T, P), NaN where missing. The caller fills in
        missing values and sets the newest input of the returned state."""
        B, T, _ = known_BTP.shape
        length = state.newest_BPL.shape[2]
        known_BPT = known_BTP.transpose(0, 2, 1)
        raw_BPU = np.concatenate([state.newest_BPL, known_BPT], axis=2)
        offsets = (length + T) * np.arange(B + 1)
        columns = []
        for number, (name, transforms) in enumerate(self.columns.columns):
            state_B = self.states[number].rows(series_B)
            with _of_column(name):
                applied = transforms.apply(raw_BPU[:, number].ravel(), offsets, state_B)
            applied_BU = applied.values.reshape(B, length + T)
            columns.append(applied_BU[:, length:])
        new_state = state._replace(newest_BPL=raw_BPU[:, :, -length:])
        return np.stack(columns, axis=2), new_state

    def arrays(self) -> dict[str, NDArray]:
        """Fitted parameters as named arrays for the store."""
        pairs = zip(self.columns.transforms, self.states, strict=True)
        return {
            f"past{number}.{name}": array
            for number, (transforms, state) in enumerate(pairs)
            for name, array in transforms.arrays(state).items()
        }


def require_no_feeding(
    names: Sequence[str], steps: int, block: int, horizon: int
) -> None:
    """Raise UsageError if a forecast would be recursive although its past covariates are unknown.

    Args:
        names: of the past covariates.
        steps: that the network answers at once.
        block: number of steps of an answer that are used before it is fed back.
        horizon: number of steps to forecast.
    """
    if not names or horizon <= block:
        return
    reason = (
        f"The forecast of {horizon} steps would be recursive, but the network also reads "
        f"{listed(names)}, whose values after the data are unknown."
    )
    if horizon <= steps:
        raise UsageError(
            f"{reason} Use mode='direct', which forecasts {steps} steps at once."
        )
    raise UsageError(
        f"{reason} It answers {steps} step{'s' * (steps > 1)} at once: use at most this horizon, "
        f"or train a network with NetworkConfig(horizon={horizon})."
    )


def _steps(transforms: Transforms) -> str:
    """Transforms as Python code."""
    chain = transforms.chain
    if transforms.by_series or chain is None:
        return repr(transforms)
    steps = chain.steps
    if len(steps) == 1:
        return repr(steps[0])
    return repr(steps)


def _require_shared(values_N: NDArray, panel: Panel, rows_RK: NDArray) -> None:
    """Raise DataError if series of a row have different past covariates, which is ambiguous."""
    first_N = subset(values_N, panel.offsets, rows_RK[:, 0])[0]
    for rows_R in rows_RK.T[1:]:
        other_N = subset(values_N, panel.offsets, rows_R)[0]
        if not np.array_equal(first_N, other_N, equal_nan=True):
            raise DataError(
                f"it differs between series {str(panel.ids[rows_RK[0, 0]])!r} and those that the "
                f"network reads with it, {rows_RK.shape[1]} columns in all. Give one array that "
                "all series of a row share."
            )


@contextmanager
def _of_column(name: str) -> Iterator[None]:
    """Prefix errors about values with the column name."""
    try:
        yield
    except DataError as error:
        raise DataError(f"past column {name!r}: {error.message}") from None
