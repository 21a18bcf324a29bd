"""Everything that the bot and its libraries log, as a record that can be waited on."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import structlog
import trio

from trio_s3_bot.sandbox.world import Changes

_current: ContextVar[Log] = ContextVar("log")


@dataclass(frozen=True)
class Entry:
    """One event: `text` is all of it, with its traceback if there is one; `time` is trio's clock, in seconds."""

    time: float
    level: str
    event: str
    text: str
    facts: MutableMapping[str, Any]


class Log:
    """The entries so far, oldest first."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self._changes = Changes()

    def since(self, time: float) -> list[Entry]:
        return [entry for entry in self.entries if entry.time >= time]

    async def until(self, fits: Callable[[Entry], bool]) -> Entry:
        """Wait for an entry; one that came already will do."""
        return await self._changes.until(lambda: next((entry for entry in self.entries if fits(entry)), None))

    def add(self, level: str, facts: MutableMapping[str, Any]) -> None:
        text = " ".join(str(value) for value in facts.values())
        self.entries.append(Entry(trio.current_time(), level, str(facts["event"]), text, facts))
        self._changes.announce()


def log_of_this_task() -> Log:
    """Begin a log of its own for this task and those that it starts from now on, within `recording`."""
    log = Log()
    _current.set(log)
    return log


@contextmanager
def recording() -> Iterator[None]:
    """While the block runs, what is logged (from INFO up, as shipped) goes to the log of the task that logs it."""
    before, handler = structlog.get_config(), _Libraries()
    structlog.configure(
        processors=[structlog.processors.format_exc_info, _take],
        wrapper_class=structlog.make_filtering_bound_logger("info"),
    )
    logging.getLogger().addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)
        structlog.configure(**before)


def _take(_logger: object, level: str, facts: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    _current.get().add(level, facts)
    raise structlog.DropEvent


class _Libraries(logging.Handler):
    """What goes through the standard library's logging, from any thread."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._trio = trio.lowlevel.current_trio_token()
        self.setFormatter(logging.Formatter())

    def emit(self, record: logging.LogRecord) -> None:
        if (log := _current.get(None)) is not None:
            facts = {"event": record.getMessage(), "text": self.format(record)}
            self._trio.run_sync_soon(log.add, record.levelname.lower(), facts)
