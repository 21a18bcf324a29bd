"""A messenger whose check has passed, and the emulator that it speaks with."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import trio

from trio_s3_bot.messengers.base import Messenger

from .sides import SIDES, Side, vk_side

PATIENCE = 20  # seconds after which a test is hopeless


@pytest.fixture(params=list(SIDES))
async def side(request: pytest.FixtureRequest) -> AsyncIterator[Side]:
    """Each messenger in turn."""
    with trio.fail_after(PATIENCE):
        async with SIDES[request.param]() as side:
            yield side


@pytest.fixture
async def vk() -> AsyncIterator[Side]:
    """VK alone."""
    with trio.fail_after(PATIENCE):
        async with vk_side() as side:
            yield side


@pytest.fixture
async def messenger(side: Side) -> AsyncIterator[Messenger]:
    async with side.open() as messenger:
        await messenger.check()
        yield messenger
