"""Covariates: columns beside the target, which are read and not forecast.

They lie on the grids of the series, as the target's values do, and go with them wherever parts of
series are taken. What is known in advance continues beyond the end of the target.

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
# How covariates are reduced where the target of several rows is added up or counted: the sum of
# prices is no price, and a mean says as much as a sum to a network that reads either scaled.
_REDUCED = {"sum": "mean", "count": "mean"}

Columns = Mapping[str, NDArray]  # by name
Levels = Mapping[str, tuple[str, ...]]  # names of categories, by column
T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Future:
    """Columns that are known in advance, such as prices, promotions and holidays.

    columns: {name: (M,)}, NaN = missing · offsets (S + 1,): the values of series i are those from
    offsets[i] to offsets[i + 1]. The first one is that of the first step of the series, and the
    last ones may lie beyond its end · levels: the names of the categories that a column's numbers
    0, 1, … stand for · apart: whether each series is read by itself, and leans on no other.

    >>> Future({"price": np.array([7.0, 9.0, 8.0])}, np.array([0, 3])).since([0], [1]).columns
    {'price': array([9., 8.])}
    """

    columns: Columns = field(default_factory=dict)
    offsets: NDArray = field(default_factory=lambda: np.zeros(1, np.int64))
    levels: Levels = field(default_factory=dict)
    apart: bool = False

    def __post_init__(self) -> None:
        _freeze(self.columns)
        self.offsets.flags.writeable = False

    def __bool__(self) -> bool:
        return bool(self.columns)

    @property
    def lengths(self) -> NDArray:
        """Steps of each series that something is said of: (S,)."""
        return np.diff(self.offsets)

    def since(self, rows: ArrayLike, first: ArrayLike) -> Future:
        """Those of some series (R,), from their step `first` on: to the end of what is known, as
        it was known in advance."""
        if not self:
            return self
        rows = np.asarray(rows)
        lengths_R = self.lengths[rows]
        first_R = np.broadcast_to(first, rows.shape)
        first_R = np.minimum(first_R, lengths_R)
        counts_R = lengths_R - first_R
        places, offsets = segments(self.offsets, rows, first_R, counts_R)
        columns = _taken(self.columns, places)
        return Future(columns, offsets, self.levels, self.apart)

    def only(self, names: Iterable[str]) -> Future:
        """The columns of these names, in their order, as far as they are there."""
        columns = _chosen(self.columns, names)
        levels = _chosen(self.levels, columns)
        return Future(columns, self.offsets, levels, self.apart)


def _freeze(columns: Columns) -> None:
    """Make arrays refuse to be written to."""
    for array in columns.values():
        array.flags.writeable = False


def _taken(columns: Columns, places: NDArray) -> Columns:
    """Columns with only the values in these places."""
    return {name: array[places] for name, array in columns.items()}


def _chosen(by_name: Mapping[str, T], names: Iterable[str]) -> dict[str, T]:
    """What has one of these names, in their order."""
    return {name: by_name[name] for name in names if name in by_name}


@dataclass(frozen=True, eq=False)
class Covariates:
    """Columns beside the target, by name: (N,) each, NaN = missing, one value for each of the
    target's.

    `past`: columns whose values are known until the newest observation and not beyond it, such as
    the volume that was traded beside a price. `future`: columns that are known in advance.
    `static`: what does not change in a series, (S,) each, with the names of categories in
    `static_levels`.

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
        """What a short description of a panel says of them."""
        text = ""
        for role, names in self.roles().items():
            text += f", {role}: {', '.join(names)}"
        return text

    def part(
        self, offsets: NDArray, rows: ArrayLike, first: ArrayLike, counts: ArrayLike
    ) -> Covariates:
        """Those of parts of series, as `Panel.part` takes them; `offsets` (S + 1,) of the
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
        """The past columns of these names, in their order, as far as they are there, and all that
        is known in advance."""
        return replace(self, past=_chosen(self.past, names))

    def roles(self) -> dict[str, list[str]]:
        """The names of the columns by role, of roles that there are."""
        roles = {
            "past": list(self.past),
            "future": list(self.future.columns),
            "static": list(self.static),
        }
        return {role: names for role, names in roles.items() if names}

    def described(self) -> dict[str, Any]:
        """What a manifest says of them: names by role, and the names of categories."""
        description: dict[str, Any] = dict(self.roles())
        if self.future.levels:
            description["levels"] = _listed_levels(self.future.levels)
        if self.static_levels:
            description["static_levels"] = _listed_levels(self.static_levels)
        if self.future.apart:
            description["apart"] = True
        return description

    def arrays(self) -> dict[str, NDArray]:
        """Their values, under names for the store."""
        future = self.future
        arrays = _numbered("past", self.past)
        arrays |= _numbered("future", future.columns)
        arrays |= _numbered("static", self.static)
        if future:
            arrays["future_offsets"] = future.offsets
        return arrays

    @classmethod
    def from_saved(cls, description: Mapping[str, Any], arrays: Columns) -> Covariates:
        """What `described` and `arrays` gave; nothing where an older version saved."""
        past = _by_name("past", description, arrays)
        columns = _by_name("future", description, arrays)
        static = _by_name("static", description, arrays)
        levels = _level_names(description.get("levels", {}))
        static_levels = _level_names(description.get("static_levels", {}))
        future = Future()
        if columns:
            apart = bool(description.get("apart", False))
            future = Future(columns, arrays["future_offsets"], levels, apart)
        return cls(past, future, static, static_levels)

    def require_sound(self, series: int) -> None:
        """ValueError where columns of a saved model do not fit so many series."""
        for name, values in self.static.items():
            if not _is_array(values, series, "f"):
                raise ValueError(f"the static column {name!r} is of other series")
        if not self.future:
            return
        offsets = self.future.offsets
        are_offsets = _is_array(offsets, series + 1, "iu")
        if not are_offsets or offsets[0] != 0 or np.diff(offsets).min(initial=0) < 0:
            raise ValueError("what is known in advance has no lengths")
        for name, values in self.future.columns.items():
            if not _is_array(values, offsets[-1], "f"):
                raise ValueError(f"the column {name!r} has other lengths than its offsets say")

    def known_among(self, names: Iterable[str], offsets: NDArray, counts: NDArray) -> NDArray:
        """Whether each of these columns has a known value among the first `counts` (S,) of each
        series: (S,) bool.

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
        """DataError where a column that a network reads is not there; `source`: of the data."""
        missing = [name for name in names if name not in self.past]
        if missing:
            raise DataError(
                f"{source}: the column {missing[0]!r} is missing, which the network reads beside "
                f"the target. Read it with the data, by --past {missing[0]} (in Python: "
                f"past={missing!r}), or use a network that does not read it."
            )

    def unread(self, names: Iterable[str]) -> str | None:
        """What is to be said of columns that a network, which reads these names, does not read;
        None without any."""
        read_names = set(names)
        unread_names = [name for name in self.past if name not in read_names]
        if not unread_names:
            return None
        example = str(unread_names)
        if len(unread_names) > 2:
            example = f"[{unread_names[0]!r}, …]"
        return (
            f"this network does not read {listed(unread_names)} beside the target. One that does "
            f"is trained from scratch, with NetworkConfig(inputs=Transformed(…, past={example}))"
        )

    def tell_unread(self, names: Iterable[str]) -> None:
        """Warn of columns that a network does not read, once: a backtest forecasts many times."""
        unread = self.unread(names)
        if unread:
            warn_once(unread)


def _is_array(array: NDArray, length: int, kinds: str) -> bool:
    """Whether an array has one axis of that length and numbers of one of these kinds."""
    return array.shape == (length,) and array.dtype.kind in kinds


def _numbered(role: str, columns: Columns) -> dict[str, NDArray]:
    """Columns under names for the store: their role and number."""
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
    """Log a warning that this process has not logged yet."""
    logger.warning("%s", text)


def reduced_by(method: str) -> str:
    """How covariates are reduced where the values of a target are reduced like this.

    >>> reduced_by("sum"), reduced_by("last")
    ('mean', 'last')
    """
    return _REDUCED.get(method, method)


def listed(names: Iterable[str], limit: int = 8) -> str:
    """Names of columns in a sentence: 'volume', 'price' and 'index'."""
    quoted = [repr(str(name)) for name in names]
    if len(quoted) > limit:
        return f"{', '.join(quoted[:limit])} and {len(quoted) - limit} more"
    if len(quoted) < 2:
        return quoted[0]
    return f"{', '.join(quoted[:-1])} and {quoted[-1]}"
