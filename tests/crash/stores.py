"""The S3 stores that outlive the bot: what they hold in the end is what counts."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import boto3
import trio
from botocore.config import Config

from tests.contract import versitygw
from trio_s3_bot.sandbox.s3 import S3, open_s3

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

BUCKET = "files"


class Store(Protocol):
    """A store with one empty bucket, `BUCKET`."""

    endpoint_url: str
    access_key: str
    secret_key: str
    region: str

    async def digests(self) -> dict[str, str]:
        """The SHA-256 of every object, in hexadecimal digits, by key."""

    async def uploads(self) -> list[str]:
        """The keys of the multipart uploads that were neither completed nor aborted."""

    async def put(self, key: str, content: bytes) -> None:
        """Write an object behind the bot's back."""


class Moto:
    """moto, in this process."""

    def __init__(self, s3: S3) -> None:
        self._s3 = s3
        self.endpoint_url, self.region = s3.endpoint_url, s3.region
        self.access_key, self.secret_key = s3.access_key, s3.secret_key

    async def digests(self) -> dict[str, str]:
        return await trio.to_thread.run_sync(self._digests)

    async def uploads(self) -> list[str]:
        return [upload.key for upload in self._s3.uploads(BUCKET)]

    async def put(self, key: str, content: bytes) -> None:
        self._s3.put(BUCKET, key, content)

    def _digests(self) -> dict[str, str]:
        return {key: self._s3.content(BUCKET, key).sha256() for key in self._s3.objects(BUCKET)}


class Versity:
    """versitygw, a process of its own; looked into through S3 itself."""

    region = "us-east-1"
    access_key = "sandbox"
    secret_key = "sandbox-secret"  # noqa: S105 - of a server that lives as long as a test

    def __init__(self, endpoint_url: str) -> None:
        self.endpoint_url = endpoint_url
        self._client: S3Client = boto3.client(
            "s3",
            endpoint_url=endpoint_url,
            region_name=self.region,
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            config=Config(s3={"addressing_style": "path"}, proxies={}),
        )
        self._client.create_bucket(Bucket=BUCKET)

    async def digests(self) -> dict[str, str]:
        return await trio.to_thread.run_sync(self._digests)

    async def uploads(self) -> list[str]:
        return await trio.to_thread.run_sync(self._uploads)

    async def put(self, key: str, content: bytes) -> None:
        await trio.to_thread.run_sync(lambda: self._client.put_object(Bucket=BUCKET, Key=key, Body=content))

    def close(self) -> None:
        self._client.close()

    def _digests(self) -> dict[str, str]:
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
        return {found["Key"]: self._digest(found["Key"]) for page in pages for found in page.get("Contents", [])}

    def _digest(self, key: str) -> str:
        body = self._client.get_object(Bucket=BUCKET, Key=key)["Body"]
        digest = hashlib.sha256()
        for chunk in body.iter_chunks(256 * 1024):
            digest.update(chunk)
        return digest.hexdigest()

    def _uploads(self) -> list[str]:
        pages = self._client.get_paginator("list_multipart_uploads").paginate(Bucket=BUCKET)
        return [found["Key"] for page in pages for found in page.get("Uploads", [])]


@asynccontextmanager
async def open_moto() -> AsyncIterator[Store]:
    async with open_s3([BUCKET]) as s3:
        yield Moto(s3)


@asynccontextmanager
async def open_versity(binary: Path, folder: Path) -> AsyncIterator[Store]:
    """Serve what `versitygw.built()` gave, with its data in `folder`."""
    keys = {"access_key": Versity.access_key, "secret_key": Versity.secret_key}
    with versitygw.serving(binary, folder, **keys) as endpoint_url:
        store = Versity(endpoint_url)
        try:
            yield store
        finally:
            store.close()
