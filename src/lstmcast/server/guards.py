"""The guard before every request: it checks the client, limits size and time, and counts requests.

Pure ASGI: a body is passed on as it arrives, so that a large one is refused before it is stored.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import time
from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lstmcast.server.metrics import Metrics
from lstmcast.server.problems import Problem
from lstmcast.server.replies import language_of, response_of
from lstmcast.server.settings import Settings

TOO_LARGE = 413
LINGERING = 2.0  # seconds that a client has to notice that it was refused
# Paths without a token: whether a server is up is not secret, nor is its page without data.
OPEN = ("/health", "/", "/favicon.ico")
OPEN_BELOW = "/static/"
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


class Guard:
    """An app behind its limits.

    Args:
        app: The app that answers requests.
        settings: Tokens, hosts and limits.
        metrics: Counters of requests.
    """

    def __init__(self, app: ASGIApp, settings: Settings, metrics: Metrics) -> None:
        self.app = app
        self.settings = settings
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        start = time.perf_counter()
        body = _Body(receive, self.settings)
        answer = _Answer(send, body)
        self.metrics.active += 1
        try:
            self._admit(scope)
            await self.app(scope, body.receive, answer.send)
        except Problem as problem:
            if not answer.status:
                language = language_of(_header(scope, b"accept-language"))
                await response_of(problem, language)(scope, receive, answer.send)
        finally:
            self.metrics.active -= 1
            route = getattr(scope.get("route"), "path", None) or "unknown"
            took = time.perf_counter() - start
            method = scope["method"] if scope["method"] in METHODS else "other"
            self.metrics.answered(route, method, answer.status or 499, took)

    def _admit(self, scope: Scope) -> None:
        """Raise Problem for a request that must not be answered."""
        host = _header(scope, b"host")
        hosts = self.settings.hosts
        if hosts is not None and _host_name(host) not in hosts:
            # a page of another site whose name resolves to this machine must not read answers
            expected = " or ".join(hosts)
            detail = (
                f"The host name {host[:100]!r} is not accepted. Expected: {expected}."
            )
            raise Problem(421, detail, "host")
        origin = _header(scope, b"origin")
        if origin and _place_of(origin) != host:
            raise Problem(
                403, f"A page from {origin[:100]} may not use this server.", "origin"
            )
        path = scope["path"]
        is_open = path in OPEN or path.startswith(OPEN_BELOW)
        if self.settings.token is not None and not is_open:
            self._require_token(_header(scope, b"authorization").encode("latin-1"))
        length = _header(scope, b"content-length")
        if length.isdecimal() and int(length) > self.settings.limits.body:
            raise too_large(self.settings)

    def _require_token(self, header: bytes) -> None:
        token = self.settings.token or ""
        scheme, _, token_sent = header.partition(b" ")
        # in constant time, so that the duration reveals nothing about a wrong token
        right = hmac.compare_digest(token_sent.strip(), token.encode())
        if scheme.lower() != b"bearer" or not right:
            raise Problem(
                401,
                "Send the token of the server in the header Authorization: Bearer TOKEN.",
                "authorization",
                headers={"www-authenticate": "Bearer"},
            )


class _Body:
    """The body of a request, within the limits of size and time."""

    def __init__(self, receive: Receive, settings: Settings) -> None:
        self._receive = receive
        self._settings = settings
        self._size = 0
        self.ended = False
        self._until = time.monotonic() + settings.limits.receive

    async def receive(self) -> Message:
        """Receive the next part. Raises Problem if the body is too large or takes too long."""
        if self.ended:
            return await self._receive()  # a client that leaves
        remaining = self._until - time.monotonic()
        try:
            message = await asyncio.wait_for(self._receive(), max(remaining, 0.01))
        except TimeoutError as error:
            limit = self._settings.limits.receive
            detail = (
                f"The body did not arrive within {limit:g} seconds. "
                "Send it faster, or send less."
            )
            raise Problem(
                408, detail, "body", headers={"connection": "close"}
            ) from error
        self._size += len(message.get("body", b""))
        self.ended = not message.get("more_body", False)
        if self._size > self._settings.limits.body:
            raise too_large(self._settings)
        return message

    async def drain(self) -> None:
        """Read for a moment what a client still sends: a connection that is closed while data
        arrive is reset, and the answer is lost before it is read."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LINGERING):
                continues = True
                while continues:
                    continues = (await self._receive()).get("more_body", False)


class _Answer:
    """Sends an answer, and stores its status, which is 0 before it has begun."""

    def __init__(self, send: Send, body: _Body) -> None:
        self._send = send
        self._body = body
        self.status = 0

    async def send(self, message: Message) -> None:
        """Send the next part."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
        ends = message["type"] == "http.response.body" and not message.get(
            "more_body", False
        )
        if ends and self.status == TOO_LARGE and not self._body.ended:
            await self._send({**message, "more_body": True})
            await self._body.drain()
            message = {"type": "http.response.body", "body": b"", "more_body": False}
        await self._send(message)


def too_large(settings: Settings) -> Problem:
    """The problem of a body that is too large."""
    limit = settings.limits.body
    detail = f"The body is larger than {limit:,} bytes. Send fewer series or columns."
    return Problem(TOO_LARGE, detail, "body", headers={"connection": "close"})


def _header(scope: Scope, name: bytes) -> str:
    """The last header with this name; empty if there is none."""
    return dict(scope["headers"]).get(name, b"").decode("latin-1")


def _host_name(host: str) -> str:
    """The name of a host, without its port.

    >>> _host_name("localhost:8000"), _host_name("[::1]:8000")
    ('localhost', '[::1]')
    """
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0]


def _place_of(origin: str) -> str:
    """The host and port of an origin; empty if it is invalid.

    >>> _place_of("http://localhost:8000"), _place_of("http://[")
    ('localhost:8000', '')
    """
    try:
        return urlsplit(origin).netloc
    except ValueError:  # brackets without an address
        return ""


def allowed_hosts(host: str, names: Iterable[str]) -> tuple[str, ...] | None:
    """The host names that requests may use if a server listens on `host`; None, which allows any,
    unless it serves only this machine."""
    names = tuple(names)
    return names if host in names else None
