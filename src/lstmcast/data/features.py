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
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lstmcast.data.levels import recoded
from lstmcast.data.ragged import offsets_of, segments, spread
from lstmcast.data.ragged import places as steps_of
from lstmcast.errors import DataError

logger = logging.getLogger("lstmcast")
# How covariates are reduced where the target of several rows is added up or counted: the sum of
# prices is no price, and a mean says as much as a sum to a network that reads either scaled.
_REDUCED = {"sum": "mean", "count": "mean"}


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

    columns: Mapping[str, NDArray] = field(default_factory=dict)
    offsets: NDArray = field(default_factory=lambda: np.zeros(1, np.int64))
    levels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    apart: bool = False

    def __post_init__(self) -> None:
        for array in (*self.columns.values(), self.offsets):
            array.flags.writeable = False

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
        lengths = self.lengths[rows]
        first = np.minimum(np.broadcast_to(first, rows.shape), lengths)
        places, offsets = segments(self.offsets, rows, first, lengths - first)
        columns = {name: array[places] for name, array in self.columns.items()}
        return Future(columns, offsets, self.levels, self.apart)

    def only(self, names: Iterable[str]) -> Future:
        """The columns of these names, in their order, as far as they are there."""
        names = [name for name in names if name in self.columns]
        columns = {name: self.columns[name] for name in names}
        levels = {name: self.levels[name] for name in names if name in self.levels}
        return Future(columns, self.offsets, levels, self.apart)


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

    past: Mapping[str, NDArray] = field(default_factory=dict)
    future: Future = field(default_factory=Future)
    static: Mapping[str, NDArray] = field(default_factory=dict)
    static_levels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for array in (*self.past.values(), *self.static.values()):
            array.flags.writeable = False

    def __bool__(self) -> bool:
        return bool(self.past) or bool(self.future) or bool(self.static)

    def named(self) -> str:
        """What a short description of a panel says of them."""
        texts = []
        for role, names in self.roles().items():
            texts.append(f", {role}: {', '.join(names)}")
        return "".join(texts)

    def part(
        self, offsets: NDArray, rows: ArrayLike, first: ArrayLike, counts: ArrayLike
    ) -> Covariates:
        """Those of parts of series, as `Panel.part` takes them; `offsets` (S + 1,) of the
        target."""
        if not self:
            return self
        rows = np.asarray(rows)
        first_of_each = np.broadcast_to(first, rows.shape)
        places, _ = segments(offsets, rows, first_of_each, np.asarray(counts))
        past = {name: array[places] for name, array in self.past.items()}
        static = {name: values[rows] for name, values in self.static.items()}
        future = self.future.since(rows, first)
        return replace(self, past=past, future=future, static=static)

    def only(self, names: Iterable[str]) -> Covariates:
        """The past columns of these names, in their order, as far as they are there, and all that
        is known in advance."""
        past = {name: self.past[name] for name in names if name in self.past}
        return replace(self, past=past)

    def roles(self) -> dict[str, list[str]]:
        """The names of the columns by role, of roles that there are."""
        columns = {"past": self.past, "future": self.future.columns, "static": self.static}
        return {role: list(names) for role, names in columns.items() if names}

    def described(self) -> dict[str, Any]:
        """What a manifest says of them: names by role, and the names of categories."""
        levels = {name: list(texts) for name, texts in self.future.levels.items()}
        static_levels = {name: list(texts) for name, texts in self.static_levels.items()}
        described: dict[str, Any] = dict(self.roles())
        if levels:
            described["levels"] = levels
        if static_levels:
            described["static_levels"] = static_levels
        if self.future.apart:
            described["apart"] = True
        return described

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
    def from_saved(cls, said: Mapping[str, Any], arrays: Mapping[str, NDArray]) -> Covariates:
        """What `described` and `arrays` gave; nothing where an older version saved."""
        past = _by_name("past", said, arrays)
        columns = _by_name("future", said, arrays)
        static = _by_name("static", said, arrays)
        levels = _level_names(said.get("levels", {}))
        static_levels = _level_names(said.get("static_levels", {}))
        future = Future()
        if columns:
            apart = bool(said.get("apart", False))
            future = Future(columns, arrays["future_offsets"], levels, apart)
        return cls(past, future, static, static_levels)

    def require_sound(self, series: int) -> None:
        """ValueError where columns of a saved model do not fit so many series."""
        for name, values in self.static.items():
            if values.shape != (series,) or values.dtype.kind != "f":
                raise ValueError(f"the static column {name!r} is of other series")
        if not self.future:
            return
        offsets = self.future.offsets
        is_array_of_offsets = offsets.shape == (series + 1,) and offsets.dtype.kind in "iu"
        if not is_array_of_offsets or offsets[0] != 0 or (np.diff(offsets) < 0).any():
            raise ValueError("what is known in advance has no lengths")
        for name, values in self.future.columns.items():
            if values.shape != (offsets[-1],) or values.dtype.kind != "f":
                raise ValueError(f"the column {name!r} has other lengths than its offsets say")

    def known_among(self, names: Iterable[str], offsets: NDArray, counts: NDArray) -> NDArray:
        """Whether each of these columns has a known value among the first `counts` (S,) of each
        series: (S,) bool.

        >>> visits = Covariates({"visits": np.array([np.nan, 7.0, np.nan, np.nan])})
        >>> visits.known_among(["visits"], np.array([0, 2, 4]), np.array([2, 2]))
        array([ True, False])
        """
        begins = offsets[:-1]
        known = np.ones(len(counts), bool)
        for name in names:
            is_known_N = np.isfinite(self.past[name])
            before_N = np.r_[0, np.cumsum(is_known_N)]
            known &= before_N[begins + counts] > before_N[begins]
        return known

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
        beside = [name for name in self.past if name not in set(names)]
        if not beside:
            return None
        example = beside if len(beside) < 3 else [beside[0], ...]
        return (
            f"this network does not read {listed(beside)} beside the target. One that does is "
            "trained from scratch, with NetworkConfig(inputs=Transformed(…, "
            f"past={str(example).replace('Ellipsis', '…')}))"
        )

    def tell_unread(self, names: Iterable[str]) -> None:
        """Warn of columns that a network does not read, once: a backtest forecasts many times."""
        unread = self.unread(names)
        if unread:
            warn_once(unread)


