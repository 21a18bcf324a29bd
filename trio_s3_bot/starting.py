"""The start: who the bot is in each messenger, and whether the bucket is in order, before anything is polled."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path

import structlog
import trio

from trio_s3_bot import checks, texts
from trio_s3_bot.bucket import Bucket
from trio_s3_bot.errors import CheckFailed, MessengerError, RetryAfter, Unavailable
from trio_s3_bot.inbox import Inbox, once_readable
from trio_s3_bot.messengers.base import Account, Command, Messenger
from trio_s3_bot.patience import Pauses

Late = Mapping[str, Callable[[], Awaitable[None]]]
"""What is left to be checked, by messenger: each waits until the messenger is there. Raises `CheckFailed`."""

log = structlog.get_logger()


class Start:
    """
    The checks of a start. What is out of reach is waited out if there is unfinished work, with `pauses` between tries.

    Of several messengers one that has worked before, or that such work may be for, keeps nobody waiting: it comes late.
    """

    def __init__(
        self, inbox: Inbox, messengers: Mapping[str, Messenger], bucket: Bucket, state_path: Path, pauses: Pauses
    ) -> None:
        self._inbox = inbox
        self._messengers = messengers
        self._bucket = bucket
        self._state_path = state_path
        self._pauses = pauses

    async def check(self) -> Late:
        """Check everything; gives the messengers that come late. Raises `CheckFailed` and `StateError`."""
        patient = await self._inbox.has_unfinished_work()
        accounts, late = dict[str, Account](), dict[str, Callable[[], Awaitable[None]]]()
        for name, messenger in self._messengers.items():
            try:
                accounts[name] = await self._account(messenger, patient=patient)
            except Unavailable as error:
                late[name] = partial(self._come_late, messenger, error)
            else:
                await self._introduce(messenger, accounts[name])
        await self._check_bucket(patient=patient)
        # Not before all is well: with what was wrong, the token may be replaced.
        for name, account in accounts.items():
            await self._inbox.accounts.record(name, account.id)
        await self._settle()
        return late

    async def _account(self, messenger: Messenger, *, patient: bool) -> Account:
        """Raises `Unavailable` if it may come late."""
        has_worked = await self._inbox.accounts.of(messenger.name) is not None
        if len(self._messengers) > 1 and (has_worked or patient):
            return await checks.check_messenger(messenger)
        return await self._waited_for(messenger, patient=patient)

    async def _waited_for(self, messenger: Messenger, *, patient: bool) -> Account:
        check, address = partial(checks.check_messenger, messenger), f"[{messenger.name}] api_url"
        return await checks.waited_out(messenger.name, address, check, patient=patient, pauses=self._pauses)

    async def _come_late(self, messenger: Messenger, error: Unavailable) -> None:
        pause = error.seconds if isinstance(error, RetryAfter) else self._pauses.first
        event = "out of reach at start; the bot begins without it"
        log.warning(event, what=messenger.name, error=str(error), pause=round(pause, 1))
        await trio.sleep(pause)
        account = await self._waited_for(messenger, patient=True)
        await once_readable(partial(self._introduce, messenger, account))
        await once_readable(partial(self._inbox.accounts.record, messenger.name, account.id))

    async def _introduce(self, messenger: Messenger, account: Account) -> None:
        """Make sure that the state is this account's, and fill the messenger's menu."""
        await self._recognize(messenger, account)
        log.info("messenger is ready", messenger=messenger.name, account=account.name)
        for remark in account.remarks:
            log.warning(remark.text, messenger=messenger.name)
        await _announce_commands(messenger)

    async def _recognize(self, messenger: Messenger, account: Account) -> None:
        """Another account's ids and cursors would be taken for this one's."""
        known = await self._inbox.accounts.of(messenger.name)
        if known not in (None, account.id):
            raise CheckFailed(
                f"{self._state_path}: this is the state of another bot in {messenger.name}, number {known}, and "
                f"the token belongs to {account.name}, number {account.id}.",
                "Set [state] path to another file, or take the old token back.",
            )

    async def _check_bucket(self, *, patient: bool) -> None:
        check = partial(checks.check_bucket, self._bucket, self._inbox.probes)
        address = "[s3] endpoint_url"
        probe = await checks.waited_out("the S3 store", address, check, patient=patient, pauses=self._pauses)
        for finding in checks.bucket_findings(probe):
            log.log(logging.INFO if finding.good else logging.WARNING, finding.detail, what=finding.what)

    async def _settle(self) -> None:
        before = await self._inbox.place.settle(self._bucket.name)
        if before is not None:
            event = "the bucket is another one than before; uploads that were begun may have left parts in the old one"
            log.warning(event, before=before, now=self._bucket.name)


async def _announce_commands(messenger: Messenger) -> None:
    """Fill the messenger's menu; without it the bot works all the same."""
    languages = texts.LANGUAGES
    commands = [Command(name, {lang: text.of(lang) for lang in languages}) for name, text in texts.COMMANDS.items()]
    try:
        await messenger.announce(tuple(commands))
    except MessengerError as error:
        log.warning("the menu of commands could not be set", messenger=messenger.name, error=str(error))
