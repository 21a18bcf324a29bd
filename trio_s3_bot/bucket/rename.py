"""
Give an object another name without overwriting anything, in an order that a crash can't spoil.

S3 has no rename, and on most stores CopyObject takes no condition on its target. So: copy into a multipart upload,
complete that with `If-None-Match: *`, then delete the old name with `If-Match`. At every moment the bytes are whole
under at least one of the names, and the names alone tell how far it got: only the old one (at most an upload is open),
both (the old one is to be deleted), only the new one (all is done). Doing it again does what is left.
"""

from __future__ import annotations

from contextlib import suppress
from copy import copy
from typing import TYPE_CHECKING, Any, NamedTuple

import trio

from trio_s3_bot.bucket.body import Body
from trio_s3_bot.bucket.objects import ObjectFacts, text_of
from trio_s3_bot.errors import KeyTaken, ObjectGone, StoreError
from trio_s3_bot.model import Part, StoredObject

if TYPE_CHECKING:
    from trio_s3_bot.bucket.store import Bucket

COPY_PART = 256 * 1024 * 1024
"""Bytes copied by one request: few enough for a slow store to answer within the read timeout."""

ABORT_TIME = 15
"""Seconds for the abort of an upload that came to nothing, cancelled or not."""


class _Source(NamedTuple):
    key: str
    size: int
    etag: str


async def rename(
    bucket: Bucket, old: str, new: str, facts: ObjectFacts, *, etag: str, part_size: int = COPY_PART
) -> str:
    """See `Bucket.rename`. `part_size` is in bytes, 5 MiB to 5 GiB."""
    if old == new:
        return etag
    source, target = await bucket.head(old), await bucket.head(new)
    if source is not None and source.etag != etag:
        source = None  # what has come to stand there is none of ours
    if target is not None:
        if not _is_copy(target, source, facts):
            raise KeyTaken("an object of the new name is there already")
        new_etag = target.etag
    elif source is None:
        raise ObjectGone("the object to rename is gone, or another one is in its place")
    elif source.size == 0:  # there is no such thing as an empty range to copy
        new_etag = await bucket.put(new, Body(b""), facts)
    else:
        new_etag = await _copied(bucket, new, facts, _Source(old, source.size, etag), part_size)
    await bucket.delete(old, etag=etag)
    return new_etag


def _is_copy(target: StoredObject, source: StoredObject | None, facts: ObjectFacts) -> bool:
    """Whether an earlier attempt got as far as that: no other document has our job's id in its metadata."""
    same_size = source is None or source.size == target.size
    return same_size and bool(facts.metadata) and facts.metadata.items() <= target.metadata.items()


async def _copied(bucket: Bucket, new: str, facts: ObjectFacts, source: _Source, part_size: int) -> str:
    plain = copy(bucket)
    plain.carries_checksums = False  # the bytes don't pass through here, so there is nothing to compare
    upload_id = await plain.create_upload(new, facts)
    spans = [range(first, min(first + part_size, source.size)) for first in range(0, source.size, part_size)]
    try:
        parts = [await _copied_part(plain, new, upload_id, n, source, span) for n, span in enumerate(spans, 1)]
        return await plain.complete_upload(new, upload_id, parts)
    except BaseException:  # a cancel as well
        # If the abort fails too, the upload is one more of those that are looked for by age.
        with trio.move_on_after(ABORT_TIME, shield=True), suppress(StoreError):
            await plain.abort_upload(new, upload_id)
        raise


async def _copied_part(bucket: Bucket, new: str, upload_id: str, number: int, source: _Source, span: range) -> Part:
    """One UploadPartCopy. All of an object goes without a range: one may only be taken of more than 5 MiB."""
    bounds: Any = {"CopySourceRange": f"bytes={span.start}-{span.stop - 1}"} if len(span) < source.size else {}
    answer = await bucket.connection.call(
        lambda s3: s3.upload_part_copy(
            Bucket=bucket.name,
            Key=new,
            UploadId=upload_id,
            PartNumber=number,
            CopySource={"Bucket": bucket.name, "Key": source.key},
            CopySourceIfMatch=source.etag,
            **bounds,
        )
    )
    return Part(number, len(span), text_of(answer.get("CopyPartResult", {}), "ETag"))
