"""
The flood limits of the Bot API FAQ: 30 messages a second in all, 1 a second to a chat, 20 a minute to a group.

Edits count as messages. How much of a burst a chat may have is not published; `chat_burst` is this emulator's guess.
"""

from __future__ import annotations

import math
from collections import defaultdict, deque

import trio

from .telegram_replies import too_many_requests


class _Window:
    """At most `limit` events in any `period` seconds."""

    def __init__(self, limit: int, period: float) -> None:
        self._limit, self._period = limit, period
        self._times: deque[float] = deque()

    def wait(self, now: float) -> float:
        """Seconds until one more fits."""
        while self._times and self._times[0] <= now - self._period:
            self._times.popleft()
        return 0.0 if len(self._times) < self._limit else self._times[0] + self._period - now

    def add(self, now: float) -> None:
        self._times.append(now)


class _Bucket:
    """One event a second, with up to `burst` saved up."""

    def __init__(self, burst: int) -> None:
        self._burst = burst
        self._empty_at = -math.inf

    def wait(self, now: float) -> float:
        return max(0.0, self._empty_at + 1 - self._burst - now)

    def add(self, now: float) -> None:
        self._empty_at = max(self._empty_at, now) + 1


class FloodLimits:
    """Counts what the bot sends; `hits` is how often it was told to slow down."""

    def __init__(self, *, total: int = 30, chat_burst: int = 5, group: int = 20) -> None:
        self.hits = 0
        self._total = _Window(total, 1)
        self._chats: dict[int, _Bucket] = defaultdict(lambda: _Bucket(chat_burst))
        self._groups: dict[int, _Window] = defaultdict(lambda: _Window(group, 60))

    def spend(self, chat_id: int) -> None:
        """Count a message or an edit, or refuse it with 429 and the pause that is needed."""
        now = trio.current_time()
        budgets: list[_Window | _Bucket] = [self._total, self._chats[chat_id]]
        if chat_id < 0:
            budgets.append(self._groups[chat_id])
        wait = max(budget.wait(now) for budget in budgets)
        if wait > 0:
            self.hits += 1
            raise too_many_requests(math.ceil(wait))
        for budget in budgets:
            budget.add(now)
