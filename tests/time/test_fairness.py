"""Promises 6 and 7: whose document is next, and what one chat's flood of documents means to another one."""

from __future__ import annotations

import pytest
import trio

from tests.time.fakes import Disk, ScriptedMessenger, StoreInMemory, TimedTransfer, inbox_on
from tests.time.scenes import all_ended, answering, decide, document, person, take, update, uploading
from trio_s3_bot.conversation import Take
from trio_s3_bot.inbox import Inbox
from trio_s3_bot.keys import JOB_METADATA
from trio_s3_bot.model import Chat

ALICE, BOB, CAROL = person(1), person(2), person(3)


@pytest.fixture
def transfer(store: StoreInMemory) -> TimedTransfer:
    return TimedTransfer(store, seconds=1, steps=1)


async def pile_up(inbox: Inbox, chat: Chat, count: int) -> None:
    """Let `count` documents of a chat wait."""
    names = [str(number) for number in range(count)]
    await decide(inbox, chat, [Take(name, document(name), name, None, 1) for name in names])


@pytest.mark.parametrize("slots", [1, 4])
async def test_one_document_of_another_chat_is_among_the_next_ones_after_ten_thousand(
    inbox: Inbox, messenger: ScriptedMessenger, store: StoreInMemory, transfer: TimedTransfer, slots: int
) -> None:
    await pile_up(inbox, ALICE, 10_000)
    async with uploading(inbox, store, transfer, messenger, slots=slots):
        await trio.sleep(2.5)
        before = len(transfer.begun)
        await take(inbox, BOB, "bob")
        await trio.sleep(2)
    assert "bob" in [key for _, key in transfer.begun[before : before + slots]]


@pytest.mark.parametrize("floods", [1, 4, 9])
async def test_chats_with_endless_documents_do_not_starve_one_that_came_later(
    inbox: Inbox, messenger: ScriptedMessenger, store: StoreInMemory, transfer: TimedTransfer, floods: int
) -> None:
    for number in range(floods):
        await take(inbox, person(100 + number), *[f"{number}-{index}" for index in range(30)])
    async with uploading(inbox, store, transfer, messenger, slots=4):
        await trio.sleep(1.5)
        before = len(transfer.begun)
        await take(inbox, BOB, "bob")
        await trio.sleep(3)
    assert "bob" in [key for _, key in transfer.begun[before : before + 4]]


async def test_as_many_documents_as_there_are_slots_go_up_at_a_time(
    inbox: Inbox, messenger: ScriptedMessenger, store: StoreInMemory, transfer: TimedTransfer
) -> None:
    await pile_up(inbox, ALICE, 20)
    async with uploading(inbox, store, transfer, messenger, slots=4):
        await trio.sleep(0.5)
        assert len(transfer.running) == 4
        assert await all_ended(inbox) == pytest.approx(5)


async def test_chats_share_the_slots_evenly_whoever_came_first(
    inbox: Inbox, messenger: ScriptedMessenger, store: StoreInMemory, transfer: TimedTransfer
) -> None:
    await take(inbox, ALICE, *[f"a{number}" for number in range(12)])
    await take(inbox, BOB, *[f"b{number}" for number in range(12)])
    await take(inbox, CAROL, *[f"c{number}" for number in range(12)])
    async with uploading(inbox, store, transfer, messenger, slots=6):
        for second in range(6):
            await trio.sleep_until(second + 0.5)
            assert sorted(key[0] for key in transfer.running) == ["a", "a", "b", "b", "c", "c"]


async def test_documents_of_one_chat_go_up_in_the_order_they_were_sent(
    inbox: Inbox, messenger: ScriptedMessenger, store: StoreInMemory, transfer: TimedTransfer
) -> None:
    names = [f"{number}.txt" for number in (5, 3, 9, 1, 7)]
    await take(inbox, ALICE, *names)
    async with uploading(inbox, store, transfer, messenger, slots=1):
        await all_ended(inbox)
    assert [key for _, key in transfer.begun] == names


async def test_documents_that_replace_each_other_take_no_slots_from_others_and_the_last_one_stays(
    inbox: Inbox, messenger: ScriptedMessenger, store: StoreInMemory, transfer: TimedTransfer
) -> None:
    transfer.seconds = 100
    for number in range(5):
        taken = Take(f"upload {number}", document(f"upload {number}"), "a", None, 1)
        await decide(inbox, person(10 + number), [taken])
    async with uploading(inbox, store, transfer, messenger, slots=2, on_conflict="overwrite"):
        await trio.sleep(50)
        await take(inbox, BOB, "b")
        await trio.sleep(101)
        assert "b" in store.objects
        await all_ended(inbox)
    assert [at for at, key in transfer.begun if key == "a"] == [0, 100, 200, 300, 400]
    assert store.objects["a"].metadata[JOB_METADATA] == "upload 4"


async def test_after_a_restart_the_oldest_documents_come_first(
    disk: Disk, messenger: ScriptedMessenger, store: StoreInMemory, transfer: TimedTransfer
) -> None:
    inbox = await inbox_on(disk)
    await take(inbox, ALICE, "a0", "a1")
    await take(inbox, BOB, "b0")
    async with uploading(inbox, store, transfer, messenger, slots=1):
        await trio.sleep(0.5)
    inbox = await inbox_on(disk)
    await take(inbox, CAROL, "c0")
    async with uploading(inbox, store, transfer, messenger, slots=1):
        await all_ended(inbox)
    assert [key for _, key in transfer.begun] == ["a0", "a0", "b0", "c0", "a1"]


async def test_which_document_is_next_is_decided_when_a_slot_is_free_and_not_before(
    inbox: Inbox, messenger: ScriptedMessenger, store: StoreInMemory, transfer: TimedTransfer
) -> None:
    transfer.seconds = 100
    await take(inbox, ALICE, "a0", "a1")
    async with uploading(inbox, store, transfer, messenger, slots=1):
        await trio.sleep(50)
        await take(inbox, BOB, "b0")
        await trio.sleep(60)
    assert [key for _, key in transfer.begun] == ["a0", "b0"]


async def test_with_every_slot_busy_for_an_hour_a_greeting_comes_at_once(
    inbox: Inbox, messenger: ScriptedMessenger, store: StoreInMemory, transfer: TimedTransfer
) -> None:
    transfer.seconds = 3600
    await pile_up(inbox, ALICE, 100)
    async with answering(inbox, messenger), uploading(inbox, store, transfer, messenger):
        await trio.sleep(10)
        messenger.deliver([update(BOB, update_id=1), update(CAROL, update_id=2)])
        await trio.sleep(1)
        assert [text.split("]")[0] for text in messenger.texts(BOB) + messenger.texts(CAROL)] == ["[greeting"] * 2
        assert len(transfer.running) == 4
