"""A message that shows progress is put to rest, however the end of its upload and the edit cross."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from trio_s3_bot.conversation import ChatState, Decision, Say, Take
from trio_s3_bot.inbox import Book, Inbox, Status, open_inbox
from trio_s3_bot.messengers.base import Batch
from trio_s3_bot.model import Chat, Document, OutMessage, UpdateObj, UploadState
from trio_s3_bot.notices import Accepted, AnyNotice

CHAT = Chat("telegram", 1)


@pytest.fixture
async def inbox(tmp_path: Path) -> AsyncIterator[Inbox]:
    async with open_inbox(tmp_path / "state.sqlite3") as inbox:
        yield inbox


async def accepted(inbox: Inbox) -> Status:
    """The `[document]` message of an upload, sent."""
    update = UpdateObj("telegram", "1", CHAT, message_id=1)
    await inbox.updates.store("telegram", Batch((update,), "2"))
    effects = (Take("upload", Document("f", "u"), "a.txt", None, 1), Say(Accepted(upload="upload", name="a.txt")))
    await inbox.updates.finish(await inbox.updates.claim("telegram"), Decision(ChatState(greeted=True), effects))
    message = await inbox.messages.next_message(CHAT, _compose)
    assert message is not None
    await inbox.messages.sent(message, 7)
    status = await inbox.messages.status_of(CHAT, "upload")
    assert status is not None
    return status


def _compose(_notices: Sequence[AnyNotice], _language: str, _book: Book) -> OutMessage:
    return OutMessage("[document] a.txt")


async def end_upload(inbox: Inbox) -> None:
    claim = await inbox.uploads.claim()
    assert claim is not None
    await inbox.uploads.finish(claim.job, UploadState.SAVED, None)


async def test_an_upload_that_ends_after_the_edit_was_begun_puts_its_message_to_rest(inbox: Inbox) -> None:
    status = await accepted(inbox)
    assert await inbox.messages.progress_will_show(status) is True
    await end_upload(inbox)
    assert await inbox.messages.stale_status(CHAT) is not None


async def test_an_upload_that_has_ended_just_before_the_edit_shows_no_progress_any_more(inbox: Inbox) -> None:
    status = await accepted(inbox)
    await end_upload(inbox)
    assert await inbox.messages.progress_will_show(status) is False
