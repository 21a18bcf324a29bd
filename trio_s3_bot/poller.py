"""
One poller for each messenger account: poll, commit to the inbox, acknowledge by the next poll, offer to the workers.

No business logic: what an update means is none of its concern.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from functools import partial

import structlog
import trio

from trio_s3_bot.errors import MessengerError, OperatorNeeded, PollConflict, RetryAfter, StateError, TokenRefused
from trio_s3_bot.inbox import Claim, Updates, once_readable
from trio_s3_bot.messengers.base import Batch, Messenger
from trio_s3_bot.patience import SHIPPED, Pauses
from trio_s3_bot.utils import log_exceptions

ANOTHER_POLLER = 3  # conflicts in a row after which it isn't just our own poll from before a restart
AT_LEAST = 1  # seconds between two polls when the first one brought nothing new: a server may not wait as it should

log = structlog.get_logger()


class Poller:
    """
    Takes updates from `messenger` and puts them into the queue.

    The queue is the inbox; `channel`, bounded, is a window over it. So a full channel stops only the feeding, while
    polling goes on as long as there is room on the disk. `pauses` are those between polls while something is out of
    order.
    """

    def __init__(
        self,
        messenger: Messenger,
        updates: Updates,
        channel: trio.MemorySendChannel[Claim],
        pauses: Pauses = SHIPPED.polling,
    ) -> None:
        self._messenger = messenger
        self._updates = updates
        self._channel = channel
        self._pauses = pauses
        self._failures = 0
        self._conflicts = 0

    async def run(self, there: Callable[[], Awaitable[None]] = trio.lowlevel.checkpoint) -> None:
        """Poll and feed until cancelled, as soon as the messenger is `there`."""
        async with self._channel:
            await there()
            async with trio.open_nursery() as nursery:
                nursery.start_soon(log_exceptions(self._poll))
                nursery.start_soon(log_exceptions(self._feed))

    async def _poll(self) -> None:
        cursor = await once_readable(partial(self._updates.cursor, self._messenger.name))
        while True:
            begun = trio.current_time()
            try:
                batch = await self._messenger.poll(cursor)
                await self._updates.store(self._messenger.name, batch)
            except (MessengerError, StateError) as error:
                await self._pause(error)
            else:
                # Only now: the next poll with this cursor tells the messenger to forget the batch.
                stuck = batch.cursor == cursor
                await self._after(batch, stuck=stuck)
                cursor = batch.cursor
                if stuck:
                    await trio.sleep_until(begun + AT_LEAST)

    async def _feed(self) -> None:
        while True:
            claim = await once_readable(partial(self._updates.claim, self._messenger.name))
            await self._channel.send(claim)

    async def _after(self, batch: Batch, *, stuck: bool) -> None:
        for skipped in batch.skipped:
            log.warning(
                "an update of unknown shape is passed over",
                messenger=self._messenger.name,
                update_id=skipped.update_id,
                why=skipped.why,
            )
        if batch.skipped and stuck:
            # Not even an id to acknowledge: the same batch will come again, so don't ask for it in a tight loop.
            await trio.sleep(self._pauses.longest)
        if self._failures:
            log.info("polling works again", messenger=self._messenger.name, after_failures=self._failures)
        self._failures = self._conflicts = 0

    async def _pause(self, error: MessengerError | StateError) -> None:
        self._failures += 1
        self._conflicts = self._conflicts + 1 if isinstance(error, PollConflict) else 0
        pause = self._pauses.after(self._failures) * random.uniform(0.7, 1.3)
        if isinstance(error, RetryAfter):
            pause = max(pause, error.seconds)
        event = _meaning(error, self._conflicts)
        log.warning(event, messenger=self._messenger.name, error=str(error), pause=round(pause, 1))
        await trio.sleep(pause)


def _meaning(error: MessengerError | StateError, conflicts: int) -> str:
    """What the operator should make of a failed poll."""
    if isinstance(error, PollConflict) and error.advice:
        return f"the bot's updates go elsewhere, so none come here. {error.advice}"
    if isinstance(error, PollConflict) and conflicts >= ANOTHER_POLLER:
        return "another program polls with this token; stop it, or it takes this bot's updates"
    if isinstance(error, OperatorNeeded):
        return "the messenger refuses to be polled until its operator acts"
    if isinstance(error, TokenRefused):
        return "the messenger doesn't accept the token any more; put in the new one and restart"
    if isinstance(error, StateError):
        return "the state can't be written; no updates are taken until it can"
    return "polling failed; trying again"
