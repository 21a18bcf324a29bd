"""
The check at start: is the bucket there, may it be listed and written, and which of S3's promises does the store keep?

Conditions are asked about with `If-Match` and an ETag that no object has, which stores nothing where they are honoured.
Where the answer leaves a doubt (some stores know only `If-None-Match: *`), the very condition that the bot relies on is
tried on an object of the check's own. A store compares checksums if it refuses a part that comes with a wrong one.
"""

from __future__ import annotations

import secrets
from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import trio

from trio_s3_bot.bucket.advice import explained, is_no_s3
from trio_s3_bot.bucket.body import Body
from trio_s3_bot.bucket.objects import ObjectFacts
from trio_s3_bot.bucket.translate import answer_of
from trio_s3_bot.errors import (
    CheckFailed,
    KeyTaken,
    ObjectRefused,
    StoreError,
    StoreRefused,
    StoreUnavailable,
    UploadGone,
)
from trio_s3_bot.model import Part

if TYPE_CHECKING:
    from trio_s3_bot.bucket.store import Bucket

Checksums = Literal["auto", "when_supported", "when_required"]

CLEAN_UP_TIME = 15
"""Seconds for removing what the check made, cancelled or not."""

BAD_REQUEST, NOT_FOUND, TIMEOUT, UNMET, TOO_MANY, NOT_IMPLEMENTED = 400, 404, 408, 412, 429, 501

_NO_ETAG = '"00000000000000000000000000000000"'
_BYTES = b"?"
_WRONG_CRC32 = 0


@dataclass(frozen=True, slots=True)
class Probe:
    """What the check found. `left_behind` names what it made and could not remove, and why."""

    bucket: str
    host: str
    conditions_on_put: bool
    conditions_on_complete: bool
    checksums: bool
    left_behind: tuple[str, ...] = ()

    def lines(self) -> list[tuple[str, str]]:
        """What was found, as rows of a table for people."""
        rows = [
            ("bucket", f"{self.bucket} at {self.host} can be listed and written"),
            ("existing files are kept", self._who_keeps_them()),
            ("bytes are compared", "by CRC32, by the store" if self.checksums else "by size only"),
        ]
        return rows + [("could not be removed", left) for left in self.left_behind]

    def _who_keeps_them(self) -> str:
        if self.conditions_on_put and self.conditions_on_complete:
            return "by the store (If-None-Match)"
        ignored = "large" if self.conditions_on_put else "small" if self.conditions_on_complete else "all"
        return f"by looking first for {ignored} files; the store ignores If-None-Match, so other programs can interfere"


def probe_key() -> str:
    """A name for a check, one that nobody else has."""
    return f"trio-s3-bot-probe-{secrets.token_hex(8)}"


async def check(bucket: Bucket, key: str, *, again: bool) -> Probe:
    """See `Bucket.check`; the bucket's own settings stay as they are."""
    prober = _Prober(copy(bucket), key, again=again)
    try:
        await prober.look()
        upload_id, part = await prober.ask_about_checksums()
        on_complete = await prober.ask_about_conditions_on_complete(upload_id, part)
        on_put = await prober.ask_about_conditions_on_put()
    except StoreError as error:
        raise await explained(error, bucket.name, bucket.connection, writing=prober.writing) from error.__cause__
    finally:
        left_behind = await prober.clean_up()
    checksums = prober.bucket.carries_checksums
    return Probe(bucket.name, bucket.connection.host, on_put, on_complete, checksums, left_behind)


