"""The options of the command line, in groups that commands share: each is written once and
arrives as one value."""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, is_dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar, cast, get_args, get_type_hints

import typer

from lstmcast.cli import echo
from lstmcast.errors import UsageError
from lstmcast.util.language import LANGUAGES, system_language

if TYPE_CHECKING:
    from lstmcast.data.beside import Beside
    from lstmcast.data.cellformat import CellFormat
    from lstmcast.data.panel import ReadOptions
    from lstmcast.data.table import Kind
    from lstmcast.forecaster import LSTMForecaster
    from lstmcast.jobs import Source
    from lstmcast.model.network import NetworkConfig
    from lstmcast.output.places import Outputs
    from lstmcast.server.settings import Settings
    from lstmcast.streaming.lines import Naming
    from lstmcast.totals import Asked

Data = Annotated[
    list[str],
    typer.Argument(
        metavar="DATA",
        help="CSV, Excel, JSON or Parquet files, a pattern such as 'stores/*.csv', or - for "
        "standard input.",
    ),
]
Horizon = Annotated[
    int | None,
    typer.Option(
        "--horizon", "-H", metavar="N", help="How many steps to forecast; one season unless given."
    ),
]
Until = Annotated[
    str | None,
    typer.Option(
        metavar="DATE", help="Forecast up to this date, such as 2025-12-31, in place of --horizon."
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No notes on standard error.")]
Json = Annotated[
    bool, typer.Option("--json", help="One JSON document on standard output instead of text.")
]
HeldOut = Annotated[
    bool,
    typer.Option("--held-out", help="Put the held-out forecasts into the JSON document too."),
]
LogFile = Annotated[
    Path | None,
    typer.Option(
        "--log-file",
        metavar="FILE",
        help="Append notes, warnings and errors, with their time, to a file; with --quiet too.",
    ),
]
Language = Annotated[
    str | None,
    typer.Option(
        "--language",
        metavar="|".join(LANGUAGES),
        help="Language of texts and pictures; that of the system unless given.",
    ),
]
Method = Annotated[
    str,
    typer.Option(
        "--method",
        metavar="auto|network|best|NAME",
        help="What answers: the network and simple forecasts combined, the network alone, the one "
        "with the least error, or one by its name. auto: combined for the shipped network.",
    ),
]
Rate = Annotated[
    float,
    typer.Option(metavar="SHARE", help="Rate of false alarms: alerts per value of a calm series."),
]
Period = Annotated[
    list[int] | None,
    typer.Option(
        metavar="STEPS",
        help="Seasonal period; again for several. From the frequency unless given.",
    ),
]
Folder = Annotated[Path, typer.Argument(metavar="DIR", help="A saved model.")]
SavedOrShipped = Annotated[
    Path | None,
    typer.Option(
        "--model", "-m", metavar="DIR", help="A saved model; the shipped network unless given."
    ),
]


def named(text: str) -> Path:
    """A folder to write to; an empty text, as of a script's variable that was never set, would
    be the one we are in."""
    if not text:
        raise typer.BadParameter("'' names nothing. Name a folder, such as results/model.")
    return Path(text)


# intervals, in percent: forecasters give quantiles from 0.001 to 0.999
NARROWEST, WIDEST = 0.1, 99.8


@dataclass(frozen=True)
class ReadingOptions:
    """Which columns to read, and what to do about what is wrong in them."""

    time: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMN",
            help="Column with the times; again for parts of them, such as date and hour; 'index' "
            "numbers the rows.",
        ),
    ] = None
    target: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMN",
            help="Column to forecast; again for several, '*' for every one, as series.",
        ),
    ] = None
    series: Annotated[
        list[str] | None,
        typer.Option(metavar="COLUMN", help="Column that tells series apart; again for several."),
    ] = None
    past: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMN",
            help="Column that a network reads beside the target; again for several. A saved model "
            "knows its own.",
        ),
    ] = None
    future: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMN",
            help="Column that is known in advance, such as a price; again for several. Rows after "
            "the last value hold its coming values.",
        ),
    ] = None
    future_data: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Table with the coming values of such columns: all of its columns, unless "
            "--future names some.",
        ),
    ] = None
    static: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMN",
            help="Column that is constant in each series, such as a group; again for several.",
        ),
    ] = None
    static_data: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Table with such columns, a row for each series."),
    ] = None
    holidays: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CODE",
            help="Country or part of one, such as JP, DE-BY or US-CA, whose public holidays are "
            "columns that are known in advance; again for several.",
        ),
    ] = None
    hindsight: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMN",
            help="As --future, of a column that was not known then, such as an observed "
            "temperature; again for several. Accuracy is as if it had been.",
        ),
    ] = None
    sheet: Annotated[str | None, typer.Option(metavar="NAME", help="Sheet of a workbook.")] = None
    frequency: Annotated[
        str | None,
        typer.Option(
            metavar="FREQ", help="monthly, weekly, daily, 15min, W-MON … Found unless given."
        ),
    ] = None
    period: Period = None
    kind: Annotated[
        str | None,
        typer.Option(
            metavar="real|count|positive",
            help="What values can be: no forecast of counts or positive values is below 0. "
            "Recognised unless given, or as the saved model has it.",
        ),
    ] = None
    aggregate: Annotated[
        str | None,
        typer.Option(
            metavar="sum|mean|min|max|first|last|median|count",
            help="Turn many rows per period into one value.",
        ),
    ] = None
    duplicates: Annotated[
        str | None,
        typer.Option(
            metavar="error|mean|sum|first|last",
            help="Several rows for one series and time; error unless given.",
        ),
    ] = None
    gaps: Annotated[
        str | None,
        typer.Option(
            metavar="fill|error|zero",
            help="Times without a row; fill (unknown values) unless given.",
        ),
    ] = None
    missing: Annotated[
        str | None,
        typer.Option(
            metavar="mask|interpolate", help="Missing values; mask (left unknown) unless given."
        ),
    ] = None
    calendar: Annotated[
        str | None,
        typer.Option(
            metavar="observed|all",
            help="Forecast the times that occur, such as Monday to Saturday, or all. Found unless "
            "given.",
        ),
    ] = None

    on_error: Annotated[
        str | None,
        typer.Option(
            metavar="fail|skip",
            help="Series that cannot be read: fail (nothing is done) unless given, or skip them, "
            "list them, and end with status 3.",
        ),
    ] = None

    day_first: Annotated[
        bool | None,
        typer.Option(
            "--day-first/--month-first",
            help="Whether 01/02/2024 is 1 February or 2 January. Found where the dates tell.",
        ),
    ] = None
    decimal: Annotated[
        str | None,
        typer.Option(metavar=".|,", help="Decimal mark of all numbers. Found unless given."),
    ] = None
    header: Annotated[
        int | None,
        typer.Option(metavar="LINE", help="Line with the names of columns. Found unless given."),
    ] = None
    date_format: Annotated[
        str | None,
        typer.Option(metavar="FORMAT", help="How times are written, such as %d.%m.%Y."),
    ] = None
    missing_codes: Annotated[
        list[str] | None,
        typer.Option(
            "--missing-codes",
            "--missing-values",
            metavar="CODE",
            help="Cells that stand for missing values, such as -999,'No Data'; again for several. "
            "CODE=VALUE gives it a value.",
        ),
    ] = None

    def source(self, data: Sequence[str]) -> Source:
        """The data, to be read so."""
        from lstmcast.jobs import Source

        return Source(
            data[0] if len(data) == 1 else list(data),
            self.options(),
            time=_one_or_more(self.time),
            target=_one_or_more(self.target),
            series=_one_or_more(self.series),
            sheet=self.sheet,
            given=self.said(),
            past=_one_or_more(self.past),
            written=self.written(),
            beside=self.beside(),
        )

    def beside(self) -> Beside:
        """What stands beside the target, as far as it was said."""
        from lstmcast.data.beside import Beside

        future, static = _one_or_more(self.future), _one_or_more(self.static)
        hindsight = _one_or_more(self.hindsight)
        own = (static, self.static_data, self.holidays, hindsight)
        return Beside(future, self.future_data, *own)

    def written(self) -> CellFormat:
        """How cells are written, as far as it was said."""
        from lstmcast.data.cellformat import CellFormat

        codes = [code for given in self.missing_codes or () for code in given.split(",")]
        return CellFormat(
            self.day_first,
            self.decimal,
            self.header,
            self.date_format,
            tuple(code for code in codes if code.strip()),
        )

    def past_names(self) -> list[str]:
        """The columns that a network is to read beside the target."""
        parts = [name.strip() for given in self.past or () for name in given.split(",")]
        return [name for name in dict.fromkeys(parts) if name]

    def options(self) -> ReadOptions:
        """What to do about what is found."""
        from lstmcast.data.panel import ReadOptions

        given: dict[str, Any] = {name: getattr(self, name) for name in self.said()}
        return ReadOptions(periods=tuple(self.period) if self.period else None, **given)

    def said(self) -> list[str]:
        """Which of these options were given: newer data for a saved model are otherwise read as
        those were."""
        names = (
            "frequency",
            "kind",
            "aggregate",
            "duplicates",
            "gaps",
            "missing",
            "calendar",
            "on_error",
        )
        return [name for name in names if getattr(self, name) is not None]

    def require_use_by(self, data: Sequence[str] | None) -> None:
        """UsageError for options that say how to read, where nothing is read but coming values."""
        own = ("--future", "--future-data", "--hindsight") if self.future_data else ()
        idle = [option for option in _typed(self) if option not in own]
        if not data:
            _refuse_idle(idle, "no data are read. Name newer data")


