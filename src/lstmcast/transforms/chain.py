"""Chain: transforms one after the other, for inputs and labels, and the way back from any cutoff.

N observations · S series · R rows · O origins · H horizon · X one point, quantiles or samples
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, TypeAdapter, ValidationError, model_validator

from lstmcast.data.ragged import carried, trimmed
from lstmcast.errors import DataError, ModelError, UsageError
from lstmcast.transforms.base import State
from lstmcast.transforms.differencing import Difference
from lstmcast.transforms.scaling import MeanAbs, MinMax, Robust, Standard
from lstmcast.transforms.stabilising import BoxCox, Log1p, Logit
from lstmcast.util.config import settings
from lstmcast.util.states import rows_of

AnyTransform: TypeAlias = Annotated[
    Standard | MinMax | Robust | MeanAbs | Difference | Log1p | BoxCox | Logit,
    Field(discriminator="name"),
]


class ChainState(NamedTuple):
    """What the steps of a chain have learned; for labels the same, unless they are fitted apart."""

    inputs: tuple[State, ...]
    labels: tuple[State, ...]


class Applied(NamedTuple):
    """Transformed series, and what the way back needs of them."""

    values: NDArray  # (N,)
    offsets: NDArray  # (S+1,)
    # per step: what a difference was given (N,), missing ones carried forward
    before: tuple[NDArray | None, ...]


@settings
class Chain:
    """Steps that are applied in order and undone in reverse.

    Each is fitted on what the ones before it make of the training part. `apart`: the learned steps
    after the last difference are fitted twice, for inputs on all training values but the last, for
    labels on all but the first; a label is the input one step later. UsageError when there is no
    such step.

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
        if self.apart and not any(step.learns._fields for step in self.steps[self._fork :]):
            raise ValueError(
                "apart=True needs a step after the last difference that is fitted, such as MinMax()"
            )
        return self

    @property
    def lag(self) -> int:
        """How many values at the beginning of a series have no transformed one."""
        return sum(step.lag for step in self.steps)

    @property
    def accumulates(self) -> bool:
        """Whether any step is a difference, so that its inversion is a sum."""
        return self.lag > 0

    def adds_up(self, horizon: int) -> bool:
        """Whether forecasts are added to forecasts when so many steps are inverted: a lag is
        shorter than that."""
        return any(0 < step.lag < horizon for step in self.steps)

    @property
    def _fork(self) -> int:
        """From which step on labels may differ from inputs."""
        return max((k + 1 for k, step in enumerate(self.steps) if step.lag), default=0)

    def fit(self, values: NDArray, offsets: NDArray, known: ChainState | None = None) -> ChainState:
        """Learn from the training part of each series: values (N,), offsets (S+1,).

        `known`: what was learned from other series; what is learned `per="panel"` is taken from
        there. DataError where a value is outside the domain of a step or, without `known`, where
        all series are too short for the lags.
        """
        fork = self._fork if self.apart else len(self.steps)
        first, rest = self.steps[:fork], self.steps[fork:]
        inputs, labels = (None, None) if known is None else known
        shared, between = _fitted(first, np.asarray(values, float), offsets, inputs)
        if known is None:
            self._require_some(values, between, offsets)
        if not self.apart:
            return ChainState(shared, shared)
        rest_inputs, rest_labels = (
            (None, None) if known is None else (known.inputs[fork:], known.labels[fork:])
        )
        inputs, _ = _fitted(rest, *trimmed(between, offsets, 0, 1), rest_inputs)
        labels, _ = _fitted(rest, *trimmed(between, offsets, self.lag + 1, 0), rest_labels)
        return ChainState(shared + inputs, shared + labels)

    def _require_some(self, values: NDArray, between: NDArray, offsets: NDArray) -> None:
        if self.lag and np.isnan(between).all() and not np.isnan(values).all():
            lengths = np.diff(offsets)
            raise DataError(
                f"Differences over {self.lag} steps leave nothing of {len(lengths):,} series to "
                f"learn from: the longest training part has {lengths.max()} values, and known ones "
                f"{self.lag} steps apart are expected.\nUse shorter lags, longer series, or a "
                "scaling such as Standard()."
            )

    def apply(
        self, values: NDArray, offsets: NDArray, state: ChainState, labels: bool = False
    ) -> Applied:
        """Transform whole series, (N,), as inputs or as labels of a network; NaN where there is
        no value."""
        values, before = np.asarray(values, float), []
        for step, learned in zip(self.steps, state.labels if labels else state.inputs, strict=True):
            before.append(carried(values, offsets, step.lag) if step.lag else None)
            values = step.apply(values, offsets, learned)
        return Applied(values, offsets, tuple(before))

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
        """Forecasts of the H steps after each origin in the units of the data, (O, H, X).

        An origin is a series and how many of its values are known; `applied` are the series that it
        belongs to, of which nothing after the count is used. X are quantiles of each step, one
        point, or with `paths` samples that belong together over the steps. UsageError for quantiles
        that would have to be added up. NaN where a difference has nothing to continue from.
        """
        values = np.asarray(values_OHX, float)
        if values.shape[2] > 1 and not paths and self.adds_up(values.shape[1]):
            raise UsageError(_REFUSED.format(chain=self, horizon=values.shape[1]))
        learned = state.labels if labels else state.inputs
        for step, part, before in reversed(
            list(zip(self.steps, learned, applied.before, strict=True))
        ):
            tail = _tails(before, applied.offsets, series_O, counts_O, step.lag)
            values = step.invert(values, rows_of(part, series_O), tail)
        return values

    def as_input(self, values: NDArray, rows: NDArray, state: ChainState) -> NDArray:
        """A network's answer, in the space of labels, as its next input: the same unless they are
        fitted apart.

        values (R, …), rows (R,): which series each belongs to.
        """
        if not self.apart:
            return values
        fork, many = self._fork, np.asarray(values, float).reshape(len(rows), -1, 1)
        offsets = np.arange(len(rows) + 1) * many.shape[1]
        inputs, labels = ([rows_of(part, rows) for part in parts[fork:]] for parts in state)
        for step, part in reversed(list(zip(self.steps[fork:], labels, strict=True))):
            many = step.invert(many, part, np.empty((len(rows), 0)))
        flat = many.ravel()
        for step, part in zip(self.steps[fork:], inputs, strict=True):
            flat = step.apply(flat, offsets, part)
        return flat.reshape(np.shape(values))

    def described(self) -> dict[str, Any]:
        """The specification as JSON values.

        >>> Chain((Difference(12),)).described()
        {'steps': [{'lag': 12, 'name': 'difference'}], 'apart': False}
        """
        return _adapter().dump_python(self, mode="json")

    @staticmethod
    def from_json(described: Mapping[str, Any]) -> Chain:
        """The chain that was described; UsageError (a ValueError) where that is none.

        >>> Chain.from_json({"steps": [{"name": "log1p"}, {"name": "minmax", "high": 2}]})
        Chain(steps=(Log1p(), MinMax(low=0.0, high=2.0, per='series')), apart=False)
        """
        try:
            return _adapter().validate_python(described)
        except ValidationError as error:
            raise UsageError(
                f"This does not describe transforms: {described!r}.\n{error}"
            ) from error

    def arrays(self, state: ChainState) -> dict[str, NDArray]:
        """What was learned, as named arrays that a store can hold."""
        return {
            f"{side}.{k}.{field}": getattr(part, field)
            for side, part_of in self._sides(state)
            for k, part in enumerate(part_of)
            for field in self.steps[k].learns._fields
        }

    def state_from_arrays(self, arrays: Mapping[str, NDArray]) -> ChainState:
        """The state of which `arrays` are; ModelError where one is missing."""
        try:
            sides = [
                tuple(
                    step.learns(
                        *(
                            np.asarray(arrays[f"{side}.{k}.{field}"])
                            for field in step.learns._fields
                        )
                    )
                    for k, step in enumerate(self.steps)
                )
                for side in (("inputs", "labels") if self.apart else ("inputs",))
            ]
        except KeyError as error:
            raise ModelError(
                f"What {self} learned is not there: {error} is missing. Save the model again."
            ) from error
        return ChainState(sides[0], sides[-1])

    def _sides(self, state: ChainState) -> list[tuple[str, tuple[State, ...]]]:
        return list(zip(ChainState._fields, state, strict=True))[: 2 if self.apart else 1]


