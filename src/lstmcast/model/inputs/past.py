"""Past covariates of transformed inputs, each with its own transforms, without inversion.

A missing value is read as the newest known one, as that of a target is.

    S series · N observations · B rows of a batch · R rows of a panel · K columns that are forecast
    P columns that are only read · T steps · L values that a chain of lags looks back, and one more
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


class PastState(NamedTuple):
    """The newest values of each row: those that the next transformed one is made of."""

    newest_BPL: NDArray
    x_BP: NDArray  # the newest input that is known


class PastColumn(NamedTuple):
    """A column that is only read, and what it goes through."""

    name: str
    transforms: Transforms


@dataclass(frozen=True)
class PastColumns:
    """The columns that are only read, in the order in which a network reads them.

    >>> PastColumns.of(["volume", "index"])
    ['volume', 'index']
    """

    columns: tuple[PastColumn, ...] = ()

    @classmethod
    def of(cls, columns_or_names: Any) -> PastColumns:
        """From what people write: names, each read by `Standard()`, or {name: transforms};
        UsageError for anything else."""
        if columns_or_names is None:
            return cls()
        names = [columns_or_names] if isinstance(columns_or_names, str) else columns_or_names
        if not isinstance(names, (Mapping, Sequence)) or not all(
            isinstance(name, str) and name for name in names
        ):
            raise UsageError(
                f"past={columns_or_names!r} does not name columns. Give names, such as "
                "past=['volume'], or {name: transforms}, such as past={'volume': (Log1p(), "
                "Standard())}."
            )
        if len(set(names)) < len(names):
            raise UsageError(
                f"past={columns_or_names!r} names a column twice. Give each name once."
            )
        by_name = names if isinstance(names, Mapping) else dict.fromkeys(names, Standard())
        columns = tuple(PastColumn(name, Transforms.of(steps)) for name, steps in by_name.items())
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
        """As it may be written in Python."""
        if all(column.transforms == Transforms.of(Standard()) for column in self.columns):
            return repr(list(self.names))
        entries = ", ".join(f"{name!r}: {_steps(steps)}" for name, steps in self.columns)
        return f"{{{entries}}}"

    @property
    def names(self) -> tuple[str, ...]:
        """What the data call them."""
        return tuple(column.name for column in self.columns)

    @property
    def transforms(self) -> tuple[Transforms, ...]:
        """What each goes through."""
        return tuple(column.transforms for column in self.columns)

    @property
    def chains(self) -> list[Chain]:
        """All chains that a column may go through."""
        return [chain for transforms in self.transforms for chain in transforms.chains]

    @property
    def lag(self) -> int:
        """Values at the beginning of a series that have no transformed one in some column."""
        return max((chain.lag for chain in self.chains), default=0)

    def described(self) -> list[dict[str, Any]]:
        """As JSON values."""
        return [{"name": name, "transforms": steps.described()} for name, steps in self.columns]

    @classmethod
    def from_described(cls, about: Sequence[Mapping[str, Any]]) -> PastColumns:
        """What `described` gave."""
        return cls.of(
            {column["name"]: Transforms.from_json(column["transforms"]) for column in about}
        )

    def fit(self, panel: Panel) -> FittedColumns:
        """What the transforms learn from the series of a panel; DataError where a column is
        missing."""
        panel.covariates.require(self.names, panel.report.source)
        states = []
        for name, transforms in self.columns:
            with _of_column(name):
                values_N = panel.covariates.past[name]
                states.append(transforms.fit(values_N, panel.offsets, panel.ids))
        return FittedColumns(self, tuple(states))

    def of_rows(self, ids: NDArray, fitted: FittedColumns | None) -> FittedColumns:
        """What is known of the rows of a stream, of which no value came yet."""
        unknown_R, offsets = np.full(len(ids), np.nan), np.arange(len(ids) + 1)
        if fitted is not None:
            return fitted.aligned([unknown_R] * len(self), offsets, ids)
        states = tuple(transforms.fit(unknown_R, offsets, ids) for transforms in self.transforms)
        return FittedColumns(self, states)

    def from_arrays(self, arrays: Mapping[str, NDArray], ids: NDArray) -> FittedColumns:
        """What `FittedColumns.arrays` gave, of series with these ids; ModelError where one is
        missing."""
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
        """The state before the first value of so many rows; None without any column."""
        if not self.columns:
            return None
        unknown_BPL = np.full((rows, len(self), self.lag + 1), np.nan)
        return PastState(unknown_BPL, unknown_BPL[:, :, 0])


@dataclass(frozen=True, eq=False)
class FittedColumns:
    """Columns that are only read, and what the transforms of each learned of the series of a
    panel."""

    columns: PastColumns = field(default_factory=PastColumns)
    states: tuple[TransformsState, ...] = ()

    def align(self, panel: Panel) -> FittedColumns:
        """The same for the series of another panel: as learned where they are known, else
        fitted."""
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
        """What the network reads of the rows of a panel, one after the other (N, P)."""
        columns = []
        for (name, transforms), state in zip(self.columns.columns, self.states, strict=True):
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
        """T more values of each row, transformed (B, T, P), NaN where there is none; and the state,
        whose newest input is set by whoever carries missing ones on."""
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
        """What was learned, under names for the store."""
        pairs = zip(self.columns.transforms, self.states, strict=True)
        return {
            f"past{number}.{name}": array
            for number, (transforms, state) in enumerate(pairs)
            for name, array in transforms.arrays(state).items()
        }


def require_no_feeding(names: Sequence[str], steps: int, block: int, horizon: int) -> None:
    """UsageError where forecasts would be fed back although the columns beside them are not known.

    Args:
        names: of the columns that are only read.
        steps: that the network answers at once.
        block: steps of an answer that are used before it is fed back.
        horizon: steps that are asked for.
    """
    if not names or horizon <= block:
        return
    reason = (
        f"The forecast of {horizon} steps would be recursive, but the network also reads "
        f"{listed(names)}, whose values after the data are unknown."
    )
    if horizon <= steps:
        raise UsageError(f"{reason} Use mode='direct', which forecasts {steps} steps at once.")
    raise UsageError(
        f"{reason} It answers {steps} step{'s' * (steps > 1)} at once: use at most this horizon, "
        f"or train a network with NetworkConfig(horizon={horizon})."
    )


def _steps(transforms: Transforms) -> str:
    """Transforms as they may be written in Python."""
    chain = transforms.chain
    if transforms.by_series or chain is None:
        return repr(transforms)
    steps = chain.steps
    if len(steps) == 1:
        return repr(steps[0])
    return repr(steps)


def _require_shared(values_N: NDArray, panel: Panel, rows_RK: NDArray) -> None:
    """DataError where the series of a row have other values beside them: which would be read?"""
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
    """Errors about values say which column they are in."""
    try:
        yield
    except DataError as error:
        raise DataError(f"past column {name!r}: {error}") from None
