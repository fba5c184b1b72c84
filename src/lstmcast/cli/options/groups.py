"""Groups of options that are defined once and passed as one value."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import is_dataclass
from typing import Any, get_type_hints

from lstmcast.cli.options.common import Language, LogFile
from lstmcast.cli.options.language import known_language


def with_groups(function: Callable[..., None]) -> Callable[..., None]:
    """Wrap a function for typer: a parameter whose type is a dataclass becomes one option per
    field.

    So options that commands share are written once, and arrive as one value. `values` is what the
    parser found: it is taken apart here and handed on under names. Every command has `--language`,
    which `language_of` has read before.
    """
    parameters = inspect.signature(function, eval_str=True).parameters.values()
    groups: dict[str, Any] = {
        parameter.name: parameter.annotation
        for parameter in parameters
        if is_dataclass(parameter.annotation)
    }

    @functools.wraps(function)
    def parsed(**values: Any) -> None:
        known_language(values.pop("language"))
        values.pop("log_file")  # `log_file_of` has read it before
        for name, group in groups.items():
            values[name] = group(
                **{name: values.pop(name) for name in get_type_hints(group)}
            )
        function(**values)

    keyword = inspect.Parameter.KEYWORD_ONLY
    options: list[inspect.Parameter] = []
    for parameter in parameters:
        if parameter.name in groups:
            options += _options(parameter.annotation)
        else:
            options.append(parameter.replace(kind=keyword))
    options.append(
        inspect.Parameter("language", keyword, default=None, annotation=Language)
    )
    options.append(
        inspect.Parameter("log_file", keyword, default=None, annotation=LogFile)
    )
    parsed.__signature__ = inspect.Signature(options)  # pyright: ignore[reportAttributeAccessIssue]
    parsed.__annotations__ = {option.name: option.annotation for option in options}
    return parsed


def _options(group: type) -> list[inspect.Parameter]:
    hints = get_type_hints(group, include_extras=True)
    keyword = inspect.Parameter.KEYWORD_ONLY
    return [
        inspect.Parameter(
            name, keyword, default=getattr(group, name), annotation=hints[name]
        )
        for name in hints
    ]
