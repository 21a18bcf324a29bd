"""
Stand-ins that keep the contracts of what has sockets and threads, on trio's clock and with scripted faults.

The mock clock jumps as soon as every task waits, also for a thread or a socket; so nothing here has one. The inbox is
the real one, on a database that is asked inline.
"""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar, cast

import trio
from trio_util import RepeatedEvent

from trio_s3_bot.bucket import Bucket, ObjectFacts
from trio_s3_bot.bucket.objects import OpenUpload
from trio_s3_bot.errors import KeyTaken, ObjectGone, UploadGone
from trio_s3_bot.inbox import Inbox, inbox_in
from trio_s3_bot.inbox.database import Database, open_database
from trio_s3_bot.messengers.base import Account, Batch, Capabilities, Command
from trio_s3_bot.model import Chat, Document, OutMessage, Part, Press, Source, StoredObject, UpdateObj
from trio_s3_bot.progress import Meter
from trio_s3_bot.transfer import Journal, Plan, Stored, Transfer

T = TypeVar("T")

IN_MEMORY = Path(":memory:")
PART_SIZE = 8 * 2**20
LONG_POLL = 50.0  # seconds that a poll waits when there is nothing
MOST_AT_ONCE = 1_000  # requests without time passing; more than that is a busy loop


async def inline(function: Callable[..., T], *arguments: object) -> T:
    """Call it here and now. A checkpoint stands where a thread would be waited for."""
    await trio.lowlevel.checkpoint()
    return function(*arguments)


