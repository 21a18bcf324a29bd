"""
Under which key a document is stored: its own name, or the first free `name (n).ext`, never somebody else's.

The key is chosen by looking, and then committed and taken by a conditional write; looking alone would be a race.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from trio_s3_bot import names
from trio_s3_bot.bucket import Bucket
from trio_s3_bot.errors import DocumentRefused, Reason
from trio_s3_bot.model import StoredObject, UploadJob

JOB_METADATA = "trio-s3-bot-job"  # the object's metadata that tells which job wrote it
MOST_NUMBERS = 100_000


@dataclass(frozen=True, slots=True)
class Choice:
    """A key for a job; `stored` is the object that stands there if the job itself has put it there."""

    key: str
    stored: StoredObject | None = None


class Keys:
    """Chooses keys in `bucket`, such that no two jobs of this process try the same one at a time."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self._in_use: set[str] = set()

    @asynccontextmanager
    async def choose(self, job: UploadJob, tried: str | None) -> AsyncIterator[Choice]:
        """
        Choose a key and keep it from other jobs while the block runs.

        `tried` is the key that an earlier attempt had committed: it is looked at first, because that attempt may have
        succeeded without anybody knowing. Raises `DocumentRefused` when there is no free name.
        """
        choice = await self._choose(job, tried)
        self._in_use.add(choice.key)
        try:
            yield choice
        finally:
            self._in_use.discard(choice.key)

    async def own(self, job: UploadJob, key: str) -> StoredObject | None:
        """The object under `key` if this job has written it."""
        found = await self._bucket.head(key)
        return found if found is not None and _is_of(job, found) else None

    async def _choose(self, job: UploadJob, tried: str | None) -> Choice:
        for key in (tried, job.name):
            if key is not None:
                choice = await self._look_at(job, key)
                if choice is not None:
                    return choice
        return Choice(await self._next_free(job.name))

    async def _look_at(self, job: UploadJob, key: str) -> Choice | None:
        if key in self._in_use:
            return None
        found = await self._bucket.head(key)
        if key in self._in_use:
            return None
        if found is None:
            return Choice(key)
        return Choice(key, found) if _is_of(job, found) else None

    async def _next_free(self, name: str) -> str:
        """The first number that no key has: one listing, however many there are."""
        taken = set(await self._bucket.keys(names.before_number(name, MOST_NUMBERS)))
        for number in range(1, MOST_NUMBERS):
            key = names.numbered(name, number)
            if key not in taken and key not in self._in_use:
                return key
        raise DocumentRefused(Reason.NO_FREE_NAME, name)


def _is_of(job: UploadJob, found: StoredObject) -> bool:
    return found.metadata.get(JOB_METADATA) == job.id
