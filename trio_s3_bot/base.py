"""
The bot: opens everything, has it checked, opens the long-lived nurseries, owns stop and drain.

Shutdown is the nesting of the nurseries, outermost last:

    outbox and canary
    └── workers and upload slots
        └── pollers and the feeding of the slots: what takes in new work

A stop cancels the innermost one. That closes the channels' sending ends; workers and slots finish what they have until
their deadline; then what is composed is sent; then all is over. Whatever is unfinished stands in the inbox.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from types import MappingProxyType

import structlog
import trio

from trio_s3_bot import canary, checks
from trio_s3_bot.bucket import Bucket
from trio_s3_bot.config import BotConfig, NetworkConfig, S3Config, UploadsConfig
from trio_s3_bot.inbox import Inbox, open_inbox
from trio_s3_bot.memory import MemoryBudget
from trio_s3_bot.messengers.base import Messenger
from trio_s3_bot.messengers.telegram import open_telegram
from trio_s3_bot.messengers.vk import open_vk
from trio_s3_bot.parts import Maker, Parts
from trio_s3_bot.patience import SHIPPED, Patience
from trio_s3_bot.source import Pools
from trio_s3_bot.starting import Late, Start
from trio_s3_bot.transfer import UPLOADERS, Transfer
from trio_s3_bot.utils import log_exceptions

__all__ = ["Bot", "BotConfig"]

FLUSH = 0.25  # the share of the grace period that is kept for sending what is composed

log = structlog.get_logger()


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
            start = Start(inbox, messengers, bucket, self._config.state.path, self._patience.polling)
            late = await self._checked(stop, start)
            if late is None:
                return
            connections = self._config.uploads.concurrent_uploads
            pools = Pools(self._config.network.proxy, connections, self._patience.timeouts)
            stack.callback(pools.close)
            transfer = _transfer(self._config.uploads, bucket, pools)
            await self.serve(inbox, messengers, bucket, transfer, stop, late, task_status=task_status)
        log.info("stopped")

    async def serve(
        self,
        inbox: Inbox,
        messengers: dict[str, Messenger],
        bucket: Bucket,
        transfer: Transfer,
        stop: trio.Event,
        late: Late = MappingProxyType({}),
        *,
        task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """What `run` does once everything is open and checked, but for the messengers that come late."""
        parts = Maker(self._config, self._patience, inbox, messengers, bucket, transfer).parts()
        await self._run_nurseries(parts, late, stop, task_status)

    async def _checked(self, stop: trio.Event, start: Start) -> Late | None:
        """Run the checks; `None` when a stop came meanwhile."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_cancel_when, stop, nursery.cancel_scope)
            late = await start.check()
            nursery.cancel_scope.cancel()
        if self._config.access.everybody:
            log.warning("everybody may use this bot; set [access] allowed_users to let in some people only")
        return None if stop.is_set() else late

    async def _run_nurseries(
        self, parts: Parts, late: Late, stop: trio.Event, task_status: trio.TaskStatus[None]
    ) -> None:
        grace = self._config.stop.grace_period
        there = {name: trio.Event() for name in parts.pollers}
        async with trio.open_nursery() as speaking:
            self._start_speaking(speaking, parts, there)
            async with trio.open_nursery() as working:
                self._start_working(working, parts)
                async with trio.open_nursery() as taking:
                    self._start_taking(taking, parts, there)
                    for name, event in there.items():
                        taking.start_soon(_come, late.get(name), event)
                    log.info("ready")
                    task_status.started()
                    await stop.wait()
                    log.info("stopping", grace_period=grace)
                    working.cancel_scope.deadline = trio.current_time() + grace * (1 - FLUSH)
                    taking.cancel_scope.cancel(reason="a stop was asked for")
            with trio.move_on_after(grace * FLUSH):
                for name, outbox in parts.outboxes.items():
                    if there[name].is_set():
                        await outbox.until_all_is_said()
            speaking.cancel_scope.cancel(reason="all is said, or the grace period is over")

    def _start_speaking(self, nursery: trio.Nursery, parts: Parts, there: Mapping[str, trio.Event]) -> None:
        nursery.start_soon(log_exceptions(canary.watch), self._config.log.canary)
        for name, outbox in parts.outboxes.items():
            nursery.start_soon(log_exceptions(outbox.run), there[name].wait)

    def _start_working(self, nursery: trio.Nursery, parts: Parts) -> None:
        """Each task gets a clone of its channel's receiving end, which it closes."""
        with parts.claims[1] as claims, parts.documents[1] as documents:
            for worker in parts.workers:
                nursery.start_soon(log_exceptions(worker.run), claims.clone())
            for _ in range(self._config.uploads.concurrent_uploads):
                nursery.start_soon(log_exceptions(parts.slots.slot), documents.clone())

    def _start_taking(self, nursery: trio.Nursery, parts: Parts, there: Mapping[str, trio.Event]) -> None:
        with parts.claims[0]:
            for name, poller in parts.pollers.items():
                nursery.start_soon(log_exceptions(poller.run), there[name].wait)
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


async def _come(late: Callable[[], Awaitable[None]] | None, there: trio.Event) -> None:
    """Tell when a messenger is there."""
    if late is not None:
        await late()
    there.set()


async def _cancel_when(event: trio.Event, scope: trio.CancelScope) -> None:
    await event.wait()
    scope.cancel(reason="a stop was asked for")
