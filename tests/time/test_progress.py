"""Progress in the chat: rarely enough, never backwards, and not at all for what is quick."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise

import pytest
import trio

from tests.time.fakes import Request, ScriptedMessenger, StoreInMemory, TimedTransfer
from tests.time.scenes import MIB, all_ended, group, most_within, person, speaking, take, uploading
from trio_s3_bot.errors import RetryAfter, SourceUnavailable, StoreUnavailable, Unavailable
from trio_s3_bot.inbox import Inbox
from trio_s3_bot.model import Chat
from trio_s3_bot.outbox import Outbox
from trio_s3_bot.texts import Sample

ALICE = person(1)
INTERVAL = 3.0


@pytest.fixture
def transfer(store: StoreInMemory) -> TimedTransfer:
    return TimedTransfer(store, seconds=60, steps=240)


@asynccontextmanager
async def working(
    inbox: Inbox, messenger: ScriptedMessenger, store: StoreInMemory, transfer: TimedTransfer, slots: int = 4
) -> AsyncIterator[Outbox]:
    """Uploads and outbox, joined as the bot joins them."""

    def show(chat: Chat, upload: str) -> None:
        outbox.show_progress(chat, upload)

    at_work = uploading(inbox, store, transfer, messenger, slots=slots, progress_interval=INTERVAL, show=show)
    async with at_work as uploads:

        def sample(upload: str) -> Sample | None:
            return uploads.sample(upload)

        async with speaking(inbox, messenger, sample=sample, progress_interval=INTERVAL) as outbox:
            yield outbox


def shown(messenger: ScriptedMessenger) -> list[Request]:
    """The edits that showed progress."""
    return [request for request in messenger.said if request.kind == "edit" and "%" in request.text]


def percent(request: Request) -> int:
    found = re.search(r"(\d+)%", request.text)
    assert found is not None
    return int(found[1])


@pytest.mark.parametrize(("chat", "interval"), [(ALICE, INTERVAL), (group(1), 2 * INTERVAL)])
async def test_progress_is_edited_once_an_interval_and_half_as_often_in_a_group(
    inbox: Inbox,
    messenger: ScriptedMessenger,
    store: StoreInMemory,
    transfer: TimedTransfer,
    chat: Chat,
    interval: float,
) -> None:
    async with working(inbox, messenger, store, transfer):
        await take(inbox, chat, "a", size=100 * MIB)
        await all_ended(inbox)
    times = [request.at for request in shown(messenger)]
    assert times[0] == INTERVAL
    assert [later - earlier for earlier, later in pairwise(times)] == pytest.approx([interval] * (len(times) - 1))
    assert len(times) >= 60 / interval - 1


async def test_what_is_shown_is_how_it_stands_at_that_moment(
    inbox: Inbox, messenger: ScriptedMessenger, store: StoreInMemory, transfer: TimedTransfer
) -> None:
    async with working(inbox, messenger, store, transfer):
        await take(inbox, ALICE, "a", size=100 * MIB)
        await all_ended(inbox)
    for request in shown(messenger):
        # A sample is up to a quarter of an interval old, one step of the transfer is missing, and it is rounded down.
        assert request.at / 60 * 100 - 3 <= percent(request) <= request.at / 60 * 100
    (speed, left), *_ = re.findall(r"([\d.]+) MB/s, (\d+) sec left", shown(messenger)[5].text)
    assert float(speed) == pytest.approx(100 / 60, abs=0.15)
    assert int(left) == pytest.approx(60 - shown(messenger)[5].at, abs=3)


@pytest.mark.parametrize("seconds", [0, 1, 2.9])
async def test_an_upload_shorter_than_an_interval_shows_no_progress(
    inbox: Inbox, messenger: ScriptedMessenger, store: StoreInMemory, transfer: TimedTransfer, seconds: float
) -> None:
    """Each in a chat of its own: a message about several that is edited for one shows how far the others are."""
    transfer.seconds = seconds
    async with working(inbox, messenger, store, transfer) as outbox:
        for number in range(12):
            await take(inbox, person(number), f"{number}.bin")
        await all_ended(inbox)
        await outbox.until_all_is_said()
    assert shown(messenger) == []


async def test_progress_never_goes_back_over_a_second_attempt(
    inbox: Inbox, messenger: ScriptedMessenger, store: StoreInMemory, transfer: TimedTransfer
) -> None:
    transfer.fault = lambda _: SourceUnavailable("cut") if len(transfer.begun) < 3 else None
    async with working(inbox, messenger, store, transfer):
        await take(inbox, ALICE, "a", size=100 * MIB)
        await all_ended(inbox)
    percents = [percent(request) for request in shown(messenger)]
    assert len(transfer.begun) == 3
    assert percents == sorted(percents)


async def test_a_message_ends_in_words_and_not_at_a_number(
    inbox: Inbox, messenger: ScriptedMessenger, store: StoreInMemory, transfer: TimedTransfer
) -> None:
    async with working(inbox, messenger, store, transfer) as outbox:
        await take(inbox, ALICE, "a", size=100 * MIB)
        ended = await all_ended(inbox)
        await outbox.until_all_is_said()
        await trio.sleep(60)
    edits = [request for request in messenger.said if request.kind == "edit"]
    assert edits[-1].text.endswith("saved")
    assert edits[-1].at <= ended + 3


async def test_a_document_that_failed_in_the_middle_ends_in_words_too(
    inbox: Inbox, messenger: ScriptedMessenger, store: StoreInMemory, transfer: TimedTransfer
) -> None:
    transfer.fault = lambda _: SourceUnavailable("cut")
    async with working(inbox, messenger, store, transfer) as outbox:
        await take(inbox, ALICE, "a", size=100 * MIB)
        await all_ended(inbox)
        await outbox.until_all_is_said()
    assert [request for request in messenger.said if request.kind == "edit"][-1].text.endswith("not saved")


@pytest.mark.parametrize("error", [Unavailable("502 Bad Gateway"), RetryAfter("429", 5)])
async def test_what_has_ended_is_shown_though_an_edit_failed_and_nothing_else_moves(
    inbox: Inbox, messenger: ScriptedMessenger, store: StoreInMemory, transfer: TimedTransfer, error: Exception
) -> None:
    failed: list[Request] = []

    def fails_once(request: Request) -> Exception | None:
        if failed or "a: saved" not in request.text:
            return None
        failed.append(request)
        return error

    messenger.fault = fails_once
    store.fault = lambda: StoreUnavailable("503") if "a" in store.objects else None
    await take(inbox, ALICE, "a", "b", size=100 * MIB)
    async with working(inbox, messenger, store, transfer, slots=1):
        await trio.sleep(600)
    assert failed
    assert "a: saved" in [request for request in messenger.said if request.kind == "edit"][-1].text


async def test_while_nothing_moves_nothing_is_edited(
    inbox: Inbox, messenger: ScriptedMessenger, store: StoreInMemory, transfer: TimedTransfer
) -> None:
    transfer.seconds, store.fault = 10, lambda: StoreUnavailable("503") if trio.current_time() >= 5 else None
    async with working(inbox, messenger, store, transfer):
        await take(inbox, ALICE, "a", size=100 * MIB)
        await trio.sleep_until(30)
        before = len(shown(messenger))
        await trio.sleep_until(3600)
    assert before >= 3
    assert len(shown(messenger)) == before


@pytest.mark.parametrize("chats", [1, 10, 40])
async def test_progress_of_many_uploads_keeps_all_limits(
    inbox: Inbox, messenger: ScriptedMessenger, store: StoreInMemory, transfer: TimedTransfer, chats: int
) -> None:
    transfer.seconds = 30
    async with working(inbox, messenger, store, transfer, slots=40):
        for number in range(chats):
            await take(inbox, person(number + 1), *[f"{number}-{index}" for index in range(40 // chats)])
        await all_ended(inbox)
    assert len(shown(messenger)) >= min(chats, 15) * 7
    assert most_within([request.at for request in messenger.said], 1) <= 30
    for number in range(chats):
        times = [request.at for request in shown(messenger) if request.chat == person(number + 1)]
        assert all(later - earlier >= INTERVAL - 1e-6 for earlier, later in pairwise(times))
