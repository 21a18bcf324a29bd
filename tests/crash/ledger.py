"""
The model: what people sent, and what must be true of chats and bucket in the end, however often the bot was killed.

Messages may be said twice, because nobody can tell a lost answer from a lost message; none may be missing.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import PurePosixPath

from trio_s3_bot.sandbox.telegram import Chat, Content, Telegram, User

GREETING, REQUIRED, TAKEN, SAVED = "[greeting]", "[document is required]", "[document] ", "[document has been saved] "
UNDER_WAY = ("▰", "▱", " so far", "being saved", "waiting for its turn")
_FOLDED = re.compile(r"\d+ files?( taken, saving them)?:")
_SIZE = re.compile(r", [\d.,]+ \w+$")
_RENAMED = re.compile(r": got it, saving it( as .*)?\.$", re.DOTALL)
_ISOLATES = str.maketrans("", "", "\u2068\u2069")


@dataclass(frozen=True)
class Document:
    """A document that was sent, under a name that can be a key as it is."""

    chat: int
    message_id: int
    name: str
    digest: str


@dataclass(frozen=True)
class Said:
    """A message that the bot sent, as it was when it was sent."""

    text: str
    reply_to: int | None

    @property
    def items(self) -> list[str]:
        """What the message is about: one document, or the list of them."""
        head, *rows = self.text.translate(_ISOLATES).split("\n")
        about = head.removeprefix(TAKEN).removeprefix(SAVED)
        return [row.removeprefix("• ") for row in rows] if _FOLDED.fullmatch(about) else [about]

    @property
    def taken(self) -> list[str]:
        """The names of the documents that it calls taken."""
        return [_RENAMED.sub("", item) for item in self.items] if self.text.startswith(TAKEN) else []

    @property
    def saved(self) -> list[str]:
        """The keys of the documents that it calls saved."""
        return [_SIZE.sub("", item) for item in self.items] if self.text.startswith(SAVED) else []


@dataclass
class _Talk:
    """One chat: the messages to be answered, and which of them opened it."""

    chat: Chat
    texts: list[int] = field(default_factory=list)
    documents: list[Document] = field(default_factory=list)
    opened_by_text: int | None = None

    @property
    def expected(self) -> list[int]:
        """The texts that are answered one by one: all but the one that is answered with the greeting."""
        return [text for text in self.texts if text != self.opened_by_text]

    @property
    def said(self) -> list[Said]:
        return [
            Said(deed.text or "", self._reply_to(deed.message_id))
            for deed in self.chat.history
            if deed.method == "sendMessage"
        ]

    @property
    def under_way(self) -> list[str]:
        """The messages that still show a document on its way."""
        texts = [message.get("text", "") for message in self.chat.bot_messages]
        return [text for text in texts if text.startswith(TAKEN) and any(mark in text for mark in UNDER_WAY)]

    def _reply_to(self, message_id: int | None) -> int | None:
        message = self.chat.find(message_id or 0) or {}
        replied = message.get("reply_to_message", {}).get("message_id")
        return None if replied is None else int(replied)


class Ledger:
    """Sends what people send, writes it down, and compares."""

    def __init__(self, telegram: Telegram) -> None:
        self._telegram = telegram
        self._talks: dict[int, _Talk] = {}
        self._others: set[str] = set()

    def text(self, chat: Chat, user: User, text: str) -> None:
        """Somebody says something to the bot."""
        talk, opens = self._talk(chat)
        message_id = chat.say(user, text)["message_id"]
        talk.texts.append(message_id)
        if opens:
            talk.opened_by_text = message_id

    def aside(self, chat: Chat, user: User, text: str) -> None:
        """Somebody in a group says something that is none of the bot's business."""
        chat.say(user, text)

    def document(self, chat: Chat, user: User, name: str, content: Content | bytes) -> None:
        """Somebody sends a document; no other one may have these bytes."""
        talk, _ = self._talk(chat)
        content = content if isinstance(content, Content) else Content.of(content)
        message = chat.send_document(user, name, content)
        talk.documents.append(Document(chat.id, message["message_id"], name, content.sha256()))

    def other(self, key: str) -> None:
        """Another program has written an object."""
        self._others.add(key)

    @property
    def done(self) -> bool:
        """Whether the bot has nothing left to do, as far as the chats show."""
        queue = self._telegram.updates
        return not queue.pending and queue.polled and all(_answered(talk) for talk in self._talks.values())

    def problems(self, objects: dict[str, str], uploads: list[str]) -> list[str]:
        """What is wrong in the end; `objects`: SHA-256 of all objects by key, `uploads`: keys of unfinished ones."""
        keys = {digest: key for key, digest in objects.items()}
        return [
            *(f"multipart upload to {key!r} left behind" for key in uploads),
            *self._bucket_problems(objects),
            *self._queue_problems(),
            *(f"{talk.chat.id}: {wrong}" for talk in self._talks.values() for wrong in _wrong_in(talk, keys)),
        ]

    def _talk(self, chat: Chat) -> tuple[_Talk, bool]:
        """The chat's page of the ledger, and whether it is a new one."""
        opens = chat.id not in self._talks
        return self._talks.setdefault(chat.id, _Talk(chat)), opens

    def _bucket_problems(self, objects: dict[str, str]) -> Iterator[str]:
        documents = {document.digest: document for talk in self._talks.values() for document in talk.documents}
        copies = Counter(objects.values())
        for digest, document in documents.items():
            if copies[digest] != 1:
                yield f"{document.name!r} of message {document.message_id} has {copies[digest]} objects"
        for key, digest in objects.items():
            if digest not in documents and key not in self._others:
                yield f"{key!r} is nobody's document, or not whole"
            elif digest in documents and not _is_right(key, documents[digest].name, objects):
                yield f"{documents[digest].name!r} is called {key!r}"

    def _queue_problems(self) -> Iterator[str]:
        queue = self._telegram.updates
        if queue.pending:
            yield f"{len(queue.pending)} updates are not acknowledged"
        offset = self._telegram.calls("getUpdates")[-1].params.get("offset")
        if offset != queue.next_id:
            yield f"the offset is {offset}, the next update will be {queue.next_id}"


