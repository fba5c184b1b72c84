"""Advice in the words of whoever reads a message.

Messages name settings as the command does: "Choose one with --target sales". A reader in Python
has arguments instead (`target='sales'`), and a request has fields (`"target": "sales"`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache

# options of the command that lstmcast.read, forecasters and results have as arguments
_SAME_NAME = (
    *("time", "target", "series", "sheet", "past", "future", "future-data", "static"),
    *("static-data", "holidays", "hindsight", "frequency", "kind", "aggregate"),
    *("duplicates", "gaps", "missing", "decimal", "header", "date-format"),
    *("missing-codes", "calendar", "on-error", "query", "horizon", "method", "cutoffs"),
    *(
        "data",
        "column",
        "key",
        "if-exists",
        "workers",
        "chunk",
        "part",
        "minutes",
        "outliers",
    ),
)
_ARGUMENTS = {
    **{name: name.replace("-", "_") for name in _SAME_NAME},
    "day-first": "day_first=True",
    "month-first": "day_first=False",
    "resume": "resume=True",
    "escape-formulas": "escape_formulas=True",
    "period": "periods",
    "total-by": "by",
    "hierarchy": "levels",
    "reconcile": "method",
    "model": "folder",
    "epochs": "epochs",
}
_OF_TRAINING = ("epochs",)  # fields of TrainingConfig
_NUMBERS = (
    *("header", "period", "periods", "horizon", "cutoffs", "level"),
    *("workers", "chunk", "minutes", "epochs"),
)
_FIELD_NAMES = (
    *("time", "target", "series", "sheet", "past", "future", "static", "holidays"),
    *("hindsight", "frequency", "period", "kind", "aggregate", "duplicates", "gaps"),
    *("missing", "decimal", "header", "date-format", "missing-codes", "calendar"),
    *(
        "on-error",
        "horizon",
        "until",
        "level",
        "method",
        "total",
        "total-by",
        "cutoffs",
    ),
)
_FIELDS = {
    **{name: name.replace("-", "_") for name in _FIELD_NAMES},
    "day-first": "day_first=true",
    "month-first": "day_first=false",
}
# words that follow an option without being its value
_FOLLOWING = (
    *("to", "or", "and", "with", "without", "is", "are", "needs", "on", "of", "for"),
    *("if", "so", "in", "as", "has", "must", "would", "which", "stores", "names"),
    *("that", "out", "columns", "it", "them"),
)
_IN_QUOTES = r"\"[^\"]*\"|'[^']*'"
_MARK = r"[.,](?=[\s.)、。]|$)"  # of decimals
# a word without the punctuation of its sentence; particles follow options in Japanese
_WORD = rf"(?!--|(?:{'|'.join(_FOLLOWING)})\b)(?![ぁ-ん(—–])[^\s\"'()：]*[^\s\"'().,;:。、：]"
_VALUE = rf"(?:{_IN_QUOTES}|{_MARK}|{_WORD})"
_FLAG = "day-first|month-first|resume|escape-formulas"  # options without a value
_DEMAND = r"\b(\w+)= must\b"  # of an argument without a value
_COMMAND = r"`[^`]*`|lstmcast [a-z]+ [^.;:)]*"


def in_python(text: str) -> str:
    """A message with arguments of functions in place of the options of the command.

    >>> in_python("Choose one with --target sales, or leave out --time.")
    "Choose one with target='sales', or leave out time=."
    >>> in_python("Number the rows with --time index --period N.")
    "Number the rows with time='index', periods=N."
    >>> in_python("--horizon must be at least 1, got 0.")
    'horizon must be at least 1, got 0.'
    """
    named = reworded(text, _ARGUMENTS, _as_argument)
    return re.sub(_DEMAND, r"\1 must", named)


def in_fields(text: str) -> str:
    """A message with fields of a request in place of the options of the command.

    >>> in_fields("Choose one with --target sales, or leave out --time.")
    'Choose one with "target": "sales", or leave out "time".'
    """
    return reworded(text, _FIELDS, _as_field)


def advise(name: str, value: object) -> str:
    """How messages name a setting: the option of the command, with its value as a shell needs it.

    >>> advise("date_format", "%d.%m.%Y"), advise("target", "sales")
    ('--date-format "%d.%m.%Y"', '--target sales')
    """
    text = str(value)
    quoted = f'"{text}"' if re.search(r"[^\w.,+-]|^\W+$", text) else text
    return f"--{name.replace('_', '-')} {quoted}"


def codes_of(listings: Iterable[str]) -> list[str]:
    """The codes for missing values that an option lists, joined by commas; one with a comma in it
    stands in single quotes.

    >>> codes_of(["-200,Bad Input", "'<0,5=0,5',-9"])
    ['-200', 'Bad Input', '<0,5=0,5', '-9']
    """
    import csv  # not at the start of a program, which imports this module for its errors

    lines = [line for listing in listings for line in listing.splitlines()]
    rows = csv.reader(lines, quotechar="'", skipinitialspace=True)
    return [code for row in rows for code in row if code.strip()]


def reworded(
    text: str,
    names: Mapping[str, str],
    write: Callable[[str, list[str]], str],
) -> str:
    """A message with other names for the options of the command.

    names: the name of each option that this reader knows, others are kept; write:
    writes a name with the values that follow it, which may be in quotes.
    """
    if "--" not in text:
        return text

    def replacement(match: re.Match[str]) -> str:
        name = match["flag"] or match["name"]
        if name not in names:
            # a command, or an option that this reader has no word for
            return match[0]
        values = re.findall(f" ({_VALUE})", match["values"] or "")
        is_followed = text.startswith(" --", match.end())
        return write(names[name], values) + "," * is_followed

    return _options().sub(replacement, text)


@cache
def _options() -> re.Pattern[str]:
    """Commands, which have no name and are kept, and options with their values."""
    values = rf"(?P<values> {_VALUE}(?: --(?P=name) {_VALUE})*)?"
    valued = rf"(?P<name>[a-z]+(?:-[a-z]+)*)(?![\w-]){values}"
    return re.compile(
        rf"{_COMMAND}|(?<![\w-])--(?:(?P<flag>{_FLAG})(?![\w-])|{valued})"
    )


def _as_argument(name: str, values: list[str]) -> str:
    """A keyword argument of a function."""
    if "=" in name:
        return name
    elements = []
    for value in values:
        elements += _parts(name, value)
    literals = [_literal(name, element, repr) for element in elements]
    # a text is taken apart at commas, the elements of a list are not
    has_comma = any("," in element for element in elements)
    is_list = name == "missing_codes" and has_comma
    is_text = len(elements) == 1 and not is_list
    value = literals[0] if is_text else _listed(literals)
    argument = f"{name}={value}"
    return f"TrainingConfig({argument})" if name in _OF_TRAINING else argument


def _as_field(name: str, values: list[str]) -> str:
    """A field of a JSON document."""
    name, _, flag = name.partition("=")
    literals = [_literal(name, value, _in_json) for value in values]
    if flag:
        literals = [flag]
    value = literals[0] if len(literals) == 1 else _listed(literals)
    return f'"{name}": {value}' if value else f'"{name}"'


def _parts(name: str, value: str) -> list[str]:
    """The codes for missing values that an option lists; else one value."""
    return codes_of([value.strip('"')]) if name == "missing_codes" else [value]


def _listed(literals: list[str]) -> str:
    return f"[{', '.join(literals)}]" if literals else ""


def _literal(name: str, value: str, write: Callable[[str], str]) -> str:
    """A value as code: numbers and the N of a template as they are, texts and names in quotes."""
    is_number = name in _NUMBERS and re.fullmatch(r"-?\d+(\.\d+)?|N", value)
    if is_number:
        return value
    quote = '"' if value.startswith('"') else "'"
    return write(value.strip(quote))


def _in_json(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
