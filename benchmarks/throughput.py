"""
How fast does a large document go through, and what does it cost? `python benchmarks/throughput.py`.

In one process, and in turns, the same bytes are carried from an HTTP server to an S3 server that throws them away (both
in processes of their own), in four ways:

    sockets          a bare copy from socket to socket, unsigned: the ceiling for one thread
    plain loop       urllib3 reads a part, boto3 uploads it, and so on: what one writes first
    upload_fileobj   boto3's own transfer manager, fed with urllib3's response
    transfer         the bot's, with everything around it: journal, memory budget, conditions, a HEAD in the end

How to read it: look at the ratios, not at the numbers, which are the machine's. `speed` and `CPU` are relative to the
plain loop: more than 1 is good for speed, less than 1 is good for CPU (user and system seconds of this process alone).
The best round of each way counts. Over plain http, boto3 signs the SHA-256 of every part, and so all but the first do.
"""

from __future__ import annotations

import argparse
import logging
import resource
import socket
import sys
import time
from collections.abc import Callable
from typing import IO, TYPE_CHECKING, Any, NamedTuple, cast
from urllib.parse import urlsplit

import boto3
import trio
import urllib3
from botocore.config import Config
from rig import MIB, served_by

from trio_s3_bot.bucket import Bucket, ObjectFacts
from trio_s3_bot.memory import MemoryBudget
from trio_s3_bot.model import Part, Secret, Source
from trio_s3_bot.progress import Meter
from trio_s3_bot.source import Pools
from trio_s3_bot.transfer import UPLOADERS, Plan, Transfer

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PART = 8 * MIB
KEY = "benchmark"
LOGIN: dict[str, Any] = {"aws_access_key_id": KEY, "aws_secret_access_key": KEY, "region_name": "us-east-1"}


class Road(NamedTuple):
    """Where the bytes come from and go to, and how many there are."""

    source: str
    store: str
    size: int


def sockets(road: Road) -> None:
    """recv_into one buffer, sendall from it."""
    room = memoryview(bytearray(MIB))
    with _connected(road.source) as source, _connected(road.store) as store:
        source.sendall(f"GET /{road.size} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        store.sendall(f"PUT /files/{KEY} HTTP/1.1\r\nHost: x\r\nContent-Length: {road.size}\r\n\r\n".encode())
        head = b""
        while b"\r\n\r\n" not in head:
            head += source.recv(1)
        left = road.size
        while left:
            count = source.recv_into(room[:left])
            store.sendall(room[:count])
            left -= count
        assert b" 200 " in store.recv(4096)


def plain_loop(road: Road) -> None:
    """One part after the other."""
    s3 = _client(road)
    response = urllib3.PoolManager().request("GET", f"{road.source}/{road.size}", preload_content=False)
    upload = s3.create_multipart_upload(Bucket="files", Key=KEY)["UploadId"]
    where: Any = {"Bucket": "files", "Key": KEY, "UploadId": upload}
    parts: list[Any] = []
    while piece := response.read(PART):
        answer = s3.upload_part(**where, PartNumber=len(parts) + 1, Body=piece)
        parts.append({"PartNumber": len(parts) + 1, "ETag": answer["ETag"]})
    s3.complete_multipart_upload(**where, MultipartUpload={"Parts": parts})


def upload_fileobj(road: Road) -> None:
    """As in boto3's documentation."""
    response = urllib3.PoolManager().request("GET", f"{road.source}/{road.size}", preload_content=False)
    _client(road).upload_fileobj(cast("IO[bytes]", response), "files", KEY)


def transfer(road: Road) -> None:
    """The bot's, with the settings as shipped."""
    trio.run(_transfer, road)


async def _transfer(road: Road) -> None:
    login = Secret(KEY)
    bucket = Bucket(
        "files",
        endpoint_url=road.store,
        region="us-east-1",
        access_key_id=login,
        secret_access_key=login,
        checksums="when_required",
        threads=UPLOADERS,
    )
    mover = Transfer(bucket, MemoryBudget(64 * MIB, PART), Pools(None, 1), trio.CapacityLimiter(1))
    source = Source(url=Secret(f"{road.source}/{road.size}"), size=road.size)
    plan = Plan(KEY, ObjectFacts(), only_if_absent=False)
    await mover.run(source, plan, _Journal(), Meter(road.size))
    bucket.close()


class _Journal:
    """Written to nowhere: two commits and one a part, of a millisecond each, are missing here."""

    async def creating(self, part_size: int) -> None: ...
    async def created(self, upload_id: str) -> None: ...
    async def part_done(self, part: Part) -> None: ...


WAYS = (sockets, plain_loop, upload_fileobj, transfer)


def _connected(url: str) -> socket.socket:
    return socket.create_connection(("127.0.0.1", urlsplit(url).port or 80))


def _client(road: Road) -> S3Client:
    settings: Any = {"request_checksum_calculation": "when_required", "s3": {"addressing_style": "path"}}
    return boto3.session.Session().client("s3", endpoint_url=road.store, config=Config(**settings), **LOGIN)


def measured(way: Callable[[Road], None], road: Road) -> tuple[float, float]:
    """MB a second, and CPU seconds a GB."""
    before, began = _cpu(), time.perf_counter()
    way(road)
    took = time.perf_counter() - began
    return road.size / took / 1e6, (_cpu() - before) / road.size * 1e9


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main(size: int, rounds: int) -> None:
    """Take turns, then print the table."""
    found: dict[str, list[tuple[float, float]]] = {way.__name__: [] for way in WAYS}
    with served_by("source.py") as (source, _), served_by("sink.py") as (store, _):
        for _ in range(rounds):
            for way in WAYS:
                found[way.__name__].append(measured(way, Road(source, store, size * MIB)))
    best = {name: (max(speed for speed, _ in them), min(cpu for _, cpu in them)) for name, them in found.items()}
    base = best[plain_loop.__name__]
    sys.stdout.write(f"{'':<16} {'MB/s':>6} {'speed':>6}   {'CPU s/GB':>8} {'CPU':>5}\n")
    for name, (speed, cpu) in best.items():
        label = name.replace("plain_loop", "plain loop")
        sys.stdout.write(f"{label:<16} {speed:6.0f} {speed / base[0]:6.2f}   {cpu:8.2f} {cpu / base[1]:5.2f}\n")


if __name__ == "__main__":
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    parser = argparse.ArgumentParser(description=(__doc__ or "").strip().split("\n")[0])
    parser.add_argument("--size", type=int, default=512, help="MiB of the document (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=4, help="how often each way is tried (default: %(default)s)")
    given = parser.parse_args()
    main(given.size, given.rounds)
