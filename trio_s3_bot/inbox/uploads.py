"""The documents on their way into the bucket, and what is on record about each attempt."""

from __future__ import annotations

import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial

import msgspec
import trio

from trio_s3_bot.conversation.state import Ask, Question
from trio_s3_bot.inbox import endings, rows
from trio_s3_bot.inbox.bell import Bell
from trio_s3_bot.inbox.database import Database
from trio_s3_bot.inbox.mending import sound
from trio_s3_bot.model import Attempts, Chat, Part, SavedFile, UploadJob, UploadState
from trio_s3_bot.notices import AnyNotice, Conflict, Delayed


@dataclass(frozen=True, slots=True)
class UploadClaim:
    """A document that an upload slot has taken, with what earlier attempts left."""

    job: UploadJob
    attempts: Attempts


class Uploads:
    """
    What waits for an upload slot, and who is next: the chat with the fewest running uploads; of several such the one
    whose last turn is the longest ago, then the one with the oldest document. Without the turns, as many chats with
    endless documents as there are slots would leave no turn to any other.

    `told` is called when a chat has something new to hear. `clock` gives Unix seconds, `ask_timeout` is how many of
    them a question holds things up.
    """

    def __init__(
        self,
        database: Database,
        told: Callable[[Chat, rows.Touched], None],
        *,
        clock: Callable[[], float] = time.time,
        ask_timeout: float = 60,
    ) -> None:
        self._database = database
        self._told = told
        self._clock = clock
        self._ask_timeout = ask_timeout
        self.bell = Bell()
        self._running: dict[str, str] = {}
        self._turn = 0
        self._turns: dict[str, int] = {}
        self._choosing = trio.Lock()

    async def claim(
        self, *, but_not: Collection[str] = (), of: Collection[str] | None = None, overwriting: bool = False
    ) -> UploadClaim | None:
        """
        Take the next document that isn't running; `None` when there is none.

        `but_not` are ids of documents; `of` names the messengers whose documents don't have to wait (`None`: all of
        them). `overwriting`: of those of one name the last one sent is to stay, so they go one after the other.
        """
        async with self._choosing:
            passed_over = {*but_not, *self._running}

            def read(connection: sqlite3.Connection) -> UploadClaim | None:
                upload = self._next(connection, passed_over, of, overwriting)
                return None if upload is None else _claim(connection, upload)

            claim = await sound(self._database, partial(self._database.read, read))
            if claim is not None:
                self._running[claim.job.id] = claim.job.chat.key
                self._turn += 1
                self._turns[claim.job.chat.key] = self._turn
            return claim

    def give_back(self, claim: UploadClaim) -> None:
        """End a claim; the document waits again unless its end was committed."""
        self._running.pop(claim.job.id, None)
        self.bell.ring()

    async def next_answer_due(self) -> float | None:
        """In how many seconds the first document that waits for an answer no longer waits; `None`: none waits."""
        # With the first condition an index of what is open serves; the second alone would read all that is over.
        query = f"SELECT min(ask_until) FROM uploads WHERE {rows.OPEN} AND state = 'asking' AND ask_until > ?"
        now = self._clock()
        due: float | None = await self._database.read(lambda c: c.execute(query, (now,)).fetchone()[0])
        if due is None:
            return None
        if due > now + self._ask_timeout:
            await self._wait_from(now)
        return min(max(0.0, due - now), self._ask_timeout)

    async def try_key(self, job: UploadJob, key: str, *, replacing: bool = False) -> None:
        """
        Commit the key that is about to be tried: after a crash it is the first one to look at.

        `replacing`: with leave to take the place of another object; that one is gone if the try came through. From
        here on the document is being saved, so nothing that held it up is asked any more.
        """

        def write(connection: sqlite3.Connection) -> None:
            connection.execute(
                "UPDATE uploads SET key = ?, replacing = ?, state = 'running', ask_until = NULL, upload_id = NULL,"
                " creating = NULL WHERE id = ?",
                (key, replacing, job.id),
            )
            connection.execute(
                "DELETE FROM questions WHERE item = ? AND ask IN (?, ?)",
                (job.id, Ask.KEEP_NAME.value, Ask.CONFLICT.value),
            )

        await self._database.write(write)

    async def ask_about_conflict(self, job: UploadJob) -> None:
        """
        Ask what to do about an object of the same name; the upload waits for the answer, for a while.

        Nothing is asked if its sender has cancelled it meanwhile, or chosen another name.
        """

        def write(connection: sqlite3.Connection) -> Chat:
            until = self._clock() + self._ask_timeout
            chat = rows.chat_key_of(connection, job.id)
            # Once asked in vain, both are kept.
            asked = connection.execute(
                "UPDATE uploads SET state = 'asking', ask_until = ?, policy = 'keep_both' "
                "WHERE id = ? AND NOT cancelled AND name = ?",
                (until, job.id, job.name),
            )
            if not asked.rowcount:
                return rows.chat_of(connection, chat)
            rows.put_question(connection, chat, Question(job.id, Ask.CONFLICT), until)
            rows.add_notice(connection, chat, Conflict(upload=job.id, name=job.name, reply_to=job.message_id))
            rows.show_anew(connection, job.id)
            return rows.chat_of(connection, chat)

        self._told(await self._database.write(write), rows.Touched(notices=True))

    async def same_file(self, job: UploadJob) -> SavedFile | None:
        """The very same document, saved before for the same chat under the same name, where it is going to stay."""
        query = (
            f"SELECT {rows.FILE_COLUMNS} FROM files WHERE chat = ? AND unique_id = ? AND name = ? AND prefix = ? "
            f"AND id != ? AND {rows.STAYS} ORDER BY saved_at DESC LIMIT 1"
        )

        def read(connection: sqlite3.Connection) -> SavedFile | None:
            wanted = (rows.chat_key_of(connection, job.id), job.document.unique_id, job.name, job.prefix, job.id)
            row = connection.execute(query, wanted).fetchone()
            return rows.file_from(connection, row) if row else None

        return await self._database.read(read)

    async def creating(self, job: UploadJob, part_size: int, before: Collection[str]) -> None:
        """
        Commit that a multipart upload is about to be created, with parts of `part_size` bytes.

        `before` are the ids of the uploads to that key that there are already: if the answer gets lost, the one that
        isn't among them is ours.
        """
        await self._update(job, "creating = ?, part_size = ?, upload_id = NULL", rows.encode(sorted(before)), part_size)

    async def created(self, job: UploadJob, upload_id: str) -> None:
        """Commit the multipart upload's id."""
        await self._update(job, "upload_id = ?", upload_id)

    async def part_done(self, job: UploadJob, part: Part) -> None:
        """Commit a finished part."""

        def write(connection: sqlite3.Connection) -> None:
            connection.execute(
                "INSERT OR REPLACE INTO parts (upload, number, size, etag, crc32) VALUES (?, ?, ?, ?, ?)",
                (job.id, part.number, part.size, part.etag, part.crc32),
            )

        await self._database.write(write)

    async def multipart_over(self, job: UploadJob) -> None:
        """Commit that the job owns no multipart upload (any more)."""

        def write(connection: sqlite3.Connection) -> None:
            connection.execute("UPDATE uploads SET upload_id = NULL, creating = NULL WHERE id = ?", (job.id,))
            connection.execute("DELETE FROM parts WHERE upload = ?", (job.id,))

        await self._database.write(write)

    async def failed(self, job: UploadJob, failures: int, error: str) -> None:
        """Commit how many attempts in a row have failed because of the document, and why the last one did."""
        await self._update(job, "failures = ?, error = ?", failures, error[:2000])

    async def finish(
        self,
        job: UploadJob,
        state: UploadState,
        notice: AnyNotice | None,
        saved: SavedFile | None = None,
        *,
        though_cancelled: bool = False,
    ) -> bool:
        """
        Commit how a document ended, what its chat is told, and what is in the bucket, in one transaction.

        False if it has not ended so: its sender has cancelled it meanwhile, unless it ends as `SAVED` even
        `though_cancelled`; or what it was found to be the same as is gone.
        """
        ending = endings.Ending(state, notice, saved, though_cancelled)
        chats, renamed = await self._database.write(partial(endings.end, job=job, ending=ending))
        for chat in chats:
            self._told(chat, rows.Touched(notices=True, chores=renamed))
        return bool(chats)

    async def tell_delays(self, of: str | None = None) -> None:
        """Let every chat, or every one of the messenger `of`, hear once which of its documents have to wait."""
        waiting = f"{rows.OPEN} AND NOT (cancelled OR delay_told) AND (:of IS NULL OR chat LIKE :of || ':%')"

        def write(connection: sqlite3.Connection) -> list[Chat]:
            untold = connection.execute(
                f"SELECT id, chat, name FROM uploads WHERE {waiting} ORDER BY seq", {"of": of}
            ).fetchall()
            for upload, chat, name in untold:
                rows.add_notice(connection, chat, Delayed(upload=upload, name=name))
            connection.execute(f"UPDATE uploads SET delay_told = 1 WHERE {waiting}", {"of": of})
            return [rows.chat_of(connection, chat) for chat in {chat for _, chat, _ in untold}]

        for chat in await self._database.write(write):
            self._told(chat, rows.Touched(notices=True))

    async def cancelled(self, job: UploadJob) -> bool:
        """Whether its sender has cancelled the job; from the moment on that this says so, it is never saved."""
        return await self._database.read(lambda connection: rows.is_cancelled(connection, job.id))

    async def attempts(self, job: UploadJob) -> Attempts:
        """What is on record about the job now."""
        return await self._database.read(lambda connection: _attempts(connection, job.id))

    async def open_count(self) -> int:
        """How many documents are waiting or running."""
        query = f"SELECT count(*) FROM uploads WHERE {rows.OPEN}"
        return await self._database.read(lambda connection: connection.execute(query).fetchone()[0])

    async def multiparts(self) -> set[str]:
        """The ids of all multipart uploads that jobs own."""
        query = "SELECT upload_id FROM uploads WHERE upload_id IS NOT NULL"
        return {row[0] for row in await self._database.read(lambda connection: connection.execute(query).fetchall())}

    def _next(
        self,
        connection: sqlite3.Connection,
        passed_over: Collection[str],
        of: Collection[str] | None,
        overwriting: bool,
    ) -> str | None:
        now = self._clock()
        found = connection.execute(
            f"SELECT chat, min(seq) FROM uploads WHERE {rows.OPEN} AND (state != 'asking' OR ask_until <= ?) "
            "AND id NOT IN (SELECT value FROM json_each(?)) "
            "AND NOT ((? OR policy IS 'overwrite') AND EXISTS (SELECT 1 FROM uploads AS older WHERE "
            f" older.chat = uploads.chat AND older.name = uploads.name AND older.{rows.OPEN} "
            " AND older.prefix = uploads.prefix AND older.seq < uploads.seq"
            " AND (older.state != 'asking' OR older.ask_until <= ?))) "
            "GROUP BY chat",
            (now, rows.encode(sorted(passed_over)), overwriting, now),
        )
        heads = [(chat, seq) for chat, seq in found if of is None or chat.partition(":")[0] in of]
        if not heads:
            return None
        running = Counter(self._running.values())
        self._turns = {chat: self._turns[chat] for chat, _ in heads if chat in self._turns}
        _, seq = min(heads, key=lambda head: (running[head[0]], self._turns.get(head[0], 0), head[1]))
        return connection.execute("SELECT id FROM uploads WHERE seq = ?", (seq,)).fetchone()[0]  # type: ignore[no-any-return]

    async def _wait_from(self, now: float) -> None:
        """The clock was set back, or the waiting made shorter: nothing waits longer than it would if asked now."""
        latest = now + self._ask_timeout
        statement = "UPDATE uploads SET ask_until = ? WHERE state = 'asking' AND ask_until > ?"
        await self._database.write(lambda connection: connection.execute(statement, (latest, latest)))

    async def _update(self, job: UploadJob, assignments: str, *values: object) -> None:
        statement = f"UPDATE uploads SET {assignments} WHERE id = ?"
        await self._database.write(lambda connection: connection.execute(statement, (*values, job.id)))


def _claim(connection: sqlite3.Connection, upload: str) -> UploadClaim:
    return UploadClaim(rows.job_from(connection, upload), _attempts(connection, upload))


def _attempts(connection: sqlite3.Connection, upload: str) -> Attempts:
    key, creating, upload_id, part_size, failures, replacing = connection.execute(
        "SELECT key, creating, upload_id, part_size, failures, replacing FROM uploads WHERE id = ?", (upload,)
    ).fetchone()
    before = None if creating is None else msgspec.json.decode(creating, type=frozenset[str])
    parts = connection.execute(
        "SELECT number, size, etag, crc32 FROM parts WHERE upload = ? ORDER BY number", (upload,)
    ).fetchall()
    done = tuple(Part(*part) for part in parts)
    return Attempts(key, upload_id, part_size, before, done, failures, replacing=bool(replacing))
