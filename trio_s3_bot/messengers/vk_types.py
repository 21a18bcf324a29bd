"""
VK's shapes, with only the fields the bot uses, and their translation into `UpdateObj`.

A message is known by its number in its conversation (`conversation_message_id`): in group chats it has no other, and
every method that the bot uses takes it. Event formats follow the version set in the community's Long Poll settings,
not the one that the bot calls methods with, so older ones are understood too.
"""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from trio_s3_bot import texts
from trio_s3_bot.messengers.base import Id, Moment, Size, Skipped
from trio_s3_bot.messengers.shapes import Discreet
from trio_s3_bot.model import Chat, Document, Press, Sender, UpdateObj

GROUP_PEERS = 2_000_000_000  # peer ids above this are group chats
BUTTON = "button"  # the key that a button's data stands under in its payload
START = "/start"  # what pressing "Start" in an empty chat means, as Telegram's clients write it

# The numbers of VK's interface languages, as far as there is a tag for them.
_LANGUAGES = {0: "ru", 1: "uk", 2: "be", 3: "en", 4: "es", 5: "fi", 6: "de", 7: "it", 100: "ru", 777: "ru"}


class VDoc(Discreet):
    id: Id
    owner_id: Id
    title: str = ""
    ext: str = ""
    size: Size | None = None
    url: str = ""


class VAttachment(msgspec.Struct):
    type: str = ""
    doc: VDoc | None = None


class VForeign(msgspec.Struct):
    """A message within another one: forwarded, or answered."""

    from_id: Id = 0
    conversation_message_id: Id = 0
    attachments: list[VAttachment] = []
    fwd_messages: list[VForeign] = []


class VMessage(msgspec.Struct):
    peer_id: Id
    from_id: Id
    date: Moment = 0
    out: int = 0
    text: str = ""
    conversation_message_id: Id = 0
    attachments: list[VAttachment] = []
    fwd_messages: list[VForeign] = []
    reply_message: VForeign | None = None
    payload: msgspec.Raw = msgspec.Raw()
    action: msgspec.Raw = msgspec.Raw()
    is_cropped: bool = False


class VMessages(msgspec.Struct):
    """What the methods that look up messages give; what isn't there any more is left out."""

    items: list[VMessage] = []


class VClient(msgspec.Struct):
    """What an event tells of the client that the person uses."""

    button_actions: list[str] = []
    keyboard: bool = True
    inline_keyboard: bool = True
    lang_id: int | None = None

    @property
    def language(self) -> str | None:
        return None if self.lang_id is None else _LANGUAGES.get(self.lang_id)

    @property
    def callbacks(self) -> bool:
        return "callback" in self.button_actions


class VPress(msgspec.Struct):
    """The object of a `message_event`: a callback button was pressed."""

    user_id: Id
    peer_id: Id
    event_id: str
    payload: msgspec.Raw = msgspec.Raw()
    conversation_message_id: Id | None = None


class VNew(msgspec.Struct):
    """The object of a `message_new` since version 5.103; before, it was the message itself."""

    message: VMessage
    client_info: VClient = msgspec.field(default_factory=VClient)


class VEventId(msgspec.Struct):
    event_id: str | None = None


class VEvent(msgspec.Struct):
    type: str
    event_id: str = ""
    object: msgspec.Raw = msgspec.Raw()


class FileId(Discreet, array_like=True):
    """What `Document.file_id` holds: a link, when it was given out, and where to ask for a new one."""

    peer_id: int
    message_id: int
    owner_id: int
    doc_id: int
    date: int
    url: str


@dataclass(frozen=True, slots=True)
class Incoming:
    """An event that is for the bot: a message, or a pressed callback button."""

    event_id: str
    message: VMessage | None = None
    press: VPress | None = None
    client: VClient | None = None


def read(raw: msgspec.Raw) -> Incoming | Skipped | None:
    """
    Read one element of `updates`; `None` for the types that aren't for a bot.

    Which types come is up to the community's settings, so others are nothing to speak of.
    """
    try:
        event = msgspec.json.decode(raw, type=VEvent, strict=False)
        if event.type == "message_new":
            return _read_message(event)
        if event.type == "message_event":
            press = msgspec.json.decode(event.object, type=VPress, strict=False)
            return Incoming(event.event_id, press=press)
        return None
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        return Skipped(_event_id(raw), f"{type(error).__name__}: {error}")


def understand(event: Incoming, group_id: int, language: str | None) -> UpdateObj:
    """Translate an event of the community `group_id`; `language` is that of the person's client."""
    if event.message is not None:
        return _from_message(event.event_id, event.message, group_id, language)
    assert event.press is not None
    return _from_press(event.press, language)


def docs_of(message: VMessage | VForeign) -> Iterator[VDoc]:
    """The documents of a message, and of those forwarded in it. One that is only answered is not being sent."""
    for attachment in message.attachments:
        if attachment.type == "doc" and attachment.doc is not None:
            yield attachment.doc
    for forwarded in message.fwd_messages:
        yield from docs_of(forwarded)