def _answered(talk: _Talk) -> bool:
    said = talk.said
    replied = {message.reply_to for message in said if message.text.startswith(REQUIRED)}
    saved = {key for message in said for key in message.saved}
    greeted = any(message.text.startswith(GREETING) for message in said)
    whole = greeted and replied >= set(talk.expected) and len(saved) >= len(talk.documents)
    return whole and not talk.under_way


def _wrong_in(talk: _Talk, keys: dict[str, str]) -> Iterator[str]:
    """What is wrong in a chat; `keys` are the objects' by what is in them."""
    said = talk.said
    kinds = [kind for kind, _ in groupby(message.text.startswith(GREETING) for message in said)]
    if kinds[:1] != [True] or len(kinds) > 2:
        yield f"the greeting is not the first that was said, or not said once: {[message.text for message in said]}"
    yield from _wrong_answers(talk, said)
    yield from (f"it shows for ever: {text!r}" for text in talk.under_way)
    for message in said:
        if not message.text.startswith((GREETING, REQUIRED, TAKEN, SAVED)):
            yield f"nobody should have heard {message.text!r}"
    for document in talk.documents:
        yield from _wrong_about(document, keys.get(document.digest), said)


def _wrong_answers(talk: _Talk, said: list[Said]) -> Iterator[str]:
    replies = [message.reply_to for message in said if message.text.startswith(REQUIRED)]
    in_order = [reply_to for reply_to, _ in groupby(replies)]
    if in_order != talk.expected:
        yield f"the messages {talk.expected} were answered as {in_order}"


def _wrong_about(document: Document, key: str | None, said: list[Said]) -> Iterator[str]:
    """A document is first called taken and then saved, and what speaks of it alone answers its message."""
    what = f"{document.name!r} of message {document.message_id}"
    taken = [index for index, message in enumerate(said) if document.name in message.taken]
    saved = [index for index, message in enumerate(said) if key in message.saved]
    if not taken or not saved:
        yield f"{what} was {'never called taken' if not taken else 'never called saved'}"
    elif taken[0] > saved[0]:
        yield f"{what} was called saved before it was called taken"
    for index in saved:
        if len(said[index].saved) == 1 and said[index].reply_to != document.message_id:
            yield f"that {what} is saved was said in answer to {said[index].reply_to}"


def _is_right(key: str, name: str, objects: dict[str, str]) -> bool:
    """Its own name, or the first number that was free, so that all lower ones are taken."""
    names = [name]
    while names[-1] in objects:
        if names[-1] == key:
            return True
        names.append(_numbered(name, len(names)))
    return False


def _numbered(name: str, number: int) -> str:
    path = PurePosixPath(name)
    return f"{path.stem} ({number}){path.suffix}"
