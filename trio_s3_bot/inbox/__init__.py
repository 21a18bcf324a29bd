"""
The durable inbox: what was received and not finished, what is on its way to the bucket, what has still to be said.

An update is acknowledged to its messenger only after it is here, and leaves only in the same transaction that writes
down what it led to. So the process may die at any instant: the next start goes on from what stands here.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from trio_s3_bot.inbox.database import Database, open_database
from trio_s3_bot.inbox.messages import Composed, Messages, Status
from trio_s3_bot.inbox.probes import Probes
from trio_s3_bot.inbox.rows import Touched
from trio_s3_bot.inbox.updates import Claim, Updates
from trio_s3_bot.inbox.uploads import UploadClaim, Uploads
from trio_s3_bot.model import Chat

__all__ = [
    "Claim",
    "Composed",
    "Inbox",
    "Messages",
    "Probes",
    "Status",
    "Updates",
    "UploadClaim",
    "Uploads",
    "inbox_in",
    "open_inbox",
]


class Inbox:
    """The state of the bot: `updates`, `uploads`, `messages` and `probes` are the views on one file."""

    def __init__(
        self,
        updates: Updates,
        uploads: Uploads,
        messages: Messages,
        probes: Probes,
        listeners: list[Callable[[Chat], None]],
    ) -> None:
        self.updates = updates
        self.uploads = uploads
        self.messages = messages
        self.probes = probes
        self._listeners = listeners

    def when_something_to_say(self, listener: Callable[[Chat], None]) -> None:
        """Call `listener` with each chat for which something to say was committed."""
        self._listeners.append(listener)

    async def has_unfinished_work(self) -> bool:
        """Whether an earlier run left something to do."""
        return bool(await self.updates.unfinished() or await self.uploads.open_count())


@asynccontextmanager
async def open_inbox(path: Path) -> AsyncIterator[Inbox]:
    """
    Open the state file at `path`, made if it isn't there, for this process alone.

    Raises `StateLocked`, `StateDamaged`, `StateUnwritable`.
    """
    async with open_database(path) as database:
        yield await inbox_in(database)


async def inbox_in(database: Database) -> Inbox:
    """The inbox that an open state file holds, with what an earlier run left unfinished."""
    listeners: list[Callable[[Chat], None]] = []

    def told(chat: Chat, touched: Touched) -> None:
        if touched.uploads:
            inbox.uploads.bell.ring()
        if touched.notices:
            for listener in listeners:
                listener(chat)

    updates, uploads = Updates(database, told), Uploads(database, told)
    inbox = Inbox(updates, uploads, Messages(database, updates.moved), Probes(database), listeners)
    await inbox.updates.load()
    return inbox
