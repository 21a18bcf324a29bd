"""An HTTP/1.1 server and a client that do what a test tells them and nothing else, and write down what they see."""

from __future__ import annotations

import os
import socket
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from urllib.parse import urlsplit

import h11
import trio
from trio.testing import wait_all_tasks_blocked

PIECE = bytes(64 * 1024)


class Ended(Exception):
    """The connection ended (`how`: "closed" or "reset") after `status` and the bytes of `body`, as far as they came."""

    def __init__(self, how: str, status: int | None, body: bytes) -> None:
        self.how, self.status, self.body = how, status, body
        super().__init__(f"{how}, {status}, {len(body)} bytes")


@dataclass
class Seen:
    """A request as the server saw it: `complete` once all of its body had come, or `lost`, in the way `how` tells."""

    method: str
    target: str
    headers: list[tuple[bytes, bytes]]
    body: bytearray = field(default_factory=bytearray)
    size: int = 0
    complete: bool = False
    how: str | None = None
    lost: trio.Event = field(default_factory=trio.Event)


@dataclass
class Reply:
    """An answer as the client saw it."""

    status: int
    headers: dict[str, str]
    raw_headers: list[tuple[bytes, bytes]]
    body: bytes
    size: int
    trailers: dict[str, str]


class Server:
    """Answers by path; `seen` is what was asked, `connections` how many were made."""

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self.connections = 0
        self.url = ""
        self.ends = trio.Event()
        self.go_on = trio.Event()
        self._arrived = trio.Event()

    async def arrival(self, count: int = 1) -> Seen:
        """Wait until that many requests have come, and give the last of them."""
        while len(self.seen) < count:
            await self._arrived.wait()
        return self.seen[count - 1]

    async def serve(self, stream: trio.SocketStream) -> None:
        """Serve one connection; `ends` is set when one has ended."""
        self.connections += 1
        await self._serve(stream)
        self.ends.set()

    async def _serve(self, stream: trio.SocketStream) -> None:
        conn = h11.Connection(h11.SERVER)
        async with stream:
            while (event := await _next(conn, stream)) and isinstance(event, h11.Request):
                seen = Seen(event.method.decode(), event.target.decode(), event.headers.raw_items())
                self.seen.append(seen)
                self._arrived.set()
                self._arrived = trio.Event()
                try:
                    if not await self._answer(conn, stream, seen):
                        return
                except trio.BrokenResourceError:
                    seen.lost.set()
                    return
                conn.start_next_cycle()

    async def _answer(self, conn: h11.Connection, stream: trio.SocketStream, seen: Seen) -> bool:
        kind, _, number = seen.target.strip("/").partition("?")[0].partition("/")
        if kind == "refuse":
            await wait_all_tasks_blocked()  # the sender is stuck in its body by then, if it has one
            _answer_and_close(conn, stream)
            return False
        if kind == "early":
            await _send(conn, stream, _response(413, 0), h11.EndOfMessage())
        if conn.they_are_waiting_for_100_continue:
            await _send(conn, stream, h11.InformationalResponse(status_code=100, headers=[]))
        await _read_body(conn, stream, seen)
        if not seen.complete:
            return False
        if kind != "early":
            await getattr(self, f"_{kind}", self._ok)(conn, stream, int(number) if number.isdigit() else 0)
        return kind != "bye" and conn.our_state is h11.DONE and conn.their_state is h11.DONE

    async def _ok(self, conn: h11.Connection, stream: trio.SocketStream, _: int) -> None:
        text = b"%d bytes" % self.seen[-1].size
        body = [] if self.seen[-1].method == "HEAD" else [h11.Data(data=text)]
        await _send(conn, stream, _response(200, len(text)), *body, h11.EndOfMessage())

    async def _bytes(self, conn: h11.Connection, stream: trio.SocketStream, count: int) -> None:
        await _send(conn, stream, _response(200, count))
        await self._pieces(conn, stream, count)

    async def _chunks(self, conn: h11.Connection, stream: trio.SocketStream, count: int) -> None:
        await _send(conn, stream, h11.Response(status_code=200, headers=[("Transfer-Encoding", "chunked")]))
        await self._pieces(conn, stream, count, [("X-Sum", "42")])

    async def _pieces(
        self, conn: h11.Connection, stream: trio.SocketStream, count: int, trailers: Iterable[tuple[str, str]] = ()
    ) -> None:
        for start in range(0, count, len(PIECE)):
            await _send(conn, stream, h11.Data(data=PIECE[: count - start]))
        await _send(conn, stream, h11.EndOfMessage(headers=list(trailers)))

    async def _status(self, conn: h11.Connection, stream: trio.SocketStream, code: int) -> None:
        await _send(conn, stream, h11.Response(status_code=code, headers=[("X-Kept", "yes")]), h11.EndOfMessage())

    async def _old(self, _: h11.Connection, stream: trio.SocketStream, count: int) -> None:
        await stream.send_all(b"HTTP/1.0 200 OK\r\n\r\n" + bytes(count))

    async def _stall(self, conn: h11.Connection, stream: trio.SocketStream, count: int) -> None:
        """Send half of the body, and the rest when told to go on."""
        await _send(conn, stream, _response(200, 2 * count), h11.Data(data=bytes(count)))
        await self.go_on.wait()
        await _send(conn, stream, h11.Data(data=bytes(count)), h11.EndOfMessage())

    async def _half(self, conn: h11.Connection, stream: trio.SocketStream, count: int) -> None:
        await _send(conn, stream, _response(200, 2 * count), h11.Data(data=bytes(count)))

    async def _bye(self, conn: h11.Connection, stream: trio.SocketStream, _: int) -> None:
        """Answer, then close without having said so."""
        await self._ok(conn, stream, 0)
        await stream.aclose()

    async def _wait(self, _: h11.Connection, stream: trio.SocketStream, __: int) -> None:
        """Answer nothing until the client hangs up."""
        seen = self.seen[-1]
        with suppress(trio.BrokenResourceError):
            await stream.receive_some()
        seen.lost.set()


