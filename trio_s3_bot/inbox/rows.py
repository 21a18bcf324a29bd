"""What the stores of the inbox have in common: rows in, values out. Every function runs inside an operation."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from trio_s3_bot.conversation.state import DAY, Ask, ChatState, Question
from trio_s3_bot.model import Chat, Document, SavedFile, UploadJob, UploadState
from trio_s3_bot.notices import AnyNotice, Card, Deleted, NoSuchFile, Place

OPEN = "state IN ('asking', 'waiting', 'running')"
# What people are told: a cancelled document is over, though there may be something to clear away.
STATE = "CASE WHEN cancelled AND state != 'saved' THEN 'cancelled' ELSE state END"
# A saved file that nobody has removed, and that nothing is to be done with.
STAYS = "NOT gone AND NOT EXISTS (SELECT 1 FROM chores WHERE item = files.id)"
QUESTIONS_KEPT = 30 * DAY  # seconds until even a reply to a question no longer answers it
FILE_COLUMNS = "id, chat, owner, name, key, size, etag, unique_id, saved_at, gone"


class JobBody(msgspec.Struct):
    """The part of an `UploadJob` that never changes and has no column of its own."""

    document: Document
    asked_name: str | None = None
    message_id: int | None = None
    caption_name: str | None = None


@dataclass(frozen=True, slots=True)
class Touched:
    """What an operation left to do for others; `cancelled` are uploads that are to stop if they run."""

    notices: bool = False
    uploads: bool = False
    chores: bool = False
    cancelled: tuple[str, ...] = ()


def encode(value: object) -> str:
    return msgspec.json.encode(value).decode()


def chat_and_state(connection: sqlite3.Connection, key: str) -> tuple[Chat, ChatState] | None:
    """The chat as it is on record, with its state and its open questions."""
    row = connection.execute("SELECT chat, state FROM chats WHERE key = ?", (key,)).fetchone()
    if row is None:
        return None
    state = msgspec.json.decode(row[1], type=ChatState)
    asked = connection.execute("SELECT item, ask, until FROM questions WHERE chat = ? ORDER BY rowid", (key,))
    questions = tuple(Question(item, Ask(ask), until) for item, ask, until in asked)
    return msgspec.json.decode(row[0], type=Chat), replace(state, questions=questions)


def chat_of(connection: sqlite3.Connection, key: str) -> Chat:
    (chat,) = connection.execute("SELECT chat FROM chats WHERE key = ?", (key,)).fetchone()
    return msgspec.json.decode(chat, type=Chat)


def chat_key_of(connection: sqlite3.Connection, upload: str) -> str:
    """The job's chat as it is on record: the group may have moved while the upload ran."""
    return connection.execute("SELECT chat FROM uploads WHERE id = ?", (upload,)).fetchone()[0]  # type: ignore[no-any-return]


def name_of(connection: sqlite3.Connection, upload: str) -> str:
    """What a document is to be called by now."""
    return connection.execute("SELECT name FROM uploads WHERE id = ?", (upload,)).fetchone()[0]  # type: ignore[no-any-return]


def state_of(connection: sqlite3.Connection, upload: str) -> UploadState:
    return UploadState(connection.execute("SELECT state FROM uploads WHERE id = ?", (upload,)).fetchone()[0])


def is_cancelled(connection: sqlite3.Connection, upload: str) -> bool:
    """Whether its sender has cancelled a document, though there may be something to clear away."""
    return bool(connection.execute("SELECT cancelled FROM uploads WHERE id = ?", (upload,)).fetchone()[0])


def language_of(connection: sqlite3.Connection, chat_key: str) -> str:
    found = chat_and_state(connection, chat_key)
    return found[1].language if found else ChatState().language


