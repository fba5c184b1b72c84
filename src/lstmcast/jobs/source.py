"""Data, and how to read them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from lstmcast.data.cells.cellformat import CellFormat
from lstmcast.data.covariates.beside import Beside
from lstmcast.data.features import listed
from lstmcast.data.inspection import Inspection, inspect
from lstmcast.data.opening import STDIN
from lstmcast.data.panel import Panel, ReadOptions
from lstmcast.data.read import read_table
from lstmcast.data.tabular import panel_from_table
from lstmcast.errors import UsageError
from lstmcast.jobs.events import DataRead, Note
from lstmcast.util.text import counted

if TYPE_CHECKING:
    from lstmcast.hierarchy.reconciled import Hierarchy
    from lstmcast.jobs.events import Notify


@dataclass(frozen=True, eq=False)
class Source:
    """Data and how to read them: a Panel as it is, or anything that `lstmcast.read` reads.

    `time`, `target`, `series`, `sheet` and `past` are those of `lstmcast.read`; `options` and
    `written` are its other arguments, `beside` those about columns beside the target. `given`:
    names of options that apply to newer data for a saved model even if they have default values.

    >>> Source({"ds": ["2024-01", "2024-02", "2024-03", "2024-04"], "y": [5, 6, 7, 8]}).read()
    Panel(1 series, 4 values, monthly (month starts), 2024-01-01 to 2024-04-01)
    """

    data: Any
    options: ReadOptions = field(default_factory=ReadOptions)
    time: str | Sequence[str] | None = None
    target: str | Sequence[str] | None = None
    series: str | Sequence[str] | None = None
    sheet: str | None = None
    given: Sequence[str] = ()
    past: str | Sequence[str] | None = None
    written: CellFormat = field(default_factory=CellFormat)
    beside: Beside = field(default_factory=Beside)

    @property
    def paths(self) -> list[str]:
        """The data's files, if any, which must not be overwritten."""
        sources = self.data if isinstance(self.data, (list, tuple)) else [self.data]
        paths = [
            os.fspath(place)
            for place in sources
            if isinstance(place, (str, os.PathLike))
        ]
        files = [path for path in paths if path != STDIN]
        return files + self.beside.paths()

    def read(self) -> Panel:
        """The data as a panel. Raises DataError, UsageError."""
        if isinstance(self.data, Panel):
            return self.data
        handling = {
            "aggregate": self.options.aggregate,
            "on_error": self.options.on_error,
        }
        table = read_table(self.data, **handling, **self._columns())
        return panel_from_table(table, self.options)

    def read_after(self, panel: Panel) -> Panel:
        """Data that follow those of a panel. Raises DataError, UsageError, ModelError."""
        from lstmcast.data.newer import read_newer

        return read_newer(
            self.data, panel, self.options, said=self.given, **self._columns()
        )

    def inspect(self) -> Inspection:
        """Report what is in the data and what is wrong with them. Raises DataError, UsageError."""
        return inspect(self.data, self.options, **self._columns())

    def of(self, model: Any, trains: bool = False) -> Source:
        """The source with the columns that a model reads beside the target; UsageError if others
        were requested. Simple forecasts may read them, but not in a model that `trains`."""
        reads = getattr(model, "past", ())
        columns = [self.past] if isinstance(self.past, str) else list(self.past or ())
        past = ",".join(columns)
        if columns and not reads:
            if getattr(model, "may_read_past", False) and not trains:
                return self
            raise UsageError(_reads_nothing_beside(past))
        names = [name.strip() for name in past.split(",")] if columns else []
        idle = [name for name in names if name not in reads]
        if idle:
            raise UsageError(
                f"--past {past}: the model reads {listed(reads)} with the target, but not "
                f"{idle[0]!r}. Leave out --past: the model knows its columns."
            )
        return replace(self, past=list(reads)) if reads else self

    def _columns(self) -> dict[str, Any]:
        names = ("time", "target", "series", "sheet", "past", "written", "beside")
        return {name: getattr(self, name) for name in names}


def _reads_nothing_beside(past: str) -> str:
    return (
        f"--past {past} names past covariates, but this network does not read "
        "any. Leave out --past, use --method auto without training, where a linear forecast reads "
        "them, or train a network that reads them: lstmcast fit DATA --weights scratch --past "
        f"{past}."
    )


def read_for(source: Source, model: Any, notify: Notify, trains: bool = False) -> Panel:
    panel = source.of(model, trains).read()
    notify(DataRead(panel))
    return panel


def source_with_totals(
    source: Source, hierarchy: Hierarchy, model: Any, notify: Notify
) -> Source:
    """The series with their totals. Raises DataError, UsageError."""
    from lstmcast.hierarchy.levels import level_names

    panel = source.of(model).read()
    with_totals = hierarchy.panel(panel)
    names = list(dict.fromkeys(level_names(with_totals.keys).tolist()))
    count = len(with_totals) - len(panel)
    totals = f"{counted(count, 'total')} of {len(panel)} series"
    notify(Note(f"{totals} added: {', '.join(names[:-1])}"))
    return replace(source, data=with_totals)
