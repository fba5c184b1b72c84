"""Transforms of a panel: one chain for all series or one per id, with fitted states by id.

N observations · S series · R rows · O origins · H horizon · X one point, quantiles or samples
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationError

from lstmcast.data.ragged import subset
from lstmcast.errors import UsageError
from lstmcast.transforms.base import OutsideDomain, State
from lstmcast.transforms.chain import AnyTransform, Applied, Chain, ChainState
from lstmcast.util.config import adapter, settings
from lstmcast.util.states import rows_of
from lstmcast.util.text import brief

# a chain, or its steps
Steps: TypeAlias = "Chain | AnyTransform | Sequence[AnyTransform]"


class TransformsState(NamedTuple):
    """The fitted states of the series of a panel."""

    ids: NDArray  # (S,)
    group_S: NDArray  # the chain of each series
    place_S: NDArray  # its row in the state of that chain
    chains: tuple[Chain, ...]
    states: tuple[ChainState, ...]

    def rows(self, rows: NDArray) -> TransformsState:
        """The state of some series, by their numbers and in that order; a series may occur more
        than once."""
        group_R = self.group_S[rows]
        place_R = np.empty(len(rows), np.int64)
        states = []
        for group, state in enumerate(self.states):
            group_rows = np.flatnonzero(group_R == group)
            place_R[group_rows] = np.arange(len(group_rows))
            saved_places = self.place_S[rows[group_rows]]
            states.append(rows_of(state, saved_places))
        return TransformsState(
            ids=self.ids[rows],
            group_S=group_R,
            place_S=place_R,
            chains=self.chains,
            states=tuple(states),
        )


class AppliedTransforms(NamedTuple):
    """The transformed series of a panel, and what their inversion needs."""

    values: NDArray  # (N,), in the order of the panel
    parts: tuple[Applied, ...]  # one for each chain


@settings
class Transforms:
    """Transforms of a panel: `by_series` for the series that it names, `chain` for all others.

    With `chain` None, all series must be named.

    >>> from lstmcast.transforms import Difference, Log1p, Logit
    >>> transforms = Transforms.of({"price": (Log1p(), Difference()), "share": Logit(0, 100)})
    >>> values, offsets = np.array([0.0, 3.0, 50.0, 90.0]), np.array([0, 2, 4])
    >>> state = transforms.fit(values, offsets, np.array(["price", "share"], object))
    >>> transforms.apply(values, offsets, state).values.round(3)
    array([ nan, 1.386, 0. , 2.197])
    """

    chain: Chain | None = Chain()
    by_series: dict[str, Chain] = Field(default_factory=dict)

    @staticmethod
    def of(steps: Transforms | Steps | Mapping[str, Steps]) -> Transforms:
        """Make transforms from a transform, several in order, a chain, or one of these per id.

        Raises UsageError for anything else.
        """
        if isinstance(steps, Transforms):
            return steps
        try:
            if isinstance(steps, Mapping):
                return Transforms(
                    None, {name: _chain(chain) for name, chain in steps.items()}
                )
            return Transforms(_chain(steps))
        except (UsageError, TypeError) as error:
            raise UsageError(
                f"{brief(steps)} are not transforms. A transform such as Difference(12), "
                "several in "
                f"order, a Chain, or one of these per series id in a dict is expected.\n{error}"
            ) from error

    @property
    def chains(self) -> tuple[Chain, ...]:
        """All chains in use."""
        by_series = tuple(self.by_series.values())
        return by_series if self.chain is None else (self.chain, *by_series)

    @property
    def accumulates(self) -> bool:
        """Whether any chain has a difference."""
        return any(chain.accumulates for chain in self.chains)

    def adds_up(self, horizon: int) -> bool:
        """Whether inverting this many steps adds forecasts to forecasts in any chain."""
        return any(chain.adds_up(horizon) for chain in self.chains)

    @property
    def learns(self) -> bool:
        """Whether any transform has fitted parameters."""
        return any(step.learns._fields for step in self._steps)

    @property
    def pooled(self) -> bool:
        """Whether any transform is fitted to all series together."""
        return any(getattr(step, "per", "series") == "panel" for step in self._steps)

    @property
    def _steps(self) -> Iterator[AnyTransform]:
        for chain in self.chains:
            yield from chain.steps

    @property
    def apart(self) -> bool:
        """Whether labels differ from inputs for any series."""
        return any(chain.apart for chain in self.chains)

    def fit(self, values: NDArray, offsets: NDArray, ids: NDArray) -> TransformsState:
        """Fit the training part of each series: values (N,), offsets (S+1,), ids (S,).

        Raises the errors of `Chain.fit`.
        """
        chains, group_S, place_S = self._grouped(ids)
        states = []
        for group, chain in enumerate(chains):
            rows = np.flatnonzero(group_S == group)
            with _naming(ids[rows]):
                states.append(chain.fit(*subset(values, offsets, rows)))
        return TransformsState(ids, group_S, place_S, chains, tuple(states))

    def align(
        self, state: TransformsState, values: NDArray, offsets: NDArray, ids: NDArray
    ) -> TransformsState:
        """The state for the series of another panel: reused for known ids, else fitted to these
        values.

        values (N,), offsets (S+1,): the known values of each series.
        """
        if np.array_equal(ids, state.ids):
            return state
        learned = dict(zip(state.chains, state.states, strict=True))
        row_of = dict(zip(state.ids, state.place_S, strict=True))
        chains, group_S, place_S = self._grouped(ids)
        states = []
        for group, chain in enumerate(chains):
            rows = np.flatnonzero(group_S == group)
            saved_R = np.array([row_of.get(name, -1) for name in ids[rows]], np.int64)
            unknown = rows[saved_R < 0]
            saved = learned.get(chain)
            with _naming(ids[unknown]):
                fitted = chain.fit(*subset(values, offsets, unknown), known=saved)
            if saved is None:
                saved = fitted
            states.append(_joined(saved, fitted, saved_R))
        return TransformsState(ids, group_S, place_S, chains, tuple(states))

    def apply(
        self,
        values: NDArray,
        offsets: NDArray,
        state: TransformsState,
        labels: bool = False,
    ) -> AppliedTransforms:
        """Transform whole series, as inputs or as labels; `state` is that of the same series in
        the same order."""
        transformed_N = np.empty(len(values))
        by_group = []
        group_N = np.repeat(state.group_S, np.diff(offsets))
        for group, chain in enumerate(state.chains):
            rows = np.flatnonzero(state.group_S == group)
            group_values, group_offsets = subset(values, offsets, rows)
            with _naming(state.ids[rows]):
                applied = chain.apply(
                    group_values, group_offsets, state.states[group], labels
                )
            by_group.append(applied)
            transformed_N[group_N == group] = applied.values
        return AppliedTransforms(transformed_N, tuple(by_group))

    def invert(
        self,
        values_OHX: NDArray,
        series_O: NDArray,
        counts_O: NDArray,
        applied: AppliedTransforms,
        state: TransformsState,
        labels: bool = True,
        paths: bool = False,
    ) -> NDArray:
        """Invert forecasts to the units of the data: see `Chain.invert`."""
        inverted_OHX = np.empty(np.shape(values_OHX))
        for group, chain in enumerate(state.chains):
            rows = np.flatnonzero(state.group_S[series_O] == group)
            inverted_OHX[rows] = chain.invert(
                values_OHX[rows],
                state.place_S[series_O[rows]],
                counts_O[rows],
                applied.parts[group],
                state.states[group],
                labels,
                paths,
            )
        return inverted_OHX

    def as_input(
        self, values: NDArray, rows: NDArray, state: TransformsState
    ) -> NDArray:
        """Convert answers (R, …) for the series `rows` (R,) to inputs: see `Chain.as_input`."""
        if not self.apart:
            return values
        inputs = np.array(values, float)
        for group, chain in enumerate(state.chains):
            group_rows = np.flatnonzero(state.group_S[rows] == group)
            place = state.place_S[rows[group_rows]]
            inputs[group_rows] = chain.as_input(
                inputs[group_rows], place, state.states[group]
            )
        return inputs

    def described(self) -> dict[str, Any]:
        """The specification as JSON values."""
        return adapter(Transforms).dump_python(self, mode="json")

    @staticmethod
    def from_json(described: Mapping[str, Any]) -> Transforms:
        """Rebuild transforms from their description; UsageError (a ValueError) if it is invalid."""
        try:
            return adapter(Transforms).validate_python(described)
        except ValidationError as error:
            raise UsageError(
                f"This does not describe transforms: {brief(described)}.\n{error}"
            ) from error

    def arrays(self, state: TransformsState) -> dict[str, NDArray]:
        """The fitted parameters as named arrays, without the ids."""
        arrays = {}
        for group, chain in enumerate(state.chains):
            for name, array in chain.arrays(state.states[group]).items():
                arrays[f"{group}.{name}"] = array
        return arrays

    def state_from_arrays(
        self, arrays: Mapping[str, NDArray], ids: NDArray
    ) -> TransformsState:
        """Rebuild the state from `arrays` and the `ids` (S,) at fitting; ModelError if one is
        missing."""
        chains, group_S, place_S = self._grouped(ids)
        by_group: list[dict[str, NDArray]] = [{} for _ in chains]
        for name, array in arrays.items():
            group, _, field = name.partition(".")
            if group.isdecimal() and int(group) < len(chains):
                by_group[int(group)][field] = array
        states = [
            chain.state_from_arrays(chain_arrays)
            for chain, chain_arrays in zip(chains, by_group, strict=True)
        ]
        return TransformsState(ids, group_S, place_S, chains, tuple(states))

    def _grouped(self, ids: NDArray) -> tuple[tuple[Chain, ...], NDArray, NDArray]:
        """The chains in order of first appearance, the number of each series' chain, and its place
        in that chain."""
        if not self.by_series and self.chain is not None:
            return (self.chain,), np.zeros(len(ids), np.int64), np.arange(len(ids))
        numbers: dict[Chain, int] = {}
        groups = [
            numbers.setdefault(self._chain_of(name), len(numbers)) for name in ids
        ]
        group_S = np.array(groups, np.int64)
        place_S = np.empty(len(ids), np.int64)
        for group in range(len(numbers)):
            rows = np.flatnonzero(group_S == group)
            place_S[rows] = np.arange(len(rows))
        return tuple(numbers), group_S, place_S

    def _chain_of(self, name: str) -> Chain:
        chain = self.by_series.get(name, self.chain)
        if chain is None:
            names = ", ".join(map(repr, list(self.by_series)[:5]))
            raise UsageError(
                f"No transforms are given for series {name!r}, only for {names}.\nName every "
                "series, or give transforms for all others as Transforms(chain=…, by_series=…)."
            )
        return chain


def _chain(steps: Any) -> Chain:
    if isinstance(steps, Chain):
        return steps
    is_sequence = isinstance(steps, Sequence) and not isinstance(steps, str)
    in_order: Any = tuple(steps) if is_sequence else (steps,)
    return Chain(in_order)


def _joined(saved: ChainState, fitted: ChainState, saved_R: NDArray) -> ChainState:
    """Saved rows and, in place of -1, the fitted rows in order."""
    is_saved_R = saved_R >= 0

    def join(saved_step: State, fitted_step: State) -> State:
        arrays = []
        for saved_array, fitted_array in zip(saved_step, fitted_step, strict=True):
            rows = np.empty(len(saved_R), saved_array.dtype)
            rows[is_saved_R] = saved_array[saved_R[is_saved_R]]
            rows[~is_saved_R] = fitted_array
            arrays.append(rows)
        return type(saved_step)(*arrays)

    return ChainState(
        inputs=tuple(map(join, saved.inputs, fitted.inputs)),
        labels=tuple(map(join, saved.labels, fitted.labels)),
    )


@contextmanager
def _naming(ids: NDArray) -> Iterator[None]:
    """Errors about a series in the block have its id."""
    try:
        yield
    except OutsideDomain as error:
        raise error.named(str(ids[error.series])) from None
