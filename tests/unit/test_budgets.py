"""Budgets of messages: never more than a limit allows, and no fewer than needed."""

from __future__ import annotations

import math
import weakref
from collections.abc import Callable

import pytest
import trio
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from trio.testing import MockClock

from trio_s3_bot.budgets import BURST, HEADROOM, Budget, Budgets, at_most
from trio_s3_bot.model import Chat

ALICE = Chat("telegram", 1)
TOPICS = [Chat("telegram", -7, thread, group=True) for thread in (1, 2)]


def wait_and_spend(clock: MockClock, budget: Budget) -> float:
    """Take one message's worth as soon as there is one; returns when that was."""
    clock.jump(max(0.0, budget.ready_at() - trio.current_time()))
    budget.spend()
    return trio.current_time()


def budgets() -> Budgets:
    return Budgets(chat_messages_per_second=1, group_messages_per_minute=20)


async def test_a_new_budget_lets_its_burst_out_at_once(mock_clock: MockClock) -> None:
    budget = Budget(rate=2, burst=3)
    assert [wait_and_spend(mock_clock, budget) for _ in range(5)] == [0, 0, 0, 0.5, 1]


async def test_what_was_saved_up_is_no_more_than_the_burst(mock_clock: MockClock) -> None:
    budget = Budget(rate=2, burst=3)
    mock_clock.jump(1000)
    assert [wait_and_spend(mock_clock, budget) for _ in range(4)] == [1000, 1000, 1000, 1000.5]


async def test_a_reserve_is_left_for_what_is_more_important(mock_clock: MockClock) -> None:
    budget = Budget(rate=1, burst=2)
    budget.spend()
    assert budget.ready_at() == 0
    assert budget.ready_at(reserve=1) == 1
    mock_clock.jump(1)
    assert budget.ready_at(reserve=1) == 1


async def test_a_reserve_larger_than_the_burst_does_not_block_for_ever(mock_clock: MockClock) -> None:
    budget = Budget(rate=1, burst=1)
    assert budget.ready_at(reserve=1) == mock_clock.current_time()


async def test_a_refund_is_as_if_nothing_had_been_spent(mock_clock: MockClock) -> None:
    budget = Budget(rate=1, burst=1)
    budget.spend()
    mock_clock.jump(0.25)
    budget.refund()
    assert budget.ready_at() <= trio.current_time()
    budget.spend()
    assert budget.ready_at() == 1.25


async def test_a_pause_is_kept_to_its_end_and_then_begins_slowly(mock_clock: MockClock) -> None:
    budget = Budget(rate=1, burst=5)
    mock_clock.jump(10)
    budget.pause(30)
    assert [wait_and_spend(mock_clock, budget) for _ in range(3)] == [40, 41, 42]


async def test_a_shorter_pause_does_not_end_a_longer_one(mock_clock: MockClock) -> None:
    budget = Budget(rate=1, burst=5)
    budget.pause(30)
    mock_clock.jump(1)
    budget.pause(2)
    assert budget.ready_at() == 30


async def test_what_is_put_back_during_a_pause_does_not_hurry_what_comes_after_it(mock_clock: MockClock) -> None:
    budget = Budget(rate=1, burst=5)
    budget.spend()
    budget.pause(30)
    mock_clock.jump(10)
    budget.refund()
    assert [wait_and_spend(mock_clock, budget) for _ in range(3)] == [30, 31, 32]


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    limit=st.floats(0.01, 1000) | st.integers(1, 60).map(float),
    period=st.sampled_from([1.0, 60.0]),
    idle=st.lists(st.floats(0, 3) | st.just(0.0), max_size=80),
)
@example(limit=30, period=1, idle=[0.0] * 80)
@example(limit=20, period=60, idle=[0.0] * 80)
def test_a_limit_is_kept_in_every_stretch_of_time_however_messages_come(
    limit: float, period: float, idle: list[float]
) -> None:
    clock = MockClock()

    async def spend_all() -> list[float]:
        budget, times = at_most(limit, period), []
        for pause in idle:
            clock.jump(pause)
            times.append(wait_and_spend(clock, budget))
        return times

    times = trio.run(spend_all, clock=clock)
    for start in times:
        assert sum(start <= at < start + period for at in times) <= math.ceil(limit)


@pytest.mark.parametrize(("limit", "least"), [(30, 24), (20, 15), (3, 2.8), (1, 0.95)])
async def test_most_of_a_limit_can_be_used(mock_clock: MockClock, limit: float, least: float) -> None:
    budget = at_most(limit, 60)
    times = [wait_and_spend(mock_clock, budget) for _ in range(1000)]
    assert 1000 / times[-1] * 60 >= least


async def test_a_private_chat_has_a_burst_and_then_nearly_the_rate_that_was_set(mock_clock: MockClock) -> None:
    budget = budgets().of(ALICE)
    times = [wait_and_spend(mock_clock, budget) for _ in range(BURST + 2)]
    assert times == pytest.approx([0] * BURST + [1 / HEADROOM, 2 / HEADROOM])


async def test_topics_of_a_group_share_its_budget_and_chats_do_not(mock_clock: MockClock) -> None:
    of = budgets().of
    group, other = of(TOPICS[0]), of(ALICE)
    assert of(TOPICS[1]) is group
    assert other is not group
    assert mock_clock.current_time() == 0


async def test_a_budget_that_was_let_go_is_remembered_until_it_has_recovered(mock_clock: MockClock) -> None:
    all_chats = budgets()
    let_go_after(all_chats, ALICE, Budget.spend)
    mock_clock.jump(1 / HEADROOM / 2)
    let_go_after(all_chats, TOPICS[0], Budget.spend)
    assert all_chats.of(ALICE).ready_at(reserve=BURST - 1) == pytest.approx(1 / HEADROOM)


async def test_a_pause_outlasts_the_silence_of_its_chat(mock_clock: MockClock) -> None:
    all_chats = budgets()
    let_go_after(all_chats, ALICE, lambda budget: budget.pause(250))
    mock_clock.jump(100)
    assert all_chats.of(ALICE).ready_at() == 250


async def test_a_topic_that_falls_silent_does_not_give_the_group_a_second_budget(mock_clock: MockClock) -> None:
    all_chats = budgets()
    kept = all_chats.of(TOPICS[0])
    mock_clock.jump(3600)
    let_go_after(all_chats, TOPICS[1], lambda _: None)
    assert all_chats.of(TOPICS[1]) is kept


async def test_chats_that_have_recovered_are_forgotten(mock_clock: MockClock) -> None:
    all_chats = budgets()
    left = [let_go_after(all_chats, Chat("telegram", number), Budget.spend) for number in range(100, 200)]
    assert all(ref() is not None for ref in left)
    mock_clock.jump(60)
    let_go_after(all_chats, ALICE, Budget.spend)
    assert all(ref() is None for ref in left)


def let_go_after(all_chats: Budgets, chat: Chat, use: Callable[[Budget], object]) -> weakref.ref[Budget]:
    """What a turn of a chat is to its budget."""
    budget = all_chats.of(chat)
    use(budget)
    all_chats.let_go(chat)
    return weakref.ref(budget)
