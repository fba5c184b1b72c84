"""The covariates given by the user: column names and separate tables."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from lstmcast.errors import UsageError
from lstmcast.util.text import brief

ColumnNames = str | Sequence[str] | None


@dataclass(frozen=True, eq=False)
class Beside:
    """The arguments of `lstmcast.read` on covariates, except past ones.

    `future`: known in advance · `future_data`: a separate table with coming values · `static`:
    constant in each series · `static_data`: a separate table of static columns · `holidays`:
    countries whose public holidays become columns · `hindsight`: like `future`, for values that
    were not known in advance, such as observed temperatures. None means none.

    >>> Beside(future="price, promo").names("future")
    ('price', 'promo')
    """

    future: ColumnNames = None
    future_data: Any = None
    static: ColumnNames = None
    static_data: Any = None
    holidays: ColumnNames = None
    hindsight: ColumnNames = None
    # columns that may be missing: their values are saved
    optional: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for role in _NAMED_ROLES:
            names = getattr(self, role)
            if names is not None and not isinstance(names, str | Sequence):
                raise UsageError(
                    f"{role}={brief(names)} is not a column name. Give one name or several."
                )
        if self.holidays is not None:
            from lstmcast.data.covariates.public_holidays import holiday_codes

            # fail for an unknown country before a large file is read
            codes = holiday_codes(self.holidays)
            object.__setattr__(self, "holidays", codes)

    def __bool__(self) -> bool:
        names = {field.name for field in fields(self)} - {"optional"}
        values = [getattr(self, name) for name in names]
        return any(value is not None for value in values)

    def given(self) -> list[ColumnNames]:
        """The arguments by role."""
        return [getattr(self, role) for role in ROLES]

    def names(self, role: str) -> tuple[str, ...]:
        """The columns of a role; a text with commas is several names."""
        value = getattr(self, role) or ()
        texts = [value] if isinstance(value, str) else map(str, value)
        joined_names = ",".join(texts)
        names = map(str.strip, joined_names.split(","))
        distinct = dict.fromkeys(names)
        return tuple(filter(None, distinct))

    def known_names(self) -> tuple[str, ...]:
        """The named columns that are known in advance."""
        return (*self.names("future"), *self.names("hindsight"))

    def paths(self) -> list[str]:
        """The files of the separate tables, none of which should be overwritten."""
        paths = []
        for table in (self.future_data, self.static_data):
            sources = table if type(table) is list else [table]
            for source in sources:
                if isinstance(source, str | os.PathLike):
                    paths.append(os.fspath(source))
        return paths

    def said(self) -> dict[str, Any]:
        """The column names by role with which newer data for a saved model are read too."""
        return {role: self.names(role) or None for role in _NAMED_ROLES}

    def as_before(self, recipe: Any) -> Beside:
        """The same with missing arguments taken from a recipe."""
        remembered = {}
        for role in _NAMED_ROLES:
            if getattr(self, role) is None:
                remembered[role] = getattr(recipe, role)
        optional = remembered.get("static") or ()
        return replace(self, **remembered, optional=optional)


# roles of columns, by the arguments that name them
ROLES = ("future", "hindsight", "static")
_NAMED_ROLES = (*ROLES, "holidays")
