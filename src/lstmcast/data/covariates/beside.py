"""What stands beside the target, as somebody said it: names of columns, tables of their own."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from lstmcast.errors import UsageError

ColumnNames = str | Sequence[str] | None


@dataclass(frozen=True, eq=False)
class Beside:
    """Columns beside the target, but for those of the past, as `lstmcast.read` is told of them.

    `future`: known in advance · `future_data`: a table of its own with coming values · `static`:
    constant in each series · `static_data`: a table of its own with such columns · `holidays`:
    countries whose public holidays are columns too · `hindsight`: as `future`, of what was not
    known then, such as observed temperatures. None: none.

    >>> Beside(future="price, promo").names("future")
    ('price', 'promo')
    """

    future: ColumnNames = None
    future_data: Any = None
    static: ColumnNames = None
    static_data: Any = None
    holidays: ColumnNames = None
    hindsight: ColumnNames = None
    optional: tuple[str, ...] = ()  # columns that need not be there: they are remembered

    def __post_init__(self) -> None:
        for role in _NAMED_ROLES:
            names = getattr(self, role)
            if names is not None and not isinstance(names, str | Sequence):
                raise UsageError(
                    f"{role}={names!r} is not a column name. Give one name or several."
                )
        if self.holidays is not None:
            from lstmcast.data.covariates.public_holidays import holiday_codes

            # an unknown country should fail here, before a large file is read
            codes = holiday_codes(self.holidays)
            object.__setattr__(self, "holidays", codes)

    def __bool__(self) -> bool:
        names = {field.name for field in fields(self)} - {"optional"}
        values = [getattr(self, name) for name in names]
        return any(value is not None for value in values)

    def given(self) -> list[ColumnNames]:
        """What is said of each role."""
        return [getattr(self, role) for role in ROLES]

    def names(self, role: str) -> tuple[str, ...]:
        """The columns of a role, as far as commas in a text part them."""
        value = getattr(self, role) or ()
        texts = [value] if isinstance(value, str) else map(str, value)
        joined_names = ",".join(texts)
        names = map(str.strip, joined_names.split(","))
        distinct = dict.fromkeys(names)
        return tuple(filter(None, distinct))

    def known_names(self) -> tuple[str, ...]:
        """All columns that are known in advance, as far as they are named."""
        return (*self.names("future"), *self.names("hindsight"))

    def paths(self) -> list[str]:
        """The files of the tables of their own: none of them should be written over."""
        paths = []
        for table in (self.future_data, self.static_data):
            sources = table if type(table) is list else [table]
            for source in sources:
                if isinstance(source, str | os.PathLike):
                    paths.append(os.fspath(source))
        return paths

    def said(self) -> dict[str, Any]:
        """What newer data for a saved model are read with as well: names of columns by role."""
        return {role: self.names(role) or None for role in _NAMED_ROLES}

    def as_before(self, recipe: Any) -> Beside:
        """The same with what a recipe says of what was left open."""
        remembered = {}
        for role in _NAMED_ROLES:
            if getattr(self, role) is None:
                remembered[role] = getattr(recipe, role)
        optional = remembered.get("static") or ()
        return replace(self, **remembered, optional=optional)


ROLES = ("future", "hindsight", "static")  # of columns, by the arguments that name them
_NAMED_ROLES = (*ROLES, "holidays")