def _one_or_more(names: list[str] | None) -> str | list[str] | None:
    return names[0] if names and len(names) == 1 else names or None


@dataclass(frozen=True)
class Testing:
    """How the accuracy is measured."""

    cutoffs: Annotated[
        int,
        typer.Option(
            metavar="K",
            help="Cutoffs held out to measure accuracy, as far as history allows; 0: none.",
        ),
    ] = 5
    baselines: Annotated[
        str,
        typer.Option(
            metavar="simple|classical", help="classical adds AutoETS, AutoTheta and AutoARIMA."
        ),
    ] = "simple"

    def __post_init__(self) -> None:
        if self.baselines not in ("simple", "classical"):
            raise UsageError(
                f"--baselines {self.baselines!r} is not known. Choose one of: simple, classical."
            )
        if self.cutoffs < 0:
            raise UsageError(
                f"--cutoffs {self.cutoffs} makes no sense. Give a whole number; 0 measures nothing."
            )
        if self.cutoffs == 0:
            idle = [f"--baselines {self.baselines}"] if self.baselines != "simple" else []
            _refuse_idle(idle, "--cutoffs 0 compares nothing. Give 1 cutoff or more")

    def compared(self) -> Literal[True, "classical"]:
        """The baselines, as `lstmcast.backtest` takes them."""
        return "classical" if self.baselines == "classical" else True


