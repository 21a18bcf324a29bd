"""
One request and its answer on their way through the proxy, and the points at which a fault can change their course.

    client ──request──> Course.begin ──> Course.request ──> server
    client <──────────────── Course.pass_on <──answer────── server

Both ways are open at once: a server may answer before it has read the whole body, or ask for it (100 Continue).
"""

from __future__ import annotations

import abc
import contextlib
import enum
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import h11
import trio

from .wire import Incoming, PeerLost, Wire, announced_length, copy

_BODILESS_STATUS = frozenset({204, 304})


class When(enum.Enum):
    """When a fault strikes: before the server has heard of the request, or after it has done the work."""

    BEFORE = "before"
    AFTER = "after"


@dataclass
class Record:
    """
    One request in the log, without its secrets.

    `status` is what the server answered; `None` while it hasn't, or because it was never asked. `fault` is what struck.
    `time` is in seconds of trio's clock.
    """

    time: float
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str] = field(repr=False)
    call: str | None
    status: int | None = None
    fault: Fault | None = None


class Course:
    """What is done with a request and its answer; this one passes both on unchanged."""

    forwards: ClassVar[bool] = True

    async def begin(self, x: Exchange) -> Course:  # noqa: ARG002  # for courses that look at the request
        """Called with the head of the request read and nothing forwarded; gives the course to follow from here."""
        return self

    async def request(self, x: Exchange) -> None:
        """Read the body of the request; the head has been forwarded if `forwards`. Runs along with `answer`."""
        await copy(x.request, x.send_upstream)

    async def answer(self, x: Exchange) -> None:
        """Answer the client."""
        await self.pass_on(x, await x.take_answer())

    async def pass_on(self, x: Exchange, answer: Answer) -> None:
        """Answer the client, now that the head of the server's answer is here."""
        await x.begin_answer(answer.head)
        await copy(answer, x.client.send)


class Fault(abc.ABC):
    """Something that goes wrong with one request. Faults are values; one can be armed many times."""

    natural: ClassVar[When] = When.BEFORE
    """When it strikes unless told otherwise."""

    @abc.abstractmethod
    def course(self, when: When) -> Course:
        """The course of a struck request; ValueError if the fault makes no sense at that time."""


class Answer(Incoming):
    """The server's answer; `bodiless` ones end with their head, whatever their Content-Length (RFC 9112, 6.3)."""

    def __init__(self, server: Wire, head: h11.Response, *, bodiless: bool) -> None:
        super().__init__(server, 0 if bodiless else announced_length(head))
        self.head, self.bodiless = head, bodiless


class Upstream:
    """The connection to the server that goes with one of a client's: made when needed, kept while it lasts."""

    def __init__(self, host: str, port: int) -> None:
        self._address = (host, port)
        self._wire: Wire | None = None

    async def connect(self) -> Wire:
        """A connection that is ready for a request; PeerLost when the server doesn't take any."""
        if self._wire is not None and not self._wire.quiet():
            self.close()
        if self._wire is None:
            try:
                self._wire = Wire(await trio.open_tcp_stream(*self._address), h11.CLIENT)
            except OSError as error:
                raise PeerLost(None, reset=True) from error
        return self._wire

    def recycle(self) -> None:
        """Keep the connection for another request if it is fit for one."""
        if self._wire is not None and not self._wire.recycle():
            self.close()

    def close(self) -> None:
        """Close the connection, if there is one."""
        if self._wire is not None:
            self._wire.close()
        self._wire = None


