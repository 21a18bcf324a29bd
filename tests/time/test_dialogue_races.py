"""What a person asks for while something else about the same document is under way, or waits for the store."""

from __future__ import annotations

from dataclasses import replace

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from tests.time.fakes import ScriptedMessenger, StoreInMemory, TimedTransfer, until
from tests.time.scenes import ask, begin, bot, decide, document, end, person, speaking, take, update
from trio_s3_bot.conversation import Cancel, Delete, Effect, Rename, Say, SetName, Take
from trio_s3_bot.errors import SourceUnavailable, StoreRefused, StoreUnavailable, Unavailable
from trio_s3_bot.inbox import Inbox
from trio_s3_bot.keys import JOB_METADATA
from trio_s3_bot.messengers.base import Batch
from trio_s3_bot.model import OutMessage, UploadState
from trio_s3_bot.notices import Accepted, AskName, Card, Conflict, Saved

ALICE, BOB = person(1), person(2)
HOUR = 3600.0
OUT, FORBIDDEN = StoreUnavailable("503 SlowDown"), StoreRefused("403 AccessDenied")


def once_more(name: str, upload: str = "again", album: str | None = None) -> tuple[Effect, ...]:
    """The very same document is sent again."""
    taken = Take(upload, document(name), name, None, 2, album=album)
    return taken, Say(Accepted(upload=upload, name=name, album=album, reply_to=2))


class Obstinate(StoreInMemory):
    """A store that deletes nothing that is in `kept`."""

    def __init__(self, *kept: str) -> None:
        super().__init__()
        self._kept = kept

    async def delete(self, key: str, *, etag: str | None = None) -> bool:
        if key in self._kept:
            raise FORBIDDEN
        return await super().delete(key, etag=etag)


@pytest.mark.parametrize("chore", [Delete("a"), Rename("a", "b")])
async def test_a_document_sent_again_while_the_saved_one_is_to_go_is_saved_again(
    inbox: Inbox, messenger: ScriptedMessenger, store: StoreInMemory, chore: Effect
) -> None:
    async with bot(inbox, messenger, store, TimedTransfer(store)):
        await take(inbox, ALICE, "a")
        await store.there("a")
        store.fault = until(100, OUT)
        await trio.sleep(1)
        await decide(inbox, ALICE, [chore])
        await decide(inbox, ALICE, once_more("a"))
        await trio.sleep(600)
    assert "again" in [found.metadata[JOB_METADATA] for found in store.objects.values()]
    assert not any("there already" in text for text in messenger.texts(ALICE))
    assert set(store.objects) <= {"a", "a (1)", "b"}


async def test_what_was_found_to_be_there_and_is_to_go_by_then_is_not_called_saved(inbox: Inbox) -> None:
    await end(inbox, await begin(inbox, ALICE, "a"))
    await decide(inbox, ALICE, once_more("a"))
    claim = await inbox.uploads.claim()
    assert claim is not None
    same = await inbox.uploads.same_file(claim.job)
    assert same is not None
    await decide(inbox, ALICE, [Delete("a")])
    saved = Saved(upload="again", key="a", name="a", size=1, same_as=same.id)
    await inbox.uploads.finish(claim.job, UploadState.SAVED, saved)
    assert await inbox.uploads.open_count() == 1
    assert await inbox.uploads.same_file(claim.job) is None


async def test_a_reply_to_a_document_that_was_there_already_means_the_saved_one(inbox: Inbox) -> None:
    await end(inbox, await begin(inbox, ALICE, "a"))
    await decide(inbox, ALICE, once_more("a"))
    claim = await inbox.uploads.claim()
    assert claim is not None
    saved = Saved(upload="again", key="a", name="a", size=1, same_as="a")
    await inbox.uploads.finish(claim.job, UploadState.SAVED, saved)
    assert await replied(inbox, 2) == ("a",)


async def test_a_name_that_is_changed_while_the_old_one_is_looked_at_is_not_asked_about(inbox: Inbox) -> None:
    claim = await begin(inbox, ALICE, "a")
    await decide(inbox, ALICE, [SetName("a", "b")])
    await inbox.uploads.ask_about_conflict(claim.job)
    inbox.uploads.give_back(claim)
    again = await inbox.uploads.claim()
    assert again is not None
    assert (again.job.name, again.job.policy) == ("b", None)


async def test_what_is_over_before_it_can_be_said_to_be_taken_is_said_to_be_over(
    inbox: Inbox, messenger: ScriptedMessenger, store: StoreInMemory
) -> None:
    store.fault = until(60, OUT)
    async with bot(inbox, messenger, store, TimedTransfer(store)):
        await ask(inbox, ALICE, times=10)
        await take(inbox, ALICE, "a")
        await decide(inbox, ALICE, [Cancel("a")])
        await trio.sleep(300)
    assert messenger.texts(ALICE)[10:] == ["[document] a\ncancelled"]