@dataclass(frozen=True)
class Refitting:
    """Whether a backtest trains, and how."""

    refit: Annotated[
        str | None,
        typer.Option(
            metavar="never|once|each",
            help="Train on what precedes the first cutoff, or each. Never unless given; once for "
            "one from scratch.",
        ),
    ] = None
    workers: Annotated[
        int | None,
        typer.Option(metavar="N", help="Processes that train at the same time; one unless given."),
    ] = None
    folder: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Keep what is finished there: an interrupted backtest goes on."
        ),
    ] = None

    def chosen(self) -> Any:
        """What `lstmcast.backtest` calls it."""
        if self.refit not in (None, "never", "once", "each"):
            raise UsageError(
                f"--refit {self.refit!r} is not known. Choose one of: never, once, each."
            )
        return self.refit

    def require_use_of(self, training: Training) -> None:
        """UsageError for options that say how to train, or in how many processes, where it is
        not done so."""
        refit, workers = self.chosen(), ["--workers"] if self.workers is not None else []
        if refit in (None, "never") and training.weights != "scratch":
            _refuse_idle(
                training.given() + workers, "nothing is trained. Add --refit once or --refit each"
            )
        elif refit in (None, "once"):
            _refuse_idle(workers, "the model is trained once only. Give --refit each")


