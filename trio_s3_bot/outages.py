"""When something that all documents need is out of order: wait together, ask rarely, go on by yourself."""

from __future__ import annotations

import random
from collections.abc import Set

import structlog
import trio

from trio_s3_bot.patience import SHIPPED, Pauses

JUST_NOW = 30  # seconds for which a success says that all is in order
WORTH_TELLING = 4  # failed attempts in a row (about 15 s as shipped) until people are told that they have to wait

log = structlog.get_logger()


class Outage:
    """Whether `what` is out of order, and when it is to be tried again. Pauses grow, with jitter."""

    def __init__(self, what: str, pauses: Pauses = SHIPPED.outage) -> None:
        self._what = what
        self._pauses = pauses
        self._failures = 0
        self._until = self._asked_until = float("-inf")
        self._worked_at = float("-inf")
        self._suspects: set[str] = set()

    @property
    def until(self) -> float:
        """When to try again, on trio's clock; in the past when there is no outage, or it is time."""
        return self._until

    @property
    def over(self) -> bool:
        return self._until <= trio.current_time()

    def works_beside(self, began: float) -> bool:
        """Whether something else has just succeeded where an attempt, begun then on trio's clock, failed."""
        return self._worked_at >= began - JUST_NOW

    @property
    def worth_telling(self) -> bool:
        return self._failures >= WORTH_TELLING

    @property
    def suspects(self) -> Set[str]:
        """What failed since anything last succeeded: it may be that, and no outage."""
        return self._suspects

    def failed(self, error: Exception, *, of: str | None = None, at_least: float = 0) -> None:
        """
        An attempt failed, at what is known as `of`. Several that fail together, begun before the pause, count as one.

        `at_least` are the seconds that were asked for: they are kept even if something else succeeds.
        """
        if of is not None:
            self._suspects.add(of)
        self._asked_until = max(self._asked_until, trio.current_time() + at_least)
        if not self.over:
            self._until = max(self._until, self._asked_until)
            return
        self._failures += 1
        pause = max(at_least, self._pauses.after(self._failures) * random.uniform(0.7, 1.0))
        self._until = trio.current_time() + pause
        log.warning("out of order; documents wait", what=self._what, error=str(error), pause=round(pause, 1))

    def worked(self) -> None:
        """An attempt succeeded: the outage is over, if there was one."""
        self._worked_at = trio.current_time()
        self._suspects.clear()
        if self._failures:
            log.info("back in order", what=self._what, after_failures=self._failures)
            self._failures = 0
            self._until = self._asked_until
