"""What follows when a document has ended. Every function runs inside the operation that commits the end."""

from __future__ import annotations

import sqlite3

from trio_s3_bot import names
from trio_s3_bot.inbox import rows
from trio_s3_bot.model import Chat, SavedFile

KEPT = 20_000  # finished uploads that are kept, to know their messages again


def insert_file(connection: sqlite3.Connection, saved: SavedFile, prefix: str) -> list[Chat]:
    """Write down what is in the bucket; returns the chats that hear that theirs was replaced."""
    replaced = rows.forget_replaced(connection, saved.key, saved.id)
    connection.execute(
        f"INSERT OR REPLACE INTO files ({rows.FILE_COLUMNS}, prefix) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            saved.id,
            rows.chat_key_of(connection, saved.id),
            saved.owner,
            saved.name,
            saved.key,
            saved.size,
            saved.etag,
            saved.unique_id,
            saved.saved_at,
            saved.gone,
            prefix,
        ),
    )
    return replaced


def rename_if_wanted(connection: sqlite3.Connection, saved: SavedFile, prefix: str) -> bool:
    """The name that its sender chose while it went up under another one."""
    name = rows.name_of(connection, saved.id)
    if names.number_in(saved.key, prefix + name) is not None:
        return False
    connection.execute(
        "INSERT OR IGNORE INTO chores (item, chat, kind, name) VALUES (?, ?, 'rename', ?)",
        (saved.id, rows.chat_key_of(connection, saved.id), name),
    )
    return True


def let_status_rest(connection: sqlite3.Connection, upload: str) -> None:
    """Once nothing that a `[document]` message speaks of is under way, it must show neither progress nor buttons."""
    connection.execute(
        "UPDATE messages SET edit_due = edit_due + 1 "
        "WHERE (progress_shown OR json_array_length(body, '$.keyboard') > 0) "
        "AND id = (SELECT status_message FROM uploads WHERE id = ?) "
        f"AND NOT EXISTS (SELECT 1 FROM uploads WHERE status_message = messages.id AND {rows.OPEN})",
        (upload,),
    )


def forget_old(connection: sqlite3.Connection, *, but: str) -> None:
    """
    Forget what is over. `but` has only just ended, however long it has waited.

    An upload is kept while a message may have to show it, though not for a chat that can't be written to any more.
    """
    forgotten = connection.execute(
        f"DELETE FROM uploads WHERE seq < (SELECT max(seq) FROM uploads) - ? AND NOT {rows.OPEN} AND id != ? AND ("
        " status_message IS NULL OR EXISTS (SELECT 1 FROM chats WHERE key = uploads.chat AND unreachable)) "
        "RETURNING status_message",
        (KEPT, but),
    ).fetchall()
    about_nothing = (
        "DELETE FROM messages WHERE id = ? AND NOT EXISTS (SELECT 1 FROM uploads WHERE status_message = messages.id)"
    )
    connection.executemany(about_nothing, {(message,) for (message,) in forgotten if message is not None})
