"""
The two messengers as tests of both see them: the same things under the names that each side has for them.

    side = vk_side(vk)
    person, chat = side.meet("Alice")
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trio_s3_bot.config import BotConfig, load
from trio_s3_bot.messengers.base import Messenger
from trio_s3_bot.messengers.telegram import open_telegram
from trio_s3_bot.messengers.vk import open_vk
from trio_s3_bot.model import Document
from trio_s3_bot.patience import SHIPPED, Timeouts
from trio_s3_bot.sandbox import telegram as tg
from trio_s3_bot.sandbox import vk
from trio_s3_bot.sandbox.replies import Instead
from trio_s3_bot.sandbox.world import Call, Content

SHIPPED_CONFIG = Path(__file__).parents[1] / "config.ini"
TOKENS = {"telegram": "123456:sandbox-sandbox-sandbox", "vk": "vk1.a.sandbox-sandbox-sandbox"}

Settings = dict[tuple[str, str], str]
Shown = Mapping[str, Any]
# Either emulator's; the tests use what they have in common.
Chat = Any
Person = Any
Press = Any
Keyboard = list[list[tuple[str, str]]]  # rows of labels, each with what the bot wrote into the button


@dataclass(frozen=True)
class Names:
    """
    What the tests need to name: methods in the emulator's log of calls, and answers that it can be told to give.

    `cursor` is the parameter of `poll` that acknowledges. `fetch` is what the bot asks first for a document; `text` and
    `chat` are the parameters that hold what it says, and where.
    """

    check: str
    poll: str
    cursor: str
    send: str
    edit: str
    press: str
    resolve: str
    fetch: str
    text: str
    chat: str
    flood: Instead
    out_of_order: Instead


TELEGRAM = Names(
    check="getMe",
    poll="getUpdates",
    cursor="offset",
    send="sendMessage",
    edit="editMessageText",
    press="answerCallbackQuery",
    resolve="getFile",
    fetch="getFile",
    text="text",
    chat="chat_id",
    flood=tg.TooManyRequests(7),
    out_of_order=tg.ServerError(),
)
VK = Names(
    check="groups.getById",
    poll=vk.LONG_POLL,
    cursor="ts",
    send="messages.send",
    edit="messages.edit",
    press="messages.sendMessageEventAnswer",
    resolve="messages.getByConversationMessageId",
    fetch=vk.DOC_ROUTE,
    text="message",
    chat="peer_ids",
    flood=vk.ApiError(9),
    out_of_order=vk.ApiError(10),
)


@dataclass(frozen=True)
class Side:
    """
    One messenger: the emulator that plays it, and how the bot's half is opened.

    `world` is either emulator, and people and chats are either's; the tests use what they have in common.
    `page` is how many saved files a list shows at a time, `status_page` how many that are on their way: VK's keyboards
    are smaller. `keyboard(message)` is a message's inline keyboard, `answered(message)` the id of the message that it
    answers.
    """

    name: str
    world: Any
    names: Names
    page: int
    status_page: int
    keyboard: Callable[[Shown], Keyboard]
    answered: Callable[[Shown], int | None]
    open_config: Callable[[BotConfig, Timeouts], AbstractAsyncContextManager[Messenger]]

    @property
    def account(self) -> int:
        """The bot's own id."""
        account: int = self.world.bot.id if self.name == "telegram" else self.world.group_id
        return account

    @property
    def queue(self) -> Any:
        """What waits to be polled."""
        return self.world.updates if self.name == "telegram" else self.world.events

    @property
    def next_cursor(self) -> int | None:
        """The cursor of a bot that has everything; in Telegram it has none before the first update."""
        cursor: int = self.queue.next_id if self.name == "telegram" else self.queue.ts
        return None if self.name == "telegram" and cursor == self.queue.first_id else cursor

    @property
    def keeps_messages(self) -> bool:
        """Whether the bot will hear what people send now. VK keeps nothing for one that has never polled."""
        return self.name == "telegram" or bool(self.world.calls(self.names.poll))

    @property
    def says_once(self) -> bool:
        """Whether a message that is sent again is known again."""
        return self.name == "vk"

    def command(self, text: str) -> str:
        """A command as it is written in a group, without its slash."""
        name, space, argument = text.partition(" ")
        return f"/{name}@{self.world.bot.username}{space}{argument}" if self.name == "telegram" else f"/{text}"

    @property
    def settings(self) -> Settings:
        """What leads a bot to this emulator."""
        return {(self.name, "token"): self.world.token, (self.name, "api_url"): self.world.api_url}

    def person(self, name: str = "Alice", language: str | None = "en") -> Person:
        """Somebody new."""
        return self.world.user(name, language=language)

    def meet(self, name: str = "Alice", language: str | None = "en", id: int | None = None) -> tuple[Person, Chat]:
        """A new person, and the private chat with the bot."""
        person = self.world.user(name, language=language, id=id)
        return person, self.world.private_chat(person)

    def team(self, *names: str) -> tuple[Chat, *tuple[Person, ...]]:
        """A group of new people with the bot in it, and who they are."""
        people = [self.person(name) for name in names]
        return self.world.group("Team", people), *people

    def send_named(self, chat: Chat, person: Person, name: str, content: bytes = b"content") -> Shown:
        """Send a document that is called exactly so; Telegram itself would tidy its name."""
        if self.name == "vk":
            sent: Shown = chat.send_document(person, name, content)
        else:
            stored = self.world.files.add(Content.of(content), "document")
            sent = chat.post(person, {"document": {**stored.as_json(), "file_name": name}})
        return sent

    def send_album(self, chat: Chat, person: Person, files: Mapping[str, bytes]) -> None:
        """Send several documents together: in Telegram as messages of one album, in VK as one message."""
        if self.name == "vk":
            chat.send_documents(person, list(files.items()))
            return
        for name, content in files.items():
            chat.send_document(person, name, content, album="album")

    def sent_file(self, sent: Shown) -> str:
        """What the emulator knows the document of a sent message by."""
        if self.name == "telegram":
            return str(sent["document"]["file_id"])
        doc = sent["attachments"][0]["doc"]
        return f"{doc['owner_id']}_{doc['id']}"

    def buttons(self, message: Shown) -> list[list[str]]:
        """The rows of a message's inline keyboard, as labels."""
        return [[label for label, _ in row] for row in self.keyboard(message)]

    def labels(self, message: Shown) -> list[str]:
        """What the buttons of a message say, one after the other."""
        return [label for row in self.buttons(message) for label in row]

    def data(self, message: Shown, label: str) -> str:
        """What the button carries whose label contains `label`, as the bot wrote it."""
        found = [data for row in self.keyboard(message) for text, data in row if label in text]
        assert found, f"no button {label!r} in {self.labels(message)}"
        return found[0]

    def press(self, chat: Chat, person: Person, message: Shown, label: str) -> Press:
        """Press the button whose label contains `label`, as the message looks now."""
        message = chat.find(message["message_id"]) or message
        return chat.press(person, message["message_id"], self.data(message, label))

    def forge(self, chat: Chat, person: Person, message: Shown, data: str) -> Press:
        """Press a button that isn't there: one with `data`, as a late or a forging client does."""
        carried = data if self.name == "telegram" else json.dumps({"button": data})
        return chat.press(person, message["message_id"], carried, forged=True)

    def is_to(self, chat: Chat, call: Call) -> bool:
        """Whether a call says something in a chat."""
        return str(call.params.get(self.names.chat)) == str(chat.id)

    def push_odd(self, shape: dict[str, object]) -> None:
        """Queue an update of any shape; an id is all that it is given."""
        if self.name == "telegram":
            self.queue.pending.append({**shape, "update_id": self.queue.next_id})
            self.queue.next_id += 1
        else:
            self.world.push({**shape, "event_id": "odd"})

    def file_id(self, document: Document) -> str:
        """What the emulator knows a document by."""
        return document.file_id if self.name == "telegram" else document.unique_id

    def config(self, settings: Settings = {}) -> BotConfig:
        """The shipped settings, led to the emulator, changed by `settings`."""
        return load(SHIPPED_CONFIG, {}, {**self.settings, ("s3", "bucket"): "unused", **settings})

    def open(
        self, settings: Settings = {}, timeouts: Timeouts = SHIPPED.timeouts
    ) -> AbstractAsyncContextManager[Messenger]:
        """The bot's half, which has not asked for anything yet."""
        return self.open_config(self.config(settings), timeouts)


