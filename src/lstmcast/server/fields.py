"""Which field of a request an error is about."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel
from starlette.exceptions import HTTPException

from lstmcast.server.problems import problem_of
from lstmcast.server.requests import Table


class Fields:
    """Errors in the block name the field of a request that they are about.

    Of a request whose data came in a form, that is the file.
    """

    def __init__(self, model: type[BaseModel]) -> None:
        self.names: dict[str, Any] = dict.fromkeys(model.model_fields)

    def of(self, fields: BaseModel, files: Sequence[Any] = ()) -> None:
        """What was asked for is known now."""
        long = set() if isinstance(fields, Table) else {"series", "values", "rows"}
        self.names = {"file": None} if files else {}
        self.names |= dict.fromkeys(type(fields).model_fields)
        self.names |= fields.model_dump(exclude=long, exclude_unset=True)

    def __enter__(self) -> Fields:
        return self

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, Exception) and not isinstance(error, HTTPException):
            raise problem_of(error, self.names) from error
