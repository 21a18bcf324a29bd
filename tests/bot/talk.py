"""What the tests of the conversation say and look at again and again."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import httpx
import pytest
import trio

from tests.sides import Chat, Person
from tests.world import World
from trio_s3_bot.patience import SHIPPED, Pauses
from trio_s3_bot.sandbox import telegram as tg
from trio_s3_bot.sandbox.faults import FaultProxy, open_fault_proxy
from trio_s3_bot.sandbox.telegram import Content

SAVED = "[document has been saved]"
NO_LIMITS = {
    (messenger, limit): "1000"
    for messenger in ("telegram", "vk")
    for limit in ("messages_per_second", "chat_messages_per_second", "group_messages_per_minute")
}
"""Settings for tests of something else than flood limits, so that none has to wait for them."""
HASTY = replace(
    SHIPPED, speaking=Pauses(0.1, 0.4), document=Pauses(0.05, 0.2), outage=Pauses(0.05, 0.2), reading=Pauses(0.01, 0.05)
)
"""A bot that tries again sooner than the one that ships."""
EACH_MESSENGER = [("telegram",), ("vk",)]
"""What the fixture `messengers` is in tests that run in each: those that ask for `side` (conftest)."""
MARKERS = ("[greeting]", "[document is required]", "[document]", SAVED)


def only(messenger: str, why: str) -> pytest.MarkDecorator:
    """Let a test run in that messenger alone, for a reason that reads on: "telegram, as" `why`."""
    return pytest.mark.parametrize("messengers", [pytest.param((messenger,), id=f"{messenger}, as {why}")])


def in_each(name: str, *, telegram: Sequence[object], vk: Sequence[object]) -> pytest.MarkDecorator:
    """Let a test run in each messenger with the values that make sense there for its parameter `name`."""
    values = {"telegram": telegram, "vk": vk}
    pairs = [(messenger, value) for messenger in values for value in values[messenger]]
    cases = [pytest.param((messenger,), value, id=f"{messenger}-{value}") for messenger, value in pairs]
    return pytest.mark.parametrize(("messengers", name), cases)


def meet(world: World, name: str = "Alice", *, language: str | None = "en", username: str | None = None) -> Meeting:
    """A new person in Telegram, and her private chat with the bot; in each messenger it is `side.meet`."""
    person = world.telegram.user(name, language=language, username=username)
    return person, world.telegram.private_chat(person)


Meeting = tuple[tg.User, tg.Chat]


def said(chat: Chat) -> list[str]:
    """What the bot has said in a chat, as it looks now."""
    return [message["text"] for message in chat.bot_messages]


def markers(chat: Chat) -> list[str]:
    """The marker that each of the bot's messages begins with; empty for one that begins otherwise."""
    return [next((marker for marker in MARKERS if text.startswith(marker)), "") for text in said(chat)]


def send_raw(world: World, chat: tg.Chat, person: tg.User, content: bytes = b"content", **fields: Any) -> tg.Message:
    """Send a document with exactly these fields beside its ids: Telegram itself would tidy its name."""
    stored = world.telegram.files.add(Content.of(content), "document")
    ids = {"file_id": stored.file_id, "file_unique_id": stored.unique_id}
    return chat.post(person, {"document": {**ids, **fields}})


async def all_handled(chat: Chat, person: Person) -> None:
    """
    Wait until the bot is done with everything that was sent in a chat, also with what it says nothing about.

    A chat's updates are handled one after the other, and a pressed button is answered without a message.
    """
    message = chat.messages[0]["message_id"]
    await chat.press(person, message, "nothing", forged=True).answered()


async def fetched(url: str) -> bytes:
    """What there is at a link."""
    async with httpx.AsyncClient(trust_env=False) as client:
        with trio.fail_after(10):
            response = await client.get(url)
    response.raise_for_status()
    return response.content


@asynccontextmanager
async def store_behind_proxy(world: World) -> AsyncIterator[tuple[FaultProxy, dict[tuple[str, str], str]]]:
    """S3 behind a proxy that spoils chosen requests, and settings that lead a bot there, unhurried by flood limits."""
    async with open_fault_proxy(world.s3.endpoint_url) as proxy:
        yield proxy, {**NO_LIMITS, ("s3", "endpoint_url"): proxy.url}
