"""The state file: shared commits, and what the operator is told when it can't be used."""

from __future__ import annotations

import os
import sqlite3
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from trio_s3_bot.errors import StateDamaged, StateError, StateLocked, StateUnwritable
from trio_s3_bot.inbox.database import Database, open_database
from trio_s3_bot.inbox.schema import APPLICATION_ID, MIGRATIONS

PATIENCE = 20  # seconds


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "bot.sqlite3"


def put(key: str, cursor: str = "1") -> Callable[[sqlite3.Connection], str]:
    """Write a row that the tests can look for."""

    def write(connection: sqlite3.Connection) -> str:
        connection.execute("INSERT INTO cursors (messenger, cursor) VALUES (?, ?)", (key, cursor))
        return key

    return write


async def found(database: Database) -> list[str]:
    def read(connection: sqlite3.Connection) -> list[str]:
        return [row[0] for row in connection.execute("SELECT messenger FROM cursors ORDER BY messenger")]

    return await database.read(read)


def pages_of_cursors(connection: sqlite3.Connection) -> list[int]:
    """The pages of the table that these tests write to, and of its index."""
    return [row[0] for row in connection.execute("SELECT rootpage FROM sqlite_schema WHERE tbl_name = 'cursors'")]


async def statements(database: Database) -> list[str]:
    """What sqlite is told from now on."""
    told: list[str] = []
    await database.read(lambda connection: connection.set_trace_callback(told.append))
    return told


class Held:
    """An operation that keeps the database busy until it is let go; `begun` says that it does. It may write a row."""

    def __init__(self, key: str | None = "held") -> None:
        self._key = key
        self._go = threading.Event()
        self.begun = trio.Event()

    def __call__(self, connection: sqlite3.Connection) -> None:
        if self._key is not None:
            put(self._key)(connection)
        trio.from_thread.run_sync(self.begun.set)
        assert self._go.wait(PATIENCE)

    def let_go(self) -> None:
        self._go.set()


async def test_what_was_written_is_there_after_a_restart(path: Path) -> None:
    async with open_database(path) as database:
        assert await database.write(put("a")) == "a"
    async with open_database(path) as database:
        assert await found(database) == ["a"]


async def test_a_commit_is_on_the_disk_before_it_is_reported(path: Path) -> None:
    async with open_database(path) as database:

        def pragmas(connection: sqlite3.Connection) -> list[object]:
            names = ("journal_mode", "synchronous", "locking_mode")
            return [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in names]

        assert await database.read(pragmas) == ["wal", 2, "exclusive"]


async def test_writers_that_wait_share_one_commit(path: Path) -> None:
    async with open_database(path) as database:
        told, held = await statements(database), Held()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(database.write, held)
            await held.begun.wait()
            for number in range(50):
                nursery.start_soon(database.write, put(f"{number:02}"))
            await wait_all_tasks_blocked()
            held.let_go()
        assert told.count("COMMIT") == 2
        assert len(await found(database)) == 51


async def test_an_operation_that_fails_undoes_itself_and_nothing_else(path: Path) -> None:
    results: dict[str, str] = {}

    def fail(connection: sqlite3.Connection) -> None:
        put("half")(connection)
        raise KeyError("a bug")

    async def write(name: str, operation: Callable[[sqlite3.Connection], object]) -> None:
        try:
            results[name] = str(await database.write(operation))
        except (KeyError, sqlite3.IntegrityError) as error:
            results[name] = type(error).__name__

    async with open_database(path) as database:
        told, held = await statements(database), Held()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(database.write, held)
            await held.begun.wait()
            nursery.start_soon(write, "before", put("before"))
            await wait_all_tasks_blocked()
            nursery.start_soon(write, "fails", fail)
            nursery.start_soon(write, "twice", put("held"))
            await wait_all_tasks_blocked()
            nursery.start_soon(write, "after", put("after"))
            await wait_all_tasks_blocked()
            held.let_go()
        assert results == {"before": "before", "fails": "KeyError", "twice": "IntegrityError", "after": "after"}
        assert told.count("COMMIT") == 2
        assert await found(database) == ["after", "before", "held"]


def malformed_json(connection: sqlite3.Connection) -> None:
    connection.execute("SELECT json('{')").fetchone()


def number_of_65_bits(connection: sqlite3.Connection) -> None:
    connection.execute("INSERT INTO cursors (messenger, cursor) VALUES ('huge', ?)", (2**64,))


def too_big(connection: sqlite3.Connection) -> None:
    connection.execute("INSERT INTO cursors (messenger, cursor) VALUES ('big', zeroblob(2000000000))")


def too_large_a_sum(connection: sqlite3.Connection) -> None:
    connection.execute("SELECT sum(column1) FROM (VALUES (?1), (?1))", (2**62,)).fetchone()


