"""A messenger that does as a script says, and remembers what it was told."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import trio

from trio_s3_bot.messengers.base import Account, Batch, Capabilities, Command
from trio_s3_bot.model import Chat, Document, OutMessage, Press, Source, UpdateObj

LONG_POLL = 50.0  # seconds that a poll waits when there is nothing
MOST_AT_ONCE = 1_000  # requests without time passing; more than that is a busy loop


@dataclass(frozen=True)
class Request:
    """Something the bot asked the messenger to show: `kind` is `send` or `edit`; `at` is when."""

    at: float
    kind: str
    chat: Chat
    message: OutMessage
    message_id: int

    @property
    def text(self) -> str:
        return self.message.text


Fault = Callable[[Request], Exception | None]


def no_fault(_: Request) -> Exception | None:
    return None


def until(end: float, error: Exception) -> Callable[..., Exception | None]:
    """Out of order until `end` on the clock: what is asked before fails with `error`."""
    return lambda *_: error if trio.current_time() < end else None


def only_for(fault: Fault, *chats: Chat) -> Fault:
    """`fault` for what is said to `chats`, none for the others."""
    return lambda request: fault(request) if request.chat in chats else None


class ScriptedMessenger:
    """
    A messenger that keeps updates until they are acknowledged, and everything that it was told.

    `polls` are the times and cursors of all polls; what stands in `answers` is given before any update. `fault`,
    `polling`, `resolving` and `fetching` decide about each request of theirs: the error it answers with, or none.
    `said` is what came through, `tried` all there was. What was left out of a cropped update is a document; `fetched`
    are the times at which one was asked for.
    """

    def __init__(self, name: str = "telegram") -> None:
        self._name = name
        self.answers: deque[Batch | Exception] = deque()
        self.polls: list[tuple[float, str | None]] = []
        self.fault: Fault = no_fault
        self.polling: Callable[[], Exception | None] = lambda: None
        self.latency = 0.0
        self.said: list[Request] = []
        self.tried: list[Request] = []
        self.answered: list[tuple[Chat, Press, str]] = []
        self.commands: tuple[Command, ...] = ()
        self.resolved: list[tuple[float, Document]] = []
        self.resolving: Callable[[Document], Exception | None] = lambda _: None
        self.fetched: list[float] = []
        self.fetching: Callable[[UpdateObj], Exception | None] = lambda _: None
        self._updates: list[UpdateObj] = []
        self._delivered = trio.Event()
        self._requests: deque[float] = deque(maxlen=MOST_AT_ONCE)

    @property
    def name(self) -> str:
        return self._name

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities()

    @property
    def unacknowledged(self) -> list[str]:
        """The ids of the updates that would be delivered again."""
        return [update.update_id for update in self._updates]

    def deliver(self, updates: Iterable[UpdateObj]) -> None:
        """Let updates wait for the bot, their ids being numbers that go up."""
        self._updates += updates
        self._delivered.set()
        self._delivered = trio.Event()

    @property
    def sent(self) -> list[Request]:
        """What was said anew: edits are left out."""
        return [request for request in self.said if request.kind == "send"]

    def texts(self, chat: Chat) -> list[str]:
        return [request.text for request in self.said if request.chat == chat]

    async def check(self) -> Account:
        return Account(1, f"{self._name} bot")

    async def poll(self, cursor: str | None) -> Batch:
        self._count()
        self.polls.append((trio.current_time(), cursor))
        await trio.lowlevel.checkpoint()
        if self.answers:
            answer = self.answers.popleft()
            if isinstance(answer, Exception):
                raise answer
            return answer
        error = self.polling()
        if error is not None:
            raise error
        self._updates = [update for update in self._updates if int(update.update_id) >= int(cursor or 0)]
        if not self._updates:
            with trio.move_on_after(LONG_POLL):
                await self._delivered.wait()
        if not self._updates:
            return Batch((), cursor)
        return Batch(tuple(self._updates[:100]), str(int(self._updates[:100][-1].update_id) + 1))

    async def whole(self, update: UpdateObj) -> UpdateObj:
        self._count()
        self.fetched.append(trio.current_time())
        await trio.lowlevel.checkpoint()
        error = self.fetching(update)
        if error is not None:
            raise error
        return replace(update, cropped=False, documents=(Document(update.update_id, update.update_id, "a.txt"),))

    async def send(self, chat: Chat, message: OutMessage) -> int:
        message_id = 100 + len(self.said)
        await self._show(Request(trio.current_time(), "send", chat, message, message_id))
        return message_id

    async def edit(self, chat: Chat, message_id: int, message: OutMessage) -> None:
        await self._show(Request(trio.current_time(), "edit", chat, message, message_id))

    async def answer(self, chat: Chat, press: Press, text: str = "") -> None:
        self._count()
        self.answered.append((chat, press, text))
        await trio.lowlevel.checkpoint()

    async def resolve(self, document: Document) -> Source:
        self._count()
        self.resolved.append((trio.current_time(), document))
        await trio.lowlevel.checkpoint()
        error = self.resolving(document)
        if error is not None:
            raise error
        return Source(path=f"/{document.file_id}", size=document.size)

    async def announce(self, commands: tuple[Command, ...]) -> None:
        self.commands = commands
        await trio.lowlevel.checkpoint()

    async def _show(self, request: Request) -> None:
        self._count()
        self.tried.append(request)
        await trio.sleep(self.latency)
        error = self.fault(request)
        if error is not None:
            raise error
        self.said.append(request)

    def _count(self) -> None:
        now = trio.current_time()
        assert len(self._requests) < MOST_AT_ONCE or self._requests[0] < now, "a busy loop: no time passes"
        self._requests.append(now)
