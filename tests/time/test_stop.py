"""Promise 12: a stop is short and clean. The real bot with its nurseries, between collaborators that are played."""

from __future__ import annotations

import pytest
import trio
from structlog.testing import capture_logs

from tests.time.fakes import LONG_POLL, Disk, ScriptedMessenger, StoreInMemory, TimedTransfer, inbox_on, until
from tests.time.scenes import DAY, GRACE, ask, bot, person, take, update
from trio_s3_bot.errors import StoreUnavailable, Unavailable
from trio_s3_bot.inbox import Inbox

ALICE, BOB = person(1), person(2)
FOR_WORK, FOR_WORDS = 7.5, 2.5  # how the grace period is divided
DOWN = Unavailable("502 Bad Gateway")


@pytest.fixture
def transfer(store: StoreInMemory) -> TimedTransfer:
    return TimedTransfer(store, seconds=5)


async def test_an_idle_bot_stops_at_once(
    inbox: Inbox, messenger: ScriptedMessenger, store: StoreInMemory, transfer: TimedTransfer
) -> None:
    async with bot(inbox, messenger, store, transfer) as running:
        await trio.sleep(1.5 * LONG_POLL)
        running.stop()
        assert await running.stopped() == 0
    assert [at for at, _ in messenger.polls] == [0, LONG_POLL]


async def test_what_is_nearly_done_is_finished_and_told(
    inbox: Inbox, messenger: ScriptedMessenger, store: StoreInMemory, transfer: TimedTransfer
) -> None:
    async with bot(inbox, messenger, store, transfer) as running:
        await take(inbox, ALICE, "a", "b")
        await trio.sleep(1)
        running.stop()
        assert await running.stopped() == pytest.approx(4)
    assert sorted(store.objects) == ["a", "b"]
    assert messenger.sent[-1].text.startswith("[document has been saved] 2 files")


async def test_what_takes_longer_is_parked_at_the_end_of_its_share_of_the_grace_period(
    inbox: Inbox, messenger: ScriptedMessenger, store: StoreInMemory, transfer: TimedTransfer
) -> None:
    transfer.seconds = 3600
    async with bot(inbox, messenger, store, transfer) as running:
        await take(inbox, ALICE, "a")
        await trio.sleep(60)
        running.stop()
        assert await running.stopped() == pytest.approx(FOR_WORK)
    assert transfer.running == []
    assert store.objects == {}
    assert await inbox.uploads.open_count() == 1


async def test_no_document_is_begun_after_the_stop_was_asked_for(
    inbox: Inbox, messenger: ScriptedMessenger, store: StoreInMemory, transfer: TimedTransfer
) -> None:
    async with bot(inbox, messenger, store, transfer) as running:
        await take(inbox, ALICE, *[f"{number}.bin" for number in range(20)])
        await trio.sleep(1)
        running.stop()
        await running.stopped()
    assert len(transfer.begun) == 4
    assert await inbox.uploads.open_count() == 16


async def test_what_was_received_is_answered_and_nothing_more_is_taken(
    inbox: Inbox, messenger: ScriptedMessenger, store: StoreInMemory, transfer: TimedTransfer
) -> None:
    messenger.latency = 0.5
    messenger.deliver(update(person(number), update_id=number) for number in range(1, 21))
    async with bot(inbox, messenger, store, transfer) as running:
        await trio.sleep(0.1)
        running.stop()
        messenger.deliver([update(ALICE, update_id=21)])
        assert await running.stopped() <= FOR_WORDS
    assert len(messenger.sent) == 20
    assert messenger.unacknowledged == ["21"]


async def test_a_messenger_that_is_out_of_order_holds_a_stop_up_for_its_share_of_the_grace_period(
    inbox: Inbox, messenger: ScriptedMessenger, store: StoreInMemory, transfer: TimedTransfer
) -> None:
    messenger.fault = until(DAY, DOWN)
    async with bot(inbox, messenger, store, transfer) as running:
        await ask(inbox, ALICE)
        await trio.sleep(600)
        running.stop()
        assert await running.stopped() == pytest.approx(FOR_WORDS)


async def test_a_stop_in_the_worst_case_takes_the_grace_period_and_no_longer(
    inbox: Inbox, messenger: ScriptedMessenger, store: StoreInMemory, transfer: TimedTransfer
) -> None:
    transfer.seconds = 3600
    messenger.fault = until(DAY, DOWN)
    async with bot(inbox, messenger, store, transfer) as running:
        await take(inbox, ALICE, *[f"{number}.bin" for number in range(20)])
        await trio.sleep(600)
        running.stop()
        assert await running.stopped() == pytest.approx(GRACE)


async def test_an_outage_of_the_store_does_not_hold_a_stop_up(
    inbox: Inbox, messenger: ScriptedMessenger, store: StoreInMemory, transfer: TimedTransfer
) -> None:
    store.fault = until(DAY, StoreUnavailable("503 SlowDown"))
    async with bot(inbox, messenger, store, transfer) as running:
        await take(inbox, ALICE, "a")
        await trio.sleep(1000)
        running.stop()
        assert await running.stopped() <= 0.1


async def test_the_next_start_goes_on_with_what_was_parked_and_says_what_was_not_said(
    disk: Disk, messenger: ScriptedMessenger, store: StoreInMemory, transfer: TimedTransfer
) -> None:
    transfer.seconds = 3600
    inbox = await inbox_on(disk)
    async with bot(inbox, messenger, store, transfer) as running:
        await take(inbox, ALICE, "a")
        await trio.sleep(60)
        messenger.fault = until(300, DOWN)
        await ask(inbox, BOB)
        running.stop()
        await running.stopped()
    transfer.seconds = 5
    inbox = await inbox_on(disk)
    async with bot(inbox, messenger, store, transfer):
        await trio.sleep_until(600)
    assert list(store.objects) == ["a"]
    said = {chat: [r.text.split("]")[0] for r in messenger.sent if r.chat == chat] for chat in (ALICE, BOB)}
    assert said == {ALICE: ["[document", "[document has been saved"], BOB: ["[document is required"]}


async def test_stopping_logs_no_error(
    inbox: Inbox, messenger: ScriptedMessenger, store: StoreInMemory, transfer: TimedTransfer
) -> None:
    transfer.seconds = 3600
    messenger.deliver([update(BOB, update_id=1)])
    with capture_logs() as logs:
        async with bot(inbox, messenger, store, transfer) as running:
            await take(inbox, ALICE, "a")
            await trio.sleep(1)
            running.stop()
            await running.stopped()
    assert [line for line in logs if line["log_level"] not in ("info", "debug")] == []
    assert [line["grace_period"] for line in logs if line["event"] == "stopping"] == [GRACE]