def _numbered(role: str, columns: Mapping[str, NDArray]) -> dict[str, NDArray]:
    """Columns under names for the store: their role and number."""
    return {f"{role}{number}": values for number, values in enumerate(columns.values())}


def _by_name(
    role: str, said: Mapping[str, Any], arrays: Mapping[str, NDArray]
) -> dict[str, NDArray]:
    """Columns of the store under their own names."""
    names = said.get(role, ())
    return {name: arrays[f"{role}{number}"] for number, name in enumerate(names)}


def _level_names(said: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    return {name: tuple(texts) for name, texts in said.items()}


@cache
def warn_once(text: str) -> None:
    """Log a warning that this process has not logged yet."""
    logger.warning("%s", text)


def reduced_by(how: str) -> str:
    """How covariates are reduced where the values of a target are reduced like this.

    >>> reduced_by("sum"), reduced_by("last")
    ('mean', 'last')
    """
    return _REDUCED.get(how, how)


def listed(names: Iterable[str], most: int = 8) -> str:
    """Names of columns in a sentence: 'volume', 'price' and 'index'."""
    quoted = [repr(str(name)) for name in names]
    if len(quoted) > most:
        return f"{', '.join(quoted[:most])} and {len(quoted) - most} more"
    if len(quoted) < 2:
        return quoted[0]
    return f"{', '.join(quoted[:-1])} and {quoted[-1]}"


def continued_future(ours: Future, theirs: Future, places: NDArray, steps: NDArray) -> Future:
    """What is known in advance of series that continue with newer data, (S,): the newer word
    counts,
    and a missing one erases none.

    places (S,): of the remembered series, −1 for none · steps (S,): of the joined series, at which
    the newer data begin.
    """
    remembered = bool(ours)
    newer = theirs.offsets if theirs else np.zeros(len(places) + 1, np.int64)
    newer_lengths = np.diff(newer)
    older_lengths = np.append(ours.lengths, 0)[places] if remembered else np.zeros_like(places)
    ends = np.where(newer_lengths > 0, steps + newer_lengths, 0)
    lengths = np.maximum(older_lengths, ends)
    offsets = offsets_of(np.maximum(lengths, 0))
    older = offsets_of(older_lengths)
    columns, levels = {}, {}
    for name in dict.fromkeys([*ours.columns, *theirs.columns]):
        our_levels, their_levels = ours.levels.get(name), theirs.levels.get(name)
        union = _union(our_levels, their_levels)
        if union:
            levels[name] = union
        joined = np.full(offsets[-1], np.nan)
        if name in ours.columns:
            from_places, _ = segments(ours.offsets, np.maximum(places, 0), 0, older_lengths)
            to_places = spread(offsets[:-1], older) + steps_of(older)
            joined[to_places] = recoded(ours.columns[name], our_levels, union)[from_places]
        if name in theirs.columns:
            values = recoded(theirs.columns[name], their_levels, union)
            own_step = spread(steps, newer) + steps_of(newer)
            to_places = spread(offsets[:-1], newer) + own_step
            is_said = (own_step >= 0) & ~np.isnan(values)
            joined[to_places[is_said]] = values[is_said]
        columns[name] = joined
    apart = ours.apart or theirs.apart
    return Future(columns, offsets, levels, apart) if columns else Future()


def _union(*levels: tuple[str, ...] | None) -> tuple[str, ...]:
    """The categories of several columns as those of one, the first ones first."""
    texts = [text for names in levels for text in names or ()]
    return tuple(dict.fromkeys(texts))


def continued_static(
    ours: Covariates, theirs: Covariates, places: NDArray
) -> tuple[dict[str, NDArray], dict[str, tuple[str, ...]]]:
    """What does not change in series that continue with newer data, and the names of categories:
    the
    newer word counts, and a missing one erases none. places (S,): of the remembered series, −1 for
    none."""
    columns, levels = {}, {}
    unknown = np.full(len(places), np.nan)
    for name in dict.fromkeys([*ours.static, *theirs.static]):
        our_levels, their_levels = ours.static_levels.get(name), theirs.static_levels.get(name)
        union = _union(our_levels, their_levels)
        if union:
            levels[name] = union
        older, newer = unknown[:0], unknown
        if name in ours.static:
            older = recoded(ours.static[name], our_levels, union)
        if name in theirs.static:
            newer = recoded(theirs.static[name], their_levels, union)
        older_places = np.where(places < 0, len(older), places)
        remembered = np.append(older, np.nan)[older_places]
        columns[name] = np.where(np.isnan(newer), remembered, newer)
    return columns, levels


def joined_futures(first: Future, second: Future, counts: tuple[int, int]) -> Future:
    """What is known in advance of series of two panels with so many series, one after the other."""
    of_first, of_second = counts
    places = np.r_[np.arange(of_first), np.full(of_second, -1)]
    if second:
        nothing = np.zeros(of_first, np.int64)
        second = replace(second, offsets=np.r_[nothing, second.offsets])
    if first and len(first.offsets) != of_first + 1:
        raise ValueError("what is known in advance is of other series")
    begin = np.zeros(len(places), np.int64)
    return continued_future(first, second, places, begin)
