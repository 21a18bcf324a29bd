"""Sending documents, and what the sender of one can do about it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Any

import trio

from trio_s3_bot.sandbox.world import Content

from .ledger import Ledger
from .said import SAVED
from .wanted import Document, Place

Deed = Callable[[float], Awaitable[None]]
"""Something that somebody does; what it reacts to is waited for so many seconds. Cancelled, it can be done again."""


@dataclass(eq=False)
class Sending:
    """A deed: somebody sends a document, which is `document` afterwards. One of an album is sent by that."""

    ledger: Ledger
    place: Place
    name: str
    content: Content
    cropped: bool = False
    album: bool = False
    document: Document = field(init=False)

    async def __call__(self, patience: float) -> None:  # noqa: ARG002 - there is nothing to wait for
        how = {"cropped": True} if self.cropped else {}
        self.document = self.ledger.document(self.place, self.name, self.content, **how)


@dataclass(eq=False)
class Album:
    """A deed: somebody sends documents together."""

    name: str
    members: list[Sending]

    async def __call__(self, patience: float) -> None:  # noqa: ARG002 - there is nothing to wait for
        first, files = self.members[0], [(member.name, member.content) for member in self.members]
        how = {"cropped": True} if first.cropped else {}
        for member, document in zip(
            self.members, first.ledger.album(first.place, self.name, files, **how), strict=True
        ):
            member.document = document


@dataclass(eq=False)
class Request:
    """
    What the sender of a document does about it. What does not come in time is done without, or not.

    `alone`: nothing else is wanted of it, so that a word can't be the answer to another question.
    """

    sending: Sending
    random: Random
    number: int
    alone: bool

    def steps(self) -> list[Deed]:
        """What is to be done one after the other, drawn once."""
        raise NotImplementedError

    @property
    def document(self) -> Document:
        return self.sending.document

    @property
    def place(self) -> Place:
        return self.sending.place

    @property
    def ledger(self) -> Ledger:
        return self.sending.ledger

    async def heard(self, patience: float, fits: Callable[[Any], bool]) -> Any:
        """Wait for a message of the bot's; the newest that fits, or `None` if there is none in time."""

        def look() -> Any:
            return next((message for message in reversed(self.place.chat.bot_messages) if fits(message)), None)

        with trio.move_on_after(patience):
            return await self.place.side.world.changes.until(look)
        return None

    async def answered(self, patience: float, about: int, fits: Callable[[str], object]) -> Any:
        """The same among those that answer the message `about`, by their texts."""
        return await self.heard(patience, lambda m: self.place.side.answered(m) == about and bool(fits(m["text"])))

    async def press(self, patience: float, label: str) -> Any:
        """Press a button about the document, wherever there is one; `None` if there is none."""
        message = await self.heard(patience, partial(self.has, label=label))
        return message and self.press_in(message, label)

    async def find(self, patience: float) -> None:
        """One of an album has its buttons on a card of its own, to be reached by a button with its name."""
        if self.document.album:
            message = await self.heard(patience, partial(self.has, label="", verb="card:"))
            if message is not None:
                self.press_in(message, "", "card:")

    def press_in(self, message: Any, label: str, verb: str = "") -> Any:
        """Press the button about the document in a message."""
        return self.place.chat.press(self.place.person, message["message_id"], self._data(message, label, verb))

    def has(self, message: Any, label: str, verb: str = "") -> bool:
        """Whether a message has a button of that label about the document."""
        return self._data(message, label, verb) is not None

    def is_saved(self, message: Any) -> bool:
        """Whether a message calls the document saved, by its buttons."""
        return bool(message["text"].startswith(SAVED)) and self.has(message, "")

    def _data(self, message: Any, label: str, verb: str) -> str | None:
        buttons = (button for row in self.place.side.keyboard(message) for button in row)
        mine = (data for text, data in buttons if label in text and data.startswith(verb) and self._is_mine(data))
        return next(mine, None)

    def _is_mine(self, data: str) -> bool:
        return self.document.id in data.split(":")

    def command(self, text: str) -> int:
        """Type a command in reply to the document's own message."""
        return self.say(self.place.side.command(text), self.document.message_id)

    def say(self, text: str, reply_to: int) -> int:
        message_id: int = self.place.chat.say(self.place.person, text, reply_to=reply_to)["message_id"]
        return message_id
