"""What the tests do with a messenger over and over."""

from __future__ import annotations

from collections.abc import Sequence

import trio

from trio_s3_bot.messengers.base import Messenger, Skipped
from trio_s3_bot.model import Source, UpdateObj
from trio_s3_bot.source import Pools, Reader


class Listener:
    """Polls as the poller does: each cursor is that of the batch before."""

    def __init__(self, messenger: Messenger, cursor: str | None = None) -> None:
        self._messenger = messenger
        self.cursor = cursor
        self.skipped: list[Skipped] = []

    async def updates(self, count: int = 1) -> list[UpdateObj]:
        """Poll until so many updates have come."""
        found: list[UpdateObj] = []
        while len(found) < count:
            found += await self.poll()
        return found

    async def poll(self) -> Sequence[UpdateObj]:
        batch = await self._messenger.poll(self.cursor)
        self.cursor = batch.cursor
        self.skipped += batch.skipped
        return batch.updates


async def content_of(source: Source) -> bytes:
    """What is to be read at a source."""
    pools = Pools(None, 1)
    reader = Reader(source, pools)

    def read() -> bytes:
        buffer = bytearray(1024 * 1024)
        reader.go_to(0)
        return bytes(buffer[: reader.read_into(memoryview(buffer))])

    try:
        return await trio.to_thread.run_sync(read)
    finally:
        reader.close()
        pools.close()
