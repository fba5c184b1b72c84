"""The command line: one command = parse, call the public API, print.

Results go to standard output or the named files; notes go to standard error. Exit status: 0 done, 1 the data, the
model or a place for results cannot be used, 2 wrong usage. Everything but typer is imported where it is used, so that
`lstmcast --help` answers at once.
"""

from __future__ import annotations

import errno
import functools
import inspect
import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, get_type_hints

import typer

import lstmcast
from lstmcast.errors import LstmcastError, UsageError

if TYPE_CHECKING:
    from lstmcast.data.panel import Findings, Panel
    from lstmcast.evaluation.backtest import Backtest
    from lstmcast.forecast import Forecast

app = typer.Typer(
    name="lstmcast",
    help="From a messy CSV to a forecast that can be trusted. The network is already trained; nothing else is needed.",
    epilog="Example: lstmcast forecast airline.csv --horizon 12 --plot forecast.png --out forecast.csv",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # plain help needs no further import and reads well in a pipe
    pretty_exceptions_enable=False,
)

Data = Annotated[
    list[str],
    typer.Argument(metavar="DATA", help="CSV, Excel or Parquet files, or a pattern such as 'stores/*.csv'."),
]
Horizon = Annotated[int, typer.Option("--horizon", "-H", metavar="N", help="How many steps to forecast.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No notes on standard error.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON document on standard output instead of text.")]
Folder = Annotated[Path, typer.Argument(metavar="DIR", help="A saved model.")]


@dataclass(frozen=True)
class Reading:
    """Which columns to read, and what to do about what is wrong in them."""

    time: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Column with the times; 'index' numbers the rows.")
    ] = None
    target: Annotated[
        list[str] | None,
        typer.Option(metavar="COLUMN", help="Column to forecast; again for several, '*' for every one, as series."),
    ] = None
    series: Annotated[str | None, typer.Option(metavar="COLUMN", help="Column that tells series apart.")] = None
    frequency: Annotated[
        str | None, typer.Option(metavar="FREQ", help="monthly, weekly, daily, 15min, W-MON … Found unless given.")
    ] = None
    period: Annotated[
        list[int] | None,
        typer.Option(metavar="STEPS", help="Seasonal period in steps; may be repeated. From the frequency unless given."),
    ] = None
    kind: Annotated[str, typer.Option(metavar="real|count|positive", help="What values can be.")] = "real"
    aggregate: Annotated[
        str | None,
        typer.Option(
            metavar="sum|mean|min|max|first|last|median|count", help="Turn many rows per period into one value."
        ),
    ] = None
    duplicates: Annotated[
        str, typer.Option(metavar="error|mean|sum|first|last", help="Several rows for one series and time.")
    ] = "error"
    gaps: Annotated[str, typer.Option(metavar="fill|error", help="Times without a row: unknown values, or an error.")] = (
        "fill"
    )
    missing: Annotated[
        str, typer.Option(metavar="mask|interpolate", help="Missing values: left unknown, or interpolated.")
    ] = "mask"

    def arguments(self) -> dict[str, Any]:
        """The keyword arguments of `lstmcast.read`."""
        given = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "period"}
        targets = self.target or []
        given["target"] = (targets[0] if len(targets) == 1 else targets) or None
        return {**given, "periods": tuple(self.period) if self.period else None}


@dataclass(frozen=True)
class Testing:
    """How the accuracy is measured."""

    cutoffs: Annotated[
        int, typer.Option(metavar="K", help="Cutoffs held out to measure accuracy; fewer where history is short; 0: none.")
    ] = 5
    baselines: Annotated[
        str, typer.Option(metavar="simple|classical", help="classical adds AutoETS, AutoTheta and AutoARIMA.")
    ] = "simple"

    def __post_init__(self) -> None:
        if self.baselines not in ("simple", "classical"):
            raise UsageError(f"--baselines {self.baselines!r} is not known. Choose one of: simple, classical.")
        if self.cutoffs < 0:
            raise UsageError(f"--cutoffs {self.cutoffs} makes no sense. Give a whole number; 0 measures nothing.")


