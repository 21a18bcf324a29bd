"""Server-sent events for one browser: the whole state at first, then only what differs from what was sent."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import trio
from starlette.types import Receive, Scope, Send

from .page_desk import Desk
from .replies import cancel_on_disconnect
from .s3 import S3Object
from .world import Changes

HEARTBEAT = 15.0
"""Seconds without news after which a comment is sent, so that a browser that is gone is noticed."""

PACE = 0.03
"""Seconds between two looks at the state: a burst of changes is sent as one."""

NEWEST_MESSAGES = 300
NEWEST_OBJECTS = 200


class Feed:
    """
    What `person` sees, as an ASGI application. Compares the state with what was sent, so it can neither miss a change
    nor fall behind.

    Its events: `people`, `status`, `bucket` (each the whole of it), and `messages` (`changed`, `removed`, and `reset`
    for the first one).
    """

    def __init__(
        self,
        desk: Desk,
        person: str,
        desks: Sequence[Desk],
        objects: Callable[[], Mapping[str, S3Object]],
        bucket: str,
        changes: Changes,
    ) -> None:
        self._desk, self._person, self._desks = desk, person, desks
        self._objects, self._bucket, self._changes = objects, bucket, changes
        self._sent: dict[str, str] = {}
        self._bubbles: dict[int, str] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        """Send events until the reader goes away, beginning with the time after which a browser should reconnect."""
        headers = [(b"content-type", b"text/event-stream; charset=utf-8")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await _write(send, "retry: 1000\n\n")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(cancel_on_disconnect, receive, nursery.cancel_scope)
            while True:
                await self._send_news(send)

    async def _send_news(self, send: Send) -> None:
        """Send what differs now, then wait for a change."""
        count = self._changes.count
        for name, value in self._news():
            await _write(send, f"event: {name}\ndata: {value}\n\n")
        await trio.sleep(PACE)
        with trio.move_on_after(HEARTBEAT) as waiting:
            await self._changes.after(count)
        if waiting.cancelled_caught:
            await _write(send, ": still here\n\n")

    def _news(self) -> Iterator[tuple[str, str]]:
        for name, value in (
            ("people", people_of(self._desks)),
            ("status", self._status()),
            ("bucket", self._objects_shown()),
        ):
            encoded = json.dumps(value)
            if self._sent.get(name) != encoded:
                self._sent[name] = encoded
                yield name, encoded
        messages = self._messages()
        if messages:
            yield "messages", json.dumps(messages)

    def _status(self) -> dict[str, Any]:
        status = self._desk.status(self._person)
        return {"listening": status.listening, "activity": status.activity, "acts": status.acts}

    def _objects_shown(self) -> dict[str, Any]:
        objects = sorted(self._objects().values(), key=lambda one: one.modified, reverse=True)
        newest = [{"key": one.key, "size": one.size, "time": one.modified} for one in objects[:NEWEST_OBJECTS]]
        total = sum(one.size for one in objects)
        return {"bucket": self._bucket, "count": len(objects), "size": total, "objects": newest}

    def _messages(self) -> dict[str, Any] | None:
        bubbles = self._desk.bubbles(self._person, NEWEST_MESSAGES)
        now = {bubble["id"]: json.dumps(bubble) for bubble in bubbles}
        before, self._bubbles = self._bubbles, now
        if before is None:
            return {"reset": True, "changed": bubbles, "removed": []}
        changed = [bubble for bubble in bubbles if before.get(bubble["id"]) != now[bubble["id"]]]
        removed = [key for key in before if key not in now]
        return {"reset": False, "changed": changed, "removed": removed} if changed or removed else None


async def _write(send: Send, text: str) -> None:
    await send({"type": "http.response.body", "body": text.encode(), "more_body": True})


def people_of(desks: Sequence[Desk]) -> list[dict[str, str]]:
    """Everybody in all messengers; an id is unique over them."""
    return [
        {
            "id": f"{desk.messenger}:{person.id}",
            "name": person.name,
            "language": person.language,
            "messenger": desk.messenger,
            "title": desk.title,
        }
        for desk in desks
        for person in desk.people()
    ]
