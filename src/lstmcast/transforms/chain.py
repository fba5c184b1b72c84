"""Chain: transforms in sequence, for inputs and labels, and their inverse from any cutoff.

N observations · S series · R rows · O origins · H horizon · X one point, quantiles or samples
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationError, model_validator

from lstmcast.data.ragged import carried, trimmed
from lstmcast.errors import DataError, ModelError, UsageError
from lstmcast.transforms.base import State
from lstmcast.transforms.differencing import Difference
from lstmcast.transforms.scaling import MeanAbs, MinMax, Robust, Standard
from lstmcast.transforms.stabilising import BoxCox, Log1p, Logit
from lstmcast.util.config import adapter, settings
from lstmcast.util.states import rows_of
from lstmcast.util.text import brief

AnyTransform: TypeAlias = Annotated[
    Standard | MinMax | Robust | MeanAbs | Difference | Log1p | BoxCox | Logit,
    Field(discriminator="name"),
]


class ChainState(NamedTuple):
    """The fitted states of a chain's steps; the same for labels unless they are fitted `apart`."""

    inputs: tuple[State, ...]
    labels: tuple[State, ...]


class Applied(NamedTuple):
    """Transformed series, and what their inversion needs."""

    values: NDArray  # (N,)
    offsets: NDArray  # (S+1,)
    # for each step: the input of a difference (N,), missing values filled forward
    before: tuple[NDArray | None, ...]


@settings
class Chain:
    """Transforms that are applied in order and inverted in reverse order.

    Each step is fitted to the training part as transformed by the steps before it. `apart`: whether
    the fitted steps after the last difference are fitted twice, for inputs to all training values
    but the last, for labels to all but the first, as a label is the input one step later. Raises
    UsageError if there is no such step.

    >>> chain = Chain((Difference(), MinMax()))
    >>> values, offsets = np.array([1.0, 3.0, 4.0, 9.0]), np.array([0, 4])
    >>> state = chain.fit(values[:3], np.array([0, 3]))
    >>> applied = chain.apply(values, offsets, state)
    >>> applied.values
    array([nan,  1.,  0.,  4.])
    >>> series, known = np.array([0]), np.array([3])  # after 3 values
    >>> chain.invert(np.array([[[4.0]]]), series, known, applied, state)
    array([[[9.]]])
    """

    steps: tuple[AnyTransform, ...] = ()
    apart: bool = False

    @model_validator(mode="after")
    def _something_is_apart(self) -> Chain:
        after_differences = self.steps[self._fork :]
        if self.apart and not any(step.learns._fields for step in after_differences):
            raise ValueError(
                "apart=True needs a step after the last difference that is fitted, such as MinMax()"
            )
        return self

    @property
    def lag(self) -> int:
        """Number of values at the start of a series without a transformed value."""
        return sum(step.lag for step in self.steps)

    @property
    def accumulates(self) -> bool:
        """Whether any step is a difference, whose inversion is a sum."""
        return self.lag > 0

    def adds_up(self, horizon: int) -> bool:
        """Whether inverting this many steps adds forecasts to forecasts, as with shorter lags."""
        return any(0 < step.lag < horizon for step in self.steps)

    @property
    def _fork(self) -> int:
        """The first step at which labels may differ from inputs."""
        behind = [place for place, step in enumerate(self.steps, start=1) if step.lag]
        return max(behind, default=0)

    def fit(
        self, values: NDArray, offsets: NDArray, known: ChainState | None = None
    ) -> ChainState:
        """Fit the steps to the training part of each series: values (N,), offsets (S+1,).

        `known`: a state fitted to other series, from which `per="panel"` parameters are taken.
        Raises DataError for values outside the domain of a step or, without `known`, if all series
        are too short for the lags.
        """
        fork = self._fork if self.apart else len(self.steps)
        known_inputs, known_labels = (None, None) if known is None else known
        values = np.asarray(values, float)
        shared, between = _fitted(self.steps[:fork], values, offsets, known_inputs)
        if known is None:
            self._require_some(values, between, offsets)
        if not self.apart:
            return ChainState(shared, shared)
        if known_inputs is not None and known_labels is not None:
            known_inputs = known_inputs[fork:]
            known_labels = known_labels[fork:]
        own_steps = self.steps[fork:]
        inputs, _ = _fitted(own_steps, *trimmed(between, offsets, 0, 1), known_inputs)
        labels, _ = _fitted(
            own_steps, *trimmed(between, offsets, self.lag + 1, 0), known_labels
        )
        return ChainState(shared + inputs, shared + labels)

    def _require_some(
        self, values: NDArray, between: NDArray, offsets: NDArray
    ) -> None:
        if self.lag and np.isnan(between).all() and not np.isnan(values).all():
            lengths = np.diff(offsets)
            raise DataError(
                f"Differences over {self.lag} steps leave no values of {len(lengths):,} series to "
                f"fit: the longest training part has {lengths.max()} values, and needs known ones "
                f"{self.lag} steps apart.\nUse shorter lags, longer series, or a scaling such as "
                "Standard()."
            )

    def apply(
        self, values: NDArray, offsets: NDArray, state: ChainState, labels: bool = False
    ) -> Applied:
        """Transform whole series (N,) as inputs or labels of a network; NaN without a value."""
        values = np.asarray(values, float)
        learned = state.labels if labels else state.inputs
        by_step: list[NDArray | None] = []
        for step, step_state in zip(self.steps, learned, strict=True):
            differenced = carried(values, offsets, step.lag) if step.lag else None
            by_step.append(differenced)
            values = step.apply(values, offsets, step_state)
        return Applied(values, offsets, tuple(by_step))

    def invert(
        self,
        values_OHX: NDArray,
        series_O: NDArray,
        counts_O: NDArray,
        applied: Applied,
        state: ChainState,
        labels: bool = True,
        paths: bool = False,
    ) -> NDArray:
        """Invert forecasts of the H steps after each origin to the units of the data (O, H, X).

        An origin is a series and its number of known values; later values of the `applied` series
        are not used. X are quantiles of each step, a point, or with `paths` sample paths over the
        steps. Raises UsageError for quantiles that would have to be added up. NaN if a difference
        has no value to continue from.
        """
        values = np.asarray(values_OHX, float)
        if values.shape[2] > 1 and not paths and self.adds_up(values.shape[1]):
            raise UsageError(_REFUSED.format(chain=self, horizon=values.shape[1]))
        learned = state.labels if labels else state.inputs
        for place in reversed(range(len(self.steps))):
            step = self.steps[place]
            tail = _tails(
                applied.before[place], applied.offsets, series_O, counts_O, step.lag
            )
            values = step.invert(values, rows_of(learned[place], series_O), tail)
        return values

    def as_input(self, values: NDArray, rows: NDArray, state: ChainState) -> NDArray:
        """Convert an answer of the network, a label, to its next input.

        Both are equal unless they are fitted `apart`.

        values (R, …), rows (R,): the series of each.
        """
        if not self.apart:
            return values
        own_places = range(self._fork, len(self.steps))
        values_RHX = np.asarray(values, float).reshape(len(rows), -1, 1)
        no_tail = np.empty((len(rows), 0))
        for place in reversed(own_places):
            labels = rows_of(state.labels[place], rows)
            values_RHX = self.steps[place].invert(values_RHX, labels, no_tail)
        offsets = np.arange(len(rows) + 1) * values_RHX.shape[1]
        flat = values_RHX.ravel()
        for place in own_places:
            inputs = rows_of(state.inputs[place], rows)
            flat = self.steps[place].apply(flat, offsets, inputs)
        return flat.reshape(np.shape(values))

    def described(self) -> dict[str, Any]:
        """The specification as JSON values.

        >>> Chain((Difference(12),)).described()
        {'steps': [{'lag': 12, 'name': 'difference'}], 'apart': False}
        """
        return adapter(Chain).dump_python(self, mode="json")

    @staticmethod
    def from_json(described: Mapping[str, Any]) -> Chain:
        """Rebuild a chain from its description; UsageError (a ValueError) if it is invalid.

        >>> Chain.from_json({"steps": [{"name": "log1p"}, {"name": "minmax", "high": 2}]})
        Chain(steps=(Log1p(), MinMax(low=0.0, high=2.0, per='series')), apart=False)
        """
        try:
            return adapter(Chain).validate_python(described)
        except ValidationError as error:
            raise UsageError(
                f"This does not describe transforms: {brief(described)}.\n{error}"
            ) from error

    def arrays(self, state: ChainState) -> dict[str, NDArray]:
        """The fitted parameters as named arrays for the store."""
        arrays = {}
        for side in self._sides:
            for place, step_state in enumerate(getattr(state, side)):
                for field in self.steps[place].learns._fields:
                    arrays[f"{side}.{place}.{field}"] = getattr(step_state, field)
        return arrays

    def state_from_arrays(self, arrays: Mapping[str, NDArray]) -> ChainState:
        """Rebuild the state from `arrays`; ModelError if one is missing."""
        try:
            sides = [self._side(side, arrays) for side in self._sides]
        except KeyError as error:
            raise ModelError(
                f"The fitted state of {self} is incomplete: {error} is missing. Save the model "
                "again."
            ) from error
        return ChainState(sides[0], sides[-1])

    def _side(self, side: str, arrays: Mapping[str, NDArray]) -> tuple[State, ...]:
        """The fitted states of the steps for inputs or for labels."""
        states = []
        for place, step in enumerate(self.steps):
            names = [f"{side}.{place}.{field}" for field in step.learns._fields]
            states.append(step.learns(*(np.asarray(arrays[name]) for name in names)))
        return tuple(states)

    @property
    def _sides(self) -> tuple[str, ...]:
        """The sides that have fitted states: also labels, if they are fitted `apart`."""
        return ("inputs", "labels") if self.apart else ("inputs",)


