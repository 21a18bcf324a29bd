"""What the dialogue has in VK alone: text buttons for older clients, several attachments, mentions."""

from __future__ import annotations

from tests.bot.talk import NO_LIMITS, SAVED, only
from tests.sides import Side
from tests.world import World
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
        side.press(chat, alice, await chat.wait_for("Your saved files, 1 file:"), "1")
        side.press(chat, alice, await chat.wait_for("7 bytes, saved"), "Delete")
        side.press(chat, alice, await chat.wait_for("Delete report.pdf?"), "Yes, delete")
        await chat.wait_for("report.pdf is deleted.")
    assert world.objects == {}


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
