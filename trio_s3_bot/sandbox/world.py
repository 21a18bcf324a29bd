"""What every emulator of the sandbox is built from: contents of files, a log of calls, and waiting for a change."""

from __future__ import annotations

import hashlib
import zlib
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import trio

T = TypeVar("T")

CALLS_KEPT = 100_000
"""A sandbox that runs for days forgets its oldest calls."""

BLOCK = 64 * 1024


@dataclass(frozen=True)
class Content:
    """
    The bytes of a file, which need not be in memory: `size` in bytes, and `read(offset, length)`, which may block.
    """

    size: int
    read: Callable[[int, int], bytes] = field(repr=False)

    @classmethod
    def of(cls, data: bytes) -> Content:
        return cls(len(data), lambda offset, length: data[offset : offset + length])

    @classmethod
    def generated(cls, size: int, seed: str = "") -> Content:
        """Reproducible noise in which no two blocks of 64 KiB are alike, so that swapped or repeated parts show."""
        noise = hashlib.shake_256(seed.encode()).digest(BLOCK - 16)

        def read(offset: int, length: int) -> bytes:
            first, last = offset // BLOCK, (offset + length - 1) // BLOCK
            blocks = b"".join(index.to_bytes(16, "big") + noise for index in range(first, last + 1))
            start = offset - first * BLOCK
            return blocks[start : start + length]

        return cls(size, read)

    @classmethod
    def file(cls, path: Path) -> Content:
        """What `path` holds; the file is opened anew for each read."""

        def read(offset: int, length: int) -> bytes:
            with path.open("rb") as source:
                source.seek(offset)
                return source.read(length)

        return cls(path.stat().st_size, read)

    def chunks(self, start: int = 0, stop: int | None = None, *, step: int = 4 * BLOCK) -> Iterator[bytes]:
        """The bytes from `start` to `stop` (the end), in pieces of at most `step` bytes."""
        stop = self.size if stop is None else stop
        for offset in range(start, stop, step):
            yield self.read(offset, min(step, stop - offset))

    def crc32(self) -> int:
        crc = 0
        for chunk in self.chunks():
            crc = zlib.crc32(chunk, crc)
        return crc

    def sha256(self) -> str:
        digest = hashlib.sha256()
        for chunk in self.chunks():
            digest.update(chunk)
        return digest.hexdigest()


def as_content(content: Content | bytes) -> Content:
    return Content.of(content) if isinstance(content, bytes) else content


@dataclass
class Call:
    """
    One call of an API. Times are trio's clock, in seconds.

    `params` are decoded as far as they could be; `status` is the HTTP status of the answer, `None` until it is given
    or when the caller hung up before. `answer` is the decoded JSON answer, where there is one.
    """

    method: str
    params: dict[str, Any]
    time: float
    status: int | None = None
    answer: Any = None
    finished: float | None = None


class CallLog:
    """The calls in the order they arrived. `log("getMe")` gives those of one method, in any spelling of its case."""

    def __init__(self, changes: Changes) -> None:
        self._calls: deque[Call] = deque(maxlen=CALLS_KEPT)
        self._changes = changes

    def begin(self, method: str, params: Mapping[str, Any]) -> Call:
        call = Call(method, dict(params), trio.current_time())
        self._calls.append(call)
        self._changes.announce()
        return call

    def end(self, call: Call, status: int) -> None:
        call.status, call.finished = status, trio.current_time()
        self._changes.announce()

    def __call__(self, method: str) -> list[Call]:
        return [call for call in self._calls if call.method.lower() == method.lower()]

    def __iter__(self) -> Iterator[Call]:
        return iter(list(self._calls))

    def __len__(self) -> int:
        return len(self._calls)


class Changes:
    """A bell that rings at every change of a world; whoever waits looks again."""

    def __init__(self) -> None:
        self._bell = trio.Event()
        self.count = 0

    def announce(self) -> None:
        self.count += 1
        self._bell.set()
        self._bell = trio.Event()

    async def until(self, look: Callable[[], T | None]) -> T:
        """Call `look` now and after each change until it returns something true, and return that."""
        found = look()
        while not found:
            await self._bell.wait()
            found = look()
        await trio.lowlevel.checkpoint()
        return found

    async def after(self, count: int) -> int:
        """Wait for a change after the one numbered `count`; return the number of the newest."""
        while self.count <= count:
            await self._bell.wait()
        return self.count
