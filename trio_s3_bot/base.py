"""
The bot: builds the parts, opens the long-lived nurseries, owns stop and drain.

Shutdown is the nesting of the nurseries, outermost last:

    outbox and canary
    └── workers and upload slots
        └── pollers and the feeding of the slots: what takes in new work

A stop cancels the innermost one. That closes the channels' sending ends; workers and slots finish what they have until
their deadline; then what is composed is sent; then all is over. Whatever is unfinished stands in the inbox.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial

import structlog
import trio

from trio_s3_bot import canary, checks, texts
from trio_s3_bot.bucket import Bucket
from trio_s3_bot.budgets import Budgets, at_most
from trio_s3_bot.chores import Chores
from trio_s3_bot.config import BotConfig, NetworkConfig, S3Config, UploadsConfig
from trio_s3_bot.conversation import Rules
from trio_s3_bot.errors import CheckFailed, MessengerError
from trio_s3_bot.inbox import Claim, Inbox, UploadClaim, open_inbox
from trio_s3_bot.memory import MemoryBudget
from trio_s3_bot.messengers.base import Account, Command, Messenger
from trio_s3_bot.messengers.telegram import open_telegram
from trio_s3_bot.messengers.vk import open_vk
from trio_s3_bot.model import Chat
from trio_s3_bot.outbox import Outbox
from trio_s3_bot.patience import SHIPPED, Patience
from trio_s3_bot.phrasing import list_size
from trio_s3_bot.poller import Poller
from trio_s3_bot.shelf import Shelf
from trio_s3_bot.source import Pools
from trio_s3_bot.transfer import UPLOADERS, Transfer
from trio_s3_bot.uploads import UploadSlots
from trio_s3_bot.utils import log_exceptions
from trio_s3_bot.worker import Worker

__all__ = ["Bot", "BotConfig"]

FLUSH = 0.25  # the share of the grace period that is kept for sending what is composed

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Parts:
    """What the nurseries run."""

    pollers: list[Poller]
    workers: list[Worker]
    slots: UploadSlots
    chores: Chores
    outboxes: list[Outbox]
    claims: tuple[trio.MemorySendChannel[Claim], trio.MemoryReceiveChannel[Claim]]
    documents: tuple[trio.MemorySendChannel[UploadClaim], trio.MemoryReceiveChannel[UploadClaim]]


class Bot:
    """The whole program, but for the command line."""

    def __init__(self, config: BotConfig, patience: Patience = SHIPPED) -> None:
        self._config = config
        self._patience = patience

    async def check(self) -> list[checks.Finding]:
        """What the checks at start find; nothing is polled, and the state file isn't touched."""
        config, patience = self._config, self._patience
        async with open_messengers(config, patience) as messengers, open_bucket(config, patience) as bucket:
            return await checks.all_findings(messengers.values(), bucket)

    async def run(self, stop: trio.Event, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """
        Run until `stop` is set and the rest is done or parked, at most the grace period later.

        `task_status` is told when the checks have passed and polling begins. Raises `CheckFailed`, and `StateError`
        when the state file can't be used.
        """
        async with AsyncExitStack() as stack:
            inbox = await stack.enter_async_context(
                open_inbox(
                    self._config.state.path,
                    ask_timeout=self._config.names.ask_timeout,
                    limited=self._config.limits.per_day,
                )
            )
            messengers = await stack.enter_async_context(open_messengers(self._config, self._patience))
            bucket = await stack.enter_async_context(open_bucket(self._config, self._patience))
            if not await self._checked(stop, inbox, messengers, bucket):
                return
            connections = self._config.uploads.concurrent_uploads
            pools = Pools(self._config.network.proxy, connections, self._patience.timeouts)
            stack.callback(pools.close)
            transfer = _transfer(self._config.uploads, bucket, pools)
            await self.serve(inbox, messengers, bucket, transfer, stop, task_status=task_status)
        log.info("stopped")

    async def serve(
        self,
        inbox: Inbox,
        messengers: dict[str, Messenger],
        bucket: Bucket,
        transfer: Transfer,
        stop: trio.Event,
        *,
        task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """What `run` does once everything is open and checked."""
        await self._run_nurseries(self._parts(inbox, messengers, bucket, transfer), stop, task_status)

    async def _checked(self, stop: trio.Event, inbox: Inbox, messengers: dict[str, Messenger], bucket: Bucket) -> bool:
        """Run the checks; false when a stop came meanwhile."""
        patient, accounts = await inbox.has_unfinished_work(), dict[str, int]()
        waited_out = partial(checks.waited_out, patient=patient, pauses=self._patience.polling)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_cancel_when, stop, nursery.cancel_scope)
            for messenger in messengers.values():
                check = partial(checks.check_messenger, messenger)
                account = await waited_out(messenger.name, check)
                await self._recognize(inbox, messenger, account)
                log.info("messenger is ready", messenger=messenger.name, account=account.name)
                for remark in account.remarks:
                    log.warning(remark.text, messenger=messenger.name)
                accounts[messenger.name] = account.id
                await _announce_commands(messenger)
            check_bucket = partial(checks.check_bucket, bucket, inbox.probes)
            probe = await waited_out("the S3 store", check_bucket)
            for finding in checks.bucket_findings(probe):
                log.log(logging.INFO if finding.good else logging.WARNING, finding.detail, what=finding.what)
            # Not before all is well: with what was wrong, the token may be replaced.
            for name, account_id in accounts.items():
                await inbox.accounts.record(name, account_id)
            nursery.cancel_scope.cancel()
        if self._config.access.everybody:
            log.warning("everybody may write to this bot; [access] allowed_users says who may")
        return not stop.is_set()

    async def _recognize(self, inbox: Inbox, messenger: Messenger, account: Account) -> None:
        """Make sure that the state is this account's: another one's ids and cursors would be taken for its own."""
        known = await inbox.accounts.of(messenger.name)
        if known not in (None, account.id):
            raise CheckFailed(
                f"{self._config.state.path}: this is the state of another bot in {messenger.name}, number {known}, and "
                f"the token belongs to {account.name}, number {account.id}.",
                "Set [state] path to another file, or take the old token back.",
            )

    def _parts(self, inbox: Inbox, messengers: dict[str, Messenger], bucket: Bucket, transfer: Transfer) -> _Parts:
        config = self._config
        outboxes: list[Outbox] = []

        def show(chat: Chat, upload: str) -> None:
            for outbox in outboxes:
                outbox.show_progress(chat, upload)

        slots = UploadSlots(
            inbox.uploads,
            transfer,
            bucket,
            messengers,
            slots=config.uploads.concurrent_uploads,
            max_file_size=config.limits.max_file_size,
            progress_interval=config.uploads.progress_interval,
            show=show,
            on_conflict=config.names.on_conflict,
            retries=self._patience.document,
            outages=self._patience.outage,
        )
        inbox.when_cancelled(slots.cancel)
        chores = Chores(
            inbox.files,
            inbox.uploads,
            bucket,
            slots.keys,
            slots.store,
            ask_timeout=config.names.ask_timeout,
            retries=self._patience.document,
        )
        page_sizes = {name: list_size(messenger.capabilities) for name, messenger in messengers.items()}
        shelf = Shelf(bucket, inbox.files, int(config.links.lifetime), page_sizes)
        for messenger in messengers.values():
            outboxes.append(self._outbox(messenger, inbox, slots))
            inbox.when_something_to_say(outboxes[-1].serve)
        claims = trio.open_memory_channel[Claim](config.queue.capacity)
        documents = trio.open_memory_channel[UploadClaim](0)
        rules = Rules(
            config.access,
            rename=config.names.rename,
            key=config.names.key,
            files_per_day=config.limits.files_per_day,
            bytes_per_day=config.limits.bytes_per_day,
        )
        return _Parts(
            pollers=[Poller(m, inbox.updates, claims[0].clone(), self._patience.polling) for m in messengers.values()],
            workers=[
                Worker(inbox.updates, messengers, rules, shelf, self._patience.outage)
                for _ in range(config.worker.concurrent_workers)
            ],
            slots=slots,
            chores=chores,
            outboxes=outboxes,
            claims=claims,
            documents=documents,
        )

    def _outbox(self, messenger: Messenger, inbox: Inbox, slots: UploadSlots) -> Outbox:
        limits = self._config.accounts[messenger.name]
        return Outbox(
            messenger,
            inbox.messages,
            budget=at_most(limits.messages_per_second, 1),
            budgets=Budgets(
                chat_messages_per_second=limits.chat_messages_per_second,
                group_messages_per_minute=limits.group_messages_per_minute,
            ),
            progress_interval=self._config.uploads.progress_interval,
            sample=slots.sample,
            renaming=self._config.names.rename,
            pauses=self._patience.speaking,
        )

    async def _run_nurseries(self, parts: _Parts, stop: trio.Event, task_status: trio.TaskStatus[None]) -> None:
        grace = self._config.stop.grace_period
        async with trio.open_nursery() as speaking:
            speaking.start_soon(log_exceptions(canary.watch), self._config.log.canary)
            for outbox in parts.outboxes:
                speaking.start_soon(log_exceptions(outbox.run))
            async with trio.open_nursery() as working:
                self._start_working(working, parts)
                async with trio.open_nursery() as taking:
                    self._start_taking(taking, parts)
                    log.info("ready")
                    task_status.started()
                    await stop.wait()
                    log.info("stopping", grace_period=grace)
                    working.cancel_scope.deadline = trio.current_time() + grace * (1 - FLUSH)
                    taking.cancel_scope.cancel(reason="a stop was asked for")
            with trio.move_on_after(grace * FLUSH):
                for outbox in parts.outboxes:
                    await outbox.until_all_is_said()
            speaking.cancel_scope.cancel(reason="all is said, or the grace period is over")

    def _start_working(self, nursery: trio.Nursery, parts: _Parts) -> None:
        """Each task gets a clone of its channel's receiving end, which it closes."""
        with parts.claims[1] as claims, parts.documents[1] as documents:
            for worker in parts.workers:
                nursery.start_soon(log_exceptions(worker.run), claims.clone())
            for _ in range(self._config.uploads.concurrent_uploads):
                nursery.start_soon(log_exceptions(parts.slots.slot), documents.clone())

    def _start_taking(self, nursery: trio.Nursery, parts: _Parts) -> None:
        with parts.claims[0]:
            for poller in parts.pollers:
                nursery.start_soon(log_exceptions(poller.run))
        nursery.start_soon(log_exceptions(parts.slots.feed), parts.documents[0])
        nursery.start_soon(log_exceptions(parts.chores.run))


@asynccontextmanager
async def open_messengers(config: BotConfig, patience: Patience) -> AsyncIterator[dict[str, Messenger]]:
    """The accounts that are switched on, by the messenger's name."""
    common = (config.network.proxy, patience.timeouts)
    messengers: dict[str, Messenger] = {}
    async with AsyncExitStack() as stack:
        if config.telegram is not None:
            messengers["telegram"] = await stack.enter_async_context(open_telegram(config.telegram, *common))
        if config.vk is not None:
            messengers["vk"] = await stack.enter_async_context(open_vk(config.vk, *common))
        yield messengers


@asynccontextmanager
async def open_bucket(config: BotConfig, patience: Patience) -> AsyncIterator[Bucket]:
    """The bucket, with threads for all parts that may be on their way at the same time."""
    threads = config.uploads.concurrent_uploads * UPLOADERS
    bucket = _bucket(config.s3, config.network, patience, threads=threads)
    try:
        yield bucket
    finally:
        bucket.close()


def _bucket(s3: S3Config, network: NetworkConfig, patience: Patience, *, threads: int) -> Bucket:
    return Bucket(
        s3.bucket,
        endpoint_url=s3.endpoint_url,
        public_endpoint_url=s3.public_endpoint_url,
        region=s3.region,
        access_key_id=s3.aws_access_key_id,
        secret_access_key=s3.aws_secret_access_key,
        checksums=s3.request_checksum_calculation,
        proxy=network.proxy,
        threads=threads,
        connect_timeout=patience.timeouts.connect,
        read_timeout=patience.timeouts.store,
        pauses=patience.reading,
    )


def _transfer(uploads: UploadsConfig, bucket: Bucket, pools: Pools) -> Transfer:
    memory = MemoryBudget(uploads.memory_limit, uploads.part_size)
    return Transfer(bucket, memory, pools, trio.CapacityLimiter(uploads.concurrent_uploads))


async def _announce_commands(messenger: Messenger) -> None:
    """Fill the messenger's menu; without it the bot works all the same."""
    languages = texts.LANGUAGES
    commands = [Command(name, {lang: text.of(lang) for lang in languages}) for name, text in texts.COMMANDS.items()]
    try:
        await messenger.announce(tuple(commands))
    except MessengerError as error:
        log.warning("the menu of commands could not be set", messenger=messenger.name, error=str(error))


async def _cancel_when(event: trio.Event, scope: trio.CancelScope) -> None:
    await event.wait()
    scope.cancel(reason="a stop was asked for")
