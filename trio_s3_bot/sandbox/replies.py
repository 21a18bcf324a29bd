"""Answers of an emulated server, and the ways in which a real one gets them wrong."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import trio
from starlette.types import Receive, Scope, Send

from .world import Call, Changes, Content

Work = Callable[[], Awaitable["Reply"]]

BAD_GATEWAY = (
    b"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n"
)
BAD_GATEWAY += b"<hr><center>nginx/1.18.0</center>\r\n</body>\r\n</html>\r\n"


@dataclass(frozen=True)
class Reply:
    """
    One HTTP answer, an ASGI application.

    Of `body` the bytes from `start` to `stop` are sent, `rate` of them a second, and after `cut` of them the
    connection is closed although `Content-Length` promised the rest.
    """

    status: int
    body: Content
    headers: Mapping[str, str] = field(default_factory=dict)
    start: int = 0
    stop: int | None = None
    rate: float | None = None
    cut: int | None = None

    @property
    def length(self) -> int:
        return (self.body.size if self.stop is None else self.stop) - self.start

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(cancel_on_disconnect, receive, nursery.cancel_scope)
            await self._send(scope["method"], send)
            nursery.cancel_scope.cancel()

    async def _send(self, method: str, send: Send) -> None:
        headers = {"content-length": str(self.length), **self.headers}
        raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": self.status, "headers": raw})
        if method != "HEAD":
            await self._send_body(send)
        if self.cut is None or self.cut >= self.length:
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _send_body(self, send: Send) -> None:
        stop = self.start + self.length
        if self.cut is not None:
            stop = min(stop, self.start + self.cut)
        step = 256 * 1024 if self.rate is None else max(1, int(self.rate / 10))
        offset = self.start
        while offset < stop:
            chunk = self.body.read(offset, min(step, stop - offset))
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
            offset += len(chunk)
            await trio.sleep(0 if self.rate is None else len(chunk) / self.rate)


async def cancel_on_disconnect(receive: Receive, scope: trio.CancelScope) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    scope.cancel()


def json_reply(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    body = json.dumps(value, ensure_ascii=True, separators=(",", ":")).encode()
    return Reply(status, Content.of(body), {"content-type": "application/json", **(headers or {})})


class Answer(Protocol):
    """How a scripted fault changes what a request gets: with the server's `work` done, or in its place."""

    async def give(self, work: Work, *, before: bool) -> Reply: ...


class Instead:
    """A base for answers that replace the right one, `before` the work or after it was done (the lost answer)."""

    def reply(self) -> Reply:
        raise NotImplementedError

    async def give(self, work: Work, *, before: bool) -> Reply:
        if not before:
            await work()
        return self.reply()


@dataclass(frozen=True)
class Html502(Instead):
    """What a front end says when the server behind it is out of order: a page, not JSON."""

    def reply(self) -> Reply:
        return Reply(502, Content.of(BAD_GATEWAY), {"content-type": "text/html"})


@dataclass(frozen=True)
class Html200(Instead):
    """An HTML page with status 200 in place of what was asked for."""

    page: bytes = b"<!doctype html><title>Error</title><h1>Something went wrong</h1>"

    def reply(self) -> Reply:
        return Reply(200, Content.of(self.page), {"content-type": "text/html; charset=utf-8"})


@dataclass(frozen=True)
class Status(Instead):
    """A bare HTTP status with a body of one's choice."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    def reply(self) -> Reply:
        return Reply(self.status, Content.of(self.body), self.headers)


@dataclass(frozen=True)
class Delay:
    """`seconds` of silence: before the work is done, or between the work and its answer."""

    seconds: float

    async def give(self, work: Work, *, before: bool) -> Reply:
        if before:
            await trio.sleep(self.seconds)
        reply = await work()
        if not before:
            await trio.sleep(self.seconds)
        return reply


@dataclass(frozen=True)
class CutBody:
    """The right answer, but the connection closes `after` so many bytes of its body."""

    after: int

    async def give(self, work: Work, *, before: bool) -> Reply:  # noqa: ARG002
        return replace(await work(), cut=self.after)


@dataclass(frozen=True)
class SlowBody:
    """The right answer at so many bytes a second."""

    bytes_per_second: float

    async def give(self, work: Work, *, before: bool) -> Reply:  # noqa: ARG002
        return replace(await work(), rate=self.bytes_per_second)


@dataclass(frozen=True)
class WrongSize:
    """A complete and well-formed body that is `extra` bytes longer than it should be (shorter, if negative)."""

    extra: int

    async def give(self, work: Work, *, before: bool) -> Reply:  # noqa: ARG002
        right = await work()
        padded = Content(right.body.size + self.extra, _padded(right.body))
        stop = None if right.stop is None else right.stop + self.extra
        return replace(right, body=padded, stop=stop)


def _padded(body: Content) -> Callable[[int, int], bytes]:
    def read(offset: int, length: int) -> bytes:
        inside = max(0, min(length, body.size - offset))
        return (body.read(offset, inside) if inside else b"") + b"\0" * (length - inside)

    return read


@dataclass(eq=False)
class Fault:
    """A scripted fault; `hits` counts the requests it has spoilt, `left` those it still will (`None`: all)."""

    answer: Answer
    method: str | None
    left: int | None
    before: bool
    match: Callable[[Call], bool] | None
    hits: int = 0

    def fits(self, call: Call) -> bool:
        if self.left == 0 or (self.method is not None and self.method.lower() != call.method.lower()):
            return False
        return self.match is None or self.match(call)


class Faults:
    """The script of what goes wrong. A request gets the first fault that fits it, and only that one."""

    def __init__(self, changes: Changes) -> None:
        self._faults: list[Fault] = []
        self._changes = changes

    def add(
        self,
        *,
        answer: Answer,
        method: str | None = None,
        times: int | None = 1,
        before: bool = True,
        match: Callable[[Call], bool] | None = None,
    ) -> Fault:
        """
        Spoil the next `times` requests (`None`: all until `clear`) of `method` (`None`: any) that `match` approves.

        With `before` false the server does its work, and only the answer is lost or replaced.
        """
        fault = Fault(answer, method, times, before, match)
        self._faults.append(fault)
        return fault

    def remove(self, fault: Fault) -> None:
        self._faults.remove(fault)

    def clear(self) -> None:
        self._faults.clear()

    async def answer(self, call: Call, work: Work) -> Reply:
        """Do `work` for `call`, with the fault in its way that fits it."""
        for fault in self._faults:
            if fault.fits(call):
                fault.hits += 1
                fault.left = None if fault.left is None else fault.left - 1
                self._changes.announce()
                return await fault.answer.give(work, before=fault.before)
        return await work()
