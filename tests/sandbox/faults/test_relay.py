"""Loopback tests: with nothing armed, the proxy can't be told from the server behind it."""

from __future__ import annotations

import tracemalloc

import h11
import pytest
import trio

from trio_s3_bot.sandbox.faults import FaultProxy, open_fault_proxy

from .plain_http import PIECE, Client, Ended, Server, connect

MIB = 1024 * 1024


async def test_a_request_and_its_answer_pass_unchanged(client: Client, server: Server) -> None:
    sent = [("X-Custom", "A, b"), ("Authorization", "AWS4-HMAC-SHA256 x")]
    reply = await client.ask("PUT", "/a%20b/%D0%B0?x=%2F&y", b"hello", sent)
    assert (reply.status, reply.body) == (200, b"5 bytes")
    assert (b"X-Mixed-Case", b"Kept") in reply.raw_headers
    seen = server.seen[0]
    assert (seen.method, seen.target, bytes(seen.body)) == ("PUT", "/a%20b/%D0%B0?x=%2F&y", b"hello")
    expected = [(b"Host", client.host.encode()), (b"X-Custom", b"A, b"), (b"Authorization", b"AWS4-HMAC-SHA256 x")]
    assert seen.headers == [*expected, (b"Content-Length", b"5")]


async def test_both_connections_are_used_again(client: Client, server: Server) -> None:
    for path in ("/one", "/bytes/1000", "/chunks/1000", "/status/204", "/status/304", "/four"):
        await client.ask("GET", path)
    assert (await client.ask("HEAD", "/head")).headers["content-length"] == "7"
    assert (await client.ask("PUT", "/last", b"x")).body == b"1 bytes"
    assert server.connections == 1


async def test_chunked_bodies_stay_chunked_with_their_trailers(client: Client, server: Server) -> None:
    reply = await client.ask("PUT", "/chunks/200000", b"abc", [("Transfer-Encoding", "chunked")])
    assert (len(reply.body), reply.trailers) == (200_000, {"x-sum": "42"})
    assert reply.headers == {"transfer-encoding": "chunked"}
    assert (b"Transfer-Encoding", b"chunked") in server.seen[0].headers
    assert (bytes(server.seen[0].body), server.seen[0].complete) == (b"abc", True)


async def test_an_answer_that_ends_with_its_connection_comes_whole(client: Client, server: Server) -> None:
    assert (await client.ask("GET", "/old/100000")).body == bytes(100_000)
    assert (await client.ask("GET", "/next")).status == 200
    assert server.connections == 2


