"""What comes to pass while a worker has a message in hand: what it then says must be true all the same."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
import trio
from trio_util import AsyncValue

from tests.time.fakes import Disk, Request, ScriptedMessenger, StoreInMemory, TimedTransfer, inbox_on
from tests.time.scenes import EVERYBODY, all_ended, answering, begin, bot, decide, document, end, person, take, update
from trio_s3_bot import conversation
from trio_s3_bot.conversation import Rules, Say, SetName, Take
from trio_s3_bot.inbox import Inbox
from trio_s3_bot.messengers.base import Batch
from trio_s3_bot.model import Sender, UpdateObj
from trio_s3_bot.notices import Accepted, NameSet

ALICE = person(1)
HOUR = 3600.0
EPOCH = 1e6  # Unix seconds when the mock clock begins


async def handle(
    inbox: Inbox, message: UpdateObj, meanwhile: Callable[[], Awaitable[object]] = trio.lowlevel.checkpoint
) -> None:
    """What a worker does with a message, slowly."""
    await inbox.updates.store(ALICE.messenger, Batch((message,), None))
    claim = await inbox.updates.claim(ALICE.messenger)
    await meanwhile()
    decision = conversation.decide(claim.state, claim.update, Rules(EVERYBODY, rename="offer"), claim.facts)
    await inbox.updates.finish(claim, decision)


def said(text: str, reply_to: int | None = None) -> UpdateObj:
    return replace(update(ALICE, text), sender=Sender(1), reply_to=reply_to)


async def send(inbox: Inbox, upload: str, name: str, message: int) -> None:
    taken = Take(upload, document(name), name, None, message, owner=1)
    await decide(inbox, ALICE, [taken, Say(Accepted(upload=upload, name=name, reply_to=message))])


async def test_what_is_saved_by_then_is_not_called_cancelled(
    inbox: Inbox, messenger: ScriptedMessenger, store: StoreInMemory
) -> None:
    async with bot(inbox, messenger, store, TimedTransfer(store, seconds=5)):
        await send(inbox, "a", "a.txt", 2)
        await trio.sleep(1)
        await handle(inbox, said("/cancel"), lambda: all_ended(inbox))
        await trio.sleep(HOUR)
    assert list(store.objects) == ["a.txt"]
    *_, saved, card = messenger.sent
    assert saved.text == "[document has been saved] a.txt, 1 MB"
    assert card.text.startswith("a.txt\n1 MB, saved")


async def test_no_name_is_promised_to_what_was_found_to_be_there_already_by_then(
    inbox: Inbox, messenger: ScriptedMessenger, store: StoreInMemory
) -> None:
    async with bot(inbox, messenger, store, TimedTransfer(store)):
        await send(inbox, "a", "a.txt", 2)
        await trio.sleep(30)
        store.latency = 0.3
        await send(inbox, "again", "a.txt", 4)
        await handle(inbox, said("/rename b.txt", reply_to=4), lambda: all_ended(inbox))
        await trio.sleep(HOUR)
    assert not any("It will be called" in text for text in messenger.texts(ALICE))


async def test_no_second_name_is_promised_to_what_is_being_renamed_by_then(
    inbox: Inbox, messenger: ScriptedMessenger, store: StoreInMemory, disk: Disk
) -> None:
    async def begun() -> None:
        await store.there("a.txt")
        await trio.sleep(1)
        assert disk.execute("SELECT item FROM chores WHERE creating IS NOT NULL").fetchall() == [("a",)]

    async with bot(inbox, messenger, store, TimedTransfer(store, seconds=5)):
        await send(inbox, "a", "a.txt", 2)
        await trio.sleep(1)
        await decide(inbox, ALICE, [SetName("a", "b.txt"), Say(NameSet(upload="a", name="b.txt"))])
        store.latency = 0.3
        await handle(inbox, said("/rename c.txt", reply_to=2), begun)
        await trio.sleep(HOUR)
    assert list(store.objects) == ["b.txt"]
    assert not any("c.txt" in text for text in messenger.texts(ALICE))


async def test_a_clock_that_is_set_back_lets_no_talk_be_an_answer_for_longer(disk: Disk) -> None:
    back = 0.0
    inbox = await inbox_on(disk, lambda: EPOCH + trio.current_time() - back)
    await end(inbox, await begin(inbox, ALICE, "report.pdf"))
    await handle(inbox, said("/rename report.pdf"))
    back = HOUR
    await trio.sleep(HOUR / 2)
    await handle(inbox, said("thanks a lot, that was quick"))
    assert await inbox.files.open_count() == 0


class AnswersLate(ScriptedMessenger):
    """What is said there is read before the bot knows that it is. `asked` is the question of a deletion."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = AsyncValue[Request | None](None)

    async def _show(self, request: Request) -> None:
        await super()._show(request)
        if request.text.startswith("Delete a"):
            self.asked.value = request
        await trio.sleep(5)


@pytest.mark.parametrize("group", [False, True])
async def test_a_reply_to_a_message_that_is_not_on_record_yet_is_one_as_soon_as_it_is(disk: Disk, group: bool) -> None:
    inbox = await inbox_on(disk, lambda: EPOCH + trio.current_time())
    messenger, chat = AnswersLate(), replace(ALICE, group=group)
    await take(inbox, chat, "a", say=False)
    claim = await inbox.uploads.claim()
    assert claim is not None
    await end(inbox, claim)
    async with answering(inbox, messenger) as outbox:
        await outbox.until_all_is_said()
        messenger.deliver([replace(update(chat, "/delete a"), sender=Sender(1))])
        question = await messenger.asked.wait_value(lambda asked: asked is not None)
        reply = replace(update(chat, "yes"), sender=Sender(1), date=int(EPOCH + trio.current_time()))
        messenger.deliver([replace(reply, reply_to=question.message_id)])
        await trio.sleep(60)
    assert await inbox.files.open_count() == 1
