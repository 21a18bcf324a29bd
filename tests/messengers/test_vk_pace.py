"""The pace of calls and of repeated failures, in virtual time."""

from __future__ import annotations

import itertools
from typing import Any, cast

import httpx
import pytest
import trio
from trio.testing import MockClock

from trio_s3_bot.messengers.http import Connections
from trio_s3_bot.messengers.vk_api import Api, Pace
from trio_s3_bot.messengers.vk_long_poll import LongPoll, VServer


async def test_no_second_has_more_turns_than_allowed_and_nobody_waits_longer_than_needed(
    autojump_clock: MockClock,  # noqa: ARG001
) -> None:
    pace, times = Pace(18), []

    async def caller() -> None:
        await pace.turn()
        times.append(trio.current_time())

    async with trio.open_nursery() as nursery:
        for _ in range(100):
            nursery.start_soon(caller)
    assert len(times) == 100
    assert all(later - earlier >= 1 for earlier, later in zip(times, times[18:], strict=False))
    assert times[-1] - times[0] == pytest.approx(100 // 18)


async def test_a_caller_that_gives_up_leaves_its_turn_to_the_next(autojump_clock: MockClock) -> None:  # noqa: ARG001
    pace, start = Pace(1), trio.current_time()
    await pace.turn()
    with trio.move_on_after(0.5):
        await pace.turn()
    await pace.turn()
    assert trio.current_time() - start == pytest.approx(1)


class Failing:
    """A server that has nothing but one `failed` to say, and the API that names it."""

    def __init__(self, failed: bytes) -> None:
        self.failed = failed
        self.asked: list[float] = []

    async def request(self, *_: Any, **__: Any) -> httpx.Response:
        await trio.lowlevel.checkpoint()
        return httpx.Response(200, content=self.failed)

    async def call(self, *_: Any) -> VServer:
        self.asked.append(trio.current_time())
        return VServer("key", "https://lp.vk.com/whp/1", "5")


@pytest.mark.parametrize("failed", [b'{"failed":1,"ts":5}', b'{"failed":2}', b'{"failed":3}'])
async def test_failures_in_a_row_are_slowed_down_to_one_in_30_seconds(
    autojump_clock: MockClock,  # noqa: ARG001
    failed: bytes,
) -> None:
    server = Failing(failed)
    poll = LongPoll(cast("Api", server), cast("Connections", server), wait=25, late=10)
    times = []
    for _ in range(50):
        await poll.poll(1, "5")
        times.append(trio.current_time())
    pauses = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert pauses[:6] == pytest.approx([1, 2, 4, 8, 16, 30])
    assert set(pauses[6:]) == {30}
