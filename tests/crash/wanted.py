"""What people sent to a chat, and what they wanted of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.sides import Side
from trio_s3_bot.conversation import upload_id
from trio_s3_bot.model import Chat
from trio_s3_bot.model import Document as Announced


@dataclass(frozen=True)
class Place:
    """Where somebody writes: a chat of one of the messengers, and who it is."""

    side: Side
    chat: Any
    person: Any


@dataclass(frozen=True)
class Document:
    """
    A document that was sent, under a name that can be a key as it is. `id` is what buttons know it by.

    Those of one `album` were sent together, in VK with one message.
    """

    message_id: int
    id: str
    name: str
    digest: str
    album: str | None = None

    def __str__(self) -> str:
        return f"{self.name!r} of message {self.message_id}"


@dataclass(frozen=True)
class Wish:
    """With the message `message_id` somebody wants a document to be called `name`."""

    document: Document
    name: str
    message_id: int


@dataclass(frozen=True)
class Removal:
    """Somebody said yes to the question whether `key` is to be deleted, with a message or by pressing the button."""

    document: Document
    key: str
    question: int
    message_id: int | None = None
    press: Any = None


@dataclass(frozen=True)
class Replacement:
    """
    Somebody said, with the message `message_id` or by pressing the button, that the object `key` may be replaced by a
    document.
    """

    document: Document
    key: str
    message_id: int | None = None


def button_id(side: Side, chat: Any, message: Mapping[str, Any], index: int) -> str:
    """What buttons know a sent document by; it is the one at `index` of its message."""
    document = message["document"] if side.name == "telegram" else message["attachments"][index]["doc"]
    unique_id = document["file_unique_id"] if side.name == "telegram" else f"{document['owner_id']}_{document['id']}"
    return upload_id(Chat(side.name, chat.id), message["message_id"], index, Announced("", unique_id))