@dataclass(frozen=True)
class Training:
    """What is trained, and how."""

    weights: Annotated[
        str,
        typer.Option(
            metavar="pretrained|scratch|DIR",
            help="Start from the shipped network, afresh, or from a saved one.",
        ),
    ] = "pretrained"
    layers: Annotated[
        str | None,
        typer.Option(metavar="64,64", help="Units of each LSTM layer of a network from scratch."),
    ] = None
    epochs: Annotated[int | None, typer.Option(metavar="N", help="At most so many epochs.")] = None
    batch_size: Annotated[
        int | None, typer.Option(metavar="N", help="Windows or series in an update.")
    ] = None
    learning_rate: Annotated[
        float | None, typer.Option(metavar="RATE", help="Of the optimiser.")
    ] = None
    patience: Annotated[
        int | None,
        typer.Option(
            metavar="N", help="Stop after so many epochs without a better validation loss."
        ),
    ] = None
    members: Annotated[
        int | None,
        typer.Option(
            metavar="N", help="Networks from scratch that differ by their seed, averaged."
        ),
    ] = None
    everything: Annotated[
        bool,
        typer.Option(
            "--everything",
            help="In the end train again on everything, the part held back included.",
        ),
    ] = False
    seed: Annotated[int, typer.Option(metavar="N", help="Of all that is drawn by chance.")] = 0
    precision: Annotated[
        str,
        typer.Option(
            metavar="full|mixed",
            help="mixed: in bfloat16, faster on GPUs and processors that have it.",
        ),
    ] = "full"
    device: Annotated[str, typer.Option(metavar="cpu|cuda", help="Where to train.")] = "cpu"
    threads: Annotated[
        int | None, typer.Option(metavar="N", help="Processors; all that help unless given.")
    ] = None

    def __post_init__(self) -> None:
        if wrong := list(self._wrong()):  # all of it together
            raise UsageError("\n".join(wrong))

    def _wrong(self) -> Iterator[str]:
        """What is wrong with the options, a sentence each."""
        for name in ("epochs", "batch_size", "patience", "members", "threads"):
            given = getattr(self, name)
            if given is not None and given < 1:
                option = name.replace("_", "-")
                yield f"--{option} {given} makes no sense. Give a whole number from 1."
        if self.learning_rate is not None and not 0 < self.learning_rate < math.inf:
            yield (
                f"--learning-rate {self.learning_rate:g} makes no sense. Give a number such as "
                "0.001."
            )
        if self.seed < 0:
            yield f"--seed {self.seed} makes no sense. Give a whole number from 0."
        for name, known in (("device", ("cpu", "cuda")), ("precision", ("full", "mixed"))):
            given = getattr(self, name)
            if given not in known:
                yield f"--{name} {given!r} is not known. Choose one of: {', '.join(known)}."
        for name in ("layers", "members"):
            if getattr(self, name) is not None and self.weights != "scratch":
                yield (
                    f"--{name} describes networks from scratch, but --weights {self.weights} has "
                    f"its own. Give --weights scratch with it, or leave --{name} out."
                )

    def given(self) -> list[str]:
        """The options that say how to train, as they were typed; those that stay as usual are
        left out."""
        return [option for option in _typed(self) if option != "--weights"]

    def hardware(self) -> dict[str, Any]:
        """On what `LSTMForecaster.fit` trains."""
        return {"device": self.device, "threads": self.threads}

    def forecaster(
        self,
        horizon: int,
        quantiles: tuple[float, ...] = (),
        past: Sequence[str] = (),
        method: str = "auto",
    ) -> LSTMForecaster:
        """A forecaster that trains so; one from scratch reads the columns `past` beside the
        target."""
        from dataclasses import replace

        from lstmcast.forecaster import LSTMForecaster

        chosen: dict[str, Any] = {"quantiles": quantiles} if quantiles else {}
        chosen["method"] = method
        network = self._network(past)
        usual = LSTMForecaster(
            horizon, weights=self.weights, network=network, seed=self.seed, **chosen
        )
        names = ("epochs", "batch_size", "patience", "members", "precision")
        given = {name: getattr(self, name) for name in names if getattr(self, name) is not None}
        optimiser = usual.training.optimiser
        if self.learning_rate is not None:
            optimiser = replace(optimiser, learning_rate=self.learning_rate)
        try:
            training = replace(usual.training, **given, optimiser=optimiser, refit=self.everything)
        except ValueError as error:
            raise UsageError(f"these training options make no sense: {_first_of(error)}") from error
        return LSTMForecaster(
            horizon,
            weights=self.weights,
            network=network,
            training=training,
            seed=self.seed,
            **chosen,
        )

    def _network(self, past: Sequence[str]) -> NetworkConfig | None:
        from lstmcast.model.inputs import Transformed
        from lstmcast.model.network import NetworkConfig
        from lstmcast.transforms import Standard

        inputs: dict[str, Any] = {}
        if past and self.weights == "scratch":
            inputs = {"inputs": Transformed(Standard(), past=past)}
        if self.layers is None:
            return NetworkConfig(**inputs) if inputs else None
        sizes = self.layers.split(",")
        if not all(size.strip().isdecimal() and int(size) > 0 for size in sizes):
            raise UsageError(
                f"--layers {self.layers!r} makes no sense. Give the units of each layer, such as "
                "64,64."
            )
        return NetworkConfig(layers=tuple(int(size) for size in sizes), **inputs)


