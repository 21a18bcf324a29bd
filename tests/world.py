"""
The world that the tests put the real bot into: emulators and an S3 server on loopback, over real sockets.

    async with open_world(tmp_path) as world:
        async with world.bot():
            alice = world.telegram.user("Alice", language="en")

A test of the bot in each messenger asks for the fixture `side` and sets `messengers`; its bot is in that one alone.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import trio

from tests.sides import SHIPPED_CONFIG as SHIPPED_CONFIG
from tests.sides import Side, telegram_side, vk_side
from trio_s3_bot.base import Bot, BotConfig
from trio_s3_bot.config import load
from trio_s3_bot.patience import SHIPPED, Patience
from trio_s3_bot.sandbox.s3 import S3, S3Object, open_s3
from trio_s3_bot.sandbox.telegram import Telegram, open_telegram
from trio_s3_bot.sandbox.vk import Vk, open_vk

BUCKET = "files"
PATIENCE = 30  # seconds after which a test is hopeless; generous, because the machines that run it are shared

Settings = Mapping[tuple[str, str], str]


@dataclass(frozen=True)
class Running:
    """A bot that is polling. `stop` asks it to stop; leaving its block does so too, and waits."""

    stop: trio.Event
    scope: trio.CancelScope


@dataclass(frozen=True)
class World:
    """
    Both messengers, an S3 server with an empty bucket, and a folder for the state of the bots that run here.

    The bots are in `messengers`; a VK that is not given is not served.
    """

    telegram: Telegram
    s3: S3
    folder: Path
    vk: Vk = field(default_factory=lambda: Vk("vk1.unserved", 200_000_001))
    messengers: Sequence[str] = ("telegram",)

    @property
    def sides(self) -> tuple[Side, ...]:
        """The messengers that the bots are in, to be used by what they have in common."""
        sides = {"telegram": telegram_side(self.telegram), "vk": vk_side(self.vk)}
        return tuple(sides[name] for name in self.messengers)

    @property
    def settings(self) -> Settings:
        """What leads a bot to this world."""
        return {
            **{setting: value for side in self.sides for setting, value in side.settings.items()},
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
    def contents(self) -> dict[str, bytes]:
        """The bytes of all objects, by key."""
        return {key: self.content(key) for key in self.objects}

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
async def open_world(folder: Path, messengers: Sequence[str] = ("telegram",)) -> AsyncIterator[World]:
    """Serve everything while the block runs; nothing that happens in it may give a messenger cause to complain."""
    with trio.fail_after(PATIENCE):
        async with open_telegram() as telegram, open_vk() as vk, open_s3([BUCKET]) as s3:
            vk.flood_limits = True
            yield World(telegram, s3, folder, vk, messengers)
            assert telegram.complaints == []
            assert vk.complaints == []
