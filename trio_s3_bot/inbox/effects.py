"""What a decision of the conversation writes down. Every function runs inside the operation that ends the update."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from trio_s3_bot.conversation.state import (
    DAY,
    AnswerPress,
    Cancel,
    Delete,
    Effect,
    Forget,
    MakeLink,
    Release,
    Rename,
    Say,
    SetName,
    Take,
    WaitLonger,
)
from trio_s3_bot.inbox import rows
from trio_s3_bot.inbox.rows import Touched
from trio_s3_bot.model import Chat, UploadState
from trio_s3_bot.notices import Card, Place


class Writer:
    """
    Writes the effects of one decision; `now` and `ask_until` are in Unix seconds.

    If `limited`, what the person has sent is counted.
    """

    def __init__(
        self, connection: sqlite3.Connection, chat: Chat, now: float, ask_until: float, *, limited: bool
    ) -> None:
        self._connection = connection
        self._chat = chat
        self._now = now
        self._ask_until = ask_until
        self._limited = limited
        self.touched = Touched()
        self._too_late: set[str] = set()

    def write(self, effects: Iterable[Effect]) -> Touched:
        """Write them all; returns what they left to do for others."""
        for effect in effects:
            _WRITERS[type(effect)](self, effect)
        return self.touched

    def say(self, effect: Say) -> None:
        late = effect.provided if effect.provided in self._too_late else None
        notice = effect.notice if late is None else Card(upload=late)
        rows.add_notice(self._connection, self._chat.key, notice, effect.edit_of)
        self._touch(notices=True)

    def take(self, take: Take) -> None:
        body = rows.JobBody(take.document, take.asked_name, take.message_id, take.caption_name)
        state = UploadState.ASKING if take.ask else UploadState.WAITING
        self._connection.execute(
            "INSERT OR IGNORE INTO uploads (id, chat, owner, name, prefix, album, job, state, ask_until) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                take.upload,
                self._chat.key,
                take.owner,
                take.name,
                take.prefix,
                take.album,
                rows.encode(body),
                state.value,
                self._ask_until if take.ask else None,
            ),
        )
        if take.message_id is not None:
            rows.mention(self._connection, self._chat.key, take.message_id, take.upload)
        if self._limited and take.owner is not None:
            self._count_usage(take)
        self._touch(uploads=True)

    def set_name(self, effect: SetName) -> None:
        # What was to be done about an object of the old name says nothing about one of the new name.
        chosen = "name = ?, policy = NULL, job = json_remove(job, '$.asked_name')"
        taken = self._on_upload(effect.item, chosen, effect.name)
        if not taken and not self._add_chore(effect.item, "rename", effect.name):  # it has been saved meanwhile
            self._too_late.add(effect.item)

    def wait_longer(self, effect: WaitLonger) -> None:
        self._on_upload(effect.item, "ask_until = ?", self._ask_until)

    def release(self, effect: Release) -> None:
        otherwise = "NULL" if effect.anew else "policy"
        assignments = f"state = 'waiting', ask_until = NULL, policy = coalesce(?, {otherwise})"
        self._on_upload(effect.item, assignments, effect.policy, also="state = 'asking'")
        self._touch(uploads=True)

    def cancel(self, effect: Cancel) -> None:
        """
        What was never begun is over at once; what was has to be cleared away by its upload slot.

        A slot may have the document already without a trace of that here, so it is told in any case.
        """
        never_begun = "key IS NULL AND creating IS NULL"
        if self._on_upload(effect.item, "cancelled = 1, state = 'cancelled', ask_until = NULL", also=never_begun):
            rows.tell_cancelled(self._connection, effect.item)
            given_up = True
        else:
            given_up = self._on_upload(effect.item, "cancelled = 1, state = 'waiting', ask_until = NULL")
        if given_up:
            self._connection.execute("DELETE FROM usage WHERE upload = ?", (effect.item,))
        else:
            self._too_late.add(effect.item)
        self._touch(uploads=True, cancelled=(*self.touched.cancelled, effect.item))

    def rename(self, effect: Rename) -> None:
        if not self._add_chore(effect.item, "rename", effect.name):
            self.say(Say(Card(upload=effect.item)))

    def delete(self, effect: Delete) -> None:
        self._add_chore(effect.item, "delete", None, effect.edit_of, effect.place)

    def forget(self, effect: Forget) -> None:
        gone = "SELECT 1 FROM files WHERE id = ? AND gone AND id NOT IN (SELECT item FROM chores)"
        if self._connection.execute(gone, (effect.item,)).fetchone():
            rows.forget_file(self._connection, effect.item)

    def nothing(self, effect: AnswerPress | MakeLink) -> None:
        """Done by the worker, before this."""

    def _touch(self, **changes: Any) -> None:
        self.touched = replace(self.touched, **changes)

    def _on_upload(self, item: str, assignments: str, *values: object, also: str = "1") -> bool:
        """Change an upload that is under way; false when there is none that `also` holds for."""
        changed = self._connection.execute(
            f"UPDATE uploads SET {assignments} WHERE id = ? AND {rows.OPEN} AND {also}", (*values, item)
        )
        if changed.rowcount:
            rows.show_anew(self._connection, item)
            self._touch(notices=True)
        return changed.rowcount > 0

    def _add_chore(
        self, item: str, kind: str, name: str | None, edit_of: int | None = None, place: Place | None = None
    ) -> bool:
        """
        Let something be done to a saved file. The last new name counts until that is begun.

        False if there is nothing to be done: the file is gone or called so, or something else is done to it.
        """
        added = self._connection.execute(
            "INSERT INTO chores (item, chat, kind, name, edit_of, page, query) "
            "SELECT id, chat, ?, ?, ?, ?, ? FROM files WHERE id = ? AND key IS NOT prefix || ? "
            "ON CONFLICT (item) DO UPDATE SET name = excluded.name WHERE kind = 'rename' AND creating IS NULL",
            (kind, name, edit_of, *((place.page, place.query) if place else (None, None)), item, name),
        )
        self._touch(chores=True)
        return added.rowcount > 0

    def _count_usage(self, take: Take) -> None:
        self._connection.execute("DELETE FROM usage WHERE at < ?", (self._now - DAY,))
        self._connection.execute(
            "INSERT OR IGNORE INTO usage (upload, person, at, bytes) VALUES (?, ?, ?, ?)",
            (take.upload, f"{self._chat.messenger}:{take.owner}", self._now, take.document.size or 0),
        )


_WRITERS: dict[type, Callable[[Writer, Any], None]] = {
    Say: Writer.say,
    Take: Writer.take,
    SetName: Writer.set_name,
    WaitLonger: Writer.wait_longer,
    Release: Writer.release,
    Cancel: Writer.cancel,
    Rename: Writer.rename,
    Delete: Writer.delete,
    Forget: Writer.forget,
    AnswerPress: Writer.nothing,
    MakeLink: Writer.nothing,
}
