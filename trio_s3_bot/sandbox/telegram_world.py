"""The emulator's world: people, chats, files and updates, and the switches that make it behave badly."""

from __future__ import annotations

import itertools
import logging
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from .replies import Faults
from .telegram_chats import Chat, Press, Surroundings
from .telegram_files import Files
from .telegram_limits import FloodLimits
from .telegram_queue import Update, UpdateQueue
from .telegram_replies import Refusal
from .telegram_room import User, as_bot_sees, counter
from .world import CallLog, Changes

T = TypeVar("T")

log = logging.getLogger(__name__)

BOT_NAME = "sandbox_bot"
CALLBACK_LIFETIME = 150.0
NOT_STARTED = "bot can't initiate conversation with a user"


class Telegram:
    """
    A Telegram of one's own, with one bot in it. `api_url` is the root of its Bot API, without a trailing slash.

    `calls` logs every API call, `complaints` what the real server may have forgiven but the documentation does not
    allow. `faults` scripts what goes wrong. `flood_limits` answers 429 to a bot that is too fast. `privacy` is the
    privacy mode of groups. `callback_lifetime` is how many seconds a pressed button may be answered. The rules of files
    (`files.cloud_limit` and so on) can also be reached from here under the names the properties have.
    """

    def __init__(self, token: str) -> None:
        self.api_url = ""
        self.token = token
        self.changes = Changes()
        self.calls = CallLog(self.changes)
        self.complaints: list[str] = []
        self.faults = Faults(self.changes)
        self.files = Files()
        self.updates = UpdateQueue(self.changes)
        self.flood_limits = False
        self.limits = FloodLimits()
        self.privacy = False
        self.callback_lifetime = CALLBACK_LIFETIME
        self.bot = User(int(token.partition(":")[0]), "Sandbox", BOT_NAME, is_bot=True)
        self.chats: dict[int, Chat] = {}
        self.presses: dict[str, Press] = {}
        self.commands: dict[tuple[str, str], list[dict[str, Any]]] = {}
        self._user_ids = itertools.count(5_000_000_001)
        self._group_ids = itertools.count(4_000_000_001)
        self._small_ids = counter()
        self._around = Surroundings(self.bot, self.changes, self.files, self._deliver, self._pressed)

    # People and chats

    def user(
        self, name: str, *, language: str | None = None, username: str | None = None, id: int | None = None
    ) -> User:
        """A new person. Ids are larger than 32 bits, as those of newer accounts are."""
        return User(next(self._user_ids) if id is None else id, name, username, language)

    def private_chat(self, user: User, *, topics: bool = False, started: bool = True) -> Chat:
        """The person's chat with the bot; `started` false: the person never wrote there, so the bot can't either."""
        if user.id in self.chats:
            return self.chats[user.id]
        names = {"first_name": user.first_name, **({"username": user.username} if user.username else {})}
        chat = self._add(Chat(self._around, "private", user.id, names, self._small_ids, [user]))
        chat.topical = topics
        chat.forbidden = None if started else NOT_STARTED
        return chat

    def group(self, title: str, members: list[User], *, supergroup: bool = False, forum: bool = False) -> Chat:
        """A group with the bot in it; a forum is a supergroup with topics."""
        number = next(self._group_ids)
        large = supergroup or forum
        chat_id = -1_000_000_000_000 - number if large else -number
        ids = counter() if large else self._small_ids
        chat = Chat(self._around, "supergroup" if large else "group", chat_id, {"title": title}, ids, list(members))
        chat.topical = forum
        return self._add(chat)

    def channel(self, title: str) -> Chat:
        chat_id = -1_000_000_000_000 - next(self._group_ids)
        return self._add(Chat(self._around, "channel", chat_id, {"title": title}, counter(), []))

    def migrate_to_supergroup(self, group: Chat) -> Chat:
        """A group becomes a supergroup with a new id; each of the two gets a service message."""
        new = self.group(group.names["title"], group.members, supergroup=True)
        author = group.members[0]
        group.post(author, {"migrate_to_chat_id": new.id})
        group.moved_to = new.id
        new.post(author, {"migrate_from_chat_id": group.id})
        return new

    def block(self, who: Chat | User) -> None:
        """A person stops the bot."""
        chat = self._chat_of(who)
        self._set_member(chat, "kicked", "bot was blocked by the user")

    def unblock(self, who: Chat | User) -> None:
        chat = self._chat_of(who)
        self._set_member(chat, "member", None)

    def kick(self, group: Chat) -> None:
        """The bot is thrown out of a group."""
        self._set_member(group, "kicked", f"bot was kicked from the {group.kind} chat")

    def readmit(self, group: Chat) -> None:
        self._set_member(group, "member", None)

    def deactivate(self, user: User) -> None:
        """The person's account is deleted; the bot isn't told until it writes."""
        self.private_chat(user).forbidden = "user is deactivated"

    # Updates

    def push(self, update: Update) -> int | None:
        """Queue an update of one's own making; returns its id, or `None` if its kind isn't allowed now."""
        return self.updates.push(update)

    @property
    def pending(self) -> list[Update]:
        """Updates not yet confirmed."""
        return list(self.updates.pending)

    @property
    def polled(self) -> bool:
        """Whether the bot waits in a long poll now."""
        return self.updates.polled

    def jump_update_id(self, next_id: int) -> None:
        """The server has lost its queue: what was pending is gone, and ids go on from `next_id`, up or down."""
        self.updates.pending.clear()
        self.updates.next_id = next_id

    def set_webhook(self, url: str) -> None:
        """Somebody sets a webhook (or, with an empty url, deletes it); a waiting poll ends with 409."""
        self.updates.webhook = url
        if url:
            self.updates.stop_poll(Refusal(409, "Conflict: terminated by setWebhook request"))

    def revoke_token(self) -> str:
        """The owner revokes the token; the new one is returned, and the old one is answered with 401."""
        self.token = f"{self.bot.id}:{secrets.token_urlsafe(26)}"
        self.updates.stop_poll(Refusal(401, "Unauthorized"))
        return self.token

    async def wait(self, condition: Callable[[], T | None]) -> T:
        """Wait until `condition()` is true, looking again after each change in this world; returns what it gave."""
        return await self.changes.until(condition)

    # Files

    def forget_file(self, file_id: str) -> None:
        self.files.forget(file_id)

    @property
    def cloud_limit(self) -> int | None:
        return self.files.cloud_limit

    @cloud_limit.setter
    def cloud_limit(self, limit: int | None) -> None:
        self.files.cloud_limit = limit

    @property
    def local_root(self) -> Path | None:
        return self.files.local_root

    @local_root.setter
    def local_root(self, root: Path | None) -> None:
        self.files.local_root = root

    @property
    def file_lifetime(self) -> float:
        return self.files.lifetime

    @file_lifetime.setter
    def file_lifetime(self, seconds: float) -> None:
        self.files.lifetime = seconds

    @property
    def files_honour_range(self) -> bool:
        return self.files.honour_range

    @files_honour_range.setter
    def files_honour_range(self, honoured: bool) -> None:
        self.files.honour_range = honoured

    # The inside

    def complain(self, what: str) -> None:
        self.complaints.append(what)
        log.warning("the bot did what the Bot API doesn't allow: %s", what)

    def _add(self, chat: Chat) -> Chat:
        self.chats[chat.id] = chat
        self.changes.announce()
        return chat

    def _chat_of(self, who: Chat | User) -> Chat:
        return who if isinstance(who, Chat) else self.private_chat(who)

    def _pressed(self, press: Press) -> None:
        self.presses[press.id] = press

    def _deliver(self, chat: Chat, kind: str, content: dict[str, Any]) -> None:
        if chat.forbidden == NOT_STARTED:
            chat.forbidden = None
        if chat.forbidden is not None and chat.kind == "private":
            raise ValueError(f"nobody can write in this chat now: {chat.forbidden}")
        if chat.forbidden is not None or chat.moved_to is not None:
            return
        if self.privacy and kind in ("message", "edited_message") and chat.id < 0 and not self._addressed(content):
            return
        self.updates.push({kind: content if kind == "callback_query" else as_bot_sees(content)})

    def _addressed(self, message: dict[str, Any]) -> bool:
        """Whether a bot in privacy mode gets a group's message: commands, mentions, replies to it, service messages."""
        if message.get("reply_to_message", {}).get("from", {}).get("id") == self.bot.id:
            return True
        marks = [entity["type"] for entity in message.get("entities", [])]
        mentioned = f"@{self.bot.username}" in message.get("text", message.get("caption", ""))
        content = ("text", "document", "photo", "video", "audio", "voice", "video_note", "animation", "sticker")
        return "bot_command" in marks or mentioned or not any(name in message for name in content)

    def _set_member(self, chat: Chat, status: str, forbidden: str | None) -> None:
        """Change the bot's own membership, of which it is told by `my_chat_member`."""
        old = {"user": self.bot.as_json(), "status": "member" if status == "kicked" else "kicked"}
        new = {"user": self.bot.as_json(), "status": status}
        change = {"chat": chat.as_json(), "from": chat.members[0].as_json(), "date": 0, "old_chat_member": old}
        self.updates.push({"my_chat_member": {**change, "new_chat_member": new}})
        chat.forbidden = forbidden
        self.changes.announce()
