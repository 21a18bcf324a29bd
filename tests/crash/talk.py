"""
One chat of the model: what people sent there, what the bot said, and whether that agrees with the bucket.

What becomes of a document is not foretold: people ask for this and that while the bot is killed, and much depends on
which came first. But whatever the chat was told last must be true, and every document must have got a last word.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from tests.sides import Side

from .said import (
    GREETING,
    REQUIRED,
    SAVED,
    TAKEN,
    UNDER_WAY,
    Said,
    cancelled_in,
    in_dialogue,
    listed,
    plain,
    removed,
    stems,
)


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
class Wish:
    """With the message `message_id` somebody wants a document to be called `name`."""

    document: Document
    name: str
    message_id: int


@dataclass(frozen=True)
class Removal:
    """Somebody said yes to the question whether `key` is to be deleted, with a message or by pressing the button."""

    key: str
    question: int
    message_id: int | None = None
    press: Any = None


@dataclass
class Talk:
    """
    One chat: the messages to be answered, and which of them opened it; the documents, and what people wanted of them.

    `may_go` are the contents of those that somebody wanted to cancel or delete. Where a messenger knows a message
    again, each thing is said once. Elsewhere nobody can tell a lost answer from a lost message, so a thing may be said
    twice in a row; nowhere may it be missing.
    """

    side: Side
    chat: Any
    texts: list[int] = field(default_factory=list)
    documents: list[Document] = field(default_factory=list)
    opened_by_text: int | None = None
    wishes: list[Wish] = field(default_factory=list)
    removals: list[Removal] = field(default_factory=list)
    may_go: set[str] = field(default_factory=set)
    listings: list[int] = field(default_factory=list)

    @property
    def answered(self) -> bool:
        """Whether nothing is left to say here."""
        said = self._said()
        replied = {message.reply_to for message in said if message.text.startswith(REQUIRED)}
        greeted = any(message.text.startswith(GREETING) for message in said)
        ended = sum(len(message.saved) for message in said) + self._cancelled
        whole = greeted and replied >= set(self._expected) and ended >= len(self.documents)
        return whole and not self._under_way and not list(self._unanswered(said))

    def problems(self, keys: Mapping[str, str], *, talkative: bool) -> Iterator[str]:
        """What is wrong here; `keys` are those of the objects by what is in them, `talkative` as in `Ledger`."""
        said = self._said()
        yield from self._wrong_greeting(said)
        yield from self._wrong_answers(said)
        yield from (f"it shows for ever: {text!r}" for text in self._under_way)
        yield from (f"nobody has heard what became of {wanted}" for wanted in self._unanswered(said))
        for message in said:
            expected = message.text.startswith((GREETING, REQUIRED, TAKEN, SAVED))
            if not expected and not (talkative and in_dialogue(message.text)):
                yield f"nobody should have heard {message.text!r}"
        for document in self.documents:
            key = keys.get(document.digest)
            if key is None and document.digest not in self.may_go:
                yield f"{document} has no object, and nobody wanted it to go"
            names = {document.name, *(wish.name for wish in self.wishes if wish.document == document)}
            if not any(names.intersection(message.taken) for message in said):
                yield f"{document} was never called taken"
            if not talkative:  # else others may have had its key before
                yield from _wrong_about(document, key, said)
        yield from self._disagreement(said, [keys[doc.digest] for doc in self.documents if doc.digest in keys])

    def names_of(self, document: Document) -> list[str]:
        """What a document may be called: what its sender wanted last if that was not refused, else anything wanted."""
        wanted = [wish for wish in self.wishes if wish.document == document]
        if wanted and not self._refused(wanted[-1], self._said()):
            return [wanted[-1].name]
        return [document.name, *(wish.name for wish in wanted)]

    def transcript(self) -> str:
        """What people said and sent, what the bot said, and what it put in the place of that."""
        bot = [(m.message_id, m.edited, f"bot to {m.reply_to}: {m.text}") for m in self._said()]
        people = [
            (m["message_id"], False, f"to {self._reply_to(m['message_id'])}: {m.get('text') or m}")
            for m in self.chat.messages
            if m not in self.chat.bot_messages
        ]
        shown = [(m["message_id"], True, f"now: {m['text']}") for m in self.chat.bot_messages]
        lines = sorted((*bot, *people, *shown), key=lambda line: line[:2])
        return "\n".join(f"{number}{' edited' if edited else ''} {text}" for number, edited, text in lines)

    @property
    def _expected(self) -> list[int]:
        """The texts that are answered one by one: all but the one that is answered with the greeting."""
        return [text for text in self.texts if text != self.opened_by_text]

    @property
    def _under_way(self) -> list[str]:
        """The messages that still show a document on its way."""
        texts = [message.get("text", "") for message in self.chat.bot_messages]
        return [text for text in texts if text.startswith(TAKEN) and any(mark in text for mark in UNDER_WAY)]

    @property
    def _cancelled(self) -> int:
        """How many documents the chat shows as cancelled."""
        return sum(cancelled_in(message.get("text", "")) for message in self.chat.bot_messages)

    def _said(self) -> list[Said]:
        """What the bot said and what it put in the place of that, without what it said twice in a row."""
        edit, send = self.side.names.edit, self.side.names.send
        said = [
            Said(plain(deed.text), deed.message_id, self._reply_to(deed.message_id), edited=deed.method == edit)
            for deed in self.chat.history
            if deed.method == send or (deed.method == edit and not deed.text.startswith(TAKEN))
        ]
        return [next(again) for _, again in groupby(said, (lambda s: s) if self.side.says_once else lambda s: s.words)]

    def _reply_to(self, message_id: int) -> int | None:
        return self.side.answered(self.chat.find(message_id) or {})

    def _wrong_greeting(self, said: list[Said]) -> Iterator[str]:
        greets = [message.text.startswith(GREETING) for message in said]
        if greets[:1] != [True] or sum(greets) != 1:
            yield f"the greeting is not the first that was said, or not said once: {[m.text for m in said]}"

    def _wrong_answers(self, said: list[Said]) -> Iterator[str]:
        """An answer that came too late to be one is just talk, and is told so too."""
        late = {wish.message_id for wish in self.wishes} | {removal.message_id for removal in self.removals}
        replies = [m.reply_to for m in said if m.text.startswith(REQUIRED) and m.reply_to not in late]
        if replies != self._expected:
            yield f"the messages {self._expected} were answered as {replies}"

    def _disagreement(self, said: list[Said], keys: list[str]) -> Iterator[str]:
        """What the chat was told is there must be there, and each document must be there, deleted or cancelled."""
        told = Counter(key for message in said for key in message.saved)
        for message in said:
            told.subtract(message.gone)
            told.update(message.came)
        deleted = sum(message.text.endswith(" is deleted.") for message in said)
        if +told != Counter(keys) or -told:
            yield f"the chat was told that there is {dict(+told)}, missing {dict(-told)}; in the bucket is {keys}"
        if len(keys) + deleted + self._cancelled != len(self.documents):
            ends = f"{len(keys)} saved, {deleted} deleted, {self._cancelled} cancelled"
            yield f"of {len(self.documents)} documents {ends}"
        for message_id in self.listings:
            answer = next((m for m in said if m.message_id > message_id and not m.edited and m.lists), None)
            if answer is None or listed(answer.text) != len(keys):
                yield f"of {len(keys)} files the list says {answer.text if answer else 'nothing'!r}"

    def _unanswered(self, said: list[Said]) -> Iterator[Wish | Removal]:
        """What people wanted and have not heard of."""
        called = {key for message in said for key in (*message.saved, *message.came)}
        for wish in self.wishes:
            last = [other for other in self.wishes if other.document == wish.document][-1] is wish
            accepted = any(m.reply_to == wish.message_id and m.accepts for m in said)
            if accepted and last and wish.document.digest not in self.may_go:
                if not any(wish.name in stems(key) for key in called):
                    yield wish
            elif not accepted and not self._refused(wish, said) and wish.name not in called:
                yield wish
        yield from (removal for removal in self.removals if not _is_settled(removal, said))

    def _refused(self, wish: Wish, said: list[Said]) -> bool:
        """Whether a name was refused: at once, or when it turned out that there is another object of that name."""
        at_once = any(m.reply_to == wish.message_id and not m.accepts for m in said)
        taken = [m for m in said if m.says_taken and m.message_id > wish.message_id]
        return at_once or any(m.reply_to == wish.document.message_id for m in taken)


def _wrong_about(document: Document, key: str | None, said: list[Said]) -> Iterator[str]:
    """A document is first called taken and then saved, and what speaks of it alone answers its message."""
    taken = [index for index, message in enumerate(said) if document.name in message.taken]
    saved = [index for index, message in enumerate(said) if key in message.saved]
    if taken and saved and taken[0] > saved[0]:
        yield f"{document} was called saved before it was called taken"
    for index in saved:
        if len(said[index].saved) == 1 and said[index].reply_to != document.message_id:
            yield f"that {document} is saved was said in answer to {said[index].reply_to}"


def _is_settled(removal: Removal, said: list[Said]) -> bool:
    if removal.press is not None:
        refused = removal.press.answer is not None and bool(removal.press.answer.get("text"))
        return refused or any(m.message_id == removal.question and removed(m.text) for m in said)
    message_id = removal.message_id or 0
    replied = any(m.reply_to == message_id for m in said)
    return replied or any(m.message_id > message_id and m.gone == [removal.key] for m in said)