_REFUSED = (
    "{chain} adds up the forecasts of {horizon} steps, and quantiles of a sum are not sums of "
    "quantiles: errors of the steps partly cancel.\nInvert sample paths (paths=True) or a point "
    "forecast, or use lags of at least {horizon}."
)


@cache
def _adapter() -> TypeAdapter[Chain]:
    return TypeAdapter(Chain)


def _fitted(
    steps: tuple[AnyTransform, ...],
    values: NDArray,
    offsets: NDArray,
    known: tuple[State, ...] | None,
) -> tuple[tuple[State, ...], NDArray]:
    """What each step learns, and what they make of the values."""
    learned = []
    for k, step in enumerate(steps):
        if known is not None and getattr(step, "per", "series") == "panel":
            part = rows_of(known[k], np.zeros(len(offsets) - 1, np.int64))  # all rows are the same
        else:
            part = step.fit(values, offsets)
        values = step.apply(values, offsets, part)
        learned.append(part)
    return tuple(learned), values


def _tails(
    before: NDArray | None, offsets: NDArray, series_O: NDArray, counts_O: NDArray, lag: int
) -> NDArray:
    """The last `lag` values that are known at each origin, (O, L); NaN before the series begins."""
    if before is None or not len(before):
        return np.full((len(series_O), lag), np.nan)
    steps = np.asarray(counts_O)[:, None] - lag + np.arange(lag)
    return np.where(steps >= 0, before[offsets[series_O][:, None] + np.maximum(steps, 0)], np.nan)
