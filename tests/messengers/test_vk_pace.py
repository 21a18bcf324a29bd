"""The pace of calls and of repeated failures, in virtual time."""

from __future__ import annotations

import itertools
from typing import Any, cast

import httpx
import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from tests.time.scenes import most_within
from trio_s3_bot.errors import Unavailable
from trio_s3_bot.messengers.http import SPARE, Connections
from trio_s3_bot.messengers.vk import CONNECTIONS
from trio_s3_bot.messengers.vk_api import Api, Pace
from trio_s3_bot.messengers.vk_long_poll import LongPoll, VServer


async def test_turns_are_evenly_spaced_and_given_in_the_order_in_which_they_were_asked_for(
    autojump_clock: MockClock,  # noqa: ARG001
) -> None:
    pace, times = Pace(20), dict[int, float]()

    async def caller(number: int) -> None:
        await pace.turn()
        times[number] = trio.current_time()

    start = trio.current_time()
    async with trio.open_nursery() as nursery:
        for number in range(50):
            nursery.start_soon(caller, number)
            await wait_all_tasks_blocked()
    assert [times[number] - start for number in range(50)] == pytest.approx([number / 20 for number in range(50)])


async def test_who_comes_after_a_while_does_not_wait(autojump_clock: MockClock) -> None:  # noqa: ARG001
    pace = Pace(20)
    await pace.turn()
    await trio.sleep(60)
    start = trio.current_time()
    await pace.turn()
    assert trio.current_time() == start


async def test_a_caller_that_gives_up_leaves_its_turn_to_the_next(autojump_clock: MockClock) -> None:  # noqa: ARG001
    pace, start = Pace(1), trio.current_time()
    await pace.turn()
    with trio.move_on_after(0.5):
        await pace.turn()
    await pace.turn()
    assert trio.current_time() - start == pytest.approx(1)


class Slow(httpx.AsyncBaseTransport):
    """A server whose first 16 answers take long; `asked` are the times of all requests."""

    def __init__(self) -> None:
        self.asked: list[float] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(trio.current_time())
        await trio.sleep(5 if len(self.asked) <= CONNECTIONS else 0.05)
        return httpx.Response(200, content=b'{"response":1}', request=request)


async def test_calls_that_have_waited_for_a_connection_do_not_come_in_a_burst(
    autojump_clock: MockClock,  # noqa: ARG001
) -> None:
    server = Slow()
    async with httpx.AsyncClient(transport=server, base_url="http://api/") as client:
        api = Api(Connections(client, CONNECTIONS, 10), 15)
        async with trio.open_nursery() as nursery:
            for _ in range(150):
                nursery.start_soon(api.call, "messages.edit", {}, int)
    assert len(server.asked) == 150
    assert most_within(server.asked, 1) <= 20


class Late(httpx.AsyncBaseTransport):
    """A long poll server that answers after `seconds`, and keeps what it was asked."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.asked: list[str] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url.params["ts"])
        await trio.sleep(self.seconds)
        return httpx.Response(200, content=b'{"ts":"6","updates":[{}]}', request=request)


@pytest.mark.parametrize(("seconds", "heard"), [(21.9, True), (25, True), (34, True), (46, False)])
async def test_an_answer_that_comes_later_than_it_was_to_be_waited_for_is_heard_within_reason(
    autojump_clock: MockClock,  # noqa: ARG001
    seconds: float,
    heard: bool,
) -> None:
    server, start = Late(seconds), trio.current_time()
    async with httpx.AsyncClient(transport=server) as client:
        poll = LongPoll(cast("Api", Failing(b"")), Connections(client, 1, 10), wait=25, late=10)
        if heard:
            updates, ts = await poll.poll(1, "5")
            assert (len(updates), ts) == (1, "6")
        else:
            with pytest.raises(Unavailable):
                await poll.poll(1, "5")
    assert server.asked == ["5"]
    assert trio.current_time() - start == min(seconds, 25 + 10 + SPARE)


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
