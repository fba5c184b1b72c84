"""The routes of trainings."""

from __future__ import annotations

import asyncio
import io
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import FastAPI, Header, Request
from starlette.responses import Response, StreamingResponse

from lstmcast.server.bodies import documented
from lstmcast.server.fields import asked_in
from lstmcast.server.problems import Problem
from lstmcast.server.replies import Document, spoken
from lstmcast.server.trainings.asked import TrainHistory, TrainTable
from lstmcast.server.trainings.training import Training, event, state_event
from lstmcast.util.language import Words

if TYPE_CHECKING:
    from lstmcast.server.app import Server

BELOW = "/v1/trainings"
TAGS: Any = ["trainings"]
PAUSE = 0.25  # seconds between two checks of a training that is followed
LIVE = {"cache-control": "no-store", "x-accel-buffering": "no"}
LONGEST_NUMBER = 9  # digits of a line number
HEARTBEAT = 60  # checks without news after which a sign of life is sent


def add_trainings(api: FastAPI, server: Server) -> None:
    """Serve trainings below `/v1/trainings`."""
    _add_beginning(api, server)
    _add_looking(api, server)
    _add_ending(api, server)


def _add_beginning(api: FastAPI, server: Server) -> None:
    work = server.work
    trainings = server.trainings

    @api.post(
        BELOW,
        tags=TAGS,
        status_code=201,
        openapi_extra=documented(TrainHistory, TrainTable),
    )
    async def started(request: Request) -> Response:
        """Train a network on a history (JSON) or a table (a form with files) in a separate process.

        The answer is sent at once, and the training starts once there is room."""
        async with asked_in(request, TrainHistory, TrainTable, work.aside) as body:
            training = await work.limited("heavy", trainings.start, body)
        place = {"location": f"{BELOW}/{training.name}"}
        return Document(_described(server, training, spoken(request)), 201, place)

    @api.post(BELOW + "/{name}/resume", tags=TAGS)
    async def resumed(name: str, request: Request) -> Response:
        """Resume an interrupted training from its last checkpoint."""
        training = await work.aside(trainings.resume, name)
        return Document(_described(server, training, spoken(request)))


def _add_looking(api: FastAPI, server: Server) -> None:
    work = server.work
    trainings = server.trainings

    @api.get(BELOW, tags=TAGS)
    async def listed(request: Request) -> Response:
        """List the trainings, the newest last."""
        words = spoken(request)

        def described() -> list[dict[str, Any]]:
            return [_described(server, training, words) for training in trainings]

        return Document({"trainings": await work.aside(described)})

    @api.get(BELOW + "/{name}", tags=TAGS)
    async def info(name: str, request: Request) -> Response:
        """Describe a training: its progress, learning curve and, in the end, accuracy."""
        training = trainings.named(name)
        number = trainings.number(training)
        return Document(await work.aside(training.shown, spoken(request), number))

    @api.get(BELOW + "/{name}/events", tags=TAGS)
    async def events(
        name: str,
        last_event_id: Annotated[
            str,
            Header(description="continue after this line"),
        ] = "",
    ) -> StreamingResponse:
        """Follow a training, as server-sent events: a line for each epoch, and each new state."""
        training = trainings.named(name)
        server.require_listener()
        first = 0
        if last_event_id.isdecimal():
            first = int(last_event_id[:LONGEST_NUMBER])
        lines = _followed(server, training, first)
        return StreamingResponse(lines, media_type="text/event-stream", headers=LIVE)

    @api.get(BELOW + "/{name}/model.zip", tags=TAGS, response_class=Response)
    async def archive(name: str) -> Response:
        """Download the trained model as an archive of a folder for `--model` of the commands."""
        training = trainings.named(name)
        if not training.has_model:
            raise Problem(
                404, f"The training {name!r} has no model: it is {training.state}."
            )
        content = await work.limited("heavy", _packed, training.folder.model, name)
        headers = {"content-disposition": f'attachment; filename="{name}.zip"'}
        return Response(content, headers=headers, media_type="application/zip")


def _add_ending(api: FastAPI, server: Server) -> None:
    work = server.work
    trainings = server.trainings

    @api.post(BELOW + "/{name}/stop", tags=TAGS)
    async def stopped(name: str, request: Request) -> Response:
        """Stop a training after its epoch; the best epoch so far becomes the model."""
        training = await work.aside(trainings.stop, name)
        return Document(_described(server, training, spoken(request)))

    @api.delete(BELOW + "/{name}", tags=TAGS, status_code=204)
    async def removed(name: str) -> Response:
        """Remove a training and its model, ending it if it runs."""
        await work.aside(trainings.remove, name)
        return Response(status_code=204)


def _described(server: Server, training: Training, words: Words) -> dict[str, Any]:
    return training.described(words, server.trainings.number(training))


async def _followed(
    server: Server, training: Training, first: int
) -> AsyncIterator[str]:
    """The progress of a training until it has ended or the client leaves."""
    trainings = server.trainings
    number = first
    state = ""
    quiet = 0
    trainings.listeners += 1
    try:
        while True:
            # before its lines are read, as there are none after it has ended
            ended = training.has_ended or training.removed
            if training.state != state:
                state = training.state
                yield state_event(state)
            for line in training.folder.lines(number):
                number += 1
                quiet = 0
                yield event(number, line)
            if ended or server.ending():
                yield "event: end\ndata: {}\n\n"
                return
            await asyncio.sleep(PAUSE)
            quiet += 1
            if quiet % HEARTBEAT == 0:
                yield ": still here\n\n"
    finally:
        trainings.listeners -= 1


def _packed(folder: Path, name: str) -> bytes:
    """An archive of a folder, under a name."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.write(path, f"{name}/{path.relative_to(folder)}")
    return content.getvalue()
