"""
How far each upload is: bytes are counted in the threads that move them, and sampled here, newest value wins.

A 20 MiB document has only three parts, so what counts is what was handed to the socket, not what was acknowledged.
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
        self._positions: dict[int, int] = {}
        self._recent: deque[tuple[float, int]] = deque()
        self.value: AsyncValue[Sample] = AsyncValue(Sample(0, total))

    def begin(self, already: int = 0) -> None:
        """Begin an attempt that finds `already` bytes in the store."""
        self._positions = {}
        self._before = already

    def part(self, number: int) -> Callable[[int], None]:
        """
        A function that takes how many bytes of part `number` have gone out. Called from any thread: it sets one
        item of a dict, and costs no crossing into trio.
        """
        return partial(self._positions.__setitem__, number)

    def sample(self) -> None:
        """Take the newest numbers into `value`."""
        now = trio.current_time()
        done = max(self._before + sum(list(self._positions.values())), self.value.value.done)
        self._recent.append((now, done))
        while now - self._recent[0][0] > WINDOW:
            self._recent.popleft()
        speed = self._speed()
        left = (self._total - done) / speed if self._total and speed else None
        self.value.value = Sample(done, self._total, speed, left)

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
