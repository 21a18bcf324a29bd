"""One budget of memory for the bytes of all documents under way, however many and however large they are."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import trio


@dataclass(slots=True, eq=False)
class _Request:
    """Somebody who wants `size` bytes; `buffer` is set when `granted` is."""

    size: int
    buffer: bytearray = field(default_factory=bytearray)
    granted: trio.Event = field(default_factory=trio.Event)


class MemoryBudget:
    """
    Lends buffers of at most `part_size` bytes, never more than `limit` bytes of them at a time; first come, first
    served. Buffers of the full size are used again: a fresh one of 8 MiB costs a millisecond, and an old one may live
    on in a reference cycle of the request that sent it.
    """

    def __init__(self, limit: int, part_size: int) -> None:
        self.part_size = part_size
        self._left = max(limit, part_size)
        self._spare: list[bytearray] = []
        self._waiting: deque[_Request] = deque()

    async def take(self, size: int) -> bytearray:
        """A buffer of `size` bytes, or of `part_size` if that is less; whoever has it last calls `give_back`."""
        request = _Request(max(1, min(size, self.part_size)))
        self._waiting.append(request)
        self._serve()
        try:
            await request.granted.wait()
        except trio.Cancelled:
            if request.granted.is_set():
                self.give_back(request.buffer)
            else:
                self._waiting.remove(request)
                self._serve()
            raise
        return request.buffer

    def give_back(self, buffer: bytearray) -> None:
        """End the use of a buffer."""
        self._left += len(buffer)
        if len(buffer) == self.part_size:
            self._spare.append(buffer)
        self._serve()

    def _serve(self) -> None:
        """Let those in who fit, in the order they came: a large request is not overtaken for ever by small ones."""
        while self._waiting and self._waiting[0].size <= self._left:
            request = self._waiting.popleft()
            self._left -= request.size
            request.buffer = self._buffer(request.size)
            request.granted.set()

    def _buffer(self, size: int) -> bytearray:
        if size == self.part_size and self._spare:
            return self._spare.pop()
        # Spare buffers count as free although they exist: they must not add to what is lent out.
        while len(self._spare) * self.part_size > self._left:
            self._spare.pop()
        return bytearray(size)