async def test_a_document_that_is_there_already_is_said_to_be_taken_before_it_is_called_saved(
    inbox: Inbox, messenger: ScriptedMessenger, store: StoreInMemory
) -> None:
    async with bot(inbox, messenger, store, TimedTransfer(store)):
        await take(inbox, ALICE, "a", say=False)
        await store.there("a")
        await trio.sleep(60)
        messenger.said.clear()
        messenger.fault = until(trio.current_time() + 60, Unavailable("502"))
        await decide(inbox, ALICE, once_more("a", "b", album="x"))
        await decide(inbox, ALICE, once_more("a", "c"))
        await trio.sleep(300)
    heads = [request.text.split("]")[0] for request in messenger.said if request.kind == "send"]
    assert heads == sorted(heads, key=lambda head: "saved" in head)
    assert heads.count("[document has been saved") >= 1


async def test_a_reply_to_an_albums_message_means_those_too_that_joined_it_later(inbox: Inbox) -> None:
    for name in ("a", "b", "c"):
        await decide(inbox, ALICE, once_more(name, name, album="x"))
        composed = await inbox.messages.next_message(ALICE, lambda *_: OutMessage("[document]"))
        if composed is not None:
            await inbox.messages.sent(composed, 70)
    assert await replied(inbox, 70) == ("a", "b", "c")


async def test_a_deletion_that_the_store_never_allows_ends_in_words_and_holds_up_no_upload(
    inbox: Inbox, messenger: ScriptedMessenger
) -> None:
    store = Obstinate("a")
    async with bot(inbox, messenger, store, TimedTransfer(store)):
        await take(inbox, ALICE, "a")
        await store.there("a")
        await trio.sleep(300)
        await decide(inbox, ALICE, [Delete("a")])
        for number in range(20):
            sent = trio.current_time()
            await take(inbox, BOB, f"{number}.txt")
            await store.there(f"{number}.txt")
            assert trio.current_time() - sent < 5
            await trio.sleep(60)
    assert messenger.texts(ALICE)[-1] == "a could not be deleted: the storage does not allow it."
    assert "a" in store.objects


async def test_files_whose_names_are_just_being_saved_again_hold_up_what_others_want_done(
    inbox: Inbox, messenger: ScriptedMessenger, store: StoreInMemory
) -> None:
    transfer = TimedTransfer(store)
    async with bot(inbox, messenger, store, transfer, {("names", "on_conflict"): "overwrite"}):
        await take(inbox, ALICE, "a", "b")
        await take(inbox, BOB, "c")
        await trio.sleep(60)
        transfer.seconds = HOUR
        for name in ("a", "b"):
            await decide(inbox, ALICE, [Take(f"{name} again", document(f"{name} again"), name, None, 1)])
        await trio.sleep(60)
        await decide(inbox, ALICE, [Delete("a"), Rename("b", "e")])
        await decide(inbox, BOB, [Rename("c", "d")])
        await trio.sleep(60)
        assert sorted(transfer.running) == ["a", "b"]
        assert set(store.objects) == {"a", "b", "d"}
        await trio.sleep(HOUR)
    assert set(store.objects) == {"a", "b", "d"}


async def test_a_renaming_that_can_only_copy_is_undone_and_ends_in_words(
    inbox: Inbox, messenger: ScriptedMessenger
) -> None:
    store = Obstinate("a")
    async with bot(inbox, messenger, store, TimedTransfer(store)):
        await take(inbox, ALICE, "a")
        await store.there("a")
        await decide(inbox, ALICE, [Rename("a", "b")])
        await trio.sleep(1800)
    assert messenger.texts(ALICE)[-1].startswith("a could not be renamed to b: the storage does not allow it.")
    assert set(store.objects) == {"a"}


async def test_a_store_that_takes_nothing_from_us_for_a_while_is_waited_for(
    inbox: Inbox, messenger: ScriptedMessenger, store: StoreInMemory
) -> None:
    async with bot(inbox, messenger, store, TimedTransfer(store)):
        await take(inbox, ALICE, "a")
        await store.there("a")
        await wait_all_tasks_blocked()
        store.fault = until(7200, FORBIDDEN)
        await decide(inbox, ALICE, [Delete("a")])
        await trio.sleep_until(8000)
    assert store.objects == {}
    assert messenger.texts(ALICE)[-1] == "a is deleted."


async def replied(inbox: Inbox, message_id: int) -> tuple[str, ...]:
    """The documents that a reply to a message means."""
    await inbox.updates.store("telegram", Batch((replace(update(ALICE), reply_to=message_id),), None))
    return (await inbox.updates.claim("telegram")).facts.replied


