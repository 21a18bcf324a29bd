"""What a chat was told of each document, one thing after the other: the last of it must be true in the end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from .said import Said, stems
from .wanted import Document, Removal, Wish


@dataclass
class Fate:
    """
    What was told of one document: the key under which it stands (`None`: under none, or no more), all the keys that it
    has had, and in which messages it was called saved. `was_gone`: when it was to be deleted, it was there no more.
    """

    key: str | None = None
    keys: set[str] = field(default_factory=set)
    calls: list[Said] = field(default_factory=list)
    deleted: bool = False
    was_gone: bool = False

    @property
    def told(self) -> bool:
        """Whether it was told that the document is, or was, in the bucket."""
        return self.key is not None or self.deleted

    def stands(self, *keys: str) -> None:
        """It has had all these keys, and stands under the last one."""
        self.keys.update(keys)
        self.key = keys[-1]


class Fates:
    """
    The fates of a chat's documents, by what buttons know them by.

    `where` are the keys under which they are found in the end, as far as that is known: of a message that speaks of so
    many that it has no buttons for them, that tells which it means. It means none that another message has buttons for.
    """

    def __init__(
        self,
        documents: Sequence[Document],
        wishes: Sequence[Wish],
        removals: Sequence[Removal],
        said: Sequence[Said],
        where: Mapping[str, str],
    ) -> None:
        self._documents, self._wishes, self._removals = documents, wishes, removals
        self._where = where
        self._replied = {message.reply_to for message in said}
        self._fates = {document.id: Fate() for document in documents}
        self._shown = {id_ for message in said if _has_buttons_for_all(message) for id_ in message.about}
        for message in said:
            self._read(message)

    def of(self, document: Document) -> Fate:
        return self._fates[document.id]

    def untold(self) -> list[Document]:
        """The documents that were not called saved, nor deleted."""
        return [document for document in self._documents if not self.of(document).told]

    def _read(self, message: Said) -> None:
        for key, fate in zip(message.saved, self._called(message), strict=True):
            fate.calls.append(message)
            fate.stands(key)
        if message.renamed:
            self._fates[message.about[0]].stands(*message.renamed)
        removal = self._removal_in(message) if message.deleted or message.was_gone else None
        if removal is not None:
            fate = self.of(removal.document)
            fate.keys.add(removal.key)
            fate.key, fate.deleted, fate.was_gone = None, True, message.was_gone is not None

    def _called(self, message: Said) -> Iterator[Fate]:
        """The fates of those that a message calls saved."""
        for index, key in enumerate(message.saved):
            yield self._fates[message.about[index]] if _has_buttons_for_all(message) else self._guessed(key)

    def _guessed(self, key: str) -> Fate:
        unshown = [document for document in self._documents if document.id not in self._shown]
        waiting = [document for document in unshown if not self.of(document).calls]
        for fits in (self._is_there, self._may_be):
            for document in waiting:
                if fits(document, key):
                    return self.of(document)
        return Fate()

    def _is_there(self, document: Document, key: str) -> bool:
        return self._where.get(document.digest) == key

    def _may_be(self, document: Document, key: str) -> bool:
        names = {document.name, *(wish.name for wish in self._wishes if wish.document == document)}
        return not names.isdisjoint(stems(key))

    def _removal_in(self, message: Said) -> Removal | None:
        """Said in the place of the question whose button was pressed; else after the word that was typed."""
        for removal in self._removals:
            pressed = removal.press is not None and message.edited and message.message_id == removal.question
            if pressed or self._is_typed(removal, message):
                return removal
        return None

    def _is_typed(self, removal: Removal, message: Said) -> bool:
        """What is done is no reply to the word; what isn't is."""
        if removal.message_id is None or message.edited or removal.message_id in self._replied:
            return False
        key = message.deleted or message.was_gone
        late = removal.message_id < message.message_id
        return late and removal.key == key and not self.of(removal.document).deleted


def _has_buttons_for_all(message: Said) -> bool:
    """Whether it is known which documents a message calls saved."""
    return bool(message.saved) and len(message.about) == len(message.saved)
