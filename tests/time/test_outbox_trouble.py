"""What becomes of what there is to say when the messenger is out of order, or the chat is not what it was."""

from __future__ import annotations

from itertools import pairwise

import pytest
import trio
from structlog.testing import capture_logs

from tests.time.fakes import Disk, Request, ScriptedMessenger, no_fault, only_for, until
from tests.time.scenes import MIB, ask, begin, decide, end, group, person, speaking
from trio_s3_bot.conversation import Cancel, Say
from trio_s3_bot.errors import (
    ChatMoved,
    ChatUnreachable,
    MessageGone,
    RequestRefused,
    TokenRefused,
    Unavailable,
)
from trio_s3_bot.inbox import Inbox
from trio_s3_bot.model import Chat, UploadState
from trio_s3_bot.notices import Conflict
from trio_s3_bot.texts import Sample

ALICE, BOB = person(1), person(2)
DOWN = Unavailable("502 Bad Gateway")


@pytest.mark.parametrize("error", [DOWN, TokenRefused("401 Unauthorized")])
async def test_what_could_not_be_said_in_an_outage_is_said_after_it_each_thing_once_and_in_order(
    inbox: Inbox, messenger: ScriptedMessenger, error: Exception
) -> None:
    messenger.fault = until(600, error)
    async with speaking(inbox, messenger) as outbox:
        for number in range(30):
            await ask(inbox, person(number), times=3)
        await outbox.until_all_is_said()
    for number in range(30):
        said = [request.message.reply_to for request in messenger.said if request.chat == person(number)]
        assert said == [0, 1, 2]
    assert 600 <= messenger.said[0].at <= 600 + 1.3 * 60
    assert messenger.said[-1].at <= messenger.said[0].at + 10


async def test_pauses_in_an_outage_grow_to_a_minute(inbox: Inbox, messenger: ScriptedMessenger) -> None:
    messenger.fault = until(3600, DOWN)
    async with speaking(inbox, messenger) as outbox:
        for number in range(30):
            await ask(inbox, person(number))
        await outbox.until_all_is_said()
    pauses = [later.at - earlier.at for earlier, later in pairwise(messenger.tried) if earlier not in messenger.said]
    for pause, expected in zip(pauses, [1, 2, 4, 8, 16, 32, *[60] * len(pauses)], strict=False):
        assert 0.7 * expected <= pause <= 1.3 * expected


async def test_requests_that_fail_together_are_one_failure(inbox: Inbox, messenger: ScriptedMessenger) -> None:
    messenger.latency = 1
    messenger.fault = until(2, DOWN)
    async with speaking(inbox, messenger) as outbox:
        for number in range(8):
            await ask(inbox, person(number))
        await outbox.until_all_is_said()
    assert messenger.said[-1].at <= 10


async def test_the_operator_reads_of_an_outage_once_for_each_attempt(
    inbox: Inbox, messenger: ScriptedMessenger
) -> None:
    messenger.latency = 1
    messenger.fault = until(60, DOWN)
    with capture_logs() as logs:
        async with speaking(inbox, messenger) as outbox:
            for number in range(8):
                await ask(inbox, person(number))
            await outbox.until_all_is_said()
    warnings = [line for line in logs if line["log_level"] == "warning"]
    assert {line["event"] for line in warnings} == {"the messenger can't be written to; trying again"}
    assert {line["error"] for line in warnings} == {"502 Bad Gateway"}
    assert len(warnings) <= 8


async def test_progress_is_dropped_in_an_outage_and_the_end_of_it_is_shown(
    inbox: Inbox, messenger: ScriptedMessenger
) -> None:
    async with speaking(inbox, messenger, sample=lambda _: Sample(int(trio.current_time()), MIB)) as outbox:
        claim = await begin(inbox, ALICE, "a")
        await outbox.until_all_is_said()
        outbox.show_progress(ALICE, "a")
        await trio.sleep(5)
        messenger.fault = until(600, DOWN)
        for _ in range(500):
            outbox.show_progress(ALICE, "a")
            await trio.sleep(1)
        await end(inbox, claim)
        await trio.sleep(600)
    after = [request for request in messenger.said if request.at >= 600]
    assert [request.text.split("\n")[-1] for request in after] == ["[document has been saved] a, 1 MB", "saved"]


async def test_a_person_who_blocked_the_bot_is_left_alone_and_holds_up_nobody(
    inbox: Inbox, messenger: ScriptedMessenger
) -> None:
    messenger.fault = only_for(until(100, ChatUnreachable("bot was blocked by the user")), ALICE)
    with capture_logs() as logs:
        async with speaking(inbox, messenger) as outbox:
            await ask(inbox, ALICE, times=10)
            await ask(inbox, BOB)
            await outbox.until_all_is_said()
    assert [request.chat for request in messenger.tried] == [ALICE, BOB]
    assert [line["event"] for line in logs] == ["a chat can't be written to any more"]


