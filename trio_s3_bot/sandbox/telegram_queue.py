"""
The queue of updates, with the rules of `getUpdates`.

The rules are those of the published server (tdlib/telegram-bot-api, `Client::do_get_updates`, and tdlib's `TQueue`):
an offset confirms what is below it, a negative one keeps only the newest, and one that is far outside is ignored.
"""

from __future__ import annotations

import json
import random
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import trio

from .telegram_replies import Refusal
from .world import Changes

LONG_POLL_MAX = 50
"""Seconds; a longer `timeout` is cut to this without a word."""

QUEUE_MAX = 100_000
ANSWER_MAX = 4 * 2**20
KINDS = frozenset(("message", "edited_message", "channel_post", "edited_channel_post", "callback_query")) | {
    "business_connection",
    "business_message",
    "edited_business_message",
    "deleted_business_messages",
    "message_reaction",
    "message_reaction_count",
    "inline_query",
    "chosen_inline_result",
    "shipping_query",
    "pre_checkout_query",
    "purchased_paid_media",
    "poll",
    "poll_answer",
    "my_chat_member",
    "chat_member",
    "chat_join_request",
    "chat_boost",
    "removed_chat_boost",
}
NOT_BY_DEFAULT = frozenset(("chat_member", "message_reaction", "message_reaction_count"))

Update = dict[str, Any]


class UpdateQueue:
    """
    Updates that wait for the bot. `pending` are those not yet confirmed, oldest first.

    `long_poll_max` is in seconds; a test may shorten it to see empty answers sooner.
    """

    def __init__(self, changes: Changes) -> None:
        self.pending: deque[Update] = deque()
        self.first_id = self.next_id = random.randrange(100_000_000, 999_000_000)
        self.allowed = KINDS - NOT_BY_DEFAULT
        self.webhook = ""
        self.long_poll_max: float = LONG_POLL_MAX
        self._changes = changes
        self._waiting: _Poll | None = None

    def push(self, update: Update) -> int | None:
        """Queue an update under the next id, unless its kind isn't allowed; return the id."""
        kinds = KINDS & update.keys()
        if (kinds and not kinds & self.allowed) or len(self.pending) >= QUEUE_MAX:
            return None
        update_id = self.next_id
        self.next_id += 1
        self.pending.append({"update_id": update_id, **update})
        self._changes.announce()
        return update_id

    def allow(self, kinds: Sequence[str]) -> None:
        """Remember which kinds are queued from now on; none at all, or none that is known, means the default."""
        self.allowed = KINDS & set(kinds) or KINDS - NOT_BY_DEFAULT

    def stop_poll(self, refusal: Refusal) -> None:
        """Answer the waiting poll, if there is one, with a refusal."""
        if self._waiting:
            self._waiting.refusal = refusal
            self._changes.announce()

    async def get(self, offset: int, limit: int, timeout: float) -> list[Update]:
        """One `getUpdates`. The limit is cut to 1..100, the timeout to 0..`long_poll_max`."""
        if self.webhook:
            text = "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
            raise Refusal(409, f"Conflict: {text}")
        limit, timeout = min(max(limit, 1), 100), min(max(timeout, 0), self.long_poll_max)
        found = self._take(offset, limit)
        if found or not timeout:
            return found
        return await self._wait(lambda: self._take(offset, limit), timeout)

    async def _wait(self, take: Callable[[], list[Update]], timeout: float) -> list[Update]:
        """Wait for an update. A poll that waits already is refused: the newer one wins."""
        text = "terminated by other getUpdates request; make sure that only one bot instance is running"
        self.stop_poll(Refusal(409, f"Conflict: {text}"))
        poll = self._waiting = _Poll()
        self._changes.announce()
        try:
            with trio.move_on_after(timeout):
                return await self._changes.until(poll.unless_refused(take))
        finally:
            if self._waiting is poll:
                self._waiting = None
            self._changes.announce()
        return []

    @property
    def polled(self) -> bool:
        """Whether a poll is waiting now."""
        return self._waiting is not None

    def _take(self, offset: int, limit: int) -> list[Update]:
        """Forget what `offset` confirms, and give the oldest of the rest."""
        if offset < 0:
            self._forget(len(self.pending) + offset)
        elif 0 < offset <= self._tail + 10 and offset >= self._head - 100_000:
            self._forget(next((n for n, u in enumerate(self.pending) if u["update_id"] >= offset), len(self.pending)))
        found: list[Update] = []
        size = 0
        for update in list(self.pending)[:limit]:
            size += len(json.dumps(update))
            if found and size > ANSWER_MAX:
                break
            found.append(update)
        return found

    @property
    def _head(self) -> int:
        return int(self.pending[0]["update_id"]) if self.pending else self._tail

    @property
    def _tail(self) -> int:
        return self.next_id

    def _forget(self, count: int) -> None:
        for _ in range(count):
            self.pending.popleft()


class _Poll:
    """A waiting `getUpdates`, and the refusal that ends it early."""

    refusal: Refusal | None = None

    def unless_refused(self, take: Callable[[], list[Update]]) -> Callable[[], list[Update]]:
        def look() -> list[Update]:
            if self.refusal:
                raise self.refusal
            return take()

        return look
