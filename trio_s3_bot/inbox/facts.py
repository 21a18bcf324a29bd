"""What the conversation wants to know before it decides. Every function runs inside an operation."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator

import msgspec

from trio_s3_bot import names
from trio_s3_bot.conversation.state import DAY, Ask, Facts, Item, Usage, Wants, question_label
from trio_s3_bot.inbox import rows
from trio_s3_bot.model import Sender, UpdateObj, UploadState

OPEN_ITEMS = 2  # enough to know whether there is one, or more
OLDEST = 200  # documents of a day of which it is known when they no longer count
NAMESAKES = 20  # documents of one name that are looked at


def find(connection: sqlite3.Connection, update: UpdateObj, wants: Wants, now: float) -> Facts:
    """The facts that are wanted, of the update's chat and sender only; `now` is in Unix seconds."""
    chat_key, sender = update.chat.key, update.sender
    replied = _replied(connection, chat_key, wants.reply_to)
    named = _named(connection, chat_key, wants.name)
    open_items = _open_items(connection, chat_key, sender) if wants.open_items else ()
    asks = _question_put(connection, chat_key, wants.reply_to) if replied else None
    found = ((item, item_of(connection, chat_key, item)) for item in {*wants.items, *replied, *named, *open_items})
    items = {item_id: item for item_id, item in found if item is not None}
    return Facts(
        items=items,
        replied=tuple(item for item in replied if item in items),
        replied_asks=asks,
        questions=dict(_open_questions(connection, chat_key, items.values())),
        named=tuple(item for item in named if item in items),
        open_items=tuple(item for item in open_items if item in items),
        usage=_usage(connection, f"{update.messenger}:{sender.id}", now) if wants.usage and sender else Usage(),
        unrecorded=wants.reply_to is not None and not replied and _is_being_sent(connection, chat_key),
        now=now,
    )


def item_of(connection: sqlite3.Connection, chat_key: str, item: str) -> Item | None:
    """A document of this chat, saved or on its way; another chat's is not found."""
    upload = connection.execute(
        f"SELECT owner, name, prefix, {rows.STATE}, 0 FROM uploads WHERE id = ? AND chat = ?", (item, chat_key)
    ).fetchone()
    found = upload
    if upload is None or upload[3] == UploadState.SAVED.value:
        found = connection.execute(
            "SELECT owner, substr(key, length(prefix) + 1), prefix, 'saved', gone FROM files WHERE id = ? AND chat = ?",
            (item, chat_key),
        ).fetchone()
    if found is None:
        return None
    owner, name, prefix, state, gone = found
    body = _body(connection, item)
    return Item(
        item,
        owner,
        name,
        UploadState(state),
        gone=bool(gone),
        busy=_exists(connection, "SELECT 1 FROM chores WHERE item = ?", item),
        caption_name=body.caption_name if body else None,
        message_id=body.message_id if body else None,
        name_limit=names.KEY_LIMIT - len(prefix.encode()),
    )


def _body(connection: sqlite3.Connection, item: str) -> rows.JobBody | None:
    row = connection.execute("SELECT job FROM uploads WHERE id = ?", (item,)).fetchone()
    return msgspec.json.decode(row[0], type=rows.JobBody) if row else None


def _exists(connection: sqlite3.Connection, query: str, *values: object) -> bool:
    return bool(connection.execute(f"SELECT EXISTS ({query})", values).fetchone()[0])


def _replied(connection: sqlite3.Connection, chat_key: str, message_id: int | None) -> tuple[str, ...]:
    if message_id is None:
        return ()
    query = "SELECT DISTINCT item FROM mentions WHERE chat = ? AND message_id = ? ORDER BY seq LIMIT 100"
    return tuple(row[0] for row in connection.execute(query, (chat_key, message_id)))


def _question_put(connection: sqlite3.Connection, chat_key: str, message_id: int | None) -> str | None:
    query = "SELECT max(asks) FROM mentions WHERE chat = ? AND message_id = ?"
    return connection.execute(query, (chat_key, message_id)).fetchone()[0]  # type: ignore[no-any-return]


def _is_being_sent(connection: sqlite3.Connection, chat_key: str) -> bool:
    query = "SELECT 1 FROM messages WHERE chat = ? AND remote_id IS NULL AND edit_of IS NULL"
    return _exists(connection, query, chat_key)


def _open_questions(connection: sqlite3.Connection, chat_key: str, items: Iterable[Item]) -> Iterator[tuple[str, int]]:
    """For each document that something is asked about, the last message that put the question."""
    for item in items:
        row = connection.execute("SELECT ask FROM questions WHERE item = ?", (item.id,)).fetchone()
        if row is None:
            continue
        put = connection.execute(
            "SELECT message_id FROM mentions WHERE chat = ? AND item = ? AND asks = ? ORDER BY seq DESC LIMIT 1",
            (chat_key, item.id, question_label(Ask(row[0]), item.name)),
        ).fetchone()
        if put is not None:
            yield item.id, put[0]


def _named(connection: sqlite3.Connection, chat_key: str, name: str | None) -> tuple[str, ...]:
    """Those on their way come first, then the newest."""
    if not name:
        return ()
    query = (
        f"SELECT id FROM uploads WHERE chat = :chat AND {rows.OPEN} AND NOT cancelled "
        "AND casefold(name) = casefold(:name) UNION ALL "
        "SELECT * FROM (SELECT id FROM files WHERE chat = :chat AND NOT gone "
        "AND casefold(substr(key, length(prefix) + 1)) = casefold(:name) ORDER BY saved_at DESC) LIMIT :most"
    )
    found = connection.execute(query, {"chat": chat_key, "name": name, "most": NAMESAKES})
    return tuple(row[0] for row in found)


def _open_items(connection: sqlite3.Connection, chat_key: str, sender: Sender | None) -> tuple[str, ...]:
    query = (
        f"SELECT id FROM uploads WHERE chat = ? AND {rows.OPEN} AND NOT cancelled "
        "AND (owner IS NULL OR owner = ?) ORDER BY seq LIMIT ?"
    )
    owner = sender.id if sender is not None else None
    return tuple(row[0] for row in connection.execute(query, (chat_key, owner, OPEN_ITEMS)))


def _usage(connection: sqlite3.Connection, person: str, now: float) -> Usage:
    # What is ahead of now was counted by a clock that has been set back since.
    counted, values = "FROM usage WHERE person = ? AND at > ? AND at <= ?", (person, now - DAY, now)
    # sum() fails where it doesn't fit into 64 bits.
    files, size = connection.execute(f"SELECT count(*), CAST(total(bytes) AS INTEGER) {counted}", values).fetchone()
    oldest = connection.execute(f"SELECT at + {DAY}, bytes {counted} ORDER BY at LIMIT {OLDEST}", values)
    return Usage(files, size, tuple(oldest.fetchall()))
