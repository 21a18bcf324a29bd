"""
boto3's errors, translated once: which of the project's errors each of them is, and in which words.

What the store answers counts by its code (`Error.Code`), and by its HTTP status where the code is unknown or, as in
every answer to HEAD, missing. An unknown 4xx is taken to be about the one object when it answers a write, and about all
requests otherwise: a store that refuses every write doesn't get past the check at start, which sends all of them, and
one odd document must not stop all others.

No text holds a secret: the URLs of requests are left out, and what the caller names in `hide` is masked, also in the
original error, which a traceback would print.
"""

from __future__ import annotations

import ssl
from collections.abc import Collection, Iterator
from typing import NamedTuple

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    HTTPClientError,
    ParamValidationError,
    ReadTimeoutError,
)
from botocore.exceptions import ConnectionError as BotoConnectionError
from botocore.parsers import ResponseParserError

from trio_s3_bot.errors import (
    KeyTaken,
    ObjectGone,
    ObjectRefused,
    ObjectTooLarge,
    StoreError,
    StoreRefused,
    StoreUnavailable,
    UploadConflict,
    UploadGone,
)

Kind = type[StoreError]

TRANSLATED = (BotoCoreError, ClientError, ResponseParserError, UnicodeError, OSError)
"""What a boto3 call may raise that is not a mistake of ours. `ClientError` is no `BotoCoreError`."""

_CODES: dict[Kind, str] = {
    StoreUnavailable: """
        InternalError ServiceUnavailable SlowDown SlowDownRead SlowDownWrite RequestTimeout Throttling
        ThrottlingException RequestLimitExceeded TooManyRequests BandwidthLimitExceeded OperationAborted
        BadDigest InvalidDigest IncompleteBody XAmzContentSHA256Mismatch XAmzContentChecksumMismatch
    """,
    StoreRefused: """
        AccessDenied AllAccessDisabled AccountProblem InvalidAccessKeyId SignatureDoesNotMatch ExpiredToken InvalidToken
        TokenRefreshRequired InvalidSecurity NotSignedUp UserSuspended XAdminUserNotFound NoSuchBucket InvalidBucketName
        RequestTimeTooSkewed RequestExpired AuthorizationHeaderMalformed PermanentRedirect TemporaryRedirect Redirect
        IllegalLocationConstraintException QuotaExceeded InsufficientStorage InsufficientCapacity XMinioStorageFull
        XMinioAdminBucketQuotaExceeded NotImplemented MethodNotAllowed
    """,
    ObjectRefused: """
        EntityTooSmall KeyTooLongError KeyTooLong InvalidObjectName XMinioInvalidObjectName InvalidURI
        MetadataTooLarge XMinioParentIsObject XMinioObjectExistsAsDirectory ObjectParentIsFile
        ExistingObjectIsDirectory DirectoryObjectContainsData
    """,
    ObjectTooLarge: "EntityTooLarge",
    KeyTaken: "PreconditionFailed",
    UploadConflict: "ConditionalRequestConflict",
    UploadGone: "NoSuchUpload InvalidPart InvalidPartOrder",
    ObjectGone: "NoSuchKey",
}
_KIND_OF_CODE = {code: kind for kind, codes in _CODES.items() for code in codes.split()}

_KIND_OF_STATUS: dict[int, Kind] = {
    **dict.fromkeys((401, 402, 403, 405, 407, 501, 507), StoreRefused),
    404: ObjectGone,
    **dict.fromkeys((408, 425, 429), StoreUnavailable),
    409: UploadConflict,
    412: KeyTaken,
    413: ObjectTooLarge,
}
_WRITES = frozenset({"PutObject", "CreateMultipartUpload", "UploadPart", "UploadPartCopy", "CompleteMultipartUpload"})
_CONDITIONAL = frozenset({"PutObject", "CompleteMultipartUpload"})
_WHAT_IS_GONE: dict[str, Kind] = {
    **dict.fromkeys(("HeadObject", "DeleteObject", "UploadPartCopy"), ObjectGone),
    **dict.fromkeys(("UploadPart", "CompleteMultipartUpload", "AbortMultipartUpload", "ListParts"), UploadGone),
}
_LONGEST = 300  # characters of an error's text


class Answer(NamedTuple):
    """What the store said when it refused: `code` is empty where only the status is known."""

    status: int
    code: str
    message: str
    headers: dict[str, str]
    region: str | None


