"""The command line: one command = parse, run a job, print.

Results go to standard output or the named files; notes go to standard error. Exit status: 0 done, 1
the data, the model or a place for results cannot be used, 2 wrong usage. Everything except typer is
imported where it is used, so that `lstmcast --help` is fast.
"""

from __future__ import annotations

import inspect
import os
import shlex
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from io import TextIOWrapper
from typing import Annotated, Any, NoReturn

import typer

from lstmcast._version import __version__
from lstmcast.cli import echo, manner, misuse
from lstmcast.cli.commands import (
    exporting,
    filed,
    forecasting,
    live,
    models,
    sql,
    training,
    tuning,
)
from lstmcast.cli.help import Command, Group
from lstmcast.cli.options.common import Language
from lstmcast.cli.options.groups import with_groups
from lstmcast.cli.options.language import (
    OLD_NAME,
    known_language,
    language_of,
    log_file_of,
)
from lstmcast.cli.starting import start_fast
from lstmcast.cli.status import failed, open_closed_streams, status_of, terminated
from lstmcast.databases.address import hidden
from lstmcast.errors import LstmcastError
from lstmcast.util.language import LANGUAGES

COMMANDS: dict[str, Callable[..., None]] = {
    function.__name__: function
    for function in (
        forecasting.forecast,
        training.fit,
        tuning.tune,
        forecasting.check,
        training.backtest,
        forecasting.predict,
        live.anomalies,
        filed.run,
        filed.job,
        sql.sql,
        live.stream,
        live.serve,
        live.mcp,
        models.info,
        models.importance,
        exporting.export,
        training.example,
    )
}
PLAIN: dict[str, Any] = {
    "add_completion": False,
    # plain help needs no further imports and reads well in a pipe
    "rich_markup_mode": None,
    "pretty_exceptions_enable": False,
}


class Commands(Group):
    """All commands in order. Only the one that is asked for is built: reading the options of all
    would take as long as all else that `--help` does."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands = {
            name: Command(name=name, help=inspect.getdoc(function))
            for name, function in COMMANDS.items()
        }

    def resolve_command(
        self, ctx: Any, args: list[str]
    ) -> tuple[str | None, Any, list[str]]:
        """The command that the arguments name, with its options."""
        name, command, rest = super().resolve_command(ctx, args)
        if name in COMMANDS:
            command = command_of(name)
        return name, command, rest


def command_of(name: str) -> Any:
    """A command with its options, as the parser knows it."""
    alone = typer.Typer(**PLAIN)
    alone.command(cls=Command)(with_groups(COMMANDS[name]))
    return typer.main.get_command(alone)


app = typer.Typer(
    name="lstmcast",
    cls=Commands,
    help="Forecast time series from CSV files and other data with a pretrained network.",
    epilog="Example: lstmcast forecast airline.csv --horizon 12 --plot forecast.png --out "
    "forecast.csv",
    no_args_is_help=True,
    **PLAIN,
)


@app.callback(invoke_without_command=True)
def _root(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.")
    ] = False,
    language: Language = None,
) -> None:
    known_language(language)
    if version:
        typer.echo(f"lstmcast {__version__}")
        raise typer.Exit


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit: 0 done, 1 cannot be done (one message), 2 wrong usage."""
    start_fast()
    open_closed_streams()
    for stream in (sys.stdout, sys.stderr):
        # an ASCII-only terminal should get escapes, not an error
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, terminated)
    sys.exit(status_of(lambda: _run(arguments)))


def _run(arguments: Sequence[str] | None) -> int:
    arguments_given = sys.argv[1:] if arguments is None else arguments
    language = language_of(arguments_given, os.environ, sys.stdout.encoding or "ascii")
    if language not in LANGUAGES:
        language = "en"
    manner.speak(language)
    if any(argument.partition("=")[0] == OLD_NAME for argument in arguments_given):
        echo.note(False, f"note: {OLD_NAME} is now called --language")
    manner.errors_as_json("--json" in arguments_given)
    # as shown in a log and in reports
    command = shlex.join(["lstmcast", *map(hidden, arguments_given)])
    with manner.logged(log_file_of(arguments_given)):
        manner.log(f"command: {command}")
        return _told(arguments_given, command)


def _told(arguments: Sequence[str], command: str) -> int:
    try:
        with echo.warnings():
            status = app(
                arguments,
                prog_name="lstmcast",
                obj=command,  # for reports
                standalone_mode=False,
            )
    except LstmcastError as error:
        # here, while the log file is open
        return failed(error)
    except Exception as error:
        return _misused(error, arguments)
    status = status if isinstance(status, int) else 0
    manner.log(f"exit status {status}")
    return status


def _misused(error: Exception, arguments: Sequence[str]) -> int:
    """Report a usage error of the parser; re-raise any other error."""
    # These errors have no class that exists in all versions of typer.
    if not hasattr(error, "show") or not hasattr(error, "exit_code"):
        raise error
    status = error.exit_code  # pyright: ignore[reportAttributeAccessIssue]
    if type(error).__name__ == "NoArgsIsHelpError":
        error.show()  # pyright: ignore[reportAttributeAccessIssue]
    else:
        echo.failure(misuse.message_of(error, arguments), "UsageError", status)
    return status
