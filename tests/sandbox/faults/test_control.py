"""Loopback tests: which requests are struck, holds, a server that goes down, the log."""

from __future__ import annotations

import os
import tracemalloc

import h11
import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from trio_s3_bot.sandbox.faults import (
    CutRequest,
    FaultProxy,
    Hold,
    Refused,
    Request,
    Reset,
    Status,
    When,
    open_fault_proxy,
)

from .plain_http import Client, Ended, Server, connect

BOTH = pytest.mark.parametrize("when", list(When))
MIB = 1024 * 1024
TOKEN = "1:AAEfake-token"  # noqa: S105 (made up)


async def statuses(client: Client, count: int, target: str = "/bucket/key") -> list[int]:
    return [(await client.ask("PUT", target, b"abc")).status for _ in range(count)]


async def test_a_strike_lets_some_pass_then_strikes_so_often(proxy: FaultProxy, client: Client) -> None:
    proxy.add(Status(503), skip=2, times=2)
    assert await statuses(client, 6) == [200, 200, 503, 503, 200, 200]


async def test_a_strike_without_end_lasts_until_it_is_disarmed(proxy: FaultProxy, client: Client) -> None:
    strike = proxy.add(Status(503), times=None)
    assert await statuses(client, 3) == [503, 503, 503]
    strike.disarm()
    assert await statuses(client, 2) == [200, 200]


async def test_what_was_armed_first_strikes_first_and_hides_the_request_from_the_rest(
    proxy: FaultProxy, client: Client
) -> None:
    proxy.add(Status(500))
    proxy.add(Status(503), skip=1)
    assert await statuses(client, 4) == [500, 200, 503, 200]


async def test_only_requests_that_match_are_struck(proxy: FaultProxy, client: Client) -> None:
    proxy.add(Status(503), match="UploadPart", times=None)
    proxy.add(Status(500), match=lambda request: request.headers["content-length"] == "3", skip=1, times=None)
    assert await statuses(client, 2, "/bucket/key?partNumber=1&uploadId=u") == [503, 503]
    assert await statuses(client, 2) == [200, 500]


async def test_a_predicate_sees_the_request(proxy: FaultProxy, client: Client) -> None:
    seen: list[Request] = []

    def look(request: Request) -> bool:
        seen.append(request)
        return False

    proxy.add(Status(503), match=look)
    await client.ask("PUT", "/bucket/a%20b?partNumber=2&uploadId=u", b"x", [("Authorization", "AWS4 x")])
    assert (seen[0].method, seen[0].path, seen[0].call) == ("PUT", "/bucket/a b", "UploadPart")
    assert (seen[0].query["partNumber"], seen[0].headers["authorization"]) == ("2", "AWS4 x")


async def test_waiting_for_a_strike_ends_when_it_has_struck(proxy: FaultProxy, client: Client) -> None:
    strike = proxy.add(Status(503), times=2)
    ended: list[int] = []

    async def wait(times: int) -> None:
        await strike.struck(times)
        ended.append(times)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(wait, 1)
        nursery.start_soon(wait, 2)
        await wait_all_tasks_blocked()
        assert ended == []
        await statuses(client, 1)
        await wait_all_tasks_blocked()
        assert ended == [1]
        await statuses(client, 1)
    await strike.struck(2)
    assert ended == [1, 2]


async def test_a_fault_that_had_no_chance_to_strike_stays_armed(proxy: FaultProxy, server: Server) -> None:
    strike = proxy.add(Refused(), when=When.AFTER)
    async with connect(proxy.url) as client:
        await client.send(client.head("GET", "/wait"))
        await client.send(h11.EndOfMessage())
        await server.arrival()
    await server.ends.wait()
    assert strike.count == 0
    async with connect(proxy.url) as client:
        with pytest.raises(Ended, match="closed"):
            await client.ask("GET", "/next")
    assert strike.count == 1


class Asking:
    """A request that runs in the background; `reply` is its answer or how it ended."""

    def __init__(self) -> None:
        self.reply: int | str | None = None

    async def __call__(self, url: str, target: str, body: bytes = b"abc") -> None:
        async with connect(url) as client:
            try:
                self.reply = (await client.ask("PUT", target, body)).status
            except Ended as ended:
                self.reply = ended.how


@BOTH
async def test_a_held_request_waits_for_its_release_before_or_after_the_work(
    proxy: FaultProxy, server: Server, when: When
) -> None:
    hold, asking = proxy.hold("PutObject", when=when), Asking()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(asking, proxy.url, "/bucket/key")
        await hold.reached.wait()
        await wait_all_tasks_blocked()
        assert (asking.reply, [seen.complete for seen in server.seen]) == (None, [True] if when is When.AFTER else [])
        hold.release()
    assert (asking.reply, len(server.seen)) == (200, 1)


@BOTH
async def test_others_overtake_a_held_request(proxy: FaultProxy, client: Client, server: Server, when: When) -> None:
    hold, asking = proxy.hold("PutObject", when=when, skip=1), Asking()
    assert await statuses(client, 1) == [200]
    async with trio.open_nursery() as nursery:
        nursery.start_soon(asking, proxy.url, "/bucket/held")
        await hold.reached.wait()
        assert await statuses(client, 2) == [200, 200]
        hold.release()
    arrived = [seen.target for seen in server.seen].index("/bucket/held")
    assert (asking.reply, arrived) == (200, 3 if when is When.BEFORE else 1)


