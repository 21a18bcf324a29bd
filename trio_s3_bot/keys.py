"""
Under which key a document is stored: its own name, or the first free `name (n).ext`, never somebody else's.

The key is chosen by looking, and then committed and taken by a conditional write; looking alone would be a race.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Set
from contextlib import asynccontextmanager
from dataclasses import dataclass

from trio_s3_bot import names
from trio_s3_bot.bucket import Bucket
from trio_s3_bot.errors import DocumentRefused, KeyInUse, KeyTaken, NameTaken, Reason
from trio_s3_bot.model import StoredObject, UploadJob

JOB_METADATA = "trio-s3-bot-job"  # the object's metadata that tells which job wrote it
MOST_NUMBERS = 100_000


@dataclass(frozen=True, slots=True)
class Choice:
    """
    A key for a job; `stored` is the object that stands there if the job itself has put it there. `replaces`: another
    object may be overwritten.
    """

    key: str
    stored: StoredObject | None = None
    replaces: bool = False


class Keys:
    """
    Chooses keys in `bucket`, such that no two jobs of this process try the same one at a time.

    `policy` is what to do about an object of the same name, unless its sender has said so: `keep_both`, `overwrite`,
    or `ask`.
    """

    def __init__(self, bucket: Bucket, policy: str = "keep_both") -> None:
        self._bucket = bucket
        self.policy = policy
        self._in_use: set[str] = set()
        self._listeners: list[Callable[[str], None]] = []

    def when_freed(self, listener: Callable[[str], None]) -> None:
        """Call `listener` with each key that is no longer in use."""
        self._listeners.append(listener)

    @asynccontextmanager
    async def choose(self, job: UploadJob, tried: str | None) -> AsyncIterator[Choice]:
        """
        Choose a key and keep it from other jobs while the block runs.

        `tried` is the key that an earlier attempt had committed: it is looked at first, because that attempt may have
        succeeded without anybody knowing. Raises `NameTaken` when the sender has to be asked, `KeyInUse` when it is to
        replace what is just being written, and `DocumentRefused` when there is no free name.
        """
        async with self._held(await self._choose(job, tried)) as choice:
            yield choice

    @asynccontextmanager
    async def reserved(self, key: str) -> AsyncIterator[None]:
        """Keep a key from jobs while the block runs. Raises `KeyTaken` when one is trying it."""
        if key in self._in_use:
            raise KeyTaken("another document is being saved under that name")
        async with self._held(Choice(key)):
            yield

    @asynccontextmanager
    async def left_alone(self, key: str) -> AsyncIterator[None]:
        """Keep a key from jobs while the block runs. Raises `KeyInUse` when one is trying it."""
        self._make_sure_it_is_free(key)
        async with self._held(Choice(key)):
            yield

    async def own(self, job: UploadJob, key: str) -> StoredObject | None:
        """The object under `key` if this job has written it."""
        found = await self._bucket.head(key)
        return found if found is not None and _is_of(job, found) else None

    @asynccontextmanager
    async def _held(self, choice: Choice) -> AsyncIterator[Choice]:
        if choice.key in self._in_use:  # by one who finds out that the job's own object stands there
            yield choice
            return
        self._in_use.add(choice.key)
        try:
            yield choice
        finally:
            self._in_use.discard(choice.key)
            for tell in self._listeners:
                tell(choice.key)

    async def _choose(self, job: UploadJob, tried: str | None) -> Choice:
        if tried is not None and tried != job.key:
            choice = await self._look_at(job, tried)
            if choice is not None and (choice.stored or names.number_in(tried, job.key) is not None):
                return choice
        policy = job.policy or self.policy
        if policy == "overwrite":
            return await self._whatever_is_there(job)
        choice = await self._look_at(job, job.key)
        if choice is not None:
            return choice
        if policy == "ask":
            raise NameTaken(job.key)
        return Choice(await self._next_free(job.key))

    async def _look_at(self, job: UploadJob, key: str) -> Choice | None:
        found = await self._bucket.head(key)
        if found is not None:
            # The job's own stays its own while others want the name, or it would be stored once more.
            return Choice(key, found) if _is_of(job, found) else None
        return None if key in self._in_use else Choice(key)

    async def _whatever_is_there(self, job: UploadJob) -> Choice:
        self._make_sure_it_is_free(job.key)
        found = await self._bucket.head(job.key)
        self._make_sure_it_is_free(job.key)
        return Choice(job.key, found if found is not None and _is_of(job, found) else None, replaces=True)

    def _make_sure_it_is_free(self, key: str) -> None:
        if key in self._in_use:
            raise KeyInUse(key)

    async def _next_free(self, key: str) -> str:
        """The first number that no key has: one listing, however many there are."""
        taken = set(await self._bucket.keys(names.before_number(key, MOST_NUMBERS)))
        for number in range(1, MOST_NUMBERS):
            candidate = names.numbered(key, number)
            if candidate not in taken and candidate not in self._in_use:
                return candidate
        raise DocumentRefused(Reason.NO_FREE_NAME, key)


class HeldUp:
    """
    What can't be begun because a key is in use, so that nobody has to stand there and wait for it.

    `ring` is called when something of it can be begun.
    """

    def __init__(self, keys: Keys, ring: Callable[[], None]) -> None:
        self._ring = ring
        self._waiting: dict[str, str] = {}
        keys.when_freed(self._freed)

    @property
    def items(self) -> Set[str]:
        """The ids of what still has to wait."""
        return self._waiting.keys()

    def add(self, item: str, key: str) -> None:
        """Let an item wait for a key that is in use."""
        self._waiting[item] = key

    def _freed(self, key: str) -> None:
        if key in self._waiting.values():
            self._waiting = {item: other for item, other in self._waiting.items() if other != key}
            self._ring()


def metadata_of(job_id: str) -> dict[str, str]:
    """The metadata by which the bot knows an object of its own again."""
    return {JOB_METADATA: job_id}


def _is_of(job: UploadJob, found: StoredObject) -> bool:
    return found.metadata.get(JOB_METADATA) == job.id
