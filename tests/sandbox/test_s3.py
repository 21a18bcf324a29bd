"""The sandbox's S3 server: real HTTP on one side, a direct look into the buckets on the other."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
import trio
from botocore.config import Config
from botocore.exceptions import ClientError

from trio_s3_bot.sandbox.s3 import S3, open_s3
from trio_s3_bot.sandbox.world import Content

PART = 5 * 2**20


def client_of(s3: S3) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=s3.endpoint_url,
        region_name=s3.region,
        aws_access_key_id=s3.access_key,
        aws_secret_access_key=s3.secret_key,
        config=Config(proxies={}, connect_timeout=5, read_timeout=10),
    )


async def test_what_a_client_puts_is_seen_without_http() -> None:
    async with open_s3(["files"]) as s3:
        await trio.to_thread.run_sync(
            lambda: client_of(s3).put_object(
                Bucket="files", Key="a/b.txt", Body=b"hello", ContentType="text/plain", Metadata={"job": "7"}
            )
        )
        seen = s3.objects("files")["a/b.txt"]
        assert (seen.size, seen.content_type, seen.metadata) == (5, "text/plain", {"job": "7"})
        assert seen.etag == '"5d41402abc4b2a76b9719d911017c592"'
        assert s3.read("files", "a/b.txt") == b"hello"
        assert s3.content("files", "a/b.txt").read(1, 3) == b"ell"


async def test_what_is_put_directly_is_served() -> None:
    async with open_s3() as s3:
        s3.put("files", "a.bin", Content.generated(100_000), {"job": "7"})
        answer = await trio.to_thread.run_sync(lambda: client_of(s3).get_object(Bucket="files", Key="a.bin"))
        assert await trio.to_thread.run_sync(answer["Body"].read) == Content.generated(100_000).read(0, 100_000)
        assert answer["Metadata"] == {"job": "7"}
        s3.delete("files", "a.bin")
        assert s3.objects("files") == {}


async def test_open_multipart_uploads_are_seen_with_their_parts() -> None:
    async with open_s3() as s3:

        def upload() -> None:
            client = client_of(s3)
            upload_id = client.create_multipart_upload(Bucket="files", Key="big")["UploadId"]
            client.upload_part(Bucket="files", Key="big", UploadId=upload_id, PartNumber=1, Body=b"x" * PART)

        await trio.to_thread.run_sync(upload)
        (upload_seen,) = s3.uploads("files")
        assert (upload_seen.key, upload_seen.parts) == ("big", {1: PART})


async def test_a_write_rings_the_bell() -> None:
    async with open_s3() as s3, trio.open_nursery() as nursery:
        client = await trio.to_thread.run_sync(client_of, s3)
        nursery.start_soon(
            trio.to_thread.run_sync, lambda: client.put_object(Bucket="files", Key="late", Body=b"hello")
        )
        with trio.fail_after(20):
            assert (await s3.wait(lambda: s3.objects("files").get("late"))).size == 5


async def test_two_servers_do_not_share_buckets_of_one_name() -> None:
    async with open_s3(["files"]) as one, open_s3(["files"]) as two:
        put = {"Bucket": "files", "Key": "a", "Body": b"1", "IfNoneMatch": "*"}
        await trio.to_thread.run_sync(lambda: client_of(one).put_object(**put))
        await trio.to_thread.run_sync(lambda: client_of(two).put_object(**put))
        one.put("files", "b", b"2")
        assert (len(one.objects("files")), len(two.objects("files"))) == (2, 1)


async def test_a_bucket_is_gone_when_its_server_is() -> None:
    async with open_s3(["files"]) as s3:
        s3.put("files", "a", b"1")
    async with open_s3(["other"]) as s3:
        with pytest.raises(ClientError, match="NoSuchBucket"):
            await trio.to_thread.run_sync(lambda: client_of(s3).get_object(Bucket="files", Key="a"))


async def test_requests_and_errors_print_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    async with open_s3() as s3:
        client = await trio.to_thread.run_sync(client_of, s3)
        with pytest.raises(ClientError, match="NoSuchKey"):
            await trio.to_thread.run_sync(lambda: client.get_object(Bucket="files", Key="none"))
        await trio.to_thread.run_sync(lambda: client.put_object(Bucket="files", Key="a", Body=b"1"))
    assert capfd.readouterr() == ("", "")


async def test_an_error_of_the_block_comes_out_after_the_server_has_stopped() -> None:
    with trio.fail_after(20), pytest.raises(ZeroDivisionError):
        async with open_s3():
            raise ZeroDivisionError
