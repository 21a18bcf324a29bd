"""The checks at start: is the token good, is the bucket there and writable; before anything is polled."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

import stamina
import structlog

from trio_s3_bot.bucket import Bucket, Probe, probe_key
from trio_s3_bot.errors import (
    CheckFailed,
    MessengerError,
    OperatorNeeded,
    OutOfOrder,
    PollConflict,
    RetryAfter,
    StoreUnavailable,
    TokenRefused,
    Unavailable,
)
from trio_s3_bot.inbox import Probes
from trio_s3_bot.messengers.base import Account, Messenger
from trio_s3_bot.patience import SHIPPED, Pauses

T = TypeVar("T")

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the table that `--check` prints. `good` is `None` for what works, but deserves a look."""

    what: str
    good: bool | None
    detail: str


async def check_messenger(messenger: Messenger) -> Account:
    """
    Ask who the bot is. Raises `CheckFailed` for what a restart can't cure, `Unavailable` for what passes.
    """
    try:
        account = await _account_of(messenger)
    except CheckFailed as error:
        raise CheckFailed(f"{messenger.name}: {error.what}", error.advice, about=error.about) from error.__cause__
    fatal = [remark for remark in account.remarks if remark.fatal]
    if fatal:
        more = f"There is more to mend ({len(fatal) - 1}); --check tells all." if fatal[1:] else ""
        raise CheckFailed(f"{messenger.name}: {fatal[0].text}", more, about=fatal[0].about)
    return account


async def _account_of(messenger: Messenger) -> Account:
    """The account with all remarks. Raises as `check_messenger` does, without saying which messenger it is."""
    try:
        return await messenger.check()
    except TokenRefused as error:
        raise CheckFailed(
            f"The token is not accepted ({error}).",
            f"Put the right one into [{messenger.name}] token, or into TRIO_S3_BOT_{messenger.name.upper()}_TOKEN.",
            about="token",
        ) from error
    except PollConflict as error:
        raise CheckFailed(
            f"{_capitalized(str(error))}, so its updates go there.",
            error.advice or "Stop the other program, or use another bot.",
            about="updates",
        ) from error
    except OperatorNeeded as error:
        raise CheckFailed(f"The bot is refused: {error.what}.", error.advice) from error
    except Unavailable:
        raise
    except MessengerError as error:
        advice = f"Correct the settings in [{messenger.name}]."
        raise CheckFailed(f"The bot is refused: {error}.", advice) from error


def _capitalized(text: str) -> str:
    return text[:1].upper() + text[1:]


async def check_bucket(bucket: Bucket, probes: Probes) -> Probe:
    """
    Check the bucket under a name that is on record meanwhile: what a killed check left goes with the next one.

    Raises what `Bucket.check` raises.
    """
    fresh = probe_key()
    key = await probes.begin(fresh)
    probe = await bucket.check(key, again=key != fresh)
    if not probe.left_behind:
        await probes.end()
    return probe


async def all_findings(messengers: Iterable[Messenger], bucket: Bucket) -> list[Finding]:
    """Everything that `--check` can tell, whatever fails on the way."""
    findings: list[Finding] = []
    for messenger in messengers:
        findings += await _messenger_findings(messenger)
    return findings + await _check_bucket(bucket)


async def waited_out(
    what: str, address: str, check: Callable[[], Awaitable[T]], *, patient: bool, pauses: Pauses = SHIPPED.polling
) -> T:
    """
    Run a check; with `patient`, wait out what passes by itself, however long it takes and with the pauses asked for.

    Without, that raises `CheckFailed`: at a first start, something out of reach is more likely misspelt than down.
    `address` is the setting that says where `what` is.
    """
    async for attempt in stamina.retry_context(
        on=_passes,
        attempts=None,
        timeout=None,
        wait_initial=pauses.first,
        wait_max=pauses.longest,
        wait_jitter=pauses.first,
    ):
        with attempt:
            try:
                result = await check()
            except (Unavailable, StoreUnavailable) as error:
                if not patient:
                    raise _not_waited_for(what, address, error) from error
                event = "out of reach at start; trying again"
                log.warning(event, what=what, error=str(error))
                raise
    return result


def _not_waited_for(what: str, address: str, error: Unavailable | StoreUnavailable) -> CheckFailed:
    """What to make of something that would pass by itself, as far as one can tell."""
    if isinstance(error, RetryAfter):
        advice = f"Start again in {error.seconds:.0f} s, at the earliest."
        return CheckFailed(f"{what} asks for a pause: {error}.", advice)
    if isinstance(error, OutOfOrder):
        return CheckFailed(f"{what} is out of order: {error}.", "Start again later.")
    return CheckFailed(f"{what} can't be reached: {error}.", f"Check the network, and the address in {address}.")


def _passing(address: str, error: Unavailable | StoreUnavailable) -> str:
    """The same in a table, where what it is about stands before."""
    return str(_not_waited_for("It", address, error))


def _passes(error: Exception) -> bool | float:
    """Whether to try again, or after how many seconds."""
    return error.seconds if isinstance(error, RetryAfter) else isinstance(error, (Unavailable, StoreUnavailable))


async def _messenger_findings(messenger: Messenger) -> list[Finding]:
    try:
        account = await _account_of(messenger)
    except CheckFailed as error:
        return [Finding(f"{messenger.name}: {error.about or 'settings'}", False, str(error))]
    except Unavailable as error:
        return [Finding(f"{messenger.name}: service", False, _passing(f"[{messenger.name}] api_url", error))]
    remarks = [Finding(f"{messenger.name}: {r.about}", False if r.fatal else None, r.text) for r in account.remarks]
    return [Finding(f"{messenger.name}: token", True, f"it is {account.name}"), *remarks]


async def _check_bucket(bucket: Bucket) -> list[Finding]:
    try:
        probe = await bucket.check()
    except CheckFailed as error:
        return [Finding("s3: bucket", False, str(error))]
    except StoreUnavailable as error:
        return [Finding("s3: service", False, _passing("[s3] endpoint_url", error))]
    return bucket_findings(probe)


def bucket_findings(probe: Probe) -> list[Finding]:
    """What the check of the bucket found, with what the operator should look at marked."""
    conditional = probe.conditions_on_put and probe.conditions_on_complete
    doubtful = {"existing files are kept"} if not conditional else set()
    doubtful |= {"could not be removed"}
    return [Finding(f"s3: {what}", None if what in doubtful else True, detail) for what, detail in probe.lines()]
