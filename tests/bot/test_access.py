"""Who may use the bot: one polite refusal in a private chat, silence after it and in groups."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from tests.bot.talk import NO_LIMITS, SAVED, all_handled, markers, meet, only, said
from tests.sides import Person, Side
from tests.world import World
from trio_s3_bot.sandbox.telegram import User

Settings = dict[tuple[str, str], str]


def allowing(*users: str) -> Settings:
    return {**NO_LIMITS, ("access", "allowed_users"): ", ".join(users)}


def by_id(side: Side, person: Person) -> str:
    return f"{side.name}:{person.id}"


def nobody(side: Side) -> str:
    """A list that somebody else is on."""
    return f"{side.name}:1"


async def test_a_stranger_is_refused_once_with_the_id_to_ask_for_and_then_hears_nothing(
    world: World, side: Side
) -> None:
    mallory, chat = side.meet("Mallory")
    async with world.bot(allowing(nobody(side))):
        chat.say(mallory, "hello")
        chat.say(mallory, "/start")
        chat.send_document(mallory, "spam.pdf", b"content")
        await all_handled(chat, mallory)
    assert len(said(chat)) == 1
    assert str(mallory.id) in said(chat)[0]
    assert "[" not in said(chat)[0]
    assert world.objects == {}


async def test_the_refusal_is_not_repeated_after_a_restart(world: World, side: Side) -> None:
    mallory, chat = side.meet("Mallory")
    for text in ("hello", "hello again"):
        async with world.bot(allowing(nobody(side))):
            chat.say(mallory, text)
            await all_handled(chat, mallory)
    assert len(said(chat)) == 1


async def test_the_refusal_is_in_the_strangers_language(world: World, side: Side) -> None:
    mallory, chat = side.meet("Mallory", language="ru")
    async with world.bot(allowing(nobody(side))):
        chat.say(mallory, "привет")
        await chat.wait_for(str(mallory.id))
    assert said(chat)[0].startswith("Этот бот")


async def test_a_strangers_button_does_nothing_but_stop_spinning(world: World, side: Side) -> None:
    mallory, chat = side.meet("Mallory")
    async with world.bot(allowing(nobody(side))):
        chat.say(mallory, "hello")
        await all_handled(chat, mallory)
        await all_handled(chat, mallory)
    assert len(said(chat)) == 1


async def test_a_stranger_in_a_group_hears_nothing_and_a_friend_is_served(world: World, side: Side) -> None:
    group, alice, mallory = side.team("Alice", "Mallory")
    async with world.bot(allowing(by_id(side, alice))):
        group.say(mallory, "/start")
        group.send_document(mallory, "spam.pdf", b"content")
        group.send_document(alice, "report.pdf", b"content")
        saved = await group.wait_for(SAVED)
        group.say(mallory, "me too", reply_to=saved["message_id"])
        await all_handled(group, mallory)
    assert markers(group) == ["[greeting]", "[document]", SAVED]
    assert list(world.objects) == ["report.pdf"]


@only("telegram", "nobody is anonymous in VK's groups")
async def test_an_anonymous_admin_is_a_stranger_to_a_list(world: World, side: Side) -> None:
    alice = world.telegram.user("Alice")
    group = world.telegram.group("Friends", [alice], supergroup=True)
    anonymous = User(1087968824, "Group", "GroupAnonymousBot", is_bot=True)
    async with world.bot(allowing(by_id(side, alice), "telegram:@GroupAnonymousBot", "telegram:1087968824")):
        group.post(anonymous, {"sender_chat": group.as_json(), "text": "/start"})
        await all_handled(group, alice)
    assert said(group) == []


async def test_an_empty_list_allows_nobody(world: World, side: Side) -> None:
    alice, chat = side.meet()
    async with world.bot({("access", "allowed_users"): ""}):
        chat.say(alice, "hello")
        await chat.wait_for(str(alice.id))
    assert markers(chat) == [""]


@only("telegram", "people in VK are on the list by their numbers")
@pytest.mark.parametrize("entry", ["telegram:@alice_liddell", "Telegram:@ALICE_LIDDELL"])
async def test_a_person_on_the_list_by_name_in_any_case_is_served(world: World, entry: str) -> None:
    alice, chat = meet(world, username="Alice_Liddell")
    async with world.bot(allowing("vk:1", entry)):
        chat.say(alice, "hello")
        await chat.wait_for("[greeting]")


@only("telegram", "people in VK are on the list by their numbers")
async def test_a_name_without_a_user_name_is_nobody_on_the_list(world: World) -> None:
    alice, chat = meet(world, "alice_liddell")
    async with world.bot(allowing("telegram:@alice_liddell")):
        chat.say(alice, "hello")
        await chat.wait_for(str(alice.id))
    assert markers(chat) == [""]


async def test_the_same_number_in_another_messenger_is_somebody_else(world: World, side: Side) -> None:
    alice, chat = side.meet()
    other = "vk" if side.name == "telegram" else "telegram"
    async with world.bot(allowing(f"{other}:{alice.id}")):
        chat.say(alice, "hello")
        await chat.wait_for(str(alice.id))
    assert markers(chat) == [""]


async def test_a_stranger_who_was_put_on_the_list_is_greeted_and_served(world: World, side: Side) -> None:
    bob, chat = side.meet("Bob")
    async with world.bot(allowing(nobody(side))):
        chat.say(bob, "hello")
        await all_handled(chat, bob)
    async with world.bot(allowing(by_id(side, bob))):
        chat.send_document(bob, "report.pdf", b"content")
        await chat.wait_for(SAVED)
    assert markers(chat) == ["", "[greeting]", "[document]", SAVED]


async def test_who_was_taken_off_the_list_is_refused_once_again(world: World, side: Side) -> None:
    bob, chat = side.meet("Bob")
    for users in (nobody(side), by_id(side, bob), nobody(side)):
        async with world.bot(allowing(users)):
            chat.say(bob, "hello")
            chat.say(bob, "hello?")
            await all_handled(chat, bob)
    assert markers(chat) == ["", "[greeting]", "[document is required]", ""]


@pytest.mark.parametrize(("users", "warned"), [("*", True), ("telegram:1", False), ("", False)])
async def test_a_bot_that_is_open_to_everybody_warns_at_start(world: World, users: str, warned: bool) -> None:
    with capture_logs() as logs:
        async with world.bot(allowing(users)):
            pass
    warnings = [entry["event"] for entry in logs if entry["log_level"] == "warning"]
    assert any("allowed_users" in warning for warning in warnings) is warned
