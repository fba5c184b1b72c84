"""The types of reading: Table, Recipe, ReadOptions and DataReport."""

# S series · N rows of all series

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal, get_args

import numpy as np
from numpy import ndarray
from numpy.typing import ArrayLike

from lstmcast.advice import advise
from lstmcast.data.findings import Finding, Findings
from lstmcast.data.keys import OWN_NAME, Keys
from lstmcast.data.known import KnownRows, StaticColumns
from lstmcast.data.times.frequency import Frequency, parse_frequency
from lstmcast.errors import UsageError
from lstmcast.util.spelling import did_you_mean
from lstmcast.util.text import in_number, storable

Kind = Literal["real", "count", "positive"]
Aggregate = Literal["sum", "mean", "min", "max", "first", "last", "median", "count"]
Duplicates = Literal["error", "mean", "sum", "first", "last"]
Gaps = Literal["fill", "error", "zero"]
Missing = Literal["mask", "interpolate"]
CalendarChoice = Literal["observed", "all"]
OnError = Literal["fail", "skip"]


LONGEST_PERIOD = 1_000_000  # steps: two years of minutes


@dataclass(frozen=True)
class Columns:
    """The names of the columns of series, time and target in the user's data.

    >>> Columns(time="month").time
    'month'
    """

    series: str = OWN_NAME
    time: str = "ds"
    target: str = "y"


@dataclass(frozen=True)
class Recipe:
    """The options with which data were read, used again for newer data of a saved model.

    Columns that were found without an option are not part of it; their names are in `Columns`.

    >>> Recipe(series=("store", "item"), aggregate="sum").described()
    {'series': ['store', 'item'], 'aggregate': 'sum'}
    >>> Recipe.from_saved({"series": ["store", "item"], "aggregate": "sum"})
    Recipe(time=None, target=None, series=('store', 'item'), sheet=None, aggregate='sum',
           duplicates='error', gaps='fill', missing='mask', past=None, calendar=None,
           day_first=None, decimal=None, header=None, date_format=None, missing_codes=(),
           future=None, static=None, holidays=None,
           hindsight=None)
    """

    time: str | tuple[str, ...] | None = None
    target: str | tuple[str, ...] | None = None
    series: str | tuple[str, ...] | None = None
    sheet: str | None = None
    aggregate: Aggregate | None = None
    duplicates: Duplicates = "error"
    gaps: Gaps = "fill"
    missing: Missing = "mask"
    past: str | tuple[str, ...] | None = None
    calendar: CalendarChoice | None = None
    day_first: bool | None = None
    decimal: str | None = None
    header: int | None = None
    date_format: str | None = None
    missing_codes: tuple[str, ...] = ()
    future: tuple[str, ...] | None = None
    static: tuple[str, ...] | None = None
    holidays: tuple[str, ...] | None = None
    hindsight: tuple[str, ...] | None = None

    def described(self) -> dict[str, Any]:
        """The options that differ from the defaults, for a manifest."""
        defaults = asdict(Recipe())
        changed = {}
        for name, value in asdict(self).items():
            if value != defaults[name]:
                changed[name] = list(value) if isinstance(value, tuple) else value
        return changed

    @classmethod
    def from_saved(cls, said: Mapping[str, Any]) -> Recipe:
        """Rebuild a recipe from `described`."""
        options = dict(said)
        for name, value in said.items():
            if isinstance(value, list):
                options[name] = tuple(value)
        return cls(**options)


