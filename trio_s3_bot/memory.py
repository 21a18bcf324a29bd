"""One budget of memory for the bytes of all documents under way, however many and however large they are."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio


class MemoryBudget:
    """
    Lends buffers of at most `part_size` bytes, never more than `limit` bytes of them at a time; first come, first
    served. Buffers of the full size are used again: a fresh one of 8 MiB costs a millisecond and scatters the heap.
    """

    def __init__(self, limit: int, part_size: int) -> None:
        self.part_size = part_size
        self._left = max(limit, part_size)
        self._spare: list[bytearray] = []
        self._waiting: deque[tuple[int, trio.Event]] = deque()

    @asynccontextmanager
    async def lend(self, size: int) -> AsyncIterator[bytearray]:
        """A buffer of `size` bytes, or of `part_size` if that is less; it is given back when the block ends."""
        buffer = await self.take(size)
        try:
            yield buffer
        finally:
            self.give_back(buffer)

    async def take(self, size: int) -> bytearray:
        """Like `lend`, for a buffer that changes hands: whoever has it last calls `give_back`."""
        size = max(1, min(size, self.part_size))
        await self._reserve(size)
        if size == self.part_size and self._spare:
            return self._spare.pop()
        return bytearray(size)

    def give_back(self, buffer: bytearray) -> None:
        """End the use of a buffer."""
        self._left += len(buffer)
        if len(buffer) == self.part_size:
            self._spare.append(buffer)
        self._serve()

    async def _reserve(self, size: int) -> None:
        ticket = (size, trio.Event())
        self._waiting.append(ticket)
        self._serve()
        try:
            await ticket[1].wait()
        except trio.Cancelled:
            if ticket in self._waiting:
                self._waiting.remove(ticket)
            else:
                self._left += size
            self._serve()
            raise

    def _serve(self) -> None:
        """Let those in who fit, in the order they came: a large request is not overtaken for ever by small ones."""
        while self._waiting and self._waiting[0][0] <= self._left:
            size, admitted = self._waiting.popleft()
            self._left -= size
            admitted.set()
        # Spare buffers count as free although they exist: they must not add to what is lent out.
        while self._spare and len(self._spare) * self.part_size > self._left:
            self._spare.pop()
