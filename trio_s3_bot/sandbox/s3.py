"""
An S3 server on loopback (moto), and a look into its buckets without HTTP.

Each server has an account of its own in moto's backend, so that several in one process don't see each other's buckets,
even of the same name. Only a bucket that a client creates itself needs a name that no other server has.
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

import trio
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from moto.s3.models import FakeBucket, FakeKey, FakeMultipart, S3Backend, s3_backends
from werkzeug.serving import BaseWSGIServer, make_server

from .serving import ungrouped
from .world import Changes, Content, as_content

T = TypeVar("T")

META = "x-amz-meta-"
STOP_WITHIN = 0.05
"""Seconds between two looks of the server's thread at whether it should stop."""

log = logging.getLogger(__name__)
_accounts = itertools.count(700_000_000_001)


@dataclass(frozen=True)
class S3Object:
    """An object of a bucket: `size` in bytes, `etag` with its quotes, `modified` in Unix seconds."""

    key: str
    size: int
    etag: str
    modified: float
    content_type: str | None
    metadata: Mapping[str, str]
    headers: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True)
class S3Upload:
    """A multipart upload that was neither completed nor aborted; `parts` are sizes in bytes by part number."""

    key: str
    id: str
    parts: Mapping[int, int]


class S3:
    """
    One server and its buckets. The keys are accepted, as any others are: moto checks no signature.

    `changes` rings after each request that writes.
    """

    def __init__(self, backend: S3Backend, buckets: Sequence[str], region: str) -> None:
        self.endpoint_url = ""
        self.access_key = "sandbox"
        self.secret_key = "sandbox-secret"  # noqa: S105
        self.region = region
        self.changes = Changes()
        self._backend = backend
        for name in buckets:
            # Directly, because S3's name space is global: moto refuses a name that any account has.
            backend.buckets[name] = cast("Any", FakeBucket)(name, backend.account_id, region)

    def objects(self, bucket: str) -> dict[str, S3Object]:
        """The newest version of each object, by key, in the order they were first written."""
        found = (self._key(bucket, name) for name in list(dict.keys(self._bucket(bucket).keys)))
        return {key.name: _described(key) for key in found if key}

    def content(self, bucket: str, key: str) -> Content:
        """The bytes of an object, read as they are needed; `KeyError` if there is none."""
        found = self._key(bucket, key)
        if found is None:
            raise KeyError(key)
        return Content(found.contentsize, _reader(found))

    def read(self, bucket: str, key: str) -> bytes:
        """All bytes of an object; `KeyError` if there is none."""
        content = self.content(bucket, key)
        return content.read(0, content.size)

    def put(self, bucket: str, key: str, content: Content | bytes, metadata: Mapping[str, str] | None = None) -> None:
        """Write an object behind the bot's back."""
        body = as_content(content)
        written = self._backend.put_object(bucket, key, body.read(0, body.size))
        written.set_metadata({META + name: value for name, value in (metadata or {}).items()})
        self.changes.announce()

    def delete(self, bucket: str, key: str) -> None:
        """Delete an object behind the bot's back."""
        self._backend.delete_object(bucket, key)
        self.changes.announce()

    def uploads(self, bucket: str) -> list[S3Upload]:
        """Multipart uploads in progress or forgotten."""
        found: list[FakeMultipart] = list(self._bucket(bucket).multiparts.values())
        return [
            S3Upload(upload.key_name, upload.id, {number: part.contentsize for number, part in upload.parts.items()})
            for upload in found
        ]

    async def wait(self, condition: Callable[[], T | None]) -> T:
        """Wait until `condition()` is true, looking again after each write; returns what it gave."""
        return await self.changes.until(condition)

    def _bucket(self, name: str) -> FakeBucket:
        return self._backend.buckets[name]

    def _key(self, bucket: str, name: str) -> FakeKey | None:
        key = self._bucket(bucket).keys.get(name)
        return key if isinstance(key, FakeKey) else None


@asynccontextmanager
async def open_s3(buckets: Sequence[str] = ("files",), *, region: str = "us-east-1") -> AsyncIterator[S3]:
    """Serve S3 with these buckets on 127.0.0.1 until the block ends; then its buckets are gone."""
    account = str(next(_accounts))
    s3 = S3(s3_backends[account]["aws"], buckets, region)
    server = await trio.to_thread.run_sync(_server, _Application(account, s3.changes))
    s3.endpoint_url = f"http://127.0.0.1:{server.server_address[1]}"
    stopped = trio.Event()

    async def serve() -> None:
        await trio.to_thread.run_sync(server.serve_forever, STOP_WITHIN, limiter=trio.CapacityLimiter(1))
        stopped.set()

    with ungrouped():
        async with trio.open_nursery() as nursery:
            nursery.start_soon(serve)
            try:
                yield s3
            finally:
                with trio.CancelScope(shield=True):
                    await trio.to_thread.run_sync(server.shutdown)
                    await stopped.wait()
                    server.server_close()
                    _forget(account)


def _server(app: _Application) -> BaseWSGIServer:
    return make_server("127.0.0.1", 0, app, threaded=True, request_handler=_QuietHandler)


def _forget(account: str) -> None:
    """Drop an account's buckets and close the temporary files that hold what is in them."""
    backend = s3_backends.pop(account)["aws"]
    for bucket in backend.buckets.values():
        for name in list(dict.keys(bucket.keys)):
            bucket.keys.pop(name)
        for upload in bucket.multiparts.values():
            upload.dispose()
        if s3_backends.bucket_accounts.get(bucket.name) == ("aws", account):
            del s3_backends.bucket_accounts[bucket.name]


class _Application:
    """moto's WSGI application as seen from one account; a bell rings in trio after each write."""

    def __init__(self, account: str, changes: Changes) -> None:
        self._account = account
        self._changes = changes
        self._trio = trio.lowlevel.current_trio_token()
        self._moto = DomainDispatcherApplication(create_backend_app)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        environ["HTTP_X_MOTO_ACCOUNT_ID"] = self._account
        answer: Iterable[bytes] = self._moto(environ, start_response)
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            with suppress(trio.RunFinishedError):
                self._trio.run_sync_soon(self._changes.announce, idempotent=True)
        return answer


class _QuietHandler(MotoRequestHandler):
    """Requests are no news: werkzeug would print each of them."""

    def log(self, type: str, message: str, *args: Any) -> None:
        log.log(logging.ERROR if type == "error" else logging.DEBUG, message, *args)


def _described(key: FakeKey) -> S3Object:
    headers = {name.lower(): value for name, value in key.metadata.items()}
    metadata = {name.removeprefix(META): value for name, value in headers.items() if name.startswith(META)}
    modified = key.last_modified.timestamp()
    return S3Object(key.name, key.contentsize, key.etag, modified, headers.get("content-type"), metadata, headers)


def _reader(key: FakeKey) -> Callable[[int, int], bytes]:
    def read(offset: int, length: int) -> bytes:
        with key.lock:
            key._value_buffer.seek(offset)
            return bytes(key._value_buffer.read(length))

    return read
