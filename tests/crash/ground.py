"""The ground on which the bot dies: the program, a Telegram and a store that outlive it, a proxy before the store."""

from __future__ import annotations

import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import trio

from trio_s3_bot.sandbox.faults import FaultProxy, open_fault_proxy
from trio_s3_bot.sandbox.telegram import Telegram, open_telegram

from .ledger import Ledger
from .program import Instant, Program
from .stores import BUCKET, Store

PATIENCE = 30
"""Seconds from the last start of the program until all has to be done."""

PART_SIZE = 5 * 2**20
"""Bytes; S3's least."""


@dataclass(frozen=True)
class Ground:
    """Everything a test needs; the program's requests to the store go through `proxy`."""

    telegram: Telegram
    store: Store
    proxy: FaultProxy
    program: Program
    ledger: Ledger

    async def killed_at(self, instant: Instant) -> None:
        """Run the program until `instant()` returns, and kill it."""
        await self._in_time(lambda: self.program.killed_at(instant))

    async def stopped_at(self, instant: Instant) -> None:
        """Run the program until `instant()` returns, and let it stop in peace."""
        await self._in_time(lambda: self._stopped_at(instant))

    async def finished(self) -> None:
        """Run the program until it has nothing left to do, stop it, and compare everything with the ledger."""
        await self.stopped_at(self.done)
        problems = await self._problems() + self.telegram.complaints
        if "Traceback" in self.program.log.read_text():
            problems.append("an exception was logged")
        assert not problems, "\n".join(problems)

    async def put(self, key: str, content: bytes) -> None:
        """Write an object behind the bot's back."""
        self.ledger.other(key)
        await self.store.put(key, content)

    async def done(self) -> None:
        """Return when the chats show that the program has nothing left to do."""
        await self.telegram.wait(lambda: self.ledger.done)

    async def _stopped_at(self, instant: Instant) -> None:
        calls = len(self.telegram.calls("getMe"))
        code = await self.program.stopped_at(instant)
        has_begun = len(self.telegram.calls("getMe")) > calls  # until then Python may not be listening to signals
        assert code == 0 or (code == -signal.SIGTERM and not has_begun), f"it ended with exit code {code}"

    async def _in_time(self, run: Instant) -> None:
        with trio.move_on_after(PATIENCE) as scope:
            await run()
        if scope.cancelled_caught:
            found = "\n".join(await self._problems())
            raise AssertionError(f"after {PATIENCE} s it is not done:\n{found}")

    async def _problems(self) -> list[str]:
        return self.ledger.problems(await self.store.digests(), await self.store.uploads())


Serve = Callable[[Path], AbstractAsyncContextManager[Store]]


@asynccontextmanager
async def open_ground(folder: Path, serve: Serve) -> AsyncIterator[Ground]:
    """Serve everything while the block runs; what the program has logged is shown by a test that fails."""
    log = folder / "log"
    log.touch()
    try:
        async with open_telegram() as telegram, serve(folder) as store, open_fault_proxy(store.endpoint_url) as proxy:
            telegram.cloud_limit = None
            yield Ground(telegram, store, proxy, _program(telegram, store, proxy, folder), Ledger(telegram))
    finally:
        sys.stdout.write(log.read_text())


def _program(telegram: Telegram, store: Store, proxy: FaultProxy, folder: Path) -> Program:
    settings = {
        ("telegram", "token"): telegram.token,
        ("telegram", "api_url"): telegram.api_url,
        # What a real Telegram allows would make each round last for minutes.
        ("telegram", "messages_per_second"): "1000",
        ("telegram", "chat_messages_per_second"): "1000",
        ("telegram", "group_messages_per_minute"): "1000",
        ("s3", "bucket"): BUCKET,
        ("s3", "endpoint_url"): proxy.url,
        ("s3", "region"): store.region,
        ("s3", "aws_access_key_id"): store.access_key,
        ("s3", "aws_secret_access_key"): store.secret_key,
        ("uploads", "part_size"): str(PART_SIZE),
        ("uploads", "progress_interval"): "1 s",
        ("state", "path"): str(folder / "state" / "bot.sqlite3"),
        ("log", "level"): "DEBUG",
    }
    return Program(settings, folder / "log")
