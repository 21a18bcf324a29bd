"""What the chats show: which documents a message is about, and what it says of them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from tests.dialogue.history import Doc
from tests.time.fakes import Request
from trio_s3_bot.model import Chat

TAKEN, SAVED = "[document] ", "[document has been saved] "
ENDED = ("saved", "cancelled", "not saved")
_ALREADY = " (it was there already)"
_RENAMED = re.compile(r"(.+) is called (.+) now\.")
_NAME_SET = re.compile(r"(?:It will be called|Its name stays) (.+)\.")
_DELETED = re.compile(r"(.+) is deleted\.")
_GONE = re.compile(r"(.+) was gone already\.")


@dataclass(frozen=True)
class Told:
    """A document is called saved as `key`; `id` is the one whose buttons are there, unless there are too many."""

    key: str
    id: str | None
    already: bool = False


def told_saved(request: Request) -> list[Told]:
    """The documents that a message calls saved."""
    if not request.text.startswith(SAVED):
        return []
    head, *rows = request.text.removeprefix(SAVED).split("\n")
    if not rows or not rows[0].startswith("• "):
        (id_,) = {about for _, about in ids(request)}
        return [Told(_key_in(head), id_, any("was there already" in row for row in rows))]
    found: list[str | None] = [id_ for verb, id_ in ids(request) if verb == "card"]
    items = [row.removeprefix("• ") for row in rows if row.startswith("• ")]
    return [
        Told(_key_in(item.removesuffix(_ALREADY)), id_, item.endswith(_ALREADY))
        for item, id_ in zip(items, found or [None] * len(items), strict=True)
    ]


def _key_in(item: str) -> str:
    return item.rpartition(", ")[0]


def told_renamed(request: Request) -> tuple[str, str] | None:
    """The document that a message says is called otherwise now, and how."""
    found = _RENAMED.fullmatch(request.text)
    return (next(id_ for _, id_ in ids(request)), found[2]) if found else None


def is_name_asked(request: Request) -> bool:
    """Whether a message asks what a document is to be called."""
    return "What shall" in request.text and "be called?" in request.text


def is_conflict(text: str) -> bool:
    """Whether a message asks what is to be done about an object of the same name; others may have its buttons, too."""
    return "Replace it, keep both, or cancel?" in text


def told_its_name(request: Request) -> str | None:
    """The name that a message says is that of the document asked about."""
    found = _NAME_SET.fullmatch(request.text)
    return found[1] if found else None


def told_deleted(request: Request) -> str | None:
    """The key that a message says is deleted."""
    found = _DELETED.fullmatch(request.text)
    return found[1] if found else None


def told_gone(request: Request) -> str | None:
    """The name of the file that a message says was gone before it could be deleted."""
    found = _GONE.fullmatch(request.text)
    return found[1] if found else None


def standings(request: Request) -> list[tuple[str, str]]:
    """Of each document in a `[document]` message, its name and how it stands; nothing if that isn't told."""
    if not request.text.startswith(TAKEN):
        return []
    head, *rows = request.text.removeprefix(TAKEN).split("\n")
    if not rows:
        return [(head, "")]
    if not rows[0].startswith("• "):
        return [(head, rows[0])]
    parts = [row.removeprefix("• ").partition(": ") for row in rows]
    return [(name, standing) for name, _, standing in parts]


def ids(request: Request) -> Iterator[tuple[str, str]]:
    """The verbs of a message's buttons, with the documents that they are about."""
    for button in (button for row in request.message.keyboard for button in row):
        verb, _, rest = button.data.partition(":")
        item = rest.partition(":")[0]
        if len(item) == 32:
            yield verb, item


class Shown:
    """All chats as they look by now; `names` are what each document has been called or may be."""

    def __init__(self) -> None:
        self.docs: dict[str, Doc] = {}
        self.messages: dict[tuple[Chat, int], Request] = {}
        self.last: dict[Chat, tuple[int, Request]] = {}
        self.names: defaultdict[str, set[str]] = defaultdict(set)

    def sent(self, doc: Doc) -> None:
        self.docs[doc.id] = doc
        self.names[doc.id].add(doc.name)

    def said(self, turn: int, request: Request) -> None:
        self.messages[request.chat, request.message_id] = request
        if not (request.kind == "edit" and request.text.startswith(TAKEN)):
            self.last[request.chat] = turn, request

    def of(self, chat: Chat, person: int) -> list[Doc]:
        """A person's documents in a chat."""
        return [doc for doc in self.docs.values() if doc.chat == chat and doc.owner == person]

    def about(self, chat: Chat, message_id: int | None) -> list[Doc]:
        """The documents that a message may be about, as far as can be seen: more of them rather than less."""
        here = [doc for doc in self.docs.values() if doc.chat == chat]
        # What was there already goes for what was sent before.
        sent = {doc.unique_id for doc in here if doc.message_id == message_id}
        own = [doc for doc in here if doc.unique_id in sent]
        request = self.messages.get((chat, message_id or 0))
        if own or request is None:
            return own
        said = {id_ for _, id_ in ids(request)}
        return [
            doc
            for doc in here
            if doc.id in said
            or doc.message_id == request.message.reply_to
            or any(name in request.text for name in self.names[doc.id])
        ]

    def listed(self, chat: Chat, message_id: int | None) -> list[Doc]:
        """The documents that a message has buttons for: it is about these for certain."""
        request = self.messages.get((chat, message_id or 0))
        said = {id_ for _, id_ in ids(request)} if request is not None else set()
        return [doc for id_, doc in self.docs.items() if id_ in said]