class Exchange:
    """One request of a client and its answer; its methods are what courses are made of."""

    def __init__(
        self,
        client: Wire,
        upstream: Upstream,
        head: h11.Request,
        record: Record,
        on_struck: Callable[[], None] | None,
    ) -> None:
        self.client, self.request, self.record = client, Incoming(client, announced_length(head)), record
        self.request_read = trio.Event()
        self.was_struck = self.over = False
        self._head, self._upstream, self._on_struck = head, upstream, on_struck
        self._server: Wire | None = None
        self._server_deaf = False
        self._scope = trio.CancelScope()

    async def run(self, course: Course) -> None:
        """Serve the request. Afterwards the connections are fit for another one unless `over`."""
        with self._scope, self._losses():
            course = await course.begin(self)
            if course.forwards:
                await self._forward_head()
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._read_request, course)
                with self._losses():
                    await course.answer(self)
                    await self._finish_request()
                nursery.cancel_scope.cancel()

    @property
    def server(self) -> Wire:
        """The connection to the server, for courses that forward."""
        if self._server is None:
            raise RuntimeError("this request is not forwarded")
        return self._server

    async def send_upstream(self, event: h11.Event) -> None:
        """
        Send a piece of the request to the server.

        A server that stops listening may have answered early; so what is left goes nowhere, and the answer decides.
        """
        if not self._server_deaf:
            try:
                await self.server.send(event)
            except PeerLost:
                self._server_deaf = True

    async def take_answer(self) -> Answer:
        """The server's final answer, its body unread; interim ones (1xx) are passed on."""
        while isinstance(event := await self.server.next_event(), h11.InformationalResponse):
            await self.client.send(
                h11.InformationalResponse(status_code=event.status_code, headers=event.headers.raw_items())
            )
        if not isinstance(event, h11.Response):
            raise PeerLost(self.server, reset=False)
        self.record.status = event.status_code
        return Answer(self.server, event, bodiless=self.bodiless(event.status_code))

    def bodiless(self, status: int) -> bool:
        """True when an answer of that status to this request has no body."""
        return self._head.method == b"HEAD" or status in _BODILESS_STATUS

    async def begin_answer(self, head: h11.Response, headers: list[tuple[bytes, bytes]] | None = None) -> None:
        """Send the head of an answer, with other headers if given."""
        fields = list(head.headers.raw_items()) if headers is None else headers
        if self.client.conn.they_are_waiting_for_100_continue:
            # The body may come or not, and nothing tells which: the connection can't go on (RFC 9110, 10.1.1).
            fields = [(name, value) for name, value in fields if name.lower() != b"connection"]
            fields.append((b"Connection", b"close"))
        await self.client.send(h11.Response(status_code=head.status_code, headers=fields, reason=head.reason))

    async def reply(self, head: h11.Response, body: bytes) -> None:
        """Answer in the server's stead."""
        await self.begin_answer(head)
        if body and not self.bodiless(head.status_code):
            await self.client.send(h11.Data(data=body))
        await self.client.send(h11.EndOfMessage())

    async def whole_request(self) -> None:
        """Wait until the body has been read, unless the client waits for leave to send it."""
        if not self.client.conn.they_are_waiting_for_100_continue:
            await self.request_read.wait()

    def struck(self, fault: Fault | None) -> None:
        """Put down that the fault has taken effect."""
        self.record.fault = fault
        self.was_struck = True
        if self._on_struck is not None:
            self._on_struck()

    def end(self) -> None:
        """Stop serving this request at the next checkpoint, and this client's connection with it."""
        self.over = True
        self._scope.cancel()

    async def _forward_head(self) -> None:
        self._server = await self._upstream.connect()
        head = self._head
        await self._server.send(h11.Request(method=head.method, target=head.target, headers=head.headers.raw_items()))

    async def _read_request(self, course: Course) -> None:
        with self._losses():
            await course.request(self)
            self.request_read.set()
            if not await self.client.fill():
                self.end()  # the client has hung up, and the server is to know

    async def _finish_request(self) -> None:
        """An answer may be complete before its request is; then the rest is read, if the connection is to go on."""
        if self.client.conn.our_state is h11.DONE:
            await self.request_read.wait()

    @contextlib.contextmanager
    def _losses(self) -> Iterator[None]:
        """A lost peer ends the exchange; a server that is lost is lost in the same way for the client."""
        try:
            yield
        except PeerLost as lost:
            if lost.wire is not self.client:
                if lost.reset:
                    self.client.reset()
                else:
                    self.client.close()
            self.end()
