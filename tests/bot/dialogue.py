"""What the tests of the dialogue do again and again: send, press what a button says, read what came of it."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

import trio

from tests.bot.talk import SAVED
from tests.world import World
from trio_s3_bot import model
from trio_s3_bot.conversation import ChatState
from trio_s3_bot.inbox import rows
from trio_s3_bot.inbox.database import open_database
from trio_s3_bot.sandbox.replies import Reply, Work
from trio_s3_bot.sandbox.telegram import Chat, Message, Press, User

ASK = {("names", "rename"): "ask"}


def buttons(message: Message) -> dict[str, str]:
    """What the buttons of a message carry, by their labels."""
    rows = message.get("reply_markup", {}).get("inline_keyboard", [])
    return {button["text"]: button["callback_data"] for row in rows for button in row}


def button_rows(message: Message) -> list[list[str]]:
    """What the buttons of a message say, row by row."""
    return [[button["text"] for button in row] for row in message["reply_markup"]["inline_keyboard"]]


def button(message: Message, label: str) -> str:
    """What the button carries whose label contains `label`."""
    found = [data for text, data in buttons(message).items() if label in text]
    assert found, f"no button {label!r} in {list(buttons(message))}"
    return found[0]


def press(chat: Chat, person: User, message: Message, label: str) -> Press:
    """Press the button whose label contains `label`, as the message looks now."""
    message = chat.find(message["message_id"]) or message
    return chat.press(person, message["message_id"], button(message, label))


class Held:
    """An answer of Telegram's that waits, once `reached` is set, until its release."""

    def __init__(self) -> None:
        self.reached, self._released = trio.Event(), trio.Event()

    def release(self) -> None:
        self._released.set()

    async def give(self, work: Work, *, before: bool) -> Reply:  # noqa: ARG002 - the protocol's
        reply = await work()
        self.reached.set()
        await self._released.wait()
        return reply


async def saved(chat: Chat, person: User, name: str, content: bytes = b"content") -> Message:
    """Send a document and wait until it is called saved."""
    chat.send_document(person, name, content)
    return await chat.wait_for(f"{SAVED} {name}")


async def toast(pressed: Press) -> str:
    """What a pressed button is answered with."""
    return str((await pressed.answered()).get("text", ""))


async def on_record(world: World, chat: Chat, names: Sequence[str]) -> None:
    """Let the bot that will run remember these files of a chat, the oldest first; none of them is in the bucket."""
    remembered = model.Chat("telegram", chat.id)

    def write(connection: sqlite3.Connection) -> None:
        rows.save_chat(connection, remembered, ChatState(), ChatState(greeted=True), 0)
        connection.executemany(
            "INSERT INTO files (id, chat, owner, name, key, size, etag, unique_id, saved_at, prefix) "
            "VALUES (?, ?, ?, ?, ?, 7, 'etag', ?, ?, '')",
            [(f"{n:032x}", remembered.key, chat.id, name, name, name, float(n)) for n, name in enumerate(names)],
        )

    async with open_database(world.config().state.path) as database:
        await database.write(write)
