"""Panel: many series, each on a regular grid, in one contiguous array."""

# S series · N observations of all series · T time

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, get_args

import numpy as np
from numpy import ndarray
from numpy.typing import ArrayLike

from lstmcast.data.arrays import fields_of_arrays
from lstmcast.data.covariates.featurearrays import Given
from lstmcast.data.features import Covariates as Covariates
from lstmcast.data.features import Future as Future
from lstmcast.data.findings import Finding as Finding
from lstmcast.data.findings import Findings as Findings
from lstmcast.data.keys import Keys as Keys
from lstmcast.data.kinds import common_kind
from lstmcast.data.observed import ObservedCalendar, value_count
from lstmcast.data.panel_checks import check_panel
from lstmcast.data.panelrows import rows_together
from lstmcast.data.ragged import segments
from lstmcast.data.table import Aggregate as Aggregate
from lstmcast.data.table import CalendarChoice as CalendarChoice
from lstmcast.data.table import Columns as Columns
from lstmcast.data.table import DataReport as DataReport
from lstmcast.data.table import Duplicates as Duplicates
from lstmcast.data.table import Gaps as Gaps
from lstmcast.data.table import Kind as Kind
from lstmcast.data.table import Missing as Missing
from lstmcast.data.table import OnError as OnError
from lstmcast.data.table import ReadOptions as ReadOptions
from lstmcast.data.table import Recipe as Recipe
from lstmcast.data.table import Table as Table
from lstmcast.data.table import format_time
from lstmcast.data.times.frequency import Frequency
from lstmcast.errors import UsageError
from lstmcast.util.html import block, more, paragraph, picture, table
from lstmcast.util.states import rows_of
from lstmcast.util.text import number_format

MOST_SHOWN = 10  # series, in a notebook


