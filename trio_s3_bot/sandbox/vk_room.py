"""A chat as VK keeps it: its messages, its keyboard, and whether the bot may write there."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, overload

import trio

from .vk_keyboard import Keyboard
from .vk_replies import Refusal
from .vk_text import mentioned
from .world import Changes

Message = dict[str, Any]
Kind = Literal["private", "group"]
What = str | Callable[[Message], bool]

GROUP_PEERS = 2_000_000_000
"""A group's peer id is its number above this; below it are people, below zero communities."""

LANGUAGES = {"ru": 0, "uk": 1, "be": 2, "en": 3, "es": 4, "fi": 5, "de": 6, "it": 7}
BUTTON_ACTIONS = ("text", "vkpay", "open_app", "location", "open_link", "open_photo", "callback")


@dataclass(eq=False)
class User:
    """
    A person. `language` is the client's, an IETF tag that VK has a number for; it may be changed at any time.

    `button_actions`, `keyboard` and `inline_keyboard` are what the client can do; older ones can't do callback buttons.
    """

    id: int
    first_name: str
    language: str | None = None
    button_actions: tuple[str, ...] = BUTTON_ACTIONS
    keyboard: bool = True
    inline_keyboard: bool = True

    def client_info(self) -> dict[str, Any]:
        """What an event tells of the client."""
        known = {
            "button_actions": list(self.button_actions),
            "keyboard": self.keyboard,
            "inline_keyboard": self.inline_keyboard,
            "carousel": self.inline_keyboard,
        }
        return known if self.language is None else {**known, "lang_id": LANGUAGES[self.language.partition("-")[0]]}


@dataclass(frozen=True)
class Deed:
    """Something the bot did in a chat. `time` is trio's clock, in seconds."""

    method: str
    time: float
    text: str | None
    message_id: int | None


class Room:
    """
    One chat. `messages` is how it looks now, `history` what the bot did in it, in order.

    A message is as the API shows it, and has a `message_id` besides, which people here know it by: its
    `conversation_message_id`. `forbidden` is the code that a bot is refused with which may not write here. `keyboard`
    is the one below the input, `mentions` whom the bot's messages notified.
    """

    def __init__(self, kind: Kind, peer_id: int, names: dict[str, str], changes: Changes, ids: Iterator[int]) -> None:
        self.kind, self.id, self.names = kind, peer_id, names
        self.history: list[Deed] = []
        self.forbidden: int | None = None
        self.started = True
        self.actions: list[str] = []
        self.keyboard: Keyboard | None = None
        self.mentions: list[int] = []
        self.random_ids: dict[int, Message] = {}
        self._messages: dict[int, Message] = {}
        self._changes = changes
        self._ids = ids
        self._own_ids = itertools.count(1)
        self._versions = itertools.count(10_000_001)

    @property
    def messages(self) -> list[Message]:
        return list(self._messages.values())

    @property
    def bot_messages(self) -> list[Message]:
        return [message for message in self._messages.values() if message["out"]]

    def find(self, message_id: int) -> Message | None:
        """A message by its number in this chat."""
        return self._messages.get(message_id)

    def add(self, from_id: int, fields: dict[str, Any]) -> Message:
        """Append a message under the chat's next number; an id of its own it has only in a private chat."""
        number = next(self._own_ids)
        message = {
            "date": int(time.time()),
            "from_id": from_id,
            "id": next(self._ids) if self.kind == "private" else 0,
            "version": next(self._versions),
            "out": int(from_id < 0),
            "fwd_messages": [],
            "important": False,
            "is_hidden": False,
            "attachments": [],
            "conversation_message_id": number,
            "text": "",
            "peer_id": self.id,
            "random_id": 0,
            "message_id": number,
            **fields,
        }
        self._messages[number] = message
        self._changes.announce()
        return message

    def replace(self, message: Message) -> Message:
        """Put a new version of a message in the place of the old one."""
        new = {**message, "version": next(self._versions), "update_time": int(time.time())}
        self._messages[message["message_id"]] = new
        self._changes.announce()
        return new

    def remove(self, message_id: int) -> None:
        del self._messages[message_id]
        self._changes.announce()

    def record(self, method: str, text: str | None, message_id: int | None) -> None:
        """Note what the bot did."""
        self.history.append(Deed(method, trio.current_time(), text, message_id))
        self._changes.announce()

    def notify(self, text: str) -> None:
        """Note whom a message of the bot mentions."""
        self.mentions.extend(mentioned(text))

    def check_access(self) -> None:
        """Refuse if the bot can't write here."""
        if self.forbidden is not None:
            raise Refusal(self.forbidden)

    def quoted(self, message_id: int) -> Message:
        """A message as a reply shows it: what it replied to itself is not shown."""
        return as_foreign(self._messages[message_id])

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
        fits = what if callable(what) else lambda message: what in message["text"]

        def look() -> list[Message] | None:
            found = [m for m in self.bot_messages if m["message_id"] > after and fits(m)]
            return found if len(found) >= (count or 1) else None

        found = await self._changes.until(look)
        return found[0] if count is None else found


def as_bot_sees(message: Message) -> Message:
    """A message as the API shows it."""
    return {key: value for key, value in message.items() if key != "message_id"}


def as_foreign(message: Message) -> Message:
    """A message as it is shown within another one."""
    shown = ("date", "from_id", "id", "text", "attachments", "conversation_message_id", "peer_id", "fwd_messages")
    return {key: message[key] for key in shown}
