"""Unit tests: the name of the call that a request makes, and what of it may be shown."""

from __future__ import annotations

import pytest

from trio_s3_bot.sandbox.faults import Request
from trio_s3_bot.sandbox.faults.calls import matcher

TOKEN = "123456:AAEfake-token"  # noqa: S105 (made up)


def parse(method: str, target: str, **headers: str) -> Request:
    fields = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request.parse(method.encode(), target.encode(), fields)


@pytest.mark.parametrize(
    ("method", "target", "call"),
    [
        ("PUT", "/bucket/a/b.txt?x-id=PutObject", "PutObject"),
        ("PUT", "/bucket//lead", "PutObject"),
        ("PUT", "/bucket/key?acl", None),
        ("PUT", "/bucket/key?partNumber=1&uploadId=u", "UploadPart"),
        ("POST", "/bucket/key?uploads", "CreateMultipartUpload"),
        ("POST", "/bucket/key?uploadId=u", "CompleteMultipartUpload"),
        ("DELETE", "/bucket/key?uploadId=u", "AbortMultipartUpload"),
        ("DELETE", "/bucket/key", "DeleteObject"),
        ("GET", "/bucket/key?uploadId=u", "ListParts"),
        ("GET", "/bucket/key?X-Amz-Signature=s&X-Amz-Expires=60", "GetObject"),
        ("GET", "/bucket/key?tagging", None),
        ("HEAD", "/bucket/key", "HeadObject"),
        ("HEAD", "/bucket", "HeadBucket"),
        ("HEAD", "/bucket/", "HeadBucket"),
        ("PUT", "/bucket", "CreateBucket"),
        ("DELETE", "/bucket", "DeleteBucket"),
        ("GET", "/bucket?uploads&prefix=a", "ListMultipartUploads"),
        ("GET", "/bucket?list-type=2&prefix=", "ListObjectsV2"),
        ("GET", "/bucket", "ListObjects"),
        ("GET", "/bucket?location", None),
        ("GET", "/", "ListBuckets"),
        ("OPTIONS", "/bucket/key", None),
        ("POST", f"/bot{TOKEN}/sendMessage", "sendMessage"),
        ("POST", "/bot123456%3AAAEfake-token/sendMessage", "sendMessage"),
        ("POST", f"/bot{TOKEN}/test/getMe", "getMe"),
        ("GET", f"/file/bot{TOKEN}/documents/file_1.pdf", "file"),
        ("PUT", "/bots/report", "PutObject"),
        ("POST", "/method/messages.send", "messages.send"),
        ("GET", "/whp/1?act=a_check&key=k&ts=1&wait=25", "a_check"),
        ("GET", "/doc700000001_1?hash=h&dl=d&api=1&no_preview=1", "doc"),
        ("GET", "/doc-200000001_1?hash=h", "doc"),
        ("GET", "/c909618/u700000001/docs/d1/a%20b.pdf?extra=e", "file"),
        ("GET", "/c909618/u700000001/docs/d1/a.pdf", "GetObject"),
    ],
)
def test_method_path_and_query_tell_the_call(method: str, target: str, call: str | None) -> None:
    assert parse(method, target).call == call


def test_a_copy_source_makes_copies_of_puts() -> None:
    source = {"x_amz_copy_source": "bucket/other"}
    assert parse("PUT", "/bucket/key", **source).call == "CopyObject"
    assert parse("PUT", "/bucket/key?partNumber=1&uploadId=u", **source).call == "UploadPartCopy"


def test_a_request_is_given_decoded() -> None:
    request = parse("PUT", "/bucket/%D0%B0%20b?prefix=%2Fx&empty", content_length="3")
    assert (request.path, request.query) == ("/bucket/а b", {"prefix": "/x", "empty": ""})
    assert request.headers == {"content-length": "3"}


def test_a_name_matches_in_any_case_and_only_its_call() -> None:
    matches = matcher("sendmessage")
    assert matches(parse("POST", f"/bot{TOKEN}/sendMessage"))
    assert not matches(parse("POST", f"/bot{TOKEN}/getMe"))
    assert not matches(parse("PUT", "/bucket/key?acl"))


def test_a_predicate_matches_what_it_says() -> None:
    matches = matcher(lambda request: request.query.get("partNumber") == "2")
    assert matches(parse("PUT", "/bucket/key?partNumber=2&uploadId=u"))
    assert not matches(parse("PUT", "/bucket/key?partNumber=1&uploadId=u"))


def test_a_misspelt_s3_call_is_an_error() -> None:
    with pytest.raises(ValueError, match="PutObjet"):
        matcher("PutObjet")


@pytest.mark.parametrize(
    "target",
    [
        f"/bot{TOKEN}/getMe",
        f"/file/bot{TOKEN}/documents/a",
        "/bucket/key?X-Amz-Signature=AAEfake-token&X-Amz-Credential=AAEfake-token",
        "/method/users.get?access_token=AAEfake-token",
        "/whp/1?act=a_check&key=AAEfake-token",
        "/doc1_1?hash=AAEfake-token&dl=AAEfake-token",
        "/c909618/u1/docs/d1/a.pdf?extra=AAEfake-token",
    ],
)
def test_what_is_shown_of_a_request_has_no_secret(target: str) -> None:
    request = parse("GET", target, authorization="AAEfake-token", cookie="AAEfake-token", accept="*/*")
    shown = request.without_secrets()
    assert "AAEfake" not in f"{shown.path} {shown.query} {shown.headers} {request!r}"
    assert (shown.call, shown.headers) == (request.call, {"accept": "*/*"})
