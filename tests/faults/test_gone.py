"""A server that is gone altogether, as one that is restarted: connections are reset, then refused, until it is back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trio

from tests.faults.ground import SAVED, Ground, open_ground, said
from tests.faults.log import Entry, recording
from tests.world import PATIENCE
from trio_s3_bot.patience import SHIPPED
from trio_s3_bot.sandbox.telegram import Chat

POLLING = "polling failed; trying again"
SPEAKING = "the messenger can't be written to; trying again"
STORING = "the S3 store"


@pytest.fixture
async def ground(tmp_path: Path) -> AsyncIterator[Ground]:
    with trio.fail_after(PATIENCE), recording():
        async with open_ground(tmp_path, SHIPPED.timeouts) as ground:
            yield ground


async def warned(ground: Ground, words: str) -> None:
    """Wait for three warnings with these words: the attempts after the first one meet a port that refuses."""

    def three(_: Entry) -> bool:
        return len([entry for entry in ground.log.entries if entry.level == "warning" and words in entry.text]) >= 3

    await ground.log.until(three)


def first_lines(chat: Chat) -> list[str]:
    return [message["text"].splitlines()[0] for message in said(chat)]


async def test_what_is_sent_while_telegram_is_gone_is_answered_when_it_is_back(ground: Ground) -> None:
    alice, chat = ground.meet("Alice")
    async with ground.bot():
        await ground.world.telegram.wait(lambda: ground.world.telegram.polled)
        ground.telegram.down()
        chat.send_document(alice, "report.pdf", b"content")
        await warned(ground, POLLING)
        ground.telegram.up()
        await chat.wait_for(SAVED)
    assert ground.world.content("report.pdf") == b"content"
    assert len(said(chat)) == 3


async def test_a_document_that_goes_up_while_telegram_is_gone_is_saved_and_told_of_later(ground: Ground) -> None:
    alice, chat = ground.meet("Alice")
    async with ground.bot():
        upload = ground.store.hold("PutObject")
        chat.send_document(alice, "report.pdf", b"content")
        await chat.wait_for("%")  # progress, so nothing that was said before is still under way
        ground.telegram.down()
        upload.release()
        await ground.log.until(lambda entry: entry.event == "saved")
        await warned(ground, SPEAKING)
        assert not any(line.startswith(SAVED) for line in first_lines(chat))
        ground.telegram.up()
        await chat.wait_for(SAVED)
    assert first_lines(chat)[-1] == f"{SAVED} report.pdf, 7 bytes"
    assert len(said(chat)) == 3


async def test_with_telegram_and_the_store_both_gone_everything_is_done_once_when_they_are_back(ground: Ground) -> None:
    people = [ground.meet(f"Person {number}") for number in range(5)]
    async with ground.bot():
        downloads = ground.telegram.hold("file")
        for number, (person, chat) in enumerate(people):
            chat.send_document(person, f"{number}.txt", bytes([number]))
        await downloads.reached.wait()
        for proxy in (ground.telegram, ground.store):
            proxy.down()
        await warned(ground, POLLING)
        ground.telegram.up()
        await warned(ground, STORING)
        ground.store.up()
        for _, chat in people:
            await chat.wait_for(SAVED)
    assert {key: ground.world.content(key) for key in ground.world.objects} == {
        f"{number}.txt": bytes([number]) for number in range(5)
    }
    assert all(len([line for line in first_lines(chat) if line.startswith(SAVED)]) == 1 for _, chat in people)
