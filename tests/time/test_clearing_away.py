"""A document can't be saved, or is cancelled, and the store does not let what is left of it be cleared away."""

from __future__ import annotations

import pytest
import trio

from tests.time.fakes import PART_SIZE, ScriptedMessenger, StoreInMemory, TimedTransfer
from tests.time.scenes import all_ended, decide, person, speaking, take, uploading
from trio_s3_bot.conversation.state import Cancel
from trio_s3_bot.errors import (
    DocumentRefused,
    KeyTaken,
    ObjectGone,
    ObjectRefused,
    Reason,
    StoreError,
    StoreRefused,
    StoreUnavailable,
    UploadConflict,
    UploadGone,
)
from trio_s3_bot.inbox import Inbox
from trio_s3_bot.outbox import Outbox

ALICE, BOB = person(1), person(2)
TROUBLES = [
    *(kind("no") for kind in StoreError.__subclasses__()),
    KeyError("UploadId"),
    ValueError("a bug"),
]
A_WHILE = 900.0


class StubbornStore(StoreInMemory):
    """Doesn't abort an upload, nor delete an object, while it has a `trouble`."""

    def __init__(self) -> None:
        super().__init__()
        self.trouble: Exception | None = None

    async def abort_upload(self, key: str, upload_id: str) -> None:
        if self.trouble is not None:
            await trio.lowlevel.checkpoint()
            raise self.trouble
        await super().abort_upload(key, upload_id)

    async def delete(self, key: str, *, etag: str | None = None) -> bool:
        if self.trouble is not None:
            await trio.lowlevel.checkpoint()
            raise self.trouble
        return await super().delete(key, etag=etag)


@pytest.fixture
def store() -> StubbornStore:
    return StubbornStore()


@pytest.fixture
def transfer(store: StubbornStore) -> TimedTransfer:
    return TimedTransfer(store, seconds=1)


async def all_is_over(inbox: Inbox, outbox: Outbox) -> None:
    await all_ended(inbox)
    await outbox.until_all_is_said()


def test_every_kind_of_trouble_is_tried() -> None:
    kinds = {StoreUnavailable, StoreRefused, KeyTaken, UploadGone, UploadConflict, ObjectGone, ObjectRefused}
    assert kinds == set(StoreError.__subclasses__())


@pytest.mark.parametrize("trouble", TROUBLES, ids=repr)
async def test_what_can_not_be_cleared_away_holds_up_no_other_and_is_cleared_away_later(
    inbox: Inbox, messenger: ScriptedMessenger, store: StubbornStore, transfer: TimedTransfer, trouble: Exception
) -> None:
    store.trouble = trouble
    transfer.fault = lambda plan: DocumentRefused(Reason.TOO_BIG_FOR_OPERATOR, limit=1) if plan.key == "large" else None
    async with speaking(inbox, messenger) as outbox, uploading(inbox, store, transfer, messenger, slots=1):
        await take(inbox, ALICE, "large", size=2 * PART_SIZE)
        await trio.sleep(A_WHILE)
        await take(inbox, BOB, "small")
        await trio.sleep(A_WHILE)
        assert set(store.objects) == {"small"}
        assert set(store.open_uploads.values()) == {"large"}
        assert not any("could not be saved" in text for text in messenger.texts(ALICE))
        store.trouble = None
        await all_is_over(inbox, outbox)
    assert store.open_uploads == {}
    assert any("could not be saved" in text for text in messenger.texts(ALICE))


@pytest.mark.parametrize("trouble", [StoreUnavailable("500"), StoreRefused("403")], ids=repr)
async def test_while_others_are_saved_what_can_not_be_cleared_away_is_no_outage(
    inbox: Inbox, messenger: ScriptedMessenger, store: StubbornStore, transfer: TimedTransfer, trouble: Exception
) -> None:
    store.trouble = trouble
    transfer.fault = lambda plan: DocumentRefused(Reason.TOO_BIG_FOR_OPERATOR, limit=1) if plan.key == "large" else None
    async with uploading(inbox, store, transfer, messenger):
        await take(inbox, BOB, "first", say=False)
        await trio.sleep(2)
        await take(inbox, ALICE, "large", size=2 * PART_SIZE, say=False)
        for number in range(300):
            await take(inbox, BOB, f"{number}", say=False)
            await trio.sleep(1)
        assert len(store.objects) >= 299


@pytest.mark.parametrize("trouble", TROUBLES, ids=repr)
async def test_a_cancelled_document_that_can_not_be_withdrawn_holds_up_no_other_and_ends_one_way_or_the_other(
    inbox: Inbox, messenger: ScriptedMessenger, store: StubbornStore, transfer: TimedTransfer, trouble: Exception
) -> None:
    store.trouble = trouble
    async with speaking(inbox, messenger) as outbox, uploading(inbox, store, transfer, messenger, slots=1):
        await take(inbox, ALICE, "a", size=2 * PART_SIZE)
        await trio.sleep(0.5)
        await decide(inbox, ALICE, [Cancel("a")])
        await trio.sleep(A_WHILE)
        await take(inbox, BOB, "b")
        await trio.sleep(A_WHILE)
        assert set(store.objects) == {"b"}
        store.trouble = None
        await all_is_over(inbox, outbox)
    assert set(store.objects) == {"b"}
    assert store.open_uploads == {}
    assert messenger.texts(ALICE)[-1] == "[document] a\ncancelled"


async def test_a_cancelled_document_that_the_store_never_lets_go_of_is_saved_and_known(
    inbox: Inbox, messenger: ScriptedMessenger, store: StubbornStore, transfer: TimedTransfer
) -> None:
    """It came through in the last moment, and the operator's keys may not delete."""
    store.trouble = ObjectRefused("no")
    store.lost = lambda: StoreUnavailable("no answer in time")
    async with speaking(inbox, messenger) as outbox, uploading(inbox, store, transfer, messenger):
        await take(inbox, ALICE, "a")
        await trio.sleep(1.5)
        assert set(store.objects) == {"a"}
        await decide(inbox, ALICE, [Cancel("a")])
        await all_is_over(inbox, outbox)
        assert await inbox.files.get(ALICE, "a") is not None
    assert any(text.startswith("[document has been saved] a") for text in messenger.texts(ALICE))
