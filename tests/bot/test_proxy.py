"""One proxy setting, three clients: API calls, file bodies and S3 all go through it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import h11
import trio

from tests.bot.talk import SAVED
from tests.sides import Side
from tests.world import World
from trio_s3_bot.sandbox import vk

# What paths begin with that name no method.
ROUTES = {"/file/": "file", "/whp/": vk.LONG_POLL, "/doc": vk.DOC_ROUTE, "/c909618/": vk.FILE_ROUTE}


async def test_everything_goes_through_the_proxy(world: World, side: Side) -> None:
    async with forward_proxy() as (url, asked), world.bot({("network", "proxy"): url}):
        alice, chat = side.meet()
        chat.send_document(alice, "report.pdf", b"content")
        await chat.wait_for(SAVED)
    through_proxy, names = {call for _, call in asked}, side.names
    assert {names.check, names.poll, names.fetch, names.send, "file"} <= through_proxy
    assert {call.method for call in side.world.calls} <= through_proxy
    assert urlsplit(world.s3.endpoint_url).netloc in {host for host, _ in asked}


@asynccontextmanager
async def forward_proxy() -> AsyncIterator[tuple[str, list[tuple[str, str]]]]:
    """An HTTP proxy on loopback, and what it was asked for: the host, and what of the path names the call."""
    asked: list[tuple[str, str]] = []

    async def serve(client: trio.SocketStream) -> None:
        connection = h11.Connection(h11.SERVER)
        head, rest = await request_head(client, connection)
        target = urlsplit(head.target.decode())
        asked.append((target.netloc, call_in(target.path)))
        async with client, await trio.open_tcp_stream(str(target.hostname), target.port or 80) as server:
            path = target._replace(scheme="", netloc="").geturl()
            lines = [f"{head.method.decode()} {path} HTTP/1.1", "Connection: close"]
            kept = [(n, v) for n, v in head.headers if n.lower() not in (b"connection", b"proxy-connection")]
            lines += [f"{name.decode()}: {value.decode('latin-1')}" for name, value in kept]
            await server.send_all("\r\n".join([*lines, "", ""]).encode("latin-1") + rest)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(relay, client, server)
                await relay(server, client)
                nursery.cancel_scope.cancel()

    async with trio.open_nursery() as nursery:
        (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
        nursery.start_soon(trio.serve_listeners, serve, [listener])
        yield f"http://127.0.0.1:{listener.socket.getsockname()[1]}", asked
        nursery.cancel_scope.cancel()


async def request_head(client: trio.SocketStream, connection: h11.Connection) -> tuple[h11.Request, bytes]:
    """The head of a request, and the bytes behind it that have come already."""
    received = b""
    while True:
        event = connection.next_event()
        if isinstance(event, h11.Request):
            return event, received.partition(b"\r\n\r\n")[2]
        assert event is h11.NEED_DATA
        data = await client.receive_some()
        received += data
        connection.receive_data(data)


async def relay(source: trio.SocketStream, sink: trio.SocketStream) -> None:
    try:
        async for data in source:
            await sink.send_all(data)
    except (trio.BrokenResourceError, trio.ClosedResourceError):
        return


def call_in(path: str) -> str:
    """The method of the messenger's API in a path, or what the emulator calls it; else the path."""
    method = re.fullmatch(r"/(?:bot[^/]+|method)/([\w.]+)", path)
    if method:
        return method[1]
    return next((call for beginning, call in ROUTES.items() if path.startswith(beginning)), path)
