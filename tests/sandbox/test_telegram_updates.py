"""The emulator's getUpdates keeps the rules of the published server."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import httpx
import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from trio_s3_bot.sandbox.telegram import Telegram
from trio_s3_bot.sandbox.telegram_queue import UpdateQueue
from trio_s3_bot.sandbox.telegram_replies import Refusal
from trio_s3_bot.sandbox.world import Changes

Call = Callable[..., Awaitable[dict[str, Any]]]


def say(telegram: Telegram, *texts: str) -> None:
    alice = telegram.user("Alice", id=5)
    for text in texts:
        telegram.private_chat(alice).say(alice, text)


def texts(answer: dict[str, Any]) -> list[str]:
    return [update["message"]["text"] for update in answer["result"]]


async def test_updates_without_an_offset_come_again_and_again(telegram: Telegram, call: Call) -> None:
    say(telegram, "one", "two")
    assert texts(await call("getUpdates")) == texts(await call("getUpdates")) == ["one", "two"]


async def test_an_offset_confirms_everything_below_it(telegram: Telegram, call: Call) -> None:
    say(telegram, "one", "two", "three")
    first = (await call("getUpdates"))["result"][0]["update_id"]
    assert texts(await call("getUpdates", offset=first + 1)) == ["two", "three"]
    assert texts(await call("getUpdates")) == ["two", "three"]


async def test_a_negative_offset_deletes_all_but_the_newest(telegram: Telegram, call: Call) -> None:
    say(telegram, "one", "two", "three")
    assert texts(await call("getUpdates", offset=-1)) == ["three"]
    assert texts(await call("getUpdates")) == ["three"]


@pytest.mark.parametrize("distance", [11, 1_000_000, -100_001])
async def test_an_offset_far_outside_the_queue_is_ignored(telegram: Telegram, call: Call, distance: int) -> None:
    say(telegram, "one", "two")
    first = telegram.pending[0]["update_id"]
    offset = telegram.updates.next_id + distance if distance > 0 else first + distance
    assert texts(await call("getUpdates", offset=offset)) == ["one", "two"]


async def test_an_offset_a_little_ahead_confirms_all(telegram: Telegram, call: Call) -> None:
    say(telegram, "one", "two")
    assert texts(await call("getUpdates", offset=telegram.updates.next_id + 10)) == []
    assert telegram.pending == []


async def test_ids_can_jump_down_as_after_a_lost_queue(telegram: Telegram, call: Call) -> None:
    say(telegram, "lost")
    old = telegram.pending[0]["update_id"]
    telegram.jump_update_id(1000)
    say(telegram, "kept")
    answer = await call("getUpdates", offset=old + 1)
    assert [update["update_id"] for update in answer["result"]] == [1000]


@pytest.mark.parametrize(("limit", "count"), [(0, 1), (2, 2), (500, 100)])
async def test_the_limit_is_cut_to_1_to_100(telegram: Telegram, call: Call, limit: int, count: int) -> None:
    say(telegram, *(str(number) for number in range(120)))
    assert len((await call("getUpdates", limit=limit))["result"]) == count


async def test_a_long_poll_ends_after_50_seconds_at_most(autojump_clock: MockClock) -> None:  # noqa: ARG001
    queue = UpdateQueue(Changes())
    start = trio.current_time()
    assert await queue.get(0, 100, 60) == []
    assert trio.current_time() - start == 50


async def test_a_long_poll_wakes_on_a_new_update(telegram: Telegram, call: Call) -> None:
    async with trio.open_nursery() as nursery:

        async def speak() -> None:
            await telegram.wait(lambda: telegram.polled)
            say(telegram, "hello")

        nursery.start_soon(speak)
        assert texts(await call("getUpdates", timeout=50)) == ["hello"]


async def test_a_new_long_poll_ends_the_older_one_with_409(telegram: Telegram, call: Call) -> None:
    answers: dict[str, Any] = {}

    async def poll(name: str) -> None:
        answers[name] = await call("getUpdates", timeout=50)
        telegram.changes.announce()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(poll, "older")
        await telegram.wait(lambda: telegram.polled)
        nursery.start_soon(poll, "newer")
        await telegram.wait(lambda: answers)
        say(telegram, "hello")
    assert answers["older"]["error_code"] == 409
    assert answers["older"]["description"].startswith("Conflict: terminated by other getUpdates request")
    assert texts(answers["newer"]) == ["hello"]


async def test_a_poll_that_does_not_wait_conflicts_with_nobody(autojump_clock: MockClock) -> None:  # noqa: ARG001
    queue = UpdateQueue(Changes())
    async with trio.open_nursery() as nursery:
        nursery.start_soon(queue.get, 0, 100, 50)
        await wait_all_tasks_blocked()
        assert await queue.get(0, 100, 0) == []


async def test_a_webhook_forbids_polling_and_ends_a_waiting_poll(autojump_clock: MockClock) -> None:  # noqa: ARG001
    queue = UpdateQueue(Changes())

    async def poll() -> None:
        with pytest.raises(Refusal, match="terminated by setWebhook"):
            await queue.get(0, 100, 50)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(poll)
        await wait_all_tasks_blocked()
        queue.stop_poll(Refusal(409, "Conflict: terminated by setWebhook request"))


async def test_polling_beside_a_webhook_is_refused_until_it_is_deleted(telegram: Telegram, call: Call) -> None:
    telegram.set_webhook("https://example.com/hook")
    refusal = await call("getUpdates")
    assert refusal["error_code"] == 409
    assert "can't use getUpdates method while webhook is active" in refusal["description"]
    assert (await call("getWebhookInfo"))["result"]["url"] == "https://example.com/hook"
    await call("deleteWebhook")
    assert (await call("getUpdates"))["ok"]


async def test_allowed_updates_are_remembered_for_later_updates(telegram: Telegram, call: Call) -> None:
    await call("getUpdates", allowed_updates=["callback_query"])
    say(telegram, "not wanted")
    assert (await call("getUpdates"))["result"] == []
    await call("getUpdates", allowed_updates=[])
    say(telegram, "wanted")
    assert texts(await call("getUpdates")) == ["wanted"]


async def test_a_poll_whose_caller_hung_up_is_forgotten(telegram: Telegram, http: httpx.AsyncClient) -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(partial(http.post, "getUpdates", json={"timeout": 50}))
        await telegram.wait(lambda: telegram.polled)
        nursery.cancel_scope.cancel()
    await telegram.wait(lambda: not telegram.polled)
    say(telegram, "hello")
    assert telegram.calls("getUpdates")[0].status is None
    assert texts((await http.post("getUpdates", json={"timeout": 50})).json()) == ["hello"]


async def test_parameters_may_come_as_json_form_or_query(telegram: Telegram, http: httpx.AsyncClient) -> None:
    wanted = {"offset": 0, "limit": 7, "allowed_updates": ["message"]}
    form = {"offset": "0", "limit": "7", "allowed_updates": '["message"]'}
    await http.post("getUpdates", json=wanted)
    await http.post("getUpdates", data=form)
    await http.get("GETUPDATES", params=form)
    assert [call.params for call in telegram.calls("getUpdates")] == [wanted] * 3


async def test_a_revoked_token_is_answered_with_401_and_ends_the_poll(telegram: Telegram, call: Call) -> None:
    async with trio.open_nursery() as nursery:

        async def revoke() -> None:
            await telegram.wait(lambda: telegram.polled)
            telegram.revoke_token()

        nursery.start_soon(revoke)
        assert (await call("getUpdates", timeout=50))["error_code"] == 401
    assert (await call("getMe"))["description"] == "Unauthorized"


@pytest.mark.parametrize(("token", "status"), [("123456:other", 401), ("nonsense", 404), ("0:zero", 404)])
async def test_a_wrong_token_is_401_and_a_malformed_one_404(telegram: Telegram, token: str, status: int) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        response = await client.get(f"{telegram.api_url}/bot{token}/getMe")
    assert response.status_code == response.json()["error_code"] == status


async def test_an_unknown_method_is_404_and_complained_of(telegram: Telegram, call: Call) -> None:
    assert (await call("sendMassage"))["description"] == "Not Found: method not found"
    assert telegram.complaints == ["unknown method sendMassage"]
    telegram.complaints.clear()