_REFUSED = (
    "{chain} adds up the forecasts of {horizon} steps, and quantiles of a sum are not sums of "
    "quantiles: errors of the steps partly cancel.\nInvert sample paths (paths=True) or a point "
    "forecast, or use lags of at least {horizon}."
)


def _fitted(
    steps: tuple[AnyTransform, ...],
    values: NDArray,
    offsets: NDArray,
    saved: tuple[State, ...] | None,
) -> tuple[tuple[State, ...], NDArray]:
    """The fitted state of each step, and the transformed values."""
    learned = []
    first_row_S = np.zeros(len(offsets) - 1, np.int64)
    for place, step in enumerate(steps):
        if saved is not None and getattr(step, "per", "series") == "panel":
            state = rows_of(saved[place], first_row_S)  # all rows are equal
        else:
            state = step.fit(values, offsets)
        values = step.apply(values, offsets, state)
        learned.append(state)
    return tuple(learned), values


def _tails(
    values: NDArray | None,
    offsets: NDArray,
    series_O: NDArray,
    counts_O: NDArray,
    lag: int,
) -> NDArray:
    """The last `lag` values at each origin (O, L), NaN before the series begins."""
    if values is None or not len(values):
        return np.full((len(series_O), lag), np.nan)
    steps_OL = np.asarray(counts_O)[:, None] - lag + np.arange(lag)
    begin_O1 = offsets[series_O][:, None]
    place_OL = begin_O1 + np.maximum(steps_OL, 0)
    return np.where(steps_OL >= 0, values[place_OL], np.nan)
