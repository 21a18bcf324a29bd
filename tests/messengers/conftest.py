"""A messenger whose check has passed, and the emulator that it speaks with."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import trio

from tests.sides import TOKENS, Side, open_side
from trio_s3_bot.messengers.base import Messenger

PATIENCE = 20  # seconds after which a test is hopeless


@pytest.fixture(params=list(TOKENS))
async def side(request: pytest.FixtureRequest) -> AsyncIterator[Side]:
    """Each messenger in turn."""
    with trio.fail_after(PATIENCE):
        async with open_side(request.param) as side:
            yield side


@pytest.fixture
async def vk() -> AsyncIterator[Side]:
    """VK alone."""
    with trio.fail_after(PATIENCE):
        async with open_side("vk") as side:
            yield side


@pytest.fixture
async def messenger(side: Side) -> AsyncIterator[Messenger]:
    async with side.open() as messenger:
        await messenger.check()
        yield messenger
