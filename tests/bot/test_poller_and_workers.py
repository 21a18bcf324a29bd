"""The brief's structure: one poller with `timeout=60` (VK's has a `wait` instead), a queue, N workers."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import pytest

from tests.bot.talk import only
from tests.sides import Side
from tests.world import World
from trio_s3_bot.sandbox.replies import Delay
from trio_s3_bot.sandbox.world import Call


@only("telegram", "VK's long poll has no timeout, and no kinds of updates to choose")
async def test_updates_are_polled_with_a_timeout_of_60_seconds(world: World, side: Side) -> None:
    await greeted(world, side)
    polls = world.telegram.calls("getUpdates")
    assert {call.params["timeout"] for call in polls} == {60}
    assert {tuple(call.params["allowed_updates"]) for call in polls} == {("message", "callback_query")}


@only("vk", "Telegram's long poll has a timeout instead, and needs no key")
async def test_events_are_waited_for_25_seconds_with_a_key_that_is_asked_for_once(world: World, side: Side) -> None:
    await greeted(world, side)
    (server,) = world.vk.calls("groups.getLongPollServer")
    polls = world.vk.calls("a_check")
    assert {call.params["wait"] for call in polls} == {"25"}
    assert {call.params["key"] for call in polls} == {server.answer["key"]}


async def test_there_is_one_poller_whatever_the_number_of_workers(world: World, side: Side) -> None:
    async with world.bot({("worker", "concurrent_workers"): "8"}):
        people = [side.meet(f"Person {number}") for number in range(20)]
        for person, chat in people:
            chat.say(person, "hello")
        for _, chat in people:
            await chat.wait_for("[greeting]")
    polls = side.world.calls(side.names.poll)
    assert len(polls) >= 2
    for earlier, later in itertools.pairwise(polls):
        assert earlier.finished is not None
        assert earlier.finished <= later.time


@only("telegram", "VK is not told what has been handled: its ts is a cursor")
async def test_an_update_is_acknowledged_by_the_offset_of_the_next_poll(world: World, side: Side) -> None:
    await greeted(world, side)
    first, second = world.telegram.calls("getUpdates")[:2]
    assert "offset" not in first.params
    assert second.params["offset"] == first.answer[-1]["update_id"] + 1


@only("vk", "Telegram's polls have an offset, which is counted from the updates")
async def test_each_poll_goes_on_from_where_the_last_one_ended_also_after_a_restart(world: World, side: Side) -> None:
    for _ in range(2):
        await greeted(world, side)
    polls = world.vk.calls("a_check")
    assert polls[0].params["ts"] == world.vk.calls("groups.getLongPollServer")[0].answer["ts"]
    known = polls[0].params["ts"]
    for poll in polls:
        assert poll.params["ts"] == known
        known = poll.answer["ts"] if poll.answer else known
    assert int(known) > int(polls[0].params["ts"])


@pytest.mark.parametrize("workers", [1, 3])
async def test_as_many_documents_go_up_at_a_time_as_there_are_workers(world: World, side: Side, workers: int) -> None:
    """Each file body is held back for a moment; so many are asked for meanwhile, and not one more."""
    side.world.faults.add(method="file", times=workers + 2, before=True, answer=Delay(0.5))
    async with world.bot({("worker", "concurrent_workers"): str(workers)}):
        people = [side.meet(f"Person {number}") for number in range(workers + 2)]
        for person, chat in people:
            chat.send_document(person, f"{person.first_name}.txt", b"content")
        for _, chat in people:
            await chat.wait_for("[document has been saved]")
    assert len(world.objects) == workers + 2
    assert most_at_a_time(side.world.calls("file")) == workers


async def greeted(world: World, side: Side) -> None:
    """Run a bot until it has greeted somebody and polls again."""
    polled = len(side.world.calls(side.names.poll))
    async with world.bot():
        alice, chat = side.meet("Alice")
        chat.say(alice, "hello")
        await chat.wait_for("[greeting]")
        await side.world.changes.until(lambda: len(side.world.calls(side.names.poll)) >= polled + 2)


def most_at_a_time(calls: Sequence[Call]) -> int:
    """How many calls were under way at once, at the most."""
    ends = [(call.time, 1) for call in calls] + [(call.finished or math.inf, -1) for call in calls]
    return max(itertools.accumulate(step for _, step in sorted(ends)))
