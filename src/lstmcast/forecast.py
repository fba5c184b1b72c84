"""The result of forecasting: points and quantiles at every origin, as columns, frame or file.

An origin is one series up to one cutoff. This module holds results; it does not forecast.

Shapes: S series, K cutoffs, O = S · K origins (series-major), H horizon, Q quantile levels.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from lstmcast.data.bounds import Bounds, within
from lstmcast.data.keys import Keys
from lstmcast.data.kinds import stopped
from lstmcast.data.origins import Origins, origin_times
from lstmcast.data.table import Columns, format_time
from lstmcast.data.wholes import made_whole, whole_origins
from lstmcast.errors import UsageError
from lstmcast.forecast_checks import (
    central_levels,
    checked_arrays,
    listed,
    no_cutoff,
    no_interval,
    no_quantile,
    require_levels,
    require_series,
    time_like,
)
from lstmcast.forecast_parts import NETWORK as NETWORK
from lstmcast.forecast_parts import Combination as Combination
from lstmcast.forecast_parts import Interval as Interval
from lstmcast.forecast_parts import JointPaths as JointPaths
from lstmcast.forecast_parts import KnownParts as KnownParts
from lstmcast.forecast_parts import arrays_at_steps, parts_of_origins
from lstmcast.forecast_shown import as_html, as_text
from lstmcast.forecast_table import long_table, types_of, with_components
from lstmcast.paths import PATHS, Dependence, draws_of
from lstmcast.totals import Asked, Totals, total_of
from lstmcast.writing.result import ResultTable
from lstmcast.writing.tables import ColumnTypes, frame_of

if TYPE_CHECKING:
    from lstmcast.data.panel import Panel
    from lstmcast.data.times.frequency import Frequency

# the median and the bounds of the 80% and the 95% interval
QUANTILES = (0.025, 0.1, 0.5, 0.9, 0.975)


@dataclass(frozen=True, eq=False)
class Forecast(ResultTable):
    """Point and quantile forecasts for each origin, in the units, times and ids of the data.

    >>> import numpy as np
    >>> forecast = Forecast(
    ...     ids=np.array(["a"], object), cutoffs=np.array([3]),
    ...     times=np.array([[4, 5]]), point=np.array([[7.0, 8.0]]),
    ...     quantiles=np.array([[[6.0, 8.0], [6.0, 10.0]]]), quantile_levels=(0.1, 0.9))
    >>> forecast
    Forecast(1 series, 1 origin, horizon 2, quantiles 0.1 0.9)
    ds  forecast   80% interval
     4     7.000   6.000 … 8.000
     5     8.000  6.000 … 10.000
    >>> forecast.interval(80).upper
    array([[ 8., 10.]])
    >>> list(forecast.columns_dict())
    ['unique_id', 'ds', 'step', 'forecast', 'q0.1', 'q0.9']
    """

    ids: np.ndarray  # (O,) str
    cutoffs: np.ndarray  # (O,) datetime64[us] or int64: the last known time
    times: np.ndarray  # (O, H)
    point: np.ndarray  # (O, H): the median by default
    # (O, H, Q), non-decreasing along Q; Q is 0 for point forecasts only
    quantiles: np.ndarray
    quantile_levels: tuple[float, ...] = QUANTILES
    columns: Columns = field(default_factory=Columns)
    frame_kind: str = "arrays"  # the kind of the input, in which frame() answers
    keys: Keys = field(default_factory=Keys)  # of the series of each origin
    # of the data: cutoffs and times are what its clocks show
    time_zone: str | None = None
    frame_zone: str | None = None  # which frames show, where it is not `time_zone`
    # what it was made of; None where that was not weighed
    combination: Combination | None = None
    frequency: Frequency | None = None  # of the times
    # how errors hang together; None where not measured
    dependence: Dependence | None = None
    # (O,) whether values stop at 0, as those of counts do
    stops: np.ndarray | None = None
    # that values have never passed; None where they say none
    bounds: Bounds | None = None
    # quantiles before those of counts were made whole, from which paths are drawn; None if none was
    fractional: np.ndarray | None = None
    history: Panel | None = field(default=None, repr=False)  # what it continues
    known: KnownParts | None = field(default=None, repr=False)  # what known columns add
    # of series with their totals
    joint: JointPaths | None = field(default=None, repr=False)
    # the last time that is wanted: later steps are left out of tables and pictures
    end: Any = None

    def __post_init__(self) -> None:
        quantile_levels = tuple(float(level) for level in self.quantile_levels)
        for name, array in checked_arrays(self, len(quantile_levels)).items():
            object.__setattr__(self, name, array)
        require_levels(quantile_levels)
        object.__setattr__(self, "quantile_levels", quantile_levels)

    @classmethod
    def at_origins(
        cls,
        panel: Panel,
        origins: Origins,
        point: np.ndarray,
        quantiles: np.ndarray | None = None,
        quantile_levels: tuple[float, ...] = (),
        combination: Combination | None = None,
        dependence: Dependence | None = None,
        rows: np.ndarray | None = None,
        bounds: Bounds | None = None,
        is_whole: np.ndarray | None = None,
    ) -> Forecast:
        """Make a forecast with the ids, times and columns of the panel that it continues.

        For series that stop at 0, such as counts, no value is below 0, and none lies beyond
        `bounds`: calibration and interpolation move quantiles. rows: the steps of the grid to keep
        (O, H), from 0; None keeps all. is_whole: origins (O,) whose quantiles are whole numbers, by
        default those of counts.
        """
        stops = panel.kinds[origins.series] != "real"
        if is_whole is None:
            is_whole = whole_origins(panel, origins)
        point = within(stopped(np.asarray(point, np.float64), stops), bounds)
        cutoffs, times = origin_times(panel, origins, point.shape[1])
        if quantiles is None:
            quantiles = np.empty((*point.shape, 0))
        quantiles = within(stopped(quantiles, stops), bounds)
        fractional = quantiles if is_whole.any() else None
        forecast = cls(
            ids=panel.ids[origins.series],
            cutoffs=cutoffs,
            times=times,
            point=point,
            quantiles=made_whole(quantiles, is_whole),
            quantile_levels=quantile_levels,
            columns=panel.columns,
            frame_kind=panel.report.frame,
            keys=panel.keys.take(origins.series),
            time_zone=panel.report.time_zone,
            frame_zone=panel.report.frame_zone,
            combination=combination,
            frequency=panel.frequency,
            dependence=dependence,
            stops=stops,
            bounds=bounds,
            fractional=fractional,
            history=panel,
        )
        return forecast if rows is None else forecast.at_steps(rows)

    def __len__(self) -> int:
        """Number of rows in the long table: origins times steps."""
        return int(self.wanted.sum())

    def __repr__(self) -> str:
        """A summary and the first rows."""
        return as_text(self)

    def _repr_html_(self) -> str:
        """For notebooks: small pictures and a table of steps or of origins."""
        return as_html(self)

    @property
    def horizon(self) -> int:
        """Number of forecast steps."""
        return self.point.shape[1]

    @property
    def wanted(self) -> np.ndarray:
        """Whether each step is at or before `end` (O, H)."""
        if self.end is None:
            return np.ones(self.times.shape, bool)
        return self.times <= self.end

    def until(self, end: Any) -> Forecast:
        """The forecast without steps after a time: series that end later have fewer rows."""
        return replace(self, end=time_like(end, self.times.dtype))

    def plot(self, panel: Panel | None = None, **looks: Any) -> Any:
        """Plot the forecast; notebooks show the result directly.

        Args:
            panel: The data before the forecast. Defaults to those it was made from.
            looks: Arguments of `ForecastPlot.from_forecast`, such as series, unit or dark.
        """
        history = self.history if panel is None else panel
        if history is None:
            raise UsageError(
                "This forecast holds no data to draw. Call plot with the panel that it continues."
            )
        require_series(history)
        # Plots import results, so they are imported here by name, when one is drawn.
        plots = import_module("lstmcast.output.plots")
        return plots.ForecastPlot.from_forecast(self, history, **looks).figure()

    def quantile(self, level: float) -> np.ndarray:
        """The quantile at this level (O, H); UsageError if the forecast does not have it."""
        differences = np.abs(np.array(self.quantile_levels) - level)
        places = np.flatnonzero(differences < 1e-9)
        if not len(places):
            raise no_quantile(self, level)
        return self.quantiles[:, :, places[0]]

    @property
    def interval_levels(self) -> tuple[float, ...]:
        """The levels of the central intervals in percent, narrow ones first."""
        return central_levels(self.quantile_levels)

    def interval(self, level: float = 80) -> Interval:
        """The central interval that should contain `level` percent of the actual values. Raises
        UsageError if the forecast does not have its bounds."""
        if not np.isclose(level, self.interval_levels, rtol=0, atol=1e-6).any():
            levels = listed(self.interval_levels) or "none"
            raise no_interval(level, levels)
        tail = (1 - level / 100) / 2
        return Interval(level, self.quantile(tail), self.quantile(1 - tail))

    def select(self, ids: str | Iterable[str]) -> Forecast:
        """The forecast of these series only; UsageError for an unknown id."""
        names = {ids} if isinstance(ids, str) else set(ids)
        if missing := sorted(names - set(self.ids)):
            known_ids = listed(dict.fromkeys(self.ids))
            raise UsageError(
                f"The forecast has no series {missing[0]!r}. It has: {known_ids}."
            )
        return self.rows(np.array([name in names for name in self.ids], bool))

    def at(self, cutoff: Any) -> Forecast:
        """The forecast at one cutoff (a time, its ISO text, or an integer)."""
        try:
            time = np.asarray(cutoff).astype(self.cutoffs.dtype)
        except (TypeError, ValueError) as error:
            raise UsageError(
                f"{cutoff=} is not a time such as {listed(self.cutoffs[:1])}."
            ) from error
        is_chosen = self.cutoffs == time
        if not is_chosen.any():
            known_cutoffs = listed(map(format_time, np.unique(self.cutoffs)))
            raise no_cutoff(format_time(time[()]), known_cutoffs)
        return self.rows(is_chosen)

    def at_steps(self, steps: np.ndarray) -> Forecast:
        """Select steps of each origin, (O, H) counted from 0."""
        return replace(self, **arrays_at_steps(self, steps))

    def rows(self, chosen: np.ndarray) -> Forecast:
        """Select origins by their numbers, in that order, or by a mask."""
        return replace(self, **parts_of_origins(self, chosen))

    def paths(self, count: int = PATHS, seed: int = 0) -> np.ndarray:
        """Draw sample paths of each series (O, `count`, H), whose errors are correlated as at
        held-out cutoffs. UsageError if there are no quantiles on both sides of the median."""
        draws = draws_of(self, count, seed)
        return np.stack([draws(origin) for origin in range(len(self.ids))])

    def total(
        self,
        span: str = "horizon",
        *,
        by: str | Sequence[str] | None = None,
        service_level: float | None = None,
        lead_time: int | None = None,
        count: int = PATHS,
    ) -> Totals:
        """Sum the forecast over time and series, with intervals from sample paths.

        Args:
            span: What is summed over time: "day", "week", "month", "quarter", "year", "horizon", or
                "step" for no sum over time.
            by: What is summed over series: columns that name them, such as "store", or "all" for
                everything. Defaults to each series by itself.
            service_level: Percentage of cases in which the column `order`, the stock to hold, is
                enough.
            lead_time: Number of first steps that are summed. Defaults to all.
            count: Number of sample paths.

        Raises:
            UsageError: There are no intervals, or several cutoffs; the span or column does not
                exist; or the lead time is longer than the horizon.
        """
        columns = (by,) if isinstance(by, str) else tuple(by or ())
        return total_of(self, Asked(span, columns, service_level, lead_time), count)

    @property
    def counts(self) -> np.ndarray:
        """Whether the values of each origin's series are counts (O,)."""
        if self.history is None:
            return np.zeros(len(self.ids), bool)
        kinds = dict(zip(self.history.ids, self.history.kinds, strict=True))
        return np.array([kinds.get(name) == "count" for name in self.ids], bool)

    def columns_dict(self) -> dict[str, np.ndarray]:
        """The long table as equally long columns.

        The first columns name the series, with the names and types of the data (unique_id if the
        data have none), and target if there are several targets. Then come ds, step, cutoff (only
        if a series has several), forecast and one column per quantile. Times are local times in the
        time zone of the data.
        """
        return long_table(self)

    def components(self, kind: str = "arrays") -> Any:
        """The contributions of future columns to the forecast, as a long table.

        Beside series and times, it has the columns `forecast` and `without known columns`, and one
        column for each future column and each effect of the date, such as the day of the month, in
        units of the data. They add up to the forecast, except at closed steps, which are 0.

        Args:
            kind: "arrays" for a dict of columns, or a frame: "pandas", "polars" or "pyarrow".
        """
        return frame_of(with_components(self), kind)

    @property
    def data_kind(self) -> str:
        """The kind of the input, in which frames are returned."""
        return self.frame_kind

    @property
    def column_types(self) -> ColumnTypes:
        """The categories of its keys and the time zone of its times."""
        return types_of(self)

    @property
    def method(self) -> str:
        """What made the forecast: "network", "combined", or the name of a simple forecast."""
        if self.combination is None:
            return NETWORK
        return self.combination.single or "combined"

    @property
    def about(self) -> dict[str, str]:
        """Metadata for files: the method, and the shares of a combination as JSON."""
        shares = self.combination.as_dict() if self.combination else {self.method: 1.0}
        return {
            "method": self.method,
            "combination": json.dumps(shares, ensure_ascii=False),
        }
