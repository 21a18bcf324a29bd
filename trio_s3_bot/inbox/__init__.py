"""
The durable inbox: what was received and not finished, what is on its way to the bucket, what has still to be said.

An update is acknowledged to its messenger only after it is here, and leaves only in the same transaction that writes
down what it led to. So the process may die at any instant: the next start goes on from what stands here.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from trio_s3_bot.inbox.accounts import Accounts
from trio_s3_bot.inbox.book import Book, StatusDocument
from trio_s3_bot.inbox.composing import Composed
from trio_s3_bot.inbox.database import Database, open_database
from trio_s3_bot.inbox.files import Chore, Files
from trio_s3_bot.inbox.mending import mend
from trio_s3_bot.inbox.messages import Messages, Status
from trio_s3_bot.inbox.place import Place
from trio_s3_bot.inbox.probes import Probes
from trio_s3_bot.inbox.rows import Touched
from trio_s3_bot.inbox.updates import Claim, Updates
from trio_s3_bot.inbox.uploads import UploadClaim, Uploads
from trio_s3_bot.inbox.waiting import STATE_PAUSE, once_readable
from trio_s3_bot.model import Chat

__all__ = [
    "STATE_PAUSE",
    "Accounts",
    "Book",
    "Chore",
    "Claim",
    "Composed",
    "Files",
    "Inbox",
    "Messages",
    "Place",
    "Probes",
    "Status",
    "StatusDocument",
    "Updates",
    "UploadClaim",
    "Uploads",
    "inbox_in",
    "once_readable",
    "open_inbox",
]


class Inbox:
    """
    The state of the bot: `updates`, `uploads`, `files`, `messages`, `probes`, `accounts` and `place` are the views on
    one file.
    """

    def __init__(
        self,
        updates: Updates,
        uploads: Uploads,
        files: Files,
        messages: Messages,
        probes: Probes,
        accounts: Accounts,
        place: Place,
        listeners: _Listeners,
    ) -> None:
        self.updates = updates
        self.uploads = uploads
        self.files = files
        self.messages = messages
        self.probes = probes
        self.accounts = accounts
        self.place = place
        self._listeners = listeners

    def when_something_to_say(self, listener: Callable[[Chat], None]) -> None:
        """Call `listener` with each chat for which something to say was committed."""
        self._listeners.to_say.append(listener)

    def when_cancelled(self, listener: Callable[[str], None]) -> None:
        """Call `listener` with the id of each upload that its sender has cancelled."""
        self._listeners.cancelled.append(listener)

    async def has_unfinished_work(self) -> bool:
        """Whether an earlier run left something to do, or to say."""
        return bool(
            await self.updates.unfinished()
            or await self.uploads.open_count()
            or await self.files.open_count()
            or await self.messages.anything_unsaid()
        )


@dataclass(frozen=True, slots=True)
class _Listeners:
    """Who wants to know what."""

    to_say: list[Callable[[Chat], None]] = field(default_factory=list)
    cancelled: list[Callable[[str], None]] = field(default_factory=list)


@asynccontextmanager
async def open_inbox(path: Path, *, ask_timeout: float = 60, limited: bool = True) -> AsyncIterator[Inbox]:
    """
    Open the state file at `path`, made if it isn't there, for this process alone.

    `ask_timeout` is how many seconds a question holds things up; `limited` says whether it is counted how much a person
    sends. Raises `StateLocked`, `StateDamaged`, `StateUnwritable`.
    """
    async with open_database(path) as database:
        yield await inbox_in(database, ask_timeout=ask_timeout, limited=limited)


async def inbox_in(
    database: Database, *, ask_timeout: float = 60, limited: bool = True, clock: Callable[[], float] = time.time
) -> Inbox:
    """The inbox that an open state file holds, with what an earlier run left unfinished; `clock` gives Unix seconds."""
    listeners = _Listeners()

    def told(chat: Chat, touched: Touched) -> None:
        if touched.uploads:
            inbox.uploads.bell.ring()
        if touched.chores:
            inbox.files.bell.ring()
        for upload in touched.cancelled:
            for stop in listeners.cancelled:
                stop(upload)
        if touched.notices:
            for say in listeners.to_say:
                say(chat)

    updates = Updates(database, told, clock=clock, ask_timeout=ask_timeout, limited=limited)
    uploads = Uploads(database, told, clock=clock, ask_timeout=ask_timeout)
    messages = Messages(database, updates.moved, clock)
    files, probes, accounts = Files(database, told, clock), Probes(database), Accounts(database)
    inbox = Inbox(updates, uploads, files, messages, probes, accounts, Place(database), listeners)
    await mend(database)
    await inbox.updates.load()
    return inbox
