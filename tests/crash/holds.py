"""Stop one chosen request before or after the server has done its work, so that the program can be killed meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

import trio

from tests.sides import Side
from trio_s3_bot.sandbox.faults import Request, When
from trio_s3_bot.sandbox.replies import Reply, Status, Work
from trio_s3_bot.sandbox.world import Call

from .ground import Ground

PROBE = "/trio-s3-bot-probe-"
"""What the check at start writes under."""


class Held(Protocol):
    """A request that is held, once `reached` is set, until its release; then it goes on if its sender still lives."""

    reached: trio.Event

    def release(self) -> None: ...


Hold = Callable[[Ground], AbstractContextManager[Held]]
"""Holds a request while a block lasts."""


class _HeldCall:
    """An answer of a messenger's emulator that waits; what is held before the work is never done."""

    def __init__(self) -> None:
        self.reached, self._released = trio.Event(), trio.Event()

    def release(self) -> None:
        self._released.set()

    async def give(self, work: Work, *, before: bool) -> Reply:
        reply = Status(503).reply() if before else await work()
        self.reached.set()
        await self._released.wait()
        return reply


def messenger(call: str | None, when: When, *, text: str = "", skip: int = 0, side: Side | None = None) -> Hold:
    """
    Hold a call to `side` (the only one) whose text contains `text`, after letting `skip` such calls pass.

    `call` is one of the `Names` of both sides, or what the emulator's log calls it (`None`: any).
    """

    @contextmanager
    def armed(ground: Ground) -> Iterator[Held]:
        held, at = _HeldCall(), side or ground.side
        method = None if call is None else getattr(at.names, call, call)
        fits = _after(skip, lambda seen: text in str(seen.params.get("text", seen.params.get("message", ""))))
        fault = at.world.faults.add(method=method, answer=held, before=when is When.BEFORE, match=fits)
        try:
            yield held
        finally:
            at.world.faults.remove(fault)
            held.release()

    return armed


def store(call: str | None, when: When, *, key: str | None = None, part: int | None = None, skip: int = 0) -> Hold:
    """
    Hold a call to the store (`None`: any) about `key` and that part of it, after letting `skip` such calls pass.

    Calls that are chosen by name are those about documents, not those of the check at start.
    """

    def fits(request: Request) -> bool:
        if call is not None and (request.call != call or PROBE in request.path):
            return False
        about = key is None or request.path.endswith(f"/{key}")
        return about and (part is None or request.query.get("partNumber") == str(part))

    @contextmanager
    def armed(ground: Ground) -> Iterator[Held]:
        hold = ground.proxy.hold(fits, when=when, skip=skip)
        try:
            yield hold
        finally:
            hold.release()

    return armed


def _after(skip: int, fits: Callable[[Call], bool]) -> Callable[[Call], bool]:
    left = skip

    def counted(call: Call) -> bool:
        nonlocal left
        if not fits(call):
            return False
        left -= 1
        return left < 0

    return counted
