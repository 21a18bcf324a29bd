"""What people do and what the bot is to tell them, put into the inbox the way the workers do it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import count
from types import MappingProxyType

import trio
from trio.testing import wait_all_tasks_blocked

from tests.time.fakes import ScriptedMessenger, StoreInMemory, TimedTransfer
from tests.world import SHIPPED_CONFIG
from trio_s3_bot.base import Bot
from trio_s3_bot.budgets import Budgets, at_most
from trio_s3_bot.config import AccessConfig, load
from trio_s3_bot.conversation import ChatState, Decision, Effect, Rules, Say, Take
from trio_s3_bot.conversation.state import Access
from trio_s3_bot.inbox import Claim, Inbox, UploadClaim
from trio_s3_bot.messengers.base import Batch
from trio_s3_bot.model import Chat, Document, SavedFile, UpdateObj, UploadState
from trio_s3_bot.notices import Accepted, AnyNotice, DocumentRequired, Saved
from trio_s3_bot.outbox import Outbox
from trio_s3_bot.patience import SHIPPED
from trio_s3_bot.poller import Poller
from trio_s3_bot.texts import Sample
from trio_s3_bot.uploads import UploadSlots
from trio_s3_bot.worker import Worker

DAY = 24 * 3600.0
MIB = 2**20
GRACE = 10.0

EVERYBODY = AccessConfig(everybody=True, allowed=frozenset())

GREETED = ChatState(greeted=True)

_update_ids = count(1)


def person(number: int, messenger: str = "telegram") -> Chat:
    """A private chat."""
    return Chat(messenger, number)


def group(number: int, thread: int | None = None) -> Chat:
    return Chat("telegram", -number, thread, group=True)


def update(chat: Chat, text: str = "hello", update_id: int | None = None) -> UpdateObj:
    number = next(_update_ids) if update_id is None else update_id
    return UpdateObj(chat.messenger, str(number), chat, message_id=number, text=text, addressed=True)


def document(name: str, size: int = MIB) -> Document:
    return Document(file_id=name, unique_id=name, file_name=name, size=size)


async def decide(inbox: Inbox, chat: Chat, effects: Iterable[Effect], state: ChatState = GREETED) -> None:
    """Let a message of `chat` lead to `effects`, and to a state of the chat."""
    await inbox.updates.store(chat.messenger, Batch((update(chat),), None))
    claim = await inbox.updates.claim(chat.messenger)
    assert claim.update.chat == chat
    await inbox.updates.finish(claim, Decision(state, tuple(effects)))


async def tell(inbox: Inbox, chat: Chat, *notices: AnyNotice) -> None:
    """Let the bot have something to say."""
    await decide(inbox, chat, [Say(notice) for notice in notices])


async def ask(inbox: Inbox, chat: Chat, times: int = 1) -> None:
    """Let the bot ask for a document, in as many messages: what is said so is never folded."""
    await tell(inbox, chat, *[DocumentRequired(reply_to=number) for number in range(times)])


async def take(inbox: Inbox, chat: Chat, *names: str, size: int = MIB, say: bool = True) -> None:
    """Let the bot take documents, and say so. An upload's id is its name."""
    for name in names:
        effects: list[Effect] = [Take(name, document(name, size), name, None, 1)]
        await decide(inbox, chat, effects + ([Say(Accepted(upload=name, name=name))] if say else []))


@asynccontextmanager
async def speaking(
    inbox: Inbox,
    messenger: ScriptedMessenger,
    *,
    sample: Callable[[str], Sample | None] = lambda _: None,
    progress_interval: float = 3,
) -> AsyncIterator[Outbox]:
    """An outbox with the shipped limits, at work while the block runs; nothing may take longer than a day."""
    outbox = Outbox(
        messenger,
        inbox.messages,
        budget=at_most(30, 1),
        budgets=Budgets(chat_messages_per_second=1, group_messages_per_minute=20),
        progress_interval=progress_interval,
        sample=sample,
        pauses=SHIPPED.speaking,
    )
    inbox.when_something_to_say(outbox.serve)
    with trio.fail_after(DAY):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(outbox.run)
            await wait_all_tasks_blocked()
            yield outbox
            nursery.cancel_scope.cancel()


