"""
What stands in the state file and this version can't read: mended, so that it costs that one item and no other.

It is what another version wrote, or a hand in the file. Unmended, a single row would end the task that comes upon it,
at every start anew: the feeding of the workers or of the upload slots, or all that is said to its chat.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec
import structlog

from trio_s3_bot.conversation.state import Ask, ChatState
from trio_s3_bot.inbox import rows
from trio_s3_bot.inbox.database import Database
from trio_s3_bot.model import Chat, Document, OutMessage, UpdateObj
from trio_s3_bot.notices import AnyNotice, Card, GivenUp

T = TypeVar("T")

CARDS = 5  # documents that are shown in place of one message that can't be sent

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Mended:
    """What is said of it in the log."""

    event: str
    facts: dict[str, Any] = field(default_factory=dict)


async def sound(database: Database, ask: Callable[[], Awaitable[T]]) -> T:
    """What `ask` gives; if it comes upon something that can't be read, that is mended, and it is asked once more."""
    try:
        return await ask()
    except msgspec.MsgspecError:
        await mend(database)
        return await ask()


async def mend(database: Database) -> None:
    """Look through all that may still be read, and mend it. Raises `StateError`."""
    for mended in await database.write(_mend):
        log.error(mended.event, **mended.facts)


def _mend(connection: sqlite3.Connection) -> list[Mended]:
    # The chats first: whatever is said about the rest is said in one.
    steps = (_chats, _states, _questions, _updates, _jobs, _intents, _unsent, _sent, _notices)
    return [mended for step in steps for mended in step(connection)]


def _chats(connection: sqlite3.Connection) -> Iterable[Mended]:
    for key, chat in _unreadable(connection, "SELECT key, chat FROM chats", Chat):
        messenger, number, *thread = key.split(":")
        group = _loosely(chat).get("group") is True
        again = Chat(messenger, int(number), int(thread[0]) if thread else None, group)
        connection.execute("UPDATE chats SET chat = ? WHERE key = ?", (rows.encode(again), key))
        yield Mended("what is on record of a chat can't be read; its id is gone by", {"chat": key})


def _states(connection: sqlite3.Connection) -> Iterable[Mended]:
    for key, _ in _unreadable(connection, "SELECT key, state FROM chats", ChatState):
        state = rows.encode(ChatState(greeted=True))
        connection.execute("UPDATE chats SET state = ? WHERE key = ?", (state, key))
        yield Mended("the state of a chat can't be read and begins anew", {"chat": key})


def _questions(connection: sqlite3.Connection) -> Iterable[Mended]:
    known = rows.encode([ask.value for ask in Ask])
    unknown = "DELETE FROM questions WHERE ask NOT IN (SELECT value FROM json_each(?)) RETURNING item"
    for (item,) in connection.execute(unknown, (known,)).fetchall():
        yield Mended("an open question can't be read and is dropped", {"item": item})


def _updates(connection: sqlite3.Connection) -> Iterable[Mended]:
    query = "SELECT seq, update_id, chat, body FROM updates WHERE body IS NOT NULL"
    for seq, update_id, chat, body in _unreadable(connection, query, UpdateObj):
        why = _why(body, UpdateObj)
        connection.execute("UPDATE updates SET body = NULL, error = ? WHERE seq = ?", (why, seq))
        loosely = _loosely(body)
        if loosely.get("addressed") is True and not loosely.get("silent"):
            _say(connection, chat, GivenUp(reply_to=_number(loosely, "message_id")))
        facts = {"update_id": update_id, "error": why}
        yield Mended("an update on record can't be read and is set aside", facts)


def _jobs(connection: sqlite3.Connection) -> Iterable[Mended]:
    """A document that nobody knows where to get; its upload slot finds out what there is of it, and says so."""
    for upload, job in _unreadable(connection, "SELECT id, job FROM uploads", rows.JobBody):
        body = rows.JobBody(Document(file_id="", unique_id=upload), message_id=_number(_loosely(job), "message_id"))
        connection.execute("UPDATE uploads SET job = ? WHERE id = ?", (rows.encode(body), upload))
        yield Mended("what is on record of a document can't be read", {"upload": upload})