@dataclass(frozen=True)
class Output:
    """Where a forecast goes."""

    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the forecast as .csv or .parquet.")] = None
    plot: Annotated[Path | None, typer.Option(metavar="FILE", help="Draw it as .png, .svg or .pdf.")] = None
    level: Annotated[
        list[float] | None,
        typer.Option(metavar="PERCENT", help="Interval to give, such as 80; may be repeated. All unless given."),
    ] = None

    def check(self, data: Sequence[str]) -> None:
        """Raise before the work is done where its result could not be written."""
        from lstmcast import forecast
        from lstmcast.files import check_output

        for path, endings in ((self.out, forecast.ENDINGS), (self.plot, (".png", ".svg", ".pdf"))):
            if path is not None:
                check_output(path, endings)
                _refuse_overwriting(path, data)

    def write(self, forecast: Forecast, panel: Panel | None, tested: Backtest | None) -> list[str]:
        """Write the files that were asked for; gives what was written, for a note."""
        if self.out is not None:
            forecast.write(self.out)
        if self.plot is not None:
            from lstmcast.plots import ForecastPlot

            assert panel is not None
            ForecastPlot.from_forecast(forecast, panel, tested).save(self.plot)
        return [str(path) for path in (self.out, self.plot) if path is not None]


def _refuse_overwriting(path: Path, data: Sequence[str]) -> None:
    for source in data:
        if path.exists() and os.path.exists(source) and path.samefile(source):
            raise UsageError(f"{str(path)!r} is the data itself, and would be overwritten. Name another file.")


def command(function: Callable[..., None]) -> Callable[..., None]:
    """Register a command; a parameter whose type is a dataclass becomes one option per field.

    So options that commands share are written once, and arrive as one value. `values` is what the parser found: it
    is taken apart here and handed on under names.
    """
    parameters = inspect.signature(function, eval_str=True).parameters.values()
    groups = {p.name: p.annotation for p in parameters if is_dataclass(p.annotation)}

    @functools.wraps(function)
    def parsed(**values: Any) -> None:
        for name, group in groups.items():
            values[name] = group(**{field.name: values.pop(field.name) for field in fields(group)})
        function(**values)

    flat = [option for p in parameters for option in (_options(p.annotation) if p.name in groups else [p])]
    flat = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in flat]
    parsed.__signature__ = inspect.Signature(flat)  # pyright: ignore[reportAttributeAccessIssue]
    parsed.__annotations__ = {p.name: p.annotation for p in flat}
    return app.command()(parsed)


def _options(group: type) -> list[inspect.Parameter]:
    hints = get_type_hints(group, include_extras=True)
    return [
        inspect.Parameter(field.name, inspect.Parameter.KEYWORD_ONLY, default=field.default, annotation=hints[field.name])
        for field in fields(group)
    ]


# ---------------------------------------------------------------- the commands


@command
def forecast(
    data: Data, horizon: Horizon, reading: Reading, testing: Testing, output: Output,
    save: Annotated[Path | None, typer.Option(metavar="DIR", help="Save the model, ready for `predict`.")] = None,
    quiet: Quiet = False, as_json: Json = False,
) -> None:  # fmt: skip
    """Read, check, test against baselines on held-out cutoffs, forecast, write."""
    from lstmcast import store
    from lstmcast.forecast import checked_horizon

    checked_horizon(horizon)
    output.check(data)
    if save is not None:
        store.check_place(save)
    panel = _read(data, reading, quiet)
    model = _model(horizon)
    tested = _tested(model, panel, testing)
    result = _with_levels(model.predict(panel), output.level)
    written = output.write(result, panel, tested)
    if save is not None:
        model.save(save)
        written.append(str(save))
    if as_json:
        _print_json({"data": _described(panel), "accuracy": _parsed(tested), "forecast": _parsed(result), "files": written})
    else:
        _print_forecast(result, tested, written, quiet)


def _read(data: Sequence[str], reading: Reading, quiet: bool) -> Panel:
    from lstmcast.data.readers import read

    panel = read(data[0] if len(data) == 1 else list(data), **reading.arguments())
    if not quiet:
        from lstmcast import console

        _note(console.panel_line(panel))
        for line in console.finding_lines(panel.check(), console.MOST_FINDINGS):
            _note(line)
    return panel


