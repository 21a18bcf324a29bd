"""The updates that were received and are not finished, handed out one at a time for each chat."""

from __future__ import annotations

import math
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import NamedTuple

import msgspec
import trio

from trio_s3_bot.conversation import ChatState, Decision, Facts, wants
from trio_s3_bot.inbox import facts, rows
from trio_s3_bot.inbox.bell import Bell
from trio_s3_bot.inbox.database import Database, concerns_everybody
from trio_s3_bot.inbox.effects import Writer
from trio_s3_bot.inbox.mending import sound
from trio_s3_bot.messengers.base import Batch
from trio_s3_bot.model import Chat, UpdateObj

REMEMBERED = 20_000  # finished updates of a messenger that are known again when they come twice


@dataclass(frozen=True, slots=True)
class Claim:
    """
    An update that is being handled, with the state its chat was in, and the facts that the rules ask for.

    While it is claimed no other update of `chat` is handed out. `failures` counts how often handling it failed.
    `trouble` is why the facts could not be found; there are none then.
    """

    seq: int
    update: UpdateObj
    state: ChatState
    failures: int
    facts: Facts = field(default_factory=Facts)
    trouble: Exception | None = None


class _Rest(NamedTuple):
    """Until when a chat rests, on trio's clock."""

    until: float
    messenger: str


