"""What each answer of a store, and each failure to get one, comes to."""

from __future__ import annotations

import traceback
from collections.abc import Awaitable, Callable
from itertools import chain, repeat

import pytest

from trio_s3_bot.bucket import Body, Bucket, ObjectFacts
from trio_s3_bot.bucket.objects import OpenUpload, stored_object
from trio_s3_bot.errors import (
    KeyTaken,
    ObjectRefused,
    ObjectTooLarge,
    StoreError,
    StoreRefused,
    StoreUnavailable,
    UploadConflict,
    UploadGone,
)
from trio_s3_bot.model import Part, Secret

from .conftest import ACCESS_KEY, SECRET_KEY, Reach, Store
from .stub import HANG_UP, Reply, Request, closed, error, forward, mute, stub

FACTS = ObjectFacts(metadata={"job": "1f2e"})
PARTS = [Part(1, 7, '"e"')]
Call = Callable[[Bucket], Awaitable[object]]


async def put(bucket: Bucket) -> None:
    await bucket.put("key", Body(b"bytes"), FACTS)


async def create(bucket: Bucket) -> None:
    await bucket.create_upload("key", FACTS)


async def send_part(bucket: Bucket) -> None:
    await bucket.upload_part("key", "u1", 1, Body(b"bytes"))


async def complete(bucket: Bucket) -> None:
    await bucket.complete_upload("key", "u1", PARTS)


async def list_keys(bucket: Bucket) -> None:
    await bucket.keys("")


async def head(bucket: Bucket) -> None:
    await bucket.head("key")


IN_A_200 = Reply(body=b"<?xml version='1.0'?><Error><Code>InternalError</Code><Message>late</Message></Error>")
HTML = Reply(502, b"<html><body><h1>Bad gateway</h1></body></html>", {"Content-Type": "text/html"})

ANSWERS: list[tuple[Call, Reply, type[StoreError]]] = [
    (put, error(503, "SlowDown"), StoreUnavailable),
    (put, error(500, "InternalError"), StoreUnavailable),
    (put, HTML, StoreUnavailable),
    (put, error(400, "RequestTimeout"), StoreUnavailable),
    (put, error(400, "IncompleteBody"), StoreUnavailable),
    (put, error(429, "TooManyRequests"), StoreUnavailable),
    (put, error(409, "ConditionalRequestConflict"), StoreUnavailable),
    (put, error(409, "OperationAborted"), StoreUnavailable),
    (put, Reply(), StoreUnavailable),
    (put, error(412, "PreconditionFailed"), KeyTaken),
    (put, Reply(412), KeyTaken),
    (put, error(403, "AccessDenied"), StoreRefused),
    (put, error(403, "InvalidAccessKeyId"), StoreRefused),
    (put, error(403, "SignatureDoesNotMatch"), StoreRefused),
    (put, error(403, "RequestTimeTooSkewed"), StoreRefused),
    (put, error(400, "ExpiredToken"), StoreRefused),
    (put, error(404, "NoSuchBucket"), StoreRefused),
    (put, error(404, "SomethingElse"), StoreRefused),
    (put, error(507, "XMinioStorageFull"), StoreRefused),
    (put, error(507, "Whatever"), StoreRefused),
    (put, error(400, "QuotaExceeded"), StoreRefused),
    (put, error(403, "SomethingNew"), StoreRefused),
    (put, error(400, "EntityTooLarge"), ObjectTooLarge),
    (put, Reply(413, b"<html>413 Request Entity Too Large</html>", {"Content-Type": "text/html"}), ObjectTooLarge),
    (put, error(400, "KeyTooLongError"), ObjectRefused),
    (put, error(400, "XMinioInvalidObjectName"), ObjectRefused),
    (put, error(400, "InvalidArgument"), ObjectRefused),
    (put, error(418, "SomethingNew"), ObjectRefused),
    (put, error(599, "SomethingNew"), StoreUnavailable),
    (create, Reply(), StoreUnavailable),
    (create, Reply(body=b"<html>hello</html>"), StoreUnavailable),
    (create, IN_A_200, StoreUnavailable),
    (send_part, error(404, "NoSuchUpload"), UploadGone),
    (send_part, Reply(404), UploadGone),
    (send_part, Reply(), StoreUnavailable),
    (complete, IN_A_200, StoreUnavailable),
    (complete, Reply(), StoreUnavailable),
    (complete, error(412, "PreconditionFailed"), KeyTaken),
    (complete, error(200, "PreconditionFailed"), KeyTaken),
    (complete, error(409, "ConditionalRequestConflict"), UploadConflict),
    (complete, error(404, "NoSuchUpload"), UploadGone),
    (complete, error(404, "NoSuchKey"), UploadGone),
    (complete, error(400, "InvalidPart"), UploadGone),
    (complete, error(400, "EntityTooSmall"), ObjectRefused),
    (list_keys, error(403, "AccessDenied"), StoreRefused),
    (list_keys, error(400, "InvalidArgument"), StoreRefused),
    (list_keys, error(404, "NoSuchBucket"), StoreRefused),
    (head, Reply(403), StoreRefused),
    (head, Reply(400), StoreRefused),
]


