"""Both messengers in one process, with one bucket: nothing of one is taken for the other's, and nothing is lost."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import pytest
import trio

from tests.bot.talk import NO_LIMITS, SAVED
from tests.world import World
from trio_s3_bot.errors import CheckFailed
from trio_s3_bot.sandbox.replies import Delay, Html502, SlowBody, Status

SAME_ID = 700_000_001  # of a person in either messenger
LARGE = bytes(range(256)) * (36 * 1024)  # more than one part


@pytest.fixture
def messengers() -> Sequence[str]:
    return "telegram", "vk"


async def test_a_bot_may_be_in_vk_alone(world: World) -> None:
    async with world.bot({("telegram", "token"): ""}):
        alice = world.vk.user("Alice", language="ru")
        chat = world.vk.private_chat(alice)
        chat.say(alice, "Привет")
        await chat.wait_for("[greeting] Здравствуйте")
    assert len(world.telegram.calls) == 0


async def test_files_of_one_name_from_both_stand_beside_each_other(world: World) -> None:
    async with world.bot():
        for side in world.sides:
            person, chat = side.meet(id=SAME_ID)
            chat.send_document(person, "report.pdf", side.name.encode())
            await chat.wait_for(SAVED)
    assert world.contents == {"report.pdf": b"telegram", "report (1).pdf": b"vk"}


async def test_in_folders_by_person_nobody_overwrites_the_file_of_a_namesake_in_the_other(world: World) -> None:
    by_person = {("names", "key"): "{messenger}/{user}/{name}", ("names", "on_conflict"): "overwrite"}
    async with world.bot({**NO_LIMITS, **by_person}):
        for side in world.sides:
            person, chat = side.meet(id=SAME_ID)
            chat.send_document(person, "report.pdf", side.name.encode())
            await chat.wait_for(SAVED)
    assert world.contents == {f"{name}/{SAME_ID}/report.pdf": name.encode() for name in ("telegram", "vk")}


async def test_files_of_one_name_sent_to_both_at_once_are_two_objects(world: World) -> None:
    async with world.bot():
        people = [(side, *side.meet(id=SAME_ID)) for side in world.sides]
        for side, person, chat in people:
            chat.send_document(person, "report.pdf", side.name.encode())
        for _, _, chat in people:
            await chat.wait_for(SAVED)
    assert set(world.contents) == {"report.pdf", "report (1).pdf"}
    assert set(world.contents.values()) == {b"telegram", b"vk"}


async def test_two_people_of_one_number_have_a_conversation_each(world: World) -> None:
    async with world.bot():
        for side in world.sides:
            person, chat = side.meet(id=SAME_ID)
            chat.say(person, "hello")
            await chat.wait_for("[greeting]")
            chat.say(person, "hello again")
            await chat.wait_for("[document is required]")
            assert len(chat.bot_messages) == 2


@pytest.mark.parametrize("allowed", ["telegram", "vk"])
async def test_who_may_use_the_bot_in_one_messenger_may_not_in_the_other(world: World, allowed: str) -> None:
    async with world.bot({("access", "allowed_users"): f"{allowed}:{SAME_ID}"}):
        for side in world.sides:
            person, chat = side.meet(id=SAME_ID)
            chat.say(person, "hello")
            await chat.wait_for("[greeting]" if side.name == allowed else f"{SAME_ID}")


async def test_what_one_has_sent_is_not_counted_for_the_other(world: World) -> None:
    async with world.bot({**NO_LIMITS, ("limits", "files_per_day"): "1"}):
        for side in world.sides:
            person, chat = side.meet(id=SAME_ID)
            chat.send_document(person, f"{side.name}.txt", b"1")
            await chat.wait_for(SAVED)
            chat.send_document(person, "too many.txt", b"2")
            await chat.wait_for("too many.txt was not saved")
    assert set(world.objects) == {"telegram.txt", "vk.txt"}


async def test_a_question_to_one_is_not_answered_by_the_other_nor_are_the_files_listed(world: World) -> None:
    telegram, vk = world.sides
    async with world.bot(NO_LIMITS):
        alice, chat = telegram.meet(id=SAME_ID)
        twin, other = vk.meet(id=SAME_ID)
        chat.send_document(alice, "report.pdf", b"content")
        telegram.press(chat, alice, await chat.wait_for(SAVED), "Rename")
        await chat.wait_for("What shall report.pdf be called?")
        other.say(twin, "hello")
        other.say(twin, "stolen")
        await other.wait_for("[document is required]")
        other.say(twin, "/list")
        await other.wait_for("You have no saved files yet.")
        chat.say(alice, "chosen")
        await chat.wait_for("report.pdf is called chosen.pdf now.")
    assert list(world.objects) == ["chosen.pdf"]


async def test_what_was_sent_while_the_bot_was_down_is_answered_in_both(world: World) -> None:
    people = [(side, *side.meet()) for side in world.sides]
    async with world.bot():
        for _, person, chat in people:
            chat.say(person, "hello")
            await chat.wait_for("[greeting]")
    for side, person, chat in people:
        chat.send_document(person, f"{side.name}.txt", b"content")
    async with world.bot():
        for _, _, chat in people:
            await chat.wait_for(SAVED)
    assert world.contents == {"telegram.txt": b"content", "vk.txt": b"content"}
    for _, _, chat in people:
        assert len(saying(chat, "[greeting]")) == 1


async def test_killed_in_the_middle_of_uploads_it_saves_everything_once_and_answers_in_both(world: World) -> None:
    people = [(side, *side.meet(id=SAME_ID)) for side in world.sides]
    for side, _, _ in people:
        side.world.faults.add(method="file", answer=SlowBody(1_000_000))
    async with world.bot(NO_LIMITS) as bot:
        for _, person, chat in people:
            for name in ("same.bin", "other.bin"):
                chat.send_document(person, name, LARGE)
            chat.say(person, "hello?")
        await world.s3.wait(lambda: len(world.s3.uploads("files")) >= 2)
        bot.scope.cancel()
    async with world.bot(NO_LIMITS):
        for side, _, chat in people:
            await chat.wait_for("[document is required]")
            await side.world.changes.until(lambda chat=chat: all(told(chat, name) for name in ("same", "other")))
    assert set(world.objects) == {"same.bin", "same (1).bin", "other.bin", "other (1).bin"}
    assert set(world.contents.values()) == {LARGE}
    assert world.s3.uploads("files") == []
    _, (_, _, chat) = people
    # Telegram may say once more what it was saying at the end; VK knows the message again.
    assert (told(chat, "same"), told(chat, "other"), len(saying(chat, "[document is required]"))) == (1, 1, 1)


async def test_an_answer_whose_delivery_the_bot_did_not_live_to_see_is_not_said_twice_in_vk(world: World) -> None:
    _, vk = world.sides
    alice, chat = vk.meet()
    world.vk.faults.add(method="messages.send", answer=Delay(30), before=False)
    async with world.bot() as bot:
        chat.say(alice, "hello")
        await chat.wait_for("[greeting]")
        bot.scope.cancel()
    async with world.bot():
        await world.vk.changes.until(lambda: len(world.vk.calls("messages.send")) >= 2)
        chat.say(alice, "hello again")
        await chat.wait_for("[document is required]")
    assert len(saying(chat, "[greeting]")) == 1
    first, second = (call.params["random_id"] for call in world.vk.calls("messages.send")[:2])
    assert first == second


async def test_one_that_is_out_of_order_does_not_hold_up_the_other(world: World) -> None:
    for broken, working in (world.sides, world.sides[::-1]):
        async with world.bot({("state", "path"): str(world.folder / f"{broken.name}.sqlite3")}):
            broken.world.revoke_token()
            person, chat = working.meet()
            chat.send_document(person, f"{working.name}.txt", b"content")
            await chat.wait_for(SAVED)
    assert set(world.objects) == {"telegram.txt", "vk.txt"}


async def test_the_slots_are_shared_fairly_between_a_heap_in_one_and_a_file_in_the_other(world: World) -> None:
    telegram, vk = world.sides
    telegram.world.faults.add(method="file", times=None, answer=Delay(0.2))
    async with world.bot({**NO_LIMITS, ("worker", "concurrent_workers"): "1"}):
        alice, chat = telegram.meet()
        for number in range(12):
            chat.send_document(alice, f"{number}.txt", b"content")
        await world.object("0.txt")
        bob, other = vk.meet("Bob")
        other.send_document(bob, "single.txt", b"content")
        await other.wait_for(SAVED)
        await world.object("11.txt")
    (single,) = world.vk.calls("file")
    assert sum(call.time > single.time for call in world.telegram.calls("file")) >= 5


def told(chat: Any, name: str) -> int:
    """How often the bot said that a file of that name is saved, with its size."""
    return sum(len(re.findall(rf"{name}(?: \(1\))?\.bin, ", text)) for text in saying(chat, SAVED))


def saying(chat: Any, begin: str) -> list[str]:
    """What the bot said in a chat that begins so."""
    return [message["text"] for message in chat.bot_messages if message["text"].startswith(begin)]


async def test_one_that_is_out_of_reach_at_a_start_keeps_nobody_in_the_other_waiting(world: World) -> None:
    telegram, vk = world.sides
    async with world.bot():
        pass
    away = world.telegram.faults.add(method="getMe", answer=Html502(), times=None)
    async with world.bot():
        bob, there = vk.meet("Bob")
        there.send_document(bob, "b.txt", b"b")
        await there.wait_for(SAVED)
        alice, chat = telegram.meet("Alice")
        chat.send_document(alice, "a.txt", b"a")
        await world.telegram.wait(lambda: away.hits > 1 or None)
        assert chat.bot_messages == []
        world.telegram.faults.clear()
        await chat.wait_for(SAVED)
    assert world.contents == {"a.txt": b"a", "b.txt": b"b"}


async def test_while_one_is_out_of_reach_from_the_start_a_stop_does_not_wait_for_it(world: World) -> None:
    async with world.bot():
        pass
    world.telegram.faults.add(method="getMe", answer=Html502(), times=None)
    with trio.fail_after(5):
        async with world.bot({("stop", "grace_period"): "1 min"}):
            pass
    assert len(world.telegram.calls) > 0


async def test_one_that_is_out_of_reach_at_the_first_start_is_named_and_the_bot_does_not_start(world: World) -> None:
    world.telegram.faults.add(method="getMe", answer=Html502(), times=None)
    with pytest.RaisesGroup(pytest.RaisesExc(CheckFailed, match="telegram"), flatten_subgroups=True):
        async with world.bot():
            pass


async def test_one_that_comes_late_and_refuses_the_token_ends_all(world: World) -> None:
    async with world.bot():
        pass
    refused = Status(401, b'{"ok":false,"error_code":401,"description":"Unauthorized"}')
    world.telegram.faults.add(method="getMe", answer=Html502())
    world.telegram.faults.add(method="getMe", answer=refused, times=None)
    with pytest.RaisesGroup(pytest.RaisesExc(CheckFailed, match="token"), flatten_subgroups=True):
        async with world.bot():
            await trio.sleep_forever()