@BOTH
async def test_a_held_request_can_be_released_into_a_fault(proxy: FaultProxy, server: Server, when: When) -> None:
    hold, asking = proxy.hold(when=when), Asking()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(asking, proxy.url, "/bucket/key")
        await hold.reached.wait()
        hold.release(Reset())
    assert (asking.reply, len(server.seen)) == ("reset", 0 if when is When.BEFORE else 1)
    assert [record.fault for record in proxy.requests] == [Reset()]


def test_a_hold_after_the_work_has_no_way_back_before_it() -> None:
    with pytest.raises(ValueError, match="strikes a request"):
        Hold(When.AFTER).release(CutRequest(1))


async def test_a_request_is_held_after_the_work_when_its_answer_has_come_whole(
    proxy: FaultProxy, client: Client, server: Server
) -> None:
    hold = proxy.hold(when=When.AFTER)
    await client.send(client.head("GET", "/stall/1000"))
    await client.send(h11.EndOfMessage())
    await server.arrival()
    await wait_all_tasks_blocked()
    assert not hold.reached.is_set()
    server.go_on.set()
    await hold.reached.wait()
    hold.release()
    assert (await client.reply()).size == 2000


async def test_of_a_long_answer_no_more_than_a_mib_is_held(proxy: FaultProxy, client: Client) -> None:
    hold = proxy.hold(when=When.AFTER)
    tracemalloc.start()
    try:
        await client.send(client.head("GET", f"/bytes/{32 * MIB}"))
        await client.send(h11.EndOfMessage())
        await hold.reached.wait()
        held = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert MIB <= held < 3 * MIB
    hold.release()
    assert (await client.reply(keep=False)).size == 32 * MIB


@pytest.mark.skipif(os.uname().sysname != "Linux", reason="only Linux tells of a peer that closed behind unread bytes")
async def test_a_request_held_before_the_work_whose_client_was_killed_never_arrives(
    proxy: FaultProxy, server: Server
) -> None:
    hold = proxy.hold("PutObject")
    async with connect(proxy.url) as client:
        await client.send(client.head("PUT", "/bucket/key", 3))
        await client.send(h11.Data(data=b"abc"))
        await hold.reached.wait()
    hold.release()
    async with connect(proxy.url) as client:
        await client.ask("GET", "/bucket/next")
    assert [seen.target for seen in server.seen] == ["/bucket/next"]


async def test_leaving_the_block_ends_what_is_held(server: Server) -> None:
    asking = Asking()
    async with trio.open_nursery() as nursery, open_fault_proxy(server.url) as proxy:
        hold = proxy.hold()
        nursery.start_soon(asking, proxy.url, "/bucket/key")
        await hold.reached.wait()
    assert asking.reply in ("closed", "reset")


async def refused(url: str) -> bool:
    try:
        async with connect(url):
            return False
    except OSError:
        return True


async def test_down_resets_what_is_open_and_refuses_what_comes_until_up(
    proxy: FaultProxy, client: Client, server: Server
) -> None:
    url, idle = proxy.url, client
    assert await statuses(idle, 1) == [200]
    hold, asking = proxy.hold(), Asking()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(asking, url, "/bucket/key")
        await hold.reached.wait()
        proxy.down()
        assert await refused(url)
    assert (asking.reply, await idle.ending()) == ("reset", "reset")
    hold.release()
    proxy.down()
    assert await refused(url)
    proxy.up()
    proxy.up()
    assert proxy.url == url
    async with connect(url) as client:
        assert await statuses(client, 1) == [200]
    assert len(server.seen) == 2


async def test_it_may_go_down_just_when_it_is_about_to_listen(server: Server) -> None:
    for _ in range(20):
        async with open_fault_proxy(server.url) as proxy:
            await trio.lowlevel.checkpoint()
            proxy.down()
            assert await refused(proxy.url)
            proxy.up()
            async with connect(proxy.url) as client:
                assert await statuses(client, 1) == [200]


async def test_down_ends_a_body_that_is_on_its_way(proxy: FaultProxy, client: Client, server: Server) -> None:
    await client.send(client.head("GET", f"/bytes/{1 << 30}"))
    await client.send(h11.EndOfMessage())
    await client.stream.receive_some()
    proxy.down()
    assert await client.ending() == "reset"
    await server.seen[0].lost.wait()


async def test_the_log_tells_what_was_asked_and_what_became_of_it(proxy: FaultProxy, client: Client) -> None:
    start = trio.current_time()
    proxy.add(Status(503), when=When.AFTER, skip=1)
    await client.ask("PUT", "/bucket/a?partNumber=2&uploadId=u", b"x", [("X-Custom", "1"), ("Authorization", "AWS4 x")])
    await client.ask("POST", f"/bot{TOKEN}/getUpdates", b"{}")
    await client.ask("GET", "/status/404")
    part, updates, missing = proxy.requests
    assert (part.method, part.path, part.query, part.call) == (
        "PUT",
        "/bucket/a",
        {"partNumber": "2", "uploadId": "u"},
        "UploadPart",
    )
    assert part.headers == {"host": client.host, "x-custom": "1", "content-length": "1"}
    assert (updates.path, updates.call) == ("/bot***/getUpdates", "getUpdates")
    assert [(record.status, record.fault) for record in proxy.requests] == [
        (200, None),
        (200, Status(503)),
        (404, None),
    ]
    assert start <= part.time <= updates.time <= missing.time <= trio.current_time()
    assert "AAEfake" not in repr(proxy.requests)
