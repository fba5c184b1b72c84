"""The process of a server: how it listens and how it ends."""

from __future__ import annotations

import gc
import importlib.util
import socket
from collections.abc import Callable
from contextlib import closing

from lstmcast.errors import MissingExtraError, UsageError
from lstmcast.server.settings import Settings
from lstmcast.util.blas import one_blas_thread

ENDING = 5.0  # seconds that answers may take after the process was told to end
LAST_PORT = 65_535
KEPT_ALIVE = 15  # seconds that a connection may wait for its next request
NEEDED = ("fastapi", "uvicorn", "python_multipart")


def require_server() -> None:
    """Raise MissingExtraError unless the packages for a server are installed."""
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise MissingExtraError(
            f"A server needs {', '.join(missing)}. Install it with pip install 'lstmcast[server]'."
        )


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens there; UsageError if that is not possible."""
    opened = None
    if not 0 <= port <= LAST_PORT:  # the system would use the port modulo 65536
        raise UsageError(f"--port must be from 0 to {LAST_PORT}, got {port}.")
    try:
        family, kind, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM
        )[0]
        # TCP by its number: otherwise asyncio leaves Nagle's algorithm on, and answers wait 40 ms
        opened = socket.socket(family, kind, socket.IPPROTO_TCP)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind(address)
        opened.listen(2048)
    except OSError as error:
        if opened is not None:
            opened.close()
        reason = getattr(error, "strerror", None) or error
        raise UsageError(
            f"The server cannot listen on {host}:{port}: {reason}. Name another --host or --port."
        ) from error
    return opened


def address_of(opened: socket.socket) -> str:
    """The address for a browser.

    >>> with listening("127.0.0.1", 0) as opened:
    ...     address_of(opened).startswith("http://127.0.0.1:")
    True
    """
    host, port = opened.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def serve(
    settings: Settings,
    host: str,
    port: int,
    ready: Callable[[str], object] = lambda address: None,
) -> None:
    """Serve until a signal arrives. `ready` is called with the address once it is served.

    Raises MissingExtraError, UsageError, and ModelError or OutputError if models or streams cannot
    be used.
    """
    require_server()
    import uvicorn

    from lstmcast.server.app import create_app
    from lstmcast.server.passes import OwnProcess

    with listening(host, port) as opened, closing(OwnProcess()) as passes:
        app = create_app(settings, passes.read)
        limits = settings.limits
        config = uvicorn.Config(
            app,
            http="h11",
            loop="asyncio",
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            limit_concurrency=2 * limits.waiting + limits.listeners,
            timeout_keep_alive=KEPT_ALIVE,
            timeout_graceful_shutdown=int(ENDING),
        )
        server = uvicorn.Server(config)
        # listeners check this, and stop waiting
        app.server.ending = lambda: server.should_exit
        ready(address_of(opened))
        # Loaded objects are permanent: otherwise the garbage collector scans them repeatedly,
        # which takes 3 of the 13 ms of a tick of 400 rows.
        gc.freeze()
        with one_blas_thread():  # as requests share the processors
            server.run(sockets=[opened])
