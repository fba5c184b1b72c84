"""The app of a server: its routes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import FastAPI, Header, Query, Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from lstmcast._version import __version__
from lstmcast.server import metrics as counted
from lstmcast.server.batching import Batcher
from lstmcast.server.bodies import documented
from lstmcast.server.fields import asked_in, asked_in_json
from lstmcast.server.forecasts import Forecasts, described, summary
from lstmcast.server.guards import Guard
from lstmcast.server.metrics import Metrics
from lstmcast.server.models import Models, folder_of
from lstmcast.server.page.results import Results
from lstmcast.server.page.routes import add_page
from lstmcast.server.passes import Read, read_here
from lstmcast.server.problems import Problem
from lstmcast.server.registry import Streams
from lstmcast.server.replies import MEDIA_TYPE, Document, add_problems
from lstmcast.server.requests import (
    AnomalyHistory,
    AnomalyTable,
    ForecastHistory,
    ForecastTable,
    OpenStream,
    PredictAlone,
    PredictHistory,
    PredictTable,
    Tick,
)
from lstmcast.server.settings import Settings
from lstmcast.server.streams import REMEMBERED, Answer, ServedStream, event
from lstmcast.server.trainings.registry import Trainings
from lstmcast.server.trainings.routes import add_trainings
from lstmcast.server.work import Work

# Seconds without an event after which a listener checks whether the server ends, and the number of
# such checks after which it sends a sign of life.
PAUSE, HEARTBEAT = 1.0, 15
FORGETTING = 60.0  # seconds between two checks for results that are no longer requested


class Server:
    """What the routes of an app share: threads, streams, trainings, counters.

    settings: what to serve. read: makes the forecasts of a pass of the network. Raises ModelError
    or OutputError if serving is not possible.
    """

    def __init__(self, settings: Settings, read: Read = read_here) -> None:
        self.settings, self.metrics = settings, Metrics()
        self.trainings = Trainings(settings)
        self.models = Models(settings.models, self.trainings)
        self.streams = Streams(settings, self.models)
        self.batcher = Batcher(self.metrics.read_together, read)
        self.forecasts = Forecasts(settings.limits, self.batcher)
        self.work = Work(settings.limits)
        self.results = Results()  # results that the page shows
        self.ending: Callable[[], bool] = lambda: False  # whether the process is to end

    def require_listener(self) -> None:
        """Raise Problem if the maximum number of clients is already listening."""
        limit = self.settings.limits.listeners
        if self.streams.listeners + self.trainings.listeners >= limit:
            raise Problem(
                503,
                f"{limit} clients are listening, which is the maximum. Try again later.",
            )

    def close(self) -> None:
        """Save the streams, end the trainings, and stop the threads."""
        self.streams.shut()
        self.trainings.close()
        self.batcher.close()
        self.work.close()


def create_app(settings: Settings | None = None, read: Read = read_here) -> Any:
    """An ASGI app that serves forecasts; its streams are open until the app ends.

    settings: models, streams, limits; by default only the shipped network. read: makes the
    forecasts of a pass of the network, by default in this process. Raises ModelError or OutputError
    if models or streams cannot be used.

    >>> app = create_app()
    >>> sorted(app.api.openapi()["paths"])[:3]
    ['/health', '/metrics', '/v1/anomalies']
    """
    server = Server(settings or Settings(), read)
    api = FastAPI(
        title="lstmcast",
        version=__version__,
        summary="Forecasts of time series with a pretrained network.",
        docs_url=None,  # they would load scripts from other sites
        redoc_url=None,
        lifespan=_lifespan(server),
        responses={
            "default": {"description": "A problem.", "content": {MEDIA_TYPE: {}}}
        },
    )
    add_problems(api)
    _add_state(api, server)
    _add_forecasts(api, server)
    _add_models(api, server)
    _add_streams(api, server)
    _add_keeping(api, server)
    _add_events(api, server)
    add_trainings(api, server)
    add_page(api, server)
    return App(api, server)


class App(Guard):
    """The routes (`api`) behind their limits, and what they share (`server`)."""

    def __init__(self, api: FastAPI, server: Server) -> None:
        super().__init__(api, server.settings, server.metrics)
        self.api = api
        self.server = server


def _lifespan(server: Server) -> Any:
    async def forget() -> None:
        while True:
            await asyncio.sleep(FORGETTING)
            server.results.forget()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        forgetting = asyncio.create_task(forget())
        yield
        forgetting.cancel()
        await asyncio.to_thread(server.close)

    return lifespan


# ---------------------------------------------------------------- state


def _add_state(api: FastAPI, server: Server) -> None:
    streams = server.streams

    @api.get("/health", tags=["state"])
    async def health() -> dict[str, Any]:
        """Whether the server answers; needs no token."""
        return {"status": "ok", "lstmcast": __version__}

    @api.get("/metrics", tags=["state"], response_class=PlainTextResponse)
    async def metrics() -> Response:
        """Counters in the text format of Prometheus."""
        unsaved = sum(bool(stream.unsaved) for stream in streams)
        text = server.metrics.text(
            len(server.models),
            len(streams),
            unsaved,
            streams.listeners + server.trainings.listeners,
            server.trainings.running,
        )
        return Response(text, media_type=counted.MEDIA_TYPE)


# ---------------------------------------------------------------- forecasts


def _add_forecasts(api: FastAPI, server: Server) -> None:
    work = server.work
    forecasts = server.forecasts

    @api.post(
        "/v1/forecast",
        tags=["forecast"],
        openapi_extra=documented(ForecastHistory, ForecastTable),
    )
    async def forecast(request: Request) -> Response:
        """Forecast a history (JSON) or a table (a form with files) with the shipped network."""
        kinds = ForecastHistory, ForecastTable
        async with asked_in(request, *kinds, work.aside) as body:
            light = (
                isinstance(body.fields, ForecastHistory) and body.fields.cutoffs == 0
            )
            pool = "light" if light else "heavy"
            return Document(await work.limited(pool, forecasts.forecast, body))

    @api.post(
        "/v1/anomalies",
        tags=["anomalies"],
        openapi_extra=documented(AnomalyHistory, AnomalyTable),
    )
    async def anomalies(request: Request) -> Response:
        """Score how surprising each value of a history or a table was."""
        async with asked_in(request, AnomalyHistory, AnomalyTable, work.aside) as body:
            return Document(await work.limited("heavy", forecasts.anomalies, body))


def _add_models(api: FastAPI, server: Server) -> None:
    work = server.work
    models = server.models

    @api.get("/v1/models", tags=["models"])
    async def listed() -> dict[str, Any]:
        """List the saved models."""
        summaries = [
            await work.aside(summary, name, models[name]) for name in sorted(models)
        ]
        return {"models": summaries}

    @api.get("/v1/models/{name}", tags=["models"])
    async def info(name: str) -> dict[str, Any]:
        """Describe a saved model."""
        return await work.aside(described, name, folder_of(models, name))

    @api.post(
        "/v1/models/{name}/predict",
        tags=["models"],
        openapi_extra=documented(PredictHistory, PredictTable, required=False),
    )
    async def predict(name: str, request: Request) -> Response:
        """Forecast with a saved model: from newer data, or without a body from its own."""
        folder = folder_of(models, name)
        kinds = PredictHistory, PredictTable
        async with asked_in(request, *kinds, work.aside, PredictAlone) as body:
            job = server.forecasts.predict, name, folder, body
            return Document(await work.limited("heavy", *job))


# ---------------------------------------------------------------- streams


def _add_streams(api: FastAPI, server: Server) -> None:
    work = server.work
    streams = server.streams
    limits = server.settings.limits

    @api.get("/v1/streams", tags=["streams"])
    async def listed() -> dict[str, Any]:
        """List the open streams."""
        return {"streams": [stream.described() for stream in streams]}

    @api.post(
        "/v1/streams",
        tags=["streams"],
        status_code=201,
        openapi_extra=documented(OpenStream),
    )
    async def opened(request: Request) -> Response:
        """Open a stream."""
        async with asked_in_json(request, OpenStream, work.aside) as body:
            stream = await work.limited("heavy", streams.open, body)
            place = {"location": f"/v1/streams/{stream.name}"}
            return Document(stream.described(), 201, place)

    @api.get("/v1/streams/{name}", tags=["streams"])
    async def info(name: str) -> dict[str, Any]:
        """Describe a stream: what it has read, and how far it is saved."""
        return streams.named(name).described()

    @api.post(
        "/v1/streams/{name}/ticks", tags=["streams"], openapi_extra=documented(Tick)
    )
    async def ticked(name: str, request: Request) -> Response:
        """Read a tick, and forecast what follows it."""
        stream = streams.named(name)
        async with asked_in_json(request, Tick, work.aside) as tick, stream.turn:
            answer = await work.tick(stream.tick, tick, limits)
            stream.tell(answer)
        server.metrics.ticked()
        return Response(answer.text, media_type="application/json")


def _add_keeping(api: FastAPI, server: Server) -> None:
    work = server.work
    streams = server.streams

    @api.post("/v1/streams/{name}/save", tags=["streams"])
    async def saved(name: str) -> dict[str, Any]:
        """Write the whole state to disk, so that all answers so far survive a power cut."""
        stream = streams.named(name)
        async with stream.turn:
            return await work.tick(stream.save)

    @api.delete("/v1/streams/{name}", tags=["streams"], status_code=204)
    async def closed(name: str) -> Response:
        """Close a stream and remove its state."""
        stream = streams.named(name)
        async with stream.turn:
            await work.tick(streams.close, name)
            stream.part()
        return Response(status_code=204)


def _add_events(api: FastAPI, server: Server) -> None:
    streams = server.streams

    @api.get("/v1/streams/{name}/events", tags=["streams"])
    async def events(
        name: str,
        most: Annotated[
            int | None,
            Query(ge=1, description="number of events after which the answer ends"),
        ] = None,
        last_event_id: Annotated[
            str | None,
            Header(
                description=f"continue after this tick; the newest {REMEMBERED} are kept"
            ),
        ] = None,
    ) -> StreamingResponse:
        """Follow the forecasts of a stream, as server-sent events."""
        stream = streams.named(name)
        server.require_listener()
        is_number = last_event_id is not None and last_event_id.isdecimal()
        newest = int(last_event_id[:18]) if last_event_id and is_number else None
        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        lines = _followed(server, stream, newest, most)
        return StreamingResponse(lines, media_type="text/event-stream", headers=headers)


async def _followed(
    server: Server, stream: ServedStream, newest: int | None, limit: int | None
) -> AsyncIterator[str]:
    """Events of a stream until it is closed, the client leaves or the limit is reached."""
    queue: asyncio.Queue[Answer | None] = asyncio.Queue(REMEMBERED)
    for answer in stream.missed(newest):
        queue.put_nowait(answer)
    stream.listeners.add(queue)
    sent = quiet = 0
    try:
        yield ": the forecasts of a stream follow\n\n"
        while limit is None or sent < limit:
            try:
                answer = await asyncio.wait_for(queue.get(), PAUSE)
            except TimeoutError:
                answer = None
                quiet = quiet + 1
                if not server.ending():
                    if quiet % HEARTBEAT == 0:
                        yield ": still here\n\n"
                    continue
            if answer is None:
                yield "event: end\ndata: {}\n\n"
                return
            sent += 1
            yield event(answer)
    finally:
        stream.listeners.discard(queue)
