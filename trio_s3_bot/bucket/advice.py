"""What the check at start tells the operator: what was found, and what to do about it, on one line."""

from __future__ import annotations

import re
import socket
import ssl
import time
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import trio
from botocore.exceptions import ConnectionClosedError, NoCredentialsError, ParamValidationError

from trio_s3_bot.bucket.connection import Connection
from trio_s3_bot.bucket.translate import Answer, answer_of, chain
from trio_s3_bot.errors import BotError, CheckFailed, StoreError, StoreUnavailable

_SKEW = 15 * 60
"""Seconds that a signature may be old or early (Amazon S3, "RequestTimeTooSkewed")."""

_NOT_TLS = frozenset({"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG"})

_BY_CODE = {
    "NoSuchBucket": ("There is no bucket {bucket} at {host}.", "Create it, or correct [s3] bucket."),
    "InvalidBucketName": ("{bucket} can't be the name of a bucket.", "Correct [s3] bucket."),
    "InvalidAccessKeyId": ("{host} doesn't know the access key id.", "Correct [s3] aws_access_key_id."),
    "XAdminUserNotFound": ("{host} doesn't know the access key id.", "Correct [s3] aws_access_key_id."),
    "SignatureDoesNotMatch": (
        "The secret access key is not the one of the access key id, or a proxy changes requests.",
        "Correct [s3] aws_secret_access_key.",
    ),
    "ExpiredToken": ("The temporary credentials have expired.", "Get new ones."),
    "TokenRefreshRequired": ("The temporary credentials have expired.", "Get new ones."),
    "InvalidToken": ("{host} doesn't accept the session token.", "Get new temporary credentials."),
    "SecondLevelDomainForbidden": (
        "{host} wants the bucket in the host name.",
        "Use the service's own address as [s3] endpoint_url.",
    ),
}
_MAY_NOT_LIST = (
    "The access key may not list {bucket}.",
    "Allow s3:ListBucket and s3:ListBucketMultipartUploads on it.",
)
_MAY_NOT_WRITE = (
    "The access key may list {bucket} but not write to it.",
    "Allow s3:PutObject, s3:AbortMultipartUpload and s3:DeleteObject on its objects.",
)


async def explained(error: StoreError, bucket: str, connection: Connection, *, writing: bool) -> BotError:
    """
    The error to raise from a check: `CheckFailed` if only the operator can help, or `error` if it may pass by itself.

    `writing` says that the bucket could be listed before.
    """
    if await _is_tls_port(error, connection):
        return CheckFailed(f"{connection.host} speaks TLS.", "Write https:// in [s3] endpoint_url.")
    found = (
        _about_answer(error, bucket, connection, writing)
        if answer_of(error)
        else _about_failure(error, bucket, connection)
    )
    if found is None and isinstance(error, StoreUnavailable):
        return error
    return found or CheckFailed(
        f"{connection.host} refuses to work with {bucket}: {error}.",
        "Correct [s3] endpoint_url, or the store's settings.",
    )


def is_no_s3(connection: Connection) -> CheckFailed:
    """For a server that answers without an error and yet not as S3 does."""
    advice = "Correct [s3] endpoint_url; it may be the address of the store's web console."
    return CheckFailed(f"{connection.host} doesn't speak S3.", advice)


def _about_failure(error: StoreError, bucket: str, connection: Connection) -> CheckFailed | None:
    cause = error.__cause__
    if isinstance(cause, NoCredentialsError):
        return CheckFailed("There are no S3 credentials.", "Set [s3] aws_access_key_id and aws_secret_access_key.")
    if isinstance(cause, ParamValidationError):
        return CheckFailed(f"{bucket} can't be the name of a bucket.", "Correct [s3] bucket.")
    for item in chain(error):
        if isinstance(item, ssl.SSLError):
            return _about_tls(item, connection.host)
    return None


