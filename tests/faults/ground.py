"""The ground of the fault matrix: the bot between two proxies, and somebody who watches what it says."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import trio

from tests.faults.log import Log, log_of_this_task
from tests.world import BUCKET, Settings, World
from trio_s3_bot.base import Bot
from trio_s3_bot.patience import Patience, Pauses, Timeouts
from trio_s3_bot.sandbox.faults import FaultProxy, open_fault_proxy
from trio_s3_bot.sandbox.s3 import open_s3
from trio_s3_bot.sandbox.telegram import Chat, Message, User, open_telegram

TOKEN = "7012345678:AAHxc9Jq-not_a_real_token"  # noqa: S105
SAVED = "[document has been saved]"
PART = 5 * 2**20
LONG_POLL = 0.4
"""Seconds that the emulator holds a poll, so that a fault of an empty answer doesn't take a minute."""

SETTINGS: Settings = {
    ("uploads", "part_size"): str(PART),
    ("telegram", "messages_per_second"): "1000",
    ("telegram", "chat_messages_per_second"): "1000",
    ("stop", "grace_period"): "1 s",
}
PROGRESS_INTERVAL = 0.25
"""Seconds; shorter than an operator may set it."""

IMPATIENT = Timeouts(connect=5, poll=1.5, call=1.5, file=1.5, body=1.5, store=2)
"""For answers that never come; long enough for those that are late because the machine is busy."""


def hasty(timeouts: Timeouts) -> Patience:
    """The bot that ships, with short pauses."""
    short = Pauses(0.05, 0.2)
    return Patience(
        timeouts=timeouts, polling=short, speaking=short, document=short, outage=short, reading=Pauses(0.01, 0.05)
    )


@dataclass
class Ground:
    """
    A world whose bot goes through `telegram` and `store`, the proxies; and all that it logs.

    `lies` is what the bot called saved when it wasn't.
    """

    world: World
    telegram: FaultProxy
    store: FaultProxy
    log: Log
    patience: Patience
    lies: list[str] = field(default_factory=list)

    @asynccontextmanager
    async def bot(self, state: str = "bot") -> AsyncIterator[None]:
        """The bot, polling, on a state file of that name; stopped properly when the block ends."""
        stop = trio.Event()
        async with trio.open_nursery() as nursery:
            await nursery.start(self._bot(state).run, stop)
            yield
            stop.set()

    def meet(self, name: str) -> tuple[User, Chat]:
        """A new person, and her private chat with the bot."""
        person = self.world.telegram.user(name, language="en")
        return person, self.world.telegram.private_chat(person)

    def secrets(self) -> tuple[str, ...]:
        """What the log must not hold."""
        return TOKEN, TOKEN.partition(":")[2], self.world.s3.secret_key, "Signature="

    def called(self) -> set[str]:
        """The calls that have been made so far."""
        return {record.call or "an unknown call" for proxy in (self.telegram, self.store) for record in proxy.requests}

    async def watch(self) -> None:
        """Look at the bucket at the moment at which something is called saved; until cancelled."""
        seen, known = 0, set[tuple[int, int, str]]()
        while True:
            seen = await self.world.telegram.changes.after(seen)
            for claim in set(self._claims()) - known:
                known.add(claim)
                if _key_in(claim[2]) not in self.world.objects:
                    self.lies.append(claim[2])

    def _bot(self, state: str) -> Bot:
        here = {
            ("telegram", "api_url"): self.telegram.url,
            ("s3", "endpoint_url"): self.store.url,
            ("state", "path"): str(self.world.folder / f"{state}.sqlite3"),
        }
        config = self.world.config({**SETTINGS, **here})
        uploads = replace(config.uploads, progress_interval=PROGRESS_INTERVAL)
        return Bot(replace(config, uploads=uploads), self.patience)

    def _claims(self) -> Iterator[tuple[int, int, str]]:
        for chat in self.world.telegram.chats.values():
            for message in said(chat):
                if message["text"].startswith(SAVED):
                    yield chat.id, message["message_id"], message["text"]


@asynccontextmanager
async def open_ground(folder: Path, timeouts: Timeouts) -> AsyncIterator[Ground]:
    """Everything but the bot, for as long as the block lasts; within `recording`."""
    log = log_of_this_task()
    async with open_telegram(TOKEN) as telegram, open_s3([BUCKET]) as s3:
        telegram.updates.long_poll_max = LONG_POLL
        async with (
            open_fault_proxy(telegram.api_url) as before_telegram,
            open_fault_proxy(s3.endpoint_url) as before_s3,
        ):
            ground = Ground(World(telegram, s3, folder), before_telegram, before_s3, log, hasty(timeouts))
            async with trio.open_nursery() as nursery:
                nursery.start_soon(ground.watch)
                yield ground
                nursery.cancel_scope.cancel()
        assert telegram.complaints == []


def said(chat: Chat) -> list[Message]:
    """The bot's messages, as they look now."""
    return [message for message in chat.messages if message.get("from", {}).get("is_bot")]


def _key_in(text: str) -> str:
    """The name in a "saved"."""
    return text.removeprefix(SAVED).partition(",")[0].strip()