@pytest.mark.parametrize(
    ("call", "reply", "expected"),
    [
        pytest.param(*row, id=f"{row[0].__name__} {row[1].status} {row[2].__name__} {n}")
        for n, row in enumerate(ANSWERS)
    ],
)
async def test_an_answer_is_the_right_error_after_one_request(
    reach: Reach, call: Call, reply: Reply, expected: type[StoreError]
) -> None:
    with stub(lambda _: reply) as server:
        with pytest.raises(StoreError) as caught:
            await call(reach("bucket", server.endpoint))
        assert (type(caught.value), len(server.requests)) == (expected, 1)


@pytest.mark.parametrize("call", [put, create, send_part, complete])
async def test_a_write_without_an_answer_is_not_sent_again(reach: Reach, call: Call) -> None:
    with stub(lambda _: HANG_UP) as server:
        with pytest.raises(StoreUnavailable):
            await call(reach("bucket", server.endpoint))
        assert len(server.requests) == 1


async def test_a_lost_answer_shows_as_a_taken_name_with_our_own_job_in_it(reach: Reach, moto: Store) -> None:
    moto.client().create_bucket(Bucket="lost-answer")
    lost = iter([True])

    def script(asked: Request) -> Reply | None:
        reply = forward(moto.endpoint, asked)
        return HANG_UP if next(lost, False) else reply

    with stub(script) as server:
        bucket = reach("lost-answer", server.endpoint)
        with pytest.raises(StoreUnavailable):
            await put(bucket)
        with pytest.raises(KeyTaken):
            await put(bucket)
        found = await bucket.head("key")
    assert found is not None
    assert found.metadata == FACTS.metadata


@pytest.mark.parametrize("call", [head, list_keys])
async def test_a_read_is_repeated_after_an_outage_of_a_moment(reach: Reach, call: Call) -> None:
    fine = Reply(body=b"<ListBucketResult/>", headers={"ETag": '"e"'})
    answers = iter([error(503, "SlowDown"), HANG_UP, fine])
    with stub(lambda _: next(answers)) as server:
        await call(reach("bucket", server.endpoint))
        assert len(server.requests) == 3


async def test_a_read_is_not_repeated_for_ever(reach: Reach) -> None:
    with stub(lambda _: Reply(500)) as server:
        with pytest.raises(StoreUnavailable):
            await head(reach("bucket", server.endpoint))
        assert 1 < len(server.requests) < 5


@pytest.mark.parametrize("call", [put, head, list_keys, complete])
async def test_a_redirect_without_a_region_is_an_answer_and_not_followed(reach: Reach, call: Call) -> None:
    with stub(lambda asked: Reply(301, headers={"Location": f"https://elsewhere{asked.path}"})) as server:
        with pytest.raises(StoreRefused, match="301"):
            await call(reach("bucket", server.endpoint))
        assert len(server.requests) == 1


async def test_another_region_is_an_answer_and_not_followed(reach: Reach) -> None:
    reply = error(400, "AuthorizationHeaderMalformed", more="<Region>eu-west-3</Region>")
    with stub(lambda _: reply) as server:
        with pytest.raises(StoreRefused, match="AuthorizationHeaderMalformed"):
            await put(reach("bucket", server.endpoint))
        assert len(server.requests) == 1


async def test_a_wrong_secret_is_refused_by_a_store_that_looks(reach: Reach, name: str, store: Store) -> None:
    bucket = reach(name, store.endpoint, secret_access_key=Secret("wrong"))
    if not store.knows_keys:
        await put(bucket)
        assert await bucket.keys("") == ["key"]
        return
    with pytest.raises(StoreRefused, match="SignatureDoesNotMatch"):
        await put(bucket)


