"""The ground on which the bot dies: the program, messengers and a store that outlive it, a proxy before the store."""

from __future__ import annotations

import signal
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import trio
from trio_util import wait_any

from tests.sides import Side, open_side
from trio_s3_bot.sandbox.faults import FaultProxy, open_fault_proxy

from .ledger import Ledger
from .program import Instant, Program
from .stores import BUCKET, Store
from .wanted import Place

PATIENCE = 120
"""Seconds from the last start of the program until all has to be done."""

PART_SIZE = 5 * 2**20
"""Bytes; S3's least."""

LIMITS = ("messages_per_second", "chat_messages_per_second", "group_messages_per_minute")


@dataclass(frozen=True)
class Ground:
    """Everything a test needs; the program's requests to the store go through `proxy`."""

    sides: tuple[Side, ...]
    store: Store
    proxy: FaultProxy
    program: Program
    ledger: Ledger

    @property
    def side(self) -> Side:
        """The messenger, where there is only one."""
        (side,) = self.sides
        return side

    def meet(self, name: str) -> Place:
        """A new person, in the private chat with the bot."""
        person, chat = self.side.meet(name)
        return Place(self.side, chat, person)

    async def killed_at(self, instant: Instant, *, after: Callable[[Ground], None] | None = None) -> None:
        """Run the program until `instant()` returns, and kill it. `after` is what people do as soon as it can hear."""

        async def reached() -> None:
            if after is not None:
                await self.hearing()
                after(self)
            await instant()

        await self._in_time(lambda: self.program.killed_at(reached))

    async def stopped_at(self, instant: Instant) -> None:
        """Run the program until `instant()` returns, and let it stop in peace."""
        await self._in_time(lambda: self._stopped_at(instant))

    async def finished(self, meanwhile: Instant = trio.lowlevel.checkpoint) -> None:
        """Run the program until it has nothing left to do, stop it, and compare everything with the ledger."""

        async def over() -> None:
            await meanwhile()
            await self.done()

        await self.stopped_at(over)
        problems = await self._problems()
        if "Traceback" in self.program.log.read_text():
            problems.append("an exception was logged")
        assert not problems, "\n".join(problems)

    async def put(self, key: str, content: bytes) -> None:
        """Write an object behind the bot's back."""
        self.ledger.other(key)
        await self.store.put(key, content)

    async def hearing(self) -> None:
        """Return when what people send is kept for the program."""
        await self.until(lambda: all(side.keeps_messages for side in self.sides))

    async def polled(self) -> None:
        """Return when the program waits for what people send, anywhere."""
        await self.until(lambda: any(side.queue.polled for side in self.sides))

    async def done(self) -> None:
        """Return when the chats show that the program has nothing left to do."""
        await self.until(lambda: self.ledger.done)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Return when `condition()` is true, looking again after each change in one of the messengers."""
        while not condition():
            worlds = [side.world.changes for side in self.sides]
            await wait_any(*(partial(changes.after, changes.count) for changes in worlds))

    async def _stopped_at(self, instant: Instant) -> None:
        checks = self._checks()
        code = await self.program.stopped_at(instant)
        has_begun = self._checks() > checks  # until then Python may not be listening to signals
        assert code == 0 or (code == -signal.SIGTERM and not has_begun), f"it ended with exit code {code}"

    def _checks(self) -> int:
        """How often the program has asked who it is, the first thing that it does."""
        return sum(len(side.world.calls(side.names.check)) for side in self.sides)

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
async def open_ground(folder: Path, serve: Serve, messengers: Sequence[str]) -> AsyncIterator[Ground]:
    """Serve everything while the block runs; a test that fails shows the program's log, and what was said."""
    log, ledger = folder / "log", Ledger()
    log.touch()
    try:
        async with AsyncExitStack() as stack:
            sides = tuple([await stack.enter_async_context(open_side(name)) for name in messengers])
            store = await stack.enter_async_context(serve(folder))
            proxy = await stack.enter_async_context(open_fault_proxy(store.endpoint_url))
            for side in sides:
                if side.name == "telegram":
                    side.world.cloud_limit = None
            ledger.sides = sides
            yield Ground(sides, store, proxy, _program(sides, store, proxy, folder), ledger)
    finally:
        sys.stdout.write(log.read_text())
        sys.stdout.write(ledger.transcript())


def _program(sides: Sequence[Side], store: Store, proxy: FaultProxy, folder: Path) -> Program:
    settings = {
        **{setting: value for side in sides for setting, value in side.settings.items()},
        # What a real messenger allows would make each round last for minutes.
        **{(side.name, limit): "1000" for side in sides for limit in LIMITS},
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
