"""A messenger that says "retry after": what it says is done, to the chat it says it of."""

from __future__ import annotations

import trio
from structlog.testing import capture_logs

from tests.time.fakes import ScriptedMessenger, only_for, until
from tests.time.scenes import MIB, ask, begin, person, speaking
from trio_s3_bot.errors import OperatorNeeded, RetryAfter
from trio_s3_bot.inbox import Inbox
from trio_s3_bot.texts import Sample

ALICE, BOB, CAROL = person(1), person(2), person(3)
FLOOD = RetryAfter("Too Many Requests: retry after 30", 30)
DENIED = OperatorNeeded("15 Access denied", "Give the token its right back.", 60)


async def test_the_flooded_chat_is_left_alone_for_as_long_as_was_asked_and_half_a_second(
    inbox: Inbox, messenger: ScriptedMessenger
) -> None:
    messenger.fault = only_for(until(1, FLOOD), ALICE)
    async with speaking(inbox, messenger) as outbox:
        await ask(inbox, ALICE)
        await outbox.until_all_is_said()
    assert [request.at for request in messenger.tried] == [0, 30.5]


async def test_what_was_refused_for_the_flood_is_said_later_word_for_word_with_the_same_random_id(
    inbox: Inbox, messenger: ScriptedMessenger
) -> None:
    messenger.fault = only_for(until(1, FLOOD), ALICE)
    async with speaking(inbox, messenger) as outbox:
        await ask(inbox, ALICE)
        await outbox.until_all_is_said()
    refused, said = messenger.tried
    assert said.message == refused.message
    assert messenger.said == [said]


async def test_a_flood_in_one_chat_holds_up_no_other(inbox: Inbox, messenger: ScriptedMessenger) -> None:
    messenger.fault = only_for(until(1, FLOOD), ALICE)
    async with speaking(inbox, messenger) as outbox:
        await ask(inbox, ALICE)
        await trio.sleep(5)
        await ask(inbox, BOB)
        await outbox.until_all_is_said()
    assert [(request.chat, request.at) for request in messenger.said] == [(BOB, 5), (ALICE, 30.5)]


async def test_floods_in_two_chats_at_a_time_pause_all(inbox: Inbox, messenger: ScriptedMessenger) -> None:
    messenger.fault = only_for(until(1, FLOOD), ALICE, BOB)
    async with speaking(inbox, messenger) as outbox:
        await ask(inbox, ALICE)
        await ask(inbox, BOB)
        await trio.sleep(5)
        await ask(inbox, CAROL)
        await outbox.until_all_is_said()
    assert len(messenger.said) == 3
    assert 30.5 <= messenger.said[0].at <= 30.6


async def test_floods_in_two_chats_one_after_the_other_pause_nobody_else(
    inbox: Inbox, messenger: ScriptedMessenger
) -> None:
    messenger.fault = lambda request: (
        only_for(until(1, FLOOD), ALICE)(request) or only_for(until(41, FLOOD), BOB)(request)
    )
    async with speaking(inbox, messenger) as outbox:
        await ask(inbox, ALICE)
        await trio.sleep(40)
        await ask(inbox, BOB)
        await trio.sleep(5)
        await ask(inbox, CAROL)
        await outbox.until_all_is_said()
    assert [(request.chat, request.at) for request in messenger.said] == [(ALICE, 30.5), (CAROL, 45), (BOB, 70.5)]


async def test_one_chat_flooded_twice_pauses_nobody_else(inbox: Inbox, messenger: ScriptedMessenger) -> None:
    messenger.fault = only_for(until(31, FLOOD), ALICE)
    async with speaking(inbox, messenger) as outbox:
        await ask(inbox, ALICE)
        await trio.sleep(35)
        await ask(inbox, BOB)
        await outbox.until_all_is_said()
    assert [(request.chat, request.at) for request in messenger.said] == [(BOB, 35), (ALICE, 61)]


async def test_after_a_flood_a_chat_begins_slowly(inbox: Inbox, messenger: ScriptedMessenger) -> None:
    messenger.fault = only_for(until(1, FLOOD), ALICE)
    async with speaking(inbox, messenger) as outbox:
        await ask(inbox, ALICE, times=3)
        await outbox.until_all_is_said()
    first, second, third = (request.at for request in messenger.said)
    assert first == 30.5
    assert second - first >= 1
    assert third - second >= 1


async def test_after_a_flood_each_message_shows_once_how_things_stand_by_then(
    inbox: Inbox, messenger: ScriptedMessenger
) -> None:
    async with speaking(inbox, messenger, sample=lambda _: Sample(MIB, 2 * MIB)) as outbox:
        for name in ("a.bin", "b.bin"):
            await begin(inbox, ALICE, name)
            await outbox.until_all_is_said()
        messenger.fault = until(2, FLOOD)
        outbox.show_progress(ALICE, "a.bin")
        outbox.show_progress(ALICE, "b.bin")
        await trio.sleep(60)
    assert [request.kind for request in messenger.tried] == ["send", "send", "edit", "edit", "edit"]
    assert len({request.message_id for request in messenger.said}) == 2


async def test_what_only_the_operator_can_mend_is_named_and_what_was_to_be_said_is_said_then(
    inbox: Inbox, messenger: ScriptedMessenger
) -> None:
    messenger.fault = until(3600, DENIED)
    with capture_logs() as logs:
        async with speaking(inbox, messenger) as outbox:
            await ask(inbox, ALICE)
            await ask(inbox, BOB)
            await outbox.until_all_is_said()
    assert {request.chat for request in messenger.said} == {ALICE, BOB}
    assert all(3600 <= request.at <= 3661 for request in messenger.said)
    assert len(messenger.tried) <= 2 * 3600 / 60 + 4
    assert {(line["log_level"], line["error"]) for line in logs} == {("error", str(DENIED))}
    assert "Give the token its right back." in str(DENIED)


async def test_the_operator_reads_which_chat_was_flooded_and_for_how_long(
    inbox: Inbox, messenger: ScriptedMessenger
) -> None:
    messenger.fault = only_for(until(1, FLOOD), ALICE)
    with capture_logs() as logs:
        async with speaking(inbox, messenger) as outbox:
            await ask(inbox, ALICE)
            await outbox.until_all_is_said()
    assert [(line["event"], line["log_level"], line["chat"], line["retry_after"]) for line in logs] == [
        ("flood limit reached", "warning", "telegram:1", 30)
    ]
