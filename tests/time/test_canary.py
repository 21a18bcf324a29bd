"""The canary warns when the event loop is late by more than its setting, and only then."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio
from structlog.testing import capture_logs
from structlog.typing import EventDict
from trio.testing import MockClock, wait_all_tasks_blocked

from trio_s3_bot import canary


@asynccontextmanager
async def watched(threshold: float) -> AsyncIterator[list[EventDict]]:
    """What the canary says while the block runs."""
    with capture_logs() as logs:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(canary.watch, threshold)
            await wait_all_tasks_blocked()
            yield logs
            nursery.cancel_scope.cancel()


async def let_pass(clock: MockClock, seconds: float) -> None:
    """So much time passes before any task gets its turn, as when something blocks the loop."""
    clock.jump(seconds)
    await wait_all_tasks_blocked()


async def test_a_loop_that_is_on_time_is_not_worth_a_word(mock_clock: MockClock) -> None:
    async with watched(threshold=0.5) as logs:
        for _ in range(3600):
            await let_pass(mock_clock, 1)
    assert logs == []


@pytest.mark.parametrize(("late", "said"), [(0.4, []), (0.5, []), (0.6, [0.6]), (30, [30])])
async def test_only_what_is_later_than_the_setting_is_said_and_how_late_it_was(
    mock_clock: MockClock, late: float, said: list[float]
) -> None:
    async with watched(threshold=0.5) as logs:
        await let_pass(mock_clock, 1 + late)
    assert [(line["event"], line["log_level"], line["seconds"]) for line in logs] == [
        ("the event loop was blocked", "warning", seconds) for seconds in said
    ]


async def test_it_is_said_once_for_each_time(mock_clock: MockClock) -> None:
    async with watched(threshold=0.5) as logs:
        for seconds in (1, 4, 1, 1, 2.25, 1):
            await let_pass(mock_clock, seconds)
    assert [line["seconds"] for line in logs] == [3, 1.25]


async def test_the_setting_decides(mock_clock: MockClock) -> None:
    async with watched(threshold=5) as logs:
        await let_pass(mock_clock, 5)
        await let_pass(mock_clock, 7)
    assert [line["seconds"] for line in logs] == [6]