def _typed(group: Any) -> list[str]:
    """The options of a group, as they were typed; those that stay as usual are left out."""
    usual = type(group)()
    names = [name for name in vars(usual) if getattr(group, name) not in (getattr(usual, name), [])]
    return [f"--{name.replace('_', '-')}" for name in names]


def _refuse_idle(options: Sequence[str], why: str) -> None:
    """UsageError for options that would have no effect, if there are any; why: the reason, and
    what to add."""
    if options:
        left_out = "it" if len(options) == 1 else "them"
        raise UsageError(
            f"{', '.join(options)} would have no effect, as {why}, or leave {left_out} out."
        )


def _first_of(error: ValueError) -> str:
    """What pydantic says of the first wrong field, in one line."""
    errors = getattr(error, "errors", None)
    if errors is None:
        return str(error)
    first = errors()[0]
    return f"{'.'.join(map(str, first['loc']))}: {first['msg']}, not {first['input']!r}"


@dataclass(frozen=True)
class ExampleOptions:
    """What an example learns from, how it is run, and where its results go."""

    data: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Your own series, through the same system."),
    ] = None
    column: Annotated[
        list[str] | None,
        typer.Option(
            "--column",
            "--target",
            metavar="COLUMN",
            help="Column of the data to learn from; again for several.",
        ),
    ] = None
    time: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN", help="Column of the data with the times; 'index' numbers the rows."
        ),
    ] = None
    faithful: Annotated[
        bool,
        typer.Option(
            "--faithful", help="With the article's own sizes, optimiser, epochs and initialisers."
        ),
    ] = False
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where results go; lstmcast-NAME unless given."),
    ] = None
    seed: Annotated[int, typer.Option(metavar="N", help="Random seed.")] = 0
    seeds: Annotated[
        int | None,
        typer.Option(metavar="N", help="Run N times, with N seeds: medians and their range."),
    ] = None
    epochs: Annotated[
        int | None,
        typer.Option(metavar="N", help="Maximum number of epochs, instead of the example's own."),
    ] = None
    device: Annotated[str, typer.Option(metavar="cpu|cuda", help="Where to train.")] = "cpu"
    labels: Annotated[str | None, typer.Option(hidden=True)] = None


@dataclass(frozen=True)
class FitOutput:
    """Whether a training goes on from an earlier one, and what shows it."""

    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with a training that was interrupted, or kept.")
    ] = False
    keep_checkpoints: Annotated[
        bool,
        typer.Option(
            "--keep-checkpoints",
            help="Keep what a longer training, or one on newer data, can go on from.",
        ),
    ] = False
    plot: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Draw the learning curve as .png, .svg or .pdf."),
    ] = None
    report: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Write training, accuracy and forecast as one page, .html."
        ),
    ] = None


