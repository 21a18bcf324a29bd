"""A document's own failures: how often it is tried, with which pauses, and what its sender hears in the end."""

from __future__ import annotations

from itertools import pairwise

import pytest
import trio
from structlog.testing import capture_logs

from tests.time.fakes import PART_SIZE, Disk, ScriptedMessenger, StoreInMemory, TimedTransfer, inbox_on
from tests.time.scenes import all_ended, person, speaking, take, uploading
from trio_s3_bot.errors import (
    DocumentRefused,
    ObjectRefused,
    ObjectTooLarge,
    Reason,
    SourceExpired,
    SourceUnavailable,
    UploadConflict,
    UploadGone,
)
from trio_s3_bot.inbox import Inbox
from trio_s3_bot.model import Part, Source
from trio_s3_bot.progress import Meter
from trio_s3_bot.transfer import Journal, Plan, Stored

ALICE, BOB = person(1), person(2)
CUT = SourceUnavailable("7 bytes came where 1048576 were announced")


@pytest.fixture
def transfer(store: StoreInMemory) -> TimedTransfer:
    return TimedTransfer(store, seconds=0)


def pauses(transfer: TimedTransfer) -> list[float]:
    return [later - earlier for (earlier, _), (later, _) in pairwise(transfer.begun)]


@pytest.mark.parametrize(
    "error", [CUT, SourceExpired("HTTP 404"), UploadConflict("409"), UploadGone("404"), ValueError("a bug")]
)
async def test_a_document_is_tried_eight_times_in_about_eight_minutes(
    inbox: Inbox, messenger: ScriptedMessenger, store: StoreInMemory, transfer: TimedTransfer, error: Exception
) -> None:
    transfer.fault = lambda _: error
    await take(inbox, ALICE, "a")
    async with uploading(inbox, store, transfer, messenger):
        ended = await all_ended(inbox)
    for pause, expected in zip(pauses(transfer), [4, 8, 16, 32, 64, 128, 240], strict=True):
        assert 0.7 * expected <= pause <= expected
    assert 5.5 * 60 <= ended <= 8.5 * 60
    assert store.objects == {}


async def test_a_document_that_fails_seven_times_is_saved_at_the_eighth(
    inbox: Inbox, messenger: ScriptedMessenger, store: StoreInMemory, transfer: TimedTransfer
) -> None:
    transfer.fault = lambda _: CUT if len(transfer.begun) < 8 else None
    await take(inbox, ALICE, "a")
    async with uploading(inbox, store, transfer, messenger):
        await all_ended(inbox)
    assert list(store.objects) == ["a"]


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (CUT, "It did not come through whole, although I tried many times."),
        (SourceExpired("HTTP 404"), "The messenger no longer has it."),
    ],
)
async def test_its_sender_hears_why_in_the_end_and_nothing_before(
    inbox: Inbox,
    messenger: ScriptedMessenger,
    store: StoreInMemory,
    transfer: TimedTransfer,
    error: Exception,
    words: str,
) -> None:
    transfer.fault = lambda _: error
    async with speaking(inbox, messenger) as outbox, uploading(inbox, store, transfer, messenger):
        await take(inbox, ALICE, "a")
        ended = await all_ended(inbox)
        await outbox.until_all_is_said()
    accepted, failed = messenger.sent
    assert accepted.at == 0
    assert failed.at == pytest.approx(ended, abs=1)
    assert failed.text.startswith(f"a could not be saved. {words}")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (DocumentRefused(Reason.TOO_BIG_FOR_OPERATOR, limit=1024), "Files of up to 1 KB are saved here."),
        (ObjectRefused("KeyTooLongError"), "The storage does not take it."),
        (ObjectTooLarge("EntityTooLarge"), "It is too large for the storage."),
    ],
)
async def test_what_can_never_be_saved_is_not_tried_again(
    inbox: Inbox,
    messenger: ScriptedMessenger,
    store: StoreInMemory,
    transfer: TimedTransfer,
    error: Exception,
    words: str,
) -> None:
    transfer.fault = lambda _: error
    async with speaking(inbox, messenger) as outbox, uploading(inbox, store, transfer, messenger):
        await take(inbox, ALICE, "a")
        assert await all_ended(inbox) <= 1
        await outbox.until_all_is_said()
    assert len(transfer.begun) == 1
    assert words in messenger.sent[-1].text


