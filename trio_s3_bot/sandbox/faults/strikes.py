"""What is armed for requests to come: strikes and holds."""

from __future__ import annotations

import math

import trio

from .calls import Match, Request, matcher
from .exchange import Answer, Course, Exchange, Fault, When
from .wire import LOOK_AHEAD


class Strike:
    """A course that waits for its requests. `count` is how often it has taken effect."""

    def __init__(self, course: Course, match: Match | None, *, times: int | None, skip: int) -> None:
        self.course = course
        self.count = 0
        self._matches = matcher(match)
        self._left = math.inf if times is None else times
        self._skip = skip
        self._changed = trio.Event()

    async def struck(self, times: int = 1) -> None:
        """Wait until it has taken effect `times` times since it was armed."""
        while self.count < times:
            await self._changed.wait()

    def disarm(self) -> None:
        """Let everything pass from now on; requests that it has taken already are still struck."""
        self._left = -math.inf

    def take(self, request: Request) -> bool:
        """True if this request is to be struck."""
        if self._left <= 0 or not self._matches(request):
            return False
        if self._skip > 0:
            self._skip -= 1
            return False
        self._left -= 1
        return True

    def give_back(self) -> None:
        """A request that was taken ended before it could be struck: the next one takes its place."""
        self._left += 1

    def took_effect(self) -> None:
        """Count, and wake who waits."""
        self.count += 1
        self._changed.set()
        self._changed = trio.Event()


class Hold(Course):
    """
    A request that waits: before the server has heard of it, or after it has answered.

    "After" is when the whole answer has come, or the first MiB of it. A request that is held before the server and has
    lost its client by the time of its release is dropped.
    """

    def __init__(self, when: When) -> None:
        self.reached = trio.Event()
        """Set when the request waits."""
        self._when = when
        self._then = Course()
        self._released = trio.Event()

    def release(self, then: Fault | None = None) -> None:
        """Let the request go on, or into `then`. ValueError if that would have to strike before the point it is at."""
        if then is not None:
            self._then = then.course(then.natural if self._when is When.BEFORE else When.AFTER)
        self._released.set()

    async def begin(self, x: Exchange) -> Course:
        if self._when is When.AFTER:
            return self
        await self._wait(x)
        if x.client.peer_closed():
            x.end()
            await trio.lowlevel.checkpoint()
        return await self._then.begin(x)

    async def pass_on(self, x: Exchange, answer: Answer) -> None:
        await answer.read_ahead(LOOK_AHEAD)
        await self._wait(x)
        await self._then.pass_on(x, answer)

    async def _wait(self, x: Exchange) -> None:
        x.struck(None)
        self.reached.set()
        await self._released.wait()
