"""What the tests of the dialogue do again and again: send, press what a button says, read what came of it."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

import trio

from tests.bot.talk import SAVED
from tests.sides import Chat, Person, Press, Shown, Side
from tests.world import World
from trio_s3_bot import model
from trio_s3_bot.conversation import ChatState
from trio_s3_bot.inbox import rows
from trio_s3_bot.inbox.database import open_database
from trio_s3_bot.sandbox.replies import Reply, Work

ASK = {("names", "rename"): "ask"}


class Held:
    """An answer of a messenger's that waits, once `reached` is set, until its release."""

    def __init__(self) -> None:
        self.reached, self._released = trio.Event(), trio.Event()

    def release(self) -> None:
        self._released.set()

    async def give(self, work: Work, *, before: bool) -> Reply:  # noqa: ARG002 - the protocol's
        reply = await work()
        self.reached.set()
        await self._released.wait()
        return reply


async def saved(chat: Chat, person: Person, name: str, content: bytes = b"content") -> Shown:
    """Send a document and wait until it is called saved."""
    chat.send_document(person, name, content)
    told: Shown = await chat.wait_for(f"{SAVED} {name}")
    return told


async def toast(pressed: Press) -> str:
    """What a pressed button is answered with."""
    return str((await pressed.answered()).get("text", ""))


def pressed_again(chat: Chat, pressed: Press) -> Press:
    """The same button pressed once more, whether it is still there or not."""
    again: Press = chat.press(pressed.user, pressed.message_id, pressed.data, forged=True)
    return again


async def without_buttons(side: Side, chat: Chat, message: Shown) -> None:
    """Wait until a message has lost its buttons, and nothing else."""

    def has_lost_them(now: Shown) -> bool:
        return now["message_id"] == message["message_id"] and now["text"] == message["text"] and not side.labels(now)

    await chat.wait_for(has_lost_them)


async def on_record(world: World, side: Side, chat: Chat, names: Sequence[str]) -> None:
    """Let the bot that will run remember these files of a chat, the oldest first; none of them is in the bucket."""
    remembered = model.Chat(side.name, chat.id)

    def write(connection: sqlite3.Connection) -> None:
        rows.save_chat(connection, remembered, ChatState(), ChatState(greeted=True), 0)
        connection.executemany(
            "INSERT INTO files (id, chat, owner, name, key, size, etag, unique_id, saved_at, prefix) "
            "VALUES (?, ?, ?, ?, ?, 7, 'etag', ?, ?, '')",
            [(f"{n:032x}", remembered.key, chat.id, name, name, name, float(n)) for n, name in enumerate(names)],
        )

    async with open_database(world.config().state.path) as database:
        await database.write(write)