@dataclass(frozen=True)
class Output:
    """Where a forecast goes."""

    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write it as .csv, .csv.gz, .parquet, .jsonl or .xlsx; '-': as CSV on standard "
            "output, and nothing else there.",
        ),
    ] = None
    plot: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Draw it as .png, .svg or .pdf; many series on pages of a PDF."
        ),
    ] = None
    plot_series: Annotated[
        list[str] | None,
        typer.Option(metavar="SERIES", help="Draw this series; again for several."),
    ] = None
    unit: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Unit of the values, beside their axis.")
    ] = None
    dark: Annotated[bool, typer.Option("--dark", help="Pictures for a dark page.")] = False
    components: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Draw level, seasons and rest of a series as .png, .svg or .pdf."
        ),
    ] = None
    escape_formulas: Annotated[
        bool,
        typer.Option(
            "--escape-formulas",
            help="In CSV, write ids that spreadsheets take for formulas with an apostrophe.",
        ),
    ] = False
    level: Annotated[
        list[float] | None,
        typer.Option(
            metavar="PERCENT", help="Interval to give; again for several. 80 and 95 unless given."
        ),
    ] = None

    total: Annotated[
        str | None,
        typer.Option(
            metavar="month|quarter|horizon",
            help="Totals with their intervals, over each day, week, month, quarter, year or the "
            "whole horizon.",
        ),
    ] = None
    total_by: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMN",
            help="Totals over series: of those with the same value in COLUMN; again for several, "
            "'all' for everything.",
        ),
    ] = None
    service_level: Annotated[
        float | None,
        typer.Option(
            metavar="PERCENT",
            help="How much is enough in so many percent of cases: what to order or to have in "
            "stock, over the horizon or each --total.",
        ),
    ] = None
    lead_time: Annotated[
        int | None,
        typer.Option(
            metavar="N", help="Steps that an order has to last; the horizon if not given."
        ),
    ] = None

    def totals(self) -> Asked | None:
        """Which totals are wanted."""
        from lstmcast.totals import SPANS, STEP, WHOLE, Asked

        known = (STEP, *SPANS, WHOLE)
        if self.total is not None and self.total not in known:
            raise UsageError(
                f"--total {self.total!r} is no span of time. Choose one of: {', '.join(known)}."
            )
        if self.lead_time is not None and self.service_level is None:
            raise UsageError(
                "--lead-time says how long an order has to last, and needs --service-level, such "
                "as --service-level 95."
            )
        if self.total is None and not self.total_by and self.service_level is None:
            return None
        names = [name.strip() for given in self.total_by or () for name in given.split(",")]
        span = STEP if self.service_level is None else WHOLE
        return Asked(self.total or span, tuple(names), self.service_level, self.lead_time)

    def places(
        self, report: Path | None = None, model: Path | None = None, made_by: str = ""
    ) -> Outputs:
        """All the places that a forecast goes to; pictures and pages in the language that is
        spoken."""
        from lstmcast.output.places import Looks, Outputs

        table = None if self.to_screen else self.out
        looks = Looks(tuple(self.plot_series or ()), self.unit, self.dark)
        language = echo.words().language
        return Outputs(
            table,
            self.plot,
            report,
            model,
            made_by,
            language,
            looks,
            self.components,
            self.escape_formulas,
        )

    @property
    def to_screen(self) -> bool:
        """Whether the table goes to standard output, where nothing else may be then."""
        return self.out is not None and str(self.out) == STANDARD_OUTPUT

    def require_one_text(self, as_json: bool) -> None:
        """UsageError where JSON and a table would both be on standard output."""
        if as_json and self.to_screen:
            raise UsageError(
                "--json and --out - both write to standard output. Leave one out, or name a file."
            )

    def quantile_levels(self) -> tuple[float, ...]:
        """The median and the bounds of the intervals that were asked for; none where none was."""
        wrong = [level for level in self.level or () if not NARROWEST <= level <= WIDEST]
        if wrong:
            raise UsageError(
                f"--level {wrong[0]:.10g} makes no sense. Give percents from {NARROWEST:g} to "
                f"{WIDEST:g}, such as 80."
            )
        tails = [round((1 - level / 100) / 2, 6) for level in self.level or ()]
        return (
            tuple(sorted({0.5, *tails, *(round(1 - tail, 6) for tail in tails)})) if tails else ()
        )


