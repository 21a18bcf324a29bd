"""The check at start, on stores that work: what it finds out, and that nothing of it stays behind."""

from __future__ import annotations

import secrets
import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
import trio

from trio_s3_bot.bucket import Body, Bucket, ObjectFacts
from trio_s3_bot.errors import CheckFailed, KeyTaken, StoreUnavailable

from .conftest import Reach, Store
from .stub import HANG_UP, Reply, Request, Script, error, forward, stub

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

CONDITIONS = frozenset({"if-match", "if-none-match"})
FACTS = ObjectFacts()


def is_empty(s3: S3Client, name: str) -> bool:
    listed = s3.list_objects_v2(Bucket=name), s3.list_multipart_uploads(Bucket=name)
    return not listed[0].get("Contents") and not listed[1].get("Uploads")


@pytest.fixture
def behind(moto: Store) -> Callable[[Script], Script]:
    """Makes a script that answers for moto what the given one leaves to it (by returning an empty reply)."""

    def behind(script: Script) -> Script:
        def answer(asked: Request) -> Reply | None:
            reply = script(asked)
            return forward(moto.endpoint, asked) if reply == Reply() else reply

        return answer

    return behind


@pytest.fixture
def empty(moto: Store) -> str:
    """An empty bucket in moto."""
    fresh = f"test-{secrets.token_hex(6)}"
    moto.client().create_bucket(Bucket=fresh)
    return fresh


def without_conditions(moto: Store) -> Script:
    return lambda asked: forward(moto.endpoint, asked, drop=CONDITIONS)


async def test_it_finds_what_the_store_honours_and_leaves_nothing(bucket: Bucket, s3: S3Client, store: Store) -> None:
    probe = await bucket.check()
    assert (probe.conditions_on_put, probe.conditions_on_complete) == (True, True)
    assert probe.checksums == bucket.carries_checksums == store.checks_crc32
    assert probe.left_behind == ()
    assert is_empty(s3, bucket.name)


async def test_it_says_what_it_found_in_words(bucket: Bucket, store: Store) -> None:
    address = store.endpoint.removeprefix("http://")
    assert (await bucket.check()).lines() == [
        ("bucket", f"{bucket.name} at {address} can be listed and written"),
        ("existing files are kept", "by the store (If-None-Match)"),
        ("bytes are compared", "by CRC32, by the store" if store.checks_crc32 else "by size only"),
    ]


async def test_it_finds_a_store_that_ignores_conditions(reach: Reach, moto: Store, empty: str) -> None:
    with stub(without_conditions(moto)) as server:
        bucket = reach(empty, server.endpoint)
        probe = await bucket.check()
    assert (probe.conditions_on_put, probe.conditions_on_complete) == (False, False)
    assert (bucket.honours_conditions_on_put, bucket.honours_conditions_on_complete) == (False, False)
    assert "by looking first for all files" in probe.lines()[1][1]
    assert is_empty(moto.client(), empty)


@pytest.mark.parametrize("known", [True, False], ids=["knows If-None-Match", "knows no condition"])
async def test_it_finds_out_about_a_store_that_refuses_if_match(
    reach: Reach, moto: Store, empty: str, behind: Callable[[Script], Script], known: bool
) -> None:
    refused = CONDITIONS - {"if-none-match"} if known else CONDITIONS

    def script(asked: Request) -> Reply:
        return error(501, "NotImplemented") if refused & asked.headers.keys() else Reply()

    with stub(behind(script)) as server:
        probe = await reach(empty, server.endpoint).check()
    assert (probe.conditions_on_put, probe.conditions_on_complete) == (known, known)
    assert is_empty(moto.client(), empty)


async def test_without_conditions_a_taken_name_is_found_by_looking(reach: Reach, moto: Store, empty: str) -> None:
    with stub(without_conditions(moto)) as server:
        bucket = reach(empty, server.endpoint)
        await bucket.check()
        first = await bucket.put("name", Body(b"first"), FACTS)
        with pytest.raises(KeyTaken):
            await bucket.put("name", Body(b"second"), FACTS)
        upload_id = await bucket.create_upload("name", FACTS)
        part = await bucket.upload_part("name", upload_id, 1, Body(b"third"))
        with pytest.raises(KeyTaken):
            await bucket.complete_upload("name", upload_id, [part])
        found = await bucket.head("name")
    assert found is not None
    assert found.etag == first


