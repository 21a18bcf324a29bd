"""What the chat page needs of a messenger. An emulator that offers a `Desk` can be plugged in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NotRequired, Protocol, TypedDict

from .world import Changes, Content


@dataclass(frozen=True)
class Person:
    """Somebody the page can be. `id` is unique within the messenger, `language` an IETF tag."""

    id: str
    name: str
    language: str


class Button(TypedDict):
    """An inline button: `data` is pressed, `url` is opened."""

    text: str
    data: NotRequired[str]
    url: NotRequired[str]


class Attachment(TypedDict):
    """A file in a message: `kind` as the messenger calls it, `size` in bytes."""

    kind: str
    name: str
    size: int


class Quote(TypedDict):
    """The message that another one replies to, in short."""

    id: int
    author: str
    text: str


class Bubble(TypedDict):
    """
    One message as the page draws it. `time` is in Unix seconds, offsets of `entities` in UTF-16 units.

    `taken` is false while the bot hasn't confirmed it, `ask` is the placeholder of a question that wants a reply,
    `keyboard` a keyboard below the input: rows of texts, or none to take the last one away.
    """

    id: int
    mine: bool
    author: str
    text: str
    time: int
    entities: NotRequired[list[dict[str, Any]]]
    edited: NotRequired[bool]
    taken: NotRequired[bool]
    quote: NotRequired[Quote]
    files: NotRequired[list[Attachment]]
    buttons: NotRequired[list[list[Button]]]
    ask: NotRequired[str]
    keyboard: NotRequired[list[list[str]]]


@dataclass(frozen=True)
class Upload:
    """
    A file to send. `photo`: as a picture rather than as a file.

    `album` is the same for files that are sent at once, `album_size` how many they are.
    """

    name: str
    mime_type: str | None
    content: Content
    photo: bool = False
    caption: str | None = None
    album: str | None = None
    album_size: int = 1
    reply_to: int | None = None


class Albums:
    """
    Files that people send at once, as clients do: when the last has come, or when the person does something else.
    """

    def __init__(self) -> None:
        self._waiting: dict[str, list[Upload]] = {}

    def add(self, person: str, upload: Upload) -> Iterator[list[Upload]]:
        """What is to be sent now that this file has come; a file that is in no album goes alone."""
        waiting = self._waiting.get(person)
        if waiting and waiting[0].album != upload.album:
            yield self.take(person)
        album = self._waiting.setdefault(person, [])
        album.append(upload)
        if upload.album is None or len(album) >= upload.album_size:
            yield self.take(person)

    def take(self, person: str) -> list[Upload]:
        """What has come of an album, to be sent as it is."""
        return self._waiting.pop(person, [])


@dataclass(frozen=True)
class Status:
    """Whether a bot listens now, and what it says it is doing; `acts` counts how often it said so."""

    listening: bool
    activity: str
    acts: int


class Desk(Protocol):
    """
    One messenger, seen from the people's side. Unknown people and messages are `KeyError`s.

    What a person can't do now (write to a bot that was blocked, press a button that is gone) is a `ValueError`.
    """

    changes: Changes
    messenger: str
    title: str

    def people(self) -> list[Person]: ...
    def add_person(self, name: str, language: str) -> Person: ...
    def change_person(self, person: str, *, name: str | None, language: str | None) -> None: ...
    def status(self, person: str) -> Status: ...
    def bubbles(self, person: str, newest: int) -> list[Bubble]:
        """The newest messages of the person's chat with the bot, oldest first."""

    def say(self, person: str, text: str, reply_to: int | None) -> None: ...
    def send(self, person: str, upload: Upload) -> None: ...
    async def press(self, person: str, message_id: int, data: str) -> dict[str, Any]:
        """Press a button and wait for what the bot answers: `text`, and whether it is an alert (`show_alert`)."""

    def attachment(self, person: str, message_id: int, index: int) -> tuple[str, Content]:
        """The name and the bytes of a file in a message, counted from 0."""