class Updates:
    """
    The queue proper; what the channel holds is a window over it.

    `told` is called with what a finished update left to do for others. `clock` gives Unix seconds, `ask_timeout` is how
    many of them a question holds things up. Unless `limited`, nothing is counted of what people send.
    """

    def __init__(
        self,
        database: Database,
        told: Callable[[Chat, rows.Touched], None],
        *,
        clock: Callable[[], float] = time.time,
        ask_timeout: float = 60,
        limited: bool = True,
    ) -> None:
        self._database = database
        self._told = told
        self._clock = clock
        self._ask_timeout = ask_timeout
        self._limited = limited
        self._bell = Bell()
        # Chats that have updates waiting and none claimed, the one that waited longest first: that is the fairness.
        self._ready: dict[str, dict[str, None]] = {}
        self._claimed: set[str] = set()
        self._came_while_claimed: set[str] = set()
        # Chats whose oldest update is to be tried again at a certain time; they count as claimed until then.
        self._resting: dict[str, _Rest] = {}
        # Groups that became supergroups while an update of theirs was claimed: the new chat waits for its end.
        self._successors: dict[str, str] = {}

    async def load(self) -> None:
        """Find what an earlier run left unfinished."""
        for messenger, chat in await self._database.read(_pending_chats):
            self._ready.setdefault(messenger, {})[chat] = None

    async def cursor(self, messenger: str) -> str | None:
        """Up to where the messenger's updates are committed; `None` before the first."""

        def read(connection: sqlite3.Connection) -> str | None:
            row = connection.execute("SELECT cursor FROM cursors WHERE messenger = ?", (messenger,)).fetchone()
            return row[0] if row else None

        return await self._database.read(read)

    async def store(self, messenger: str, batch: Batch) -> int:
        """
        Commit a batch and its cursor in one transaction; only then may it be acknowledged.

        Returns how many updates were new. Raises `StateUnwritable`; then none of it is committed.
        """

        def write(connection: sqlite3.Connection) -> tuple[list[str], list[tuple[Chat, Chat]]]:
            new = [update.chat.key for update in batch.updates if _insert(connection, update)]
            # Here and not when it is handled: what the supergroup sends comes after all that the group sent.
            moves = [(u.chat, rows.move_chat(connection, u.chat, u.moved_to)) for u in batch.updates if u.moved_to]
            for skipped in batch.skipped:
                _insert_skipped(connection, messenger, skipped.update_id, skipped.why)
            _save_cursor(connection, messenger, batch.cursor)
            _forget_old(connection, messenger)
            return new, moves

        new, moves = await self._database.write(write)
        for chat in new:
            self._make_ready(messenger, chat)
        for old, moved in moves:
            self.moved(old, moved)
        return len(new)

    async def claim(self, messenger: str) -> Claim:
        """Take the oldest update of the chat whose turn it is; waits until there is one."""
        while True:
            rings = self._bell.rings
            self._wake()
            ready = self._ready.get(messenger)
            if not ready:
                with trio.move_on_at(min((rest.until for rest in self._resting.values()), default=math.inf)):
                    await self._bell.after(rings)
                continue
            chat = next(iter(ready))
            del ready[chat]
            self._claimed.add(chat)
            try:
                claim = await self._oldest(chat)
            except BaseException:
                self._release(messenger, chat, more=True)
                raise
            if claim is not None:
                return claim
            self._release(messenger, chat, more=False)

    async def finish(self, claim: Claim, decision: Decision) -> None:
        """Commit what an update led to, and that it is done, in one transaction."""

        def write(connection: sqlite3.Connection) -> tuple[Chat, rows.Touched, bool]:
            chat = _chat_now(connection, claim)
            now = self._clock()
            rows.save_chat(connection, chat, claim.state, decision.state, now + self._ask_timeout)
            writer = Writer(connection, chat, now, now + self._ask_timeout, limited=self._limited)
            touched = writer.write(decision.effects)
            connection.execute("UPDATE updates SET body = NULL WHERE seq = ?", (claim.seq,))
            return chat, touched, _has_pending(connection, chat.key)

        chat, touched, more = await self._database.write(write)
        self._release(chat.messenger, claim.update.chat.key, more=more)
        self._told(chat, touched)

    async def complete(self, claim: Claim, update: UpdateObj) -> None:
        """Commit an update with what had been left out of it; it comes up again when it is its chat's turn."""
        statement = "UPDATE updates SET body = ?, failures = 0 WHERE seq = ?"
        await self._database.write(lambda c: c.execute(statement, (rows.encode(update), claim.seq)))
        self.give_back(claim)

    async def set_aside(self, claim: Claim, error: str) -> None:
        """End an update without a decision about it."""

        def write(connection: sqlite3.Connection) -> bool:
            end = "UPDATE updates SET body = NULL, error = ? WHERE seq = ? RETURNING chat"
            (chat_key,) = connection.execute(end, (error[:2000], claim.seq)).fetchone()
            return _has_pending(connection, chat_key)

        more = await self._database.write(write)
        self._release(claim.update.chat.messenger, claim.update.chat.key, more=more)

    async def fail(self, claim: Claim, error: str, *, pause: float = 0) -> None:
        """Record that handling an update failed; it comes up again as after `give_back`."""

        def write(connection: sqlite3.Connection) -> None:
            connection.execute(
                "UPDATE updates SET failures = failures + 1, error = ? WHERE seq = ?", (error[:2000], claim.seq)
            )

        await self._database.write(write)
        self.give_back(claim, pause=pause)

    def give_back(self, claim: Claim, *, pause: float = 0) -> None:
        """
        End a claim without finishing the update.

        It comes up again when it is its chat's turn, `pause` seconds later at the earliest; all that came after it in
        this chat waits as long.
        """
        chat = claim.update.chat
        if pause:
            self._resting[chat.key] = _Rest(trio.current_time() + pause, chat.messenger)
            self._bell.ring()
        else:
            self._release(chat.messenger, chat.key, more=True)

    def moved(self, old: Chat, new: Chat) -> None:
        """A group's updates stand under a new chat now; what it has to hear, too."""
        for chat in (old, new):
            self._ready.get(chat.messenger, {}).pop(chat.key, None)
        self._came_while_claimed.discard(old.key)
        if old.key in self._claimed:
            self._successors[old.key] = new.key
            self._claimed.add(new.key)
        self._make_ready(new.messenger, new.key)
        self._told(new, rows.Touched(notices=True))

    async def unfinished(self) -> int:
        """How many updates are waiting or being handled."""
        return await self._database.read(
            lambda connection: connection.execute("SELECT count(*) FROM updates WHERE body IS NOT NULL").fetchone()[0]
        )

    async def _oldest(self, chat: str) -> Claim | None:
        """The chat's oldest update."""
        now = self._clock()
        read = partial(_oldest, chat_key=chat, now=now, latest=now + self._ask_timeout, limited=self._limited)
        return await sound(self._database, partial(self._database.read, read))

    def _wake(self) -> None:
        """Let the chats come up again that have rested long enough."""
        now = trio.current_time()
        for chat in [chat for chat, rest in self._resting.items() if rest.until <= now]:
            self._release(self._resting.pop(chat).messenger, chat, more=True)

    def _make_ready(self, messenger: str, chat: str) -> None:
        if chat in self._claimed:
            self._came_while_claimed.add(chat)
        else:
            self._ready.setdefault(messenger, {}).setdefault(chat)
            self._bell.ring()

    def _release(self, messenger: str, chat: str, *, more: bool) -> None:
        self._claimed.discard(chat)
        successor = self._successors.pop(chat, None)
        if successor is not None:
            self._release(messenger, successor, more=more)
        elif more or chat in self._came_while_claimed:
            self._came_while_claimed.discard(chat)
            self._make_ready(messenger, chat)


