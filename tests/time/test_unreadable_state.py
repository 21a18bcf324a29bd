"""
What stands in the state file and can't be read, as after a change of version, costs that one item and no other.

Everything else is done as if nothing were, and the operator reads of it.
"""

from __future__ import annotations

from typing import Any

import pytest
import trio
from structlog.testing import capture_logs

from tests.time.fakes import PART_SIZE, Disk, ScriptedMessenger, StoreInMemory, TimedTransfer, inbox_on
from tests.time.scenes import GREETED, MIB, begin, bot, decide, document, end, person, take, tell, update
from trio_s3_bot.conversation import Delete, Take
from trio_s3_bot.conversation.state import Ask
from trio_s3_bot.inbox import Inbox
from trio_s3_bot.messengers.base import Batch
from trio_s3_bot.model import OutMessage, StoredObject
from trio_s3_bot.notices import Accepted, DocumentRequired, Saved

ALICE, BOB = person(1), person(2)
PERSONS = (ALICE, BOB)


async def leave_something_of_every_kind(inbox: Inbox, store: StoreInMemory) -> None:
    """For both the same; what is Alice's has an `a` before it, what is Bob's a `b`."""
    for chat, whose in zip(PERSONS, "ab", strict=True):
        await end(inbox, await begin(inbox, chat, f"{whose} unwanted"))
        await end(inbox, await begin(inbox, chat, f"{whose} asked about"))
        store.objects[f"{whose} unwanted"] = StoredObject(MIB, '"etag"')
        await decide(inbox, chat, [Delete(f"{whose} unwanted")])
        broken_off = await begin(inbox, chat, f"{whose} broken off", size=2 * PART_SIZE)
        await inbox.uploads.creating(broken_off.job, PART_SIZE, [])
        await inbox.uploads.created(broken_off.job, await store.create(f"{whose} broken off"))
        shown = await inbox.messages.next_message(chat, lambda *_: OutMessage("[document]"))
        assert shown is not None
        await inbox.messages.sent(shown, 70)
        await inbox.messages.next_message(chat, lambda *_: OutMessage("composed before the end"))
        await tell(inbox, chat, DocumentRequired(reply_to=1))
    for chat, whose in zip(PERSONS, "ab", strict=True):
        await take(inbox, chat, f"{whose} waiting")
        await decide(inbox, chat, [], GREETED.asking(f"{whose} asked about", Ask.NEW_NAME))
    await trio.sleep(100)  # from then on only a reply answers that
    await inbox.updates.store("telegram", Batch(tuple(update(chat) for chat in PERSONS), None))
    for chore in [await inbox.files.claim(), await inbox.files.claim()]:
        assert chore is not None
        await inbox.files.begin(chore, ())


SPOILT = {
    "the chat": "UPDATE chats SET chat = '{\"id\": 1}' WHERE key = :chat",
    "its state": "UPDATE chats SET state = '{\"greeted\": 5}' WHERE key = :chat",
    "a question": "UPDATE questions SET ask = 'a later one' WHERE chat = :chat",
    "an update": "UPDATE updates SET body = json_remove(body, '$.chat') WHERE chat = :chat AND body IS NOT NULL",
    "no JSON in its place": "UPDATE updates SET body = 'Dear diary' WHERE chat = :chat AND body IS NOT NULL",
    "documents": "UPDATE uploads SET job = json_remove(job, '$.document') WHERE chat = :chat",
    "an intent": "UPDATE uploads SET creating = '{}' WHERE chat = :chat AND creating IS NOT NULL",
    "a chore": "UPDATE chores SET creating = '{}' WHERE chat = :chat",
    "notices": 'UPDATE notices SET body = \'{"type": "Later"}\' WHERE chat = :chat',
    "a composed message": "UPDATE messages SET body = '[]' WHERE chat = :chat AND remote_id IS NULL",
    "a sent message": "UPDATE messages SET body = '[]' WHERE chat = :chat AND remote_id IS NOT NULL",
    "what messages are about": "UPDATE messages SET about = '7' WHERE chat = :chat",
}


