"""What the bot has to say: notices that wait, messages that are composed, messages that show progress."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec

from trio_s3_bot.conversation import ChatState
from trio_s3_bot.inbox import rows
from trio_s3_bot.inbox.database import Database
from trio_s3_bot.model import Chat, OutMessage, UploadState
from trio_s3_bot.notices import FOLDED, Accepted, AnyNotice

Compose = Callable[[Sequence[AnyNotice], str], OutMessage]
_FOLDED_KINDS = tuple(kind.__name__ for kind in FOLDED)
FOLD_AT_MOST = 500  # notices in one message; more would only be counted, not listed


@dataclass(frozen=True, slots=True)
class Composed:
    """A committed message that isn't sent yet; `id` is the inbox's, not the messenger's."""

    id: int
    chat: Chat
    message: OutMessage


@dataclass(frozen=True, slots=True)
class Status:
    """
    A `[document]` message that was sent, and how the documents it speaks of stand now.

    `remote_id` is the messenger's id, `edit_due` the version of things that has yet to be shown (0: none).
    """

    id: int
    chat: Chat
    language: str
    remote_id: int
    message: OutMessage
    edit_due: int
    documents: tuple[tuple[str, str, UploadState], ...]

    @property
    def at_rest(self) -> bool:
        return all(state.final for _, _, state in self.documents)


class Messages:
    """The durable half of the outbox. `moved` is called with a group's chat before and after it got a new id."""

    def __init__(self, database: Database, moved: Callable[[Chat, Chat], None]) -> None:
        self._database = database
        self._moved = moved

    async def chats_to_serve(self, messenger: str) -> list[Chat]:
        """The chats for which an earlier run left something to say, the longest waiting first."""

        def read(connection: sqlite3.Connection) -> list[Chat]:
            found = connection.execute(
                "SELECT chats.chat FROM chats JOIN ("
                " SELECT chat, id AS place FROM messages WHERE remote_id IS NULL"
                " UNION ALL SELECT chat, (1 << 40) + seq FROM notices"
                " UNION ALL SELECT chat, (2 << 40) + id FROM messages WHERE edit_due > 0"
                ") AS waiting ON waiting.chat = chats.key GROUP BY chats.key ORDER BY min(place)"
            )
            chats = [msgspec.json.decode(row[0], type=Chat) for row in found]
            return [chat for chat in chats if chat.messenger == messenger]

        return await self._database.read(read)

    async def next_message(self, chat: Chat, compose: Compose) -> Composed | None:
        """
        What is to be said next in a chat: a message composed earlier and not known to be sent, else a new one.

        A new one is made of the oldest notice and all others of its kind that wait, and is committed before it is
        returned. `compose` puts notices into words of a language.
        """

        def write(connection: sqlite3.Connection) -> Composed | None:
            unsent = connection.execute(
                "SELECT id, body FROM messages WHERE chat = ? AND remote_id IS NULL ORDER BY id LIMIT 1", (chat.key,)
            ).fetchone()
            if unsent is not None:
                return Composed(unsent[0], chat, msgspec.json.decode(unsent[1], type=OutMessage))
            return _compose(connection, chat, compose)

        return await self._database.write(write)

    async def sent(self, message: Composed, remote_id: int) -> None:
        """Commit that a message was sent. It is kept only if it has documents whose progress it may show."""

        def write(connection: sqlite3.Connection) -> None:
            connection.execute("UPDATE messages SET remote_id = ? WHERE id = ?", (remote_id, message.id))
            _forget_if_over(connection, message.id)

        await self._database.write(write)

    async def give_up(self, message: Composed) -> None:
        """Drop a message that can never be sent."""
        await self._database.write(lambda c: c.execute("DELETE FROM messages WHERE id = ?", (message.id,)))

    async def unreachable(self, chat: Chat) -> None:
        """Drop all there is to say to a chat, and say nothing more until it writes again."""

        def write(connection: sqlite3.Connection) -> None:
            connection.execute("UPDATE chats SET unreachable = 1 WHERE key = ?", (chat.key,))
            connection.execute("DELETE FROM notices WHERE chat = ?", (chat.key,))
            connection.execute("DELETE FROM messages WHERE chat = ?", (chat.key,))

        await self._database.write(write)

    async def stale_status(self, chat: Chat) -> Status | None:
        """The oldest `[document]` message of a chat that has to be shown anew."""
        query = "SELECT id FROM messages WHERE chat = ? AND edit_due > 0 AND remote_id IS NOT NULL ORDER BY id LIMIT 1"

        def read(connection: sqlite3.Connection) -> Status | None:
            row = connection.execute(query, (chat.key,)).fetchone()
            return _status(connection, chat, row[0]) if row else None

        return await self._database.read(read)

    async def status_of(self, chat: Chat, upload: str) -> Status | None:
        """The `[document]` message that speaks of an upload; `None` while it isn't sent, or when it is gone."""

        def read(connection: sqlite3.Connection) -> Status | None:
            row = connection.execute("SELECT status_message FROM uploads WHERE id = ?", (upload,)).fetchone()
            return _status(connection, chat, row[0]) if row and row[0] is not None else None

        return await self._database.read(read)

    async def progress_will_show(self, status: Status) -> bool:
        """
        Commit that a message is about to show progress, so that it will be put to rest even after a crash.

        False if all it speaks of has ended since `status` was read: nothing would put it to rest any more.
        """
        statement = (
            "UPDATE messages SET progress_shown = 1 WHERE id = ? AND EXISTS ("
            " SELECT 1 FROM uploads WHERE status_message = messages.id AND state IN ('waiting', 'running'))"
        )
        return await self._database.write(lambda c: c.execute(statement, (status.id,)).rowcount > 0)

    async def shown(self, status: Status) -> None:
        """Commit that a message shows what `status` says."""

        def write(connection: sqlite3.Connection) -> None:
            connection.execute(
                "UPDATE messages SET edit_due = 0 WHERE id = ? AND edit_due = ?", (status.id, status.edit_due)
            )
            _forget_if_over(connection, status.id)

        await self._database.write(write)

    async def move_chat(self, old: Chat, new_id: int) -> Chat:
        """Let a group that became a supergroup go on under its new id."""
        new = await self._database.write(lambda connection: rows.move_chat(connection, old, new_id))
        self._moved(old, new)
        return new


