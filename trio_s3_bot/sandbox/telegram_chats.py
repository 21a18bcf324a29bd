"""What people do in a chat: say something, send files, press buttons. Each of it becomes an update for the bot."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from typing import Any, NotRequired, TypedDict, Unpack

from .telegram_files import Files
from .telegram_media import media
from .telegram_room import Kind, Message, Room, Topic, User, as_bot_sees
from .telegram_text import FormattedText, find_entities
from .world import Changes, Content, as_content

SERVICE = frozenset(
    ("new_chat_members", "left_chat_member", "migrate_to_chat_id", "migrate_from_chat_id", "pinned_message")
)


@dataclass(eq=False)
class Press:
    """A pressed button. `answer` holds the parameters of the bot's `answerCallbackQuery`, once it came."""

    user: User
    message_id: int
    data: str
    changes: Changes = field(repr=False)
    id: str = field(default_factory=lambda: str(secrets.randbits(62)))
    time: float = field(default_factory=time.time)
    answer: dict[str, Any] | None = None

    async def answered(self) -> dict[str, Any]:
        """Wait for the bot's answer."""
        return await self.changes.until(lambda: self.answer)


@dataclass(frozen=True)
class Surroundings:
    """What a chat needs of its world. `deliver(chat, kind, content)` queues an update, if the bot may see it."""

    bot: User
    changes: Changes
    files: Files
    deliver: Callable[[Chat, str, dict[str, Any]], None]
    pressed: Callable[[Press], None]


class Posting(TypedDict):
    """Where a message goes: `reply_to` is a message id, `topic` a topic's id."""

    reply_to: NotRequired[int | None]
    topic: NotRequired[int | None]


class Attached(Posting):
    """How a file is sent. `album` groups messages, `file_size` is announced for the truth, `omit` drops fields."""

    mime_type: NotRequired[str | None]
    caption: NotRequired[str | None]
    album: NotRequired[str | None]
    file_size: NotRequired[int | None]
    omit: NotRequired[Collection[str]]


