"""What people do in a chat: say something, send files, press buttons. Each of it becomes an event for the bot."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NotRequired, TypedDict, Unpack

from .vk_docs import Docs
from .vk_keyboard import Button, buttons_of
from .vk_media import Media
from .vk_room import Kind, Message, Room, User, as_foreign
from .vk_text import written
from .world import Changes, Content, as_content

ATTACHMENTS_MAX = 10
START = {"ru": "Начать"}


@dataclass(eq=False)
class Press:
    """
    A pressed button. `data` is its payload as it was written, `id` what a callback is answered by.

    `answer` holds what the bot answered, once it did: the parameters of its call, and the fields of `event_data` among
    them. A text button is not answered; `message` is what it said in the person's name.
    """

    user: User
    peer_id: int
    message_id: int | None
    data: str
    changes: Changes = field(repr=False)
    id: str = field(default_factory=lambda: secrets.token_hex(6))
    time: float = field(default_factory=time.time)
    answer: dict[str, Any] | None = None
    message: Message | None = None

    async def answered(self) -> dict[str, Any]:
        """Wait for the bot's answer."""
        if self.message is not None:
            raise ValueError("a text button has no answer but what the bot says")
        return await self.changes.until(lambda: self.answer)


@dataclass(frozen=True)
class Surroundings:
    """
    What a chat needs of its world. `deliver(chat, kind, content, user)` queues an event, if the bot may see it.

    `screen_names` are communities by the names that people write after an `@`.
    """

    group_id: int
    screen_names: dict[str, int]
    changes: Changes
    docs: Docs
    media: Media
    deliver: Callable[[Chat, str, dict[str, Any], User | None], None]
    pressed: Callable[[Press], None]


class Posting(TypedDict):
    """
    How a message is sent: `reply_to` is a message's number; what is `cropped` reaches the bot without its files, or
    with the first `left` of them.
    """

    reply_to: NotRequired[int | None]
    cropped: NotRequired[bool]
    left: NotRequired[int]


class Attached(Posting):
    """How files are sent: `caption` is the message's text."""

    caption: NotRequired[str | None]


class Described(Attached):
    """How a document is sent: `ext` and `file_size` are shown for the truth, `omit` drops fields."""

    ext: NotRequired[str | None]
    file_size: NotRequired[int | None]
    omit: NotRequired[Collection[str]]


