"""Covariates: columns beside the target, which a network reads and does not forecast.

They lie on the grids of the series, as the target's values do, and go with them wherever parts of
series are taken.

    N observations of all series · S series · T time · P columns
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lstmcast.errors import DataError, UsageError

logger = logging.getLogger("lstmcast")
# How covariates are reduced where the target of several rows is added up or counted: the sum of
# prices is no price, and a mean says as much as a sum to a network that reads either scaled.
_REDUCED = {"sum": "mean", "count": "mean"}


@dataclass(frozen=True, eq=False)
class Covariates:
    """Columns beside the target, by name: (N,) each, NaN = missing, one value for each of the
    target's.

    `past`: columns whose values are known until the newest observation and not beyond it, such as
    the volume that was traded beside a price.

    >>> Covariates({"volume": np.array([7.0, 9.0])}).take(np.array([1])).past
    {'volume': array([9.])}
    """

    past: Mapping[str, NDArray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for array in self.past.values():
            array.flags.writeable = False

    def __bool__(self) -> bool:
        return bool(self.past)

    def take(self, chosen: NDArray) -> Covariates:
        """Those of some observations, by number or by a mask, in that order."""
        return Covariates({name: array[chosen] for name, array in self.past.items()})

    def only(self, names: Iterable[str]) -> Covariates:
        """The columns of these names, in their order, as far as they are there."""
        return Covariates({name: self.past[name] for name in names if name in self.past})

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


def covariates_from_arrays(
    past: Mapping[str, Mapping[str, ArrayLike] | ArrayLike] | None,
    rows: NDArray,
    lengths: NDArray,
) -> Covariates:
    """Covariates of series that are already on a grid.

    Args:
        past: {name: {id: values}}, {name: values} that all series share, or {name: (S, T) values}.
        rows: id of each series (S,), without the name of its target.
        lengths: of each series (S,).

    Raises:
        UsageError: they are no mapping of names.
        DataError: they have other lengths than the series, or are no numbers.
    """
    if past is None:
        return Covariates()
    if not isinstance(past, Mapping):
        raise UsageError(
            f"past={past!r} does not name columns. Give {{name: values}}, the values in the form "
            "that the target has."
        )
    return Covariates(
        {str(name): _column(str(name), given, rows, lengths) for name, given in past.items()}
    )


def _column(
    name: str, given: Mapping[str, ArrayLike] | ArrayLike, rows: NDArray, lengths: NDArray
) -> NDArray:
    """One covariate of all series, one after the other (N,)."""
    if isinstance(given, Mapping):
        by_id = {str(key): array for key, array in given.items()}
        absent = [row for row in rows.tolist() if row not in by_id]
        if absent:
            raise DataError(
                f"past column {name!r} has no values of series {absent[0]!r}. Give them for every "
                "series; nan stands for a missing value."
            )
        parts = [_numbers(by_id[row], name) for row in rows.tolist()]
    else:
        array = _numbers(given, name)
        parts = list(array) if array.ndim == 2 and len(array) == len(rows) else [array] * len(rows)
    for part, row, length in zip(parts, rows, lengths, strict=True):
        if part.shape != (length,):
            raise DataError(
                f"past column {name!r} has the shape {part.shape} for series {str(row)!r}, which "
                f"has {length} values. One value for each of the target's is expected."
            )
    joined = np.concatenate([np.zeros(0), *parts])
    joined[np.isinf(joined)] = np.nan
    return joined


def _numbers(array: ArrayLike, name: str) -> NDArray:
    try:
        return np.asarray(array, np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(
            f"past column {name!r} cannot be read as numbers ({error}). Write categories as "
            "numbers; nan stands for a missing value."
        ) from None
