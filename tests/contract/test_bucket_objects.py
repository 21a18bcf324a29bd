"""Single objects: conditional puts, looking, listing, deleting, links."""

from __future__ import annotations

import zlib
from contextlib import closing
from typing import TYPE_CHECKING

import httpx
import pytest
import trio

from trio_s3_bot.bucket import Body, Bucket, ObjectFacts
from trio_s3_bot.errors import KeyTaken, ObjectRefused, StoreUnavailable
from trio_s3_bot.model import Secret

from .conftest import ACCESS_KEY, SECRET_KEY, Reach, Store

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

FACTS = ObjectFacts("text/plain", "attachment; filename=\"a.txt\"; filename*=UTF-8''%D0%B0.txt", {"job": "1f2e"})


async def test_what_was_put_is_found_with_its_size_type_name_and_metadata(bucket: Bucket) -> None:
    etag = await bucket.put("отчёт 1.txt", Body(b"hello"), FACTS)
    found = await bucket.head("отчёт 1.txt")
    assert found is not None
    assert (found.size, found.etag, found.metadata) == (5, etag, {"job": "1f2e"})
    assert (found.content_type, found.content_disposition) == (FACTS.content_type, FACTS.content_disposition)


@pytest.mark.parametrize("size", [0, 1, 256 * 1024, 5_000_001])
async def test_the_bytes_of_any_size_arrive_as_they_were(bucket: Bucket, s3: S3Client, size: int) -> None:
    data = bytes(range(251)) * (size // 251) + bytes(size % 251)
    await bucket.put("bytes", Body(bytearray(data)), FACTS, crc32=zlib.crc32(data))
    assert s3.get_object(Bucket=bucket.name, Key="bytes")["Body"].read() == data


async def test_a_second_put_of_a_name_is_refused_and_changes_nothing(bucket: Bucket) -> None:
    first = await bucket.put("name", Body(b"first"), FACTS)
    with pytest.raises(KeyTaken):
        await bucket.put("name", Body(b"second"), FACTS)
    found = await bucket.head("name")
    assert found is not None
    assert found.etag == first


async def test_a_put_overwrites_when_it_is_told_to(bucket: Bucket) -> None:
    await bucket.put("name", Body(b"first"), FACTS)
    second = await bucket.put("name", Body(b"second"), FACTS, only_if_absent=False)
    found = await bucket.head("name")
    assert found is not None
    assert (found.size, found.etag) == (6, second)


async def test_of_many_puts_of_one_name_exactly_one_wins(reach: Reach, name: str, store: Store) -> None:
    bucket = reach(name, store.endpoint, threads=8)
    winners: list[str] = []

    async def race(text: str) -> None:
        try:
            await bucket.put("name", Body(text.encode()), FACTS)
        except (KeyTaken, StoreUnavailable):  # 409 while another one is being written
            return
        winners.append(text)

    async with trio.open_nursery() as nursery:
        for number in range(8):
            nursery.start_soon(race, f"writer {number}")
    found = await bucket.head("name")
    assert found is not None
    assert len(winners) == 1


async def test_a_store_that_compares_checksums_refuses_damaged_bytes(bucket: Bucket, store: Store) -> None:
    bucket.carries_checksums = True
    wrong = zlib.crc32(b"other bytes")
    if not store.checks_crc32:
        assert await bucket.put("name", Body(b"bytes"), FACTS, crc32=wrong)
        return
    with pytest.raises(StoreUnavailable, match="BadDigest"):
        await bucket.put("name", Body(b"bytes"), FACTS, crc32=wrong)
    assert await bucket.head("name") is None


async def test_the_checksum_is_computed_when_the_caller_has_none(bucket: Bucket, s3: S3Client, store: Store) -> None:
    bucket.carries_checksums = True
    await bucket.put("name", Body(b"hello"), FACTS)
    told = s3.head_object(Bucket=bucket.name, Key="name", ChecksumMode="ENABLED").get("ChecksumCRC32")
    assert told == ("NhCmhg==" if store.checks_crc32 else None)


async def test_what_is_absent_is_none(bucket: Bucket) -> None:
    assert await bucket.head("absent") is None


async def test_names_are_listed_by_prefix(bucket: Bucket) -> None:
    for key in ("report.pdf", "report (2).pdf", "repor+t &<.pdf", "отчёт.pdf", "other"):
        await bucket.put(key, Body(b""), FACTS)
    assert sorted(await bucket.keys("repor")) == ["repor+t &<.pdf", "report (2).pdf", "report.pdf"]
    assert await bucket.keys("отчёт") == ["отчёт.pdf"]
    assert await bucket.keys("nothing") == []


async def test_a_list_of_names_stops_at_its_limit(bucket: Bucket) -> None:
    for number in range(4):
        await bucket.put(f"name {number}", Body(b""), FACTS)
    assert await bucket.keys("name", limit=3) == ["name 0", "name 1", "name 2"]


async def test_a_deleted_object_is_gone(bucket: Bucket) -> None:
    await bucket.put("name", Body(b"bytes"), FACTS)
    assert await bucket.delete("name")
    assert await bucket.head("name") is None


async def test_an_object_is_deleted_if_it_is_the_one_that_was_meant(bucket: Bucket) -> None:
    etag = await bucket.put("name", Body(b"bytes"), FACTS)
    assert await bucket.delete("name", etag=etag)
    assert await bucket.head("name") is None


async def test_another_object_of_that_name_is_not_deleted(bucket: Bucket) -> None:
    meant = await bucket.put("name", Body(b"meant"), FACTS)
    other = await bucket.put("name", Body(b"other"), FACTS, only_if_absent=False)
    assert not await bucket.delete("name", etag=meant)
    found = await bucket.head("name")
    assert found is not None
    assert found.etag == other


async def test_deleting_a_meant_object_that_is_gone_says_so(bucket: Bucket) -> None:
    assert not await bucket.delete("absent", etag='"5d41402abc4b2a76b9719d911017c592"')


async def test_a_link_downloads_the_object_under_its_name(bucket: Bucket) -> None:
    await bucket.put("key", Body(b"hello"), FACTS)
    link = await bucket.presign("key", lifetime=60, file_name="отчёт.txt")
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.get(link.reveal())
    assert (answer.status_code, answer.content) == (200, b"hello")
    assert "filename*=UTF-8''%D0%BE%D1%82%D1%87%D1%91%D1%82.txt" in answer.headers["content-disposition"]


async def test_a_link_is_signed_for_the_public_endpoint(reach: Reach, name: str, store: Store) -> None:
    bucket = reach(name, store.endpoint, public_endpoint_url="https://files.example.org")
    link = await bucket.presign("key", lifetime=60, file_name="a.txt")
    assert link.reveal().startswith(f"https://files.example.org/{name}/key?")


async def test_without_an_endpoint_the_bucket_is_on_aws_whatever_the_environment_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    key_id, secret = Secret(ACCESS_KEY), Secret(SECRET_KEY)
    with closing(Bucket("media", region="eu-west-3", access_key_id=key_id, secret_access_key=secret)) as bucket:
        link = await bucket.presign("key", lifetime=60, file_name="a.txt")
    assert link.reveal().startswith("https://media.s3.eu-west-3.amazonaws.com/key?")


@pytest.mark.parametrize(
    ("endpoint", "address"),
    [
        ("https://minio.example.org", "https://minio.example.org/media/key?"),
        ("https://oss-cn-beijing.aliyuncs.com", "https://media.oss-cn-beijing.aliyuncs.com/key?"),
    ],
)
async def test_the_bucket_is_in_the_path_unless_the_service_refuses_that(
    reach: Reach, endpoint: str, address: str
) -> None:
    link = await reach("media", endpoint).presign("key", lifetime=60, file_name="a.txt")
    assert link.reveal().startswith(address)


@pytest.mark.parametrize("lifetime", [0, 604_801])
async def test_a_link_that_no_store_would_honour_is_not_made(bucket: Bucket, lifetime: int) -> None:
    with pytest.raises(ValueError, match="604800"):
        await bucket.presign("key", lifetime=lifetime, file_name="a.txt")


@pytest.mark.parametrize(
    ("key", "facts"),
    [
        pytest.param("", FACTS, id="empty key"),
        pytest.param("\ud800.txt", FACTS, id="lone surrogate"),
        pytest.param("key", ObjectFacts(metadata={"job": "имя"}), id="metadata beyond ASCII"),
        pytest.param("key", ObjectFacts(content_type="text/plain\r\nx: y"), id="line break in a header"),
    ],
)
async def test_what_cannot_be_sent_is_refused_as_an_object(bucket: Bucket, key: str, facts: ObjectFacts) -> None:
    with pytest.raises(ObjectRefused):
        await bucket.put(key, Body(b"bytes"), facts)
    assert await bucket.keys("") == []


@pytest.mark.parametrize(
    ("key", "facts", "code"),
    [
        pytest.param("x" * 1025, FACTS, "KeyTooLongError", id="key"),
        pytest.param("key", ObjectFacts(metadata={"job": "x" * 3000}), "MetadataTooLarge", id="metadata"),
    ],
)
async def test_what_the_store_finds_too_long_is_refused_as_an_object(
    bucket: Bucket, store: Store, key: str, facts: ObjectFacts, code: str
) -> None:
    if not store.limits_names:
        assert await bucket.put(key, Body(b"bytes"), facts)
        return
    with pytest.raises(ObjectRefused, match=code):
        await bucket.put(key, Body(b"bytes"), facts)
