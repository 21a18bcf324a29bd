"""What the check at start says when something is wrong: one line with what was found and what to do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from trio_s3_bot.bucket import Body, Bucket, ObjectFacts
from trio_s3_bot.errors import CheckFailed, StoreUnavailable
from trio_s3_bot.model import Secret

from .conftest import Reach, Store
from .stub import HANG_UP, Reply, Request, closed, error, forward, mute, stub
from .tls import self_signed

LISTED = Reply(body=b"<ListBucketResult><Name>bucket</Name></ListBucketResult>")
LONG_AGO = {"Date": "Fri, 02 Jan 2026 03:04:05 GMT"}
HTML = b"<!doctype html><meta charset=utf-8><title>Console</title>"

ADVICE: list[tuple[str, Reply, str, str]] = [
    ("no bucket", error(404, "NoSuchBucket"), "There is no bucket bucket at {host}.", "Create it"),
    ("no list", error(403, "AccessDenied"), "may not list bucket.", "Allow s3:ListBucket"),
    ("bare 403", Reply(403), "may not list bucket.", "Allow s3:ListBucket"),
    ("unknown key", error(403, "InvalidAccessKeyId"), "doesn't know the access key id", "aws_access_key_id"),
    ("wrong secret", error(403, "SignatureDoesNotMatch"), "secret access key", "aws_secret_access_key"),
    ("expired", error(400, "ExpiredToken"), "credentials have expired", "Get new ones"),
    ("skewed", error(403, "RequestTimeTooSkewed", headers=LONG_AGO), r"min ahead of that of {host}", "NTP"),
    ("skewed and said otherwise", error(403, "AccessDenied", headers=LONG_AGO), r"min ahead of that of", "NTP"),
    (
        "region in the body",
        error(400, "AuthorizationHeaderMalformed", more="<Region>eu-west-3</Region>"),
        "is in the region eu-west-3",
        "Set [s3] region = eu-west-3.",
    ),
    (
        "region in a header",
        Reply(301, headers={"x-amz-bucket-region": "eu-west-3"}),
        "is in the region eu-west-3",
        "Set [s3] region = eu-west-3.",
    ),
    (
        "redirect",
        Reply(308, headers={"Location": "https://s3.example.org/bucket?list-type=2"}),
        r"{host} sends us to https://s3\.example\.org\.",
        "Set [s3] endpoint_url to that",
    ),
    ("redirect to nowhere", Reply(301), "{host} redirects without end.", "Correct [s3] endpoint_url"),
    ("web console", Reply(200, HTML, {"Content-Type": "text/html"}), "{host} doesn't speak S3.", "web console"),
    ("well-formed page", Reply(200, b"<html/>", {"Content-Type": "text/html"}), "doesn't speak S3.", "web console"),
    ("web server", Reply(404, HTML, {"Content-Type": "text/html"}), "{host} doesn't speak S3.", "web console"),
    ("something else", error(400, "Odd", "so to say"), "ListObjectsV2: 400 Odd so to say", "Correct"),
]


@pytest.mark.parametrize(("reply", "what", "advice"), [pytest.param(*row[1:], id=row[0]) for row in ADVICE])
async def test_each_refusal_has_its_advice(reach: Reach, reply: Reply, what: str, advice: str) -> None:
    with stub(lambda _: reply) as server:
        with pytest.raises(CheckFailed) as caught:
            await reach("bucket", server.endpoint).check()
        assert re.search(what.format(host=server.address), caught.value.what)
        assert advice in caught.value.advice
        assert "\n" not in str(caught.value)
        assert len(server.requests) == 1


async def test_a_bucket_that_can_only_be_listed_is_told_apart(reach: Reach) -> None:
    def script(asked: Request) -> Reply:
        return LISTED if asked.method == "GET" else error(403, "AccessDenied")

    with stub(script) as server, pytest.raises(CheckFailed, match="may list bucket but not write") as caught:
        await reach("bucket", server.endpoint).check()
    assert "s3:PutObject" in caught.value.advice


@pytest.mark.parametrize("reply", [error(503, "SlowDown"), Reply(502, HTML, {"Content-Type": "text/html"}), HANG_UP])
async def test_an_outage_is_no_mistake_of_the_operator(reach: Reach, reply: Reply | None) -> None:
    with stub(lambda _: reply) as server, pytest.raises(StoreUnavailable):
        await reach("bucket", server.endpoint).check()


async def test_a_missing_bucket_is_named(reach: Reach, store: Store) -> None:
    with pytest.raises(CheckFailed, match="There is no bucket no-such-bucket"):
        await reach("no-such-bucket", store.endpoint).check()


async def test_an_unknown_access_key_is_found(reach: Reach, versity: Store) -> None:
    with pytest.raises(CheckFailed, match="access key id"):
        await reach("any", versity.endpoint, access_key_id=Secret("AKIANOBODYKNOWSTHIS0")).check()


async def test_a_wrong_secret_is_found(reach: Reach, versity: Store) -> None:
    with pytest.raises(CheckFailed, match="secret access key"):
        await reach("any", versity.endpoint, secret_access_key=Secret("not the right one")).check()


async def test_a_wrong_region_is_found_with_the_right_one(reach: Reach, versity: Store) -> None:
    with pytest.raises(CheckFailed, match="us-east-1") as caught:
        await reach("any", versity.endpoint, region="eu-west-3").check()
    assert caught.value.advice == "Set [s3] region = us-east-1."


async def test_a_port_that_nobody_listens_on_is_named(reach: Reach) -> None:
    with closed() as address, pytest.raises(StoreUnavailable, match=f"^{address}: Connection refused$"):
        await reach("bucket", f"http://{address}").check()


async def test_a_server_that_never_speaks_is_an_outage(reach: Reach) -> None:
    with mute() as address, pytest.raises(StoreUnavailable, match=f"^{address}: no answer in time$"):
        await reach("bucket", f"http://{address}", read_timeout=0.2).check()


async def test_https_to_a_port_without_tls_is_found(reach: Reach, moto: Store) -> None:
    with pytest.raises(CheckFailed, match="doesn't speak TLS") as caught:
        await reach("bucket", moto.endpoint.replace("http:", "https:")).check()
    assert caught.value.advice == "Write http:// in [s3] endpoint_url."


async def test_http_to_a_port_with_tls_is_found(reach: Reach, tmp_path: Path) -> None:
    tls, _ = self_signed(tmp_path)
    with stub(lambda _: LISTED, tls) as server, pytest.raises(CheckFailed, match="speaks TLS") as caught:
        await reach("bucket", f"http://{server.address}").check()
    assert caught.value.advice == "Write https:// in [s3] endpoint_url."


async def test_a_certificate_that_nobody_vouches_for_is_found(reach: Reach, tmp_path: Path) -> None:
    tls, _ = self_signed(tmp_path)
    with stub(lambda _: LISTED, tls) as server, pytest.raises(CheckFailed, match="self-signed certificate") as caught:
        await reach("bucket", server.endpoint).check()
    assert "AWS_CA_BUNDLE" in caught.value.advice


async def test_over_tls_the_body_is_not_signed_and_arrives(
    reach: Reach, moto: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tls, certificate = self_signed(tmp_path)
    monkeypatch.setenv("AWS_CA_BUNDLE", str(certificate))
    moto.client().create_bucket(Bucket="over-tls")
    seen: list[int] = []
    with stub(lambda asked: forward(moto.endpoint, asked), tls) as server:
        bucket = reach("over-tls", server.endpoint)
        await bucket.check()
        await bucket.put("key", Body(b"x" * 1_000_000, seen.append), ObjectFacts())
        sent = server.requests[-1]
    assert sent.headers["x-amz-content-sha256"] == "UNSIGNED-PAYLOAD"
    assert sent.headers["content-length"] == "1000000"
    assert sent.body == b"x" * 1_000_000
    assert seen == sorted(seen)


async def test_missing_credentials_are_found(reach: Reach, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nowhere(tmp_path, monkeypatch)
    with stub(lambda _: LISTED) as server, pytest.raises(CheckFailed, match="no S3 credentials"):
        await reach("bucket", server.endpoint, access_key_id=None, secret_access_key=None).check()


async def test_half_of_the_credentials_are_found(reach: Reach, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nowhere(tmp_path, monkeypatch)
    with stub(lambda _: LISTED) as server, pytest.raises(CheckFailed, match="Partial credentials"):
        await reach("bucket", server.endpoint, secret_access_key=None).check()


def nowhere(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Take away all other sources of credentials."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(folder / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(folder / "none"))


@pytest.mark.parametrize("endpoint", ["127.0.0.1:9000", "http://", "s3.example.org"])
async def test_an_endpoint_that_is_no_url_is_found(reach: Reach, endpoint: str) -> None:
    with pytest.raises(CheckFailed, match="Invalid endpoint"):
        await reach("bucket", endpoint).check()


@pytest.mark.parametrize("name", ["not a bucket", "", "a/b"])
async def test_a_name_that_no_bucket_can_have_is_found(reach: Reach, moto: Store, name: str) -> None:
    with pytest.raises(CheckFailed, match="can't be the name of a bucket"):
        await reach(name, moto.endpoint).check()


async def test_the_check_passes_after_the_outage_is_over(bucket: Bucket, reach: Reach, store: Store) -> None:
    """The same `Bucket` is asked again; a failed check leaves no mark on it."""
    outage = [True]

    def script(asked: Request) -> Reply | None:
        return HANG_UP if outage else forward(store.endpoint, asked)

    with stub(script) as server:
        away = reach(bucket.name, server.endpoint)
        with pytest.raises(StoreUnavailable):
            await away.check()
        outage.clear()
        assert (await away.check()).conditions_on_put
