"""What follows when a document has ended. Every function runs inside the operation that commits the end."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from trio_s3_bot import names
from trio_s3_bot.inbox import rows
from trio_s3_bot.model import Chat, SavedFile, UploadJob, UploadState
from trio_s3_bot.notices import AnyNotice, Saved

KEPT = 20_000  # finished uploads that are kept, to know their messages again


@dataclass(frozen=True, slots=True)
class Ending:
    """
    How a document has ended, what its chat is told, and what is in the bucket.

    It ends so unless its sender has cancelled it meanwhile: as `SAVED` also `though_cancelled`.
    """

    state: UploadState
    notice: AnyNotice | None
    saved: SavedFile | None = None
    though_cancelled: bool = False


def end(connection: sqlite3.Connection, job: UploadJob, ending: Ending) -> tuple[list[Chat], bool]:
    """
    Write down how a document has ended.

    Returns the chats that have something to hear, none if it has not ended so, and whether it is to be renamed.
    """
    if not _ends_so(connection, job, ending):
        return [], False
    chat = rows.chat_of(connection, rows.chat_key_of(connection, job.id))
    was_cancelled = rows.state_of(connection, job.id) is UploadState.CANCELLED
    _close(connection, job.id, ending)
    replaced = _keep(connection, job, ending.saved) if ending.saved is not None else []
    _tell(connection, chat, job, ending.notice)
    if ending.notice is None and not was_cancelled:
        rows.tell_cancelled(connection, job.id)
    _let_status_rest(connection, job.id)
    _forget_old(connection, but=job.id)
    renamed = ending.saved is not None and _rename_if_wanted(connection, ending.saved, job.prefix)
    return [chat, *replaced], renamed


def _ends_so(connection: sqlite3.Connection, job: UploadJob, ending: Ending) -> bool:
    """Whether nothing has come in between: neither its sender's cancel nor the end of what it is the same as."""
    despite = ending.state is UploadState.CANCELLED or ending.though_cancelled
    return (despite or not rows.is_cancelled(connection, job.id)) and _is_still_so(connection, job, ending.notice)


def _is_still_so(connection: sqlite3.Connection, job: UploadJob, notice: AnyNotice | None) -> bool:
    """
    Whether a document that was found to be saved before still is, under the name that its sender wants by now.

    Since it was found, another name may have been chosen for it, and the file may have been renamed or deleted.
    """
    if not isinstance(notice, Saved) or notice.same_as is None:
        return True
    query = f"SELECT EXISTS (SELECT 1 FROM files WHERE id = ? AND {rows.STAYS})"
    there = connection.execute(query, (notice.same_as,)).fetchone()[0]
    return rows.name_of(connection, job.id) == job.name and bool(there)


def _close(connection: sqlite3.Connection, upload: str, ending: Ending) -> None:
    """Nothing is under way any more, nor asked about what isn't there; what isn't saved doesn't count as sent."""
    over = "UPDATE uploads SET state = ?, upload_id = NULL, creating = NULL WHERE id = ?"
    connection.execute(over, (ending.state.value, upload))
    connection.execute("DELETE FROM parts WHERE upload = ?", (upload,))
    if ending.saved is None:
        connection.execute("DELETE FROM questions WHERE item = ?", (upload,))
    if ending.state is not UploadState.SAVED:
        connection.execute("DELETE FROM usage WHERE upload = ?", (upload,))


def _keep(connection: sqlite3.Connection, job: UploadJob, saved: SavedFile) -> list[Chat]:
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
            job.prefix,
        ),
    )
    connection.execute("UPDATE usage SET bytes = ? WHERE upload = ?", (saved.size, saved.id))
    return replaced


def _tell(connection: sqlite3.Connection, chat: Chat, job: UploadJob, notice: AnyNotice | None) -> None:
    """Let the chat hear of it. What was found to be there already is what an answer to the new message is about."""
    if isinstance(notice, Saved) and notice.same_as and job.message_id is not None:
        rows.mention(connection, chat.key, job.message_id, notice.same_as)
    if notice is not None:
        rows.add_notice(connection, chat.key, notice)


def _rename_if_wanted(connection: sqlite3.Connection, saved: SavedFile, prefix: str) -> bool:
    """The name that its sender chose while it went up under another one."""
    name = rows.name_of(connection, saved.id)
    if names.number_in(saved.key, prefix + name) is not None:
        return False
    connection.execute(
        "INSERT OR IGNORE INTO chores (item, chat, kind, name) VALUES (?, ?, 'rename', ?)",
        (saved.id, rows.chat_key_of(connection, saved.id), name),
    )
    return True


def _let_status_rest(connection: sqlite3.Connection, upload: str) -> None:
    """Once nothing that a `[document]` message speaks of is under way, it must show neither progress nor buttons."""
    connection.execute(
        "UPDATE messages SET edit_due = edit_due + 1 "
        "WHERE (progress_shown OR json_array_length(body, '$.keyboard') > 0) "
        "AND id = (SELECT status_message FROM uploads WHERE id = ?) "
        f"AND NOT EXISTS (SELECT 1 FROM uploads WHERE status_message = messages.id AND {rows.OPEN})",
        (upload,),
    )


def _forget_old(connection: sqlite3.Connection, *, but: str) -> None:
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
