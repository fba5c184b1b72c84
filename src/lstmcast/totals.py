"""Totals of forecasts: over months, quarters, years or the whole horizon, and over series.

The bound of a sum is not the sum of bounds: uncorrelated errors cancel. Totals are therefore
quantiles of sums of sample paths (`paths.py`), of counts the nearest whole numbers. Their point is
the median of the sums, which is near the sum of the medians for symmetric distributions, and above
it for values that are mostly 0.

    O origins · H horizon · N paths · P periods of an origin · R rows · Q quantiles
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.data.keys import column_name, refusal_of_key
from lstmcast.data.table import format_time
from lstmcast.data.times.frequency import parse_frequency
from lstmcast.data.wholes import made_of_wholes
from lstmcast.errors import UsageError
from lstmcast.paths import PATHS, draws_of, of_sum, require_intervals
from lstmcast.util.lines import aligned
from lstmcast.util.text import counted, number_format
from lstmcast.writing.result import ResultTable

if TYPE_CHECKING:
    from lstmcast.data.times.frequency import Frequency
    from lstmcast.forecast import Forecast

# besides "step" and "horizon"
# weeks from Monday to Sunday, the day on which they end
SPANS = {"day": "D", "week": "W-SUN", "month": "MS", "quarter": "QS", "year": "YS"}
WHOLE, STEP, EVERYTHING = "horizon", "step", "all"
NOWHERE = -(1 << 62)  # the period of steps that are left out
# percent: beyond these, a thousand paths are too few
LEAST_SERVICE, MOST_SERVICE = 50.0, 99.5
SHOWN_ROWS = 24  # rows displayed in a notebook or a terminal
COUNTED_TWICE = (
    "These series already include their totals, in rows marked 'all': sums over series would "
    "count values twice. Leave out --total-by, or select those rows."
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

    # what is summed over: "step", "day", "week", "month", "quarter", "year" or "horizon"
    span: str
    names: dict[
        str, NDArray
    ]  # columns that name the series or group (R,); none if everything is summed
    times: NDArray  # (R,) start of the period; for "step" and "horizon" the first step
    series: NDArray  # (R,) how many series are summed
    steps: NDArray  # (R,) how many of their steps
    complete: NDArray  # (R,) whether all steps of the period are in it
    total: NDArray  # (R,)
    quantiles: NDArray  # (R, Q)
    quantile_levels: tuple[float, ...]
    frame_kind: str = field(default="arrays", repr=False)
    order: NDArray | None = None  # (R,) the stock that is enough at the service level
    service_level: float | None = None  # in percent

    def __len__(self) -> int:
        return len(self.total)

    def columns_dict(self) -> dict[str, NDArray]:
        """The table as columns: names, ds, series, steps, complete, total, quantiles, and perhaps
        order.

        The column order exists if there is a service level.
        """
        columns = {
            **self.names,
            "ds": self.times,
            "series": self.series,
            "steps": self.steps,
            "complete": self.complete,
            "total": self.total,
        }
        for place, level in enumerate(self.quantile_levels):
            columns[f"q{level:g}"] = self.quantiles[:, place]
        if self.order is not None:
            columns["order"] = self.order
        return columns

    @property
    def data_kind(self) -> str:
        """The kind of the data, which frames mirror."""
        return self.frame_kind

    def rows(self, most: int = SHOWN_ROWS) -> list[list[str]]:
        """The first rows as text, the header first."""
        # a column with one value names nothing
        names = [
            name for name, column in self.names.items() if len(set(column.tolist())) > 1
        ]
        header = [*names, self.span, "total"]
        for low, high in pairs_of_bounds(self.quantile_levels):
            header.append(f"{100 * (high - low):g}% interval")
        if self.order is not None:
            header.append(f"enough for {self.service_level:g}%")
        rows = [self._row(row, names) for row in range(min(len(self), most))]
        return [header, *rows]

    def _row(self, row: int, names: Sequence[str]) -> list[str]:
        """A row as text, with these columns of names."""
        # what is enough of counts is whole
        is_whole = self.order is not None and float(self.order[row]).is_integer()
        write = number_format(self.quantiles[row], counts=is_whole)
        cells = [str(self.names[name][row]) for name in names]
        cells += [self._period(row), write(self.total[row])]
        for low, high in pairs_of_bounds(self.quantiles[row]):
            cells.append(f"{write(low)} … {write(high)}")
        if self.order is not None:
            write_order = "{:,.0f}".format if is_whole else write
            cells.append(write_order(self.order[row]))
        return cells

    def _period(self, row: int) -> str:
        """The name of a period, and how much of it is forecast if not all."""
        text = format_time(self.times[row])
        if self.complete[row]:
            return text
        step_count = int(self.steps[row] // max(1, self.series[row]))
        noun = "step" if step_count == 1 else "steps"
        return f"{text} ({step_count} {noun} of it)"

    def __str__(self) -> str:
        header, *rows = self.rows()
        text = aligned(header, rows, left_aligned=[*self.names, self.span])
        beyond = len(self) - len(rows)
        return f"{text}\n… {beyond:,} more rows" if beyond else text

    def __repr__(self) -> str:
        """What it is, and its first rows."""
        count = len(self)
        return f"Totals(over each {self.span}, {counted(count, 'row')})\n{self}"


def pairs_of_bounds(levels: Sequence[float] | NDArray) -> list[tuple[float, float]]:
    """The lower and upper bounds of intervals, narrow ones first."""
    half = len(levels) // 2
    pairs = list(zip(levels[:half], levels[::-1], strict=False))
    return pairs[::-1]


@dataclass(frozen=True)
class Asked:
    """The requested totals: time span, series, service level in percent, and number of steps."""

    span: str = STEP
    by: tuple[str, ...] = ()
    service_level: float | None = None
    lead_time: int | None = None

    def __post_init__(self) -> None:
        level = self.service_level
        steps = self.lead_time
        if level is not None and not LEAST_SERVICE <= level <= MOST_SERVICE:
            raise UsageError(
                f"a service level of {level:g}% cannot be measured. Give a percentage from "
                f"{LEAST_SERVICE:g} to {MOST_SERVICE:g}, such as 95."
            )
        if steps is not None and steps < 1:
            raise UsageError(f"the lead time must be at least 1 step, got {steps}.")

    def require_ahead(self, horizon: int) -> None:
        """Raise UsageError for a lead time longer than the horizon."""
        if self.lead_time is not None and self.lead_time > horizon:
            raise UsageError(
                f"the lead time is {self.lead_time} steps, but only {horizon} are forecast. "
                f"Forecast at least that far: --horizon {self.lead_time}."
            )

    def require_possible(
        self, names: Collection[str], dated: bool, frequency: Frequency | None
    ) -> None:
        """Raise UsageError for totals that series with these id columns do not have."""
        spans = (STEP, *SPANS, WHOLE)
        if self.span not in spans:
            choices = ", ".join(map(repr, spans))
            raise UsageError(
                f"{self.span!r} is not a time span. Use one of: {choices}."
            )
        if self.span in SPANS and not dated:
            raise UsageError(
                f"a total over each {self.span} needs dates, but these steps are numbered. Use "
                "'horizon', or give the data a frequency and a start."
            )
        if self.span in SPANS:
            _require_finer(frequency, self.span)
        if self.by == (EVERYTHING,):
            return
        for name in self.by:
            if name == EVERYTHING:
                raise UsageError(
                    "'all' sums everything, so it stands alone. Leave it out, or leave out the "
                    "other columns of --total-by."
                )
            if column_name(name) not in names:
                raise UsageError(refusal_of_key(name, names))


def total_of(forecast: Forecast, request: Asked, count: int = PATHS) -> Totals:
    """See `Forecast.total`."""
    _require_usable(forecast, request.by)
    has_dates = forecast.times.dtype.kind == "M"
    key_columns = forecast.keys.columns(forecast.ids)
    request.require_possible(key_columns, has_dates, forecast.frequency)
    request.require_ahead(forecast.horizon)
    groups, names = _groups(forecast, request.by)
    bins_OH, start_of = _bins(forecast, request.span)
    lead_time = request.lead_time or forecast.horizon
    is_near_H = np.arange(forecast.horizon) < lead_time
    bins_OH = np.where(forecast.wanted & is_near_H, bins_OH, NOWHERE)
    complete_OH = _complete(forecast, request.span, bins_OH)
    draws = draws_of(forecast, count)
    is_whole_O = made_of_wholes(forecast.quantiles, forecast.fractional)
    rows: list[_Row] = []
    for place, group in enumerate(groups):
        for period, drawn_N in _sums(draws, group, bins_OH).items():
            is_inside_OH = bins_OH[group] == period
            is_whole = bool(is_whole_O[group].all())
            row = _Row(
                group=place,
                time=start_of(period, group),
                series=int(is_inside_OH.any(axis=1).sum()),
                steps=int(is_inside_OH.sum()),
                is_complete=bool(complete_OH[group][is_inside_OH].all()),
                quantiles=of_sum(forecast, group, is_inside_OH, drawn_N, is_whole),
                order=_enough(forecast, group, drawn_N, request.service_level),
            )
            rows.append(row)
    return _totals(forecast, request, names, rows)


class _Row(NamedTuple):
    """One sum: its group and the fields of `Totals`; the median is the last of `quantiles`."""

    group: int
    time: Any
    series: int
    steps: int
    is_complete: bool
    quantiles: NDArray
    order: float


def _totals(
    forecast: Forecast, request: Asked, names: dict[str, NDArray], rows: Sequence[_Row]
) -> Totals:
    groups, times, series, steps, is_complete, quantiles, orders = zip(
        *rows, strict=True
    )
    quantiles_RQ = np.stack(quantiles)
    order_R = None if request.service_level is None else np.array(orders)
    return Totals(
        span=request.span,
        names={name: column[list(groups)] for name, column in names.items()},
        times=np.array(times, forecast.times.dtype),
        series=np.array(series),
        steps=np.array(steps),
        complete=np.array(is_complete),
        total=quantiles_RQ[:, -1],
        quantiles=quantiles_RQ[:, :-1],
        quantile_levels=forecast.quantile_levels,
        frame_kind=forecast.frame_kind,
        order=order_R,
        service_level=request.service_level,
    )


def _enough(
    forecast: Forecast, group: NDArray, drawn_N: NDArray, service_level: float | None
) -> float:
    """The amount that covers the sum in this percentage of draws.

    It is at least 0, and a whole number for counts.
    """
    if service_level is None:
        return np.nan
    quantile = float(np.quantile(drawn_N, service_level / 100))
    enough = max(quantile, 0.0)
    if forecast.counts[group].all():
        enough = float(np.ceil(enough - 1e-9))
    return enough


def _require_usable(forecast: Forecast, by: tuple[str, ...]) -> None:
    require_intervals(forecast)
    if by and forecast.joint is not None:
        raise UsageError(COUNTED_TWICE)
    if len(set(forecast.ids)) < len(forecast.ids):
        raise UsageError(
            "Totals are sums over series, and this forecast has several cutoffs per series. "
            "Choose one with at(cutoff)."
        )


def _groups(
    forecast: Forecast, by: tuple[str, ...]
) -> tuple[list[NDArray], dict[str, NDArray]]:
    """The origins of each sum, and the columns that name the sums."""
    origins = np.arange(len(forecast.ids))
    keys = forecast.keys.columns(forecast.ids)
    if not by:
        return [origins[origin : origin + 1] for origin in origins], keys
    if by == (EVERYTHING,) and EVERYTHING not in keys:
        return [origins], {}
    key_columns = {column_name(name): keys[column_name(name)] for name in by}
    cells = [column.tolist() for column in key_columns.values()]
    members: dict[Any, list[int]] = {}
    for origin, key in enumerate(zip(*cells, strict=True)):
        members.setdefault(key, []).append(origin)
    groups = [np.array(group) for group in members.values()]
    first = [group[0] for group in members.values()]
    return groups, {name: column[first] for name, column in key_columns.items()}


def _bins(forecast: Forecast, span: str) -> tuple[NDArray, Any]:
    """The period of each step (O, H), and the start of each period."""
    times = forecast.times

    def first_of(period: int, group: NDArray) -> Any:
        return times[group][bins_OH[group] == period].min()

    if span == WHOLE:
        bins_OH = np.zeros(times.shape, np.int64)
        return bins_OH, first_of
    if span == STEP:
        _, numbers = np.unique(times, return_inverse=True)
        bins_OH = numbers.reshape(times.shape)
        return bins_OH, first_of
    calendar = parse_frequency(SPANS[span])
    bins_OH = calendar.bins(times.ravel()).reshape(times.shape)

    def start_of(period: int, _: NDArray) -> Any:
        return calendar.bin_starts(np.array([period]))[0]

    return bins_OH, start_of


def _require_finer(frequency: Frequency | None, span: str) -> None:
    """Raise UsageError if a step is longer than the span."""
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
    """Whether the whole period of each step is forecast (O, H)."""
    if span in (STEP, WHOLE) or forecast.frequency is None:
        return np.ones(bins_OH.shape, bool)
    calendar = parse_frequency(SPANS[span])
    next_times = forecast.frequency.advance(forecast.times[:, -1], 1)
    before_O = calendar.bins(forecast.cutoffs)
    after_O = calendar.bins(next_times)
    cut_OH = (bins_OH == before_O[:, None]) | (bins_OH == after_O[:, None])
    return ~cut_OH


def _sums(
    draws: Callable[[int], NDArray], group: NDArray, bins_OH: NDArray
) -> dict[int, NDArray]:
    """Draws of the sum (N,) over the series of a group for each period, in time order."""
    sums: dict[int, NDArray] = {}
    for origin in group:
        paths_NH = draws(origin)
        bins_H = bins_OH[origin]
        for period in set(bins_H.tolist()) - {NOWHERE}:
            sum_N = paths_NH[:, bins_H == period].sum(axis=1)
            if period in sums:
                sum_N = sums[period] + sum_N
            sums[period] = sum_N
    return dict(sorted(sums.items()))
