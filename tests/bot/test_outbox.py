"""What the bot says reaches people: soon, in few messages, within the flood limits, whatever happens on the way."""

from __future__ import annotations

import itertools
import re
from collections import Counter

import pytest
import trio

from tests.bot.talk import HASTY, NO_LIMITS, SAVED, markers, meet, said, store_behind_proxy
from tests.world import World
from trio_s3_bot.sandbox.telegram import (
    BadRequest,
    Call,
    Chat,
    CutBody,
    Delay,
    Fault,
    Forbidden,
    Html200,
    Html502,
    ServerError,
    SlowBody,
    TooManyRequests,
)

MIB = 2**20
FOREVER = Delay(3600)


async def test_a_document_that_nothing_waits_beside_gets_messages_of_its_own(world: World) -> None:
    alice, chat = meet(world)
    async with world.bot():
        sent = chat.send_document(alice, "report.pdf", b"content")
        saved = await chat.wait_for(SAVED)
    texts = [deed.text for deed in chat.history if deed.method == "sendMessage"]
    assert texts[1:] == ["[document] report.pdf: got it, saving it.", f"{SAVED} report.pdf, 7 bytes"]
    assert saved["reply_to_message"]["message_id"] == sent["message_id"]


async def test_a_person_is_spoken_to_in_the_language_that_the_client_has_now(world: World) -> None:
    alice, chat = meet(world, language="ru-RU")
    async with world.bot(NO_LIMITS):
        chat.say(alice, "привет")
        await chat.wait_for("[greeting] Здравствуйте")
        alice.language = "de"
        chat.say(alice, "hallo")
        await chat.wait_for("[document is required] I save")
        alice.language = "ru"
        chat.send_document(alice, "отчёт.pdf", b"content")
        await chat.wait_for(f"{SAVED} отчёт.pdf, 7 байт")
    assert markers(chat) == ["[greeting]", "[document is required]", "[document]", SAVED]


async def test_a_hundred_documents_at_once_are_all_saved_and_answered_in_few_messages_within_the_limits(
    world: World,
) -> None:
    world.telegram.flood_limits = True
    alice, chat = meet(world)
    names = {f"{number:03}.txt" for number in range(100)}
    async with world.bot():
        for name in sorted(names):
            chat.send_document(alice, name, name.encode())
        await chat.wait_for(lambda _: len(named_in(chat, SAVED)) == 100)
    assert {key: world.content(key) for key in world.objects} == {name: name.encode() for name in names}
    assert Counter(named_in(chat, "[document]")) == Counter(named_in(chat, SAVED)) == Counter(names)
    assert world.telegram.limits.hits == 0
    assert len(world.telegram.calls("sendMessage")) <= 25
    assert {call.status for call in world.telegram.calls if call.method in ("sendMessage", "editMessageText")} == {200}


async def test_what_became_of_a_document_is_never_said_before_that_it_was_taken(world: World) -> None:
    meetings = [meet(world, f"Person {number}") for number in range(4)]
    async with world.bot({**NO_LIMITS, ("limits", "max_file_size"): "100 B"}):
        for number, (person, chat) in itertools.product(range(6), meetings):
            chat.send_document(person, f"{person.first_name} {number}.txt", bytes(150 if number == 3 else 50))
        for _, chat in meetings:
            await chat.wait_for(lambda _, chat=chat: len(named_in(chat, SAVED)) == 5)  # type: ignore[misc]
            await chat.wait_for("could not be saved")
    for person, chat in meetings:
        for number in range(6):
            first = next(text for text in said(chat) if f"{person.first_name} {number}.txt" in text)
            assert first.startswith("[document]")


async def test_a_pause_that_telegram_asks_for_in_one_chat_does_not_hold_up_another(world: World) -> None:
    (alice, hers), (bob, his) = meet(world, "Alice"), meet(world, "Bob")
    flood = spoil_messages_to(world, hers, TooManyRequests(2))
    async with world.bot():
        hers.say(alice, "hello")
        await world.telegram.wait(lambda: flood.hits)
        his.say(bob, "hello")
        await his.wait_for("[greeting]")
        await hers.wait_for("[greeting]")
    asked = next(call for call in world.telegram.calls("sendMessage") if call.status == 429)
    assert asked.finished is not None
    assert his.history[0].time < asked.finished + 2 <= hers.history[0].time
    assert flood.hits == 1