def save_chat(connection: sqlite3.Connection, chat: Chat, old: ChatState, new: ChatState, until: float) -> None:
    """
    Write a chat's state. Of its questions only what a decision changed: others may have been put meanwhile.

    New questions are answered by any text until `until`.
    """
    connection.execute(
        "INSERT INTO chats (key, chat, state) VALUES (?, ?, ?) "
        "ON CONFLICT (key) DO UPDATE SET chat = excluded.chat, state = excluded.state, unreachable = 0",
        (chat.key, encode(chat), encode(replace(new, questions=()))),
    )
    connection.execute("DELETE FROM questions WHERE chat = ? AND until < ?", (chat.key, until - QUESTIONS_KEPT))
    for question in set(old.questions) - set(new.questions):
        connection.execute("DELETE FROM questions WHERE item = ? AND ask = ?", (question.item, question.ask.value))
    for question in new.questions:
        if question not in old.questions:
            put_question(connection, chat.key, question, until)


def put_question(connection: sqlite3.Connection, chat_key: str, question: Question, until: float) -> None:
    connection.execute(
        "INSERT OR REPLACE INTO questions (item, chat, ask, until) VALUES (?, ?, ?, ?)",
        (question.item, chat_key, question.ask.value, until),
    )


def add_notice(connection: sqlite3.Connection, chat_key: str, notice: AnyNotice, edit_of: int | None = None) -> None:
    """Let a notice wait for its chat, unless nothing can be said there."""
    connection.execute(
        "INSERT INTO notices (chat, kind, upload, album, edit_of, body) SELECT ?, ?, ?, ?, ?, ? "
        "WHERE NOT EXISTS (SELECT 1 FROM chats WHERE key = ? AND unreachable)",
        (
            chat_key,
            type(notice).__name__,
            getattr(notice, "upload", None),
            getattr(notice, "album", None),
            edit_of,
            encode(notice),
            chat_key,
        ),
    )


def say_saved_as(connection: sqlite3.Connection, item: str, key: str, name: str) -> None:
    """A file is called otherwise by now, and it may still wait to be said that it is saved: for others of its album."""
    as_if_sent_so = "json_set(json_remove(body, '$.asked_name', '$.name_was_taken'), '$.key', ?, '$.name', ?)"
    connection.execute(
        f"UPDATE notices SET body = {as_if_sent_so} "
        "WHERE kind = 'Saved' AND coalesce(json_extract(body, '$.same_as'), upload) = ?",
        (key, name, item),
    )


def message_of(connection: sqlite3.Connection, upload: str) -> int | None:
    """The message that carried a document, if it is still on record."""
    row = connection.execute("SELECT job FROM uploads WHERE id = ?", (upload,)).fetchone()
    return msgspec.json.decode(row[0], type=JobBody).message_id if row else None


def mention(connection: sqlite3.Connection, chat_key: str, message_id: int, item: str, asks: str | None = None) -> None:
    """Remember that a message is about a document, and which question it puts."""
    insert = "INSERT INTO mentions (chat, message_id, item, asks) VALUES (?, ?, ?, ?)"
    connection.execute(insert, (chat_key, message_id, item, asks))


def forget_replaced(connection: sqlite3.Connection, key: str, by: str) -> list[Chat]:
    """
    Forget the files that stood under `key` before the file `by`.

    Not those whose renaming has been begun: it may have left the key itself, and finds out. Returns the chats that are
    told so, because something was still to be done with theirs.
    """
    told = []
    replaced = connection.execute(
        "SELECT id, chat, substr(key, length(prefix) + 1) FROM files WHERE key = ? AND id != ? AND NOT EXISTS ("
        " SELECT 1 FROM chores WHERE item = files.id AND kind = 'rename' AND creating IS NOT NULL)",
        (key, by),
    ).fetchall()
    for item, chat, name in replaced:
        drop = "DELETE FROM chores WHERE item = ? RETURNING kind, edit_of, creating IS NOT NULL, page, query"
        dropped = connection.execute(drop, (item,)).fetchone()
        if dropped is not None:
            kind, edit_of, *wanted = dropped
            add_notice(connection, chat, _overtaken(item, name, kind, *wanted), edit_of)
            told.append(chat_of(connection, chat))
        _take_off_the_list(connection, item)
    return told


