"""
One document: stream down, stream up. Knows nothing of chats.

One thread reads the source into part-sized buffers from the common memory budget; as each fills up, others send it to
the store. So download and upload overlap, and a document takes as much memory as two or three parts, whatever its
size. What fits into one part is one conditional PutObject; what doesn't is a multipart upload, recorded step by step
in a journal, so that an attempt can go on where an earlier one ended.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from typing import Protocol

import trio
from trio_util import periodic

from trio_s3_bot.bucket import Body, Bucket, ObjectFacts
from trio_s3_bot.errors import DocumentRefused, Reason, SourceUnavailable, UploadConflict
from trio_s3_bot.memory import MemoryBudget
from trio_s3_bot.model import Part, Source
from trio_s3_bot.progress import Meter
from trio_s3_bot.source import Pools, Reader

UPLOADERS = 2  # parts of one document on their way at the same time; more is slower on two cores
LOOKS_PER_PIECE = 10  # looks at whether a piece of a document comes too slowly, in the time that it may take
MOST_PARTS = 10_000  # Amazon S3, "Multipart upload limits"


class Journal(Protocol):
    """Where a multipart upload is written down; each call returns once that is durable."""

    async def creating(self, part_size: int) -> None: ...
    async def created(self, upload_id: str) -> None: ...
    async def part_done(self, part: Part) -> None: ...


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A multipart upload that an earlier attempt left, with its full parts that the store has."""

    upload_id: str
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """
    What one attempt is to do: `key` and `facts` of the object, the largest size it may have (bytes), whether it may
    replace an object of that name, and what there is to go on with.
    """

    key: str
    facts: ObjectFacts
    size_limit: int | None = None
    only_if_absent: bool = True
    unfinished: Unfinished | None = None


@dataclass(frozen=True, slots=True)
class Stored:
    """What was stored: size in bytes and ETag."""

    size: int
    etag: str


@dataclass(slots=True)
class _Filled:
    """Part `number` of a document, in the first `size` bytes of `buffer`; `last` when nothing comes after it."""

    number: int
    buffer: bytearray
    size: int
    last: bool


@dataclass(slots=True)
class _Multipart:
    """A multipart upload under way."""

    upload_id: str
    parts: dict[int, Part] = field(default_factory=dict)


class Transfer:
    """Moves documents into `bucket`, all of them together within `memory`; `downloads` bounds the reading threads."""

    def __init__(self, bucket: Bucket, memory: MemoryBudget, pools: Pools, downloads: trio.CapacityLimiter) -> None:
        self._bucket = bucket
        self._memory = memory
        self._pools = pools
        self._downloads = downloads

    @property
    def part_size(self) -> int:
        """The size of the parts of a multipart upload, in bytes."""
        return self._memory.part_size

    async def run(self, source: Source, plan: Plan, journal: Journal, meter: Meter) -> Stored:
        """
        Store the document under `plan.key`; returns once the store has confirmed its size.

        Raises, often inside an exception group: `DocumentRefused`, `SourceUnavailable`, `SourceExpired`, and what
        `Bucket` raises. A multipart upload that isn't completed then is left as the journal has it.
        """
        part_size = self._memory.part_size
        _check_size(source.size or 0, plan, part_size)
        found = plan.unfinished
        multipart = _Multipart(found.upload_id, {part.number: part for part in found.parts}) if found else None
        meter.begin(sum(part.size for part in found.parts) if found else 0)
        download = _Download(source, plan, self._memory, self._downloads, multipart, meter)
        async with download.reading(self._pools) as filled:
            return await _Upload(self._bucket, self._memory, plan, journal, meter).run(filled, multipart)


class _Download:
    """The reading half of an attempt."""

    def __init__(
        self,
        source: Source,
        plan: Plan,
        memory: MemoryBudget,
        threads: trio.CapacityLimiter,
        multipart: _Multipart | None,
        meter: Meter,
    ) -> None:
        self._source = source
        self._meter = meter
        self._plan = plan
        self._memory = memory
        self._threads = threads
        self._have = dict(multipart.parts) if multipart else {}

    @asynccontextmanager
    async def reading(self, pools: Pools) -> AsyncIterator[trio.MemoryReceiveChannel[_Filled]]:
        """Read in threads while the block runs; its end, however it comes, ends the reading at once."""
        send, receive = trio.open_memory_channel[_Filled](0)
        reader = Reader(self._source, pools)
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._read, reader, send)
                nursery.start_soon(_interrupt_in_the_end, reader)
                nursery.start_soon(_interrupt_when_too_slow, reader, pools.piece)
                yield receive
                nursery.cancel_scope.cancel()
        finally:
            reader.close()

    async def _read(self, reader: Reader, send: trio.MemorySendChannel[_Filled]) -> None:
        """
        Fill one buffer after the other; the parts that the store has already are passed over.

        The channel's end says that the document is whole, so it isn't closed when reading fails.
        """
        position, number, last = 0, 1, False
        while not last:
            if number in self._have:
                position += self._have[number].size
                last = position == self._source.size
            else:
                filled = await self._fill(reader, position, number)
                position, last = position + filled.size, filled.last
                await self._hand_over(filled, send)
            number += 1
        send.close()

    async def _fill(self, reader: Reader, position: int, number: int) -> _Filled:
        room = self._memory.part_size
        # One byte more than announced shows the end, and a source that is longer than it says.
        wanted = room if self._source.size is None else min(room, self._source.size - position + 1)
        buffer = await self._memory.take(wanted)
        try:
            if not reader.is_at(position):
                await trio.to_thread.run_sync(reader.go_to, position, abandon_on_cancel=True, limiter=self._threads)
            view, count = memoryview(buffer)[:wanted], self._meter.fetched(number)
            size = await trio.to_thread.run_sync(reader.read_into, view, count, limiter=self._threads)
            last = size < wanted
            _check_size(position + size, self._plan, room)
            _check_end(position + size, self._source.size, last=last)
        except BaseException:
            self._memory.give_back(buffer)
            raise
        return _Filled(number, buffer, size, last)

    async def _hand_over(self, filled: _Filled, send: trio.MemorySendChannel[_Filled]) -> None:
        try:
            await send.send(filled)
        except BaseException:
            self._memory.give_back(filled.buffer)
            raise