def _model(horizon: int) -> Any:
    from lstmcast.forecaster import LSTMForecaster

    return LSTMForecaster(horizon)


def _tested(model: Any, panel: Panel, testing: Testing) -> Backtest | None:
    if testing.cutoffs == 0:
        return None
    from lstmcast.evaluation.backtest import backtest

    baselines = "classical" if testing.baselines == "classical" else True
    return backtest(model, panel, cutoffs=testing.cutoffs, baselines=baselines)


def _with_levels(result: Forecast, levels: Sequence[float] | None) -> Forecast:
    """The forecast with these intervals and the median only."""
    if not levels:
        return result
    from dataclasses import replace

    tails = [(1 - result.interval(level).level / 100) / 2 for level in levels]
    wanted = [0.5, *tails, *(1 - tail for tail in tails)]
    kept = [i for i, level in enumerate(result.levels) if any(abs(level - held) < 1e-6 for held in wanted)]
    return replace(result, quantiles=result.quantiles[:, :, kept], levels=tuple(result.levels[i] for i in kept))


def _print_forecast(result: Forecast, tested: Backtest | None, written: Sequence[str], quiet: bool) -> None:
    from lstmcast import console

    if tested is not None:
        typer.echo(f"{tested.summary()}\n")
    typer.echo(console.forecast_table(result))
    if written and not quiet:
        _note("written: " + ", ".join(written))


def _described(panel: Panel) -> dict[str, Any]:
    from lstmcast.data.table import format_time

    return {
        "source": panel.report.source,
        "rows": panel.report.rows,
        "series": len(panel),
        "values": len(panel.values),
        "frequency": panel.frequency.code,
        "periods": list(panel.periods),
        "start": format_time(panel.starts.min()),
        "end": format_time(panel.ends.max()),
        "findings": _rows(panel.check()),
    }


def _rows(findings: Findings) -> list[dict[str, Any]]:
    from dataclasses import asdict

    return [asdict(finding) for finding in findings]


def _parsed(result: Forecast | Backtest | None) -> Any:
    return None if result is None else json.loads(result.to_json())


def _print_json(document: dict[str, Any]) -> None:
    typer.echo(json.dumps({"lstmcast": lstmcast.__version__, **document}, ensure_ascii=False, indent=1))


def _note(text: str) -> None:
    typer.echo(text, err=True)


# ---------------------------------------------------------------- around the commands


@app.callback(invoke_without_command=True)
def _root(
    version: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False,
) -> None:
    if version:
        typer.echo(f"lstmcast {lstmcast.__version__}")
        raise typer.Exit


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit: 0 done, 1 cannot be done (one message), 2 wrong usage."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a terminal that knows ASCII only should get escapes, not an error
            stream.reconfigure(errors="backslashreplace")
    sys.exit(_status(arguments))


def _status(arguments: Sequence[str] | None) -> int:
    try:
        status = _run(arguments)
        sys.stdout.flush()  # a full disk behind a redirection shows here, not after the last line of Python
        return status
    except LstmcastError as error:
        return _fail(str(error), error.exit_status)
    except KeyboardInterrupt:
        return _fail("stopped. Nothing was left half-written.", 130)
    except MemoryError:
        return _fail("there is not enough memory for this. Forecast fewer series at a time, or a shorter horizon.")
    except BrokenPipeError:
        return _silenced()
    except OSError as error:
        if error.errno == errno.ENOSPC:
            return _fail("the disk is full. Make room and try again.")
        return _fail(f"the system refused: {error}")
    except Exception as error:
        if os.environ.get("LSTMCAST_DEBUG"):
            raise
        return _fail(
            f"a defect in lstmcast: {type(error).__name__}: {error}\n"
            "Please report it, with the command and what LSTMCAST_DEBUG=1 shows before it."
        )


def _run(arguments: Sequence[str] | None) -> int:
    try:
        app(arguments, prog_name="lstmcast")
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 0
    return 0


def _fail(message: str, status: int = 1) -> int:
    _note(f"lstmcast: {message}")
    if sys.stdout.closed:
        return status
    return status


def _silenced() -> int:
    """The reader of our output went away, as `head` does: no reason for a message, now or while Python ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 1
