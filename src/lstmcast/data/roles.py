"""Which columns of a sheet stand beside its target, as somebody named them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from lstmcast.data.beside import ROLES, Beside, ColumnNames
from lstmcast.data.cellformat import CellFormat
from lstmcast.data.columns import named_column, names_in
from lstmcast.data.sheet import Column, Sheet, columns_without
from lstmcast.errors import UsageError

_SAID = {role: f"{role} covariate" for role in ("past", *ROLES)}


@dataclass(frozen=True)
class Names:
    """What the user said about the columns; None = find out. `aggregate` says that rows will be
    added up per period; `past` and `beside` name columns beside the target, and none unless given;
    `elsewhere`: columns that another table has coming values of, `attributes` those
    of a table of what does not change."""

    time: str | Sequence[str] | None = None
    target: str | Sequence[str] | None = None
    series: str | Sequence[str] | None = None
    aggregate: bool = False
    past: str | Sequence[str] | None = None
    written: CellFormat = field(default_factory=CellFormat)
    beside: Beside = field(default_factory=Beside)
    elsewhere: tuple[str, ...] = ()
    attributes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        # a frame's columns may be named 0, 1, 2: sheets name them by text
        for role in ("time", "target", "series", "past"):
            name = getattr(self, role)
            if isinstance(name, Sequence) and not isinstance(name, str):
                object.__setattr__(self, role, [str(part) for part in name])
            elif name is not None:
                object.__setattr__(self, role, str(name))

    @property
    def first_beside(self) -> tuple[str, str] | None:
        """The role and the name of the first column beside the target; None without any."""
        for role in ("past", *ROLES):
            given = self.past if role == "past" else getattr(self.beside, role)
            if given:
                return role, given if isinstance(given, str) else str(given[0])
        return None


def columns_beside(sheet: Sheet, names: Names) -> dict[str, dict[str, Column]]:
    """The columns beside the target by role, called as they were asked for: a saved model knows its
    columns by these names. UsageError for one that is something else too."""
    chosen = {"past": _named(sheet, "past", names.past)}
    for role in ROLES:
        given = getattr(names.beside, role)
        others = names.attributes if role == "static" else names.elsewhere
        others += names.beside.optional
        chosen[role] = _named(sheet, role, given, others)
    if not names.beside.known_names() and names.elsewhere:
        chosen["future"] |= _shared(sheet, names)
    for role, columns in chosen.items():
        if columns:
            _require_apart(sheet, names, role, columns, chosen)
    return chosen


def taken_columns(sheet: Sheet, names: Names) -> list[Column]:
    """All columns beside the target."""
    return [column for each in columns_beside(sheet, names).values() for column in each.values()]


def _named(
    sheet: Sheet, role: str, given: ColumnNames, elsewhere: Sequence[str] = ()
) -> dict[str, Column]:
    """The columns that are named for a role; those of another table need not be here."""
    if given is None:
        return {}
    each = [given] if isinstance(given, str) else [str(one) for one in given]
    called = list(dict.fromkeys(name for one in each for name in names_in(sheet, one)))
    called = [name for name in called if name.strip() or _holds(sheet, name)]
    if each and not called:
        raise UsageError(f"{role}={given!r} names no column. Give its name, or leave it out.")
    here = {name for name in called if name not in elsewhere or _holds(sheet, name)}
    return {name: named_column(sheet, name, _SAID[role]) for name in called if name in here}


def _shared(sheet: Sheet, names: Names) -> dict[str, Column]:
    """Columns that another table has coming values of, and that are nothing else."""
    others = []
    for role, meaning in (("time", "index"), ("target", "*"), ("series", None), ("past", None)):
        said = getattr(names, role)
        called = names_in(sheet, said) if said and said != meaning else []
        others += [named_column(sheet, name, role) for name in called if _holds(sheet, name)]
    found = [named_column(sheet, name, "future") for name in names.elsewhere if _holds(sheet, name)]
    return {column.name: column for column in columns_without(found, others)}


def _holds(sheet: Sheet, name: str) -> bool:
    return name.strip().casefold() in (own.strip().casefold() for own in sheet.names)


def _require_apart(
    sheet: Sheet,
    names: Names,
    role: str,
    columns: Mapping[str, Column],
    chosen: Mapping[str, Mapping[str, Column]],
) -> None:
    """UsageError for a column of a role that is named as something else as well."""
    said = _SAID[role]
    for other, meaning in (("time", "index"), ("target", "*"), ("series", None)):
        given = getattr(names, other)
        called = names_in(sheet, given) if given and given != meaning else []
        same = [named_column(sheet, name, other) for name in called if _holds(sheet, name)]
        twice = _first_in(columns, same)
        if twice:
            raise UsageError(
                f"the column {twice!r} is named as {other} and as {said}. A network "
                "reads its target anyway: leave it out of one of the two."
            )
    for other, others in chosen.items():
        twice = None if other == role else _first_in(columns, list(others.values()))
        if twice:
            raise UsageError(
                f"the column {twice!r} is named as {said} and as {_SAID[other]}. Name it once: "
                "what is known in advance is known for the past as well."
            )


def _first_in(columns: Mapping[str, Column], others: Sequence[Column]) -> str | None:
    """The name of the first column that is among others."""
    same = (column.name for column in columns.values() if any(column is other for other in others))
    return next(same, None)