async def test_a_port_that_nobody_listens_on_is_an_outage(reach: Reach) -> None:
    with closed() as address, pytest.raises(StoreUnavailable, match=f"^{address}: Connection refused$"):
        await put(reach("bucket", f"http://{address}"))


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_server_that_never_speaks_is_an_outage(reach: Reach, scheme: str) -> None:
    with mute() as address, pytest.raises(StoreUnavailable, match=f"^{address}: no (answer|connection) in time$"):
        await put(reach("bucket", f"{scheme}://{address}", connect_timeout=0.2, read_timeout=0.2))


async def test_a_host_that_does_not_exist_is_an_outage(reach: Reach) -> None:
    with pytest.raises(StoreUnavailable, match=r"^store\.invalid:9000: "):
        await put(reach("bucket", "http://store.invalid:9000"))


async def test_requests_go_through_the_proxy(reach: Reach) -> None:
    with stub(lambda _: Reply(headers={"ETag": '"e"'})) as server:
        await put(reach("bucket", "http://store.invalid", proxy=Secret(server.endpoint)))
        assert server.requests[0].target == "http://store.invalid/bucket/key"


async def test_no_secret_is_in_an_error_even_if_the_store_repeats_it(reach: Reach) -> None:
    reply = error(403, "InvalidAccessKeyId", f"no such key: {ACCESS_KEY} ({SECRET_KEY})")
    with stub(lambda _: reply) as server, pytest.raises(StoreRefused) as caught:
        await put(reach("bucket", server.endpoint))
    assert str(caught.value) == "PutObject: 403 InvalidAccessKeyId no such key: *** (***)"
    assert_hidden(caught.value)


async def test_no_password_of_a_proxy_is_in_an_error(reach: Reach) -> None:
    with closed() as address, pytest.raises(StoreUnavailable) as caught:
        await put(reach("bucket", "http://store.invalid", proxy=Secret(f"http://user:{SECRET_KEY}@{address}")))
    assert_hidden(caught.value)


async def test_no_password_in_the_endpoint_is_in_an_error(reach: Reach) -> None:
    with closed() as address, pytest.raises(StoreUnavailable) as caught:
        await put(reach("bucket", f"http://user:{SECRET_KEY.replace('/', '_')}@{address}"))
    assert str(caught.value) == f"{address}: Connection refused"


def assert_hidden(raised: BaseException) -> None:
    printed = "".join(traceback.format_exception(raised))
    assert ACCESS_KEY not in printed
    assert SECRET_KEY not in printed


async def test_a_list_that_breaks_off_is_an_outage(reach: Reach) -> None:
    cut_off = Reply(body=b"<ListBucketResult><Contents><Key>cut o")
    with stub(lambda _: cut_off) as server, pytest.raises(StoreUnavailable, match="200 an answer that is not XML"):
        await list_keys(reach("bucket", server.endpoint))


def test_an_answer_about_an_object_without_its_size_is_an_outage() -> None:
    """A gateway's page, for instance: what HEAD brings has no body to tell it by."""
    with pytest.raises(StoreUnavailable, match="without a size"):
        stored_object({"ETag": '"e"'})  # type: ignore[typeddict-item]


async def test_an_error_in_a_200_keeps_that_status(reach: Reach) -> None:
    with stub(lambda _: IN_A_200) as server, pytest.raises(StoreUnavailable) as caught:
        await complete(reach("bucket", server.endpoint))
    assert str(caught.value) == "CompleteMultipartUpload: 200 InternalError late"


async def test_an_error_is_one_short_line(reach: Reach) -> None:
    with stub(lambda _: error(400, "Odd", "word\n" * 500)) as server, pytest.raises(ObjectRefused) as caught:
        await put(reach("bucket", server.endpoint))
    assert len(str(caught.value)) <= 300
    assert "\n" not in str(caught.value)


async def test_requests_say_what_they_should(reach: Reach) -> None:
    """No pause for "100 Continue", no chunks, no checksums that nobody asked for; one attempt, in our name."""
    with stub(lambda _: Reply(headers={"ETag": '"e"'})) as server:
        await put(reach("bucket", server.endpoint))
        (asked,) = server.requests
    assert asked.headers.keys().isdisjoint({"expect", "transfer-encoding", "x-amz-sdk-checksum-algorithm"})
    assert not [name for name in asked.headers if name.startswith("x-amz-checksum")]
    assert asked.headers["content-length"] == "5"
    assert asked.headers["if-none-match"] == "*"
    assert asked.headers["user-agent"].endswith("trio-s3-bot")
    assert len(asked.headers["x-amz-content-sha256"]) == 64


