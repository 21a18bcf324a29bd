"""
The upload slots: which document is next, how often it is tried, what comes of it.

Failures are told apart by whose they are. A document's own (it is gone, too large, never comes through whole) are
counted, and end in words to its sender. An outage (the store, the messenger) is nobody's fault: everything waits,
nothing is counted, and it goes on by itself.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Collection, Iterator, Mapping

import structlog
import trio

from trio_s3_bot import names
from trio_s3_bot.bucket import Bucket, ObjectFacts
from trio_s3_bot.errors import (
    DocumentRefused,
    KeyTaken,
    MessengerError,
    NameTaken,
    ObjectRefused,
    Reason,
    RetryAfter,
    SourceError,
    SourceExpired,
    StateError,
    StoreRefused,
    StoreUnavailable,
    UploadConflict,
    UploadGone,
)
from trio_s3_bot.inbox import UploadClaim, Uploads
from trio_s3_bot.keys import Choice, Keys, metadata_of
from trio_s3_bot.messengers.base import Messenger
from trio_s3_bot.model import Attempts, Chat, Part, SavedFile, Source, UploadJob, UploadState
from trio_s3_bot.notices import Failed, Saved
from trio_s3_bot.outages import Outage
from trio_s3_bot.patience import SHIPPED, Pauses
from trio_s3_bot.progress import Meter, report
from trio_s3_bot.texts import Sample
from trio_s3_bot.transfer import Plan, Stored, Transfer, Unfinished

MOST_FAILURES = 8  # attempts at one document, its own failures only
KEYS_IN_A_ROW = 5  # keys tried in one attempt, when others take them from under it

log = structlog.get_logger()


class UploadSlots:
    """
    `slots` documents at a time go up; all others wait in the inbox.

    `show` is called when an upload has something new to show in its chat, every `progress_interval` seconds at most.
    `on_conflict` is what to do about an object of the same name: `keep_both`, `overwrite`, or `ask`.
    """

    def __init__(
        self,
        jobs: Uploads,
        transfer: Transfer,
        bucket: Bucket,
        messengers: Mapping[str, Messenger],
        *,
        slots: int,
        max_file_size: int | None,
        progress_interval: float,
        show: Callable[[Chat, str], None],
        on_conflict: str = "keep_both",
        retries: Pauses = SHIPPED.document,
        outages: Pauses = SHIPPED.outage,
    ) -> None:
        self._jobs = jobs
        self._transfer = transfer
        self._bucket = bucket
        self.keys = Keys(bucket, on_conflict)
        self._messengers = messengers
        self._free = trio.Semaphore(slots)
        self._max_file_size = max_file_size
        self._interval = progress_interval
        self._show = show
        self._retries = retries
        self.store = Outage("the S3 store", outages)
        self._outages = {name: Outage(name, outages) for name in messengers}
        self._due: dict[str, float] = {}
        self._meters: dict[str, Meter] = {}
        self._scopes: dict[str, trio.CancelScope] = {}

    def sample(self, upload: str) -> Sample | None:
        """How far an upload is, if it is running."""
        meter = self._meters.get(upload)
        return meter.value.value if meter else None

    def cancel(self, upload: str) -> None:
        """Its sender has cancelled an upload, and that is on record: if it is running, let it stop."""
        if upload in self._scopes:
            self._scopes[upload].cancel(reason="cancelled by its sender")

    async def feed(self, slots: trio.MemorySendChannel[UploadClaim]) -> None:
        """Hand documents to free slots until cancelled; which one is decided when a slot is free, not before."""
        async with slots:
            while True:
                await self._free.acquire()
                claim = await self._next()
                await slots.send(claim)

    async def slot(self, documents: trio.MemoryReceiveChannel[UploadClaim]) -> None:
        """Save one document after the other, until no more come."""
        async with documents:
            async for claim in documents:
                try:
                    await self._work(claim)
                finally:
                    self._jobs.give_back(claim)
                    self._free.release()

    async def _next(self) -> UploadClaim:
        while True:
            rings = self._jobs.bell.rings
            now = trio.current_time()
            self._due = {upload: due for upload, due in self._due.items() if due > now}
            if self.store.over:
                out_of_order = [name for name, outage in self._outages.items() if not outage.over]
                claim = await self._jobs.claim(but_not=self._due, not_of=out_of_order)
                if claim is not None:
                    return claim
            answer_due = await self._jobs.next_answer_due()
            with trio.move_on_at(self._wake_at(answer_due)):
                await self._jobs.bell.after(rings)

    def _wake_at(self, answer_due: float | None) -> float:
        now = trio.current_time()
        latest = now + (3600 if answer_due is None else answer_due + 0.01)
        outages = (outage.until for outage in (self.store, *self._outages.values()))
        return min(latest, *(at for at in (*outages, *self._due.values()) if at > now), latest)

    async def _work(self, claim: UploadClaim) -> None:
        """One attempt, and what follows from it."""
        job = claim.job
        try:
            await self._attempt_or_cancel(claim)
        except NameTaken:
            await self._ask_about_conflict(job)
        except StateError as error:
            self._later(job, 10)
            log.error("the state can't be written; the document waits", upload=job.id, error=str(error))
        except (StoreUnavailable, StoreRefused) as error:
            await self._wait_for_store(error)
        except MessengerError as error:
            pause = error.seconds if isinstance(error, RetryAfter) else 0
            self._outages[job.chat.messenger].failed(error, at_least=pause)
        except DocumentRefused as error:
            await self._refuse(claim, error)
        except ObjectRefused as error:
            await self._refuse(claim, DocumentRefused(Reason.REFUSED_BY_STORE, str(error)))
        except (SourceError, UploadConflict, UploadGone, KeyTaken) as error:
            await self._count_failure(claim, error)
        except Exception as error:
            log.exception("an upload failed in a way nobody foresaw", upload=job.id)
            await self._count_failure(claim, error)

    async def _attempt_or_cancel(self, claim: UploadClaim) -> None:
        """An attempt that its sender may break off; then what it has begun is cleared away."""
        job = claim.job
        if not claim.cancelled:
            with trio.CancelScope() as scope:
                self._scopes[job.id] = scope
                try:
                    await self._attempt(claim)
                finally:
                    del self._scopes[job.id]
            if not scope.cancelled_caught:
                return
        await self._abandon_multipart(job)
        await self._jobs.finish(job, UploadState.CANCELLED, None)
        self._meters.pop(job.id, None)
        log.info("cancelled by its sender", upload=job.id, chat=job.chat.key)

    async def _ask_about_conflict(self, job: UploadJob) -> None:
        try:
            await self._jobs.ask_about_conflict(job)
        except StateError as error:
            self._later(job, 10)
            log.error("the state can't be written; the document waits", upload=job.id, error=str(error))

    async def _attempt(self, claim: UploadClaim) -> None:
        """Save the document under the first key that nobody else has, or takes meanwhile."""
        if await self._was_there(claim.job):
            return
        tried = claim.attempts.key
        for _ in range(KEYS_IN_A_ROW):
            async with self.keys.choose(claim.job, tried) as choice:
                stored = await self._save_as(choice, claim.job)
            if stored is not None:
                self.store.worked()
                await self._finish(claim.job, choice.key, stored)
                return
            tried = None
        raise KeyTaken(f"{KEYS_IN_A_ROW} names were taken one after the other")

    async def _was_there(self, job: UploadJob) -> bool:
        """The very same document, sent again under the same name and still in the bucket, isn't uploaded again."""
        file = await self._jobs.same_file(job)
        there = await self._bucket.head(file.key) if file is not None else None
        if file is None or there is None or (there.size, there.etag) != (file.size, file.etag):
            return False
        await self._abandon_multipart(job)
        notice = Saved(
            upload=file.id,
            key=file.key,
            name=job.name,
            size=file.size,
            was_there=True,
            reply_to=job.message_id,
        )
        await self._jobs.finish(job, UploadState.SAVED, notice)
        log.info("it was there already", upload=job.id, chat=job.chat.key, key=file.key)
        return True

    async def _save_as(self, choice: Choice, job: UploadJob) -> Stored | None:
        """Save the document under a key; `None` when another object has come to stand there."""
        if choice.stored is not None:
            # An earlier attempt succeeded, and its answer or our record of it was lost.
            await self._abandon_multipart(job)
            return Stored(choice.stored.size, choice.stored.etag)
        if self._max_file_size is not None and (job.document.size or 0) > self._max_file_size:
            raise DocumentRefused(Reason.TOO_BIG_FOR_OPERATOR, limit=self._max_file_size)
        source = await self._resolve(job)
        plan = await self._plan(choice, job)
        try:
            return await self._run(job, source, plan)
        except (KeyTaken, UploadGone) as error:
            # Both are also what a completion says that succeeded before and whose answer was lost.
            own = await self.keys.own(job, choice.key)
            await self._abandon_multipart(job)
            if own is None and isinstance(error, UploadGone):
                raise
            return Stored(own.size, own.etag) if own else None

    async def _resolve(self, job: UploadJob) -> Source:
        messenger = self._messengers[job.chat.messenger]
        source = await messenger.resolve(job.document)
        self._outages[messenger.name].worked()
        return source

    async def _plan(self, choice: Choice, job: UploadJob) -> Plan:
        """What to do, and what to go on with; the key is committed before anything is tried with it."""
        attempts = await self._jobs.attempts(job)
        unfinished = await self._unfinished(choice.key, attempts)
        if unfinished is None:
            await self._abandon_multipart(job)
            await self._jobs.try_key(job, choice.key)
        return Plan(
            choice.key,
            facts_of(job, choice.key),
            self._max_file_size,
            only_if_absent=not choice.replaces,
            unfinished=unfinished,
        )

    async def _unfinished(self, key: str, attempts: Attempts) -> Unfinished | None:
        """The multipart upload of an earlier attempt, if it can go on: the same key, parts of the same size."""
        if attempts.upload_id is None or attempts.key != key or attempts.part_size != self._transfer.part_size:
            return None
        try:
            there = {part.number: part for part in await self._bucket.list_parts(key, attempts.upload_id)}
        except UploadGone:
            return None
        # Only what both the store and our record know, and only full parts: what follows them begins at a known byte.
        parts = [part for part in attempts.parts if part.size == attempts.part_size and _same(part, there)]
        return Unfinished(attempts.upload_id, tuple(parts))

    async def _run(self, job: UploadJob, source: Source, plan: Plan) -> Stored:
        """The transfer with its progress beside it."""
        meter = self._meters.setdefault(job.id, Meter(source.size))
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(report, meter, self._interval, lambda: self._show(job.chat, job.id))
                stored = await self._transfer.run(
                    source, plan, _Journal(self._jobs, self._bucket, job, plan.key), meter
                )
                nursery.cancel_scope.cancel()
        except BaseExceptionGroup as group:
            raise _leading(group) from None
        return stored

    async def _abandon_multipart(self, job: UploadJob) -> None:
        """Abort what the job has begun in the store; it isn't forgotten here before it is gone there."""
        attempts = await self._jobs.attempts(job)
        if attempts.key is None or attempts.creating is None:
            return
        ours = {attempts.upload_id} if attempts.upload_id else await self._lost(attempts.key, attempts.creating)
        for upload_id in ours:
            await self._bucket.abort_upload(attempts.key, upload_id)
        await self._jobs.multipart_over(job)

    async def _lost(self, key: str, before: Collection[str]) -> set[str]:
        """
        The uploads to a key that came after we set out to create one and whose answer we never got.

        S3 can't attribute them. That somebody else with the same keys began one to this very key since then, and
        that it isn't on record here, is the one case in which this is wrong.
        """
        found = {upload.upload_id for upload in await self._bucket.list_uploads(key) if upload.key == key}
        return found - set(before) - await self._jobs.multiparts()

    async def _finish(self, job: UploadJob, key: str, stored: Stored) -> None:
        saved = SavedFile(
            job.id, job.chat, job.owner, job.name, key, stored.size, stored.etag, job.document.unique_id, time.time()
        )
        notice = Saved(
            upload=job.id,
            key=key,
            name=job.name,
            size=stored.size,
            asked_name=job.asked_name,
            name_was_taken=names.number_in(key, job.key) not in (0, None),
            album=job.album,
            reply_to=job.message_id,
        )
        await self._jobs.finish(job, UploadState.SAVED, notice, saved)
        self._meters.pop(job.id, None)
        log.info("saved", upload=job.id, chat=job.chat.key, key=key, size=stored.size)

    async def _refuse(self, claim: UploadClaim, refused: DocumentRefused) -> None:
        """The document can't be saved: leave nothing of it in the store, and tell its sender why."""
        job = claim.job
        try:
            await self._abandon_multipart(job)
            notice = Failed(
                upload=job.id, name=job.name, reason=refused.reason, limit=refused.limit, reply_to=job.message_id
            )
            await self._jobs.finish(job, UploadState.FAILED, notice)
        except (StoreUnavailable, StoreRefused) as error:
            await self._wait_for_store(error)
        except StateError:
            self._later(job, 10)
        else:
            self._meters.pop(job.id, None)
            log.warning("a document could not be saved", upload=job.id, chat=job.chat.key, reason=str(refused))

    async def _count_failure(self, claim: UploadClaim, error: Exception) -> None:
        """The document's own failure: another try after a while, or the end of it."""
        job, failures = claim.job, claim.attempts.failures + 1
        if failures >= MOST_FAILURES:
            gone = isinstance(error, SourceExpired) or job.id not in self._meters
            reason = Reason.GONE if gone else Reason.NOT_READABLE
            await self._refuse(claim, DocumentRefused(reason, str(error)))
            return
        pause = self._retries.after(failures) * random.uniform(0.7, 1.0)
        self._later(job, pause)
        log.warning(
            "an upload failed; trying again", upload=job.id, tries=failures, pause=round(pause, 1), error=str(error)
        )
        try:
            await self._jobs.failed_once(job, str(error))
        except StateError as unwritable:
            log.error("the state can't be written", error=str(unwritable))

    async def _wait_for_store(self, error: StoreUnavailable | StoreRefused) -> None:
        self.store.failed(error)
        if self.store.worth_telling:
            try:
                await self._jobs.tell_delays()
            except StateError as unwritable:
                log.error("the state can't be written", error=str(unwritable))

    def _later(self, job: UploadJob, pause: float) -> None:
        self._due[job.id] = trio.current_time() + pause