def answer_of(error: BaseException) -> Answer | None:
    """The store's refusal behind one of our errors, or `None` when it is about something else."""
    cause = error if isinstance(error, ClientError) else error.__cause__
    if not isinstance(cause, ClientError):
        return None
    said, meta = cause.response.get("Error", {}), cause.response.get("ResponseMetadata", {})
    code = str(said.get("Code", ""))
    headers = {name.lower(): value for name, value in meta.get("HTTPHeaders", {}).items()}
    region = str(said.get("Region", "")) or headers.get("x-amz-bucket-region")
    status = int(meta.get("HTTPStatusCode", 0))
    return Answer(status, "" if code.isdigit() else code, str(said.get("Message", "")), headers, region)


def translate(error: Exception, *, host: str, hide: Collection[str]) -> StoreError:
    """
    The error to raise from `error`, one of `TRANSLATED`.

    `host` says where the requests went. The strings in `hide` are masked, in the new error and in the old one.
    """
    _mask(error, hide)
    if isinstance(error, ClientError):
        return _refusal(error, hide)
    kind = _kind_of_failure(error)
    text = f"{host}: {reason(error)}" if kind is StoreUnavailable else f"not sent: {reason(error)}"
    return kind(short(text, hide))


def reason(error: BaseException) -> str:
    """Why a request failed before an answer came, in the words of the innermost error that has some."""
    if isinstance(error, ReadTimeoutError):
        return "no answer in time"
    if isinstance(error, ConnectTimeoutError):
        return "no connection in time"
    for cause in reversed(list(chain(error))):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"TLS: {cause.verify_message}"
        if isinstance(cause, ssl.SSLError):
            return f"TLS: {cause.reason or cause}"
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
    return str(error)


def chain(error: BaseException) -> Iterator[BaseException]:
    """The error and what led to it; botocore and urllib3 keep the cause in an argument or in the context."""
    seen: set[int] = set()
    waiting: list[object] = [error]
    while waiting:
        item = waiting.pop()
        if isinstance(item, BaseException) and id(item) not in seen:
            seen.add(id(item))
            yield item
            waiting += [item.__cause__, item.__context__, *item.args, getattr(item, "kwargs", {}).get("error")]


def _refusal(error: ClientError, hide: Collection[str]) -> StoreError:
    answer = answer_of(error)
    assert answer is not None
    kind = _KIND_OF_CODE.get(answer.code) or _kind_of_status(answer.status, error.operation_name)
    kind = _as_answer_to(error.operation_name, kind)
    unreadable = answer.status < 300 and not answer.code
    said = "an answer that is not XML" if unreadable else f"{answer.code} {answer.message}"
    return kind(short(f"{error.operation_name}: {answer.status} {said}", hide))


def _kind_of_status(status: int, operation: str) -> Kind:
    if status in _KIND_OF_STATUS:
        return _KIND_OF_STATUS[status]
    if status < 300 or status >= 500:  # an error in a 200: it came while the store was at work
        return StoreUnavailable
    return ObjectRefused if status >= 400 and operation in _WRITES else StoreRefused


def _as_answer_to(operation: str, kind: Kind) -> Kind:
    """The same code or status says different things in different places."""
    if kind is ObjectGone:
        return _WHAT_IS_GONE.get(operation, StoreRefused)
    if kind is KeyTaken and operation not in _CONDITIONAL:  # If-Match: the source of a copy, or what is to be deleted
        return ObjectGone
    if kind is UploadConflict and operation != "CompleteMultipartUpload":
        return StoreUnavailable
    return kind


def _kind_of_failure(error: Exception) -> Kind:
    if isinstance(error, (ParamValidationError, UnicodeError)):
        return ObjectRefused
    if isinstance(error, HTTPClientError):
        # http.client refuses a header with a line break in it; all else that goes wrong there is the connection.
        inner = getattr(error, "kwargs", {}).get("error")
        return ObjectRefused if isinstance(inner, ValueError) and "header" in str(inner) else StoreUnavailable
    if isinstance(error, (BotoConnectionError, ResponseParserError, OSError)):
        return StoreUnavailable
    return StoreRefused  # credentials that can't be found, a profile that doesn't exist


def short(text: str, hide: Collection[str]) -> str:
    """The text on one line of bearable length, without the strings in `hide`."""
    line = " ".join(_masked(text, hide).split())
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"


def _mask(error: BaseException, hide: Collection[str]) -> None:
    for item in chain(error):
        item.args = tuple(_masked(arg, hide) if isinstance(arg, str) else arg for arg in item.args)


def _masked(text: str, hide: Collection[str]) -> str:
    for secret in hide:
        text = text.replace(secret, "***")
    return text
