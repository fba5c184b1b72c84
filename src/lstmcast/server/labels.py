"""Messages in the words of the page: labels of its fields in place of options of the command."""

from __future__ import annotations

from lstmcast.advice import reworded
from lstmcast.util.language import Words

# options of the command that are fields of the page
_LABELS = {
    "target": "Target",
    "time": "Time column",
    "series": "Column that names the series",
    "frequency": "Frequency",
    "sheet": "Sheet of a workbook",
    "duplicates": "Several rows for one time",
    "missing": "Missing values",
}
_VALUES = {
    ("target", "*"): "every column, as series",
    ("time", "index"): "none: the rows are numbered",
    ("duplicates", "mean"): "use the mean",
    ("duplicates", "sum"): "use the sum",
    ("missing", "interpolate"): "interpolate",
}
_PLACEHOLDERS = ("", "NAME", "FREQ", "列名")


def on_page(message: str, words: Words) -> str:
    """A message with the labels of the page in place of the options of the command.

    >>> from lstmcast.util.language import ENGLISH
    >>> on_page("Choose one with --target north.", ENGLISH)
    'Choose one with “Target: north”.'
    >>> on_page("choose --duplicates mean, or --missing interpolate", ENGLISH)
    'choose “Several rows for one time: use the mean”, or “Missing values: interpolate”'
    """
    is_japanese = words.language == "ja"
    opening, closing = "「」" if is_japanese else "“”"
    colon = "：" if is_japanese else ": "

    def label(name: str, values: list[str]) -> str:
        value = values[0].strip("\"'") if values else ""
        shown_value = words(_VALUES.get((name, value), value))
        ending = "" if value in _PLACEHOLDERS else f"{colon}{shown_value}"
        return f"{opening}{words(_LABELS[name])}{ending}{closing}"

    return reworded(message, {name: name for name in _LABELS}, label)
