"""What is said first, and what is said together: answers, then messages put to rest, then progress."""

from __future__ import annotations

import pytest
import trio

from tests.time.fakes import ScriptedMessenger
from tests.time.scenes import MIB, ask, begin, end, most_within, person, speaking, take, tell
from trio_s3_bot.inbox import Inbox
from trio_s3_bot.notices import Accepted, DocumentRequired, Greeting, Saved
from trio_s3_bot.texts import Sample

ALICE, BOB = person(1), person(2)


def kinds(messenger: ScriptedMessenger) -> list[str]:
    return [request.kind for request in messenger.said]


async def test_a_hundred_documents_at_once_are_told_of_in_two_messages(
    inbox: Inbox, messenger: ScriptedMessenger
) -> None:
    names = [f"{number}.txt" for number in range(100)]
    await take(inbox, ALICE, *names)
    await tell(inbox, ALICE, *[Saved(upload=name, key=name, name=name, size=1) for name in names])
    async with speaking(inbox, messenger) as outbox:
        await outbox.until_all_is_said()
    accepted, saved = messenger.texts(ALICE)
    assert accepted.startswith("[document] 100 files taken")
    assert saved.startswith("[document has been saved] 100 files")


async def test_what_comes_while_the_chat_has_to_wait_is_folded_into_one_message(
    inbox: Inbox, messenger: ScriptedMessenger
) -> None:
    async with speaking(inbox, messenger) as outbox:
        await ask(inbox, ALICE, times=5)
        for number in range(20):
            await take(inbox, ALICE, f"{number}.txt")
            await trio.sleep(0.01)
        await outbox.until_all_is_said()
    assert [text for text in messenger.texts(ALICE) if "20 files" in text] == messenger.texts(ALICE)[5:]


async def test_answers_to_questions_are_never_folded(inbox: Inbox, messenger: ScriptedMessenger) -> None:
    async with speaking(inbox, messenger) as outbox:
        await ask(inbox, ALICE, times=3)
        await outbox.until_all_is_said()
    assert [request.message.reply_to for request in messenger.said] == [0, 1, 2]


async def test_messages_of_a_chat_keep_the_order_of_what_led_to_them(
    inbox: Inbox, messenger: ScriptedMessenger
) -> None:
    taken = [Accepted(upload=name, name=name) for name in ("a", "b")]
    await tell(inbox, ALICE, Greeting(), taken[0], DocumentRequired(), taken[1])
    async with speaking(inbox, messenger) as outbox:
        await outbox.until_all_is_said()
    assert [text.split("]")[0] for text in messenger.texts(ALICE)] == [
        "[greeting",
        "[document",
        "[document is required",
    ]


async def test_that_a_document_is_saved_is_not_said_before_that_it_was_taken(
    inbox: Inbox, messenger: ScriptedMessenger
) -> None:
    saved = [Saved(upload=name, key=name, name=name, size=1) for name in ("a", "b")]
    await tell(inbox, ALICE, saved[0], Accepted(upload="b", name="b"), saved[1])
    async with speaking(inbox, messenger) as outbox:
        await outbox.until_all_is_said()
    a_saved, b_taken, b_saved = messenger.texts(ALICE)
    assert a_saved.startswith("[document has been saved] a,")
    assert b_taken.startswith("[document] b:")
    assert b_saved.startswith("[document has been saved] b,")


async def test_an_answer_comes_before_a_message_put_to_rest_and_that_before_progress(
    inbox: Inbox, messenger: ScriptedMessenger
) -> None:
    async with speaking(inbox, messenger, sample=lambda _: Sample(1, 2)) as outbox:
        done, running = await begin(inbox, ALICE, "done"), await begin(inbox, ALICE, "running")
        await outbox.until_all_is_said()
        outbox.show_progress(ALICE, "done")
        await trio.sleep(10)
        await ask(inbox, ALICE, times=5)  # uses the burst up
        await outbox.until_all_is_said()
        before = len(messenger.said)
        outbox.show_progress(ALICE, running.job.id)
        await end(inbox, done)
        await ask(inbox, ALICE)
        await trio.sleep(30)
    texts = [request.text for request in messenger.said][before:]
    assert [text.split("]")[0] + "]" for text in texts[:2]] == ["[document has been saved]", "[document is required]"]
    assert texts[2:] == ["[document] done\nsaved", "[document] running\n▰▰▰▰▰▰▱▱▱▱▱▱ 50%, 1 byte of 2 bytes"]


@pytest.mark.parametrize("others", [1, 100])
async def test_answers_in_other_chats_come_before_progress(
    inbox: Inbox, messenger: ScriptedMessenger, others: int
) -> None:
    async with speaking(inbox, messenger, sample=lambda _: Sample(1, 2)) as outbox:
        await begin(inbox, ALICE, "a")
        await outbox.until_all_is_said()
        for number in range(10):
            await ask(inbox, person(100 + number))
        outbox.show_progress(ALICE, "a")
        for number in range(others):
            await ask(inbox, person(200 + number))
        await trio.sleep(30)
    assert kinds(messenger) == ["send"] * (11 + others) + ["edit"]


