"""The fields of a request that errors are about."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from fastapi import Request
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from lstmcast.server.bodies import Asked, asked, json_of
from lstmcast.server.problems import problem_of
from lstmcast.server.sources import Table

Model = TypeVar("Model", bound=BaseModel)
Aside = Callable[..., Any]  # runs a function in a thread


@asynccontextmanager
async def asked_in(
    request: Request,
    as_json: type[BaseModel],
    as_form: type[BaseModel],
    aside: Aside,
    bodyless: type[BaseModel] | None = None,
) -> AsyncIterator[Asked]:
    """The request as parsed by `bodies.asked`; errors in the block name its fields."""
    with Fields(as_form) as names:
        body = await asked(request, as_json, as_form, aside, bodyless)
        names.of(body.fields, body.files)
        yield body


@asynccontextmanager
async def asked_in_json(
    request: Request, model: type[Model], aside: Aside
) -> AsyncIterator[Model]:
    """The JSON object of a request; errors in the block name its fields."""
    with Fields(model) as names:
        body = await json_of(request, model, aside)
        names.of(body)
        yield body


class Fields:
    """Makes errors in the block name the field of a request that they are about.

    If the data were sent in a form, errors about them name the file.
    """

    def __init__(self, model: type[BaseModel]) -> None:
        self.names: dict[str, Any] = dict.fromkeys(model.model_fields)

    def of(self, fields: BaseModel, files: Sequence[Any] = ()) -> None:
        """Set the fields and files of the request."""
        long = set() if isinstance(fields, Table) else {"series", "values", "rows"}
        self.names = {"file": None} if files else {}
        self.names |= dict.fromkeys(type(fields).model_fields)
        self.names |= fields.model_dump(exclude=long, exclude_unset=True)

    def __enter__(self) -> Fields:
        return self

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, Exception) and not isinstance(error, HTTPException):
            raise problem_of(error, self.names) from error
