"""What made series are like, beside real ones: statistics of the training parts of the data sets.

Series are read in logarithms where all values are positive, and in units of their usual change.
Printed are medians over series, for each family of frequencies: what the network is trained on
should be near what people forecast, and wider. Test parts are not looked at.

S series · T steps
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
from common import arguments, data_folder, print_table, write_result
from numpy.typing import NDArray
from sets import ALL, load

from lstmcast.data.synthetic import KINDS, Kind, synthetic

MOST = 100  # series of a set
COUNT, LENGTH = 600, 400  # made series
TINY = 1e-300
Statistic = Callable[[NDArray, int], float]


def drift(changes_T: NDArray, period: int) -> float:
    """The mean change over the spread of changes."""
    return float(abs(changes_T.mean()) / changes_T.std())


def memory(changes_T: NDArray, period: int) -> float:
    """The autocorrelation of changes from one step to the next, without their season."""
    if period > 1 and len(changes_T) >= 4 * period:
        changes_T = changes_T[period:] - changes_T[:-period]
    centred = changes_T - changes_T.mean()
    return float((centred[1:] * centred[:-1]).mean() / max(centred.var(), TINY))


def tails(changes_T: NDArray, period: int) -> float:
    """The share of changes that are more than five times the median one."""
    size = np.abs(changes_T)
    return float((size > 5 * np.median(size)).mean())


def still(changes_T: NDArray, period: int) -> float:
    """The share of steps without a change."""
    return float((changes_T == 0).mean())


def season(changes_T: NDArray, period: int) -> float:
    """The share of the variance of changes that phases of the season explain."""
    cycles = len(changes_T) // period
    if period < 2 or cycles < 3:
        return float("nan")
    cycle_KM = changes_T[-cycles * period :].reshape(cycles, period)
    between = cycle_KM.mean(axis=0).var()
    chance = cycle_KM.var() / cycles  # what noise alone would seem to explain
    return float(max(0.0, between - chance) / max(cycle_KM.var(), TINY))


STATISTICS: dict[str, Statistic] = {
    "drift": drift,
    "memory": memory,
    "tails": tails,
    "no change": still,
    "season": season,
}


def described(series: Iterable[NDArray], period: int) -> list[dict[str, float]]:
    """The statistics of each series that changes."""
    rows = []
    for values_T in series:
        positive = (values_T > 0).all()
        changes_T = np.diff(np.log(values_T) if positive else values_T)
        if len(changes_T) >= 8 and changes_T.std() > 0:
            rows.append(
                {name: of(changes_T, period) for name, of in STATISTICS.items()}
            )
    return rows


def real(name: str, data: Any) -> tuple[str, list[dict[str, float]]]:
    """The family of a set, and the statistics of its series before their test parts."""
    panel = load(name, data).validation(MOST).panel
    bounds = zip(panel.offsets[:-1], panel.offsets[1:], strict=True)
    pieces = [panel.values[first:end] for first, end in bounds]
    known = (piece[np.isfinite(piece)][-LENGTH:] for piece in pieces)
    return panel.frequency.family, described(known, panel.periods[0])


def made(kind: Kind) -> list[dict[str, float]]:
    """The statistics of series of the generator."""
    rng = np.random.default_rng(0)
    periods = kind.periods[0]
    low, high = np.log(kind.lengths)
    length = round(np.exp((low + high) / 2))
    return described(synthetic(rng, COUNT, length, kind, periods), periods[0])


def quartiles(rows: list[dict[str, float]]) -> Iterator[tuple[str, str]]:
    """The median of each statistic, and between which values half of the series lie."""
    for name in STATISTICS:
        values = np.array([row[name] for row in rows])
        known = values[np.isfinite(values)]
        if not len(known):
            yield name, ""
            continue
        low, middle, high = np.quantile(known, (0.25, 0.5, 0.75))
        yield name, f"{middle:.2f} ({low:.2f}, {high:.2f})"


def main() -> None:
    parser = arguments(__doc__ or "")
    given = parser.parse_args()
    data = data_folder(given.data)
    began = time.monotonic()
    by_family: dict[str, list[dict[str, float]]] = {}
    for name in ALL:
        family, rows = real(name, data)
        by_family.setdefault(family or "other", []).extend(rows)
    table: list[dict[str, Any]] = []
    for kind in KINDS:
        sources = {"real": by_family.get(kind.family, [])}
        sources["made"] = made(kind)
        for label, rows in sources.items():
            summary = {"family": kind.family, "series": label, "count": len(rows)}
            table.append(summary | dict(quartiles(rows)))
    print_table(table)
    if not given.dry:
        write_result("generator", __doc__, {"rows": table}, time.monotonic() - began)


if __name__ == "__main__":
    main()
