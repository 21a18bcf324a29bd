"""
A scripted HTTP/1.1 proxy that stands between a program and a server on loopback and strikes at chosen requests.

    async with open_fault_proxy("http://127.0.0.1:9000") as proxy:
        strike = proxy.add(Reset(), when=When.AFTER, match="CompleteMultipartUpload")
        ...  # the program under test talks to proxy.url
        await strike.struck()

Bodies are streamed both ways and never held whole. The Host header passes unchanged, so signatures stay valid.
Protocol upgrades and HTTP/1.0 clients are not served; a client that closes its sending half counts as gone.
"""

from .answers import (
    BAD_GATEWAY,
    BOT_API_FORBIDDEN,
    S3_ACCESS_DENIED,
    S3_INTERNAL_ERROR,
    S3_SLOW_DOWN,
    SERVER_ERROR,
    TooMany,
    bot_api_error,
    s3_error,
    vk_error,
)
from .calls import S3_CALLS, Match, Request
from .exchange import Answer, Course, Exchange, Fault, Record, When
from .kinds import (
    CutBody,
    CutRequest,
    InAnswer,
    InRequest,
    InsteadOfAnswer,
    Refused,
    Reset,
    SlowBody,
    SlowRequest,
    Status,
    Timeout,
    WrongContentLength,
)
from .proxy import FaultProxy, open_fault_proxy
from .strikes import Hold, Strike

__all__ = [
    "BAD_GATEWAY",
    "BOT_API_FORBIDDEN",
    "S3_ACCESS_DENIED",
    "S3_CALLS",
    "S3_INTERNAL_ERROR",
    "S3_SLOW_DOWN",
    "SERVER_ERROR",
    "Answer",
    "Course",
    "CutBody",
    "CutRequest",
    "Exchange",
    "Fault",
    "FaultProxy",
    "Hold",
    "InAnswer",
    "InRequest",
    "InsteadOfAnswer",
    "Match",
    "Record",
    "Refused",
    "Request",
    "Reset",
    "SlowBody",
    "SlowRequest",
    "Status",
    "Strike",
    "Timeout",
    "TooMany",
    "When",
    "WrongContentLength",
    "bot_api_error",
    "open_fault_proxy",
    "s3_error",
    "vk_error",
]
