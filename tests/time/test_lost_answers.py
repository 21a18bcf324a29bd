"""The store did what it was asked and its answer was lost: one document is one object, and it is known where."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import trio

from tests.time.fakes import PART_SIZE, Disk, ScriptedMessenger, StoreInMemory, TimedTransfer
from tests.time.scenes import MIB, all_ended, decide, document, person, speaking, take, uploading
from trio_s3_bot.conversation import Cancel, Release, SetName, Take
from trio_s3_bot.errors import SourceUnavailable, StoreUnavailable, UploadConflict
from trio_s3_bot.inbox import Inbox
from trio_s3_bot.model import StoredObject
from trio_s3_bot.uploads import MOST_FAILURES

ALICE = person(1)
LOST = StoreUnavailable("no answer in time")


@pytest.fixture
def transfer(store: StoreInMemory) -> TimedTransfer:
    return TimedTransfer(store, seconds=1)


def only_the(number: int) -> Callable[[], Exception | None]:
    """Lose one answer, the n-th."""
    answers = iter(range(1, 1000))
    return lambda: LOST if next(answers) == number else None


def files(disk: Disk) -> dict[str, str]:
    """What is on record: the keys of the documents' objects."""
    return dict(disk.execute("SELECT id, key FROM files").fetchall())


async def test_a_document_that_was_saved_without_an_answer_is_not_taken_for_the_same_one_sent_before(
    disk: Disk, inbox: Inbox, messenger: ScriptedMessenger, store: StoreInMemory, transfer: TimedTransfer
) -> None:
    store.lost = only_the(2)
    same = document("the same")
    await decide(inbox, ALICE, [Take(name, same, "f.txt", None, 1) for name in ("one", "two")])
    async with uploading(inbox, store, transfer, messenger):
        await all_ended(inbox)
    assert set(store.objects) == {"f.txt", "f (1).txt"}
    assert set(files(disk).values()) == {"f.txt", "f (1).txt"}


async def test_an_object_of_ones_own_that_came_out_with_another_size_is_not_called_saved(
    inbox: Inbox, messenger: ScriptedMessenger, store: StoreInMemory, transfer: TimedTransfer
) -> None:
    """The store cut it short, and the answer that would have shown it was lost."""

    def cut_short() -> Exception | None:
        if len(transfer.begun) > 1 or "a" not in store.objects:
            return None
        store.objects["a"] = replace(store.objects["a"], size=1)
        return LOST

    store.lost = cut_short
    async with speaking(inbox, messenger) as outbox, uploading(inbox, store, transfer, messenger):
        await take(inbox, ALICE, "a")
        await all_ended(inbox)
        await outbox.until_all_is_said()
    assert {key: found.size for key, found in store.objects.items()} == {"a": MIB}
    assert len(transfer.begun) == 2


@pytest.mark.parametrize("size", [MIB, 2 * PART_SIZE])
async def test_a_document_whose_last_attempt_came_through_without_an_answer_is_saved(
    disk: Disk, inbox: Inbox, messenger: ScriptedMessenger, store: StoreInMemory, transfer: TimedTransfer, size: int
) -> None:
    """Its other attempts failed because of the document; the last one's answer is lost while all else is in order."""
    cut = iter([SourceUnavailable("cut")] * (MOST_FAILURES - 1))
    transfer.fault = lambda plan: next(cut, None) if plan.key == "a" else None
    store.lost = lambda: LOST if "a" in store.objects else None
    async with speaking(inbox, messenger) as outbox, uploading(inbox, store, transfer, messenger):
        await take(inbox, ALICE, "a", size=size)
        number = 0
        while "a" not in store.objects:
            number += 1
            await take(inbox, person(2), f"{number}", say=False)
            await trio.sleep(1)
        store.lost = lambda: None
        await all_ended(inbox)
        await outbox.until_all_is_said()
    assert files(disk)["a"] == "a"
    assert any(text.startswith("[document has been saved] a, ") for text in messenger.texts(ALICE))
    assert store.open_uploads == {}


async def test_a_completion_that_met_another_write_is_begun_anew_with_a_new_upload(
    inbox: Inbox, messenger: ScriptedMessenger, store: StoreInMemory, transfer: TimedTransfer
) -> None:
    begun: list[set[str]] = []

    def conflict() -> Exception | None:
        begun.append(set(store.open_uploads))
        return UploadConflict("409 ConditionalRequestConflict") if len(begun) == 1 else None

    transfer.fault = lambda _: conflict()
    await take(inbox, ALICE, "a", size=2 * PART_SIZE)
    async with uploading(inbox, store, transfer, messenger):
        await all_ended(inbox)
    assert begun == [{"upload 1"}, {"upload 2"}]
    assert set(store.objects) == {"a"}
    assert store.open_uploads == {}


async def test_somebody_elses_upload_to_the_same_name_outlives_the_search_for_ones_own(
    inbox: Inbox, messenger: ScriptedMessenger, store: StoreInMemory, transfer: TimedTransfer
) -> None:
    theirs = {"theirs": "a", "theirs, too": "a.txt"}
    store.open_uploads.update(theirs)
    store.lost = only_the(1)
    await take(inbox, ALICE, "a", size=2 * PART_SIZE)
    async with uploading(inbox, store, transfer, messenger):
        await all_ended(inbox)
    assert store.open_uploads == theirs
    assert set(store.objects) == {"a"}


async def test_what_has_taken_the_place_of_another_stays_though_it_is_renamed_and_cancelled_before_that_is_known(
    disk: Disk, inbox: Inbox, messenger: ScriptedMessenger, store: StoreInMemory, transfer: TimedTransfer
) -> None:
    """Without it there would be neither."""
    store.objects["a"] = StoredObject(1, '"another"', {})
    store.lost = only_the(1)
    await decide(inbox, ALICE, [Take("a", document("a"), "a", None, 1, ask=True)])
    await decide(inbox, ALICE, [Release("a", "overwrite")])
    async with uploading(inbox, store, transfer, messenger, on_conflict="ask"):
        await trio.sleep(1.5)
        assert store.objects["a"].size == MIB
        await decide(inbox, ALICE, [SetName("a", "b")])
        await decide(inbox, ALICE, [Cancel("a")])
        await all_ended(inbox)
    assert {key: found.size for key, found in store.objects.items()} == {"a": MIB}
    assert files(disk) == {"a": "a"}
