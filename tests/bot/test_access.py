"""Who may use the bot: one polite refusal in a private chat, silence after it and in groups."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from tests.bot.talk import NO_LIMITS, SAVED, all_handled, markers, meet, said
from tests.world import World
from trio_s3_bot.sandbox.telegram import User

Settings = dict[tuple[str, str], str]


def allowing(*users: str) -> Settings:
    return {**NO_LIMITS, ("access", "allowed_users"): ", ".join(users)}


def by_id(user: User) -> str:
    return f"telegram:{user.id}"


async def test_a_stranger_is_refused_once_with_the_id_to_ask_for_and_then_hears_nothing(world: World) -> None:
    mallory, chat = meet(world, "Mallory")
    async with world.bot(allowing("telegram:1")):
        chat.say(mallory, "hello")
        chat.say(mallory, "/start")
        chat.send_document(mallory, "spam.pdf", b"content")
        await all_handled(chat, mallory)
    assert len(said(chat)) == 1
    assert str(mallory.id) in said(chat)[0]
    assert "[" not in said(chat)[0]
    assert world.objects == {}


async def test_the_refusal_is_not_repeated_after_a_restart(world: World) -> None:
    mallory, chat = meet(world, "Mallory")
    for text in ("hello", "hello again"):
        async with world.bot(allowing("telegram:1")):
            chat.say(mallory, text)
            await all_handled(chat, mallory)
    assert len(said(chat)) == 1


async def test_the_refusal_is_in_the_strangers_language(world: World) -> None:
    mallory, chat = meet(world, "Mallory", language="ru")
    async with world.bot(allowing("telegram:1")):
        chat.say(mallory, "привет")
        await chat.wait_for(str(mallory.id))
    assert said(chat)[0].startswith("Этот бот")


async def test_a_strangers_button_does_nothing_but_stop_spinning(world: World) -> None:
    mallory, chat = meet(world, "Mallory")
    async with world.bot(allowing("telegram:1")):
        chat.say(mallory, "hello")
        await all_handled(chat, mallory)
        await all_handled(chat, mallory)
    assert len(said(chat)) == 1


async def test_a_stranger_in_a_group_hears_nothing_and_a_friend_is_served(world: World) -> None:
    alice, mallory = world.telegram.user("Alice", language="en"), world.telegram.user("Mallory", language="en")
    group = world.telegram.group("Friends", [alice, mallory])
    async with world.bot(allowing(by_id(alice))):
        group.say(mallory, "/start")
        group.send_document(mallory, "spam.pdf", b"content")
        group.send_document(alice, "report.pdf", b"content")
        saved = await group.wait_for(SAVED)
        group.say(mallory, "me too", reply_to=saved["message_id"])
        await all_handled(group, mallory)
    assert markers(group) == ["[greeting]", "[document]", SAVED]
    assert list(world.objects) == ["report.pdf"]


async def test_an_anonymous_admin_is_a_stranger_to_a_list(world: World) -> None:
    alice = world.telegram.user("Alice")
    group = world.telegram.group("Friends", [alice], supergroup=True)
    anonymous = User(1087968824, "Group", "GroupAnonymousBot", is_bot=True)
    async with world.bot(allowing(by_id(alice), "telegram:@GroupAnonymousBot", "telegram:1087968824")):
        group.post(anonymous, {"sender_chat": group.as_json(), "text": "/start"})
        await all_handled(group, alice)
    assert said(group) == []


async def test_an_empty_list_allows_nobody(world: World) -> None:
    alice, chat = meet(world)
    async with world.bot({("access", "allowed_users"): ""}):
        chat.say(alice, "hello")
        await chat.wait_for(str(alice.id))
    assert markers(chat) == [""]


@pytest.mark.parametrize("entry", ["telegram:@alice_liddell", "Telegram:@ALICE_LIDDELL"])
async def test_a_person_on_the_list_by_name_in_any_case_is_served(world: World, entry: str) -> None:
    alice, chat = meet(world, username="Alice_Liddell")
    async with world.bot(allowing("vk:1", entry)):
        chat.say(alice, "hello")
        await chat.wait_for("[greeting]")


async def test_a_name_without_a_user_name_is_nobody_on_the_list(world: World) -> None:
    alice, chat = meet(world, "alice_liddell", username=None)
    async with world.bot(allowing("telegram:@alice_liddell")):
        chat.say(alice, "hello")
        await chat.wait_for(str(alice.id))
    assert markers(chat) == [""]


async def test_the_same_number_in_another_messenger_is_somebody_else(world: World) -> None:
    alice, chat = meet(world)
    async with world.bot(allowing(f"vk:{alice.id}")):
        chat.say(alice, "hello")
        await chat.wait_for(str(alice.id))
    assert markers(chat) == [""]


async def test_a_stranger_who_was_put_on_the_list_is_greeted_and_served(world: World) -> None:
    bob, chat = meet(world, "Bob")
    async with world.bot(allowing("telegram:1")):
        chat.say(bob, "hello")
        await all_handled(chat, bob)
    async with world.bot(allowing(by_id(bob))):
        chat.send_document(bob, "report.pdf", b"content")
        await chat.wait_for(SAVED)
    assert markers(chat) == ["", "[greeting]", "[document]", SAVED]


async def test_who_was_taken_off_the_list_is_refused_once_again(world: World) -> None:
    bob, chat = meet(world, "Bob")
    for users in ("telegram:1", by_id(bob), "telegram:1"):
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