async def test_without_conditions_exactly_one_of_many_puts_wins(reach: Reach, moto: Store, empty: str) -> None:
    winners: list[int] = []

    async def race(bucket: Bucket, number: int) -> None:
        try:
            await bucket.put("name", Body(b"%d" % number), FACTS)
        except KeyTaken:
            return
        winners.append(number)

    with stub(without_conditions(moto)) as server:
        bucket = reach(empty, server.endpoint, threads=4)
        await bucket.check()
        async with trio.open_nursery() as nursery:
            for number in range(4):
                nursery.start_soon(race, bucket, number)
    assert len(winners) == 1


def refuses_checksums(asked: Request) -> Reply:
    known = [name for name in asked.headers if name.startswith(("x-amz-checksum", "x-amz-sdk-checksum"))]
    return error(400, "InvalidArgument", f"Unsupported header {known[0]}") if known else Reply()


async def test_a_store_that_refuses_checksums_gets_none(
    reach: Reach, empty: str, behind: Callable[[Script], Script]
) -> None:
    with stub(behind(refuses_checksums)) as server:
        bucket = reach(empty, server.endpoint)
        assert not (await bucket.check()).checksums
        await bucket.put("name", Body(b"bytes"), FACTS, crc32=zlib.crc32(b"bytes"))


async def test_checksums_that_were_asked_for_and_are_refused_fail_the_check(
    reach: Reach, moto: Store, empty: str, behind: Callable[[Script], Script]
) -> None:
    with stub(behind(refuses_checksums)) as server, pytest.raises(CheckFailed, match="refuses checksums") as caught:
        await reach(empty, server.endpoint, checksums="when_supported").check()
    assert caught.value.advice == "Set [s3] request_checksum_calculation = when_required."
    assert is_empty(moto.client(), empty)


async def test_checksums_are_not_sent_when_they_are_not_wanted(
    reach: Reach, empty: str, behind: Callable[[Script], Script]
) -> None:
    with stub(behind(refuses_checksums)) as server:
        bucket = reach(empty, server.endpoint, checksums="when_required")
        assert not (await bucket.check()).checksums
        await bucket.put("name", Body(b"bytes"), FACTS, crc32=zlib.crc32(b"bytes"))


async def test_checksums_are_sent_when_they_are_wanted(bucket: Bucket, reach: Reach, store: Store) -> None:
    bucket = reach(bucket.name, store.endpoint, checksums="when_supported")
    assert (await bucket.check()).checksums
    await bucket.put("name", Body(b"bytes"), FACTS)


@pytest.mark.parametrize("lost", range(1, 8))
@pytest.mark.parametrize("honours", [True, False], ids=["honours", "ignores"])
async def test_nothing_stays_behind_when_an_answer_is_lost(
    reach: Reach, moto: Store, empty: str, honours: bool, lost: int
) -> None:
    def script(asked: Request) -> Reply | None:
        reply = forward(moto.endpoint, asked, drop=frozenset() if honours else CONDITIONS)
        return HANG_UP if len(server.requests) == lost else reply

    with stub(script) as server:
        try:
            await reach(empty, server.endpoint).check()
        except StoreUnavailable:
            assert is_empty(moto.client(), empty)
        else:
            assert server.requests[lost - 1].method == "DELETE"


@pytest.mark.parametrize("asked_before", range(1, 7))
@pytest.mark.parametrize("honours", [True, False], ids=["honours", "ignores"])
async def test_nothing_stays_behind_when_it_is_cancelled(
    reach: Reach, moto: Store, empty: str, honours: bool, asked_before: int
) -> None:
    token = trio.lowlevel.current_trio_token()

    def script(asked: Request) -> Reply | None:
        reply = forward(moto.endpoint, asked, drop=frozenset() if honours else CONDITIONS)
        if len(server.requests) == asked_before:
            trio.from_thread.run_sync(scope.cancel, trio_token=token)
        return reply

    with stub(script) as server, trio.fail_after(60):
        with trio.CancelScope() as scope:
            await reach(empty, server.endpoint).check()
        assert scope.cancelled_caught
    assert is_empty(moto.client(), empty)


async def test_what_cannot_be_removed_is_named(reach: Reach, empty: str, behind: Callable[[Script], Script]) -> None:
    def script(asked: Request) -> Reply:
        return error(403, "AccessDenied") if asked.method == "DELETE" else Reply()

    with stub(behind(script)) as server:
        probe = await reach(empty, server.endpoint).check()
    assert probe.left_behind
    assert all("AccessDenied" in left for left in probe.left_behind)
    assert [left for title, left in probe.lines() if title == "could not be removed"] == list(probe.left_behind)
