"""
VK's limits: 20 requests a second for a community's token, and "rate limit reached" for one that asks in a loop.

How many calls of groups.getLongPollServer are too many is not published: `server_calls` a minute is a guess.
"""

from __future__ import annotations

from collections import deque

import trio

from .vk_replies import Refusal


class _Window:
    """At most `limit` events in any `period` seconds."""

    def __init__(self, limit: int, period: float) -> None:
        self._limit, self._period = limit, period
        self._times: deque[float] = deque()

    def take(self) -> bool:
        """Count one more, if it fits."""
        now = trio.current_time()
        while self._times and self._times[0] <= now - self._period:
            self._times.popleft()
        if len(self._times) >= self._limit:
            return False
        self._times.append(now)
        return True


class RateLimits:
    """Counts what the bot calls; `hits` is how often it was refused."""

    def __init__(self, *, per_second: int = 20, server_calls: int = 60) -> None:
        self.hits = 0
        self._requests = _Window(per_second, 1)
        self._server_calls = _Window(server_calls, 60)

    def spend(self) -> None:
        """Count a call of any method, or refuse it with error 6."""
        if not self._requests.take():
            self.hits += 1
            raise Refusal(6)

    def spend_server_call(self) -> None:
        """Count a call of groups.getLongPollServer, or refuse it with error 29."""
        if not self._server_calls.take():
            self.hits += 1
            raise Refusal(29)
