"""
What a request is about: its parts, and the name of the API call it makes.

Named are S3 calls by path-style addresses (`PutObject`), Bot API methods (`sendMessage`, and `file` for a file's
download), VK methods (`messages.send`), VK's long poll (`a_check`), a document on vk.com (`doc`) and on the storage
host that it redirects to (`file`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote

_BOT_API = re.compile(r"/(file/)?bot[^/:]*:[^/]*")
_VK_METHOD = re.compile(r"/method/(\w+\.\w+)/?")
_VK_DOC = re.compile(r"/doc-?\d+_\d+")
_VK_FILE = re.compile(r"/c\d+/u-?\d+/docs/d\d+/[^/]*")

_UPLOAD_CALLS = {
    "PUT": "UploadPart",
    "POST": "CompleteMultipartUpload",
    "DELETE": "AbortMultipartUpload",
    "GET": "ListParts",
}
_OBJECT_CALLS = {"PUT": "PutObject", "GET": "GetObject", "HEAD": "HeadObject", "DELETE": "DeleteObject"}
_BUCKET_CALLS = {"PUT": "CreateBucket", "GET": "ListObjects", "HEAD": "HeadBucket", "DELETE": "DeleteBucket"}
_COPIES = {"PutObject": "CopyObject", "UploadPart": "UploadPartCopy"}
_OTHER_CALLS = {"CreateMultipartUpload", "ListMultipartUploads", "ListObjectsV2", "ListBuckets"}
S3_CALLS = frozenset(
    {*_UPLOAD_CALLS.values(), *_OBJECT_CALLS.values(), *_BUCKET_CALLS.values(), *_COPIES.values(), *_OTHER_CALLS}
)
"""The S3 calls that have a name here."""

# A query parameter of one of these names makes another call of the same method and path: `?acl` isn't PutObject.
_SUBRESOURCES = frozenset(
    [
        "accelerate",
        "acl",
        "analytics",
        "attributes",
        "cors",
        "delete",
        "encryption",
        "inventory",
        "legal-hold",
        "lifecycle",
        "location",
        "logging",
        "metrics",
        "notification",
        "object-lock",
        "ownershipControls",
        "policy",
        "policyStatus",
        "publicAccessBlock",
        "replication",
        "requestPayment",
        "restore",
        "retention",
        "select",
        "tagging",
        "torrent",
        "versioning",
        "versions",
        "website",
    ]
)

_SECRET_HEADERS = frozenset({"authorization", "cookie", "proxy-authorization", "x-amz-security-token"})
_SECRET_QUERY = frozenset(
    {"access_token", "dl", "extra", "hash", "key", "x-amz-credential", "x-amz-security-token", "x-amz-signature"}
)


@dataclass(frozen=True)
class Request:
    """
    The head of a request. Names of headers are in lower case; path and query are percent-decoded.

    Its repr shows only the method and the call: paths, queries and headers carry tokens.
    """

    method: str
    path: str = field(repr=False)
    query: Mapping[str, str] = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    call: str | None = None

    @classmethod
    def parse(cls, method: bytes, target: bytes, headers: Iterable[tuple[bytes, bytes]]) -> Request:
        """From what is on the wire: a target in origin form (RFC 9112, 3.2.1), names of headers in lower case."""
        raw_path, _, raw_query = target.decode("ascii").partition("?")
        verb, path = method.decode("ascii"), unquote(raw_path)
        query = dict(parse_qsl(raw_query, keep_blank_values=True))
        fields = {name.decode("ascii"): value.decode("latin-1") for name, value in headers}
        return cls(verb, path, query, fields, _call(verb, path, query, "x-amz-copy-source" in fields))

    def without_secrets(self) -> Request:
        """The same without bot tokens, keys, signatures and credentials, fit for a log."""
        query = {name: "***" if name.lower() in _SECRET_QUERY else value for name, value in self.query.items()}
        headers = {name: value for name, value in self.headers.items() if name not in _SECRET_HEADERS}
        return Request(self.method, _BOT_API.sub(r"/\1bot***", self.path, count=1), query, headers, self.call)


Match = str | Callable[[Request], bool]
"""Which requests: the name of a call, in any case as the Bot API takes it, or a predicate."""


def matcher(match: Match | None) -> Callable[[Request], bool]:
    """The predicate that `match` stands for; `None` is every request. A misspelt S3 call is a ValueError."""
    if match is None:
        return lambda _: True
    if callable(match):
        return match
    if match[:1].isupper() and match not in S3_CALLS:
        raise ValueError(f"no S3 call is named {match}; there are {', '.join(sorted(S3_CALLS))}")
    wanted = match.casefold()
    return lambda request: request.call is not None and request.call.casefold() == wanted


def _call(method: str, path: str, query: Mapping[str, str], copies: bool) -> str | None:
    if bot_api := _BOT_API.match(path):
        return "file" if bot_api[1] else path[bot_api.end() :].removeprefix("/test/").strip("/") or None
    if vk := _vk_call(path, query):
        return vk
    name = _s3_call(method, path, query)
    return _COPIES.get(name, name) if copies and name is not None else name


def _vk_call(path: str, query: Mapping[str, str]) -> str | None:
    """No bucket is named like a document: S3 allows no underscore; and no parameter of an object's is named `extra`."""
    if method := _VK_METHOD.fullmatch(path):
        return method[1]
    if query.get("act") == "a_check":
        return "a_check"
    if "extra" in query and _VK_FILE.fullmatch(path):
        return "file"
    return "doc" if _VK_DOC.fullmatch(path) else None


def _s3_call(method: str, path: str, query: Mapping[str, str]) -> str | None:
    bucket, _, key = path.removeprefix("/").partition("/")
    if not _SUBRESOURCES.isdisjoint(query):
        return None
    if not bucket:
        return "ListBuckets" if method == "GET" else None
    if "uploads" in query:
        return {("POST", True): "CreateMultipartUpload", ("GET", False): "ListMultipartUploads"}.get(
            (method, bool(key))
        )
    if key:
        return (_UPLOAD_CALLS if "uploadId" in query else _OBJECT_CALLS).get(method)
    return "ListObjectsV2" if method == "GET" and query.get("list-type") == "2" else _BUCKET_CALLS.get(method)
