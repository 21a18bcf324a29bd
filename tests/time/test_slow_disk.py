"""On a slow disk, what falls due while something is looked up there is not passed over."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TypeVar

import pytest
import trio

from tests.time.fakes import ScriptedMessenger, StoreInMemory, TimedTransfer
from tests.time.scenes import all_ended, person, take, uploading
from trio_s3_bot.errors import StoreUnavailable
from trio_s3_bot.inbox import Inbox, inbox_in
from trio_s3_bot.inbox.database import open_database

T = TypeVar("T")


async def slowly(function: Callable[..., T], *arguments: object) -> T:
    result = function(*arguments)
    await trio.sleep(5)
    return result


@pytest.fixture
async def inbox() -> AsyncIterator[Inbox]:
    """An inbox that takes longer for everything than the first pause of an outage."""
    async with open_database(Path(":memory:"), slowly) as database:
        yield await inbox_in(database)


async def test_a_document_that_waits_for_the_store_does_not_wait_for_the_next_bell(
    inbox: Inbox, messenger: ScriptedMessenger, store: StoreInMemory
) -> None:
    transfer = TimedTransfer(store)
    transfer.fault = lambda _: StoreUnavailable("503") if len(transfer.begun) < 2 else None
    await take(inbox, person(1), "a")
    async with uploading(inbox, store, transfer, messenger):
        assert await all_ended(inbox) < 5 * 60
    assert list(store.objects) == ["a"]
