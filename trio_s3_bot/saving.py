"""
One document into the bucket: under which key, what there is to go on with, and whose object stands there in the end.

An answer of the store may be lost at any step, and the process may die after it. So a key is committed before it is
tried, an object is known as the job's own by its metadata, and a multipart upload is on record until it is gone.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from dataclasses import dataclass

import structlog
import trio

from trio_s3_bot import names
from trio_s3_bot.bucket import Bucket, ObjectFacts
from trio_s3_bot.errors import DocumentRefused, KeyTaken, Reason, UploadConflict, UploadGone
from trio_s3_bot.inbox import UploadClaim, Uploads
from trio_s3_bot.keys import Choice, Keys, metadata_of
from trio_s3_bot.model import Attempts, Chat, Part, SavedFile, Source, StoredObject, UploadJob
from trio_s3_bot.progress import Meter, report
from trio_s3_bot.texts import Sample
from trio_s3_bot.transfer import Plan, Stored, Transfer, Unfinished

KEYS_IN_A_ROW = 5  # keys tried in one attempt, when others take them from under it

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Outcome:
    """Where a document is now; `same_as` is the file that it was saved as before, if it wasn't uploaded again."""

    key: str
    stored: Stored
    same_as: SavedFile | None = None


class Saver:
    """
    Saves documents in `bucket`, under keys that `keys` chooses.

    `show` is called when an upload has something new to show in its chat, every `progress_interval` seconds at most.
    """

    def __init__(
        self,
        jobs: Uploads,
        transfer: Transfer,
        bucket: Bucket,
        keys: Keys,
        *,
        max_file_size: int | None,
        progress_interval: float,
        show: Callable[[Chat, str], None],
    ) -> None:
        self._jobs = jobs
        self._transfer = transfer
        self._bucket = bucket
        self._keys = keys
        self._max_file_size = max_file_size
        self._interval = progress_interval
        self._show = show
        self._meters: dict[str, Meter] = {}

    def sample(self, upload: str) -> Sample | None:
        """How far an upload is, if it has begun."""
        meter = self._meters.get(upload)
        return meter.value.value if meter else None

    def forget(self, upload: str) -> None:
        """The upload is over: nobody asks any more how far it is."""
        self._meters.pop(upload, None)

    async def save(self, claim: UploadClaim, resolve: Callable[[UploadJob], Awaitable[Source]]) -> Outcome:
        """
        Save the document under the first key that nobody else has, or takes meanwhile.

        `resolve` finds its bytes, and is called only if they are needed. Raises what `Transfer` and `Bucket` raise, but
        no exception group; `NameTaken` when its sender is to be asked.
        """
        job, tried = claim.job, claim.attempts.key
        same = await self._same_file(claim)
        if same is not None:
            await self.abandon_multipart(job)
            return Outcome(same.key, Stored(same.size, same.etag), same)
        for _ in range(KEYS_IN_A_ROW):
            async with self._keys.choose(job, tried) as choice:
                stored = await self._save_as(choice, job, resolve)
            if stored is not None:
                return Outcome(choice.key, stored)
            tried = None
        raise KeyTaken(f"{KEYS_IN_A_ROW} names were taken one after the other")

    async def abandon_multipart(self, job: UploadJob) -> None:
        """Abort what the job has begun in the store; it isn't forgotten here before it is gone there."""
        attempts = await self._jobs.attempts(job)
        if attempts.key is None or attempts.creating is None:
            return
        ours = {attempts.upload_id} if attempts.upload_id else await self._lost(attempts.key, attempts.creating)
        for upload_id in ours:
            await self._bucket.abort_upload(attempts.key, upload_id)
        await self._jobs.multipart_over(job)

    async def withdraw(self, job: UploadJob) -> Outcome | None:
        """
        Remove from the store what was done for a job that is cancelled, even if it came through in the last moment.

        Only an object that may have taken another one's place stays: without it there would be neither.
        """
        await self.abandon_multipart(job)
        found = await self.found(job)
        if found is None or (await self._jobs.attempts(job)).replacing:
            return found
        await self._bucket.delete(found.key, etag=found.stored.etag)
        return None

    async def found(self, job: UploadJob) -> Outcome | None:
        """Where the job's own object is, if an attempt came through without anybody knowing."""
        key = (await self._jobs.attempts(job)).key
        own = await self._keys.own(job, key) if key is not None else None
        return Outcome(key, Stored(own.size, own.etag)) if key is not None and own is not None else None

    async def _same_file(self, claim: UploadClaim) -> SavedFile | None:
        """The very same document, sent before under the same name and still in the bucket."""
        job, tried = claim.job, claim.attempts.key
        file = await self._jobs.same_file(job)
        if file is None or (tried is not None and await self._keys.own(job, tried) is not None):
            return None  # an earlier attempt may have come through without anybody knowing: then that is the one
        there = await self._bucket.head(file.key)
        return file if there is not None and (there.size, there.etag) == (file.size, file.etag) else None

    async def _save_as(
        self, choice: Choice, job: UploadJob, resolve: Callable[[UploadJob], Awaitable[Source]]
    ) -> Stored | None:
        """Save the document under a key; `None` when another object has come to stand there."""
        if choice.stored is not None and _is_whole(job, choice.stored):
            # An earlier attempt succeeded, and its answer or our record of it was lost.
            await self.abandon_multipart(job)
            return Stored(choice.stored.size, choice.stored.etag)
        if choice.stored is not None and not choice.replaces:
            log.warning("an object came out with another size and is written anew", upload=job.id, key=choice.key)
            await self._bucket.delete(choice.key, etag=choice.stored.etag)
        if self._max_file_size is not None and (job.document.size or 0) > self._max_file_size:
            raise DocumentRefused(Reason.TOO_BIG_FOR_OPERATOR, limit=self._max_file_size)
        source = await resolve(job)
        plan = await self._plan(choice, job)
        try:
            return await self._run(job, source, plan)
        except (KeyTaken, UploadGone) as error:
            return await self._saved_before(choice.key, job, error)
        except UploadConflict:
            # Amazon S3, "CompleteMultipartUpload": after a 409 the upload has to be begun anew.
            await self.abandon_multipart(job)
            raise

    async def _saved_before(self, key: str, job: UploadJob, error: KeyTaken | UploadGone) -> Stored | None:
        """
        What stands under a key if the job itself has put it there; `None` if another one has.

        That is what the two errors say of a completion, too, that succeeded before and whose answer was lost.
        """
        own = await self._keys.own(job, key)
        await self.abandon_multipart(job)
        if own is None and isinstance(error, UploadGone):
            raise error
        if own is not None and not _is_whole(job, own):
            raise UploadConflict(f"{own.size} bytes stand under the document's name") from error
        return Stored(own.size, own.etag) if own else None

    async def _plan(self, choice: Choice, job: UploadJob) -> Plan:
        """What to do, and what to go on with; the key is committed before anything is tried with it."""
        attempts = await self._jobs.attempts(job)
        unfinished = await self._unfinished(choice, attempts)
        if unfinished is None:
            await self.abandon_multipart(job)
            await self._jobs.try_key(job, choice.key, replacing=choice.replaces)
        return Plan(
            choice.key,
            facts_of(job, choice.key),
            self._max_file_size,
            only_if_absent=not choice.replaces,
            unfinished=unfinished,
        )

    async def _unfinished(self, choice: Choice, attempts: Attempts) -> Unfinished | None:
        """The multipart upload of an earlier attempt, if it can go on: what is on record of it still holds."""
        meant = choice.key, choice.replaces, self._transfer.part_size
        if attempts.upload_id is None or meant != (attempts.key, attempts.replacing, attempts.part_size):
            return None
        try:
            there = {part.number: part for part in await self._bucket.list_parts(choice.key, attempts.upload_id)}
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

    async def _lost(self, key: str, before: Collection[str]) -> set[str]:
        """
        The uploads to a key that came after we set out to create one and whose answer we never got.

        S3 can't attribute them. That somebody else with the same keys began one to this very key since then, and
        that it isn't on record here, is the one case in which this is wrong.
        """
        found = {upload.upload_id for upload in await self._bucket.list_uploads(key) if upload.key == key}
        return found - set(before) - await self._jobs.multiparts()


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
        # Names come in any length, and a store takes only so much of headers.
        content_disposition=names.content_disposition(names.fit(job.asked_name or job.name)),
        metadata={
            **metadata_of(job.id),
            "messenger": job.chat.messenger,
            "chat": str(job.chat.id),
            "message": str(job.message_id),
        },
    )


def _is_whole(job: UploadJob, own: StoredObject) -> bool:
    """Whether the job's own object has the size that its messenger announced."""
    return job.document.size in (None, own.size)


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
