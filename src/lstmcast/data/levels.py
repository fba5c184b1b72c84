"""Categories as codes: texts to numbers, and codes of some categories as those of more of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstmcast.data.findings import Finding

Levels = tuple[str, ...]  # the names of categories, in the order of their codes


class CodedColumns(NamedTuple):
    """Columns by name, NaN = missing, the categories that numbers of some of them stand for, and
    findings."""

    values: dict[str, NDArray]
    levels: dict[str, Levels]
    findings: list[Finding]


def coded(cell_arrays: Iterable[NDArray]) -> tuple[list[NDArray], Levels]:
    """Texts as numbers 0, 1, … of their categories, in the order of the alphabet; NaN where there
    is none.

    >>> coded([np.array(["b", "a", ""], object)])
    ([array([ 1.,  0., nan])], ('a', 'b'))
    """
    texts_of_arrays = []
    for cells in cell_arrays:
        texts_of_arrays.append([_text(cell) for cell in cells.tolist()])
    distinct = set().union(*texts_of_arrays)
    levels = tuple(sorted(distinct - {""}))
    codes = {text: float(code) for code, text in enumerate(levels)}
    arrays = []
    for texts in texts_of_arrays:
        cell_codes = [codes.get(text, np.nan) for text in texts]
        arrays.append(np.array(cell_codes))
    return arrays, levels


def union_of(levels_of_tables: Iterable[Levels]) -> Levels:
    """The categories that a column has in any of several tables.

    >>> union_of([("b", "c"), ("a", "b")])
    ('a', 'b', 'c')
    """
    texts = set().union(*levels_of_tables)
    return tuple(sorted(texts))


def recoded(values: NDArray, levels: Levels | None, union: Levels) -> NDArray:
    """Codes of some categories as codes of more of them; numbers, which have no levels, as the
    codes of the categories that are written like them.

    >>> recoded(np.array([0.0, np.nan]), ("b",), ("a", "b"))
    array([ 1., nan])
    """
    if levels == union or not union or not len(values):
        return values
    if levels is None:
        distinct, codes = np.unique(values, return_inverse=True)
        levels = tuple(number_text(number) for number in distinct)
        values = codes.astype(float)
    # one code more than there are levels: that of a missing value
    new_codes = np.full(len(levels) + 1, np.nan)
    for code, text in enumerate(levels):
        if text:
            new_codes[code] = union.index(text)
    places = np.where(np.isnan(values), len(levels), values)
    return new_codes[places.astype(np.int64)]


def numbers_beside(values: NDArray, union: Levels) -> list[str]:
    """The numbers, as a file writes them, that are none of the categories of a column.

    >>> numbers_beside(np.array([0.0, 3.0, np.nan]), ("0", "a"))
    ['3']
    """
    texts = set(map(number_text, np.unique(values)))
    return sorted(texts - {"", *union})


def number_text(number: float) -> str:
    """A number as a file writes it; nothing for a missing one.

    >>> number_text(0.0), number_text(np.nan)
    ('0', '')
    """
    if np.isnan(number):
        return ""
    return f"{number:.15g}"


def _text(cell: object) -> str:
    """A cell of a column of categories; nothing for a missing one."""
    is_missing = cell is None or cell != cell
    return "" if is_missing else str(cell).strip()
