"""The brief's structure: one poller with `timeout=60`, a queue, N workers."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import pytest

from tests.world import World
from trio_s3_bot.sandbox.telegram import Call, Delay


async def test_updates_are_polled_with_a_timeout_of_60_seconds(world: World) -> None:
    async with world.bot():
        alice = world.telegram.user("Alice")
        chat = world.telegram.private_chat(alice)
        chat.say(alice, "hello")
        await chat.wait_for("[greeting]")
    polls = world.telegram.calls("getUpdates")
    assert {call.params["timeout"] for call in polls} == {60}
    assert {tuple(call.params["allowed_updates"]) for call in polls} == {("message", "callback_query")}


async def test_there_is_one_poller_whatever_the_number_of_workers(world: World) -> None:
    async with world.bot({("worker", "concurrent_workers"): "8"}):
        people = [world.telegram.user(f"Person {number}") for number in range(20)]
        for person in people:
            world.telegram.private_chat(person).say(person, "hello")
        for person in people:
            await world.telegram.private_chat(person).wait_for("[greeting]")
    polls = world.telegram.calls("getUpdates")
    for earlier, later in itertools.pairwise(polls):
        assert earlier.finished is not None
        assert earlier.finished <= later.time


async def test_an_update_is_acknowledged_by_the_offset_of_the_next_poll(world: World) -> None:
    async with world.bot():
        alice = world.telegram.user("Alice")
        chat = world.telegram.private_chat(alice)
        chat.say(alice, "hello")
        await chat.wait_for("[greeting]")
        await world.telegram.changes.until(lambda: len(world.telegram.calls("getUpdates")) >= 2)
    first, second = world.telegram.calls("getUpdates")[:2]
    assert "offset" not in first.params
    assert second.params["offset"] == first.answer[-1]["update_id"] + 1


@pytest.mark.parametrize("workers", [1, 3])
async def test_as_many_documents_go_up_at_a_time_as_there_are_workers(world: World, workers: int) -> None:
    """Each file body is held back for a moment; so many are asked for meanwhile, and not one more."""
    world.telegram.faults.add(method="file", times=workers + 2, before=True, answer=Delay(0.5))
    async with world.bot({("worker", "concurrent_workers"): str(workers)}):
        people = [world.telegram.user(f"Person {number}") for number in range(workers + 2)]
        for person in people:
            world.telegram.private_chat(person).send_document(person, f"{person.first_name}.txt", b"content")
        for person in people:
            await world.telegram.private_chat(person).wait_for("[document has been saved]")
    assert len(world.objects) == workers + 2
    assert most_at_a_time(world.telegram.calls("file")) == workers


def most_at_a_time(calls: Sequence[Call]) -> int:
    """How many calls were under way at once, at the most."""
    ends = [(call.time, 1) for call in calls] + [(call.finished or math.inf, -1) for call in calls]
    return max(itertools.accumulate(step for _, step in sorted(ends)))
