"""The memory budget: what is lent out, to whom next, and which buffers are used again."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterator

import pytest
import trio
import trio.testing

from trio_s3_bot.memory import MemoryBudget

PART = 1000
MIB = 2**20
PATIENCE = 10  # seconds after which a test is hopeless


@pytest.fixture
def traced() -> Iterator[Callable[[], int]]:
    """Tells how many bytes Python holds that were allocated since the test began."""
    tracemalloc.start()
    yield lambda: tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()


async def test_a_buffer_that_comes_back_is_the_next_one_lent_even_when_all_were_out() -> None:
    budget = MemoryBudget(2 * PART, PART)
    first, second = await budget.take(PART), await budget.take(PART)
    budget.give_back(first)
    assert await budget.take(PART) is first
    budget.give_back(second)
    budget.give_back(first)
    assert {id(await budget.take(PART)), id(await budget.take(PART))} == {id(first), id(second)}


@pytest.mark.usefixtures("autojump_clock")
async def test_no_more_than_the_limit_is_out_at_a_time() -> None:
    budget = MemoryBudget(3 * PART + 1, PART)
    for _ in range(3):
        await budget.take(PART)
    with pytest.raises(trio.TooSlowError), trio.fail_after(1):
        await budget.take(2)


async def test_a_small_buffer_has_its_own_size() -> None:
    assert len(await MemoryBudget(3 * PART, PART).take(7)) == 7


async def test_a_request_for_more_than_a_part_gets_a_part() -> None:
    assert len(await MemoryBudget(3 * PART, PART).take(2 * PART)) == PART


async def test_one_part_is_lent_even_if_the_limit_is_less() -> None:
    assert len(await MemoryBudget(1, PART).take(PART)) == PART


async def test_small_requests_do_not_overtake_a_large_one() -> None:
    budget, served = MemoryBudget(2 * PART, PART), []

    async def want(size: int) -> None:
        await budget.take(size)
        served.append(size)

    out = [await budget.take(PART), await budget.take(PART - 1)]
    async with trio.open_nursery() as nursery:
        nursery.start_soon(want, PART)
        await trio.testing.wait_all_tasks_blocked()
        nursery.start_soon(want, 1)
        await trio.testing.wait_all_tasks_blocked()
        assert served == []
        for buffer in out:
            budget.give_back(buffer)
            await trio.testing.wait_all_tasks_blocked()
    assert served == [PART, 1]


async def test_one_who_stops_waiting_lets_the_next_one_in() -> None:
    budget = MemoryBudget(2 * PART, PART)
    await budget.take(PART)
    await budget.take(PART - 1)
    impatient = trio.CancelScope()

    async def wait() -> None:
        with impatient:
            await budget.take(PART)

    with trio.fail_after(PATIENCE):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(wait)
            await trio.testing.wait_all_tasks_blocked()
            nursery.start_soon(budget.take, 1)
            await trio.testing.wait_all_tasks_blocked()
            impatient.cancel()


async def test_what_was_granted_at_the_moment_of_a_cancel_is_not_lost() -> None:
    budget = MemoryBudget(PART, PART)
    buffer = await budget.take(PART)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(budget.take, PART)
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
        budget.give_back(buffer)
    assert await budget.take(PART) is buffer


async def test_spare_buffers_make_room_for_small_ones(traced: Callable[[], int]) -> None:
    budget = MemoryBudget(2 * MIB, MIB)
    for buffer in [await budget.take(MIB), await budget.take(MIB)]:
        budget.give_back(buffer)
    del buffer
    small = [await budget.take(MIB // 2) for _ in range(4)]
    assert [len(buffer) for buffer in small] == [MIB // 2] * 4
    assert traced() < 2.1 * MIB
