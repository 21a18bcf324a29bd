"""What can be looked up while a message is composed: a chat's documents, saved and on their way."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

import msgspec

from trio_s3_bot.conversation.state import Ask
from trio_s3_bot.inbox import rows
from trio_s3_bot.inbox.files import page_of
from trio_s3_bot.model import SavedFile, UploadState


@dataclass(frozen=True, slots=True)
class StatusDocument:
    """A document as a message shows it: how it stands, what is asked about it, what name its caption offers."""

    id: str
    name: str
    state: UploadState
    ask: Ask | None = None
    caption_name: str | None = None


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
        found = documents_where(
            self._connection, f"{where} ORDER BY seq LIMIT ? OFFSET ?", (self._chat, size, page * size)
        )
        return found, total

    def document(self, item: str) -> StatusDocument | None:
        """A document that is or was on its way."""
        found = documents_where(self._connection, "id = ? AND chat = ?", (item, self._chat))
        return found[0] if found else None


def documents_where(connection: sqlite3.Connection, where: str, values: tuple[object, ...]) -> list[StatusDocument]:
    """The documents that `where` holds for, a condition of SQL with `values` for its question marks."""
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