def _pending_chats(connection: sqlite3.Connection) -> list[tuple[str, str]]:
    return connection.execute(
        "SELECT messenger, chat FROM updates WHERE body IS NOT NULL GROUP BY messenger, chat ORDER BY min(seq)"
    ).fetchall()


def _insert(connection: sqlite3.Connection, update: UpdateObj) -> bool:
    """False when this very update was received before (a poll may bring what another one brought already)."""
    cursor = connection.execute(
        "INSERT OR IGNORE INTO updates (messenger, update_id, chat, body) VALUES (?, ?, ?, ?)",
        (update.messenger, update.update_id, update.chat.key, rows.encode(update)),
    )
    return cursor.rowcount > 0


def _insert_skipped(connection: sqlite3.Connection, messenger: str, update_id: str | None, why: str) -> None:
    if update_id is not None:
        connection.execute(
            "INSERT OR IGNORE INTO updates (messenger, update_id, error) VALUES (?, ?, ?)", (messenger, update_id, why)
        )


def _save_cursor(connection: sqlite3.Connection, messenger: str, cursor: str | None) -> None:
    if cursor is not None:
        connection.execute("INSERT OR REPLACE INTO cursors (messenger, cursor) VALUES (?, ?)", (messenger, cursor))


def _forget_old(connection: sqlite3.Connection, messenger: str) -> None:
    connection.execute(
        # The plus keeps the index of the messenger's updates out of it: it holds all that are remembered.
        "DELETE FROM updates WHERE body IS NULL AND +messenger = ? AND seq < (SELECT max(seq) FROM updates) - ?",
        (messenger, REMEMBERED),
    )


def _oldest(connection: sqlite3.Connection, chat_key: str, *, now: float, latest: float, limited: bool) -> Claim | None:
    """The chat's oldest update; until `latest` any text answers a question that is put now."""
    row = connection.execute(
        "SELECT seq, body, failures FROM updates WHERE chat = ? AND body IS NOT NULL ORDER BY seq LIMIT 1", (chat_key,)
    ).fetchone()
    if row is None:
        return None
    seq, body, failures = row
    update = msgspec.json.decode(body, type=UpdateObj)
    chat, state = rows.chat_and_state(connection, chat_key) or (update.chat, ChatState())
    if update.chat.key != chat_key:  # its group has moved since
        update = replace(update, chat=chat)
    state = _timely(state, latest)
    claim = Claim(seq, update, state, failures)
    try:
        wanted = wants(state, update)
        wanted = replace(wanted, usage=wanted.usage and limited)
        return replace(claim, facts=facts.find(connection, update, wanted, now))
    except Exception as error:
        if concerns_everybody(error):
            raise
        # Left to the worker, which counts it against this update: raised here, it would end the feeding of all.
        return replace(claim, trouble=error)


def _timely(state: ChatState, latest: float) -> ChatState:
    """After the clock was set back, talk would answer a question for long: to an old one only replies do."""
    questions = (replace(asked, until=0) if asked.until > latest else asked for asked in state.questions)
    return replace(state, questions=tuple(questions))


def _chat_now(connection: sqlite3.Connection, claim: Claim) -> Chat:
    """The chat that an update belongs to on record: its group may have moved since it was claimed."""
    (key,) = connection.execute("SELECT chat FROM updates WHERE seq = ?", (claim.seq,)).fetchone()
    return claim.update.chat if key == claim.update.chat.key else rows.chat_of(connection, key)


def _has_pending(connection: sqlite3.Connection, chat_key: str) -> bool:
    query = "SELECT EXISTS (SELECT 1 FROM updates WHERE chat = ? AND body IS NOT NULL)"
    return bool(connection.execute(query, (chat_key,)).fetchone()[0])