STANDARD_OUTPUT = "-"  # the file that is none


@dataclass(frozen=True)
class LineOptions:
    """What the lines of a stream say."""

    time: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Column with the times; 'time', 'date', … unless given."),
    ] = None
    series: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Column that says whose value it is; 'series', 'unique_id' unless given, else "
            "each target is a series.",
        ),
    ] = None
    target: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help="Column with values; again for several. All others unless given."
        ),
    ] = None
    frequency: Annotated[
        str | None,
        typer.Option(
            metavar="FREQ", help="How far ticks lie apart: daily, 15min, … As the model's data."
        ),
    ] = None
    period: Period = None
    kind: Annotated[
        str | None,
        typer.Option(
            metavar="real|count|positive",
            help="What values can be: no forecast of counts or positive values is below 0.",
        ),
    ] = None

    rate: Rate = 0.001

    def naming(self) -> Naming:
        """Which names of a line are what."""
        from lstmcast.streaming.lines import Naming

        return Naming(self.time, self.series, tuple(self.target or ()))

    def known_kind(self) -> Kind | None:
        """What values can be, if it was given; UsageError for what is none of them."""
        from lstmcast.data.table import Kind, require_choice

        if self.kind is not None:
            require_choice("--kind", self.kind, get_args(Kind))
        return cast("Kind | None", self.kind)

    def periods(self) -> tuple[int, ...] | None:
        """The seasonal periods that were given."""
        return tuple(self.period) if self.period else None

    def refuse_frequency(self, known: str) -> None:
        """UsageError for a frequency that is not that of the data that a model remembers."""
        from lstmcast.data.frequency import parse_frequency

        if self.frequency is not None and parse_frequency(self.frequency).code != known:
            raise UsageError(
                f"--frequency {self.frequency}: the model remembers data whose frequency is "
                f"{known}, and the stream goes on from them. Leave --frequency out."
            )


@dataclass(frozen=True)
class Serving:
    """Where a server listens, who may ask it, and how much."""

    host: Annotated[
        str,
        typer.Option(
            metavar="HOST",
            help="Address to listen at; 127.0.0.1 is for this machine alone, 0.0.0.0 for others.",
        ),
    ] = "127.0.0.1"
    port: Annotated[int, typer.Option(metavar="N", help="Port; 0 for any that is free.")] = 8000
    token: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT",
            envvar="LSTMCAST_TOKEN",
            show_envvar=False,
            help="What clients have to show; better in the variable LSTMCAST_TOKEN, which other "
            "users of the machine cannot see.",
        ),
    ] = None
    streams: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", parser=named, help="Keep streams there, and go on with those in it."
        ),
    ] = None
    save_every: Annotated[
        int,
        typer.Option(metavar="N", help="Write a stream's whole state after every N ticks."),
    ] = 1000
    max_body: Annotated[
        float, typer.Option(metavar="MB", help="Largest body of a request, in megabytes.")
    ] = 32.0
    max_rows: Annotated[
        int, typer.Option(metavar="N", help="Most values that a request reads or gets.")
    ] = 1_000_000
    max_horizon: Annotated[int, typer.Option(metavar="N", help="Most steps ahead.")] = 10_000
    timeout: Annotated[
        float, typer.Option(metavar="SECONDS", help="Longest time that an answer may take.")
    ] = 60.0

    def settings(self, models: Sequence[str]) -> Settings:
        """What is served, within these limits. UsageError."""
        from lstmcast.server.guards import allowed_hosts
        from lstmcast.server.settings import LOOPBACK, Limits, Settings, models_of

        limits = Limits(
            body=self._bytes(),
            rows=_above_zero("--max-rows", self.max_rows),
            horizon=_above_zero("--max-horizon", self.max_horizon),
            seconds=_above_zero("--timeout", self.timeout),
        )
        save_every = _above_zero("--save-every", self.save_every)
        hosts = allowed_hosts(self.host, LOOPBACK)
        return Settings(models_of(models), self.streams, save_every, self.token, hosts, limits)

    def _bytes(self) -> int:
        return max(1, int(1e6 * _above_zero("--max-body", self.max_body)))

    @property
    def open_to_all(self) -> bool:
        """Whether anybody who reaches it may ask."""
        from lstmcast.server.settings import LOOPBACK

        return self.token is None and self.host not in LOOPBACK


