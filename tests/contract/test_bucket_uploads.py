"""Multipart uploads, from their creation to an object or to nothing."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import pytest

from trio_s3_bot.bucket import Body, Bucket, ObjectFacts
from trio_s3_bot.bucket.objects import OpenUpload
from trio_s3_bot.errors import KeyTaken, ObjectRefused, StoreUnavailable, UploadGone
from trio_s3_bot.model import Part

from .conftest import Store

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

FACTS = ObjectFacts("video/mp4", "attachment", {"job": "1f2e"})
FIRST, LAST = bytes(range(256)) * (5 * 1024 * 4), b"the end"
checksums = pytest.mark.parametrize("carries", [False, True], ids=["without checksums", "with checksums"])


async def uploaded(bucket: Bucket, key: str, *bodies: bytes) -> tuple[str, list[Part]]:
    upload_id = await bucket.create_upload(key, FACTS)
    numbered = enumerate(bodies, 1)
    return upload_id, [
        await bucket.upload_part(key, upload_id, n, Body(body), crc32=zlib.crc32(body)) for n, body in numbered
    ]


@checksums
async def test_parts_become_one_object_with_its_facts(bucket: Bucket, s3: S3Client, carries: bool) -> None:
    bucket.carries_checksums = carries
    upload_id, parts = await uploaded(bucket, "film.mp4", FIRST, LAST)
    etag = await bucket.complete_upload("film.mp4", upload_id, parts)
    found = await bucket.head("film.mp4")
    assert found is not None
    assert (found.size, found.etag, found.metadata) == (len(FIRST + LAST), etag, {"job": "1f2e"})
    assert (found.content_type, found.content_disposition) == ("video/mp4", "attachment")
    assert s3.get_object(Bucket=bucket.name, Key="film.mp4")["Body"].read() == FIRST + LAST
    assert await bucket.list_uploads() == []


@checksums
async def test_the_store_lists_the_parts_that_complete_the_upload(bucket: Bucket, carries: bool) -> None:
    """After a crash the listed parts are all there is; they must do as well as the ones from before it."""
    bucket.carries_checksums = carries
    upload_id, parts = await uploaded(bucket, "film.mp4", FIRST, LAST)
    listed = await bucket.list_parts("film.mp4", upload_id)
    assert [(part.number, part.size, part.etag) for part in listed] == [
        (part.number, part.size, part.etag) for part in parts
    ]
    assert await bucket.complete_upload("film.mp4", upload_id, listed)


async def test_parts_may_come_in_any_order_and_twice(bucket: Bucket, s3: S3Client) -> None:
    upload_id = await bucket.create_upload("name", FACTS)
    last = await bucket.upload_part("name", upload_id, 2, Body(LAST))
    await bucket.upload_part("name", upload_id, 1, Body(b"broken off"))
    first = await bucket.upload_part("name", upload_id, 1, Body(FIRST))
    await bucket.complete_upload("name", upload_id, [last, first])
    assert s3.get_object(Bucket=bucket.name, Key="name")["Body"].read() == FIRST + LAST


async def test_a_completion_over_an_object_is_refused_and_leaves_the_upload(bucket: Bucket) -> None:
    upload_id, parts = await uploaded(bucket, "name", LAST)
    before = await bucket.put("name", Body(b"somebody else's"), FACTS)
    with pytest.raises(KeyTaken):
        await bucket.complete_upload("name", upload_id, parts)
    found = await bucket.head("name")
    assert found is not None
    assert found.etag == before
    assert [(one.key, one.upload_id) for one in await bucket.list_uploads("na")] == [("name", upload_id)]


async def test_a_completion_overwrites_when_it_is_told_to(bucket: Bucket) -> None:
    await bucket.put("name", Body(b"old"), FACTS)
    upload_id, parts = await uploaded(bucket, "name", LAST)
    etag = await bucket.complete_upload("name", upload_id, parts, only_if_absent=False)
    found = await bucket.head("name")
    assert found is not None
    assert found.etag == etag


async def test_completing_twice_makes_the_same_object(bucket: Bucket) -> None:
    """What follows a lost answer on these stores; others answer 412 or 404."""
    upload_id, parts = await uploaded(bucket, "name", LAST)
    etag = await bucket.complete_upload("name", upload_id, parts)
    assert await bucket.complete_upload("name", upload_id, parts) == etag
    found = await bucket.head("name")
    assert found is not None
    assert (found.etag, found.metadata) == (etag, FACTS.metadata)


async def test_an_aborted_upload_is_gone_and_can_be_aborted_again(bucket: Bucket) -> None:
    upload_id, _ = await uploaded(bucket, "name", LAST)
    await bucket.abort_upload("name", upload_id)
    await bucket.abort_upload("name", upload_id)
    assert await bucket.list_uploads() == []
    with pytest.raises(UploadGone):
        await bucket.list_parts("name", upload_id)


async def test_a_part_of_an_aborted_upload_is_refused(bucket: Bucket, store: Store) -> None:
    upload_id, _ = await uploaded(bucket, "name", LAST)
    await bucket.abort_upload("name", upload_id)
    with pytest.raises(UploadGone if store.tells_gone_upload else StoreUnavailable):
        await bucket.upload_part("name", upload_id, 2, Body(LAST))


async def test_a_part_that_the_store_does_not_have_makes_the_upload_gone(bucket: Bucket) -> None:
    upload_id, parts = await uploaded(bucket, "name", FIRST)
    missing = Part(2, 1, parts[0].etag)
    with pytest.raises(UploadGone, match="InvalidPart"):
        await bucket.complete_upload("name", upload_id, [*parts, missing])


async def test_a_part_too_small_for_the_store_refuses_the_object(bucket: Bucket) -> None:
    upload_id, parts = await uploaded(bucket, "name", b"small", LAST)
    with pytest.raises(ObjectRefused, match="EntityTooSmall"):
        await bucket.complete_upload("name", upload_id, parts)


async def test_a_part_damaged_on_the_way_is_refused_where_checksums_are_compared(bucket: Bucket, store: Store) -> None:
    bucket.carries_checksums = True
    upload_id = await bucket.create_upload("name", FACTS)
    wrong = zlib.crc32(b"other bytes")
    if not store.checks_crc32:
        await bucket.upload_part("name", upload_id, 1, Body(b"bytes"), crc32=wrong)
        assert len(await bucket.list_parts("name", upload_id)) == 1
        return
    with pytest.raises(StoreUnavailable, match="BadDigest"):
        await bucket.upload_part("name", upload_id, 1, Body(b"bytes"), crc32=wrong)
    assert await bucket.list_parts("name", upload_id) == []


async def test_open_uploads_are_listed_by_prefix(bucket: Bucket) -> None:
    mine = await bucket.create_upload("mine/1", FACTS)
    await bucket.create_upload("theirs", FACTS)
    assert await bucket.list_uploads("mine/") == [OpenUpload("mine/1", mine)]
