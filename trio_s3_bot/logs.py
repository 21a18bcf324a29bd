"""Logging: one line an event on stderr, and nobody else's lines that could carry a token."""

from __future__ import annotations

import logging
import sys

import stamina.instrumentation
import structlog

# httpx logs every URL at INFO, and the Bot API's URLs carry the token; botocore's DEBUG lines carry headers.
_OTHERS = ("httpx", "httpcore", "botocore", "boto3", "urllib3", "s3transfer")


def configure(level: str) -> None:
    """Log from `level` (a name, such as INFO) up."""
    logging.basicConfig(format="%(asctime)s [%(levelname)s] %(name)s: %(message)s", level=level, stream=sys.stderr)
    for name in _OTHERS:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLevelNamesMapping()[level]))
    # It logs each retry without saying of what; what failed, and is tried again, has a line of its own.
    stamina.instrumentation.set_on_retry_hooks(())
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=False),
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback, sort_keys=False
            ),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
