"""From the values of a stream to what a network reads, and back, tick by tick: nothing after a tick
is used at it.

    Running     each row in units of its own past: of its values, their changes, or their returns
    Fitted      the transforms of a fitted forecaster, with what they learned

S series · R rows of a tick · K columns · X one point, or quantiles · D differences of a chain · L
longest lag
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Annotated, Any, Literal, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from lstmcast.errors import DataError, UsageError
from lstmcast.streaming.rows import Rows
from lstmcast.training_config import settings
from lstmcast.transforms import Chain, Transforms
from lstmcast.transforms.chain import Applied
from lstmcast.transforms.per_series import AppliedTransforms, TransformsState

YOUNG = 10  # ticks before which any size may be a row's usual one


class Tick(NamedTuple):
    """A tick as the network sees it: its input, and the label of what was predicted for it; NaN
    = unknown."""

    x_RK: NDArray
    label_RK: NDArray


class Scaling(Protocol):
    """What `Online` asks of a normalisation. What it remembers of each row are arrays of the
    rows."""

    def prepare(self, rows: Rows, columns: int) -> None:
        """Add its arrays."""
        ...

    def follow(self, ids: Iterable[Any]) -> None:
        """These are the rows from now on; UsageError where it cannot be used for one of them."""
        ...

    def advance(self, rows: Rows, at: NDArray, values_RK: NDArray) -> Tick:
        """Take in the values of a tick (NaN = unknown). DataError, and nothing has changed, for
        what cannot be."""
        ...

    def units(self, rows: Rows, answer_SKX: NDArray) -> NDArray:
        """What the network answered after each row's newest tick, in the units of the values."""
        ...


@settings
class Running:
    """Each row in units of its own recent past.

    `of`: "values" are read relative to their mean, in standard deviations; "changes" from the last
    value, and "returns" (changes of the logarithm; values must be positive), in units of their root
    mean square. `memory`: ticks after which the past counts 1/e. `limit`: most units that one tick
    counts, in what is read and learned and in the running scale itself, so that a wrong tick does
    little; None for any.

    >>> rows, scaling = Rows(["a"]), Running("changes")
    >>> scaling.prepare(rows, 1)
    >>> ticks = [scaling.advance(rows, np.arange(1), np.array([[y]])) for y in (5.0, 7.0, 6.0)]
    >>> [tick.x_RK.item() for tick in ticks], ticks[2].label_RK.item()
    ([nan, 1.0, -0.63...], -0.5)
    """

    of: Literal["values", "changes", "returns"] = "values"
    memory: Annotated[float, Field(gt=1)] = 250.0
    limit: Annotated[float, Field(gt=0)] | None = 10.0

    def prepare(self, rows: Rows, columns: int) -> None:
        """Weight of the past, centre (mean, or newest value), and sum of squares."""
        for name, fill in (("weight", 0.0), ("centre", np.nan), ("square", 0.0)):
            rows.add(f"scaling_{name}", (columns,), float, fill)

    def follow(self, ids: Iterable[Any]) -> None:
        """Any rows will do: they begin empty."""

    def advance(self, rows: Rows, at: NDArray, values_RK: NDArray) -> Tick:
        """The label is in units of what was known before the tick, the input in those of what is
        known at it.

        The sums are West's (1979) for weights that decay.
        """
        u_RK = self._taken(rows, at, values_RK)
        weight, centre, square = (
            rows[f"scaling_{name}"][at] for name in ("weight", "centre", "square")
        )
        away_RK, scale_RK, mean = u_RK - centre, _scale(weight, square), self.of == "values"
        label_RK = np.where(square > 0, self._limited(away_RK / scale_RK), np.nan)

        first, moved = np.isnan(centre) & ~np.isnan(u_RK), ~np.isnan(away_RK)
        old, decay = weight, np.exp(-1 / self.memory)
        weight = np.where(moved, decay * old + 1, np.where(first, float(mean), old))
        usual_RK = np.where(
            moved, np.where(old < YOUNG, away_RK, scale_RK * self._limited(away_RK / scale_RK)), 0.0
        )
        share = decay * old / np.maximum(weight, 1) if mean else 1.0
        square = np.where(moved, decay * square + share * usual_RK**2, square)
        newest = centre + usual_RK / np.maximum(weight, 1) if mean else u_RK
        centre = np.where(moved, newest, np.where(first, u_RK, centre))

        for name, part in (("weight", weight), ("centre", centre), ("square", square)):
            rows[f"scaling_{name}"][at] = part
        read_RK = u_RK - centre if mean else away_RK
        return Tick(self._limited(read_RK / _scale(weight, square)), label_RK)

    def units(self, rows: Rows, answer_SKX: NDArray) -> NDArray:
        """Centre and scale of each row; a row that has never moved is expected to stay."""
        weight, centre, square = (
            rows[f"scaling_{name}"] for name in ("weight", "centre", "square")
        )
        scale_SK = np.sqrt(square / np.maximum(weight, 1))
        u_SKX = centre[..., None] + scale_SK[..., None] * answer_SKX
        return np.exp(u_SKX) if self.of == "returns" else u_SKX

    def _taken(self, rows: Rows, at: NDArray, values_RK: NDArray) -> NDArray:
        """The values, or for returns their logarithms."""
        if self.of != "returns":
            return values_RK
        wrong = np.flatnonzero((values_RK <= 0).any(axis=1))
        if len(wrong):
            value = float(np.nanmin(values_RK[wrong[0]]))
            raise DataError(
                f"Row {rows.ids[at[wrong[0]]]!r} has the value {value!r}, and {len(wrong)} rows of "
                "this tick have such ones: returns need positive values. Use Running('changes') "
                "for values that may be zero or negative, or nan for one that is unknown."
            )
        return np.log(values_RK)

    def _limited(self, units: NDArray) -> NDArray:
        return units if self.limit is None else np.clip(units, -self.limit, self.limit)


