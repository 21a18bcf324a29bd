"""
VK, as a community's bot: methods of the API, events by the Bots Long Poll API.

Messages are known by their numbers in their conversations (`cmid`), in private chats and groups alike.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import NamedTuple, TypeVar

import msgspec
import structlog

from trio_s3_bot.config import VkConfig
from trio_s3_bot.errors import ChatUnreachable, MessageGone, MessengerError
from trio_s3_bot.messengers import vk_check, vk_words
from trio_s3_bot.messengers.base import Account, Batch, Capabilities, Command, Skipped
from trio_s3_bot.messengers.http import Connections, open_connections
from trio_s3_bot.messengers.lengths import cut, units
from trio_s3_bot.messengers.vk_advice import BOT_CAPABILITIES
from trio_s3_bot.messengers.vk_api import Api, Param, VkRefused, error_of
from trio_s3_bot.messengers.vk_documents import Links
from trio_s3_bot.messengers.vk_long_poll import LongPoll
from trio_s3_bot.messengers.vk_types import Incoming, VClient, VMessages, read, understand, user_and_event
from trio_s3_bot.model import Chat, Document, Keyboard, OutMessage, Press, Secret, Source, UpdateObj
from trio_s3_bot.patience import SHIPPED, Timeouts

CONNECTIONS = 16
LATE = 10  # seconds that the answer to a long poll may be late
CLIENTS = 10_000  # people whose clients are remembered

# What VK says when the message that is to be answered is gone or can't be quoted, when a keyboard is wrong or keyboards
# are switched off, and when a text is too long. Some of it is a mistake here, and still better told in part.
_NO_REPLY = frozenset({100, 913, 921, 969})
_KEYBOARDS_OFF = 912
_NO_KEYBOARD = frozenset({911, _KEYBOARDS_OFF})
_TOO_LONG = frozenset({910, 914})
SHORTEST = 256  # UTF-16 units to which a text is cut at most

log = structlog.get_logger()

T = TypeVar("T")


class VSendError(msgspec.Struct):
    code: int = 0
    description: str = ""


class VSent(msgspec.Struct):
    """What became of a message to one of `peer_ids`."""

    message_id: int = 0
    conversation_message_id: int = 0
    error: VSendError | None = None


class _Client(NamedTuple):
    """What a person's client was when last heard of."""

    language: str | None = None
    callbacks: bool = True
    inline: bool = True
    below: bool = True


