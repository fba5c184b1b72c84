"""Totals of forecasts: over months, quarters, years or the whole horizon, and over series.

A bound of a sum is not the sum of bounds: errors cancel as far as they do not hang together. So
totals are quantiles of sums of sample paths (`paths.py`). Their middle is the median of the sums,
which is near the sum of the medians where distributions are symmetric, and above it for values
that are mostly 0.

    O origins · H horizon · N paths · P periods of an origin · R rows · Q quantiles
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lstmcast.data.frequency import parse_frequency
from lstmcast.data.keys import column_name
from lstmcast.data.table import format_time
from lstmcast.errors import UsageError
from lstmcast.paths import PATHS, Dependence, Sampler
from lstmcast.util.lines import aligned
from lstmcast.util.objects import objects
from lstmcast.util.text import number_format
from lstmcast.writing.result import ResultTable

if TYPE_CHECKING:
    from lstmcast.data.frequency import Frequency
    from lstmcast.forecast import Forecast

# beside "step" and "horizon"
SPANS = {"day": "D", "week": "W-MON", "month": "MS", "quarter": "QS", "year": "YS"}
WHOLE, STEP, EVERYTHING = "horizon", "step", "all"
NOWHERE = -(1 << 62)  # the period of steps that are not wanted
LEAST_SERVICE, MOST_SERVICE = 50.0, 99.5  # percent: beyond, a thousand paths say little
SHOWN_ROWS = 24  # in a notebook or a terminal
COUNTED_TWICE = (
    "These series hold their totals already, as rows that say 'all': sums over series would count "
    "them twice. Leave --total-by (by=) out, or select those rows."
)


@dataclass(frozen=True, eq=False)
class Totals(ResultTable):
    """Sums of forecasts: a row for each period of each series or group of series.

    >>> import lstmcast as lc
    >>> panel = lc.Panel.from_arrays({"a": [5.0] * 24, "b": [7.0] * 24}, frequency="MS",
    ...                              start="2022-01")
    >>> totals = lc.LSTMForecaster(6).predict(panel).total("quarter", by="all")
    >>> totals.total.round().tolist(), totals.steps.tolist(), totals.complete.tolist()
    ([36.0, 36.0], [6, 6], [True, True])
    """

    span: str  # what is summed over: "step", "day", "week", "month", "quarter", "year" or "horizon"
    names: dict[str, NDArray]  # columns that say which series or group (R,); none for everything
    times: NDArray  # (R,) when the period begins; the first step of a step or the horizon
    series: NDArray  # (R,) how many series are summed
    steps: NDArray  # (R,) how many of their steps
    complete: NDArray  # (R,) whether all steps of the period are in it
    total: NDArray  # (R,)
    quantiles: NDArray  # (R, Q)
    quantile_levels: tuple[float, ...]
    frame_kind: str = field(default="arrays", repr=False)
    order: NDArray | None = None  # (R,) what is enough at the service level
    service_level: float | None = None  # in percent

    def __len__(self) -> int:
        return len(self.total)

    def columns_dict(self) -> dict[str, NDArray]:
        """The table as equally long columns: names, ds, series, steps, complete, total, quantiles,
        and order where there is a service level."""
        columns = {
            **self.names,
            "ds": self.times,
            "series": self.series,
            "steps": self.steps,
            "complete": self.complete,
            "total": self.total,
        }
        levels = enumerate(self.quantile_levels)
        columns |= {f"q{level:g}": self.quantiles[:, i] for i, level in levels}
        return columns if self.order is None else columns | {"order": self.order}

    @property
    def data_kind(self) -> str:
        """The kind of the data, which frames mirror."""
        return self.frame_kind

    def rows(self, most: int = SHOWN_ROWS) -> list[list[str]]:
        """The first rows as texts, the header first."""
        levels = self.quantile_levels
        # what is the same in every row names nothing
        names = {n: column for n, column in self.names.items() if len(set(column.tolist())) > 1}
        pairs = [(i, len(levels) - 1 - i) for i in reversed(range(len(levels) // 2))]
        heads = [f"{100 * (levels[high] - levels[low]):g}% interval" for low, high in pairs]
        ordered = [] if self.order is None else [f"enough for {self.service_level:g}%"]
        result = [[*names, self.span, "total", *heads, *ordered]]
        for r in range(min(len(self), most)):
            write = number_format(self.quantiles[r])
            bounds = [
                f"{write(self.quantiles[r, low])} … {write(self.quantiles[r, high])}"
                for low, high in pairs
            ]
            cells = [str(column[r]) for column in names.values()]
            enough = [] if self.order is None else [write(self.order[r])]
            result.append([*cells, self._period(r), write(self.total[r]), *bounds, *enough])
        return result

    def _period(self, row: int) -> str:
        """What a period is called, and how much of it is there where that is not all."""
        text = format_time(self.times[row])
        if self.complete[row]:
            return text
        each = int(self.steps[row] // max(1, self.series[row]))
        return f"{text} ({each} step{'s' * (each != 1)} of it)"

    def __str__(self) -> str:
        header, *rows = self.rows()
        beyond = len(self) - len(rows)
        more = f"\n… {beyond:,} more rows" if beyond else ""
        return aligned(header, rows, left_aligned=[*self.names, self.span]) + more

    def __repr__(self) -> str:
        """What it is, and its first rows."""
        count = len(self)
        return f"Totals(over each {self.span}, {count:,} row{'s' * (count != 1)})\n{self}"


@dataclass(frozen=True)
class Asked:
    """Which totals are wanted: over what of time, and over which series; what is enough in so many
    percent of cases; and of how many steps, all unless given."""

    span: str = STEP
    by: tuple[str, ...] = ()
    service_level: float | None = None
    lead_time: int | None = None

    def __post_init__(self) -> None:
        level, steps = self.service_level, self.lead_time
        if level is not None and not LEAST_SERVICE <= level <= MOST_SERVICE:
            raise UsageError(
                f"a service level of {level:g}% cannot be measured. Give percents from "
                f"{LEAST_SERVICE:g} to {MOST_SERVICE:g}, such as 95."
            )
        if steps is not None and steps < 1:
            raise UsageError(f"a lead time of {steps} steps is none. Give 1 or more.")

    def require_ahead(self, horizon: int) -> None:
        """UsageError for a lead time that is longer than what is forecast."""
        if self.lead_time is not None and self.lead_time > horizon:
            raise UsageError(
                f"the lead time is {self.lead_time} steps, and {horizon} are forecast. Forecast "
                f"{self.lead_time} steps or more (--horizon {self.lead_time})."
            )

    def require_possible(
        self, names: Collection[str], dated: bool, frequency: Frequency | None
    ) -> None:
        """UsageError where series with columns of these names have no such totals."""
        if self.span not in (STEP, *SPANS, WHOLE):
            known = ", ".join(map(repr, (STEP, *SPANS, WHOLE)))
            raise UsageError(f"{self.span!r} is no span of time. Use one of: {known}.")
        if self.span in SPANS and not dated:
            raise UsageError(
                f"a total over each {self.span} needs dates, and these steps are numbered. Use "
                "'horizon', or give the data a frequency and a start."
            )
        if self.span in SPANS:
            _require_finer(frequency, self.span)
        for name in self.by:
            everything = self.by == (EVERYTHING,)
            if not everything and column_name(name) not in names:
                raise UsageError(
                    f"{name!r} is not a column that names series. There are: "
                    f"{', '.join(map(repr, names))}; 'all' sums everything. Other columns of the "
                    "data name series where they are given as such (--series, series=)."
                )


def total_of(forecast: Forecast, asked: Asked, count: int = PATHS) -> Totals:
    """See `Forecast.total`."""
    _require_usable(forecast, asked.by)
    span = asked.span
    asked.require_possible(
        forecast.keys.columns(forecast.ids), forecast.times.dtype.kind == "M", forecast.frequency
    )
    asked.require_ahead(forecast.horizon)
    groups, names = _groups(forecast, asked.by)
    bins_OH, start_of = _bins(forecast, span)
    near_H = np.arange(forecast.horizon) < (asked.lead_time or forecast.horizon)
    bins_OH = np.where(forecast.wanted & near_H, bins_OH, NOWHERE)
    complete_OH = _complete(forecast, span, bins_OH)
    draws = draws_of(forecast, count)
    rows: list[tuple[Any, ...]] = []
    quantiles: list[NDArray] = []
    orders: list[float] = []
    for place, group in enumerate(groups):
        sums = _sums(draws, group, bins_OH)
        for one, drawn_N in sums.items():
            inside_OH = bins_OH[group] == one
            whole = bool(complete_OH[group][inside_OH].all())
            there = int(inside_OH.any(axis=1).sum())
            rows.append((place, start_of(one, group), there, int(inside_OH.sum()), whole))
            quantiles.append(np.quantile(drawn_N, (*forecast.quantile_levels, 0.5)))
            orders.append(_enough(forecast, group, drawn_N, asked.service_level))
    places, times, series, steps, complete = zip(*rows, strict=True)
    quantiles_RQ = np.stack(quantiles)
    return Totals(
        span=span,
        names={name: column[list(places)] for name, column in names.items()},
        times=np.array(times, forecast.times.dtype),
        series=np.array(series),
        steps=np.array(steps),
        complete=np.array(complete),
        total=quantiles_RQ[:, -1],
        quantiles=quantiles_RQ[:, :-1],
        quantile_levels=forecast.quantile_levels,
        frame_kind=forecast.frame_kind,
        order=None if asked.service_level is None else np.array(orders),
        service_level=asked.service_level,
    )


def _enough(
    forecast: Forecast, group: NDArray, drawn_N: NDArray, service_level: float | None
) -> float:
    """What is at least as much as the sum in so many percent of draws, never less than nothing; a
    whole number where values are counts."""
    if service_level is None:
        return np.nan
    enough = max(float(np.quantile(drawn_N, service_level / 100)), 0.0)
    return float(np.ceil(enough - 1e-9)) if forecast.counts[group].all() else enough


def _require_intervals(forecast: Forecast) -> None:
    levels = forecast.quantile_levels
    if not levels or levels[0] >= 0.5 or levels[-1] <= 0.5:
        raise UsageError(
            "Totals are made of intervals, and the forecast has none. Ask for quantiles below and "
            "above 0.5, for example quantiles=(0.1, 0.5, 0.9)."
        )


def _require_usable(forecast: Forecast, by: tuple[str, ...]) -> None:
    _require_intervals(forecast)
    if by and forecast.joint is not None:
        raise UsageError(COUNTED_TWICE)
    if len(set(forecast.ids)) < len(forecast.ids):
        raise UsageError(
            "Totals are sums over series, and this forecast has several cutoffs of each. Choose "
            "one by at(cutoff)."
        )


def _groups(forecast: Forecast, by: tuple[str, ...]) -> tuple[list[NDArray], dict[str, NDArray]]:
    """Which origins are summed, and the columns that name each sum."""
    every = np.arange(len(forecast.ids))
    keys = forecast.keys.columns(forecast.ids)
    if not by:
        return [every[o : o + 1] for o in every], keys
    if by == (EVERYTHING,) and EVERYTHING not in keys:
        return [every], {}
    columns = [keys[column_name(name)] for name in by]
    rows = objects(zip(*(column.tolist() for column in columns), strict=True))
    firsts: dict[Any, int] = {}
    place_O = np.array([firsts.setdefault(row, len(firsts)) for row in rows])
    groups = [every[place_O == place] for place in range(len(firsts))]
    first = np.array([group[0] for group in groups])
    named = dict(zip(map(column_name, by), columns, strict=True))
    return groups, {name: column[first] for name, column in named.items()}


def _bins(forecast: Forecast, span: str) -> tuple[NDArray, Any]:
    """The number of the period that each step falls into (O, H), and when a period begins."""
    times = forecast.times

    def first_of(one: int, group: NDArray) -> Any:
        return times[group][bins_OH[group] == one].min()

    if span == WHOLE:
        bins_OH = np.zeros(times.shape, np.int64)
        return bins_OH, first_of
    if span == STEP:
        bins_OH = np.unique(times, return_inverse=True)[1].reshape(times.shape)
        return bins_OH, first_of
    calendar = parse_frequency(SPANS[span])
    bins_OH = calendar.bins(times.ravel()).reshape(times.shape)
    return bins_OH, lambda one, _: calendar.bin_starts(np.array([one]))[0]


def _require_finer(frequency: Frequency | None, span: str) -> None:
    """UsageError where a step is longer than the period that is to be summed."""
    order = ["hour", "day", "business day", "week", "month", "quarter", "year"]
    if frequency is None or frequency.unit not in order:
        return
    months = {"month": 1, "quarter": 3, "year": 12}
    longer = order.index(frequency.unit) > order.index(span)
    if frequency.unit in months and span in months:
        longer = frequency.every * months[frequency.unit] > months[span]
    if longer:
        raise UsageError(
            f"a total over each {span} is not possible: a step of these data is longer "
            f"({frequency.name}). Use a longer span, or 'horizon'."
        )


def _complete(forecast: Forecast, span: str, bins_OH: NDArray) -> NDArray:
    """Whether the period of each step is forecast from its first step to its last (O, H)."""
    if span in (STEP, WHOLE) or forecast.frequency is None:
        return np.ones(bins_OH.shape, bool)
    calendar = parse_frequency(SPANS[span])
    after = forecast.frequency.advance(forecast.times[:, -1], 1)
    before_O, after_O = calendar.bins(forecast.cutoffs), calendar.bins(after)
    cut_OH = (bins_OH == before_O[:, None]) | (bins_OH == after_O[:, None])
    return ~cut_OH


def _sums(draws: Callable[[int], NDArray], group: NDArray, bins_OH: NDArray) -> dict[int, NDArray]:
    """Draws of the sum (N,) of each period over the series of a group, in the order of time."""
    sums: dict[int, NDArray] = {}
    for o in group:
        paths_NH = draws(o)
        for one in set(bins_OH[o].tolist()) - {NOWHERE}:
            drawn_N = paths_NH[:, bins_OH[o] == one].sum(axis=1)
            sums[one] = sums[one] + drawn_N if one in sums else drawn_N
    return dict(sorted(sums.items()))


def draws_of(forecast: Forecast, count: int, seed: int = 0) -> Callable[[int], NDArray]:
    """What gives the sample paths (N, H) of an origin."""
    _require_intervals(forecast)
    if forecast.joint is not None:
        return forecast.joint.draw(count, seed).__getitem__
    dependence = forecast.dependence or Dependence.usual(len(forecast.ids))
    sampler = Sampler(forecast.horizon, count, seed)

    def paths(origin: int) -> NDArray:
        levels, name = forecast.quantile_levels, str(forecast.ids[origin])
        quantiles_HQ = forecast.quantiles[origin]
        paths_NH = sampler.paths(quantiles_HQ, levels, dependence, origin, name)
        stops = forecast.stops is not None and forecast.stops[origin]
        return np.maximum(paths_NH, 0.0) if stops else paths_NH

    return paths
