"""A server that is gone altogether, as one that is restarted: connections are reset, then refused, until it is back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import trio

from tests.faults.ground import SAVED, Ground, open_ground
from tests.faults.log import Entry, recording
from tests.world import PATIENCE
from trio_s3_bot.patience import SHIPPED

POLLING = "polling failed; trying again"
SPEAKING = "the messenger can't be written to; trying again"
STORING = "the S3 store"


@pytest.fixture(params=["telegram", "vk"])
async def ground(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Ground]:
    with trio.fail_after(PATIENCE), recording():
        async with open_ground(request.param, tmp_path, SHIPPED.timeouts) as ground:
            yield ground


async def warned(ground: Ground, words: str) -> None:
    """Wait for three warnings with these words: the attempts after the first one meet a port that refuses."""

    def three(_: Entry) -> bool:
        return len([entry for entry in ground.log.entries if entry.level == "warning" and words in entry.text]) >= 3

    await ground.log.until(three)


def first_lines(chat: Any) -> list[str]:
    return [message["text"].splitlines()[0] for message in chat.bot_messages]


async def test_what_is_sent_while_the_messenger_is_gone_is_answered_when_it_is_back(ground: Ground) -> None:
    alice, chat = ground.side.meet("Alice")
    async with ground.bot():
        await ground.side.world.wait(lambda: ground.side.queue.polled)
        ground.messenger_down()
        chat.send_document(alice, "report.pdf", b"content")
        await warned(ground, POLLING)
        ground.messenger_up()
        await chat.wait_for(SAVED)
    assert ground.world.content("report.pdf") == b"content"
    assert len(chat.bot_messages) == 3


async def test_a_document_that_goes_up_while_the_messenger_is_gone_is_saved_and_told_of_later(ground: Ground) -> None:
    alice, chat = ground.side.meet("Alice")
    async with ground.bot():
        upload = ground.store.hold("PutObject")
        chat.send_document(alice, "report.pdf", b"content")
        await chat.wait_for("%")  # progress, so nothing that was said before is still under way
        ground.messenger_down()
        upload.release()
        await ground.log.until(lambda entry: entry.event == "saved")
        await warned(ground, SPEAKING)
        assert not any(line.startswith(SAVED) for line in first_lines(chat))
        ground.messenger_up()
        await chat.wait_for(SAVED)
    assert first_lines(chat)[-1] == f"{SAVED} report.pdf, 7 bytes"
    assert len(chat.bot_messages) == 3


async def test_with_messenger_and_store_both_gone_everything_is_done_once_when_they_are_back(
    ground: Ground,
) -> None:
    people = [ground.side.meet(f"Person {number}") for number in range(5)]
    async with ground.bot():
        downloads = ground.files.hold("file")
        for number, (person, chat) in enumerate(people):
            chat.send_document(person, f"{number}.txt", bytes([number]))
        await downloads.reached.wait()
        ground.messenger_down()
        ground.store.down()
        await warned(ground, POLLING)
        ground.messenger_up()
        await warned(ground, STORING)
        ground.store.up()
        for _, chat in people:
            await chat.wait_for(SAVED)
    assert {key: ground.world.content(key) for key in ground.world.objects} == {
        f"{number}.txt": bytes([number]) for number in range(5)
    }
    assert all(len([line for line in first_lines(chat) if line.startswith(SAVED)]) == 1 for _, chat in people)
