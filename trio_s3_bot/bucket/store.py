"""
The bucket: conditional writes, multipart uploads, looking things up, links.

Writes are never repeated here, because only the caller can tell a name that somebody else took from its own write whose
answer was lost: it puts the id of its job into the metadata, and after a `KeyTaken` or an `UploadGone` compares that
with `head()`. Reads are repeated for a few seconds.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import stamina
import trio

from trio_s3_bot.bucket.body import Body
from trio_s3_bot.bucket.check import Checksums, Probe, check, probe_key
from trio_s3_bot.bucket.connection import Connection, Settings
from trio_s3_bot.bucket.objects import (
    ObjectFacts,
    OpenUpload,
    completed,
    encode_crc32,
    open_upload,
    part,
    stored_object,
    text_of,
)
from trio_s3_bot.bucket.rename import rename
from trio_s3_bot.bucket.translate import answer_of
from trio_s3_bot.errors import KeyTaken, ObjectGone, StoreRefused, StoreUnavailable, UploadGone
from trio_s3_bot.model import Part, Secret, StoredObject
from trio_s3_bot.names import content_disposition
from trio_s3_bot.patience import SHIPPED, Pauses

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client
    from mypy_boto3_s3.type_defs import HeadObjectOutputTypeDef

T = TypeVar("T")

NOT_IMPLEMENTED = 501
LONGEST_LINK = 7 * 24 * 3600
"""Seconds that a presigned URL can live at most (Amazon S3, "Sharing objects with presigned URLs")."""


class Bucket:
    """
    One bucket of an S3 store.

    `endpoint_url` is `None` for AWS; whatever AWS_ENDPOINT_URL says is ignored. `public_endpoint_url` is the one that
    links are signed for. Without keys, boto3's usual chain finds them. `proxy` is a URL; without it the environment's
    proxy settings hold. `threads` send bodies, a few more do everything else. Timeouts are in seconds; sending 256 KiB
    must not take longer than `connect_timeout`. `pauses` are those before a read is repeated.

    Any method raises `StoreUnavailable` or `StoreRefused`, and on its first call `CheckFailed` for unusable settings.
    `honours_conditions_on_put`, `honours_conditions_on_complete` and `carries_checksums` say what `check()` found.
    """

    def __init__(
        self,
        name: str,
        *,
        endpoint_url: str | None = None,
        public_endpoint_url: str | None = None,
        region: str | None = None,
        access_key_id: Secret | None = None,
        secret_access_key: Secret | None = None,
        session_token: Secret | None = None,
        checksums: Checksums = "auto",
        proxy: Secret | None = None,
        threads: int = 2,
        connect_timeout: float = SHIPPED.timeouts.connect,
        read_timeout: float = SHIPPED.timeouts.store,
        pauses: Pauses = SHIPPED.reading,
    ) -> None:
        settings = Settings(
            endpoint_url=endpoint_url,
            region=region,
            access_key_id=access_key_id,
            secret_access_key=secret_access_key,
            session_token=session_token,
            proxy=proxy,
            connect_timeout=connect_timeout,
            read_timeout=read_timeout,
        )
        self.name = name
        self.checksums = checksums
        self.honours_conditions_on_put = True
        self.honours_conditions_on_complete = True
        self.carries_checksums = checksums == "when_supported"
        self.connection = Connection(settings, threads)
        public = replace(settings, endpoint_url=public_endpoint_url) if public_endpoint_url else None
        self._public = Connection(public, threads=1) if public else self.connection
        self._one_writer = trio.Lock()
        self._pauses = pauses

    def close(self) -> None:
        """Close the idle connections; calls that still run are not disturbed."""
        self.connection.close()
        self._public.close()

    async def check(self, key: str | None = None, *, again: bool = False) -> Probe:
        """
        Find out, before the bot says it is ready, whether the bucket can be listed and written and what it honours.

        Some seven small requests, none repeated, under a name of its own, or under `key`; nothing stays behind, also
        when it fails or is cancelled. `again`: an earlier check under that name was killed, so what it left goes too.
        Raises `CheckFailed` for what a restart doesn't cure, `StoreUnavailable` for the rest.
        """
        probe = await check(self, key or probe_key(), again=again)
        self.honours_conditions_on_put = probe.conditions_on_put
        self.honours_conditions_on_complete = probe.conditions_on_complete
        self.carries_checksums = probe.checksums
        return probe

    async def put(
        self, key: str, body: Body, facts: ObjectFacts, *, crc32: int | None = None, only_if_absent: bool = True
    ) -> str:
        """
        Store an object in one request and return its ETag, quotes included.

        `crc32` is the body's, where it is known already. Raises `ObjectRefused`, and `KeyTaken` when an object of
        that name is there, which may be this very body after a lost answer.
        """
        condition = _absent(only_if_absent and self.honours_conditions_on_put)
        async with self._alone(key, look_first=only_if_absent and not condition):
            return await self.write(key, body, facts, condition, crc32=crc32)

    async def write(
        self, key: str, body: Body, facts: ObjectFacts, condition: Mapping[str, Any], *, crc32: int | None = None
    ) -> str:
        """One PutObject under `condition`, given as boto3's parameters; see `put`."""
        crc32 = await self._crc32(body, crc32)
        answer = await self.connection.send(
            lambda s3: s3.put_object(
                Bucket=self.name, Key=key, Body=body.from_start(), **facts.parameters(), **_checksum(crc32), **condition
            )
        )
        _compare(answer, crc32)
        return text_of(answer, "ETag")

    async def create_upload(self, key: str, facts: ObjectFacts) -> str:
        """
        Begin a multipart upload and return its id.

        When this raises `StoreUnavailable`, an upload may exist all the same; `list_uploads` finds it.
        """
        algorithm: dict[str, Any] = {"ChecksumAlgorithm": "CRC32"} if self.carries_checksums else {}
        answer = await self.connection.call(
            lambda s3: s3.create_multipart_upload(Bucket=self.name, Key=key, **facts.parameters(), **algorithm)
        )
        return text_of(answer, "UploadId")

    async def upload_part(self, key: str, upload_id: str, number: int, body: Body, *, crc32: int | None = None) -> Part:
        """
        Send part `number` (1 to 10,000) of 5 MiB to 5 GiB, the last one of any size. It may be sent again.

        The part's `crc32` is set where it was sent along, and `complete_upload` wants it back. Raises `UploadGone`.
        """
        crc32 = await self._crc32(body, crc32)

        def upload(s3: S3Client) -> Mapping[str, Any]:
            return s3.upload_part(
                Bucket=self.name,
                Key=key,
                UploadId=upload_id,
                PartNumber=number,
                Body=body.from_start(),
                **_checksum(crc32),
            )

        answer = await self.connection.send(upload)
        _compare(answer, crc32)
        return Part(number, len(body), text_of(answer, "ETag"), crc32)

    async def complete_upload(
        self, key: str, upload_id: str, parts: Sequence[Part], *, only_if_absent: bool = True
    ) -> str:
        """
        Make an object of the parts and return its ETag, quotes included.

        Raises `KeyTaken` (the upload still exists then: abort it), `UploadConflict` (begin anew), `UploadGone` (the
        upload or one of its parts is unknown) and `ObjectRefused`. The first and the third also come after a completion
        that succeeded and whose answer was lost.
        """
        condition = _absent(only_if_absent and self.honours_conditions_on_complete)
        async with self._alone(key, look_first=only_if_absent and not condition):
            return await self.complete(key, upload_id, parts, condition)

    async def complete(self, key: str, upload_id: str, parts: Sequence[Part], condition: Mapping[str, Any]) -> str:
        """One CompleteMultipartUpload under `condition`, given as boto3's parameters; see `complete_upload`."""
        listed: Any = {"Parts": [completed(part) for part in sorted(parts, key=lambda part: part.number)]}
        answer = await self.connection.call(
            lambda s3: s3.complete_multipart_upload(
                Bucket=self.name, Key=key, UploadId=upload_id, MultipartUpload=listed, **condition
            )
        )
        return text_of(answer, "ETag")

    async def abort_upload(self, key: str, upload_id: str) -> None:
        """
        Abort a multipart upload; one that is gone already is fine.

        Parts that are being sent meanwhile may survive it, so end those first. The caller shields this from a cancel.
        """
        try:
            await self.connection.ask(
                lambda s3: s3.abort_multipart_upload(Bucket=self.name, Key=key, UploadId=upload_id)
            )
        except UploadGone:
            return

    async def list_parts(self, key: str, upload_id: str) -> list[Part]:
        """The parts that the store has, by number. Raises `UploadGone`."""

        def list_parts(s3: S3Client) -> list[Part]:
            pages = s3.get_paginator("list_parts").paginate(Bucket=self.name, Key=key, UploadId=upload_id)
            return [part(found) for page in pages for found in page.get("Parts", [])]

        return await self._repeated(lambda: self.connection.ask(list_parts))

    async def list_uploads(self, prefix: str = "") -> list[OpenUpload]:
        """The multipart uploads under way to keys that begin with `prefix`, whoever began them."""

        def list_uploads(s3: S3Client) -> list[OpenUpload]:
            pages = s3.get_paginator("list_multipart_uploads").paginate(Bucket=self.name, Prefix=prefix)
            return [open_upload(found) for page in pages for found in page.get("Uploads", [])]

        return await self._repeated(lambda: self.connection.ask(list_uploads))

    async def head(self, key: str) -> StoredObject | None:
        """
        What is stored under `key`; `None` when the store says that nothing is (404).

        A key that may not list the bucket gets a 403 for what is absent, on AWS: that is `StoreRefused`, not `None`.
        """

        def head(s3: S3Client) -> HeadObjectOutputTypeDef:
            return s3.head_object(Bucket=self.name, Key=key)

        try:
            return stored_object(await self._repeated(lambda: self.connection.ask(head)))
        except ObjectGone:
            return None

    async def keys(self, prefix: str, *, limit: int | None = None) -> list[str]:
        """The names that begin with `prefix`, in the store's order (UTF-8); at most `limit` of them."""

        def list_keys(s3: S3Client) -> list[str]:
            pages = s3.get_paginator("list_objects_v2").paginate(
                Bucket=self.name, Prefix=prefix, PaginationConfig={} if limit is None else {"MaxItems": limit}
            )
            return [found["Key"] for page in pages for found in page.get("Contents", [])]

        return await self._repeated(lambda: self.connection.ask(list_keys))

    async def delete(self, key: str, *, etag: str | None = None) -> bool:
        """
        Delete an object; with `etag`, only if it is that one. False when there is none, or another one.

        The ETag is compared by us and then by the store, as far as it honours If-Match on DELETE.
        """
        if etag is not None:
            found = await self.head(key)
            if found is None or found.etag != etag:
                return False
        try:
            await self._delete(key, {"IfMatch": etag} if etag else {})
        except ObjectGone:  # it was replaced or deleted since we looked
            return False
        return True

    async def rename(self, old: str, new: str, facts: ObjectFacts, *, etag: str) -> str:
        """
        Move the object `old` with that ETag to `new`, with `facts` (a copy keeps none), and return its new ETag.

        It copies first and deletes last, so after a crash it is called again with the same arguments; the caller
        commits the intent before. `facts.metadata` must hold the job's id, by which an earlier attempt's copy is known.
        Raises `KeyTaken` and `ObjectGone` (`old` is gone or another one), both of which leave everything as it was.
        """
        return await rename(self, old, new, facts, etag=etag)

    async def presign(self, key: str, *, lifetime: int, file_name: str | None = None) -> Secret:
        """
        A link that downloads the object, for `lifetime` seconds, 7 days at most.

        The file is called `file_name`, or without that what the object's Content-Disposition says. The link is signed
        for the public endpoint without asking the store. Temporary credentials end it earlier.
        """
        if not 0 < lifetime <= LONGEST_LINK:
            raise ValueError(f"a link lives from 1 to {LONGEST_LINK} seconds, not {lifetime}")
        what = {"Bucket": self.name, "Key": key}
        if file_name is not None:
            what["ResponseContentDisposition"] = content_disposition(file_name)
        url = await self._public.ask(
            lambda s3: s3.generate_presigned_url("get_object", Params=what, ExpiresIn=lifetime)
        )
        return Secret(url)

    async def _delete(self, key: str, condition: Mapping[str, Any]) -> None:
        try:
            await self.connection.call(lambda s3: s3.delete_object(Bucket=self.name, Key=key, **condition))
        except StoreRefused as error:
            answer = answer_of(error)
            if not condition or answer is None or answer.status != NOT_IMPLEMENTED:
                raise
            await self._delete(key, {})

    @asynccontextmanager
    async def _alone(self, key: str, *, look_first: bool) -> AsyncIterator[None]:
        """On a store that ignores conditions: one writer at a time, who looks first. Another program can still race."""
        if not look_first:
            yield
            return
        async with self._one_writer:
            if await self.head(key) is not None:
                raise KeyTaken("an object of that name is there already, found by looking")
            yield

    async def _crc32(self, body: Body, known: int | None) -> int | None:
        """The body's CRC32 if it is to be sent along, computed in a thread if need be."""
        if not self.carries_checksums or known is not None:
            return known if self.carries_checksums else None
        return await trio.to_thread.run_sync(body.crc32, limiter=self.connection.bodies)

    async def _repeated(self, read: Callable[[], Awaitable[T]]) -> T:
        async for attempt in stamina.retry_context(
            on=StoreUnavailable,
            attempts=3,
            timeout=8,
            wait_initial=self._pauses.first,
            wait_max=self._pauses.longest,
            wait_jitter=self._pauses.first,
        ):
            with attempt:
                result = await read()
        return result


def _absent(wanted: bool) -> dict[str, Any]:
    """RFC 9110, section 13.1.2: `If-None-Match: *` holds when there is nothing of that name."""
    return {"IfNoneMatch": "*"} if wanted else {}


def _checksum(crc32: int | None) -> dict[str, Any]:
    return {} if crc32 is None else {"ChecksumCRC32": encode_crc32(crc32)}


def _compare(answer: Mapping[str, Any], crc32: int | None) -> None:
    """A store that tells what it computed must have got what was sent."""
    told = answer.get("ChecksumCRC32")
    if crc32 is not None and told and told != encode_crc32(crc32):
        raise StoreUnavailable("the store has other bytes than were sent: its CRC32 differs")
