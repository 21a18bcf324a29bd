"""The faults of the matrix, each in the words of the API that the struck call belongs to."""

from __future__ import annotations

from tests.faults.kinds_vk import VK_TOO_FAST, Words, words_of_vk
from trio_s3_bot.sandbox.faults import (
    BAD_GATEWAY,
    BOT_API_FORBIDDEN,
    S3_ACCESS_DENIED,
    S3_CALLS,
    S3_INTERNAL_ERROR,
    S3_SLOW_DOWN,
    CutBody,
    CutRequest,
    Fault,
    Refused,
    Reset,
    SlowBody,
    SlowRequest,
    Status,
    Timeout,
    TooMany,
    When,
    WrongContentLength,
    bot_api_error,
    s3_error,
)

RETRY_AFTER = 1
"""Seconds; the Bot API asks for whole ones."""

_RATE, _RATE_OF_PART = 4_000, 10 * 2**20
"""Bytes per second: a fraction of a second for what a cell sends."""

_CUT_AT, _OFF_BY = 100, 5
"""Bytes."""

FLOODS = frozenset({TooMany(RETRY_AFTER), VK_TOO_FAST})
"""The faults that ask for a pause, and no attempt before its end."""


def is_s3(call: str) -> bool:
    return call in S3_CALLS


_ALIKE: Words = {
    "refused": Refused(),
    "reset": Reset(),
    "timeout": Timeout(),
    "502": BAD_GATEWAY,
    "longer": WrongContentLength(_OFF_BY),
    "shorter": WrongContentLength(-_OFF_BY),
}
_OF_S3: Words = {
    "429": s3_error(429, "TooManyRequests", "Please reduce your request rate."),
    "500": S3_INTERNAL_ERROR,
    "503": S3_SLOW_DOWN,
    "403": S3_ACCESS_DENIED,
}
_OF_TELEGRAM: Words = {
    "429": TooMany(RETRY_AFTER),
    "500": bot_api_error(500, "Internal Server Error: restart"),
    "503": Status(503, b"<html><body><h1>503 Service Temporarily Unavailable</h1></body></html>", "text/html"),
    "403": BOT_API_FORBIDDEN,
}


def fault_of(messenger: str, name: str, call: str, when: When) -> Fault:
    """The fault that the table calls `name`. Slow and cut are the request before the work, the answer after it."""
    if name == "slow":
        rate = _RATE_OF_PART if call == "UploadPart" else _RATE
        return SlowRequest(rate) if when is When.BEFORE else SlowBody(rate)
    if name == "cut":
        return CutRequest(_CUT_AT) if when is When.BEFORE else CutBody(_CUT_AT)
    return (_ALIKE | _words(messenger, call))[name]


def _words(messenger: str, call: str) -> Words:
    if is_s3(call):
        return _OF_S3
    if messenger == "telegram":
        return _OF_TELEGRAM
    return words_of_vk(call)
