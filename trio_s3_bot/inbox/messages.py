"""What the bot has to say: notices that wait, messages that are composed, messages that show progress."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from operator import itemgetter

import msgspec

from trio_s3_bot.conversation.state import Ask
from trio_s3_bot.inbox import rows
from trio_s3_bot.inbox.database import Database
from trio_s3_bot.inbox.files import page_of
from trio_s3_bot.inbox.mending import sound
from trio_s3_bot.model import Chat, OutMessage, SavedFile, UploadState
from trio_s3_bot.notices import FOLDED, Accepted, AnyNotice, Delayed, Saved

_FOLDED_KINDS = tuple(kind.__name__ for kind in FOLDED)
FOLD_AT_MOST = 500  # notices in one message; more would only be counted, not listed
_FOLDED_ALL = (Delayed.__name__,)  # what is said once is one message, however much it is about
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
class Composed:
    """
    A committed message that isn't sent yet; `id` is the inbox's, not the messenger's.

    `edit_of` is the messenger's id of the message that it takes the place of.
    """

    id: int
    chat: Chat
    message: OutMessage
    edit_of: int | None = None


@dataclass(frozen=True, slots=True)
class StatusDocument:
    """A document as a message shows it: how it stands, what is asked about it, what name its caption offers."""

    id: str
    name: str
    state: UploadState
    ask: Ask | None = None
    caption_name: str | None = None


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


class Book:
    """What can be looked up while a message is composed: the chat's files, and what is on its way for it."""

    def __init__(self, connection: sqlite3.Connection, chat_key: str, now: float) -> None:
        self._connection = connection
        self._chat = chat_key
        self.now = now

    def files(self, page: int, query: str, size: int) -> tuple[list[SavedFile], int]:
        """A page of `size` saved files whose names contain `query`, the newest first, and how many there are in all."""
        return page_of(self._connection, self._chat, page, query, size)

    def file(self, item: str) -> SavedFile | None:
        query = f"SELECT {rows.FILE_COLUMNS} FROM files WHERE id = ? AND chat = ?"
        row = self._connection.execute(query, (item, self._chat)).fetchone()
        return rows.file_from(self._connection, row) if row else None

    def on_their_way(self, page: int, size: int) -> tuple[list[StatusDocument], int]:
        """A page of `size` documents that wait or run, the oldest first, and how many there are in all."""
        where = f"chat = ? AND {rows.OPEN} AND NOT cancelled"
        (total,) = self._connection.execute(f"SELECT count(*) FROM uploads WHERE {where}", (self._chat,)).fetchone()
        found = _documents(self._connection, f"{where} ORDER BY seq LIMIT ? OFFSET ?", (self._chat, size, page * size))
        return found, total

    def document(self, item: str) -> StatusDocument | None:
        """A document that is or was on its way."""
        found = _documents(self._connection, "id = ? AND chat = ?", (item, self._chat))
        return found[0] if found else None