class _Prober:
    """One run of the check, on a copy of the bucket; `again`: an earlier one may have left something under `key`."""

    def __init__(self, bucket: Bucket, key: str, *, again: bool) -> None:
        self.bucket = bucket
        self.key = key
        self.writing = False
        self._again = again
        self._uploads: list[str] = []
        self._answer_lost = False
        self._object_possible = False

    async def look(self) -> None:
        """List the bucket: unlike HEAD, that has a body and says in it what is wrong."""
        name, connection = self.bucket.name, self.bucket.connection
        answer = await connection.ask(lambda s3: s3.list_objects_v2(Bucket=name, MaxKeys=1))
        if not answer.keys() & {"Name", "KeyCount", "MaxKeys", "IsTruncated", "Contents"}:
            raise is_no_s3(connection)
        self.writing = True
        self._answer_lost = self._object_possible = self._again

    async def ask_about_checksums(self) -> tuple[str, Part]:
        """Begin an upload, which proves that the bucket can be written, with a checksum if settings and store agree."""
        wanted, self.bucket.carries_checksums = self.bucket.checksums, self.bucket.checksums != "when_required"
        try:
            upload_id, part = await self._part()
        except (StoreRefused, ObjectRefused) as error:
            if wanted == "when_required":
                raise
            self.bucket.carries_checksums = False
            upload_id, part = await self._part()  # if that is refused too, the checksum was not the reason
            if wanted == "when_supported":
                advice = "Set [s3] request_checksum_calculation = when_required."
                raise CheckFailed(f"{self.bucket.connection.host} refuses checksums: {error}.", advice) from error
        if wanted == "auto" and self.bucket.carries_checksums:
            self.bucket.carries_checksums = await self._compares_checksums(upload_id)
        return upload_id, part

    async def ask_about_conditions_on_complete(self, upload_id: str, part: Part) -> bool:
        """Whether CompleteMultipartUpload keeps its hands off what is there already."""
        was_possible, self._object_possible = self._object_possible, True
        try:
            await self.bucket.complete(self.key, upload_id, [part], {"IfMatch": _NO_ETAG})
        except StoreError as error:
            if _is_unmet(error):
                self._object_possible = was_possible
                return True
            _raise_outage(error)
        await self.bucket.write(self.key, Body(_BYTES), ObjectFacts(), {})
        upload_id, part = await self._part()
        try:
            await self.bucket.complete(self.key, upload_id, [part], {"IfNoneMatch": "*"})
        except KeyTaken:
            return True
        except (StoreRefused, ObjectRefused, UploadGone):
            return False
        return False

    async def ask_about_conditions_on_put(self) -> bool:
        """Whether PutObject does."""
        was_possible, self._object_possible = self._object_possible, True
        try:
            await self.bucket.write(self.key, Body(_BYTES), ObjectFacts(), {"IfMatch": _NO_ETAG})
        except StoreError as error:
            if _is_unmet(error):
                self._object_possible = was_possible
                return True
            _raise_outage(error)
        await self.bucket.write(self.key, Body(_BYTES), ObjectFacts(), {})
        try:
            await self.bucket.write(self.key, Body(_BYTES), ObjectFacts(), {"IfNoneMatch": "*"})
        except KeyTaken:
            return True
        except (StoreRefused, ObjectRefused):
            return False
        return False

    async def clean_up(self) -> tuple[str, ...]:
        """Remove all that was or may have been made; says what could not be removed."""
        left = [f"perhaps {self.key}"]
        with trio.move_on_after(CLEAN_UP_TIME, shield=True):
            left = [*await self._abort_uploads(), *await self._delete_object()]
        return tuple(left)

    async def _part(self) -> tuple[str, Part]:
        """A part of an upload of its own."""
        try:
            upload_id = await self.bucket.create_upload(self.key, ObjectFacts())
        except StoreUnavailable:
            self._answer_lost = True
            raise
        self._uploads.append(upload_id)
        return upload_id, await self.bucket.upload_part(self.key, upload_id, 1, Body(_BYTES))

    async def _compares_checksums(self, upload_id: str) -> bool:
        try:
            await self.bucket.upload_part(self.key, upload_id, 2, Body(_BYTES), crc32=_WRONG_CRC32)
        except StoreError as error:
            if error.__cause__ is None:  # it told its own CRC32, and we compared
                return True
            _raise_outage(error)
            answer = answer_of(error)
            return answer is not None and answer.status == BAD_REQUEST
        return False

    async def _abort_uploads(self) -> list[str]:
        left = []
        try:
            listed = await self.bucket.list_uploads(self.key) if self._answer_lost else []
        except StoreError as error:
            listed, left = [], [f"perhaps an upload to {self.key}: {error}"]
        for upload_id in {*self._uploads, *(upload.upload_id for upload in listed)}:
            try:
                await self.bucket.abort_upload(self.key, upload_id)
            except StoreError as error:
                left.append(f"an upload to {self.key}: {error}")
        return left

    async def _delete_object(self) -> list[str]:
        try:
            if self._object_possible:
                await self.bucket.delete(self.key)
        except StoreError as error:
            return [f"{self.key}: {error}"]
        return []


def _is_unmet(error: StoreError) -> bool:
    """Whether the store looked at `If-Match` and found it not met: 412, or 404 for a missing object."""
    answer = answer_of(error)
    if answer is None:
        return False
    missing = answer.status == NOT_FOUND and answer.code not in ("NoSuchUpload", "NoSuchBucket")
    return missing or answer.status == UNMET


def _raise_outage(error: StoreError) -> None:
    """Raise what says nothing about the question that was asked; a 4xx does, even if only that it isn't understood."""
    answer = answer_of(error)
    if answer is None or answer.status in (TIMEOUT, TOO_MANY):
        raise error
    if not BAD_REQUEST <= answer.status < 500 and answer.status != NOT_IMPLEMENTED:
        raise error
