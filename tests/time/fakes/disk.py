"""A disk that can be full or broken, with the real inbox on it; the clock stands still while it works."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar, cast

import trio

from trio_s3_bot.inbox import Inbox, inbox_in
from trio_s3_bot.inbox.database import Database, open_database

T = TypeVar("T")

IN_MEMORY = Path(":memory:")


async def inline(function: Callable[..., T], *arguments: object) -> T:
    """Call it here and now. A checkpoint stands where a thread would be waited for."""
    await trio.lowlevel.checkpoint()
    return function(*arguments)


class Disk:
    """
    What a database is on, as its user sees it.

    While it is `full`, nothing that changes the file is committed; while it is `broken`, nothing is read either.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self._before = 0
        self.full = self.broken = False

    @property
    def in_transaction(self) -> bool:
        return self.connection.in_transaction

    def execute(self, statement: str, parameters: Sequence[Any] = ()) -> sqlite3.Cursor:
        if self.broken:
            raise _error("disk I/O error", sqlite3.SQLITE_IOERR)
        if statement.startswith("BEGIN"):
            self._before = self.connection.total_changes
        if statement == "COMMIT" and self.full and self.connection.total_changes > self._before:
            raise _error("database or disk is full", sqlite3.SQLITE_FULL)
        return self.connection.execute(statement, parameters)

    def executemany(self, statement: str, parameters: Iterable[Sequence[Any]]) -> sqlite3.Cursor:
        return self.connection.executemany(statement, parameters)


def _error(message: str, code: int) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError(message)
    error.sqlite_errorcode = code
    return error


@asynccontextmanager
async def open_disk() -> AsyncIterator[Disk]:
    """A disk with an empty state file on it."""
    async with open_database(IN_MEMORY, inline) as database:
        yield Disk(await database.read(lambda connection: connection))


async def inbox_on(disk: Disk, clock: Callable[[], float] = trio.current_time) -> Inbox:
    """The real inbox; the clock stands still while it works. Asked again, it is what the next start finds."""
    database = Database(cast("sqlite3.Connection", disk), IN_MEMORY, inline)
    return await inbox_in(database, clock=clock)
