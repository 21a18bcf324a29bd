"""Flood limits, kept and not hit: token buckets on trio's clock."""

from __future__ import annotations

from weakref import WeakValueDictionary

import trio

from trio_s3_bot.model import Chat

BURST = 5  # messages that may go out at once before the rate holds
HEADROOM = 0.95  # the share of a limit that is used: what goes out evenly doesn't arrive evenly


class Budget:
    """`rate` messages a second in the long run, `burst` at once."""

    def __init__(self, rate: float, burst: float) -> None:
        self._rate = rate
        self._burst = burst
        self._left = burst
        self._at = trio.current_time()
        self._paused_until = self._at

    def ready_at(self, reserve: float = 0) -> float:
        """The time, on trio's clock, when one message may go out and `reserve` more would still be left."""
        missing = 1 + min(reserve, self._burst - 1) - self._left
        return max(self._paused_until, self._at + max(0.0, missing) / self._rate)

    def spend(self) -> None:
        """Take one message's worth."""
        self._left = self._available() - 1
        self._at = trio.current_time()

    def refund(self) -> None:
        """Put one message's worth back: nothing was said. A pause that came meanwhile stays one."""
        if self.paused:
            return
        self._left = min(self._burst, self._available() + 1)
        self._at = trio.current_time()

    def pause(self, seconds: float) -> None:
        """Say nothing for so long; then begin slowly."""
        self._paused_until = max(self._paused_until, trio.current_time() + seconds)
        self._left, self._at = 1.0, self._paused_until

    @property
    def paused(self) -> bool:
        """Whether a pause was asked for that isn't over."""
        return trio.current_time() < self._paused_until

    @property
    def full(self) -> bool:
        """Whether this budget is as good as a new one."""
        return self._available() >= self._burst and not self.paused

    def _available(self) -> float:
        return min(self._burst, self._left + max(0.0, trio.current_time() - self._at) * self._rate)


def at_most(limit: float, period: float) -> Budget:
    """
    A budget that lets `limit` messages out in any `period` seconds at most, wherever these begin.

    So what the burst lets out at once is missing from the rate.
    """
    burst = min(BURST, 1 + int(limit / 4))
    return Budget(HEADROOM * (limit - burst + 1) / period, burst)


class Budgets:
    """The budget of each chat of one messenger; topics of one group share theirs."""

    def __init__(self, *, chat_messages_per_second: float, group_messages_per_minute: float) -> None:
        self._chat_rate = chat_messages_per_second
        self._group_limit = group_messages_per_minute
        self._of_chat: WeakValueDictionary[int, Budget] = WeakValueDictionary()
        self._recovering: dict[int, Budget] = {}

    def of(self, chat: Chat) -> Budget:
        """The budget of a chat, the same one for as long as somebody has it or it isn't full."""
        budget = self._of_chat.get(chat.id)
        if budget is None:
            budget = at_most(self._group_limit, 60) if chat.group else self._private()
            self._of_chat[chat.id] = budget
        return budget

    def let_go(self, chat: Chat) -> None:
        """Nothing is to be said there for now: forget the chat as soon as its budget is as good as a new one."""
        self._recovering.pop(chat.id, None)
        self._recovering[chat.id] = self.of(chat)
        while self._recovering and next(iter(self._recovering.values())).full:
            del self._recovering[next(iter(self._recovering))]

    def _private(self) -> Budget:
        return Budget(HEADROOM * self._chat_rate, BURST)