@asynccontextmanager
async def answering(
    inbox: Inbox, messenger: ScriptedMessenger, *others: ScriptedMessenger, workers: int = 4, access: Access = EVERYBODY
) -> AsyncIterator[Outbox]:
    """Poller, workers and outbox at work while the block runs: all but the documents. To `others` nothing is said."""
    messengers = {one.name: one for one in (messenger, *others)}
    rules = Rules(access)
    send, receive = trio.open_memory_channel[Claim](100)
    async with speaking(inbox, messenger) as outbox, trio.open_nursery() as nursery:
        for one in messengers.values():
            nursery.start_soon(Poller(one, inbox.updates, send.clone()).run)
        with receive:
            for _ in range(workers):
                worker = Worker(inbox.updates, messengers, rules)
                nursery.start_soon(worker.run, receive.clone())
        yield outbox
        nursery.cancel_scope.cancel()


def most_within(times: Sequence[float], seconds: float) -> int:
    """How many of `times`, in order, fall into any stretch of `seconds`, its end not counted."""
    return max(sum(start <= at < start + seconds - 1e-9 for at in times) for start in times)


async def begin(inbox: Inbox, chat: Chat, name: str, size: int = MIB) -> UploadClaim:
    """A document that was taken, said to be taken, and is going up."""
    await take(inbox, chat, name, size=size)
    claim = await inbox.uploads.claim()
    assert claim is not None
    await inbox.uploads.try_key(claim.job, name)
    return claim


async def end(inbox: Inbox, claim: UploadClaim) -> None:
    """The document is in the bucket."""
    job = claim.job
    saved = SavedFile(job.id, job.chat, job.owner, job.name, job.name, MIB, '"etag"', job.id, 0)
    notice = Saved(upload=job.id, key=job.name, name=job.name, size=MIB, album=job.album)
    await inbox.uploads.finish(job, UploadState.SAVED, notice, saved)
    inbox.uploads.give_back(claim)


@asynccontextmanager
async def uploading(
    inbox: Inbox,
    store: StoreInMemory,
    transfer: TimedTransfer,
    *messengers: ScriptedMessenger,
    slots: int = 4,
    progress_interval: float = 3,
    show: Callable[[Chat, str], None] = lambda *_: None,
    on_conflict: str = "keep_both",
) -> AsyncIterator[UploadSlots]:
    """Upload slots at work while the block runs."""
    by_name = {messenger.name: messenger for messenger in messengers}
    uploads = UploadSlots(
        inbox.uploads,
        transfer,
        store,
        by_name,
        slots=slots,
        max_file_size=None,
        progress_interval=progress_interval,
        show=show,
        on_conflict=on_conflict,
    )
    inbox.when_cancelled(uploads.cancel)
    send, receive = trio.open_memory_channel[UploadClaim](0)
    with trio.fail_after(DAY):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(uploads.feed, send)
            for _ in range(slots):
                nursery.start_soon(uploads.slot, receive.clone())
            with receive:
                yield uploads
            nursery.cancel_scope.cancel()


async def all_ended(inbox: Inbox) -> float:
    """Wait until no document waits or runs; returns when that was."""
    bell = inbox.uploads.bell
    while True:
        rings = bell.rings
        if not await inbox.uploads.open_count():
            return trio.current_time()
        await bell.after(rings)


class Running:
    """A bot that polls; `stopped` waits for its end, and says how long that took."""

    def __init__(self, stop: trio.Event) -> None:
        self._stop = stop
        self._asked_at = 0.0
        self.ended = trio.Event()

    def stop(self) -> None:
        self._asked_at = trio.current_time()
        self._stop.set()

    async def stopped(self) -> float:
        await self.ended.wait()
        return trio.current_time() - self._asked_at


@asynccontextmanager
async def bot(
    inbox: Inbox,
    messenger: ScriptedMessenger,
    store: StoreInMemory,
    transfer: TimedTransfer,
    settings: Mapping[tuple[str, str], str] = MappingProxyType({}),
) -> AsyncIterator[Running]:
    """The bot with the shipped settings, and those in `settings`."""
    overrides = {(messenger.name, "token"): "1:token", ("s3", "bucket"): "files", ("stop", "grace_period"): str(GRACE)}
    config = load(SHIPPED_CONFIG, {}, overrides | dict(settings))
    stop = trio.Event()
    running = Running(stop)

    async def run(*, task_status: trio.TaskStatus[None]) -> None:
        await Bot(config).serve(inbox, {messenger.name: messenger}, store, transfer, stop, task_status=task_status)
        running.ended.set()

    with trio.fail_after(DAY):
        async with trio.open_nursery() as nursery:
            await nursery.start(run)
            yield running
            running.stop()
