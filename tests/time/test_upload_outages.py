"""Outages that concern all documents: they wait together, are tried rarely, and are all saved when it is over."""

from __future__ import annotations

from itertools import pairwise

import pytest
import trio
from structlog.testing import capture_logs

from tests.time.fakes import PART_SIZE, Disk, ScriptedMessenger, StoreInMemory, TimedTransfer, inbox_on, until
from tests.time.scenes import all_ended, decide, document, person, speaking, take, uploading
from trio_s3_bot.conversation import Say, Take
from trio_s3_bot.errors import RetryAfter, StoreRefused, StoreUnavailable, TokenRefused, Unavailable
from trio_s3_bot.inbox import Inbox
from trio_s3_bot.keys import JOB_METADATA
from trio_s3_bot.notices import Accepted

ALICE, BOB = person(1), person(2)
HOUR = 3600.0
OUT = StoreUnavailable("503 SlowDown")
DOWN = Unavailable("502 Bad Gateway")


@pytest.fixture
def transfer(store: StoreInMemory) -> TimedTransfer:
    return TimedTransfer(store, seconds=1)


@pytest.mark.parametrize("error", [OUT, StoreRefused("403 InvalidAccessKeyId")])
async def test_an_hour_without_the_store_ends_with_everything_saved_exactly_once(
    inbox: Inbox, messenger: ScriptedMessenger, store: StoreInMemory, transfer: TimedTransfer, error: Exception
) -> None:
    store.fault = until(HOUR, error)
    names = [f"{number}.bin" for number in range(40)]
    async with speaking(inbox, messenger) as outbox, uploading(inbox, store, transfer, messenger):
        for index, name in enumerate(names):
            size = 2 * PART_SIZE if index % 4 == 0 else 1000
            await take(inbox, person(index % 5), name, size=size)
        ended = await all_ended(inbox)
        await outbox.until_all_is_said()
    assert HOUR <= ended <= HOUR + 300 + 15
    assert sorted(store.objects) == sorted(names)
    assert store.open_uploads == {}
    for number in range(5):
        saved = [text for text in messenger.texts(person(number)) if text.startswith("[document has been saved]")]
        assert sorted(name for name in names if any(name in text for text in saved)) == sorted(names[number::5])


async def test_the_store_is_asked_rarely_and_the_longer_the_more_so(
    inbox: Inbox, messenger: ScriptedMessenger, store: StoreInMemory, transfer: TimedTransfer
) -> None:
    store.fault = until(HOUR, OUT)
    await take(inbox, ALICE, *[f"{number}.bin" for number in range(100)])
    with capture_logs() as logs:
        async with uploading(inbox, store, transfer, messenger):
            await all_ended(inbox)
    tries = sorted({at for at in store.asked if at <= HOUR})
    pauses = [later - earlier for earlier, later in pairwise(tries)]
    nominal = [2, 4, 8, 16, 32, 64, 128, 256, *[300] * len(pauses)]
    for pause, expected in zip(pauses, nominal, strict=False):
        assert 0.7 * expected <= pause <= expected
    assert len(store.asked) - len([at for at in store.asked if at > HOUR]) <= 4 * len(tries)
    warned = [line for line in logs if line["event"] == "out of order; documents wait"]
    assert [line["pause"] for line in warned][: len(pauses)] == pytest.approx(pauses, abs=0.051)
    assert {(line["what"], line["error"]) for line in warned} == {("the S3 store", "503 SlowDown")}
    assert [line["after_failures"] for line in logs if line["event"] == "back in order"] == [len(warned)]


async def test_no_attempt_is_counted_against_a_document_in_an_outage(
    inbox: Inbox, messenger: ScriptedMessenger, store: StoreInMemory, transfer: TimedTransfer
) -> None:
    store.fault = until(12 * HOUR, OUT)
    await take(inbox, ALICE, "a")
    async with uploading(inbox, store, transfer, messenger):
        await all_ended(inbox)
    assert list(store.objects) == ["a"]


