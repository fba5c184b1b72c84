"""Tools for an assistant: look at data, forecast, backtest and find anomalies, in the files of one
folder. Nothing is written, and links out of the folder are not followed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, Field

from lstmcast.data.ahead import one_season, steps_until
from lstmcast.errors import DataError, UsageError
from lstmcast.forecaster import LSTMForecaster
from lstmcast.jobs import AnomalyJob, BacktestJob, CheckJob, ForecastJob, Source
from lstmcast.server.fieldtypes import Text
from lstmcast.server.problems import advised
from lstmcast.server.requests import Ahead, Tested
from lstmcast.server.sources import Table

Document = dict[str, Any]
MOST_FILES = 500  # files that are listed
MOST_ROWS = 500  # rows of a forecast in an answer: an assistant reads all of them
MOST_SERIES = 2000  # series that are backtested
ENDINGS = (
    *(
        ".csv",
        ".tsv",
        ".txt",
        ".json",
        ".jsonl",
        ".ndjson",
        ".xlsx",
        ".xls",
        ".ods",
        ".parquet",
    ),
    *(".tsf", ".arff", ".gz", ".bz2", ".xz", ".zip", ".html", ".xml"),
)


class OfFile(Table):
    """A file, and how to read it."""

    path: Text = Field(
        description="path of a file in the data folder, such as 'sales/north.csv'"
    )


class LookAtData(Table):
    """List the files, or describe the data of one file and what is wrong with them."""

    path: Text | None = Field(
        None, description="path of a file; all files are listed unless given"
    )


class Forecast(OfFile, Ahead):
    """Forecast each series, with intervals and the accuracy at held-out cutoffs."""

    cutoffs: Annotated[int, Field(ge=0, le=20)] = Field(
        5, description="cutoffs held out to measure accuracy; 0 measures nothing"
    )


class Backtest(OfFile, Tested):
    """Measure the accuracy of forecasts at earlier cutoffs, compared with simple forecasts."""

    horizon: Annotated[int, Field(ge=1, le=10_000)] | None = Field(
        None, description="number of steps (default: one season)"
    )
    method: Text = Field("auto", description="forecasting method")
    cutoffs: Annotated[int, Field(ge=1, le=50)] = Field(
        5, description="cutoffs held out to measure accuracy"
    )


class Anomalies(OfFile):
    """Find values that differ unusually from their forecasts."""

    rate: Annotated[float, Field(gt=0, lt=1)] = Field(
        0.001, description="rate of false alarms per value"
    )


@dataclass(frozen=True)
class Tools:
    """The tools, on the files of a folder.

    >>> sorted(tool["name"] for tool in Tools(Path(".")).described())
    ['anomalies', 'backtest', 'forecast', 'look_at_data']
    """

    folder: Path

    def described(self) -> list[Document]:
        """The list of tools."""
        return [
            {
                "name": name,
                "description": " ".join((model.__doc__ or "").split()),
                "inputSchema": model.model_json_schema(mode="validation"),
                "annotations": {"readOnlyHint": True, "openWorldHint": False},
            }
            for name, (model, _) in self._all().items()
        ]

    def call(self, name: str, arguments: Mapping[str, Any]) -> Document:
        """The answer of a tool. Raises LstmcastError, ValidationError, or KeyError if unknown."""
        model, function = self._all()[name]
        return advised(function(model.model_validate(arguments)))

    def _all(self) -> dict[str, tuple[type[BaseModel], Callable[[Any], Document]]]:
        return {
            "look_at_data": (LookAtData, self._look),
            "forecast": (Forecast, self._forecast),
            "backtest": (Backtest, self._backtest),
            "anomalies": (Anomalies, self._anomalies),
        }

    # ---- tools

    def _look(self, options: LookAtData) -> Document:
        if options.path is None:
            files = [path.relative_to(self.folder).as_posix() for path in self._files()]
            return {
                "files": files[:MOST_FILES],
                "more": max(0, len(files) - MOST_FILES),
            }
        return CheckJob(self._source(options, options.path)).run().document()

    def _forecast(self, options: Forecast) -> Document:
        source = self._read(options)
        panel = source.read()
        ahead = steps_until(options.until, panel) if options.until else options.horizon
        horizon = ahead or one_season(panel)
        if horizon * len(panel) > 1_000_000:
            raise UsageError(
                f"horizon={horizon:,} for {len(panel):,} series gives more than a million rows. "
                "Ask for fewer steps."
            )
        levels = options.quantiles()
        quantiles: dict[str, Any] = {"quantiles": levels} if levels else {}
        model = LSTMForecaster(horizon, method=options.method, **quantiles)
        cutoffs = options.cutoffs if len(panel) <= MOST_SERIES else 0
        job = ForecastJob(
            model, source, cutoffs, totals=options.totals(), until=options.until
        )
        return _shortened(job.run().document())

    def _backtest(self, options: Backtest) -> Document:
        source = self._read(options)
        panel = source.read()
        if len(panel) > MOST_SERIES:
            raise UsageError(
                f"{panel.report.source} has {len(panel):,} series; at most {MOST_SERIES:,} are "
                "backtested here. Use the command lstmcast backtest."
            )
        model = LSTMForecaster(
            options.horizon or one_season(panel), method=options.method
        )
        compared = "classical" if options.baselines == "classical" else True
        job = BacktestJob(model, source, options.cutoffs, compared)
        return job.run().document(options.held_out)

    def _anomalies(self, options: Anomalies) -> Document:
        return AnomalyJob(self._read(options), rate=options.rate).run().document()

    # ---- files

    def _read(self, options: OfFile) -> Source:
        source = self._source(options, options.path)
        return replace(source, data=source.read())

    def _source(self, options: Table, path: str) -> Source:
        return options.source([str(self.found(path))])

    def found(self, path: str) -> Path:
        """A file of the folder; DataError for any other path."""
        root = self.folder.resolve()
        try:
            place = (root / path).resolve(strict=True)
        except (OSError, ValueError, RuntimeError) as error:
            raise DataError(self._not_there(path)) from error
        steps = place.relative_to(root).parts if place.is_relative_to(root) else (".",)
        # settings and secrets of programs
        hidden = any(step.startswith(".") for step in steps)
        if hidden or not place.is_file():
            raise DataError(self._not_there(path))
        return place

    def _not_there(self, path: str) -> str:
        return (
            f"path={path[:200]!r} is not a file in the data folder. Call look_at_data without "
            "a path to list the files."
        )

    def _files(self) -> Iterator[Path]:
        """The files that may be tables, without hidden files and links."""
        for folder, folders, names in os.walk(self.folder):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in sorted(names):
                path = Path(folder, name)
                hidden = name.startswith(".") or path.is_symlink()
                if not hidden and path.is_file() and name.lower().endswith(ENDINGS):
                    yield path


def _shortened(document: Document) -> Document:
    """A document with its forecast shortened to a readable length."""
    columns = document["forecast"]
    rows = len(next(iter(columns.values()), []))
    if rows > MOST_ROWS:
        document["forecast"] = {
            name: values[:MOST_ROWS] for name, values in columns.items()
        }
        document["rows_left_out"] = rows - MOST_ROWS
    return document
