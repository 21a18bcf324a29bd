"""A group that becomes a supergroup goes on as the same conversation, in the same order, whatever is under way."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from tests.time.fakes import inbox_on, open_disk
from trio_s3_bot.conversation import ChatState, Decision, Say, Take
from trio_s3_bot.errors import Reason
from trio_s3_bot.inbox import Book, Claim, Inbox
from trio_s3_bot.messengers.base import Batch
from trio_s3_bot.model import Chat, Document, OutMessage, UpdateObj, UploadState
from trio_s3_bot.notices import AnyNotice, DocumentRequired, Failed, Greeting

OLD, NEW = Chat("telegram", -7, group=True), Chat("telegram", -1007, group=True)
GREETED = Decision(ChatState(greeted=True))


@pytest.fixture
async def inbox(autojump_clock: MockClock) -> AsyncIterator[Inbox]:  # noqa: ARG001 - patience costs no time
    async with open_disk() as disk:
        yield await inbox_on(disk)


def said(chat: Chat, *numbers: int) -> tuple[UpdateObj, ...]:
    return tuple(UpdateObj("telegram", str(number), chat, message_id=number, text="hello") for number in numbers)


def moved(number: int) -> tuple[UpdateObj]:
    return (UpdateObj("telegram", str(number), OLD, message_id=number, silent=True, moved_to=NEW.id),)


async def store(inbox: Inbox, *updates: UpdateObj) -> None:
    await inbox.updates.store("telegram", Batch(updates, None))


async def take(inbox: Inbox) -> Claim:
    with trio.fail_after(1):
        return await inbox.updates.claim("telegram")


async def handle_all(inbox: Inbox, count: int) -> list[str]:
    handled = []
    for _ in range(count):
        claim = await take(inbox)
        assert (claim.update.chat, claim.state.greeted) == (NEW, True)
        handled.append(claim.update.update_id)
        await inbox.updates.finish(claim, GREETED)
    return handled


def compose(notices: Sequence[AnyNotice], language: str, book: Book) -> OutMessage:  # noqa: ARG001
    return OutMessage(" ".join(type(notice).__name__ for notice in notices))


async def heard_in(inbox: Inbox, chat: Chat) -> list[str]:
    heard = []
    while composed := await inbox.messages.next_message(chat, compose):
        heard.append(composed.message.text)
        await inbox.messages.sent(composed, 1)
    return heard


async def test_what_the_group_sent_comes_before_what_the_supergroup_sends(inbox: Inbox) -> None:
    await store(inbox, *said(OLD, 1))
    await inbox.updates.finish(await take(inbox), GREETED)
    await store(inbox, *said(OLD, 2, 3), *moved(4), *said(NEW, 5))
    assert await handle_all(inbox, 4) == ["2", "3", "4", "5"]


async def test_a_group_that_is_said_to_become_itself_stays_what_it_is(inbox: Inbox) -> None:
    await store(inbox, *said(NEW, 1))
    await inbox.updates.finish(await take(inbox), GREETED)
    await store(inbox, *said(NEW, 2), replace(*moved(3), chat=NEW), *said(NEW, 4))
    assert await handle_all(inbox, 3) == ["2", "3", "4"]


async def test_the_supergroup_waits_for_what_is_in_hand_of_the_group(inbox: Inbox) -> None:
    await store(inbox, *said(OLD, 1, 2))
    in_hand = await take(inbox)
    await store(inbox, *moved(3), *said(NEW, 4))
    handed_out: list[Claim] = []

    async def claim() -> None:
        handed_out.append(await inbox.updates.claim("telegram"))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(claim)
        await wait_all_tasks_blocked()
        assert handed_out == []
        await inbox.updates.finish(in_hand, GREETED)
    (second,) = handed_out
    assert (second.update.update_id, second.update.chat, second.state.greeted) == ("2", NEW, True)
    await inbox.updates.finish(second, GREETED)
    assert await handle_all(inbox, 2) == ["3", "4"]


async def test_what_an_update_in_hand_leads_to_is_said_in_the_supergroup(inbox: Inbox) -> None:
    told: list[Chat] = []
    inbox.when_something_to_say(told.append)
    await store(inbox, *said(OLD, 1))
    in_hand = await take(inbox)
    await store(inbox, *moved(2))
    await inbox.updates.finish(in_hand, Decision(ChatState(greeted=True), (Say(Greeting()),)))
    assert told[-1] == NEW
    assert await heard_in(inbox, NEW) == ["Greeting"]
    assert await heard_in(inbox, OLD) == []


async def test_an_update_in_hand_that_fails_is_tried_again_in_the_supergroup(inbox: Inbox) -> None:
    await store(inbox, *said(OLD, 1))
    in_hand = await take(inbox)
    await store(inbox, *moved(2))
    await inbox.updates.fail(in_hand, "bad luck")
    again = await take(inbox)
    assert (again.update.update_id, again.update.chat, again.failures) == ("1", NEW, 1)


async def test_a_move_that_a_refused_message_tells_of_wakes_what_the_group_sent(inbox: Inbox) -> None:
    """The Bot API's answer may come before the service message does."""
    await store(inbox, *said(OLD, 1))
    await inbox.updates.finish(await take(inbox), replace(GREETED, effects=(Say(DocumentRequired()),)))
    await store(inbox, *said(OLD, 2))
    assert await inbox.messages.move_chat(OLD, NEW.id) == NEW
    await store(inbox, *moved(3))
    assert await handle_all(inbox, 2) == ["2", "3"]
    assert await heard_in(inbox, NEW) == ["DocumentRequired"]


async def test_the_end_of_an_upload_that_began_in_the_group_is_told_in_the_supergroup(inbox: Inbox) -> None:
    told: list[Chat] = []
    inbox.when_something_to_say(told.append)
    await store(inbox, *said(OLD, 1))
    taken = Take("u1", Document("f", "u"), "report.pdf", None, 1)
    await inbox.updates.finish(await take(inbox), replace(GREETED, effects=(taken,)))
    upload = await inbox.uploads.claim()
    assert upload is not None
    await store(inbox, *moved(2))
    notice = Failed(upload="u1", name="report.pdf", reason=Reason.GONE)
    await inbox.uploads.finish(upload.job, UploadState.FAILED, notice)
    assert told[-1] == NEW
    assert await heard_in(inbox, NEW) == ["Failed"]


async def test_a_group_that_never_spoke_to_the_bot_moves_without_trouble(inbox: Inbox) -> None:
    await store(inbox, *moved(1), *said(NEW, 2))
    first, second = await take(inbox), None
    assert (first.update.chat, first.state) == (NEW, ChatState())
    await inbox.updates.finish(first, Decision(ChatState()))
    second = await take(inbox)
    assert (second.update.update_id, second.update.chat) == ("2", NEW)


async def test_an_update_that_tells_of_a_move_is_taken_in_twice_without_harm(inbox: Inbox) -> None:
    await store(inbox, *said(OLD, 1))
    await inbox.updates.finish(await take(inbox), GREETED)
    await store(inbox, *moved(2))
    await store(inbox, *moved(2), *said(NEW, 3))
    assert await handle_all(inbox, 2) == ["2", "3"]
