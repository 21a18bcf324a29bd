"""A store that keeps nothing but what it has to remember, and a transfer to it that takes time and moves no bytes."""

from __future__ import annotations

from collections.abc import Callable

import trio
from trio_util import RepeatedEvent

from trio_s3_bot.bucket import Bucket, ObjectFacts
from trio_s3_bot.bucket.objects import OpenUpload
from trio_s3_bot.errors import KeyTaken, ObjectGone, UploadGone
from trio_s3_bot.model import Part, Source, StoredObject
from trio_s3_bot.progress import Meter
from trio_s3_bot.transfer import Journal, Plan, Stored, Transfer

PART_SIZE = 8 * 2**20


class StoreInMemory(Bucket):
    """
    A store that keeps nothing but what it has to remember.

    Every request takes `latency` seconds. `fault` is the error that every request gets, if any; `lost` the one that is
    got in place of the answer, once what was asked for is done.
    """

    def __init__(self) -> None:
        self.objects: dict[str, StoredObject] = {}
        self.open_uploads: dict[str, str] = {}
        self.parts: dict[str, list[Part]] = {}
        self.asked: list[float] = []
        self.latency = 0.0
        self.fault: Callable[[], Exception | None] = lambda: None
        self.lost: Callable[[], Exception | None] = lambda: None
        self._created = 0
        self._stored = RepeatedEvent()
        self._written = 0

    async def head(self, key: str) -> StoredObject | None:
        await self._work()
        return self.objects.get(key)

    async def keys(self, prefix: str, *, limit: int | None = None) -> list[str]:
        await self._work()
        return sorted(key for key in self.objects if key.startswith(prefix))[:limit]

    async def delete(self, key: str, *, etag: str | None = None) -> bool:
        await self._work()
        if key not in self.objects or etag not in (None, self.objects[key].etag):
            return False
        self._put(key, None)
        self._answer()
        return True

    async def rename(self, old: str, new: str, facts: ObjectFacts, *, etag: str) -> str:
        """In the steps of the real one, any of which may be the last."""
        source, target = await self.head(old), await self.head(new)
        if target is None:
            if source is None or source.etag != etag:
                raise ObjectGone(old)
            target = await self._copy(old, new, facts)
        elif not facts.metadata.items() <= target.metadata.items():
            raise KeyTaken(new)
        await self.delete(old, etag=etag)
        return target.etag

    async def _copy(self, old: str, new: str, facts: ObjectFacts) -> StoredObject:
        await self._work()
        if new in self.objects:
            raise KeyTaken(new)
        copied = self._new_object(self.objects[old].size, facts)
        self._put(new, copied)
        self._answer()
        return copied

    async def list_parts(self, key: str, upload_id: str) -> list[Part]:
        await self._work()
        if self.open_uploads.get(upload_id) != key:
            raise UploadGone(f"no upload {upload_id}")
        return list(self.parts.get(upload_id, ()))

    async def list_uploads(self, prefix: str = "") -> list[OpenUpload]:
        await self._work()
        return [OpenUpload(key, id_) for id_, key in self.open_uploads.items() if key.startswith(prefix)]

    async def abort_upload(self, key: str, upload_id: str) -> None:
        await self._work()
        assert self.open_uploads.pop(upload_id, key) == key
        self._answer()

    async def create(self, key: str) -> str:
        """Begin a multipart upload."""
        await self._work()
        self._created += 1
        upload_id = f"upload {self._created}"
        self.open_uploads[upload_id] = key
        self._answer()
        return upload_id

    async def store(self, plan: Plan, size: int, upload_id: str | None) -> Stored:
        """What a transfer ends with: a write, unless the plan says otherwise on condition that nothing stands there."""
        await self._work()
        if upload_id is not None and self.open_uploads.get(upload_id) != plan.key:
            raise UploadGone(f"no upload {upload_id}")
        if plan.only_if_absent and plan.key in self.objects:
            raise KeyTaken(plan.key)
        written = self._new_object(size, plan.facts)
        self._put(plan.key, written)
        self.open_uploads.pop(upload_id or "", None)
        self._answer()
        return Stored(size, written.etag)

    def _new_object(self, size: int, facts: ObjectFacts) -> StoredObject:
        self._written += 1
        return StoredObject(size, f'"{self._written}"', dict(facts.metadata))

    def _put(self, key: str, found: StoredObject | None) -> None:
        """All that ever changes in the bucket; `None` is a deletion."""
        self.objects.pop(key, None)
        if found is not None:
            self.objects[key] = found
            self._stored.set()

    async def there(self, key: str) -> None:
        """Wait until there is an object of that name."""
        while key not in self.objects:
            await self._stored.wait()

    def _answer(self) -> None:
        error = self.lost()
        if error is not None:
            raise error

    async def _work(self) -> None:
        self.asked.append(trio.current_time())
        await trio.sleep(self.latency)
        error = self.fault()
        if error is not None:
            raise error


class TimedTransfer(Transfer):
    """
    A transfer that takes `seconds` and moves no bytes; it counts as it goes, in `steps` steps.

    `begun` are the times and keys of all attempts, `running` the keys under way. `fault` is asked at the end of each
    attempt; what is larger than a part is a multipart upload by then.
    """

    def __init__(self, store: StoreInMemory, seconds: float = 1.0, steps: int = 10) -> None:
        self._store = store
        self._steps = steps
        self.seconds = seconds
        self.begun: list[tuple[float, str]] = []
        self.running: list[str] = []
        self.fault: Callable[[Plan], Exception | None] = lambda _: None

    @property
    def part_size(self) -> int:
        return PART_SIZE

    async def run(self, source: Source, plan: Plan, journal: Journal, meter: Meter) -> Stored:
        self.begun.append((trio.current_time(), plan.key))
        self.running.append(plan.key)
        size = source.size or 0
        meter.begin()
        try:
            upload_id = await self._multipart(plan, journal) if size > PART_SIZE else None
            for step in range(self._steps):
                await trio.sleep(self.seconds / self._steps)
                meter.sent(1)(size * (step + 1) // self._steps)
            error = self.fault(plan)
            if error is not None:
                raise error
            return await self._store.store(plan, size, upload_id)
        finally:
            self.running.remove(plan.key)

    async def _multipart(self, plan: Plan, journal: Journal) -> str:
        if plan.unfinished is not None:
            return plan.unfinished.upload_id
        await journal.creating(PART_SIZE)
        upload_id = await self._store.create(plan.key)
        await journal.created(upload_id)
        return upload_id
