"""What every long-lived task runs under."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import structlog

P = ParamSpec("P")
T = TypeVar("T")

log = structlog.get_logger()


def log_exceptions(function: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T]]:
    """
    Log what escapes from `function`, with its traceback, and raise it again.

    A nursery reports an error only when all its other tasks have ended; this says at once which task it was.
    Cancellation is no error.
    """

    @wraps(function)
    async def logged(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return await function(*args, **kwargs)
        except Exception:
            log.exception("a task ended with an error", task=getattr(function, "__qualname__", repr(function)))
            raise

    return logged