Number = TypeVar("Number", int, float)


def _above_zero(option: str, value: Number) -> Number:
    """A limit; UsageError for one that lets nothing through, or is none."""
    if not 0 < value < math.inf:
        raise UsageError(f"{option} {value:g} is no limit. Give a number above 0.")
    return value


OLD_NAME = "--labels"  # of --language, which `example` had before other commands


def language_of(arguments: Sequence[str], environment: Mapping[str, str], encoding: str) -> str:
    """The language that a command line asks for, else that of the system.

    It is looked for before the line is parsed, so that help and wrong usage come in it too. The
    system's counts only where its letters can be shown in `encoding`; a wrong name stays, and is
    refused by `known_language`.

    >>> language_of(["check", "a.csv", "--language=ja"], {}, "ascii")
    'ja'
    >>> language_of(["check", "a.csv"], {"LANG": "ja_JP.UTF-8"}, "ascii")
    'en'
    """
    ours = list(arguments[: arguments.index("--")] if "--" in arguments else arguments)
    pairs = [*pairwise(ours), *(tuple(one.split("=", 1)) for one in ours if "=" in one)]
    given = {name: value for name, value in pairs if name in ("--language", OLD_NAME)}
    if given:
        return given.get("--language") or given[OLD_NAME]
    language = system_language(environment)
    try:
        "日本語".encode(encoding)
    except (LookupError, UnicodeError):
        return "en"
    return language


def log_file_of(arguments: Sequence[str]) -> str | None:
    """The log file that a command line names: wrong usage is told there too.

    >>> log_file_of(["check", "a.csv", "--log-file=night.log"])
    'night.log'
    """
    ours = list(arguments[: arguments.index("--")] if "--" in arguments else arguments)
    for one, following in pairwise([*ours, ""]):
        if one == "--log-file":
            return following
        if one.startswith("--log-file="):
            return one.partition("=")[2]
    return None


def known_language(name: str | None, option: str = "--language") -> None:
    """UsageError for a language that is not there."""
    if name is not None and name not in LANGUAGES:
        raise UsageError(f"{option} {name!r} is not known. Choose one of: {', '.join(LANGUAGES)}.")


def with_groups(function: Callable[..., None]) -> Callable[..., None]:
    """The function as typer wants it: a parameter whose type is a dataclass becomes one option per
    field.

    So options that commands share are written once, and arrive as one value. `values` is what the
    parser found: it is taken apart here and handed on under names. Every command has `--language`,
    which `language_of` has read before.
    """
    parameters = inspect.signature(function, eval_str=True).parameters.values()
    groups: dict[str, Any] = {
        p.name: p.annotation for p in parameters if is_dataclass(p.annotation)
    }

    @functools.wraps(function)
    def parsed(**values: Any) -> None:
        known_language(values.pop("language"))
        values.pop("log_file")  # `log_file_of` has read it before
        for name, group in groups.items():
            values[name] = group(**{name: values.pop(name) for name in get_type_hints(group)})
        function(**values)

    flat = [
        option
        for p in parameters
        for option in (_options(p.annotation) if p.name in groups else [p])
    ]
    keyword = inspect.Parameter.KEYWORD_ONLY
    flat = [p.replace(kind=keyword) for p in flat]
    flat.append(inspect.Parameter("language", keyword, default=None, annotation=Language))
    flat.append(inspect.Parameter("log_file", keyword, default=None, annotation=LogFile))
    parsed.__signature__ = inspect.Signature(flat)  # pyright: ignore[reportAttributeAccessIssue]
    parsed.__annotations__ = {p.name: p.annotation for p in flat}
    return parsed


def _options(group: type) -> list[inspect.Parameter]:
    hints = get_type_hints(group, include_extras=True)
    keyword = inspect.Parameter.KEYWORD_ONLY
    return [
        inspect.Parameter(name, keyword, default=getattr(group, name), annotation=hints[name])
        for name in hints
    ]
