"""
Events for the bot, with the rules of the Bots Long Poll API (dev.vk.com, "Bots Long Poll API").

`ts` is a cursor: nothing is confirmed or consumed, two pollers both get everything, an older `ts` gets it again.
"""

from __future__ import annotations

import base64
import itertools
import json
import random
import secrets
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import trio

from .world import Changes

WAIT_MAX = 90
"""Seconds; the documented maximum of `wait`."""

SHARE_WAITED = 0.876
"""An empty answer was seen to come after this share of `wait`: 21.9 seconds of 25."""

KEY_LIFETIME = 3600.0
KEYS_KEPT = 1000

Event = dict[str, Any]


@dataclass(frozen=True)
class _Session:
    """What a key is good for: until when (Unix seconds), and which numbering of events."""

    expires: float
    epoch: int


class EventQueue:
    """
    The history of events and the keys to it.

    `ts` is the number that the next event gets. `kept` is how many events the history holds, `key_lifetime` how many
    seconds a new key is good for. `repeats` is how often each new event is delivered, with the same event id.
    `fresh` makes it a community's first day: events before the first poll are not kept. `long_poll_max` is in
    seconds; a test may shorten it to see empty answers sooner.
    """

    def __init__(self, changes: Changes, group_id: int) -> None:
        self.ts = random.randrange(1000, 9000)
        self.kept = 10_000
        self.key_lifetime = KEY_LIFETIME
        self.repeats = 1
        self.fresh = False
        self.long_poll_max = WAIT_MAX * SHARE_WAITED
        self._changes = changes
        self._group_id = group_id
        self._history: deque[tuple[int, Event]] = deque()
        self._first = self._asked = self.ts
        self._epoch = 0
        self._keys: dict[str, _Session] = {}
        self._waiting = 0

    @property
    def pending(self) -> list[Event]:
        """Events from the newest `ts` on that was asked for: those the bot has not confirmed to have."""
        return [event for number, event in self._history if number >= self._asked]

    @property
    def polled(self) -> bool:
        """Whether a poll is waiting now."""
        return self._waiting > 0

    def push(self, event: Event) -> None:
        """Append an event, as often as `repeats` says."""
        if not self.fresh:
            for _ in range(self.repeats):
                self._append(event)

    def replay(self, count: int, *, new_ids: bool = False) -> None:
        """Deliver the last `count` events once more, under new numbers; `new_ids`: under new event ids too."""
        for _, event in list(self._history)[-count:]:
            self._append({**event, "event_id": secrets.token_hex(20)} if new_ids else event)

    def skip(self, count: int) -> None:
        """Let `ts` run ahead by events that the bot is not shown."""
        self.ts += count
        self._changes.announce()

    def lose_history(self) -> None:
        """What was not fetched is gone: an older `ts` is answered with `failed` 1 and the newest."""
        self._history.clear()
        self._first = self.ts
        self._changes.announce()

    def lose_everything(self) -> None:
        """Numbers begin anew, as on another server: keys from before are answered with `failed` 3."""
        self._epoch += 1
        self.ts = random.randrange(10, 900)
        self._asked = self.ts
        self.lose_history()

    def expire_keys(self) -> None:
        """Every key given out so far is answered with `failed` 2."""
        self._keys.clear()
        self._changes.announce()

    def new_key(self) -> str:
        """A key for the history as it is numbered now: like a JWT, with characters that mean something in a URL."""
        expires = time.time() + self.key_lifetime
        claims = {"queue_id": str(self._group_id), "until": int(expires * 1e9)}
        parts = (
            json.dumps({"alg": "EdDSA", "typ": "JWT"}).encode(),
            json.dumps(claims).encode(),
            secrets.token_bytes(64),
        )
        key = ".".join(base64.b64encode(part).decode() for part in parts) + "+/&%3D="
        self._keys[key] = _Session(expires, self._epoch)
        if len(self._keys) > KEYS_KEPT:
            del self._keys[next(iter(self._keys))]
        return key

    async def check(self, key: str, ts: str, wait: float) -> dict[str, Any]:
        """One `a_check`: the events from `ts` on, or an empty answer some time before `wait` seconds have passed."""
        self.fresh = False
        failure = self._failure(key, ts)
        if failure:
            return failure
        start = self._asked = int(ts)

        def look() -> dict[str, Any] | None:
            return self._failure(key, ts) or self._since(start)

        await self._wait(look, min(wait, WAIT_MAX))
        # Looked at once more: what came at the very end of the wait must not be behind an empty answer's ts.
        return look() or {"ts": str(self.ts), "updates": []}

    async def _wait(self, look: Callable[[], dict[str, Any] | None], wait: float) -> None:
        """Wait until there is something to see, or until it is time for an empty answer."""
        self._waiting += 1
        self._changes.announce()
        try:
            with trio.move_on_after(min(wait * SHARE_WAITED, self.long_poll_max)):
                await self._changes.until(look)
        finally:
            self._waiting -= 1
            self._changes.announce()

    def _failure(self, key: str, ts: str) -> dict[str, Any] | None:
        session = self._keys.get(key)
        if session is None or session.expires <= time.time():
            return {"failed": 2}
        if session.epoch != self._epoch:
            return {"failed": 3}
        if not ts.isdecimal() or not self._first <= int(ts) <= self.ts:
            return {"failed": 1, "ts": self.ts}
        return None

    def _since(self, start: int) -> dict[str, Any] | None:
        newest = itertools.takewhile(lambda entry: entry[0] >= start, reversed(self._history))
        found = [event for _, event in newest][::-1]
        return {"ts": str(self.ts), "updates": found} if found else None

    def _append(self, event: Event) -> None:
        self._history.append((self.ts, event))
        self.ts += 1
        while len(self._history) > self.kept:
            self._first = self._history.popleft()[0] + 1
        self._changes.announce()