@dataclass(frozen=True, eq=False)
class Panel:
    """Series on regular grids, concatenated in one array, as in a sparse matrix.

    values (N,) float64, NaN = missing · offsets (S+1,) int64: series i is
    values[offsets[i]:offsets[i+1]] · ids (S,) str · starts (S,) datetime64[us], or int64 when the
    frequency counts integers · periods: seasonal periods in steps, ascending · kind: kind of
    values, declared or common to all series · recognised (S,): recognised kind of each series (see
    `data.kinds`), None if the kind is declared · keys: id columns of the data by name, (S,) each in
    its own type; `ids` are their text · covariates: columns that networks may read with the target
    · earlier: what a saved model knows of earlier values, arrays with a row per series (see
    `model.inputs.effects`) · calendar: which times of the grids occur, if not all; forecasts are
    for those. The arrays are made read-only: pass copies of arrays that you modify later.

    >>> panel = Panel.from_arrays({"a": [1, 2, 3], "b": [5, 7]}, frequency="MS", start="2024-01")
    >>> panel
    Panel(2 series, 5 values, monthly (month starts), 2024-01-01 to 2024-03-01)
    >>> panel.series(1), panel.times(1).astype("datetime64[M]").tolist()[-1].isoformat()
    (array([5., 7.]), '2024-02-01')
    """

    values: ndarray
    offsets: ndarray
    ids: ndarray
    starts: ndarray
    frequency: Frequency
    periods: tuple[int, ...]
    kind: Kind = "real"
    columns: Columns = field(default_factory=Columns)
    report: DataReport = field(default_factory=DataReport)
    keys: Keys = field(default_factory=Keys)
    recognised: ndarray | None = None
    covariates: Covariates = field(default_factory=Covariates)
    earlier: Any = None
    calendar: ObservedCalendar | None = None

    def __post_init__(self) -> None:
        for array in (self.values, self.offsets, self.ids, self.starts):
            array.flags.writeable = False
        # as with `replace(panel, kind="real")`: a declared kind replaces recognised ones
        if self.recognised is not None and self.kind != common_kind(self.recognised):
            object.__setattr__(self, "recognised", None)

    def __len__(self) -> int:
        return len(self.ids)

    def __repr__(self) -> str:
        span = "empty"
        if len(self):
            span = f"{format_time(self.starts.min())} to {format_time(self.ends.max())}"
        step = self.frequency.name
        if self.calendar:
            step += f", {self.calendar.name}"
        columns = self.covariates.named()
        return f"Panel({len(self)} series, {value_count(self)} values, {step}, {span}{columns})"

    def _repr_html_(self) -> str:
        """The first series as HTML for notebooks: length, missing values, time span and a small
        picture."""
        shown_rows = range(min(len(self), MOST_SHOWN))
        header = [self.columns.series, "values", "missing", "from", "to", "last", ""]
        title = f"{self.report.source}: {len(self):,} series, {value_count(self):,} values, "
        findings = ""
        count = len(self.report.findings)
        if count:
            noun = "finding" if count == 1 else "findings"
            findings = paragraph(f"{count} {noun} from reading: see .check()")
        return block(
            title + self.frequency.name,
            table(header, [self._shown(row) for row in shown_rows]),
            more(len(shown_rows), len(self), "series"),
            findings,
        )

    def _shown(self, row: int) -> list[str]:
        values = self.series(row)
        write = number_format(values[-1000:])
        start = self.starts[row]
        end = self.frequency.advance(start, len(values) - 1)
        missing = np.count_nonzero(np.isnan(values))
        return [
            str(self.ids[row]),
            f"{len(values):,}",
            f"{missing:,}" if missing else "–",
            format_time(start),
            format_time(end),
            write(values[-1]),
            picture(values, label=f"the values of {self.ids[row]}"),
        ]

    @property
    def declared_real(self) -> bool:
        """Whether values are declared "real"."""
        return self.recognised is None and self.kind == "real"

    @property
    def kinds(self) -> ndarray:
        """The kind of each series (S,): "real", "count" or "positive".

        >>> Panel.from_arrays({"a": [1, 2], "b": [0, 7]}, kind="count").kinds.tolist()
        ['count', 'count']
        """
        if self.recognised is None:
            return np.full(len(self), self.kind, "<U8")
        is_kind = np.isin(self.recognised, get_args(Kind))
        return np.where(is_kind, self.recognised, "real")

    @property
    def lengths(self) -> ndarray:
        """Number of observations of each series, including missing ones (S,)."""
        return np.diff(self.offsets)

    @property
    def ends(self) -> ndarray:
        """Last time of each series: (S,)."""
        return self.frequency.advance(self.starts, self.lengths - 1)

    def series(self, i: int) -> ndarray:
        """The values of series i: a read-only view, (T,)."""
        return self.values[self.offsets[i] : self.offsets[i + 1]]

    def times(self, i: int) -> ndarray:
        """The times of series i: (T,)."""
        begin, end = self.offsets[i : i + 2]
        return self.frequency.range(self.starts[i], int(end - begin))

    def apart(self) -> Panel:
        """The same series, with effects of future columns estimated for each series by itself.

        By default, five or more series with the same columns share their effects, so that an
        additional series slightly changes the forecasts of the others.
        """
        covariates = self.covariates
        future = replace(covariates.future, apart=True)
        return replace(self, covariates=replace(covariates, future=future))

    def until(self, counts: ArrayLike) -> Panel:
        """The first counts[i] observations of each series: those known to a forecast at a cutoff.

        counts (S,) from 1 to the length of each series; UsageError otherwise.

        >>> Panel.from_arrays({"a": [1, 2, 3], "b": [5, 7]}).until([2, 1]).values
        array([1., 2., 5.])
        """
        counts = np.asarray(counts, dtype=np.int64)
        if counts.shape != self.ids.shape or np.any(
            (counts < 1) | (counts > self.lengths)
        ):
            raise UsageError(
                f"until() needs one count per series ({len(self)}), each from 1 to the length of "
                "the series."
            )
        return self.part(np.arange(len(self)), 0, counts)

    def since(self, first: ArrayLike) -> Panel:
        """The series without their first first[i] observations; first is (S,), or one count for
        all.

        >>> Panel.from_arrays({"a": [1, 2, 3], "b": [5, 7]}).since([2, 0]).values
        array([3., 5., 7.])
        """
        first = np.broadcast_to(np.asarray(first, dtype=np.int64), len(self))
        return self.part(np.arange(len(self)), first, self.lengths - first)

    def part(self, rows: ndarray, first: ndarray | int, counts: ndarray) -> Panel:
        """Parts of series (R,): counts[i] observations of series rows[i], after its first first[i].

        A series may occur several times, for example once for each origin of a forecast.
        """
        value_rows, offsets = segments(self.offsets, rows, first, counts)
        kind = self.kind
        recognised = self.recognised
        if recognised is not None:
            recognised = recognised[rows]
            kind = common_kind(recognised)
        starts = self.starts[rows]
        earlier = None
        if np.any(first):
            starts = self.frequency.advance(starts, first)
        else:
            earlier = rows_of(self.earlier, rows)
        calendar = self.calendar
        if calendar is not None:
            calendar = calendar.take(rows)
        return replace(
            self,
            kind=kind,
            recognised=recognised,
            values=self.values[value_rows],
            offsets=offsets,
            ids=self.ids[rows],
            keys=self.keys.take(rows),
            covariates=self.covariates.part(self.offsets, rows, first, counts),
            starts=starts,
            earlier=earlier,
            calendar=calendar,
        )

    def select(self, ids: Iterable[str]) -> Panel:
        """The named series, in the order of the names; UsageError for an unknown name.

        >>> Panel.from_arrays({"a": [1, 2, 3], "b": [5, 7]}).select(["b"]).values
        array([5., 7.])
        """
        places = {name: place for place, name in enumerate(self.ids)}
        names = [ids] if isinstance(ids, str) else list(ids)
        unknown = [name for name in names if name not in places]
        if unknown:
            examples = list(map(repr, self.ids[:5]))
            if len(self) > 5:
                examples.append("…")
            raise UsageError(
                f"there is no series {unknown[0]!r} in {self.report.source}. There are: "
                f"{', '.join(examples)}."
            )
        chosen_rows = np.array([places[name] for name in names], dtype=np.int64)
        return self.part(chosen_rows, 0, self.lengths[chosen_rows])

    @property
    def target_names(self) -> ndarray | None:
        """The target column of each series (S,) if the data have several, such as price and sales.

        None if they have one.
        """
        return self.keys.targets

    def rows(self, columns: int) -> ndarray:
        """The indices of the series that a network of several columns reads together (R, K).

        If each store has a price and sales, a row is a store. If series have one target each, all
        of them are one row. Raises DataError if the series do not form such rows, or if those of a
        row do not share their times.

        >>> stores = {"a": np.ones((4, 2)), "b": np.ones((5, 2))}
        >>> Panel.from_arrays(stores, columns=["price", "sales"]).rows(2)
        array([[0, 1],
               [2, 3]])
        """
        return rows_together(self, columns)

    def check(self) -> Findings:
        """The findings from reading the panel, followed by those about its values.

        >>> values = [1.0, np.nan, 3.0, 4.0, 5.0]
        >>> print(Panel.from_arrays(values, frequency="D", start="2024-02-28").check())
        warning: 1 of 5 values is missing. It is masked: the forecast skips it.
        """
        findings = [*self.report.findings, *check_panel(self)]
        return Findings(map(self.report.decided, findings))

    @classmethod
    def from_arrays(
        cls,
        values: Mapping[str, ArrayLike] | ArrayLike,
        *,
        columns: Sequence[str] | None = None,
        frequency: str | Frequency = "integer",
        start: ArrayLike | str | None = None,
        periods: int | Sequence[int] | None = None,
        kind: Kind | None = None,
        past: Given | None = None,
        future: Given | None = None,
        static: Given | None = None,
        calendar: CalendarChoice | None = None,
    ) -> Panel:
        """Make a panel from values that are already on a regular grid.

        values: {id: values}, one series (1-D), or series in rows (2-D); NaN = missing, infinite
        values become missing. Missing values at the end of a series are removed, as in
        `lstmcast.read`, so that forecasts start after the last value (with several targets, after
        the last value of any). A series without values stays as it is. columns: names of K targets,
        if values are {id: (T, K)}; each becomes a series, "id/name". start: first time of all
        series, or of each id; required for dates, 1 by default for integers. kind: "count" or
        "positive" if no forecast may be below 0. Kinds are not recognised here: None is like
        "real", except that newer values for a saved model keep the kinds of its data. past: past
        covariates, {name: values} in the form of the target, or one array shared by all series.
        future: future columns in the same form, with the values of coming steps after those of the
        series; texts are categories. static: static columns, {name: {id: value}} or {name: values}.
        calendar: "observed" to leave out times at which no value is known, such as all Sundays.
        Raises UsageError for a missing start or frequency, and DataError for values that are not
        numbers or do not fit `kind`.

        >>> panel = Panel.from_arrays([3.0, 4.0], frequency="D", start="2024-02-28")
        >>> panel.ends.astype("datetime64[D]").tolist()
        [datetime.date(2024, 2, 29)]
        """
        covariates = {"past": past, "future": future, "static": static}
        grid = (frequency, start, periods)
        return cls(
            **fields_of_arrays(values, columns, grid, kind, covariates, calendar)
        )