class _Upload:
    """The writing half of an attempt."""

    def __init__(self, bucket: Bucket, memory: MemoryBudget, plan: Plan, journal: Journal, meter: Meter) -> None:
        self._bucket = bucket
        self._memory = memory
        self._plan = plan
        self._journal = journal
        self._meter = meter

    async def run(self, filled: trio.MemoryReceiveChannel[_Filled], multipart: _Multipart | None) -> Stored:
        """Store what comes through `filled`: in one request if it is one part, else in parts."""
        try:
            first = await filled.receive()
        except trio.EndOfChannel:
            # All parts are in the store already.
            assert multipart is not None
            return await self._complete(multipart)
        if multipart is None and first.last:
            return await self._put(first)
        multipart = multipart or await self._create(first)
        async with trio.open_nursery() as nursery:
            for _ in range(UPLOADERS - 1):
                nursery.start_soon(self._send_all, filled, multipart)
            await self._send(first, multipart)
            await self._send_all(filled, multipart)
        return await self._complete(multipart)

    async def _put(self, whole: _Filled) -> Stored:
        try:
            body = Body(memoryview(whole.buffer)[: whole.size], self._meter.sent(1))
            plan = self._plan
            etag = await self._bucket.put(plan.key, body, plan.facts, only_if_absent=plan.only_if_absent)
        finally:
            self._memory.give_back(whole.buffer)
        return await self._confirmed(whole.size, etag)

    async def _create(self, first: _Filled) -> _Multipart:
        try:
            await self._journal.creating(self._memory.part_size)
            # From the answer to its record nothing may interrupt: an id that is lost is an upload that nobody owns.
            with trio.CancelScope(shield=True):
                upload_id = await self._bucket.create_upload(self._plan.key, self._plan.facts)
                await self._journal.created(upload_id)
        except BaseException:
            self._memory.give_back(first.buffer)
            raise
        return _Multipart(upload_id)

    async def _send_all(self, filled: trio.MemoryReceiveChannel[_Filled], multipart: _Multipart) -> None:
        async for part in filled:
            await self._send(part, multipart)

    async def _send(self, filled: _Filled, multipart: _Multipart) -> None:
        try:
            if filled.size == 0:
                return  # the document ended with the part before
            body = Body(memoryview(filled.buffer)[: filled.size], self._meter.sent(filled.number))
            part = await self._bucket.upload_part(self._plan.key, multipart.upload_id, filled.number, body)
        finally:
            self._memory.give_back(filled.buffer)
        await self._journal.part_done(part)
        multipart.parts[part.number] = part

    async def _complete(self, multipart: _Multipart) -> Stored:
        parts = [multipart.parts[number] for number in sorted(multipart.parts)]
        plan = self._plan
        etag = await self._bucket.complete_upload(
            plan.key, multipart.upload_id, parts, only_if_absent=plan.only_if_absent
        )
        return await self._confirmed(sum(part.size for part in parts), etag)

    async def _confirmed(self, size: int, etag: str) -> Stored:
        """Ask the store what it holds now, before anybody is told that it is saved."""
        found = await self._bucket.head(self._plan.key)
        if found is None or found.size != size:
            raise UploadConflict(f"{size} bytes were stored, and the store has {found.size if found else 'none'}")
        return Stored(size, etag)


async def _interrupt_in_the_end(reader: Reader) -> None:
    """A thread that waits for the network sees no cancel; closing its socket under it does it."""
    try:
        await trio.sleep_forever()
    finally:
        reader.interrupt()


async def _interrupt_when_too_slow(reader: Reader, longest: float) -> None:
    """What only trickles in would hold its slot for days: `longest` is in seconds, for a piece."""
    async with aclosing(periodic(longest / LOOKS_PER_PIECE)) as ticks:
        async for _ in ticks:
            if reader.waits_for() > longest:
                reader.interrupt()
                return


def _check_size(size: int, plan: Plan, part_size: int) -> None:
    if plan.size_limit is not None and size > plan.size_limit:
        raise DocumentRefused(Reason.TOO_BIG_FOR_OPERATOR, f"{size} bytes", limit=plan.size_limit)
    if size > MOST_PARTS * part_size:
        raise DocumentRefused(Reason.TOO_BIG_FOR_STORE, f"{size} bytes need more than {MOST_PARTS} parts")


def _check_end(position: int, size: int | None, *, last: bool) -> None:
    if size is not None and (position > size or (last and position < size)):
        raise SourceUnavailable(f"{position} bytes came where {size} were announced")
