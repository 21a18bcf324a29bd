"""When something that all documents need is out of order: wait together, ask rarely, go on by yourself."""

from __future__ import annotations

import random

import structlog
import trio

from trio_s3_bot.patience import SHIPPED, Pauses

WORTH_TELLING = 4  # failed attempts in a row (about 15 s as shipped) until people are told that they have to wait

log = structlog.get_logger()


class Outage:
    """Whether `what` is out of order, and when it is to be tried again. Pauses grow, with jitter."""

    def __init__(self, what: str, pauses: Pauses = SHIPPED.outage) -> None:
        self._what = what
        self._pauses = pauses
        self._failures = 0
        self._until = float("-inf")
        self._worked_at = float("-inf")

    @property
    def until(self) -> float:
        """When to try again, on trio's clock; in the past when there is no outage, or it is time."""
        return self._until

    @property
    def over(self) -> bool:
        return self._until <= trio.current_time()

    def worked_since(self, time: float) -> bool:
        """Whether anything has succeeded since a time on trio's clock."""
        return self._worked_at >= time

    @property
    def worth_telling(self) -> bool:
        return self._failures >= WORTH_TELLING

    def failed(self, error: Exception, *, at_least: float = 0) -> None:
        """An attempt failed. Several that fail together, begun before the pause, count as one."""
        if not self.over:
            self._until = max(self._until, trio.current_time() + at_least)
            return
        self._failures += 1
        pause = max(at_least, self._pauses.after(self._failures) * random.uniform(0.7, 1.0))
        self._until = trio.current_time() + pause
        log.warning("out of order; documents wait", what=self._what, error=str(error), pause=round(pause, 1))

    def worked(self) -> None:
        """An attempt succeeded: the outage is over."""
        self._worked_at = trio.current_time()
        if self._failures and self.over:
            log.info("back in order", what=self._what, after_failures=self._failures)
            self._failures = 0
