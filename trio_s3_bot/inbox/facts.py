"""What the conversation wants to know before it decides. Every function runs inside an operation."""

from __future__ import annotations

import sqlite3

import msgspec

from trio_s3_bot.conversation.state import Facts, Item, Usage, Wants
from trio_s3_bot.inbox import rows
from trio_s3_bot.inbox.effects import DAY
from trio_s3_bot.model import UploadState

OPEN_ITEMS = 2  # enough to know whether there is one, or more


def find(connection: sqlite3.Connection, chat_key: str, wants: Wants, person: str | None, now: float) -> Facts:
    """The facts that are wanted, of this chat and this person only; `now` is in Unix seconds."""
    replied = _replied(connection, chat_key, wants.reply_to)
    named = _named(connection, chat_key, wants.name)
    open_items = _open_items(connection, chat_key) if wants.open_items else ()
    found = ((item, item_of(connection, chat_key, item)) for item in {*wants.items, *replied, *named, *open_items})
    items = {item_id: item for item_id, item in found if item is not None}
    return Facts(
        items=items,
        replied=tuple(item for item in replied if item in items),
        named=tuple(item for item in named if item in items),
        open_items=tuple(item for item in open_items if item in items),
        usage=_usage(connection, person, now) if wants.usage and person else Usage(),
        now=now,
    )


def item_of(connection: sqlite3.Connection, chat_key: str, item: str) -> Item | None:
    """A document of this chat, saved or on its way; another chat's is not found."""
    busy = bool(connection.execute("SELECT EXISTS (SELECT 1 FROM chores WHERE item = ?)", (item,)).fetchone()[0])
    upload = connection.execute(
        f"SELECT owner, name, {rows.STATE}, key, job FROM uploads WHERE id = ? AND chat = ?", (item, chat_key)
    ).fetchone()
    if upload is not None and upload[2] != UploadState.SAVED.value:
        owner, name, state, key, body = upload
        caption_name = msgspec.json.decode(body, type=rows.JobBody).caption_name
        return Item(item, owner, name, UploadState(state), begun=key is not None, caption_name=caption_name, busy=busy)
    file = connection.execute(
        "SELECT owner, key, prefix, gone FROM files WHERE id = ? AND chat = ?", (item, chat_key)
    ).fetchone()
    if file is None:
        return None
    owner, key, prefix, gone = file
    caption_name = msgspec.json.decode(upload[4], type=rows.JobBody).caption_name if upload else None
    name = key.removeprefix(prefix)
    return Item(item, owner, name, UploadState.SAVED, begun=True, gone=bool(gone), caption_name=caption_name, busy=busy)


def _replied(connection: sqlite3.Connection, chat_key: str, message_id: int | None) -> tuple[str, ...]:
    if message_id is None:
        return ()
    query = "SELECT DISTINCT item FROM mentions WHERE chat = ? AND message_id = ? ORDER BY seq LIMIT 100"
    return tuple(row[0] for row in connection.execute(query, (chat_key, message_id)))


def _named(connection: sqlite3.Connection, chat_key: str, name: str | None) -> tuple[str, ...]:
    if not name:
        return ()
    query = (
        "SELECT id FROM files WHERE chat = ? AND NOT gone AND casefold(substr(key, length(prefix) + 1)) = casefold(?) "
        "ORDER BY saved_at DESC LIMIT 2"
    )
    return tuple(row[0] for row in connection.execute(query, (chat_key, name)))


def _open_items(connection: sqlite3.Connection, chat_key: str) -> tuple[str, ...]:
    query = f"SELECT id FROM uploads WHERE chat = ? AND {rows.OPEN} AND NOT cancelled ORDER BY seq LIMIT ?"
    return tuple(row[0] for row in connection.execute(query, (chat_key, OPEN_ITEMS)))


def _usage(connection: sqlite3.Connection, person: str, now: float) -> Usage:
    files, size, oldest = connection.execute(
        "SELECT count(*), coalesce(sum(bytes), 0), coalesce(min(at), ?) FROM usage WHERE person = ? AND at >= ?",
        (now, person, now - DAY),
    ).fetchone()
    return Usage(files, size, oldest + DAY)
