"""
The boto3 client: how it is configured, in which threads it runs, and its errors translated on the way out.

Nothing here is repeated behind the caller's back. A write whose answer was lost and that botocore sends again comes
back with a false "exists" (412) or "no such upload" (404), so those who know the job repeat it; and a redirect is an
answer like any other, since botocore follows one without a region until the stack overflows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeVar
from urllib.parse import urlsplit

import boto3.session
import trio
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.handlers import add_expect_header

from trio_s3_bot.bucket.body import Body
from trio_s3_bot.bucket.translate import TRANSLATED, reason, short, translate
from trio_s3_bot.errors import CheckFailed
from trio_s3_bot.model import Secret

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

T = TypeVar("T")

CALL_THREADS = 4
"""Threads for what carries no bytes of a document: a question that a chat waits for must not wait for uploads."""

_VIRTUAL_HOSTED = (".aliyuncs.com", ".myqcloud.com", ".volces.com")
"""Services that refuse path-style addresses (`SecondLevelDomainForbidden`), by the end of their host names."""


_SHORTEST_SECRET = 6
"""Characters; to mask "test", or "a", would only spoil the words of an error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How to reach the store; see `Bucket` for what each of them means."""

    endpoint_url: str | None
    region: str | None
    access_key_id: Secret | None
    secret_access_key: Secret | None
    session_token: Secret | None
    proxy: Secret | None
    connect_timeout: float
    read_timeout: float

    def secrets(self) -> tuple[str, ...]:
        """What no error may repeat: the keys, and the passwords in addresses."""
        values = [named.reveal() for named in (self.access_key_id, self.secret_access_key, self.session_token) if named]
        urls = (self.proxy.reveal() if self.proxy else "", self.endpoint_url or "")
        values += [urlsplit(url).password or "" for url in urls]
        return tuple(sorted((value for value in values if len(value) >= _SHORTEST_SECRET), key=len, reverse=True))


class Connection:
    """
    One boto3 client and the threads that call it.

    The client is made at the first call, in a thread: looking for credentials may ask the network.
    """

    def __init__(self, settings: Settings, threads: int) -> None:
        self.settings = settings
        self.bodies = trio.CapacityLimiter(threads)
        self.calls = trio.CapacityLimiter(CALL_THREADS)
        self._pool_size = threads + CALL_THREADS
        self._client: S3Client | None = None
        self._making = trio.Lock()

    @property
    def host(self) -> str:
        """`host:port` of the store, for people; never what else an address may carry."""
        return urlsplit(self._endpoint).netloc.rpartition("@")[2]

    @property
    def scheme(self) -> str:
        """`http` or `https`."""
        return urlsplit(self._endpoint).scheme.lower()

    @property
    def _endpoint(self) -> str:
        return (
            self._client.meta.endpoint_url if self._client else self.settings.endpoint_url or "https://s3.amazonaws.com"
        )

    async def send(self, call: Callable[[S3Client], T]) -> T:
        """
        Run a call that carries a document's bytes. A cancel is noticed when its `Body` is read, and when it is over.

        Raises a `StoreError`.
        """
        return await self._run(call, self.bodies, abandon=False)

    async def call(self, call: Callable[[S3Client], T]) -> T:
        """Run a call whose answer must not be lost (an upload id, an ETag): a cancel waits. Raises a `StoreError`."""
        return await self._run(call, self.calls, abandon=False)

    async def ask(self, call: Callable[[S3Client], T]) -> T:
        """Run a call that may be left to itself when cancelled: a question or an abort. Raises a `StoreError`."""
        return await self._run(call, self.calls, abandon=True)

    def close(self) -> None:
        """Close the idle connections."""
        if self._client is not None:
            self._client.close()

    async def client(self) -> S3Client:
        """The client; made on first use. Raises `CheckFailed` for settings that boto3 doesn't take."""
        if self._client is None:
            async with self._making:
                if self._client is None:
                    self._client = await trio.to_thread.run_sync(self._make, limiter=self.calls)
        return self._client

    async def _run(self, call: Callable[[S3Client], T], limiter: trio.CapacityLimiter, *, abandon: bool) -> T:
        client = await self.client()

        def translated() -> T:
            try:
                return call(client)
            except TRANSLATED as error:
                raise translate(error, host=self.host, hide=self.settings.secrets()) from error

        return await trio.to_thread.run_sync(translated, abandon_on_cancel=abandon, limiter=limiter)

    def _make(self) -> S3Client:
        try:
            return make_client(self.settings, pool_size=self._pool_size)
        except (BotoCoreError, ValueError) as error:  # ValueError: an endpoint that is no URL
            problem = short(reason(error), self.settings.secrets())
            raise CheckFailed(f"The S3 settings can't be used: {problem}.", "Correct them.") from error


