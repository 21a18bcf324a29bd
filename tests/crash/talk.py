"""
One chat of the model: what people sent there, what the bot said, and whether that agrees with the bucket.

What becomes of a document is not foretold: people ask for this and that while the bot is killed, and much depends on
which came first. But whatever the chat was told last must be true, and every document must have got a last word.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from tests.sides import Side

from .fates import Fate, Fates
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
    stems,
)
from .wanted import Document, Removal, Replacement, Wish


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
    replacements: list[Replacement] = field(default_factory=list)
    may_go: set[str] = field(default_factory=set)
    listings: list[int] = field(default_factory=list)

    @property
    def answered(self) -> bool:
        """Whether nothing is left to say here."""
        said = self._said()
        replied = {message.reply_to for message in said if message.text.startswith(REQUIRED)}
        greeted = any(message.text.startswith(GREETING) for message in said)
        ended = len(self._fates(said).untold()) <= self._cancelled
        whole = greeted and replied >= set(self._expected) and ended
        return whole and not self._under_way and not list(self._unanswered(said))

    def problems(
        self, keys: Mapping[str, str], replaced: Callable[[Document, str], bool], *, talkative: bool
    ) -> Iterator[str]:
        """
        What is wrong here; `keys` are those of the objects by what is in them, `talkative` as in `Ledger`.

        `replaced` tells whether another document may stand, or have stood, in the place of one under a key.
        """
        said = self._said()
        yield from self._wrong_greeting(said)
        yield from self._wrong_answers(said)
        yield from (f"it shows for ever: {text!r}" for text in self._under_way)
        yield from (f"nobody has heard what became of {wanted}" for wanted in self._unanswered(said))
        for message in said:
            expected = message.text.startswith((GREETING, REQUIRED, TAKEN, SAVED))
            if not expected and not (talkative and in_dialogue(message.text)):
                yield f"nobody should have heard {message.text!r}"
        yield from self._never_taken(said)
        yield from self._disagreement(said, keys, replaced)
        fates = self._fates(said, keys)
        yield from self._split_albums(fates)
        if not talkative:  # else others may have had its key before
            yield from (wrong for doc in self.documents for wrong in _wrong_about(doc, fates.of(doc), said))

    def stood(self, document: Document) -> set[str]:
        """The keys that the chat was told a document has had."""
        return self._fates(self._said()).of(document).keys

    def may_replace(self, document: Document, key: str) -> bool:
        """Whether its sender has said that a document may take the place of an object."""
        return any(said.document == document and said.key == key for said in self.replacements)

    def names_of(self, document: Document) -> list[str]:
        """What a document may be called: what its sender wanted last if that was not refused, else anything wanted."""
        wanted = [wish for wish in self.wishes if wish.document == document]
        if wanted and not self._refused(wanted[-1], self._said()):
            return [wanted[-1].name]
        return self.all_names_of(document)

    def all_names_of(self, document: Document) -> list[str]:
        """What a document was called, or was to be called."""
        return [document.name, *(wish.name for wish in self.wishes if wish.document == document)]

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
        said = self._all_said()
        return [next(again) for _, again in groupby(said, (lambda s: s) if self.side.says_once else lambda s: s.words)]

    def _all_said(self) -> list[Said]:
        edit, send = self.side.names.edit, self.side.names.send
        return [
            Said(
                plain(deed.text),
                deed.message_id,
                self._reply_to(deed.message_id),
                edited=deed.method == edit,
                about=() if deed.method == edit else self._about(deed.message_id),
            )
            for deed in self.chat.history
            if deed.method == send or (deed.method == edit and not deed.text.startswith(TAKEN))
        ]

    def _about(self, message_id: int) -> tuple[str, ...]:
        """The documents that the buttons of a message are about, each once."""
        rows = self.side.keyboard(self.chat.find(message_id) or {})
        carried = (data.split(":") for row in rows for _, data in row)
        known = {document.id for document in self.documents}
        return tuple(dict.fromkeys(part for parts in carried for part in parts if part in known))

    def _fates(self, said: list[Said], where: Mapping[str, str] = {}) -> Fates:
        return Fates(self.documents, self.wishes, self.removals, said, where)

    def _reply_to(self, message_id: int) -> int | None:
        return self.side.answered(self.chat.find(message_id) or {})

    def _wrong_greeting(self, said: list[Said]) -> Iterator[str]:
        greets = [message.text.startswith(GREETING) for message in said]
        if greets[:1] != [True] or sum(greets) != 1:
            yield f"the greeting is not the first that was said, or not said once: {[m.text for m in said]}"

    def _wrong_answers(self, said: list[Said]) -> Iterator[str]:
        """An answer that came too late to be one is just talk, and is told so too."""
        answers: list[Wish | Removal | Replacement] = [*self.wishes, *self.removals, *self.replacements]
        late = {answer.message_id for answer in answers}
        replies = [m.reply_to for m in said if m.text.startswith(REQUIRED) and m.reply_to not in late]
        if replies != self._expected:
            yield f"the messages {self._expected} were answered as {replies}"

    def _never_taken(self, said: list[Said]) -> Iterator[str]:
        """Each document is called taken, and those that were sent together in one message."""
        shown = (Said(plain(message.get("text", "")), 0, None) for message in self.chat.bot_messages)
        taken = [set(message.taken) for message in (*said, *shown)]
        for document in self.documents:
            together = [other for other in self.documents if other == document or other.album == document.album]
            group = together if document.album else [document]
            if not any(all(names.intersection(self.all_names_of(one)) for one in group) for names in taken):
                yield f"{document} was never called taken{' with those of its album' if document.album else ''}"

    def _split_albums(self, fates: Fates) -> Iterator[str]:
        """Documents of one message are called saved in one, too. Those of Telegram's albums come one by one."""
        for album in {document.album for document in self.documents} if self.side.name == "vk" else ():
            together = [document for document in self.documents if album and document.album == album]
            if len({message.message_id for document in together for message in fates.of(document).calls}) > 1:
                yield f"the documents of message {together[0].message_id} were called saved one by one"

    def _disagreement(
        self, said: list[Said], keys: Mapping[str, str], replaced: Callable[[Document, str], bool]
    ) -> Iterator[str]:
        """Each document is where the chat was told last that it is, or somebody wanted it to go."""
        fates = self._fates(said, keys)
        for document in self.documents:
            key, fate = keys.get(document.digest), fates.of(document)
            if key is not None and fate.key != key:
                yield f"the chat was told that {document} is {fate.key!r}, and it is {key!r}"
            elif key is None:
                yield from self._wrongly_gone(document, fate, replaced)
        untold = len(fates.untold())
        if untold != self._cancelled:
            yield f"{untold} documents were neither called saved nor deleted, and {self._cancelled} cancelled"
        there = sum(document.digest in keys for document in self.documents)
        yield from self._wrong_lists(said, there)

    def _wrongly_gone(self, document: Document, fate: Fate, replaced: Callable[[Document, str], bool]) -> Iterator[str]:
        if fate.key is not None and not replaced(document, fate.key):
            yield f"{document} was called {fate.key!r}, and is not there, nor is what may have replaced it"
        if fate.key is None and document.digest not in self.may_go:
            yield f"{document} has no object, and nobody wanted it to go"
        if fate.was_gone and not any(replaced(document, key) for key in fate.keys):
            yield f"{document} was gone before it was deleted"

    def _wrong_lists(self, said: list[Said], there: int) -> Iterator[str]:
        for message_id in self.listings:
            answer = next((m for m in said if m.message_id > message_id and not m.edited and m.lists), None)
            if answer is None or listed(answer.text) != there:
                yield f"of {there} files the list says {answer.text if answer else 'nothing'!r}"

    def _unanswered(self, said: list[Said]) -> Iterator[Wish | Removal]:
        """What people wanted and have not heard of."""
        called = {key for message in said for key in (*message.saved, *(message.renamed or ()))}
        for wish in self.wishes:
            last = [other for other in self.wishes if other.document == wish.document][-1] is wish
            accepted = any(m.reply_to == wish.message_id and m.accepts for m in said)
            if any(m.missing and m.message_id > wish.message_id for m in said):
                continue  # what was to be renamed may have been replaced
            if accepted and last and wish.document.digest not in self.may_go:
                if not any(wish.name in stems(key) for key in called):
                    yield wish
            elif not accepted and not self._refused(wish, said) and wish.name not in called:
                yield wish
        yield from (removal for removal in self.removals if not _is_settled(removal, said))

    def _refused(self, wish: Wish, said: list[Said]) -> bool:
        """
        Whether a name was refused: at once, or when it turned out that there is another object of that name.

        That is said in the same words as often as it is so; what was said twice is not left out here.
        """
        at_once = any(m.reply_to == wish.message_id and not m.accepts for m in said)
        taken = [m for m in self._all_said() if m.says_taken and m.message_id > wish.message_id]
        return at_once or any(m.reply_to == wish.document.message_id for m in taken)


def _wrong_about(document: Document, fate: Fate, said: list[Said]) -> Iterator[str]:
    """A document is first called taken and then saved, and what speaks of it alone answers its message."""
    taken = [index for index, message in enumerate(said) if document.name in message.taken]
    saved = [said.index(message) for message in fate.calls]
    if taken and saved and taken[0] > saved[0] and not document.album:
        yield f"{document} was called saved before it was called taken"
    for message in fate.calls:
        if len(message.saved) == 1 and message.reply_to != document.message_id:
            yield f"that {document} is saved was said in answer to {message.reply_to}"


def _is_settled(removal: Removal, said: list[Said]) -> bool:
    if removal.press is not None:
        refused = removal.press.answer is not None and bool(removal.press.answer.get("text"))
        return refused or any(m.message_id == removal.question and _is_gone(m) for m in said)
    message_id = removal.message_id or 0
    replied = any(m.reply_to == message_id for m in said)
    return replied or any(m.message_id > message_id and removal.key in (m.deleted, m.was_gone, m.missing) for m in said)


def _is_gone(message: Said) -> bool:
    return any((message.deleted, message.was_gone, message.missing))
