"""What the bot says reaches people: soon, in few messages, within the flood limits, whatever happens on the way."""

from __future__ import annotations

import itertools
import re
from collections import Counter

import trio

from tests.bot.talk import HASTY, NO_LIMITS, SAVED, in_each, markers, only, said, store_behind_proxy
from tests.sides import Chat, Side
from tests.world import World
from trio_s3_bot.sandbox.replies import CutBody, Delay, Fault, Html200, Html502, Instead, SlowBody
from trio_s3_bot.sandbox.telegram import BadRequest, Forbidden, ServerError, TooManyRequests
from trio_s3_bot.sandbox.vk import ApiError

MIB = 2**20
FOREVER = Delay(3600)
FOR_EVER: dict[str, Instead] = {
    "message is too long": BadRequest("message is too long"),
    "error 914": ApiError(914),
    "blocked": Forbidden(),
    "chat not found": BadRequest("chat not found"),
    "deactivated": Forbidden("user is deactivated"),
    "error 901": ApiError(901),
    "error 18": ApiError(18),
}


async def test_a_document_that_nothing_waits_beside_gets_messages_of_its_own(world: World, side: Side) -> None:
    alice, chat = side.meet()
    async with world.bot():
        sent = chat.send_document(alice, "report.pdf", b"content")
        saved = await chat.wait_for(SAVED)
    texts = [deed.text for deed in chat.history if deed.method == side.names.send]
    assert texts[1:] == ["[document] report.pdf: got it, saving it.", f"{SAVED} report.pdf, 7 bytes"]
    assert side.answered(saved) == sent["message_id"]


async def test_a_person_is_spoken_to_in_the_language_that_the_client_has_now(world: World, side: Side) -> None:
    alice, chat = side.meet(language="ru-RU")
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


@in_each("documents", telegram=[100], vk=[30])
async def test_many_documents_at_once_are_all_saved_and_answered_in_few_messages_within_the_limits(
    world: World, side: Side, documents: int
) -> None:
    side.world.flood_limits = True
    alice, chat = side.meet()
    names = {f"{number:03}.txt" for number in range(documents)}
    async with world.bot():
        for name in sorted(names):
            chat.send_document(alice, name, name.encode())
        await chat.wait_for(lambda _: len(named_in(chat, SAVED)) == documents)
    assert world.contents == {name: name.encode() for name in names}
    assert Counter(named_in(chat, "[document]")) == Counter(named_in(chat, SAVED)) == Counter(names)
    assert side.world.limits.hits == 0
    assert len(side.world.calls(side.names.send)) <= 25
    assert {call.status for call in side.world.calls if call.method in (side.names.send, side.names.edit)} == {200}


async def test_what_became_of_a_document_is_never_said_before_that_it_was_taken(world: World, side: Side) -> None:
    meetings = [side.meet(f"Person {number}") for number in range(4)]
    async with world.bot({**NO_LIMITS, ("limits", "max_file_size"): "100 B"}):
        for number, (person, chat) in itertools.product(range(6), meetings):
            chat.send_document(person, f"{person.first_name} {number}.txt", bytes(150 if number == 3 else 50))
        for _, chat in meetings:
            await chat.wait_for(lambda _, chat=chat: len(named_in(chat, SAVED)) == 5)
            await chat.wait_for("could not be saved")
    for person, chat in meetings:
        for number in range(6):
            first = next(text for text in said(chat) if f"{person.first_name} {number}.txt" in text)
            assert first.startswith("[document]")


@only("telegram", "VK asks for pauses of a minute and more")
async def test_a_pause_that_telegram_asks_for_in_one_chat_does_not_hold_up_another(world: World, side: Side) -> None:
    (alice, hers), (bob, his) = side.meet("Alice"), side.meet("Bob")
    flood = spoil_messages_to(side, hers, TooManyRequests(2))
    async with world.bot():
        hers.say(alice, "hello")
        await side.world.wait(lambda: flood.hits)
        his.say(bob, "hello")
        await his.wait_for("[greeting]")
        await hers.wait_for("[greeting]")
    asked = next(call for call in side.world.calls(side.names.send) if call.status == 429)
    assert asked.finished is not None
    assert his.history[0].time < asked.finished + 2 <= hers.history[0].time
    assert flood.hits == 1


NOT_NOW: dict[str, Instead] = {
    "bad gateway": Html502(),
    "page": Html200(),
    "out of order": ServerError(),
    "flood": TooManyRequests(1),
    "error 10": ApiError(10),
    "error 6": ApiError(6),
}


