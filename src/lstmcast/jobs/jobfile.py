"""Job files: recurring jobs as TOML, checked before data are read."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from lstmcast.data.cells.cellformat import CellFormat
from lstmcast.data.covariates.beside import Beside
from lstmcast.data.opening import with_query
from lstmcast.data.panel import ReadOptions
from lstmcast.data.table import (
    Aggregate,
    CalendarChoice,
    Duplicates,
    Gaps,
    Kind,
    Missing,
    OnError,
)
from lstmcast.databases.address import DatabaseTable, IfExists, hidden, is_target
from lstmcast.errors import UsageError
from lstmcast.jobs.source import Source
from lstmcast.output.places import Outputs
from lstmcast.util.config import requirement
from lstmcast.util.patterns import pattern_of
from lstmcast.util.spelling import did_you_mean

_AGE = pattern_of(r"\s*(\d+(?:\.\d+)?)\s*(hour|day|week)s?\s*")
_HOURS = {"hour": 1, "day": 24, "week": 168}
_OPTIONS = (
    *(
        "frequency",
        "kind",
        "aggregate",
        "duplicates",
        "gaps",
        "missing",
        "calendar",
        "on_error",
    ),
)


def _listed(value: Any) -> Any:
    """A single name as a list."""
    return (
        [value]
        if isinstance(value, str | int | float) and not isinstance(value, bool)
        else value
    )


def _hours(text: Any) -> float:
    """An age, such as "3 days", in hours."""
    match = _AGE.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise ValueError('an age such as "3 days", "12 hours" or "2 weeks" is expected')
    return float(match[1]) * _HOURS[match[2]]


# messages that replace those of pydantic, by the type of error
_EXPECTED = {
    "model_type": "a section is expected, such as [source] with its keys below",
    "list_type": "a value or a list of values is expected",
    "too_short": "at least one value is expected",
}
Names = Annotated[list[str], BeforeValidator(_listed), Field(min_length=1)]
Levels = Annotated[
    list[Annotated[float, Field(ge=0.1, le=99.8, strict=True)]],
    BeforeValidator(_listed),
    Field(min_length=1),
]
Hours = Annotated[float, BeforeValidator(_hours)]
Share = Annotated[float, Field(ge=0, le=1, strict=True)]
Whole = Annotated[int, Field(ge=1, strict=True)]


class Section(BaseModel):
    """A section of the file, whose keys must all be known."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class DataSection(Section):
    """`[source]`: the data, and arguments of `lstmcast.read`."""

    data: Names
    query: str | None = None
    time: Names | None = None
    target: Names | None = None
    series: Names | None = None
    sheet: str | None = None
    past: Names | None = None
    future: Names | None = None
    future_data: str | None = None
    static: Names | None = None
    static_data: str | None = None
    holidays: Names | None = None
    hindsight: Names | None = None
    frequency: str | None = None
    periods: Annotated[list[Whole], BeforeValidator(_listed)] | None = None
    kind: Kind | None = None
    aggregate: Aggregate | None = None
    duplicates: Duplicates | None = None
    gaps: Gaps | None = None
    missing: Missing | None = None
    calendar: CalendarChoice | None = None
    on_error: OnError | None = None
    day_first: bool | None = None
    decimal: Literal[".", ","] | None = None
    header: Whole | None = None
    date_format: str | None = None
    missing_codes: Annotated[list[str | float], BeforeValidator(_listed)] | None = None

    def source(self) -> Source:
        """The data and how to read them. Raises UsageError."""
        data: Any = self.data[0] if len(self.data) == 1 else self.data
        names = [name for name in _OPTIONS if getattr(self, name) is not None]
        options: dict[str, Any] = {name: getattr(self, name) for name in names}
        periods = tuple(self.periods) if self.periods else None
        cell_format = CellFormat(
            self.day_first,
            self.decimal,
            self.header,
            self.date_format,
            self.missing_codes or (),
        )
        coming = Beside(
            *(self.future, self.future_data, self.static, self.static_data),
            *(self.holidays, self.hindsight),
        )
        return Source(
            with_query(data, self.query),
            ReadOptions(periods=periods, **options),
            time=self.time,
            target=self.target,
            series=self.series,
            sheet=self.sheet,
            given=names,
            past=self.past,
            written=cell_format,
            beside=coming,
        )


class ChecksSection(Section):
    """`[checks]`: what must hold for the data and the accuracy, or nothing is written."""

    least_series: Whole | None = None
    most_series: Whole | None = None
    least_values: Whole | None = None
    newest: Hours | None = None
    newest_of: Literal["any", "all"] | None = None
    most_missing: Share | None = None
    warnings: Literal["allow", "refuse"] = "allow"
    least_skill: Annotated[float, Field(strict=True, allow_inf_nan=False)] | None = None


class ForecastSection(Section):
    """`[forecast]`: horizon, intervals and accuracy."""

    horizon: Whole | None = None
    until: str | None = None
    level: Levels | None = None
    method: str | None = None
    cutoffs: Annotated[int, Field(ge=0, strict=True)] = 5