class Vk:
    """One community; fulfils `messengers.base.Messenger`. Made by `open_vk`."""

    name = "vk"

    def __init__(self, config: VkConfig, *, polling: Connections, calling: Connections, timeouts: Timeouts) -> None:
        self._group_id = config.group_id
        self._api = Api(calling, timeouts.call)
        late = min(LATE, timeouts.poll)
        self._long_poll = LongPoll(self._api, polling, wait=round(config.wait), late=late)
        self._links = Links(self._api, config.api_url)
        self._clients: dict[int, _Client] = {}
        self._callbacks = True
        self.capabilities = Capabilities(
            buttons=vk_words.BUTTONS,
            button_rows=vk_words.ROWS,
        )

    async def check(self) -> Account:
        """Ask which community the token belongs to, what the token may do, and whether events will come."""
        group = await vk_check.own_group(self._api, self._group_id)
        found = await vk_check.inspect(self._api, self._long_poll, group.id)
        self._group_id, self._callbacks = group.id, found.callbacks
        return Account(group.id, f"vk.com/{group.screen_name or f'club{group.id}'}", found.remarks)

    async def poll(self, cursor: str | None) -> Batch:
        """One `a_check`; the cursor is its `ts`."""
        group_id = await self._own_id()
        raw, ts = await self._long_poll.poll(group_id, cursor)
        events = [read(update) for update in raw]
        updates = [self._understand(event, group_id) for event in events if isinstance(event, Incoming)]
        return Batch(tuple(updates), ts, tuple(event for event in events if isinstance(event, Skipped)))

    async def whole(self, update: UpdateObj) -> UpdateObj:
        """`messages.getByConversationMessageId`, by its number."""
        where: dict[str, Param] = {
            "peer_id": update.chat.id,
            "conversation_message_ids": update.message_id or 0,
        }
        found = await self._api.call("messages.getByConversationMessageId", where, VMessages)
        if not found.items:
            raise MessageGone("messages.getByConversationMessageId: the message is gone")
        event = Incoming(update.update_id, message=found.items[0])
        language = update.sender.language if update.sender else None
        return replace(understand(event, await self._own_id(), language), update_id=update.update_id, cropped=False)

    async def send(self, chat: Chat, message: OutMessage) -> int:
        """
        `messages.send`, which says a `random_id` only once.

        A message that can't be a reply or can't have a keyboard is sent without: what it says matters more.
        """
        params = {"peer_ids": chat.id, "random_id": message.random_id, **_content(message)}
        if message.keyboard:
            params |= self._keyboard(chat, message.keyboard)
        if message.reply_to is not None:
            params["forward"] = vk_words.reply(chat.id, message.reply_to)
        return await _despite_hindrances(self._send, params)

    async def edit(self, chat: Chat, message_id: int, message: OutMessage) -> None:
        """`messages.edit`; the keyboard is sent anew, because VK drops one that isn't."""
        if not message_id:
            raise MessageGone("messages.edit: VK has not told the message's number")
        params = {"peer_id": chat.id, "cmid": message_id, "keep_forward_messages": 1, **_content(message)}
        if message.keyboard and self._client(chat).inline:
            params |= self._keyboard(chat, message.keyboard)
        await _despite_hindrances(self._edit, params)

    async def answer(self, chat: Chat, press: Press, text: str = "") -> None:
        """`messages.sendMessageEventAnswer`; one that is too old, and that of a text button, is let go."""
        if not press.id:
            return
        user, event = user_and_event(press.id)
        params: dict[str, Param] = {"event_id": event, "user_id": user, "peer_id": chat.id}
        if text:
            params["event_data"] = vk_words.snackbar(text)
        try:
            await self._api.call("messages.sendMessageEventAnswer", params, int)
        except (VkRefused, ChatUnreachable):
            return

    async def resolve(self, document: Document) -> Source:
        """The link that came with the document, or a new one."""
        return await self._links.source(document)

    async def announce(self, commands: tuple[Command, ...]) -> None:
        """VK has no menu of commands."""

    async def _own_id(self) -> int:
        if self._group_id is None:
            self._group_id = (await vk_check.own_group(self._api, None)).id
        return self._group_id

    def _understand(self, event: Incoming, group_id: int) -> UpdateObj:
        person = event.message.from_id if event.message else event.press.user_id if event.press else 0
        if event.client is not None:
            self._remember(person, event.client)
        client = self._clients.get(person)
        return understand(event, group_id, client.language if client else None)

    def _remember(self, person: int, client: VClient) -> None:
        """Events of presses don't tell of the client, and a message is written for one: keep what is known."""
        self._clients.pop(person, None)
        self._clients[person] = _Client(client.language, client.callbacks, client.inline_keyboard, client.keyboard)
        if len(self._clients) > CLIENTS:
            del self._clients[next(iter(self._clients))]

    def _client(self, chat: Chat) -> _Client:
        """The client of a private chat's person; one that can do everything when nothing is known, as in groups."""
        return self._clients.get(chat.id, _Client())

    def _keyboard(self, chat: Chat, keyboard: Keyboard) -> dict[str, Param]:
        """
        The buttons as the person's client can show them; none where it can't show any.

        Whatever a button does can be typed, too.
        """
        client = self._client(chat)
        if client.inline:
            return {"keyboard": vk_words.keyboard(keyboard, callback=self._callbacks and client.callbacks)}
        return {"keyboard": vk_words.keyboard_below(keyboard)} if client.below else {}

    async def _send(self, params: dict[str, Param]) -> int:
        """`peer_ids`, because only then VK tells the message's number; what is wrong is told for each of them."""
        [sent] = await self._api.call("messages.send", params, tuple[VSent])
        if sent.error is not None:
            raise error_of("messages.send", sent.error.code, sent.error.description)
        return sent.conversation_message_id or await self._number_of(sent)

    async def _edit(self, params: dict[str, Param]) -> None:
        await self._api.call("messages.edit", params, int)

    async def _number_of(self, sent: VSent) -> int:
        """The number of a message by its id; 0 when that can't be known, which is no reason to send it again."""
        if not sent.message_id:
            return 0
        try:
            found = await self._api.call("messages.getById", {"message_ids": sent.message_id}, VMessages)
        except MessengerError:
            return 0
        return found.items[0].conversation_message_id if found.items else 0


@asynccontextmanager
async def open_vk(
    config: VkConfig, proxy: Secret | None = None, timeouts: Timeouts = SHIPPED.timeouts
) -> AsyncIterator[Vk]:
    """Open the account's connections: one for the long poll, which is not shown the token, and a pool for the API."""
    token = {"Authorization": f"Bearer {config.token.reveal()}"}
    connect, base_url = timeouts.connect, f"{config.api_url}/"
    async with (
        open_connections(1, proxy=proxy, connect=connect) as polling,
        open_connections(CONNECTIONS, proxy=proxy, connect=connect, base_url=base_url, headers=token) as calling,
    ):
        yield Vk(config, polling=polling, calling=calling, timeouts=timeouts)


def _content(message: OutMessage) -> dict[str, Param]:
    return {"message": vk_words.plain(message.text), "dont_parse_links": 1, "disable_mentions": 1}


async def _despite_hindrances(say: Callable[[dict[str, Param]], Awaitable[T]], params: dict[str, Param]) -> T:
    """Say it, if need be without the reply, the keyboard or the end of the text that VK refuses it with."""
    while True:
        try:
            return await say(params)
        except VkRefused as error:
            less = _without_hindrance(params, error.code)
            if less is None:
                raise
            advice = {"advice": BOT_CAPABILITIES} if error.code == _KEYBOARDS_OFF else {}
            log.warning("VK refuses a part of a message", error=str(error), **advice)
            params = less


def _without_hindrance(params: dict[str, Param], code: int) -> dict[str, Param] | None:
    """What is left without the part that an error is about; `None` when that part is not there."""
    if code in _TOO_LONG:
        text = str(params["message"])
        shorter = cut(text, max(SHORTEST, units(text) // 2))
        return {**params, "message": shorter} if shorter != text else None
    hindrance = "forward" if code in _NO_REPLY else "keyboard" if code in _NO_KEYBOARD else ""
    return {name: value for name, value in params.items() if name != hindrance} if hindrance in params else None