def carried(payload: msgspec.Raw) -> object:
    """What a button's payload holds: JSON in a string, or the object itself. `None` for what is neither."""
    try:
        value = msgspec.json.decode(payload) if bytes(payload) else None
        return msgspec.json.decode(value) if isinstance(value, str) else value
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None


def _read_message(event: VEvent) -> Incoming:
    fields = msgspec.json.decode(event.object, type=dict[str, msgspec.Raw])
    if "message" not in fields:
        return Incoming(event.event_id, message=msgspec.json.decode(event.object, type=VMessage, strict=False))
    new = msgspec.json.decode(event.object, type=VNew, strict=False)
    return Incoming(event.event_id, message=new.message, client=new.client_info)


def _event_id(raw: msgspec.Raw) -> str | None:
    try:
        return msgspec.json.decode(raw, type=VEventId).event_id
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None


def _from_message(event_id: str, message: VMessage, group_id: int, language: str | None) -> UpdateObj:
    number = message.conversation_message_id or None
    payload = carried(message.payload)
    data = _pressed(payload)
    text, mentioned = _own_text(message, group_id)
    documents = tuple(_document(message, doc) for doc in docs_of(message))
    typed = None if documents or data is not None else START if _is_start(payload) else text
    reply = message.reply_message
    # A community that answers communities may talk for ever.
    silent = message.from_id <= 0 or message.out == 1 or bool(bytes(message.action))
    addressed = message.peer_id < GROUP_PEERS or mentioned or data is not None or (text or "").startswith("/")
    return UpdateObj(
        messenger="vk",
        # The same message may be delivered under several event ids; its number is the same.
        update_id=f"{group_id}/{message.peer_id}/{number}" if number else event_id,
        chat=_chat(message.peer_id),
        sender=Sender(message.from_id, None, language) if message.from_id > 0 else None,
        message_id=number,
        date=message.date,
        text=typed,
        meant=texts.command_in_words(typed) if typed else None,
        caption=text if documents else None,
        documents=documents,
        # What Telegram delivers as several messages of one album is one message here.
        album=str(number) if number and len(documents) > 1 else None,
        press=None if data is None else Press("", data),
        reply_to=(reply.conversation_message_id or None) if reply else None,
        addressed=addressed or (reply is not None and reply.from_id == -group_id),
        silent=silent,
        cropped=message.is_cropped and not silent,
    )


def _from_press(press: VPress, language: str | None) -> UpdateObj:
    payload = carried(press.payload)
    data = _pressed(payload)
    return UpdateObj(
        messenger="vk",
        update_id=f"press/{press.event_id}",
        chat=_chat(press.peer_id),
        sender=Sender(press.user_id, None, language),
        press=Press(press_id(press), "" if data is None else data, press.conversation_message_id),
        addressed=True,
    )


def press_id(press: VPress) -> str:
    """What `messages.sendMessageEventAnswer` has to know besides the chat; `user_and_event` takes it apart."""
    return f"{press.user_id}:{press.event_id}"


def user_and_event(press_id: str) -> tuple[int, str]:
    user, _, event = press_id.partition(":")
    return int(user), event


def _chat(peer_id: int) -> Chat:
    return Chat("vk", peer_id, group=peer_id >= GROUP_PEERS)


def _pressed(payload: object) -> str | None:
    """The data of the own button that a payload comes from, if it does."""
    if not isinstance(payload, dict):
        return None
    if payload.get("command") == "not_supported_button":
        # What a client says for a callback button that it doesn't know.
        return _pressed(carried(msgspec.Raw(msgspec.json.encode(payload.get("payload")))))
    data = payload.get(BUTTON)
    return data if isinstance(data, str) else None


def _is_start(payload: object) -> bool:
    return isinstance(payload, dict) and payload.get("command") == "start"


def _own_text(message: VMessage, group_id: int) -> tuple[str | None, bool]:
    """The text without what only addresses the bot, and whether it does."""
    if message.peer_id < GROUP_PEERS:
        return message.text or None, False
    text, mentions = re.subn(rf"\[(?:club|public|event){group_id}\|[^\]]*\][,:]?\s*", "", message.text)
    return text.strip() or None, mentions > 0


def _document(message: VMessage, doc: VDoc) -> Document:
    file_id = FileId(message.peer_id, message.conversation_message_id, doc.owner_id, doc.id, message.date, doc.url)
    return Document(
        file_id=msgspec.json.encode(file_id).decode(),
        unique_id=f"{doc.owner_id}_{doc.id}",
        file_name=_file_name(doc),
        mime_type=mimetypes.guess_type(f"x.{doc.ext}", strict=False)[0] if doc.ext else None,
        size=doc.size,
    )


def _file_name(doc: VDoc) -> str | None:
    """The title, which its owner may have changed, with the extension of what is stored."""
    if not doc.ext or doc.title.lower().endswith(f".{doc.ext.lower()}"):
        return doc.title or None
    return f"{doc.title}.{doc.ext}" if doc.title else None
