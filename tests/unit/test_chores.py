"""Renamings and deletions are handed out once each."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TypeVar

import pytest
import trio

from trio_s3_bot.conversation import ChatState, Decision, Take
from trio_s3_bot.conversation.state import Delete, Effect
from trio_s3_bot.inbox import Chore, Inbox, inbox_in
from trio_s3_bot.inbox.database import open_database
from trio_s3_bot.messengers.base import Batch
from trio_s3_bot.model import Chat, Document, SavedFile, UpdateObj, UploadState

T = TypeVar("T")

CHAT = Chat("telegram", 1)


async def slowly(function: Callable[..., T], *arguments: object) -> T:
    """Like a thread whose result is fetched a little later: others get their turn in between."""
    result = function(*arguments)
    await trio.lowlevel.checkpoint()
    return result


@pytest.fixture
async def inbox(tmp_path: Path) -> AsyncIterator[Inbox]:
    """An inbox with a saved file that is to be deleted."""
    async with open_database(tmp_path / "state.sqlite3", slowly) as database:
        inbox = await inbox_in(database)
        await decide(inbox, "1", Take("file", Document("f", "u"), "a.txt", None, 1))
        claim = await inbox.uploads.claim()
        assert claim is not None
        saved = SavedFile("file", CHAT, None, "a.txt", "a.txt", 1, '"etag"', "u", 0)
        await inbox.uploads.finish(claim.job, UploadState.SAVED, None, saved)
        inbox.uploads.give_back(claim)
        await decide(inbox, "2", Delete("file"))
        yield inbox


async def decide(inbox: Inbox, update_id: str, effect: Effect) -> None:
    await inbox.updates.store("telegram", Batch((UpdateObj("telegram", update_id, CHAT, message_id=1),), update_id))
    await inbox.updates.finish(await inbox.updates.claim("telegram"), Decision(ChatState(greeted=True), (effect,)))


async def test_two_who_ask_at_the_same_time_do_not_get_the_same_chore(inbox: Inbox) -> None:
    chores: list[Chore | None] = []

    async def claim() -> None:
        chores.append(await inbox.files.claim())

    async with trio.open_nursery() as nursery:
        nursery.start_soon(claim)
        nursery.start_soon(claim)
    assert sorted(chore is None for chore in chores) == [False, True]


async def test_a_chore_that_was_given_back_is_handed_out_again(inbox: Inbox) -> None:
    chore = await inbox.files.claim()
    assert chore is not None
    inbox.files.give_back(chore)
    assert await inbox.files.claim() == chore
