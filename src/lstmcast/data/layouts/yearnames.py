"""The year in the names of columns whose labels lack it: "Product / 2023" beside months, "Sales
2023" behind them."""

from __future__ import annotations

from lstmcast.data.cells.yearless import is_yearless
from lstmcast.data.sheet import Sheet
from lstmcast.util.patterns import pattern_of

# a year before or behind words, which say of what
_WITH_YEAR = pattern_of(
    r"[^\d]{2,60}[ /(\[,:_-](?:19|20)\d\d[)\]]?|(?:19|20)\d\d[ /,:_-][^\d]{2,60}"
)
# words about years that are not those of the rows
_OTHER = pattern_of(
    r"(?i:.*(?:constant|prices|chained|index|base|since|real|census|weights|preise|prix|precios|prezzi"
    r"|基準|価格|年度比|\$|€|£).*)"
)


def year_names(sheet: Sheet) -> list[str]:
    """The names with a year of the column of labels, or of every column of numbers beside it."""
    labels = next(filter(is_yearless, sheet.columns), sheet.columns[0])
    if _says_year(labels.name):
        return [labels.name]
    names = [
        column.name
        for column in sheet.columns
        if column is not labels and column.number_share >= 0.5
    ]
    return names if all(map(_says_year, names)) else []


def _says_year(name: str) -> bool:
    is_other = _OTHER.fullmatch(name) is not None
    return not is_other and _WITH_YEAR.fullmatch(name.strip()) is not None
