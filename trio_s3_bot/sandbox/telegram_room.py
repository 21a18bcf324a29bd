"""A chat as the server keeps it: its messages, its topics, and whether the bot may write there."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, overload

import trio

from .telegram_replies import Refusal, bad_request
from .world import Changes

Message = dict[str, Any]
Kind = Literal["private", "group", "supergroup", "channel"]
What = str | Callable[[Message], bool]


@dataclass(eq=False)
class User:
    """A person (or the bot). `language` is what the client reports, an IETF tag; it may be changed at any time."""

    id: int
    first_name: str
    username: str | None = None
    language: str | None = None
    is_bot: bool = False

    def as_json(self) -> dict[str, Any]:
        known = {"username": self.username, "language_code": self.language}
        fields = {name: value for name, value in known.items() if value is not None}
        return {"id": self.id, "is_bot": self.is_bot, "first_name": self.first_name, **fields}


@dataclass(frozen=True)
class Deed:
    """Something the bot did in a chat. `time` is trio's clock, in seconds."""

    method: str
    time: float
    text: str | None
    message_id: int | None


@dataclass
class Topic:
    """A topic of a forum; its id is the id of the message that created it."""

    id: int
    name: str
    closed: bool = False


class Room:
    """
    One chat. `messages` is how it looks now, `history` what the bot did in it, in order; `bot_id` says who that is.

    `forbidden` is why the bot may not write (the text of the 403), `moved_to` the supergroup that a group became.
    """

    def __init__(
        self, kind: Kind, chat_id: int, names: dict[str, str], changes: Changes, ids: Iterator[int], bot_id: int
    ) -> None:
        self.kind, self.id, self.names = kind, chat_id, names
        self.history: list[Deed] = []
        self.topics: dict[int, Topic] = {}
        self.topical = False
        self.forbidden: str | None = None
        self.moved_to: int | None = None
        self.actions: list[str] = []
        self._messages: dict[int, Message] = {}
        self._changes = changes
        self._ids = ids
        self._bot_id = bot_id

    @property
    def messages(self) -> list[Message]:
        return list(self._messages.values())

    @property
    def bot_messages(self) -> list[Message]:
        return [message for message in self._messages.values() if message.get("from", {}).get("id") == self._bot_id]

    def as_json(self) -> dict[str, Any]:
        forum = {"is_forum": True} if self.topical and self.kind == "supergroup" else {}
        return {"id": self.id, "type": self.kind, **self.names, **forum}

    def find(self, message_id: int) -> Message | None:
        return self._messages.get(message_id)

    def add(self, fields: dict[str, Any]) -> Message:
        """Append a message; it gets the next id, the date and the chat."""
        message_id = next(self._ids)
        message = {"message_id": message_id, "date": int(time.time()), "chat": self.as_json(), **fields}
        self._messages[message_id] = message
        self._changes.announce()
        return message

    def replace(self, message: Message) -> None:
        """Put a new version of a message in the place of the old one."""
        self._messages[message["message_id"]] = message
        self._changes.announce()

    def remove(self, message_id: int) -> bool:
        """Delete a message; whether there was one."""
        gone = self._messages.pop(message_id, None)
        self._changes.announce()
        return gone is not None

    def record(self, method: str, text: str | None, message_id: int | None) -> None:
        """Note what the bot did."""
        self.history.append(Deed(method, trio.current_time(), text, message_id))
        self._changes.announce()

    def check_access(self) -> None:
        """Refuse if the bot can't write here."""
        if self.moved_to is not None:
            raise bad_request("group chat was upgraded to a supergroup chat", migrate_to_chat_id=self.moved_to)
        if self.forbidden is not None:
            raise Refusal(403, f"Forbidden: {self.forbidden}")

    def check_thread(self, thread_id: int | None) -> None:
        """Refuse a topic that isn't there. The General topic has no id: 1 is refused too."""
        if not thread_id:
            return
        topic = self.topics.get(thread_id)
        if topic is None:
            raise bad_request("message thread not found")
        if topic.closed:
            raise bad_request("TOPIC_CLOSED")

    def thread_fields(self, thread_id: int | None) -> dict[str, Any]:
        return {"message_thread_id": thread_id, "is_topic_message": True} if thread_id in self.topics else {}

    def quoted(self, message_id: int) -> Message:
        """A message as a reply shows it: what it replied to itself is not shown."""
        return {
            key: value for key, value in as_bot_sees(self._messages[message_id]).items() if key != "reply_to_message"
        }

    @overload
    async def wait_for(self, what: What, *, after: int = 0) -> Message: ...
    @overload
    async def wait_for(self, what: What, *, count: int, after: int = 0) -> list[Message]: ...
    async def wait_for(self, what: What, *, count: int | None = None, after: int = 0) -> Message | list[Message]:
        """
        The bot's first message that has (or gets, by an edit) a text containing `what`, or satisfies it.

        With `count`, wait for so many and return them all, oldest first. Only messages with an id above `after` count.
        There is no time limit here: put one around the call.
        """
        fits = what if callable(what) else lambda message: what in message.get("text", "")

        def look() -> list[Message] | None:
            found = [m for m in self.bot_messages if m["message_id"] > after and fits(m)]
            return found if len(found) >= (count or 1) else None

        found = await self._changes.until(look)
        return found[0] if count is None else found


def as_bot_sees(message: Message) -> Message:
    """A message as the API returns it: of the markups only inline keyboards are shown."""
    if "inline_keyboard" in message.get("reply_markup", {"inline_keyboard": []}):
        return message
    return {key: value for key, value in message.items() if key != "reply_markup"}


def counter() -> Iterator[int]:
    """Message ids: one sequence for private chats and groups together, one for each supergroup and channel."""
    return itertools.count(1)
