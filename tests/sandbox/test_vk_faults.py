"""The emulated VK misbehaves as it is told to: in its API, in the long poll, and on the way to a document."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
import trio

from trio_s3_bot.sandbox.vk import (
    DOC_ROUTE,
    FILE_ROUTE,
    LONG_POLL,
    ApiError,
    Chat,
    CutBody,
    Delay,
    ErrorPage,
    Html502,
    LongPollFailed,
    Response,
    SlowBody,
    Status,
    Vk,
    WrongSize,
)

from .vk_client import VkClient


@pytest.fixture
async def client(client: VkClient) -> VkClient:
    """A client that has a key."""
    await client.connect()
    return client


@pytest.fixture
def chat(vk: Vk) -> Chat:
    return vk.private_chat(vk.user("Alice"))


def message(chat: Chat) -> dict[str, Any]:
    return {"peer_id": chat.id, "message": "hello", "random_id": 1}


async def doc_url(client: VkClient, chat: Chat, content: bytes = b"0123456789") -> str:
    chat.send_document(chat.members[0], "a.bin", content)
    return str((await client.newest())["message"]["attachments"][0]["doc"]["url"])


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (1, "Unknown error occurred"),
        (6, "Too many requests per second"),
        (7, "Permission to perform this action is denied"),
        (9, "Flood control"),
        (10, "Internal server error"),
        (15, "Access denied"),
        (27, "Group authorization failed"),
        (29, "Rate limit reached"),
        (920, "Can't edit this kind of message"),
    ],
)
async def test_any_error_can_be_scripted_once(vk: Vk, client: VkClient, chat: Chat, code: int, text: str) -> None:
    fault = vk.faults.add(method="messages.send", answer=ApiError(code))
    assert await client.error("messages.send", **message(chat)) == (code, text)
    assert chat.messages == []
    assert await client.result("messages.send", **message(chat)) == 1
    assert fault.hits == 1


async def test_a_scripted_error_echoes_the_parameters_too(vk: Vk, client: VkClient, chat: Chat) -> None:
    vk.faults.add(method="messages.send", answer=ApiError(10, "could not get application"))
    error = (await client.call("messages.send", **message(chat)))["error"]
    assert error["error_msg"] == "Internal server error: could not get application"
    assert {"key": "message", "value": "hello"} in error["request_params"]


async def test_a_captcha_brings_its_picture(vk: Vk, client: VkClient, chat: Chat) -> None:
    vk.faults.add(method="messages.send", answer=ApiError(14))
    error = (await client.call("messages.send", **message(chat)))["error"]
    assert error["captcha_sid"]
    assert error["captcha_img"].startswith("https://")


async def test_a_lost_answer_is_made_good_by_the_same_random_id(vk: Vk, client: VkClient, chat: Chat) -> None:
    vk.faults.add(method="messages.send", answer=ApiError(10), before=False)
    assert (await client.error("messages.send", **message(chat)))[0] == 10
    assert await client.result("messages.send", **message(chat)) == chat.messages[0]["id"]
    assert len(chat.messages) == 1


async def test_a_page_may_come_in_place_of_json(vk: Vk, client: VkClient) -> None:
    vk.faults.add(method="groups.getById", answer=Html502())
    response = await client.http.post(f"{vk.api_url}/groups.getById")
    assert (response.status_code, response.headers["content-type"]) == (502, "text/html")


async def test_the_shape_of_another_version_can_be_scripted(vk: Vk, client: VkClient) -> None:
    vk.faults.add(method="groups.getById", answer=Response([{"id": 7, "name": "Old"}]))
    assert await client.result("groups.getById") == [{"id": 7, "name": "Old"}]


async def test_a_fault_can_be_for_one_chat_only(vk: Vk, client: VkClient, chat: Chat) -> None:
    other = vk.private_chat(vk.user("Bob"))
    vk.faults.add(answer=ApiError(9), times=None, match=lambda call: call.params.get("peer_id") == str(other.id))
    assert (await client.error("messages.send", **message(other)))[0] == 9
    assert await client.result("messages.send", **message(chat)) > 0
    vk.faults.clear()
    assert await client.result("messages.send", **message(other)) > 0


async def test_a_delay_holds_an_answer_back(vk: Vk, client: VkClient) -> None:
    vk.faults.add(method="groups.getById", answer=Delay(0.2))
    start = trio.current_time()
    await client.result("groups.getById")
    assert trio.current_time() - start >= 0.2


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        (LongPollFailed(1, ts=5), {"failed": 1, "ts": 5}),
        (LongPollFailed(2), {"failed": 2}),
        (LongPollFailed(3), {"failed": 3}),
        (LongPollFailed(4), {"failed": 4}),
    ],
)
async def test_every_failure_of_the_long_poll_can_be_scripted(
    vk: Vk, client: VkClient, answer: LongPollFailed, body: dict[str, int]
) -> None:
    vk.faults.add(method=LONG_POLL, answer=answer)
    assert await client.check(wait=0) == body
    assert "updates" in await client.check(wait=0)


async def test_the_long_poll_may_answer_with_a_status_or_break_off(vk: Vk, client: VkClient) -> None:
    vk.faults.add(method=LONG_POLL, answer=Status(504))
    response = await client.http.get(client.server, params={"act": "a_check"})
    assert response.status_code == 504
    vk.faults.add(method=LONG_POLL, answer=CutBody(after=5))
    with pytest.raises(httpx.RemoteProtocolError):
        await client.check(wait=0)


async def test_an_error_page_can_stand_for_a_document_on_either_host(vk: Vk, client: VkClient, chat: Chat) -> None:
    url = await doc_url(client, chat)
    for route in (DOC_ROUTE, FILE_ROUTE):
        vk.faults.add(method=route, answer=ErrorPage())
        response = await client.http.get(url, follow_redirects=True)
        assert (response.status_code, response.headers["content-type"]) == (200, "text/html; charset=windows-1251")
        assert "Пользователь, который разместил документ, заблокирован." in response.content.decode("windows-1251")
    assert (await client.http.get(url, follow_redirects=True)).content == b"0123456789"


async def test_a_redirect_can_lead_anywhere(vk: Vk, client: VkClient, chat: Chat) -> None:
    vk.faults.add(method=DOC_ROUTE, answer=Status(302, headers={"location": "http://169.254.169.254/latest"}))
    response = await client.http.get(await doc_url(client, chat))
    assert response.headers["location"] == "http://169.254.169.254/latest"


async def test_a_document_breaks_off_although_more_was_promised(vk: Vk, client: VkClient, chat: Chat) -> None:
    url = await doc_url(client, chat)
    vk.faults.add(method=FILE_ROUTE, answer=CutBody(after=4))
    with pytest.raises(httpx.RemoteProtocolError):
        await client.http.get(url, follow_redirects=True)


@pytest.mark.parametrize(("extra", "body"), [(2, b"0123456789\0\0"), (-3, b"0123456")])
async def test_a_complete_document_can_be_of_another_size_than_announced(
    vk: Vk, client: VkClient, chat: Chat, extra: int, body: bytes
) -> None:
    url = await doc_url(client, chat)
    vk.faults.add(method=FILE_ROUTE, answer=WrongSize(extra))
    assert (await client.http.get(url, follow_redirects=True)).content == body


async def test_a_slow_document_keeps_its_rate(vk: Vk, client: VkClient, chat: Chat) -> None:
    url = await doc_url(client, chat, b"x" * 200)
    vk.faults.add(method=FILE_ROUTE, answer=SlowBody(bytes_per_second=1000))
    start = trio.current_time()
    assert (await client.http.get(url, follow_redirects=True)).content == b"x" * 200
    assert trio.current_time() - start > 0.1


async def test_a_request_that_is_never_complete_is_not_held_against_the_bot(vk: Vk, client: VkClient) -> None:
    address = httpx.URL(vk.api_url)
    async with await trio.open_tcp_stream(address.host, address.port or 80) as stream:
        await stream.send_all(b"POST /method/groups.getById HTTP/1.1\r\nHost: vk\r\nContent-Length: 100\r\n\r\nv=5.1")
        await stream.send_eof()
        answer = b"".join([part async for part in stream])
    assert answer.startswith(b"HTTP/1.1 400")
    assert await client.result("groups.getById")
    assert vk.complaints == []
