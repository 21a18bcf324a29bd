"""Both messengers in one process, with one bucket: nothing of one is taken for the other's."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import trio

from tests.sides import SHIPPED_CONFIG
from trio_s3_bot.base import Bot
from trio_s3_bot.config import load
from trio_s3_bot.sandbox.s3 import S3, open_s3
from trio_s3_bot.sandbox.telegram import Telegram, open_telegram
from trio_s3_bot.sandbox.vk import Vk, open_vk

PATIENCE = 30  # seconds after which a test is hopeless
BUCKET = "files"
SAVED = "[document has been saved]"
SAME_ID = 700_000_001  # of a person in either messenger

Settings = Mapping[tuple[str, str], str]


@dataclass(frozen=True)
class Both:
    """Telegram, VK and S3, and the settings that lead a bot to them."""

    telegram: Telegram
    vk: Vk
    s3: S3
    folder: Path

    @property
    def worlds(self) -> tuple[Any, Any]:
        """Both emulators, to be used by what they have in common."""
        return self.telegram, self.vk

    @asynccontextmanager
    async def bot(self, settings: Settings = {}) -> AsyncIterator[None]:
        """The real bot in both; stopped properly when the block ends."""
        here = {
            ("telegram", "token"): self.telegram.token,
            ("telegram", "api_url"): self.telegram.api_url,
            ("vk", "token"): self.vk.token,
            ("vk", "api_url"): self.vk.api_url,
            ("s3", "bucket"): BUCKET,
            ("s3", "endpoint_url"): self.s3.endpoint_url,
            ("s3", "region"): self.s3.region,
            ("s3", "aws_access_key_id"): self.s3.access_key,
            ("s3", "aws_secret_access_key"): self.s3.secret_key,
            ("state", "path"): str(self.folder / "bot.sqlite3"),
        }
        stop = trio.Event()
        async with trio.open_nursery() as nursery:
            await nursery.start(Bot(load(SHIPPED_CONFIG, {}, {**here, **settings})).run, stop)
            yield
            stop.set()

    @property
    def contents(self) -> dict[str, bytes]:
        """What is in the bucket."""
        return {key: self.s3.read(BUCKET, key) for key in self.s3.objects(BUCKET)}


@pytest.fixture
async def both(tmp_path: Path) -> AsyncIterator[Both]:
    with trio.fail_after(PATIENCE):
        async with open_telegram() as telegram, open_vk() as vk, open_s3([BUCKET]) as s3:
            yield Both(telegram, vk, s3, tmp_path)
            assert telegram.complaints == []
            assert vk.complaints == []


async def test_a_bot_may_be_in_vk_alone(both: Both) -> None:
    async with both.bot({("telegram", "token"): ""}):
        alice = both.vk.user("Alice", language="ru")
        chat = both.vk.private_chat(alice)
        chat.start(alice)
        await chat.wait_for("[greeting] Здравствуйте")
        chat.say(alice, "Привет")
        await chat.wait_for("[document is required]")
        chat.send_documents(alice, [("один.txt", b"1"), ("два.txt", b"22")])
        await chat.wait_for(SAVED)
        await both.s3.wait(lambda: len(both.contents) == 2)
    assert both.contents == {"один.txt": b"1", "два.txt": b"22"}
    assert len(both.telegram.calls) == 0


async def test_files_of_one_name_from_both_stand_beside_each_other(both: Both) -> None:
    async with both.bot():
        for world in both.worlds:
            person = world.user("Alice", id=SAME_ID)
            chat = world.private_chat(person)
            chat.send_document(person, "report.pdf", world.api_url.encode())
            await chat.wait_for(SAVED)
    assert both.contents == {
        "report.pdf": both.telegram.api_url.encode(),
        "report (1).pdf": both.vk.api_url.encode(),
    }


async def test_two_people_of_one_number_have_a_conversation_each(both: Both) -> None:
    async with both.bot():
        for world in both.worlds:
            person = world.user("Alice", id=SAME_ID)
            chat = world.private_chat(person)
            chat.say(person, "hello")
            await chat.wait_for("[greeting]")
            chat.say(person, "hello again")
            await chat.wait_for("[document is required]")
            assert len(chat.bot_messages) == 2


async def test_who_may_use_the_bot_in_one_messenger_may_not_in_the_other(both: Both) -> None:
    async with both.bot({("access", "allowed_users"): f"vk:{SAME_ID}"}):
        for world, begin in zip(both.worlds, (f"{SAME_ID}", "[greeting]"), strict=True):
            person = world.user("Alice", id=SAME_ID)
            chat = world.private_chat(person)
            chat.say(person, "hello")
            await chat.wait_for(begin)


async def test_what_was_sent_while_the_bot_was_down_is_answered_in_both(both: Both) -> None:
    people = [(world, world.user("Alice", language="en")) for world in both.worlds]
    async with both.bot():
        for world, person in people:
            world.private_chat(person).say(person, "hello")
            await world.private_chat(person).wait_for("[greeting]")
    for world, person in people:
        world.private_chat(person).send_document(person, f"{type(world).__name__}.txt", b"content")
    async with both.bot():
        for world, person in people:
            await world.private_chat(person).wait_for(SAVED)
    assert both.contents == {"Telegram.txt": b"content", "Vk.txt": b"content"}
    for world, person in people:
        greetings = [m for m in world.private_chat(person).bot_messages if m["text"].startswith("[greeting]")]
        assert len(greetings) == 1


async def test_one_that_is_out_of_order_does_not_hold_up_the_other(both: Both) -> None:
    async with both.bot():
        both.telegram.revoke_token()
        alice = both.vk.user("Alice")
        chat = both.vk.private_chat(alice)
        chat.send_document(alice, "report.pdf", b"content")
        await chat.wait_for(SAVED)
    assert both.contents == {"report.pdf": b"content"}
