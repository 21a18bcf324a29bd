"""What all tests share."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.sides import Side
from tests.time.fakes import Disk, inbox_on, open_disk
from tests.world import World, open_world
from trio_s3_bot.inbox import Inbox

# Examples are bounded in number; how long one takes says more about the machine than about the code.
settings.register_profile("shared machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared machine")


@pytest.fixture
def messengers() -> Sequence[str]:
    """The messengers that the bots of the world are in; tests of another one, or of both, set it."""
    return ("telegram",)


@pytest.fixture
async def world(tmp_path: Path, messengers: Sequence[str]) -> AsyncIterator[World]:
    """Both messengers and S3 on loopback, with an empty bucket."""
    async with open_world(tmp_path, messengers) as world:
        yield world


@pytest.fixture
def side(world: World) -> Side:
    """The messenger that the bots of the world are in, if it is one alone."""
    (side,) = world.sides
    return side


@pytest.fixture
async def disk() -> AsyncIterator[Disk]:
    """What an inbox in memory is on."""
    async with open_disk() as disk:
        yield disk


@pytest.fixture
async def inbox(disk: Disk) -> Inbox:
    """An empty inbox."""
    return await inbox_on(disk)
