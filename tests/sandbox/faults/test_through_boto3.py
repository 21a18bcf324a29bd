"""Loopback tests: boto3 as it comes (signatures, retries, `Expect: 100-continue`) against moto through the proxy."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from typing import TYPE_CHECKING, TypeVar

import boto3
import pytest
import trio
from botocore.config import Config
from botocore.exceptions import ConnectionClosedError, ResponseStreamingError
from moto.server import ThreadedMotoServer

from trio_s3_bot.sandbox.faults import S3_SLOW_DOWN, CutBody, CutRequest, FaultProxy, Reset, When, open_fault_proxy

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

T = TypeVar("T")
PART = bytes(range(256)) * (5 * 4096)
LAST = b"the end"


@pytest.fixture(scope="module")
def moto_url() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    yield "http://{}:{}".format(*server.get_host_and_port())
    server.stop()


@pytest.fixture
async def proxy(moto_url: str) -> AsyncIterator[FaultProxy]:
    with trio.fail_after(60):
        async with open_fault_proxy(moto_url) as proxy:
            yield proxy


class Bucket:
    """A bucket of its own for each test; every method runs in a thread."""

    def __init__(self, url: str) -> None:
        self.name = f"b-{uuid.uuid4().hex}"
        self._s3: S3Client = boto3.session.Session().client(
            "s3",
            endpoint_url=url,
            region_name="us-east-1",
            aws_access_key_id="fake",
            aws_secret_access_key="fake",  # noqa: S106 (made up)
            config=Config(s3={"addressing_style": "path"}, connect_timeout=5, read_timeout=10, proxies={}),
        )

    async def run(self, call: Callable[[S3Client, str], T]) -> T:
        return await trio.to_thread.run_sync(call, self._s3, self.name)

    async def get(self, key: str) -> bytes:
        return await self.run(lambda s3, name: s3.get_object(Bucket=name, Key=key)["Body"].read())

    async def upload(self, key: str, *parts: bytes) -> None:
        """One multipart upload."""

        def upload(s3: S3Client, name: str) -> None:
            uid = s3.create_multipart_upload(Bucket=name, Key=key)["UploadId"]
            done = []
            for number, part in enumerate(parts, 1):
                etag = s3.upload_part(Bucket=name, Key=key, UploadId=uid, PartNumber=number, Body=part)["ETag"]
                done.append({"PartNumber": number, "ETag": etag})
            s3.list_parts(Bucket=name, Key=key, UploadId=uid)
            s3.complete_multipart_upload(Bucket=name, Key=key, UploadId=uid, MultipartUpload={"Parts": done})  # type: ignore[typeddict-item]

        await self.run(upload)


@pytest.fixture
async def bucket(proxy: FaultProxy) -> Bucket:
    bucket = await trio.to_thread.run_sync(Bucket, proxy.url)
    await bucket.run(lambda s3, name: s3.create_bucket(Bucket=name))
    proxy.requests.clear()
    return bucket


def calls(proxy: FaultProxy) -> list[str | None]:
    return [record.call for record in proxy.requests]


async def test_every_call_passes_and_is_known_by_its_name(proxy: FaultProxy, bucket: Bucket) -> None:
    def ask_all(s3: S3Client, name: str) -> None:
        source = {"Bucket": name, "Key": "é/a b"}
        s3.put_object(Bucket=name, Key="é/a b", Body=b"x", IfNoneMatch="*")
        s3.copy_object(Bucket=name, Key="copy", CopySource=source)  # type: ignore[arg-type]
        uid = s3.create_multipart_upload(Bucket=name, Key="k")["UploadId"]
        s3.upload_part_copy(Bucket=name, Key="k", UploadId=uid, PartNumber=1, CopySource=source)  # type: ignore[arg-type]
        s3.list_multipart_uploads(Bucket=name)
        s3.abort_multipart_upload(Bucket=name, Key="k", UploadId=uid)
        s3.head_bucket(Bucket=name)
        assert s3.head_object(Bucket=name, Key="é/a b")["ContentLength"] == 1
        assert [found["Key"] for found in s3.list_objects_v2(Bucket=name)["Contents"]] == ["copy", "é/a b"]
        s3.delete_object(Bucket=name, Key="copy")

    await bucket.run(ask_all)
    assert calls(proxy) == [
        "PutObject",
        "CopyObject",
        "CreateMultipartUpload",
        "UploadPartCopy",
        "ListMultipartUploads",
        "AbortMultipartUpload",
        "HeadBucket",
        "HeadObject",
        "ListObjectsV2",
        "DeleteObject",
    ]


async def test_an_upload_survives_a_cut_part_a_slow_down_and_a_lost_completion(
    proxy: FaultProxy, bucket: Bucket
) -> None:
    cut = proxy.add(CutRequest(1_000_000), match=lambda request: request.query.get("partNumber") == "2")
    slow_down = proxy.add(S3_SLOW_DOWN, match="ListParts")
    lost = proxy.add(Reset(), when=When.AFTER, match="CompleteMultipartUpload")
    await bucket.upload("k", PART, PART, LAST)
    assert (cut.count, slow_down.count, lost.count) == (1, 1, 1)
    assert calls(proxy) == [
        "CreateMultipartUpload",
        *["UploadPart"] * 4,
        *["ListParts"] * 2,
        *["CompleteMultipartUpload"] * 2,
    ]
    assert [r.status for r in proxy.requests if r.call == "CompleteMultipartUpload"] == [200, 200]
    assert await bucket.get("k") == PART + PART + LAST


async def test_a_cut_download_is_noticed(proxy: FaultProxy, bucket: Bucket) -> None:
    await bucket.run(lambda s3, name: s3.put_object(Bucket=name, Key="k", Body=PART))
    proxy.add(CutBody(1_000_000), match="GetObject")
    with pytest.raises(ResponseStreamingError, match="1000000 bytes read"):
        await bucket.get("k")
    assert await bucket.get("k") == PART


async def test_a_put_whose_answer_is_lost_has_written_its_object(proxy: FaultProxy, bucket: Bucket) -> None:
    proxy.add(Reset(), when=When.AFTER, match="PutObject", times=3)
    with pytest.raises(ConnectionClosedError):
        await bucket.run(lambda s3, name: s3.put_object(Bucket=name, Key="k", Body=b"x"))
    assert [record.status for record in proxy.requests] == [200, 200, 200]
    assert await bucket.get("k") == b"x"
