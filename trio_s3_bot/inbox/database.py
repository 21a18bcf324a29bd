"""
The state file: one sqlite connection, used by one thread at a time, written in shared commits.

WAL with `synchronous=FULL`: a commit is on the disk, not only in its cache, before `write` returns. Operations that
wait for the disk together share one commit, so the number of chats that can be served doesn't hang on `fsync`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar, cast

import outcome
import trio

from trio_s3_bot.errors import StateDamaged, StateError, StateLocked, StateUnwritable
from trio_s3_bot.inbox.schema import APPLICATION_ID, MIGRATIONS

T = TypeVar("T")
Operation = Callable[[sqlite3.Connection], T]

_UNWRITABLE = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN}
_LOCKED = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_OUT_OF_ORDER = (
    _UNWRITABLE
    | _LOCKED
    | _DAMAGED
    | {
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_INTERRUPT,
    }
)


@dataclass(eq=False, slots=True)
class _Ticket(Generic[T]):
    """An operation that waits for its turn, and what came of it."""

    operation: Operation[T]
    result: outcome.Outcome[T] | None = None


class Run(Protocol):
    """Calls a function that may block, and returns what it returns; never two at a time."""

    async def __call__(self, function: Callable[..., T], *arguments: object) -> T: ...


class OneThread:
    """Runs what blocks in a thread, so that the event loop goes on."""

    def __init__(self) -> None:
        self._limiter = trio.CapacityLimiter(1)

    async def __call__(self, function: Callable[..., T], *arguments: object) -> T:
        return await trio.to_thread.run_sync(function, *arguments, limiter=self._limiter)


class Database:
    """Runs operations against the open state file. Made by `open_database`."""

    def __init__(self, connection: sqlite3.Connection, path: Path, run: Run) -> None:
        self._connection = connection
        self._path = path
        self._run = run
        self._turn = trio.Lock()
        self._waiting: list[_Ticket[Any]] = []

    async def write(self, operation: Operation[T]) -> T:
        """
        Run `operation` in a transaction and return its result once that is on the disk.

        What it raises undoes it alone, and comes out here. Raises `StateUnwritable` or `StateDamaged` when the file
        can't be written; then nothing of it has happened. Neither has it when this is cancelled.
        """
        ticket = _Ticket(operation)
        self._waiting.append(ticket)
        try:
            async with self._turn:
                if ticket.result is None:
                    batch, self._waiting = self._waiting, []
                    # Others' operations are in the batch too: a cancel of this task is none of theirs.
                    with trio.CancelScope(shield=True):
                        await self._run(self._commit, batch)
        except trio.Cancelled:
            if ticket in self._waiting:
                self._waiting.remove(ticket)
                raise
            # Another task has it in its commit already. The cancel comes at the next checkpoint, once it is known
            # here what has happened.
            with trio.CancelScope(shield=True):
                async with self._turn:
                    pass
        assert ticket.result is not None
        return ticket.result.unwrap()

    async def read(self, operation: Operation[T]) -> T:
        """Run an operation that writes nothing. Raises `StateError` when the file can't be read."""
        return await self._run(self._guarded, operation)

    def _commit(self, batch: list[_Ticket[Any]]) -> None:
        """One transaction for all of `batch`; each operation in a savepoint of its own."""
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            results = [self._in_savepoint(ticket.operation) for ticket in batch]
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            # It concerns everybody in the transaction.
            # Where not even this succeeds, the next transaction fails at its beginning and comes here again.
            with suppress(sqlite3.Error):
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
            results = [outcome.Error(translate(error, self._path)) for _ in batch]
        for ticket, result in zip(batch, results, strict=True):
            ticket.result = result

    def _in_savepoint(self, operation: Operation[T]) -> outcome.Outcome[T]:
        self._connection.execute("SAVEPOINT operation")
        try:
            result: outcome.Outcome[T] = outcome.Value(operation(self._connection))
        except Exception as error:
            if concerns_everybody(error):
                raise
            self._connection.execute("ROLLBACK TO operation")
            result = outcome.Error(error)
        self._connection.execute("RELEASE operation")
        return result

    def _guarded(self, operation: Operation[T]) -> T:
        try:
            return operation(self._connection)
        except sqlite3.Error as error:
            if concerns_everybody(error):
                raise translate(error, self._path) from error
            raise


@asynccontextmanager
async def open_database(path: Path, run: Run | None = None) -> AsyncIterator[Database]:
    """
    Open the state file, bring it to the newest schema and hold it alone until the block ends.

    `run` is for what blocks; a thread unless given. Raises `StateLocked`, `StateDamaged`, `StateUnwritable`.
    """
    run = run or OneThread()
    connection = await run(_connect, path)
    try:
        yield Database(connection, path, run)
    finally:
        with trio.CancelScope(shield=True):
            await run(connection.close)


def concerns_everybody(error: Exception) -> bool:
    """
    Whether the file is out of order, and not only what one operation wanted of it.

    A full disk passes, and then every operation succeeds; a number or a JSON that sqlite can't take stays as it is.
    """
    return isinstance(error, sqlite3.Error) and getattr(error, "sqlite_errorcode", 0) & 0xFF in _OUT_OF_ORDER


def translate(error: sqlite3.Error, path: Path) -> StateError:
    """Name sqlite's error by what the operator has to do about it."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in _LOCKED:
        return StateLocked(f"{path}: another instance of the bot is using this state file")
    if code in _UNWRITABLE:
        return StateUnwritable(
            f"{path}: the state can't be written ({error}): free the disk or make the folder writable"
        )
    if code in _DAMAGED:
        return StateDamaged(f"{path}: this is no intact state file ({error}): move it away, or restore it from a copy")
    return StateError(f"{path}: {error}")


def _connect(path: Path) -> sqlite3.Connection:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StateUnwritable(f"{path.parent}: the folder for the state can't be made ({error.strerror})") from error
    connection: sqlite3.Connection | None = None
    try:
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=1)
        _prepare(connection, path)
    except BaseException as error:
        if connection is not None:
            connection.close()
        if isinstance(error, sqlite3.Error):
            raise translate(error, path) from error
        raise
    return connection


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    """Take the file for this process alone and migrate it."""
    connection.create_function("casefold", 1, str.casefold, deterministic=True)
    # Exclusive before the first access: the lock is then held until the process ends, however it ends.
    connection.execute("PRAGMA locking_mode=EXCLUSIVE")
    connection.execute("BEGIN EXCLUSIVE")
    version = _recognized(connection, path)
    connection.execute("COMMIT")
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute("BEGIN EXCLUSIVE")
    for statements in MIGRATIONS[version:]:
        for statement in statements:
            connection.execute(statement)
    connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version={len(MIGRATIONS)}")
    connection.execute("COMMIT")


def _recognized(connection: sqlite3.Connection, path: Path) -> int:
    """The schema version of a file that may be ours; not a byte of any other one is changed."""
    application, version = _pragma(connection, "application_id"), _pragma(connection, "user_version")
    tables = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
    if tables and application != APPLICATION_ID:
        raise StateDamaged(f"{path}: this is another program's database")
    if version > len(MIGRATIONS):
        raise StateDamaged(f"{path}: written by a newer version of this program (schema {version})")
    return version


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return cast("int", connection.execute(f"PRAGMA {name}").fetchone()[0])