@dataclass(frozen=True)
class DataReport:
    """The source of a panel, and the findings from reading it.

    `rows`: number of data rows · `frame`: kind of the input, in which results are returned ·
    `label`: id of a single unnamed series, if it is not named after its file · `frame_zone`: time
    zone of the frame, if different from `time_zone`, which is UTC where local hours are repeated ·
    `skipped`: series that were left out, with reasons · `actions`: what is done about findings of a
    rule and severity, instead of their usual action.
    """

    source: str = "arrays"
    rows: int = 0
    findings: Findings = field(default_factory=Findings)
    frame: str = "arrays"
    time_zone: str | None = None
    recipe: Recipe | None = None
    label: str | None = None
    frame_zone: str | None = None
    skipped: Mapping[str, str] = field(default_factory=dict)
    actions: Mapping[tuple[str, str], str] = field(default_factory=dict)

    def decided(self, finding: Finding) -> Finding:
        """A finding with the action that is taken."""
        action = self.actions.get((finding.rule, finding.severity))
        if action is None:
            return finding
        return replace(finding, action=in_number(action, finding.count))


@dataclass(frozen=True, eq=False)
class Table:
    """Data in long form before repairs: one row per series and time.

    series (N,) int64 codes into ids · ids (S,) str in order of first appearance · times (N,)
    datetime64[us] or int64, never NaT (rows without a time are reported in `dropped`) · values (N,)
    float64, NaN = missing · lines (N,) int64, the line of the file or the row of the frame, from 1.
    past: past covariates by name, (N,) float64 each · known: future columns · static: static
        columns.
    """

    series: ndarray
    ids: ndarray
    times: ndarray
    values: ndarray
    lines: ndarray
    columns: Columns = field(default_factory=Columns)
    source: str = "arrays"
    dropped: tuple[Finding, ...] = ()
    frame: str = "arrays"
    time_zone: str | None = None
    recipe: Recipe = Recipe()
    keys: Keys = field(default_factory=Keys)  # keys of each of the ids
    frame_zone: str | None = None  # where it is not `time_zone`
    past: Mapping[str, ndarray] = field(default_factory=dict)
    skipped: Mapping[str, str] = field(
        default_factory=dict
    )  # series that are left out, with reasons
    known: tuple[KnownRows, ...] = ()
    static: tuple[StaticColumns, ...] = ()

    def __len__(self) -> int:
        return len(self.values)

    def place(self, row: int | np.integer) -> str:
        """The place of a row in the user's data: 'line 812' of a file, else 'row 812'."""
        return f"{'line' if self.frame == 'file' else 'row'} {self.lines[row]}"


@dataclass(frozen=True)
class ReadOptions:
    """Options of reading: properties of the data, and repairs.

    frequency: as parse_frequency reads it, or None to infer it · periods: seasonal periods in
    steps, or None for the frequency's own · kind: kind of values, or None to recognise it for each
    series (in newer data for a saved model: the kinds of its data) · aggregate: how the rows of a
    period are reduced to one value · duplicates: how several rows for one time are handled · gaps:
    whether times without a row become missing values (0 in a sum or count), are an error, or count
    as 0 · missing: whether missing values are masked or interpolated linearly · fewest: smallest
    number of values accepted; a saved model needs one · calendar: "observed" to forecast only times
    that occur in the data, such as Monday to Saturday, "all" for all times, None to infer it from
    the rows · on_error: whether series that cannot be read raise an error or are left out. Raises
    UsageError for other values, and for duplicates together with aggregate, which reduces all rows.

    >>> ReadOptions(frequency="MS", duplicates="sum").gaps
    'fill'
    >>> ReadOptions(duplicates="add")
    Traceback (most recent call last):
      ...
    lstmcast.errors.UsageError: duplicates='add' is not known. Choose one of: error, mean, sum,
    first, last.
    """

    frequency: str | None = None
    periods: tuple[int, ...] | None = None
    kind: Kind | None = None
    aggregate: Aggregate | None = None
    duplicates: Duplicates = "error"
    gaps: Gaps = "fill"
    missing: Missing = "mask"
    fewest: int = 3
    calendar: CalendarChoice | None = None
    on_error: OnError = "fail"

    def __post_init__(self) -> None:
        if isinstance(self.frequency, Frequency):
            object.__setattr__(self, "frequency", self.frequency.code)
        elif self.frequency is not None:
            # fail for an unknown frequency before a large file is read
            parse_frequency(self.frequency)
        if self.periods is not None:
            object.__setattr__(self, "periods", checked_periods(self.periods))
        if self.kind is not None:
            require_choice("kind", self.kind, get_args(Kind))
        if self.aggregate is not None:
            require_choice("aggregate", self.aggregate, get_args(Aggregate))
        require_choice("duplicates", self.duplicates, get_args(Duplicates))
        require_choice("gaps", self.gaps, get_args(Gaps))
        require_choice("missing", self.missing, get_args(Missing))
        require_choice("on_error", self.on_error, get_args(OnError))
        if self.calendar is not None:
            require_choice("calendar", self.calendar, get_args(CalendarChoice))
        if self.aggregate is not None and self.duplicates != "error":
            raise UsageError(
                f"{advise('duplicates', self.duplicates)} would have no effect, since "
                f"{advise('aggregate', self.aggregate)} reduces all rows of a period to one "
                "value. Leave out one of them."
            )


