"""The brief's rules: what the bot answers, and what lands in the bucket. End to end over real sockets."""

from __future__ import annotations

import pytest

from tests.world import World
from trio_s3_bot.sandbox.telegram import Chat


async def test_the_first_message_is_answered_with_greeting(world: World) -> None:
    async with world.bot():
        alice = world.telegram.user("Alice", language="en")
        chat = world.telegram.private_chat(alice)
        chat.say(alice, "hello")
        await chat.wait_for("[greeting]")
    assert len(said(chat)) == 1


async def test_every_later_message_without_a_file_is_answered_with_document_required(world: World) -> None:
    async with world.bot():
        alice = world.telegram.user("Alice", language="en")
        chat = world.telegram.private_chat(alice)
        for text in ("hello", "how are you?", "still there?"):
            chat.say(alice, text)
        await chat.wait_for("[document is required]", count=2)
    assert [marker(text) for text in said(chat)] == ["[greeting]", "[document is required]", "[document is required]"]


async def test_each_chat_is_greeted_once(world: World) -> None:
    async with world.bot():
        alice, bob = world.telegram.user("Alice"), world.telegram.user("Bob")
        for person in (alice, bob):
            chat = world.telegram.private_chat(person)
            chat.say(person, "hello")
            await chat.wait_for("[greeting]")
            chat.say(person, "hello again")
            await chat.wait_for("[document is required]")
            assert [marker(text) for text in said(chat)] == ["[greeting]", "[document is required]"]


async def test_a_document_is_acknowledged_uploaded_and_confirmed_in_this_order(world: World) -> None:
    async with world.bot():
        alice = world.telegram.user("Alice", language="en")
        chat = world.telegram.private_chat(alice)
        chat.say(alice, "hello")
        chat.send_document(alice, "report.pdf", b"%PDF-1.7 ...", mime_type="application/pdf")
        await chat.wait_for("[document has been saved]")
    assert [marker(text) for text in said(chat)] == ["[greeting]", "[document]", "[document has been saved]"]
    assert list(world.objects) == ["report.pdf"]


async def test_a_document_as_the_first_message_is_greeted_and_saved(world: World) -> None:
    async with world.bot():
        alice = world.telegram.user("Alice", language="en")
        chat = world.telegram.private_chat(alice)
        chat.send_document(alice, "report.pdf", b"content")
        await chat.wait_for("[document has been saved]")
    assert [marker(text) for text in said(chat)] == ["[greeting]", "[document]", "[document has been saved]"]


@pytest.mark.parametrize("kind", ["photo", "video", "audio", "voice", "sticker", "video_note"])
async def test_what_is_not_sent_as_a_document_is_no_file(world: World, kind: str) -> None:
    async with world.bot():
        alice = world.telegram.user("Alice", language="en")
        chat = world.telegram.private_chat(alice)
        chat.say(alice, "hello")
        chat.send_file(alice, kind, b"pixels and sounds")
        await chat.wait_for("[document is required]")
    assert world.objects == {}


async def test_a_picture_sent_as_a_file_is_saved(world: World) -> None:
    async with world.bot():
        alice = world.telegram.user("Alice")
        chat = world.telegram.private_chat(alice)
        chat.send_document(alice, "holiday.jpg", b"pixels", mime_type="image/jpeg")
        await chat.wait_for("[document has been saved]")
    assert world.content("holiday.jpg") == b"pixels"


async def test_a_gif_carries_the_field_document_and_is_saved(world: World) -> None:
    async with world.bot():
        alice = world.telegram.user("Alice")
        chat = world.telegram.private_chat(alice)
        chat.send_animation(alice, "cat.mp4", b"moving pixels")
        await chat.wait_for("[document has been saved]")
    assert world.content("cat.mp4") == b"moving pixels"


@pytest.mark.parametrize(
    "name", ["report.pdf", "Отчёт за май.docx", ".env", "a b+c&d=e?f#g%20.txt", "👩‍👩‍👧.png", "no extension"]
)
async def test_the_key_is_exactly_the_file_name_in_the_root(world: World, name: str) -> None:
    async with world.bot():
        alice = world.telegram.user("Alice")
        chat = world.telegram.private_chat(alice)
        chat.send_document(alice, name, b"content")
        await chat.wait_for("[document has been saved]")
    assert list(world.objects) == [name]


@pytest.mark.parametrize("size", [0, 1, 100_000, 8 * 2**20 - 1, 8 * 2**20, 8 * 2**20 + 1, 20 * 2**20])
async def test_the_bytes_are_exactly_the_bytes(world: World, size: int) -> None:
    content = (bytes(range(256)) * (size // 256 + 1))[:size]
    async with world.bot():
        alice = world.telegram.user("Alice")
        chat = world.telegram.private_chat(alice)
        chat.send_document(alice, "data.bin", content)
        await chat.wait_for("[document has been saved]")
    assert world.content("data.bin") == content
    assert world.s3.uploads("files") == []


def said(chat: Chat) -> list[str]:
    """What the bot has said in a chat, as it looks now."""
    return [message["text"] for message in chat.messages if message.get("from", {}).get("is_bot")]


def marker(text: str) -> str:
    """The marker in brackets that a message begins with."""
    return text[: text.index("]") + 1]
