"""Another name for an object: nothing is overwritten, and nothing is lost wherever it breaks off."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import trio

from trio_s3_bot.bucket import Body, Bucket, ObjectFacts
from trio_s3_bot.bucket.rename import rename
from trio_s3_bot.errors import KeyTaken, ObjectGone, StoreUnavailable

from .conftest import Reach, Store
from .stub import HANG_UP, Reply, Request, forward, stub

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

FACTS = ObjectFacts("application/pdf", "attachment", {"job": "1f2e"})
MIB = 1024 * 1024
BYTES = bytes(range(251)) * 50_000  # 12 MiB: three parts of 5 MiB


def content(s3: S3Client, bucket: Bucket) -> dict[str, bytes]:
    names = [found["Key"] for found in s3.list_objects_v2(Bucket=bucket.name).get("Contents", [])]
    return {name: s3.get_object(Bucket=bucket.name, Key=name)["Body"].read() for name in names}


@pytest.mark.parametrize("data", [b"", b"hello", BYTES], ids=["empty", "small", "large"])
@pytest.mark.parametrize("checksums", ["when_required", "when_supported"])
async def test_the_object_moves_with_its_facts(
    reach: Reach, name: str, store: Store, s3: S3Client, data: bytes, checksums: str
) -> None:
    bucket = reach(name, store.endpoint, checksums=checksums)
    etag = await bucket.put("scan (1).pdf", Body(data), ObjectFacts(metadata={"job": "1f2e"}))
    new_etag = await bucket.rename("scan (1).pdf", "договор & co.pdf", FACTS, etag=etag)
    assert content(s3, bucket) == {"договор & co.pdf": data}
    found = await bucket.head("договор & co.pdf")
    assert found is not None
    assert (found.etag, found.metadata, found.content_type) == (new_etag, FACTS.metadata, "application/pdf")
    assert await bucket.list_uploads() == []


async def test_an_object_of_many_parts_moves_whole(bucket: Bucket, s3: S3Client) -> None:
    etag = await bucket.put("old", Body(BYTES), FACTS)
    await rename(bucket, "old", "new", FACTS, etag=etag, part_size=5 * MIB)
    assert content(s3, bucket) == {"new": BYTES}
    found = await bucket.head("new")
    assert found is not None
    assert found.etag.endswith('-3"')


async def test_a_taken_name_leaves_everything_as_it_was(bucket: Bucket, s3: S3Client) -> None:
    etag = await bucket.put("old", Body(b"mine"), FACTS)
    await bucket.put("new", Body(b"theirs"), ObjectFacts(metadata={"job": "another"}))
    with pytest.raises(KeyTaken):
        await bucket.rename("old", "new", FACTS, etag=etag)
    assert content(s3, bucket) == {"old": b"mine", "new": b"theirs"}
    assert await bucket.list_uploads() == []


async def test_a_name_taken_while_the_copy_is_made_is_kept(reach: Reach, name: str, store: Store, s3: S3Client) -> None:
    """The look before saw nothing; the condition of the completion decides."""
    bucket = reach(name, store.endpoint)
    etag = await bucket.put("old", Body(b"mine"), FACTS)

    def script(asked: Request) -> Reply:
        if asked.method == "POST" and "uploadId" in asked.query:
            s3.put_object(Bucket=name, Key="new", Body=b"theirs")
        return forward(store.endpoint, asked)

    with stub(script) as server, pytest.raises(KeyTaken):
        await reach(name, server.endpoint).rename("old", "new", FACTS, etag=etag)
    assert content(s3, bucket) == {"old": b"mine", "new": b"theirs"}
    assert await bucket.list_uploads() == []


async def test_an_object_that_was_replaced_is_not_moved(bucket: Bucket, s3: S3Client) -> None:
    meant = await bucket.put("old", Body(b"meant"), FACTS)
    await bucket.put("old", Body(b"other"), FACTS, only_if_absent=False)
    with pytest.raises(ObjectGone):
        await bucket.rename("old", "new", FACTS, etag=meant)
    assert content(s3, bucket) == {"old": b"other"}


async def test_a_copy_is_known_again_when_another_object_has_taken_the_old_name(bucket: Bucket, s3: S3Client) -> None:
    meant = await bucket.put("old", Body(b"meant"), FACTS)
    copied = await bucket.rename("old", "new", FACTS, etag=meant)
    await bucket.put("old", Body(b"another one"), ObjectFacts(metadata={"job": "another"}))
    assert await bucket.rename("old", "new", FACTS, etag=meant) == copied
    assert content(s3, bucket) == {"old": b"another one", "new": b"meant"}


async def test_an_object_that_is_gone_is_not_moved(bucket: Bucket, s3: S3Client) -> None:
    with pytest.raises(ObjectGone):
        await bucket.rename("old", "new", FACTS, etag='"5d41402abc4b2a76b9719d911017c592"')
    assert content(s3, bucket) == {}


async def test_a_rename_to_the_same_name_changes_nothing(bucket: Bucket, s3: S3Client) -> None:
    etag = await bucket.put("name", Body(b"bytes"), FACTS)
    assert await bucket.rename("name", "name", FACTS, etag=etag) == etag
    assert content(s3, bucket) == {"name": b"bytes"}


async def test_another_document_of_the_same_size_is_not_taken_for_a_copy(bucket: Bucket, s3: S3Client) -> None:
    etag = await bucket.put("old", Body(b"mine"), ObjectFacts())
    await bucket.put("new", Body(b"your"), ObjectFacts())
    with pytest.raises(KeyTaken):
        await bucket.rename("old", "new", ObjectFacts(), etag=etag)
    assert content(s3, bucket) == {"old": b"mine", "new": b"your"}


@pytest.mark.parametrize("last", range(9))
@pytest.mark.parametrize("answered", [True, False], ids=["cut off after an answer", "cut off before it"])
async def test_what_a_crash_broke_off_is_done_by_doing_it_again(
    reach: Reach, name: str, store: Store, s3: S3Client, last: int, answered: bool
) -> None:
    """After the first `last` requests the store is away; whatever came until then, the bytes are whole somewhere."""
    bucket = reach(name, store.endpoint)
    etag = await bucket.put("old", Body(b"bytes"), FACTS)

    def script(asked: Request) -> Reply | None:
        count = len(server.requests)
        if count > last + (not answered):
            return HANG_UP
        reply = forward(store.endpoint, asked)
        return reply if count <= last else HANG_UP

    with stub(script) as server:
        try:
            await reach(name, server.endpoint).rename("old", "new", FACTS, etag=etag)
        except StoreUnavailable:
            assert set(content(s3, bucket).values()) == {b"bytes"}
    await bucket.rename("old", "new", FACTS, etag=etag)
    assert content(s3, bucket) == {"new": b"bytes"}


@pytest.mark.parametrize("asked_before", range(1, 8))
async def test_a_cancel_leaves_no_upload_and_can_be_made_good(
    reach: Reach, name: str, store: Store, s3: S3Client, asked_before: int
) -> None:
    bucket = reach(name, store.endpoint)
    etag = await bucket.put("old", Body(b"bytes"), FACTS)
    token = trio.lowlevel.current_trio_token()

    def script(asked: Request) -> Reply | None:
        if len(server.requests) == asked_before:
            trio.from_thread.run_sync(scope.cancel, trio_token=token)
        return forward(store.endpoint, asked)

    with stub(script) as server, trio.fail_after(60):
        with trio.CancelScope() as scope:
            await reach(name, server.endpoint).rename("old", "new", FACTS, etag=etag)
        assert scope.cancel_called
    assert set(content(s3, bucket).values()) == {b"bytes"}
    assert await bucket.list_uploads() == []
    await bucket.rename("old", "new", FACTS, etag=etag)
    assert content(s3, bucket) == {"new": b"bytes"}
