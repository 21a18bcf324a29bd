"""What people want of a document that they have sent: buttons that they press, commands and answers that they type."""

from __future__ import annotations

from functools import partial
from typing import Any

from .said import in_conflict, lists, stems, to_delete, to_name, with_extension
from .sending import Deed, Request
from .wanted import Removal, Replacement

TAKEN_NAMES = ("report.pdf", "Отчёт за май.docx", "שלום.txt")
"""Names of other people's documents, too."""


class Renaming(Request):
    """The name is one that nobody else has, or one that others have, too."""

    def steps(self) -> list[Deed]:
        # The extension that it has by then is added to a name without; of two renamings nobody knows which comes first.
        typed, unique = f"chosen {self.number}{'' if self.alone else '.bin'}", self.random.random() < 0.7
        # Of the questions about an album's documents only the names in them tell which is which.
        taken = self.random.choice(TAKEN_NAMES)
        self.typed = typed if unique or self.sending.album else taken
        self.asked_by: int | None = None
        at_once = self.random.random() < 0.3 and not self._shares_its_message()
        return [self._at_once] if at_once else [self.find, self._ask, self._answer]

    def _shares_its_message(self) -> bool:
        """Then a reply to the message means whichever of its documents is left, if only one is."""
        return self.sending.album and self.place.side.name == "vk"

    async def _at_once(self, patience: float) -> None:  # noqa: ARG002 - there is nothing to wait for
        """With its extension: whether the document is still called as it was sent can't be seen."""
        name = _called(self.typed, self.sending.name)
        command, own = self.place.side.command(f"rename {name}"), self.document.message_id
        self.ledger.wish(self.place, self.document, name, command, reply_to=own)

    async def _ask(self, patience: float) -> None:
        pressed = await self.press(patience, "Rename")
        self.asked_by = self.document.message_id if pressed else self.command("rename")

    async def _answer(self, patience: float) -> None:
        if self.asked_by is None:
            return
        question = await self.answered(patience, self.asked_by, self._asks)
        if question is not None:
            name = _called(self.typed, to_name(question["text"]) or self.sending.name)
            self.ledger.wish(self.place, self.document, name, self.typed, reply_to=question["message_id"])

    def _asks(self, text: str) -> bool:
        """Whether it is asked what this document shall be called, not another one that was sent with its message."""
        present = to_name(text)
        return present is not None and (not self.document.album or self.sending.name in stems(present))


def _called(typed: str, old: str) -> str:
    """What a document becomes that is called `old` so far."""
    return typed if "." in typed else with_extension(typed, old)


class Deletion(Request):
    def steps(self) -> list[Deed]:
        self.answer = self.random.choice(("pressed", "pressed", "typed", "no"))
        return [self._ask, self._confirm]

    async def _ask(self, patience: float) -> None:
        await self.heard(patience, self.is_saved)
        self.command("delete")

    async def _confirm(self, patience: float) -> None:
        question = await self.heard(patience, partial(self.has, label="Yes"))
        if question is None:
            return
        if self.answer == "no":
            self.press_in(question, "No")
            return
        self.ledger.may_go(self.place, self.document)
        self.ledger.removal(self.place, self._said_yes(question))

    def _said_yes(self, question: Any) -> Removal:
        key, number = to_delete(question["text"]), question["message_id"]
        assert key is not None
        if self.answer == "typed":
            return Removal(self.document, key, number, message_id=self.say("yes", number))
        return Removal(self.document, key, number, press=self.press_in(question, "Yes"))


class Cancelling(Request):
    """Whether there is something left to cancel depends on how fast the program is."""

    def steps(self) -> list[Deed]:
        return [self.find, self._cancel]

    async def _cancel(self, patience: float) -> None:
        self.ledger.may_go(self.place, self.document)
        if await self.press(patience, "Cancel") is None:
            self.command("cancel")


class KeepingName(Request):
    """An answer to the question before an upload, or to the one about another object of the name."""

    def steps(self) -> list[Deed]:
        self.label = self.random.choice(("Keep name", "Keep both"))
        return [self.find, self._keep]

    async def _keep(self, patience: float) -> None:
        """Once the document is saved, it is too late."""

        def decided(message: Any) -> bool:
            return self.is_saved(message) or self.has(message, self.label)

        message = await self.heard(patience, decided)
        if message is not None and self.has(message, self.label):
            self.press_in(message, self.label)


class Replacing(Request):
    """The answer to the question about another object of the name that makes an end of that."""

    def steps(self) -> list[Deed]:
        self.typed = self.alone and self.random.random() < 0.4
        return [self._keep, self._replace]

    async def _keep(self, patience: float) -> None:
        """Whoever is asked about the name first keeps it, so that the question comes while somebody waits for it."""
        message = await self.heard(patience, lambda m: self.is_saved(m) or self._asks(m) or self.has(m, "Keep name"))
        if message is not None and self.has(message, "Keep name"):
            self.press_in(message, "Keep name")

    async def _replace(self, patience: float) -> None:
        question = await self.heard(patience, self._asks)
        key = question and in_conflict(question["text"])
        if key is None:
            return
        message_id = self.say("replace", question["message_id"]) if self.typed else None
        if not self.typed:
            self.press_in(question, "Replace")
        self.ledger.replacement(self.place, Replacement(self.document, key, message_id))

    def _asks(self, message: Any) -> bool:
        return self.has(message, "Replace") and in_conflict(message["text"]) is not None


class Looking(Request):
    """The list, one of its files in the place of the list, and what is on its way."""

    def steps(self) -> list[Deed]:
        self.shown: int | None = None
        return [self._list, self._look]

    async def _list(self, patience: float) -> None:
        await self.heard(patience, self.is_saved)
        self.listed_by = self.command("list")
        self.command("status")

    async def _look(self, patience: float) -> None:
        """Open the document in the list, if it is there."""
        shown = await self.heard(patience, self._is_listed)
        if shown is not None:
            self.press_in(shown, "", "card:")
            self.shown = shown["message_id"]

    def _is_listed(self, message: Any) -> bool:
        return message["message_id"] > self.listed_by and lists(message["text"]) and self.has(message, "")


class ListedRenaming(Looking, Renaming):
    """By the button of the document's card, in the place of the list."""

    def steps(self) -> list[Deed]:
        Renaming.steps(self)
        return [*Looking.steps(self), self._ask_there, self._answer]

    async def _ask_there(self, patience: float) -> None:
        card = await self.heard(patience, lambda m: m["message_id"] == self.shown and self.has(m, "Rename"))
        if card is not None:
            self.press_in(card, "Rename")
            self.asked_by = self.document.message_id


class ListedDeletion(Looking, Deletion):
    """The same way: the question, too, takes the place of the list."""

    def steps(self) -> list[Deed]:
        Deletion.steps(self)
        return [*Looking.steps(self), self._ask_there, self._confirm]

    async def _ask_there(self, patience: float) -> None:
        card = await self.heard(patience, lambda m: m["message_id"] == self.shown and self.has(m, "Delete"))
        if card is not None:
            self.press_in(card, "Delete")


REQUESTS = (
    Renaming,
    Renaming,
    Deletion,
    Deletion,
    Cancelling,
    KeepingName,
    Replacing,
    Replacing,
    Looking,
    ListedRenaming,
    ListedDeletion,
)
