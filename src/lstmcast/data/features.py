"""Covariates: columns beside the target, which are read and not forecast.

They lie on the grids of the series, as the target's values do, and go with them wherever parts of
series are taken. What is known in advance goes on beyond the end of the target.

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

from lstmcast.data.ragged import offsets_of, segments, spread
from lstmcast.data.ragged import places as steps_of
from lstmcast.errors import DataError, UsageError

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
        first = np.minimum(np.broadcast_to(first, rows.shape), self.lengths[rows])
        chosen, offsets = segments(self.offsets, rows, first, self.lengths[rows] - first)
        columns = {name: array[chosen] for name, array in self.columns.items()}
        return Future(columns, offsets, self.levels, self.apart)

    def only(self, names: Iterable[str]) -> Future:
        """The columns of these names, in their order, as far as they are there."""
        kept = [name for name in names if name in self.columns]
        levels = {name: self.levels[name] for name in kept if name in self.levels}
        columns = {name: self.columns[name] for name in kept}
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
        return "".join(f", {role}: {', '.join(names)}" for role, names in self.roles().items())

    def part(
        self, offsets: NDArray, rows: ArrayLike, first: ArrayLike, counts: ArrayLike
    ) -> Covariates:
        """Those of parts of series, as `Panel.part` takes them; `offsets` (S + 1,) of the
        target."""
        if not self:
            return self
        rows, counts = np.asarray(rows), np.asarray(counts)
        chosen, _ = segments(offsets, rows, np.broadcast_to(first, rows.shape), counts)
        past = {name: array[chosen] for name, array in self.past.items()}
        static = {name: values[rows] for name, values in self.static.items()}
        return replace(self, past=past, future=self.future.since(rows, first), static=static)

    def only(self, names: Iterable[str]) -> Covariates:
        """The past columns of these names, in their order, as far as they are there, and all that
        is known in advance."""
        past = {name: self.past[name] for name in names if name in self.past}
        return replace(self, past=past)

    def roles(self) -> dict[str, list[str]]:
        """The names of the columns by role, of roles that there are."""
        known = {"past": self.past, "future": self.future.columns, "static": self.static}
        return {role: list(names) for role, names in known.items() if names}

    def described(self) -> dict[str, Any]:
        """What a manifest says of them: names by role, and the names of categories."""
        levels = {name: list(texts) for name, texts in self.future.levels.items()}
        static = {name: list(texts) for name, texts in self.static_levels.items()}
        named = {"levels": levels, "static_levels": static, "apart": self.future.apart}
        return self.roles() | {name: texts for name, texts in named.items() if texts}

    def arrays(self) -> dict[str, NDArray]:
        """Their values, under names for the store."""
        future = self.future
        bounds = {"future_offsets": future.offsets} if future else {}
        return {
            **{f"past{k}": part for k, part in enumerate(self.past.values())},
            **{f"future{k}": part for k, part in enumerate(future.columns.values())},
            **{f"static{k}": part for k, part in enumerate(self.static.values())},
            **bounds,
        }

    @classmethod
    def from_saved(cls, said: Mapping[str, Any], arrays: Mapping[str, NDArray]) -> Covariates:
        """What `described` and `arrays` gave; nothing where an older version saved."""
        past = {name: arrays[f"past{k}"] for k, name in enumerate(said.get("past", ()))}
        columns = {name: arrays[f"future{k}"] for k, name in enumerate(said.get("future", ()))}
        static = {name: arrays[f"static{k}"] for k, name in enumerate(said.get("static", ()))}
        levels, own = (
            {name: tuple(texts) for name, texts in said.get(key, {}).items()}
            for key in ("levels", "static_levels")
        )
        apart = bool(said.get("apart", False))
        future = Future(columns, arrays["future_offsets"], levels, apart) if columns else Future()
        return cls(past, future, static, own)

    def require_sound(self, series: int) -> None:
        """ValueError where columns of a saved model do not fit so many series."""
        for name, values in self.static.items():
            if values.shape != (series,) or values.dtype.kind != "f":
                raise ValueError(f"the static column {name!r} is of other series")
        if not self.future:
            return
        offsets = self.future.offsets
        fits = offsets.shape == (series + 1,) and offsets.dtype.kind in "iu" and offsets[0] == 0
        if not fits or (np.diff(offsets) < 0).any():
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
        known = np.ones(len(counts), bool)
        for name in names:
            before_N = np.r_[0, np.cumsum(np.isfinite(self.past[name]))]
            known &= before_N[offsets[:-1] + counts] > before_N[offsets[:-1]]
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
    return " and ".join(filter(None, (", ".join(quoted[:-1]), quoted[-1])))


Given = Mapping[str, Mapping[str, ArrayLike] | ArrayLike]  # columns, as people give them


def covariates_from_arrays(
    past: Given | None,
    future: Given | None,
    static: Given | None,
    rows: NDArray,
    lengths: NDArray,
) -> Covariates:
    """Covariates of series that are already on a grid.

    Args:
        past: {name: {id: values}}, {name: values} that all series share, or {name: (S, T) values}.
        future: the same, with values of coming steps after those of the series; texts are
            categories.
        static: {name: {id: value}}, or {name: values} of all series in their order.
        rows: id of each series (S,), without the name of its target.
        lengths: of each series (S,).

    Raises:
        UsageError: they are no mapping of names.
        DataError: they have other lengths than the series, or are no numbers.
    """
    beside = {
        name: np.concatenate([np.zeros(0), *parts])
        for name, parts in _parts(past, "past", rows, lengths).items()
    }
    constant, levels = _static(static, rows)
    return Covariates(beside, _future(_parts(future, "future", rows, lengths)), constant, levels)


def _static(
    given: Given | None, rows: NDArray
) -> tuple[dict[str, NDArray], dict[str, tuple[str, ...]]]:
    """Columns that do not change, (S,) each, and the names of their categories."""
    columns, levels = {}, {}
    for name, one in (_mapping(given, "static") if given is not None else {}).items():
        if isinstance(one, Mapping):
            by_id = {str(key): value for key, value in one.items()}
            one = [by_id.get(str(row), np.nan) for row in rows.tolist()]
        values = _numbers(one, "static", name)
        if values.shape != rows.shape:
            raise DataError(
                f"static column {name!r} has the shape {values.shape}, and there are {len(rows)} "
                "series. One value for each series is expected."
            )
        if values.dtype.kind == "O":
            (values,), levels[name] = coded([values])
        columns[name] = _finite(values)
    return columns, levels


def _future(parts: Mapping[str, list[NDArray]]) -> Future:
    """Columns that are known in advance, from those of each series: all as long as the longest of
    the series, NaN where nothing is known."""
    if not parts:
        return Future()
    lengths_S = np.max([[len(part) for part in each] for each in parts.values()], axis=0)
    columns, levels = {}, {}
    for name, each in parts.items():
        if any(part.dtype.kind == "O" for part in each):
            each, levels[name] = coded(each)
        joined = np.full(int(lengths_S.sum()), np.nan)
        for part, begin in zip(each, offsets_of(lengths_S)[:-1].tolist(), strict=True):
            joined[begin : begin + len(part)] = part
        columns[name] = joined
    return Future(columns, offsets_of(lengths_S), levels)


def coded(parts: Iterable[NDArray]) -> tuple[list[NDArray], tuple[str, ...]]:
    """Texts as numbers 0, 1, … of their categories, in the order of the alphabet; NaN where there
    is none.

    >>> coded([np.array(["b", "a", ""], object)])
    ([array([ 1.,  0., nan])], ('a', 'b'))
    """
    texts = [[_text(cell) for cell in part.tolist()] for part in parts]
    levels = sorted({text for each in texts for text in each if text})
    numbers = {text: float(place) for place, text in enumerate(levels)}
    return [np.array([numbers.get(text, np.nan) for text in each]) for each in texts], tuple(levels)


def recoded(values: NDArray, levels: tuple[str, ...] | None, union: tuple[str, ...]) -> NDArray:
    """Codes of some categories as codes of more of them; numbers, which have no levels, as the
    codes of the categories that are written like them.

    >>> recoded(np.array([0.0, np.nan]), ("b",), ("a", "b"))
    array([ 1., nan])
    """
    if levels == union or not union or not len(values):
        return values
    if levels is None:
        distinct, inverse = np.unique(values, return_inverse=True)
        levels, values = tuple(number_text(number) for number in distinct), inverse.astype(float)
    places = np.array([float(union.index(text)) if text else np.nan for text in levels] + [np.nan])
    return places[np.where(np.isnan(values), len(levels), values).astype(np.int64)]


def number_text(number: float) -> str:
    """A number as a file writes it; nothing for a missing one.

    >>> number_text(0.0), number_text(np.nan)
    ('0', '')
    """
    return "" if np.isnan(number) else f"{number:.15g}"


def continued_future(ours: Future, theirs: Future, places: NDArray, steps: NDArray) -> Future:
    """What is known in advance of series that go on with newer data, (S,): the newer word counts,
    and a missing one erases none.

    places (S,): of the remembered series, −1 for none · steps (S,): of the joined series, at which
    the newer data begin.
    """
    newer = theirs.offsets if theirs else np.zeros(len(places) + 1, np.int64)
    own = np.append(ours.lengths, 0) if ours else np.zeros(1, np.int64)
    own = own[places if ours else np.zeros(len(places), np.int64)]
    lengths = np.maximum(own, np.where(np.diff(newer) > 0, steps + np.diff(newer), 0))
    offsets = offsets_of(np.maximum(lengths, 0))
    columns, levels = {}, {}
    for name in dict.fromkeys([*ours.columns, *theirs.columns]):
        union = tuple(dict.fromkeys([*ours.levels.get(name, ()), *theirs.levels.get(name, ())]))
        levels |= {name: union} if union else {}
        joined = np.full(offsets[-1], np.nan)
        if name in ours.columns:
            chosen, _ = segments(ours.offsets, np.maximum(places, 0), 0, own)
            old = recoded(ours.columns[name], ours.levels.get(name), union)[chosen]
            joined[spread(offsets[:-1], offsets_of(own)) + steps_of(offsets_of(own))] = old
        if name in theirs.columns:
            new = recoded(theirs.columns[name], theirs.levels.get(name), union)
            at = spread(steps, newer) + steps_of(newer)
            kept = (at >= 0) & ~np.isnan(new)
            joined[(spread(offsets[:-1], newer) + at)[kept]] = new[kept]
        columns[name] = joined
    apart = ours.apart or theirs.apart
    return Future(columns, offsets, levels, apart) if columns else Future()


def continued_static(
    ours: Covariates, theirs: Covariates, places: NDArray
) -> tuple[dict[str, NDArray], dict[str, tuple[str, ...]]]:
    """What does not change in series that go on with newer data, and the names of categories: the
    newer word counts, and a missing one erases none. places (S,): of the remembered series, −1 for
    none."""
    columns, levels = {}, {}
    for name in dict.fromkeys([*ours.static, *theirs.static]):
        known = ours.static_levels.get(name), theirs.static_levels.get(name)
        union = tuple(dict.fromkeys([*(known[0] or ()), *(known[1] or ())]))
        levels |= {name: union} if union else {}
        unknown = np.full(len(places), np.nan)
        old = recoded(ours.static[name], known[0], union) if name in ours.static else unknown[:0]
        new = recoded(theirs.static[name], known[1], union) if name in theirs.static else unknown
        remembered = np.append(old, np.nan)[np.where(places < 0, len(old), places)]
        columns[name] = np.where(np.isnan(new), remembered, new)
    return columns, levels


def joined_futures(first: Future, second: Future, counts: tuple[int, int]) -> Future:
    """What is known in advance of series of two panels with so many series, one after the other."""
    places = np.r_[np.arange(counts[0]), np.full(counts[1], -1)]
    if second:
        begin = np.zeros(counts[0] + 1, np.int64)
        second = replace(second, offsets=np.r_[begin[:-1], second.offsets])
    if first and len(first.offsets) != counts[0] + 1:
        raise ValueError("what is known in advance is of other series")
    return continued_future(first, second, places, np.zeros(len(places), np.int64))


def _text(cell: object) -> str:
    """A cell of a column of categories; nothing for a missing one."""
    return "" if cell is None or cell != cell else str(cell).strip()


def _parts(
    given: Given | None, role: str, rows: NDArray, lengths: NDArray
) -> dict[str, list[NDArray]]:
    """The values of each series, by the name of the column."""
    if given is None:
        return {}
    named = _mapping(given, role)
    return {name: _column(role, name, one, rows, lengths) for name, one in named.items()}


def _mapping(given: object, role: str) -> dict[str, Any]:
    if not isinstance(given, Mapping):
        raise UsageError(
            f"{role}={given!r} does not name columns. Give {{name: values}}, the values in the "
            "form that the target has."
        )
    return {str(name): one for name, one in given.items()}


def _column(
    role: str,
    name: str,
    given: Mapping[str, ArrayLike] | ArrayLike,
    rows: NDArray,
    lengths: NDArray,
) -> list[NDArray]:
    """One covariate of each series."""
    if isinstance(given, Mapping):
        by_id = {str(key): array for key, array in given.items()}
        absent = [row for row in rows.tolist() if row not in by_id]
        if absent:
            raise DataError(
                f"{role} column {name!r} has no values of series {absent[0]!r}. Give them for "
                "every series; nan stands for a missing value."
            )
        parts = [_numbers(by_id[row], role, name) for row in rows.tolist()]
    else:
        array = _numbers(given, role, name)
        parts = list(array) if array.ndim == 2 and len(array) == len(rows) else [array] * len(rows)
    for part, row, length in zip(parts, rows, lengths, strict=True):
        enough = part.ndim == 1 and len(part) >= length if role == "future" else False
        if not enough and part.shape != (length,):
            more = ", and those of coming steps after them" if role == "future" else ""
            raise DataError(
                f"{role} column {name!r} has the shape {part.shape} for series {str(row)!r}, which "
                f"has {length} values. One value for each of the target's is expected{more}."
            )
    return [_finite(part) for part in parts]


def _finite(part: NDArray) -> NDArray:
    if part.dtype.kind == "O":
        return part
    return np.where(np.isinf(part), np.nan, part)


def _numbers(array: ArrayLike, role: str, name: str) -> NDArray:
    """As numbers; texts of what is known in advance as they are, which are categories."""
    given = np.asarray(array)
    if role != "past" and given.dtype.kind in "OUT" and _has_texts(given):
        return given.astype(object)
    try:
        return np.asarray(array, np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(
            f"{role} column {name!r} cannot be read as numbers ({error}). Write categories as "
            "numbers; nan stands for a missing value."
        ) from None


def _has_texts(given: NDArray) -> bool:
    return any(isinstance(cell, str) for cell in given.ravel().tolist())
