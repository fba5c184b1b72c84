"""The columns of a sheet that are named as covariates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from lstmcast.data.cells.cellformat import CellFormat
from lstmcast.data.cells.columns import named_column, names_in
from lstmcast.data.covariates.beside import ROLES, Beside, ColumnNames
from lstmcast.data.sheet import Column, Sheet, columns_without
from lstmcast.errors import UsageError
from lstmcast.util.text import brief

_SAID = {role: f"{role} covariate" for role in ("past", *ROLES)}
_NOT_NAMES = {"time": "index", "target": "*"}  # values that do not name a column


@dataclass(frozen=True)
class Names:
    """The columns named by the user; None = detect.

    `aggregate`: how rows are aggregated per period; `past` and `beside`: covariates; `elsewhere`:
    columns with coming values in a separate table; `attributes`: columns of a separate table of
    static columns.
    """

    time: ColumnNames = None
    target: ColumnNames = None
    series: ColumnNames = None
    aggregate: str = ""
    past: ColumnNames = None
    written: CellFormat = field(default_factory=CellFormat)
    beside: Beside = field(default_factory=Beside)
    elsewhere: tuple[str, ...] = ()
    attributes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        # columns of a frame may be named 0, 1, 2: sheets name them by text
        for role in ("time", "target", "series", "past"):
            choice = getattr(self, role)
            if isinstance(choice, Sequence) and not isinstance(choice, str):
                object.__setattr__(self, role, [str(name) for name in choice])
            elif choice is not None:
                object.__setattr__(self, role, str(choice))

    @property
    def first_beside(self) -> tuple[str, str] | None:
        """The role and the name of the first covariate, or None."""
        for role in ("past", *ROLES):
            names = self.past if role == "past" else getattr(self.beside, role)
            if isinstance(names, str) and names:
                return role, names
            if names:
                return role, str(names[0])
        return None


def columns_beside(sheet: Sheet, names: Names) -> dict[str, dict[str, Column]]:
    """The covariates by role, under the names that the user gave.

    A saved model knows its columns by these names. Raises UsageError for a column with two roles.
    """
    columns_by_role = {"past": _named(sheet, "past", names.past)}
    for role in ROLES:
        optional = names.attributes if role == "static" else names.elsewhere
        optional += names.beside.optional
        columns_by_role[role] = _named(
            sheet, role, getattr(names.beside, role), optional
        )
    if not names.beside.known_names() and names.elsewhere:
        columns_by_role["future"] |= _shared(sheet, names)
    for role, columns in columns_by_role.items():
        if columns:
            _require_apart(sheet, names, role, columns, columns_by_role)
    return columns_by_role


def taken_columns(sheet: Sheet, names: Names) -> list[Column]:
    """All covariates."""
    taken = []
    for columns in columns_beside(sheet, names).values():
        taken += columns.values()
    return taken


def _named(
    sheet: Sheet, role: str, choice: ColumnNames, elsewhere: Sequence[str] = ()
) -> dict[str, Column]:
    """The columns named for a role; those of a separate table may be missing here."""
    if choice is None:
        return {}
    texts = [choice] if isinstance(choice, str) else list(map(str, choice))
    requested = {}  # in order, each once
    for text in texts:
        requested |= dict.fromkeys(names_in(sheet, text))
    requested = [name for name in requested if name.strip() or sheet.has_column(name)]
    if texts and not requested:
        raise UsageError(
            f"{role}={brief(choice)} does not name a column. Give its name, or leave it out."
        )
    columns = {}
    for name in requested:
        if name not in elsewhere or sheet.has_column(name):
            columns[name] = named_column(sheet, name, _SAID[role])
    return columns


def _shared(sheet: Sheet, names: Names) -> dict[str, Column]:
    """Columns with coming values in another table and no other role."""
    used_columns = []
    for role in ("time", "target", "series", "past"):
        used_columns += _columns_of_role(sheet, names, role)
    candidates = []
    for name in names.elsewhere:
        if sheet.has_column(name):
            candidates.append(named_column(sheet, name, "future"))
    return {column.name: column for column in columns_without(candidates, used_columns)}


def _columns_of_role(sheet: Sheet, names: Names, role: str) -> list[Column]:
    """The columns named as times, targets, series or past, if they exist."""
    choice = getattr(names, role)
    if not choice or choice == _NOT_NAMES.get(role):
        return []
    requested = names_in(sheet, choice)
    return [
        named_column(sheet, name, role) for name in requested if sheet.has_column(name)
    ]


def _require_apart(
    sheet: Sheet,
    names: Names,
    role: str,
    columns: Mapping[str, Column],
    columns_by_role: Mapping[str, Mapping[str, Column]],
) -> None:
    """Raise UsageError for a column of a role that also has another role."""
    role_name = _SAID[role]
    for main_role in ("time", "target", "series"):
        repeated = _first_in(columns, _columns_of_role(sheet, names, main_role))
        if repeated:
            raise UsageError(
                f"the column {repeated!r} is named as {main_role} and as {role_name}. A column "
                "has one role: remove the name from one of the two."
            )
    for second_role, second_columns in columns_by_role.items():
        if second_role == role:
            continue
        repeated = _first_in(columns, list(second_columns.values()))
        if repeated:
            raise UsageError(
                f"the column {repeated!r} is named as {role_name} and as {_SAID[second_role]}. "
                "Name it once: a future column includes past values."
            )


def _first_in(
    columns: Mapping[str, Column], candidates: Sequence[Column]
) -> str | None:
    """The first column that is among others."""
    identities = {id(column) for column in candidates}
    for column in columns.values():
        if id(column) in identities:
            return column.name
    return None
