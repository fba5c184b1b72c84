"""Covariates: columns that are read with the target but not forecast.

They are on the grids of the series, like the target, and are sliced with it. Future columns
continue beyond the end of the target.

    N observations of all series · M of those and of the coming steps · S series · T time
    P columns
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lstmcast.data.ragged import segments
from lstmcast.errors import DataError

logger = logging.getLogger("lstmcast")
# How covariates are aggregated if the target is summed or counted: a sum of prices is not a price,
# and for a network that scales its inputs a mean is as good as a sum.
_REDUCED = {"sum": "mean", "count": "mean"}

Columns = Mapping[str, NDArray]  # by name
Levels = Mapping[str, tuple[str, ...]]  # names of categories, by column
T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Future:
    """Future columns, which are known in advance, such as prices, promotions and holidays.

    columns: {name: (M,)}, NaN = missing · offsets (S + 1,): the values of series i are those from
        offsets[i] to offsets[i + 1], from the first step of the series to possibly beyond its end ·
        levels: the names of the categories coded as 0, 1, … · apart: whether effects are estimated
        for each series by itself · share: how much of the effects is used, as a training found.

    >>> Future({"price": np.array([7.0, 9.0, 8.0])}, np.array([0, 3])).since([0], [1]).columns
    {'price': array([9., 8.])}
    """

    columns: Columns = field(default_factory=dict)
    offsets: NDArray = field(default_factory=lambda: np.zeros(1, np.int64))
    levels: Levels = field(default_factory=dict)
    apart: bool = False
    share: float = 1.0

    def __post_init__(self) -> None:
        _freeze(self.columns)
        self.offsets.flags.writeable = False

    def __bool__(self) -> bool:
        return bool(self.columns)

    @property
    def lengths(self) -> NDArray:
        """Number of steps of each series (S,)."""
        return np.diff(self.offsets)

    def since(self, rows: ArrayLike, first: ArrayLike) -> Future:
        """The columns of some series (R,) from step `first` to the last known value."""
        if not self:
            return self
        rows = np.asarray(rows)
        lengths_R = self.lengths[rows]
        first_R = np.broadcast_to(first, rows.shape)
        first_R = np.minimum(first_R, lengths_R)
        counts_R = lengths_R - first_R
        places, offsets = segments(self.offsets, rows, first_R, counts_R)
        columns = _taken(self.columns, places)
        return replace(self, columns=columns, offsets=offsets)

    def only(self, names: Iterable[str]) -> Future:
        """The columns with these names, in this order, without missing ones."""
        columns = _chosen(self.columns, names)
        levels = _chosen(self.levels, columns)
        return replace(self, columns=columns, levels=levels)


def _freeze(columns: Columns) -> None:
    """Make arrays read-only."""
    for array in columns.values():
        array.flags.writeable = False


def _taken(columns: Columns, places: NDArray) -> Columns:
    """Columns with only the values at these places."""
    return {name: array[places] for name, array in columns.items()}


def _chosen(by_name: Mapping[str, T], names: Iterable[str]) -> dict[str, T]:
    """The columns with these names, in this order."""
    return {name: by_name[name] for name in names if name in by_name}


@dataclass(frozen=True, eq=False)
class Covariates:
    """Covariates by name: (N,) each, NaN = missing, one value for each value of the target.

    `past`: columns known only up to the newest observation, such as the traded volume of a stock.
    `future`: columns that are known in advance. `static`: columns that are constant in a series,
    (S,) each, with the names of categories in `static_levels`.

    >>> offsets = np.array([0, 2])
    >>> Covariates({"volume": np.array([7.0, 9.0])}).part(offsets, [0], 1, [1]).past
    {'volume': array([9.])}
    """

    past: Columns = field(default_factory=dict)
    future: Future = field(default_factory=Future)
    static: Columns = field(default_factory=dict)
    static_levels: Levels = field(default_factory=dict)

    def __post_init__(self) -> None:
        _freeze(self.past)
        _freeze(self.static)

    def __bool__(self) -> bool:
        return any((self.past, self.future, self.static))

    def named(self) -> str:
        """Their part of the short description of a panel."""
        text = ""
        for role, names in self.roles().items():
            text += f", {role}: {', '.join(names)}"
        return text

    def part(
        self, offsets: NDArray, rows: ArrayLike, first: ArrayLike, counts: ArrayLike
    ) -> Covariates:
        """The covariates of parts of series, as in `Panel.part`; `offsets` (S + 1,) of the
        target."""
        if not self:
            return self
        rows = np.asarray(rows)
        first_R = np.broadcast_to(first, rows.shape)
        counts_R = np.asarray(counts)
        places, _ = segments(offsets, rows, first_R, counts_R)
        past = _taken(self.past, places)
        static = _taken(self.static, rows)
        future = self.future.since(rows, first)
        return replace(self, past=past, future=future, static=static)

    def only(self, names: Iterable[str]) -> Covariates:
        """The past columns with these names, in this order, and all future columns."""
        return replace(self, past=_chosen(self.past, names))

    def roles(self) -> dict[str, list[str]]:
        """The names of the columns by role, without empty roles."""
        roles = {
            "past": list(self.past),
            "future": list(self.future.columns),
            "static": list(self.static),
        }
        return {role: names for role, names in roles.items() if names}

    def described(self) -> dict[str, Any]:
        """The part of a manifest on covariates: names by role, and names of categories."""
        description: dict[str, Any] = dict(self.roles())
        if self.future.levels:
            description["levels"] = _listed_levels(self.future.levels)
        if self.static_levels:
            description["static_levels"] = _listed_levels(self.static_levels)
        if self.future.apart:
            description["apart"] = True
        if self.future.share < 1:
            description["share"] = self.future.share
        return description

    def arrays(self) -> dict[str, NDArray]:
        """Their values as named arrays for the store."""
        future = self.future
        arrays = _numbered("past", self.past)
        arrays |= _numbered("future", future.columns)
        arrays |= _numbered("static", self.static)
        if future:
            arrays["future_offsets"] = future.offsets
        return arrays

    @classmethod
    def from_saved(cls, description: Mapping[str, Any], arrays: Columns) -> Covariates:
        """Rebuild them from `described` and `arrays`; empty for older versions."""
        past = _by_name("past", description, arrays)
        columns = _by_name("future", description, arrays)
        static = _by_name("static", description, arrays)
        levels = _level_names(description.get("levels", {}))
        static_levels = _level_names(description.get("static_levels", {}))
        future = Future()
        if columns:
            apart = bool(description.get("apart", False))
            share = float(description.get("share", 1.0))
            future = Future(columns, arrays["future_offsets"], levels, apart, share)
        return cls(past, future, static, static_levels)

    def require_sound(self, series: int) -> None:
        """Raise ValueError if the columns of a saved model do not fit its series."""
        for name, values in self.static.items():
            if not _is_array(values, series, "f"):
                raise ValueError(f"the static column {name!r} belongs to other series")
        if not self.future:
            return
        offsets = self.future.offsets
        are_offsets = _is_array(offsets, series + 1, "iu")
        if not are_offsets or offsets[0] != 0 or np.diff(offsets).min(initial=0) < 0:
            raise ValueError("the future columns have no lengths")
        for name, values in self.future.columns.items():
            if not _is_array(values, offsets[-1], "f"):
                raise ValueError(
                    f"the column {name!r} does not have the length given by its offsets"
                )

    def known_among(
        self, names: Iterable[str], offsets: NDArray, counts: NDArray
    ) -> NDArray:
        """Whether all of these columns have a known value among the first `counts` steps (S,).

        >>> visits = Covariates({"visits": np.array([np.nan, 7.0, np.nan, np.nan])})
        >>> visits.known_among(["visits"], np.array([0, 2, 4]), np.array([2, 2]))
        array([ True, False])
        """
        begins = offsets[:-1]
        ends = begins + counts
        all_known = np.ones(len(counts), bool)
        for name in names:
            is_known_N = np.isfinite(self.past[name])
            before_N = np.append(0, np.cumsum(is_known_N))
            known_counts = before_N[ends] - before_N[begins]
            all_known &= known_counts > 0
        return all_known

    def require(self, names: Iterable[str], source: str) -> None:
        """Raise DataError if a column that a network reads is missing; `source`: of the data."""
        missing = [name for name in names if name not in self.past]
        if missing:
            raise DataError(
                f"{source}: the past covariate {missing[0]!r}, which the network reads, is "
                f"missing. Read it with --past {missing[0]}, or use a "
                "network that does not need it."
            )

    def unread(self, names: Iterable[str]) -> str | None:
        """The note on covariates that a network does not read, or None."""
        read_names = set(names)
        unread_names = [name for name in self.past if name not in read_names]
        if not unread_names:
            return None
        example = str(unread_names)
        if len(unread_names) > 2:
            example = f"[{unread_names[0]!r}, …]"
        return (
            f"this network does not read {listed(unread_names)} with the target. To use them, "
            "train a network from scratch with NetworkConfig(inputs=Transformed(…, "
            f"past={example}))"
        )

    def tell_unread(self, names: Iterable[str]) -> None:
        """Warn about unread covariates once, since a backtest forecasts many times."""
        unread = self.unread(names)
        if unread:
            warn_once(unread)


def _is_array(array: NDArray, length: int, kinds: str) -> bool:
    """Whether an array is one-dimensional with this length and one of these kinds of numbers."""
    return array.shape == (length,) and array.dtype.kind in kinds


def _numbered(role: str, columns: Columns) -> dict[str, NDArray]:
    """Columns under names for the store, made of role and number."""
    return {f"{role}{number}": values for number, values in enumerate(columns.values())}


def _listed_levels(levels: Mapping[str, Iterable[str]]) -> dict[str, list[str]]:
    return {name: list(texts) for name, texts in levels.items()}


def _by_name(role: str, description: Mapping[str, Any], arrays: Columns) -> Columns:
    """Columns of the store under their own names."""
    names = description.get(role, ())
    return {name: arrays[f"{role}{number}"] for number, name in enumerate(names)}


def _level_names(levels: Mapping[str, Iterable[str]]) -> Levels:
    return {name: tuple(texts) for name, texts in levels.items()}


@cache
def warn_once(text: str) -> None:
    """Log a warning unless this process has logged it before."""
    logger.warning("%s", text)


def reduced_by(method: str) -> str:
    """How covariates are aggregated if the target is aggregated with this method.

    >>> reduced_by("sum"), reduced_by("last")
    ('mean', 'last')
    """
    return _REDUCED.get(method, method)


def listed(names: Iterable[str], limit: int = 8) -> str:
    """A list of column names for a sentence: 'volume', 'price' and 'index'."""
    quoted = [repr(str(name)) for name in names]
    if len(quoted) > limit:
        return f"{', '.join(quoted[:limit])} and {len(quoted) - limit} more"
    if len(quoted) < 2:
        return quoted[0]
    return f"{', '.join(quoted[:-1])} and {quoted[-1]}"