def make_client(settings: Settings, *, pool_size: int) -> S3Client:
    """A client for S3, configured by `settings` alone where they say something; boto3's usual sources fill the rest."""
    client = boto3.session.Session().client(
        "s3",
        endpoint_url=settings.endpoint_url,
        region_name=settings.region,
        aws_access_key_id=settings.access_key_id.reveal() if settings.access_key_id else None,
        aws_secret_access_key=settings.secret_access_key.reveal() if settings.secret_access_key else None,
        aws_session_token=settings.session_token.reveal() if settings.session_token else None,
        config=_config(settings, pool_size),
    )
    # "Expect: 100-continue" costs a second for each request to a server that doesn't know it.
    client.meta.events.unregister("before-call.s3", add_expect_header)
    client.meta.events.register_first("needs-retry.s3", _take_errors_as_they_are)
    client.meta.events.register("before-send.s3", _begin_sending)
    return client


def _config(settings: Settings, pool_size: int) -> Config:
    proxy = settings.proxy.reveal() if settings.proxy else None
    return Config(
        signature_version="s3v4",
        user_agent_extra="trio-s3-bot",
        connect_timeout=settings.connect_timeout,
        read_timeout=settings.read_timeout,
        retries={"mode": "standard", "total_max_attempts": 1},
        max_pool_connections=pool_size,
        proxies={"http": proxy, "https": proxy} if proxy else None,
        ignore_configured_endpoint_urls=True,  # type: ignore[call-arg] # missing in boto3-stubs
        # Our own CRC32 goes along where the store knows it; what botocore would add breaks other stores.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        s3={
            "addressing_style": addressing_style(settings.endpoint_url),
            # TLS guards the bytes by itself. Over plain http the signed SHA256 is all there is, at 0.6 CPU s per GB.
            "payload_signing_enabled": (settings.endpoint_url or "https:").lower().startswith("http:"),
        },
    )


def addressing_style(endpoint_url: str | None) -> Literal["virtual", "path"]:
    """
    Path style for an endpoint of one's own, since few have a wildcard name and certificate; virtual-hosted on AWS.

    boto3's own choice on AWS ("auto") signs links for the global endpoint, which doesn't know a new bucket for hours.
    """
    host = urlsplit(endpoint_url or "").hostname
    return "virtual" if host is None or host.endswith(_VIRTUAL_HOSTED) else "path"


def _take_errors_as_they_are(response: tuple[Any, Any] | None, operation: Any, **_: object) -> None:
    """
    Raise what the store refused, before botocore's own handlers ask it again in another region.

    The status becomes the one that was sent; botocore has made a 500 of an error in a 200.
    """
    if response is None:
        return
    http, parsed = response
    if http.status_code >= 300:
        parsed["ResponseMetadata"]["HTTPStatusCode"] = http.raw.status
        raise ClientError(parsed, operation.name)


def _begin_sending(request: Any, **_: object) -> None:
    if isinstance(request.body, Body):
        request.body.begin_sending()
