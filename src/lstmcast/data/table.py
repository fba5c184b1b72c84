"""The nouns of reading: what came in (Table), which repairs are wanted (ReadOptions), what was
read (DataReport)."""

# S series · N rows of all series

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal, get_args

import numpy as np
from numpy import ndarray
from numpy.typing import ArrayLike

from lstmcast.data.findings import Finding, Findings, advise
from lstmcast.data.keys import OWN_NAME, Keys
from lstmcast.data.known import KnownRows, StaticColumns
from lstmcast.data.times.frequency import Frequency, parse_frequency
from lstmcast.errors import UsageError
from lstmcast.util.text import storable

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
    """The names that the user's data have for series, time and target.

    >>> Columns(time="month").time
    'month'
    """

    series: str = OWN_NAME
    time: str = "ds"
    target: str = "y"


@dataclass(frozen=True)
class Recipe:
    """How data were asked to be read; newer data for a saved model are read in the same way.

    What was recognised without an option is not part of it: the names of single columns are in
    `Columns`.

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
        """What differs from the usual, for a manifest."""
        defaults = asdict(Recipe())
        changed = {}
        for name, value in asdict(self).items():
            if value != defaults[name]:
                changed[name] = list(value) if isinstance(value, tuple) else value
        return changed

    @classmethod
    def from_saved(cls, said: Mapping[str, Any]) -> Recipe:
        """What `described` gave."""
        options = dict(said)
        for name, value in said.items():
            if isinstance(value, list):
                options[name] = tuple(value)
        return cls(**options)


@dataclass(frozen=True)
class DataReport:
    """Where a panel comes from and what was noticed on the way.

    `rows` counts the rows that were read as data; `frame` is the kind of the input, which results
    mirror; `label` is the id of an only series that the data do not name, where it is not called
    after its file; `frame_zone` is the zone of the frame that the data came in, where `time_zone`
    is another: UTC where clocks that are put back show an hour twice; `skipped`: series that were
    left out, and why.
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


@dataclass(frozen=True, eq=False)
class Table:
    """Long data as read: one row per series and time, nothing repaired yet.

    series (N,) int64 codes into ids · ids (S,) str in order of first appearance · times (N,)
    datetime64[us] or int64, never NaT (rows without a time are reported in `dropped`) · values (N,)
    float64, NaN = missing · lines (N,) int64, the line of the file or the row of the frame, from 1.
    past: columns beside the target, by name, (N,) float64 each · known: what is known in advance
    · static: what does not change in a series.
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
    keys: Keys = field(default_factory=Keys)  # of each of the ids
    frame_zone: str | None = None  # where it is not `time_zone`
    past: Mapping[str, ndarray] = field(default_factory=dict)
    skipped: Mapping[str, str] = field(default_factory=dict)  # series that are left out, and why
    known: tuple[KnownRows, ...] = ()
    static: tuple[StaticColumns, ...] = ()

    def __len__(self) -> int:
        return len(self.values)

    def place(self, row: int | np.integer) -> str:
        """Where a row stands in the user's data: 'line 812' of a file, 'row 812' of anything
        else."""
        return f"{'line' if self.frame == 'file' else 'row'} {self.lines[row]}"


@dataclass(frozen=True)
class ReadOptions:
    """What is known about the data, and which repairs are wanted.

    frequency: as parse_frequency reads it, or None to infer it · periods: seasonal periods in
    steps, or None for the frequency's own · kind: what values can be, or None to recognise it
    series by series, in newer data for a saved model for what its data are · aggregate: how many
    rows per period become one value · duplicates: what to do with several rows for one time · gaps:
    times without a row become missing values (0 in a sum or count), are an error, or are 0 ·
    missing: missing values are masked, or interpolated linearly · fewest: values below which data
    are refused; a model that continues needs one · calendar: forecasts are for the times that occur
    in the data ("observed"), such as Monday to Saturday, or for all times; None to look whether the
    rows clearly show such times · on_error: series that cannot be read make all fail, or are left
    out. Raises UsageError for anything else, and for duplicates with
    aggregate, which makes one value of all rows.

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
            # an unknown frequency should fail here, before a large file is read
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
                f"{advise('duplicates', self.duplicates)} would have no effect, as "
                f"{advise('aggregate', self.aggregate)} makes one value of all rows of a period. "
                "Leave one of them out."
            )


def recipe_of(table: Table, options: ReadOptions) -> Recipe:
    """How a table was read and will be repaired."""
    names = ("aggregate", "duplicates", "gaps", "missing", "calendar")
    return replace(table.recipe, **{name: getattr(options, name) for name in names})


def file_label(name: str) -> str:
    """What a series is called whose file says nothing of it: the file's name without its endings.

    >>> file_label("airline.csv.gz")
    'airline'
    """
    return storable(name.split(".")[0] or name)


def require_choice(name: str, value: object, choices: tuple[str, ...]) -> None:
    """Raise UsageError unless `value` is one of the choices."""
    if value not in choices:
        raise UsageError(f"{name}={value!r} is not known. Choose one of: {', '.join(choices)}.")


def checked_periods(periods: int | Sequence[int]) -> tuple[int, ...]:
    """One or several seasonal periods as ascending whole numbers of steps; UsageError for anything
    else.

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
    text = str(time.astype("datetime64[us]"))
    text = text.replace("T", " ").removesuffix(".000000")
    if text.endswith(" 00:00:00"):
        return text.removesuffix(" 00:00:00")
    return text.removesuffix(":00")
