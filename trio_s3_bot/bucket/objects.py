"""What goes into the store beside the bytes, what comes back, and how both look in S3's terms."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from trio_s3_bot.errors import StoreUnavailable
from trio_s3_bot.model import Part, StoredObject

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import (
        CompletedPartTypeDef,
        HeadObjectOutputTypeDef,
        MultipartUploadTypeDef,
        PartTypeDef,
    )


@dataclass(frozen=True, slots=True)
class ObjectFacts:
    """What is stored along with the bytes. Metadata is ASCII, 2 KiB at most; its keys come back in lower case."""

    content_type: str = "application/octet-stream"
    content_disposition: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)

    def parameters(self) -> dict[str, Any]:
        """The same as boto3's parameters."""
        named = {"ContentType": self.content_type, "Metadata": dict(self.metadata)}
        return named | ({"ContentDisposition": self.content_disposition} if self.content_disposition else {})


@dataclass(frozen=True, slots=True)
class OpenUpload:
    """A multipart upload, neither completed nor aborted."""

    key: str
    upload_id: str


def stored_object(found: HeadObjectOutputTypeDef) -> StoredObject:
    """An object, as HeadObject tells it. Raises `StoreUnavailable` for an answer without a size: it is another's."""
    if "ContentLength" not in found:
        raise StoreUnavailable("HeadObject: an answer without a size")
    return StoredObject(
        size=found["ContentLength"],
        etag=text_of(found, "ETag"),
        metadata=found.get("Metadata", {}),
        content_type=found.get("ContentType"),
        content_disposition=found.get("ContentDisposition"),
    )


def part(found: PartTypeDef) -> Part:
    """A part, as ListParts tells it."""
    checksum = found.get("ChecksumCRC32")
    return Part(found["PartNumber"], found["Size"], found["ETag"], decode_crc32(checksum) if checksum else None)


def completed(part: Part) -> CompletedPartTypeDef:
    """A part, as CompleteMultipartUpload wants it: with its checksum exactly when it was uploaded with one."""
    named: CompletedPartTypeDef = {"PartNumber": part.number, "ETag": part.etag}
    if part.crc32 is not None:
        named["ChecksumCRC32"] = encode_crc32(part.crc32)
    return named


def open_upload(found: MultipartUploadTypeDef) -> OpenUpload:
    """An upload under way, as ListMultipartUploads tells it."""
    return OpenUpload(text_of(found, "Key"), text_of(found, "UploadId"))


def text_of(answer: Mapping[str, Any], name: str) -> str:
    """A field without which an answer is none: boto3 makes `{}` of a 200 with an empty body or with HTML in it."""
    value = answer.get(name)
    if not isinstance(value, str) or not value:
        raise StoreUnavailable(f"the store answered 200 without the {name}")
    return value


def encode_crc32(value: int) -> str:
    """As in the header x-amz-checksum-crc32: base64 of the big-endian bytes."""
    return base64.b64encode(value.to_bytes(4, "big")).decode()


def decode_crc32(text: str) -> int:
    """The reverse of `encode_crc32`."""
    return int.from_bytes(base64.b64decode(text), "big")
