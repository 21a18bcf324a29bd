"""The bodies of requests: their pieces, their progress, and how a cancel ends them."""

from __future__ import annotations

import io
import threading
from collections.abc import Awaitable, Callable
from functools import partial

import pytest
import trio

from trio_s3_bot.bucket import Body, Bucket, ObjectFacts
from trio_s3_bot.bucket.body import PIECE
from trio_s3_bot.errors import StoreUnavailable

from .conftest import Reach
from .stub import HANG_UP, Reply, Request, stub

FACTS = ObjectFacts()
STORED = Reply(headers={"ETag": '"e"'})


async def in_thread(read: Callable[[], memoryview]) -> bytes:
    return bytes(await trio.to_thread.run_sync(read))


async def test_a_read_gives_a_large_piece_whatever_it_asks_for() -> None:
    body = Body(bytes(PIECE + 7))
    assert len(await in_thread(partial(body.read, 1))) == PIECE
    assert len(await in_thread(partial(body.read, 1))) == 7
    assert await in_thread(partial(body.read, 1)) == b""


async def test_a_read_without_a_size_gives_the_rest() -> None:
    body = Body(bytes(3 * PIECE))
    body.seek(PIECE)
    assert len(await in_thread(body.read)) == 2 * PIECE


def test_a_body_can_be_measured_and_rewound() -> None:
    body = Body(bytearray(10))
    assert (body.seek(0, io.SEEK_END), body.tell(), len(body)) == (10, 10, 10)
    assert (body.seek(-4, io.SEEK_CUR), body.seek(0), body.tell()) == (6, 0, 0)


async def test_progress_is_what_the_socket_took_and_leaves_out_the_signature(reach: Reach) -> None:
    """Over plain http the body is read twice, the first time to sign it."""
    seen: list[int] = []
    with stub(lambda _: STORED) as server:
        await reach("bucket", server.endpoint).put("key", Body(bytes(5 * PIECE + 1), seen.append), FACTS)
    assert seen == sorted(seen)
    assert (seen[0], seen[-1]) == (0, 5 * PIECE + 1)


async def test_a_body_is_sent_whole_again_after_a_failure(reach: Reach) -> None:
    answers = iter([HANG_UP, STORED])
    seen: list[int] = []
    body = Body(bytes(range(250)) * 4000, seen.append)
    with stub(lambda _: next(answers)) as server:
        bucket = reach("bucket", server.endpoint)
        with pytest.raises(StoreUnavailable):
            await bucket.put("key", body, FACTS)
        await bucket.put("key", body, FACTS)
        assert [asked.body for asked in server.requests] == [bytes(range(250)) * 4000] * 2
    assert seen.count(0) == 2


async def test_a_cancel_ends_a_put_before_another_piece_is_read(bucket: Bucket) -> None:
    seen: list[int] = []
    with trio.fail_after(60):
        await cancelled_at(3 * PIECE, seen, lambda body: bucket.put("key", body, FACTS))
    assert seen[-1] == 3 * PIECE
    assert await bucket.head("key") is None


async def test_a_cancel_ends_a_part_and_the_upload_can_be_aborted(bucket: Bucket) -> None:
    upload_id = await bucket.create_upload("key", FACTS)
    seen: list[int] = []
    with trio.fail_after(60):
        await cancelled_at(3 * PIECE, seen, lambda body: bucket.upload_part("key", upload_id, 1, body))
    assert seen[-1] == 3 * PIECE
    await bucket.abort_upload("key", upload_id)
    assert await bucket.list_uploads() == []


async def cancelled_at(position: int, seen: list[int], send: Callable[[Body], Awaitable[object]]) -> None:
    """Send a body of 64 pieces and cancel when `position` bytes of it are gone."""
    with trio.CancelScope() as scope:

        def on_progress(sent: int) -> None:
            seen.append(sent)
            if sent == position:
                trio.from_thread.run_sync(scope.cancel)

        await send(Body(bytes(64 * PIECE), on_progress))
    assert scope.cancelled_caught


async def test_an_upload_id_is_not_lost_to_a_cancel(reach: Reach) -> None:
    """The answer comes back although the task was cancelled while the request ran."""
    asked, go_on = threading.Event(), threading.Event()
    created: list[str] = []

    def script(_: Request) -> Reply:
        asked.set()
        go_on.wait(30)
        return Reply(body=b"<R><UploadId>u1</UploadId></R>")

    with stub(script) as server, trio.fail_after(60):
        bucket = reach("bucket", server.endpoint)
        with trio.CancelScope() as scope:
            async with trio.open_nursery() as nursery:

                async def create() -> None:
                    created.append(await bucket.create_upload("key", FACTS))

                nursery.start_soon(create)
                await trio.to_thread.run_sync(asked.wait)
                scope.cancel()
                go_on.set()
    assert created == ["u1"]


async def test_a_question_does_not_wait_for_uploads(reach: Reach) -> None:
    stored, found = threading.Event(), Reply(404)

    def script(request: Request) -> Reply:
        if request.method == "HEAD":
            return found
        stored.wait(30)
        return STORED

    with stub(script) as server, trio.fail_after(15):
        bucket = reach("bucket", server.endpoint, threads=1, read_timeout=40)
        async with trio.open_nursery() as nursery:
            for key in ("a", "b", "c"):
                nursery.start_soon(bucket.put, key, Body(b"x"), FACTS)
            assert await bucket.head("key") is None
            stored.set()


async def test_a_question_that_nobody_waits_for_any_more_ends_at_once(reach: Reach) -> None:
    asked, go_on = threading.Event(), threading.Event()

    def script(_: Request) -> Reply:
        asked.set()
        go_on.wait(30)
        return Reply(404)

    with stub(script) as server, trio.fail_after(15):
        bucket = reach("bucket", server.endpoint, read_timeout=40)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(bucket.head, "key")
            await trio.to_thread.run_sync(asked.wait)
            nursery.cancel_scope.cancel()
        go_on.set()