async def test_progress_leaves_room_for_an_answer_at_once(inbox: Inbox, messenger: ScriptedMessenger) -> None:
    async with speaking(inbox, messenger, sample=lambda _: Sample(int(trio.current_time()), 1000)) as outbox:
        await begin(inbox, ALICE, "a")
        for _ in range(600):
            outbox.show_progress(ALICE, "a")
            await trio.sleep(0.5)
        await ask(inbox, ALICE)
        await outbox.until_all_is_said()
    assert messenger.said[-1].kind == "send"
    assert messenger.said[-1].at == 300


async def test_the_newest_progress_is_shown_and_what_was_before_it_never(
    inbox: Inbox, messenger: ScriptedMessenger
) -> None:
    newest = Sample(0, 1000)
    async with speaking(inbox, messenger, sample=lambda _: newest) as outbox:
        await begin(inbox, ALICE, "a")
        await outbox.until_all_is_said()
        for done in range(101):
            newest = Sample(done, 1000)
            outbox.show_progress(ALICE, "a")
            await trio.sleep(0.1)
        await trio.sleep(3)
    shown = {request.at: int(request.text.split()[4]) for request in messenger.said if request.kind == "edit"}
    assert list(shown) == pytest.approx([0, 3, 6, 9, 12])
    assert list(shown.values()) == pytest.approx([0, 30, 60, 90, 100], abs=1)


@pytest.mark.parametrize("progress_interval", [1, 3, 10])
async def test_progress_of_a_chat_is_edited_once_an_interval(
    inbox: Inbox, messenger: ScriptedMessenger, progress_interval: float
) -> None:
    def sample(_: str) -> Sample:
        return Sample(int(trio.current_time() * 10), 10_000)

    async with speaking(inbox, messenger, sample=sample, progress_interval=progress_interval) as outbox:
        await begin(inbox, ALICE, "a")
        await begin(inbox, ALICE, "b")
        for _ in range(600):
            outbox.show_progress(ALICE, "a")
            outbox.show_progress(ALICE, "b")
            await trio.sleep(0.1)
    edits = [request.at for request in messenger.said if request.kind == "edit"]
    assert most_within(edits, progress_interval) == 1
    assert len(edits) >= 0.9 * 60 / max(1.06, progress_interval)


async def test_two_messages_that_show_progress_in_one_chat_take_turns(
    inbox: Inbox, messenger: ScriptedMessenger
) -> None:
    async with speaking(inbox, messenger, sample=lambda _: Sample(int(trio.current_time()), 1000)) as outbox:
        for name in ("a", "b", "c"):
            await begin(inbox, ALICE, name)
            await outbox.until_all_is_said()
        for _ in range(90):
            for name in ("a", "b", "c"):
                outbox.show_progress(ALICE, name)
            await trio.sleep(1)
    edited = [request.text.split()[1] for request in messenger.said if request.kind == "edit"]
    assert min(edited.count(name) for name in ("a", "b", "c")) >= 9


async def test_the_same_text_is_not_sent_again(inbox: Inbox, messenger: ScriptedMessenger) -> None:
    async with speaking(inbox, messenger, sample=lambda _: Sample(1, 2)) as outbox:
        await begin(inbox, ALICE, "a")
        for _ in range(100):
            outbox.show_progress(ALICE, "a")
            await trio.sleep(1)
    assert kinds(messenger) == ["send", "edit"]


async def test_a_message_that_showed_progress_ends_with_how_it_ended(
    inbox: Inbox, messenger: ScriptedMessenger
) -> None:
    async with speaking(inbox, messenger, sample=lambda _: Sample(MIB // 2, MIB)) as outbox:
        claim = await begin(inbox, ALICE, "a")
        await outbox.until_all_is_said()
        outbox.show_progress(ALICE, "a")
        await trio.sleep(1)
        await end(inbox, claim)
        outbox.show_progress(ALICE, "a")
        await trio.sleep(60)
    edits = [request.text for request in messenger.said if request.kind == "edit"]
    assert len(edits) == 2
    assert edits[-1] == "[document] a\nsaved"


async def test_a_message_that_never_showed_progress_is_edited_once_to_take_its_buttons_away(
    inbox: Inbox, messenger: ScriptedMessenger
) -> None:
    async with speaking(inbox, messenger) as outbox:
        await end(inbox, await begin(inbox, ALICE, "a"))
        await outbox.until_all_is_said()
    assert kinds(messenger) == ["send", "send", "edit"]