async def test_64_mib_pass_both_ways_without_being_held(client: Client, server: Server) -> None:
    tracemalloc.start()
    try:
        await client.send(client.head("PUT", f"/bytes/{64 * MIB}", 64 * MIB))
        for _ in range(64 * MIB // len(PIECE)):
            await client.send(h11.Data(data=PIECE))
        await client.send(h11.EndOfMessage())
        reply = await client.reply(keep=False)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (server.seen[0].size, reply.size) == (64 * MIB, 64 * MIB)
    assert peak < 4 * MIB


async def test_the_body_waits_for_the_servers_100_continue(client: Client, server: Server) -> None:
    await client.send(client.head("PUT", "/x", 3, [("Expect", "100-continue")]))
    assert await client.interim_status() == 100
    assert not server.seen[0].complete
    await client.send(h11.Data(data=b"abc"))
    await client.send(h11.EndOfMessage())
    assert (await client.reply()).body == b"3 bytes"
    assert (await client.ask("GET", "/next")).status == 200


async def test_a_body_that_the_server_does_not_want_is_not_waited_for(client: Client) -> None:
    await client.send(client.head("PUT", "/early", 3, [("Expect", "100-continue")]))
    reply = await client.reply()
    assert (reply.status, reply.headers["connection"]) == (413, "close")
    assert await client.ending() == "closed"


async def test_an_early_answer_leaves_the_connection_usable(client: Client, server: Server) -> None:
    assert (await client.ask("PUT", "/early", bytes(MIB))).status == 413
    assert (await client.ask("GET", "/next")).status == 200
    assert (server.seen[0].size, server.connections) == (MIB, 1)


async def test_an_answer_of_a_server_that_reads_no_further_still_arrives(proxy: FaultProxy) -> None:
    for _ in range(10):  # the server's reset races with its answer
        async with connect(proxy.url) as client, trio.open_nursery() as nursery:
            await client.send(client.head("PUT", "/refuse", 4 * MIB))
            nursery.start_soon(client.send, h11.Data(data=bytes(4 * MIB)))
            reply = await client.reply()
            assert (reply.status, reply.headers["connection"]) == (413, "close")


async def test_a_client_may_finish_its_body_after_the_last_answer(client: Client) -> None:
    await client.send(client.head("PUT", "/refuse", MIB))
    assert (await client.reply()).status == 413
    await client.send(h11.Data(data=bytes(MIB)))
    assert await client.ending() == "closed"


async def test_a_client_that_leaves_amid_its_body_ends_only_its_own_request(proxy: FaultProxy, server: Server) -> None:
    async with connect(proxy.url) as client:
        await client.send(client.head("PUT", "/x", 1000))
        await client.send(h11.Data(data=b"abc"))
        seen = await server.arrival()
    await seen.lost.wait()
    assert not seen.complete
    async with connect(proxy.url) as client:
        assert (await client.ask("GET", "/next")).status == 200


async def test_a_client_that_leaves_amid_the_answer_ends_only_its_own_request(
    proxy: FaultProxy, server: Server
) -> None:
    async with connect(proxy.url) as client:
        await client.send(client.head("GET", f"/bytes/{64 * MIB}"))
        await client.send(h11.EndOfMessage())
        await client.stream.receive_some()
    async with connect(proxy.url) as client:
        assert (await client.ask("GET", "/next")).status == 200
    await server.seen[0].lost.wait()


async def test_the_server_learns_that_a_waiting_client_has_hung_up(proxy: FaultProxy, server: Server) -> None:
    async with connect(proxy.url) as client:
        await client.send(client.head("GET", "/wait"))
        await client.send(h11.EndOfMessage())
        seen = await server.arrival()
    await seen.lost.wait()


async def test_an_answer_that_breaks_off_breaks_off_for_the_client_too(client: Client) -> None:
    with pytest.raises(Ended) as ended:
        await client.ask("GET", "/half/500")
    assert (ended.value.how, ended.value.status, ended.value.body) == ("closed", 200, bytes(500))


async def test_an_idle_connection_that_the_server_has_closed_is_replaced(client: Client, server: Server) -> None:
    assert (await client.ask("GET", "/bye")).status == 200
    await server.ends.wait()
    assert (await client.ask("GET", "/next")).status == 200
    assert server.connections == 2


async def test_a_server_that_is_gone_resets_the_client() -> None:
    listener = (await trio.open_tcp_listeners(0, host="127.0.0.1"))[0]
    url = f"http://127.0.0.1:{listener.socket.getsockname()[1]}"
    await listener.aclose()
    async with open_fault_proxy(url) as proxy, connect(proxy.url) as client:
        with pytest.raises(Ended, match="reset"):
            await client.ask("GET", "/x")
        assert [(record.status, record.fault) for record in proxy.requests] == [(None, None)]


@pytest.mark.parametrize(
    ("request_", "answer"),
    [(b"NONSENSE\r\n\r\n", b"HTTP/1.1 400"), (b"GET / HTTP/1.0\r\n\r\n", b"HTTP/1.1 505")],
    ids=["no-http", "http-1.0"],
)
async def test_what_is_not_spoken_here_is_answered_so(client: Client, request_: bytes, answer: bytes) -> None:
    await client.stream.send_all(request_)
    assert (await client.stream.receive_some()).startswith(answer)


async def test_an_error_of_the_block_comes_out_as_itself(server: Server) -> None:
    with pytest.raises(KeyError, match="mine"):
        async with open_fault_proxy(server.url):
            raise KeyError("mine")


@pytest.mark.parametrize("url", ["https://127.0.0.1:1", "127.0.0.1:1", "http://127.0.0.1:1/path"])
async def test_an_upstream_that_is_no_plain_http_server_is_an_error(url: str) -> None:
    with pytest.raises(ValueError, match="upstream"):
        async with open_fault_proxy(url):
            pass
