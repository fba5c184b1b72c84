"""Usage errors of the parser, in the words of all other errors."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from lstmcast.errors import UsageError
from lstmcast.util.patterns import pattern_of
from lstmcast.util.spelling import did_you_mean

# Versions of the parser differ in the words of these messages, not in what they are about.
_WHOLE = pattern_of(r"valid int")
_NUMBER = pattern_of(r"valid (float|number)")


def message_of(error: Any, arguments: Sequence[str]) -> str:
    """What is wrong with the arguments of a command, and where its help is.

    The errors are told apart by name: no class of theirs exists in all versions of typer.
    """
    messages = {
        "NoSuchOption": _no_option,
        "BadOptionUsage": _value_of_option,
        "MissingParameter": _missing,
        "BadParameter": _bad_value,
    }
    message = messages.get(type(error).__name__, _other)
    return f"{message(error, arguments)} {_where_help_is(error)}".strip()


def _no_option(error: Any, arguments: Sequence[str]) -> str:
    name = error.option_name
    # of -sales.csv, the parser knows -s alone
    files = [
        argument
        for argument in arguments
        if argument[:2] == name and Path(argument).is_file()
    ]
    if files:
        return (
            f"there is no option {files[0]}. If the file is meant, write ./{files[0]}."
        )
    return f"there is no option {name}.{did_you_mean(name, error.possibilities or (), str)}"


def _value_of_option(error: Any, arguments: Sequence[str]) -> str:
    verb = "needs a value" if "requires" in error.message else "takes no value"
    return f"{error.option_name} {verb}."


def _missing(error: Any, arguments: Sequence[str]) -> str:
    parameter = error.param
    if parameter.param_type_name == "option":
        return f"the option {parameter.opts[0]} is missing."
    return f"the argument {parameter.metavar or parameter.name.upper()} is missing."


def _bad_value(error: Any, arguments: Sequence[str]) -> str:
    if error.param is None:
        return error.message
    name = error.param.opts[0]
    if _WHOLE.search(error.message):
        kind = "a whole number"
        convert = int
    elif _NUMBER.search(error.message):
        kind = "a number"
        convert = float
    else:
        return f"{name}: {error.message}"
    values = _given(error.param.opts, arguments)
    refused = [repr(value) for value in values if not _is(convert, value)]
    ending = f", got {', '.join(refused)}" if refused else ""
    return f"{name} must be {kind}{ending}."


def _given(names: Sequence[str], arguments: Sequence[str]) -> Iterator[str]:
    """The values of an option among the arguments, which newer versions do not tell.

    >>> list(_given(["--horizon", "-H"], ["forecast", "--horizon=6", "-H", "six", "-Hten"]))
    ['6', 'six', 'ten']
    """
    for argument, following in pairwise([*arguments, ""]):
        for name in names:
            # -Hten, but --horizon=ten
            beginning = name if len(name) == 2 else f"{name}="
            if argument == name:
                yield following
            elif argument.startswith(beginning):
                yield argument.removeprefix(name).removeprefix("=")


def require_once(options: Sequence[Any], arguments: Sequence[str]) -> None:
    """Raise UsageError for an option of one value that is given with several: the parser would take
    the last one, and nobody would see that a file or a total is missing."""
    options_end = arguments.index("--") if "--" in arguments else len(arguments)
    for option in options:
        if option.param_type_name != "option" or option.multiple or option.is_flag:
            continue
        option_values = list(_given(option.opts, arguments[:options_end]))
        if len(set(option_values)) > 1:
            listing = ", ".join(option_values)
            raise UsageError(
                f"{option.opts[0]} is given with several values: {listing}. Give it once."
            )


def _is(convert: Callable[[str], Any], text: str) -> bool:
    """Whether the parser can convert a text; digits of other scripts are for Python alone."""
    try:
        convert(text)
    except ValueError:
        return False
    return text.isascii()


def _other(error: Any, arguments: Sequence[str]) -> str:
    message = error.format_message()
    if command := re.match(r"No such command ['\"](.+?)['\"]", message):
        commands = error.ctx.command.list_commands(error.ctx)
        return (
            f"there is no command {command[1]!r}.{did_you_mean(command[1], commands)}"
        )
    if extra := re.search(r"unexpected extra arguments? ?(?:\(s\) )?\((.*)\)", message):
        return f"unexpected argument: {extra[1]}."
    return message


def _where_help_is(error: Any) -> str:
    context = getattr(error, "ctx", None)
    return f"`{context.command_path} --help` shows how it is used." if context else ""