def _scale(weight: NDArray, square: NDArray) -> NDArray:
    """Root of the mean square; 1 where that is zero."""
    return np.where(square > 0, np.sqrt(square / np.maximum(weight, 1)), 1.0)


class Fitted:
    """The transforms that a forecaster was fitted with: they stay as they are, and read as many
    values as they need.

    `state`: what they learned. Rows are series of the fit; others are possible where nothing is
    learned of a series. Of each row the newest values are kept, from which the newest transformed
    one is made, and the last values that each difference was given, from which its inversion
    continues: a missing one is the one a lag before, so that a gap may have any length.
    """

    def __init__(self, transforms: Transforms, state: TransformsState) -> None:
        self.transforms, self.learned, self.state = transforms, state, state
        self.kept = max(chain.lag for chain in transforms.chains) + 1
        lags = [[step.lag for step in chain.steps if step.lag] for chain in transforms.chains]
        self.differences, self.longest = (
            max(map(len, lags)),
            max((lag for own in lags for lag in own), default=0),
        )

    def prepare(self, rows: Rows, columns: int) -> None:
        """The newest values of each row, and what its differences were given."""
        rows.add("scaling_newest", (self.kept,), float, np.nan)
        rows.add("scaling_before", (self.differences, self.longest), float, np.nan)

    def follow(self, ids: Iterable[Any]) -> None:
        """What was learned of these rows."""
        named = np.array([*ids, None], object)[:-1]
        new = [name for name in named if name not in set(self.learned.ids)]
        if new and any(_learns_by_series(chain) for chain in self.transforms.chains):
            raise UsageError(
                f"The forecaster was not fitted to {new[0]!r}: its transforms know nothing of it. "
                "Fit it with that series, scale by Standard(per='panel'), or give Online its "
                "network and scaling=Running()."
            )
        empty = np.full(len(named) * self.kept, np.nan)
        self.state = self.transforms.align(
            self.learned, empty, _offsets(len(named), self.kept), named
        )

    def advance(self, rows: Rows, at: NDArray, values_RK: NDArray) -> Tick:
        """Both are what the transforms make of the newest value."""
        newest = rows["scaling_newest"].copy()
        newest[at] = np.column_stack([newest[at, 1:], values_RK])
        offsets, newest_of = _offsets(len(rows), self.kept), slice(self.kept - 1, None, self.kept)
        inputs, labels = (
            self.transforms.apply(newest.ravel(), offsets, self.state, apart)
            for apart in (False, True)
        )
        before_SDL = self._before(rows["scaling_before"], inputs)
        rows["scaling_newest"][at], rows["scaling_before"][at] = newest[at], before_SDL[at]
        return Tick(inputs.values[newest_of][at, None], labels.values[newest_of][at, None])

    def units(self, rows: Rows, answer_SKX: NDArray) -> NDArray:
        """Undone after the newest values."""
        S, L, before_SDL = len(rows), self.longest, rows["scaling_before"]
        parts = []
        for g, chain in enumerate(self.state.chains):
            own_SDL = before_SDL[self.state.group_S == g]
            given = {k: own_SDL[:, d].ravel() for d, k in enumerate(_differences(chain))}
            before = tuple(given.get(k) for k in range(len(chain.steps)))
            parts.append(Applied(np.empty(0), _offsets(len(own_SDL), L), before))
        applied = AppliedTransforms(np.empty(0), tuple(parts))
        return self.transforms.invert(answer_SKX, np.arange(S), np.full(S, L), applied, self.state)

    def _before(self, before_SDL: NDArray, applied: AppliedTransforms) -> NDArray:
        """What the differences were given, one tick later."""
        result_SDL = np.full_like(before_SDL, np.nan)
        result_SDL[..., :-1] = before_SDL[..., 1:]
        for g, (chain, part) in enumerate(zip(self.state.chains, applied.parts, strict=True)):
            own = np.flatnonzero(self.state.group_S == g)
            for d, k in enumerate(_differences(chain)):
                given = part.before[k]
                assert given is not None
                newest = given[self.kept - 1 :: self.kept]
                a_lag_before = before_SDL[own, d, -chain.steps[k].lag]
                result_SDL[own, d, -1] = np.where(np.isnan(newest), a_lag_before, newest)
        return result_SDL


def _offsets(rows: int, length: int) -> NDArray:
    return length * np.arange(rows + 1)


def _differences(chain: Chain) -> list[int]:
    """Which steps of it are differences."""
    return [k for k, step in enumerate(chain.steps) if step.lag]


def _learns_by_series(chain: Chain) -> bool:
    return any(
        step.learns._fields and getattr(step, "per", "series") == "series" for step in chain.steps
    )


def described(scaling: Running | Fitted) -> dict[str, Any]:
    """What a manifest says of it."""
    if isinstance(scaling, Fitted):
        return {
            "kind": "fitted",
            "transforms": scaling.transforms.described(),
            "series": list(scaling.learned.ids),
        }
    return {"kind": "running", **asdict(scaling)}


def from_described(about: dict[str, Any], arrays: dict[str, NDArray]) -> Running | Fitted:
    """What `described` and the arrays of the transforms say; KeyError or ValueError where
    something is missing."""
    if about["kind"] == "running":
        return Running(**{name: value for name, value in about.items() if name != "kind"})
    transforms = Transforms.from_json(about["transforms"])
    return Fitted(
        transforms,
        transforms.state_from_arrays(arrays, np.array([*about["series"], None], object)[:-1]),
    )
