"""Who has to hear that a file waits hears it once, however many there are, and nobody else does."""

from __future__ import annotations

import pytest
import trio

from tests.time.fakes import PART_SIZE, ScriptedMessenger, StoreInMemory, TimedTransfer, until
from tests.time.scenes import all_ended, decide, document, person, speaking, take, uploading
from trio_s3_bot.conversation import Take
from trio_s3_bot.conversation.state import Cancel
from trio_s3_bot.errors import StoreUnavailable, Unavailable
from trio_s3_bot.inbox import Inbox

ALICE = person(1)
HOUR = 3600.0
OUT = StoreUnavailable("503 SlowDown")


@pytest.fixture
def transfer(store: StoreInMemory) -> TimedTransfer:
    return TimedTransfer(store, seconds=1)


async def test_however_many_files_wait_that_is_one_message(
    inbox: Inbox, messenger: ScriptedMessenger, store: StoreInMemory, transfer: TimedTransfer
) -> None:
    names = [f"{number}.bin" for number in range(3_000)]
    store.fault = until(HOUR, OUT)
    async with speaking(inbox, messenger) as outbox, uploading(inbox, store, transfer, messenger):
        await decide(inbox, ALICE, [Take(name, document(name), name, None, 1) for name in names])
        await trio.sleep(1000)
        await outbox.until_all_is_said()
    assert [text.split(" waiting")[0] for text in messenger.texts(ALICE)] == ["3000 files"]


async def test_while_one_messenger_gives_out_no_files_only_its_own_people_hear_that_theirs_wait(
    inbox: Inbox, messenger: ScriptedMessenger, store: StoreInMemory, transfer: TimedTransfer
) -> None:
    other = ScriptedMessenger("vk")
    messenger.resolving = until(HOUR, Unavailable("502"))
    transfer.seconds = 120
    async with (
        speaking(inbox, messenger) as outbox,
        speaking(inbox, other),
        uploading(inbox, store, transfer, messenger, other),
    ):
        await take(inbox, ALICE, "a")
        await take(inbox, person(1, "vk"), "b")
        await all_ended(inbox)
        await outbox.until_all_is_said()
    assert len([text for text in messenger.texts(ALICE) if "a is waiting" in text]) == 1
    assert not [text for text in other.texts(person(1, "vk")) if "waiting" in text]


async def test_who_has_cancelled_a_file_is_not_told_that_it_waits(
    inbox: Inbox, messenger: ScriptedMessenger, store: StoreInMemory, transfer: TimedTransfer
) -> None:
    """There is something of it in the store, which waits to be cleared away."""
    transfer.seconds = 60
    async with speaking(inbox, messenger) as outbox, uploading(inbox, store, transfer, messenger):
        await take(inbox, ALICE, "a", size=2 * PART_SIZE)
        await trio.sleep(30)
        store.fault = until(HOUR, OUT)
        await decide(inbox, ALICE, [Cancel("a")])
        await all_ended(inbox)
        await outbox.until_all_is_said()
    assert not [text for text in messenger.texts(ALICE) if "waiting" in text]
    assert store.open_uploads == {}
