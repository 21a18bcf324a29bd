"""The VK emulator as the chat page uses it. A keyboard below the input is not shown: only inline ones are."""

from __future__ import annotations

from typing import Any

from .page_desk import Albums, Attachment, Bubble, Button, Person, Quote, Status, Upload
from .vk_chats import Chat
from .vk_room import LANGUAGES, Message, User
from .vk_text import as_shown, links
from .vk_world import Vk
from .world import Content


class VkDesk:
    """
    Every person here has a private chat with the community.

    Files of one album are one message, as VK's clients send them.
    """

    messenger = "vk"
    title = "VK"

    def __init__(self, vk: Vk) -> None:
        self.changes = vk.changes
        self._vk = vk
        self._users: dict[str, User] = {}
        self._albums = Albums()

    def people(self) -> list[Person]:
        return [Person(key, user.first_name, user.language or "") for key, user in self._users.items()]

    def add_person(self, name: str, language: str) -> Person:
        user = self._vk.user(name, language=_known(language))
        self._users[str(user.id)] = user
        self._vk.private_chat(user)
        return Person(str(user.id), name, language)

    def change_person(self, person: str, *, name: str | None, language: str | None) -> None:
        user = self._users[person]
        user.first_name = name or user.first_name
        user.language = _known(language) if language else user.language
        self._chat(person).names["first_name"] = user.first_name
        self.changes.announce()

    def status(self, person: str) -> Status:
        actions = self._chat(person).actions
        return Status(self._vk.polled, actions[-1] if actions else "", len(actions))

    def bubbles(self, person: str, newest: int) -> list[Bubble]:
        chat, waiting = self._chat(person), self._waiting(person)
        return [self._bubble(person, message, waiting) for message in chat.messages[-newest:]]

    def say(self, person: str, text: str, reply_to: int | None) -> None:
        self._post(person, self._albums.take(person))
        self._chat(person).say(self._users[person], text, reply_to=reply_to)

    def send(self, person: str, upload: Upload) -> None:
        for uploads in self._albums.add(person, upload):
            self._post(person, uploads)

    async def press(self, person: str, message_id: int, data: str) -> dict[str, Any]:
        press = self._chat(person).press(self._users[person], message_id, data)
        return {} if press.message else await press.answered()

    def attachment(self, person: str, message_id: int, index: int) -> tuple[str, Content]:
        message = self._chat(person).find(message_id) or {"attachments": []}
        if not 0 <= index < len(message["attachments"]):
            raise KeyError(f"{message_id}/{index}")
        attachment = message["attachments"][index]
        return _name_of(attachment) or attachment["type"], self._vk.content(attachment)

    def _chat(self, person: str) -> Chat:
        return self._vk.private_chat(self._users[person])

    def _waiting(self, person: str) -> set[int]:
        """The numbers of the person's messages that the bot has not confirmed to have."""
        events = [event["object"] for event in self._vk.pending if event["type"] == "message_new"]
        messages = [event.get("message", event) for event in events]
        return {message["conversation_message_id"] for message in messages if str(message["peer_id"]) == person}

    def _post(self, person: str, uploads: list[Upload]) -> None:
        """Send files as one message, if there are any."""
        if not uploads:
            return
        first, user = uploads[0], self._users[person]
        fields = {"text": first.caption or "", "attachments": [self._attached(user, upload) for upload in uploads]}
        self._chat(person).post(user, fields, reply_to=first.reply_to)

    def _attached(self, user: User, upload: Upload) -> dict[str, Any]:
        if upload.photo:
            return self._vk.media.make("photo", user.id, upload.content)
        doc = self._vk.docs.add(user.id, upload.name, upload.content)
        return {"type": "doc", "doc": self._vk.docs.as_json(doc)}

    def _bubble(self, person: str, message: Message, waiting: set[int]) -> Bubble:
        text = as_shown(message["text"])
        bubble: Bubble = {
            "id": message["message_id"],
            "mine": not message["out"],
            "author": self._author(person, message),
            "text": text,
            "time": message["date"],
            "entities": links(text),
            "edited": "update_time" in message,
            "taken": message["message_id"] not in waiting,
            "files": [self._described(attachment) for attachment in message["attachments"]],
        }
        if "reply_message" in message:
            bubble["quote"] = self._quote(person, message["reply_message"])
        if "keyboard" in message:
            bubble["buttons"] = [[_button(key["action"]) for key in row] for row in message["keyboard"]["buttons"]]
        return bubble

    def _author(self, person: str, message: Message) -> str:
        return self._vk.name if message["from_id"] < 0 else self._users[person].first_name

    def _quote(self, person: str, message: Message) -> Quote:
        names = [_name_of(attachment) for attachment in message["attachments"]]
        text = as_shown(message["text"]) or next(filter(None, names), "…")
        return {"id": message["conversation_message_id"], "author": self._author(person, message), "text": text}

    def _described(self, attachment: dict[str, Any]) -> Attachment:
        return {"kind": attachment["type"], "name": _name_of(attachment), "size": self._vk.content(attachment).size}


def _known(language: str) -> str:
    """A language that VK has a number for."""
    if language.partition("-")[0] not in LANGUAGES:
        raise ValueError(f"VK has no language {language!r}")
    return language


def _name_of(attachment: dict[str, Any]) -> str:
    """A document's title; nothing else has a name."""
    title: str = attachment["doc"]["title"] if attachment["type"] == "doc" else ""
    return title


def _button(action: dict[str, Any]) -> Button:
    if action["type"] == "open_link":
        return {"text": action["label"], "url": action["link"]}
    return {"text": action["label"], "data": action.get("payload", "{}")}
