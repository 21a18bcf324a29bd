"""
How far each upload is: bytes are counted in the threads that move them, and sampled here, newest value wins.

A 20 MiB document has only three parts, so what counts is what was handed to the socket, not what was acknowledged.
And a byte that was fetched and not sent counts half: on a slow line it takes long until the first part can be sent.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextlib import aclosing
from functools import partial

import trio
from trio_util import AsyncValue, periodic

from trio_s3_bot.texts import Sample

WINDOW = 10  # seconds over which the speed is measured
SAMPLES_PER_INTERVAL = 4


class Meter:
    """
    Counts one upload over all its attempts; what it shows never goes back.

    `total` is in bytes, `None` where the size isn't known. `value` holds the newest sample.
    """

    def __init__(self, total: int | None) -> None:
        self._total = total
        self._before = 0
        self._fetched: dict[int, int] = {}
        self._sent: dict[int, int] = {}
        self._recent: deque[tuple[float, int]] = deque()
        self.value: AsyncValue[Sample] = AsyncValue(Sample(0, total))

    def begin(self, already: int = 0) -> None:
        """Begin an attempt that finds `already` bytes in the store."""
        self._fetched, self._sent = {}, {}
        self._before = already

    def fetched(self, number: int) -> Callable[[int], None]:
        """
        A function that takes how many bytes of part `number` have come in. Called from any thread: it sets one item of
        a dict, and costs no crossing into trio.
        """
        return partial(self._fetched.__setitem__, number)

    def sent(self, number: int) -> Callable[[int], None]:
        """The same for how many bytes have gone out."""
        return partial(self._sent.__setitem__, number)

    def sample(self) -> None:
        """Take the newest numbers into `value`."""
        now = trio.current_time()
        done = max(self._before + self._moved(), self.value.value.done)
        self._recent.append((now, done))
        while now - self._recent[0][0] > WINDOW:
            self._recent.popleft()
        speed = self._speed()
        left = (self._total - done) / speed if self._total and speed else None
        self.value.value = Sample(done, self._total, speed, left)

    def _moved(self) -> int:
        """Bytes of this attempt; what is sent again is not fetched again, and begins at half."""
        fetched, sent = dict(self._fetched), dict(self._sent)
        return sum(
            max(sent.get(number, 0), (fetched.get(number, 0) + sent.get(number, 0)) // 2) for number in fetched | sent
        )

    def _speed(self) -> float | None:
        (start, first), (end, last) = self._recent[0], self._recent[-1]
        return (last - first) / (end - start) if end > start and last > first else None


async def report(meter: Meter, interval: float, show: Callable[[], None]) -> None:
    """
    Sample the meter and call `show` when there is something new, until cancelled.

    The first call comes after `interval` seconds: an upload that takes less shows no progress.
    """
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_sample, meter, interval / SAMPLES_PER_INTERVAL)
        await trio.sleep(interval)
        async with aclosing(meter.value.eventual_values()) as values:
            async for _ in values:
                show()


async def _sample(meter: Meter, period: float) -> None:
    async with aclosing(periodic(period)) as ticks:
        async for _ in ticks:
            meter.sample()
