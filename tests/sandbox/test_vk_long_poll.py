"""The emulated Bots Long Poll keeps the rules of the documentation, and breaks them as the real one was seen to."""

from __future__ import annotations

import base64
import json
from functools import partial
from typing import Any

import httpx
import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from trio_s3_bot.sandbox.vk import Vk
from trio_s3_bot.sandbox.vk_queue import EventQueue
from trio_s3_bot.sandbox.world import Changes

from .vk_client import VkClient


@pytest.fixture
async def client(client: VkClient) -> VkClient:
    """A client that has a key."""
    await client.connect()
    return client


def say(vk: Vk, *texts: str) -> None:
    alice = vk.user("Alice", id=5)
    for text in texts:
        vk.private_chat(alice).say(alice, text)


def texts(events: list[dict[str, Any]]) -> list[str]:
    return [event["object"]["message"]["text"] for event in events]


async def test_a_key_is_a_jwt_that_does_not_survive_a_url_unescaped(vk: Vk, client: VkClient) -> None:
    claims = json.loads(base64.b64decode(client.key.split(".")[1]))
    assert claims.keys() == {"queue_id", "until"}
    assert claims["queue_id"] == str(vk.group_id)
    address = f"{client.server}?act=a_check&wait=0&ts={client.ts}&key="
    assert (await client.http.get(address + client.key)).json() == {"failed": 2}
    assert "failed" not in await client.check(wait=0)
    vk.complaints.clear()


async def test_ts_is_a_string(client: VkClient) -> None:
    assert isinstance(client.ts, str)
    assert isinstance((await client.check(wait=0))["ts"], str)


async def test_an_event_has_an_envelope_with_an_id_of_its_own(vk: Vk, client: VkClient) -> None:
    say(vk, "one", "two")
    first, second = await client.events()
    assert first.keys() == {"group_id", "type", "event_id", "v", "object"}
    assert (first["group_id"], first["type"], first["v"]) == (vk.group_id, "message_new", "5.199")
    assert first["event_id"] != second["event_id"]


async def test_what_was_said_before_the_first_ts_is_not_told(vk: Vk, client: VkClient) -> None:
    say(vk, "before")
    await client.connect()
    say(vk, "after")
    assert texts(await client.events()) == ["after"]


async def test_nothing_is_consumed_and_an_older_ts_gets_the_same_again(vk: Vk, client: VkClient) -> None:
    say(vk, "one", "two")
    first, second = await client.check(), await client.check()
    assert first == second
    assert int(first["ts"]) == int(client.ts) + 2


async def test_a_later_ts_gets_only_what_came_later(vk: Vk, client: VkClient) -> None:
    say(vk, "one")
    await client.events()
    say(vk, "two")
    assert texts(await client.events()) == ["two"]
    assert await client.events() == []


async def test_two_pollers_both_get_everything(vk: Vk, client: VkClient) -> None:
    answers: list[dict[str, Any]] = []

    async def poll() -> None:
        answers.append(await client.check())

    async with trio.open_nursery() as nursery:
        nursery.start_soon(poll)
        nursery.start_soon(poll)
        await vk.wait(lambda: len(vk.calls("a_check")) == 2 and vk.polled)
        say(vk, "hello")
    assert [texts(answer["updates"]) for answer in answers] == [["hello"], ["hello"]]


async def test_a_poll_wakes_on_a_new_event(vk: Vk, client: VkClient) -> None:
    async with trio.open_nursery() as nursery:

        async def speak() -> None:
            await vk.wait(lambda: vk.polled)
            say(vk, "hello")

        nursery.start_soon(speak)
        assert texts((await client.check())["updates"]) == ["hello"]


@pytest.mark.parametrize(("wait", "seconds"), [(25, 21.9), (90, 78.84), (300, 78.84), (0, 0)])
async def test_an_empty_answer_comes_some_time_before_the_wait_is_over(
    autojump_clock: MockClock,  # noqa: ARG001
    wait: int,
    seconds: float,
) -> None:
    queue = EventQueue(Changes(), 1)
    start = trio.current_time()
    assert await queue.check(queue.new_key(), str(queue.ts), wait) == {"ts": str(queue.ts), "updates": []}
    assert trio.current_time() - start == pytest.approx(seconds)


