"""What all tests share."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.world import World, open_world


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """Telegram and S3 on loopback, with an empty bucket."""
    async with open_world(tmp_path) as world:
        yield world