def _about_tls(error: ssl.SSLError, host: str) -> CheckFailed | None:
    if isinstance(error, ssl.SSLCertVerificationError):
        advice = "Name its CA in AWS_CA_BUNDLE, or correct [s3] endpoint_url."
        return CheckFailed(f"The certificate of {host} can't be trusted: {error.verify_message}.", advice)
    if isinstance(error, ssl.SSLEOFError):  # hung up: a server that is starting does so too
        return None
    if error.reason in _NOT_TLS:
        return CheckFailed(f"{host} doesn't speak TLS.", "Write http:// in [s3] endpoint_url.")
    return CheckFailed(
        f"TLS with {host} fails: {error.reason}.", "Correct [s3] endpoint_url, or the server's TLS settings."
    )


def _about_answer(error: StoreError, bucket: str, connection: Connection, writing: bool) -> CheckFailed | None:
    answer = answer_of(error)
    assert answer is not None
    for look in (_about_place, _about_clock, _about_page):
        if found := look(answer, connection):
            return found
    words = _BY_CODE.get(answer.code)
    if words is None and answer.status == 403 and not isinstance(error, StoreUnavailable):
        words = _MAY_NOT_WRITE if writing else _MAY_NOT_LIST
    return CheckFailed(*(text.format(bucket=bucket, host=connection.host) for text in words)) if words else None


def _about_place(answer: Answer, connection: Connection) -> CheckFailed | None:
    """Another region, or another address."""
    misplaced = 300 <= answer.status < 400 or answer.code in (
        "AuthorizationHeaderMalformed",
        "IllegalLocationConstraintException",
    )
    if not misplaced:
        return None
    if answer.region:
        return CheckFailed(f"The bucket is in the region {answer.region}.", f"Set [s3] region = {answer.region}.")
    location = urlsplit(answer.headers.get("location", ""))
    if location.hostname and (location.netloc, location.scheme) != (connection.host, connection.scheme):
        there = f"{location.scheme}://{location.netloc.rpartition('@')[2]}"
        return CheckFailed(
            f"{connection.host} sends us to {there}.", "Set [s3] endpoint_url to that, or correct region."
        )
    if answer.status < 400:
        return CheckFailed(f"{connection.host} redirects without end.", "Correct [s3] endpoint_url or region.")
    return None


def _about_clock(answer: Answer, connection: Connection) -> CheckFailed | None:
    try:
        theirs = parsedate_to_datetime(answer.headers["date"]).timestamp()
    except (KeyError, ValueError):
        theirs = time.time()
    ahead = time.time() - theirs
    if answer.code != "RequestTimeTooSkewed" and (answer.status not in (400, 403) or abs(ahead) < _SKEW):
        return None
    minutes = f" {abs(ahead) / 60:.0f} min {'ahead of' if ahead > 0 else 'behind'}" if abs(ahead) >= 60 else " not"
    return CheckFailed(f"The clock of this machine is{minutes} that of {connection.host}.", "Set it right, with NTP.")


def _about_page(answer: Answer, connection: Connection) -> CheckFailed | None:
    """A web page for people; with 5xx it is a gateway's, whose store is away for the moment."""
    is_page = re.match(r"text/html\b", answer.headers.get("content-type", ""))
    return is_no_s3(connection) if is_page and not answer.code and answer.status < 500 else None


async def _is_tls_port(error: StoreError, connection: Connection) -> bool:
    """Whether plain http failed in one of the ways in which it does on a TLS port, and TLS succeeds there."""
    answer = answer_of(error)
    odd = isinstance(error.__cause__, ConnectionClosedError) or (answer and answer.status == 400 and not answer.code)
    if not odd or connection.scheme != "http":
        return False
    timeout = connection.settings.connect_timeout
    return await trio.to_thread.run_sync(_greets_with_tls, connection.host, timeout, abandon_on_cancel=True)


def _greets_with_tls(host: str, timeout: float) -> bool:
    address = urlsplit(f"//{host}")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # nothing is said to it and nothing believed
    try:
        with socket.create_connection((address.hostname or "", address.port or 80), timeout) as raw:
            context.wrap_socket(raw).close()
    except OSError:
        return False
    return True