@pytest.mark.parametrize("spoilt", SPOILT.values(), ids=SPOILT)
async def test_an_item_that_can_not_be_read_costs_no_other(
    disk: Disk, messenger: ScriptedMessenger, store: StoreInMemory, spoilt: str
) -> None:
    await leave_something_of_every_kind(await inbox_on(disk), store)
    assert disk.connection.execute(spoilt, {"chat": ALICE.key}).rowcount > 0
    with capture_logs() as logs:
        inbox = await inbox_on(disk)
        async with bot(inbox, messenger, store, TimedTransfer(store)):
            await trio.sleep(600)
            messenger.deliver([update(chat, update_id=1_000 + chat.id) for chat in PERSONS])
            await trio.sleep(60)
        assert not await inbox.has_unfinished_work()
        assert await inbox.messages.chats_to_serve("telegram") == []
    assert {line["log_level"] for line in logs} >= {"error"}
    assert not [line for line in logs if "exc_info" in line]
    assert {key for key in store.objects if key[0] == "b"} == {"b broken off", "b waiting"}
    assert store.open_uploads == {}
    assert messenger.texts(ALICE)[-1].startswith("[document is required]")
    assert "composed before the end" in messenger.texts(BOB)
    assert "b unwanted is deleted." in messenger.texts(BOB)


async def test_what_can_be_read_is_left_as_it_is(disk: Disk, store: StoreInMemory) -> None:
    await leave_something_of_every_kind(await inbox_on(disk), store)
    before = list(disk.connection.iterdump())
    with capture_logs() as logs:
        await inbox_on(disk)
    assert (logs, list(disk.connection.iterdump())) == ([], before)


async def told(
    disk: Disk, messenger: ScriptedMessenger, store: StoreInMemory, spoilt: str, *values: object
) -> list[str]:
    """What Alice hears from a bot that finds something spoilt."""
    assert disk.connection.execute(spoilt, values).rowcount == 1
    async with bot(await inbox_on(disk), messenger, store, TimedTransfer(store)):
        await trio.sleep(60)
    return messenger.texts(ALICE)


async def test_the_sender_of_a_document_that_can_not_be_read_is_told_so_in_answer_to_it(
    disk: Disk, messenger: ScriptedMessenger, store: StoreInMemory
) -> None:
    await take(await inbox_on(disk), ALICE, "a", say=False)
    texts = await told(disk, messenger, store, "UPDATE uploads SET job = json_remove(job, '$.document')")
    assert [text.splitlines()[0][:24] for text in texts] == ["a could not be saved. It"]
    assert messenger.sent[0].message.reply_to == 1


async def test_a_document_that_can_not_be_read_and_is_in_the_store_already_is_saved(
    disk: Disk, messenger: ScriptedMessenger, store: StoreInMemory
) -> None:
    await begin(await inbox_on(disk), ALICE, "a")
    store.objects["a"] = StoredObject(MIB, '"etag"', {"trio-s3-bot-job": "a"})
    texts = await told(disk, messenger, store, "UPDATE uploads SET job = '{}'")
    assert "[document has been saved] a, 1 MB" in texts


async def test_two_documents_that_can_not_be_read_are_not_the_same_one(
    disk: Disk, messenger: ScriptedMessenger, store: StoreInMemory
) -> None:
    inbox = await inbox_on(disk)
    await decide(inbox, ALICE, [Take(id_, document("x"), "f.txt", None, 1) for id_ in ("one", "two")])
    claim = await inbox.uploads.claim()
    assert claim is not None
    await inbox.uploads.try_key(claim.job, "f.txt")
    store.objects["f.txt"] = StoredObject(MIB, '"etag"', {"trio-s3-bot-job": "one"})
    disk.execute("UPDATE uploads SET job = '{}' WHERE id = 'one'")
    texts = await told(disk, messenger, store, "UPDATE uploads SET job = '{}' WHERE id = 'two'")
    assert sum(text.startswith("[document has been saved]") for text in texts) == 1
    assert sum(text.startswith("f.txt could not be saved") for text in texts) == 1


