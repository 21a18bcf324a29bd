"""The number that a messenger knows a message by: no two messages of one state file have the same."""

from __future__ import annotations

import pytest

from tests.time.fakes import Disk, inbox_on, open_disk
from tests.time.scenes import ask, person
from trio_s3_bot.inbox import Inbox
from trio_s3_bot.model import OutMessage

HIGHEST = 2**31 - 1


async def said(inbox: Inbox, chats: int) -> list[int]:
    """What is composed for so many chats, by its random id."""
    ids = []
    for number in range(1, chats + 1):
        await ask(inbox, person(number))
        composed = await inbox.messages.next_message(person(number), lambda *_: OutMessage("text"))
        assert composed is not None
        ids.append(composed.message.random_id)
        again = await inbox.messages.next_message(person(number), lambda *_: OutMessage("another text"))
        assert again == composed
        await inbox.messages.sent(composed, number)
    return ids


async def base(disk: Disk, value: int | None = None) -> int:
    if value is not None:
        disk.connection.execute("UPDATE random_ids SET base = ?", (value,))
    (found,) = disk.connection.execute("SELECT base FROM random_ids").fetchone()
    assert isinstance(found, int)
    return found


@pytest.mark.parametrize("start", [0, 5, HIGHEST - 3, HIGHEST - 1])
async def test_random_ids_are_positive_fit_into_31_bits_and_do_not_repeat(start: int) -> None:
    async with open_disk() as disk:
        await base(disk, start)
        ids = await said(await inbox_on(disk), 8)
        ids += await said(await inbox_on(disk), 8)
    assert len(set(ids)) == 16
    assert all(1 <= random_id <= HIGHEST for random_id in ids)


async def test_two_state_files_begin_somewhere_else() -> None:
    bases = set()
    for _ in range(3):
        async with open_disk() as disk:
            bases.add(await base(disk))
    assert len(bases) == 3
    assert all(0 <= found < HIGHEST for found in bases)
