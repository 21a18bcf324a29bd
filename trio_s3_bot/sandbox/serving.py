"""Serving an ASGI application on loopback for as long as a block lasts."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, cast

import trio
from hypercorn.config import Config
from hypercorn.trio.tcp_server import TCPServer
from hypercorn.trio.worker_context import WorkerContext
from hypercorn.typing import ConnectionState
from hypercorn.utils import wrap_app
from starlette.types import ASGIApp

KEEP_ALIVE = 75.0
"""Seconds that an idle connection stays open; nginx's default, which is what stands before a real API."""

log = logging.getLogger(__name__)


@asynccontextmanager
async def serving(app: ASGIApp, *, port: int = 0) -> AsyncIterator[str]:
    """
    Serve `app` on 127.0.0.1 and give its address, such as `http://127.0.0.1:43210`, without a trailing slash.

    `port` 0 lets the system choose. On exit connections are dropped, not drained: the emulators outlive their clients.
    An error of the block comes out as itself, not in a group.
    """
    connections = _Connections(app)
    with ungrouped():
        async with trio.open_nursery() as nursery:
            listeners = await trio.open_tcp_listeners(port, host="127.0.0.1")
            nursery.start_soon(trio.serve_listeners, connections.serve, listeners)
            try:
                yield f"http://127.0.0.1:{listeners[0].socket.getsockname()[1]}"
            finally:
                connections.drop()
                nursery.cancel_scope.cancel()


class _Connections:
    """
    Hypercorn's handling of connections, with the sockets at hand.

    Hypercorn shields its sending from cancellation: a client that keeps a connection open and doesn't read would hold
    up the end for ever, if nobody closed the socket under it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._config = _config()
        self._app = wrap_app(cast("Any", app), self._config.wsgi_max_body_size, "asgi")
        self._context = WorkerContext(None)
        self._open: set[trio.SocketStream] = set()

    async def serve(self, stream: trio.SocketStream) -> None:
        self._open.add(stream)
        try:
            await TCPServer(self._app, self._config, self._context, ConnectionState({}), cast("Any", stream))
        finally:
            self._open.discard(stream)

    def drop(self) -> None:
        for stream in self._open:
            stream.socket.close()


@contextmanager
def ungrouped() -> Iterator[None]:
    """
    Let the one error in nested exception groups of one out as itself, with its own context.

    For services around a block of somebody else's, who should not have to know that there is a nursery.
    """
    try:
        yield
    except BaseExceptionGroup as group:
        error: BaseException = group
        while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
            error = error.exceptions[0]
        context = error.__context__
        try:
            raise error
        finally:
            error.__context__ = context


def _config() -> Config:
    config = Config()
    config.accesslog = None
    config.errorlog = log
    config.keep_alive_timeout = KEEP_ALIVE
    return config