async def test_people_are_told_once_that_their_files_wait_all_of_them_in_one_message(
    inbox: Inbox, messenger: ScriptedMessenger, store: StoreInMemory, transfer: TimedTransfer
) -> None:
    store.fault = until(HOUR, OUT)
    async with speaking(inbox, messenger) as outbox, uploading(inbox, store, transfer, messenger):
        await take(inbox, ALICE, *[f"{number}.bin" for number in range(30)])
        await take(inbox, BOB, "b.bin")
        await all_ended(inbox)
        await outbox.until_all_is_said()
    waiting = [request for request in messenger.said if "waiting" in request.text]
    assert len(waiting) == 2
    assert {request.chat: request.text.split(" waiting")[0] for request in waiting} == {
        ALICE: "30 files",
        BOB: "b.bin is",
    }
    assert all(0.7 * (2 + 4 + 8) <= request.at <= 2 + 4 + 8 + 1 for request in waiting)


async def test_people_hear_nothing_of_an_outage_of_some_seconds(
    inbox: Inbox, messenger: ScriptedMessenger, store: StoreInMemory, transfer: TimedTransfer
) -> None:
    store.fault = until(9, OUT)
    async with speaking(inbox, messenger) as outbox, uploading(inbox, store, transfer, messenger):
        await take(inbox, ALICE, "a")
        await all_ended(inbox)
        await outbox.until_all_is_said()
    assert [request.text.split("]")[0] for request in messenger.sent] == ["[document", "[document has been saved"]


async def test_who_sends_a_file_in_the_middle_of_an_outage_is_told_too(
    inbox: Inbox, messenger: ScriptedMessenger, store: StoreInMemory, transfer: TimedTransfer
) -> None:
    store.fault = until(HOUR, OUT)
    async with speaking(inbox, messenger) as outbox, uploading(inbox, store, transfer, messenger):
        await take(inbox, ALICE, "a")
        await trio.sleep_until(1000)
        await take(inbox, BOB, "b")
        await all_ended(inbox)
        await outbox.until_all_is_said()
    (told,) = [request for request in messenger.said if request.chat == BOB and "waiting" in request.text]
    assert 1000 < told.at <= 1301


async def test_an_outage_in_the_middle_of_uploads_leaves_nothing_behind(
    inbox: Inbox, messenger: ScriptedMessenger, store: StoreInMemory, transfer: TimedTransfer
) -> None:
    transfer.seconds = 60
    store.fault = lambda: OUT if 30 <= trio.current_time() < HOUR else None
    await take(inbox, ALICE, *[f"{number}.bin" for number in range(8)], size=2 * PART_SIZE)
    async with uploading(inbox, store, transfer, messenger):
        await all_ended(inbox)
    assert len(store.objects) == 8
    assert store.open_uploads == {}


async def test_an_outage_goes_on_over_a_restart_and_is_told_of_once(
    disk: Disk, messenger: ScriptedMessenger, store: StoreInMemory, transfer: TimedTransfer
) -> None:
    store.fault = until(HOUR, OUT)
    for start in (0, 600):
        inbox = await inbox_on(disk)
        async with speaking(inbox, messenger) as outbox, uploading(inbox, store, transfer, messenger):
            if start == 0:
                await take(inbox, ALICE, "a")
                await trio.sleep_until(600)
            else:
                await all_ended(inbox)
                await outbox.until_all_is_said()
    accepted, told, saved = [request.text for request in messenger.sent]
    assert accepted.startswith("[document] ")
    assert "waiting" in told
    assert saved.startswith("[document has been saved]")


async def test_documents_of_a_messenger_that_was_switched_off_wait_until_it_is_on_again(
    disk: Disk, messenger: ScriptedMessenger, store: StoreInMemory, transfer: TimedTransfer
) -> None:
    await take(await inbox_on(disk), person(1, "vk"), "a")
    without = await inbox_on(disk)
    await take(without, ALICE, "b")
    async with uploading(without, store, transfer, messenger):
        await trio.sleep_until(HOUR)
    assert list(store.objects) == ["b"]
    again = await inbox_on(disk)
    async with uploading(again, store, transfer, messenger, ScriptedMessenger("vk")):
        assert await all_ended(again) < HOUR + 10
    assert list(store.objects) == ["b", "a"]


