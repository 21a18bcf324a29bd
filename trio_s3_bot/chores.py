"""Renaming and deleting saved objects. Each is on record before it is begun, and begun again after a crash."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Collection
from contextlib import suppress
from functools import partial

import structlog
import trio

from trio_s3_bot.bucket import Bucket, ObjectFacts
from trio_s3_bot.errors import (
    KeyInUse,
    KeyTaken,
    ObjectGone,
    ObjectRefused,
    StateError,
    StoreError,
    StoreRefused,
    StoreUnavailable,
)
from trio_s3_bot.inbox import Chore, Files, Uploads, once_readable
from trio_s3_bot.keys import HeldUp, Keys, metadata_of
from trio_s3_bot.model import StoredObject
from trio_s3_bot.names import content_disposition
from trio_s3_bot.notices import ChoreFailed, Deleted, NameProblem, NoSuchFile, Renamed
from trio_s3_bot.outages import WORTH_TELLING, Outage
from trio_s3_bot.patience import SHIPPED, Pauses

AT_A_TIME = 2
MOST_FAILURES = 8  # attempts at one chore, its own failures only

log = structlog.get_logger()


class Chores:
    """
    Carries out what people want done with their saved files.

    `ask_timeout` is in seconds; `retries` are the pauses between attempts at a chore that fails.
    """

    def __init__(
        self,
        files: Files,
        uploads: Uploads,
        bucket: Bucket,
        keys: Keys,
        store: Outage,
        *,
        ask_timeout: float,
        retries: Pauses = SHIPPED.document,
    ) -> None:
        self._files = files
        self._uploads = uploads
        self._bucket = bucket
        self._keys = keys
        self._store = store
        self._ask_timeout = ask_timeout
        self._retries = retries
        self._due: dict[str, float] = {}
        self._failures: Counter[str] = Counter()
        self._held_up = HeldUp(keys, files.bell.ring)

    async def run(self) -> None:
        """Do chores until cancelled; one that is cancelled is done again at the next start."""
        async with trio.open_nursery() as nursery:
            for _ in range(AT_A_TIME):
                nursery.start_soon(self._one_after_the_other)

    async def _one_after_the_other(self) -> None:
        while True:
            rings = self._files.bell.rings
            now = trio.current_time()
            self._due = {item: due for item, due in self._due.items() if due > now}
            chore = await self._next() if self._store.over else None
            if chore is None:
                with trio.move_on_at(self._wake_at(now)):
                    await self._files.bell.after(rings)
                continue
            try:
                await self._do(chore)
            finally:
                self._files.give_back(chore)

    async def _next(self) -> Chore | None:
        return await once_readable(partial(self._files.claim, {*self._due, *self._held_up.items}))

    def _wake_at(self, now: float) -> float:
        """When to look again; `now` is from before the last look, so that nothing falls due between the two."""
        return min((at for at in (self._store.until, *self._due.values()) if at > now), default=now + 3600)

    async def _do(self, chore: Chore) -> None:
        began = trio.current_time()
        try:
            await (self._delete(chore) if chore.key is None else self._rename(chore, chore.key))
            self._store.worked()
            del self._failures[chore.file.id]
        except KeyInUse as error:
            self._held_up.add(chore.file.id, error.key)
        except StateError as error:
            self._later(chore, error)
        except (StoreUnavailable, StoreRefused) as error:
            own = self._store.works_beside(began) or await self._still_answers(chore, error)
            await (self._count_failure(chore, error) if own else self._wait_for_store(chore, error))
        except StoreError as error:
            await self._count_failure(chore, error)
        except Exception as error:
            log.exception("a renaming or deletion failed in a way nobody foresaw", item=chore.file.id)
            await self._count_failure(chore, error)

    async def _still_answers(self, chore: Chore, error: StoreError) -> bool:
        """Whether a store that refuses something is in order for all else, so that uploads need not wait for it."""
        if not isinstance(error, StoreRefused):
            return False
        try:
            await self._bucket.head(chore.file.key)
        except StoreError:
            return False
        return True

    async def _wait_for_store(self, chore: Chore, error: StoreError) -> None:
        self._store.failed(error)
        if self._store.worth_telling:
            await self._tell_delay(chore)

    async def _count_failure(self, chore: Chore, error: Exception) -> None:
        """The chore's own failure: another try after a while, or the end of it."""
        self._later(chore, error)
        failures = self._failures[chore.file.id]
        if failures == WORTH_TELLING:
            await self._tell_delay(chore)
        elif failures >= MOST_FAILURES:
            await self._give_up(chore, error)

    async def _tell_delay(self, chore: Chore) -> None:
        try:
            await self._files.tell_delay(chore)
        except StateError as unwritable:
            self._later(chore, unwritable)

    async def _give_up(self, chore: Chore, error: Exception) -> None:
        """The file stays what it is called, and whoever asked for something else is told so."""
        try:
            await self._remove_copy(chore)
            failed = ChoreFailed(upload=chore.file.id, name=chore.present_name, new=chore.name, place=chore.place)
            await self._files.given_up(chore, failed)
        except (StoreError, StateError) as unfinished:
            self._later(chore, unfinished)
        except Exception as unforeseen:
            log.exception("a renaming or deletion could not be given up; trying again", item=chore.file.id)
            self._later(chore, unforeseen)
        else:
            log.error("a renaming or deletion was given up", item=chore.file.id, error=str(error))
            del self._failures[chore.file.id]

    async def _remove_copy(self, chore: Chore) -> None:
        """Leave one object of the two that there are if the old name can't be deleted."""
        if chore.key is None:
            return
        await self._clear_lost_uploads(chore.key, chore.creating)
        copy, original = await self._bucket.head(chore.key), await self._bucket.head(chore.file.key)
        own, etag = metadata_of(chore.file.id).items(), chore.file.etag
        if copy is not None and original is not None and original.etag == etag and own <= copy.metadata.items():
            with suppress(StoreRefused):  # as the old one is: then there are two of it
                await self._bucket.delete(chore.key, etag=copy.etag)

    def _later(self, chore: Chore, error: Exception) -> None:
        item = chore.file.id
        self._failures[item] += 1
        pause = self._retries.after(self._failures[item]) * random.uniform(0.7, 1.0)
        self._due[item] = trio.current_time() + pause
        log.warning("a renaming or deletion failed; trying again", item=item, pause=round(pause, 1), error=str(error))

    async def _rename(self, chore: Chore, key: str) -> None:
        file = chore.file
        try:
            async with self._keys.left_alone(file.key), self._keys.reserved(key):
                await self._clear_lost_uploads(key, chore.creating)
                before = {upload.upload_id for upload in await self._bucket.list_uploads(key)}
                if not await self._files.begin(chore, before):
                    return
                etag = await self._move(chore, key, before)
        except (KeyTaken, ObjectRefused) as error:
            problem = NameProblem.TAKEN if isinstance(error, KeyTaken) else NameProblem.IMPOSSIBLE
            await self._files.ask_again(chore, problem, self._ask_timeout)
        except ObjectGone:
            await self._files.lost(chore, NoSuchFile(name=chore.present_name))
        else:
            new = str(chore.name)
            await self._files.renamed(chore, etag, Renamed(upload=file.id, old=chore.present_name, new=new))
            log.info("renamed", item=file.id, old=file.key, new=key)

    async def _move(self, chore: Chore, key: str, before: Collection[str]) -> str:
        """Rename the object. What can't be done isn't tried again, so nothing of it may be left in the store."""
        file = chore.file
        try:
            return await self._bucket.rename(file.key, key, await self._facts(chore, key), etag=file.etag)
        except (KeyTaken, ObjectRefused, ObjectGone):
            await self._clear_lost_uploads(key, before)
            raise

    async def _delete(self, chore: Chore) -> None:
        file = chore.file
        begun = chore.creating is not None
        async with self._keys.left_alone(file.key):
            if not await self._files.begin(chore, ()):
                return
            there = await self._bucket.delete(file.key, etag=file.etag)
        # Gone already, and we had begun before: then it was us.
        was_gone = not there and not begun
        deleted = Deleted(upload=file.id, name=chore.present_name, was_gone=was_gone, place=chore.place)
        await self._files.deleted(chore, deleted)
        log.info("deleted", item=file.id, key=file.key)

    async def _clear_lost_uploads(self, key: str, before: Collection[str] | None) -> None:
        """Abort what an attempt that broke off has left at the new key."""
        if before is None:
            return
        owned = await self._uploads.multiparts()
        for upload in await self._bucket.list_uploads(key):
            if upload.key == key and upload.upload_id not in before and upload.upload_id not in owned:
                await self._bucket.abort_upload(key, upload.upload_id)

    async def _facts(self, chore: Chore, key: str) -> ObjectFacts:
        """What goes along: all that was stored with it, under the new name."""
        own = metadata_of(chore.file.id)
        found = [await self._bucket.head(chore.file.key), await self._bucket.head(key)]
        ours = [there for there in found if there is not None and own.items() <= there.metadata.items()]
        there = ours[0] if ours else StoredObject(0, "", own)
        return ObjectFacts(
            content_type=there.content_type or "application/octet-stream",
            content_disposition=content_disposition(chore.name or key),
            metadata=there.metadata,
        )