async def test_the_environment_does_not_move_the_bucket(reach: Reach, monkeypatch: pytest.MonkeyPatch) -> None:
    with stub(lambda _: Reply(headers={"ETag": '"e"'})) as server, closed() as elsewhere:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{elsewhere}")
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"http://{elsewhere}")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "FROMTHEENVIRONMENT")
        monkeypatch.setenv("AWS_SESSION_TOKEN", "from the environment")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-3")
        monkeypatch.setenv("AWS_REQUEST_CHECKSUM_CALCULATION", "when_supported")
        await put(reach("bucket", server.endpoint))
        (asked,) = server.requests
    assert f"Credential={ACCESS_KEY}/" in asked.headers["authorization"]
    assert "/us-east-1/s3/" in asked.headers["authorization"]
    assert "x-amz-security-token" not in asked.headers
    assert not [name for name in asked.headers if name.startswith("x-amz-checksum")]


async def test_temporary_credentials_carry_their_token(reach: Reach) -> None:
    with stub(lambda _: Reply(headers={"ETag": '"e"'})) as server:
        await put(reach("bucket", server.endpoint, session_token=Secret("a token")))
        assert server.requests[0].headers["x-amz-security-token"] == "a token"


PAGES = {
    "list-type": (
        b"<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>"
        b"<Contents><Key>a</Key></Contents></ListBucketResult>",
        b"<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>b</Key></Contents></ListBucketResult>",
    ),
    "uploads": (
        b"<R><IsTruncated>true</IsTruncated><NextKeyMarker>k</NextKeyMarker><NextUploadIdMarker>u</NextUploadIdMarker>"
        b"<Upload><Key>k</Key><UploadId>u1</UploadId><Initiated>2026-01-02T03:04:05Z</Initiated>"
        b"<Initiator><ID>me</ID></Initiator></Upload></R>",
        b"<R><IsTruncated>false</IsTruncated><Upload><Key>l</Key><UploadId>u2</UploadId></Upload></R>",
    ),
    "uploadId": (
        b"<R><IsTruncated>true</IsTruncated><NextPartNumberMarker>1</NextPartNumberMarker>"
        b'<Part><PartNumber>1</PartNumber><ETag>"e"</ETag><Size>5</Size><ChecksumCRC32>NhCmhg==</ChecksumCRC32></Part></R>',
        b'<R><IsTruncated>false</IsTruncated><Part><PartNumber>2</PartNumber><ETag>"f"</ETag><Size>6</Size></Part></R>',
    ),
}


def two_pages(asked: Request) -> Reply:
    kind = next(kind for kind in PAGES if kind in asked.query)
    later = asked.query.keys() & {"continuation-token", "key-marker", "part-number-marker"}
    return Reply(body=PAGES[kind][bool(later)])


async def test_lists_are_read_to_their_last_page(reach: Reach) -> None:
    with stub(two_pages) as server:
        bucket = reach("bucket", server.endpoint)
        keys, uploads, parts = await bucket.keys(""), await bucket.list_uploads(), await bucket.list_parts("k", "u1")
    assert keys == ["a", "b"]
    assert uploads == [OpenUpload("k", "u1"), OpenUpload("l", "u2")]
    assert parts == [Part(1, 5, '"e"', 0x3610A686), Part(2, 6, '"f"')]


async def test_a_store_that_has_other_bytes_than_were_sent_is_found_out(reach: Reach) -> None:
    answer = Reply(headers={"ETag": '"e"', "x-amz-checksum-crc32": "AAAAAA=="})
    with stub(lambda _: answer) as server:
        bucket = reach("bucket", server.endpoint, checksums="when_supported")
        for call in (put, send_part):
            with pytest.raises(StoreUnavailable, match="CRC32"):
                await call(bucket)


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        pytest.param([Reply(headers={"ETag": '"e"'}), error(501, "NotImplemented"), Reply(204)], True, id="501"),
        pytest.param([Reply(headers={"ETag": '"e"'}), error(412, "PreconditionFailed")], False, id="replaced"),
        pytest.param([Reply(headers={"ETag": '"e"'}), error(404, "NoSuchKey")], False, id="gone"),
    ],
)
async def test_a_conditional_delete_does_what_the_store_can(reach: Reach, answers: list[Reply], expected: bool) -> None:
    given = chain(answers, repeat(Reply(500)))
    with stub(lambda _: next(given)) as server:
        assert await reach("bucket", server.endpoint).delete("key", etag='"e"') == expected
        assert len(server.requests) == len(answers)