async def test_an_empty_answer_may_bring_a_later_ts(vk: Vk, client: VkClient) -> None:
    vk.events.skip(3)
    answer = await client.check(wait=0)
    assert answer == {"ts": str(int(client.ts) + 3), "updates": []}


async def test_a_waiting_poll_keeps_the_events_that_come_after_a_gap(autojump_clock: MockClock) -> None:  # noqa: ARG001
    queue = EventQueue(Changes(), 1)
    start = queue.ts
    async with trio.open_nursery() as nursery:

        async def poll() -> None:
            assert await queue.check(queue.new_key(), str(start), 25) == {"ts": str(start + 4), "updates": [{"n": 1}]}

        nursery.start_soon(poll)
        await wait_all_tasks_blocked()
        queue.skip(3)
        await wait_all_tasks_blocked()
        queue.push({"n": 1})


@pytest.mark.parametrize("key", ["", "nonsense"])
async def test_a_bad_key_is_failed_2_without_a_ts(client: VkClient, key: str) -> None:
    assert await client.check(key=key) == {"failed": 2}


async def test_an_expired_key_is_failed_2_and_a_new_one_goes_on_at_the_old_ts(vk: Vk, client: VkClient) -> None:
    say(vk, "meanwhile")
    vk.events.expire_keys()
    assert await client.check() == {"failed": 2}
    await client.connect(keep_ts=True)
    assert texts(await client.events()) == ["meanwhile"]


async def test_the_ts_that_comes_with_a_new_key_skips_what_came_meanwhile(vk: Vk, client: VkClient) -> None:
    say(vk, "meanwhile")
    await client.connect()
    assert await client.events() == []


async def test_a_key_expires_by_itself(vk: Vk, client: VkClient) -> None:
    vk.events.key_lifetime = -1
    await client.connect()
    assert await client.check() == {"failed": 2}


async def test_a_key_that_expires_ends_the_waiting_poll(vk: Vk, client: VkClient) -> None:
    async with trio.open_nursery() as nursery:

        async def expire() -> None:
            await vk.wait(lambda: vk.polled)
            vk.events.expire_keys()

        nursery.start_soon(expire)
        assert await client.check() == {"failed": 2}


async def test_a_lost_history_is_failed_1_with_a_number_to_go_on_from(vk: Vk, client: VkClient) -> None:
    say(vk, "lost")
    vk.events.lose_history()
    answer = await client.check()
    assert answer == {"failed": 1, "ts": int(client.ts) + 1}
    client.ts = str(answer["ts"])
    say(vk, "kept")
    assert texts(await client.events()) == ["kept"]


async def test_a_history_that_is_too_long_loses_its_beginning(vk: Vk, client: VkClient) -> None:
    vk.events.kept = 2
    say(vk, "one", "two", "three")
    assert await client.check() == {"failed": 1, "ts": int(client.ts) + 3}
    assert texts((await client.check(ts=str(int(client.ts) + 1)))["updates"]) == ["two", "three"]


@pytest.mark.parametrize("ahead", [1, 1_000_000])
async def test_a_ts_from_the_future_is_failed_1(client: VkClient, ahead: int) -> None:
    assert await client.check(ts=str(int(client.ts) + ahead)) == {"failed": 1, "ts": int(client.ts)}


async def test_lost_information_is_failed_3_until_key_and_ts_are_new(vk: Vk, client: VkClient) -> None:
    vk.events.lose_everything()
    say(vk, "after")
    assert await client.check() == {"failed": 3}
    old = client.ts
    await client.connect()
    assert (await client.check(ts=old))["failed"] == 1
    say(vk, "later")
    assert texts(await client.events()) == ["later"]


