"""What people want of a document that they have sent: buttons that they press, commands and answers that they type."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Any

import trio

from trio_s3_bot.sandbox.world import Content

from .ledger import Ledger
from .said import SAVED, plain, with_extension
from .talk import Document, Place, Removal

TAKEN_NAMES = ("report.pdf", "Отчёт за май.docx", "שלום.txt")
"""Names of other people's documents, too."""

Deed = Callable[[float], Awaitable[None]]
"""Something that somebody does; what it reacts to is waited for so many seconds. Cancelled, it can be done again."""


@dataclass(eq=False)
class Sending:
    """A deed: somebody sends a document, which is `document` afterwards."""

    ledger: Ledger
    place: Place
    name: str
    content: Content
    cropped: bool = False
    document: Document = field(init=False)

    async def __call__(self, patience: float) -> None:  # noqa: ARG002 - there is nothing to wait for
        how = {"cropped": True} if self.cropped else {}
        self.document = self.ledger.document(self.place, self.name, self.content, **how)

    def leave(self) -> int:
        """Its sender leaves whatever is asked about it; returns the message that says so."""
        text, own = self.place.side.command("cancel"), self.document.message_id
        message_id: int = self.place.chat.say(self.place.person, text, reply_to=own)["message_id"]
        return message_id


@dataclass(eq=False)
class Request:
    """What the sender of a document does about it. What does not come in time is done without, or not."""

    sending: Sending
    random: Random
    number: int
    asked_by: int = field(init=False, default=0)

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

    async def heard(self, patience: float, about: int, fits: Callable[[Any], bool]) -> Any:
        """Wait for the bot's newest message in answer to the message `about`; `None` if there is none in time."""

        def look() -> Any:
            answers = [m for m in self.place.chat.bot_messages if self.place.side.answered(m) == about and fits(m)]
            return answers[-1] if answers else None

        with trio.move_on_after(patience):
            return await self.place.side.world.changes.until(look)
        return None

    async def press(self, patience: float, label: str, about: int | None = None) -> Any:
        """Press a button of what answers the document's message, or the message `about`; `None` if there is none."""
        has_it = partial(self._has, label=label)
        message = await self.heard(patience, about or self.document.message_id, has_it)
        return message and self.place.side.press(self.place.chat, self.place.person, message, label)

    def _has(self, message: Any, label: str) -> bool:
        """Whether a message has a button of that label."""
        return any(label in text for row in self.place.side.buttons(message) for text in row)

    def command(self, text: str) -> int:
        """Type a command in reply to the document's own message."""
        return self.say(self.place.side.command(text), self.document.message_id)

    def say(self, text: str, reply_to: int) -> int:
        message_id: int = self.place.chat.say(self.place.person, text, reply_to=reply_to)["message_id"]
        return message_id


class Renaming(Request):
    """The name is one that nobody else has, or one that others have, too."""

    def steps(self) -> list[Deed]:
        typed = f"chosen {self.number}"
        self.typed = typed if self.random.random() < 0.7 else self.random.choice(TAKEN_NAMES)
        self.name = self.typed if "." in self.typed else with_extension(self.typed, self.sending.name)
        return [self._at_once] if self.random.random() < 0.3 else [self._ask, self._answer]

    async def _at_once(self, patience: float) -> None:  # noqa: ARG002 - there is nothing to wait for
        command, own = self.place.side.command(f"rename {self.typed}"), self.document.message_id
        self.ledger.wish(self.place, self.document, self.name, command, reply_to=own)

    async def _ask(self, patience: float) -> None:
        pressed = await self.press(patience, "Rename")
        self.asked_by = self.document.message_id if pressed else self.command("rename")

    async def _answer(self, patience: float) -> None:
        question = await self.heard(patience, self.asked_by, lambda message: "be called?" in message["text"])
        if question is not None:
            question_id = question["message_id"]
            self.ledger.wish(self.place, self.document, self.name, self.typed, reply_to=question_id)


class Deletion(Request):
    def steps(self) -> list[Deed]:
        self.answer = self.random.choice(("pressed", "pressed", "typed", "no"))
        return [self._ask, self._confirm]

    async def _ask(self, patience: float) -> None:
        await self.heard(patience, self.document.message_id, lambda message: message["text"].startswith(SAVED))
        self.asked_by = self.command("delete")

    async def _confirm(self, patience: float) -> None:
        question = await self.heard(patience, self.asked_by, lambda message: message["text"].startswith("Delete "))
        if question is None:
            return
        if self.answer == "no":
            await self.press(patience, "No", self.asked_by)
            return
        self.ledger.may_go(self.place, self.document)
        key = plain(question["text"]).removeprefix("Delete ").partition("? It can't")[0]
        number = question["message_id"]
        if self.answer == "typed":
            removal = Removal(key, number, message_id=self.say("yes", number))
        else:
            side = self.place.side
            removal = Removal(key, number, press=side.press(self.place.chat, self.place.person, question, "Yes"))
        self.ledger.removal(self.place, removal)


class Cancelling(Request):
    """Whether there is something left to cancel depends on how fast the program is."""

    def steps(self) -> list[Deed]:
        return [self._cancel]

    async def _cancel(self, patience: float) -> None:
        self.ledger.may_go(self.place, self.document)
        if await self.press(patience, "Cancel") is None:
            self.command("cancel")


class KeepingName(Request):
    """An answer to the question before an upload, or to the one about another object of the name."""

    def steps(self) -> list[Deed]:
        self.label = self.random.choice(("Keep name", "Keep both"))
        return [self._keep]

    async def _keep(self, patience: float) -> None:
        """Once the document is saved, it is too late."""

        def decided(message: Any) -> bool:
            return message["text"].startswith(SAVED) or self._has(message, self.label)

        message = await self.heard(patience, self.document.message_id, decided)
        if message is not None and self._has(message, self.label):
            self.place.side.press(self.place.chat, self.place.person, message, self.label)


class Looking(Request):
    """The list, one of its files in the place of the list, and what is on its way."""

    def steps(self) -> list[Deed]:
        return [self._list, self._look]

    async def _list(self, patience: float) -> None:  # noqa: ARG002 - there is nothing to wait for
        self.asked_by = self.command("list")
        self.command("status")

    async def _look(self, patience: float) -> None:
        chat, side = self.place.chat, self.place.side
        with trio.move_on_after(patience):
            shown = await chat.wait_for("Your saved files: ", after=self.asked_by)
            side.press(chat, self.place.person, shown, "1")


REQUESTS = (Renaming, Renaming, Deletion, Deletion, Cancelling, KeepingName, Looking)