class Chat(Room):
    """A chat of either kind, as the people in it use it. Methods that post return the message as it is in the chat."""

    def __init__(
        self,
        around: Surroundings,
        kind: Kind,
        peer_id: int,
        names: dict[str, str],
        ids: Iterator[int],
        members: list[User],
    ) -> None:
        super().__init__(kind, peer_id, names, around.changes, ids)
        self.members = members
        self._around = around

    def say(self, user: User, text: str, **posting: Unpack[Posting]) -> Message:
        """Send a text; `@club<id>` in it becomes a mention as the clients write it."""
        return self.post(user, {"text": written(text, self._around.screen_names)}, **posting)

    def start(self, user: User) -> Message:
        """Press the button that an empty chat with a community shows."""
        text = START.get((user.language or "").partition("-")[0], "Start")
        return self.post(user, {"text": text, "payload": '{"command":"start"}'})

    def post(self, user: User, fields: dict[str, Any], **posting: Unpack[Posting]) -> Message:
        """Send a message of any fields."""
        reply_to = posting.get("reply_to")
        quote = {} if reply_to is None else {"reply_message": self._quote(reply_to)}
        message = self.add(user.id, {**fields, **quote})
        left = message["attachments"][: posting.get("left", 0)]
        cropped = {"attachments": left, "fwd_messages": [], "is_cropped": True} if posting.get("cropped") else {}
        self._around.deliver(self, "message_new", {**message, **cropped}, user)
        return message

    def send_document(
        self, user: User, name: str, content: Content | bytes = b"", **sent: Unpack[Described]
    ) -> Message:
        """Send a file as a document with the title `name`; its extension is that of the title unless told."""
        doc = self._around.docs.add(
            user.id, name, as_content(content), extension=sent.get("ext"), size=sent.get("file_size")
        )
        described = self._around.docs.as_json(doc, sent.get("omit", ()))
        return self._send(user, [{"type": "doc", "doc": described}], sent)

    def send_documents(
        self, user: User, files: Sequence[tuple[str, Content | bytes]], **sent: Unpack[Attached]
    ) -> Message:
        """Send several documents, given by title and content, in one message; VK takes up to 10."""
        docs = self._around.docs
        made = [docs.add(user.id, name, as_content(content)) for name, content in files]
        return self._send(user, [{"type": "doc", "doc": docs.as_json(doc)} for doc in made], sent)

    def send_file(
        self, user: User, kind: str, content: Content | bytes = b"", name: str | None = None, **sent: Unpack[Attached]
    ) -> Message:
        """Send a file of a `kind` VK has: doc, photo, video, audio, audio_message, graffiti, sticker."""
        if kind == "doc":
            return self.send_documents(user, [(name or "", content)], **sent)
        return self._send(user, [self._around.media.make(kind, user.id, as_content(content))], sent)

    def send_photo(self, user: User, content: Content | bytes = b"jpeg", **sent: Unpack[Attached]) -> Message:
        return self.send_file(user, "photo", content, **sent)

    def send_video(self, user: User, content: Content | bytes = b"mp4", **sent: Unpack[Attached]) -> Message:
        return self.send_file(user, "video", content, **sent)

    def send_audio(self, user: User, content: Content | bytes = b"mp3", **sent: Unpack[Attached]) -> Message:
        return self.send_file(user, "audio", content, **sent)

    def send_audio_message(self, user: User, content: Content | bytes = b"ogg", **sent: Unpack[Attached]) -> Message:
        return self.send_file(user, "audio_message", content, **sent)

    def send_graffiti(self, user: User, content: Content | bytes = b"png", **sent: Unpack[Attached]) -> Message:
        return self.send_file(user, "graffiti", content, **sent)

    def send_sticker(self, user: User, content: Content | bytes = b"png", **sent: Unpack[Attached]) -> Message:
        return self.send_file(user, "sticker", content, **sent)

    def forward(self, user: User, message: Message, **posting: Unpack[Posting]) -> Message:
        """Send an earlier message again, inside one without a text."""
        return self.post(user, {"fwd_messages": [as_foreign(message)]}, **posting)

    def edit(self, message_id: int, **fields: Any) -> Message:
        """Change fields of somebody's message, such as `text` or `attachments`."""
        message = self.replace({**self._known(message_id), **fields})
        self._around.deliver(self, "message_edit", message, None)
        return message

    def delete(self, message_id: int) -> None:
        """A person deletes a message; the bot is not told."""
        self._known(message_id)
        self.remove(message_id)

    def press(self, user: User, message_id: int | None, data: str, *, forged: bool = False) -> Press:
        """
        Press the button that carries `data` or is labelled so; without a message, on the keyboard below the input.

        `data` is a button's payload, what its payload holds, or its label. A button that isn't there or that the client
        doesn't show can't be pressed (`ValueError`), except by a forging or late client: `forged`.
        """
        if forged:
            button = {"type": "callback", "label": "", "payload": data if _is_json(data) else json.dumps(data)}
        elif not (user.keyboard if message_id is None else user.inline_keyboard):
            raise ValueError("this client shows no such keyboard")
        else:
            button = self._button(message_id, data)
        press = Press(user, self.id, message_id, button.get("payload", "{}"), self._changes)
        if button["type"] == "callback" and "callback" in user.button_actions:
            self._call_back(press)
        else:
            press.message = self._press_text(user, button)
        return press

    def join(self, user: User) -> Message:
        """Somebody enters the group; everybody gets a service message."""
        self.members.append(user)
        return self.post(user, {"action": {"type": "chat_invite_user", "member_id": user.id}})

    def leave(self, user: User) -> Message:
        self.members.remove(user)
        return self.post(user, {"action": {"type": "chat_kick_user", "member_id": user.id}})

    def _send(self, user: User, attachments: list[dict[str, Any]], sent: Attached) -> Message:
        if not 1 <= len(attachments) <= ATTACHMENTS_MAX:
            raise ValueError(f"a message carries 1 to {ATTACHMENTS_MAX} files, not {len(attachments)}")
        posting: Posting = {"reply_to": sent.get("reply_to"), "cropped": sent.get("cropped", False)}
        posting["left"] = sent.get("left", 0)
        return self.post(user, {"text": sent.get("caption") or "", "attachments": attachments}, **posting)

    def _quote(self, message_id: int) -> Message:
        self._known(message_id)
        return self.quoted(message_id)

    def _known(self, message_id: int) -> Message:
        message = self.find(message_id)
        if message is None:
            raise ValueError(f"there is no message {message_id} in chat {self.id}")
        return message

    def _button(self, message_id: int | None, wanted: str) -> Button:
        keyboard = self.keyboard if message_id is None else self._known(message_id).get("keyboard")
        for button in buttons_of(keyboard):
            if button["type"] != "open_link" and _carries(button, wanted):
                return button
        raise ValueError(f"there is no button {wanted!r}: {keyboard}")

    def _call_back(self, press: Press) -> None:
        self._around.pressed(press)
        content = {"user_id": press.user.id, "peer_id": self.id, "event_id": press.id, "payload": press.data}
        if press.message_id is not None:
            content["conversation_message_id"] = press.message_id
        self._around.deliver(self, "message_event", content, press.user)

    def _press_text(self, user: User, button: Button) -> Message:
        """What the client says for a text button, or for one that it doesn't know."""
        payload = button.get("payload", "{}")
        if button["type"] not in user.button_actions:
            payload = json.dumps({"command": "not_supported_button", "payload": payload})
        if self.keyboard and self.keyboard.get("one_time"):
            self.keyboard = None
        call = f"[club{self._around.group_id}|@club{self._around.group_id}] " if self.kind == "group" else ""
        return self.post(user, {"text": call + button["label"], "payload": payload})


def _carries(button: Button, wanted: str) -> bool:
    """Whether a button is labelled `wanted`, or carries it: as its payload, or in what the payload says."""
    payload = button.get("payload", "{}")
    said = json.loads(payload)
    return wanted in (button["label"], payload, said) or (isinstance(said, dict) and wanted in said.values())


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True