@pytest.mark.parametrize(
    "fault", [Html502(), Html200(), ServerError(), TooManyRequests(1)], ids=lambda fault: type(fault).__name__
)
async def test_a_message_that_telegram_cannot_take_now_is_said_later(
    world: World, fault: Html502 | Html200 | ServerError | TooManyRequests
) -> None:
    alice, chat = meet(world)
    struck = spoil_messages_to(world, chat, fault)
    async with world.bot(NO_LIMITS, HASTY):
        chat.say(alice, "hello")
        await chat.wait_for("[greeting]")
    assert struck.hits == 1
    assert markers(chat) == ["[greeting]"]


async def test_a_message_whose_answer_is_lost_is_said_again_rather_than_never(world: World) -> None:
    alice, chat = meet(world)
    world.telegram.faults.add(method="sendMessage", answer=CutBody(10))
    async with world.bot(NO_LIMITS, HASTY):
        chat.say(alice, "hello")
        await chat.wait_for("[greeting]", count=2)
        chat.send_document(alice, "report.pdf", b"content")
        await chat.wait_for(SAVED)
    assert markers(chat) == ["[greeting]", "[greeting]", "[document]", SAVED]


async def test_a_message_that_telegram_will_never_take_does_not_silence_the_chat(world: World) -> None:
    alice, chat = meet(world)
    spoil_messages_to(world, chat, BadRequest("message is too long"))
    async with world.bot(NO_LIMITS):
        chat.say(alice, "hello")
        chat.say(alice, "hello?")
        await chat.wait_for("[document is required]")
    assert markers(chat) == ["[document is required]"]


@pytest.mark.parametrize("gone", [Forbidden(), BadRequest("chat not found"), Forbidden("user is deactivated")])
async def test_a_chat_that_is_closed_to_the_bot_is_left_alone_until_it_writes_again(
    world: World, gone: Forbidden | BadRequest
) -> None:
    (alice, hers), (bob, his) = meet(world, "Alice"), meet(world, "Bob")
    closed = spoil_messages_to(world, hers, gone, times=None)
    async with world.bot(NO_LIMITS):
        hers.send_document(alice, "hers.txt", b"content")
        await world.object("hers.txt")
        await world.telegram.wait(lambda: closed.hits)
        his.send_document(bob, "his.txt", b"content")
        await his.wait_for(SAVED)
        tries = closed.hits
        world.telegram.faults.remove(closed)
        hers.say(alice, "hello?")
        await hers.wait_for("]")
    assert tries <= 2
    assert markers(hers) == ["[document is required]"]


async def test_a_message_that_the_person_deleted_meanwhile_is_answered_all_the_same(world: World) -> None:
    alice, chat = meet(world)
    async with store_behind_proxy(world) as (proxy, settings), world.bot(settings):
        upload = proxy.hold("PutObject")
        sent = chat.send_document(alice, "report.pdf", b"content")
        await chat.wait_for("[document]")
        chat.delete(sent["message_id"])
        upload.release()
        saved = await chat.wait_for(SAVED)
    assert "reply_to_message" not in saved


@pytest.mark.parametrize("held", [FOREVER, SlowBody(1)], ids=["silent", "slow"])
async def test_with_every_upload_slot_held_a_new_chat_is_greeted_and_its_document_acknowledged(
    world: World, held: Delay | SlowBody
) -> None:
    world.telegram.faults.add(method="file", answer=held, times=None)
    async with world.bot({("worker", "concurrent_workers"): "2"}) as bot:
        for name in ("Alice", "Bob", "Carol"):
            person, chat = meet(world, name)
            chat.send_document(person, f"{name}.bin", bytes(MIB))
            await chat.wait_for("[document]")
        await world.telegram.wait(lambda: len(world.telegram.calls("file")) == 2)
        dave, his = meet(world, "Dave")
        with trio.fail_after(3):
            his.say(dave, "hello")
            await his.wait_for("[greeting]")
            his.send_document(dave, "his.txt", b"content")
            await his.wait_for("[document]")
            his.say(dave, "?")
            await his.wait_for("[document is required]")
        bot.scope.cancel()
    assert world.objects == {}


def spoil_messages_to(
    world: World,
    chat: Chat,
    answer: TooManyRequests | BadRequest | Forbidden | Html502 | Html200 | ServerError,
    times: int | None = 1,
) -> Fault:
    def is_meant(call: Call) -> bool:
        return call.params.get("chat_id") == chat.id

    return world.telegram.faults.add(method="sendMessage", answer=answer, times=times, match=is_meant)


def named_in(chat: Chat, marker: str) -> list[str]:
    """The files that the messages with this marker name, each as often as it is named."""
    texts = [text for text in said(chat) if text.startswith(f"{marker} ")]
    return [name for text in texts for name in re.findall(r"\w[\w ]*\.txt", text)]
