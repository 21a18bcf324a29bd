"""
The world that the tests put the real bot into: emulators and an S3 server on loopback, over real sockets.

    async with open_world(tmp_path) as world:
        async with world.bot():
            alice = world.telegram.user("Alice", language="en")
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import trio

from trio_s3_bot.base import Bot, BotConfig
from trio_s3_bot.config import load
from trio_s3_bot.patience import SHIPPED, Patience
from trio_s3_bot.sandbox.s3 import S3, S3Object, open_s3
from trio_s3_bot.sandbox.telegram import Telegram, open_telegram

BUCKET = "files"
PATIENCE = 30  # seconds after which a test is hopeless; generous, because the machines that run it are shared
SHIPPED_CONFIG = Path(__file__).parents[1] / "config.ini"

Settings = Mapping[tuple[str, str], str]


@dataclass(frozen=True)
class Running:
    """A bot that is polling. `stop` asks it to stop; leaving its block does so too, and waits."""

    stop: trio.Event
    scope: trio.CancelScope


@dataclass(frozen=True)
class World:
    """Telegram, an S3 server with an empty bucket, and a folder for the state of the bots that run here."""

    telegram: Telegram
    s3: S3
    folder: Path

    @property
    def settings(self) -> Settings:
        """What leads a bot to this world."""
        return {
            ("telegram", "token"): self.telegram.token,
            ("telegram", "api_url"): self.telegram.api_url,
            ("s3", "bucket"): BUCKET,
            ("s3", "endpoint_url"): self.s3.endpoint_url,
            ("s3", "region"): self.s3.region,
            ("s3", "aws_access_key_id"): self.s3.access_key,
            ("s3", "aws_secret_access_key"): self.s3.secret_key,
            ("state", "path"): str(self.folder / "bot.sqlite3"),
        }

    def config(self, settings: Settings = {}) -> BotConfig:
        """The shipped settings, led to this world, changed by `settings`."""
        return load(SHIPPED_CONFIG, {}, {**self.settings, **settings})

    @asynccontextmanager
    async def bot(self, settings: Settings = {}, patience: Patience = SHIPPED) -> AsyncIterator[Running]:
        """The real bot, polling; stopped properly when the block ends, at once when it fails."""
        stop = trio.Event()
        async with trio.open_nursery() as nursery:
            await nursery.start(Bot(self.config(settings), patience).run, stop)
            yield Running(stop, nursery.cancel_scope)
            stop.set()

    @property
    def objects(self) -> dict[str, S3Object]:
        """What is in the bucket, by key."""
        return self.s3.objects(BUCKET)

    def content(self, key: str) -> bytes:
        return self.s3.read(BUCKET, key)

    async def object(self, key: str) -> S3Object:
        """Wait until there is an object of that name."""
        return await self.s3.wait(lambda: self.objects.get(key))


@asynccontextmanager
async def open_world(folder: Path) -> AsyncIterator[World]:
    """Serve everything while the block runs; nothing that happens in it may give Telegram cause to complain."""
    with trio.fail_after(PATIENCE):
        async with open_telegram() as telegram, open_s3([BUCKET]) as s3:
            yield World(telegram, s3, folder)
            assert telegram.complaints == []
