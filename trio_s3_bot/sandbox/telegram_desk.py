"""The Bot API emulator as the chat page uses it."""

from __future__ import annotations

from typing import Any

from .page_desk import Albums, Attachment, Bubble, Button, Person, Quote, Status, Upload
from .telegram_chats import Chat
from .telegram_room import Message, User
from .telegram_world import Telegram
from .world import Content

KINDS = ("animation", "document", "video", "audio", "voice", "video_note", "sticker")
"""In the order to look for them: an animation is in `document` too."""


class TelegramDesk:
    """
    Every person here has a private chat with the bot.

    Files of one album are messages that come together, as Telegram's clients send them.
    """

    messenger = "telegram"
    title = "Telegram"

    def __init__(self, telegram: Telegram) -> None:
        self.changes = telegram.changes
        self._telegram = telegram
        self._users: dict[str, User] = {}
        self._albums = Albums()

    def people(self) -> list[Person]:
        return [Person(key, user.first_name, user.language or "") for key, user in self._users.items()]

    def add_person(self, name: str, language: str) -> Person:
        user = self._telegram.user(name, language=language)
        self._users[str(user.id)] = user
        self._telegram.private_chat(user)
        return Person(str(user.id), name, language)

    def change_person(self, person: str, *, name: str | None, language: str | None) -> None:
        user = self._users[person]
        user.first_name = name or user.first_name
        user.language = language or user.language
        self._chat(person).names["first_name"] = user.first_name
        self.changes.announce()

    def status(self, person: str) -> Status:
        actions = self._chat(person).actions
        return Status(self._telegram.polled, actions[-1] if actions else "", len(actions))

    def bubbles(self, person: str, newest: int) -> list[Bubble]:
        chat = self._chat(person)
        waiting = {update["message"]["message_id"] for update in self._telegram.pending if "message" in update}
        return [_bubble(message, taken=message["message_id"] not in waiting) for message in chat.messages[-newest:]]

    def say(self, person: str, text: str, reply_to: int | None) -> None:
        for upload in self._albums.take(person):
            self._post(person, upload)
        self._chat(person).say(self._users[person], text, reply_to=reply_to)

    def send(self, person: str, upload: Upload) -> None:
        for uploads in self._albums.add(person, upload):
            for each in uploads:
                self._post(person, each)

    async def press(self, person: str, message_id: int, data: str) -> dict[str, Any]:
        return await self._chat(person).press(self._users[person], message_id, data).answered()

    def attachment(self, person: str, message_id: int, index: int) -> tuple[str, Content]:
        message = (self._chat(person).find(message_id) if index == 0 else None) or {}
        kind, described = _file_of(message)
        return described.get("file_name", kind), self._telegram.files.find(described["file_id"]).content

    def _chat(self, person: str) -> Chat:
        return self._telegram.private_chat(self._users[person])

    def _post(self, person: str, upload: Upload) -> None:
        self._chat(person).send_file(
            self._users[person],
            _kind(upload),
            upload.content,
            upload.name,
            mime_type=upload.mime_type,
            caption=upload.caption,
            album=upload.album,
            reply_to=upload.reply_to,
        )


def _kind(upload: Upload) -> str:
    if upload.photo:
        return "photo"
    return "animation" if upload.mime_type == "image/gif" else "document"


def _file_of(message: Message) -> tuple[str, dict[str, Any]]:
    """The kind of file in a message and what is known of it; `KeyError` if there is none."""
    if "photo" in message:
        return "photo", message["photo"][-1]
    kind = next((kind for kind in KINDS if kind in message), "document")
    return kind, message[kind]


def _bubble(message: Message, *, taken: bool) -> Bubble:
    author = message.get("from", {})
    bubble: Bubble = {
        "id": message["message_id"],
        "mine": not author.get("is_bot", False),
        "author": author.get("first_name", ""),
        "text": message["text"] if "text" in message else message.get("caption", ""),
        "time": message["date"],
        "entities": message["entities"] if "entities" in message else message.get("caption_entities", []),
        "edited": "edit_date" in message,
        "taken": taken,
    }
    if "reply_to_message" in message:
        bubble["quote"] = _quote(message["reply_to_message"])
    if "photo" in message or any(kind in message for kind in KINDS):
        bubble["files"] = [_attachment(message)]
    _add_markup(bubble, message.get("reply_markup", {}))
    return bubble


def _attachment(message: Message) -> Attachment:
    kind, described = _file_of(message)
    return {"kind": kind, "name": described.get("file_name", ""), "size": described.get("file_size", 0)}


def _quote(message: Message) -> Quote:
    text = message.get("text") or message.get("caption") or message.get("document", {}).get("file_name") or "…"
    return {"id": message["message_id"], "author": message.get("from", {}).get("first_name", ""), "text": text}


def _add_markup(bubble: Bubble, markup: dict[str, Any]) -> None:
    if "inline_keyboard" in markup:
        bubble["buttons"] = [[_button(button) for button in row] for row in markup["inline_keyboard"]]
    elif "force_reply" in markup:
        bubble["ask"] = markup.get("input_field_placeholder", "")
    elif "keyboard" in markup:
        bubble["keyboard"] = [[button["text"] for button in row] for row in markup["keyboard"]]
    elif "remove_keyboard" in markup:
        bubble["keyboard"] = []


def _button(button: dict[str, Any]) -> Button:
    known: Button = {"text": button["text"]}
    if "callback_data" in button:
        known["data"] = button["callback_data"]
    if "url" in button:
        known["url"] = button["url"]
    return known