async def test_a_document_that_fails_holds_up_no_other_one_of_its_chat(
    inbox: Inbox, messenger: ScriptedMessenger, store: StoreInMemory, transfer: TimedTransfer
) -> None:
    transfer.fault = lambda plan: CUT if plan.key == "bad" else None
    await take(inbox, ALICE, "bad", "good", "better")
    async with uploading(inbox, store, transfer, messenger, slots=1):
        await trio.sleep(1)
        assert list(store.objects) == ["good", "better"]


async def test_the_operator_reads_of_each_failure_with_its_pause(
    inbox: Inbox, messenger: ScriptedMessenger, store: StoreInMemory, transfer: TimedTransfer
) -> None:
    transfer.fault = lambda _: CUT
    await take(inbox, ALICE, "a")
    with capture_logs() as logs:
        async with uploading(inbox, store, transfer, messenger):
            await all_ended(inbox)
    *retries, last = logs
    assert [(line["event"], line["tries"]) for line in retries] == [
        ("an upload failed; trying again", tries) for tries in range(1, 8)
    ]
    assert [line["pause"] for line in retries] == pytest.approx(pauses(transfer), abs=0.051)
    assert (last["event"], last["log_level"], last["upload"]) == ("a document could not be saved", "warning", "a")


async def test_failures_are_counted_over_restarts(
    disk: Disk, messenger: ScriptedMessenger, store: StoreInMemory, transfer: TimedTransfer
) -> None:
    transfer.fault = lambda _: CUT
    inbox = await inbox_on(disk)
    await take(inbox, ALICE, "a")
    for _ in range(8):
        assert await inbox.uploads.open_count() == 1
        inbox = await inbox_on(disk)
        async with uploading(inbox, store, transfer, messenger):
            await trio.sleep(1)
    assert await inbox.uploads.open_count() == 0
    assert len(transfer.begun) == 8


async def test_a_large_document_that_is_given_up_leaves_no_multipart_upload(
    inbox: Inbox, messenger: ScriptedMessenger, store: StoreInMemory, transfer: TimedTransfer
) -> None:
    transfer.fault = lambda _: CUT
    await take(inbox, ALICE, "a", size=3 * PART_SIZE)
    async with uploading(inbox, store, transfer, messenger):
        await trio.sleep(60)
        assert len(store.open_uploads) == 1
        await all_ended(inbox)
    assert store.open_uploads == {}


class OnePartAtATime(TimedTransfer):
    """A line that breaks after each part; the next attempt goes on from there."""

    parts = 20

    async def run(self, source: Source, plan: Plan, journal: Journal, meter: Meter) -> Stored:
        self.begun.append((trio.current_time(), plan.key))
        meter.begin()
        upload_id = await self._multipart(plan, journal)
        there = self._store.parts.setdefault(upload_id, [])
        if len(there) == self.parts:
            return await self._store.store(plan, source.size or 0, upload_id)
        there.append(Part(len(there) + 1, PART_SIZE, f'"{len(there)}"'))
        await journal.part_done(there[-1])
        raise CUT


async def test_a_large_document_that_gets_further_in_each_attempt_is_not_given_up(
    inbox: Inbox, messenger: ScriptedMessenger, store: StoreInMemory
) -> None:
    transfer = OnePartAtATime(store)
    await take(inbox, ALICE, "a", size=transfer.parts * PART_SIZE)
    async with uploading(inbox, store, transfer, messenger):
        await all_ended(inbox)
    assert "a" in store.objects
    assert len(transfer.begun) == transfer.parts + 1


async def test_a_full_disk_costs_a_document_no_attempt_and_it_is_saved_once(
    inbox: Inbox, messenger: ScriptedMessenger, store: StoreInMemory, transfer: TimedTransfer, disk: Disk
) -> None:
    transfer.seconds = 5
    await take(inbox, ALICE, "a")
    async with uploading(inbox, store, transfer, messenger):
        await trio.sleep(1)
        disk.full = True
        await trio.sleep_until(3600)
        assert list(store.objects) == ["a"]
        assert await inbox.uploads.open_count() == 1
        disk.full = False
        assert await all_ended(inbox) <= 3600 + 11
    assert list(store.objects) == ["a"]
    assert len(transfer.begun) == 1


async def test_a_disk_that_is_full_from_the_start_lets_nothing_be_written_to_the_store(
    inbox: Inbox, messenger: ScriptedMessenger, store: StoreInMemory, transfer: TimedTransfer, disk: Disk
) -> None:
    await take(inbox, ALICE, "a")
    disk.full = True
    async with uploading(inbox, store, transfer, messenger):
        await trio.sleep_until(3600)
        assert transfer.begun == []
        assert len(store.asked) <= 3600 / 10 * 3
        disk.full = False
        await all_ended(inbox)
    assert list(store.objects) == ["a"]