async def test_nothing_is_kept_for_a_chat_that_can_not_be_written_to_until_it_writes_again(
    inbox: Inbox, messenger: ScriptedMessenger
) -> None:
    messenger.fault = only_for(until(100, ChatUnreachable("bot was blocked by the user")), ALICE)
    async with speaking(inbox, messenger) as outbox:
        claim = await begin(inbox, ALICE, "a")
        await outbox.until_all_is_said()
        await trio.sleep(200)
        await end(inbox, claim)
        await outbox.until_all_is_said()
        assert messenger.said == []
        await ask(inbox, ALICE)
        await outbox.until_all_is_said()
    assert [text.split("]")[0] for text in messenger.texts(ALICE)] == ["[document is required"]


async def test_a_group_that_moved_is_followed(inbox: Inbox, messenger: ScriptedMessenger) -> None:
    old, new = group(5), Chat("telegram", -1005, None, group=True)
    messenger.fault = only_for(until(1e9, ChatMoved("group chat was upgraded", -1005)), old)
    async with speaking(inbox, messenger, sample=lambda _: Sample(1, 2)) as outbox:
        claim = await begin(inbox, old, "a")
        await outbox.until_all_is_said()
        assert [text.split("]")[0] for text in messenger.texts(new)] == ["[document"]
        await trio.sleep(60)
        outbox.show_progress(old, "a")
        await trio.sleep(60)
        await end(inbox, claim)
        await outbox.until_all_is_said()
    assert [text.split("\n")[-1].split("]")[0] for text in messenger.texts(new)] == [
        "[document",
        "▰▰▰▰▰▰▱▱▱▱▱▱ 50%, 1 byte of 2 bytes",
        "[document has been saved",
        "saved",
    ]
    assert [request.chat for request in messenger.tried].count(old) == 1


async def test_a_message_that_is_refused_is_dropped_and_the_next_one_said(
    inbox: Inbox, messenger: ScriptedMessenger
) -> None:
    messenger.fault = lambda request: RequestRefused("400 wrong") if request.message.reply_to == 0 else None
    with capture_logs() as logs:
        async with speaking(inbox, messenger) as outbox:
            await ask(inbox, ALICE, times=2)
            await outbox.until_all_is_said()
    assert [request.message.reply_to for request in messenger.tried] == [0, 1]
    assert [(line["event"], line["log_level"]) for line in logs] == [("a message was refused and is dropped", "error")]


async def test_a_message_that_its_reader_deleted_is_given_up(inbox: Inbox, messenger: ScriptedMessenger) -> None:
    messenger.fault = lambda request: MessageGone("message to edit not found") if request.kind == "edit" else None
    async with speaking(inbox, messenger, sample=lambda _: Sample(1, 2)) as outbox:
        claim = await begin(inbox, ALICE, "a")
        await outbox.until_all_is_said()
        outbox.show_progress(ALICE, "a")
        await trio.sleep(10)
        await end(inbox, claim)
        await trio.sleep(600)
    assert [request.kind for request in messenger.tried].count("edit") == 1
    assert messenger.texts(ALICE)[-1].startswith("[document has been saved]")


@pytest.mark.parametrize(("error", "edits"), [(MessageGone("909"), 1), (RequestRefused("940"), 2)])
async def test_a_message_that_can_not_be_edited_is_tried_once_for_progress_however_long_that_goes_on(
    inbox: Inbox, messenger: ScriptedMessenger, error: Exception, edits: int
) -> None:
    messenger.fault = lambda request: error if request.kind == "edit" else None
    async with speaking(inbox, messenger, sample=lambda _: Sample(int(trio.current_time()), 5000)) as outbox:
        claim = await begin(inbox, ALICE, "a")
        await outbox.until_all_is_said()
        for _ in range(100):
            outbox.show_progress(ALICE, "a")
            await trio.sleep(10)
        await end(inbox, claim)
        await trio.sleep(600)
    assert [request.kind for request in messenger.tried].count("edit") == edits
    assert messenger.texts(ALICE)[-1].startswith("[document has been saved]")


async def test_a_question_without_its_buttons_is_not_said_anew_when_its_message_is_gone(
    inbox: Inbox, messenger: ScriptedMessenger
) -> None:
    messenger.fault = lambda _: MessageGone("message to edit not found")
    answered = Conflict(upload="a", name="a", answered=True)
    async with speaking(inbox, messenger) as outbox:
        await decide(inbox, ALICE, [Say(answered, edit_of=7)])
        await outbox.until_all_is_said()
    assert [request.kind for request in messenger.tried] == ["edit"]