@pytest.mark.parametrize("operation", [malformed_json, number_of_65_bits, too_big, too_large_a_sum])
async def test_what_sqlite_cannot_do_for_one_operation_is_nothing_to_the_others(
    path: Path, operation: Callable[[sqlite3.Connection], None]
) -> None:
    async def fail() -> None:
        with pytest.raises((sqlite3.Error, OverflowError)):
            await database.write(operation)

    async with open_database(path) as database:
        held = Held()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(database.write, held)
            await held.begun.wait()
            nursery.start_soon(database.write, put("before"))
            nursery.start_soon(fail)
            nursery.start_soon(database.write, put("after"))
            await wait_all_tasks_blocked()
            held.let_go()
        assert await found(database) == ["after", "before", "held"]


async def test_what_sqlite_cannot_read_for_one_operation_is_no_sign_of_a_file_that_is_out_of_order(path: Path) -> None:
    async with open_database(path) as database:
        with pytest.raises(sqlite3.OperationalError, match="malformed JSON"):
            await database.read(malformed_json)


async def test_a_writer_cancelled_while_it_waits_writes_nothing_and_the_others_do(path: Path) -> None:
    async with open_database(path) as database:
        held = Held()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(database.write, held)
            await held.begun.wait()
            async with trio.open_nursery() as cancelled:
                cancelled.start_soon(database.write, put("cancelled"))
                nursery.start_soon(database.write, put("other"))
                await wait_all_tasks_blocked()
                cancelled.cancel_scope.cancel()
            held.let_go()
        assert await found(database) == ["held", "other"]


@pytest.mark.parametrize("place", [0, 1])
async def test_a_writer_cancelled_while_all_are_committed_takes_nothing_from_the_others(path: Path, place: int) -> None:
    async with open_database(path) as database:
        first, second = Held(), Held("second")
        async with trio.open_nursery() as others, trio.open_nursery() as cancelled:
            others.start_soon(database.write, first)
            await first.begun.wait()
            nurseries = [others, others]
            nurseries[place] = cancelled
            nurseries[0].start_soon(database.write, second)
            await wait_all_tasks_blocked()
            nurseries[1].start_soon(database.write, put("third"))
            await wait_all_tasks_blocked()
            first.let_go()
            await second.begun.wait()
            cancelled.cancel_scope.cancel()
            second.let_go()
        assert await found(database) == ["held", "second", "third"]


async def test_a_writer_cancelled_while_another_commits_for_it_hears_what_was_committed(path: Path) -> None:
    heard: list[str] = []

    async def write() -> None:
        heard.append(await database.write(put("cancelled")))
        await trio.lowlevel.checkpoint()
        heard.append("the cancel is lost")

    async with open_database(path) as database:
        first, second = Held(), Held("second")
        async with trio.open_nursery() as nursery, trio.open_nursery() as cancelled:
            nursery.start_soon(database.write, first)
            await first.begun.wait()
            nursery.start_soon(database.write, second)
            await wait_all_tasks_blocked()
            cancelled.start_soon(write)
            await wait_all_tasks_blocked()
            first.let_go()
            await second.begun.wait()
            cancelled.cancel_scope.cancel()
            second.let_go()
        assert heard == ["cancelled"]


async def test_a_writer_cancelled_while_a_reader_is_busy_takes_nothing_from_the_others(path: Path) -> None:
    async with open_database(path) as database:
        writer, reader = Held(), Held(key=None)
        async with trio.open_nursery() as others, trio.open_nursery() as cancelled:
            others.start_soon(database.write, writer)
            await writer.begun.wait()
            others.start_soon(database.read, reader)
            await wait_all_tasks_blocked()
            cancelled.start_soon(database.write, put("leader"))
            await wait_all_tasks_blocked()
            others.start_soon(database.write, put("other"))
            await wait_all_tasks_blocked()
            writer.let_go()
            await reader.begun.wait()
            await wait_all_tasks_blocked()
            # Now the leader has both writes in its hands, and waits for the reader.
            cancelled.cancel_scope.cancel()
            reader.let_go()
        assert "other" in await found(database)


async def test_on_a_full_disk_every_writer_hears_it_and_the_next_write_after_it_works(path: Path) -> None:
    heard: list[str] = []

    async def write(number: int) -> None:
        try:
            await database.write(put(str(number), "x" * 100_000))
        except StateUnwritable as error:
            heard.append(str(error))

    async with open_database(path) as database:
        await database.read(lambda connection: connection.execute("PRAGMA max_page_count = 1"))
        held = Held()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(database.write, held)
            await held.begun.wait()
            for number in range(3):
                nursery.start_soon(write, number)
            await wait_all_tasks_blocked()
            held.let_go()
        assert len(heard) == 3
        assert heard[0] == (
            f"{path}: the state can't be written (database or disk is full): free the disk or make the folder writable"
        )
        assert await found(database) == ["held"]
        await database.read(lambda connection: connection.execute("PRAGMA max_page_count = 1073741823"))
        await database.write(put("later", "x" * 100_000))
        assert await found(database) == ["held", "later"]


