"""What a start has to wait out an outage for: anything that an earlier run left to do, or only to say."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from tests.time.fakes import Disk, inbox_on
from tests.time.scenes import ask, begin, decide, end, person, take, update
from trio_s3_bot.conversation import Delete
from trio_s3_bot.inbox import Inbox
from trio_s3_bot.messengers.base import Batch
from trio_s3_bot.model import Button, OutMessage

ALICE = person(1)


async def an_update(inbox: Inbox) -> None:
    await inbox.updates.store("telegram", Batch((update(ALICE),), None))


async def a_document(inbox: Inbox) -> None:
    await take(inbox, ALICE, "a", say=False)


async def a_chore(inbox: Inbox) -> None:
    await begin_and_end(inbox)
    await decide(inbox, ALICE, [Delete("a")])


async def something_to_say(inbox: Inbox) -> None:
    await ask(inbox, ALICE)


async def a_message_that_was_never_sent(inbox: Inbox) -> None:
    await ask(inbox, ALICE)
    await inbox.messages.next_message(ALICE, lambda *_: OutMessage("composed"))


async def a_message_that_shows_what_is_over(inbox: Inbox) -> None:
    await begin_and_end(inbox)
    for _ in range(2):
        await say(inbox)


async def begin_and_end(inbox: Inbox) -> None:
    claim = await begin(inbox, ALICE, "a")
    await say(inbox)
    await end(inbox, claim)


async def say(inbox: Inbox) -> None:
    buttons = ((Button("Cancel", "stop"),),)
    composed = await inbox.messages.next_message(ALICE, lambda *_: OutMessage("[document]", buttons))
    if composed is not None:
        await inbox.messages.sent(composed, 1)


@pytest.mark.parametrize(
    "left",
    [
        an_update,
        a_document,
        a_chore,
        something_to_say,
        a_message_that_was_never_sent,
        a_message_that_shows_what_is_over,
    ],
)
async def test_whatever_is_left_is_unfinished_work(disk: Disk, left: Callable[[Inbox], Awaitable[None]]) -> None:
    assert not await (await inbox_on(disk)).has_unfinished_work()
    await left(await inbox_on(disk))
    assert await (await inbox_on(disk)).has_unfinished_work()


async def test_what_can_not_be_said_any_more_is_none(disk: Disk) -> None:
    inbox = await inbox_on(disk)
    claim = await begin(inbox, ALICE, "a")
    await say(inbox)
    status = await inbox.messages.status_of(ALICE, "a")
    assert status is not None
    await inbox.messages.progress_will_show(status)
    await inbox.messages.unreachable(ALICE)
    await end(inbox, claim)
    assert not await inbox.has_unfinished_work()
    assert await inbox.messages.chats_to_serve("telegram") == []
