"""Workers: take an update, run the conversation on it, commit what it leads to."""

from __future__ import annotations

import random
from collections.abc import Mapping

import structlog
import trio

from trio_s3_bot import conversation, texts
from trio_s3_bot.config import WorkerConfig
from trio_s3_bot.conversation import AnswerPress, Decision, Rules
from trio_s3_bot.errors import (
    MessageGone,
    MessengerError,
    OperatorNeeded,
    RetryAfter,
    StateError,
    TokenRefused,
    Unavailable,
)
from trio_s3_bot.inbox import STATE_PAUSE, Claim, Updates
from trio_s3_bot.messengers.base import Messenger
from trio_s3_bot.model import Chat, Press
from trio_s3_bot.patience import SHIPPED, Pauses
from trio_s3_bot.shelf import Shelf

__all__ = ["Worker", "WorkerConfig"]

MOST_FAILURES = 3  # an update that fails so often is set aside
MOST_FETCHES = 24  # attempts to get a cropped one whole in an outage, in about one and a half hours as shipped
MOST_REFUSALS = 6  # the same, if that is refused: a minute
ANSWERED_WITHIN = 2  # seconds until a worker, who serves the people of all messengers, has answered a press or given up
UNRECORDED_PAUSE = 0.25  # seconds between two looks whether it is on record by now what a message replies to
UNRECORDED_FOR = 20  # seconds from its date that a message waits for that: as long as a request may take, and some

log = structlog.get_logger()


class Worker:
    """
    One of `WorkerConfig.concurrent_workers` equal tasks. It never carries a document's bytes.

    `pauses` are those between attempts to get a cropped message whole. Its chat alone waits for it.
    """

    def __init__(
        self,
        updates: Updates,
        messengers: Mapping[str, Messenger],
        rules: Rules,
        shelf: Shelf | None = None,
        pauses: Pauses = SHIPPED.outage,
    ) -> None:
        self._updates = updates
        self._shelf = shelf
        self._messengers = messengers
        self._rules = rules
        self._pauses = pauses

    async def run(self, claims: trio.MemoryReceiveChannel[Claim]) -> None:
        """Handle one update after the other, until no more come."""
        async with claims:
            async for claim in claims:
                await self._handle(claim)

    async def _handle(self, claim: Claim) -> None:
        """Whatever is wrong with an update, it doesn't end the worker."""
        try:
            if claim.update.cropped and await self._gets_whole(claim):
                return
            if claim.facts.unrecorded and abs(claim.facts.now - claim.update.date) < UNRECORDED_FOR:
                self._updates.give_back(claim, pause=UNRECORDED_PAUSE)
                return
            decision = self._decide(claim)
            await self._answer_presses(claim.update.chat, decision)
            if self._shelf is not None:
                decision = await self._shelf.prepared(claim.update.chat, decision)
            await self._updates.finish(claim, decision)
        except StateError as error:
            await self._wait_for_state(claim, error)
        except Exception as error:
            log.exception(
                "an update could not be handled", update_id=claim.update.update_id, chat=claim.update.chat.key
            )
            await self._record_failure(claim, error)

    async def _gets_whole(self, claim: Claim) -> bool:
        """
        Get what was left out of an update, now or later; false when there is no more to be had.

        In any case it comes up again: what has to be known about it depends on what is in it.
        """
        chat = claim.update.chat
        try:
            whole = await self._messengers[chat.messenger].whole(claim.update)
        except (OperatorNeeded, TokenRefused) as error:
            log.error("a message can't be fetched whole; its chat waits", chat=chat.key, error=str(error))
            self._updates.give_back(claim, pause=self._pauses.longest)
        except Unavailable as error:
            return await self._rests(claim, error, MOST_FETCHES)
        except MessageGone as error:
            log.warning("a message can't be fetched whole", chat=chat.key, error=str(error))
            return False
        except MessengerError as error:
            # What is refused now may be granted later, and there may be a document in it.
            return await self._rests(claim, error, MOST_REFUSALS)
        else:
            await self._updates.complete(claim, whole)
        return True

    async def _rests(self, claim: Claim, error: MessengerError, most: int) -> bool:
        """Let a chat wait whose update can't be got whole now; false when that has been tried `most` times."""
        failures = claim.failures + 1
        if failures >= most:
            return False
        pause = self._pauses.after(failures) * random.uniform(0.7, 1.0)
        if isinstance(error, RetryAfter):
            pause = max(pause, error.seconds)
        event = "a message can't be fetched whole; its chat waits"
        log.warning(event, chat=claim.update.chat.key, tries=failures, pause=round(pause, 1), error=str(error))
        await self._updates.fail(claim, str(error), pause=pause)
        return True

    def _decide(self, claim: Claim) -> Decision:
        if claim.failures < MOST_FAILURES and not claim.update.cropped:
            if claim.trouble is not None:
                raise claim.trouble
            return conversation.decide(claim.state, claim.update, self._rules, claim.facts)
        event = "an update failed again and again and is set aside"
        log.error(event, update_id=claim.update.update_id, chat=claim.update.chat.key)
        return conversation.give_up(claim.state, claim.update)

    async def _answer_presses(self, chat: Chat, decision: Decision) -> None:
        """A press is answered before anything else: its spinner turns until then, and messengers soon forget it."""
        for effect in decision.effects:
            if isinstance(effect, AnswerPress):
                await self._answer(chat, effect.press, texts.toast(effect.toast.name, decision.state.language))

    async def _answer(self, chat: Chat, press: Press, text: str) -> None:
        """What is decided is done in any case; a messenger that doesn't react holds no worker up for long."""
        try:
            with trio.fail_after(ANSWERED_WITHIN):
                await self._messengers[chat.messenger].answer(chat, press, text)
        except trio.TooSlowError:
            log.info("a button press could not be answered in time", chat=chat.key, within=ANSWERED_WITHIN)
        except MessengerError as error:
            log.info("a button press could not be answered", chat=chat.key, error=str(error))

    async def _record_failure(self, claim: Claim, error: Exception) -> None:
        # What can't even be given up would come up again at once, for ever.
        end = self._updates.fail if claim.failures < MOST_FAILURES else self._updates.set_aside
        try:
            await end(claim, f"{type(error).__name__}: {error}")
        except StateError as unwritable:
            await self._wait_for_state(claim, unwritable)

    async def _wait_for_state(self, claim: Claim, error: StateError) -> None:
        log.error("the state can't be written; the update waits", update_id=claim.update.update_id, error=str(error))
        await trio.sleep(STATE_PAUSE)
        self._updates.give_back(claim)