Compose = Callable[[Sequence[AnyNotice], str, Book], OutMessage]


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
            return _compose(connection, chat, compose, self._clock())

        return await sound(self._database, partial(self._database.write, write))

    async def sent(self, message: Composed, remote_id: int) -> None:
        """Commit that a message was sent. It is kept only if it has documents whose progress it may show."""

        def write(connection: sqlite3.Connection) -> None:
            connection.execute("UPDATE messages SET remote_id = ? WHERE id = ?", (remote_id, message.id))
            _remember_what_it_is_about(connection, message, remote_id)
            _forget_if_over(connection, message.id)

        await self._database.write(write)

    async def give_up(self, message: Composed) -> None:
        """Drop a message that can never be sent."""
        await self._database.write(lambda c: c.execute("DELETE FROM messages WHERE id = ?", (message.id,)))

    async def say_anew(self, message: Composed) -> None:
        """The message that this one was to take the place of is gone: let it be one of its own."""
        await self._database.write(
            lambda c: c.execute("UPDATE messages SET edit_of = NULL WHERE id = ?", (message.id,))
        )

    async def unreachable(self, chat: Chat) -> None:
        """
        Drop all there is to say to a chat, and say nothing more until it writes again.

        Messages that show progress are kept: they are put to rest then.
        """

        def write(connection: sqlite3.Connection) -> None:
            connection.execute("UPDATE chats SET unreachable = 1 WHERE key = ?", (chat.key,))
            connection.execute("DELETE FROM notices WHERE chat = ?", (chat.key,))
            connection.execute(
                "DELETE FROM messages WHERE chat = ? AND (remote_id IS NULL OR NOT progress_shown)", (chat.key,)
            )

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


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A notice that waits."""

    seq: int
    notice: AnyNotice
    album: str | None
    edit_of: int | None


def _compose(connection: sqlite3.Connection, chat: Chat, compose: Compose, now: float) -> Composed | None:
    found = _next_to_say(connection, chat.key)
    while sum(_join_album(connection, waiting, chat.key) for waiting in found):
        found = _next_to_say(connection, chat.key)
    if not found:
        return None
    notices = [waiting.notice for waiting in found]
    message = compose(notices, rows.language_of(connection, chat.key), Book(connection, chat.key, now))
    about = [item for notice in notices if (item := _item_of(notice)) is not None]
    joinable = any(isinstance(waiting.notice, Accepted) and waiting.album is not None for waiting in found)
    cursor = connection.execute(
        "INSERT INTO messages (chat, body, about, edit_of, joinable) VALUES (?, '', ?, ?, ?)",
        (chat.key, rows.encode(about[:FOLD_AT_MOST]), found[0].edit_of, joinable),
    )
    assert cursor.lastrowid is not None
    message = replace(message, random_id=_random_id(connection, cursor.lastrowid))
    connection.execute("UPDATE messages SET body = ? WHERE id = ?", (rows.encode(message), cursor.lastrowid))
    if isinstance(notices[0], Accepted):
        speaks_of = [(cursor.lastrowid, item) for item in about]
        connection.executemany("UPDATE uploads SET status_message = ? WHERE id = ?", speaks_of)
    connection.executemany("DELETE FROM notices WHERE seq = ?", [(waiting.seq,) for waiting in found])
    return Composed(cursor.lastrowid, chat, message, found[0].edit_of)


def _random_id(connection: sqlite3.Connection, message: int) -> int:
    """A number for a message that no other one of this state file has: a messenger may know them for ever."""
    (base,) = connection.execute("SELECT base FROM random_ids").fetchone()
    return (base + message) % (2**31 - 1) + 1  # type: ignore[no-any-return]


def _next_to_say(connection: sqlite3.Connection, chat_key: str) -> list[_Waiting]:
    """
    The oldest notice, with the others of its kind if it can be folded.

    What became of the documents of an album is said when that is known of all of them; and what became of any
    document not before it is said that it was taken. They are told in the order in which they were sent.
    """
    held_back = (
        "kind = 'Saved' AND album IS NOT NULL AND EXISTS (SELECT 1 FROM uploads "
        f"WHERE uploads.album = notices.album AND uploads.chat = notices.chat AND uploads.{rows.OPEN})"
    )
    first = connection.execute(
        f"SELECT kind, seq FROM notices WHERE chat = ? AND NOT ({held_back}) ORDER BY seq LIMIT 1", (chat_key,)
    ).fetchone()
    if first is None:
        return []
    kind, seq = first
    taken_as = "coalesce((SELECT uploads.seq FROM uploads WHERE uploads.id = notices.upload), 0)"
    columns = f"SELECT seq, body, album, edit_of, {taken_as} FROM notices"
    if kind not in _FOLDED_KINDS:
        found = connection.execute(f"{columns} WHERE seq = ?", (seq,))
    else:
        most = -1 if kind in _FOLDED_ALL else FOLD_AT_MOST
        found = connection.execute(
            f"{columns} WHERE chat = ? AND kind = ? AND NOT ({held_back}) AND NOT EXISTS ("
            " SELECT 1 FROM notices AS before WHERE before.chat = notices.chat AND before.upload = notices.upload"
            " AND before.seq < notices.seq) ORDER BY seq LIMIT ?",
            (chat_key, kind, most),
        )
    return [
        _Waiting(seq, msgspec.json.decode(body, type=AnyNotice), album, edit_of)
        for seq, body, album, edit_of, _ in sorted(found.fetchall(), key=itemgetter(4))
    ]


def _join_album(connection: sqlite3.Connection, waiting: _Waiting, chat_key: str) -> bool:
    """A document of an album that has its `[document]` message already joins that; nothing new is said."""
    if waiting.album is None or not isinstance(waiting.notice, Accepted):
        return False
    query = "SELECT status_message FROM uploads WHERE album = ? AND chat = ? AND status_message IS NOT NULL LIMIT 1"
    row = connection.execute(query, (waiting.album, chat_key)).fetchone()
    if row is None:
        return False
    (message,), upload = row, waiting.notice.upload
    connection.execute("UPDATE uploads SET status_message = ? WHERE id = ?", (message, upload))
    # It shows how the new one stands, though it may have been said when all others were over.
    (remote_id,) = connection.execute(
        "UPDATE messages SET edit_due = edit_due + 1, progress_shown = 1, about = json_insert(about, '$[#]', ?) "
        "WHERE id = ? RETURNING remote_id",
        (upload, message),
    ).fetchone()
    if remote_id is not None:
        rows.mention(connection, chat_key, remote_id, upload)
    connection.execute("DELETE FROM notices WHERE seq = ?", (waiting.seq,))
    return True


def _item_of(notice: AnyNotice) -> str | None:
    """The document that a notice is about: what an answer to it means."""
    if isinstance(notice, Saved):
        return notice.file
    return getattr(notice, "upload", None)


def _documents(connection: sqlite3.Connection, where: str, values: tuple[object, ...]) -> list[StatusDocument]:
    found = connection.execute(
        f"SELECT id, name, {rows.STATE}, (SELECT ask FROM questions WHERE item = uploads.id), job "
        f"FROM uploads WHERE {where}",
        values,
    )
    return [
        StatusDocument(
            id_,
            name,
            UploadState(state),
            Ask(ask) if ask else None,
            msgspec.json.decode(job, type=rows.JobBody).caption_name,
        )
        for id_, name, state, ask, job in found.fetchall()
    ]


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
    documents = tuple(_documents(connection, "status_message = ? ORDER BY seq", (message,)))
    out = msgspec.json.decode(body, type=OutMessage)
    return Status(message, chat, rows.language_of(connection, chat.key), remote_id, out, edit_due, documents)


def _remember_what_it_is_about(connection: sqlite3.Connection, message: Composed, remote_id: int) -> None:
    if message.edit_of is not None:  # what it was about before is no longer to be seen there
        connection.execute(
            "DELETE FROM mentions WHERE chat = ? AND message_id = ?", (message.chat.key, message.edit_of)
        )
    row = connection.execute("SELECT about FROM messages WHERE id = ?", (message.id,)).fetchone()
    for item in msgspec.json.decode(row[0], type=list[str]) if row else ():
        rows.mention(connection, message.chat.key, remote_id, item)
    connection.execute("DELETE FROM mentions WHERE seq < (SELECT max(seq) FROM mentions) - ?", (MENTIONS_KEPT,))


def _forget_if_over(connection: sqlite3.Connection, message: int) -> None:
    """Forget a sent message unless it may have to be edited. More documents of an album may come for a while."""
    over = (
        "edit_due = 0 AND remote_id IS NOT NULL AND NOT EXISTS ("
        f" SELECT 1 FROM uploads WHERE status_message = messages.id AND {rows.OPEN})"
    )
    connection.execute(f"DELETE FROM messages WHERE id = ? AND NOT joinable AND {over}", (message,))
    connection.execute(f"DELETE FROM messages WHERE joinable AND id < ? AND {over}", (message - ALBUMS_KEPT,))
