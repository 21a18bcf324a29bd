"""The faults."""

from __future__ import annotations

import abc
from dataclasses import dataclass, field
from typing import ClassVar

import h11
import trio

from .exchange import Answer, Course, Exchange, Fault, When
from .wire import LOOK_AHEAD, copy, copy_some


@dataclass(frozen=True)
class _InsteadOfRequest(Course):
    """The server never hears of the request."""

    fault: InsteadOfAnswer
    forwards: ClassVar[bool] = False

    async def request(self, x: Exchange) -> None:
        await x.request.discard()

    async def answer(self, x: Exchange) -> None:
        await self.fault.act(x)


@dataclass(frozen=True)
class _InsteadOfAnswer(Course):
    """The server does the work, and its answer is thrown away."""

    fault: InsteadOfAnswer

    async def pass_on(self, x: Exchange, answer: Answer) -> None:
        await answer.discard()
        await self.fault.act(x)


class InsteadOfAnswer(Fault):
    """A fault in place of the server's answer, before or after the server has done the work."""

    def course(self, when: When) -> Course:
        return _InsteadOfRequest(self) if when is When.BEFORE else _InsteadOfAnswer(self)

    @abc.abstractmethod
    async def act(self, x: Exchange) -> None:
        """Do to the client what the fault does."""


class InRequest(Fault, Course):
    """A fault on the way to the server."""

    def course(self, when: When) -> Course:
        if when is not When.BEFORE:
            raise ValueError(f"{self} strikes a request, so before the server has done the work")
        return self


class InAnswer(Fault, Course):
    """A fault on the way back: the server's own answer comes, but not as it was sent."""

    natural: ClassVar[When] = When.AFTER

    def course(self, when: When) -> Course:
        if when is not When.AFTER:
            raise ValueError(f"{self} strikes an answer, so after the server has done the work")
        return self


@dataclass(frozen=True)
class Refused(InsteadOfAnswer):
    """The connection is closed (FIN) without a byte of an answer. For a port that refuses, see `FaultProxy.down`."""

    async def act(self, x: Exchange) -> None:
        await x.whole_request()  # bytes left unread would make it a reset
        _hang_up(x, self, reset=False)


@dataclass(frozen=True)
class Reset(InsteadOfAnswer):
    """The connection is reset (RST) without a byte of an answer, maybe in the middle of the request's body."""

    async def act(self, x: Exchange) -> None:
        _hang_up(x, self, reset=True)


@dataclass(frozen=True)
class Timeout(InsteadOfAnswer):
    """The request is read and never answered, until the client gives up or the proxy closes."""

    async def act(self, x: Exchange) -> None:
        x.struck(self)
        await trio.sleep_forever()


@dataclass(frozen=True)
class Status(InsteadOfAnswer):
    """Another answer: `body` in bytes, `headers` besides Content-Type and Content-Length. HEAD gets no body."""

    code: int
    body: bytes = field(default=b"", repr=False)
    content_type: str = "text/plain; charset=utf-8"
    headers: tuple[tuple[str, str], ...] = ()

    async def act(self, x: Exchange) -> None:
        await x.whole_request()
        fields = {"Content-Type": self.content_type, "Content-Length": str(len(self.body)), **dict(self.headers)}
        x.struck(self)
        await x.reply(h11.Response(status_code=self.code, headers=list(fields.items())), self.body)


@dataclass(frozen=True)
class SlowRequest(InRequest):
    """The body of the request reaches the server at that rate; it has struck when it begins."""

    bytes_per_second: int

    async def request(self, x: Exchange) -> None:
        x.struck(self)
        await copy(x.request, x.send_upstream, self.bytes_per_second)


@dataclass(frozen=True)
class CutRequest(InRequest):
    """
    The server gets at most `at` bytes of the body, never the last one, then both connections are reset.

    A request without a body is not forwarded at all.
    """

    at: int

    async def begin(self, x: Exchange) -> Course:
        if x.request.length == 0:
            _hang_up(x, self, reset=True)
            await trio.lowlevel.checkpoint()
        return self

    async def request(self, x: Exchange) -> None:
        await copy_some(x.request, x.send_upstream, _short_of_the_end(self.at, x.request.length))
        x.server.reset()
        _hang_up(x, self, reset=True)


@dataclass(frozen=True)
class SlowBody(InAnswer):
    """The body of the answer comes at that rate; it has struck when it begins."""

    bytes_per_second: int

    async def pass_on(self, x: Exchange, answer: Answer) -> None:
        await x.begin_answer(answer.head)
        x.struck(self)
        await copy(answer, x.client.send, self.bytes_per_second)


@dataclass(frozen=True)
class CutBody(InAnswer):
    """
    The client gets the head and at most `at` bytes of the body, never the last one; then the connection is closed.

    With `reset` it is reset, which may destroy bytes on their way. An answer without a body is cut before its head.
    """

    at: int
    reset: bool = False

    async def pass_on(self, x: Exchange, answer: Answer) -> None:
        if answer.length != 0:
            await x.begin_answer(answer.head)
            await copy_some(answer, x.client.send, _short_of_the_end(self.at, answer.length))
        _hang_up(x, self, reset=self.reset)


@dataclass(frozen=True)
class WrongContentLength(InAnswer):
    """
    The answer's Content-Length is that of the body plus `by`; then the body comes whole and the connection is closed.

    Without a Content-Length of the server's, what comes of the body within 1 MiB counts. On HEAD only the header is
    wrong and the connection goes on.
    """

    by: int

    def __post_init__(self) -> None:
        if self.by == 0:
            raise ValueError("a Content-Length that is off by 0 is right")

    async def pass_on(self, x: Exchange, answer: Answer) -> None:
        x.struck(self)
        await self._send_head(x, answer)
        if answer.bodiless:
            await copy(answer, x.client.send)
            return
        while data := await answer.read():
            await x.client.send_raw(data)
        x.client.close()
        x.end()

    async def _send_head(self, x: Exchange, answer: Answer) -> None:
        fields = dict(answer.head.headers)
        if b"content-length" not in fields:
            await answer.read_ahead(LOOK_AHEAD)
        length = int(fields.get(b"content-length", answer.held)) + self.by
        framing = {b"content-length", b"transfer-encoding"}
        kept = [(name, value) for name, value in answer.head.headers.raw_items() if name.lower() not in framing]
        await x.begin_answer(answer.head, [*kept, (b"Content-Length", b"%d" % max(0, length))])


def _short_of_the_end(at: int, length: int | None) -> int:
    return at if length is None else min(at, length - 1)


def _hang_up(x: Exchange, fault: Fault, *, reset: bool) -> None:
    if reset:
        x.client.reset()
    else:
        x.client.close()
    x.struck(fault)
    x.end()