def _compose(connection: sqlite3.Connection, chat: Chat, compose: Compose) -> Composed | None:
    found = _oldest_with_its_kind(connection, chat.key)
    if not found:
        return None
    notices = [msgspec.json.decode(body, type=AnyNotice) for _, body in found]
    message = compose(notices, _language(connection, chat.key))
    cursor = connection.execute("INSERT INTO messages (chat, body) VALUES (?, ?)", (chat.key, rows.encode(message)))
    assert cursor.lastrowid is not None
    for notice in notices:
        if isinstance(notice, Accepted):
            connection.execute("UPDATE uploads SET status_message = ? WHERE id = ?", (cursor.lastrowid, notice.upload))
    connection.executemany("DELETE FROM notices WHERE seq = ?", [(seq,) for seq, _ in found])
    return Composed(cursor.lastrowid, chat, message)


def _oldest_with_its_kind(connection: sqlite3.Connection, chat_key: str) -> list[tuple[int, str]]:
    query = "SELECT seq, kind, body FROM notices WHERE chat = ? ORDER BY seq LIMIT 1"
    first = connection.execute(query, (chat_key,)).fetchone()
    if first is None:
        return []
    seq, kind, body = first
    if kind not in _FOLDED_KINDS:
        return [(seq, body)]
    # What became of a document is not said before it is said that it was taken.
    return connection.execute(
        "SELECT seq, body FROM notices AS folded WHERE chat = ? AND kind = ? AND NOT EXISTS ("
        " SELECT 1 FROM notices WHERE chat = folded.chat AND upload = folded.upload AND seq < folded.seq"
        ") ORDER BY seq LIMIT ?",
        (chat_key, kind, FOLD_AT_MOST),
    ).fetchall()


def _language(connection: sqlite3.Connection, chat_key: str) -> str:
    found = rows.chat_and_state(connection, chat_key)
    return found[1].language if found else ChatState().language


def _status(connection: sqlite3.Connection, chat: Chat, message: int) -> Status | None:
    row = connection.execute("SELECT body, remote_id, edit_due FROM messages WHERE id = ?", (message,)).fetchone()
    if row is None or row[1] is None:
        return None
    body, remote_id, edit_due = row
    documents = tuple(
        (upload, msgspec.json.decode(job, type=rows.JobBody).name, UploadState(state))
        for upload, job, state in connection.execute(
            "SELECT id, job, state FROM uploads WHERE status_message = ? ORDER BY seq", (message,)
        )
    )
    out = msgspec.json.decode(body, type=OutMessage)
    return Status(message, chat, _language(connection, chat.key), remote_id, out, edit_due, documents)


def _forget_if_over(connection: sqlite3.Connection, message: int) -> None:
    """Forget a sent message unless it may have to be edited."""
    connection.execute(
        "DELETE FROM messages WHERE id = ? AND edit_due = 0 AND remote_id IS NOT NULL AND NOT EXISTS ("
        " SELECT 1 FROM uploads WHERE status_message = messages.id AND state IN ('waiting', 'running'))",
        (message,),
    )