@pytest.mark.parametrize("progress", [True, False])
async def test_what_is_cancelled_is_said_anew_when_its_message_is_gone(
    inbox: Inbox, messenger: ScriptedMessenger, progress: bool
) -> None:
    messenger.fault = lambda request: MessageGone("909") if request.kind == "edit" else None
    async with speaking(inbox, messenger, sample=lambda _: Sample(1, 2)) as outbox:
        claim = await begin(inbox, ALICE, "a")
        await outbox.until_all_is_said()
        if progress:
            outbox.show_progress(ALICE, "a")
            await trio.sleep(10)
        await decide(inbox, ALICE, [Cancel("a")])
        await inbox.uploads.finish(claim.job, UploadState.CANCELLED, None)
        inbox.uploads.give_back(claim)
        await trio.sleep(600)
    assert messenger.texts(ALICE)[1:] == ["a\ncancelled"]
    assert [request.kind for request in messenger.tried].count("edit") == 1


async def test_what_nobody_foresaw_silences_one_chat_only_and_only_for_a_while(
    inbox: Inbox, messenger: ScriptedMessenger
) -> None:
    messenger.fault = only_for(until(30, ValueError("a field is missing")), ALICE)
    async with speaking(inbox, messenger) as outbox:
        await ask(inbox, ALICE)
        await ask(inbox, BOB)
        await outbox.until_all_is_said()
    assert [(request.chat, request.at) for request in messenger.said] == [(BOB, pytest.approx(0)), (ALICE, 60)]


async def test_an_outage_after_an_outage_begins_with_short_pauses_again(
    inbox: Inbox, messenger: ScriptedMessenger
) -> None:
    messenger.fault = until(600, DOWN)
    async with speaking(inbox, messenger) as outbox:
        await ask(inbox, ALICE)
        await outbox.until_all_is_said()
        await trio.sleep_until(1000)
        messenger.fault = until(1000.1, DOWN)
        await ask(inbox, ALICE)
        await outbox.until_all_is_said()
    assert messenger.said[-1].at <= 1001.3


async def test_while_the_disk_is_full_nothing_is_said_and_afterwards_everything(
    inbox: Inbox, messenger: ScriptedMessenger, disk: Disk
) -> None:
    for number in range(10):
        await ask(inbox, person(number))
    disk.full = True
    with capture_logs() as logs:
        async with speaking(inbox, messenger) as outbox:
            await trio.sleep_until(600)
            assert messenger.tried == []
            disk.full = False
            await outbox.until_all_is_said()
    assert len(messenger.said) == 10
    assert messenger.said[-1].at <= 600 + 1.3 * 60 + 1
    assert {line["event"] for line in logs} == {"the state can't be written; nothing is said until it can"}


async def test_a_disk_that_is_full_after_a_message_was_sent_does_not_make_it_sent_again(
    inbox: Inbox, messenger: ScriptedMessenger, disk: Disk
) -> None:
    def fill_up(_: Request) -> None:
        disk.full = True

    messenger.fault = fill_up
    async with speaking(inbox, messenger) as outbox:
        await ask(inbox, ALICE, times=2)
        await trio.sleep_until(600)
        assert len(messenger.tried) == 1
        disk.full = False
        messenger.fault = no_fault
        await outbox.until_all_is_said()
    assert [request.message.reply_to for request in messenger.tried] == [0, 1]


@pytest.mark.parametrize("error", [ChatUnreachable("bot was blocked"), ChatMoved("group was upgraded", -1005)])
async def test_a_chat_that_is_lost_or_moves_while_the_disk_is_full_does_not_end_the_outbox(
    inbox: Inbox, messenger: ScriptedMessenger, disk: Disk, error: Exception
) -> None:
    def lost(_: Request) -> Exception:
        disk.full = True
        return error

    messenger.fault = only_for(lost, group(5))
    async with speaking(inbox, messenger) as outbox:
        await ask(inbox, group(5))
        await trio.sleep_until(600)
        disk.full = False
        messenger.fault = only_for(until(1e9, error), group(5))
        await ask(inbox, BOB)
        await outbox.until_all_is_said()
    assert len(messenger.texts(BOB)) == 1


async def test_after_a_restart_chats_are_served_that_had_something_to_hear_the_longest_waiting_first(
    inbox: Inbox, messenger: ScriptedMessenger
) -> None:
    people = [person(number) for number in (7, 3, 9, 1, 5)]
    for someone in people:
        await ask(inbox, someone)
    async with speaking(inbox, messenger) as outbox:
        await outbox.until_all_is_said()
    assert [request.chat for request in messenger.said] == people
