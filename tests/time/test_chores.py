"""Renaming and deleting: what comes in between, and what nobody foresaw."""

from __future__ import annotations

import trio

from tests.time.fakes import ScriptedMessenger, StoreInMemory, TimedTransfer
from tests.time.scenes import begin, bot, decide, end, person, take
from trio_s3_bot.conversation import Delete, Rename
from trio_s3_bot.inbox import Inbox
from trio_s3_bot.notices import Renamed

ALICE, BOB = person(1), person(2)


async def test_an_error_that_nobody_foresaw_costs_the_renaming_and_not_the_bot(
    inbox: Inbox, messenger: ScriptedMessenger, store: StoreInMemory
) -> None:
    async with bot(inbox, messenger, store, TimedTransfer(store)) as running:
        await take(inbox, ALICE, "a")
        await store.there("a")
        await trio.sleep(30)
        store.fault = lambda: KeyError("ContentLength")
        await decide(inbox, ALICE, [Rename("a", "b")])
        await trio.sleep(3600)
        assert not running.ended.is_set()
        store.fault = lambda: None
        await trio.sleep(3600)
        assert await inbox.files.open_count() == 0


async def test_whose_deletion_is_overtaken_by_a_renaming_of_somebody_else_hears_of_it_then(
    inbox: Inbox, messenger: ScriptedMessenger, store: StoreInMemory
) -> None:
    async with bot(inbox, messenger, store, TimedTransfer(store)):
        await take(inbox, ALICE, "a")
        await take(inbox, BOB, "b")
        await store.there("b")
        await trio.sleep(30)
        del store.objects["b"]
        store.latency = 1
        await decide(inbox, ALICE, [Rename("a", "b")])
        await trio.sleep(0.5)
        await decide(inbox, BOB, [Delete("b")])
        await trio.sleep(600)
    assert messenger.texts(BOB)[-1] == "b was gone already."


async def test_a_file_that_was_renamed_while_it_was_looked_for_is_not_called_gone(inbox: Inbox) -> None:
    await end(inbox, await begin(inbox, ALICE, "a"))
    (as_it_was,) = await inbox.files.page(ALICE, 0, "", 10)
    await decide(inbox, ALICE, [Rename("a", "b")])
    chore = await inbox.files.claim()
    assert chore is not None
    assert await inbox.files.begin(chore, ())
    await inbox.files.renamed(chore, '"other"', Renamed(upload="a", old="a", new="b"))
    await inbox.files.mark([(as_it_was, True)])
    assert [(file.key, file.gone) for file in await inbox.files.page(ALICE, 0, "", 10)] == [("b", False)]
