"""How the runs of the program end, drawn from a seed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from random import Random

import trio
from trio_util import wait_any

from tests.sides import Side
from trio_s3_bot.sandbox.faults import When
from trio_s3_bot.sandbox.vk import DOC_ROUTE, FILE_ROUTE

from . import holds
from .ground import PART_SIZE, Ground
from .program import Instant
from .workload import Workload

ASKED = {
    "telegram": ("poll", "resolve", FILE_ROUTE, "send", "edit", "press"),
    "vk": ("poll", "groups.getLongPollServer", "resolve", DOC_ROUTE, FILE_ROUTE, "send", "edit", "press"),
}
"""Calls to each messenger, as `holds.messenger` knows them."""
STORED = (
    "HeadObject",
    "PutObject",
    "ListMultipartUploads",
    "CreateMultipartUpload",
    "UploadPart",
    "ListParts",
    "CompleteMultipartUpload",
    "AbortMultipartUpload",
    "UploadPartCopy",
    "DeleteObject",
)
LATEST = 2.5
"""Seconds from a start to an end that is not placed at a request."""


async def run_that_ends(ground: Ground, workload: Workload, random: Random) -> None:
    """One run while people go on writing; it is ended when all is done at the latest, nearly always by force."""
    _configure(ground, random)
    gently, later = random.random() < 0.15, random.random() < 0.6
    kind = _after_some_time if gently else random.choice((_after_some_time, _at_a_request, _at_a_call, _at_a_call))
    with kind(ground, random) as instant:
        async with trio.open_nursery() as nursery:
            written = trio.Event()

            async def write() -> None:
                if later:
                    await ground.polled()
                await workload.go_on()
                written.set()

            async def idle() -> None:
                await written.wait()
                await ground.done()

            nursery.start_soon(write)
            await (ground.stopped_at if gently else ground.killed_at)(partial(wait_any, instant, idle))
            nursery.cancel_scope.cancel()


def _configure(ground: Ground, random: Random) -> None:
    """Between two runs the operator may change settings; an upload that was begun with other parts begins anew."""
    ground.program.set("worker", "concurrent_workers", random.choice("1248"))
    ground.program.set("uploads", "part_size", str(random.choice((PART_SIZE, PART_SIZE, PART_SIZE + 2**20))))


@contextmanager
def _after_some_time(ground: Ground, random: Random) -> Iterator[Instant]:
    """While it starts, or later."""
    delay, polling = random.uniform(0, LATEST), random.random() < 0.6
    ground.program.note(f"to end after {delay:.2f} s{' of polling' if polling else ''}")

    async def passed() -> None:
        if polling:
            await ground.polled()
        await trio.sleep(delay)

    yield passed


@contextmanager
def _at_a_request(ground: Ground, random: Random) -> Iterator[Instant]:
    """At a request of any kind."""
    side, when, skip = random.choice((*ground.sides, None)), random.choice(list(When)), random.randrange(30)
    with _held(ground, side, None, when, skip) as instant:
        yield instant


@contextmanager
def _at_a_call(ground: Ground, random: Random) -> Iterator[Instant]:
    """At a request of a kind that is too rare to be met by counting requests."""
    calls = [(side, call) for side in ground.sides for call in ASKED[side.name]] + [(None, call) for call in STORED]
    (side, call), when, skip = random.choice(calls), random.choice(list(When)), random.randrange(3)
    with _held(ground, side, call, when, skip) as instant:
        yield instant


@contextmanager
def _held(ground: Ground, side: Side | None, call: str | None, when: When, skip: int) -> Iterator[Instant]:
    """At a call to one of the messengers, or to the store."""
    ground.program.note(f"to end {when.value} {call or 'any call'} {skip} to {side.name if side else 'the store'}")
    hold = holds.store(call, when, skip=skip) if side is None else holds.messenger(call, when, skip=skip, side=side)
    with hold(ground) as held:
        yield held.reached.wait
