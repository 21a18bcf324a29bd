"""The emulator's world: people, chats, documents and events, and the switches that make it behave badly."""

from __future__ import annotations

import itertools
import json
import logging
import secrets
from collections.abc import Callable
from typing import Any, TypeVar

from .replies import Faults
from .vk_chats import Chat, Press, Surroundings
from .vk_docs import Docs
from .vk_limits import RateLimits
from .vk_media import Media
from .vk_queue import Event, EventQueue
from .vk_replies import TEXTS, Refusal
from .vk_room import GROUP_PEERS, Message, User, as_bot_sees
from .vk_settings import LongPollSettings
from .vk_text import mentioned
from .world import CallLog, Changes, Content

T = TypeVar("T")

log = logging.getLogger(__name__)

CALLBACK_LIFETIME = 60.0
EDIT_WINDOW = 24 * 3600.0
NOT_PERMITTED = 901
NO_ACCESS = 917


class Vk:
    """
    A VK of one's own, with one community in it. `api_url` is the root of its API's methods, without a trailing slash.

    `calls` logs every call of the API (`messages.send`), of the long poll (`a_check`), of vk.com (`doc`) and of the
    storage host (`file`); `complaints` are what the real server may have forgiven but the documentation does not
    allow. `faults` scripts what goes wrong. `settings`, `permissions` and `bot_features` are what the community's
    managers switched on; without the last there are no keyboards. `user_token` makes the token a person's.
    `flood_limits` answers error 6 to a bot that is too fast. `privacy` shows the bot only what is addressed to it in
    groups. `callback_lifetime` is how many seconds a pressed button may be answered, `edit_window` how many a message
    may be edited. `one_random_id` lets the community use a `random_id` once, and not once in each chat; which of both
    VK does is not published. `payload_as_string` gives the payload of a callback as the schema says, not as it really
    comes.
    """

    def __init__(self, token: str, group_id: int) -> None:
        self.api_url = self.long_poll_url = ""
        self.token = token
        self.group_id = group_id
        self.name = "Sandbox"
        self.screen_name = f"club{group_id}"
        self.changes = Changes()
        self.calls = CallLog(self.changes)
        self.complaints: list[str] = []
        self.faults = Faults(self.changes)
        self.docs = Docs()
        self.media = Media()
        self.events = EventQueue(self.changes, group_id)
        self.settings = LongPollSettings()
        self.permissions = {"messages", "manage"}
        self.bot_features = True
        self.user_token = False
        self.flood_limits = False
        self.limits = RateLimits()
        self.privacy = False
        self.callback_lifetime = CALLBACK_LIFETIME
        self.edit_window = EDIT_WINDOW
        self.payload_as_string = False
        self.one_random_id = True
        self.random_ids: dict[int, Message] = {}
        self.chats: dict[int, Chat] = {}
        self.presses: dict[str, Press] = {}
        self._user_ids = itertools.count(700_000_001)
        self._group_ids = itertools.count(1)
        self._message_ids = itertools.count(1)
        names = {self.screen_name: group_id, f"public{group_id}": group_id}
        self._around = Surroundings(group_id, names, self.changes, self.docs, self.media, self._deliver, self._pressed)

    def user(self, name: str, *, language: str | None = None, id: int | None = None) -> User:
        """A new person."""
        return User(next(self._user_ids) if id is None else id, name, language)

    def private_chat(self, user: User, *, started: bool = True) -> Chat:
        """The person's chat with the community; `started` false: the person never wrote there, so the bot can't."""
        if user.id in self.chats:
            return self.chats[user.id]
        names = {"first_name": user.first_name}
        chat = self._add(Chat(self._around, "private", user.id, names, self._message_ids, [user]))
        chat.forbidden = None if started else NOT_PERMITTED
        chat.started = started
        return chat

    def group(self, title: str, members: list[User]) -> Chat:
        """A group chat with the community in it."""
        peer_id = GROUP_PEERS + next(self._group_ids)
        return self._add(Chat(self._around, "group", peer_id, {"title": title}, self._message_ids, list(members)))

    def block(self, who: Chat | User, code: int = NOT_PERMITTED) -> None:
        """
        A person forbids the community to write; the bot is told if `message_deny` is ticked.

        Another `code` refuses it for another reason, such as 900 or 902, of which it is not told.
        """
        chat = self._chat_of(who)
        chat.forbidden = Refusal(code).code
        if code == NOT_PERMITTED:
            self._queue("message_deny", {"user_id": chat.id})
        self.changes.announce()

    def unblock(self, who: Chat | User) -> None:
        chat = self._chat_of(who)
        chat.forbidden = None
        self._queue("message_allow", {"user_id": chat.id, "key": ""})
        self.changes.announce()

    def kick(self, group: Chat, code: int = NO_ACCESS) -> None:
        """The community is thrown out of a group chat, and hears nothing of it any more."""
        group.forbidden = Refusal(code).code
        self.changes.announce()

    def readmit(self, group: Chat) -> None:
        """Somebody invites the community again, of which there is a service message."""
        group.forbidden = None
        group.post(group.members[0], {"action": {"type": "chat_invite_user", "member_id": -self.group_id}})

    def deactivate(self, user: User) -> None:
        """The person's account is deleted; the bot isn't told until it writes."""
        self.private_chat(user).forbidden = 18
        self.changes.announce()

    def push(self, event: Event) -> None:
        """Queue an event of one's own making, exactly as it is given."""
        self.events.push(event)

    @property
    def pending(self) -> list[Event]:
        """Events that the bot has not confirmed to have, by asking for later ones."""
        return self.events.pending

    @property
    def polled(self) -> bool:
        """Whether the bot waits in a long poll now."""
        return self.events.polled

    def revoke_token(self) -> str:
        """The owner revokes the token; the new one is returned, and the old one is refused with error 5."""
        self.token = f"vk1.a.{secrets.token_urlsafe(60)}"
        return self.token

    async def wait(self, condition: Callable[[], T | None]) -> T:
        """Wait until `condition()` is true, looking again after each change in this world; returns what it gave."""
        return await self.changes.until(condition)

    def forget_file(self, file_id: str) -> None:
        """A document is deleted; `file_id` is `<owner_id>_<id>`."""
        self.docs.forget(file_id)

    def content(self, attachment: dict[str, Any]) -> Content:
        """The bytes of an attachment."""
        if attachment["type"] == "doc":
            return self.docs.find(f"{attachment['doc']['owner_id']}_{attachment['doc']['id']}").content
        return self.media.content(attachment)

    @property
    def file_lifetime(self) -> float:
        return self.docs.lifetime

    @file_lifetime.setter
    def file_lifetime(self, seconds: float) -> None:
        self.docs.lifetime = seconds

    @property
    def files_honour_range(self) -> bool:
        return self.docs.honour_range

    @files_honour_range.setter
    def files_honour_range(self, honoured: bool) -> None:
        self.docs.honour_range = honoured

    def complain(self, what: str) -> None:
        self.complaints.append(what)
        log.warning("the bot did what VK's API doesn't allow: %s", what)

    def chat(self, peer_id: int) -> Chat:
        """The chat that a call means, if the bot may write there; refuses as the real server does."""
        chat = self.chats.get(peer_id)
        if chat is None:
            raise Refusal(NO_ACCESS if peer_id > GROUP_PEERS else NOT_PERMITTED)
        chat.check_access()
        return chat

    def shown(self, message: Message) -> Message:
        """A message as the API shows it now, with new links to its documents."""
        return self.docs.renewed(as_bot_sees(message))

    def tell(self, chat: Chat, kind: str, message: Message) -> None:
        """Queue an event about the bot's own message, if that type is ticked."""
        self._deliver(chat, kind, message, None)

    def _add(self, chat: Chat) -> Chat:
        self.chats[chat.id] = chat
        self.changes.announce()
        return chat

    def _chat_of(self, who: Chat | User) -> Chat:
        return who if isinstance(who, Chat) else self.private_chat(who)

    def _pressed(self, press: Press) -> None:
        self.presses[press.id] = press

    def _deliver(self, chat: Chat, kind: str, content: dict[str, Any], user: User | None) -> None:
        if not chat.started:
            chat.started, chat.forbidden = True, None
            self._queue("message_allow", {"user_id": chat.id, "key": ""})
        if chat.forbidden is not None and chat.kind == "private":
            raise ValueError(f"nobody can write in this chat now: {TEXTS[chat.forbidden]}")
        if chat.forbidden is not None or (self.privacy and chat.kind == "group" and not self._addressed(kind, content)):
            return
        if kind == "message_event":
            payload = content["payload"] if self.payload_as_string else json.loads(content["payload"])
            self._queue(kind, {**content, "payload": payload})
            return
        message = self.shown(content)
        if user is not None and self.settings.message_inside:
            self._queue(kind, {"client_info": user.client_info(), "message": message})
        else:
            self._queue(kind, message)

    def _queue(self, kind: str, content: dict[str, Any]) -> None:
        if not self.settings.is_enabled or kind not in self.settings.events:
            return
        envelope = {"group_id": self.group_id, "type": kind, "event_id": secrets.token_hex(20)}
        self.events.push({**envelope, "v": self.settings.api_version, "object": content})

    def _addressed(self, kind: str, content: dict[str, Any]) -> bool:
        """Whether a community without access to all messages gets one: mentions, replies to it, presses, service."""
        if kind != "message_new" or "action" in content or "payload" in content:
            return True
        answered = content.get("reply_message", {}).get("from_id") == -self.group_id
        return answered or -self.group_id in mentioned(content["text"])
