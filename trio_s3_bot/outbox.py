"""
Everything that is said to a chat goes through here: one outbox for each messenger account.

What is said first: what waits for an answer, then `[document]` messages that have to be put to rest, then progress.
A message is composed when its chat's turn has come, so that all that waits for the chat by then is folded into it;
it is committed, and only then sent. Progress is never queued: it is looked up when there is room for it.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial

import structlog
import trio

from trio_s3_bot import texts
from trio_s3_bot.budgets import Budget, Budgets
from trio_s3_bot.errors import (
    ChatMoved,
    ChatUnreachable,
    MessageGone,
    MessengerError,
    OperatorNeeded,
    RequestRefused,
    RetryAfter,
    StateError,
    TokenRefused,
    Unavailable,
)
from trio_s3_bot.inbox import Composed, Messages, Status, once_readable
from trio_s3_bot.inbox.bell import Bell
from trio_s3_bot.messengers.base import Messenger
from trio_s3_bot.model import Chat, OutMessage
from trio_s3_bot.patience import SHIPPED, Pauses
from trio_s3_bot.phrasing import Phrasing, Renaming

LANES = 8  # requests to the messenger at the same time
AFTER_RETRY_AFTER = 0.5  # seconds more than the messenger asks for

log = structlog.get_logger()


@dataclass(eq=False, slots=True)
class _Line:
    """One chat as the outbox sees it. `news` counts what was announced, to notice more coming while looking."""

    chat: Chat
    budget: Budget
    news: int = 0
    has_message: bool = False
    has_rest: bool = False
    progress: dict[str, None] = field(default_factory=dict)
    progress_at: float = 0.0
    busy: bool = False
    last_text: dict[int, str] = field(default_factory=dict)
    refused: set[int] = field(default_factory=set)
    unrecorded: tuple[Composed, int] | None = None

    @property
    def idle(self) -> bool:
        return not (self.has_message or self.has_rest or self.progress or self.busy)

    def forget_progress(self) -> None:
        self.progress.clear()
        self.last_text.clear()
        self.refused.clear()

    def forget_message(self, status: Status) -> None:
        self.last_text.pop(status.id, None)
        self.refused.discard(status.id)


class Outbox:
    """Says what the inbox holds for the chats of `messenger`. `sample` tells how far an upload is."""

    def __init__(
        self,
        messenger: Messenger,
        messages: Messages,
        *,
        budget: Budget,
        budgets: Budgets,
        progress_interval: float,
        sample: Callable[[str], texts.Sample | None],
        renaming: Renaming = "off",
        pauses: Pauses = SHIPPED.speaking,
    ) -> None:
        self._messenger = messenger
        self._messages = messages
        self._budget = budget
        self._budgets = budgets
        self._interval = progress_interval
        self._phrasing = Phrasing(renaming, sample, messenger.capabilities)
        self._pauses = pauses
        self._bell = Bell()
        self._lines: dict[str, _Line] = {}
        self._moved: dict[str, Chat] = {}
        self._outages = 0
        self._floods: dict[str, float] = {}

    def serve(self, chat: Chat) -> None:
        """There is something new to say to a chat, and it is committed."""
        if chat.messenger != self._messenger.name:
            return
        line = self._line(chat)
        line.news += 1
        line.has_message = line.has_rest = True
        self._bell.ring()

    def show_progress(self, chat: Chat, upload: str) -> None:
        """An upload has moved on: show it when there is room. Newer calls replace older ones."""
        if chat.messenger != self._messenger.name:
            return
        self._line(chat).progress.setdefault(upload)
        self._bell.ring()

    async def run(self, there: Callable[[], Awaitable[None]] = trio.lowlevel.checkpoint) -> None:
        """
        Say things until cancelled, as soon as the messenger is `there`; begins with what an earlier run left unsaid.
        """
        await there()
        for chat in await once_readable(partial(self._messages.chats_to_serve, self._messenger.name)):
            self.serve(chat)
        lanes = trio.Semaphore(LANES)
        async with trio.open_nursery() as nursery:
            while True:
                await lanes.acquire()
                line = await self._next()
                nursery.start_soon(self._speak, line, lanes)

    async def until_all_is_said(self) -> None:
        """Wait until nothing but progress waits to be said."""
        while True:
            rings = self._bell.rings
            if not any(line.has_message or line.has_rest or line.busy for line in self._lines.values()):
                return
            await self._bell.after(rings)

    def _line(self, chat: Chat) -> _Line:
        chat = self._moved.get(chat.key, chat)
        if chat.key not in self._lines:
            self._lines[chat.key] = _Line(chat, self._budgets.of(chat))
        return self._lines[chat.key]

    async def _next(self) -> _Line:
        """The chat whose turn it is, when all budgets allow a message to it; both are charged."""
        while True:
            rings = self._bell.rings
            line, at = self._choose()
            at = max(at, self._budget.ready_at())
            if line is not None and at <= trio.current_time():
                line.busy = True
                line.budget.spend()
                self._budget.spend()
                return line
            with trio.move_on_at(at):
                await self._bell.after(rings)

    def _choose(self) -> tuple[_Line | None, float]:
        """The first chat that may be spoken to, by what it waits for; else the time when the next one may be."""
        now, soonest = trio.current_time(), trio.current_time() + 3600
        lines = [line for line in self._lines.values() if not line.busy]
        for ready_at in (_message_at, _rest_at, _progress_at):
            for line in lines:
                at = ready_at(line)
                if at is not None and at <= now:
                    return line, at
                soonest = soonest if at is None else min(soonest, at)
        return None, soonest

    async def _speak(self, line: _Line, lanes: trio.Semaphore) -> None:
        try:
            await self._take_turn(line)
            self._outages = 0
        except (Unavailable, TokenRefused, StateError) as error:
            self._wait_out(error)
        except Exception:
            # Whatever is wrong with what this chat is to hear must not silence the others, now and after each restart.
            log.exception("a message could not be composed; the chat waits", chat=line.chat.key)
            line.budget.pause(self._pauses.longest)
        finally:
            lanes.release()
            self._hand_back(line)

    async def _take_turn(self, line: _Line) -> None:
        """Say one thing, and do what the messenger's answer says of this chat alone."""
        try:
            await self._say_one_thing(line)
        except RetryAfter as error:
            self._keep_still(line, error)
        except ChatMoved as error:
            await self._follow(line, error.new_id)
        except ChatUnreachable as error:
            log.info("a chat can't be written to any more", chat=line.chat.key, error=str(error))
            await self._messages.unreachable(line.chat)
            line.forget_progress()

    async def _say_one_thing(self, line: _Line) -> None:
        """One request at most: a message, else a message put to rest, else progress."""
        news = line.news
        if line.has_message:
            if await self._send_message(line):
                return
            line.has_message = line.news != news
        if line.has_rest:
            status = await self._messages.stale_status(line.chat)
            if status is not None:
                await self._put_to_rest(line, status)
                return
            line.has_rest = line.news != news
        if line.progress and line.progress_at <= trio.current_time() and await self._show_progress(line):
            return
        line.budget.refund()
        self._budget.refund()

    async def _send_message(self, line: _Line) -> bool:
        if line.unrecorded is None:
            composed = await self._messages.next_message(line.chat, self._phrasing.compose)
            if composed is None:
                return False
            try:
                line.unrecorded = composed, await self._send(line, composed)
            except (MessageGone, RequestRefused) as error:
                await self._not_said(composed, error)
                return True
        # While the state can't be written, it is this that is tried again, and not the sending.
        await self._messages.sent(*line.unrecorded)
        line.unrecorded = None
        line.has_rest = True
        return True

    async def _not_said(self, composed: Composed, error: MessageGone | RequestRefused) -> None:
        """What another message can't be made to say is said in one of its own, if it needs to be said at all."""
        if composed.edit_of is None:
            log.error("a message was refused and is dropped", chat=composed.chat.key, error=str(error))
            await self._messages.give_up(composed)
            return
        log.info("a message can't be edited and stays as it is", chat=composed.chat.key, error=str(error))
        instead = self._messages.give_up if composed.message.edit_only else self._messages.say_anew
        await instead(composed)

    async def _send(self, line: _Line, composed: Composed) -> int:
        if composed.edit_of is None:
            return await self._messenger.send(line.chat, composed.message)
        await self._messenger.edit(line.chat, composed.edit_of, composed.message)
        return composed.edit_of

    async def _put_to_rest(self, line: _Line, status: Status) -> None:
        if await self._edit(line, status, self._phrasing.status(status)):
            await self._messages.shown(status)
            line.forget_message(status)

    async def _show_progress(self, line: _Line) -> bool:
        """Edit one `[document]` message whose picture has changed, in turn; false when there is none."""
        line.progress_at = trio.current_time() + self._interval * (2 if line.chat.group else 1)
        uploads, line.progress = deque(line.progress), {}
        while uploads:
            upload = uploads.popleft()
            status = await self._messages.status_of(line.chat, upload)
            if status is None or status.at_rest:
                continue
            message = self._phrasing.status(status)
            if message.text == line.last_text.get(status.id) or status.id in line.refused:
                continue
            if status.id not in line.last_text and not await self._messages.progress_will_show(status):
                continue
            line.progress = dict.fromkeys([*uploads, *line.progress])
            try:
                there = await self._edit(line, status, message)
            except MessengerError:
                line.progress.setdefault(upload)  # it may have no other news to be shown by: it has ended, or waits
                raise
            if there:
                line.last_text[status.id] = message.text
            return True
        return False

    async def _edit(self, line: _Line, status: Status, message: OutMessage) -> bool:
        """Edit a `[document]` message; false when that is impossible from now on, which is committed."""
        try:
            await self._messenger.edit(line.chat, status.remote_id, message)
        except RequestRefused as error:
            log.info("a message can't be edited and stays as it is", chat=line.chat.key, error=str(error))
            if not status.at_rest:  # to be put to rest it is tried once more
                line.refused.add(status.id)
                return True
        except MessageGone as error:
            log.info("a message can't be edited any more", chat=line.chat.key, error=str(error))
        else:
            return True
        await self._messages.lost(status)
        line.forget_message(status)
        self.serve(line.chat)
        return False

    def _keep_still(self, line: _Line, error: RetryAfter) -> None:
        """
        Pause the chat as long as the messenger asks; a second chat that is told so meanwhile pauses all.

        So it is with what the operator has to see to: of one refusal nobody can tell whether it concerns all chats.
        """
        now = trio.current_time()
        self._floods = {chat: until for chat, until in self._floods.items() if until > now and chat != line.chat.key}
        if isinstance(error, OperatorNeeded):
            event = "the messenger refuses messages until its operator acts; they wait"
            log.error(event, chat=line.chat.key, again_after=error.seconds, error=str(error))
        else:
            log.warning("flood limit reached", chat=line.chat.key, retry_after=error.seconds, error=str(error))
        if self._floods:
            self._budget.pause(error.seconds + AFTER_RETRY_AFTER)
        self._floods[line.chat.key] = now + error.seconds
        line.budget.pause(error.seconds + AFTER_RETRY_AFTER)

    async def _follow(self, line: _Line, new_id: int) -> None:
        log.info("a group became a supergroup", chat=line.chat.key, new_id=new_id)
        new = await self._messages.move_chat(line.chat, new_id)
        self._moved[line.chat.key] = new
        for upload in line.progress:
            self.show_progress(new, upload)
        line.has_message = line.has_rest = False
        line.forget_progress()
        self.serve(new)

    def _wait_out(self, error: Exception) -> None:
        if self._budget.paused:
            return  # it was begun before another one failed
        self._outages += 1
        pause = self._pauses.after(self._outages) * random.uniform(0.7, 1.3)
        self._budget.pause(pause)
        event = "the messenger can't be written to; trying again"
        if isinstance(error, StateError):
            event = "the state can't be written; nothing is said until it can"
        log.warning(event, pause=round(pause, 1), error=str(error))

    def _hand_back(self, line: _Line) -> None:
        """End a turn: the chat goes to the end of the row, or out of it when there is nothing more to say."""
        line.busy = False
        self._lines.pop(line.chat.key, None)
        if line.idle and not line.last_text:
            self._budgets.let_go(line.chat)
        else:
            self._lines[line.chat.key] = line
        self._bell.ring()


def _message_at(line: _Line) -> float | None:
    return line.budget.ready_at() if line.has_message else None


def _rest_at(line: _Line) -> float | None:
    return line.budget.ready_at() if line.has_rest else None


def _progress_at(line: _Line) -> float | None:
    """Progress leaves a message's worth of the chat's budget for an answer."""
    return max(line.budget.ready_at(reserve=1), line.progress_at) if line.progress else None
