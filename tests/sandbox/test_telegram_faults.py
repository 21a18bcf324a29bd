"""The emulator misbehaves as it is told to: before or after its work, in its answer or in the body of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from trio_s3_bot.sandbox.telegram import (
    FILE_ROUTE,
    BadRequest,
    Chat,
    Conflict,
    Content,
    CutBody,
    Delay,
    Forbidden,
    Html502,
    ServerError,
    SlowBody,
    Telegram,
    TooManyRequests,
    Unauthorized,
    WrongSize,
    open_telegram,
)
from trio_s3_bot.sandbox.telegram_limits import FloodLimits
from trio_s3_bot.sandbox.telegram_replies import Refusal

Call = Callable[..., Awaitable[dict[str, Any]]]


@pytest.fixture
def chat(telegram: Telegram) -> Chat:
    return telegram.private_chat(telegram.user("Alice"))


async def file_url(telegram: Telegram, chat: Chat, call: Call, content: bytes = b"0123456789") -> str:
    file_id = chat.send_document(chat.members[0], "a.bin", content)["document"]["file_id"]
    path = (await call("getFile", file_id=file_id))["result"]["file_path"]
    return f"{telegram.api_url}/file/bot{telegram.token}/{path}"


async def test_429_comes_with_header_and_parameters(telegram: Telegram, http: httpx.AsyncClient) -> None:
    telegram.faults.add(method="getMe", answer=TooManyRequests(retry_after=3))
    response = await http.get("getMe")
    assert (response.status_code, response.headers["retry-after"]) == (429, "3")
    assert response.json() == {
        "ok": False,
        "error_code": 429,
        "description": "Too Many Requests: retry after 3",
        "parameters": {"retry_after": 3},
    }


async def test_a_fault_lasts_as_often_as_it_was_asked_for(telegram: Telegram, call: Call) -> None:
    fault = telegram.faults.add(method="getMe", times=2, answer=ServerError())
    assert [(await call("getMe"))["ok"] for _ in range(3)] == [False, False, True]
    assert fault.hits == 2


async def test_a_fault_before_the_work_leaves_it_undone(
    telegram: Telegram, chat: Chat, http: httpx.AsyncClient
) -> None:
    telegram.faults.add(method="sendMessage", answer=Html502())
    response = await http.post("sendMessage", json={"chat_id": chat.id, "text": "x"})
    assert (response.status_code, response.headers["content-type"]) == (502, "text/html")
    assert chat.messages == []


async def test_a_fault_after_the_work_loses_only_the_answer(
    telegram: Telegram, chat: Chat, http: httpx.AsyncClient
) -> None:
    telegram.faults.add(method="sendMessage", before=False, answer=Html502())
    assert (await http.post("sendMessage", json={"chat_id": chat.id, "text": "x"})).status_code == 502
    assert [message["text"] for message in chat.messages] == ["x"]
    assert telegram.calls("sendMessage")[0].status == 502


async def test_a_fault_can_choose_its_calls(telegram: Telegram, chat: Chat, call: Call) -> None:
    telegram.faults.add(times=None, answer=Forbidden(), match=lambda one: one.params.get("text") == "bad")
    assert (await call("sendMessage", chat_id=chat.id, text="good"))["ok"]
    assert (await call("sendMessage", chat_id=chat.id, text="bad"))["description"].startswith("Forbidden: bot was")


@pytest.mark.parametrize(
    ("answer", "status"),
    [(BadRequest("chat not found"), 400), (Unauthorized(), 401), (Conflict(), 409), (ServerError(), 500)],
)
async def test_refusals_can_be_scripted(telegram: Telegram, call: Call, answer: Any, status: int) -> None:
    telegram.faults.add(answer=answer)
    assert (await call("getMe"))["error_code"] == status


@pytest.mark.parametrize("before", [True, False])
async def test_a_delay_is_before_the_work_or_before_the_answer(
    telegram: Telegram, chat: Chat, http: httpx.AsyncClient, before: bool
) -> None:
    telegram.faults.add(method="sendMessage", before=before, answer=Delay(0.3))
    with pytest.raises(httpx.ReadTimeout):
        await http.post("sendMessage", json={"chat_id": chat.id, "text": "x"}, timeout=0.1)
    assert len(chat.messages) == (0 if before else 1)
    with trio.fail_after(10):
        await chat.wait_for("x")


async def test_a_cut_body_ends_the_connection_early(
    telegram: Telegram, chat: Chat, call: Call, http: httpx.AsyncClient
) -> None:
    url = await file_url(telegram, chat, call)
    telegram.faults.add(method=FILE_ROUTE, answer=CutBody(after=4))
    received = bytearray()

    async def receive() -> None:
        async with http.stream("GET", url) as response:
            assert response.headers["content-length"] == "10"
            async for chunk in response.aiter_raw():
                received.extend(chunk)

    with pytest.raises(httpx.RemoteProtocolError):
        await receive()
    assert received == b"0123"
    assert (await http.get(url)).content == b"0123456789"


async def test_a_cut_answer_is_no_json(telegram: Telegram, http: httpx.AsyncClient) -> None:
    telegram.faults.add(method="getMe", answer=CutBody(after=5))
    with pytest.raises(httpx.RemoteProtocolError):
        await http.get("getMe")


async def test_a_client_that_stopped_reading_does_not_hold_up_the_end() -> None:
    with trio.fail_after(20):
        async with AsyncExitStack() as after, open_telegram() as telegram:
            telegram.cloud_limit = None
            alice = telegram.user("Alice")
            content = Content.generated(64 * 2**20)
            document = telegram.private_chat(alice).send_document(alice, "large.bin", content)["document"]
            described = await telegram.files.get_file(document["file_id"], telegram.token)
            port = int(telegram.api_url.rpartition(":")[2])
            stream = await after.enter_async_context(await trio.open_tcp_stream("127.0.0.1", port))
            path = f"/file/bot{telegram.token}/{described['file_path']}"
            await stream.send_all(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            assert await stream.receive_some(1)
            await wait_all_tasks_blocked()


async def test_a_slow_body_keeps_its_rate(telegram: Telegram, chat: Chat, call: Call, http: httpx.AsyncClient) -> None:
    url = await file_url(telegram, chat, call, b"x" * 200)
    telegram.faults.add(method=FILE_ROUTE, answer=SlowBody(bytes_per_second=1000))
    start = trio.current_time()
    assert (await http.get(url)).content == b"x" * 200
    assert 0.1 < trio.current_time() - start < 2


@pytest.mark.parametrize(("extra", "body"), [(2, b"0123456789\0\0"), (-3, b"0123456")])
async def test_a_complete_body_can_be_of_another_size_than_announced(
    telegram: Telegram, chat: Chat, call: Call, http: httpx.AsyncClient, extra: int, body: bytes
) -> None:
    url = await file_url(telegram, chat, call)
    telegram.faults.add(method=FILE_ROUTE, answer=WrongSize(extra))
    assert (await http.get(url)).content == body


async def test_flood_limits_allow_a_burst_and_then_say_how_long_to_wait(
    telegram: Telegram, chat: Chat, call: Call
) -> None:
    telegram.flood_limits = True
    answers = [await call("sendMessage", chat_id=chat.id, text=str(number)) for number in range(6)]
    assert [answer["ok"] for answer in answers] == [True] * 5 + [False]
    assert answers[-1]["parameters"] == {"retry_after": 1}
    assert telegram.limits.hits == 1


async def test_edits_count_against_the_flood_limits(telegram: Telegram, chat: Chat, call: Call) -> None:
    telegram.flood_limits = True
    message = (await call("sendMessage", chat_id=chat.id, text="0"))["result"]["message_id"]
    edits = [
        await call("editMessageText", chat_id=chat.id, message_id=message, text=str(number)) for number in range(1, 6)
    ]
    assert [edit.get("error_code") for edit in edits] == [None] * 4 + [429]


async def test_nothing_is_sent_beyond_30_messages_a_second(telegram: Telegram, call: Call) -> None:
    telegram.flood_limits = True
    chats = [telegram.private_chat(telegram.user(str(number))) for number in range(31)]
    answers = [await call("sendMessage", chat_id=chat.id, text="x") for chat in chats]
    assert telegram.calls("sendMessage")[-1].time - telegram.calls("sendMessage")[0].time < 1
    assert answers[30]["error_code"] == 429


async def test_a_group_gets_no_more_than_20_messages_a_minute(autojump_clock: MockClock) -> None:  # noqa: ARG001
    limits = FloodLimits()
    for _ in range(20):
        limits.spend(-5)
        await trio.sleep(1)
    with pytest.raises(Refusal, match="retry after 40"):
        limits.spend(-5)
    await trio.sleep(40)
    limits.spend(-5)
