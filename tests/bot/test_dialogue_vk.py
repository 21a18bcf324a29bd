"""What the dialogue has in VK alone: text buttons for older clients, several attachments, mentions."""

from __future__ import annotations

import pytest

from tests.bot.talk import NO_LIMITS, SAVED, only
from tests.sides import Side
from tests.world import World
from trio_s3_bot.sandbox.replies import SlowBody
from trio_s3_bot.sandbox.vk import Chat, Content, User

OLD_CLIENT = ("text", "open_link")
"""What a client can do that knows no callback buttons: pressing one says its label."""

pytestmark = only("vk", "Telegram has none of this")


async def test_a_client_without_callback_buttons_gets_buttons_that_say_something(world: World, side: Side) -> None:
    async with world.bot(NO_LIMITS):
        alice, chat = old_client(side)
        chat.send_document(alice, "report.pdf", b"content")
        saved = await chat.wait_for(SAVED)
        said = side.press(chat, alice, saved, "Rename").message
        assert said["from_id"] == alice.id
        assert said["text"].endswith("Rename")
        await chat.wait_for("What shall report.pdf be called?")
        chat.say(alice, "chosen")
        await chat.wait_for("report.pdf is called chosen.pdf now.")
    assert list(world.objects) == ["chosen.pdf"]


async def test_a_client_without_callback_buttons_can_walk_through_its_files(world: World, side: Side) -> None:
    async with world.bot(NO_LIMITS):
        alice, chat = old_client(side)
        chat.send_document(alice, "report.pdf", b"content")
        await chat.wait_for(SAVED)
        chat.say(alice, "/list")
        side.press(chat, alice, await chat.wait_for("Your saved files: 1"), "1")
        side.press(chat, alice, await chat.wait_for("7 bytes, saved"), "Delete")
        side.press(chat, alice, await chat.wait_for("Delete report.pdf?"), "Yes, delete")
        await chat.wait_for("report.pdf is deleted.")
    assert world.objects == {}


async def test_a_client_without_buttons_in_messages_can_do_the_same_with_those_below_its_input(
    world: World, side: Side
) -> None:
    async with world.bot(NO_LIMITS):
        alice, chat = old_client(side)
        alice.inline_keyboard = False
        chat.send_document(alice, "report.pdf", b"content")
        await chat.wait_for(SAVED)
        chat.press(alice, None, "✏️ Rename")
        await chat.wait_for("What shall report.pdf be called?")
        chat.say(alice, "chosen")
        await chat.wait_for("report.pdf is called chosen.pdf now.")
        chat.say(alice, "/delete chosen.pdf")
        await chat.wait_for("Delete chosen.pdf?")
        chat.press(alice, None, "Yes, delete")
        await chat.wait_for("chosen.pdf is deleted.")
    assert world.objects == {}


@pytest.mark.parametrize("word", ["Status", "list", "Помощь"])
async def test_a_word_that_is_a_command_is_the_new_name_where_one_was_asked_for(
    world: World, side: Side, word: str
) -> None:
    async with world.bot(NO_LIMITS):
        alice, chat = side.meet()
        chat.send_document(alice, "report.pdf", b"content")
        side.press(chat, alice, await chat.wait_for(SAVED), "Rename")
        await chat.wait_for("What shall report.pdf be called?")
        chat.say(alice, word)
        await chat.wait_for(f"report.pdf is called {word}.pdf now.")
        chat.say(alice, "list")
        await chat.wait_for("Your saved files: 1")
    assert list(world.objects) == [f"{word}.pdf"]


async def test_the_word_for_cancel_leaves_a_question_and_is_no_name(world: World, side: Side) -> None:
    async with world.bot(NO_LIMITS):
        alice, chat = side.meet()
        chat.send_document(alice, "report.pdf", b"content")
        side.press(chat, alice, await chat.wait_for(SAVED), "Rename")
        await chat.wait_for("What shall report.pdf be called?")
        chat.say(alice, "Отмена")
        await chat.wait_for("Its name stays report.pdf.")
        chat.say(alice, "Отмена")
        await chat.wait_for("There is nothing to cancel.")
    assert list(world.objects) == ["report.pdf"]


