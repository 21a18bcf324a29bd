"""Promise 1 and its like: what the poller does when the messenger, or the disk, does not do what it should."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise

import pytest
import trio
from structlog.testing import capture_logs

from tests.time.fakes import LONG_POLL, Disk, ScriptedMessenger, inbox_on
from tests.time.scenes import DAY, person, update
from trio_s3_bot.errors import MessengerError, PollConflict, RetryAfter, TokenRefused, Unavailable
from trio_s3_bot.inbox import Claim, Inbox
from trio_s3_bot.messengers.base import Batch, Skipped
from trio_s3_bot.poller import Poller

DOWN = Unavailable("502 Bad Gateway")
OTHER = PollConflict("terminated by other getUpdates request")
WEBHOOK = PollConflict("can't use getUpdates method while webhook is active", "Delete the webhook.")
ALICE, BOB = person(1), person(2)


@asynccontextmanager
async def polling(
    inbox: Inbox, messenger: ScriptedMessenger, capacity: int = 100
) -> AsyncIterator[trio.MemoryReceiveChannel[Claim]]:
    """A poller at work while the block runs; what it takes comes out of the channel."""
    send, receive = trio.open_memory_channel[Claim](capacity)
    with trio.fail_after(DAY):
        async with receive, trio.open_nursery() as nursery:
            nursery.start_soon(Poller(messenger, inbox.updates, send).run)
            yield receive
            nursery.cancel_scope.cancel()


def pauses(messenger: ScriptedMessenger) -> list[float]:
    return [later - earlier for (earlier, _), (later, _) in pairwise(messenger.polls)]


async def test_the_next_poll_follows_at_once_and_acknowledges_what_is_committed(
    inbox: Inbox, messenger: ScriptedMessenger
) -> None:
    messenger.deliver([update(ALICE, update_id=7), update(ALICE, update_id=8)])
    async with polling(inbox, messenger) as claims:
        await claims.receive()
        await trio.sleep(2.5 * LONG_POLL)
    assert messenger.polls == [(0, None), (0, "9"), (LONG_POLL, "9"), (2 * LONG_POLL, "9")]
    assert messenger.unacknowledged == []


@pytest.mark.parametrize("error", [DOWN, OTHER, WEBHOOK, TokenRefused("401 Unauthorized")])
async def test_pauses_grow_to_a_minute_and_begin_anew_after_a_success(
    inbox: Inbox, messenger: ScriptedMessenger, error: MessengerError
) -> None:
    messenger.answers.extend([*[error] * 10, Batch((), None), error])
    async with polling(inbox, messenger):
        await trio.sleep(3600)
    nominal = [1, 2, 4, 8, 16, 32, 60, 60, 60, 60]
    assert len(messenger.polls) > 12
    for pause, expected in zip(pauses(messenger), nominal, strict=False):
        assert 0.7 * expected <= pause <= 1.3 * expected
    assert pauses(messenger)[11] <= 1.3


async def test_pauses_differ_so_that_many_bots_do_not_come_back_at_the_same_moment(
    inbox: Inbox, messenger: ScriptedMessenger
) -> None:
    messenger.answers.extend([DOWN] * 30)
    async with polling(inbox, messenger):
        await trio.sleep(3600)
    assert len({round(pause, 3) for pause in pauses(messenger)[6:]}) > 10


async def test_the_messengers_retry_after_is_kept_to_the_second(inbox: Inbox, messenger: ScriptedMessenger) -> None:
    messenger.answers.append(RetryAfter("Too Many Requests: retry after 35", 35))
    async with polling(inbox, messenger):
        await trio.sleep(36)
    assert [at for at, _ in messenger.polls] == [0, 35]


async def test_a_short_retry_after_does_not_shorten_the_pause(inbox: Inbox, messenger: ScriptedMessenger) -> None:
    messenger.answers.extend([*[DOWN] * 6, RetryAfter("Too Many Requests: retry after 1", 1)])
    async with polling(inbox, messenger):
        await trio.sleep(600)
    assert pauses(messenger)[6] >= 0.7 * 60


async def log_of(inbox: Inbox, messenger: ScriptedMessenger, *answers: Batch | Exception) -> list[tuple[str, str]]:
    """What the operator reads when polls are answered so: level and event."""
    messenger.answers.extend(answers)
    with capture_logs() as logs:
        async with polling(inbox, messenger):
            await trio.sleep(3600)
    assert all(line["messenger"] == "telegram" for line in logs)
    return [(line["log_level"], line["event"]) for line in logs]


FAILED = ("warning", "polling failed; trying again")
ANOTHER = ("warning", "another program polls with this token; stop it, or it takes this bot's updates")


async def test_an_outage_is_logged_for_each_attempt_and_when_it_is_over(
    inbox: Inbox, messenger: ScriptedMessenger
) -> None:
    assert await log_of(inbox, messenger, DOWN, DOWN) == [FAILED, FAILED, ("info", "polling works again")]


async def test_the_own_poll_from_before_a_restart_is_not_taken_for_another_program(
    inbox: Inbox, messenger: ScriptedMessenger
) -> None:
    assert await log_of(inbox, messenger, OTHER, OTHER) == [FAILED, FAILED, ("info", "polling works again")]


async def test_another_program_with_the_same_token_is_named(inbox: Inbox, messenger: ScriptedMessenger) -> None:
    assert (await log_of(inbox, messenger, *[OTHER] * 4))[2:4] == [ANOTHER, ANOTHER]


async def test_a_conflict_after_an_outage_is_not_taken_for_another_program(
    inbox: Inbox, messenger: ScriptedMessenger
) -> None:
    assert ANOTHER not in await log_of(inbox, messenger, DOWN, DOWN, DOWN, OTHER, OTHER)


async def test_a_webhook_is_named_at_once_with_what_to_do_about_it(inbox: Inbox, messenger: ScriptedMessenger) -> None:
    (level, event), *_ = await log_of(inbox, messenger, WEBHOOK)
    assert level == "warning"
    assert "go elsewhere" in event
    assert "Delete the webhook." in event


async def test_a_token_that_was_revoked_is_named(inbox: Inbox, messenger: ScriptedMessenger) -> None:
    (_, event), *_ = await log_of(inbox, messenger, TokenRefused("401 Unauthorized"))
    assert "doesn't accept the token" in event


async def test_the_pause_is_in_the_log(inbox: Inbox, messenger: ScriptedMessenger) -> None:
    messenger.answers.extend([DOWN] * 8)
    with capture_logs() as logs:
        async with polling(inbox, messenger):
            await trio.sleep(600)
    logged = [line["pause"] for line in logs if line["log_level"] == "warning"]
    assert logged == pytest.approx(pauses(messenger)[:8], abs=0.051)
    assert {line["error"] for line in logs if line["log_level"] == "warning"} == {"502 Bad Gateway"}


async def test_while_the_disk_is_full_nothing_is_acknowledged_and_polling_goes_on_once_it_is_not(
    inbox: Inbox, messenger: ScriptedMessenger, disk: Disk
) -> None:
    disk.full = True
    messenger.deliver([update(ALICE, update_id=number) for number in range(1, 6)])
    with capture_logs() as logs:
        async with polling(inbox, messenger) as claims:
            await trio.sleep_until(600)
            assert messenger.unacknowledged == ["1", "2", "3", "4", "5"]
            assert {cursor for _, cursor in messenger.polls} == {None}
            assert await inbox.updates.unfinished() == 0
            disk.full = False
            assert (await claims.receive()).update.update_id == "1"
            assert trio.current_time() <= 600 + 1.3 * 60
            await trio.sleep(1)
            assert messenger.unacknowledged == []
            assert await inbox.updates.unfinished() == 5
    assert {line["event"] for line in logs} == {
        "the state can't be written; no updates are taken until it can",
        "polling works again",
    }


async def test_updates_that_were_stored_and_not_acknowledged_are_handled_once(
    messenger: ScriptedMessenger, disk: Disk
) -> None:
    first = await inbox_on(disk)
    batch = [update(ALICE, update_id=number) for number in range(1, 4)]
    await first.updates.store("telegram", Batch(tuple(batch), "4"))
    messenger.deliver([*batch, update(ALICE, update_id=4)])
    restarted = await inbox_on(disk)
    async with polling(restarted, messenger):
        await trio.sleep(1)
        assert await restarted.updates.unfinished() == 4
    assert messenger.polls[0] == (0, "4")


async def test_a_full_queue_stops_the_feeding_and_not_the_polling(inbox: Inbox, messenger: ScriptedMessenger) -> None:
    messenger.deliver(update(person(number), update_id=number) for number in range(1, 1001))
    async with polling(inbox, messenger, capacity=1) as claims:
        await trio.sleep(1)
        assert messenger.unacknowledged == []
        assert claims.statistics().current_buffer_used == 1
        assert await inbox.updates.unfinished() == 1000


async def test_an_answer_that_cannot_even_be_acknowledged_is_not_asked_for_in_a_tight_loop(
    inbox: Inbox, messenger: ScriptedMessenger
) -> None:
    messenger.answers.extend([Batch((), None, (Skipped(None, "not an object"),))] * 100)
    with capture_logs() as logs:
        async with polling(inbox, messenger):
            await trio.sleep(600)
    assert pauses(messenger) == [60] * len(pauses(messenger))
    assert {line["event"] for line in logs} == {"an update of unknown shape is passed over"}


async def test_a_server_that_answers_at_once_with_nothing_is_asked_once_a_second(
    inbox: Inbox, messenger: ScriptedMessenger
) -> None:
    messenger.answers.extend([Batch((), None)] * 10_000)
    async with polling(inbox, messenger):
        await trio.sleep(60)
    assert len(messenger.polls) <= 61


async def test_a_server_that_repeats_itself_is_asked_once_a_second(inbox: Inbox, messenger: ScriptedMessenger) -> None:
    messenger.answers.extend([Batch((update(ALICE, update_id=7),), "8")] * 10_000)
    async with polling(inbox, messenger):
        await trio.sleep(60)
    assert len(messenger.polls) <= 62
    assert await inbox.updates.unfinished() == 1


async def test_skipped_updates_with_an_id_are_acknowledged_and_logged(
    inbox: Inbox, messenger: ScriptedMessenger
) -> None:
    messenger.answers.append(Batch((), "5", (Skipped("4", "a field is missing"),)))
    with capture_logs() as logs:
        async with polling(inbox, messenger):
            await trio.sleep(1)
    assert messenger.polls == [(0, None), (0, "5")]
    assert [(line["update_id"], line["why"]) for line in logs] == [("4", "a field is missing")]
