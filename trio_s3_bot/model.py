"""
What all rooms share: values that say what came in, what is to be saved and where it is.

All of them are frozen and survive a trip through JSON (msgspec), because the inbox keeps them on disk.
Sizes are in bytes, times are Unix seconds.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field


class Secret:
    """
    A string that can't be printed by accident: a token, a key, a URL that carries one.

    `reveal()` is the only way to its value; `str`, `repr` and formatting show asterisks.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value itself, for the one call that needs it."""
        return self._value

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __repr__(self) -> str:
        return "Secret('***')"

    def __str__(self) -> str:
        return "***"

    def __format__(self, spec: str) -> str:
        return "***"

    def __reduce__(self) -> str | tuple[object, ...]:
        raise TypeError("a Secret is not pickled")


@dataclass(frozen=True, slots=True)
class Chat:
    """
    Where a conversation takes place. A forum topic is a chat of its own (`thread`), so ids never mix.

    `key` is unique over all messengers and is what the inbox keeps its rows by.
    """

    messenger: str
    id: int
    thread: int | None = None
    group: bool = False

    @property
    def key(self) -> str:
        return f"{self.messenger}:{self.id}" + (f":{self.thread}" if self.thread is not None else "")


@dataclass(frozen=True, slots=True)
class Sender:
    """Who wrote. `language` is the client's IETF tag, such as `ru` or `pt-br`, when the messenger tells it."""

    id: int
    username: str | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """
    A file as the messenger announced it; every field but the ids is what its sender claims.

    `file_id` fetches it, `unique_id` stays the same for the same file over time.
    """

    file_id: str = field(repr=False)  # it may hold a signed link
    unique_id: str
    file_name: str | None = None
    mime_type: str | None = None
    size: int | None = None


@dataclass(frozen=True, slots=True)
class Press:
    """A pressed button: `id` answers it, `data` is what the button carried, `message_id` where it hung."""

    id: str
    data: str
    message_id: int | None = None


@dataclass(frozen=True, slots=True)
class UpdateObj:
    """
    One update, as the conversation needs it, whatever the messenger.

    `addressed` is true for what a group member says to the bot itself: a command, a mention, a reply to one of
    its messages. `silent` marks what never gets an answer: service messages, edits, channel posts.
    `moved_to` is the new id of a group that became a supergroup. `meant` is the command that the text may stand for,
    where the messenger has none. `cropped`: the messenger has left something out, and nobody knows what before it is
    asked for.
    """

    messenger: str
    update_id: str
    chat: Chat
    sender: Sender | None = None
    message_id: int | None = None
    date: int = 0
    text: str | None = None
    caption: str | None = None
    documents: tuple[Document, ...] = ()
    press: Press | None = None
    reply_to: int | None = None
    album: str | None = None
    addressed: bool = False
    silent: bool = False
    moved_to: int | None = None
    meant: str | None = None
    cropped: bool = False


@dataclass(frozen=True, slots=True)
class Source:
    """
    Where the bytes of a document can be read: a URL or a local path, never both.

    `url` may carry a token. `hosts` are those that the URL and its redirects may lead to, they and what is below them;
    empty: the URL is read as it is, and no redirect is followed.
    `size` is what the messenger promises, `None` where it doesn't. `refuse_html` rejects an HTML answer, which some
    messengers give with status 200 in place of a file. `pages` are hosts that have pages only, and redirect to where a
    document is: what they give themselves is none.
    """

    url: Secret | None = None
    path: str | None = field(default=None, repr=False)  # a local Bot API server's folders are called by tokens
    size: int | None = None
    hosts: tuple[str, ...] = ()
    refuse_html: bool = False
    pages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """A finished part of a multipart upload. `crc32` is of its bytes, `None` where it wasn't computed by us."""

    number: int
    size: int
    etag: str
    crc32: int | None = None


class UploadState(enum.Enum):
    """Where a document is on its way. `ASKING` waits for an answer of its sender; the last three are final."""

    ASKING = "asking"
    WAITING = "waiting"
    RUNNING = "running"
    SAVED = "saved"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def final(self) -> bool:
        return self in (UploadState.SAVED, UploadState.FAILED, UploadState.CANCELLED)


@dataclass(frozen=True, slots=True)
class StoredObject:
    """What the store says of an object: its size, its ETag (with quotes), the bot's own metadata."""

    size: int
    etag: str
    metadata: dict[str, str] = field(default_factory=dict)
    content_type: str | None = None
    content_disposition: str | None = None


@dataclass(frozen=True, slots=True)
class Button:
    """An inline button: what it shows, and what comes back when it is pressed (at most 64 bytes of UTF-8)."""

    label: str
    data: str


Keyboard = tuple[tuple[Button, ...], ...]


@dataclass(frozen=True, slots=True)
class OutMessage:
    """
    A composed message: exactly what is said, committed before it is sent.

    `random_id` is positive, fits into 31 bits, is this message's alone and the same in all attempts: a messenger that
    supports it says the message only once. `reply_to` is the message it answers, if that is still there. `ask` invites
    an answer where the messenger can (its value is a hint at what to write); such a message has no keyboard.
    `edit_only`: without the message whose place it takes there is no need to say it.
    """

    text: str = field(repr=False)  # it may hold a link
    keyboard: Keyboard = ()
    reply_to: int | None = None
    random_id: int = 1
    ask: str | None = None
    edit_only: bool = False


@dataclass(frozen=True, slots=True)
class UploadJob:
    """
    One document to be saved, under `name` if that is free. `id` is the same over all attempts and restarts.

    `asked_name` is its name as sent where that could not be a key; `message_id` is the message that carried it.
    `prefix` comes before the name in the key. `policy`, if set, is what its sender wants done when the name is taken.
    """

    id: str
    chat: Chat
    document: Document
    name: str
    asked_name: str | None = None
    message_id: int | None = None
    prefix: str = ""
    policy: str | None = None
    owner: int | None = None
    album: str | None = None

    @property
    def key(self) -> str:
        return self.prefix + self.name


@dataclass(frozen=True, slots=True)
class Attempts:
    """
    What is on record about the attempts at an upload: the key last tried and the multipart upload under way there.

    `creating` without an `upload_id` says that a CreateMultipartUpload was sent whose answer is not on record; it holds
    the ids of the uploads that there were at that key before.
    `failures` counts the attempts that failed because of the document itself, not of an outage. `replacing`: the key
    was tried with leave to take the place of another object.
    """

    key: str | None = None
    upload_id: str | None = None
    part_size: int | None = None
    creating: frozenset[str] | None = None
    parts: tuple[Part, ...] = ()
    failures: int = 0
    replacing: bool = False


@dataclass(frozen=True, slots=True)
class SavedFile:
    """
    A document in the bucket: whose it is, what it is called there, and what the store said of it.

    `name` is what it was to be called, `key` what it is called; they differ in prefix, and in number if the name was
    taken. `saved_at` is in Unix seconds. `gone`: somebody has removed it from the bucket.
    """

    id: str
    chat: Chat
    owner: int | None
    name: str
    key: str
    size: int
    etag: str
    unique_id: str
    saved_at: float
    gone: bool = False
