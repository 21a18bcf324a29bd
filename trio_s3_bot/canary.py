"""A canary in the event loop: it notices when something blocks the loop that belongs into a thread."""

from __future__ import annotations

import structlog
import trio

PERIOD = 1  # seconds between two looks

log = structlog.get_logger()


async def watch(threshold: float) -> None:
    """Warn whenever the event loop wakes this task more than `threshold` seconds late, until cancelled."""
    while True:
        due = trio.current_time() + PERIOD
        await trio.sleep_until(due)
        late = trio.current_time() - due
        if late > threshold:
            log.warning("the event loop was blocked", seconds=round(late, 2))