@pytest.mark.parametrize(
    ("chore", "told_before", "saved"),
    [(Rename("a", "new"), "a is called new now.", ["b", "new"]), (Delete("a"), "a is deleted.", ["b"])],
)
async def test_what_becomes_of_a_document_while_its_album_waits_is_not_gainsaid_when_it_is_called_saved(
    inbox: Inbox,
    messenger: ScriptedMessenger,
    store: StoreInMemory,
    chore: Effect,
    told_before: str,
    saved: list[str],
) -> None:
    messenger.resolving = lambda found: SourceUnavailable("cut") if found.file_id == "b" and not_yet() else None
    not_yet = until(100, SourceUnavailable("cut"))
    async with bot(inbox, messenger, store, TimedTransfer(store)):
        for name in ("a", "b"):
            await decide(inbox, ALICE, [Take(name, document(name), name, None, 1, album="album")])
        await store.there("a")
        await trio.sleep(5)
        await decide(inbox, ALICE, [chore])
        await trio.sleep(600)
    *before, last = [text for text in messenger.texts(ALICE) if not text.startswith("[document] ")]
    assert told_before in before
    assert last.startswith("[document has been saved] ")
    assert sorted(name for name in ("a", "b", "new") if f"{name}, 1 MB" in last) == saved


async def test_an_album_of_which_all_was_over_when_it_was_said_to_be_taken_is_put_to_rest_again(
    inbox: Inbox, messenger: ScriptedMessenger, store: StoreInMemory
) -> None:
    async with bot(inbox, messenger, store, TimedTransfer(store, seconds=0)):
        await ask(inbox, ALICE, times=10)
        for name, asking in (("a", False), ("b", True)):
            taken = Take(name, document(name), name, None, 1, album="album", ask=asking)
            await decide(inbox, ALICE, [taken, Say(Accepted(upload=name, name=name, album="album"))])
            await trio.sleep(30)
        await trio.sleep(60)
    shown = [request.text for request in messenger.said if request.text.startswith("[document] ")]
    assert shown[0] == "[document] a\nsaved"
    assert shown[-1] == "[document] 2 files:\n• a: saved\n• b: saved"


@pytest.mark.parametrize(
    ("between", "before"),
    [
        (Say(Conflict(upload="b", name="b", answered=True), edit_of=7), []),
        (Say(Card(upload="b")), ["b"]),
        (Say(AskName(upload="b", name="b")), ["What shall b be called?"]),
    ],
    ids=["buttons to be taken off", "a card", "a question"],
)
async def test_what_is_still_to_be_said_of_a_document_parts_it_from_its_album_no_more_than_from_its_order(
    inbox: Inbox, messenger: ScriptedMessenger, between: Say, before: list[str]
) -> None:
    for name in ("a", "b"):
        await decide(inbox, ALICE, [Take(name, document(name), name, None, 1, album="album")])
    first, second = await inbox.uploads.claim(), await inbox.uploads.claim()
    assert first is not None
    assert second is not None
    await end(inbox, first)
    await decide(inbox, ALICE, [between])
    await end(inbox, second)
    async with speaking(inbox, messenger) as outbox:
        await outbox.until_all_is_said()
    sent = [request.text for request in messenger.said if request.kind == "send"]
    assert len(sent) == len(before) + 1
    assert all(map(str.startswith, sent, [*before, "[document has been saved] 2 files"]))


class Forgetful(StoreInMemory):
    """A store whose answer to the first deletion is lost."""

    async def delete(self, key: str, *, etag: str | None = None) -> bool:
        first = key in self.objects and not self.lost_one
        self.lost_one = self.lost_one or first
        deleted = await super().delete(key, etag=etag)
        if first:
            raise OUT
        return deleted

    lost_one = False


async def test_a_document_that_takes_the_old_name_of_one_that_is_being_renamed_makes_nobody_forget_that(
    inbox: Inbox, messenger: ScriptedMessenger
) -> None:
    store = Forgetful()
    async with bot(inbox, messenger, store, TimedTransfer(store)):
        await take(inbox, ALICE, "a")
        await store.there("a")
        await trio.sleep(5)
        await decide(inbox, ALICE, [Rename("a", "new")])
        await store.there("new")
        await decide(inbox, ALICE, [Take("other", document("other"), "a", None, 2)])
        await store.there("a")
        assert "a is called new now." not in messenger.texts(ALICE)
        await trio.sleep(60)
    assert {key: found.metadata[JOB_METADATA] for key, found in store.objects.items()} == {"new": "a", "a": "other"}
    assert "a is called new now." in messenger.texts(ALICE)
    assert sorted(file.key for file in await inbox.files.page(ALICE, 0, "", 10)) == ["a", "new"]
