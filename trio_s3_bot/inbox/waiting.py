"""What to do while the state file can't be used: wait, say so in the log, and ask again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog
import trio

from trio_s3_bot.errors import StateError

T = TypeVar("T")

STATE_PAUSE = 5  # seconds until the state file is tried again

log = structlog.get_logger()


async def once_readable(look: Callable[[], Awaitable[T]]) -> T:
    """
    What `look` gives, asked again for as long as it raises `StateError`.

    For the tasks that hand out work: a disk that can't be read for a while must not end them, since what ends one of
    them ends the bot.
    """
    while True:
        try:
            return await look()
        except StateError as error:
            log.error("the state can't be read; what stands there waits", error=str(error), pause=STATE_PAUSE)
            await trio.sleep(STATE_PAUSE)
