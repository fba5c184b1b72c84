"""Messages in the words of the page: labels of its fields in place of options of the command."""

from __future__ import annotations

from lstmcast.advice import reworded
from lstmcast.util.language import Words

# options of the command that are fields of the page
_LABELS = {
    "target": "Target",
    "time": "Time column",
    "series": "Column that tells series apart",
    "frequency": "Frequency",
    "sheet": "Sheet of a workbook",
    "duplicates": "Several rows for one time",
    "missing": "Missing values",
}
_VALUES = {
    ("target", "*"): "every column, as series",
    ("time", "index"): "none: the rows are numbered",
    ("duplicates", "mean"): "average",
    ("duplicates", "sum"): "add up",
    ("missing", "interpolate"): "interpolate",
}
_PLACEHOLDERS = ("", "NAME", "FREQ", "列名")


def on_page(message: str, words: Words) -> str:
    """A message with the labels of the page in place of the options of the command.

    >>> from lstmcast.util.language import ENGLISH
    >>> on_page("Choose one with --target north.", ENGLISH)
    'Choose one with “Target = north”.'
    >>> on_page("use --duplicates mean, or name them (--series NAME)", ENGLISH)
    'use “Several rows for one time = average”, or name them (“Column that tells series apart”)'
    """
    opening, closing = "「」" if words.language == "ja" else "“”"

    def label(name: str, values: list[str]) -> str:
        value = values[0].strip("\"'") if values else ""
        shown_value = words(_VALUES.get((name, value), value))
        ending = "" if value in _PLACEHOLDERS else f" = {shown_value}"
        return f"{opening}{words(_LABELS[name])}{ending}{closing}"

    return reworded(message, {name: name for name in _LABELS}, label)
