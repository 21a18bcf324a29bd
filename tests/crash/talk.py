"""One chat of the model: what people sent there, what the bot said, and whether it said what it should."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from tests.sides import Side

GREETING, REQUIRED, TAKEN, SAVED = "[greeting]", "[document is required]", "[document] ", "[document has been saved] "
UNDER_WAY = ("▰", "▱", " so far", "being saved", "waiting for its turn")
_FOLDED = re.compile(r"\d+ files?( taken, saving them)?:")
_SIZE = re.compile(r", [\d.,]+ \w+$")
_RENAMED = re.compile(r": got it, saving it( as .*)?\.$", re.DOTALL)
_ISOLATES = str.maketrans("", "", "\u2068\u2069")


@dataclass(frozen=True)
class Place:
    """Where somebody writes: a chat of one of the messengers, and who it is."""

    side: Side
    chat: Any
    person: Any


@dataclass(frozen=True)
class Document:
    """A document that was sent, under a name that can be a key as it is."""

    message_id: int
    name: str
    digest: str

    def __str__(self) -> str:
        return f"{self.name!r} of message {self.message_id}"


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
class Talk:
    """
    One chat: the messages to be answered, and which of them opened it.

    Where a messenger knows a message again, each thing is said once. Elsewhere nobody can tell a lost answer from a
    lost message, so a thing may be said twice; nowhere may it be missing.
    """

    side: Side
    chat: Any
    texts: list[int] = field(default_factory=list)
    documents: list[Document] = field(default_factory=list)
    opened_by_text: int | None = None

    @property
    def answered(self) -> bool:
        """Whether nothing is left to say here."""
        said = self._said()
        replied = {message.reply_to for message in said if message.text.startswith(REQUIRED)}
        saved = {key for message in said for key in message.saved}
        greeted = any(message.text.startswith(GREETING) for message in said)
        whole = greeted and replied >= set(self._expected) and len(saved) >= len(self.documents)
        return whole and not self._under_way

    def problems(self, keys: Mapping[str, str]) -> Iterator[str]:
        """What is wrong here; `keys` are those of the objects by what is in them."""
        said = self._said()
        yield from self._wrong_greeting(said)
        yield from self._wrong_answers(said)
        yield from (f"it shows for ever: {text!r}" for text in self._under_way)
        for message in said:
            if not message.text.startswith((GREETING, REQUIRED, TAKEN, SAVED)):
                yield f"nobody should have heard {message.text!r}"
        for document in self.documents:
            yield from _wrong_about(document, keys.get(document.digest), said)
        if self.side.says_once:
            yield from _said_again("taken", (name for message in said for name in message.taken), self.documents)
            yield from _said_again("saved", (key for message in said for key in message.saved), self.documents)

    @property
    def _expected(self) -> list[int]:
        """The texts that are answered one by one: all but the one that is answered with the greeting."""
        return [text for text in self.texts if text != self.opened_by_text]

    @property
    def _under_way(self) -> list[str]:
        """The messages that still show a document on its way."""
        texts = [message.get("text", "") for message in self.chat.bot_messages]
        return [text for text in texts if text.startswith(TAKEN) and any(mark in text for mark in UNDER_WAY)]

    def _said(self) -> list[Said]:
        sent = [deed for deed in self.chat.history if deed.method == self.side.names.send]
        return [Said(deed.text or "", self.side.answered(self.chat.find(deed.message_id) or {})) for deed in sent]

    def _wrong_greeting(self, said: list[Said]) -> Iterator[str]:
        greets = [message.text.startswith(GREETING) for message in said]
        begun = greets if self.side.says_once else [greeting for greeting, _ in groupby(greets)]
        if begun[:1] != [True] or sum(begun) != 1:
            yield f"the greeting is not the first that was said, or not said once: {[m.text for m in said]}"

    def _wrong_answers(self, said: list[Said]) -> Iterator[str]:
        replies = [message.reply_to for message in said if message.text.startswith(REQUIRED)]
        in_order = replies if self.side.says_once else [reply_to for reply_to, _ in groupby(replies)]
        if in_order != self._expected:
            yield f"the messages {self._expected} were answered as {in_order}"


def _wrong_about(document: Document, key: str | None, said: list[Said]) -> Iterator[str]:
    """A document is first called taken and then saved, and what speaks of it alone answers its message."""
    taken = [index for index, message in enumerate(said) if document.name in message.taken]
    saved = [index for index, message in enumerate(said) if key in message.saved]
    if not taken or not saved:
        yield f"{document} was {'never called taken' if not taken else 'never called saved'}"
    elif taken[0] > saved[0]:
        yield f"{document} was called saved before it was called taken"
    for index in saved:
        if len(said[index].saved) == 1 and said[index].reply_to != document.message_id:
            yield f"that {document} is saved was said in answer to {said[index].reply_to}"


def _said_again(what: str, names: Iterable[str], documents: list[Document]) -> Iterator[str]:
    """Where a message is said once, there are as many of these words as documents."""
    counts = Counter(names)
    if counts.total() > len(documents):
        yield f"{len(documents)} documents were called {what} as {dict(counts)}"