@in_each(
    "fault",
    telegram=["bad gateway", "page", "out of order", "flood"],
    vk=["bad gateway", "page", "error 10", "error 6"],
)
async def test_a_message_that_the_messenger_cannot_take_now_is_said_later(world: World, side: Side, fault: str) -> None:
    alice, chat = side.meet()
    struck = spoil_messages_to(side, chat, NOT_NOW[fault])
    async with world.bot(NO_LIMITS, HASTY):
        chat.say(alice, "hello")
        await chat.wait_for("[greeting]")
    assert struck.hits == 1
    assert markers(chat) == ["[greeting]"]


async def test_a_message_whose_answer_is_lost_is_said_again_rather_than_never(world: World, side: Side) -> None:
    """VK knows it again, and shows it once."""
    alice, chat = side.meet()
    side.world.faults.add(method=side.names.send, answer=CutBody(10))
    async with world.bot(NO_LIMITS, HASTY):
        chat.say(alice, "hello")
        await side.world.wait(lambda: len(side.world.calls(side.names.send)) == 2)
        chat.send_document(alice, "report.pdf", b"content")
        await chat.wait_for(SAVED)
    shown = 1 if side.says_once else 2
    assert markers(chat) == ["[greeting]"] * shown + ["[document]", SAVED]


@in_each("refusal", telegram=["message is too long"], vk=["error 914"])
async def test_a_message_that_the_messenger_will_never_take_does_not_silence_the_chat(
    world: World, side: Side, refusal: str
) -> None:
    alice, chat = side.meet()
    spoil_messages_to(side, chat, FOR_EVER[refusal])
    async with world.bot(NO_LIMITS):
        chat.say(alice, "hello")
        chat.say(alice, "hello?")
        await chat.wait_for("[document is required]")
    assert markers(chat) == ["[document is required]"]


@in_each("gone", telegram=["blocked", "chat not found", "deactivated"], vk=["error 901", "error 18"])
async def test_a_chat_that_is_closed_to_the_bot_is_left_alone_until_it_writes_again(
    world: World, side: Side, gone: str
) -> None:
    (alice, hers), (bob, his) = side.meet("Alice"), side.meet("Bob")
    closed = spoil_messages_to(side, hers, FOR_EVER[gone], times=None)
    async with world.bot(NO_LIMITS):
        hers.send_document(alice, "hers.txt", b"content")
        await world.object("hers.txt")
        await side.world.wait(lambda: closed.hits)
        his.send_document(bob, "his.txt", b"content")
        await his.wait_for(SAVED)
        tries = closed.hits
        side.world.faults.remove(closed)
        hers.say(alice, "hello?")
        await hers.wait_for("]")
    assert tries <= 2
    assert markers(hers) == ["[document is required]"]


async def test_a_message_that_the_person_deleted_meanwhile_is_answered_all_the_same(world: World, side: Side) -> None:
    alice, chat = side.meet()
    async with store_behind_proxy(world) as (proxy, settings), world.bot(settings):
        upload = proxy.hold("PutObject")
        sent = chat.send_document(alice, "report.pdf", b"content")
        await chat.wait_for("[document]")
        chat.delete(sent["message_id"])
        upload.release()
        saved = await chat.wait_for(SAVED)
    assert side.answered(saved) is None


@in_each("held", telegram=["silent", "slow"], vk=["silent"])
async def test_with_every_upload_slot_held_a_new_chat_is_greeted_and_its_document_acknowledged(
    world: World, side: Side, held: str
) -> None:
    side.world.faults.add(method="file", answer=FOREVER if held == "silent" else SlowBody(1), times=None)
    async with world.bot({("worker", "concurrent_workers"): "2"}) as bot:
        for name in ("Alice", "Bob", "Carol"):
            person, chat = side.meet(name)
            chat.send_document(person, f"{name}.bin", bytes(MIB))
            await chat.wait_for("[document]")
        await side.world.wait(lambda: len(side.world.calls("file")) == 2)
        dave, his = side.meet("Dave")
        with trio.fail_after(3):
            his.say(dave, "hello")
            await his.wait_for("[greeting]")
            his.send_document(dave, "his.txt", b"content")
            await his.wait_for("[document]")
            his.say(dave, "?")
            await his.wait_for("[document is required]")
        bot.scope.cancel()
    assert world.objects == {}


def spoil_messages_to(side: Side, chat: Chat, answer: Instead, times: int | None = 1) -> Fault:
    fault: Fault = side.world.faults.add(
        method=side.names.send, answer=answer, times=times, match=lambda call: side.is_to(chat, call)
    )
    return fault


def named_in(chat: Chat, marker: str) -> list[str]:
    """The files that the messages with this marker name, each as often as it is named."""
    texts = [text for text in said(chat) if text.startswith(f"{marker} ")]
    return [name for text in texts for name in re.findall(r"\w[\w ]*\.txt", text)]
