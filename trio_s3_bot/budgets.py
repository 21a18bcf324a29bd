"""Flood limits, kept and not hit: token buckets on trio's clock."""

from __future__ import annotations

import trio

from trio_s3_bot.model import Chat

CHAT_BURST = 5  # messages that a chat may get at once before its rate holds


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
        """Put one message's worth back: nothing was said."""
        self._left = min(self._burst, self._available() + 1)
        self._at = trio.current_time()

    def pause(self, seconds: float) -> None:
        """Say nothing for so long; then begin slowly."""
        self._paused_until = max(self._paused_until, trio.current_time() + seconds)
        self._left, self._at = 1.0, self._paused_until

    @property
    def full(self) -> bool:
        """Whether this budget is as good as a new one."""
        return self._available() >= self._burst and self._paused_until <= trio.current_time()

    def _available(self) -> float:
        return min(self._burst, self._left + max(0.0, trio.current_time() - self._at) * self._rate)


class Budgets:
    """The budget of each chat of one messenger; topics of one group share theirs."""

    def __init__(self, *, chat_messages_per_second: float, group_messages_per_minute: float) -> None:
        self._chat_rate = chat_messages_per_second
        self._group_rate = group_messages_per_minute / 60
        self._of_chat: dict[int, Budget] = {}

    def of(self, chat: Chat) -> Budget:
        """The budget of a chat, made when it is first asked for."""
        if chat.id not in self._of_chat:
            self._of_chat[chat.id] = Budget(self._group_rate if chat.group else self._chat_rate, CHAT_BURST)
        return self._of_chat[chat.id]

    def forget(self, chat: Chat) -> None:
        """Let go of a budget that is as good as a new one."""
        budget = self._of_chat.get(chat.id)
        if budget is not None and budget.full:
            del self._of_chat[chat.id]