async def test_in_place_of_what_can_not_be_said_it_is_said_how_the_document_stands(
    disk: Disk, messenger: ScriptedMessenger, store: StoreInMemory
) -> None:
    inbox = await inbox_on(disk)
    await end(inbox, await begin(inbox, ALICE, "a"))
    disk.execute("DELETE FROM notices WHERE kind = 'Accepted'")
    texts = await told(disk, messenger, store, "UPDATE notices SET body = '{}'")
    assert [text.splitlines()[0] for text in texts] == ["a"]


@pytest.mark.parametrize(
    ("about", "first_line"), [(["a"], "a\n"), ([], "Something in your message made me fail again and again,")]
)
async def test_in_place_of_a_message_that_can_not_be_sent_it_is_said_how_its_documents_stand(
    disk: Disk, messenger: ScriptedMessenger, store: StoreInMemory, about: list[str], first_line: str
) -> None:
    inbox = await inbox_on(disk)
    await end(inbox, await begin(inbox, ALICE, "a"))
    disk.execute("DELETE FROM notices")
    await tell(inbox, ALICE, Saved(upload="a", key="a", name="a", size=1) if about else DocumentRequired())
    assert await inbox.messages.next_message(ALICE, lambda *_: OutMessage("")) is not None
    texts = await told(disk, messenger, store, "UPDATE messages SET body = '{}'")
    assert next(text for text in texts if text).startswith(first_line)


async def test_who_sent_what_can_not_be_read_is_asked_for_it_again_unless_it_was_nothing_for_the_bot(
    disk: Disk,
) -> None:
    inbox = await inbox_on(disk)
    for addressed in (True, False):
        await tell(inbox, ALICE, Accepted(upload="none", name="none"))
        disk.execute("DELETE FROM notices")
        await inbox.updates.store("telegram", Batch((update(ALICE),), None))
        disk.execute(
            "UPDATE updates SET body = json_set(body, '$.addressed', json(?), '$.text', 5) WHERE body IS NOT NULL",
            ("true" if addressed else "false",),
        )
        inbox = await inbox_on(disk)
        said: list[Any] = disk.execute("SELECT kind FROM notices").fetchall()
        assert said == ([("GivenUp",)] if addressed else [])


async def test_the_chat_is_what_its_next_message_says_again(disk: Disk) -> None:
    """Its id is all that is known of it in between."""
    inbox = await inbox_on(disk)
    await tell(inbox, ALICE, DocumentRequired())
    before = disk.execute("SELECT chat FROM chats").fetchall()
    disk.execute("UPDATE chats SET chat = '5'")
    inbox = await inbox_on(disk)
    await tell(inbox, ALICE, DocumentRequired())
    assert disk.execute("SELECT chat FROM chats").fetchall() == before


async def test_what_is_spoilt_while_the_bot_runs_is_mended_when_it_is_come_upon(
    disk: Disk, messenger: ScriptedMessenger, store: StoreInMemory
) -> None:
    inbox = await inbox_on(disk)
    await take(inbox, ALICE, "a")
    await take(inbox, BOB, "b")
    await inbox.updates.store("telegram", Batch((update(ALICE),), None))
    for spoilt in ("the chat", "its state", "an update", "documents", "notices"):
        disk.connection.execute(SPOILT[spoilt], {"chat": ALICE.key})
    async with bot(inbox, messenger, store, TimedTransfer(store)):
        await trio.sleep(60)
    assert set(store.objects) == {"b"}
    assert any(text.startswith("a could not be saved") for text in messenger.texts(ALICE))
    assert not await inbox.has_unfinished_work()