def _intents(connection: sqlite3.Connection) -> Iterable[Mended]:
    """
    Which uploads there were at a key before. Without that, one whose id isn't on record can't be told from others'.

    Then it stays in the bucket, until the lifecycle rule that the operator is advised to have ends it.
    """
    for table, column, anew in (
        ("uploads", "id", "CASE WHEN upload_id IS NULL THEN NULL ELSE '[]' END"),
        ("chores", "item", "NULL"),
    ):
        query = f"SELECT {column}, creating FROM {table} WHERE creating IS NOT NULL"
        for item, _ in _unreadable(connection, query, frozenset[str]):
            connection.execute(f"UPDATE {table} SET creating = {anew} WHERE {column} = ?", (item,))
            yield Mended("what was begun for a document can't be read; a multipart upload may be left", {"item": item})


def _unsent(connection: sqlite3.Connection) -> Iterable[Mended]:
    """What it was to say is lost; how the documents stand that it was about is not."""
    query = "SELECT id, chat, about, body FROM messages WHERE remote_id IS NULL"
    for id_, chat, about, _ in _unreadable(connection, query, OutMessage):
        items: list[str | None] = (
            list(msgspec.json.decode(about, type=list[str])) if _readable(about, list[str]) else []
        )
        connection.execute("DELETE FROM messages WHERE id = ?", (id_,))
        for item in items[:CARDS] or [None]:
            _say_instead(connection, chat, item)
        yield Mended("a message that waits to be sent can't be read and is dropped", {"chat": chat})


def _sent(connection: sqlite3.Connection) -> Iterable[Mended]:
    for id_, chat, _ in _unreadable(connection, "SELECT id, chat, body FROM messages", OutMessage):
        connection.execute("DELETE FROM messages WHERE id = ?", (id_,))
        yield Mended("a message that was sent can't be read and stays as it is", {"chat": chat})
    for id_, chat, _ in _unreadable(connection, "SELECT id, chat, about FROM messages", list[str]):
        connection.execute("UPDATE messages SET about = '[]' WHERE id = ?", (id_,))
        yield Mended("what a message is about can't be read", {"chat": chat})


def _notices(connection: sqlite3.Connection) -> Iterable[Mended]:
    for seq, chat, upload, _ in _unreadable(connection, "SELECT seq, chat, upload, body FROM notices", AnyNotice):
        connection.execute("DELETE FROM notices WHERE seq = ?", (seq,))
        _say_instead(connection, chat, upload)
        yield Mended("something that waits to be said can't be read", {"chat": chat})


def _unreadable(connection: sqlite3.Connection, query: str, type_: object) -> list[tuple[Any, ...]]:
    """The rows that `query` finds whose last column doesn't hold a `type_`."""
    return [row for row in connection.execute(query) if not _readable(row[-1], type_)]


def _readable(body: str, type_: object) -> bool:
    return _why(body, type_) is None


def _why(body: str, type_: object) -> str | None:
    """Why it can't be read, if so."""
    try:
        msgspec.json.decode(body, type=type_)
    except msgspec.MsgspecError as error:
        return str(error)
    return None


def _loosely(body: str) -> dict[str, Any]:
    """What can be read of it all the same."""
    try:
        found = msgspec.json.decode(body)
    except msgspec.MsgspecError:
        return {}
    return found if isinstance(found, dict) else {}


def _number(found: dict[str, Any], name: str) -> int | None:
    value = found.get(name)
    return value if isinstance(value, int) else None


def _say_instead(connection: sqlite3.Connection, chat: str, upload: str | None) -> None:
    """How the document stands that something lost was about."""
    _say(connection, chat, GivenUp() if upload is None else Card(upload=upload))


def _say(connection: sqlite3.Connection, chat: str, notice: AnyNotice) -> None:
    """Nothing is said to a chat that isn't on record yet."""
    if connection.execute("SELECT 1 FROM chats WHERE key = ?", (chat,)).fetchone():
        rows.add_notice(connection, chat, notice)
