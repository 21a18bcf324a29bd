"""The brief's rules: what the bot answers, and what lands in the bucket. End to end over real sockets."""

from __future__ import annotations

from tests.bot.talk import SAVED, in_each, markers, only, said
from tests.sides import Side
from tests.world import World

MIB = 2**20
KINDS = ["photo", "video", "audio", "voice", "sticker", "video_note"]
KINDS_OF_VK = ["photo", "video", "audio", "audio_message", "graffiti", "sticker"]
NAMES = ["report.pdf", "Отчёт за май.docx", ".env", "a b+c&d=e?f#g%20.txt", "👩‍👩‍👧.png", "no extension"]
NAMES_OF_VK = ["Отчёт за май.docx", ".env", "a b+c&d=e?f#g%20.txt", "no extension"]
SIZES = [0, 1, 100_000, 8 * MIB - 1, 8 * MIB, 8 * MIB + 1, 20 * MIB]
SIZES_OF_VK = [0, 1, 100_000, 20 * MIB]  # the parts are made as for Telegram, only the link is another one


async def test_the_first_message_is_answered_with_greeting(world: World, side: Side) -> None:
    async with world.bot():
        alice, chat = side.meet("Alice")
        chat.say(alice, "hello")
        await chat.wait_for("[greeting]")
    assert len(said(chat)) == 1


async def test_every_later_message_without_a_file_is_answered_with_document_required(world: World, side: Side) -> None:
    async with world.bot():
        alice, chat = side.meet("Alice")
        for text in ("hello", "how are you?", "still there?"):
            chat.say(alice, text)
        await chat.wait_for("[document is required]", count=2)
    assert markers(chat) == ["[greeting]", "[document is required]", "[document is required]"]


async def test_each_chat_is_greeted_once(world: World, side: Side) -> None:
    async with world.bot():
        for name in ("Alice", "Bob"):
            person, chat = side.meet(name)
            chat.say(person, "hello")
            await chat.wait_for("[greeting]")
            chat.say(person, "hello again")
            await chat.wait_for("[document is required]")
            assert markers(chat) == ["[greeting]", "[document is required]"]


@only("vk", "Telegram's button sends the command /start, which is a text")
async def test_the_button_that_begins_a_chat_is_answered_with_greeting(world: World, side: Side) -> None:
    async with world.bot():
        alice, chat = side.meet("Alice", "ru")
        chat.start(alice)
        await chat.wait_for("[greeting] Здравствуйте")
    assert len(said(chat)) == 1


async def test_a_document_is_acknowledged_uploaded_and_confirmed_in_this_order(world: World, side: Side) -> None:
    async with world.bot():
        alice, chat = side.meet("Alice")
        chat.say(alice, "hello")
        chat.send_document(alice, "report.pdf", b"%PDF-1.7 ...")
        await chat.wait_for(SAVED)
    assert markers(chat) == ["[greeting]", "[document]", SAVED]
    assert list(world.objects) == ["report.pdf"]


async def test_a_document_as_the_first_message_is_greeted_and_saved(world: World, side: Side) -> None:
    async with world.bot():
        alice, chat = side.meet("Alice")
        chat.send_document(alice, "report.pdf", b"content")
        await chat.wait_for(SAVED)
    assert markers(chat) == ["[greeting]", "[document]", SAVED]


@in_each("kind", telegram=KINDS, vk=KINDS_OF_VK)
async def test_what_is_not_sent_as_a_document_is_no_file(world: World, side: Side, kind: str) -> None:
    async with world.bot():
        alice, chat = side.meet("Alice")
        chat.say(alice, "hello")
        chat.send_file(alice, kind, b"pixels and sounds")
        await chat.wait_for("[document is required]")
    assert world.objects == {}


async def test_a_picture_sent_as_a_file_is_saved(world: World, side: Side) -> None:
    async with world.bot():
        alice, chat = side.meet("Alice")
        chat.send_document(alice, "holiday.jpg", b"pixels")
        await chat.wait_for(SAVED)
    assert world.content("holiday.jpg") == b"pixels"


@only("telegram", "in VK a GIF is a document as any other")
async def test_a_gif_carries_the_field_document_and_is_saved(world: World, side: Side) -> None:
    async with world.bot():
        alice, chat = side.meet("Alice")
        chat.send_animation(alice, "cat.mp4", b"moving pixels")
        await chat.wait_for(SAVED)
    assert world.content("cat.mp4") == b"moving pixels"


@in_each("name", telegram=NAMES, vk=NAMES_OF_VK)
async def test_the_key_is_exactly_the_file_name_in_the_root(world: World, side: Side, name: str) -> None:
    async with world.bot():
        alice, chat = side.meet("Alice")
        chat.send_document(alice, name, b"content")
        await chat.wait_for(SAVED)
    assert list(world.objects) == [name]


@in_each("size", telegram=SIZES, vk=SIZES_OF_VK)
async def test_the_bytes_are_exactly_the_bytes(world: World, side: Side, size: int) -> None:
    content = (bytes(range(256)) * (size // 256 + 1))[:size]
    async with world.bot():
        alice, chat = side.meet("Alice")
        chat.send_document(alice, "data.bin", content)
        await chat.wait_for(SAVED)
    assert world.content("data.bin") == content
    assert world.s3.uploads("files") == []
