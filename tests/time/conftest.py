"""What the tests in virtual time share."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import pytest
import trio
from structlog.testing import capture_logs
from trio.abc import Instrument
from trio.testing import MockClock

from tests.time.fakes import ScriptedMessenger, StoreInMemory

T = TypeVar("T")

HERE = Path(__file__).parent


def in_virtual_time(main: Callable[[], Awaitable[T]], *, instruments: Sequence[Instrument], **_: object) -> T:
    """Time passes only when all tasks wait for it, and then at once."""
    return trio.run(main, clock=MockClock(autojump_threshold=0), instruments=instruments)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run every async test of this folder so, but for those that move a clock of their own."""
    for item in items:
        own_clock = "mock_clock" in getattr(item, "fixturenames", ())
        if item.path.is_relative_to(HERE) and item.get_closest_marker("trio") and not own_clock:
            item.add_marker(pytest.mark.trio(run=in_virtual_time), append=False)


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Tracebacks of errors that are meant to be cost more time than all the rest."""
    with capture_logs():
        yield


@pytest.fixture
def store() -> StoreInMemory:
    """An empty bucket."""
    return StoreInMemory()


@pytest.fixture
def messenger() -> ScriptedMessenger:
    """A messenger that takes everything at once."""
    return ScriptedMessenger()
