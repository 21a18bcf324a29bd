"""
The upload slots: which document is next, how often it is tried, what comes of it.

Failures are told apart by whose they are. A document's own (it is gone, too large, never comes through whole) are
counted, and end in words to its sender. An outage (the store, the messenger) is nobody's fault: everything waits,
nothing is counted, and it goes on by itself.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping

import structlog
import trio

from trio_s3_bot import names
from trio_s3_bot.bucket import Bucket
from trio_s3_bot.errors import (
    DocumentRefused,
    KeyInUse,
    KeyTaken,
    MessengerError,
    NameTaken,
    ObjectRefused,
    ObjectTooLarge,
    Reason,
    RetryAfter,
    SourceError,
    SourceExpired,
    StateError,
    StoreError,
    StoreRefused,
    StoreUnavailable,
    Unavailable,
    UploadConflict,
    UploadGone,
)
from trio_s3_bot.inbox import STATE_PAUSE, UploadClaim, Uploads, once_readable
from trio_s3_bot.keys import HeldUp, Keys
from trio_s3_bot.messengers.base import Messenger
from trio_s3_bot.model import Chat, SavedFile, Source, UploadJob, UploadState
from trio_s3_bot.notices import Failed, Saved
from trio_s3_bot.outages import Outage
from trio_s3_bot.patience import SHIPPED, Pauses
from trio_s3_bot.saving import Outcome, Saver
from trio_s3_bot.texts import Sample
from trio_s3_bot.transfer import Stored, Transfer

MOST_FAILURES = 8  # attempts at one document, its own failures only

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
        self.keys = Keys(bucket, on_conflict)
        self._saver = Saver(
            jobs,
            transfer,
            bucket,
            self.keys,
            max_file_size=max_file_size,
            progress_interval=progress_interval,
            show=show,
        )
        self._messengers = messengers
        self._show = show
        self._free = trio.Semaphore(slots)
        self._retries = retries
        self.store = Outage("the S3 store", outages)
        self._outages = {name: Outage(name, outages) for name in messengers}
        self._due: dict[str, float] = {}
        self._held_up = HeldUp(self.keys, jobs.bell.ring)
        self._scopes: dict[str, trio.CancelScope] = {}

    def sample(self, upload: str) -> Sample | None:
        """How far an upload is, if it is running."""
        return self._saver.sample(upload)

    def cancel(self, upload: str) -> None:
        """Its sender has cancelled an upload, and that is on record: if it is running, let it stop."""
        if upload in self._scopes:
            self._scopes[upload].cancel(reason="cancelled by its sender")

    async def feed(self, slots: trio.MemorySendChannel[UploadClaim]) -> None:
        """Hand documents to free slots until cancelled; which one is decided when a slot is free, not before."""
        async with slots:
            while True:
                await self._free.acquire()
                await slots.send(await once_readable(self._next))

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
            answer_due = await self._jobs.next_answer_due()
            if self.store.over:
                claim = await self._claim()
                if claim is not None:
                    return claim
            with trio.move_on_at(self._wake_at(now, answer_due)):
                await self._jobs.bell.after(rings)

    async def _claim(self) -> UploadClaim | None:
        """The next document; one that failed of late only if there is no other, which could succeed."""
        suspects = {upload for outage in (self.store, *self._outages.values()) for upload in outage.suspects}
        in_order = [name for name, outage in self._outages.items() if outage.over]
        waiting = {*self._due, *self._held_up.items}
        for but_not in (waiting | suspects, waiting):
            claim = await self._jobs.claim(but_not=but_not, of=in_order, overwriting=self.keys.policy == "overwrite")
            if claim is not None or not suspects:
                return claim
        return None

    def _wake_at(self, now: float, answer_due: float | None) -> float:
        """When to look again; `now` is from before the last look, so that nothing falls due between the two."""
        latest = now + (3600 if answer_due is None else answer_due + 0.01)
        outages = (outage.until for outage in (self.store, *self._outages.values()))
        return min(latest, *(at for at in (*outages, *self._due.values()) if at > now), latest)

    async def _work(self, claim: UploadClaim) -> None:
        """One attempt, and what follows from it."""
        job, began = claim.job, trio.current_time()
        try:
            await self._attempt_or_cancel(claim)
        except KeyInUse as error:
            self._held_up.add(job.id, error.key)
        except NameTaken:
            await self._ask_about_conflict(job)
        except StateError as error:
            self._wait_for_state(job, error)
        except (StoreUnavailable, StoreRefused) as error:
            # While it saves others, what it has is not an outage but something about this document.
            others_saved = self.store.works_beside(began)
            await (self._count_failure(claim, error) if others_saved else self._wait_for_store(job, error))
        except MessengerError as error:
            await self._wait_for_messenger(claim, error, began)
        except DocumentRefused as error:
            await self._refuse(claim, error)
        except ObjectTooLarge as error:
            await self._refuse(claim, DocumentRefused(Reason.TOO_BIG_FOR_STORE, str(error)))
        except ObjectRefused as error:
            await self._refuse(claim, DocumentRefused(Reason.REFUSED_BY_STORE, str(error)))
        except (SourceError, UploadConflict, UploadGone, KeyTaken) as error:
            await self._count_failure(claim, error)
        except Exception as error:
            log.exception("an upload failed in a way nobody foresaw", upload=job.id)
            await self._count_failure(claim, error)

    async def _attempt_or_cancel(self, claim: UploadClaim) -> None:
        """An attempt that its sender may break off; then what it has done is undone."""
        job = claim.job
        with trio.CancelScope() as scope:
            self._scopes[job.id] = scope
            try:
                # A cancel that came before is on record; one that comes from now on reaches the scope.
                if not await self._jobs.cancelled(job) and await self._attempt(claim):
                    return
            finally:
                del self._scopes[job.id]
        if not await self._jobs.cancelled(job):
            return  # what it was found to be the same as is gone by now: it is tried again
        replaced = await self._saver.withdraw(job)
        if replaced is not None:
            await self._finish(job, replaced, though_cancelled=True)
            return
        await self._jobs.finish(job, UploadState.CANCELLED, None)
        self._ended(job)
        log.info("cancelled by its sender", upload=job.id, chat=job.chat.key)

    async def _ask_about_conflict(self, job: UploadJob) -> None:
        try:
            await self._jobs.ask_about_conflict(job)
        except StateError as error:
            self._wait_for_state(job, error)

    async def _attempt(self, claim: UploadClaim) -> bool:
        """False if it came through and is not to count."""
        outcome = await self._saver.save(claim, self._resolve)
        self.store.worked()
        return await self._finish(claim.job, outcome)

    async def _resolve(self, job: UploadJob) -> Source:
        if not job.document.file_id:
            raise DocumentRefused(Reason.NOT_READABLE, "it isn't on record any more where to get it")
        messenger = self._messengers[job.chat.messenger]
        source = await messenger.resolve(job.document)
        self._outages[messenger.name].worked()
        return source

    async def _finish(self, job: UploadJob, outcome: Outcome, *, though_cancelled: bool = False) -> bool:
        key, stored, same = outcome.key, outcome.stored, outcome.same_as
        notice = Saved(
            upload=job.id,
            key=key,
            name=job.name,
            size=stored.size,
            asked_name=job.asked_name,
            name_was_taken=names.number_in(key, job.key) not in (0, None),
            same_as=same.id if same else None,
            album=job.album,
            reply_to=job.message_id,
        )
        saved = None if same else _saved_file(job, key, stored)
        if not await self._jobs.finish(job, UploadState.SAVED, notice, saved, though_cancelled=though_cancelled):
            return False
        self._ended(job)
        log.info("saved", upload=job.id, chat=job.chat.key, key=key, size=stored.size, again=same is not None)
        return True

    def _ended(self, job: UploadJob) -> None:
        """It is on record how a document ended; a message that lists others, too, shows it when there is room."""
        self._saver.forget(job.id)
        self._show(job.chat, job.id)

    async def _refuse(self, claim: UploadClaim, refused: DocumentRefused) -> None:
        """The document can't be saved: leave nothing of it in the store, and tell its sender why."""
        job = claim.job
        try:
            await self._saver.abandon_multipart(job)
            found = await self._saver.found(job)
            if found is not None:
                # An attempt came through whose answer was lost; whatever was to be said, this is how it is.
                await self._finish(job, found, though_cancelled=True)
                return
            await self._fail(job, refused)
        except (StoreUnavailable, StoreRefused) as error:
            await self._wait_for_store(job, error)
        except StateError as error:
            self._wait_for_state(job, error)
        except Exception:
            # From here it would end the slot, and with it the bot.
            log.exception("what is left of a document could not be cleared away; trying again", upload=job.id)
            self._later(job, self._retries.longest)

    async def _fail(self, job: UploadJob, refused: DocumentRefused) -> None:
        """Commit that a document was not saved, and why; to one who has cancelled it that is nothing new."""
        notice = Failed(
            upload=job.id, name=job.name, reason=refused.reason, limit=refused.limit, reply_to=job.message_id
        )
        if not await self._jobs.finish(job, UploadState.FAILED, notice):
            await self._jobs.finish(job, UploadState.CANCELLED, None)
        self._ended(job)
        log.warning("a document could not be saved", upload=job.id, chat=job.chat.key, reason=str(refused))

    async def _count_failure(self, claim: UploadClaim, error: Exception) -> None:
        """The document's own failure: another try after a while, or the end of it."""
        job = claim.job
        try:
            failures = await self._failures(claim)
        except StateError as unreadable:
            self._wait_for_state(job, unreadable)
            return
        if failures >= MOST_FAILURES:
            await self._refuse(claim, DocumentRefused(self._reason(job, error), str(error)))
            return
        pause = self._retries.after(failures) * random.uniform(0.7, 1.0)
        self._later(job, pause)
        log.warning(
            "an upload failed; trying again", upload=job.id, tries=failures, pause=round(pause, 1), error=str(error)
        )
        try:
            await self._jobs.failed(job, failures, str(error))
        except StateError as unwritable:
            log.error("the state can't be written", error=str(unwritable))

    async def _failures(self, claim: UploadClaim) -> int:
        """How many attempts in a row have failed by now; one that brought parts to those there were begins the row."""
        before, now = claim.attempts, await self._jobs.attempts(claim.job)
        goes_on = before.upload_id is not None and now.upload_id == before.upload_id
        return 1 if goes_on and len(now.parts) > len(before.parts) else before.failures + 1

    def _reason(self, job: UploadJob, error: Exception) -> Reason:
        """What its sender is told of the last of many failures."""
        if isinstance(error, StoreError):
            return Reason.REFUSED_BY_STORE
        gone = isinstance(error, SourceExpired) or self._saver.sample(job.id) is None
        return Reason.GONE if gone else Reason.NOT_READABLE

    async def _wait_for_messenger(self, claim: UploadClaim, error: MessengerError, began: float) -> None:
        """The same of the messenger that has the document: while it gives out others, it is this one."""
        job, outage = claim.job, self._outages[claim.job.chat.messenger]
        asks_for_a_pause = isinstance(error, RetryAfter)
        if isinstance(error, Unavailable) and not asks_for_a_pause and outage.works_beside(began):
            await self._count_failure(claim, error)
            return
        outage.failed(error, of=job.id, at_least=error.seconds if isinstance(error, RetryAfter) else 0)
        if outage.worth_telling:
            await self._tell_delays(of=job.chat.messenger)

    def _wait_for_state(self, job: UploadJob, error: StateError) -> None:
        self._later(job, STATE_PAUSE)
        log.error("the state can't be written; the document waits", upload=job.id, error=str(error))

    async def _wait_for_store(self, job: UploadJob, error: StoreUnavailable | StoreRefused) -> None:
        self.store.failed(error, of=job.id)
        if self.store.worth_telling:
            await self._tell_delays()

    async def _tell_delays(self, of: str | None = None) -> None:
        try:
            await self._jobs.tell_delays(of)
        except StateError as unwritable:
            log.error("the state can't be written", error=str(unwritable))

    def _later(self, job: UploadJob, pause: float) -> None:
        self._due[job.id] = trio.current_time() + pause


def _saved_file(job: UploadJob, key: str, stored: Stored) -> SavedFile:
    unique_id = job.document.unique_id
    return SavedFile(job.id, job.chat, job.owner, job.name, key, stored.size, stored.etag, unique_id, time.time())
