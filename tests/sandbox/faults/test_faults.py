"""Loopback tests: what each fault does to the client and to the server, and that the next request passes."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import h11
import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from trio_s3_bot.sandbox.faults import (
    BAD_GATEWAY,
    BOT_API_FORBIDDEN,
    S3_ACCESS_DENIED,
    S3_SLOW_DOWN,
    SERVER_ERROR,
    CutBody,
    CutRequest,
    Fault,
    FaultProxy,
    Refused,
    Reset,
    SlowBody,
    SlowRequest,
    Status,
    Timeout,
    TooMany,
    When,
    WrongContentLength,
    vk_error,
)

from .plain_http import Client, Ended, Server, connect

BOTH = pytest.mark.parametrize("when", list(When))
WORK_DONE = {When.BEFORE: [], When.AFTER: [True]}


def work(server: Server) -> list[bool]:
    """For each request that the server has seen, whether it came whole."""
    return [seen.complete for seen in server.seen]


async def next_request_passes(proxy: FaultProxy) -> None:
    async with connect(proxy.url) as client:
        assert (await client.ask("PUT", "/next", b"abc")).body == b"3 bytes"


@BOTH
@pytest.mark.parametrize(("fault", "how"), [(Refused(), "closed"), (Reset(), "reset")])
@pytest.mark.parametrize("size", [0, 300_000])
async def test_the_connection_ends_without_an_answer(
    proxy: FaultProxy, client: Client, server: Server, fault: Fault, how: str, when: When, size: int
) -> None:
    strike = proxy.add(fault, when=when)
    with pytest.raises(Ended) as ended:
        await client.ask("PUT", "/x", bytes(size))
    assert (ended.value.how, ended.value.status, strike.count) == (how, None, 1)
    assert work(server) == WORK_DONE[when]
    assert [(record.status, record.fault) for record in proxy.requests] == [
        (None if when is When.BEFORE else 200, fault)
    ]
    await next_request_passes(proxy)


@BOTH
async def test_a_timeout_reads_everything_and_lasts_until_the_client_hangs_up(
    proxy: FaultProxy, server: Server, when: When
) -> None:
    strike = proxy.add(Timeout(), when=when)
    async with connect(proxy.url) as client:
        await client.send(client.head("PUT", "/x", 3_000_000))
        await client.send(h11.Data(data=bytes(3_000_000)))
        await client.send(h11.EndOfMessage())
        await strike.struck()
        assert not client.has_answer()
        assert work(server) == WORK_DONE[when]
    if when is When.AFTER:
        await server.ends.wait()
    await next_request_passes(proxy)


@BOTH
@pytest.mark.parametrize("fault", [SERVER_ERROR, TooMany(7), Status(200), S3_SLOW_DOWN], ids=lambda fault: fault.code)
async def test_another_answer_comes_and_the_connection_goes_on(
    proxy: FaultProxy, client: Client, server: Server, fault: Status, when: When
) -> None:
    strike = proxy.add(fault, when=when)
    reply = await client.ask("PUT", "/x", bytes(300_000))
    assert (reply.status, reply.body, strike.count) == (fault.code, fault.body, 1)
    assert work(server) == WORK_DONE[when]
    assert (await client.ask("PUT", "/next", b"abc")).body == b"3 bytes"
    assert server.connections == 1


async def test_another_answer_comes_when_the_request_is_complete(proxy: FaultProxy, client: Client) -> None:
    proxy.add(SERVER_ERROR)
    await client.send(client.head("PUT", "/x", 3))
    await client.send(h11.Data(data=b"ab"))
    await wait_all_tasks_blocked()
    assert not client.has_answer()
    await client.send(h11.Data(data=b"c"))
    assert (await client.reply()).status == 500


async def test_after_is_when_the_servers_answer_has_come_whole(
    proxy: FaultProxy, client: Client, server: Server
) -> None:
    strike = proxy.add(Reset(), when=When.AFTER)
    await client.send(client.head("GET", "/stall/1000"))
    await client.send(h11.EndOfMessage())
    await server.arrival()
    await wait_all_tasks_blocked()
    assert strike.count == 0
    server.go_on.set()
    assert await client.ending() == "reset"


async def test_another_answer_to_head_has_no_body(proxy: FaultProxy, client: Client) -> None:
    proxy.add(S3_ACCESS_DENIED)
    reply = await client.ask("HEAD", "/bucket")
    assert (reply.status, reply.body, reply.headers["content-type"]) == (403, b"", "application/xml")
    assert (await client.ask("GET", "/next")).status == 200


async def test_a_client_that_waits_for_100_continue_is_answered_without_its_body(
    proxy: FaultProxy, client: Client, server: Server
) -> None:
    proxy.add(S3_SLOW_DOWN)
    await client.send(client.head("PUT", "/x", 3, [("Expect", "100-continue")]))
    reply = await client.reply()
    assert (reply.status, reply.headers["connection"], work(server)) == (503, "close", [])
    assert await client.ending() == "closed"


async def test_too_many_is_what_the_bot_api_says(proxy: FaultProxy, client: Client) -> None:
    proxy.add(TooMany(7))
    reply = await client.ask("POST", "/bot1:x/sendMessage")
    answer = json.loads(reply.body)
    assert (reply.status, reply.headers["retry-after"]) == (429, "7")
    assert (answer["ok"], answer["error_code"], answer["parameters"]) == (False, 429, {"retry_after": 7})


def test_ready_answers_have_the_form_of_their_api() -> None:
    assert ElementTree.fromstring(S3_SLOW_DOWN.body).findtext("Code") == "SlowDown"  # noqa: S314
    assert ElementTree.fromstring(S3_ACCESS_DENIED.body).findtext("Code") == "AccessDenied"  # noqa: S314
    assert (BAD_GATEWAY.code, BAD_GATEWAY.content_type, BAD_GATEWAY.body[:6]) == (502, "text/html", b"<html>")
    assert json.loads(BOT_API_FORBIDDEN.body)["error_code"] == BOT_API_FORBIDDEN.code == 403
    assert "parameters" not in json.loads(BOT_API_FORBIDDEN.body)
    assert (vk_error(6, "Too many").code, json.loads(vk_error(6, "Too many").body)["error"]["error_code"]) == (200, 6)


@pytest.mark.parametrize("path", ["/bytes/1000", "/chunks/1000"])
async def test_a_slow_body_comes_whole_at_its_rate(proxy: FaultProxy, client: Client, path: str) -> None:
    strike = proxy.add(SlowBody(5000))
    start = trio.current_time()
    assert (await client.ask("GET", path)).size == 1000
    assert trio.current_time() - start >= 0.19
    assert strike.count == 1
    assert (await client.ask("GET", "/next")).status == 200


async def test_a_slow_request_reaches_the_server_whole_at_its_rate(
    proxy: FaultProxy, client: Client, server: Server
) -> None:
    strike = proxy.add(SlowRequest(5000))
    start = trio.current_time()
    assert (await client.ask("PUT", "/x", bytes(1000))).body == b"1000 bytes"
    assert trio.current_time() - start >= 0.19
    assert (strike.count, work(server)) == (1, [True])


@pytest.mark.parametrize("path", ["/bytes/300000", "/chunks/300000"])
@pytest.mark.parametrize("at", [0, 1, 200_000])
async def test_a_cut_body_ends_after_so_many_bytes(
    proxy: FaultProxy, client: Client, server: Server, path: str, at: int
) -> None:
    strike = proxy.add(CutBody(at))
    with pytest.raises(Ended) as ended:
        await client.ask("GET", path)
    assert (ended.value.how, ended.value.status, len(ended.value.body)) == ("closed", 200, at)
    assert (strike.count, work(server)) == (1, [True])
    await next_request_passes(proxy)


async def test_a_cut_body_can_end_with_a_reset(proxy: FaultProxy, client: Client) -> None:
    proxy.add(CutBody(1000, reset=True))
    with pytest.raises(Ended) as ended:
        await client.ask("GET", "/bytes/3000")
    assert ended.value.how == "reset"
    assert len(ended.value.body) <= 1000


@pytest.mark.parametrize(("path", "got"), [("/bytes/10", 9), ("/chunks/10", 10), ("/bytes/1", 0)])
async def test_a_body_shorter_than_the_cut_lacks_its_end(
    proxy: FaultProxy, client: Client, path: str, got: int
) -> None:
    proxy.add(CutBody(1000))
    with pytest.raises(Ended) as ended:
        await client.ask("GET", path)
    assert (ended.value.how, ended.value.status, len(ended.value.body)) == ("closed", 200, got)


@pytest.mark.parametrize(("method", "path"), [("HEAD", "/x"), ("GET", "/status/204"), ("GET", "/bytes/0")])
async def test_an_answer_without_a_body_is_cut_before_its_head(
    proxy: FaultProxy, client: Client, method: str, path: str
) -> None:
    proxy.add(CutBody(1000))
    with pytest.raises(Ended) as ended:
        await client.ask(method, path)
    assert (ended.value.how, ended.value.status) == ("closed", None)


@pytest.mark.parametrize("path", ["/bytes/5000", "/chunks/5000"])
async def test_a_content_length_can_promise_more_than_comes(proxy: FaultProxy, client: Client, path: str) -> None:
    strike = proxy.add(WrongContentLength(+10))
    with pytest.raises(Ended) as ended:
        await client.ask("GET", path)
    assert (ended.value.how, ended.value.status, len(ended.value.body)) == ("closed", 200, 5000)
    assert strike.count == 1


@pytest.mark.parametrize("path", ["/bytes/5000", "/chunks/5000"])
async def test_a_content_length_can_hide_the_end_of_the_body(proxy: FaultProxy, client: Client, path: str) -> None:
    proxy.add(WrongContentLength(-10))
    reply = await client.ask("GET", path)
    assert (reply.size, reply.headers["content-length"]) == (4990, "4990")
    assert await client.ending() == "closed"


async def test_a_wrong_content_length_of_head_is_all_that_is_wrong(proxy: FaultProxy, client: Client) -> None:
    proxy.add(WrongContentLength(-3))
    assert (await client.ask("HEAD", "/x")).headers["content-length"] == "4"
    assert (await client.ask("HEAD", "/x")).headers["content-length"] == "7"


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
@pytest.mark.parametrize("at", [0, 1000])
async def test_a_cut_request_reaches_the_server_in_part_and_both_are_reset(
    proxy: FaultProxy, client: Client, server: Server, at: int, chunked: bool
) -> None:
    strike = proxy.add(CutRequest(at))
    with pytest.raises(Ended) as ended:
        await client.ask("PUT", "/x", bytes(5000), [("Transfer-Encoding", "chunked")] if chunked else [])
    assert (ended.value.how, ended.value.status, strike.count) == ("reset", None, 1)
    await (await server.arrival()).lost.wait()
    assert (server.seen[0].size, server.seen[0].complete, server.seen[0].how) == (at, False, "reset")
    await next_request_passes(proxy)


async def test_a_cut_request_never_arrives_whole(proxy: FaultProxy, client: Client, server: Server) -> None:
    proxy.add(CutRequest(1000))
    with pytest.raises(Ended, match="reset"):
        await client.ask("PUT", "/x", bytes(1000))
    await (await server.arrival()).lost.wait()
    assert (server.seen[0].size, server.seen[0].complete) == (999, False)


async def test_a_cut_request_without_a_body_does_not_arrive(proxy: FaultProxy, client: Client, server: Server) -> None:
    proxy.add(CutRequest(1000))
    with pytest.raises(Ended, match="reset"):
        await client.ask("DELETE", "/bucket/key")
    await next_request_passes(proxy)
    assert [seen.method for seen in server.seen] == ["PUT"]


async def test_a_cut_request_cuts_what_100_continue_has_asked_for(
    proxy: FaultProxy, client: Client, server: Server
) -> None:
    proxy.add(CutRequest(1))
    await client.send(client.head("PUT", "/x", 3, [("Expect", "100-continue")]))
    assert await client.interim_status() == 100
    await client.send(h11.Data(data=b"abc"))
    assert await client.ending() == "reset"
    await server.seen[0].lost.wait()
    assert server.seen[0].size == 1


@pytest.mark.parametrize(
    ("fault", "when"),
    [
        (SlowBody(1), When.BEFORE),
        (CutBody(1), When.BEFORE),
        (WrongContentLength(1), When.BEFORE),
        (CutRequest(1), When.AFTER),
        (SlowRequest(1), When.AFTER),
    ],
)
async def test_a_fault_at_a_time_when_it_cannot_strike_is_an_error(proxy: FaultProxy, fault: Fault, when: When) -> None:
    with pytest.raises(ValueError, match="strikes"):
        proxy.add(fault, when=when)


def test_a_content_length_that_is_off_by_nothing_is_an_error() -> None:
    with pytest.raises(ValueError, match="off by 0"):
        WrongContentLength(0)