@asynccontextmanager
async def open_server() -> AsyncIterator[Server]:
    """A server on a port of the system's choice."""
    server = Server()
    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(partial(trio.serve_tcp, server.serve, 0, host="127.0.0.1"))
        server.url = f"http://127.0.0.1:{listeners[0].socket.getsockname()[1]}"
        yield server
        nursery.cancel_scope.cancel()


class Client:
    """One connection to a server."""

    def __init__(self, stream: trio.SocketStream, host: str) -> None:
        self.stream, self.host = stream, host
        self._conn = h11.Connection(h11.CLIENT)
        self._reset = False

    async def ask(self, method: str, target: str, body: bytes = b"", headers: Iterable[tuple[str, str]] = ()) -> Reply:
        """One request and its whole answer."""
        await self.send(self.head(method, target, len(body), headers))
        if body:
            await self.send(h11.Data(data=body))
        await self.send(h11.EndOfMessage())
        return await self.reply()

    def head(self, method: str, target: str, length: int = 0, headers: Iterable[tuple[str, str]] = ()) -> h11.Request:
        """The head of a request with a body of `length` bytes; 0 is none."""
        fields = [("Host", self.host), *headers]
        if length and not any(name == "Transfer-Encoding" for name, _ in fields):
            fields.append(("Content-Length", str(length)))
        return h11.Request(method=method, target=target, headers=fields)

    async def send(self, event: h11.Event) -> None:
        """Send; a connection that breaks meanwhile shows in the answer, as TCP tells of a reset only once."""
        try:
            await _send(self._conn, self.stream, event)
        except trio.BrokenResourceError:
            self._reset = True

    async def interim_status(self) -> int:
        """The status of the interim answer that comes next."""
        event = await _receive(self._conn, self.stream)
        assert isinstance(event, h11.InformationalResponse)
        return event.status_code

    async def reply(self, *, keep: bool = True) -> Reply:
        """The answer to what was sent, its body only counted unless `keep`; Ended if it doesn't come whole."""
        head: h11.Response | None = None
        body, size = bytearray(), 0
        try:
            while not isinstance(event := await _receive(self._conn, self.stream), h11.EndOfMessage):
                if isinstance(event, h11.Response):
                    head = event
                elif isinstance(event, h11.Data):
                    size += len(event.data)
                    body += event.data if keep else b""
        except (trio.BrokenResourceError, h11.RemoteProtocolError) as error:
            raise Ended(
                "reset" if self._reset else _how(error), head.status_code if head else None, bytes(body)
            ) from error
        assert head is not None
        if self._conn.our_state is h11.DONE and self._conn.their_state is h11.DONE:
            self._conn.start_next_cycle()
        raw = head.headers.raw_items()
        return Reply(head.status_code, _text(head.headers), raw, bytes(body), size, _text(event.headers))

    def has_answer(self) -> bool:
        """True when something has come, be it the end of the connection."""
        return self.stream.socket.is_readable()

    async def ending(self) -> str:
        """How the connection ends: "closed" or "reset"; bytes before that don't count."""
        try:
            while await self.stream.receive_some():
                pass
        except trio.BrokenResourceError:
            self._reset = True
        return "reset" if self._reset else "closed"


@asynccontextmanager
async def connect(url: str) -> AsyncIterator[Client]:
    """A client with a connection of its own."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    assert parts.port is not None
    async with await trio.open_tcp_stream(parts.hostname, parts.port) as stream:
        yield Client(stream, parts.netloc)


def _text(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    return {name.decode(): value.decode() for name, value in headers}


def _response(code: int, length: int, *, close: bool = False) -> h11.Response:
    fields = [("Content-Length", str(length)), ("X-Mixed-Case", "Kept"), *([("Connection", "close")] if close else [])]
    return h11.Response(status_code=code, headers=fields)


def _answer_and_close(conn: h11.Connection, stream: trio.SocketStream) -> None:
    """Answer and close in one go, so that the answer and the reset for what was not read come at the same time."""
    answer = conn.send(_response(413, 0, close=True)) or b""
    with socket.socket(fileno=os.dup(stream.socket.fileno())) as now:
        now.send(answer)
    stream.socket.close()


async def _read_body(conn: h11.Connection, stream: trio.SocketStream, seen: Seen) -> None:
    try:
        while isinstance(event := await _receive(conn, stream), h11.Data):
            seen.size += len(event.data)
            if seen.size <= len(PIECE):
                seen.body += event.data
    except (trio.BrokenResourceError, h11.RemoteProtocolError) as error:
        seen.how = _how(error)
        seen.lost.set()
    else:
        seen.complete = True


def _how(error: Exception) -> str:
    return "reset" if isinstance(error, trio.BrokenResourceError) else "closed"


async def _next(conn: h11.Connection, stream: trio.SocketStream) -> h11.Event | None:
    """The next event; `None` when the peer is gone."""
    try:
        return await _receive(conn, stream)
    except (trio.BrokenResourceError, h11.RemoteProtocolError):
        return None


async def _receive(conn: h11.Connection, stream: trio.SocketStream) -> h11.Event:
    while (event := conn.next_event()) is h11.NEED_DATA:
        conn.receive_data(await stream.receive_some())
    assert isinstance(event, h11.Event)
    return event


async def _send(conn: h11.Connection, stream: trio.SocketStream, *events: h11.Event) -> None:
    for event in events:
        data = conn.send(event)
        if data:
            await stream.send_all(data)
