"""Promise 5: the memory for documents under way is bounded, and nobody waits for it for ever."""

from __future__ import annotations

import gc
import tracemalloc

import pytest
import trio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from trio.testing import wait_all_tasks_blocked

from trio_s3_bot.memory import MemoryBudget

MIB = 2**20
PART = 8
PATIENCE = 20  # seconds after which a test is hopeless; the machines that run it are shared


class Takers:
    """Tasks that ask `budget` for buffers; `got` holds what each has, in the order in which they got it."""

    def __init__(self, budget: MemoryBudget, nursery: trio.Nursery) -> None:
        self._budget = budget
        self._nursery = nursery
        self.got: dict[int, bytearray] = {}
        self.asked: dict[int, trio.CancelScope] = {}

    async def ask(self, size: int) -> int:
        """Ask, and see what comes of it when everybody has done what can be done."""
        number = len(self.asked)
        self.asked[number] = trio.CancelScope()
        self._nursery.start_soon(self._take, number, size)
        await wait_all_tasks_blocked()
        return number

    def give_back(self, number: int) -> None:
        self._budget.give_back(self.got.pop(number))

    async def _take(self, number: int, size: int) -> None:
        with self.asked[number]:
            self.got[number] = await self._budget.take(size)


async def test_a_buffer_has_the_size_that_was_asked_for_up_to_a_part() -> None:
    budget = MemoryBudget(limit=100, part_size=PART)
    assert [len(await budget.take(size)) for size in (1, 7, 8, 9, 1000)] == [1, 7, 8, 8, 8]


async def test_an_empty_document_gets_a_buffer_too() -> None:
    assert len(await MemoryBudget(limit=100, part_size=PART).take(0)) == 1


async def test_what_does_not_fit_waits_until_something_is_given_back() -> None:
    async with trio.open_nursery() as nursery:
        takers = Takers(MemoryBudget(limit=2 * PART, part_size=PART), nursery)
        first = await takers.ask(PART)
        await takers.ask(PART)
        third = await takers.ask(1)
        assert third not in takers.got
        takers.give_back(first)
        await wait_all_tasks_blocked()
        assert third in takers.got


async def test_a_large_request_is_not_overtaken_by_small_ones() -> None:
    async with trio.open_nursery() as nursery:
        takers = Takers(MemoryBudget(limit=2 * PART, part_size=PART), nursery)
        first = await takers.ask(PART)
        await takers.ask(PART // 2)
        large = await takers.ask(PART)
        small = await takers.ask(1)
        assert list(takers.got) == [0, 1]
        takers.give_back(first)
        await wait_all_tasks_blocked()
        assert set(takers.got) == {1, large, small}


async def test_who_is_cancelled_while_waiting_lets_the_next_one_in() -> None:
    async with trio.open_nursery() as nursery:
        takers = Takers(MemoryBudget(limit=2 * PART, part_size=PART), nursery)
        await takers.ask(PART)
        await takers.ask(PART // 2)
        large, small = await takers.ask(PART), await takers.ask(1)
        assert (large in takers.got, small in takers.got) == (False, False)
        takers.asked[large].cancel()
        await wait_all_tasks_blocked()
        assert (large in takers.got, small in takers.got) == (False, True)


async def test_who_is_cancelled_just_as_it_is_let_in_takes_nothing_away() -> None:
    async with trio.open_nursery() as nursery:
        takers = Takers(MemoryBudget(limit=PART, part_size=PART), nursery)
        first = await takers.ask(PART)
        second = await takers.ask(PART)
        takers.asked[second].cancel()
        takers.give_back(first)
        third = await takers.ask(PART)
        assert second not in takers.got
        assert third in takers.got


async def test_a_limit_smaller_than_a_part_lets_one_part_through_at_a_time() -> None:
    async with trio.open_nursery() as nursery:
        takers = Takers(MemoryBudget(limit=1, part_size=PART), nursery)
        first, second = await takers.ask(PART), await takers.ask(PART)
        assert list(takers.got) == [first]
        takers.give_back(first)
        await wait_all_tasks_blocked()
        assert list(takers.got) == [second]


async def test_a_buffer_that_comes_back_is_the_next_one_lent_even_when_all_were_out() -> None:
    budget = MemoryBudget(limit=2 * PART, part_size=PART)
    first, second = await budget.take(PART), await budget.take(PART)
    budget.give_back(first)
    assert await budget.take(PART) is first
    budget.give_back(second)
    budget.give_back(first)
    assert {id(await budget.take(PART)), id(await budget.take(PART))} == {id(first), id(second)}


@pytest.mark.parametrize(
    "sizes", [[MIB] * 50, [MIB] * 4 + [MIB // 2] * 8, [MIB, MIB // 2] * 50, [MIB, 1, 700_000, MIB, MIB, 3] * 20]
)
async def test_lent_and_spare_buffers_together_stay_under_the_limit(sizes: list[int]) -> None:
    budget, lent = MemoryBudget(limit=4 * MIB, part_size=MIB), list[bytearray]()
    gc.collect()
    tracemalloc.start()
    try:
        for size in sizes:
            while sum(map(len, lent)) + size > 4 * MIB:
                budget.give_back(lent.pop(0))
            lent.append(await budget.take(size))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 4 * MIB + 100_000


Step = tuple[str, int]


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    limit=st.integers(1, 5 * PART),
    steps=st.lists(st.tuples(st.sampled_from(["ask", "ask", "give back", "cancel"]), st.integers(0, 2 * PART))),
)
def test_whatever_happens_the_limit_is_kept_and_nothing_is_lost(limit: int, steps: list[Step]) -> None:
    async def run() -> None:
        budget = MemoryBudget(limit, PART)
        async with trio.open_nursery() as nursery:
            takers = Takers(budget, nursery)
            for what, number in steps:
                if what == "ask":
                    await takers.ask(number)
                elif what == "give back" and takers.got:
                    takers.give_back(list(takers.got)[number % len(takers.got)])
                elif what == "cancel" and takers.asked:
                    takers.asked[number % len(takers.asked)].cancel()
                assert sum(map(len, takers.got.values())) <= max(limit, PART)
            await wait_all_tasks_blocked()
            while takers.got:
                takers.give_back(next(iter(takers.got)))
                await wait_all_tasks_blocked()
        # Everybody who waited has been let in, or the nursery would not have ended; and all of it is there again.
        whole = max(limit, PART)
        with trio.fail_after(PATIENCE):
            assert sum([len(await budget.take(1)) for _ in range(whole)]) == whole

    trio.run(run)
