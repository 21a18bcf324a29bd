"""The parts that the nurseries run, made as the settings say and connected with each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import trio

from trio_s3_bot.bucket import Bucket
from trio_s3_bot.budgets import Budgets, at_most
from trio_s3_bot.chores import Chores
from trio_s3_bot.config import BotConfig
from trio_s3_bot.conversation import Rules
from trio_s3_bot.inbox import Claim, Inbox, UploadClaim
from trio_s3_bot.messengers.base import Messenger
from trio_s3_bot.model import Chat
from trio_s3_bot.outbox import Outbox
from trio_s3_bot.patience import Patience
from trio_s3_bot.phrasing import list_size
from trio_s3_bot.poller import Poller
from trio_s3_bot.shelf import Shelf
from trio_s3_bot.transfer import Transfer
from trio_s3_bot.uploads import UploadSlots
from trio_s3_bot.worker import Worker

Claims = tuple[trio.MemorySendChannel[Claim], trio.MemoryReceiveChannel[Claim]]
Documents = tuple[trio.MemorySendChannel[UploadClaim], trio.MemoryReceiveChannel[UploadClaim]]


@dataclass(frozen=True, slots=True)
class Parts:
    """What the nurseries run; a poller and an outbox for each messenger, by its name."""

    pollers: dict[str, Poller]
    workers: list[Worker]
    slots: UploadSlots
    chores: Chores
    outboxes: dict[str, Outbox]
    claims: Claims
    documents: Documents


class Maker:
    """Makes the parts of one bot around what is open already."""

    def __init__(
        self,
        config: BotConfig,
        patience: Patience,
        inbox: Inbox,
        messengers: Mapping[str, Messenger],
        bucket: Bucket,
        transfer: Transfer,
    ) -> None:
        self._config = config
        self._patience = patience
        self._inbox = inbox
        self._messengers = messengers
        self._bucket = bucket
        self._transfer = transfer
        self._outboxes: dict[str, Outbox] = {}

    def parts(self) -> Parts:
        """All of them; to be called once."""
        slots = self._slots()
        for name, messenger in self._messengers.items():
            self._outboxes[name] = self._outbox(messenger, slots)
            self._inbox.when_something_to_say(self._outboxes[name].serve)
        claims = trio.open_memory_channel[Claim](self._config.queue.capacity)
        return Parts(
            pollers={name: self._poller(messenger, claims[0]) for name, messenger in self._messengers.items()},
            workers=self._workers(),
            slots=slots,
            chores=self._chores(slots),
            outboxes=self._outboxes,
            claims=claims,
            documents=trio.open_memory_channel[UploadClaim](0),
        )

    def _show(self, chat: Chat, upload: str) -> None:
        self._outboxes[chat.messenger].show_progress(chat, upload)

    def _slots(self) -> UploadSlots:
        slots = UploadSlots(
            self._inbox.uploads,
            self._transfer,
            self._bucket,
            self._messengers,
            slots=self._config.uploads.concurrent_uploads,
            max_file_size=self._config.limits.max_file_size,
            progress_interval=self._config.uploads.progress_interval,
            show=self._show,
            on_conflict=self._config.names.on_conflict,
            retries=self._patience.document,
            outages=self._patience.outage,
        )
        self._inbox.when_cancelled(slots.cancel)
        return slots

    def _chores(self, slots: UploadSlots) -> Chores:
        return Chores(
            self._inbox.files,
            self._inbox.uploads,
            self._bucket,
            slots.keys,
            slots.store,
            ask_timeout=self._config.names.ask_timeout,
            retries=self._patience.document,
        )

    def _poller(self, messenger: Messenger, claims: trio.MemorySendChannel[Claim]) -> Poller:
        return Poller(messenger, self._inbox.updates, claims.clone(), self._patience.polling)

    def _workers(self) -> list[Worker]:
        page_sizes = {name: list_size(messenger.capabilities) for name, messenger in self._messengers.items()}
        shelf = Shelf(self._bucket, self._inbox.files, int(self._config.links.lifetime), page_sizes)
        rules, pauses = self._rules(), self._patience.outage
        workers = range(self._config.worker.concurrent_workers)
        return [Worker(self._inbox.updates, self._messengers, rules, shelf, pauses) for _ in workers]

    def _rules(self) -> Rules:
        return Rules(
            self._config.access,
            rename=self._config.names.rename,
            key=self._config.names.key,
            files_per_day=self._config.limits.files_per_day,
            bytes_per_day=self._config.limits.bytes_per_day,
        )

    def _outbox(self, messenger: Messenger, slots: UploadSlots) -> Outbox:
        limits = self._config.accounts[messenger.name]
        return Outbox(
            messenger,
            self._inbox.messages,
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
