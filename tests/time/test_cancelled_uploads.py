"""A sender cancels a document in the very moment in which it is saved: either counts, and never half of both."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Callable
from typing import TypeVar

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from tests.time.fakes import IN_MEMORY, PART_SIZE, ScriptedMessenger, StoreInMemory, TimedTransfer
from tests.time.scenes import GREETED, MIB, all_ended, begin, person, speaking, take, update, uploading
from trio_s3_bot.conversation import Decision
from trio_s3_bot.conversation.state import Cancel
from trio_s3_bot.errors import DocumentRefused, Reason
from trio_s3_bot.inbox import Claim, Inbox, inbox_in
from trio_s3_bot.inbox.database import Database, open_database
from trio_s3_bot.messengers.base import Batch
from trio_s3_bot.model import SavedFile, UploadState
from trio_s3_bot.notices import Failed, Saved

T = TypeVar("T")
ALICE = person(1)


class SlowDisk:
    """Runs what it is told at once, or, while it is `stuck`, once it no longer is."""

    def __init__(self) -> None:
        self._goes_on = trio.Event()
        self._goes_on.set()

    async def __call__(self, function: Callable[..., T], *arguments: object) -> T:
        await self._goes_on.wait()
        return function(*arguments)

    def get_stuck(self) -> None:
        self._goes_on = trio.Event()

    def go_on(self) -> None:
        self._goes_on.set()


@pytest.fixture
def slow() -> SlowDisk:
    return SlowDisk()


@pytest.fixture
async def database(slow: SlowDisk) -> AsyncIterator[Database]:
    async with open_database(IN_MEMORY, slow) as database:
        yield database


@pytest.fixture
async def inbox(database: Database) -> Inbox:
    return await inbox_in(database, clock=trio.current_time)


async def cancelling(inbox: Inbox) -> Claim:
    """What Alice says to cancel it, in the hands of a worker."""
    await inbox.updates.store("telegram", Batch((update(ALICE, "/cancel"),), None))
    return await inbox.updates.claim("telegram")


def nothing(_: sqlite3.Connection) -> None:
    """Takes its turn at the disk, so that what comes after it is committed together."""


async def count(database: Database, what: str) -> int:
    def read(connection: sqlite3.Connection) -> int:
        query = f"SELECT count(*) FROM {what}"  # noqa: S608 - the tests' own words
        return connection.execute(query).fetchone()[0]  # type: ignore[no-any-return]

    return await database.read(read)


@pytest.mark.parametrize("cancel_comes_at", [0.5, 2], ids=["cancelled, then saved", "saved, then cancelled"])
async def test_a_cancel_in_the_same_commit_as_the_end_of_its_document_counts_if_it_comes_first(
    database: Database, slow: SlowDisk, inbox: Inbox, messenger: ScriptedMessenger, cancel_comes_at: float
) -> None:
    store = StoreInMemory()
    async with uploading(inbox, store, TimedTransfer(store, seconds=1), messenger), trio.open_nursery() as nursery:
        await take(inbox, ALICE, "a", say=False)
        claim, decision = await cancelling(inbox), Decision(GREETED, (Cancel("a"),))
        await trio.sleep_until(0.5)
        slow.get_stuck()
        nursery.start_soon(database.write, nothing)
        await wait_all_tasks_blocked()
        await trio.sleep_until(cancel_comes_at)
        nursery.start_soon(inbox.updates.finish, claim, decision)
        await trio.sleep_until(3)
        assert set(store.objects) == {"a"}
        slow.go_on()
        await all_ended(inbox)
    saved = cancel_comes_at == 2
    told = await count(database, "notices WHERE kind = 'Saved'")
    assert len(store.objects) == await count(database, "files") == told == saved
    assert await count(database, f"uploads WHERE state = '{'saved' if saved else 'cancelled'}'") == 1


async def test_a_document_that_is_cancelled_does_not_end_otherwise_any_more(database: Database, inbox: Inbox) -> None:
    job = (await begin(inbox, ALICE, "a")).job
    await inbox.updates.finish(await cancelling(inbox), Decision(GREETED, (Cancel("a"),)))
    said = await count(database, "notices")
    file = SavedFile("a", ALICE, None, "a", "a", MIB, '"etag"', "a", 0)
    assert not await inbox.uploads.finish(job, UploadState.SAVED, Saved(upload="a", key="a", name="a", size=MIB), file)
    failed = Failed(upload="a", name="a", reason=Reason.GONE)
    assert not await inbox.uploads.finish(job, UploadState.FAILED, failed)
    assert await inbox.uploads.finish(job, UploadState.CANCELLED, None)
    assert (await count(database, "notices"), await count(database, "files")) == (said, 0)


async def test_a_document_that_can_not_be_saved_and_was_cancelled_meanwhile_is_only_said_to_be_cancelled(
    inbox: Inbox, slow: SlowDisk, database: Database, messenger: ScriptedMessenger
) -> None:
    store = StoreInMemory()
    transfer = TimedTransfer(store, seconds=1)
    transfer.fault = lambda _: DocumentRefused(Reason.TOO_BIG_FOR_OPERATOR, limit=1)
    async with speaking(inbox, messenger) as outbox, uploading(inbox, store, transfer, messenger):
        await take(inbox, ALICE, "a", size=2 * PART_SIZE, say=False)
        claim = await cancelling(inbox)
        async with trio.open_nursery() as nursery:
            await trio.sleep_until(0.5)
            slow.get_stuck()
            nursery.start_soon(database.write, nothing)
            await wait_all_tasks_blocked()
            nursery.start_soon(inbox.updates.finish, claim, Decision(GREETED, (Cancel("a"),)))
            await trio.sleep_until(3)
            slow.go_on()
        await all_ended(inbox)
        await outbox.until_all_is_said()
    assert messenger.texts(ALICE) == ["a\ncancelled"]
    assert store.open_uploads == {}
    assert await count(database, "uploads WHERE state = 'cancelled'") == 1