async def test_a_long_poll_that_is_switched_off_is_failed_2(vk: Vk, client: VkClient) -> None:
    vk.settings.is_enabled = False
    assert await client.check() == {"failed": 2}


async def test_events_can_be_delivered_again_with_the_same_id(vk: Vk, client: VkClient) -> None:
    say(vk, "one", "two")
    first = await client.events()
    vk.events.replay(1)
    assert await client.events() == first[-1:]


async def test_events_can_be_delivered_again_with_another_id(vk: Vk, client: VkClient) -> None:
    say(vk, "one")
    (first,) = await client.events()
    vk.events.replay(1, new_ids=True)
    (again,) = await client.events()
    assert again["event_id"] != first["event_id"]
    assert again["object"] == first["object"]


async def test_every_event_can_come_twice(vk: Vk, client: VkClient) -> None:
    vk.events.repeats = 2
    say(vk, "one", "two")
    events = await client.events()
    assert texts(events) == ["one", "one", "two", "two"]
    assert events[0]["event_id"] == events[1]["event_id"]


async def test_a_fresh_community_keeps_nothing_before_the_first_poll(vk: Vk, client: VkClient) -> None:
    vk.events.fresh = True
    say(vk, "lost")
    assert await client.events() == []
    say(vk, "kept")
    assert texts(await client.events()) == ["kept"]


async def test_types_that_are_not_ticked_are_not_queued(vk: Vk, client: VkClient) -> None:
    vk.settings.events.remove("message_new")
    say(vk, "not wanted")
    assert await client.events() == []


async def test_before_version_5_103_the_message_is_the_object(vk: Vk, client: VkClient) -> None:
    vk.settings.api_version = "5.92"
    say(vk, "old")
    (event,) = await client.events()
    assert (event["v"], event["object"]["text"]) == ("5.92", "old")


async def test_what_is_pending_is_known_until_a_later_ts_is_asked_for(vk: Vk, client: VkClient) -> None:
    say(vk, "one")
    assert texts(await client.events()) == ["one"]
    assert texts(vk.pending) == ["one"]
    await client.events()
    assert vk.pending == []


async def test_an_event_of_ones_own_making_comes_as_it_is(vk: Vk, client: VkClient) -> None:
    vk.push({"type": "message_new", "object": None})
    assert await client.events() == [{"type": "message_new", "object": None}]


async def test_a_poll_whose_caller_hung_up_is_forgotten(vk: Vk, client: VkClient) -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(client.check)
        await vk.wait(lambda: vk.polled)
        nursery.cancel_scope.cancel()
    await vk.wait(lambda: not vk.polled)
    assert vk.calls("a_check")[0].status is None


async def test_a_poll_may_be_a_form(vk: Vk, client: VkClient) -> None:
    say(vk, "hello")
    form = {"act": "a_check", "key": client.key, "ts": client.ts, "wait": "25"}
    answer = (await client.http.post(client.server, data=form)).json()
    assert texts(answer["updates"]) == ["hello"]


@pytest.mark.parametrize(
    "wrong", [{"wait": 91}, {"wait": "soon"}, {"act": "a_release"}, {"mode": 2}], ids=lambda wrong: next(iter(wrong))
)
async def test_other_parameters_than_the_documented_are_complained_of(
    vk: Vk, client: VkClient, wrong: dict[str, Any]
) -> None:
    say(vk, "hello")
    assert texts((await client.check(**wrong))["updates"]) == ["hello"]
    assert len(vk.complaints) == 1
    vk.complaints.clear()


async def test_the_token_is_not_for_the_long_poll_server(vk: Vk, client: VkClient) -> None:
    send = partial(client.http.get, client.server, headers={"authorization": f"Bearer {vk.token}"})
    response: httpx.Response = await send(params={"act": "a_check", "key": client.key, "ts": client.ts, "wait": "0"})
    assert response.status_code == 200
    assert vk.complaints == [f"the token was sent to /whp/{vk.group_id}"]
    vk.complaints.clear()
