"""The model: what people sent, and what must be true of chats and bucket in the end, whenever the bot was killed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from tests.sides import Side
from trio_s3_bot.sandbox.world import Content, as_content

from .talk import Document, Place, Talk


class Ledger:
    """Sends what people send, writes it down, and compares."""

    def __init__(self, sides: Sequence[Side]) -> None:
        self._sides = sides
        self._talks: dict[tuple[str, int], Talk] = {}
        self._others: set[str] = set()

    def text(self, place: Place, text: str) -> None:
        """Somebody says something to the bot."""
        talk, opens = self._talk(place)
        message_id = place.chat.say(place.person, text)["message_id"]
        talk.texts.append(message_id)
        if opens:
            talk.opened_by_text = message_id

    def aside(self, place: Place, text: str) -> None:
        """Somebody in a group says something that is none of the bot's business."""
        place.chat.say(place.person, text)

    def document(self, place: Place, name: str, content: Content | bytes, **sent: bool) -> None:
        """Somebody sends a document; no other one may have these bytes. `sent` is what its messenger knows besides."""
        talk, _ = self._talk(place)
        content = as_content(content)
        message = place.chat.send_document(place.person, name, content, **sent)
        talk.documents.append(Document(message["message_id"], name, content.sha256()))

    def other(self, key: str) -> None:
        """Another program has written an object."""
        self._others.add(key)

    @property
    def done(self) -> bool:
        """Whether the bot has nothing left to do, as far as the chats show."""
        heard = all(side.queue.polled and not side.queue.pending for side in self._sides)
        return heard and all(talk.answered for talk in self._talks.values())

    def problems(self, objects: dict[str, str], uploads: list[str]) -> list[str]:
        """What is wrong in the end; `objects`: SHA-256 of all objects by key, `uploads`: keys of unfinished ones."""
        keys = {digest: key for key, digest in objects.items()}
        return [
            *(f"multipart upload to {key!r} left behind" for key in uploads),
            *self._bucket_problems(objects),
            *(f"{side.name}: {wrong}" for side in self._sides for wrong in _queue_problems(side)),
            *(f"{name} {id_}: {wrong}" for (name, id_), talk in self._talks.items() for wrong in talk.problems(keys)),
        ]

    def _talk(self, place: Place) -> tuple[Talk, bool]:
        """The chat's page of the ledger, and whether it is a new one."""
        key = place.side.name, place.chat.id
        opens = key not in self._talks
        return self._talks.setdefault(key, Talk(place.side, place.chat)), opens

    def _bucket_problems(self, objects: dict[str, str]) -> Iterator[str]:
        documents = {document.digest: document for talk in self._talks.values() for document in talk.documents}
        copies = Counter(objects.values())
        for digest, document in documents.items():
            if copies[digest] != 1:
                yield f"{document} has {copies[digest]} objects"
        for key, digest in objects.items():
            if digest not in documents and key not in self._others:
                yield f"{key!r} is nobody's document, or not whole"
            elif digest in documents and not _is_right(key, documents[digest].name, objects):
                yield f"{documents[digest]} is called {key!r}"


def _queue_problems(side: Side) -> Iterator[str]:
    if side.queue.pending:
        yield f"{len(side.queue.pending)} updates are not acknowledged"
    polls = side.world.calls(side.names.poll)
    cursor = polls[-1].params.get(side.names.cursor) if polls else None
    if str(cursor) != str(side.next_cursor):
        yield f"the {side.names.cursor} is {cursor}, that of a bot that has everything is {side.next_cursor}"


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
