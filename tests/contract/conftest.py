"""The stores that the suite runs against, and what is known of each."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import boto3.session
import pytest
from botocore.config import Config
from moto.server import ThreadedMotoServer

from trio_s3_bot.bucket import Bucket
from trio_s3_bot.model import Secret
from trio_s3_bot.patience import Pauses

from . import versitygw

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

ACCESS_KEY, SECRET_KEY = "AKIACONTRACTTESTS000", "contract+tests/secret"


@dataclass(frozen=True)
class Store:
    """A server, and the facts in which servers differ."""

    name: str
    endpoint: str
    knows_keys: bool  # refuses a wrong key, secret or region
    checks_crc32: bool  # compares a CRC32 that is sent along with the bytes
    limits_names: bool  # refuses keys of more than 1024 bytes and metadata of more than 2 KiB
    tells_gone_upload: bool  # answers a part of an unknown upload with 404, not 500

    def client(self) -> S3Client:
        """A client of the tests' own, to arrange things and to look at what the bot did."""
        return _client(self.endpoint)


@cache  # making one takes longer than most of the tests
def _client(endpoint: str) -> S3Client:
    return boto3.session.Session().client(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET_KEY,
        config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
    )


@pytest.fixture(scope="session")
def moto() -> Iterator[Store]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    found = Store(
        "moto",
        f"http://{host}:{port}",
        knows_keys=False,
        checks_crc32=False,
        limits_names=False,
        tells_gone_upload=False,
    )
    yield found
    found.client().close()
    server.stop()


@pytest.fixture(scope="session")
def versity(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    try:
        binary = versitygw.built()
    except versitygw.NotAvailable as error:
        if "CI" in os.environ:
            raise
        pytest.skip(str(error))
    folder = tmp_path_factory.mktemp("versitygw")
    with versitygw.serving(binary, folder, access_key=ACCESS_KEY, secret_key=SECRET_KEY) as endpoint:
        found = Store(
            "versitygw",
            endpoint,
            knows_keys=True,
            checks_crc32=True,
            limits_names=True,
            tells_gone_upload=True,
        )
        yield found
        found.client().close()


@pytest.fixture(params=["moto", "versity"])
def store(request: pytest.FixtureRequest) -> Store:
    found: Store = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def s3(store: Store) -> S3Client:
    return store.client()


@pytest.fixture
def name(s3: S3Client) -> str:
    """The name of an empty bucket of the test's own."""
    fresh = f"test-{secrets.token_hex(6)}"
    s3.create_bucket(Bucket=fresh)
    return fresh


Reach = Callable[..., Bucket]


@pytest.fixture
def reach() -> Iterator[Reach]:
    """Makes a `Bucket` with the tests' keys; whatever is passed comes on top. Closes what it made."""
    made: list[Bucket] = []

    def reach(name: str, endpoint_url: str, **settings: Any) -> Bucket:
        known: dict[str, Any] = {
            "region": "us-east-1",
            "access_key_id": Secret(ACCESS_KEY),
            "secret_access_key": Secret(SECRET_KEY),
            "connect_timeout": 5,
            "read_timeout": 10,
            "pauses": Pauses(0.02, 0.1),
        }
        made.append(Bucket(name, endpoint_url=endpoint_url, **known | settings))
        return made[-1]

    yield reach
    for bucket in made:
        bucket.close()


@pytest.fixture
def bucket(reach: Reach, name: str, store: Store) -> Bucket:
    return reach(name, store.endpoint)
