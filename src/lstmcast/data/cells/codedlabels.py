"""Labels of time behind a code that all of them share: VPIZR-202001, MSitAE-APRIL-2020."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from lstmcast.data.sheet import Column, Sheet
from lstmcast.data.times.dates import parse_times
from lstmcast.util.patterns import pattern_of

_CODE = pattern_of(r".*[^\W\d_].*[^\w]|.*[^\W\d]_?", re.DOTALL)
_LONGEST = 60  # of codes
_FEWEST = 4  # labels


def without_codes(sheet: Sheet) -> Sheet:
    """A sheet without times whose only column of such labels is read without their code; the same
    where there is none, or several."""
    bare_columns = {}
    for place, column in enumerate(sheet.columns):
        bare = _without_code(column)
        if bare is not None:
            bare_columns[place] = bare
    if len(bare_columns) != 1:
        return sheet
    columns = list(sheet.columns)
    for place, bare in bare_columns.items():
        columns[place] = bare
    return replace(sheet, columns=tuple(columns))


def _without_code(column: Column) -> Column | None:
    """The column with its labels without their code; None where the rest are no times."""
    if not column.is_text or column.missing.any():
        return None
    texts = [str(text).strip() for text in column.data]
    code = code_of(texts)
    if not code or len(texts) < _FEWEST:
        return None
    cells = [cell.strip() for cell in map(str, column.spread(column.data).tolist())]
    bare = Column.of_texts(column.name, [cell.removeprefix(code) for cell in cells])
    note = f"the code {code!r} before every time was left off"
    return replace(bare, notes=(note,))


def code_of(texts: Sequence[str]) -> str:
    """What all texts begin with, where the rest of each is a time of which nobody can doubt; "" for
    all others.

    >>> code_of(["VPIZR-202011", "VPIZR-202012"]), code_of(["Store 1", "Store 2"])
    ('VPIZR-', '')
    """
    # what the first and the last of sorted texts begin with, all begin with
    shared = _shared_start(min(texts), max(texts))
    shared = shared[:_LONGEST]
    while shared and (shared[-1].isdigit() or not _CODE.fullmatch(shared)):
        shared = shared[:-1]
    for code in dict.fromkeys((shared, _to_last_sign(shared))):
        if code and _are_times([text.removeprefix(code) for text in texts]):
            return code
    return ""


def _shared_start(first: str, last: str) -> str:
    length = 0
    while length < min(len(first), len(last)) and first[length] == last[length]:
        length += 1
    return first[:length]


def _to_last_sign(text: str) -> str:
    """A text to its last sign that is no letter: names of months may begin with the same one."""
    match = re.match(r".*[\W_]", text)
    return "" if match is None else match[0]


def _are_times(texts: list[str]) -> bool:
    times = parse_times(texts)
    if times is None or times.problem or times.bad.any():
        return False
    if times.form == "date":
        return True
    days = times.values.astype("datetime64[D]")
    are_months = bool((days == days.astype("datetime64[M]")).all())
    # 202001 to 202024 may be weeks, and numbers of invoices as well
    return times.form == "number" and (are_months or len(texts[0]) == 8)