def _overtaken(item: str, name: str, kind: str, begun: bool, page: int | None, query: str) -> AnyNotice:
    """What is said of a chore whose file was replaced. One that was to be deleted is gone; we may have done that."""
    if kind != "delete":
        return NoSuchFile(name=name)
    return Deleted(upload=item, name=name, was_gone=not begun, place=place_in(page, query))


def place_in(page: int | None, query: str) -> Place | None:
    """Where in the list of files a chore was asked for, from its columns."""
    return Place(page, query) if page is not None else None


def _take_off_the_list(connection: sqlite3.Connection, item: str) -> None:
    connection.execute("DELETE FROM questions WHERE item = ?", (item,))
    connection.execute("DELETE FROM files WHERE id = ?", (item,))


def forget_file(connection: sqlite3.Connection, item: str) -> None:
    """A file is on the list no more, and nothing is asked or said about it."""
    _take_off_the_list(connection, item)
    connection.execute("DELETE FROM notices WHERE kind = 'Saved' AND upload = ?", (item,))


def show_anew(connection: sqlite3.Connection, upload: str) -> None:
    """The `[document]` message that speaks of an upload no longer shows how things are."""
    connection.execute(
        "UPDATE messages SET edit_due = edit_due + 1 WHERE id = (SELECT status_message FROM uploads WHERE id = ?)",
        (upload,),
    )


def tell_cancelled(connection: sqlite3.Connection, upload: str) -> None:
    """Where a document was cancelled and its `[document]` message is lost, which would show that: say it."""
    cancelled = connection.execute(
        "SELECT chat FROM uploads WHERE id = ? AND state = 'cancelled' AND status_message IS NULL "
        "AND NOT EXISTS (SELECT 1 FROM notices WHERE upload = uploads.id)",
        (upload,),
    ).fetchone()
    if cancelled is not None:
        add_notice(connection, cancelled[0], Card(upload=upload))


def job_from(connection: sqlite3.Connection, upload: str) -> UploadJob:
    chat, owner, name, prefix, policy, album, body = connection.execute(
        "SELECT chat, owner, name, prefix, policy, album, job FROM uploads WHERE id = ?", (upload,)
    ).fetchone()
    job = msgspec.json.decode(body, type=JobBody)
    return UploadJob(
        upload,
        chat_of(connection, chat),
        job.document,
        name,
        job.asked_name,
        job.message_id,
        prefix=prefix,
        policy=policy,
        owner=owner,
        album=album,
    )


def file_from(connection: sqlite3.Connection, row: tuple[Any, ...]) -> SavedFile:
    """A row of FILE_COLUMNS."""
    id_, chat, owner, name, key, size, etag, unique_id, saved_at, gone = row
    return SavedFile(id_, chat_of(connection, chat), owner, name, key, size, etag, unique_id, saved_at, bool(gone))


def move_chat(connection: sqlite3.Connection, old: Chat, new_id: int) -> Chat:
    """Let a group that became a supergroup go on under its new id, with all that is on record of it."""
    new = replace(old, id=new_id)
    if new == old:
        return new
    _, state = chat_and_state(connection, old.key) or (old, ChatState())
    connection.execute(
        "INSERT OR IGNORE INTO chats (key, chat, state) VALUES (?, ?, ?)",
        (new.key, encode(new), encode(replace(state, questions=()))),
    )
    for table in ("questions", "updates", "notices", "messages", "mentions", "uploads", "files", "chores"):
        connection.execute(f"UPDATE {table} SET chat = ? WHERE chat = ?", (new.key, old.key))
    connection.execute("DELETE FROM chats WHERE key = ?", (old.key,))
    return new
