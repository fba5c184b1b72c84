"""The routes of the page: its files, and the requests of its scripts. They are not part of the
interface for programs, which is below `/v1`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, Query, Request
from pydantic import BaseModel
from starlette.responses import Response

from lstmcast.server.bodies import FILE, Asked
from lstmcast.server.fields import asked_in, asked_in_json
from lstmcast.server.models import folder_of
from lstmcast.server.page.asked import Compare, LookAtTable, ShownForecast, WhatIf
from lstmcast.server.page.command import command_of
from lstmcast.server.page.examples import EXAMPLES
from lstmcast.server.page.files import POLICY, File, page_of, static_files, unpacked
from lstmcast.server.page.looking import look
from lstmcast.server.page.methods import compared
from lstmcast.server.page.results import Kept
from lstmcast.server.page.shown import (
    TYPES,
    chart_of,
    coming,
    file_of,
    shown,
    what_if,
)
from lstmcast.server.problems import UNUSABLE, Problem
from lstmcast.server.replies import Document, language_of, spoken
from lstmcast.server.trainings.registry import why_not
from lstmcast.util.language import LANGUAGES, Words

if TYPE_CHECKING:
    from lstmcast.server.app import Server

SAFE = {"x-content-type-options": "nosniff", "referrer-policy": "no-referrer"}
DAY = 86_400


def add_page(api: FastAPI, server: Server) -> None:
    """Serve the page at `/`."""
    _add_files(api)
    _add_looking(api, server)
    _add_results(api, server)
    _add_plans(api, server)


async def _of_table(
    request: Request,
    model: type[BaseModel],
    server: Server,
    answer: Callable[[Server, Asked, Words], Any],
) -> Response:
    """The answer to a form with files. Raises Problem if there is no file."""
    words = spoken(request)
    async with asked_in(request, model, model, server.work.aside) as body:
        if not body.files:
            raise Problem(
                UNUSABLE, f"No table was sent. Send it as the file {FILE!r}.", FILE
            )
        return Document(await server.work.limited("heavy", answer, server, body, words))


async def _of_result(
    request: Request,
    model: type[BaseModel],
    server: Server,
    name: str,
    answer: Callable[[Any, Words, Any], Any],
) -> Response:
    """The answer to a JSON request about a stored result."""
    stored = server.results.named(name)
    words = spoken(request)
    async with asked_in_json(request, model, server.work.aside) as body:
        return Document(await server.work.limited("heavy", answer, stored, words, body))


# ---------------------------------------------------------------- files


def _add_files(api: FastAPI) -> None:
    @api.get("/", include_in_schema=False)
    async def page(
        request: Request, language: str = Query("", max_length=10)
    ) -> Response:
        default = language_of(request.headers.get("accept-language", ""))
        selected = language if language in LANGUAGES else default
        headers = {"content-security-policy": POLICY, "vary": "accept-language"}
        return _sent(page_of(selected), request, headers)

    @api.get("/static/{name}", include_in_schema=False)
    async def static(name: str, request: Request) -> Response:
        files = static_files()
        if name not in files:
            raise Problem(404, f"There is no file {name[:100]!r}.")
        return _sent(files[name], request, {})

    @api.get("/favicon.ico", include_in_schema=False)
    async def icon(request: Request) -> Response:
        return _sent(static_files()["icon.svg"], request, {})


def _sent(file: File, request: Request, further: dict[str, str]) -> Response:
    """A file, or the status that the browser's copy is current."""
    # files named by their version never change; all others are requested again
    caching = f"max-age={30 * DAY}, immutable" if file.packed else "no-cache"
    headers = {**SAFE, "etag": file.mark, "cache-control": caching, **further}
    if file.packed:
        headers["vary"] = "accept-encoding"
    if request.headers.get("if-none-match") == file.mark:
        return Response(status_code=304, headers=headers)
    if file.packed and "gzip" in request.headers.get("accept-encoding", ""):
        headers["content-encoding"] = "gzip"
        return Response(file.content, headers=headers, media_type=file.kind)
    return Response(unpacked(file), headers=headers, media_type=file.kind)


# ---------------------------------------------------------------- a table, and its forecast


def _add_looking(api: FastAPI, server: Server) -> None:
    work = server.work
    limits = server.settings.limits

    @api.get("/page/about", include_in_schema=False)
    async def about(request: Request) -> dict[str, Any]:
        """What the page offers."""
        reason = why_not(server.settings)
        return {
            "models": sorted(server.models),
            "body": limits.body,
            "minutes": limits.training_minutes,
            "no_training": spoken(request)(reason) if reason else None,
        }

    @api.get("/page/examples/{name}", include_in_schema=False)
    async def example(name: str) -> Response:
        if name not in EXAMPLES:
            raise Problem(404, f"There is no example {name[:100]!r}.")
        return Response(await work.aside(EXAMPLES[name]), media_type="text/csv")

    @api.post("/page/look", include_in_schema=False)
    async def looked(request: Request) -> Response:
        return await _of_table(request, LookAtTable, server, _looked)


def _looked(server: Server, body: Asked, words: Words) -> dict[str, Any]:
    with body.source(server.settings.limits) as source:
        assert source is not None  # a table has one
        return look(source, server.settings.limits, words)


def _add_results(api: FastAPI, server: Server) -> None:
    work = server.work
    results = server.results

    @api.post("/page/forecast", include_in_schema=False)
    async def forecast(request: Request) -> Response:
        return await _of_table(request, ShownForecast, server, _forecast)

    @api.get("/page/results/{name}/files/{file}", include_in_schema=False)
    async def downloaded(name: str, file: str, request: Request) -> Response:
        stored = results.named(name)
        words = spoken(request)
        content = await work.limited("heavy", file_of, stored, words, file)
        headers = {**SAFE, "content-disposition": f'attachment; filename="{file}"'}
        return Response(content, headers=headers, media_type=TYPES[file])

    @api.get("/page/results/{name}/chart", include_in_schema=False)
    async def chart(
        name: str, request: Request, series: str = Query(max_length=1000)
    ) -> Response:
        stored = results.named(name)
        words = spoken(request)
        return Document(await work.limited("heavy", chart_of, stored, words, series))


def _forecast(server: Server, body: Asked, words: Words) -> dict[str, Any]:
    fields: ShownForecast = body.fields
    if fields.model is None:
        run = server.forecasts.made(body)
    else:
        folder = folder_of(server.models, fields.model)
        run = server.forecasts.predicted(fields.model, folder, body)
    stored = Kept(run.model, run.result, command_of(fields, body.files))
    document = shown(stored, words, fields.draw)
    return {"id": server.results.keep(stored), **document}


def _add_plans(api: FastAPI, server: Server) -> None:
    work = server.work
    results = server.results

    @api.get("/page/results/{name}/coming", include_in_schema=False)
    async def planned(name: str, series: str = Query(max_length=1000)) -> Response:
        return Document(await work.aside(coming, results.named(name), series))

    @api.post("/page/results/{name}/what-if", include_in_schema=False)
    async def other_plan(name: str, request: Request) -> Response:
        return await _of_result(request, WhatIf, server, name, what_if)

    @api.post("/page/results/{name}/compare", include_in_schema=False)
    async def side_by_side(name: str, request: Request) -> Response:
        by_name = partial(compared, models=server.models)
        return await _of_result(request, Compare, server, name, by_name)
