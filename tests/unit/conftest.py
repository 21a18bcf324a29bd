"""What the tests of the inbox share."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.time.fakes import Disk, inbox_on, open_disk
from trio_s3_bot.inbox import Inbox


@pytest.fixture
async def disk() -> AsyncIterator[Disk]:
    """What the inbox is on."""
    async with open_disk() as disk:
        yield disk


@pytest.fixture
async def inbox(disk: Disk) -> Inbox:
    """An empty inbox."""
    return await inbox_on(disk)
