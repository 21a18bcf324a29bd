"""The saved files, and what is to be done with them."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from functools import partial

import msgspec
import trio

from trio_s3_bot.conversation.state import Ask, Question
from trio_s3_bot.inbox import rows
from trio_s3_bot.inbox.bell import Bell
from trio_s3_bot.inbox.database import Database
from trio_s3_bot.inbox.mending import sound
from trio_s3_bot.model import Chat, SavedFile
from trio_s3_bot.notices import AnyNotice, AskName, ChoreDelayed, NameProblem, Place


@dataclass(frozen=True, slots=True)
class Chore:
    """
    A renaming to `key` (called `name` there), or with `key` unset a deletion, of a saved file.

    `creating` is set once it was begun; it holds the ids of the multipart uploads that there were at the new key then.
    `place` is where in the list of files it was asked for.
    """

    file: SavedFile
    name: str | None = None
    key: str | None = None
    creating: frozenset[str] | None = None
    prefix: str = ""
    place: Place | None = None

    @property
    def present_name(self) -> str:
        """What the file is called as long as the chore isn't done."""
        return self.file.key.removeprefix(self.prefix)


class Files:
    """What is in the bucket, as far as the bot put it there. `told` is called when a chat has something to hear."""

    def __init__(
        self, database: Database, told: Callable[[Chat, rows.Touched], None], clock: Callable[[], float]
    ) -> None:
        self._database = database
        self._told = told
        self._clock = clock
        self.bell = Bell()
        self._claimed: set[str] = set()
        self._choosing = trio.Lock()

    async def get(self, chat: Chat, item: str) -> SavedFile | None:
        """A file of this chat."""
        query = f"SELECT {rows.FILE_COLUMNS} FROM files WHERE id = ? AND chat = ?"

        def read(connection: sqlite3.Connection) -> SavedFile | None:
            row = connection.execute(query, (item, chat.key)).fetchone()
            return rows.file_from(connection, row) if row else None

        return await self._database.read(read)

    async def page(self, chat: Chat, page: int, query: str, size: int) -> list[SavedFile]:
        """The files that a page of the list shows, `size` at the most; beyond the end it shows the last page."""

        def read(connection: sqlite3.Connection) -> list[SavedFile]:
            found, total = page_of(connection, chat.key, page, query, size)
            return found if found or not total else page_of(connection, chat.key, (total - 1) // size, query, size)[0]

        return await self._database.read(read)

    async def mark(self, gone: Iterable[tuple[SavedFile, bool]]) -> None:
        """Record which files somebody else has removed from the bucket, or put back."""
        # One that was renamed meanwhile was looked for where it is no more.
        mark = "UPDATE files SET gone = ? WHERE id = ? AND key = ? AND etag = ?"
        changed = [(is_gone, file.id, file.key, file.etag) for file, is_gone in gone if file.gone != is_gone]
        if changed:
            await self._database.write(lambda connection: connection.executemany(mark, changed))

    async def claim(self, but_not: Collection[str] = ()) -> Chore | None:
        """Take the next chore that nobody works on and that isn't among `but_not` (ids of files)."""

        async with self._choosing:
            passed_over = rows.encode(sorted({*but_not, *self._claimed}))

            def read(connection: sqlite3.Connection) -> Chore | None:
                row = connection.execute(
                    "SELECT item FROM chores JOIN files ON files.id = chores.item "
                    "WHERE item NOT IN (SELECT value FROM json_each(?)) ORDER BY seq LIMIT 1",
                    (passed_over,),
                ).fetchone()
                return _chore(connection, row[0]) if row else None

            chore = await sound(self._database, partial(self._database.read, read))
            if chore is not None:
                self._claimed.add(chore.file.id)
            return chore

    def give_back(self, chore: Chore) -> None:
        """End a claim; the chore is done again unless its end was committed."""
        self._claimed.discard(chore.file.id)
        self.bell.ring()

    async def begin(self, chore: Chore, before: Collection[str]) -> bool:
        """
        Commit that a chore is about to be done, and which multipart uploads there are at its key before.

        False if it is no longer to be done, or under another name.
        """
        values = (rows.encode(sorted(before)), chore.file.id, chore.name)
        begin = "UPDATE chores SET creating = ? WHERE item = ? AND name IS ?"
        return await self._database.write(lambda connection: connection.execute(begin, values).rowcount > 0)

    async def renamed(self, chore: Chore, etag: str, notice: AnyNotice) -> None:
        """Commit a new name, and what is said about it."""
        overtaken: list[Chat] = []

        def write(connection: sqlite3.Connection, _: str) -> None:
            overtaken.extend(rows.forget_replaced(connection, str(chore.key), chore.file.id))
            connection.execute(
                "UPDATE files SET key = ?, name = ?, etag = ?, gone = 0 WHERE id = ?",
                (chore.key, chore.name, etag, chore.file.id),
            )
            connection.execute("UPDATE uploads SET name = ? WHERE id = ?", (chore.name, chore.file.id))
            rows.say_saved_as(connection, chore.file.id, str(chore.key), str(chore.name))

        await self._end(chore, notice, write)
        for chat in overtaken:
            self._tell(chat)

    async def deleted(self, chore: Chore, notice: AnyNotice) -> None:
        """Commit that a file is no longer there, and what is said about it."""
        await self._end(chore, notice, lambda connection, _: rows.forget_file(connection, chore.file.id))

    async def lost(self, chore: Chore, notice: AnyNotice) -> None:
        """Commit that a file turned out to have been removed by somebody else, or replaced."""

        def write(connection: sqlite3.Connection, _: str) -> None:
            connection.execute("UPDATE files SET gone = 1 WHERE id = ?", (chore.file.id,))
            by_another = "EXISTS (SELECT 1 FROM files AS other WHERE other.key = files.key AND other.id != files.id)"
            connection.execute(f"DELETE FROM files WHERE id = ? AND {by_another}", (chore.file.id,))

        await self._end(chore, notice, write)

    async def given_up(self, chore: Chore, notice: AnyNotice) -> None:
        """Commit that a chore will not be done: the file keeps its name."""
        keep = "UPDATE uploads SET name = ? WHERE id = ?"
        values = (chore.file.name, chore.file.id)
        await self._end(chore, notice, lambda connection, _: connection.execute(keep, values))

    async def ask_again(self, chore: Chore, problem: NameProblem, timeout: float) -> None:
        """The new name can't be had: ask for another one."""

        def write(connection: sqlite3.Connection, chat_key: str) -> None:
            question = Question(chore.file.id, Ask.NEW_NAME)
            rows.put_question(connection, chat_key, question, self._clock() + timeout)
            connection.execute("UPDATE uploads SET name = ? WHERE id = ?", (chore.file.name, chore.file.id))
            sent_with = rows.message_of(connection, chore.file.id)
            notice = AskName(upload=chore.file.id, name=chore.present_name, problem=problem, reply_to=sent_with)
            rows.add_notice(connection, chat_key, notice)

        await self._end(chore, None, write)

    async def tell_delay(self, chore: Chore) -> None:
        """Let the chat hear, once, that what it wants done has to wait."""

        def write(connection: sqlite3.Connection) -> Chat | None:
            untold = "UPDATE chores SET delay_told = 1 WHERE item = ? AND NOT delay_told RETURNING chat"
            row = connection.execute(untold, (chore.file.id,)).fetchone()
            if row is None:
                return None
            rows.add_notice(connection, row[0], ChoreDelayed(upload=chore.file.id, name=chore.present_name))
            return rows.chat_of(connection, row[0])

        self._tell(await self._database.write(write))

    async def open_count(self) -> int:
        """How many chores there are."""
        return await self._database.read(lambda c: c.execute("SELECT count(*) FROM chores").fetchone()[0])

    async def _end(
        self, chore: Chore, notice: AnyNotice | None, write: Callable[[sqlite3.Connection, str], object]
    ) -> None:
        """`write` gets the chat as it is on record: the group may have moved meanwhile."""

        def end(connection: sqlite3.Connection) -> Chat | None:
            ended = "DELETE FROM chores WHERE item = ? RETURNING chat, edit_of"
            row = connection.execute(ended, (chore.file.id,)).fetchone()
            if row is None:
                return None  # the file was replaced meanwhile, and that is said already
            chat_key, edit_of = row
            write(connection, chat_key)
            if notice is not None:
                rows.add_notice(connection, chat_key, notice, edit_of)
            return rows.chat_of(connection, chat_key)

        self._tell(await self._database.write(end))

    def _tell(self, chat: Chat | None) -> None:
        if chat is not None:
            self._told(chat, rows.Touched(notices=True))


def page_of(
    connection: sqlite3.Connection, chat_key: str, page: int, query: str, size: int
) -> tuple[list[SavedFile], int]:
    """A page of a chat's files, the newest first, and how many there are in all; beyond the end it is empty."""
    where = "chat = :chat"
    if query:
        where += " AND instr(casefold(substr(key, length(prefix) + 1)), casefold(:query)) > 0"
    values = {"chat": chat_key, "query": query, "size": size, "offset": page * size}
    (total,) = connection.execute(f"SELECT count(*) FROM files WHERE {where}", values).fetchone()
    found = connection.execute(
        f"SELECT {rows.FILE_COLUMNS} FROM files WHERE {where} ORDER BY saved_at DESC, id LIMIT :size OFFSET :offset",
        values,
    ).fetchall()
    return [rows.file_from(connection, row) for row in found], total


def _chore(connection: sqlite3.Connection, item: str) -> Chore:
    columns = "SELECT name, creating, page, query FROM chores WHERE item = ?"
    name, creating, page, query = connection.execute(columns, (item,)).fetchone()
    row = connection.execute(f"SELECT {rows.FILE_COLUMNS} FROM files WHERE id = ?", (item,)).fetchone()
    (prefix,) = connection.execute("SELECT prefix FROM files WHERE id = ?", (item,)).fetchone()
    before = None if creating is None else msgspec.json.decode(creating, type=frozenset[str])
    key = prefix + name if name is not None else None
    return Chore(rows.file_from(connection, row), name, key, before, prefix, rows.place_in(page, query))