FILE_THAT_CANNOT_GROW = """
import resource, sys, trio
from pathlib import Path
from trio_s3_bot.errors import StateUnwritable
from trio_s3_bot.inbox.database import open_database

def put(key, size):
    return lambda c: c.execute("INSERT INTO cursors VALUES (?, ?)", (key, "x" * size))

async def main():
    async with open_database(Path(sys.argv[1])) as database:
        await database.write(put("before", 10))
        resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, resource.RLIM_INFINITY))
        try:
            await database.write(put("too much", 1_000_000))
        except StateUnwritable as error:
            print(error)
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        await database.write(put("after", 1_000_000))
        print(await database.read(lambda c: c.execute("SELECT messenger FROM cursors ORDER BY 1").fetchall()))

trio.run(main)
"""


async def test_a_file_that_cannot_grow_is_written_again_once_it_can(path: Path) -> None:
    done = await trio.run_process([sys.executable, "-c", FILE_THAT_CANNOT_GROW, str(path)], capture_stdout=True)
    error, rows = done.stdout.decode().splitlines()
    assert error.startswith(f"{path}: the state can't be written (")
    assert rows == "[('after',), ('before',)]"


async def opened(path: Path) -> StateError:
    """The error that opening the file leads to; it is one line that names the file or its folder."""
    with pytest.raises(StateError) as raised:
        async with open_database(path):
            pass
    assert "\n" not in str(raised.value)
    assert str(path.parent) in str(raised.value)
    return raised.value


def make_file(path: Path, content: bytes) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)


def make_database(path: Path, *statements: str) -> bytes:
    """Another program's file; returns what is in it."""
    make_file(path, b"")
    connection = sqlite3.connect(path)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()
    return content(path)


def content(path: Path) -> bytes:
    return path.read_bytes()


async def test_a_second_instance_is_told_that_there_is_a_first_one(path: Path) -> None:
    async with open_database(path):
        error = await opened(path)
    assert isinstance(error, StateLocked)
    assert str(error) == f"{path}: another instance of the bot is using this state file"


async def test_the_file_is_free_again_once_the_first_instance_has_ended(path: Path) -> None:
    async with open_database(path):
        pass
    async with open_database(path) as database:
        assert await found(database) == []


async def test_a_file_that_is_no_database_is_left_as_it_is(path: Path) -> None:
    make_file(path, b"Dear diary, " * 1000)
    error = await opened(path)
    assert isinstance(error, StateDamaged)
    assert "no intact state file" in str(error)
    assert content(path) == b"Dear diary, " * 1000


async def test_another_programs_database_is_left_as_it_is(path: Path) -> None:
    before = make_database(path, "CREATE TABLE songs (title TEXT)")
    error = await opened(path)
    assert isinstance(error, StateDamaged)
    assert str(error) == f"{path}: this is another program's database"
    assert content(path) == before


async def test_the_file_of_a_newer_version_is_left_as_it_is(path: Path) -> None:
    newer = len(MIGRATIONS) + 1
    ours = f"PRAGMA application_id={APPLICATION_ID}"
    before = make_database(path, "CREATE TABLE t (c)", ours, f"PRAGMA user_version={newer}")
    error = await opened(path)
    assert isinstance(error, StateDamaged)
    assert str(error) == f"{path}: written by a newer version of this program (schema {newer})"
    assert content(path) == before


async def test_an_empty_file_is_a_new_state_file(path: Path) -> None:
    make_file(path, b"")
    async with open_database(path) as database:
        assert await found(database) == []


async def test_damage_that_is_found_later_is_named_as_such(path: Path) -> None:
    async with open_database(path) as database:
        await database.write(put("a"))
        pages = await database.read(pages_of_cursors)
    damaged = bytearray(content(path))
    for page in pages:
        damaged[(page - 1) * 4096 : page * 4096] = b"\xff" * 4096
    make_file(path, bytes(damaged))
    async with open_database(path) as database:
        with pytest.raises(StateDamaged, match="no intact state file"):
            await database.write(put("b"))
        with pytest.raises(StateDamaged, match="no intact state file"):
            await found(database)


@pytest.fixture
def read_only_folder(tmp_path: Path) -> Iterator[Path]:
    """A folder in which no file can be made, not even by root, to whom permissions mean nothing."""
    if os.geteuid() == 0:
        yield Path("/proc")
        return
    tmp_path.chmod(0o500)
    yield tmp_path
    tmp_path.chmod(0o700)


async def test_a_folder_that_cannot_be_written_to_is_named(read_only_folder: Path) -> None:
    error = await opened(read_only_folder / "bot.sqlite3")
    assert isinstance(error, StateUnwritable)
    assert "make the folder writable" in str(error)


async def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    make_file(tmp_path / "file", b"")
    error = await opened(tmp_path / "file" / "state" / "bot.sqlite3")
    assert isinstance(error, StateUnwritable)
    assert str(error) == f"{tmp_path}/file/state: the folder for the state can't be made (Not a directory)"