@pytest.mark.parametrize("error", [DOWN, TokenRefused("401 Unauthorized")])
async def test_a_messenger_that_is_out_of_order_holds_only_its_own_documents(
    inbox: Inbox, messenger: ScriptedMessenger, store: StoreInMemory, transfer: TimedTransfer, error: Exception
) -> None:
    other = ScriptedMessenger("vk")
    messenger.resolving = until(HOUR, error)
    await take(inbox, ALICE, *[f"{number}.bin" for number in range(20)])
    await take(inbox, person(1, "vk"), *[f"{number}.txt" for number in range(20)])
    async with uploading(inbox, store, transfer, messenger, other):
        await trio.sleep_until(60)
        assert sorted(store.objects) == sorted(f"{number}.txt" for number in range(20))
        ended = await all_ended(inbox)
    assert len(store.objects) == 40
    assert HOUR <= ended <= HOUR + 300 + 10


async def test_a_messenger_that_is_out_of_order_is_asked_rarely(
    inbox: Inbox, messenger: ScriptedMessenger, store: StoreInMemory, transfer: TimedTransfer
) -> None:
    messenger.resolving = until(HOUR, DOWN)
    await take(inbox, ALICE, *[f"{number}.bin" for number in range(20)])
    async with uploading(inbox, store, transfer, messenger):
        await trio.sleep_until(HOUR - 1)
    tries = sorted({at for at, _ in messenger.resolved})
    assert len(tries) <= 8 + HOUR / 210
    assert max(later - earlier for earlier, later in pairwise(tries)) <= 300


async def test_the_messengers_retry_after_holds_for_the_fetching_of_documents_too(
    inbox: Inbox, messenger: ScriptedMessenger, store: StoreInMemory, transfer: TimedTransfer
) -> None:
    messenger.resolving = until(1, RetryAfter("Too Many Requests: retry after 100", 100))
    await take(inbox, ALICE, "a")
    async with uploading(inbox, store, transfer, messenger):
        ended = await all_ended(inbox)
    assert [at for at, _ in messenger.resolved] == [0, 100]
    assert ended == pytest.approx(101)


async def test_an_outage_of_the_store_costs_the_messenger_nothing(
    inbox: Inbox, messenger: ScriptedMessenger, store: StoreInMemory, transfer: TimedTransfer
) -> None:
    store.fault = until(HOUR, OUT)
    await take(inbox, ALICE, *[f"{number}.bin" for number in range(20)])
    async with uploading(inbox, store, transfer, messenger):
        await trio.sleep_until(HOUR - 1)
    assert messenger.resolved == []


async def test_a_document_that_alone_makes_the_store_fail_holds_up_no_other_and_ends_in_words(
    inbox: Inbox, messenger: ScriptedMessenger, store: StoreInMemory, transfer: TimedTransfer
) -> None:
    transfer.fault = lambda plan: OUT if plan.key == "poison" else None
    async with speaking(inbox, messenger) as outbox, uploading(inbox, store, transfer, messenger):
        await take(inbox, ALICE, "poison")
        for second in range(1200):
            await take(inbox, BOB, f"{second}.txt")
            await trio.sleep_until(second + 1)
        await all_ended(inbox)
        await outbox.until_all_is_said()
    assert len(store.objects) == 1200
    assert any("poison could not be saved" in text for text in messenger.texts(ALICE))
    latest = {key: at for at, key in transfer.begun}
    assert max(latest[f"{second}.txt"] - second for second in range(1200)) <= 20


async def test_a_document_that_came_through_is_not_taken_for_another_one_that_is_the_same(
    inbox: Inbox, messenger: ScriptedMessenger, store: StoreInMemory, transfer: TimedTransfer
) -> None:
    store.lost = until(10, OUT)
    for upload in ("first", "again"):
        taken = Take(upload, document("a.txt"), "a.txt", None, None)
        await decide(inbox, ALICE, [taken, Say(Accepted(upload=upload, name="a.txt"))])
    async with speaking(inbox, messenger) as outbox, uploading(inbox, store, transfer, messenger):
        await all_ended(inbox)
        await outbox.until_all_is_said()
    documents = {key: found.metadata[JOB_METADATA] for key, found in store.objects.items()}
    assert documents == {"a.txt": "first", "a (1).txt": "again"}
    said = "\n".join(messenger.texts(ALICE))
    assert "a (1).txt" in said
    assert "already, the very same" not in said