class _Journal:
    """A job's multipart upload, written down in the inbox."""

    def __init__(self, jobs: Uploads, bucket: Bucket, job: UploadJob, key: str) -> None:
        self._jobs = jobs
        self._bucket = bucket
        self._job = job
        self._key = key

    async def creating(self, part_size: int) -> None:
        before = {upload.upload_id for upload in await self._bucket.list_uploads(self._key)}
        await self._jobs.creating(self._job, part_size, before)

    async def created(self, upload_id: str) -> None:
        await self._jobs.created(self._job, upload_id)

    async def part_done(self, part: Part) -> None:
        await self._jobs.part_done(self._job, part)


def facts_of(job: UploadJob, key: str) -> ObjectFacts:
    """What is stored along with a document: its type, its name as sent, where it came from, and whose write it is."""
    return ObjectFacts(
        content_type=names.content_type(job.document.mime_type, key),
        content_disposition=names.content_disposition(job.asked_name or job.name),
        metadata={
            **metadata_of(job.id),
            "messenger": job.chat.messenger,
            "chat": str(job.chat.id),
            "message": str(job.message_id),
        },
    )


def _same(part: Part, there: Mapping[int, Part]) -> bool:
    other = there.get(part.number)
    return other is not None and (other.etag, other.size) == (part.etag, part.size)


def _leading(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The one error of a group that says what happened; what only followed from it is cancelled or broken."""
    leaves = list(_leaves(group))
    return next((leaf for leaf in leaves if not isinstance(leaf, trio.Cancelled)), group)


def _leaves(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error
