"""From notices that wait to a message that is committed. Every function runs inside an operation."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from operator import itemgetter

import msgspec

from trio_s3_bot.conversation.state import Ask, question_label
from trio_s3_bot.inbox import rows
from trio_s3_bot.inbox.book import Book
from trio_s3_bot.model import Chat, OutMessage
from trio_s3_bot.notices import FOLDED, Accepted, AnyNotice, AskName, ConfirmDelete, Conflict, Delayed, Saved

FOLD_AT_MOST = 500  # notices in one message; more would only be counted, not listed
_FOLDED_KINDS = tuple(kind.__name__ for kind in FOLDED)
_FOLDED_ALL = (Delayed.__name__,)  # what is said once is one message, however much it is about

_SAID_BEFORE = (
    "SELECT 1 FROM notices AS before WHERE before.chat = {0}.chat AND before.upload = {0}.upload"
    " AND before.seq < {0}.seq AND before.edit_of IS NULL"
)
_OF_THE_ALBUM = "uploads.album = notices.album AND uploads.chat = notices.chat"
_ONE_IS_OPEN = f"SELECT 1 FROM uploads WHERE {_OF_THE_ALBUM} AND uploads.{rows.OPEN}"
_MORE_TO_SAY_OF_ONE = (
    f"SELECT 1 FROM uploads JOIN notices AS one ON one.upload = uploads.id WHERE {_OF_THE_ALBUM}"
    f" AND one.kind = 'Saved' AND EXISTS ({_SAID_BEFORE.format('one')} AND before.kind != 'Saved')"
)
_HELD_BACK = f"kind = 'Saved' AND album IS NOT NULL AND (EXISTS ({_ONE_IS_OPEN}) OR EXISTS ({_MORE_TO_SAY_OF_ONE}))"
_TOLD_TOGETHER = f"chat = ? AND kind = ? AND NOT ({_HELD_BACK}) AND NOT EXISTS ({_SAID_BEFORE.format('notices')})"
_WAITING = (
    "SELECT seq, body, album, edit_of,"
    " coalesce((SELECT uploads.seq FROM uploads WHERE uploads.id = notices.upload), 0) AS taken_as FROM notices"
)

Compose = Callable[[Sequence[AnyNotice], str, Book], OutMessage]


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
class _Waiting:
    """A notice that waits."""

    seq: int
    notice: AnyNotice
    album: str | None
    edit_of: int | None


def compose_next(connection: sqlite3.Connection, chat: Chat, compose: Compose, now: float) -> Composed | None:
    """Make a message of what is to be said next in a chat, if there is anything; `now` is in Unix seconds."""
    found = _next_to_say(connection, chat.key)
    while sum(_join_album(connection, waiting, chat.key) for waiting in found):
        found = _next_to_say(connection, chat.key)
    if not found:
        return None
    notices = [waiting.notice for waiting in found]
    message = compose(notices, rows.language_of(connection, chat.key), Book(connection, chat.key, now))
    composed = _insert(connection, chat, message, found)
    connection.executemany("DELETE FROM notices WHERE seq = ?", [(waiting.seq,) for waiting in found])
    return composed


def _insert(connection: sqlite3.Connection, chat: Chat, message: OutMessage, said: Sequence[_Waiting]) -> Composed:
    """Write a message down, with what it is about."""
    about = [item for waiting in said if (item := _item_of(waiting.notice)) is not None]
    accepted = [waiting for waiting in said if isinstance(waiting.notice, Accepted)]
    joinable, edit_of = any(waiting.album is not None for waiting in accepted), said[0].edit_of
    cursor = connection.execute(
        "INSERT INTO messages (chat, body, about, edit_of, joinable, asks) VALUES (?, '', ?, ?, ?, ?)",
        (chat.key, rows.encode(about[:FOLD_AT_MOST]), edit_of, joinable, _asks(said[0].notice)),
    )
    assert cursor.lastrowid is not None
    message = replace(message, random_id=_random_id(connection, cursor.lastrowid))
    connection.execute("UPDATE messages SET body = ? WHERE id = ?", (rows.encode(message), cursor.lastrowid))
    if accepted:
        speaks_of = [(cursor.lastrowid, item) for item in about]
        connection.executemany("UPDATE uploads SET status_message = ? WHERE id = ?", speaks_of)
    return Composed(cursor.lastrowid, chat, message, edit_of)


def _random_id(connection: sqlite3.Connection, message: int) -> int:
    """A number for a message that no other one of this state file has: a messenger may know them for ever."""
    (base,) = connection.execute("SELECT base FROM random_ids").fetchone()
    return (base + message) % (2**31 - 1) + 1  # type: ignore[no-any-return]


def _next_to_say(connection: sqlite3.Connection, chat_key: str) -> list[_Waiting]:
    """
    The oldest notice, with the others of its kind if it can be folded.

    What is to be said of one document is said in that order. What became of the documents of an album is said when
    that is known of all of them, and there is nothing else to be said of any before. They are told in the order in
    which they were sent.
    """
    oldest = f"SELECT kind, seq FROM notices WHERE chat = ? AND NOT ({_HELD_BACK}) ORDER BY seq LIMIT 1"
    first = connection.execute(oldest, (chat_key,)).fetchone()
    if first is None:
        return []
    kind, seq = first
    if kind not in _FOLDED_KINDS:
        found = connection.execute(f"{_WAITING} WHERE seq = ?", (seq,))
    else:
        most = -1 if kind in _FOLDED_ALL else FOLD_AT_MOST
        found = connection.execute(f"{_WAITING} WHERE {_TOLD_TOGETHER} ORDER BY seq LIMIT ?", (chat_key, kind, most))
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


def _asks(notice: AnyNotice) -> str | None:
    """The label of the question that a notice puts."""
    match notice:
        case AskName(name=name):
            return question_label(Ask.NEW_NAME, name)
        case ConfirmDelete(name=name):
            return question_label(Ask.DELETE, name)
        case Conflict(name=name):
            return question_label(Ask.CONFLICT, name)
    return None