def telegram_side(world: tg.Telegram) -> Side:
    def opened(config: BotConfig, timeouts: Timeouts) -> AbstractAsyncContextManager[Messenger]:
        assert config.telegram is not None
        return open_telegram(config.telegram, timeouts=timeouts)

    return Side("telegram", world, TELEGRAM, 10, 10, _telegram_keyboard, _telegram_answered, opened)


def vk_side(world: vk.Vk) -> Side:
    def opened(config: BotConfig, timeouts: Timeouts) -> AbstractAsyncContextManager[Messenger]:
        assert config.vk is not None
        return open_vk(config.vk, timeouts=timeouts)

    return Side("vk", world, VK, 8, 5, _vk_keyboard, _vk_answered, opened)


@asynccontextmanager
async def open_side(name: str) -> AsyncIterator[Side]:
    """One messenger alone; nothing that happens in the block may give it cause to complain."""
    if name == "telegram":
        async with tg.open_telegram(TOKENS[name]) as telegram:
            yield telegram_side(telegram)
            assert telegram.complaints == [], telegram.complaints
    else:
        async with vk.open_vk(TOKENS[name]) as world:
            world.flood_limits = True
            yield vk_side(world)
            assert world.complaints == [], world.complaints


def _telegram_keyboard(message: Shown) -> Keyboard:
    rows = message.get("reply_markup", {}).get("inline_keyboard", [])
    return [[(button["text"], button["callback_data"]) for button in row] for row in rows]


def _vk_keyboard(message: Shown) -> Keyboard:
    rows = message.get("keyboard", {}).get("buttons", [])
    actions = [[button["action"] for button in row] for row in rows]
    return [[(action["label"], json.loads(action["payload"])["button"]) for action in row] for row in actions]


def _telegram_answered(message: Shown) -> int | None:
    return message["reply_to_message"]["message_id"] if "reply_to_message" in message else None


def _vk_answered(message: Shown) -> int | None:
    return message["reply_message"]["conversation_message_id"] if "reply_message" in message else None
