"""Reading a document from the middle: servers that honour a range, that don't, and that do it in their own way."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from functools import partial

import pytest
import trio

from tests.contract.stub import Reply, Request, Stub, stub
from trio_s3_bot.errors import SourceExpired, SourceUnavailable
from trio_s3_bot.model import Secret, Source
from trio_s3_bot.source import Pools, Reader

DATA = bytes(range(256)) * 400
SIZE, MIDDLE = len(DATA), 1000

Answer = Callable[[int], Reply]


@pytest.fixture
async def pools() -> AsyncIterator[Pools]:
    pools = Pools(None, 2)
    yield pools
    pools.close()


def part(start: int, content_range: str | None) -> Reply:
    """A 206 with the bytes from `start` on, whatever it says that they are."""
    return Reply(206, DATA[start:], {"Content-Range": content_range} if content_range is not None else {})


def asked_from(request: Request) -> int | None:
    """Where the range that is asked for begins."""
    asked = request.headers.get("range")
    return None if asked is None else int(asked.removeprefix("bytes=").removesuffix("-"))


def with_ranges(answer: Answer) -> Callable[[Request], Reply]:
    """The whole document, and `answer` where a range is asked for."""

    def script(request: Request) -> Reply:
        start = asked_from(request)
        return Reply(body=DATA) if start is None else answer(start)

    return script


async def read(server: Stub, pools: Pools, position: int, size: int | None = SIZE) -> bytes:
    """What a reader gives from `position` to the end."""
    reader = Reader(Source(url=Secret(f"{server.endpoint}/file"), size=size), pools)
    buffer = bytearray(SIZE)
    try:
        await trio.to_thread.run_sync(reader.go_to, position)
        count = await trio.to_thread.run_sync(reader.read_into, memoryview(buffer))
    finally:
        reader.close()
    return bytes(buffer[:count])


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_read_that_is_interrupted_says_so_however_the_body_is_framed(pools: Pools, chunked: bool) -> None:
    framing = b"Transfer-Encoding: chunked\r\n\r\n3e8\r\n" if chunked else b"Content-Length: 2000\r\n\r\n"
    sent = trio.Event()

    async def serve(stream: trio.SocketStream) -> None:
        await stream.receive_some()
        await stream.send_all(b"HTTP/1.1 200 OK\r\n" + framing + bytes(1000) + b"\r\n" * chunked)
        sent.set()
        await trio.sleep_forever()

    async def interrupt(reader: Reader) -> None:
        await sent.wait()
        reader.interrupt()

    async with trio.open_nursery() as nursery:
        (listener,) = await nursery.start(partial(trio.serve_tcp, serve, 0, host="127.0.0.1"))
        url = f"http://127.0.0.1:{listener.socket.getsockname()[1]}/"
        reader = Reader(Source(url=Secret(url), size=None), pools)
        await trio.to_thread.run_sync(reader.go_to, 0)
        nursery.start_soon(interrupt, reader)
        with pytest.raises(SourceUnavailable, match="too slowly"):
            await trio.to_thread.run_sync(reader.read_into, memoryview(bytearray(2000)))
        reader.close()
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize("total", [str(SIZE), "*"])
@pytest.mark.parametrize("size", [SIZE, None])
async def test_where_a_range_is_honoured_only_that_is_read(pools: Pools, size: int | None, total: str) -> None:
    with stub(with_ranges(lambda start: part(start, f"bytes {start}-{SIZE - 1}/{total}"))) as server:
        assert await read(server, pools, MIDDLE, size) == DATA[MIDDLE:]
        assert [asked_from(request) for request in server.requests] == [MIDDLE]


OTHERWISE: dict[str, Answer] = {
    "from the start, and says so": lambda _: part(0, f"bytes 0-{SIZE - 1}/{SIZE}"),
    "without saying of what": lambda _: part(0, None),
    "in other words": lambda start: part(start, f"{start}-"),
    "of a larger document": lambda start: part(start, f"bytes {start}-{SIZE - 1}/{SIZE + 1}"),
    "that ends too early": lambda start: part(start, f"bytes {start}-{start + 9}/{SIZE}"),
    "nothing, for it is longer": lambda _: Reply(416, b"no", {"Content-Range": f"bytes */{SIZE}"}),
    "nothing, without saying why": lambda _: Reply(416, b"no"),
}


@pytest.mark.parametrize("answer", OTHERWISE.values(), ids=OTHERWISE)
async def test_where_another_range_comes_it_is_read_from_the_start(pools: Pools, answer: Answer) -> None:
    with stub(with_ranges(answer)) as server:
        assert await read(server, pools, MIDDLE) == DATA[MIDDLE:]
        assert [asked_from(request) for request in server.requests] == [MIDDLE, None]


async def test_where_the_end_was_not_known_a_server_that_knows_it_ends_the_reading(pools: Pools) -> None:
    with stub(with_ranges(lambda _: Reply(416, b"no such bytes", {"Content-Range": f"bytes */{SIZE}"}))) as server:
        assert await read(server, pools, SIZE, None) == b""
        assert [asked_from(request) for request in server.requests] == [SIZE]


async def test_a_document_that_has_become_shorter_is_no_end(pools: Pools) -> None:
    with (
        stub(with_ranges(lambda _: Reply(416, b"no", {"Content-Range": f"bytes */{SIZE}"}))) as server,
        pytest.raises(SourceUnavailable, match="shorter"),
    ):
        await read(server, pools, SIZE + 1, None)


async def test_a_part_that_nobody_asked_for_is_not_taken_for_the_whole(pools: Pools) -> None:
    with (
        stub(lambda _: part(MIDDLE, f"bytes {MIDDLE}-{SIZE - 1}/{SIZE}")) as server,
        pytest.raises(SourceUnavailable, match="another range"),
    ):
        await read(server, pools, 0)


async def test_an_address_that_expires_between_the_two_requests_is_known_as_expired(pools: Pools) -> None:
    with (
        stub(lambda request: part(0, None) if asked_from(request) is not None else Reply(404)) as server,
        pytest.raises(SourceExpired),
    ):
        await read(server, pools, MIDDLE)
