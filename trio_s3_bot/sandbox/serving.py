"""Serving an ASGI application on loopback for as long as a block lasts."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from typing import Any, cast

import trio
from hypercorn.config import Config
from hypercorn.trio import serve
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
    with ungrouped():
        async with trio.open_nursery() as nursery:
            addresses: list[str] = await nursery.start(partial(serve, cast("Any", app), _config(port)))
            yield addresses[0]
            nursery.cancel_scope.cancel()


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


def _config(port: int) -> Config:
    config = Config()
    config.bind = [f"127.0.0.1:{port}"]
    config.accesslog = None
    config.errorlog = log
    config.keep_alive_timeout = KEEP_ALIVE
    config.graceful_timeout = 0
    return config
