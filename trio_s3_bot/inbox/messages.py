"""What the bot says: messages that are composed and not known to be sent, messages that show progress."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import msgspec

from trio_s3_bot.inbox import rows
from trio_s3_bot.inbox.book import StatusDocument, documents_where
from trio_s3_bot.inbox.composing import Compose, Composed, compose_next
from trio_s3_bot.inbox.database import Database
from trio_s3_bot.inbox.mending import sound
from trio_s3_bot.model import Chat, OutMessage

MENTIONS_KEPT = 50_000
ALBUMS_KEPT = 200  # messages sent after that of an album before nothing can join it any more

_CHATS_TO_SERVE = (
    "SELECT chats.chat FROM chats JOIN ("
    " SELECT chat, id AS place FROM messages WHERE remote_id IS NULL"
    " UNION ALL SELECT chat, (1 << 40) + seq FROM notices"
    " UNION ALL SELECT chat, (2 << 40) + id FROM messages WHERE edit_due > 0"
    ") AS waiting ON waiting.chat = chats.key WHERE NOT unreachable GROUP BY chats.key ORDER BY min(place)"
)


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
    documents: tuple[StatusDocument, ...]

    @property
    def at_rest(self) -> bool:
        return all(document.state.final for document in self.documents)


class Messages:
    """
    The durable half of the outbox. `moved` is called with a group's chat before and after it got a new id; `clock`
    gives Unix seconds.
    """

    def __init__(
        self, database: Database, moved: Callable[[Chat, Chat], None], clock: Callable[[], float] = time.time
    ) -> None:
        self._database = database
        self._moved = moved
        self._clock = clock

    async def chats_to_serve(self, messenger: str) -> list[Chat]:
        """The chats for which an earlier run left something to say, the longest waiting first."""

        def read(connection: sqlite3.Connection) -> list[Chat]:
            chats = [msgspec.json.decode(row[0], type=Chat) for row in connection.execute(_CHATS_TO_SERVE)]
            return [chat for chat in chats if chat.messenger == messenger]

        return await sound(self._database, partial(self._database.read, read))

    async def anything_unsaid(self) -> bool:
        """Whether an earlier run left something to say, to whomever."""
        query = f"SELECT EXISTS ({_CHATS_TO_SERVE})"
        return bool(await self._database.read(lambda connection: connection.execute(query).fetchone()[0]))

    async def next_message(self, chat: Chat, compose: Compose) -> Composed | None:
        """
        What is to be said next in a chat: a message composed earlier and not known to be sent, else a new one.

        A new one is made of the oldest notice and all others of its kind that wait, and is committed before it is
        returned. `compose` puts notices into words of a language.
        """

        def write(connection: sqlite3.Connection) -> Composed | None:
            unsent = connection.execute(
                "SELECT id, body, edit_of FROM messages WHERE chat = ? AND remote_id IS NULL ORDER BY id LIMIT 1",
                (chat.key,),
            ).fetchone()
            if unsent is not None:
                id_, body, edit_of = unsent
                return Composed(id_, chat, msgspec.json.decode(body, type=OutMessage), edit_of)
            return compose_next(connection, chat, compose, self._clock())

        return await sound(self._database, partial(self._database.write, write))

    async def sent(self, message: Composed, remote_id: int) -> None:
        """Commit that a message was sent. It is kept only if it has documents whose progress it may show."""

        def write(connection: sqlite3.Connection) -> None:
            connection.execute("UPDATE messages SET remote_id = ? WHERE id = ?", (remote_id, message.id))
            _remember_what_it_is_about(connection, message, remote_id)
            _forget_if_over(connection, message.id)

        await self._database.write(write)

    async def give_up(self, message: Composed) -> None:
        """
        Drop a message that can never be sent.

        What is asked in it, or about the same documents, is asked no more, unless it only shows what is over.
        """

        def write(connection: sqlite3.Connection) -> None:
            if not message.message.edit_only:
                about = "item IN (SELECT value FROM messages, json_each(messages.about) WHERE messages.id = ?)"
                _expire_questions(connection, self._clock(), about, message.id)
            connection.execute("DELETE FROM messages WHERE id = ?", (message.id,))

        await self._database.write(write)

    async def say_anew(self, message: Composed) -> None:
        """The message that this one was to take the place of is gone: let it be one of its own."""
        await self._database.write(
            lambda c: c.execute("UPDATE messages SET edit_of = NULL WHERE id = ?", (message.id,))
        )

    async def unreachable(self, chat: Chat) -> None:
        """
        Drop all there is to say to a chat, and say nothing more until it writes again.

        Those that were sent are kept: if they show what is over by then, they are put to rest. Whatever was asked is
        asked no more.
        """

        def write(connection: sqlite3.Connection) -> None:
            connection.execute("UPDATE chats SET unreachable = 1 WHERE key = ?", (chat.key,))
            _expire_questions(connection, self._clock(), "chat = ?", chat.key)
            connection.execute("DELETE FROM notices WHERE chat = ?", (chat.key,))
            connection.execute("DELETE FROM messages WHERE chat = ? AND remote_id IS NULL", (chat.key,))

        await self._database.write(write)

    async def stale_status(self, chat: Chat) -> Status | None:
        """The oldest `[document]` message of a chat that has to be shown anew."""
        query = "SELECT id FROM messages WHERE chat = ? AND edit_due > 0 AND remote_id IS NOT NULL ORDER BY id LIMIT 1"

        def read(connection: sqlite3.Connection) -> Status | None:
            row = connection.execute(query, (chat.key,)).fetchone()
            return _status(connection, chat, row[0]) if row else None

        return await sound(self._database, partial(self._database.read, read))

    async def status_of(self, chat: Chat, upload: str) -> Status | None:
        """The `[document]` message that speaks of an upload; `None` while it isn't sent, or when it is gone."""

        def read(connection: sqlite3.Connection) -> Status | None:
            row = connection.execute("SELECT status_message FROM uploads WHERE id = ?", (upload,)).fetchone()
            return _status(connection, chat, row[0]) if row and row[0] is not None else None

        return await sound(self._database, partial(self._database.read, read))

    async def progress_will_show(self, status: Status) -> bool:
        """
        Commit that a message is about to show progress, so that it will be put to rest even after a crash.

        False if all it speaks of has ended since `status` was read: nothing would put it to rest any more.
        """
        statement = (
            "UPDATE messages SET progress_shown = 1 WHERE id = ? AND EXISTS ("
            f" SELECT 1 FROM uploads WHERE status_message = messages.id AND {rows.OPEN})"
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

    async def lost(self, status: Status) -> None:
        """
        Commit that a `[document]` message can't be edited any more, so that nothing is shown there again.

        What became of its documents has words of its own, but for those that were cancelled.
        """

        def write(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM messages WHERE id = ?", (status.id,))
            for document in status.documents:
                rows.tell_cancelled(connection, document.id)

        await self._database.write(write)

    async def move_chat(self, old: Chat, new_id: int) -> Chat:
        """Let a group that became a supergroup go on under its new id."""
        new = await self._database.write(lambda connection: rows.move_chat(connection, old, new_id))
        self._moved(old, new)
        return new


def _status(connection: sqlite3.Connection, chat: Chat, message: int) -> Status | None:
    """How a message stands; `None` if it isn't sent, or can't be edited because the chat is unreachable."""
    row = connection.execute(
        "SELECT body, remote_id, edit_due FROM messages JOIN chats ON chats.key = messages.chat "
        "WHERE id = ? AND remote_id IS NOT NULL AND NOT unreachable",
        (message,),
    ).fetchone()
    if row is None:
        return None
    body, remote_id, edit_due = row
    documents = tuple(documents_where(connection, "status_message = ? ORDER BY seq", (message,)))
    out = msgspec.json.decode(body, type=OutMessage)
    return Status(message, chat, rows.language_of(connection, chat.key), remote_id, out, edit_due, documents)


def _remember_what_it_is_about(connection: sqlite3.Connection, message: Composed, remote_id: int) -> None:
    if message.edit_of is not None:  # what it was about before is no longer to be seen there
        connection.execute(
            "DELETE FROM mentions WHERE chat = ? AND message_id = ?", (message.chat.key, message.edit_of)
        )
    columns = "SELECT about, asks FROM messages WHERE id = ?"
    about, asks = connection.execute(columns, (message.id,)).fetchone() or ("[]", None)
    for item in msgspec.json.decode(about, type=list[str]):
        rows.mention(connection, message.chat.key, remote_id, item, asks)
    connection.execute("DELETE FROM mentions WHERE seq < (SELECT max(seq) FROM mentions) - ?", (MENTIONS_KEPT,))


def _expire_questions(connection: sqlite3.Connection, now: float, which: str, value: object) -> None:
    """
    Let questions no longer be answered by any text: nobody has read them. Their buttons and replies still answer them.

    Otherwise whatever the person says next would become the new name of a document.
    """
    connection.execute(f"UPDATE questions SET until = min(until, ?) WHERE {which}", (now, value))


def _forget_if_over(connection: sqlite3.Connection, message: int) -> None:
    """Forget a sent message unless it may have to be edited. More documents of an album may come for a while."""
    over = (
        "edit_due = 0 AND remote_id IS NOT NULL AND NOT EXISTS ("
        f" SELECT 1 FROM uploads WHERE status_message = messages.id AND {rows.OPEN})"
    )
    connection.execute(f"DELETE FROM messages WHERE id = ? AND NOT joinable AND {over}", (message,))
    connection.execute(f"DELETE FROM messages WHERE joinable AND id < ? AND {over}", (message - ALBUMS_KEPT,))
