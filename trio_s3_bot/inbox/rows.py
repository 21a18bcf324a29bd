"""What the stores of the inbox have in common: rows in, values out. Every function runs inside an operation."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

import msgspec

from trio_s3_bot.conversation import ChatState, Effect, Say, Take
from trio_s3_bot.model import Chat, Document, UploadJob, UploadState
from trio_s3_bot.notices import AnyNotice


class JobBody(msgspec.Struct):
    """The part of an `UploadJob` that never changes and has no column of its own."""

    document: Document
    name: str
    asked_name: str | None = None
    message_id: int | None = None


class Touched(NamedTuple):
    """What a set of effects left to do for others."""

    notices: bool = False
    uploads: bool = False


def encode(value: object) -> str:
    return msgspec.json.encode(value).decode()


def chat_and_state(connection: sqlite3.Connection, key: str) -> tuple[Chat, ChatState] | None:
    """The chat as it is on record, with its state."""
    row = connection.execute("SELECT chat, state FROM chats WHERE key = ?", (key,)).fetchone()
    return (msgspec.json.decode(row[0], type=Chat), msgspec.json.decode(row[1], type=ChatState)) if row else None


def chat_of(connection: sqlite3.Connection, key: str) -> Chat:
    (chat,) = connection.execute("SELECT chat FROM chats WHERE key = ?", (key,)).fetchone()
    return msgspec.json.decode(chat, type=Chat)


def save_chat(connection: sqlite3.Connection, chat: Chat, state: ChatState) -> None:
    connection.execute(
        "INSERT INTO chats (key, chat, state) VALUES (?, ?, ?) "
        "ON CONFLICT (key) DO UPDATE SET state = excluded.state, unreachable = 0",
        (chat.key, encode(chat), encode(state)),
    )


def move_chat(connection: sqlite3.Connection, old: Chat, new_id: int) -> Chat:
    """Let a group that became a supergroup go on under its new id, with all that is on record of it."""
    new = replace(old, id=new_id)
    _, state = chat_and_state(connection, old.key) or (old, ChatState())
    connection.execute(
        "INSERT OR IGNORE INTO chats (key, chat, state) VALUES (?, ?, ?)", (new.key, encode(new), encode(state))
    )
    for table in ("updates", "messages", "uploads", "notices", "files"):
        connection.execute(f"UPDATE {table} SET chat = ? WHERE chat = ?", (new.key, old.key))
    connection.execute("DELETE FROM chats WHERE key = ?", (old.key,))
    return new


def apply(connection: sqlite3.Connection, chat: Chat, effects: Iterable[Effect]) -> Touched:
    """Write down what a decision leads to; what is done only once, such as answering a press, leaves no row."""
    notices = uploads = False
    for effect in effects:
        match effect:
            case Say(notice=notice):
                add_notice(connection, chat.key, notice)
                notices = True
            case Take():
                _add_upload(connection, chat, effect)
                uploads = True
    return Touched(notices, uploads)


def add_notice(connection: sqlite3.Connection, chat_key: str, notice: AnyNotice) -> None:
    """Let a notice wait for its chat, unless nothing can be said there."""
    connection.execute(
        "INSERT INTO notices (chat, kind, upload, body) SELECT ?, ?, ?, ? "
        "WHERE NOT EXISTS (SELECT 1 FROM chats WHERE key = ? AND unreachable)",
        (chat_key, type(notice).__name__, getattr(notice, "upload", None), encode(notice), chat_key),
    )


def job_from(connection: sqlite3.Connection, upload: str, chat_key: str, body: str) -> UploadJob:
    job = msgspec.json.decode(body, type=JobBody)
    chat = chat_of(connection, chat_key)
    return UploadJob(upload, chat, job.document, job.name, job.asked_name, job.message_id)


def _add_upload(connection: sqlite3.Connection, chat: Chat, take: Take) -> None:
    body = JobBody(take.document, take.name, take.asked_name, take.message_id)
    connection.execute(
        "INSERT OR IGNORE INTO uploads (id, chat, job, state) VALUES (?, ?, ?, ?)",
        (take.upload, chat.key, encode(body), UploadState.WAITING.value),
    )