class ModelSection(Section):
    """`[model]`: a saved model that continues from run to run, and how it is renewed."""

    folder: str
    refit: Literal["never", "always"] | Hours = "never"
    weights: Literal["pretrained", "scratch"] = "pretrained"
    epochs: Whole | None = None
    seed: Annotated[int, Field(ge=0, strict=True)] = 0


class OutputSection(Section):
    """`[output]`: where results go."""

    table: str | None = None
    if_exists: IfExists | None = None
    key: Names | None = None
    plot: str | None = None
    report: str | None = None
    components: str | None = None
    summary: str | None = None

    def outputs(self, made_by: str, language: str = "en") -> Outputs:
        """The places of results. Raises UsageError."""
        return Outputs(
            self._table(),
            self.plot,
            self.report,
            made_by=made_by,
            language=language,
            components=self.components,
        )

    def _table(self) -> str | DatabaseTable | None:
        if self.table is None or not is_target(self.table):
            if self.if_exists is not None or self.key is not None:
                raise UsageError(
                    "[output]: if_exists and key are only for database tables. "
                    'Give table = "TABLE@URL", or leave them out.'
                )
            return self.table
        return DatabaseTable(
            self.table, self.if_exists or "upsert", tuple(self.key or ())
        )


class JobFile(Section):
    """A job file by sections."""

    source: DataSection
    checks: ChecksSection = ChecksSection()
    forecast: ForecastSection = ForecastSection()
    model: ModelSection | None = None
    output: OutputSection = OutputSection()


def read_job(path: str | Path) -> JobFile:
    """Read a job file. UsageError names each wrong key, its line, and similar names."""
    try:
        # Notepad writes a byte order mark
        text = Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = (
            error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        )
        raise UsageError(
            f"the job {str(path)!r} cannot be read: {reason}. `lstmcast job init DATA` writes one."
        ) from None
    return job_from(text, str(path))


def job_from(text: str, name: str = "job.toml") -> JobFile:
    """Parse the text of a job file; errors as in `read_job`.

    >>> job_from('[source]\\ndata = "sales.csv"').forecast.cutoffs
    5
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{name} is not TOML: {error}.") from None
    try:
        job = JobFile.model_validate(document)
    except ValidationError as error:
        problems = [_told(detail, text) for detail in error.errors(include_url=False)]
        raise UsageError(
            "\n".join(f"{name}: {problem}" for problem in dict.fromkeys(problems))
        ) from None
    if job.forecast.horizon is not None and job.forecast.until is not None:
        raise UsageError(
            f"{name}: [forecast] has both horizon and until. Give one of them."
        )
    if job.checks.newest_of is not None and job.checks.newest is None:
        raise UsageError(
            f"{name}: [checks] newest_of needs newest. Give an age, "
            'such as newest = "3 days", or leave it out.'
        )
    if job.model is not None and job.checks.least_skill is not None:
        raise UsageError(
            f"{name}: [checks] least_skill is only measured for the shipped network, but [model] "
            "names a saved one. Leave out one of them."
        )
    return job


def _told(error: Any, text: str) -> str:
    """A line on what is wrong with a key, and where."""
    places = [step for step in error["loc"] if isinstance(step, str)]
    section = places[0]
    key = places[1] if len(places) > 1 else None
    line = line_of(text, section, key)
    where = f"line {line}: " if line else ""
    label = f"[{section}]" if key is None else f"[{section}] {key}"
    if error["type"] == "extra_forbidden":
        allowed = _known_keys(None) if key is None else _known_keys(section)
        name = section if key is None else key
        meant = did_you_mean(name, allowed)
        return f"{where}there is no {label}.{meant} There are: {', '.join(allowed)}."
    if error["type"] == "missing":
        return f"{where}{label} is missing."
    expectation = _EXPECTED.get(error["type"]) or requirement(error["msg"])
    value = error["input"]
    text = f", not {value!r}" if isinstance(value, str | int | float | bool) else ""
    return hidden(f"{where}{label}: {expectation[:1].lower()}{expectation[1:]}{text}.")


def _known_keys(section: str | None) -> Sequence[str]:
    """The names of the keys in a section, or of the sections."""
    if section is None:
        return list(JobFile.model_fields)
    kinds: dict[str, type[Section]] = {
        "source": DataSection,
        "checks": ChecksSection,
        "forecast": ForecastSection,
        "model": ModelSection,
        "output": OutputSection,
    }
    return list(kinds[section].model_fields)


def line_of(text: str, section: str, key: str | None) -> int | None:
    """The line of a key, or of its section's header, from 1; None if it is not found.

    >>> line_of("[source]\\n\\ndata = 5", "source", "data")
    3
    """
    current = None
    for number, line in enumerate(text.splitlines(), start=1):
        head = re.match(r"\s*\[\s*([\w.-]+)\s*\]", line)
        if head:
            current = head[1]
        name = re.match(r"\s*['\"]?([\w-]+)['\"]?\s*[.=]", line)
        is_head = key is None and head is not None and current == section
        is_key = name is not None and current == (section if key else None)
        if is_head or (is_key and name is not None and name[1] == (key or section)):
            return number
    return None
