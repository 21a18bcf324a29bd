"""Questions hold a document up for a minute and no longer, and no other document at all."""

from __future__ import annotations

import pytest
import trio

from tests.time.fakes import PART_SIZE, Disk, ScriptedMessenger, StoreInMemory, TimedTransfer, inbox_on
from tests.time.scenes import DAY, all_ended, decide, document, end, person, speaking, take, uploading
from trio_s3_bot.conversation import Take
from trio_s3_bot.conversation.state import Cancel
from trio_s3_bot.inbox import Inbox
from trio_s3_bot.model import StoredObject

ALICE = person(1)
A_MINUTE = pytest.approx(60, abs=0.02)


@pytest.fixture
def transfer(store: StoreInMemory) -> TimedTransfer:
    return TimedTransfer(store, seconds=0, steps=1)


def begun(transfer: TimedTransfer) -> dict[str, float]:
    return {key: at for at, key in transfer.begun}


async def take_and_ask(inbox: Inbox, name: str) -> None:
    """A document whose sender is asked what it is to be called."""
    await decide(inbox, ALICE, [Take(name, document(name), name, None, 1, ask=True)])


async def test_a_document_without_an_answer_about_its_name_begins_after_a_minute(
    inbox: Inbox, messenger: ScriptedMessenger, store: StoreInMemory, transfer: TimedTransfer
) -> None:
    await take_and_ask(inbox, "a")
    async with uploading(inbox, store, transfer, messenger):
        await all_ended(inbox)
    assert begun(transfer) == {"a": A_MINUTE}


async def test_documents_that_wait_for_an_answer_take_no_slot_from_others(
    inbox: Inbox, messenger: ScriptedMessenger, store: StoreInMemory, transfer: TimedTransfer
) -> None:
    for number in range(10):
        await take_and_ask(inbox, f"asked {number}")
    await take(inbox, ALICE, "a")
    async with uploading(inbox, store, transfer, messenger, slots=1):
        await all_ended(inbox)
    assert begun(transfer)["a"] == 0
    assert begun(transfer)["asked 9"] == A_MINUTE


async def test_the_minute_goes_on_over_a_restart(
    disk: Disk, messenger: ScriptedMessenger, store: StoreInMemory, transfer: TimedTransfer
) -> None:
    await take_and_ask(await inbox_on(disk), "a")
    await trio.sleep(40)
    inbox = await inbox_on(disk)
    async with uploading(inbox, store, transfer, messenger):
        await all_ended(inbox)
    assert begun(transfer) == {"a": A_MINUTE}


@pytest.mark.parametrize("restarted", [False, True])
async def test_a_clock_that_is_set_back_holds_a_document_up_for_a_minute_more_and_no_longer(
    disk: Disk, messenger: ScriptedMessenger, store: StoreInMemory, transfer: TimedTransfer, restarted: bool
) -> None:
    def clock() -> float:
        return trio.current_time() - (0 if trio.current_time() < 30 else 10 * DAY)

    inbox = await inbox_on(disk, clock)
    await take_and_ask(inbox, "a")
    if restarted:
        await trio.sleep(40)
        inbox = await inbox_on(disk, clock)
    async with uploading(inbox, store, transfer, messenger):
        assert await all_ended(inbox) <= 125


async def test_without_an_answer_about_a_name_that_is_taken_both_are_kept_after_a_minute(
    inbox: Inbox, messenger: ScriptedMessenger, store: StoreInMemory, transfer: TimedTransfer
) -> None:
    others = store.objects["a.txt"] = StoredObject(1, '"others"')
    async with speaking(inbox, messenger), uploading(inbox, store, transfer, messenger, on_conflict="ask"):
        await take(inbox, ALICE, "a.txt", "b.txt")
        await all_ended(inbox)
    assert begun(transfer) == {"b.txt": 0, "a (1).txt": A_MINUTE}
    assert store.objects["a.txt"] is others


async def test_with_overwrite_those_without_an_answer_go_one_after_the_other(inbox: Inbox) -> None:
    for upload in ("first", "second"):
        await decide(inbox, ALICE, [Take(upload, document(upload), "a", None, 1, ask=True)])
    await trio.sleep(61)
    first = await inbox.uploads.claim(overwriting=True)
    assert first is not None
    assert first.job.id == "first"
    assert await inbox.uploads.claim(overwriting=True) is None
    await end(inbox, first)
    second = await inbox.uploads.claim(overwriting=True)
    assert second is not None
    assert second.job.id == "second"


async def test_a_document_that_is_cancelled_ends_at_once_and_leaves_nothing(
    inbox: Inbox, messenger: ScriptedMessenger, store: StoreInMemory, transfer: TimedTransfer
) -> None:
    transfer.seconds = 3600
    async with uploading(inbox, store, transfer, messenger):
        await take(inbox, ALICE, "a", size=2 * PART_SIZE)
        await trio.sleep(100)
        assert transfer.running == ["a"]
        await decide(inbox, ALICE, [Cancel("a")])
        assert await all_ended(inbox) == 100
    assert store.objects == {}
    assert store.open_uploads == {}
