"""One document that never goes up is no outage: others don't wait for it, and its sender hears the end of it."""

from __future__ import annotations

import pytest
import trio

from tests.time.fakes import ScriptedMessenger, StoreInMemory, TimedTransfer, until
from tests.time.scenes import person, speaking, take, uploading
from trio_s3_bot.errors import RetryAfter, StoreRefused, StoreUnavailable, Unavailable
from trio_s3_bot.inbox import Inbox

ALICE, BOB = person(1), person(2)
MINUTE, HOUR = 60.0, 3600.0


def spoil(error: Exception, messenger: ScriptedMessenger, transfer: TimedTransfer) -> None:
    """Let whatever is asked about the document `bad` fail with `error`."""
    if isinstance(error, Unavailable):
        messenger.resolving = lambda document: error if document.file_id == "bad" else None
    else:
        transfer.fault = lambda plan: error if plan.key == "bad" else None


ERRORS = [StoreRefused("403 AccessDenied"), StoreUnavailable("500 InternalError"), Unavailable("500")]


@pytest.mark.parametrize("error", ERRORS, ids=str)
async def test_beside_steady_traffic_nobody_notices_it(
    inbox: Inbox, messenger: ScriptedMessenger, store: StoreInMemory, error: Exception
) -> None:
    transfer = TimedTransfer(store, seconds=0.2)
    spoil(error, messenger, transfer)
    async with speaking(inbox, messenger), uploading(inbox, store, transfer, messenger):
        await take(inbox, ALICE, "bad")
        for second in range(600):
            await take(inbox, BOB, f"{second}.txt", say=False)
            await trio.sleep_until(second + 1)
            assert second < 10 or len(store.objects) >= second - 3
    assert "bad could not be saved." in messenger.texts(ALICE)[-2]


@pytest.mark.parametrize("error", ERRORS, ids=str)
async def test_with_little_else_to_do_it_comes_to_an_end_and_hardly_delays_the_others(
    inbox: Inbox, messenger: ScriptedMessenger, store: StoreInMemory, error: Exception
) -> None:
    transfer = TimedTransfer(store, seconds=0.2)
    spoil(error, messenger, transfer)
    waited = []
    async with speaking(inbox, messenger), uploading(inbox, store, transfer, messenger):
        await take(inbox, ALICE, "bad")
        for number in range(1, 30):
            await trio.sleep_until(number * 2 * MINUTE)
            await take(inbox, BOB, f"{number}.txt", say=False)
            await store.there(f"{number}.txt")
            waited.append(trio.current_time() - number * 2 * MINUTE)
    assert sum(waited) / len(waited) < 15
    assert "bad could not be saved." in messenger.texts(ALICE)[-2]


async def test_a_pause_that_the_messenger_asks_for_is_none_of_the_documents_fault(
    inbox: Inbox, messenger: ScriptedMessenger, store: StoreInMemory
) -> None:
    messenger.resolving = until(HOUR, RetryAfter("429", 1))
    async with uploading(inbox, store, TimedTransfer(store), messenger):
        await take(inbox, ALICE, *[f"{number}.txt" for number in range(20)])
        await trio.sleep_until(HOUR + 10 * MINUTE)
    assert len(store.objects) == 20