class Chat(Room):
    """A chat of any kind, as the people in it use it. Methods that post return the message as the Bot API shows it."""

    def __init__(
        self,
        around: Surroundings,
        kind: Kind,
        chat_id: int,
        names: dict[str, str],
        ids: Iterator[int],
        members: list[User],
    ) -> None:
        super().__init__(kind, chat_id, names, around.changes, ids, around.bot.id)
        self.members = members
        self._around = around

    def say(self, user: User, text: str, **posting: Unpack[Posting]) -> Message:
        """Send a text; commands, mentions and links in it are marked as the clients mark them."""
        return self.post(user, FormattedText(text, find_entities(text)).as_json(), **posting)

    def post(self, user: User | None, fields: dict[str, Any], **posting: Unpack[Posting]) -> Message:
        """Send a message of any fields. In a channel nobody is its author (`user` is `None`)."""
        author = {"from": user.as_json()} if user else {"sender_chat": self.as_json()}
        message = self.add({**author, **self._placed(**posting), **fields})
        self._around.deliver(self, "channel_post" if self.kind == "channel" else "message", message)
        return message

    def send_file(
        self, user: User | None, kind: str, content: Content | bytes, name: str | None = None, **sent: Unpack[Attached]
    ) -> Message:
        """Send a file of a `kind` the Bot API knows: document, photo, video, audio, voice, animation and so on."""
        made = media(
            self._around.files,
            kind,
            as_content(content),
            name=name,
            mime_type=sent.get("mime_type"),
            file_size=sent.get("file_size"),
            omit=sent.get("omit", ()),
        )
        return self.post(user, {**made, **_captioned(sent)}, reply_to=sent.get("reply_to"), topic=sent.get("topic"))

    def send_document(
        self, user: User | None, name: str | None, content: Content | bytes = b"", **sent: Unpack[Attached]
    ) -> Message:
        """Send a file as a document, under the name its sender gave it."""
        return self.send_file(user, "document", content, name, **sent)

    def send_photo(self, user: User | None, content: Content | bytes = b"jpeg", **sent: Unpack[Attached]) -> Message:
        return self.send_file(user, "photo", content, **sent)

    def send_video(self, user: User | None, content: Content | bytes = b"mp4", **sent: Unpack[Attached]) -> Message:
        return self.send_file(user, "video", content, **sent)

    def send_audio(self, user: User | None, content: Content | bytes = b"mp3", **sent: Unpack[Attached]) -> Message:
        return self.send_file(user, "audio", content, **sent)

    def send_voice(self, user: User | None, content: Content | bytes = b"ogg", **sent: Unpack[Attached]) -> Message:
        return self.send_file(user, "voice", content, **sent)

    def send_sticker(self, user: User | None, content: Content | bytes = b"webp", **sent: Unpack[Attached]) -> Message:
        return self.send_file(user, "sticker", content, **sent)

    def send_animation(
        self, user: User | None, name: str | None, content: Content | bytes = b"gif", **sent: Unpack[Attached]
    ) -> Message:
        """Send a GIF: the message carries it as `animation` and again as `document`."""
        return self.send_file(user, "animation", content, name, **sent)

    def forward(self, user: User, message: Message, **posting: Unpack[Posting]) -> Message:
        """Send an earlier message again, the same file with the same ids."""
        own = (
            "message_id",
            "date",
            "chat",
            "from",
            "reply_to_message",
            "message_thread_id",
            "is_topic_message",
            "media_group_id",
        )
        fields = {key: value for key, value in message.items() if key not in own}
        origin = {"type": "hidden_user", "sender_user_name": "Somebody", "date": message["date"]}
        return self.post(user, {**fields, "forward_origin": origin}, **posting)

    def edit(self, message_id: int, **fields: Any) -> Message:
        """Change fields of somebody's message, such as `text`, `caption` or the whole `document`."""
        message = {**self._known(message_id), **fields, "edit_date": int(time.time())}
        self.replace(message)
        self._around.deliver(self, "edited_channel_post" if self.kind == "channel" else "edited_message", message)
        return message

    def delete(self, message_id: int) -> None:
        """A person deletes a message; the bot is not told."""
        self._known(message_id)
        self.remove(message_id)

    def press(self, user: User, message_id: int, data: str, *, forged: bool = False) -> Press:
        """
        Press the button that carries `data`, or the one labelled so.

        A button that isn't there can't be pressed (`ValueError`), except by a forging or late client: `forged`.
        """
        if not forged:
            data = self._button(self._known(message_id), data)
        press = Press(user, message_id, data, self._changes)
        self._around.pressed(press)
        seen = self.find(message_id)
        message = as_bot_sees(seen) if seen else {"chat": self.as_json(), "message_id": message_id, "date": 0}
        query = {
            "id": press.id,
            "from": user.as_json(),
            "message": message,
            "chat_instance": str(self.id),
            "data": data,
        }
        self._around.deliver(self, "callback_query", query)
        return press

    def join(self, user: User) -> Message:
        """Somebody enters the group; everybody gets a service message."""
        self.members.append(user)
        return self.post(user, {"new_chat_members": [user.as_json()]})

    def leave(self, user: User) -> Message:
        self.members.remove(user)
        return self.post(user, {"left_chat_member": user.as_json()})

    def create_topic(self, user: User, name: str) -> int:
        """Open a topic of a forum; returns its id."""
        topic_id = next(self._ids)
        self.topics[topic_id] = Topic(topic_id, name)
        self._messages[topic_id] = {
            "message_id": topic_id,
            "date": int(time.time()),
            "chat": self.as_json(),
            "from": user.as_json(),
            **self.thread_fields(topic_id),
            "forum_topic_created": {"name": name, "icon_color": 0x6FB9F0},
        }
        self._around.deliver(self, "message", self._messages[topic_id])
        return topic_id

    def close_topic(self, topic_id: int) -> None:
        self.topics[topic_id].closed = True

    def delete_topic(self, topic_id: int) -> None:
        del self.topics[topic_id]

    def _placed(self, *, reply_to: int | None = None, topic: int | None = None) -> dict[str, Any]:
        """The fields of a reply and of a topic. In a topic, what replies to nothing replies to its first message."""
        fields = self.thread_fields(topic)
        replied = reply_to if reply_to is not None else topic
        if replied is not None:
            self._known(replied)
            fields["reply_to_message"] = self.quoted(replied)
        return fields

    def _known(self, message_id: int) -> Message:
        message = self.find(message_id)
        if message is None:
            raise ValueError(f"there is no message {message_id} in chat {self.id}")
        return message

    def _button(self, message: Message, wanted: str) -> str:
        rows = message.get("reply_markup", {}).get("inline_keyboard", [])
        for button in (button for row in rows for button in row):
            if "callback_data" in button and wanted in (button["callback_data"], button["text"]):
                return str(button["callback_data"])
        raise ValueError(f"message {message['message_id']} has no button {wanted!r}: {rows}")


def _captioned(sent: Attached) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    caption, album = sent.get("caption"), sent.get("album")
    if caption:
        fields["caption"] = caption
        entities = find_entities(caption)
        if entities:
            fields["caption_entities"] = entities
    if album:
        fields["media_group_id"] = album
    return fields