class Disk:
    """
    What a database is on, as its user sees it.

    While it is `full`, nothing that changes the file is committed; while it is `broken`, nothing is read either.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self._before = 0
        self.full = self.broken = False

    @property
    def in_transaction(self) -> bool:
        return self.connection.in_transaction

    def execute(self, statement: str, parameters: Sequence[Any] = ()) -> sqlite3.Cursor:
        if self.broken:
            raise _error("disk I/O error", sqlite3.SQLITE_IOERR)
        if statement.startswith("BEGIN"):
            self._before = self.connection.total_changes
        if statement == "COMMIT" and self.full and self.connection.total_changes > self._before:
            raise _error("database or disk is full", sqlite3.SQLITE_FULL)
        return self.connection.execute(statement, parameters)

    def executemany(self, statement: str, parameters: Iterable[Sequence[Any]]) -> sqlite3.Cursor:
        return self.connection.executemany(statement, parameters)


def _error(message: str, code: int) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError(message)
    error.sqlite_errorcode = code
    return error


@asynccontextmanager
async def open_disk() -> AsyncIterator[Disk]:
    """A disk with an empty state file on it."""
    async with open_database(IN_MEMORY, inline) as database:
        yield Disk(await database.read(lambda connection: connection))


async def inbox_on(disk: Disk, clock: Callable[[], float] = trio.current_time) -> Inbox:
    """The real inbox; the clock stands still while it works. Asked again, it is what the next start finds."""
    database = Database(cast("sqlite3.Connection", disk), IN_MEMORY, inline)
    return await inbox_in(database, clock=clock)


@dataclass(frozen=True)
class Request:
    """Something the bot asked the messenger to show: `kind` is `send` or `edit`; `at` is when."""

    at: float
    kind: str
    chat: Chat
    message: OutMessage
    message_id: int

    @property
    def text(self) -> str:
        return self.message.text


Fault = Callable[[Request], Exception | None]


def no_fault(_: Request) -> Exception | None:
    return None


def until(end: float, error: Exception) -> Callable[..., Exception | None]:
    """Out of order until `end` on the clock: what is asked before fails with `error`."""
    return lambda *_: error if trio.current_time() < end else None


def only_for(fault: Fault, *chats: Chat) -> Fault:
    """`fault` for what is said to `chats`, none for the others."""
    return lambda request: fault(request) if request.chat in chats else None


class ScriptedMessenger:
    """
    A messenger that keeps updates until they are acknowledged, and everything that it was told.

    `polls` are the times and cursors of all polls; what stands in `answers` is given before any update. `fault`,
    `polling`, `resolving` and `fetching` decide about each request of theirs: the error it answers with, or none.
    `said` is what came through, `tried` all there was. What was left out of a cropped update is a document; `fetched`
    are the times at which one was asked for.
    """

    def __init__(self, name: str = "telegram") -> None:
        self._name = name
        self.answers: deque[Batch | Exception] = deque()
        self.polls: list[tuple[float, str | None]] = []
        self.fault: Fault = no_fault
        self.polling: Callable[[], Exception | None] = lambda: None
        self.latency = 0.0
        self.said: list[Request] = []
        self.tried: list[Request] = []
        self.answered: list[tuple[Chat, Press, str]] = []
        self.commands: tuple[Command, ...] = ()
        self.resolved: list[tuple[float, Document]] = []
        self.resolving: Callable[[Document], Exception | None] = lambda _: None
        self.fetched: list[float] = []
        self.fetching: Callable[[UpdateObj], Exception | None] = lambda _: None
        self._updates: list[UpdateObj] = []
        self._delivered = trio.Event()
        self._requests: deque[float] = deque(maxlen=MOST_AT_ONCE)

    @property
    def name(self) -> str:
        return self._name

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities()

    @property
    def unacknowledged(self) -> list[str]:
        """The ids of the updates that would be delivered again."""
        return [update.update_id for update in self._updates]

    def deliver(self, updates: Iterable[UpdateObj]) -> None:
        """Let updates wait for the bot, their ids being numbers that go up."""
        self._updates += updates
        self._delivered.set()
        self._delivered = trio.Event()

    @property
    def sent(self) -> list[Request]:
        """What was said anew: edits are left out."""
        return [request for request in self.said if request.kind == "send"]

    def texts(self, chat: Chat) -> list[str]:
        return [request.text for request in self.said if request.chat == chat]

    async def check(self) -> Account:
        return Account(1, f"{self._name} bot")

    async def poll(self, cursor: str | None) -> Batch:
        self._count()
        self.polls.append((trio.current_time(), cursor))
        await trio.lowlevel.checkpoint()
        if self.answers:
            answer = self.answers.popleft()
            if isinstance(answer, Exception):
                raise answer
            return answer
        error = self.polling()
        if error is not None:
            raise error
        self._updates = [update for update in self._updates if int(update.update_id) >= int(cursor or 0)]
        if not self._updates:
            with trio.move_on_after(LONG_POLL):
                await self._delivered.wait()
        if not self._updates:
            return Batch((), cursor)
        return Batch(tuple(self._updates[:100]), str(int(self._updates[:100][-1].update_id) + 1))

    async def whole(self, update: UpdateObj) -> UpdateObj:
        self._count()
        self.fetched.append(trio.current_time())
        await trio.lowlevel.checkpoint()
        error = self.fetching(update)
        if error is not None:
            raise error
        return replace(update, cropped=False, documents=(Document(update.update_id, update.update_id, "a.txt"),))

    async def send(self, chat: Chat, message: OutMessage) -> int:
        message_id = 100 + len(self.said)
        await self._show(Request(trio.current_time(), "send", chat, message, message_id))
        return message_id

    async def edit(self, chat: Chat, message_id: int, message: OutMessage) -> None:
        await self._show(Request(trio.current_time(), "edit", chat, message, message_id))

    async def answer(self, chat: Chat, press: Press, text: str = "") -> None:
        self._count()
        self.answered.append((chat, press, text))
        await trio.lowlevel.checkpoint()

    async def resolve(self, document: Document) -> Source:
        self._count()
        self.resolved.append((trio.current_time(), document))
        await trio.lowlevel.checkpoint()
        error = self.resolving(document)
        if error is not None:
            raise error
        return Source(path=f"/{document.file_id}", size=document.size)

    async def announce(self, commands: tuple[Command, ...]) -> None:
        self.commands = commands
        await trio.lowlevel.checkpoint()

    async def _show(self, request: Request) -> None:
        self._count()
        self.tried.append(request)
        await trio.sleep(self.latency)
        error = self.fault(request)
        if error is not None:
            raise error
        self.said.append(request)

    def _count(self) -> None:
        now = trio.current_time()
        assert len(self._requests) < MOST_AT_ONCE or self._requests[0] < now, "a busy loop: no time passes"
        self._requests.append(now)


class StoreInMemory(Bucket):
    """
    A store that keeps nothing but what it has to remember.

    Every request takes `latency` seconds. `fault` is the error that every request gets, if any; `lost` the one that is
    got in place of the answer, once what was asked for is done.
    """

    def __init__(self) -> None:
        self.objects: dict[str, StoredObject] = {}
        self.open_uploads: dict[str, str] = {}
        self.asked: list[float] = []
        self.latency = 0.0
        self.fault: Callable[[], Exception | None] = lambda: None
        self.lost: Callable[[], Exception | None] = lambda: None
        self._created = 0
        self._stored = RepeatedEvent()
        self._written = 0

    async def head(self, key: str) -> StoredObject | None:
        await self._work()
        return self.objects.get(key)

    async def keys(self, prefix: str, *, limit: int | None = None) -> list[str]:
        await self._work()
        return sorted(key for key in self.objects if key.startswith(prefix))[:limit]

    async def delete(self, key: str, *, etag: str | None = None) -> bool:
        await self._work()
        if key not in self.objects or etag not in (None, self.objects[key].etag):
            return False
        self._put(key, None)
        self._answer()
        return True

    async def rename(self, old: str, new: str, facts: ObjectFacts, *, etag: str) -> str:
        """In the steps of the real one, any of which may be the last."""
        source, target = await self.head(old), await self.head(new)
        if target is None:
            if source is None or source.etag != etag:
                raise ObjectGone(old)
            target = await self._copy(old, new, facts)
        elif not facts.metadata.items() <= target.metadata.items():
            raise KeyTaken(new)
        await self.delete(old, etag=etag)
        return target.etag

    async def _copy(self, old: str, new: str, facts: ObjectFacts) -> StoredObject:
        await self._work()
        if new in self.objects:
            raise KeyTaken(new)
        copied = self._new_object(self.objects[old].size, facts)
        self._put(new, copied)
        self._answer()
        return copied

    async def list_parts(self, key: str, upload_id: str) -> list[Part]:
        await self._work()
        if self.open_uploads.get(upload_id) != key:
            raise UploadGone(f"no upload {upload_id}")
        return []

    async def list_uploads(self, prefix: str = "") -> list[OpenUpload]:
        await self._work()
        return [OpenUpload(key, id_) for id_, key in self.open_uploads.items() if key.startswith(prefix)]

    async def abort_upload(self, key: str, upload_id: str) -> None:
        await self._work()
        assert self.open_uploads.pop(upload_id, key) == key
        self._answer()

    async def create(self, key: str) -> str:
        """Begin a multipart upload."""
        await self._work()
        self._created += 1
        upload_id = f"upload {self._created}"
        self.open_uploads[upload_id] = key
        self._answer()
        return upload_id

    async def store(self, plan: Plan, size: int, upload_id: str | None) -> Stored:
        """What a transfer ends with: a write, unless the plan says otherwise on condition that nothing stands there."""
        await self._work()
        if upload_id is not None and self.open_uploads.get(upload_id) != plan.key:
            raise UploadGone(f"no upload {upload_id}")
        if plan.only_if_absent and plan.key in self.objects:
            raise KeyTaken(plan.key)
        written = self._new_object(size, plan.facts)
        self._put(plan.key, written)
        self.open_uploads.pop(upload_id or "", None)
        self._answer()
        return Stored(size, written.etag)

    def _new_object(self, size: int, facts: ObjectFacts) -> StoredObject:
        self._written += 1
        return StoredObject(size, f'"{self._written}"', dict(facts.metadata))

    def _put(self, key: str, found: StoredObject | None) -> None:
        """All that ever changes in the bucket; `None` is a deletion."""
        self.objects.pop(key, None)
        if found is not None:
            self.objects[key] = found
            self._stored.set()

    async def there(self, key: str) -> None:
        """Wait until there is an object of that name."""
        while key not in self.objects:
            await self._stored.wait()

    def _answer(self) -> None:
        error = self.lost()
        if error is not None:
            raise error

    async def _work(self) -> None:
        self.asked.append(trio.current_time())
        await trio.sleep(self.latency)
        error = self.fault()
        if error is not None:
            raise error


class TimedTransfer(Transfer):
    """
    A transfer that takes `seconds` and moves no bytes; it counts as it goes, in `steps` steps.

    `begun` are the times and keys of all attempts, `running` the keys under way. `fault` is asked at the end of each
    attempt; what is larger than a part is a multipart upload by then.
    """

    def __init__(self, store: StoreInMemory, seconds: float = 1.0, steps: int = 10) -> None:
        self._store = store
        self._steps = steps
        self.seconds = seconds
        self.begun: list[tuple[float, str]] = []
        self.running: list[str] = []
        self.fault: Callable[[Plan], Exception | None] = lambda _: None

    @property
    def part_size(self) -> int:
        return PART_SIZE

    async def run(self, source: Source, plan: Plan, journal: Journal, meter: Meter) -> Stored:
        self.begun.append((trio.current_time(), plan.key))
        self.running.append(plan.key)
        size = source.size or 0
        meter.begin()
        try:
            upload_id = await self._multipart(plan, journal) if size > PART_SIZE else None
            for step in range(self._steps):
                await trio.sleep(self.seconds / self._steps)
                meter.sent(1)(size * (step + 1) // self._steps)
            error = self.fault(plan)
            if error is not None:
                raise error
            return await self._store.store(plan, size, upload_id)
        finally:
            self.running.remove(plan.key)

    async def _multipart(self, plan: Plan, journal: Journal) -> str:
        if plan.unfinished is not None:
            return plan.unfinished.upload_id
        await journal.creating(PART_SIZE)
        upload_id = await self._store.create(plan.key)
        await journal.created(upload_id)
        return upload_id
