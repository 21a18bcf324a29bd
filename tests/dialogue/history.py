"""What happened, in order: what people sent, what the bot said and answered, what changed in the bucket."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tests.time.fakes import Request
from trio_s3_bot.conversation import upload_id
from trio_s3_bot.keys import JOB_METADATA
from trio_s3_bot.model import Chat, Press, StoredObject, UpdateObj


@dataclass(frozen=True)
class Sent:
    """Somebody sent something. Whoever pressed a button saw it under `saw`; whoever replied, too."""

    at: float
    update: UpdateObj
    saw: str = ""

    @property
    def person(self) -> int:
        assert self.update.sender is not None
        return self.update.sender.id


@dataclass(frozen=True)
class Changed:
    """Another object stands under a key now, or none."""

    at: float
    key: str
    before: StoredObject | None
    after: StoredObject | None


@dataclass(frozen=True)
class Answered:
    """The bot ended the spinner of a pressed button, with a short notice or without."""

    at: float
    press: Press
    toast: str


@dataclass(frozen=True)
class Befell:
    """Something befell the bot."""

    at: float
    what: str


PROGRESS = frozenset("▰▱")
Event = Sent | Request | Changed | Answered | Befell


@dataclass(frozen=True)
class Doc:
    """A document that was sent. Its id is its upload's, and stands in the metadata of its object."""

    id: str
    chat: Chat
    owner: int
    message_id: int
    name: str
    caption: str | None
    unique_id: str
    album: str | None
    at: float


def doc_of(sent: Sent) -> Doc | None:
    """The document that was sent, if it was one."""
    update = sent.update
    if not update.documents:
        return None
    (document,) = update.documents
    assert update.message_id is not None
    assert document.file_name is not None
    id_ = upload_id(update.chat, update.message_id, 0, document)
    return Doc(
        id_,
        update.chat,
        sent.person,
        update.message_id,
        document.file_name,
        update.caption,
        document.unique_id,
        update.album,
        sent.at,
    )


def owner_in(found: StoredObject | None) -> str | None:
    """The document that an object is."""
    return found.metadata[JOB_METADATA] if found is not None else None


def transcript(history: Iterable[Event]) -> str:
    """All of it but progress, for people to read."""
    lines = ((event.at, line) for event in history for line in _lines(event))
    return "\n".join(f"{at:8.1f}  {line}" for at, line in lines if not PROGRESS.intersection(line))


def _lines(event: Event) -> Iterator[str]:
    match event:
        case Sent(update=update):
            yield f"{event.person} in {update.chat.id}: {_sent(update)}"
        case Request():
            buttons = [f"<{b.label} {_short(b.data)}>" for row in event.message.keyboard for b in row]
            what = "" if event.kind == "send" else "edits "
            reply = f" re {event.message.reply_to}" if event.message.reply_to else ""
            text = event.text.replace("\n", " | ")
            yield f"    bot {what}{event.message_id} in {event.chat.id}{reply}: {text} {' '.join(buttons)}"
        case Changed(key=key, before=before, after=after):
            yield f"        bucket {key}: {_short(owner_in(before))} -> {_short(owner_in(after))}"
        case Answered(press=press, toast=toast):
            yield f"    bot answers press {press.id}: {toast!r}"
        case Befell(what=what):
            yield f"        {what}"


def _sent(update: UpdateObj) -> str:
    if update.press is not None:
        return f"press {update.press.id}, {_short(update.press.data)} under {update.press.message_id}"
    reply = f" in reply to {update.reply_to}" if update.reply_to else ""
    if update.documents:
        (document,) = update.documents
        id_ = upload_id(update.chat, update.message_id, 0, document)
        facts = [f"caption {update.caption!r}"] if update.caption else []
        facts += [update.album] if update.album else []
        return f"{update.message_id} document {document.file_name} = {document.unique_id} {_short(id_)} {facts}"
    return f"{update.message_id} {update.text!r}{reply}"


def _short(text: str | None) -> str | None:
    """Ids are long; their beginnings tell them apart."""
    return text and ":".join(part[:6] if len(part) == 32 else part for part in text.split(":"))