async def test_a_word_that_is_a_command_is_no_answer_to_whether_to_delete_or_to_rename(
    world: World, side: Side
) -> None:
    async with world.bot({**NO_LIMITS, ("names", "rename"): "ask"}):
        alice, chat = side.meet()
        chat.send_document(alice, "report.pdf", b"content")
        taken = await chat.wait_for("Rename it before it is saved?")
        chat.say(alice, "status")
        await chat.wait_for("On their way: 1")
        side.press(chat, alice, taken, "Keep name")
        await chat.wait_for(SAVED)
        chat.say(alice, "/delete report.pdf")
        question = await chat.wait_for("Delete report.pdf?")
        chat.say(alice, "list")
        await chat.wait_for("Your saved files: 1")
        side.press(chat, alice, question, "Yes, delete")
        await chat.wait_for("report.pdf is deleted.")
    assert world.objects == {}


@pytest.mark.parametrize("end", [f"{SAVED} film.mkv", "film.mkv\ncancelled"])
async def test_a_message_that_vk_lets_nobody_edit_any_more_is_left_alone_and_the_end_is_told(
    world: World, side: Side, end: str
) -> None:
    world.vk.faults.add(method="file", answer=SlowBody(1_500_000))
    async with world.bot({**NO_LIMITS, ("uploads", "progress_interval"): "1 s"}):
        alice, chat = side.meet()
        chat.send_document(alice, "film.mkv", Content.generated(9 * 2**20))
        await chat.wait_for("%")
        world.vk.edit_window = -1
        edits = len(world.vk.calls("messages.edit"))
        await world.vk.wait(lambda: len(world.vk.calls("messages.edit")) > edits)
        if "cancelled" in end:
            chat.say(alice, "/cancel")
        await chat.wait_for(end)
        assert len(world.vk.calls("messages.edit")) == edits + 1


async def test_in_a_group_that_shows_the_bot_only_what_is_addressed_to_it_a_mention_is_enough(
    world: World, side: Side
) -> None:
    world.vk.privacy = True
    bot = f"@club{world.vk.group_id}"
    async with world.bot(NO_LIMITS):
        alice, _ = side.meet()
        group = world.vk.group("Team", [alice])
        group.send_document(alice, "unseen.txt", b"unseen")
        group.send_document(alice, "a.txt", b"a", caption=bot)
        saved = await group.wait_for(SAVED)
        group.say(alice, f"{bot} список")
        await group.wait_for("Your saved files: 1")
        side.press(group, alice, saved, "Rename")
        question = await group.wait_for("What shall a.txt be called?")
        group.say(alice, "chosen", reply_to=question["message_id"])
        await group.wait_for("a.txt is called chosen.txt now.")
    assert list(world.objects) == ["chosen.txt"]


async def test_a_document_among_photos_is_saved_and_the_photos_are_not(world: World, side: Side) -> None:
    async with world.bot(NO_LIMITS):
        alice, chat = side.meet()
        document = chat.send_document(alice, "report.pdf", b"content")["attachments"]
        await chat.wait_for(SAVED)
        photo = chat.send_photo(alice)["attachments"]
        await chat.wait_for("[document is required]")
        again = world.vk.docs.add(alice.id, "other.pdf", Content.of(b"other"))
        chat.post(alice, {"attachments": [*photo, {"type": "doc", "doc": world.vk.docs.as_json(again)}, *photo]})
        await chat.wait_for(f"{SAVED} other.pdf")
    assert document[0]["type"] == "doc"
    assert world.contents == {"report.pdf": b"content", "other.pdf": b"other"}


async def test_a_name_that_looks_like_a_mention_notifies_nobody(world: World, side: Side) -> None:
    async with world.bot(NO_LIMITS):
        alice, chat = side.meet()
        chat.send_document(alice, "[id1|Pavel] @id2.txt", b"content")
        await chat.wait_for(SAVED)
    assert chat.mentions == []
    assert list(world.objects) == ["[id1|Pavel] @id2.txt"]


def old_client(side: Side) -> tuple[User, Chat]:
    """A person whose client knows no callback buttons, and the private chat with the bot."""
    alice, chat = side.meet()
    alice.button_actions = OLD_CLIENT
    return alice, chat
