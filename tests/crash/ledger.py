"""The model: what people sent, and what must be true of chats and bucket in the end, whenever the bot was killed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath
from typing import Any

from tests.sides import Side
from trio_s3_bot.sandbox.world import Content, as_content

from .said import stems
from .talk import Talk
from .wanted import Document, Place, Removal, Replacement, Wish, button_id


class Ledger:
    """
    Sends what people send, writes it down, and compares. `talkative`: people do more than to send things, so that names
    are free again, and the bot asks and answers. `overwrites`: the operator wants every document to replace what has
    its name.
    """

    def __init__(self, sides: Sequence[Side] = ()) -> None:
        self.sides = sides
        self._talks: dict[tuple[str, int], Talk] = {}
        self._others: set[str] = set()
        self.talkative = False
        self.overwrites = False

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

    def document(self, place: Place, name: str, content: Content | bytes, **sent: bool) -> Document:
        """Somebody sends a document; no other one may have these bytes. `sent` is what its messenger knows besides."""
        content = as_content(content)
        message = place.chat.send_document(place.person, name, content, **sent)
        return self._sent(place, message, 0, name, content)

    def album(self, place: Place, album: str, files: Sequence[tuple[str, Content]], **sent: bool) -> list[Document]:
        """Somebody sends documents together; in Telegram others of that `album` may have come, or may come later."""
        if place.side.name == "vk":
            message = place.chat.send_documents(place.person, files, **sent)
            messages = [message] * len(files)
        else:
            messages = [place.chat.send_document(place.person, *file, album=album) for file in files]
        indices = range(len(files)) if place.side.name == "vk" else [0] * len(files)
        together = zip(messages, indices, files, strict=True)
        return [self._sent(place, message, index, *file, album) for message, index, file in together]

    def _sent(
        self, place: Place, message: Any, index: int, name: str, content: Content, album: str | None = None
    ) -> Document:
        id_ = button_id(place.side, place.chat, message, index)
        document = Document(message["message_id"], id_, name, content.sha256(), album)
        self._talk(place)[0].documents.append(document)
        return document

    def wish(self, place: Place, document: Document, name: str, text: str, *, reply_to: int) -> None:
        """The sender of a document says `text`, in order to have it called `name`."""
        message_id = place.chat.say(place.person, text, reply_to=reply_to)["message_id"]
        self._talk(place)[0].wishes.append(Wish(document, name, message_id))

    def may_go(self, place: Place, document: Document) -> None:
        """The sender of a document is about to cancel or to delete it, or one that was sent with the same message."""
        talk, _ = self._talk(place)
        talk.may_go.update(other.digest for other in talk.documents if other.message_id == document.message_id)

    def removal(self, place: Place, removal: Removal) -> None:
        """The sender of a document has said yes to its deletion."""
        self._talk(place)[0].removals.append(removal)

    def replacement(self, place: Place, replacement: Replacement) -> None:
        """The sender of a document has said that it may take the place of another object."""
        self._talk(place)[0].replacements.append(replacement)

    def listing(self, place: Place) -> None:
        """Somebody wants to see the chat's files, and nothing is under way any more."""
        message_id = place.chat.say(place.person, place.side.command("list"))["message_id"]
        self._talk(place)[0].listings.append(message_id)

    def other(self, key: str) -> None:
        """Another program has written an object."""
        self._others.add(key)

    @property
    def done(self) -> bool:
        """Whether the bot has nothing left to do, as far as the chats show."""
        heard = all(side.queue.polled and not side.queue.pending for side in self.sides)
        return heard and all(talk.answered for talk in self._talks.values())

    def problems(self, objects: dict[str, str], uploads: list[str]) -> list[str]:
        """What is wrong in the end; `objects`: SHA-256 of all objects by key, `uploads`: keys of unfinished ones."""
        keys = {digest: key for key, digest in objects.items()}
        return [
            *(f"multipart upload to {key!r} left behind" for key in uploads),
            *self._bucket_problems(objects),
            *(wrong for talk in self._talks.values() for wrong in self._wrong_replacements(talk, objects)),
            *(f"{side.name}: {wrong}" for side in self.sides for wrong in _queue_problems(side)),
            *(
                f"{name} {id_}: {wrong}"
                for (name, id_), talk in self._talks.items()
                for wrong in talk.problems(keys, self._is_replaced, talkative=self.talkative)
            ),
        ]

    def transcript(self) -> str:
        """All chats, to be read by whoever looks for what went wrong."""
        talks = ((name, id_, talk.transcript()) for (name, id_), talk in self._talks.items())
        return "".join(f"--- {name} {id_}\n{transcript}\n" for name, id_, transcript in talks)

    def _talk(self, place: Place) -> tuple[Talk, bool]:
        """The chat's page of the ledger, and whether it is a new one."""
        key = place.side.name, place.chat.id
        opens = key not in self._talks
        return self._talks.setdefault(key, Talk(place.side, place.chat)), opens

    def _bucket_problems(self, objects: dict[str, str]) -> Iterator[str]:
        """Each object is a document, once, under a name that it may have; `Talk` knows which of them must be there."""
        documents = {document.digest: (document, talk) for talk in self._talks.values() for document in talk.documents}
        for digest, count in Counter(objects.values()).items():
            if digest in documents and count > 1:
                yield f"{documents[digest][0]} has {count} objects"
        for key, digest in objects.items():
            if digest not in documents and key not in self._others:
                yield f"{key!r} is nobody's document, or not whole"
            elif digest in documents:
                document, talk = documents[digest]
                if not any(self._is_right(key, name, objects) for name in talk.names_of(document)):
                    yield f"{document} is called {key!r}, and may be called {talk.names_of(document)}"

    def _is_replaced(self, document: Document, key: str) -> bool:
        """Whether another document has been under the key of this one, and may have taken its place there."""
        others = ((other, talk) for talk in self._talks.values() for other in talk.documents if other != document)
        return any(self._may_replace(other, key, talk) and key in talk.stood(other) for other, talk in others)

    def _may_replace(self, document: Document, key: str, talk: Talk) -> bool:
        wanted = self.overwrites and key in talk.all_names_of(document)
        return wanted or talk.may_replace(document, key)

    def _wrong_replacements(self, talk: Talk, objects: dict[str, str]) -> Iterator[str]:
        """Where documents of one name take each other's place, the last one that was sent stays."""
        if self.talkative or not self.overwrites:
            return
        last = {document.name: document for document in talk.documents}
        for document in talk.documents:
            if document.digest in objects.values() and last[document.name] != document:
                yield f"{document} is there, and not {last[document.name]}, which was sent later"

    def _is_right(self, key: str, name: str, objects: dict[str, str]) -> bool:
        """Its own name, or the first number that was free: unless some have gone again, all lower ones are taken."""
        if self.overwrites and not self.talkative:
            return key == name
        if self.talkative:
            return name in stems(key)
        names = [name]
        while names[-1] in objects:
            if names[-1] == key:
                return True
            names.append(_numbered(name, len(names)))
        return False


def _queue_problems(side: Side) -> Iterator[str]:
    if side.queue.pending:
        yield f"{len(side.queue.pending)} updates are not acknowledged"
    polls = side.world.calls(side.names.poll)
    cursor = polls[-1].params.get(side.names.cursor) if polls else None
    if str(cursor) != str(side.next_cursor):
        yield f"the {side.names.cursor} is {cursor}, that of a bot that has everything is {side.next_cursor}"


def _numbered(name: str, number: int) -> str:
    path = PurePosixPath(name)
    return f"{path.stem} ({number}){path.suffix}"