def recipe_of(table: Table, options: ReadOptions) -> Recipe:
    """How a table was read and will be repaired."""
    names = ("aggregate", "duplicates", "gaps", "missing", "calendar")
    return replace(table.recipe, **{name: getattr(options, name) for name in names})


def file_label(name: str) -> str:
    """The name of a series without one in its file: the file name without extensions.

    >>> file_label("airline.csv.gz")
    'airline'
    """
    return storable(name.split(".")[0] or name)


def require_choice(name: str, value: object, choices: tuple[str, ...]) -> None:
    """Raise UsageError unless `value` is one of the choices."""
    if value not in choices:
        meant = did_you_mean(value, choices)
        raise UsageError(
            f"{name}={value!r} is not known.{meant} Choose one of: {', '.join(choices)}."
        )


def checked_periods(periods: int | Sequence[int]) -> tuple[int, ...]:
    """Seasonal periods as ascending whole numbers of steps; UsageError for anything else.

    >>> checked_periods((168, 24)), checked_periods(7)
    ((24, 168), (7,))
    """
    try:
        numbers = np.atleast_1d(np.asarray(periods, np.float64))
    except (TypeError, ValueError):
        numbers = np.zeros(0)
    is_whole = (numbers >= 1) & (numbers == np.rint(numbers))
    if not numbers.size or numbers.ndim > 1 or not is_whole.all():
        raise UsageError(
            "periods must be whole numbers of at least 1 step, such as 12 or 24 168, got "
            f"{periods!r}."
        )
    if (numbers > LONGEST_PERIOD).any():
        raise UsageError(
            f"periods must be at most {LONGEST_PERIOD:,} steps, got {periods!r}. Give a shorter "
            "one, or a longer frequency."
        )
    return tuple(sorted({int(period) for period in numbers}))


def format_time(time: ArrayLike) -> str:
    """A time for people: the date alone at midnight, else date and time; integers as they are.

    >>> format_time(np.datetime64("2024-03-01T00:00")), format_time(7)
    ('2024-03-01', '7')
    >>> format_time(np.datetime64("2024-03-01T12:07"))
    '2024-03-01 12:07'
    """
    time = np.asarray(time)
    if time.dtype.kind != "M":
        return str(time)
    text = _with_clock(time)
    return text.removesuffix(_MIDNIGHT).removesuffix(":00")


def format_times(times: ArrayLike) -> list[str]:
    """Times of one axis: with clock times if any is off midnight, so that they are equally long.

    >>> format_times(np.array(["2024-03-01T23:00", "2024-03-02T00:00"], "datetime64[us]"))
    ['2024-03-01 23:00', '2024-03-02 00:00']
    """
    texts = [format_time(time) for time in np.ravel(times)]
    if all(" " not in text for text in texts):
        return texts
    return [_with_clock(time).removesuffix(":00") for time in np.ravel(times)]


_MIDNIGHT = " 00:00:00"


def _with_clock(time: ArrayLike) -> str:
    text = str(np.asarray(time).astype("datetime64[us]"))
    return text.replace("T", " ").removesuffix(".000000")
