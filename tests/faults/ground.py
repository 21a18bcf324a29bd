"""The ground of the fault matrix: the bot between two proxies, and somebody who watches what it says."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import trio

from tests.faults.kinds import is_s3
from tests.faults.log import Log, log_of_this_task
from tests.sides import TOKENS, Side
from tests.world import BUCKET, Settings, World
from trio_s3_bot.base import Bot
from trio_s3_bot.patience import Patience, Pauses, Timeouts
from trio_s3_bot.sandbox.faults import FaultProxy, open_fault_proxy
from trio_s3_bot.sandbox.s3 import open_s3
from trio_s3_bot.sandbox.telegram import open_telegram
from trio_s3_bot.sandbox.vk import open_vk

SAVED = "[document has been saved]"
PART = 5 * 2**20
LONG_POLL = 1.0
"""Seconds that the emulator holds a poll: as many as the poller lets pass between two that bring nothing."""

SETTINGS: Settings = {
    ("uploads", "part_size"): str(PART),
    ("telegram", "messages_per_second"): "1000",
    ("telegram", "chat_messages_per_second"): "1000",
    ("vk", "messages_per_second"): "1000",
    ("vk", "chat_messages_per_second"): "1000",
    ("vk", "wait"): "1 s",
    ("stop", "grace_period"): "1 s",
}
ASKING: Settings = {("names", "rename"): "ask", ("names", "on_conflict"): "ask"}
"""For a bot that asks before it saves."""
PROGRESS_INTERVAL = 0.25
"""Seconds; shorter than an operator may set it."""

IMPATIENT = Timeouts(connect=5, poll=3, call=3, file=3, body=3, store=3)
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
    A world whose bot goes through proxies, and all that it logs.

    `api` is before the messenger, `files` before the documents that it keeps (maybe the same), `store` before S3.
    `lies` is what the bot called saved when it wasn't.
    """

    world: World
    side: Side
    api: FaultProxy
    files: FaultProxy
    store: FaultProxy
    log: Log
    patience: Patience
    lies: list[str] = field(default_factory=list)

    @asynccontextmanager
    async def bot(self, state: str = "bot", settings: Settings = {}) -> AsyncIterator[None]:
        """The bot, polling, on a state file of that name; stopped properly when the block ends."""
        stop = trio.Event()
        async with trio.open_nursery() as nursery:
            await nursery.start(self._bot(state, settings).run, stop)
            yield
            stop.set()

    def proxy_of(self, call: str) -> FaultProxy:
        """The proxy that a call goes through."""
        return self.store if is_s3(call) else self.files if call == "file" else self.api

    def messenger_down(self) -> None:
        """The messenger is gone, with the documents that it keeps."""
        for proxy in (self.api, self.files):
            proxy.down()

    def messenger_up(self) -> None:
        """It is back, at the same addresses."""
        for proxy in (self.api, self.files):
            proxy.up()

    def secrets(self) -> tuple[str, ...]:
        """What the log must not hold."""
        token: str = self.side.world.token
        links = ("Signature=", "key=", "hash=", "dl=", "extra=")
        return token, token.partition(":")[2] or token, self.world.s3.secret_key, *links

    def called(self) -> set[str]:
        """The calls that have been made so far."""
        proxies = (self.api, self.files, self.store)
        return {record.call or "an unknown call" for proxy in proxies for record in proxy.requests}

    async def watch(self) -> None:
        """Look at the bucket at the moment at which something is called saved; until cancelled."""
        seen, known = 0, set[tuple[int, int, str]]()
        while True:
            seen = await self.side.world.changes.after(seen)
            for claim in set(self._claims()) - known:
                known.add(claim)
                if _key_in(claim[2]) not in self.world.objects:
                    self.lies.append(claim[2])

    def _bot(self, state: str, settings: Settings) -> Bot:
        here = {
            ("s3", "endpoint_url"): self.store.url,
            ("state", "path"): str(self.world.folder / f"{state}.sqlite3"),
        }
        config = self.world.config({**SETTINGS, **here, **settings})
        uploads = replace(config.uploads, progress_interval=PROGRESS_INTERVAL)
        return Bot(replace(config, uploads=uploads), self.patience)

    def _claims(self) -> Iterator[tuple[int, int, str]]:
        for chat in self.side.world.chats.values():
            for message in chat.bot_messages:
                if message["text"].startswith(SAVED):
                    yield chat.id, message["message_id"], message["text"]


@asynccontextmanager
async def open_ground(messenger: str, folder: Path, timeouts: Timeouts) -> AsyncIterator[Ground]:
    """Everything but the bot, for as long as the block lasts; within `recording`."""
    log = log_of_this_task()
    async with open_telegram(TOKENS["telegram"]) as telegram, open_vk(TOKENS["vk"]) as vk, open_s3([BUCKET]) as s3:
        world = World(telegram, s3, folder, vk, (messenger,))
        async with _between(world) as (api, files), open_fault_proxy(s3.endpoint_url) as store:
            (side,) = world.sides
            side.queue.long_poll_max = LONG_POLL
            ground = Ground(world, side, api, files, store, log, hasty(timeouts))
            async with trio.open_nursery() as nursery:
                nursery.start_soon(ground.watch)
                yield ground
                nursery.cancel_scope.cancel()
        assert side.world.complaints == []


@asynccontextmanager
async def _between(world: World) -> AsyncIterator[tuple[FaultProxy, FaultProxy]]:
    """Proxies that the messenger is found behind from now on: before its API, and before the documents' bytes."""
    if world.messengers == ("telegram",):
        async with open_fault_proxy(world.telegram.api_url) as proxy:
            world.telegram.api_url = proxy.url
            yield proxy, proxy
        return
    docs = world.vk.docs
    async with open_fault_proxy(docs.pages_url) as api, open_fault_proxy(docs.storage_url) as storage:
        world.vk.api_url = f"{api.url}/method"
        world.vk.long_poll_url = f"{api.url}/whp/{world.vk.group_id}"
        docs.pages_url = api.url
        docs.storage_url = storage.url.replace("127.0.0.1", "localhost")
        yield api, storage


def _key_in(text: str) -> str:
    """The name in a "saved"."""
    return text.removeprefix(SAVED).partition(",")[0].strip()
