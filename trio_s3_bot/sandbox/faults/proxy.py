"""The proxy itself: it listens, decides which request is struck by what, and keeps the log."""

from __future__ import annotations

import socket
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

import h11
import trio

from .calls import Match, Request
from .exchange import Course, Exchange, Fault, Record, Upstream, When
from .strikes import Hold, Strike
from .wire import PeerLost, Wire

_HOST = "127.0.0.1"
_LOG_SIZE = 100_000
_BACKLOG = 512
_UNCHANGED = Course()


@asynccontextmanager
async def open_fault_proxy(upstream_url: str) -> AsyncIterator[FaultProxy]:
    """
    Run a proxy in front of `upstream_url`, such as `http://127.0.0.1:9000`, for as long as the block lasts.

    At its end connections are dropped. An error of the block comes out as itself, not in a group.
    """
    parts = urlsplit(upstream_url)
    if parts.scheme != "http" or not parts.hostname or parts.path not in ("", "/"):
        raise ValueError("the upstream is http://host:port, without a path")
    proxy = FaultProxy(parts.hostname, parts.port or 80)
    failure: Exception | None = None
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(proxy._serve)
            try:
                yield proxy
            except Exception as error:
                failure = error
            nursery.cancel_scope.cancel()
    finally:
        proxy._close()
    if failure is not None:
        raise failure


class FaultProxy:
    """
    An HTTP/1.1 proxy that passes everything on as it comes, except for the requests that faults are armed for.

    A request is struck once: by what was armed first of all that match it. A fault that could not take effect, because
    the client or the server went away, stays armed. Made by `open_fault_proxy`.
    """

    def __init__(self, upstream_host: str, upstream_port: int) -> None:
        self.requests: deque[Record] = deque(maxlen=_LOG_SIZE)
        """The log, oldest first: one record for each request whose head has come, without tokens and signatures."""
        self._upstream = (upstream_host, upstream_port)
        self._strikes: list[Strike] = []
        self._clients: set[Wire] = set()
        self._bound = _bind(0)
        self._port: int = self._bound.getsockname()[1]
        self._listener: trio.SocketListener | None = None
        self._is_up = trio.Event()
        self.up()

    @property
    def url(self) -> str:
        """Where clients find the proxy, without a trailing slash; the same for as long as it lives."""
        return f"http://{_HOST}:{self._port}"

    def add(
        self,
        fault: Fault,
        *,
        when: When | None = None,
        match: Match | None = None,
        times: int | None = 1,
        skip: int = 0,
    ) -> Strike:
        """
        Arm `fault` for requests that `match` (`None`: any): let `skip` of them pass, then strike `times` (`None`: all).

        `when` decides whether the server does the work first; ValueError if that makes no sense with this fault.
        """
        strike = Strike(fault.course(when or fault.natural), match, times=times, skip=skip)
        self._strikes.append(strike)
        return strike

    def hold(self, match: Match | None = None, *, when: When = When.BEFORE, skip: int = 0) -> Hold:
        """Make the next request that matches wait, before or after the server has done the work, until its release."""
        hold = Hold(when)
        self._strikes.append(Strike(hold, match, times=1, skip=skip))
        return hold

    def down(self) -> None:
        """Be gone, as a server that was killed: connections are reset, new ones are refused. The port is kept."""
        if self._listener is None:
            return
        self._is_up = trio.Event()
        self._listener.socket.close()
        self._listener = None
        self._bound = _bind(self._port)
        for client in tuple(self._clients):
            client.reset()

    def up(self) -> None:
        """Listen again, at the same address."""
        if self._listener is None:
            self._bound.listen(_BACKLOG)
            self._listener = trio.SocketListener(trio.socket.from_stdlib_socket(self._bound))
            self._is_up.set()

    def _close(self) -> None:
        if self._listener is not None:
            self._listener.socket.close()
        self._bound.close()

    async def _serve(self) -> None:
        async with trio.open_nursery() as nursery:
            while True:
                await self._is_up.wait()
                client = await self._accept()
                if client is not None:
                    nursery.start_soon(self._serve_client, client)

    async def _accept(self) -> Wire | None:
        listener = self._listener
        if listener is None:  # it went down while this task was on its way here
            return None
        try:
            client = Wire(await listener.accept(), h11.SERVER)
        except trio.ClosedResourceError:
            return None
        if listener is not self._listener:  # it went down while this one came in
            client.reset()
            return None
        self._clients.add(client)
        return client

    async def _serve_client(self, client: Wire) -> None:
        upstream = Upstream(*self._upstream)
        try:
            while (head := await _next_request(client)) is not None:
                if not await self._serve_request(client, upstream, head):
                    break
        finally:
            upstream.close()
            client.close()
            self._clients.discard(client)

    async def _serve_request(self, client: Wire, upstream: Upstream, head: h11.Request) -> bool:
        request = Request.parse(head.method, head.target, head.headers)
        record = _record(request)
        self.requests.append(record)
        strike = next((strike for strike in self._strikes if strike.take(request)), None)
        exchange = Exchange(client, upstream, head, record, strike.took_effect if strike else None)
        await exchange.run(strike.course if strike else _UNCHANGED)
        if strike and not exchange.was_struck:
            strike.give_back()
        if exchange.over:
            return False
        upstream.recycle()
        if client.recycle():
            return True
        await client.linger()
        return False


def _bind(port: int) -> socket.socket:
    """A port that is ours but doesn't listen: whoever connects is refused, and nobody else gets it."""
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind((_HOST, port))
    return bound


def _record(request: Request) -> Record:
    shown = request.without_secrets()
    return Record(trio.current_time(), shown.method, shown.path, shown.query, shown.headers, shown.call)


async def _next_request(client: Wire) -> h11.Request | None:
    """The head of the client's next request; `None` when there will be none."""
    try:
        event = await client.next_event()
    except PeerLost as lost:
        if not lost.reset:
            await _reject(client, 400)
        return None
    if not isinstance(event, h11.Request):
        return None
    if event.http_version != b"1.1":
        await _reject(client, 505)
        return None
    return event


async def _reject(client: Wire, status: int) -> None:
    with suppress(PeerLost):
        await client.send(h11.Response(status_code=status, headers=[("Content-Length", "0"), ("Connection", "close")]))
        await client.send(h11.EndOfMessage())
        await client.linger()
